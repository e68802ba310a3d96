"""
Plain JSON values to YAML text that every reader understands alike.

Enters: one JSON value.  Leaves: its YAML text in block style, keys in the order given, lists at the indentation of their key (as
kubectl writes them).  Not known here: what the value is, where it goes, how documents are joined.

A string is written without quotes only when PyYAML (YAML 1.1), go-yaml v2 (sigs.k8s.io/yaml: kubectl, Argo CD) and go-yaml v3
(kpt, kustomize) all read it as that string; quotes are cheap and a wrong type is not.  Text of several lines becomes a literal
block (`|`, `|-`, `|+`) when the block is exact, and a double-quoted scalar otherwise: a line that ends with a blank, a first
line that is empty or begins with a blank or tab, a carriage return, anything unprintable.

Floats are written with the digits of Go's encoding/json; a whole one has no point, so it comes back as an integer.  Where Go writes `1e+21`, we
write `1.0e+21`: the same number to Go, and a number instead of a string to YAML 1.1.  There are never aliases.

Bounds: 500 levels of nesting, one Python frame each; values come from bounded input (200 levels) and templates of the same bound.
"""

from __future__ import annotations

from krm_fn.read.scalars import number_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from typing import Any

    Json = Any

MAX_DEPTH = 500
_MEMO_SIZE = 8192
_MEMO_KEYS = 2048
_MEMO_INDENTS = 64
_MEMO_LENGTH = 128
_LONGEST_SIMPLE_KEY = 1000
_BLOCK = ""

_PRINTABLE = "\u00a1-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff"
_WORD_START = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_/.")
_FIRST = _WORD_START | frozenset("$(+<=^;")
_AFTER_DASH = _WORD_START | frozenset("-")
_DIGITS = frozenset("0123456789")
_GROUPED = _DIGITS | frozenset("_")
_BY_PREFIX = {"0x": frozenset("0123456789abcdefABCDEF_"), "0o": frozenset("01234567_"), "0b": frozenset("01_")}
_SIGNS = frozenset("+-")
_NUMBER_START = frozenset("+-.0123456789")
_WORDS = frozenset(
    ("y", "n", "yes", "no", "on", "off", "true", "false", "null", ".inf", ".nan", "+.inf", "-.inf", "=", "<<")
)
_LONGEST_WORD = 5
_SHORT_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


class _Scalars(dict[str, str]):
    """The YAML text of a string value, remembered; `_BLOCK` for one that is written as a literal block."""

    __slots__ = ()

    def __missing__(self, value: str) -> str:
        text = _BLOCK if "\n" in value and _fits_block(value) else quoted(value)
        if len(value) <= _MEMO_LENGTH:
            if len(self) >= _MEMO_SIZE:
                self.clear()
            self[value] = text
        return text


class _Keys(dict[str, str]):
    """The indented text of a mapping key with its colon, remembered; `? key` for one too long to stand before a colon."""

    __slots__ = ("pad",)

    def __init__(self, pad: str) -> None:
        super().__init__()
        self.pad = pad

    def __missing__(self, key: str) -> str:
        text = quoted(key)
        if len(text) > _LONGEST_SIMPLE_KEY:
            return f"{self.pad}? {text}\n{self.pad}:"
        text = f"{self.pad}{text}:"
        if len(key) <= _MEMO_LENGTH:
            if len(self) >= _MEMO_KEYS:
                self.clear()
            self[key] = text
        return text


_scalars = _Scalars()
_keys_at: dict[str, _Keys] = {}
_CONSTANTS = {None: "null", True: "true", False: "false"}


def dump(value: Json, indent: int = 0) -> str:
    """
    Write one JSON value as YAML lines, each indented by *indent* spaces; the last one ends with a line break.

    Errors: ValueError for NaN, infinities, lone surrogates (no reader takes them) and nesting beyond 500; TypeError for what
            is not JSON. The rooms before this one let none of these through.
    """
    out: list[str] = []
    pad = " " * indent
    if value.__class__ is dict and value:
        _mapping(out, value, pad, 1)
    elif value.__class__ is list and value:
        _sequence(out, value, pad, 1)
    else:
        out.append(pad + _leaf(value, pad))
    out.append("")
    return "\n".join(out)


def quoted(text: str) -> str:
    """Write a string as a YAML scalar of one line, with quotes when it needs them. Errors: ValueError for lone surrogates."""
    if _is_plain(text):
        return text
    if text and not _is_printable(text):
        import re

        return '"' + re.sub(f"[^ !#-[\\]-~{_PRINTABLE}]", _escape, text) + '"'
    if '"' in text or "\\" in text:
        return "'" + text.replace("'", "''") + "'"
    return f'"{text}"'


def _mapping(out: list[str], value: dict[str, Json], pad: str, depth: int) -> None:
    """Append the lines of a mapping that is not empty."""
    if depth > MAX_DEPTH:
        raise ValueError(f"nesting is deeper than {MAX_DEPTH} levels")
    keys = _keys_at.get(pad)
    if keys is None:
        if len(_keys_at) >= _MEMO_INDENTS:
            _keys_at.clear()
        keys = _keys_at[pad] = _Keys(pad)
    scalars, append = _scalars, out.append
    for key, item in value.items():
        cls = item.__class__
        if cls is str:
            append(f"{keys[key]} {scalars[item] or _block(item, pad)}")
        elif cls is dict and item:
            append(keys[key])
            _mapping(out, item, pad + "  ", depth + 1)
        elif cls is list and item:
            append(keys[key])
            _sequence(out, item, pad, depth + 1)
        elif cls is int:
            append(f"{keys[key]} {item}")
        else:
            append(f"{keys[key]} {_leaf(item, pad)}")


def _sequence(out: list[str], value: list[Json], pad: str, depth: int) -> None:
    """Append the lines of a list that is not empty; an item's first line carries the dash."""
    if depth > MAX_DEPTH:
        raise ValueError(f"nesting is deeper than {MAX_DEPTH} levels")
    inner = pad + "  "
    width = len(inner)
    for item in value:
        cls = item.__class__
        if cls is dict and item:
            first = len(out)
            _mapping(out, item, inner, depth + 1)
            out[first] = f"{pad}- {out[first][width:]}"
        elif cls is list and item:
            first = len(out)
            _sequence(out, item, inner, depth + 1)
            out[first] = f"{pad}- {out[first][width:]}"
        else:
            out.append(f"{pad}- {_leaf(item, pad)}")


def _leaf(value: Json, pad: str) -> str:
    """Write a scalar or an empty collection."""
    if isinstance(value, str):
        return _scalars[value] or _block(value, pad)
    if value is None or value is True or value is False:
        return _CONSTANTS[value]
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        return _number(value)
    if value in ({}, []):
        return "{}" if isinstance(value, dict) else "[]"
    raise TypeError(f"{type(value).__name__} is not a JSON type")


def _number(value: float) -> str:
    if value - value != 0.0:
        raise ValueError(f"{value} has no place in JSON")
    mantissa, e, exponent = number_text(value).partition("e")
    return f"{mantissa}.0e{exponent}" if e and "." not in mantissa else mantissa + e + exponent


def _block(text: str, pad: str) -> str:
    """Write text of several lines as a literal block below *pad*."""
    lines = text.split("\n")
    if lines[-1]:
        header = "|-"
    else:
        lines.pop()
        header = "|+" if not lines[-1] else "|"
    indent = pad + "  "
    return "\n".join([header, *(indent + line if line else "" for line in lines)])


def _fits_block(text: str) -> bool:
    """Whether a literal block gives back exactly this text in every reader."""
    return (
        text[0] not in " \t\n"
        and _is_printable(text.replace("\n", "").replace("\t", ""))
        and " \n" not in text
        and "\t\n" not in text
        and text[-1] not in " \t"
    )


def _is_plain(text: str) -> bool:
    """Whether every reader takes the text, without quotes, for this string."""
    if not text or not _is_printable(text):
        return False
    first = text[0]
    if first not in _FIRST and first.isascii() and not (first == "-" and text[1:2] in _AFTER_DASH and len(text) > 1):
        return False
    if text[-1] in " :" or ": " in text or " #" in text or text.startswith(("---", "...")):
        return False
    if first in _NUMBER_START:
        return not _is_like_a_number(text) and text.lower() not in _WORDS
    return len(text) > _LONGEST_WORD or text.lower() not in _WORDS


def _is_like_a_number(text: str) -> bool:
    """Whether some reader may take the text for a number, a time of day (base 60) or a date."""
    body = text[1:] if text[0] in _SIGNS else text
    digits = _BY_PREFIX.get(body[:2].lower())
    if digits is not None and digits.issuperset(_without_sign(body[2:]) if body[1] not in "xX" else body[2:]):
        return True
    mantissa, _, exponent = body.replace("E", "e", 1).partition("e")
    if _GROUPED.issuperset(mantissa.replace(".", "", 1)) and _GROUPED.issuperset(_without_sign(exponent)):
        return True
    places, _, fraction = body.partition(".")
    if ":" in places and all(places.split(":")) and _GROUPED.issuperset(places.replace(":", "") + fraction):
        return True
    year, _, rest = text.partition("-")
    month, _, day = rest.partition("-")
    return len(year) == 4 and len(month) in (1, 2) and day[:1] in _DIGITS and _DIGITS.issuperset(year + month)


def _without_sign(digits: str) -> str:
    return digits[1:] if digits[:1] in _SIGNS else digits


def _is_printable(text: str) -> bool:
    """Whether every reader takes all of the text as it is."""
    if text.isascii():
        return text.isprintable()
    # Imported and compiled when first needed: a class of this size takes longer to compile than all the rest of this module.
    import re

    return re.fullmatch(f"[ -~{_PRINTABLE}]*", text) is not None


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    short = _SHORT_ESCAPES.get(character)
    if short is not None:
        return short
    code = ord(character)
    if 0xD800 <= code < 0xE000:
        raise ValueError(f"U+{code:04X}, half of a surrogate pair, cannot be written")
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
