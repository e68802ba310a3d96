"""
What an API server asks of the schemas of a CRD.

Every verdict of the tables is that of kube-apiserver 1.35.0, asked to create a CRD with the schema; messages are ours.
"""

from __future__ import annotations

from typing import Any

import pytest

from krm_fn.schema.structural_rules import MAX_BROKEN, broken_rules

TEXT = {"type": "string"}
EITHER = [{"type": "integer"}, {"type": "string"}]
X = "x-kubernetes-"


def spec(**schema: Any) -> dict[str, Any]:
    """A schema of which `spec` is what matters."""
    return {"type": "object", "properties": {"spec": schema}}


def keyed(keys: list[str], items: dict[str, Any]) -> dict[str, Any]:
    return spec(type="array", items=items, **{f"{X}list-type": "map", f"{X}list-map-keys": keys})


def within(**said: Any) -> dict[str, Any]:
    """A spec of one field of which something is said below allOf."""
    return spec(type="object", properties={"a": TEXT}, allOf=[said])


TAKEN = {
    "nothing but an object": {"type": "object"},
    "a string": spec(type="string"),
    "null counts as absent": spec(type="string", properties=None, items=None, enum=None),
    "preserved without a type": spec(**{f"{X}preserve-unknown-fields": True}),
    "preserved at the root": {"type": "object", f"{X}preserve-unknown-fields": True},
    "a map": spec(type="object", additionalProperties=TEXT),
    "a map of anything": spec(type="object", additionalProperties={f"{X}preserve-unknown-fields": True}),
    "additionalProperties: true": spec(type="object", additionalProperties=True),
    "additionalProperties: true beside properties": spec(
        type="object", properties={"a": TEXT}, additionalProperties=True
    ),
    "additionalProperties: false": spec(type="object", additionalProperties=False),
    "int-or-string": spec(**{f"{X}int-or-string": True}),
    "int-or-string, spelt out": spec(anyOf=EITHER, **{f"{X}int-or-string": True}),
    "int-or-string, spelt out in allOf": spec(
        allOf=[{"anyOf": EITHER}, {"pattern": "a"}], **{f"{X}int-or-string": True}
    ),
    "an embedded resource": spec(type="object", **{f"{X}embedded-resource": True, f"{X}preserve-unknown-fields": True}),
    "an embedded resource with a field": spec(type="object", properties={"a": TEXT}, **{f"{X}embedded-resource": True}),
    "a set of strings": spec(type="array", items=TEXT, **{f"{X}list-type": "set"}),
    "a set of atomic objects": spec(
        type="array", items={"type": "object", f"{X}map-type": "atomic"}, **{f"{X}list-type": "set"}
    ),
    "a keyed list": keyed(["k"], {"type": "object", "required": ["k"], "properties": {"k": TEXT}}),
    "a keyed list whose key has a default": keyed(
        ["k"], {"type": "object", "properties": {"k": {"type": "string", "default": "x"}}}
    ),
    "metadata that is named": {"type": "object", "properties": {"metadata": {"type": "object"}}},
    "metadata whose name is limited": {
        "type": "object",
        "properties": {"metadata": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 5}}}},
    },
    "metadata of which nothing is said at length": {
        "type": "object",
        "properties": {"metadata": {"type": "object", "nullable": False, "description": ""}},
    },
    "rules below allOf": within(properties={"a": {"minLength": 1}}),
    "rules below not": spec(type="object", properties={"a": TEXT}, **{"not": {"required": ["a"]}}),
    "rules of a field that only allOf knows, not at the root": within(properties={"b": {"minLength": 1}}),
    "a nullable field": spec(type="string", nullable=True),
    "a format that nobody knows": spec(type="string", format="telephone"),
    "a keyword that nobody knows": spec(type="string", colour="red"),
}

REFUSED = {
    "no type at the root": {},
    "a list at the root": {"type": "array", "items": TEXT},
    "no type": spec(),
    "a type that does not exist": spec(type="strng"),
    "null as a type": spec(type="null"),
    "items without a type": spec(type="array", items={}),
    "a list without items": spec(type="array"),
    "a field without a type, deep": spec(type="object", properties={"a": {"type": "array", "items": {"items": TEXT}}}),
    "a map whose values have no type": spec(type="object", additionalProperties={}),
    "additionalProperties at the root": {"type": "object", "additionalProperties": TEXT},
    "additionalProperties: true at the root": {"type": "object", "additionalProperties": True},
    "additionalProperties beside properties": spec(type="object", properties={"a": TEXT}, additionalProperties=TEXT),
    "additionalProperties: false beside properties": spec(
        type="object", properties={"a": TEXT}, additionalProperties=False
    ),
    "int-or-string and preserved": spec(**{f"{X}int-or-string": True, f"{X}preserve-unknown-fields": True}),
    "int-or-string and embedded": spec(
        type="object", properties={"a": TEXT}, **{f"{X}int-or-string": True, f"{X}embedded-resource": True}
    ),
    "preserved: false": spec(type="object", **{f"{X}preserve-unknown-fields": False}),
    "a string as an embedded resource": spec(type="string", **{f"{X}embedded-resource": True}),
    "an embedded resource without fields": spec(type="object", **{f"{X}embedded-resource": True}),
    "an embedded resource that is a map": spec(
        type="object",
        additionalProperties=TEXT,
        **{f"{X}embedded-resource": True, f"{X}preserve-unknown-fields": True},
    ),
    "kind of an embedded resource is a number": spec(
        type="object", properties={"kind": {"type": "integer"}}, **{f"{X}embedded-resource": True}
    ),
    "apiVersion is a number": {"type": "object", "properties": {"apiVersion": {"type": "integer"}}},
    "metadata with a field of its own": {
        "type": "object",
        "properties": {"metadata": {"type": "object", "properties": {"labels": {"type": "object"}}}},
    },
    "metadata that must have something": {
        "type": "object",
        "properties": {"metadata": {"type": "object", "required": ["name"]}},
    },
    "metadata with a description": {
        "type": "object",
        "properties": {"metadata": {"type": "object", "description": "x"}},
    },
    "metadata that is closed": {
        "type": "object",
        "properties": {"metadata": {"type": "object", "additionalProperties": False}},
    },
    "nullable at the root": {"type": "object", "nullable": True},
    "unique items": spec(type="array", items=TEXT, uniqueItems=True),
    "$ref": spec(**{"$ref": "#/definitions/a"}),
    "definitions": {"type": "object", "definitions": {"a": TEXT}},
    "pattern properties": spec(type="object", patternProperties={"a": TEXT}),
    "an array of items": spec(type="array", items=[TEXT]),
    "properties are a list": spec(type="object", properties=[TEXT]),
    "required is a string": spec(type="object", required="a"),
    "a type that is a list": spec(type=["string"]),
    "a map type of a list": spec(type="array", items=TEXT, **{f"{X}map-type": "atomic"}),
    "a map type that does not exist": spec(type="object", **{f"{X}map-type": "loose"}),
    "a list type of a string": spec(type="string", **{f"{X}list-type": "set"}),
    "a list type that does not exist": spec(type="array", items=TEXT, **{f"{X}list-type": "bag"}),
    "a set of objects": spec(type="array", items={"type": "object"}, **{f"{X}list-type": "set"}),
    "a set of sets": spec(
        type="array", items={"type": "array", "items": TEXT, f"{X}list-type": "set"}, **{f"{X}list-type": "set"}
    ),
    "a set of what may be null": spec(
        type="array", items={"type": "string", "nullable": True}, **{f"{X}list-type": "set"}
    ),
    "a keyed list without keys": keyed([], {"type": "object", "properties": {"k": TEXT}}),
    "keys without a list type": spec(
        type="array", items={"type": "object", "properties": {"k": TEXT}}, **{f"{X}list-map-keys": ["k"]}
    ),
    "a keyed list of strings": keyed(["k"], TEXT),
    "a key that is no field": keyed(["j"], {"type": "object", "required": ["j"], "properties": {"k": TEXT}}),
    "a key that is an object": keyed(["k"], {"type": "object", "required": ["k"], "properties": {"k": {"type": "object"}}}),
    "a key that may be absent": keyed(["k"], {"type": "object", "properties": {"k": TEXT}}),
    "a key that stands twice": keyed(["k", "k"], {"type": "object", "required": ["k"], "properties": {"k": TEXT}}),
    "a key that may be null": keyed(
        ["k"], {"type": "object", "required": ["k"], "properties": {"k": {"type": "string", "nullable": True}}}
    ),
    "int-or-string spelt out without saying so": spec(anyOf=[*EITHER, TEXT]),
    "a type below allOf": within(type="object"),
    "a default below allOf": within(properties={"a": {"default": False}}),
    "a description below allOf": within(description="x"),
    "nullable below allOf": within(nullable=True),
    "additionalProperties below allOf": within(additionalProperties={}),
    "a mark below not": spec(type="object", **{"not": {f"{X}preserve-unknown-fields": True}}),
    "an empty list type below oneOf": spec(type="array", items=TEXT, oneOf=[{f"{X}list-type": ""}]),
    "a list type below oneOf": spec(type="array", items=TEXT, oneOf=[{f"{X}list-type": "set"}]),
    "rules below anyOf": spec(type="object", anyOf=[{f"{X}validations": [{"rule": "true"}]}]),
    "metadata below allOf": {
        "type": "object",
        "properties": {"metadata": {"type": "object"}},
        "allOf": [{"properties": {"metadata": {"maxProperties": 1}}}],
    },
    "a field that only allOf of the root knows": {
        "type": "object",
        "properties": {"spec": {"type": "object"}},
        "allOf": [{"properties": {"status": {"maxProperties": 1}}}],
    },
    "a field that only allOf of the root knows, deep": {
        "type": "object",
        "properties": {"spec": {"type": "object", "properties": {"a": {"type": "array", "items": TEXT}}}},
        "anyOf": [{"not": {"properties": {"spec": {"properties": {"a": {"items": {"properties": {"b": {"maxLength": 1}}}}}}}}}],
    },
}  # fmt: skip


@pytest.mark.parametrize("schema", [pytest.param(schema, id=name) for name, schema in TAKEN.items()])
def test_an_api_server_takes(schema: dict[str, Any]) -> None:
    assert [(rule.path, rule.message) for rule in broken_rules(schema)] == []


@pytest.mark.parametrize("schema", [pytest.param(schema, id=name) for name, schema in REFUSED.items()])
def test_an_api_server_refuses(schema: dict[str, Any]) -> None:
    assert broken_rules(schema)


@pytest.mark.parametrize(
    ("schema", "path", "message"),
    [
        pytest.param(spec(), ("properties", "spec"), "type is missing", id="the schema itself"),
        pytest.param(
            spec(type="strng"),
            ("properties", "spec", "type"),
            "type 'strng' is none of array, boolean, integer, number, object, string",
            id="a keyword",
        ),
        pytest.param(
            spec(type="array", items=[]), ("properties", "spec", "items"), "items is not a schema", id="another form"
        ),
        pytest.param(
            within(properties={"a": {"type": "string"}}),
            ("properties", "spec", "allOf", 0, "properties", "a", "type"),
            "type must not be used below allOf, anyOf, oneOf or not",
            id="below allOf",
        ),
        pytest.param(
            keyed(["j"], {"type": "object", "properties": {}}),
            ("properties", "spec", f"{X}list-map-keys", 0),
            "'j' is no field of the items",
            id="a key",
        ),
        pytest.param("object", (), "the schema is no mapping", id="no schema"),
    ],
)
def test_the_place_and_the_words(schema: Any, path: tuple[str | int, ...], message: str) -> None:
    [rule] = broken_rules(schema)
    assert (rule.path, rule.message) == (path, message)


def test_all_rules_at_once_up_to_a_limit() -> None:
    fields: dict[str, Any] = {f"f{i}": {} for i in range(50)}
    assert len(broken_rules({"type": "object", "properties": dict(list(fields.items())[:3])})) == 3
    assert len(broken_rules({"type": "object", "properties": fields})) == MAX_BROKEN


@pytest.mark.thorough
def test_aliases_do_not_make_a_schema_endless() -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(40):
        schema = {"type": "object", "properties": {"a": schema, "b": schema}}
    [rule] = broken_rules(schema)
    assert rule.message == "more than 100,000 schemas are in this one"
