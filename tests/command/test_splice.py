"""Texts spliced into a person's file: every line that is not of an entry of ours stays as it is, byte for byte."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from krm_fn.command.splice import spliced
from krm_fn.read.yaml import parse_documents

OURS = ("ours.a", "ours.b", "ours.c")
CHECK = "-- made\n\nlocal a = 1\n  if a then\n# no comment\n\n  end\nreturn a\n"
HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: argocd-cm}\n"


def splice(text: str, wanted: dict[str, str], gone: list[str]) -> str | None:
    documents = parse_documents(text, "argocd-cm.yaml")
    (document,) = [each for each in documents if isinstance(each.value, dict) and each.value.get("kind") == "ConfigMap"]
    return spliced(documents, document, "data", wanted, gone)


class Piece:
    """Lines of a file. key: of the entry of ours that they are."""

    def __init__(self, *lines: str, key: str = "") -> None:
        self.lines = lines
        self.key = key


VALUES = (
    (" https://x",),
    ("      aligned   # why  ",),
    (' "in quotes"   ',),
    (" 'it''s'",),
    (" in", "      two lines"),
    (' "in', "", '   quotes" # and so'),
    (" |", "      a  ", "        b"),
    (" |+  # kept", "      a", "", ""),
    (" |-", "      a"),
    (" >-", "      a", "      b", "", "      c"),
    (" |2", "           a"),
    (" &anchor x",),
    (" !!str 1",),
    (' ""',),
)
"""What may stand behind the colon of an entry in column 2 or 4."""


def comments(column: int) -> st.SearchStrategy[tuple[str, ...]]:
    """Comments and empty lines that are no part of a block above them."""
    line = st.sampled_from(["", "# at the margin", f"{' ' * column}# of this", f"{' ' * (column + 1)}# beside  "])
    return st.lists(line, max_size=2).map(tuple)


def ours(key: str, column: int) -> st.SearchStrategy[Piece]:
    pad, deeper = " " * column, " " * (column + 3)
    forms = (
        (f"{pad}{key}: |", f"{deeper}-- old", f"{deeper}return 0"),
        (f"{pad}{key}:   |+  # ours", f"{deeper}-- old", f"{deeper}return 0"),
        (f'{pad}"{key}" : "-- old\\n', "", '    return 0"   '),
        (f"{pad}? {key}", f"{pad}: |-", f"{deeper}-- old", f"{deeper}return 0"),
        (f"{pad}{key}: !!str |  ", f"{deeper}-- old", f"{deeper}return 0"),
    )
    return st.sampled_from(forms).map(lambda form: Piece(*form, key=key))


@st.composite
def data(draw: st.DrawFn) -> list[Piece]:
    column = draw(st.sampled_from([2, 4]))
    entries: list[Piece] = []
    for i in range(draw(st.integers(0, 3))):
        first, *rest = draw(st.sampled_from(VALUES))
        entries.append(Piece(f"{' ' * column}key-{i}:{first.replace('anchor', f'a{i}')}", *rest))
    entries += [draw(ours(key, column)) for key in draw(st.lists(st.sampled_from(OURS), unique=True))]
    pieces: list[Piece] = []
    for piece in draw(st.permutations(entries)):
        pieces += [piece, Piece(*draw(comments(column)))]
    return [
        Piece(draw(st.sampled_from(["data:", "data:   # what it reads ", '"data" :'])), *draw(comments(0))),
        *pieces,
    ]


METADATA = (
    ("metadata:", "   name:      argocd-cm  ", "   labels: {a:   b}"),
    ("metadata: {name: argocd-cm}",),
    ("metadata:", "  finalizers:", "    -   b", "  name: argocd-cm"),
)
BEFORE = ((), ("# a file  ",), ("kind:   Secret", "data: {ours.a:   b}", "---"), ("---  ", "# here"), ("--- # here",))
AFTER = ((), ("# the end",), ("...",), ("---", "kind: Secret", "data:", "- ours.a "), ("---", "# the end"))


@st.composite
def files(draw: st.DrawFn) -> list[Piece]:
    parts = [
        [Piece("kind: ConfigMap   # of Argo CD")],
        [Piece("apiVersion: v1", *draw(comments(0)))],
        [Piece(*draw(st.sampled_from(METADATA)), *draw(comments(1)))],
        draw(st.one_of(data(), st.just([]))),
    ]
    pieces = [piece for part in draw(st.permutations(parts)) for piece in part]
    return [Piece(*draw(st.sampled_from(BEFORE))), *pieces, Piece(*draw(st.sampled_from(AFTER)))]


@st.composite
def texts(draw: st.DrawFn) -> tuple[str, list[tuple[str, str]]]:
    """A text, and its lines, with their ends, beside the entries of ours that they are of."""
    written = [(line, piece.key) for piece in draw(files()) for line in piece.lines]
    ends = draw(st.sampled_from([("\n",), ("\r\n",), ("\n", "\r\n")]))
    lines = [(line + ends[i % len(ends)], key) for i, (line, key) in enumerate(written)]
    if draw(st.booleans()):
        lines[-1] = (lines[-1][0].rstrip("\r\n"), lines[-1][1])
    mark = draw(st.sampled_from(["", "\ufeff"]))
    return mark + "".join(line for line, _ in lines), lines


changes = st.lists(st.sampled_from(OURS), unique=True).flatmap(
    lambda keys: st.integers(0, len(keys)).map(lambda at: (dict.fromkeys(keys[:at], CHECK), keys[at:]))
)


def values(text: str) -> list[Any]:
    return [value for value in yaml.safe_load_all(text) if value is not None]


def holds_in_order(lines: list[str], text: str) -> bool:
    rest = iter(text.removeprefix("\ufeff").splitlines(keepends=True))
    return all(any(line == each or line == each.rstrip("\r\n") for each in rest) for line in lines)


@settings(max_examples=200)
@given(texts(), changes)
def test_nothing_else_changes(
    given_text: tuple[str, list[tuple[str, str]]], change: tuple[dict[str, str], list[str]]
) -> None:
    text, lines = given_text
    wanted, gone = change
    out = splice(text, wanted, gone)
    assert out is not None

    meant = values(text)
    at = next(i for i, value in enumerate(meant) if value["kind"] == "ConfigMap")
    entries = {key: value for key, value in {**(meant[at].get("data") or {}), **wanted}.items() if key not in gone}
    found = values(out)
    assert (found[at].get("data") or {}) == entries
    assert [{**value, "data": None} for value in found] == [{**value, "data": None} for value in meant]

    # An empty line below an entry that goes would become a part of a `|+` above it.
    kept = [line for line, key in lines if key not in {*wanted, *gone} and (line.strip() or (line and not gone))]
    assert holds_in_order(kept, out)
    for end in ("\n", "\r\n"):
        if text.count("\n") == text.count(end) and text.count("\r\n") in (0, text.count(end)):
            assert out.count("\r\n") in (0, out.count("\n"))
    assert splice(out, wanted, gone) == out


@settings(max_examples=100)
@given(texts())
def test_what_is_put_in_can_be_taken_out(given_text: tuple[str, list[tuple[str, str]]]) -> None:
    text, lines = given_text
    new = {f"{key}.new": CHECK for key in OURS}
    once = splice(text, new, [])
    assert once is not None
    back = splice(once, {}, list(new))
    assert back is not None
    if any(line.startswith(("data", '"data"')) and not line.startswith("data: {") for line, _ in lines[:-2]):
        assert back in (text, f"{text}\n", f"{text}\r\n")


# -- braces -----------------------------------------------------------------------------------------------------------

SPACE = st.sampled_from(["", " ", "\n", "\n\t", "\n      "])
GAP = st.sampled_from(
    ["", " ", "\n", "\n    ", "  # on the line\n", "\n  # below\n", "  # on the line\n # below\n   # and\n"]
)
IN_BRACES = (
    "a: x",
    '"b":"y"',
    "c: 'it''s'",
    'd:\n    "in\n  two"',
    "e:  # why\n    z",
    "ours.a: old",
    "'ours.b':  # ours\n  \"old\"",
)


@st.composite
def in_braces(draw: st.DrawFn) -> str:
    entries = draw(st.permutations(IN_BRACES))[: draw(st.integers(0, len(IN_BRACES)))]
    written = f"{draw(GAP)},{draw(GAP)}".join(entries)
    return f"data: {{{draw(GAP)}{written}{draw(GAP)}}}{draw(st.sampled_from(['', '  # tail']))}\n# the end\n"


def comments_in(text: str) -> list[str]:
    return sorted(line[line.index("#") :] for line in text.splitlines() if "#" in line and "# no comment" not in line)


@settings(max_examples=100)
@given(in_braces(), changes)
def test_a_mapping_in_braces_keeps_its_entries_and_comments(
    data: str, change: tuple[dict[str, str], list[str]]
) -> None:
    wanted, gone = change
    out = splice(HEAD + data, wanted, gone)
    assert out is not None
    entries = {**yaml.safe_load(data)["data"], **wanted}
    assert (yaml.safe_load(out)["data"] or {}) == {key: value for key, value in entries.items() if key not in gone}
    assert comments_in(out) == comments_in(data)
    assert splice(out, wanted, []) == out


@st.composite
def json_texts(draw: st.DrawFn) -> str:
    def braces(entries: list[str]) -> str:
        return f"{{{draw(SPACE)}{f'{draw(SPACE)},{draw(SPACE)}'.join(draw(st.permutations(entries)))}{draw(SPACE)}}}"

    count = draw(st.integers(0, 3))
    data = [f'"{key}":{draw(SPACE)}"\\u00e9 {key}"' for key in ("a", "b", *OURS)[:count]]
    metadata = (
        f'"metadata":{draw(SPACE)}{braces([chr(34) + "name" + chr(34) + ": " + chr(34) + "argocd-cm" + chr(34)])}'
    )
    parts = ['"apiVersion": "v1"', '"kind" : "ConfigMap"', metadata, '"x": [1.50, 1e2]']
    return braces([*parts, *([f'"data":{draw(SPACE)}{braces(data)}'] if count or draw(st.booleans()) else [])])


@settings(max_examples=100)
@given(json_texts())
def test_json_stays_json_whatever_its_form(text: str) -> None:
    new = {f"{key}.new": CHECK for key in OURS}
    once = splice(text, new, [])
    assert once is not None
    value = json.loads(text)
    assert json.loads(once) == {**value, "data": {**value.get("data", {}), **new}}
    assert splice(once, new, []) == once
    back = splice(once, {}, list(new))
    assert back is not None
    assert back == text if value.get("data") else json.loads(back) == {**value, "data": {}}


# -- one case a rule --------------------------------------------------------------------------------------------------

NEW = {"ours.a": "new\n"}


@pytest.mark.parametrize(
    ("data", "meant"),
    [
        pytest.param("", "data:\n  ours.a: |\n    new\n", id="no data"),
        pytest.param("data:\n", "data:\n  ours.a: |\n    new\n", id="data is null"),
        pytest.param(
            "binaryData:\n  b: eA==\n\n---\nkind: Secret\n",
            "binaryData:\n  b: eA==\ndata:\n  ours.a: |\n    new\n\n---\nkind: Secret\n",
            id="no data, and an empty line",
        ),
        pytest.param(
            "data: ~  # c\n  # d\n# e\n", "data:   # c\n  # d\n  ours.a: |\n    new\n# e\n", id="null is written"
        ),
        pytest.param("data: {}  # c\n", "data: # c\n  ours.a: |\n    new\n", id="empty braces"),
        pytest.param("data: &d {}\n", "data: &d\n  ours.a: |\n    new\n", id="braces with an anchor"),
        pytest.param("data:\n    a: x", "data:\n    a: x\n    ours.a: |\n        new\n", id="no line break at the end"),
        pytest.param(
            "data:\n  # of a\n  a: |\n    x",
            "data:\n  ours.a: |\n    new\n  # of a\n  a: |\n    x",
            id="a block at the end",
        ),
        pytest.param(
            "data:\n  a: x\n\n  # of data\n# of all\n",
            "data:\n  a: x\n\n  # of data\n  ours.a: |\n    new\n# of all\n",
            id="comments",
        ),
        pytest.param(
            "data:\n  a: |\n    x\n\nimmutable: true\n",
            "data:\n  a: |\n    x\n  ours.a: |\n    new\n\nimmutable: true\n",
            id="an empty line",
        ),
        pytest.param(
            "data:\n  ours.a: 'old'\n      # far right\n  b: y\n",
            "data:\n  ours.a: |\n       new\n      # far right\n  b: y\n",
            id="a comment that would become a part of it",
        ),
        pytest.param(
            "data:\n  ours.a:  # one\n    # two\n    'old'  # three\n  b: y\n",
            "data:\n  # one\n  # two\n  ours.a: |  # three\n    new\n  b: y\n",
            id="comments inside an entry",
        ),
    ],
)
def test_where_an_entry_goes(data: str, meant: str) -> None:
    assert splice(HEAD + data, NEW, []) == HEAD + meant


@pytest.mark.parametrize(
    ("data", "meant"),
    [
        pytest.param("data:\n  ours.a: x\n", "data:\n", id="the only one"),
        pytest.param("data: {ours.a: x}\n", "data: {}\n", id="the only one in braces"),
        pytest.param(
            "data:\n  a: x\n  ours.a: |  # why\n    y\n", "data:\n  a: x\n  # why\n", id="a comment on its line"
        ),
        pytest.param(
            "data:\n  a: |+\n    x\n\n  ours.a: |\n    y\n\n  b: z\n",
            "data:\n  a: |+\n    x\n\n  b: z\n",
            id="below a block that keeps",
        ),
        pytest.param(
            "data:\n  a: |+\n    x\n\n  # c\n  ours.a: |\n    y\n\n  b: z\n",
            "data:\n  a: |+\n    x\n\n  # c\n\n  b: z\n",
            id="a comment between",
        ),
    ],
)
def test_what_an_entry_leaves(data: str, meant: str) -> None:
    assert splice(HEAD + data, {}, ["ours.a"]) == HEAD + meant


def test_entries_go_below_one_that_ends_the_file() -> None:
    assert splice(f"{HEAD}data:\n  ours.a: old", {**NEW, "ours.b": "b\n"}, []) == (
        f"{HEAD}data:\n  ours.a: |\n    new\n  ours.b: |\n    b\n"
    )


def test_several_entries_go_below_a_block_that_keeps_empty_lines() -> None:
    text = "data:\n  a: |+\n    x\n\n{}  b: z\n"
    two = "  ours.a: |\n    y\n\n  ours.b: |\n    y\n\n"
    assert splice(HEAD + text.format(two), {}, ["ours.a", "ours.b"]) == HEAD + text.format("")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param("x: &x {a: b}\ndata: *x\n", id="an alias"),
        pytest.param("data:\n  ours.a: &x y\n  b: *x\n", id="an anchor that is needed"),
        pytest.param(
            "data:\n  b: |\n    x\n  ours.a: y\n      # far right\n",
            id="a comment would become a part of the block above",
        ),
    ],
)
def test_what_cannot_be_done_is_not_done(data: str) -> None:
    assert splice(HEAD + data, {} if "far right" in data else NEW, ["ours.a"] if "far right" in data else []) is None
