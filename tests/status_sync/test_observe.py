"""What is looked at, what is written of it, and what is not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from krm_fn.inputs import Entry
from krm_fn.read.yaml import parse_documents
from krm_fn.report.diagnostic import RenderError
from krm_fn.snapshot import Snapshot
from krm_fn.status_sync.observe import finished, selector_text
from krm_fn.status_sync.wants import split_path
from tests.rendering import config_map, instance, render, rgd
from tests.snapshots import CLUSTER, DictCluster, look, observed

Json = dict[str, Any]


def thing(kind: str, name: str, namespace: str = "store", **parts: Any) -> Json:
    api_version = parts.pop("apiVersion", "v1")
    metadata = {"name": name, **({"namespace": namespace} if namespace else {}), **parts.pop("metadata", {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **parts}


def owned(kind: str, name: str, node: str, *, instance: str = "kro.run/App/store/shop", **parts: Any) -> Json:
    marks = {"rookery.dev/instance": instance, "rookery.dev/node": node}
    return thing(kind, name, metadata={"annotations": marks}, **parts)


def objects(snapshot: str) -> dict[str, tuple[list[str] | None, Json]]:
    """Name -> fields and object, of the section `objects`."""
    [document] = parse_documents(snapshot, "x")
    return {
        each["object"]["metadata"]["name"]: (each.get("fields"), each["object"]) for each in document.value["objects"]
    }


def section(snapshot: str, name: str) -> list[Json]:
    [document] = parse_documents(snapshot, "x")
    found: list[Json] = document.value[name]
    return found


SERVICE = """\
- id: svc
  template:
    apiVersion: v1
    kind: Service
    metadata: {name: "${schema.metadata.name}"}
    spec: {ports: [{port: 80}]}
"""
EXTERNAL = "- id: ext\n  externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {name: shared}}\n"
LIVE_SERVICE = thing(
    "Service",
    "shop",
    spec={"clusterIP": "10.0.0.1", "ports": [{"port": 80, "nodePort": 30080}]},
    status={"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}},
)


# -- which fields -----------------------------------------------------------------------------------------------------

FIELDS = {
    "a status": ('{x: "${svc.status.loadBalancer.ingress[0].ip}"}', ["status.loadBalancer.ingress"]),
    "what a server fills in": ('{x: "${svc.spec.clusterIP}"}', ["spec.clusterIP"]),
    "of a list all": ('{x: "${string(svc.spec.ports[0].nodePort)}"}', ["spec.ports"]),
    "two": ('{x: "${svc.spec.clusterIP}", y: "${svc.spec.type}"}', ["spec.clusterIP", "spec.type"]),
    "a key with a dot": ("{x: \"${svc.metadata.annotations['a.b/c']}\"}", ['metadata.annotations["a.b/c"]']),
    "what may be absent": ("{x: \"${svc.spec.?externalName.orValue('')}\"}", ["spec.externalName"]),
    "nothing that the template sets": ('{x: "${svc.metadata.name}"}', None),
    "nothing that is settled anyhow": ("{x: \"${string(true || svc.spec.clusterIP == '')}\"}", None),
}


@pytest.mark.parametrize(("data", "fields"), FIELDS.values(), ids=FIELDS)
def test_only_what_expressions_wait_for_is_written(data: str, fields: list[str] | None) -> None:
    text = rgd(SERVICE + config_map("a", data))
    found = objects(observed(DictCluster(LIVE_SERVICE), text, instance()))
    assert (found["shop"][0] if found else None) == fields


SHARED = thing(
    "ConfigMap",
    "shared",
    metadata={"labels": {"use": "x", "team": "y"}},
    data={"title": "Books", "on": "yes", "url": "http://{host}/"},
)
MANY = "- id: all\n  externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {namespace: store, selector: {matchLabels: {use: x}}}}\n"
ENOUGH = {
    **{name: SERVICE + config_map("a", data) for name, (data, _) in FIELDS.items()},
    "a value of a reference": EXTERNAL + config_map("a", '{x: "${ext.data.title}"}'),
    "a reference as a whole": EXTERNAL + config_map("a", '{x: "${json.marshal(ext.data)}"}'),
    "its size": EXTERNAL + config_map("a", '{x: "${string(size(ext.data))}"}'),
    "every key of it": EXTERNAL + config_map("a", '{x: "${ext.data.map(k, k).join(\',\')}"}'),
    "a condition": EXTERNAL + config_map("a", "{x: known}", more="includeWhen: [\"${ext.data.?on.orValue('') == 'yes'}\"]"),
    "a loop": EXTERNAL + config_map("a", '{x: "${k}"}', name="n-${k}", more='forEach: [{k: "${ext.data.map(k, k)}"}]'),
    "a collection": MANY + config_map("a", '{x: "${all.map(c, c.data.title).join(\',\')}"}'),
    "a part of a collection": MANY + config_map("a", '{x: "${string(all.exists(c, has(c.data.missing)))}"}'),
    "what is not there": EXTERNAL.replace("shared", "missing") + config_map("a", '{x: "${ext.data.title}"}'),
    "after what waits": EXTERNAL
    + config_map("a", '{x: "${ext.data.title}"}')
    + SERVICE
    + config_map("b", '{x: "${a.data.x}-${svc.spec.clusterIP}"}'),
}  # fmt: skip


@pytest.mark.parametrize("resources", ENOUGH.values(), ids=ENOUGH)
def test_law_a_snapshot_holds_enough(resources: str) -> None:
    """It renders to what all objects of the cluster, seen whole, render to."""
    text = rgd(resources)
    cluster = DictCluster(LIVE_SERVICE, SHARED, thing("ConfigMap", "other", data={"title": "no"}))
    everything = "---\n".join(json.dumps(each) + "\n" for each in cluster.objects.values())
    by_snapshot = render(text, instance(), observed=observed(cluster, text, instance()))
    by_hand = render(text, instance(), observed=everything)
    assert (by_snapshot.objects, by_snapshot.states) == (by_hand.objects, by_hand.states)
    assert by_snapshot.errors == by_hand.errors == []


def test_what_was_not_there_is_known_to_be_absent() -> None:
    text = rgd(SERVICE + config_map("a", "{x: \"${has(svc.spec.externalName) ? 'yes' : 'no'}\"}"))
    snapshot = observed(DictCluster(LIVE_SERVICE), text, instance())
    assert objects(snapshot)["shop"][1]["spec"] == {}
    assert render(text, instance(), observed=snapshot)["shop-a"]["data"] == {"x": "no"}


def test_a_value_counts_once_its_source_is_ready_so_readiness_is_looked_at() -> None:
    gated = SERVICE.replace(
        "  template:", "  readyWhen: [\"${svc.status.loadBalancer.ingress[0].ip != ''}\"]\n  template:"
    )
    text = rgd(gated + config_map("a", '{x: "${svc.spec.clusterIP}"}'))
    fields, _ = objects(observed(DictCluster(LIVE_SERVICE), text, instance()))["shop"]
    assert fields == ["spec.clusterIP", "status.loadBalancer.ingress"]


def test_rounds_go_on_while_something_new_can_be_looked_at() -> None:
    """b is named after a value of a, c is included by a value of b: each can only be looked for once the one before is known."""
    chain = "".join(
        f'- id: {node}\n  externalRef: {{apiVersion: v1, kind: ConfigMap, metadata: {{name: "{name}"}}}}\n'
        for node, name in (("a", "a"), ("b", "${a.data.next}"), ("c", "${b.data.next}"))
    )
    text = rgd(chain + config_map("out", '{x: "${c.data.x}"}'))
    cluster = DictCluster(
        thing("ConfigMap", "a", data={"next": "beta", "other": "1"}),
        thing("ConfigMap", "beta", data={"next": "gamma"}),
        thing("ConfigMap", "gamma", data={"x": "found"}),
        thing("ConfigMap", "delta", data={"x": "nobody asks"}),
    )
    snapshot = observed(cluster, text, instance())
    assert {name: fields for name, (fields, _) in objects(snapshot).items()} == {
        "a": ["data.next"],
        "beta": ["data.next"],
        "gamma": ["data.x"],
    }
    assert render(text, instance(), observed=snapshot)["shop-out"]["data"] == {"x": "found"}


def test_a_reference_that_nobody_reads_is_looked_for_all_the_same() -> None:
    """kro waits until it exists."""
    text = rgd(EXTERNAL + config_map("a", '{x: "${ext.metadata.name}"}'))
    snapshot = observed(DictCluster(thing("ConfigMap", "shared", data={"x": "y"})), text, instance())
    fields, found = objects(snapshot)["shared"]
    assert (fields, "data" in found) == ([], False)
    assert render(text, instance(), observed=snapshot).names == ["shop-a"]


def test_a_collection_is_listed_and_an_empty_list_is_knowledge() -> None:
    selected = "- id: all\n  externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {namespace: store, selector: {matchLabels: {use: x}}}}\n"
    text = rgd(selected + config_map("a", '{x: "${string(size(all))}"}'))
    empty = observed(DictCluster(), text, instance())
    assert render(text, instance(), observed=empty)["shop-a"]["data"] == {"x": "0"}
    mine = thing("ConfigMap", "one", metadata={"labels": {"use": "x"}}, data={"x": "y"})
    other = thing("ConfigMap", "two", metadata={"labels": {"use": "z"}})
    snapshot = observed(DictCluster(mine, other), text, instance())
    assert list(objects(snapshot)) == ["one"]
    assert render(text, instance(), observed=snapshot)["shop-a"]["data"] == {"x": "1"}


def test_what_was_not_in_a_list_does_not_make_it_unknown() -> None:
    """Of another object of the same kind and namespace only the data was looked at: the list did not have it."""
    selected = "- id: all\n  externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {namespace: store, selector: {matchLabels: {use: x}}}}\n"
    text = rgd(selected + EXTERNAL + config_map("a", '{x: "${string(size(all))}${ext.data.x}"}'))
    shared = thing("ConfigMap", "shared", data={"x": " of them"})
    mine = thing("ConfigMap", "one", metadata={"labels": {"use": "x"}})
    snapshot = observed(DictCluster(mine, shared), text, instance())
    assert render(text, instance(), observed=snapshot)["shop-a"]["data"] == {"x": "1 of them"}


def test_what_a_nested_instance_waits_for_is_looked_at() -> None:
    inner = rgd(SERVICE, kind="Inner", status='{ip: "${svc.spec.clusterIP}"}')
    outer = rgd(
        "- id: nested\n  template:\n    apiVersion: kro.run/v1alpha1\n    kind: Inner\n    metadata: {name: shop}\n    spec: {}\n"
        + config_map("a", '{x: "${nested.status.ip}"}')
    )
    snapshot = observed(DictCluster(LIVE_SERVICE), inner, outer, instance())
    assert objects(snapshot)["shop"][0] == ["spec.clusterIP"]
    assert render(inner, outer, instance(), observed=snapshot)["shop-a"]["data"] == {"x": "10.0.0.1"}


def test_the_instance_itself_may_be_asked_for() -> None:
    text = rgd(config_map("a", '{x: "${schema.metadata.uid}"}'))
    live = thing("App", "shop", apiVersion="kro.run/v1alpha1", spec={})
    cluster = DictCluster(live)
    snapshot = observed(cluster, text, instance())
    uid = cluster.objects["kro.run", "App", "store", "shop"]["metadata"]["uid"]
    assert render(text, instance(), observed=snapshot)["shop-a"]["data"] == {"x": uid}


def test_a_kind_that_is_not_served_is_not_there() -> None:
    text = rgd(
        EXTERNAL.replace("v1, kind: ConfigMap", "test.io/v1, kind: Widget") + config_map("a", '{x: "${ext.spec.x}"}')
    )
    cluster = DictCluster()
    cluster.unserved = {"Widget"}
    assert objects(observed(cluster, text, instance())) == {}


# -- secrets ----------------------------------------------------------------------------------------------------------

SECRET = thing(
    "Secret",
    "shared",
    type="Opaque",
    metadata={"labels": {"team": "shop"}},
    data={"password": "aHVudGVyMg=="},
    stringData={"pin": "hunter2"},
)
ASKED_OF_A_SECRET = (
    "${string(ext.data.password)}",
    "${ext.stringData.pin}",
    "${ext.metadata.labels.team}${ext.type}",
    "${json.marshal(ext)}",
    "${string(size(ext.data))}",
)


@pytest.mark.parametrize("asked", ASKED_OF_A_SECRET)
def test_no_value_of_a_secret_is_written(asked: str) -> None:
    text = rgd(EXTERNAL.replace("ConfigMap", "Secret") + config_map("a", f"{{x: '{asked}'}}"))
    snapshot = observed(
        DictCluster(SECRET, owned("Secret", "old", "gone", data={"a": "aHVudGVyMg=="})), text, instance()
    )
    assert "aHVudGVyMg" not in snapshot
    assert "hunter2" not in snapshot
    assert not any(field.startswith(("data", "stringData")) for field in objects(snapshot)["shared"][0] or ())


# -- what is owned ----------------------------------------------------------------------------------------------------

WAITING = rgd(EXTERNAL + config_map("a", '{x: "${ext.data.x}"}') + config_map("b", "{x: known}"))


def test_everything_that_carries_marks_of_the_instances_is_named() -> None:
    cluster = DictCluster(
        owned("ConfigMap", "shop-a", "a", data={"x": "as it was"}, status={"seen": True}),
        owned("ConfigMap", "shop-b", "b", data={"x": "known"}),
        owned("ConfigMap", "shop-c", "c", data={"x": "of a node that is gone"}),
        owned("ConfigMap", "bakery-a", "a", instance="kro.run/App/store/bakery"),
        thing("ConfigMap", "somebody-elses"),
    )
    entries = {each["name"]: each for each in section(observed(cluster, WAITING, instance()), "owned")}
    assert {name: each["node"] for name, each in entries.items()} == {"shop-a": "a", "shop-b": "b", "shop-c": "c"}
    assert all(each["uid"] for each in entries.values())
    # b is rendered whatever the cluster says; a may be withheld, and nobody wants c.
    assert [name for name, each in entries.items() if "object" in each] == ["shop-a", "shop-c"]
    live = entries["shop-a"]["object"]
    assert live["data"] == {"x": "as it was"}
    assert set(live) == {"apiVersion", "kind", "metadata", "data"}
    assert set(live["metadata"]) == {"name", "namespace", "annotations"}


def test_kros_labels_are_marks_too() -> None:
    labels = {
        "kro.run/owned": "true",
        "kro.run/node-id": "a",
        "kro.run/instance-group": "kro.run",
        "kro.run/instance-kind": "App",
        "kro.run/instance-namespace": "store",
        "kro.run/instance-name": "shop",
    }
    cluster = DictCluster(thing("ConfigMap", "x", metadata={"labels": labels}))
    [entry] = section(observed(cluster, WAITING, instance()), "owned")
    assert (entry["instance"], entry["node"]) == ("kro.run/App/store/shop", "a")


def test_what_was_owned_before_is_looked_for_in_its_kind_and_namespace() -> None:
    """The definition that makes Services is gone; the snapshot before remembers that there was one."""
    cluster = DictCluster(owned("Service", "shop", "svc", spec={"clusterIP": "10.0.0.1"}))
    before = rgd(SERVICE + config_map("a", "{x: known}"))
    earlier = Snapshot(Entry((d := parse_documents(observed(cluster, before, instance()), "x")[0]), d.value))
    after = rgd(config_map("a", "{x: known}"))
    assert section(observed(cluster, after, instance()), "owned") == []
    [entry] = look(cluster, after, instance(), earlier=earlier).document()["owned"]
    assert (entry["kind"], entry["object"]["spec"]) == ("Service", {"clusterIP": "10.0.0.1"})


NAMESPACES = {
    "the instance's": ("", "", ["list ConfigMap store"]),
    "one that is written": (", namespace: other", "", ["list ConfigMap other"]),
    "one that is known": (', namespace: "${schema.spec.place}"', "", ["list ConfigMap there"]),
    "one that is not": (', namespace: "${ext.data.place}"', EXTERNAL, ["list ConfigMap"]),
}


@pytest.mark.parametrize(("place", "more", "lists"), NAMESPACES.values(), ids=NAMESPACES)
def test_where_is_looked_for_what_is_owned(place: str, more: str, lists: list[str]) -> None:
    node = config_map("a", "{x: known}").replace('-a"}', f'-a"{place}}}')
    cluster = DictCluster()
    observed(cluster, rgd(more + node, spec="{place: string | default=there}"), instance())
    assert [question for question in cluster.asked if question.startswith("list ConfigMap")] == lists


# -- pins -------------------------------------------------------------------------------------------------------------


def pinned(text: str) -> Snapshot:
    [document] = parse_documents(text, "observed.yaml")
    return Snapshot(Entry(document, document.value))


def codes(caught: pytest.ExceptionInfo[RenderError]) -> list[str]:
    return [diagnostic.code for diagnostic in caught.value.diagnostics]


def test_a_snapshot_is_replaced_by_one_of_the_same_cluster_alone() -> None:
    earlier = pinned(observed(DictCluster(), WAITING, instance()))
    assert look(DictCluster(), WAITING, instance(), earlier=earlier).document()["cluster"] == {"uid": CLUSTER}
    other = DictCluster(uid="another")
    with pytest.raises(RenderError) as caught:
        look(other, WAITING, instance(), earlier=earlier)
    assert codes(caught) == ["snapshot-other-cluster"]
    assert other.asked == ["get Namespace kube-system"]


def test_an_instance_that_was_made_anew_is_another_one() -> None:
    live = thing("App", "shop", apiVersion="kro.run/v1alpha1", spec={})
    cluster = DictCluster(live)
    earlier = pinned(observed(cluster, WAITING, instance()))
    assert look(cluster, WAITING, instance(), earlier=earlier)
    with pytest.raises(RenderError) as caught:
        look(DictCluster(thing("ConfigMap", "first"), live), WAITING, instance(), earlier=earlier)
    assert codes(caught) == ["snapshot-other-instance"]


# -- the whole --------------------------------------------------------------------------------------------------------


def test_looking_again_gives_the_same_bytes() -> None:
    cluster = DictCluster(
        LIVE_SERVICE, owned("ConfigMap", "shop-a", "a"), thing("ConfigMap", "shared", data={"x": "y"})
    )
    text = rgd(SERVICE + EXTERNAL + config_map("a", '{x: "${svc.spec.clusterIP}${ext.data.x}"}'))
    first = look(cluster, text, instance())
    again = look(cluster, text, instance(), earlier=pinned(finished(first.document())))
    assert finished(again.document()) == finished(first.document())


def test_everything_that_is_forbidden_is_said_at_once() -> None:
    cluster = DictCluster(LIVE_SERVICE)
    cluster.forbidden = {"get Service", "list ConfigMap", "list Service"}
    with pytest.raises(RenderError) as caught:
        observed(cluster, rgd(SERVICE + config_map("a", '{x: "${svc.spec.clusterIP}"}')), instance())
    said = [diagnostic.message.partition(" is not allowed")[0] for diagnostic in caught.value.diagnostics]
    assert sorted(said) == [
        "to get services in namespace store",
        "to list configmaps in namespace store",
        "to list services in namespace store",
    ]


def test_what_is_seen_may_make_a_render_fail_and_is_written_even_so() -> None:
    text = rgd(EXTERNAL + config_map("a", '{x: "${string(1 / int(ext.data.x))}"}'))
    sight = look(DictCluster(thing("ConfigMap", "shared", data={"x": "0"})), text, instance())
    assert [(d.code, d.severity) for d in sight.awaited()] == [("cel-division-by-zero", "warning")]
    snapshot = finished(sight.document())
    assert render(text, instance(), observed=snapshot).errors == ["cel-division-by-zero"]


PATHS = {
    "a.status.x": ("a", None, ("status", "x")),
    "a[3].status.x": ("a", 3, ("status", "x")),
    "a.spec.ports[0].nodePort": ("a", None, ("spec", "ports")),
    'a.data["b.c"].d': ("a", None, ("data", "b.c", "d")),
    "a": ("a", None, ()),
    "a[0]": ("a", 0, ()),
    "a.data.long…": ("a", None, ("data",)),
}


@pytest.mark.parametrize(("path", "parts"), PATHS.items())
def test_a_path_is_a_node_an_item_and_keys(path: str, parts: tuple[str, int | None, tuple[str, ...]]) -> None:
    assert split_path(path) == parts


SELECTORS = {
    "a=b,c=d": {"matchLabels": {"c": "d", "a": "b"}},
    "a in (x,y),!b,c": {
        "matchExpressions": [
            {"key": "a", "operator": "In", "values": ["x", "y"]},
            {"key": "b", "operator": "DoesNotExist"},
            {"key": "c", "operator": "Exists"},
        ]
    },
    "": {},
}


@pytest.mark.parametrize(("text", "selector"), SELECTORS.items())
def test_a_selector_as_the_server_reads_it(text: str, selector: Json) -> None:
    assert selector_text(selector) == text
