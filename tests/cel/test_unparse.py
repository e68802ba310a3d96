"""What is written of a tree is read as that tree again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from krm_fn.cel import CelSyntaxError, parse
from krm_fn.cel.stack import deep
from krm_fn.cel.unparse import unparse
from tests.schema.corpus import FOLDER, require

PLACES = {"start", "end", "at"}


def shape(node: Any) -> Any:
    """A tree without the places of its text, as one text: what is deep cannot be compared otherwise."""
    return deep(lambda: repr(_shape(node)))


def _shape(node: Any) -> Any:
    if isinstance(node, tuple | list):
        return [_shape(part) for part in node]
    if not hasattr(node, "__slots__") or isinstance(node, int):
        return (type(node).__name__, repr(node))
    if type(node).__name__ == "MessageLiteral":
        return (
            "MessageLiteral",
            node.name,
            [(name, _shape(value)) for name, _, value in node.fields],
            sorted(node.optional),
        )
    return (type(node).__name__, [(name, _shape(getattr(node, name))) for name in node.__slots__ if name not in PLACES])


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("a.b.c == 'x'", 'a.b.c == "x"'),
        ("((a)) && (b || c) && ((d && e))", "a && (b || c) && (d && e)"),
        ("a - (b - c) - d * (e + 1)", "a - (b - c) - d * (e + 1)"),
        ("a == (b == c)", "a == (b == c)"),
        ("-(1)", "-(1)"),
        ("-1 - -x", "-1 - -x"),
        ("!(-1)", "!(-1)"),
        ("(1).a", "(1).a"),
        ("(a ? b : c) ? d : e ? f : g", "(a ? b : c) ? d : e ? f : g"),
        ("has(a.b) && a.?b[?0].orValue(1u) == 0x1Fu", "has(a.b) && a.?b[?0].orValue(1u) == 31u"),
        ("[1, ?a, 1e16, .5]", "[1, ?a, 1e+16, 0.5]"),
        ("{'k': 1, ?'l': o}", '{"k": 1, ?"l": o}'),
        ('"""a\n"b"\\u0000"""', '"a\\n\\"b\\"\\U00000000"'),
        (r"b'\xffa\n\"'", r'b"\xffa\n\""'),
        ("r'\\d'", '"\\\\d"'),
        ("x.map(e, e > 1, e + 1).all(i, v, true)", "x.map(e, e > 1, e + 1).all(i, v, true)"),
        ("cel.bind(v, 1, v).sortBy(e, e)", "cel.bind(v, 1, v).sortBy(e, e)"),
        ("o.optMap(v, v).optFlatMap(v, v)", "o.optMap(v, v).optFlatMap(v, v)"),
        ("google.protobuf.Int32Value{?value: o}", "google.protobuf.Int32Value{?value: o}"),
        ("runtime.newCondition({type: 'A', status: b})", 'runtime.newCondition({type: "A", status: b})'),
        (".a.f(null, true)", ".a.f(null, true)"),
    ],
)  # fmt: skip
def test_is_written_as(written: str, read: str) -> None:
    assert unparse(parse(written)) == read
    assert shape(parse(read)) == shape(parse(written))


def _places(form: str) -> int:
    return form.replace("{{", "").replace("}}", "").count("{}")


def grammar() -> st.SearchStrategy[str]:
    """Texts of every form, with parentheses around any operand."""
    atoms = st.sampled_from(
        ["a", "b.c", ".x", "1", "-1", "2u", "1.5", "-0.0", "1e300", '"t\\n\\""', "'\\''", 'b"\\x00é"', "true", "null", "[]", "{}", "r'\\'"]
    )  # fmt: skip

    def more(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        operand = inner | inner.map("({})".format)
        forms = [
            "{} + {}", "{} - {}", "{} * {}", "{} % {}", "{} == {}", "{} in {}", "{} < {}", "{} && {}", "{} || {}", "({}) ? ({}) : {}",
            "!({})", "-({})", "--({})", "({}).f", "({}).?f", "({})[{}]", "({})[?{}]", "f({}, {})", "({}).g({})", "[{}, ?{}]", "{{{}: {}, ?{}: {}}}",
            "has(({}).f)", "({}).all(v, {})", "({}).exists(v, w, {})", "({}).map(v, {}, {})", "({}).transformMap(k, v, {}, {})", "[{}].sortBy(v, {})",
            "cel.bind(v, {}, {})", "({}).optMap(v, {})", "({}).optFlatMap(v, {})", "t.M{{f: {}, ?g: {}}}",
        ]  # fmt: skip
        return st.sampled_from(forms).flatmap(
            lambda form: st.tuples(*[operand] * _places(form)).map(lambda parts: form.format(*parts))
        )

    return st.recursive(atoms, more, max_leaves=12)


@settings(max_examples=600, deadline=None)
@given(grammar())
def test_any_tree_comes_back(text: str) -> None:
    tree = parse(text)
    assert shape(parse(unparse(tree))) == shape(tree)


def test_what_is_deep_or_long_is_written_too() -> None:
    for text in ("(" * 249 + "a" + ")" * 249, " + ".join(["a"] * 250), " && ".join(["a"] * 5000), "-" * 999 + "a"):
        assert shape(parse(unparse(parse(text)))) == shape(parse(text))


@given(st.text())
@settings(max_examples=300)
def test_any_text_comes_back(text: str) -> None:
    from krm_fn.cel.unparse import quoted

    assert parse(quoted(text)).value == text  # type: ignore[union-attr]


@pytest.mark.thorough
def test_every_expression_of_the_corpora_comes_back() -> None:
    found = 0
    for text in _texts():
        try:
            tree = parse(text)
        except CelSyntaxError:
            continue
        assert shape(parse(unparse(tree))) == shape(tree), text
        found += 1
    require()
    assert found > 1000


def _texts() -> Iterator[str]:
    for path in sorted(FOLDER.glob("kro-cel/*.json")):
        yield from _strings(json.loads(path.read_text()))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for below in value.values() if isinstance(value, dict) else value:
            yield from _strings(below)
