"""
What every resource inside of another has, declared or not: apiVersion, kind, metadata.name and metadata.generateName.

Enters: the properties that a schema with `x-kubernetes-embedded-resource` declares.  Leaves: the properties that count.
Not known here: what is done with them.

Source: Kubernetes v1.35.0 apiserver pkg/cel/common/schemas.go and pkg/cel/openapi/schema.go, WithTypeAndObjectMeta. All or nothing: unless
all of these are declared with their types, the declared metadata gives way to one of two names.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    Schema: TypeAlias = dict[str, Any]

_NAMES: Schema = {"name": {"type": "string"}, "generateName": {"type": "string"}}
_RESOURCE: Schema = {
    "apiVersion": {"type": "string"},
    "kind": {"type": "string"},
    "metadata": {"type": "object", "properties": _NAMES},
}


def resource_properties(properties: dict[str, Schema]) -> dict[str, Schema]:
    """The properties of an embedded resource that declares these."""
    own = (properties.get("metadata") or {}).get("properties") or {}
    whole = _has(properties, _RESOURCE) and _has(own, _NAMES)
    return properties if whole else {**properties, **_RESOURCE}


def _has(properties: dict[str, Schema], wanted: Schema) -> bool:
    """Whether all *wanted* properties are there, each with its type."""
    return all(
        (properties.get(name) or {}).get("type") in (each["type"], [each["type"]]) for name, each in wanted.items()
    )
