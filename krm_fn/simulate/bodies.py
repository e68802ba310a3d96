"""
Whether a body is one that a cluster can hold: what an API server asks of the metadata of everything.

Enters: an object as it was read, with apiVersion and kind.  Leaves: what is wrong with its metadata, each with its path.  Not known here: kinds.
"""

from __future__ import annotations

from krm_fn.schema.object_names import MAX_LABEL, MAX_SUBDOMAIN, is_dns_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    Path = tuple[str | int, ...]

INVALID_NAME, INVALID_LABEL = "invalid-name", "invalid-label"
_NAMES = "lower-case letters, digits, '-' and '.'"


def wrong_metadata(body: dict[str, Any]) -> Iterator[tuple[str, str, Path, str]]:
    """Code, message, path and help of everything that is wrong."""
    metadata = body.get("metadata")
    if not isinstance(metadata, dict):
        yield INVALID_NAME, "metadata.name of this object is missing", ("metadata",), _NAMES
        return
    name, namespace = metadata.get("name"), metadata.get("namespace")
    if not isinstance(name, str) or not _is_name(name):
        said = "missing" if name is None else "no name"
        yield INVALID_NAME, f"metadata.name of this object is {said}", ("metadata", "name"), _NAMES
    if namespace is not None and not (isinstance(namespace, str) and is_dns_name(namespace, MAX_LABEL, dots=False)):
        advice = "lower-case letters, digits and '-'"
        yield INVALID_NAME, "metadata.namespace of this object is no namespace", ("metadata", "namespace"), advice
    for field in ("labels", "annotations"):
        texts = metadata.get(field)
        is_map = isinstance(texts, dict) and all(isinstance(each, str | None) for each in texts.values())
        if texts is not None and not is_map:
            message = f"metadata.{field} of this object is no mapping of texts"
            yield INVALID_LABEL, message, ("metadata", field), "put numbers and true into quotes"
    finalizers = metadata.get("finalizers")
    is_list = isinstance(finalizers, list) and all(isinstance(each, str) for each in finalizers)
    if finalizers is not None and not is_list:
        yield INVALID_LABEL, "metadata.finalizers of this object is no list of texts", ("metadata", "finalizers"), ""


def _is_name(name: str) -> bool:
    """A name of some kind: those of RBAC may hold a colon."""
    return is_dns_name(name.replace(":", "-").strip("-"), MAX_SUBDOMAIN, dots=True)
