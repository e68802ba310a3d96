"""
A tree -> the text of an expression.

Enters: a syntax tree, as `cel.parser` makes it or rewritten.  Leaves: text whose tree is that tree again, offsets aside.  Not known here:
what the expression means, why somebody wants it as text.

Parentheses stand where the tree needs them and nowhere else, strings are in double quotes: what an author wrote in another way comes out
in this one.
"""

from __future__ import annotations

from krm_fn.cel.stack import deep
from krm_fn.cel.syntax import (
    Binary,
    Bind,
    Call,
    Comprehension,
    Conditional,
    Has,
    Identifier,
    Index,
    ListLiteral,
    Literal,
    Logic,
    MapLiteral,
    MemberCall,
    MessageLiteral,
    OptionalMap,
    Select,
    SortBy,
    Unary,
)
from krm_fn.cel.values import Uint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from krm_fn.cel.syntax import Node

_CONDITIONAL, _OR, _AND, _RELATION, _SUM, _PRODUCT, _UNARY, _MEMBER = range(8)
"""How tight a node binds; an operand that binds looser than its place asks for stands in parentheses."""
_BINARY = {"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "%": _PRODUCT}
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def unparse(node: Node) -> str:
    """The text of *node*."""
    return deep(_written, node, _CONDITIONAL)


def _written(node: Node, lowest: int) -> str:
    """*node*, in parentheses where it binds looser than *lowest*."""
    text, binds = _WRITERS[type(node)](node)
    return text if binds >= lowest else f"({text})"


def _listed(nodes: list[Node], optional: frozenset[int] = frozenset()) -> str:
    return ", ".join(("?" if i in optional else "") + _written(node, _CONDITIONAL) for i, node in enumerate(nodes))


def _literal(node: Literal) -> tuple[str, int]:
    value: Any = node.value
    if value is None or type(value) is bool:
        return {True: "true", False: "false", None: "null"}[value], _MEMBER
    if type(value) is str:
        return quoted(value), _MEMBER
    if type(value) is bytes:
        return 'b"' + "".join(_byte(byte) for byte in value) + '"', _MEMBER
    if type(value) is Uint:
        return f"{int(value)}u", _MEMBER
    # A selection behind a number would be read as its fraction, and a sign before it joined to another.
    return repr(value), _UNARY


def quoted(text: str) -> str:
    """*text* as a literal."""
    return '"' + "".join(_ESCAPES.get(character) or _character(character) for character in text) + '"'


def _character(character: str) -> str:
    # Half a pair has no escape; it stands as it is.
    if character.isprintable() or "\ud800" <= character <= "\udfff":
        return character
    return f"\\U{ord(character):08x}"


def _byte(byte: int) -> str:
    character = chr(byte)
    if character in _ESCAPES:
        return _ESCAPES[character]
    return character if 32 <= byte < 127 else f"\\x{byte:02x}"


def _identifier(node: Identifier) -> tuple[str, int]:
    return node.name, _MEMBER


def _select(node: Select) -> tuple[str, int]:
    return f"{_written(node.operand, _MEMBER)}.{'?' if node.optional else ''}{node.field}", _MEMBER


def _index(node: Index) -> tuple[str, int]:
    index = _written(node.index, _CONDITIONAL)
    return f"{_written(node.operand, _MEMBER)}[{'?' if node.optional else ''}{index}]", _MEMBER


def _call(node: Call) -> tuple[str, int]:
    return f"{node.name}({_listed(node.arguments)})", _MEMBER


def _member_call(node: MemberCall) -> tuple[str, int]:
    arguments = _listed(node.arguments)
    is_condition = node.name == "newCondition" and type(node.target) is Identifier and node.target.name == "runtime"
    if is_condition and len(node.arguments) == 1 and type(fields := node.arguments[0]) is MapLiteral:
        # Its keys are bare names, which the parser has made strings of.
        bare = [(Identifier(str(key.value), 0, 0), value) for key, value in fields.entries]  # type: ignore[union-attr]
        arguments = _map_literal(MapLiteral([*bare], fields.optional, 0, 0))[0]
    return f"{_written(node.target, _MEMBER)}.{node.name}({arguments})", _MEMBER


def _unary(node: Unary) -> tuple[str, int]:
    return node.operator + _written(node.operand, _MEMBER), _UNARY


def _binary(node: Binary) -> tuple[str, int]:
    binds = _BINARY.get(node.operator, _RELATION)
    return f"{_written(node.left, binds)} {node.operator} {_written(node.right, binds + 1)}", binds


def _logic(node: Logic) -> tuple[str, int]:
    binds = _AND if node.operator == "&&" else _OR
    return f" {node.operator} ".join(_written(term, binds + 1) for term in node.terms), binds


def _conditional(node: Conditional) -> tuple[str, int]:
    condition, then = _written(node.condition, _OR), _written(node.then, _OR)
    return f"{condition} ? {then} : {_written(node.otherwise, _CONDITIONAL)}", _CONDITIONAL


def _list_literal(node: ListLiteral) -> tuple[str, int]:
    return f"[{_listed(node.elements, node.optional)}]", _MEMBER


def _map_literal(node: MapLiteral) -> tuple[str, int]:
    entries = [
        ("?" if i in node.optional else "") + f"{_written(key, _CONDITIONAL)}: {_written(value, _CONDITIONAL)}"
        for i, (key, value) in enumerate(node.entries)
    ]
    return "{" + ", ".join(entries) + "}", _MEMBER


def _message(node: MessageLiteral) -> tuple[str, int]:
    fields = [
        ("?" if i in node.optional else "") + f"{name}: {_written(value, _CONDITIONAL)}"
        for i, (name, _, value) in enumerate(node.fields)
    ]
    return f"{node.name}{{{', '.join(fields)}}}", _MEMBER


def _has(node: Has) -> tuple[str, int]:
    return f"has({_written(node.operand, _MEMBER)}.{node.field})", _MEMBER


def _comprehension(node: Comprehension) -> tuple[str, int]:
    parts = [variable.name for variable in node.variables]
    parts += [_written(part, _CONDITIONAL) for part in (node.condition, node.body) if part is not None]
    return f"{_written(node.range, _MEMBER)}.{node.kind}({', '.join(parts)})", _MEMBER


def _sort_by(node: SortBy) -> tuple[str, int]:
    key = _written(node.key, _CONDITIONAL)
    return f"{_written(node.range, _MEMBER)}.sortBy({node.variable.name}, {key})", _MEMBER


def _bind(node: Bind) -> tuple[str, int]:
    initial, body = _written(node.initial, _CONDITIONAL), _written(node.body, _CONDITIONAL)
    return f"cel.bind({node.variable.name}, {initial}, {body})", _MEMBER


def _optional_map(node: OptionalMap) -> tuple[str, int]:
    name, body = "optFlatMap" if node.flat else "optMap", _written(node.body, _CONDITIONAL)
    return f"{_written(node.target, _MEMBER)}.{name}({node.variable.name}, {body})", _MEMBER


_WRITERS: dict[type, Callable[[Any], tuple[str, int]]] = {
    Literal: _literal,
    Identifier: _identifier,
    Select: _select,
    Index: _index,
    Call: _call,
    MemberCall: _member_call,
    Unary: _unary,
    Binary: _binary,
    Logic: _logic,
    Conditional: _conditional,
    ListLiteral: _list_literal,
    MapLiteral: _map_literal,
    MessageLiteral: _message,
    Has: _has,
    Comprehension: _comprehension,
    SortBy: _sort_by,
    Bind: _bind,
    OptionalMap: _optional_map,
}
