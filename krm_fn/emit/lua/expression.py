"""
An expression of CEL -> expressions of Lua that mean the same.

Enters: a syntax tree, the schema of the object that it reads.  Leaves: Lua, and which functions of `library` it calls; or `NotCarried`.
Not known here: nodes, health.

Each part of a tree is compiled for what is asked of it:

    is_true(e)    Lua that is true where e is true, and else false: e is false, an error, or waits for data
    is_false(e)   the same for false
    value(e)      the value; nil where there is none
    optional(e)   the value; `none` where the optional is empty; nil where there is none

So CEL's errors need no exceptions: `a && b` is true where both are, and false where one of them is, whatever the other does.

What is known not to fit into Lua is refused rather than approached. A JSON null is absent to Lua: a field that the schema calls nullable
is only read where that makes no difference, and compared with null only behind `orValue(null)`. A null where no schema says that there
may be one is not seen: lists and maps are shorter by it, and `all` or `size` may hold where CEL's do not (docs/hosts/argocd-health.md).
"""

from __future__ import annotations

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
    children,
)
from krm_fn.emit.lua import words
from krm_fn.emit.lua.known import ARITHMETIC, NotCarried, Scope, Variable
from krm_fn.emit.lua.library import NONE
from krm_fn.emit.lua.words import joined, lua_name, quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeAlias

    from krm_fn.cel.syntax import Node

    Schema: TypeAlias = Mapping[str, Any]

_LONGEST = 20_000
"""Characters of Lua that an expression may become: conditions are written out for both of their outcomes."""
_DEEPEST = 40
"""Parts in one another: each holds registers of Lua's interpreter, which has 255 a function, and recursion here."""
_LARGEST_INT = 2**53 - 1

_ORDER = {"<": ("less", "at_least"), ">": ("more", "at_most"), "<=": ("at_most", "more"), ">=": ("at_least", "less")}
_TEXT_TESTS = {"startsWith": "starts_with", "endsWith": "ends_with", "contains": "contains"}


class Condition:
    """A condition in Lua. text: true where the condition holds.  called: the functions of `library` in it."""

    __slots__ = ("called", "text")

    def __init__(self, text: str, called: frozenset[str]) -> None:
        self.text = text
        self.called = called


def condition(tree: Node, name: str, schema: Schema | None) -> Condition:
    """
    Lua that is true where *tree* is.

    name: the only free name of *tree*; `lua_name` of it is the Lua variable.  schema: of its value, if it is known.
    Errors: NotCarried.
    """
    if _depth_exceeds(tree, _DEEPEST):
        raise NotCarried("an expression as deep as this", tree)
    compiler = _Compiler()
    compiler.variables[name] = Variable(lua_name(name), schema)
    text = compiler.is_true(tree)
    if len(text) > _LONGEST:
        raise NotCarried("an expression as long as this", tree)
    return Condition(text, frozenset(compiler.called))


class _Compiler(Scope):
    def __init__(self) -> None:
        super().__init__()
        self.called: set[str] = set()
        self.written = 0

    def call(self, function: str, *arguments: str) -> str:
        self.called.add(function)
        line = words.call(function, arguments)
        self.written += len(line)
        if self.written > 50 * _LONGEST:
            raise NotCarried("an expression as long as this", Literal(None, 0, 0))
        return line

    def with_variable(self, name: str, variable: Variable, compile_: Callable[[], str]) -> str:
        """A function of one variable, whose body is compiled with it in sight."""
        before = self.variables.get(name)
        self.variables[name] = variable
        body = compile_()
        del self.variables[name]
        if before is not None:
            self.variables[name] = before
        return words.function(variable.name, body)

    # -- conditions ---------------------------------------------------------------------------------------------------

    def is_true(self, node: Node) -> str:
        return self.decided(node, wanted=True)

    def is_false(self, node: Node) -> str:
        return self.decided(node, wanted=False)

    def decided(self, node: Node, *, wanted: bool) -> str:
        """Lua that is true where *node* is *wanted*, and false else."""
        decide = _DECIDE.get(type(node))
        made: str | None = decide(self, node, wanted) if decide is not None else None
        if made is not None:
            return made
        value = self.optional(node) if self.is_optional(node) else self.value(node, nullable=True)
        return f"{value} == {'true' if wanted else 'false'}"

    def value_or_optional(self, node: Node) -> str:
        return self.optional(node) if self.is_optional(node) else self.value(node)

    def literal_decided(self, node: Literal, wanted: bool) -> str:
        return "true" if node.value is wanted else "false"

    def logic(self, node: Logic, wanted: bool) -> str:
        word = "and" if (node.operator == "&&") is wanted else "or"
        return joined(word, [self.decided(term, wanted=wanted) for term in node.terms])

    def unary_decided(self, node: Unary, wanted: bool) -> str | None:
        return self.decided(node.operand, wanted=not wanted) if node.operator == "!" else None

    def conditional_decided(self, node: Conditional, wanted: bool) -> str:
        then = joined("and", [self.is_true(node.condition), self.decided(node.then, wanted=wanted)])
        otherwise = joined("and", [self.is_false(node.condition), self.decided(node.otherwise, wanted=wanted)])
        return joined("or", [then, otherwise])

    def has(self, node: Has, wanted: bool) -> str:
        if self.is_optional(node.operand):
            found = self.call("maybe", self.optional(node.operand), quoted(node.field))
            self.called.add(NONE)
            return self.call("some", found) if wanted else f"{found} == {NONE}"
        self.refuse_null(Select(node.operand, node.field, node.at, node.end))
        if wanted:
            return f"{self.path(Select(node.operand, node.field, node.at, node.end))} ~= nil"
        return self.call("lacks", self.value(node.operand), quoted(node.field))

    def binary_decided(self, node: Binary, wanted: bool) -> str | None:
        operator = node.operator
        if operator in ("==", "!="):
            return self.equality(node, wanted is (operator == "=="))
        if operator in _ORDER:
            return self.call(_ORDER[operator][not wanted], self.strict(node.left), self.strict(node.right))
        if operator == "in":
            found = self.call("among", self.value(node.left), self.value(node.right))
            return f"{found} == {'true' if wanted else 'false'}"
        return None

    def equality(self, node: Binary, equal: bool) -> str:
        left, right = node.left, node.right
        if _is_null(left):
            left, right = right, left
        if _is_null(right):
            return self.null_test(left, equal, node)
        for side in (left, right):
            if self.is_optional(side):
                raise NotCarried(f"`{node.operator}` of optionals", node, "compare what `.orValue(…)` gives")
            if type(side) in (ListLiteral, MapLiteral) and not children(side):
                raise NotCarried("a comparison with an empty list or map", side, "compare its size() with 0")
        if _is_plain(left):
            left, right = right, left
        is_met = _is_plain(right) and equal  # which neither null nor an error ever is
        a, b = self.value(left, nullable=is_met), self.value(right)
        if is_met:
            return f"{a} == {b}"
        return f"{self.call('same', a, b)} == {'true' if equal else 'false'}"

    def null_test(self, node: Node, equal: bool, at: Binary) -> str:
        """`x == null`, or with *equal* false `x != null`."""
        if type(node) is MemberCall and node.name == "orValue" and len(node.arguments) == 1:
            (default,) = node.arguments
            if _is_null(default) and self.is_optional(node.target):
                found = self.optional(node.target, nullable=True)
                self.called.add(NONE)
                return f"{found} == {NONE}" if equal else self.call("some", found)
        if equal:
            shown = "write `x.?field.orValue(null) == null`: it holds where the field is absent, too"
            raise NotCarried("a comparison with null", at, shown)
        return f"{self.value(node, nullable=True)} ~= nil"

    def comprehension_decided(self, node: Comprehension, wanted: bool) -> str | None:
        if node.kind in ("all", "exists"):
            function = "exists" if (node.kind == "exists") is wanted else "all"
            holds = self.loop(node, lambda: self.decided(node.body, wanted=wanted))
            return self.call(function, self.value(node.range), holds)
        if node.kind == "exists_one":
            return f"{self.exists_one(node)} == {'true' if wanted else 'false'}"
        return None

    def exists_one(self, node: Comprehension) -> str:
        return self.call("exists_one", self.value(node.range), self.loop(node, lambda: self.truth(node.body)))

    def loop(self, node: Comprehension, compile_: Callable[[], str]) -> str:
        """The body of a macro, as a function of its variable."""
        if len(node.variables) > 1:
            raise NotCarried(f"{node.kind}() with two variables", node)
        (variable,) = node.variables
        schema = self.schema_of(node.range)
        items = schema.get("items") if schema is not None else None
        inner = Variable(lua_name(variable.name), items if isinstance(items, dict) else None)
        return self.with_variable(variable.name, inner, compile_)

    def truth(self, node: Node) -> str:
        """The value of a condition: true, false, or nil."""
        if type(node) in _DECIDE:
            return self.call("truth", self.is_true(node), self.is_false(node))
        return self.call("truth", f"{(value := self.value(node))} == true", f"{value} == false")

    def test_decided(self, node: MemberCall, wanted: bool) -> str | None:
        if node.name == "hasValue" and not node.arguments and self.is_optional(node.target):
            found = self.optional(node.target)
            self.called.add(NONE)
            return self.call("some", found) if wanted else f"{found} == {NONE}"
        return None

    # -- values -------------------------------------------------------------------------------------------------------

    def value(self, node: Node, *, nullable: bool = False) -> str:
        """The value of *node*. nullable: whether null and absent are the same to who asks."""
        if type(node) in (Select, Index, Identifier):
            if self.is_optional(node):
                raise NotCarried("an optional where a value is needed", node, "say what it is otherwise: `.orValue(…)`")
            if not nullable:
                self.refuse_null(node)
            return self.path(node)
        compile_ = _VALUES.get(type(node))
        if compile_ is None:
            raise NotCarried(_shown(node), node)
        return compile_(self, node)

    def strict(self, node: Node) -> str:
        """What a function takes to which null is an error, as is a field that is absent."""
        return self.value(node, nullable=True)

    def path(self, node: Node) -> str:
        """`a.b[0].c`."""
        steps: list[str] = []
        while type(node) in (Select, Index) and not node.optional:  # type: ignore[union-attr]
            steps.append(self.key(node))
            node = node.operand  # type: ignore[union-attr]
        root = self.identifier(node) if type(node) is Identifier else self.value(node)
        return self.call("get", root, *reversed(steps)) if steps else root

    def key(self, node: Node) -> str:
        return quoted(node.field) if type(node) is Select else self.value(node.index)  # type: ignore[union-attr]

    def identifier(self, node: Identifier) -> str:
        variable = self.variables.get(node.name)
        if variable is None:
            raise NotCarried(f"the name {node.name}", node)
        return variable.name

    def literal(self, node: Literal) -> str:
        value = node.value
        if value is True or value is False:
            return "true" if value else "false"
        if isinstance(value, str):
            return quoted(value)
        if type(value) is int and -_LARGEST_INT <= value <= _LARGEST_INT:
            return str(value)
        if type(value) is float and value - value == 0:
            return repr(value)
        raise NotCarried("null" if value is None else f"{node.value!r:.40}", node)

    def list_literal(self, node: ListLiteral) -> str:
        if node.optional:
            raise NotCarried("an optional element of a list", node)
        elements = [self.value(element) for element in node.elements]
        if all(_is_plain(element) for element in node.elements):
            return f"{{{', '.join(elements)}}}"
        return self.call("list", *elements)

    def bool_value(self, node: Node) -> str:
        return self.truth(node)

    def comprehension(self, node: Comprehension) -> str:
        if node.kind in ("all", "exists", "exists_one"):
            return self.exists_one(node) if node.kind == "exists_one" else self.truth(node)
        if node.kind == "filter":
            return self.call("filter", self.value(node.range), self.loop(node, lambda: self.truth(node.body)))
        if node.kind != "map":
            raise NotCarried(f"{node.kind}()", node)
        range_ = self.value(node.range)
        if node.condition is not None:
            taken = node.condition
            range_ = self.call("filter", range_, self.loop(node, lambda: self.truth(taken)))
        return self.call("map", range_, self.loop(node, lambda: self.value(node.body)))

    def conditional(self, node: Conditional) -> str:
        condition_ = (self.is_true(node.condition), self.is_false(node.condition))
        return self.call("pick", *condition_, self.value(node.then), self.value(node.otherwise))

    def binary(self, node: Binary) -> str:
        function = ARITHMETIC.get(node.operator)
        if function is None:
            return self.truth(node)
        for operand in (node.left, node.right):
            if type(operand) is Literal and type(operand.value) is float:
                raise NotCarried("arithmetic with doubles", node)
            self.refuse_sums_of_doubles(operand)
        return self.call(function, self.strict(node.left), self.strict(node.right))

    def unary(self, node: Unary) -> str:
        if node.operator == "!":
            return self.truth(node)
        if type(node.operand) is Literal:
            return f"-{self.literal(node.operand)}"
        return self.call("negate", self.value(node.operand))

    def call_value(self, node: Call) -> str:
        name = node.name.lstrip(".")
        if len(node.arguments) == 1:
            (argument,) = node.arguments
            if name == "size":
                return self.call("size", self.strict(argument))
            if name in ("int", "string"):
                if type(argument) is Literal and type(argument.value) is float:
                    raise NotCarried(f"{name}() of a double", node)
                self.refuse_sums_of_doubles(argument)
                return self.call("int" if name == "int" else "text", self.value(argument))
            if name == "dyn":
                return self.value(argument)
        raise NotCarried(f"{name}()", node)

    def member_value(self, node: MemberCall) -> str:
        name, count = node.name, len(node.arguments)
        if self.is_optional(node.target):
            if name == "orValue" and count == 1:
                return self.call("or_value", self.optional(node.target), self.value(node.arguments[0]))
            if name == "value" and count == 0:
                return self.call("value_of", self.optional(node.target))
            if name == "hasValue" and count == 0:
                return self.truth(node)
        elif name == "size" and count == 0:
            return self.call("size", self.strict(node.target))
        elif name in _TEXT_TESTS and count == 1:
            return self.call(_TEXT_TESTS[name], self.strict(node.target), self.strict(node.arguments[0]))
        raise NotCarried(f"{name}()", node)

    def bind(self, node: Bind, compile_: Callable[[], str]) -> str:
        optional = self.is_optional(node.initial)
        self.refuse_sums_of_doubles(node.initial)
        initial = self.value_or_optional(node.initial)
        name = node.variable.name
        variable = Variable(lua_name(name), self.schema_of(node.initial), optional=optional)
        return f"({self.with_variable(name, variable, compile_)})({initial})"

    def bind_value(self, node: Bind) -> str:
        return self.bind(node, lambda: self.value(node.body))

    def bind_decided(self, node: Bind, wanted: bool) -> str:
        return self.bind(node, lambda: self.decided(node.body, wanted=wanted))

    # -- optionals ----------------------------------------------------------------------------------------------------

    def optional(self, node: Node, *, nullable: bool = False) -> str:
        if type(node) in (Select, Index):
            return self.optional_path(node, nullable=nullable)
        if type(node) is Identifier:
            return self.identifier(node)
        if type(node) is Conditional:
            condition_ = (self.is_true(node.condition), self.is_false(node.condition))
            return self.call("pick", *condition_, self.optional(node.then), self.optional(node.otherwise))
        if type(node) is OptionalMap:
            name = node.variable.name
            variable = Variable(lua_name(name), self.schema_of(node.target))
            body = self.with_variable(
                name, variable, lambda: self.optional(node.body) if node.flat else self.value(node.body)
            )
            return self.call("with", self.optional(node.target), body)
        if type(node) is MemberCall and node.name == "or" and len(node.arguments) == 1:
            return self.call("or_value", self.optional(node.target), self.optional(node.arguments[0]))
        if type(node) is MemberCall and node.name == "of" and len(node.arguments) == 1:
            return self.value(node.arguments[0])
        if type(node) is MemberCall and node.name == "none" and not node.arguments:
            self.called.add(NONE)
            return NONE
        raise NotCarried(_shown(node), node)

    def optional_path(self, node: Node, *, nullable: bool) -> str:
        if not nullable:
            self.refuse_null(node)
        steps: list[str] = []
        while type(node) in (Select, Index) and self.is_optional(node):
            steps.append(self.key(node))
            node = node.operand  # type: ignore[union-attr]
        root = self.value_or_optional(node)
        return self.call("maybe", root, *reversed(steps))


def _depth_exceeds(tree: Node, limit: int) -> bool:
    level = [tree]
    for _ in range(limit):
        level = [below for node in level for below in children(node)]
        if not level:
            return False
    return True


def _is_null(node: Node) -> bool:
    return type(node) is Literal and node.value is None


def _is_plain(node: Node) -> bool:
    """Whether *node* is a literal that is always there."""
    return type(node) is Literal and node.value is not None


def _shown(node: Node) -> str:
    """What a message calls a construct."""
    return {
        MapLiteral: "a map that the expression writes",
        MessageLiteral: "a message that the expression writes",
        SortBy: "sortBy()",
        OptionalMap: "an optional where a value is needed",
    }.get(type(node), "this")


_DECIDE: dict[type, Any] = {
    Literal: _Compiler.literal_decided,
    Logic: _Compiler.logic,
    Unary: _Compiler.unary_decided,
    Conditional: _Compiler.conditional_decided,
    Has: _Compiler.has,
    Binary: _Compiler.binary_decided,
    Comprehension: _Compiler.comprehension_decided,
    MemberCall: _Compiler.test_decided,
    Bind: _Compiler.bind_decided,
}
_VALUES: dict[type, Callable[[_Compiler, Any], str]] = {
    Literal: _Compiler.literal,
    ListLiteral: _Compiler.list_literal,
    Logic: _Compiler.bool_value,
    Has: _Compiler.bool_value,
    Unary: _Compiler.unary,
    Binary: _Compiler.binary,
    Conditional: _Compiler.conditional,
    Comprehension: _Compiler.comprehension,
    Call: _Compiler.call_value,
    MemberCall: _Compiler.member_value,
    Bind: _Compiler.bind_value,
}
