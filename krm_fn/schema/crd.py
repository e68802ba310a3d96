"""
The CustomResourceDefinition that kro generates for an RGD.

Enters: names, the spec schema (`schema.simple_schema`), the inferred status schema, and what the RGD says about
columns and metadata. Leaves: one CRD as plain dicts.  Called where a CRD is shown or compared; a plain render needs
none of this. Not known here: how the status is inferred, what a breaking change is.

Source: kro v0.9.3 pkg/graph/crd/{crd,defaults}.go.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    Schema: TypeAlias = dict[str, Any]

__all__ = [
    "generated_crd",
    "instance_schema",
    "object_meta",
    "schema_of_variable",
    "schema_without_status",
    "with_default_status",
]

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
    from krm_fn.schema.plurals import plural

    many = plural(kind.lower())
    object_meta: dict[str, Any] = {"name": f"{many}.{group}"}
    for part in ("labels", "annotations"):
        texts = {key: text for key, text in ((metadata or {}).get(part) or {}).items() if text is not None}
        if texts:
            object_meta[part] = texts
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


def schema_without_status(crd: dict[str, Any]) -> Schema:
    """
    Give the schema under which expressions see an instance: no status, and the metadata of every Kubernetes object.

    Errors:  ValueError unless the CRD has exactly one version, with a schema.
    Source:  kro v0.9.3 pkg/graph/builder.go getSchemaWithoutStatus.
    """
    versions = crd["spec"]["versions"]
    if len(versions) != 1:
        raise ValueError(f"a generated CRD has exactly one version, this one {len(versions)}")
    if not versions[0].get("schema"):
        raise ValueError("a generated CRD has a schema")
    schema: Schema = dict(versions[0]["schema"]["openAPIV3Schema"])
    properties = {name: sub for name, sub in schema.get("properties", {}).items() if name != "status"}
    schema["properties"] = {**properties, "metadata": object_meta(namespaced=crd["spec"].get("scope") != "Cluster")}
    return schema


def schema_of_variable(spec_schema: Schema, *, namespaced: bool) -> Schema:
    """Give the same for the CRD that kro generates, without making that."""
    text = {"type": "string"}
    properties = {"apiVersion": text, "kind": text, "metadata": object_meta(namespaced=namespaced), "spec": spec_schema}
    return {"type": "object", "properties": properties}


def object_meta(*, namespaced: bool) -> Schema:
    """Give the schema of ObjectMeta, Kubernetes v1.35; a cluster-scoped object has no `namespace`."""
    text, time, whole = (
        {"type": "string"},
        {"type": "string", "format": "date-time"},
        {"type": "integer", "format": "int64"},
    )
    texts, flag = {"type": "object", "additionalProperties": text}, {"type": "boolean"}
    fields: dict[str, Schema] = {
        **dict.fromkeys(("name", "generateName", "namespace", "uid", "resourceVersion", "selfLink"), text),
        **dict.fromkeys(("labels", "annotations"), texts),
        **dict.fromkeys(("creationTimestamp", "deletionTimestamp"), time),
        **dict.fromkeys(("generation", "deletionGracePeriodSeconds"), whole),
        "finalizers": {"type": "array", "items": text, "x-kubernetes-list-type": "set"},
        "ownerReferences": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["apiVersion", "kind", "name", "uid"],
                "properties": {
                    **dict.fromkeys(("apiVersion", "kind", "name", "uid"), text),
                    **dict.fromkeys(("controller", "blockOwnerDeletion"), flag),
                },
                "x-kubernetes-map-type": "atomic",
            },
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["uid"],
        },
        "managedFields": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    **dict.fromkeys(("apiVersion", "fieldsType", "manager", "operation", "subresource"), text),
                    "fieldsV1": {"type": "object"},
                    "time": time,
                },
            },
            "x-kubernetes-list-type": "atomic",
        },
    }
    if not namespaced:
        del fields["namespace"]
    return {"type": "object", "properties": fields}
