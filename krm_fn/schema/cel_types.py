"""
OpenAPI schema -> CEL type, and what may stand at a field of that type.

Enters: a structural schema and the name of the variable or resource that it describes.  Leaves: `Type`s, made as deep as an
expression looks.  Not known here: expressions, where schemas come from.

A schema without a type has no CEL type, and a field that has none does not exist for expressions.

sic: kro compares two objects field by field only where it finds both by the names of their types. It registers those of what stands
below a resource or the instance, but not those below the items of a collection, nor those of a field whose path in the template is
not its path in the type (a key of a map, a name that CEL cannot spell). There every object suits (`Root.is_found`).

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
    OPAQUE,
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
    Path: TypeAlias = tuple[str | int, ...]

PREFIX = "__type_"
_PRESERVE = "x-kubernetes-preserve-unknown-fields"
_FORMATS = {"byte": BYTES, "date": TIMESTAMP, "date-time": TIMESTAMP, "duration": DURATION}
_SCALARS = {"boolean": BOOL, "number": DOUBLE, "integer": INT}
NOT_AT_HAND = "x-rookery-not-at-hand"
"""Marks, in our own schemas alone, what has a type that is not known here: `UNKNOWN`, where no mark and no type are no field."""


class Root:
    """
    What all types below one variable share.

    origin: what the schema belongs to, in a person's words.  is_found: whether kro finds the types by their names.  is_closed: as the API
    server's rules see it, which know no field that is not declared; kro's expressions do, of an object that preserves unknown ones.
    """

    __slots__ = ("is_closed", "is_found", "origin")

    def __init__(self, origin: str = "", *, is_found: bool = True, is_closed: bool = False) -> None:
        self.origin = origin
        self.is_found = is_found
        self.is_closed = is_closed


_ROOT = Root()


def type_of_variable(schema: Schema, name: str, root: Root = _ROOT) -> Type | None:
    """The type of a variable that has this schema; None where the schema has no CEL type."""
    return type_of_schema(schema, PREFIX + name, root)


def type_of_items(schema: Schema, name: str, origin: str) -> Type | None:
    """The type of an item of a variable that is a list of objects with this schema; None where the schema has no CEL type."""
    return type_of_schema(schema, f"{PREFIX}{name}.@idx", Root(origin, is_found=False))


def type_of_schema(schema: Schema, name: str, root: Root = _ROOT) -> Type | None:
    """
    The type of what a schema describes; None where the schema has no CEL type.

    *name*: of the type, where it is an object; of what is inside, the beginning of the name.
    """
    if schema.get("x-kubernetes-int-or-string") is True or schema.get("format") == "int-or-string":
        return DYNAMIC
    if NOT_AT_HAND in schema:
        return UNKNOWN
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = kind[0] if kind else None
    if kind == "string":
        return _FORMATS.get(schema.get("format", ""), STRING)
    if kind == "object":
        return _type_of_object(schema, name, root)
    if kind == "array":
        items = schema.get("items")
        element = type_of_schema(_as_root(items), f"{name}.@idx", root) if isinstance(items, dict) else None
        return None if element is None else list_of(element)
    return _SCALARS.get(kind or "")


def _type_of_object(schema: Schema, name: str, root: Root) -> Type:
    values = schema.get("additionalProperties")
    if isinstance(values, dict):
        return map_of(STRING, type_of_schema(_as_root(values), f"{name}.@elem", root) or DYNAMIC)
    return _Declared(name, schema, root)


def _as_root(schema: Schema) -> Schema:
    """An embedded resource with what every object has, unless that is all there. Kubernetes v1.35 WithTypeAndObjectMeta."""
    if schema.get("x-kubernetes-embedded-resource") is not True:
        return schema
    from krm_fn.schema.embedded import resource_properties

    return {**schema, "properties": resource_properties(schema.get("properties") or {})}


class _Declared(ObjectType):
    """An object's type that reads a field's schema when the field is first asked for."""

    __slots__ = ("_complete", "properties", "root")

    def __init__(self, name: str, schema: Schema, root: Root) -> None:
        is_open = not root.is_closed and schema.get(_PRESERVE) is True
        super().__init__(name, {}, open_ended=is_open, origin=root.origin)
        self.root = root
        self.properties: dict[str, Schema] = schema.get("properties") or {}
        self._complete = False

    def field(self, name: str) -> Type | None:
        known = self._fields.get(name)
        if known is not None:
            return known
        if self._complete:
            return self.fallback(name)
        if "__" not in name and name in self.properties and name not in RESERVED_FIELDS:
            self._read(name, name)
        else:
            self._read_all()
        return self._fields.get(name) or self.fallback(name)

    def under_its_name(self, name: str) -> Type | None:
        """The type of a field that expressions spell as the object does; None where there is none."""
        known = self._fields.get(name)
        if known is not None and "__" not in name:
            return known
        return self.field(name) if name in self.properties and escape(name) == name else None

    @property
    def fields(self) -> dict[str, Type]:
        self._read_all()
        return self._fields

    def _read_all(self) -> None:
        if not self._complete:
            self._complete = True
            for name in self.properties:
                escaped = escape(name)
                if escaped and escaped not in self._fields:
                    self._read(name, escaped)

    def _read(self, name: str, escaped: str) -> None:
        if escape(name):
            made = type_of_schema(_as_root(self.properties[name]), f"{self.name}.{escaped}", self.root)
            if made is not None:
                self._fields[escaped] = made


# -- what may stand at a field ------------------------------------------------------------------------------------------


def type_at(schema: Schema, variable: Type | None, name: str, path: Path) -> Type:
    """
    What a field of a template takes; dyn where kro looks no further.

    *schema*: of the resource *name*.  *variable*: its type, where it stands for one object.  *path*: in the template.
    Source: kro v0.9.3 pkg/graph/builder.go expectedTypeForField, pkg/graph/fieldpath.
    """
    spelled = PREFIX + name
    for step in path:
        below: Any
        if isinstance(step, int):
            below = schema.get("items")
            spelled += ".@idx"
            variable = variable.parameters[0] if variable is not None and variable.kind == LIST else None
        elif not step:
            continue  # sic: the key "" is no step of the path that kro reads back
        elif "[" in step or ('"' in step and "." in step):
            return DYNAMIC  # sic: kro cannot read that path back
        else:
            below = field_of(schema, step)
            spelled += f".{step}"
            variable = variable.under_its_name(step) if isinstance(variable, _Declared) else None
        if not isinstance(below, dict):
            return DYNAMIC
        schema = below
    return variable or type_of_schema(schema, spelled, Root(is_found=False)) or DYNAMIC


def field_of(schema: Any, field: str) -> Any:
    """The schema of a field, None where there is none; a list is asked for its items' field. Source: kro's lookupSchemaAtField."""
    while isinstance(schema, dict):
        properties = schema.get("properties") or {}
        if field in properties:
            return properties[field]
        values = schema.get("additionalProperties")
        if isinstance(values, dict):
            return values
        if values is True:
            return {}
        schema = schema.get("items")
    return None


def why_not(output: Type, target: Type) -> str:
    """
    Why a result of type *output* may not stand at a field of type *target*; an empty text where it may.

    Source: kro v0.9.3 pkg/graph/builder.go validateExpressionType.
    """
    return "" if assignable(target, output) else structurally_incompatible(output, target)


def structurally_incompatible(output: Type, target: Type) -> str:
    """
    Why *output* has not the structure of *target*; an empty text where it has. As deep as the types are nested.

    Source: kro v0.9.3 pkg/cel/compatibility.go AreTypesStructurallyCompatible. Its oddities are kept: whatever is neither object nor
    map suits an object, and a map suits a list whose elements are like its keys.
    """
    return deep(_Comparison().compare, output, target)


class _Comparison:
    """One comparison. seen: pairs of objects that were met, so that a schema whose parts are shared is not walked again and again."""

    __slots__ = ("seen",)

    def __init__(self) -> None:
        self.seen: set[tuple[int, int]] = set()

    def compare(self, output: Type, target: Type) -> str:
        if target.kind == DYN or (output.kind == DYN and output is not ANY):
            return ""
        if is_optional(output):
            return self.compare(output.parameters[0], target)
        if target.kind == OBJECT:
            if output.kind == MAP:
                return self.map_at_object(output, target)
            return self.object_at_object(output, target) if output.kind == OBJECT else ""
        if target.kind == MAP and output.kind == OBJECT:
            return self.object_at_map(output, target)
        if target.kind == MAP and output.kind == OPAQUE:
            return ""  # sic: a quantity or an IP is an object of which kro finds no field
        if target.kind in (LIST, MAP):
            return self.parts(output, target)
        return "" if output.kind == target.kind else _differ(output, target)

    def parts(self, output: Type, target: Type) -> str:
        if len(output.parameters) < len(target.parameters):
            return _differ(output, target)
        for what, own, wanted in zip(_PARTS[target.kind], output.parameters, target.parameters, strict=False):
            if reason := self.compare(own, wanted):
                return f"{what}: {reason}"
        return ""

    def object_at_object(self, output: Type, target: Type) -> str:
        if isinstance(output, _Declared) and isinstance(target, _Declared):
            pair = (id(output.properties), id(target.properties))
            if pair[0] == pair[1] or pair in self.seen:
                return ""
            self.seen.add(pair)
        own, wanted = _fields_of(output), _fields_of(target)
        if own is None or wanted is None or target.open_ended:  # type: ignore[attr-defined]
            return ""
        for name, some in own.items():
            if name not in wanted:
                return f"{name!r} is not a field there"
            if reason := self.compare(some, wanted[name]):
                return f"{name!r}: {reason}"
        return ""

    def map_at_object(self, output: Type, target: Type) -> str:
        fields = _fields_of(target)
        if fields is None:
            return ""
        key, value = output.parameters
        if key.kind != STRING.kind:
            return f"the keys of {_named(output)} are no strings"
        for name, wanted in fields.items():
            if reason := self.compare(value, wanted):
                return f"{name!r}: {reason}"
        return ""

    def object_at_map(self, output: Type, target: Type) -> str:
        fields = _fields_of(output)
        if fields is None:
            return ""
        key, value = target.parameters
        if key is not STRING:
            return f"the keys of {_named(target)} are no strings"
        for name, own in fields.items():
            if reason := self.compare(own, value):
                return f"{name!r}: {reason}"
        return ""


_PARTS = {LIST: ("elements",), MAP: ("keys", "values")}


def _fields_of(some: Type) -> dict[str, Type] | None:
    """The fields of an object's type; None where kro does not find them, as those of its own types."""
    if isinstance(some, _Declared) and not some.root.is_found:
        return None
    return None if some in (CONDITION, RUNTIME) else some.fields  # type: ignore[attr-defined]


def _differ(output: Type, target: Type) -> str:
    return f"{_named(output)} is not {_named(target)}"


def _named(some: Type) -> str:
    from krm_fn.cel.check_messages import named

    return named(some)


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
