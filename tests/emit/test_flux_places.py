"""Layers for Flux of any output: nothing comes before its namespace or its gate, no Kustomizations wait in a circle, or objects do."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

from krm_fn.emit.flux.places import Places, Root
from krm_fn.emit.plain import Emitted
from krm_fn.expand.observed import identity
from krm_fn.order.layers import GATED
from krm_fn.report.diagnostic import Subject
from tests.order.test_layer_laws import Graph, gates_of

GRAPHS = 1_000
SUBJECT = Subject("kro.run/v1alpha1", "App", "a")


class Layered:
    """A schedule by the layers alone, of an instance without nested ones."""

    def __init__(self, expansion: Any) -> None:
        self._layers: dict[str, int] = {}
        for node, outcome in expansion.outcomes.items():
            gating = gates_of(expansion)[node]
            sources = outcome.node.dependencies
            self._layers[node] = max((self._layers[each] + (each in gating) for each in sources), default=0)

    def first(self, _expansion: Any, node_id: str) -> int:
        return self._layers[node_id]

    def layer(self, _expansion: Any, node_id: str, _key: str = "") -> int:
        return self._layers.get(node_id, 0)

    def gates_of(self, expansion: Any) -> dict[str, frozenset[str]]:
        return gates_of(expansion)


def instances_of(expansion: Any) -> list[Any]:
    nested = [item.nested for outcome in expansion.outcomes.values() for item in outcome.items if item.nested]
    return [expansion, *(each for one in nested for each in instances_of(one))]


def keyed(expansion: Any) -> Any:
    for each in instances_of(expansion):
        for outcome in each.outcomes.values():
            for item in outcome.items:
                item.key = ""
    return expansion


class Output:
    """
    Some root instances without nested ones: every node makes an object, which is a Namespace or lies in one of some, whose maker may be
    any instance.
    """

    def __init__(self, chance: random.Random) -> None:
        self.roots: list[Root] = []
        names = [f"ns{i}" for i in range(3)]
        free = list(names)
        for _ in range(chance.randint(1, 3)):
            expansion = Graph(chance, depth=2).expansion()
            batch = []
            for node, outcome in expansion.outcomes.items():
                if not outcome.items:
                    continue
                if free and chance.random() < 0.3:
                    made: dict[str, Any] = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": free.pop()}}
                else:
                    place = {"namespace": chance.choice(names)} if chance.random() < 0.3 else {}
                    name = f"{len(self.roots)}-{node}"
                    made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **place}}
                batch.append(Emitted(made, None, SUBJECT, node, "", expansion))  # type: ignore[arg-type]
            schedule: Any = Layered(keyed(expansion))
            self.roots.append(Root(expansion, schedule, batch))

    def layers(self, foreign: int | None) -> dict[tuple[int, str], int] | None:
        """
        The least layers, by hand: a fixed point; None if there are none.

        foreign: how many layers later an object comes than its namespace, if another instance makes that; None where they count apart.
        """
        layers = {(id(root.expansion), node): 0 for root in self.roots for node in root.expansion.outcomes}
        makers = {
            each.object["metadata"]["name"]: (i, id(each.expansion), each.node)
            for i, root in enumerate(self.roots)
            for each in root.batch
            if each.object["kind"] == "Namespace"
        }
        for _ in range(len(layers) + 2):
            before = dict(layers)
            for i, root in enumerate(self.roots):
                key = id(root.expansion)
                for node, outcome in root.expansion.outcomes.items():
                    for source in outcome.node.dependencies:
                        gap = int(source in gates_of(root.expansion)[node])
                        layers[key, node] = max(layers[key, node], layers[key, source] + gap)
                for each in root.batch:
                    made = makers.get(each.object["metadata"].get("namespace", ""))
                    if made is not None and (made[0] == i or foreign is not None):
                        gap = foreign or 0 if made[0] != i else 0
                        layers[key, each.node] = max(layers[key, each.node], layers[made[1], made[2]] + gap)
            if layers == before:
                return layers
        return None


def test_nothing_is_before_what_it_needs() -> None:
    chance = random.Random(11)
    settled = circles = 0
    for _ in range(GRAPHS):
        output = Output(chance)
        places = Places(GATED)
        for root in output.roots:
            places.add(root)
        places.settle()
        if places.circles:
            assert output.layers(foreign=1) is None
            check_circles(places, output)
            circles += 1
        else:
            check_order(places)
            least, most = output.layers(foreign=None), output.layers(foreign=1)
            assert least is not None
            assert most is not None
            for root in output.roots:
                for node in root.expansion.outcomes:
                    key = (id(root.expansion), node)
                    assert least[key] <= root.first(root.expansion, node) <= most[key], "more layers than need be"
            settled += 1
    assert min(settled, circles) > GRAPHS / 50


def check_order(places: Places) -> None:
    makers = {
        each.object["metadata"]["name"]: (i, root.layer(each))
        for i, root in enumerate(places.roots)
        for each in root.batch
        if each.object["kind"] == "Namespace"
    }
    waits: dict[tuple[int, int], set[tuple[int, int]]] = {}
    for i, root in enumerate(places.roots):
        graph = root.expansion.graph  # type: ignore[attr-defined]
        for j, k in graph.gates:
            assert root.first(root.expansion, f"n{j}") < root.first(root.expansion, f"n{k}")
        layers = sorted({root.layer(each) for each in root.batch})
        for place, layer in enumerate(layers):
            waits[i, layer] = {(i, layers[place - 1])} if place else set()
        for each in root.batch:
            maker = makers.get(each.object["metadata"].get("namespace", ""))
            if maker is None:
                continue
            if maker[0] == i:
                assert maker[1] <= root.layer(each)
            else:
                assert places.across[i, root.layer(each)][maker[0]] >= maker[1]
    for (i, layer), others in places.across.items():
        waits[i, layer] |= set(others.items())
    while waits:
        ready = {key for key, others in waits.items() if not others & waits.keys()}
        assert ready, "Kustomizations wait for each other"
        waits = {key: others for key, others in waits.items() if key not in ready}


def check_circles(places: Places, output: Output) -> None:
    made = {identity(each.object): each for root in output.roots for each in root.batch}
    for late, circle in places.circles:
        assert identity(late.object) == circle[0]
        assert circle[0][1] == "Namespace"
        assert len(circle) == len(set(circle)) > 1
        assert circle[-1][2] == circle[0][3], "the last one lies in the first"
        for one, other in pairwise(circle):
            waits, needed = made[one], made[other]
            assert one[2] == other[3] if waits.expansion is not needed.expansion else leads(waits, needed)


def leads(waits: Emitted, needed: Emitted) -> bool:
    """Whether one object of an instance depends on another, or lies in it."""
    assert waits.expansion is not None
    if needed.object["kind"] == "Namespace" and identity(waits.object)[2] == identity(needed.object)[3]:
        return True
    pending = [waits.node]
    while pending:
        node = pending.pop()
        if node == needed.node:
            return True
        pending += waits.expansion.outcomes[node].node.dependencies
    return False
