"""
What an unquoted YAML scalar means to Kubernetes, and how Kubernetes writes a number.

Enters: the text of one scalar and its tag, if it has one.  Leaves: a plain JSON value, or `NotJsonError`.  Not known here: events,
positions, documents.

Kubernetes reads YAML in two steps, and so does this module.  `sigs.k8s.io/yaml` (go.yaml.in/yaml/v2, resolve.go) resolves the
scalar with its own mixture of YAML 1.1 and 1.2 and writes it as JSON text; the JSON decoder then makes an int64 of every
number without point or exponent that fits, and a float64 of all others.  Since Go writes the float 1000 as `1000`, `1e3`,
`1000.0` and `08` are integers in the end, and integers beyond int64 are floats.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    Scalar = str | int | float | bool | None

_TAG = "tag:yaml.org,2002:"
NULL_TAG: Final = _TAG + "null"
BOOL_TAG: Final = _TAG + "bool"
INT_TAG: Final = _TAG + "int"
FLOAT_TAG: Final = _TAG + "float"
STR_TAG: Final = _TAG + "str"
BINARY_TAG: Final = _TAG + "binary"
TIMESTAMP_TAG: Final = _TAG + "timestamp"
MERGE_TAG: Final = _TAG + "merge"

_WORDS: dict[str, tuple[str, Scalar]] = {}
for _tag, _value, _words in (
    (BOOL_TAG, True, "y Y yes Yes YES true True TRUE on On ON"),
    (BOOL_TAG, False, "n N no No NO false False FALSE off Off OFF"),
    (NULL_TAG, None, "~ null Null NULL"),
    (FLOAT_TAG, float("nan"), ".nan .NaN .NAN"),
    (FLOAT_TAG, float("inf"), ".inf .Inf .INF +.inf +.Inf +.INF"),
    (FLOAT_TAG, float("-inf"), "-.inf -.Inf -.INF"),
):
    for _word in _words.split():
        _WORDS[_word] = (_tag, _value)
_WORDS[""] = (NULL_TAG, None)

_NUMBER_START = frozenset("+-0123456789.")
_FLOAT_CHARACTERS = frozenset("0123456789+-.eE")
_BASES = {"0x": 16, "0X": 16, "0o": 8, "0O": 8, "0b": 2, "0B": 2}
_MAX_INT = (1 << 63) - 1
_MIN_INT = -(1 << 63)
_MAX_UINT = (1 << 64) - 1
_EXACT_FLOAT = 1 << 53
_MAX_DECIMAL_DIGITS = 20
_MEMO_SIZE = 8192


class NotJsonError(ValueError):
    """A scalar whose meaning JSON cannot hold, or that its tag contradicts. The text is the message for the user."""


class ScalarMemo(dict[str, "Scalar"]):
    """
    The values of unquoted scalars, remembered: `memo[text]` is the JSON value of the scalar *text*.

    Units:  at most 8,192 texts are kept.
    Errors: none; `not_json` becomes true when a text had no JSON value (it then reads as null).
    """

    __slots__ = ("not_json",)

    def __init__(self) -> None:
        super().__init__()
        self.not_json = False

    def __missing__(self, text: str) -> Scalar:
        try:
            value = plain_value(text)
        except NotJsonError:
            self.not_json = True
            return None
        if len(self) >= _MEMO_SIZE:
            self.clear()
        self[text] = value
        return value


def plain_value(text: str) -> Scalar:
    """
    Resolve an unquoted scalar without a tag.

    Errors: NotJsonError for `.inf` and `.nan`.
    Source: go.yaml.in/yaml/v2 v2.4.2 resolve.go; differs: nothing.
    """
    return _as_json(text, _resolve(text)[1])


def tagged_value(text: str, tag: str) -> Scalar:
    """
    Resolve a scalar with an explicit tag (`!!int "3"`), quoted or not.

    Errors: NotJsonError when the text is not of the tag's type, or the tag is none of YAML's scalar tags.
    Source: go.yaml.in/yaml/v2 v2.4.2 resolve.go; differs: an unknown tag is refused (there it is a string), and so is
            `!!binary` that is not UTF-8 text (there the bytes are damaged silently).
    """
    if tag in ("!", STR_TAG):
        return text
    if tag == BINARY_TAG:
        return _binary(text)
    if tag not in (NULL_TAG, BOOL_TAG, INT_TAG, FLOAT_TAG, TIMESTAMP_TAG):
        raise NotJsonError(f"the tag {short_tag(tag)} has no meaning in a Kubernetes manifest")
    if tag == TIMESTAMP_TAG and _is_timestamp(text):
        return text
    found, value = _resolve(text)
    if found == tag or (tag == FLOAT_TAG and found == INT_TAG and isinstance(value, int) and value <= _MAX_INT):
        return _as_json(text, value)
    raise NotJsonError(f"{text[:40]!r} is not a value of the tag {short_tag(tag)}")


def key_text(value: Scalar, text: str) -> str:
    """
    The JSON key that a mapping key of the resolved *value* becomes (`on` is the key "true", `0x10` is "16").

    Errors: NotJsonError for null keys and for integers beyond int64.
    Source: sigs.k8s.io/yaml v1.6.0 convertToJSONableObject; differs: nothing.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        raise NotJsonError("null is not a key")
    if isinstance(value, int):
        if not _MIN_INT <= value <= _MAX_INT:
            raise NotJsonError(f"{text[:40]} is too large for a key")
        return str(value)
    return _float_key(value)


def plain_key(text: str) -> str:
    """Resolve an unquoted mapping key to the JSON key that Kubernetes sees. Errors: as `key_text`."""
    return key_text(_resolve(text)[1], text)


def tagged_key(text: str, tag: str) -> str:
    """Resolve a mapping key with an explicit tag to its JSON key. Errors: as `tagged_value` and `key_text`."""
    return key_text(tagged_value(text, tag), text)


def short_tag(tag: str) -> str:
    """Write a tag as a user would (`!!int`)."""
    return "!!" + tag[len(_TAG) :] if tag.startswith(_TAG) else tag


def number_text(value: float) -> str:
    """
    Write a finite float as Go's encoding/json does.

    Shape:  `1` for 1.0, `0.1`, `1e-7`, `1e+21`; shortest digits that read back as the same float.
    """
    digits, point, sign = _decimal(value)
    if value and not 1e-6 <= abs(value) < 1e21:
        exponent = point - 1
        mantissa = digits if len(digits) == 1 else f"{digits[0]}.{digits[1:]}"
        return f"{sign}{mantissa}e{'+' if exponent >= 0 else '-'}{abs(exponent)}"
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    if point >= len(digits):
        return sign + digits + "0" * (point - len(digits))
    return f"{sign}{digits[:point]}.{digits[point:]}"


def _decimal(value: float) -> tuple[str, int, str]:
    """Shortest digits of a finite float, the place of the decimal point relative to their start, and the sign."""
    text = repr(value)
    sign = ""
    if text[0] == "-":
        sign, text = "-", text[1:]
    mantissa, _, exponent = text.partition("e")
    whole, _, fraction = mantissa.partition(".")
    point = len(whole) + int(exponent or "0")
    digits = whole + fraction
    stripped = digits.lstrip("0")
    point -= len(digits) - len(stripped)
    stripped = stripped.rstrip("0")
    return (stripped, point, sign) if stripped else ("0", 1, sign)


def _as_json(text: str, value: Scalar) -> Scalar:
    """The value after its way through JSON text and Kubernetes' JSON decoder."""
    if isinstance(value, float):
        if value - value != 0.0:
            raise NotJsonError(f"{text} has no place in JSON")
        if not value.is_integer():
            return value
        if -_EXACT_FLOAT <= value <= _EXACT_FLOAT:
            return int(value)
        if abs(value) < 1e21:
            whole = int(number_text(value))  # the shortest digits, filled up with zeros: not always int(value)
            return whole if _MIN_INT <= whole <= _MAX_INT else value
        return value
    if isinstance(value, int) and not _MIN_INT <= value <= _MAX_INT:
        return float(value)
    return value


def _resolve(text: str) -> tuple[str, Scalar]:
    """Tag and Go value of an untagged plain scalar; integers reach up to uint64, floats may be infinite."""
    word = _WORDS.get(text)
    if word is not None:
        return word
    first = text[0]
    if first not in _NUMBER_START:
        return STR_TAG, text
    if first == ".":
        number = _float(text) if _FLOAT_CHARACTERS.issuperset(text.replace("_", "")) else None
        return (STR_TAG, text) if number is None else (FLOAT_TAG, number)
    plain = text.replace("_", "")
    integer = _integer(plain)
    if integer is not None:
        return INT_TAG, integer
    if _FLOAT_CHARACTERS.issuperset(plain):
        number = _float(plain)
        if number is not None:
            return FLOAT_TAG, number
    return STR_TAG, text


def _float(text: str) -> float | None:
    """A decimal float of characters already checked; None when it is malformed or overflows."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if number - number == 0.0 else None


def _integer(plain: str) -> int | None:
    """strconv.ParseInt and ParseUint with base 0, and yaml.v2's leniency for signs after `0b`."""
    sign = plain[:1]
    body = plain[1:] if sign in ("+", "-") else plain
    base = _BASES.get(body[:2], 10)
    if base != 10:
        body = body[2:]
        if base == 2 and sign != "+" and (body[:1] == "+" or (body[:1] == "-" and sign != "-")) and "B" not in plain:
            if sign == "-":
                return None  # sic: yaml.v2 reads 0b-1 and 0b+1, but not -0b+1
            sign, body = body[0], body[1:]  # sic
    elif len(body) > 1 and body[0] == "0":
        base, body = 8, body[1:]
    elif len(body) > _MAX_DECIMAL_DIGITS:
        return None
    if not (body.isascii() and (body.isalnum() if base == 16 else body.isdigit())) or body[1:2] in ("x", "X"):
        return None
    try:
        number = int(body, base)
    except ValueError:
        return None
    if sign == "-":
        return -number if -number >= _MIN_INT else None
    limit = _MAX_INT if sign == "+" else _MAX_UINT
    return number if number <= limit else None


def _float_key(value: float) -> str:
    """strconv.FormatFloat(value, 'g', -1, 32): sic, sigs.k8s.io/yaml rounds keys to 32 bits."""
    import struct

    try:
        single: float = struct.unpack("f", struct.pack("f", value))[0]
    except OverflowError:
        single = float("inf") if value > 0 else float("-inf")
    if single != single:  # noqa: PLR0124 - NaN alone differs from itself
        return ".nan"
    if single in (float("inf"), float("-inf")):
        return ".inf" if single > 0 else "-.inf"
    shortest = next(
        text
        for precision in range(1, 10)
        if struct.unpack("f", struct.pack("f", float(text := f"{single:.{precision}g}")))[0] == single or precision == 9
    )
    digits, point, sign = _decimal(float(shortest))
    exponent = point - 1
    if single and not -4 <= exponent < 6:
        mantissa = digits if len(digits) == 1 else f"{digits[0]}.{digits[1:]}"
        return f"{sign}{mantissa}e{'+' if exponent >= 0 else '-'}{abs(exponent):02d}"
    return number_text(float(shortest))


def _binary(text: str) -> str:
    """Decode `!!binary`, as Go does with standard base64; only UTF-8 text fits into JSON."""
    import base64
    import binascii

    try:
        return base64.b64decode(text.replace("\n", "").replace("\r", ""), validate=True).decode()
    except (binascii.Error, ValueError):
        raise NotJsonError("a !!binary value must be base64 of UTF-8 text") from None


def _is_timestamp(text: str) -> bool:
    """Whether the text has the shape that yaml.v2 takes for a timestamp (the calendar is not checked)."""
    import re

    date = r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
    time = r"[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(\.[0-9]*)?"
    return re.fullmatch(rf"{date}([Tt]{time}(Z|[-+][0-9]{{2}}:[0-9]{{2}})| {time})?", text) is not None
