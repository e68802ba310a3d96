"""readyWhen in Flux, judged by Flux's own evaluator: what is carried says what kro says."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from krm_fn.emit.flux.expression import NotCarried, carried
from tests.command.test_flux import ROOT, Rendered, db
from tests.hosts.flux_cel import FluxCel, flux_cel
from tests.hosts.programs import tool
from tests.ready_when import ReadyWhen, balanced, default_folders, of_corpora
from tests.rendering import config_map, instance, rgd

pytestmark = pytest.mark.hosts
Json = dict[str, Any]


@pytest.fixture(scope="module")
def flux() -> Iterator[FluxCel]:
    with flux_cel() as running:
        yield running


def of_flux(ready_when: ReadyWhen) -> str:
    return carried(ready_when.tree, ready_when.name or "x")


def agree(flux: FluxCel, ready_when: ReadyWhen, objects: list[Json]) -> None:
    text = of_flux(ready_when)
    made = {"spec": {"healthCheckExprs": [{"apiVersion": "test.io/v1", "kind": "Db", "current": text}]}}
    seen = [{"apiVersion": "test.io/v1", "kind": "Db", "metadata": {"name": "a"}, **each} for each in objects]
    for each, status in zip(seen, flux.judge(made, seen), strict=True):
        assert (status == "Current") is ready_when.holds(each), (ready_when.text, text, each, status)


NEVER = {"cm.metadata.creationTimestamp.getFullYear() > 2000"}
"""What no object can make true: kro calls a timestamp's function on a text (golden kro-live/own/rw-timestamp)."""


def test_each_ready_when_of_the_corpora_says_in_flux_what_it_says_in_kro(flux: FluxCel) -> None:
    """With a third of the objects on each side of the verdict at least; what cannot be carried is named."""
    count = judged = 0
    refused = []
    for ready_when in of_corpora(*default_folders()):
        try:
            of_flux(ready_when)
        except NotCarried as refusal:
            refused.append(f"{ready_when.text}: {refusal.what}")
            continue
        found = balanced(ready_when, 200, seed=1)
        if ready_when.name and ready_when.text not in NEVER:
            ready = sum(verdict for _, verdict in found)
            assert 0.3 <= ready / len(found) <= 0.7, (ready_when.text, ready, len(found))
        agree(flux, ready_when, [seen for seen, _ in found])
        count += 1
        judged += len(found)
    print(f"\n{count} carried, {len(refused)} not: {refused}; {judged} objects")
    assert count > 20 * len(refused)


# -- any expression, any object ---------------------------------------------------------------------------------------

SCALARS = st.sampled_from(["", "a", "ab", "ä", "10", "2024-01-02T03:04:05Z", "1h", 0, 1, 2, -7, 0.5, True, False, None])
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["p", "q", "type", "status"]), inner, max_size=3)
    ),
    max_leaves=6,
)
OBJECTS = st.fixed_dictionaries({}, optional=dict.fromkeys(("p", "q", "status", "spec"), VALUES))
PLACES = st.sampled_from(
    ["o.p", "o.status", "o.spec", "o.p.q", "o.p[0]", 'o.q["status"]', "o.status.type", "o.status.p.q", "o.q[0].type", 'o["spec"].p']
)  # fmt: skip
LITERALS = st.sampled_from(['"a"', '"10"', "0", "1", "2u", "0.5", "true", "null", "[1, 2]", '["a"]', '{"p": 1}'])
OPTIONALS = st.sampled_from(
    ["o.?p", "o.?status.type", "o.status.?type", "o[?'q'][?0]", "o.?spec.?p", "optional.none()"]
)


def expressions() -> st.SearchStrategy[str]:
    def values(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.one_of(
            st.builds("({} {} {})".format, inner, st.sampled_from("+-*/%"), inner),
            st.builds(
                "{}({})".format, st.sampled_from(["size", "int", "string", "double", "dyn", "type", "timestamp"]), inner
            ),
            st.builds("{}.orValue({})".format, OPTIONALS, inner),
            st.builds("{}.or({}).orValue({})".format, OPTIONALS, OPTIONALS, inner),
            st.builds("({} == {} ? {} : {})".format, inner, inner, inner, inner),
            st.builds("({}).{}()".format, inner, st.sampled_from(["lowerAscii", "trim", "size"])),
            st.builds("({}).{}(v, {} == v)".format, inner, st.sampled_from(["filter", "map"]), inner),
            st.builds("cel.bind(v, {}, [v, {}])".format, inner, inner),
        )

    value = st.recursive(PLACES | LITERALS, values, max_leaves=4)

    def truths(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.one_of(
            st.builds("({}) && ({})".format, inner, inner),
            st.builds("({}) || ({})".format, inner, inner),
            st.builds("!({})".format, inner),
            st.builds("(({}) ? ({}) : ({}))".format, inner, inner, inner),
            st.builds(
                "({}).{}(status, status == o.p || ({}))".format,
                value,
                st.sampled_from(["all", "exists", "exists_one"]),
                inner,
            ),
        )

    atoms = st.one_of(
        st.builds("{} {} {}".format, value, st.sampled_from(["==", "!=", "<", ">=", "in"]), value),
        st.sampled_from(
            ["has(o.p)", "has(o.status)", "has(o.status.type)", "has(o.p.q)", "has(o.?p.q)", "has(o.metadata)", "'spec' in o"]
        ),
        st.builds("{}.hasValue()".format, OPTIONALS),
        st.builds("{}.optMap(p, p == {}).orValue({})".format, OPTIONALS, value, st.sampled_from(["true", "false"])),
        st.builds("({}).{}({})".format, value, st.sampled_from(["startsWith", "contains", "matches"]), value),
    )  # fmt: skip
    return st.recursive(atoms, truths, max_leaves=4)


def test_any_condition_that_is_carried_says_the_same(flux: FluxCel) -> None:
    seen: Counter[object] = Counter()

    @settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
    @given(text=expressions(), objects=st.lists(OBJECTS, min_size=4, max_size=12))
    def law(text: str, objects: list[Json]) -> None:
        ready_when = ReadyWhen(text)
        ready_when.name = "o"
        try:
            carried(ready_when.tree, "o")
        except NotCarried as refusal:
            seen[refusal.what] += 1
            return
        objects = [{"metadata": {"name": "a"}}, *objects, *(each for each, _ in balanced(ready_when, 12, seed=1))]
        agree(flux, ready_when, objects)
        seen["carried"] += 1
        seen.update(ready_when.holds(each) for each in objects)

    law()
    print(f"\n{dict(seen)}")
    assert seen["carried"] > 100
    assert seen[True] > seen[False] / 20, "too few objects on the side that is rare"


# -- what is rendered ------------------------------------------------------------------------------------------------


def test_flux_takes_every_kustomization(flux: FluxCel, tmp_path: Path) -> None:
    """Every field is one of Flux's, no kind has two checks, and each layer's folder is what kustomize builds."""
    fixture = ROOT / "fixtures/flux-layers"
    texts = [path.read_text() for path in sorted(fixture.glob("*.yaml"))]
    rendered = Rendered(tmp_path, *texts, options=("--emit", "instances", "--emit", "api"))
    assert [flux.refusal(each) for each in rendered.kustomizations.values()] == [""] * 7
    for each in rendered.kustomizations.values():
        built = subprocess.run(
            [tool("kustomize"), "build", tmp_path / each["spec"]["path"]], capture_output=True, text=True, check=True
        )
        folder = tmp_path / each["spec"]["path"]
        kept = [path for path in folder.rglob("*.yaml") if path.name != "kustomization.yaml"]
        assert len(list(yaml.safe_load_all(built.stdout))) == len(kept) > 0
    top = subprocess.run([tool("kustomize"), "build", tmp_path / "deploy"], capture_output=True, text=True, check=True)
    assert sorted(each["metadata"]["name"] for each in yaml.safe_load_all(top.stdout)) == sorted(
        rendered.kustomizations
    )


def test_flux_takes_no_field_that_it_does_not_have(flux: FluxCel) -> None:
    assert "unknown field" in flux.refusal({"spec": {"dependOn": []}})
    assert "duplicate" in flux.refusal(
        {"spec": {"healthCheckExprs": [{"apiVersion": "a/v1", "kind": "B", "current": "true"}] * 2}}
    )


def test_each_node_of_a_kind_is_judged_by_its_own_ready_when(flux: FluxCel, tmp_path: Path) -> None:
    resources = db("one") + db("two", "${two.status.n > 1}") + config_map("next", '{x: "${one.metadata.name}"}')
    for options in ((), ("--kro-labels",)):
        rendered = Rendered(tmp_path / f"with{len(options)}", rgd(resources), instance(), options=options)
        made = rendered.kustomizations["app.store.shop.0"]
        folder = tmp_path / f"with{len(options)}" / "deploy/app.store.shop/0"
        one, two = (yaml.safe_load((folder / f"{name}.yaml").read_text()) for name in ("one", "two"))
        seen = [{**each, "status": status} for each in (one, two) for status in ({"ok": True}, {"n": 2})]
        verdicts = [status == "Current" for status in flux.judge(made, [one, two, *seen])]
        assert verdicts == [False, False, True, False, False, True]
