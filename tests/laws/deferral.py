"""
Many renders of one input, each with other things observed: what every node came to.

Enters: documents.  Leaves: a `Case`: its render with nothing observed, and any number of renders with observations that agree with
it.  Not known here: what must hold of them (`test_truth_of_deferral`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from krm_fn.expand.instance import World, expand_instance
from krm_fn.expand.observed import Observed, identity, matches
from krm_fn.expand.outcome import Expansion, Fault, Faults, Outcome
from krm_fn.pipeline import Options, Rendering
from krm_fn.program.model import Asked, Node
from krm_fn.read.yaml import Document, parse_documents
from krm_fn.report.diagnostic import RenderError
from tests.conformance.live_inputs import Identity, Recording
from tests.laws.observations import Chance, stored

Key = tuple[str, str]
"""Instance, node id."""
_LITERAL = re.compile(r"'([^'\\]*)'|\"([^\"\\]*)\"|\b(\d{1,6})\b")
_ROUNDS = 12
_LONG = 30
_STEP = re.compile(r'\.([^.\[\]"]+)|\["([^"]*)"\]|\[(\d+)\]')


class Spy(Observed):
    """Observed objects that remember what was looked for."""

    __slots__ = ("asked", "selected")

    def __init__(self, objects: Any = (), *, given: bool = True) -> None:
        super().__init__(objects, given=given)
        self.asked: dict[Identity, None] = {}
        self.selected: list[tuple[str, str, str, dict[str, Any]]] = []

    def find(self, key: Identity) -> dict[str, Any] | None:
        self.asked[key] = None
        return super().find(key)

    def select(self, group: str, kind: str, namespace: str, selector: dict[str, Any]) -> list[dict[str, Any]] | None:
        self.selected.append((group, kind, namespace, selector))
        return super().select(group, kind, namespace, selector)


class Result:
    """One render: outcomes by instance and node id, or the faults that ended it; what was looked for."""

    def __init__(self, spy: Spy) -> None:
        self.spy = spy
        self.outcomes: dict[Key, Outcome] = {}
        self.expansions: list[Expansion] = []
        self.faults: list[Fault] = []

    def add(self, expansion: Expansion) -> None:
        self.expansions.append(expansion)
        for name, outcome in expansion.outcomes.items():
            self.outcomes[str(expansion.subject), name] = outcome
            for item in outcome.items:
                if item.nested is not None:
                    self.add(item.nested)


def body(outcome: Outcome) -> str:
    return json.dumps([item.object for item in outcome.items], sort_keys=True, default=str)


class Case:
    """One input, compiled once."""

    def __init__(self, name: str, documents: list[Document], crds: list[Document]) -> None:
        self.name = name
        self.rendering = Rendering(documents, Options(), crds=crds)
        self.roots = [expansion for expansion, _ in self.rendering.batches() if expansion is not None]
        self.is_sound = bool(self.roots) and not self.rendering.findings.has_errors
        self.programs = self.rendering.programs
        texts = json.dumps([document.value for document in documents], default=str, ensure_ascii=False)
        self.literals = sorted(set(literals_of(texts.replace('\\"', '"'))), key=str)[:200]
        self.blind = self.render([], given=False) if self.is_sound else Result(Spy())

    def render(self, objects: list[dict[str, Any]], *, given: bool = True) -> Result:
        result = Result(Spy(objects, given=given))
        world = World(self.programs, self.rendering.admissions.admit_nested, result.spy)
        for root in self.roots:
            try:
                result.add(expand_instance(root.program, root.instance, world))
            except Faults as faults:
                result.faults += faults.faults
        return result

    def observe(
        self, chance: Chance, overrides: dict[Identity, list[tuple[tuple[str | int, ...], Any]]], absent: float
    ) -> Observation:
        return Observation(self, chance, overrides, absent)


class Observation:
    """
    One cluster: an answer for everything that is looked for, found in as many renders as it takes until no new object appears.

    An object that one render makes and another does not is observed once it is made, and stays as it was.
    """

    def __init__(
        self,
        case: Case,
        chance: Chance,
        overrides: dict[Identity, list[tuple[tuple[str | int, ...], Any]]],
        absent: float,
    ) -> None:
        self.case = case
        self.chance = chance
        self.overrides = overrides
        self.absent = absent
        self.objects: dict[Identity, dict[str, Any]] = {}
        self.gone: set[Identity] = set()
        self.listed: set[str] = set()
        self.selected: set[Identity] = set()
        self.result = case.blind
        for _ in range(_ROUNDS):
            if not self._look(self.result):
                break
            self.result = case.render(list(self.objects.values()))
        if self._say_what_is_computed():
            self.result = case.render(list(self.objects.values()))

    def _say_what_is_computed(self) -> bool:
        """A nested instance's status holds what its nodes give, and what a controller says of it besides."""
        given: dict[Identity, dict[str, Any]] = {}
        for expansion in (*self.result.expansions, *self.case.blind.expansions):
            waiting = {path_of(path)[0] for path in expansion.unknown_status}
            known = {field: value for field, value in expansion.status.items() if field not in waiting}
            given.setdefault(identity(expansion.instance), {}).update(known)
        found = False
        for key, seen in self.objects.items():
            if key[:2] in self.case.programs and "status" in seen:
                kept = {
                    field: value for field, value in (seen["status"] or {}).items() if field in ("state", "conditions")
                }
                self.objects[key] = {**seen, "status": {**kept, **given.get(key, {})}}
                found = True
        return found

    def _look(self, result: Result) -> bool:
        """Answer what is new; whether anything was."""
        before = (len(self.objects), len(self.listed), len(self.gone))
        nodes: dict[Identity, Node] = {}
        for outcome in result.outcomes.values():
            for item in outcome.items if not outcome.node.is_external else ():
                key = identity(item.object)
                nodes[key] = outcome.node
                if key not in self.objects:
                    wanted = item.nested.instance if item.nested is not None else item.object
                    schema = outcome.node.schema
                    self._put(key, stored(wanted, schema, tree(outcome.node.asked), self.chance))
        for expansion in result.expansions:
            key = identity(expansion.instance)
            if key not in self.objects:
                self._put(key, stored(expansion.instance, {}, None, self.chance))
        for key in result.spy.asked:
            if key not in self.objects and key not in self.gone:
                if (node := self._external(key[:2])) is None:
                    continue  # the object of a node that this render does not make, or an instance
                if self.chance.random.random() < self.absent:
                    self.gone.add(key)
                else:
                    self._put(key, self._stranger(node, key))
        for group, kind, namespace, selector in result.spy.selected:
            text = json.dumps([group, kind, namespace, selector], sort_keys=True, default=str)
            if text not in self.listed:
                self.listed.add(text)
                node = self._external((group, kind))
                for i in range(self.chance.random.randrange(4) if self.chance.density else 0):
                    assert node is not None
                    key = (group, kind, namespace or "default", f"one-of-many-{len(self.listed)}-{i}")
                    found = self._stranger(node, key)
                    found["metadata"]["labels"] = labels_for(selector)
                    if _is_selected(selector, found):
                        self.selected.add(key)
                        self._put(key, found)
        return before != (len(self.objects), len(self.listed), len(self.gone))

    def _external(self, kind: tuple[str, str]) -> Node | None:
        for program in self.case.programs.values():
            for node in program.nodes.values():
                if node.is_external and (node.group, node.object_kind) == kind:
                    return node
        return None

    def _stranger(self, node: Node, key: Identity) -> dict[str, Any]:
        metadata = {"name": key[3], **({"namespace": key[2]} if key[2] else {})}
        wanted = {"apiVersion": node.api_version, "kind": node.object_kind, "metadata": metadata}
        return stored(wanted, node.schema, tree(node.asked), self.chance)

    def _put(self, key: Identity, found: dict[str, Any]) -> None:
        for path, value in self.overrides.get(key, ()):
            found = with_value(found, path, value)
        self.objects[key] = found


def tree(asked: Asked | None) -> dict[str, Any] | None:
    """The fields that are looked at, as plain data."""
    if asked is None or asked.fields is None:
        return {} if asked is not None else None
    return {field: tree(below) or {} for field, below in asked.fields.items()}


def literals_of(text: str) -> list[Any]:
    """Texts and numbers that an expression may compare with."""
    found: list[Any] = [a or b or int(c) for a, b, c in _LITERAL.findall(text) if a or b or c]
    return [value for value in found if not isinstance(value, str) or len(value) < _LONG]


def labels_for(selector: dict[str, Any]) -> dict[str, str]:
    """Labels that *selector* takes, where it can be told."""
    labels = {str(key): str(value) for key, value in (selector.get("matchLabels") or {}).items()}
    for requirement in selector.get("matchExpressions") or ():
        if requirement.get("operator") in ("In", "Exists"):
            labels[requirement["key"]] = (requirement.get("values") or ["x"])[0]
    return labels


def _is_selected(selector: dict[str, Any], found: dict[str, Any]) -> bool:
    try:
        return matches(selector, found["metadata"]["labels"])
    except ValueError:
        return False  # a selector that no server takes


def path_of(text: str) -> tuple[str, tuple[str | int, ...]]:
    """`node[0].status.x` -> the node and the path below its object."""
    name = re.split(r"[.\[]", text, maxsplit=1)[0]
    steps = [a or b or int(c) for a, b, c in _STEP.findall(text[len(name) :])]
    return name, tuple(steps)


def with_value(value: Any, path: tuple[str | int, ...], new: Any) -> Any:
    """*value* with *new* at *path*, unless something else is there that the path cannot go through."""
    if not path:
        return new
    step = path[0]
    if isinstance(step, int):
        if value is None or value == {}:
            value = []
        if not isinstance(value, list) or step > 20:
            return value
        longer = [*value, *({} for _ in range(step + 1 - len(value)))]
        longer[step] = with_value(longer[step], path[1:], new)
        return longer
    if value is None or value == []:
        value = {}
    if not isinstance(value, dict):
        return value
    return {**value, step: with_value(value.get(step), path[1:], new)}


# -- inputs -------------------------------------------------------------------------------------------------------------


def read(path: Path) -> list[Document]:
    return list(parse_documents(path.read_text(encoding="utf-8"), str(path)))


def cases(folder: Path, crd_folder: Path | None) -> Iterator[Case]:
    """Every input below *folder*: recorded cases, cases without a recording, and packages."""
    for path in sorted({p.parent for p in folder.rglob("*.yaml")}):
        inside = [parent for parent in (path, *path.parents) if (parent / "case.yaml").exists()]
        if inside and inside[-1] != path:
            continue
        found = _case(path, crd_folder)
        if found is not None:
            yield found


def _case(path: Path, crd_folder: Path | None) -> Case | None:
    name = f"{path.parent.name}/{path.name}"
    try:
        if (path / "golden.yaml").exists():
            recording = Recording(path, crd_folder)
            sources = [s for s in recording.inputs.values() if s.identity[3] not in recording.rejected]
            documents = [d for i, s in enumerate(sources) for d in parse_documents(s.text, f"{i}.yaml")]
            crds = [
                d for p in recording.crd_paths for f in (sorted(p.iterdir()) if p.is_dir() else [p]) for d in read(f)
            ]
            crds += [d for i, s in enumerate(recording.crds.values()) for d in parse_documents(s.text, f"crd-{i}.yaml")]
        else:
            inputs = [
                file for file in sorted(path.glob("*.yaml")) if file.name != "case.yaml" and "-assert" not in file.name
            ]
            documents = [d for file in inputs for d in read(file)]
            crds = [d for file in sorted(path.glob("crds/*.yaml")) for d in read(file)]
            told = yaml.safe_load((path / "case.yaml").read_text()) if (path / "case.yaml").exists() else {}
            for file in told.get("kro_crds") or () if crd_folder is not None else ():
                crds += read(crd_folder / file)
        return Case(name, documents, crds)
    except (RenderError, ValueError, OSError, yaml.YAMLError):
        return None
