"""
The value of a message literal: `google.protobuf.Timestamp{seconds: 1}` is a timestamp, `google.protobuf.Value{}` is null.

Enters: the name of a type, programs for its fields.  Leaves: a program.  Imported only where there is such a literal.  Not known
here: syntax trees, types.

A field takes values of its own type alone, whatever dyn let pass: `seconds` an int, never a uint. Struct, ListValue and Value hold
JSON as protobuf has it: every number is a double, or a text where a double is too coarse; bytes and times are texts.
Where several fields of a Value are set, which of them counts is random in cel-go; here it is the last by name.

Source: cel-go v0.27.0 interpreter/interpretable.go evalObj, common/types/provider.go, the ConvertToNative of common/types/*.go;
protobuf's Duration.AsDuration.
"""

from __future__ import annotations

from krm_fn.cel.budget import ROOM_AT, pay_for, spend, too_deep
from krm_fn.cel.closures import content_of
from krm_fn.cel.errors import BAD_CONVERSION, OVERFLOW, UNDECLARED, EvaluationError
from krm_fn.cel.library.overload import pay_to_walk, unknown_within
from krm_fn.cel.operators import INT_MAX, INT_MIN, kind_of
from krm_fn.cel.stack import deep
from krm_fn.cel.values import NONE, Optional, Uint, Unknown, merge_unknowns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    from krm_fn.cel.compile import Activation, Program
    from krm_fn.cel.values import Value

    Fields: TypeAlias = dict[str, Value]

_TIME, _BYTE = 40, 2
"""What writing a time, and taking a byte out of a list, costs of the evaluation's budget."""
_INT32 = (-(2**31), 2**31 - 1)
_JSON_SAFE = 2**53 - 1
_FIRST, _LAST = -9_223_372_028_741_760_000, INT_MAX - 62_135_596_800
"""The seconds that Go's clock holds without running over."""


def message_of(name: str, fields: list[tuple[str, Program]], optional: frozenset[int]) -> Program:
    """The program of a literal of type *name*; *optional*: positions of fields written `?field: value`."""
    make = _MAKERS.get(name)

    def run_message(activation: Activation) -> Value:
        values: Fields = {}
        unknown: Unknown | None = None
        for position, (field, program) in enumerate(fields):
            value = program(activation)
            if type(value) is Unknown:
                unknown = value if unknown is None else merge_unknowns(unknown, value)
                continue
            if position in optional:
                content = content_of(value)
                if not content:
                    values.pop(field, None)
                    continue
                value = content[0]
            values[field] = value
        if unknown is not None:
            return unknown
        if make is None:
            raise EvaluationError(UNDECLARED, f"{name}: nothing makes a value of this type; write a map")
        return make(values)

    return run_message


# -- what a field takes ---------------------------------------------------------------------------------------------------


def _wrong(value: Value, what: str) -> EvaluationError:
    return EvaluationError(BAD_CONVERSION, f"{kind_of(value)} where the message has {what}")


def _content(value: Value) -> Value:
    """What an optional holds; anything else as it is."""
    while type(value) is Optional:
        if value is NONE:
            raise EvaluationError(BAD_CONVERSION, "a message cannot hold none: write ?field")
        value = value.value
    return value


def _whole(value: Value, low: int, high: int) -> int:
    value = _content(value)
    if type(value) is not int:
        raise _wrong(value, "an int")
    if not low <= value <= high:
        raise EvaluationError(OVERFLOW, f"{value} is out of range for the message's field")
    return value


def _int32(value: Value) -> int:
    return _whole(value, *_INT32)


def _int64(value: Value) -> int:
    return _whole(value, INT_MIN, INT_MAX)


def _uint64(value: Value) -> Uint:
    value = _content(value)
    if type(value) is not Uint:
        raise _wrong(value, "a uint")
    return value


def _uint32(value: Value) -> Uint:
    whole = _uint64(value)
    if whole > 2**32 - 1:
        raise EvaluationError(OVERFLOW, f"{whole} is out of range for the message's field")
    return whole


def _double(value: Value) -> float:
    value = _content(value)
    if type(value) is not float:
        raise _wrong(value, "a double")
    return value


def _float(value: Value) -> float:
    """A double with the precision of 32 bits."""
    from struct import pack, unpack

    value = _double(value)
    try:
        return unpack("<f", pack("<f", value))[0]  # type: ignore[no-any-return]
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _bool(value: Value) -> bool:
    value = _content(value)
    if type(value) is not bool:
        raise _wrong(value, "a bool")
    return value


def _string(value: Value) -> str:
    value = _content(value)
    if type(value) is not str:
        raise _wrong(value, "a string")
    return value


def _bytes(value: Value) -> bytes:
    value = _content(value)
    if isinstance(value, list):
        spend(_BYTE * len(value))
    if isinstance(value, list) and all(type(item) is Uint and item < 256 for item in value):
        return bytes(value)
    if type(value) is not bytes:
        raise _wrong(value, "bytes")
    return value


# -- JSON as protobuf has it ----------------------------------------------------------------------------------------------


def _struct(value: Value) -> Value:
    """A map with strings for keys. An Unknown where anything in it is unknown."""
    value = _content(value)
    if not isinstance(value, dict):
        raise _wrong(value, "a map")
    return _json_of(value)


def _list(value: Value) -> Value:
    value = _content(value)
    if not isinstance(value, list):
        raise _wrong(value, "a list")
    return _json_of(value)


def _fields(value: Value) -> Value:
    """The entries of a map. sic: it may be read by a schema, what is in it may not."""
    return _struct(dict(value.items()) if hasattr(value, "cel_native") and isinstance(value, dict) else value)


def _values(value: Value) -> Value:
    return _list(list(value) if hasattr(value, "cel_native") and isinstance(value, list) else value)


def _json_of(value: Value) -> Value:
    pay_to_walk(value)  # to look for unknowns, and
    pay_to_walk(value)  # to write it anew
    unknown = unknown_within(value)
    return _json(value, 0) if unknown is None else unknown


def _json(value: Value, depth: int) -> Value:
    value = _content(value)
    cls = type(value)
    if value is None or cls is bool or cls is str or cls is float:
        return value
    if cls is int or cls is Uint:
        return float(value) if -_JSON_SAFE <= value <= _JSON_SAFE else str(int(value))
    if cls is bytes:
        from base64 import b64encode

        pay_for(value)
        return b64encode(value).decode("ascii")
    if hasattr(value, "cel_native") and value.cel_native() is not value:
        raise _wrong(value, "JSON, and this is data under a schema")
    too_deep(depth)
    if depth == ROOM_AT:
        return deep(_json, value, depth + 1)
    if isinstance(value, list):
        return [_json(item, depth + 1) for item in value]
    if isinstance(value, dict):
        if not all(type(key) is str for key in value):
            raise EvaluationError(BAD_CONVERSION, "a key of a map is no string: JSON needs strings")
        return {key: _json(item, depth + 1) for key, item in value.items()}
    if cls.__module__ == "krm_fn.cel.timestamps":
        from krm_fn.cel import timestamps

        spend(_TIME)
        is_moment = cls is timestamps.Timestamp
        return timestamps.format_timestamp(value) if is_moment else timestamps.duration_seconds(value)
    raise _wrong(value, "JSON")


# -- messages -------------------------------------------------------------------------------------------------------------


def _timestamp(fields: Fields) -> Value:
    from krm_fn.cel.timestamps import SECOND, Timestamp

    seconds, nanos = _int64(fields.get("seconds", 0)), _int32(fields.get("nanos", 0))
    seconds += nanos // SECOND
    if not _FIRST <= seconds <= _LAST:
        raise EvaluationError(OVERFLOW, "timestamp: so many seconds run over")
    return Timestamp(seconds, nanos % SECOND)


def _duration(fields: Fields) -> Value:
    """A length that 64 bits of nanoseconds cannot hold is the longest that they can."""
    from krm_fn.cel.timestamps import SECOND, Duration

    seconds, nanos = _int64(fields.get("seconds", 0)), _int32(fields.get("nanos", 0))
    if INT_MIN <= seconds * SECOND <= INT_MAX and INT_MIN <= seconds * SECOND + nanos <= INT_MAX:
        return Duration(seconds * SECOND + nanos)
    return Duration(INT_MAX if seconds > 0 else INT_MIN)


def _value(fields: Fields) -> Value:
    result: Value = None
    for name in sorted(fields):
        result = _KINDS_OF_VALUE[name](fields[name])
    return result


def _null(value: Value) -> None:
    _int32(value)


_KINDS_OF_VALUE: dict[str, Callable[[Value], Value]] = {
    "null_value": _null,
    "number_value": _double,
    "string_value": _string,
    "bool_value": _bool,
    "struct_value": _struct,
    "list_value": _list,
}


def _wrapper(convert: Callable[[Value], Value], zero: Value) -> Callable[[Fields], Value]:
    return lambda fields: convert(fields["value"]) if "value" in fields else zero


def _any(fields: Fields) -> Any:
    _string(fields.get("type_url", ""))
    _bytes(fields.get("value", b""))
    raise EvaluationError(BAD_CONVERSION, "google.protobuf.Any: what is packed into it is not read")


_MAKERS: dict[str, Callable[[Fields], Value]] = {
    "google.protobuf.Any": _any,
    "google.protobuf.BoolValue": _wrapper(_bool, zero=False),
    "google.protobuf.BytesValue": _wrapper(_bytes, b""),
    "google.protobuf.DoubleValue": _wrapper(_double, 0.0),
    "google.protobuf.Duration": _duration,
    "google.protobuf.FloatValue": _wrapper(_float, 0.0),
    "google.protobuf.Int32Value": _wrapper(_int32, 0),
    "google.protobuf.Int64Value": _wrapper(_int64, 0),
    "google.protobuf.ListValue": lambda fields: _values(fields.get("values", [])),
    "google.protobuf.StringValue": _wrapper(_string, ""),
    "google.protobuf.Struct": lambda fields: _fields(fields.get("fields", {})),
    "google.protobuf.Timestamp": _timestamp,
    "google.protobuf.UInt32Value": _wrapper(_uint32, Uint(0)),
    "google.protobuf.UInt64Value": _wrapper(_uint64, Uint(0)),
    "google.protobuf.Value": _value,
}
