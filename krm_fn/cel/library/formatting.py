"""
`format`: texts with `%s %d %f %e %b %x %X %o`.

Enters: a format and a list of values.  Leaves: a text.  Not known here: types that the checker knows; it asks `clauses` for what a
literal format wants.

Source: cel-go v0.27.0 ext/formatting_v2.go. Only `%f` and `%e` use a precision, 6 where none is given; other verbs read and ignore it.
"""

from __future__ import annotations

from krm_fn.cel.budget import spend
from krm_fn.cel.errors import BAD_ARGUMENT, BUDGET, EvaluationError
from krm_fn.cel.library.numerals import plain_text
from krm_fn.cel.library.overload import MAX_TEXT, Overload, describe, kind_of, member, on_known_content
from krm_fn.cel.values import TypeValue, Uint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

_DEFAULT_PRECISION = 6
_MAX_PRECISION = 100_000
_MAX_DEPTH = 1_000
_CLAUSE, _TEXT, _ELEMENT, _NUMBER = 25, 14, 12, 32
"""What a clause, the text between two, an element of a list, a double or a time costs of the evaluation's budget."""

_VERBS = "sdfebxXo"
_DIGITS = frozenset("0123456789")
VERB_TYPES = {
    "s": (
        "string",
        "bool",
        "int",
        "uint",
        "double",
        "bytes",
        "duration",
        "timestamp",
        "null_type",
        "type",
        "list",
        "map",
    ),
    "d": ("int", "uint", "double"),
    "f": ("int", "uint", "double"),
    "e": ("int", "uint", "double"),
    "b": ("int", "uint", "bool"),
    "x": ("int", "uint", "string", "bytes"),
    "X": ("int", "uint", "string", "bytes"),
    "o": ("int", "uint"),
}
"""What each verb takes: the checker holds the arguments of literal formats to it."""


class Clause:
    """One `%` of a format: its verb and precision. A clause without a verb is the plain text between two others."""

    __slots__ = ("precision", "text", "verb")

    def __init__(self, verb: str, precision: int = _DEFAULT_PRECISION, text: str = "") -> None:
        self.verb = verb
        self.precision = precision
        self.text = text


def clauses(template: str) -> Iterator[Clause]:
    """
    Take a format apart, lazily: what comes before a mistake is given first.

    Errors:  BAD_ARGUMENT for an unknown verb or an unfinished clause.
    """
    at = 0
    while at < len(template):
        percent = template.find("%", at)
        if percent < 0:
            yield Clause("", text=template[at:])
            return
        if percent > at:
            yield Clause("", text=template[at:percent])
        at = percent + 1
        if template[at : at + 1] == "%":
            yield Clause("", text="%")
            at += 1
            continue
        precision, at = _precision(template, at)
        verb = template[at : at + 1]
        if verb not in _VERBS or not verb:
            shown = f"%{verb}" if verb else "% at the end"
            raise EvaluationError(BAD_ARGUMENT, f"format: {shown} is not a clause")
        yield Clause(verb, precision)
        at += 1


def _precision(template: str, at: int) -> tuple[int, int]:
    if template[at : at + 1] != ".":
        return _DEFAULT_PRECISION, at
    end = at + 1
    while template[end : end + 1] in _DIGITS:
        end += 1
    digits = template[at + 1 : end].lstrip("0") or template[at + 1 : end][:1]
    if not digits:
        raise EvaluationError(BAD_ARGUMENT, "format: a point without a precision")
    if len(digits) > 6 or int(digits) > _MAX_PRECISION:
        raise EvaluationError(BUDGET, f"format: a precision above {_MAX_PRECISION}")
    return int(digits), end


@on_known_content
def _format(template: str, values: list[Any]) -> str:
    parts: list[str] = []
    used = length = 0
    for clause in clauses(template):
        spend(_CLAUSE if clause.verb else _TEXT)
        if clause.verb:
            if used >= len(values):
                raise EvaluationError(BAD_ARGUMENT, f"format: no argument {used + 1} for %{clause.verb}")
            text = _WRITERS[clause.verb](values[used], clause)
            used += 1
        else:
            text = clause.text
        parts.append(text)
        length += len(text)
        spend(len(text) >> 4)
        if length > MAX_TEXT:
            raise _too_long()
    return "".join(parts)


def _unsuited(value: Any, clause: Clause) -> EvaluationError:
    return EvaluationError(BAD_ARGUMENT, f"format: %{clause.verb} does not take {describe(value)}")


def _decimal(value: Any, clause: Clause) -> str:
    if type(value) is float:
        spend(_NUMBER)
        return plain_text(value)
    return int.__repr__(_integer(value, clause))


def _integer(value: Any, clause: Clause) -> int:
    if type(value) is int or type(value) is Uint:
        return int(value)
    raise _unsuited(value, clause)


def _fixed(value: Any, clause: Clause) -> str:
    return _rounded(value, clause, "f")


def _scientific(value: Any, clause: Clause) -> str:
    return _rounded(value, clause, "e")


def _rounded(value: Any, clause: Clause, style: str) -> str:
    number = value if type(value) is float else float(_integer(value, clause))
    if number - number != 0:  # NaN or infinite
        return plain_text(number)
    spend(clause.precision)
    return f"{number:.{clause.precision}{style}}"


def _binary(value: Any, clause: Clause) -> str:
    return f"{value if type(value) is bool else _integer(value, clause):b}"


def _octal(value: Any, clause: Clause) -> str:
    return f"{_integer(value, clause):o}"


def _hexadecimal(value: Any, clause: Clause) -> str:
    if type(value) is str:
        text = value.encode().hex()
    elif type(value) is bytes:
        text = value.hex()
    else:
        text = f"{_integer(value, clause):x}"
    return text.upper() if clause.verb == "X" else text


def _string(value: Any, clause: Clause) -> str:
    return text_of(value, clause, 0)


def text_of(value: Any, clause: Clause, depth: int) -> str:
    """Write `%s` of any value: lists as `[a, b]`, maps as `{k: v}` sorted by the texts of their keys, texts without quotes."""
    cls = type(value)
    if cls is str:
        return str(value)
    if value is None:
        return "null"
    if cls is bool:
        return "true" if value else "false"
    if cls is int or cls is Uint or cls is float:
        return _decimal(value, clause)
    if cls is bytes:
        return str(value.decode(errors="replace"))
    if cls is TypeValue:
        return str(value.name)
    if isinstance(value, (list, dict)):
        if depth > _MAX_DEPTH:
            raise EvaluationError(BUDGET, f"format: more than {_MAX_DEPTH} levels of lists and maps")
        return _list_text(value, clause, depth) if isinstance(value, list) else _map_text(value, clause, depth)
    return _time_text(value, clause)


def _list_text(values: list[Any], clause: Clause, depth: int) -> str:
    return f"[{_joined(text_of(value, clause, depth + 1) for value in values)}]"


def _map_text(entries: dict[Any, Any], clause: Clause, depth: int) -> str:
    from krm_fn.cel.maps import plain_key

    texts = [
        (text_of(plain_key(key), clause, depth + 1), text_of(value, clause, depth + 1))
        for key, value in entries.items()
    ]
    texts.sort(key=lambda entry: entry[0])
    return f"{{{_joined(f'{key}: {value}' for key, value in texts)}}}"


def _joined(texts: Iterable[str]) -> str:
    """Join texts with commas. Lists that share their elements can be written longer than anything, hence the count."""
    parts: list[str] = []
    length = 0
    for text in texts:
        spend(_ELEMENT + (len(text) >> 4))
        length += len(text) + 2
        if length > MAX_TEXT:
            raise _too_long()
        parts.append(text)
    return ", ".join(parts)


def _too_long() -> EvaluationError:
    return EvaluationError(BUDGET, f"format: a text of more than {MAX_TEXT} characters")


def _time_text(value: Any, clause: Clause) -> str:
    if not kind_of(type(value)).startswith("google.protobuf."):
        raise _unsuited(value, clause)
    spend(_NUMBER)
    from krm_fn.cel.timestamps import Duration, duration_seconds, format_timestamp

    return duration_seconds(value) if isinstance(value, Duration) else format_timestamp(value, in_utc=True)


_WRITERS = {
    "s": _string,
    "d": _decimal,
    "f": _fixed,
    "e": _scientific,
    "b": _binary,
    "x": _hexadecimal,
    "X": _hexadecimal,
    "o": _octal,
}

OVERLOADS: tuple[Overload, ...] = (
    member(
        "string_format",
        "format",
        ("string", "list(dyn)"),
        "string",
        _format,
        "The text with each clause replaced by its argument: %s any value, %d decimal, %f and %e with a precision (%.2f), %b binary, %x %X hexadecimal, %o octal, %% a percent sign.",
        '"%s-%d".format(["a", 1]) == "a-1"',
        '"%.2f".format([1.005]) == "1.00"',
        '"%s".format([1e6]) == "1000000"',
        '"%x".format(["hi"]) == "6869"',
    ),
)
