"""What a snapshot is taken for, and everything for which it is refused."""

from __future__ import annotations

import copy
import io
import json
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from krm_fn.command import EXIT_OK, EXIT_REFUSED, run
from krm_fn.read.yaml import parse_documents
from krm_fn.schema.published import published
from krm_fn.snapshot import digest_of, field_of, field_text
from tests.rendering import config_map, instance, render, rgd
from tests.snapshots import CLUSTER, snapshot

EXTERNAL = "- id: ext\n  externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {name: shared}}\n"
SELECTED = (
    "- id: ext\n  externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {selector: {matchLabels: {use: x}}}}\n"
)
RGD = rgd(EXTERNAL + config_map("a", '{x: "${ext.data.title}"}'))
SHARED: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "shared", "namespace": "store"},
    "data": {"title": "Books"},
}
LIVE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "shop-a", "namespace": "store"},
    "data": {"x": "as it was"},
}
MINE = {"apiVersion": "v1", "kind": "ConfigMap", "namespace": "store", "name": "shop-a"}
OWNED: list[dict[str, Any]] = [{**MINE, "instance": "kro.run/App/store/shop", "node": "a", "object": LIVE}]


def test_what_it_says_is_seen() -> None:
    result = render(RGD, instance(), observed=snapshot(SHARED))
    assert (result.names, result.codes) == (["shop-a"], [])
    assert result["shop-a"]["data"] == {"x": "Books"}


def test_it_counts_wherever_it_lies() -> None:
    """It needs no mark: its kind says what it is."""
    assert render(RGD, instance(), snapshot(SHARED)).names == ["shop-a"]


def test_an_object_of_which_parts_were_looked_at_is_open_elsewhere() -> None:
    text = snapshot(objects=[{"fields": ["data.title"], "object": SHARED}])
    unlooked = rgd(EXTERNAL + config_map("a", '{x: "${ext.data.subtitle}"}'))
    looked = rgd(EXTERNAL + config_map("a", "{x: \"${ext.data.?title.orValue('')}\"}"))
    assert render(unlooked, instance(), observed=text).waits["a"] == ["ext.data.subtitle"]
    assert render(looked, instance(), observed=text)["shop-a"]["data"] == {"x": "Books"}


def test_a_collection_that_was_not_listed_is_unknown_not_empty() -> None:
    text = rgd(SELECTED + config_map("a", '{x: "${string(size(ext))}"}'))
    listed = [
        {"apiVersion": "v1", "kind": "ConfigMap", "namespace": "store", "selector": {"matchLabels": {"use": "x"}}}
    ]
    namespaced = text.replace("selector:", "namespace: store, selector:")
    assert render(namespaced, instance(), observed=snapshot()).states["a"] == "deferred"
    assert render(namespaced, instance(), observed=snapshot(lists=listed))["shop-a"]["data"] == {"x": "0"}


def test_a_withheld_node_is_held_as_it_lives() -> None:
    result = render(RGD, instance(), observed=snapshot(owned=OWNED))
    assert result.states["a"] == "held"
    assert result["shop-a"]["data"] == {"x": "as it was"}


def test_what_is_held_says_nothing_to_expressions() -> None:
    """The live copy is for the applier; only what was looked at for expressions is an observation."""
    text = rgd(config_map("a", "{x: desired}") + config_map("b", '{x: "${a.metadata.uid}"}'))
    assert render(text, instance(), observed=snapshot(owned=OWNED)).waits["b"] == ["a.metadata.uid"]


def test_the_same_snapshot_twice_is_one() -> None:
    assert render(RGD, instance(), snapshot(SHARED), observed=snapshot(SHARED)).codes == []


def test_a_note_says_that_an_object_was_written_by_hand(tmp_path: Path) -> None:
    assert "info[observed-by-hand]: 1 observed object was" in rendered(tmp_path, json.dumps(SHARED))[2]


# -- what is refused --------------------------------------------------------------------------------------------------


def changed(text: str, *path: Any, to: Any = None, sign: bool = True) -> str:
    """A snapshot with another value at a path (None: without it), with the right digest for it."""
    value = copy.deepcopy(parse_documents(text, "x")[0].value)
    part = value
    for key in path[:-1]:
        part = part[key]
    if to is None:
        del part[path[-1]]
    else:
        part[path[-1]] = to
    if sign:
        value["digest"] = digest_of(value)
    return json.dumps(value)


GOOD = snapshot(SHARED, owned=OWNED)
TWO = json.loads(json.dumps(SHARED).replace("Books", "Boots"))
REFUSED = {
    "a byte of a value": (GOOD.replace("Books", "Boots"), "snapshot-changed"),
    "an object that is missing": (changed(GOOD, "objects", to=[], sign=False), "snapshot-changed"),
    "something owned that is missing": (changed(GOOD, "owned", to=[], sign=False), "snapshot-changed"),
    "a field that is too much": (changed(GOOD, "more", to=1, sign=False), "snapshot-changed"),
    "cut off before the digest": (GOOD[: GOOD.index("\ndigest:")], "snapshot-unreadable"),
    "cut off in the digest": (GOOD[:-10], "snapshot-changed"),
    "cut off in the kind": ("apiVersion: rookery.dev/v1alpha1\nkind: Observ\n", "snapshot-unreadable"),
    "cut off before the kind": ("apiVersion: rookery.dev/v1alpha1\n", "not-an-object"),
    "another version": (GOOD.replace("rookery.dev/v1alpha1", "rookery.dev/v2"), "snapshot-unreadable"),
    "a letter of the group": (GOOD.replace("rookery.dev/v1alpha1", "rookerz.dev/v1alpha1"), "snapshot-unreadable"),
    "a letter of the kind": (GOOD.replace("ObservedState", "ObservedStace"), "snapshot-unreadable"),
    "an unknown section": (changed(GOOD, "more", to=1), "snapshot-unreadable"),
    "no cluster": (changed(GOOD, "cluster"), "snapshot-unreadable"),
    "an unknown field": (changed(GOOD, "owned", 0, "more", to="x"), "snapshot-unreadable"),
    "an owner that is missing": (changed(GOOD, "owned", 0, "instance"), "snapshot-unreadable"),
    "a name that is a number": (changed(GOOD, "owned", 0, "name", to=7), "snapshot-unreadable"),
    "a list that is none": (changed(GOOD, "lists", to={}), "snapshot-unreadable"),
    "a field path that is none": (changed(GOOD, "objects", 0, "fields", to=["a..b"]), "snapshot-unreadable"),
    "an object without a name": (changed(GOOD, "objects", 0, "object", "metadata", to={}), "snapshot-unreadable"),
    "two clusters": (f"{GOOD}---\n{snapshot(cluster='other')}", "snapshot-other-cluster"),
    "made for another instance": (snapshot(SHARED, instance="bakery"), "snapshot-other-instance"),
    "two versions of an object": (f"{GOOD}---\n{json.dumps(TWO)}", "observed-twice"),
    "two uids of an object": (
        f"{changed(GOOD, 'owned', 0, 'uid', to='u1')}\n---\n"
        + json.dumps({**LIVE, "metadata": {**LIVE["metadata"], "uid": "u2"}}),
        "snapshot-other-instance",
    ),
    "labels of an object by hand": (json.dumps({**SHARED, "metadata": {"name": "x", "labels": {"a": 1}}}), "observed-malformed"),
    "no name of an object by hand": (json.dumps({**SHARED, "metadata": {}}), "observed-without-name"),
    "a List that was cut off": ("apiVersion: v1\nkind: List\nitems:\n", "observed-without-name"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "code"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_trusted_is_refused(text: str, code: str) -> None:
    result = render(RGD, instance(), observed=text)
    assert result.errors[:1] == [code]
    assert result.objects == []


def test_there_is_a_limit_to_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("krm_fn.snapshot.MAX_ENTRIES", 2)
    assert render(RGD, instance(), observed=snapshot(SHARED)).errors == []
    assert render(RGD, instance(), observed=GOOD).errors == ["snapshot-too-large"]
    monkeypatch.setattr("krm_fn.snapshot.MAX_ENTRIES", 3)
    monkeypatch.setattr("krm_fn.snapshot.MAX_TEXT", 100)
    assert render(RGD, instance(), observed=json.dumps(SHARED)).errors == ["snapshot-too-large"]


BY_HAND = ("by hand", "a List that was cut off", "two versions of an object", "two uids of an object")


@pytest.mark.parametrize("name", [name for name in REFUSED if not name.endswith(BY_HAND)])
def test_so_it_is_among_the_sources(name: str) -> None:
    text, code = REFUSED[name]
    assert render(RGD, instance(), text).errors[:1] == [code]


def test_an_object_of_another_version_than_its_node_is_refused() -> None:
    seen = {**SHARED, "apiVersion": "v1beta1"}
    assert render(RGD, instance(), observed=json.dumps(seen)).errors == ["observed-wrong-version"]


def rendered(folder: Path, observed: str, *words: str) -> tuple[int, bytes, str]:
    (folder / "rgd.yaml").write_text(RGD)
    (folder / "instance.yaml").write_text(instance())
    (folder / "observed.yaml").write_text(observed)
    out, err = io.BytesIO(), io.StringIO()
    paths = [str(folder / name) for name in ("rgd.yaml", "instance.yaml")]
    code = run(["render", *paths, "--observed", str(folder / "observed.yaml"), *words], io.BytesIO(), out, err, {})
    return code, out.getvalue(), err.getvalue()


@pytest.mark.parametrize("text", ["", "# What `rookery observe` saw\n", "---\n"])
def test_a_file_that_holds_nothing_was_cut_off(text: str, tmp_path: Path) -> None:
    code, out, said = rendered(tmp_path, text)
    assert (code, out) == (EXIT_REFUSED, b"")
    assert "error[snapshot-unreadable]" in said


CLUSTERS = {
    "the one that is asked for": (GOOD, CLUSTER, ""),
    "another one": (GOOD, "other", "snapshot-other-cluster"),
    "none, but something by hand": (json.dumps(SHARED), CLUSTER, "snapshot-missing"),
}


@pytest.mark.parametrize(("text", "cluster", "code"), CLUSTERS.values(), ids=CLUSTERS)
def test_a_cluster_can_be_asked_for(text: str, cluster: str, code: str, tmp_path: Path) -> None:
    exit_code, out, said = rendered(tmp_path, text, "--cluster", cluster)
    assert exit_code == (EXIT_REFUSED if code else EXIT_OK)
    assert f"error[{code}]" in said if code else out


def test_without_any_snapshot_a_cluster_that_is_asked_for_is_missed() -> None:
    assert render(RGD, instance(), cluster=CLUSTER).errors == ["snapshot-missing"]


def test_an_instance_that_nobody_looked_for_has_no_inventory() -> None:
    """What lives of it is not known, which a withheld node makes a warning."""
    text = snapshot()
    assert "live-unknown" not in render(RGD, instance(), observed=text).codes
    assert "live-unknown" in render(RGD, instance(), instance(name="new"), observed=text).codes


# -- circles ----------------------------------------------------------------------------------------------------------

OUT = config_map("out", '{title: "${ext.data.title}"}', name="shared")
CIRCLES = {
    "an object of what is read of it": (rgd(EXTERNAL + OUT), True),
    "through another node": (
        rgd(EXTERNAL + config_map("mid", '{x: "${ext.data.title}"}') + config_map("out", '{title: "${mid.data.x}"}', name="shared")),
        True,
    ),
    "an object of something else": (rgd(EXTERNAL + config_map("out", "{title: x}", name="shared")), False),
    "what is read goes elsewhere": (
        rgd(EXTERNAL + config_map("out", "{title: x}", name="shared") + config_map("a", '{x: "${ext.data.title}"}')),
        False,
    ),
    "a selector that finds it": (
        rgd(SELECTED + OUT.replace("${ext.data.title}", "${string(size(ext))}").replace("{name: \"shared\"}", "{name: shared, labels: {use: x}}")),
        True,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "is_circle"), CIRCLES.values(), ids=CIRCLES)
def test_what_feeds_on_itself_is_refused(text: str, is_circle: bool) -> None:
    seen = {**SHARED, "metadata": {**SHARED["metadata"], "labels": {"use": "x"}}}
    result = render(text, instance(), observed=json.dumps(seen))
    assert result.errors == (["observed-cycle"] if is_circle else [])


def test_two_instances_can_feed_on_each_other() -> None:
    external = EXTERNAL.replace("shared", "'${schema.spec.reads}'")
    text = rgd(external + config_map("a", '{x: "${ext.data.x}"}'), spec="{reads: string}")
    seen = "".join(
        f"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}-a, namespace: store}}\ndata: {{x: '1'}}\n"
        for name in ("one", "two")
    )
    one, two = instance("{reads: two-a}", name="one"), instance("{reads: one-a}", name="two")
    assert render(text, one, two, observed=seen).errors == ["observed-cycle"]
    assert render(text, one, observed=seen).errors == []


# -- the form ---------------------------------------------------------------------------------------------------------

NAMES = st.text(min_size=1, max_size=8)


@given(st.lists(NAMES, min_size=1, max_size=4).map(tuple))
def test_law_a_field_is_its_text(field: tuple[str, ...]) -> None:
    assert field_of(field_text(field)) == field


@pytest.mark.parametrize("text", ["", ".", "a.", ".a", "a..b", "a[0]", 'a["b', 'a["b"]c', "a[b]", '[""x'])
def test_what_is_no_field(text: str) -> None:
    assert field_of(text) == ()


def test_the_published_schema_takes_it() -> None:
    schema = json.loads(published("observed-state"))
    for text in (GOOD, snapshot(), Path("fixtures/observed-state/observed.yaml").read_text()):
        jsonschema.validate(parse_documents(text, "x")[0].value, schema)


@pytest.mark.parametrize("name", ["an unknown section", "no cluster", "an unknown field", "an owner that is missing"])
def test_the_published_schema_refuses_what_the_reader_refuses(name: str) -> None:
    value = parse_documents(REFUSED[name][0], "x")[0].value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(value, json.loads(published("observed-state")))


def test_the_digest_survives_hosts_and_formatters() -> None:
    """kpt and kustomize add annotations, order keys and write numbers their own way."""
    value = parse_documents(snapshot({**SHARED, "data": {"n": 1.0, "m": 1e21, "k": 5}}), "x")[0].value
    host = {"internal.config.kubernetes.io/path": "x"}
    other = {
        **{key: value[key] for key in reversed(value)},
        "metadata": {"name": "other", "namespace": "set-by-kpt", "annotations": host},
    }
    other["objects"] = [{"object": {**value["objects"][0]["object"], "data": {"k": 5.0, "m": 10**21, "n": 1}}}]
    assert digest_of(other) == value["digest"]


@pytest.mark.parametrize("is_ring", [False, True], ids=["a chain", "a ring"])
def test_many_references_to_each_other_are_looked_at_once(is_ring: bool) -> None:
    """Three thousand take less than a second; from each of them all the way they would take ten."""
    count = 3000
    link = "- id: before\n  externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {name: '${schema.spec.of}', namespace: store}}\n"
    text = rgd(link + config_map("cm", '{a: "${before.data.a}"}', name="${schema.metadata.name}"), spec="{of: string}")
    ends = {0: f"a{count - 1}" if is_ring else "start"}
    instances = [instance(f"{{of: {ends.get(i, f'a{i - 1}')}}}", name=f"a{i}") for i in range(count)]
    metadata = [{"name": name, "namespace": "store"} for name in ("start", *(f"a{i}" for i in range(count)))]
    seen = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": each, "data": {"a": "x"}} for each in metadata]
    begun = time.process_time()
    result = render(text, *instances, observed="\n---\n".join(json.dumps(each) for each in seen))
    assert result.errors == (["observed-cycle"] if is_ring else [])
    assert time.process_time() - begun < 5
