"""Messages that an expression writes out: `google.protobuf.Timestamp{seconds: 1}`, as cel-go v0.27.0 has them in kro v0.9.3."""

from __future__ import annotations

from typing import Any

import pytest

from krm_fn.cel import compile_, parse, references, to_json
from krm_fn.cel.check import CheckError, check
from krm_fn.cel.errors import BAD_CONVERSION, NO_SUCH_OVERLOAD, OVERFLOW, UNDECLARED
from krm_fn.cel.types import DYNAMIC, INT, STRING, UNKNOWN, ObjectType, Type, list_of, map_of
from krm_fn.cel.values import OpenMap, Unknown
from tests.cel.running import error_of, problems_of, rows, run

PB = "google.protobuf."
SPEC = ObjectType(
    "__type_schema.spec",
    {"name": STRING, "labels": map_of(STRING, STRING), "any": map_of(STRING, DYNAMIC), "items": list_of(DYNAMIC)},
    open_ended=False,
)
VARIABLES: dict[str, Type] = {
    "schema": ObjectType("__type_schema", {"spec": SPEC}),
    "node": UNKNOWN,
    "pods": list_of(ObjectType("__type_pods.@idx", {"name": STRING})),
    "i": INT,
    "x": DYNAMIC,
}


def of(text: str) -> str:
    """`@Timestamp{}` is short for `google.protobuf.Timestamp{}`."""
    return text.replace("@", PB)


TRUE = {
    "times": [
        '@Timestamp{} == timestamp("1970-01-01T00:00:00Z")', '@Timestamp{seconds: 1, nanos: 5} == timestamp("1970-01-01T00:00:01.000000005Z")',
        '@Timestamp{nanos: -1} == timestamp("1969-12-31T23:59:59.999999999Z")', "@Timestamp{nanos: 2147483647}.getSeconds() == 2",
        'string(@Timestamp{seconds: 253402300800}) == "10000-01-01T00:00:00Z"', 'string(@Timestamp{seconds: -99999999999}) == "-1199-02-15T14:13:21Z"',
        '@Duration{seconds: 90} == duration("1m30s")', '@Duration{seconds: 1, nanos: -1} == duration("999999999ns")',
        'string(@Duration{seconds: 99999999999999}) == "9223372036.854776s"', "@Duration{seconds: -99999999999999} < duration(\"-2562047h47m16s\")",
    ],
    "wrappers are what they hold": [
        "@Int64Value{value: 1} + 1 == 2", "@Int64Value{} == 0", "@Int32Value{value: -7} == -7", "@UInt64Value{value: 1u} == 1u", "@UInt32Value{} == 0u",
        "@DoubleValue{value: 1.5} == 1.5", "@FloatValue{value: 0.1} == 0.10000000149011612", "@FloatValue{value: 1e300} == 1.0 / 0.0",
        "@FloatValue{value: -1e300} == -1.0 / 0.0", "@BoolValue{value: true}", "!@BoolValue{}", '@StringValue{value: "a"} == "a"', '@BytesValue{value: b"a"} == b"a"',
        "@BytesValue{value: dyn([97u])} == b\"a\"", "@Int64Value{value: 1} != null", "@Int64Value{value: dyn(optional.of(3))} == 3", "-@Int64Value{value: 1} == -1",
        "[1, 2][@Int64Value{value: 1}] == 2",
    ],
    "numbers of JSON are doubles": [
        '@Struct{fields: {"a": 1, "b": 2u}} == {"a": 1.0, "b": 2.0}', "type(@ListValue{values: [1]}[0]) == type(1.0)",
        '@Struct{fields: {"a": 9007199254740991}}.a == 9007199254740991.0', '@Struct{fields: {"a": 9007199254740992}}.a == "9007199254740992"',
        '@ListValue{values: [18446744073709551615u]}[0] == "18446744073709551615"', "@ListValue{values: [[1], {\"a\": [2]}]} == [[1.0], {\"a\": [2.0]}]",
    ],
    "other values of JSON": [
        '@ListValue{values: [null, true, "a", 1.5]} == [null, true, "a", 1.5]', '@ListValue{values: [b"a"]} == ["YQ=="]',
        '@ListValue{values: [duration("90s"), timestamp("2024-01-02T03:04:05+02:00")]} == ["90s", "2024-01-02T03:04:05+02:00"]',
        "@ListValue{values: [optional.of(1)]} == [1.0]", "@ListValue{values: [@Value{}, @Int64Value{value: 2}]} == [null, 2.0]", "@ListValue{} == []", "@Struct{} == {}",
    ],
    "a value": [
        "@Value{} == null", "@Value{null_value: 0} == null", "@Value{number_value: 1.5} == 1.5", '@Value{string_value: "a"} == "a"', "@Value{bool_value: true}",
        '@Value{struct_value: {"a": 1}}.a == 1.0', "@Value{list_value: [1]}[0] == 1.0", 'has(@Value{struct_value: {"a": 1}}.a)',
    ],
    "syntax": [
        ".google.protobuf.Int64Value{value: 1} == 1", "@Int64Value{,} == 0", "@Int64Value{value: 1,} == 1", "google . protobuf . Int64Value { value : 1 } == 1",
        "@Int64Value{value: 1, value: 2} == 2", "[@Int64Value{value: 1}, 2].map(v, v + 1) == [2, 3]", "cel.bind(v, @Int64Value{value: 2}, v * v) == 4",
    ],
    "optional fields": [
        "@Int64Value{?value: optional.of(3)} == 3", "@Int64Value{?value: optional.none()} == 0", "@Int64Value{value: 1, ?value: optional.none()} == 0",
        '@Int64Value{?value: {"a": 5}.?a} == 5',
    ],
}  # fmt: skip


@pytest.mark.parametrize("expression", rows(TRUE))
def test_is_true(expression: str) -> None:
    assert run(of(expression)) is True


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        pytest.param('@Int64Value{value: dyn("a")}', BAD_CONVERSION, id="another type through dyn"),
        pytest.param("@Int64Value{value: dyn(1u)}", BAD_CONVERSION, id="uint is no int"),
        pytest.param("@DoubleValue{value: dyn(1)}", BAD_CONVERSION, id="int is no double"),
        pytest.param("@StringValue{value: dyn(null)}", BAD_CONVERSION, id="null is no string"),
        pytest.param("@BoolValue{value: dyn(1)}", BAD_CONVERSION, id="int is no bool"),
        pytest.param('@BytesValue{value: dyn("a")}', BAD_CONVERSION, id="string is no bytes"),
        pytest.param("@UInt64Value{value: dyn(1)}", BAD_CONVERSION, id="int is no uint"),
        pytest.param("@Int64Value{value: dyn(optional.none())}", BAD_CONVERSION, id="none"),
        pytest.param("@Struct{fields: dyn([])}", BAD_CONVERSION, id="list is no struct"),
        pytest.param('@ListValue{values: dyn({"a": 1})}', BAD_CONVERSION, id="map is no list"),
        pytest.param("@ListValue{values: [{1: 2}]}", BAD_CONVERSION, id="keys that are no strings"),
        pytest.param("@ListValue{values: [type(1)]}", BAD_CONVERSION, id="a type is no JSON"),
        pytest.param('@ListValue{values: [quantity("1")]}', BAD_CONVERSION, id="a quantity is no JSON"),
        pytest.param("@ListValue{values: [omit()]}", BAD_CONVERSION, id="omit() is no JSON"),
        pytest.param("@Int32Value{value: 2147483648}", OVERFLOW, id="int of 32 bits"),
        pytest.param("@UInt32Value{value: 4294967296u}", OVERFLOW, id="uint of 32 bits"),
        pytest.param("@Duration{nanos: 2147483648}", OVERFLOW, id="nanos have 32 bits"),
        pytest.param("@Value{null_value: 2147483648}", OVERFLOW, id="an enum has 32 bits"),
        pytest.param("@Timestamp{seconds: 9223372036854775807}", OVERFLOW, id="seconds that no clock holds"),
        pytest.param("@Int64Value{?value: dyn(1)}", NO_SUCH_OVERLOAD, id="optional field without an optional"),
        pytest.param("@Empty{}", UNDECLARED, id="nothing"),
        pytest.param("@Any{}", BAD_CONVERSION, id="nothing packed"),
        pytest.param(
            'kro.run.Condition{type: "A", status: "True"}', UNDECLARED, id="a condition is made by a function"
        ),
        pytest.param("__type_schema.spec{}", UNDECLARED, id="an object of a schema"),
        pytest.param("duration{}", UNDECLARED, id="sic: an alias makes nothing"),
    ],
)
def test_fails_when_it_runs(expression: str, kind: str) -> None:
    assert error_of(of(expression)).kind == kind


def type_of(text: str) -> str:
    return str(check(parse(of(text)), VARIABLES))


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        pytest.param("@Timestamp{}", "google.protobuf.Timestamp", id="timestamp"),
        pytest.param("@Duration{}", "google.protobuf.Duration", id="duration"),
        pytest.param("@Value{}", "dyn", id="value"),
        pytest.param("@Struct{}", "map(string, dyn)", id="struct"),
        pytest.param("@ListValue{}", "list(dyn)", id="list"),
        pytest.param("@Int32Value{}", "wrapper(int)", id="wrapper"),
        pytest.param("[@Int64Value{}, 1]", "list(wrapper(int))", id="a wrapper and what it wraps are one"),
        pytest.param("[1, @Int64Value{}]", "list(int)", id="the first of them counts"),
        pytest.param("[null, @Int64Value{}]", "list(wrapper(int))", id="null suits a wrapper"),
        pytest.param("true ? @Int64Value{} : null", "wrapper(int)", id="also in a branch"),
        pytest.param("true ? 1 : @Int64Value{}", "int", id="branches"),
        pytest.param("@Int64Value{} + 1", "int", id="operators give no wrapper"),
        pytest.param("@Any{}", "google.protobuf.Any", id="any"),
        pytest.param("@Any{}.a", "dyn", id="a field of any"),
        pytest.param("[1, @Any{}]", "list(google.protobuf.Any)", id="any is more general"),
        pytest.param("@Empty{}", "google.protobuf.Empty", id="no fields"),
        pytest.param('@Struct.FieldsEntry{key: "a", value: 1}', "google.protobuf.Struct.FieldsEntry", id="entry"),
        pytest.param('kro.run.Condition{type: "A"}.type', "string", id="condition"),
        pytest.param('__type_schema.spec{name: "a"}', "__type_schema.spec", id="an object of a schema"),
        pytest.param("__type_schema.spec.any{fields: {}}", "map(string, dyn)", id="a map of anything"),
        pytest.param("__type_schema.spec.items{}", "list(dyn)", id="a list of anything"),
        pytest.param("__type_node.spec{a: 1}", "dyn", id="a schema that is not at hand"),
        pytest.param("null_type{}", "null_type", id="sic: null"),
    ],
)
def test_type(expression: str, wanted: str) -> None:
    assert type_of(expression) == wanted


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        pytest.param("foo.Bar{a: 1}", [("'foo.Bar' is not a type", "foo.Bar")], id="unknown type"),
        pytest.param("@Int{}", [("'google.protobuf.Int' is not a type", "@Int")], id="unknown type of protobuf"),
        pytest.param("int{}", [("'int' is a type, but none that is made of fields", "int")], id="scalar"),
        pytest.param("kubernetes.Quantity{}", [("'kubernetes.Quantity' is not a type", "kubernetes.Quantity")], id="opaque"),
        pytest.param("__type_schema.spec.name{}", [("'__type_schema.spec.name' is not a type", "__type_schema.spec.name")], id="field that is no object"),
        pytest.param("__type_schema.spec.labels{}", [("'__type_schema.spec.labels' is not a type", "__type_schema.spec.labels")], id="map of strings"),
        pytest.param("__type_pods{}", [("'__type_pods' is not a type", "__type_pods")], id="a collection"),
        pytest.param("__type_i{}", [("'__type_i' is not a type", "__type_i")], id="a variable without fields"),
        pytest.param("@Timestamp{sec: 1}", [("'sec' is not a field of google.protobuf.Timestamp", "sec")], id="undefined field"),
        pytest.param("__type_schema.spec{nam: 1}", [("'nam' is not a field of __type_schema.spec", "nam")], id="undefined field of an object"),
        pytest.param('@Timestamp{seconds: "a"}', [("field 'seconds' is int, not string", '"a"')], id="type of a field"),
        pytest.param("@Int64Value{value: null}", [("field 'value' is int, not null", "null")], id="null"),
        pytest.param("@Struct{fields: {1: 1}}", [("field 'fields' is map, not map(int, int)", "{1: 1}")], id="keys"),
        pytest.param("@Int64Value{?value: 1}", [("? needs an optional behind it, not int", "1")], id="optional"),
        pytest.param('@Int64Value{?value: optional.of("a")}', [("field 'value' is int, not string", 'optional.of("a")')], id="type inside of an optional"),
        pytest.param("Foo{a: nope, b: size(1)}", [("'Foo' is not a type", "Foo"), ("'nope' is not declared", "nope"), ("size() does not take (int)", "size")], id="all at once"),
        pytest.param("@Any{}.map(v, v)", [("map(): needs a list or map, not a value of unknown type", "@Any{}")], id="any is no range"),
        pytest.param('"%s".format([@Any{}])', [("format: %s does not take a value of unknown type", "@Any{}")], id="any has no format"),
        pytest.param("@Timestamp{}.seconds", [("'seconds': timestamp has no fields", "seconds")], id="a timestamp has no fields"),
    ],
)  # fmt: skip
def test_refused(expression: str, wanted: list[tuple[str, str]]) -> None:
    with pytest.raises(CheckError) as caught:
        type_of(expression)
    text = of(expression)
    found = [(p.message, text[p.offset : p.offset + p.length].replace(PB, "@")) for p in caught.value.problems]
    assert found == wanted


def test_a_name_that_is_nearly_right_is_hinted_at() -> None:
    with pytest.raises(CheckError) as caught:
        type_of("google.protobuf.TimeStamp{}")
    assert caught.value.problems[0].help == "did you mean 'google.protobuf.Timestamp'?"


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        pytest.param("(a){b: 1}", "{", id="a name in parentheses"),
        pytest.param("(a).b{c: 1}", "{", id="a field of parentheses"),
        pytest.param("a.?b{c: 1}", "{", id="optional selection"),
        pytest.param("a[0]{b: 1}", "{", id="index"),
        pytest.param("f(){b: 1}", "{", id="call"),
        pytest.param('"a"{b: 1}', "{", id="text"),
        pytest.param("A{}{}", "{", id="twice"),
        pytest.param("A{1: 1}", "1", id="a field has a name"),
        pytest.param('A{"b": 1}', '"b"', id="a bare one"),
        pytest.param("A{in: 1}", "in", id="in is no field"),
        pytest.param("A{b}", "}", id="no value"),
        pytest.param("A{b: 1", "", id="no end"),
        pytest.param("A{b: for}", "for", id="reserved word inside"),
        pytest.param("a.in{}", "in", id="in is no name"),
        pytest.param("A{}.sortBy(v, v)", "A{}", id="no list to sort"),
    ],
)
def test_no_expression(text: str, marked: str) -> None:
    assert [part for _, part in problems_of(text)] == [marked]


def test_a_type_may_be_called_by_a_reserved_word() -> None:
    """What else is wrong with the text is still said."""
    assert parse("for.while{else: 1}").name == "for.while"  # type: ignore[union-attr]
    assert problems_of("var + for.while{}") == [("'var' is a reserved word", "var")]


def test_references_are_those_of_the_fields() -> None:
    """The name of a type is no name of a node."""
    found = references(parse("Config{replicas: deployment.spec.replicas, ?name: {'a': vpc.?name}.?a}.x.y"))
    assert found.roots == {"deployment": ("deployment.spec.replicas",), "vpc": ("vpc",)}


@pytest.mark.parametrize(
    ("expression", "paths"),
    [
        pytest.param("@Int64Value{value: x.u}", "x.u", id="a field"),
        pytest.param("@Timestamp{seconds: x.u, nanos: x.gone}", "x.gone x.u", id="two fields"),
        pytest.param("@ListValue{values: [x.n, {'a': x.u}]}", "x.u", id="in a list"),
        pytest.param("@Struct{fields: x.part}", "x.part.hole", id="in data"),
        pytest.param("@Value{struct_value: x.part}", "x.part.hole", id="in data of a value"),
        pytest.param("@Struct{fields: x}", "x x.part.hole x.u", id="open data"),
        pytest.param("@Int64Value{?value: x.?u}", "x.u", id="an optional field"),
        pytest.param("nope.Nope{a: x.u}", "x.u", id="of a type that is none"),
    ],
)
def test_unknown(expression: str, paths: str) -> None:
    data = OpenMap({"n": 1, "u": Unknown("x.u"), "part": {"hole": Unknown("x.part.hole"), "a": 1}}, "x")
    value = run(of(expression), x=data)
    assert type(value) is Unknown
    assert " ".join(value.paths) == paths


def test_what_a_template_gets() -> None:
    text = of('{"t": @Timestamp{seconds: 1}, "d": @Duration{seconds: 90}, "s": @Struct{fields: {"a": [1]}}}')
    assert to_json(run(text)) == {"t": "1970-01-01T00:00:01Z", "d": "1m30s", "s": {"a": [1.0]}}


def test_deep_and_wide_messages_are_bounded() -> None:
    nested: Any = [1]
    for _ in range(300):
        nested = [nested]
    assert error_of("google.protobuf.ListValue{values: x}", x=nested).kind == "budget-exceeded"
    twice: Any = [1]
    for _ in range(60):
        twice = [twice, twice]
    assert error_of("google.protobuf.ListValue{values: x}", x=twice).kind == "budget-exceeded"
    assert compile_(parse("google.protobuf.Value{list_value: [" * 100 + "]}" * 100))({})
