"""
Maps and lists that read their data under a schema when it is asked for.

Enters: plain JSON and its shape (`typed_values`).  Leaves: dicts and lists to the engine, which finds by `cel_equals`, `cel_add`,
`cel_merge` and `raw` what is different about them.  Not known here: schemas.

Python's own content of each is the raw JSON, so that nothing is lost where something looks past the methods here.

Source: kro v0.9.3 pkg/cel/unstructured/valunstructured.go, Kubernetes v1.35.0 apiserver pkg/cel/escaping.go.
"""

from __future__ import annotations

from krm_fn.cel.errors import NO_SUCH_OVERLOAD, EvaluationError
from krm_fn.cel.operators import kind_of, no_overload, same
from krm_fn.cel.stack import deep
from krm_fn.cel.values import OpenList, OpenMap, SettledMap, Unknown, merge_unknowns
from krm_fn.schema.escaping import escape, unescape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, Protocol

    from krm_fn.cel.values import Value

    class Reader(Protocol):
        """How one value is read."""

        def read(self, value: Value) -> Value: ...

    class MapShape(Protocol):
        """How the values of a map are read; None for one that is as it is."""

        def child(self, key: str) -> Reader | None: ...

    class ListShape(Protocol):
        """How the items of a list are read, and what tells them apart."""

        @property
        def items(self) -> Reader: ...

        def key_of(self, item: dict[str, Any]) -> tuple[tuple[type, Value], ...]: ...


_ABSENT = object()


# -- maps -----------------------------------------------------------------------------------------------------------------


class TypedMap(dict):  # type: ignore[type-arg]
    """
    A map that reads a value when it is asked for.

    raw: the JSON behind it, which is what a field gets; None where it was made by an expression.
    """

    __slots__ = ("raw", "shape")

    def __init__(self, raw: dict[str, Any], shape: MapShape) -> None:
        super().__init__(raw)
        self.raw: dict[str, Any] | None = raw
        self.shape = shape

    def __getitem__(self, key: str) -> Value:
        child = self.shape.child(key)
        value = super().__getitem__(key)
        return value if child is None else child.read(value)

    def get(self, key: str, default: Value = None) -> Value:
        return self[key] if key in self else default  # noqa: SIM401 - this is get

    def __iter__(self) -> Iterator[str]:
        # Defined, so that Python's shortcuts for dicts do not pass by what is read here.
        return super().__iter__()

    def keys(self) -> list[str]:  # type: ignore[override]
        return list(self)

    def values(self) -> list[Value]:  # type: ignore[override]
        return [self[key] for key in self]

    def items(self) -> list[tuple[str, Value]]:  # type: ignore[override]
        return [(key, self[key]) for key in self]

    def shapes(self) -> Iterator[tuple[str, Value, Reader | None]]:
        """Each key with what is behind it, unread, and how it is read."""
        for key in self:
            yield key, super().__getitem__(key), self.shape.child(key)

    @staticmethod
    def cel_merge(first: dict[str, Value], second: dict[str, Value]) -> TypedMap:
        """`first.merge(second)`, one of them typed; nothing is read yet."""
        content: dict[str, Value] = {}
        shapes: dict[str, Reader | None] = {}
        for part in (first, second):
            for key, value, shape in part.shapes() if isinstance(part, TypedMap) else _unshaped(part):
                content[key], shapes[key] = value, shape
        merged = TypedMap(content, _Merged(shapes))
        merged.raw = None
        return merged


class TypedSettledMap(SettledMap):
    """The same for a settled map: a key that it lacks is unknown, and taken whole it is what is desired."""

    __slots__ = ("raw", "shape")

    def __init__(self, raw: SettledMap, shape: MapShape) -> None:
        super().__init__(raw, raw.path)
        self.raw: dict[str, Any] = dict(raw)
        self.shape = shape

    def __getitem__(self, key: str) -> Value:
        child = self.shape.child(key)
        value = super().__getitem__(key)
        return value if child is None else child.read(value)

    def __iter__(self) -> Iterator[str]:
        return super().__iter__()

    def get(self, key: str, default: Value = None) -> Value:
        return self[key] if key in self else default  # noqa: SIM401 - this is get

    def values(self) -> list[Value]:  # type: ignore[override]
        return [self[key] for key in self]

    def items(self) -> list[tuple[str, Value]]:  # type: ignore[override]
        return [(key, self[key]) for key in self]


def _unshaped(part: dict[str, Value]) -> Iterator[tuple[str, Value, None]]:
    for key, value in part.items():
        yield key, value, None


class _Merged:
    """The shape of a merged map: to each key its own."""

    __slots__ = ("_shapes",)

    def __init__(self, shapes: dict[str, Reader | None]) -> None:
        self._shapes = shapes

    def child(self, key: str) -> Reader | None:
        return self._shapes.get(key)


class TypedObject(TypedMap):
    """An object with properties: names are escaped, and a null counts as missing."""

    __slots__ = ()

    def __init__(self, raw: dict[str, Any], shape: MapShape) -> None:
        super().__init__(raw, shape)
        for key in [key for key, value in raw.items() if value is None]:
            del self[key]

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and super().__contains__(unescape(key))

    def __getitem__(self, key: str) -> Value:
        return super().__getitem__(unescape(key))

    def __iter__(self) -> Iterator[str]:
        return iter([escape(name) or name for name in super().__iter__()])

    def shapes(self) -> Iterator[tuple[str, Value, Reader | None]]:
        for key in self:
            name = unescape(key)
            yield key, dict.__getitem__(self, name), self.shape.child(name)

    def cel_equals(self, other: Value) -> bool | Unknown:
        """`self == other`, which must be a map."""
        if isinstance(other, OpenMap):
            return same(other, self, 0)
        if not isinstance(other, dict):
            if other is None:
                return False
            no_overload("==", self, other)
        return deep(self._equals, other)

    def _equals(self, other: dict[str, Value]) -> bool | Unknown:
        mine: dict[str, Value] = self.raw or {}
        theirs: dict[str, Value] = (other.raw if isinstance(other, TypedMap) else None) or other
        if len(mine) != len(theirs):
            return False
        unknown: Unknown | None = None
        for key, value in mine.items():
            if self.shape.child(key) is None:
                # sic: what no schema describes is compared unread, and only where both have it.
                if not isinstance(other, TypedMap):
                    no_overload("==", self, other)
                equal = same(value, theirs[key], 0) if key in theirs else True
            else:
                own, its = self.get(key, _ABSENT), other.get(key, _ABSENT)
                equal = own is its if own is _ABSENT or its is _ABSENT else same(own, its, 0)
            if equal is False:
                return False
            if equal is not True:
                unknown = equal if unknown is None else merge_unknowns(unknown, equal)
        return True if unknown is None else unknown


# -- lists ----------------------------------------------------------------------------------------------------------------


def comparable(value: Value) -> tuple[type, Value]:
    """What tells apart the items of a set, and the keys of a list: a scalar and its type."""
    if isinstance(value, (list, dict)):
        raise EvaluationError(
            NO_SUCH_OVERLOAD, f"{kind_of(value)} in a set or as a key of a list: only scalars are compared"
        )
    return type(value), value


class WrongList(list):  # type: ignore[type-arg]
    """A list with an item that does not fit: the error is that item's, when it is read."""

    __slots__ = ("shape",)

    def __init__(self, raw: Iterable[Value], shape: ListShape) -> None:
        super().__init__(raw)
        self.shape = shape

    def __getitem__(self, at: Any) -> Value:
        found = super().__getitem__(at)
        return WrongList(found, self.shape) if isinstance(at, slice) else self.shape.items.read(found)

    def __iter__(self) -> Iterator[Value]:
        return map(self.shape.items.read, super().__iter__())

    def __contains__(self, item: object) -> bool:
        return any(each == item for each in self)

    def _raw(self) -> list[Value]:
        """The items unread."""
        return list(super().__iter__())


class SetList(WrongList):
    """A list with x-kubernetes-list-type set: `==` does not look at the order, `+` adds what is not there."""

    __slots__ = ()

    def cel_equals(self, other: Value) -> bool | Unknown:
        if not isinstance(other, list):
            no_overload("==", self, other)
        if type(other) is OpenList:
            return Unknown(other.path)
        if len(self) != len(other):
            return False
        own = set(map(comparable, self._raw()))
        missing = [item for item in other if type(item) is Unknown or comparable(item) not in own]
        if any(type(item) is not Unknown for item in missing):
            return False
        return _all_unknown(missing) if missing else True

    def cel_add(self, other: Value) -> SetList | Unknown:
        if not isinstance(other, list):
            no_overload("+", self, other)
        if type(other) is OpenList:
            return Unknown(other.path)
        raw = self._raw()
        own = set(map(comparable, raw))
        for item in other:
            if type(item) is Unknown:
                return item
            key = comparable(item)
            if key not in own:
                own.add(key)
                raw.append(item)
        return SetList(raw, self.shape)


def _all_unknown(values: list[Unknown]) -> Unknown:
    merged = values[0]
    for value in values[1:]:
        merged = merge_unknowns(merged, value)
    return merged


class KeyedList(WrongList):
    """
    A list with x-kubernetes-list-type map: `==` compares items of one key, `+` replaces them.

    sic: only objects that a schema describes have keys; a map that the expression wrote is like no item.
    """

    __slots__ = ()

    def cel_equals(self, other: Value) -> bool | Unknown:
        if not isinstance(other, list):
            no_overload("==", self, other)
        if type(other) is OpenList:
            return Unknown(other.path)
        return len(self) == len(other) and deep(self._equals, other)

    def _equals(self, other: list[Value]) -> bool | Unknown:
        own = {self.shape.key_of(item): item for item in self._raw() if isinstance(item, dict)}
        unknowns: list[Unknown] = []
        for item in other:
            if type(item) is Unknown:
                unknowns.append(item)
                continue
            mine = own.get(self.shape.key_of(item.raw or {})) if isinstance(item, TypedMap) else None
            equal = mine is not None and same(self.shape.items.read(mine), item, 0)
            if equal is False:
                return False
            if equal is not True:
                unknowns.append(equal)
        return _all_unknown(unknowns) if unknowns else True

    def cel_add(self, other: Value) -> KeyedList | Unknown:
        if not isinstance(other, list):
            no_overload("+", self, other)
        if type(other) is OpenList:
            return Unknown(other.path)
        raw = self._raw()
        places = {self.shape.key_of(item): at for at, item in enumerate(raw) if isinstance(item, dict)}
        for item in other:
            if type(item) is Unknown:
                return item
            if not isinstance(item, TypedMap) or item.raw is None:
                message = f"list + {kind_of(item)}: a list with keys takes objects that a schema describes"
                raise EvaluationError(NO_SUCH_OVERLOAD, message)
            at = places.get(self.shape.key_of(item.raw))
            if at is None:
                raw.append(item.raw)
            else:
                raw[at] = item.raw
        return KeyedList(raw, self.shape)
