"""
What a rendered object says of its origin, and the file that it lives in.

Enters: an instance, a node, an item key.  Leaves: annotations under `rookery.dev/`, a relative path.  Ownership goes by instance,
node and key, never by the object's own name: later tools rename.
"""

from __future__ import annotations

from krm_fn.expand.ownership import INSTANCE, ITEM, NODE, PREFIX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from krm_fn.program.model import Program
    from krm_fn.report.diagnostic import Subject

OBSERVED = PREFIX + "observed"
LOCAL_CONFIG = "config.kubernetes.io/local-config"

SELF = "instance"
"""Stands for the node where the object is an instance itself. No node can have this id: it is a reserved word."""


def is_local(annotations: Mapping[str, Any]) -> bool:
    """Whether kpt and kustomize keep an object with these to themselves."""
    return bool(annotations.get(LOCAL_CONFIG, "false") != "false")


def marked(object: dict[str, Any], instance: str, node: str, key: str) -> dict[str, Any]:  # noqa: A002
    """A copy of *object* with our marks; everything below metadata.annotations is shared."""
    made = dict(object)
    metadata = made["metadata"] = dict(object["metadata"])
    annotations = metadata["annotations"] = dict(metadata.get("annotations") or ())
    annotations[INSTANCE] = instance
    annotations[NODE] = node
    if key:
        annotations[ITEM] = key
    return made


def suspended(object: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    """An instance that a kro in the cluster leaves alone: kro v0.9.3 api/v1alpha1/groupversion_info.go."""
    from krm_fn.expand.labels import RECONCILE

    made = dict(object)
    metadata = made["metadata"] = dict(object["metadata"])
    metadata["annotations"] = {**(metadata.get("annotations") or {}), RECONCILE: "suspended"}
    return made


def for_cluster(instance: dict[str, Any]) -> dict[str, Any]:
    """An instance of the input as it goes to a cluster: without the mark that keeps its source from being applied."""
    annotations = instance["metadata"].get("annotations")
    if not annotations or LOCAL_CONFIG not in annotations:
        return instance
    made = dict(instance)
    metadata = made["metadata"] = dict(instance["metadata"])
    metadata["annotations"] = {key: value for key, value in annotations.items() if key != LOCAL_CONFIG}
    if not metadata["annotations"]:
        del metadata["annotations"]
    return made


def file_path(program: Program, subject: Subject, node: str, key: str) -> str:
    """
    `<kind>.<namespace>.<name>/<node>[.<key>].yaml`, one path an object on disks that ignore case too.

    Kind and node ids are letters and digits; the instance's name and namespace were checked on admission.
    """
    folder = ".".join(part for part in (subject.kind.lower(), subject.namespace, subject.name) if part)
    if program.definition.group != "kro.run":
        folder = f"{subject.kind.lower()}.{program.definition.group}" + folder[len(subject.kind) :]
    same = [other for other in program.nodes if other.lower() == node.lower()]
    name = f"{node}.{program.nodes[node].index}" if len(same) > 1 else node
    return f"{folder}/{name}.{key}.yaml" if key else f"{folder}/{name}.yaml"
