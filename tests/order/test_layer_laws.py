"""Layers of any graph: every gate is kept, no boundary is without one, there are as few as can be, and order of input is no matter."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import pytest

from krm_fn.order.layers import EVERY_EDGE, GATED, Layers, arrange

GRAPHS = 10_000


class Graph:
    """Nodes by number, edges to earlier ones; some of them are gates, some nodes give no object, some are nested instances."""

    def __init__(self, chance: random.Random, depth: int = 0) -> None:
        self.size = chance.randint(1, 12)
        self.edges = {i: [j for j in range(i) if chance.random() < 0.25] for i in range(self.size)}
        self.gates = {(j, i) for i, sources in self.edges.items() for j in sources if chance.random() < 0.4}
        self.empty = {i for i in range(self.size) if chance.random() < 0.1}
        self.nested = {
            i: Graph(chance, depth + 1)
            for i in range(self.size)
            if depth < 2 and i not in self.empty and chance.random() < 0.1
        }
        made: set[int] = {
            i for i in range(self.size) if i not in self.empty and (i not in self.nested or self.nested[i].made)
        }
        self.made: set[int] = made
        """What gives anything: a nested instance may be empty as well."""
        self.gates = {(j, i) for j, i in self.gates if j in made}
        self.order = list(range(self.size))

    def expansion(self, order: list[int] | None = None) -> Any:
        names = [f"n{i}" for i in (order or self.order)]
        outcomes = {}
        for i in range(self.size):
            node = SimpleNamespace(dependencies=[f"n{j}" for j in self.edges[i]], is_external=i in self.empty)
            nested = self.nested[i].expansion() if i in self.nested else None
            items = [] if i in self.empty else [SimpleNamespace(nested=nested)]
            outcomes[f"n{i}"] = SimpleNamespace(node=node, items=items)
        return SimpleNamespace(program=SimpleNamespace(order=names), outcomes=outcomes, graph=self)


def gates_of(expansion: Any) -> dict[str, frozenset[str]]:
    graph: Graph = expansion.graph
    return {f"n{i}": frozenset(f"n{j}" for j in graph.edges[i] if (j, i) in graph.gates) for i in range(graph.size)}


def layered(expansion: Any, waves: str = GATED) -> Layers:
    return arrange([expansion], gates_of, waves)


def check(expansion: Any, layers: Layers, start: int) -> int:
    """Hold an instance against what layers must be; returns its last one."""
    graph: Graph = expansion.graph
    end = start
    for i in range(graph.size):
        own = layers.first(expansion, f"n{i}")
        needs = [start]
        for j in graph.edges[i]:
            gated = (j, i) in graph.gates
            needs.append(layers.last(expansion, f"n{j}") + 1 if gated else layers.first(expansion, f"n{j}"))
            assert not gated or own > layers.last(expansion, f"n{j}"), "a dependent shares a layer with its gate"
        assert own == max(needs), "a boundary without a gate, or more layers than need be"
        for item in expansion.outcomes[f"n{i}"].items:
            if item.nested is not None:
                assert check(item.nested, layers, own) <= layers.last(expansion, f"n{i}")
        if i in graph.made:
            end = max(end, layers.last(expansion, f"n{i}"))
    return end


@pytest.mark.parametrize("seed", range(4))
def test_every_gate_is_kept_with_the_least_layers(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(GRAPHS // 4):
        expansion = Graph(chance).expansion()
        layers = layered(expansion)
        assert check(expansion, layers, 0) == layers.end(expansion)


def test_every_boundary_is_some_gates() -> None:
    """Layer n is there because something of it waits for something of layer n - 1."""
    chance = random.Random(5)
    for _ in range(GRAPHS // 10):
        graph = Graph(chance, depth=2)
        expansion = graph.expansion()
        layers = layered(expansion)
        for n in range(1, layers.end(expansion) + 1):
            assert any(
                layers.first(expansion, f"n{i}") == n and layers.last(expansion, f"n{j}") == n - 1
                for j, i in graph.gates
            )


def test_the_order_of_the_input_is_no_matter() -> None:
    chance = random.Random(6)
    for _ in range(GRAPHS // 10):
        graph = Graph(chance, depth=2)
        one = graph.expansion()
        other = graph.expansion(_another_order(graph, chance))
        for waves in (GATED, EVERY_EDGE):
            first, second = layered(one, waves), layered(other, waves)
            assert [first.first(one, f"n{i}") for i in range(graph.size)] == [
                second.first(other, f"n{i}") for i in range(graph.size)
            ]


def _another_order(graph: Graph, chance: random.Random) -> list[int]:
    done: list[int] = []
    while len(done) < graph.size:
        done.append(chance.choice([i for i in range(graph.size) if i not in done and set(graph.edges[i]) <= set(done)]))
    return done
