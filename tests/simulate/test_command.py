"""`rookery simulate`: what it shows, and what it says of a steps file that is wrong."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
import yaml

from krm_fn.command import EXIT_OK, EXIT_REFUSED, EXIT_USAGE, run
from krm_fn.schema.published import published

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = Path(__file__).parent / "golden"
FIXTURE = "fixtures/simulation"
STEPS = f"{FIXTURE}/steps.yaml"
EDITORS = jsonschema.Draft7Validator(json.loads(published("simulation")))


def simulate(*words: str, stdin: str = "") -> tuple[int, str, str]:
    out, err = io.BytesIO(), io.StringIO()
    code = run(["simulate", *words], io.BytesIO(stdin.encode()), out, err, {})
    return code, out.getvalue().decode(), err.getvalue()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("simulation.txt", [FIXTURE, "--steps", STEPS]),
        ("simulation.json", [FIXTURE, "--steps", STEPS, "--format", "json"]),
        ("chain-of-three.txt", ["fixtures/chain-of-three"]),
        ("external-reference.txt", ["fixtures/external-reference"]),
    ],
)
def test_a_fixture_is_shown_as_in_its_golden(
    name: str, words: list[str], golden: Callable[[bytes, Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    code, out, err = simulate(*words)
    assert (code, err) == (EXIT_OK, "")
    golden(out.encode(), GOLDEN / name)


RGD = """\
apiVersion: kro.run/v1alpha1
kind: ResourceGraphDefinition
metadata: {name: app}
spec:
  schema: {apiVersion: v1alpha1, kind: App, spec: {size: integer | default=1}}
  resources:
  - id: config
    template: {apiVersion: v1, kind: ConfigMap, metadata: {name: "${schema.metadata.name}"}}
"""
HEAD = "apiVersion: rookery.dev/v1alpha1\nkind: Simulation\n"


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rgd.yaml").write_text(RGD)

    def write(steps: str) -> None:
        (tmp_path / "steps.yaml").write_text(steps)

    return write


WRONG = [
    ("", ["simulation-kind"]),
    ("kind: Simulation\n", ["simulation-kind"]),
    ("- a\n", ["simulation-kind"]),
    (f"{HEAD}steps: []\n---\n{HEAD}steps: []\n", ["simulation-kind"]),
    (HEAD, ["simulation-value"]),
    (f"{HEAD}steps: {{}}\n", ["simulation-value"]),
    (f"{HEAD}steps: [1]\n", ["simulation-value"]),
    (f"{HEAD}step: []\nsteps: []\n", ["simulation-key"]),
    (f"{HEAD}steps:\n- name: 1\n", ["simulation-value"]),
    (f"{HEAD}steps:\n- name: ''\n", ["simulation-value"]),
    (f"{HEAD}steps:\n- apply: {{kind: App}}\n", ["simulation-value"]),
    (f"{HEAD}steps:\n- apply: [App]\n", ["simulation-value"]),
    (f"{HEAD}steps:\n- create: []\n", ["simulation-key"]),
    (f"{HEAD}steps:\n- set: [{{apiVersion: v1, kind: '', metadata: {{name: a}}}}]\n", ["simulation-value"]),
    (f"{HEAD}steps:\n- set: [{{apiVersion: 1, kind: A, metadata: {{name: A_}}}}]\n", ["simulation-value"] * 2),
    (
        f"{HEAD}steps:\n- set: [{{apiVersion: v1, kind: A, metadata: {{name: a, namespace: 1}}}}]\n",
        ["simulation-value"],
    ),
    (
        f"{HEAD}steps:\n- set: [{{apiVersion: v1, kind: A, metadata: {{name: a, labels: {{b: 1}}}}}}]\n",
        ["simulation-value"],
    ),
    (f"{HEAD}steps:\n- {{a: 1}}\n- {{b: 1}}\n", ["simulation-key"] * 2),
]


@pytest.mark.parametrize(("steps", "codes"), WRONG, ids=range(len(WRONG)))
def test_everything_that_is_wrong_with_a_steps_file_is_said_at_once(
    steps: str, codes: list[str], files: Callable[[str], None]
) -> None:
    files(steps)
    code, out, err = simulate("rgd.yaml", "--steps", "steps.yaml")
    assert (code, out) == (EXIT_REFUSED, "")
    assert [line.split("error[")[1].split("]")[0] for line in err.splitlines() if "error[" in line] == codes
    if steps and "---" not in steps:
        assert "steps.yaml:" in err
        assert list(EDITORS.iter_errors(yaml.safe_load(steps))) or "A_" in steps


def test_an_editor_takes_the_fixture() -> None:
    EDITORS.validate(yaml.safe_load((ROOT / STEPS).read_text()))


def test_what_is_wrong_with_an_rgd_is_said_before_anything_is_simulated(
    files: Callable[[str], None], tmp_path: Path
) -> None:
    (tmp_path / "rgd.yaml").write_text(RGD.replace("schema.metadata.name", "schema.metadata.nam"))
    code, out, err = simulate("rgd.yaml")
    assert (code, out) == (EXIT_REFUSED, "")
    assert "rgd.yaml:8:" in err


def test_an_rgd_that_a_step_spoils_is_part_of_what_is_shown(files: Callable[[str], None]) -> None:
    spoilt = "\n".join(f"    {line}" for line in RGD.replace("schema.metadata.name", "schema.spec.no").splitlines())
    files(f"{HEAD}steps:\n- apply:\n  - {spoilt.lstrip()}\n")
    code, out, err = simulate("rgd.yaml", "--steps", "steps.yaml")
    assert (code, err) == (EXIT_OK, "")
    assert "RGD app is Inactive" in out


def test_what_a_cluster_would_refuse_is_a_warning_and_strictly_an_error(files: Callable[[str], None]) -> None:
    files(f"{HEAD}steps:\n- set: [{{apiVersion: v1, kind: ConfigMap, metadata: {{name: nobody}}}}]\n")
    code, _, err = simulate("rgd.yaml", "--steps", "steps.yaml")
    assert code == EXIT_OK
    assert "steps.yaml:4:" in err
    assert "warning[action-refused]" in err
    code, out, _ = simulate("rgd.yaml", "--steps", "steps.yaml", "--strict")
    assert (code, out) == (EXIT_REFUSED, "")


def test_the_steps_may_come_from_stdin(files: Callable[[str], None]) -> None:
    code, out, _ = simulate("rgd.yaml", "--steps", "-", stdin=f"{HEAD}steps: [{{name: nothing}}]\n")
    assert code == EXIT_OK
    assert "── nothing" in out


def test_a_steps_file_below_a_path_is_no_object_of_the_cluster(files: Callable[[str], None]) -> None:
    files(f"{HEAD}steps: []\n")
    assert simulate(".", "--steps", "steps.yaml")[0] == EXIT_OK


@pytest.mark.parametrize("words", [[], ["rgd.yaml", "--format", "yaml"], ["rgd.yaml", "--step", "x"]])
def test_arguments_that_make_no_sense(words: list[str]) -> None:
    assert simulate(*words)[0] == EXIT_USAGE


def test_without_an_rgd_there_is_nothing_to_simulate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
    code, out, err = simulate(".")
    assert (code, out) == (EXIT_REFUSED, "")
    assert "nothing-to-render" in err


def test_two_runs_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert simulate(FIXTURE, "--steps", STEPS, "--format", "json") == simulate(
        FIXTURE, "--steps", STEPS, "--format", "json"
    )
