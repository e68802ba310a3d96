"""`locate`: where a path of the value stands in the source, to the character."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from krm_fn.emit.yaml_text import dump
from krm_fn.read import positions
from krm_fn.read.yaml import parse_documents

TEXT = """\
# head
kind: A
---
# second
spec: &anchor
  list:
  - name: one
    "quoted key": 2
  - {flow: 3}
  yes: no
  empty:
again: *anchor
merged:
  <<: *anchor
  own: 1
"""


@pytest.mark.parametrize(
    ("path", "key", "place"),
    [
        pytest.param((), False, "5:1", id="the document"),
        pytest.param(("spec",), True, "5:1", id="a key"),
        pytest.param(("spec",), False, "6:3", id="a mapping is where its first key is"),
        pytest.param(("spec", "list"), False, "7:3", id="a list is where its first dash is"),
        pytest.param(("spec", "list", 0), False, "7:5", id="an item"),
        pytest.param(("spec", "list", 0), True, "7:5", id="an item has no key"),
        pytest.param(("spec", "list", 0, "name"), False, "7:11", id="a scalar"),
        pytest.param(("spec", "list", 0, "quoted key"), True, "8:5", id="a quoted key"),
        pytest.param(("spec", "list", 1, "flow"), False, "9:12", id="flow style"),
        pytest.param(("spec", "true"), False, "10:8", id="a key by its JSON name"),
        pytest.param(("spec", "empty"), False, "11:9", id="no text: behind the colon"),
        pytest.param(("spec", "list", 7, "x"), False, "6:3", id="missing item: the key of the list"),
        pytest.param(("spec", "missing", "x"), False, "5:1", id="missing key: the key of the mapping"),
        pytest.param(("spec", "list", 0, "name", "x"), False, "7:5", id="below a scalar: its key"),
        pytest.param(("spec", "list", 0, "missing"), False, "7:5", id="missing below an item: the item"),
        pytest.param(("missing",), True, "5:1", id="missing at the top: the document"),
        pytest.param(("again", "list", 0, "name"), False, "7:11", id="an alias leads to its anchor"),
        pytest.param(("merged", "list", 0, "name"), False, "7:11", id="and so does a merge"),
        pytest.param(("merged", "own"), False, "15:8", id="beside a merge"),
    ],
)
def test_paths(path: Any, key: Any, place: str) -> None:
    """Lines and columns count from 1, documents too; the line itself is part of the answer."""
    document = parse_documents(TEXT, "f.yaml")[1]
    position = document.locate(path, key=key)
    assert str(position) == f"f.yaml:{place}"
    assert position.document == 2
    assert position.text == TEXT.splitlines()[position.line - 1]


SCALARS = [
    pytest.param("a: ${x + y}\n", id="plain"),
    pytest.param("a: ${x +\n   y}  and\n\n\n   more # not this\n", id="plain on several lines"),
    pytest.param("a: 'it''s ${x} \n  and\n\n  more'\n", id="single quotes"),
    pytest.param('a: "say \\"${x}\\" \\x41\\u00e9\\U0001F600 \\\n   joined\\tand \n\n  \\nmore"\n', id="double quotes"),
    pytest.param("a: |\n  one ${x}\n    two\n\n  three\n\n", id="literal"),
    pytest.param("a: |+ # note\n  one ${x}\n\n\n", id="literal that keeps"),
    pytest.param("a: |2-\n    one ${x}\n   two\n  three\n", id="literal with an indentation sign"),
    pytest.param("a: |\r\n  one\r\n  ${x}\r\n", id="literal, CRLF"),
    pytest.param("a: >\n  one ${x}\n  two\n\n  three\n    four\n    five\n  six\n\n\n  seven\n", id="folded"),
    pytest.param("a: >-\n\n  one\n  two ${x}\n \n  three\n", id="folded, blank first line"),
    pytest.param("a: !!str &x ${x}\n", id="tag and anchor"),
    pytest.param("a: !!str # why\n  ${x}\n", id="tag, content on the next line"),
    pytest.param("--- |\n  ${x}\n", id="the document itself"),
    pytest.param('{"b": 1, "a": "x\\ud83d\\ude00\\n${y}"}', id="JSON"),
    pytest.param("\ufeffa: 'é${x}😀b'", id="byte order mark and wide characters"),
]


@pytest.mark.parametrize("text", SCALARS)
def test_offsets_lead_to_the_character(text: str) -> None:
    """Every character of a scalar's value is found where it was written (a break or an escape where that begins)."""
    [document] = parse_documents(text, "f")
    path = ("a",) if isinstance(document.value, dict) else ()
    value = document.value["a"] if path else document.value
    for offset, character in enumerate(value):
        if offset == 0:
            continue  # offset 0 is the scalar itself, with its quote or sign
        position = document.locate(path, offset)
        found = position.text[position.column - 1 : position.column]
        assert found in (character, "\\") or (character in " \n" and not found), offset


def test_offset_behind_the_end() -> None:
    """The place behind the last character is an answer; beyond it there is nothing further."""
    [document] = parse_documents("a: 'x'", "f")
    assert [document.locate(("a",), offset).column for offset in (1, 2, 99)] == [6, 6, 6]


def test_offset_in_a_collection_is_its_start() -> None:
    """Only scalars have characters."""
    [document] = parse_documents("a:\n  b: 1", "f")
    assert str(document.locate(("a",), 3)) == "f:2:3"


STYLES = st.sampled_from(["plain", "'", '"', "|", ">"])
CHARACTERS = st.text(alphabet="ab ${}\n'\"\\#:é😀-", min_size=1, max_size=30)


@given(value=CHARACTERS, style=STYLES, width=st.integers(5, 40))
@settings(max_examples=400, deadline=None)
def test_law_offsets(value: Any, style: str, width: int) -> None:
    """Whatever style PyYAML chooses to write a text in, wherever it breaks lines: each character is found."""
    written = yaml.dump(
        {"k": [value]},
        Dumper=yaml.CSafeDumper,
        default_style=None if style == "plain" else style,
        width=width,
        allow_unicode=True,
    )
    [document] = parse_documents(written, "f")
    [[read]] = document.value.values()
    key = next(iter(document.value))
    for offset in range(1, len(read)):
        position = document.locate((key, 0), offset)
        found = position.text[position.column - 1 : position.column]
        assert found in (read[offset], "\\") or (read[offset] in " \n" and found in ("", " ")), (offset, written)


@given(value=CHARACTERS)
@settings(max_examples=200, deadline=None)
def test_law_offsets_in_our_own_text(value: Any) -> None:
    """The same for what the serialiser writes."""
    [document] = parse_documents(dump({"k": {"l": value}}), "f")
    for offset in range(1, len(value)):
        position = document.locate(("k", "l"), offset)
        found = position.text[position.column - 1 : position.column]
        assert found in (value[offset], "\\") or (value[offset] == "\n" and not found), offset


def test_a_thousand_questions_read_the_document_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second reading is remembered, so messages cost no more than their number."""
    readings = []
    original = positions.Index.__init__

    def counted(self: positions.Index, text: str, start: int, end: int) -> None:
        readings.append(start)
        original(self, text, start, end)

    monkeypatch.setattr(positions.Index, "__init__", counted)
    [document] = parse_documents("".join(f"k{i}: {i}\n" for i in range(1000)), "f")
    assert [document.locate((f"k{i}",)).line for i in range(1000)] == list(range(1, 1001))
    assert len(readings) == 1


def test_reading_without_questions_never_reads_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """A good file costs no second reading."""
    monkeypatch.setattr(positions, "Index", None)
    assert len(parse_documents("a: 1\n---\nb: &x [1, *x]\n".replace(", *x", ""), "f")) == 2


def test_json_that_is_no_yaml_still_has_a_place() -> None:
    """A key of more than 1,024 characters is JSON, but not YAML: the document's start must do."""
    [document] = parse_documents('\n{"' + "k" * 2000 + '": 1}', "f")
    assert str(document.locate(("k" * 2000,))) == "f:2:1"


def test_positions_on_one_line_share_it() -> None:
    """Thousands of problems in JSON without line breaks must not each keep a copy of the whole text."""
    [document] = parse_documents('{"a": 1, "b": 2}', "f.json")
    assert document.locate(("a",)).text is document.locate(("b",)).text
