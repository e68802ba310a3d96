"""
Which kinds are built in, and whether a kind's objects live in namespaces.

Enters: apiVersion and kind, or a CRD of the input.  Leaves: True (namespaced), False (cluster-scoped), None (not a
built-in). Not known here: which CRDs the input has; what an unknown scope is taken for.
"""

from __future__ import annotations

from krm_fn.schema.builtin_kinds import CLUSTER_SCOPED, NAMESPACED, NOT_EVERYWHERE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def scope_of(api_version: str, kind: str) -> bool | None:
    """
    Tell the scope of a built-in kind, whatever its version: `v1`, `Namespace` -> False; None for every other kind.

    Source: the API server's discovery (`schema.builtin_kinds`).
    """
    key = f"{api_version.rpartition('/')[0]}/{kind}"
    if key in NAMESPACED:
        return True
    return False if key in CLUSTER_SCOPED else None


def builtin_versions(group: str, kind: str, minor: int) -> tuple[str, ...]:
    """The versions in which Kubernetes 1.*minor* serves a built-in kind; none for every other kind."""
    key = f"{group}/{kind}"
    versions = NAMESPACED.get(key) or CLUSTER_SCOPED.get(key) or ()
    minors = NOT_EVERYWHERE.get(key)
    return tuple(v for v in versions if minor in minors.get(v, ())) if minors else versions


def scope_from_crd(crd: dict[str, Any]) -> dict[tuple[str, str], bool]:
    """
    Read group, kind and scope off a CustomResourceDefinition: `{(group, kind): namespaced}`.

    Errors:  none; a document whose group, kind or scope is missing or not what a CRD has gives nothing.
    """
    spec = crd.get("spec")
    if crd.get("kind") != "CustomResourceDefinition" or not isinstance(spec, dict):
        return {}
    names = spec.get("names")
    group, scope = spec.get("group"), spec.get("scope")
    kind = names.get("kind") if isinstance(names, dict) else None
    if not isinstance(group, str) or not isinstance(kind, str) or scope not in ("Namespaced", "Cluster"):
        return {}
    return {(group, kind): scope == "Namespaced"}
