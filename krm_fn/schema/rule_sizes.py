"""
Sizes and costs of validation rules, as the API server counts them.

Enters: schemas.  Leaves: how large and how many their values may be; sums and products that end at the largest number of 64 bits.
Not known here: expressions.

Source: cel-go v0.27.0 checker/cost.go, common/cost.go; Kubernetes v1.35 apiserver pkg/cel/common/schemas.go, apiextensions-apiserver
pkg/apis/apiextensions/validation.
"""

from __future__ import annotations

from math import ceil

from krm_fn.schema.field_names import declared

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    Schema: TypeAlias = dict[str, Any]
    Size: TypeAlias = tuple[int, int]
    """The smallest and the largest."""

RULE_LIMIT = 10_000_000
CRD_LIMIT = 100_000_000
MOST = 2**64 - 1
REQUEST = 3 * 1024 * 1024
ANY: Size = (0, MOST)
KEY: Schema = {"type": "key"}
"""The key of a map, of which the schema says nothing."""
TRAVERSE = 0.1
PATTERN = 0.25
LIST_COST = 10
MAP_COST = 30


class Bounds:
    """How large the values of schemas may be. What was asked of a schema once is remembered."""

    __slots__ = ("_least",)

    def __init__(self) -> None:
        self._least: dict[int, int] = {}

    def largest(self, schema: Schema) -> int:
        """How many characters, items or entries the schema allows; 0 for what has none."""
        kind = schema["type"]
        if kind == "string":
            if "maxLength" in schema:
                return 4 * max(0, int(schema["maxLength"]))
            members = [len(member.encode()) for member in schema.get("enum", ()) if isinstance(member, str)]
            return max(members) if members else REQUEST - 2
        if kind == "array":
            fit = (REQUEST - 2) // (self.smallest(schema["items"]) + 1)
            return max(0, int(schema["maxItems"])) if "maxItems" in schema else fit
        if kind == "object" and "additionalProperties" in schema:
            return (REQUEST - 2) // (self.smallest(schema["additionalProperties"]) + 6)
        return 0

    def smallest(self, schema: Schema) -> int:
        """How many bytes of JSON a value has at least."""
        kind = schema["type"]
        if kind != "object" or "additionalProperties" in schema:
            return {"boolean": 4, "integer": 1, "number": 1}.get(kind, 2)
        known = self._least.get(id(schema))
        if known is None:
            required = set(schema.get("required", ()))
            fields: dict[str, Schema] = schema.get("properties", {})
            needed = [(name, f) for name, f in fields.items() if name in required and f.get("default") is None]
            known = 2 + sum(len(name.encode()) + self.smallest(field) + 4 for name, field in needed)
            self._least[id(schema)] = known
        return known

    def how_often(self, schema: Schema) -> int:
        """How many values of a schema fit into one object, where nothing says how many there may be."""
        return REQUEST // (self.smallest(schema) + 1)


class Part:
    """
    What is known of a part of an expression.

    schema: where its path leads, None without a path.  size: where it is known otherwise.  entry: sizes of the keys and values of a list or map that
    the expression makes.
    """

    __slots__ = ("cost", "entry", "schema", "size")

    def __init__(
        self, cost: int, size: Size | None = None, schema: Schema | None = None, entry: tuple[Size, Size] | None = None
    ) -> None:
        self.cost = min(cost, MOST)
        self.size = size
        self.schema = schema
        self.entry = entry


def size_of(part: Part) -> Size:
    return part.size or ANY


def fixed(count: int) -> Size:
    return (count, count)


def plus(one: int, other: int) -> int:
    return min(one + other, MOST)


def product(one: int, other: int) -> int:
    return min(one * other, MOST)


def times(count: int, factor: float) -> int:
    made = float(count) * factor
    return MOST if made >= 2.0**64 else ceil(made)


def traverse(count: int) -> int:
    return times(count, TRAVERSE)


def union(one: Size, other: Size) -> Size:
    return (min(one[0], other[0]), max(one[1], other[1]))


def union_all(parts: list[Part]) -> Size:
    sizes = [size_of(part) for part in parts]
    return (min(size[0] for size in sizes), max(size[1] for size in sizes)) if sizes else (0, 0)


def union_entries(one: Part, other: Part) -> tuple[Size, Size] | None:
    if one.entry is None or other.entry is None:
        return None
    return union(one.entry[0], other.entry[0]), union(one.entry[1], other.entry[1])


def field_of(schema: Schema | None, name: str) -> Schema | None:
    """Where a field leads; of a map, its fields are no path that the API server follows."""
    if schema is None or "properties" not in schema:
        return None
    found: Schema | None = schema["properties"].get(declared(name, schema["properties"]))
    return found


def element_of(schema: Schema | None) -> Schema | None:
    return None if schema is None else schema.get("items") or schema.get("additionalProperties")
