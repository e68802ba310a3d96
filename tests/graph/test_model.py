"""What a graph says: states in the words of the diagnostics, gates with what they wait for, layers as a target takes them."""

from __future__ import annotations

import pytest

from krm_fn.command.graph import bounds_of
from krm_fn.graph.model import READY, VALUE, Card, Graph
from krm_fn.graph.of_rgd import graph_of_rgd
from krm_fn.graph.words import after
from krm_fn.order.layers import EVERY_EDGE
from krm_fn.pipeline import Options, Rendering
from krm_fn.read.yaml import parse_documents
from tests.graph.drawings import graph_of
from tests.rendering import config_map, instance, render, rgd

SERVICE = """\
- id: svc
  template: {apiVersion: v1, kind: Service, metadata: {name: shop}, spec: {ports: [{port: 80}]}}
"""
DEPLOYMENT = """\
- id: web
  readyWhen: ["${web.status.availableReplicas > 0}"]
  template:
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: shop}
    spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: b}]}}}
"""
EXTERNAL = "- id: team\n  externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {name: team}}\n"
SEEN = "apiVersion: v1\nkind: Service\nmetadata: {name: shop, namespace: store}\nspec: {clusterIP: 10.0.0.1}\n"


def card(graph: Graph, name: str) -> Card:
    [found] = [each for each in graph.all_cards() if each.id == name]
    return found


def rgd_graph(text: str, *, every_edge: bool = False) -> Graph:
    rendering = Rendering(list(parse_documents(text, "rgd.yaml")), Options())
    assert not rendering.findings.has_errors
    [program] = rendering.programs.values()
    return graph_of_rgd(program, rendering.programs, bounds_of("text"), every_edge=every_edge)


@pytest.mark.parametrize(
    ("resources", "why"),
    [
        (SERVICE + config_map("a", '{x: "${svc.spec.clusterIP}"}'), "waits for svc.spec.clusterIP"),
        (EXTERNAL + config_map("a", '{x: "${team.data.x}"}'), "waits for team.data.x"),
        (config_map("a", '{x: "${schema.spec.text}"}'), "the instance does not set schema.spec.text"),
        (config_map("a", more='includeWhen: ["${schema.spec.?wanted.orValue(false)}"]'), "left out: ${schema.spec.?wanted.orValue(false)} is false"),
        (
            config_map("left", more='includeWhen: ["${false}"]') + config_map("a", '{x: "${left.metadata.name}"}'),
            "left out with left",
        ),
        (
            config_map("never", "{x: b}", more="readyWhen: [\"${never.data.x == 'a'}\"]") + config_map("a", '{x: "${never.data.x}"}'),
            "readyWhen of never is false whatever the cluster says",
        ),
    ],
)  # fmt: skip
def test_why_a_node_is_not_made_is_said_as_render_says_it(resources: str, why: str) -> None:
    texts = (rgd(resources, spec="{text: string, wanted: boolean}"), instance())
    found = card(graph_of(*texts), "a")
    assert found.why == why
    if "left out" not in why:
        assert any(why in finding.message for finding in render(*texts).findings)


def test_a_gate_says_its_ready_when_or_what_is_read() -> None:
    resources = (
        DEPLOYMENT
        + SERVICE
        + config_map("a", '{x: "${web.metadata.name}", y: "${svc.spec.clusterIP}", z: "${svc.metadata.name}"}')
    )
    edges = card(graph_of(rgd(resources), instance(), observed=SEEN), "a").edges
    assert [(edge.source.id, edge.gate, edge.says) for edge in edges] == [
        ("web", READY, ["${web.status.availableReplicas > 0}"]),
        ("svc", VALUE, ["svc.spec.clusterIP"]),
    ]


def test_a_layer_says_what_it_is_behind() -> None:
    more = config_map("a", '{x: "${web.metadata.name}"}') + config_map("b", '{x: "${svc.spec.clusterIP}"}')
    graph = graph_of(rgd(DEPLOYMENT + SERVICE + more), instance(), observed=SEEN)
    assert after(graph) == {1: "web is ready, svc has its values"}


def test_every_edge_gives_more_layers() -> None:
    texts = (rgd(config_map("a") + config_map("b", '{x: "${a.metadata.name}"}')), instance())
    assert graph_of(*texts).end == 0
    assert graph_of(*texts, waves=EVERY_EDGE).end == 1


def test_a_nested_instance_holds_its_own_graph_with_its_layers() -> None:
    inner = rgd(
        DEPLOYMENT + config_map("leaf", '{x: "${web.metadata.name}"}'),
        kind="Inner",
        status='{count: "${web.status.availableReplicas}"}',
    )
    outer = rgd(
        "- id: inner\n  template: {apiVersion: kro.run/v1alpha1, kind: Inner, metadata: {name: shop}}\n"
        + config_map("uses", '{x: "${string(inner.status.count)}"}')
    )
    graph = graph_of(inner, outer, instance())
    holder = card(graph, "inner")
    assert [each.id for each in holder.inside[0].cards] == ["web", "leaf"]
    assert (holder.layer, holder.last, card(graph, "leaf").layer) == (0, 1, 1)
    assert (card(graph, "uses").layer, card(graph, "uses").edges[0].gate) == (2, VALUE)


def test_names_are_of_the_objects_and_their_namespace_is_said_where_it_is_another() -> None:
    elsewhere = config_map("b").replace('metadata: {name: "', 'metadata: {namespace: other, name: "')
    many = config_map("c", name="c-${digit}", more="forEach: [{digit: \"${['1', '2', '3', '4']}\"}]")
    graph = graph_of(rgd(config_map("a") + elsewhere + many), instance())
    assert card(graph, "a").names == ["shop-a"]
    assert card(graph, "b").names == ["other/shop-b"]
    assert (card(graph, "c").names, card(graph, "c").count) == (["c-1", "c-2", "c-3"], 4)


# -- an RGD alone -----------------------------------------------------------------------------------------------------


def test_the_gates_of_an_rgd_are_told_from_its_text() -> None:
    namespace = "- id: ns\n  readyWhen: [\"${ns.status.phase == 'Active'}\"]\n  template: {apiVersion: v1, kind: Namespace, metadata: {name: team}}\n"
    uses = '{a: "${web.metadata.name}", b: "${svc.spec.clusterIP}", c: "${ns.metadata.name}", d: "${team.data.x}"}'
    graph = rgd_graph(rgd(namespace + DEPLOYMENT + SERVICE + EXTERNAL + config_map("a", uses)))
    assert {edge.source.id: edge.gate for edge in card(graph, "a").edges} == {
        "web": READY,
        "svc": VALUE,
        "ns": "",
        "team": "",
    }
    assert card(graph, "a").layer == 1


@pytest.mark.parametrize(
    ("path", "gate"),
    [
        ("svc.metadata.name", ""),
        ("svc.metadata.namespace", ""),
        ("svc.metadata.uid", VALUE),
        ("svc.spec.type", VALUE),
        ("string(svc.spec.ports[0].port)", ""),
    ],
)
def test_what_a_template_sets_is_no_value_of_the_cluster(path: str, gate: str) -> None:
    graph = rgd_graph(rgd(SERVICE + config_map("a", f'{{x: "${{{path}}}"}}')))
    assert [edge.gate for edge in card(graph, "a").edges] == [gate]


def test_every_edge_of_an_rgd() -> None:
    text = rgd(config_map("a") + config_map("b", '{x: "${a.metadata.name}"}'))
    assert [rgd_graph(text, every_edge=each).end for each in (False, True)] == [0, 1]
