"""
Plain JSON as expressions see it under its OpenAPI schema: `byte` is bytes, `date-time` a timestamp, a set has no order.

Enters: a schema, once; then data.  Leaves: values.  Not known here: expressions, kinds, where data and schemas come from.

How it works. `shape_of` makes a `Shape` of a schema; the shapes of its parts are made when something there is first read. Data
that has no schema, such as an object without properties, is given back as it is. Else:
* an object with properties, and a map, become a `TypedMap`: a dict that reads a value when it is asked for;
* a list becomes a `TypedList`, or a `SetList` or `KeyedList` where its schema says so: lists that read an item when it is asked for;
* what nobody has observed (an open map or list) is read at once, but for a settled map; wrong data in it is unknown, since no server
  would store it.

Source: kro v0.9.3 pkg/cel/unstructured/valunstructured.go, Kubernetes v1.35.0 apiserver pkg/cel/escaping.go.
"""

from __future__ import annotations

from krm_fn.cel.budget import FAILURE, spend
from krm_fn.cel.errors import BAD_CONVERSION, NEVER_ABSORBED, EvaluationError
from krm_fn.cel.operators import INT_MAX, INT_MIN, kind_of
from krm_fn.cel.values import OpenList, OpenMap, SettledMap, Unknown, join_path
from krm_fn.schema.escaping import escape
from krm_fn.schema.typed_containers import TypedMap, TypedObject, TypedSettledMap
from krm_fn.schema.typed_lists import Foreign, KeyedList, SetList, TypedList, comparable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, TypeAlias

    from krm_fn.cel.values import Path, Value

    Schema: TypeAlias = dict[str, Any]

_NULL = type(None)
_NUMBER, _FORMATTED = 3, 60
"""What making a number or what a format says of a value costs of the evaluation's budget, at each reading."""


def typed(value: Value, schema: Schema) -> Value:
    """*value* under *schema*. Errors: EvaluationError(BAD_CONVERSION) for what does not fit. Many values: `shape_of`, once."""
    return shape_of(schema).read(value)


def shape_of(schema: Schema) -> Shape:
    """How data of *schema* is read."""
    if schema.get("x-kubernetes-int-or-string") is True:
        return _Scalar(schema, "integer or string", (int, str))
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = kind[0] if kind else None
    make = _MAKERS.get(kind or "")
    if make is not None:
        return make(schema)
    if schema.get("x-kubernetes-preserve-unknown-fields") is True or _is_quantity(schema):
        return _Free(schema)
    return _Unreadable(schema)


def _is_quantity(schema: Schema) -> bool:
    kinds = [each.get("type") for each in schema.get("oneOf") or ()]
    return sorted(map(str, kinds)) == ["number", "string"]


def _wrong(what: str, value: Value) -> EvaluationError:
    spend(2 * FAILURE)  # it may be kept until the item is asked for
    return EvaluationError(BAD_CONVERSION, f"{'null' if value is None else kind_of(value)} where its schema has {what}")


class Shape:
    """How data of one schema is read.  plain: the classes whose values mean what they say."""

    __slots__ = ("nullable", "plain", "schema", "what")

    def __init__(self, schema: Schema, what: str, plain: Iterable[type] = ()) -> None:
        self.schema = schema
        self.what = what
        self.nullable = schema.get("nullable") is True
        self.plain = frozenset((*plain, Unknown, *((_NULL,) if self.nullable else ())))

    def keeps(self, values: Iterable[Value]) -> bool:
        """Whether all *values* are read as what they are."""
        return self.plain.issuperset(map(type, values))

    def read(self, value: Value) -> Value:
        """*value* as expressions see it. Errors: EvaluationError(BAD_CONVERSION)."""
        return value if type(value) in self.plain else self.convert(value)

    def convert(self, value: Value) -> Value:
        """The same for what is not plain."""
        raise _wrong(self.what, value)


class _Scalar(Shape):
    """A string, boolean, or integer or string; nothing to convert."""

    __slots__ = ()


class _Integer(Shape):
    __slots__ = ()

    def convert(self, value: Value) -> Value:
        spend(_NUMBER)
        if type(value) is float and value.is_integer() and INT_MIN <= value <= INT_MAX:
            return int(value)
        raise _wrong(self.what, value)


class _Number(Shape):
    __slots__ = ()

    def convert(self, value: Value) -> Value:
        spend(_NUMBER)
        if type(value) is int:
            return float(value)
        raise _wrong(self.what, value)


class _Text(Shape):
    """A string whose format makes something else of it."""

    __slots__ = ()

    def convert(self, value: Value) -> Value:
        if type(value) is not str:
            raise _wrong(self.what, value)
        spend(_FORMATTED + len(value))
        from krm_fn.schema.formats import READERS

        return READERS[self.schema["format"]](value)


class _Free(Shape):
    """Data that no schema describes."""

    __slots__ = ()

    def __init__(self, schema: Schema, what: str = "anything but null") -> None:
        super().__init__(schema, what)

    def keeps(self, values: Iterable[Value]) -> bool:
        kinds = set(map(type, values))
        return Foreign not in kinds and (self.nullable or _NULL not in kinds)

    def convert(self, value: Value) -> Value:
        if value is None:
            raise _wrong(self.what, value)
        return value.value if type(value) is Foreign else value


class _Unreadable(Shape):
    """A schema without a type: kro reads nothing there."""

    __slots__ = ()

    def __init__(self, schema: Schema) -> None:
        super().__init__(schema, "no type")


class _FreeObject(Shape):
    """An object without a schema for its fields."""

    __slots__ = ()

    def convert(self, value: Value) -> Value:
        if not isinstance(value, dict):
            raise _wrong(self.what, value)
        return value


class _Map(Shape):
    """A map whose values have one schema."""

    __slots__ = ("_values",)

    def __init__(self, schema: Schema) -> None:
        super().__init__(schema, "map")
        self._values: Shape | None = None

    @property
    def values(self) -> Shape:
        if self._values is None:
            self._values = shape_of(self.schema["additionalProperties"])
        return self._values

    def child(self, _: str) -> Shape | None:
        return self.values

    def convert(self, value: Value) -> Value:
        if not isinstance(value, dict):
            raise _wrong(self.what, value)
        if isinstance(value, OpenMap):
            if self.values.keeps(value.values()):
                return value
            return TypedSettledMap(value, self) if isinstance(value, SettledMap) else _read_open(self, value)
        return TypedMap(value, self)


class _Object(Shape):
    """An object with properties; a field that is not among them is as it is."""

    __slots__ = ("_children", "properties")

    def __init__(self, schema: Schema) -> None:
        super().__init__(schema, "object")
        self.properties: dict[str, Schema] = schema.get("properties") or {}
        if schema.get("x-kubernetes-embedded-resource") is True:
            from krm_fn.schema.embedded import resource_properties

            self.properties = resource_properties(self.properties)
        self._children: dict[str, Shape] = {}

    def child(self, name: str) -> Shape | None:
        known = self._children.get(name)
        if known is None and name in self.properties:
            known = self._children[name] = shape_of(self.properties[name])
        return known

    def convert(self, value: Value) -> Value:
        if not isinstance(value, dict):
            raise _wrong(self.what, value)
        if isinstance(value, SettledMap):
            return TypedSettledMap(value, self)
        return _read_open(self, value) if isinstance(value, OpenMap) else TypedObject(value, self)


_LISTS: dict[str, type[TypedList]] = {"atomic": TypedList, "set": SetList, "map": KeyedList}


class _List(Shape):
    __slots__ = ("_items", "keys")

    def __init__(self, schema: Schema) -> None:
        super().__init__(schema, "list")
        self._items: Shape | None = None
        self.keys: tuple[str, ...] | None = None

    @property
    def items(self) -> Shape:
        if self._items is None:
            items = self.schema.get("items")
            if not isinstance(items, dict):
                raise EvaluationError(BAD_CONVERSION, "a list whose schema has no items cannot be read")
            self._items = shape_of(items)
        return self._items

    def convert(self, value: Value) -> Value:
        if not isinstance(value, list):
            raise _wrong(self.what, value)
        items = self.items
        order = self.schema.get("x-kubernetes-list-type") or "atomic"
        if order not in _LISTS:
            raise EvaluationError(BAD_CONVERSION, f"{order!r} is no type of list")
        if isinstance(value, OpenList):
            path = value.path
            return type(value)([_read_or_wait(items, item, join_path(path, i)) for i, item in enumerate(value)], path)
        return _LISTS[order](value, self)

    def key_of(self, item: dict[str, Any]) -> tuple[tuple[type, Value], ...]:
        """What tells the items of a keyed list apart. sic: a key whose name must be escaped is looked for by that name."""
        if self.keys is None:
            self.keys = tuple(escape(key) or key for key in self.schema.get("x-kubernetes-list-map-keys") or ())
        return tuple(comparable(item.get(key)) for key in self.keys)


def _read_or_wait(shape: Shape | None, value: Value, path: Path) -> Value:
    try:
        return value if shape is None else shape.read(value)
    except EvaluationError as error:
        if error.kind in NEVER_ABSORBED:
            raise
        return Unknown(path)


def _read_open(shape: _Map | _Object, value: OpenMap) -> OpenMap:
    path = value.path
    content = {key: _read_or_wait(shape.child(key), child, join_path(path, key)) for key, child in value.items()}
    return OpenMap(content, path, value.absent)


def _string(schema: Schema) -> Shape:
    if schema.get("format"):
        from krm_fn.schema.formats import READERS

        if schema["format"] in READERS:
            return _Text(schema, f"string ({schema['format']})")
    return _Scalar(schema, "string", (str,))


def _object(schema: Schema) -> Shape:
    if "properties" in schema or schema.get("x-kubernetes-embedded-resource") is True:
        return _Object(schema)
    return _Map(schema) if isinstance(schema.get("additionalProperties"), dict) else _FreeObject(schema, "object")


_MAKERS: dict[str, Callable[[Schema], Shape]] = {
    "string": _string,
    "object": _object,
    "array": _List,
    "boolean": lambda schema: _Scalar(schema, "boolean", (bool,)),
    "integer": lambda schema: _Integer(schema, "integer", (int,)),
    "number": lambda schema: _Number(schema, "number", (float,)),
}
