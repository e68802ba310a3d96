"""
Fields whose names CEL cannot spell: `with-dash` is `with__dash__dash` in an expression, `in` is `__in__`.

Enters: names as CEL has them, syntax trees, schemas.  Leaves: names as the object has them.  Imported only where an expression
holds two underscores.

Source: Kubernetes v1.35.0 apiserver pkg/cel/escaping.go. Keys of maps are not escaped, names of declared fields are.
"""

from __future__ import annotations

from krm_fn.cel.stack import deep
from krm_fn.cel.syntax import Bind, Comprehension, Has, Identifier, Index, OptionalMap, Select, SortBy, children
from krm_fn.cel.types import RESERVED_FIELDS
from krm_fn.schema.escaping import escape, unescape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Any, TypeAlias

    from krm_fn.cel.syntax import Node

    Schema: TypeAlias = dict[str, Any]


def declared(name: str, fields: Collection[str]) -> str:
    """
    The one of the declared *fields* that expressions spell *name*; an empty text where there is none.

    `with__dash__dash` is with-dash, `__in__` and `in` are in; `__foo__` is nothing, since foo is spelled as it is.
    """
    field = unescape(name)
    return field if field in fields and (escape(field) == name or name in RESERVED_FIELDS) else ""


def name_fields(root: Node, schemas: Mapping[str, Schema]) -> None:
    """Give the selections below variables the names that their *schemas* declare, in place. What a macro binds counts, too."""
    deep(_schema_of, root, schemas)


def _schema_of(node: Node, scope: Mapping[str, Schema]) -> Schema:
    """The schema of a node's value, empty where it is not declared; the fields below it are renamed on the way."""
    if isinstance(node, Identifier):
        return scope.get(node.name) or {}
    if isinstance(node, Index):
        _schema_of(node.index, scope)
        return _part(_schema_of(node.operand, scope))
    if isinstance(node, Select | Has):
        parent = _schema_of(node.operand, scope)
        fields: dict[str, Schema] = parent.get("properties") or {}
        if node.field not in fields:
            node.field = declared(node.field, fields) or node.field
        return fields.get(node.field) or _values(parent)
    if isinstance(node, Comprehension):
        whole = _schema_of(node.range, scope)
        inner = {**scope, **{variable.name: {} for variable in node.variables}}
        if "items" in whole or len(node.variables) > 1:
            inner[node.variables[-1].name] = _part(whole)
        for part in (node.condition, node.body):
            if part is not None:
                _schema_of(part, inner)
        return whole if node.kind == "filter" else {}
    if isinstance(node, SortBy):
        whole = _schema_of(node.range, scope)
        _schema_of(node.key, {**scope, node.variable.name: _part(whole)})
        return whole
    if isinstance(node, Bind):
        return _schema_of(node.body, {**scope, node.variable.name: _schema_of(node.initial, scope)})
    if isinstance(node, OptionalMap):
        _schema_of(node.body, {**scope, node.variable.name: _schema_of(node.target, scope)})
        return {}
    for child in children(node):
        _schema_of(child, scope)
    return {}


def _part(schema: Schema) -> Schema:
    """The schema of a list's items or of a map's values."""
    return schema.get("items") or _values(schema)


def _values(schema: Schema) -> Schema:
    values = schema.get("additionalProperties")
    return values if isinstance(values, dict) else {}
