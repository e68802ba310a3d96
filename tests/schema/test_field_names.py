"""Fields that CEL cannot spell, wherever an expression comes to them."""

from __future__ import annotations

from typing import Any

import pytest

from krm_fn.cel import parse
from krm_fn.cel.syntax import Has, Select, children
from krm_fn.schema.field_names import name_fields

DASHED: dict[str, Any] = {
    "properties": {"a-b": {"properties": {"c.d": {}}}, "list-of": {"items": {"properties": {"x-y": {}}}}}
}
SCHEMAS = {
    "one": {"properties": {**DASHED["properties"], "by-name": {"additionalProperties": DASHED}}},
    "many": {"items": DASHED},
}


def fields(text: str) -> list[str]:
    tree = parse(text)
    name_fields(tree, SCHEMAS)
    found = []
    pending: list[Any] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, Select | Has):
            found.append(node.field)
        pending.extend(children(node))
    return sorted(found)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        pytest.param("one.a__dash__b.c__dot__d", ["a-b", "c.d"], id="fields"),
        pytest.param("one.?a__dash__b", ["a-b"], id="optional"),
        pytest.param("has(one.a__dash__b)", ["a-b"], id="has"),
        pytest.param("one.list__dash__of[0].x__dash__y", ["list-of", "x-y"], id="item"),
        pytest.param("many[0].a__dash__b", ["a-b"], id="collection"),
        pytest.param("many.map(m, m.a__dash__b)", ["a-b"], id="map"),
        pytest.param("many.filter(m, m.a__dash__b == 1)[0].a__dash__b", ["a-b", "a-b"], id="filter"),
        pytest.param("many.exists(i, m, m.a__dash__b == i)", ["a-b"], id="two-variables"),
        pytest.param("many.sortBy(m, m.a__dash__b)[0].a__dash__b", ["a-b", "a-b"], id="sortBy"),
        pytest.param("cel.bind(m, many[0], m.a__dash__b)", ["a-b"], id="bind"),
        pytest.param("one.?a__dash__b.optMap(m, m.c__dot__d)", ["a-b", "c.d"], id="optMap"),
        pytest.param("one.by__dash__name.k__dash__l.a__dash__b", ["a-b", "by-name", "k__dash__l"], id="keys-of-maps-are-not-escaped"),
        pytest.param("other.a__dash__b", ["a__dash__b"], id="not-declared"),
        pytest.param("[1].map(one, one.a__dash__b)", ["a__dash__b"], id="hidden-by-a-macro"),
        pytest.param("one.x__y", ["x__y"], id="no-escape"),
    ],
)  # fmt: skip
def test_a_field_gets_the_name_that_its_object_has(text: str, wanted: list[str]) -> None:
    assert fields(text) == wanted


def test_the_deepest_expression_is_named() -> None:
    assert fields("(" * 240 + "one.a__dash__b" + ")" * 240 + ".c__dot__d" * 1) == ["a-b", "c.d"]
