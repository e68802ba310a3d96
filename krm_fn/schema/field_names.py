"""
Fields whose names CEL cannot spell: `with-dash` is `with__dash__dash` in an expression, `in` is `__in__`.

Enters: names as CEL has them, syntax trees, schemas.  Leaves: names as the object has them.  Imported only where an expression
holds two underscores.

Source: Kubernetes v1.35.0 apiserver pkg/cel/escaping.go. Keys of maps are not escaped, names of declared fields are.
"""

from __future__ import annotations

from krm_fn.cel.stack import deep
from krm_fn.cel.syntax import Bind, Comprehension, Has, Identifier, Index, OptionalMap, Select, SortBy, children
from krm_fn.schema.escaping import WORDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TypeAlias

    from krm_fn.cel.syntax import Node

    Schema: TypeAlias = dict[str, Any]


def unescaped(name: str) -> str:
    """Undo the escapes: `with__dash__dash` -> `with-dash`, `__in__` -> `in`; other names are as they are."""
    if name[:2] == "__" == name[-2:] and "__" not in name[2:-2] and name[2:-2] not in WORDS:
        return name[2:-2]
    for word, char in WORDS.items():
        name = name.replace(f"__{word}__", f"\0{char}\0")
    return name.replace("\0", "")


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
        if node.field not in fields and unescaped(node.field) in fields:
            node.field = unescaped(node.field)
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
