"""One step of kro: what comes first decides, where a render tells everything at once."""

from __future__ import annotations

from typing import Any

import pytest

from krm_fn.expand.instance import World
from krm_fn.expand.observed import Observed
from krm_fn.expand.reconcile import Step, reconcile
from krm_fn.inputs import compile_programs, sort_documents
from krm_fn.read.yaml import parse_documents
from tests.rendering import config_map, free_form, rgd

SHARED = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shared", "namespace": "store"}, "data": {}}
EXTERNAL = "- id: ext\n  externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {name: shared}}\n"
ALL = "- id: all\n  externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {selector: {}}}\n"
LATER = "${ext.data.later}"


def step(resources: str, *live: dict[str, Any], spec: str = "{}") -> Step:
    inputs = sort_documents(parse_documents(rgd(resources, spec=spec), "rgd.yaml"), [], None, _refuse)
    [program] = compile_programs(inputs, _refuse).values()
    metadata = {"name": "shop", "namespace": "store", "uid": "u1"}
    instance = {"apiVersion": "kro.run/v1alpha1", "kind": "App", "metadata": metadata, "spec": {}}
    world = World({program.key: program}, lambda _program, made: (made, []))
    return reconcile(program, instance, Observed(live, given=True), world)


def _refuse(finding: Any) -> None:
    assert finding.severity != "error", finding.message


def many(name: str, values: str, data: str) -> str:
    return config_map("many", data, more=f"forEach: [{{one: '{values}'}}]", name=name)


@pytest.mark.parametrize(
    "resources",
    [
        pytest.param(free_form("made", f'{{a: "{LATER}", b: "${{1 / 0}}"}}'), id="a-value"),
        pytest.param(many("${one}", "${['a'].map(x, string(1 / 0))}", f'{{a: "{LATER}"}}'), id="what-no-loop-changes"),
        pytest.param(many("${one}", "${[]}", f'{{a: "{LATER}"}}'), id="of-no-items"),
        pytest.param(
            config_map("made", more=f"includeWhen: ['{LATER[:-1]} == \"\"}}', '${{ext.kind == \"x\"}}']"),
            id="a-condition",
        ),
    ],
)
def test_what_waits_comes_before_what_would_end_it_otherwise(resources: str) -> None:
    done = step(EXTERNAL + resources.replace("'${['a']", "\"${['a']").replace("0))}'", '0))}"'), SHARED)
    assert done.fault is None
    assert done.first_unresolved is not None


def test_a_value_that_no_loop_changes_is_evaluated_even_for_no_items() -> None:
    done = step(many("${one}", "${[]}", '{a: "${string(1 / 0)}"}'))
    assert done.fault is not None


def test_a_condition_that_asks_for_nothing_holds_for_the_items_of_a_selector() -> None:
    plain = ALL.replace("  externalRef", "  readyWhen: ['${true}']\n  externalRef")
    done = step(plain + config_map("made", '{x: "${string(size(all))}"}'), SHARED)
    assert [item.object["data"] for node, item in done.applied() if node.id == "made"] == [{"x": "1"}]
    done = step(plain.replace("true", "size(all) == 1") + config_map("made", '{x: "${string(size(all))}"}'), SHARED)
    assert done.first_unresolved is not None
