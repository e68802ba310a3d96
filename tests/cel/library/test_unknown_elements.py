"""What functions make of values that only a cluster has, inside of what they are given."""

import pytest

from krm_fn.cel.values import OpenList, OpenMap, Optional, SettledList, SettledMap, Unknown
from tests.cel.running import run

A, B = Unknown("d.a"), Unknown("d.b")
OPEN = OpenList([1, 2], "d.list")
SETTLED = SettledList([1, 2], "d.list")
OPEN_MAP = OpenMap({"a": 1}, "d.map")
SETTLED_MAP = SettledMap({"a": "1"}, "d.map")


def outcome(value):
    if isinstance(value, Unknown):
        return f"waits for {', '.join(value.paths)}"
    return value.value if isinstance(value, Optional) else value


ROWS = [
    ("moving elements asks nothing of them", "x.reverse() == [1, 2]", [A, 1], "waits for d.a"),
    ("nor does counting", "x.size()", [A, 1], 2),
    ("nor slicing", "x.slice(1, 2)", [A, 1], [1]),
    ("nor replacing", "lists.setAtIndex(x, 0, 5)", [A, 1], [5, 1]),
    ("nor removing", "lists.removeAtIndex(x, 0)", [A, 1], [1]),
    ("the first element may be the unknown one", "x.first()", [A, 1], "waits for d.a"),
    ("the last need not be", "x.last()", [A, 1], 1),
    ("a sum needs all", "x.sum()", [1, A, B], "waits for d.a, d.b"),
    ("so does an order", "x.sort()", [2, A], "waits for d.a"),
    ("and a least element", "x.min()", [2, A], "waits for d.a"),
    ("and a greatest", "x.max()", [2, A], "waits for d.a"),
    ("and being sorted", "x.isSorted()", [2, A], "waits for d.a"),
    ("and joining", "x.join('-')", ["a", A], "waits for d.a"),
    ("and being distinct", "x.distinct()", [1, A], "waits for d.a"),
    ("a position before the unknown one is known", "x.indexOf(1)", [1, A], 0),
    ("one behind it is not: it may be the first", "x.indexOf(1)", [A, 1], "waits for d.a"),
    ("from the end it is the other way round", "x.lastIndexOf(1)", [A, 1], 1),
    ("an unknown element may be a list", "x.flatten()", [[1], A], "waits for d.a"),
    ("unless nothing is flattened", "x.flatten(0).size()", [[1], A], 2),
    ("format shows everything, at any depth", "'%s'.format(x)", [[1, [A]]], "waits for d.a"),
    ("so does JSON", "json.marshal(x)", {"k": [1, {"n": A}]}, "waits for d.a"),
    ("merging maps does not", "x.merge({'b': 1}).b", {"a": A}, 1),
    ("what may follow an open list is unknown", "x.size()", OPEN, "waits for d.list"),
    ("its known elements are not", "x.first()", OPEN, 1),
    ("nor their positions", "x.indexOf(2)", OPEN, 1),
    ("another position is", "x.indexOf(3)", OPEN, "waits for d.list"),
    ("so is the last one", "x.lastIndexOf(1)", OPEN, "waits for d.list"),
    ("and the last element", "x.last()", OPEN, "waits for d.list"),
    ("a slice of known elements is known", "x.slice(0, 2)", OPEN, [1, 2]),
    ("one past them is not", "x.slice(0, 3)", OPEN, "waits for d.list"),
    ("the first of no elements is unknown", "x.first()", OpenList([], "d.list"), "waits for d.list[0]"),
    ("an open list turned round is unknown", "x.reverse()", OPEN, "waits for d.list"),
    ("inserting moves what may follow", "lists.insertAtIndex(x, 0, 9)", OPEN, "waits for d.list"),
    ("replacing does not", "lists.setAtIndex(x, 0, 9)[2]", OPEN, "waits for d.list[2]"),
    ("an open list inside may go on", "x.flatten()", [OPEN], "waits for d.list"),
    ("a settled list taken whole is what is desired", "x.sum()", SETTLED, 3),
    ("also inside of another", "x.flatten()", [SETTLED, [3]], [1, 2, 3]),
    ("past its end it is as unknown", "x.slice(0, 3)", SETTLED, "waits for d.list"),
    ("an open map's size is unknown", "x.size()", OPEN_MAP, "waits for d.map"),
    ("merged, it stays open", "x.merge({'b': 2}).c", OPEN_MAP, "waits for d.map.c"),
    ("what is laid over it is known", "x.merge({'b': 2}).b", OPEN_MAP, 2),
    ("what it is laid over may be hidden", "{'b': 2}.merge(x).b", OPEN_MAP, "waits for d.map.b"),
    ("its own entries win", "{'a': 2}.merge(x).a", OPEN_MAP, 1),
    ("a settled map hides nothing", "{'b': '2'}.merge(x).b", SETTLED_MAP, "2"),
    ("and stays settled", "json.marshal(x.merge({'b': '2'}))", SETTLED_MAP, '{"a":"1","b":"2"}'),
    ("an empty open map may not be empty", "optional.ofNonZeroValue(x)", OpenMap({}, "d.map"), "waits for d.map"),
    ("optionals that are unknown", "optional.unwrap(x)", [Optional(1), A], "waits for d.a"),
]


@pytest.mark.parametrize(
    ("expression", "x", "expected"), [pytest.param(*row[1:], id=row[0].replace(" ", "-")) for row in ROWS]
)
def test_unknown(expression, x, expected):
    assert outcome(run(expression, x=x)) == expected
