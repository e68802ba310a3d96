"""
A readyWhen as an expression of Flux's `healthCheckExprs`.

Enters: the tree of a readyWhen, the name that it has for its object, the object's kind and schema.  Leaves: the text of an expression
that is true of an object exactly where the readyWhen is; or `NotCarried`.  Not known here: Kustomizations, nodes.

In Flux the fields of an object are variables (`status`, `metadata`, `data`), and there is no name for the whole of it. Nothing is
checked before it runs. A field that is missing is an error, which counts as not ready, and nothing in CEL makes `true` of an error but
`true || error`. So `has(db.status)` can be carried where its being false leaves the condition untrue in any case: then an error will
do. Whether that is so is asked of the condition itself, with that field missing and all others unknown.
Source: fluxcd/pkg runtime/cel v0.111.0 (cel-go v0.26.1 with strings, sets, encoders and optional types).
"""

from __future__ import annotations

from krm_fn.cel import CelSyntaxError, EvaluationError, compile_, parse
from krm_fn.cel.parser import MAX_CODE_POINTS, RESERVED
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
    children,
)
from krm_fn.cel.unparse import unparse
from krm_fn.cel.values import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from krm_fn.cel.syntax import Node

_ALWAYS = frozenset({"apiVersion", "kind", "metadata"})
"""What every object of an API server has."""
_CALLS = frozenset(
    ["bool", "bytes", "double", "duration", "dyn", "int", "matches", "size", "string", "timestamp", "type", "uint"]
)
_NAMESPACED = frozenset(
    [
        *("base64.decode", "base64.encode", "strings.quote"),
        *("optional.none", "optional.of", "optional.ofNonZeroValue", "optional.unwrap"),
    ]
)
_METHODS = frozenset(
    [
        *("charAt", "contains", "endsWith", "format", "join", "lowerAscii", "matches", "replace", "size", "split"),
        *("startsWith", "substring", "trim", "upperAscii"),
        *("getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getFullYear", "getHours", "getMilliseconds"),
        *("getMinutes", "getMonth", "getSeconds"),
        *("hasValue", "or", "orValue", "unwrapOpt", "value"),
    ]
)
_OF_TEXTS = frozenset(["indexOf", "lastIndexOf", "reverse"])
"""kro has them for lists, too; Flux for texts alone."""
_GIVE_TEXT = frozenset(
    ["charAt", "format", "join", "lowerAscii", "replace", "reverse", "substring", "trim", "upperAscii"]
)
_LOOPS = frozenset(["all", "exists", "exists_one", "filter", "map"])
_NO_VARIABLES = RESERVED | {
    *("bool", "bytes", "double", "dyn", "int", "list", "map", "null_type", "string", "type", "uint"),
    *("base64", "google", "optional", "optional_type", "strings"),
}
"""Names that stand for something else in Flux where the object has no such field."""
_LIMIT = 4096
"""Of an expression in code points, once what cel.bind names is written out."""


class NotCarried(Exception):  # noqa: N818 - a verdict
    """What of a readyWhen Flux has no words for. offset, length: where it stands in the expression's text."""

    def __init__(self, what: str, node: Node | None = None, help: str = "") -> None:  # noqa: A002
        self.what = what
        self.help = help
        self.offset = node.start if node is not None else 0
        self.length = node.end - node.start if node is not None else 0
        super().__init__(what)


def carried(tree: Node, name: str, *, schema: dict[str, Any] | None = None, is_secret: bool = False) -> str:
    """
    The readyWhen *tree* as Flux evaluates it of one object. Raises NotCarried.

    name: what the expression calls the object.  schema: of the object, where there is one.
    """
    rewriting = _Rewriting(tree, name, schema)
    if is_secret:
        _refuse_values(tree, name)
    made = rewriting.run()
    for field in sorted(rewriting.guarded):
        if _may_hold(_Rewriting(tree, name, schema, missing=field).run()):
            raise NotCarried(
                f"it may hold while there is no {field}, which is an error in Flux",
                rewriting.guarded[field],
                f"ask for what {field} has to say: has({name}.{field}) && …",
            )
    text = unparse(made)
    try:
        if len(text) > MAX_CODE_POINTS:
            raise NotCarried("it is too long")
        parse(text)
    except CelSyntaxError:
        raise NotCarried("it is nested too deeply") from None
    return text


def _refuse_values(tree: Node, name: str) -> None:
    """sic: kro cannot decode a Secret before readyWhen, and calls no function on a value of its `data`."""
    reads = any(
        isinstance(node, Select | Has) and node.field == "data" and _is(node.operand, name) for node in _all(tree)
    )
    for node in _all(tree):
        if reads and isinstance(node, Call | MemberCall) and (node.name not in ("size", "orValue", "hasValue")):
            raise NotCarried("kro calls no function on the values of a Secret", node)


def _may_hold(made: Node) -> bool:
    """Whether a condition may be true, whatever the unknown fields are."""
    names = {node.name: Unknown(node.name) for node in _all(made) if type(node) is Identifier}
    try:
        value = compile_(made)(names)
    except EvaluationError:
        return False
    return value is True or type(value) is Unknown


def _all(node: Node) -> Iterator[Node]:
    pending = [node]
    while pending:
        pending.append(found := pending.pop())
        pending.pop()
        yield found
        pending.extend(reversed(children(found)))


def _is(node: Node, name: str) -> bool:
    return type(node) is Identifier and node.name == name


class _Rewriting:
    """
    One pass over one tree.

    missing: the field that is not there; then the result is for evaluation alone, with every identifier unknown.  guarded: the fields whose
    absence the expression itself tells from a value, and where.
    """

    def __init__(self, tree: Node, name: str, schema: dict[str, Any] | None, missing: str = "") -> None:
        self._tree = tree
        self._name = name
        self._schema = schema
        self._missing = missing
        self.guarded: dict[str, Node] = {}
        self._fields = {
            str(node.index.value if type(node) is Index else node.field)  # type: ignore[union-attr]
            for node in _all(tree)
            if (isinstance(node, Select | Has) and _is(node.operand, name))
            or (type(node) is Index and _is(node.operand, name) and type(node.index) is Literal)
        }
        self._size = 0

    def run(self) -> Node:
        return deep(self._written, self._tree, {})

    def _written(self, node: Node, scope: dict[str, Node]) -> Node:
        self._size += 1
        if self._size > _LIMIT:
            raise NotCarried("it is too long")
        rewrite = _REWRITERS.get(type(node))
        if rewrite is None:
            raise NotCarried(f"Flux's CEL has no {_WORDS.get(type(node), 'such form')}", node)
        return rewrite(self, node, scope)

    # -- the object ----------------------------------------------------------------------------------------------------

    def _is_object(self, node: Node, scope: dict[str, Node]) -> bool:
        return _is(node, self._name) and self._name not in scope

    def _field(self, field: str, node: Node) -> Node:
        if field == self._missing:
            # What is an error whatever is known.
            return Index(ListLiteral([], frozenset(), 0, 0), Literal(0, 0, 0), 0, 0)
        if field in _NO_VARIABLES or not field.isascii() or not field.isidentifier():
            raise NotCarried(f"{field} cannot be a variable, which the fields of an object are in Flux", node)
        return Identifier(field, node.start, node.end)

    def _asked(self, field: str, node: Node) -> Node:
        """`has(object.field)`: an error, which will do, or true."""
        if field in _ALWAYS:
            return Literal(value=True, start=node.start, end=node.end)
        self.guarded.setdefault(field, node)
        if field == self._missing:
            return Literal(value=False, start=node.start, end=node.end)
        found = self._field(field, node)
        if self._missing:
            return found
        listed = ListLiteral([found], frozenset(), node.start, node.end)
        return Binary("==", Call("size", [listed], node.start, node.end), Literal(1, node.start, node.end), node.start)

    def _optional(self, field: str, node: Node) -> Node:
        """`object.?field`: an error, which will do, or an optional that has a value."""
        optional = Identifier("optional", node.start, node.end)
        if field not in _ALWAYS:
            self.guarded.setdefault(field, node)
        if field == self._missing:
            return MemberCall(optional, "none", [], node.start, node.end)
        found = self._field(field, node)
        return found if self._missing else MemberCall(optional, "of", [found], node.start, node.end)

    # -- forms ---------------------------------------------------------------------------------------------------------

    def identifier(self, node: Identifier, scope: dict[str, Node]) -> Node:
        if node.name in scope:
            return scope[node.name]
        if node.name == self._name:
            raise NotCarried("Flux has no name for the whole object", node, "ask for its fields one by one")
        raise NotCarried(f"{node.name} is nothing that Flux knows of an object", node)

    def select(self, node: Select, scope: dict[str, Node]) -> Node:
        _refuse_escaped(node.field, node)
        if self._is_object(node.operand, scope):
            return self._optional(node.field, node) if node.optional else self._field(node.field, node)
        return Select(self._written(node.operand, scope), node.field, node.at, node.end, optional=node.optional)

    def index(self, node: Index, scope: dict[str, Node]) -> Node:
        if self._is_object(node.operand, scope) and type(node.index) is Literal and type(node.index.value) is str:
            field = node.index.value
            return self._optional(field, node) if node.optional else self._field(field, node)
        operand, index = self._written(node.operand, scope), self._written(node.index, scope)
        return Index(operand, index, node.at, node.end, optional=node.optional)

    def has(self, node: Has, scope: dict[str, Node]) -> Node:
        _refuse_escaped(node.field, node)
        if self._is_object(node.operand, scope):
            return self._asked(node.field, node)
        return Has(self._written(node.operand, scope), node.field, node.at, node.start, node.end)

    def binary(self, node: Binary, scope: dict[str, Node]) -> Node:
        if node.operator == "in" and self._is_object(node.right, scope) and type(node.left) is Literal:
            return self._asked(str(node.left.value), node)
        return Binary(node.operator, self._written(node.left, scope), self._written(node.right, scope), node.at)

    def literal(self, node: Literal, _scope: dict[str, Node]) -> Node:
        return node

    def unary(self, node: Unary, scope: dict[str, Node]) -> Node:
        return Unary(node.operator, self._written(node.operand, scope), node.start)

    def logic(self, node: Logic, scope: dict[str, Node]) -> Node:
        return Logic(node.operator, [self._written(term, scope) for term in node.terms], node.at)

    def conditional(self, node: Conditional, scope: dict[str, Node]) -> Node:
        condition, then = self._written(node.condition, scope), self._written(node.then, scope)
        return Conditional(condition, then, self._written(node.otherwise, scope), node.at)

    def list_literal(self, node: ListLiteral, scope: dict[str, Node]) -> Node:
        return ListLiteral([self._written(each, scope) for each in node.elements], node.optional, node.start, node.end)

    def map_literal(self, node: MapLiteral, scope: dict[str, Node]) -> Node:
        entries = [(self._written(key, scope), self._written(value, scope)) for key, value in node.entries]
        return MapLiteral(entries, node.optional, node.start, node.end)

    def call(self, node: Call, scope: dict[str, Node]) -> Node:
        if node.name not in _CALLS:
            raise _no_function(f"{node.name}()", node)
        made = Call(node.name, [self._written(each, scope) for each in node.arguments], node.start, node.end)
        if node.name == "matches" and len(made.arguments) == 2:
            _refuse_broken(MemberCall(_EMPTY, "matches", made.arguments[1:], 0, 0), node)
        _refuse_broken(made, node)
        return made

    def member_call(self, node: MemberCall, scope: dict[str, Node]) -> Node:
        target = node.target
        is_namespace = type(target) is Identifier and target.name not in scope and target.name != self._name
        if is_namespace:
            if f"{target.name}.{node.name}" not in _NAMESPACED:  # type: ignore[union-attr]
                raise _no_function(f"{target.name}.{node.name}()", node)  # type: ignore[union-attr]
        else:
            target = self._written(target, scope)
            if node.name in _OF_TEXTS and not self._is_text(node.target):
                raise NotCarried(f"Flux's CEL has {node.name}() for texts alone", node)
            if node.name not in _METHODS | _OF_TEXTS:
                raise _no_function(f"{node.name}()", node)
        arguments = [self._written(each, scope) for each in node.arguments]
        if node.name == "matches":
            _refuse_broken(MemberCall(_EMPTY, "matches", arguments, 0, 0), node)
        return MemberCall(target, node.name, arguments, node.at, node.end)

    def comprehension(self, node: Comprehension, scope: dict[str, Node]) -> Node:
        if node.kind not in _LOOPS or len(node.variables) > 1:
            raise NotCarried(f"Flux's CEL has no {node.kind}() with {len(node.variables)} variables", node)
        found = self._written(node.range, scope)
        variable, inner = self._bound(node.variables[0], scope)
        condition = self._written(node.condition, inner) if node.condition is not None else None
        body = self._written(node.body, inner)
        return Comprehension(node.kind, found, (variable,), condition, body, node.at, node.end)

    def optional_map(self, node: OptionalMap, scope: dict[str, Node]) -> Node:
        target = self._written(node.target, scope)
        variable, inner = self._bound(node.variable, scope)
        return OptionalMap(target, variable, self._written(node.body, inner), node.at, node.end, flat=node.flat)

    def bind(self, node: Bind, scope: dict[str, Node]) -> Node:
        """Flux has no cel.bind. What it names is evaluated where it is used, and never changes: it may as well stand there."""
        initial = self._written(node.initial, scope)
        self._size += sum(1 for _ in _all(initial)) * sum(_is(each, node.variable.name) for each in _all(node.body))
        return self._written(node.body, {**scope, node.variable.name: initial})

    def _bound(self, variable: Identifier, scope: dict[str, Node]) -> tuple[Identifier, dict[str, Node]]:
        """A variable under a name that hides neither a field nor what stands for another variable."""
        taken = {each.name for made in scope.values() for each in _all(made) if type(each) is Identifier}
        name = variable.name
        while name in self._fields or name in taken or name in _NO_VARIABLES:
            name += "_"
        made = Identifier(name, variable.start, variable.end)
        return made, {**scope, variable.name: made}

    def _is_text(self, node: Node) -> bool:
        """Whether it is known to be a text."""
        if type(node) is Literal:
            return type(node.value) is str
        if isinstance(node, Call | MemberCall):
            return node.name in _GIVE_TEXT or (type(node) is Call and node.name == "string")
        fields: list[str] = []
        while type(node) is Select and not node.optional:
            fields.append(node.field)
            node = node.operand
        schema: Any = self._schema if _is(node, self._name) else None
        for field in reversed(fields):
            schema = (schema.get("properties") or {}).get(field) if isinstance(schema, dict) else None
        return isinstance(schema, dict) and schema.get("type") == "string"


def _refuse_escaped(field: str, node: Node) -> None:
    if "__" in field:
        raise NotCarried(f"{field} is how kro writes a name that is none", node)


_EMPTY = Literal("", 0, 0)
_CONSTANT = frozenset([Call, ListLiteral, Literal, MapLiteral])


def _refuse_broken(call: Call | MemberCall, node: Node) -> None:
    """cel-go converts constants, and compiles patterns, before it sees an object: one that fails stalls the Kustomization for good."""
    if all(type(each) in _CONSTANT for argument in call.arguments for each in _all(argument)):
        try:
            compile_(call)({})
        except (EvaluationError, CelSyntaxError):
            raise NotCarried("it fails whatever the object is", node) from None


def _no_function(name: str, node: Node) -> NotCarried:
    return NotCarried(f"Flux's CEL has no {name}", node)


_WORDS = {SortBy: "sortBy()", MessageLiteral: "messages here"}
_REWRITERS: dict[type, Callable[[_Rewriting, Any, dict[str, Node]], Node]] = {
    Identifier: _Rewriting.identifier,
    Select: _Rewriting.select,
    Index: _Rewriting.index,
    Has: _Rewriting.has,
    Binary: _Rewriting.binary,
    Literal: _Rewriting.literal,
    Unary: _Rewriting.unary,
    Logic: _Rewriting.logic,
    Conditional: _Rewriting.conditional,
    ListLiteral: _Rewriting.list_literal,
    MapLiteral: _Rewriting.map_literal,
    Call: _Rewriting.call,
    MemberCall: _Rewriting.member_call,
    Comprehension: _Rewriting.comprehension,
    OptionalMap: _Rewriting.optional_map,
    Bind: _Rewriting.bind,
}
