"""
The whole Argo CD syncs what the plugin renders: in the order of the gates, with what is withheld in sight, and back again.

The tests play the controllers of the children: nothing is ready until they write its status.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
import yaml

from tests.hosts.argocd import FINALIZER, Application, ArgoCd, argo_cd
from tests.hosts.argocd_cases import (
    DATABASE,
    KINDS,
    KRO,
    NESTING,
    REPLICATED,
    RGDS,
    SHRINKING,
    STORE,
    TWO_GATES,
    V1,
    WITHHOLDING,
    application,
    config_map_of,
    crd,
    database_is,
    health_checks,
    migration_is_done,
    observe,
    uids,
)
from tests.hosts.argocd_server import REPOSITORY
from tests.hosts.conftest import files
from tests.rendering import config_map, indented, instance, rgd

pytestmark = pytest.mark.hosts


@pytest.fixture(scope="module")
def argo() -> Iterator[ArgoCd]:
    with argo_cd(health_checks(*RGDS), [crd("Database"), crd("Migration")]) as running:
        yield running


def test_the_example_of_the_documentation(argo: ArgoCd) -> None:
    """With shared RGDs, observed state, and a manifest that is no instance of anything."""
    fixture = REPOSITORY / "fixtures" / "argocd-application"
    example = yaml.safe_load((REPOSITORY / "cmp" / "application.example.yaml").read_text())["spec"]["source"]
    texts = {name: text for name, text in files(fixture).items() if name.endswith(".yaml")}
    app = argo.application("shop", texts, example["plugin"]["parameters"], example["path"])
    app.begin_sync()
    for kind, name, status in (
        ("StatefulSet", "shop-backend-db", {"updatedReplicas": 1, "currentRevision": "1", "updateRevision": "1"}),
        ("Deployment", "shop-backend", {"updatedReplicas": 2, "availableReplicas": 2}),
    ):
        argo.wait_for(partial(app.exists, "apps/v1", kind, name), name, app.said)
        replicas = status["updatedReplicas"]
        seen = {"observedGeneration": 1, "replicas": replicas, "readyReplicas": replicas}
        app.write_status("apps/v1", kind, name, {**status, **seen})
    app.end_sync()
    app.becomes("Healthy")
    kinds = ("Deployment", "StatefulSet", "Service", "ConfigMap")
    made = app.live(*(("apps/v1" if kind in kinds[:2] else "v1", kind) for kind in kinds))
    assert sorted(made) == [
        "ConfigMap/shop-ap", "ConfigMap/shop-dashboard", "ConfigMap/shop-eu", "ConfigMap/shop-us",
        "Deployment/shop-backend", "Service/shop-backend", "Service/shop-backend-db", "StatefulSet/shop-backend-db",
    ]  # fmt: skip


# -- a readyWhen of a custom resource -----------------------------------------------------------------------------------


def test_nothing_is_made_before_what_gates_it_is_ready(argo: ArgoCd) -> None:
    app = application(argo, "two-gates", TWO_GATES, kind="TwoGates")
    app.begin_sync()
    app.waits_for("example.com/Database", "shop-db")
    first = {"ConfigMap/shop-page", "Database/shop-db"}
    assert set(uids(app)) == first
    database_is(app, phase="Creating")
    app.refresh()
    assert app.is_syncing
    assert app.health == "Progressing"
    assert set(uids(app)) == first
    database_is(app, phase="Ready")
    app.waits_for("example.com/Migration", "shop-db-migration")
    assert set(uids(app)) == first | {"Migration/shop-db-migration"}
    migration_is_done(app)
    app.end_sync()
    assert set(uids(app)) == first | {"Migration/shop-db-migration", "ConfigMap/shop-backend"}
    app.becomes("Healthy")


def test_a_collection_gates_until_each_of_it_is_ready(argo: ArgoCd) -> None:
    """With kro's labels instead of Rookery's marks: the check finds the node by either."""
    app = application(argo, "replicated", REPLICATED, kind="Replicated")
    app.set_parameters([{"name": "kroLabels", "string": "true"}])
    app.begin_sync()
    app.waits_for("example.com/Database", "shop-a")
    database_is(app, "shop-a", phase="Ready")
    app.waits_for("example.com/Database", "shop-b")
    assert set(uids(app)) == {"Database/shop-a", "Database/shop-b"}
    database_is(app, "shop-b", phase="Ready")
    app.end_sync()
    assert set(uids(app)) == {"Database/shop-a", "Database/shop-b", "ConfigMap/shop-list"}


def test_a_second_sync_awaits_the_gates_again_and_makes_nothing_anew(argo: ArgoCd) -> None:
    app = application(argo, "again", TWO_GATES, kind="TwoGates")
    app.begin_sync()
    app.waits_for("example.com/Database", "shop-db")
    database_is(app, phase="Ready")
    app.waits_for("example.com/Migration", "shop-db-migration")
    migration_is_done(app)
    app.end_sync()
    before = uids(app)
    app.sync()
    assert uids(app) == before
    database_is(app, phase="Failed")
    app.becomes("Progressing")
    app.begin_sync()
    app.waits_for("example.com/Database", "shop-db")
    database_is(app, phase="Ready")
    app.end_sync()
    assert uids(app) == before


def test_what_is_stalled_fails_its_sync_and_the_next_one_may_succeed(argo: ArgoCd) -> None:
    app = application(argo, "stalled", TWO_GATES, kind="TwoGates")
    app.begin_sync()
    app.waits_for("example.com/Database", "shop-db")
    stalled = {"type": "Stalled", "status": "True"}
    app.write_status(V1, "Database", "shop-db", {"phase": "Failed", "conditions": [stalled]})
    app.end_sync("Failed")
    assert set(uids(app)) == {"ConfigMap/shop-page", "Database/shop-db"}
    app.write_status(V1, "Database", "shop-db", {"phase": "Ready", "conditions": []})
    app.begin_sync()
    app.waits_for("example.com/Migration", "shop-db-migration")


def test_a_sync_that_waits_takes_no_new_commit_until_it_is_ended(argo: ArgoCd) -> None:
    app = application(argo, "stuck", TWO_GATES, kind="TwoGates")
    app.begin_sync()
    app.waits_for("example.com/Database", "shop-db")
    app.repository.commit({"rgd-0.yaml": TWO_GATES + indented(config_map("added"), 2)})
    app.refresh()
    assert app.is_syncing
    assert set(uids(app)) == {"ConfigMap/shop-page", "Database/shop-db"}
    app.terminate()
    app.end_sync("Failed")
    app.begin_sync()
    app.waits_for("example.com/Database", "shop-db")
    assert set(uids(app)) == {"ConfigMap/shop-page", "Database/shop-db", "ConfigMap/shop-added"}


def test_self_heal_awaits_no_gate(argo: ArgoCd) -> None:
    """It is a sync of chosen objects, in which Argo CD does not look at the others."""
    app = application(argo, "healing", TWO_GATES, kind="TwoGates")
    app.begin_sync()
    app.waits_for("example.com/Database", "shop-db")
    database_is(app, phase="Ready")
    app.waits_for("example.com/Migration", "shop-db-migration")
    migration_is_done(app)
    app.end_sync()
    app.becomes("Healthy")
    before = uids(app)
    database_is(app, phase="Failed")
    app.becomes("Progressing")
    app.automate()
    argo.objects.delete(app.object("v1", "ConfigMap", "shop-backend"))
    argo.wait_for(lambda: uids(app).keys() == before.keys(), "what was deleted to come back", app.said)
    app.becomes("Progressing")


# -- a nested instance ----------------------------------------------------------------------------------------------------


def test_what_waits_for_a_nested_instance_comes_after_all_that_it_makes(argo: ArgoCd) -> None:
    app = application(argo, "nesting", STORE, NESTING, kind="Nesting")
    app.begin_sync()
    app.waits_for("example.com/Database", "shop-store-db")
    assert set(uids(app)) == {"Database/shop-store-db"}
    database_is(app, "shop-store-db", phase="Ready")
    app.end_sync()
    made = uids(app)
    assert set(made) == {"Database/shop-store-db", "ConfigMap/shop-store-address", "ConfigMap/shop-frontend"}
    app.becomes("Healthy")
    app.sync()
    assert uids(app) == made


def test_an_instance_that_is_emitted_gates_by_itself(argo: ArgoCd) -> None:
    """The test writes the statuses that status-sync writes."""
    parameters = [{"name": "emit", "array": ["api"]}]
    platform = argo.application("platform", {"store.yaml": STORE, "nesting.yaml": NESTING}, parameters)
    platform.sync()
    app = application(argo, "emitting", STORE, NESTING, kind="Nesting", emit=("instances",))
    app.begin_sync()
    app.waits_for("example.com/Database", "shop-store-db")
    kinds = (*KINDS, *((KRO, kind) for kind in ("Store", "Nesting")))
    database_is(app, "shop-store-db", phase="Ready")
    app.waits_for("kro.run/Store", "shop-store")
    children = {"Database/shop-store-db", "ConfigMap/shop-store-address"}
    assert set(app.live(*kinds)) == {*children, "Store/shop-store"}
    app.write_status(KRO, "Store", "shop-store", {"phase": "Ready", "state": "ACTIVE"})
    app.end_sync()
    assert set(app.live(*kinds)) == {*children, "Store/shop-store", "ConfigMap/shop-frontend", "Nesting/shop"}
    app.becomes("Progressing")
    app.write_status(KRO, "Nesting", "shop", {"state": "ACTIVE"})
    app.becomes("Healthy")


# -- something withheld -----------------------------------------------------------------------------------------------------


def test_what_is_withheld_shows_until_its_value_is_committed(argo: ArgoCd) -> None:
    app = application(argo, "withholding", WITHHOLDING, kind="Withholding")
    app.sync()
    assert set(uids(app)) == {"Database/shop-db", "Job/shop-waiting"}
    app.becomes("Progressing")
    database_is(app, phase="Ready", endpoint="db.example.com")
    app.becomes("Suspended")
    before = uids(app)

    observe(app)
    app.sync()
    made = uids(app)
    assert set(made) == {"Database/shop-db", "ConfigMap/shop-connection"}
    assert made["Database/shop-db"] == before["Database/shop-db"]
    [connection] = app.live(("v1", "ConfigMap")).values()
    assert connection["data"] == {"host": "db.example.com"}
    app.becomes("Healthy")

    database_is(app, phase="Ready", endpoint=None)
    observe(app)
    app.sync()
    assert {**uids(app), "Job/shop-waiting": ""} == {**made, "Job/shop-waiting": ""}
    [connection] = app.live(("v1", "ConfigMap")).values()
    assert connection["data"] == {"host": "db.example.com"}, "what cannot be said any more is held as it lives"
    app.becomes("Suspended")


def test_nothing_is_pruned_while_something_is_withheld(argo: ArgoCd) -> None:
    """As with kro. What nobody wants any more stays in its wave, and the marker is not before it."""
    app = application(argo, "shrinking", SHRINKING, kind="Shrinking")
    app.sync()
    database_is(app, phase="Ready", endpoint="db.example.com")
    observe(app)
    app.sync()
    app.becomes("Healthy")
    before = uids(app)
    assert set(before) == {"Database/shop-db", "ConfigMap/shop-connection", "ConfigMap/shop-extra"}
    database_is(app, phase="Ready", endpoint=None)
    app.repository.commit({"instance.yaml": instance("{extra: false}", kind="Shrinking", namespace="")})
    observe(app)
    app.sync()
    app.becomes("Suspended")
    after = uids(app)
    assert after.pop("Job/shop-waiting")
    assert after == before
    database_is(app, phase="Ready", endpoint="db.example.com")
    observe(app)
    app.sync()
    app.becomes("Healthy")
    assert set(uids(app)) == {"Database/shop-db", "ConfigMap/shop-connection"}


def test_a_sync_ends_although_others_come_after_what_is_withheld(argo: ArgoCd) -> None:
    """A marker that something waits for would keep it waiting for ever, and the commit that gives the value with it."""
    late = config_map_of("late", "argocd.argoproj.io/sync-wave", "5")
    app = application(argo, "late", WITHHOLDING, kind="Withholding", beside=late)
    app.begin_sync()
    app.waits_for("example.com/Database", "shop-db")
    database_is(app, phase="Ready")
    app.end_sync()
    assert set(uids(app)) == {"Database/shop-db", "Job/shop-waiting", "ConfigMap/late"}
    app.becomes("Suspended")
    app.sync()

    hook = config_map_of("hook", "argocd.argoproj.io/hook", "PostSync")
    app = application(argo, "hooked", WITHHOLDING, kind="Withholding", beside=hook)
    app.begin_sync()
    app.waits_for("example.com/Database", "shop-db")
    database_is(app, phase="Ready")
    app.end_sync()
    assert set(uids(app)) == {"Database/shop-db", "ConfigMap/hook"}
    app.becomes("Healthy")


def test_prune_last_waits_for_the_marker_unless_there_is_none(argo: ArgoCd) -> None:
    """The one case in which only the Application can help itself: what is pruned last comes after the last wave."""
    beside = config_map_of("old", "example.com/note", "to be pruned")
    app = application(argo, "prune-last", WITHHOLDING, kind="Withholding", beside=beside)
    app.sync()
    database_is(app, phase="Ready")
    (app.repository.folder / "beside.yaml").unlink()
    app.repository.commit({})
    options = ["PruneLast=true"]
    app.begin_sync(syncOptions=options)
    app.waits_for("batch/Job", "shop-waiting")
    app.terminate()
    app.end_sync("Failed")
    app.set_parameters([{"name": "waitingMarker", "string": "none"}])
    app.begin_sync(syncOptions=options)
    app.end_sync()
    assert set(uids(app)) == {"Database/shop-db"}


def test_automated_syncs_come_to_the_same_end(argo: ArgoCd) -> None:
    app = application(argo, "automated", WITHHOLDING, kind="Withholding")
    app.automate()
    argo.wait_for(lambda: set(uids(app)) == {"Database/shop-db", "Job/shop-waiting"}, "the first sync", app.said)
    database_is(app, phase="Ready", endpoint="db.example.com")
    app.becomes("Suspended")
    observe(app)
    app.refresh()
    app.becomes("Healthy")
    assert set(uids(app)) == {"Database/shop-db", "ConfigMap/shop-connection"}


# -- removal ------------------------------------------------------------------------------------------------------------------


def in_place(argo: ArgoCd, name: str, beside: str = "") -> Application:
    """Database, then migration, then backend, synced to the end, and a finalizer on each."""
    app = application(argo, name, TWO_GATES, kind="TwoGates", beside=beside)
    app.begin_sync()
    app.waits_for("example.com/Database", "shop-db")
    database_is(app, phase="Ready")
    app.waits_for("example.com/Migration", "shop-db-migration")
    migration_is_done(app)
    app.end_sync()
    app.becomes("Healthy")
    hold(app)
    return app


def hold(app: Application) -> None:
    for each in app.live(*KINDS).values():
        app.argo.objects.patch(each, {"metadata": {"finalizers": ["example.com/hold"]}})


def let_go(app: Application, name: str) -> None:
    app.argo.objects.patch(app.live(*KINDS)[name], {"metadata": {"finalizers": None}})


def is_leaving(app: Application, names: set[str]) -> bool:
    """Whether these objects, and no others, are being deleted."""
    return {name for name, each in app.live(*KINDS).items() if "deletionTimestamp" in each["metadata"]} == names


WAVES = [{"ConfigMap/shop-backend"}, {"Migration/shop-db-migration"}, {"ConfigMap/shop-page", "Database/shop-db"}]
"""The last first."""


@pytest.mark.parametrize(("name", "finalizer"), [("leaving", FINALIZER), ("left-behind", f"{FINALIZER}/background")])
def test_a_deleted_application_goes_in_reverse(argo: ArgoCd, name: str, finalizer: str) -> None:
    """In the foreground, as it is by default, and in the background."""
    app = in_place(argo, name)
    app.delete(finalizer)
    for i, wave in enumerate(WAVES):
        argo.wait_for(partial(is_leaving, app, wave), f"{wave} to be deleted", partial(app.live, *KINDS))
        assert set(uids(app)) == set().union(*WAVES[i:])
        for held in wave:
            let_go(app, held)
    argo.wait_for(lambda: app.is_gone, "the Application to go", app.said)


def test_of_an_instance_that_is_gone_the_last_wave_is_pruned_first(argo: ArgoCd) -> None:
    """And nothing is said of the others: Argo CD makes a new plan of what is left, in which several waves may go at once."""
    app = in_place(argo, "pruning", config_map_of("beside", "example.com/note", "stays"))
    (app.repository.folder / "instance.yaml").unlink()
    app.repository.commit({})
    app.begin_sync()
    argo.wait_for(partial(is_leaving, app, WAVES[0]), f"{WAVES[0]} to be deleted", app.said)
    assert set(uids(app)) == {"ConfigMap/beside"}.union(*WAVES)
    for name in app.live(*KINDS):
        let_go(app, name)
    app.end_sync()
    assert set(uids(app)) == {"ConfigMap/beside"}


@pytest.mark.parametrize("options", [[], ["PruneLast=true"]], ids=["in its wave", "last"])
def test_what_is_not_needed_any_more_goes_first_unless_it_is_to_go_last(argo: ArgoCd, options: list[str]) -> None:
    """In its own wave mostly before who depended on it has heard of it, but not always; last, always after."""
    backend = config_map("backend", "{after: '%s'}")
    app = application(
        argo,
        "replaced-last" if options else "replaced",
        rgd(DATABASE + backend % "${database.metadata.name}", kind="Replaced"),
        kind="Replaced",
    )
    app.begin_sync()
    app.waits_for("example.com/Database", "shop-db")
    database_is(app, phase="Ready")
    app.end_sync()
    hold(app)
    app.repository.commit({"rgd-0.yaml": rgd(backend % "nobody", kind="Replaced")})
    app.begin_sync(syncOptions=options)
    argo.wait_for(partial(is_leaving, app, {"Database/shop-db"}), "the database to be deleted", app.said)
    known = app.live(("v1", "ConfigMap"))["ConfigMap/shop-backend"]["data"]["after"]
    assert known in (["nobody"] if options else ["nobody", "shop-db"])
    let_go(app, "Database/shop-db")
    app.end_sync()
    assert app.live(("v1", "ConfigMap"))["ConfigMap/shop-backend"]["data"] == {"after": "nobody"}
