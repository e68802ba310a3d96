"""
What the status of an instance says: the author's fields, the conditions, the state.

Enters: a `Step` of kro and the objects that are there after it; or, for the fields alone, the `Scene` of an expansion.  Leaves: a
`Conclusion`, whose `status` is what kro would write.  Not known here: who writes it, and where.

The texts of conditions are kro's, since people and authors' own conditions read them.
Source: kro v0.9.3 pkg/controller/instance/status.go, state.go, resources.go; pkg/runtime/conditions.go.
"""

from __future__ import annotations

from itertools import pairwise

from krm_fn.cel import EvaluationError
from krm_fn.cel.library.conditions import RUNTIME, conditions_of
from krm_fn.cel.values import Unknown
from krm_fn.expand.fields import user_fields
from krm_fn.expand.observed import identity
from krm_fn.expand.outcome import EXCLUDED, RESOLVED
from krm_fn.expand.readiness import publish
from krm_fn.expand.words import why_not_ready, why_unresolved
from krm_fn.program import model

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from krm_fn.cel.library.conditions import Condition
    from krm_fn.expand.observed import Identity, Observed
    from krm_fn.expand.outcome import Outcome
    from krm_fn.expand.reconcile import Step
    from krm_fn.expand.scene import Scene
    from krm_fn.program.model import Compiled

ACTIVE, IN_PROGRESS, ERROR = "ACTIVE", "IN_PROGRESS", "ERROR"
SYNCED, SKIPPED, DELETING, WAITING = "SYNCED", "SKIPPED", "DELETING", "WAITING_FOR_READINESS"
"""States of nodes, besides IN_PROGRESS and ERROR: kro v0.9.3 api/v1alpha1."""

_SETTLED = frozenset((SYNCED, SKIPPED))
_MANAGED = ("InstanceManaged", "True", "Managed", "instance is properly managed with finalizers and labels")
_GRAPH = ("GraphResolved", "True", "Resolved", "runtime graph created and all resources resolved")


class Conclusion:
    """
    How an instance stands after a step.

    states: by node id.  state: of the instance.  status: all of it, to be written.  unknown: paths of the author's fields that
    have no value yet.  problems: what is wrong with expressions of the status, one text each.
    """

    __slots__ = ("problems", "state", "states", "status", "unknown")

    def __init__(self) -> None:
        self.states: dict[str, str] = {}
        self.state = IN_PROGRESS
        self.status: dict[str, Any] = {}
        self.unknown: list[str] = []
        self.problems: list[str] = []


def conclude(
    step: Step,
    live: Observed,
    refused: Mapping[Identity, str],
    *,
    previous: dict[str, Any] | None,
    generation: int | None,
    now: str,
) -> Conclusion:
    """
    What kro says after *step*.

    live: what is there now, with what the step sent.  refused: what the API server did not take, and why.  previous: the status so
    far, whose transition times are kept.  generation: of the instance.  now: RFC 3339, for transitions.
    """
    done = Conclusion()
    scene = step.scene(live)
    scene.names.update((node_id, Unknown(node_id)) for node_id in step.program.nodes)
    errors: list[str] = []
    for outcome in step.outcomes.values():
        state, error = _node_state(outcome, scene, refused, sent=step.sends)
        done.states[outcome.node.id] = state
        if error:
            errors.append(error)
    if step.failed:
        done.states[step.failed] = ERROR
    if step.terminating is not None:
        done.states[step.terminating[0]] = DELETING
    done.state = _state(done.states)
    conditions = _built_in(_ready_condition(step, done.state, sorted(errors)))
    fields, done.unknown = user_fields(step.program, scene, done.problems)
    written = [dict(zip(("type", "status", "reason", "message"), each, strict=True)) for each in conditions]
    before = [each for each in (previous or {}).get("conditions") or () if isinstance(each, dict)]
    if step.program.conditions:
        names = {**scene.names, model.SCHEMA: step.schema({"conditions": written})}
        authored = authors_conditions(step.program.conditions, names)
        written = authored.conditions
        done.problems += authored.problems
        if authored.problems:
            done.state = ERROR
        if authored.incomplete:
            said = {each["type"] for each in written}
            written += [each for each in before if each.get("type") not in said]
    done.status = {key: value for key, value in fields.items() if key not in ("conditions", "state")}
    done.status["conditions"] = [stamped(each, before, generation, now) for each in written]
    done.status["state"] = done.state
    return done


def _node_state(outcome: Outcome, scene: Scene, refused: Mapping[Identity, str], *, sent: bool) -> tuple[str, str]:
    """The state of a node, and what kro says against it. The node's view is put into the scene."""
    node = outcome.node
    if outcome.state != RESOLVED:
        return (SKIPPED if outcome.state == EXCLUDED else IN_PROGRESS), ""
    publish(outcome, scene)
    if not sent and outcome.items and not node.is_external:
        return IN_PROGRESS, ""
    for i, item in enumerate(() if node.is_external else outcome.items):
        error = refused.get(identity(item.object))
        if error is not None:
            return ERROR, f"collection item {i}: {error}" if node.is_collection else error
    fault = scene.broken_gates.get(node.id)
    if fault is not None:
        return ERROR, fault.message
    wait = scene.gates.get(node.id)
    return (SYNCED, "") if wait is None else (WAITING, why_not_ready(node, wait))


def _state(states: Mapping[str, str]) -> str:
    if ERROR in states.values():
        return ERROR
    return ACTIVE if _SETTLED.issuperset(states.values()) else IN_PROGRESS


def _ready_condition(step: Step, state: str, errors: list[str]) -> tuple[str, str, str, str]:
    """ResourcesReady."""
    if step.is_suspended:
        return ("ResourcesReady", "False", "NotReady", "awaiting resource readiness: <nil>")
    if step.terminating is not None:
        node, shown = step.terminating
        what = f'resource "{shown}" for node "{node}" is currently being deleted'
        return (
            "ResourcesReady",
            "False",
            "ResourceDeleting",
            f"{what}; waiting for deletion to complete before continuing reconciliation",
        )
    why = ""
    if step.fault is not None:
        why = step.fault.message
    elif step.clash:
        why = f"found resources with conflicts: {step.clash}"
    elif errors:
        why = "apply results contain errors: " + "\n".join(errors)
    else:
        unresolved = step.first_unresolved
        if unresolved is not None:
            why = f"waiting for unresolved resource: {why_unresolved(unresolved, step.program.nodes)}"
    if not why and state == ACTIVE:
        return ("ResourcesReady", "True", "AllResourcesReady", "all resources are created and ready")
    return ("ResourcesReady", "False", "NotReady", f"resource reconciliation failed: {why}")


def _built_in(ready: tuple[str, str, str, str]) -> list[tuple[str, str, str, str]]:
    """The four conditions that kro writes by itself; Ready says what ResourcesReady does."""
    _, status, reason, message = ready
    summary = ("Ready", "True", "Ready", "") if status == "True" else ("Ready", status, reason, message)
    return [_MANAGED, _GRAPH, ready, summary]


def stamped(
    condition: dict[str, Any], before: list[dict[str, Any]], generation: int | None, now: str
) -> dict[str, Any]:
    """With generation and time; the time is that of the last change of its status."""
    if "lastTransitionTime" in condition:
        return condition
    stamped = {key: value for key, value in condition.items() if value or key == "message"}
    then = next(
        (e for e in before if e.get("type") == condition["type"] and e.get("status") == condition["status"]), {}
    )
    stamped["lastTransitionTime"] = then.get("lastTransitionTime") or now
    if generation is not None:
        stamped["observedGeneration"] = generation
    return stamped


class Authored:
    """
    What the RGD's own conditions come to, which stand in for kro's.

    incomplete: some expression gave none, so that older conditions stay.  problems: what is wrong with them; the state is ERROR then.
    """

    __slots__ = ("conditions", "incomplete", "problems")

    def __init__(self) -> None:
        self.conditions: list[dict[str, Any]] = []
        self.incomplete = False
        self.problems: list[str] = []


def authors_conditions(expressions: Sequence[Compiled], names: Mapping[str, Any]) -> Authored:
    """*names*: what expressions see; `schema` with kro's own conditions in its status."""
    done = Authored()
    found: list[Condition] = []
    for compiled in expressions:
        try:
            conditions = conditions_of(compiled.run({**names, model.RUNTIME: RUNTIME}))
        except EvaluationError as error:
            done.incomplete = True
            if not error.is_pending:
                done.problems.append(f"status.conditions: {error}")
            continue
        if isinstance(conditions, Unknown) or any(
            isinstance(v, Unknown) for c in conditions for v in c.cel_fields.values()
        ):
            done.incomplete = True
        else:
            found += conditions
    kinds = [condition.cel_fields["type"] for condition in found]
    twice = sorted({kind for kind, following in pairwise(sorted(kinds)) if kind == following})
    if twice:
        done.incomplete = True
        done.problems.append(
            f"status.conditions: more than one is of type {', '.join(twice)}; all of these are dropped"
        )
    kept = [condition.cel_fields for condition in found if condition.cel_fields["type"] not in twice]
    done.conditions = [{key: value for key, value in fields.items() if value} for fields in kept]
    return done
