"""
Text -> tokens.

Enters: the text of one expression.  Leaves: `Token` tuples in order, closed by an end token.  Not known here: grammar.
Offsets count code points from 0. White space and comments leave no token. Literals are converted here, so that
a problem inside of one is reported at its own place. Source: cel-go v0.27.0 parser/gen/CEL.g4, parser/unescape.go.
"""

from __future__ import annotations

import re

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

_TOKEN = re.compile(
    r"(?:[ \t\r\n\f]|//[^\n]*)*"
    r"(?:([bB]?[rR]?)([\"'])"
    r"|([A-Za-z_]\w*)"
    r"|(\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?|0x[0-9a-fA-F]+[uU]?|\d+[uU]?)"
    r"|([=!<>]=|&&|\|\||[][(){}.,?:<>!+*/%-])"
    r"|(\Z))",
    re.ASCII,
)
QUOTE_GROUP, NAME_GROUP, NUMBER_GROUP, OPERATOR_GROUP, END_GROUP = 2, 3, 4, 5, 6
_PLAIN = {'"': re.compile(r'[^"\\\r\n]*'), "'": re.compile(r"[^'\\\r\n]*")}
_SIMPLE_ESCAPES = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    '"': '"', "'": "'", "\\": "\\", "?": "?", "`": "`",
}  # fmt: skip
_HEX_LENGTHS = {"x": 2, "X": 2, "u": 4, "U": 8}
_HEX = frozenset("0123456789abcdefABCDEF")


def tokenize(text: str) -> list[Token]:
    """Split *text*. Errors: CelSyntaxError with the first character that no token begins with, or a bad literal."""
    tokens: list[Token] = []
    match = _TOKEN.match
    position = 0
    while True:
        found = match(text, position)
        if found is None:
            raise CelSyntaxError([_unexpected_character(text, position)])
        group = found.lastindex or END_GROUP
        start, position = found.span(group)
        if group == OPERATOR_GROUP:
            operator = found[group]
            tokens.append((operator, operator, start, position))
        elif group == NAME_GROUP:
            name = found[group]
            if name in WORDS:
                tokens.append((LITERAL, WORDS[name], start, position))
            else:
                tokens.append(("in" if name == "in" else NAME, name, start, position))
        elif group == QUOTE_GROUP:
            tokens.append(_text_literal(text, found.start(1), start))
            position = tokens[-1][3]
        elif group == NUMBER_GROUP:
            tokens.append(_number(found[group], start, position))
        else:
            tokens.append((END, "", position, position))
            return tokens


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
        plain = _PLAIN[quote].match(text, quote_at + 1)
        end = plain.end() if plain else quote_at
        if text[end : end + 1] == quote and (end > quote_at + 1 or text[end + 1 : end + 2] != quote):
            return (LITERAL, text[quote_at + 1 : end], start, end + 1)
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


def _unexpected_character(text: str, position: int) -> Problem:
    skipped = re.compile(r"(?:[ \t\r\n\f]|//[^\n]*)*").match(text, position)
    at = skipped.end() if skipped else position
    character = text[at]
    shown = character if character.isprintable() else f"U+{ord(character):04X}"
    return Problem(_HINTS.get(character, f"'{shown}' is not a character of the expression language"), at, 1)
