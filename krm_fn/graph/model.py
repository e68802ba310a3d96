"""
The records that every format draws. Data only; `of_instance` and `of_rgd` make them.

All text in them can be shown as it is: no control characters, no line breaks, no half of a surrogate pair. Each format escapes what
means something to it alone.
"""

from __future__ import annotations

import unicodedata

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

OBJECT, COLLECTION, EXTERNAL, INSTANCE = "object", "collection", "external", "instance"
"""What a card stands for. An external reference may be a collection as well, and so may a nested instance: then it has a count."""

READY, VALUE = "readyWhen", "value"
"""Why an edge is a gate: its source has a readyWhen, or gives a value that only a cluster has."""

PLANNED = "planned"
"""The state of a node of an RGD without an instance; all others are those of an outcome."""

_SUBSTITUTE = "\N{REPLACEMENT CHARACTER}"
_LONGEST = 400


class Edge:
    """From what a card depends on to the card.  gate: READY, VALUE, or empty.  says: the conditions, or the paths that are read."""

    __slots__ = ("gate", "says", "source")

    def __init__(self, source: Card, gate: str = "", says: Sequence[str] = ()) -> None:
        self.source = source
        self.gate = gate
        self.says = says


class Card:
    """
    A node of a graph.

    number: its own among all graphs of a run, from 1.  names: of its objects, `namespace/name`, the first few; count: how many there are,
    None where that is not known or it is one by its nature.  why: why it is not simply there, in one line.  conditions, ready_when, loops:
    as the author wrote them.  layer, last: its first and last layer.  edges: what it depends on.  inside: the nested instances.  more: how
    many of them are not drawn.
    """

    __slots__ = (
        "api_version", "conditions", "count", "edges", "form", "id", "inside", "kind", "last", "layer", "loops", "more", "names", "number",
        "ready_when", "state", "why",
    )  # fmt: skip

    def __init__(self, number: int, id: str, form: str, state: str) -> None:  # noqa: A002
        self.number = number
        self.id = id
        self.form = form
        self.state = state
        self.api_version = ""
        self.kind = ""
        self.names: list[str] = []
        self.count: int | None = None
        self.why = ""
        self.conditions: list[str] = []
        self.ready_when: list[str] = []
        self.loops: list[str] = []
        self.layer = 0
        self.last = 0
        self.edges: list[Edge] = []
        self.inside: list[Graph] = []
        self.more = 0


class Graph:
    """An instance, nested or not, or an RGD.  cards: dependencies first.  cut: how many are not among them."""

    __slots__ = ("cards", "cut", "is_rgd", "kind", "name")

    def __init__(self, kind: str, name: str, *, is_rgd: bool = False) -> None:
        self.kind = kind
        self.name = name
        self.is_rgd = is_rgd
        self.cards: list[Card] = []
        self.cut = 0

    def all_cards(self) -> Iterator[Card]:
        """Nested ones included, each after the instance that it is in."""
        for card in self.cards:
            yield card
            for graph in card.inside:
                yield from graph.all_cards()

    @property
    def end(self) -> int:
        """The last layer."""
        return max((card.layer for card in self.all_cards()), default=0)


class Bounds:
    """
    How much a format takes, and how much of that is left.

    alike: how many instances of a collection of nested ones are drawn. Cards are made in topological order, so whatever is drawn has all
    its sources in the picture.
    """

    __slots__ = ("_count", "alike", "cards", "edges")

    def __init__(self, cards: int, edges: int, alike: int) -> None:
        self.cards = cards
        self.edges = edges
        self.alike = alike
        self._count = 0

    def take(self, edges: int) -> int:
        """The number of the next card; 0 where there is no room for it."""
        if self.cards < 1 or self.edges < 0:
            return 0
        self.cards -= 1
        self.edges -= edges
        self._count += 1
        return self._count


def legible(text: object) -> str:
    """*text* on one line, without what a terminal or an XML reader would take for more than text."""
    line = " ".join(str(text)[: _LONGEST + 1].split())
    if not line.isprintable():
        line = "".join(c if c.isprintable() or unicodedata.category(c) == "Zs" else _SUBSTITUTE for c in line)
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


def listed(parts: Iterable[str], shown: int) -> str:
    """The first few, and how many more there are."""
    found = list(parts)
    return ", ".join(found[:shown]) + (f" and {len(found) - shown} more" if len(found) > shown else "")
