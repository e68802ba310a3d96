"""
What is wrong between an expansion and what was seen: objects of another version, and values that feed on themselves.

Enters: expansions, one after the other, and the `Observed` that they were made with.  Leaves: diagnostics.  Not known here: where the
objects were read from.

An external reference may name an object that an instance makes.  If that object is made of what is read there, then every look at the
cluster changes what is rendered, and the next look changes it again: there is no output that is the right one.
"""

from __future__ import annotations

from krm_fn.expand.observed import identity
from krm_fn.expand.ownership import owner
from krm_fn.program.nesting import groups_in_order
from krm_fn.report.diagnostic import Diagnostic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import TypeAlias

    from krm_fn.expand.observed import Identity, Observed
    from krm_fn.expand.outcome import Expansion, Outcome
    from krm_fn.inputs import Entry
    from krm_fn.program.model import Node, Program
    from krm_fn.report.diagnostic import Subject

    Place: TypeAlias = tuple[str, str]
    """An instance and the id of a node."""


_SHOWN = 12


def _shown(way: list[str]) -> str:
    if len(way) > _SHOWN:
        way = [*way[: _SHOWN - 2], f"{len(way) - _SHOWN + 1} more", way[-1]]
    return " -> ".join(way)


class ObservedChecks:
    """Held against all expansions of a run. `finish` says what only shows when all are known."""

    def __init__(
        self, observed: Observed, add: Callable[[Diagnostic], None], entries: Mapping[tuple[str, str], Entry]
    ) -> None:
        self._observed = observed
        self._add = add
        self._entries = entries
        self._needs: dict[Place, list[Place]] = {}
        """What a node is made of: other nodes of its instance, and the node that made the instance."""
        self._reads: dict[Place, tuple[list[Identity], Program, Node, Subject]] = {}
        """What external references found."""
        self._makers: dict[Identity, Place] = {}

    def add(self, expansion: Expansion, parent: Place | None = None) -> None:
        if not self._observed.given:
            return
        name = owner(expansion.subject)
        for outcome in expansion.outcomes.values():
            node = outcome.node
            place = (name, node.id)
            self._needs[place] = [(name, dependency) for dependency in node.dependencies]
            if parent is not None:
                self._needs[place].append(parent)
            found = [identity(item.object) for item in outcome.items]
            if node.is_external and found:
                self._reads[place] = (found, expansion.program, node, expansion.subject)
            if not node.is_external:
                self._makers.update((key, place) for key in found)
            self._refuse_other_versions(outcome, expansion)
            for item in outcome.items:
                if item.nested is not None:
                    self.add(item.nested, place)

    def _refuse_other_versions(self, outcome: Outcome, expansion: Expansion) -> None:
        node = outcome.node
        for item in outcome.items:
            key = identity(item.object)
            seen = self._observed.find(key)
            if seen is None or seen["apiVersion"] == node.api_version:
                continue
            group, _, version = node.api_version.rpartition("/")
            named = f"{key[1].lower()}.{version}.{group}" if group else key[1].lower()
            self._add(
                Diagnostic(
                    "observed-wrong-version",
                    f"{key[1]} {key[3]} was observed as {seen['apiVersion']}, and {node.id} of {expansion.subject} is {node.api_version}",
                    position=self._entries[expansion.program.key].locate((*node.path, "id")),
                    span=len(node.id),
                    subject=expansion.subject,
                    help=f"its fields may have other names there: take it from `kubectl get {named} {key[3]} -o yaml`",
                )
            )

    def finish(self) -> None:
        """Say which references read what is made of them, each once."""
        if not any(key in self._makers for found, *_ in self._reads.values() for key in found):
            return
        said: set[Place] = set()
        circles = self._circles()
        for place, (found, program, node, subject) in sorted(self._reads.items(), key=lambda entry: entry[0]):
            if place in said or place not in circles:
                continue
            circle = self._way_back(place, circles)
            if not circle:
                continue
            said.update(circle)
            made = next(key for key in found if self._makers.get(key) == circle[1])
            self._add(
                Diagnostic(
                    "observed-cycle",
                    f"{node.id} reads {made[1]} {made[3]}, which is made of what {node.id} reads: "
                    + _shown([each for _, each in (*circle, place)]),
                    position=self._entries[program.key].locate((*node.path, "id")),
                    span=len(node.id),
                    subject=subject,
                    help="every look at the cluster would change it again: read another object, or make this one of something else",
                )
            )

    def _next(self, place: Place) -> Iterator[Place]:
        yield from self._needs.get(place, ())
        if place in self._reads:
            yield from (self._makers[key] for key in self._reads[place][0] if key in self._makers)

    def _circles(self) -> dict[Place, int]:
        """The nodes that are on a way back to themselves, and a number for those that lie on each other's."""
        places = list(self._needs)
        numbers = {place: i for i, place in enumerate(places)}
        following = [[numbers[other] for other in self._next(place) if other in numbers] for place in places]
        found: dict[Place, int] = {}
        for i, members in enumerate(groups_in_order(following)):
            if len(members) > 1 or members[0] in following[members[0]]:
                found.update((places[number], i) for number in members)
        return found

    def _way_back(self, start: Place, circles: Mapping[Place, int]) -> list[Place]:
        """The nodes on a shortest way from what *start* reads back to it; none where it is on a circle by what it is named by alone."""
        before: dict[Place, Place] = {}
        made = (self._makers.get(key) for key in self._reads[start][0])
        level = [maker for maker in made if maker is not None and circles.get(maker) == circles[start]]
        before.update((maker, start) for maker in level)
        while level:
            following: list[Place] = []
            for place in level:
                if place == start:
                    return self._path(before, start)
                for other in self._next(place):
                    if other not in before and circles.get(other) == circles[start]:
                        before[other] = place
                        following.append(other)
            level = following
        return []

    @staticmethod
    def _path(before: dict[Place, Place], start: Place) -> list[Place]:
        way = [start]
        place = before[start]
        while place != start:
            way.append(place)
            place = before[place]
        return [start, *reversed(way[1:])]
