"""What lives and must stay while its instance waits: kro prunes nothing of an instance while a part of it is unresolved."""

from __future__ import annotations

import pytest

from tests.rendering import config_map, instance, render, rgd

WAITS = config_map("waits", '{id: "${schema.metadata.uid}", fixed: new}')
SINGLE = rgd(
    WAITS + config_map("other", more='includeWhen: ["${schema.spec.wanted}"]'), spec="{wanted: boolean | default=true}"
)


def living(name: str, data: str, *, node: str = "", item: str = "", owner: str = "kro.run/App/store/shop") -> str:
    marks = f"rookery.dev/instance: {owner}, rookery.dev/node: {node}" + (f", rookery.dev/item: {item}" if item else "")
    annotations = f", annotations: {{{marks}}}" if node else ""
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: store, uid: u1{annotations}}}\ndata: {data}\n---\n"


def test_a_deferred_node_whose_object_lives_is_given_as_it_lives() -> None:
    result = render(SINGLE, instance(), observed=living("shop-waits", "{id: u7, fixed: old, added: x}", node="waits"))
    assert result.states["waits"] == "held"
    assert result["shop-waits"]["data"] == {"id": "u7", "fixed": "old"}, "what the template sets, and nothing else"
    assert "uid" not in result["shop-waits"]["metadata"]


def test_it_is_found_by_its_name_where_nobody_marked_it() -> None:
    assert render(SINGLE, instance(), observed=living("shop-waits", "{id: u7}")).states["waits"] == "held"


def test_where_even_its_namespace_is_not_known_it_is_not_found() -> None:
    text = rgd(WAITS.replace('-waits"}', '-waits", namespace: "${schema.metadata.uid}"}'))
    assert "namespace" in text
    assert render(text, instance(), observed=living("shop-waits", "{id: u7}")).states["waits"] == "deferred"


def test_and_by_its_marks_where_it_has_another_name() -> None:
    result = render(SINGLE, instance(), observed=living("renamed", "{id: u7}", node="waits"))
    assert result.names == ["renamed", "shop-other"]


def test_an_object_of_another_instance_is_not_held() -> None:
    seen = living("shop-waits", "{id: u7}", node="waits", owner="kro.run/App/store/elsewhere")
    assert render(SINGLE, instance(), observed=seen).states["waits"] == "deferred"


def test_a_collection_keeps_the_items_that_live_and_their_keys() -> None:
    node = config_map("parts", '{x: "${part}"}', name="${schema.metadata.name}-${part}").replace(
        "- id: parts\n", "- id: parts\n  forEach: [{part: '${[schema.metadata.uid]}'}]\n"
    )
    seen = living("shop-a", "{x: a}", node="parts", item="k1") + living("shop-b", "{x: b}", node="parts", item="k2")
    result = render(rgd(node), instance(), observed=seen)
    assert result.names == ["shop-a", "shop-b"]
    assert [item.key for item in result.expansions[0].outcomes["parts"].items] == ["k1", "k2"]


def test_what_an_instance_that_waits_does_not_want_any_more_is_held_too() -> None:
    seen = living("shop-other", "{}", node="other") + living("gone", "{a: b}", node="taken-out-of-the-rgd")
    result = render(SINGLE, instance("{wanted: false}"), observed=seen)
    assert sorted(result.names) == ["gone", "shop-other"]
    assert result["gone"]["data"] == {"a": "b"}


def test_and_let_go_once_nothing_waits() -> None:
    seen = (
        living("shop-other", "{}", node="other")
        + "apiVersion: kro.run/v1alpha1\nkind: App\nmetadata: {name: shop, namespace: store, uid: u7}\n"
    )
    assert render(SINGLE, instance("{wanted: false}"), observed=seen).names == ["shop-waits"]


def test_an_instance_that_waits_for_nothing_keeps_nothing() -> None:
    settled = rgd(config_map("other", more='includeWhen: ["${schema.spec.wanted}"]'), spec="{wanted: boolean}")
    assert render(settled, instance("{wanted: false}"), observed=living("shop-other", "{}", node="other")).names == []


def test_what_a_nested_instance_made_stays_while_its_parent_waits() -> None:
    inner = rgd(config_map("leaf"), kind="Inner")
    outer = rgd(
        "- id: inner\n  template:\n    apiVersion: kro.run/v1alpha1\n    kind: Inner\n"
        '    metadata: {name: "${schema.metadata.uid}"}\n'
    )
    seen = living("x-leaf", "{}", node="leaf", owner="kro.run/Inner/store/x")
    assert render(inner, outer, instance(), observed=seen).names == ["x-leaf"]


def test_a_secret_that_must_stay_refuses_the_render() -> None:
    text = rgd(WAITS.replace("kind: ConfigMap", "kind: Secret").replace(" data:", " stringData:"))
    seen = living("shop-waits", "{id: bWFyaw==}", node="waits").replace("kind: ConfigMap", "kind: Secret")
    result = render(text, instance(), observed=seen)
    assert result.errors == ["cannot-hold"]
    assert not result.objects


@pytest.mark.parametrize("seen", [None, living("unrelated", "{}")])
def test_a_warning_says_that_nothing_is_known_of_what_lives(seen: str | None) -> None:
    assert "live-unknown" in render(SINGLE, instance(), observed=seen).codes


def test_which_is_no_matter_where_nothing_waits() -> None:
    assert "live-unknown" not in render(rgd(config_map("a")), instance()).codes
