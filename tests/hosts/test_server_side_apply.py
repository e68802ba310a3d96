"""`schema.server_side_apply` beside a real API server: the same stored object after the same applies."""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Iterator
from typing import Any

import pytest

from krm_fn.schema.defaults import defaulted
from krm_fn.schema.kinds import Kinds
from krm_fn.schema.server_side_apply import merged
from tests.hosts.api_server import ApiError, ApiServer

pytestmark = pytest.mark.hosts

Json = dict[str, Any]
TEXT, WHOLE = {"type": "string"}, {"type": "integer"}
ITEM = {
    "type": "object",
    "required": ["name"],
    "properties": {"name": TEXT, "zone": {"type": "string", "default": "z"}, "size": WHOLE, "extra": TEXT},
}
SPEC: Json = {
    "type": "object",
    "properties": {
        "text": TEXT,
        "kept": {"type": "string", "default": "by default"},
        "plain": {"type": "array", "items": WHOLE},
        "atomic": {"type": "array", "items": ITEM, "x-kubernetes-list-type": "atomic"},
        "set": {"type": "array", "items": TEXT, "x-kubernetes-list-type": "set"},
        "keyed": {
            "type": "array", "items": ITEM, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name", "zone"],
        },
        "map": {"type": "object", "additionalProperties": TEXT},
        "maps": {"type": "object", "additionalProperties": {"type": "object", "additionalProperties": TEXT}},
        "whole": {"type": "object", "additionalProperties": TEXT, "x-kubernetes-map-type": "atomic"},
        "part": {"type": "object", "properties": {"a": TEXT, "b": TEXT, "c": {"type": "string", "default": "d"}}},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    },
}  # fmt: skip
CRD: Json = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "things.merge.example.com"},
    "spec": {
        "group": "merge.example.com",
        "scope": "Namespaced",
        "names": {"kind": "Thing", "plural": "things"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": SPEC}}},
            }
        ],
    },
}
PLACES = {
    ("v1", "ConfigMap"): "/api/v1/namespaces/default/configmaps",
    ("v1", "Service"): "/api/v1/namespaces/default/services",
    ("apps/v1", "Deployment"): "/apis/apps/v1/namespaces/default/deployments",
    ("merge.example.com/v1", "Thing"): "/apis/merge.example.com/v1/namespaces/default/things",
}


@pytest.fixture(scope="module")
def server(cluster: ApiServer) -> Iterator[ApiServer]:
    cluster.create_crd(CRD)
    cluster.wait_for_crds([CRD["metadata"]["name"]])
    yield cluster
    cluster.delete_crds([CRD["metadata"]["name"]])


@pytest.fixture(scope="module")
def kinds() -> Kinds:
    known = Kinds()
    known.add_crd(CRD)
    return known


def thing(**spec: Any) -> Json:
    return {"apiVersion": "merge.example.com/v1", "kind": "Thing", "spec": spec}


def service(*ports: Json, **spec: Any) -> Json:
    return {"apiVersion": "v1", "kind": "Service", "spec": {"ports": list(ports), **spec}}


def config_map(**fields: Any) -> Json:
    return {"apiVersion": "v1", "kind": "ConfigMap", **fields}


def deployment(*containers: Json, **pod: Any) -> Json:
    labels = {"app": "x"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": list(containers), **pod}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }


def box(name: str, **fields: Any) -> Json:
    return {"name": name, "image": "i", **fields}


Case = tuple[Json, Json, Json]
TABLE: dict[str, Case] = {
    # what a manager applies; what another then writes into it; what the first applies next
    "a node port survives": (
        service({"port": 80}, type="NodePort"), service({"port": 80, "nodePort": 30123}), service({"port": 80}, type="NodePort"),
    ),
    "the protocol is a part of a port's key": (
        service({"port": 53, "name": "u", "protocol": "UDP"}), service({"port": 53, "name": "t"}), service({"port": 53, "name": "u", "protocol": "UDP"}, sessionAffinity="None"),
    ),
    "a port goes away": (service({"port": 80, "name": "a"}, {"port": 81, "name": "b"}), service({"port": 82, "name": "c"}), service({"port": 81, "name": "b"})),
    "an atomic selector is replaced": (service({"port": 80}, selector={"a": "1"}), service({"port": 80}, selector={"b": "2"}), service({"port": 80}, selector={"a": "3"})),
    "data of two": (config_map(data={"a": "1", "b": "1"}), config_map(data={"c": "2"}), config_map(data={"b": "3"})),
    "all of mine goes": (config_map(data={"a": "1"}), config_map(data={"c": "2"}), config_map()),
    "all there is goes": (config_map(data={"a": "1"}), config_map(immutable=False), config_map()),
    "what another took over stays": (config_map(data={"a": "1", "b": "1"}), config_map(data={"a": "2"}), config_map(data={"b": "1"})),
    "env by name": (
        deployment(box("a", env=[{"name": "X", "value": "1"}, {"name": "Y", "value": "1"}])),
        deployment(box("a", env=[{"name": "Z", "value": "2"}])),
        deployment(box("a", env=[{"name": "Y", "value": "3"}, {"name": "X", "value": "1"}])),
    ),
    "a sidecar stands where it stood": (
        deployment(box("a"), box("b")), deployment(box("side"), box("c")), deployment(box("c"), box("b"), box("a")),
    ),
    "volumes": (
        deployment(box("a"), volumes=[{"name": "v", "emptyDir": {}}, {"name": "w", "emptyDir": {}}]),
        deployment(box("a"), volumes=[{"name": "x", "configMap": {"name": "x"}}]),
        deployment(box("a"), volumes=[{"name": "w", "emptyDir": {}}]),
    ),
    "arguments are atomic": (deployment(box("a", args=["1", "2"])), deployment(box("a", args=["3"])), deployment(box("a", args=["1"]))),
    "a struct of two": (
        deployment(box("a"), securityContext={"runAsUser": 1}), deployment(box("a"), securityContext={"fsGroup": 2}), deployment(box("a")),
    ),
    "an empty list takes nothing away": (thing(set=["a"]), thing(set=["b"]), thing(set=[])),
    "an emptied list is gone": (thing(text="x", set=["a"]), thing(kept="k"), thing(text="x", set=[])),
    "an emptied struct is gone": (thing(text="x", part={"a": "1"}), thing(kept="k"), thing(text="x", part={})),
    "a struct with a default goes": (thing(text="x", part={"a": "1"}), thing(kept="k"), thing(text="x")),
    "a struct that another has a field of stays": (thing(text="x", part={"a": "1"}), thing(part={"b": "2"}), thing(text="x")),
    "an entry of a map goes with all that it holds": (thing(maps={"m": {"a": "1"}, "n": {"a": "1"}}), thing(maps={"m": {"b": "2"}}), thing(maps={"n": {"a": "1"}})),
    "an item goes with all that it holds": (thing(keyed=[{"name": "a"}, {"name": "b"}]), thing(keyed=[{"name": "a", "size": 2}]), thing(keyed=[{"name": "b"}])),
    "free fields are merged": (thing(free={"a": {"b": 1, "c": [1, 2]}}), thing(free={"a": {"d": 1}}), thing(free={"a": {"c": [3]}})),
    "a key that is spelt out is the default": (thing(keyed=[{"name": "a", "zone": "z", "size": 1}]), thing(keyed=[{"name": "a", "zone": "y"}]), thing(keyed=[{"name": "a", "extra": "e"}])),
    "a list without a type is atomic": (thing(plain=[1, 2]), thing(plain=[2, 3]), thing(plain=[1])),
    "a null is no wish": (thing(map={"a": "1"}, text="x"), thing(map={"b": "1"}), thing(map=None, text="x")),
}  # fmt: skip


@pytest.mark.parametrize("case", TABLE.values(), ids=TABLE)
def test_the_stored_object_is_the_merged_one(case: Case, server: ApiServer, kinds: Kinds) -> None:
    compare(case, server, kinds, "table")


@pytest.mark.parametrize("seed", range(40))
def test_of_any_applies(seed: int, server: ApiServer, kinds: Kinds) -> None:
    choose = random.Random(seed)
    compare((any_thing(choose), any_thing(choose), any_thing(choose)), server, kinds, "any")


def any_thing(choose: random.Random) -> Json:
    """A Thing with some of its fields, which hold little, so that two of them have much in common."""
    makers: dict[str, Any] = {
        "text": lambda: choose.choice("ab"),
        "kept": lambda: choose.choice("ab"),
        "plain": lambda: [choose.randrange(3) for _ in range(choose.randrange(1, 3))],
        "atomic": lambda: [item(choose, name) for name in some(choose, "abc")],
        "set": lambda: some(choose, "abcde"),
        "keyed": lambda: [item(choose, name) for name in some(choose, "abcde")],
        "map": lambda: {key: choose.choice("12") for key in some(choose, "abc")},
        "maps": lambda: {key: {inner: choose.choice("12") for inner in some(choose, "xy")} for key in some(choose, "abc")},
        "whole": lambda: {key: choose.choice("12") for key in some(choose, "abc")},
        "part": lambda: {key: choose.choice("12") for key in some(choose, "abc")},
        "free": lambda: {key: choose.choice([1, [1, 2], {"x": choose.choice([1, 2])}, {"y": 1}]) for key in some(choose, "abc")},
    }  # fmt: skip
    return thing(**{field: make() for field, make in makers.items() if choose.random() < 0.7})


def some(choose: random.Random, letters: str) -> list[str]:
    return choose.sample(letters, choose.randrange(1, len(letters) + 1))


def item(choose: random.Random, name: str) -> Json:
    more = {"zone": choose.choice("yz"), "size": choose.randrange(2), "extra": "e"}
    return {"name": name, **{key: value for key, value in more.items() if choose.random() < 0.4}}


def compare(case: Case, server: ApiServer, kinds: Kinds, name: str) -> None:
    first, beside, then = case
    path = f"{PLACES[first['apiVersion'], first['kind']]}/{name}"
    schema = kinds.schema(first["apiVersion"], first["kind"])
    try:
        apply(server, path, first, "mine")
        stored = update(server, path, beside, "other", schema)
        expected = defaulted(without_nulls(merged(then, stored, schema, before=first)), schema)
        try:
            result = apply(server, path, then, "mine")
        except ApiError as error:
            # sic: what lost its last entry becomes null on the way, which a CRD's server then refuses.
            emptied = re.search(r'spec\.(\w+): Invalid value: "null"', error.message)
            assert emptied
            assert emptied[1] not in expected["spec"]
            return
        assert essence(result) == essence(expected)
    finally:
        server.request("DELETE", path)


def apply(server: ApiServer, path: str, body: Json, manager: str) -> Json:
    """Apply by force. *body* has no name of its own."""
    named = {**copy.deepcopy(body), "metadata": {"name": path.rpartition("/")[2]}}
    return server.request("PATCH", f"{path}?fieldManager={manager}&force=true", named, "application/apply-patch+yaml")


def update(server: ApiServer, path: str, wanted: Json, manager: str, schema: Any) -> Json:
    """Write *wanted* into the object as controllers do, which read it and send all of it back."""
    written = merged(wanted, server.request("GET", path), schema)
    return server.request("PUT", f"{path}?fieldManager={manager}", written)


def without_nulls(value: Any) -> Any:
    """As the server stores it: no field here is nullable."""
    if isinstance(value, dict):
        return {key: without_nulls(child) for key, child in value.items() if child is not None}
    return [without_nulls(child) for child in value] if isinstance(value, list) else value


def essence(stored: Json) -> Json:
    return {key: value for key, value in stored.items() if key not in ("metadata", "status")}
