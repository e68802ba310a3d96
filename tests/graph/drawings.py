"""Graphs of any form, made by chance, and a graph of what some YAML gives."""

from __future__ import annotations

import random
from typing import Any

from krm_fn.command.graph import bounds_of
from krm_fn.expand.outcome import DEFERRED, EXCLUDED, RESOLVED
from krm_fn.graph.model import COLLECTION, EXTERNAL, INSTANCE, OBJECT, READY, VALUE, Card, Edge, Graph, legible
from krm_fn.graph.of_instance import graph_of_instance
from krm_fn.order.layers import GATED
from tests.rendering import render

FORMATS = ("text", "mermaid", "dot", "svg")


def graph_of(*texts: str, form: str = "text", waves: str = GATED, **options: Any) -> Graph:
    result = render(*texts, **options)
    assert not result.errors, result.findings
    [expansion] = result.expansions
    return graph_of_instance(expansion, result.world, waves, bounds_of(form))


class Chance:
    """Makes graphs as `of_instance` does: cards after their sources, layers that keep every gate."""

    def __init__(self, seed: int, *, names: str = "") -> None:
        self.random = random.Random(seed)
        self.names = names
        self.count = 0

    def graph(self, start: int = 0, depth: int = 0) -> Graph:
        graph = Graph("App", self._name("g"))
        for _ in range(self.random.randint(1, 9 if depth == 0 else 4)):
            graph.cards.append(self._card(graph, start, depth))
        return graph

    def _name(self, prefix: str) -> str:
        extra = "".join(self.random.choice(self.names) for _ in range(6)) if self.names else ""
        return legible(f"{prefix}{self.count}{extra}")

    def _card(self, graph: Graph, start: int, depth: int) -> Card:
        chance = self.random
        self.count += 1
        card = Card(self.count, self._name("n"), chance.choice((OBJECT, COLLECTION, EXTERNAL)), RESOLVED)
        card.kind, card.api_version, card.names = self._name("Kind"), "v1", [self._name("name")]
        if chance.random() < 0.3:
            card.state = chance.choice((DEFERRED, EXCLUDED))
            card.why = self._name("waits for something that is rather long ")
        if chance.random() < 0.3:
            card.ready_when = [self._name("${ready} ")]
        card.layer = start
        for source in graph.cards:
            if chance.random() < 0.3:
                gate = chance.choice((READY, VALUE, "", ""))
                card.edges.append(Edge(source, gate, (self._name("${x} "),) if gate else ()))
                card.layer = max(card.layer, source.last + 1 if gate else source.layer)
        card.last = card.layer
        if depth < 2 and chance.random() < 0.25:
            card.form = INSTANCE
            card.inside = [self.graph(card.layer, depth + 1) for _ in range(chance.randint(1, 3))]
            card.count = None if len(card.inside) == 1 else len(card.inside)
            card.last = max(each.last for inner in card.inside for each in inner.cards)
        return card
