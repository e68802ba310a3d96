"""
What lives and must stay while its instance waits.

Enters: an expansion whose nodes are done, the objects that somebody saw.  Leaves: HELD outcomes with the objects as they live; the
bodies of living objects.  Not known here: output, who prunes, which instances wait (`keeping`).

kro prunes nothing of an instance while anything of it is unresolved. Appliers of rendered output do not know of that: what is left
out is pruned. So a node that waits now, and whose object lives, is given as it lives: every path that its template sets, read
from the live object, so that the applier finds no difference. And as long as an instance waits, so does everything else of it
that lives and is not wanted any more.
"""

from __future__ import annotations

from krm_fn.cel import EvaluationError
from krm_fn.expand.outcome import DEFERRED, HELD, Fault, Item
from krm_fn.expand.ownership import maker, owner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from krm_fn.expand.observed import Identity
    from krm_fn.expand.outcome import Outcome
    from krm_fn.expand.ownership import Owned
    from krm_fn.expand.scene import Scene
    from krm_fn.program.model import Node

_OBSERVE = "observe again, so that the snapshot holds all of it"
_SECRET = ("", "Secret")
_SERVERS = (
    "uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "selfLink", "ownerReferences",
    "deletionTimestamp", "deletionGracePeriodSeconds",
)  # fmt: skip
"""What a server writes into metadata, or what ties an object to another one of that cluster."""


def hold_deferred(scene: Scene) -> None:
    """Turn deferred nodes whose objects live into HELD ones. Raises Fault where an object lives and cannot be given as it does."""
    own: dict[str, list[Owned]] = {}
    for each in scene.observed.owned_by(owner(scene.subject)):
        own.setdefault(each.node, []).append(each)
    for outcome in scene.outcomes.values():
        node = outcome.node
        if outcome.state != DEFERRED or node.is_external:
            continue
        found = own.get(node.id, [])
        items = [Item(living(each, scene, node), each.item) for each in found]
        if not found:
            items = _by_name(outcome, scene)
        if items:
            outcome.state = HELD
            outcome.items = items


def _by_name(outcome: Outcome, scene: Scene) -> list[Item]:
    """The one object of a node, where its name is known and it lives, and bears no other's marks."""
    node = outcome.node
    key = None if node.is_collection else _identity(node, scene)
    seen = None if key is None else scene.observed.living(key)
    if seen is None or maker(seen) is not None or key is None or key[:2] == _SECRET:
        return []
    return [Item(as_it_lives(seen, node.template, scene.labels))]


def _identity(node: Node, scene: Scene) -> Identity | None:
    """The identity of a node's object, as far as it does not depend on what it waits for."""
    metadata = node.template.get("metadata") or {}
    known = {field: metadata.get(field) for field in ("name", "namespace")}
    for path, index in node.holes:
        if path[:1] == ("metadata",) and len(path) == 2 and path[1] in known:
            try:
                known[str(path[1])] = scene.evaluate(node.values[index])
            except EvaluationError:
                return None
    name, given = known["name"], known["namespace"]
    if not isinstance(name, str) or not (given is None or isinstance(given, str)):
        return None
    namespace = "" if node.namespaced is False else given or scene.namespace
    return (node.group, node.object_kind, namespace, name)


def living(each: Owned, scene: Scene, node: Node) -> dict[str, Any]:
    """A living object of *node*, as it is to be given. Errors: Fault."""
    seen = scene.observed.living(each.identity)
    why = cannot_hold(each, seen, node)
    if why:
        raise Fault("cannot-hold", why, scene.program, scene.subject, node=node, help=_OBSERVE)
    assert seen is not None
    return as_it_lives(seen, node.template, scene.labels)


def cannot_hold(each: Owned, seen: dict[str, Any] | None, node: Node | None) -> str:
    """Why a living object cannot be given as it lives; empty where it can."""
    _, kind, namespace, name = each.identity
    shown = f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"
    if seen is None:
        return f"{shown} lives and must stay while its instance waits, but what it holds was not observed"
    sets = node.template if node is not None else seen
    if each.identity[:2] == _SECRET and (sets.get("data") or sets.get("stringData")):
        return f"{shown} lives and must stay while its instance waits, but the values of a Secret are never written out"
    return ""


def as_it_lives(
    seen: dict[str, Any], template: dict[str, Any] | None, labels: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """
    A living object, reduced to what the template sets.

    template: None where there is none any more; then all is given but what servers write.  labels: those of kro that are asked for,
    which it keeps as it bears them.
    """
    if template is None:
        metadata = {k: v for k, v in seen["metadata"].items() if k not in _SERVERS}
        made = {k: v for k, v in seen.items() if k not in ("status", "metadata")}
    else:
        metadata = _masked(template.get("metadata") or {}, seen["metadata"])
        made = _masked({k: v for k, v in template.items() if k != "metadata"}, seen)
    place = {k: seen["metadata"][k] for k in ("name", "namespace") if seen["metadata"].get(k)}
    if labels is not None:
        live = seen["metadata"].get("labels") or {}
        kept = {k: v for k, v in live.items() if k in labels or k.startswith("kro.run/")}
        metadata = {**metadata, "labels": {**(metadata.get("labels") or {}), **kept}}
    head = {"apiVersion": seen["apiVersion"], "kind": seen["kind"], "metadata": {**place, **metadata}}
    return {**head, **{k: v for k, v in made.items() if k not in head}}


def _masked(template: Any, seen: Any) -> Any:
    """What *seen* has at every path that *template* sets. A list stands item by item where both are as long, else whole."""
    if isinstance(template, dict) and isinstance(seen, dict):
        return {key: _masked(child, seen[key]) for key, child in template.items() if key in seen}
    if isinstance(template, list) and isinstance(seen, list) and len(template) == len(seen):
        return [_masked(child, other) for child, other in zip(template, seen, strict=True)]
    return seen
