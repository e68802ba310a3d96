"""No expression stalls a render or eats memory: each evaluation has a budget."""

import time
import tracemalloc
from contextlib import suppress
from typing import Any

import pytest

from krm_fn.cel import compile_, parse, to_json
from krm_fn.cel.budget import EVALUATION_BUDGET, UNLIMITED, budget
from krm_fn.cel.errors import BUDGET, EvaluationError
from krm_fn.cel.values import OpenMap, Unknown
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

BILLION = "{0}.all(a, {0}.all(b, {0}.all(c, ({1}) || true)))"
HOSTILE |= {
    f"again and again: {body}": BILLION.format(THOUSAND, body)
    for body in (
        "isIP(string(c))",
        'isQuantity("1x")',
        "url('http://a').getHost() == ''",
        "[a, b, c].sort() == []",
        "duration('1s') + duration('1s') == duration('1h')",
        "1 / 0 == 1",
        "nope",
        "{a: b}[c] == 0",
        "timestamp(a).getHours('Europe/Berlin') == 24",
        "timestamp(a).getHours('Europe/Nowhere') == 24",
        "[].exists(x, x)",
        "'a'.matches('b')",
        "'a'.matches('b' + string(c))",
        "json.unmarshal('[]') == 1",
        "string(1.5) == string(a)",
        "[a] in [[b]]",
        "google.protobuf.Timestamp{seconds: c} == timestamp(0)",
        "google.protobuf.Struct{fields: {'a': 1, 'b': [c]}} == {}",
        "google.protobuf.Int32Value{value: 99999999999} == 1",
    )
}
MANY = {
    "text": '"a"', "digit": '"1"', "duration": 'duration("1s")', "timestamp": "timestamp(0)", "double": "1.5", "bytes": 'b"a"',
    "list": "[1]", "map": '{"a": 1}', "version": 'semver("1.0.0-a")', "quantity": 'quantity("1")', "uint": "1u",
}  # fmt: skip
ON_MANY = (
    "{0}.sort() == []", "{0}.distinct() == []", "{0}.min() == 1", "{0}.isSorted()", "{0}.sum() == 1", "{0}.indexOf([2]) == 0",
    "'%s'.format([{0}]) == ''", "json.marshal({0}) == ''", "{0}.join() == ''", "{0}.flatten() == []", "{0} == {0}.map(x, x)",
    "{0}.all(x, x in {0})", "{0}.sortBy(x, x) == []", "{0}.transformMap(i, x, x) == {{}}", "[{0}, {0}, {0}].map(x, x)",
)  # fmt: skip
ON_LONG = (
    "double({0}) == 1.0", "int({0}) == 1", "'x' + {0} == 'x' + {0} + ''", "{0}.split('') == []", "{0}.replace('', 'ab') == ''",
    "{0}.upperAscii() == ''", "strings.quote({0}) == ''", "{0}.findAll('a|b') == []", "{0}.findAll('(?s)1.*c|1') == []",
    "{0}.matches('(a|b|1)*c')", "hash.fnv64a({0}) == b''", "duration({0}) == duration('1s')", "json.unmarshal({0}) == 1",
    "url('http://' + {0}).getHost() == ''", "isURL('/' + {0})", "semver('1.0.0-' + {0}).major() == 0", "quantity({0}).isInteger()",
    "timestamp('2020-01-01T00:00:00.' + {0} + 'Z') == timestamp(0)", "base64.decode({0}) == b''", "ip({0}) == ip('::1')",
    "{0}.format([]) == ''", "lists.range(1000).all(i, lists.range(1000).all(j, {0}.contains('b') || {0} == {0} + ''))",
    "{{{0}: 1}}[{0} + ''] == 1", "[{0}, {0}, {0}].sort() == []", "lists.range(100000).map(i, {0}).sort() == []",
    "cel.bind(l, lists.range(100000).map(i, {0}), cel.bind(other, {0} + '', l.exists(x, x != other)))",
)  # fmt: skip


def ends(expression: str, /, seconds: float = 5, **data: Any) -> None:
    """It ends, be it with an answer, within a moment. The limit is generous: machines that run tests are busy."""
    started = time.process_time()
    with suppress(EvaluationError):
        run(expression, **data)
    assert time.process_time() - started < seconds, expression


@pytest.mark.thorough
@pytest.mark.parametrize("expression", HOSTILE.values(), ids=HOSTILE)
def test_hostile_expressions_end(expression: Any) -> None:
    """They end in a spent budget, soon, and no more than a few hundred megabytes large."""
    ends(expression)
    assert error_of(expression).kind == BUDGET


@pytest.fixture
def tenth(monkeypatch: Any) -> None:
    """A tenth of the budget, so that much can be tried."""
    monkeypatch.setattr("krm_fn.cel.compile.EVALUATION_BUDGET", EVALUATION_BUDGET // 10)


@pytest.mark.usefixtures("tenth")
@pytest.mark.thorough
@pytest.mark.parametrize("body", ON_MANY)
def test_a_long_list_is_worked_on_for_a_moment(body: Any) -> None:
    """Whatever its elements are: a full budget lasts as long as every other."""
    for element in MANY.values():
        for size in (300, 50_000):
            many = f"cel.bind(one, {element}, lists.range({size}).map(i, one))"
            again = f"lists.range(1000).all(j, lists.range(100).all(k, {body.format('l')} || true))"
            ends(f"cel.bind(l, {many}, {again})", seconds=0.7)


@pytest.mark.thorough
@pytest.mark.usefixtures("tenth")
@pytest.mark.parametrize("body", ON_LONG)
def test_a_long_text_is_worked_on_for_a_moment(body: Any) -> None:
    for unit in ("1", "a", "é", "1_", "1h", "%41", "["):
        for size in (300, 100_000, 1_000_000):
            again = f"lists.range(1000).all(m, lists.range(100).all(n, {body.format('s')} || true))"
            ends(again, seconds=0.7, s=unit * (size // len(unit)))


@pytest.mark.thorough
@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param("[ab]*a[ab]{900}c", id="every state at once"),
        pytest.param(r"(\pL|\pN){200}x", id="a large program"),
        pytest.param(r"\pL{999}", id="too large a program"),
        pytest.param("()" * 40_000, id="many groups"),
        pytest.param("[ab]?" * 15_000, id="a long pattern"),
    ],
)
def test_a_pattern_takes_a_moment(pattern: Any) -> None:
    long = "abbabaababa" * 50_000
    ends("s.matches(p) || s.find(p) == s", s=long, p=pattern)
    ends("s.findAll(p) == []", s=long, p=pattern)
    ends("lists.range(100).all(i, s.matches(p + string(i)) || true)", s=long[:50], p=pattern)


@pytest.mark.parametrize(
    "level",
    [
        pytest.param('a + "" + ({0})', id="texts"),
        pytest.param('a + "-" + ({0}) + "."', id="template"),
        pytest.param("({0}) || ({1})", id="or"),
        pytest.param("[{0}]", id="list"),
        pytest.param("({0}) ? ({1}) : ({1})", id="conditional"),
    ],
)
def test_what_fails_is_evaluated_once(level: Any) -> None:
    """Or a hundred levels of it would be evaluated for ever."""
    text = "1 / 0"
    for _ in range(100):
        text = level.format(text, "true")
    started = time.process_time()
    with pytest.raises(EvaluationError):
        run(f"[{text}][0] == 1 ? 1 / 0 : 1 / 0", a="x")
    assert time.process_time() - started < 5


def test_unknowns_are_merged_at_once() -> None:
    """Ten thousand values that nobody knows, each by its own name."""
    holes = OpenMap({}, "pod.data")
    started = time.process_time()
    unknown = run("lists.range(10000).map(i, m[string(i)])", m=holes)
    assert len(unknown.paths) == 10_000
    assert unknown.paths[:2] == ("pod.data.0", "pod.data.1")
    names = ", ".join(f"m.n{i}" for i in range(9_000))
    assert len(run(f"[{names}]", m=holes).paths) == 9_000
    assert time.process_time() - started < 5


def test_a_path_grows_no_longer_than_anybody_reads() -> None:
    """Each of a hundred selections by a megabyte would copy all of those before."""
    unknown = run(
        "cel.bind(x0, u, " + "".join(f"cel.bind(x{i + 1}, x{i}[s], " for i in range(100)) + "x100" + ")" * 101,
        u=Unknown("a"),
        s="k" * 100_000,
    )
    assert len(unknown.paths[0]) < 10_000


def test_nothing_is_paid_outside_of_an_evaluation() -> None:
    """Whoever looks at a value afterwards, or reads one beforehand, finds no budget spent by others."""
    assert error_of(HOSTILE["doubled text"]).kind == BUDGET
    assert budget.left == UNLIMITED
    run("[1, 2].map(x, x)")
    to_json([1.5])
    assert budget.left == UNLIMITED


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
    """A program without loops begins with a full budget as well."""
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
