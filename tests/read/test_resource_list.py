"""A ResourceList: items that know their value, their own lines and their own file."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from krm_fn.emit.yaml_text import dump
from krm_fn.read.resource_list import ResourceList, read_resource_list
from krm_fn.read.yaml import parse_documents
from krm_fn.report.diagnostic import RenderError

HEAD = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n"

ENTRIES = [
    """\
# above the first
- apiVersion: v1
  kind: ConfigMap   # beside
  metadata:
    name: 'one'
    annotations:
      internal.config.kubernetes.io/path: "a/one.yaml"
      internal.config.kubernetes.io/index: '2'
  data:
    text: |
      # no comment
      - no item

""",
    """\
# above the second,
# on two lines
- kind: Service
  apiVersion: v1
  metadata: {name: two}
  note: "on several
- lines
# of text"
""",
    "- {apiVersion: v1, kind: X}\n",
    "- # kpt puts a first comment here\n  # and goes on here\n  apiVersion: v1\n",
    "-   apiVersion: v1\n    kind: Wide\n# behind the last\n",
]


def assembled(entries: list[str], tail: str = "") -> str:
    return HEAD + "items:\n" + "".join(entries) + tail


def texts(given_list: ResourceList) -> list[str]:
    return [item.text() for item in given_list.items]


@pytest.mark.parametrize("indent", [0, 2])
@pytest.mark.parametrize("tail", ["", "functionConfig:\n  a: b\n", "...\n"], ids=["end", "config", "marker"])
def test_entries_are_the_items_own_lines(indent: int, tail: str) -> None:
    """All entries together are the text between `items:` and what follows, to the byte."""
    entries = ["".join(" " * indent + line for line in entry.splitlines(keepends=True)) for entry in ENTRIES]
    read = read_resource_list(assembled(entries, tail))
    assert texts(read) == entries
    assert read.indent == indent
    assert [parse_documents(entry, "f")[0].value for entry in entries] == [[item.value] for item in read.items]


def test_items_in_the_middle_of_the_list() -> None:
    """The order of the list's own keys does not matter."""
    read = read_resource_list("items:\n" + "".join(ENTRIES[:2]) + HEAD + "functionConfig: {kind: C}\n")
    assert texts(read) == ENTRIES[:2]
    assert read.api_version == "config.kubernetes.io/v1"
    assert read.function_config is not None
    assert read.function_config.value == {"kind": "C"}
    assert read.function_config.locate(("kind",)).column == 24


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(HEAD + "items: [{a: 1}, {b: 2}]\n", ["", ""], id="flow style"),
        pytest.param('{"apiVersion": "v1", "kind": "ResourceList", "items": [{"a": 1}]}', [""], id="JSON"),
        pytest.param(HEAD + "items:\n-\n  a: 1\n- b: 2\n", ["-\n  a: 1\n", "- b: 2\n"], id="dash alone: no exception"),
        pytest.param(HEAD + "items:\n- &x {a: 1}\n- *x\n- b: 2\n", ["- &x {a: 1}\n", "", "- b: 2\n"], id="an alias"),
        pytest.param(
            HEAD + "items:\n- a: &x [1]\n  b: *x\n- c: *x\n- d: 1\n",
            ["- a: &x [1]\n  b: *x\n", "", "- d: 1\n"],
            id="an alias inside an item, its own and another's",
        ),
        pytest.param(HEAD + "items:\n- a: 1", ["- a: 1\n"], id="no line break at the end"),
        pytest.param(HEAD + "items:\n- a: |\n    x", [""], id="none behind a block scalar: it would change"),
        pytest.param(HEAD + "items: []\n", [], id="no items"),
        pytest.param(HEAD, [], id="no list"),
    ],
)
def test_items_without_lines_of_their_own(text: str, expected: list[str]) -> None:
    """Where an item cannot be taken out of the text, it has no entry and its value is to be written."""
    assert texts(read_resource_list(text)) == expected


def test_positions_name_the_items_file() -> None:
    """The file and the index that the host's annotations name, with lines of the list; without annotations the list itself."""
    first, second, *_ = read_resource_list(assembled(ENTRIES), "<stdin>").items
    place = first.locate(("metadata", "name"))
    assert (str(place), place.document, place.text) == ("a/one.yaml:8:11", 3, "    name: 'one'")
    assert str(first.locate(("data", "text"), 4)) == "a/one.yaml:14:11"
    assert str(second.locate(("note",), key=True)) == "<stdin>:22:3"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("", "the input is empty; one ResourceList is expected", id="nothing"),
        pytest.param(
            HEAD + "---\n" + HEAD, "the input has 2 documents; one ResourceList is expected", id="two documents"
        ),
        pytest.param("apiVersion: v1\nkind: List\nitems: []", "the input is no ResourceList", id="another kind"),
        pytest.param("kind: ResourceList", "the input is no ResourceList", id="no apiVersion"),
        pytest.param("[]", "the input is no ResourceList", id="a list"),
        pytest.param(HEAD + "items: {}", "items is no list", id="items is a mapping"),
        pytest.param(
            HEAD + "items:\n- a: 1\n- 1\n- null\n", "items[1] is no object; items[2] is no object", id="scalars"
        ),
    ],
)
def test_what_is_no_resource_list(text: str, problem: str) -> None:
    """A host that pipes something else is told so."""
    with pytest.raises(RenderError) as caught:
        read_resource_list(text)
    assert str(caught.value) == problem
    assert {d.code for d in caught.value.diagnostics} == {"not-a-resource-list"}


ITEMS = st.lists(
    st.dictionaries(
        st.text("ab- #", min_size=1, max_size=4),
        st.one_of(
            st.text("a -#\n'\":", max_size=12),
            st.lists(st.text("- #\n", max_size=4), max_size=3),
            st.dictionaries(st.text("ab", max_size=2), st.text("-#\n", max_size=5), max_size=2),
        ),
        min_size=1,
        max_size=4,
    ),
    max_size=5,
)


@pytest.mark.thorough
@given(items=ITEMS, indent=st.sampled_from([0, 2, 4]), keep=st.sets(st.integers(0, 4)))
@settings(max_examples=300, deadline=None)
def test_law_any_selection_of_entries_is_a_list_of_those_items(
    items: list[dict[str, object]], indent: int, keep: set[int]
) -> None:
    """Whatever an item holds, its entry stands for it among any others."""
    text = HEAD + "items:\n" + (dump(items, indent) if items else "")
    read = read_resource_list(text)
    kept = [item for i, item in enumerate(read.items) if i in keep]
    again = read_resource_list(HEAD + "items:\n" + "".join(item.text() for item in kept))
    assert [item.value for item in again.items] == [item.value for item in kept]
    assert text == HEAD + "items:\n" + "".join(texts(read))
