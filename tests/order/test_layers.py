"""What shares a layer and what does not: a dependent of a gate is in a later one, everything else shares."""

from __future__ import annotations

import pytest

from krm_fn.emit.argocd import WAVE
from krm_fn.emit.targets import ARGOCD, Order
from krm_fn.order.gates import gates
from krm_fn.order.layers import EVERY_EDGE, GATED, arrange
from tests.rendering import Result, config_map, instance, render, rgd

DB = """\
- id: db
  readyWhen: ["${db.status.phase == 'Ready'}"]
  template:
    apiVersion: test.io/v1
    kind: Db
    metadata: {name: "${schema.metadata.name}-db"}
"""
SEEN = (
    "apiVersion: test.io/v1\nkind: Db\nmetadata: {name: shop-db, namespace: store}\nstatus: {phase: Ready, host: h}\n"
)


def layers(result: Result, waves: str = GATED) -> dict[str, int]:
    [expansion] = result.expansions
    found = arrange([expansion], lambda each: gates(each, result.world), waves)
    return {node_id: found.first(expansion, node_id) for node_id in expansion.program.order}


def test_what_needs_no_readiness_and_no_value_of_the_cluster_shares_a_layer() -> None:
    result = render(rgd(config_map("a") + config_map("b", '{x: "${a.metadata.name}"}')), instance())
    assert layers(result) == {"a": 0, "b": 0}


def test_a_dependent_of_a_source_with_ready_when_is_in_a_later_layer() -> None:
    chain = config_map("next", '{x: "${db.metadata.name}"}') + config_map("same", '{x: "${next.metadata.name}"}')
    assert layers(render(rgd(DB + chain), instance())) == {"db": 0, "next": 1, "same": 1}


def test_so_is_one_that_takes_a_value_of_the_cluster() -> None:
    plain = DB.replace("""  readyWhen: ["${db.status.phase == 'Ready'}"]\n""", "")
    resources = (
        plain + config_map("uses", '{x: "${db.status.host}"}') + config_map("names", '{x: "${db.metadata.name}"}')
    )
    assert layers(render(rgd(resources), instance(), observed=SEEN)) == {"db": 0, "uses": 1, "names": 0}


def test_an_index_behind_what_the_template_sets_is_a_value_of_the_cluster_too() -> None:
    service = """\
- id: svc
  template:
    apiVersion: v1
    kind: Service
    metadata: {name: shop}
    spec: {ports: [{port: 80}]}
"""
    seen = "apiVersion: v1\nkind: Service\nmetadata: {name: shop, namespace: store}\nspec: {ports: [{port: 80, nodePort: 30001}]}\n"
    uses = config_map("node", '{x: "${string(svc.spec.ports[0].nodePort)}"}') + config_map(
        "port", '{x: "${string(svc.spec.ports[0].port)}"}'
    )
    assert layers(render(rgd(service + uses), instance(), observed=seen)) == {"svc": 0, "node": 1, "port": 0}


def test_namespaces_and_crds_gate_nothing() -> None:
    namespace = "- id: ns\n  readyWhen: [\"${ns.status.phase == 'Active'}\"]\n  template: {apiVersion: v1, kind: Namespace, metadata: {name: team}}\n"
    assert layers(render(rgd(namespace + config_map("a", '{x: "${ns.metadata.name}"}')), instance())) == {
        "ns": 0,
        "a": 0,
    }


def test_what_a_nested_instance_gates_comes_after_all_that_it_makes() -> None:
    inner = rgd(
        DB + config_map("leaf", '{x: "${db.metadata.name}"}'), kind="Inner", status='{host: "${db.status.host}"}'
    )
    outer = rgd(
        "- id: inner\n  template: {apiVersion: kro.run/v1alpha1, kind: Inner, metadata: {name: shop}}\n"
        + config_map("uses", '{x: "${inner.status.host}"}')
        + config_map("names", '{x: "${inner.metadata.name}"}')
    )
    assert layers(render(inner, outer, instance(), observed=SEEN)) == {"inner": 0, "uses": 2, "names": 0}


def test_every_edge_gives_a_layer_for_each_dependency() -> None:
    chain = (
        config_map("a") + config_map("b", '{x: "${a.metadata.name}"}') + config_map("c", '{x: "${b.metadata.name}"}')
    )
    assert layers(render(rgd(chain), instance()), EVERY_EDGE) == {"a": 0, "b": 1, "c": 2}


@pytest.mark.parametrize("waves", [GATED, EVERY_EDGE])
def test_what_is_left_out_takes_no_layer(waves: str) -> None:
    off = config_map("left", more='includeWhen: ["${schema.spec.wanted}"]')
    assert (
        layers(render(rgd(off + config_map("a"), spec="{wanted: boolean}"), instance("{wanted: false}")), waves)["a"]
        == 0
    )


def test_a_status_of_a_nested_instance_that_needs_no_cluster_gates_nothing() -> None:
    inner = rgd(DB, kind="Inner", status='{name: "${db.metadata.name}", host: "${db.status.host}"}')
    outer = rgd(
        "- id: inner\n  template: {apiVersion: kro.run/v1alpha1, kind: Inner, metadata: {name: shop}}\n"
        + config_map("names", '{x: "${inner.status.name}"}')
        + config_map("uses", '{x: "${inner.status.host}"}')
    )
    assert layers(render(inner, outer, instance(), observed=SEEN)) == {"inner": 0, "names": 0, "uses": 1}


EMPTY = (
    rgd(config_map("unused", more='includeWhen: ["${false}"]'), kind="Inner"),
    rgd(
        '- id: inner\n  readyWhen: ["${inner.metadata.?uid.hasValue()}"]\n'
        "  template: {apiVersion: kro.run/v1alpha1, kind: Inner, metadata: {name: shop}}\n"
        + config_map("a", '{x: "${inner.metadata.name}"}')
    ),
)


@pytest.mark.parametrize("waves", [GATED, EVERY_EDGE])
def test_a_nested_instance_that_makes_nothing_takes_no_layer(waves: str) -> None:
    result = render(*EMPTY, instance())
    assert layers(result, waves)["a"] == 0
    result = render(*EMPTY, instance(), order=Order(ARGOCD, base=3, waves=waves))
    assert [made["metadata"]["annotations"][WAVE] for made in result.objects] == ["3"]


@pytest.mark.parametrize("waves", [GATED, EVERY_EDGE])
def test_it_does_where_it_is_applied_itself(waves: str) -> None:
    result = render(*EMPTY, instance(), instances=True, order=Order(ARGOCD, waves=waves))
    assert {m["kind"]: (m["metadata"].get("annotations") or {}).get(WAVE, "0") for m in result.objects} == {
        "Inner": "0",
        "ConfigMap": "1",
        "App": "1",
    }


def test_one_that_makes_nothing_ends_where_the_last_object_is() -> None:
    """What stands behind the outer one waits for the database, not for the empty one behind that."""
    middle = rgd(
        DB
        + "- id: inner\n  template: {apiVersion: kro.run/v1alpha1, kind: Inner, metadata: {name: '${db.metadata.name}'}}\n",
        kind="Middle",
        status='{host: "${db.status.host}"}',
    )
    outer = rgd(
        "- id: middle\n  template: {apiVersion: kro.run/v1alpha1, kind: Middle, metadata: {name: shop}}\n"
        + config_map("uses", '{x: "${middle.status.host}"}')
    )
    assert layers(render(EMPTY[0], middle, outer, instance(), observed=SEEN)) == {"middle": 0, "uses": 1}
