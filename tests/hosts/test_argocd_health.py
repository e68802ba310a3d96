"""The health checks of `rookery health`, judged by Argo CD's own Lua interpreter."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from krm_fn.emit.lua.expression import condition
from krm_fn.emit.lua.known import NotCarried
from krm_fn.emit.lua.script import Asked, NodeCheck, script
from krm_fn.expand.ownership import INSTANCE, NODE
from tests.command.test_render import rookery
from tests.emit.generate_built_in import TARGET, module
from tests.hosts.argocd_health import ArgoHealth, argo_health
from tests.ready_when import ReadyWhen, balanced, default_folders, of_corpora

pytestmark = pytest.mark.hosts
Json = dict[str, Any]
MAKER = "kro.run/App"


@pytest.fixture(scope="module")
def argo() -> Iterator[ArgoHealth]:
    with argo_health() as running:
        yield running


def marked(seen: Json, node: str = "node", instance: str = f"{MAKER}/default/shop") -> Json:
    return {**seen, "metadata": {**seen.get("metadata", {}), "annotations": {INSTANCE: instance, NODE: node}}}


def check_of(*texts: str, generations: bool = False) -> str:
    asked = []
    for text in texts:
        ready_when = ReadyWhen(text)
        asked.append(Asked(text, condition(ready_when.tree, ready_when.name or "x", None)))
    name = next((made.name for made in map(ReadyWhen, texts) if made.name), "x")
    return script([NodeCheck(MAKER, "node", name, asked)], generations=generations)


def agree(argo: ArgoHealth, ready_when: ReadyWhen, objects: list[Json]) -> None:
    verdicts = argo.judge(check_of(ready_when.text), [marked(seen) for seen in objects])
    for seen, verdict in zip(objects, verdicts, strict=True):
        expected = "Healthy" if ready_when.holds(seen) else "Progressing"
        assert verdict["status"] == expected, (ready_when.text, seen, verdict)
        assert "failed" not in verdict["message"], verdict


def test_each_ready_when_of_the_corpora_says_in_lua_what_it_says_in_cel(argo: ArgoHealth) -> None:
    """With a third of the objects on each side of the verdict at least; what cannot be carried is named."""
    carried = judged = 0
    refused = []
    for ready_when in of_corpora(*default_folders()):
        try:
            check_of(ready_when.text)
        except NotCarried as refusal:
            refused.append(f"{ready_when.text}: {refusal.what}")
            continue
        found = balanced(ready_when, 200, seed=1)
        if ready_when.name:
            ready = sum(verdict for _, verdict in found)
            assert 0.3 <= ready / len(found) <= 0.7, (ready_when.text, ready, len(found))
        agree(argo, ready_when, [seen for seen, _ in found])
        carried += 1
        judged += len(found)
    print(f"\n{carried} carried, {len(refused)} not: {refused}; {judged} objects")
    assert carried > 20 * len(refused)


def test_the_kinds_that_argo_cd_judges_are_known() -> None:
    assert TARGET.read_text() == module(), "python -m tests.emit.generate_built_in writes it"


# -- any expression, any object ---------------------------------------------------------------------------------------

SCALARS = st.sampled_from(["", "a", "ab", "b", "ä", "€x", "10", "-3", 0, 1, 2, -7, 10, 0.5, -2.25, True, False])
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3)
        | st.dictionaries(st.sampled_from(["p", "q", "type", "status"]), inner, min_size=1, max_size=3)
    ),
    max_leaves=6,
)
OBJECTS = st.fixed_dictionaries(
    {}, optional={**dict.fromkeys(("p", "q", "r", "s"), VALUES), "list": st.lists(SCALARS, max_size=3)}
)
"""Lua cannot tell an empty list from an empty map: nothing but `list`, which no expression takes for a map, is empty here."""
LITERALS = st.sampled_from(['"a"', '"ab"', '""', '"ä"', '"10"', "0", "1", "2", "-7", "0.5", "true", "false", '["a", "b"]', "[1, 2]"])  # fmt: skip
PATHS = st.sampled_from(
    [
        "o.p",
        "o.q",
        "o.r",
        "o.s",
        "o.p.q",
        "o.p[0]",
        "o.q[1]",
        "o.r.type",
        'o.s["status"]',
        "o.p.p.q",
        "o.q[0].type",
        "o.list",
        "o.list[0]",
    ]
)
LOOP_PATHS = st.sampled_from(["v", "v.type", "v.status", "v.p", "o.p"])
OPTIONALS = st.sampled_from(["o.?p", "o.?p.q", "o.p.?q", "o.?q[?0]", "o.?r.?type", "o.s.?status", "optional.none()"])


def expressions() -> st.SearchStrategy[str]:
    def values(atoms: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.recursive(
            atoms | LITERALS,
            lambda inner: st.one_of(
                st.builds("size({})".format, inner),
                st.builds("int({})".format, inner),
                st.builds("string({})".format, inner),
                st.builds("({} {} {})".format, inner, st.sampled_from("+-*/%"), inner),
                st.builds("{}.orValue({})".format, OPTIONALS, inner),
                st.builds("{}.or({}).orValue({})".format, OPTIONALS, OPTIONALS, inner),
                st.builds("(o.p ? {} : {})".format, inner, inner),
            ),
            max_leaves=3,
        )

    def truths(operands: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.recursive(
            st.one_of(
                operands,
                st.builds(
                    "{} {} {}".format, operands, st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "in"]), operands
                ),
                st.sampled_from(["has(o.p)", "has(o.q.type)", "has(o.r.p.q)", "has(o.?p.q)", "o.p != null"]),
                st.builds("{}.hasValue()".format, OPTIONALS),
                st.builds("{}.orValue(null) == null".format, OPTIONALS),
                st.builds("{}.optMap(r, r == {}).orValue({})".format, OPTIONALS, operands, operands),
                st.builds("{}.startsWith({})".format, operands, operands),
                st.builds("{}.endsWith({})".format, operands, operands),
                st.builds("{}.contains({})".format, operands, operands),
                st.builds("cel.bind(b, {}, {} == b || b != {})".format, operands, operands, operands),
            ),
            lambda inner: st.one_of(
                st.builds("({}) && ({})".format, inner, inner),
                st.builds("({}) || ({})".format, inner, inner),
                st.builds("!({})".format, inner),
                st.builds("(({}) ? ({}) : ({}))".format, inner, inner, inner),
            ),
            max_leaves=3,
        )

    outer, inside = truths(values(PATHS)), truths(values(LOOP_PATHS | PATHS))
    loops = st.builds("{}.{}(v, {})".format, PATHS, st.sampled_from(["all", "exists", "exists_one"]), inside)
    lists = st.one_of(
        st.builds("{}.filter(v, {}).size() == {}".format, PATHS, inside, st.sampled_from("012")),
        st.builds("({} in {}.map(v, {}))".format, values(PATHS), PATHS, values(LOOP_PATHS)),
    )
    parts = outer | loops | lists
    return parts | st.builds("({}) && ({})".format, parts, parts) | st.builds("!({})".format, parts)


def suits(text: str) -> ReadyWhen | None:
    try:
        ready_when = ReadyWhen(text)
        condition(ready_when.tree, "o", None)
    except (NotCarried, ValueError):
        return None
    return ready_when if ready_when.roots == ("o",) else None


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(expressions(), st.lists(OBJECTS, min_size=5, max_size=20))
def test_lua_is_true_where_cel_is_and_false_where_cel_is(argo: ArgoHealth, text: str, objects: list[Json]) -> None:
    for each in (text, f"!({text})"):
        ready_when = suits(each)
        if ready_when is not None:
            agree(argo, ready_when, objects)


VALUES_OF_P: list[Any] = [
    *(
        0,
        1,
        2,
        3,
        -1,
        -7,
        7,
        10,
        0.5,
        -2.5,
        2**53,
        True,
        False,
        "",
        "a",
        "b",
        "ab",
        "ba",
        "abc",
        "ä",
        "äb",
        "€",
        "7",
        "-7",
        "+7",
    ),
    *(
        "7.0",
        "x7",
        [1],
        [2, 1],
        [1, 2, 3],
        ["a"],
        ["a", "b"],
        [[1], [2]],
        {"a": 1},
        {"b": 1},
        {"a": 1, "b": 2},
        {"a": {"b": 1}},
    ),
]
"""For `p`; and it is absent once."""


@pytest.mark.parametrize(
    "text",
    [
        "o.p[0] == 1",
        "o.p[1] == 1",
        "o.p.a.b == 1",
        "has(o.p.a)",
        "!has(o.p.a)",
        "!has(o.p)",
        "has(o.?p.a)",
        "o.?p.?a.hasValue()",
        "!o.?p.?a.hasValue()",
        "o.?p.?a.orValue(5) == 5",
        "o.?p.?a.orValue(null) == null",
        "o.p.?a.or(o.p.?b).orValue(0) == 1",
        "o.?p.optMap(v, v == 1).orValue(true)",
        "o.?p.optFlatMap(v, v.?a).orValue(1) == 1",
        "o.p == 1",
        "o.p != 1",
        "!(o.p != 1)",
        "o.p == [1]",
        "o.p != [1, 2, 3]",
        "o.p == 'a' || o.p > 1",
        "o.p == 'a' && o.p > 'A'",
        "!(o.p > 1 && o.p < 9)",
        "!(o.p <= 'a' || o.p >= 'b')",
        "o.p < true || o.p < 0.75",
        "o.p in [1, 'a', true]",
        "!(o.p in [1, 'a', true])",
        "1 in o.p",
        "!('a' in o.p)",
        "o.p ? true : o.p == 1",
        "!(o.p == 1 ? o.p > 0 : o.p < 2)",
        "(o.p == 1 ? 'one' : 'other') == 'other'",
        "o.p.exists(v, v == 1)",
        "!o.p.exists(v, v == 1)",
        "o.p.exists(v, v > 1 || v == 'a')",
        "o.p.all(v, v > 0)",
        "!o.p.all(v, v > 1)",
        "o.p.exists_one(v, v == 1)",
        "!o.p.exists_one(v, v > 1)",
        "o.p.filter(v, v == 1) == [1]",
        "o.p.map(v, v == 'a')[0]",
        "o.p.map(v, v != 2, v)[0] == 1",
        "o.p.size() == 1",
        "size(o.p) != 2",
        "o.p.startsWith('a')",
        "!o.p.startsWith('a')",
        "o.p.endsWith('b')",
        "!o.p.endsWith('ab')",
        "o.p.contains('b')",
        "!o.p.contains('ä')",
        "int(o.p) == 7",
        "int(o.p) == -2 || int(o.p) == -7",
        "string(o.p) == '7'",
        "string(o.p) in ['true', '-2.5', '1']",
        "o.p + 1 == 8",
        "o.p + o.p > 2",
        "o.p + 'b' == 'ab'",
        "(o.p + [3])[0] == 1",
        "o.p - 1 == 0",
        "o.p * -2 == 14",
        "o.p / 2 == -3 || o.p / 2 == 1",
        "7 / o.p == -7 || -7 / o.p == -3",
        "o.p % 3 == -1",
        "7 % o.p == 1",
        "-7 % o.p == -1",
        "-o.p == 7",
        "cel.bind(b, o.p, b == 1 || b == 'a')",
        "!cel.bind(b, o.p.a, b == 1 && o.p.b == 2)",
        "(o.p == 1) == (o.p != 2)",
        "dyn(o.p) == 1",
        "optional.of(o.p).orValue(2) == 1",
    ],
)
def test_each_function_and_operator_says_what_cel_says(argo: ArgoHealth, text: str) -> None:
    ready_when = ReadyWhen(text)
    objects: list[Json] = [{}, *({"p": value} for value in VALUES_OF_P)]
    assert len({ready_when.holds(seen) for seen in objects}) == 2, "there is an object on each side"
    agree(argo, ready_when, objects)


@pytest.mark.parametrize(
    "text", ["o.p == o.q", "o.p != o.q", "o.p <= o.q", "o.p + 1 == o.q", "o.p in [o.q]", "int(o.p) > 0"]
)
def test_an_int_that_a_float_does_not_hold_is_nothing_to_go_on(argo: ArgoHealth, text: str) -> None:
    for p, q in ((2**53 + 1, 2**53), (2**53, 2**53 + 1), (2**53 + 1, 2**53 + 1)):
        assert verdict(argo, check_of(text), marked({"p": p, "q": q}))[0] == "Progressing"


@pytest.mark.parametrize(
    ("text", "seen", "is_ready"),
    [
        ('x.c.all(c, c.status == "True")', {"c": [None]}, True),
        ('x.m.all(k, x.m[k] == "x")', {"m": {"a": None}}, True),
        ("size(x.m) == 0", {"m": {"a": None}}, True),
        ("size(x.c) == 1", {"c": ["a", None]}, True),
        ('x.c[0] == "a"', {"c": [None, "a"]}, True),
        ("!has(x.e)", {"e": None}, True),
        ("has(x.e)", {"e": None}, False),
        ('"a" in x.m', {"m": {"a": None}}, False),
    ],
)
def test_a_null_that_no_schema_tells_of_is_nothing(argo: ArgoHealth, text: str, seen: Json, is_ready: bool) -> None:
    """As docs/hosts/argocd-health.md says: here Lua and CEL differ."""
    assert ReadyWhen(text).holds(seen) is not is_ready
    assert verdict(argo, check_of(text), marked(seen))[0] == ("Healthy" if is_ready else "Progressing")


# -- the check as a whole ---------------------------------------------------------------------------------------------

READY = "db.status.phase == 'Ready'"
NOT_YET: Json = {"metadata": {"generation": 2}, "status": {"phase": "Pending"}}
IS_READY: Json = {"metadata": {"generation": 2}, "status": {"phase": "Ready", "observedGeneration": 2}}


def verdict(argo: ArgoHealth, check: str, seen: Json) -> tuple[str, str]:
    (found,) = argo.judge(check, [seen])
    assert "error" not in found
    return found["status"], found["message"]


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (marked(NOT_YET), ("Progressing", f"node waits for {READY}")),
        (marked(IS_READY), ("Healthy", "node is ready")),
        (marked({"metadata": {"generation": 2}}), ("Progressing", f"node waits for {READY}")),
        (
            marked({**IS_READY, "status": {**IS_READY["status"], "observedGeneration": 1}}),
            ("Progressing", "node: its controller has not looked at generation 2 yet"),
        ),
        (marked({**IS_READY, "status": {"phase": "Ready"}}), ("Healthy", "node is ready")),
        (
            marked({**NOT_YET, "status": {"conditions": [{"type": "Stalled", "status": "True"}]}}),
            ("Degraded", f"node is stalled, and not ready: {READY}"),
        ),
        (
            marked({**NOT_YET, "status": {"conditions": [{"type": "Stalled", "status": "False"}]}}),
            ("Progressing", f"node waits for {READY}"),
        ),
        (
            marked(
                {**NOT_YET, "status": {"observedGeneration": 1, "conditions": [{"type": "Stalled", "status": "True"}]}}
            ),
            ("Progressing", "node: its controller has not looked at generation 2 yet"),
        ),
        (NOT_YET, ("Healthy", "")),
        (marked(NOT_YET, node="other"), ("Healthy", "")),
        (marked(NOT_YET, instance="kro.run/Apple/default/shop"), ("Healthy", "")),
        (marked(NOT_YET, instance="kro.run/App"), ("Healthy", "")),
        ({"metadata": {"annotations": ["x"], "labels": "y"}}, ("Progressing", None)),
        ({}, ("Healthy", "")),
        (
            {
                **NOT_YET,
                "metadata": {
                    "labels": {
                        "kro.run/owned": "true",
                        "kro.run/node-id": "node",
                        "kro.run/instance-group": "kro.run",
                        "kro.run/instance-kind": "App",
                    }
                },
            },
            ("Progressing", f"node waits for {READY}"),
        ),
    ],
)
def test_what_argo_cd_shows(argo: ArgoHealth, seen: Json, expected: tuple[str, str | None]) -> None:
    status, message = verdict(argo, check_of(READY), seen)
    assert (status, message if expected[1] is not None else None) == expected


def test_a_kind_with_an_observed_generation_is_not_judged_before_its_controller_was_there(argo: ArgoHealth) -> None:
    check = check_of("!has(db.status) || !has(db.status.error)", generations=True)
    assert verdict(argo, check, marked({"metadata": {"generation": 1}}))[0] == "Progressing"
    assert verdict(argo, check, marked({"metadata": {"generation": 1}, "status": {"phase": "x"}}))[0] == "Healthy"


def test_one_check_stands_for_the_nodes_of_several_rgds(argo: ArgoHealth) -> None:
    made = []
    for maker, node, name, text in (
        ("kro.run/App", "db", "db", "db.status.a == 1"),
        ("kro.run/App", "items", "each", "each.status.b == 1"),
        ("shops.example.com/App", "db", "db", "db.status.c == 1"),
    ):
        made.append(NodeCheck(maker, node, name, [Asked(text, condition(ReadyWhen(text).tree, name, None))]))
    check = script(made, generations=False)
    for instance, node, field in (
        ("kro.run/App/x/y", "db", "a"),
        ("kro.run/App/x/y", "items", "b"),
        ("shops.example.com/App//y", "db", "c"),
    ):
        assert verdict(argo, check, marked({"status": {field: 1}}, node, instance))[0] == "Healthy"
        assert verdict(argo, check, marked({"status": {field: 2}}, node, instance))[0] == "Progressing"


def test_what_can_never_be_ready_is_degraded(argo: ArgoHealth) -> None:
    check = script([NodeCheck(MAKER, "node", "node", [Asked("1 == 2", None)])], generations=False)
    assert verdict(argo, check, marked({})) == ("Degraded", "node can never be ready: 1 == 2")


@pytest.mark.parametrize(
    "text", ['o.p == "\\u2028\\u0007\\"]]\\\\ä"', "o.p == ']]'", "o.p == 'a\\nb' || o.q == \"x]\""]
)
def test_texts_are_what_they_are_whatever_stands_in_them(argo: ArgoHealth, text: str) -> None:
    ready_when = ReadyWhen(text)
    literals = ['\u2028\u0007"]]\\ä', "]]", "a\nb", "x]", "", "ä"]
    agree(argo, ready_when, [{name: value} for name in "pq" for value in literals])


BIG: Json = {
    "items": list(range(20_000)),
    "also": list(range(20_000)),
    "text": "x" * 500_000,
    "other": "x" * 500_000,
    "map": {f"k{i}": i for i in range(20_000)},
    "texts": ["xy" * 50] * 5_000,
    "long": ["xy" * 512] * 500,
}


@pytest.mark.parametrize(
    "text",
    [
        "o.items.exists(a, o.items.exists(b, a == b && a == -1))",
        "o.items.exists(a, o.items == o.also && a == -1)",
        "o.items.exists(a, o.items.filter(b, b in o.also).size() == 0)",
        "o.items.all(a, (o.items + o.also).size() > 0)",
        "o.items.all(a, a in o.also)",
        "o.items.all(a, !(-1 in o.also))",
        "o.map.all(a, o.map.exists(b, a == b))",
        "o.items.all(a, o.map.size() > 0)",
        "o.text.contains('zzz')",
        "o.text.size() == 1",
        "o.texts.exists(a, a.contains('zzz'))",
        "o.long.exists(a, a.endsWith('zzz'))",
        "o.items.exists(a, o.text < o.other)",
        "o.items.exists(a, o.text == o.other && a == -1)",
        "o.items.all(a, o.text.startsWith(o.other))",
        "o.items.all(a, o.text + o.other != 'x')",
    ],
)
def test_a_large_object_waits_rather_than_stop_the_application(argo: ArgoHealth, text: str) -> None:
    """Argo CD gives a check one second, and shows an error for the whole application where it takes longer."""
    assert verdict(argo, check_of(text), marked(BIG))[0] == "Progressing"


def test_the_largest_expressions_that_are_carried_run(argo: ArgoHealth) -> None:
    deep = "o.p"
    for _ in range(15):
        deep = f"[{deep}][0]"
    wide = " && ".join(f"o.p{i} == {i}" for i in range(400))
    many = "o.p in [" + ", ".join(map(str, range(2_000))) + "]"
    for text in (f"{deep} == 1", wide, many):
        ready_when = ReadyWhen(text)
        agree(argo, ready_when, [{"p": 1}, {"p": 3000}, {f"p{i}": i for i in range(400)}])


PLATFORM = """\
apiVersion: kro.run/v1alpha1
kind: ResourceGraphDefinition
metadata: {name: app}
spec:
  schema: {apiVersion: v1alpha1, kind: App, spec: {regions: "[]string"}}
  resources:
    - id: main
      readyWhen: ["${main.status.role == 'primary'}"]
      template: {apiVersion: db.example.com/v1, kind: Database, metadata: {name: "${schema.metadata.name}"}}
    - id: copies
      forEach: [{region: "${schema.spec.regions}"}]
      readyWhen: ["${each.status.role == 'copy'}"]
      template: {apiVersion: db.example.com/v1, kind: Database, metadata: {name: "${schema.metadata.name}-${region}"}}
    - id: spare
      template: {apiVersion: db.example.com/v1, kind: Database, metadata: {name: "${schema.metadata.name}-spare"}}
---
apiVersion: kro.run/v1alpha1
kind: App
metadata: {name: shop}
spec: {regions: [north, south]}
"""


@pytest.mark.parametrize("options", [[], ["--kro-labels"]], ids=["our-marks", "kro-labels"])
def test_what_is_rendered_is_judged_by_its_own_ready_when(argo: ArgoHealth, tmp_path: Path, options: list[str]) -> None:
    (tmp_path / "platform.yaml").write_text(PLATFORM)
    rendered = list(yaml.safe_load_all(rookery("render", str(tmp_path), *options)[1]))
    entries = yaml.safe_load(rookery("health", str(tmp_path), "--format", "argocd")[1])["data"]
    check = entries["resource.customizations.health.db.example.com_Database"]
    shown = {}
    for made in rendered:
        for role in ("", "primary", "copy"):
            status, message = verdict(argo, check, {**made, "status": {"role": role}})
            shown[made["metadata"]["name"], role] = status
            assert "failed" not in message
    healthy = {key for key, status in shown.items() if status == "Healthy"}
    assert set(shown.values()) == {"Healthy", "Progressing"}
    assert healthy == {
        ("shop", "primary"),
        ("shop-north", "copy"),
        ("shop-south", "copy"),
        *(("shop-spare", role) for role in ("", "primary", "copy")),
    }
