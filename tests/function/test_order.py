"""The order under kpt and kustomize: `depends-on` where kpt live applies, nothing where somebody else does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.function.lists import KPTFILE, app, config_of, definition, fn, item, resource_list
from tests.function.test_kustomize import generate
from tests.rendering import config_map, instance, rgd

if TYPE_CHECKING:
    from tests.function.lists import Answer

DEPENDS_ON = "config.kubernetes.io/depends-on"
DB = """\
- id: db
  readyWhen: ["${db.status.phase == 'Ready'}"]
  template:
    apiVersion: test.io/v1
    kind: Db
    metadata: {name: "${schema.metadata.name}-db"}
"""
USES = config_map("uses", '{x: "${db.metadata.name}"}')
PLAIN = config_map("a") + config_map("b", '{x: "${a.metadata.name}"}')


def dependencies(answer: Answer) -> dict[str, str]:
    """Name -> what an object depends on."""
    found: dict[str, str] = {}
    for each in answer.list["items"]:
        metadata: dict[str, Any] = each["metadata"]
        if DEPENDS_ON in (metadata.get("annotations") or {}):
            found[metadata["name"]] = metadata["annotations"][DEPENDS_ON]
    return found


def under_kpt(resources: str, config: str = "", *more: str) -> Answer:
    answer = fn(resource_list(KPTFILE, definition(resources), app(), *more, config=config and config_of(config)))
    assert answer.code == 0, answer.stderr
    return answer


GATED = {"shop-uses": "test.io/namespaces/store/Db/shop-db"}


@pytest.mark.parametrize(
    ("resources", "config", "expected"),
    [
        pytest.param(DB + USES, "", GATED, id="depends-on by default"),
        pytest.param(DB + USES, "{target: kpt}", GATED, id="and where it is asked for"),
        pytest.param(DB + USES, "{target: plain}", {}, id="not for another applier"),
        pytest.param(PLAIN, "", {}, id="what kro does not wait for is no gate"),
        pytest.param(
            PLAIN, "{waves: every-edge}", {"shop-b": "/namespaces/store/ConfigMap/shop-a"}, id="every dependency is one"
        ),
    ],
)
def test_what_kpt_live_is_told(resources: str, config: str, expected: dict[str, str]) -> None:
    assert dependencies(under_kpt(resources, config)) == expected


@pytest.mark.parametrize("config", ["", "{waves: every-edge}"])
def test_a_second_run_changes_nothing(config: str) -> None:
    first = under_kpt(DB + USES + PLAIN, config)
    assert dependencies(first)
    second = fn(first.stdout)
    assert second.stdout == first.stdout


def test_another_target_takes_the_annotation_off_again() -> None:
    first = under_kpt(DB + USES)
    plain = fn(first.stdout + "functionConfig:\n  apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: x}\n  data: {target: plain}\n")  # fmt: skip
    assert dependencies(plain) == {}


def test_what_kstatus_does_not_wait_for_is_an_info() -> None:
    answer = under_kpt(DB + USES)
    [message] = answer.messages("ready-by-kstatus")
    assert message.startswith(
        "what waits for db (Db) goes on once kstatus calls it Current, whatever its readyWhen says"
    )
    assert "ready-by-kstatus" not in answer.stderr
    assert under_kpt(DB + USES, "{target: plain}").messages("ready-by-kstatus") == []


@pytest.mark.parametrize(("target", "expected"), [("", {}), ("plain", {}), ("kpt", GATED)])
def test_kustomize_is_told_only_where_it_is_asked_for(target: str, expected: dict[str, str]) -> None:
    sources = [yaml.safe_load(text) for text in (rgd(DB + USES), instance())]
    spec: dict[str, Any] = {"target": target} if target else {}
    answer = generate(resources=sources, **spec)
    assert answer.code == 0, answer.stderr
    assert dependencies(answer) == expected


@pytest.mark.parametrize("config", ["{target: argocd}", "{waves: all}", "{target: Kpt}"])
def test_other_words_are_refused(config: str) -> None:
    answer = fn(resource_list(KPTFILE, definition(PLAIN), app(), config=config_of(config)))
    assert (answer.code, answer.codes) == (1, ["config-value"])


def test_what_is_held_names_nothing_that_is_gone() -> None:
    """A nested instance waits; its parent, which does not, no longer makes what gated it."""
    inner = config_map("waits", '{x: "${schema.metadata.uid}"}') + config_map("a")
    nested = '- id: inner\n  template: {apiVersion: kro.run/v1alpha1, kind: Inner, metadata: {name: "${db.metadata.name}"}}\n'
    after = nested.replace("${db.metadata.name}", "shop-db")
    inner_rgd = definition(inner.replace("waits", "was").replace("schema.metadata.uid", "schema.metadata.name"), kind="Inner", path="inner.yaml")  # fmt: skip
    first = fn(resource_list(KPTFILE, definition(DB + nested), inner_rgd, app()))
    assert set(dependencies(first)) == {"shop-db-was", "shop-db-a"}
    kept = [text for text in first.texts if "rendered/" in text]
    waiting = definition(inner, kind="Inner", path="inner.yaml")
    answer = fn(resource_list(KPTFILE, definition(config_map("x") + after), waiting, app(), *kept))
    assert answer.code == 0, answer.stderr
    assert "shop-db-was" in [item["metadata"]["name"] for item in answer.list["items"]]
    assert dependencies(answer) == {}
    assert fn(answer.stdout).stdout == fn(fn(answer.stdout).stdout).stdout


def test_an_authors_own_reference_may_name_any_file_of_the_package() -> None:
    own = config_map("a").replace(
        "{name", "{annotations: {config.kubernetes.io/depends-on: /namespaces/store/ConfigMap/mine}, name"
    )
    mine = item("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: mine\n  namespace: store\n", "mine.yaml")
    assert "depends-on-missing" not in under_kpt(own, "", mine).stderr
    assert "depends-on-missing" in under_kpt(own).stderr
