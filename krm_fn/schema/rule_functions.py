"""
Functions in validation rules that cost more than a step, as the API server estimates them.

Enters: a call, with the sizes of what it is called on.  Leaves: its cost without that of its arguments, and the size of its result.
Not known here: how arguments got their sizes.

Source: cel-go v0.27.0 checker/cost.go, ext/lists.go; Kubernetes v1.35 apiserver pkg/cel/library/cost.go.
"""

from __future__ import annotations

from math import ceil

from krm_fn.cel.syntax import Literal
from krm_fn.cel.types import BYTES, DYN, STRING, Type
from krm_fn.schema.rule_sizes import (
    LIST_COST,
    MOST,
    PATTERN,
    TRAVERSE,
    Bounds,
    Part,
    element_of,
    fixed,
    plus,
    product,
    size_of,
    times,
    traverse,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from krm_fn.cel.syntax import Node
    from krm_fn.schema.rule_sizes import Size

    Answer: TypeAlias = tuple[int, Size | None] | None
    """Cost and size; None where it is one step."""


class Called:
    """A call. types: of what it is called on, and of its arguments."""

    __slots__ = ("arguments", "bounds", "name", "nodes", "target", "types")

    def __init__(
        self,
        name: str,
        target: Part | None,
        types: list[Type | None],
        arguments: list[Part],
        nodes: list[Node],
        bounds: Bounds,
    ) -> None:
        self.name = name
        self.target = target
        self.types = types
        self.arguments = arguments
        self.nodes = nodes
        self.bounds = bounds

    def elements(self) -> Type | None:
        """The type of the elements of the list that it is called on."""
        some = self.types[0]
        return some.parameters[0] if some is not None and some.parameters else None

    def largest_element(self) -> int:
        element = element_of(self.target.schema) if self.target else None
        return MOST if element is None else self.bounds.largest(element)

    def whole(self, at: int, otherwise: int) -> int:
        """An argument that is written as a number."""
        node = self.nodes[at] if at < len(self.nodes) else None
        value = node.value if isinstance(node, Literal) else None
        return value if isinstance(value, int) else otherwise


def _of_argument(called: Called) -> Answer:
    if not called.arguments:
        return None
    size = size_of(called.arguments[0])
    return traverse(size[1]), size if called.name == "url" else None


def _of_text(called: Called) -> Answer:
    if called.target is None:
        return None
    size = size_of(called.target)
    return traverse(size[1]), size


def _of_elements(called: Called) -> Answer:
    """isSorted, sum, min, max, indexOf, lastIndexOf: of lists, and the last two of texts."""
    if called.target is None:
        return None
    count = size_of(called.target)[1]
    element = called.elements()
    if element is None:
        return traverse(count), None
    return product(count, plus(1, traverse(called.largest_element())) if element in (STRING, BYTES) else 1), None


def _replace(called: Called) -> Answer:
    if called.target is None or len(called.arguments) < 2:
        return None
    size, old, new = size_of(called.target), size_of(called.arguments[0]), size_of(called.arguments[1])
    if old[0] == 0:
        most = plus(product(plus(size[1], 1), new[1]), size[1])
    elif new[1] <= old[0]:
        most = size[1]
    else:
        most = product(ceil(float(size[1]) / float(old[0])), new[1])
    if old[1] == 0:
        least = plus(product(plus(size[0], 1), new[0]), size[0])
    elif old[1] <= new[0]:
        least = size[0]
    else:
        least = product(ceil(float(size[0]) / float(old[1])), new[0])
    return times(size[1], 2 * TRAVERSE), (least, most)


def _split(called: Called) -> Answer:
    if called.target is None:
        return None
    size = size_of(called.target)
    return times(size[1], 2 * TRAVERSE), (0, called.whole(1, size[1]))


def _join(called: Called) -> Answer:
    if called.target is None:
        return None
    count = size_of(called.target)
    size = (0, product(count[1], called.largest_element()))
    if called.arguments:
        between = size_of(called.arguments[0])
        size = (
            plus(size[0], product(between[0], max(count[0] - 1, 0))),
            plus(size[1], product(between[1], max(count[1] - 1, 0))),
        )
    return traverse(size[1]), size


def _find(called: Called) -> Answer:
    if called.target is None or not called.arguments or (called.name == "matches" and len(called.arguments) != 1):
        return None
    size = size_of(called.target)
    cost = product(traverse(plus(size[1], 1)), times(size_of(called.arguments[0])[1], PATTERN))
    return cost, (0, size[1]) if called.name != "matches" else None


def _contains(called: Called) -> Answer:
    if called.target is None or len(called.arguments) != 1:
        return None
    return product(traverse(size_of(called.target)[1]), traverse(size_of(called.arguments[0])[1])), None


def _begins(called: Called) -> Answer:
    return (traverse(size_of(called.arguments[0])[1]), None) if len(called.arguments) == 1 else None


def _format(called: Called) -> Answer:
    return None if called.target is None else (traverse(size_of(called.target)[1]), None)


def _bytes(called: Called) -> Answer:
    size = size_of(called.arguments[0])
    return traverse(size[1]), (size[0], product(size[1], 4))


def _string(called: Called) -> Answer:
    if called.types[1] is not BYTES:
        return None
    size = size_of(called.arguments[0])
    return traverse(size[1]), (size[0] // 4, size[1])


def _quote(called: Called) -> Answer:
    size = size_of(called.arguments[0])
    return traverse(size[1]), (plus(size[0], 2), plus(product(size[1], 2), 2))


def _address(called: Called) -> Answer:
    """`ip(text)`, or `.ip()` of a network, which is a field."""
    return (1, None) if not called.arguments else _of_argument(called)


def _canonical(called: Called) -> Answer:
    return times(size_of(called.arguments[0])[1], 2 * TRAVERSE), None


def _in_network(called: Called) -> Answer:
    more = 0 if called.name == "containsIP" else traverse(16) + 1
    some = called.types[1]
    if some is None or some is STRING or some.kind == DYN:
        more += traverse(size_of(called.arguments[0])[1])
    return traverse(32) + more, None


def _allocated(factor: float, size: Size) -> tuple[int, Size | None]:
    return plus(times(size[1], factor), 1 + LIST_COST), size


def _list_function(called: Called) -> Answer:
    if called.name == "lists.range":
        return _allocated(1, fixed(called.whole(0, MOST)))
    if called.target is None:
        return None
    size = size_of(called.target)
    if called.name == "slice":
        return _allocated(1, fixed((called.whole(1, size[1]) - called.whole(0, 0)) % 2**64))
    if called.name == "flatten":
        return _allocated(float(called.whole(0, MOST)) if called.arguments else 1, size)
    if called.name == "reverse":
        return _allocated(1, size)
    pairs = (product(size[0], size[0]), product(size[1], size[1]))
    of_texts = called.name == "sort" and called.elements() in (STRING, BYTES)
    return _allocated(2 + TRAVERSE if of_texts else 2, pairs)


FUNCTIONS: dict[str, Callable[[Called], Answer]] = {
    **dict.fromkeys(("isSorted", "sum", "max", "min", "indexOf", "lastIndexOf"), _of_elements),
    **dict.fromkeys(("url", "cidr", "isIP", "isCIDR", "quantity", "isQuantity", "semver", "isSemver"), _of_argument),
    **dict.fromkeys(("lowerAscii", "upperAscii", "substring", "trim"), _of_text),
    **dict.fromkeys(("matches", "find", "findAll"), _find),
    **dict.fromkeys(("startsWith", "endsWith"), _begins),
    **dict.fromkeys(("containsIP", "containsCIDR"), _in_network),
    **dict.fromkeys(("lists.range", "slice", "flatten", "reverse", "distinct", "sort"), _list_function),
    "replace": _replace,
    "split": _split,
    "join": _join,
    "contains": _contains,
    "format": _format,
    "bytes": _bytes,
    "string": _string,
    "strings.quote": _quote,
    "ip": _address,
    "ip.isCanonical": _canonical,
}
