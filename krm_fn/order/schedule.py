"""
What every object of an instance waits for: its layer, and the objects that gate it.

Enters: the expansion of a root instance.  Leaves: a `Schedule`.  Not known here: how a target says it.

Appliers that count (Argo CD, Flux) go by layers; those that know a graph (kpt) go by the objects themselves.
"""

from __future__ import annotations

from krm_fn.expand.observed import identity
from krm_fn.order.gates import gates
from krm_fn.order.layers import EVERY_EDGE, GATED, arrange, makes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krm_fn.expand.instance import World
    from krm_fn.expand.observed import Identity
    from krm_fn.expand.outcome import Expansion
    from krm_fn.order.layers import Layers


MOST = 1_000_000
"""Pairs of an object and one that gates it, in one root instance. An applier that knows a graph is told each of them."""
_ANY = -1


class Schedule:
    """
    The order of one root instance, nested ones included.

    external: the nodes that refer to others' objects.  foreign: those of these that others make, once it is tied.  is_cut:
    whether there were too many pairs to name them all, known once gates were asked for. *instances*: whether the instances themselves are part of the output; nested ones are last of what they make.
    """

    __slots__ = (
        "_awaited",
        "_found",
        "_gates",
        "_instances",
        "_layers",
        "_left",
        "_nested",
        "_objects",
        "_parents",
        "_tied",
        "_waves",
        "external",
        "foreign",
        "is_cut",
        "root",
    )

    def __init__(self, root: Expansion, world: World, waves: str = GATED, *, instances: bool = False) -> None:
        self.root = root
        self._waves = waves
        self._instances = instances
        self._gates: dict[int, dict[str, frozenset[str]]] = {}
        self._found: dict[int, dict[str, tuple[Identity, ...]]] = {}
        self._objects: dict[tuple[int, str, int], tuple[Identity, ...]] = {}
        self._nested: dict[tuple[int, str, str], Expansion] = {}
        self._parents: dict[int, tuple[Expansion, str]] = {}
        self._awaited: set[tuple[int, str]] = set()
        self._tied: dict[tuple[int, str], tuple[Identity, ...]] = {}
        self._left = MOST
        self.external: list[tuple[Expansion, str]] = []
        self.foreign: frozenset[Identity] = frozenset()
        self.is_cut = False
        self._follow(root, world)
        self._layers = arrange([root], self.gates_of, waves, instances=instances)

    @property
    def end(self) -> int:
        """The last layer."""
        return self._layers.end(self.root)

    def gates_of(self, expansion: Expansion) -> dict[str, frozenset[str]]:
        """Node id -> the ids of what gates it, of one of the instances."""
        return self._gates[id(expansion)]

    def expansions(self) -> Iterator[Expansion]:
        """The instances, the root first."""
        yield self.root
        yield from self._nested.values()

    def tie(self, layers: Layers, tied: dict[tuple[int, str], tuple[Identity, ...]]) -> None:
        """Take the layers that it has among others. tied: the objects of others, by the external node that refers to them."""
        self._layers = layers
        self._tied = tied
        self.foreign = frozenset(
            each for expansion, node_id in self.external for each in tied.get((id(expansion), node_id), ())
        )
        self._found.clear()
        self._objects.clear()

    def await_(self, expansion: Expansion, node_id: str) -> None:
        """Note that another instance waits for a node."""
        self._awaited.add((id(expansion), node_id))

    def _follow(self, expansion: Expansion, world: World) -> None:
        self._gates[id(expansion)] = gates(expansion, world, instances=self._instances)
        for node_id, outcome in expansion.outcomes.items():
            if outcome.node.is_external and (outcome.items or outcome.sought is not None):
                self.external.append((expansion, node_id))
            for item in outcome.items:
                if item.nested is not None:
                    self._parents[id(item.nested)] = (expansion, node_id)
                    self._nested[id(expansion), node_id, item.key] = item.nested
                    self._follow(item.nested, world)

    def gating(self) -> Iterator[tuple[Expansion, str]]:
        """The nodes that some other waits for."""
        for expansion in self.expansions():
            sources: set[str] = set().union(*self._gates[id(expansion)].values())
            for node_id in expansion.program.order:
                if node_id in sources or (id(expansion), node_id) in self._awaited:
                    yield expansion, node_id

    def layer(self, expansion: Expansion, node_id: str, key: str = "") -> int:
        """Of an object; an instance itself (*key* is a nested one's, or `node_id` is no node) comes with the last of its own."""
        instance = self._instance(expansion, node_id, key)
        if instance is None:
            return self._layers.first(expansion, node_id)
        return self._layers.end(instance)

    def first(self, expansion: Expansion, node_id: str) -> int:
        """The layer in which a node begins, also where it is a nested instance."""
        return self._layers.first(expansion, node_id)

    def gates(self, expansion: Expansion, node_id: str, key: str = "") -> tuple[Identity, ...]:
        """
        The objects that must be ready before an object, in order; those that its instance waits for among them.

        An instance itself waits for what the last of its own wait for.
        """
        of_node = self._of_nodes(expansion).get(node_id, ())
        instance = self._instance(expansion, node_id, key)
        return of_node if instance is None else self._joined([of_node, *self._of_the_last(instance)])

    def _instance(self, expansion: Expansion, node_id: str, key: str) -> Expansion | None:
        """The one that an object is itself; None for every other object."""
        return self._nested.get((id(expansion), node_id, key)) if node_id in expansion.outcomes else expansion

    def _of_the_last(self, instance: Expansion) -> Iterator[tuple[Identity, ...]]:
        end = self._layers.end(instance)
        for node_id, outcome in instance.outcomes.items():
            if self._layers.last(instance, node_id) == end and makes(outcome, instances=self._instances):
                yield self._of_nodes(instance)[node_id]
                for item in outcome.items:
                    if item.nested is not None and self._layers.end(item.nested) == end:
                        yield from self._of_the_last(item.nested)

    def _of_nodes(self, expansion: Expansion) -> dict[str, tuple[Identity, ...]]:
        """Of every node, dependencies first: what gates one gates those that name it."""
        known = self._found.get(id(expansion))
        if known is not None:
            return known
        parent = self._parents.get(id(expansion))
        inherited = self._of_nodes(parent[0])[parent[1]] if parent is not None else ()
        found = self._found[id(expansion)] = {}
        for node_id in expansion.program.order:
            parts = [inherited, self._tied.get((id(expansion), node_id), ())]
            for source in expansion.program.nodes[node_id].dependencies:
                objects: tuple[Identity, ...] = ()
                if source in self._gates[id(expansion)][node_id]:
                    objects = self._made(expansion, source)
                elif self._waves == EVERY_EDGE and not expansion.outcomes[source].node.is_external:
                    objects = self._made(expansion, source, self._layers.begin(expansion, source))
                # What keeps an object from being made keeps those that name it, too.
                parts.append(objects or found[source])
            found[node_id] = self._joined(parts)
        return found

    def _joined(self, parts: list[tuple[Identity, ...]]) -> tuple[Identity, ...]:
        distinct = list({id(part): part for part in parts if part}.values())
        if len(distinct) < 2:
            return distinct[0] if distinct else ()
        if self.is_cut:
            return ()
        joined = tuple(dict.fromkeys(each for part in distinct for each in part))
        self._left -= len(joined)
        self.is_cut = self._left < 0
        return joined

    def made(self, expansion: Expansion, layer: int = _ANY) -> tuple[Identity, ...]:
        """All that an instance makes (in one layer)."""
        nodes = (node_id for node_id, outcome in expansion.outcomes.items() if not outcome.node.is_external)
        return tuple(each for node_id in nodes for each in self._made(expansion, node_id, layer))

    def _made(self, expansion: Expansion, node_id: str, layer: int = _ANY) -> tuple[Identity, ...]:
        """What a node is in the output: its objects, or for a nested instance all that it makes (in one layer)."""
        known = self._objects.get((id(expansion), node_id, layer))
        if known is not None:
            return known
        found: list[Identity] = []
        for item in expansion.outcomes[node_id].items:
            if item.nested is not None:
                found += self.made(item.nested, layer)
                if not self._instances:
                    continue
            if layer in (_ANY, self.layer(expansion, node_id, item.key)):
                found.append(identity(item.object))
        made = self._objects[id(expansion), node_id, layer] = tuple(found)
        return made
