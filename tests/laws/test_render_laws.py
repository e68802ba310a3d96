"""Laws of a whole render: what order and observation may change, and what they may not."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rendering import config_map, instance, render, rgd

FIELDS = ("a", "b", "c")


def reference(node: str, field: str) -> st.SearchStrategy[str]:
    """An expression on another node: on its desired state, on what only a cluster has, or on both."""
    return st.sampled_from(
        [
            f"${{{node}.metadata.name}}",
            f"${{{node}.data.{field}}}",
            f"${{{node}.data.extra}}",
            f"${{{node}.metadata.uid}}",
            f"${{has({node}.data.extra) ? 'there' : 'absent'}}",
            f"${{{node}.data.?extra.orValue('none')}}",
            f"${{'extra' in {node}.data ? 'in' : 'out'}}",
            f"${{{node}.metadata.name == 'x' || {node}.data.extra == 'seen' ? 'yes' : 'no'}}",
            f"${{false && {node}.data.extra == 'seen' ? 'yes' : 'no'}}",
            f"x-${{{node}.data.{field}}}",
        ]
    )


@st.composite
def graphs(draw: st.DrawFn) -> list[dict[str, str]]:
    """Nodes in order, each the fields of its ConfigMap; a node refers to earlier ones only."""
    nodes: list[dict[str, str]] = []
    for i in range(draw(st.integers(1, 5))):
        fields: dict[str, str] = {}
        for field in FIELDS:
            plain = st.just(f"value-{i}{field}")
            earlier = [reference(f"n{j}", other) for j in range(i) for other in FIELDS]
            fields[field] = draw(st.one_of(plain, plain, *earlier))
        nodes.append(fields)
    return nodes


def resource(i: int, fields: dict[str, str]) -> str:
    return config_map(f"n{i}", json.dumps(fields))


def observation(draw: st.DrawFn, made: dict[str, Any]) -> str | None:
    """What a cluster may hold of an object that was applied: its desired state, and more."""
    if not draw(st.booleans()):
        return None
    data = dict(made["data"])
    if draw(st.booleans()):
        data["extra"] = draw(st.sampled_from(["seen", "other"]))
    metadata = {**made["metadata"], "uid": "1234", "labels": {"by": "others"}}
    return json.dumps({**made, "metadata": metadata, "data": data})


@given(graphs(), st.randoms())
def test_the_order_of_the_resources_does_not_change_an_object(nodes: list[dict[str, str]], random: Any) -> None:
    texts = [resource(i, fields) for i, fields in enumerate(nodes)]
    shuffled = list(texts)
    random.shuffle(shuffled)
    one, two = (render(rgd("".join(order)), instance()) for order in (texts, shuffled))
    assert sorted(map(str, one.objects)) == sorted(map(str, two.objects))
    assert one.states == two.states


@given(graphs(), st.permutations(["rgd", "one", "two"]))
def test_the_order_of_the_documents_does_not_change_an_object(nodes: list[dict[str, str]], order: list[str]) -> None:
    texts = {
        "rgd": rgd("".join(resource(i, fields) for i, fields in enumerate(nodes))),
        "one": instance(name="one"),
        "two": instance(name="two"),
    }
    first = render(*texts.values())
    second = render(*(texts[name] for name in order))
    assert sorted(map(str, first.objects)) == sorted(map(str, second.objects))


@settings(max_examples=150)
@given(st.data())
def test_what_is_rendered_without_a_cluster_is_the_same_with_any(data: st.DataObject) -> None:
    """The truth of deferral: an object that came out with nothing observed comes out alike whatever is observed."""
    nodes = data.draw(graphs())
    text = rgd("".join(resource(i, fields) for i, fields in enumerate(nodes)))
    blind = render(text, instance())
    seen = [data.draw(st.composite(lambda draw, made=made: observation(draw, made))()) for made in blind.objects]
    observed = "\n---\n".join(found for found in seen if found is not None)
    with_cluster = render(text, instance(), observed=observed or None)
    after = {made["metadata"]["name"]: made for made in with_cluster.objects}
    for made in blind.objects:
        assert after[made["metadata"]["name"]] == made


@given(graphs())
def test_a_node_is_withheld_only_with_a_reason(nodes: list[dict[str, str]]) -> None:
    result = render(rgd("".join(resource(i, fields) for i, fields in enumerate(nodes))), instance())
    for name, state in result.states.items():
        assert (state == "deferred") == bool(result.waits.get(name))
    assert len(result.objects) == sum(state == "resolved" for state in result.states.values())
