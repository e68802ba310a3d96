"""
The least layers that keep every gate.

Enters: an expansion, who gates whom.  Leaves: `Layers`: the layer of each node of each instance, nested ones in the same count.  Not
known here: what a target makes of it.

A dependent is in a later layer than what gates it, and otherwise in the same one: a boundary that nothing needs keeps a Deployment
from what it needs to get ready, and lets one sick instance stop all others. A nested instance is where its parent has it; what
it gates comes after all that it makes.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from krm_fn.expand.outcome import Expansion

    Gates: TypeAlias = Callable[[Expansion], dict[str, frozenset[str]]]
    """An instance's expansion -> node id -> the ids of what gates it."""

GATED, EVERY_EDGE = "gated", "every-edge"
WAVES = (GATED, EVERY_EDGE)


class Layers:
    """first, last: the layers of the objects of a node, nested instances' included.  end: the last layer of all."""

    __slots__ = ("_first", "_last", "end")

    def __init__(self) -> None:
        self._first: dict[tuple[int, str], int] = {}
        self._last: dict[tuple[int, str], int] = {}
        self.end = 0

    def first(self, expansion: Expansion, node_id: str) -> int:
        return self._first[id(expansion), node_id]

    def last(self, expansion: Expansion, node_id: str) -> int:
        return self._last[id(expansion), node_id]


def arrange(expansion: Expansion, gates: Gates, waves: str = GATED) -> Layers:
    """The layers of one root instance, from 0. *waves*: EVERY_EDGE gives a layer for each dependency, as kro takes them."""
    layers = Layers()
    layers.end = _arrange(expansion, gates, waves, 0, layers)
    return layers


def _arrange(expansion: Expansion, gates: Gates, waves: str, start: int, layers: Layers) -> int:
    """Returns the last layer of the instance."""
    gating = gates(expansion)
    end = start
    for node_id in expansion.program.order:
        outcome = expansion.outcomes[node_id]
        layer = start
        for source in outcome.node.dependencies:
            if source in gating[node_id]:
                layer = max(layer, layers.last(expansion, source) + 1)
            elif (
                waves == EVERY_EDGE
                and expansion.outcomes[source].items
                and not expansion.outcomes[source].node.is_external
            ):
                layer = max(layer, layers.first(expansion, source) + 1)
            else:
                layer = max(layer, layers.first(expansion, source))
        last = layer
        for item in outcome.items:
            if item.nested is not None:
                last = max(last, _arrange(item.nested, gates, waves, layer, layers))
        layers._first[id(expansion), node_id] = layer  # noqa: SLF001 - this module fills it
        layers._last[id(expansion), node_id] = last  # noqa: SLF001
        if outcome.items and not outcome.node.is_external:
            end = max(end, last)
    return end
