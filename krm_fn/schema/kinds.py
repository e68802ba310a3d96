"""
Every kind that a template may make: whether its objects live in namespaces, and the schema of its objects.

Enters: a version of Kubernetes, CustomResourceDefinitions, and what the RGDs of the input define.  Leaves: scopes and schemas, asked
for by apiVersion and kind.  Not known here: where the CRDs come from, what is checked against a schema.

Nothing is read for a schema that nobody asks for: neither the pack of the built-in kinds nor the schema of a CRD.
"""

from __future__ import annotations

from krm_fn.schema.kube_version import NEWEST
from krm_fn.schema.scope import builtin_versions, scope_from_crd, scope_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    from krm_fn.schema.served_crd import CrdVersion
    from krm_fn.schema.structural import Violation

    Schema: TypeAlias = dict[str, Any]
    GroupKind: TypeAlias = tuple[str, str]
    Report: TypeAlias = Callable[[Violation], None]

_HINTS = 20
"""So many unknown kinds get advice: to look for one walks all that are known."""


def _ignore(_: Violation) -> None:
    pass


class Kinds:
    """
    What is known of kinds: those that Kubernetes 1.*minor* serves, and those that were added.

    A schema is plain and whole: no `$ref`, parts may be shared, nobody changes one. A kind without a schema is not checked.
    """

    __slots__ = ("_added", "_crds", "_hints", "_minor", "_refused", "_scopes")

    def __init__(self, minor: int = NEWEST) -> None:
        self._minor = minor
        self._scopes: dict[GroupKind, bool] = {}
        self._added: dict[GroupKind, dict[str, Schema | CrdVersion | None]] = {}
        """The versions of the kinds that were added."""
        self._crds: dict[GroupKind, list[tuple[dict[str, Any], Report]]] = {}
        """The CRDs that nobody has asked for yet."""
        self._refused: set[GroupKind] = set()
        """What CRDs define of which that is all that is clear."""
        self._hints = _HINTS

    def add_crd(self, crd: dict[str, Any], report: Report = _ignore) -> None:
        """
        Learn the kind that a CustomResourceDefinition defines. Of two for one kind the later counts.

        *report* takes what is wrong with it, when the kind is first asked for: nobody cares about CRDs that nothing needs.
        """
        scopes = scope_from_crd(crd)
        for key, namespaced in scopes.items():
            self._scopes[key] = namespaced
            self._crds.setdefault(key, []).append((crd, report))
        if not scopes:
            from krm_fn.schema.served_crd import refuse_unclear

            refuse_unclear(crd, report)
            spec = crd.get("spec")
            names = spec.get("names") if isinstance(spec, dict) else None
            if isinstance(spec, dict) and isinstance(names, dict):
                self._refused.add((str(spec.get("group")), str(names.get("kind"))))

    def add(self, api_version: str, kind: str, *, namespaced: bool, schema: Schema | None = None) -> None:
        """Learn one kind. The last word on a kind is the one that counts."""
        group, version = _split(api_version)
        self._scopes[group, kind] = namespaced
        self._added.setdefault((group, kind), {})[version] = schema

    def namespaced(self, api_version: str, kind: str) -> bool | None:
        """True, False for a cluster-scoped kind, None for one that nobody knows; whether the version is served does not matter."""
        known = self._scopes.get((_split(api_version)[0], kind))
        return scope_of(api_version, kind) if known is None else known

    def knows(self, api_version: str, kind: str) -> bool:
        """Whether the kind is served in this very version."""
        group, version = _split(api_version)
        return version in self._versions(group, kind) or version in builtin_versions(group, kind, self._minor)

    def is_refused(self, api_version: str, kind: str) -> bool:
        """Whether there is a CRD for the kind that defines nothing, which was said of the CRD."""
        key = (_split(api_version)[0], kind)
        return key in self._refused or (key in self._added and not self._added[key])

    def schema(self, api_version: str, kind: str) -> Schema | None:
        """The OpenAPI schema of a kind's objects; None where nobody knows it."""
        group, version = _split(api_version)
        added = self._versions(group, kind)
        if version in added:
            found = added[version]
            if found is not None and not isinstance(found, dict):
                found = added[version] = found.published()
            return found
        if version not in builtin_versions(group, kind, self._minor):
            return None
        from krm_fn.schema.pack import load

        return load(self._minor).schema(api_version, kind)

    def _versions(self, group: str, kind: str, *, quiet: bool = False) -> dict[str, Schema | CrdVersion | None]:
        """The versions of a kind that was added. *quiet*: for somebody who is only looking around."""
        key = (group, kind)
        added = self._added.get(key, {})
        if key not in self._crds:
            return added
        from krm_fn.schema.served_crd import refuse_former, served_versions

        *former, (crd, report) = self._crds[key]
        versions = {**served_versions(crd, _ignore if quiet else report), **added}
        if not quiet:
            for other, report_other in former:
                if other != crd:
                    refuse_former(other, report_other)
            self._added[key] = versions
            del self._crds[key]
        return versions

    def advice(self, api_version: str, kind: str) -> tuple[str, str]:
        """What to do about a kind that is not known, and whether `kind` or `apiVersion` is wrong."""
        from krm_fn.schema.near_kinds import NO_IDEA, advice

        if self._hints == 0:
            return NO_IDEA
        self._hints -= 1
        group, _ = _split(api_version)
        return advice(group, kind, {key: tuple(self._versions(*key, quiet=True)) for key in self._scopes}, self._minor)


def _split(api_version: str) -> tuple[str, str]:
    """Group and version; the group of `v1` is empty."""
    group, _, version = api_version.rpartition("/")
    return group, version
