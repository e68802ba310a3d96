"""What a server-side apply makes of an object. tests/hosts holds the same against a real API server."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krm_fn.schema.kinds import Kinds
from krm_fn.schema.server_side_apply import laid_over, merged

TEXT = {"type": "string"}
ITEM = {
    "type": "object",
    "properties": {"name": TEXT, "zone": {"type": "string", "default": "z"}, "a": TEXT, "b": TEXT},
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "text": TEXT,
        "list": {"type": "array", "items": ITEM},
        "set": {"type": "array", "items": TEXT, "x-kubernetes-list-type": "set"},
        "keyed": {"type": "array", "items": ITEM, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name", "zone"]},
        "map": {"type": "object", "additionalProperties": TEXT},
        "whole": {"type": "object", "additionalProperties": TEXT, "x-kubernetes-map-type": "atomic"},
        "struct": {"type": "object", "properties": {"a": TEXT, "b": TEXT, "c": {"type": "string", "default": "d"}}},
        "nullable": {"type": "object", "additionalProperties": TEXT, "nullable": True},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    },
}  # fmt: skip


def keyed(*items: str) -> list[dict[str, str]]:
    """`"a"`, `"a/y"` (a zone), `"a=1"` (a field)."""
    made = []
    for item in items:
        name, _, value = item.partition("=")
        name, _, zone = name.partition("/")
        made.append({"name": name, **({"zone": zone} if zone else {}), **({"a": value} if value else {})})
    return made


MERGED: dict[str, tuple[Any, Any, Any]] = {
    # desired, seen, stored
    "a map by its keys": ({"map": {"a": "1"}}, {"map": {"a": "2", "b": "2"}}, {"map": {"a": "1", "b": "2"}}),
    "an atomic map as a whole": ({"whole": {"a": "1"}}, {"whole": {"a": "1", "b": "2"}}, {"whole": {"a": "1"}}),
    "a struct by its fields": ({"struct": {"a": "1"}}, {"struct": {"b": "2"}}, {"struct": {"b": "2", "a": "1"}}),
    "a list without a type as a whole": ({"list": [{"name": "a"}]}, {"list": [{"name": "a", "b": "x"}]}, {"list": [{"name": "a"}]}),
    "a set": ({"set": ["c", "a"]}, {"set": ["a", "b"]}, {"set": ["c", "a", "b"]}),
    "a keyed list": (
        {"keyed": keyed("a=1")}, {"keyed": [{"name": "a", "zone": "z", "b": "2"}]}, {"keyed": [{"name": "a", "zone": "z", "b": "2", "a": "1"}]},
    ),
    "another key": ({"keyed": keyed("a/y")}, {"keyed": keyed("a")}, {"keyed": keyed("a", "a/y")}),
    "what is spelt out is the default": ({"keyed": keyed("a/z=1")}, {"keyed": keyed("a")}, {"keyed": [{"name": "a", "zone": "z", "a": "1"}]}),
    "what stands twice is merged with nothing": ({"keyed": keyed("a=1")}, {"keyed": [{"name": "a", "b": "1"}, {"name": "a", "b": "2"}]}, {"keyed": keyed("a=1")}),
    "an item without its keys: as a whole": ({"keyed": [{"a": 1}, 3]}, {"keyed": keyed("b")}, {"keyed": [{"a": 1}, 3]}),
    "free fields: maps by keys, lists as a whole": ({"free": {"m": {"a": 1}, "l": [1]}}, {"free": {"m": {"b": 2}, "l": [2, 3]}}, {"free": {"m": {"b": 2, "a": 1}, "l": [1]}}),
    "an empty map wants nothing": ({"map": {}}, {"map": {"a": "1"}}, {"map": {"a": "1"}}),
    "an empty list wants nothing": ({"set": []}, {"set": ["a"]}, {"set": ["a"]}),
    "an empty list that is atomic is a wish": ({"list": []}, {"list": [{"name": "a"}]}, {"list": []}),
    "a null where there are entries wants nothing": ({"map": None}, {"map": {"a": "1"}}, {"map": {"a": "1"}}),
    "what has another type is replaced": ({"free": {"a": [1]}}, {"free": {"a": {"b": 1}}}, {"free": {"a": [1]}}),
}  # fmt: skip


@pytest.mark.parametrize(("desired", "seen", "stored"), MERGED.values(), ids=MERGED)
def test_merged(desired: Any, seen: Any, stored: Any) -> None:
    assert merged(desired, seen, SCHEMA) == stored


ORDERS = {
    # desired, seen -> stored
    "what is wanted keeps its order": ("ab", "ba", "ab"),
    "others keep their places before what follows them": ("ab", "xaybz", "xaybz"),
    "new ones come after what stands before them": ("acb", "ab", "acb"),
    "all of both": ("cb", "axb", "axcb"),
    "turned round": ("ba", "axb", "xba"),
}


@pytest.mark.parametrize(("desired", "seen", "stored"), ORDERS.values(), ids=ORDERS)
def test_the_order_of_lists(desired: str, seen: str, stored: str) -> None:
    assert merged({"set": list(desired)}, {"set": list(seen)}, SCHEMA) == {"set": list(stored)}
    items = merged({"keyed": keyed(*desired)}, {"keyed": keyed(*seen)}, SCHEMA)["keyed"]
    assert [item["name"] for item in items] == list(stored)


GONE: dict[str, tuple[Any, Any, Any, Any]] = {
    # before, seen, desired, stored
    "a field": ({"text": "a", "map": {"a": "1"}}, {"text": "a", "map": {"a": "1"}}, {"map": {"a": "1"}}, {"map": {"a": "1"}}),
    "an entry": ({"map": {"a": "1", "b": "1"}}, {"map": {"a": "1", "b": "1", "c": "1"}}, {"map": {"a": "1"}}, {"map": {"a": "1", "c": "1"}}),
    "not what another changed": ({"map": {"a": "1"}, "text": "a"}, {"map": {"a": "2"}, "text": "b"}, {}, {"map": {"a": "2"}, "text": "b"}),
    "an item with all that it holds": ({"keyed": keyed("a", "b")}, {"keyed": [{"name": "a", "b": "1"}, {"name": "b"}]}, {"keyed": keyed("b")}, {"keyed": keyed("b")}),
    "an item whose key is spelt out": ({"keyed": keyed("a/z", "b")}, {"keyed": keyed("a", "b/z")}, {"keyed": keyed("b")}, {"keyed": keyed("b/z")}),
    "a field of an item": ({"keyed": keyed("a=1")}, {"keyed": keyed("a=1")}, {"keyed": keyed("a")}, {"keyed": keyed("a")}),
    "a member": ({"set": ["a", "b"]}, {"set": ["a", "b", "c"]}, {"set": ["b"]}, {"set": ["b", "c"]}),
    "all members but another's": ({"set": ["a"]}, {"set": ["a", "c"]}, {}, {"set": ["c"]}),
    "the last member takes the list along": ({"set": ["a"], "text": "a"}, {"set": ["a"], "text": "a"}, {"set": [], "text": "a"}, {"text": "a"}),
    "where null is something it stays": ({"nullable": {"a": "1"}}, {"nullable": {"a": "1"}}, {"nullable": {}}, {"nullable": None}),
    "a struct with its defaults": ({"struct": {"a": "1"}}, {"struct": {"a": "1", "c": "d"}}, {}, {}),
    "a struct but for another's fields": ({"struct": {"a": "1"}}, {"struct": {"a": "1", "b": "1", "c": "d"}}, {}, {"struct": {"b": "1", "c": "d"}}),
    "an atomic list that a server filled in": ({"list": [{"name": "a"}]}, {"list": [{"name": "a", "zone": "z"}]}, {}, {}),
    "not one that another changed": ({"list": [{"name": "a"}]}, {"list": [{"name": "a", "zone": "y"}]}, {}, {"list": [{"name": "a", "zone": "y"}]}),
    "an entry that is free, with all that it holds": ({"free": {"a": {"b": 1}}}, {"free": {"a": {"b": 1, "c": 1}, "d": 1}}, {}, {"free": {"d": 1}}),
}  # fmt: skip


@pytest.mark.parametrize(("before", "seen", "desired", "stored"), GONE.values(), ids=GONE)
def test_what_is_no_longer_applied_goes_away(before: Any, seen: Any, desired: Any, stored: Any) -> None:
    assert merged(desired, seen, SCHEMA, before=before) == stored
    assert merged(desired, seen, SCHEMA) == merged(desired, seen, SCHEMA, before=desired)


LAID_OVER: dict[str, tuple[Any, Any, Any]] = {
    "what a server added to items": ({"list": [{"name": "a"}]}, {"list": [{"name": "a", "b": "x"}]}, {"list": [{"name": "a", "b": "x"}]}),
    "not where an item differs": ({"list": [{"name": "a"}]}, {"list": [{"name": "b", "b": "x"}]}, {"list": [{"name": "a"}]}),
    "nor where there are more": ({"list": [{"name": "a"}]}, {"list": [{"name": "a"}, {"name": "b"}]}, {"list": [{"name": "a"}]}),
    "an atomic map is no struct": ({"whole": {"a": "1"}}, {"whole": {"a": "1", "b": "2"}}, {"whole": {"a": "1"}}),
    "a truth is no number": ({"free": {"a": [1]}}, {"free": {"a": [True]}}, {"free": {"a": [1]}}),
}  # fmt: skip


@pytest.mark.parametrize(("desired", "seen", "view"), LAID_OVER.values(), ids=LAID_OVER)
def test_what_stands_in_a_view(desired: Any, seen: Any, view: Any) -> None:
    assert laid_over(desired, seen, SCHEMA) == view
    assert laid_over(desired, seen, None) == view or "whole" in desired


def test_a_node_port_survives_by_the_schema_of_services() -> None:
    schema = Kinds().schema("v1", "Service")
    seen = {"spec": {"ports": [
        {"name": "web", "port": 80, "protocol": "TCP", "targetPort": 80, "nodePort": 30080},
        {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53, "nodePort": 30053},
    ]}}  # fmt: skip
    desired = {
        "spec": {
            "ports": [{"name": "dns", "port": 53, "protocol": "UDP"}, {"name": "web", "port": 80, "targetPort": 8080}]
        }
    }
    stored: Any = merged(desired, seen, schema, before=desired)
    assert [(port["port"], port["nodePort"], port["targetPort"]) for port in stored["spec"]["ports"]] == [
        (53, 30053, 53),
        (80, 30080, 8080),
    ]


# -- laws -------------------------------------------------------------------------------------------------------------


def key(item: Any) -> Any:
    return (item["name"], item.get("zone", "z")) if isinstance(item, dict) else item


NAMES = st.sampled_from(["a", "b", "c", "d"])
VALUES = st.sampled_from(["1", "2"])
ITEMS = st.fixed_dictionaries({"name": NAMES}, optional={"zone": st.sampled_from(["y", "z"]), "a": VALUES, "b": VALUES})
OBJECTS = st.fixed_dictionaries(
    {},
    optional={
        "text": VALUES,
        "list": st.lists(ITEMS, max_size=3),
        "set": st.lists(NAMES, unique=True, min_size=1),
        "keyed": st.lists(ITEMS, unique_by=key, min_size=1),
        "map": st.dictionaries(NAMES, VALUES, min_size=1),
        "whole": st.dictionaries(NAMES, VALUES),
        "struct": st.dictionaries(st.sampled_from(["a", "b", "c"]), VALUES, min_size=1),
    },
)


@given(OBJECTS, OBJECTS)
def test_to_apply_twice_is_to_apply_once(desired: Any, seen: Any) -> None:
    stored = merged(desired, seen, SCHEMA)
    assert merged(desired, stored, SCHEMA) == stored
    assert merged(desired, stored, SCHEMA, before=desired) == stored


@given(OBJECTS, OBJECTS)
def test_what_one_manager_applies_alone_is_what_is_stored(before: Any, desired: Any) -> None:
    stored = merged(desired, before, SCHEMA, before=before)
    for field in ("set", "keyed"):
        assert [key(item) for item in stored.get(field, [])] == [key(item) for item in desired.get(field, [])]
    assert without_zones(stored) == without_zones(desired)


def without_zones(value: dict[str, Any]) -> dict[str, Any]:
    """A key that was its default stays where it was spelt out, as nobody applies it otherwise."""
    return {**value, "keyed": [{k: v for k, v in item.items() if k != "zone"} for item in value.get("keyed", [])]}


@given(OBJECTS, OBJECTS, OBJECTS)
def test_nothing_is_changed_in_place(desired: Any, seen: Any, before: Any) -> None:
    texts = [repr(value) for value in (desired, seen, before)]
    merged(desired, seen, SCHEMA, before)
    laid_over(desired, seen, SCHEMA)
    assert [repr(value) for value in (desired, seen, before)] == texts
