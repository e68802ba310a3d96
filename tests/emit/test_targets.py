"""What a target adds: waves and a marker for Argo CD, `depends-on` for kpt; and what is said of an order that cannot be kept."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from krm_fn.emit.argocd import WAITS_FOR, WAVE, marker_name, place
from krm_fn.emit.kpt import DEPENDS_ON
from krm_fn.emit.targets import ARGOCD, KPT, MARKER, Order
from krm_fn.order import schedule
from krm_fn.pipeline import Options, Rendering
from krm_fn.read.yaml import parse_documents
from tests.rendering import Result, config_map, instance, render, rgd
from tests.snapshots import DictCluster, observed

Json = dict[str, Any]

DB = """\
- id: db
  readyWhen: ["${db.status.phase == 'Ready'}"]
  template: {apiVersion: test.io/v1, kind: Db, metadata: {name: "${schema.metadata.name}-db"}}
"""
USES = config_map("uses", '{x: "${db.metadata.name}"}')
LATER = config_map("later", '{x: "${cm.metadata.uid}"}')
WITHHELD = rgd(config_map("cm") + LATER)


def waves(result: Result) -> dict[str, str]:
    return {made["metadata"]["name"]: annotated(made).get(WAVE, "0") for made in result.objects}


def annotated(made: Json) -> Json:
    return made["metadata"].get("annotations") or {}


def marker(*texts: str) -> Json:
    """The one of a render for Argo CD, with its annotations under our prefix."""
    documents = [document for i, text in enumerate(texts) for document in parse_documents(text, f"input-{i}.yaml")]
    rendering = Rendering(documents, Options(order=Order(ARGOCD)))
    [found] = [each.object for _, batch in rendering.batches() for each in batch if each.node == MARKER]
    assert not rendering.findings.has_errors
    return found


# -- Argo CD ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        pytest.param(Order(ARGOCD), ("0", "1"), id="from 0 by default, which is not written"),
        pytest.param(Order(ARGOCD, base=5), ("5", "6"), id="base"),
        pytest.param(Order(ARGOCD, base=-10, step=5), ("-10", "-5"), id="base and step"),
        pytest.param(Order(ARGOCD, base=-1), ("-1", "0"), id="up to 0"),
    ],
)
def test_a_wave_is_base_and_steps(order: Order, expected: tuple[str, str]) -> None:
    result = render(rgd(DB + USES), instance(), order=order)
    assert waves(result) == {"shop-db": expected[0], "shop-uses": expected[1]}
    assert all(type(annotated(made).get(WAVE, "")) is str for made in result.objects)


def test_an_authors_own_wave_gives_way() -> None:
    own = USES.replace("metadata: {", f'metadata: {{annotations: {{{WAVE}: "7", a: b}}, ')
    assert annotated(render(rgd(own + DB), instance(), order=Order(ARGOCD))["shop-uses"]) == {WAVE: "1", "a": "b"}
    alone = config_map("a").replace("metadata: {", f'metadata: {{annotations: {{{WAVE}: "7"}}, ')
    assert "annotations" not in render(rgd(alone), instance(), order=Order(ARGOCD))["shop-a"]["metadata"]


def test_a_marker_stands_for_what_is_withheld() -> None:
    made = marker(WITHHELD, instance())
    assert (made["apiVersion"], made["kind"], made["spec"]["suspend"]) == ("batch/v1", "Job", True)
    assert made["metadata"] == {"name": "shop-waiting", "namespace": "store", "annotations": {WAITS_FOR: "later: cm.metadata.uid"}}  # fmt: skip


def test_nothing_withheld_no_marker_and_none_that_is_not_wanted() -> None:
    assert render(rgd(config_map("cm")), instance(), order=Order(ARGOCD)).names == ["shop-cm"]
    assert render(WITHHELD, instance(), order=Order(ARGOCD, marker=False)).names == ["shop-cm"]
    assert render(WITHHELD, instance(), order=Order(KPT)).names == ["shop-cm"]


def test_only_its_annotations_differ_whatever_is_withheld() -> None:
    """A Job's template is immutable: a sync with another one fails."""
    more = rgd(DB + USES + config_map("cm") + LATER + config_map("x", '{x: "${db.status.host}"}'))
    made = [marker(text, instance()) for text in (WITHHELD, more)]
    assert made[0]["metadata"].pop("annotations") != made[1]["metadata"].pop("annotations")
    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("text", "order", "wave"),
    [
        pytest.param(WITHHELD, Order(ARGOCD), "0", id="the one wave that there is"),
        pytest.param(WITHHELD, Order(ARGOCD, base=3), "3", id="of another number"),
        pytest.param(rgd(DB + USES + config_map("cm") + LATER), Order(ARGOCD), "1", id="the last of two"),
        pytest.param(rgd(DB + USES + config_map("cm") + LATER), Order(ARGOCD, base=-5, step=2), "-3", id="below 0"),
        pytest.param(
            rgd(DB + config_map("x", '{x: "${db.status.host}"}')), Order(ARGOCD), "0", id="not that of what is withheld"
        ),
    ],
)
def test_a_marker_is_in_the_last_wave(text: str, order: Order, wave: str) -> None:
    assert waves(render(text, instance(), order=order))["shop-waiting"] == wave


def test_the_last_wave_is_that_of_all_instances() -> None:
    other = rgd(DB + USES, kind="Other")
    result = render(WITHHELD, other, instance(), instance(kind="Other", name="z"), order=Order(ARGOCD))
    assert waves(result)["shop-waiting"] == "1"


def test_instances_are_in_the_last_wave_of_all() -> None:
    """One that is not ready would keep the others' later waves from beginning."""
    other = rgd(DB + USES, kind="Other")
    result = render(rgd(config_map("cm")), other, instance(name="first"), instance(kind="Other", name="z"), order=Order(ARGOCD), instances=True)  # fmt: skip
    assert waves(result) == {"first-cm": "0", "z-db": "0", "z-uses": "1", "first": "1", "z": "1"}
    assert result.errors == []


def test_instances_of_one_name_share_a_marker() -> None:
    other = rgd(config_map("b") + config_map("c", '{x: "${b.metadata.uid}"}'), kind="Other")
    made = marker(WITHHELD, other, instance(), instance(kind="Other"))
    assert annotated(made)[WAITS_FOR] == "App later: cm.metadata.uid\nOther c: b.metadata.uid"


def test_a_node_that_makes_the_markers_object_is_a_clash() -> None:
    text = rgd(
        config_map("cm")
        + LATER
        + "- id: job\n  template: {apiVersion: batch/v1, kind: Job, metadata: {name: shop-waiting}, spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: b}]}}}}\n"
    )
    [clash] = [each for each in render(text, instance(), order=Order(ARGOCD)).findings if each.code == "identity-clash"]
    assert clash.help.startswith("rookery adds one of them")
    assert clash.position is not None, "of the one that can be changed"


@pytest.mark.parametrize(
    ("hook", "wave", "is_blocked"),
    [
        pytest.param("PostSync", 0, True, id="after the sync"),
        pytest.param("PreSync,PostSync", 0, True, id="one of two phases"),
        pytest.param("Sync", 0, True, id="in the last wave"),
        pytest.param("Sync", -1, False, id="in an earlier one"),
        pytest.param("PreSync", 0, False, id="before the sync"),
        pytest.param("SyncFail", 0, False, id="never, where all goes well"),
    ],
)
def test_a_hook_that_would_wait_for_the_marker_leaves_it_out(hook: str, wave: int, *, is_blocked: bool) -> None:
    job = f"""\
- id: hook
  template:
    apiVersion: batch/v1
    kind: Job
    metadata: {{name: hook, annotations: {{argocd.argoproj.io/hook: "{hook}"}}}}
    spec: {{template: {{spec: {{restartPolicy: Never, containers: [{{name: a, image: b}}]}}}}}}
"""
    gated = DB + USES + LATER + config_map("cm")
    result = render(rgd(job + (gated if wave else config_map("cm") + LATER)), instance(), order=Order(ARGOCD))
    assert ("marker-left-out" in result.codes) is is_blocked
    assert ("shop-waiting" in result.names) is not is_blocked


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ([], 0)),
        ({WAVE: "-3"}, ([], -3)),
        ({WAVE: "+3"}, ([], 3)),
        ({WAVE: "x"}, ([], 0)),
        ({WAVE: "1.5"}, ([], 0)),
        ({WAVE: " 2"}, ([], 0)),
        ({WAVE: "9" * 30}, ([], 0)),
        ({"helm.sh/hook": "post-install", "helm.sh/hook-weight": "4"}, (["PostSync"], 4)),
        ({"argocd.argoproj.io/hook": "Sync", "helm.sh/hook": "post-install"}, (["Sync"], 0)),
    ],
)
def test_waves_and_phases_are_read_as_argo_cd_reads_them(
    given: dict[str, str], expected: tuple[list[str], int]
) -> None:
    assert place({"metadata": {"annotations": given}}) == expected


@pytest.mark.parametrize(
    ("instance_name", "name"),
    [
        ("shop", "shop-waiting"),
        ("a" * 55, "a" * 55 + "-waiting"),
        ("a" * 56, "a" * 46 + "-b5f1b9ce-waiting"),
        ("a.b", "a-b-93b2e8b4-waiting"),
    ],
)
def test_a_markers_name_is_one_of_a_job(instance_name: str, name: str) -> None:
    made = marker_name(instance_name)
    assert len(made) <= 63
    assert made.partition("-")[0] == name.partition("-")[0]
    assert made.endswith("-waiting")
    assert (made == name) is ("." not in instance_name and len(instance_name) < 56)


def test_a_held_node_has_its_new_wave_and_what_is_kept_the_one_it_lives_in() -> None:
    """What the template does not set is not held; the wave is no matter of the template."""
    rendered = render(rgd(DB + USES + config_map("old")), instance(), order=Order(ARGOCD, base=4), kro_labels=False)
    cluster = DictCluster({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system"}})
    for made in rendered.objects:
        node = made["metadata"]["name"].removeprefix("shop-")
        marks = {"rookery.dev/instance": "kro.run/App/store/shop", "rookery.dev/node": node}
        cluster.apply({**made, "metadata": {**made["metadata"], "annotations": {**annotated(made), **marks}}})
    cluster.objects["", "ConfigMap", "store", "shop-old"]["metadata"]["annotations"][WAVE] = "9"
    text = rgd(
        DB
        + USES.replace("db.metadata.name", "db.status.host")
        + config_map("old", more='includeWhen: ["${schema.spec.?old.orValue(false)}"]'),
        spec="{old: boolean | default=false}",
    )
    result = render(text, instance(), observed=observed(cluster, text, instance()), order=Order(ARGOCD))
    assert result.states["uses"] == "held"
    assert waves(result) == {"shop-db": "0", "shop-uses": "1", "shop-old": "9", "shop-waiting": "9"}


# -- kpt --------------------------------------------------------------------------------------------------------------

SCOPES = [
    pytest.param("v1", "ConfigMap", "/namespaces/store/ConfigMap/source", id="core, namespaced"),
    pytest.param("apps/v1", "Deployment", "apps/namespaces/store/Deployment/source", id="group, namespaced"),
    pytest.param("v1", "PersistentVolume", "/PersistentVolume/source", id="core, of the cluster"),
    pytest.param(
        "rbac.authorization.k8s.io/v1",
        "ClusterRole",
        "rbac.authorization.k8s.io/ClusterRole/source",
        id="group, of the cluster",
    ),
    pytest.param("test.io/v1", "Anything", "test.io/namespaces/store/Anything/source", id="unknown"),
]


@pytest.mark.parametrize(("version", "kind", "expected"), SCOPES)
def test_a_reference_is_written_for_every_scope_and_group(version: str, kind: str, expected: str) -> None:
    source = f'- id: source\n  readyWhen: ["${{source.metadata.?uid.hasValue()}}"]\n  template: {{apiVersion: {version}, kind: {kind}, metadata: {{name: source}}}}\n'
    result = render(rgd(source + config_map("a", '{x: "${source.metadata.name}"}')), instance(), order=Order(KPT))
    assert annotated(result["shop-a"]) == {DEPENDS_ON: expected}
    assert annotated(result["source"]) == {}


def test_what_local_config_keeps_from_the_cluster_is_waited_for_by_nobody() -> None:
    local = DB.replace("metadata: {", 'metadata: {annotations: {config.kubernetes.io/local-config: "true"}, ')
    assert annotated(render(rgd(local + USES), instance(), order=Order(KPT))["shop-uses"]) == {}


def test_a_gate_of_which_nothing_is_left_passes_on_what_it_waits_for() -> None:
    inner = rgd(config_map("unused", more='includeWhen: ["${false}"]'), kind="Inner")
    outer = rgd(
        DB
        + '- id: inner\n  readyWhen: ["${inner.metadata.?uid.hasValue()}"]\n  template: {apiVersion: kro.run/v1alpha1, kind: Inner, metadata: {name: "${db.metadata.name}"}}\n'
        + config_map("a", '{x: "${inner.metadata.name}"}')
    )
    made = render(inner, outer, instance(), order=Order(KPT))["shop-a"]
    assert annotated(made) == {DEPENDS_ON: "test.io/namespaces/store/Db/shop-db"}


def test_a_kind_that_gates_is_named_once_with_what_kstatus_waits_for() -> None:
    job = '- id: job\n  readyWhen: ["${job.status.succeeded == 1}"]\n  template: {apiVersion: batch/v1, kind: Job, metadata: {name: "${schema.metadata.name}"}, spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: b}]}}}}\n'
    text = rgd(DB + USES + job + config_map("c", '{x: "${job.metadata.name}"}') + DB.replace("db", "idle"))
    result = render(text, instance(), instance(name="other"), order=Order(KPT))
    said = [(f.message.partition(" goes on")[0], f.help) for f in result.findings if f.code == "ready-by-kstatus"]
    assert said == [
        ("what waits for db (Db)", "a Db is Current when its condition Ready is True, and at once while it has none"),
        ("what waits for job (Job)", "a Job is Current when it is started, not completed"),
    ]


def many(count: int) -> str:
    data = '{x: "${db.all(d, d.metadata.name != schema.metadata.name) ? schema.metadata.name : schema.metadata.name}"}'
    source = DB.replace("- id: db", f'- id: db\n  forEach: [{{i: "${{lists.range({count})}}"}}]').replace("-db\"", "-${string(i)}-" + "x" * 200 + '"').replace("db.status", "each.status")  # fmt: skip
    return rgd(source + config_map("all", data))


def test_more_than_annotations_can_hold_is_an_error() -> None:
    assert render(many(900), instance(), order=Order(KPT)).errors == []
    found = render(many(1000).replace("x" * 200, "x" * 240), instance(), order=Order(KPT))
    [error] = [f for f in found.findings if f.severity == "error"]
    assert error.code == "depends-on-unwritable"
    assert error.message.endswith(" bytes then, and an API server takes 262144")


def test_more_pairs_than_can_be_named_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("krm_fn.emit.targets.MOST", 50)
    monkeypatch.setattr(schedule, "MOST", 50)
    assert render(many(50), instance(), order=Order(KPT)).errors == []
    assert render(many(51), instance(), order=Order(KPT)).errors == ["depends-on-unwritable"]


# -- what cannot be ---------------------------------------------------------------------------------------------------

CIRCLE = DB.replace("metadata: {", "metadata: {namespace: team, ") + (
    '- id: team\n  template: {apiVersion: v1, kind: Namespace, metadata: {name: team, labels: {after: "${db.metadata.name}"}}}\n'
)


@pytest.mark.parametrize(("target", "severity"), [(KPT, "error"), (ARGOCD, "warning")])
def test_a_namespace_that_waits_for_what_lies_in_it(target: str, severity: str) -> None:
    result = render(rgd(CIRCLE), instance(), order=Order(target))
    [found] = [f for f in result.findings if f.code == "order-cycle"]
    assert (found.severity, found.message) == (
        severity,
        "Namespace team waits for Db.test.io team/shop-db, which lies in it",
    )
    assert str(found.position) == "input-0.yaml:15:9"


def test_without_a_target_nobody_asks() -> None:
    assert "order-cycle" not in render(rgd(CIRCLE), instance()).codes


def chain(length: int) -> str:
    nodes = [
        {
            "id": f"n{i}",
            "readyWhen": [f"${{n{i}.data.ready == 'yes'}}"],
            "template": {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": f"n{i}", "labels": {"after": f"${{n{i - 1}.metadata.name}}" if i else "none"}},
            },
        }
        for i in range(length)
    ]
    return rgd(yaml.safe_dump(nodes))


@pytest.mark.parametrize("target", [KPT, ARGOCD])
def test_a_hundred_layers_are_worth_a_warning(target: str) -> None:
    assert "many-layers" not in render(chain(100), instance(), order=Order(target)).codes
    codes = render(chain(101), instance(), instance(name="other"), order=Order(target)).codes
    assert codes.count("many-layers") == 1


@pytest.mark.thorough
@pytest.mark.parametrize("target", [KPT, ARGOCD])
def test_ten_thousand_layers_are_as_many(target: str) -> None:
    result = render(chain(10_000), instance(), order=Order(target))
    assert (len(result.objects), result.errors) == (10_000, [])
    last = annotated(result["n9999"])
    assert last == {WAVE: "9999"} if target == ARGOCD else {DEPENDS_ON: "/namespaces/store/ConfigMap/n9998"}
