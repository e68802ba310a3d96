"""What expressions see of an object that somebody has seen, whole or in part."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from krm_fn.cel import compile_, parse, to_json
from krm_fn.cel.errors import EvaluationError
from krm_fn.cel.values import OpenMap, Unknown
from krm_fn.expand.observed import Observed, identity
from krm_fn.expand.seen import partial_view, seen_view
from krm_fn.schema.kinds import Kinds
from tests.rendering import config_map, instance, render, rgd

PENDING, WAITING = "pending", "waiting"


def ask(text: str, view: Any) -> Any:
    """The value; PENDING for what is not there, WAITING with the paths for what is unknown; of another error its kind."""
    try:
        value = to_json(compile_(parse(text))({"x": view}))
    except EvaluationError as error:
        return PENDING if error.is_pending else error.kind
    return (WAITING, *value.paths) if type(value) is Unknown else value


# -- whole objects ----------------------------------------------------------------------------------------------------

SERVICE = """\
- id: web
  template:
    apiVersion: v1
    kind: Service
    metadata: {name: "${schema.metadata.name}"}
    spec: {type: NodePort, ports: [{name: dns, port: 53, protocol: UDP}, {name: web, port: 80}]}
"""
LIVE_SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: store, labels: {team: a}}
spec:
  type: ClusterIP
  clusterIP: 10.0.0.7
  ports:
    - {name: web, port: 80, protocol: TCP, targetPort: 80, nodePort: 30080}
    - {name: dns, port: 53, protocol: UDP, targetPort: 53, nodePort: 30053}
"""


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        pytest.param("string(web.spec.ports[0].nodePort)", "30053", id="by the items' keys, in the desired order"),
        pytest.param("string(web.spec.ports[1].nodePort)", "30080", id="the protocol is TCP by default"),
        pytest.param("web.spec.type", "NodePort", id="desired wins"),
        pytest.param("web.spec.clusterIP", "10.0.0.7", id="a server's own"),
        pytest.param("web.metadata.labels.team", "a", id="another's"),
        pytest.param("string(has(web.spec.externalName))", "false", id="what is absent is absent"),
    ],
)
def test_desired_state_is_laid_over_what_was_seen(expression: str, value: str) -> None:
    result = render(rgd(SERVICE + config_map("a", f'{{x: "${{{expression}}}"}}')), instance(), observed=LIVE_SERVICE)
    assert result["shop-a"]["data"] == {"x": value}
    assert result["shop"]["spec"] == {
        "type": "NodePort",
        "ports": [{"name": "dns", "port": 53, "protocol": "UDP"}, {"name": "web", "port": 80}],
    }


CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: queues.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Queue, plural: queues}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties:
                size: {type: integer, default: 3}
                name: {type: string}
                hosts: {type: array, items: {type: object, properties: {name: {type: string}, port: {type: integer, default: 80}}}}
"""
QUEUE = """\
- id: q
  template:
    apiVersion: example.com/v1
    kind: Queue
    metadata: {name: "${schema.metadata.name}"}
    spec: {name: a, hosts: [{name: b}]}
"""
LIVE_QUEUE = "apiVersion: example.com/v1\nkind: Queue\nmetadata: {name: shop, namespace: store}\nspec: {}\n"


@pytest.mark.parametrize(
    ("options", "state"),
    [
        pytest.param({"observed": LIVE_QUEUE}, "resolved", id="of an observed object"),
        pytest.param({"deferred": "fallback"}, "resolved", id="of one that is taken for closed"),
        pytest.param({}, "deferred", id="not of one that nobody looked at"),
    ],
)
def test_a_view_has_the_defaults_of_its_schema(options: Any, state: str) -> None:
    text = rgd(QUEUE + config_map("a", '{x: "${string(q.spec.size)}", z: "${string(q.spec.hosts[0].port)}"}'))
    result = render(text, instance(), crds=CRD, **options)
    assert result.states["a"] == state
    if state == "resolved":
        assert result["shop-a"]["data"] == {"x": "3", "z": "80"}
    assert result["shop"]["spec"] == {"name": "a", "hosts": [{"name": "b"}]}


# -- parts ------------------------------------------------------------------------------------------------------------

DESIRED = {"apiVersion": "v1", "kind": "Thing", "metadata": {"name": "t"}, "spec": {"size": 2, "ports": [{"port": 80}]}}
SEEN = {
    "apiVersion": "v1",
    "kind": "Thing",
    "metadata": {"name": "t"},
    "spec": {"ports": [{"port": 80, "nodePort": 30080}]},
    "status": {"url": "u", "last": {}},
}
FIELDS = [
    ("status", "url"),
    ("status", "ip"),
    ("status", "last", "time"),
    ("status", "next", "time"),
    ("spec", "ports"),
    ("data",),
]

PARTS = {
    "x.status.url": "u",
    "x.status.ip": PENDING,
    "has(x.status.ip)": False,
    "x.status.?ip.orValue('none')": "none",
    "x.status.phase": (WAITING, "x.status.phase"),
    "has(x.status.phase)": (WAITING, "x.status.phase"),
    "size(x.status)": (WAITING, "x.status"),
    "has(x.status.last)": True,
    "has(x.status.last.time)": False,
    "x.status.last.other": (WAITING, "x.status.last.other"),
    "has(x.status.next)": False,
    "x.status.next.time": PENDING,
    "x.status.?next.?time.orValue('none')": "none",
    "x.spec.ports": [{"port": 80, "nodePort": 30080}],
    "x.spec.ports[0].nodePort": 30080,
    "x.spec.ports[1]": PENDING,
    "has(x.spec.ports[0].name)": False,
    "x.spec.size": 2,
    "x.spec.color": (WAITING, "x.spec.color"),
    "has(x.data)": False,
    "'data' in x": False,
    "x.metadata.name": "t",
    "x.metadata.uid": (WAITING, "x.metadata.uid"),
    "x.other": (WAITING, "x.other"),
    "x.map(k, k)": (WAITING, "x"),
}


@pytest.mark.parametrize(("expression", "value"), PARTS.items(), ids=PARTS)
def test_what_was_looked_at_is_closed_and_all_else_is_open(expression: str, value: Any) -> None:
    assert ask(expression, seen_view(DESIRED, SEEN, FIELDS, "x", None)) == value


def test_an_object_of_texts_may_have_other_fields() -> None:
    view = partial_view({"data": {"a": "1"}}, {"data": {}}, [("data", "b")], "x", None)
    assert ask("x.data", view) == (WAITING, "x.data")
    assert ask("x.data.a", view) == "1"


def test_of_a_map_of_texts_it_is_known_what_it_lacks() -> None:
    desired = {"data": {"a": "1"}}
    texts = {"type": "object", "additionalProperties": {"type": "string"}}
    view = partial_view(desired, {"data": {}}, [("data", "b")], "x", {"type": "object", "properties": {"data": texts}})
    assert ask("x.data", view) == {"a": "1"}
    assert ask("has(x.data.b)", view) is False
    assert ask("has(x.data.c)", view) == (WAITING, "x.data.c")


def test_a_map_that_is_there_but_not_desired_is_not_known_whole() -> None:
    view = partial_view({}, {"status": {}}, [("status", "ip")], "x", None)
    assert ask("size(x.status)", view) == (WAITING, "x.status")
    assert ask("x.status == {}", view) == (WAITING, "x.status")


def test_a_part_has_the_defaults_of_its_schema() -> None:
    schema = Kinds().schema("v1", "Service")
    view = partial_view({"spec": {"ports": [{"port": 80}]}}, {"spec": {"ports": []}}, [("spec", "ports")], "x", schema)
    assert ask("x.spec.ports[0].protocol", view) == "TCP"


def test_who_looked_at_all_of_it_knows_all() -> None:
    assert ask("size(x)", partial_view({"a": 1}, {"b": 1}, [("c",), ()], "x", None)) == 2


def test_a_field_and_one_below_it_are_one() -> None:
    for fields in ([("a",), ("a", "b")], [("a", "b"), ("a",)]):
        assert ask("has(x.a.c)", partial_view({}, {"a": {"d": 1}}, fields, "x", None)) is False


def test_an_index_of_what_was_seen_knows_what_was_looked_at() -> None:
    part, whole = {**SEEN, "metadata": {"name": "part"}}, {**SEEN, "metadata": {"name": "whole"}}
    observed = Observed([whole])
    observed.add(part, FIELDS)
    assert observed.looked_at(part) == FIELDS
    assert observed.looked_at(whole) is None
    assert observed.find(identity(part)) is part
    assert [observed.is_whole(identity(each)) for each in (part, whole)] == [False, True]
    observed.add(part)
    assert observed.is_whole(identity(part))


def test_who_was_not_asked_for_labels_may_be_selected_or_not() -> None:
    def observed(*fields: tuple[str, ...]) -> Observed:
        made = Observed([{**SEEN, "metadata": {"name": "whole", "labels": {"team": "a"}}}], given=True)
        made.add({**SEEN, "metadata": {"name": "part", "labels": {"team": "a"}}}, fields)
        return made

    team: Any = {"matchLabels": {"team": "a"}}
    assert observed(("status",)).select("", "Thing", "", team) is None
    for field in (("metadata",), ("metadata", "labels")):
        selected = observed(field).select("", "Thing", "", team)
        assert selected is not None
        assert [each["metadata"]["name"] for each in selected] == ["part", "whole"]
    everyone = observed(("status",)).select("", "Thing", "", {})
    assert everyone is not None
    assert len(everyone) == 2


# -- a law ------------------------------------------------------------------------------------------------------------

KEYS = st.sampled_from(["a", "b", "c"])
SCALARS = st.sampled_from([1, "s"])
TREES = st.recursive(SCALARS, lambda inner: st.dictionaries(KEYS, inner, max_size=3), max_leaves=8)
OBJECTS = st.dictionaries(KEYS, TREES, max_size=3)
PATHS = st.lists(KEYS, min_size=1, max_size=3).map(tuple)
EXPRESSIONS = st.lists(KEYS, min_size=1, max_size=3).flatmap(
    lambda keys: st.sampled_from(
        [
            f"x.{'.'.join(keys)}",
            f"has(x.{'.'.join(keys)})",
            f"x.?{'.?'.join(keys)}.orValue('none')",
            f"x.{'.'.join(keys)} == 1",
        ]
    )
)


@settings(max_examples=300, deadline=None)
@given(OBJECTS, OBJECTS, st.lists(PATHS, max_size=4), EXPRESSIONS)
def test_what_a_part_says_the_whole_says(desired: Any, live: Any, fields: Any, expression: str) -> None:
    """A part has its fields as the whole has them; what is known by it is so by the whole."""
    known = ask(expression, seen_view(desired, only(live, fields), fields, "x", None))
    is_settled = isinstance(known, dict)  # a map of texts, taken whole, is what is desired
    if not is_settled and not (isinstance(known, tuple) and known[0] == WAITING):
        assert known == ask(expression, seen_view(desired, live, None, "x", None))


def only(live: dict[str, Any], fields: Any) -> dict[str, Any]:
    """What somebody writes down who looks at these fields: they, and the maps on the way to them."""
    part: dict[str, Any] = {}
    for field in fields:
        source, target = live, part
        for i, key in enumerate(field):
            if key not in source:
                break
            value = source[key]
            if i == len(field) - 1 or not isinstance(value, dict):
                target[key] = value
                break
            if not isinstance(target.setdefault(key, {}), dict):
                break
            source, target = value, target[key]
    return part


def test_a_view_of_nothing_seen_is_open() -> None:
    assert type(partial_view({"a": {"b": 1}}, {}, [], "x", None)) is OpenMap
