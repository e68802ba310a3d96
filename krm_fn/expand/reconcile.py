"""
One step of kro as a pure function: what it would send now, what waits and for what, what is left out.

Enters: a Program, an instance as it is in a cluster, the objects that are there.  Leaves: a `Step`.  Not known here: sending,
pruning, what the cluster makes of it (`simulate`, `status_sync`); `status` says how the instance stands afterwards.

Here expressions see what exists and nothing else. A render is the closure of this: `instance` takes every object that is sent to
exist, and goes on.

Source: kro v0.9.3 pkg/controller/instance/resources.go.
"""

from __future__ import annotations

from krm_fn.expand.instance import subject_of
from krm_fn.expand.labels import RECONCILE, child_labels
from krm_fn.expand.node import expand_node
from krm_fn.expand.observed import identity
from krm_fn.expand.outcome import DEFERRED, RESOLVED, Fault
from krm_fn.expand.readiness import publish
from krm_fn.expand.scene import Scene
from krm_fn.program import model

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from krm_fn.expand.instance import World
    from krm_fn.expand.observed import Identity, Observed
    from krm_fn.expand.outcome import Item, Outcome
    from krm_fn.program.model import Node, Program

_SUSPENDED = ("suspended", "disabled")


class Step:
    """
    What one step comes to.

    outcomes: by node id, in topological order: RESOLVED (its items are sent; of an external reference, what was seen), EXCLUDED, or
    DEFERRED (its waits say for what).  fault: what ends the step before anything is sent, with the node's id in `failed`.  clash:
    two nodes that make one object.  terminating: the node whose object is being deleted, and the object's name.  is_suspended:
    whether the instance asks to be left alone.
    """

    __slots__ = (
        "clash", "failed", "fault", "instance", "is_suspended", "outcomes", "program", "subject", "terminating", "world",
    )  # fmt: skip

    def __init__(self, program: Program, instance: dict[str, Any], world: World) -> None:
        self.program = program
        self.instance = instance
        self.world = world
        self.subject = subject_of(instance)
        self.outcomes: dict[str, Outcome] = {}
        self.fault: Fault | None = None
        self.failed = ""
        self.clash = ""
        self.terminating: tuple[str, str] | None = None
        self.is_suspended = is_suspended(instance)

    @property
    def sends(self) -> bool:
        """Whether it gets as far as to send what is resolved."""
        return not (self.fault or self.clash or self.terminating or self.is_suspended)

    @property
    def first_unresolved(self) -> Outcome | None:
        return next((outcome for outcome in self.outcomes.values() if outcome.state == DEFERRED), None)

    @property
    def may_prune(self) -> bool:
        """Whether all that is wanted is known, so that what is not among it may go, unless something is refused."""
        return self.sends and self.first_unresolved is None

    def applied(self) -> Iterator[tuple[Node, Item]]:
        """What is sent, dependencies first."""
        if self.sends:
            for outcome in self.outcomes.values():
                if outcome.state == RESOLVED and not outcome.node.is_external:
                    for item in outcome.items:
                        yield outcome.node, item

    def scene(self, live: Observed) -> Scene:
        """What expressions of this instance see before the first node, with *live* in the cluster."""
        namespace = self.subject.namespace if self.program.definition.namespaced else ""
        scene = Scene(self.program, self.subject, namespace, live, self.world.shapes)
        scene.exact = True
        scene.tainted = self.world.tainted
        scene.outcomes = self.outcomes
        scene.names[model.SCHEMA] = self.schema()
        return scene

    def schema(self, status: dict[str, Any] | None = None) -> Any:
        """The variable `schema`: the instance without its status, or with the one that is given."""
        view = {key: value for key, value in self.instance.items() if key != "status"}
        if status is not None:
            view["status"] = status
        return self.world.shapes.typed(view, self.program)


def is_suspended(instance: dict[str, Any]) -> bool:
    annotations = instance["metadata"].get("annotations") or {}
    return str(annotations.get(RECONCILE, "")).lower() in _SUSPENDED


def reconcile(program: Program, instance: dict[str, Any], live: Observed, world: World) -> Step:
    """
    What kro would do now for *instance*, which is as the cluster holds it, with *live* there.

    Never raises a Fault: the step carries it.
    """
    step = Step(program, instance, world)
    if step.is_suspended:
        return step
    scene = step.scene(live)
    if world.kro_labels:
        scene.labels = child_labels(program, instance, instance["metadata"].get("uid") or "")
    for name in program.order:
        node = program.nodes[name]
        try:
            outcome = expand_node(node, scene)
        except Fault as fault:
            step.outcomes.pop(name, None)
            step.fault, step.failed = fault, name
            break
        if outcome.state != RESOLVED:
            continue
        twice = repeated(outcome)
        if twice:
            step.outcomes.pop(name)
            step.failed = name
            step.fault = scene.fault("identity-clash", f"two items of {name!r} are one object: {twice}", node=node)
            break
        publish(outcome, scene)
        if name in scene.broken_gates and node.is_external:
            step.outcomes.pop(name)
            step.fault, step.failed = scene.broken_gates[name], name
            break
        step.terminating = _terminating(outcome, live)
        if step.terminating is not None:
            break
    if step.fault is None:
        step.clash = _clash(step)
    return step


def repeated(outcome: Outcome) -> str:
    """The identity that two of its items have, if any."""
    seen: set[Identity] = set()
    if not outcome.node.is_external:
        for item in outcome.items:
            key = identity(item.object)
            if key in seen:
                return "/".join(part for part in key[1:] if part)
            seen.add(key)
    return ""


def _terminating(outcome: Outcome, live: Observed) -> tuple[str, str] | None:
    """kro touches nothing while an object that it would send is being deleted."""
    if outcome.node.is_external:
        return None
    for i, item in enumerate(outcome.items):
        _, _, namespace, name = identity(item.object)
        found = live.child(outcome.node, item, i)
        if found is not None and found["metadata"].get("deletionTimestamp"):
            return outcome.node.id, f"{namespace}/{name}" if namespace else name
    return None


def _clash(step: Step) -> str:
    """The nodes that make one object; kro then sends nothing."""
    makers: dict[Identity, str] = {}
    found: list[str] = []
    for outcome in step.outcomes.values():
        if outcome.node.is_external:
            continue
        for i, item in enumerate(outcome.items):
            maker = f"{outcome.node.id}-{i}" if outcome.node.is_collection else outcome.node.id
            first = makers.setdefault(identity(item.object), maker)
            if first is not maker:
                found.append(f"resourceID: {maker} conflicts with resourceID: {first}")
    return ", ".join(found)
