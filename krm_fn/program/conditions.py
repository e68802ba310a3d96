"""
What an author's status.conditions must not say.

Enters: syntax trees of the expressions, in order.  Leaves: a `Complaint` for each mistake, with its place.  Not known here: what
conditions evaluate to, and where they stand in a document.

Source: kro v0.9.3 pkg/graph/conditions.go. Computed types and states are left to evaluation.
"""

from __future__ import annotations

from krm_fn.cel.library.conditions import STATUSES
from krm_fn.cel.syntax import Identifier, Literal, MapLiteral, MemberCall, children

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from krm_fn.cel.syntax import Node

BUILT_IN = ("InstanceManaged", "GraphResolved", "ResourcesReady", "Ready")
"""The conditions that kro itself writes, and that `runtime.condition(schema, …)` reads."""


class Complaint:
    """A mistake in the expression at *index*; offset and length count its code points."""

    __slots__ = ("help", "index", "length", "message", "offset")

    def __init__(self, index: int, message: str, at: Node, help: str = "") -> None:  # noqa: A002
        self.index = index
        self.message = message
        self.offset: int = at.start
        self.length: int = at.end - at.start
        self.help = help


def check_conditions(trees: Sequence[Node]) -> list[Complaint]:
    """Every mistake in the conditions of one RGD, in order."""
    complaints: list[Complaint] = []
    declared: dict[str, int] = {}
    for index, tree in enumerate(trees):
        for literal in _literals(tree, "type"):
            first = declared.setdefault(str(literal.value), index)
            if first != index:
                complaints.append(
                    Complaint(index, f"type {literal.value!r} is declared by entry {first} already", literal)
                )
    for index, tree in enumerate(trees):
        complaints += _check_new(tree, index)
        complaints += _check_lookups(tree, index, declared)
    return complaints


def _check_new(tree: Node, index: int) -> Iterator[Complaint]:
    for literal in _literals(tree, "status"):
        if literal.value not in STATUSES:
            choices = ", ".join(f'"{status}"' for status in STATUSES)
            yield Complaint(
                index, f"status is {str(literal.value)[:40]!r}", literal, f"a condition's status is one of {choices}"
            )
    for literal in _literals(tree, "type"):
        if literal.value == "":
            yield Complaint(index, "type is empty", literal)


def _check_lookups(tree: Node, index: int, declared: dict[str, int]) -> Iterator[Complaint]:
    for call in _runtime_calls(tree, "condition"):
        if len(call.arguments) != 2:
            continue
        target, wanted = call.arguments
        if not isinstance(target, Identifier) or target.name != "schema" or not _is_text(wanted):
            continue
        name = wanted.value  # type: ignore[union-attr]
        if name in BUILT_IN:
            continue
        if name in declared:
            yield Complaint(index, f"condition {name!r} is one of the author's: they cannot read each other", wanted)
        else:
            yield Complaint(
                index, f"condition {name!r} is none of kro's own", wanted, f"these can be read: {', '.join(BUILT_IN)}"
            )


def _literals(tree: Node, field: str) -> Iterator[Literal]:
    """The constant texts at *field* of each `runtime.newCondition`."""
    for call in _runtime_calls(tree, "newCondition"):
        if len(call.arguments) == 1 and isinstance(call.arguments[0], MapLiteral):
            for key, value in call.arguments[0].entries:
                if isinstance(key, Literal) and key.value == field and isinstance(value, Literal) and _is_text(value):
                    yield value


def _runtime_calls(tree: Node, name: str) -> Iterator[MemberCall]:
    nodes = [tree]
    for node in nodes:  # grows while it is read
        if isinstance(node, MemberCall) and node.name == name:
            target = node.target
            if isinstance(target, Identifier) and target.name == "runtime":
                yield node
        nodes.extend(children(node))


def _is_text(node: Node) -> bool:
    return isinstance(node, Literal) and isinstance(node.value, str)
