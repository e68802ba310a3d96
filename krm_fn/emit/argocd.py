"""
What Argo CD needs to keep the order: sync waves, and a marker for what is withheld.

Enters: objects, their layers, what an instance waits for.  Leaves: objects.  Not known here: how layers come about, health checks.

Argo CD goes to the next wave once every object of a wave is healthy or has no check, and never waits for the last one. So the marker
has the number of the last wave of all: one of its own would make every Application wait, and a wave behind it would never begin.
Source: Argo CD v3.5 gitops-engine pkg/sync/syncwaves, pkg/sync/hook; observed of the real engine.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from krm_fn.report.diagnostic import Subject

WAVE = "argocd.argoproj.io/sync-wave"
WAITS_FOR = "rookery.dev/waits-for"
LARGEST_WAVE = 100_000
"""As a base and as a step."""
SYNC, POST_SYNC = "Sync", "PostSync"
_HOOK, _HELM_HOOK, _HELM_WEIGHT = "argocd.argoproj.io/hook", "helm.sh/hook", "helm.sh/hook-weight"
_HELM_PHASES = {"post-install": POST_SYNC, "post-upgrade": POST_SYNC}
_LONGEST_NAME = 63
_LONGEST_IMAGE = 512
_OF_IMAGES = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:@+"
_SHOWN = 20
_LONGEST_LINE = 1000


def is_image(text: str) -> bool:
    """Whether it may be the name of an image, as far as its characters go."""
    return 0 < len(text) <= _LONGEST_IMAGE and text[0].isalnum() and text.isascii() and not text.strip(_OF_IMAGES)


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


def place(object: Mapping[str, Any]) -> tuple[list[str], int]:  # noqa: A002
    """The phases and the wave in which Argo CD applies a manifest; no phase where it is no hook."""
    metadata = object.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    if not isinstance(annotations, dict):
        return [], 0
    phases = [phase.strip() for phase in str(annotations.get(_HOOK) or "").split(",") if phase.strip()]
    if not phases:
        helm = [phase.strip() for phase in str(annotations.get(_HELM_HOOK) or "").split(",") if phase.strip()]
        phases = [_HELM_PHASES.get(phase, phase) for phase in helm]
    text = annotations.get(WAVE) or annotations.get(_HELM_WEIGHT) or "0"
    return phases, _number(str(text))


def _number(text: str) -> int:
    """As Go reads it; 0 where it is none."""
    digits = text[1:] if text[:1] in ("+", "-") else text
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) < 19 else 0


def waiting_marker(subjects: list[Subject], lines: list[str]) -> dict[str, Any]:
    """
    A suspended Job that shows an Application as Suspended while something of an instance is withheld. It never starts a pod.

    subjects: the instances, of one name and one namespace.  lines: what waits, and for what. Only its annotations differ from one
    run to the next: a Job's template is immutable.
    """
    shown = [line if len(line) <= _LONGEST_LINE else f"{line[: _LONGEST_LINE - 1]}…" for line in lines[:_SHOWN]]
    if len(lines) > _SHOWN:
        shown.append(f"and {len(lines) - _SHOWN} more")
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": marker_name(subjects[0].name),
            **({"namespace": subjects[0].namespace} if subjects[0].namespace else {}),
            "annotations": {WAITS_FOR: "\n".join(shown)},
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
