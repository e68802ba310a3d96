"""
The file with the steps: what users and other controllers do, one step after the other.

Enters: a document.  Leaves: `ScriptStep`s, each with its actions and where they stand.  Raises RenderError with everything that is wrong in it.
Not known here: what the actions do.

    apiVersion: rookery.dev/v1alpha1
    kind: Simulation
    steps:
    - name: the table is there
      set:                       # somebody else changes an object: a merge patch, the status included
      - apiVersion: …
      apply:                     # a user applies an object: an instance, an RGD, anything
      delete:                    # a user deletes one; apiVersion, kind and metadata.name say which

The actions of a step are done in the order in which they stand, and kro then works until nothing changes.
"""

from __future__ import annotations

from krm_fn.inputs import Entry
from krm_fn.report.diagnostic import Diagnostic, RenderError
from krm_fn.report.near import did_you_mean
from krm_fn.simulate.bodies import wrong_metadata
from krm_fn.simulate.simulation import APPLY, DELETE, SET

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from krm_fn.read.yaml import Document

API_VERSION = "rookery.dev/v1alpha1"
KIND = "Simulation"
SCRIPT = ("rookery.dev", KIND)
"""Group and kind."""
MAX_STEPS = 1000
_KEYS = ("apiVersion", "kind", "metadata", "steps")
_VERBS = (APPLY, SET, DELETE)
_STEP_KEYS = ("name", *_VERBS)


class ScriptStep:
    """name: the author's, or "step 2".  actions: verb and object, with its place."""

    __slots__ = ("actions", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.actions: list[tuple[str, Entry]] = []


def read_script(documents: Sequence[Document]) -> list[ScriptStep]:
    """
    The steps of the one document that a steps file holds.

    Errors: `simulation-kind`, `simulation-key`, `simulation-value`.
    """
    reader = _Reader(documents)
    steps = reader.steps()
    if reader.problems:
        raise RenderError(reader.problems)
    return steps


class _Reader:
    def __init__(self, documents: Sequence[Document]) -> None:
        self.problems: list[Diagnostic] = []
        self.documents = documents

    def steps(self) -> list[ScriptStep]:
        if not self.documents:
            self.problems.append(
                Diagnostic("simulation-kind", "the steps file is empty", help=f"it holds one {KIND} of {API_VERSION}")
            )
            return []
        for more in self.documents[1:]:
            self.document = more
            self._say(
                "simulation-kind", "a second document: a steps file holds one", (), "write further steps into the first"
            )
        self.document = self.documents[0]
        value = self.document.value
        kind = (value.get("apiVersion"), value.get("kind")) if isinstance(value, dict) else ()
        if not isinstance(value, dict) or kind != (API_VERSION, KIND):
            named = " ".join(str(part)[:80] for part in kind if part) or "no object"
            wrong = ("kind",) if kind and kind[0] == API_VERSION else ("apiVersion",)
            self._say(
                "simulation-kind",
                f"the steps file is {named}",
                wrong if kind else (),
                f"it begins with apiVersion: {API_VERSION}, kind: {KIND}",
            )
            return []
        self._known(value, (), _KEYS)
        steps = value.get("steps")
        if not isinstance(steps, list) or len(steps) > MAX_STEPS:
            missing = steps is None
            said = "steps are missing" if missing else f"steps is no list of at most {MAX_STEPS:,}"
            self._say("simulation-value", said, ("steps",), "a list; each step has some of name, apply, set, delete")
            return []
        return [self._step(i, step) for i, step in enumerate(steps)]

    def _step(self, number: int, value: Any) -> ScriptStep:
        path: tuple[str | int, ...] = ("steps", number)
        made = ScriptStep(f"step {number + 1}")
        if not isinstance(value, dict):
            self._say("simulation-value", "a step is a mapping", path, "with some of name, apply, set, delete")
            return made
        self._known(value, path, _STEP_KEYS)
        name = value.get("name", made.name)
        if isinstance(name, str) and name and name.isprintable():
            made.name = name
        else:
            self._say("simulation-value", "name of a step is a text of one line", (*path, "name"), "")
        for verb, objects in value.items():
            if verb not in _VERBS:
                continue
            if not isinstance(objects, list):
                self._say("simulation-value", f"{verb} is a list of objects", (*path, verb), "begin each with '-'")
                continue
            for i, body in enumerate(objects):
                if self._is_object(body, (*path, verb, i)):
                    made.actions.append((verb, Entry(self.document, body, (*path, verb, i))))
        return made

    def _is_object(self, body: Any, path: tuple[str | int, ...]) -> bool:
        if not isinstance(body, dict):
            self._say(
                "simulation-value",
                "this is no Kubernetes object",
                path,
                "an object has apiVersion, kind and metadata.name",
            )
            return False
        sound = True
        for field in ("apiVersion", "kind"):
            if not isinstance(body.get(field), str) or not body[field]:
                self._say("simulation-value", f"{field} of this object is missing, or no text", (*path, field), "")
                sound = False
        for _, message, place, advice in wrong_metadata(body):
            self._say("simulation-value", message, (*path, *place), advice)
            sound = False
        return sound

    def _known(self, value: dict[str, Any], path: tuple[str | int, ...], keys: tuple[str, ...]) -> None:
        for key in value:
            if key not in keys:
                advice = did_you_mean(key, keys) or f"there are {', '.join(keys)}"
                self._say(
                    "simulation-key",
                    f"{key[:80]} is no field of a {'step' if path else KIND}",
                    (*path, key),
                    advice,
                    key=True,
                )

    def _say(self, code: str, message: str, path: tuple[str | int, ...], advice: str, *, key: bool = False) -> None:
        from krm_fn.program.template import path_text

        position = self.document.locate(path, key=key)
        span = Entry(self.document, self.document.value).measure(path, position, key=key) if path else 0
        self.problems.append(
            Diagnostic(code, message, position=position, span=span, where=path_text(path), help=advice)
        )
