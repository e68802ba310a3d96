"""Types of expressions: what is inferred, what is refused and where, and what a missing schema must not do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krm_fn.cel import parse
from krm_fn.cel.check import CheckError, check
from krm_fn.cel.library import index
from krm_fn.cel.signatures import CONVERSIONS
from krm_fn.cel.types import (
    DYNAMIC,
    INT,
    RUNTIME,
    STRING,
    UNKNOWN,
    Bindings,
    ObjectType,
    Type,
    assignable,
    list_of,
    map_of,
    optional_of,
    parameter,
    parse_type,
)

PORT = ObjectType("__type_schema.spec.ports.@idx", {"name": STRING, "number": INT, "__namespace__": STRING})
SPEC = ObjectType(
    "__type_schema.spec",
    {"name": STRING, "replicas": INT, "labels": map_of(STRING, STRING), "ports": list_of(PORT)},
)
SCHEMA = ObjectType("__type_schema", {"spec": SPEC})
OPEN = ObjectType("__type_open", {"a": INT}, open_ended=True)
VARIABLES: dict[str, Type] = {"schema": SCHEMA, "open": OPEN, "x": DYNAMIC, "node": UNKNOWN, "runtime": RUNTIME}


def type_of(text: str) -> Type:
    return check(parse(text), VARIABLES)


def problems_of(text: str) -> list[tuple[str, str]]:
    """(message, what it points at) of each problem."""
    with pytest.raises(CheckError) as caught:
        type_of(text)
    return [(p.message, text[p.offset : p.offset + p.length]) for p in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        pytest.param("1", "int", id="int"),
        pytest.param("null", "null_type", id="null"),
        pytest.param('b"a"', "bytes", id="bytes"),
        pytest.param("[]", "list(dyn)", id="empty-list"),
        pytest.param("{}", "map(dyn, dyn)", id="empty-map"),
        pytest.param("[1, 2]", "list(int)", id="list"),
        pytest.param('[1, "a"]', "list(dyn)", id="mixed-list"),
        pytest.param("[[], [1]]", "list(list(int))", id="an-empty-list-learns-from-its-neighbour"),
        pytest.param("[type(1)].map(t, 1)", "list(int)", id="a-type-that-is-not-read"),
        pytest.param("[dyn(type(1))].map(t, t)", "list(dyn)", id="a-type-that-nobody-knows-of"),
        pytest.param("[null, optional.of(1)]", "list(optional_type(int))", id="null-suits-an-optional"),
        pytest.param("[optional.of(1), null]", "list(null_type)", id="null-behind-an-optional"),
        pytest.param("true ? optional.of(1) : null", "optional_type(int)", id="null-in-a-branch"),
        pytest.param("[?optional.of(1)]", "list(int)", id="optional-element"),
        pytest.param('{"a": 1, ?"b": optional.of(2)}', "map(string, int)", id="optional-entry"),
        pytest.param("[] + [1]", "list(int)", id="sum-of-lists"),
        pytest.param('timestamp("2024-01-01T00:00:00Z") - duration("1s")', "google.protobuf.Timestamp", id="times"),
        pytest.param("x + 1", "int", id="dyn-operand"),
        pytest.param("x + x", "dyn", id="several-overloads-that-differ"),
        pytest.param("x < x", "bool", id="several-overloads-that-agree"),
        pytest.param("true ? 1 : x", "dyn", id="conditional-takes-the-more-general"),
        pytest.param("type(1)", "type(int)", id="type-of"),
        pytest.param("string(x)", "string", id="conversion-of-dyn"),
        pytest.param("dyn(1)", "dyn", id="dyn"),
        pytest.param("schema.spec", "__type_schema.spec", id="object"),
        pytest.param("schema.spec.ports[0].number", "int", id="field-of-an-element"),
        pytest.param("schema.spec.ports[0].namespace", "string", id="reserved-word-as-a-field"),
        pytest.param("schema.spec.labels.app", "string", id="key-of-a-map"),
        pytest.param("schema.spec.?name", "optional_type(string)", id="optional-field"),
        pytest.param("schema.?spec.name", "optional_type(string)", id="field-of-an-optional"),
        pytest.param("schema.spec.labels[?'a'].orValue('')", "string", id="optional-index"),
        pytest.param("open.other.any", "dyn", id="undeclared-field-of-an-open-object"),
        pytest.param("has(schema.spec.name)", "bool", id="has"),
        pytest.param("schema.spec.ports.map(p, p.number)", "list(int)", id="map"),
        pytest.param("schema.spec.ports.map(p, p.number > 1, p.name)", "list(string)", id="map-with-condition"),
        pytest.param("schema.spec.ports.filter(p, p.number > 1)", "list(__type_schema.spec.ports.@idx)", id="filter"),
        pytest.param("schema.spec.labels.map(k, k)", "list(string)", id="keys-of-a-map"),
        pytest.param("schema.spec.ports.transformMap(i, p, p.name)", "map(int, string)", id="transform-map"),
        pytest.param('["a"].transformMapEntry(i, v, {v: i})', "map(string, int)", id="transform-map-entry"),
        pytest.param("schema.spec.labels.transformList(k, v, v)", "list(string)", id="transform-list"),
        pytest.param("schema.spec.ports.sortBy(p, p.number)[0].name", "string", id="sort-by"),
        pytest.param('cel.bind(p, "a", p + p)', "string", id="bind"),
        pytest.param("schema.spec.?name.optMap(n, n.size())", "optional_type(int)", id="opt-map"),
        pytest.param("schema.?spec.optFlatMap(s, s.?name)", "optional_type(string)", id="opt-flat-map"),
        pytest.param("[1].map(v, v < 1.5)", "list(bool)", id="numbers-compare-inside-a-macro"),
        pytest.param("[1].all(v, v > 0) && 1 < 1u", "bool", id="numbers-compare-behind-a-macro"),
        pytest.param("dyn(x).value().reverse()", "list(dyn)", id="lists-are-tried-before-strings"),
        pytest.param('quantity("1").add(1)', "kubernetes.Quantity", id="opaque"),
        pytest.param('runtime.newCondition({type: "A", status: "True"}).status', "string", id="condition"),
        pytest.param('json.unmarshal("1")', "dyn", id="dyn-by-declaration"),
        pytest.param("lists.range(3)", "list(int)", id="function-with-a-namespace"),
        pytest.param("([].map(x, x))[0].foo", "dyn", id="a-free-parameter-is-dyn"),
    ],
)
def test_an_expression_has_the_type_that_cel_go_gives_it(text: str, wanted: str) -> None:
    assert str(type_of(text)) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        pytest.param('1 + "a"', [("+: does not take int and string", "+")], id="operator"),
        pytest.param("-true", [("-: does not take bool", "-")], id="unary"),
        pytest.param("1 == 1.0", [("==: does not take int and double", "==")], id="numbers-do-not-mix"),
        pytest.param(
            "1 < 1.5 && [1].all(v, v > 0)", [("<: does not take int and double", "<")], id="numbers-do-not-compare-before-a-macro"
        ),
        pytest.param("[1].all(v, v == 1.0)", [("==: does not take int and double", "==")], id="numbers-are-never-equal"),
        pytest.param(
            "schema.a.contains(schema.b)",
            [("'a' is not a field of schema", "a"), ("'b' is not a field of schema", "b")],
            id="problems-in-the-order-of-the-text",
        ),
        pytest.param("1 == null", [("==: does not take int and null", "==")], id="null-is-no-int"),
        pytest.param("schema.spec.nam", [("'nam' is not a field of schema.spec", "nam")], id="field"),
        pytest.param("has(schema.spec.nam)", [("'nam' is not a field of schema.spec", "nam")], id="has"),
        pytest.param("schema.spec.name.x", [("'x': string has no fields", "x")], id="field-of-a-scalar"),
        pytest.param(
            'schema.spec["name"]', [("[]: object schema.spec cannot be indexed by string", '["name"]')], id="index-of-an-object"
        ),
        pytest.param("schema.spec.map(k, k)", [("map(): needs a list or map, not object schema.spec", "schema.spec")], id="range"),
        pytest.param("1 && true", [("&&: needs a bool, not int", "1")], id="logic"),
        pytest.param("[1].all(i, i)", [("all(): needs a bool, not int", "i")], id="predicate"),
        pytest.param("[1].filter(i, i)", [("filter(): needs a bool, not int", "i")], id="filter"),
        pytest.param("true ? 1 : 'a'", [("?: gives int or string", "?")], id="branches"),
        pytest.param("1 ? 1 : 2", [("? needs a bool before it, not int", "?")], id="condition"),
        pytest.param('"a".size(1)', [("size(): string has no such method that takes (int)", "size")], id="method"),
        pytest.param("int(true)", [("int() does not take (bool)", "int")], id="function"),
        pytest.param("nosuch(1)", [("nosuch() is not a function that kro has", "nosuch")], id="no-function"),
        pytest.param("y", [("'y' is not declared", "y")], id="no-variable"),
        pytest.param("[?1]", [("? needs an optional behind it, not int", "1")], id="optional-element"),
        pytest.param("1.optMap(v, v)", [("optMap() needs an optional before its dot, not int", "optMap")], id="opt-map"),
        pytest.param(
            "optional.of(1).optFlatMap(v, v)", [("optFlatMap(): needs an optional, not int", "v")], id="opt-flat-map"
        ),
        pytest.param("[1].sortBy(i, [i])", [("sortBy(): list of int has no order", "sortBy")], id="sort-by"),
        pytest.param(
            "[1].transformMapEntry(i, v, v)", [("transformMapEntry(): needs a map, not int", "v")], id="transform-map-entry"
        ),
        pytest.param('"%d".format(["a"])', [("format: %d does not take string", '"a"')], id="format"),
        pytest.param('"%s".format([[url("http://a")]])', [("format: %s does not take kubernetes.URL", 'url("http://a")')], id="format-inside"),
        pytest.param('"%d %d".format([1])', [("format: no argument 2 for %d", "format")], id="format-missing"),
        pytest.param('"%d".format([1, 2])', [("format: 2 arguments for 1 clauses", "2")], id="format-surplus"),
        pytest.param('"%q".format([1])', [("format: %q is not a clause", '"%q"')], id="format-clause"),
        pytest.param(
            'schema.spec.nam + (1 + "a")',
            [("'nam' is not a field of schema.spec", "nam"), ("+: does not take int and string", "+")],
            id="all-problems-at-once",
        ),
        pytest.param("[type(1)].map(t, [t, t])", [("'t' would hold a type, which no variable can", "t")], id="a-type-in-a-variable"),
        pytest.param("[type(1)].filter(t, true)", [("'t' would hold a type, which no variable can", "t")], id="which-filter-reads"),
        pytest.param("cel.bind(t, type(1), 1)", [("'t' would hold a type, which no variable can", "t")], id="and-cel.bind"),
        pytest.param("optional.of(type(1)).optMap(t, 1)", [("'t' would hold a type, which no variable can", "t")], id="and-optMap"),
        pytest.param("{type(1): 1}.transformMap(k, v, v)", [("'k' would hold a type, which no variable can", "k")], id="and-transformMap"),
        pytest.param("schema.nosuch.a.b + 1", [("'nosuch' is not a field of schema", "nosuch")], id="one-mistake-one-problem"),
    ],
)  # fmt: skip
def test_what_no_value_can_make_right_is_refused_where_it_stands(text: str, wanted: list[tuple[str, str]]) -> None:
    assert problems_of(text) == wanted


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        pytest.param("schema.spec.nam", "did you mean 'name'?", id="field"),
        pytest.param('"a" + 1', "string(…) makes a text of it", id="text"),
        pytest.param('schema.spec.?name == "a"', "orValue(…) takes the value out of an optional", id="optional"),
        pytest.param("1 + 1.0", "convert one of them: int(…)", id="numbers"),
        pytest.param("schema.spec.name == null", "ask with has(…) whether a field is there", id="null"),
        pytest.param('"a".indexOf(1)', "it takes (string) or (string, int)", id="forms"),
    ],
)
def test_a_remedy_is_named(text: str, advice: str) -> None:
    with pytest.raises(CheckError) as caught:
        type_of(text)
    assert [p.help for p in caught.value.problems] == [advice]


@pytest.mark.parametrize(
    "text",
    [
        "node",
        "node.status.phase",
        "node.spec.ports[0]",
        "node.?status",
        "node + node",
        "node.list.map(i, i.name)",
        "node.list.first().value()",
        "true ? node.a : node.b",
        "node.list.sum()",
        "node.reverse()",
        "cel.bind(n, node.a, n.b)",
        "node.?a.optMap(a, a.b)",
    ],
)
def test_what_depends_on_a_missing_schema_says_so(text: str) -> None:
    """Such a result must never be refused where a dyn would be."""
    assert type_of(text).tainted


@pytest.mark.parametrize("text", ["dyn(node)", "json.unmarshal(node.text)", "x.status"])
def test_what_kro_calls_dyn_is_dyn_whatever_it_depends_on(text: str) -> None:
    assert type_of(text) is DYNAMIC


def test_modules_that_share_a_function_share_no_receiver() -> None:
    """The checker stops at the first module that takes a receiver; conversions give what they are named after."""
    for name in index.names():
        seen: dict[tuple[bool, str], int] = {}
        for i, records in enumerate(index.overloads_by_module(name)):
            for o in records:
                if name in CONVERSIONS:
                    assert o.result == name, o.id
                elif o.params:
                    kind = parse_type(o.params[0])
                    assert seen.setdefault((o.member, f"{kind.kind} {kind.name}"), i) == i, o.id


_TYPES = st.recursive(
    st.sampled_from(["int", "string", "dyn", "bytes", "duration", "kubernetes.Quantity", "null_type"]).map(parse_type),
    lambda inner: st.one_of(
        inner.map(list_of), inner.map(optional_of), st.tuples(inner, inner).map(lambda pair: map_of(*pair))
    ),
    max_leaves=6,
)


@given(_TYPES)
def test_a_notation_reads_as_the_type_that_it_was_written_from(some: Type) -> None:
    """Equal types are one object."""
    assert parse_type(str(some)) is some


@given(_TYPES, _TYPES)
def test_what_fails_to_unify_leaves_nothing_bound(one: Type, other: Type) -> None:
    bindings = Bindings()
    free = parameter("A")
    if not bindings.unify_all((free, one), (one, other)):
        assert bindings.resolve(free) is free
    else:
        assert not bindings.resolve(free).is_open


@given(_TYPES)
def test_every_type_suits_itself_and_dyn(some: Type) -> None:
    assert assignable(some, some)
    assert assignable(DYNAMIC, some)
    assert Bindings().unify(some, some)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            "".join(f"cel.bind(v{i + 1}, {{v{i}: v{i}}}, " for i in range(60)).replace("v0", "1") + "v60" + ")" * 60,
            id="doubles-at-each-step",
        ),
        pytest.param("".join(f"cel.bind(v{i + 1}, [[], [{{v{i}: v{i}}}]][0], " for i in range(40)).replace("v0", "[]") + "v40" + ")" * 40, id="doubles-through-parameters"),
    ],
)  # fmt: skip
def test_a_type_that_doubles_at_each_step_is_refused_in_time(text: str) -> None:
    assert [message for message, _ in problems_of(text)] == ["the type of the expression is too large"]


def test_the_deepest_expression_has_a_type() -> None:
    assert str(type_of("(" * 249 + "1" + ")" * 249)) == "int"
    assert str(type_of("[" * 240 + "]" * 240)).startswith("list(list(")
    assert [message for message, _ in problems_of("[" * 240 + "]" * 240 + " + 1")] == [
        "+: does not take list of list of list of list of … and int"
    ]


def test_problems_are_bounded() -> None:
    assert len(problems_of(" && ".join(["schema.nosuch"] * 200))) == 50
