"""Unknowns flow, merge and are absorbed as the CEL specification says."""

from typing import Any

import pytest

from krm_fn.cel import to_json
from krm_fn.cel.errors import NO_SUCH_KEY
from krm_fn.cel.library.conditions import RUNTIME
from krm_fn.cel.values import OpenList, OpenMap, Unknown
from tests.cel.running import error_of, run


def activation() -> Any:
    return {
        "u": Unknown("u"),
        "v": Unknown("v"),
        "open": OpenMap({"name": "web", "spec": OpenMap({"replicas": 2}, "open.spec")}, "open"),
        "part_seen": OpenMap(
            {"name": "web", "status": OpenMap({}, "part_seen.status", frozenset({"url"}))},
            "part_seen",
            frozenset({"data"}),
        ),
        "bare": OpenMap({}, "bare", frozenset({"status"})),
        "runtime": RUNTIME,
        "ol": OpenList([1, 2], "ol"),
        "part": {"known": 1, "hole": Unknown("part.hole"), "list": [1, Unknown("part.list[1]")]},
        "m": {"a": 1},
        "l": [1, 2],
    }


UNKNOWN = [
    ("u", "u"), ("u.a.b", "u.a.b"), ("u[0].a", "u[0].a"), ('u["a/b"]', 'u["a/b"]'), ("u + 1", "u"), ("1 + u", "u"), ("u + v", "u v"),
    ("u == 1", "u"), ("1 != u", "u"), ("u < v", "u v"), ("u in l", "u"), ("1 in u", "u"), ("!u", "u"), ("-u", "u"), ('"a" + u.b + "c"', "u.b"),
    ('"a" + u + v + "c"', "u v"), ("u && v", "u v"), ("u && true", "u"), ("u || false", "u"), ("u && 1 / 0 == 1", "u"), ("1 / 0 == 1 || u", "u"),
    ("true && u && v", "u v"), ("u ? 1 : 2", "u"), ("u ? u : v", "u"), ("[1, u]", "u"), ("[u, v]", "u v"), ('{"a": u}', "u"), ("{u: 1}", "u"), ("{u: v}", "u v"),
    ("size(u)", "u"), ("u.size()", "u"), ("has(u.a)", "u.a"), ("u.?a", "u.a"), ("u[?0]", "u[0]"), ("m[u]", "u"), ("m[?u]", "u"), ("l[u]", "u"),
    ("u.?a.orValue(1)", "u.a"), ("u.a.orValue(1)", "u.a"), ("u.map(x, x)", "u"), ("u.all(x, true)", "u"), ("u.exists_one(x, true)", "u"),
    ("l.map(x, u)", "u"), ("l.filter(x, u)", "u"), ("l.map(x, u == 1, x)", "u"), ("l.all(x, u == x)", "u"), ("l.exists(x, x == u)", "u"),
    ("l.exists_one(x, x == u)", "u"), ("l.transformMap(i, x, u)", "u"), ("l.transformList(i, x, v)", "v"), ("l.sortBy(x, u)", "u"), ("u.sortBy(x, x)", "u"),
    ("cel.bind(x, u, x.a)", "u.a"), ("u.optMap(x, 1)", "u"), ("m.?a.optMap(x, u)", "u"), ("string(u)", "u"), ("[1].map(x, u.a)", "u.a"),
    ("open.status", "open.status"), ("open.status.phase", "open.status.phase"), ("open.spec.x", "open.spec.x"), ("has(open.status)", "open.status"),
    ("open.?status", "open.status"), ('open[?"x"]', "open.x"), ('"x" in open', "open.x"), ("open == open", "open open.spec"), ("size(open)", "open"),
    ('open == {"name": "web", "spec": {"replicas": 2}}', "open open.spec"), ("open.map(k, k)", "open"), ("ol[2]", "ol[2]"), ("ol[?7]", "ol[7]"),
    ("3 in ol", "ol"), ("ol == [1, 2]", "ol"), ("ol.map(x, x)", "ol"), ("ol.all(x, x > 0)", "ol"), ("ol.exists(x, x > 2)", "ol"),
    ("ol.exists_one(x, x == 1)", "ol"), ("ol + [3]", "ol"), ("ol.size()", "ol"), ("ol.filter(x, false)", "ol"), ("[0] + ol", "ol"),
    ("part.hole", "part.hole"), ("part.hole.a", "part.hole.a"), ("part.list[1]", "part.list[1]"), ("part == {\"known\": 1, \"hole\": 2, \"list\": [1, 2]}", "part.hole part.list[1]"),
    ("2 in part.list", "part.list[1]"), ("part.list == [1, 2]", "part.list[1]"), ("part.list.map(x, x)", "part.list[1]"), ("part.list.filter(x, true)", "part.list[1]"),
    ("part_seen.spec", "part_seen.spec"), ("has(part_seen.spec)", "part_seen.spec"), ("part_seen.?spec.?x", "part_seen.spec.x"), ("part_seen.status.ip", "part_seen.status.ip"),
    ("size(part_seen)", "part_seen"), ("part_seen.map(k, k)", "part_seen"), ("part_seen.all(k, k != 'data')", "part_seen"), ("size(part_seen.status)", "part_seen.status"),
    ("part_seen == part_seen", "part_seen part_seen.status"), ("optional.ofNonZeroValue(part_seen.status)", "part_seen.status"), ("json.marshal(part_seen.status)", "part_seen.status"),
    ('part_seen.status == {"ip": 1}', "part_seen.status"), ('{"spec": 1}.merge(part_seen).spec', "part_seen.spec"), ('part_seen.merge({"data": 1}).spec', "part_seen.spec"),
    ("runtime.condition(part_seen, 'Ready')", "part_seen.status.conditions"),
    ("has(part.hole)", "part.hole"), ("part.?hole", "part.hole"), ('part.list.exists(x, x == 9)', "part.list[1]"),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "paths"), UNKNOWN, ids=[e for e, _ in UNKNOWN])
def test_is_unknown(expression: Any, paths: Any) -> None:
    """The result waits for exactly these paths."""
    value = run(expression, **activation())
    assert type(value) is Unknown
    assert " ".join(value.paths) == paths


KNOWN = [
    ("false && u", False), ("u && false", False), ("true || u", True), ("u || true", True), ("u && v && false", False), ("1 / 0 == 1 || u || true", True),
    ("true ? 1 : u", 1), ("false ? u : 2", 2), ("l.exists(x, x == 1 || u)", True), ("l.all(x, x == 1 && u)", False), ("l.exists_one(x, true || u)", False),
    ("open.name", "web"), ("open.spec.replicas", 2), ("has(open.name)", True), ("open.?name.orValue(1)", "web"), ('"name" in open', True),
    ('open == {"name": "db"}', False), ('open.spec == {"replicas": 3}', False), ("open.name == \"web\"", True),
    ("ol[1]", 2), ("1 in ol", True), ("ol == [2, 1]", False), ("ol == [1]", False), ("ol.exists(x, x == 2)", True), ("ol.all(x, x < 2)", False),
    ("ol.exists_one(x, x > 0)", False), ("part.known", 1), ("part.list[0]", 1), ("1 in part.list", True), ("part.list == [2, 2]", False),
    ("part.list == [1]", False), ("part.list.exists(x, x == 1)", True), ("part.list.all(x, x == 2)", False), ("m.?a.orValue(u)", 1),
    ("cel.bind(x, u, 1)", 1), ("m == {\"a\": 1}", True), ("[].map(x, u)", []), ("[1].map(x, false, u)", []), ("m.?a.or(u).value()", 1),
    ("part.size() == 3 || u", True),
    ("part_seen.name", "web"), ("has(part_seen.data)", False), ("has(part_seen.status.url)", False), ("part_seen.?data.hasValue()", False), ("part_seen.?data.?x.orValue(1)", 1),
    ("part_seen.status.?url.orValue('none')", "none"), ("part_seen[?'data'].hasValue()", False), ("'data' in part_seen", False), ("'url' in part_seen.status", False),
    ('part_seen.status == {"url": 1}', False), ('{"url": 1} == part_seen.status', False), ('part_seen == {"name": "web", "status": {}, "data": {}}', False),
    ('{"data": 1}.merge(part_seen).data', 1), ('part_seen.merge({"data": 1}).data', 1), ("has({}.merge(part_seen).data)", False), ("has(part_seen.merge({}).data)", False),
    ('has(part_seen.merge({"data": 1}).data)', True), ("runtime.condition(bare, 'Ready').status", ""),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "value"), KNOWN, ids=[e for e, _ in KNOWN])
def test_is_known_all_the_same(expression: Any, value: Any) -> None:
    """What is known decides: the unknown is absorbed, or is not asked."""
    assert run(expression, **activation()) == value


@pytest.mark.parametrize(
    "expression", ["u + 1 / 0", "[u, 1 / 0]", '"a" + u + m.zz', "u == m.zz", "l.map(x, u == m.zz)", "size(u) + m.zz"]
)
def test_an_error_beside_an_unknown_is_an_error(expression: Any) -> None:
    """It will be one whatever the unknown turns out to be."""
    assert error_of(expression, **activation())


@pytest.mark.parametrize(
    ("expression", "paths"),
    [
        pytest.param("part", "part.hole part.list[1]", id="holes at any depth"),
        pytest.param("open", "open open.spec", id="open map"),
        pytest.param("ol", "ol", id="open list"),
        pytest.param("optional.of(part)", "part.hole part.list[1]", id="inside an optional"),
        pytest.param("[m, l].map(x, x)[1] == l ? u : v", "u", id="an unknown itself"),
    ],
)
def test_json_of_what_is_partly_unknown(expression: Any, paths: Any) -> None:
    """A field cannot get a part of a value: it waits for all of it."""
    value = to_json(run(expression, **activation()))
    assert type(value) is Unknown
    assert " ".join(value.paths) == paths


def test_unknown_has_no_truth() -> None:
    with pytest.raises(TypeError, match="no truth"):
        bool(Unknown("a"))


@pytest.mark.parametrize(
    "expression",
    [
        "part_seen.data",
        "part_seen.data.x",
        "part_seen.status.url",
        'part_seen["data"]',
        "cel.bind(x, part_seen, x.data)",
    ],
)
def test_what_somebody_looked_for_and_did_not_find_is_no_such_key(expression: Any) -> None:
    """As in an object that was seen whole: kro waits for it."""
    error = error_of(expression, **activation())
    assert error.kind == NO_SUCH_KEY
