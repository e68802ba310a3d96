"""The CRD of a Program, and what an RGD may say of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from krm_fn.cel.types import INT, STRING, UNKNOWN, list_of, map_of
from krm_fn.program.build import build_program
from krm_fn.program.definition import Problem
from krm_fn.program.generated import crd_of, objects_schema, objects_schema_before
from krm_fn.program.model import Program
from krm_fn.schema.cel_types import type_of_schema
from krm_fn.schema.kinds import Kinds

ANYTHING = {"x-kubernetes-preserve-unknown-fields": True}
CONDITION = '${runtime.newCondition({type: "A", status: "True"})}'


def rgd(**schema: Any) -> dict[str, Any]:
    metadata = {"name": "${schema.metadata.name}", "namespace": "boxes"}
    template = {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": metadata}
    return {
        "apiVersion": "kro.run/v1alpha1",
        "kind": "ResourceGraphDefinition",
        "metadata": {"name": "test"},
        "spec": {
            "schema": {"apiVersion": "v1alpha1", "kind": "Box", **schema},
            "resources": [{"id": "thing", "template": template}],
        },
    }


def built(**schema: Any) -> Program:
    kinds = Kinds()
    kinds.add("example.com/v1", "Thing", namespaced=True)
    program, problems = build_program(rgd(**schema), kinds)
    assert program is not None, problems
    return program


def problems(**schema: Any) -> list[Problem]:
    kinds = Kinds()
    kinds.add("example.com/v1", "Thing", namespaced=True)
    return build_program(rgd(**schema), kinds)[1]


def schema_in(crd: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def status(**fields: Any) -> dict[str, Any]:
    """The author's fields of the generated status."""
    made: dict[str, Any] = schema_in(crd_of(built(spec={"n": "integer"}, status=fields)))["properties"]["status"]
    assert {"state", "conditions"} <= set(made["properties"])
    return {name: made["properties"][name] for name in fields if name not in ("state", "conditions")}


def test_the_whole() -> None:
    crd = crd_of(built(spec={"n": "integer | required=true"}, status={"twice": "${schema.spec.n * 2}"}))
    assert crd["metadata"] == {"name": "boxes.kro.run"}
    assert crd["spec"]["group"] == "kro.run"
    assert crd["spec"]["scope"] == "Namespaced"
    assert [column["name"] for column in crd["spec"]["versions"][0]["additionalPrinterColumns"]] == [
        "State",
        "Ready",
        "Age",
    ]
    properties = schema_in(crd)["properties"]
    assert list(properties) == ["apiVersion", "kind", "metadata", "spec", "status"]
    assert properties["spec"] == {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    assert properties["status"]["properties"]["twice"] == {"type": "integer"}


def test_what_the_author_says_of_the_crd() -> None:
    column = {"name": "N", "type": "integer", "jsonPath": ".spec.n", "priority": 1}
    said = {"labels": {"team": "a"}, "annotations": {"note": "b"}}
    crd = crd_of(built(group="example.com", scope="Cluster", additionalPrinterColumns=[column], metadata=said))
    assert crd["metadata"] == {"name": "boxes.example.com", **said}
    assert (crd["spec"]["group"], crd["spec"]["scope"]) == ("example.com", "Cluster")
    assert crd["spec"]["versions"][0]["additionalPrinterColumns"] == [column]


def test_status_fields_are_typed_by_their_expressions() -> None:
    assert status(
        name="${schema.metadata.name}",
        shout="n is ${string(schema.spec.n)}",
        since="${schema.metadata.creationTimestamp}",
        list=["${schema.spec.n}", "${schema.spec.n + 1}"],
        deep={"er": "${schema.spec.n > 1}"},
    ) == {
        "name": {"type": "string"},
        "shout": {"type": "string"},
        "since": {
            "type": "string",
            "format": "date-time",
            "description": "Timestamp representing a creation time",
        },
        "list": {"type": "array", "items": {"type": "integer"}},
        "deep": {"type": "object", "properties": {"er": {"type": "boolean"}}},
    }


def test_a_field_of_a_kind_without_a_schema_takes_anything() -> None:
    assert status(phase="${thing.status.phase}", known="${thing.status.phase == 'up'}") == {
        "phase": ANYTHING,
        "known": {"type": "boolean"},
    }


def test_the_authors_conditions_leave_kros_schema() -> None:
    made = schema_in(crd_of(built(status={"conditions": [CONDITION], "state": "${schema.metadata.generation}"})))
    properties = made["properties"]["status"]["properties"]
    assert properties["conditions"]["items"]["properties"]["observedGeneration"] == {"type": "integer"}
    assert properties["state"] == {"type": "integer"}


def test_one_type_for_each_status_field() -> None:
    program = built(spec={"n": "integer"}, status={"a": "${schema.spec.n}", "b": "${schema.metadata.name}"})
    assert [path for path, _ in program.status] == [("a",), ("b",)]
    assert program.status_types == [INT, STRING]


PAGE = Path(__file__).resolve().parents[2] / "docs" / "api.md"
ROWS = [row for row in re.findall(r"^\| `(.+?)` \| (.+) \|$", PAGE.read_text(), re.MULTILINE) if "${" in row[0]]


@pytest.mark.parametrize(("field", "said"), ROWS)
def test_the_types_that_the_docs_name(field: str, said: str) -> None:
    if said.startswith("an error"):
        assert [problem.code for problem in problems(status={"it": field})] == ["cel-type"]
    else:
        assert status(it=field) == {"it": json.loads(said.strip("`"))}


# -- what other RGDs see ----------------------------------------------------------------------------------------------------


def test_other_rgds_see_the_metadata_of_every_object() -> None:
    program = built(scope="Cluster", spec={"n": "integer"}, status={"a": "${schema.spec.n}"})
    schema = objects_schema(program)
    assert schema["properties"]["metadata"]["properties"]["namespace"] == {"type": "string"}
    assert schema["properties"]["status"]["properties"]["a"] == {"type": "integer"}
    assert schema_in(crd_of(program))["properties"]["metadata"] == {"type": "object"}


def test_a_field_of_an_unknown_type_is_one_to_other_rgds() -> None:
    """A CRD has no type for it, as for `dyn`, which kro then does not take for a field at all."""
    fields = {
        "port": "${thing.status.port}",
        "ports": "${thing.status.ports.map(p, p)}",
        "named": "${{'first': thing.status.port}}",
        "perhaps": "${thing.?status}",
        "free": "${dyn(schema.metadata.name)}",
    }
    program = built(status=fields)
    seen = objects_schema(program)["properties"]["status"]["properties"]
    assert [type_of_schema(seen[name], name) for name in fields] == [
        UNKNOWN,
        list_of(UNKNOWN),
        map_of(STRING, UNKNOWN),
        UNKNOWN,
        None,
    ]
    assert "not-at-hand" not in str(crd_of(program))


def test_before_an_rgd_is_compiled_any_status_is_possible() -> None:
    schema = objects_schema_before(rgd(spec={"n": "integer"}, status={"a": "${schema.spec.n}"}))
    assert schema is not None
    assert schema["properties"]["spec"]["properties"] == {"n": {"type": "integer"}}
    assert type_of_schema(schema["properties"]["status"], "status") is UNKNOWN
    assert objects_schema_before(rgd(spec={"n": "nonsense"})) is None


# -- what the API server refuses ---------------------------------------------------------------------------------------------


def column(**change: Any) -> dict[str, Any]:
    base = {"name": "N", "type": "string", "jsonPath": ".spec.n"}
    return {key: value for key, value in {**base, **change}.items() if value is not None}


APPROVED = {"annotations": {"api-approved.kubernetes.io": "unapproved, an experiment"}}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        pytest.param({"group": "example.com"}, [], id="a group"),
        pytest.param({"group": "example"}, [("invalid-group", "group")], id="a group without a dot"),
        pytest.param({"group": "Example.com"}, [("invalid-group", "group")], id="a group with a capital"),
        pytest.param({"group": "../x.y"}, [("invalid-group", "group")], id="a group that is a path"),
        pytest.param({"group": "a.k8s.io"}, [("invalid-group", "group")], id="a group of Kubernetes'"),
        pytest.param({"group": "a.k8s.io", "metadata": APPROVED}, [], id="a group of Kubernetes', approved"),
        pytest.param({"kind": "B" + "o" * 62}, [("invalid-kind", "kind")], id="a kind with too long a plural"),
        pytest.param({"kind": "B" + "o" * 59}, [("invalid-kind", "kind")], id="a kind with too long a list"),
        pytest.param({"kind": "B" + "o" * 58}, [], id="a long kind"),
        pytest.param({"apiVersion": "v" + "1" * 63}, [("invalid-api-version", "apiVersion")], id="a long version"),
        pytest.param(
            {"group": "k8s.io", "metadata": {"annotations": {"api-approved.kubernetes.io": "https://example.com/1"}}},
            [],
            id="a group of Kubernetes', approved somewhere",
        ),
        pytest.param(
            {"group": "k8s.io", "metadata": {"annotations": {"api-approved.kubernetes.io": "https://"}}},
            [("invalid-group", "group")],
            id="a group of Kubernetes', approved nowhere",
        ),
        pytest.param({"additionalPrinterColumns": []}, [], id="no columns"),
        pytest.param({"additionalPrinterColumns": [column()]}, [], id="a column"),
        pytest.param({"additionalPrinterColumns": [column(priority=2, format="int32", description="d")]}, [], id="all"),
        pytest.param(
            {"additionalPrinterColumns": {}},
            [("rgd-wrong-type", "additionalPrinterColumns")],
            id="columns that are no list",
        ),
        pytest.param({"additionalPrinterColumns": ["x"]}, [("rgd-wrong-type", 0)], id="a column that is a text"),
        pytest.param(
            {"additionalPrinterColumns": [column(type=None, jsonPath="")]},
            [("rgd-missing-field", 0), ("rgd-missing-field", 0)],
            id="a column without type and path",
        ),
        pytest.param(
            {"additionalPrinterColumns": [column(name=1, priority="1")]},
            [("rgd-wrong-type", "name"), ("rgd-wrong-type", "priority")],
            id="a column of other types",
        ),
        pytest.param(
            {"additionalPrinterColumns": [column(type="int", format="x", jsonPath="spec.n")]},
            [("invalid-column", "type"), ("invalid-column", "jsonPath"), ("invalid-column", "format")],
            id="a column that the API server does not know",
        ),
        pytest.param({"metadata": {"labels": {"a": 1}}}, [("rgd-wrong-type", "a")], id="a label that is a number"),
        pytest.param({"metadata": {"labels": {"a": None}}}, [], id="a label that is null"),
        pytest.param({"metadata": {"labels": {"a": "b c"}}}, [("invalid-label", "a")], id="a label with a blank"),
        pytest.param({"metadata": {"annotations": {"a b": "c"}}}, [("invalid-label", "a b")], id="a key with a blank"),
        pytest.param({"metadata": []}, [("rgd-wrong-type", "metadata")], id="metadata that is a list"),
        pytest.param({"status": {"conditions": None}}, [("rgd-wrong-type", "conditions")], id="no conditions"),
        pytest.param({"status": {"conditions": []}}, [], id="an empty list of conditions"),
        pytest.param({"status": {"a[0]": "${schema.metadata.name}"}}, [("status-field-name", "a[0]")], id="a path"),
        pytest.param({"status": {'a."b': "${schema.metadata.name}"}}, [("status-field-name", 'a."b')], id="a quote"),
        pytest.param({"status": {"a.[b": "${schema.metadata.name}"}}, [], id="an odd name"),
        pytest.param(
            {"status": {"l": ["${schema.metadata.name}", "${schema.metadata.generation}"]}},
            [("status-list-mixed", "l")],
            id="a list of two types",
        ),
    ],
)
def test_what_the_api_server_would_refuse_is_said_at_once(
    schema: dict[str, Any], expected: list[tuple[str, str | int]]
) -> None:
    assert [(problem.code, problem.path[-1]) for problem in problems(**schema)] == expected


def test_a_status_without_measure_is_an_error() -> None:
    """Types of an expression's own making are bounded as the expression is; those of an object are as large as its schema."""
    types = {f"T{i}": {"a": f"T{i - 1}", "b": f"T{i - 1}"} for i in range(1, 12)} | {"T0": {"a": "string"}}
    copies = {f"copy{i}": "${schema.spec}" for i in range(5)}
    assert problems(spec={"x": "T11"}, types=types, status={"one": "${schema.spec}"}) == []
    [problem] = problems(spec={"x": "T11"}, types=types, status=copies)
    assert (problem.code, problem.path) == ("status-too-large", ("spec", "schema", "status"))


def test_a_mixed_list_is_a_warning() -> None:
    [problem] = problems(status={"l": ["${schema.metadata.name}", "${schema.metadata.generation}"]})
    assert problem.severity == "warning"
    assert problem.message == "the elements of status field l differ: string, integer"
