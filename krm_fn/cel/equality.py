"""
Equality, `in`, selection and index.

Enters: values, Unknown among them.  Leaves: a value, an Unknown, or an EvaluationError.  Not known here: syntax trees.

What is known decides where it can; else an unknown operand, or part of one, makes the result unknown. Values of other rooms say
themselves how they are compared and searched: `cel_equals`, `cel_contains`, `cel_find`, `cel_items`.

Source: cel-go v0.27.0 common/types, interpreter/attributes.go.
"""

from __future__ import annotations

from krm_fn.cel.budget import CONTAINER, FAILURE, ROOM_AT, SMALL, pay_to_compare, pay_to_read, spend, too_deep
from krm_fn.cel.errors import INDEX_OUT_OF_BOUNDS, NEVER_ABSORBED, NO_SUCH_KEY, NO_SUCH_OVERLOAD, EvaluationError
from krm_fn.cel.operators import (
    INT_MAX,
    INT_MIN,
    NUMBERS,
    PLAIN,
    TIMES,
    compare_numbers,
    kind_of,
    no_overload,
    unknown_of,
)
from krm_fn.cel.stack import deep
from krm_fn.cel.values import (
    NONE,
    OMIT,
    KeyedMap,
    OpenList,
    OpenMap,
    Optional,
    Uint,
    Unknown,
    Unreadable,
    join_path,
    merge_unknowns,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krm_fn.cel.values import Path, Value


def equals(x: Value, y: Value) -> bool | Unknown:
    """`x == y`. Errors: NO_SUCH_OVERLOAD if the left operand is omit() itself."""
    cls = type(x)
    if cls is type(y) and cls in PLAIN:
        if cls is str and len(x) > SMALL:
            pay_to_compare(x, y)
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
        spend(FAILURE)
        return True
    return equal if type(equal) is Unknown else not equal


def same(x: Value, y: Value, depth: int) -> bool | Unknown:
    """Equality at any depth; Unknown only if no known part decides."""
    left, right = type(x), type(y)
    if left is right and (left in PLAIN or left is float):
        if left is str and len(x) > SMALL:
            pay_to_compare(x, y)
        return x == y  # type: ignore[no-any-return]
    if left is Unknown or right is Unknown:
        return unknown_of(x, y)  # type: ignore[return-value]
    spend(_SLOWLY)
    if left in NUMBERS and right in NUMBERS:
        return x == x and y == y and compare_numbers(x, y) == 0  # noqa: PLR0124 - NaN
    if hasattr(left, "cel_equals"):
        # sic: Kubernetes' own types refuse to be compared with others but null; all else is just not equal. Sets have no order.
        spend(TIMES)
        return False if y is None else x.cel_equals(y)
    if left in PLAIN or right in PLAIN:
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
    if left is not right:
        return False
    if left is bytes:
        pay_to_compare(x, y)
    else:
        spend(TIMES)
    return bool(x == y)


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
        spend(FAILURE)
        return True


def _same_lists(x: list[Value], y: list[Value], depth: int) -> bool | Unknown:
    too_deep(depth)
    spend(CONTAINER + 4 * min(len(x), len(y)))
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
    x_open, y_open = type(x) is OpenMap, type(y) is OpenMap
    spend(CONTAINER + 5 * (len(x) + len(y) if x_open or y_open else min(len(x), len(y))))
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
            if not y_open or key in y.absent:  # type: ignore[attr-defined]
                return False
            continue
        equal = _same_part(value, other, depth + 1)
        if equal is False:
            return False
        if equal is not True:
            unknown = _merged(unknown, equal)
    if x_open:
        if x.absent and not x.absent.isdisjoint(y):  # type: ignore[attr-defined]
            return False
    elif any(type(key) is str and key not in x for key in y):
        return False
    return True if unknown is None else unknown


_ABSENT = object()
_SLOWLY, _KEYED = 4, 20
"""What comparing values that are not both plain costs of the budget, and a look under a key that may be no string."""


def find_key(container: dict[Value, Value], key: Value) -> Value:
    """The value under *key*, which may equal a numeric key of another type; `_ABSENT` if there is none."""
    if type(key) is str:
        return container.get(key, _ABSENT)
    if type(container) is not KeyedMap:
        if hasattr(container, "cel_find"):
            spend(_KEYED)
        return container.cel_find(key, _ABSENT) if hasattr(container, "cel_find") else _ABSENT
    spend(_KEYED)
    from krm_fn.cel.maps import find

    return find(container, key, _ABSENT)


def contains(x: Value, y: Value) -> bool | Unknown:
    """`x in y`."""
    if type(x) is Unknown or type(y) is Unknown:
        return unknown_of(x, y)  # type: ignore[return-value]
    if isinstance(y, list):
        return _in_list(x, y)
    if isinstance(y, dict):
        pay_to_read(x)
        found = find_key(y, x) is not _ABSENT
        if not found and isinstance(y, OpenMap) and type(x) is str and x not in y.absent:
            return y.__missing__(x)
        return found
    return no_overload("in", x, y)


def _in_list(x: Value, y: list[Value]) -> bool | Unknown:
    if hasattr(type(y), "cel_contains"):
        return y.cel_contains(x)  # type: ignore[attr-defined, no-any-return]
    unknown: Unknown | None = Unknown(y.path) if type(y) is OpenList else None
    if type(x) is str:
        spend(1 + len(y) + (len(x) * len(y) >> 8 if len(x) > SMALL else 0))
        if x in y:
            return True
        if unknown is None and Unknown not in map(type, y):
            return False
    if x is OMIT:
        return False if unknown is None else unknown
    spend(CONTAINER + 6 * len(y))
    for element in y:
        try:
            equal = equal_to(x, element)
        except EvaluationError as error:
            if error.kind in NEVER_ABSORBED:
                raise
            spend(FAILURE)
            continue
        if equal is True:
            return True
        if equal is not False:
            unknown = _merged(unknown, equal)
    return False if unknown is None else unknown


_KEYS = frozenset({str, int, Uint, float, bool})
_SHOWN = 80


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
    shown = missing or repr(key[:_SHOWN] if type(key) is str else key)
    raise EvaluationError(NO_SUCH_KEY, f"{shown}: no such key", missing)


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
        if isinstance(container, OpenMap) and field not in container.absent:
            return container.__missing__(field)
        return False
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
        if type(key) is str and len(key) > SMALL:
            pay_to_read(key)
        found = find_key(container, key)
        if found is _ABSENT and isinstance(container, OpenMap) and type(key) is str and key not in container.absent:
            return container.__missing__(key)
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
        if error.kind in NEVER_ABSORBED:
            raise
        return Unreadable(error)


def _position(key: Value) -> int:
    if (
        type(key) is int or type(key) is Uint or (type(key) is float and key.is_integer())
    ) and INT_MIN <= key <= INT_MAX:
        return int(key)
    raise EvaluationError(NO_SUCH_OVERLOAD, f"list[{kind_of(key)}]: a list has no such index")
