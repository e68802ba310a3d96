"""Documents: values, where each one begins and ends, and what YAML's rarer features give."""

from __future__ import annotations

from typing import Any

import pytest

from krm_fn.read.yaml import parse_documents


def values(text: str) -> list[Any]:
    return [document.value for document in parse_documents(text, "f.yaml")]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("on: 1\n1: a\n0x10: b\n~x: c", {"true": 1, "1": "a", "16": "b", "~x": "c"}, id="keys become text"),
        pytest.param('"1": a\n"on": b', {"1": "a", "on": "b"}, id="quoted keys stay"),
        pytest.param("1.10: a", {"1.1": "a"}, id="float keys lose zeros, as in sigs.k8s.io/yaml"),
        pytest.param("a:\nb: ''\nc: \"\"\nd: ~", {"a": None, "b": "", "c": "", "d": None}, id="nulls and empty text"),
        pytest.param("a: 'yes'\nb: \"1\"", {"a": "yes", "b": "1"}, id="quotes make text"),
        pytest.param("- - 1\n  - 2\n- []\n- {}", [[1, 2], [], {}], id="lists"),
        pytest.param("a: {b: [1, {c: d}], e: }", {"a": {"b": [1, {"c": "d"}], "e": None}}, id="flow style"),
        pytest.param("a: |\n  x\n   y\n\nb: >-\n  x\n  y\n", {"a": "x\n y\n", "b": "x y"}, id="block scalars"),
        pytest.param("a: b\r\nc: |\r\n  d\r\n", {"a": "b", "c": "d\n"}, id="CRLF"),
        pytest.param("\ufeffa: 1", {"a": 1}, id="byte order mark"),
        pytest.param("a: &x {b: 1}\nc: *x", {"a": {"b": 1}, "c": {"b": 1}}, id="alias"),
        pytest.param("a: &x 1\nc: &x 2\nd: *x", {"a": 1, "c": 2, "d": 2}, id="anchor set twice: the last one counts"),
        pytest.param("a: &x [&x 1]\nb: *x", {"a": [1], "b": 1}, id="anchor set once more inside itself"),
        pytest.param("&k a: 1\nb: *k", {"a": 1, "b": "a"}, id="anchor of a key"),
        pytest.param("&k a: 1\nb: {*k : 2}", {"a": 1, "b": {"a": 2}}, id="alias as a key"),
        pytest.param("<<: {a: 1, b: 2}\na: 3", {"a": 3, "b": 2}, id="merge, then the key"),
        pytest.param(
            "a: 3\n<<: {a: 1, b: 2}", {"a": 1, "b": 2}, id="key, then the merge: the merge wins, as in yaml.v2"
        ),
        pytest.param("<<: [{a: 1}, {a: 2, b: 3}]", {"a": 1, "b": 3}, id="merge of a list: the first wins"),
        pytest.param(
            "x: &x {a: 1}\nz:\n  <<: *x\n  b: 2", {"x": {"a": 1}, "z": {"a": 1, "b": 2}}, id="merge of an alias"
        ),
        pytest.param('"<<": {a: 1}', {"<<": {"a": 1}}, id="a quoted << is a key"),
        pytest.param("a: =\n=: b", {"a": "=", "=": "b"}, id="the value sign is text"),
        pytest.param(
            "a: !!str 12\nb: !!int '3'\nc: !!map {}\nd: !!seq []\ne: ! 1",
            {"a": "12", "b": 3, "c": {}, "d": [], "e": "1"},
            id="tags",
        ),
        pytest.param("? a\n: b\n? c", {"a": "b", "c": None}, id="explicit keys"),
        pytest.param("%YAML 1.2\n---\na: 1", {"a": 1}, id="version directive"),
        pytest.param("just text", "just text", id="a scalar is a document"),
        pytest.param('{"a": "\\ud83d\\ude00", "b": 1.0, "c": 1e3}', {"a": "😀", "b": 1, "c": 1000}, id="JSON"),
        pytest.param('{"a": "\\ud83d"}', {"a": "\ufffd"}, id="JSON: half a surrogate pair, as in Go"),
        pytest.param('{"a": 18446744073709551616}', {"a": 18446744073709551616.0}, id="JSON: beyond int64"),
        pytest.param("{a: b}", {"a": "b"}, id="YAML that begins like JSON"),
        pytest.param("{}\n", {}, id="empty mapping"),
    ],
)
def test_values(text: str, value: Any) -> None:
    """A text means what Kubernetes reads in it."""
    [got] = values(text)
    assert (got, repr(got)) == (value, repr(value))


def test_order_of_keys_is_that_of_the_text() -> None:
    """Nothing is sorted."""
    assert list(values("z: 1\na: 2\nm: 3")[0]) == ["z", "a", "m"]


def test_empty_documents_are_skipped_and_counted() -> None:
    """A document keeps the index that it has in the file."""
    documents = parse_documents("---\n---\na: 1\n---\n# nothing\n---\nnull\n---\nb: 2\n---\n", "f")
    assert [(document.index, document.value) for document in documents] == [(1, {"a": 1}), (4, {"b": 2})]


@pytest.mark.parametrize("text", ["", "\n", "# a comment\n", "---\n", "---\n---\n", "\ufeff"])
def test_nothing_is_no_document(text: str) -> None:
    """Empty files, comments and bare markers give no documents."""
    assert parse_documents(text, "f") == []


@pytest.mark.parametrize(
    ("text", "texts"),
    [
        pytest.param("a: 1 # x\n", ["a: 1 # x\n"], id="one"),
        pytest.param(
            "# head\na: 1\n---\n# own\nb: 2\n# foot\n---\nc: 3",
            ["# head\na: 1\n", "# own\nb: 2\n# foot\n", "c: 3"],
            id="comments stay",
        ),
        pytest.param("a: 1\n...\n---\nb: 2\n", ["a: 1\n", "b: 2\n"], id="end marker"),
        pytest.param(
            "--- # why\na: 1\n--- {b: 2}\n", [" # why\na: 1\n", " {b: 2}\n"], id="content on the marker's line"
        ),
        pytest.param("---\r\na: 1\r\n---\r\nb: 2\r\n", ["a: 1\r\n", "b: 2\r\n"], id="CRLF"),
        pytest.param("a: |\n  x\n\n\n---\nb: 1\n", ["a: |\n  x\n\n\n", "b: 1\n"], id="blank lines stay"),
        pytest.param("\ufeffa: é\n---\nb: 😀\n", ["a: é\n", "b: 😀\n"], id="byte order mark is no text"),
        pytest.param('{"a": 1}\n{"b": 2}\n---\n{"c": 3}', ['{"a": 1}', '{"b": 2}', '{"c": 3}'], id="JSON"),
    ],
)
def test_own_text(text: str, texts: list[str]) -> None:
    """A document's text is what stands between the markers, to the byte; reading it again gives the same value."""
    documents = parse_documents(text, "f")
    assert [document.text() for document in documents] == texts
    assert [values(document.text()) for document in documents] == [[document.value] for document in documents]


def test_aliases_share_and_cost_nothing() -> None:
    """An alias is the same object as its anchor, so repeating one costs no memory."""
    [value] = values("a: &x [1, 2]\nb: *x")
    assert value["a"] is value["b"]


def test_deep_but_allowed() -> None:
    """200 levels are read."""
    [value] = values("[" * 200 + "]" * 200)
    assert str(value).count("[") == 200
