"""SimpleSchema gives the schemas and the verdicts of kro's own tests and of the recorded runs of kro."""

from __future__ import annotations

from typing import Any

import pytest

from krm_fn.schema.markers import FieldError, apply_markers, parse_markers
from krm_fn.schema.simple_schema import FieldType, SchemaError, parse_field, parse_map_type, to_openapi
from tests.schema import corpus


def test_corpora_are_there() -> None:
    corpus.require()
    assert len(corpus.facts("simpleschema.yaml")) > 100
    assert len(corpus.live()) > 300


def described(field_type: FieldType) -> Any:
    """Put a type in the words of the corpus."""
    if field_type.kind in {"array", "map"}:
        assert field_type.inner is not None
        return {field_type.kind: described(field_type.inner)}
    return {"custom": field_type.name} if field_type.kind == "custom" else field_type.name


def described_spec(spec: Any) -> Any:
    if isinstance(spec, dict):
        return {"struct": {name: described_spec(value) for name, value in spec.items()}}
    if not isinstance(spec, str):
        raise FieldError("type-not-text", "not a text")
    return described(parse_field(spec)[0])


def wants_error(expect: dict[str, Any]) -> bool:
    return any(key.startswith("error") for key in expect)


@pytest.mark.parametrize("case", corpus.pick("simpleschema.yaml", "build", "required-order"))
def test_build(case: dict[str, Any]) -> None:
    """kro's unit tests ask for kro's verdict alone: one of them has a set of objects, which the API server refuses."""
    given, expect = case["input"], case["expect"]
    if wants_error(expect):
        with pytest.raises(SchemaError):
            to_openapi(given.get("spec"), given.get("types"), judge_crd=False)
    else:
        assert to_openapi(given.get("spec"), given.get("types"), judge_crd=False) == expect["schema"]


@pytest.mark.parametrize("case", corpus.pick("simpleschema.yaml", "parse-field"))
def test_parse_field(case: dict[str, Any]) -> None:
    expect = case["expect"]
    if wants_error(expect):
        with pytest.raises(FieldError):
            parse_field(case["input"]["text"])
    else:
        field_type, markers = parse_field(case["input"]["text"])
        assert (described(field_type), len(markers)) == (expect["type"], expect["marker_count"])


@pytest.mark.parametrize("case", corpus.pick("simpleschema.yaml", "parse-spec"))
def test_parse_spec(case: dict[str, Any]) -> None:
    if wants_error(case["expect"]):
        with pytest.raises(FieldError):
            described_spec(case["input"]["spec"])
    else:
        assert described_spec(case["input"]["spec"]) == case["expect"]["type"]


@pytest.mark.parametrize("case", corpus.pick("simpleschema.yaml", "parse-markers"))
def test_parse_markers(case: dict[str, Any]) -> None:
    if wants_error(case["expect"]):
        with pytest.raises(FieldError):
            parse_markers(case["input"]["text"])
    else:
        got = [{"key": marker.key, "value": marker.value} for marker in parse_markers(case["input"]["text"])]
        assert got == case["expect"]["markers"]


@pytest.mark.parametrize("case", corpus.pick("simpleschema.yaml", "apply-markers"))
def test_apply_markers(case: dict[str, Any]) -> None:
    given, expect = case["input"], case["expect"]
    schema: dict[str, Any] = {"type": given["type"]}
    parent: dict[str, Any] = {}
    problems = apply_markers(schema, parse_markers(given["markers"]), given["field"], parent)
    assert bool(problems) == wants_error(expect)
    if not problems:
        assert schema == expect["schema"]
        assert parent == expect.get("parent", {})


@pytest.mark.parametrize("case", corpus.pick("simpleschema.yaml", "parse-map-type"))
def test_parse_map_type(case: dict[str, Any]) -> None:
    assert parse_map_type(case["input"]["text"]) == case["expect"]["value_type"]


def sorted_required(schema: Any) -> Any:
    """Put `required` lists, whose order is random in kro, in one order."""
    if isinstance(schema, dict):
        return {
            k: sorted(v) if k == "required" and isinstance(v, list) else sorted_required(v) for k, v in schema.items()
        }
    return [sorted_required(item) for item in schema] if isinstance(schema, list) else schema


def spec_schemas(case: corpus.Live) -> dict[str, list[Any]]:
    """Give what each kind's RGDs turn into: a schema, or the SchemaError."""
    made: dict[str, list[Any]] = {}
    for rgd in case.rgds:
        schema = rgd["spec"]["schema"]
        try:
            result: Any = to_openapi(schema.get("spec"), schema.get("types"))
        except SchemaError as error:
            result = error
        made.setdefault(schema["kind"], []).append(result)
    return made


WITH_CRD = [pytest.param(case, id=case.id) for case in corpus.live() if case.rgds and case.golden.get("crd")]


@pytest.mark.parametrize("case", WITH_CRD)
def test_spec_schema_is_the_live_crds(case: corpus.Live) -> None:
    """For each CRD that kro created, an RGD of its kind gives the spec schema that the API server then served."""
    made = spec_schemas(case)
    compared = 0
    for crd in case.golden["crd"]:
        kind = crd["spec"]["names"]["kind"]
        if kind in made:
            live = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
            assert sorted_required(live) in made[kind]
            compared += 1
    assert compared


def judged() -> list[Any]:
    """Give every RGD whose fate is recorded, with the message of its Ready condition."""
    params = []
    for case in corpus.live():
        fates = {rgd["name"]: rgd for rgd in case.golden.get("rgd", [])}
        for index, rgd in enumerate(case.rgds):
            fate = fates.get(rgd["metadata"].get("name"))
            if fate is not None and "rejected" not in fate and not case.has_steps:
                says = next(c["message"] for c in fate["conditions"] if c["type"] == "Ready")
                params.append(pytest.param(rgd, fate["state"], says, id=f"{case.id}-{index}"))
    return params


@pytest.mark.parametrize(("rgd", "state", "says"), judged())
def test_verdict_is_kros(rgd: dict[str, Any], state: str, says: str) -> None:
    """Refused is exactly what kro refuses for its schema, or what the API server refuses in the CRD; never an active RGD."""
    schema = rgd["spec"]["schema"]
    refused = "OpenAPI schema for instance" in says or "failed to create CRD" in says
    if refused:
        with pytest.raises(SchemaError) as caught:
            to_openapi(schema.get("spec"), schema.get("types"))
        for problem in caught.value.problems:
            assert problem.message[0].islower() or problem.message[0] in "'["
            assert not problem.message.endswith(".")
    elif state == "Active":
        assert to_openapi(schema.get("spec"), schema.get("types"))["type"] == "object"
