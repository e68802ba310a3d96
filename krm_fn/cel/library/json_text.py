"""
kro's `json.marshal` and `json.unmarshal`.

Enters: values, texts.  Leaves: texts, values.  Not known here: templates.

Writing is Go's encoding/json after kro's conversion of the value: maps sorted by key, `<`, `>`, `&` escaped, no space.  Reading gives
doubles for all numbers, as Go does: `json.unmarshal("1")` is 1.0.

Source: kro v0.9.3 pkg/cel/library/json.go and pkg/cel/conversion; Go encoding/json.
"""

from __future__ import annotations

from krm_fn.cel.budget import spend
from krm_fn.cel.errors import BAD_ARGUMENT, BUDGET, EvaluationError
from krm_fn.cel.library.numerals import json_text
from krm_fn.cel.library.overload import MAX_TEXT, Overload, describe, function, on_known_content
from krm_fn.cel.values import NONE, OMIT, Optional, Uint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

_MAX_DEPTH = 1_000
_MAX_READ_DEPTH = 500
_PIECE, _NUMBER = 10, 40
"""What writing a piece of text, and a double or a time, costs of the evaluation's budget."""

_ESCAPES = str.maketrans(
    {
        **{chr(code): f"\\u{code:04x}" for code in (*range(0x20), 0x3C, 0x3E, 0x26, 0x2028, 0x2029)},
        '"': '\\"',
        "\\": "\\\\",
        "\b": "\\b",
        "\f": "\\f",
        "\n": "\\n",
        "\r": "\\r",
        "\t": "\\t",
    }
)


@on_known_content
def _marshal(value: Any) -> str:
    text = _Text()
    _write(value, text, 0)
    return "".join(text.parts)


class _Text:
    """A text in the making, in pieces. Its length is bounded, since lists that share elements can be written without end."""

    __slots__ = ("parts", "room")

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.room = MAX_TEXT

    def append(self, part: str) -> None:
        spend(_PIECE)
        self.room -= len(part)
        if self.room < 0:
            raise EvaluationError(BUDGET, f"json.marshal: a text of more than {MAX_TEXT} characters")
        self.parts.append(part)


def _write(value: Any, text: _Text, depth: int) -> None:
    if isinstance(value, (list, dict)):
        if depth > _MAX_DEPTH:
            raise EvaluationError(BUDGET, f"json.marshal: more than {_MAX_DEPTH} levels of lists and maps")
        if isinstance(value, list):
            _write_list(value, text, depth + 1)
        else:
            spend(6 * len(value))
            raw = getattr(value, "raw", None)  # of a typed view
            _write_map(value if raw is None else raw, text, depth + 1)
    elif type(value) is Optional:
        _write(None if value is NONE else value.value, text, depth + 1)
    else:
        text.append(_scalar(value))


def _write_list(values: list[Any], text: _Text, depth: int) -> None:
    separator = "["
    for value in values:
        text.append(separator)
        _write(value, text, depth)
        separator = ","
    text.append("]" if values else "[]")


def _write_map(entries: dict[Any, Any], text: _Text, depth: int) -> None:
    separator = "{"
    for key in sorted(entries, key=_key):
        text.append(f"{separator}{_string(key)}:")
        _write(entries[key], text, depth)
        separator = ","
    text.append("}" if entries else "{}")


def _key(key: Any) -> str:
    if type(key) is not str:
        raise EvaluationError(BAD_ARGUMENT, "json.marshal: a key of a map is not a string")
    return key


def _scalar(value: Any) -> str:
    cls = type(value)
    if cls is str:
        return _string(value)
    if value is None:
        return "null"
    if cls is bool:
        return "true" if value else "false"
    if cls is int or cls is Uint:
        return int.__repr__(value)
    if cls is float:
        if value - value != 0:  # NaN or infinite
            raise EvaluationError(BAD_ARGUMENT, f"json.marshal: {value} is not a number of JSON")
        spend(_NUMBER)
        return json_text(value)
    if cls is bytes:
        from binascii import b2a_base64

        return f'"{b2a_base64(value, newline=False).decode()}"'
    if value is OMIT:
        return "{}"  # sic: kro's sentinel is an empty struct
    return _time(value)


def _time(value: Any) -> str:
    from krm_fn.cel.timestamps import Duration, Timestamp, duration_json, timestamp_json

    spend(_NUMBER)
    if isinstance(value, Duration):
        return _string(duration_json(value))
    if isinstance(value, Timestamp):
        text = timestamp_json(value)
        return "null" if text is None else _string(text)
    raise EvaluationError(BAD_ARGUMENT, f"json.marshal: {describe(value)} has no form in JSON")


def _string(text: str) -> str:
    spend(len(text) if not text.isascii() else len(text) >> 1)
    return f'"{text.translate(_ESCAPES)}"'


def _unmarshal(text: str) -> Any:
    """
    Read JSON.

    Errors:  BAD_ARGUMENT for what Go's encoding/json refuses, numbers beyond doubles included; BUDGET beyond 500 levels.
    """
    import json

    if _depth(text) > _MAX_READ_DEPTH:
        raise EvaluationError(BUDGET, f"json.unmarshal: more than {_MAX_READ_DEPTH} levels")
    try:
        value = json.loads(text, parse_int=_number, parse_float=_number, parse_constant=_constant)
    except ValueError as e:
        at = f" at character {e.pos + 1}" if isinstance(e, json.JSONDecodeError) else ""
        raise EvaluationError(BAD_ARGUMENT, f"json.unmarshal: not JSON{at}") from None
    return _without_surrogates(value) if "\\u" in text else value


def _depth(text: str) -> int:
    """Count brackets, those in strings too: at least as many as there are levels."""
    if text.count("[") + text.count("{") <= _MAX_READ_DEPTH:
        return 0
    depth = deepest = 0
    in_string = escaped = False
    for char in text:
        if in_string:
            in_string = escaped or char != '"'
            escaped = char == "\\" and not escaped
        elif char == '"':
            in_string = True
        elif char in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif char in "]}":
            depth -= 1
    return deepest


def _number(text: str) -> float:
    number = float(text)
    if number - number != 0:
        raise EvaluationError(BAD_ARGUMENT, f"json.unmarshal: {text[:40]} is beyond the doubles")
    return number


def _constant(text: str) -> NoReturn:
    raise EvaluationError(BAD_ARGUMENT, f"json.unmarshal: {text} is not JSON")


def _without_surrogates(value: Any) -> Any:
    r"""Replace halves of a pair that stand alone (`\ud83d`), which no text in UTF-8 can hold."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_without_surrogates(element) for element in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(element) for key, element in value.items()}
    return value


OVERLOADS: tuple[Overload, ...] = (
    function(
        "json.marshal_dyn",
        "json.marshal",
        ("dyn",),
        "string",
        _marshal,
        "The value in JSON, keys sorted, without spaces; <, > and & escaped.",
        'json.marshal({"b": [1, null], "a": 1.5}) == r\'{"a":1.5,"b":[1,null]}\'',
    ),
    function(
        "json.unmarshal_string",
        "json.unmarshal",
        ("string",),
        "dyn",
        _unmarshal,
        "The value of a JSON text; all numbers are doubles.",
        'json.unmarshal("[1, true]") == [1.0, true]',
    ),
)
