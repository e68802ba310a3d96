"""`${…}` is found where kro finds it, becomes the CEL that kro compiles, and every code point keeps its place."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krm_fn.cel.values import OMIT
from krm_fn.program.template import (
    TemplateError,
    compile_shape,
    find_holes,
    is_standalone,
    path_text,
    quote,
    read_expression,
    read_standalone,
    remove_omitted,
    scan,
)


@pytest.mark.parametrize(
    ("text", "expressions"),
    [
        pytest.param("plain", [], id="plain text"),
        pytest.param("${a}", ["a"], id="standalone"),
        pytest.param("x-${a}-${b.c}", ["a", "b.c"], id="two in a text"),
        pytest.param("${{'k': v}}", ["{'k': v}"], id="braces are counted"),
        pytest.param('${"}"}', ['"}"'], id="a brace in double quotes is text"),
        pytest.param("${'}'}", ["'"], id="kro knows no single quotes: the first brace ends it"),
        pytest.param('${"${VAR}"}', ['"${VAR}"'], id="a dollar in double quotes is text"),
        pytest.param(r'${"a\"}"}', [r'"a\"}"'], id="an escaped quote does not end the literal"),
        pytest.param("${a", [], id="unterminated is plain text"),
        pytest.param('${a + "}', [], id="a lone double quote leaves all literal"),
        pytest.param("$ {a} {b}", [], id="dollar and brace must touch"),
        pytest.param("${}", [""], id="an empty expression is found, for the parser to refuse"),
    ],
)
def test_scan(text: str, expressions: list[str]) -> None:
    assert [match.text for match in scan(text)] == expressions


def test_a_nested_expression_is_refused_at_its_dollar() -> None:
    with pytest.raises(TemplateError) as caught:
        scan("ab ${x + ${y}}")
    assert caught.value.offset == 9


@pytest.mark.parametrize(
    ("text", "cel"),
    [
        ("${a.b}", "a.b"),
        ("x-${a}", '"x-" + (a)'),
        ("${a}-${b}.svc", '(a) + "-" + (b) + ".svc"'),
        ('say "${a}"\n', '"say \\"" + (a) + "\\"\\u000a"'),
    ],
)
def test_a_text_with_expressions_is_a_concatenation(text: str, cel: str) -> None:
    expression = read_expression(text, ())
    assert expression is not None
    assert expression.text == cel


@given(
    st.lists(
        st.tuples(st.text(alphabet="ab-.", max_size=4), st.sampled_from(["a", "b.c", "f(x)"])), min_size=1, max_size=5
    )
)
def test_every_code_point_of_an_expression_keeps_its_place(parts: list[tuple[str, str]]) -> None:
    text = "".join(f"{plain}${{{inner}}}" for plain, inner in parts)
    expression = read_expression(text, ())
    assert expression is not None
    for own, there, length in expression.segments:
        for step in range(length):
            assert expression.scalar_offset(own + step) == there + step
            assert expression.text[own + step] == text[there + step]


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        pytest.param("true", '"${true}"', id="no expression"),
        pytest.param("${a}\n", "block scalar", id="a block scalar's newline"),
        pytest.param("${a} && ${b}", "inside one", id="two expressions"),
    ],
)
def test_where_only_an_expression_may_stand(text: str, advice: str) -> None:
    with pytest.raises(TemplateError) as caught:
        read_standalone(text, ())
    assert advice in caught.value.help


@given(st.text())
def test_a_quoted_text_is_one_string_literal_of_cel(text: str) -> None:
    from krm_fn.cel import compile_, parse

    if any("\ud800" <= char <= "\udfff" for char in text):
        return
    assert compile_(parse(quote(text)))({}) == text


TREE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


@given(TREE)
def test_filling_holes_changes_nothing_but_the_holes(tree: Any) -> None:
    paths = list(leaves(tree, ()))
    slots = {path: i for i, path in enumerate(paths[::2])}
    before = repr(tree)
    values = [("value", i) for i in range(len(slots))]
    filled = compile_shape(tree, slots)(values)
    assert repr(tree) == before
    for path in paths:
        assert at(filled, path) == (values[slots[path]] if path in slots else at(tree, path))


def test_a_subtree_without_holes_is_shared() -> None:
    template = {"fixed": {"a": [1, 2]}, "open": {"x": "${y}"}}
    filled = compile_shape(template, {("open", "x"): 0})(["v"])
    assert filled["fixed"] is template["fixed"]
    assert filled == {"fixed": {"a": [1, 2]}, "open": {"x": "v"}}


def test_holes_come_in_document_order() -> None:
    template = {"b": "${one}", "a": ["${two}", {"c": "x${three}"}]}
    holes = list(find_holes(template, ("spec",), []))
    assert [hole.path for hole in holes] == [("b",), ("a", 0), ("a", 1, "c")]
    assert holes[0].expression.path == ("spec", "b")


def test_omitted_fields_and_items_go_away() -> None:
    assert remove_omitted({"a": OMIT, "b": [1, OMIT, {"c": OMIT}]}) == {"b": [1, {}]}


def test_paths_read_as_kro_writes_them() -> None:
    assert path_text(("spec", "ports", 0, "a.b/c", "name")) == 'spec.ports[0]["a.b/c"].name'


def test_standalone_means_nothing_beside_it() -> None:
    assert is_standalone("${a}", scan("${a}"))
    assert not is_standalone("${a} ", scan("${a} "))


def leaves(node: Any, path: tuple[Any, ...]) -> Any:
    if isinstance(node, dict) and node:
        for key, child in node.items():
            yield from leaves(child, (*path, key))
    elif isinstance(node, list) and node:
        for i, child in enumerate(node):
            yield from leaves(child, (*path, i))
    elif path:
        yield path


def at(node: Any, path: tuple[Any, ...]) -> Any:
    for part in path:
        node = node[part]
    return node
