"""
Operators on values: arithmetic, comparison, equality, `in`, selection and index.

Enters: values, Unknown among them.  Leaves: a value, an Unknown, or an EvaluationError.  Not known here: syntax trees.

Each operator decides by exact Python types: two plain ints, two strings. All else goes to a slow function beside it:
mixed numbers, Uint, Unknown, open and keyed maps, timestamps. An unknown operand makes the result unknown, unless
what is known decides it. Numbers compare across int, uint and double; a bool is never a number.

Source: cel-go v0.27.0 common/types, interpreter/attributes.go. Differs: nothing but the budget.
"""

from __future__ import annotations

from krm_fn.cel.errors import (
    BUDGET,
    DIVISION_BY_ZERO,
    INDEX_OUT_OF_BOUNDS,
    NEVER_ABSORBED,
    NO_SUCH_KEY,
    NO_SUCH_OVERLOAD,
    OVERFLOW,
    EvaluationError,
)
from krm_fn.cel.stack import deep
from krm_fn.cel.values import (
    NONE,
    OMIT,
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
    Unreadable,
    join_path,
    merge_unknowns,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from krm_fn.cel.values import Path, Value

INT_MIN, INT_MAX, UINT_MAX = -(2**63), 2**63 - 1, 2**64 - 1
MAX_DEPTH = 250
"""The deepest value that is compared or converted."""
ROOM_AT = 100
"""The depth from which on that needs more of Python's stack than is there for sure."""

_KINDS: dict[type, str] = {
    type(None): "null_type", bool: "bool", int: "int", Uint: "uint", float: "double", str: "string", bytes: "bytes",
    list: "list", OpenList: "list", SettledList: "list", dict: "map", OpenMap: "map", SettledMap: "map", KeyedMap: "map",
    Optional: "optional_type",
    TypeValue: "type", Omit: "omit()",
}  # fmt: skip
_PLAIN = frozenset({str, int, bool, type(None)})
_NUMBERS = frozenset({int, Uint, float})


def kind_of(value: Value) -> str:
    """The name of the CEL type of *value*, for messages and for telling map keys apart."""
    cls = type(value)
    kind = _KINDS.get(cls)
    if kind is None:
        kind = "map" if isinstance(value, dict) else "list" if isinstance(value, list) else ""
        kind = kind or getattr(cls, "cel_type", cls.__name__)
    return kind


class Budget:
    """What the running evaluation may still do: steps of comprehensions and elements of what it builds."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = EVALUATION_BUDGET

    def spend(self, amount: int) -> None:
        self.left -= amount
        if self.left < 0:
            raise EvaluationError(BUDGET, "the expression does too much work: its budget is spent")


EVALUATION_BUDGET = 10_000_000
"""One unit is a node of the expression evaluated in a loop (about 0.1 us), a list element or 4 characters built."""

CHARACTERS = 4
CONTAINER = 12
"""Units for looking into one list or map."""
SMALL = 512
"""What is built below this size is paid for by the step that builds it."""

budget = Budget()


def pay_for(value: Value) -> None:
    """Spend the budget for a value that was just built inside of a loop."""
    cls = type(value)
    if cls is str or cls is bytes:
        if len(value) > SMALL:
            budget.spend(len(value) // CHARACTERS)
    elif isinstance(value, (list, dict)) and len(value) > SMALL:
        budget.spend(len(value))


def pay_to_read(value: Value) -> None:
    """Spend the budget for looking through a long text, list or map inside of a loop."""
    cls = type(value)
    if (cls is str or cls is bytes or isinstance(value, (list, dict))) and len(value) > SMALL:
        budget.spend(len(value) >> 4)


def pay_to_walk(value: Value) -> None:
    """
    Spend the budget for looking at all of *value*.

    A list that holds another twice, which holds another twice, is small to build and endless to walk.
    """
    pending = [(value, 0)]
    while pending:
        top, depth = pending.pop()
        if type(top) is Optional:
            pending.append((top.value, depth + 1))
        elif isinstance(top, (list, dict)):
            budget.spend(CONTAINER + len(top))
            too_deep(depth)
            parts = list.__iter__(top) if isinstance(top, list) else dict.values(top)
            pending.extend((part, depth + 1) for part in parts)


def too_deep(depth: int) -> None:
    """Refuse a value that is nested deeper than anything that a manifest holds."""
    if depth > MAX_DEPTH:
        raise EvaluationError(BUDGET, f"a value is nested more than {MAX_DEPTH} levels deep")


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
    if left is right and (left in _ORDERED or _is_time(x)):
        return (x > y) - (x < y)
    if left in _NUMBERS and right in _NUMBERS:
        if x != x or y != y:  # noqa: PLR0124 - NaN
            raise EvaluationError(NO_SUCH_OVERLOAD, f"NaN {operator} a number: NaN has no order")
        return _compare_numbers(x, y)
    unknown = unknown_of(x, y)
    return unknown if unknown is not None else no_overload(operator, x, y)


_ORDERED = frozenset({str, int, Uint, bool, bytes})


def _compare_numbers(x: float, y: float) -> int:
    """Two numbers of different types, or two doubles; no NaN. cel-go compares an int with a double as doubles."""
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


def equals(x: Value, y: Value) -> bool | Unknown:
    """`x == y`. Errors: NO_SUCH_OVERLOAD if the left operand is omit() itself."""
    cls = type(x)
    if cls is type(y) and cls in _PLAIN:
        return x == y  # type: ignore[no-any-return]
    if x is OMIT and type(y) is not Unknown:
        raise EvaluationError(NO_SUCH_OVERLOAD, "omit() == : omit() cannot be compared")
    return same(x, y, 0)


def not_equals(x: Value, y: Value) -> bool | Unknown:
    """`x != y`. sic: what cannot be compared is not equal."""
    try:
        equal = equals(x, y)
    except EvaluationError as error:
        if error.kind in NEVER_ABSORBED:
            raise
        return True
    return equal if type(equal) is Unknown else not equal


def same(x: Value, y: Value, depth: int) -> bool | Unknown:
    """Equality at any depth; Unknown only if no known part decides."""
    left, right = type(x), type(y)
    if left is right and (left in _PLAIN or left is float):
        return x == y  # type: ignore[no-any-return]
    if left is Unknown or right is Unknown:
        return unknown_of(x, y)  # type: ignore[return-value]
    if left in _NUMBERS and right in _NUMBERS:
        return x == x and y == y and _compare_numbers(x, y) == 0  # noqa: PLR0124 - NaN
    if hasattr(left, "cel_equals"):
        # sic: Kubernetes' own types refuse to be compared with others but null; all else is just not equal. Sets have no order.
        return False if y is None else x.cel_equals(y)
    if left in _PLAIN or right in _PLAIN:
        return False
    if depth == ROOM_AT:
        return deep(same, x, y, depth + 1)
    if isinstance(x, list):
        return isinstance(y, list) and _same_lists(x, y, depth)
    if isinstance(x, dict):
        return isinstance(y, dict) and _same_maps(x, y, depth)
    if left is Optional and right is Optional:
        too_deep(depth)
        if x is NONE or y is NONE:
            return x is y
        return equal_to(x.value, y.value, depth + 1)
    return bool(left is right and x == y)


def equal_to(x: Value, y: Value, depth: int = 0) -> bool | Unknown:
    """`x == y` as the type of *x* alone has it: Kubernetes' own types refuse null, too."""
    if y is None and hasattr(type(x), "cel_equals"):
        no_overload("==", x, y)
    return same(x, y, depth)


def _same_part(x: Value, y: Value, depth: int) -> bool | Unknown:
    """sic: parts of lists and maps that cannot be compared are as good as equal."""
    try:
        return same(x, y, depth)
    except EvaluationError as error:
        if error.kind in NEVER_ABSORBED:
            raise
        return True


def _same_lists(x: list[Value], y: list[Value], depth: int) -> bool | Unknown:
    too_deep(depth)
    budget.spend(CONTAINER + 4 * min(len(x), len(y)))
    unknown: Unknown | None = None
    if len(x) != len(y):
        shorter = x if len(x) < len(y) else y
        if type(shorter) is not OpenList:
            return False
        unknown = Unknown(shorter.path)
    for part in (x, y):
        if type(part) is OpenList:
            unknown = _merged(unknown, Unknown(part.path))
    for a, b in zip(x, y.cel_items() if hasattr(y, "cel_items") else y, strict=False):
        equal = _same_part(a, b, depth + 1)
        if equal is False:
            return False
        if equal is not True:
            unknown = _merged(unknown, equal)
    return True if unknown is None else unknown


def _merged(first: Unknown | None, second: Unknown) -> Unknown:
    return second if first is None else merge_unknowns(first, second)


def _same_maps(x: dict[Value, Value], y: dict[Value, Value], depth: int) -> bool | Unknown:
    too_deep(depth)
    budget.spend(CONTAINER + 4 * min(len(x), len(y)))
    x_open, y_open = type(x) is OpenMap, type(y) is OpenMap
    if len(x) > len(y) and not y_open:
        return False
    if len(y) > len(x) and not x_open:
        return False
    unknown: Unknown | None = None
    for part in (x, y):
        if type(part) is OpenMap:
            unknown = _merged(unknown, Unknown(part.path))
    for key, value in x.items():
        other = y.get(key, _ABSENT) if type(key) is str else find_key(y, key[1])
        if other is _ABSENT:
            if not y_open:
                return False
            continue
        equal = _same_part(value, other, depth + 1)
        if equal is False:
            return False
        if equal is not True:
            unknown = _merged(unknown, equal)
    if not x_open and any(type(key) is str and key not in x for key in y):
        return False
    return True if unknown is None else unknown


_ABSENT = object()


def find_key(container: dict[Value, Value], key: Value) -> Value:
    """The value under *key*, which may equal a numeric key of another type; `_ABSENT` if there is none."""
    if type(key) is str:
        return container.get(key, _ABSENT)
    if type(container) is not KeyedMap:
        return container.cel_find(key, _ABSENT) if hasattr(container, "cel_find") else _ABSENT
    from krm_fn.cel.maps import find

    return find(container, key, _ABSENT)


def contains(x: Value, y: Value) -> bool | Unknown:
    """`x in y`."""
    if type(x) is Unknown or type(y) is Unknown:
        return unknown_of(x, y)  # type: ignore[return-value]
    if isinstance(y, list):
        return _in_list(x, y)
    if isinstance(y, dict):
        found = find_key(y, x) is not _ABSENT
        return Unknown(join_path(y.path, x)) if not found and type(x) is str and isinstance(y, OpenMap) else found
    no_overload("in", x, y)


def _in_list(x: Value, y: list[Value]) -> bool | Unknown:
    if hasattr(type(y), "cel_contains"):
        return y.cel_contains(x)  # type: ignore[attr-defined, no-any-return]
    unknown: Unknown | None = Unknown(y.path) if type(y) is OpenList else None
    if type(x) is str:
        budget.spend(1 + (len(y) >> 2))
        if x in y:
            return True
        if unknown is None and Unknown not in map(type, y):
            return False
    if x is OMIT:
        return False if unknown is None else unknown
    budget.spend(CONTAINER + 4 * len(y))
    for element in y:
        try:
            equal = equal_to(x, element)
        except EvaluationError as error:
            if error.kind in NEVER_ABSORBED:
                raise
            continue
        if equal is True:
            return True
        if equal is not False:
            unknown = _merged(unknown, equal)
    return False if unknown is None else unknown


_KEYS = frozenset({str, int, Uint, float, bool})


def index(container: Value, key: Value, path: Path = "") -> Value:
    """
    `container[key]`, `container.key`; on an optional the optional of it. *path*: what *container* is called, if known.

    Errors: NO_SUCH_KEY, INDEX_OUT_OF_BOUNDS (data pending in kro), NO_SUCH_OVERLOAD for a list's field or an impossible key.
    """
    if type(container) is Optional:
        return index_optional(container, key)
    found = look_up(container, key)
    if found is not _ABSENT:
        if type(found) is Unreadable:
            raise found.error
        return found
    if isinstance(container, list):
        missing = join_path(path, key) if path else ""
        raise EvaluationError(INDEX_OUT_OF_BOUNDS, f"{missing or f'[{key}]'}: index out of bounds", missing)
    missing = join_path(path, key) if path else ""
    raise EvaluationError(NO_SUCH_KEY, f"{missing or repr(key)}: no such key", missing)


def index_optional(container: Value, key: Value) -> Value:
    """`container.?key`, `container[?key]`: an optional, or Unknown."""
    if type(container) is Optional:
        if container is NONE:
            return NONE
        container = container.value
    found = look_up(container, key)
    if found is _ABSENT:
        return NONE
    return found if type(found) is Unknown else Optional(found)


def has(container: Value, field: str) -> bool | Unknown:
    """`has(container.field)`."""
    if type(container) is Optional:
        if container is NONE:
            return False
        container = container.value
    if type(container) is Unknown:
        return container[field]
    if isinstance(container, dict):
        if field in container:
            # Present, but its value is for the cluster to say, and so may its presence be.
            value = container[field]
            return value if type(value) is Unknown else True
        return Unknown(join_path(container.path, field)) if isinstance(container, OpenMap) else False
    return look_up(container, field) is not _ABSENT


def look_up(container: Value, key: Value) -> Value:
    """What stands under *key*, an Unknown, an Unreadable, or `_ABSENT`. An error if *key* cannot be a key of such a container."""
    if type(container) is Unknown:
        return merge_unknowns(container, key) if type(key) is Unknown else container[key]
    if type(container) is Unreadable:
        raise container.error
    if type(key) is Unknown:
        return key
    if type(key) not in _KEYS:
        raise EvaluationError(NO_SUCH_OVERLOAD, f"[{kind_of(key)}]: no such type of key")
    if isinstance(container, dict):
        found = find_key(container, key)
        if found is _ABSENT and isinstance(container, OpenMap) and type(key) is str:
            return Unknown(join_path(container.path, key))
        return found
    if isinstance(container, list):
        position = _position(key)
        if 0 <= position < len(container):
            return _item_under_schema(container, key) if hasattr(container, "cel_items") else container[position]
        if position >= 0 and isinstance(container, OpenList):
            return Unknown(join_path(container.path, position))
        return _ABSENT
    fields = getattr(container, "cel_fields", None)
    return fields.get(key, _ABSENT) if fields is not None else _ABSENT


def _item_under_schema(container: list[Value], key: Value) -> Value:
    if type(key) is not int:
        message = f"list[{kind_of(key)}]: a list with a schema has no such index"
        return Unreadable(EvaluationError(NO_SUCH_OVERLOAD, message))
    try:
        return container[key]
    except EvaluationError as error:
        return Unreadable(error)


def _position(key: Value) -> int:
    if (
        type(key) is int or type(key) is Uint or (type(key) is float and key.is_integer())
    ) and INT_MIN <= key <= INT_MAX:
        return int(key)
    raise EvaluationError(NO_SUCH_OVERLOAD, f"list[{kind_of(key)}]: a list has no such index")
