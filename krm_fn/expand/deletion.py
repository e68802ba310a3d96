"""
What kro would take away next of an instance that is being deleted.

Enters: a Program, an instance, the objects that are there.  Leaves: a `Deletion`: one node and its objects, the last ones first; or
that nothing is left; or why kro goes no further.  Not known here: removing anything, finalizers, when it is asked again.

Objects are found by what their templates call them, and nothing else of a template is evaluated, nor does a node wait until those
before it are ready. Only its conditions do: where one reads an object that is gone, kro cannot tell and goes no further.

Source: kro v0.9.3 pkg/controller/instance/deletion.go, pkg/runtime/node.go (GetDesiredIdentity, DeleteTargets).
"""

from __future__ import annotations

from krm_fn.cel.values import Unknown
from krm_fn.expand.node import begin_node
from krm_fn.expand.observed import identity
from krm_fn.expand.outcome import ABSENT, DEFERRED, EXCLUDED, Fault, Wait
from krm_fn.expand.readiness import publish, show
from krm_fn.expand.reconcile import Step, repeated
from krm_fn.expand.resolve import resolve
from krm_fn.program import model
from krm_fn.program.template import compile_shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krm_fn.expand.instance import World
    from krm_fn.expand.observed import Observed
    from krm_fn.expand.outcome import Outcome
    from krm_fn.expand.scene import Scene
    from krm_fn.program.model import Node, Program

DELETED, LEFT_OUT, IN_PROGRESS, FAILED = "DELETED", "SKIPPED", "IN_PROGRESS", "ERROR"
"""States of nodes, as kro writes them."""

_LABELS = ("kro.run/instance-id", "kro.run/node-id")
_NAMED_BY = ("name", "namespace")
_SELECTED_BY = ("namespace", "selector")


class Deletion:
    """
    What comes next.

    states: by node id, in topological order, as far as kro looks.  node, targets: whose objects go now, and the live objects
    (none of a collection whose names nobody asks for any more: kro then waits for ever).  failed, waits, fault: the node at which
    kro gives up, with the conditions that wait or the fault.  is_done: nothing is left, and the instance may go.
    """

    __slots__ = ("failed", "fault", "node", "states", "targets", "waits")

    def __init__(self) -> None:
        self.states: dict[str, str] = {}
        self.node: Node | None = None
        self.targets: list[dict[str, Any]] = []
        self.failed = ""
        self.waits: list[Wait] = []
        self.fault: Fault | None = None

    @property
    def is_done(self) -> bool:
        return self.node is None and not self.failed


def plan_deletion(program: Program, instance: dict[str, Any], live: Observed, world: World) -> Deletion:
    """
    The last node in topological order that has objects in *live*, and those to be deleted now.

    *instance* is as the cluster holds it. Never raises a Fault: the plan carries it.
    """
    plan = Deletion()
    scene = Step(program, instance, world).scene(live)
    uid = instance["metadata"].get("uid") or ""
    for name in program.order:
        node = program.nodes[name]
        try:
            plan.states[name] = _look_at(node, scene, uid, plan)
        except Fault as fault:
            plan.states[name], plan.failed, plan.fault = FAILED, name, fault
        if plan.states[name] == FAILED:
            plan.node, plan.targets = None, []
            break
    return plan


def _look_at(node: Node, scene: Scene, uid: str, plan: Deletion) -> str:
    """The state of one node; what is to be deleted of it goes into *plan*."""
    outcome = begin_node(node, scene)
    if outcome.state == EXCLUDED:
        return LEFT_OUT
    found = resolve(identity_part(node), scene, outcome) if outcome.state != DEFERRED else None
    if found is None and (node.is_external or outcome.state == DEFERRED):
        plan.failed, plan.waits = node.id, outcome.waits
        return FAILED
    outcome.waits = []
    outcome.items = found or []
    if twice := repeated(outcome):
        raise scene.fault("identity-clash", f"two items of {node.id!r} are one object: {twice}", node=node)
    if not found and not node.is_external:
        return _gone(node, scene)
    if node.kind == model.COLLECTION:
        return _look_at_items(outcome, scene, uid, plan)
    publish(outcome, scene)
    if node.is_external:
        return LEFT_OUT
    seen = [view for view, _ in scene.views[node.id]]
    if not seen:
        return DELETED
    plan.node, plan.targets = node, seen
    return IN_PROGRESS


def _look_at_items(outcome: Outcome, scene: Scene, uid: str, plan: Deletion) -> str:
    """Items are found by kro's labels, in every namespace; of these, those go that the template names, in its order."""
    node = outcome.node
    wanted = {"matchLabels": dict(zip(_LABELS, (uid, node.id), strict=True))}
    seen = scene.observed.select(node.group, node.object_kind, "", wanted) or []
    if not seen:
        return _gone(node, scene)
    show(node, seen, scene)
    # sic: a collection that is being deleted was never computed, so that conditions which read it wait.
    scene.gates[node.id] = Wait(ABSENT, (node.id,))
    by_identity = {identity(found): found for found in seen}
    asked = [identity(item.object) for item in outcome.items]
    plan.node, plan.targets = node, [by_identity[key] for key in asked if key in by_identity]
    return IN_PROGRESS


def _gone(node: Node, scene: Scene) -> str:
    scene.names[node.id] = Unknown(node.id)
    scene.gates[node.id] = Wait(ABSENT, (node.id,))
    return DELETED


def identity_part(node: Node) -> Node:
    """*node* cut down to what names its objects: of its template the name, namespace or selector alone."""
    kept = _SELECTED_BY if node.kind == model.EXTERNAL_COLLECTION else _NAMED_BY
    metadata = {key: value for key, value in node.template["metadata"].items() if key in kept}
    template = {"apiVersion": node.api_version, "kind": node.object_kind, "metadata": metadata}
    named = model.Node(node.id, node.index, node.kind, template, node.path)
    named.namespaced = node.namespaced
    named.dimensions = node.dimensions
    for path, i in node.holes:
        if path[0] == "metadata" and len(path) > 1 and path[1] in kept:
            if node.values[i] not in named.values:
                named.values.append(node.values[i])
            named.holes.append((path, named.values.index(node.values[i])))
    named.shape = compile_shape(template, dict(named.holes))
    return named
