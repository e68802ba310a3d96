"""
The CustomResourceDefinition that kro generates for an RGD.

Enters: names, the spec schema (`schema.simple_schema`), the inferred status schema, and what the RGD says about
columns and metadata. Leaves: one CRD as plain dicts.  Called where a CRD is shown or compared; a plain render needs
none of this. Not known here: how the status is inferred, what a breaking change is.

Source: kro v0.9.3 pkg/graph/crd/{crd,defaults}.go.
"""

from __future__ import annotations

from krm_fn.schema.plurals import plural

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    Schema: TypeAlias = dict[str, Any]

__all__ = ["generated_crd", "instance_schema", "plural", "with_default_status"]

_CONDITION = {
    "type": "string",
    "status": "string",
    "reason": "string",
    "message": "string",
    "lastTransitionTime": "string",
    "observedGeneration": "integer",
}
_COLUMNS = (
    ("State", "string", "The state of a ResourceGraphDefinition instance", ".status.state"),
    (
        "Ready",
        "string",
        "Whether a ResourceGraphDefinition instance is ready",
        '.status.conditions[?(@.type=="Ready")].status',
    ),
    ("Age", "date", "Age of the resource", ".metadata.creationTimestamp"),
)


def generated_crd(
    group: str,
    version: str,
    kind: str,
    spec_schema: Schema,
    status_schema: Schema | None = None,
    *,
    scope: str = "Namespaced",
    printer_columns: list[dict[str, Any]] | None = None,
    metadata: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """
    Make the CRD of one kind, as kro sends it and the API server shows it (without `conversion` and `status`).

    Shape:   *printer_columns* and *metadata* are the RGD schema's `additionalPrinterColumns` and `metadata` as they
             were read; none or empty: kro's own columns, no labels, no annotations.  *status_schema* gets `state` and
             `conditions` added.
    Source:  kro v0.9.3 pkg/graph/crd/crd.go SynthesizeCRD.
    """
    many = plural(kind.lower())
    object_meta: dict[str, Any] = {"name": f"{many}.{group}"}
    for part in ("labels", "annotations"):
        if (metadata or {}).get(part):
            object_meta[part] = dict((metadata or {})[part])
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": object_meta,
        "spec": {
            "group": group,
            "names": {"kind": kind, "listKind": f"{kind}List", "plural": many, "singular": kind.lower()},
            "scope": scope or "Namespaced",
            "versions": [
                {
                    "name": version,
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": instance_schema(spec_schema, status_schema)},
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": [_column(column) for column in printer_columns or _default_columns()],
                }
            ],
        },
    }


def instance_schema(spec_schema: Schema, status_schema: Schema | None = None) -> Schema:
    """Give the whole `openAPIV3Schema` of an instance. Source: kro v0.9.3 pkg/graph/crd/crd.go newCRDSchema."""
    return {
        "type": "object",
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": spec_schema,
            "status": with_default_status(status_schema),
        },
    }


def with_default_status(status_schema: Schema | None) -> Schema:
    """Add kro's `state` and `conditions` where the author's status has no field of that name."""
    schema: Schema = dict(status_schema or {"type": "object"})
    condition = {"type": "object", "properties": {name: {"type": kind} for name, kind in _CONDITION.items()}}
    own = {"state": {"type": "string"}, "conditions": {"type": "array", "items": condition}}
    schema["properties"] = {**own, **schema.get("properties", {})}
    return schema


def _default_columns() -> list[dict[str, Any]]:
    return [{"name": name, "type": kind, "description": said, "jsonPath": path} for name, kind, said, path in _COLUMNS]


def _column(column: dict[str, Any]) -> dict[str, Any]:
    """Drop what Go's omitempty leaves out: a priority of 0, an empty description or format."""
    return {name: value for name, value in column.items() if value or name in {"name", "type", "jsonPath"}}
