"""
One expression in one engine: the typed value (`{"int": "1"}`), `ERROR`, or None where the engine is not asked.

What cel-python is not asked, `krm_fn.command.second_opinion` knows. cel-expr-python does otherwise than kro in the `RULES` alone.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from cel_expr_python import cel

from krm_fn.cel import EvaluationError, compile_, parse, syntax
from krm_fn.cel.check import CheckError, check
from krm_fn.cel.types import DYNAMIC
from krm_fn.command.second_opinion import FAILED, NoOpinion, second_opinion
from tests.conformance.typed import to_typed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from krm_fn.cel.syntax import Node

ERROR = {"error": True}
NAMES = ("n", "f", "s", "b", "xs", "ss", "o")


def is_well_typed(text: str) -> bool:
    """Whether kro's checker would let it pass, all names being dyn; the others check differently, or not at all."""
    try:
        check(parse(text), dict.fromkeys(NAMES, DYNAMIC))
    except CheckError:
        return False
    return True


def rookery(text: str, bindings: dict[str, Any]) -> Any:
    try:
        return to_typed(compile_(parse(text))(dict(bindings)))
    except EvaluationError:
        return ERROR


def cel_python(text: str, bindings: dict[str, Any]) -> Any:
    try:
        got = second_opinion(parse(text), text, bindings)
    except NoOpinion:
        return None
    return ERROR if got is FAILED else to_typed(got)


@cache
def _environment() -> Any:
    return cel.NewEnv(variables=dict.fromkeys(NAMES, cel.Type.DYN))


def _looks_up_anything(node: Node) -> bool:
    return type(node) is syntax.Binary and node.operator == "in" and type(node.left) is syntax.Call


def _has_a_key_of_the_data(node: Node) -> bool:
    keys = [key for key, _ in node.entries] if type(node) is syntax.MapLiteral else []
    return any(type(part) is syntax.Select for key in keys for part in _nodes(key))


RULES = {
    "what is no key, looked up in a map, is an error there, false in kro": _looks_up_anything,
    "a double as key is an error there, fine in kro": _has_a_key_of_the_data,
}
"""Why cel-expr-python is not asked -> whether that is so of a node."""


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in syntax.children(node):
        yield from _nodes(child)


def cel_expr_python(text: str, bindings: dict[str, Any]) -> Any:
    if any(rule(node) for node in _nodes(parse(text)) for rule in RULES.values()):
        return None
    return _typed(_environment().compile(text).eval(data=bindings))


def _typed(value: Any) -> Any:
    kind = value.type()
    if kind == cel.Type.ERROR:
        return ERROR
    plain = value.value()
    if isinstance(plain, list):
        return {"list": [_typed(item) for item in plain]}
    if isinstance(plain, dict):
        return {"map": [{"key": to_typed(key), "value": _typed(item)} for key, item in plain.items()]}
    return {"uint": str(plain)} if kind == cel.Type.UINT else to_typed(plain)
