"""
The graph of an instance, as it was expanded.

Enters: a root instance's expansion.  Leaves: a `Graph`, nested instances inside it, with the layers that a target would take.
Not known here: formats.
"""

from __future__ import annotations

from krm_fn.expand.observed import identity
from krm_fn.expand.outcome import APPLY_TIME, DEFERRED, EXCLUDED, HELD
from krm_fn.findings import why_deferred
from krm_fn.graph.model import COLLECTION, EXTERNAL, INSTANCE, OBJECT, READY, VALUE, Card, Edge, Graph, legible
from krm_fn.graph.of_rgd import author_wrote, not_set, paths_read
from krm_fn.order.gates import gates
from krm_fn.order.layers import arrange

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krm_fn.expand.instance import World
    from krm_fn.expand.outcome import Expansion, Outcome
    from krm_fn.graph.model import Bounds
    from krm_fn.order.layers import Layers

_NAMES = 3


def graph_of_instance(root: Expansion, world: World, waves: str, bounds: Bounds) -> Graph:
    return _Instance(root, world, waves, bounds).graph(root)


class _Instance:
    def __init__(self, root: Expansion, world: World, waves: str, bounds: Bounds) -> None:
        self._gates: dict[int, dict[str, frozenset[str]]] = {}
        self._world = world
        self._bounds = bounds
        self._layers: Layers = arrange([root], self._gates_of, waves)

    def _gates_of(self, expansion: Expansion) -> dict[str, frozenset[str]]:
        found = self._gates.get(id(expansion))
        if found is None:
            found = self._gates[id(expansion)] = gates(expansion, self._world)
        return found

    def graph(self, expansion: Expansion) -> Graph:
        subject = expansion.subject
        place = "/".join(part for part in (subject.namespace, subject.name) if part)
        graph = Graph(legible(subject.kind), legible(place))
        gating = self._gates_of(expansion)
        cards: dict[str, Card] = {}
        for node_id in expansion.program.order:
            outcome = expansion.outcomes[node_id]
            number = self._bounds.take(len(outcome.node.dependencies))
            if not number:
                graph.cut = len(expansion.program.order) - len(cards)
                break
            card = cards[node_id] = self._card(number, outcome, expansion)
            card.edges = self._edges(outcome, expansion, cards, gating[node_id])
            graph.cards.append(card)
            self._nested(card, outcome)
        return graph

    def _card(self, number: int, outcome: Outcome, expansion: Expansion) -> Card:
        node = outcome.node
        nested = any(item.nested is not None for item in outcome.items)
        form = INSTANCE if nested else EXTERNAL if node.is_external else COLLECTION if node.is_collection else OBJECT
        card = Card(number, legible(node.id), form, outcome.state)
        author_wrote(card, node)
        if node.is_collection and outcome.state not in (DEFERRED, EXCLUDED):
            card.count = len(outcome.items)
        found = [identity(item.object) for item in outcome.items[:_NAMES]]
        if not found and outcome.sought is not None:
            found = [outcome.sought]
        for _, _, namespace, name in found:
            is_at_home = not namespace or namespace == expansion.subject.namespace
            card.names.append(legible(name if is_at_home else f"{namespace}/{name}"))
        card.why = legible(_why(outcome, expansion))
        card.layer = self._layers.first(expansion, node.id)
        card.last = self._layers.last(expansion, node.id)
        return card

    def _edges(
        self, outcome: Outcome, expansion: Expansion, cards: dict[str, Card], gating: frozenset[str]
    ) -> list[Edge]:
        found: list[Edge] = []
        read = paths_read(outcome.node) if gating else {}
        for source in outcome.node.dependencies:
            if source not in gating:
                found.append(Edge(cards[source]))
            elif cards[source].ready_when:
                found.append(Edge(cards[source], READY, cards[source].ready_when))
            else:
                paths = read.get(source, [])
                told = not_set(paths, expansion.program.nodes[source]) or paths
                found.append(Edge(cards[source], VALUE, [legible(path) for path in told]))
        return found

    def _nested(self, card: Card, outcome: Outcome) -> None:
        for i, item in enumerate(outcome.items):
            if item.nested is None:
                continue
            if i < self._bounds.alike:
                card.inside.append(self.graph(item.nested))
            else:
                card.more += 1


def _why(outcome: Outcome, expansion: Expansion) -> str:
    """Why a node is not simply made, in the words of the diagnostics."""
    node = outcome.node
    if outcome.state == EXCLUDED:
        dependency, condition = outcome.why_excluded
        return (
            f"left out with {dependency}"
            if condition is None
            else f"left out: {_quoted(condition.expression.written)} is false"
        )
    if outcome.state in (DEFERRED, HELD):
        if node.is_external and not outcome.waits[0].compiled:
            return "an external reference that nobody observed"
        why = why_deferred(outcome, expansion.program)
        return f"held as it lives: {why}" if outcome.state == HELD else why
    if outcome.state == APPLY_TIME:
        paths = sorted({each.source.shown for item in outcome.items for each in item.substitutions})
        return f"filled in at apply time: {', '.join(paths[:4])}"
    return ""


def _quoted(expression: str) -> str:
    return "${" + expression + "}"
