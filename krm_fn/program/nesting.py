"""
RGDs whose resources are instances of other RGDs: in which order they are compiled, and which of them never come to an end.

Enters: RGDs as plain JSON, then Programs.  Leaves: groups of RGDs, each after those that it makes instances of; loops.  Not known
here: instances, files.

kro sees another RGD's instances by the CRD in the cluster. So it takes RGDs that need each other only where the cluster has their CRDs
from before; and then nothing keeps it from making instances without end.
"""

from __future__ import annotations

from itertools import pairwise

from krm_fn.program.graph import find_cycle
from krm_fn.program.model import RESOURCE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any, TypeAlias

    from krm_fn.program.model import Node, Program
    from krm_fn.program.template import Path

    Key: TypeAlias = tuple[str, str]
    """Group and kind."""


def kinds_named(document: dict[str, Any]) -> Iterator[tuple[Key, Path]]:
    """Everything that an RGD makes or refers to, with the place of its kind, as far as the RGD is sound."""
    spec = document.get("spec")
    resources = spec.get("resources") if isinstance(spec, dict) else None
    for i, resource in enumerate(resources if isinstance(resources, list) else ()):
        for field in ("template", "externalRef") if isinstance(resource, dict) else ():
            named = resource.get(field)
            if isinstance(named, dict):
                version, kind = named.get("apiVersion"), named.get("kind")
                if isinstance(version, str) and isinstance(kind, str):
                    yield (version.rpartition("/")[0], kind), ("spec", "resources", i, field, "kind")


def groups_in_order(needs: Sequence[Sequence[int]]) -> list[list[int]]:
    """
    The numbers of *needs* in groups, each after all that it needs; those that need each other stand together.

    *needs*: at each number's place, the numbers that it needs. These are Tarjan's strongly connected components, found without
    recursion and in linear time.
    """
    count = len(needs)
    found_as = [count] * count
    lowest = [0] * count
    open_: list[int] = []
    is_open = [False] * count
    groups: list[list[int]] = []
    trail: list[tuple[int, Iterator[int]]] = []
    order = 0
    for root in range(count):
        following: int | None = root if found_as[root] == count else None
        while following is not None or trail:
            if following is not None:
                found_as[following] = lowest[following] = order
                order += 1
                open_.append(following)
                is_open[following] = True
                trail.append((following, iter(needs[following])))
            number, rest = trail[-1]
            following = None
            for needed in rest:
                if found_as[needed] == count:
                    following = needed
                    break
                if is_open[needed]:
                    lowest[number] = min(lowest[number], found_as[needed])
            if following is not None:
                continue
            trail.pop()
            if trail:
                parent = trail[-1][0]
                lowest[parent] = min(lowest[parent], lowest[number])
            if lowest[number] == found_as[number]:
                group: list[int] = []
                while not group or group[-1] != number:
                    group.append(open_.pop())
                    is_open[group[-1]] = False
                groups.append(sorted(group))
    return groups


def loop_in(needs: Sequence[Sequence[int]]) -> list[int]:
    """One loop, as `[a, b, a]`; empty where there is none."""
    for group in groups_in_order(needs):
        # Within a group every number leads to every other, so that the first way back is found at once.
        members = set(group)
        within = {str(number): [str(needed) for needed in needs[number] if needed in members] for number in group}
        loop = [int(name) for name in find_cycle(within)]
        if loop:
            return loop
    return []


def endless_loop(programs: Mapping[Key, Program]) -> list[tuple[Key, Node]]:
    """
    A loop of RGDs in which every instance makes the next one, whatever its values: each with the node that does; empty if there is none.

    A node that may be left out ends a loop: one with includeWhen or forEach, or that needs such a one or an external object.
    """
    makers = {key: _certain_nodes(program) for key, program in programs.items()}
    keys = list(makers)
    numbers = {key: number for number, key in enumerate(keys)}
    loop = loop_in([[numbers[made] for made in makers[key] if made in numbers] for key in keys])
    return [(keys[one], makers[keys[one]][keys[following]]) for one, following in pairwise(loop)]


def _certain_nodes(program: Program) -> dict[Key, Node]:
    """The kinds of which every instance of a Program makes an object, each with the first node that does."""
    certain: dict[str, bool] = {}
    found: dict[Key, Node] = {}
    for name in program.order:
        node = program.nodes[name]
        certain[name] = (
            not node.include_when and not node.is_external and all(certain.get(d, False) for d in node.dependencies)
        )
        if certain[name] and node.kind == RESOURCE:
            found.setdefault((node.group, node.object_kind), node)
    return found
