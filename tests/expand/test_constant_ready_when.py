"""A readyWhen that reads nothing: it holds or not whatever the objects are, and nobody else need look at them either."""

from __future__ import annotations

import pytest

from krm_fn.emit.targets import ARGOCD, KPT, PLAIN, Order
from tests.rendering import config_map, instance, render, rgd

NODES = {
    "a resource": "- id: leaf\n  readyWhen: ['%s']\n  template: {apiVersion: v1, kind: ConfigMap, metadata: {name: leaf}}\n",
    "a collection": (
        "- id: leaf\n  readyWhen: ['%s']\n  forEach: [{at: '${[\"a\", \"b\"]}'}]\n"
        "  template: {apiVersion: v1, kind: ConfigMap, metadata: {name: 'leaf-${at}'}}\n"
    ),
    "an empty collection": (
        "- id: leaf\n  readyWhen: ['%s']\n  forEach: [{at: '${[].filter(x, x == \"\")}'}]\n"
        "  template: {apiVersion: v1, kind: ConfigMap, metadata: {name: 'leaf-${at}'}}\n"
    ),
    "an external reference": (
        "- id: leaf\n  readyWhen: ['%s']\n"
        "  externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {name: leaf, namespace: store}}\n"
    ),
}


@pytest.mark.parametrize("target", [PLAIN, ARGOCD, KPT])
@pytest.mark.parametrize("condition", ["${true}", "${false}", "${[1, 2].all(x, x > 0)}"])
@pytest.mark.parametrize("node", NODES)
def test_of_a_node_that_nobody_reads(node: str, condition: str, target: str) -> None:
    result = render(rgd(NODES[node] % condition + config_map("other")), instance(), order=Order(target))
    assert not result.errors
    assert "shop-other" in result.names


@pytest.mark.parametrize("node", ["a resource", "a collection"])
def test_an_error_in_it_is_an_error(node: str) -> None:
    assert render(rgd(NODES[node] % "${1 / 0 == 1}"), instance()).errors == ["cel-division-by-zero"]
    assert render(rgd(NODES["an empty collection"] % "${1 / 0 == 1}"), instance()).errors == []


@pytest.mark.parametrize(("condition", "state"), [("${true}", "resolved"), ("${false}", "deferred")])
def test_it_keeps_those_waiting_that_name_the_node(condition: str, state: str) -> None:
    result = render(
        rgd(NODES["a resource"] % condition + config_map("user", '{of: "${leaf.metadata.name}"}')), instance()
    )
    assert result.states["user"] == state
