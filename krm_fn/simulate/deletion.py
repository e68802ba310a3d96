"""
One reconcile of an instance that is being deleted: kro takes its nodes away one by one, the last one first.

Enters: the cluster, the RGD, which instance.  Leaves: the cluster changed; what was removed, in the step's record.  Not known here: when it is
called again.

A node is found by the name that its template gives it, whatever its object's labels say; the items of a collection by their labels. Nothing but what
the nodes before it are is looked at. Where a condition cannot be asked any more, because it needs something that is gone, kro goes no
further, and the instance stays for ever.

Source: kro v0.9.3 pkg/controller/instance/deletion.go.
"""

from __future__ import annotations

from contextlib import suppress
from itertools import product

from krm_fn.cel import EvaluationError, to_json
from krm_fn.cel.values import OMIT, Unknown
from krm_fn.expand.outcome import RESOLVED, Fault, Item, Outcome
from krm_fn.expand.readiness import publish
from krm_fn.expand.reconcile import Step
from krm_fn.program import model
from krm_fn.simulate.cluster import Refused
from krm_fn.simulate.history import Removed
from krm_fn.simulate.instances import FINALIZER, INSTANCE_ID, NODE_ID

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from krm_fn.expand.observed import Identity
    from krm_fn.expand.scene import Scene
    from krm_fn.program.model import Node
    from krm_fn.simulate.cluster import Cluster
    from krm_fn.simulate.graphs import Graph
    from krm_fn.simulate.history import StepRecord
    from krm_fn.simulate.instances import Memory

DELETING = "DELETING"
_IDENTITY = (("metadata", "name"), ("metadata", "namespace"))


class _Stuck(Exception):  # noqa: N818 - where kro goes no further
    """Why the deletion does not go on."""


class _Pending(Exception):  # noqa: N818 - as in `EvaluationError.is_pending`
    """A name that has no value."""


def reconcile_deletion(key: Identity, graph: Graph, cluster: Cluster, memory: Memory, record: StepRecord) -> None:
    """Delete the objects of the last node that has any; without one, let the instance go."""
    assert graph.program is not None
    assert graph.world is not None
    instance = cluster.find(key)
    assert instance is not None
    step = Step(graph.program, instance, graph.world)
    scene = step.scene(cluster.store)
    try:
        found = _plan(scene, instance, cluster)
    except _Stuck as stuck:
        memory.unwritten[key] = f"deletion goes no further: {stuck}"
        _mark(key, cluster)
        return
    if found is None:
        cluster.finish(key, FINALIZER)
        memory.unwritten.pop(key, None)
        return
    node, targets = found
    for place in targets:
        live = cluster.find(place)
        if live is not None and "deletionTimestamp" not in live["metadata"]:
            record.deleted.append(Removed(key, node.id, place))
        cluster.delete(place)
        memory.forget(key, place)
    _mark(key, cluster)


def _plan(scene: Scene, instance: dict[str, Any], cluster: Cluster) -> tuple[Node, list[Identity]] | None:
    """The last node with objects, and these. Raises _Stuck."""
    program = scene.program
    ignored: set[str] = set()
    last: tuple[Node, list[Identity]] | None = None
    for name in program.order:
        node = program.nodes[name]
        if ignored.intersection(node.dependencies) or not _is_included(node, scene):
            ignored.add(name)
            continue
        scene.names[name] = Unknown(name)
        try:
            places = list(_identities(node, scene, cluster))
        except _Pending as pending:
            if node.is_external:
                raise _Stuck(str(pending)) from None
            continue
        if node.kind == model.EXTERNAL_COLLECTION:
            # Its selector is resolved again at every reconcile; nothing of the deletion needs what it finds but conditions.
            _observe(node, [], scene)
        elif node.is_collection:
            items = _items(node, instance, cluster)
            if places and items:
                last = (node, [place for place in places if place in items])
                _observe(node, [body for place in places if (body := items.get(place)) is not None], scene)
        else:
            live = cluster.find(places[0])
            if live is not None:
                _observe(node, [live], scene)
                last = last if node.is_external else (node, places)
    return last


def _observe(node: Node, objects: list[dict[str, Any]], scene: Scene) -> None:
    outcome = scene.outcomes[node.id] = Outcome(node, RESOLVED)
    outcome.items = [Item(body) for body in objects]
    publish(outcome, scene)


def _is_included(node: Node, scene: Scene) -> bool:
    for compiled in node.include_when:
        for root in compiled.roots:
            if root == model.SCHEMA:
                continue
            if root not in scene.outcomes or scene.program.nodes[root].kind == model.COLLECTION:
                raise _Stuck(f"includeWhen of {node.id!r} needs {root!r}")
            if root in scene.gates or root in scene.broken_gates:
                raise _Stuck(f"includeWhen of {node.id!r} needs {root!r} to be ready")
    for compiled in node.include_when:
        try:
            value = scene.evaluate(compiled)
        except EvaluationError as error:
            raise _Stuck(f"includeWhen of {node.id!r}: {error}") from None
        if value is not True:
            if value is None or value is False:
                return False
            raise _Stuck(f"includeWhen of {node.id!r} has no value")
    return True


def _identities(node: Node, scene: Scene, cluster: Cluster) -> Iterator[Identity]:
    """What the template calls its objects. Raises _Pending, _Stuck."""
    wanted = {i for path, i in node.holes if path in _IDENTITY}
    try:
        if node.kind != model.COLLECTION:
            yield _identity(node, {i: _value(scene.evaluate(node.values[i])) for i in wanted}, scene, cluster)
            return
        dimensions = [_value(to_json(dimension.values.run(scene.names))) for dimension in node.dimensions]
        for combination in product(*dimensions):
            names = dict(scene.names)
            names.update(zip((dimension.name for dimension in node.dimensions), combination, strict=True))
            yield _identity(node, {i: _value(to_json(node.values[i].run(names))) for i in wanted}, scene, cluster)
    except EvaluationError as error:
        if error.is_pending:
            raise _Pending(str(error)) from None
        raise _Stuck(f"{node.id!r}: {error}") from None
    except Fault as fault:
        raise _Stuck(fault.message) from None


def _value(value: Any) -> Any:
    if isinstance(value, Unknown):
        raise _Pending(", ".join(value.paths))
    return None if value is OMIT else value


def _identity(node: Node, values: dict[int, Any], scene: Scene, cluster: Cluster) -> Identity:
    metadata = node.shape([values.get(i) for i in range(len(node.values))])["metadata"]
    namespace = metadata.get("namespace") or scene.namespace or "default"
    body = {
        "apiVersion": node.api_version,
        "kind": node.object_kind,
        "metadata": {"name": metadata.get("name") or "", "namespace": namespace},
    }
    return cluster.identity_of(body)


def _items(node: Node, instance: dict[str, Any], cluster: Cluster) -> dict[Identity, dict[str, Any]]:
    """The objects of a collection, by the labels that kro put on them."""
    return {
        place: body
        for place, body in cluster.store.labelled(INSTANCE_ID, instance["metadata"]["uid"])
        if place[:2] == (node.group, node.object_kind) and body["metadata"]["labels"].get(NODE_ID) == node.id
    }


def _mark(key: Identity, cluster: Cluster) -> None:
    """Write into the status that the instance is being deleted."""
    instance = cluster.find(key)
    if instance is None:
        return
    status = instance.get("status") or {}
    under = {"status": "Unknown", "reason": "UnderDeletion", "message": "deleting resources"}
    conditions = [
        {**each, **under} if each.get("type") in ("ResourcesReady", "Ready") else each
        for each in status.get("conditions") or []
    ]
    with suppress(Refused):
        cluster.write_status(key, {**status, "conditions": conditions, "state": DELETING})
