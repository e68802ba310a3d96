"""What an author may have meant, wherever a name is chosen from a known set; and no consequence is said beside its cause."""

from __future__ import annotations

import pytest

from tests.rendering import config_map, instance, render, rgd

SPEC = "{x: string | default=y, list: '[]string | default=[]'}"


def helps(*texts: str) -> list[tuple[str, str]]:
    return [(finding.code, finding.help) for finding in render(*texts).findings]


def in_data(expression: str) -> str:
    return rgd(config_map("cm", f"{{a: '${{{expression}}}'}}") + config_map("other"), spec=SPEC)


SUGGESTIONS = [
    pytest.param(in_data("schema.spec.lst"), "undefined-field", "did you mean 'list'?", id="a field"),
    pytest.param(in_data("schma.spec.x"), "unknown-reference", "did you mean 'schema'?", id="schema"),
    pytest.param(in_data("othr.metadata.name"), "unknown-reference", "did you mean 'other'?", id="a resource"),
    pytest.param(
        in_data("schema.spec.list.map(item1, itm1)"), "unknown-reference", "did you mean 'item1'?", id="a macro's variable"
    ),
    pytest.param(in_data("schema.spec.x.upperAsci()"), "unknown-function", "did you mean 'upperAscii'?", id="a method"),
    pytest.param(in_data("sise(schema.spec.x)"), "unknown-function", "did you mean 'size'?", id="a function"),
    pytest.param(in_data("schema.spec.list.fitler(v, true)"), "unknown-function", "did you mean 'filter'?", id="a macro"),
    pytest.param(
        in_data("jsn.marshal(schema.spec.x)"), "unknown-function", "did you mean 'json.marshal'?", id="a namespace"
    ),
    pytest.param(
        in_data("cel.bnd(v, 1, string(v))"), "unknown-function", "did you mean 'cel.bind'?", id="a macro with a namespace"
    ),
    pytest.param(rgd("", spec="{x: '${1}'}"), "type-unknown", "an expression computes a field of the status, not of the spec", id="an expression"),
    pytest.param(rgd("", spec="{x: strng}"), "type-unknown", "did you mean 'string'?", id="a type"),
    pytest.param(
        rgd("", spec="{x: Prt}", more="types: {Port: {number: integer}}"), "type-unknown", "did you mean 'Port'?",
        id="a custom type",
    ),
    pytest.param(rgd("", spec="{x: string | requird=true}"), "marker-unknown", "did you mean 'required'?", id="a marker"),
    pytest.param(
        rgd("", spec="{x: '[]P | listType=map listMapKey=nmae'}", more="types: {P: {name: string | required=true}}"),
        "marker-refused", "did you mean 'name'?", id="a key of a list",
    ),
    pytest.param(
        rgd("", spec="{x: 'string | validation=\"slf.size() > 1\"'}"), "rule-invalid", "did you mean 'self'?",
        id="a name in a rule",
    ),
    pytest.param(
        rgd("", spec="{x: 'string | validation=\"self.sise() > 1\"'}"), "rule-invalid", "did you mean 'size'?",
        id="a function in a rule",
    ),
    pytest.param(
        rgd("", spec="{x: P | validation=self.prot>1}", more="types: {P: {port: integer | default=2}}"),
        "rule-invalid", "did you mean 'port'?", id="a field in a rule",
    ),
    pytest.param(
        rgd(config_map("cm").replace("ConfigMap", "ConfigMpa")), "unknown-kind", "did you mean ConfigMap (v1)?",
        id="a built-in kind",
    ),
    pytest.param(
        rgd(config_map("cm").replace("ConfigMap", "Deployment")), "unknown-kind", "Deployment is served as apps/v1",
        id="a built-in kind of another group",
    ),
    pytest.param(
        rgd(config_map("cm").replace("v1", "apps/v1")), "unknown-kind",
        "ConfigMap is served as v1", id="a built-in kind of the core group",
    ),
    pytest.param(
        rgd(config_map("cm")).replace("spec:\n  schema", "spec:\n  scema: {}\n  schema"), "rgd-unknown-field",
        "did you mean 'schema'?", id="a field of the RGD",
    ),
    pytest.param(
        rgd(config_map("cm")).replace("apiVersion: v1alpha1\n", "apiversion: v1alpha1\n"), "rgd-missing-field",
        "is 'apiversion' meant to be 'apiVersion'?", id="a field that is missing since it is misspelt",
    ),
    pytest.param(
        rgd(config_map("cm"), more="scope: cluster"), "invalid-scope", "did you mean 'Cluster'?", id="a scope"
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code", "meant"), SUGGESTIONS)
def test_a_misspelt_name_of_an_rgd_is_recognised(text: str, code: str, meant: str) -> None:
    assert (code, meant) in helps(text)


RGD = rgd(config_map("cm"), spec="{size: 'string | enum=\"small,medium,large\" default=small'}")


@pytest.mark.parametrize(
    ("text", "code", "meant"),
    [
        pytest.param(instance("{sise: small}"), "instance-unknown-field", "did you mean 'size'?", id="a field"),
        pytest.param(instance("{size: smal}"), "instance-not-in-enum", "did you mean 'small'?", id="a value"),
        pytest.param(instance() + "spce: {}\n", "instance-unknown-field", "did you mean 'spec'?", id="a field of its own"),
        pytest.param(instance(kind="Appp"), "rgd-missing", "did you mean 'App'?", id="a kind"),
        pytest.param(
            instance(kind="ResourceGraphDefintion"), "rgd-missing", "did you mean 'ResourceGraphDefinition'?", id="an RGD"
        ),
    ],
)  # fmt: skip
def test_a_misspelt_name_of_an_instance_is_recognised(text: str, code: str, meant: str) -> None:
    assert (code, meant) in helps(RGD, text)


def test_an_instance_of_the_wrong_group_is_told_the_right_one() -> None:
    text = rgd(config_map("cm"), more="group: example.com")
    assert helps(text, instance()) == [("rgd-missing", "the App of the input is of group example.com")]


def test_a_template_of_another_rgds_kind_is_told_that_kind() -> None:
    nested = config_map("cm").replace("v1\n", "kro.run/v1alpha1\n").replace("ConfigMap", "Appp")
    assert ("unknown-kind", "did you mean App (kro.run/v1alpha1)?") in helps(RGD, rgd(nested, kind="Outer"))


def test_a_misspelt_spec_that_nobody_uses_is_a_warning() -> None:
    """kro drops the field, and accepts the rest."""
    assert helps(rgd(config_map("cm"), spec=SPEC).replace("  spec:", "  sepc:")) == [
        ("rgd-unknown-field", "did you mean 'spec'?")
    ]


@pytest.mark.thorough
def test_hostile_input_cannot_buy_more_than_the_allowance() -> None:
    """A suggestion looks at every name there is: at some point mistakes are reported without."""
    names = [f"{'field' * 8}{i:05}" for i in range(500)]
    spec = f"{{{', '.join(f'{name}: string' for name in names)}}}"
    data = ", ".join(f"{name}: '${{schema.spec.x{name}}}'" for name in names)
    hints = ["did you mean" in help_ for _, help_ in helps(rgd(config_map("cm", f"{{{data}}}"), spec=spec))]
    assert (len(hints), hints[0], hints[-1]) == (500, True, False)
    assert "did you mean 'list'?" in [help_ for _, help_ in helps(in_data("schema.spec.lst"))], "a new run begins anew"


CONSEQUENCES = [
    pytest.param(
        rgd(config_map("my-cm", name="a") + config_map("other", '{a: "${my-cm.metadata.name}"}')),
        ["invalid-id"],
        id="an id that CEL cannot spell, and a reference to it",
    ),
    pytest.param(
        rgd(config_map("cm", name="${itm}", more='forEach: [{item1: "${schema.spec.list}"}]'), spec=SPEC),
        ["unknown-reference"],
        id="a loop variable that is misspelt where it makes names differ",
    ),
    pytest.param(
        rgd(config_map("cm", name="${item1 +}", more='forEach: [{item1: "${schema.spec.list}"}]'), spec=SPEC),
        ["cel-syntax"],
        id="a name that is no expression, and the loop variable in it",
    ),
    pytest.param(
        rgd(config_map("cm", name="${a1}${b1}", more="forEach: [{a1: '${[1]}', b1: '${[2]}'}]")),
        ["foreach-dimension"],
        id="two loop variables in one entry, and their use",
    ),
    pytest.param(
        rgd(config_map("cm", name="${a1}", more="forEach: [{a1: [x]}]")),
        ["rgd-wrong-type"],
        id="a loop variable without an expression, and its use",
    ),
    pytest.param(
        rgd("- id: cm\n  externalRef: {apiVersion: v1, kind: ConfigMap}"),
        ["rgd-missing-field"],
        id="metadata that is missing, and the name in it",
    ),
    pytest.param(
        rgd("- id: cm\n  externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {name: 3}}"),
        ["rgd-wrong-type"],
        id="a name of the wrong type, which is none",
    ),
    pytest.param(
        rgd("- id: cm\n  externalRef: []"), ["rgd-wrong-type"], id="an externalRef of the wrong type, and its fields"
    ),
    pytest.param(
        rgd(config_map("cm")).replace("    kind: App\n", "") + "---\n" + instance(),
        ["rgd-missing-field"],
        id="an RGD without a kind, and its instance",
    ),
    pytest.param(
        rgd(config_map("cm")).replace("    kind: App\n", "    knid: App\n"),
        ["rgd-missing-field"],
        id="a field that is missing, and its misspelling",
    ),
    pytest.param(
        rgd(config_map("cm", "{a: '${schema.spec.x}', b: '${schema.spec.list}'}"), spec=SPEC).replace(
            "  spec:", "  sepc:"
        ),
        ["rgd-missing-field"],
        id="a misspelt spec, and the use of its fields",
    ),
    pytest.param(
        rgd(config_map("cm"), status="{a: '${cm.metadata.name}', b: '${cm.kind}'}").replace("resources:", "resource:"),
        ["rgd-missing-field"],
        id="misspelt resources, and references to them",
    ),
    pytest.param(
        rgd(config_map("cm"), status="{a: '${cm.metadata.name}'}").replace("- id: cm", "  id: cm"),
        ["rgd-wrong-type"],
        id="resources that are no list, and references to them",
    ),
    pytest.param(
        rgd(config_map("cm") + config_map("other", "{a: '${cm.metadata.name}'}")).replace("- id: cm", "- di: cm"),
        ["rgd-missing-field", "rgd-unknown-field"],
        id="an id that is missing, and references to what may be it",
    ),
    pytest.param(
        rgd(config_map("cm")).replace("metadata: {name: app}", "metadata: app"),
        ["rgd-wrong-type"],
        id="metadata of the wrong type, and the name in it",
    ),
    pytest.param(
        in_data("json.marsahl(schema.spec.list)"),
        ["unknown-function"],
        id="a function that is misspelt behind its namespace, and the namespace",
    ),
    pytest.param(
        in_data("schema.spec.list.fitler(v, v != w)"),
        ["unknown-function"],
        id="a macro that is misspelt, and the names that it binds",
    ),
    pytest.param(
        rgd(config_map("cm", "{a: '${schema.spec.x.upperAscii()}'}"), spec="{x: strng}"),
        ["type-unknown"],
        id="a field whose type is wrong, and its use",
    ),
]


@pytest.mark.parametrize(("text", "codes"), CONSEQUENCES)
def test_what_follows_from_a_problem_is_not_said(text: str, codes: list[str]) -> None:
    assert render(text).codes == codes


def test_instances_of_a_sound_rgd_are_judged_beside_a_broken_one() -> None:
    """All problems in one run, although nothing is rendered."""
    broken = rgd(config_map("cm", '{a: "${1 +}"}'), kind="Broken")
    assert render(RGD, broken, instance("{size: huge}")).codes == ["cel-syntax", "instance-not-in-enum"]
