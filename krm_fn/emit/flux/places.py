"""
The layers of all root instances, where a Namespace or a CustomResourceDefinition of the output comes late.

Enters: root instances with their schedules and objects.  Leaves: the layer of each object, which layers wait for those of other
instances, and circles.  Not known here: folders, Kustomizations.

Flux makes Namespaces and CustomResourceDefinitions first, but only within a Kustomization. So whatever lies in a namespace, or is of a
kind that the output defines, comes no earlier than the layer that makes it: its own layer is raised, and what waits for it as well; if
another instance makes it, the layer waits for that one's. Where instances would wait for each other's layers in a circle, they are
counted in common, each need a layer: then a circle is one of objects, which nothing can keep.
"""

from __future__ import annotations

from krm_fn.emit.marks import SELF
from krm_fn.expand.observed import identity
from krm_fn.order.cycles import CRD, MOST_SHOWN, NAMESPACE
from krm_fn.order.layers import EVERY_EDGE
from krm_fn.program.nesting import groups_in_order
from krm_fn.schema.scope import scope_from_crd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from krm_fn.emit.plain import Emitted
    from krm_fn.expand.observed import Identity
    from krm_fn.expand.outcome import Expansion
    from krm_fn.order.schedule import Schedule

    _Need = tuple[int, Emitted, int, Emitted]
    """The place of a root instance, an object of it that needs another one; the place of that one's instance, and it."""


class Root:
    """
    A root instance.

    layers: of its nodes and instances (as `_Units` numbers them), where its schedule does not say it.  pinned: the objects (by `id`) that
    live and stay where they are, whatever they need.
    """

    __slots__ = ("batch", "expansion", "layers", "pinned", "schedule")

    def __init__(self, expansion: Expansion, schedule: Schedule, batch: Sequence[Emitted]) -> None:
        self.expansion = expansion
        self.schedule = schedule
        self.batch = batch
        self.layers: dict[tuple[int, str, str | None], int] = {}
        self.pinned: set[int] = set()

    def layer(self, each: Emitted) -> int:
        """Of an object of the output."""
        assert each.expansion is not None
        if not self.layers:
            return self.schedule.layer(each.expansion, each.node, each.key)
        own = self.layers.get((id(each.expansion), each.node, each.key))
        return self.layers[id(each.expansion), each.node, None] if own is None else own

    def first(self, expansion: Expansion, node_id: str) -> int:
        """Of a node, for a nested instance the first of what it makes."""
        if not self.layers:
            return self.schedule.first(expansion, node_id)
        return self.layers[id(expansion), node_id, None]


class Places:
    """
    Of a run, once `settle` was called. `add` all root instances before.

    across: root and layer -> what it waits for, the last layer of each other root.  circles: each from a Namespace or CRD to what needs it.
    """

    def __init__(self, waves: str) -> None:
        self._waves = waves
        self.roots: list[Root] = []
        self.across: dict[tuple[int, int], dict[int, int]] = {}
        self.circles: list[tuple[Emitted, list[Identity]]] = []

    def add(self, root: Root) -> int:
        self.roots.append(root)
        return len(self.roots) - 1

    def settle(self) -> None:
        needs = list(_needs(self.roots))
        own: dict[int, list[_Need]] = {}
        for need in needs:
            if need[0] == need[2]:
                own.setdefault(need[0], []).append(need)
        for place, inside in own.items():
            root = self.roots[place]
            if any(root.layer(user) < root.layer(made) for _, user, _, made in inside):
                self._count([place], inside)
        foreign = [need for need in needs if need[0] != need[2]]
        waits: list[list[int]] = [[] for _ in self.roots]
        for place, _, other, _ in foreign:
            waits[place].append(other)
        for group in groups_in_order(waits) if foreign else ():
            among = set(group)
            between = [need for need in foreign if need[0] in among and need[2] in among]
            if between and self._is_circle(between):
                self._count(group, [*between, *(need for place in group for need in own.get(place, ()))])
        self.across = self._waits_across(foreign)

    def _waits_across(self, foreign: Iterable[_Need]) -> dict[tuple[int, int], dict[int, int]]:
        found: dict[tuple[int, int], dict[int, int]] = {}
        for place, user, other, made in foreign:
            others = found.setdefault((place, self.roots[place].layer(user)), {})
            others[other] = max(others.get(other, 0), self.roots[other].layer(made))
        return found

    def _is_circle(self, between: Iterable[_Need]) -> bool:
        """Whether layers of several instances wait for each other, each for the one before in its own instance as well."""
        across = self._waits_across(between)
        layers: dict[int, set[int]] = {}
        for (place, layer), others in across.items():
            layers.setdefault(place, set()).add(layer)
            for other, last in others.items():
                layers.setdefault(other, set()).add(last)
        numbers: dict[tuple[int, int], int] = {}
        waits: list[list[int]] = []
        for place, found in layers.items():
            for i, layer in enumerate(sorted(found)):
                numbers[place, layer] = len(waits)
                waits.append([len(waits) - 1] if i else [])
        for key, others in across.items():
            waits[numbers[key]] += [numbers[each] for each in others.items()]
        return any(len(group) > 1 for group in groups_in_order(waits))

    def _count(self, places: Sequence[int], needs: Iterable[_Need]) -> None:
        """Give some root instances layers anew, counted in common, so that *needs* are kept; or note what is in the way."""
        units = _Units(self._waves)
        for place in places:
            units.instance(self.roots[place].expansion, self.roots[place].schedule, None)
        for place, user, other, made in needs:
            units.need(user, made, 1 if place != other else 0)
        layers = units.layers()
        if layers is None:
            batches = [each for place in places for each in self.roots[place].batch]
            known = [set(circle) for _, circle in self.circles]
            self.circles += [each for each in units.circles(batches) if set(each[1]) not in known]
            del self.circles[MOST_SHOWN:]
            return
        for place in places:
            self.roots[place].layers = layers


def nested_in(root: Expansion) -> Iterator[Expansion]:
    """An instance, and all that are nested in it."""
    yield root
    for outcome in root.outcomes.values():
        for item in outcome.items:
            if item.nested is not None:
                yield from nested_in(item.nested)


def _needs(roots: Sequence[Root]) -> Iterator[_Need]:
    """What lies in a namespace of the output, or is of a kind that the output defines."""
    makers: dict[tuple[str, str], tuple[int, Emitted]] = {}
    defined: dict[tuple[str, str], tuple[int, Emitted]] = {}
    for place, root in enumerate(roots):
        for each in root.batch:
            if each.comes_first and id(each) not in root.pinned:
                key = identity(each.object)
                if key[:2] == NAMESPACE:
                    makers["", key[3]] = (place, each)
                elif key[:2] == CRD:
                    defined.update((kind, (place, each)) for kind in scope_from_crd(each.object))
    if not (makers or defined):
        return
    for place, root in enumerate(roots):
        for each in root.batch:
            if id(each) in root.pinned:
                continue
            group, kind, namespace, _ = identity(each.object)
            if namespace and (made := makers.get(("", namespace))) is not None:
                yield place, each, *made
            if (made := defined.get((group, kind))) is not None:
                yield place, each, *made


class _Units:
    """What has a layer of its own, by number: a node, all that a node makes, an instance itself. What each needs, how many layers before."""

    def __init__(self, waves: str) -> None:
        self._waves = waves
        self._numbers: dict[tuple[int, str, str | None], int] = {}
        self._ends: dict[tuple[int, str], int] = {}
        self._least: list[int] = []
        """The layer in the schedule of its root."""
        self._needs: list[list[tuple[int, int]]] = []
        self._objects: dict[tuple[int, int], tuple[Emitted, Emitted]] = {}

    def _new(self, least: int = 0) -> int:
        self._least.append(least)
        self._needs.append([])
        return len(self._needs) - 1

    def instance(self, expansion: Expansion, schedule: Schedule, start: int | None) -> int:
        """All of an instance, no earlier than its schedule has it. Returns the number of the instance itself."""
        own = self._numbers[id(expansion), SELF, None] = self._new(schedule.layer(expansion, SELF))
        gating = schedule.gates_of(expansion)
        if start is not None:
            self._needs[own].append((start, 0))
        for node_id in expansion.program.order:
            outcome = expansion.outcomes[node_id]
            unit = end = self._numbers[id(expansion), node_id, None] = self._new(schedule.first(expansion, node_id))
            if start is not None:
                self._needs[unit].append((start, 0))
            for source in outcome.node.dependencies:
                other = expansion.outcomes[source]
                if source in gating[node_id]:
                    self._needs[unit].append((self._ends[id(expansion), source], 1))
                else:
                    is_edge = self._waves == EVERY_EDGE and bool(other.items) and not other.node.is_external
                    self._needs[unit].append((self._numbers[id(expansion), source, None], int(is_edge)))
            nested = [item for item in outcome.items if item.nested is not None]
            if nested:
                end = self._new()
                self._needs[end].append((unit, 0))
            for item in nested:
                assert item.nested is not None
                made = self.instance(item.nested, schedule, unit)
                self._numbers[id(expansion), node_id, item.key] = made
                self._needs[end].append((made, 0))
            self._ends[id(expansion), node_id] = end
            if outcome.items and not outcome.node.is_external:
                self._needs[own].append((end, 0))
        return own

    def _unit(self, each: Emitted) -> int:
        own = self._numbers.get((id(each.expansion), each.node, each.key))
        return self._numbers[id(each.expansion), each.node, None] if own is None else own

    def need(self, user: Emitted, made: Emitted, before: int) -> None:
        """*before*: how many layers, at least."""
        pair = self._unit(user), self._unit(made)
        if pair not in self._objects:
            self._objects[pair] = (user, made)
            self._needs[pair[0]].append((pair[1], before))

    def layers(self) -> dict[tuple[int, str, str | None], int] | None:
        """The least that keep all needs; None if there are none."""
        found = [0] * len(self._needs)
        for group in groups_in_order([[other for other, _ in needs] for needs in self._needs]):
            among = set(group)
            layer = max(self._least[unit] for unit in group)
            for unit in group:
                for other, before in self._needs[unit]:
                    if other not in among:
                        layer = max(layer, found[other] + before)
                    elif before:
                        return None
            for unit in group:
                found[unit] = layer
        return {key: found[unit] for key, unit in self._numbers.items()}

    def circles(self, batch: Iterable[Emitted]) -> list[tuple[Emitted, list[Identity]]]:
        """A short one of each group that has any, from a Namespace or CRD on, by what waits for what."""
        shown: dict[int, Emitted] = {}
        for each in batch:
            shown.setdefault(self._unit(each), each)
        found = []
        for group in groups_in_order([[other for other, _ in needs] for needs in self._needs]):
            among = set(group)
            late = next(
                ((unit, other) for unit in group for other, before in self._needs[unit] if before and other in among),
                None,
            )
            if late is not None:
                found.append(self._named(self._way(late[1], late[0], among), shown))
        return found

    def _way(self, start: int, end: int, among: set[int]) -> list[int]:
        """The shortest from *start* to what it needs, that to what it needs, and so on to *end*."""
        came_from = {start: start}
        pending = [start]
        while end not in came_from:
            following = []
            for unit in pending:
                for other, _ in self._needs[unit]:
                    if other in among and other not in came_from:
                        came_from[other] = unit
                        following.append(other)
            pending = following
        way = [end]
        while way[-1] != start:
            way.append(came_from[way[-1]])
        return way[::-1]

    def _named(self, way: list[int], shown: dict[int, Emitted]) -> tuple[Emitted, list[Identity]]:
        """The objects on a way back to where it begins. Every one leads over a need of a Namespace or CRD: the RGDs have no circles."""
        _, place = min((unit, i) for i, unit in enumerate(way) if (way[i - 1], unit) in self._objects)
        way = [*way[place:], *way[:place]]
        objects = []
        for i, unit in enumerate(way):
            following = self._objects.get((unit, way[(i + 1) % len(way)]))
            before = self._objects.get((way[i - 1], unit))
            named = following[0] if following else before[1] if before else shown.get(unit)
            if named is not None:
                objects.append(named)
        return objects[0], [identity(each.object) for each in objects]
