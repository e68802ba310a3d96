"""
OpenAPI schema -> CEL type, and what may stand at a field of that type.

Enters: a structural schema and the name of the variable or resource that it describes.  Leaves: `Type`s, made as deep as an
expression looks.  Not known here: expressions, where schemas come from.

A schema without a type has no CEL type, and a field that has none does not exist for expressions.

Source: kro v0.9.3 pkg/cel/{schemas,types,compatibility}.go; Kubernetes v1.35 apiserver pkg/cel/types.go.
"""

from __future__ import annotations

from krm_fn.cel.stack import deep
from krm_fn.cel.types import (
    ANY,
    BOOL,
    BYTES,
    CONDITION,
    DOUBLE,
    DURATION,
    DYN,
    DYNAMIC,
    INT,
    LIST,
    MAP,
    OBJECT,
    RESERVED_FIELDS,
    RUNTIME,
    STRING,
    TIMESTAMP,
    UNKNOWN,
    ObjectType,
    Type,
    assignable,
    is_optional,
    list_of,
    map_of,
)
from krm_fn.schema.escaping import escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    Schema: TypeAlias = dict[str, Any]

PREFIX = "__type_"
_PRESERVE = "x-kubernetes-preserve-unknown-fields"
_FORMATS = {"byte": BYTES, "date": TIMESTAMP, "date-time": TIMESTAMP, "duration": DURATION}
_SCALARS = {"boolean": BOOL, "number": DOUBLE, "integer": INT}
_EMBEDDED: Schema = {
    "apiVersion": {"type": "string"},
    "kind": {"type": "string"},
    "metadata": {"type": "object", "properties": {"name": {"type": "string"}, "generateName": {"type": "string"}}},
}
"""What every embedded resource has, declared or not."""


def type_of_variable(schema: Schema, name: str) -> Type | None:
    """The type of a variable that has this schema; None where the schema has no CEL type."""
    return type_of_schema(schema, PREFIX + name)


def type_of_schema(schema: Schema, name: str) -> Type | None:
    """
    The type of what a schema describes; None where the schema has no CEL type.

    *name*: of the type, where it is an object; of what is inside, the beginning of the name.
    """
    if schema.get("x-kubernetes-int-or-string") is True:
        return DYNAMIC
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = kind[0] if kind else None
    if kind == "string":
        return _FORMATS.get(schema.get("format", ""), STRING)
    if kind == "object":
        return _type_of_object(schema, name)
    if kind == "array":
        items = schema.get("items")
        element = type_of_schema(_as_root(items), f"{name}.@idx") if isinstance(items, dict) else None
        return None if element is None else list_of(element)
    return _SCALARS.get(kind or "")


def _type_of_object(schema: Schema, name: str) -> Type:
    values = schema.get("additionalProperties")
    if isinstance(values, dict):
        return map_of(STRING, type_of_schema(_as_root(values), f"{name}.@elem") or DYNAMIC)
    return _Declared(name, schema)


def _as_root(schema: Schema) -> Schema:
    if schema.get("x-kubernetes-embedded-resource") is not True:
        return schema
    return {**schema, "type": "object", "properties": {**schema.get("properties", {}), **_EMBEDDED}}


class _Declared(ObjectType):
    """An object's type that reads a field's schema when the field is first asked for."""

    __slots__ = ("_by_name", "_complete", "_properties")

    def __init__(self, name: str, schema: Schema) -> None:
        super().__init__(name, {}, open_ended=schema.get(_PRESERVE) is True)
        self._properties: dict[str, Schema] = schema.get("properties") or {}
        self._by_name: dict[str, str] | None = None
        self._complete = False

    def field(self, name: str) -> Type | None:
        known = self._fields.get(name)
        if known is not None:
            return known
        if self._complete:
            return self.fallback(name)
        if "__" not in name and name in self._properties and name not in RESERVED_FIELDS:
            self._read(name, name)
        else:
            self._read_all()
        return self._fields.get(name) or self.fallback(name)

    @property
    def fields(self) -> dict[str, Type]:
        self._read_all()
        return self._fields

    def _read_all(self) -> None:
        if not self._complete:
            self._complete = True
            for name in self._properties:
                escaped = escape(name)
                if escaped and escaped not in self._fields:
                    self._read(name, escaped)

    def _read(self, name: str, escaped: str) -> None:
        if escape(name):
            made = type_of_schema(_as_root(self._properties[name]), f"{self.name}.{escaped}")
            if made is not None:
                self._fields[escaped] = made


# -- what may stand at a field ------------------------------------------------------------------------------------------


def why_not(output: Type, target: Type) -> str:
    """
    Why a result of type *output* may not stand at a field of type *target*; an empty text where it may.

    Source: kro v0.9.3 pkg/graph/builder.go validateExpressionType.
    """
    return deep(_why_not, output, target)


def _why_not(output: Type, target: Type) -> str:
    return "" if assignable(target, output) else structurally_incompatible(output, target)


def structurally_incompatible(output: Type, target: Type) -> str:
    """
    Why *output* has not the structure of *target*; an empty text where it has. As deep as the types are nested.

    Source: kro v0.9.3 pkg/cel/compatibility.go AreTypesStructurallyCompatible. Its oddities are kept: whatever is neither object nor
    map suits an object, and a map suits a list whose elements are like its keys.
    """
    if target.kind == DYN or (output.kind == DYN and output is not ANY):
        return ""
    if is_optional(output):
        return structurally_incompatible(output.parameters[0], target)
    if target.kind == OBJECT:
        if output.kind == MAP:
            return _map_at_object(output, target)
        return _object_at_object(output, target) if output.kind == OBJECT else ""
    if target.kind == MAP and output.kind == OBJECT:
        return _object_at_map(output, target)
    if target.kind in (LIST, MAP):
        return _parts_differ(output, target)
    return "" if output.kind == target.kind else f"{output} is not {target}"


def _parts_differ(output: Type, target: Type) -> str:
    if len(output.parameters) < len(target.parameters):
        return f"{output} is not {target}"
    for what, own, wanted in zip(_PARTS[target.kind], output.parameters, target.parameters, strict=False):
        if reason := structurally_incompatible(own, wanted):
            return f"{what}: {reason}"
    return ""


_PARTS = {LIST: ("elements",), MAP: ("keys", "values")}


def _fields_of(some: Type) -> dict[str, Type] | None:
    """The fields of an object type that a schema declares; kro does not look at those of its own types."""
    return None if some in (CONDITION, RUNTIME) else some.fields  # type: ignore[attr-defined]


def _object_at_object(output: Type, target: Type) -> str:
    own, wanted = _fields_of(output), _fields_of(target)
    if own is None or wanted is None or target.open_ended:  # type: ignore[attr-defined]
        return ""
    for name, some in own.items():
        if name not in wanted:
            return f"{name!r} is not a field there"
        if reason := structurally_incompatible(some, wanted[name]):
            return f"{name!r}: {reason}"
    return ""


def _map_at_object(output: Type, target: Type) -> str:
    fields = _fields_of(target)
    if fields is None:
        return ""
    key, value = output.parameters
    if key.kind != STRING.kind:
        return f"the keys of {output} are no strings"
    for name, wanted in fields.items():
        if reason := structurally_incompatible(value, wanted):
            return f"{name!r}: {reason}"
    return ""


def _object_at_map(output: Type, target: Type) -> str:
    fields = _fields_of(output)
    if fields is None:
        return ""
    key, value = target.parameters
    if key is not STRING:
        return f"the keys of {target} are no strings"
    for name, own in fields.items():
        if reason := structurally_incompatible(own, value):
            return f"{name!r}: {reason}"
    return ""


# -- what other places ask for --------------------------------------------------------------------------------------------


def is_condition_result(output: Type) -> bool:
    """
    Tell whether includeWhen and readyWhen take the result: bool or an optional bool, but no dyn.

    Source: kro v0.9.3 pkg/cel/conversion/conversions.go IsBoolOrOptionalBool.
    """
    inner = output.parameters[0] if is_optional(output) else output
    return inner.kind == BOOL.kind or inner is UNKNOWN


def element_of(output: Type) -> Type | None:
    """
    The type of what forEach walks; None where the result is no list.

    Source: kro v0.9.3 pkg/cel/environment.go ListElementType, which refuses dyn.
    """
    if output.kind == LIST:
        return output.parameters[0]
    return UNKNOWN if output is UNKNOWN else None


def is_custom_condition(output: Type) -> bool:
    """
    Tell whether status.conditions takes the result: conditions, a list of them, or dyn.

    Source: kro v0.9.3 pkg/graph/builder.go validateConditionOutputType.
    """
    inner = output.parameters[0] if output.kind == LIST else output
    return inner is CONDITION or (inner.kind == DYN and inner is not ANY)
