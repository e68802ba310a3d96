"""What kro takes away next of an instance that is being deleted: one node at a time, the last one first."""

from __future__ import annotations

from typing import Any

from krm_fn.expand.deletion import Deletion, plan_deletion
from krm_fn.expand.instance import World
from krm_fn.expand.observed import Observed
from krm_fn.inputs import compile_programs, sort_documents
from krm_fn.read.yaml import parse_documents
from tests.rendering import config_map, rgd

CHAIN = config_map("first") + config_map("second", "{from: \"${first.data.?never.orValue('')}\"}")
COLLECTION = config_map("many", more="forEach: [{one: '${schema.spec.names}'}]", name="${one}")


def seen(name: str, **metadata: Any) -> dict[str, Any]:
    found = {"name": name, "namespace": "store", **metadata}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": found, "data": {"more": "x"}}


def item_of(name: str, node: str, uid: str = "u1") -> dict[str, Any]:
    return seen(name, labels={"kro.run/instance-id": uid, "kro.run/node-id": node})


def plan(resources: str, *live: dict[str, Any], spec: dict[str, Any] | None = None) -> Deletion:
    inputs = sort_documents(parse_documents(rgd(resources, spec='{names: "[]string"}'), "rgd.yaml"), [], None, _refuse)
    [program] = compile_programs(inputs, _refuse).values()
    instance = {
        "apiVersion": "kro.run/v1alpha1",
        "kind": "App",
        "metadata": {"name": "shop", "namespace": "store", "uid": "u1"},
        "spec": spec or {},
    }
    world = World({program.key: program}, lambda _program, made: (made, []))
    return plan_deletion(program, instance, Observed(live, given=True), world)


def _refuse(finding: Any) -> None:
    raise AssertionError(finding.message)


def names(found: Deletion) -> list[str]:
    return [target["metadata"]["name"] for target in found.targets]


def test_the_last_node_that_has_an_object_goes_first() -> None:
    found = plan(CHAIN, seen("shop-first"), seen("shop-second"))
    assert (names(found), found.states) == (["shop-second"], {"first": "IN_PROGRESS", "second": "IN_PROGRESS"})
    found = plan(CHAIN, seen("shop-first"))
    assert (names(found), found.states) == (["shop-first"], {"first": "IN_PROGRESS", "second": "DELETED"})


def test_when_nothing_is_left_the_instance_may_go() -> None:
    found = plan(CHAIN)
    assert (found.is_done, found.node, found.targets) == (True, None, [])


def test_only_names_are_evaluated_and_nothing_waits_until_it_is_ready() -> None:
    second = config_map("second", '{from: "${first.data.never}", bad: "${string(1 / 0)}"}')
    found = plan(config_map("first", more="readyWhen: ['${first.data.no == \"\"}']") + second, seen("shop-second"))
    assert names(found) == ["shop-second"]


def test_a_node_whose_name_needs_what_is_gone_counts_as_deleted() -> None:
    second = config_map("second", name="${first.data.more}-x")
    assert names(plan(config_map("first") + second, seen("shop-first"), seen("x-x"))) == ["x-x"]
    found = plan(config_map("first") + second, seen("x-x"))
    assert (found.states, found.is_done) == ({"first": "DELETED", "second": "DELETED"}, True)


def test_where_a_condition_reads_what_is_gone_kro_goes_no_further() -> None:
    second = config_map("second", more="includeWhen: ['${first.data.more == \"x\"}']")
    assert names(plan(config_map("first") + second, seen("shop-first"), seen("shop-second"))) == ["shop-second"]
    found = plan(config_map("first") + second, seen("shop-second"))
    assert (found.failed, found.is_done, found.targets, len(found.waits)) == ("second", False, [], 1)


def test_a_fault_in_a_name_ends_the_plan() -> None:
    found = plan(CHAIN + config_map("bad", name="a-${string(1 / 0)}"), seen("shop-first"))
    assert (found.failed, found.targets) == ("bad", [])
    assert found.fault is not None


def test_items_are_found_by_their_labels_and_go_in_the_order_of_the_template() -> None:
    live = [item_of("a", "many"), item_of("b", "many"), item_of("c", "many", "u2"), item_of("old", "many")]
    found = plan(COLLECTION, *live, spec={"names": ["c", "b", "a"]})
    assert names(found) == ["b", "a"]
    assert plan(COLLECTION, item_of("old", "many"), spec={"names": ["a"]}).states == {"many": "IN_PROGRESS"}
    assert plan(COLLECTION, *live, spec={"names": []}).is_done


def test_external_references_stay() -> None:
    external = "- id: ext\n  externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {name: shared}}\n"
    made = config_map("made", name="${ext.data.more}")
    found = plan(external + made, seen("shared"), seen("x"))
    assert (names(found), found.states) == (["x"], {"ext": "SKIPPED", "made": "IN_PROGRESS"})
    assert plan(external + made, seen("x")).is_done
