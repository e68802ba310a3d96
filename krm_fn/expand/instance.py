"""
One instance: its nodes in order, the instances that it makes of other RGDs, and its status.

Enters: a Program, an admitted instance, the `World` (all Programs, the observed objects, the options).  Leaves: an `Expansion`
whose items hold nested expansions.  Raises `Faults`, all at once.  Not known here: output, targets.

A node whose kind another Program defines is a nested instance: it is admitted and expanded at once, so that what its parent
reads of its status is known as far as its own nodes are.
"""

from __future__ import annotations

from krm_fn.cel.values import OpenMap, Unknown, root_of
from krm_fn.expand.fields import put, user_fields
from krm_fn.expand.node import expand_node, give_up
from krm_fn.expand.observed import Observed
from krm_fn.expand.outcome import APPLY_TIME, HELD, RESOLVED, Expansion, Fault, Faults
from krm_fn.expand.readiness import publish
from krm_fn.expand.scene import Scene
from krm_fn.expand.view import Shapes, instance_view
from krm_fn.program import model
from krm_fn.program.template import path_text
from krm_fn.report.diagnostic import Subject

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeAlias

    from krm_fn.expand.outcome import Item
    from krm_fn.program.model import Node, Program

    Admit: TypeAlias = Callable[[Program, dict[str, Any]], tuple[dict[str, Any], list[str]]]
    """A nested instance -> the admitted one and what its schema says against it."""

MAX_NESTING = 32


class World:
    """What every instance of a render shares."""

    __slots__ = ("admit", "apply_time", "fallback", "kro_labels", "observed", "programs", "shapes", "tainted")

    def __init__(
        self,
        programs: Mapping[tuple[str, str], Program],
        admit: Admit,
        observed: Observed | None = None,
        *,
        fallback: bool = False,
        apply_time: bool = False,
        kro_labels: bool = False,
    ) -> None:
        self.programs = programs
        self.admit = admit
        self.observed = observed or Observed()
        self.fallback = fallback
        self.apply_time = apply_time
        self.kro_labels = kro_labels
        self.shapes = Shapes()
        self.tainted = True
        """Whether Secrets of the cluster keep their values for themselves; not where the cluster is a script of the user's."""


def subject_of(instance: dict[str, Any]) -> Subject:
    metadata = instance["metadata"]
    return Subject(instance["apiVersion"], instance["kind"], metadata["name"], metadata.get("namespace") or "")


def expand_instance(
    program: Program, instance: dict[str, Any], world: World, ancestors: tuple[Subject, ...] = ()
) -> Expansion:
    """
    Every object of *instance*, nested ones included.

    *instance* is admitted and has its namespace. Raises Faults for what kro would end in ERROR before it applies anything.
    """
    subject = subject_of(instance)
    namespace = subject.namespace if program.definition.namespaced else ""
    scene = Scene(program, subject, namespace, world.observed, world.shapes)
    scene.closed = world.fallback
    if world.apply_time:
        from krm_fn.expand.apply_time import ApplyTime

        scene.apply_time = ApplyTime(world.programs)
    if world.kro_labels:
        from krm_fn.expand.labels import child_labels

        live = _live_metadata(program, instance, world)
        scene.labels = child_labels(program, instance, live.get("uid") or "")
    scene.names[model.SCHEMA] = instance_variable(program, instance, world)
    faults: list[Fault] = []
    for name in program.order:
        try:
            outcome = expand_node(program.nodes[name], scene)
            nested = world.programs.get((outcome.node.group, outcome.node.object_kind))
            if nested is not None and outcome.state == RESOLVED and not outcome.node.is_external:
                for item in outcome.items:
                    _expand_nested(nested, item, outcome.node, scene, world, (*ancestors, subject))
            if outcome.state in (RESOLVED, APPLY_TIME):
                publish(outcome, scene)
        except Fault as fault:
            faults.append(fault)
            give_up(program.nodes[name], scene)
        except Faults as nested_faults:
            faults += nested_faults.faults
            give_up(program.nodes[name], scene)
    if not faults and world.observed.given:
        _hold(scene, world, (*ancestors, subject), faults)
    if faults:
        raise Faults(faults)
    expansion = Expansion(program, instance, subject)
    expansion.outcomes = scene.outcomes
    expansion.status, expansion.unknown_status = user_fields(program, scene)
    return expansion


def instance_variable(program: Program, instance: dict[str, Any], world: World) -> Any:
    """The variable `schema` of an instance of the input."""
    live = _live_metadata(program, instance, world)
    extra: dict[str, Any] = {}
    if world.kro_labels:
        from krm_fn.expand.labels import instance_labels

        extra = instance_labels(program, instance)
        extra.update({key: value for key, value in (live.get("labels") or {}).items() if key in extra})
    return world.shapes.typed(instance_view(instance, live, extra), program)


def _live_metadata(program: Program, instance: dict[str, Any], world: World) -> dict[str, Any]:
    """What was observed of the instance's metadata."""
    metadata = instance["metadata"]
    namespace = (metadata.get("namespace") or "") if program.definition.namespaced else ""
    seen = world.observed.find((*program.key, namespace, metadata["name"]))
    return (seen or {}).get("metadata") or {}


def _hold(scene: Scene, world: World, trail: tuple[Subject, ...], faults: list[Fault]) -> None:
    """Give what lives of deferred nodes as it lives, nested instances with all that they make."""
    from krm_fn.expand.held import hold_deferred

    try:
        hold_deferred(scene)
        for outcome in scene.outcomes.values():
            nested = world.programs.get((outcome.node.group, outcome.node.object_kind))
            if nested is not None and outcome.state == HELD:
                for item in outcome.items:
                    _expand_nested(nested, item, outcome.node, scene, world, trail)
    except Fault as fault:
        faults.append(fault)
    except Faults as nested_faults:
        faults += nested_faults.faults


def _expand_nested(
    program: Program, item: Item, node: Node, scene: Scene, world: World, ancestors: tuple[Subject, ...]
) -> None:
    admitted, complaints = world.admit(program, item.object)
    if complaints:
        raise scene.fault(
            "nested-instance-invalid",
            f"{node.id!r} makes a {program.definition.kind} that its schema refuses: {'; '.join(complaints)}",
            node=node,
        )
    subject = subject_of(admitted)
    if len(ancestors) >= MAX_NESTING or str(subject) in [str(a) for a in ancestors]:
        trail = " -> ".join(str(a) for a in (*ancestors[-4:], subject))
        raise scene.fault("nesting-loop", f"instances make each other without end: {trail}", node=node)
    nested = item.nested = expand_instance(program, admitted, world, ancestors)
    seen = world.observed.find((*program.key, subject.namespace, subject.name))
    nested.status = _seen_status(nested, seen, node.id)


def _seen_status(nested: Expansion, seen: dict[str, Any] | None, node_id: str) -> dict[str, Any]:
    """
    What the parent sees as the status: computed fields, then what was observed, and all else unknown.

    `state` and `conditions` are what a controller says of the cluster: they come from observation alone.
    """
    observed = (seen or {}).get("status") or {}
    waiting = {root_of(path) for path in nested.unknown_status}
    status = {key: value for key, value in observed.items() if key in waiting or key in ("state", "conditions")}
    return OpenMap({**status, **_with_gaps(nested, node_id)}, f"{node_id}.status")


def _with_gaps(nested: Expansion, node_id: str) -> dict[str, Any]:
    """The status with an unknown for each item of a list that has no value yet; of a map, a key that is missing is unknown by itself."""
    unknown = set(nested.unknown_status)
    gaps = [
        path for path, _ in nested.program.status if path_text(path) in unknown and any(type(p) is int for p in path)
    ]
    if not gaps:
        return nested.status
    from copy import deepcopy

    status = deepcopy(nested.status)
    for path in gaps:
        put(status, path, Unknown(f"{node_id}.status.{path_text(path)}"))
    return status
