"""Jobs that Argo CD waits for: which nodes have one, what it may do and asks, and when there is another one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_regressions.data_regression import DataRegressionFixture

from krm_fn.emit.argocd import WAITS_FOR, WAVE
from krm_fn.emit.targets import ARGOCD, KPT, Order
from krm_fn.expand.ownership import DIGEST
from krm_fn.order.layers import EVERY_EDGE
from krm_fn.pipeline import Options, Rendering
from krm_fn.read.yaml import parse_documents
from tests.rendering import config_map, instance, render, rgd

Json = dict[str, Any]
IMAGE = "registry.example.com/rookery:v1"
CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: dbs.test.io}
spec:
  group: test.io
  scope: Namespaced
  names: {kind: Db, plural: databases}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
"""


def node(name: str, kind: str, ready_when: str = "", *, api_version: str = "v1", more: str = "", at: str = "") -> str:
    """A resource whose object has the node's name behind the instance's. *at*: of its metadata, besides."""
    gate = f"  readyWhen: ['{ready_when}']\n" if ready_when else ""
    template = f"apiVersion: {api_version}, kind: {kind}, metadata: {{name: '${{schema.metadata.name}}-{name}'{at}}}"
    return f"- id: {name}\n{gate}{more}  template: {{{template}, spec: {{}}}}\n"


CLAIM = node("claim", "PersistentVolumeClaim", '${claim.status.phase == "Bound"}')
USES = config_map("uses", '{of: "${claim.metadata.name}"}')
APP = rgd(CLAIM + USES)


def everything(
    *texts: str, image: str = IMAGE, crds: str = "", order: Order | None = None, namespace: str = "argo"
) -> list[Json]:
    """All objects of a render for Argo CD, marks and all, in order."""
    documents = [document for i, text in enumerate(texts) for document in parse_documents(text, f"input-{i}.yaml")]
    options = Options(order=order or Order(ARGOCD, gate_image=image), namespace=namespace)
    rendering = Rendering(documents, options, crds=list(parse_documents(crds, "crds.yaml")) if crds else ())
    made = [each.object for _, batch in rendering.batches() for each in batch]
    assert not rendering.findings.has_errors, rendering.findings.sorted()
    return made


def jobs(made: list[Json]) -> list[Json]:
    return [each for each in made if each["kind"] == "Job" and "suspend" not in each["spec"]]


def words(job: Json) -> list[str]:
    found: list[str] = job["spec"]["template"]["spec"]["containers"][0]["args"]
    return found


def wave(made: Json) -> str:
    return str((made["metadata"].get("annotations") or {}).get(WAVE, "0"))


def test_a_job_and_what_it_may_do(data_regression: DataRegressionFixture) -> None:
    made = everything(APP, instance())
    assert [each["kind"] for each in made] == [
        "PersistentVolumeClaim", "ConfigMap", "ServiceAccount", "Role", "RoleBinding", "Job"
    ]  # fmt: skip
    data_regression.check({"objects": made})


@pytest.mark.parametrize(
    ("resources", "crds", "expected"),
    [
        pytest.param(CLAIM + USES, "", 1, id="Argo CD judges the kind"),
        pytest.param(CLAIM, "", 0, id="nobody waits for it"),
        pytest.param(node("db", "Db", "${db.status.phase == 1}", api_version="test.io/v1") + config_map("u", '{x: "${db.metadata.name}"}'), CRD, 0, id="a health check says it"),
        pytest.param(node("db", "Db", '${db.status.url.matches("^a$")}', api_version="test.io/v1") + config_map("u", '{x: "${db.metadata.name}"}'), CRD, 1, id="no health check can say it"),
        pytest.param(node("claim", "PersistentVolumeClaim") + USES, "", 0, id="no readyWhen"),
        pytest.param(node("claim", "PersistentVolumeClaim", "${1 == 1}") + USES, "", 0, id="always ready"),
        pytest.param(node("claim", "PersistentVolumeClaim", "${1 == 2}") + USES, "", 1, id="never ready"),
        pytest.param(node("ns", "Namespace", "${ns.status.phase.matches('x')}").replace("'${ns.", '"${ns.').replace("}']", '}"]') + config_map("u", '{x: "${ns.metadata.name}"}'), "", 0, id="a Namespace gates nothing"),
    ],
)  # fmt: skip
def test_who_has_one(resources: str, crds: str, expected: int) -> None:
    made = everything(rgd(resources), instance(), crds=crds)
    assert len(jobs(made)) == expected
    assert sum(DIGEST in each["metadata"].get("annotations", {}) for each in made) == expected


@pytest.mark.parametrize("order", [Order(ARGOCD), Order(KPT, gate_image=IMAGE)], ids=["no image", "kpt"])
def test_no_image_or_another_target_no_job(order: Order) -> None:
    made = everything(APP, instance(), order=order)
    assert [each["kind"] for each in made] == ["PersistentVolumeClaim", "ConfigMap"]
    assert all(DIGEST not in each["metadata"]["annotations"] for each in made)


def test_without_an_image_each_node_is_named_once() -> None:
    result = render(APP, instance(), instance(name="two"), order=Order(ARGOCD))
    assert result.codes == ["ready-by-argocd"]
    assert not render(APP, instance(), order=Order(ARGOCD, gate_image=IMAGE)).codes


def test_without_an_image_what_lua_cannot_carry_is_pointed_at() -> None:
    resources = node("db", "Db", '${db.status.url.matches("^a$")}', api_version="test.io/v1")
    result = render(
        rgd(resources + config_map("u", '{x: "${db.metadata.name}"}')), instance(), crds=CRD, order=Order(ARGOCD)
    )
    [finding] = result.findings
    assert finding.message.endswith("goes on whatever this says: Argo CD's Lua cannot carry matches()")


@pytest.mark.parametrize(
    "order",
    [
        Order(ARGOCD, gate_image=IMAGE),
        Order(ARGOCD, gate_image=IMAGE, base=-7, step=3),
        Order(ARGOCD, gate_image=IMAGE, waves=EVERY_EDGE),
    ],
    ids=["gated", "base and step", "every edge"],
)
def test_it_is_in_the_wave_of_what_it_waits_for(order: Order) -> None:
    first = node("first", "PersistentVolumeClaim", '${first.status.phase == "Bound"}')
    second = node(
        "second",
        "PersistentVolumeClaim",
        '${second.status.phase == "Bound"}',
        at=", labels: {a: '${first.metadata.name}'}",
    )
    made = everything(
        rgd(first + second + config_map("last", '{x: "${second.metadata.name}"}')), instance(), order=order
    )
    place = {each["metadata"]["name"]: wave(each) for each in made if each["kind"] != "Job"}
    for name in ("first", "second"):
        gate = f"app-shop-{name}-gate"
        [job] = [each for each in jobs(made) if each["metadata"]["name"].startswith(f"{gate}-")]
        assert {wave(job), place[gate]} == {place[f"shop-{name}"]}
    numbers = [int(place[name]) for name in ("shop-first", "shop-second", "shop-last")]
    assert numbers == [order.base + i * order.step for i in range(3)]


def test_one_job_for_a_collection_in_each_namespace() -> None:
    each = "  forEach: [{at: \"${['a', 'b', 'c']}\"}]\n"
    claims = CLAIM.replace("claim.status", "each.status").replace(
        "-claim'", '-${at}\', namespace: \'${at == "c" ? "other" : "store"}\''
    )
    made = everything(
        rgd(claims.replace("  template", f"{each}  template") + config_map("uses", '{n: "${string(claim.size())}"}')),
        instance(),
    )
    first, second = jobs(made)
    assert [word.partition("@")[0] for word in words(first)] == [
        "wait", "--namespace=store", "--name=each", '--ready-when=each.status.phase == "Bound"',
        "persistentvolumeclaims.v1./shop-a", "persistentvolumeclaims.v1./shop-b",
    ]  # fmt: skip
    assert [word.partition("@")[0] for word in words(second)][-1:] == ["persistentvolumeclaims.v1./shop-c"]
    assert second["metadata"]["namespace"] == "other"
    assert [role["rules"][0]["resourceNames"] for role in made if role["kind"] == "Role"] == [
        ["shop-a", "shop-b"],
        ["shop-c"],
    ]


@pytest.mark.parametrize(
    ("scope", "namespace", "home"),
    [
        pytest.param("", "store", "store", id="of the instance"),
        pytest.param(", scope: Cluster", "", "argo", id="of the Application"),
    ],
)
def test_what_is_cluster_scoped_is_awaited_from_a_namespace(scope: str, namespace: str, home: str) -> None:
    volume = node(
        "volume",
        "APIService",
        '${volume.status.conditions.exists(c, c.type == "Available")}',
        api_version="apiregistration.k8s.io/v1",
    )
    resources = volume + config_map("uses", '{of: "${volume.metadata.name}"}').replace(
        "metadata: {", "metadata: {namespace: argo, "
    )
    text = (
        rgd(resources)
        .replace("kind: App,", f"kind: App{scope},")
        .replace("kind: App\n", f"kind: App{scope.replace(', ', chr(10) + '    ')}\n")
    )
    made = everything(
        text, instance(namespace=namespace) if namespace else instance().replace(", namespace: store", "")
    )
    [job] = jobs(made)
    assert not [word for word in words(job) if word.startswith("--namespace")]
    kinds = {each["kind"]: each for each in made}
    assert kinds["ServiceAccount"]["metadata"]["namespace"] == job["metadata"]["namespace"] == home
    assert kinds["ClusterRoleBinding"]["subjects"][0]["namespace"] == home
    assert kinds["ClusterRole"]["rules"] == [
        {"apiGroups": ["apiregistration.k8s.io"], "resources": ["apiservices"], "resourceNames": ["shop-volume"], "verbs": ["get"]}
    ]  # fmt: skip
    is_told_apart = kinds["ClusterRole"]["metadata"]["name"] != "app-shop-volume-gate"
    assert is_told_apart == bool(namespace), "an instance of another namespace may have that name"


def test_a_crd_says_what_its_resource_is_called() -> None:
    resources = rgd(
        node("db", "Db", '${db.status.url.matches("^a$$")}', api_version="test.io/v1")
        + config_map("u", '{x: "${db.metadata.name}"}')
    )
    [job] = jobs(everything(resources, instance(), crds=CRD))
    assert words(job)[-1].startswith("databases.v1.test.io/shop-db@")
    assert words(job)[-2] == '--ready-when=db.status.url.matches("^a$$$$")', "the kubelet reads $$ as $"
    [guessed] = jobs(everything(resources, instance()))
    assert words(guessed)[-1].startswith("dbs.v1.test.io/shop-db@")


def test_a_nested_instance_has_gates_of_its_own() -> None:
    nested = "- id: inner\n  template: {apiVersion: kro.run/v1alpha1, kind: Inner, metadata: {name: '${schema.metadata.name}-in'}, spec: {}}\n"
    made = everything(rgd(CLAIM + USES, kind="Inner"), rgd(nested), instance())
    [job] = jobs(made)
    assert job["metadata"]["name"].startswith("inner-shop-in-claim-gate-")
    assert job["metadata"]["annotations"][WAITS_FOR] == 'claim: claim.status.phase == "Bound"'


# -- when there is another one ------------------------------------------------------------------------------------------

OTHERS = {
    "the object": ([APP.replace("spec: {}}", "spec: {volumeName: b}}")], IMAGE),
    "the readyWhen": ([APP.replace('"Bound"', '"Lost"')], IMAGE),
    "the image": ([APP], f"{IMAGE}.1"),
}


def name_of_job(*texts: str, image: str = IMAGE, order: Order | None = None) -> str:
    [job] = [
        each
        for each in jobs(everything(*texts, image=image, order=order))
        if "-shop-claim-" in each["metadata"]["name"]
    ]
    return str(job["metadata"]["name"])


@pytest.mark.parametrize("what", OTHERS)
def test_another_one_once_something_changes(what: str) -> None:
    texts, image = OTHERS[what]
    assert name_of_job(*texts, instance(), image=image) != name_of_job(APP, instance())


@given(
    base=st.integers(-100, 100),
    step=st.integers(1, 9),
    order=st.permutations([APP, instance(), instance(name="two"), instance(namespace="elsewhere")]),
)
def test_the_same_one_whatever_else_changes(base: int, step: int, order: list[str]) -> None:
    at_first = name_of_job(APP, instance())
    made = everything(*order, order=Order(ARGOCD, gate_image=IMAGE, base=base, step=step))
    assert at_first in [each["metadata"]["name"] for each in jobs(made)]


BLOG = rgd(
    CLAIM.replace("-claim'", "-blog'") + config_map("uses", '{of: "${claim.metadata.name}"}', name="blog"), kind="Blog"
)


@pytest.mark.parametrize(
    "texts",
    [
        pytest.param([APP, instance(), BLOG, instance(kind="Blog")], id="kinds"),
        pytest.param([APP, instance(name="a" * 60), instance(name="a" * 61)], id="long names"),
        pytest.param([APP, instance(name="a.b"), instance(name="a-b")], id="a dot"),
    ],
)
def test_no_two_share_a_name(texts: list[str]) -> None:
    names = [each["metadata"]["name"] for each in jobs(everything(*texts))]
    assert len(set(names)) == 2
    assert all(len(name) <= 63 and name.replace("-", "").isalnum() and name.islower() for name in names)


def test_nodes_that_differ_in_case_alone() -> None:
    twin = (
        CLAIM.replace("claim", "cLaim")
        .replace("Persistentvolumeclaim", "PersistentVolumeClaim")
        .replace("-cLaim", "-twin")
    )
    uses = config_map("both", '{a: "${claim.metadata.name}", b: "${cLaim.metadata.name}"}')
    names = [each["metadata"]["name"] for each in jobs(everything(rgd(CLAIM + twin + uses), instance()))]
    assert len(set(names)) == 2
