"""Generated CRDs under a real API server: all of them are taken as they are and served, and mean what Rookery says they mean."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from krm_fn.admit.admission import compile_admission
from krm_fn.inputs import compile_programs, sort_documents
from krm_fn.program.generated import crd_of
from krm_fn.program.model import Program
from krm_fn.read.sources import read_sources
from krm_fn.read.yaml import Document, parse_documents
from krm_fn.report.diagnostic import Diagnostic
from krm_fn.schema.builtin_kinds import CLUSTER_SCOPED, NAMESPACED
from krm_fn.schema.crd import generated_crd
from krm_fn.schema.plurals import plural
from tests.conformance.live_inputs import Recording
from tests.hosts.api_server import ApiError, ApiServer
from tests.rendering import rgd

pytestmark = pytest.mark.hosts

REPOSITORY = Path(__file__).resolve().parents[2]
FIXTURES = sorted(path for path in (REPOSITORY / "fixtures").iterdir() if any(path.rglob("*.yaml")))
RECORDED = REPOSITORY / "tests" / "conformance" / "corpora" / "kro-live" / "own"


def programs_of(documents: list[Document]) -> list[Program]:
    """The Programs of what is sound; an RGD that is not has none."""
    found: list[Diagnostic] = []
    return list(compile_programs(sort_documents(documents, [], None, found.append), found.append).values())


def own_crds() -> Iterator[dict[str, Any]]:
    for folder in FIXTURES:
        for program in programs_of(list(read_sources([str(folder)], bytes))):
            yield crd_of(program)
    for folder in sorted(RECORDED.iterdir()):
        if (folder / "golden.yaml").is_file():
            recording = Recording(folder, None)
            accepted = [source.text for source, refusal in recording.verdicts if refusal is None]
            for text in accepted:
                for program in programs_of(list(parse_documents(text, folder.name))):
                    yield crd_of(program)


def test_every_generated_crd_is_taken_as_it_is_and_served(cluster: ApiServer) -> None:
    """What kro makes of the same RGDs it took too: what the server adds is `conversion`, and nothing else of the spec."""
    crds = {crd["metadata"]["name"]: crd for crd in own_crds()}
    assert len(crds) > 150
    lists = {crd["spec"]["names"]["listKind"] for crd in crds.values()}
    # A kind and the list of another one cannot have the same name at the same time.
    later = [name for name, crd in crds.items() if crd["spec"]["names"]["kind"] in lists]
    for names in ([name for name in crds if name not in later], later):
        refused = {name: said for name in names if (said := stored_differently(cluster, crds[name]))}
        try:
            assert refused == {}
            cluster.wait_for_crds(names)
        finally:
            cluster.delete_crds([name for name in names if name not in refused])


def stored_differently(cluster: ApiServer, crd: dict[str, Any]) -> str:
    """What the server refuses of a CRD, or else makes of it; an empty text where it stores what it was given."""
    try:
        stored = cluster.create_crd(crd)["spec"]
    except ApiError as error:
        return error.message
    expected = {**crd["spec"], "conversion": {"strategy": "None"}}
    return "" if stored == expected else f"stored as {stored}"


# -- one with everything ------------------------------------------------------------------------------------------------

EVERYTHING = rgd(
    "  []",
    kind="Everything",
    spec="""
      size: 'string | enum="s,m,l" default="m" description="how big"'
      count: integer | minimum=1 maximum=9 default=3
      ratio: float | default=1
      code: 'string | pattern="^[a-z]+$" minLength=2 maxLength=5 required=true'
      zone: string | immutable=true default="a"
      tags: '[]string | uniqueItems=true maxItems=3'
      extra: map[string]integer
      free: object
      range: Range
      listeners: '[]Listener'
      min: integer | default=0
      max: 'integer | default=10 validation="self >= 0"'
""",
    status='{label: "${schema.spec.size + schema.spec.code}", since: "${schema.metadata.creationTimestamp}", extra: "${schema.spec.extra}"}',
    more="""
types:
  Range:
    low: integer | default=0
    high: integer
  Listener:
    port: integer | required=true
    protocol: string | default="TCP"
additionalPrinterColumns:
  - {name: Size, type: string, jsonPath: .spec.size}
  - {name: Count, type: integer, jsonPath: .spec.count, format: int32, priority: 1, description: how many}
metadata:
  labels: {team: platform}
  annotations: {note: made for a test}
""",
)
OBJECTS = "/apis/kro.run/v1alpha1/namespaces/default/everythings"


@pytest.fixture(scope="module")
def everything(cluster: ApiServer) -> Iterator[Program]:
    [program] = programs_of(list(parse_documents(EVERYTHING, "everything.yaml")))
    crd = crd_of(program)
    name = crd["metadata"]["name"]
    stored = cluster.create_crd(crd)
    try:
        assert stored["metadata"]["labels"] == {"team": "platform"}
        cluster.wait_for_crds([name])
        yield program
    finally:
        cluster.delete_crds([name])


def instance(name: str, **spec: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": "kro.run/v1alpha1", "kind": "Everything", "metadata": metadata, "spec": spec}


SPECS: list[dict[str, Any]] = [
    {"code": "abc"},
    {"code": "abc", "range": {}, "listeners": [{"port": 1}, {"port": 2, "protocol": "UDP"}]},
    {"code": "abc", "unknown": 1, "free": {"kept": {"deep": [1]}}, "extra": {"a": 1}, "ratio": 2},
    {"code": "abc", "tags": ["x", "y"], "size": None, "count": 9},
]


@pytest.mark.parametrize("spec", SPECS, ids=["defaults", "nested", "unknown-and-free", "null"])
def test_an_instance_is_stored_as_rookery_admits_it(
    cluster: ApiServer, everything: Program, spec: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    given = instance(request.node.callspec.id, **spec)
    admitted, violations = compile_admission(everything.spec_schema).admit(copy.deepcopy(given))
    assert [one for one in violations if one.severity == "error"] == []
    stored = cluster.request("POST", OBJECTS, given)
    assert stored["spec"] == admitted["spec"]


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param({}, id="required"),
        pytest.param({"code": "abc", "size": "xl"}, id="enum"),
        pytest.param({"code": "abc", "count": 0}, id="minimum"),
        pytest.param({"code": "a"}, id="minLength"),
        pytest.param({"code": "ABC"}, id="pattern"),
        pytest.param({"code": "abc", "tags": ["x", "x"]}, id="uniqueItems"),
        pytest.param({"code": "abc", "max": -1}, id="validation"),
        pytest.param({"code": "abc", "listeners": [{}]}, id="required-in-a-list"),
        pytest.param({"code": "abc", "extra": {"a": "1"}}, id="type"),
    ],
)
def test_an_instance_that_rookery_refuses_is_refused_by_the_server(
    cluster: ApiServer, everything: Program, spec: dict[str, Any]
) -> None:
    _, violations = compile_admission(everything.spec_schema).admit(instance("refused", **spec))
    assert [one for one in violations if one.severity == "error"] != []
    with pytest.raises(ApiError) as caught:
        cluster.request("POST", OBJECTS, instance("refused", **spec))
    assert caught.value.code == 422


def test_what_is_immutable_stays(cluster: ApiServer, everything: Program) -> None:
    assert everything.definition.kind == "Everything"
    stored = cluster.request("POST", OBJECTS, instance("fixed", code="abc"))
    path = f"{OBJECTS}/fixed"
    changed = {**stored, "spec": {**stored["spec"], "count": 4}}
    stored = cluster.request("PUT", path, changed)
    with pytest.raises(ApiError, match="immutable"):
        cluster.request("PUT", path, {**stored, "spec": {**stored["spec"], "zone": "b"}})


def test_the_status_takes_what_its_expressions_give(cluster: ApiServer, everything: Program) -> None:
    assert everything.definition.kind == "Everything"
    stored = cluster.request("POST", OBJECTS, instance("known", code="abc"))
    status = {
        "label": "mabc",
        "since": stored["metadata"]["creationTimestamp"],
        "extra": {"a": 1},
        "state": "ACTIVE",
        "conditions": [{"type": "Ready", "status": "True", "observedGeneration": 1}],
    }
    got = cluster.request("PUT", f"{OBJECTS}/known/status", {**stored, "status": status})
    assert got["status"] == status
    for field, wrong in (("label", 1), ("since", "today"), ("extra", {"a": "1"})):
        with pytest.raises(ApiError, match=field):
            cluster.request("PUT", f"{OBJECTS}/known/status", {**got, "status": {**status, field: wrong}})


# -- what is refused before ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "more"),
    [
        pytest.param({"group": "example"}, {}, id="a group without a dot"),
        pytest.param({"group": "Example.com"}, {}, id="a group with a capital"),
        pytest.param({"group": "a.k8s.io"}, {}, id="a group of Kubernetes'"),
        pytest.param({"kind": "B" + "o" * 62}, {}, id="a kind with too long a plural"),
        pytest.param({}, {"printer_columns": [{"name": "N", "type": "int", "jsonPath": ".n"}]}, id="a type"),
        pytest.param(
            {}, {"printer_columns": [{"name": "N", "type": "string", "format": "x", "jsonPath": ".n"}]}, id="a format"
        ),
        pytest.param({}, {"printer_columns": [{"name": "N", "type": "string", "jsonPath": "n"}]}, id="a path"),
    ],
)
def test_what_rookery_says_of_a_crd_is_what_the_server_says(
    cluster: ApiServer, names: dict[str, str], more: dict[str, Any]
) -> None:
    """The rows of `tests/program/test_generated.py` that are refused."""
    given = {"group": "example.com", "kind": "Box", **names}
    with pytest.raises(ApiError) as caught:
        cluster.create_crd(generated_crd(given["group"], "v1", given["kind"], {"type": "object"}, **more))
    assert caught.value.code == 422


def test_the_api_of_an_approved_group_is_taken(cluster: ApiServer) -> None:
    note = {"annotations": {"api-approved.kubernetes.io": "unapproved, an experiment"}}
    crd = generated_crd("test.k8s.io", "v1", "Box", {"type": "object"}, metadata=note)
    cluster.create_crd(crd)
    cluster.delete_crds([crd["metadata"]["name"]])


def test_the_plural_of_every_built_in_kind_is_its_resource(cluster: ApiServer) -> None:
    """Gate Jobs go by it: what they may look at is a resource."""
    # Groups of other tests' CRDs may be on their way out.
    built_in = {key.rpartition("/")[0] for key in (*NAMESPACED, *CLUSTER_SCOPED)}
    groups = [each for each in cluster.request("GET", "/apis")["groups"] if each["name"] in built_in]
    paths = ["/api/v1", *(f"/apis/{version['groupVersion']}" for group in groups for version in group["versions"])]
    served = [each for path in paths for each in cluster.request("GET", path)["resources"] if "/" not in each["name"]]
    assert len(served) > 50
    assert [(each["kind"], each["name"]) for each in served if plural(each["kind"].lower()) != each["name"]] == []
