"""What the API server would have against a template that kro takes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krm_fn.schema.server_checks import refusals

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
PAIR: Schema = {"type": "object", "properties": {"a": WHOLE, "b": TEXT}, "required": ["a"]}
KEYED: Schema = {"type": "array", "items": PAIR, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["a"]}
DEFAULTED: Schema = {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer", "default": 0}}}
HOLE = object()


def found(schema: Schema, value: Any, *, defaulted: bool = True) -> list[str]:
    """The messages about a field `f` of this schema; HOLE is where an expression stands."""
    holes: list[tuple[str | int, ...]] = []

    def fill(part: Any, path: tuple[str | int, ...]) -> Any:
        if part is HOLE:
            holes.append(path)
            return "${x}"
        if isinstance(part, dict):
            return {key: fill(child, (*path, key)) for key, child in part.items()}
        return [fill(child, (*path, i)) for i, child in enumerate(part)] if isinstance(part, list) else part

    template = fill({"f": value}, ())
    violations = refusals(template, {"type": "object", "properties": {"f": schema}}, holes, defaulted=defaulted)
    assert all(v.severity == "warning" and v.code.startswith("template-") for v in violations)
    return [v.message for v in violations]


@pytest.mark.parametrize(
    ("schema", "value", "message"),
    [
        pytest.param({**TEXT, "enum": ["a", "b"]}, "c", 'f is "c", expected one of "a", "b"', id="enum"),
        pytest.param({**WHOLE, "enum": [1]}, 2, "f is 2, expected 1", id="enum-of-numbers"),
        pytest.param({**WHOLE, "minimum": 1}, 0, "f is 0, expected at least 1", id="minimum"),
        pytest.param({**WHOLE, "maximum": 1}, 2, "f is 2, expected at most 1", id="maximum"),
        pytest.param({**WHOLE, "format": "int32"}, 2**31, "f is not an integer of 32 bits", id="int32"),
        pytest.param({**TEXT, "minLength": 2}, "a", 'f is "a", expected at least 2 characters', id="minLength"),
        pytest.param({**TEXT, "maxLength": 2}, "abc", 'f is "abc", expected at most 2 characters', id="maxLength"),
        pytest.param({**TEXT, "pattern": "^a+$"}, "b", 'f is "b", expected a text that matches ^a+$', id="pattern"),
        pytest.param({**TEXT, "format": "date-time"}, "tomorrow", "f is not a time, such as 2025-01-31T12:00:00Z", id="date-time"),
        pytest.param({**TEXT, "format": "byte"}, "a secret!", "f is not base64", id="byte"),
        pytest.param({**TEXT, "format": "ipv4"}, "::1", "f is not an IPv4 address", id="ipv4"),
        pytest.param({"oneOf": [TEXT, {"type": "number"}]}, "128mb", "f is not a quantity, such as 500m or 1.5Gi", id="quantity"),
        pytest.param(PAIR, {"b": "x"}, "f.a is missing, a required field", id="required"),
        pytest.param(PAIR, {"a": None}, "f.a is missing, a required field (it is null, which counts as missing)", id="required-null"),
        pytest.param({"type": "array", "minItems": 1}, [], "f has 0 items, expected at least 1", id="minItems"),
        pytest.param({"type": "array", "maxItems": 1}, [1, 2], "f has 2 items, expected at most 1", id="maxItems"),
        pytest.param({"type": "array", "items": WHOLE, "x-kubernetes-list-type": "set"}, [1, 2, 1], "f[2] repeats 1 of item 0", id="set"),
        pytest.param(KEYED, [{"a": 1}, {"a": 1, "b": "x"}], "f[1] repeats a 1 of item 0", id="keys"),
        pytest.param({"type": "array", "items": {**TEXT, "enum": ["a"]}}, ["a", "b"], 'f[1] is "b", expected "a"', id="item"),
        pytest.param({"type": "object", "additionalProperties": {**TEXT, "maxLength": 1}}, {"k": "xx"}, 'f.k is "xx", expected at most 1 characters', id="value"),
        pytest.param({"type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": {"a": WHOLE}}, {"a": "x", "z": 1}, 'f.a is the string "x", expected an integer of 64 bits', id="type-in-an-open-object"),
        pytest.param({"allOf": [{"minimum": 1}, {"maximum": 3}]}, 4, "f is 4, expected at most 3", id="allOf"),
        pytest.param({"anyOf": [TEXT, WHOLE]}, True, "f fits none, or too many, of the forms that its schema allows", id="anyOf"),
        pytest.param({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"a": 1, "b": 1}, "f fits none, or too many, of the forms that its schema allows", id="oneOf"),
        pytest.param({"not": {"required": ["a"]}}, {"a": 1}, "f fits none, or too many, of the forms that its schema allows", id="not"),
    ],
)  # fmt: skip
def test_what_would_be_refused(schema: Schema, value: Any, message: str) -> None:
    assert found(schema, value) == [message]


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        pytest.param({**TEXT, "enum": ["a"], "format": "byte", "pattern": "^a$"}, HOLE, id="an-expression"),
        pytest.param(PAIR, {"a": HOLE}, id="a-required-field-that-is-computed"),
        pytest.param(KEYED, [{"a": HOLE}, {"a": HOLE}], id="keys-that-are-computed"),
        pytest.param({"type": "array", "items": TEXT, "x-kubernetes-list-type": "set"}, [HOLE, HOLE], id="items-that-are-computed"),
        pytest.param({"oneOf": [{"properties": {"a": {"enum": [1]}}}, {"properties": {"a": {"enum": [2]}}}]}, {"a": HOLE}, id="alternatives-that-are-computed"),
        pytest.param({"not": {"properties": {"a": {"enum": [1]}}}}, {"a": HOLE}, id="not-that-is-computed"),
        pytest.param({"type": "integer", "x-kubernetes-int-or-string": True}, "80%", id="int-or-string"),
        pytest.param({"type": "string", "format": "int-or-string"}, 80, id="int-or-string-of-a-built-in-kind"),
        pytest.param({"oneOf": [TEXT, {"type": "number"}]}, 0.5, id="quantity-as-a-number"),
        pytest.param({"anyOf": [TEXT, WHOLE]}, 1, id="anyOf"),
        pytest.param({"type": "number", "minimum": 0}, 1, id="number"),
        pytest.param({**TEXT, "format": "hostname", "x-kubernetes-validations": [{"rule": "false"}]}, "?", id="what-is-not-looked-at"),
        pytest.param({**TEXT, "pattern": "("}, "a", id="a-pattern-that-is-none"),
        pytest.param({**PAIR, "required": []}, {"a": None}, id="null"),
    ],
)  # fmt: skip
def test_what_may_be_right(schema: Schema, value: Any) -> None:
    assert found(schema, value) == []


def test_a_default_stands_in_for_a_field_unless_it_is_only_the_zero_value_of_go() -> None:
    assert found(DEFAULTED, {}) == []
    assert found(DEFAULTED, {}, defaulted=False) == ["f.a is missing, a required field"]
    assert found({**TEXT, "enum": ["a"]}, "", defaulted=False) == []


@pytest.mark.parametrize(
    ("labels", "messages"),
    [
        ({"app": "web", "app.kubernetes.io/name": "a.b-c_D", "e": ""}, []),
        ({"a b": "x"}, ['metadata.labels["a b"] is not the name of a label']),
        ({"UPPER.io/x": "x"}, ['metadata.labels["UPPER.io/x"] is not the name of a label']),
        ({"a": "x y"}, ["metadata.labels.a is not the value of a label: at most 63 letters, digits, -, _ and ."]),
        ({"a": "x" * 64}, ["metadata.labels.a is not the value of a label: at most 63 letters, digits, -, _ and ."]),
    ],
)
def test_labels_are_those_of_kubernetes(labels: dict[str, str], messages: list[str]) -> None:
    schema = {"properties": {"metadata": {"properties": {"labels": {"additionalProperties": TEXT}}}}}
    assert [v.message for v in refusals({"metadata": {"labels": labels}}, schema, [], defaulted=True)] == messages


def test_alternatives_without_end_come_to_an_end() -> None:
    schema: Schema = TEXT
    for _ in range(50):
        schema = {"anyOf": [schema, schema], "oneOf": [schema, schema]}
    found(schema, "a")


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=3), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abf"), inner, max_size=3)))  # fmt: skip
def test_what_an_expression_fills_is_never_held_against_the_author(value: Any) -> None:
    """Each finding about a template with a hole is one about the template without it, too."""
    schema = {"type": "object", "properties": {"a": KEYED, "b": {**TEXT, "enum": ["x"]}, "f": PAIR}}
    whole = set(found(schema, value))
    if isinstance(value, dict):
        for key in value:
            assert set(found(schema, {**value, key: HOLE})) <= whole
