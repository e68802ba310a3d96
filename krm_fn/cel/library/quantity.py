"""
Kubernetes quantities: `500m`, `1Gi`, `12e6`.

Enters: texts, ints, quantities.  Leaves: quantities, comparisons, numbers.  Not known here: where quantities come from.

A quantity is unscaled * 10**exponent.  Kubernetes keeps it in 64 bits where it can (`is_small`) and in a decimal of any size
otherwise, and that shows: only the first kind with an exponent of at least 0 is an "integer", so neither `1000m` nor `1Pi` is.  Below
a nano everything is rounded away from zero.  A text that is already canonical is kept, sign and all.

Source: k8s.io/apimachinery v0.35.0 pkg/api/resource; k8s.io/apiserver v0.35.0 pkg/cel/library/quantity.go. Differs: adding to a large
quantity does not change it; exponents and texts are bounded.
"""

from __future__ import annotations

from krm_fn.cel.budget import spend
from krm_fn.cel.errors import BAD_CONVERSION, BUDGET, EvaluationError
from krm_fn.cel.library.overload import Overload, function, member, no_such_overload

DECIMAL, BINARY, EXPONENT = "DecimalSI", "BinarySI", "DecimalExponent"
_MAX_LENGTH = 1_000
_MAX_EXPONENT = 1_000
_NANO = -9
_EQUAL = 25
"""What `==` costs of the evaluation's budget."""
_INT_MIN, _INT_MAX = -(1 << 63), (1 << 63) - 1
_SMALL_DIGITS = 18
_SMALL_BINARY_DIGITS = 14
_DECIMAL_SUFFIXES = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY_SUFFIXES = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL_NAMES = {exponent: suffix for suffix, exponent in _DECIMAL_SUFFIXES.items()}
_BINARY_NAMES = {0: "", **{exponent: suffix for suffix, exponent in _BINARY_SUFFIXES.items()}}
_SUFFIX_LETTERS = frozenset("eEinumkKMGTP")
_DIGITS = frozenset("0123456789")


class Quantity:
    """unscaled * 10**exponent, and how to write it; is_result: made by add or sub, which `==` refuses at its right."""

    __slots__ = ("exponent", "is_result", "is_small", "style", "text", "unscaled")
    cel_type = "kubernetes.Quantity"

    def __init__(self, unscaled: int, exponent: int, style: str, *, is_small: bool, text: str = "") -> None:
        self.unscaled = unscaled
        self.exponent = exponent
        self.style = style
        self.is_small = is_small
        self.text = text
        self.is_result = False

    @property
    def cel_size(self) -> int:
        """How many digits it takes to add or compare it."""
        return self.unscaled.bit_length() // 3 + abs(self.exponent)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Quantity) and _compare(self, other) == 0

    def cel_equals(self, other: object) -> bool:
        """Compare as `==` does. # sic: Kubernetes takes what add and sub return for another type at its right."""
        if not isinstance(other, Quantity) or other.is_result:
            raise no_such_overload("quantity ==", (other,))
        spend(_EQUAL + (self.cel_size + other.cel_size >> 2))
        return self == other

    def __hash__(self) -> int:
        number, powers = _without_factors(self.unscaled, 10) if self.unscaled else (0, -self.exponent)
        return hash((number, self.exponent + powers))

    def __str__(self) -> str:
        return self.text or _canonical(self)


def parse_quantity(text: str) -> Quantity:
    """
    Read a quantity. Digits may be missing where 64 bits suffice: `k` and `-` are 0.

    Errors:  BAD_CONVERSION where Kubernetes would not take the text; BUDGET for texts or exponents without reason.
    """
    if len(text) > _MAX_LENGTH:
        raise EvaluationError(BUDGET, f"quantity: a text of more than {_MAX_LENGTH} characters")
    if text == "0":
        return Quantity(0, 0, DECIMAL, is_small=True, text="0")
    negative, whole, fraction, suffix = _split(text)
    style, exponent = _interpret(text, suffix)
    small = _small(text, whole, fraction, style, exponent, negative=negative)
    if small is not None:
        return small
    if _DIGITS.isdisjoint(text.removesuffix(suffix)):
        raise _not_a_quantity(text)
    return _large(whole, fraction, style, exponent, negative=negative)


def _split(text: str) -> tuple[bool, str, str, str]:
    """Take a text apart into sign, whole part without leading zeros (at least "0"), fraction and suffix."""
    at = 1 if text[:1] in ("+", "-") else 0
    end = _skip(text, at, _DIGITS)
    whole = text[at:end].lstrip("0") or "0"
    fraction_end = end
    if text[end : end + 1] == ".":
        fraction_end = _skip(text, end + 1, _DIGITS)
    fraction = text[end + 1 : fraction_end]
    last = _skip(text, fraction_end, _SUFFIX_LETTERS)
    if text[last : last + 1] in ("+", "-") and last < len(text):
        last += 1
    if _skip(text, last, _DIGITS) != len(text) or not text:
        raise _not_a_quantity(text)
    return text[0] == "-", whole, fraction, text[fraction_end:]


def _skip(text: str, at: int, allowed: frozenset[str]) -> int:
    while at < len(text) and text[at] in allowed:
        at += 1
    return at


def _not_a_quantity(text: str) -> EvaluationError:
    return EvaluationError(BAD_CONVERSION, f"{text[:40]!r} is not a quantity")


def _interpret(text: str, suffix: str) -> tuple[str, int]:
    """`Ki` -> binary 10; `k` -> decimal 3; `e3` -> exponent 3."""
    if suffix in _DECIMAL_SUFFIXES:
        return DECIMAL, _DECIMAL_SUFFIXES[suffix]
    if suffix in _BINARY_SUFFIXES:
        return BINARY, _BINARY_SUFFIXES[suffix]
    digits = suffix[2:] if suffix[1:2] in ("+", "-") else suffix[1:]
    if suffix[0] not in "eE" or not digits or not _DIGITS.issuperset(digits):
        raise _not_a_quantity(text)
    digits = digits.lstrip("0") or "0"
    if len(digits) > 4 or int(digits) > _MAX_EXPONENT:
        raise EvaluationError(BUDGET, f"quantity: an exponent above {_MAX_EXPONENT}")
    return EXPONENT, -int(digits) if suffix[1] == "-" else int(digits)


def _small(text: str, whole: str, fraction: str, style: str, exponent: int, *, negative: bool) -> Quantity | None:
    """Make a quantity of 64 bits, if its digits and suffix let Kubernetes try."""
    if style == BINARY:
        scale, factor = 0, 1 << exponent
        room = _SMALL_BINARY_DIGITS - len(whole) - exponent * 3 // 10 if not fraction else -1
    else:
        scale, factor = exponent - len(fraction), 1
        room = _SMALL_DIGITS - len(whole) - len(fraction)
    if room < 0 or scale < _NANO:
        return None
    digits = whole + fraction
    value = int(digits)
    if style == BINARY:
        is_canonical = value & 7 != 0
    else:
        is_canonical = scale % 3 == 0 and not digits.endswith("000") and digits[0] != "0"
    result = value * factor
    return Quantity(-result if negative else result, scale, style, is_small=True, text=text if is_canonical else "")


def _large(whole: str, fraction: str, style: str, exponent: int, *, negative: bool) -> Quantity:
    """Make a quantity of any size: to nine decimals, away from zero; binary ones end at the largest int."""
    unscaled, scale = int(whole + fraction), -len(fraction)
    if style == BINARY:
        unscaled <<= exponent
    else:
        scale += exponent
    if unscaled:
        unscaled, scale = _rounded_up(unscaled, scale, _NANO), _NANO
    if style == BINARY:
        if unscaled > _INT_MAX * 10**-scale:
            unscaled, scale = _INT_MAX, 0
        elif 0 < unscaled < 10**-scale:
            style = DECIMAL
    return Quantity(-unscaled if negative else unscaled, scale, style, is_small=False)


def _rounded_up(unscaled: int, scale: int, wanted: int) -> int:
    """Write unscaled * 10**scale in units of 10**wanted, away from zero."""
    if scale >= wanted:
        return unscaled * _power(scale - wanted)
    quotient, rest = divmod(abs(unscaled), _power(wanted - scale))
    quotient += rest > 0
    return -quotient if unscaled < 0 else quotient


def _power(exponent: int) -> int:
    """Give ten to a power that is not negative, as an int."""
    power: int = 10**exponent
    return power


def _canonical(q: Quantity) -> str:
    """Write the number with the largest suffix that leaves no fraction. # sic: beyond E a decimal loses its zeros."""
    if q.unscaled == 0:
        return "0"
    whole = _rounded_up(q.unscaled, q.exponent, 0)
    is_whole = q.exponent >= 0 or whole * 10**-q.exponent == q.unscaled
    if q.style == BINARY and is_whole and abs(whole) >= 1024:
        number, powers = _without_factors(whole, 1024)
        return f"{number}{_BINARY_NAMES.get(powers * 10, '')}"
    number, powers = _without_factors(q.unscaled, 10)
    exponent = q.exponent + powers
    number *= _power(exponent % 3)
    exponent -= exponent % 3
    if q.style == EXPONENT:
        return f"{number}e{exponent}" if exponent else str(number)
    return f"{number}{_DECIMAL_NAMES.get(exponent, '')}"


def _without_factors(number: int, factor: int) -> tuple[int, int]:
    powers = 0
    while number % factor == 0:
        number //= factor
        powers += 1
    return number, powers


def _compare(first: Quantity, second: Quantity) -> int:
    shared = min(first.exponent, second.exponent)
    a = first.unscaled * _power(first.exponent - shared)
    b = second.unscaled * _power(second.exponent - shared)
    return (a > b) - (a < b)


def _is_quantity(text: str) -> bool:
    try:
        parse_quantity(text)
    except EvaluationError as e:
        if e.kind == BAD_CONVERSION:
            return False
        raise
    return True


def _sign(q: Quantity) -> int:
    return (q.unscaled > 0) - (q.unscaled < 0)


def _is_integer(q: Quantity) -> bool:
    return _integer(q) is not None


def _as_integer(q: Quantity) -> int:
    value = _integer(q)
    if value is None:
        raise EvaluationError(BAD_CONVERSION, f"asInteger: {str(q)[:40]} is not kept as an integer")
    return value


def _integer(q: Quantity) -> int | None:
    """Kubernetes gives an integer only of its small form. # sic: -2**63 times a power of ten is none either."""
    if not q.is_small or q.exponent < 0:
        return None
    value = q.unscaled * _power(q.exponent)
    return value if _INT_MIN <= value <= _INT_MAX else None


def _as_float(q: Quantity) -> float:
    """Multiply two rounded doubles, as Kubernetes does: the last digit may differ from the nearest double."""
    try:
        base = float(q.unscaled)
    except OverflowError:
        base = float("-inf") if q.unscaled < 0 else float("inf")
    return base * float(f"1e{q.exponent}") if q.exponent else base


def _add(first: Quantity, second: Quantity) -> Quantity:
    return _sum(first, second, second.unscaled)


def _sub(first: Quantity, second: Quantity) -> Quantity:
    return _sum(first, second, -second.unscaled)


def _add_int(q: Quantity, number: int) -> Quantity:
    return _add(q, Quantity(number, 0, EXPONENT, is_small=True))


def _sub_int(q: Quantity, number: int) -> Quantity:
    return _sub(q, Quantity(number, 0, EXPONENT, is_small=True))


def _sum(first: Quantity, second: Quantity, addend: int) -> Quantity:
    """Add in the style of the first, or of the second where the first is 0; in 64 bits where both and the result fit."""
    style = first.style if first.unscaled else second.style
    is_small = first.is_small and second.is_small
    if is_small and addend == 0:
        unscaled, exponent = first.unscaled, first.exponent
    elif is_small and first.unscaled == 0:
        unscaled, exponent = addend, second.exponent
    else:
        exponent = min(first.exponent, second.exponent)
        terms = first.unscaled * 10 ** (first.exponent - exponent), addend * 10 ** (second.exponent - exponent)
        unscaled = sum(terms)
        is_small = is_small and all(_INT_MIN <= number <= _INT_MAX for number in (*terms, unscaled))
    result = Quantity(unscaled, exponent, style, is_small=is_small)
    result.is_result = True
    return result


def _is_greater(first: Quantity, second: Quantity) -> bool:
    return _compare(first, second) > 0


def _is_less(first: Quantity, second: Quantity) -> bool:
    return _compare(first, second) < 0


_TYPE = "kubernetes.Quantity"
_PAIR = (_TYPE, _TYPE)

OVERLOADS: tuple[Overload, ...] = (
    function(
        "string_to_quantity",
        "quantity",
        ("string",),
        _TYPE,
        parse_quantity,
        "The quantity of a text; an error where it is none.",
        'quantity("1Ki") == quantity("1024")',
    ),
    function(
        "is_quantity_string",
        "isQuantity",
        ("string",),
        "bool",
        _is_quantity,
        "Whether the text is a quantity.",
        'isQuantity("500m")',
        '!isQuantity("1 G")',
    ),
    function(
        "quantity_sign",
        "sign",
        (_TYPE,),
        "int",
        _sign,
        "1, 0 or -1. A function, not a method.",
        'sign(quantity("-5")) == -1',
    ),
    member(
        "quantity_is_greater_than",
        "isGreaterThan",
        _PAIR,
        "bool",
        _is_greater,
        "Whether the quantity is above the other.",
        'quantity("1Gi").isGreaterThan(quantity("1G"))',
    ),
    member(
        "quantity_is_less_than",
        "isLessThan",
        _PAIR,
        "bool",
        _is_less,
        "Whether the quantity is below the other.",
        'quantity("1M").isLessThan(quantity("1Mi"))',
    ),
    member(
        "quantity_compare_to",
        "compareTo",
        _PAIR,
        "int",
        _compare,
        "1, 0 or -1.",
        'quantity("1k").compareTo(quantity("1000")) == 0',
    ),
    member(
        "quantity_get_float",
        "asApproximateFloat",
        (_TYPE,),
        "double",
        _as_float,
        "A double near it.",
        'quantity("100m").asApproximateFloat() == 0.1',
    ),
    member(
        "quantity_get_int",
        "asInteger",
        (_TYPE,),
        "int",
        _as_integer,
        "The int that it is; an error where isInteger() is false.",
        'quantity("50k").asInteger() == 50000',
    ),
    member(
        "quantity_is_integer",
        "isInteger",
        (_TYPE,),
        "bool",
        _is_integer,
        "Whether Kubernetes keeps it as an integer: no fraction, not even .0, and not too large.",
        'quantity("1Gi").isInteger()',
        '!quantity("1000m").isInteger()',
    ),
    member(
        "quantity_add",
        "add",
        _PAIR,
        _TYPE,
        _add,
        "The sum.",
        'quantity("1k").add(quantity("1")).compareTo(quantity("1001")) == 0',
    ),
    member(
        "quantity_add_int",
        "add",
        (_TYPE, "int"),
        _TYPE,
        _add_int,
        "The sum.",
        'quantity("1k").add(1).asInteger() == 1001',
    ),
    member(
        "quantity_sub",
        "sub",
        _PAIR,
        _TYPE,
        _sub,
        "The difference.",
        'quantity("1Gi").sub(quantity("1Mi")).compareTo(quantity("1023Mi")) == 0',
    ),
    member(
        "quantity_sub_int",
        "sub",
        (_TYPE, "int"),
        _TYPE,
        _sub_int,
        "The difference.",
        'quantity("50k").sub(20000).asInteger() == 30000',
    ),
)
