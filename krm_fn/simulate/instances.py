"""
One reconcile of one instance, as kro does it: managed, its nodes applied, what nothing wants any more pruned, its status written.

Enters: the cluster, the RGDs, which instance.  Leaves: the cluster changed; what was sent and removed, in the step's record.  Not known here: when
an instance is reconciled, how an object is stored.

Source: kro v0.9.3 pkg/controller/instance/{controller,resources,resources_collection}.go and applyset/.
"""

from __future__ import annotations

from krm_fn.expand.labels import FINALIZER, KRO_VERSION, applyset_id, instance_labels
from krm_fn.expand.observed import identity
from krm_fn.expand.outcome import DEFERRED, EXCLUDED, RESOLVED
from krm_fn.expand.reconcile import reconcile
from krm_fn.expand.status import conclude
from krm_fn.program.template import path_text
from krm_fn.simulate import history
from krm_fn.simulate.cluster import Refused, as_sent
from krm_fn.simulate.history import Removed, Sent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from krm_fn.expand.observed import Identity
    from krm_fn.expand.reconcile import Step
    from krm_fn.program.model import Node, Program
    from krm_fn.simulate.cluster import Cluster
    from krm_fn.simulate.graphs import Graph
    from krm_fn.simulate.history import StepRecord

APPLYSET, PARENT, LABELLER = "kro.run/applyset", "kro.run/applyset-parent", "kro.run/labeller"
"""kro's managers of fields: of the children, of the instance's notes on them, of the instance's own labels and finalizer."""
PART_OF = "applyset.kubernetes.io/part-of"
NODE_ID, INSTANCE_ID = "kro.run/node-id", "kro.run/instance-id"
_TOOLING = "applyset.kubernetes.io/tooling"
_GROUP_KINDS = "applyset.kubernetes.io/contains-group-kinds"
_NAMESPACES = "applyset.kubernetes.io/additional-namespaces"


class Memory:
    """What is remembered from one reconcile to the next: by instance, what it sent last of each object and how often it sent."""

    __slots__ = ("_bodies", "steps", "unwritten", "waves")

    def __init__(self) -> None:
        self._bodies: dict[tuple[Identity, Identity], tuple[dict[str, Any], str]] = {}
        self.waves: dict[Identity, int] = {}
        self.steps: dict[Identity, Step] = {}
        """Of each instance: kro's last step."""
        self.unwritten: dict[Identity, str] = {}
        """Of each instance: why its status could not be written."""

    def is_new(self, sent: Sent) -> bool:
        """Whether the body, or what the API server said of it, differs from the last time; and remember it."""
        key = (sent.instance, sent.key)
        if self._bodies.get(key) == (sent.body, sent.message):
            return False
        self._bodies[key] = (sent.body, sent.message)
        return True

    def forget(self, instance: Identity, key: Identity) -> None:
        self._bodies.pop((instance, key), None)


def reconcile_instance(key: Identity, graph: Graph, cluster: Cluster, memory: Memory, record: StepRecord) -> None:
    """One reconcile of an instance that is not being deleted."""
    assert graph.program is not None
    assert graph.world is not None
    instance = _manage(key, graph, cluster)
    step = memory.steps[key] = reconcile(graph.program, instance, cluster.store, graph.world)
    refused: dict[Identity, str] = {}
    if step.sends:
        made = [(node, as_sent(item.object)) for node, item in step.applied()]
        notes = _notes(instance)
        batch = _batch(instance, (body for _, body in made), cluster)
        _write_notes(key, instance, (notes[0] | batch[0], notes[1] | batch[1]), cluster)
        kept = _apply(key, step, made, cluster, memory, record, refused)
        if step.may_prune and not refused:
            orphans = _orphans(instance, notes[0] | batch[0], notes[1] | batch[1], kept, cluster)
            _prune(key, step, orphans, cluster, memory, record)
            _write_notes(key, instance, batch, cluster)
    instance = cluster.find(key) or instance
    metadata = instance["metadata"]
    conclusion = conclude(
        step,
        cluster.store,
        refused,
        previous=instance.get("status"),
        generation=metadata.get("generation"),
        now=cluster.now,
    )
    fatal = [problem for problem in conclusion.problems if not problem.startswith("status.conditions:")]
    fatal += _unwritable(graph.program, conclusion.unknown)
    if fatal or cluster.find(key) is None:
        # kro has no status to write while an expression of it fails.
        memory.unwritten[key] = "; ".join(fatal)
        return
    try:
        cluster.write_status(key, conclusion.status)
        memory.unwritten.pop(key, None)
    except Refused as error:
        memory.unwritten[key] = str(error)


def _unwritable(program: Program, unknown: list[str]) -> list[str]:
    """sic: kro v0.9.3 breaks down when it copies an unsigned integer into a status, and writes none."""
    return [
        f"status.{path_text(path)}: an unsigned integer, of which kro v0.9.3 can write no status"
        for (path, _), kind in zip(program.status, program.status_types, strict=True)
        if "uint" in str(kind) and path_text(path) not in unknown
    ]


def _manage(key: Identity, graph: Graph, cluster: Cluster) -> dict[str, Any]:
    """The instance with kro's finalizer and labels."""
    instance = cluster.find(key)
    assert instance is not None
    assert graph.program is not None
    labels = {**instance_labels(graph.program, instance), "kro.run/resource-graph-definition-id": graph.uid}
    own = {name: label for name, label in labels.items() if not name.startswith("applyset.")}
    metadata = instance["metadata"]
    have = metadata.get("labels") or {}
    if FINALIZER in (metadata.get("finalizers") or []) and all(have.get(name) == own[name] for name in own):
        return instance
    return cluster.apply(
        {
            "apiVersion": instance["apiVersion"],
            "kind": instance["kind"],
            "metadata": {**_place(key), "labels": own, "finalizers": [FINALIZER]},
        },
        LABELLER,
    )


def _place(key: Identity) -> dict[str, Any]:
    return {"name": key[3], "namespace": key[2]} if key[2] else {"name": key[3]}


# -- what the applyset is made of -----------------------------------------------------------------------------------


def _notes(instance: dict[str, Any]) -> tuple[set[str], set[str]]:
    """Group-kinds and further namespaces that the instance's annotations name."""
    annotations = instance["metadata"].get("annotations") or {}
    return tuple(  # type: ignore[return-value]
        {part.strip() for part in str(annotations.get(name) or "").split(",") if part.strip()}
        for name in (_GROUP_KINDS, _NAMESPACES)
    )


def _batch(instance: dict[str, Any], bodies: Iterable[dict[str, Any]], cluster: Cluster) -> tuple[set[str], set[str]]:
    """Group-kinds and further namespaces of what is sent."""
    own = instance["metadata"].get("namespace") or ""
    kinds: set[str] = set()
    namespaces: set[str] = set()
    for body in bodies:
        group, kind, namespace, _ = cluster.identity_of(body, namespace=own or "default")
        kinds.add(f"{kind}.{group}" if group else kind)
        if namespace and namespace != own:
            namespaces.add(namespace)
    return kinds, namespaces


def _write_notes(key: Identity, instance: dict[str, Any], notes: tuple[set[str], set[str]], cluster: Cluster) -> None:
    if cluster.find(key) is None:
        return
    group, kind, namespace, name = key
    cluster.apply(
        {
            "apiVersion": instance["apiVersion"],
            "kind": kind,
            "metadata": {
                **_place(key),
                "labels": {"applyset.kubernetes.io/id": applyset_id(name, namespace, kind, group)},
                "annotations": {
                    _TOOLING: f"kro/{KRO_VERSION}",
                    _GROUP_KINDS: ",".join(sorted(notes[0])),
                    _NAMESPACES: ",".join(sorted(notes[1])),
                },
            },
        },
        PARENT,
    )


# -- applying and pruning -------------------------------------------------------------------------------------------


def _apply(
    key: Identity,
    step: Step,
    made: list[tuple[Node, dict[str, Any]]],
    cluster: Cluster,
    memory: Memory,
    record: StepRecord,
    refused: dict[Identity, str],
) -> set[str]:
    """Send what is resolved. Returns the uids of what is there; what is not taken goes to *refused*."""
    wave = memory.waves.get(key, 0) + 1
    own = applyset_id(key[3], key[2], key[1], key[0])
    kept: set[str] = set()
    for node, body in made:
        place = cluster.identity_of(body, namespace=key[2] or "default")
        seen = cluster.find(place)
        sent = Sent(key, node.id, wave, place, body)
        stored = None
        try:
            taken = _taken(node, body, seen, own, step)
            if taken:
                raise Refused(taken)
            stored = cluster.apply(body, APPLYSET)
        except Refused as error:
            refused[identity(body)] = sent.message = str(error)
            sent.became = history.TAKEN if taken else history.REFUSED
        else:
            kept.add(stored["metadata"]["uid"])
            sent.before, sent.after = seen, stored
            if stored is not seen:
                sent.became = history.CREATED if seen is None else history.CHANGED
        if memory.is_new(sent):
            memory.waves[key] = wave
            record.sent.append(sent)
        elif stored is not None and stored is not seen:
            sent.became = history.RESTORED
            record.sent.append(sent)
    return kept


def _taken(node: Node, body: dict[str, Any], seen: dict[str, Any] | None, own: str, step: Step) -> str:
    """Why an object is not sent: it is another instance's. Of a collection kro sees only its own items, and takes the others over."""
    labels = (seen or {}).get("metadata", {}).get("labels") or {}
    other = labels.get(PART_OF) or own
    is_own = labels.get(INSTANCE_ID) == step.instance["metadata"]["uid"] and labels.get(NODE_ID) == node.id
    if other == own or (node.is_collection and not is_own):
        return ""
    metadata = body["metadata"]
    shown = "/".join(part for part in (metadata.get("namespace"), metadata["name"]) if part)
    group, _, version = body["apiVersion"].rpartition("/")
    return (
        f"resource belongs to a different ApplySet: {shown} ({group}/{version}, Kind={body['kind']}) belongs to ApplySet "
        f'"{other}", cannot reassign to "{own}"'
    )


def _orphans(
    instance: dict[str, Any], kinds: set[str], namespaces: set[str], kept: set[str], cluster: Cluster
) -> list[tuple[Identity, dict[str, Any]]]:
    """What carries the instance's mark and was not sent now, within the kinds and namespaces that are looked at."""
    metadata = instance["metadata"]
    key = cluster.identity_of(instance)
    own = applyset_id(key[3], key[2], key[1], key[0])
    looked_at = {*namespaces, metadata.get("namespace") or "default"}
    return [
        (place, found)
        for place, found in cluster.store.labelled(PART_OF, own)
        if (f"{place[1]}.{place[0]}" if place[0] else place[1]) in kinds
        and (not place[2] or place[2] in looked_at)
        and found["metadata"]["uid"] not in kept
    ]


def _prune(
    key: Identity,
    step: Step,
    orphans: list[tuple[Identity, dict[str, Any]]],
    cluster: Cluster,
    memory: Memory,
    record: StepRecord,
) -> None:
    """Delete them, dependents first; what belongs to no node of the RGD goes before all."""
    position = {name: i for i, name in enumerate(step.program.order)}
    last = len(position)

    def rank(orphan: tuple[Identity, dict[str, Any]]) -> tuple[int, Identity]:
        return (-position.get(orphan[1]["metadata"]["labels"].get(NODE_ID, ""), last), orphan[0])

    for place, found in sorted(orphans, key=rank):
        if "deletionTimestamp" not in found["metadata"]:
            record.pruned.append(Removed(key, found["metadata"]["labels"].get(NODE_ID, ""), place))
        cluster.delete(place)
        memory.forget(key, place)


# -- how the nodes stand --------------------------------------------------------------------------------------------


def node_records(step: Step, cluster: Cluster) -> list[history.NodeRecord]:
    """Of every node that the last step came to."""
    own: dict[str, list[Identity]] = {}
    for place, found in cluster.store.labelled(INSTANCE_ID, str(step.instance["metadata"].get("uid"))):
        own.setdefault(found["metadata"]["labels"].get(NODE_ID, ""), []).append(place)
    records = []
    for name, outcome in step.outcomes.items():
        state = {EXCLUDED: history.EXCLUDED, DEFERRED: history.WAITING, RESOLVED: history.APPLIED}[outcome.state]
        if outcome.state == RESOLVED and outcome.node.is_external:
            state = history.SEEN
        if state == history.WAITING and name in own:
            state = history.HELD
        made = history.NodeRecord(name, state)
        made.waits = list(outcome.waits)
        made.why = outcome.why_excluded
        made.live = own.get(name, [])
        records.append(made)
    return records
