"""No expression stalls a render or eats memory: each evaluation has a budget."""

import time
import tracemalloc
from typing import Any

import pytest

from krm_fn.cel import compile_, parse
from krm_fn.cel.errors import BUDGET, EvaluationError
from tests.cel.running import error_of, run


def bound(step: Any, levels: Any, start: Any) -> Any:
    """cel.bind around cel.bind: each level's variable is *step* of the one before, {0}."""
    text = start
    for level in range(levels):
        text = f"cel.bind(x{level}, {text}, {step.format(f'x{level}')})"
    return text


THOUSAND = "lists.range(1000)"
HOSTILE = {
    "ten million steps": f"{THOUSAND}.all(a, {THOUSAND}.all(b, lists.range(10).all(c, true)))",
    "ten million results": f"{THOUSAND}.map(a, {THOUSAND}.map(b, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].filter(c, c > 9)))",
    "a million times a million": f"{THOUSAND}.exists(a, {THOUSAND}.exists(b, {THOUSAND}.exists(c, {THOUSAND}.exists(d, a + b + c + d < 0))))",
    "doubled text": bound("{0} + {0}", 60, '"0123456789"'),
    "doubled template": bound('{0} + "-" + {0}', 60, '"0123456789"'),
    "doubled list": bound("{0} + {0}", 60, "[1]"),
    "doubled in optMap": "optional.of(" * 60 + '"0123456789"' + ").optMap(x, x + x).value()" * 60,
    "compared list of lists": f"cel.bind(a, {bound('[{0}, {0}]', 60, '[1]')}, cel.bind(b, {bound('[{0}, {0}]', 60, '[1]')}, a == b))",
}


@pytest.mark.parametrize("expression", HOSTILE.values(), ids=HOSTILE)
def test_hostile_expressions_end(expression: Any) -> None:
    """They end in a spent budget, soon, and no more than a few hundred megabytes large."""
    started = time.perf_counter()
    assert error_of(expression).kind == BUDGET
    assert time.perf_counter() - started < 20


def test_doubling_takes_little_memory() -> None:
    tracemalloc.start()
    assert error_of(HOSTILE["doubled text"]).kind == BUDGET
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200_000_000


@pytest.mark.parametrize(
    "expression",
    [
        pytest.param(f"{HOSTILE['doubled text']} == 'x' || true", id="or"),
        pytest.param(f"{HOSTILE['doubled text']} == 'x' && false", id="and"),
        pytest.param(f"[1].exists(q, {HOSTILE['doubled text']} == 'x') || true", id="exists"),
        pytest.param(f"[1, 2].all(q, q == 2 ? false : {HOSTILE['doubled text']} == 'x')", id="all"),
        pytest.param(f"cel.bind(unused, {HOSTILE['doubled text']}, 1)", id="bind"),
    ],
)
def test_a_spent_budget_is_never_absorbed(expression: Any) -> None:
    assert error_of(expression).kind == BUDGET


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        pytest.param(
            f"{THOUSAND}.map(a, {THOUSAND}.filter(b, b == a)[0]).size()", 1000, id="a thousand times a thousand"
        ),
        pytest.param("lists.range(100000).map(x, string(x)).size()", 100_000, id="a hundred thousand"),
        pytest.param(
            f'{THOUSAND}.all(i, long.contains("zz") == false)', True, id="a long text looked through a thousand times"
        ),
        pytest.param(
            "lists.range(2000).exists(i, list == list2 && i == 1999)", True, id="lists compared again and again"
        ),
    ],
)
def test_honest_work_is_done(expression: Any, value: Any) -> None:
    data = {"long": "a" * 20_000, "list": list(range(500)), "list2": list(range(500))}
    assert run(expression, **data) == value


def test_each_evaluation_has_its_own_budget() -> None:
    program = compile_(
        parse("lists.range(1000).map(a, lists.range(500).map(b, b)).size() == 1000 && l == m && 'x' in l")
    )
    data = {"l": [*range(100), "x"], "m": [*range(100), "x"]}
    assert [program(data) for _ in range(5)] == [True] * 5


def test_comparing_at_top_level_never_runs_dry() -> None:
    """A program without loops begins with a full budget as well, if it can need one."""
    program = compile_(parse("l == m"))
    data = {"l": list(range(5_000)), "m": list(range(5_000))}
    assert all(program(data) for _ in range(600))


@pytest.mark.parametrize(
    "expression",
    [
        "(" * 249 + "a" + ")" * 249,
        "a" + " + a" * 250,
        "[1].map(x, " * 80 + "a" + ")" * 80,
        "cel.bind(x, a, " * 240 + "x" + ")" * 240,
        "!(" * 240 + "b" + ")" * 240,
    ],
)
def test_the_deepest_expressions_run(expression: Any) -> None:
    """Whatever the parser accepts compiles and runs without running out of stack."""
    assert run(expression, a=1, b=True) is not None


def test_values_nested_too_deeply_are_refused() -> None:
    deep = (
        f"cel.bind(x, {'[' * 90}1{']' * 90}, " + f"cel.bind(x, {'[' * 90}x{']' * 90}, " * 20 + "x == [x][0]" + ")" * 21
    )
    assert error_of(deep).kind == BUDGET


def test_a_sum_that_fails_deep_inside_is_evaluated_once() -> None:
    """It took twice as long with each level: a chain that failed was added up again, one by one."""
    text = "1"
    for _ in range(60):
        text = f'a + "" + ({text})'
    program = compile_(parse(text))
    with pytest.raises(EvaluationError, match=r"string \+ int"):
        program({"a": "x"})
