"""An author's own `depends-on`: it stays, joins the order, and is held against what cli-utils takes."""

from __future__ import annotations

import pytest

from krm_fn.emit.kpt import DEPENDS_ON, referred
from krm_fn.emit.targets import ARGOCD, KPT, Order
from tests.rendering import Result, config_map, instance, render, rgd

DB = """\
- id: db
  readyWhen: ["${db.status.phase == 'Ready'}"]
  template: {apiVersion: test.io/v1, kind: Db, metadata: {name: db}}
"""
DB_SAYS = "test.io/namespaces/store/Db/db"


def depending(node: str, text: str, data: str = "{}") -> str:
    return config_map(node, data, name=node).replace(
        "metadata: {", f'metadata: {{annotations: {{{DEPENDS_ON}: "{text}"}}, '
    )


def rendered(resources: str, target: str = KPT, **more: str) -> Result:
    return render(rgd(resources), instance(), order=Order(target), **more)


def said(result: Result, code: str) -> list[str]:
    return [each.message for each in result.findings if each.code == code]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/namespaces/store/ConfigMap/a", f"/namespaces/store/ConfigMap/a, {DB_SAYS}"),
        (DB_SAYS, DB_SAYS),
        (f" {DB_SAYS} ,/namespaces/store/ConfigMap/a", f" {DB_SAYS} ,/namespaces/store/ConfigMap/a"),
        (f"{DB_SAYS},{DB_SAYS}", DB_SAYS),
        (f"{DB_SAYS}, ,", DB_SAYS),
        ("", DB_SAYS),
    ],
)
def test_it_stays_before_what_is_added(text: str, expected: str) -> None:
    result = rendered(DB + config_map("a", name="a") + depending("b", text, '{x: "${db.metadata.name}"}'))
    assert result.errors == []
    assert result["b"]["metadata"]["annotations"] == {DEPENDS_ON: expected}


@pytest.mark.parametrize("text", ["", " , "])
def test_one_that_names_nothing_is_left_out(text: str) -> None:
    assert "annotations" not in rendered(depending("b", text))["b"]["metadata"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/namespaces/store/ConfigMap/a", ("", "ConfigMap", "store", "a")),
        ("apps/namespaces/store/Deployment/a", ("apps", "Deployment", "store", "a")),
        ("/PersistentVolume/a", ("", "PersistentVolume", "", "a")),
        ("x/y", None),
        ("ConfigMap", None),
        ("/namespaces/store/ConfigMap/a/b", None),
        ("/namespace/store/ConfigMap/a", None),
        ("apps/v1/namespaces/store/Deployment/a", None),
        ("//a", None),
        ("/ConfigMap/", None),
    ],
)
def test_references_are_read_as_cli_utils_reads_them(text: str, expected: tuple[str, ...] | None) -> None:
    assert referred(text) == expected


def test_one_that_cli_utils_cannot_read_is_an_error() -> None:
    result = rendered(depending("a", "x/y, /PersistentVolume/a"))
    assert result.errors == ["depends-on-unwritable"]
    assert said(result, "depends-on-unwritable") == [
        "a of App/store/shop cannot say what it waits for: 'x/y' names no object"
    ]
    assert rendered(depending("a", "x/y"), ARGOCD).codes == []


@pytest.mark.parametrize(
    ("resources", "circle"),
    [
        pytest.param(
            depending("a", "/namespaces/store/ConfigMap/b").replace(
                "  template", "  readyWhen: [\"${a.data.x != ''}\"]\n  template"
            )
            + config_map("b", '{x: "${a.metadata.name}"}', name="b"),
            "ConfigMap store/a waits for ConfigMap store/b, which waits for it",
            id="with what we add",
        ),
        pytest.param(
            depending("a", "/namespaces/store/ConfigMap/b") + depending("b", "/namespaces/store/ConfigMap/a"),
            "ConfigMap store/a waits for ConfigMap store/b, which waits for it",
            id="of its own",
        ),
        pytest.param(
            depending("a", "/namespaces/store/ConfigMap/a"), "ConfigMap store/a waits for itself", id="with itself"
        ),
    ],
)
def test_a_circle_is_found(resources: str, circle: str) -> None:
    assert said(rendered(resources), "order-cycle") == [circle]


LATE = config_map("cm") + config_map("late", '{x: "${cm.metadata.uid}"}', name="late")


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        pytest.param(config_map("a", name="late"), [], id="in the output"),
        pytest.param("", ["is not in the output"], id="nowhere"),
        pytest.param(LATE, ["is not in the output"], id="withheld"),
        pytest.param(
            config_map("a", name="late").replace(
                "{name", '{annotations: {config.kubernetes.io/local-config: "true"}, name'
            ),
            ["is not in the output"],
            id="kept from the cluster",
        ),
    ],
)
def test_what_it_names_should_be_there(resources: str, expected: list[str]) -> None:
    found = said(rendered(depending("a1", "/namespaces/store/ConfigMap/late") + resources), "depends-on-missing")
    assert [each.partition(", which ")[2] for each in found] == expected


def test_it_may_be_in_another_instance() -> None:
    one = rgd(depending("a", "/namespaces/store/ConfigMap/b"), kind="One")
    other = rgd(config_map("b", name="b"), kind="Other")
    texts = (one, other, instance(kind="One"), instance(kind="Other"))
    assert "depends-on-missing" not in render(*texts, order=Order(KPT)).codes
    circle = rgd(depending("b", "/namespaces/store/ConfigMap/a"), kind="Other")
    assert render(one, circle, *texts[2:], order=Order(KPT)).errors == ["order-cycle"]
