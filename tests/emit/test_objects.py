"""What goes out: order, marks, files."""

from __future__ import annotations

import pytest

from krm_fn.emit.marks import file_path
from krm_fn.emit.plain import emit
from krm_fn.emit.report import report_entries
from tests.rendering import config_map, instance, render, rgd


def test_each_object_says_which_instance_and_node_it_is_of() -> None:
    text = rgd(
        config_map("cm") + config_map("all", name="${x}", more='forEach: [{x: "${schema.spec.xs}"}]'),
        spec='{xs: "[]string"}',
    )
    [expansion] = render(text, instance("{xs: [p]}")).expansions
    single, item = [e.object["metadata"]["annotations"] for e in emit(expansion, instances=False, kro_labels=False)]
    assert single == {"rookery.dev/instance": "kro.run/App/store/shop", "rookery.dev/node": "cm"}
    assert item["rookery.dev/node"] == "all"
    assert len(item["rookery.dev/item"]) == 10


def test_marks_leave_the_rendered_object_alone() -> None:
    [expansion] = render(rgd(config_map("cm")), instance()).expansions
    [item] = expansion.outcomes["cm"].items
    list(emit(expansion, instances=False, kro_labels=False))
    assert "annotations" not in item.object["metadata"]


def test_an_emitted_instance_is_suspended_and_no_longer_local() -> None:
    local = instance().replace(
        "name: shop,", 'name: shop, annotations: {config.kubernetes.io/local-config: "true", a: b},'
    )
    made = render(rgd(config_map("cm")), local, instances=True).objects[-1]
    assert made["kind"] == "App"
    assert made["metadata"]["annotations"] == {"a": "b", "kro.run/reconcile": "suspended"}


@pytest.mark.parametrize(
    ("kind", "group", "node", "key", "path"),
    [
        pytest.param("App", "kro.run", "cm", "", "app.store.shop/cm.yaml", id="one object"),
        pytest.param("App", "kro.run", "cm", "0a1b", "app.store.shop/cm.0a1b.yaml", id="an item"),
        pytest.param("App", "example.org", "cm", "", "app.example.org.store.shop/cm.yaml", id="another group"),
    ],
)
def test_the_file_of_an_object(kind: str, group: str, node: str, key: str, path: str) -> None:
    text = rgd(config_map("cm"), kind=kind, more=f"group: {group}")
    [expansion] = render(text, instance().replace("kro.run/", f"{group}/")).expansions
    assert file_path(expansion.program, expansion.subject, node, key) == path


def test_ids_that_differ_only_in_case_have_files_that_differ_in_more() -> None:
    [expansion] = render(rgd(config_map("cfg") + config_map("cFg", name="other")), instance()).expansions
    paths = [file_path(expansion.program, expansion.subject, node, "").lower() for node in ("cfg", "cFg")]
    assert len(set(paths)) == 2


def test_the_report_holds_every_node_once_with_its_reason() -> None:
    resources = (
        config_map("a", '{x: "${b.metadata.uid}"}')
        + config_map("b")
        + config_map("c", more='includeWhen: ["${false}"]')
        + config_map("d", '{x: "${c.metadata.name}"}')
    )
    [entry] = report_entries(render(rgd(resources), instance()).expansions[0])
    nodes = {node["id"]: node for node in entry["nodes"]}
    assert nodes["a"]["waits"] == [{"reason": "unknown", "paths": ["b.metadata.uid"], "expression": "b.metadata.uid"}]
    assert nodes["b"]["objects"] == ["/ConfigMap/store/shop-b"]
    assert nodes["c"]["condition"] == "false"
    assert nodes["d"]["excludedWith"] == "c"
