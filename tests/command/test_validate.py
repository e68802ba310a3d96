"""`rookery validate`: all that is wrong, one line when nothing is, and the second opinion beside our own engine."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from krm_fn.command import EXIT_OK, EXIT_REFUSED, EXIT_USAGE, second_opinion
from tests.command.test_render import WEB, rookery
from tests.rendering import config_map, instance, rgd


@pytest.fixture
def package(tmp_path: Path) -> Path:
    template = """{
  a: "${schema.spec.x}", b: "${schema.spec.x + string(schema.spec.count)}", c: "${schema.spec.x.upperAscii()}"
}"""
    (tmp_path / "rgd.yaml").write_text(
        rgd(config_map("cm", template), spec="{x: string | default=y, count: integer | default=2}")
    )
    (tmp_path / "instance.yaml").write_text(instance())
    return tmp_path


def test_what_is_valid_is_one_line() -> None:
    assert rookery("validate", WEB) == (EXIT_OK, "1 ResourceGraphDefinition, 1 instance: valid\n", "")


def test_every_problem_of_every_file_is_reported(package: Path) -> None:
    (package / "other.yaml").write_text(
        rgd(config_map("cm", '{a: "${schema.spec.nope}", b: "${1 +}"}'), kind="Other", spec="{x: string}")
    )
    code, out, err = rookery("validate", str(package))
    assert (code, out) == (EXIT_REFUSED, "")
    assert "error[undefined-field]" in err
    assert "error[cel-syntax]" in err


def test_a_kind_that_nobody_knows_is_an_error(package: Path) -> None:
    (package / "rgd.yaml").write_text(rgd(config_map("cm", "{a: b}").replace("apiVersion: v1", "apiVersion: v1beta1")))
    code, out, err = rookery("validate", str(package))
    assert (code, out) == (EXIT_REFUSED, "")
    assert "error[unknown-kind]: ConfigMap of v1beta1 is not known here: it is not checked" in err
    assert "help: ConfigMap is served as v1" in err


def test_a_crd_that_an_api_server_refuses_leaves_its_kind_unchecked(package: Path) -> None:
    thing = '- id: x\n  template: {apiVersion: x.y/v1, kind: Thing, metadata: {name: "${schema.metadata.name}"}}\n'
    (package / "rgd.yaml").write_text(rgd(thing))
    (package / "crd.yaml").write_text(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.x.y}\nspec:\n"
        "  group: x.y\n  scope: Namespaced\n  names: {kind: Thing, plural: things}\n  versions:\n"
        "  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: string}}}\n"
    )
    code, out, err = rookery("validate", str(package))
    assert (code, out) == (EXIT_REFUSED, "")
    assert f"{package}/crd.yaml:9:78: error[crd-not-structural]: type must be object at the root" in err
    assert "in CustomResourceDefinition/things.x.y at spec.versions[0].schema.openAPIV3Schema.type" in err
    code, _, err = rookery("render", str(package))
    assert code == EXIT_OK, err


@pytest.mark.parametrize("command", ["validate", "render"])
def test_the_nearest_version_stands_for_one_of_which_nothing_is_known(package: Path, command: str) -> None:
    code, _, err = rookery(command, str(package), "--kube-version", "v1.36.2")
    assert code == EXIT_OK
    assert err == (
        "warning[kube-version-unknown]: nothing is known of Kubernetes 1.36: kinds and their schemas are those of 1.35\n"
        "   help: known here are 1.33, 1.34, 1.35\n"
    )


def test_strict_refuses_what_is_known_of_another_version_alone(package: Path) -> None:
    code, out, err = rookery("render", str(package), "--kube-version", "1.36", "--strict")
    assert (code, out) == (EXIT_REFUSED, "")
    assert err.startswith("error[kube-version-unknown]")


def test_an_instance_that_its_schema_refuses_is_not_valid(package: Path) -> None:
    (package / "instance.yaml").write_text(instance(spec="{x: [1]}"))
    code, out, err = rookery("validate", str(package))
    assert (code, out) == (EXIT_REFUSED, "")
    assert "instance.yaml:" in err
    assert "spec.x" in err


def test_no_definition_is_nothing_to_validate(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
    code, out, err = rookery("validate", str(tmp_path))
    assert (code, out) == (EXIT_REFUSED, "")
    assert "error[nothing-to-validate]" in err


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        pytest.param(["validate"], "validate needs a PATH", id="no path"),
        pytest.param(["validate", WEB, "--second"], "did you mean --second-opinion?", id="a typo"),
        pytest.param(
            ["validate", WEB, "--kube-version", "new"],
            "--kube-version is a version of Kubernetes, such as 1.35 or v1.35.0, not 'new'",
            id="no version",
        ),
        pytest.param(["validate", WEB, "--format", "jsn"], "did you mean json?", id="a format that is not there"),
        pytest.param(
            ["validate", WEB, "--against", WEB, "--format", "json", "--changes-format", "json"],
            "choose one of them",
            id="two documents on stdout",
        ),
        pytest.param(["valdate", WEB], "did you mean 'validate'?", id="a command that is not there"),
    ],
)
def test_usage_errors_exit_2(argv: list[str], says: str) -> None:
    code, out, err = rookery(*argv)
    assert (code, out) == (EXIT_USAGE, "")
    assert says in err


def test_help_is_on_stdout() -> None:
    code, out, err = rookery("validate", "--help")
    assert (code, err) == (EXIT_OK, "")
    assert out.startswith("usage: rookery validate PATH...")


# -- formats ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def broken(package: Path) -> str:
    (package / "other.yaml").write_text(rgd(config_map("cm", '{a: "${schema.spec.nope}"}'), kind="Other"))
    return str(package)


@pytest.mark.parametrize("form", ["json", "sarif", "github"])
def test_a_format_for_programs_is_on_stdout_and_alone_there(broken: str, form: str) -> None:
    code, out, err = rookery("validate", "--format", form, broken)
    assert (code, err) == (EXIT_REFUSED, "")
    assert "undefined-field" in out
    if form != "github":
        json.loads(out)


@pytest.mark.parametrize("form", ["json", "sarif", "github"])
def test_what_is_valid_leaves_an_empty_document(form: str) -> None:
    code, out, err = rookery("validate", f"--format={form}", WEB)
    assert (code, err) == (EXIT_OK, "1 ResourceGraphDefinition, 1 instance: valid\n")
    assert "error" not in out if form == "github" else json.loads(out)


def test_what_cannot_be_read_is_reported_in_the_format_too() -> None:
    code, out, err = rookery("validate", "--format", "json", "-", stdin="a: [")
    assert (code, err) == (EXIT_REFUSED, "")
    assert [found["code"] for found in json.loads(out)["diagnostics"]] == ["yaml-syntax"]


def test_what_changed_stands_beside_a_format_for_programs() -> None:
    code, out, err = rookery("validate", "--against", WEB, "--format", "json", WEB)
    assert (code, json.loads(out)["diagnostics"]) == (EXIT_OK, [])
    assert err.startswith("1 ResourceGraphDefinition, 1 instance: valid\ncompared with ")


def test_text_is_the_default(broken: str) -> None:
    assert rookery("validate", broken) == rookery("validate", "--format", "text", broken)


def test_paths_are_those_that_were_given(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (package / "instance.yaml").write_text(instance(spec="{x: [1]}"))
    monkeypatch.chdir(package)
    _, out, _ = rookery("validate", "--format", "json", ".")
    assert [found["position"]["file"] for found in json.loads(out)["diagnostics"]] == ["instance.yaml"]


# -- the second opinion -----------------------------------------------------------------------------------------------


def test_the_second_opinion_counts_what_it_compared_and_what_not(package: Path) -> None:
    code, out, err = rookery("validate", "--second-opinion", str(package))
    assert (code, err) == (EXIT_OK, "")
    assert out.splitlines()[1:] == [
        "second opinion of cel-python: 3 expressions compared, 0 different",
        "not compared: 1 (1 function upperAscii)",
    ]


def test_what_is_unknown_is_not_compared(package: Path) -> None:
    (package / "rgd.yaml").write_text(
        rgd(config_map("cm", '{x: "${schema.metadata.uid}"}'), spec="{x: string | default=y}")
    )
    code, out, _ = rookery("validate", "--second-opinion", str(package))
    assert code == EXIT_OK
    assert "(1 not fully known)" in out


def test_a_difference_is_a_warning_at_the_expression(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The two do not differ here by themselves: cel-python's answer is bent."""

    def bent(_node: Any, text: str, _bindings: Any) -> Any:
        return "y" * 100 if "string(" in text else second_opinion.FAILED

    monkeypatch.setattr(second_opinion, "second_opinion", bent)
    code, out, err = rookery("validate", "--second-opinion", str(package))
    assert code == EXIT_OK
    assert "4 expressions compared, 4 different" in out
    assert err.count("warning[second-opinion-differs]") == 4
    assert f"'y2' here is '{'y' * 59}… in cel-python" in err
    assert "'y' here is an error in cel-python" in err
    assert "rgd.yaml:" in err


def test_values_of_a_secret_are_not_shown(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        (package / "rgd.yaml")
        .read_text()
        .replace("kind: ConfigMap", "kind: Secret")
        .replace("  data:", "  stringData:")
    )
    (package / "rgd.yaml").write_text(text)
    monkeypatch.setattr(second_opinion, "second_opinion", lambda *_: "hidden")
    code, _, err = rookery("validate", "--second-opinion", str(package))
    assert code == EXIT_OK
    assert "a string here is a string in cel-python" in err
    assert "hidden" not in err


def test_without_cel_python_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    code, out, err = rookery("validate", WEB, "--second-opinion")
    assert (code, out) == (EXIT_USAGE, "")
    assert "pip install 'rookery[cel-python]'" in err


def test_what_only_the_api_server_would_refuse_is_a_warning(tmp_path: Path) -> None:
    """kro takes it and sends it, so that a render does, too."""
    secret = "- {id: s, template: {apiVersion: v1, kind: Secret, metadata: {name: a}, data: {k: 'no base64!'}}}"
    (tmp_path / "rgd.yaml").write_text(rgd(secret))
    code, out, err = rookery("validate", str(tmp_path))
    assert (code, out) == (EXIT_OK, "1 ResourceGraphDefinition, 0 instances: valid\n")
    assert "warning[template-malformed]: data.k is not base64: the API server would refuse the Secret" in err
    (tmp_path / "instance.yaml").write_text(instance(spec="{}"))
    code, out, err = rookery("render", str(tmp_path))
    assert (code, "template-malformed" in err) == (EXIT_OK, False)


# -- instances whose RGD is elsewhere ----------------------------------------------------------------------------------

FREE_CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.test.io}
spec:
  group: test.io
  scope: Namespaced
  names: {kind: Thing, listKind: ThingList, plural: things, singular: thing}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          x-kubernetes-validations: [{rule: "has(self.spec)"}]
          properties:
            spec:
              type: object
              properties: {size: {type: integer, multipleOf: 2, maximum: 5}, ip: {type: string, format: ipv4}}
"""


@pytest.fixture
def generated(tmp_path: Path) -> Path:
    """The CRD of an RGD, as kro generates it, and nothing else."""
    (tmp_path / "rgds").mkdir()
    rgd_file = tmp_path / "rgds" / "rgd.yaml"
    rgd_file.write_text(
        rgd(config_map("cm"), spec='{size: "integer | maximum=5", a: "string | required=true", b: string | default=x}')
    )
    code, out, err = rookery("render", str(rgd_file), "--emit", "api")
    assert (code, err) == (EXIT_OK, "")
    (tmp_path / "crd.yaml").write_text(out)
    return tmp_path / "crd.yaml"


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ("{a: x, size: 3}", None),
        ("{a: x, size: 8}", "instance-too-large"),
        ("{size: 3}", "instance-missing-field"),
        ("{a: [x]}", "instance-wrong-type"),
        ("{a: x, sizes: 3}", "instance-unknown-field"),
    ],
)
def test_an_instance_alone_is_held_against_the_crd_that_is_given(
    generated: Path, tmp_path: Path, spec: str, code: str | None
) -> None:
    (tmp_path / "instance.yaml").write_text(instance(spec))
    alone = rookery("validate", str(tmp_path / "instance.yaml"), "--crds", str(generated))
    with_rgd = rookery("validate", str(tmp_path / "instance.yaml"), str(tmp_path / "rgds"))
    assert alone[0] == with_rgd[0]
    assert alone[2] == with_rgd[2]
    if code is None:
        assert alone[1] == "0 ResourceGraphDefinitions, 1 instance: valid\n"
    else:
        assert f"[{code}]" in alone[2]


def test_an_object_of_another_crd_is_held_against_it_and_its_rules_are_not_run(tmp_path: Path) -> None:
    (tmp_path / "crd.yaml").write_text(FREE_CRD)
    (tmp_path / "thing.yaml").write_text(
        "apiVersion: test.io/v1\nkind: Thing\nmetadata: {name: a}\nspec: {size: 7, ip: x}\n"
    )
    code, out, err = rookery("validate", str(tmp_path))
    assert (code, out) == (EXIT_REFUSED, "")
    assert "thing.yaml:4:14: error[instance-too-large]" in err
    assert "thing.yaml:4:21: error[instance-malformed]" in err
    assert "warning[instance-rule-unchecked]" in err
    (tmp_path / "thing.yaml").write_text("apiVersion: test.io/v2\nkind: Thing\nmetadata: {name: a}\n")
    assert (
        "thing.yaml:1:13: error[wrong-version]: Thing is not served as test.io/v2"
        in rookery("validate", str(tmp_path))[2]
    )
