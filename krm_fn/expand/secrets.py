"""
The secret values of a cluster, which go nowhere: not into output, a report, a message, another object.

Enters: an object that somebody has seen; the paths that a node waits for.  Leaves: the object without them, each an unknown, so that what
is computed of one is unknown as well; whether a path leads to one.  Not known here: how unknowns flow (`cel.values`).

A Secret keeps its metadata and the names of its keys. What its own template sets is known, as everywhere: that stands in the input.
"""

from __future__ import annotations

from krm_fn.cel import EvaluationError
from krm_fn.cel.values import Unknown, join_path, root_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krm_fn.program.model import Node, Program

_FIELDS = ("data", "stringData")
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
"""An annotation in which `kubectl apply` keeps the whole object."""


def without_secrets(seen: dict[str, Any], path: str) -> dict[str, Any]:
    """An observed object; the values of a Secret, and the copy that kubectl keeps of them, are unknown."""
    if not _is_secret(seen.get("apiVersion"), seen.get("kind")):
        return seen
    hidden = dict(seen)
    for field in _FIELDS:
        values = seen.get(field)
        below = f"{path}.{field}"
        if isinstance(values, dict):
            hidden[field] = {key: Unknown(join_path(below, key)) for key in values}
        elif values is not None:
            hidden[field] = Unknown(below)
    metadata = seen.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    if isinstance(annotations, dict) and LAST_APPLIED in annotations:
        copy = Unknown(join_path(f"{path}.metadata.annotations", LAST_APPLIED))
        hidden["metadata"] = {**seen["metadata"], "annotations": {**annotations, LAST_APPLIED: copy}}
    return hidden


def untold(error: EvaluationError, node: Node) -> EvaluationError:
    """What went wrong with an expression that saw a node's own values, without the values that its message may quote."""
    if not _is_secret(node.api_version, node.object_kind):
        return error
    return EvaluationError(error.kind, f"{error.kind.replace('-', ' ')}, of a Secret's values")


def is_secret_path(path: str, program: Program) -> bool:
    """Whether *path*, as expressions of *program* spell it, leads to the values of a Secret. To have seen it is no help then."""
    root = root_of(path)
    node = program.nodes.get(root)
    if node is None or not _is_secret(node.api_version, node.object_kind):
        return False
    rest = path[len(root) :]
    if node.is_collection and rest.startswith("["):
        rest = rest.partition("]")[2]
    return any(rest == f".{field}" or rest.startswith((f".{field}.", f".{field}[")) for field in _FIELDS)


def _is_secret(api_version: Any, kind: Any) -> bool:
    """Whatever the version: the group is the core's."""
    return kind == "Secret" and isinstance(api_version, str) and not api_version.rpartition("/")[0]
