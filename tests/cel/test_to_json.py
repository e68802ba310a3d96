"""What a field of a manifest gets (kro v0.9.3 pkg/cel/conversion, then the removal of omit())."""

from typing import Any

import pytest

from krm_fn.cel import to_json
from krm_fn.cel.errors import BAD_CONVERSION, BUDGET, EvaluationError
from krm_fn.cel.values import OMIT
from tests.cel.running import rows, run


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1", 1), ("1.5", 1.5), ('"a"', "a"), ("true", True), ("null", None), ("[1, [2]]", [1, [2]]), ('{"a": {"b": 1}}', {"a": {"b": 1}}), ("[]", []), ("{}", {}),
        ("1u", 1), ("[1u]", [1]), ('b"abc"', "YWJj"), ('{"a": b""}', {"a": ""}),
        ("optional.none()", None), ("optional.of(1)", 1), ("optional.of(optional.of([1u]))", [1]), ("[optional.none(), optional.of(1)]", [None, 1]),
        ('duration("90m")', "1h30m0s"), ('timestamp("2024-01-01T01:00:00.5+01:00")', "2024-01-01T00:00:00Z"), ('{duration("1s"): 1}', {"1s": 1}),
        ("omit()", OMIT), ("[1, omit(), 2]", [1, 2]), ('{"a": omit(), "b": [omit()]}', {"b": []}), ('{"a": {"b": omit()}}', {"a": {}}), ("optional.of(omit())", OMIT),
    ],
)  # fmt: skip
def test_converts(expression: Any, expected: Any) -> None:
    value = to_json(run(expression))
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    "expression",
    rows(
        {
            "no form in JSON": [
                "type(1)",
                "[type(1)]",
                "0.0 / 0.0",
                "[1.0 / 0.0]",
                '{"a": -1.0 / 0.0}',
                "optional.of(type(1))",
            ],
            "keys that are no strings": ["{1: 2}", "{true: 1}", "[{1u: 2}]", "{null: 1}", "{1.5: 1}", '{"a": 1, 2: 3}'],
        }
    ),
)
def test_does_not_convert(expression: Any) -> None:
    with pytest.raises(EvaluationError) as caught:
        to_json(run(expression))
    assert caught.value.kind == BAD_CONVERSION


def test_plain_json_is_shared() -> None:
    """Nothing is copied that needs no conversion; of what does, only the way to it."""
    data = {"a": [{"b": 1}, {"c": "x"}], "d": {"e": None}}
    assert to_json(data) is data
    mixed = {"kept": data, "removed": OMIT}
    converted = to_json(mixed)
    assert converted == {"kept": data}
    assert converted["kept"] is data
    assert "removed" in mixed


@pytest.mark.parametrize("levels", [1_001, 100_000])
def test_depth_is_bounded(levels: Any) -> None:
    value: Any = []
    for _ in range(levels):
        value = [value]
    with pytest.raises(EvaluationError) as caught:
        to_json(value)
    assert caught.value.kind == BUDGET


def test_repetition_is_bounded() -> None:
    """A hundred lists, each holding the one before twice, would be 2^100 items."""
    value: Any = [1]
    for _ in range(100):
        value = [value, value]
    with pytest.raises(EvaluationError) as caught:
        to_json(value)
    assert caught.value.kind == BUDGET
