"""
The RGDs that mutants are made of: every one of the corpora that kro accepts, with what has to be known beside it.

Enters: a folder of corpora.  Leaves: `Origin`s by key.  Not known here: what is changed in them, who judges.

A key is a path below the folder of the corpora, and which of the case's RGDs it is. Three formats hold RGDs: recorded runs
(`kro-live`), examples without a recording (`kro-examples-rgd-only`), and RGDs of kro's unit tests (`kro-tests`, `build-rgd`).
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.conformance.live_inputs import CRD, RGD, Recording, load, sources_of

if TYPE_CHECKING:
    from collections.abc import Iterator

IN_REPOSITORY = Path(__file__).parents[1] / "conformance" / "corpora"
OWN = "kro-live/own/"
"""The part that lies in the repository."""
CRDS = "kro-crds"
_UNIT_TESTS = "kro-tests/graph-validation.yaml"
_ONLY_RGDS = "kro-examples-rgd-only"


class Origin(NamedTuple):
    """An RGD.  crds: CRDs that are there when it is read.  others: the other RGDs of its case, whose kinds it may use."""

    key: str
    rgd: dict[str, Any]
    crds: tuple[dict[str, Any], ...]
    others: tuple[dict[str, Any], ...]


@cache
def origins(folder: Path) -> dict[str, Origin]:
    """Every RGD of the corpora below *folder*, accepted or not, by key."""
    found = [*_recorded(folder), *_examples(folder), *_unit_tests(folder)]
    return {origin.key: origin for origin in found}


def _recorded(folder: Path) -> Iterator[Origin]:
    for path in sorted(folder.glob("kro-live/*/*/golden.yaml")):
        case = path.parent
        recording = Recording(case, folder / CRDS)
        if any(not path.exists() for path in recording.crd_paths):
            continue
        crds = _plain([*_crds_of(recording), *(s.value for s in recording.crds.values())])
        seen: list[dict[str, Any]] = []
        for source, refusal in recording.verdicts:
            value = _plain(source.value)
            if refusal is not None or value in seen:
                continue
            seen.append(value)
            kind = recording.kind_of(source)
            others = [s.value for s in recording.inputs.values() if s.kind == RGD and recording.kind_of(s) != kind]
            key = f"{case.relative_to(folder).as_posix()}#{len(seen) - 1}"
            yield Origin(key, value, tuple(crds), tuple(_plain(others)))


def _crds_of(recording: Recording) -> Iterator[Any]:
    for path in recording.crd_paths:
        for file in sorted(path.iterdir()) if path.is_dir() else [path]:
            for source in sources_of(file):
                yield source.value
    for name, value in recording.existing.items():
        if name[:2] == CRD:
            yield value


def _examples(folder: Path) -> Iterator[Origin]:
    for path in sorted(folder.glob(f"{_ONLY_RGDS}/*/rgd*.yaml")):
        for i, source in enumerate(sources_of(path)):
            if source.kind == RGD:
                key = f"{path.relative_to(folder).as_posix()}#{i}"
                yield Origin(key, _plain(source.value), _support(folder), ())


def _unit_tests(folder: Path) -> Iterator[Origin]:
    path = folder / _UNIT_TESTS
    for case in load(path) if path.exists() else []:
        if case["op"] == "build-rgd" and not case.get("not_in_v0_9_3"):
            yield Origin(f"{_UNIT_TESTS}#{case['id']}", _plain(case["input"]["rgd"]), _support(folder), ())


@cache
def _support(folder: Path) -> tuple[dict[str, Any], ...]:
    """The CRDs that lie beside the cases."""
    return tuple(_plain([load(path) for path in sorted((folder / CRDS).glob("*.yaml"))]))


def _plain(value: Any) -> Any:
    """Plain JSON, as the API server gets it."""
    return json.loads(json.dumps(value, ensure_ascii=False, default=str))
