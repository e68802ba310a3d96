"""
Which instances wait, so that nothing of theirs may go.

Enters: the Expansions of a run.  Leaves: for the name of an instance, whether what it made must stay.  Not known here: what lives, and how
it is given (`held`), which no run needs that has seen nothing.
"""

from __future__ import annotations

from krm_fn.expand.outcome import DEFERRED, HELD
from krm_fn.expand.ownership import kind_of_owner, owner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from krm_fn.expand.outcome import Expansion, Outcome
    from krm_fn.program.model import Program


class Keeping:
    """Which instances wait, so that nothing of theirs may go. `follow` every expansion of a run, then ask."""

    def __init__(self, programs: Mapping[tuple[str, str], Program]) -> None:
        self.instances: set[str] = set()
        self._programs = programs
        self._waiting: set[str] = set()
        self._possible: set[tuple[str, str]] = set()
        """The kinds of nested instances that a waiting instance may make."""

    def follow(self, expansion: Expansion) -> None:
        name = owner(expansion.subject)
        self.instances.add(name)
        if is_waiting(expansion.outcomes.values()):
            self._waiting.add(name)
            self._add_possible(expansion.program)
        for outcome in expansion.outcomes.values():
            for made in outcome.items:
                if made.nested is not None:
                    self.follow(made.nested)

    def _add_possible(self, program: Program) -> None:
        rest = [program]
        while rest:
            for node in rest.pop().nodes.values():
                kind = (node.group, node.object_kind)
                if kind in self._programs and kind not in self._possible and not node.is_external:
                    self._possible.add(kind)
                    rest.append(self._programs[kind])

    @property
    def is_needed(self) -> bool:
        return bool(self._waiting)

    def keeps(self, instance: str) -> bool:
        """Whether what *instance* made must stay. One that is not there any more may be nested in one that waits."""
        if instance in self.instances:
            return instance in self._waiting
        return kind_of_owner(instance) in self._possible


def is_waiting(outcomes: Iterable[Outcome]) -> bool:
    """Whether anything of an instance is unresolved."""
    return any(outcome.state in (DEFERRED, HELD) for outcome in outcomes)
