"""
Text -> syntax tree.

Enters: the text of one expression.  Leaves: its `syntax.Node`, or a CelSyntaxError with every problem that is known.
Not known here: types, which functions exist, evaluation.

A Pratt parser: `_operators` climbs the precedences `|| && relation + *` (1 to 5), everything tighter is `_member`.
A grammatical error ends the parse; reserved words and malformed macros are collected and reported together.

Limits are cel-go's. Its generated parser counts, for each grammar rule, how many calls are open, and its tree
builder counts the operators, selections, indices and member calls on a path; both may reach 250. The first is carried
here in three counters (`exprs`, `relations`, `calcs`); a binary operator opens its rule again for its right operand.
The second is counted on the tree, only when the text has enough tokens to get there.

Source: cel-go v0.27.0 parser/parser.go, parser/gen/CEL.g4.
"""

from __future__ import annotations

from krm_fn.cel.errors import CelSyntaxError, Problem
from krm_fn.cel.lexer import END, INT_MAX, LITERAL, NAME, NUMBER, tokenize
from krm_fn.cel.stack import deep
from krm_fn.cel.syntax import (
    Binary,
    Call,
    Conditional,
    Identifier,
    Index,
    ListLiteral,
    Literal,
    Logic,
    MapLiteral,
    MemberCall,
    MessageLiteral,
    Select,
    Unary,
    children,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from krm_fn.cel.lexer import Token
    from krm_fn.cel.syntax import Node

MAX_CODE_POINTS = 100_000
MAX_DEPTH = 250

RESERVED = frozenset(
    [
        "as",
        "break",
        "const",
        "continue",
        "else",
        "false",
        "for",
        "function",
        "if",
        "import",
        "in",
        "let",
        "loop",
        "package",
        "namespace",
        "null",
        "return",
        "true",
        "var",
        "void",
        "while",
    ],
)
MACROS = frozenset(
    [
        "has",
        "all",
        "exists",
        "exists_one",
        "existsOne",
        "map",
        "filter",
        "transformList",
        "transformMap",
        "transformMapEntry",
        "bind",
        "optMap",
        "optFlatMap",
        "sortBy",
        "newCondition",
    ],
)
"""Names that may be a macro; `cel.macros` knows the rest and is imported only when one of them is called."""

_OR, _AND, _RELATION, _SUM, _PRODUCT = 1, 2, 3, 4, 5
_PRECEDENCE = {
    "||": _OR, "&&": _AND,
    "==": _RELATION, "!=": _RELATION, "<": _RELATION, "<=": _RELATION, ">": _RELATION, ">=": _RELATION, "in": _RELATION,
    "+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "%": _PRODUCT,
}  # fmt: skip


def parse(text: str) -> Node:
    """
    The tree of *text*.

    Units: limits are 100,000 code points and 250 levels.  Errors: CelSyntaxError.
    """
    if len(text) > MAX_CODE_POINTS:
        message = f"the expression has {len(text)} characters: the limit is {MAX_CODE_POINTS}"
        raise CelSyntaxError([Problem(message, 0, 0)])
    parser = _Parser(tokenize(text))
    node = deep(parser.whole)
    if parser.problems:
        raise CelSyntaxError(parser.problems)
    if len(parser.tokens) > MAX_DEPTH:
        _check_depth(node)
    return node


class _Parser:
    __slots__ = ("position", "problems", "tokens")

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.position = 0
        self.problems: list[Problem] = []

    def whole(self) -> Node:
        node = self.expression(1, 0, 0)
        if self.tokens[self.position][0] is not END:
            self.unexpected("end")
        return node

    def expression(self, exprs: int, relations: int, calcs: int) -> Node:
        if exprs > MAX_DEPTH or relations > MAX_DEPTH or calcs > MAX_DEPTH:
            token = self.tokens[self.position]
            self.fail(f"the expression is nested too deeply: the limit is {MAX_DEPTH} levels", token[2], 0)
        condition = self.operators(_OR, exprs, relations, calcs)
        token = self.tokens[self.position]
        if token[0] != "?":
            return condition
        self.position += 1
        then = self.operators(_OR, exprs, relations, calcs)
        self.expect(":", "the ':' of a conditional")
        otherwise = self.expression(exprs + 1, relations, calcs)
        return Conditional(condition, then, otherwise, token[2])

    def operators(self, lowest: int, exprs: int, relations: int, calcs: int) -> Node:
        """An operand and the operators behind it that bind at least as tight as *lowest*."""
        if lowest <= _SUM:
            relations += 1
        calcs += 1
        if relations > MAX_DEPTH or calcs > MAX_DEPTH:
            self.fail(
                f"the expression is nested too deeply: the limit is {MAX_DEPTH} levels",
                self.tokens[self.position][2],
                0,
            )
        left = self.unary(exprs, relations, calcs)
        tokens = self.tokens
        while True:
            token = tokens[self.position]
            precedence = _PRECEDENCE.get(token[0], 0)
            if precedence < lowest or not precedence:
                return left
            self.position += 1
            if precedence > _RELATION:
                right = self.operators(precedence + 1, exprs, relations, calcs)
                left = Binary(token[0], left, right, token[2])
            elif precedence == _RELATION:
                right = self.operators(_SUM, exprs, relations, calcs - 1)
                left = Binary(token[0], left, right, token[2])
            else:
                left = self.logic(token, left, precedence, exprs, relations - 1, calcs - 1)

    def logic(self, first: Token, left: Node, precedence: int, exprs: int, relations: int, calcs: int) -> Node:
        """The rest of a chain of one logical operator, whose first operator has just been read."""
        terms, at = [left], [first[2]]
        while True:
            terms.append(self.operators(precedence + 1, exprs, relations, calcs))
            token = self.tokens[self.position]
            if token[0] != first[0]:
                return Logic(first[0], terms, at)
            at.append(token[2])
            self.position += 1

    def unary(self, exprs: int, relations: int, calcs: int) -> Node:
        """
        `!`s or `-`s (not both) and a member.

        An even number of them is dropped, as cel-go does. One `-` before a number belongs to the number.
        """
        token = self.tokens[self.position]
        operator = token[0]
        if operator not in ("!", "-"):
            return self.member(exprs, relations, calcs)
        count = 0
        while self.tokens[self.position][0] == operator:
            self.position += 1
            count += 1
        if operator == "-" and count == 1 and self.tokens[self.position][0] is NUMBER:
            return self.member(exprs, relations, calcs, negative=token)
        inner = self.tokens[self.position]
        if operator == "!" and inner[0] == "-" and self.tokens[self.position + 1][0] is NUMBER:
            self.position += 1
            node = self.member(exprs, relations, calcs, negative=inner)
        else:
            node = self.member(exprs, relations, calcs)
        return Unary(operator, node, token[2]) if count % 2 else node

    def member(self, exprs: int, relations: int, calcs: int, negative: Token | None = None) -> Node:
        """A primary expression and the selections, calls and indices behind it."""
        first = self.position
        node = self.primary(exprs, relations, calcs, negative)
        tokens = self.tokens
        while True:
            token = tokens[self.position]
            if token[0] == ".":
                self.position += 1
                name = tokens[self.position]
                optional = name[0] == "?"
                if optional:
                    self.position += 1
                    name = tokens[self.position]
                if name[0] is not NAME:
                    self.unexpected("a field name")
                self.position += 1
                field: str = name[1]  # type: ignore[assignment]
                if tokens[self.position][0] == "(" and not optional:
                    node = self.member_call(node, field, name, exprs, relations, calcs)
                else:
                    node = Select(node, field, name[2], name[3], optional=optional)
            elif token[0] == "[":
                self.position += 1
                optional = tokens[self.position][0] == "?"
                if optional:
                    self.position += 1
                index = self.expression(exprs + 1, relations, calcs)
                end = self.expect("]", "the ']' of an index")
                node = Index(node, index, token[2], end, optional=optional)
            elif token[0] == "{" and (message := _message_name(tokens[first : self.position], node)):
                node = self.message(message, node.start, exprs, relations, calcs)
            else:
                return node

    def primary(self, exprs: int, relations: int, calcs: int, negative: Token | None) -> Node:
        token = self.tokens[self.position]
        kind, value, start, end = token
        self.position += 1
        if kind is NAME:
            return self.name(value, start, end, exprs, relations, calcs)  # type: ignore[arg-type]
        if kind is LITERAL:
            return Literal(value, start, end)
        if kind is NUMBER:
            return self.number(token, negative)
        if kind == "(":
            node = self.expression(exprs + 1, relations, calcs)
            self.expect(")", "')'")
            return node
        if kind == "[":
            return self.list_literal(start, exprs, relations, calcs)
        if kind == "{":
            return self.map_literal(start, exprs, relations, calcs)
        if kind == "." and self.tokens[self.position][0] is NAME:
            _, name, _, end = self.tokens[self.position]
            self.position += 1
            return self.name(f".{name}", start, end, exprs, relations, calcs)
        self.position -= 1
        return self.unexpected("an operand")

    def number(self, token: Token, negative: Token | None) -> Node:
        _, value, start, end = token
        if negative is not None:
            value, start = -value, negative[2]  # type: ignore[operator]
        if type(value) is int and not -INT_MAX - 1 <= value <= INT_MAX:
            self.fail("the number is out of range for a 64-bit integer", start, end - start)
        return Literal(value, start, end)

    def name(self, name: str, start: int, end: int, exprs: int, relations: int, calcs: int) -> Node:
        if name.lstrip(".") in RESERVED:
            self.problems.append(Problem(f"'{name.lstrip('.')}' is a reserved word", start, end - start))
        if self.tokens[self.position][0] != "(":
            return Identifier(name, start, end)
        arguments, close = self.arguments(exprs, relations, calcs)
        if name in MACROS:
            from krm_fn.cel.macros import expand_call

            expanded = expand_call(name, arguments, start, close, self.problems)
            if expanded is not None:
                return expanded
        return Call(name, arguments, start, close)

    def member_call(self, target: Node, name: str, token: Token, exprs: int, relations: int, calcs: int) -> Node:
        arguments, close = self.arguments(exprs, relations, calcs)
        if name in MACROS:
            from krm_fn.cel.macros import expand_member_call

            expanded = expand_member_call(target, name, arguments, token[2], close, self.problems)
            if expanded is not None:
                return expanded
        return MemberCall(target, name, arguments, token[2], close)

    def arguments(self, exprs: int, relations: int, calcs: int) -> tuple[list[Node], int]:
        """The arguments behind an opening parenthesis, and the offset behind the closing one. No trailing comma."""
        self.position += 1
        arguments: list[Node] = []
        if self.tokens[self.position][0] != ")":
            arguments.append(self.expression(exprs + 1, relations, calcs))
            while self.tokens[self.position][0] == ",":
                self.position += 1
                arguments.append(self.expression(exprs + 1, relations, calcs))
        return arguments, self.expect(")", "',' or ')'")

    def list_literal(self, start: int, exprs: int, relations: int, calcs: int) -> Node:
        elements: list[Node] = []
        optional: list[int] = []
        while self.another("]", bool(elements)):
            if self.tokens[self.position][0] == "?":
                optional.append(len(elements))
                self.position += 1
            elements.append(self.expression(exprs + 1, relations, calcs))
        return ListLiteral(elements, frozenset(optional), start, self.expect("]", "',' or ']'"))

    def map_literal(self, start: int, exprs: int, relations: int, calcs: int) -> Node:
        entries: list[tuple[Node, Node]] = []
        optional: list[int] = []
        while self.another("}", bool(entries)):
            if self.tokens[self.position][0] == "?":
                optional.append(len(entries))
                self.position += 1
            key = self.expression(exprs + 1, relations, calcs)
            self.expect(":", "the ':' between key and value")
            entries.append((key, self.expression(exprs + 1, relations, calcs)))
        return MapLiteral(entries, frozenset(optional), start, self.expect("}", "',' or '}'"))

    def message(self, name: str, start: int, exprs: int, relations: int, calcs: int) -> Node:
        """The fields of a message, from its opening brace on."""
        if self.problems and self.problems[-1].offset == start:
            self.problems.pop()  # a reserved word may begin the name of a type
        at = self.tokens[self.position][2]
        self.position += 1
        fields: list[tuple[str, int, Node]] = []
        optional: list[int] = []
        while self.another("}", bool(fields)):
            if self.tokens[self.position][0] == "?":
                optional.append(len(fields))
                self.position += 1
            kind, field, begin, _ = self.tokens[self.position]
            if kind is not NAME:
                self.unexpected("a field name")
            self.position += 1
            self.expect(":", "the ':' between field and value")
            fields.append((field, begin, self.expression(exprs + 1, relations, calcs)))  # type: ignore[arg-type]
        return MessageLiteral(name, fields, frozenset(optional), start, at, self.expect("}", "',' or '}'"))

    def another(self, closing: str, any_yet: bool) -> bool:
        """Whether one more element follows. A comma may stand before the closing bracket, even alone: `[,]`."""
        kind = self.tokens[self.position][0]
        if kind == ",":
            self.position += 1
            return any_yet and self.tokens[self.position][0] != closing
        return not any_yet and kind != closing

    def expect(self, kind: str, what: str) -> int:
        """Read a token of that kind and return the offset behind it."""
        token = self.tokens[self.position]
        if token[0] != kind:
            self.unexpected(what)
        self.position += 1
        return token[3]

    def unexpected(self, wanted: str) -> NoReturn:
        kind, value, start, end = self.tokens[self.position]
        if kind is END:
            self.fail(f"the expression ends where {wanted} was expected", start, 0)
        shown = repr(value) if type(value) is str and kind is LITERAL else f"'{_spelled(value)}'"
        if wanted == "end":
            self.fail(_stray(kind, shown, value, self.tokens[self.position - 1]), start, end - start)
        self.fail(f"unexpected {shown}: expected {wanted}", start, end - start)

    def fail(self, message: str, offset: int, length: int) -> NoReturn:
        raise CelSyntaxError([*self.problems, Problem(message, offset, length)])


def _message_name(tokens: list[Token], node: Node) -> str:
    """The name of a type, if *tokens* are nothing but names and dots; *node* is what was made of them."""
    fields: list[str] = []
    while type(node) is Select and not node.optional:
        fields.append(node.field)
        node = node.operand
    if type(node) is not Identifier or len(tokens) != 2 * len(fields) + 1 + node.name.startswith("."):
        return ""
    return ".".join([node.name, *reversed(fields)])


_WORD_OPERATORS = {"and": "&&", "or": "||", "AND": "&&", "OR": "||", "is": "==", "eq": "==", "ne": "!=", "mod": "%"}


def _spelled(value: object) -> str:
    return {True: "true", False: "false", None: "null"}[value] if value is None or type(value) is bool else str(value)


def _stray(kind: str, shown: str, value: object, before: Token) -> str:
    """The message for a token behind a complete expression."""
    if kind is NAME and value in _WORD_OPERATORS:
        return f"{shown} is not an operator: use '{_WORD_OPERATORS[str(value)]}'"
    if before[0] is NAME and before[1] == "not":
        return "'not' is not an operator: use '!'"
    if kind == "?":
        return "unexpected '?': a conditional inside of another needs parentheses"
    if kind in (")", "]", "}"):
        return f"{shown} closes nothing"
    return f"unexpected {shown} behind a complete expression"


_COUNTED = frozenset({Binary, Select, Index, MemberCall, Conditional})


def _check_depth(root: Node) -> None:
    """Refuse a tree with more than 250 operators, selections, indices and member calls on one path."""
    pending: list[tuple[Node, int]] = [(root, 0)]
    while pending:
        node, depth = pending.pop()
        if type(node) in _COUNTED:
            depth += 1
            if depth > MAX_DEPTH:
                message = f"the expression is nested too deeply: the limit is {MAX_DEPTH} levels"
                raise CelSyntaxError([Problem(message, node.start, 0)])
        pending.extend((child, depth) for child in children(node))
