"""What an RGD must and must not say. Each row: the change to a sound RGD, the name of the problem, and where it stands."""

from __future__ import annotations

from typing import Any

import pytest

from krm_fn.program.build import build_program
from krm_fn.program.definition import Problem
from krm_fn.program.model import Program
from krm_fn.schema.kinds import Kinds


def rgd(*resources: dict[str, Any], **schema: Any) -> dict[str, Any]:
    return {
        "apiVersion": "kro.run/v1alpha1",
        "kind": "ResourceGraphDefinition",
        "metadata": {"name": "test"},
        "spec": {"schema": {"apiVersion": "v1alpha1", "kind": "Test", **schema}, "resources": list(resources)},
    }


def config(
    resource_id: str = "cm", *, data: Any = None, name: str = "${schema.metadata.name}", **more: Any
) -> dict[str, Any]:
    template = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data or {}}
    return {"id": resource_id, "template": template, **more}


def build(document: dict[str, Any]) -> tuple[Program | None, list[Problem]]:
    return build_program(document, Kinds())


def codes(document: dict[str, Any]) -> list[str]:
    return [problem.code for problem in build(document)[1]]


def template(**change: Any) -> dict[str, Any]:
    base = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}
    return {"id": "cm", "template": {k: v for k, v in {**base, **change}.items() if v is not None}}


def condition(name: str, status: str) -> str:
    return f'${{runtime.newCondition({{type: "{name}", status: "{status}"}})}}'


def lookup(name: str) -> str:
    return f'${{runtime.newCondition({{type: "Own", status: runtime.condition(schema, "{name}").status}})}}'


EXTERNAL = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shared"}}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        pytest.param(rgd(config()), [], id="sound"),
        pytest.param({**rgd(), "apiVersion": "kro.run/v1"}, ["unsupported-rgd-version"], id="another version"),
        pytest.param({**rgd(), "spec": {"resources": []}}, ["rgd-missing-field"], id="no schema"),
        pytest.param({**rgd(), "spec": []}, ["rgd-wrong-type"], id="spec is a list"),
        pytest.param(rgd(kind="test"), ["invalid-kind"], id="kind in lower case"),
        pytest.param(rgd(kind="Te-st"), ["invalid-kind"], id="kind with a dash"),
        pytest.param(rgd(apiVersion="1"), ["invalid-api-version"], id="version without v"),
        pytest.param(rgd(apiVersion="kro.run/v1"), ["invalid-api-version"], id="version with a group"),
        pytest.param(rgd(apiVersion="v2beta3"), [], id="beta"),
        pytest.param(rgd(scope="Global"), ["invalid-scope"], id="scope"),
        pytest.param(rgd(scope=""), ["invalid-scope"], id="empty scope"),
        pytest.param(rgd(scope=None), [], id="scope is null"),
        pytest.param(rgd(config("my-cm")), ["invalid-id"], id="id with a dash"),
        pytest.param(rgd(config("Cm")), ["invalid-id"], id="id with a capital"),
        pytest.param(rgd(config("spec")), ["reserved-word"], id="kro's word"),
        pytest.param(rgd(config("loop")), ["reserved-word"], id="CEL's word"),
        pytest.param(rgd(config("a"), config("a", name="b")), ["duplicate-id"], id="id twice"),
        pytest.param(
            rgd({**template(kind=None), "id": "a"}, config("a", name="b")),
            ["duplicate-id", "template-not-an-object"],
            id="id twice, and the first is unsound",
        ),
        pytest.param(rgd(config("a"), config("A1".lower())), [], id="two ids"),
        pytest.param(rgd({"id": "cm"}), ["template-missing"], id="neither template nor externalRef"),
        pytest.param(rgd({**config(), "externalRef": EXTERNAL}), ["template-and-external"], id="both"),
        pytest.param(rgd({"id": "x", "externalRef": EXTERNAL}), [], id="external"),
        pytest.param(
            rgd({"id": "x", "externalRef": {**EXTERNAL, "metadata": {}}}),
            ["external-name-or-selector"],
            id="external, nameless",
        ),
        pytest.param(rgd(template(apiVersion="a/b/c")), ["template-not-an-object"], id="apiVersion with two slashes"),
        pytest.param(rgd(template(kind="")), ["template-not-an-object"], id="empty kind"),
        pytest.param(rgd(template(kind="Config Map")), ["template-not-an-object"], id="kind with a blank"),
        pytest.param(rgd(template(kind="C" * 64)), ["template-not-an-object"], id="kind of 64 letters"),
        pytest.param(rgd(template(apiVersion=None)), ["template-not-an-object"], id="no apiVersion"),
        pytest.param(rgd(template(kind="${schema.spec.kind}")), ["template-not-an-object"], id="kind is an expression"),
        pytest.param(rgd(template(metadata=None)), ["template-not-an-object"], id="no metadata"),
        pytest.param(rgd(template(metadata={"generateName": "x-"})), ["generate-name"], id="generateName"),
        pytest.param(
            rgd(template(metadata={"name": "x", "labels": {"kro.run/x": "y"}})), ["reserved-label"], id="kro's label"
        ),
        pytest.param(
            rgd(
                {
                    "id": "ns",
                    "template": {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x", "namespace": "y"}},
                }
            ),
            ["namespace-on-cluster-scoped"],
            id="a namespace in a namespace",
        ),
        pytest.param(
            rgd(config(), scope="Cluster"), ["namespace-missing"], id="cluster-scoped instance, namespaced child"
        ),
        pytest.param(rgd(config(data={"a": "${nope.x}"})), ["unknown-reference"], id="an id that is not there"),
        pytest.param(rgd(config(data={"a": "${cm.data.b}"})), ["self-reference"], id="itself"),
        pytest.param(rgd(config(data={"a": "${each}"})), ["reference-not-allowed"], id="each outside readyWhen"),
        pytest.param(
            rgd(config(data={"a": "${runtime.condition(schema, 'Ready')}"})), ["reference-not-allowed"], id="runtime"
        ),
        pytest.param(rgd(config(data={"a": "${noSuch(1)}"})), ["unknown-function"], id="a function that is not there"),
        pytest.param(
            rgd(config(data={"a": "${[1].mapp(x, x)}"})), ["unknown-function"], id="a macro misspelt hides its names"
        ),
        pytest.param(
            rgd(config(data={"a": "${schema.spec.b}"}), spec={"a": "string"}),
            ["undefined-field"],
            id="an undeclared field",
        ),
        pytest.param(rgd(config(data={"a": "${schema.status.b}"})), ["undefined-field"], id="the instance's status"),
        pytest.param(
            rgd(config(data={"a": "${schema.spec.o.any.thing}"}), spec={"o": "object"}), [], id="a free object"
        ),
        pytest.param(rgd(config(data={"a": "${schema.spec.m.any}"}), spec={"m": "map[string]string"}), [], id="a map"),
        pytest.param(rgd(config(data={"a": "${1 +}"})), ["cel-syntax"], id="broken CEL"),
        pytest.param(rgd(config(data={"a": "${1 + ${2}}"})), ["template-syntax"], id="nested ${}"),
        pytest.param(rgd(config(includeWhen=["true"])), ["not-an-expression"], id="includeWhen without ${}"),
        pytest.param(rgd(config(includeWhen=[True])), ["rgd-wrong-type"], id="includeWhen is a bool"),
        pytest.param(rgd(config(includeWhen=["${omit()}"])), ["omit-outside-template"], id="omit in includeWhen"),
        pytest.param(
            rgd(config(readyWhen=["${schema.spec.x}"])), ["reference-not-allowed"], id="readyWhen sees itself only"
        ),
        pytest.param(rgd(config(readyWhen=["${cm.data.x == 'y'}"])), [], id="readyWhen of itself"),
        pytest.param(rgd(config(name="${omit()}")), ["omit-in-identity"], id="omit at the name"),
        pytest.param(rgd(config(data="${omit()}")), [], id="omit at a field"),
        pytest.param(
            rgd(config(forEach=[{"x": "${schema.spec.xs}"}]), spec={"xs": "[]string"}),
            ["foreach-not-in-identity"],
            id="all items would be one object",
        ),
        pytest.param(
            rgd(config(name="${x}", forEach=[{"x": "${schema.spec.xs}"}]), spec={"xs": "[]string"}), [], id="forEach"
        ),
        pytest.param(
            rgd(config(name="${x}${y}", forEach=[{"x": "${schema.spec.xs}"}, {"y": "${x}"}]), spec={"xs": "[]string"}),
            ["unknown-reference"],
            id="dimensions are independent",
        ),
        pytest.param(
            rgd(config(forEach=[{"x": "${1}", "y": "${2}"}])), ["foreach-dimension"], id="two variables in one entry"
        ),
        pytest.param(
            rgd(config("x", name="${x}", forEach=[{"x": "${['a']}"}])), ["foreach-name-clash"], id="variable = id"
        ),
        pytest.param(rgd(status={"a": "plain"}), ["status-without-expression"], id="status without expression"),
        pytest.param(rgd(status={"a": "${1 + 1}"}), ["status-without-reference"], id="status of nothing"),
        pytest.param(
            rgd(config(), status={"a": "${cm.data.x}", "b": {"c": ["${schema.spec.y}"]}}, spec={"y": "string"}),
            [],
            id="status",
        ),
        pytest.param(rgd(status={"conditions": {}}), ["rgd-wrong-type"], id="conditions is a mapping"),
        pytest.param(
            rgd(status={"conditions": [condition("A", "True"), condition("B", "Unknown")]}), [], id="conditions"
        ),
        pytest.param(
            rgd(status={"conditions": [condition("A", "yes")]}), ["invalid-condition"], id="a status of its own"
        ),
        pytest.param(
            rgd(status={"conditions": [condition("", "True")]}), ["invalid-condition"], id="a condition without a type"
        ),
        pytest.param(
            rgd(status={"conditions": [condition("A", "True"), condition("A", "False")]}),
            ["invalid-condition"],
            id="a type twice",
        ),
        pytest.param(rgd(status={"conditions": [lookup("Ready")]}), [], id="kro's own condition is read"),
        pytest.param(
            rgd(status={"conditions": [lookup("Nope")]}), ["invalid-condition"], id="a condition that is not there"
        ),
        pytest.param(
            rgd(status={"conditions": [condition("A", "True"), lookup("A")]}),
            ["invalid-condition"],
            id="conditions read each other",
        ),
        pytest.param(
            rgd(
                config("a", data={"x": "${b.data.x}"}),
                config("b", data={"x": "${c.data.x}"}),
                config("c", data={"x": "${a.data.x}"}),
            ),
            ["dependency-cycle"],
            id="a cycle",
        ),
        pytest.param({**rgd(), "specs": 1}, ["rgd-unknown-field"], id="a typo is a warning"),
        pytest.param(rgd(spec={"a": "strin"}), ["type-unknown"], id="a type that is not there"),
    ],
)
def test_verdict(document: dict[str, Any], expected: list[str]) -> None:
    program, problems = build(document)
    assert [problem.code for problem in problems] == expected
    assert (program is None) == any(problem.severity == "error" for problem in problems)


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        pytest.param({"selector": {}}, [], id="all of a kind"),
        pytest.param({"selector": {"matchLabels": None, "matchExpressions": None}}, [], id="null is absent"),
        pytest.param({"selector": {"matchLabels": {"a": "${schema.spec.a}"}}}, [], id="a computed label"),
        pytest.param({"selector": {"matchLabels": {"a": 1}}}, ["rgd-wrong-type"], id="label that is a number"),
        pytest.param({"selector": {"matchLabels": []}}, ["rgd-wrong-type"], id="labels in a list"),
        pytest.param({"selector": {"matchExpressions": {}}}, ["rgd-wrong-type"], id="requirements in a mapping"),
        pytest.param({"selector": {"matchExpressions": ["a"]}}, ["rgd-wrong-type"], id="requirement that is a text"),
        pytest.param(
            {"selector": {"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}}, [], id="requirement"
        ),
        pytest.param({"selector": {"matchExpressions": [{"key": "a"}]}}, ["rgd-missing-field"], id="no operator"),
        pytest.param({"selector": {"matchExpressions": [{"operator": "Exists"}]}}, ["rgd-missing-field"], id="no key"),
        pytest.param(
            {"selector": {"matchExpressions": [{"key": "a", "operator": "In", "values": "b"}]}},
            ["rgd-wrong-type"],
            id="values that are a text",
        ),
        pytest.param(
            {"selector": {"matchExpressions": [{"key": "a", "operator": "In", "values": [1]}]}},
            ["rgd-wrong-type"],
            id="value that is a number",
        ),
    ],
)
def test_selectors_of_external_references(metadata: dict[str, Any], expected: list[str]) -> None:
    external = {"id": "some", "externalRef": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}}
    assert codes(rgd(external, spec={"a": "string"})) == expected


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        pytest.param({"name": "my-app.example.com"}, [], id="a name with dots"),
        pytest.param({"name": "My App"}, ["invalid-name"], id="a name with a blank"),
        pytest.param({"name": "-a"}, ["invalid-name"], id="a name that begins with a dash"),
        pytest.param({"name": "a" * 254}, ["invalid-name"], id="a name of 254 letters"),
        pytest.param({"labels": {"example.com/a.b_c": "X.y_z-1", "a": "", "b": None}}, [], id="labels"),
        pytest.param({"labels": None, "annotations": {}}, [], id="no labels"),
        pytest.param({"labels": ["a"]}, ["rgd-wrong-type"], id="labels in a list"),
        pytest.param({"labels": {"a": 1}}, ["rgd-wrong-type"], id="a label that is a number"),
        pytest.param({"annotations": {"a": True}}, ["rgd-wrong-type"], id="an annotation that is a boolean"),
        pytest.param({"labels": {"a b": "c"}}, ["invalid-label"], id="a key with a blank"),
        pytest.param({"labels": {"/a": "c"}}, ["invalid-label"], id="a key without its domain"),
        pytest.param({"labels": {"a/b/c": "d"}}, ["invalid-label"], id="a key with two slashes"),
        pytest.param({"labels": {"A.com/a": "b"}}, ["invalid-label"], id="a domain in capitals"),
        pytest.param({"annotations": {"A.com/a": "b c é"}}, [], id="of annotations neither counts"),
        pytest.param({"labels": {"a": "b c"}}, ["invalid-label"], id="a label with a blank"),
        pytest.param({"labels": {"a": "b" * 64}}, ["invalid-label"], id="a label of 64 letters"),
        pytest.param({"annotations": {"a": "b" * 262_144}}, ["invalid-label"], id="annotations without end"),
    ],
)
def test_names_and_labels_of_the_definition_itself(metadata: dict[str, Any], expected: list[str]) -> None:
    document = rgd(config())
    assert codes({**document, "metadata": {**document["metadata"], **metadata}}) == expected


def test_an_empty_namespace_of_an_external_reference_is_none() -> None:
    external = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shared", "namespace": ""}}
    assert codes(rgd({"id": "some", "externalRef": external})) == []


def test_all_problems_are_found_at_once() -> None:
    document = rgd(config("a", data={"x": "${nope}"}), config("Bad"), kind="low", apiVersion="x")
    assert sorted(codes(document)) == ["invalid-api-version", "invalid-id", "invalid-kind", "unknown-reference"]


def test_a_problem_points_into_its_expression() -> None:
    [problem] = build(rgd(config(data={"key": "see ${ schema.spec.a + nope.b }"})))[1]
    assert problem.path == ("spec", "resources", 0, "template", "data", "key")
    assert "see ${ schema.spec.a + nope.b }"[problem.offset : problem.offset + problem.length] == "nope"


def test_the_nearest_name_is_offered() -> None:
    [problem] = build(rgd(config("deployment"), config("other", data={"x": "${deploymnet.data.y}"})))[1]
    assert "deployment" in problem.help


def test_a_cycle_is_named_in_full() -> None:
    [problem] = build(rgd(config("a", data={"x": "${b.data.x}"}), config("b", data={"x": "${a.data.x}"})))[1]
    assert "a -> b -> a" in problem.message


def test_dependencies_come_from_template_for_each_and_include_when() -> None:
    program, _ = build(
        rgd(
            config("one"),
            config("two", name="two"),
            config("three", name="three"),
            config(
                "all",
                name="${x}-${one.metadata.name}",
                forEach=[{"x": "${two.data.map(k, k)}"}],
                includeWhen=["${three.data.on == 'yes'}"],
                readyWhen=["${each.data.x == 'y'}"],
            ),
        )
    )
    assert program is not None
    assert program.nodes["all"].dependencies == ["one", "two", "three"]
    assert program.order == ["one", "two", "three", "all"]
    assert [name for name, node in program.nodes.items() if node.asked is not None] == ["one", "two", "three", "all"]


def test_one_text_is_evaluated_once_an_instance() -> None:
    program, _ = build(
        rgd(
            config("a", data={"x": "${schema.spec.v}", "y": "${schema.spec.v}"}),
            config("b", name="${schema.spec.v}"),
            spec={"v": "string"},
        )
    )
    assert program is not None
    assert len(program.nodes["a"].values) == 2
    assert program.slots == 2


def test_an_owner_reference_to_the_instance_is_left_out_with_a_note() -> None:
    owner = {"apiVersion": "kro.run/v1alpha1", "kind": "Test", "name": "x", "uid": "${schema.metadata.uid}"}
    other = {"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "1234"}
    program, problems = build(rgd(template(metadata={"name": "x", "ownerReferences": [owner, other]})))
    assert [problem.code for problem in problems] == ["owner-reference-removed"]
    assert program is not None
    assert program.nodes["cm"].template["metadata"]["ownerReferences"] == [other]


def test_what_expressions_look_at_is_known_beforehand() -> None:
    program, _ = build(
        rgd(
            config("a"),
            config("b", name="b", data={"x": "${a.metadata.name}", "y": "${a.data.k.lowerAscii()}"}),
            config("c", name="c"),
        )
    )
    assert program is not None
    asked = program.nodes["a"].asked
    assert asked is not None
    assert asked.fields is not None
    assert list(asked.fields) == ["metadata", "data"]
    assert program.nodes["c"].asked is None
