"""
What stands above what, and how high: the order and the heights of the boxes and lines of one graph.

Enters: `Slot`s in columns, joined to each other.  Leaves: their `top`s, so that none touches another one.  Not known here: what is in a
slot, where a column is.

The order comes of barycentres, with the fewest crossings that were seen; the height of what a slot is joined to. A placement from above
keeps the distances, and so does one from below; the middle of two placements in one order keeps them as well.

Source: K. Sugiyama, S. Tagawa, M. Toda, Methods for Visual Understanding of Hierarchical System Structures, 1981.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Protocol

    from krm_fn.graph.layout import Plan
    from krm_fn.graph.model import Card

    class Inside(Protocol):
        """What is drawn within a slot's box."""

        height: int
        deep: int
        """How many frames are around the innermost card."""

        def place(self, plan: Plan, top: int) -> None: ...


HEIGHT = 64
"""Of a card with an id, a kind and a name."""
ROW, LINE = 16, 8
_GRID = 40
"""Half a card and the distance to the next: where nothing is in the way, cards stand in rows."""
_AROUND = 3
"""What it counts when a line goes through a box, in crossings."""
_SWEEPS, _SETTLINGS = 12, 24


class Slot:
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
        self.left_of: list[Slot] = []
        self.right_of: list[Slot] = []
        self.within: Inside | None = None

    @property
    def middle(self) -> float:
        """Where lines go in and out."""
        return self.top + self.half

    @property
    def half(self) -> float:
        return min(self.height, HEIGHT) / 2


# -- order ------------------------------------------------------------------------------------------------------------


def order(slots: list[Slot]) -> None:
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


def _by_column(slots: Iterable[Slot]) -> dict[int, list[Slot]]:
    columns: dict[int, list[Slot]] = {}
    for slot in slots:
        for column in range(slot.first, slot.last + 1):
            columns.setdefault(column, []).append(slot)
    return columns


def _sweep(column: list[Slot], number: int, *, from_left: bool) -> None:
    wanted: dict[int, float] = {}
    for slot in column:
        joined = slot.left_of if from_left else slot.right_of
        is_here = (slot.first if from_left else slot.last) == number
        wanted[slot.number] = sum(each.key for each in joined) / len(joined) if joined and is_here else slot.key
    column.sort(key=lambda slot: (wanted[slot.number], slot.key, slot.number))
    for i, slot in enumerate(column):
        if (slot.first if from_left else slot.last) == number:
            slot.key = i - (len(column) - 1) / 2


def _crossings(slots: list[Slot], columns: dict[int, list[Slot]]) -> int:
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


def _pierced(slots: list[Slot]) -> int:
    """How often a line goes from above a box to below it, or back, where it spans the columns of both ends."""
    wide: dict[int, list[Slot]] = {}
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


def _key(slot: Slot) -> tuple[float, int]:
    return (slot.key, slot.number)


# -- heights ----------------------------------------------------------------------------------------------------------


def settle(slots: list[Slot]) -> None:
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


def _on_grid(slot: Slot, top: float) -> float:
    return float(round(top / _GRID) * _GRID if slot.card is not None else round(top))


def _straighten(ordered: list[Slot]) -> None:
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


def _wanted(slot: Slot, centre: float) -> float:
    """The middle of what a slot is joined to; a line that passes would rather be straight than short."""
    joined = slot.left_of + slot.right_of
    if not joined:
        return centre
    weights = [4 if each.card is None and slot.card is None else 1 for each in joined]
    return sum(each.middle * weight for each, weight in zip(joined, weights, strict=True)) / sum(weights)


def _distance(slot: Slot) -> int:
    return LINE if slot.card is None else ROW


def _downwards(ordered: list[Slot], wanted: dict[int, float]) -> dict[int, float]:
    """Where each would be, or below that where it must; sets it."""
    ends: dict[int, float] = {}
    for slot in ordered:
        columns = range(slot.first, slot.last + 1)
        slot.top = max([wanted[slot.number], *(ends[c] for c in columns if c in ends)])
        for column in columns:
            ends[column] = slot.top + slot.height + _distance(slot)
    return {slot.number: slot.top for slot in ordered}


def _upwards(ordered: list[Slot], wanted: dict[int, float]) -> dict[int, float]:
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
