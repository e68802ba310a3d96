"""
Syntax tree -> program: nested Python closures, each taking the activation (variable name -> value).

Enters: a `syntax.Node`.  Leaves: a `Program`.  Not known here: types, Kubernetes, where values come from.

How it works.  `Compiler.compile` turns every node into one closure. A closure calls those of its operands, tests for the
types that nearly always arrive, and leaves the rest to the functions of `cel.operators`. Errors are exceptions; an Unknown
is a value like another. Three things make the common expressions quick:
* `a.b.c` becomes one closure that indexes dicts in a try block. Only when that fails does it walk again, carefully,
  to find out why (`_careful`).
* constant operands are evaluated once, here. A closure of a constant is known in `self.constants`.
* `"x-" + a.b + "-y"`, a left-deep chain with a string literal, becomes one closure that joins its parts.
A macro's variables live in a copy of the activation that the macro's loop updates (`cel.comprehensions`).
What a loop repeats pays for its work from `operators.budget`; a program with something to pay for begins with a full one.

Source: cel-go v0.27.0 interpreter/planner.go, interpreter/interpretable.go.
"""

from __future__ import annotations

from krm_fn.cel import operators
from krm_fn.cel.errors import BUDGET, NO_SUCH_OVERLOAD, UNDECLARED, CelSyntaxError, EvaluationError, Problem
from krm_fn.cel.operators import EVALUATION_BUDGET, budget, pay_for, pay_to_read
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
    OptionalMap,
    Select,
    SortBy,
    Unary,
)
from krm_fn.cel.values import NONE, Optional, Unknown, join_path, merge_unknowns

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
    "==": operators.equals,
    "!=": operators.not_equals,
    "<": operators.less,
    "<=": operators.less_or_equal,
    ">": operators.greater,
    ">=": operators.greater_or_equal,
    "in": operators.contains,
}
_UNARY = {"!": operators.not_, "-": operators.negate}
_UNFOLDED = object()


def compile_(node: Node) -> Program:
    """
    A program for *node*; it may be run any number of times.

    Errors when run: EvaluationError. A variable that the activation lacks is UNDECLARED.
    """
    compiler = Compiler()
    run = deep(compiler.compile, node)
    if compiler.deepest > _SHALLOW:
        run = _with_room(run)
    return _with_budget(run) if compiler.pays else run


def _with_room(run: Program) -> Program:
    def run_deep(activation: Activation) -> Value:
        return deep(run, activation)

    return run_deep


def _with_budget(run: Program) -> Program:
    def run_paying(activation: Activation) -> Value:
        budget.left = EVALUATION_BUDGET
        return run(activation)

    return run_paying


class Compiler:
    """
    One pass over one tree.

    bound: variables of the macros around the node being compiled, the lazily bound ones of cel.bind with value True.
    depth, deepest: closures around the node.  pays: whether the program spends budget.
    weight: nodes compiled so far, so that a macro knows how many its body has.
    """

    __slots__ = ("bound", "constants", "deepest", "depth", "pays", "weight")

    def __init__(self) -> None:
        self.bound: dict[str, bool] = {}
        self.constants: dict[Program, Value] = {}
        self.depth = 0
        self.deepest = 0
        self.pays = False
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
        return self.constant(node.value)

    def identifier(self, node: Identifier) -> Program:
        return self.chain(node, [])

    def select(self, node: Select) -> Program:
        if node.optional:
            return _optional_index(self.compile(node.operand), self.constant(node.field))
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
        return self.chain(operand, fields)

    def index(self, node: Index) -> Program:
        if type(node.index) is Literal and node.index.value is None:
            raise CelSyntaxError([Problem("null cannot be a key", node.index.start, node.index.end - node.index.start)])
        if node.optional:
            return _optional_index(self.compile(node.operand), self.compile(node.index))
        if _is_text(node.index):
            return self.select(Select(node.operand, node.index.value, node.at, node.end))  # type: ignore[union-attr]
        operand, key = self.compile(node.operand), self.compile(node.index)
        path = self.path(node.operand)
        if type(node.index) is Literal and type(node.index.value) is int and node.index.value >= 0:
            return _item(operand, node.index.value, path)
        return _index(operand, key, path)

    def chain(self, operand: Node, fields: list[str]) -> Program:
        """`operand.f1.f2...`."""
        if type(operand) is not Identifier:
            return _chain_on(self.compile(operand), fields, self.path(operand)) if fields else self.compile(operand)
        name = operand.name.lstrip(".")
        lazy = self.bound.get(operand.name)
        if lazy:
            from krm_fn.cel.comprehensions import read_bound

            run = read_bound(operand.name)
            return _chain_on(run, fields, "") if fields else run
        if lazy is not None:
            return _chain(operand.name, fields, root="")
        return _chain(name, fields, root=name)

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
        return self.fold(operator, operand) or _unary(operator, operand)

    def binary(self, node: Binary) -> Program:
        if node.operator == "+":
            return self.sum(node)
        left, right = self.compile(node.left), self.compile(node.right)
        operator = _BINARY[node.operator]
        folded = self.fold(operator, left, right)
        if folded:
            return folded
        if operator is operators.contains or (
            operator in _EQUALITIES and left not in self.constants and right not in self.constants
        ):
            self.pays = True  # a list or map may have to be walked
        if self.bound and operator in _READING:
            return _reading(operator, left, right)
        if operator is operators.equals:
            return _equals(left, right)
        if operator in _COMPARISONS:
            return _comparison(operator, left, right)
        return _binary(operator, left, right)

    def sum(self, node: Node) -> Program:
        """A left-deep chain of `+`: joined at once if it holds a string literal, else added one by one."""
        terms: list[Node] = []
        while type(node) is Binary and node.operator == "+":
            terms.append(node.right)
            node = node.left
        terms.append(node)
        terms.reverse()
        runs = [self.compile(term) for term in terms]
        if any(type(self.constants.get(run)) is str for run in runs):
            return self.template(runs)
        total = runs[0]
        for run in runs[1:]:
            total = self.fold(operators.add, total, run) or _add(total, run, paying=bool(self.bound))
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
        if self.bound:
            return _join(parts, paying=True)
        texts = [self.constants.get(part) for part in parts]
        if len(parts) == 2:
            return _add(parts[0], parts[1], paying=False)
        if len(parts) == 3 and type(texts[0]) is str and type(texts[2]) is str:
            return _wrap(texts[0], parts[1], texts[2])
        return _join(parts, paying=False)

    def logic(self, node: Logic) -> Program:
        terms = [self.compile(term) for term in node.terms]
        stop = node.operator == "||"
        if len(terms) == 2:
            return _logic_pair(terms[0], terms[1], node.operator, stop=stop)
        return _logic(terms, node.operator, stop=stop)

    def conditional(self, node: Conditional) -> Program:
        condition, then, otherwise = map(self.compile, (node.condition, node.then, node.otherwise))
        constant = self.constants.get(condition, _UNFOLDED)
        if constant is True or constant is False:
            return then if constant else otherwise
        return _conditional(condition, then, otherwise)

    def list_literal(self, node: ListLiteral) -> Program:
        elements = [self.compile(element) for element in node.elements]
        return _list(elements, node.optional)

    def map_literal(self, node: MapLiteral) -> Program:
        entries = [(self.compile(key), self.compile(value)) for key, value in node.entries]
        names = [self.constants.get(key) for key, _ in entries]
        if not node.optional and all(type(name) is str for name in names):
            return _record(list(zip(names, (value for _, value in entries), strict=True)))  # type: ignore[arg-type]
        return _map(entries, node.optional)

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
        if node.name in ("find", "findAll"):
            _check_pattern(node.arguments)
        if node.name in ("or", "orValue") and len(arguments) == 1:
            return _or_value(target, arguments[0], unwrap=node.name == "orValue")
        return self.function(node.name, [target, *arguments], member=True)

    def function(self, name: str, arguments: list[Program], *, member: bool) -> Program:
        self.pays = True
        if name == "dyn" and len(arguments) == 1 and not member:
            return arguments[0]
        from krm_fn.cel.library import index

        function = index.find(name, member, len(arguments))
        if function is None:
            kind = NO_SUCH_OVERLOAD if index.is_declared(name, member=member) else UNDECLARED
            return _undeclared(f"{name}(): no such function with {len(arguments)} arguments", kind, arguments)
        if name in _WALKERS:
            arguments = [_walked(argument) for argument in arguments]
        if len(arguments) == 1:
            return _call_one(function, arguments[0])
        if len(arguments) == 2:
            return _call_two(function, arguments[0], arguments[1])
        return _call_many(function, arguments)

    def has(self, node: Has) -> Program:
        return _has(self.compile(node.operand), node.field)

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
        """The closure of a macro's body, with the macro's variables bound, and how many nodes it has."""
        outer, self.bound = self.bound, {**self.bound, **dict.fromkeys(names, lazy)}
        before = self.weight
        run = self.compile(node)
        self.bound = outer
        self.pays = True
        return run, self.weight - before


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
    Has: Compiler.has,
    Comprehension: Compiler.comprehension,
    SortBy: Compiler.sort_by,
    Bind: Compiler.bind,
    OptionalMap: Compiler.optional_map,
}


def _is_text(node: Node) -> bool:
    return type(node) is Literal and type(node.value) is str


def _namespace(node: Node) -> str:
    """`a` or `a.b` as text, if *node* is only that."""
    if type(node) is Identifier:
        return node.name.lstrip(".")
    if type(node) is Select and not node.optional:
        outer = _namespace(node.operand)
        return f"{outer}.{node.field}" if outer else ""
    return ""


# --- variables and their fields ---------------------------------------------------------------------------------


def _chain(name: str, fields: list[str], root: Path) -> Program:
    """`name.f1.f2...`. What goes wrong is looked into only when it does. *root*: the name, if it is a free variable."""

    def careful(activation: Activation) -> Value:
        if name not in activation:
            raise EvaluationError(UNDECLARED, f"'{name}' is not a known name")
        return _careful(activation[name], fields, root)

    if not fields:

        def read(activation: Activation) -> Value:
            try:
                return activation[name]
            except KeyError:
                return careful(activation)

        return read
    first, *rest = fields
    if not rest:

        def read_1(activation: Activation) -> Value:
            try:
                return activation[name][first]
            except (KeyError, TypeError):
                return careful(activation)

        return read_1
    second, *rest = rest
    if not rest:

        def read_2(activation: Activation) -> Value:
            try:
                return activation[name][first][second]
            except (KeyError, TypeError):
                return careful(activation)

        return read_2
    third, *rest = rest
    if not rest:

        def read_3(activation: Activation) -> Value:
            try:
                return activation[name][first][second][third]
            except (KeyError, TypeError):
                return careful(activation)

        return read_3

    def read_more(activation: Activation) -> Value:
        try:
            value = activation[name][first][second][third]
            for field in rest:
                value = value[field]
        except (KeyError, TypeError):
            return careful(activation)
        return value

    return read_more


def _chain_on(operand: Program, fields: list[str], path: Path) -> Program:
    """The same on any other operand. The operand is evaluated once, and its errors are its own."""
    if len(fields) == 1:
        field = fields[0]

        def read_1(activation: Activation) -> Value:
            value = operand(activation)
            try:
                return value[field]
            except (KeyError, TypeError):
                return _careful(value, fields, path)

        return read_1

    def read(activation: Activation) -> Value:
        start = value = operand(activation)
        try:
            for field in fields:
                value = value[field]
        except (KeyError, TypeError):
            return _careful(start, fields, path)
        return value

    return read


def _careful(value: Value, fields: list[str], path: Path) -> Value:
    for field in fields:
        value = operators.index(value, field, path)
        if path:
            path = join_path(path, field)
    return value


def _item(operand: Program, position: int, path: Path) -> Program:
    """`operand[0]`."""

    def read(activation: Activation) -> Value:
        value = operand(activation)
        if type(value) is list and position < len(value):
            return value[position]
        return operators.index(value, position, path)

    return read


def _index(operand: Program, key: Program, path: Path) -> Program:
    def read(activation: Activation) -> Value:
        container = operand(activation)
        at = key(activation)
        if type(at) is str:
            if type(container) is dict and at in container:
                return container[at]
        elif type(at) is int and type(container) is list and 0 <= at < len(container):
            return container[at]
        return operators.index(container, at, path)

    return read


def _optional_index(operand: Program, key: Program) -> Program:
    def read(activation: Activation) -> Value:
        container = operand(activation)
        at = key(activation)
        if type(container) is dict and type(at) is str:
            found = container.get(at, NONE)
            if found is NONE or type(found) is Unknown:
                return found
            return Optional(found)
        return operators.index_optional(container, at)

    return read


def _has(operand: Program, field: str) -> Program:
    def run_has(activation: Activation) -> Value:
        container = operand(activation)
        if type(container) is dict and type(container.get(field)) is not Unknown:
            return field in container
        return operators.has(container, field)

    return run_has


# --- operators --------------------------------------------------------------------------------------------------

_EQUALITIES = frozenset({operators.equals, operators.not_equals})
_COMPARISONS = frozenset({operators.less, operators.less_or_equal, operators.greater, operators.greater_or_equal})


def _unary(operator: Callable[[Value], Value], operand: Program) -> Program:
    def run_unary(activation: Activation) -> Value:
        return operator(operand(activation))

    return run_unary


def _binary(operator: Callable[[Value, Value], Value], left: Program, right: Program) -> Program:
    def run_binary(activation: Activation) -> Value:
        return operator(left(activation), right(activation))

    return run_binary


_READING = _COMPARISONS | _EQUALITIES
"""Operators that look through texts."""


def _reading(operator: Callable[[Value, Value], Value], left: Program, right: Program) -> Program:
    """The same inside of a loop, where it pays for long texts."""

    def run_reading(activation: Activation) -> Value:
        x = left(activation)
        if type(x) is str:
            pay_to_read(x)
        return operator(x, right(activation))

    return run_reading


def _equals(left: Program, right: Program) -> Program:
    def run_equals(activation: Activation) -> Value:
        x = left(activation)
        y = right(activation)
        if type(x) is str and type(y) is str:
            return x == y
        return operators.equals(x, y)

    return run_equals


def _comparison(operator: Callable[[Value, Value], Value], left: Program, right: Program) -> Program:
    def run_comparison(activation: Activation) -> Value:
        x = left(activation)
        y = right(activation)
        if type(x) is int and type(y) is int:
            if operator is operators.less:
                return x < y
            if operator is operators.greater:
                return x > y
        return operator(x, y)

    return run_comparison


def _add(left: Program, right: Program, *, paying: bool) -> Program:
    if paying:

        def run_paying(activation: Activation) -> Value:
            result = operators.add(left(activation), right(activation))
            pay_for(result)
            return result

        return run_paying

    def run_add(activation: Activation) -> Value:
        x = left(activation)
        y = right(activation)
        if type(x) is str and type(y) is str:
            return x + y
        return operators.add(x, y)

    return run_add


def _wrap(before: str, part: Program, after: str) -> Program:
    """`"before" + part + "after"`."""

    def run_wrap(activation: Activation) -> Value:
        value = part(activation)
        if type(value) is str:
            return f"{before}{value}{after}"
        return operators.add(operators.add(before, value), after)

    return run_wrap


def _join(parts: list[Program], *, paying: bool) -> Program:
    """A chain of `+` with a string literal in it: if all parts are strings, they are joined at once."""

    def run_join(activation: Activation) -> Value:
        values: list[Value] = []
        try:
            for part in parts:
                values.append(part(activation))  # noqa: PERF401 - what was evaluated before an error is needed below
        except EvaluationError:
            # Had the parts been added one by one, an error among those before would have come first.
            if len(values) > 1:
                _sum(values)
            raise
        try:
            result = "".join(values)
        except TypeError:
            result = _sum(values)
        if paying:
            pay_for(result)
        return result

    return run_join


def _sum(values: list[Value]) -> Value:
    total = values[0]
    for value in values[1:]:
        total = operators.add(total, value)
    return total


def _logic_pair(left: Program, right: Program, operator: str, *, stop: bool) -> Program:
    """`left && right` (*stop* is False) or `left || right` (*stop* is True)."""
    go_on = not stop

    def run_pair(activation: Activation) -> Value:
        try:
            x = left(activation)
        except EvaluationError as error:
            return _settle([error, *_outcome(right, activation)], operator, stop=stop)
        if x is stop:
            return x
        if x is go_on:
            y = right(activation)
            return y if y is stop or y is go_on else _settle([x, y], operator, stop=stop)
        return _settle([x, *_outcome(right, activation)], operator, stop=stop)

    return run_pair


def _logic(terms: list[Program], operator: str, *, stop: bool) -> Program:
    go_on = not stop

    def run_logic(activation: Activation) -> Value:
        others: list[Value] = []
        for term in terms:
            try:
                value = term(activation)
            except EvaluationError as error:
                others.append(error)
                continue
            if value is stop:
                return value
            if value is not go_on:
                others.append(value)
        return _settle(others, operator, stop=stop) if others else go_on

    return run_logic


def _outcome(term: Program, activation: Activation) -> list[Value]:
    """What a term gives, be it an error."""
    try:
        return [term(activation)]
    except EvaluationError as error:
        return [error]


def _settle(outcomes: list[Value], operator: str, *, stop: bool) -> Value:
    """
    The answer of a logical operator whose terms are not all booleans.

    One term that decides is enough; else unknowns, merged; else the first error. A spent budget is never absorbed.
    """
    unknown: Unknown | None = None
    failure: EvaluationError | None = None
    decided = False
    for outcome in outcomes:
        if type(outcome) is EvaluationError:
            if outcome.kind == BUDGET:
                raise outcome
            failure = failure or outcome
        elif type(outcome) is Unknown:
            unknown = outcome if unknown is None else merge_unknowns(unknown, outcome)
        elif outcome is stop:
            decided = True
        elif type(outcome) is not bool:
            message = f"{operators.kind_of(outcome)} {operator}: no such overload"
            failure = failure or EvaluationError(NO_SUCH_OVERLOAD, message)
    if decided:
        return stop
    if unknown is not None:
        return unknown
    if failure is not None:
        raise failure
    return not stop


def _conditional(condition: Program, then: Program, otherwise: Program) -> Program:
    def run_conditional(activation: Activation) -> Value:
        value = condition(activation)
        if value is True:
            return then(activation)
        if value is False:
            return otherwise(activation)
        if type(value) is Unknown:
            return value
        raise EvaluationError(NO_SUCH_OVERLOAD, f"{operators.kind_of(value)} ? ..: the condition must be a bool")

    return run_conditional


# --- literals ---------------------------------------------------------------------------------------------------


def _list(elements: list[Program], optional: frozenset[int]) -> Program:
    def run_list(activation: Activation) -> Value:
        values: list[Value] = []
        unknown: Unknown | None = None
        for position, element in enumerate(elements):
            value = element(activation)
            if type(value) is Unknown:
                unknown = value if unknown is None else merge_unknowns(unknown, value)
            elif position in optional:
                values.extend(_present(value))
            else:
                values.append(value)
        return values if unknown is None else unknown

    return run_list


def _present(value: Value) -> tuple[Value, ...]:
    """The value of an optional element, if it has one."""
    if type(value) is not Optional:
        raise EvaluationError(NO_SUCH_OVERLOAD, f"?{operators.kind_of(value)}: an optional is needed behind '?'")
    return () if value is NONE else (value.value,)


def _record(entries: list[tuple[str, Program]]) -> Program:
    """A map literal whose keys are string literals."""

    def run_record(activation: Activation) -> Value:
        result: dict[str, Value] = {}
        unknown: Unknown | None = None
        for key, program in entries:
            value = program(activation)
            if type(value) is Unknown:
                unknown = value if unknown is None else merge_unknowns(unknown, value)
            result[key] = value
        return result if unknown is None else unknown

    return run_record


def _map(entries: list[tuple[Program, Program]], optional: frozenset[int]) -> Program:
    def run_map(activation: Activation) -> Value:
        from krm_fn.cel.maps import make_map, stored

        pairs: dict[Value, tuple[Value, Value]] = {}
        unknown: Unknown | None = None
        for position, (key_program, value_program) in enumerate(entries):
            key = key_program(activation)
            value = value_program(activation)
            for part in (key, value):
                if type(part) is Unknown:
                    unknown = part if unknown is None else merge_unknowns(unknown, part)
            if unknown is not None:
                continue
            at = key if type(key) is str else stored(key)
            if position in optional:
                present = _present(value)
                if not present:
                    # An absent entry takes an earlier one with its key away, as in cel-go.
                    pairs.pop(at, None)
                    continue
                value = present[0]
            pairs[at] = (key, value)
        return make_map(pairs.values()) if unknown is None else unknown

    return run_map


# --- calls ------------------------------------------------------------------------------------------------------


_WALKERS = frozenset({"json.marshal", "format"})
"""Functions that write out all of a list or map."""


def _walked(argument: Program) -> Program:
    """The same argument, paid for by its size at all depths."""

    def run_walked(activation: Activation) -> Value:
        value = argument(activation)
        operators.pay_to_walk(value)
        return value

    return run_walked


def _undeclared(message: str, kind: str, arguments: list[Program]) -> Program:
    def run_undeclared(activation: Activation) -> Value:
        for argument in arguments:
            argument(activation)
        raise EvaluationError(kind, message)

    return run_undeclared


def _call_one(function: Callable[..., Value], first: Program) -> Program:
    def run_call(activation: Activation) -> Value:
        x = first(activation)
        if type(x) is Unknown:
            return x
        pay_to_read(x)
        result = function(x)
        pay_for(result)
        return result

    return run_call


def _call_two(function: Callable[..., Value], first: Program, second: Program) -> Program:
    def run_call(activation: Activation) -> Value:
        x = first(activation)
        y = second(activation)
        if type(x) is Unknown or type(y) is Unknown:
            return operators.unknown_of(x, y)
        pay_to_read(x)
        result = function(x, y)
        pay_for(result)
        return result

    return run_call


def _call_many(function: Callable[..., Value], arguments: list[Program]) -> Program:
    def run_call(activation: Activation) -> Value:
        values = [argument(activation) for argument in arguments]
        unknown: Unknown | None = None
        for value in values:
            if type(value) is Unknown:
                unknown = value if unknown is None else merge_unknowns(unknown, value)
        if unknown is not None:
            return unknown
        for value in values:
            pay_to_read(value)
        result = function(*values)
        pay_for(result)
        return result

    return run_call


def _check_pattern(arguments: list[Node]) -> None:
    """Refuse a constant pattern that is none, as kro does when it builds a program; those of `matches` are seen when run."""
    if arguments and isinstance(arguments[0], Literal) and isinstance(arguments[0].value, str):
        from krm_fn.cel.library.patterns import compile_pattern

        try:
            compile_pattern(arguments[0].value)
        except EvaluationError as error:
            start = arguments[0].start
            raise CelSyntaxError([Problem(str(error), start, arguments[0].end - start)]) from None


def _or_value(target: Program, other: Program, *, unwrap: bool) -> Program:
    """`target.orValue(other)` (*unwrap*), `target.or(other)`: *other* is evaluated only if *target* has no value."""

    def run_or_value(activation: Activation) -> Value:
        value = target(activation)
        if type(value) is Optional:
            if value is NONE:
                return other(activation)
            return value.value if unwrap else value
        return value  # sic: cel-go v0.27.0 gives back what is no optional

    return run_or_value
