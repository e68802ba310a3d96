"""
The status of an instance as an API server stores it under the schema of the generated CRD.

Enters: a status, the schema that kro inferred.  Leaves: the status without what the schema does not name; what it has against the rest.
Not known here: instances, cluster.

A field of which kro could not tell the type is kept as it comes; a map or a list of objects of which it knows no fields loses them all.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    Schema: TypeAlias = dict[str, Any]

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}
_OPEN = "x-kubernetes-preserve-unknown-fields"


def stored(value: Any, schema: Schema, path: str, complaints: list[str]) -> Any:
    """*value* as it is stored. What the schema refuses goes to *complaints*."""
    wanted = _TYPES.get(str(schema.get("type")))
    if wanted is not None and (not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted)):
        complaints.append(f"{path} must be of type {schema['type']}")
        return value
    if isinstance(value, list):
        items = schema.get("items")
        if not isinstance(items, dict):
            return value
        return [stored(child, items, f"{path}[{i}]", complaints) for i, child in enumerate(value)]
    if not isinstance(value, dict):
        return value
    fields, others = schema.get("properties") or {}, schema.get("additionalProperties")
    made = {}
    for key, child in value.items():
        below = fields.get(key, others if isinstance(others, dict) else None)
        if below is None:
            if schema.get(_OPEN) is True or others is True:
                made[key] = child
        elif child is not None or below.get("nullable") is True:
            made[key] = child if child is None else stored(child, below, f"{path}.{key}", complaints)
    return made
