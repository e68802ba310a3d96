"""
The syntax tree of an expression.

Every node knows `start` and `end`: offsets in code points, end exclusive, of the text it came from. A node that is read
by its operator or name also knows where that stands (`at`), which is where a caret belongs. Macros are nodes of their own.
Not known here: types, values, how text becomes a tree (`cel.parser`).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    from krm_fn.cel.values import Value

    Node: TypeAlias = (
        "Literal | Identifier | Select | Index | Call | MemberCall | Unary | Binary | Logic | Conditional"
        " | ListLiteral | MapLiteral | MessageLiteral | Has | Comprehension | SortBy | Bind | OptionalMap"
    )


class Literal:
    """A constant: None, bool, int, Uint, float, str or bytes."""

    __slots__ = ("end", "start", "value")

    def __init__(self, value: Value, start: int, end: int) -> None:
        self.value = value
        self.start = start
        self.end = end


class Identifier:
    """A name that stands alone. A leading dot is part of it (`.a`)."""

    __slots__ = ("end", "name", "start")

    def __init__(self, name: str, start: int, end: int) -> None:
        self.name = name
        self.start = start
        self.end = end


class Select:
    """`operand.field`, or with *optional* `operand.?field`. *at* is where the field's name begins."""

    __slots__ = ("at", "end", "field", "operand", "optional", "start")

    def __init__(self, operand: Node, field: str, at: int, end: int, *, optional: bool = False) -> None:
        self.operand = operand
        self.field = field
        self.at = at
        self.start: int = operand.start
        self.end = end
        self.optional = optional


class Index:
    """`operand[index]`, or with *optional* `operand[?index]`. *at* is the opening bracket."""

    __slots__ = ("at", "end", "index", "operand", "optional", "start")

    def __init__(self, operand: Node, index: Node, at: int, end: int, *, optional: bool = False) -> None:
        self.operand = operand
        self.index = index
        self.at = at
        self.start: int = operand.start
        self.end = end
        self.optional = optional


class Call:
    """`name(arguments)`. A leading dot is part of the name."""

    __slots__ = ("arguments", "end", "name", "start")

    def __init__(self, name: str, arguments: list[Node], start: int, end: int) -> None:
        self.name = name
        self.arguments = arguments
        self.start = start
        self.end = end


class MemberCall:
    """`target.name(arguments)`, which may also be a function with a namespace: `lists.range(3)`. *at*: the name."""

    __slots__ = ("arguments", "at", "end", "name", "start", "target")

    def __init__(self, target: Node, name: str, arguments: list[Node], at: int, end: int) -> None:
        self.target = target
        self.name = name
        self.arguments = arguments
        self.at = at
        self.start: int = target.start
        self.end = end


class Unary:
    """`!operand` or `-operand`."""

    __slots__ = ("end", "operand", "operator", "start")

    def __init__(self, operator: str, operand: Node, start: int) -> None:
        self.operator = operator
        self.operand = operand
        self.start = start
        self.end: int = operand.end


class Binary:
    """`left operator right` for `+ - * / % == != < <= > >= in`. *at*: the operator."""

    __slots__ = ("at", "end", "left", "operator", "right", "start")

    def __init__(self, operator: str, left: Node, right: Node, at: int) -> None:
        self.operator = operator
        self.left = left
        self.right = right
        self.at = at
        self.start: int = left.start
        self.end: int = right.end


class Logic:
    """A chain of two or more terms joined by one of `&&`, `||`. *at*: the operators, one fewer than terms."""

    __slots__ = ("at", "end", "operator", "start", "terms")

    def __init__(self, operator: str, terms: list[Node], at: list[int]) -> None:
        self.operator = operator
        self.terms = terms
        self.at = at
        self.start: int = terms[0].start
        self.end: int = terms[-1].end


class Conditional:
    """`condition ? then : otherwise`. *at*: the question mark."""

    __slots__ = ("at", "condition", "end", "otherwise", "start", "then")

    def __init__(self, condition: Node, then: Node, otherwise: Node, at: int) -> None:
        self.condition = condition
        self.then = then
        self.otherwise = otherwise
        self.at = at
        self.start: int = condition.start
        self.end: int = otherwise.end


class ListLiteral:
    """`[elements]`; *optional* holds the positions of elements written `?x`."""

    __slots__ = ("elements", "end", "optional", "start")

    def __init__(self, elements: list[Node], optional: frozenset[int], start: int, end: int) -> None:
        self.elements = elements
        self.optional = optional
        self.start = start
        self.end = end


class MapLiteral:
    """`{key: value}`; *optional* holds the positions of entries written `?key: value`."""

    __slots__ = ("end", "entries", "optional", "start")

    def __init__(self, entries: list[tuple[Node, Node]], optional: frozenset[int], start: int, end: int) -> None:
        self.entries = entries
        self.optional = optional
        self.start = start
        self.end = end


class MessageLiteral:
    """
    `name{field: value}`, a message of a type. A leading dot is part of the name.

    fields: name, where it begins, value.  optional: positions of fields written `?field: value`.  at: the opening brace.
    """

    __slots__ = ("at", "end", "fields", "name", "optional", "start")

    def __init__(
        self, name: str, fields: list[tuple[str, int, Node]], optional: frozenset[int], start: int, at: int, end: int
    ) -> None:
        self.name = name
        self.fields = fields
        self.optional = optional
        self.start = start
        self.at = at
        self.end = end


class Has:
    """`has(operand.field)`. *at*: the field's name."""

    __slots__ = ("at", "end", "field", "operand", "start")

    def __init__(self, operand: Node, field: str, at: int, start: int, end: int) -> None:
        self.operand = operand
        self.field = field
        self.at = at
        self.start = start
        self.end = end


class Comprehension:
    """
    `range.kind(variables, [condition,] body)`.

    kind: all, exists, exists_one (also spelled existsOne), map, filter, transformList, transformMap, transformMapEntry.
    condition: of map and the transformations, None without one; of the others None: their predicate is the body.
    """

    __slots__ = ("at", "body", "condition", "end", "kind", "range", "start", "variables")

    def __init__(
        self,
        kind: str,
        range: Node,  # noqa: A002 - CEL's word
        variables: tuple[Identifier, ...],
        condition: Node | None,
        body: Node,
        at: int,
        end: int,
    ) -> None:
        self.kind = kind
        self.range = range
        self.variables = variables
        self.condition = condition
        self.body = body
        self.at = at
        self.start: int = range.start
        self.end = end


class SortBy:
    """`range.sortBy(variable, key)`."""

    __slots__ = ("at", "end", "key", "range", "start", "variable")

    def __init__(self, range: Node, variable: Identifier, key: Node, at: int, end: int) -> None:  # noqa: A002
        self.range = range
        self.variable = variable
        self.key = key
        self.at = at
        self.start: int = range.start
        self.end = end


class Bind:
    """`cel.bind(variable, initial, body)`."""

    __slots__ = ("at", "body", "end", "initial", "start", "variable")

    def __init__(self, variable: Identifier, initial: Node, body: Node, start: int, at: int, end: int) -> None:
        self.variable = variable
        self.initial = initial
        self.body = body
        self.start = start
        self.at = at
        self.end = end


class OptionalMap:
    """`target.optMap(variable, body)`, or with *flat* `target.optFlatMap(variable, body)`."""

    __slots__ = ("at", "body", "end", "flat", "start", "target", "variable")

    def __init__(self, target: Node, variable: Identifier, body: Node, at: int, end: int, *, flat: bool) -> None:
        self.target = target
        self.variable = variable
        self.body = body
        self.at = at
        self.flat = flat
        self.start: int = target.start
        self.end = end


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly below *node*, in the order of the text."""
    below = _CHILDREN.get(type(node))
    return below(node) if below else ()


_CHILDREN: dict[type, Callable[[Any], tuple[Node, ...]]] = {
    Select: lambda n: (n.operand,),
    Index: lambda n: (n.operand, n.index),
    Call: lambda n: tuple(n.arguments),
    MemberCall: lambda n: (n.target, *n.arguments),
    Unary: lambda n: (n.operand,),
    Binary: lambda n: (n.left, n.right),
    Logic: lambda n: tuple(n.terms),
    Conditional: lambda n: (n.condition, n.then, n.otherwise),
    ListLiteral: lambda n: tuple(n.elements),
    MapLiteral: lambda n: tuple(part for entry in n.entries for part in entry),
    MessageLiteral: lambda n: tuple(value for _, _, value in n.fields),
    Has: lambda n: (n.operand,),
    Comprehension: lambda n: (n.range, *n.variables, *((n.condition,) if n.condition else ()), n.body),
    SortBy: lambda n: (n.range, n.variable, n.key),
    Bind: lambda n: (n.variable, n.initial, n.body),
    OptionalMap: lambda n: (n.target, n.variable, n.body),
}
