"""
The law of unknowns: what is said while something is unknown stays true once it is known.

For any expression and any way of filling the holes in its input, the evaluation with holes gives an Unknown, or the value that
the filled evaluation gives, or an error only if the filled evaluation gives an error as well.
"""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from krm_fn.cel import compile_, parse
from krm_fn.cel.errors import EvaluationError
from krm_fn.cel.maps import make_map, sorted_entries
from krm_fn.cel.values import NONE, KeyedMap, OpenList, OpenMap, Optional, Unknown

KEYS = ("a", "b", "c")
SCALARS = st.sampled_from([0, 1, 2, 1.0, True, False, None, "a", "b"])
FILLINGS = st.one_of(
    SCALARS, st.sampled_from([[], [1], ["a", True], [[0]], {}, {"a": 1}, {"b": {"a": "b"}}, {"a": [2]}])
)
HOLE = "hole"
REST = "rest"
NOT = {f"not {key}": key for key in KEYS}


def data(depth: int = 2) -> Any:
    """
    JSON in which HOLE stands for an unknown value, and REST as a key or last item makes the container open.

    A key of NOT is one that somebody has looked for in an open map, and not found.
    """
    if depth == 0:
        return st.one_of(SCALARS, st.just(HOLE))
    inner = data(depth - 1)
    maps = st.dictionaries(st.sampled_from((*KEYS, REST)), inner, max_size=3)
    looked_at = st.dictionaries(st.sampled_from((*KEYS, *NOT)), inner, max_size=3).map(lambda m: {**m, REST: 0})
    lists = st.tuples(st.lists(inner, max_size=3), st.booleans()).map(lambda p: [*p[0], REST] if p[1] else p[0])
    return st.one_of(SCALARS, st.just(HOLE), maps, maps, looked_at, lists, lists)


def with_holes(value: Any, path: Any) -> Any:
    if value == HOLE and type(value) is str:
        return Unknown(path)
    if isinstance(value, dict):
        items = {k: with_holes(v, f"{path}.{k}") for k, v in value.items() if k != REST and k not in NOT}
        absent = frozenset(key for word, key in NOT.items() if word in value and key not in items)
        return OpenMap(items, path, absent) if REST in value else items
    if isinstance(value, list):
        is_open = bool(value) and type(value[-1]) is str and value[-1] == REST
        elements = [with_holes(v, f"{path}[{i}]") for i, v in enumerate(value[:-1] if is_open else value)]
        return OpenList(elements, path) if is_open else elements
    return value


def filled(value: Any, fill: Any) -> Any:
    """*fill*: gives a known value for each hole, by its path; for an open container the items that come."""
    if type(value) is Unknown:
        return fill(value.paths[0])
    if isinstance(value, dict):
        if type(value) is KeyedMap:
            return make_map((filled(k, fill), filled(v, fill)) for k, v in sorted_entries(value))
        items = {k: filled(v, fill) for k, v in value.items()}
        if type(value) is OpenMap:
            more = fill(f"{value.path}.*")
            for key in KEYS[: more % 4 if type(more) is int else 1]:
                if key not in value.absent:
                    items.setdefault(key, fill(f"{value.path}.{key}"))
        return items
    if isinstance(value, list):
        elements = [filled(v, fill) for v in value]
        if type(value) is OpenList:
            more = fill(f"{value.path}.*")
            elements += [fill(f"{value.path}[{len(value) + n}]") for n in range(more % 3 if type(more) is int else 1)]
        return elements
    if type(value) is Optional and value is not NONE:
        return Optional(filled(value.value, fill))
    return value


ATOMS = st.sampled_from(
    [
        "x",
        "y",
        "x",
        "y",
        "v",
        "k",
        "x.a",
        "y.b",
        "x.a.b",
        "x[0]",
        "y[1]",
        "x.c",
        "1",
        "2",
        "0",
        '"a"',
        '"b"',
        "true",
        "false",
        "dyn(null)",
        "1.0",
        "[]",
        "{}",
    ]
)
FORMS = [
    "({0} + {1})", "({0} - {1})", "({0} / {1})", "({0} == {1})", "({0} != {1})", "({0} < {1})", "({0} >= {1})",
    "({0} in {1})", "({0} && {1})", "({0} || {1})", "({0} && {1} && {2})", "({0} || {1} || {2})", "!({0})", "-({0})",
    "({0} ? {1} : {2})", "({0}).a", "({0}).b", "({0})[{1}]", "({0}).?a", "({0})[?{1}]", "has(({0}).a)", "[{0}, {1}]",
    '{{"a": {0}, "b": {1}}}', "{{{0}: {1}}}", "[?({0}).?a, {1}]", '{{?"a": ({0}).?b}}', "({0}).?a.orValue({1})",
    "({0}).?a.hasValue()", "({0}).?a.or(({1}).?b)", "({0}).?a.optMap(v, {1})", "({0}).?a.optFlatMap(v, ({1}).?a)",
    "size({0})", "({0}).all(v, {1})", "({0}).exists(v, {1})", "({0}).exists_one(v, {1})", "({0}).map(v, {1})",
    "({0}).filter(v, {1})", "({0}).map(v, {1}, {2})", "({0}).all(k, v, {1})", "({0}).exists(k, v, {1})",
    "({0}).transformList(k, v, {1})", "({0}).transformMap(k, v, {1})", "({0}).transformMapEntry(k, v, {{k: {1}}})",
    "dyn({0}).sortBy(v, {1})", "cel.bind(v, {0}, {1})", "({0}).all(v, v == {1})", "({0}).exists(v, v == {1})",
    "({0}).filter(v, v != {1})", "({0}).map(v, [v, {1}])", "({0}).exists_one(v, v == {1})", "type({0})", "string({0})",
    "google.protobuf.ListValue{{values: [{0}, {1}]}}", "google.protobuf.Value{{struct_value: {0}, ?list_value: ({1}).?a}}",
]  # fmt: skip
EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: st.tuples(st.sampled_from(FORMS), inner, inner, inner).map(lambda t: t[0].format(*t[1:])),
    max_leaves=8,
)


def shape(value: Any) -> Any:
    """A value with its types, comparable: 1 is not true here, nor 1.0; keys that are lists are compared by what they hold."""
    if isinstance(value, dict):
        return ("map", [(shape(key), shape(item)) for key, item in sorted_entries(value)])
    if isinstance(value, list):
        return ("list", [shape(item) for item in value])
    if type(value) is Optional:
        return ("none",) if value is NONE else ("some", shape(value.value))
    return (type(value).__name__, str(value))


def outcome(program: Any, activation: Any) -> Any:
    try:
        return program(activation)
    except EvaluationError as error:
        return error


@settings(max_examples=700, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(EXPRESSIONS, data(), data(), st.lists(FILLINGS, min_size=12, max_size=12))
def test_what_is_said_with_holes_holds_when_they_are_filled(expression: Any, x: Any, y: Any, values: Any) -> None:
    """A known answer is the filled answer; a known error is an error when filled."""

    def fill(path: Any) -> Any:
        return values[sum(map(ord, path)) % len(values)]

    program = compile_(parse(f"[1].map(v, [1].map(k, {expression})[0])[0]"))
    holes = {"x": with_holes(x, "x"), "y": with_holes(y, "y")}
    before = outcome(program, holes)
    if type(before) is Unknown:
        return
    after = outcome(program, {name: filled(value, fill) for name, value in holes.items()})
    if type(before) is EvaluationError:
        assert type(after) is EvaluationError
    else:
        assert type(after) is not EvaluationError
        assert shape(filled(before, fill)) == shape(after)
