"""The budget of an evaluation holds for data under a schema, too: to read it, again and again, is work."""

import time
from typing import Any

import pytest

from krm_fn.cel import compile_, parse
from krm_fn.cel.errors import BUDGET, EvaluationError
from krm_fn.schema.typed_values import typed

OBJECT = {"type": "object", "properties": {"name": {"type": "string"}, "n": {"type": "integer"}}}
OBJECTS = [{"name": str(i), "n": i} for i in range(1000)]
DATA = {
    "times": typed(
        ["2020-01-01T00:00:00Z"] * 1000, {"type": "array", "items": {"type": "string", "format": "date-time"}}
    ),
    "texts": typed(
        [str(i) for i in range(1000)],
        {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
    ),
    "keyed": typed(
        OBJECTS,
        {
            "type": "array",
            "items": OBJECT,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
        },
    ),
    "objects": typed(OBJECTS, {"type": "array", "items": OBJECT}),
    "unfit": typed(["x"] * 1000, {"type": "array", "items": {"type": "integer"}}),
}
BODIES = (
    "{0} == {0}", "{0} == {0}.map(x, x)", "{0} + {0} == {0}", "{0}.all(x, x == x)", "'q' in {0}", "{0}.sort() == []",
    "{0}.distinct() == []", "json.marshal({0}) == ''", "{0}.transformMap(i, x, x) == {{}}",
)  # fmt: skip


def value_of(expression: str) -> Any:
    return compile_(parse(expression))(DATA)


@pytest.mark.thorough
@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("name", DATA)
def test_reading_for_ever_ends_in_a_spent_budget(monkeypatch: Any, name: str, body: str) -> None:
    """A tenth of the budget is tried. The limit is generous: machines that run tests are busy."""
    monkeypatch.setattr("krm_fn.cel.compile.EVALUATION_BUDGET", 1_000_000)
    started = time.process_time()
    with pytest.raises(EvaluationError) as caught:
        value_of(f"lists.range(1000).all(i, lists.range(1000).all(j, ({body.format(name)}) || true))")
    assert caught.value.kind == BUDGET
    assert time.process_time() - started < 1.5


@pytest.mark.thorough
@pytest.mark.parametrize(
    "expression",
    [
        "texts.all(x, texts.exists(y, x == y))",
        "objects.all(x, keyed.exists(y, x.name == y.name))",
        "keyed + objects == keyed",
        "times == times",
        "objects.map(x, x.name + '-' + string(x.n)).join(',').startsWith('0-0,1-1')",
    ],
)
def test_a_thousand_items_are_not_too_many(expression: str) -> None:
    assert value_of(expression) is True
