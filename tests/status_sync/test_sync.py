"""One pass of status-sync after the other, on a cluster on paper."""

from __future__ import annotations

import pytest

from krm_fn.report.diagnostic import Diagnostic, RenderError
from tests.rendering import config_map, instance, rgd
from tests.status_sync.paper import Keeper, objects
from tests.status_sync.shop import APP, cluster, deployment, documents, service, states

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
