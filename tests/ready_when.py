"""
Objects on both sides of a readyWhen, and the readyWhen of corpora.

The objects are made of what an expression reads: at each of its paths stands one of its own literals, something near one, something
else, or nothing. So half of them can be on either side of its verdict.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from krm_fn.cel import EvaluationError, compile_, parse, references, to_json
from krm_fn.cel.syntax import Comprehension, Has, Identifier, Index, Literal, Select, children
from tests.schema.corpus import FOLDER

if TYPE_CHECKING:
    from krm_fn.cel.syntax import Node

Json = dict[str, Any]


class ReadyWhen:
    """A readyWhen. name: what it calls the object; empty where it reads nothing."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tree = parse(text)
        found = references(self.tree).roots
        self.roots = tuple(found)
        self.paths = tuple(path for paths in found.values() for path in paths)
        self.name = self.roots[0] if self.roots else ""
        self._run = compile_(self.tree)

    def holds(self, seen: Json) -> bool:
        """Whether kro counts the object as ready."""
        try:
            return to_json(self._run({self.name: seen})) is True
        except EvaluationError:
            return False


def of_corpora(*folders: str) -> Iterator[ReadyWhen]:
    """
    Every readyWhen below the folders, once a text, in order.

    Without those of external references, which are nobody's objects, and of RGDs that kro refuses: they read another node, or all items at once.
    """
    found: set[str] = set()
    for folder in folders:
        for path in sorted(Path(folder).rglob("*")):
            if path.suffix in (".yaml", ".yml", ".json") and "readyWhen" in (found_in := path.read_text("utf-8")):
                for document in _documents(found_in):
                    _collect(document, found)
    for text in sorted(found):
        try:
            made = ReadyWhen(text)
        except ValueError:
            continue
        if len(made.roots) <= 1 and made.name != "schema" and made.name not in made.paths:
            yield made


def _documents(text: str) -> list[Any]:
    try:
        return list(yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except yaml.YAMLError:
        return []


def _collect(value: Any, found: set[str]) -> None:
    if isinstance(value, dict):
        conditions = value.get("readyWhen")
        for each in conditions if isinstance(conditions, list) and "externalRef" not in value else ():
            if isinstance(each, str) and each.strip().startswith("${") and each.strip().endswith("}"):
                found.add(each.strip()[2:-1].strip())
        for below in value.values():
            _collect(below, found)
    elif isinstance(value, list):
        for below in value:
            _collect(below, found)
    elif isinstance(value, str) and "readyWhen" in value and "\n" in value:
        for document in _documents(value):
            if not isinstance(document, str):
                _collect(document, found)


# -- objects ----------------------------------------------------------------------------------------------------------


class Shape:
    """What an expression reads below a place: fields, or the fields of a list's items."""

    def __init__(self) -> None:
        self.fields: dict[str, Shape] = {}
        self.items: Shape | None = None


def balanced(ready_when: ReadyWhen, count: int, seed: int) -> list[tuple[Json, bool]]:
    """
    *count* objects with the verdict on each, as evenly on both sides as the expression allows.

    None has what Lua cannot tell apart: a null from nothing, an empty map from an empty list. Nor a whole number that is a float, which no
    API server hands out.
    """
    chance = random.Random(seed)
    shape = Shape()
    _read(ready_when.tree, {ready_when.name: shape} if ready_when.name else {})
    pool = _pool(ready_when.tree)
    sides: dict[bool, list[Json]] = {True: [], False: []}
    for _ in range(60 * count):
        made = _object(shape, pool, chance)
        side = sides[ready_when.holds(made)]
        if len(side) < count // 2:
            side.append(made)
        if all(len(each) == count // 2 for each in sides.values()):
            break
    return [(made, verdict) for verdict, objects in sides.items() for made in objects]


def _read(node: Node, scope: dict[str, Shape]) -> Shape | None:
    """Note what *node* reads; the place that it stands for, if it is one."""
    if type(node) is Identifier:
        return scope.get(node.name)
    if isinstance(node, Select | Has):
        owner = _read(node.operand, scope)
        return owner.fields.setdefault(node.field, Shape()) if owner else None
    if type(node) is Index:
        owner = _read(node.operand, scope)
        key = node.index.value if type(node.index) is Literal else None
        if owner is None:
            return None
        if isinstance(key, str):
            return owner.fields.setdefault(key, Shape())
        owner.items = owner.items or Shape()
        return owner.items
    if type(node) is Comprehension:
        owner = _read(node.range, scope)
        inner = dict(scope)
        if owner is not None:
            owner.items = owner.items or Shape()
            inner[node.variables[-1].name] = owner.items
        for part in (node.condition, node.body):
            if part is not None:
                _read(part, inner)
        return owner if node.kind == "filter" else None
    variable = getattr(node, "variable", None)
    target = getattr(node, "target", None) or getattr(node, "initial", None)
    if variable is not None and target is not None:
        found = _read(target, scope)
        _read(node.body, {**scope, variable.name: found} if found else scope)  # type: ignore[union-attr]
        return None
    for below in children(node):
        _read(below, scope)
    return _read(target, scope) if target is not None else None


def _pool(tree: Node) -> list[Any]:
    literals: list[Any] = [node.value for node in _all(tree) if type(node) is Literal and node.value is not None]
    near: list[Any] = []
    for value in literals:
        if type(value) is str:
            near += [value + "x", value[:-1], value.upper()]
        elif type(value) is int:
            near += [value + 1, value - 1, str(value)]
    return [*literals, *literals, *near, True, False, 0, 1, 2, 3, 0.5, "x", "", "1", []]


def _all(node: Node) -> Iterator[Node]:
    yield node
    for below in children(node):
        yield from _all(below)


def _object(shape: Shape, pool: list[Any], chance: random.Random) -> Json:
    made: Json = {"metadata": {"name": "a", "generation": 1}}
    last: Any = chance.choice(pool)
    for field, below in shape.fields.items():
        value = _value(below, pool, chance, last)
        if field == "metadata":
            made["metadata"] |= value if isinstance(value, dict) else {}
        elif value is not None:
            made[field] = value
    return made


def _value(shape: Shape, pool: list[Any], chance: random.Random, last: Any) -> Any:
    """Something that may stand there; None for nothing. last: a value that comes up again and again, so that two can be equal."""
    if chance.random() < 0.08:
        return None
    if chance.random() < 0.04:
        return chance.choice(pool)
    if shape.fields:
        found = {field: _value(below, pool, chance, last) for field, below in shape.fields.items()}
        return {field: value for field, value in found.items() if value is not None}
    if shape.items is not None:
        items = [_value(shape.items, pool, chance, last) for _ in range(chance.randrange(4))]
        return [item for item in items if item is not None]
    if chance.random() < 0.1:
        return [chance.choice(pool) for _ in range(chance.randrange(4))]
    return last if chance.random() < 0.3 else chance.choice(pool)


def default_folders() -> list[str]:
    """The corpora of the repository, and the others where they are."""
    own = Path(__file__).parent / "conformance" / "corpora"
    return [str(path) for path in (own, FOLDER) if path.exists()]
