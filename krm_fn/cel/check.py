"""
The type of an expression, or what is wrong with it.

Enters: a syntax tree and the types of its variables.  Leaves: the `Type` of the result; CheckError with every problem there is.
Not known here: where types of variables come from, what a place does with a result.

How it works.  `_Checker.infer` gives each node the type that cel-go gives it. A call looks for every overload that suits its
arguments: one gives its result, several that differ give dyn. Macros are judged as what cel-go makes of them. After a mistake
the type is FAILED, which suits everything, so that one mistake is one problem.

A function that several modules declare has receivers in one that no other takes (a test holds the library to it), so the
search ends at the first module that has an answer, unless the first argument may be anything.

What depends on `types.UNKNOWN`, the type of what has a schema that is not at hand, is UNKNOWN where cel-go would say dyn for lack of
knowledge. A function that gives dyn by declaration (`dyn(x)`, `json.unmarshal`) gives dyn.

Source: cel-go v0.27.0 checker/checker.go, common/stdlib/standard.go, cel/library.go, ext/{comprehensions,lists,formatting_v2}.go.
"""

from __future__ import annotations

from krm_fn.cel.library import index
from krm_fn.cel.signatures import (
    CONVERSIONS,
    INSERT_MAP,
    METHODS,
    MIXED,
    OPERATORS,
    SORT_BY,
    Signature,
    known,
    of_library,
    remember,
    written,
)
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
from krm_fn.cel.types import (
    ANY,
    BOOL,
    BYTES,
    DOUBLE,
    DYN,
    DYNAMIC,
    ERROR,
    FAILED,
    INT,
    LIST,
    MAP,
    NULL,
    NULL_TYPE,
    OBJECT,
    PARAMETER,
    STRING,
    UINT,
    UNKNOWN,
    Bindings,
    Type,
    TypeTooLarge,
    instantiate,
    is_exactly,
    is_optional,
    list_of,
    map_of,
    more_general,
    optional_of,
    parameter,
    parse_type,
)
from krm_fn.cel.types import (
    TYPE as TYPE_KIND,
)
from krm_fn.cel.values import Uint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from krm_fn.cel.syntax import Node

_LITERALS: dict[type, Type] = {
    int: INT, str: STRING, bool: BOOL, float: DOUBLE, Uint: UINT, bytes: BYTES, type(None): NULL_TYPE,
}  # fmt: skip


_MAX_PROBLEMS = 50
"""More than these nobody reads; an expression may have thousands."""

TYPE, FIELD = "cel-type", "undefined-field"
"""What kind of problem it is."""


class CheckProblem:
    """
    One thing that is wrong.

    code: TYPE or FIELD.  offset, length: code points from 0 in the expression.  operands: their types, where an operator does not
    take them.
    """

    __slots__ = ("code", "help", "length", "message", "offset", "operands")

    def __init__(
        self, code: str, said: tuple[str, str], offset: int, length: int, operands: Sequence[Type] = ()
    ) -> None:
        self.code = code
        self.message, self.help = said
        self.offset = offset
        self.length = length
        self.operands = operands


class CheckError(Exception):
    """An expression that no value can make right. Holds at least one `CheckProblem`."""

    def __init__(self, problems: list[CheckProblem]) -> None:
        self.problems = problems
        super().__init__("; ".join(p.message for p in problems))


def check(node: Node, variables: Mapping[str, Type], *, as_rule: bool = False) -> Type:
    """
    The type of *node*'s result.

    *as_rule*: as the API server checks the rules of a CRD, whose literals hold elements of one type, and whose `<` takes any two numbers.
    Errors: CheckError with all problems.
    Source: Kubernetes v1.35 apiserver pkg/cel/environment/base.go.
    """
    checker = _Checker(variables, as_rule=as_rule)
    try:
        result = deep(checker.whole, node)
    except TypeTooLarge:
        from krm_fn.cel.check_messages import too_large

        result = checker.report(too_large(), node.start, node.end)
    if checker.problems:
        raise CheckError(sorted(checker.problems, key=lambda problem: problem.offset))
    return result


def types_of(node: Node, variables: Mapping[str, Type]) -> dict[int, Type]:
    """The types of all nodes of a rule that `check` finds nothing wrong with, by `id`."""
    checker = _Recorder(variables, as_rule=True)
    deep(checker.whole, node)
    return {key: checker.bindings.resolve(some, DYNAMIC) for key, some in checker.found.items()}


class _Checker:
    """
    One pass over one tree.

    local: the macros' variables around the node.  formats: calls of `format` on literals.  recorded: types by identity of the node, of
    what stands in their arguments.  mixed: whether `<` takes numbers of two types. In kro it does not, but from the first macro on, since
    cel-go forgets that when it enters the macro's scope.  uniform: whether the elements of a literal must be of one type.
    """

    __slots__ = ("bindings", "formats", "is_rule", "local", "mixed", "problems", "recorded", "uniform", "variables")

    def __init__(self, variables: Mapping[str, Type], *, as_rule: bool) -> None:
        self.variables = variables
        self.local: dict[str, Type] = {}
        self.is_rule = self.mixed = self.uniform = as_rule
        self.bindings = Bindings()
        self.problems: list[CheckProblem] = []
        self.formats: list[MemberCall] = []
        self.recorded: dict[int, Type] | None = None

    def whole(self, node: Node) -> Type:
        result = self.bindings.resolve(self.infer(node), DYNAMIC)
        if self.formats and not self.problems:
            self.check_formats()
        return result

    def infer(self, node: Node) -> Type:
        return _INFER[type(node)](self, node)

    def report(
        self, said: tuple[str, str], start: int, end: int, operands: Sequence[Type] = (), code: str = TYPE
    ) -> Type:
        if len(self.problems) < _MAX_PROBLEMS:
            self.problems.append(CheckProblem(code, said, start, end - start, operands))
        return FAILED

    # -- leaves and fields ------------------------------------------------------------------------------------------

    def literal(self, node: Literal) -> Type:
        return _LITERALS[type(node.value)]

    def identifier(self, node: Identifier) -> Type:
        name = node.name
        found = self.local.get(name) or self.variables.get(name.lstrip("."))
        if found is not None:
            # the names of types are variables of a rule
            if found.kind in (TYPE_KIND, PARAMETER) and (name in self.local or not self.is_rule):
                self.hold(name, found, node)
            return found
        from krm_fn.cel.check_messages import undeclared_name

        return self.report(undeclared_name(name), node.start, node.end)

    def hold(self, name: str, held: Type, node: Node) -> None:
        """sic: no variable that is read may hold a type, since kro takes its name for that of one when it makes the program."""
        if self.bindings.resolve(held).kind != TYPE_KIND:
            return
        from krm_fn.cel.check_messages import holds_type

        said = holds_type(name)
        if all(problem.message != said[0] for problem in self.problems):
            self.report(said, node.start, node.end)

    def select(self, node: Select) -> Type:
        owner = self.infer(node.operand)
        if owner.is_open:
            owner = self.bindings.resolve(owner)
        if is_optional(owner):
            found = self.field(owner.parameters[0], node)
        else:
            found = self.field(owner, node)
            if not node.optional:
                return found
        return found if found is FAILED else optional_of(found)

    def has(self, node: Has) -> Type:
        owner = self.bindings.resolve(self.infer(node.operand))
        self.field(owner.parameters[0] if is_optional(owner) else owner, node)
        return BOOL

    def field(self, owner: Type, node: Select | Has) -> Type:
        """The type of a field of *owner*."""
        kind = owner.kind
        if kind == OBJECT:
            found: Type | None = owner.field(node.field)  # type: ignore[attr-defined]
            if found is not None:
                return found
        elif kind == MAP:
            return owner.parameters[1]
        elif kind in (DYN, ERROR):
            return DYNAMIC if owner is ANY else owner
        elif kind == PARAMETER:
            self.bindings.unify(DYNAMIC, owner)
            return DYNAMIC
        from krm_fn.cel import check_messages as say

        end = node.at + len(node.field)
        if kind == OBJECT:
            return self.report(say.undefined_field(node.field, owner), node.at, end, code=FIELD)  # type: ignore[arg-type]
        return self.report(say.no_fields(node.field, owner), node.at, end)

    # -- operators --------------------------------------------------------------------------------------------------

    def index(self, node: Index) -> Type:
        operands = (self.infer(node.operand), self.infer(node.index))
        return self.operator("_[?_]" if node.optional else "_[_]", operands, node.at, node.end)

    def unary(self, node: Unary) -> Type:
        return self.operator(f"unary {node.operator}", (self.infer(node.operand),), node.start, node.start + 1)

    def binary(self, node: Binary) -> Type:
        operator = node.operator
        operands = (self.infer(node.left), self.infer(node.right))
        overloads = MIXED if self.mixed and operator in _COMPARISONS else OPERATORS[operator]
        return self.operator(operator, operands, node.at, node.at + len(operator), overloads)

    def conditional(self, node: Conditional) -> Type:
        operands = (self.infer(node.condition), self.infer(node.then), self.infer(node.otherwise))
        return self.operator("_?_:_", operands, node.at, node.at + 1)

    def operator(
        self,
        operator: str,
        operands: tuple[Type, ...],
        start: int,
        end: int,
        overloads: tuple[str, ...] = (),
    ) -> Type:
        key = (operator, operands, overloads is MIXED)
        found = known.get(key)
        if found is not None:
            return found
        result = self.choose(operands, (written(overloads or OPERATORS[operator]),))
        if result is not None:
            return remember(key, operands, result)
        from krm_fn.cel.check_messages import no_operator

        given = self.settled(operands)
        return self.report(no_operator(operator, given), start, end, given)

    def settled(self, types: Iterable[Type]) -> list[Type]:
        return [self.bindings.resolve(some, DYNAMIC) for some in types]

    def logic(self, node: Logic) -> Type:
        sound = True
        for term in node.terms:
            if not self.expect_bool(self.infer(term), node.operator, term):
                sound = False
        return BOOL if sound else FAILED

    def expect_bool(self, given: Type, where: str, node: Node) -> bool:
        if given is BOOL or self.bindings.unify(given, BOOL):
            return True
        from krm_fn.cel.check_messages import no_bool

        self.report(no_bool(where, *self.settled((given,))), node.start, node.end)
        return False

    # -- literals of lists and maps ---------------------------------------------------------------------------------

    def list_literal(self, node: ListLiteral) -> Type:
        joined: Type | None = None
        for i, element in enumerate(node.elements):
            joined = self.join(joined, self.part(element, optional=i in node.optional), element)
        return list_of(parameter("_") if joined is None else joined)

    def map_literal(self, node: MapLiteral) -> Type:
        keys: Type | None = None
        values: Type | None = None
        for i, (key, value) in enumerate(node.entries):
            keys = self.join(keys, self.part(key, optional=False), key)
            values = self.join(values, self.part(value, optional=i in node.optional), value)
        if keys is None or values is None:
            return map_of(parameter("_"), parameter("_"))
        return map_of(keys, values)

    def message(self, node: MessageLiteral) -> Type:
        from krm_fn.cel.message_types import type_of_message

        return type_of_message(self, node)

    def part(self, node: Node, *, optional: bool) -> Type:
        """The type of an element, entry or field; of an optional one, what the optional holds."""
        given = self.infer(node)
        if self.recorded is not None:
            self.recorded[id(node)] = given
        if not optional:
            return given
        if is_optional(given):
            return given.parameters[0]
        if given.kind in (DYN, ERROR):
            return given
        from krm_fn.cel.check_messages import no_optional

        return self.report(no_optional(*self.settled((given,))), node.start, node.end)

    def join(self, previous: Type | None, given: Type, part: Node) -> Type:
        if previous is None or previous is given:
            return given
        fits = self.bindings.unify(previous, given)
        if self.uniform:
            one, other = self.settled((previous, given))
            if one is not other and ERROR not in (one.kind, other.kind):
                from krm_fn.cel.check_messages import not_uniform

                return self.report(not_uniform(one, other), part.start, part.end)
        return more_general(previous, given) if fits else DYNAMIC

    # -- calls ------------------------------------------------------------------------------------------------------

    def call(self, node: Call) -> Type:
        arguments = tuple(map(self.infer, node.arguments))
        return self.function(node.name.lstrip("."), arguments, node.start, member=False)

    def member_call(self, node: MemberCall) -> Type:
        namespace = _spelled(node.target)
        full = f"{namespace}.{node.name}"
        if namespace and index.is_declared(full):
            return self.function(full, tuple(map(self.infer, node.arguments)), node.start, member=False)
        is_format = node.name == "format" and _is_format(node)
        if is_format and self.recorded is None:
            self.recorded = {}
        uniform, self.uniform = self.uniform, self.uniform and node.name != "format"
        arguments = tuple(
            map(self.infer, node.arguments)
        )  # before the target: cel-go's order decides what is bound first
        self.uniform = uniform
        arguments = (self.infer(node.target), *arguments)
        result = self.function(node.name, arguments, node.at, member=True)
        if is_format:
            self.formats.append(node)
        return result

    def function(self, name: str, arguments: tuple[Type, ...], start: int, *, member: bool) -> Type:
        """The result of a call; *start*: where its name stands."""
        key = (name, member, arguments)
        found = known.get(key)
        if found is not None:
            return found
        result = self.choose(arguments, of_library(name, len(arguments), member=member), settled=name in CONVERSIONS)
        if result is not None:
            return remember(key, arguments, result)
        from krm_fn.cel import check_messages as say

        if not index.is_declared(name) and name not in METHODS:
            said = say.undeclared_function(name, index.hint(name))
        else:
            given = self.settled(arguments)
            receiver = given.pop(0) if member else None
            said = say.no_overload(name, receiver, given, _forms(name, receiver))
        return self.report(said, start, start + len(name))

    def choose(
        self, arguments: tuple[Type, ...], sources: Iterable[tuple[Signature, ...]], *, settled: bool = False
    ) -> Type | None:
        """The result of all overloads that suit the arguments together; None where none does. *settled*: they all give one type."""
        result: Type | None = None
        by_declaration = True
        for signatures in sources:
            for signature in signatures:
                found = self.suits(signature, arguments)
                if found is None:
                    continue
                by_declaration = by_declaration and signature.result is DYNAMIC
                if result is None:
                    result = found
                elif result.kind != DYN and not is_exactly(result, found):
                    result = DYNAMIC
            if result is not None and (settled or not arguments or arguments[0].kind not in _ANYTHING):
                break
        if result is None:
            return None
        if not by_declaration and any(a.tainted for a in arguments):
            result = UNKNOWN if result.kind == DYN else self.bindings.resolve(result, UNKNOWN)
        return result

    def suits(self, signature: Signature, arguments: tuple[Type, ...]) -> Type | None:
        """The result of one overload; None where it does not take the arguments."""
        params, result = signature.params, signature.result
        if signature.is_open:
            params, result = instantiate(params, result)
        if not self.bindings.unify_all(arguments, params):
            return None
        return self.bindings.resolve(result) if result.is_open else result

    # -- macros -----------------------------------------------------------------------------------------------------

    def within(self, names: Iterable[str], types: Iterable[Type], node: Node) -> Type:
        """The type of a macro's body, with the macro's variables."""
        outer = self.local
        self.mixed = True
        self.local = {**outer, **dict(zip(names, types, strict=True))}
        result = self.infer(node)
        self.local = outer
        return result

    def items(self, target: Type, count: int, macro: str, node: Node) -> tuple[Type, ...]:
        """The types of the variables that walk a range: element; index and element; key; key and value."""
        target = self.bindings.resolve(target)
        if target.kind == LIST:
            return (INT, target.parameters[0])[-count:]
        if target.kind == MAP:
            return target.parameters[:count]
        if target.kind in (DYN, ERROR) and target is not ANY:
            return (target,) * count
        if target.kind == PARAMETER:
            self.bindings.unify(DYNAMIC, target)
            return (DYNAMIC,) * count
        from krm_fn.cel.check_messages import no_range

        self.report(no_range(macro, target), node.start, node.end)
        return (FAILED,) * count

    def comprehension(self, node: Comprehension) -> Type:
        kind = node.kind
        names = [variable.name for variable in node.variables]
        items = self.items(self.infer(node.range), len(names), kind, node.range)
        if node.condition is not None:
            self.expect_bool(self.within(names, items, node.condition), f"the condition of {kind}()", node.condition)
        body = self.within(names, items, node.body)
        if kind in ("filter", "transformMap"):  # which read their variable themselves
            self.hold(names[0], items[0], node.variables[0])
        if kind in ("map", "transformList"):
            return list_of(self.bindings.resolve(body))
        if kind == "transformMap":
            return map_of(self.bindings.resolve(items[0]), self.bindings.resolve(body))
        if kind == "transformMapEntry":
            return self.entries(body, node)
        self.expect_bool(body, f"{kind}()", node.body)
        return list_of(self.bindings.resolve(items[0])) if kind == "filter" else BOOL

    def entries(self, body: Type, node: Comprehension) -> Type:
        made = map_of(parameter("_"), parameter("_"))
        result = self.choose((made, body), (written(INSERT_MAP),))
        if result is not None:
            return result
        from krm_fn.cel.check_messages import no_entries

        return self.report(no_entries(*self.settled((body,))), node.body.start, node.body.end)

    def sort_by(self, node: SortBy) -> Type:
        target = self.infer(node.range)
        items = self.items(target, 1, "sortBy", node.range)
        keys = list_of(self.bindings.resolve(self.within([node.variable.name], items, node.key)))
        result = self.choose((target, keys), (written(SORT_BY),))
        if result is not None:
            return result
        if items[0] is FAILED:
            return FAILED
        from krm_fn.cel.check_messages import no_order

        target, key = self.settled((target, keys.parameters[0]))
        return self.report(no_order(target, key), node.at, node.at + len("sortBy"))

    def bind(self, node: Bind) -> Type:
        initial = self.infer(node.initial)
        self.hold(node.variable.name, initial, node.variable)
        return self.within([node.variable.name], [initial], node.body)

    def optional_map(self, node: OptionalMap) -> Type:
        target = self.infer(node.target)
        content = (
            self.function("value", (target,), node.target.start, member=True) if _may_be_optional(target) else None
        )
        if content is None:
            from krm_fn.cel.check_messages import no_optional_target

            name = "optFlatMap" if node.flat else "optMap"
            self.report(no_optional_target(name, *self.settled((target,))), node.at, node.at + len(name))
            content = FAILED
        self.hold(node.variable.name, content, node.variable)
        body = self.within([node.variable.name], [content], node.body)
        if not node.flat:
            return optional_of(self.bindings.resolve(body))
        none = optional_of(parameter("_"))
        result = self.choose((BOOL, body, none), (written(OPERATORS["_?_:_"]),))
        if result is not None:
            return result
        from krm_fn.cel.check_messages import no_flat_body

        return self.report(no_flat_body(*self.settled((body,))), node.body.start, node.body.end)

    def check_formats(self) -> None:
        from krm_fn.cel.check_formats import wrong_format

        recorded = self.recorded or {}
        for call in self.formats:
            found = wrong_format(call, lambda node: self.bindings.resolve(recorded[id(node)], DYNAMIC))
            if found is not None:
                self.report(*found)


_COMPARISONS = frozenset(("<", "<=", ">", ">="))
_ANYTHING = (DYN, ERROR, PARAMETER, NULL)
"""Kinds of a first argument that overloads of more than one module may take."""


def _may_be_optional(target: Type) -> bool:
    return is_optional(target) or target.kind in (*_ANYTHING,)


def _is_format(node: MemberCall) -> bool:
    target = node.target
    return (
        type(target) is Literal
        and type(target.value) is str
        and len(node.arguments) == 1
        and type(node.arguments[0]) is ListLiteral
    )


def _spelled(node: Node) -> str:
    """`a.b` as text, if *node* is only names and dots."""
    if type(node) is Identifier:
        return node.name.lstrip(".")
    if type(node) is Select and not node.optional:
        before = _spelled(node.operand)
        return f"{before}.{node.field}" if before else ""
    return ""


def _forms(name: str, receiver: Type | None) -> list[str]:
    """What a function takes, for a message: `(string, int)`."""
    if name in METHODS:
        return []
    own = [o for o in index.overloads(name) if o.member is (receiver is not None)]
    suited = [o for o in own if receiver is not None and parse_type(o.params[0]).kind == receiver.kind]
    return list(dict.fromkeys(f"({', '.join(o.params[o.member :])})" for o in suited or own))


class _Recorder(_Checker):
    """A checker that remembers."""

    __slots__ = ("found",)

    def __init__(self, variables: Mapping[str, Type], *, as_rule: bool) -> None:
        super().__init__(variables, as_rule=as_rule)
        self.found: dict[int, Type] = {}

    def infer(self, node: Node) -> Type:
        found = self.found[id(node)] = super().infer(node)
        return found


_INFER: dict[type, Callable[[_Checker, Any], Type]] = {
    Literal: _Checker.literal,
    Identifier: _Checker.identifier,
    Select: _Checker.select,
    Index: _Checker.index,
    Call: _Checker.call,
    MemberCall: _Checker.member_call,
    Unary: _Checker.unary,
    Binary: _Checker.binary,
    Logic: _Checker.logic,
    Conditional: _Checker.conditional,
    ListLiteral: _Checker.list_literal,
    MapLiteral: _Checker.map_literal,
    MessageLiteral: _Checker.message,
    Has: _Checker.has,
    Comprehension: _Checker.comprehension,
    SortBy: _Checker.sort_by,
    Bind: _Checker.bind,
    OptionalMap: _Checker.optional_map,
}
