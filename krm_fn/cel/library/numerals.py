"""
Numbers as Go reads and writes them: what `double("1_0")`, `string(1e6)`, `"%d".format([1.5])` and `json.marshal(1e21)` say.

Enters: texts or doubles.  Leaves: doubles or texts.  Not known here: overloads.

Every text of a double starts from its shortest digits, which Python's `repr` gives; the styles differ only in where
they set the point and when they write an exponent.
"""

from __future__ import annotations

_EXPONENT_FROM = 6
_PLAIN_BELOW = 1e21
_PLAIN_FROM = 1e-6
_DIGITS = frozenset("0123456789")
_HEX_DIGITS = frozenset("0123456789abcdefABCDEF")


def parse_integer(text: str, *, signed: bool) -> int | None:
    """
    Read decimal digits, with a sign where *signed*; None where the text is anything else.

    Source: Go strconv.ParseInt and ParseUint in base 10. The range is the caller's to check; more than 20 digits
    come back as a number above every range.
    """
    sign = -1 if signed and text[:1] == "-" else 1
    digits = text[1:] if signed and text[:1] in ("+", "-") else text
    if not (digits.isascii() and digits.isdigit()):
        return None
    digits = digits.lstrip("0") or "0"
    return sign * (int(digits) if len(digits) <= 20 else 1 << 65)


def parse_double(text: str) -> float | None:
    """
    Read a double; None where the text is none or its value is not finite although it has digits.

    Source: Go strconv.ParseFloat: `_` between digits, hexadecimal floats with `p`, `inf`, `infinity`, `nan` in any case.
    """
    body = text[1:] if text[:1] in ("+", "-") else text
    if body.lower() in ("inf", "infinity"):
        return float("-inf") if text[0] == "-" else float("inf")
    if text.lower() == "nan":
        return float("nan")
    is_hex = body[:2] in ("0x", "0X")
    if "_" in text and not _underscores_separate_digits(body, is_hex=is_hex):
        return None
    plain = body.replace("_", "")
    try:
        if is_hex:
            value = float.fromhex(plain) if _is_numeral(plain[2:], _HEX_DIGITS, "pP", needs_exponent=True) else None
        else:
            value = float(plain) if _is_numeral(plain, _DIGITS, "eE", needs_exponent=False) else None
    except OverflowError:
        return None
    if value is None or value == float("inf"):
        return None
    return -value if text[0] == "-" else value


def _underscores_separate_digits(body: str, *, is_hex: bool) -> bool:
    digits = _HEX_DIGITS if is_hex else _DIGITS
    parts = (body[1:] if is_hex else body).split("_")  # the x of 0x may stand before one
    first = parts[0] == "x" if is_hex and len(parts[0]) == 1 else parts[0][-1:] in digits
    inside = all(part and part[0] in digits and part[-1] in digits for part in parts[1:-1])
    return bool(parts[0]) and first and inside and parts[-1][:1] in digits and bool(parts[-1])


def _is_numeral(text: str, digits: frozenset[str], marks: str, *, needs_exponent: bool) -> bool:
    """`12`, `1.`, `.5`, `1e-3`: digits with at most one point, then perhaps an exponent in decimal digits."""
    mantissa, mark, exponent = text.replace(marks[1], marks[0]).partition(marks[0])
    if needs_exponent and not mark:
        return False
    if exponent[:1] in ("+", "-"):
        exponent = exponent[1:]
    whole, _, fraction = mantissa.partition(".")
    if mark and not (exponent and _DIGITS.issuperset(exponent)):
        return False
    return bool(whole + fraction) and digits.issuperset(whole) and digits.issuperset(fraction)


def shortest_digits(value: float) -> tuple[str, int]:
    """Give the fewest digits that read back as this finite double, and where the point is: 1234.5 -> ("12345", 4)."""
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    return digits.rstrip("0") or "0", point if digits else 1


def _special(value: float, plus: str, minus: str) -> str:
    if value != value:  # noqa: PLR0124 - NaN
        return "NaN"
    return plus if value == float("inf") else minus if value == float("-inf") else ""


def _sign(value: float) -> str:
    return "-" if repr(value)[0] == "-" else ""


def _with_exponent(digits: str, point: int, *, least: int) -> str:
    power = point - 1
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{digits[0]}{fraction}e{'-' if power < 0 else '+'}{str(abs(power)).rjust(least, '0')}"


def _without_exponent(digits: str, point: int) -> str:
    if point <= 0:
        return f"0.{'0' * -point}{digits}"
    if point >= len(digits):
        return digits + "0" * (point - len(digits))
    return f"{digits[:point]}.{digits[point:]}"


def general_text(value: float) -> str:
    """`string(x)`: Go's `%g`: 100000, 1e+06, 0.0001, 1e-05, +Inf."""
    special = _special(value, "+Inf", "-Inf")
    if special:
        return special
    digits, point = shortest_digits(value)
    text = _without_exponent(digits, point) if -4 < point <= _EXPONENT_FROM else _with_exponent(digits, point, least=2)
    return _sign(value) + text


def plain_text(value: float) -> str:
    """`%s` and `%d` of a double, and seconds of a duration: never an exponent: 1000000, 0.000001, Infinity."""
    special = _special(value, "Infinity", "-Infinity")
    return special or _sign(value) + _without_exponent(*shortest_digits(value))


def json_text(value: float) -> str:
    """Write a finite double as Go's encoding/json does: an exponent below 1e-6 and from 1e21 on."""
    digits, point = shortest_digits(value)
    if value == 0 or _PLAIN_FROM <= abs(value) < _PLAIN_BELOW:
        return _sign(value) + _without_exponent(digits, point)
    return _sign(value) + _with_exponent(digits, point, least=1)
