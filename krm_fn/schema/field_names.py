"""
Fields whose names CEL cannot spell: `with-dash` is `with__dash__dash` in an expression, `in` is `__in__`.

Enters: names as CEL has them, syntax trees, schemas.  Leaves: names as the object has them.  Imported only where an expression
holds two underscores.

Source: Kubernetes v1.35.0 apiserver pkg/cel/escaping.go. Keys of maps are not escaped, names of declared fields are.
"""

from __future__ import annotations

from krm_fn.cel.syntax import Has, Identifier, Index, Select, children
from krm_fn.schema.escaping import WORDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krm_fn.cel.syntax import Node


def unescaped(name: str) -> str:
    """Undo the escapes: `with__dash__dash` -> `with-dash`, `__in__` -> `in`; other names are as they are."""
    if name[:2] == "__" == name[-2:] and "__" not in name[2:-2] and name[2:-2] not in WORDS:
        return name[2:-2]
    for word, char in WORDS.items():
        name = name.replace(f"__{word}__", f"\0{char}\0")
    return name.replace("\0", "")


def name_fields(root: Node, variable: str, schema: dict[str, Any]) -> None:
    """Give the selections below *variable* the names that *schema* declares, in place."""
    nodes = [root]
    for node in nodes:  # grows while it is read
        if isinstance(node, Select | Has):
            _schema_of(node, variable, schema)
        nodes.extend(children(node))


def _schema_of(node: Node, variable: str, schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a selection from *variable*, its fields renamed on the way; empty where it is not declared."""
    if isinstance(node, Identifier):
        return schema if node.name == variable else {}
    if isinstance(node, Index):
        items: dict[str, Any] = _schema_of(node.operand, variable, schema).get("items") or {}
        return items
    if not isinstance(node, Select | Has):
        return {}
    parent = _schema_of(node.operand, variable, schema)
    fields: dict[str, dict[str, Any]] = parent.get("properties") or {}
    if node.field not in fields and unescaped(node.field) in fields:
        node.field = unescaped(node.field)
    extra = parent.get("additionalProperties")
    return fields.get(node.field) or (extra if isinstance(extra, dict) else {})
