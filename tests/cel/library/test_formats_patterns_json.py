"""`format`, regular expressions, JSON."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krm_fn.cel.errors import BAD_ARGUMENT, BUDGET, EvaluationError
from krm_fn.cel.library import patterns
from krm_fn.cel.library.formatting import clauses
from krm_fn.cel.library.patterns import compile_pattern
from krm_fn.cel.values import OMIT, Optional, Uint
from tests.cel.running import error_of, run

FORMATS = [
    ("%s", ["a"], "a"),
    ("%s", [1e6], "1000000"),
    ("%s", [None], "null"),
    ("%s", [True], "true"),
    ("%s", [b"hi"], "hi"),
    ("%s", [[1, "a", 2.5, None]], "[1, a, 2.5, null]"),
    ("%s", [{"z": 1, "a": [True]}], "{a: [true], z: 1}"),
    ("%d", [1.5], "1.5"),
    ("%d", [Uint(7)], "7"),
    ("%d", [float("-inf")], "-Infinity"),
    ("%f", [1], "1.000000"),
    ("%.2f", [2.675], "2.67"),
    ("%.0f", [2.5], "2"),
    ("%.20f", [-0.05], "-0.05000000000000000278"),
    ("%e", [1e21], "1.000000e+21"),
    ("%.0e", [1.5], "2e+00"),
    ("%b", [True], "1"),
    ("%b", [-5], "-101"),
    ("%x", [-255], "-ff"),
    ("%X", ["hi"], "6869"),
    ("%x", [b"\x00\xff"], "00ff"),
    ("%o", [Uint((1 << 64) - 1)], "1777777777777777777777"),
    ("%.3s|%.1d", ["abc", 12], "abc|12"),
    ("100%%", [], "100%"),
    ("no clause", [1], "no clause"),
]


@pytest.mark.parametrize(("template", "values", "text"), FORMATS)
def test_format(template, values, text):
    assert run("t.format(x)", t=template, x=values) == text


@pytest.mark.parametrize(
    ("template", "values"),
    [
        ("%s", []),
        ("%", [1]),
        ("%q", [1]),
        ("%5d", [1]),
        ("%.f", [1.0]),
        ("%.-1f", [1.0]),
        ("%d", ["1"]),
        ("%d", [True]),
        ("%f", ["1"]),
        ("%b", [1.5]),
        ("%x", [1.5]),
        ("%o", [True]),
        ("%s", [OMIT]),
        ("%s", [Optional(1)]),
        ("%s", [[OMIT]]),
    ],
)
def test_format_refuses(template, values):
    assert error_of("t.format(x)", t=template, x=values).kind == BAD_ARGUMENT


def test_the_clauses_of_a_format_are_known_without_values():
    """What the checker asks of a literal format."""
    assert [(c.verb, c.precision, c.text) for c in clauses("a%.2f%%%s")] == [
        ("", 6, "a"),
        ("f", 2, ""),
        ("", 6, "%"),
        ("s", 6, ""),
    ]


@pytest.mark.parametrize(
    ("text", "pattern", "found"),
    [
        ("aab", "a", ["a", "a"]),
        ("aab", "a*", ["aa", ""]),
        ("a😀b", "", ["", "", "", ""]),
        ("aaa", "aa", ["aa"]),
        ("aXbX", "a.*?X", ["aX"]),
        ("éaé", r"\B", ["", ""]),
        ("ab", "(a)(b)", ["ab"]),
        ("a\nb", "(?m)^.$", ["a", "b"]),
    ],
)
def test_find_all_gives_what_go_gives(text, pattern, found):
    """An empty match right after another does not count; none begins inside of a character."""
    assert run("t.findAll(p)", t=text, p=pattern) == found


@pytest.mark.parametrize(
    "pattern",
    ["(", "[", "*", "a++", "a**", "(?=a)", "(?<=a)b", r"(a)\1", r"\C", r"\Z", "a{1001}", "[z-a]", r"\p{Foo}", "(?x)a"],
)
def test_patterns_that_go_refuses_are_errors_when_reached(pattern):
    assert error_of("'a'.matches(p)", p=pattern).kind == BAD_ARGUMENT


@pytest.mark.parametrize("pattern", [r"\QC\C\E", r"\\C", r"a\\C+"])
def test_a_c_that_is_no_escape_is_a_c(pattern):
    compile_pattern(pattern)


def test_patterns_are_kept_but_not_without_end():
    for number in range(600):
        compile_pattern(f"a{number}")
    assert len(patterns._compiled) <= patterns._KEPT


def test_a_pattern_that_hurts_other_engines_is_quick():
    assert run("t.matches('^(a+)+$')", t="a" * 100_000 + "b") is False


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 53), 1 << 53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_json_is_read_by_everyone_as_what_was_written(value):
    assert json.loads(run("json.marshal(x)", x=value), parse_int=float) == value


@given(values)
def test_json_reads_back_with_doubles_for_numbers(value):
    text = json.dumps(value)
    assert run("json.unmarshal(x)", x=text) == json.loads(text, parse_int=float)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("<>&'\u2028\x7f", '"\\u003c\\u003e\\u0026\'\\u2028\x7f"'),
        ("\n\r\t\b\f\x0b\x00", '"\\n\\r\\t\\b\\f\\u000b\\u0000"'),
        ({"b": 1, "a": {"é": 1, "Z": 2}}, '{"a":{"Z":2,"é":1},"b":1}'),
        ([1e21, 1e-7, -0.0, 2.0], "[1e+21,1e-7,-0,2]"),
        (b"\xff", '"/w=="'),
        (Uint((1 << 64) - 1), "18446744073709551615"),
        ([Optional("a"), OMIT], '["a",{}]'),
        ([], "[]"),
        ({}, "{}"),
    ],
)
def test_marshal_writes_as_go_does(value, text):
    assert run("json.marshal(x)", x=value) == text


def test_marshal_writes_times_as_kubernetes_does():
    assert (
        run('json.marshal([duration("90m"), timestamp("2024-01-01T01:00:00.5+01:00")])')
        == '["1h30m0s","2024-01-01T00:00:00Z"]'
    )
    assert run('json.marshal(timestamp("0001-01-01T00:00:00Z"))') == "null"


@pytest.mark.parametrize(
    "expression",
    ["json.marshal(0.0 / 0.0)", "json.marshal({1: 2})", "json.marshal(type(1))", 'json.marshal(quantity("1"))'],
)
def test_what_json_cannot_say(expression):
    assert error_of(expression).kind == BAD_ARGUMENT


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "01",
        ".5",
        "1.",
        "+1",
        "NaN",
        "-Infinity",
        "1e400",
        "[1,]",
        "{a:1}",
        "{'a':1}",
        "1 2",
        '"\t"',
        '"a',
        "\ufeff1",
        "nul",
        "// c\n1",
        "\u00a01",
    ],
)
def test_what_is_not_json(text):
    assert error_of("json.unmarshal(x)", x=text).kind == BAD_ARGUMENT


def test_half_of_a_pair_becomes_the_replacement_character():
    assert run("json.unmarshal(x)", x='{"\\ud83d": ["\\ude00", "\\ud83d\\ude00"]}') == {"\ufffd": ["\ufffd", "😀"]}


@pytest.mark.parametrize(
    ("expression", "x"),
    [
        pytest.param("json.unmarshal(x)", "[" * 100_000, id="deep brackets"),
        pytest.param("json.unmarshal(x)", '{"a":' * 600 + "1" + "}" * 600, id="deep objects"),
        pytest.param("'%.999999999f'.format([x])", 1.0, id="wide precision"),
        pytest.param("lists.range(x)", 10**12, id="long range"),
        pytest.param("random.seededString(x, 'a')", 10**12, id="long random string"),
        pytest.param("quantity(x)", "1e999999999", id="huge exponent"),
        pytest.param("quantity(x)", "1" * 100_000, id="endless quantity"),
        pytest.param("isURL(x)", "/" + "a" * 200_000, id="endless URL"),
        pytest.param("x.replace('', x)", "a" * 10_000, id="replacing by itself"),
        pytest.param("x.split('')", "a" * 2_000_000, id="too many parts"),
        pytest.param("x.findAll('')", "a" * 2_000_000, id="too many matches"),
        pytest.param("[x, x, x].join(x)", "a" * 8_000_000, id="too long a text"),
        pytest.param("'%s%s%s'.format([x, x, x])", "a" * 8_000_000, id="too long a format"),
        pytest.param("x.distinct()", [[i] for i in range(10_000)], id="too many comparisons"),
    ],
)
def test_hostile_arguments_end_in_a_budget(expression, x):
    assert error_of(expression, x=x).kind == BUDGET


@pytest.mark.parametrize("expression", ["json.marshal(x)", "'%s'.format([x])", "x.flatten(9)"])
def test_lists_that_share_parts_do_not_grow_without_end(expression):
    shared: list[object] = ["a"] * 100
    for _ in range(6):
        shared = [shared] * 100
    with pytest.raises(EvaluationError) as caught:
        run(expression, x=shared)
    assert caught.value.kind == BUDGET
