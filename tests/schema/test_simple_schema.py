"""What a SimpleSchema becomes, and how each mistake in it is reported."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from krm_fn.schema.simple_schema import MAX_NESTING, MAX_NODES, SchemaError, SchemaProblem, to_openapi


def problems(spec: Any, types: Any = None) -> list[SchemaProblem]:
    with pytest.raises(SchemaError) as caught:
        to_openapi(spec, types)
    return caught.value.problems


def field(text: str, types: Any = None) -> dict[str, Any]:
    schema: dict[str, Any] = to_openapi({"x": text}, types)["properties"]["x"]
    return schema


REFUSED = [
    # text of the field, code, the part of the text that is underlined, what the help says
    pytest.param("", "type-empty", "", "string", id="empty"),
    pytest.param("\u2003", "type-empty", "", "string", id="blank of Unicode"),
    pytest.param("[]", "type-empty", "[]", "[]string", id="list of nothing"),
    pytest.param("map[string]", "type-empty", "map[string]", "map[string]string", id="map of nothing"),
    pytest.param("map[integer]string", "map-key-not-string", "map[integer]string", "map[string]", id="map key"),
    pytest.param("[]map[int]string", "map-key-not-string", "map[int]string", "map[string]", id="map key in a list"),
    pytest.param("[]" * 17 + "string", "type-too-deep", "string", "", id="17 lists"),
    pytest.param("Strng", "type-unknown", "Strng", "'string'", id="misspelt"),
    pytest.param("[]int", "type-unknown", "int", "'integer'", id="another language's"),
    pytest.param("number", "type-unknown", "number", "'float'", id="OpenAPI's"),
    pytest.param(" map[string] Prson ", "type-unknown", "Prson", "'Person'", id="misspelt custom type"),
    pytest.param("string |", "marker-without-value", "", "", id="bar and nothing"),
    pytest.param("string | required", "marker-without-value", "required", "required=true", id="no value"),
    pytest.param("string | default=two words", "marker-without-value", "words", "quote", id="unquoted words"),
    pytest.param("string | required=true ", "marker-without-value", "", "end", id="trailing blank"),
    pytest.param("string | requird=true", "marker-unknown", "requird", "'required'", id="misspelt marker"),
    pytest.param("string | =true", "marker-unknown", "=", "", id="no key"),
    pytest.param('string | default="a', "marker-unclosed", 'default="a', "", id="open quote"),
    pytest.param("[]string | default=[1", "marker-unclosed", "default=[1", "", id="open bracket"),
    pytest.param("string | default=a]", "marker-unclosed", "]", "", id="stray bracket"),
    pytest.param("string | required=yes", "marker-bad-value", "required=yes", "", id="no Go boolean"),
    pytest.param("integer | default=1.0", "marker-bad-value", "default=1.0", "", id="no integer"),
    pytest.param(
        "integer | default=9223372036854775808",
        "marker-bad-value",
        "default=9223372036854775808",
        "",
        id="beyond int64",
    ),
    pytest.param("float | minimum=NaN", "marker-refused", "minimum=NaN", "", id="NaN bound"),
    pytest.param("integer | enum=1,2", "", "", "", id="unquoted enum is fine"),
    pytest.param("integer | enum=1,02", "marker-bad-value", "enum=1,02", "", id="enum member that is no JSON"),
    pytest.param('string | enum="a,,b"', "marker-bad-value", 'enum="a,,b"', "", id="empty enum member"),
    pytest.param(
        'string | enum="a,\x07"', "marker-bad-value", 'enum="a,\x07"', "", id="enum member that Go cannot quote as JSON"
    ),
    pytest.param("boolean | enum=true", "marker-wrong-type", "enum=true", "", id="enum of booleans"),
    pytest.param("integer | minLength=1", "marker-wrong-type", "minLength=1", "", id="length of a number"),
    pytest.param("string | minItems=1", "marker-wrong-type", "minItems=1", "", id="items of a string"),
    pytest.param("string | validation=' '", "marker-without-value", "'", "", id="single quotes do not quote"),
    pytest.param('string | validation=" "', "marker-bad-value", 'validation=" "', "", id="empty rule"),
    pytest.param('string | pattern="a(?=b)"', "marker-bad-value", 'pattern="a(?=b)"', "", id="pattern that RE2 lacks"),
    pytest.param('string | pattern="\\C"', "marker-bad-value", 'pattern="\\C"', "", id="pattern that only RE2 has"),
    pytest.param(
        "[]string | uniqueItems=true listType=map", "marker-conflict", "listType=map", "", id="two list types"
    ),
    pytest.param("[]string | listMapKey=a listMapKey=a", "marker-conflict", "listMapKey=a", "", id="one key twice"),
    pytest.param(
        "[]Person | listMapKey=name", "marker-conflict", "listMapKey=name", "listType=map", id="keys without map"
    ),
    pytest.param("boolean | default=True", "default-not-json", "default=True", "true or false", id="True"),
    pytest.param("integer | default=007", "default-not-json", "default=007", "zeros", id="leading zeros"),
    pytest.param("integer | default=+7", "default-not-json", "default=+7", "'+'", id="plus sign"),
    pytest.param("float | default=.5", "default-not-json", "default=.5", "", id="no digit before the point"),
    pytest.param("float | default=Inf", "default-not-json", "default=Inf", "", id="infinity"),
    pytest.param(
        'string | default="say \\"hi\\""',
        "default-not-json",
        'default="say \\"hi\\""',
        "backslash",
        id="quote in a default",
    ),
    pytest.param('string | default="tab\there"', "default-not-json", 'default="tab\there"', "", id="control character"),
    pytest.param('string | default="\\d+"', "default-not-json", 'default="\\d+"', "", id="no JSON escape"),
    pytest.param("[]string | default=[a]", "default-not-json", "default=[a]", "quote the items", id="bare items"),
    pytest.param("[]integer | default=[NaN]", "default-not-json", "default=[NaN]", "", id="NaN item"),
    pytest.param("object | default=" + "[" * 99 + "]" * 99, "default-not-json", None, "", id="deep default"),
    pytest.param(
        '[]integer | default=["1"]', "default-refused", 'default=["1"]', "remove the quotes", id="wrong items"
    ),
    pytest.param("[]string | default=[null]", "default-refused", "default=[null]", "", id="null item"),
    pytest.param(
        'map[string]string | default={"a": null}', "default-refused", 'default={"a": null}', "", id="null value"
    ),
    pytest.param(
        'Pet | default={"name": "x", "nam": 1}',
        "default-refused",
        'default={"name": "x", "nam": 1}',
        "'name'",
        id="unknown field",
    ),
    pytest.param('Pet | default={"age": 1}', "default-refused", 'default={"age": 1}', "", id="required field missing"),
    pytest.param(
        'integer | validation="self >"', "rule-invalid", 'validation="self >"', "", id="rule that is no expression"
    ),
    pytest.param(
        'integer | validation="value > 1"', "rule-invalid", 'validation="value > 1"', "", id="unknown name in a rule"
    ),
    pytest.param(
        'string | validation="self.length() > 1"',
        "rule-invalid",
        'validation="self.length() > 1"',
        "",
        id="unknown method",
    ),
    pytest.param(
        'string | validation="omit() == self"',
        "rule-invalid",
        'validation="omit() == self"',
        "",
        id="kro's function in a rule",
    ),
    pytest.param(
        'string | validation="cel.bind(a, 1, a > 0)"',
        "rule-invalid",
        'validation="cel.bind(a, 1, a > 0)"',
        "",
        id="bind",
    ),
    pytest.param(
        "Pet | validation=\"self.nme != ''\"",
        "rule-invalid",
        "validation=\"self.nme != ''\"",
        "",
        id="unknown field in a rule",
    ),
    pytest.param(
        'object | validation="self.a == 1"', "rule-invalid", 'validation="self.a == 1"', "", id="field of a free object"
    ),
    pytest.param(
        'string | validation="self.nme == 1"', "rule-invalid", 'validation="self.nme == 1"', "", id="field of a string"
    ),
    pytest.param('boolean | validation="self > 0"', "rule-invalid", 'validation="self > 0"', "", id="types in a rule"),
    pytest.param(
        'string | validation="size(self)"', "rule-invalid", 'validation="size(self)"', "", id="rule that gives a number"
    ),
    pytest.param(
        'string | validation="dyn(self)"', "rule-invalid", 'validation="dyn(self)"', "", id="rule that gives anything"
    ),
    pytest.param(
        'object | validation="size(self) > 0"',
        "rule-invalid",
        'validation="size(self) > 0"',
        "",
        id="size of a free object",
    ),
    pytest.param(
        "string | validation=\"self in ['a', 1]\"",
        "rule-invalid",
        "validation=\"self in ['a', 1]\"",
        "",
        id="a list of two types in a rule",
    ),
    pytest.param(
        "string | validation=\"self.matches('(')\"",
        "rule-invalid",
        "validation=\"self.matches('(')\"",
        "",
        id="pattern in a rule",
    ),
    pytest.param(
        "string | validation=\"duration('x') > duration(self)\"",
        "rule-invalid",
        "validation=\"duration('x') > duration(self)\"",
        "",
        id="duration in a rule",
    ),
    pytest.param(
        'string | default=a validation="self +"',
        "rule-invalid",
        'validation="self +"',
        "",
        id="default beside a broken rule",
    ),
    pytest.param(
        'string | default=a validation="self > 0"',
        "rule-invalid",
        'validation="self > 0"',
        "",
        id="default beside a wrong rule",
    ),
    pytest.param('integer | validation="self > 0.5"', "", "", "", id="numbers of two types in a rule"),
    pytest.param(
        "string | validation=\"'%s %d'.format([self, 1]) != ''\"", "", "", "", id="format of two types in a rule"
    ),
    pytest.param('string | validation="isSemver(self, true)"', "", "", "", id="lenient semver in a rule"),
    pytest.param(
        'Pet | default={"name": "x"} validation="self.age > 1"',
        "default-refused",
        'default={"name": "x"}',
        "",
        id="rule that a default breaks",
    ),
    pytest.param("integer | immutable=true", "", "", "", id="immutable field"),
    pytest.param('string | validation="type(self) == string"', "", "", "", id="type name in a rule"),
    pytest.param('map[string]Pet | validation="self.all(k, self[k].age > 1)"', "", "", "", id="behind a map"),
    pytest.param('[]Pet | validation="sets.contains(self, [])"', "", "", "", id="function of the API server"),
    pytest.param("integer | minimum=5 default=1", "default-refused", "default=1", "", id="below the minimum"),
    pytest.param('string | enum="a,b" default=c', "default-refused", "default=c", "", id="not in the enum"),
    pytest.param('string | pattern="^a" default=b', "default-refused", "default=b", "", id="against the pattern"),
    pytest.param("[]string | minItems=1 default=[]", "default-refused", "default=[]", "", id="too few items"),
    pytest.param(
        "[]Person | uniqueItems=true", "marker-refused", "uniqueItems=true", "listType=map", id="set of objects"
    ),
    pytest.param("[]object | listType=set", "marker-refused", "listType=set", "listType=map", id="set of free objects"),
    pytest.param("[]Tags | listType=set", "marker-refused", "listType=set", "", id="set of sets"),
    pytest.param("[]Person | listType=map", "marker-refused", "listType=map", "listMapKey", id="map without keys"),
    pytest.param("[]string | listType=map listMapKey=a", "marker-refused", "listType=map", "", id="map of strings"),
    pytest.param(
        "[]Person | listType=map listMapKey=nme", "marker-refused", "listMapKey=nme", "name", id="key is no field"
    ),
    pytest.param(
        "[]Person | listType=map listMapKey=age", "marker-refused", "listMapKey=age", "required", id="key may be absent"
    ),
    pytest.param(
        "[]Person | listType=map listMapKey=tags", "marker-refused", "listMapKey=tags", "", id="key is a list"
    ),
]
TYPES = {
    "Pet": {"name": "string | required=true", "age": "integer"},
    "Person": {"name": "string | required=true", "age": "integer", "tags": "Tags | required=true"},
    "Tags": "[]string | listType=set",
}


@pytest.mark.parametrize(("text", "code", "underlined", "help_says"), REFUSED)
def test_a_field_that_is_refused(text: str, code: str, underlined: str | None, help_says: str) -> None:
    """One problem, at the field's path, underlining the culprit in its text."""
    if not code:
        to_openapi({"deep": {"x": text}}, TYPES)
        return
    (problem,) = problems({"deep": {"x": text}}, TYPES)
    assert (problem.code, problem.path) == (code, ("spec", "deep", "x"))
    if underlined is not None:
        assert text[problem.offset : problem.offset + problem.length] == underlined
    assert help_says in problem.help
    assert "\n" not in problem.message


def test_a_broken_rule_is_one_problem_of_all() -> None:
    """Beside another problem, in a list without keys, where rules are asked for their old value."""
    found = problems(
        {"deep": {"a": '[]string | default=["b"]', "b": "[]Ruled", "c": "strng"}},
        {"Ruled": {"x": 'string | validation="self +"'}},
    )
    assert {p.code for p in found} == {"rule-invalid", "type-unknown"}


@pytest.mark.parametrize(
    ("text", "schema"),
    [
        pytest.param(
            "\t[] map[string] []integer ",
            {"items": {"additionalProperties": {"items": {"type": "integer"}}}},
            id="blanks",
        ),
        pytest.param("[]" * 16 + "string", {"type": "array"}, id="16 lists"),
        pytest.param("integer | minimum=Inf minimum=1", {"minimum": 1}, id="the last bound counts"),
        pytest.param("float | minimum=1_0.5 maximum=0x1p4", {"minimum": 10.5, "maximum": 16}, id="Go's numbers"),
        pytest.param("string | default=", {"default": ""}, id="empty default"),
        pytest.param('string | default="a\\\\nb"', {"default": "a\nb"}, id="JSON escape in a default"),
        pytest.param("string | default=null", {"default": "null"}, id="text null"),
        pytest.param('[]string | default=""', {"default": ...}, id="empty default of a list counts as none"),
        pytest.param("object | default=null", {"default": ...}, id="null default counts as none"),
        pytest.param(
            'object | default={"a": null, "b": [null]}', {"default": {"b": [None]}}, id="nulls in a default vanish"
        ),
        pytest.param("float | default=1e2", {"default": 100.0}, id="exponent"),
        pytest.param(
            'object | default={"big": 9223372036854775808}',
            {"default": {"big": 9.223372036854775808e18}},
            id="beyond int64",
        ),
        pytest.param('object | default={"a": "\\ud800"}', {"default": {"a": "\ufffd"}}, id="half a surrogate pair"),
        pytest.param('string | description="a" description=""', {"description": ...}, id="empty description"),
        pytest.param("string | required=F", {}, id="not required"),
        pytest.param("string | optional required=true", None, id="stray word before a marker"),
        pytest.param("[]string | listType=atomic", {"x-kubernetes-list-type": "atomic"}, id="atomic list"),
        pytest.param("[]string | uniqueItems=true listType=set", {"x-kubernetes-list-type": "set"}, id="set twice"),
        pytest.param('string | enum="é,\u200b"', {"enum": ["é", "\u200b"]}, id="enum that Go quotes as JSON"),
    ],
)
def test_a_field_that_is_accepted(text: str, schema: dict[str, Any] | None) -> None:
    """The schema has these parts; `...` means that the key is absent; None that the text is refused."""
    if schema is None:
        assert problems({"x": text})
        return
    made = field(text)
    for key, value in schema.items():
        if isinstance(value, dict) and key in {"items", "additionalProperties"}:
            assert contains(made[key], value)
        else:
            assert made.get(key, ...) == value


def contains(whole: Any, part: Any) -> bool:
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(
            key in whole and contains(whole[key], value) for key, value in part.items()
        )
    return bool(whole == part)


def test_every_problem_is_reported_at_once() -> None:
    types = {"Bad": "string | requird=true", "Loop": {"l": "[]Loop"}, "Fine": {"n": "integer"}, "No": 3}
    spec = {
        "a": "strin",
        "b": "Bad",
        "c": "Loop",
        "d": ["string"],
        "e": 'string | minItems=x pattern="(" default=ok',
        "f": "Fine",
    }
    found = [(problem.code, ".".join(problem.path)) for problem in problems(spec, types)]
    assert sorted(found) == [
        ("marker-bad-value", "spec.e"),
        ("marker-unknown", "types.Bad"),
        ("marker-wrong-type", "spec.e"),
        ("type-cycle", "types.Loop"),
        ("type-not-text", "spec.d"),
        ("type-not-text", "types.No"),
        ("type-unknown", "spec.a"),
    ]


@pytest.mark.parametrize(
    ("types", "chains"),
    [
        pytest.param({"A": "A"}, ["A -> A"], id="alias of itself"),
        pytest.param({"A": {"x": {"y": "[]map[string]A"}}}, ["A -> A"], id="nested in itself"),
        pytest.param(
            {"A": "B", "B": {"c": "C"}, "C": "[]A", "User": "A"},
            ["A -> B -> C -> A"],
            id="three, and one that uses them",
        ),
        pytest.param({"A": "B", "B": "A", "C": "D", "D": "C"}, ["A -> B -> A", "C -> D -> C"], id="two cycles"),
        pytest.param({"A": {"b": "B", "a": "A"}, "B": {"a": "A"}}, ["A -> B -> A"], id="two cycles through one type"),
    ],
)
def test_cycles_are_named_in_full(types: dict[str, Any], chains: list[str]) -> None:
    found = problems({"x": "string"}, types)
    assert [problem.code for problem in found] == ["type-cycle"] * len(chains)
    assert [problem.message.partition(": ")[2] for problem in found] == chains


def test_types_may_be_declared_in_any_order() -> None:
    types = {"C": {"b": "B"}, "B": "[]A", "A": "integer | minimum=1"}
    assert field("C", types) == {
        "type": "object",
        "properties": {"b": {"type": "array", "items": {"type": "integer", "minimum": 1}}},
    }


def test_an_alias_carries_required_and_default() -> None:
    schema = to_openapi(
        {"p": "Port", "q": "Port2", "r": "[]Port"}, {"Port": "integer | required=true default=1", "Port2": "Port"}
    )
    assert schema["required"] == ["p", "q"]
    assert schema["properties"]["q"] == {"type": "integer", "default": 1}


def test_markers_on_a_custom_type_leave_the_type_alone() -> None:
    types = {"Name": "string | validation=\"self != ''\""}
    schema = to_openapi({"a": "Name | maxLength=3 validation=\"self != 'b'\"", "b": "Name"}, types)
    assert "maxLength" not in schema["properties"]["b"]
    assert [rule["rule"] for rule in schema["properties"]["b"]["x-kubernetes-validations"]] == ["self != ''"]
    assert [rule["rule"] for rule in schema["properties"]["a"]["x-kubernetes-validations"]] == [
        "self != ''",
        "self != 'b'",
    ]


def test_defaults_that_no_instance_can_get_are_not_judged() -> None:
    """The API server looks neither at types that nothing uses nor below additionalProperties."""
    types = {"Unused": "integer | minimum=5 default=1", "InMap": "integer | minimum=5 default=1"}
    assert to_openapi({"m": "map[string]InMap"}, types)["properties"]["m"]["additionalProperties"]["default"] == 1
    assert [problem.path for problem in problems({"m": "[]InMap"}, types)] == [("types", "InMap")]


def test_a_null_default_still_gives_the_parent_a_default() -> None:
    """kro sees a default and gives the parent `{}`; the API server then drops the null."""
    assert to_openapi({"p": {"o": "object | default=null"}}, None)["properties"]["p"] == {
        "type": "object",
        "default": {},
        "properties": {"o": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
    }


@pytest.mark.parametrize(
    ("spec", "types", "path"),
    [
        pytest.param([], None, ("spec",), id="spec is a list"),
        pytest.param("string", None, ("spec",), id="spec is a text"),
        pytest.param({}, ["A"], ("types",), id="types is a list"),
        pytest.param({"a": None}, None, ("spec", "a"), id="null field"),
        pytest.param({"a": True}, None, ("spec", "a"), id="boolean field"),
        pytest.param({"a": 1.5}, None, ("spec", "a"), id="number field"),
    ],
)
def test_what_is_no_schema_at_all(spec: Any, types: Any, path: tuple[str, ...]) -> None:
    assert [problem.path for problem in problems(spec, types)] == [path]


def test_no_spec_is_an_object_without_fields() -> None:
    assert to_openapi(None, None) == {"type": "object"}


def test_types_that_would_explode_are_refused() -> None:
    """40 types that each use the next one twice would be a schema of 2**40 nodes."""
    types: dict[str, Any] = {f"T{n}": {"a": f"T{n + 1}", "b": f"T{n + 1}"} for n in range(40)}
    types["T40"] = "string"
    assert {problem.code for problem in problems({"x": "T0"}, types)} == {"schema-too-large"}


def test_a_chain_of_types_is_bounded_in_depth() -> None:
    types: dict[str, Any] = {f"T{n}": {"a": f"T{n + 1}"} for n in range(5000)}
    types["T5000"] = "string"
    assert {problem.code for problem in problems({"x": "T0"}, types)} == {"schema-too-large"}


def test_nested_fields_are_bounded_in_depth() -> None:
    spec: dict[str, Any] = {"x": "string"}
    for _ in range(300):
        spec = {"x": spec}
    assert [problem.code for problem in problems(spec)] == ["schema-too-large"]


def test_limits_leave_room_for_real_schemas() -> None:
    assert MAX_NESTING == 16
    wide = {f"f{n}": "string" for n in range(MAX_NODES - 1)}
    assert len(to_openapi(wide, None)["properties"]) == MAX_NODES - 1


def test_ten_thousand_cycles_are_found_in_linear_time() -> None:
    types = {f"T{n}": f"T{n}" for n in range(10_000)}
    assert len(problems({}, types)) == 10_000


def test_an_old_value_cannot_be_found_in_a_list_without_keys() -> None:
    """Items of a list can be compared with what they were only where keys tell which is which."""
    types = {"Item": {"k": "string | required=true", "v": "string | immutable=true maxLength=5"}}
    (problem,) = problems({"l": "[]Item"}, types)
    assert (problem.code, problem.path) == ("marker-refused", ("types", "Item", "v"))
    assert to_openapi({"l": "[]Item | listType=map listMapKey=k", "m": "map[string]Item"}, types)


@given(
    st.lists(
        st.sampled_from(
            [*'|=[]{}\\"\n\t a1,.é\u2003\x07', "string", "[]", "map[string]", "default", "enum", "minimum", "required"]
        )
    ).map("".join)
)
@settings(deadline=None)
def test_any_text_is_a_schema_or_problems_that_can_be_shown(text: str) -> None:
    """Never another exception; each problem is one short line, and its place is inside the text."""
    try:
        to_openapi({text[:3] or "x": text}, {"T": text})
    except SchemaError as error:
        for problem in error.problems:
            assert problem.message.isprintable()
            assert len(problem.message) < 200
            assert 0 <= problem.offset <= problem.offset + problem.length <= len(text)
