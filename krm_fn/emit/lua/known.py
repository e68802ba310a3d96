"""
What is known of an expression before it is evaluated: schemas, which parts are optionals, and which are ints.

Enters: syntax trees, the variables in sight.  Leaves: facts; `NotCarried` where one of them is in the way.  Not known here: Lua.
"""

from __future__ import annotations

from krm_fn.cel.syntax import (
    Binary,
    Call,
    Conditional,
    Identifier,
    Index,
    Literal,
    MemberCall,
    OptionalMap,
    Select,
    Unary,
    children,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TypeAlias

    from krm_fn.cel.syntax import Node

    Schema: TypeAlias = Mapping[str, Any]

ARITHMETIC = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "%": "modulo"}


class NotCarried(Exception):  # noqa: N818 - it is an answer
    """Lua cannot say it. what: the function or construct.  node: where it stands.  help: what can be written instead."""

    def __init__(self, what: str, node: Node, help: str = "") -> None:  # noqa: A002
        super().__init__(what)
        self.what = what
        self.node = node
        self.help = help


class Variable:
    """What a name stands for. schema: of its value, if it is known.  optional: whether it is an optional."""

    __slots__ = ("name", "optional", "schema")

    def __init__(self, name: str, schema: Schema | None, *, optional: bool = False) -> None:
        self.name = name
        self.schema = schema
        self.optional = optional


class Scope:
    """The variables in sight."""

    def __init__(self) -> None:
        self.variables: dict[str, Variable] = {}

    def is_optional(self, node: Node) -> bool:
        if isinstance(node, Select | Index):
            return node.optional or self.is_optional(node.operand)
        if type(node) is Identifier:
            variable = self.variables.get(node.name)
            return variable is not None and variable.optional
        if type(node) is OptionalMap:
            return True
        if type(node) is Conditional:
            return self.is_optional(node.then) and self.is_optional(node.otherwise)
        if type(node) is MemberCall:
            if type(node.target) is Identifier and node.target.name == "optional":
                return node.name in ("of", "none")
            return node.name == "or" and self.is_optional(node.target)
        return False

    def schema_of(self, node: Node) -> Schema | None:
        """The schema of a plain path; None where nothing is known of it."""
        if type(node) is Identifier:
            variable = self.variables.get(node.name)
            return variable.schema if variable is not None else None
        if type(node) not in (Select, Index):
            return None
        owner = self.schema_of(node.operand)  # type: ignore[union-attr]
        if owner is None:
            return None
        field = node.field if type(node) is Select else getattr(node.index, "value", None)  # type: ignore[union-attr]
        properties = owner.get("properties") or {}
        found = properties.get(field) if isinstance(field, str) else owner.get("items")
        if found is None and isinstance(field, str):
            found = owner.get("additionalProperties")
        return found if isinstance(found, dict) else None

    def refuse_null(self, node: Node) -> None:
        """A field that may be null is read only where null is as good as absent."""
        schema = self.schema_of(node)
        if schema is None:
            return
        items = schema.get("items")
        if isinstance(items, dict) and items.get("nullable") is True:
            raise NotCarried("a list that may hold null", node)
        if schema.get("nullable") is True:
            advice = 'null and absent are one to Lua: ask for what the field must be, such as `== "Ready"`'
            raise NotCarried("a field that may be null", node, advice)

    def refuse_sums_of_doubles(self, node: Node) -> None:
        """1.5 + 1.5 is a double to CEL, and nothing tells it from an int in Lua: only comparisons may see it."""
        level = [node]
        for each in level:  # grows while it is read
            if type(each) is Binary and each.operator in ARITHMETIC and not self.is_surely_int(each):
                raise NotCarried("arithmetic on what may be a double", each)
            level.extend(children(each))

    def is_surely_int(self, node: Node) -> bool:
        """Whether *node* is an int wherever it is a number at all; also what is no number, such as a text."""
        if type(node) is Literal:
            return not isinstance(node.value, float)
        if type(node) is Binary:
            if node.operator not in ARITHMETIC:
                return True
            sides = (self.is_surely_int(node.left), self.is_surely_int(node.right))
            return any(sides) or node.operator == "%"  # an int and a double give no value at all
        if type(node) is Unary:
            return self.is_surely_int(node.operand)
        if type(node) is Call:
            return node.name.lstrip(".") in ("size", "int", "string")
        if type(node) is MemberCall:
            return node.name == "size"
        schema = self.schema_of(node)
        return schema is not None and schema.get("type") in ("integer", "string", "array")
