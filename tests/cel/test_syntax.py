"""What is an expression and what is not; where a complaint points; how large an expression may be."""

from typing import Any

import pytest

from krm_fn.cel import compile_
from krm_fn.cel.errors import CelSyntaxError
from krm_fn.cel.syntax import Binary, Comprehension, Conditional, Literal, Logic, MemberCall, Select, children
from tests.cel.running import problems_of, rows, tree

REFUSED = {
    "operands": ["", " ", "\t", "1 +", "+ 1", "+1", "1 * * 2", "1 ** 2", "&& a", "a &&", "a || || b", "!", "-", "%", "1 <", "< 1", "a in", "in a"],
    "brackets": ["(1", "()", "(())", "1]", "a[]", "a]", "a[1, 2]", "a[1:2]", "a(", "a)", "a(1,)", "a(,)", "a(1 2)", "{", "}", "[", "{,,}", "[,,]"],
    "maps": ['{"a": 1', '"a": 1}', '{"a"}', '{"a" 1}', "{a: 1,, }", "{a = 1}", "{1}", '{"a": 1, , "b": 2}'],
    "selections": ["a.", "a..b", "a.(b)", 'a."b"', "a.1", "1..2", "m.?", 'm.?"a"', "m?.a", "m[?]", "?m", "m.?a()", "a.?in"],
    "operators": ["a = 1", "a === 1", "a := 1", "a <> 1", "a !== 1", "a | b", "a & b", "a ^ b", "x -> x", "1 => 2", "a; b", "a, b"],
    "conditionals": ["a ? b", "a ? b :", "a ? : b", "? a : b", "a ?: b", "a ?? b", "a ? b ? c : d : e", "true ? false ? 1 : 2 : 3"],
    "unary": ["-!true", "!-!1", "- - !a"],
    "texts": ['"a', "'a", "\"a'", '"""a', '"a\nb"', 'rb"a"', 'u"a"', 'r"\\""', '"a"b', '"a" "b"', "'it''s'"],
    "escapes": ['"\\q"', '"\\1"', '"\\8"', '"\\400"', '"\\x4"', '"\\u41"', '"\\ud800"', '"\\U00110000"', 'b"\\u0041"', '"\\U0001F6"', '"\\\n"'],
    "numbers": ["9223372036854775808", "-9223372036854775809", "18446744073709551616u", "0X1", "0x", "1_0", "1.0d", "1L", "1uu", "1.5u", "1e", "1e999"],
    "characters": ["#", "`a`", "x.`a-b`", "a@b", "$a", "\\", "\u0430", "\u0661", "\ufeff1", "1\v+ 1", "m.\u00e9"],
    "reserved words": ["as", "break + 1", "const(1)", "[1].map(for, 1)", "if a then b else c", "namespace", "package.a", "v.in", "v.true", "v.null", "var"],
    "macros": [
        "has(x)", 'has(m["a"])', "has(m.?a)", "has(m.a())", 'has("a")', '[1].map("e", e)', "[1].map(e.f, e)", "[1].map(1, 1)",
        "[1].map(__result__, 1)", "[1].transformList(i, i, i)", "[1].all(i, i, true)", "[1].exists(1, v, true)", "cel.bind(v.w, 1, v)",
        "cel.bind(1, 1, 1)", '{"k": 1}.sortBy(e, e)', '"abc".sortBy(e, e)', "[1].sortBy(1, 1)", "x.optMap(1, 1)", "x.optFlatMap(a.b, 1)",
    ],
    "conditions": [
        'runtime.newCondition({"type": "A", "status": "True"})', 'runtime.newCondition({type: "A"})', "runtime.newCondition({})",
        'runtime.newCondition({type: "A", type: "B", status: "True"})', "runtime.newCondition(pod)",
        'runtime.newCondition({type: "A", status: "True", extra: 1})',
    ],
    "messages": ["a{b}", "a{1: 1}", "(a){}", "a[0]{}", "a(){}", "a{}{}", "a{b.c: 1}"],
}  # fmt: skip


@pytest.mark.parametrize("text", rows(REFUSED))
def test_is_refused(text: Any) -> None:
    assert problems_of(text)


@pytest.mark.parametrize(
    "text",
    rows(
        {
            "fields may be reserved words": [
                "v.as",
                "v.for",
                "v.namespace",
                "v.?if",
                "has(v.package)",
                "v.while.let",
                "v.function(1)",
            ],
            "macro names are free names elsewhere": [
                "all",
                "map + 1",
                "v.map",
                "v.exists(1)",
                "all(1)",
                "cel",
                "bind(1, 2, 3)",
                "has(1, 2)",
            ],
            "what kro's checker refuses": [
                '"a" + 1',
                "1.a",
                "nope(1)",
                "1.0.a",
                "a.b.c.d()",
                "x.existsOne(e, e)",
                "-x.y",
                "!x.y",
            ],
            "one dot in front": [".a", ".a.b", ".f(x)"],
            "space anywhere": ["a . b", "a.b . c ( 1 )", "[1] [0]", "a [ 0 ]", "a\n.b\n.c", "- a", "1 -1", "1 // x"],
        }
    ),
)
def test_is_an_expression(text: Any) -> None:
    assert tree(text)


@pytest.mark.parametrize(
    ("text", "marked", "hint"),
    [
        pytest.param("a = 1", "=", "equality is '=='", id="single equals sign"),
        pytest.param("a & b", "&", "use '&&'", id="single ampersand"),
        pytest.param("a | b", "|", "use '||'", id="single bar"),
        pytest.param("a and b", "and", "use '&&'", id="and"),
        pytest.param("a or b", "or", "use '||'", id="or"),
        pytest.param("not a", "a", "use '!'", id="not"),
        pytest.param("x.`a-b`", "`", 'write x["name"]', id="backquotes"),
        pytest.param("a ? b ? c : d : e", "?", "':' of a conditional", id="nested conditional"),
        pytest.param("${a}", "$", "inside of ${...}", id="dollar sign"),
        pytest.param("a)", ")", "closes nothing", id="bracket too many"),
        pytest.param("(a", "", "ends where ')'", id="bracket too few"),
        pytest.param('1 +\n  "\\q"', "\\q", "not an escape", id="escape on the second line"),
        pytest.param('"\U0001f600" + = 1', "=", "equality", id="behind an astral character"),
        pytest.param('"a" + "b', '"', "not closed", id="open text"),
        pytest.param("[1].map(for, 1)", "for", "reserved word", id="reserved word"),
        pytest.param("a.b{c}", "}", "':' between field and value", id="message"),
        pytest.param("1 + 99999999999999999999", "99999999999999999999", "out of range", id="number"),
        pytest.param("x.map(a.b, 1)", "a.b", "variable name", id="macro variable"),
        pytest.param("has(x)", "x", "has(a.b)", id="has"),
        pytest.param("a b", "b", "behind a complete expression", id="two expressions"),
    ],
)
def test_complaint_points_and_helps(text: Any, marked: Any, hint: Any) -> None:
    """The first problem marks the culprit in the text, in code points, and says what would be right."""
    message, part = problems_of(text)[0]
    assert (part, hint in message) == (marked, True), message


def test_independent_problems_are_reported_together() -> None:
    """Reserved words and malformed macros do not hide each other."""
    assert [part for _, part in problems_of("[for, has(x), y.map(1, 2)]")] == ["for", "x", "1"]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        pytest.param("a + b * c", ["a + b * c", "a", "b * c", "b", "c"], id="precedence"),
        pytest.param("(a + b) * c", ["a + b) * c", "a + b", "a", "b", "c"], id="parentheses"),
        pytest.param(" x.y[ 1 ].z(2) ", ["x.y[ 1 ].z(2)", "x.y[ 1 ]", "x.y", "x", "1", "2"], id="member chain"),
        pytest.param('"\U0001f600" + b', ['"\U0001f600" + b', '"\U0001f600"', "b"], id="astral character"),
        pytest.param("a ?\n b : c", ["a ?\n b : c", "a", "b", "c"], id="several lines"),
        pytest.param(
            "l.map(v, v > 1, -v)", ["l.map(v, v > 1, -v)", "l", "v", "v > 1", "v", "1", "-v", "v"], id="macro"
        ),
        pytest.param("[a, {b: c}]", ["[a, {b: c}]", "a", "{b: c}", "b", "c"], id="literals"),
        pytest.param("a.B{c: d, ?e: f}", ["a.B{c: d, ?e: f}", "d", "f"], id="message"),
        pytest.param("has(a.b)", ["has(a.b)", "a"], id="has"),
        pytest.param("cel.bind(a, 1, a)", ["cel.bind(a, 1, a)", "a", "1", "a"], id="bind"),
        pytest.param("a.?b[?c]", ["a.?b[?c]", "a.?b", "a", "c"], id="optional syntax"),
    ],
)
def test_nodes_know_their_place(text: Any, parts: Any) -> None:
    """`start` and `end` of every node cut its text out of the expression. Parentheses belong to no node."""
    found = []

    def visit(node: Any) -> Any:
        found.append(text[node.start : node.end])
        for child in children(node):
            visit(child)

    visit(tree(text))
    assert found == parts


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        pytest.param("1 + 2 * 3", ("+", "1", ("*", "2", "3")), id="product binds tighter than sum"),
        pytest.param("1 - 2 - 3", ("-", ("-", "1", "2"), "3"), id="sums group to the left"),
        pytest.param("a < b == c", ("==", ("<", "a", "b"), "c"), id="relations have one level"),
        pytest.param("a + b in c", ("in", ("+", "a", "b"), "c"), id="relation binds looser than sum"),
        pytest.param("a || b && c", ("||", "a", ("&&", "b", "c")), id="and binds tighter than or"),
        pytest.param("a && b && c", ("&&", "a", "b", "c"), id="a chain is one node"),
        pytest.param("-a.b", ("-", ".b"), id="unary binds looser than selection"),
        pytest.param("-1.a", ".a", id="a minus belongs to its number"),
        pytest.param("a ? b : c ? d : e", ("?", "a", "b", ("?", "c", "d", "e")), id="conditionals group to the right"),
        pytest.param("!!a", "a", id="even numbers of signs vanish"),
    ],
)
def test_grouping(text: Any, shape: Any) -> None:
    def outline(node: Any) -> Any:
        if type(node) is Select:
            return f".{node.field}"
        if type(node) is Conditional:
            return ("?", *map(outline, children(node)))
        if type(node) in (Binary, Logic) or hasattr(node, "operator"):
            return (node.operator, *map(outline, children(node)))
        return str(node.value) if type(node) is Literal else node.name

    assert outline(tree(text)) == shape


def test_a_name_before_a_dot_is_a_target_until_the_library_knows_it() -> None:
    """The parser knows no functions: `lists.range(3)` is a member call."""
    node = tree("lists.range(3)")
    assert (type(node), node.name) == (MemberCall, "range")


@pytest.mark.parametrize("text", ["x[null]", "x[?null]", 'x[b"a"]', 'x[?b"a"]', "x.y[0][null]"])
def test_a_literal_that_is_no_key_has_no_program(text: str) -> None:
    with pytest.raises(CelSyntaxError, match="cannot be a key"):
        compile_(tree(text))


def test_both_spellings_of_exists_one_are_one_kind() -> None:
    nodes = [tree(f"x.{name}(i, v, true)") for name in ("existsOne", "exists_one")]
    assert [(type(node), node.kind, len(node.variables)) for node in nodes] == [(Comprehension, "exists_one", 2)] * 2


@pytest.mark.parametrize(
    ("accepted", "refused"),
    [
        pytest.param("(" * 249 + "1" + ")" * 249, "(" * 250 + "1" + ")" * 250, id="parentheses"),
        pytest.param("[" * 249 + "]" * 249, "[" * 251 + "]" * 251, id="lists"),
        pytest.param("A{b: " * 249 + "1" + "}" * 249, "A{b: " * 250 + "1" + "}" * 250, id="messages"),
        pytest.param("1" + "+1" * 250, "1" + "+1" * 251, id="sums"),
        pytest.param("x" + ".a" * 250, "x" + ".a" * 251, id="selections"),
        pytest.param("x" + ".f()" * 250, "x" + ".f()" * 251, id="member calls"),
        pytest.param("f(" * 249 + ")" * 249, "f(" * 251 + ")" * 251, id="calls"),
        pytest.param("true ? 1 : " * 249 + "1", "true ? 1 : " * 250 + "1", id="conditionals"),
        pytest.param("(1 + " * 120 + "1" + ")" * 120, "(1 + " * 126 + "1" + ")" * 126, id="sums in parentheses"),
        pytest.param("&& true" * 9_999 + "", "x" * 100_001, id="characters"),
    ],
)
def test_limits(accepted: Any, refused: Any) -> None:
    """250 levels and 100,000 characters, counted as cel-go counts them."""
    assert tree("true " + accepted if accepted.startswith("&&") else accepted)
    with pytest.raises(CelSyntaxError):
        tree(refused)


@pytest.mark.parametrize(
    "chain", ["!" * 9_999 + "a", "-" * 9_998 + "a", " || ".join("a" * 9_999), " && ".join("a" * 9_999)]
)
def test_chains_without_depth_are_not_limited(chain: Any) -> None:
    assert tree(chain)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 99_999,
        "[" * 99_999,
        "{" * 99_999,
        "a(" * 49_999,
        "a{b:" * 24_999,
        "a." * 49_999 + "b{",
        "-" * 99_999,
        "a?" * 49_999,
        "a" + ".a" * 49_000,
        '"' * 99_999,
    ],
)
def test_hostile_texts_are_refused_in_order(text: Any) -> None:
    """No text ends in anything but a CelSyntaxError."""
    assert problems_of(text)
