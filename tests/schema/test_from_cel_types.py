"""The schema of a status field is that of its expression's type, as kro infers it."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from krm_fn.cel import parse
from krm_fn.cel.check import check
from krm_fn.cel.types import INT, STRING, Type, list_of, parse_type
from krm_fn.schema.cel_types import type_of_variable
from krm_fn.schema.from_cel_types import (
    MAX_DEPTH,
    MAX_FIELDS,
    StatusTooLarge,
    mixed_lists,
    schema_of_type,
    status_schema,
)
from tests.schema import corpus

ANYTHING = {"x-kubernetes-preserve-unknown-fields": True}
OBJECT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "text": {"type": "string", "description": "is not kept", "default": "nor this", "maxLength": 5},
        "size": {"type": "integer", "format": "int64"},
        "ratio": {"type": "number"},
        "on": {"type": "boolean"},
        "raw": {"type": "string", "format": "byte"},
        "made": {"type": "string", "format": "date-time"},
        "wait": {"type": "string", "format": "duration"},
        "port": {"x-kubernetes-int-or-string": True},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "rules": {"type": "array", "items": {"type": "object", "properties": {"in": {"type": "string"}}}},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "untyped": {"description": "a field without a type does not exist for expressions"},
        "dashed-name": {"type": "string"},
        "namespace": {"type": "string"},
    },
}


def inferred(expression: str, schema: dict[str, Any] = OBJECT) -> dict[str, Any]:
    some = type_of_variable(schema, "it")
    assert some is not None
    return schema_of_type(check(parse(expression), {"it": some}))


UNKNOWN_TYPE = "unknown CEL type: "


@pytest.mark.parametrize(
    ("expression", "schema"),
    [
        ("it.on", {"type": "boolean"}),
        ("it.size", {"type": "integer"}),
        ("uint(it.size)", {"type": "integer"}),
        ("it.ratio", {"type": "number"}),
        ("it.text", {"type": "string"}),
        ("'a-' + string(it.size)", {"type": "string"}),
        ("it.raw", {"type": "string", "format": "byte"}),
        ("null", {**ANYTHING, "description": "null type - any value allowed"}),
        ("dyn(1)", ANYTHING),
        ("it.port", ANYTHING),
        (
            "it.made",
            {"type": "string", "format": "date-time", "description": "Timestamp representing a creation time"},
        ),
        ("it.wait", {**ANYTHING, "description": UNKNOWN_TYPE + "google.protobuf.Duration"}),
        ("it.?text", {**ANYTHING, "description": UNKNOWN_TYPE + "optional_type(string)"}),
        ("it.?text.orValue('')", {"type": "string"}),
        ("optional.none()", {**ANYTHING, "description": UNKNOWN_TYPE + "optional_type(dyn)"}),
        ("type(1)", {**ANYTHING, "description": UNKNOWN_TYPE + "type(int)"}),
        ("ip('::1')", {**ANYTHING, "description": UNKNOWN_TYPE + "net.IP"}),
        ("quantity('1')", {"type": "object", "additionalProperties": True}),
        ("url('https://example.com')", {"type": "object", "additionalProperties": True}),
        ("semver('1.2.3')", {"type": "object", "additionalProperties": True}),
        ("[it.size]", {"type": "array", "items": {"type": "integer"}}),
        ("[it.size, it.text]", {"type": "array", "items": ANYTHING}),
        ("[[it.made]]", {"type": "array", "items": {"type": "array", "items": inferred("it.made")}}),
        ("[]", {"type": "array", "items": ANYTHING}),
        ("{'a': it.size}", {"type": "object", "additionalProperties": {"type": "integer"}}),
        ("{1: it.text}", {"type": "object", "additionalProperties": {"type": "string"}}),
        ("{'a': 1, 'b': 'x'}", {"type": "object", "additionalProperties": ANYTHING}),
        ("it.labels", {"type": "object", "additionalProperties": {"type": "string"}}),
        ("it.rules.map(r, r.__in__)", {"type": "array", "items": {"type": "string"}}),
        ("it.free.whatever", ANYTHING),
        ("it.free", {"type": "object"}),
    ],
)
def test_a_field_has_the_schema_of_its_type(expression: str, schema: dict[str, Any]) -> None:
    assert inferred(expression) == schema


def test_an_object_has_its_fields_and_nothing_else_of_their_schemas() -> None:
    """Inside an object times have no format, and names are those that expressions use: kro's, faults included."""
    assert inferred("it") == {
        "type": "object",
        "properties": {
            "text": {"type": "string"},
            "size": {"type": "integer"},
            "ratio": {"type": "number"},
            "on": {"type": "boolean"},
            "raw": {"type": "string", "format": "byte"},
            "made": ANYTHING,
            "wait": ANYTHING,
            "port": ANYTHING,
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
            "rules": {"type": "array", "items": {"type": "object", "properties": {"__in__": {"type": "string"}}}},
            "free": {"type": "object"},
            "dashed__dash__name": {"type": "string"},
            "__namespace__": {"type": "string"},
        },
    }


def test_objects_in_lists_and_maps() -> None:
    rule = {"type": "object", "properties": {"__in__": {"type": "string"}}}
    assert inferred("it.rules") == {"type": "array", "items": rule}
    assert inferred("{'first': it.rules[0]}") == {"type": "object", "additionalProperties": rule}
    assert inferred("it.?rules")["description"] == f"{UNKNOWN_TYPE}optional_type(list(__type_it.rules.@idx))"


@pytest.mark.parametrize("case", corpus.pick("crd.yaml", "schema-from-cel-type"))
def test_types_of_the_corpus(case: dict[str, Any]) -> None:
    assert schema_of_type(parse_type(case["input"]["cel_type"])) == case["expect"]["schema"]


# -- size -------------------------------------------------------------------------------------------------------------------


def nested(depth: int, breadth: int) -> Type:
    """An object whose fields are such objects, *depth* times; the schemas of fields are shared."""
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "object", "properties": {f"f{i}": schema for i in range(breadth)}}
    made = type_of_variable(schema, "it")
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("found", "fits"),
    [
        pytest.param(nested(13, 2), True, id="large"),
        pytest.param(nested(40, 2), False, id="doubled at each step"),
        pytest.param(nested(MAX_DEPTH, 1), True, id="deep"),
        pytest.param(nested(MAX_DEPTH + 1, 1), False, id="too deep"),
        pytest.param(list_of(nested(40, 2)), False, id="in a list"),
    ],
)
def test_a_schema_that_grows_without_measure_is_refused(found: Type, fits: bool) -> None:
    if fits:
        assert schema_of_type(found)["type"] == "object"
    else:
        with pytest.raises(StatusTooLarge):
            schema_of_type(found)


def test_all_fields_of_a_status_count_together() -> None:
    with pytest.raises(StatusTooLarge):
        status_schema([((name,), nested(13, 2)) for name in ("a", "b")])
    assert MAX_FIELDS < 2 * 2**14


# -- paths ------------------------------------------------------------------------------------------------------------------


def fields(*paths: tuple[str | int, ...], found: Type = STRING) -> dict[str, Any]:
    return status_schema([(path, found) for path in paths])


TEXT = {"type": "string"}


@pytest.mark.parametrize(
    ("paths", "properties"),
    [
        pytest.param([], {}, id="no field"),
        pytest.param([("a",), ("b",)], {"a": TEXT, "b": TEXT}, id="fields"),
        pytest.param(
            [("a", "b", "c"), ("a", "d")],
            {
                "a": {
                    "type": "object",
                    "properties": {"b": {"type": "object", "properties": {"c": TEXT}}, "d": TEXT},
                }
            },
            id="mappings",
        ),
        pytest.param([("a", 0), ("a", 1)], {"a": {"type": "array", "items": TEXT}}, id="a list"),
        pytest.param(
            [("a", 0, "x"), ("a", 1, "y")],
            {"a": {"type": "array", "items": {"type": "object", "properties": {"x": TEXT, "y": TEXT}}}},
            id="a list of mappings, which share one schema",
        ),
        pytest.param(
            [("a", 0, 0)],
            {"a": {"type": "array", "items": {"type": "array", "items": TEXT}}},
            id="a list of lists",
        ),
        pytest.param([("a.b", "")], {"a.b": {"type": "object", "properties": {"": TEXT}}}, id="odd names"),
    ],
)
def test_paths_make_the_structure(paths: list[tuple[str | int, ...]], properties: dict[str, Any]) -> None:
    assert fields(*paths) == {"type": "object", "properties": properties}


def test_the_last_of_different_elements_counts() -> None:
    mixed: list[tuple[tuple[str | int, ...], Type]] = [(("a", 0), STRING), (("a", 1), INT)]
    assert status_schema(mixed)["properties"]["a"] == {"type": "array", "items": {"type": "integer"}}


@pytest.mark.parametrize(
    ("given_fields", "expected"),
    [
        pytest.param([(("a", 0), STRING), (("a", 1), STRING)], [], id="alike"),
        pytest.param([(("a",), STRING), (("b",), INT)], [], id="no list"),
        pytest.param([(("a", 0, "x"), STRING), (("a", 1, "y"), INT)], [], id="mappings are merged"),
        pytest.param([(("a", 0), STRING), (("a", 1), INT)], [(("a",), ["string", "integer"])], id="different"),
        pytest.param([(("a", 0), STRING), (("a", 1, "x"), INT)], [(("a",), ["string", "object"])], id="a mapping"),
        pytest.param([(("a", 0, "x"), INT), (("a", 1, 0), INT)], [(("a",), ["object", "list"])], id="and a list"),
        pytest.param(
            [(("a", 0), parse_type("list(int)")), (("a", 1), parse_type("list(string)"))],
            [(("a",), ["list of integer", "list of string"])],
            id="lists of different elements",
        ),
        pytest.param(
            [(("a", 0, 0), INT), (("a", 1, 0), STRING)],
            [(("a", 0), ["integer", "string"])],
            id="all lists of a list share one schema",
        ),
        pytest.param([(("a", 0), parse_type("dyn")), (("a", 1), INT)], [(("a",), ["any", "integer"])], id="anything"),
    ],
)
def test_lists_whose_elements_differ_are_named(
    given_fields: list[tuple[tuple[str | int, ...], Type]], expected: list[Any]
) -> None:
    assert mixed_lists(given_fields) == expected


SHAPES = st.recursive(
    st.none(),
    lambda inner: st.one_of(
        st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, min_size=1, max_size=3), inner.map(lambda one: [one])
    ),
    max_leaves=8,
)


def leaves(shape: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    if isinstance(shape, dict):
        return [leaf for key, child in shape.items() for leaf in leaves(child, (*path, key))]
    if isinstance(shape, list):
        return [leaf for i, child in enumerate(shape) for leaf in leaves(child, (*path, i))]
    return [path]


def filled(shape: Any) -> Any:
    if isinstance(shape, dict):
        return {key: filled(child) for key, child in shape.items()}
    return [filled(child) for child in shape] if isinstance(shape, list) else "text"


@given(st.dictionaries(st.sampled_from(["a", "b"]), SHAPES, min_size=1))
def test_a_status_suits_the_schema_of_its_paths(shape: dict[str, Any]) -> None:
    schema = fields(*leaves(shape))
    jsonschema.validate(filled(shape), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(_broken(filled(shape)), schema)


def _broken(value: Any) -> Any:
    """With a number at each text."""
    if isinstance(value, dict):
        return {key: _broken(child) for key, child in value.items()}
    return [_broken(child) for child in value] if isinstance(value, list) else 1
