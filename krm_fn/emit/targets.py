"""
What a target adds to the objects, so that whatever applies them keeps the order.

Enters: an instance's expansion and its objects.  Leaves: the objects with the target's own annotations; at the end, markers for what
is withheld.  Not known here: how an order comes about (`order`), where objects go.

    plain    nothing: document order is all
    argocd   sync waves, and a suspended Job where something is withheld
    kpt      depends-on
    flux     nothing: layers are folders
"""

from __future__ import annotations

from krm_fn.emit.argocd import waiting_marker, with_wave
from krm_fn.emit.kpt import with_dependencies
from krm_fn.emit.plain import Emitted
from krm_fn.expand.outcome import DEFERRED, HELD
from krm_fn.expand.ownership import owner
from krm_fn.order.layers import GATED
from krm_fn.order.schedule import Schedule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krm_fn.emit.flux.kustomizations import Plan, Settings
    from krm_fn.expand.instance import World
    from krm_fn.expand.outcome import Expansion

PLAIN, ARGOCD, KPT, FLUX = "plain", "argocd", "kpt", "flux"
TARGETS = (PLAIN, ARGOCD, KPT, FLUX)
MARKER = "waiting"
"""Stands for the node where the object is a marker. No node has this id of ours: markers bear no marks of a node."""


class Order:
    """
    What the caller chose.

    target: one of TARGETS.  waves: `gated` or `every-edge`.  base, step: Argo CD's first wave, and how far one is from the next.
    marker: whether what is withheld shows in Argo CD.  flux: what Flux needs to know besides, with that target.
    """

    __slots__ = ("base", "flux", "marker", "step", "target", "waves")

    def __init__(
        self,
        target: str = PLAIN,
        *,
        waves: str = GATED,
        base: int = 0,
        step: int = 1,
        marker: bool = True,
        flux: Settings | None = None,
    ) -> None:
        self.target = target
        self.waves = waves
        self.base = base
        self.step = step
        self.marker = marker
        self.flux = flux


class Ordering:
    """One run. `arranged` for each root instance, then `markers`.  flux: the directory that comes of it, with that target."""

    def __init__(self, order: Order, world: World, *, instances: bool) -> None:
        self._order = order
        self._world = world
        self._instances = instances
        self._end = 0
        self._waiting: list[tuple[Expansion, dict[str, list[str]]]] = []
        self.flux: Plan | None = None
        if order.flux is not None:
            from krm_fn.emit.flux.kustomizations import Plan

            self.flux = Plan(order.flux, world, instances=instances)

    def arranged(self, expansion: Expansion, batch: list[Emitted]) -> list[Emitted]:
        """The objects of an instance, each with what its target needs to know."""
        schedule = Schedule(expansion, self._world, self._order.waves, instances=self._instances)
        if self.flux is not None:
            self.flux.add(expansion, batch, schedule, _waits(expansion, ""))
            return batch
        if self._order.target == KPT:
            for each in batch:
                if each.expansion is not None:
                    each.object = with_dependencies(each.object, schedule.gates(each.expansion, each.node))
            return batch
        for each in batch:
            if each.expansion is not None:
                each.object = with_wave(each.object, self._wave(schedule.layer(each.expansion, each.node)))
        self._end = max(self._end, schedule.end)
        waits = _waits(expansion, "")
        if waits:
            self._waiting.append((expansion, waits))
        return batch

    def _wave(self, layer: int) -> int:
        return self._order.base + layer * self._order.step

    def markers(self) -> list[Emitted]:
        """One for each instance of which something is withheld, in the last wave of all: one behind it would never begin."""
        if self._order.target != ARGOCD or not self._order.marker:
            return []
        made = []
        for expansion, waits in self._waiting:
            marker = with_wave(waiting_marker(expansion, waits), self._wave(self._end))
            made.append(Emitted(marker, expansion.program, expansion.subject, MARKER, ""))
        return made


def _waits(expansion: Expansion, within: str) -> dict[str, list[str]]:
    """Node -> what it waits for, nested instances included."""
    found: dict[str, list[str]] = {}
    for node_id, outcome in expansion.outcomes.items():
        shown = f"{within}{node_id}"
        if outcome.state in (DEFERRED, HELD) and not outcome.node.is_external:
            found[shown] = sorted({path for wait in outcome.waits for path in wait.paths})
        for item in outcome.items:
            if item.nested is not None:
                found |= _waits(item.nested, f"{owner(item.nested.subject)} ")
    return found
