"""
The markers of a SimpleSchema field: `required=true default="x" minimum=1`, read and applied to an OpenAPI schema.

Enters: the text after the first `|` of a field.  Leaves: `Marker` records, and their effect on a schema dict.
Problems are raised as `FieldError` (one) or returned as a list of them (applying).  Not known here: types, YAML
paths, Kubernetes' own checks of the finished CRD (`schema.refusals`).

Numbers and booleans are taken as Go's strconv takes them, blanks as Go's unicode.IsSpace: what kro accepts is accepted.
Source: kro v0.9.3 pkg/simpleschema/markers.go.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    Schema: TypeAlias = dict[str, Any]

GO_BLANKS = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
_BLANK = frozenset(GO_BLANKS)
_MAX_JSON_DEPTH = 60
_INT64 = (-(2**63), 2**63 - 1)


class FieldError(Exception):
    """A field's text is refused. `offset` and `length` count code points from 0 in that text; length 0 is a point."""

    def __init__(self, code: str, message: str, offset: int = 0, length: int = 0, help: str = "") -> None:  # noqa: A002
        self.code = code
        self.message = message
        self.offset = offset
        self.length = length
        self.help = help
        super().__init__(message)


class Marker:
    """One `key=value`: the value unquoted, and the place of the whole in the field's text."""

    __slots__ = ("key", "length", "offset", "value")

    def __init__(self, key: str, value: str, offset: int, length: int) -> None:
        self.key = key
        self.value = value
        self.offset = offset
        self.length = length


class NotJson:
    """Stands where a default should be whose text is no JSON: kro accepts it, the API server refuses the CRD."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason


def parse_markers(text: str, offset: int = 0) -> list[Marker]:
    """
    Read `key=value` pairs separated by blanks; a value is bare, quoted, or holds balanced brackets.

    Units:   *offset* is where *text* starts in the field, in code points.
    Errors:  FieldError marker-unknown, marker-without-value, marker-unclosed.
    Source:  kro v0.9.3 pkg/simpleschema/markers.go ParseMarkers.
    """
    markers: list[Marker] = []
    key = ""
    start = 0  # of the marker that is being read
    buffer: list[str] = []
    quoted = escaped = False
    depth = 0
    for index, char in enumerate(text):
        if char == "=" and not key and not quoted and not depth:
            key = _marker_key("".join(buffer), offset + start, offset + index)
            buffer.clear()
        elif char == '"' and not escaped:
            quoted = not quoted
            buffer.append(char)
        elif quoted:
            escaped = char == "\\" and not escaped
            buffer.append(char)
        elif char in _BLANK and not depth:
            # sic: blanks before a `=` vanish without ending the key, as in kro
            if key:
                markers.append(Marker(key, _unquoted("".join(buffer)), offset + start, index - start))
                key = ""
                buffer.clear()
        else:
            depth += (char in "{[") - (char in "}]")
            if depth < 0:
                raise FieldError("marker-unclosed", f"'{char}' closes no bracket", offset + index, 1)
            if not buffer and not key:
                start = index
            buffer.append(char)
    if not key:
        raise _without_value("".join(buffer), text, offset)
    length = len(text) - start
    if quoted:
        raise FieldError("marker-unclosed", f"{key}: the quote is not closed", offset + start, length)
    if depth:
        raise FieldError("marker-unclosed", f"{key}: a bracket is not closed", offset + start, length)
    markers.append(Marker(key, _unquoted("".join(buffer)), offset + start, length))
    return markers


def _marker_key(text: str, offset: int, end: int) -> str:
    key = text.strip(GO_BLANKS)
    if not key:
        raise FieldError("marker-unknown", "'=' has no marker before it", end, 1)
    if key not in MARKERS:
        from krm_fn.report.near import did_you_mean

        hint = did_you_mean(key, MARKERS) or f"markers are {', '.join(MARKERS)}"
        raise FieldError("marker-unknown", f"'{short(key)}' is not a marker", offset, end - offset, hint)
    return key


def _without_value(key: str, text: str, offset: int) -> FieldError:
    if not key:
        message = "the text after '|' ends with a blank" if text.strip(GO_BLANKS) else "no marker follows '|'"
        return FieldError("marker-without-value", message, offset + len(text), 0, "kro refuses blanks at the end")
    place = max(text.rfind(key), 0)
    hint = f"write {key}=true" if key in {"required", "immutable", "uniqueItems"} else "quote a value that has blanks"
    return FieldError("marker-without-value", f"'{short(key)}' has no value", offset + place, len(text) - place, hint)


def _unquoted(value: str) -> str:
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value.strip(GO_BLANKS)
    inner = value[1:-1]
    if "\\" not in inner:
        return inner
    out: list[str] = []
    escaped = False
    for char in inner:
        if escaped:
            out.append(char if char in '"\\' else "\\" + char)
            escaped = False
        elif char == "\\":
            escaped = True
        else:
            out.append(char)
    return "".join(out)


def apply_markers(schema: Schema, markers: list[Marker], field: str, parent: Schema) -> list[FieldError]:
    """
    Change *schema* (and `required` of *parent*) as the markers say; every marker that cannot be applied is one problem.

    Errors:  marker-bad-value, marker-wrong-type, marker-conflict.
    Source:  kro v0.9.3 pkg/simpleschema/markers.go applyMarkers.
    """
    problems: list[FieldError] = []
    for marker in markers:
        try:
            MARKERS[marker.key](schema, marker.value, field, parent)
        except FieldError as error:
            error.offset, error.length = marker.offset, marker.length
            problems.append(error)
    if schema.get("x-kubernetes-list-map-keys") and schema.get("x-kubernetes-list-type") != "map" and not problems:
        last = [marker for marker in markers if marker.key == "listMapKey"][-1:] or markers[-1:]
        place = (last[0].offset, last[0].length) if last else (0, 0)
        problems.append(FieldError("marker-conflict", "listMapKey needs listType=map", *place, "add listType=map"))
    return problems


def _bad(key: str, value: str, expected: str) -> FieldError:
    return FieldError("marker-bad-value", f"{key} '{short(value)}' is not {expected}")


def short(text: str) -> str:
    """Cut a text of the author's for a message: one line, 60 characters."""
    text = text[:200] if text.isprintable() else ascii(text[:200])[1:-1]
    return text if len(text) <= 60 else text[:57] + "..."


def _needs_type(schema: Schema, key: str, wanted: str) -> None:
    if schema.get("type") != wanted:
        raise FieldError("marker-wrong-type", f"{key} applies to {wanted} fields, not to {schema.get('type')}")


def _required(_schema: Schema, value: str, field: str, parent: Schema) -> None:
    if _truth("required", value):
        parent.setdefault("required", []).append(field)


def _default(schema: Schema, value: str, _field: str, _parent: Schema) -> None:
    kind = schema.get("type")
    raw = value
    if kind == "string":
        raw = f'"{value}"'
    elif kind == "integer":
        _integer("default", value)
    elif kind == "number":
        if go_float(value) is None:
            raise _bad("default", value, "a number")
    elif kind == "boolean":
        _truth("default", value)
    # sic: no text at all is sent as null, which counts as no default
    schema["default"] = json_value(raw) if raw else None


def _description(schema: Schema, value: str, _field: str, _parent: Schema) -> None:
    schema["description"] = value
    if not value:
        del schema["description"]


def _bound(key: str) -> Callable[[Schema, str, str, Schema], None]:
    def apply(schema: Schema, value: str, _field: str, _parent: Schema) -> None:
        number = go_float(value)
        if number is None:
            raise _bad(key, value, "a number")
        # Go writes whole numbers below 1e21 without point and exponent
        schema[key] = int(number) if number.is_integer() and abs(number) < 1e21 else number

    return apply


def _count(key: str, kind: str) -> Callable[[Schema, str, str, Schema], None]:
    def apply(schema: Schema, value: str, _field: str, _parent: Schema) -> None:
        _needs_type(schema, key, kind)
        schema[key] = _integer(key, value)

    return apply


def _validation(schema: Schema, value: str, _field: str, _parent: Schema) -> None:
    if not value.strip(GO_BLANKS):
        raise FieldError("marker-bad-value", "validation has no rule")
    _add_rule(schema, value, "validation failed")


def _immutable(schema: Schema, value: str, _field: str, _parent: Schema) -> None:
    if _truth("immutable", value):
        _add_rule(schema, "self == oldSelf", "field is immutable")


def _add_rule(schema: Schema, rule: str, message: str) -> None:
    # a new list: the old one may belong to the custom type that this schema was copied from
    rules = schema.get("x-kubernetes-validations", [])
    schema["x-kubernetes-validations"] = [*rules, {"rule": rule, "message": message}]


def _enum(schema: Schema, value: str, _field: str, _parent: Schema) -> None:
    kind = schema.get("type")
    if kind not in {"string", "integer"}:
        raise FieldError("marker-wrong-type", f"enum applies to string and integer fields, not to {kind}")
    members: list[Any] = []
    for part in value.split(","):
        member = part.strip(GO_BLANKS)
        if not member:
            raise FieldError("marker-bad-value", "enum has an empty member")
        if kind == "integer":
            _integer("enum member", member)
            members.append(json_value(member))
            if isinstance(members[-1], NotJson):
                raise _bad("enum member", member, "a JSON integer")
        elif not _quotable(member):
            raise _bad("enum member", member, "text that JSON can hold as kro writes it")
        else:
            members.append(member)
    schema["enum"] = members


def _quotable(text: str) -> bool:
    r"""Whether Go's %q of *text* is JSON too: `\a`, `\v`, `\x01` and `\U000e0001` are not."""
    if text.isprintable():
        return True
    return all(char.isprintable() or char in "\b\f\n\r\t" or (0x80 <= ord(char) <= 0xFFFF) for char in text)


def _pattern(schema: Schema, value: str, _field: str, _parent: Schema) -> None:
    if not value:
        raise FieldError("marker-bad-value", "pattern is empty")
    _needs_type(schema, "pattern", "string")
    reason = pattern_problem(value)
    if reason:
        raise FieldError("marker-bad-value", f"pattern '{short(value)}' is not an RE2 expression: {reason}")
    schema["pattern"] = value


def pattern_problem(pattern: str) -> str:
    r"""Say why *pattern* is not a Go regular expression; empty when it is. (`\C` is RE2's alone.)"""
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0]
        return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
    place = pattern.find("\\C")
    while place >= 0:
        slashes = len(pattern[:place]) - len(pattern[:place].rstrip("\\"))
        if slashes % 2 == 0:
            return "invalid escape sequence: \\C"
        place = pattern.find("\\C", place + 2)
    return ""


def _unique_items(schema: Schema, value: str, _field: str, _parent: Schema) -> None:
    unique = _truth("uniqueItems", value)
    _needs_type(schema, "uniqueItems", "array")
    if unique:
        _set_list_type(schema, "set", "uniqueItems=true")


def _list_type(schema: Schema, value: str, _field: str, _parent: Schema) -> None:
    _needs_type(schema, "listType", "array")
    if value not in {"atomic", "set", "map"}:
        raise _bad("listType", value, "atomic, set or map")
    _set_list_type(schema, value, f"listType={value}")


def _set_list_type(schema: Schema, value: str, said: str) -> None:
    before = schema.get("x-kubernetes-list-type", value)
    if before != value:
        raise FieldError("marker-conflict", f"{said} contradicts list type {before}")
    schema["x-kubernetes-list-type"] = value


def _list_map_key(schema: Schema, value: str, _field: str, _parent: Schema) -> None:
    _needs_type(schema, "listMapKey", "array")
    keys = schema.get("x-kubernetes-list-map-keys", [])
    if value in keys:
        raise FieldError("marker-conflict", f"listMapKey '{short(value)}' is given twice")
    schema["x-kubernetes-list-map-keys"] = [*keys, value]


MARKERS: dict[str, Callable[[Schema, str, str, Schema], None]] = {
    "required": _required,
    "default": _default,
    "description": _description,
    "minimum": _bound("minimum"),
    "maximum": _bound("maximum"),
    "validation": _validation,
    "enum": _enum,
    "immutable": _immutable,
    "pattern": _pattern,
    "uniqueItems": _unique_items,
    "minLength": _count("minLength", "string"),
    "maxLength": _count("maxLength", "string"),
    "minItems": _count("minItems", "array"),
    "maxItems": _count("maxItems", "array"),
    "listType": _list_type,
    "listMapKey": _list_map_key,
}


def _truth(key: str, text: str) -> bool:
    if text in {"1", "t", "T", "TRUE", "true", "True"}:
        return True
    if text in {"0", "f", "F", "FALSE", "false", "False"}:
        return False
    raise _bad(key, text, "true or false")


def _integer(key: str, text: str) -> int:
    digits = text[1:] if text[:1] in {"+", "-"} else text
    # leading zeros are fine for Go; 20 digits after them are more than 64 bits hold
    if digits.isascii() and digits.isdigit() and len(digits.lstrip("0")) < 20:
        number = int(text[: len(text) - len(digits)] + (digits.lstrip("0") or "0"))
        if _INT64[0] <= number <= _INT64[1]:
            return number
    raise _bad(key, text, "a 64-bit integer")


def go_float(text: str) -> float | None:
    """Read a number as Go's strconv.ParseFloat(text, 64) does; None where that is an error (`1e999` included)."""
    if not text.isascii() or not text or text[0] in _BLANK or text[-1] in _BLANK:
        return None
    body = text[1:] if text[0] in "+-" else text
    lower = body.lower()
    if lower in {"inf", "infinity", "nan"}:
        # sic: Go knows no signed NaN
        return None if lower == "nan" and body is not text else float(text)
    try:
        # underscores between digits are allowed by both
        number = _hex_float(text.lower()) if lower.startswith("0x") else float(text)
    except (ValueError, OverflowError):
        return None
    return None if number - number != 0 else number


def _hex_float(text: str) -> float:
    """Read `0x1_0.8p-2`: Go wants the exponent, and underscores only between digits or after the prefix."""
    digits = "0123456789abcdef"
    for index, char in enumerate(text):
        if char == "_" and (text[index - 1] not in digits + "x" or text[index + 1 : index + 2] not in [*digits]):
            raise ValueError(text)
    if "p" not in text:
        raise ValueError(text)
    return float.fromhex(text.replace("_", ""))


def json_value(text: str) -> Any:
    """
    Read *text* as the API server's JSON decoder does; `NotJson` where that fails.

    Differs:  nesting is bounded (60 levels).  Usual texts (plain strings, small integers, `true`, `{}`) cost no
              import of json.
    """
    if text[:1] == '"' and text[-1:] == '"' and len(text) > 1 and "\\" not in text and text.isprintable():
        return (
            text[1:-1]
            if '"' not in text[1:-1]
            else NotJson("a quote ends the text early; quotes inside it need a backslash")
        )
    if text in _JSON_WORDS:
        return _JSON_WORDS[text]() if text in {"{}", "[]"} else _JSON_WORDS[text]
    if len(text) < 16 and text.isascii() and text.isdigit() and (text[0] != "0" or text == "0"):
        return int(text)
    return _decoded(text)


_JSON_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None, "{}": dict, "[]": list}


def _decoded(text: str) -> Any:
    import json

    if text.count("[") + text.count("{") > _MAX_JSON_DEPTH and _nesting(text) > _MAX_JSON_DEPTH:
        return NotJson(f"it nests deeper than {_MAX_JSON_DEPTH} levels")
    try:
        value = json.loads(text, parse_int=_json_int, parse_float=_json_float, parse_constant=_no_constant)
    except ValueError as error:
        reason = error.msg.lower() if isinstance(error, json.JSONDecodeError) else str(error)
        return NotJson(reason)
    return _without_lone_surrogates(value) if "\\ud" in text.lower() else value


def _nesting(text: str) -> int:
    deepest = depth = 0
    quoted = escaped = False
    for char in text:
        if quoted:
            quoted = char != '"' or escaped
            escaped = char == "\\" and not escaped
        elif char == '"':
            quoted = True
        else:
            depth += (char in "{[") - (char in "}]")
            deepest = max(deepest, depth)
    return deepest


def _json_int(text: str) -> int | float:
    if len(text) < 20 and _INT64[0] <= int(text) <= _INT64[1]:
        return int(text)
    return _json_float(text)


def _json_float(text: str) -> float:
    number = float(text)
    if number - number != 0:
        raise ValueError(f"number {short(text)} is out of range")
    return number


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is not a JSON value")


def _without_lone_surrogates(value: Any) -> Any:
    """Go decodes half a surrogate pair to U+FFFD."""
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, list):
        return [_without_lone_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_lone_surrogates(key): _without_lone_surrogates(item) for key, item in value.items()}
    return value
