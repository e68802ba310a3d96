"""
Where everything of a graph is drawn. Numbers alone.

Enters: a `Graph`.  Leaves: a `Plan`: boxes, bands and the lines between them, in whole pixels.  Not known here: SVG, colours, text.

Layers go from left to right. A layer has as many columns as its longest chain of edges that are no gates, and columns are common to the
whole picture, so a nested instance is a box over the columns of what it makes. Within a graph, boxes and the lines that pass between them
are `_Slot`s; their order comes of barycentres with the fewest crossings that were seen, their height of what they are joined to. A
placement keeps a distance to all above, another one to all below; the middle of two placements in one order keeps it as well, so boxes
never touch.

Source: K. Sugiyama, S. Tagawa, M. Toda, Methods for Visual Understanding of Hierarchical System Structures, 1981.
"""

from __future__ import annotations

from krm_fn.graph.model import PLANNED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeAlias

    from krm_fn.graph.model import Card, Edge, Graph

    Point: TypeAlias = tuple[int, int]
    Column: TypeAlias = tuple[int, int]
    """Layer, and place in it."""

WIDTH, HEIGHT = 196, 64
"""Of a card with an id, a kind and a name."""
NAME, NOTE, NOTES = 16, 16, 2
"""What a line of each takes, and how many lines a note may have."""
NOTE_CHARACTERS = 28
HEADER, PAD, TITLE = 48, 16, 24
ROW, LINE = 16, 8
_GRID = 40
"""Half a card and the distance to the next: where nothing is in the way, cards stand in rows."""
_IN_LAYER, _BETWEEN_LAYERS = 56, 72
_AROUND = 3
"""What it counts when a line goes through a box, in crossings."""
_STRAIGHT = 28
"""The least end of a line, for its head and the sign of a gate."""
_LEAST, _PORT = 14, 13
"""From a corner to where a line may come in, and from one line to the next."""
_SWEEPS, _SETTLINGS = 12, 24
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


class _Slot:
    """What takes place in some columns, first to last: a card, with what is in it, or a line that passes."""

    __slots__ = ("card", "first", "height", "key", "last", "left_of", "number", "right_of", "top", "within")

    def __init__(self, number: int, card: Card | None, first: int, last: int, height: int) -> None:
        self.number = number
        self.card = card
        self.first = first
        self.last = last
        self.height = height
        self.key = float(number)
        self.top = 0.0
        self.left_of: list[_Slot] = []
        self.right_of: list[_Slot] = []
        self.within: _Level | _Stack | None = None

    @property
    def middle(self) -> float:
        """Where lines go in and out."""
        return self.top + self.half

    @property
    def half(self) -> float:
        return min(self.height, HEIGHT) / 2


class _Layout:
    def __init__(self, columns: _Columns) -> None:
        self.columns = columns
        self.lines_left = _MOST_LINES

    def level(self, graph: Graph, depth: int) -> _Level:
        slots: dict[int, _Slot] = {}
        everything: list[_Slot] = []
        for card in graph.cards:
            within, height = None, card_height(card)
            shown = [each for each in card.inside if each.cards]
            if shown:
                levels = [self.level(each, depth + (2 if len(shown) > 1 else 1)) for each in shown]
                within = levels[0] if len(shown) == 1 else _Stack(shown, levels)
                height = header_height(card) + within.height + PAD
            first, last = (self.columns.index[each[card.number]] for each in (self.columns.first, self.columns.last))
            slot = slots[card.number] = _Slot(len(everything), card, first, last, height)
            slot.within = within
            everything.append(slot)
        level = _Level(everything, self.columns, depth)
        passing: dict[tuple[int, int], _Slot] = {}
        for card in graph.cards:
            for edge in card.edges:
                self._route(level, edge, slots[edge.source.number], slots[card.number], passing)
        _order(everything)
        _settle(everything)
        level.height = round(max((slot.top + slot.height for slot in everything), default=0))
        return level

    def _route(
        self, level: _Level, edge: Edge, source: _Slot, target: _Slot, passing: dict[tuple[int, int], _Slot]
    ) -> None:
        """The places between two cards. Edges of one source share theirs."""
        way: list[_Slot] = []
        between = range(source.last + 1, target.first)
        if len(between) <= self.lines_left:
            for column in between:
                slot = passing.get((source.number, column))
                if slot is None:
                    slot = passing[source.number, column] = _Slot(len(level.slots), None, column, column, LINE)
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

    def __init__(self, slots: list[_Slot], columns: _Columns, depth: int) -> None:
        self.slots = slots
        self.columns = columns
        self.depth = depth
        self.height = self.top = 0
        self.routes: list[tuple[Edge, _Slot, list[_Slot], _Slot]] = []

    def place(self, plan: Plan, top: int) -> None:
        """Add what is here to *plan*, below *top*."""
        boxes: dict[int, Box] = {}
        self.top = top
        for slot in self.slots:
            if slot.card is None:
                continue
            box = boxes[slot.number] = Box(slot.card, self.depth)
            pad = PAD * _deep(slot) if slot.within is not None else 0
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
        self.height = sum(TITLE + level.height + 2 * PAD for level in levels) - PAD

    def place(self, plan: Plan, top: int) -> None:
        for graph, level in zip(self.graphs, self.levels, strict=True):
            frame = Frame(graph, level.depth - 1)
            pad = PAD * max((_deep(slot) for slot in level.slots), default=0) + PAD
            frame.left = level.columns.lefts[min(slot.first for slot in level.slots)] - pad
            frame.width = level.columns.lefts[max(slot.last for slot in level.slots)] + WIDTH + pad - frame.left
            frame.top, frame.height = top, TITLE + level.height + PAD
            plan.boxes.append(frame)
            level.place(plan, top + TITLE)
            top += frame.height + PAD


def _deep(slot: _Slot) -> int:
    """How many frames are between a slot's own and the innermost card."""
    if slot.within is None:
        return 0
    if isinstance(slot.within, _Stack):
        return 2 + max(_deep(each) for level in slot.within.levels for each in level.slots)
    return 1 + max(_deep(each) for each in slot.within.slots)


def note_of(card: Card) -> list[str]:
    """What a card says below its name, in at most NOTES lines."""
    note = card.why
    if not note and card.state == PLANNED and card.conditions:
        note = f"if {' and '.join(card.conditions)}"
    if not note and card.more:
        note = f"and {card.more} more like {'this' if len(card.inside) == 1 else 'these'}"
    return _wrapped(note, NOTE_CHARACTERS, NOTES)


def name_of(card: Card) -> str:
    """What stands below a card's kind: the name of its object, or of its objects."""
    if card.state == PLANNED and card.loops:
        return f"for each {', '.join(loop.partition(' ')[0] for loop in card.loops)}"
    if card.count is not None and card.count != 1:
        more = f" and {card.count - 1} more" if card.count else ""
        return f"{card.names[0]}{more}" if card.names else "no object"
    return card.names[0] if card.names else ""


def card_height(card: Card) -> int:
    notes = note_of(card)
    return HEIGHT - NAME * (not name_of(card)) + NOTE * len(notes)


def header_height(card: Card) -> int:
    """Of a nested instance's box: its name, and why it is not simply there."""
    return HEADER + NOTE * len(note_of(card))


def _wrapped(text: str, width: int, most: int) -> list[str]:
    lines: list[str] = []
    while text:
        if len(text) <= width:
            return [*lines, text]
        if len(lines) == most - 1:
            return [*lines, f"{text[: width - 1].rstrip()}…"]
        at = max(
            text.rfind(" ", width // 2, width + 1),
            text.rfind(".", width // 2, width),
            text.rfind("/", width // 2, width),
        )
        at = width if at < 0 else at + (text[at] != " ")
        lines.append(text[:at].rstrip())
        text = text[at:].lstrip()
    return lines


def _exit(box: Box) -> int:
    return box.top + min(box.height, HEIGHT) // 2


def _upright(start: Box, end: Point) -> list[Point]:
    """From a box's upper or lower side to a card that is below or above it, in a column that the box spans."""
    x = max(end[0] - _IN_LAYER // 2, start.left + PAD)
    return [(x, start.top + start.height if end[1] > start.top else start.top), end]


# -- order ------------------------------------------------------------------------------------------------------------


def _order(slots: list[_Slot]) -> None:
    """Give each slot the key by which it stands below another one: the order with the fewest crossings that was seen."""
    columns = _by_column(slots)
    best, fewest = [slot.key for slot in slots], _crossings(slots, columns)
    for sweep in range(_SWEEPS):
        if fewest == 0:
            break
        from_left = sweep % 2 == 0
        for column in sorted(columns, reverse=not from_left):
            _sweep(columns[column], column, from_left=from_left)
        crossings = _crossings(slots, columns)
        if crossings < fewest:
            best, fewest = [slot.key for slot in slots], crossings
    for slot, key in zip(slots, best, strict=True):
        slot.key = key


def _by_column(slots: Iterable[_Slot]) -> dict[int, list[_Slot]]:
    columns: dict[int, list[_Slot]] = {}
    for slot in slots:
        for column in range(slot.first, slot.last + 1):
            columns.setdefault(column, []).append(slot)
    return columns


def _sweep(column: list[_Slot], number: int, *, from_left: bool) -> None:
    wanted: dict[int, float] = {}
    for slot in column:
        joined = slot.left_of if from_left else slot.right_of
        is_here = (slot.first if from_left else slot.last) == number
        wanted[slot.number] = sum(each.key for each in joined) / len(joined) if joined and is_here else slot.key
    column.sort(key=lambda slot: (wanted[slot.number], slot.key, slot.number))
    for i, slot in enumerate(column):
        if (slot.first if from_left else slot.last) == number:
            slot.key = i - (len(column) - 1) / 2


def _crossings(slots: list[_Slot], columns: dict[int, list[_Slot]]) -> int:
    """Pairs of lines between neighbouring columns that cross; a line through a box counts for some."""
    from bisect import bisect_right, insort

    place: dict[int, dict[int, int]] = {}
    for number, column in columns.items():
        column.sort(key=_key)
        place[number] = {slot.number: i for i, slot in enumerate(column)}
    joins: dict[int, list[tuple[int, int]]] = {}
    for slot in slots:
        for other in slot.right_of:
            if other.first > slot.last:
                here = place[slot.last][slot.number]
                joins.setdefault(slot.last, []).append((here, place[other.first][other.number]))
    found = _AROUND * _pierced(slots)
    for pairs in joins.values():
        ends: list[int] = []
        for _, end in sorted(pairs):
            found += len(ends) - bisect_right(ends, end)
            insort(ends, end)
    return found


def _pierced(slots: list[_Slot]) -> int:
    """How often a line goes from above a box to below it, or back, where it spans the columns of both ends."""
    wide: dict[int, list[_Slot]] = {}
    for slot in slots:
        for column in range(slot.first, slot.last):
            wide.setdefault(column, []).append(slot)
    found = 0
    for slot in slots if wide else ():
        for box in wide.get(slot.last, ()):
            found += sum(
                (_key(slot) < _key(box)) != (_key(other) < _key(box))
                for other in slot.right_of
                if other is not box and other.first == slot.last + 1
            )
    return found


def _key(slot: _Slot) -> tuple[float, int]:
    return (slot.key, slot.number)


# -- heights ----------------------------------------------------------------------------------------------------------


def _settle(slots: list[_Slot]) -> None:
    """Give each slot its height: in the order of the keys, as near as can be to what it is joined to."""
    ordered = sorted(slots, key=_key)
    _downwards(ordered, dict.fromkeys((slot.number for slot in ordered), 0.0))
    for _ in range(_SETTLINGS):
        if not ordered:
            return
        centre = sum(slot.middle for slot in ordered) / len(ordered)
        wanted = {slot.number: _wanted(slot, centre) - slot.half for slot in ordered}
        above = _downwards(ordered, wanted)
        below = _upwards(ordered, wanted)
        for slot in ordered:
            slot.top = (above[slot.number] + below[slot.number]) / 2
    highest = min(slot.top for slot in ordered)
    _downwards(ordered, {slot.number: _on_grid(slot, slot.top - highest) for slot in ordered})
    _straighten(ordered)


def _on_grid(slot: _Slot, top: float) -> float:
    return float(round(top / _GRID) * _GRID if slot.card is not None else round(top))


def _straighten(ordered: list[_Slot]) -> None:
    """Move the lines that pass, and nothing else: first to where they are drawn to, then as far as they can go on from the left."""
    columns = _by_column(ordered)
    for sweep in range(_SETTLINGS):
        for number in sorted(columns):
            column = columns[number]
            for i, slot in enumerate(column):
                if slot.card is not None:
                    continue
                wanted = _wanted(slot, slot.middle) if sweep < _SETTLINGS - 1 else slot.left_of[0].middle
                top = wanted - slot.half
                if i + 1 < len(column):
                    top = min(top, column[i + 1].top - slot.height - _distance(slot))
                if i:
                    above = column[i - 1]
                    top = max(top, above.top + above.height + _distance(above))
                slot.top = top


def _wanted(slot: _Slot, centre: float) -> float:
    """The middle of what a slot is joined to; a line that passes would rather be straight than short."""
    joined = slot.left_of + slot.right_of
    if not joined:
        return centre
    weights = [4 if each.card is None and slot.card is None else 1 for each in joined]
    return sum(each.middle * weight for each, weight in zip(joined, weights, strict=True)) / sum(weights)


def _distance(slot: _Slot) -> int:
    return LINE if slot.card is None else ROW


def _downwards(ordered: list[_Slot], wanted: dict[int, float]) -> dict[int, float]:
    """Where each would be, or below that where it must; sets it."""
    ends: dict[int, float] = {}
    for slot in ordered:
        columns = range(slot.first, slot.last + 1)
        slot.top = max([wanted[slot.number], *(ends[c] for c in columns if c in ends)])
        for column in columns:
            ends[column] = slot.top + slot.height + _distance(slot)
    return {slot.number: slot.top for slot in ordered}


def _upwards(ordered: list[_Slot], wanted: dict[int, float]) -> dict[int, float]:
    """Where each would be, or above that where it must."""
    starts: dict[int, float] = {}
    found: dict[int, float] = {}
    for slot in reversed(ordered):
        columns = range(slot.first, slot.last + 1)
        room = slot.height + _distance(slot)
        top = min([wanted[slot.number], *(starts[c] - room for c in columns if c in starts)])
        found[slot.number] = top
        for column in columns:
            starts[column] = top
    return found
