"""A run over the output of an earlier one: what is replaced, kept, held, dropped, refused; and what is never touched."""

from __future__ import annotations

import pytest

from tests.function.lists import KPTFILE, LOCAL, Answer, app, config_of, definition, fn, item, resource_list
from tests.rendering import config_map
from tests.snapshots import snapshot

CM = "rendered/app.store.shop/cm.yaml"
SOURCES = (KPTFILE, definition(), app())


def test_a_new_object_gets_a_path_an_index_and_its_marks() -> None:
    answer = fn(resource_list(*SOURCES))
    assert answer.code == 0
    assert answer.items[CM]["metadata"] == {
        "name": "shop-cm",
        "namespace": "store",
        "annotations": {
            "rookery.dev/instance": "kro.run/App/store/shop",
            "rookery.dev/node": "cm",
            "internal.config.kubernetes.io/path": CM,
            "internal.config.kubernetes.io/index": "0",
        },
    }
    assert answer.texts[:3] == list(SOURCES)
    assert answer.results == []


def test_a_second_run_changes_nothing() -> None:
    first = fn(resource_list(*SOURCES))
    second = fn(first.stdout)
    assert second.stdout == first.stdout


def test_a_replaced_object_keeps_its_place_and_what_the_host_wrote_on_it() -> None:
    existing = fn(resource_list(*SOURCES)).texts[3]
    moved = existing.replace(f"path: {CM}", "path: elsewhere.yaml").replace('index: "0"', "index: '2'")
    moved = moved.replace(
        "    annotations:\n",
        "    annotations:\n      internal.config.kubernetes.io/id: '7'\n      config.k8s.io/id: '7'\n",
    )
    answer = fn(resource_list(KPTFILE, moved, definition(), app("{x: changed}")))
    assert [item["kind"] for item in answer.list["items"]] == ["Kptfile", "ConfigMap", "ResourceGraphDefinition", "App"]
    made = answer.items["elsewhere.yaml"]
    assert made["data"] == {"x": "changed"}
    annotations = made["metadata"]["annotations"]
    assert annotations["internal.config.kubernetes.io/id"] == annotations["config.k8s.io/id"] == "7"
    assert annotations["internal.config.kubernetes.io/index"] == "2"


def test_an_object_that_is_as_it_should_be_keeps_its_text() -> None:
    """Also when somebody has formatted it or put comments into it."""
    existing = fn(resource_list(*SOURCES)).texts[3]
    formatted = existing.replace('  data:\n    x: "y"\n', '  data: {"x": "y"} # the default\n')
    assert formatted != existing
    assert fn(resource_list(*SOURCES, formatted)).texts[3] == formatted


@pytest.mark.parametrize("value", ["true", "'1'"], ids=["bool", "text"])
def test_a_value_of_another_type_is_not_as_it_should_be(value: str) -> None:
    resources = (
        "- id: cm\n  template: {apiVersion: apps/v1, kind: Deployment, metadata: {name: x}, spec: {replicas: 1}}\n"
    )
    sources = (KPTFILE, definition(resources), app())
    existing = fn(resource_list(*sources)).texts[3]
    edited = existing.replace("replicas: 1", f"replicas: {value}")
    assert fn(resource_list(*sources, edited)).texts[3] == existing


def test_a_renamed_and_moved_object_is_still_ours() -> None:
    """Later functions set namespaces and prefixes: the marks say whose it is."""
    existing = (
        fn(resource_list(*SOURCES))
        .texts[3]
        .replace("name: shop-cm", "name: prod-shop-cm")
        .replace("namespace: store", "namespace: prod")
    )
    answer = fn(resource_list(*SOURCES, existing))
    assert len(answer.items) == 4
    assert answer.items[CM]["metadata"]["name"] == "shop-cm"
    assert answer.items[CM]["metadata"]["namespace"] == "store"


def test_what_is_not_wanted_any_more_goes_and_is_named() -> None:
    first = fn(resource_list(*SOURCES))
    answer = fn(resource_list(KPTFILE, definition(), *first.texts[3:]))
    assert answer.texts == [KPTFILE, definition()]
    assert answer.messages("removed") == ["removed: instance kro.run/App/store/shop is gone"]
    [removed] = [r for r in answer.results if r["tags"]["code"] == "removed"]
    assert removed["severity"] == "info"
    assert removed["resourceRef"] == {"apiVersion": "v1", "kind": "ConfigMap", "name": "shop-cm", "namespace": "store"}
    assert removed["file"] == {"path": CM, "index": 0}


def test_an_object_without_marks_is_never_overwritten() -> None:
    hand_written = item(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: shop-cm\n  namespace: store\n", "mine.yaml"
    )
    answer = fn(resource_list(*SOURCES, hand_written))
    assert answer.code == 1
    assert answer.messages("not-ours") == [
        (
            "ConfigMap/store/shop-cm in mine.yaml is no output of Rookery, and node cm of App/store/shop makes the same object; "
            "remove it, or give one of the two another name"
        )
    ]
    assert answer.texts == [*SOURCES, hand_written]
    assert answer.stderr.startswith(
        "mine.yaml: error[not-ours]: ConfigMap/store/shop-cm: ConfigMap/store/shop-cm in mine.yaml is no output"
    )


@pytest.mark.parametrize("annotation", [LOCAL, f'{LOCAL}\nrookery.dev/observed: "true"'], ids=["local", "observed"])
def test_what_is_never_applied_is_in_nobodys_way(annotation: str) -> None:
    other = item(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: shop-cm\n  namespace: store\n",
        "mine.yaml",
        more=annotation,
    )
    answer = fn(resource_list(*SOURCES, other))
    assert answer.code == 0, answer.stderr
    assert CM in answer.items


def test_a_path_that_somebody_elses_object_has_is_shared_not_taken() -> None:
    """kpt refuses two objects of one path and index."""
    other = item("apiVersion: v1\nkind: Secret\nmetadata:\n  name: other\n", CM.upper())
    answer = fn(resource_list(*SOURCES, other))
    assert answer.code == 0
    assert answer.items[CM]["metadata"]["annotations"]["internal.config.kubernetes.io/index"] == "1"


def test_two_objects_with_the_same_marks_are_refused() -> None:
    made = fn(resource_list(*SOURCES)).texts[3]
    copy = made.replace(CM, "copy.yaml").replace("name: shop-cm", "name: copy")
    answer = fn(resource_list(*SOURCES, made, copy))
    assert answer.code == 1
    assert answer.codes == ["repeated-marks"]
    assert answer.texts == [*SOURCES, made, copy]


def test_templates_cannot_forge_the_hosts_annotations() -> None:
    annotations = (
        "{internal.config.kubernetes.io/path: ../../outside.yaml, config.kubernetes.io/index: '9', note: kept}"
    )
    resources = f"- id: cm\n  template: {{apiVersion: v1, kind: ConfigMap, metadata: {{name: x, annotations: {annotations}}}}}\n"
    made = fn(resource_list(KPTFILE, definition(resources), app())).items[CM]["metadata"]["annotations"]
    assert made["internal.config.kubernetes.io/path"] == CM
    assert "config.kubernetes.io/index" not in made
    assert made["note"] == "kept"


def test_expressions_see_the_instance_as_it_stands_in_its_file() -> None:
    answer = fn(resource_list(KPTFILE, definition(config_map("cm", "${schema.metadata.annotations}")), app()))
    assert answer.items[CM]["data"] == {"config.kubernetes.io/local-config": "true"}


def test_failure_returns_what_came_in() -> None:
    edited = fn(resource_list(*SOURCES)).texts[3].replace("x: y", "x: z")
    sources = (KPTFILE, definition(), app("{x: 5}"), edited)
    answer = fn(resource_list(*sources))
    assert answer.code == 1
    assert answer.texts == list(sources)
    assert [result["severity"] for result in answer.results] == ["error"]


@pytest.mark.parametrize(
    ("source", "what"),
    [
        pytest.param(definition, "this ResourceGraphDefinition", id="definition"),
        pytest.param(app, "this instance", id="instance"),
    ],
)
def test_a_source_that_would_be_applied_is_a_warning(source: object, what: str) -> None:
    sources = [(s().replace(LOCAL, "some: note") if s is source else s()) for s in (definition, app)]
    answer = fn(resource_list(KPTFILE, *sources))
    assert answer.code == 0
    said = [r["message"] for r in answer.results if r["severity"] == "warning"]
    assert said == [
        f'{what} would be applied to the cluster; add the annotation config.kubernetes.io/local-config: "true"'
    ]
    assert answer.stderr.count("warning[not-local-config]") == 1


# -- held ------------------------------------------------------------------------------------------------------------

OBSERVED = item(
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: zone\n  namespace: store\ndata: {name: north}\n",
    "zone.yaml",
    more=f'{LOCAL}\nrookery.dev/observed: "true"',
)
ZONE = "- id: zone\n  externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {name: zone, namespace: store}}\n"
WAITING = (
    ZONE
    + config_map("named", '{zone: "${zone.data.name}"}')
    + config_map("extra", more="includeWhen: ['${schema.spec.extra}']")
)
FIELDS = '{extra: "boolean | default=true"}'


def rendered(answer: Answer) -> list[str]:
    return sorted(path for path in answer.items if path.startswith("rendered"))


def test_while_a_node_waits_nothing_of_its_instance_goes() -> None:
    definition_ = definition(WAITING, spec=FIELDS)
    first = fn(resource_list(KPTFILE, definition_, app(), OBSERVED))
    assert rendered(first) == ["rendered/app.store.shop/extra.yaml", "rendered/app.store.shop/named.yaml"]
    answer = fn(resource_list(KPTFILE, definition_, app("{extra: false}"), *first.texts[4:]))
    assert answer.code == 0
    assert answer.texts[3:] == first.texts[4:]
    assert answer.messages("held") == ["kept as it is, for as long as kro.run/App/store/shop waits for the cluster"] * 2
    assert {r["severity"] for r in answer.results if r["tags"]["code"] == "held"} == {"info"}


def test_a_snapshot_is_passed_on_and_counts_whatever_hosts_write_into_its_metadata() -> None:
    zone = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "zone", "namespace": "store"},
        "data": {"name": "north"},
    }
    text = (
        snapshot(zone)
        .partition("\n")[2]
        .replace("metadata:\n  name: observed\n", "metadata:\n  name: observed\n  namespace: set\n", 1)
    )
    seen = item(text, "observed.yaml", more=LOCAL)
    answer = fn(resource_list(KPTFILE, definition(WAITING, spec=FIELDS), app(), seen))
    assert (answer.code, answer.codes) == (0, [])
    assert answer.texts[3] == seen
    assert len(rendered(answer)) == 2
    damaged = fn(resource_list(KPTFILE, definition(WAITING, spec=FIELDS), app(), seen.replace("north", "south")))
    assert (damaged.code, damaged.codes) == (1, ["snapshot-changed"])


def test_another_instance_does_not_hold() -> None:
    definition_ = definition(WAITING, spec=FIELDS)
    first = fn(resource_list(KPTFILE, definition_, app(), app(name="other"), OBSERVED))
    answer = fn(resource_list(KPTFILE, definition_, app(), *first.texts[5:]))
    assert {path.split("/")[1] for path in rendered(answer)} == {"app.store.shop"}
    assert answer.messages("removed") == ["removed: instance kro.run/App/store/other is gone"] * 2


def test_what_another_node_makes_now_is_not_held_beside_it() -> None:
    """A node got another id: the object moves to it, there are never two."""
    before = definition(ZONE + config_map("old", "{a: b}", name="same"))
    first = fn(resource_list(KPTFILE, before, app(), OBSERVED))
    after = definition(
        ZONE + config_map("new", "{a: b}", name="same") + config_map("named", '{zone: "${zone.data.name}"}')
    )
    answer = fn(resource_list(KPTFILE, after, app(), *first.texts[4:]))
    assert rendered(answer) == ["rendered/app.store.shop/new.yaml"]


def test_the_objects_of_a_nested_instance_are_held_with_the_node_that_makes_it() -> None:
    inner = definition(path="inner.yaml", kind="Inner")
    make_inner = "- id: made\n  template: {apiVersion: kro.run/v1alpha1, kind: Inner, metadata: {name: in}, spec: {x: '${zone.data.name}'}}\n"
    outer = definition(ZONE + make_inner, spec="{}")
    first = fn(resource_list(KPTFILE, inner, outer, app(), OBSERVED))
    assert rendered(first) == ["rendered/inner.store.in/cm.yaml"]
    waits = fn(resource_list(KPTFILE, inner, outer, app(), *first.texts[5:]))
    assert rendered(waits) == ["rendered/inner.store.in/cm.yaml"]
    gone = fn(resource_list(KPTFILE, inner, outer, *first.texts[5:]))
    assert rendered(gone) == []


# -- what passes through ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(
            "- # first\n  # second\n  apiVersion: v1\n  kind: Odd # third\n  metadata:\n    name:   x\n", id="comments"
        ),
        pytest.param("- {apiVersion: v1, kind: Odd, metadata: {name: x}} # flow\n", id="flow"),
        pytest.param(
            "- kind: Odd\n  yes: 0o17\n  metadata: {name: 'x'}\n  apiVersion: \"v1\"\n  sha: 1e3\n", id="scalars"
        ),
        pytest.param("- apiVersion: v1\n  kind: Odd\n  metadata:\n    name: x\n  a: &a [1]\n  b: *a\n", id="anchor"),
        pytest.param(
            "- apiVersion: v1\n  kind: Odd\n  metadata:\n    name: x\n  text: |+\n    one\n\n\n  more: >\n    two\n",
            id="blocks",
        ),
        pytest.param("- apiVersion: v1\n  kind: Odd\n  metadata:\n    name: x\n  # last\n", id="trailing-comment"),
    ],
)
def test_other_items_are_passed_through_to_the_byte(entry: str) -> None:
    answer = fn(resource_list(*SOURCES, entry, KPTFILE.replace("Kptfile'", "other'")))
    assert answer.code == 0, answer.stderr
    assert answer.texts[3] == entry


def test_a_list_in_flow_style_is_answered_in_blocks() -> None:
    """JSON is allowed by the specification; kpt would spoil it on the way back."""
    stdin = (
        '{"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "items": [{"apiVersion": "v1", "kind": "ConfigMap", '
        '"metadata": {"name": "a", "annotations": {"internal.config.kubernetes.io/path": "a.yaml"}}, "data": {"sha": "1e3"}}]}'
    )
    answer = fn(stdin)
    assert answer.code == 0
    assert "{" not in answer.stdout
    assert answer.items["a.yaml"]["data"] == {"sha": "1e3"}
    assert answer.items["a.yaml"]["metadata"]["annotations"] == {"internal.config.kubernetes.io/path": "a.yaml"}


def test_an_indented_list_stays_indented() -> None:
    text = "".join(f"  {line}\n" for entry in SOURCES for line in entry.splitlines())
    answer = fn(f"apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n{text}")
    assert answer.code == 0, answer.stderr
    assert text in answer.stdout
    assert CM in answer.items


def test_config_and_results_come_after_the_items() -> None:
    answer = fn(resource_list(KPTFILE, config=config_of("{}")))
    assert list(answer.list) == ["apiVersion", "kind", "items", "functionConfig", "results"]
