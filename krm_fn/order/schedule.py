"""
What every object of an instance waits for: its layer, and the objects that gate it.

Enters: the expansion of a root instance.  Leaves: a `Schedule`.  Not known here: how a target says it.

Appliers that count (Argo CD, Flux) go by layers; those that know a graph (kpt) go by the objects themselves.
"""

from __future__ import annotations

from krm_fn.expand.observed import identity
from krm_fn.order.gates import gates
from krm_fn.order.layers import EVERY_EDGE, GATED, arrange

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krm_fn.expand.instance import World
    from krm_fn.expand.observed import Identity
    from krm_fn.expand.outcome import Expansion


class Schedule:
    """
    The order of one root instance, nested ones included.

    end: its last layer.  *instances*: whether the instances themselves are part of the output; nested ones are last of what they make.
    """

    __slots__ = ("_found", "_gates", "_inherited", "_instances", "_layers", "_root", "_waves", "end")

    def __init__(self, root: Expansion, world: World, waves: str = GATED, *, instances: bool = False) -> None:
        self._root = root
        self._waves = waves
        self._instances = instances
        self._gates: dict[int, dict[str, frozenset[str]]] = {}
        self._found: dict[tuple[int, str], tuple[Identity, ...]] = {}
        self._inherited: dict[int, tuple[Identity, ...]] = {id(root): ()}
        self._follow(root, world)
        self._layers = arrange(root, lambda each: self._gates[id(each)], waves)
        self.end = self._layers.end

    def _follow(self, expansion: Expansion, world: World) -> None:
        self._gates[id(expansion)] = gates(expansion, world)
        for node_id, outcome in expansion.outcomes.items():
            for item in outcome.items:
                if item.nested is not None:
                    self._inherited[id(item.nested)] = self.gates(expansion, node_id)
                    self._follow(item.nested, world)

    def layer(self, expansion: Expansion, node_id: str) -> int:
        """Of the objects of a node; an instance itself (`node_id` is none of its nodes) comes with the last of its own."""
        if node_id not in expansion.outcomes:
            return self.end if expansion is self._root else self._last(expansion)
        is_nested = any(item.nested is not None for item in expansion.outcomes[node_id].items)
        return self._layers.last(expansion, node_id) if is_nested else self._layers.first(expansion, node_id)

    def _last(self, expansion: Expansion) -> int:
        return max((self._layers.last(expansion, node_id) for node_id in expansion.outcomes), default=0)

    def gates(self, expansion: Expansion, node_id: str) -> tuple[Identity, ...]:
        """The objects that must be ready before those of a node, in order; those that its instance waits for among them."""
        known = self._found.get((id(expansion), node_id))
        if known is not None:
            return known
        found = dict.fromkeys(self._inherited[id(expansion)])
        node = expansion.program.nodes.get(node_id)
        for source in node.dependencies if node is not None else ():
            every = self._waves == EVERY_EDGE and not expansion.outcomes[source].node.is_external
            if every or source in self._gates[id(expansion)][node_id]:
                found.update(dict.fromkeys(self._objects(expansion, source)))
            else:
                # What keeps an object from being made keeps those that name it, too.
                found.update(dict.fromkeys(self.gates(expansion, source)))
        known = self._found[id(expansion), node_id] = tuple(found)
        return known

    def _objects(self, expansion: Expansion, node_id: str) -> Iterator[Identity]:
        for item in expansion.outcomes[node_id].items:
            if item.nested is not None:
                for nested_id, outcome in item.nested.outcomes.items():
                    if not outcome.node.is_external:
                        yield from self._objects(item.nested, nested_id)
            if item.nested is None or self._instances:
                yield identity(item.object)
