"""
What validation rules cost, held to what a real API server (v1.35.0) said of the CRDs that kro generates for them.

`rule_costs.json`: a SimpleSchema; `times`, how many times too expensive the dearest rule is said to be, empty where the CRD is accepted; `all`:
whether it is the rules together that are.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from krm_fn.cel import parse
from krm_fn.schema.rule_cost import rule_cost
from krm_fn.schema.rule_sizes import RULE_LIMIT, Bounds
from krm_fn.schema.rules import _variables
from krm_fn.schema.simple_schema import SchemaError, SchemaProblem, to_openapi

RECORDED = json.loads(Path(__file__).with_name("rule_costs.json").read_text(encoding="utf-8"))


def problems(spec: dict[str, Any], types: dict[str, Any] | None = None) -> list[SchemaProblem]:
    try:
        to_openapi(spec, types)
    except SchemaError as error:
        return error.problems
    return []


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: json.dumps(case["spec"])[:80])
def test_an_api_server_says_the_same(case: dict[str, Any]) -> None:
    found = problems(case["spec"], case.get("types"))
    if not case["times"]:
        assert found == []
        return
    assert {problem.code for problem in found} == {"rule-invalid"}
    assert f"may cost {case['times']} times as much as the API server allows" in found[0].message
    assert ("and others" in found[0].message) == case["all"]
    assert "maxItems" in found[0].help


def test_the_dear_rule_is_underlined() -> None:
    text = "[]string | minItems=1 validation=\"self.all(x, x.matches('^[a-z]+$'))\""
    (problem,) = problems({"a": "string", "deep": {"names": text}})
    assert problem.path == ("spec", "deep", "names")
    assert text[problem.offset :] == "validation=\"self.all(x, x.matches('^[a-z]+$'))\""


def test_an_immutable_field_of_a_map_is_underlined() -> None:
    types = {"Pet": {"name": "string | required=true immutable=true"}}
    (problem,) = problems({"pets": "map[string]Pet"}, types)
    assert (problem.path, problem.offset) == (("types", "Pet", "name"), 23)


@pytest.mark.parametrize(
    ("rule", "schema", "cost"),
    [
        pytest.param("true", {"type": "string"}, 0, id="a constant is free"),
        pytest.param("self == 'abc'", {"type": "string"}, 2, id="a comparison ends with the shorter text"),
        pytest.param("self == oldSelf", {"type": "string", "maxLength": 100}, 42, id="4 bytes a character"),
        pytest.param("self == oldSelf", {"type": "string", "enum": ["a", "b" * 50]}, 7, id="the longest member"),
        pytest.param("self > 1 && self < 9", {"type": "integer"}, 4, id="both sides count"),
        pytest.param("self > 1 ? self > 2 : self == 3", {"type": "integer"}, 4, id="the dearer branch counts"),
        pytest.param(
            "self.all(x, x > 0)", {"type": "array", "items": {"type": "integer"}, "maxItems": 10}, 52, id="ten rounds"
        ),
        pytest.param("string(self) + 'x' == 'x'", {"type": "integer"}, 1844674407370955267, id="a text of any size"),
    ],
)
def test_costs_are_counted_as_cel_go_counts_them(rule: str, schema: dict[str, Any], cost: int) -> None:
    assert rule_cost(parse(rule), _variables(schema), schema, Bounds()) == cost


def test_a_hostile_rule_is_estimated_in_time() -> None:
    """Long and deep; the schema is asked once for each of its parts."""
    types = {f"T{i}": {"a": f"T{i + 1} | required=true", "b": "string | required=true"} for i in range(60)}
    types["T60"] = {"c": "string"}
    rule = " || ".join(["self.a.a.a.b == 'x'"] * 2000)
    found = problems({"x": f'T0 | validation="{rule}"'}, types)
    assert found == []
    assert RULE_LIMIT == 10_000_000
