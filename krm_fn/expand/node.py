"""
One node of one instance: excluded, deferred, or its objects.

Enters: a Node and the `Scene` (what expressions see, how the nodes before it ended).  Leaves: an `Outcome`; the node's own
view is put into the scene for those after it.  Not known here: nested instances (`instance` expands them), output.

The rules are those of one kro reconcile in which everything before this node has been applied (v0.9.3 pkg/runtime/node*.go):

1. A dependency that is excluded excludes the node; so does an own includeWhen that is false. includeWhen is asked first, and
   one that reads resources waits until they are ready.
2. A dependency that is deferred or not ready defers the node.
3. The template's expressions are evaluated. An unknown value defers. A missing one is what kro takes for data that is not there
   yet: it defers too. Every other error is the author's bug: a `Fault`.

Only what step 3 finds missing below `schema` cannot come later: kro waits for ever, and the wait says so.
"""

from __future__ import annotations

from krm_fn.cel import EvaluationError
from krm_fn.cel.values import Unknown
from krm_fn.expand.outcome import APPLY_TIME, DEFERRED, DEPENDENCY, EXCLUDED, MISSING, RESOLVED, UNKNOWN, Outcome, Wait
from krm_fn.expand.resolve import resolve
from krm_fn.program import model

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krm_fn.expand.scene import Scene
    from krm_fn.program.model import Node


def begin_node(node: Node, scene: Scene) -> Outcome:
    """Whether *node* is part of the instance: RESOLVED so far if it is, EXCLUDED, or DEFERRED where a condition waits."""
    outcome = scene.outcomes[node.id] = Outcome(node, RESOLVED)
    for dependency in node.dependencies:
        if scene.outcomes[dependency].state == EXCLUDED:
            outcome.state = EXCLUDED
            outcome.why_excluded = (dependency, None)
            return outcome
    if node.include_when:
        _ask_conditions(node, scene, outcome)
    return outcome


def expand_node(node: Node, scene: Scene) -> Outcome:
    """How *node* ends. Raises Fault for what kro would end in ERROR."""
    outcome = begin_node(node, scene)
    if outcome.state != RESOLVED:
        return outcome
    unseen: list[Wait] = []
    for dependency in node.dependencies:
        wait = _waits_for(dependency, scene)
        if wait is not None:
            (unseen if _is_unseen(dependency, scene) else outcome.waits).append(wait)
    blocked = bool(outcome.waits or unseen)
    # In a step of kro nothing is evaluated before every dependency lets the node pass.
    objects = None if scene.exact and outcome.waits else resolve(node, scene, outcome)
    if unseen and not outcome.waits:
        # No expression needed a value of it, yet kro waits until it exists.
        outcome.waits = unseen
    if objects is not None and outcome.waits and not blocked:
        outcome.state = APPLY_TIME
        outcome.items = objects
    elif outcome.waits or objects is None:
        outcome.state = DEFERRED
        scene.names[node.id] = Unknown(node.id)
    else:
        outcome.items = objects
    return outcome


def give_up(node: Node, scene: Scene) -> None:
    """After a fault: nothing is known of the node, so that those after it can still be looked at for faults of their own."""
    outcome = scene.outcomes[node.id] = Outcome(node, DEFERRED)
    outcome.waits = [Wait(UNKNOWN, (node.id,))]
    scene.names[node.id] = Unknown(node.id)


def _waits_for(dependency: str, scene: Scene) -> Wait | None:
    """Why a dependency keeps its dependents waiting, if it does."""
    found = scene.outcomes[dependency]
    if found.state == DEFERRED:
        first = found.waits[0]
        return Wait(DEPENDENCY, first.paths, None, (dependency, *first.chain), first.detail)
    if dependency in scene.broken_gates:
        raise scene.broken_gates[dependency]
    gate = scene.gates.get(dependency)
    return None if gate is None else Wait(gate.reason, gate.paths, gate.compiled, (dependency,), gate.detail, gate.item)


def _is_unseen(dependency: str, scene: Scene) -> bool:
    """Whether it is an external reference that nobody observed: what is read of it says best what is waited for."""
    found = scene.outcomes[dependency]
    return found.node.is_external and found.state == DEFERRED and found.waits[0].compiled is None


# -- includeWhen ----------------------------------------------------------------------------------------------------


def _ask_conditions(node: Node, scene: Scene, outcome: Outcome) -> None:
    """What includeWhen makes of the outcome: as it is where all conditions hold, EXCLUDED, or DEFERRED with the waits."""
    waits: list[Wait] = []
    if scene.exact:
        # A step of kro asks whether the conditions' resources are ready before it evaluates the first of them.
        roots = dict.fromkeys(root for compiled in node.include_when for root in compiled.roots if root != model.SCHEMA)
        waits = [wait for wait in (_waits_for(root, scene) for root in roots) if wait is not None]
    for compiled in node.include_when:
        if scene.exact and waits:
            break
        resources = [root for root in compiled.roots if root != model.SCHEMA]
        blocked = [
            wait
            for wait in (_waits_for(root, scene) for root in resources if not _is_unseen(root, scene))
            if wait is not None
        ]
        if blocked:
            waits += blocked
            continue
        try:
            value = scene.evaluate(compiled)
        except EvaluationError as error:
            if not (resources and error.is_pending):
                raise scene.evaluation_fault(error, compiled, node, f"includeWhen of {node.id!r}") from None
            waits.append(Wait(MISSING, (error.missing or resources[0],), compiled, detail=str(error)))
            continue
        if type(value) is Unknown:
            waits.append(Wait(UNKNOWN, value.paths, compiled))
        elif value is None or value is False:
            outcome.state = EXCLUDED
            outcome.why_excluded = ("", compiled)
            return
        elif value is not True:
            raise scene.not_a_bool("includeWhen", value, compiled, node)
    if waits:
        outcome.waits = waits
        outcome.state = DEFERRED
        scene.names[node.id] = Unknown(node.id)
