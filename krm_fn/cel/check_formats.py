"""
Literal formats against the types of their arguments: `"%d".format(["a"])` is wrong before it runs.

Enters: a call of `format` on a literal, with a literal list.  Leaves: what is wrong with it, and where.  Imported only where
there is such a call.

Source: cel-go v0.27.0 ext/formatting_v2.go stringFormatValidatorV2.
"""

from __future__ import annotations

from krm_fn.cel import check_messages as say
from krm_fn.cel.errors import EvaluationError
from krm_fn.cel.library.formatting import VERB_TYPES, clauses
from krm_fn.cel.syntax import ListLiteral, Literal, MapLiteral, MemberCall
from krm_fn.cel.types import ANY, DYN, LIST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from krm_fn.cel.syntax import Node
    from krm_fn.cel.types import Type

    Finding: TypeAlias = tuple[tuple[str, str], int, int]
    """(message, help), start, end."""


def wrong_format(call: MemberCall, type_of: Callable[[Node], Type]) -> Finding | None:
    """
    The first mistake of a literal format, if there is one.

    *type_of* gives the type of a part of the list of arguments.
    """
    target, arguments = call.target, call.arguments[0]
    if type(target) is not Literal or type(target.value) is not str or type(arguments) is not ListLiteral:
        return None
    used = 0
    try:
        for clause in clauses(target.value):
            if not clause.verb:
                continue
            if used >= len(arguments.elements):
                return say.format_missing(used + 1, clause.verb), call.at, call.at + len(call.name)
            takes = VERB_TYPES[clause.verb]
            wrong = _unsuited(arguments.elements[used], takes, type_of)
            if wrong is not None:
                return say.format_argument(clause.verb, type_of(wrong), takes), wrong.start, wrong.end
            used += 1
    except EvaluationError as error:
        return say.format_problem(str(error)), target.start, target.end
    if used == len(arguments.elements):
        return None
    return say.format_surplus(used, len(arguments.elements)), arguments.elements[used].start, arguments.end - 1


def _unsuited(node: Node, kinds: tuple[str, ...], type_of: Callable[[Node], Type]) -> Node | None:
    """The argument, or what in a literal argument of `%s`, whose type the verb does not take."""
    given = type_of(node)
    if (given.kind != DYN or given is ANY) and given.kind not in kinds:
        return node
    if LIST not in kinds:
        return None
    if type(node) is ListLiteral:
        parts: list[Node] = node.elements
    elif type(node) is MapLiteral:
        parts = [part for entry in node.entries for part in entry]
    else:
        return None
    return next((wrong for part in parts if (wrong := _unsuited(part, kinds, type_of)) is not None), None)
