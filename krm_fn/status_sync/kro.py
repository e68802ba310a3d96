"""
What belongs to a kro that runs in the cluster, and is therefore left to it.

Enters: a CRD, an instance, an RGD as they are stored.  Leaves: why they are kro's, or an empty text.  Not known here: what is done then.

Source: kro v0.9.3. It labels the CRDs that it makes (pkg/metadata/labels.go, IsKROOwned; it updates no other), and puts its finalizer
on every RGD and instance that it manages (pkg/metadata/finalizers.go). Where kro is gone and these stayed, whoever removed it
removes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from krm_fn.expand.labels import FINALIZER

if TYPE_CHECKING:
    from typing import Any

OWNED, MANAGED_BY = "kro.run/owned", "app.kubernetes.io/managed-by"


def why_kro_owns(crd: dict[str, Any]) -> str:
    """A generated CRD: kro runs a controller for it, and for no other."""
    labels = crd["metadata"].get("labels") or {}
    if OWNED in labels:
        return f"label {OWNED}=true" if labels[OWNED] == "true" else ""
    return f"label {MANAGED_BY}=kro" if labels.get(MANAGED_BY) == "kro" else ""


def why_kro_manages(stored: dict[str, Any]) -> str:
    """An RGD or an instance."""
    return f"finalizer {FINALIZER}" if FINALIZER in (stored["metadata"].get("finalizers") or ()) else ""
