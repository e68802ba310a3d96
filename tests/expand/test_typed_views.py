"""What expressions see of an instance and of other objects is read by its schema, as kro's typed values are."""

from __future__ import annotations

from typing import Any

import pytest

from krm_fn.program.model import Asked
from krm_fn.schema.crd import object_meta
from krm_fn.schema.means_itself import means_itself
from tests.rendering import config_map, free_form, instance, render, rgd

SPEC = """{
  ratio: float | default=4, whole: integer | default=4,
  zones: '[]string | uniqueItems=true', others: '[]string | uniqueItems=true', plain: '[]string', ports: '[]Port | listType=map listMapKey=name'
}"""
TYPES = "{Port: {name: string | required=true, number: integer}}"
GIVEN = "{zones: [a, b], others: [b, a], plain: [a, b], ports: [{name: x, number: 1}, {name: z, number: 2}]}"


@pytest.mark.parametrize(
    ("expression", "seen"),
    [
        ("string(schema.spec.ratio / 8.0)", "0.5"),
        ("string(schema.spec.whole / 8)", "0"),
        ("string(schema.spec.zones == schema.spec.others)", "true"),
        ("string(schema.spec.zones == schema.spec.plain)", "true"),
        ("(schema.spec.zones + schema.spec.others).join('')", "ab"),
        ("(schema.spec.plain + schema.spec.others).join('')", "abba"),
        ("(schema.spec.ports + schema.spec.ports).map(p, p.name).join('')", "xz"),
    ],
)
def test_an_instance_is_read_by_its_schema(expression: str, seen: str) -> None:
    text = rgd(config_map("cm", f'{{x: "${{{expression}}}"}}'), spec=SPEC, more=f"types: {TYPES}")
    assert render(text, instance(GIVEN))["shop-cm"]["data"] == {"x": seen}


def test_what_was_read_goes_out_as_it_came_in() -> None:
    text = rgd(free_form("cm", '{s: "${schema.spec}"}'), spec=SPEC, more=f"types: {TYPES}")
    made = render(text, instance(GIVEN))["shop-cm"]["data"]["s"]
    assert made["ports"] == [{"name": "x", "number": 1}, {"name": "z", "number": 2}]
    assert (made["zones"], made["ratio"]) == (["a", "b"], 4)


@pytest.mark.parametrize(
    ("expression", "seen"),
    [
        ("string(dyn(schema.spec.plain) != 1)", "true"),
        ("string([dyn(schema.spec.plain)] == [1])", "true"),
        ("string('0' in dyn({'a': 1}) || dyn(schema.spec.plain).size() == 2)", "true"),
        ("string(dyn(schema.spec.plain) == 1)", None),
        ("string(dyn(schema.spec.plain)[0u])", None),
    ],
)
def test_dyn_lets_lists_meet_what_they_are_not_like(expression: str, seen: str | None) -> None:
    """As in kro: a list under a schema compared with what is none is an error, and equal inside of another list."""
    text = rgd(config_map("cm", f'{{x: "${{{expression}}}"}}'), spec=SPEC, more=f"types: {TYPES}")
    result = render(text, instance("{plain: [a, b]}"))
    if seen is None:
        assert result.errors == ["cel-no-such-overload"]
    else:
        assert result["shop-cm"]["data"] == {"x": seen}


def test_the_time_of_an_observed_instance_is_a_timestamp() -> None:
    text = rgd(config_map("cm", '{x: "${string(schema.metadata.creationTimestamp.getFullYear())}"}'))
    observed = (
        "apiVersion: kro.run/v1alpha1\nkind: App\n"
        "metadata: {name: shop, namespace: store, creationTimestamp: '2024-03-01T00:00:00Z'}\n"
    )
    assert render(text, instance(), observed=observed)["shop-cm"]["data"] == {"x": "2024"}
    assert render(text, instance()).waits == {"cm": ["schema.metadata.creationTimestamp"]}


# -- when nothing has to be read ----------------------------------------------------------------------------------------

META = object_meta(namespaced=True)


def _asked(*paths: str) -> Asked:
    asked = Asked("")
    for path in paths:
        asked.add(path.split(".") if path else [])
    return asked


@pytest.mark.parametrize(
    ("schema", "paths", "plain"),
    [
        (META, ["name", "labels"], True),
        (META, ["name", "creationTimestamp"], False),
        (META, ["ownerReferences"], False),
        (META, ["nobody.knows"], True),
        (META, [""], False),
        ({"type": "object", "properties": {"a-b": {"type": "string"}}}, ["a-b"], True),
        ({"type": "object", "properties": {"a-b": {"type": "string"}}}, [""], False),
        ({"type": "object", "additionalProperties": {"type": "number"}}, ["x"], False),
        ({"type": "object", "additionalProperties": {"type": "string"}}, ["", "x.y"], True),
        ({"type": "object", "additionalProperties": {"type": "string", "format": "byte"}}, ["x"], False),
        ({"type": "array", "items": {"type": "integer"}}, [""], True),
        ({"type": "array", "items": {"type": "integer"}, "x-kubernetes-list-type": "set"}, [""], False),
        ({"x-kubernetes-int-or-string": True}, [""], True),
        ({"type": "object", "properties": {"a": {"type": "string", "nullable": True}}}, ["a"], False),
        ({"type": "object", "properties": {"a": {"type": "string", "nullable": True}}}, ["b", "c.d"], True),
        ({"type": "object", "properties": {"a": {"type": "string", "nullable": True}}}, [""], False),
        ({"type": "object", "x-kubernetes-embedded-resource": True}, ["metadata"], False),
    ],
)
def test_plain_json_is_used_as_it_is_where_it_means_what_it_says(
    schema: dict[str, Any], paths: list[str], *, plain: bool
) -> None:
    assert means_itself(schema, _asked(*paths)) is plain


def test_a_schema_that_shares_its_parts_is_walked_once() -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(60):
        schema = {"type": "object", "properties": {"a": schema, "b": schema}}
    assert means_itself(schema, _asked(""))


def test_ready_when_cannot_decode_a_secret_as_in_kro() -> None:
    secret = """\
- id: sec
  readyWhen: ["${string(sec.data.k) == 'hi'}"]
  template: {apiVersion: v1, kind: Secret, metadata: {name: s}, data: {k: aGk=}}
"""
    result = render(rgd(secret + config_map("after", '{v: "${string(sec.data.k)}"}')), instance())
    assert result.errors == ["cel-no-such-overload"]
