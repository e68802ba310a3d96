"""
The functions of lists, and `merge` of maps.

Enters: lists, indices from 0.  Leaves: new lists, elements, positions; never a changed argument.
Not known here: macros (`map`, `filter`, `sortBy`: the compiler's, which asks `sort_by_keys` for the order), `join` (`strings`).

Unknown elements pass through functions that only move them; a function that must look at one answers with it.  The
list of an object that nobody has observed may go on after its last known element, so its end is unknown too.

Source: cel-go v0.27.0 ext/lists.go and cel/library.go (first, last); k8s.io/apiserver v0.35.0 pkg/cel/library/lists.go;
kro v0.9.3 pkg/cel/library/lists.go and maps.go.
"""

from __future__ import annotations

from krm_fn.cel.budget import CONTAINER, FAILURE, spend
from krm_fn.cel.errors import BAD_ARGUMENT, BUDGET, NEVER_ABSORBED, EvaluationError
from krm_fn.cel.library.overload import (
    COMPARABLE,
    COMPARABLE_KINDS,
    MAX_ELEMENTS,
    Overload,
    describe,
    function,
    kind_of,
    member,
    on_known_elements,
    pay_for_texts,
    unknown_in,
)
from krm_fn.cel.values import NONE, KeyedMap, OpenList, OpenMap, Optional, SettledMap, Uint, Unknown, join_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    _T = TypeVar("_T")

_HASHED = frozenset({str, int, bool, Uint, bytes})
_COMPARISON = 32
"""What comparing two elements of `distinct` costs of the evaluation's budget."""
_SOUGHT = 10
"""What comparing one element with what `indexOf` looks for costs."""
_SORTED, _STEP = 6, 12
"""What sorting an element costs, and a round of Go's sort."""
_KEYED = 12
"""What looking for a key that may be no string costs `merge`."""


def _end(values: list[Any]) -> Unknown | None:
    """Give what follows the known elements of a list that nobody has observed."""
    return Unknown(values.path) if type(values) is OpenList else None


def _unless_open(values: list[Any], result: _T) -> _T | Unknown:
    """Answer with the unknown end where the list has one and the result needs to know it."""
    end = _end(values)
    return result if end is None else end


def _slice(values: list[Any], start: int, end: int) -> list[Any] | Unknown:
    if start < 0 or start > end:
        raise EvaluationError(BAD_ARGUMENT, f"slice({start}, {end}): not a range of indices")
    if end > len(values):
        return _past_end(f"slice({start}, {end})", values, end)
    return list(values[start:end])


def _flatten(values: list[Any]) -> list[Any] | Unknown:
    return _flatten_levels(values, 1)


def _flatten_levels(values: list[Any], levels: int) -> list[Any] | Unknown:
    """Let elements that are lists give way to their own elements, *levels* deep."""
    if levels < 0:
        raise EvaluationError(BAD_ARGUMENT, f"flatten({levels}): the number of levels is negative")
    flat: list[Any] = []
    open_lists = [iter(values)]
    unknown = _end(values)
    while open_lists and unknown is None:
        spend(CONTAINER)
        for value in open_lists[-1]:
            if len(open_lists) > levels:
                flat.append(value)
            elif isinstance(value, Unknown):
                unknown = value
                break
            elif isinstance(value, list):
                unknown = _end(value)
                open_lists.append(iter(value))
                break
            else:
                flat.append(value)
        else:
            open_lists.pop()
        if len(flat) > MAX_ELEMENTS:
            raise EvaluationError(BUDGET, f"flatten: more than {MAX_ELEMENTS} elements")
    return flat if unknown is None else unknown


def _reverse(values: list[Any]) -> list[Any] | Unknown:
    return _unless_open(values, values[::-1])


@on_known_elements
def _distinct(values: list[Any]) -> list[Any] | Unknown:
    """Keep the first of each run of equals: `1`, `1.0` and `1u` are equal, two NaN are not."""
    types = set(map(type, values))
    if len(types) <= 1 and types <= _HASHED:
        spend(2 * len(values))
        pay_for_texts(values)
        return list(dict.fromkeys(values))
    kept: list[Any] = []
    for value in values:
        found = _position(kept, value, turned=True)
        if isinstance(found, Unknown):
            return found
        spend(_COMPARISON * len(kept))
        if found == -1:
            kept.append(value)
    return kept


def _position(values: list[Any], sought: Any, *, turned: bool = False) -> int | Unknown:
    """
    Find the first equal element; -1 where there is none, unknown where one before it may be equal.

    *turned*: *sought* is asked whether it equals an element, not the element: some values answer differently.
    """
    from krm_fn.cel.equality import equals

    for index, value in enumerate(values.cel_items() if hasattr(values, "cel_items") else values):
        try:
            same = equals(sought, value) if turned else equals(value, sought)
        except EvaluationError as e:
            if e.kind in NEVER_ABSORBED:
                raise
            spend(FAILURE)
            continue  # cel-go asks "is it true that they are equal": what cannot be compared is not equal
        if same is True:
            return index
        if isinstance(same, Unknown):
            return same
    return -1


def _index_of(values: list[Any], sought: Any) -> int | Unknown:
    spend(_SOUGHT * len(values))
    found = _position(values, sought)
    return _unless_open(values, found) if found == -1 else found


def _last_index_of(values: list[Any], sought: Any) -> int | Unknown:
    end = _end(values)
    if end is not None:
        return end
    spend(_SOUGHT * len(values))
    found = _position(values[::-1], sought)
    return found if isinstance(found, Unknown) or found == -1 else len(values) - 1 - found


def _first(values: list[Any]) -> Optional | Unknown:
    if not values:
        return Unknown(join_path(values.path, 0)) if isinstance(values, OpenList) else NONE
    return values[0] if type(values[0]) is Unknown else Optional(values[0])


def _last(values: list[Any]) -> Optional | Unknown:
    end = _end(values)
    if end is not None:
        return end
    if not values:
        return NONE
    return values[-1] if type(values[-1]) is Unknown else Optional(values[-1])


def _sort(values: list[Any]) -> list[Any] | Unknown:
    return sort_by_keys(values, values)


def sort_by_keys(values: list[Any], keys: list[Any]) -> list[Any] | Unknown:
    """
    Order *values* by the key of each, as cel-go does.

    Shape:   two lists of one length -> a new list; unknown where a key is.
    Errors:  BAD_ARGUMENT for keys of several types or of one that has no order.
    Source:  cel-go v0.27.0 ext/lists.go sortListByAssociatedKeys: sort.Slice, which keeps equal keys in place for up to
             12 elements only, and takes NaN for equal to everything.
    """
    unknown = unknown_in(keys) if keys else _end(values)
    if unknown is not None:
        return unknown
    if not keys:
        return []
    kinds = {kind_of(type(key)) for key in keys}
    if kind_of(type(keys[0])) not in COMPARABLE_KINDS:
        raise EvaluationError(BAD_ARGUMENT, f"sort: {describe(keys[0])} has no order")
    if len(kinds) > 1:
        raise EvaluationError(BAD_ARGUMENT, f"sort: elements of several types: {', '.join(sorted(kinds))}")
    rounds = len(keys).bit_length()
    spend(len(keys) * (_SORTED + rounds // 3))
    pay_for_texts(keys, rounds)
    if keys is values and type(keys[0]) in _HASHED:
        return sorted(keys)
    keys = _as_numbers(keys)
    from itertools import pairwise

    order = sorted(range(len(keys)), key=keys.__getitem__)
    has_nan = any(key != key for key in keys)  # noqa: PLR0124 - NaN
    if has_nan or (len(keys) > 12 and any(keys[a] == keys[b] for a, b in pairwise(order))):
        from krm_fn.cel.library.slice_order import slice_order

        spend(_STEP * rounds * len(keys))
        order = slice_order(keys if has_nan else _ranks(keys, order))
    return [values[index] for index in order]


def _as_numbers(keys: list[Any]) -> list[Any]:
    """Times as what they are counted in, so that comparing them takes no calls; other keys as they are."""
    if hasattr(keys[0], "nanos"):
        if hasattr(keys[0], "seconds"):
            return [key.seconds * 1_000_000_000 + key.nanos for key in keys]
        return [key.nanos for key in keys]
    return keys


def _ranks(keys: list[Any], order: list[int]) -> list[int]:
    """Numbers that compare as the keys do, which may be long texts. *order*: of the indices, by their keys."""
    from itertools import pairwise

    ranks = [0] * len(keys)
    rank = 0
    for before, index in pairwise(order):
        rank += keys[before] != keys[index]
        ranks[index] = rank
    return ranks


def _range(count: int) -> list[int]:
    if count > MAX_ELEMENTS:
        raise EvaluationError(BUDGET, f"lists.range({count}): more than {MAX_ELEMENTS} elements")
    return list(range(count))


def _set_at_index(values: list[Any], index: int, value: Any) -> list[Any] | Unknown:
    if not 0 <= index < len(values):
        return _past_end("lists.setAtIndex", values, index)
    changed = type(values)(values, values.path) if isinstance(values, OpenList) else list(values)
    changed[index] = value
    return changed


def _insert_at_index(values: list[Any], index: int, value: Any) -> list[Any] | Unknown:
    if not 0 <= index <= len(values):
        return _past_end("lists.insertAtIndex", values, index)
    return _unless_open(values, [*values[:index], value, *values[index:]])


def _remove_at_index(values: list[Any], index: int) -> list[Any] | Unknown:
    if not 0 <= index < len(values):
        return _past_end("lists.removeAtIndex", values, index)
    return _unless_open(values, [*values[:index], *values[index + 1 :]])


def _past_end(call: str, values: list[Any], index: int) -> Unknown:
    """Refuse an index that is not there: the author's error, never data pending. Of an open list nobody can say."""
    if isinstance(values, OpenList) and index >= 0:
        return Unknown(values.path)
    raise EvaluationError(BAD_ARGUMENT, f"{call}: no index {index} in a list of {len(values)} elements")


def _merge(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Let the second map's entries win. What an unobserved map may also hold stays unknown in the result."""
    for part in (first, second):
        if hasattr(part, "cel_merge") and not any(isinstance(each, (OpenMap, KeyedMap)) for each in (first, second)):
            merged: dict[str, Any] = part.cel_merge(first, second)
            return merged
    if type(second) is OpenMap:
        maybe = {
            key: value if key in second.absent else Unknown(join_path(second.path, key))
            for key, value in first.items()
            if key not in second
        }
        return OpenMap({**maybe, **second}, second.path, _absent_in_both(first, second))
    if type(first) is OpenMap:
        return OpenMap({**first, **second}, first.path, _absent_in_both(first, second))
    settled = second if isinstance(second, SettledMap) else first
    if isinstance(settled, SettledMap):
        return SettledMap({**first, **second}, settled.path, _absent_in_both(first, second))
    if isinstance(first, KeyedMap) or isinstance(second, KeyedMap):
        from krm_fn.cel.equality import contains
        from krm_fn.cel.maps import plain_key

        spend(_KEYED * len(first))
        kept = {key: value for key, value in first.items() if contains(plain_key(key), second) is not True}
        return KeyedMap({**kept, **dict(second.items())})
    return {**first, **second}


def _absent_in_both(first: dict[str, Any], second: dict[str, Any]) -> frozenset[str]:
    """The keys that are known not to be in what becomes of two maps, one of them open."""
    if isinstance(first, OpenMap) and isinstance(second, OpenMap):
        return first.absent & second.absent
    if isinstance(first, OpenMap):
        return first.absent - second.keys()
    return second.absent - first.keys() if isinstance(second, OpenMap) else frozenset()


def _sorts() -> tuple[Overload, ...]:
    full = {"duration": "google.protobuf.Duration", "timestamp": "google.protobuf.Timestamp"}
    return tuple(
        Overload(
            f"list_{full.get(t, t)}_sort",
            "sort",
            (f"list({t})",),
            f"list({t})",
            _sort,
            member=True,
            doc="The elements in ascending order.",
            examples=("[3, 1, 2].sort() == [1, 2, 3]",) if t == "int" else (),
            guarded=False,
        )
        for t in COMPARABLE
    )


OVERLOADS: tuple[Overload, ...] = (
    member(
        "list_slice",
        "slice",
        ("list(T)", "int", "int"),
        "list(T)",
        _slice,
        "From the first index to before the second.",
        "[1, 2, 3, 4].slice(1, 3) == [2, 3]",
    ),
    Overload(
        "list_flatten",
        "flatten",
        ("list(list(T))",),
        "list(T)",
        _flatten,
        member=True,
        doc="The elements of the lists inside.",
        examples=("[[1], [2, 3]].flatten() == [1, 2, 3]",),
        guarded=False,
    ),
    Overload(
        "list_flatten_int",
        "flatten",
        ("list(dyn)", "int"),
        "list(dyn)",
        _flatten_levels,
        member=True,
        doc="The elements of the lists inside, so many levels deep.",
        examples=("[1, [2, [3]]].flatten(2) == [1, 2, 3]",),
        guarded=False,
    ),
    *_sorts(),
    function(
        "lists_range",
        "lists.range",
        ("int",),
        "list(int)",
        _range,
        "The ints from 0 to before the number.",
        "lists.range(3) == [0, 1, 2]",
    ),
    member(
        "list_reverse",
        "reverse",
        ("list(T)",),
        "list(T)",
        _reverse,
        "The elements in reverse.",
        "[1, 2].reverse() == [2, 1]",
    ),
    member(
        "list_distinct",
        "distinct",
        ("list(T)",),
        "list(T)",
        _distinct,
        "Without elements that equal an earlier one.",
        "[1, 2, 1].distinct() == [1, 2]",
    ),
    member(
        "list_first",
        "first",
        ("list(V)",),
        "optional_type(V)",
        _first,
        "The first element, if any.",
        "[1, 2].first() == optional.of(1)",
        "![].first().hasValue()",
    ),
    member(
        "list_last",
        "last",
        ("list(V)",),
        "optional_type(V)",
        _last,
        "The last element, if any.",
        "[1, 2].last() == optional.of(2)",
    ),
    member(
        "list_a_index_of_int",
        "indexOf",
        ("list(A)", "A"),
        "int",
        _index_of,
        "Where the element first stands, or -1.",
        '["a", "b", "a"].indexOf("a") == 0',
    ),
    member(
        "list_a_last_index_of_int",
        "lastIndexOf",
        ("list(A)", "A"),
        "int",
        _last_index_of,
        "Where the element last stands, or -1.",
        '["a", "b", "a"].lastIndexOf("a") == 2',
    ),
    function(
        "lists.setAtIndex_list_int_T",
        "lists.setAtIndex",
        ("list(T)", "int", "T"),
        "list(T)",
        _set_at_index,
        "With the element at the index replaced.",
        'lists.setAtIndex(["a", "b"], 0, "z") == ["z", "b"]',
    ),
    function(
        "lists.insertAtIndex_list_int_T",
        "lists.insertAtIndex",
        ("list(T)", "int", "T"),
        "list(T)",
        _insert_at_index,
        "With the element inserted before the index; the size appends.",
        "lists.insertAtIndex([1, 2], 2, 3) == [1, 2, 3]",
    ),
    function(
        "lists.removeAtIndex_list_int",
        "lists.removeAtIndex",
        ("list(T)", "int"),
        "list(T)",
        _remove_at_index,
        "Without the element at the index.",
        "lists.removeAtIndex([1, 2, 3], 1) == [1, 3]",
    ),
    member(
        "map_merge",
        "merge",
        ("map(K, V)", "map(K, V)"),
        "map(K, V)",
        _merge,
        "The entries of both; of equal keys, the second map's.",
        '{"a": 1, "b": 2}.merge({"b": 3}) == {"a": 1, "b": 3}',
    ),
)
