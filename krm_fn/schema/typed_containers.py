"""
Maps that read their values under a schema when they are asked for.

Enters: plain JSON and its shape (`typed_values`).  Leaves: dicts to the engine, which finds by `cel_equals`, `cel_find`, `cel_merge`,
`cel_items` and `raw` what is different about them.  Not known here: schemas; lists (`typed_lists`).

Python's own content of each is the raw JSON, so that nothing is lost where something looks past the methods here.

Source: kro v0.9.3 pkg/cel/unstructured/valunstructured.go, Kubernetes v1.35.0 apiserver pkg/cel/escaping.go.
"""

from __future__ import annotations

from krm_fn.cel.budget import CONTAINER, spend
from krm_fn.cel.equality import equal_to, same
from krm_fn.cel.errors import NEVER_ABSORBED, NO_SUCH_KEY, NO_SUCH_OVERLOAD, EvaluationError
from krm_fn.cel.operators import kind_of, no_overload
from krm_fn.cel.stack import deep
from krm_fn.cel.values import OpenMap, SettledMap, TypeValue, Unknown, Unreadable, merge_unknowns
from krm_fn.schema.escaping import escape, unescape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Protocol

    from krm_fn.cel.values import Value

    class Reader(Protocol):
        """How one value is read."""

        def read(self, value: Value) -> Value: ...

    class MapShape(Protocol):
        """How the values of a map are read; None for one that is as it is."""

        def child(self, key: str) -> Reader | None: ...


_ABSENT = object()
_READ, _COMPARED = 8, 12
"""What taking a value out, and comparing it, costs of the evaluation's budget, beside reading it."""


class TypedMap(dict):  # type: ignore[type-arg]
    """
    A map that reads a value when it is asked for.

    raw: the JSON behind it, which is what a field gets; None where it was made by an expression.
    """

    __slots__ = ("_read", "raw", "shape")

    def __init__(self, raw: dict[str, Any], shape: MapShape) -> None:
        super().__init__(raw)
        self.raw: dict[str, Any] | None = raw
        self.shape = shape
        self._read: dict[str, Value] = {}

    def __getitem__(self, key: str) -> Value:
        found = self._read.get(key, _ABSENT)
        if found is _ABSENT:
            found = self.look(key)
            if isinstance(found, (list, dict)):
                self._read[key] = found
        return found

    def look(self, key: str) -> Value:
        """Read the value under a key. Errors: KeyError."""
        value = super().__getitem__(key)
        child = self.shape.child(key)
        return value if child is None else child.read(value)

    def get(self, key: str, default: Value = None) -> Value:
        return self[key] if key in self else default  # noqa: SIM401 - this is get

    def __iter__(self) -> Iterator[str]:
        # Defined, so that Python's shortcuts for dicts do not pass by what is read here.
        return super().__iter__()

    def keys(self) -> list[str]:  # type: ignore[override]
        return list(self)

    def values(self) -> list[Value]:  # type: ignore[override]
        return [self.at(key) for key in self]

    def items(self) -> list[tuple[str, Value]]:  # type: ignore[override]
        return [(key, self.at(key)) for key in self]

    def at(self, key: str) -> Value:
        """The value under a key that the map lists. Errors: NO_SUCH_KEY where it is null, and nulls are as good as missing."""
        try:
            return self[key]
        except KeyError:
            raise EvaluationError(NO_SUCH_KEY, f"{key!r}: no such key") from None

    def cel_native(self) -> dict[str, Value]:
        """The map as Go has it."""
        return self if self.raw is None else self.raw

    def cel_items(self) -> list[tuple[str, Value]]:
        """The entries in the order of their keys; a value that cannot be read is an `Unreadable`."""
        entries: list[tuple[str, Value]] = []
        spend(_READ * len(self))
        for key in sorted(self):
            try:
                entries.append((key, self.at(key)))
            except EvaluationError as error:
                if error.kind in NEVER_ABSORBED:
                    raise
                entries.append((key, Unreadable(error)))
        return entries

    def cel_find(self, key: Value, absent: Value) -> Value:
        """The value under a key that is no string: sic, the text of that key is looked for."""
        return self.get(_text_of(key), absent)

    def shapes(self) -> Iterator[tuple[str, Value, Reader | None]]:
        """Each key with what is behind it, unread, and how it is read."""
        for key in self:
            yield key, super().__getitem__(key), self.shape.child(key)

    @staticmethod
    def cel_merge(first: dict[str, Value], second: dict[str, Value]) -> TypedMap:
        """`first.merge(second)`, one of them typed; nothing is read yet."""
        spend(_READ * (len(first) + len(second)))
        content: dict[str, Value] = {}
        shapes: dict[str, Reader | None] = {}
        for part in (first, second):
            for key, value, shape in part.shapes() if isinstance(part, TypedMap) else _unshaped(part):
                content[key], shapes[key] = value, shape
        merged = MergedMap(content, _Merged(shapes))
        merged.raw = None
        return merged

    def cel_equals(self, other: Value) -> bool | Unknown:
        """`self == other`, which must be a map."""
        if isinstance(other, OpenMap):
            return same(other, self, 0)
        if not isinstance(other, dict):
            no_overload("==", self, other)
        spend(CONTAINER + _COMPARED * min(len(self), len(other)))
        return len(self) == len(other) and deep(self._equals, other)

    def _equals(self, other: dict[str, Value]) -> bool | Unknown:
        unknown: Unknown | None = None
        for key in dict.__iter__(self):
            equal = self._equal_unread(key, other) if self.shape.child(key) is None else self._equal_at(key, other)
            if equal is False:
                return False
            if equal is not True:
                unknown = equal if unknown is None else merge_unknowns(unknown, equal)
        return True if unknown is None else unknown

    def _equal_at(self, key: str, other: dict[str, Value]) -> bool | Unknown:
        if key not in self or key not in other:
            return (key in self) is (key in other)
        own = self[key]
        try:
            its = other[key]
        except EvaluationError as error:
            if error.kind in NEVER_ABSORBED or isinstance(own, (list, dict)):
                raise
            return False
        return equal_to(own, its)

    def _equal_unread(self, key: str, other: dict[str, Value]) -> bool | Unknown:
        """sic: what no schema describes is compared unread, and only where both have it."""
        theirs = other.raw if isinstance(other, TypedMap) else None
        if theirs is None:
            no_overload("==", self, other)
        return same(dict.__getitem__(self, key), theirs[key], 0) if key in theirs else True


def _text_of(key: Value) -> str:
    """What `string(key)` gives."""
    if key is None:
        return "null"
    if type(key) is TypeValue:
        return key.name
    from krm_fn.cel.library import index

    convert = index.find("string", member=False, arity=1)
    if isinstance(key, (list, dict)) or convert is None:
        raise EvaluationError(NO_SUCH_OVERLOAD, f"{kind_of(key)} is no key of a map")
    return convert(key)  # type: ignore[no-any-return]


class MergedMap(TypedMap):
    """What `merge` made of maps, one of them typed: a map like those that an expression writes, but for its values."""

    __slots__ = ()

    def cel_find(self, _: Value, absent: Value) -> Value:
        return absent

    def cel_equals(self, other: Value) -> bool | Unknown:
        return same(dict(self.items()), other, 0)


class TypedSettledMap(SettledMap):
    """The same for a settled map: a key that it lacks is unknown, and taken whole it is what is desired."""

    __slots__ = ("raw", "shape")

    def __init__(self, raw: SettledMap, shape: MapShape) -> None:
        super().__init__(raw, raw.path, raw.absent)
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
    """An object with properties: names are escaped. A null is listed and counted, but there is nothing to be had under its name."""

    __slots__ = ()

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and dict.get(self, unescape(key)) is not None

    def look(self, key: str) -> Value:
        name = unescape(key)
        if dict.__getitem__(self, name) is None:
            raise KeyError(key)
        return super().look(name)

    def __iter__(self) -> Iterator[str]:
        return iter([escape(name) or name for name in super().__iter__()])

    def shapes(self) -> Iterator[tuple[str, Value, Reader | None]]:
        for name in dict.__iter__(self):
            value = dict.__getitem__(self, name)
            yield escape(name) or name, value, _NOTHING if value is None else self.shape.child(name)


class _Nothing:
    """How a null of an object is read in a merged map."""

    __slots__ = ()

    def read(self, _: Value) -> Value:
        raise EvaluationError(NO_SUCH_KEY, "null in an object is as good as missing: no such key")


_NOTHING = _Nothing()
