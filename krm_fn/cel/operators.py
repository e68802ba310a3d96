"""
Operators on values: arithmetic and order.

Enters: values, Unknown among them.  Leaves: a value, an Unknown, or an EvaluationError.  Not known here: syntax trees; equality and
what containers hold (`cel.equality`).

Each operator decides by exact Python types: two plain ints, two strings. All else goes to a slow function beside it:
mixed numbers, Uint, Unknown, timestamps. An unknown operand makes the result unknown, unless
what is known decides it. Numbers compare across int, uint and double; a bool is never a number.

Source: cel-go v0.27.0 common/types, interpreter/attributes.go. Differs: nothing but the budget.
"""

from __future__ import annotations

from krm_fn.cel.budget import pay_to_compare, spend
from krm_fn.cel.errors import (
    DIVISION_BY_ZERO,
    NO_SUCH_OVERLOAD,
    OVERFLOW,
    EvaluationError,
)
from krm_fn.cel.values import (
    KeyedMap,
    Omit,
    OpenList,
    OpenMap,
    Optional,
    SettledList,
    SettledMap,
    TypeValue,
    Uint,
    Unknown,
    merge_unknowns,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from krm_fn.cel.values import Value

INT_MIN, INT_MAX, UINT_MAX = -(2**63), 2**63 - 1, 2**64 - 1

_KINDS: dict[type, str] = {
    type(None): "null_type", bool: "bool", int: "int", Uint: "uint", float: "double", str: "string", bytes: "bytes",
    list: "list", OpenList: "list", SettledList: "list", dict: "map", OpenMap: "map", SettledMap: "map", KeyedMap: "map",
    Optional: "optional_type",
    TypeValue: "type", Omit: "omit()",
}  # fmt: skip
PLAIN = frozenset({str, int, bool, type(None)})
NUMBERS = frozenset({int, Uint, float})
"""Classes whose values are what they are, and those of numbers."""


def kind_of(value: Value) -> str:
    """The name of the CEL type of *value*, for messages and for telling map keys apart."""
    cls = type(value)
    kind = _KINDS.get(cls)
    if kind is None:
        kind = "map" if isinstance(value, dict) else "list" if isinstance(value, list) else ""
        kind = kind or getattr(cls, "cel_type", cls.__name__)
    return kind


def no_overload(operator: str, *operands: Value) -> NoReturn:
    if len(operands) == 1:
        raise EvaluationError(NO_SUCH_OVERLOAD, f"{operator}{kind_of(operands[0])}: no such overload")
    left, right = map(kind_of, operands)
    raise EvaluationError(NO_SUCH_OVERLOAD, f"{left} {operator} {right}: no such overload")


def unknown_of(x: Value, y: Value) -> Unknown | None:
    """The unknown that a strict operation on these two gives, if any."""
    if type(x) is Unknown:
        return merge_unknowns(x, y) if type(y) is Unknown else x
    return y if type(y) is Unknown else None


def _in_range(result: int, operator: str) -> int:
    if INT_MIN <= result <= INT_MAX:
        return result
    raise EvaluationError(OVERFLOW, f"integer overflow in {operator}")


def _unsigned(result: int, operator: str) -> Uint:
    if 0 <= result <= UINT_MAX:
        return Uint(result)
    raise EvaluationError(OVERFLOW, f"unsigned integer overflow in {operator}")


def _is_time(value: Value) -> bool:
    return type(value).__module__ == "krm_fn.cel.timestamps"


def add(x: Value, y: Value) -> Value:
    cls = type(x)
    if cls is type(y):
        if cls is str or cls is bytes or cls is list or cls is float:
            return x + y
        if cls is int:
            return _in_range(x + y, "+")
        if cls is Uint:
            return _unsigned(int(x) + int(y), "+")
    unknown = unknown_of(x, y)
    if unknown is not None:
        return unknown
    if hasattr(cls, "cel_add"):
        return x.cel_add(y)
    if isinstance(x, list) and isinstance(y, list):
        # What may follow the items of an open list is unknown, so the sum is.
        paths = [Unknown(part.path) for part in (x, y) if type(part) is OpenList]
        return merge_unknowns(paths[0], paths[-1]) if paths else [*x, *y]
    if _is_time(x) and _is_time(y):
        spend(_TIMES_ADDED)
        from krm_fn.cel import timestamps

        return timestamps.add(x, y)
    no_overload("+", x, y)


def subtract(x: Value, y: Value) -> Value:
    cls = type(x)
    if cls is type(y):
        if cls is int:
            return _in_range(x - y, "-")
        if cls is float:
            return x - y
        if cls is Uint:
            return _unsigned(int(x) - int(y), "-")
    unknown = unknown_of(x, y)
    if unknown is not None:
        return unknown
    if _is_time(x) and _is_time(y):
        spend(_TIMES_ADDED)
        from krm_fn.cel import timestamps

        return timestamps.subtract(x, y)
    no_overload("-", x, y)


def multiply(x: Value, y: Value) -> Value:
    cls = type(x)
    if cls is type(y):
        if cls is int:
            return _in_range(x * y, "*")
        if cls is float:
            return x * y
        if cls is Uint:
            return _unsigned(int(x) * int(y), "*")
    unknown = unknown_of(x, y)
    return unknown if unknown is not None else no_overload("*", x, y)


def divide(x: Value, y: Value) -> Value:
    cls = type(x)
    if cls is type(y):
        if cls is float:
            return _divide_doubles(x, y)
        if cls is int or cls is Uint:
            if y == 0:
                raise EvaluationError(DIVISION_BY_ZERO, "division by zero")
            if cls is Uint:
                return Uint(int(x) // int(y))
            quotient = abs(x) // abs(y)
            return _in_range(quotient if (x < 0) == (y < 0) else -quotient, "/")
    unknown = unknown_of(x, y)
    return unknown if unknown is not None else no_overload("/", x, y)


def _divide_doubles(x: float, y: float) -> float:
    if y:
        return x / y
    if not x or x != x:  # noqa: PLR0124 - NaN
        return float("nan")
    from math import copysign

    return copysign(float("inf"), x) * copysign(1.0, y)


def modulo(x: Value, y: Value) -> Value:
    cls = type(x)
    if cls is type(y) and (cls is int or cls is Uint):
        if y == 0:
            raise EvaluationError(DIVISION_BY_ZERO, "modulus by zero")
        if cls is Uint:
            return Uint(int(x) % int(y))
        if x == INT_MIN and y == -1:
            raise EvaluationError(OVERFLOW, "integer overflow in %")
        remainder = abs(x) % abs(y)
        return remainder if x >= 0 else -remainder
    unknown = unknown_of(x, y)
    return unknown if unknown is not None else no_overload("%", x, y)


def negate(x: Value) -> Value:
    cls = type(x)
    if cls is int:
        return _in_range(-x, "-")
    if cls is float:
        return -x
    if cls is Unknown:
        return x
    if _is_time(x):
        spend(_TIMES_ADDED)
        from krm_fn.cel import timestamps

        return timestamps.subtract(timestamps.Duration(0), x)
    no_overload("-", x)


def not_(x: Value) -> Value:
    if x is True:
        return False
    if x is False:
        return True
    return x if type(x) is Unknown else no_overload("!", x)


def compare(x: Value, y: Value, operator: str) -> Value:
    """-1, 0 or 1, or an Unknown. Errors: NO_SUCH_OVERLOAD for types without order, and for NaN."""
    left, right = type(x), type(y)
    if left is right and left in _ORDERED:
        if left is str or left is bytes:
            pay_to_compare(x, y)
        return (x > y) - (x < y)
    if left is right and _is_time(x):
        spend(TIMES)
        return (x > y) - (x < y)
    if left in NUMBERS and right in NUMBERS:
        if x != x or y != y:  # noqa: PLR0124 - NaN
            raise EvaluationError(NO_SUCH_OVERLOAD, f"NaN {operator} a number: NaN has no order")
        return compare_numbers(x, y)
    unknown = unknown_of(x, y)
    return unknown if unknown is not None else no_overload(operator, x, y)


_ORDERED = frozenset({str, int, Uint, bool, bytes})
TIMES, _TIMES_ADDED = 8, 20
"""What comparing and adding two durations or timestamps costs of the budget."""


def compare_numbers(x: float, y: float) -> int:
    """Compare two numbers of different types, or two doubles; no NaN. cel-go compares an int with a double as doubles."""
    if type(x) is float or type(y) is float:
        limits = (INT_MIN, INT_MAX) if int in (type(x), type(y)) else (0, UINT_MAX)
        if type(x) is not float and not limits[0] <= y <= float(limits[1]):
            return 1 if y < limits[0] else -1
        if type(y) is not float and not limits[0] <= x <= float(limits[1]):
            return -1 if x < limits[0] else 1
        x, y = float(x), float(y)
    return (x > y) - (x < y)


def less(x: Value, y: Value) -> Value:
    order = compare(x, y, "<")
    return order < 0 if type(order) is int else order


def less_or_equal(x: Value, y: Value) -> Value:
    order = compare(x, y, "<=")
    return order <= 0 if type(order) is int else order


def greater(x: Value, y: Value) -> Value:
    order = compare(x, y, ">")
    return order > 0 if type(order) is int else order


def greater_or_equal(x: Value, y: Value) -> Value:
    order = compare(x, y, ">=")
    return order >= 0 if type(order) is int else order
