"""What is wrong with the text of a rule, before any value is there."""

from typing import Any

import pytest

from krm_fn.schema.rules import rule_problem

OBJECT: dict[str, Any] = {
    "type": "object",
    "properties": {"foo": {"type": "string"}, "with-it": {"type": "string"}, "in": {"type": "string"}, "a__b": {"type": "string"}},
}  # fmt: skip


@pytest.mark.parametrize(
    ("field", "problem"),
    [
        ("foo", ""),
        ("with__dash__it", ""),
        ("__in__", ""),
        ("a__underscores__b", ""),
        ("__foo__", "'__foo__' is not a field of self"),
        ("a__b", "'a__b' is not a field of self"),
        ("a__nope__b", "'a__nope__b' is not a field of self"),
        ("with__dot__it", "'with__dot__it' is not a field of self"),
    ],
)
def test_a_rule_spells_fields_as_the_api_server_does(field: str, problem: str) -> None:
    assert rule_problem(f"self.{field} == 'x'", OBJECT)[0] == problem
