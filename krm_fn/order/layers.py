"""
The least layers that keep every gate.

Enters: expansions, who gates whom, what lies behind objects of other instances.  Leaves: `Layers`: the layer of each node of each
instance, nested ones in the same count.  Not known here: what a target makes of it.

A dependent is in a later layer than what gates it, and otherwise in the same one: a boundary that nothing needs keeps a Deployment
from what it needs to get ready, and lets one sick instance stop all others. A nested instance is where its parent has it; what
it gates comes after all that it makes. What makes nothing is no gate, and takes no layer.

There is a number for where each node begins, and for where it and each instance end. One is never below another that it needs, plus a
step where that gates it; the least such numbers are the layers.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import TypeAlias

    from krm_fn.expand.outcome import Expansion, Outcome

    Gates: TypeAlias = Callable[[Expansion], Mapping[str, frozenset[str]]]
    """An instance's expansion -> node id -> the ids of what gates it."""
    Needs: TypeAlias = list[tuple[int, int]]
    """Numbers that one is not below, each with a distance."""

GATED, EVERY_EDGE = "gated", "every-edge"
WAVES = (GATED, EVERY_EDGE)
_GROUND = 0


class Behind:
    """
    Something of another instance that a node comes after.

    expansion, node_id: what makes it; without a node, all that an instance makes.  layer: where that is, if it is
    settled, else None.  distance: 0 where it may be the same layer.
    """

    __slots__ = ("distance", "expansion", "layer", "node_id")

    def __init__(self, expansion: Expansion | None, node_id: str, layer: int | None, distance: int) -> None:
        self.expansion = expansion
        self.node_id = node_id
        self.layer = layer
        self.distance = distance


class Layers:
    """
    first: where a node may begin.  begin, last: the layers of its objects, nested instances' included.  end: the last layer of an instance.

    loops: the ties that would close a loop, and that were left out.
    """

    __slots__ = ("_begin", "_ends", "_first", "_last", "_levels", "loops")

    def __init__(self) -> None:
        self._begin: dict[tuple[int, str], int] = {}
        self._first: dict[tuple[int, str], int] = {}
        self._last: dict[tuple[int, str], int] = {}
        self._ends: dict[int, int] = {}
        self._levels: list[int] = []
        self.loops: list[tuple[tuple[int, str], Behind]] = []

    def first(self, expansion: Expansion, node_id: str) -> int:
        return self._levels[self._first[id(expansion), node_id]]

    def begin(self, expansion: Expansion, node_id: str) -> int:
        return self._levels[self._begin.get((id(expansion), node_id), self._first[id(expansion), node_id])]

    def last(self, expansion: Expansion, node_id: str) -> int:
        return self._levels[self._last[id(expansion), node_id]]

    def end(self, expansion: Expansion) -> int:
        return self._levels[self._ends[id(expansion)]]


def makes(outcome: Outcome, *, instances: bool = False) -> bool:
    """Whether anything that is applied comes of a node. *instances*: nested ones are applied themselves."""
    return not outcome.node.is_external and any(
        item.nested is None
        or instances
        or any(makes(inner, instances=instances) for inner in item.nested.outcomes.values())
        for item in outcome.items
    )


def arrange(
    roots: Sequence[Expansion],
    gates: Gates,
    waves: str = GATED,
    *,
    instances: bool = False,
    ties: Mapping[tuple[int, str], Iterable[Behind]] | None = None,
) -> Layers:
    """
    The layers of root instances, from 0.

    waves: EVERY_EDGE gives a layer for each dependency, as kro takes them.  instances: whether nested ones are applied themselves.
    ties: what nodes, by their expansion's `id`, come after in other instances; those that close a loop are left out.
    """
    arranging = _Arranging(gates, waves, instances=instances)
    for root in roots:
        arranging.add(root, _GROUND)
    arranging.settle(ties or {})
    return arranging.layers


class _Arranging:
    def __init__(self, gates: Gates, waves: str, *, instances: bool) -> None:
        self._gates = gates
        self._waves = waves
        self._instances = instances
        self._needs: list[Needs] = [[]]
        self._earliest: dict[int, list[int]] = {}
        """Of the numbers for where nested instances begin: where their objects do."""
        self._begins: dict[int, list[int]] = {}
        self.layers = Layers()

    def add(self, expansion: Expansion, start: int) -> int:
        """The numbers of an instance, each after those that it needs; returns that of its end."""
        gating = self._gates(expansion)
        first: dict[str, int] = {}
        last: dict[str, int] = {}
        begin: dict[str, int] = {}
        """Of those that make anything."""
        for node_id in expansion.program.order:
            outcome = expansion.outcomes[node_id]
            needs: Needs = [(start, 0)]
            for source in outcome.node.dependencies:
                if source in gating[node_id]:
                    needs.append((last[source], 1))
                elif self._waves == EVERY_EDGE and source in begin:
                    needs.append((begin[source], 1))
                else:
                    needs.append((first[source], 0))
            first[node_id] = last[node_id] = self._number(needs)
            within = [self.add(item.nested, first[node_id]) for item in outcome.items if item.nested is not None]
            if within:
                last[node_id] = self._number([(first[node_id], 0), *((end, 0) for end in within)])
            if makes(outcome, instances=self._instances):
                begin[node_id] = self._beginning(expansion, node_id, first[node_id], outcome, within)
            self.layers._first[id(expansion), node_id] = first[node_id]  # noqa: SLF001 - this module fills it
            self.layers._last[id(expansion), node_id] = last[node_id]  # noqa: SLF001
        end = self._number([(start, 0), *((last[node_id], 0) for node_id in begin)])
        self.layers._ends[id(expansion)] = end  # noqa: SLF001
        self._begins[id(expansion)] = list(begin.values())
        return end

    def _beginning(self, expansion: Expansion, node_id: str, first: int, outcome: Outcome, ends: list[int]) -> int:
        """Where the objects of a node do begin: a nested instance may wait, with all that it makes, for another one."""
        if not ends:
            return first
        nested = [item.nested for item in outcome.items if item.nested is not None]
        objects = [number for each in nested for number in self._begins[id(each)]]
        begin = self._number([(first, 0)])
        self._earliest[begin] = [*objects, *(ends if self._instances else ())]
        self.layers._begin[id(expansion), node_id] = begin  # noqa: SLF001
        return begin

    def _number(self, needs: Needs) -> int:
        self._needs.append(needs)
        return len(self._needs) - 1

    def settle(self, ties: Mapping[tuple[int, str], Iterable[Behind]]) -> None:
        """The level of every number."""
        levels = self.layers._levels = [0] * len(self._needs)  # noqa: SLF001 - this module fills it
        tied: dict[int, list[tuple[int, int, tuple[tuple[int, str], Behind]]]] = {}
        for key, behind in ((key, behind) for key, found in ties.items() for behind in found):
            number, floor = (_GROUND, behind.layer) if behind.layer is not None else (self._of(behind), 0)
            tied.setdefault(self.layers._first[key], []).append((number, floor + behind.distance, (key, behind)))  # noqa: SLF001
        if not tied:
            for number in range(len(levels)):
                levels[number] = self._least(number)
            return
        from krm_fn.program.nesting import groups_in_order

        def needed(number: int) -> list[int]:
            needs = [other for other, _ in self._needs[number]]
            return [*needs, *self._earliest.get(number, ()), *(other for other, _, _ in tied.get(number, ()))]

        for members in groups_in_order([needed(number) for number in range(len(levels))]):
            # All loops have a tie, and without it every number comes after those that it needs.
            within = set(members) if len(members) > 1 else set()
            for number in members:
                for other, distance, tie in tied.get(number, ()):
                    if other in within:
                        self.layers.loops.append(tie)
                    else:
                        levels[number] = max(levels[number], levels[other] + distance)
                levels[number] = max(levels[number], self._least(number))

    def _of(self, behind: Behind) -> int:
        if behind.node_id:
            return self.layers._last[id(behind.expansion), behind.node_id]  # noqa: SLF001
        return self.layers._ends[id(behind.expansion)]  # noqa: SLF001

    def _least(self, number: int) -> int:
        levels = self.layers._levels  # noqa: SLF001
        least = max((levels[other] + distance for other, distance in self._needs[number]), default=0)
        return max(least, min((levels[other] for other in self._earliest.get(number, ())), default=0))
