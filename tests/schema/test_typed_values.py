"""Data under its OpenAPI schema: what expressions see, and what goes out again."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krm_fn.cel import EvaluationError, compile_, parse, to_json
from krm_fn.cel.values import OpenList, OpenMap, SettledMap, Unknown
from krm_fn.schema.typed_values import typed

TEXT = {"type": "string"}
WHOLE = {"type": "integer"}
BYTES = {"type": "string", "format": "byte"}
TIME = {"type": "string", "format": "date-time"}
SET = {"type": "array", "items": TEXT, "x-kubernetes-list-type": "set"}
PORT = {"type": "object", "properties": {"name": TEXT, "port": WHOLE}}
PORTS = {"type": "array", "items": PORT, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
ANY = {"x-kubernetes-preserve-unknown-fields": True}


def fields(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def values(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": of}


def run(text: str, **variables: Any) -> Any:
    return compile_(parse(text))(variables)


def kind_of_error(text: str, **variables: Any) -> str:
    with pytest.raises(EvaluationError) as caught:
        run(text, **variables)
    return caught.value.kind


@pytest.mark.parametrize(
    ("schema", "data", "text", "answer"),
    [
        pytest.param(BYTES, "YWJj", "string(x)", "abc", id="byte"),
        pytest.param(BYTES, "YW\nJj", "string(x)", "abc", id="byte over two lines"),
        pytest.param(BYTES, "_-8=", "x == b'\\xff\\xef'", True, id="byte in the alphabet of URLs"),
        pytest.param(TIME, "2024-01-02T03:04:05+02:00", "x.getHours()", 1, id="date-time"),
        pytest.param(TIME, "2024-01-02T03:04:05", "string(x)", "2024-01-02T03:04:05Z", id="date-time without zone"),
        pytest.param(TIME, "", "string(x)", "1970-01-01T00:00:00Z", id="date-time, empty"),
        pytest.param({**TEXT, "format": "date"}, "2024-01-02", "x.getDate()", 2, id="date"),
        pytest.param(
            {**TEXT, "format": "date"}, "0000-12-31", "string(x)", "0000-12-31T00:00:00Z", id="a date of year 0"
        ),
        pytest.param({**TEXT, "format": "duration"}, "1h30m", "x.getMinutes()", 90, id="duration"),
        pytest.param({**TEXT, "format": "duration"}, "2 days 1 hr", "x.getHours()", 49, id="duration in words"),
        pytest.param({**TEXT, "format": "uuid"}, "u", "x", "u", id="a format that means nothing"),
        pytest.param(WHOLE, 3.0, "x + 1", 4, id="a whole double is an integer"),
        pytest.param({"type": "number"}, 3, "x / 2.0", 1.5, id="a whole number is a double"),
        pytest.param({"x-kubernetes-int-or-string": True}, 80, "x", 80, id="int or string: int"),
        pytest.param({**TEXT, "x-kubernetes-int-or-string": True}, 80, "x", 80, id="int or string before its type"),
        pytest.param({"oneOf": [TEXT, {"type": "number"}]}, "500m", "x", "500m", id="quantity"),
        pytest.param({**TEXT, "nullable": True}, None, "x == null", True, id="nullable"),
        pytest.param(fields(a=WHOLE), {"a": 1.0}, "type(x.a) == type(1)", True, id="field"),
        pytest.param(fields(a=TEXT), {"b": {"c": 1}}, "x.b.c", 1, id="undeclared field"),
        pytest.param(fields(a=TEXT), {"a": None}, "has(x.a)", False, id="a null field is missing"),
        pytest.param(fields(a=TEXT), {"a": None, "b": 1}, "x.map(k, k)", ["a", "b"], id="a null field is walked"),
        pytest.param(fields(a=TEXT), {"a": None, "b": 1}, "x.size()", 2, id="and counted"),
        pytest.param(fields(a=TEXT), {"a": None}, "'a' in x", False, id="but it is not there"),
        pytest.param(fields(**{"a-b": TEXT}), {"a-b": "c"}, "x.a__dash__b", "c", id="escaped name"),
        pytest.param(fields(namespace=TEXT), {"namespace": "n"}, "x.__namespace__", "n", id="reserved name, escaped"),
        pytest.param(fields(namespace=TEXT), {"namespace": "n"}, "x.namespace", "n", id="reserved name"),
        pytest.param(fields(a__b=TEXT), {"a__b": "c"}, "x.a__underscores__b", "c", id="underscores"),
        pytest.param(fields(a__b__c=TEXT), {"a__b__c": "d"}, "has(x.a__b__c)", False, id="an escape that is none"),
        pytest.param(fields(___a=TEXT), {"___a": "c"}, "x.__underscores___a", "c", id="three underscores"),
        pytest.param(
            fields(**{"a-b": TEXT}), {"a-b": "c"}, "x.map(k, k)", ["a__dash__b"], id="walked by escaped names"
        ),
        pytest.param(values(TEXT), {"a-b": "c"}, "x['a-b']", "c", id="keys of maps are as they are"),
        pytest.param(values(BYTES), {"k": "YWJj"}, "x.transformList(k, v, string(v))", ["abc"], id="map of bytes"),
        pytest.param(values(PORT), {"k": {"port": 1.0}}, "x.k.port + 1", 2, id="map of objects"),
        pytest.param({"type": "array", "items": BYTES}, ["YWJj"], "string(x[0])", "abc", id="list of bytes"),
        pytest.param({"type": "array", "items": PORT}, [{"port": 1}], "x.map(p, p.port)", [1], id="list of objects"),
        pytest.param(SET, ["a", "b"], "x == ['b', 'a']", True, id="a set has no order"),
        pytest.param(SET, ["a", "b"], "['b', 'a'] == x", False, id="unless it stands on the right"),
        pytest.param(SET, ["a"], "x + ['a', 'b', 'b']", ["a", "b"], id="a set takes what it has not"),
        pytest.param(SET, ["a", "a"], "x + ['a']", ["a", "a"], id="a set leaves what it has"),
        pytest.param(PORTS, [{"name": "a"}], "x == [{'name': 'a'}]", False, id="a map of the author has no key"),
        pytest.param(PORTS, [{"name": "a"}], "x == [y]", True, id="one of the data has"),
        pytest.param({"type": "array", "items": TEXT}, ["a"], "x + ['b']", ["a", "b"], id="a list grows"),
        pytest.param(
            {"type": "array", "items": PORT},
            [{"port": 1.0}],
            "(x + [y]).map(p, p)",
            [{"port": 1.0}, {"name": "a"}],
            id="by data",
        ),
        pytest.param(values(TEXT), {"1": "a", "true": "b"}, "x[1] + x[true]", "ab", id="a key is made a text"),
        pytest.param(values(TEXT), {"1": "a"}, "1 in x && !(2u in x)", True, id="also for in"),
        pytest.param(SET, ["a"], "[[x], x].flatten(2)", ["a", "a"], id="a list in a list goes out as it is"),
        pytest.param(
            {"type": "array", "items": TIME, "x-kubernetes-list-type": "set"},
            ["2024-01-02T03:04:05+02:00"],
            "[x]",
            [["2024-01-02T01:04:05Z"]],
            id="also one whose items are read",
        ),
    ],
)
def test_read(schema: dict[str, Any], data: Any, text: str, answer: Any) -> None:
    assert to_json(run(text, x=typed(data, schema), y={"name": "a"})) == answer


def test_keyed_lists_compare_and_merge_by_key() -> None:
    one = typed([{"name": "a", "port": 1}, {"name": "b", "port": 2}], PORTS)
    turned = typed([{"name": "b", "port": 2}, {"name": "a", "port": 1.0}], PORTS)
    other = typed([{"name": "b", "port": 3}, {"name": "c", "port": 4}], PORTS)
    assert run("x == y", x=one, y=turned) is True
    assert run("x == y", x=one, y=other) is False
    assert to_json(run("x + y", x=one, y=other)) == [
        {"name": "a", "port": 1},
        {"name": "b", "port": 3},
        {"name": "c", "port": 4},
    ]


@pytest.mark.parametrize(
    ("schema", "data"),
    [
        pytest.param(TEXT, 1, id="integer for string"),
        pytest.param(TEXT, None, id="null"),
        pytest.param(WHOLE, 1.5, id="fraction for integer"),
        pytest.param(WHOLE, 1e30, id="double that no integer holds"),
        pytest.param(WHOLE, float("nan"), id="NaN for integer"),
        pytest.param(WHOLE, True, id="bool for integer"),
        pytest.param({"type": "number"}, "1", id="string for number"),
        pytest.param({"type": "boolean"}, 1, id="integer for boolean"),
        pytest.param(BYTES, "a+b=", id="base64 that kro does not read"),
        pytest.param(BYTES, "!", id="no base64"),
        pytest.param(BYTES, "YWI", id="base64 without its padding"),
        pytest.param(BYTES, "YWJj=", id="base64 with a padding that it needs not"),
        pytest.param(TIME, "yesterday", id="no time"),
        pytest.param({**TEXT, "format": "date"}, "2024-13-01", id="no date"),
        pytest.param({**TEXT, "format": "duration"}, "forever", id="no duration"),
        pytest.param({"x-kubernetes-int-or-string": True}, 1.5, id="neither int nor string"),
        pytest.param({"type": "object"}, "a", id="string for object"),
        pytest.param(values(TEXT), [], id="list for map"),
        pytest.param({"type": "array", "items": TEXT}, {}, id="map for list"),
        pytest.param({"type": "array"}, [], id="a list without items in its schema"),
        pytest.param({}, 1, id="a schema that says nothing"),
        pytest.param(ANY, None, id="null where anything else goes"),
    ],
)
def test_wrong_data_is_an_error_when_it_is_read(schema: dict[str, Any], data: Any) -> None:
    """Neither before, nor as data that is still to come."""
    if data is not None:
        assert kind_of_error("has(x.a)", x=typed({"a": data, "b": 1}, fields(a=schema))) == "bad-conversion"
        assert run("x.b", x=typed({"a": data, "b": 1}, fields(a=schema))) == 1
    assert kind_of_error("x.a", x=typed({"a": data}, values(schema))) == "bad-conversion"
    assert kind_of_error("x[0]", x=typed([data], {"type": "array", "items": schema})) == "bad-conversion"


def test_one_wrong_item_spoils_no_other() -> None:
    wrong = typed(["a", 1], {"type": "array", "items": TEXT})
    assert run("x[0] + string(x.size())", x=wrong) == "a2"
    assert run("x.exists(i, i == 'a')", x=typed(["a", 1], SET)) is True


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        pytest.param("x.all(i, true)", True, id="an item that is not asked for"),
        pytest.param("x.exists(i, i == 'b')", "bad-conversion", id="one that is"),
        pytest.param("x.exists(i, i == 'a')", True, id="another one decides"),
        pytest.param("x.map(i, 1)", [1, 1], id="map"),
        pytest.param("x.map(i, [0].map(j, i))", "bad-conversion", id="inside of another macro"),
        pytest.param("x.map(i, x.map(i, 2))", [[2, 2], [2, 2]], id="hidden by another macro"),
        pytest.param("x.filter(i, true)", "bad-conversion", id="filter keeps it"),
        pytest.param("x.transformList(i, v, i)", [0, 1], id="its index"),
        pytest.param("x.transformList(i, v, v)", "bad-conversion", id="two variables"),
        pytest.param("'a' in x", True, id="in finds"),
        pytest.param("'b' in x", "bad-conversion", id="or fails"),
        pytest.param("x.indexOf('b')", -1, id="indexOf passes by"),
        pytest.param("x == ['a', 'b']", "bad-conversion", id="equality"),
        pytest.param("['a', 'b'] == x", False, id="turned"),
        pytest.param("m.transformList(k, v, k)", ["k"], id="keys of a map"),
        pytest.param("json.marshal(m)", '{"k":1}', id="data is written as it is"),
        pytest.param("json.marshal(x)", "bad-conversion", id="a list is written item by item"),
        pytest.param("m.merge({'a': 'b'}).a", "b", id="a merged map"),
    ],
)
def test_wrong_data_counts_where_it_is_asked_for(text: str, answer: Any) -> None:
    names = {"x": typed(["a", 1], {"type": "array", "items": TEXT}), "m": typed({"k": 1}, values(TEXT))}
    if answer == "bad-conversion":
        assert kind_of_error(text, **names) == answer
    else:
        assert run(text, **names) == answer


def test_missing_data_is_still_to_come() -> None:
    view = typed({"a": None, "l": []}, fields(a=TEXT, l={"type": "array", "items": TEXT}))
    assert kind_of_error("x.a", x=view) == "no-such-key"
    assert kind_of_error("x.__odd__", x=view) == "no-such-key"
    assert kind_of_error("x.l[0]", x=view) == "index-out-of-bounds"
    assert run("x.?a.orValue('d')", x=view) == "d"


@pytest.mark.parametrize(
    ("schema", "data"),
    [
        pytest.param({"type": "object"}, {"a": [None]}, id="free object"),
        pytest.param(ANY, [1], id="free value"),
        pytest.param(TEXT, "a", id="text"),
    ],
)
def test_data_without_a_schema_is_as_it_is(schema: dict[str, Any], data: Any) -> None:
    assert typed(data, schema) is data


def test_an_object_goes_out_as_it_came_in() -> None:
    """Nulls, wrong data, offsets of times and names and all."""
    data = {"a-b": "2024-01-02T03:04:05+02:00", "n": None, "w": 1, "o": {"deep": "YWJj"}, "l": [{"t": "x"}]}
    part = fields(deep=BYTES)
    schema = fields(**{"a-b": TIME, "w": TEXT, "o": part, "l": {"type": "array", "items": fields(t=TIME)}})
    assert to_json(typed(data, schema)) is data
    assert to_json(run("x.o", x=typed(data, schema))) is data["o"]
    assert run("json.marshal(x.o)", x=typed(data, schema)) == '{"deep":"YWJj"}'


def test_a_list_goes_out_item_by_item() -> None:
    times = typed(["2024-01-02T03:04:05.5+02:00"], {"type": "array", "items": TIME})
    assert to_json(times) == ["2024-01-02T01:04:05Z"]
    assert type(to_json(typed(["a"], SET))) is list


def test_merged_maps_stay_typed() -> None:
    view = typed({"b": "YWJj", "w": 1}, fields(b=BYTES, w=TEXT))
    assert run("string(x.merge({'z': 1}).b)", x=view) == "abc"
    assert run("x.merge({'w': 'ok'}).w", x=view) == "ok"
    assert run("dyn({1: 'one'}).merge(x).b", x=typed({"b": "YWJj"}, fields(b=BYTES))) == b"abc"
    assert to_json(run("{'z': 1, 'b': 2}.merge(x)", x=typed({"b": "YWJj"}, fields(b=BYTES)))) == {"z": 1, "b": "YWJj"}


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        pytest.param("x == y", True, id="same type"),
        pytest.param("x == {'a': 1, 'b': 'c'}", True, id="with a map"),
        pytest.param("{'a': 1, 'b': 'c'} == x", True, id="map first"),
        pytest.param("x == {'a': 1}", False, id="fewer"),
        pytest.param("x == {'a': 1, 'z': 'c'}", False, id="others"),
        pytest.param("x == null", False, id="null"),
        pytest.param("x in [y]", True, id="in a list"),
    ],
)
def test_objects_are_equal_by_their_fields(text: str, answer: bool) -> None:
    schema = fields(a=WHOLE, b=TEXT)
    one, other = typed({"a": 1, "b": "c"}, schema), typed({"b": "c", "a": 1.0}, schema)
    assert run(text, x=one, y=other) is answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        pytest.param("google.protobuf.ListValue{values: l}", ["2024-01-02T03:04:05+02:00"], id="list"),
        pytest.param("google.protobuf.Struct{fields: m}", {"k": "a"}, id="map"),
        pytest.param("google.protobuf.ListValue{values: [l]}", "bad-conversion", id="list in a list"),
        pytest.param("google.protobuf.Struct{fields: {'a': m}}", "bad-conversion", id="map in a map"),
        pytest.param("google.protobuf.Value{struct_value: m}", "bad-conversion", id="map as a value"),
        pytest.param("google.protobuf.Value{struct_value: m.merge({'z': 'y'})}", {"k": "a", "z": "y"}, id="merged map"),
    ],
)
def test_data_in_a_message(text: str, answer: Any) -> None:
    names = {
        "l": typed(["2024-01-02T03:04:05+02:00"], {"type": "array", "items": TIME}),
        "m": typed({"k": "a"}, values(TEXT)),
    }
    if answer == "bad-conversion":
        assert kind_of_error(text, **names) == answer
    else:
        assert to_json(run(text, **names)) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        pytest.param("x.?times.optMap(t, t)", ["2024-01-02T03:04:05+02:00"], id="optMap"),
        pytest.param("x.?times.optMap(t, t[0])", "2024-01-02T01:04:05Z", id="inside of it they are times"),
        pytest.param("x.?times.orValue([])", ["2024-01-02T01:04:05Z"], id="orValue"),
        pytest.param("x.?times.value()[0].getHours()", 1, id="value"),
        pytest.param("true ? optional.of(x.times) : optional.none()", ["2024-01-02T03:04:05+02:00"], id="a branch"),
        pytest.param("true ? x.?times : optional.none()", ["2024-01-02T01:04:05Z"], id="a branch that selects"),
        pytest.param("cel.bind(o, x.?times, o)", ["2024-01-02T03:04:05+02:00"], id="a name"),
        pytest.param("optional.of(x)[?'times'].value()", ["2024-01-02T03:04:05+02:00"], id="a selection from a call"),
        pytest.param("x.?o.time", "2024-01-02T01:04:05Z", id="a selection from a selection"),
        pytest.param("has(x.?o.time)", True, id="has"),
    ],
)
def test_an_optional_that_is_read_again_holds_the_data_as_it_is(text: str, answer: Any) -> None:
    """sic: cel-go takes out what Go has, and no schema reads that."""
    data = {"times": ["2024-01-02T03:04:05+02:00"], "o": {"time": "2024-01-02T03:04:05+02:00"}}
    schema = fields(times={"type": "array", "items": TIME}, o=fields(time=TIME))
    assert to_json(run(text, x=typed(data, schema))) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        pytest.param("l == 1", "no-such-overload", id="a list and what is none"),
        pytest.param("m == 1", "no-such-overload", id="a map and what is none"),
        pytest.param("l == m", "no-such-overload", id="a list and a map"),
        pytest.param("1 == l", False, id="turned"),
        pytest.param("l == null || m == null", False, id="null"),
        pytest.param("l != 1", True, id="what cannot be compared is not equal"),
        pytest.param("[l] == [1]", True, id="and inside of another list it is"),
        pytest.param("{'a': m} == {'a': 1}", True, id="or of a map"),
        pytest.param("optional.of(l) == optional.of(1)", "no-such-overload", id="not of an optional"),
        pytest.param("optional.of(l) == optional.of(null)", "no-such-overload", id="which does not know null"),
        pytest.param("l in [1]", False, id="nor is it among others"),
        pytest.param("1 in objects", "no-such-overload", id="among objects"),
        pytest.param("objects[0] in objects", True, id="unless it is"),
        pytest.param("[m, 1].distinct().size()", 2, id="distinct"),
        pytest.param("[1, m].indexOf(m)", 1, id="indexOf"),
        pytest.param("[m] in m", "no-such-overload", id="a list as a key"),
        pytest.param("l[0u]", "no-such-overload", id="an index is an int"),
        pytest.param("l[1.0 - 1.0]", "no-such-overload", id="and no double"),
        pytest.param("l[9u]", "index-out-of-bounds", id="past the end it is not there"),
        pytest.param("(objects + [{'port': 1}])[1]", "bad-conversion", id="a map of the author is no item"),
        pytest.param("(objects + [1].map(i, {'port': i})).size()", 2, id="though it counts as one"),
        pytest.param("(ports + [{'name': 'a'}])[1]", "bad-conversion", id="nor of a list with keys"),
        pytest.param("(ports + [{'name': 'a'}])[0].name", "a", id="which keeps the others"),
        pytest.param("(ports + objects).size()", 1, id="an object replaces that of its key"),
        pytest.param("(times + times)[1]", "bad-conversion", id="a time is no item of times"),
        pytest.param("(times + [])[0] == times[0]", True, id="but for the first ones"),
        pytest.param("(free + [{'a': 1}])[1].a", 1, id="what says nothing reads anything"),
        pytest.param("set == [b'a'] || true", "breakdown", id="bytes in a set break the evaluation"),
        pytest.param("set == [[1]] ? 1 : 2", "breakdown", id="so do lists"),
    ],
)
def test_typed_data_beside_other_values(text: str, answer: Any) -> None:
    """What only `dyn(…)` lets happen, as kro's values have it."""
    names = {
        "l": typed(["a"], {"type": "array", "items": TEXT}),
        "m": typed({"k": "a"}, values(TEXT)),
        "objects": typed([{"name": "a"}], {"type": "array", "items": PORT}),
        "ports": typed([{"name": "a"}], PORTS),
        "times": typed(["2024-01-02T03:04:05Z"], {"type": "array", "items": TIME}),
        "free": typed([1], {"type": "array", "items": ANY}),
        "set": typed(["a"], SET),
    }
    if (type(answer) is str and "-" in answer) or answer == "breakdown":
        assert kind_of_error(text, **names) == answer
    else:
        assert to_json(run(text, **names)) == answer


def test_unknown_stays_unknown() -> None:
    open_map = OpenMap({"a": "YWJj", "w": 1, "l": OpenList(["YWJj"], "x.l")}, "x")
    items = {"type": "array", "items": BYTES}
    view = typed(open_map, fields(a=BYTES, w=TEXT, gone=TEXT, l=items))
    assert run("string(x.a) + string(x.l[0])", x=view) == "abcabc"
    for text, path in [("x.gone", "x.gone"), ("x.w", "x.w"), ("x.l[1]", "x.l[1]")]:
        assert run(text, x=view).paths == (path,), text
    closed = typed({"u": Unknown("x.u"), "a": "YWJj"}, fields(u=TEXT, a=BYTES))
    assert run("x.u", x=closed).paths == ("x.u",)
    assert to_json(closed).paths == ("x.u",)


def test_a_settled_map_is_read_one_by_one_and_goes_out_whole() -> None:
    view = typed(SettledMap({"a": "YWJj", "w": "!"}, "x"), values(BYTES))
    assert run("string(x.a)", x=view) == "abc"
    assert run("x.gone", x=view).paths == ("x.gone",)
    assert kind_of_error("x.w", x=view) == "bad-conversion"
    assert to_json(view) == {"a": "YWJj", "w": "!"}


def test_an_embedded_resource_has_what_every_resource_has() -> None:
    view = typed(
        {"kind": "Pod", "metadata": {"name": None}}, {"type": "object", "x-kubernetes-embedded-resource": True}
    )
    assert run("x.kind", x=view) == "Pod"
    assert run("has(x.metadata.name)", x=view) is False


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
SCHEMAS = st.recursive(
    st.sampled_from([TEXT, WHOLE, BYTES, TIME, {"type": "number"}, {"type": "boolean"}, ANY, {}, {"type": "object"}]),
    lambda inner: (
        inner.map(values)
        | inner.map(lambda items: {"type": "array", "items": items})
        | st.dictionaries(st.text(max_size=3), inner, max_size=3).map(lambda named: fields(**named))
    ),
    max_leaves=5,
)


@given(JSON, SCHEMAS)
def test_any_object_under_any_schema_goes_out_unchanged(data: Any, schema: dict[str, Any]) -> None:
    """Whatever else happens when all of it is read is an error of the evaluation."""
    with suppress(EvaluationError):
        view = typed(data, schema)
        if isinstance(view, dict):
            assert to_json(view) == data
        run("x == x && x.map(k, x[k]) != [x]", x=view)
