"""
A CustomResourceDefinition as an API server takes it, and the schemas that it publishes for it.

Enters: a CRD as plain JSON.  Leaves: the kind with its versions, their schemas when they are asked for, and what is wrong with it,
each with its path in the CRD.  Not known here: where the CRD comes from, which other kinds there are, the rules of a schema
(`schema.structural_rules`).

Published is a schema without descriptions, with `apiVersion`, `kind` and the whole of ObjectMeta at the root and in every embedded
resource. A version that an API server would refuse has no schema here, so nothing is said of its objects but that.

Source: Kubernetes v1.35.0 apiextensions-apiserver pkg/controller/openapi/builder/builder.go. Left out: the `anyOf` that an
int-or-string is spelt out with, since its mark says the same to every reader.
"""

from __future__ import annotations

from krm_fn.report.diagnostic import WARNING
from krm_fn.schema.crd import object_meta
from krm_fn.schema.structural import Violation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    Schema: TypeAlias = dict[str, Any]
    Path: TypeAlias = tuple[str | int, ...]
    Report: TypeAlias = Callable[[Violation], None]

_INT_OR_STRING, _EMBEDDED = "x-kubernetes-int-or-string", "x-kubernetes-embedded-resource"
_PLACES: tuple[Path, ...] = (("spec", "group"), ("spec", "names", "kind"), ("spec", "scope"))
_REFUSED = "an API server refuses such a CRD; objects of the kind are not checked here"


class CrdVersion:
    """One served version: the kind that it is of, its schema as it was written, where that stands."""

    __slots__ = ("_kind", "_path", "_raw", "_report")

    def __init__(self, kind: str, raw: Any, path: Path, report: Report) -> None:
        self._kind = kind
        self._raw = raw
        self._path = path
        self._report = report

    def published(self) -> Schema | None:
        """The schema of the version's objects; None, with the reasons reported, where it has none that an API server would take."""
        from krm_fn.schema.structural_rules import broken_rules

        if self._raw is None:
            self._report(_problem("crd-without-schema", self._path[:3], f"this version of {self._kind} has no schema"))
            return None
        broken = broken_rules(self._raw)
        for rule in broken:
            self._report(_problem("crd-not-structural", (*self._path, *rule.path), rule.message))
        return None if broken else _at_root(_published(self._raw))


def refuse_unclear(crd: dict[str, Any], report: Report) -> None:
    """Say why a CRD is none of which it is clear what it defines."""
    for place in _PLACES:
        value: Any = crd
        for key in place:
            value = value.get(key) if isinstance(value, dict) else None
        if not isinstance(value, str) or (place[-1] == "scope" and value not in ("Namespaced", "Cluster")):
            message = f"{place[-1]} of this CRD is missing, or not what a CRD has there"
            report(_problem("crd-invalid", place, message))


def refuse_former(crd: dict[str, Any], report: Report) -> None:
    """Say that another CRD, of the same kind, is used."""
    kind = crd["spec"]["names"]["kind"]
    message = f"this CRD is not used: another one of {kind} comes after it"
    report(
        _problem("duplicate-crd", ("spec", "names", "kind"), message, "keep one CustomResourceDefinition for a kind")
    )


def served_versions(crd: dict[str, Any], report: Report) -> dict[str, CrdVersion]:
    """The versions that a CRD serves, by name. *crd*: one of which it is clear what it defines."""
    spec = crd["spec"]
    kind = spec["names"]["kind"]
    if crd.get("apiVersion") != "apiextensions.k8s.io/v1":
        message = f"CRDs are served as apiextensions.k8s.io/v1, not as {crd.get('apiVersion')}"
        report(_problem("crd-invalid", ("apiVersion",), message, "write it as apiextensions.k8s.io/v1"))
    versions = spec.get("versions") or [{"name": spec.get("version"), "served": True}]
    served: dict[str, CrdVersion] = {}
    for i, version in enumerate(versions if isinstance(versions, list) else ()):
        path: Path = ("spec", "versions", i)
        name = version.get("name") if isinstance(version, dict) else None
        if not isinstance(name, str) or not name or name in served:
            message = f"version {name} of {kind} stands twice" if name else f"a version of {kind} has no name"
            report(_problem("crd-invalid", path, message))
        elif version.get("served") is True:
            schema = version.get("schema")
            raw = schema.get("openAPIV3Schema") if isinstance(schema, dict) else None
            served[name] = CrdVersion(f"{kind} {name}", raw, (*path, "schema", "openAPIV3Schema"), report)
    if not served:
        message = f"no version of {kind} is served"
        report(_problem("crd-not-served", ("spec", "versions"), message, "set served: true where templates need it"))
    return served


def _problem(code: str, path: Path, message: str, help: str = _REFUSED) -> Violation:  # noqa: A002
    return Violation(code, path, message, help, WARNING)


# -- what is published


def _published(schema: Schema) -> Schema:
    """A schema that keeps the rules, without what only people read."""
    from krm_fn.schema.structural_rules import KEYWORDS

    made = {key: value for key, value in schema.items() if value is not None and key in KEYWORDS}
    if "properties" in made:
        made["properties"] = {name: _published(field) for name, field in made["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(made.get(key), dict):
            made[key] = _published(made[key])
    if made.get("format") == "int-or-string":
        made[_INT_OR_STRING] = True
    if made.get(_EMBEDDED) is True:
        made = _at_root(made)
        made["required"] = list(dict.fromkeys((*made.get("required", ()), "kind", "apiVersion")))
    return made


_root_fields: dict[str, Schema] = {}


def _at_root(schema: Schema) -> Schema:
    if not _root_fields:
        text = {"type": "string"}
        _root_fields.update(apiVersion=text, kind=text, metadata=object_meta(namespaced=True))
    return {**schema, "properties": {**schema.get("properties", {}), **_root_fields}}
