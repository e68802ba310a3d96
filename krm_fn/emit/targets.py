"""
What a target adds to the objects, so that whatever applies them keeps the order.

Enters: an instance's expansion and its objects.  Leaves: the objects with the target's own annotations; at the end, markers for what
is withheld.  Not known here: how an order comes about (`order`), where objects go.

    plain    nothing: document order is all
    argocd   sync waves; a suspended Job where something is withheld, and Jobs for what its health checks cannot say
    kpt      depends-on
    flux     nothing: layers are folders
"""

from __future__ import annotations

from krm_fn.emit.argocd import POST_SYNC, SYNC, WAVE, place, waiting_marker, with_wave
from krm_fn.emit.kpt import (
    LONGEST,
    annotated_bytes,
    is_referable,
    own_references,
    reference,
    referred,
    with_dependencies,
)
from krm_fn.emit.marks import SELF, is_local
from krm_fn.emit.order_words import (
    awaited_by_argo_cd,
    awaited_by_kstatus,
    cannot_depend,
    depends_on_nothing,
    many_layers,
    no_marker,
    too_long,
    waits_in_a_circle,
)
from krm_fn.emit.plain import Emitted
from krm_fn.expand.observed import identity
from krm_fn.expand.outcome import DEFERRED, HELD
from krm_fn.expand.ownership import owner
from krm_fn.order.between import Between
from krm_fn.order.cycles import Needs
from krm_fn.order.layers import GATED
from krm_fn.order.schedule import MOST, Schedule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from krm_fn.emit.flux.kustomizations import Plan, Settings
    from krm_fn.emit.gate_jobs import GateJobs
    from krm_fn.emit.lua.checks import Gap
    from krm_fn.expand.instance import World
    from krm_fn.expand.observed import Identity
    from krm_fn.expand.outcome import Expansion
    from krm_fn.inputs import Entry
    from krm_fn.report.diagnostic import Diagnostic, Subject

PLAIN, ARGOCD, KPT, FLUX = "plain", "argocd", "kpt", "flux"
TARGETS = (PLAIN, ARGOCD, KPT, FLUX)
MARKER = "waiting-marker"
"""Stands for the node where the object is a marker. No node can have this id: it is no name in CEL."""
_MANY = 100
"""Layers, from which on it takes so long that somebody should know."""
_FEW = 500
"""References that are never too long together: a name has 253 characters, and so has a namespace with a group."""
_SPLIT = "split the instance, or let fewer objects wait for each other"
_RENAME = "give that object another name"
_WRITE = "write GROUP/namespaces/NAMESPACE/KIND/NAME, or GROUP/KIND/NAME where the kind is of no namespace"
_SHOWN = 200


class Order:
    """
    What the caller chose.

    target: one of TARGETS.  waves: `gated` or `every-edge`.  base, step: Argo CD's first wave, and how far one is from the next.
    marker: whether what is withheld shows in Argo CD.  gate_image: of the Jobs that wait where Argo CD's health checks cannot; empty for
    none.  flux: what Flux needs to know besides, with that target.
    """

    __slots__ = ("base", "flux", "gate_image", "marker", "step", "target", "waves")

    def __init__(
        self,
        target: str = PLAIN,
        *,
        waves: str = GATED,
        base: int = 0,
        step: int = 1,
        marker: bool = True,
        gate_image: str = "",
        flux: Settings | None = None,
    ) -> None:
        self.target = target
        self.waves = waves
        self.base = base
        self.step = step
        self.marker = marker
        self.gate_image = gate_image
        self.flux = flux


class Ordering:
    """
    One run. `arranged` for each root instance, `beside` for what else is applied, then `last` and `finish`.

    namespace: of instances that have none.  crds: of the input.  flux: the directory that comes of it, with that target.
    """

    def __init__(
        self,
        order: Order,
        world: World,
        entries: Mapping[tuple[str, str], Entry],
        add: Callable[[Diagnostic], None],
        *,
        instances: bool,
        namespace: str,
        crds: Iterable[dict[str, Any]] = (),
    ) -> None:
        self._order = order
        self._world = world
        self._entries = entries
        self._add = add
        self._instances = instances
        self._last: int | None = None
        self._hooks: list[tuple[Mapping[str, Any], list[str], int]] = []
        self._between = Between(world.programs, order.waves, instances=instances)
        self._open: list[tuple[Schedule, list[Emitted]]] = []
        self._waiting: dict[tuple[str, str], list[tuple[Expansion, dict[str, list[str]]]]] = {}
        self._roots: list[Emitted] = []
        self._needs = Needs()
        self._late: dict[Identity, Emitted] = {}
        self._left = MOST
        self._beside: set[Identity] = set()
        self._local: set[Identity] = set()
        self._own: list[tuple[Emitted, str, Identity]] = []
        self._said: set[tuple[object, str]] = set()
        self._namespace = namespace
        self._crds = crds
        self._jobs: GateJobs | None = None
        self.flux: Plan | None = None
        if order.flux is not None:
            from krm_fn.emit.flux.kustomizations import Plan

            self.flux = Plan(order.flux, world, order.waves, instances=instances)

    def arranged(self, expansion: Expansion, batch: list[Emitted]) -> list[Emitted]:
        """
        The objects of an instance, each with what its target needs to know.

        None yet of one that may have to wait for others, or one that they may wait for: those are among `last`.
        """
        schedule = Schedule(expansion, self._world, self._order.waves, instances=self._instances)
        if self.flux is not None:
            self._count(schedule)
            self.flux.add(expansion, batch, schedule, _waits(expansion))
            return batch
        if self._order.target == ARGOCD and (waits := _waits(expansion)):
            name = expansion.subject.namespace, expansion.subject.name
            self._waiting.setdefault(name, []).append((expansion, waits))
        if self._order.target == KPT:
            self._local.update(identity(each.object) for each in batch if _is_local(each.object))
        if self._between.add(schedule, self._local):
            self._open.append((schedule, batch))
            return []
        return self._placed(schedule, batch)

    def _count(self, schedule: Schedule) -> None:
        root = schedule.root
        if schedule.end >= _MANY and self._is_news(root.program.key, "layers"):
            self._add(many_layers(root.subject, root.program, schedule.end + 1, self._entries))

    def _placed(self, schedule: Schedule, batch: list[Emitted]) -> list[Emitted]:
        self._count(schedule)
        if self._order.target == KPT:
            self._depend(schedule, batch)
            return batch
        # An instance that is not ready would hold up every later wave of the others: all go into the last one.
        own = [each for each in batch if each.expansion is schedule.root and each.node == SELF]
        self._roots += own
        batch = batch[: len(batch) - len(own)]
        jobs = self._gate_jobs(schedule)
        for each in batch:
            if each.expansion is not None:
                layer = schedule.layer(each.expansion, each.node, each.key)
                wave = self._order.base + layer * self._order.step
                if jobs is not None:
                    jobs.seen(each, wave)
                each.object = with_wave(each.object, wave)
                self.beside(each.object)
                self._follow(each, schedule.gates(each.expansion, each.node, each.key), schedule)
        return batch

    def _is_news(self, about: object, what: str) -> bool:
        is_news = (about, what) not in self._said
        self._said.add((about, what))
        return is_news

    # ---- kpt

    def _depend(self, schedule: Schedule, batch: list[Emitted]) -> None:
        for expansion, node_id in schedule.gating():
            node = expansion.program.nodes[node_id]
            if node.ready_when and self._is_news(expansion.program.key, node_id):
                self._add(awaited_by_kstatus(node, expansion.program, self._entries))
        written: dict[tuple[int, str], list[str]] = {}
        for each in batch:
            if each.expansion is None:
                continue
            gates = schedule.gates(each.expansion, each.node, each.key)
            self._follow(each, gates, schedule, self._of_the_author(each))
            key = (id(each.expansion), each.node)
            if each.node not in each.expansion.outcomes or key not in written:
                written[key] = sorted(reference(gate) for gate in gates if gate not in self._local)
                unsaid = next((gate for gate in gates if not is_referable(gate)), None)
                if unsaid is not None:
                    self._cannot(each, f"there is a comma or a blank in the name {unsaid[3]!r}", _RENAME)
            self._left -= len(written[key])
            if self._left < 0 or schedule.is_cut:
                if self._is_news(owner(schedule.root.subject), "too many"):
                    self._cannot(each, f"more than {MOST:,} objects would be named")
                continue
            each.object = with_dependencies(each.object, written[key])
            if len(written[key]) > _FEW and (size := annotated_bytes(each.object)) > LONGEST:
                self._cannot(each, too_long(size))

    def _of_the_author(self, each: Emitted) -> tuple[Identity, ...]:
        """What an object refers to by itself."""
        found = []
        for text in own_references(each.object):
            named = referred(text)
            if named is None:
                self._cannot(each, f"{text[:_SHOWN]!r} names no object", _WRITE)
            else:
                found.append(named)
                self._own.append((each, text, named))
        return tuple(found)

    def _cannot(self, each: Emitted, why: str, advice: str = _SPLIT) -> None:
        if self._is_news((owner(each.subject), each.node), "cannot"):
            node = each.program.nodes.get(each.node)
            self._add(cannot_depend(each.subject, node, each.program, self._entries, why, advice))

    # ---- Argo CD

    def beside(self, object: Mapping[str, Any]) -> None:  # noqa: A002
        """One more object that is applied with the others."""
        if self._order.target == KPT:
            key = _applied(object)
            if key is not None:
                self._beside.add(key)
            return
        phases, wave = place(object)
        if phases:
            self._hooks.append((object, phases, wave))
        if not phases or SYNC in phases:
            self._last = wave if self._last is None else max(self._last, wave)

    def kept(self, object: dict[str, Any], live: Mapping[str, Any]) -> dict[str, Any]:  # noqa: A002
        """What stays although nobody wants it now: in the wave in which it lives."""
        if self._order.target != ARGOCD:
            self.beside(object)
            return object
        annotations = live["metadata"].get("annotations")
        wave = place(live)[1] if isinstance(annotations, dict) and WAVE in annotations else 0
        made = with_wave(object, wave)
        self.beside(made)
        return made

    def _gate_jobs(self, schedule: Schedule) -> GateJobs | None:
        """Those of the run, from the first readyWhen on that something waits for."""
        gating = [(each, node_id) for each, node_id in schedule.gating() if each.program.nodes[node_id].ready_when]
        if gating and self._jobs is None:
            from krm_fn.emit.gate_jobs import GateJobs

            self._jobs = GateJobs(self._order.gate_image, self._namespace, self._crds, self._missed)
        if self._jobs is not None:
            self._jobs.expect(gating)
        return self._jobs

    def _missed(self, gap: Gap) -> None:
        if self._is_news(gap.program.key, gap.node.id):
            self._add(awaited_by_argo_cd(gap, self._entries))

    def last(self) -> tuple[list[Emitted], list[Emitted]]:
        """
        What comes after everything else: what was open, and the instances; and what we add, Jobs that wait and markers of what is withheld.

        The instances and the markers are in the last wave of all. A wave behind a marker would never begin.
        """
        self._between.settle()
        opened = [each for schedule, batch in self._open for each in self._placed(schedule, batch)]
        if self._order.target != ARGOCD:
            return opened, []
        last = self._order.base if self._last is None else self._last
        for each in self._roots:
            each.object = with_wave(each.object, last)
        jobs = self._jobs.made() if self._jobs is not None else ()
        return [*opened, *self._roots], [*jobs, *self._markers(last)]

    def _markers(self, last: int) -> list[Emitted]:
        if not self._order.marker or not self._waiting:
            return []
        for hook, phases, wave in self._hooks:
            # The end of a sync is not awaited, but for hooks; a suspended Job would keep them, and every later commit, waiting.
            if POST_SYNC in phases or (SYNC in phases and wave == last):
                self._add(no_marker(hook))
                return []
        made = []
        for waiting in self._waiting.values():
            lines = [line for each, waits in waiting for line in _lines(each.subject, waits, is_one=len(waiting) == 1)]
            marker = with_wave(waiting_marker([each.subject for each, _ in waiting], lines), last)
            first = waiting[0][0]
            made.append(Emitted(marker, first.program, first.subject, MARKER, ""))
        return made

    # ---- what cannot be

    def _follow(
        self, each: Emitted, gates: tuple[Identity, ...], schedule: Schedule, own: tuple[Identity, ...] = ()
    ) -> None:
        key = identity(each.object)
        is_tied = bool(own) or (bool(schedule.foreign) and not schedule.foreign.isdisjoint(gates))
        if self._needs.add(key, each.object, (*gates, *own) if own else gates, is_tied=is_tied):
            self._late[key] = each

    def finish(self) -> None:
        """Say what nothing can keep, and what nobody may keep."""
        if self.flux is not None:
            circles = self.flux.settle()
        else:
            circles = [(self._late[cycle[0]], cycle) for cycle in self._needs.cycles()]
        for late, cycle in circles:
            node = late.program.nodes.get(late.node)
            target = self._order.target
            self._add(waits_in_a_circle(cycle, late.subject, node, late.program, self._entries, target=target))
        for each, text, named in self._own:
            is_there = (named in self._needs or named in self._beside) and named not in self._local
            if not is_there and self._is_news((owner(each.subject), each.node), text):
                node = each.program.nodes.get(each.node)
                self._add(depends_on_nothing(each.subject, node, each.program, self._entries, text))


def _applied(object: Mapping[str, Any]) -> Identity | None:  # noqa: A002
    """The identity of a manifest of somebody else's; None where it is not applied, or is no manifest."""
    metadata = object.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("annotations") or {}, dict):
        return None
    texts = (object.get("apiVersion"), object.get("kind"), metadata.get("name"), metadata.get("namespace") or "")
    if _is_local(object) or not all(isinstance(text, str) for text in texts):
        return None
    return identity(dict(object))


def _is_local(object: Mapping[str, Any]) -> bool:  # noqa: A002
    return is_local(object["metadata"].get("annotations") or {})


def _waits(expansion: Expansion, within: str = "") -> dict[str, list[str]]:
    """Node -> the paths that it waits for, nested instances included."""
    found: dict[str, list[str]] = {}
    for node_id, outcome in expansion.outcomes.items():
        if outcome.state in (DEFERRED, HELD) and not outcome.node.is_external:
            found[f"{within}{node_id}"] = sorted({path for wait in outcome.waits for path in wait.paths})
        for item in outcome.items:
            if item.nested is not None:
                found |= _waits(item.nested, f"{owner(item.nested.subject)} ")
    return found


def _lines(subject: Subject, waits: Mapping[str, list[str]], *, is_one: bool) -> list[str]:
    """What waits, and for what. The kind is said where several instances of one name share a marker."""
    within = "" if is_one else f"{subject.kind} "
    return [f"{within}{node}: {', '.join(paths[:20])}" for node, paths in waits.items()]
