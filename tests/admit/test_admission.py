"""What becomes of an instance: defaults, pruning, nulls, numbers, and one violation for each thing wrong."""

from __future__ import annotations

import copy
import time
from typing import Any

import pytest

from krm_fn.admit.admission import Violation, compile_admission
from krm_fn.report.diagnostic import ERROR, WARNING
from krm_fn.schema.simple_schema import to_openapi
from krm_fn.schema.structural import compile_value

META = {"apiVersion": "kro.run/v1alpha1", "kind": "Thing", "metadata": {"name": "t", "odd": {"field": 1}}}


def admit(spec_text: dict[str, Any], *spec: Any, types: Any = None) -> tuple[dict[str, Any], list[Violation]]:
    """Admit an instance with that `spec` (none given: without), and check that the instance itself was left alone."""
    instance = {**META, "spec": spec[0]} if spec else dict(META)
    before = copy.deepcopy(instance)
    result = compile_admission(to_openapi(spec_text, types)).admit(instance)
    assert instance == before
    return result


NESTED = {"a": {"b": {"c": 'string | default="deep"'}, "n": "integer | default=7"}}
BLOCKED = {"opts": {"must": "string | required=true", "may": "string | default=x"}}


@pytest.mark.parametrize(
    ("schema", "spec", "admitted"),
    [
        pytest.param(NESTED, {}, {"a": {"b": {"c": "deep"}, "n": 7}}, id="defaults climb"),
        pytest.param(NESTED, {"a": {"n": 1}}, {"a": {"n": 1, "b": {"c": "deep"}}}, id="missing parts only"),
        pytest.param(NESTED, {"a": None}, {"a": {"b": {"c": "deep"}, "n": 7}}, id="null gets the default"),
        pytest.param(NESTED, None, {"a": {"b": {"c": "deep"}, "n": 7}}, id="null spec gets the default"),
        pytest.param(BLOCKED, {}, {}, id="required stops the default"),
        pytest.param(BLOCKED, {"opts": {"must": "y"}}, {"opts": {"must": "y", "may": "x"}}, id="default below what is given"),
        pytest.param({"x": "string"}, {"x": None}, {}, id="null without default goes"),
        pytest.param({"m": "map[string]string"}, {"m": {"a": None, "b": "c"}}, {"m": {"b": "c"}}, id="null in a map goes"),
        pytest.param({"o": "object"}, {"o": {"a": None}}, {"o": {"a": None}}, id="null in a free object stays"),
        pytest.param({"m": "map[string]P"}, {"m": {"a": None}}, {"m": {"a": 8}}, id="null in a map gets the default"),
        pytest.param({"l": "[]P"}, {"l": [None, 1]}, {"l": [8, 1]}, id="null in a list gets the default"),
        pytest.param({"i": "integer"}, {"i": 2.0}, {"i": 2}, id="whole float is an integer"),
        pytest.param({"i": "integer"}, {"i": -(2**63)}, {"i": -(2**63)}, id="least integer"),
        pytest.param({"f": "float"}, {"f": 3}, {"f": 3.0}, id="integer is a number"),
        pytest.param({"f": "[]float"}, {"f": [1, 2.5]}, {"f": [1.0, 2.5]}, id="integers in a list of numbers"),
        pytest.param({"m": "map[string]float"}, {"m": {"a": 1}}, {"m": {"a": 1.0}}, id="integers in a map of numbers"),
        pytest.param({"f": "float | default=1"}, {}, {"f": 1.0}, id="default of a number"),
        pytest.param({"o": "object"}, {"o": {"a": [{"b": None}]}}, {"o": {"a": [{"b": None}]}}, id="free object"),
        pytest.param({"f": "float | minimum=0.5"}, {"f": 0}, {"f": 0.0}, id="whole numbers meet the bound's whole part"),
        pytest.param({"i": "integer | minimum=1e300"}, {"i": None}, {}, id="bound beyond every integer"),
        pytest.param({"s": 'string | pattern="^a"'}, {"s": "abc"}, {"s": "abc"}, id="pattern is searched"),
        pytest.param({"s": "string | maxLength=2"}, {"s": "\U0001f600é"}, {"s": "\U0001f600é"}, id="length in code points"),
        pytest.param({"l": "[]integer | uniqueItems=true"}, {"l": [1, 2]}, {"l": [1, 2]}, id="set"),
        pytest.param({"r": "[]R | listType=map listMapKey=k"}, {"r": [{"k": "a"}, {"k": "b"}]}, {"r": [{"k": "a"}, {"k": "b"}]}, id="map list"),
        pytest.param({"i": "integer | immutable=true"}, {"i": 1}, {"i": 1}, id="immutable passes on create"),
        pytest.param({"s": 'A | validation="self.with__dash__it == self.__in__"'}, {"s": {"with-it": 1, "in": 1}}, None, id="escaped names in a rule"),
        pytest.param({"l": '[]A | validation="self.all(a, a.with__dash__it == a.__in__)"'}, {"l": [{"with-it": 1, "in": 1}]}, None, id="escaped names of items in a rule"),
        pytest.param({"m": 'map[string]integer | validation="self.a__dash__b == 1 && !(\'a-b\' in self)"'}, {"m": {"a__dash__b": 1}}, None, id="keys of a map are not escaped"),
        pytest.param({"f": 'float | validation="self > 1.5"'}, {"f": 2}, {"f": 2.0}, id="a rule sees a double"),
    ],
)  # fmt: skip
def test_admitted(schema: Any, spec: Any, admitted: Any) -> None:
    """Types matter: 1 and 1.0 are different."""
    types = {
        "P": "integer | default=8",
        "R": {"k": "string | required=true"},
        "A": {"with-it": "integer", "in": "integer"},
    }
    result, violations = admit(schema, spec, types=types)
    assert not violations
    assert repr(result["spec"]) == repr(spec if admitted is None else admitted)


TYPES = {"Pet": {"name": "string | required=true", "age": "integer | minimum=0"}}


@pytest.mark.parametrize(
    ("schema", "spec", "found"),
    [
        pytest.param({"x": "string | required=true"}, {}, [("missing-field", "spec.x")], id="required"),
        pytest.param({"x": "string | required=true"}, {"x": None}, [("missing-field", "spec.x")], id="null is missing"),
        pytest.param({"x": {"y": "Pet"}}, {"x": {"y": {}}}, [("missing-field", "spec.x.y.name")], id="nested required"),
        pytest.param({"x": "string"}, [], [("wrong-type", "spec")], id="spec is a list"),
        pytest.param({"x": "string"}, {"x": 1}, [("wrong-type", "spec.x")], id="number for string"),
        pytest.param({"x": "string"}, {"x": True}, [("wrong-type", "spec.x")], id="boolean for string"),
        pytest.param({"x": "string"}, {"x": {"a": "b"}}, [("wrong-type", "spec.x")], id="object for string"),
        pytest.param({"x": "integer"}, {"x": True}, [("wrong-type", "spec.x")], id="boolean for integer"),
        pytest.param({"x": "integer"}, {"x": 2.5}, [("wrong-type", "spec.x")], id="fraction for integer"),
        pytest.param({"x": "integer"}, {"x": 2**63}, [("wrong-type", "spec.x")], id="beyond int64"),
        pytest.param({"x": "integer"}, {"x": 1e17}, [("wrong-type", "spec.x")], id="whole float too large to be exact"),
        pytest.param({"x": "float"}, {"x": "1.5"}, [("wrong-type", "spec.x")], id="text for number"),
        pytest.param({"x": "float"}, {"x": 10**400}, [("wrong-type", "spec.x")], id="number that no double holds"),
        pytest.param({"x": "float"}, {"x": float("nan")}, [("wrong-type", "spec.x")], id="NaN"),
        pytest.param({"x": "boolean"}, {"x": 1}, [("wrong-type", "spec.x")], id="number for boolean"),
        pytest.param({"x": "object"}, {"x": []}, [("wrong-type", "spec.x")], id="list for object"),
        pytest.param({"x": "map[string]string"}, {"x": "a"}, [("wrong-type", "spec.x")], id="text for map"),
        pytest.param({"x": "map[string]integer"}, {"x": {"a.b/c": "d"}}, [("wrong-type", 'spec.x["a.b/c"]')], id="value in a map"),
        pytest.param({"x": "[]string"}, {"x": {"a": 1}}, [("wrong-type", "spec.x")], id="object for list"),
        pytest.param({"x": "[]string"}, {"x": ["a", None]}, [("wrong-type", "spec.x[1]")], id="null in a list"),
        pytest.param({"x": "[]Pet"}, {"x": [{"name": "a"}, {"name": "b", "age": -1}]}, [("too-small", "spec.x[1].age")], id="in an item"),
        pytest.param({"x": "integer | maximum=3"}, {"x": 4.0}, [("too-large", "spec.x")], id="maximum"),
        pytest.param({"x": "float | minimum=0.5"}, {"x": 0.4}, [("too-small", "spec.x")], id="minimum of a number"),
        pytest.param({"x": 'string | enum="a, b"'}, {"x": " b"}, [("not-in-enum", "spec.x")], id="enum"),
        pytest.param({"x": 'integer | enum="1,2"'}, {"x": 3}, [("not-in-enum", "spec.x")], id="enum of integers"),
        pytest.param({"x": "string | minLength=2"}, {"x": "\U0001f600"}, [("too-short", "spec.x")], id="one code point"),
        pytest.param({"x": "string | maxLength=2"}, {"x": "abc"}, [("too-long", "spec.x")], id="too long"),
        pytest.param({"x": 'string | pattern="^[a-z]+$"'}, {"x": "Ab"}, [("pattern-mismatch", "spec.x")], id="pattern"),
        pytest.param({"x": "[]string | minItems=1"}, {"x": []}, [("too-few-items", "spec.x")], id="too few"),
        pytest.param({"x": "[]string | maxItems=1"}, {"x": ["a", "b"]}, [("too-many-items", "spec.x")], id="too many"),
        pytest.param({"x": "[]integer | uniqueItems=true"}, {"x": [1, 2, 1]}, [("duplicate-item", "spec.x[2]")], id="repeats"),
        pytest.param({"x": "[]integer | uniqueItems=true"}, {"x": [1, 1.0]}, [("duplicate-item", "spec.x[1]")], id="1 and 1.0 in a set"),
        pytest.param({"x": "[]Pet | listType=map listMapKey=name"}, {"x": [{"name": "a"}, {"name": "a", "age": 1}]},
                     [("duplicate-item", "spec.x[1]")], id="key repeats"),
        pytest.param({"x": 'integer | validation="self % 2 == 0"'}, {"x": 3}, [("rule-failed", "spec.x")], id="rule"),
        pytest.param({"x": 'Pet | validation="self.age > 1"'}, {"x": {"name": "a"}}, [("rule-failed", "spec.x")], id="rule that fails to run"),
        pytest.param({"x": 'Pet | validation="self.age > 1"'}, {"x": {"name": 1}}, [("wrong-type", "spec.x.name")], id="rules wait for types"),
        pytest.param({"x": '[]string | validation="sets.contains(self, [1])"'}, {"x": []}, [("rule-unchecked", "spec.x")], id="function that kro lacks"),
        pytest.param({"x": "string", "deep": {"replicas": "integer"}}, {"y": 1, "deep": {"replica": 2}},
                     [("unknown-field", "spec.y"), ("unknown-field", "spec.deep.replica")], id="unknown fields"),
        pytest.param({"a": "string | required=true", "b": "integer", "c": "[]boolean"}, {"b": "x", "c": [1, 2], "d": 0},
                     [("wrong-type", "spec.b"), ("wrong-type", "spec.c[0]"), ("wrong-type", "spec.c[1]"), ("missing-field", "spec.a"),
                      ("unknown-field", "spec.d")], id="all at once"),
    ],
)  # fmt: skip
def test_violations(schema: Any, spec: Any, found: list[tuple[str, str]]) -> None:
    """Each violation names its code and place; the message begins with the place, is one line, and quotes no whole document."""
    _, violations = admit(schema, spec, types=TYPES)
    assert [(violation.code, violation.message.split()[0].rstrip(":")) for violation in violations] == [
        (f"instance-{code}", place) for code, place in found
    ]
    for violation in violations:
        assert len(violation.message) < 200
        assert "\n" not in violation.message
        assert violation.path[0] == "spec"
        warned = violation.code in {"instance-unknown-field", "instance-rule-unchecked"}
        assert violation.severity == (WARNING if warned else ERROR)


def test_messages_say_what_was_expected_and_what_came() -> None:
    schema = {"tier": 'string | enum="gold,silver"', "replicas": "integer", "on": "boolean", "note": "string"}
    spec = {"tier": "bronze", "replicas": "2", "replica": 1, "on": {"a": 1}, "note": 5}
    _, violations = admit(schema, spec)
    assert [violation.message for violation in violations] == [
        'spec.tier is "bronze", expected one of "gold", "silver"',
        'spec.replicas is the string "2", expected an integer of 64 bits',
        "spec.on is an object, expected true or false",
        "spec.note is the integer 5, expected a string",
        "spec.replica is not a field of spec, it is dropped",
    ]
    assert [violation.help for violation in violations] == [
        "",
        "remove the quotes",
        "",
        "quote it",
        "did you mean 'replicas'?",
    ]


def test_long_and_strange_texts_are_cut_in_messages() -> None:
    _, violations = admit({"x": "string | maxLength=3"}, {"x": "secret\n" * 1000})
    assert len(violations[0].message) < 100


def test_an_instance_without_spec_passes_although_fields_are_required() -> None:
    """The schema of an instance does not require `spec`, and a required field keeps `spec` from having a default."""
    admitted, violations = admit({"must": "string | required=true"})
    assert (admitted, violations) == (META, [])
    assert admit({"must": "string | required=true"}, None) == (META, [])


def test_an_instance_without_spec_gets_all_defaults() -> None:
    assert admit({"a": "string | default=x"})[0]["spec"] == {"a": "x"}


def test_what_stands_beside_spec() -> None:
    """Metadata stays as it is, a status is the subresource's, any other field is dropped with a warning."""
    instance = {**META, "spec": {}, "status": {"state": "ACTIVE"}, "spce": {"x": 1}, "replicas": {}}
    admitted, violations = compile_admission(to_openapi({"x": "string"})).admit(instance)
    assert admitted == {**META, "spec": {}}
    assert [(violation.path, violation.help) for violation in violations] == [
        (("spce",), "did you mean 'spec'?"),
        (("replicas",), "fields of an instance stand under spec"),
    ]


def test_what_needs_no_change_is_not_copied() -> None:
    instance = {**META, "spec": {"a": {"b": {"c": "x"}, "n": 1}}}
    admitted, _ = compile_admission(to_openapi(NESTED)).admit(instance)
    assert admitted is instance


def test_only_what_changes_is_copied() -> None:
    schema: Any = {"l": "[]I", "m": {"x": "string"}}
    instance: dict[str, Any] = {**META, "spec": {"l": [{"n": 1}, {"n": 2.0}], "m": {"x": "y"}}}
    admitted, _ = compile_admission(to_openapi(schema, {"I": {"n": "integer"}})).admit(instance)
    assert admitted["spec"]["l"] == [{"n": 1}, {"n": 2}]
    assert admitted["spec"]["l"][0] is instance["spec"]["l"][0]
    assert admitted["spec"]["m"] is instance["spec"]["m"]


def test_defaults_are_shared_between_instances() -> None:
    admission = compile_admission(to_openapi({"m": 'object | default={"a": {"b": 1}}'}))
    first, _ = admission.admit({**META, "metadata": {"name": "1"}})
    second, _ = admission.admit({**META, "metadata": {"name": "2"}})
    assert first["spec"] is second["spec"]


def test_a_default_that_breaks_a_rule_of_its_parent_is_reported_for_each_instance() -> None:
    """The default `{}` passes as it stands; filled in, it does not, and each instance that takes it hears so."""
    types = {"Range": {"lo": "integer | default=5", "hi": "integer | default=3"}}
    schema = {"range": 'Range | validation="!has(self.lo) || self.lo < self.hi"', "x": "string"}
    admission = compile_admission(to_openapi(schema, types))
    for _ in range(2):
        _, violations = admission.admit({**META, "spec": {"x": "y"}})
        assert [(violation.code, violation.path) for violation in violations] == [
            ("instance-rule-failed", ("spec", "range"))
        ]


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param({"type": "string", "format": "date"}, id="keyword"),
        pytest.param({"type": "object", "properties": {"a": {"type": "integer", "oneOf": []}}}, id="nested keyword"),
        pytest.param(
            {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "string"}},
            id="both",
        ),
    ],
)
def test_a_schema_outside_the_vocabulary_is_a_bug(schema: dict[str, Any]) -> None:
    """Silence would admit what the API server refuses."""
    with pytest.raises(ValueError, match="not checked here"):
        compile_value(schema)


def test_nullable_values_stay_null() -> None:
    """SimpleSchema has no nullable; the vocabulary does."""
    nullable = {"type": "string", "nullable": True, "default": "x"}
    schema = {"type": "object", "properties": {"a": nullable, "l": {"type": "array", "items": nullable}}}
    admitted, violations = compile_admission(schema).admit({**META, "spec": {"a": None, "l": [None]}})
    assert (admitted["spec"], violations) == ({"a": None, "l": [None]}, [])


def test_cost_grows_with_the_instance_not_faster() -> None:
    """Ten thousand unknown fields, duplicates and items: fractions of a second (a quadratic walk would take minutes)."""
    spec = {f"u{n}": n for n in range(300)} | {"s": ["a"] * 20_000, "m": {f"k{n}": n for n in range(20_000)}}
    start = time.process_time()
    _, violations = admit({"s": "[]string | listType=set", "m": "map[string]float"}, spec)
    assert time.process_time() - start < 5
    assert len(violations) == 300 + 19_999


@pytest.mark.parametrize(
    ("text", "quoted"), [("2", True), ("+7", True), ("1e3", True), ("many", False), ("true", True)]
)
def test_the_quotes_go_where_they_alone_are_wrong(text: str, *, quoted: bool) -> None:
    _, violations = admit({"n": "integer"}, {"n": text})
    assert [violation.help for violation in violations] == ["remove the quotes" if quoted else ""]
