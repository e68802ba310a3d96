"""
Cases of `kro-live`, replayed: the user's actions and the statuses that others wrote are put to a `Simulation`, step by step, and
what it sends, prunes and writes as status is held against what kro did.

Equal are, in every step: the bodies that are new or changed, object by object, in the order in which each was sent, and in which of
the instance's reconciles; what was pruned, in order; the whole status of the RGDs that were applied, save what the compiler says; the
status of every instance that the golden names: the author's fields, the state, and of the conditions type, status and reason, and the
message unless the state is ERROR (kro's sentences about errors are its own). In the end: the instances as they are stored, which
children there are, and what is deleted with the instances.

What an API server alone decides is taken from the golden: a body or an instance that it refused is refused, with its message.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from krm_fn.simulate import history
from krm_fn.simulate.cluster import as_sent
from krm_fn.simulate.instances import PART_OF
from krm_fn.simulate.simulation import APPLY, DELETE, SET, Simulation
from tests.conformance.case import Case, Mismatch
from tests.conformance.compare import first_difference, without_labels_aside
from tests.conformance.live_inputs import (
    CLUSTER_NAMESPACES,
    RGD,
    UID,
    Recording,
    identity,
    load,
    mention,
    sources_of,
)

if TYPE_CHECKING:
    from pathlib import Path

    from krm_fn.simulate.history import StepRecord

MINOR = 35
_ASIDE = ("lastTransitionTime", "observedGeneration")
VERSIONS = ("kro.run/kro-version", "applyset.kubernetes.io/tooling")
_UID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}\b")
_TIME = re.compile(r"\b2030-01-\d\dT\d\d:\d\d:00Z")


OWN_CONFIG = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "extension-apiserver-authentication", "namespace": "kube-system"},
    "data": {},
}
"""What every API server puts into its cluster, of the kinds that cases list."""


def plain(value: Any) -> Any:
    """As JSON, in which it was sent: keys are texts there."""
    return json.loads(json.dumps(value))


def normal(value: Any) -> Any:
    """With uids and times of the simulation as the recorder writes those of its cluster."""
    text = json.dumps(value)
    return json.loads(_TIME.sub("<time>", _UID.sub(UID, text)))


class Replay:
    """The check of one recording."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.refusals: dict[tuple[str, ...], list[tuple[Any, str]]] = {}

    def __call__(self) -> list[str]:
        recording = self.recording
        simulation = self.simulation = Simulation(MINOR, strict=True, refuses=self._refuses)
        self._prepare()
        golden = recording.golden
        start: list[tuple[str, dict[str, Any]]] = []
        for file in recording.case.get("rgds") or []:
            start += self._rgds(sources_of(recording.folder / file), golden.get("rgd") or [])
        record = simulation.step("RGDs", start)
        self._check_rgds(record, golden.get("rgd") or [], "RGDs")
        scenario = load(recording.folder / "scenario.yaml") if (recording.folder / "scenario.yaml").exists() else {}
        actions: list[tuple[str, dict[str, Any]]] = []
        for file in recording.case.get("instances") or []:
            actions += [(APPLY, plain(source.value)) for source in sources_of(recording.folder / file) if source.value]
        for number, step in enumerate(recording.steps):
            self._learn_refusals(step)
            for action in step.get("do") or []:
                actions += self._actions(step, action, scenario)
            record = simulation.step(str(number), actions)
            self._check(record, step, f"step {number}")
            actions = [(SET, self._patch(write)) for write in step.get("set_status") or []]
        if not recording.steps and actions:
            simulation.step("instances", actions)
        self._check_end()
        self._check_deletion()
        return []

    # -- what is done -----------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        recording = self.recording
        for path in recording.crd_paths:
            for file in sorted(path.glob("*.yaml")) if path.is_dir() else [path]:
                for source in sources_of(file):
                    self.simulation.load(plain(source.value))
        self.simulation.load(OWN_CONFIG)
        for namespace in (*CLUSTER_NAMESPACES, *(recording.case.get("namespaces_created") or [])):
            self.simulation.load({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        for file in recording.case.get("pre") or []:
            for source in sources_of(recording.folder / file):
                self.simulation.load(plain(source.value))

    def _rgds(self, sources: list[Any], entries: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
        refused = {entry["name"] for entry in entries if "rejected" in entry}
        return [(APPLY, plain(source.value)) for source in sources if source.identity[3] not in refused]

    def _actions(self, step: dict[str, Any], action: dict[str, Any], scenario: dict[str, Any]) -> list[Any]:
        verb = next(key for key in action if key != "rejected")
        if verb == "create_namespace":
            return [(APPLY, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": action[verb]}})]
        if "rejected" in action or verb == "apply_rejected":
            return []
        sources = self.recording._sources(step, verb, action[verb], scenario)
        if verb in ("apply", "update"):
            return self._rgds([source for source in sources if source.value], step.get("rgd") or [])
        kind = DELETE if verb == "delete" else SET
        return [(kind, self._patch(plain(source.value))) for source in sources]

    def _patch(self, write: dict[str, Any]) -> dict[str, Any]:
        if "metadata" in write:
            return write
        metadata = {key: write[key] for key in ("name", "namespace") if write.get(key)}
        rest = {key: value for key, value in write.items() if key not in ("name", "namespace")}
        return {**rest, "metadata": metadata}

    def _learn_refusals(self, step: dict[str, Any]) -> None:
        for applied in step.get("applied") or []:
            key, body = identity(applied["object"]), without_labels_aside(applied["object"])
            known = [entry for entry in self.refusals.get(key, []) if entry[0] != body]
            if "error" in applied:
                known.append((body, str(applied["error"].get("message"))))
            self.refusals[key] = known

    def _refuses(self, body: dict[str, Any]) -> str | None:
        found = self.refusals.get(identity(body))
        if not found:
            return None
        own = without_labels_aside(normal(body))
        return next((message for refused, message in found if refused == own), None)

    # -- what is compared -------------------------------------------------------------------------------------------

    def _check(self, record: StepRecord, step: dict[str, Any], where: str) -> None:
        if not record.settled:
            raise Mismatch(f"{where}: does not settle")
        refused = {(entry["kind"], entry["name"]) for entry in self.recording.golden.get("instance_rejected") or []}
        for done in record.done:
            if done.message and not (done.verb == APPLY and (done.key[1], done.key[3]) in refused):
                raise Mismatch(f"{where}: {done.verb} {'/'.join(done.key)}: {done.message}")
        self._check_rgds(record, step.get("rgd") or [], where)
        self._check_applied(record, step, where)
        self._check_statuses(step, where)
        pruned = [identity(entry) for entry in step.get("pruned") or []]
        got = [removed.key for removed in (*record.pruned, *record.deleted)]
        if pruned != got:
            raise Mismatch(f"{where}: pruned {_names(got)}, wanted {_names(pruned)}")

    def _check_rgds(self, record: StepRecord, entries: list[dict[str, Any]], where: str) -> None:
        for entry in entries:
            if "rejected" in entry:
                continue
            graph = self.simulation.graphs.all.get(entry["name"])
            if graph is None:
                raise Mismatch(f"{where}: there is no RGD {entry['name']}")
            if graph.state != (entry.get("state") or "Inactive"):
                problems = [problem.message for problem in graph.problems]
                raise Mismatch(
                    f"{where}: RGD {entry['name']} is {graph.state}, wanted {entry.get('state')}: {problems} {graph.refusal}"
                )
            said = " ".join(str(each.get("message")) for each in entry.get("conditions") or [])
            if "failed to create CRD" in said:
                continue  # kro took it, the API server did not: for the product it is one refusal
            if graph.order != (entry.get("topologicalOrder") or []):
                raise Mismatch(f"{where}: order {graph.order}, wanted {entry.get('topologicalOrder')}")
            live = self.simulation.cluster.find((*RGD, "", entry["name"])) or {}
            difference = first_difference(_rgd_status(entry), _rgd_status(normal(live["status"])))
            if difference is not None:
                raise Mismatch(f"{where}: status of RGD {entry['name']}: {difference}")

    def _check_applied(self, record: StepRecord, step: dict[str, Any], where: str) -> None:
        wanted: dict[Any, list[dict[str, Any]]] = {}
        for applied in step.get("applied") or []:
            wanted.setdefault(identity(applied["object"]), []).append(applied)
        got: dict[Any, list[Any]] = {}
        for sent in record.sent:
            if sent.became not in (history.RESTORED, history.TAKEN):
                got.setdefault(identity(sent.body), []).append(sent)
        if set(wanted) != set(got):
            raise Mismatch(
                f"{where}: applied also {_names(set(got) - set(wanted))}, not {_names(set(wanted) - set(got))}"
            )
        writes = sum(done.verb == SET for done in record.done)
        for key, bodies in wanted.items():
            for applied, sent in zip(bodies, got[key], strict=False):
                difference = first_difference(
                    without_labels_aside(applied["object"]), without_labels_aside(normal(sent.body))
                )
                if difference is not None:
                    raise Mismatch(f"{where}: {_names([key])}: {difference}")
                made_by = (applied["node"], applied["instance"])
                if made_by != (sent.node, "/".join(part for part in sent.instance[1:] if part)):
                    raise Mismatch(f"{where}: {_names([key])} is of {sent.node} of {sent.instance}, wanted {made_by}")
                # Of two that write at once, one is seen first: then the number of the reconcile is a matter of luck.
                if writes <= 1 and applied["wave"] != sent.wave:
                    raise Mismatch(f"{where}: {_names([key])} sent in reconcile {sent.wave}, wanted {applied['wave']}")
            if len(bodies) != len(got[key]):
                raise Mismatch(f"{where}: {_names([key])} sent {len(got[key])} times, wanted {len(bodies)}")

    def _check_statuses(self, step: dict[str, Any], where: str) -> None:
        entries = [(mention(entry), entry.get("status") or {}) for entry in step.get("other_instances") or []]
        first = self._first_instance()
        if "instance_status" in step and first is not None:
            entries.insert(0, (first, step["instance_status"] or {}))
        live = {mention(body): body for _, body in self.simulation.cluster.objects()}
        for name, wanted in entries:
            if name not in live:
                raise Mismatch(f"{where}: there is no {name}")
            got = live[name].get("status") or {}
            difference = first_difference(comparable(wanted), comparable(normal(got), wanted))
            if difference is not None:
                # Of several expressions without a value kro names any.
                difference = first_difference(
                    comparable(wanted, any_expression=True), comparable(normal(got), wanted, any_expression=True)
                )
            if difference is not None:
                raise Mismatch(f"{where}: status of {name}: {difference}")

    def _first_instance(self) -> str | None:
        for entry in (self.recording.golden.get("final") or {}).get("instances") or []:
            return mention(entry)
        return None

    def _check_end(self) -> None:
        """The instances as they are stored in the end, and which children there are."""
        live = {mention(body): body for _, body in self.simulation.cluster.objects()}
        final = self.recording.golden.get("final") or {}
        for entry in final.get("instances") or []:
            body = live.get(mention(entry))
            if body is None:
                raise Mismatch(f"end: there is no {mention(entry)}")
            for field in ("labels", "annotations", "finalizers"):
                self._same(entry.get(field), body["metadata"].get(field), f"{mention(entry)} metadata.{field}")
            self._same(entry.get("spec"), body.get("spec"), f"{mention(entry)} spec")
        wanted = {identity(entry) for entry in final.get("children") or []}
        got = {
            key for key, body in self.simulation.cluster.objects() if PART_OF in (body["metadata"].get("labels") or {})
        }
        if wanted != got:
            raise Mismatch(f"end: there is also {_names(got - wanted)}, not {_names(wanted - got)}")

    @staticmethod
    def _same(wanted: Any, got: Any, where: str) -> None:
        wanted, got = (
            {k: v for k, v in each.items() if k not in VERSIONS} if isinstance(each, dict) else each
            for each in (wanted, got)
        )
        difference = first_difference(wanted or None, normal(as_sent(got)) or None)
        if difference is not None:
            raise Mismatch(f"end: {where}: {difference}")

    def _check_deletion(self) -> None:
        """All instances of the user are deleted together. The recorder lists no RGD that went with them. Between instances there is no order, nor within a collection."""
        golden = self.recording.golden
        if "deleted" not in golden:
            return
        is_made = {
            applied["node"] and identity(applied["object"])
            for step in self.recording.steps
            for applied in step.get("applied") or []
        }
        roots = [
            body
            for key, body in self.simulation.cluster.objects()
            if self.simulation.graphs.of_kind(key[:2]) is not None and key not in is_made
        ]
        record = self.simulation.step("deletion", [(DELETE, body) for body in roots])
        wanted = [identity(entry) for entry in golden["deleted"] or []]
        got = [removed.key for removed in (*record.pruned, *record.deleted) if removed.key[:2] != RGD]
        if set(wanted) != set(got):
            over, under = set(got) - set(wanted), set(wanted) - set(got)
            raise Mismatch(f"deletion: deleted also {_names(over)}, not {_names(under)}")
        nodes: dict[Any, dict[Any, int]] = {}
        for position, removed in enumerate(record.deleted):
            place = nodes.setdefault(removed.instance, {})
            place[removed.key] = next(
                (place[o.key] for o in record.deleted if o.node == removed.node and o.key in place), position
            )
        for place in nodes.values():
            order = [place[key] for key in wanted if key in place]
            if order != sorted(order):
                raise Mismatch(f"deletion: order {_names(got)}, wanted {_names(wanted)}")


def _rgd_status(status: dict[str, Any]) -> dict[str, Any]:
    """What is compared of an RGD's status. What the compiler says against an RGD is no sentence of kro's."""
    conditions = {
        each["type"]: {key: each.get(key) for key in ("status", "reason", "message")}
        for each in status.get("conditions") or []
    }
    for each in conditions.values():
        if each["reason"] == "InvalidResourceGraph":
            del each["message"]
    resources = {
        each["id"]: sorted(dependency["id"] for dependency in each["dependencies"])
        for each in status.get("resources") or []
    }
    return {"conditions": conditions, "resources": resources}


_EXPRESSION = re.compile(r"(failed to evaluate expression: ).*", re.DOTALL)


def comparable(
    status: dict[str, Any], wanted: dict[str, Any] | None = None, *, any_expression: bool = False
) -> dict[str, Any]:
    """A status with what is compared of it; the conditions by type."""
    is_error = (wanted or status).get("state") == "ERROR"
    left_out = (*_ASIDE, "message") if is_error else _ASIDE
    conditions = {}
    for each in status.get("conditions") or []:
        kept = conditions[each.get("type")] = {key: value for key, value in each.items() if key not in left_out}
        if any_expression and "message" in kept:
            kept["message"] = _EXPRESSION.sub(r"\1", kept["message"])
    return {**status, "conditions": conditions}


def _names(keys: Any) -> str:
    return ", ".join("/".join(part for part in key[1:] if part) for key in list(keys)[:6]) or "nothing"


def _names_itself(rgd: dict[str, Any]) -> bool:
    """Whether a template leaves its object's name to the API server."""
    resources = (rgd.get("spec") or {}).get("resources") or []
    templates = [each.get("template") for each in resources if isinstance(each, dict)]
    return any("generateName" in (each.get("metadata") or {}) for each in templates if isinstance(each, dict))


def read_case(folder: Path, row: str, crd_folder: Path | None, facts: dict[str, Any]) -> Case:
    """*facts*: those of the case as a render."""
    recording = Recording(folder, crd_folder)
    statuses = json.dumps([recording.steps, recording.golden.get("final")])
    more = {
        "stale_kinds": "the server could not find the requested resource" in statuses,
        "generate_name": any(refusal is None and _names_itself(source.value) for source, refusal in recording.verdicts),
    }
    return Case(f"{row}: replay", folder.name, "kro-live-replay", Replay(recording), {**facts, **more})
