"""Templates against the schemas of their kinds: what kro refuses, where the caret stands, and what it takes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krm_fn.program.build import build_program
from krm_fn.program.template_check import check_literals, types_of_alternatives
from krm_fn.schema.cel_types import NOT_AT_HAND
from krm_fn.schema.kinds import Kinds
from tests.program.test_build import rgd

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
TEXTS: Schema = {"type": "array", "items": TEXT}
PAIR: Schema = {"type": "object", "properties": {"a": WHOLE, "b": TEXT}}
OPEN: Schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
META: Schema = {
    "type": "object",
    "properties": {"name": TEXT, "namespace": TEXT, "labels": {"type": "object", "additionalProperties": TEXT}},
}


def refusals(value: Any, schema: Schema) -> list[tuple[str, str]]:
    """(path, message) of what a literal value is refused for."""
    found: list[tuple[str, str]] = []

    def report(_code: str, message: str, path: tuple[str | int, ...], **_more: Any) -> None:
        found.append((".".join(map(str, path)), message))

    check_literals(value, schema, "Kind", (), report)
    return found


@pytest.mark.parametrize(
    ("schema", "taken", "refused"),
    [
        pytest.param(TEXT, ["a", "", None, "${x}", "a-${x}"], [1, True, 1.5, [], {}], id="string"),
        pytest.param(WHOLE, [1, None, "${x}"], ["1", 1.5, True, "a-${x}", "${x}-a", []], id="integer"),
        pytest.param({"type": "number"}, [1, 1.5], ["1", True], id="number"),
        pytest.param({"type": "boolean"}, [True], ["true", 1], id="boolean"),
        pytest.param(TEXTS, [[], ["a", "${x}", None], "${x}"], [["a", 1], {}, "a"], id="array"),
        pytest.param({"type": "array"}, [None, "${x}"], [[], ["a"]], id="array-of-nothing-known"),
        pytest.param(PAIR, [{}, {"a": 1, "b": "x"}, {"a": None}, "${x}"], [{"c": 1}, {"c": None}, {"a": "x"}, [], "x"], id="object"),
        pytest.param({"type": "object"}, [{}, "${x}"], [{"a": 1}], id="a-bare-object-is-closed"),
        pytest.param({"type": "object", "additionalProperties": WHOLE}, [{"x": 1}], [{"x": "y"}], id="map"),
        pytest.param({"type": "object", "additionalProperties": True}, [{}], [{"x": 1}], id="map-of-anything-takes-nothing"),
        pytest.param({"type": "object", "additionalProperties": False}, [{}], [{"x": 1}], id="no-map"),
        pytest.param({**PAIR, "additionalProperties": TEXT}, [{"a": 1, "x": "y"}], [{"a": "y"}], id="fields-beside-a-map"),
        pytest.param({"additionalProperties": TEXT}, [{"x": "y"}, "a", 1], [[], {"x": 1}], id="map-without-a-type"),
        pytest.param(OPEN, [{"x": [{"y": 1}]}, [], 1, "a"], [], id="preserve-unknown-fields"),
        pytest.param({"properties": {"o": OPEN, **PAIR["properties"]}, "type": "object"}, [{"o": {"x": 1}}], [{"x": 1}], id="open-below"),
        pytest.param({"x-kubernetes-int-or-string": True, "anyOf": [WHOLE, TEXT]}, [1, "a"], [True, 1.5], id="int-or-string"),
        pytest.param({"oneOf": [TEXT, WHOLE]}, [1, "a"], [True, []], id="oneOf"),
        pytest.param({"anyOf": [TEXT, {"type": "boolean"}]}, [True, "a"], [1], id="anyOf"),
        pytest.param({"oneOf": [{"required": ["a"]}, {"not": {"required": ["a"]}}], "properties": PAIR["properties"]}, [{"a": 1}], [{"c": 1}, "x"], id="oneOf-of-fields"),
        pytest.param({"type": ["string", "null"]}, ["a", None], [1], id="several-types"),
        pytest.param({"type": "string", "nullable": True, "enum": ["a"], "maxLength": 1}, ["zz", None], [], id="more-is-not-asked"),
        pytest.param({}, [], ["a", 1, None, [], {}, "${x}"], id="no-type-takes-nothing"),
        pytest.param({"oneOf": [{"minLength": 1}]}, [], ["a"], id="alternatives-without-types"),
    ],
)  # fmt: skip
def test_a_literal_is_taken_or_refused(schema: Schema, taken: list[Any], refused: list[Any]) -> None:
    assert [value for value in taken if refusals(value, schema)] == []
    assert [value for value in refused if not refusals(value, schema)] == []


def test_everything_is_found_on_one_walk() -> None:
    schema = {"type": "object", "properties": {"p": PAIR, "l": {"type": "array", "items": PAIR}, "t": TEXT}}
    value = {"p": {"a": "x", "q": 1}, "l": [{"a": 1}, {"a": "y"}, 3], "t": ["x"], "z": 1}
    assert refusals(value, schema) == [
        ("p.a", "p.a of Kind is a string, expected an integer"),
        ("p.q", "'q' is not a field of p of Kind"),
        ("l.1.a", "l[1].a of Kind is a string, expected an integer"),
        ("l.2", "l[2] of Kind is an integer, expected a mapping"),
        ("t", "t of Kind is a list, expected a string"),
        ("z", "'z' is not a field of Kind"),
    ]


def test_a_schema_that_is_shared_and_deep_is_walked_only_where_the_template_goes() -> None:
    schema: Schema = PAIR
    for _ in range(60):
        schema = {"type": "object", "properties": dict.fromkeys("abcd", schema)}
    assert refusals({"a": {"b": {"c": {"x": 1}}}}, schema) == [("a.b.c.x", "'x' is not a field of a.b.c of Kind")]


def test_what_has_a_schema_that_is_not_at_hand_takes_anything() -> None:
    schema = {"type": "object", "properties": {"status": {NOT_AT_HAND: True}}}
    assert [refusals({"status": value}, schema) for value in ({"a": [1]}, 1, "${x}", "a-${x}")] == [[]] * 4


def test_alternatives_name_their_types_once() -> None:
    alternatives = [{"type": "string"}, {"type": ["string", "integer"]}, {"required": ["a"]}, {"not": {}}]
    assert types_of_alternatives(alternatives) == ("string", "integer", "object")


def pairs_of(inner: st.SearchStrategy[tuple[Schema, Any]]) -> st.SearchStrategy[tuple[Schema, Any]]:
    """A schema and a value of it, made of others."""

    def an_object(fields: dict[str, tuple[Schema, Any]]) -> tuple[Schema, Any]:
        properties = {name: schema for name, (schema, _) in fields.items()}
        return {"type": "object", "properties": properties}, {name: value for name, (_, value) in fields.items()}

    return st.one_of(
        st.dictionaries(st.sampled_from("abcd"), inner, max_size=3).map(an_object),
        inner.map(lambda pair: ({"type": "array", "items": pair[0]}, [pair[1], None, "${x}"])),
        inner.map(lambda pair: ({"type": "object", "additionalProperties": pair[0]}, {"k": pair[1]})),
    )


LEAVES = st.sampled_from(
    [(TEXT, "a"), (WHOLE, 1), ({"type": "number"}, 0.5), ({"type": "boolean"}, True), (OPEN, {"x": 1})]
)


@given(st.recursive(LEAVES, pairs_of, max_leaves=12))
def test_a_value_of_its_schema_is_taken_and_another_type_is_refused_where_it_stands(pair: tuple[Schema, Any]) -> None:
    schema, value = pair
    wrapped = {"type": "object", "properties": {"f": schema, "g": schema}}
    assert refusals({"f": value, "g": None}, wrapped) == []
    if schema is not OPEN:
        wrong = 1 if schema["type"] == "string" else "a"
        assert [path for path, _ in refusals({"f": value, "g": wrong}, wrapped)] == ["g"]


# -- whole RGDs -------------------------------------------------------------------------------------------------------

FIELDS: dict[str, Schema] = {
    "text": TEXT,
    "whole": WHOLE,
    "real": {"type": "number"},
    "flag": {"type": "boolean"},
    "bytes": {"type": "string", "format": "byte"},
    "time": {"type": "string", "format": "date-time"},
    "texts": TEXTS,
    "labels": {"type": "object", "additionalProperties": TEXT},
    "pair": PAIR,
    "pairs": {"type": "array", "items": PAIR},
    "byName": {"type": "object", "additionalProperties": PAIR},
    "port": {"x-kubernetes-int-or-string": True, "anyOf": [WHOLE, TEXT]},
    "amount": {"oneOf": [TEXT, {"type": "number"}]},
    "open": OPEN,
    "with-dash": PAIR,
    "namespace": TEXT,
}
THING: Schema = {
    "type": "object",
    "properties": {
        "apiVersion": TEXT,
        "kind": TEXT,
        "metadata": META,
        "spec": {"type": "object", "properties": FIELDS},
        "status": {"type": "object", "properties": FIELDS},
    },
}
SPEC = {
    "t": "string", "n": "integer", "on": "boolean", "f": "float", "ts": "[]string", "m": "map[string]string",
    "pair": "Pair", "pairs": "[]Pair", "wide": "Wide", "o": "object",
}  # fmt: skip
TYPES = {"Pair": {"a": "integer", "b": "string"}, "Wide": {"a": "integer", "c": "string"}}


def kinds() -> Kinds:
    known = Kinds()
    known.add("test.io/v1", "Thing", namespaced=True, schema=THING)
    return known


def thing(id: str, spec: Any = None, *, name: str = "", **more: Any) -> dict[str, Any]:  # noqa: A002
    metadata = {"name": name or id}
    template = {"apiVersion": "test.io/v1", "kind": "Thing", "metadata": metadata, "spec": {} if spec is None else spec}
    return {"id": id, "template": template, **more}


def found(*resources: dict[str, Any], **schema: Any) -> list[tuple[str, str, str]]:
    """(code, message, what the caret marks) of each problem."""
    document = rgd(*resources, spec=SPEC, types=TYPES, **schema)
    result = []
    for problem in build_program(document, kinds())[1]:
        place: Any = document
        for step in problem.path[:-1] if problem.at_key else problem.path:
            place = place[step]
        text = str(problem.path[-1] if problem.at_key else place)
        result.append((problem.code, problem.message, text[problem.offset : problem.offset + problem.length]))
    return result


OTHER = thing("other")
MANY = thing("many", name="${x}", forEach=[{"x": "${schema.spec.ts}"}])
KIND = {"apiVersion": "test.io/v1", "kind": "Thing"}
REFERENCE = {"id": "ref", "externalRef": {**KIND, "metadata": {"name": "a"}}}
SELECTED = {"id": "all", "externalRef": {**KIND, "metadata": {"selector": {"matchLabels": {"a": "b"}}}}}


@pytest.mark.parametrize(
    ("field", "expressions"),
    [
        ("text", ["schema.spec.t", "string(schema.spec.n)", "schema.?spec.?t", "dyn(1)", "omit()", "schema.spec.on ? 'a' : omit()", "other.spec.port"]),
        ("whole", ["schema.spec.n", "1", "other.status.whole"]),
        ("real", ["1.5", "double(schema.spec.n)", "schema.spec.f"]),
        ("flag", ["schema.spec.on", "schema.spec.n > 1"]),
        ("bytes", ["b'a'", "bytes(schema.spec.t)", "other.spec.bytes"]),
        ("time", ["timestamp(schema.spec.t)", "other.spec.time"]),
        ("texts", ["schema.spec.ts", "[]", "['a', schema.spec.t]", "schema.spec.pairs.map(p, p.b)", "[dyn(1)]"]),
        ("labels", ["schema.spec.m", "{}", "{'a': 'b'}", "other.metadata.labels"]),
        ("pair", ["schema.spec.pair", "other.spec.pair", "other.spec.byName.x", "many[0].spec.pair", "{'a': dyn(1)}", "[1]", "1"]),
        ("pairs", ["schema.spec.pairs", "[schema.spec.pair]", "many.map(m, m.spec.pair)", "all.map(m, m.spec.pair)", "schema.spec.m"]),
        ("byName", ["{'x': schema.spec.pair}", "other.spec.byName"]),
        ("port", ["1", "'a'", "true", "schema.spec.pair"]),
        ("amount", ["1", "'a'", "true", "[]"]),
        ("open", ["1", "schema.spec.wide", "{'a': dyn(1)}"]),
        ("with-dash", ["schema.spec.wide", "other.spec.with__dash__dash"]),
    ],
)  # fmt: skip
def test_what_a_field_takes(field: str, expressions: list[str]) -> None:
    """Oddities of kro are among them: whatever is no map suits an object, and no object is compared that it cannot find by name."""
    for expression in expressions:
        problems = found(thing("own", {field: f"${{{expression}}}"}), OTHER, MANY, SELECTED)
        assert problems == [], expression


@pytest.mark.parametrize(
    ("field", "expression", "message"),
    [
        ("text", "schema.spec.n", "spec.text of Thing takes string, not int"),
        ("text", "null", "spec.text of Thing takes string, not null"),
        ("text", "other.spec.time", "spec.text of Thing takes string, not timestamp"),
        ("text", "schema.spec.?n", "spec.text of Thing takes string, not optional int: int is not string"),
        ("whole", "schema.spec.f", "spec.whole of Thing takes int, not double"),
        ("real", "1", "spec.real of Thing takes double, not int"),
        ("bytes", "schema.spec.t", "spec.bytes of Thing takes bytes, not string"),
        ("time", "schema.spec.t", "spec.time of Thing takes timestamp, not string"),
        ("texts", "schema.spec.t", "spec.texts of Thing takes list of string, not string: string is not list of string"),
        ("texts", "[1]", "spec.texts of Thing takes list of string, not list of int: elements: int is not string"),
        ("labels", "schema.spec.pair", "spec.labels of Thing takes map of string, not object schema.spec.pair: 'a': int is not string"),
        ("pair", "schema.spec.wide", "spec.pair of Thing takes object own.spec.pair, not object schema.spec.wide: 'c' is not a field there"),
        ("pair", "{'a': 1}", "spec.pair of Thing takes object own.spec.pair, not map of int: 'b': int is not string"),
        ("pairs", "[schema.spec.wide]", "spec.pairs of Thing takes list of object own.spec.pairs[*], not list of object schema.spec.wide: elements: 'c' is not a field there"),
        ("byName", "{'x': schema.spec.wide}", "spec.byName of Thing takes map of object own.spec.byName[*], not map of object schema.spec.wide: values: 'c' is not a field there"),
    ],
)  # fmt: skip
def test_what_a_field_does_not_take(field: str, expression: str, message: str) -> None:
    assert found(thing("own", {field: f"${{{expression}}}"}), OTHER) == [("cel-type", message, expression)]


def test_a_text_with_expressions_suits_no_field_that_is_more_than_a_string() -> None:
    texts = thing("own", {"whole": "a-${schema.spec.t}", "time": "a-${schema.spec.t}", "text": "a-${schema.spec.t}"})
    assert found(texts) == [
        ("wrong-type", "spec.whole of Thing is a string, expected an integer", ""),
        ("cel-type", "spec.whole of Thing takes int, not string", "a-${schema.spec.t"),
        ("cel-type", "spec.time of Thing takes timestamp, not string", "a-${schema.spec.t"),
    ]


def test_each_field_has_its_own_type_though_the_expression_is_the_same() -> None:
    places = thing(
        "own", {"text": "${schema.spec.t}", "whole": "${schema.spec.t}", "labels": {"a": "${schema.spec.t}"}}
    )
    assert [message for _, message, _ in found(places)] == ["spec.whole of Thing takes int, not string"]


def test_a_loop_variable_has_the_type_of_an_element() -> None:
    loop = thing(
        "own",
        {"text": "${p.b}", "whole": "${p.b}", "pair": "${p}"},
        name="${p.b}",
        forEach=[{"p": "${schema.spec.pairs}"}],
    )
    assert found(loop) == [("cel-type", "spec.whole of Thing takes int, not string", "p.b")]
    twice = [
        thing(name, {"whole": "${p}"}, name="${string(p)}", forEach=[{"p": values}])
        for name, values in (("one", "${[1]}"), ("two", "${['a']}"))
    ]
    assert found(*twice) == [("cel-type", "spec.whole of Thing takes int, not string", "p")]


def test_no_object_is_compared_below_a_collection() -> None:
    """sic: kro does not find the types of what stands in an item."""
    wide = {"pair": "${schema.spec.wide}", "texts": "${schema.spec.t}"}
    collection = thing("own", wide, name="${x}", forEach=[{"x": "${schema.spec.ts}"}])
    assert [message for _, message, _ in found(collection)] == [
        "spec.texts of Thing takes list of string, not string: string is not list of string"
    ]


@pytest.mark.parametrize(
    ("key", "expression", "codes"),
    [
        pytest.param("a", "schema.spec.n", ["cel-type"], id="plain"),
        pytest.param("a.b/c", "schema.spec.n", ["cel-type"], id="dotted"),
        pytest.param("", "schema.spec.t", ["cel-type"], id="an-empty-key-is-no-step"),
        pytest.param("", "schema.spec.m", [], id="an-empty-key-stands-for-its-parent"),
        pytest.param("a[0]", "schema.spec.n", [], id="an-index-is-never-read-back"),
        pytest.param('a".b', "schema.spec.n", [], id="a-quote-is-never-read-back"),
    ],
)
def test_the_field_is_the_one_whose_path_kro_reads_back(key: str, expression: str, codes: list[str]) -> None:
    assert [code for code, _, _ in found(thing("own", {"labels": {key: f"${{{expression}}}"}}))] == codes


def test_a_reference_is_not_read_by_its_schema_but_its_expressions_are() -> None:
    strange = {"apiVersion": "test.io/v1", "kind": "Thing", "metadata": {"name": "${schema.spec.n}"}}
    assert found({"id": "own", "externalRef": strange}) == [
        ("cel-type", "metadata.name of Thing takes string, not int", "schema.spec.n")
    ]


def test_the_definition_of_a_kind_is_not_read_by_its_schema() -> None:
    known = kinds()
    known.add("apiextensions.k8s.io/v1", "CustomResourceDefinition", namespaced=False, schema=THING)
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "a"},
        "spec": {"group": 1},
    }
    assert build_program(rgd({"id": "own", "template": crd}), known)[1] == []


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("other.spec.tex", "'tex' is not a field of other.spec (test.io/v1 Thing)"),
        ("other.metadata.uid", "'uid' is not a field of other.metadata (test.io/v1 Thing)"),
        ("other.spec.pairs[0].c", "'c' is not a field of other.spec.pairs[*] (test.io/v1 Thing)"),
        ("other.spec.byName.x.c", "'c' is not a field of other.spec.byName[*] (test.io/v1 Thing)"),
        ("other.spec.amount", "'amount' is not a field of other.spec (test.io/v1 Thing)"),
        ("many.spec.text", "'spec': list of object many[*] has no fields"),
        ("many[0].spec.tex", "'tex' is not a field of many[*].spec (test.io/v1 Thing)"),
        ("all.map(m, m.spec.tex)", "'tex' is not a field of all[*].spec (test.io/v1 Thing)"),
        ("ref.status.tex", "'tex' is not a field of ref.status (test.io/v1 Thing)"),
        ("other.spec.text + other.spec.whole", "+: does not take string and int"),
        ("other.status.text != null", "!=: does not take string and null"),
        ("schema.spec.on ? other.spec.pair : ref.spec.pair", "?: gives object other.spec.pair or object ref.spec.pair"),
    ],
)
def test_an_expression_knows_the_fields_of_other_resources(expression: str, message: str) -> None:
    problems = found(thing("own", {"open": f"${{{expression}}}"}), OTHER, MANY, REFERENCE, SELECTED)
    assert [message for _, message, _ in problems] == [message]


@pytest.mark.parametrize(
    "expression",
    [
        "other.status.text", "other.metadata.labels.x", "other.spec.open.x.y", "other.spec.namespace", "other.spec.with__dash__dash.a",
        "many[0].spec.text", "many.map(m, m.spec.text)", "all.filter(a, a.spec.flag).size()", "ref.spec.port + 1", "has(other.status.pair)",
    ],
)  # fmt: skip
def test_what_other_resources_have(expression: str) -> None:
    assert found(thing("own", {"open": f"${{{expression}}}"}), OTHER, MANY, REFERENCE, SELECTED) == []


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        pytest.param(thing("own", readyWhen=["${own.status.flag}"]), [], id="readyWhen"),
        pytest.param(thing("own", readyWhen=["${own.status.text}"]), ["readyWhen of 'own' needs a bool, not string"], id="readyWhen-no-bool"),
        pytest.param(thing("own", readyWhen=["${own.status.fla}"]), ["'fla' is not a field of own.status (test.io/v1 Thing)"], id="readyWhen-field"),
        pytest.param(thing("own", includeWhen=["${other.status.port}"]), ["includeWhen of 'own' needs a bool, not a value of unknown type"], id="includeWhen-dyn"),
        pytest.param(thing("own", includeWhen=["${other.?status.flag}"]), [], id="includeWhen-optional"),
        pytest.param(
            thing("own", name="${x}", forEach=[{"x": "${other.spec.texts}"}], readyWhen=["${each.status.flag}"]), [], id="each"
        ),
        pytest.param(
            thing("own", name="${x}", forEach=[{"x": "${other.spec.texts}"}], readyWhen=["${each.status.fla}"]),
            ["'fla' is not a field of each.status (test.io/v1 Thing)"],
            id="each-field",
        ),
        pytest.param(
            thing("own", name="${x}", forEach=[{"x": "${other.spec.labels}"}]), ["forEach of 'own' needs a list, not map of string"], id="forEach"
        ),
    ],
)  # fmt: skip
def test_conditions_and_loops_are_typed_by_the_resources(resource: dict[str, Any], expected: list[str]) -> None:
    assert [message for _, message, _ in found(resource, OTHER)] == expected


def test_a_status_field_is_typed_by_the_resources() -> None:
    assert found(OTHER, status={"a": "${other.status.tex}", "b": "${other.status.text}"}) == [
        ("undefined-field", "'tex' is not a field of other.status (test.io/v1 Thing)", "tex")
    ]


def test_a_literal_is_marked_at_its_key_and_the_nearest_name_is_offered() -> None:
    assert found(thing("own", {"txet": "a", "text": 1})) == [
        ("unknown-field", "'txet' is not a field of spec of Thing", "txet"),
        ("wrong-type", "spec.text of Thing is an integer, expected a string", ""),
    ]
    problems = build_program(rgd(thing("own", {"txet": "a"})), kinds())[1]
    assert [problem.help for problem in problems] == ["did you mean 'text'?"]


def test_a_kind_without_a_schema_is_not_checked() -> None:
    document = rgd(
        {"id": "own", "template": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "daat": 1}}
    )
    without = Kinds()
    without.add("v1", "ConfigMap", namespaced=True)
    assert build_program(document, without)[1] == []
    assert [problem.code for problem in build_program(document, Kinds())[1]] == ["unknown-field"]


def test_an_expression_looks_for_the_field_that_the_object_has() -> None:
    own = thing("own", {"open": "${other.spec.with__dash__dash}", "texts": "${many.map(m, m.spec.with__dash__dash.b)}"})
    program, problems = build_program(rgd(own, OTHER, MANY, spec=SPEC, types=TYPES), kinds())
    assert problems == []
    assert program is not None
    assert [compiled.paths for compiled in program.nodes["own"].values] == [
        {"other": ("other.spec.with-dash",)},
        {"many": ("many",)},
    ]
