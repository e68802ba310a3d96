"""
What Argo CD needs to keep the order: sync waves, and a marker for what is withheld.

Enters: objects, their layers, what an instance waits for.  Leaves: objects.  Not known here: how layers come about, health checks.

Argo CD goes to the next wave once every object of a wave is healthy or has no check, and never waits for the last one. So the marker
has the number of the last wave: with one of its own it would make every Application wait.
Source: Argo CD v3.5 gitops-engine pkg/sync/syncwaves; observed of the real engine.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krm_fn.expand.outcome import Expansion

WAVE = "argocd.argoproj.io/sync-wave"
WAITS_FOR = "rookery.dev/waits-for"
_LONGEST_NAME = 63
_SHOWN = 20


def with_wave(object: dict[str, Any], wave: int) -> dict[str, Any]:  # noqa: A002
    """A copy of *object* in a sync wave. Wave 0 is where an object without the annotation is."""
    annotations = object["metadata"].get("annotations") or {}
    if wave == 0 and WAVE not in annotations:
        return object
    kept = {key: value for key, value in annotations.items() if key != WAVE}
    if wave != 0:
        kept[WAVE] = str(wave)
    metadata = {**object["metadata"], "annotations": kept}
    if not kept:
        del metadata["annotations"]
    return {**object, "metadata": metadata}


def waiting_marker(expansion: Expansion, waits: dict[str, list[str]]) -> dict[str, Any]:
    """
    A suspended Job that shows an Application as Suspended while something of an instance is withheld. It never starts a pod.

    waits: node -> what it waits for. Only its annotations differ from one run to the next: a Job's template is immutable.
    """
    subject = expansion.subject
    lines = [f"{node}: {', '.join(paths[:_SHOWN])}" for node, paths in waits.items()]
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": marker_name(subject.name),
            **({"namespace": subject.namespace} if subject.namespace else {}),
            "annotations": {WAITS_FOR: "\n".join(lines[:_SHOWN])},
        },
        "spec": {
            "suspend": True,
            "template": {
                "spec": {
                    "restartPolicy": "Never",
                    "containers": [{"name": "never-started", "image": "registry.k8s.io/pause:3.10"}],
                }
            },
        },
    }


def marker_name(instance: str) -> str:
    """`<instance>-waiting`; a long name is cut, and told apart by a hash."""
    name = f"{instance.replace('.', '-')}-waiting"
    if len(name) <= _LONGEST_NAME and "." not in instance:
        return name
    from hashlib import sha256

    digest = sha256(instance.encode()).hexdigest()[:8]
    return f"{instance.replace('.', '-')[: _LONGEST_NAME - 17]}-{digest}-waiting"
