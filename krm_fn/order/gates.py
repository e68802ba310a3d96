"""
Which dependencies a node really waits for.

Enters: an expansion.  Leaves: for each node, the ids of the nodes that gate it.  Not known here: layers, targets.

kro waits at every edge until the source exists; an applier makes sure of that by itself. What it does not know of are *gates*: the
source has a readyWhen, or the dependent takes a value from it that only a cluster has. Whether a value is one of these is decided by
data: the dependent's expressions are asked once more, with nothing observed, and what is unknown then came from the cluster.
Namespaces and CustomResourceDefinitions need no gate: an applier puts them before their users (for Flux `emit.flux.places` does).
"""

from __future__ import annotations

from krm_fn.cel import EvaluationError, to_json
from krm_fn.cel.values import OMIT, OpenMap, Unknown, root_of
from krm_fn.expand.fields import put
from krm_fn.expand.instance import instance_variable
from krm_fn.expand.view import as_stored, asked_view
from krm_fn.order.layers import makes
from krm_fn.program.model import MADE_FIRST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from krm_fn.expand.instance import World
    from krm_fn.expand.outcome import Expansion, Outcome
    from krm_fn.program.model import Compiled, Node


def gates(expansion: Expansion, world: World, *, instances: bool = False) -> dict[str, frozenset[str]]:
    """
    Node id -> the ids of the nodes that must be ready, or must have got a value, before it is made.

    instances: whether nested ones are applied themselves.
    """
    names: dict[str, Any] = {}
    found: dict[str, frozenset[str]] = {}
    able: set[str] = set()
    for node_id in expansion.program.order:
        node = expansion.program.nodes[node_id]
        outcome = expansion.outcomes[node_id]
        sources = [source for source in node.dependencies if source in able]
        if _can_gate(outcome, instances=instances):
            able.add(node_id)
        gating = {source for source in sources if expansion.program.nodes[source].ready_when}
        if len(gating) < len(sources):
            if not names:
                names["schema"] = instance_variable(expansion.program, expansion.instance, world)
            gating |= _read_from_the_cluster(node, names).intersection(sources)
            # What is filled in when it is applied may be copied from an object that is filled in itself.
            filled = {each.source.node for item in outcome.items for each in item.substitutions}
            gating |= filled.intersection(sources)
        found[node_id] = frozenset(gating)
        names[node_id] = _unseen(outcome, world)
    return found


def _can_gate(outcome: Outcome, *, instances: bool) -> bool:
    """Whether anything of it is applied that could be waited for."""
    node = outcome.node
    return (node.group, node.object_kind) not in MADE_FIRST and makes(outcome, instances=instances)


def _read_from_the_cluster(node: Node, names: dict[str, Any]) -> set[str]:
    """The ids of the nodes of which some expression takes what is not in their desired state."""
    found: set[str] = set()
    loops = {dimension.name: Unknown(dimension.name) for dimension in node.dimensions}
    for compiled in _expressions(node):
        if found.issuperset(compiled.roots):
            continue
        try:
            value = compiled.run({**names, **loops})
        except EvaluationError:
            continue  # not for want of an observation
        if isinstance(value, Unknown):
            found |= {root_of(path) for path in value.paths}
    return found


def _expressions(node: Node) -> Iterator[Compiled]:
    yield from node.include_when
    yield from (dimension.values for dimension in node.dimensions)
    yield from node.values


def _unseen(outcome: Outcome, world: World) -> Any:
    """What expressions would see of a node had nobody observed it."""
    node = outcome.node
    if node.asked is None or not outcome.items or node.is_external:
        return Unknown(node.id)
    views = []
    for i, item in enumerate(outcome.items):
        path = f"{node.id}[{i}]" if node.is_collection else node.id
        view = asked_view(as_stored(item.object if item.known is None else item.known), node.asked, path)
        if item.nested is not None:
            view["spec"] = item.nested.instance.get("spec", {})
            view["status"] = OpenMap(_known_status(item.nested, world), f"{path}.status")
        views.append(world.shapes.typed(view, node))
    return views if node.is_collection else views[0]


def _known_status(nested: Expansion, world: World) -> dict[str, Any]:
    """The fields of a nested instance's status that need no cluster, such as a name that one of its nodes has anyway."""
    names = {"schema": instance_variable(nested.program, nested.instance, world)}
    for node_id in nested.program.order:
        names[node_id] = _unseen(nested.outcomes[node_id], world)
    fields: dict[str, Any] = {}
    for path, compiled in nested.program.status:
        try:
            value = to_json(compiled.run(names))
        except EvaluationError:
            continue
        if type(value) is not Unknown and value is not OMIT:
            put(fields, path, value)
    return fields
