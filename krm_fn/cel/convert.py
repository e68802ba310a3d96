"""
The value of an expression -> what a field of a manifest gets.

Enters: a value.  Leaves: plain JSON, OMIT where the field goes away, or an Unknown.  Not known here: fields, templates.
What needs no conversion is shared with the input, not copied.

Source: kro v0.9.3 pkg/cel/conversion/conversions.go, and the removal of omit() in pkg/runtime. Differs: bytes and uint
convert (kro's own deep copy panics on them), NaN and infinities fail here and not when the object is sent.
"""

from __future__ import annotations

from krm_fn.cel.budget import CONTAINER, EVALUATION_BUDGET, ROOM_AT, UNLIMITED, budget, pay_for, spend, too_deep
from krm_fn.cel.errors import BAD_CONVERSION, EvaluationError
from krm_fn.cel.operators import kind_of
from krm_fn.cel.stack import deep
from krm_fn.cel.values import (
    NONE,
    OMIT,
    KeyedMap,
    OpenList,
    OpenMap,
    Optional,
    SettledList,
    SettledMap,
    Uint,
    Unknown,
    merge_unknowns,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krm_fn.cel.values import Value

_SAME = frozenset({str, int, bool, type(None)})
_PART, _TIME = 4, 40
"""What an element and a time cost of the budget."""


def to_json(value: Value) -> Value:
    """
    Plain JSON for *value*; OMIT for omit(); an Unknown, merged, if any part of *value* is unknown.

    Errors: EvaluationError(BAD_CONVERSION) for what has no JSON: types, quantities, addresses, keys that are no strings, NaN;
    BUDGET for a value that is endless to walk.
    """
    if type(value) in _SAME:
        return value
    budget.left = EVALUATION_BUDGET
    try:
        return _convert(value, 0)
    finally:
        budget.left = UNLIMITED


def _convert(value: Value, depth: int) -> Value:
    cls = type(value)
    if cls in _SAME or cls is Unknown or value is OMIT:
        return value
    if cls is float:
        if value - value != 0:  # only NaN and the infinities differ from themselves so
            raise EvaluationError(BAD_CONVERSION, f"{value} has no form in JSON")
        return value
    too_deep(depth)
    if depth == ROOM_AT:
        return deep(_convert, value, depth + 1)
    if cls is SettledMap or cls is SettledList:
        value = value.copy()  # a plain one
    if isinstance(value, list):
        return _convert_list(value, depth)
    if isinstance(value, dict):
        return _convert_map(value, depth)
    if cls is Optional:
        return None if value is NONE else _convert(value.value, depth + 1)
    if cls is Uint:
        return int(value)
    if cls is bytes:
        from base64 import b64encode

        pay_for(value)
        return b64encode(value).decode("ascii")
    if cls.__module__ == "krm_fn.cel.timestamps":
        from krm_fn.cel import timestamps

        spend(_TIME)
        return timestamps.timestamp_json(value) if cls is timestamps.Timestamp else timestamps.duration_json(value)
    raise EvaluationError(BAD_CONVERSION, f"{kind_of(value)} has no form in JSON: make it a string")


def _convert_list(items: list[Value], depth: int) -> Value:
    spend(CONTAINER + _PART * len(items))
    if type(items) is not list and type(items) is not OpenList:
        items = list(items)  # a typed view goes out item by item
    unknown = Unknown(items.path) if type(items) is OpenList else None
    result = items
    for position, item in enumerate(items):
        if type(item) in _SAME:
            converted = item
        else:
            converted = _convert(item, depth + 1)
            if type(converted) is Unknown:
                unknown = converted if unknown is None else merge_unknowns(unknown, converted)
        if result is items:
            if converted is item and item is not OMIT:
                continue
            result = items[:position]
        if converted is not OMIT:
            result.append(converted)
    if unknown is not None:
        return unknown
    return result


def _convert_map(entries: dict[Value, Value], depth: int) -> Value:
    if type(entries) is not dict and getattr(entries, "raw", None) is not None:
        entries = entries.raw  # type: ignore[attr-defined] # a typed view: its data goes out as it came in
    spend(CONTAINER + _PART * len(entries))
    unknown = Unknown(entries.path) if type(entries) is OpenMap else None
    keyed = type(entries) is KeyedMap
    changed: dict[Value, Value] = {}
    for key, item in entries.items():
        if type(item) in _SAME:
            continue
        converted = _convert(item, depth + 1)
        if type(converted) is Unknown:
            unknown = converted if unknown is None else merge_unknowns(unknown, converted)
        if converted is not item or item is OMIT:
            changed[key] = converted
    if keyed:
        return _with_text_keys({**entries, **changed}, depth) if unknown is None else unknown
    if unknown is not None:
        return unknown
    if not changed:
        return entries if type(entries) is dict else dict(entries)
    return {key: item for key, item in {**entries, **changed}.items() if item is not OMIT}


def _with_text_keys(entries: dict[Value, Value], depth: int) -> dict[str, Value]:
    from krm_fn.cel.maps import plain_key

    result: dict[str, Value] = {}
    for key, item in entries.items():
        plain = plain_key(key)
        text = _convert(plain, depth + 1)
        if type(text) is not str or type(plain) is bytes:
            raise EvaluationError(BAD_CONVERSION, f"a key of a map is {kind_of(plain)}: JSON needs strings")
        if item is not OMIT:
            result[text] = item
    return result
