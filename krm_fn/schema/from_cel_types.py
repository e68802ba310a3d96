"""
CEL types -> OpenAPI: the status schema that follows from an author's expressions.

Enters: the paths of status fields with the types of their expressions.  Leaves: one structural schema, of plain dicts.  Not known
here: expressions, kro's own status fields (`schema.crd` adds them), where a field's type comes from.

What has no schema of its own keeps whatever it is given; so does a field of an unknown type.

Source: kro v0.9.3 pkg/graph/schema/{conversion_cel_type,field_descriptor}.go. Its oddities are kept: a time has a format where it is
a status field by itself and none inside of an object, and an object's fields have the names that expressions know them by.
"""

from __future__ import annotations

from krm_fn.cel.stack import deep
from krm_fn.cel.types import CONDITION, DYN, LIST, MAP, NULL, OBJECT, RUNTIME, TIMESTAMP
from krm_fn.schema.cel_types import NOT_KNOWN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, TypeAlias

    from krm_fn.cel.types import Type

    Schema: TypeAlias = dict[str, Any]
    Path: TypeAlias = tuple[str | int, ...]

_PRESERVE = "x-kubernetes-preserve-unknown-fields"
_SCALARS: dict[str, Schema] = {
    "bool": {"type": "boolean"},
    "int": {"type": "integer"},
    "uint": {"type": "integer"},
    "double": {"type": "number"},
    "string": {"type": "string"},
    "bytes": {"type": "string", "format": "byte"},
    NULL: {"description": "null type - any value allowed", _PRESERVE: True},
}
_LIBRARY_OBJECTS = ("kubernetes.Quantity", "kubernetes.Semver", "kubernetes.URL")
"""Opaque to expressions, and objects of no known fields to kro."""


MAX_FIELDS = 20_000
"""So many fields may objects bring along: a Pod has 1,500, and no API server takes a CRD of 1.5 MB."""
MAX_DEPTH = 100


class StatusTooLarge(Exception):  # noqa: N818 - what the schema is, in the words of the message
    """Objects in the status bring more fields along than a CRD can have, or nest too deep."""


def schema_of_type(found: Type) -> Schema:
    """The schema of a status field whose expression has this type. Errors: StatusTooLarge."""
    return deep(_Maker().schema_of, found)


def status_schema(fields: Iterable[tuple[Path, Type]], *, marked: bool = False) -> Schema:
    """
    The schema of a status with these fields. A number in a path is an index: all elements of a list have one schema.

    *marked*: what takes anything because a schema is not at hand is marked, so that it is held against nobody.

    Where elements of a list differ, the last one counts (`mixed_lists` finds them); kro takes one at random.  Errors: StatusTooLarge.
    """
    root: Schema = {"type": "object", "properties": {}}
    maker = _Maker(marked=marked)
    for path, found in fields:
        _put(root, path, deep(maker.schema_of, found))
    return root


def mixed_lists(fields: Iterable[tuple[Path, Type]]) -> list[tuple[Path, list[str]]]:
    """Each list whose elements have no schema in common, with what they are, in the order of their paths."""
    kinds: dict[Path, dict[str, None]] = {}
    for path, found in fields:
        for i, step in enumerate(path):
            if isinstance(step, int):
                rest = path[i + 1 :]
                kind = _shown(schema_of_type(found)) if not rest else "list" if isinstance(rest[0], int) else "object"
                place = tuple(0 if isinstance(part, int) else part for part in path[:i])
                kinds.setdefault(place, {})[kind] = None
    return [(path, list(found)) for path, found in kinds.items() if len(found) > 1]


def _shown(schema: Schema) -> str:
    kind = {"array": "list"}.get(schema.get("type", ""), schema.get("type", "any"))
    inner = schema.get("items") or schema.get("additionalProperties")
    return f"{kind} of {_shown(inner)}" if isinstance(inner, dict) else str(kind)


def _put(root: Schema, path: Path, leaf: Schema) -> None:
    current = root
    for i, step in enumerate(path):
        if isinstance(step, int):
            current["type"] = "array"
            child = current.setdefault("items", {})
        else:
            current.setdefault("type", "object")
            child = current.setdefault("properties", {}).setdefault(step, {})
        if i == len(path) - 1:
            child.clear()
            child.update(leaf)
        else:
            child.setdefault("type", "object")
        current = child


class _Maker:
    """Makes schemas, and counts the fields that objects bring along: an RGD's status may hold that of another one, twice, and so on."""

    __slots__ = ("_left", "_marked")

    def __init__(self, *, marked: bool = False) -> None:
        self._left = MAX_FIELDS
        self._marked = marked

    def anything(self, found: Type) -> Schema:
        return {_PRESERVE: True, NOT_KNOWN: True} if self._marked and found.tainted else {_PRESERVE: True}

    def schema_of(self, found: Type) -> Schema:
        kind = found.kind
        if kind in _SCALARS:
            return dict(_SCALARS[kind])
        if kind == LIST:
            return {"type": "array", "items": self.schema_of(found.parameters[0])}
        if kind == MAP:
            return {"type": "object", "additionalProperties": self.schema_of(found.parameters[1])}
        if kind == OBJECT and found not in (CONDITION, RUNTIME):
            return self.inside(found, 0)
        if kind == OBJECT or found.name in _LIBRARY_OBJECTS:
            return {"type": "object", "additionalProperties": True}
        if kind == DYN:
            return self.anything(found)
        if found is TIMESTAMP:
            return {"type": "string", "format": "date-time", "description": "Timestamp representing a creation time"}
        return {"description": f"unknown CEL type: {found}", **self.anything(found)}

    def inside(self, found: Type, depth: int) -> Schema:
        """The schema of an object that a schema declares, or of something inside of one."""
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH:
            raise StatusTooLarge
        kind = found.kind
        if kind == OBJECT:
            fields: dict[str, Type] = found.fields  # type: ignore[attr-defined]
            made: Schema = {"type": "object"}
            if fields:
                made["properties"] = {name: self.inside(inner, depth + 1) for name, inner in fields.items()}
            return made
        if kind == LIST:
            return {"type": "array", "items": self.inside(found.parameters[0], depth + 1)}
        if kind == MAP:
            return {"type": "object", "additionalProperties": self.inside(found.parameters[1], depth + 1)}
        return dict(_SCALARS.get(kind) or self.anything(found))
