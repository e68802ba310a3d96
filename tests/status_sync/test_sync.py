"""One pass of status-sync after the other, on a cluster on paper."""

from __future__ import annotations

from typing import Any

import pytest

from krm_fn.program.generated import crd_of
from krm_fn.read.yaml import parse_documents
from krm_fn.report.diagnostic import Diagnostic, RenderError
from tests.rendering import config_map, instance, render, rgd
from tests.status_sync.paper import Json, Keeper, Paper, objects

APP = rgd(
    """\
- id: deployment
  readyWhen: ["${deployment.status.readyReplicas == 1}"]
  template:
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: "${schema.metadata.name}"}
    spec: {replicas: 1}
- id: service
  template:
    apiVersion: v1
    kind: Service
    metadata: {name: "${schema.metadata.name}-${deployment.metadata.name}"}
    spec: {ports: [{port: 80}]}
""",
    status='{ready: "${deployment.status.readyReplicas}", address: "${service.spec.clusterIP}"}',
)


def deployment(name: str = "shop", ready: int | None = None, **metadata: Any) -> Json:
    made: Json = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "store", **metadata},
        "spec": {"replicas": 1},
    }
    return made if ready is None else {**made, "status": {"readyReplicas": ready}}


def service(name: str = "shop-shop", address: str = "10.0.0.1") -> Json:
    metadata = {"name": name, "namespace": "store"}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"clusterIP": address}}


def cluster(*texts: str) -> Paper:
    return Paper(*(value for text in texts for value in objects(text)))


def states(status: Json) -> dict[str, str]:
    return {each["type"]: each["status"] for each in status["conditions"]}


# -- a story ------------------------------------------------------------------------------------------------------------


def test_a_status_follows_its_children() -> None:
    paper = cluster(APP, instance())
    keep = Keeper(paper)

    assert keep()
    assert paper.status("App", "shop")["state"] == "IN_PROGRESS"
    assert "ready" not in paper.status("App", "shop")
    assert keep.said == "App store/shop: IN_PROGRESS\nResourceGraphDefinition app: Active, topologicalOrder set\n"

    paper.store(deployment())
    paper.store(service())
    assert keep()
    assert keep.said == "App store/shop: IN_PROGRESS, conditions changed\n"
    paper.store(deployment(ready=0))
    assert keep()
    assert keep.said == "App store/shop: IN_PROGRESS, ready set\n"
    assert paper.status("App", "shop")["ready"] == 0

    paper.store(deployment(ready=1))
    assert keep()
    assert keep.said == "App store/shop: IN_PROGRESS -> ACTIVE, address set, ready changed\n"
    status = paper.status("App", "shop")
    assert (status["state"], status["ready"], status["address"]) == ("ACTIVE", 1, "10.0.0.1")
    assert states(status) == {
        "InstanceManaged": "True", "GraphResolved": "True", "ResourcesReady": "True", "Ready": "True",
    }  # fmt: skip

    paper.remove(service())
    assert keep()
    assert keep.said == "App store/shop: ACTIVE -> IN_PROGRESS, address removed\n"
    assert "address" not in paper.status("App", "shop")


def test_nothing_is_written_when_nothing_differs() -> None:
    paper = cluster(APP, instance())
    paper.store(deployment(ready=1))
    keep = Keeper(paper)
    assert keep()
    assert len(paper.writes) == 2
    before = paper.of("App", "shop")["metadata"]["resourceVersion"]
    assert keep()
    assert paper.writes == []
    assert paper.of("App", "shop")["metadata"]["resourceVersion"] == before


def test_each_object_is_asked_for_once_in_a_pass() -> None:
    paper = cluster(APP, instance())
    paper.store(deployment(ready=1))
    paper.store(service())
    keep = Keeper(paper)
    keep()
    assert keep()
    assert paper.requests == [
        "list resourcegraphdefinitions",
        "get customresourcedefinitions apps.kro.run",
        "list apps",
        "get deployments store shop",
        "get services store shop-shop",
        "get resourcegraphdefinitions app",
    ]


def test_times_are_those_of_the_last_change() -> None:
    paper = cluster(APP, instance())
    paper.store(deployment(ready=0))
    keep = Keeper(paper)
    keep()
    first = {each["type"]: each["lastTransitionTime"] for each in paper.status("App", "shop")["conditions"]}
    paper.store(deployment(ready=1))
    paper.store(service())
    keep()
    second = {each["type"]: each["lastTransitionTime"] for each in paper.status("App", "shop")["conditions"]}
    assert first["InstanceManaged"] == second["InstanceManaged"]
    assert first["Ready"] < second["Ready"]


def test_a_new_generation_is_said_to_be_observed() -> None:
    paper = cluster(APP, instance())
    keep = Keeper(paper)
    keep()
    paper.store(paper.of("App", "shop") | {"metadata": paper.of("App", "shop")["metadata"] | {"generation": 2}})
    assert keep()
    assert keep.said == "App store/shop: IN_PROGRESS, conditions changed\n"
    assert {each["observedGeneration"] for each in paper.status("App", "shop")["conditions"]} == {2}


# -- where children are found -------------------------------------------------------------------------------------------


def marks(node: str, item: str = "", owner: str = "kro.run/App/store/shop") -> Json:
    return {"rookery.dev/instance": owner, "rookery.dev/node": node, **({"rookery.dev/item": item} if item else {})}


def test_a_renamed_child_is_found_by_its_marks() -> None:
    paper = cluster(APP, instance())
    paper.store(deployment("prod-shop", ready=1, annotations=marks("deployment")))
    paper.store(service("shop-prod-shop"))
    keep = Keeper(paper)
    assert keep()
    assert paper.status("App", "shop")["state"] == "ACTIVE"


def test_a_child_under_its_own_name_comes_before_one_with_its_marks() -> None:
    paper = cluster(APP, instance())
    paper.store(deployment("prod-shop", ready=1, annotations=marks("deployment")))
    paper.store(deployment("shop", ready=0))
    Keeper(paper)()
    assert paper.status("App", "shop")["ready"] == 0


@pytest.mark.parametrize(
    "others",
    [
        marks("deployment", owner="kro.run/App/store/other"),
        marks("service"),
        {"rookery.dev/instance": "kro.run/App/store/shop"},
    ],
)
def test_marks_of_another_instance_or_node_do_not_count(others: Json) -> None:
    paper = cluster(APP, instance())
    paper.store(deployment("prod-shop", ready=1, annotations=others))
    Keeper(paper)()
    assert "ready" not in paper.status("App", "shop")


def test_of_two_with_the_same_marks_none_counts() -> None:
    paper = cluster(APP, instance())
    paper.store(deployment("a-shop", ready=1, annotations=marks("deployment")))
    paper.store(deployment("b-shop", ready=1, annotations=marks("deployment")))
    keep = Keeper(paper)
    assert keep()
    assert "App store/shop: more than one Deployment bears the marks of deployment\n" in keep.said
    assert paper.status("App", "shop")["state"] == "IN_PROGRESS"


def test_a_renamed_instance_knows_its_children() -> None:
    """An emitted instance bears its name of that time; `kustomize` puts a prefix before both."""
    text = instance(name="prod-shop").replace(
        "namespace: store",
        "namespace: store, annotations: {rookery.dev/instance: kro.run/App/store/shop, rookery.dev/node: instance}",
    )
    paper = cluster(APP, text)
    paper.store(deployment("prod-shop-of-old", ready=1, annotations=marks("deployment")))
    Keeper(paper)()
    assert paper.status("App", "prod-shop")["ready"] == 1


COLLECTION = rgd(
    """\
- id: parts
  forEach: [{part: "${schema.spec.parts}"}]
  template:
    apiVersion: v1
    kind: ConfigMap
    metadata: {name: "${schema.metadata.name}-${part}"}
    data: {part: "${part}"}
""",
    spec="{parts: '[]string'}",
    status='{names: "${parts.map(p, p.metadata.name)}"}',
)
PARTS = "{parts: [b, a]}"


def test_items_are_found_by_their_keys() -> None:
    rendered = render(COLLECTION, instance(PARTS)).expansions[0].outcomes["parts"].items
    paper = cluster(COLLECTION, instance(PARTS))
    for item in rendered:
        metadata = {
            "name": "prod-" + item.object["metadata"]["name"],
            "namespace": "store",
            "annotations": marks("parts", item.key),
        }
        paper.store({**item.object, "metadata": metadata})
    Keeper(paper)()
    status = paper.status("App", "shop")
    assert (status["state"], status["names"]) == ("ACTIVE", ["prod-shop-b", "prod-shop-a"])


def test_items_with_kros_labels_are_found_by_their_places() -> None:
    paper = cluster(COLLECTION, instance(PARTS))
    for i, item in enumerate(render(COLLECTION, instance(PARTS), kro_labels=True).objects):
        labels = item["metadata"]["labels"]
        assert labels["kro.run/collection-index"] == str(i)
        paper.store({**item, "metadata": {"name": f"renamed-{i}", "namespace": "store", "labels": labels}})
    Keeper(paper)()
    assert paper.status("App", "shop")["names"] == ["renamed-0", "renamed-1"]


def test_an_item_that_is_missing_is_waited_for() -> None:
    paper = cluster(COLLECTION, instance(PARTS))
    paper.store({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shop-b", "namespace": "store"}})
    Keeper(paper)()
    status = paper.status("App", "shop")
    assert status["state"] == "IN_PROGRESS"
    assert "observed 1 but desired 2" in next(c["message"] for c in status["conditions"] if c["type"] == "Ready")


EXTERNAL = rgd(
    """\
- id: one
  externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {name: settings, namespace: shared}}
- id: all
  externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {namespace: shared, selector: {matchLabels: {team: "${schema.spec.team}"}}}}
""",
    spec="{team: string}",
    status='{setting: "${one.data.x}", count: "${all.size()}"}',
)


def test_external_references_are_looked_up() -> None:
    paper = cluster(EXTERNAL, instance("{team: a}"))
    for name, team in (("settings", "a"), ("more", "a"), ("others", "b")):
        metadata = {"name": name, "namespace": "shared", "labels": {"team": team}}
        paper.store({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"x": name}})
    keep = Keeper(paper)
    keep()
    status = paper.status("App", "shop")
    assert (status["setting"], status["count"], status["state"]) == ("settings", 2, "ACTIVE")
    assert "list configmaps shared team=a" in paper.requests


def test_a_label_that_is_none_becomes_no_query() -> None:
    paper = cluster(EXTERNAL, instance("{team: 'a,team!=b'}"))
    metadata = {"name": "settings", "namespace": "shared", "labels": {"team": "a"}}
    paper.store({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"x": "y"}})
    Keeper(paper)()
    assert paper.status("App", "shop")["count"] == 0
    assert "list configmaps shared" in paper.requests


# -- nested instances ---------------------------------------------------------------------------------------------------

LEAF = rgd(config_map("data", "{x: '1'}"), kind="Leaf", status='{name: "${data.metadata.name}"}')
TREE = rgd(
    """\
- id: leaf
  readyWhen: ["${leaf.status.state == 'ACTIVE'}"]
  template:
    apiVersion: kro.run/v1alpha1
    kind: Leaf
    metadata: {name: "${schema.metadata.name}-leaf"}
    spec: {}
""",
    kind="Tree",
    status='{name: "${leaf.status.name}"}',
)


@pytest.mark.parametrize("texts", [(TREE, LEAF), (LEAF, TREE)])
def test_a_nested_instance_is_finished_before_its_parent_in_one_pass(texts: tuple[str, str]) -> None:
    paper = cluster(*texts, instance(kind="Tree"), instance(kind="Leaf", name="shop-leaf"))
    metadata = {"name": "shop-leaf-data", "namespace": "store"}
    paper.store({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
    assert Keeper(paper)()
    assert (paper.status("Tree", "shop")["state"], paper.status("Tree", "shop")["name"]) == ("ACTIVE", "shop-leaf-data")


# -- what is left alone -------------------------------------------------------------------------------------------------


def crd(text: str = APP, **labels: str) -> Json:
    result = render(text, instance())
    made = crd_of(result.expansions[0].program)
    return {**made, "metadata": {**made["metadata"], "labels": labels}}


OTHER = rgd(config_map("data", "{x: '1'}"), kind="Other")


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        ({"kro.run/owned": "true"}, "kro.run/owned=true"),
        ({"app.kubernetes.io/managed-by": "kro"}, "app.kubernetes.io/managed-by=kro"),
    ],
)
def test_the_instances_of_a_crd_that_a_kro_owns_are_left_alone(labels: dict[str, str], why: str) -> None:
    paper = cluster(APP, OTHER, instance(), instance(kind="Other"))
    paper.store(crd(**labels))
    keep = Keeper(paper)
    assert not keep()
    assert paper.status("App", "shop") == {}
    assert paper.status("Other", "shop")["state"] == "IN_PROGRESS"
    assert (
        f"App of kro.run: the CRD apps.kro.run belongs to a kro (label {why}), which writes the status itself: left alone"
        in keep.said
    )
    assert not keep()
    assert keep.said == ""


@pytest.mark.parametrize("labels", [{}, {"kro.run/owned": "false", "app.kubernetes.io/managed-by": "kro"}, {"a": "b"}])
def test_a_crd_that_no_kro_owns_is_ours(labels: dict[str, str]) -> None:
    paper = cluster(APP, instance())
    paper.store(crd(**labels))
    assert Keeper(paper)()
    assert paper.status("App", "shop")["state"] == "IN_PROGRESS"


def test_an_instance_with_kros_finalizer_is_left_alone() -> None:
    paper = cluster(APP, instance(), instance(name="other"))
    shop = paper.of("App", "shop")
    paper.store({**shop, "metadata": {**shop["metadata"], "finalizers": ["kro.run/finalizer"]}})
    keep = Keeper(paper)
    assert not keep()
    assert paper.status("App", "shop") == {}
    assert paper.status("App", "other")["state"] == "IN_PROGRESS"
    assert "App store/shop: it belongs to a kro (finalizer kro.run/finalizer)" in keep.said


def test_an_rgd_with_kros_finalizer_is_left_alone() -> None:
    paper = cluster(APP, instance())
    stored = paper.of("ResourceGraphDefinition", "app")
    paper.store({**stored, "metadata": {**stored["metadata"], "finalizers": ["kro.run/finalizer"]}})
    keep = Keeper(paper)
    assert not keep()
    assert paper.status("ResourceGraphDefinition", "app") == {}


def test_what_is_being_deleted_is_left_alone() -> None:
    paper = cluster(APP, instance())
    shop = paper.of("App", "shop")
    paper.store({**shop, "metadata": {**shop["metadata"], "deletionTimestamp": "2025-01-01T00:00:00Z"}})
    assert Keeper(paper)()
    assert paper.status("App", "shop") == {}


@pytest.mark.parametrize("word", ["suspended", "disabled"])
def test_what_keeps_a_kro_away_does_not_keep_status_sync_away(word: str) -> None:
    text = instance().replace("namespace: store", f"namespace: store, annotations: {{kro.run/reconcile: {word}}}")
    paper = cluster(APP, text)
    paper.store(deployment(ready=1))
    paper.store(service())
    assert Keeper(paper)()
    assert paper.status("App", "shop")["state"] == "ACTIVE"
    assert states(paper.status("App", "shop"))["Ready"] == "True"


def test_expressions_see_an_instance_as_the_renderer_did() -> None:
    """Neither our marks nor what keeps a kro away, and labels and annotations even where there are none."""
    text = rgd(
        config_map(
            "data", '{x: "${string(schema.metadata.labels.size())}-${string(schema.metadata.annotations.size())}"}'
        ),
        status='{seen: "${schema.metadata.annotations}"}',
    )
    marked = instance().replace(
        "namespace: store",
        "namespace: store, annotations: {kro.run/reconcile: suspended, rookery.dev/node: instance, "
        "rookery.dev/instance: kro.run/App/store/shop, own: kept}",
    )
    paper = cluster(text, marked, instance(name="plain"))
    Keeper(paper)()
    assert paper.status("App", "shop")["seen"] == {"own": "kept"}
    assert paper.status("App", "plain")["seen"] == {}


def test_only_the_given_namespaces_are_looked_at() -> None:
    paper = cluster(APP, instance(), instance(namespace="other", name="b"))
    assert Keeper(paper, namespaces=("other",))()
    assert paper.status("App", "shop") == {}
    assert paper.status("App", "b")["state"] == "IN_PROGRESS"
    assert "list apps other" in paper.requests


# -- Secrets ------------------------------------------------------------------------------------------------------------

SECRET = rgd(
    """\
- id: secret
  readyWhen: ["${has(secret.data.token)}"]
  template: {apiVersion: v1, kind: Secret, metadata: {name: "${schema.metadata.name}"}, type: Opaque}
""",
    status='{name: "${secret.metadata.name}", token: "${string(secret.data.token)}", kind: "${secret.type}", where: {all: "${secret.data}"}}',
)


def test_no_value_of_a_secret_gets_into_a_status_or_a_message() -> None:
    paper = cluster(SECRET, instance())
    paper.store(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "shop", "namespace": "store"},
            "type": "Opaque",
            "data": {"token": "aHVudGVyMg=="},
        }
    )
    keep = Keeper(paper)
    assert keep()
    status = paper.status("App", "shop")
    assert status["state"] == "ACTIVE"
    assert (status["name"], status["kind"]) == ("shop", "Opaque")
    assert status.keys() == {"name", "kind", "state", "conditions"}
    assert "status.token needs a Secret's value, which no status may hold" in keep.said
    assert "status.where.all needs a Secret's value, which no status may hold" in keep.said
    everything = str(paper.of("App", "shop")) + keep.said
    assert "hunter2" not in everything
    assert "aHVudGVyMg" not in everything
    assert keep()
    assert keep.said == ""


@pytest.mark.parametrize(
    "condition",
    [
        "${int(dyn(secret.data.token)) > 1}",
        "${'a'.matches(dyn(secret.data.token) + '[')}",
        "${{'a': true}[dyn(secret.data.token)]}",
        "${timestamp(dyn(secret.data.token)) > timestamp('2025-01-01T00:00:00Z')}",
        "${[true][int(dyn(secret.data.token))]}",
        "${dyn(secret).data.token.nope == 1}",
        "${duration(dyn(secret.data.token)) > duration('1s')}",
        "${quantity(dyn(secret.data.token)).isInteger()}",
        "${url(dyn(secret.data.token)).getHost() == 'a'}",
        "${json.unmarshal(dyn(secret.data.token)).a == 1}",
        "${dyn(secret.data.token).lowerAscii().charAt(99) == 'a'}",
    ],
)
def test_an_expression_that_fails_on_a_secret_does_not_tell_its_value(condition: str) -> None:
    text = rgd(
        f"""\
- id: secret
  readyWhen: ["{condition}"]
  template: {{apiVersion: v1, kind: Secret, metadata: {{name: "${{schema.metadata.name}}"}}}}
""",
        status='{name: "${secret.metadata.name}"}',
    )
    paper = cluster(text, instance())
    metadata = {"name": "shop", "namespace": "store"}
    paper.store({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {"token": "aHVudGVyMg=="}})
    keep = Keeper(paper)
    keep()
    assert paper.status("App", "shop")["state"] != "ACTIVE"
    everything = (str(paper.of("App", "shop")) + keep.said).lower()
    assert "hunter2" not in everything
    assert "ahvudgvymg" not in everything


# -- what goes wrong ----------------------------------------------------------------------------------------------------


def test_one_instance_that_fails_does_not_hinder_the_others() -> None:
    text = rgd(
        config_map("data", '{x: "${string(10 / schema.spec.n)}"}'),
        spec="{n: integer}",
        status='{refuse: "${schema.spec.n}"}',
    )
    paper = cluster(text, instance("{n: 0}", name="zero"), instance("{n: 2}", name="two"))
    keep = Keeper(paper)
    assert not keep()
    assert paper.status("App", "zero")["state"] == "ERROR"
    assert paper.status("App", "two") == {}
    assert keep.said.startswith("App store/two: its status is not taken: so it is said\n")


@pytest.mark.parametrize("times", [1, 4])
def test_a_status_is_computed_anew_where_its_object_has_changed(times: int) -> None:
    paper = cluster(APP, instance())

    def change() -> None:
        shop = paper.of("App", "shop")
        paper.store({**shop, "metadata": {**shop["metadata"], "generation": shop["metadata"]["generation"] + 1}})

    paper.before_write = [change] * times
    assert Keeper(paper)()
    assert {each["observedGeneration"] for each in paper.status("App", "shop")["conditions"]} == {times + 1}


def test_one_that_changes_all_the_time_comes_next_time() -> None:
    paper = cluster(APP, instance())

    def change() -> None:
        paper.store(paper.of("App", "shop"))

    paper.before_write = [change] * 5
    keep = Keeper(paper)
    assert not keep()
    assert "App store/shop: it changed 5 times while its status was computed" in keep.said
    assert keep()


def test_one_that_went_away_meanwhile_is_nobodys_business() -> None:
    paper = cluster(APP, instance())
    paper.before_write = [lambda: paper.remove(paper.of("App", "shop"))]
    assert Keeper(paper)()


@pytest.mark.parametrize(
    ("verb", "what", "said"),
    [
        (
            "get",
            "deployments",
            "App store/shop: not allowed to get deployments.apps in namespace store: a role has to grant",
        ),
        (
            "list",
            "deployments",
            "App store/shop: not allowed to list deployments.apps in namespace store: a role has to grant",
        ),
        ("patch", "apps/status", "App store/shop: not allowed to patch apps/status.kro.run in namespace store"),
        ("list", "apps", "App of kro.run: not allowed to list apps.kro.run: a role"),
        (
            "get",
            "customresourcedefinitions",
            "App of kro.run: not allowed to get customresourcedefinitions.apiextensions.k8s.io",
        ),
        (
            "list",
            "resourcegraphdefinitions",
            "ResourceGraphDefinition: not allowed to list resourcegraphdefinitions.kro.run",
        ),
    ],
)
def test_what_is_forbidden_is_named_with_its_verb(verb: str, what: str, said: str) -> None:
    paper = cluster(APP, instance())
    paper.forbidden = {(verb, what)}
    keep = Keeper(paper)
    assert not keep()
    assert said in keep.said
    assert not keep()
    assert keep.said == ""
    paper.forbidden = set()
    assert keep()
    assert paper.status("App", "shop")["state"] == "IN_PROGRESS"


def test_a_child_whose_kind_is_not_served_is_not_there() -> None:
    paper = cluster(APP, instance())
    paper.store(deployment(ready=1))
    paper.unserved = {"Deployment"}
    assert Keeper(paper)()
    assert paper.status("App", "shop")["state"] == "IN_PROGRESS"


def test_a_kind_without_crd_has_no_instances() -> None:
    paper = cluster(APP)
    paper.unserved = {"App"}
    keep = Keeper(paper)
    assert keep()
    assert "App of kro.run: kro.run/v1alpha1 is not served, there are no instances" in keep.said
    assert paper.status("ResourceGraphDefinition", "app")["state"] == "Inactive"
    paper.unserved = set()
    assert keep()
    assert "ResourceGraphDefinition app: Inactive -> Active\n" in keep.said


def test_a_bug_of_ours_takes_the_status_from_one_instance_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    paper = cluster(APP, instance(name="a"), instance(name="b"))
    monkeypatch.delenv("ROOKERY_DEBUG", raising=False)

    def fail() -> None:
        raise TypeError("a value that nobody may see")

    paper.before_write = [fail]
    keep = Keeper(paper)
    assert not keep()
    assert keep.sync.bugs == 1
    assert keep.said.startswith(
        "App store/a: internal error (TypeError): this is a bug of Rookery\nApp store/b: IN_PROGRESS\n"
    )
    assert "nobody may see" not in keep.said


@pytest.mark.parametrize("text", [APP.replace("metadata: {name: app}", ""), APP.replace("{name: app}", "{name: 7}")])
def test_an_rgd_of_the_files_without_a_name_is_one_that_is_refused(text: str) -> None:
    keep = Keeper(cluster(instance()), documents=documents(text))
    assert not keep()
    assert "error[" in keep.said


def test_a_server_that_is_away_ends_the_pass() -> None:
    paper = cluster(APP, instance())

    def away() -> None:
        raise RenderError([Diagnostic("cluster-unreachable", "it does not answer")])

    paper.before_write = [away]
    keep = Keeper(paper)
    with pytest.raises(RenderError):
        keep()
    assert keep()


# -- what the CRD takes -------------------------------------------------------------------------------------------------


def test_a_field_that_the_crd_does_not_have_is_dropped_before_it_is_compared() -> None:
    made = crd()
    [version] = made["spec"]["versions"]
    properties = version["schema"]["openAPIV3Schema"]["properties"]["status"]["properties"]
    changed = {key: value for key, value in properties.items() if key != "ready"}
    version["schema"] = {
        "openAPIV3Schema": {"type": "object", "properties": {"status": {"type": "object", "properties": changed}}}
    }
    paper = cluster(APP, instance())
    paper.store(made)
    paper.store(deployment(ready=1))
    keep = Keeper(paper)
    assert keep()
    assert "ready" not in paper.status("App", "shop")
    assert keep()
    assert paper.writes == []


def test_a_field_that_the_crd_would_refuse_is_left_out_and_named() -> None:
    made = crd()
    [version] = made["spec"]["versions"]
    fields = {"ready": {"type": "string"}, "state": {"type": "string"}, "address": {"type": "string"}}
    version["schema"] = {
        "openAPIV3Schema": {"type": "object", "properties": {"status": {"type": "object", "properties": fields}}}
    }
    paper = cluster(APP, instance())
    paper.store(made)
    paper.store(deployment(ready=1))
    paper.store(service())
    keep = Keeper(paper)
    assert keep()
    assert paper.status("App", "shop") == {"state": "ACTIVE", "address": "10.0.0.1"}
    assert "App store/shop: status.ready is not as its CRD says: " in keep.said


# -- RGDs ---------------------------------------------------------------------------------------------------------------


def test_an_rgd_that_is_not_sound_is_inactive_and_says_why() -> None:
    broken = rgd(config_map("data", '{x: "${schema.spec.nope}"}'), kind="Broken")
    paper = cluster(APP, broken, instance())
    keep = Keeper(paper)
    assert not keep()
    status = paper.status("ResourceGraphDefinition", "broken")
    assert status["state"] == "Inactive"
    assert "topologicalOrder" not in status
    [condition] = status["conditions"]
    assert (condition["type"], condition["status"]) == ("GraphAccepted", "False")
    assert "nope" in condition["message"]
    assert "error[" in keep.said
    assert paper.status("App", "shop")["state"] == "IN_PROGRESS"
    assert not keep()
    assert keep.said == ""


def test_an_rgd_that_is_sound_has_its_order() -> None:
    paper = cluster(APP)
    Keeper(paper)()
    status = paper.status("ResourceGraphDefinition", "app")
    assert (status["state"], status["topologicalOrder"]) == ("Active", ["deployment", "service"])
    assert states(status) == {"GraphAccepted": "True", "KindReady": "True"}


def test_an_rgd_that_changes_is_compiled_anew() -> None:
    paper = cluster(APP, instance())
    keep = Keeper(paper)
    keep()
    changed = next(objects(rgd(config_map("data", "{x: '1'}"), status='{fixed: "${schema.metadata.name}"}')))
    paper.store({**changed, "metadata": paper.of("ResourceGraphDefinition", "app")["metadata"]})
    assert keep()
    assert paper.status("App", "shop")["fixed"] == "shop"
    assert paper.status("ResourceGraphDefinition", "app")["topologicalOrder"] == ["data"]


def documents(*texts: str) -> list[Any]:
    return [document for text in texts for document in parse_documents(text, "files.yaml")]


def test_rgds_of_files_serve_the_instances_of_the_cluster() -> None:
    paper = cluster(instance())
    keep = Keeper(paper, documents=documents(APP, instance(name="only-in-git")))
    assert keep()
    assert paper.status("App", "shop")["state"] == "IN_PROGRESS"
    assert "App/store/only-in-git of the files: it is among the files, but not in the cluster" in keep.said
    assert keep()
    assert keep.said == ""


def test_an_rgd_of_the_cluster_that_is_another_than_that_of_the_files_keeps_its_status() -> None:
    paper = cluster(APP)
    keep = Keeper(paper, documents=documents(APP.replace("port: 80", "port: 81")))
    assert keep()
    assert paper.status("ResourceGraphDefinition", "app") == {}
    assert "the one in the cluster is not the one of the files" in keep.said
    assert Keeper(paper, documents=documents(APP))()
    assert paper.status("ResourceGraphDefinition", "app")["state"] == "Active"


def test_no_rgd_at_all_is_said_once() -> None:
    keep = Keeper(cluster())
    assert keep()
    assert keep.said == "ResourceGraphDefinitions: none is in the cluster: name the files that hold them\n"
    assert keep()
    assert keep.said == ""
