"""
Syntax tree -> program: nested Python closures, each taking the activation (variable name -> value).

Enters: a `syntax.Node`.  Leaves: a `Program`.  Not known here: types, Kubernetes, where values come from.

How it works.  `Compiler.compile` turns every node into one closure of `cel.closures`, which calls those of its operands.
Errors are exceptions; an Unknown is a value like another. Three things make the common expressions quick:
* `a.b.c` becomes one closure that indexes dicts in a try block. Only when that fails does it walk again, carefully,
  to find out why (`closures.careful_walk`).
* constant operands are evaluated once, here. A closure of a constant is known in `self.constants`.
* `"x-" + a.b + "-y"`, a left-deep chain with a string literal, becomes one closure that joins its parts.
A macro's variables live in a copy of the activation that the macro's loop updates (`cel.comprehensions`).
An evaluation begins with a full budget (`cel.budget`), but for that of a plain path, which walks it once and no more.

Source: cel-go v0.27.0 interpreter/planner.go, interpreter/interpretable.go.
"""

from __future__ import annotations

from krm_fn.cel import closures, equality, operators
from krm_fn.cel.budget import EVALUATION_BUDGET, UNLIMITED, budget
from krm_fn.cel.errors import NO_SUCH_OVERLOAD, UNDECLARED, CelSyntaxError, EvaluationError, Problem
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
from krm_fn.cel.values import join_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    from krm_fn.cel.syntax import Node
    from krm_fn.cel.values import Path, Value

    Activation: TypeAlias = dict[str, Value]
    Program: TypeAlias = Callable[[Activation], Value]

_SHALLOW = 40
"""A program nested less than this many closures needs no extra room on the stack."""

_BINARY = {
    "+": operators.add,
    "-": operators.subtract,
    "*": operators.multiply,
    "/": operators.divide,
    "%": operators.modulo,
    "==": equality.equals,
    "!=": equality.not_equals,
    "<": operators.less,
    "<=": operators.less_or_equal,
    ">": operators.greater,
    ">=": operators.greater_or_equal,
    "in": equality.contains,
}
_EQUALITIES = frozenset({equality.equals, equality.not_equals})
_COMPARISONS = frozenset({operators.less, operators.less_or_equal, operators.greater, operators.greater_or_equal})
_UNARY = {"!": operators.not_, "-": operators.negate}
_UNFOLDED = object()
_CALL, _LOOP, _ENTRY, _OPTIONAL = 5, 8, 20, 6
"""What a call, a macro, an entry of a map under a key that is no literal text or of a message, and `.?` weigh, beside their operands."""
_LITERAL = 64
"""Characters of a literal that weigh as much as a node: where it is a key, it is compared."""


def compile_(node: Node) -> Program:
    """
    A program for *node*; it may be run any number of times.

    Errors:  CelSyntaxError for constants that can never work (a null key, a pattern that is none), as in kro's build.
    Errors when run: EvaluationError. A variable that the activation lacks is UNDECLARED.
    """
    compiler = Compiler()
    budget.left = EVALUATION_BUDGET  # for constants: patterns are compiled, operators applied
    try:
        run = deep(compiler.compile, node)
    finally:
        budget.left = UNLIMITED
    if compiler.deepest > _SHALLOW:
        run = _with_room(run)
    return run if _is_path(node) else _with_budget(run)


def _with_room(run: Program) -> Program:
    def run_deep(activation: Activation) -> Value:
        return deep(run, activation)

    return run_deep


def _with_budget(run: Program) -> Program:
    def run_paying(activation: Activation) -> Value:
        budget.left = EVALUATION_BUDGET
        try:
            return run(activation)
        finally:
            budget.left = UNLIMITED

    return run_paying


class Compiler:
    """
    One pass over one tree.

    bound: variables of the macros around the node being compiled, the lazily bound ones of cel.bind with value True.
    depth, deepest: closures around the node.
    weight: what was compiled so far costs of the budget, so that a macro knows what a step of its loop costs.
    """

    __slots__ = ("bound", "constants", "deepest", "depth", "weight")

    def __init__(self) -> None:
        self.bound: dict[str, bool] = {}
        self.constants: dict[Program, Value] = {}
        self.depth = 0
        self.deepest = 0
        self.weight = 0

    def compile(self, node: Node) -> Program:
        self.weight += 1
        self.depth += 1
        self.deepest = max(self.deepest, self.depth)
        run = _COMPILE[type(node)](self, node)
        self.depth -= 1
        return run

    def constant(self, value: Value) -> Program:
        def run_constant(_: Activation) -> Value:
            return value

        self.constants[run_constant] = value
        return run_constant

    def fold(self, operator: Callable[..., Value], *operands: Program) -> Program | None:
        """The constant of *operator* on constant operands; None if one is not constant, or the result is an error."""
        values = [self.constants.get(operand, _UNFOLDED) for operand in operands]
        if _UNFOLDED in values or any(type(value) is list or type(value) is dict for value in values):
            return None
        try:
            return self.constant(operator(*values))
        except EvaluationError:
            return None  # it is evaluated, and raised, when and if it is reached

    def literal(self, node: Literal) -> Program:
        if type(node.value) is str or type(node.value) is bytes:
            self.weight += len(node.value) // _LITERAL
        return self.constant(node.value)

    def identifier(self, node: Identifier) -> Program:
        return self.chain(node, [])

    def select(self, node: Select) -> Program:
        if node.optional:
            self.weight += _OPTIONAL
            return closures.optional_index(self.read(node.operand), self.constant(node.field))
        fields = [node.field]
        operand = node.operand
        while True:
            if type(operand) is Select and not operand.optional:
                fields.append(operand.field)
                operand = operand.operand
            elif type(operand) is Index and not operand.optional and _is_text(operand.index):
                fields.append(operand.index.value)  # type: ignore[union-attr]
                operand = operand.operand
            else:
                break
        fields.reverse()
        self.weight += sum(map(len, fields)) // _LITERAL
        return self.chain(operand, fields)

    def index(self, node: Index) -> Program:
        if type(node.index) is Literal and type(node.index.value) in (type(None), bytes):
            kind = "null" if node.index.value is None else "bytes"
            raise CelSyntaxError(
                [Problem(f"{kind} cannot be a key", node.index.start, node.index.end - node.index.start)]
            )
        if node.optional:
            self.weight += _OPTIONAL
            return closures.optional_index(self.read(node.operand), self.compile(node.index))
        if _is_text(node.index):
            return self.select(Select(node.operand, node.index.value, node.at, node.end))  # type: ignore[union-attr]
        operand, key = self.read(node.operand), self.compile(node.index)
        path = self.path(node.operand)
        if type(node.index) is Literal and type(node.index.value) is int and node.index.value >= 0:
            return closures.item_at(operand, node.index.value, path)
        return closures.index(operand, key, path)

    def chain(self, operand: Node, fields: list[str]) -> Program:
        """`operand.f1.f2...`."""
        if type(operand) is not Identifier:
            run = self.read(operand)
            return closures.chain_on(run, fields, self.path(operand)) if fields else run
        name = operand.name.lstrip(".")
        lazy = self.bound.get(operand.name)
        if lazy:
            from krm_fn.cel.comprehensions import read_bound

            run = read_bound(operand.name)
            return closures.chain_on(run, fields, "") if fields else run
        if lazy is not None:
            return closures.chain(operand.name, fields, root="")
        return closures.chain(name, fields, root=name)

    def path(self, node: Node) -> Path:
        """What messages call *node*, if it is a plain access path from a free variable; else an empty text."""
        steps: list[object] = []
        while type(node) is not Identifier:
            if type(node) is Select and not node.optional:
                steps.append(node.field)
            elif type(node) is Index and not node.optional and type(node.index) is Literal:
                steps.append(node.index.value)
            else:
                return ""
            node = node.operand
        if node.name in self.bound:
            return ""
        path = node.name.lstrip(".")
        for step in reversed(steps):
            path = join_path(path, step)
        return path

    def unary(self, node: Unary) -> Program:
        operand = self.compile(node.operand)
        operator = _UNARY[node.operator]
        return self.fold(operator, operand) or closures.unary(operator, operand)

    def binary(self, node: Binary) -> Program:
        if node.operator == "+":
            return self.sum(node)
        self.weight += 1
        operator = _BINARY[node.operator]
        left = self.compile(node.left)
        right = self.operand(node.right) if operator in _EQUALITIES else self.compile(node.right)
        folded = self.fold(operator, left, right)
        if folded:
            return folded
        if operator is equality.equals and (left in self.constants or right in self.constants):
            return closures.equals(left, right)
        if operator in _COMPARISONS:
            return closures.comparison(operator, left, right)
        return closures.binary(operator, left, right)

    def read(self, node: Node) -> Program:
        """What is selected from, or a branch: an optional that a call gives is read in cel-go's way."""
        run = self.compile(node)
        return closures.reread(run) if type(node) in _GIVES_OPTIONALS else run

    def operand(self, node: Node) -> Program:
        """What stands on the right of `+`, `==` or `!=`."""
        run = self.compile(node)
        return closures.written(run) if _is_written_list(node) else run

    def sum(self, node: Node) -> Program:
        """A left-deep chain of `+`: joined at once if it holds a string literal, else added one by one."""
        terms: list[Node] = []
        while type(node) is Binary and node.operator == "+":
            terms.append(node.right)
            node = node.left
        terms.append(node)
        terms.reverse()
        self.weight += 2 * len(terms)
        runs = [self.compile(terms[0]), *map(self.operand, terms[1:])]
        if any(type(self.constants.get(run)) is str for run in runs):
            return self.template(runs)
        total = runs[0]
        for run in runs[1:]:
            total = self.fold(operators.add, total, run) or closures.add(total, run)
        if len(runs) > _SHALLOW:
            self.deepest = max(self.deepest, self.depth + len(runs))
        return total

    def template(self, runs: list[Program]) -> Program:
        parts: list[Program] = []
        for run in runs:
            if parts and type(self.constants.get(run)) is str and type(self.constants.get(parts[-1])) is str:
                parts[-1] = self.constant(self.constants[parts[-1]] + self.constants[run])
            else:
                parts.append(run)
        if len(parts) == 1:
            return parts[0]
        texts = [self.constants.get(part) for part in parts]
        if len(parts) == 2:
            return closures.add(parts[0], parts[1])
        if len(parts) == 3 and type(texts[0]) is str and type(texts[2]) is str:
            return closures.wrap(texts[0], parts[1], texts[2])
        return closures.join(parts)

    def logic(self, node: Logic) -> Program:
        terms = [self.compile(term) for term in node.terms]
        stop = node.operator == "||"
        if len(terms) == 2:
            return closures.logic_pair(terms[0], terms[1], node.operator, stop=stop)
        return closures.logic(terms, node.operator, stop=stop)

    def conditional(self, node: Conditional) -> Program:
        condition = self.compile(node.condition)
        then, otherwise = self.read(node.then), self.read(node.otherwise)
        constant = self.constants.get(condition, _UNFOLDED)
        if constant is True or constant is False:
            return then if constant else otherwise
        return closures.conditional(condition, then, otherwise)

    def list_literal(self, node: ListLiteral) -> Program:
        elements = [self.compile(element) for element in node.elements]
        return closures.list_of(elements, node.optional)

    def map_literal(self, node: MapLiteral) -> Program:
        entries = [(self.compile(key), self.compile(value)) for key, value in node.entries]
        names = [self.constants.get(key) for key, _ in entries]
        if not node.optional and all(type(name) is str for name in names):
            return closures.record_of(list(zip(names, (value for _, value in entries), strict=True)))  # type: ignore[arg-type]
        self.weight += _ENTRY * (1 + len(entries))
        return closures.map_of(entries, node.optional)

    def message(self, node: MessageLiteral) -> Program:
        from krm_fn.cel.message_values import message_of

        self.weight += _ENTRY * (1 + len(node.fields))
        fields = [(name, self.compile(value)) for name, _, value in node.fields]
        return message_of(node.name.lstrip("."), fields, node.optional)

    def call(self, node: Call) -> Program:
        name = node.name.lstrip(".")
        arguments = [self.compile(argument) for argument in node.arguments]
        return self.function(name, arguments, member=False)

    def member_call(self, node: MemberCall) -> Program:
        namespace = _namespace(node.target)
        if namespace:
            from krm_fn.cel.library import index

            name = f"{namespace}.{node.name}"
            if index.is_declared(name, member=False):
                return self.function(name, [self.compile(argument) for argument in node.arguments], member=False)
        target = self.compile(node.target)
        arguments = [self.compile(argument) for argument in node.arguments]
        if node.name == "newCondition" and any(isinstance(a, MapLiteral) and a.optional for a in node.arguments):
            # kro's macro lets `?type: …` pass; the function behind it takes none.
            message = "newCondition(): no such overload with optional entries"
            return closures.undeclared(message, NO_SUCH_OVERLOAD, [target, *arguments])
        if node.name in ("find", "findAll"):
            _check_pattern(node.arguments)
        if node.name in ("or", "orValue") and len(arguments) == 1:
            return closures.or_value(target, arguments[0], unwrap=node.name == "orValue")
        return self.function(node.name, [target, *arguments], member=True)

    def function(self, name: str, arguments: list[Program], *, member: bool) -> Program:
        if name == "dyn" and len(arguments) == 1 and not member:
            return arguments[0]
        self.weight += _CALL
        from krm_fn.cel.library import index

        function = index.find(name, member, len(arguments))
        if function is None:
            kind = NO_SUCH_OVERLOAD if index.is_declared(name, member=member) else UNDECLARED
            return closures.undeclared(f"{name}(): no such function with {len(arguments)} arguments", kind, arguments)
        if len(arguments) == 1:
            return closures.call_one(function, arguments[0])
        if len(arguments) == 2:
            return closures.call_two(function, arguments[0], arguments[1])
        return closures.call_many(function, arguments)

    def has(self, node: Has) -> Program:
        self.weight += 2
        return closures.has(self.read(node.operand), node.field)

    def comprehension(self, node: Comprehension) -> Program:
        from krm_fn.cel.comprehensions import compile_comprehension

        return compile_comprehension(self, node)

    def sort_by(self, node: SortBy) -> Program:
        from krm_fn.cel.comprehensions import compile_sort_by

        return compile_sort_by(self, node)

    def bind(self, node: Bind) -> Program:
        from krm_fn.cel.comprehensions import compile_bind

        return compile_bind(self, node)

    def optional_map(self, node: OptionalMap) -> Program:
        from krm_fn.cel.comprehensions import compile_optional_map

        return compile_optional_map(self, node)

    def body(self, node: Node, names: tuple[str, ...], *, lazy: bool = False) -> tuple[Program, int]:
        """The closure of a macro's body, with the macro's variables bound, and what it weighs."""
        outer, self.bound = self.bound, {**self.bound, **dict.fromkeys(names, lazy)}
        before = self.weight
        run = self.compile(node)
        self.bound = outer
        weight = self.weight - before
        self.weight += _LOOP
        return run, weight


_COMPILE: dict[type, Callable[[Compiler, Any], Program]] = {
    Literal: Compiler.literal,
    Identifier: Compiler.identifier,
    Select: Compiler.select,
    Index: Compiler.index,
    Call: Compiler.call,
    MemberCall: Compiler.member_call,
    Unary: Compiler.unary,
    Binary: Compiler.binary,
    Logic: Compiler.logic,
    Conditional: Compiler.conditional,
    ListLiteral: Compiler.list_literal,
    MapLiteral: Compiler.map_literal,
    MessageLiteral: Compiler.message,
    Has: Compiler.has,
    Comprehension: Compiler.comprehension,
    SortBy: Compiler.sort_by,
    Bind: Compiler.bind,
    OptionalMap: Compiler.optional_map,
}


_GIVES_OPTIONALS = frozenset((Call, MemberCall, Bind))
_WRITES = (ListLiteral, MapLiteral, MessageLiteral, Comprehension)


def _is_written_list(node: Node) -> bool:
    """Whether the expression itself writes lists or maps into a list."""
    node = _without_dyn(node)
    if type(node) is ListLiteral:
        return any(type(_without_dyn(element)) in _WRITES for element in node.elements)
    return (
        type(node) is Comprehension
        and node.kind in ("map", "transformList")
        and type(_without_dyn(node.body)) in _WRITES
    )


def _without_dyn(node: Node) -> Node:
    while type(node) is Call and node.name == "dyn" and len(node.arguments) == 1:
        node = node.arguments[0]
    return node


def _is_text(node: Node) -> bool:
    return type(node) is Literal and type(node.value) is str


def _is_path(node: Node) -> bool:
    """`schema.spec.name`."""
    while type(node) is Select and not node.optional:
        node = node.operand
    return type(node) is Identifier or type(node) is Literal


def _namespace(node: Node) -> str:
    """`a` or `a.b` as text, if *node* is only that."""
    if type(node) is Identifier:
        return node.name.lstrip(".")
    if type(node) is Select and not node.optional:
        outer = _namespace(node.operand)
        return f"{outer}.{node.field}" if outer else ""
    return ""


def _check_pattern(arguments: list[Node]) -> None:
    """Refuse a constant pattern that is none, as kro does when it builds a program; those of `matches` are seen when run."""
    if arguments and isinstance(arguments[0], Literal) and isinstance(arguments[0].value, str):
        from krm_fn.cel.library.patterns import compile_pattern

        try:
            compile_pattern(arguments[0].value)
        except EvaluationError as error:
            start = arguments[0].start
            raise CelSyntaxError([Problem(str(error), start, arguments[0].end - start)]) from None
