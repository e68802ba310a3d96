"""What cel-python is asked, what it is not asked, and how often it agrees with kro where it is."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from krm_fn.cel import CelSyntaxError, parse
from krm_fn.cel.values import OpenMap, Uint, Unknown
from krm_fn.command.second_opinion import FAILED, NoOpinion, second_opinion
from tests.conformance.compare import same_typed, shown
from tests.conformance.kro_cel import bindings_of
from tests.conformance.typed import to_typed

CORPUS = Path(__file__).parents[1] / "conformance" / "corpora" / "kro-cel"
DATA: dict[str, Any] = {"s": "text", "n": 3, "f": 1.5, "xs": [1, 2, 3], "m": {"a": {"b": 1}, "nil": None}, "no": False}


def ask(text: str, /, **bindings: Any) -> Any:
    return second_opinion(parse(text), text, {**DATA, **bindings})


def refusal(text: str, /, **bindings: Any) -> str:
    with pytest.raises(NoOpinion) as raised:
        ask(text, **bindings)
    return str(raised.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("n + 2", 5, id="int"),
        pytest.param("f + 2.0", 3.5, id="double, although cel-python makes a bare float"),
        pytest.param("2u * 3u", Uint(6), id="uint"),
        pytest.param('s + "-" + string(n)', "text-3", id="string, although cel-python makes a bare str"),
        pytest.param("xs + [4]", [1, 2, 3, 4], id="list, although cel-python makes a bare list"),
        pytest.param('{"a": xs, "b": m.nil}', {"a": [1, 2, 3], "b": None}, id="map"),
        pytest.param("xs.filter(x, x > 1).map(x, x * 2)", [4, 6], id="macros"),
        pytest.param("has(m.a.b) && !has(m.a.c)", True, id="has"),
        pytest.param("no ? 1 / 0 : 7", 7, id="conditional"),
        pytest.param("dyn(s)", "text", id="dyn, which cel-python lacks"),
    ],
)
def test_a_value_of_cel_python_is_a_value_of_ours(text: str, value: Any) -> None:
    got = ask(text)
    assert (type(got), got) == (type(value), value)


@pytest.mark.parametrize("text", ["m.zz", "xs[7]", "n / 0", 'm["zz"]'])
def test_an_error_of_the_evaluation_is_an_opinion(text: str) -> None:
    assert ask(text) is FAILED


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("m.?a", "optionals, cel.bind, sortBy", id="optional field"),
        pytest.param("cel.bind(x, 1, x)", "optionals, cel.bind, sortBy", id="bind"),
        pytest.param("s.upperAscii()", "function upperAscii", id="a function that it lacks"),
        pytest.param("timestamp(s)", "function timestamp", id="times are of microseconds there"),
        pytest.param("type(n)", "function type", id="types are Python's there"),
        pytest.param(r'"\n"', "bytes, and texts with escapes", id="an escape"),
        pytest.param('b"a"', "bytes, and texts with escapes", id="bytes"),
        pytest.param("xs.map(x, x > 1, x)", "macros with two variables, or a condition", id="map with a condition"),
        pytest.param("xs.all(i, x, x > 0)", "macros with two variables, or a condition", id="two variables"),
        pytest.param("s.map(c, c)", "a macro over what may be no list", id="a text is iterated there"),
        pytest.param("xs.filter(x, x)", "a macro whose predicate may be no boolean", id="an int is true there"),
        pytest.param('size({"a": m.zz})', "a list or map with an error in it", id="errors are put into maps"),
        pytest.param('{"a": m.zz, "b": 1}.b', "a field of what is no name", id="a field beside an error"),
        pytest.param(
            "true || [1].filter(x, m.zz == x) == xs",
            "cel-python has an error of another kind",
            id="an error in a macro is not absorbed",
        ),
        pytest.param("has(s.a)", "has() of what is no plain object", id="a text has no fields"),
        pytest.param("n + f", "+ of int double", id="ints are added to doubles there"),
        pytest.param("f / 2.0", "/ of double double", id="division of doubles, wrong with infinities"),
        pytest.param("n == f", "== of int double", id="kinds are not compared there"),
        pytest.param("n && no", "&& of int bool", id="anything is true or false there"),
        pytest.param("xs[-1]", "[] of list int", id="Python's negative index"),
        pytest.param('int("1_0")', "int of string", id="Python's numerals"),
        pytest.param("string(f)", "string of double", id="Python's floats"),
        pytest.param("m.a__dot__b", "an escaped name, or a carriage return", id="a name that kro escapes"),
        pytest.param("(" * 100 + "1" + ")" * 100, "cel-python breaks", id="deep"),
    ],
)
def test_what_cel_python_is_wrong_at_is_refused(text: str, reason: str) -> None:
    assert refusal(text) == reason


def test_what_is_not_known_is_refused() -> None:
    assert refusal("u", u=Unknown("u")) == "something is unknown"
    assert refusal("u.a", u=OpenMap({"a": Unknown("u.a")}, "u")) == "something is unknown"
    assert refusal("u", u=b"bytes of a Secret") == "data that is no JSON"


def test_the_recursion_limit_of_the_process_stays() -> None:
    before = sys.getrecursionlimit()
    ask("1 + 1")
    assert sys.getrecursionlimit() == before


def test_it_agrees_with_kro_on_at_least_99_in_100_of_the_corpus() -> None:
    """And it has an opinion on some 830 of the cases, so that the agreement is about something."""
    definitions = json.loads((CORPUS / "definitions.json").read_text(encoding="utf-8"))
    asked, wrong = 0, []
    for path in sorted(CORPUS.glob("*.json")):
        entries = json.loads(path.read_text(encoding="utf-8"))
        for entry in entries if isinstance(entries, list) else ():
            if {"inspect_error", "schemas", "context", "kro", "unordered"} & set(entry):
                continue
            if not {"value", "eval_error"} & set(entry):
                continue
            try:
                got = second_opinion(parse(entry["expr"]), entry["expr"], bindings_of(entry, definitions))
            except (CelSyntaxError, NoOpinion):
                continue
            asked += 1
            agrees = (
                (got is FAILED)
                if "eval_error" in entry
                else got is not FAILED and same_typed(entry["value"], to_typed(got))
            )
            if not agrees:
                wrong.append(
                    f"{entry['id']}: {entry['expr'][:80]} is {shown(entry.get('value', 'an error'))} in kro, {got!r} there"
                )
    assert asked >= 800
    assert len(wrong) <= asked // 100, "\n".join(wrong)
