"""
Recognition of macro calls while parsing.

Enters: the name, target and arguments of a call.  Leaves: the macro's node, or None where the call is an ordinary one.
A macro is recognised by name, number of arguments, and whether it has a target; one with malformed arguments is a problem.
Not known here: evaluation, types.
Source: cel-go v0.27.0 parser/macro.go, ext/comprehensions.go, ext/bindings.go, ext/lists.go, cel/library.go.
"""

from __future__ import annotations

from krm_fn.cel.errors import Problem
from krm_fn.cel.syntax import (
    Bind,
    Comprehension,
    Has,
    Identifier,
    Literal,
    MapLiteral,
    MemberCall,
    MessageLiteral,
    OptionalMap,
    Select,
    SortBy,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krm_fn.cel.syntax import Node

ONE_VARIABLE = {
    ("all", 2), ("exists", 2), ("exists_one", 2), ("map", 2), ("map", 3), ("filter", 2),
}  # fmt: skip
TWO_VARIABLES = {
    ("all", 3), ("exists", 3), ("exists_one", 3), ("existsOne", 3),
    ("transformList", 3), ("transformList", 4), ("transformMap", 3), ("transformMap", 4),
    ("transformMapEntry", 3), ("transformMapEntry", 4),
}  # fmt: skip
ACCUMULATORS = frozenset({"__result__", "@result"})


def expand_call(name: str, arguments: list[Node], start: int, end: int, problems: list[Problem]) -> Node | None:
    """The node of `name(arguments)` if that is a macro, which only `has(e.f)` is."""
    if name != "has" or len(arguments) != 1:
        return None
    argument = arguments[0]
    if type(argument) is Has or (type(argument) is Select and not argument.optional):
        return Has(argument.operand, argument.field, argument.at, start, end)
    problems.append(_problem("has() needs a field selection like has(a.b)", argument))
    return Literal(value=False, start=start, end=end)


def expand_member_call(
    target: Node,
    name: str,
    arguments: list[Node],
    at: int,
    end: int,
    problems: list[Problem],
) -> Node | None:
    """The node of `target.name(arguments)` if that is a macro. *at*: the name; *end*: behind the call."""
    shape = (name, len(arguments))
    if shape in ONE_VARIABLE:
        variable = _variable(arguments[0], name, problems)
        condition = arguments[1] if shape == ("map", 3) else None
        return Comprehension(name, target, (variable,), condition, arguments[-1], at, end)
    if shape in TWO_VARIABLES:
        variables = (_variable(arguments[0], name, problems), _variable(arguments[1], name, problems))
        if variables[0].name == variables[1].name:
            problems.append(_problem(f"'{variables[0].name}' names both variables of {name}()", arguments[1]))
        kind = "exists_one" if name == "existsOne" else name
        condition = arguments[2] if len(arguments) == 4 else None
        return Comprehension(kind, target, variables, condition, arguments[-1], at, end)
    if name == "bind":
        if len(arguments) != 3 or type(target) is not Identifier or target.name != "cel":
            return None
        return Bind(_variable(arguments[0], "cel.bind", problems), arguments[1], arguments[2], target.start, at, end)
    if name == "newCondition":
        if len(arguments) != 1 or type(target) is not Identifier or target.name != "runtime":
            return None
        return MemberCall(target, name, [_condition_fields(arguments[0], problems)], at, end)
    if len(arguments) != 2:
        return None
    if name in ("optMap", "optFlatMap"):
        variable = _variable(arguments[0], name, problems)
        return OptionalMap(target, variable, arguments[1], at, end, flat=name == "optFlatMap")
    if name == "sortBy":
        if type(target) in (Literal, MapLiteral, MessageLiteral):
            problems.append(_problem("sortBy() needs a list before its dot", target))
        return SortBy(target, _variable(arguments[0], name, problems), arguments[1], at, end)
    return None


CONDITION_FIELDS = ("type", "status", "reason", "message")


def _condition_fields(node: Node, problems: list[Problem]) -> Node:
    """The map of `runtime.newCondition({type: .., status: ..})`, its bare keys made strings."""
    if type(node) is not MapLiteral:
        problems.append(_problem("runtime.newCondition() needs a map like {type: .., status: ..}", node))
        return node
    entries: list[tuple[Node, Node]] = []
    for key, value in node.entries:
        name = key.name if type(key) is Identifier else ""
        if name not in CONDITION_FIELDS:
            shown = f"'{name}'" if name else "a key that is no bare name"
            problems.append(_problem(f"{shown} is not one of {', '.join(CONDITION_FIELDS)}", key))
        elif any(name == earlier.value for earlier, _ in entries):  # type: ignore[union-attr]
            problems.append(_problem(f"'{name}' stands twice", key))
        entries.append((Literal(name, key.start, key.end), value))
    problems.extend(
        _problem(f"runtime.newCondition() needs '{needed}'", node)
        for needed in CONDITION_FIELDS[:2]
        if all(needed != key.value for key, _ in entries)  # type: ignore[union-attr]
    )
    return MapLiteral(entries, node.optional, node.start, node.end)


def _variable(node: Node, macro: str, problems: list[Problem]) -> Identifier:
    if type(node) is Identifier and node.name not in ACCUMULATORS:
        return node
    if type(node) is Identifier and node.name in ACCUMULATORS:
        problems.append(_problem(f"'{node.name}' cannot be the variable of {macro}(): choose another name", node))
    else:
        problems.append(_problem(f"{macro}() needs a variable name here", node))
    return Identifier("_", node.start, node.end)


def _problem(message: str, node: Node) -> Problem:
    return Problem(message, node.start, node.end - node.start)
