"""
Maps whose keys are not all strings, and the order in which maps are walked.

Enters: pairs of keys and values.  Leaves: a plain dict, or a KeyedMap.  Not known here: expressions.
Source: cel-go v0.27.0 common/types/map.go. Differs: keys are walked sorted, by type's name and then value.
"""

from __future__ import annotations

from krm_fn.cel.errors import BREAKDOWN, EvaluationError
from krm_fn.cel.operators import kind_of
from krm_fn.cel.values import KeyedMap, Uint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from krm_fn.cel.values import Value


_UNHASHABLE = ("bytes", "kubernetes.Semver")


def make_map(pairs: Iterable[tuple[Value, Value]]) -> dict[Value, Value]:
    """A map of *pairs*, the last of equal keys winning. Errors: NO_SUCH_OVERLOAD for bytes as a key."""
    result: dict[Value, Value] = {}
    keyed = False
    for key, value in pairs:
        if type(key) is str:
            result[key] = value
        else:
            keyed = True
            result[stored(key)] = value
    return KeyedMap(result) if keyed else result


def stored(key: Value) -> tuple[Value, ...]:
    """How a key that is no string is kept. Only scalars are equal to each other; other keys, and NaN, are themselves alone."""
    kind = kind_of(key)
    if kind in _UNHASHABLE:
        raise EvaluationError(BREAKDOWN, f"{kind} cannot be a key of a map")
    if isinstance(key, (list, dict)) or type(key).__hash__ is None or key != key:  # noqa: PLR0124 - NaN
        return (kind, _ByIdentity(key))
    return (kind, key)


class _ByIdentity:
    """A key that equals only itself: cel-go compares lists and maps as keys by identity."""

    __slots__ = ("value",)

    def __init__(self, value: Value) -> None:
        self.value = value


def plain_key(key: Value) -> Value:
    """The value that a key of a dict or KeyedMap stands for."""
    if type(key) is str:
        return key
    return key[1].value if type(key[1]) is _ByIdentity else key[1]


def find(container: KeyedMap, key: Value, absent: Value) -> Value:
    """The value under a key that is no string. Equal numbers of other types count: int for uint, both for double."""
    found = container.get(stored(key), absent)
    if found is not absent:
        return found
    for other in _equal_keys(key):
        found = container.get(other, absent)
        if found is not absent:
            return found
    return absent


def _equal_keys(key: Value) -> tuple[tuple[str, int], ...]:
    if type(key) is int:
        return (("uint", Uint(key)),) if key >= 0 else ()
    if type(key) is Uint:
        return (("int", int(key)),)
    if type(key) is float and key.is_integer():
        return (("int", int(key)), ("uint", int(key)))
    return ()


def sorted_entries(container: dict[Value, Value]) -> list[tuple[Value, Value]]:
    """Keys with their values, in the order in which Rookery walks a map: by the name of the key's type, then the key."""
    if type(container) is not KeyedMap:
        return sorted(container.items(), key=_first)
    entries = [(("string", key) if type(key) is str else key, value) for key, value in container.items()]
    entries.sort(key=_order)
    return [(plain_key(key[1] if key[0] == "string" else key), value) for key, value in entries]


def sorted_keys(container: dict[Value, Value]) -> list[Value]:
    """The keys in that order; no value is looked at."""
    if type(container) is not KeyedMap:
        return sorted(container)
    return [key for key, _ in sorted_entries(container)]


def repeated_key(pairs: list[tuple[Value, Value]]) -> tuple[Value, ...]:
    """The first key that stands twice in *pairs*, alone in a tuple; an empty one if all are different."""
    seen: set[Value] = set()
    for key, _ in pairs:
        at = key if type(key) is str else stored(key)
        if at in seen:
            return (key,)
        seen.add(at)
    return ()


def _first(entry: tuple[str, Value]) -> str:
    return entry[0]


def _order(entry: tuple[tuple[str, Value], Value]) -> tuple[str, bool, Value]:
    """Sortable within one type's name; keys without an order keep the order in which they were written."""
    kind, value = entry[0]
    if kind in ("int", "uint", "bool", "string"):
        return (kind, False, value)
    if kind == "double":
        is_nan = type(value) is _ByIdentity
        return (kind, is_nan, 0 if is_nan else value)
    if type(value).__module__ == "krm_fn.cel.timestamps":
        return (kind, False, value)
    return (kind, False, 0)
