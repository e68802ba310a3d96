"""OpenAPI schemas as CEL types, and which results suit a field."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krm_fn.cel.types import CONDITION, DYNAMIC, STRING, UNKNOWN, ObjectType, Type, list_of, optional_of, parse_type
from krm_fn.schema.cel_types import (
    element_of,
    is_condition_result,
    is_custom_condition,
    structurally_incompatible,
    type_at,
    type_of_schema,
    type_of_variable,
    why_not,
)
from krm_fn.schema.escaping import escape
from krm_fn.schema.field_names import declared

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
EMBEDDED: Schema = {"type": "object", "x-kubernetes-embedded-resource": True}
PAIR: Schema = {"type": "object", "properties": {"a": WHOLE, "b": TEXT}}


def of(schema: Schema, name: str = "__type_v") -> Type:
    made = type_of_schema(schema, name)
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("schema", "wanted"),
    [
        pytest.param(TEXT, "string", id="string"),
        pytest.param({"type": "string", "format": "byte"}, "bytes", id="byte"),
        pytest.param({"type": "string", "format": "date"}, "google.protobuf.Timestamp", id="date"),
        pytest.param({"type": "string", "format": "date-time"}, "google.protobuf.Timestamp", id="date-time"),
        pytest.param({"type": "string", "format": "duration"}, "google.protobuf.Duration", id="duration"),
        pytest.param({"type": "string", "format": "email", "enum": ["a"], "nullable": True}, "string", id="no-effect"),
        pytest.param({"type": "integer", "format": "int32"}, "int", id="integer"),
        pytest.param({"type": "number"}, "double", id="number"),
        pytest.param({"type": "boolean"}, "bool", id="boolean"),
        pytest.param({"type": ["string", "null"]}, "string", id="first-of-several-types"),
        pytest.param({"x-kubernetes-int-or-string": True}, "dyn", id="int-or-string"),
        pytest.param({"type": "string", "format": "int-or-string"}, "dyn", id="int-or-string-of-a-built-in-kind"),
        pytest.param({"type": "array", "items": WHOLE}, "list(int)", id="array"),
        pytest.param({"type": "array", "items": PAIR}, "list(__type_v.@idx)", id="array-of-objects"),
        pytest.param({"type": "object", "additionalProperties": WHOLE}, "map(string, int)", id="map"),
        pytest.param({"type": "object", "additionalProperties": PAIR}, "map(string, __type_v.@elem)", id="map-of-objects"),
        pytest.param({"type": "object", "additionalProperties": {}}, "map(string, dyn)", id="map-of-anything"),
        pytest.param({"type": "object", "additionalProperties": True}, "__type_v", id="additional-properties-true"),
        pytest.param({"type": "object"}, "__type_v", id="object-without-properties"),
    ],
)  # fmt: skip
def test_a_schema_has_a_type(schema: Schema, wanted: str) -> None:
    assert str(of(schema)) == wanted


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"anyOf": [TEXT, WHOLE]},
        {"x-kubernetes-preserve-unknown-fields": True},
        {"type": "array"},
        {"type": "array", "items": {}},
        {"type": "array", "items": {"type": "array", "items": {"oneOf": [TEXT]}}},
    ],
)
def test_a_schema_without_a_type_has_none_and_its_field_does_not_exist(schema: Schema) -> None:
    assert type_of_schema(schema, "v") is None
    parent = of({"type": "object", "properties": {"f": schema, "g": TEXT}})
    assert isinstance(parent, ObjectType)
    assert parent.field("f") is None
    assert list(parent.fields) == ["g"]


@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        ("plain", "plain"),
        ("_lead", "_lead"),
        ("dash-name", "dash__dash__name"),
        ("dot.name", "dot__dot__name"),
        ("sl/ash", "sl__slash__ash"),
        ("under__score", "under__underscores__score"),
        ("namespace", "__namespace__"),
        ("in", "__in__"),
        ("1num", ""),
        ("with space", ""),
        ("ünï", ""),
        ("", ""),
    ],
)
def test_a_field_is_spelled_as_expressions_can(name: str, spelled: str) -> None:
    assert escape(name) == spelled
    if spelled:
        parent = of({"type": "object", "properties": {name: TEXT}})
        assert isinstance(parent, ObjectType)
        assert parent.field(spelled) is STRING
        assert list(parent.fields) == [spelled]


@given(st.text("ab_-./", min_size=1, max_size=8))
def test_escaping_can_be_undone(name: str) -> None:
    """Where three or more underscores meet, the escape is kro's and not unambiguous."""
    if "___" not in name and not (name.startswith("_") or name.endswith("_")):
        assert declared(escape(name), {name}) == name


@pytest.mark.parametrize(
    ("spelled", "fields", "name"),
    [
        ("with__dash__dash", {"with-dash"}, "with-dash"),
        ("__in__", {"in"}, "in"),
        ("in", {"in"}, "in"),
        ("a__underscores__b", {"a__b"}, "a__b"),
        ("a__b", {"a__b"}, ""),
        ("__foo__", {"foo"}, ""),
        ("a__in__b", {"ainb", "a__in__b"}, ""),
        ("__dash__", {"-"}, "-"),
        ("nope", {"foo"}, ""),
    ],
)
def test_a_field_has_one_spelling(spelled: str, fields: set[str], name: str) -> None:
    assert declared(spelled, fields) == name


def test_reserved_words_need_no_escape_in_an_expression() -> None:
    parent = of({"type": "object", "properties": {"namespace": TEXT, "for": WHOLE}})
    assert isinstance(parent, ObjectType)
    assert [str(parent.field(name)) for name in ("namespace", "for")] == ["string", "int"]
    assert parent.field("if") is None


def test_an_object_that_preserves_unknown_fields_has_every_field() -> None:
    parent = of({**PAIR, "x-kubernetes-preserve-unknown-fields": True})
    assert isinstance(parent, ObjectType)
    assert str(parent.field("a")) == "int"
    assert parent.field("z") is DYNAMIC


def test_an_embedded_resource_keeps_its_metadata_when_it_declares_all_of_it() -> None:
    names = {"name": TEXT, "generateName": TEXT}
    whole = {
        "apiVersion": TEXT,
        "kind": TEXT,
        "metadata": {"type": "object", "properties": {**names, "labels": {"type": "object"}}},
    }

    def metadata(properties: dict[str, Any]) -> list[str]:
        parent = of({"type": "object", "properties": {"e": {**EMBEDDED, "properties": properties}}})
        assert isinstance(parent, ObjectType)
        found = parent.field("e").field("metadata")  # type: ignore[union-attr]
        assert isinstance(found, ObjectType)
        return sorted(found.fields)

    assert metadata(whole) == ["generateName", "labels", "name"]
    assert metadata({**whole, "kind": WHOLE}) == ["generateName", "name"]
    assert metadata({key: value for key, value in whole.items() if key != "apiVersion"}) == ["generateName", "name"]
    assert metadata({**whole, "metadata": {"type": "object", "properties": {"name": TEXT}}}) == ["generateName", "name"]


def test_an_embedded_resource_has_the_fields_of_every_object() -> None:
    parent = of({"type": "object", "properties": {"e": {"type": "object", "x-kubernetes-embedded-resource": True}}})
    assert isinstance(parent, ObjectType)
    embedded = parent.field("e")
    assert isinstance(embedded, ObjectType)
    assert sorted(embedded.fields) == ["apiVersion", "kind", "metadata"]


def test_an_embedded_resource_that_says_what_it_has_is_left_alone() -> None:
    own = {
        "apiVersion": TEXT,
        "kind": TEXT,
        "metadata": {"type": "object", "properties": {"name": TEXT, "generateName": TEXT, "uid": TEXT}},
    }
    embedded = {"type": "object", "x-kubernetes-embedded-resource": True, "properties": own}
    metadata = field(of({"type": "object", "properties": {"e": embedded}}), "e", "metadata")
    assert isinstance(metadata, ObjectType)
    assert sorted(metadata.fields) == ["generateName", "name", "uid"]


def test_an_embedded_resource_without_a_type_does_not_exist() -> None:
    parent = of({"type": "object", "properties": {"e": {"x-kubernetes-embedded-resource": True}}})
    assert field(parent, "e") is None


def field(some: Type | None, *names: str) -> Type | None:
    for name in names:
        assert isinstance(some, ObjectType)
        some = some.field(name)
    return some


RESOURCE: Schema = {
    "type": "object",
    "properties": {
        "text": TEXT,
        "pairs": {"type": "array", "items": PAIR},
        "map": {"type": "object", "additionalProperties": PAIR},
        "with-dash": PAIR,
        "untyped": {"properties": {"p": PAIR}},
        "open": {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": {"p": PAIR}},
    },
}


@pytest.mark.parametrize(
    ("path", "wanted", "is_found"),
    [
        pytest.param(("text",), "string", None, id="scalar"),
        pytest.param(("pairs",), "list(__type_r.pairs.@idx)", None, id="list"),
        pytest.param(("pairs", 3), "__type_r.pairs.@idx", True, id="item"),
        pytest.param(("pairs", 3, "a"), "int", None, id="field-of-an-item"),
        pytest.param(("map",), "map(string, __type_r.map.@elem)", None, id="map"),
        pytest.param(("map", "x"), "__type_r.map.x", False, id="key-of-a-map"),
        pytest.param(("with-dash",), "__type_r.with-dash", False, id="escaped-name"),
        pytest.param(("open", "p"), "__type_r.open.p", True, id="declared-in-an-open-object"),
        pytest.param(("open", "q"), "dyn", None, id="not-declared-in-an-open-object"),
        pytest.param(("untyped", "p"), "__type_r.untyped.p", False, id="below-what-has-no-type"),
        pytest.param(("text", 0), "dyn", None, id="index-of-no-list"),
        pytest.param(("nowhere",), "dyn", None, id="not-declared"),
    ],
)
def test_the_type_of_a_place_in_a_template(path: tuple[str | int, ...], wanted: str, is_found: bool | None) -> None:
    """*is_found*: whether kro finds the object by the name of its type, and so compares its fields."""
    variable = type_of_variable(RESOURCE, "r")
    target = type_at(RESOURCE, variable, "r", path)
    assert str(target) == wanted
    if is_found is not None:
        assert (why_not(of({"type": "object", "properties": {"zzz": TEXT}}), target) != "") is is_found
        assert why_not(of({"type": "object", "properties": {"zzz": TEXT}}), type_at(RESOURCE, None, "r", path)) == ""


def test_two_schemas_whose_parts_are_shared_are_compared_once() -> None:
    def shared(leaf: Schema) -> Schema:
        for _ in range(40):
            leaf = {"type": "object", "properties": {"l": leaf, "r": leaf}}
        return leaf

    assert why_not(of(shared(PAIR), "__type_a"), of(shared({**PAIR}), "__type_b")) == ""
    wider = {"type": "object", "properties": {**PAIR["properties"], "c": TEXT}}
    assert why_not(of(shared(wider), "__type_a"), of(shared(PAIR), "__type_b")).endswith("'c' is not a field there")


def test_a_variable_names_its_types_by_their_path() -> None:
    made = type_of_variable({"type": "object", "properties": {"spec": PAIR}}, "schema")
    assert isinstance(made, ObjectType)
    assert str(made.field("spec")) == "__type_schema.spec"


@pytest.mark.parametrize(
    ("output", "schema", "suits"),
    [
        pytest.param("string", TEXT, True, id="same"),
        pytest.param("int", {"type": "number"}, False, id="int-is-no-double"),
        pytest.param("dyn", TEXT, True, id="dyn"),
        pytest.param("int", {"x-kubernetes-int-or-string": True}, True, id="at-int-or-string"),
        pytest.param("optional_type(string)", TEXT, True, id="optional"),
        pytest.param("null_type", TEXT, False, id="null-at-a-scalar"),
        pytest.param("null_type", PAIR, True, id="null-at-an-object"),
        pytest.param("list(int)", PAIR, True, id="anything-but-a-map-at-an-object"),
        pytest.param("map(string, dyn)", PAIR, True, id="map-of-anything-at-an-object"),
        pytest.param("map(string, int)", PAIR, False, id="map-at-an-object-with-other-fields"),
        pytest.param("map(dyn, dyn)", PAIR, False, id="empty-map-literal-at-an-object"),
        pytest.param("map(dyn, dyn)", {"type": "object", "additionalProperties": TEXT}, True, id="empty-map-at-a-map"),
        pytest.param("list(dyn)", {"type": "array", "items": TEXT}, True, id="list-of-anything"),
        pytest.param("list(int)", {"type": "array", "items": TEXT}, False, id="list-of-others"),
        pytest.param("map(string, int)", {"type": "array", "items": TEXT}, True, id="map-passes-as-a-list-of-its-keys"),
        pytest.param("string", {"type": "array", "items": TEXT}, False, id="scalar-at-a-list"),
    ],
)
def test_a_result_suits_a_field_or_not(output: str, schema: Schema, suits: bool) -> None:
    assert (why_not(parse_type(output), of(schema)) == "") is suits


@pytest.mark.parametrize(
    ("own", "wanted", "reason"),
    [
        pytest.param({"a": WHOLE}, {"a": WHOLE, "b": TEXT}, "", id="fewer-fields"),
        pytest.param({"a": WHOLE, "c": TEXT}, {"a": WHOLE}, "'c' is not a field there", id="more-fields"),
        pytest.param({"a": TEXT}, {"a": WHOLE}, "'a': string is not int", id="another-type"),
    ],
)
def test_an_object_suits_one_that_has_all_its_fields(own: Schema, wanted: Schema, reason: str) -> None:
    output, target = (of({"type": "object", "properties": p}, f"__type_{i}") for i, p in enumerate((own, wanted)))
    assert structurally_incompatible(output, target) == reason


def test_an_object_suits_a_map_of_what_its_fields_are() -> None:
    texts = {"type": "object", "properties": {"a": TEXT, "b": TEXT}}
    assert structurally_incompatible(of(texts), parse_type("map(string, string)")) == ""
    assert structurally_incompatible(of(PAIR), parse_type("map(string, string)")) == "'a': int is not string"


def test_what_a_place_takes() -> None:
    """kro refuses dyn where a bool or list is needed; what is only unknown here is never refused."""
    assert [is_condition_result(parse_type(t)) for t in ("bool", "optional_type(bool)", "dyn", "string")] == [
        True,
        True,
        False,
        False,
    ]
    assert is_condition_result(UNKNOWN)
    assert is_condition_result(optional_of(UNKNOWN))
    assert element_of(parse_type("list(int)")) is parse_type("int")
    assert element_of(parse_type("dyn")) is None
    assert element_of(parse_type("map(string, int)")) is None
    assert element_of(UNKNOWN) is UNKNOWN
    assert [is_custom_condition(t) for t in (CONDITION, list_of(CONDITION), DYNAMIC, list_of(DYNAMIC), STRING)] == [
        True,
        True,
        True,
        True,
        False,
    ]
