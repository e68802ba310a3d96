"""What is not read, and the words in which that is said."""

from __future__ import annotations

import resource
import time

import pytest

from krm_fn.read import yaml
from krm_fn.read.yaml import parse_documents
from krm_fn.report.diagnostic import RenderError


def refusal(text: str) -> list[str]:
    """All problems of a text, as `line:column code: message`."""
    with pytest.raises(RenderError) as caught:
        parse_documents(text, "f.yaml")
    found = [(d, d.position) for d in caught.value.diagnostics]
    return [f"{place.line}:{place.column} {d.code}: {d.message}" for d, place in found if place is not None]


SYNTAX = [
    pytest.param("a:\n\t- b", "2:1", "a tab cannot be used for indentation", id="tab before a list item"),
    pytest.param("a:\n  b: 1\n\tc: 2", "3:1", "a tab cannot be used for indentation", id="tab before a key"),
    pytest.param("a: >\n\tfoo", "2:1", "a tab cannot be used for indentation", id="tab before block text"),
    pytest.param('a: ${x ? "b" : "c"}', "1:14", "': ' ends an unquoted value, inside an expression too", id="ternary"),
    pytest.param("a: ${x}: y", "1:8", "': ' ends an unquoted value, inside an expression too", id="colon after expression"),
    pytest.param("a: b: c", "1:5", "': ' is not allowed in an unquoted value", id="second colon"),
    pytest.param("a:b\nc: d", "1:2", "a space is missing after ':'", id="no space after colon"),
    pytest.param("a: 1\nb:2\nc: 3", "2:2", "a space is missing after ':'", id="no space after colon, further down"),
    pytest.param("a: 1\n  b: 2", "2:3", "this key is indented below a key that has a value", id="indented below a value"),
    pytest.param("x" * 1100 + ": y", "1:1101", "a key is longer than 1,024 characters", id="long key"),
    pytest.param("a: [${x}, ${y}]", "1:6", "',' or ']' is expected; braces of an unquoted expression are YAML here", id="expression in a flow list"),
    pytest.param("a: {b: ${x}}", "1:9", "',' or '}' is expected; braces of an unquoted expression are YAML here", id="expression in a flow mapping"),
    pytest.param("a: [1, 2\nb: c", "2:2", "',' or ']' is expected, for the '[' of line 1", id="bracket on an earlier line"),
    pytest.param("a: [1, 2", "1:4", "this '[' is never closed", id="open bracket"),
    pytest.param('a: "x\nb: c\n', "1:4", "this quote is never closed", id="open double quote"),
    pytest.param("a: 'x\n---\nb: c\n", "1:4", "this quote is never closed", id="open quote before a marker"),
    pytest.param('a: "b" c', "1:8", "text follows the closing quote", id="text after a quote"),
    pytest.param("a: {{ x }}-b", "1:11", "text follows the closing '}'", id="text after a brace"),
    pytest.param('a: "\\d"', "1:5", "'\\d' is no escape inside double quotes", id="unknown escape"),
    pytest.param('a: "\\ud83d"', "1:7", "the escape is not a character", id="surrogate escape in YAML"),
    pytest.param("a: @x", "1:4", "'@' cannot begin an unquoted value", id="at sign"),
    pytest.param("a: %x", "1:4", "'%' cannot begin an unquoted value", id="percent sign"),
    pytest.param("a: *.example.com", "1:4", "'*' cannot begin an unquoted value", id="star"),
    pytest.param("a: & b", "1:4", "'&' cannot begin an unquoted value", id="ampersand"),
    pytest.param("a: - b", "1:4", "a list cannot begin on the line of its key", id="dash after a key"),
    pytest.param("a:\n  b: 1\n c: 2", "3:2", "the indentation fits no mapping above", id="odd indentation"),
    pytest.param("b: 1\n- a", "2:1", "a list item stands where a key is expected", id="item among keys"),
    pytest.param("- a\nb: 1", "2:1", "a list item is expected here", id="key among items"),
    pytest.param("a: 1\nb\nc: 2", "2:1", "this line has no ': '", id="line without a colon"),
    pytest.param("a: |x\n  b", "1:5", "only a line break may follow '|'", id="text after a block sign"),
    pytest.param("a: ]", "1:4", "a value is expected, not ']'", id="stray bracket"),
    pytest.param("a: b\n...\nc: d", "3:1", "text follows the end of the document", id="text after the end"),
    pytest.param("a: !x!y z", "1:4", "found undefined tag handle while parsing a node", id="anything else in the parser's words"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "place", "message"), SYNTAX)
def test_syntax(text: str, place: str, message: str) -> None:
    """The commonest mistakes are named for what they are, at the place to change."""
    assert refusal(text) == [f"{place} yaml-syntax: {message}"]


@pytest.mark.parametrize(
    ("text", "help_"),
    [
        pytest.param("a: ${x ? 1 : 2}", "quote the whole value, with quotes that the expression does not use: '${…}' or \"${…}\"", id="expression"),
        pytest.param("a:\n  {{- include }}", "this looks like a Helm or Go template; render it first, or quote the value", id="template"),
        pytest.param("{{ if x }}\na: b\n{{ end }}", "this looks like a Helm or Go template; render it first, or quote the value", id="template, line above"),
        pytest.param("a:\n\tb: 1", "indent with spaces", id="tab"),
        pytest.param("a: [${x}]", "quote each expression inside […]", id="flow"),
    ],
)  # fmt: skip
def test_syntax_help(text: str, help_: str) -> None:
    """The remedy stands beside the problem."""
    with pytest.raises(RenderError) as caught:
        parse_documents(text, "f.yaml")
    assert caught.value.diagnostics[-1].help == help_


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        pytest.param("a: 1\nb: 2\na: 3", ["3:1 duplicate-key: 'a' is set twice in one mapping, first at f.yaml:1:1"], id="key"),
        pytest.param("yes: 1\ntrue: 2", ["2:1 duplicate-key: 'true' is set twice in one mapping, first at f.yaml:1:1"], id="key of two spellings"),
        pytest.param('1: a\n"1": b', ["2:1 duplicate-key: '1' is set twice in one mapping, first at f.yaml:1:1"], id="number and text"),
        pytest.param("x:\n- {a: 1, a: 2}\n- b: 1\n  b: 2", ["2:10 duplicate-key: 'a' is set twice in one mapping, first at f.yaml:2:4", "4:3 duplicate-key: 'b' is set twice in one mapping, first at f.yaml:3:3"], id="all of them"),
        pytest.param("<<: {a: 1}\na: 2\na: 3", ["3:1 duplicate-key: 'a' is set twice in one mapping, first at f.yaml:2:1"], id="after a merge"),
        pytest.param('{"a": {"b": 1, "b": 2}}', ["1:16 duplicate-key: 'b' is set twice in one mapping, first at f.yaml:1:8"], id="JSON"),
        pytest.param("a: 1\n---\nb: 1\nb: 2", ["4:1 duplicate-key: 'b' is set twice in one mapping, first at f.yaml:3:1"], id="second document"),
        pytest.param("a: .inf", ["1:4 yaml-unsupported: .inf has no place in JSON"], id="infinity"),
        pytest.param("- -.INF\n- .nan", ["1:3 yaml-unsupported: -.INF has no place in JSON", "2:3 yaml-unsupported: .nan has no place in JSON"], id="not finite"),
        pytest.param("a: !x y\nb: !x [1]\nc: !!set {d}", ["1:4 yaml-unsupported: the tag !x has no meaning in a Kubernetes manifest", "2:4 yaml-unsupported: the tag !x has no meaning in a Kubernetes manifest", "3:4 yaml-unsupported: the tag !!set has no meaning in a Kubernetes manifest"], id="tags"),
        pytest.param("a: !!python/object/apply:os.system [ls]", ["1:4 yaml-unsupported: the tag !!python/object/apply:os.system has no meaning in a Kubernetes manifest"], id="a tag that is code elsewhere"),
        pytest.param("a: !!int x", ["1:4 yaml-unsupported: 'x' is not a value of the tag !!int"], id="a tag that does not fit"),
        pytest.param("null: 1", ["1:1 yaml-unsupported: null is not a key"], id="null key"),
        pytest.param("18446744073709551615: 1", ["1:1 yaml-unsupported: 18446744073709551615 is too large for a key"], id="key beyond int64"),
        pytest.param("? [a]\n: b", ["1:3 yaml-unsupported: a mapping or a list cannot be a key"], id="list as a key"),
        pytest.param("a: {{ .Values.x }}", ["1:5 yaml-unsupported: a mapping or a list cannot be a key"], id="template"),
        pytest.param("<<: 1", ["1:1 yaml-unsupported: '<<' wants a mapping, or a list of mappings"], id="merge of a scalar"),
        pytest.param("%TAG ! tag:x,2000:\n---\na: 1", ["1:1 yaml-unsupported: a %TAG directive has no meaning in a Kubernetes manifest"], id="tag directive"),
        pytest.param("a: *x", ["1:4 yaml-aliases: the alias *x has no anchor &x before it"], id="alias without anchor"),
        pytest.param("a: &x 1\n---\nb: *x", ["3:4 yaml-aliases: the alias *x has no anchor &x before it"], id="anchor of another document"),
        pytest.param("a: &x [*x]", ["1:8 yaml-aliases: the alias *x stands inside its own anchor"], id="alias in itself"),
        pytest.param("a: \x01", ["1:4 yaml-encoding: the character U+0001 is not allowed in YAML"], id="control character"),
        pytest.param("a: b\0", ["1:5 yaml-encoding: the character U+0000 is not allowed in YAML"], id="NUL"),
        pytest.param("é: \ud83d", ["1:4 yaml-encoding: the character U+D83D is not allowed in YAML"], id="half a surrogate pair"),
    ],
)  # fmt: skip
def test_values_that_are_refused(text: str, problems: list[str]) -> None:
    """Each problem of a readable text is reported, with the place of its culprit."""
    assert refusal(text) == problems


def test_problems_of_earlier_documents_survive_a_syntax_error() -> None:
    """Everything that is known when reading ends is said."""
    assert [problem.split(" ")[1] for problem in refusal("a: 1\na: 2\n---\nb: ]")] == ["duplicate-key:", "yaml-syntax:"]


def test_where_names_the_path() -> None:
    """The path inside the object goes with a problem of a value."""
    with pytest.raises(RenderError) as caught:
        parse_documents("spec:\n  a-b:\n  - x/y: .inf", "f")
    assert caught.value.diagnostics[0].where == 'spec.a-b[0]["x/y"]'


def test_the_number_of_problems_is_bounded() -> None:
    """A hostile file cannot make the report endless."""
    assert len(refusal("a: 1\n" * 1000)) == 100


# ---- bounds


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "], ids=["flow list", "flow mapping", "block list", "keys"])
def test_too_deep(opening: str) -> None:
    """Nesting ends at 200 levels, whatever it is made of."""
    assert [line.split(": ")[0].split(" ")[1] for line in refusal(opening * 50_000)] == ["yaml-too-deep"]


def test_too_deep_json() -> None:
    """JSON is bounded alike, and a bracket inside a string does not count."""
    assert "yaml-too-deep" in refusal('{"a": ' * 300 + "1" + "}" * 300)[0]
    assert parse_documents('{"a": "' + "[" * 500 + '"}', "f")[0].value == {"a": "[" * 500}


def test_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text beyond the bound is refused before it is parsed."""
    monkeypatch.setattr(yaml, "MAX_TEXT", 10)
    assert refusal("a: 1234567890") == ["1:1 input-too-large: f.yaml has 13 characters; at most 10 are read"]


def laughs(levels: int, width: int) -> str:
    lines = ["a0: &a0 [" + ", ".join(["lol"] * width) + "]"]
    lines += [f"a{i}: &a{i} [" + ", ".join([f"*a{i - 1}"] * width) + "]" for i in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(laughs(9, 10), id="a billion laughs"),
        pytest.param(laughs(120, 2), id="doubling"),
        pytest.param("a: &a " + "x" * 100_000 + "\nb:\n" + "- *a\n" * 200_000, id="one large scalar, often"),
        pytest.param("a0: &a0 {x: 1}\n" + "".join(f"a{i}: &a{i} {{<<: [*a{i - 1}, *a{i - 1}], k{i}: 1}}\n" for i in range(1, 60)), id="merges"),
    ],
)  # fmt: skip
def test_aliases_are_bounded(text: str) -> None:
    """A text whose aliases multiply is refused quickly and with little memory."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    assert "yaml-aliases: aliases repeat more than 10,000,000 characters" in refusal(text)[0]
    assert time.process_time() - started < 3
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


def test_ordinary_aliases_are_far_below_the_bound() -> None:
    """A pod template of 60 lines may be repeated a thousand times."""
    template = "".join(f"  key{i}: value number {i}\n" for i in range(60))
    text = f"a: &a\n{template}b:\n" + "- *a\n" * 1000
    assert len(parse_documents(text, "f")[0].value["b"]) == 1000
