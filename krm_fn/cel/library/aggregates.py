"""
What one value says of a list: its sum, its least and greatest element, whether it is in order.

Enters: lists of elements that have an order, or a sum.  Leaves: a value, or the unknown among the elements.
Not known here: sorting (`lists`).

Source: k8s.io/apiserver v0.35.0 pkg/cel/library/lists.go.
"""

from __future__ import annotations

from krm_fn.cel.budget import FAILURE, spend
from krm_fn.cel.errors import BAD_ARGUMENT, NEVER_ABSORBED, NO_SUCH_OVERLOAD, OVERFLOW, EvaluationError
from krm_fn.cel.library.overload import (
    COMPARABLE,
    COMPARABLE_KINDS,
    Overload,
    describe,
    kind_of,
    member,
    no_such_overload,
    on_known_elements,
    pay_for_texts,
)
from krm_fn.cel.values import Uint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_INT_MIN, _INT_MAX, _UINT_MAX = -(1 << 63), (1 << 63) - 1, (1 << 64) - 1
_ADDITION, _COMPARISON = 2, 14
"""What one element costs of the evaluation's budget."""


@on_known_elements
def _is_sorted(values: list[Any]) -> bool:
    """Neighbours that have no order between them (NaN, several types) count as sorted. # sic: Kubernetes."""
    _all_ordered("isSorted", values)
    return not any(_is_above(values[i - 1], values[i]) for i in range(1, len(values)))


@on_known_elements
def _min(values: list[Any]) -> Any:
    """Keep what no later element is below; one that has no order with it (NaN) is never below. # sic: Kubernetes."""
    _all_ordered("min", values)
    least = values[0]
    for value in values[1:]:
        if _is_above(least, value):
            least = value
    return least


@on_known_elements
def _max(values: list[Any]) -> Any:
    _all_ordered("max", values)
    most = values[0]
    for value in values[1:]:
        if _is_above(value, most):
            most = value
    return most


def _all_ordered(name: str, values: list[Any]) -> None:
    spend(_COMPARISON * len(values))
    pay_for_texts(values)
    if not values and name != "isSorted":
        raise EvaluationError(BAD_ARGUMENT, f"{name}: the list is empty")
    for value in values:
        if kind_of(type(value)) not in COMPARABLE_KINDS:
            raise EvaluationError(NO_SUCH_OVERLOAD, f"{name}: {describe(value)} has no order")


def _is_above(first: Any, second: Any) -> bool:
    from krm_fn.cel.operators import compare

    try:
        return bool(compare(first, second, "<") == 1)
    except EvaluationError as error:
        if error.kind in NEVER_ABSORBED:
            raise
        spend(FAILURE)
        return False  # there is no order between them


@on_known_elements
def _sum_integers(values: list[int]) -> int:
    """Add ints, or uints, from the left; every step must fit."""
    spend(_ADDITION * len(values))
    cls = Uint if values and type(values[0]) is Uint else int
    low, high = (0, _UINT_MAX) if cls is Uint else (_INT_MIN, _INT_MAX)
    total = 0
    for value in values:
        if type(value) is not cls:
            raise no_such_overload("sum", (values[0], value))
        total += value
        if not low <= total <= high:
            raise EvaluationError(OVERFLOW, f"sum: {total} is not in the range of {kind_of(cls)}")
    return cls(total)


@on_known_elements
def _sum_doubles(values: list[float]) -> float:
    spend(_ADDITION * len(values))
    total = 0.0
    for value in values:
        if type(value) is not float:
            raise no_such_overload("sum", (values[0], value))
        total += value
    return total


@on_known_elements
def _sum_durations(values: list[Any]) -> Any:
    from krm_fn.cel.timestamps import Duration, add

    spend(_COMPARISON * len(values))
    total: Any = Duration(0)
    for value in values:
        if type(value) is not Duration:
            raise no_such_overload("sum", (values[0], value))
        total = add(total, value)
    return total


def _ordered(name: str, id_suffix: str, result: str, impl: Any, doc: str, *examples: str) -> tuple[Overload, ...]:
    """One overload for each element type that has an order; the examples stand at the first. `*` is the element type."""
    return tuple(
        member(
            f"list_{t}_{name.replace('isSorted', 'is_sorted')}_{id_suffix.replace('*', t)}",
            name,
            (f"list({t})",),
            result.replace("*", t),
            impl,
            doc,
            *(examples if t == "int" else ()),
        )
        for t in COMPARABLE
    )


OVERLOADS: tuple[Overload, ...] = (
    *_ordered("isSorted", "bool", "bool", _is_sorted, "Whether no element is above the next.", "[1, 1, 2].isSorted()"),
    member(
        "list_int_sum_int",
        "sum",
        ("list(int)",),
        "int",
        _sum_integers,
        "The sum; 0 of an empty list.",
        "[1, 2].sum() == 3",
        "[].sum() == 0",
    ),
    member("list_uint_sum_uint", "sum", ("list(uint)",), "uint", _sum_integers, "The sum.", "[1u, 2u].sum() == 3u"),
    member(
        "list_double_sum_double",
        "sum",
        ("list(double)",),
        "double",
        _sum_doubles,
        "The sum.",
        "[1.5, 2.0].sum() == 3.5",
    ),
    member(
        "list_duration_sum_duration",
        "sum",
        ("list(duration)",),
        "duration",
        _sum_durations,
        "The sum.",
        '[duration("1m"), duration("1s")].sum() == duration("61s")',
    ),
    *_ordered("max", "*", "*", _max, "The greatest element; an error where there is none.", "[1, 3, 2].max() == 3"),
    *_ordered("min", "*", "*", _min, "The least element; an error where there is none.", "[3, 1, 2].min() == 1"),
)
