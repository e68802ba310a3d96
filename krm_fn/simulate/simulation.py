"""
A step: somebody does something, then kro works until nothing changes any more.

Enters: objects that are there, then actions.  Leaves: a `StepRecord` for each step.  Not known here: files, output.
"""

from __future__ import annotations

from krm_fn.expand.observed import identity
from krm_fn.program.definition import RGD_GROUP, RGD_KIND
from krm_fn.simulate.cluster import USER, Cluster, Refused
from krm_fn.simulate.deletion import reconcile_deletion
from krm_fn.simulate.graphs import Graphs
from krm_fn.simulate.history import Done, GraphRecord, InstanceRecord, StepRecord
from krm_fn.simulate.instances import Memory, node_records, reconcile_instance
from krm_fn.simulate.served import CRD, Served

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from krm_fn.expand.observed import Identity
    from krm_fn.simulate.cluster import Refuses

APPLY, SET, DELETE = "apply", "set", "delete"
MAX_ROUNDS = 100
"""So often every instance is reconciled in one step; what has not settled then never will."""
MAX_RECONCILES = 50_000
MAX_OBJECTS = 100_000
"""What grows beyond this is no cluster: instances that make instances without end."""


class Simulation:
    """A cluster with a kro in it. strict: an RGD of a kind that nobody knows is refused, as kro refuses it."""

    def __init__(
        self, minor: int, *, namespace: str = "default", strict: bool = False, refuses: Refuses | None = None
    ) -> None:
        self.namespace = namespace
        self.cluster = Cluster(Served(minor), refuses)
        self.graphs = Graphs(self.cluster, strict=strict)
        self._memory = Memory()
        self._graphs_before: dict[str, tuple[Any, ...]] = {}

    def load(self, body: dict[str, Any]) -> Identity:
        """An object that is there before the first step."""
        return self.cluster.load(body)

    def step(self, name: str, actions: Iterable[tuple[str, dict[str, Any]]]) -> StepRecord:
        """Do the *actions*, pairs of a verb and a body, then let kro work. What the API server does not take is noted."""
        record = StepRecord(name)
        before = dict(self._instances())
        for verb, body in actions:
            record.done.append(self.act(verb, body))
        self._memory.waves.clear()
        record.settled = self._settle(record)
        self._note_graphs(record)
        self._note_instances(record, before)
        self.cluster.minutes += 1
        return record

    def act(self, verb: str, body: dict[str, Any]) -> Done:
        """One action, with what the API server has against it."""
        if identity(body)[:2] not in (CRD, (RGD_GROUP, RGD_KIND)):
            self.graphs.settle()  # nobody can make an instance before its kind is served
        key = self.cluster.identity_of(body, namespace=self.namespace)
        if key[2]:
            body = {**body, "metadata": {**body["metadata"], "namespace": key[2]}}
        try:
            if self.graphs.is_missing(key[:2]):
                raise Refused(f"no {key[1]} is served: its ResourceGraphDefinition has no CRD")
            if verb == APPLY:
                self.cluster.apply(body, USER)
            elif verb == SET:
                self.cluster.set(body)
            elif not self.cluster.delete(key):
                raise Refused(f"there is no {key[1]} {key[3]!r}")
        except Refused as refused:
            return Done(verb, key, str(refused))
        return Done(verb, key)

    def _instances(self) -> Iterator[tuple[Identity, dict[str, Any]]]:
        for kind in self.graphs.kinds():
            yield from self.cluster.store.of_kind(*kind)

    def _settle(self, record: StepRecord) -> bool:
        for _ in range(MAX_ROUNDS):
            version = self.cluster.version
            self.graphs.settle()
            for key, _ in list(self._instances()):
                graph = self.graphs.of_kind(key[:2])
                instance = self.cluster.find(key)
                if graph is None or instance is None:
                    continue
                record.reconciles += 1
                if record.reconciles > MAX_RECONCILES or len(self.cluster.store.objects) > MAX_OBJECTS:
                    return False
                if "deletionTimestamp" in instance["metadata"]:
                    reconcile_deletion(key, graph, self.cluster, self._memory, record)
                else:
                    reconcile_instance(key, graph, self.cluster, self._memory, record)
            if self.cluster.version == version:
                return True
        return False

    def _note_graphs(self, record: StepRecord) -> None:
        for name, graph in sorted(self.graphs.all.items()):
            problems = [problem.message for problem in graph.problems]
            now = (graph.state, tuple(graph.order), tuple(problems), graph.refusal)
            if self._graphs_before.get(name) != now:
                record.graphs.append(GraphRecord(name, graph.state, graph.order, graph.problems, graph.refusal))
            self._graphs_before[name] = now
        for name in self._graphs_before.keys() - self.graphs.all.keys():
            del self._graphs_before[name]

    def _note_instances(self, record: StepRecord, before: dict[Identity, dict[str, Any]]) -> None:
        for key, body in self._instances():
            made = InstanceRecord(key, body["apiVersion"])
            made.status = body.get("status") or {}
            made.before = (before.get(key) or {}).get("status") if key in before else None
            step = self._memory.steps.get(key)
            if step is not None:
                made.is_suspended = step.is_suspended
                made.nodes = node_records(step, self.cluster)
                made.problem = step.fault.message if step.fault is not None else step.clash
            made.problem = made.problem or self._memory.unwritten.get(key, "")
            record.instances.append(made)
        for key, body in before.items():
            if self.cluster.find(key) is None:
                made = InstanceRecord(key, body["apiVersion"])
                made.before = body.get("status") or {}
                made.is_gone = True
                record.instances.append(made)
