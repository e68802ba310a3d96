"""
The steps of a simulation as plain JSON, for `--format json`.

Enters: `StepRecord`s.  Leaves: a document of the kind `SimulationReport`.  Not known here: how it came to be.
"""

from __future__ import annotations

from krm_fn.emit.report import API_VERSION, wait_entry
from krm_fn.program.template import path_text
from krm_fn.simulate import history

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from krm_fn.expand.observed import Identity
    from krm_fn.simulate.history import InstanceRecord, NodeRecord, Removed, StepRecord


def document(records: Iterable[StepRecord]) -> dict[str, Any]:
    return {"apiVersion": API_VERSION, "kind": "SimulationReport", "steps": [_step(record) for record in records]}


def _step(record: StepRecord) -> dict[str, Any]:
    return {
        "name": record.name,
        "settled": record.settled,
        "actions": [
            {"action": done.verb, "object": _name(done.key), **({"refused": done.message} if done.message else {})}
            for done in record.done
        ],
        "rgds": [
            {
                "name": graph.name,
                "state": graph.state,
                "topologicalOrder": graph.order,
                "problems": [
                    {
                        "code": problem.code,
                        "severity": problem.severity,
                        "message": problem.message,
                        "path": path_text(problem.path),
                    }
                    for problem in graph.problems
                ],
                **({"refusal": graph.refusal} if graph.refusal else {}),
            }
            for graph in record.graphs
        ],
        "applied": [
            {
                "instance": _name(sent.instance),
                "node": sent.node,
                "reconcile": sent.wave,
                "result": sent.became,
                **({"message": sent.message} if sent.message else {}),
                "object": sent.body,
            }
            for sent in record.sent
        ],
        "pruned": [_removed(removed) for removed in record.pruned],
        "deleted": [_removed(removed) for removed in record.deleted],
        "instances": [_instance(instance) for instance in record.instances],
    }


def _removed(removed: Removed) -> dict[str, Any]:
    return {"instance": _name(removed.instance), "node": removed.node, "object": _name(removed.key)}


def _instance(instance: InstanceRecord) -> dict[str, Any]:
    made: dict[str, Any] = {"instance": _name(instance.key)}
    if instance.is_gone:
        return {**made, "gone": True}
    made["state"] = instance.state
    if instance.is_suspended:
        made["suspended"] = True
    if instance.problem:
        made["problem"] = instance.problem
    made["nodes"] = [_node(node) for node in instance.nodes]
    made["status"] = instance.status
    return made


def _node(node: NodeRecord) -> dict[str, Any]:
    made: dict[str, Any] = {"id": node.id, "state": node.state}
    if node.state == history.EXCLUDED:
        dependency, condition = node.why
        if condition is not None:
            made["condition"] = condition.expression.written
        else:
            made["excludedWith"] = dependency
    if node.waits:
        made["waits"] = [wait_entry(wait) for wait in node.waits]
    made["objects"] = [_name(key) for key in node.live]
    return made


def _name(key: Identity) -> str:
    """Group, kind, namespace and name, as in `--report`."""
    return "/".join(key)
