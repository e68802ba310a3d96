"""
Whether data under a schema means to expressions what it says as JSON.

Enters: a schema, and the part of it that expressions look at.  Leaves: yes or no. Where it is yes, plain JSON is used as it is and
`typed_values`, which reads it, is never imported.  Not known here: data, expressions, kinds.

What a server stores fits its schema, so only what is read *differently* counts: times, bytes, doubles, nulls, sets and lists with keys,
and names that expressions spell in another way.  The types of expressions see to it that a list or map meets nothing but its like, where it
makes no difference how it is read; `dyn` does not, so what stands in one is never taken for plain.
"""

from __future__ import annotations

from krm_fn.schema.escaping import escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol, TypeAlias

    Schema: TypeAlias = dict[str, Any]

    class Part(Protocol):
        """The fields that are looked at; None where all of it may be."""

        @property
        def fields(self) -> Any: ...


_FORMATS = frozenset(("byte", "date", "date-time", "duration"))
"""The formats that make something else of a text; `schema.formats` reads them."""


def means_itself(schema: Schema, part: Part) -> bool:
    """Whether *part* of any data under *schema* is read as what it is."""
    if schema.get("nullable") is True:
        return False
    fields = part.fields
    if fields is None or schema.get("type") != "object" or schema.get("x-kubernetes-embedded-resource") is True:
        return _all_means_itself(schema, set())
    properties = schema.get("properties")
    values = schema.get("additionalProperties")
    for name, below in fields.items():
        # A path's names are those of the data: the spelling of expressions is undone when they are parsed.
        child = values if properties is None else properties.get(name)
        if isinstance(child, dict) and not means_itself(child, below):
            return False
    return True


def _all_means_itself(schema: Schema, seen: set[int]) -> bool:
    """The same for everything below. *seen*: schemas that are shared are looked at once."""
    if schema.get("nullable") is True:
        return False
    if id(schema) in seen or schema.get("x-kubernetes-int-or-string") is True:
        return True
    seen.add(id(schema))
    kind = schema.get("type")
    if kind == "string":
        return schema.get("format") not in _FORMATS
    if kind == "array":
        items = schema.get("items")
        ordered = schema.get("x-kubernetes-list-type") in (None, "atomic")
        return ordered and isinstance(items, dict) and _all_means_itself(items, seen)
    if kind == "object":
        if schema.get("x-kubernetes-embedded-resource") is True:
            return False
        properties = schema.get("properties")
        if properties is not None:
            return all(escape(name) == name and _all_means_itself(each, seen) for name, each in properties.items())
        values = schema.get("additionalProperties")
        return not isinstance(values, dict) or _all_means_itself(values, seen)
    return kind != "number"
