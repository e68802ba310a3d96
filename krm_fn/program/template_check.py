"""
What the schema of a kind has against a template.

Enters: a template with its `${…}` still in it, the schema of its kind, the types of its expressions.  Leaves: problems through a
callback.  Not known here: expressions, where schemas come from, what a value becomes.

Two readers, as in kro. What the author wrote himself is held against the schema on one walk down both (`check_literals`): the kind of
each value, and whether there is such a field. What an expression gives is held against the CEL type of its field (`check_result`). kro
asks for no more: what else the API server would refuse (`enum`, `required`, `format`) is not its business.

Source: kro v0.9.3 pkg/graph/parser/parser.go ParseResource, pkg/graph/builder.go validateExpressionType.
"""

from __future__ import annotations

from krm_fn.cel.types import LIST, NULL, OBJECT, assignable, is_optional
from krm_fn.program.definition import type_name
from krm_fn.program.template import TemplateError, is_standalone, path_text, scan
from krm_fn.report.near import did_you_mean
from krm_fn.schema.cel_types import NOT_AT_HAND, why_not

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeAlias

    from krm_fn.cel.types import Type
    from krm_fn.program.model import Node
    from krm_fn.program.template import Expression, Path

    Schema: TypeAlias = dict[str, Any]
    Report: TypeAlias = Callable[..., None]
    """Takes code, message, path, and `offset`, `length`, `help`, `at_key`."""

_PRESERVE = "x-kubernetes-preserve-unknown-fields"
_INT_OR_STRING = "x-kubernetes-int-or-string"
_ANY = ("any",)
_SPECIAL = frozenset((_PRESERVE, _INT_OR_STRING, "oneOf", "anyOf"))
"""What makes more of a schema than its type."""
_SHOWN = 10
_LONGEST = 64
_SUGGESTIONS = 20
"""So many unknown fields get a suggestion: to look for one costs more than the whole walk."""
_SAYS = {
    "object": "a mapping",
    "array": "a list",
    "string": "a string",
    "boolean": "a boolean",
    "integer": "an integer",
    "number": "a number",
}


def is_schemaless(node: Node) -> bool:
    """Whether kro reads a template without its schema: a reference, and the definition of a kind."""
    return node.is_external or (node.api_version, node.object_kind) == (
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
    )


def check_literals(template: Any, schema: Schema, kind: str, root: Path, report: Report) -> None:
    """Hold what stands in a template against the schema of its *kind*. *root*: the template's own path in the document."""
    _Walk(kind, root, report).visit(template, schema, ())


class _Walk:
    """One walk down a template and its schema."""

    __slots__ = ("kind", "report", "root", "suggested")

    def __init__(self, kind: str, root: Path, report: Report) -> None:
        self.kind = kind
        self.root = root
        self.report = report
        self.suggested = 0

    def visit(self, value: Any, schema: Schema, path: Path) -> None:
        if NOT_AT_HAND in schema:
            return
        types = expected_types(schema)
        if not types:
            where = path_text(path) or "the template"
            self.report(
                "untyped-field",
                f"{where} of {self.kind}: its schema does not say what may stand there",
                self.root + path,
                help="kro refuses a field without a type; give the field x-kubernetes-preserve-unknown-fields in its CRD",
            )
        elif isinstance(value, dict):
            self.mapping(value, schema, path, types)
        elif isinstance(value, list):
            self.sequence(value, schema, path, types)
        elif value is not None and not _suits(value, types):
            self.wrong(value, path, types)

    def mapping(self, value: dict[str, Any], schema: Schema, path: Path, types: Sequence[str]) -> None:
        if schema.get(_PRESERVE) is True:
            return
        values = schema.get("additionalProperties")
        if values is True:
            values = {}
        if "object" not in types and not isinstance(values, dict):
            self.wrong(value, path, types)
            return
        properties = schema.get("properties") or {}
        for name, child in value.items():
            below = properties.get(name, values)
            if isinstance(below, dict):
                self.visit(child, below, (*path, name))
            else:
                self.unknown(name, properties, path)

    def sequence(self, value: list[Any], schema: Schema, path: Path, types: Sequence[str]) -> None:
        if schema.get(_PRESERVE) is True:
            return
        items = schema.get("items")
        if "array" not in types:
            self.wrong(value, path, types)
        elif not isinstance(items, dict):
            self.visit(None, {}, path)
        else:
            for i, child in enumerate(value):
                self.visit(child, items, (*path, i))

    def wrong(self, value: Any, path: Path, types: Sequence[str]) -> None:
        wanted = " or ".join(_SAYS.get(name, name) for name in types)
        where = path_text(path) or "the template"
        self.report(
            "wrong-type",
            f"{where} of {self.kind} is {type_name(value)}, expected {wanted}",
            self.root + path,
            help=_advice(value, types),
        )

    def unknown(self, name: str, properties: dict[str, Schema], path: Path) -> None:
        advice = ""
        if self.suggested < _SUGGESTIONS and len(name) <= _LONGEST:
            self.suggested += 1
            known = sorted(properties)
            advice = did_you_mean(name, known)
            if not advice and known:
                advice = f"fields are {', '.join(known[:_SHOWN])}{', …' if len(known) > _SHOWN else ''}"
        parent = f"{path_text(path)} of {self.kind}" if path else self.kind
        self.report(
            "unknown-field",
            f"{name!r} is not a field of {parent}",
            (*self.root, *path, name),
            length=len(name),
            at_key=True,
            help=advice,
        )


def expected_types(schema: Schema) -> tuple[str, ...]:
    """
    The types that a value written by hand may have here, `any` among them; none where kro refuses the schema itself.

    Source: kro v0.9.3 pkg/graph/parser/parser.go getExpectedTypes, validateSchema.
    """
    kind = schema.get("type")
    if _SPECIAL.isdisjoint(schema) and isinstance(kind, str) and kind:
        return (kind,)
    if schema.get(_PRESERVE) is True:
        return _ANY
    if schema.get(_INT_OR_STRING) is True:
        return ("string", "integer")
    for keyword in ("oneOf", "anyOf"):
        types = types_of_alternatives(schema.get(keyword) or ())
        if types:
            return types
    if isinstance(kind, str) and kind:
        return (kind,)
    if isinstance(kind, list) and kind and kind[0]:
        return tuple(kind)
    values = schema.get("additionalProperties")
    return _ANY if isinstance(values, dict) or values is True else ()


def types_of_alternatives(schemas: Sequence[Any]) -> tuple[str, ...]:
    """
    The types that alternatives name; one that only asks for fields, or excludes some, stands for an object.

    Source: kro v0.9.3 pkg/graph/parser/parser.go collectTypesFromSubSchemas.
    """
    types: dict[str, None] = {}
    for schema in schemas:
        if isinstance(schema, dict):
            if schema.get("required") or schema.get("not") is not None:
                types["object"] = None
            kind = schema.get("type")
            types.update(dict.fromkeys(name for name in (kind if isinstance(kind, list) else (kind,)) if name))
    return tuple(types)


def _suits(value: Any, types: Sequence[str]) -> bool:
    if "any" in types:
        return True
    if isinstance(value, str):
        return "string" in types or _is_expression(value)
    return any(name in types for name in _ACCEPTED.get(type(value), ()))


_ACCEPTED: dict[type, tuple[str, ...]] = {
    bool: ("boolean", "bool"),
    int: ("integer", "int", "number"),
    float: ("number",),
}
"""What a schema may call a value that was read from YAML, where a whole number is an integer."""


def _is_expression(text: str) -> bool:
    """Whether a text is one `${…}`, whose result is looked at instead; what the scanner refuses is reported elsewhere."""
    if "${" not in text:
        return False
    try:
        return is_standalone(text, scan(text))
    except TemplateError:
        return True


def _advice(value: Any, types: Sequence[str]) -> str:
    if isinstance(value, str) and "${" in value:
        return "text around ${…} makes a string of it; write the expression alone"
    if isinstance(value, str) and _is_plain(value, types):
        return "remove the quotes"
    if "string" in types and isinstance(value, bool | int | float):
        return "quote it"
    if "array" in types:
        return "begin each item with '- '"
    return ""


def _is_plain(text: str, types: Sequence[str]) -> bool:
    """Whether a text without its quotes would be what is expected."""
    if text in ("true", "false"):
        return "boolean" in types
    return text.isascii() and text.lstrip("-").isdigit() and not {"integer", "number"}.isdisjoint(types)


# -- what an expression gives -----------------------------------------------------------------------------------------


def check_result(found: Type, target: Type, expression: Expression, field: Path, kind: str, report: Report) -> None:
    """Hold the type of an expression's result against that of its *field*, both as CEL has them."""
    reason = why_not(found, target)
    if not reason:
        return
    from krm_fn.cel.check_messages import named

    detail = f": {reason}" if found.parameters or target.parameters or OBJECT in (found.kind, target.kind) else ""
    report(
        "cel-type",
        f"{path_text(field)} of {kind} takes {named(target)}, not {named(found)}{detail}",
        expression.path,
        offset=expression.scalar_offset(0),
        length=_length(expression),
        help=_cure(found, target),
    )


def _length(expression: Expression) -> int:
    """How much of the scalar the expression is; of a text with expressions in it, all."""
    first, last = expression.segments[0], expression.segments[-1]
    return last[1] + last[2] - first[1]


def _cure(found: Type, target: Type) -> str:
    inner = found.parameters[0] if is_optional(found) else found
    cure = _CURES.get((inner.kind, target.kind), "")
    if not cure and target.kind == LIST and assignable(target.parameters[0], inner):
        return "[…] makes a list of it"
    if not cure and inner.kind == LIST and assignable(target, inner.parameters[0]):
        return "[0] takes the first item"
    return cure


_CURES = {
    ("string", "int"): "int(…) makes a number of it",
    ("double", "int"): "int(…) makes a whole number of it",
    ("string", "double"): "double(…) makes a number of it",
    ("int", "double"): "double(…) makes a number of it",
    ("string", "bool"): 'compare it: … == "true"',
    ("string", "bytes"): "bytes(…) makes bytes of a text; a Secret takes texts in stringData",
    ("bytes", "string"): "string(…) makes a text of it, base64.encode(…) its base64",
    ("string", "timestamp"): "timestamp(…) makes a time of it",
    ("string", "duration"): "duration(…) makes a duration of it",
    ("int", "string"): "string(…) makes a text of it",
    ("double", "string"): "string(…) makes a text of it",
    ("bool", "string"): "string(…) makes a text of it",
    ("timestamp", "string"): "string(…) makes a text of it",
    ("duration", "string"): "string(…) makes a text of it",
    ("list", "string"): 'join(",") makes a text of a list of strings',
    (NULL, "string"): "omit() leaves the field out",
    (NULL, "int"): "omit() leaves the field out",
    (NULL, "bool"): "omit() leaves the field out",
}
