"""
What `kpt live` and every other user of cli-utils needs to keep the order: `config.kubernetes.io/depends-on`.

Enters: an object, the identities that gate it.  Leaves: the object; what cli-utils takes for ready.  Not known here: how gates come about.

Source: kubernetes-sigs/cli-utils v0.36.0 pkg/object/dependson: `<group>/namespaces/<namespace>/<Kind>/<name>`, and
`<group>/<Kind>/<name>` where the kind is cluster-scoped; the core group is empty; no version.  pkg/object/graph refuses a whole package in
which an annotation names something twice, or what is not in it.  pkg/kstatus/status/core.go says what it knows of which kinds.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from typing import Any

    from krm_fn.expand.observed import Identity

DEPENDS_ON = "config.kubernetes.io/depends-on"
LONGEST = 262_144
"""Bytes of all annotations of an object that an API server takes (apimachinery pkg/api/validation/objectmeta.go)."""


def with_dependencies(object: dict[str, Any], references: Iterable[str]) -> dict[str, Any]:  # noqa: A002
    """
    A copy of *object* that is applied once all that is referred to is current; the object itself where that says nothing new.

    An author's own references stay, without blank and repeated ones, which cli-utils refuses.
    """
    annotations = dict(object["metadata"].get("annotations") or {})
    written = annotations.pop(DEPENDS_ON, None)
    own = own_references(object)
    added = [reference for reference in references if reference not in own]
    if not added and (written is None or str(written).count(",") + 1 == len(own)):
        return object
    if own or added:
        annotations[DEPENDS_ON] = ", ".join([*own, *added])
    metadata = {**object["metadata"], "annotations": annotations}
    if not annotations:
        del metadata["annotations"]
    return {**object, "metadata": metadata}


def own_references(object: Mapping[str, Any]) -> dict[str, None]:  # noqa: A002
    """Those that an object has already, each once."""
    return _parts((object["metadata"].get("annotations") or {}).get(DEPENDS_ON))


def without_dependencies(object: dict[str, Any], gone: Collection[str]) -> dict[str, Any]:  # noqa: A002
    """The object without references to what is *gone*, which would stop the whole package; itself where it has none."""
    annotations = object["metadata"].get("annotations") or {}
    own = _parts(annotations.get(DEPENDS_ON))
    kept = [reference for reference in own if reference not in gone]
    if len(kept) == len(own):
        return object
    made = {key: value for key, value in annotations.items() if key != DEPENDS_ON or kept}
    if kept:
        made[DEPENDS_ON] = ", ".join(kept)
    return {**object, "metadata": {**object["metadata"], "annotations": made}}


def _parts(text: Any) -> dict[str, None]:
    return dict.fromkeys(part.strip() for part in str(text or "").split(",") if part.strip())


def reference(gate: Identity) -> str:
    group, kind, namespace, name = gate
    return f"{group}/namespaces/{namespace}/{kind}/{name}" if namespace else f"{group}/{kind}/{name}"


def referred(text: str) -> Identity | None:
    """What a reference names; None where cli-utils would not read it."""
    group, *fields = text.split("/")
    namespace = ""
    if len(fields) == 4 and fields[0] == "namespaces":
        namespace, fields = fields[1], fields[2:]
    kind, name = fields if len(fields) == 2 else ("", "")
    return (group, kind, namespace, name) if kind and name else None


def is_referable(gate: Identity) -> bool:
    """Whether the annotation can say it: names of RBAC may hold what it separates by."""
    return "," not in gate[3] and gate[3] == gate[3].strip()


def annotated_bytes(object: dict[str, Any]) -> int:  # noqa: A002
    annotations = object["metadata"].get("annotations") or {}
    return sum(len(str(key).encode()) + len(str(value).encode()) for key, value in annotations.items())


# ---- kstatus

_WORKLOAD = "all its replicas are updated and available"
_KNOWN = {
    ("", "Service"): "it has a clusterIP, where it is of type LoadBalancer, and at once where not",
    ("", "Pod"): "it is ready or has succeeded",
    ("", "PersistentVolumeClaim"): "it is bound",
    ("apps", "Deployment"): _WORKLOAD,
    ("apps", "StatefulSet"): _WORKLOAD,
    ("apps", "ReplicaSet"): _WORKLOAD,
    ("apps", "DaemonSet"): "its pods run on all nodes that it is meant for",
    ("policy", "PodDisruptionBudget"): "its controller has seen it",
    ("batch", "Job"): "it is started, not completed",
    ("", "ConfigMap"): "it exists",
    ("", "Secret"): "it exists",
    ("batch", "CronJob"): "it exists",
}
_OTHER = "its condition Ready is True, and at once while it has none"


def current_when(group: str, kind: str) -> str:
    """When kstatus calls an object Current: `kpt live` goes on then."""
    return _KNOWN.get((group, kind), _OTHER)
