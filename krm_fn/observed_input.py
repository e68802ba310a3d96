"""
Which documents say what was seen in a cluster, and whether an object that somebody wrote down by hand can be one.

Enters: objects of the input.  Leaves: answers; problems go to the caller's `add`.  Not known here: what a snapshot holds (`snapshot`),
what becomes of what was seen.
"""

from __future__ import annotations

from krm_fn.report.diagnostic import Diagnostic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from krm_fn.inputs import Entry

OBSERVED_MARK = "rookery.dev/observed"
GROUP = "rookery.dev"
API_VERSION = f"{GROUP}/v1alpha1"
KIND = "ObservedState"
SECTIONS = ("cluster", "instances", "owned", "objects", "lists")
"""What the digest of a snapshot is of."""


def is_marked_observed(value: dict[str, Any]) -> bool:
    metadata = value.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    return isinstance(annotations, dict) and annotations.get(OBSERVED_MARK) == "true"


def is_snapshot(value: dict[str, Any]) -> bool:
    """
    Whether an object is a snapshot, or was one before it was damaged.

    A kind that is cut off, and one with a wrong letter, must not make a manifest of it that nobody looks at.
    """
    api_version, kind = value.get("apiVersion"), value.get("kind")
    if not isinstance(api_version, str) or not isinstance(kind, str):
        return False
    is_cut = api_version.rpartition("/")[0] == GROUP and KIND.startswith(kind)
    return is_cut or kind == KIND or ("digest" in value and "owned" in value and "objects" in value)


def is_sound(entry: Entry, add: Callable[[Diagnostic], None]) -> bool:
    """Whether an object looks like one that an API server gave out. Says what is wrong with it."""
    metadata = entry.value.get("metadata")
    kind = entry.value["kind"]
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str) or not metadata["name"]:
        add(
            Diagnostic(
                "observed-without-name",
                f"an observed {kind} has no metadata.name",
                position=entry.locate(()),
                help="a snapshot holds whole objects, as `kubectl get -o yaml` prints them",
            )
        )
        return False
    wrong = [
        (field, "a string")
        for field in ("namespace", "uid")
        if metadata.get(field) is not None and not isinstance(metadata[field], str)
    ]
    wrong += [
        (field, "a mapping of strings")
        for field in ("labels", "annotations")
        if metadata.get(field) is not None and not _is_mapping_of_strings(metadata[field])
    ]
    for field, wanted in wrong:
        add(
            Diagnostic(
                "observed-malformed",
                f"metadata.{field} of an observed {kind} is not {wanted}",
                position=entry.locate(("metadata", field)),
                where=f"metadata.{field}",
                subject=entry.subject(),
                help="a snapshot holds objects as `kubectl get -o yaml` prints them",
            )
        )
    return not wrong


def _is_mapping_of_strings(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(each, str) for each in value.values())
