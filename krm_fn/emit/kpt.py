"""
What `kpt live` and every other user of cli-utils needs to keep the order: `config.kubernetes.io/depends-on`.

Enters: an object, the identities that gate it.  Leaves: the object.  Not known here: how gates come about.

Source: kubernetes-sigs/cli-utils v0.36.0 pkg/object/dependson: `<group>/namespaces/<namespace>/<Kind>/<name>`, and
`<group>/<Kind>/<name>` where the kind is cluster-scoped; the core group is empty; no version.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from krm_fn.expand.observed import Identity

DEPENDS_ON = "config.kubernetes.io/depends-on"


def with_dependencies(object: dict[str, Any], gates: Iterable[Identity]) -> dict[str, Any]:  # noqa: A002
    """A copy of *object* that is applied once all of *gates* are current; the object itself where there is none."""
    written = [reference(gate) for gate in gates]
    annotations = dict(object["metadata"].get("annotations") or {})
    own = [part.strip() for part in str(annotations.get(DEPENDS_ON) or "").split(",") if part.strip()]
    if not written:
        return object
    annotations[DEPENDS_ON] = ", ".join(dict.fromkeys([*own, *written]))
    return {**object, "metadata": {**object["metadata"], "annotations": annotations}}


def reference(gate: Identity) -> str:
    group, kind, namespace, name = gate
    return f"{group}/namespaces/{namespace}/{kind}/{name}" if namespace else f"{group}/{kind}/{name}"
