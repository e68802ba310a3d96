"""
Text -> tokens.

Enters: the text of one expression.  Leaves: `Token` tuples in order, closed by an end token.  Not known here: grammar.
Offsets count code points from 0. White space and comments leave no token. Literals are converted here, so that
a problem inside of one is reported at its own place. Source: cel-go v0.27.0 parser/gen/CEL.g4, parser/unescape.go.
"""

from __future__ import annotations

from krm_fn.cel.errors import CelSyntaxError, Problem
from krm_fn.cel.values import Uint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Token: TypeAlias = tuple[str, object, int, int]

NAME = "name"
LITERAL = "literal"
NUMBER = "number"
"""An int or double token without its sign: the parser joins a single `-` to it."""
END = "end"
"""Kinds of tokens; an operator or bracket is its own kind. A token is (kind, value, start, end)."""

WORDS = {"true": True, "false": False, "null": None}
INT_MAX = 2**63 - 1
UINT_MAX = 2**64 - 1

_DIGITS = frozenset("0123456789")
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
_SPACE = frozenset(" \t\r\n\f")
_ALONE = frozenset("[](){},?:+*%-")
_OPERATORS = frozenset([".", "<", ">", "!", "/", "==", "!=", "<=", ">=", "&&", "||"])
_QUOTES = frozenset("\"'")
_PREFIXES = frozenset(["b", "B", "r", "R", "br", "bR", "Br", "BR"])
_EXPONENT, _SIGN, _UNSIGNED = frozenset("eE"), frozenset("+-"), frozenset("uU")
_WORDS = "".join(c if c in _LETTERS or c in _DIGITS else " " for c in map(chr, range(128)))
"""A table for `str.translate` that leaves the letters and digits of an ASCII text and makes spaces of all else."""

_SIMPLE_ESCAPES = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    '"': '"', "'": "'", "\\": "\\", "?": "?", "`": "`",
}  # fmt: skip
_HEX_LENGTHS = {"x": 2, "X": 2, "u": 4, "U": 8}
_HEX = frozenset("0123456789abcdefABCDEF")


def tokenize(text: str) -> list[Token]:
    """Split *text*. Errors: CelSyntaxError with the first character that no token begins with, or a bad literal."""
    # Importing `re` takes longer than all else of the engine; this loop is as fast as its matches are.
    tokens: list[Token] = []
    # A word ends at the next space of this, which one search finds.
    words = (text if text.isascii() else text.encode("ascii", "replace").decode()).translate(_WORDS) + " "
    length = len(text)
    position = 0
    while position < length:
        character = text[position]
        if character in _SPACE:
            position += 1
        elif character in _LETTERS:
            start, position = position, words.find(" ", position)
            name = text[start:position]
            if name in WORDS:
                tokens.append((LITERAL, WORDS[name], start, position))
            elif name == "in":
                tokens.append(("in", name, start, position))
            elif name in _PREFIXES and text[position : position + 1] in _QUOTES:
                tokens.append(_text_literal(text, start, position))
                position = tokens[-1][3]
            else:
                tokens.append((NAME, name, start, position))
        elif character in _ALONE:
            tokens.append((character, character, position, position + 1))
            position += 1
        elif character in _QUOTES:
            tokens.append(_text_literal(text, position, position))
            position = tokens[-1][3]
        elif character in _DIGITS or (character == "." and text[position + 1 : position + 2] in _DIGITS):
            end = _end_of_number(text, position)
            tokens.append(_number(text[position:end], position, end))
            position = end
        elif text.startswith("//", position):
            position = text.find("\n", position)
            if position < 0:
                break
        else:
            operator = text[position : position + 2]
            if operator not in _OPERATORS:
                operator = character
                if operator not in _OPERATORS:
                    raise CelSyntaxError([_unexpected_character(character, position)])
            start, position = position, position + len(operator)
            tokens.append((operator, operator, start, position))
    tokens.append((END, "", length, length))
    return tokens


def _end_of_number(text: str, start: int) -> int:
    """Where the number that begins at *start* ends: `12`, `12u`, `0x1F`, `1.5`, `.5`, `1e3`, `1.5e-3`. As much as makes one."""
    if text.startswith("0x", start) and text[start + 2 : start + 3] in _HEX:
        end = _end_of(_HEX, text, start + 2)
        return end + 1 if text[end : end + 1] in _UNSIGNED else end
    whole = end = _end_of(_DIGITS, text, start)
    if text[end : end + 1] == "." and text[end + 1 : end + 2] in _DIGITS:
        end = _end_of(_DIGITS, text, end + 1)
    if text[end : end + 1] in _EXPONENT:
        digits = end + 2 if text[end + 1 : end + 2] in _SIGN else end + 1
        if text[digits : digits + 1] in _DIGITS:
            return _end_of(_DIGITS, text, digits)
    return end + 1 if end == whole and text[end : end + 1] in _UNSIGNED else end


def _end_of(characters: frozenset[str], text: str, position: int) -> int:
    """The offset of the first character from *position* on that is none of *characters*."""
    while text[position : position + 1] in characters:
        position += 1
    return position


def _number(text: str, start: int, end: int) -> Token:
    if text[-1] in "uU":
        value = int(text[:-1], 16 if text.startswith("0x") else 10) if len(text) < 32 else UINT_MAX + 1
        if value > UINT_MAX:
            raise CelSyntaxError([Problem(f"{text} is out of range for an unsigned integer", start, end - start)])
        return (LITERAL, Uint(value), start, end)
    if text.startswith("0x"):
        return (NUMBER, int(text, 16) if len(text) < 32 else INT_MAX + 2, start, end)
    if text.isdecimal():
        # Python refuses to convert thousands of digits; leading zeros are legal and harmless.
        digits = text.lstrip("0") or "0"
        return (NUMBER, int(digits) if len(digits) < 32 else INT_MAX + 2, start, end)
    value_ = float(text)
    if value_ in (float("inf"), float("-inf")):
        raise CelSyntaxError([Problem(f"{text[:40]} is out of range for a double", start, end - start)])
    return (NUMBER, value_, start, end)


def _text_literal(text: str, start: int, quote_at: int) -> Token:
    """The string or bytes literal whose prefix begins at *start* and whose quote stands at *quote_at*."""
    prefix = text[start:quote_at].lower()
    quote = text[quote_at]
    if prefix == "":
        # The common case: one line without escapes.
        end = text.find(quote, quote_at + 1)
        plain = text[quote_at + 1 : end]
        if end > quote_at + (text[end + 1 : end + 2] == quote) and not (
            "\\" in plain or "\n" in plain or "\r" in plain
        ):
            return (LITERAL, plain, start, end + 1)
    width = 3 if text.startswith(quote * 3, quote_at) else 1
    raw = "r" in prefix
    begin = quote_at + width
    end = _closing_quote(text, begin, quote * width, raw=raw)
    if end < 0:
        message = f"{quote * width} opens a string that is not closed"
        raise CelSyntaxError([Problem(message, start, quote_at + width - start)])
    is_bytes = "b" in prefix
    body = text[begin:end]
    if raw or "\\" not in body:
        body = body.replace("\r\n", "\n").replace("\r", "\n")
        value: str | bytes = body.encode("utf-8", "surrogatepass") if is_bytes else body
    else:
        value = _unescape(text, begin, end, is_bytes=is_bytes)
    return (LITERAL, value, start, end + width)


def _closing_quote(text: str, begin: int, closing: str, *, raw: bool) -> int:
    """The offset of the closing quote, or -1."""
    one_line = len(closing) == 1
    position = begin
    while position < len(text):
        if text.startswith(closing, position):
            return position
        character = text[position]
        if one_line and character in "\r\n":
            return -1
        position += 2 if character == "\\" and not raw else 1
    return -1


def _unescape(text: str, begin: int, end: int, *, is_bytes: bool) -> str | bytes:
    """The value of `text[begin:end]`, escapes resolved. In bytes, hexadecimal and octal escapes give bytes."""
    pieces: list[bytes] = []
    position = begin
    while position < end:
        slash = text.find("\\", position, end)
        stop = end if slash < 0 else slash
        plain = text[position:stop].replace("\r\n", "\n").replace("\r", "\n")
        pieces.append(plain.encode("utf-8", "surrogatepass"))
        if slash < 0:
            break
        value, position = _escape(text, slash, end, is_bytes=is_bytes)
        pieces.append(value)
    joined = b"".join(pieces)
    return joined if is_bytes else joined.decode("utf-8", "surrogatepass")


def _escape(text: str, slash: int, end: int, *, is_bytes: bool) -> tuple[bytes, int]:
    """One escape sequence: its UTF-8 (or its byte) and the offset behind it."""
    letter = text[slash + 1]
    if letter in _SIMPLE_ESCAPES:
        return _SIMPLE_ESCAPES[letter].encode(), slash + 2
    if letter in "0123":
        digits, stop, base = text[slash + 1 : min(slash + 4, end)], slash + 4, 8
        valid = len(digits) == 3 and all(d in "01234567" for d in digits)
    elif letter in _HEX_LENGTHS:
        stop, base = slash + 2 + _HEX_LENGTHS[letter], 16
        digits = text[slash + 2 : min(stop, end)]
        valid = len(digits) == _HEX_LENGTHS[letter] and _HEX.issuperset(digits)
    else:
        raise CelSyntaxError([Problem(f"\\{letter} is not an escape sequence", slash, 2)])
    if not valid:
        message = f"\\{letter} needs {'three octal' if base == 8 else f'{_HEX_LENGTHS[letter]} hexadecimal'} digits"
        raise CelSyntaxError([Problem(message, slash, 2)])
    code = int(digits, base)
    if is_bytes:
        if letter in "uU":
            raise CelSyntaxError([Problem(f"\\{letter} cannot stand in bytes", slash, stop - slash)])
        return bytes((code,)), stop
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        raise CelSyntaxError([Problem(f"\\{letter}{digits} is not a Unicode character", slash, stop - slash)])
    return chr(code).encode(), stop


_HINTS = {
    "=": "'=' is not an operator: equality is '=='",
    "&": "'&' is not an operator: use '&&'",
    "|": "'|' is not an operator: use '||'",
    "`": "'`' is not supported: a field name in backquotes needs a later version of kro, write x[\"name\"]",
    "\\": "'\\' is only allowed inside of a string",
    "$": "'$' is not an operator: the expression already stands inside of ${...}",
    ";": "';' is not an operator: an expression has one value and no statements",
}


def _unexpected_character(character: str, at: int) -> Problem:
    shown = character if character.isprintable() else f"U+{ord(character):04X}"
    return Problem(_HINTS.get(character, f"'{shown}' is not a character of the expression language"), at, 1)
