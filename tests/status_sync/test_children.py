"""Where status-sync finds the children of an instance, and nested instances."""

from __future__ import annotations

import pytest

from tests.rendering import config_map, instance, render, rgd
from tests.status_sync.paper import Json, Keeper
from tests.status_sync.shop import APP, cluster, deployment, marks, service

# -- where children are found -------------------------------------------------------------------------------------------


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
