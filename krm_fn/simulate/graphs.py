"""
The ResourceGraphDefinitions of the cluster, as kro keeps them: compiled, their CRDs installed, each Active or Inactive.

Enters: the cluster.  Leaves: for each kind the Program by which kro treats its instances; the state of every RGD, written into its status.
Not known here: instances.

kro compiles an RGD whose spec changed. One that does not compile is Inactive, and its instances stay with the graph that was
there before. One that compiles is the graph of its instances from then on, even where its CRD cannot be updated because the change
would break instances: then it is Inactive, and the API server goes on to admit instances by the old CRD.

Source: kro v0.9.3 pkg/controller/resourcegraphdefinition, pkg/client/crd.go.
"""

from __future__ import annotations

from krm_fn.expand.instance import World
from krm_fn.expand.labels import KRO_VERSION
from krm_fn.program.build import build_program
from krm_fn.program.definition import RGD_GROUP, RGD_KIND
from krm_fn.program.generated import crd_of
from krm_fn.report.diagnostic import ERROR
from krm_fn.schema.compatibility import NotComparable, compare_versions
from krm_fn.simulate.cluster import Refused
from krm_fn.simulate.served import CRD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krm_fn.program.definition import Problem
    from krm_fn.program.model import Program
    from krm_fn.simulate.cluster import Cluster

ACTIVE, INACTIVE = "Active", "Inactive"
KRO = "kro.run/rgd-controller"
_ALLOW_BREAKING = "kro.run/allow-breaking-changes"
_UNKNOWN_KIND = "unknown-kind"
_OWNED, _RGD_NAME, _RGD_ID = (
    "kro.run/owned",
    "kro.run/resource-graph-definition-name",
    "kro.run/resource-graph-definition-id",
)


class Graph:
    """
    One RGD.

    program: by which its instances are treated: the last one that compiled; None if none ever did.  serves: whether kro has begun to
    treat its instances.  revision: how often it compiled.  problems: what the compiler says of the spec that is there.  refusal: why its CRD could not be made.
    """

    __slots__ = (
        "_accepted",
        "_tried",
        "name",
        "problems",
        "program",
        "refusal",
        "revision",
        "serves",
        "state",
        "uid",
        "world",
    )

    def __init__(self, name: str) -> None:
        self.name = name
        self.uid = ""
        self.program: Program | None = None
        self.world: World | None = None
        self.problems: list[Problem] = []
        self.refusal = ""
        self.serves = False
        self.revision = 0
        self.state = INACTIVE
        self._accepted: Any = None
        self._tried: tuple[Any, int] | None = None

    @property
    def is_accepted(self) -> bool:
        return self.program is not None and not any(problem.severity == ERROR for problem in self.problems)

    @property
    def order(self) -> list[str]:
        """kro's topologicalOrder of the spec that is there; empty where that does not compile."""
        return self.program.order if self.program is not None and self.is_accepted else []

    def compile(self, rgd: dict[str, Any], cluster: Cluster, *, strict: bool) -> None:
        """Follow the spec, if there is anything new about it. *strict*: a kind that nobody knows is refused, as kro does."""
        spec = rgd.get("spec")
        tried = (spec, cluster.served.changes)
        is_guess = any(problem.code == _UNKNOWN_KIND for problem in self.problems)
        if self.program is not None and spec == self._accepted and not (is_guess and tried != self._tried):
            self.problems = [problem for problem in self.problems if problem.severity != ERROR]
            return
        if self._tried == tried:
            return
        self._tried = tried
        program, self.problems = build_program(rgd, cluster.served.kinds)
        if strict or (program is not None and _needs_an_rgd(program, cluster)):
            for problem in self.problems:
                if problem.code == _UNKNOWN_KIND:
                    problem.severity = ERROR
        if program is None or any(problem.severity == ERROR for problem in self.problems):
            return
        self.program, self._accepted = program, spec
        self.revision += 1
        world = self.world = World({}, lambda _program, instance: (instance, []), kro_labels=True)
        world.tainted = False

    def install(self, rgd: dict[str, Any], cluster: Cluster) -> None:
        """Make or update the CRD. What is against it stands in `refusal` afterwards."""
        self.refusal = ""
        if self.program is None or not self.is_accepted:
            return
        crd = crd_of(self.program)
        name = crd["metadata"]["name"]
        own = {_OWNED: "true", "kro.run/kro-version": KRO_VERSION, _RGD_NAME: self.name, _RGD_ID: self.uid}
        crd = {**crd, "metadata": {**crd["metadata"], "labels": {**(crd["metadata"].get("labels") or {}), **own}}}
        existing = cluster.find((*CRD, "", name))
        if existing is not None:
            self.refusal = self._against(existing, crd, rgd)  # what is there may be anybody's
            if self.refusal or existing["spec"].get("versions") == crd["spec"]["versions"]:
                self.serves = self.serves or not self.refusal
                return
        try:
            cluster.apply(crd, KRO)
        except Refused as refused:
            self.refusal = f"failed to create CRD: {refused}"
            return
        cluster.served.add(crd, self.program)
        self.serves = True

    def _against(self, existing: dict[str, Any], crd: dict[str, Any], rgd: dict[str, Any]) -> str:
        """Why the CRD that is there must not become the new one, in kro's words."""
        name = crd["metadata"]["name"]
        labels = existing["metadata"].get("labels") or {}
        if labels.get(_OWNED) != "true":
            return f"failed to update CRD {name}: CRD already exists and is not owned by KRO"
        if labels.get(_RGD_NAME) != self.name:
            owner = labels.get(_RGD_NAME)
            return f"failed to update CRD {name}: CRD is owned by another ResourceGraphDefinition {owner}"
        try:
            report = compare_versions(existing["spec"]["versions"], crd["spec"]["versions"])
        except (NotComparable, KeyError, TypeError, AttributeError) as error:
            return f"failed to check schema compatibility: {error}"
        allowed = (rgd["metadata"].get("annotations") or {}).get(_ALLOW_BREAKING) == "true"
        if not report.is_compatible and not allowed:
            return f"cannot update CRD {name}: breaking changes detected: {report.summary()}"
        return ""


def _needs_an_rgd(program: Program, cluster: Cluster) -> bool:
    """Whether it makes instances of an RGD that the cluster has and whose CRD is not there yet."""
    defined = _defined(cluster)
    return any(
        (node.group, node.object_kind) in defined and not cluster.served.kinds.knows(node.api_version, node.object_kind)
        for node in program.nodes.values()
    )


def _defined(cluster: Cluster) -> set[tuple[str, str]]:
    """Group and kind of the instances of every RGD that is there, whatever is wrong with it."""
    return {
        (str(schema.get("group") or RGD_GROUP), str(schema.get("kind")))
        for _, rgd in cluster.store.of_kind(RGD_GROUP, RGD_KIND)
        if isinstance(spec := rgd.get("spec"), dict) and isinstance(schema := spec.get("schema"), dict)
    }


class Graphs:
    """All RGDs of a cluster, by name."""

    __slots__ = ("_by_kind", "_cluster", "_defined", "_settled_at", "_strict", "all")

    def __init__(self, cluster: Cluster, *, strict: bool = False) -> None:
        self._cluster = cluster
        self._strict = strict
        self._settled_at = -1
        self._by_kind: dict[tuple[str, str], Graph] = {}
        self._defined: set[tuple[str, str]] = set()
        self.all: dict[str, Graph] = {}

    def of_kind(self, key: tuple[str, str]) -> Graph | None:
        """The RGD by which kro treats the instances of a kind."""
        return self._by_kind.get(key)

    def kinds(self) -> list[tuple[str, str]]:
        """Those whose instances kro treats."""
        return list(self._by_kind)

    def is_missing(self, key: tuple[str, str]) -> bool:
        """Whether an RGD defines a kind of which there is no CRD."""
        return key in self._defined and self._cluster.served.program(key) is None

    def settle(self) -> None:
        """Look at every RGD until nothing changes. Each look compiles one more of those that wait for another's CRD."""
        for _ in range(2 * len(self._cluster.store.of_kind(RGD_GROUP, RGD_KIND)) + 10):
            if self._settled_at == self._cluster.defined:
                return
            self._settled_at = self._cluster.defined
            self._reconcile()

    def _reconcile(self) -> None:
        """One look at every RGD, in the order in which they were made."""
        self._defined = _defined(self._cluster)
        there = set()
        for key, rgd in self._cluster.store.of_kind(RGD_GROUP, RGD_KIND):
            name = key[3]
            there.add(name)
            graph = self.all.get(name)
            uid = rgd["metadata"]["uid"]
            if graph is None or graph.uid != uid:
                graph = self.all[name] = Graph(name)
                graph.uid = uid
            graph.compile(rgd, self._cluster, strict=self._strict)
            graph.install(rgd, self._cluster)
            graph.state = ACTIVE if graph.is_accepted and graph.serves and not graph.refusal else INACTIVE
            self._cluster.write_status(key, _status(graph, rgd.get("status"), self._cluster.now))
        for name in self.all.keys() - there:
            del self.all[name]
        self._by_kind = {}
        for graph in self.all.values():
            if graph.serves and graph.program is not None:
                self._by_kind.setdefault(graph.program.key, graph)


def _status(graph: Graph, before: Any, now: str) -> dict[str, Any]:
    """What kro writes into the RGD. What the compiler says is ours, all else in kro's words."""
    said = before.get("conditions") if isinstance(before, dict) else None
    old = {str(each.get("type")): each for each in said or () if isinstance(each, dict)}
    conditions = []
    for kind, status, reason, message in _conditions(graph):
        was = old.get(kind, {})
        since = was.get("lastTransitionTime") if was.get("status") == status else now
        conditions.append(
            {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": since}
        )
    made: dict[str, Any] = {"conditions": conditions, "state": graph.state}
    if graph.revision:
        made["lastIssuedRevision"] = graph.revision
    if graph.order and graph.program is not None:
        made["topologicalOrder"] = graph.order
        nodes = [graph.program.nodes[name] for name in graph.order]
        made["resources"] = [
            {"id": node.id, "dependencies": [{"id": name} for name in node.dependencies]}
            for node in nodes
            if node.dependencies
        ]
    return made


def _conditions(graph: Graph) -> list[tuple[str, str, str, str]]:
    """Type, status, reason and message. What kro never came to is unknown, and what it came to once stays said."""
    found: list[tuple[str, str, str, str]] = []

    def say(kind: str, holds: bool, reason: str, message: str) -> None:
        awaiting = f'condition "{kind}" is awaiting reconciliation'
        found.append(
            (kind, "True", reason, message) if holds else (kind, "Unknown", "AwaitingReconciliation", awaiting)
        )

    if graph.is_accepted:
        say("GraphAccepted", True, "Valid", "resource graph and schema are valid")
    else:
        messages = [problem.message for problem in graph.problems if problem.severity == ERROR]
        found.append(("GraphAccepted", "False", "InvalidResourceGraph", "; ".join(messages)))
    say("GraphRevisionsResolved", graph.revision > 0, "Resolved", f"revision {graph.revision} compiled and active")
    if graph.refusal:
        found.append(("KindReady", "False", "Failed", graph.refusal))
    else:
        kind = graph.program.definition.kind if graph.program is not None else ""
        say("KindReady", graph.serves, "Ready", f"kind {kind} has been accepted and ready")
    say("ControllerReady", graph.serves, "Running", "controller is running")
    wrong = next((each for each in found if each[1] == "False"), None)
    found.append(("Ready", "False", *wrong[2:]) if wrong else ("Ready", "True", "Ready", ""))
    return found
