"""
What became of every node, for `--report`: plain JSON, one entry an instance.

Enters: `Expansion` trees.  Leaves: a document of the kind `RenderReport`.  Not known here: files.
"""

from __future__ import annotations

from krm_fn.expand.observed import identity
from krm_fn.expand.outcome import APPLY_TIME, DEFERRED, EXCLUDED, HELD, RESOLVED
from krm_fn.expand.ownership import owner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from krm_fn.expand.outcome import Expansion, Outcome, Wait

API_VERSION = "rookery.dev/v1alpha1"


def document(instances: list[dict[str, Any]]) -> dict[str, Any]:
    """The entries of all instances as one document."""
    return {"apiVersion": API_VERSION, "kind": "RenderReport", "instances": instances}


def report_entries(expansion: Expansion) -> list[dict[str, Any]]:
    """`{instance, parent?, nodes: [...], unknownStatus}` for an instance and its nested ones, parents first."""
    return list(_instances(expansion, ""))


def _instances(expansion: Expansion, parent: str) -> Iterator[dict[str, Any]]:
    name = owner(expansion.subject)
    entry: dict[str, Any] = {"instance": name}
    if parent:
        entry["parent"] = parent
    entry["nodes"] = [_node(expansion.outcomes[node_id]) for node_id in expansion.program.order]
    entry["unknownStatus"] = list(expansion.unknown_status)
    yield entry
    for node_id in expansion.program.order:
        for item in expansion.outcomes[node_id].items:
            if item.nested is not None:
                yield from _instances(item.nested, name)


def _node(outcome: Outcome) -> dict[str, Any]:
    state = DEFERRED if outcome.state == APPLY_TIME else outcome.state
    entry: dict[str, Any] = {"id": outcome.node.id, "state": state}
    if outcome.state == EXCLUDED:
        dependency, condition = outcome.why_excluded
        if condition is not None:
            entry["condition"] = condition.expression.written
        else:
            entry["excludedWith"] = dependency
    if outcome.state in (DEFERRED, HELD, APPLY_TIME):
        entry["waits"] = [wait_entry(wait) for wait in outcome.waits]
    if outcome.obstacle:
        entry["notAtApplyTime"] = outcome.obstacle
    if outcome.state in (RESOLVED, HELD, APPLY_TIME):
        entry["objects"] = ["/".join(identity(item.object)) for item in outcome.items]
    if outcome.state == APPLY_TIME:
        from krm_fn.emit.apply_time import entry as substitution

        entry["applyTime"] = [[substitution(each) for each in item.substitutions] for item in outcome.items]
    return entry


def wait_entry(wait: Wait) -> dict[str, Any]:
    """What is waited for, and where: `{reason, paths, expression?, chain?}`."""
    entry: dict[str, Any] = {"reason": wait.reason, "paths": list(wait.paths)}
    if wait.compiled is not None:
        entry["expression"] = wait.compiled.expression.written
    if wait.chain:
        entry["chain"] = list(wait.chain)
    return entry
