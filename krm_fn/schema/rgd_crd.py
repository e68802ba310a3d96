"""
The CustomResourceDefinition of ResourceGraphDefinitions, for RGDs that make RGDs. Imported only where one does.

Enters: nothing.  Leaves: `RGD_CRD`, its fields and their types; what kro checks beyond them is `program.definition`'s.

Source: kro v0.9.3 helm/crds/kro.run_resourcegraphdefinitions.yaml.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    Schema: TypeAlias = dict[str, Any]


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


_TEXT: Schema = {"type": "string"}
_WHOLE: Schema = {"type": "integer", "format": "int64"}
_TEXTS: Schema = {"type": "object", "additionalProperties": _TEXT}
_ANYTHING: Schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
_COLUMN = _object(
    name=_TEXT,
    type=_TEXT,
    jsonPath=_TEXT,
    description=_TEXT,
    format=_TEXT,
    priority={"type": "integer", "format": "int32"},
)
_SCHEMA = _object(
    kind=_TEXT,
    apiVersion=_TEXT,
    group=_TEXT,
    scope={"type": "string", "enum": ["Namespaced", "Cluster"]},
    spec=_ANYTHING,
    types=_ANYTHING,
    status=_ANYTHING,
    additionalPrinterColumns=_list(_COLUMN),
    metadata=_object(labels=_TEXTS, annotations=_TEXTS),
)
_SELECTOR = _object(matchLabels=_TEXTS, matchExpressions=_list(_object(key=_TEXT, operator=_TEXT, values=_list(_TEXT))))
_RESOURCE = _object(
    id=_TEXT,
    template=_ANYTHING,
    externalRef=_object(
        apiVersion=_TEXT, kind=_TEXT, metadata=_object(name=_TEXT, namespace=_TEXT, selector=_SELECTOR)
    ),
    readyWhen=_list(_TEXT),
    includeWhen=_list(_TEXT),
    forEach=_list(_TEXTS),
)
_CONDITION = _object(
    type=_TEXT,
    status=_TEXT,
    reason=_TEXT,
    message=_TEXT,
    lastTransitionTime={"type": "string", "format": "date-time"},
    observedGeneration=_WHOLE,
)
_STATUS = _object(
    state=_TEXT,
    topologicalOrder=_list(_TEXT),
    conditions=_list(_CONDITION),
    resources=_list(_object(id=_TEXT, dependencies=_list(_object(id=_TEXT)))),
    lastIssuedRevision=_WHOLE,
)

RGD_CRD: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "resourcegraphdefinitions.kro.run"},
    "spec": {
        "group": "kro.run",
        "scope": "Cluster",
        "names": {
            "kind": "ResourceGraphDefinition",
            "listKind": "ResourceGraphDefinitionList",
            "plural": "resourcegraphdefinitions",
            "singular": "resourcegraphdefinition",
        },
        "versions": [
            {
                "name": "v1alpha1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": _object(
                        apiVersion=_TEXT,
                        kind=_TEXT,
                        metadata={"type": "object"},
                        spec=_object(schema=_SCHEMA, resources=_list(_RESOURCE)),
                        status=_STATUS,
                    )
                },
            }
        ],
    },
}
