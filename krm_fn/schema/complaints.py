"""
The words for what is wrong with a value. Imported only when something is.

Enters: a value, its path, what was expected.  Leaves: violations in a `Found`.  Called by `schema.structural` and,
for suggestions, by `schema.simple_schema` and `schema.markers`.  Not known here: how a value is checked.
"""

from __future__ import annotations

from itertools import islice

from krm_fn.cel.values import join_path
from krm_fn.report.diagnostic import WARNING
from krm_fn.report.near import did_you_mean
from krm_fn.schema.structural import Found, Violation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from krm_fn.schema.structural import Path

_EXPECTED = {
    "string": "a string",
    "integer": "an integer of 64 bits",
    "number": "a number",
    "boolean": "true or false",
    "object": "an object",
    "array": "a list",
}
_KINDS = {str: "string", bool: "boolean", int: "integer", float: "number"}
_BOUNDS = {
    "minimum": ("instance-too-small", "at least {}"),
    "maximum": ("instance-too-large", "at most {}"),
    "minLength": ("instance-too-short", "at least {} characters"),
    "maxLength": ("instance-too-long", "at most {} characters"),
    "pattern": ("instance-pattern-mismatch", "a text that matches {}"),
}


_SHOWN = 12


def is_quoted(text: str) -> bool:
    """Whether a text would be a number or a boolean without quotes."""
    return (
        text in ("true", "false")
        or (text[:1].isdigit() and not text.strip("0123456789.eE+-"))
        or text.lstrip("+-").isdecimal()
    )


def wrong_type(value: Any, path: Path, found: Found, expected: str) -> None:
    """Report a value that is not of the type *expected*, an OpenAPI type."""
    kind = _KINDS.get(type(value))
    shown = show_value(value) if kind in {None, "boolean"} else f"the {kind} {show_value(value)}"
    hint = ""
    if expected == "string" and kind is not None:
        hint = "quote it"
    elif kind == "string" and expected in {"integer", "number", "boolean"} and is_quoted(value):
        hint = "remove the quotes"
    found.error("instance-wrong-type", path, f"{show_path(path)} is {shown}, expected {_EXPECTED[expected]}", hint)


def out_of_bounds(keyword: str, bound: Any, value: Any, path: Path, found: Found) -> None:
    """Report a scalar that the schema's *keyword*, whose value is *bound*, does not allow."""
    hint = ""
    if keyword == "enum":
        code = "instance-not-in-enum"
        members = ", ".join(show_value(member) for member in bound)
        expected = members if len(bound) == 1 else f"one of {members}"
        if isinstance(value, str):
            hint = did_you_mean(value, bound)
    else:
        code, template = _BOUNDS[keyword]
        expected = template.format(bound)
    found.error(code, path, f"{show_path(path)} is {show_value(value)}, expected {_cut(expected)}", hint)


def wrong_size(size: int, least: int, most: int | None, path: Path, found: Found) -> None:
    """Report a list with too few or too many items."""
    has = f"{show_path(path)} has {size} item{'' if size == 1 else 's'}"
    if size < least:
        found.error("instance-too-few-items", path, f"{has}, expected at least {least}")
    if most is not None and size > most:
        found.error("instance-too-many-items", path, f"{has}, expected at most {most}")


def repeated(index: int, first: int, item: Any, keys: Iterable[str], path: Path, found: Found) -> None:
    """Report an item that is equal to an earlier one, or with *keys* has the same keys."""
    place = (*path, index)
    same = ", ".join(f"{key} {show_value(item[key])}" for key in keys if key in item) or show_value(item)
    found.error("instance-duplicate-item", place, f"{show_path(place)} repeats {_cut(same)} of item {first}")


def missing_field(name: str, path: Path, found: Found, value: dict[str, Any]) -> None:
    """Report a required field that is absent, or null."""
    place = (*path, name)
    null = " (it is null, which counts as missing)" if name in value else ""
    found.error("instance-missing-field", place, f"{show_path(place)} is missing, a required field{null}")


def unknown_field(name: str, path: Path, found: Found, fields: Iterable[str], *, is_error: bool) -> None:
    """Report a field that the schema does not have; on an instance that is a warning, and the field is dropped."""
    place = (*path, name)
    known = _cut(", ".join(islice(fields, _SHOWN)))
    hint = did_you_mean(name, fields) or (f"fields are {known}" if known else "")
    message = f"{show_path(place)} is not a field of {show_path(path)}"
    if is_error:
        found.error("instance-unknown-field", place, message, hint)
    else:
        found.warnings.append(Violation("instance-unknown-field", place, f"{message}, it is dropped", hint, WARNING))


def show_path(path: Path) -> str:
    """`("spec", "ports", 0)` -> `spec.ports[0]`."""
    shown = _cut(str(path[0])) if path else "the value"
    for key in path[1:]:
        shown = join_path(shown, _cut(key) if isinstance(key, str) else key)
    return shown


def show_value(value: Any) -> str:
    """Name a value in a message: short scalars as they are written, containers by their kind."""
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= 40 and value.isprintable() else f"{ascii(value[:36])[:40]}..."
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "an object"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int) and abs(value) >= 10**24:
        return "beyond every type"
    return str(value)


def _cut(text: str) -> str:
    """Keep a message one short line, whatever stands in a schema or a key."""
    text = text if text.isprintable() else ascii(text)[1:-1]
    return text if len(text) <= 80 else text[:77] + "..."
