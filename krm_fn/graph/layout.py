"""
Where everything of a graph is drawn. Numbers alone.

Enters: a `Graph`.  Leaves: a `Plan`: boxes, bands and the lines between them, in whole pixels.  Not known here: SVG, colours, text.

Layers go from left to right. A layer has as many columns as its longest chain of edges that are no gates, and columns are common to the
whole picture, so a nested instance is a box over the columns of what it makes. Within a graph, boxes and the lines that pass between them
are `slots`.
"""

from __future__ import annotations

from krm_fn.graph.slots import HEIGHT, LINE, Slot, order, settle
from krm_fn.graph.words import name_of, note_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from krm_fn.graph.model import Card, Edge, Graph
    from krm_fn.graph.slots import Inside

    Point: TypeAlias = tuple[int, int]
    Column: TypeAlias = tuple[int, int]
    """Layer, and place in it."""

WIDTH = 196
NAME, NOTE = 16, 16
"""What a line of each takes of a card's height."""
HEADER, PAD, TITLE = 48, 16, 24
_IN_LAYER, _BETWEEN_LAYERS = 56, 72
_STRAIGHT = 28
"""The least end of a line, for its head and the sign of a gate."""
_LEAST, _PORT = 14, 13
"""From a corner to where a line may come in, and from one line to the next."""
_MOST_LINES = 4_000
"""So many places of lines between boxes; edges beyond that are drawn straight, behind the boxes."""


class Box:
    """A card's place. A nested instance's holds what is inside it."""

    __slots__ = ("card", "depth", "height", "left", "top", "width")

    def __init__(self, card: Card | None, depth: int) -> None:
        self.card = card
        self.depth = depth
        self.left = self.top = self.width = self.height = 0


class Frame(Box):
    """Around the cards of one of several nested instances of a node."""

    __slots__ = ("graph",)

    def __init__(self, graph: Graph, depth: int) -> None:
        super().__init__(None, depth)
        self.graph = graph


class Line:
    """An edge's way: through each pair of points straight, from pair to pair in a curve. upright: it leaves a box at its side of length."""

    __slots__ = ("card", "edge", "points", "upright")

    def __init__(self, edge: Edge, card: Card, points: list[Point], *, upright: bool = False) -> None:
        self.edge = edge
        self.card = card
        self.points = points
        self.upright = upright


class Plan:
    """bands: layer, left and right end.  boxes: whatever holds others comes before them."""

    __slots__ = ("bands", "boxes", "height", "lines", "width")

    def __init__(self) -> None:
        self.bands: list[tuple[int, int, int]] = []
        self.boxes: list[Box] = []
        self.lines: list[Line] = []
        self.width = self.height = 0


def lay_out(graph: Graph) -> Plan:
    """The plan of a root graph, its corner at 0, 0."""
    columns = _Columns(graph)
    layout = _Layout(columns)
    whole = layout.level(graph, 0)
    plan = Plan()
    for layer in sorted({layer for layer, _ in columns.left}):
        lefts = [left for (each, _), left in columns.left.items() if each == layer]
        plan.bands.append((layer, min(lefts) - columns.margin, max(lefts) + WIDTH + columns.margin))
    plan.width = max((right for _, _, right in plan.bands), default=0)
    plan.height = whole.height
    whole.place(plan, 0)
    return plan


class _Columns:
    """first, last: the columns of each card, by its number.  left: where one begins.  beside: how far the widest box stands out of one."""

    def __init__(self, graph: Graph) -> None:
        self.first: dict[int, Column] = {}
        self.last: dict[int, Column] = {}
        self._deepest: dict[tuple[int, int], int] = {}
        self._assign(graph, 0, 0)
        nesting = _nesting(graph)
        self.beside = nesting * PAD
        self.margin = _IN_LAYER // 2 + self.beside
        used = sorted({*self.first.values(), *self.last.values()})
        self.left: dict[Column, int] = {}
        x = self.margin
        for before, column in zip([None, *used], used, strict=False):
            if before is not None:
                own = _IN_LAYER if before[0] == column[0] else _BETWEEN_LAYERS
                x += WIDTH + own + 2 * PAD * nesting
            self.left[column] = x
        self.index = {column: i for i, column in enumerate(used)}
        self.lefts = [self.left[column] for column in used]

    def _assign(self, graph: Graph, layer: int, rank: int) -> list[Column]:
        """Columns of the cards of a graph that begins at one; returns them."""
        found: list[Column] = []
        for card in graph.cards:
            own = rank if card.layer == layer else 0
            for edge in card.edges:
                own = max(own, self._behind(edge.source, card.layer))
            inner = [column for each in card.inside for column in self._assign(each, card.layer, own)]
            self.first[card.number] = min(inner, default=(card.layer, own))
            self.last[card.number] = max(inner, default=(card.layer, own))
            found += (self.first[card.number], self.last[card.number])
        return found

    def _behind(self, source: Card, layer: int) -> int:
        """The first place in a layer that is behind a source, if it is there at all."""
        last = self.last[source.number]
        if last[0] == layer:
            return last[1] + 1
        first = self.first[source.number]
        return first[1] + 1 if first[0] == layer else 0


def _nesting(graph: Graph) -> int:
    inside = [_nesting(each) + (2 if len(card.inside) > 1 else 1) for card in graph.cards for each in card.inside]
    return max(inside, default=0)


class _Layout:
    def __init__(self, columns: _Columns) -> None:
        self.columns = columns
        self.lines_left = _MOST_LINES

    def level(self, graph: Graph, depth: int) -> _Level:
        slots: dict[int, Slot] = {}
        everything: list[Slot] = []
        for card in graph.cards:
            within: Inside | None = None
            height = card_height(card)
            shown = [each for each in card.inside if each.cards]
            if shown:
                levels = [self.level(each, depth + (2 if len(shown) > 1 else 1)) for each in shown]
                within = levels[0] if len(shown) == 1 else _Stack(shown, levels)
                height = header_height(card) + within.height + PAD
            first, last = (self.columns.index[each[card.number]] for each in (self.columns.first, self.columns.last))
            slot = slots[card.number] = Slot(len(everything), card, first, last, height)
            slot.within = within
            everything.append(slot)
        level = _Level(everything, self.columns, depth)
        level.deep = 1 + max((slot.within.deep for slot in everything if slot.within is not None), default=0)
        passing: dict[tuple[int, int], Slot] = {}
        for card in graph.cards:
            for edge in card.edges:
                self._route(level, edge, slots[edge.source.number], slots[card.number], passing)
        order(everything)
        settle(everything)
        level.height = round(max((slot.top + slot.height for slot in everything), default=0))
        return level

    def _route(
        self, level: _Level, edge: Edge, source: Slot, target: Slot, passing: dict[tuple[int, int], Slot]
    ) -> None:
        """The places between two cards. Edges of one source share theirs."""
        way: list[Slot] = []
        between = range(source.last + 1, target.first)
        if len(between) <= self.lines_left:
            for column in between:
                slot = passing.get((source.number, column))
                if slot is None:
                    slot = passing[source.number, column] = Slot(len(level.slots), None, column, column, LINE)
                    self.lines_left -= 1
                    level.slots.append(slot)
                way.append(slot)
        for left, right in zip([source, *way], [*way, target], strict=True):
            if left not in right.left_of:
                left.right_of.append(right)
                right.left_of.append(left)
        level.routes.append((edge, source, way, target))


class _Level:
    """The slots of one graph, and the ways of its edges."""

    def __init__(self, slots: list[Slot], columns: _Columns, depth: int) -> None:
        self.slots = slots
        self.columns = columns
        self.depth = depth
        self.height = self.top = self.deep = 0
        self.routes: list[tuple[Edge, Slot, list[Slot], Slot]] = []

    def place(self, plan: Plan, top: int) -> None:
        """Add what is here to *plan*, below *top*."""
        boxes: dict[int, Box] = {}
        self.top = top
        for slot in self.slots:
            if slot.card is None:
                continue
            box = boxes[slot.number] = Box(slot.card, self.depth)
            pad = PAD * slot.within.deep if slot.within is not None else 0
            box.left = self.columns.lefts[slot.first] - pad
            box.width = self.columns.lefts[slot.last] + WIDTH + pad - box.left
            box.top, box.height = top + round(slot.top), slot.height
            plan.boxes.append(box)
            if slot.within is not None:
                slot.within.place(plan, box.top + header_height(slot.card))
        coming = self._entries(boxes)
        for i, (edge, source, way, target) in enumerate(self.routes):
            assert target.card is not None
            start, end = boxes[source.number], boxes[target.number]
            last = (end.left, coming[i])
            if start.left + start.width > end.left:
                plan.lines.append(Line(edge, target.card, _upright(start, last), upright=True))
                continue
            # A line turns only where no box of any depth can be: in the middle between two columns.
            beside = self.columns.beside
            points = [(start.left + start.width, y := _exit(start))]
            points.append((self.columns.lefts[source.last] + WIDTH + beside, y))
            for slot in way:
                left, y = self.columns.lefts[slot.first], top + round(slot.middle)
                points += ((left - beside, y), (left + WIDTH + beside, y))
            points.append((min(self.columns.lefts[target.first] - beside, end.left - _STRAIGHT), last[1]))
            plan.lines.append(Line(edge, target.card, [*points, last]))

    def _entries(self, boxes: dict[int, Box]) -> dict[int, int]:
        """The height at which each edge, by its place in `routes`, comes in: from the uppermost to the lowest."""
        by_target: dict[int, list[tuple[float, int]]] = {}
        for i, (_, source, way, target) in enumerate(self.routes):
            by_target.setdefault(target.number, []).append(((way[-1] if way else source).middle, i))
        found: dict[int, int] = {}
        for number, edges in by_target.items():
            box = boxes[number]
            half = min(box.height, HEIGHT) / 2
            reach = min(half - _LEAST, _PORT * (len(edges) - 1) / 2 + _PORT / 2)
            step = min(_PORT, 2 * reach / max(len(edges) - 1, 1))
            edges.sort()
            heights = [y - (box.top - self.top) for y, _ in edges]
            for (_, edge), y in zip(edges, _spread(heights, half - reach, half + reach, step), strict=True):
                found[edge] = box.top + round(y)
        return found


def _spread(wanted: list[float], low: float, high: float, step: float) -> list[float]:
    """Rising numbers, *step* apart at least, between two bounds that have room for them, near to the wanted ones."""
    above: list[float] = []
    for i, each in enumerate(wanted):
        above.append(max(each, low, above[-1] + step if i else low))
    found: list[float] = []
    for i, each in enumerate(reversed(above)):
        found.append(min(each, high if not i else found[-1] - step))
    return found[::-1]


class _Stack:
    """Several nested instances of one node, one below another."""

    def __init__(self, graphs: list[Graph], levels: list[_Level]) -> None:
        self.graphs = graphs
        self.levels = levels
        self.deep = 1 + max(level.deep for level in levels)
        self.height = sum(TITLE + level.height + 2 * PAD for level in levels) - PAD

    def place(self, plan: Plan, top: int) -> None:
        for graph, level in zip(self.graphs, self.levels, strict=True):
            frame = Frame(graph, level.depth - 1)
            pad = PAD * level.deep
            frame.left = level.columns.lefts[min(slot.first for slot in level.slots)] - pad
            frame.width = level.columns.lefts[max(slot.last for slot in level.slots)] + WIDTH + pad - frame.left
            frame.top, frame.height = top, TITLE + level.height + PAD
            plan.boxes.append(frame)
            level.place(plan, top + TITLE)
            top += frame.height + PAD


def card_height(card: Card) -> int:
    notes = note_of(card)
    return HEIGHT - NAME * (not name_of(card)) + NOTE * len(notes)


def header_height(card: Card) -> int:
    """Of a nested instance's box: its name, and why it is not simply there."""
    return HEADER + NOTE * len(note_of(card))


def _exit(box: Box) -> int:
    return box.top + min(box.height, HEIGHT) // 2


def _upright(start: Box, end: Point) -> list[Point]:
    """From a box's upper or lower side to a card that is below or above it, in a column that the box spans."""
    x = max(end[0] - _IN_LAYER // 2, start.left + PAD)
    return [(x, start.top + start.height if end[1] > start.top else start.top), end]
