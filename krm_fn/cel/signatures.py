"""
Overloads as the checker needs them: operators, written here, and functions, from the records of the library.

Enters: the name of an operator or function.  Leaves: `Signature`s.  Not known here: how one is chosen.

The answer for arguments without type parameters and without object types is kept for good (`known`): most calls are one look-up.

Source: cel-go v0.27.0 common/stdlib/standard.go, cel/library.go, ext/{comprehensions,lists}.go.
"""

from __future__ import annotations

from krm_fn.cel.library import index
from krm_fn.cel.types import Type, parse_type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

_ARITHMETIC = ("double double -> double", "int int -> int", "uint uint -> uint")
_ORDERED = tuple(
    f"{kind} {kind} -> bool" for kind in ("bool", "int", "uint", "double", "string", "bytes", "timestamp", "duration")
)
MIXED = tuple(
    f"{one} {other} -> bool"
    for one, others in (
        ("bool", ("bool",)),
        ("int", ("int", "double", "uint")),
        ("uint", ("uint", "double", "int")),
        ("double", ("double", "int", "uint")),
        *((kind, (kind,)) for kind in ("string", "bytes", "timestamp", "duration")),
    )
    for other in others
)
"""`< <= > >=` where numbers of two types may be compared: see `check`."""

_EQUAL = ("A A -> bool",)
OPERATORS: dict[str, tuple[str, ...]] = {
    "+": (
        "bytes bytes -> bytes",
        "double double -> double",
        "duration duration -> duration",
        "duration timestamp -> timestamp",
        "timestamp duration -> timestamp",
        "int int -> int",
        "list(A) list(A) -> list(A)",
        "string string -> string",
        "uint uint -> uint",
    ),
    "-": (
        "double double -> double",
        "duration duration -> duration",
        "int int -> int",
        "timestamp duration -> timestamp",
        "timestamp timestamp -> duration",
        "uint uint -> uint",
    ),
    "*": _ARITHMETIC,
    "/": _ARITHMETIC,
    "%": _ARITHMETIC[1:],
    "unary -": ("double -> double", "int -> int"),
    "unary !": ("bool -> bool",),
    "==": _EQUAL,
    "!=": _EQUAL,
    "<": _ORDERED,
    "<=": _ORDERED,
    ">": _ORDERED,
    ">=": _ORDERED,
    "in": ("A list(A) -> bool", "A map(A,B) -> bool"),
    "_?_:_": ("bool A A -> A",),
    "_[_]": (
        "list(A) int -> A",
        "map(A,B) A -> B",
        "optional_type(list(V)) int -> optional_type(V)",
        "optional_type(map(K,V)) K -> optional_type(V)",
    ),
    "_[?_]": (
        "list(V) int -> optional_type(V)",
        "optional_type(list(V)) int -> optional_type(V)",
        "map(K,V) K -> optional_type(V)",
        "optional_type(map(K,V)) K -> optional_type(V)",
    ),
}
"""Operators, in cel-go's order, which decides what an empty literal's parameters are bound to."""

METHODS: dict[str, tuple[str, ...]] = {
    "or": ("optional_type(V) optional_type(V) -> optional_type(V)",),
    "orValue": ("optional_type(V) V -> V",),
}
"""Methods that are no functions of the library."""

SORT_BY = tuple(
    f"list(T) list({kind}) -> list(T)"
    for kind in ("int", "uint", "double", "bool", "duration", "timestamp", "string", "bytes")
)
INSERT_MAP = ("map(K,V) map(K,V) -> map(K,V)",)
_RESULTS = {"type": "type(A)"}
"""What a function gives, where the library's record says less."""

CONVERSIONS = frozenset(("string", "int", "double", "uint", "bool", "bytes", "timestamp", "duration"))
"""Functions that give the type that they are named after, whatever they take."""


_MAX_KNOWN = 4_000
known: dict[tuple[Any, ...], Type] = {}
"""(operator, operands) or (function, method or not, arguments) -> result."""


class Signature:
    """An overload as the checker needs it."""

    __slots__ = ("is_open", "params", "result")

    def __init__(self, params: Iterable[str], result: str) -> None:
        self.params = tuple(map(parse_type, params))
        self.result = parse_type(result)
        self.is_open = self.result.is_open or any(p.is_open for p in self.params)


_signatures: dict[tuple[str, ...], tuple[Signature, ...]] = {}


def written(lines: tuple[str, ...]) -> tuple[Signature, ...]:
    made = _signatures.get(lines)
    if made is None:
        parts = [line.split(" -> ") for line in lines]
        made = _signatures[lines] = tuple(Signature(params.split(), result) for params, result in parts)
    return made


def of_library(name: str, arity: int, *, member: bool) -> Iterator[tuple[Signature, ...]]:
    """The overloads of a function, module by module; a module is imported when it is asked for."""
    if member and name in METHODS:
        yield tuple(s for s in written(METHODS[name]) if len(s.params) == arity)
        return
    for records in index.overloads_by_module(name):
        yield tuple(
            Signature(o.params, _RESULTS.get(o.name, o.result))
            for o in records
            if o.member == member and len(o.params) == arity
        )


def remember(key: tuple[Any, ...], arguments: tuple[Type, ...], result: Type) -> Type:
    if not result.is_open and not result.is_named and not any(a.is_open or a.is_named for a in arguments):
        if len(known) >= _MAX_KNOWN:
            known.clear()
        known[key] = result
    return result
