"""Order: dependencies first, the document's order for ties. Cycles are named in full."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krm_fn.program.graph import find_cycle, topological_order


@pytest.mark.parametrize(
    ("dependencies", "order"),
    [
        pytest.param({}, [], id="empty"),
        pytest.param({"b": [], "a": []}, ["b", "a"], id="no edges: document order"),
        pytest.param({"web": ["db"], "db": []}, ["db", "web"], id="a dependency comes first"),
        pytest.param({"d": ["b", "c"], "c": ["a"], "b": ["a"], "a": []}, ["a", "c", "b", "d"], id="diamond"),
        pytest.param({"a": ["z"], "b": [], "z": []}, ["b", "z", "a"], id="what is ready goes by document order"),
    ],
)
def test_order(dependencies: dict[str, list[str]], order: list[str]) -> None:
    assert topological_order(dependencies) == order
    assert find_cycle(dependencies) == []


@pytest.mark.parametrize(
    ("dependencies", "cycle"),
    [
        pytest.param({"a": ["a"]}, ["a", "a"], id="itself"),
        pytest.param({"a": ["b"], "b": ["a"]}, ["a", "b", "a"], id="two"),
        pytest.param(
            {"x": ["a"], "a": ["b"], "b": ["c"], "c": ["a"]}, ["a", "b", "c", "a"], id="what only leads in is left out"
        ),
        pytest.param({"a": ["b", "c"], "b": ["d"], "d": ["a"], "c": ["a"]}, ["a", "c", "a"], id="the shortest"),
    ],
)
def test_cycle(dependencies: dict[str, list[str]], cycle: list[str]) -> None:
    assert find_cycle(dependencies) == cycle


GRAPHS = st.integers(1, 9).flatmap(
    lambda n: st.lists(st.lists(st.integers(0, n - 1), max_size=4), min_size=n, max_size=n)
)


@given(GRAPHS)
def test_every_node_is_in_the_order_or_behind_a_cycle(edges: list[list[int]]) -> None:
    graph = {f"n{i}": [f"n{j}" for j in targets] for i, targets in enumerate(edges)}
    order = topological_order(graph)
    place = {name: i for i, name in enumerate(order)}
    for name in order:
        assert all(place[dependency] < place[name] for dependency in graph[name])
    cycle = find_cycle(graph)
    assert bool(cycle) == (len(order) < len(graph))
    assert all(after in graph[before] for before, after in pairwise(cycle))
