"""
What the API server estimates a validation rule to cost, before there is any value.

Enters: a rule's tree and the schema that it is about.  Leaves: the highest cost, in the API server's units.  Imported only where a schema has
rules.  Not known here: whether the rule is sound (it is), messages.

How it works.  Each part of the expression has a cost, and a size where it is a text, a list or a map. A size is the one written, or the
largest that the schema allows at the path that leads there; without maxLength or maxItems that is as much as fits into a request of 3 MiB.
What has no path, such as the result of `string()`, may be of any size. A macro costs what its body costs, as often as its list is long.

Source: cel-go v0.27.0 checker/cost.go.  Differs: rules with functions of the API server's own (`sets.*`, `format.*`) are not estimated.
"""

from __future__ import annotations

from krm_fn.cel.check import types_of
from krm_fn.cel.stack import deep
from krm_fn.cel.syntax import (
    Binary,
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
from krm_fn.cel.types import BYTES, DYN, LIST, MAP, OBJECT, STRING, Type, is_optional
from krm_fn.schema.rule_functions import FUNCTIONS, Called
from krm_fn.schema.rule_sizes import (
    KEY,
    LIST_COST,
    MAP_COST,
    TRAVERSE,
    Bounds,
    Part,
    element_of,
    field_of,
    fixed,
    plus,
    product,
    size_of,
    times,
    traverse,
    union,
    union_all,
    union_entries,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from krm_fn.cel.syntax import Node
    from krm_fn.schema.rule_sizes import Schema, Size

_ONE_STEP = frozenset(("net.IP", "net.CIDR", "kubernetes.Quantity", "kubernetes.Semver"))
"""Types whose equality counts as one step."""
_URL = "kubernetes.URL"
_SCALARS = frozenset(("bool", "double", "duration", "int", "timestamp", "uint"))


def rule_cost(root: Node, variables: Mapping[str, Type], schema: Schema, bounds: Bounds) -> int:
    """The most that one evaluation of a sound rule costs. *variables*: with which it was checked."""
    coster = _Coster(types_of(root, variables), schema, bounds)
    return deep(coster.part, root).cost


class _Coster:
    """One walk of a tree. local: what the macros' variables stand for."""

    __slots__ = ("bounds", "local", "root", "types")

    def __init__(self, types: dict[int, Type], schema: Schema, bounds: Bounds) -> None:
        self.types = types
        self.local: dict[str, Part] = {}
        self.root = schema
        self.bounds = bounds

    def part(self, node: Node) -> Part:
        found: Part = _PARTS[type(node)](self, node)
        if found.size is None:
            found.size = self.size_of_path(found.schema)
            if found.size is None and _is_scalar(self.types.get(id(node))):
                found.size = (1, 1)
            if found.size is None and isinstance(node, Identifier) and node.name in self.local:
                found.size = self.local[node.name].size
        return found

    def size_of_path(self, schema: Schema | None) -> Size | None:
        return None if schema is None else (0, 0 if schema is KEY else self.bounds.largest(schema))

    def kind(self, node: Node) -> str:
        return self.types[id(node)].kind if id(node) in self.types else DYN

    # -- leaves and fields ------------------------------------------------------------------------------------------

    def literal(self, node: Literal) -> Part:
        value = node.value
        return Part(0, fixed(len(value) if isinstance(value, str | bytes) else 1))

    def identifier(self, node: Identifier) -> Part:
        local = self.local.get(node.name)
        if local is not None:
            return Part(1, schema=local.schema, entry=local.entry)
        # sic: the API server takes the name of a type, too, for the value that the rule is about
        return Part(1, schema=self.root)

    def select(self, node: Select) -> Part:
        operand = self.part(node.operand)
        if node.optional:
            return Part(operand.cost + 1)
        step = 1 if self.kind(node.operand) in (MAP, OBJECT) else 0
        return Part(operand.cost + step, schema=field_of(operand.schema, node.field))

    def has(self, node: Has) -> Part:
        return Part(self.part(node.operand).cost)

    def index(self, node: Index) -> Part:
        operand, index = self.part(node.operand), self.part(node.index)
        cost = 1 + operand.cost + index.cost
        if node.optional:
            return Part(cost)
        return Part(cost, operand.entry[1] if operand.entry else None, element_of(operand.schema))

    # -- operators --------------------------------------------------------------------------------------------------

    def unary(self, node: Unary) -> Part:
        if node.operator == "-" and isinstance(node.operand, Literal):
            return Part(0, (1, 1))
        return Part(1 + self.part(node.operand).cost)

    def logic(self, node: Logic) -> Part:
        return Part(sum(self.part(term).cost for term in node.terms))

    def conditional(self, node: Conditional) -> Part:
        condition, then, otherwise = self.part(node.condition), self.part(node.then), self.part(node.otherwise)
        size = union(size_of(then), size_of(otherwise))
        return Part(condition.cost + max(then.cost, otherwise.cost), size, entry=union_entries(then, otherwise))

    def binary(self, node: Binary) -> Part:
        left, right = self.part(node.left), self.part(node.right)
        arguments = left.cost + right.cost
        kinds = {self.kind(node.left), self.kind(node.right)}
        if node.operator in ("==", "!="):
            if node.operator == "==" and self.types[id(node.left)].name in _ONE_STEP:
                return Part(arguments + 1)
            if node.operator == "==" and self.types[id(node.left)].name == _URL:
                return Part(arguments + traverse(right.size[1] if right.size else 1))
            return Part(arguments + traverse(min(size_of(left)[1], size_of(right)[1])))
        if node.operator == "in":
            of = self.kind(node.right)
            found = size_of(right)[1] if of in (LIST, DYN) else 1
            return Part(arguments + max(found, 1 if of != LIST else 0))
        if node.operator in ("<", "<=", ">", ">=") and kinds & {"string", "bytes", DYN}:
            least = traverse(min(size_of(left)[1], size_of(right)[1]))
            return Part(arguments + (max(least, 1) if DYN in kinds else least))
        if node.operator == "+" and kinds & {"string", "bytes", LIST, DYN}:
            return self.joined(left, right, texts=LIST not in kinds, others=bool(kinds & {LIST, DYN}))
        return Part(arguments + 1)

    def joined(self, left: Part, right: Part, *, texts: bool, others: bool) -> Part:
        one, other = size_of(left), size_of(right)
        size = (plus(one[0], other[0]), plus(one[1], other[1]))
        cost = max(traverse(size[1]) if texts else 0, 1 if others else 0)
        return Part(left.cost + right.cost + cost, size, entry=union_entries(left, right))

    # -- lists and maps ---------------------------------------------------------------------------------------------

    def list_literal(self, node: ListLiteral) -> Part:
        parts = [self.part(element) for element in node.elements]
        cost = LIST_COST + sum(part.cost for part in parts)
        return Part(cost, fixed(len(parts)), entry=((1, 1), union_all(parts)))

    def map_literal(self, node: MapLiteral) -> Part:
        keys = [self.part(key) for key, _ in node.entries]
        values = [self.part(value) for _, value in node.entries]
        cost = MAP_COST + sum(part.cost for part in (*keys, *values))
        return Part(cost, fixed(len(keys)), entry=(union_all(keys), union_all(values)))

    def comprehension(self, node: Comprehension) -> Part:
        walked = self.part(node.range)
        before = {v.name: self.local.get(v.name) for v in node.variables}
        self.local.update(self.variables(node, walked))
        body = self.part(node.body)
        condition = self.part(node.condition).cost if node.condition else 0
        first, step, after = _round(node, body.cost, condition)
        made = self.made(node, body)
        for name, outer in before.items():
            if outer is None:
                del self.local[name]
            else:
                self.local[name] = outer
        size = size_of(walked)
        cost = walked.cost + first + after + product(size[1], step)
        return Part(cost, size if first else (1, 1), entry=made)

    def made(self, node: Comprehension, body: Part) -> tuple[Size, Size] | None:
        """The entries of the list that a macro makes."""
        if node.kind == "filter":
            return (1, 1), union((0, 0), size_of(self.part(node.variables[0])))
        return ((1, 1), union((0, 0), size_of(body))) if node.kind in ("map", "transformList") else None

    def variables(self, node: Comprehension, walked: Part) -> dict[str, Part]:
        is_list = self.kind(node.range) == LIST
        key, value = walked.entry or (None, None)
        item = Part(1, value, element_of(walked.schema))
        name = Part(1, key, None if is_list or walked.schema is None else KEY)
        if len(node.variables) == 2:
            return {node.variables[0].name: name, node.variables[1].name: item}
        return {node.variables[0].name: item if is_list else name}

    def sort_by(self, node: SortBy) -> Part:
        walked = self.part(node.range)
        before = self.local.get(node.variable.name)
        self.local[node.variable.name] = Part(1, walked.entry[1] if walked.entry else None, element_of(walked.schema))
        key = self.part(node.key)
        if before is None:
            del self.local[node.variable.name]
        else:
            self.local[node.variable.name] = before
        size = size_of(walked)
        keys = 1 + LIST_COST + 1 + product(size[1], 12 + key.cost)
        sorting = self.sorted(size, self.types.get(id(node.key)))
        return Part(LIST_COST + walked.cost + 1 + keys + sorting.cost, sorting.size)

    def sorted(self, size: Size, element: Type | None) -> Part:
        """A list in order is taken to have as many items as there are pairs."""
        pairs = (product(size[0], size[0]), product(size[1], size[1]))
        return Part(times(pairs[1], 2 + TRAVERSE if element in (STRING, BYTES) else 2) + 1 + LIST_COST, pairs)

    def optional_map(self, node: OptionalMap) -> Part:
        target = self.part(node.target)
        before = self.local.get(node.variable.name)
        self.local[node.variable.name] = Part(1)
        body = self.part(node.body)
        if before is None:
            del self.local[node.variable.name]
        else:
            self.local[node.variable.name] = before
        found = LIST_COST + (target.cost + 1) + body.cost + (0 if node.flat else 1)
        return Part(target.cost + 1 + max(found, 1))

    # -- functions --------------------------------------------------------------------------------------------------

    def call(self, node: Call) -> Part:
        arguments = [self.part(argument) for argument in node.arguments]
        name = node.name.lstrip(".")
        if name == "dyn":
            return Part(1 + arguments[0].cost, arguments[0].size, entry=arguments[0].entry)
        return self.function(name, None, None, arguments, node.arguments)

    def member_call(self, node: MemberCall) -> Part:
        arguments = [self.part(argument) for argument in node.arguments]
        if id(node.target) not in self.types:
            return self.function(_spelled(node), None, None, arguments, node.arguments)
        return self.function(node.name, self.part(node.target), node.target, arguments, node.arguments)

    def function(
        self, name: str, target: Part | None, at: Node | None, arguments: list[Part], nodes: list[Node]
    ) -> Part:
        own = sum(part.cost for part in arguments) + (target.cost if target else 0)
        special = FUNCTIONS.get(name)
        types = [self.types.get(id(one)) for one in (at, *nodes)]
        found = special(Called(name, target, types, arguments, nodes, self.bounds)) if special else None
        if found is None:
            return Part(own + 1)
        cost, size = found
        return Part(own + cost, size)


_PARTS: dict[type, Callable[..., Part]] = {
    Literal: _Coster.literal,
    Identifier: _Coster.identifier,
    Select: _Coster.select,
    Has: _Coster.has,
    Index: _Coster.index,
    Unary: _Coster.unary,
    Logic: _Coster.logic,
    Conditional: _Coster.conditional,
    Binary: _Coster.binary,
    ListLiteral: _Coster.list_literal,
    MapLiteral: _Coster.map_literal,
    Comprehension: _Coster.comprehension,
    SortBy: _Coster.sort_by,
    OptionalMap: _Coster.optional_map,
    Call: _Coster.call,
    MemberCall: _Coster.member_call,
}


def _round(node: Comprehension, body: int, condition: int) -> tuple[int, int, int]:
    """
    What a macro costs before its loop, in each round, and after it.

    It is what cel-go makes of it: an accumulator, a condition to go on, and a step.
    """
    return {
        "all": (0, 3 + body, 1),
        "exists": (0, 4 + body, 1),
        "exists_one": (0, 2 + body, 2),
        "filter": (LIST_COST, 13 + body, 1),
        "map": (LIST_COST, 12 + body + condition, 1),
        "transformList": (LIST_COST, 12 + body + condition, 1),
        "transformMap": (MAP_COST, 3 + body + condition, 1),
        "transformMapEntry": (MAP_COST, 2 + body + condition, 1),
    }[node.kind]


def _spelled(node: MemberCall) -> str:
    """The full name of a function with a namespace."""
    target = node.target
    return f"{target.name}.{node.name}" if isinstance(target, Identifier) else node.name


def _is_scalar(some: Type | None) -> bool:
    if some is None:
        return False
    return some.kind in _SCALARS or (is_optional(some) and _is_scalar(some.parameters[0]))
