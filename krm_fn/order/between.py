"""
What instances of one output wait for of each other.

Enters: the schedules of root instances.  Leaves: the schedules, with what lies behind objects of others put behind them.  Not known
here: targets.

An external reference is a gate, wherever the output makes the object itself: what it gives is what a cluster has of it. A reference to
an instance waits for all that this one makes, unless that closes a loop: the instance itself is there before. Instances that refer to
nothing of each other have schedules of their own.
"""

from __future__ import annotations

from krm_fn.expand.observed import identity
from krm_fn.order.layers import Behind, arrange
from krm_fn.program.model import MADE_FIRST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from krm_fn.expand.observed import Identity
    from krm_fn.expand.outcome import Expansion, Outcome
    from krm_fn.order.schedule import Schedule
    from krm_fn.program.model import Program


class Between:
    """One run: `add` for each root instance, then `settle`."""

    __slots__ = ("_instances", "_kinds", "_open", "_places", "_waves")

    def __init__(self, programs: Mapping[tuple[str, str], Program], waves: str, *, instances: bool) -> None:
        self._waves = waves
        self._instances = instances
        self._kinds = {
            (node.group, node.object_kind)
            for program in programs.values()
            for node in program.nodes.values()
            if node.is_external
        }
        self._open: list[Schedule] = []
        self._places: dict[Identity, _Place] = {}

    def add(self, schedule: Schedule, without: Collection[Identity] = ()) -> bool:
        """
        Note what others may refer to.

        Returns whether its order is open until all others are known. without: objects that nobody can wait for.
        """
        if not self._kinds:
            return False
        is_open = bool(schedule.external)
        found: dict[Identity, _Place] = {}
        for expansion in schedule.expansions():
            key = identity(expansion.instance)
            if key[:2] in self._kinds and (made := schedule.made(expansion)):
                found[key] = _Place(schedule, expansion, "", made)
            for node_id, outcome in expansion.outcomes.items():
                kind = (outcome.node.group, outcome.node.object_kind)
                if outcome.node.is_external or kind not in self._kinds:
                    continue
                for item in outcome.items:
                    if item.nested is None and (key := identity(item.object)) not in without:
                        found[key] = _Place(schedule, expansion, node_id, (key,))
                # Somebody may wait for it who was not known so far.
                is_open = is_open or bool(outcome.node.ready_when)
        if is_open:
            self._open.append(schedule)
        else:
            for place in found.values():
                place.close()
        self._places |= found
        return is_open

    def settle(self) -> None:
        """Arrange those that are open."""
        ties: dict[tuple[int, str], list[_Place]] = {}
        tied: list[Schedule] = []
        for schedule in self._open:
            before = len(ties)
            for expansion, node_id in schedule.external:
                keys = _referred(expansion.outcomes[node_id])
                if found := [self._places[key] for key in keys if key in self._places]:
                    ties[id(expansion), node_id] = found
            if len(ties) > before:
                tied.append(schedule)
        if not tied:
            return
        moving = {id(schedule) for schedule in tied}
        gates = {id(each): schedule.gates_of(each) for schedule in tied for each in schedule.expansions()}
        roots = [schedule.root for schedule in tied]
        while True:
            layers = arrange(
                roots,
                lambda each: gates[id(each)],
                self._waves,
                instances=self._instances,
                ties={key: [place.behind(moving) for place in places] for key, places in ties.items()},
            )
            loops = {(key, id(each.expansion)) for key, each in layers.loops if not each.node_id}
            if not loops:
                break
            # Objects that close a loop stay gates, so that it is found.
            for key, of in loops:
                ties[key] = [place for place in ties[key] if place.node_id or place.of != of]
        objects: dict[tuple[int, str], tuple[Identity, ...]] = {}
        for key, places in ties.items():
            objects[key] = tuple(dict.fromkeys(each for place in places for each in place.objects))
            for place in places:
                place.await_()
        for schedule in tied:
            schedule.tie(layers, objects)


def _referred(outcome: Outcome) -> list[Identity]:
    """What an external reference names; of a collection, what was observed of it. Not observed, it has held dependents at most."""
    if outcome.items or outcome.node.is_collection or outcome.sought is None:
        return [identity(item.object) for item in outcome.items]
    return [outcome.sought]


class _Place:
    """Where an object of the output is. Once its layer cannot change any more, nothing of its instance is kept."""

    __slots__ = ("_expansion", "_layer", "_schedule", "node_id", "objects", "of")

    def __init__(self, schedule: Schedule, expansion: Expansion, node_id: str, objects: tuple[Identity, ...]) -> None:
        self._schedule: Schedule | None = schedule
        self._expansion: Expansion | None = expansion
        self._layer = 0
        self.node_id = node_id
        self.objects = objects
        self.of = id(expansion)

    def _now(self) -> int:
        if self._schedule is None or self._expansion is None:
            return self._layer
        return self._schedule.layer(self._expansion, self.node_id)

    def close(self) -> None:
        self._layer = self._now()
        self._schedule = self._expansion = None
        self.of = 0

    def behind(self, moving: Collection[int]) -> Behind:
        """As a tie. moving: the schedules whose layers are open, by `id`."""
        distance = int(bool(not self.node_id or self.objects[0][:2] not in MADE_FIRST))
        settled = self._schedule is None or id(self._schedule) not in moving
        return Behind(self._expansion, self.node_id, self._now() if settled else None, distance)

    def await_(self) -> None:
        if self._schedule is not None and self._expansion is not None and self.node_id:
            self._schedule.await_(self._expansion, self.node_id)
