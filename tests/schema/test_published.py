"""The JSON Schemas for editors say what the product says of a document's shape."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given

from krm_fn.command import EXIT_OK, EXIT_REFUSED, EXIT_USAGE
from krm_fn.function.config import KEYS, read_request
from krm_fn.program.definition import is_rgd, read_definition
from krm_fn.read.sources import read_sources
from krm_fn.read.yaml import parse_documents
from krm_fn.report.diagnostic import RenderError
from krm_fn.schema.published import json_schema, of_instances, published
from krm_fn.schema.structural import Found, compile_value
from tests.admit.test_admission_laws import CASES, QUIET
from tests.command.test_render import rookery
from tests.rendering import rgd

ROOT = Path(__file__).resolve().parents[2]
RGD = jsonschema.Draft7Validator(json.loads(published("rgd")))
CONFIG = jsonschema.Draft7Validator(json.loads(published("render-config")))
DOCUMENTS = [document.value for document in read_sources([str(ROOT / "fixtures")], lambda: b"")]


@pytest.mark.parametrize("validator", [RGD, CONFIG])
def test_a_published_schema_is_one(validator: Any) -> None:
    jsonschema.Draft7Validator.check_schema(validator.schema)


@pytest.mark.parametrize("document", [d for d in DOCUMENTS if is_rgd(d)], ids=lambda d: d["metadata"]["name"])
def test_the_fixtures_are_valid(document: dict[str, Any]) -> None:
    assert [error.message for error in RGD.iter_errors(document)] == []


RESOURCE = "- id: a\n  template: {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(rgd(RESOURCE), id="a sound one"),
        pytest.param(rgd(RESOURCE, spec="{a: {b: string}, c: '[]string'}"), id="nested fields"),
        pytest.param(rgd(RESOURCE.replace("id: a", "id: a-b")), id="an id with a dash"),
        pytest.param(rgd(RESOURCE.replace("id: a\n", "name: a\n")), id="no id"),
        pytest.param(rgd(RESOURCE + "  readyWhen: ['${true}']\n"), id="readyWhen"),
        pytest.param(rgd(RESOURCE + "  readyWhen: [true]\n"), id="readyWhen without an expression"),
        pytest.param(rgd(RESOURCE + "  readyWhen: '${true}'\n"), id="readyWhen that is no list"),
        pytest.param(rgd(RESOURCE + "  forEach: [{x: '${[1]}', y: '${[1]}'}]\n"), id="two variables in one entry"),
        pytest.param(rgd("- id: a\n  externalRef: {apiVersion: v1, kind: A, metadata: {name: a}}\n"), id="external"),
        pytest.param(rgd("- id: a\n  externalRef: {apiVersion: v1, kind: A, metadata: {}}\n"), id="external nameless"),
        pytest.param(rgd(RESOURCE + "  externalRef: {apiVersion: v1, kind: A, metadata: {name: a}}\n"), id="both"),
        pytest.param(rgd("- id: a\n"), id="neither"),
        pytest.param(rgd(RESOURCE, kind="app"), id="a kind in lower case"),
        pytest.param(
            rgd(RESOURCE).replace("apiVersion: v1alpha1", "apiVersion: kro.run/v1alpha1", 2), id="a group too much"
        ),
        pytest.param(rgd(RESOURCE, more="scope: Global"), id="an unknown scope"),
        pytest.param(rgd(RESOURCE, more="scope: Cluster"), id="a scope"),
    ],
)
def test_an_editor_underlines_what_the_reader_of_rgds_refuses(text: str) -> None:
    [document] = parse_documents(text, "rgd.yaml")
    problems: list[Any] = []
    read_definition(document.value, problems)
    assert RGD.is_valid(document.value) == (not problems), [problem.message for problem in problems]


def test_every_option_of_a_function_config_has_its_place() -> None:
    schema = json.loads(published("render-config"))
    assert set(schema["properties"]["spec"]["properties"]) == set(KEYS)


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"namespace": "team", "deferred": "fallback", "emit": ["instances"], "strict": True},
        {"namespace": "Team"},
        {"deferred": "never"},
        {"emit": "instances"},
        {"strict": "true"},
        {"paths": ["a", "b"], "crds": [], "observed": ["c"], "allowEmpty": False, "resources": [{"kind": "A"}]},
        {"paths": "a"},
        {"validator": "echo"},
        {"validator": "shout"},
        {"kubeVersion": "v1.35.3-eks-1"},
        {"kubeVersion": ""},
        {"kubeVersion": 1.35},
        {"kubeVersion": "latest"},
        {"nonsense": 1},
    ],
)
def test_an_editor_underlines_what_the_function_refuses(spec: dict[str, Any]) -> None:
    value = {"apiVersion": "fn.rookery.dev/v1alpha1", "kind": "RenderConfig", "metadata": {"name": "x"}, "spec": spec}
    [document] = parse_documents(json.dumps(value), "config.yaml")
    try:
        read_request(document, {}, "transformer")
    except RenderError:
        assert not CONFIG.is_valid(value)
    else:
        assert CONFIG.is_valid(value)


# -- instances ----------------------------------------------------------------------------------------------------------


@given(CASES)
@QUIET
def test_the_schema_of_instances_and_admission_agree(case: tuple[dict[str, Any], Any]) -> None:
    schema, value = case
    found = Found()
    compile_value(schema, as_written=True)(value, (), found)
    assert jsonschema.Draft7Validator(json_schema(schema)).is_valid(value) == (not found.errors)


def test_the_schema_of_two_kinds_tells_them_apart() -> None:
    text = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    number = {"type": "object", "properties": {"a": {"type": "integer", "nullable": True}}}
    both = jsonschema.Draft7Validator(of_instances([("x.io/v1", "Text", text), ("x.io/v1", "Number", number)]))
    document = {"apiVersion": "x.io/v1", "metadata": {"name": "a"}}
    assert both.is_valid({**document, "kind": "Text", "spec": {"a": "b"}})
    assert both.is_valid({**document, "kind": "Number", "spec": {"a": None}})
    assert both.is_valid({**document, "kind": "Number"})
    assert not both.is_valid({**document, "kind": "Text"})
    assert not both.is_valid({**document, "kind": "Number", "spec": {"a": "b"}})
    assert not both.is_valid({**document, "kind": "Number", "spec": {"A": 1}})


# -- the command --------------------------------------------------------------------------------------------------------


def test_the_schema_of_a_fixture_takes_its_instance() -> None:
    folder = ROOT / "fixtures" / "web-application"
    code, out, err = rookery("schema", str(folder))
    assert (code, err) == (EXIT_OK, "")
    validator = jsonschema.Draft7Validator(json.loads(out))
    [shop] = [d.value for d in read_sources([str(folder)], lambda: b"") if d.value["kind"] == "WebApplication"]
    assert validator.is_valid(shop)
    assert not validator.is_valid({**shop, "spec": {**shop["spec"], "replica": 1}})


def test_an_rgd_that_is_not_valid_has_none(tmp_path: Path) -> None:
    (tmp_path / "rgd.yaml").write_text(rgd(RESOURCE, spec="{a: strin}"))
    code, out, err = rookery("schema", str(tmp_path))
    assert (code, out) == (EXIT_REFUSED, "")
    assert "error[" in err


@pytest.mark.parametrize("name", ["rgd", "render-config", "simulation"])
def test_the_others_are_printed_as_they_are(name: str) -> None:
    assert rookery("schema", name) == (EXIT_OK, published(name), "")


def test_nothing_to_make_a_schema_of(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("apiVersion: v1\nkind: A\nmetadata: {name: a}\n")
    code, out, err = rookery("schema", str(tmp_path))
    assert (code, out) == (EXIT_REFUSED, "")
    assert "nothing-to-validate" in err
    assert rookery("schema")[0] == EXIT_USAGE
    assert rookery("schema", "--help")[0] == EXIT_OK
