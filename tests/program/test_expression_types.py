"""Types of an RGD's expressions: what is refused, where the caret stands, and what must not be refused."""

from __future__ import annotations

from typing import Any

import pytest

from krm_fn.program.build import build_program
from krm_fn.schema.kinds import Kinds
from tests.program.test_build import EXTERNAL, config, rgd

SPEC = {
    "name": "string",
    "replicas": "integer",
    "on": "boolean",
    "xs": "[]string",
    "ports": "[]Port",
    "m": "map[string]string",
}
TYPES = {"Port": {"name": "string", "number": "integer"}}


def untyped() -> Kinds:
    """What is known where the schema of ConfigMaps is not."""
    kinds = Kinds()
    kinds.add("v1", "ConfigMap", namespaced=True)
    return kinds


def refusals(*resources: dict[str, Any], **schema: Any) -> list[tuple[str, str, str]]:
    """(code, message, what the caret marks) of each problem."""
    document = rgd(*resources, spec=SPEC, types=TYPES, **schema)
    found = []
    for problem in build_program(document, untyped())[1]:
        place: Any = document
        for step in problem.path:
            place = place[step]
        found.append((problem.code, problem.message, str(place)[problem.offset : problem.offset + problem.length]))
    return found


def in_data(text: str) -> dict[str, Any]:
    return config(data={"a": text})


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        pytest.param(
            in_data("${schema.spec.replica}"),
            ("undefined-field", "'replica' is not a field of schema.spec", "replica"),
            id="field",
        ),
        pytest.param(
            in_data("${schema.metadata.nam}"), ("undefined-field", "'nam' is not a field of schema.metadata", "nam"), id="metadata"
        ),
        pytest.param(in_data("${schema.status.a}"), ("undefined-field", "'status' is not a field of schema", "status"), id="status"),
        pytest.param(
            in_data("${schema.spec.ports[0].nam}"),
            ("undefined-field", "'nam' is not a field of schema.spec.ports[*]", "nam"),
            id="field-of-an-element",
        ),
        pytest.param(in_data("${1 + schema.spec.name}"), ("cel-type", "+: does not take int and string", "+"), id="operator"),
        pytest.param(
            in_data("a-${schema.spec.replicas}-b"),
            ("cel-type", "a text with ${…} inside is made of strings, not int", "schema.spec.replicas"),
            id="part-of-a-text",
        ),
        pytest.param(
            in_data("${schema.spec.replicas}-b"),
            ("cel-type", "a text with ${…} inside is made of strings, not int", "schema.spec.replicas"),
            id="first-part-of-a-text",
        ),
        pytest.param(
            in_data("a-${1 + schema.spec.name}"), ("cel-type", "+: does not take int and string", "+"), id="inside-a-part"
        ),
        pytest.param(
            config(includeWhen=["${schema.spec.name}"]),
            ("cel-type", "includeWhen of 'cm' needs a bool, not string", "schema.spec.name"),
            id="includeWhen",
        ),
        pytest.param(
            config(includeWhen=["${dyn(true)}"]),
            ("cel-type", "includeWhen of 'cm' needs a bool, not a value of unknown type", "dyn(true)"),
            id="includeWhen-dyn",
        ),
        pytest.param(
            config(readyWhen=["${cm.data.size()}"]),
            ("cel-type", "readyWhen of 'cm' needs a bool, not int", "cm.data.size()"),
            id="readyWhen",
        ),
        pytest.param(
            config(name="${x}", forEach=[{"x": "${schema.spec.m}"}]),
            ("cel-type", "forEach of 'cm' needs a list, not map of string", "schema.spec.m"),
            id="forEach",
        ),
        pytest.param(
            config(name="${p.name}", forEach=[{"p": "${schema.spec.ports}"}], data={"a": "${p.nam}"}),
            ("undefined-field", "'nam' is not a field of schema.spec.ports[*]", "nam"),
            id="field-of-a-loop-variable",
        ),
        pytest.param(
            config(name="a-${p.number}", forEach=[{"p": "${schema.spec.ports}"}]),
            ("cel-type", "a text with ${…} inside is made of strings, not int", "p.number"),
            id="loop-variable-in-a-text",
        ),
    ],
)  # fmt: skip
def test_what_kro_refuses_is_refused(resource: dict[str, Any], expected: tuple[str, str, str]) -> None:
    assert refusals(resource) == [expected]


def test_a_status_condition_must_be_one() -> None:
    assert refusals(config(), status={"conditions": ["${cm.data.size() > 0}"]}) == [
        (
            "cel-type",
            "status.conditions needs runtime.newCondition(…) or a list of them, not bool",
            "cm.data.size() > 0",
        )
    ]


def test_each_place_of_one_text_is_reported() -> None:
    text = "${schema.spec.nam}"
    assert [code for code, _, _ in refusals(config("a", data={"x": text, "y": text}), config("b", name=text))] == [
        "undefined-field"
    ] * 3


def test_a_broken_schema_is_reported_once() -> None:
    document = rgd(in_data("${schema.spec.a.b + 1}"), spec={"a": "strin"})
    assert [problem.code for problem in build_program(document, untyped())[1]] == ["type-unknown"]


def test_a_cluster_scoped_instance_has_no_namespace() -> None:
    template = {**config()["template"], "metadata": {"name": "a", "namespace": "${schema.metadata.namespace}"}}
    assert refusals({"id": "cm", "template": template}, scope="Cluster") == [
        ("undefined-field", "'namespace' is not a field of schema.metadata", "namespace")
    ]


@pytest.mark.parametrize(
    "resource",
    [
        pytest.param(config(name="a-${other.data.x}"), id="text"),
        pytest.param(config(includeWhen=["${other.data.x}"]), id="includeWhen"),
        pytest.param(config(includeWhen=["${other.?data.x}"]), id="includeWhen-optional"),
        pytest.param(config(includeWhen=["${schema.spec.on ? other.data.x : schema.spec.on}"]), id="conditional"),
        pytest.param(config(readyWhen=["${cm.data.x}"]), id="readyWhen"),
        pytest.param(config(name="${x}", forEach=[{"x": "${other.data.xs}"}]), id="forEach"),
        pytest.param(
            config(name="${x}", forEach=[{"x": "${other.data.xs.first().value()}"}]), id="forEach-of-a-method"
        ),
        pytest.param(config(name="${x.a.b}", forEach=[{"x": "${externals}"}]), id="forEach-of-a-collection"),
        pytest.param(in_data("${externals.map(e, e.data.x).sum() + 1}"), id="aggregate"),
        pytest.param(in_data("${other.data.x.y[0].z + 1 > 2 ? 'a' : other.data.q}"), id="anything"),
        pytest.param(in_data("${schema.spec.m.anything}"), id="key-of-a-map"),
        pytest.param(in_data("${schema.metadata.?labels['a'].orValue('')}"), id="optional-label"),
    ],
)
def test_nothing_is_refused_for_a_schema_that_is_not_here(resource: dict[str, Any]) -> None:
    selecting = {**EXTERNAL, "metadata": {"selector": {"matchLabels": {"a": "b"}}}}
    assert refusals(resource, config("other", name="other"), {"id": "externals", "externalRef": selecting}) == []


def test_escaped_fields_have_the_type_of_the_field() -> None:
    """`name_fields` gives the tree the names that objects have; types are known by CEL's."""
    document = rgd(in_data("${schema.spec.o.a__dash__b + 1}"), spec={"o": {"a-b": "string"}})
    assert [p.message for p in build_program(document, Kinds())[1]] == ["+: does not take string and int"]


@pytest.mark.parametrize(("key", "read"), [("on", "true"), ("Yes", "true"), ("n", "false"), ("OFF", "false")])
def test_a_field_whose_key_yaml_reads_as_a_boolean(key: str, read: str) -> None:
    document = rgd(in_data(f"${{string(schema.spec.{key})}}"), spec={read: "boolean"})
    [problem] = build_program(document, untyped())[1]
    assert problem.help == f"YAML reads the key {key} as {read}: write it in quotes"
