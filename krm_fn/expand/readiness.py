"""
What a node shows to those after it, and whether it keeps them waiting.

Enters: a resolved outcome, the `Scene`.  Leaves: the node's view among the scene's names; a `Wait` where a readyWhen does not hold.
Not known here: templates, inclusion.
"""

from __future__ import annotations

from krm_fn.cel import EvaluationError, to_json
from krm_fn.cel.values import Unknown
from krm_fn.expand.outcome import ABSENT, NEVER_READY, NOT_READY, Fault, Wait
from krm_fn.expand.view import as_stored, asked_view
from krm_fn.program import model

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krm_fn.expand.outcome import Item, Outcome
    from krm_fn.expand.scene import Scene
    from krm_fn.program.model import Asked, Node

_NAMES = ("name", "namespace")
"""What is known of an external object's metadata however little of it was looked at."""


def publish(outcome: Outcome, scene: Scene) -> None:
    """Let the nodes after a resolved one see it, and find out whether it keeps them waiting."""
    node = outcome.node
    if scene.exact:
        _publish_exactly(outcome, scene)
        return
    if node.asked is not None:
        _publish_view(outcome, node.asked, scene)
    elif node.ready_when:
        # It reads nothing of its object, nor does anybody else.
        scene.views[node.id] = [({}, False) for _ in outcome.items]
    if node.ready_when:
        wait = gate(node, scene)
        if wait is not None:
            scene.gates[node.id] = wait
            scene.names[node.id] = Unknown(node.id)


def _publish_exactly(outcome: Outcome, scene: Scene) -> None:
    """As kro sees it in one step: the objects that are there, and a gate unless all are. Source: pkg/runtime/node_readiness.go."""
    node = outcome.node
    items = enumerate(outcome.items)
    show(node, [found for i, item in items if (found := _live(node, item, i, scene)) is not None], scene)
    seen = scene.views[node.id]
    if len(seen) < len(outcome.items) or not (seen or node.is_collection):
        scene.gates[node.id] = Wait(ABSENT, (node.id,), detail=f"{len(seen)} of {len(outcome.items)}")
        return
    try:
        wait = gate(node, scene)
    except Fault as fault:
        scene.broken_gates[node.id] = fault
        return
    if wait is not None:
        scene.gates[node.id] = wait


def show(node: Node, seen: list[dict[str, Any]], scene: Scene) -> None:
    """Put *seen* before the expressions of an exact scene, as the objects of *node*."""
    # readyWhen gives no value that could get anywhere: it sees those of a Secret, too.
    scene.views[node.id] = [(_undecoded(view, node), True) for view in seen]
    if node.asked is None:
        return
    if scene.tainted:
        from krm_fn.expand.secrets import without_secrets

        at = f"{node.id}[{{}}]" if node.is_collection else node.id
        seen = [without_secrets(found, at.format(i)) for i, found in enumerate(seen)]
    views = [scene.shapes.typed(view, node) for view in seen]
    if node.is_collection:
        scene.names[node.id] = views
    else:
        scene.names[node.id] = views[0] if views else Unknown(node.id)


def _live(node: Node, item: Item, index: int, scene: Scene) -> dict[str, Any] | None:
    return item.object if node.is_external else scene.observed.child(node, item, index)


def _publish_view(outcome: Outcome, asked: Asked, scene: Scene) -> None:
    node = outcome.node
    views = []
    raw = scene.views[node.id] = []
    for i, item in enumerate(outcome.items):
        path = f"{node.id}[{i}]" if node.is_collection else node.id
        made = item.object if item.known is None else item.known
        desired = as_stored(made)
        if item.nested is not None:
            desired = {**item.nested.instance, "status": item.nested.status}
        if node.is_external:
            metadata = {key: item.object["metadata"].get(key) for key in _NAMES if key in item.object["metadata"]}
            desired = {"apiVersion": item.object["apiVersion"], "kind": item.object["kind"], "metadata": metadata}
        seen = _live(node, item, i, scene)
        view: Any
        if seen is not None:
            from krm_fn.expand.seen import seen_view

            view = seen_view(desired, seen, scene.observed.looked_at(seen), path, node.schema)
        elif scene.closed:
            from krm_fn.schema.defaults import defaulted

            view = defaulted(desired, node.schema)
        else:
            view = asked_view(desired, asked, path, node.schema)
            if item.nested is not None:
                # An instance was admitted: its spec is what a server stores, and nobody adds to it.
                view["spec"] = desired.get("spec", {})
        views.append(scene.shapes.typed(view, node))
        raw.append((_undecoded(view, node), seen is not None))
    scene.names[node.id] = views if node.is_collection else views[0]


class Undecoded(str):
    """A value of a Secret's `data` before readyWhen: for the checker bytes, and yet a text. No function takes it."""

    __slots__ = ()
    cel_type = "undecoded bytes"


def _undecoded(view: Any, node: Node) -> Any:
    is_read = node.ready_when and (node.group, node.object_kind) == ("", "Secret")
    return undecoded(view) if is_read else view


def undecoded(secret: Any) -> Any:
    """sic: kro gives readyWhen the raw object, and calls the functions that the checker has chosen for a typed one."""
    data = secret.get("data")
    if not isinstance(data, dict):
        return secret
    from copy import copy  # which brings along more than the whole render needs

    read, values = copy(secret), copy(data)
    values.update((key, Undecoded(value)) for key, value in data.items() if type(value) is str)
    read["data"] = values
    return read


def gate(node: Node, scene: Scene) -> Wait | None:
    """
    What keeps the node's dependents waiting: the first readyWhen that does not hold.

    One that is unknown counts as open: the applier waits for it. Source: kro v0.9.3 pkg/runtime/node_readiness.go.
    """
    own = model.EACH if node.is_collection else node.id
    for i, (view, is_observed) in enumerate(scene.views[node.id]):
        names = {own: view}
        for compiled in node.ready_when:
            path = f"{node.id}[{i}]" if node.is_collection else node.id
            if node.kind == model.EXTERNAL_COLLECTION and any(root != own for root in compiled.roots):
                # sic: kro evaluates it with `each` alone in scope, and allows nothing but the own id.
                return Wait(NEVER_READY, (node.id,), compiled, detail="no such attribute", item=i)
            try:
                value = to_json(compiled.run(names))
            except EvaluationError as error:
                if scene.exact and scene.tainted:
                    from krm_fn.expand.secrets import untold

                    error = untold(error, node)
                if not error.is_pending:
                    raise scene.evaluation_fault(error, compiled, node, f"readyWhen of {node.id!r}") from None
                return Wait(NOT_READY, (error.missing or path,), compiled, detail=str(error), item=i)
            if type(value) is Unknown:
                continue
            if value is None or value is False:
                reason = NOT_READY if is_observed else NEVER_READY
                return Wait(reason, compiled.paths.get(own, (path,)), compiled, item=i)
            if value is not True:
                raise scene.not_a_bool("readyWhen", value, compiled, node)
    return None
