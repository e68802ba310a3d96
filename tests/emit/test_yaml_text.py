"""YAML text that every reader takes for the value that was written."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from krm_fn.emit import yaml_text
from krm_fn.emit.yaml_text import dump, quoted
from krm_fn.read.yaml import parse_documents
from tests.hosts.programs import tool

if TYPE_CHECKING:
    from pathlib import Path

OBJECT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "labels": {}, "annotations": {"a/b": "true", "note": "two\nlines\n"}},
    "spec": {
        "replicas": 2,
        "ratio": 0.5,
        "paused": False,
        "strategy": None,
        "containers": [
            {"name": "app", "args": ["--port=8080", "-v", "1"], "ports": [{"containerPort": 8080}]},
            {"env": []},
        ],
        "matrix": [[1, 2], [], [[3], {"a": 1, "b": [4]}]],
    },
}

TEXT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {}
  annotations:
    a/b: "true"
    note: |
      two
      lines
spec:
  replicas: 2
  ratio: 0.5
  paused: false
  strategy: null
  containers:
  - name: app
    args:
    - --port=8080
    - -v
    - "1"
    ports:
    - containerPort: 8080
  - env: []
  matrix:
  - - 1
    - 2
  - []
  - - - 3
    - a: 1
      b:
      - 4
"""


def test_form() -> None:
    """Block style, two blanks, dashes at the indentation of their key, keys in the order given."""
    assert dump(OBJECT) == TEXT


def test_indentation() -> None:
    """Every line can be indented, so that an object fits into a list."""
    assert dump(OBJECT, 4) == "".join(f"    {line}\n" for line in TEXT.splitlines())
    assert dump([OBJECT], 2).startswith("  - apiVersion: apps/v1\n    kind: Deployment\n")


PLAIN = [
    "abc",
    "a-b",
    "a_b",
    "a.b",
    "a/b",
    "a,b",
    "a+b",
    "a=b",
    "a[0]",
    "a{b}",
    "a'b",
    'a"b',
    "a#b",
    "a:b",
    "http://x:80/",
    "${x}",
    "${a.?b}",
    "$(X)",
    "--port=8080",
    "-v",
    "1.2.3",
    "10.0.0.1",
    "10.0.0.0/8",
    "100m",
    "1Gi",
    "12ab",
    "2h",
    "8080-tcp",
    "v1",
    "a1e3",
    "/path",
    ".dockerignore",
    "_x",
    "<html>",
    "^a",
    ";a",
    "é",
    "漢字",
    "😀",
    "x\\y",
    "nan",
    "inf",
    "truth",
    "--",
    "_1",
]
PLAIN += ["a b", "a - b", "a # b".replace(" #", "#"), "a  b", "e.g. this", "a ? b"]

QUOTED = [
    "y",
    "Y",
    "n",
    "N",
    "yes",
    "Yes",
    "YES",
    "yES",
    "no",
    "No",
    "NO",
    "on",
    "On",
    "ON",
    "off",
    "Off",
    "OFF",
    "true",
    "True",
    "TRUE",
    "tRuE",
    "false",
    "False",
    "null",
    "Null",
    "NULL",
    "~",
    "=",
    "<<",
    "0",
    "1",
    "-1",
    "+1",
    "010",
    "08",
    "0o17",
    "0O17",
    "0x1F",
    "0X1F",
    "0b11",
    "-0b1",
    "0b-1",
    "0o+1",
    "0o-_7",
    "1_000",
    "1_",
    "0x_1",
    "1e3",
    "12e3",
    "1E3",
    "1e+3",
    "1e-3",
    "1.5e3",
    ".5",
    "-.5",
    "5.",
    "0.",
    "1.0",
    "1e400",
    "9e99999",
    ".inf",
    ".Inf",
    "-.INF",
    "+.inf",
    ".nan",
    ".NaN",
    "1:30",
    "1:30:45",
    "190:20:30.15",
    "-1:30",
    "2024-01-01",
    "2001-1-1",
    "2024-01-01T00:00:00Z",
    "-",
    "?",
    ":",
    "---",
    "...",
    "---a",
    "...a",
    "#a",
    "&a",
    "*a",
    "!a",
    "|a",
    ">a",
    "%a",
    "@a",
    "`a",
    "'a",
    '"a',
    "[a",
    "{a",
    "]a",
    "}a",
    ",a",
    "a:",
    "?a",
    ":a",
    "-:",
    "0x",
    "0o",
    "0b",
    ".",
    "1__2",
    "+_1",
    "~a",
]
QUOTED += ["", " ", " a", "a ", "a: b", "a #b", "- a", "? a", "a\tb", "2024-01-01 10:00:00", ": a", "key: value", "\u00a0", "\u2028", "\u0085", "\ufeff", "\x7f"]  # fmt: skip


@pytest.mark.parametrize("text", [pytest.param(text, id=repr(text)) for text in PLAIN])
def test_plain(text: str) -> None:
    """What nobody misreads has no quotes."""
    assert dump({text: text}) == f"{text}: {text}\n"


@pytest.mark.parametrize("text", [pytest.param(text, id=repr(text)) for text in QUOTED])
def test_quoted(text: str) -> None:
    """What any reader could take for something else has quotes, as a value and as a key."""
    written = quoted(text)
    assert written[0] == written[-1]
    assert written[0] in "'\""
    assert dump({text: text}) == f"{written}: {written}\n"


NUMBER_LIKE = re.compile(
    r"[-+]?(?:0[xX][0-9a-fA-F_]*|0[oO][-+]?[0-7_]*|0[bB][-+]?[01_]*|[0-9_]*\.?[0-9_]*(?:[eE][-+]?[0-9_]*)?"
    r"|[0-9_]+(?::[0-9_]+)+(?:\.[0-9_]*)?)|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*"
)
"""What YAML 1.1 and 1.2 and their readers take for a number, a time of day in base 60 or a date, or might."""


@pytest.mark.thorough
@settings(max_examples=1000, deadline=None)
@given(
    st.from_regex(r"[+0-9][-+.0-9_:eExXoObBaf\u0660]{0,8}(?<!:)", fullmatch=True)
    | st.from_regex(r"[0-9]{3,5}-[0-9]{0,3}-[0-9]{0,3}[.xT]?", fullmatch=True)
)
def test_law_what_looks_like_a_number_has_quotes(text: str) -> None:
    """And nothing else has: said once more as a regular expression, which costs a render a fifth of its start to import."""
    assert (quoted(text) != text) == (NUMBER_LIKE.fullmatch(text) is not None)


NUMBER_START = frozenset(("", *"+-.0123456789"))


@given(st.from_regex(NUMBER_LIKE, fullmatch=True).filter(lambda text: text[:1] in NUMBER_START))
def test_law_every_number_has_quotes(text: str) -> None:
    """No reader takes what begins with an underscore or an exponent for a number."""
    assert quoted(text) != text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        pytest.param("yes", '"yes"', id="double quotes first"),
        pytest.param('"a": "b"', "'\"a\": \"b\"'", id="single quotes where double ones are inside"),
        pytest.param("*\\d", "'*\\d'", id="single quotes where a backslash is inside"),
        pytest.param("it's: \"x\"", "'it''s: \"x\"'", id="both inside"),
        pytest.param('a\x01\x7f\x85\u2028\ufeff\ufffe\r\t"\\é', '"a\\x01\\x7f\\x85\\u2028\\ufeff\\ufffe\\r\\t\\"\\\\é"', id="escapes"),
        pytest.param("😀: 漢", '"😀: 漢"', id="astral characters are written as they are"),
    ],
)  # fmt: skip
def test_quotes(text: str, written: str) -> None:
    """The quotes that need the least escaping; escapes for whatever does not print."""
    assert quoted(text) == written


@pytest.mark.parametrize(
    ("text", "written"),
    [
        pytest.param("a\nb", "|-\n  a\n  b", id="no break at the end"),
        pytest.param("a\nb\n", "|\n  a\n  b", id="one break at the end"),
        pytest.param("a\n\n\n", "|+\n  a\n\n", id="several breaks at the end"),
        pytest.param("a\n\n  b\n\tc\td\n", "|\n  a\n\n    b\n  \tc\td", id="blank lines, indentation, tabs"),
        pytest.param("---\n...\n# no: comment\n- x\n", "|\n  ---\n  ...\n  # no: comment\n  - x", id="anything that looks like YAML"),
        pytest.param("é\n😀", "|-\n  é\n  😀", id="any script"),
        pytest.param("\n", '"\\n"', id="only a break"),
        pytest.param("\na", '"\\na"', id="empty first line"),
        pytest.param(" a\nb", '" a\\nb"', id="blank at the start"),
        pytest.param("\ta\nb", '"\\ta\\nb"', id="tab at the start"),
        pytest.param("a \nb", '"a \\nb"', id="blank at the end of a line"),
        pytest.param("a\t\nb", '"a\\t\\nb"', id="tab at the end of a line"),
        pytest.param("a\nb ", '"a\\nb "', id="blank at the end"),
        pytest.param("a\r\nb", '"a\\r\\nb"', id="carriage return"),
        pytest.param("a\nb\x1b[0m", '"a\\nb\\x1b[0m"', id="control character"),
        pytest.param("a\nb\u2028", '"a\\nb\\u2028"', id="another kind of line break"),
    ],
)  # fmt: skip
def test_several_lines(text: str, written: str) -> None:
    """A literal block wherever it is exact, double quotes otherwise."""
    assert dump({"k": text}) == f"k: {written}\n"
    assert dump(["x", text]) == f"- x\n- {written}\n"
    assert parse_documents(dump(text), "f")[0].value == text


def test_keys_are_never_blocks() -> None:
    """A key of several lines is quoted; one that is too long to stand before a colon is written the long way."""
    assert dump({"a\nb": 1}) == '"a\\nb": 1\n'
    long = "k" * 2000
    assert (
        dump({"x": [{long: {"a": [1]}, "b": "c\nd"}]})
        == f"x:\n- ? {long}\n  :\n    a:\n    - 1\n  b: |-\n    c\n    d\n"
    )


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "0"),
        (-5, "-5"),
        (2**63 - 1, "9223372036854775807"),
        (1.0, "1"),
        (0.1, "0.1"),
        (1e20, "100000000000000000000"),
        (1e21, "1.0e+21"),
        (1.5e300, "1.5e+300"),
        (1e-7, "1.0e-7"),
        (True, "true"),
        (None, "null"),
        ({}, "{}"),
        ([], "[]"),
    ],
)
def test_scalars(value: Any, written: str) -> None:
    """Numbers have Go's digits, and a point where YAML 1.1 would otherwise see text."""
    assert dump({"k": value}) == f"k: {written}\n"
    assert dump(value) == f"{written}\n"


@pytest.mark.parametrize(
    ("value", "error"),
    [
        pytest.param(float("nan"), ValueError, id="NaN"),
        pytest.param(float("-inf"), ValueError, id="infinity"),
        pytest.param("\ud83d", ValueError, id="half a surrogate pair"),
        pytest.param({"a\udc00": 1}, ValueError, id="half a surrogate pair in a key"),
        pytest.param("a\n\ud83d", ValueError, id="half a surrogate pair on the second line"),
        pytest.param({1, 2}, TypeError, id="a set"),
        pytest.param(b"x", TypeError, id="bytes"),
        pytest.param((1,), TypeError, id="a tuple"),
    ],
)
def test_what_cannot_be_written(value: Any, error: type[Exception]) -> None:
    """What no reader could read is an error of the caller, never a guess."""
    with pytest.raises(error):
        dump({"k": value})


def nested(depth: int, *, lists: bool) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value] if lists else {"a": value}
    return value


@pytest.mark.parametrize("lists", [True, False])
def test_depth(lists: bool) -> None:
    """500 levels are written; one more is a clear error instead of a stack that runs out."""
    assert dump(nested(500, lists=lists)).count("1") == 1
    with pytest.raises(ValueError, match="deeper than 500 levels"):
        dump(nested(501, lists=lists))


def test_memory_is_bounded() -> None:
    """What is remembered of scalars and keys has a limit."""
    for i in range(100):
        dump({"x": nested(i, lists=False), **{f"key-{i}-{j}": f"value {i} {j}" for j in range(100)}})
    assert len(yaml_text._scalars) <= yaml_text._MEMO_SIZE
    assert len(yaml_text._keys_at) <= yaml_text._MEMO_INDENTS
    assert max(len(keys) for keys in yaml_text._keys_at.values()) <= yaml_text._MEMO_KEYS


# ---- laws

ODD = st.sampled_from(
    [*PLAIN, *QUOTED, "a\nb", "a\n", "a\n\n", "\n", " a\nb", "a \nb", "- a\n- b\n", "a: b\nc\n", "# a\nb"]
)
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
YAMLISH = st.text("ab:- #\n\t\"'\\{}[],&*!|>%@`~=0123e.x_+yn\r\u0085é😀", max_size=10)
TEXTS = st.one_of(ODD, ANY_TEXT, YAMLISH)
FLOATS = st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: not x.is_integer() or abs(x) >= 1e21)
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), FLOATS, TEXTS)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)


def exact(value: Any) -> str:
    """A text that is equal only for values that are equal with their types."""
    return json.dumps(value, sort_keys=True)


@given(value=VALUES)
@settings(max_examples=300, deadline=None)
def test_law_reading_gives_the_value_back(value: Any) -> None:
    """Our own reader, which reads as Kubernetes does, sees the same value with the same types; so does PyYAML."""
    text = dump({"k": value})
    assert exact([d.value for d in parse_documents(text, "f")]) == exact([{"k": value}])
    assert exact(yaml.load(text, Loader=yaml.CSafeLoader)) == exact({"k": value})


@given(values=st.lists(VALUES, min_size=1, max_size=4))
@settings(max_examples=120, deadline=None)
def test_law_documents_can_be_joined(values: list[Any]) -> None:
    """No line of a value looks like a document marker, so `---` splits what was joined with it."""
    texts = [dump({"k": value}) for value in values]
    assert not any(line.startswith(("---", "...", "%")) for text in texts for line in text.split("\n"))
    assert exact([d.value for d in parse_documents("---\n".join(texts), "f")]) == exact([{"k": v} for v in values])


@given(value=VALUES)
@settings(max_examples=120, deadline=None)
def test_law_order_of_keys_is_kept(value: Any) -> None:
    """Keys come back in the order given."""
    [document] = parse_documents(dump({"k": value}), "f")
    assert json.dumps(document.value) == json.dumps({"k": value})


def test_the_same_text_in_any_order_of_calls() -> None:
    """What is remembered never changes what is written."""
    first = dump(OBJECT)
    for text in (*PLAIN, *QUOTED):
        dump({text: [text, {text: text}]})
    assert dump(OBJECT) == first


# ---- readers written in Go


STRINGS = [*PLAIN, *(text for text in QUOTED if "\x7f" not in text), "a\nb", "a\nb\n", "a\n\n\n", "\na", " a\nb", "a \nb", "a\n\tb\n", "a\r\nb", "# a\n- b\n"]  # fmt: skip
NUMBERS = [0, -1, 2**53, 0.1, 1.5e-7, 1e21, 1e300, 123456789.125]


@pytest.mark.hosts
def test_kubectl_reads_the_value(tmp_path: Path) -> None:
    """sigs.k8s.io/yaml inside kubectl sees every string as that string and every number as that number."""
    made = {
        "apiVersion": "example.com/v1",
        "kind": "Sample",
        "metadata": {"name": "x", "annotations": {"a": "b"}},
        "values": [*STRINGS, *NUMBERS],
        "keys": {f"{text}": text for text in STRINGS},
    }
    (tmp_path / "x.yaml").write_text(dump(made), encoding="utf-8")
    command = [tool("kubectl"), "annotate", "--local", "-f", "x.yaml", "a=b", "--overwrite", "-o", "json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    assert exact(json.loads(done.stdout)) == exact(made)


@pytest.mark.hosts
def test_kustomize_reads_the_value(tmp_path: Path) -> None:
    """go-yaml v3 inside kustomize sees the same; its own output is read back by our reader."""
    made = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "x"},
        # kustomize itself writes U+0085 as a line break
        "data": {f"k{i}": text for i, text in enumerate(STRINGS) if "\u0085" not in text},
    }
    (tmp_path / "x.yaml").write_text(dump(made), encoding="utf-8")
    (tmp_path / "kustomization.yaml").write_text("resources: [x.yaml]\n", encoding="utf-8")
    done = subprocess.run([tool("kubectl"), "kustomize", "."], cwd=tmp_path, capture_output=True, check=True, text=True)
    [document] = parse_documents(done.stdout, "kustomize")
    assert exact(document.value) == exact(made)
