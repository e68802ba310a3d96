"""
What the API server would have against a body, as far as it stands in a template, and kro does not ask.

Enters: a template as plain JSON, the places that expressions fill, the schema of its kind.  Leaves: violations with their paths.
Called by `validate` alone: kro accepts such a template, and what is rendered stays what kro would send.  Not known here: expressions,
what kro asks of a template (`program.template_check`).

A place that an expression fills may become anything, so nothing is said of it, nor of what depends on it. A null counts as a missing
field, as for the API server.

Source: Kubernetes v1.35.0 apiextensions-apiserver pkg/apiserver/{schema/listtype,validation}; apimachinery pkg/util/validation.
Left out: `x-kubernetes-validations`, formats that nothing is known of.
"""

from __future__ import annotations

from krm_fn.report.diagnostic import WARNING
from krm_fn.schema import complaints
from krm_fn.schema.structural import Found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any, TypeAlias

    from krm_fn.schema.structural import Path, Violation

    Schema: TypeAlias = dict[str, Any]

_MAX_STEPS = 100_000
"""So many places are looked at in one template; alternatives may be nested in one another without end."""
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
}
_BOUNDS: dict[str, Callable[[Any, Any], bool]] = {
    "minimum": lambda value, bound: bool(value >= bound),
    "maximum": lambda value, bound: bool(value <= bound),
    "minLength": lambda value, bound: len(value) >= bound,
    "maxLength": lambda value, bound: len(value) <= bound,
}
_QUANTITY = [{"type": "string"}, {"type": "number"}]
_INT32 = 2**31
_LONGEST_NAME = 63


def refusals(template: dict[str, Any], schema: Schema, holes: Collection[Path], *, defaulted: bool) -> list[Violation]:
    """
    Find what the API server would refuse, whatever the expressions at *holes* give.

    *defaulted*: a field with a default need not be there. Those of built-in kinds say only what Go's zero value is.
    """
    judge = _Judge(holes, defaulted=defaulted)
    judge.visit(template, schema, ())
    for violation in judge.found.errors:
        violation.code = violation.code.replace("instance-", "template-", 1)
        violation.severity = WARNING
    return judge.found.errors


class _Judge:
    """One template. open: every place that an expression fills, and all that contain one."""

    __slots__ = ("defaulted", "found", "holes", "open", "steps")

    def __init__(self, holes: Collection[Path], *, defaulted: bool) -> None:
        self.holes = frozenset(holes)
        self.open = frozenset(hole[:end] for hole in holes for end in range(len(hole) + 1))
        self.defaulted = defaulted
        self.found = Found()
        self.steps = 0

    def visit(self, value: Any, schema: Schema, path: Path) -> None:
        self.steps += 1
        if value is None or path in self.holes or self.steps > _MAX_STEPS:
            return
        kind = schema.get("type")
        mixed = schema.get("x-kubernetes-int-or-string") is True or schema.get("format") == "int-or-string"
        if isinstance(kind, str) and kind in _TYPES and not mixed and not _is_of(value, kind):
            complaints.wrong_type(value, path, self.found, kind)
            return
        unset = value == "" and not self.defaulted  # what Go would leave out
        if "enum" in schema and not unset and not any(_same(value, member) for member in schema["enum"]):
            complaints.out_of_bounds("enum", schema["enum"], value, path, self.found)
        if isinstance(value, dict):
            self.mapping(value, schema, path)
        elif isinstance(value, list):
            self.sequence(value, schema, path)
        elif isinstance(value, str):
            self.text(value, schema, path)
        elif not isinstance(value, bool):
            self.bounds(value, schema, path, "minimum", "maximum")
            if schema.get("format") == "int32" and not -_INT32 <= value < _INT32:
                self.malformed(path, "an integer of 32 bits")
        self.alternatives(value, schema, path)

    def malformed(self, path: Path, wanted: str) -> None:
        """The value is not shown: it may be a secret's."""
        self.found.error("template-malformed", path, f"{complaints.show_path(path)} is not {wanted}")

    def no_alternative(self, path: Path) -> None:
        what = "fits none, or too many, of the forms that its schema allows"
        self.found.error("template-no-alternative", path, f"{complaints.show_path(path)} {what}")

    def bounds(self, value: Any, schema: Schema, path: Path, *keywords: str) -> None:
        for keyword in keywords:
            if keyword in schema and not _BOUNDS[keyword](value, schema[keyword]):
                complaints.out_of_bounds(keyword, schema[keyword], value, path, self.found)

    def text(self, value: str, schema: Schema, path: Path) -> None:
        self.bounds(value, schema, path, "minLength", "maxLength")
        pattern = schema.get("pattern")
        if pattern is not None and not _matches(pattern, value):
            complaints.out_of_bounds("pattern", pattern, value, path, self.found)
        wanted = _malformed(value, schema)
        if wanted:
            self.malformed(path, wanted)

    def mapping(self, value: dict[str, Any], schema: Schema, path: Path) -> None:
        properties: dict[str, Schema] = schema.get("properties") or {}
        for name in schema.get("required") or ():
            if value.get(name) is None and not (self.defaulted and "default" in properties.get(name, {})):
                complaints.missing_field(name, path, self.found, value)
        values = schema.get("additionalProperties")
        for name, child in value.items():
            below = properties.get(name, values)
            if isinstance(below, dict):
                self.visit(child, below, (*path, name))
        if path[-2:] == ("metadata", "labels"):
            self.labels(value, path)

    def labels(self, value: dict[str, Any], path: Path) -> None:
        for name, text in value.items():
            prefix, slash, own = name.rpartition("/")
            if (slash and not _is_subdomain(prefix)) or not _is_label(own):
                self.malformed((*path, name), "the name of a label")
            elif isinstance(text, str) and text and (*path, name) not in self.holes and not _is_label(text):
                self.malformed((*path, name), "the value of a label: at most 63 letters, digits, -, _ and .")

    def sequence(self, value: list[Any], schema: Schema, path: Path) -> None:
        items: Schema = schema.get("items") or {}
        for i, child in enumerate(value):
            self.visit(child, items, (*path, i))
        least, most = schema.get("minItems", 0), schema.get("maxItems")
        if len(value) < least or (most is not None and len(value) > most):
            complaints.wrong_size(len(value), least, most, path, self.found)
        kind = schema.get("x-kubernetes-list-type")
        if kind == "map":
            self.repeats(value, tuple(schema.get("x-kubernetes-list-map-keys") or ()), items, path)
        elif kind == "set" or schema.get("uniqueItems") is True:
            self.repeats(value, (), items, path)

    def repeats(self, value: list[Any], keys: tuple[str, ...], items: Schema, path: Path) -> None:
        """Items that are the same, or have the same keys; those with an expression in a key may differ."""
        defaults = {name: (field or {}).get("default") for name, field in (items.get("properties") or {}).items()}
        first: dict[str, int] = {}
        for i, item in enumerate(value):
            place = (*path, i)
            if keys:
                if not isinstance(item, dict) or any((*place, key) in self.open for key in keys):
                    continue
                identity = _text([item.get(key, defaults.get(key)) for key in keys])
            elif place in self.open:
                continue
            else:
                identity = _text(item)
            if first.setdefault(identity, i) != i:
                complaints.repeated(i, first[identity], item, keys, path, self.found)

    def alternatives(self, value: Any, schema: Schema, path: Path) -> None:
        for part in schema.get("allOf") or ():
            self.visit(value, part, path)
        ways = schema.get("anyOf")
        if ways and all(self.refuses(value, way, path) for way in ways):
            self.no_alternative(path)
        ways = schema.get("oneOf")
        if ways and ways != _QUANTITY:
            refused = sum(self.refuses(value, way, path) for way in ways)
            if refused == len(ways) or (refused < len(ways) - 1 and path not in self.open):
                self.no_alternative(path)
        way = schema.get("not")
        if way is not None and path not in self.open and not self.refuses(value, way, path):
            self.no_alternative(path)

    def refuses(self, value: Any, schema: Schema, path: Path) -> bool:
        """Whether an alternative is out of the question."""
        before = self.found
        self.found = Found()
        self.visit(value, schema, path)
        refused = bool(self.found.errors)
        self.found = before
        return refused


def _is_of(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _TYPES[kind])


def _same(value: Any, member: Any) -> bool:
    """Equal as JSON: true is not 1."""
    return bool(value == member) and isinstance(value, bool) is isinstance(member, bool)


def _text(value: Any) -> str:
    from json import dumps

    return dumps(value, sort_keys=True)


def _matches(pattern: str, text: str) -> bool:
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.search(pattern, text, options) is not None
    except re2.error:
        return True  # what is wrong with the pattern is the CRD's business


def _malformed(text: str, schema: Schema) -> str:
    """What a text should be and is not; empty where it is, or where nobody knows."""
    if schema.get("oneOf") == _QUANTITY:
        from krm_fn.cel.errors import EvaluationError
        from krm_fn.cel.library.quantity import parse_quantity

        try:
            parse_quantity(text)
        except EvaluationError:
            return "a quantity, such as 500m or 1.5Gi"
        return ""
    test = _FORMATS.get(schema.get("format") or "")
    return "" if test is None or test[1](text) else test[0]


def _is_read(name: str) -> Callable[[str], bool]:
    def test(text: str) -> bool:
        from krm_fn.cel.errors import EvaluationError
        from krm_fn.schema.formats import READERS

        try:
            READERS[name](text)
        except EvaluationError:
            return False
        return True

    return test


def _is_base64(text: str) -> bool:
    from base64 import b64decode

    try:
        b64decode(text.replace("\r", "").replace("\n", ""), validate=True)
    except ValueError:
        return False
    return True


def _is_ip(version: int) -> Callable[[str], bool]:
    def test(text: str) -> bool:
        from ipaddress import ip_address

        try:
            return ip_address(text).version == version
        except ValueError:
            return False

    return test


_FORMATS: dict[str, tuple[str, Callable[[str], bool]]] = {
    "byte": ("base64", _is_base64),
    "date": ("a date, such as 2025-01-31", _is_read("date")),
    "date-time": ("a time, such as 2025-01-31T12:00:00Z", _is_read("date-time")),
    "duration": ("a duration, such as 1h30m", _is_read("duration")),
    "ipv4": ("an IPv4 address", _is_ip(4)),
    "ipv6": ("an IPv6 address", _is_ip(6)),
}


def _is_label(text: str) -> bool:
    if not text or len(text) > _LONGEST_NAME or not text.isascii():
        return False
    return (
        text[0].isalnum()
        and text[-1].isalnum()
        and text.replace("-", "a").replace("_", "a").replace(".", "a").isalnum()
    )


def _is_subdomain(text: str) -> bool:
    parts = text.split(".")
    return (
        len(text) <= 253
        and text.isascii()
        and text == text.lower()
        and all(part and part[0] != "-" and part[-1] != "-" and part.replace("-", "a").isalnum() for part in parts)
    )
