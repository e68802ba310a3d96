"""
Lists that read their items under a schema when they are asked for.

Enters: plain JSON and its shape (`typed_values`).  Leaves: lists to the engine, which finds by `cel_equals`, `cel_add`, `cel_contains` and
`cel_items` what is different about them.  Not known here: schemas.

Python's own content of each is the raw JSON, so that nothing is lost where something looks past the methods here.

sic, all of it: such a list compared with what is none is an error, not false; an index is an int, never another number; what is added to one
is read under its schema, too, so that a time added to times, or a map that the expression wrote, is an item that cannot be read.

Source: kro v0.9.3 pkg/cel/unstructured/valunstructured.go. Differs: the `+` of a set does not change the set.
"""

from __future__ import annotations

from krm_fn.cel.budget import CONTAINER, FAILURE, spend
from krm_fn.cel.equality import equal_to
from krm_fn.cel.errors import BREAKDOWN, NEVER_ABSORBED, EvaluationError
from krm_fn.cel.operators import kind_of, no_overload
from krm_fn.cel.stack import deep
from krm_fn.cel.values import OpenList, Optional, TypeValue, Unknown, Unreadable, WrittenList, merge_unknowns
from krm_fn.schema.typed_containers import TypedMap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, Protocol, TypeAlias

    from krm_fn.cel.values import Value

    Key: TypeAlias = tuple[type, Value]

    class Reader(Protocol):
        """How one value is read, and whether many are read as what they are."""

        def read(self, value: Value) -> Value: ...
        def keeps(self, values: Iterable[Value]) -> bool: ...

    class ListShape(Protocol):
        """How the items of a list are read, and what tells them apart."""

        @property
        def items(self) -> Reader: ...

        def key_of(self, item: dict[str, Any]) -> tuple[Key, ...]: ...


_READ, _KEYED = 4, 10
"""What taking an item out, and finding out what tells it apart, costs of the evaluation's budget."""


class Foreign:
    """A list or map that an expression wrote, as an item of a typed list: only a schema that says nothing can read it."""

    __slots__ = ("value",)

    def __init__(self, value: Value) -> None:
        self.value = value


def comparable(value: Value) -> Key:
    """What tells apart the items of a set, and the keys of a list: a scalar and its type."""
    if isinstance(value, Foreign):
        value = value.value
    if isinstance(value, (list, dict, bytes)):
        message = f"{kind_of(value)} in a set or as a key of a list: only scalars are compared"
        raise EvaluationError(BREAKDOWN, message)
    return type(value), id(value) if type(value).__hash__ is None else value


class TypedList(list):  # type: ignore[type-arg]
    """A list; an item that does not fit is an error when it is read, and spoils no other."""

    __slots__ = ("_is_plain", "_read", "shape")

    def __init__(self, raw: Iterable[Value], shape: ListShape) -> None:
        super().__init__(raw)
        self.shape = shape
        self._is_plain: bool | None = None
        self._read: dict[int, Value] = {}

    @property
    def is_plain(self) -> bool:
        """Whether all items are read as what they are."""
        if self._is_plain is None:
            self._is_plain = self.shape.items.keeps(super().__iter__())
        return self._is_plain

    def raw(self) -> list[Value]:
        """The items unread."""
        return list(super().__iter__())

    def __getitem__(self, at: Any) -> Value:
        found = super().__getitem__(at)
        if isinstance(at, slice):
            return type(self)(found, self.shape)
        if not isinstance(found, (list, dict)):
            return self.shape.items.read(found)
        if at not in self._read:
            self._read[at] = self.shape.items.read(found)
        return self._read[at]

    def __iter__(self) -> Iterator[Value]:
        if self.is_plain:
            return super().__iter__()
        spend(_READ * len(self))
        return map(self.__getitem__, range(len(self)))

    def __contains__(self, item: object) -> bool:
        return any(each == item for each in self)

    def cel_native(self) -> list[Value]:
        """The list as Go has it."""
        return [item.value if type(item) is Foreign else item for item in self.raw()]

    def cel_items(self) -> list[Value]:
        """The items; one that cannot be read is an `Unreadable`."""
        if self.is_plain:
            return self.raw()
        items: list[Value] = []
        spend(_READ * len(self))
        for at in range(len(self)):
            try:
                items.append(self[at])
            except EvaluationError as error:
                if error.kind in NEVER_ABSORBED:
                    raise
                items.append(Unreadable(error))
        return items

    def cel_equals(self, other: Value) -> bool | Unknown:
        """`self == other`."""
        if not isinstance(other, list):
            no_overload("==", self, other)
        if type(other) is OpenList:
            return Unknown(other.path)
        if len(self) != len(other):
            return False
        spend(CONTAINER + 2 * _KEYED * len(other))
        return deep(self.equals, other)

    def equals(self, other: list[Value]) -> bool | Unknown:
        """The same for a list of as many items."""
        unknown: Unknown | None = None
        for own, its in zip(self, _items_of(other), strict=True):
            if type(its) is Unreadable and isinstance(own, (list, dict)):
                raise its.error
            equal = equal_to(own, its)
            if equal is False:
                return False
            if equal is not True:
                unknown = _merged(unknown, equal)
        return True if unknown is None else unknown

    def cel_contains(self, sought: Value) -> bool | Unknown:
        """`sought in self`: one equal item is enough; if there is none, what cannot be compared counts."""
        spend(CONTAINER + 4 * len(self))
        unknown: Unknown | None = None
        failure: EvaluationError | None = None
        for item in self.cel_items():
            if type(item) is Unreadable:
                failure = failure or item.error
                continue
            try:
                equal = equal_to(item, sought)
            except EvaluationError as error:
                if error.kind in NEVER_ABSORBED:
                    raise
                spend(FAILURE)
                failure = failure or error
                continue
            if equal is True:
                return True
            if equal is not False:
                unknown = _merged(unknown, equal)
        if unknown is None and failure is not None:
            raise failure
        return False if unknown is None else unknown

    def cel_add(self, other: Value) -> TypedList | Unknown:
        """`self + other`."""
        if not isinstance(other, list):
            no_overload("+", self, other)
        if type(other) is OpenList:
            return Unknown(other.path)
        spend(CONTAINER + _KEYED * (len(self) + len(other)))
        natives = _natives(other)
        unknown = next((each for each in natives if type(each) is Unknown), None)
        return type(self)(self.joined(natives), self.shape) if unknown is None else unknown

    def joined(self, natives: list[Value]) -> list[Value]:
        """The items unread, and those of the other list as Go has them."""
        return [*self.raw(), *natives]


def _merged(first: Unknown | None, second: Unknown) -> Unknown:
    return second if first is None else merge_unknowns(first, second)


def _items_of(other: list[Value]) -> list[Value]:
    return other.cel_items() if isinstance(other, TypedList) else other


def _natives(other: list[Value]) -> list[Value]:
    """What Go has behind the items of a list, which is what a schema is asked to read."""
    written = type(other) is WrittenList
    return [_native(item, written=written) for item in _items_of(other)]


def _native(item: Value, *, written: bool) -> Value:
    while type(item) is Optional:
        item = item.value
    if isinstance(item, TypedMap):
        return Foreign(item) if item.raw is None else item.raw
    if isinstance(item, TypedList):
        return item.raw()
    if type(item) is TypeValue:
        return item.name
    return Foreign(item) if written and isinstance(item, (list, dict)) else item


class SetList(TypedList):
    """A list with x-kubernetes-list-type set: `==` does not look at the order, `+` adds what is not there."""

    __slots__ = ()

    def equals(self, other: list[Value]) -> bool | Unknown:
        own = set(map(comparable, self.raw()))
        unknown: Unknown | None = None
        for native in _natives(other):
            if type(native) is Unknown:
                unknown = _merged(unknown, native)
            elif comparable(native) not in own:
                return False
        return True if unknown is None else unknown

    def joined(self, natives: list[Value]) -> list[Value]:
        raw = self.raw()
        own = set(map(comparable, raw))
        for native in natives:
            key = comparable(native)
            if key not in own:
                own.add(key)
                raw.append(native)
        return raw


class KeyedList(TypedList):
    """A list with x-kubernetes-list-type map: `==` compares items of one key, `+` replaces them. What is no object has no key."""

    __slots__ = ()

    def _by_key(self) -> dict[tuple[Key, ...], int]:
        raw = self.raw()
        return {self.shape.key_of(item): at for at, item in enumerate(raw) if isinstance(item, dict)}

    def equals(self, other: list[Value]) -> bool | Unknown:
        places = self._by_key()
        unknown: Unknown | None = None
        for item, native in zip(_items_of(other), _natives(other), strict=True):
            equal: bool | Unknown = False
            if type(native) is Unknown:
                equal = native
            elif isinstance(native, dict):
                at = places.get(self.shape.key_of(native))
                equal = at is not None and equal_to(self[at], item)
            if equal is False:
                return False
            if equal is not True:
                unknown = _merged(unknown, equal)
        return True if unknown is None else unknown

    def joined(self, natives: list[Value]) -> list[Value]:
        places = self._by_key()
        raw = self.raw()
        for native in natives:
            at = places.get(self.shape.key_of(native)) if isinstance(native, dict) else None
            if at is None:
                raw.append(native)
            else:
                raw[at] = native
        return raw
