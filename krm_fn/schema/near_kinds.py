"""
What somebody may have meant by a kind that is not known. Imported only when there is one.

Enters: group and kind, and the kinds that were added.  Leaves: a sentence for people.  Not known here: where the kind stands.
"""

from __future__ import annotations

from krm_fn.report.near import closest
from krm_fn.schema.builtin_kinds import CLUSTER_SCOPED, MINORS, NAMESPACED
from krm_fn.schema.scope import builtin_versions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeAlias

    GroupKind: TypeAlias = tuple[str, str]

KIND, API_VERSION = "kind", "apiVersion"
NO_IDEA = (KIND, "give its CustomResourceDefinition with --crds, or put it among the input")
_SHOWN = 4


def advice(group: str, kind: str, added: Mapping[GroupKind, tuple[str, ...]], minor: int) -> tuple[str, str]:
    """The field that is wrong, as far as that can be told, and what to do. *added*: the versions of kinds that are not built in."""
    known = {**_builtin(minor), **added}
    served = [_text(g, version) for (g, k), versions in known.items() if k == kind for version in versions]
    if served:
        own = [text for text in served if text.rpartition("/")[0] == group] or served
        return API_VERSION, f"{kind} is served as {_listed(own)}"
    later = [m for m in MINORS if builtin_versions(group, kind, m)]
    if later:
        return (
            KIND,
            f"Kubernetes 1.{minor} does not serve it, but 1.{later[0]}; the version to render for can be chosen",
        )
    near = closest(kind, sorted({k for (_, k), versions in known.items() if versions}))
    if near:
        places = [_text(g, version) for (g, k), versions in known.items() if k == near for version in versions]
        return KIND, f"did you mean {near} ({_listed(places)})?"
    return NO_IDEA


def _builtin(minor: int) -> dict[GroupKind, tuple[str, ...]]:
    keys = ((group, kind) for group, _, kind in (key.rpartition("/") for key in (*NAMESPACED, *CLUSTER_SCOPED)))
    return {key: versions for key in keys if (versions := builtin_versions(*key, minor))}


def _text(group: str, version: str) -> str:
    return f"{group}/{version}" if group else version


def _listed(texts: list[str]) -> str:
    rest = len(texts) - _SHOWN
    return ", ".join(texts[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
