"""The generated CRD is kro's: names, plural, columns, metadata, schema."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from krm_fn.schema.crd import generated_crd, object_meta, schema_without_status, with_default_status
from krm_fn.schema.plurals import plural
from tests.conformance.rules_text import crd_outline
from tests.schema import corpus

DEFAULT_COLUMNS = ["State", "Ready", "Age"]

# words and what gobuffalo/flect v1.0.3 makes of them, faults included
PLURALS = """
aircraft aircraft; alias aliases; webalias webalias; analysis analyses; api apis; webapi webapis; axis axes;
webaxis webaxis; base bases; database databases; basis bases; batch batches; bureau bureaus; bus buses; cache caches;
chassis chassis; child children; cluster clusters; clusterpolicy clusterpolicies; criterion criteria; crisis crises;
curriculum curriculums; data data; owndata owndata; datum data; deploy deploys; dns dnsDNSes; owndns owndns;
dwarf dwarfs; ellipsis ellipses; equipment equipment; file files; fish fish; formula formulas; gateway gateways;
half halves; helix helices; human humans; id ids; uuid uuids; index indices; info infoes; owninfo owninfoes;
ingress ingresses; job jobs; key keys; knife knives; leaf leaves; man men; matrix matrices; media media; medium media;
minimum minima; money money; mouse mice; news news; octopus octupuses; ox oxen; box boxes; ownperson ownpeople;
person people; photo photos; policy policies; pod pods; process processes; proxy proxies; query queries; quiz quizzes;
quota quotas; radio radios; repo repoes; schema schemas; series series; ssh sshs; stadium stadiums; status statuses;
ownstatus ownstatuses; switch switches; synopsis synopses; thief thieves; toe toes; tomato tomatoes; use uses;
vertex vertices; vpc vpcs; wharf wharves; x xes; y ies; s s; app2 app2s; nodula nobulae; statuses statuses;
people people; services services
"""


@pytest.mark.parametrize(
    ("word", "many"), [pytest.param(*pair.split(), id=pair.split()[0]) for pair in PLURALS.split(";")]
)
def test_plural_is_flects(word: str, many: str) -> None:
    assert plural(word) == many


def test_plurals_of_the_live_crds() -> None:
    corpus.require()
    names = [crd["spec"]["names"] for case in corpus.live() for crd in case.golden.get("crd") or []]
    assert len(names) > 200
    assert [(name["kind"], plural(name["kind"].lower())) for name in names] == [
        (name["kind"], name["plural"]) for name in names
    ]


def kros_own(case: corpus.Live) -> list[Any]:
    """Give each CRD that kro created in the case with the RGD that it came from, if only one RGD has its kind."""
    pairs = []
    for crd in case.golden.get("crd") or []:
        sources = [rgd for rgd in case.rgds if rgd["spec"]["schema"]["kind"] == crd["spec"]["names"]["kind"]]
        if len(sources) == 1:
            pairs.append(pytest.param(sources[0], crd, id=f"{case.id}-{crd['name']}"))
    return pairs


@pytest.mark.parametrize(("rgd", "crd"), [pair for case in corpus.live() for pair in kros_own(case)])
def test_crd_is_the_live_one(rgd: dict[str, Any], crd: dict[str, Any]) -> None:
    """Given the schemas of spec and of the author's status, the rest of the CRD is what kro sent."""
    schema = rgd["spec"]["schema"]
    live = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    authors = schema.get("status") or {}
    fields = {
        name: sub for name, sub in live["status"]["properties"].items() if name in authors and name != "conditions"
    }
    made = generated_crd(
        schema.get("group", "kro.run"),
        schema["apiVersion"],
        schema["kind"],
        live["spec"],
        {"type": "object", "properties": fields},
        scope=schema.get("scope", "Namespaced"),
        printer_columns=schema.get("additionalPrinterColumns"),
        metadata=schema.get("metadata"),
    )
    assert made["metadata"]["name"] == crd["name"]
    assert made["spec"] == crd["spec"]


@pytest.mark.parametrize("case", corpus.pick("crd.yaml", "new", "synthesize"))
def test_new_crd(case: dict[str, Any]) -> None:
    given, expect = case["input"], case["expect"]
    rgd_schema = given.get("rgd_schema", {})
    columns = given.get("additionalPrinterColumns", rgd_schema.get("additionalPrinterColumns"))
    crd = generated_crd(
        given["group"],
        given["version"],
        given["kind"],
        given.get("spec_schema", {"type": "object"}),
        given.get("status_schema"),
        scope=given["scope"],
        printer_columns=columns,
        metadata=rgd_schema.get("metadata"),
    )
    shown = crd_outline(crd)
    if expect.get("printer_columns") == "default":
        shown["printer_columns"] = (
            "default" if [c["name"] for c in shown["printer_columns"]] == DEFAULT_COLUMNS else "own"
        )
    assert {key: shown[key] for key in expect} == expect


@pytest.mark.parametrize("case", corpus.pick("crd.yaml", "schema"))
def test_crd_schema(case: dict[str, Any]) -> None:
    given, expect = case["input"], case["expect"]
    crd = generated_crd("kro.run", "v1", "Test", given["spec"], given["status"])
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    assert schema["type"] == expect["type"]
    assert set(expect["properties_present"]) <= set(schema["properties"])
    assert schema["properties"]["spec"] == given["spec"]
    status = schema["properties"]["status"]["properties"]
    assert set(expect["status_properties_present"]) <= set(status)
    assert status["conditions"]["items"]["properties"]["observedGeneration"] == {"type": "integer"}


def test_an_authors_state_and_conditions_stay() -> None:
    given = {"type": "object", "properties": {"state": {"type": "integer"}}}
    assert with_default_status(given)["properties"]["state"] == {"type": "integer"}
    assert given == {"type": "object", "properties": {"state": {"type": "integer"}}}, "the given schema is left alone"


def test_a_priority_of_zero_is_left_out() -> None:
    columns = [{"name": "N", "type": "integer", "jsonPath": ".spec.n", "priority": 0, "description": ""}]
    crd = generated_crd("kro.run", "v1", "T", {"type": "object"}, printer_columns=columns)
    assert crd["spec"]["versions"][0]["additionalPrinterColumns"] == [
        {"name": "N", "type": "integer", "jsonPath": ".spec.n"}
    ]


@pytest.mark.parametrize("case", corpus.pick("crd.yaml", "schema-without-status"))
def test_schema_that_expressions_see(case: dict[str, Any]) -> None:
    expect = case["expect"]
    if "error_contains" in expect:
        with pytest.raises(ValueError, match=expect["error_contains"]):
            schema_without_status(case["input"]["crd"])
        return
    properties = schema_without_status(case["input"]["crd"])["properties"]
    assert ("status" in properties, "metadata" in properties) == (expect["has_status"], expect["has_metadata"])
    assert ("namespace" in properties["metadata"]["properties"]) == expect["has_metadata_namespace"]


def test_the_rest_of_the_schema_stays() -> None:
    crd = generated_crd("kro.run", "v1", "T", {"type": "object", "properties": {"x": {"type": "string"}}})
    schema = schema_without_status(crd)
    assert list(schema["properties"]) == ["apiVersion", "kind", "metadata", "spec"]
    assert "status" in crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"], "the CRD is left alone"


def test_object_meta_is_kubernetes() -> None:
    corpus.require()
    path = corpus.FOLDER.parent / "kubernetes-openapi" / "v1.35" / "api_v1.json.gz"
    with gzip.open(path) as file:
        schemas = json.load(file)["components"]["schemas"]
    assert object_meta(namespaced=True) == bare(schemas["io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"], schemas)


def bare(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """Write out references; drop what says nothing about types."""
    reference = schema.get("$ref") or schema.get("allOf", [{}])[0].get("$ref")
    if reference:
        return bare(schemas[reference.rpartition("/")[2]], schemas)
    dropped = {"description", "default", "x-kubernetes-patch-strategy", "x-kubernetes-patch-merge-key"}
    made = {key: value for key, value in schema.items() if key not in dropped}
    for key in made.keys() & {"items", "additionalProperties"}:
        made[key] = bare(made[key], schemas)
    if "properties" in made:
        made["properties"] = {name: bare(sub, schemas) for name, sub in made["properties"].items()}
    return made
