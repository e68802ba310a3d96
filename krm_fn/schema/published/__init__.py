"""
JSON Schemas for editors: of an RGD, of a functionConfig, of a steps file, of a snapshot, and of the instances of an RGD.

Enters: the name of a published schema; or a kind and its OpenAPI schema.  Leaves: JSON Schema (draft 7, which editors read best), as
plain dicts.  Not known here: files of users, how documents are checked: a schema shows an editor what fits, `rookery validate` decides.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    Schema: TypeAlias = dict[str, Any]

NAMES = ("rgd", "render-config", "simulation", "observed-state")
_DIALECT = "http://json-schema.org/draft-07/schema#"
_KEPT = (
    "type", "format", "enum", "default", "description", "title", "required", "minimum", "maximum", "exclusiveMinimum",
    "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern", "minItems", "maxItems", "uniqueItems",
    "minProperties", "maxProperties",
)  # fmt: skip


def published(name: str) -> str:
    """The text of one of NAMES."""
    from os.path import dirname, join

    with open(join(dirname(__file__), f"{name}.json"), encoding="utf-8") as file:
        return file.read()


def of_instances(kinds: list[tuple[str, str, Schema]]) -> Schema:
    """One schema for the instances of all *kinds*, each with apiVersion, kind and the schema of its spec."""
    each = [_of_instance(api_version, kind, spec) for api_version, kind, spec in kinds]
    return {"$schema": _DIALECT, **(each[0] if len(each) == 1 else {"oneOf": each})}


def _of_instance(api_version: str, kind: str, spec: Schema) -> Schema:
    required = ["apiVersion", "kind", "metadata"]
    return {
        "title": kind,
        "type": "object",
        "required": [*required, "spec"] if spec.get("required") else required,
        "properties": {
            "apiVersion": {"const": api_version},
            "kind": {"const": kind},
            "metadata": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
            "spec": json_schema(spec),
        },
    }


def json_schema(schema: Schema) -> Schema:
    """
    A structural schema as JSON Schema.

    A field that it does not declare is refused: the API server drops it silently, which an author wants to see.
    """
    made: Schema = {name: schema[name] for name in _KEPT if name in schema}
    if schema.get("x-kubernetes-int-or-string") is True:
        made["type"] = ["integer", "string"]
    if isinstance(schema.get("items"), dict):
        made["items"] = json_schema(schema["items"])
    if schema.get("x-kubernetes-list-type") == "set":
        made["uniqueItems"] = True
    properties, values = schema.get("properties"), schema.get("additionalProperties")
    if isinstance(properties, dict):
        made["properties"] = {name: json_schema(each) for name, each in properties.items()}
    if isinstance(values, dict):
        made["additionalProperties"] = json_schema(values)
    elif schema.get("type") == "object" and schema.get("x-kubernetes-preserve-unknown-fields") is not True:
        made["additionalProperties"] = bool(values)
    if schema.get("nullable") is True and "type" in made:
        kinds = made["type"] if isinstance(made["type"], list) else [made["type"]]
        made["type"] = [*kinds, "null"]
    return made
