"""Instances of one output that refer to each other's objects: what does is behind what it refers to, and everything else is not."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from krm_fn.emit.argocd import WAVE
from krm_fn.emit.kpt import DEPENDS_ON
from krm_fn.emit.targets import ARGOCD, KPT, Order
from krm_fn.order.layers import EVERY_EDGE
from tests.rendering import Result, config_map, instance, render, rgd

GATED_ROLE = """\
- id: gate
  readyWhen: ["${gate.data.x != ''}"]
  template: {apiVersion: v1, kind: ConfigMap, metadata: {name: gate}, data: {x: a}}
- id: role
  template: {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: shared, annotations: {x: "${gate.metadata.name}"}}}
"""
ROLE = GATED_ROLE.partition("- id: role")[2].replace(', annotations: {x: "${gate.metadata.name}"}', "")
ROLE = f"- id: role{ROLE}"
EXTERNAL = """\
- id: ext
  externalRef: {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: shared}}
"""
USES = config_map("uses", '{x: "${ext.metadata.name}"}')
SEEN = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: shared, uid: u}\n"


def waves(result: Result) -> dict[str, int]:
    assert result.errors == []
    return {m["metadata"]["name"]: int((m["metadata"].get("annotations") or {}).get(WAVE, 0)) for m in result.objects}


def depends(result: Result) -> dict[str, list[str]]:
    assert result.errors == []
    written = {m["metadata"]["name"]: (m["metadata"].get("annotations") or {}).get(DEPENDS_ON) for m in result.objects}
    return {name: [each.rpartition("/")[2] for each in text.split(", ")] for name, text in written.items() if text}


def rendered(target: str, *texts: str, observed: str = SEEN, **more: Any) -> Result:
    return render(*texts, observed=observed, order=Order(target, **more))


MAKER = (rgd(GATED_ROLE, kind="Maker"), instance(kind="Maker", name="maker"))


def test_what_reads_an_object_of_another_instance_is_behind_it() -> None:
    texts = (*MAKER, rgd(EXTERNAL + USES + config_map("free")), instance(), instance(name="other"))
    expected = {"gate": 0, "shared": 1, "shop-uses": 2, "shop-free": 0, "other-uses": 2, "other-free": 0}
    for order in itertools.permutations(texts):
        assert waves(rendered(ARGOCD, *order)) == expected
        assert depends(rendered(KPT, *order)) == {"shared": ["gate"], "shop-uses": ["shared"], "other-uses": ["shared"]}


def test_whoever_refers_to_what_nobody_makes_has_an_order_of_its_own() -> None:
    texts = (rgd(EXTERNAL + USES), instance(), rgd(GATED_ROLE.replace("name: shared", "name: else"), kind="Maker"))
    maker = instance(kind="Maker", name="maker")
    assert waves(rendered(ARGOCD, *texts, maker)) == {"shop-uses": 0, "gate": 0, "else": 1}
    assert depends(rendered(KPT, *texts, maker)) == {"else": ["gate"]}


def test_what_was_not_observed_is_withheld_and_has_no_order() -> None:
    assert waves(rendered(ARGOCD, *MAKER, rgd(EXTERNAL + USES), instance(), observed="")) == {
        "gate": 0,
        "shared": 1,
        "shop-waiting": 1,
    }


def test_gates_behind_it_count_on_and_base_and_step_are_those_of_all() -> None:
    chain = (
        "- id: db\n  readyWhen: [\"${db.status.phase == 'Ready'}\"]\n"
        '  template: {apiVersion: test.io/v1, kind: Db, metadata: {name: "${uses.metadata.name}-db"}}\n'
        + config_map("end", '{x: "${db.metadata.name}"}')
    )
    texts = (rgd(EXTERNAL + USES + chain), instance(), *MAKER)
    assert waves(rendered(ARGOCD, *texts, base=-5, step=3)) == {
        "gate": -5,
        "shared": -2,
        "shop-uses": 1,
        "shop-uses-db": 1,
        "shop-end": 4,
    }
    assert depends(rendered(KPT, *texts))["shop-uses-db"] == ["shared"]


def test_instances_in_a_row() -> None:
    first = rgd(GATED_ROLE, kind="First")
    second = rgd(EXTERNAL + config_map("middle", '{x: "${ext.metadata.name}"}', name="middle"), kind="Second")
    third = rgd(
        "- id: ext\n  externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {name: middle}}\n"
        + config_map("last", '{x: "${ext.data.x}"}', name="last"),
        kind="Third",
    )
    instances = [instance(kind=kind, name=kind.lower()) for kind in ("Third", "Second", "First")]
    seen = f"{SEEN}---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: middle, namespace: store}}\ndata: {{x: shared}}\n"
    for order in itertools.permutations(instances):
        result = rendered(ARGOCD, first, second, third, *order, observed=seen)
        assert waves(result) == {"gate": 0, "shared": 1, "middle": 2, "last": 3}


def test_in_a_nested_instance_on_both_sides() -> None:
    maker = rgd(
        "- id: inner\n  template: {apiVersion: kro.run/v1alpha1, kind: Maker, metadata: {name: shop}}\n", kind="Outer"
    )
    user = rgd(
        "- id: inner\n  template: {apiVersion: kro.run/v1alpha1, kind: App, metadata: {name: shop}}\n"
        + config_map("beside", '{x: "${inner.metadata.name}"}'),
        kind="User",
    )
    texts = (MAKER[0], maker, rgd(EXTERNAL + USES), user, instance(kind="User"), instance(kind="Outer"))
    assert waves(rendered(ARGOCD, *texts)) == {"gate": 0, "shared": 1, "shop-uses": 2, "shop-beside": 0}
    # What is nested begins in wave 2: to come after that is to be in wave 3.
    edges = rendered(ARGOCD, *texts, waves=EVERY_EDGE)
    assert waves(edges) == {"gate": 0, "shared": 1, "shop-uses": 2, "shop-beside": 3}
    assert depends(rendered(KPT, *texts, waves=EVERY_EDGE))["shop-beside"] == ["shop-uses"]


def test_an_external_collection_is_behind_those_of_it_that_are_made() -> None:
    listing = (
        "- id: ext\n  externalRef: {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {selector: {matchLabels: {a: b}}}}\n"
        + config_map("uses", '{x: "${string(ext.size())}"}')
    )
    seen = SEEN.replace("uid: u", "labels: {a: b}")
    assert waves(rendered(ARGOCD, *MAKER, rgd(listing), instance(), observed=seen))["shop-uses"] == 2
    assert waves(rendered(ARGOCD, *MAKER, rgd(listing), instance(), observed=SEEN))["shop-uses"] == 0


def test_a_namespace_of_another_instance_is_no_gate_but_what_it_waits_for_is() -> None:
    space = '- id: ns\n  template: {apiVersion: v1, kind: Namespace, metadata: {name: "${gate.data.x}"}}\n'
    maker = rgd(GATED_ROLE.partition("- id: role")[0] + space, kind="Maker")
    uses = "- id: ext\n  externalRef: {apiVersion: v1, kind: Namespace, metadata: {name: a}}\n" + USES
    texts = (rgd(uses), instance(), maker, MAKER[1])
    seen = "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n"
    assert waves(rendered(ARGOCD, *texts, observed=seen)) == {"gate": 0, "a": 1, "shop-uses": 1}
    assert depends(rendered(KPT, *texts, observed=seen))["shop-uses"] == ["a"]


STATUS = (
    rgd(GATED_ROLE, kind="Maker", status='{name: "${role.metadata.name}"}'),
    instance(kind="Maker", name="maker"),
    rgd(
        "- id: ext\n  externalRef: {apiVersion: kro.run/v1alpha1, kind: Maker, metadata: {name: maker}}\n"
        + config_map("uses", '{x: "${ext.status.name}"}')
    ),
    instance(),
)
MADE = "apiVersion: kro.run/v1alpha1\nkind: Maker\nmetadata: {name: maker, namespace: store, annotations: {rookery.dev/observed: 'true'}}\nspec: {}\nstatus: {name: shared}\n"


def test_what_reads_an_instance_is_behind_all_that_it_makes() -> None:
    assert waves(rendered(ARGOCD, *STATUS, observed=MADE)) == {"gate": 0, "shared": 1, "shop-uses": 2}
    assert depends(rendered(KPT, *STATUS, observed=MADE))["shop-uses"] == ["gate", "shared"]


def test_an_instance_may_be_read_before_it_has_made_all() -> None:
    """What reads it makes what it reads: neither waits for ever."""
    texts = (
        rgd(
            "- id: ext\n  externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {name: shop-uses}}\n"
            + config_map("made", '{x: "${ext.data.x}"}'),
            kind="Maker",
            spec="{x: string}",
        ),
        rgd(
            "- id: ext\n  externalRef: {apiVersion: kro.run/v1alpha1, kind: Maker, metadata: {name: maker}}\n"
            + config_map("uses", '{x: "${ext.spec.x}"}')
        ),
        instance(),
        made := instance("{x: a}", kind="Maker", name="maker"),
    )
    seen = (
        f"{made}---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: shop-uses, namespace: store}}\ndata: {{x: a}}\n"
    )
    assert waves(rendered(ARGOCD, *texts, observed=seen)) == {"shop-uses": 0, "maker-made": 1}
    assert depends(rendered(KPT, *texts, observed=seen)) == {"maker-made": ["shop-uses"]}


CIRCLE = (
    rgd(
        "- id: ext\n  externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {name: two}}\n"
        + config_map("made", '{x: "${ext.data.x}"}', name="one"),
        kind="Inner",
    ),
    rgd(
        '- id: inner\n  readyWhen: ["${inner.metadata.?uid.hasValue()}"]\n'
        "  template: {apiVersion: kro.run/v1alpha1, kind: Inner, metadata: {name: shop}}\n"
        "- id: two\n  template: {apiVersion: v1, kind: ConfigMap, metadata: {name: two, labels: {x: '${inner.metadata.name}'}}}\n",
        kind="Outer",
    ),
    instance(kind="Outer"),
)
"""What a nested instance makes waits for an object that waits for the nested instance."""
CIRCLE_SEEN = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: two, namespace: store}\ndata: {x: a}\n"


@pytest.mark.parametrize(("target", "severity"), [(KPT, "error"), (ARGOCD, "warning")])
def test_objects_that_wait_for_each_other_are_a_circle(target: str, severity: str) -> None:
    result = rendered(target, *CIRCLE, observed=CIRCLE_SEEN)
    [found] = [each for each in result.findings if each.code == "order-cycle"]
    assert (found.severity, found.message) == (
        severity,
        "ConfigMap store/one waits for ConfigMap store/two, which waits for it",
    )


def test_behind_a_circle_there_is_an_order() -> None:
    after = rgd("- id: ext\n  externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {name: two}}\n" + USES)
    assert waves(rendered(ARGOCD, *CIRCLE, after, instance(), observed=CIRCLE_SEEN)) == {
        "one": 0,
        "two": 1,
        "shop-uses": 2,
    }


def test_its_ready_when_is_looked_after_where_another_instance_waits_for_it() -> None:
    maker = rgd(
        ROLE.replace("- id: role", '- id: role\n  readyWhen: ["${role.metadata.?uid.hasValue()}"]'), kind="Maker"
    )
    texts = (maker, MAKER[1], rgd(EXTERNAL + USES), instance())
    assert "ready-by-kstatus" in rendered(KPT, *texts).codes
    assert "ready-by-kstatus" not in rendered(KPT, *texts[:2]).codes


def test_what_an_instance_refers_to_is_none_of_what_it_makes() -> None:
    """Nobody waits for it there, and kpt would refuse a package that names what is not in it."""
    inner = rgd(
        "- id: ext\n  externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {name: elsewhere, namespace: store}}\n"
        + config_map("cm", '{v: "${ext.data.v}"}'),
        kind="Inner",
    )
    outer = rgd(
        "- id: other\n  externalRef: {apiVersion: kro.run/v1alpha1, kind: Inner, metadata: {name: one, namespace: store}}\n"
        + config_map("uses", '{of: "${other.metadata.name}"}')
    )
    seen = """\
{apiVersion: v1, kind: ConfigMap, metadata: {name: elsewhere, namespace: store}, data: {v: x}}
---
{apiVersion: kro.run/v1alpha1, kind: Inner, metadata: {name: one, namespace: store}}
"""
    result = render(inner, outer, instance(kind="Inner", name="one"), instance(), observed=seen, order=Order(KPT))
    assert result["shop-uses"]["metadata"]["annotations"] == {DEPENDS_ON: "/namespaces/store/ConfigMap/one-cm"}
