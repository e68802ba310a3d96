"""
The labels that kro itself puts on what it manages, for `--kro-labels`.

Source: kro v0.9.3 pkg/metadata/labels.go and pkg/controller/instance/applyset (KEP-3659's applyset id).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krm_fn.program.model import Program

KRO_VERSION = "v0.9.3"
RECONCILE = "kro.run/reconcile"
"""The annotation by which an instance asks to be left alone: api/v1alpha1/groupversion_info.go."""
FINALIZER = "kro.run/finalizer"
"""On every instance and RGD that kro manages: pkg/metadata/finalizers.go."""


def applyset_id(name: str, namespace: str, kind: str, group: str) -> str:
    from base64 import urlsafe_b64encode
    from hashlib import sha256

    digest = sha256(f"{name}.{namespace}.{kind}.{group}".encode()).digest()
    return f"applyset-{urlsafe_b64encode(digest).decode().rstrip('=')}-v1"


def child_labels(program: Program, instance: dict[str, Any], uid: str) -> dict[str, str]:
    """What every child of *instance* carries, but for what depends on its node. An unknown uid is left out."""
    definition = program.definition
    metadata = instance["metadata"]
    name, namespace = metadata["name"], metadata.get("namespace") or ""
    labels = {
        "app.kubernetes.io/managed-by": "kro",
        "applyset.kubernetes.io/part-of": applyset_id(name, namespace, definition.kind, definition.group),
        "kro.run/instance-group": definition.group,
        "kro.run/instance-kind": definition.kind,
        "kro.run/instance-name": name,
        "kro.run/instance-version": definition.version,
        "kro.run/kro-version": KRO_VERSION,
        "kro.run/owned": "true",
    }
    if uid:
        labels["kro.run/instance-id"] = uid
    if definition.namespaced:
        labels["kro.run/instance-namespace"] = namespace
    return labels


def instance_labels(program: Program, instance: dict[str, Any]) -> dict[str, Any]:
    """What kro writes on an instance once it manages it."""
    from krm_fn.cel.values import Unknown

    definition = program.definition
    metadata = instance["metadata"]
    return {
        "applyset.kubernetes.io/id": applyset_id(
            metadata["name"], metadata.get("namespace") or "", definition.kind, definition.group
        ),
        "kro.run/kro-version": KRO_VERSION,
        "kro.run/owned": "true",
        "kro.run/resource-graph-definition-id": Unknown("schema.metadata.labels[kro.run/resource-graph-definition-id]"),
        "kro.run/resource-graph-definition-name": definition.name,
    }
