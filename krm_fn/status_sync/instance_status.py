"""
The status that an instance should have.

Enters: a Program, an instance as it is stored, what it sees of the cluster.  Leaves: a status that its CRD takes, and what had to be
left out of it.  Not known here: whether it differs from the one that is stored (`changes`), who writes it.

It is kro's: `expand.reconcile` says what kro would do now, `expand.status` what kro would say of it. Nobody applies anything
here, so what the applier has not made yet is waited for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from krm_fn.expand.instance import subject_of
from krm_fn.expand.labels import RECONCILE
from krm_fn.expand.ownership import INSTANCE, NODE, PREFIX, owner
from krm_fn.expand.reconcile import reconcile
from krm_fn.expand.secrets import is_secret_path
from krm_fn.expand.status import conclude
from krm_fn.program.template import path_text
from krm_fn.schema.structural import Found, compile_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from krm_fn.expand.instance import World
    from krm_fn.program.model import Program
    from krm_fn.status_sync.reads import Sight

SELF = "instance"
"""Stands for the node in the marks of an instance that was emitted itself."""


class Computed(NamedTuple):
    """status: what kro would write, as far as the CRD takes it.  left_out: what is not in it, and why, one text each."""

    status: dict[str, Any]
    left_out: list[str]


def compute(
    program: Program, instance: dict[str, Any], sight: Sight, world: World, fit: Fit | None, now: str
) -> Computed:
    """*instance*: as it is stored.  *fit*: of its CRD's status, where that can be told.  *now*: RFC 3339, for transitions."""
    before = instance.get("status")
    metadata = instance["metadata"]
    step = reconcile(program, as_rendered(instance), sight, world)
    done = conclude(
        step,
        sight,
        {},
        previous=before if isinstance(before, dict) else None,
        generation=metadata.get("generation"),
        now=now,
    )
    left_out = list(done.problems)
    left_out += [f"status.{path} needs a Secret's value, which no status may hold" for path in _secret(program, done)]
    left_out += [
        f"more than one {program.nodes[node].object_kind} bears the marks of {node}" for node in sight.ambiguous
    ]
    status = done.status
    if fit is not None:
        status, misfits = fit(status)
        left_out += misfits
    return Computed(status, left_out)


def name_in_marks(instance: dict[str, Any]) -> str:
    """
    How the marks of its children name an instance.

    One that was emitted bears its name of that time, whatever it is called by now.
    """
    metadata = instance["metadata"]
    annotations = metadata.get("annotations") or {}
    if annotations.get(NODE) == SELF and isinstance(annotations.get(INSTANCE), str):
        return str(annotations[INSTANCE])
    return owner(subject_of(instance))


def as_rendered(instance: dict[str, Any]) -> dict[str, Any]:
    """
    An instance as the renderer's expressions saw it.

    Our marks are not seen. Nor is the annotation by which a kro is told to leave the instance alone: rendered instances bear
    it, and it is kro's to obey, not ours. Labels and annotations are there, be they empty, as on a live instance of kro.
    """
    metadata = dict(instance["metadata"])
    metadata["annotations"] = {
        key: value
        for key, value in (metadata.get("annotations") or {}).items()
        if key != RECONCILE and not key.startswith(PREFIX)
    }
    metadata["labels"] = metadata.get("labels") or {}
    metadata.pop("managedFields", None)
    return {**instance, "metadata": metadata}


def _secret(program: Program, done: Any) -> Iterator[str]:
    """Paths of fields that have no value because they are made of a Secret's."""
    unknown = set(done.unknown)
    for path, compiled in program.status:
        if path_text(path) not in unknown:
            continue
        if any(is_secret_path(asked, program) for below in compiled.paths.values() for asked in below):
            yield path_text(path)


class Fit:
    """
    Makes a status what the API server would store, so that the two can be compared: fields that the CRD does not have are dropped.

    A field that the server would refuse is left out, too, and named: the rest is worth more than nothing.
    """

    def __init__(self, schema: dict[str, Any]) -> None:
        """*schema*: of the status. Errors: ValueError where it has what is not checked here."""
        self._check: Callable[[Any, tuple[str | int, ...], Found], Any] = compile_value(schema)

    def __call__(self, status: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
        misfits: list[str] = []
        while True:
            found = Found()
            fitted = self._check(status, (), found)
            wrong = {str(problem.path[0]): problem.message for problem in found.errors if problem.path}
            if not wrong:
                return fitted, misfits
            misfits += [f"status.{field} is not as its CRD says: {message}" for field, message in wrong.items()]
            status = {key: value for key, value in status.items() if key not in wrong}


def fit_of(crd: dict[str, Any], version: str) -> Fit | None:
    """The Fit of one version of a CRD; None where it says nothing that could be checked here."""
    for served in crd["spec"].get("versions") or ():
        if served.get("name") == version:
            schema = (served.get("schema") or {}).get("openAPIV3Schema") or {}
            status = (schema.get("properties") or {}).get("status")
            if status is None or schema.get("x-kubernetes-preserve-unknown-fields"):
                return None
            try:
                return Fit(status)
            except (ValueError, KeyError):
                return None
    return None
