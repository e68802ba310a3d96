"""
What cel-python (PyPI `cel-python`, the extra `[cel-python]`) says of an expression: a second opinion on our engine.

Enters: a syntax tree with its text, and plain JSON for every name.  Leaves: a value in our form, `FAILED`, or `NoOpinion` with
the reason.  Not known here: where expressions come from, what is done with a difference.

cel-python is no yardstick: it lacks functions, and gives values where CEL has an error. So it is asked only for what the tables
below list, which is what it was measured to answer as kro does (`docs/second-opinion.md`). What the text shows is looked at
before it is asked; what only values show (`a + b` of an int and a bool) is looked at by guards around its operators, each of
which knows the kinds of operands that it may pass on.
"""

from __future__ import annotations

import sys
from functools import cache

from krm_fn.cel import syntax
from krm_fn.cel.values import Uint, Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from krm_fn.cel.syntax import Node

FAILED = type("Failed", (), {"__repr__": lambda _: "an error"})()
"""cel-python says that the evaluation is an error: a missing key, a division by zero, an overflow."""


class NoOpinion(Exception):  # noqa: N818 - not an error: cel-python is not asked, or its answer does not count
    """cel-python is not asked, or its answer does not count. The text is the reason."""


_TEXT_TESTS = ("contains", "startsWith", "endsWith", "matches")
_BOOLEAN = ("==", "!=", "<", "<=", ">", ">=", "in", "!", "&&", "||", "all", "exists", "exists_one", *_TEXT_TESTS)
_ORDERED = ("int int", "uint uint", "double double", "string string")
_EQUAL = (*_ORDERED, "bool bool", "null null", "list list", "map map")
GUARDS: dict[str, tuple[str, ...]] = {
    "_+_": (*_ORDERED, "list list"),
    **dict.fromkeys(("_-_", "_*_"), ("int int", "uint uint", "double double")),
    **dict.fromkeys(("_/_", "_%_"), ("int int", "uint uint")),
    **dict.fromkeys(("_<_", "_<=_", "_>_", "_>=_"), _ORDERED),
    **dict.fromkeys(("_==_", "_!=_"), _EQUAL),
    **dict.fromkeys(("_&&_", "_||_"), ("bool bool",)),
    "_in_": ("int list", "uint list", "double list", "string list", "bool list", "string map"),
    "!_": ("bool",),
    "-_": ("int", "double"),
    "_[_]": ("list int", "map string"),
    "size": ("string", "list", "map"),
    **dict.fromkeys(_TEXT_TESTS, ("string string",)),
    "int": ("int",), "uint": ("int", "uint"), "double": ("int", "uint", "double"), "bool": ("bool",),
    "string": ("string", "int", "uint"), "dyn": (),
}  # fmt: skip
"""Operators and functions that are asked for, each with the kinds of operands that it is right for; none stands for any."""
_FUNCTIONS = tuple(name for name in GUARDS if name.isalpha())
_BREAKS = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
_FAILURES = (KeyError, IndexError, ZeroDivisionError)
_KINDS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "BoolType": ("bool", bool), "UintType": ("uint", Uint), "IntType": ("int", int), "NoneType": ("null", lambda _: None),
    **dict.fromkeys(("DoubleType", "float"), ("double", float)),
    **dict.fromkeys(("StringType", "str"), ("string", str.__str__)),
    **dict.fromkeys(("ListType", "list"), ("list", lambda items: [_ours(item) for item in items])),
    "MapType": ("map", lambda items: {_ours(key): _ours(item) for key, item in items.items()}),
}  # fmt: skip
"""cel-python's classes, and what it makes of them by mistake -> kind, and how it becomes a value of ours."""


def second_opinion(node: Node, text: str, bindings: Mapping[str, Any]) -> Any:
    """The value that cel-python gives to *text*, whose tree is *node*, or `FAILED`. bindings: plain JSON.  Errors: NoOpinion."""
    if "__" in text or "\r" in text:
        raise NoOpinion("an escaped name, or a carriage return")
    _look_at(node, text, bindings, frozenset())
    from celpy.adapter import json_to_cel
    from celpy.celparser import CELParseError
    from celpy.evaluation import CELEvalError, CELSyntaxError

    limit = sys.getrecursionlimit()  # cel-python lifts it for the whole process
    environment, guards = _environment()
    try:
        context = {name: json_to_cel(_plain(value)) for name, value in bindings.items()}
        result = environment.program(environment.compile(text), guards).evaluate(context)
    except CELEvalError as error:
        result = error
    except (CELParseError, CELSyntaxError, *_BREAKS) as error:
        raise NoOpinion("cel-python breaks") from error
    finally:
        sys.setrecursionlimit(limit)
    try:
        return _ours(result)
    except CELEvalError as error:
        if len(error.args) > 1 and error.args[1] in _FAILURES and not _may_lose_an_error(node):
            return FAILED
        raise NoOpinion("cel-python has an error of another kind") from error


def _look_at(node: Node, text: str, bindings: Mapping[str, Any], bound: frozenset[str]) -> None:
    """Errors: NoOpinion for what the text, or what a name stands for, shows that cel-python is wrong at."""
    if isinstance(node, syntax.Bind | syntax.OptionalMap | syntax.SortBy) or getattr(node, "optional", None):
        raise NoOpinion("optionals, cel.bind, sortBy")
    if type(node) is syntax.MessageLiteral:
        raise NoOpinion("messages")
    if type(node) is syntax.Literal and (type(node.value) is bytes or "\\" in text[node.start : node.end]):
        raise NoOpinion("bytes, and texts with escapes")
    if isinstance(node, syntax.Call | syntax.MemberCall) and node.name not in _FUNCTIONS:
        raise NoOpinion(f"function {node.name}")
    if type(node) is syntax.Select and type(node.operand) not in (syntax.Identifier, syntax.Index, syntax.Select):
        raise NoOpinion("a field of what is no name")
    if type(node) is syntax.Has and _kind_of(node.operand, bindings, bound) != "map":
        raise NoOpinion("has() of what is no plain object")
    if type(node) is syntax.Comprehension:
        if len(node.variables) > 1 or node.condition is not None:
            raise NoOpinion("macros with two variables, or a condition")
        if _kind_of(node.range, bindings, bound) != "list":
            raise NoOpinion("a macro over what may be no list")
        if node.kind != "map" and not _is_boolean(node.body):
            raise NoOpinion("a macro whose predicate may be no boolean")
        bound |= {variable.name for variable in node.variables}
    for child in syntax.children(node):
        _look_at(child, text, bindings, bound)


def _kind_of(node: Node, bindings: Mapping[str, Any], bound: frozenset[str]) -> str:
    """`list` or `map` where that is plain to see; empty where it is not."""
    if type(node) is syntax.ListLiteral or (type(node) is syntax.Comprehension and node.kind in ("map", "filter")):
        return "list"
    value: Any = bindings
    fields: list[str] = []
    while type(node) is syntax.Select:
        fields.append(node.field)
        node = node.operand
    if type(node) is not syntax.Identifier or node.name in bound:
        return ""
    for field in (node.name, *reversed(fields)):
        value = value.get(field) if isinstance(value, dict) else None
    return "list" if isinstance(value, list) else "map" if isinstance(value, dict) else ""


def _may_lose_an_error(node: Node) -> bool:
    """Whether an error inside map() or filter() might be absorbed by what is around it, which cel-python does not do."""
    inside = isinstance(node, syntax.Comprehension) and node.kind in ("map", "filter", "exists_one")
    return inside or any(map(_may_lose_an_error, syntax.children(node)))


def _is_boolean(node: Node) -> bool:
    word = node.name if type(node) is syntax.MemberCall else getattr(node, "operator", getattr(node, "kind", ""))
    return type(node) is syntax.Has or word in _BOOLEAN


@cache
def _environment() -> tuple[Any, dict[str, Callable[..., Any]]]:
    from celpy import Environment
    from celpy.evaluation import base_functions

    functions = {**base_functions, "dyn": lambda value: value}
    return Environment(), {name: _guarded(name, functions[name], kinds) for name, kinds in GUARDS.items()}


def _guarded(name: str, function: Callable[..., Any], allowed: tuple[str, ...]) -> Callable[..., Any]:
    """*function*, refusing operands of other kinds than *allowed*; errors among them are cel-python's own matter."""

    def guard(*operands: Any) -> Any:
        if any(map(_holds_error, operands)):
            raise NoOpinion("a list or map with an error in it")
        if not any(isinstance(operand, Exception) for operand in operands):
            kinds = " ".join(_KINDS.get(type(operand).__name__, ("other",))[0] for operand in operands)
            if (allowed and kinds not in allowed) or (kinds == "list int" and name == "_[_]" and operands[1] < 0):
                raise NoOpinion(f"{name.replace('_', '')} of {kinds}")
        return function(*operands)

    return guard


def _plain(value: Any) -> Any:
    """Errors: NoOpinion where a part is unknown, or no JSON."""
    if isinstance(value, dict):
        return {key: _plain(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_plain(child) for child in value]
    if type(value) is Unknown:
        raise NoOpinion("something is unknown")
    if type(value) not in (bool, int, float, str, type(None)):
        raise NoOpinion("data that is no JSON")
    return value


def _ours(value: Any) -> Any:
    """A value of cel-python as ours. Errors: cel-python's own."""
    if isinstance(value, Exception):
        raise value
    if type(value).__name__ not in _KINDS:
        raise NoOpinion("a value of another kind")
    return _KINDS[type(value).__name__][1](value)


def _holds_error(value: Any) -> bool:
    """cel-python makes lists and maps of errors, and then goes on."""
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(isinstance(item, Exception) or _holds_error(item) for item in items)
