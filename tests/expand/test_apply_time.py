"""`--deferred apply-time`: what gets a placeholder, and what is withheld all the same, with which reason."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from krm_fn.emit.report import report_entries
from krm_fn.expand.apply_time import ANNOTATION
from tests.rendering import Result, config_map, free_form, instance, render, rgd

DATABASE = """\
- id: db
  template: {apiVersion: test.io/v1, kind: Database, metadata: {name: "${schema.metadata.name}-db"}}
"""
SERVICE = """\
- id: svc
  template:
    apiVersion: v1
    kind: Service
    metadata: {name: "${schema.metadata.name}-svc"}
    spec: {type: NodePort, ports: [{port: 80}]}
"""
EXTERNAL = """\
- id: ext
  externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {name: shared}}
"""
REFERENCE = {"apiVersion": "test.io/v1", "kind": "Database", "name": "shop-db", "namespace": "store"}


def at_apply_time(resources: str, spec: str = "{}", given: str = "{}", **options: Any) -> Result:
    return render(rgd(resources, spec=spec), instance(given), deferred="apply-time", **options)


def substitutions(made: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(made["metadata"]["annotations"][ANNOTATION])
    return found


def test_a_plain_path_and_a_text_with_one() -> None:
    result = at_apply_time(DATABASE + config_map("a", '{x: "${db.status.host}", z: "https://${db.status.host}:1"}'))
    made = result["shop-a"]
    assert made["data"] == {"x": "${db.status.host}", "z": "https://${db.status.host}:1"}
    assert substitutions(made) == [
        {"sourceRef": REFERENCE, "sourcePath": "$.status.host", "targetPath": "$.data.x"},
        {"sourceRef": REFERENCE, "sourcePath": "$.status.host", "targetPath": "$.data.z", "token": "${db.status.host}"},
    ]
    assert (result.states["a"], result.codes) == ("apply-time", ["unknown-kind", "apply-time"])


def test_a_label_of_which_nothing_is_known() -> None:
    labelled = config_map("a").replace("metadata: {", 'metadata: {labels: {host: "${db.status.host}"}, ')
    result = at_apply_time(DATABASE + labelled)
    assert result["shop-a"]["metadata"]["labels"] == {"host": "${db.status.host}"}
    assert (result.states["a"], result.errors) == ("apply-time", [])


def test_what_needs_no_cluster_is_rendered_as_ever() -> None:
    result = at_apply_time(DATABASE + config_map("a", '{x: "${db.metadata.name}"}'))
    assert (result.states["a"], result["shop-a"]["data"]) == ("resolved", {"x": "shop-db"})
    assert "annotations" not in result["shop-a"]["metadata"]


def test_what_stands_around_decides_the_token() -> None:
    written = '{x: "${\\"${db.status.host}\\" + db.status.host}"}'
    made = at_apply_time(DATABASE + config_map("a", written))["shop-a"]
    assert made["data"]["x"] == "${db.status.host}${db.status.host#1}"
    assert [each["token"] for each in substitutions(made)] == ["${db.status.host#1}"]


def test_a_node_that_is_filled_in_shows_what_is_known_of_it() -> None:
    result = at_apply_time(
        DATABASE
        + config_map("a", '{host: "${db.status.host}", known: "k"}')
        + config_map("b", '{x: "${a.data.known}"}')
        + config_map("c", '{x: "${a.data.host}"}', more="includeWhen: [\"${a.data.known == 'k'}\"]")
    )
    assert result.states == {"db": "resolved", "a": "apply-time", "b": "resolved", "c": "apply-time"}
    assert substitutions(result["shop-c"])[0]["sourceRef"]["name"] == "shop-a"


@pytest.mark.parametrize(
    ("resources", "reason"),
    [
        pytest.param(config_map("a", '{x: "${db.status.host.upperAscii()}"}'), "is computed", id="a call"),
        pytest.param(config_map("a", '{x: "${db.status.?host.orValue(\'-\')}"}'), "is computed", id="an optional path"),
        pytest.param(config_map("a", '{x: "${db.status.ok ? \'a\' : db.status.host}"}'), "is computed", id="a choice"),
        pytest.param(config_map("a", '{x: "${db.status[db.status.key]}"}'), "is computed", id="an index that is unknown"),
        pytest.param(config_map("a", '{x: "${db.status.a + db.status.b}"}'), "is computed", id="a sum, or texts joined"),
        pytest.param(free_form("a", '{x: "${db.status.a + 1}"}'), "is computed", id="a sum"),
        pytest.param(free_form("a", '{x: "${{\\"k\\": db.status.a}}"}'), "is computed", id="a map"),
        pytest.param(config_map("a", '{x: "${string(db.status.port)}"}'), "its type is another or not known", id="text of what has no schema"),
        pytest.param(config_map("a", '{x: "p:${string(db.status.port)}"}'), "its type is another or not known", id="the same in a text"),
        pytest.param(free_form("a", '{x: "${db}"}'), "is a whole object", id="a whole object"),
        pytest.param(config_map("a", '{x: "${db.status.host}${schema.metadata.uid}"}'), "need not exist in a cluster", id="the instance"),
        pytest.param(config_map("a", "{}", name="${db.status.host}"), "metadata.name is read before", id="a name"),
        pytest.param(free_form("a", "{}").replace("metadata: {", 'metadata: {namespace: "${db.status.host}", '), "metadata.namespace is read before", id="a namespace"),
        pytest.param(free_form("a", "{}").replace("metadata: {", 'metadata: {labels: "${db.status.map}", '), "metadata.labels is read before", id="all labels"),
        pytest.param(free_form("a", "{}").replace("metadata: {", 'metadata: {annotations: {config.kubernetes.io/depends-on: "${db.status.host}"}, '), "depends-on is read before", id="an annotation of the applier"),
        pytest.param(config_map("a", '{x: "${db.status.host}"}').replace("metadata: {", "metadata: {annotations: {config.kubernetes.io/apply-time-mutation: '[]'}, "), "of its own", id="an annotation of the author's"),
        pytest.param(config_map("a", '{x: "${db.status.host}", y: "a\\x7Fb"}'), "cannot read back", id="a character that YAML refuses"),
        pytest.param(config_map("a", '{x: "${db.status[\\"it\'s\\"]}"}'), "cannot stand in a JSONPath", id="a quote in a key"),
        pytest.param(config_map("a", '{"it\'s": "${db.status.host}"}'), "cannot stand in a JSONPath", id="a quote in a target's key"),
        pytest.param(EXTERNAL + config_map("a", '{x: "${ext.data.x}"}'), "is an external reference", id="an external reference"),
        pytest.param(SERVICE + config_map("a", '{x: "${string(svc.metadata.creationTimestamp)}"}'), "is a date-time", id="a time"),
        pytest.param(
            SERVICE.replace("- id: svc", '- id: svc\n  forEach: [{part: "${[1, 2]}"}]').replace("-svc", "-svc-${string(part)}")
            + config_map("a", '{x: "${svc[2].spec.clusterIP}"}'),
            "of no object of svc", id="an item that there is none of",
        ),
        pytest.param(
            config_map("a", '{x: "${v}"}', name="a-${v}").replace("- id: a", '- id: a\n  forEach: [{v: "${[db.status.a]}"}]'),
            "only a cluster knows", id="a list that is not known",
        ),
    ],
)  # fmt: skip
def test_what_is_withheld_all_the_same(resources: str, reason: str) -> None:
    result = at_apply_time(DATABASE + resources)
    assert (result.states["a"], result.errors) == ("deferred", [])
    [finding] = [finding for finding in result.findings if finding.code == "deferred" and finding.message[:2] == "a "]
    assert reason in (finding.help or "")


def test_a_condition_is_not_filled_in_and_whoever_needs_the_node_waits_with_it() -> None:
    result = at_apply_time(
        DATABASE
        + config_map("a", '{x: "${db.status.host}"}', more='includeWhen: ["${db.status.ready}"]')
        + config_map("b", '{x: "${db.status.host}", y: "${a.metadata.name}"}')
    )
    assert result.states == {"db": "resolved", "a": "deferred", "b": "deferred"}


def test_a_source_that_is_never_ready_withholds() -> None:
    never = DATABASE.replace("- id: db", "- id: db\n  readyWhen: [\"${db.metadata.name == 'other'}\"]")
    result = at_apply_time(never + config_map("a", '{x: "${db.status.host}"}'))
    assert (result.states["a"], result.codes) == ("deferred", ["unknown-kind", "never-ready", "live-unknown"])


def test_a_source_with_readiness_of_its_own_is_named() -> None:
    gated = DATABASE.replace("- id: db", "- id: db\n  readyWhen: [\"${db.status.phase == 'Up'}\"]")
    [_, finding] = at_apply_time(gated + config_map("a", '{x: "${db.status.host}"}')).findings
    assert "until db is Current to kstatus, and knows no readyWhen" in (finding.help or "")


def test_an_instance_of_another_rgd_is_neither_source_nor_target() -> None:
    inner = rgd(
        free_form("inside", '{x: "${schema.spec.x}"}'),
        kind="Inner",
        spec="{x: string}",
        status='{z: "${inside.status.z}"}',
    )
    nested = """\
- id: inner
  template: {apiVersion: kro.run/v1alpha1, kind: Inner, metadata: {name: inner}, spec: {x: "%s"}}
"""
    text = rgd(DATABASE + nested % "${db.status.host}")
    result = render(inner, text, instance(), deferred="apply-time")
    assert result.states["inner"] == "deferred"
    assert "expanded before anything is applied" in " ".join(finding.help or "" for finding in result.findings)
    text = rgd(nested % "x" + config_map("a", '{x: "${inner.status.z}"}'))
    result = render(inner, text, instance(), deferred="apply-time")
    assert result.states["a"] == "deferred"
    assert "is expanded and not applied" in " ".join(finding.help or "" for finding in result.findings)


def test_only_the_path_of_a_secret_is_carried() -> None:
    secret = """\
- id: secret
  template: {apiVersion: v1, kind: Secret, metadata: {name: s}}
"""
    observed = "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: store}\ndata: {password: aHVudGVyMg==}\n"
    text = rgd(secret + free_form("a", '{x: "${secret.data.password}"}'))
    made = render(text, instance(), deferred="apply-time", observed=observed)["shop-a"]
    assert substitutions(made)[0]["sourcePath"] == "$.data.password"
    assert "aHVudGVyMg" not in str(made)


def test_a_path_that_an_observed_source_lacks_comes_later() -> None:
    observed = "apiVersion: test.io/v1\nkind: Database\nmetadata: {name: shop-db, namespace: store}\nstatus: {}\n"
    result = at_apply_time(DATABASE + config_map("a", '{x: "${db.status.host}"}'), observed=observed)
    assert result.states["a"] == "apply-time"
    seen = at_apply_time(
        DATABASE + config_map("a", '{x: "${db.status.host}"}'), observed=observed.replace("{}", "{host: h}")
    )
    assert seen["shop-a"]["data"] == {"x": "h"}


def test_the_report_says_deferred_and_what_is_filled_in() -> None:
    [expansion] = at_apply_time(DATABASE + config_map("a", '{x: "${db.status.host}"}')).expansions
    [entry] = report_entries(expansion)
    assert entry["nodes"][1] == {
        "id": "a",
        "state": "deferred",
        "waits": [{"reason": "unknown", "paths": ["db.status.host"], "expression": "db.status.host"}],
        "objects": ["/ConfigMap/store/shop-a"],
        "applyTime": [[{"sourceRef": REFERENCE, "sourcePath": "$.status.host", "targetPath": "$.data.x"}]],
    }
