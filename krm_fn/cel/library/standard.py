"""
The functions that every CEL has: _size, type, dyn, and conversions between its scalar types; base64 beside them.

Enters: values.  Leaves: values; EvaluationError for texts that do not convert and numbers that do not fit.
Not known here: timestamps, durations, addresses: their conversions stand with them (`times`, `addresses`).

Source: cel-go v0.27.0 common/types and common/stdlib; ext/encoders.go.
"""

from __future__ import annotations

from krm_fn.cel.errors import BAD_ARGUMENT, BAD_CONVERSION, OVERFLOW, EvaluationError
from krm_fn.cel.library.overload import function, kind_of, member
from krm_fn.cel.values import OpenList, OpenMap, TypeValue, Uint, Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_INT_MIN, _INT_MAX, _UINT_MAX = -(1 << 63), (1 << 63) - 1, (1 << 64) - 1
_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})
_BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
_QUOTED = 40


def _size(value: Any) -> int | Unknown:
    """Count code points, bytes, elements or entries. What may still grow has an unknown size."""
    if type(value) is OpenList or type(value) is OpenMap:
        return Unknown(value.path)
    return len(value)


def _type_of(value: Any) -> TypeValue:
    return TypeValue(kind_of(type(value)))


def _same(value: Any) -> Any:
    return value


def _int_of_double(value: float) -> int:
    """Cut off the fraction. The two ends of the range are refused, as cel-go refuses them."""
    if not -9223372036854775808.0 < value < 9223372036854775808.0:
        raise EvaluationError(OVERFLOW, f"int({value!r}): not in the range of int")
    return int(value)


def _int_of_uint(value: Uint) -> int:
    if value > _INT_MAX:
        raise EvaluationError(OVERFLOW, f"int({int(value)}u): not in the range of int")
    return int(value)


def _int_of_string(value: str) -> int:
    from krm_fn.cel.library.numerals import parse_integer

    number = parse_integer(value, signed=True)
    if number is None or not _INT_MIN <= number <= _INT_MAX:
        raise not_convertible(value, "int")
    return number


def _uint_of_int(value: int) -> Uint:
    if value < 0:
        raise EvaluationError(OVERFLOW, f"uint({value}): not in the range of uint")
    return Uint(value)


def _uint_of_double(value: float) -> Uint:
    if not 0 <= value < 18446744073709551616.0:
        raise EvaluationError(OVERFLOW, f"uint({value!r}): not in the range of uint")
    return Uint(int(value))


def _uint_of_string(value: str) -> Uint:
    from krm_fn.cel.library.numerals import parse_integer

    number = parse_integer(value, signed=False)
    if number is None or number > _UINT_MAX:
        raise not_convertible(value, "uint")
    return Uint(number)


def _double_of_string(value: str) -> float:
    from krm_fn.cel.library.numerals import parse_double

    number = parse_double(value)
    if number is None:
        raise not_convertible(value, "double")
    return number


def _double_of_integer(value: int) -> float:
    return float(value)


def _bool_of_string(value: str) -> bool:
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise not_convertible(value, "bool")


def _string_of_bool(value: bool) -> str:
    return "true" if value else "false"


def _string_of_integer(value: int) -> str:
    return int.__repr__(value)


def _string_of_double(value: float) -> str:
    from krm_fn.cel.library.numerals import general_text

    return general_text(value)


def _string_of_bytes(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as e:
        raise EvaluationError(BAD_CONVERSION, f"string(): byte {e.start} is not UTF-8") from None


def _bytes_of_string(value: str) -> bytes:
    return value.encode()


def not_convertible(text: str, target: str) -> EvaluationError:
    """Say that a text is none of the target type."""
    return EvaluationError(BAD_CONVERSION, f"{quoted(text)} is not a text of type {target}")


def quoted(text: str) -> str:
    """Show a user's text in a message: on one line, and cut."""
    return repr(text if len(text) <= _QUOTED else text[:_QUOTED] + "…")


def _base64_encode(value: bytes) -> str:
    from binascii import b2a_base64

    return b2a_base64(value, newline=False).decode()


def _base64_decode(text: str) -> bytes:
    """
    Read standard base64, padded or not; line breaks are skipped, unused last bits ignored.

    Source: Go encoding/base64, StdEncoding and then RawStdEncoding.
    """
    from binascii import a2b_base64

    body = text.replace("\n", "").replace("\r", "")
    digits = body.rstrip("=")
    padding = len(body) - len(digits)
    is_whole = padding in ((0, -len(digits) % 4)) and len(digits) % 4 != 1
    if not is_whole or not _BASE64.issuperset(digits):
        raise EvaluationError(BAD_ARGUMENT, f"base64.decode({quoted(text)}): not base64")
    return a2b_base64(digits + "=" * (-len(digits) % 4))


OVERLOADS = (
    function("size_string", "size", ("string",), "int", _size, "Number of code points.", 'size("ä€") == 2'),
    function("size_bytes", "size", ("bytes",), "int", _size, "Number of bytes.", 'size(b"abc") == 3'),
    function("size_list", "size", ("list(A)",), "int", _size, "Number of elements.", "size([1, 2]) == 2"),
    function("size_map", "size", ("map(A, B)",), "int", _size, "Number of entries.", 'size({"a": 1}) == 1'),
    member("string_size", "size", ("string",), "int", _size, "Number of code points.", '"abc".size() == 3'),
    member("bytes_size", "size", ("bytes",), "int", _size, "Number of bytes.", 'b"abc".size() == 3'),
    member("list_size", "size", ("list(A)",), "int", _size, "Number of elements.", "[].size() == 0"),
    member("map_size", "size", ("map(A, B)",), "int", _size, "Number of entries.", "{}.size() == 0"),
    function(
        "type", "type", ("A",), "type", _type_of, "The value's type.", "type(1) == type(2)", 'type(1) != type("a")'
    ),
    function(
        "to_dyn", "dyn", ("A",), "dyn", _same, "The value itself, its type forgotten by the checker.", "dyn(1) == 1.0"
    ),
    function("int64_to_int64", "int", ("int",), "int", _same, "The int itself.", "int(1) == 1"),
    function(
        "uint64_to_int64",
        "int",
        ("uint",),
        "int",
        _int_of_uint,
        "The same number; an error above the range.",
        "int(1u) == 1",
    ),
    function(
        "double_to_int64",
        "int",
        ("double",),
        "int",
        _int_of_double,
        "Without its fraction; an error outside the range.",
        "int(-1.9) == -1",
    ),
    function(
        "string_to_int64",
        "int",
        ("string",),
        "int",
        _int_of_string,
        "Decimal digits with an optional sign.",
        'int("-12") == -12',
    ),
    function("uint64_to_uint64", "uint", ("uint",), "uint", _same, "The uint itself.", "uint(1u) == 1u"),
    function(
        "int64_to_uint64", "uint", ("int",), "uint", _uint_of_int, "The same number; an error below 0.", "uint(1) == 1u"
    ),
    function(
        "double_to_uint64",
        "uint",
        ("double",),
        "uint",
        _uint_of_double,
        "Without its fraction; an error outside the range.",
        "uint(1.9) == 1u",
    ),
    function(
        "string_to_uint64",
        "uint",
        ("string",),
        "uint",
        _uint_of_string,
        "Decimal digits without a sign.",
        'uint("12") == 12u',
    ),
    function("double_to_double", "double", ("double",), "double", _same, "The double itself.", "double(1.5) == 1.5"),
    function(
        "int64_to_double", "double", ("int",), "double", _double_of_integer, "The nearest double.", "double(1) == 1.0"
    ),
    function(
        "uint64_to_double",
        "double",
        ("uint",),
        "double",
        _double_of_integer,
        "The nearest double.",
        "double(1u) == 1.0",
    ),
    function(
        "string_to_double",
        "double",
        ("string",),
        "double",
        _double_of_string,
        "A number as Go writes it.",
        'double("1e3") == 1000.0',
        'double("1_0") == 10.0',
    ),
    function("bool_to_bool", "bool", ("bool",), "bool", _same, "The bool itself.", "bool(true)"),
    function(
        "string_to_bool",
        "bool",
        ("string",),
        "bool",
        _bool_of_string,
        "1 t T true TRUE True, or the same of false.",
        'bool("True")',
        '!bool("0")',
    ),
    function("string_to_string", "string", ("string",), "string", _same, "The string itself.", 'string("a") == "a"'),
    function(
        "bool_to_string", "string", ("bool",), "string", _string_of_bool, "true or false.", 'string(true) == "true"'
    ),
    function(
        "int64_to_string", "string", ("int",), "string", _string_of_integer, "Decimal digits.", 'string(-1) == "-1"'
    ),
    function(
        "uint64_to_string", "string", ("uint",), "string", _string_of_integer, "Decimal digits.", 'string(1u) == "1"'
    ),
    function(
        "double_to_string",
        "string",
        ("double",),
        "string",
        _string_of_double,
        "The shortest text; an exponent from 1e+06 on and below 0.0001.",
        'string(1.0) == "1"',
        'string(1e6) == "1e+06"',
    ),
    function(
        "bytes_to_string",
        "string",
        ("bytes",),
        "string",
        _string_of_bytes,
        "The text that the bytes are in UTF-8.",
        'string(b"abc") == "abc"',
    ),
    function("bytes_to_bytes", "bytes", ("bytes",), "bytes", _same, "The bytes themselves.", 'bytes(b"a") == b"a"'),
    function(
        "string_to_bytes",
        "bytes",
        ("string",),
        "bytes",
        _bytes_of_string,
        "The text in UTF-8.",
        'bytes("ä") == b"\\xc3\\xa4"',
    ),
    function(
        "base64_encode_bytes",
        "base64.encode",
        ("bytes",),
        "string",
        _base64_encode,
        "Standard base64, padded.",
        'base64.encode(b"hello") == "aGVsbG8="',
    ),
    function(
        "base64_decode_string",
        "base64.decode",
        ("string",),
        "bytes",
        _base64_decode,
        "Standard base64, padded or not.",
        'base64.decode("aGVsbG8") == b"hello"',
    ),
)
