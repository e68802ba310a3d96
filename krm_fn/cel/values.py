"""
The values that an expression works on.

Plain JSON as the reader made it is used as it is: None, bool, int, float, str, list, dict. Only what JSON lacks has a
class here. Python ints are CEL ints (64 bit, checked by the operators); a `dict` is a map whose keys are strings.

Not known here: expressions, Kubernetes, where data came from.
"""

from __future__ import annotations

from krm_fn.cel.budget import spend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from krm_fn.cel.errors import EvaluationError

    Value: TypeAlias = Any
    Path: TypeAlias = str

_PATH = 4
"""What a path costs of the evaluation's budget when it is extended or merged with others."""
_LONG_KEY, _LONGEST_KEY, _LONGEST_PATH = 60, 300, 3_000


class Uint(int):
    """An unsigned 64-bit integer. A subclass so that arithmetic reads naturally; dispatch is by exact type."""

    __slots__ = ()


class Unknown:
    """
    A value that only a cluster has: the paths that were asked for (`deployment.status.replicas`), sorted, without repeats.

    Source: the CEL specification's unknowns: they flow through strict operations, merge, and are absorbed where errors are
    (`false && unknown` is false).
    """

    __slots__ = ("own", "parts")

    def __init__(self, *paths: Path) -> None:
        self.own = paths
        self.parts: tuple[Unknown, ...] = ()
        """What it was merged of; put together when somebody asks for the paths, since a loop merges at every step."""

    @property
    def paths(self) -> tuple[Path, ...]:
        if self.parts:
            found: set[Path] = set()
            seen: set[Unknown] = set()
            pending: list[Unknown] = [self]
            while pending:
                part = pending.pop()
                if part not in seen:
                    seen.add(part)
                    found.update(part.own)
                    pending.extend(part.parts)
            spend(_PATH * (len(seen) + len(found)))
            self.own, self.parts = tuple(sorted(found)), ()
        return self.own

    @classmethod
    def merged(cls, *parts: Unknown) -> Unknown:
        """An unknown that waits for all that *parts* wait for."""
        unknown = cls()
        unknown.parts = parts
        return unknown

    def __getitem__(self, key: object) -> Unknown:
        """Select below an unknown: still unknown, with the longer path."""
        spend(_PATH * (3 if isinstance(key, str) and len(key) > _LONG_KEY else 1) * (1 + len(self.paths)))
        return Unknown(*(join_path(path, key) for path in self.paths))

    def __bool__(self) -> bool:
        raise TypeError("an unknown has no truth: test with `type(x) is Unknown`")

    def __repr__(self) -> str:
        return f"Unknown({', '.join(self.paths)})"


def merge_unknowns(first: Unknown, second: Unknown) -> Unknown:
    """Both operands are unknown: the result waits for all their paths."""
    if first is second:
        return first
    spend(3 * _PATH)
    return Unknown.merged(first, second)


def join_path(path: Path, key: object) -> Path:
    """`a`, `b` -> `a.b`; `a`, 0 -> `a[0]`; `a`, `b.c/d` -> `a["b.c/d"]`. A path grows no longer than anybody reads."""
    if len(path) > _LONGEST_PATH:
        return path
    if not isinstance(key, str):
        return f"{path}[{key if isinstance(key, (int, float)) else '…'}]"  # no list is written out here
    if len(key) > _LONGEST_KEY:
        key = f"{key[:_LONGEST_KEY]}…"
    return f"{path}.{key}" if key.replace("_", "a").isalnum() else f'{path}["{key}"]'


_NONE_ABSENT: frozenset[str] = frozenset()


def root_of(path: Path) -> str:
    """The name that a path begins with: `a.b[0]` -> `a`."""
    return path.partition(".")[0].partition("[")[0]


class OpenMap(dict):  # type: ignore[type-arg]
    """
    A map of an object that nobody has observed: a key that is not in its desired state is unknown, never absent.

    absent: the keys that somebody has looked for and not found; they are asked for as in any other map.
    """

    __slots__ = ("absent", "path")

    def __init__(self, items: dict[str, Any], path: Path, absent: frozenset[str] = _NONE_ABSENT) -> None:
        super().__init__(items)
        self.path = path
        self.absent = absent

    def __missing__(self, key: object) -> Unknown:
        if key in self.absent:
            raise KeyError(key)
        spend(2 * _PATH)
        return Unknown(join_path(self.path, key))


class OpenList(list):  # type: ignore[type-arg]
    """A list of an object that nobody has observed: an index past its desired items is unknown."""

    __slots__ = ("path",)

    def __init__(self, items: list[Any], path: Path) -> None:
        super().__init__(items)
        self.path = path


class SettledMap(OpenMap):
    """
    An open map from strings to strings (labels, data, selectors).

    Taken whole it is what is desired, since no server fills in defaults there; a key that it lacks is unknown all the same.
    """

    __slots__ = ()


class SettledList(OpenList):
    """An open list of scalars: taken whole it is what is desired; an index past its end is unknown all the same."""

    __slots__ = ()


class Optional:
    """An optional value. `NONE` is the empty one; a present null is `Optional(None)`."""

    __slots__ = ("value",)

    def __init__(self, value: Value) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "optional.none()" if self is NONE else f"optional.of({self.value!r})"


NONE = Optional(None)


class Omit:
    """The value of kro's `omit()`: the field that it stands at goes away."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "omit()"


OMIT = Omit()


class TypeValue:
    """What `type(x)` gives: a CEL type by its name (`int`, `google.protobuf.Timestamp`); equal by name."""

    __slots__ = ("name",)
    cel_type = "type"

    def __init__(self, name: str) -> None:
        self.name = name

    def __eq__(self, other: object) -> bool:
        return type(other) is TypeValue and other.name == self.name

    def __hash__(self) -> int:
        return hash((TypeValue, self.name))

    def __repr__(self) -> str:
        return f"type({self.name})"


class Unreadable:
    """An item of a list, or a value of a map, that its schema cannot read: an error once it is asked for, and no sooner."""

    __slots__ = ("error",)
    cel_type = "error"

    def __init__(self, error: EvaluationError) -> None:
        self.error = error


class WrittenList(list):  # type: ignore[type-arg]
    """
    A list literal with lists or maps written in it, on the right of `+`, `==` or `!=`.

    sic: what an expression wrote is nothing that a list with a schema can read; data that looks the same is.
    """

    __slots__ = ()


class KeyedMap(dict):  # type: ignore[type-arg]
    """
    A map with a key that is no string; a map whose keys are all strings is a plain `dict`.

    A string is its own key here; any other key is the tuple (type's name, key), so that 1, 1u, 1.0 and true stay apart.
    `cel.maps` builds and reads such maps.
    """

    __slots__ = ()
