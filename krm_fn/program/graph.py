"""
The dependency graph of an RGD: topological order with document order for ties, and cycles named in full.

Enters: ids in document order with the ids that each depends on.  Leaves: an order, or one cycle.  Not known here: what a
node is.

Source: kro v0.9.3 pkg/graph/dag/dag.go, TopologicalSort (a heap ordered by document position).
"""

from __future__ import annotations

import heapq

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def topological_order(dependencies: Mapping[str, Sequence[str]]) -> list[str]:
    """
    The ids of *dependencies* (its key order is the document's), dependencies first.

    A name that is not a key is ignored. Nodes of a cycle, and what depends on them, are missing from the result.
    """
    position = {name: i for i, name in enumerate(dependencies)}
    names = list(dependencies)
    waiting: list[int] = []
    dependents: dict[str, list[str]] = {name: [] for name in names}
    for name in names:
        own = {d for d in dependencies[name] if d in position}
        waiting.append(len(own))
        for dependency in sorted(own):
            dependents[dependency].append(name)
    ready = [i for i, count in enumerate(waiting) if count == 0]
    heapq.heapify(ready)
    order: list[str] = []
    while ready:
        name = names[heapq.heappop(ready)]
        order.append(name)
        for dependent in dependents[name]:
            i = position[dependent]
            waiting[i] -= 1
            if waiting[i] == 0:
                heapq.heappush(ready, i)
    return order


def find_cycle(dependencies: Mapping[str, Sequence[str]]) -> list[str]:
    """One cycle as `[a, b, a]`, starting at its earliest node in document order; empty where there is none."""
    remaining = set(dependencies) - set(topological_order(dependencies))
    for start in dependencies:
        if start not in remaining:
            continue
        trail = _way_back(start, dependencies, remaining)
        if trail:
            return trail
    return []


def _way_back(start: str, dependencies: Mapping[str, Sequence[str]], within: set[str]) -> list[str]:
    """The shortest way from *start* along its dependencies back to it."""
    came_from: dict[str, str] = {}
    frontier = [start]
    while frontier:
        following: list[str] = []
        for name in frontier:
            for dependency in dependencies[name]:
                if dependency == start:
                    trail = [start, name]
                    while trail[-1] != start:
                        trail.append(came_from[trail[-1]])
                    return trail[::-1] if len(trail) > 2 or name != start else [start, start]
                if dependency in within and dependency not in came_from:
                    came_from[dependency] = name
                    following.append(dependency)
        frontier = following
    return []
