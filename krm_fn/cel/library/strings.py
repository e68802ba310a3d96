"""
The methods of strings, and `join` of a list of them.

Enters: strings, positions counted in code points from 0.  Leaves: strings, positions, lists of strings.
Not known here: patterns (`patterns`), `format` (`formatting`).

Source: cel-go v0.27.0 ext/strings.go and common/types/string.go; Go's strings package.
"""

from __future__ import annotations

from krm_fn.cel.budget import spend
from krm_fn.cel.errors import BAD_ARGUMENT, BUDGET, EvaluationError
from krm_fn.cel.library.overload import MAX_ELEMENTS, MAX_TEXT, function, member, on_known_elements

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_UPPER = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_WHITE_SPACE = "\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
_ESCAPES = str.maketrans(
    {
        "\a": "\\a",
        "\b": "\\b",
        "\f": "\\f",
        "\n": "\\n",
        "\r": "\\r",
        "\t": "\\t",
        "\v": "\\v",
        "\\": "\\\\",
        '"': '\\"',
    }
)


def _out_of_range(call: str, index: int) -> EvaluationError:
    """Refuse a position outside a string: an error of the author, not data pending, as its kind says."""
    return EvaluationError(BAD_ARGUMENT, f"{call}: index {index} is out of range")


def _char_at(text: str, index: int) -> str:
    if not 0 <= index <= len(text):
        raise _out_of_range("charAt", index)
    return text[index : index + 1]


def _index_of(text: str, part: str) -> int:
    return text.find(part)


def _index_of_from(text: str, part: str, start: int) -> int:
    """Find the empty string wherever one looks, even outside. # sic: cel-go."""
    if not part:
        return start
    if start < 0:
        raise _out_of_range("indexOf", start)
    return text.find(part, start)


def _last_index_of(text: str, part: str) -> int:
    return text.rfind(part)


def _last_index_of_from(text: str, part: str, start: int) -> int:
    """Find a match that begins at *start* or before; from the end or past it none. # sic: cel-go."""
    if not part:
        return start
    if start < 0:
        raise _out_of_range("lastIndexOf", start)
    return -1 if start >= len(text) else text.rfind(part, 0, start + len(part))


def _lower_ascii(text: str) -> str:
    _pay_for_translation(text)
    return text.translate(_LOWER)


def _pay_for_translation(text: str) -> None:
    """Python looks up each character in a table, but for those of a text in ASCII."""
    if not text.isascii():
        spend(len(text))


def _upper_ascii(text: str) -> str:
    _pay_for_translation(text)
    return text.translate(_UPPER)


def _replace(text: str, old: str, new: str) -> str:
    return _replace_some(text, old, new, -1)


def _replace_some(text: str, old: str, new: str, limit: int) -> str:
    growth = len(new) - len(old)
    if growth > 0 and len(text) + growth * (len(text) + 1) > MAX_TEXT:
        count = len(text) + 1 if not old else text.count(old)
        if len(text) + growth * (min(count, limit) if limit >= 0 else count) > MAX_TEXT:
            raise EvaluationError(BUDGET, f"replace: a text of more than {MAX_TEXT} characters")
    return text.replace(old, new, limit)


def _split(text: str, separator: str) -> list[str]:
    return _split_some(text, separator, -1)


def _split_some(text: str, separator: str, limit: int) -> list[str]:
    """Give at most *limit* parts, the last one the rest; 0 gives none, a negative limit all of them."""
    if limit == 0:
        return []
    if separator:
        return _short(text.split(separator, limit - 1 if limit > 0 else -1))
    if 0 < limit < len(text):
        return _short([*text[: limit - 1], text[limit - 1 :]])
    return _short(list(text))


def _short(parts: list[str]) -> list[str]:
    if len(parts) > MAX_ELEMENTS:
        raise EvaluationError(BUDGET, f"split: more than {MAX_ELEMENTS} parts")
    return parts


def _substring(text: str, start: int) -> str:
    if not 0 <= start <= len(text):
        raise _out_of_range("substring", start)
    return text[start:]


def _substring_between(text: str, start: int, end: int) -> str:
    if start > end:
        raise EvaluationError(BAD_ARGUMENT, f"substring({start}, {end}): the start is after the end")
    for index in (start, end):
        if not 0 <= index <= len(text):
            raise _out_of_range("substring", index)
    return text[start:end]


def _trim(text: str) -> str:
    return text.strip(_WHITE_SPACE)


def _reverse(text: str) -> str:
    return text[::-1]


def _quote(text: str) -> str:
    return f'"{text.translate(_ESCAPES)}"'


def _contains(text: str, part: str) -> bool:
    return part in text


def _starts_with(text: str, part: str) -> bool:
    return text.startswith(part)


def _ends_with(text: str, part: str) -> bool:
    return text.endswith(part)


@on_known_elements
def _join(parts: list[Any], separator: str = "") -> str:
    length = len(separator) * len(parts)
    for part in parts:
        if type(part) is not str:
            raise EvaluationError(BAD_ARGUMENT, f"join: {type(part).__name__} among the strings")
        length += len(part)
    if length > MAX_TEXT:
        raise EvaluationError(BUDGET, f"join: a text of more than {MAX_TEXT} characters")
    return separator.join(parts)


OVERLOADS = (
    member(
        "contains_string",
        "contains",
        ("string", "string"),
        "bool",
        _contains,
        "Whether the part occurs.",
        '"abc".contains("bc")',
    ),
    member(
        "starts_with_string",
        "startsWith",
        ("string", "string"),
        "bool",
        _starts_with,
        "Whether the string starts so.",
        '"abc".startsWith("ab")',
    ),
    member(
        "ends_with_string",
        "endsWith",
        ("string", "string"),
        "bool",
        _ends_with,
        "Whether the string ends so.",
        '"abc".endsWith("bc")',
    ),
    member(
        "string_char_at_int",
        "charAt",
        ("string", "int"),
        "string",
        _char_at,
        "The code point at the index; at the end an empty string.",
        '"abc".charAt(1) == "b"',
        '"abc".charAt(3) == ""',
    ),
    member(
        "string_index_of_string",
        "indexOf",
        ("string", "string"),
        "int",
        _index_of,
        "Where the part first occurs, or -1.",
        '"hello".indexOf("l") == 2',
    ),
    member(
        "string_index_of_string_int",
        "indexOf",
        ("string", "string", "int"),
        "int",
        _index_of_from,
        "Where the part first occurs from the index on, or -1.",
        '"hello".indexOf("l", 3) == 3',
        '"abc".indexOf("b", 9) == -1',
    ),
    member(
        "string_last_index_of_string",
        "lastIndexOf",
        ("string", "string"),
        "int",
        _last_index_of,
        "Where the part last occurs, or -1.",
        '"hello".lastIndexOf("l") == 3',
    ),
    member(
        "string_last_index_of_string_int",
        "lastIndexOf",
        ("string", "string", "int"),
        "int",
        _last_index_of_from,
        "Where the part last begins at the index or before, or -1.",
        '"hello".lastIndexOf("l", 2) == 2',
    ),
    member(
        "string_lower_ascii",
        "lowerAscii",
        ("string",),
        "string",
        _lower_ascii,
        "A to Z become a to z; all else stays.",
        '"ÄB".lowerAscii() == "Äb"',
    ),
    member(
        "string_upper_ascii",
        "upperAscii",
        ("string",),
        "string",
        _upper_ascii,
        "a to z become A to Z; all else stays.",
        '"äb".upperAscii() == "äB"',
    ),
    member(
        "string_replace_string_string",
        "replace",
        ("string", "string", "string"),
        "string",
        _replace,
        "Every occurrence replaced.",
        '"aba".replace("a", "c") == "cbc"',
    ),
    member(
        "string_replace_string_string_int",
        "replace",
        ("string", "string", "string", "int"),
        "string",
        _replace_some,
        "The first occurrences replaced, all where the number is negative.",
        '"aba".replace("a", "c", 1) == "cba"',
    ),
    member(
        "string_split_string",
        "split",
        ("string", "string"),
        "list(string)",
        _split,
        "The parts between the separators; between all code points where it is empty.",
        '"a,b".split(",") == ["a", "b"]',
        '"ab".split("") == ["a", "b"]',
    ),
    member(
        "string_split_string_int",
        "split",
        ("string", "string", "int"),
        "list(string)",
        _split_some,
        "At most so many parts, the last one the rest; all where the number is negative.",
        '"a,b,c".split(",", 2) == ["a", "b,c"]',
        '"a".split(",", 0) == []',
    ),
    member(
        "string_substring_int",
        "substring",
        ("string", "int"),
        "string",
        _substring,
        "From the index on.",
        '"hello".substring(2) == "llo"',
    ),
    member(
        "string_substring_int_int",
        "substring",
        ("string", "int", "int"),
        "string",
        _substring_between,
        "From the first index to before the second.",
        '"hello".substring(1, 3) == "el"',
    ),
    member(
        "string_trim",
        "trim",
        ("string",),
        "string",
        _trim,
        "Without white space at both ends.",
        '" a\\n".trim() == "a"',
    ),
    member(
        "string_reverse",
        "reverse",
        ("string",),
        "string",
        _reverse,
        "The code points in reverse.",
        '"abc".reverse() == "cba"',
    ),
    member(
        "list_join",
        "join",
        ("list(string)",),
        "string",
        _join,
        "The strings, one after the other.",
        '["a", "b"].join() == "ab"',
    ),
    member(
        "list_join_string",
        "join",
        ("list(string)", "string"),
        "string",
        _join,
        "The strings with the separator between them.",
        '["a", "b"].join(", ") == "a, b"',
    ),
    function(
        "strings_quote",
        "strings.quote",
        ("string",),
        "string",
        _quote,
        "In double quotes, with escapes for quotes, backslashes and control characters.",
        'strings.quote("a\\"b") == r\'"a\\"b"\'',
    ),
)
