"""The defaults that a server fills in."""

from __future__ import annotations

from typing import Any

import pytest

from krm_fn.cel.values import OpenMap
from krm_fn.schema.defaults import defaulted

INNER = {"type": "object", "properties": {"b": {"type": "integer", "default": 2}, "c": {"type": "string"}}}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "a": {"type": "integer", "default": 1},
        "inner": INNER,
        "made": {**INNER, "default": {}},
        "list": {"type": "array", "items": INNER},
        "numbers": {"type": "array", "items": {"type": "integer", "default": 7}},
        "map": {"type": "object", "additionalProperties": INNER},
        "texts": {"type": "object", "additionalProperties": {"type": "string", "default": "d"}},
        "nullable": {"type": "integer", "default": 3, "nullable": True},
    },
}
ALL = {"a": 1, "made": {"b": 2}, "nullable": 3}

CASES: dict[str, tuple[Any, Any]] = {
    "what is not there": ({}, ALL),
    "not what is there": ({"a": 5, "made": {"b": 6}, "nullable": 0}, {"a": 5, "made": {"b": 6}, "nullable": 0}),
    "a null is not there": ({**ALL, "a": None}, ALL),
    "unless it may be": ({**ALL, "nullable": None}, {**ALL, "nullable": None}),
    "below what is there": ({**ALL, "inner": {"c": "x"}}, {**ALL, "inner": {"c": "x", "b": 2}}),
    "in items": ({**ALL, "list": [{}, {"b": 1}]}, {**ALL, "list": [{"b": 2}, {"b": 1}]}),
    "a null for an item": ({**ALL, "numbers": [1, None]}, {**ALL, "numbers": [1, 7]}),
    "in entries": ({**ALL, "map": {"x": {}}}, {**ALL, "map": {"x": {"b": 2}}}),
    "a null for an entry": ({**ALL, "texts": {"x": None, "y": "z"}}, {**ALL, "texts": {"x": "d", "y": "z"}}),
    "what no schema knows": ({**ALL, "other": {"a": None}}, {**ALL, "other": {"a": None}}),
}


@pytest.mark.parametrize(("value", "expected"), CASES.values(), ids=CASES)
def test_defaulted(value: Any, expected: Any) -> None:
    shown = repr(value)
    assert defaulted(value, SCHEMA) == expected
    assert repr(value) == shown


def test_what_needs_none_is_the_same() -> None:
    value = {**ALL, "inner": {"b": 1}, "list": [{"b": 1}]}
    assert defaulted(value, SCHEMA) is value
    assert defaulted(value, None) is value


def test_what_nobody_knows_stays_unknown() -> None:
    value = OpenMap({}, "x")
    assert defaulted(value, SCHEMA) is value
