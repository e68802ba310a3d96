"""
The whole Argo CD waits for what no health check of it can say: for Jobs, that look for themselves.

The Jobs are run by the real Job controller and an emulator of the kubelet, with the rights that the output gives them. The tests play
the controllers of what is waited for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from tests.hosts.argocd import Application, ArgoCd, argo_cd
from tests.hosts.argocd_cases import crd, custom, database_is, health_checks
from tests.hosts.kubelet import Kubelet, kubelet
from tests.rendering import config_map, instance, rgd

pytestmark = pytest.mark.hosts

Json = dict[str, Any]
READY_WHEN = (
    'web.status.readyReplicas >= 2 && web.status.conditions.exists(c, c.type == "Available" && c.status == "True")'
)
WEB = rgd(
    f"""\
- id: web
  readyWhen: ['${{{READY_WHEN}}}']
  template:
    apiVersion: apps/v1
    kind: Deployment
    metadata: {{name: "${{schema.metadata.name}}"}}
    spec:
      replicas: 2
      selector: {{matchLabels: {{app: shop}}}}
      template:
        metadata: {{labels: {{app: shop}}}}
        spec: {{containers: [{{name: web, image: "${{schema.spec.image}}"}}]}}
"""
    + config_map("page", '{of: "${web.metadata.name}", image: "${schema.spec.image}"}'),
    kind="Web",
    spec="{image: string}",
)
"""A Deployment, which Argo CD judges in its own way, then page."""

SECURE = 'database.status.url.matches("^https://[a-z]+$") && database.status.note == "$$ $(HOME)"'
SERVED = rgd(
    custom("database", "Database", "${schema.metadata.name}-db", SECURE)
    + config_map("connection", '{of: "${database.metadata.name}"}'),
    kind="Served",
)
"""A custom resource, of which Argo CD's Lua cannot say this, then connection. What the kubelet would fill in is no reference here."""


@pytest.fixture(scope="module")
def argo() -> Iterator[ArgoCd]:
    with argo_cd(health_checks(WEB, SERVED), [crd("Database")]) as running:
        yield running


@contextmanager
def application(
    argo: ArgoCd, name: str, rgd: str, kind: str, spec: str = "{}"
) -> Iterator[tuple[Application, Kubelet]]:
    texts = {"rgd.yaml": rgd, "instance.yaml": instance(spec, kind=kind, namespace="")}
    app = argo.application(name, texts, [{"name": "gateImage", "string": "example.com/rookery:v1"}])
    with kubelet(argo.cluster, app.namespace) as running:
        yield app, running


def web_is(app: Application, generation: int, ready: int, *, available: bool) -> None:
    """As a rollout goes on. To Argo CD two replicas are enough, whatever the condition says."""
    status = {
        "observedGeneration": generation, "replicas": 2, "updatedReplicas": 2, "readyReplicas": ready, "availableReplicas": ready,
        "conditions": [{"type": "Available", "status": str(available), "reason": "test"}],
    }  # fmt: skip
    app.write_status("apps/v1", "Deployment", "shop", status)


def jobs(app: Application) -> dict[str, Json]:
    return {each["metadata"]["name"]: each for each in app.live(("batch/v1", "Job")).values()}


def config_maps(app: Application) -> dict[str, Json]:
    return {name: each["data"] for name, each in app.live(("v1", "ConfigMap")).items()}


def is_complete(job: Json) -> bool:
    return any(each["type"] == "Complete" and each["status"] == "True" for each in job["status"].get("conditions", ()))


def gate(app: Application, *, but: str = "") -> str:
    """The name of the Job that the sync waits for."""
    app.argo.wait_for(lambda: jobs(app).keys() - {but}, "a gate Job", app.said)
    [name] = jobs(app).keys() - {but}
    app.waits_for("batch/Job", name)
    return name


def test_nothing_is_made_before_a_deployment_is_ready_in_the_words_of_the_rgd(argo: ArgoCd) -> None:
    with application(argo, "gate", WEB, "Web", "{image: 'web:1'}") as (app, kubelet):
        app.begin_sync()
        argo.wait_for(partial(app.exists, "apps/v1", "Deployment", "shop"), "the Deployment", app.said)
        web_is(app, 1, 1, available=False)
        argo.wait_for(lambda: "waits for web.status.readyReplicas" in kubelet.log(), "a reason", kubelet.log)
        assert not config_maps(app)
        web_is(app, 1, 2, available=False)
        job = gate(app)
        assert not is_complete(jobs(app)[job])
        assert not config_maps(app)
        web_is(app, 1, 2, available=True)
        app.end_sync()
        assert is_complete(jobs(app)[job])
        assert config_maps(app) == {"ConfigMap/shop-page": {"of": "shop", "image": "web:1"}}
        app.becomes("Healthy")


def test_a_change_is_waited_for_by_another_job(argo: ArgoCd) -> None:
    with application(argo, "gate-again", WEB, "Web", "{image: 'web:1'}") as (app, kubelet):
        app.begin_sync()
        argo.wait_for(partial(app.exists, "apps/v1", "Deployment", "shop"), "the Deployment", app.said)
        web_is(app, 1, 2, available=True)
        app.end_sync()
        [old] = before = jobs(app)
        app.sync()
        assert jobs(app).keys() == before.keys()
        assert jobs(app)[old]["metadata"]["uid"] == before[old]["metadata"]["uid"], "no change, no other run"

        app.repository.commit({"instance.yaml": instance("{image: 'web:2'}", kind="Web", namespace="")})
        app.begin_sync()
        argo.wait_for(lambda: "not looked at generation 2" in kubelet.log(), "a reason", kubelet.log)
        web_is(app, 2, 2, available=False)
        new = gate(app, but=old)
        argo.wait_for(lambda: set(jobs(app)) == {new}, "the old Job to be pruned", app.said)
        assert config_maps(app)["ConfigMap/shop-page"]["image"] == "web:1"
        web_is(app, 2, 2, available=True)
        app.end_sync()
        assert is_complete(jobs(app)[new])
        assert config_maps(app)["ConfigMap/shop-page"]["image"] == "web:2"
        app.becomes("Healthy")

        app.delete()
        argo.wait_for(lambda: app.is_gone, "the Application to go", app.said)
        kinds = (("v1", "Pod"), ("v1", "ServiceAccount"), ("batch/v1", "Job"), ("apps/v1", "Deployment"))
        assert not app.live(*kinds)


def test_what_lua_cannot_carry_is_waited_for(argo: ArgoCd) -> None:
    with application(argo, "gate-custom", SERVED, "Served") as (app, kubelet):
        app.begin_sync()
        job = gate(app)
        database_is(app, url="http://db")
        argo.wait_for(lambda: "waits for database.status.url.matches" in kubelet.log(), "a reason", kubelet.log)
        assert not config_maps(app)
        database_is(app, url="https://db", note="$$ $(HOME)")
        app.end_sync()
        assert is_complete(jobs(app)[job])
        assert set(config_maps(app)) == {"ConfigMap/shop-connection"}
        app.becomes("Healthy")
