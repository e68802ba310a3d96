"""
What every API server itself fills in of built-in kinds, of the fields that expressions ask for.

Enters: an object as it is about to be stored.  Leaves: the same with these fields.  Not known here: what controllers write later.

Source: Kubernetes v1.35.0 pkg/apis/{core,apps,batch}/v1/defaults.go; the `status` of a typed object is never left out.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SPECS: dict[tuple[str, str], dict[str, Any]] = {
    ("apps", "Deployment"): {
        "replicas": 1,
        "revisionHistoryLimit": 10,
        "progressDeadlineSeconds": 600,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}},
    },
    ("apps", "StatefulSet"): {"replicas": 1, "podManagementPolicy": "OrderedReady", "revisionHistoryLimit": 10},
    ("apps", "ReplicaSet"): {"replicas": 1},
    ("batch", "Job"): {"parallelism": 1, "completions": 1, "backoffLimit": 6},
    ("batch", "CronJob"): {"concurrencyPolicy": "Allow", "suspend": False},
    ("", "Service"): {"type": "ClusterIP", "sessionAffinity": "None"},
    ("", "PersistentVolumeClaim"): {"volumeMode": "Filesystem"},
}
_STATUSES: dict[tuple[str, str], dict[str, Any]] = {
    ("", "Namespace"): {"phase": "Active"},
    ("", "Pod"): {"phase": "Pending"},
    ("", "PersistentVolumeClaim"): {"phase": "Pending"},
    ("", "Service"): {"loadBalancer": {}},
    ("networking.k8s.io", "Ingress"): {"loadBalancer": {}},
}
_WITH_STATUS = frozenset(
    {
        ("", "Node"), ("", "PersistentVolume"), ("", "ReplicationController"), ("", "ResourceQuota"), ("apps", "DaemonSet"),
        ("apps", "Deployment"), ("apps", "ReplicaSet"), ("apps", "StatefulSet"), ("autoscaling", "HorizontalPodAutoscaler"),
        ("batch", "CronJob"), ("batch", "Job"), ("policy", "PodDisruptionBudget"), *_STATUSES,
    }
)  # fmt: skip


def with_server_values(body: dict[str, Any]) -> dict[str, Any]:
    """*body* is not changed; what it says itself stays."""
    key = (body["apiVersion"].rpartition("/")[0], body["kind"])
    spec = body.get("spec")
    if key in _SPECS and isinstance(spec, dict):
        body = {**body, "spec": {**_SPECS[key], **spec}}
        if key == ("", "Service") and isinstance(spec.get("ports"), list):
            body["spec"]["ports"] = [_port(port) for port in spec["ports"]]
    if key in _WITH_STATUS and "status" not in body:
        body = {**body, "status": _STATUSES.get(key, {})}
    if key == ("", "Namespace"):
        metadata = body["metadata"]
        labels = {"kubernetes.io/metadata.name": metadata["name"], **(metadata.get("labels") or {})}
        body = {**body, "metadata": {**metadata, "labels": labels}}
    if key == ("apiextensions.k8s.io", "CustomResourceDefinition") and "status" not in body:
        conditions = [{"type": each, "status": "True"} for each in ("NamesAccepted", "Established")]
        names = spec.get("names") if isinstance(spec, dict) else None
        body = {**body, "status": {"acceptedNames": names or {}, "conditions": conditions}}
    return body


def _port(port: Any) -> Any:
    if not isinstance(port, dict) or "port" not in port:
        return port
    return {"protocol": "TCP", "targetPort": port["port"], **port}
