"""
What a server fills in: the defaults that a schema has.

Enters: plain JSON and its OpenAPI schema.  Leaves: the same with its defaults, sharing all that needs none.  Not known here: kinds,
what else a server does to an object.

`schema.structural` compiles the same for instances, which are pruned and checked in one go; this is for objects of any kind, which
are looked at once. Of the built-in kinds a schema has few defaults: their servers fill in the others by code.

Source: Kubernetes v1.35.0 apiextensions-apiserver pkg/apiserver/schema/defaulting/algorithm.go.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    Schema: TypeAlias = dict[str, Any]


def defaulted(value: Any, schema: Schema | None) -> Any:
    """*value* with the defaults of its schema. What nobody knows (an open map, an unknown) stays as it is."""
    if schema and type(value) is dict:
        return _in_map(value, schema)
    return _in_list(value, schema) if schema and type(value) is list else value


def _in_map(value: dict[str, Any], schema: Schema) -> dict[str, Any]:
    properties: dict[str, Schema] = schema.get("properties") or {}
    values = schema.get("additionalProperties")
    made = value
    for name, field in properties.items():
        if "default" in field and _is_missing(value, name, field):
            if made is value:
                made = dict(value)
            made[name] = defaulted(field["default"], field)
    for name, child in value.items():
        below = properties.get(name, values)
        if not isinstance(below, dict):
            continue
        if name not in properties and child is None and "default" in below and not below.get("nullable"):
            child = below["default"]  # noqa: PLW2901 - what stands for it
        filled = defaulted(child, below)
        if filled is not value[name] and made.get(name) is value[name]:
            if made is value:
                made = dict(value)
            made[name] = filled
    return made


def _is_missing(value: dict[str, Any], name: str, field: Schema) -> bool:
    return name not in value or (value[name] is None and not field.get("nullable"))


def _in_list(value: list[Any], schema: Schema) -> list[Any]:
    items = schema.get("items")
    if not isinstance(items, dict):
        return value
    made = value
    for i, item in enumerate(value):
        null = item is None and "default" in items and not items.get("nullable")
        filled = defaulted(items["default"] if null else item, items)
        if filled is not item:
            if made is value:
                made = list(value)
            made[i] = filled
    return made
