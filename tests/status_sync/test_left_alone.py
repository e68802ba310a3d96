"""What status-sync leaves alone, leaves out, and does not tell."""

from __future__ import annotations

import pytest

from krm_fn.program.generated import crd_of
from tests.rendering import config_map, instance, render, rgd
from tests.status_sync.paper import Json, Keeper
from tests.status_sync.shop import APP, cluster, deployment, service, states

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
