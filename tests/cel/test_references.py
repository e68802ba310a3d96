"""What an expression refers to, as kro v0.9.3's inspector sees it (pkg/cel/ast/inspector.go)."""

from typing import Any

import pytest

from krm_fn.cel import parse, references


def found(text: Any) -> Any:
    return references(parse(text))


@pytest.mark.parametrize(
    ("text", "roots"),
    [
        pytest.param("vpc.status.id", {"vpc": ("vpc.status.id",)}, id="path"),
        pytest.param("vpc", {"vpc": ("vpc",)}, id="name alone"),
        pytest.param(
            "b.x + a.y + b.z + b.x", {"b": ("b.x", "b.z"), "a": ("a.y",)}, id="order of first use, no repeats"
        ),
        pytest.param("a.b[0].c", {"a": ("a.b",)}, id="an index ends a path"),
        pytest.param('a["b"].c', {"a": ("a",)}, id="also one by text"),
        pytest.param("a.b[i.c]", {"a": ("a.b",), "i": ("i.c",)}, id="the index itself counts"),
        pytest.param("a.?b.c", {"a": ("a",)}, id="optional selection ends a path"),
        pytest.param("has(a.b.c)", {"a": ("a.b.c",)}, id="has"),
        pytest.param("a.list.filter(x, x.y == b.z)", {"a": ("a.list",), "b": ("b.z",)}, id="loop variables are hidden"),
        pytest.param("x.ids.filter(x, x > 0)", {}, id="even in their own range"),
        pytest.param("x.all(i, v, v == i)", {"x": ("x",)}, id="two variables"),
        pytest.param("[1].map(x, x) + x", {"x": ("x",)}, id="but not outside of the macro"),
        pytest.param("cel.bind(v, v.a, v.b + w)", {"w": ("w",)}, id="bind hides its own initial value"),
        pytest.param("v.sortBy(v, v.a)", {"v": ("v",)}, id="sortBy does not hide its list"),
        pytest.param("v.?a.optMap(v, v.b)", {"v": ("v",)}, id="optMap does not hide its target"),
        pytest.param("a.map(x, b.map(y, x + y + c))", {"a": ("a",), "b": ("b",), "c": ("c",)}, id="nested macros"),
        pytest.param("a.f().c", {"a": ("a.c",)}, id="a field of a result counts as the target's"),
        pytest.param("lists.range(n.a)", {"n": ("n.a",)}, id="a namespace is no name"),
        pytest.param("math.abs(1)", {"math": ("math",)}, id="unless nothing is declared there"),
        pytest.param("{k: v, 'a': [w]}", {"k": ("k",), "v": ("v",), "w": ("w",)}, id="literals"),
        pytest.param(".a.b", {".a": (".a.b",)}, id="leading dot"),
        pytest.param("type(x) == int", {"x": ("x",), "int": ("int",)}, id="type names are names"),
        pytest.param(
            "runtime.newCondition({type: 'A', status: a.b})", {"runtime": ("runtime",), "a": ("a.b",)}, id="bare keys"
        ),
        pytest.param("1 + 2", {}, id="none"),
    ],
)
def test_roots(text: Any, roots: Any) -> None:
    assert found(text).roots == roots
    assert list(found(text).roots) == list(roots)


@pytest.mark.parametrize(
    ("text", "functions", "unknown", "unknown_methods"),
    [
        pytest.param("size(a) + b.size()", ["size"], [], [], id="function and method of one name"),
        pytest.param("lists.range(3).map(x, string(x))", ["lists.range", "string"], [], [], id="namespace"),
        pytest.param("nope(1) + a.never()", ["nope", "never"], ["nope"], ["never"], id="not declared"),
        pytest.param(".size(a)", [".size"], [".size"], [], id="leading dot"),
        pytest.param("all(1)", ["all"], ["all"], [], id="a macro's name with other arguments"),
        pytest.param("x.existsOne(e, e)", ["existsOne"], [], ["existsOne"], id="existsOne has two variables"),
        pytest.param("x.map(e, e).filter(e, true)", [], [], [], id="macros are no functions"),
    ],
)
def test_functions(text: Any, functions: Any, unknown: Any, unknown_methods: Any) -> None:
    refs = found(text)
    assert list(refs.functions) == functions
    assert list(refs.unknown_functions) == unknown
    assert list(refs.unknown_methods) == unknown_methods


def test_offsets_point_at_the_first_occurrence() -> None:
    refs = found("1 + b.c + nope(b.never())")
    assert (refs.offsets, refs.functions) == ({"b": 4}, {"nope": 10, "never": 17})


@pytest.mark.parametrize(
    ("text", "omit", "runtime"),
    [
        ("omit()", True, False),
        ("a ? [omit()] : b", True, False),
        ("a.omit", False, False),
        ("runtime.condition(a, 'b')", False, True),
        ("a.runtime", False, False),
    ],
)
def test_uses(text: Any, omit: Any, runtime: Any) -> None:
    refs = found(text)
    assert (refs.uses_omit, refs.uses_runtime) == (omit, runtime)


def test_deep_expressions_need_no_stack() -> None:
    """As deep as the parser lets them be."""
    assert found("(" * 240 + "a" + ")" * 240 + " + b" * 240).roots == {"a": ("a",), "b": ("b",)}
