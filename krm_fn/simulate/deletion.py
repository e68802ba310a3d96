"""
One reconcile of an instance that is being deleted: kro takes its nodes away one by one, the last one first.

Enters: the cluster, the RGD, which instance.  Leaves: the cluster changed; what was removed, in the step's record.  Not known here: when it is
called again.

What goes next is `expand.deletion`'s to say. Where it says that kro cannot tell, since a condition needs something that is gone, the
instance stays for ever.

Source: kro v0.9.3 pkg/controller/instance/deletion.go.
"""

from __future__ import annotations

from contextlib import suppress

from krm_fn.expand.deletion import plan_deletion
from krm_fn.expand.labels import FINALIZER
from krm_fn.expand.observed import identity
from krm_fn.simulate.cluster import Refused
from krm_fn.simulate.history import Removed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krm_fn.expand.deletion import Deletion
    from krm_fn.expand.observed import Identity
    from krm_fn.simulate.cluster import Cluster
    from krm_fn.simulate.graphs import Graph
    from krm_fn.simulate.history import StepRecord
    from krm_fn.simulate.instances import Memory

DELETING = "DELETING"


def reconcile_deletion(key: Identity, graph: Graph, cluster: Cluster, memory: Memory, record: StepRecord) -> None:
    """Delete the objects of the last node that has any; without one, let the instance go."""
    assert graph.program is not None
    assert graph.world is not None
    instance = cluster.find(key)
    assert instance is not None
    plan = plan_deletion(graph.program, instance, cluster.store, graph.world)
    if plan.failed:
        memory.unwritten[key] = f"deletion goes no further: {_why(plan)}"
        _mark(key, cluster)
        return
    if plan.node is None:
        cluster.finish(key, FINALIZER)
        memory.unwritten.pop(key, None)
        return
    for live in plan.targets:
        place = identity(live)
        if "deletionTimestamp" not in live["metadata"]:
            record.deleted.append(Removed(key, plan.node.id, place))
        cluster.delete(place)
        memory.forget(key, place)
    _mark(key, cluster)


def _why(plan: Deletion) -> str:
    if plan.fault is not None:
        return plan.fault.message
    paths = ", ".join(sorted({path for wait in plan.waits for path in wait.paths}))
    return f"{plan.failed!r} needs {paths}, which is gone"


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
