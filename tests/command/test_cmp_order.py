"""The order that the Argo CD plugin gives: waves by default, and a marker that no manifest of the application can lock up."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from krm_fn.command import EXIT_OK
from tests.command.test_cmp import Repository, names
from tests.rendering import config_map, instance, rgd

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_regressions.file_regression import FileRegressionFixture

WAVE = "argocd.argoproj.io/sync-wave"
DB = """\
- id: db
  readyWhen: ["${db.data.ready == 'yes'}"]
  template: {apiVersion: v1, kind: ConfigMap, metadata: {name: "${schema.metadata.name}-db"}}
"""
USES = config_map("uses", '{x: "${db.metadata.name}"}')
LATER = config_map("later", '{x: "${db.metadata.uid}"}')
CHAIN = config_map("a") + config_map("b", '{x: "${a.metadata.name}"}')


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    return Repository(tmp_path / "copy", monkeypatch)


def write(repository: Repository, resources: str, **others: str) -> None:
    repository.write({"apps/shop/rgd.yaml": rgd(resources), **{f"apps/shop/{k}.yaml": v for k, v in others.items()}})


def run(repository: Repository, **parameters: Any) -> list[dict[str, Any]]:
    code, out, err = repository.run(**parameters)
    assert code == EXIT_OK, err
    return [json.loads(line) for line in out.splitlines()]


def waves(objects: list[dict[str, Any]]) -> dict[str, str]:
    return {made["metadata"]["name"]: (made["metadata"].get("annotations") or {}).get(WAVE, "0") for made in objects}


def manifest(name: str, **annotations: str) -> str:
    value = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "annotations": annotations}}
    return yaml.safe_dump(value)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        pytest.param({}, {"shop-db": "0", "shop-uses": "1"}, id="default"),
        pytest.param({"waveBase": "10"}, {"shop-db": "10", "shop-uses": "11"}, id="base"),
        pytest.param({"waveBase": "-4", "waveStep": "2"}, {"shop-db": "-4", "shop-uses": "-2"}, id="base and step"),
        pytest.param({"waves": "gated", "waveStep": "5"}, {"shop-db": "0", "shop-uses": "5"}, id="step"),
    ],
)
def test_waves(repository: Repository, parameters: dict[str, str], expected: dict[str, str]) -> None:
    write(repository, DB + USES)
    assert waves(run(repository, **parameters)) == expected


def test_a_wave_for_every_edge(repository: Repository) -> None:
    write(repository, CHAIN)
    assert waves(run(repository)) == {"shop-a": "0", "shop-b": "0"}
    assert waves(run(repository, waves="every-edge")) == {"shop-a": "0", "shop-b": "1"}


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("waves", "all", "it is one of gated, every-edge"),
        ("waveBase", "1.5", "a whole number from -100000 to 100000, in quotes"),
        ("waveBase", "\u0661", "a whole number from -100000 to 100000, in quotes"),
        ("waveBase", "100001", "a whole number from -100000 to 100000, in quotes"),
        ("waveStep", "0", "a whole number from 1 to 100000, in quotes"),
        ("waveStep", "-1", "a whole number from 1 to 100000, in quotes"),
        ("waitingMarker", "Job", "it is one of job, none"),
        ("gateImage", "two words", "an image is written like registry.example.com/rookery:v1"),
        ("gateImage", ":v1", "an image is written like registry.example.com/rookery:v1"),
    ],
)
def test_a_value_that_is_none(repository: Repository, name: str, value: str, says: str) -> None:
    said = repository.refused(**{name: value})
    assert said.startswith(f"error[parameter-value]: parameter {name} is {value!r}")
    assert said.endswith(says)


# -- gate Jobs --------------------------------------------------------------------------------------------------------

CLAIM = """\
- id: claim
  readyWhen: ['${claim.status.phase == "Bound"}']
  template: {apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: claim}, spec: {}}
"""


@pytest.mark.parametrize(
    ("parameters", "environment", "expected"),
    [
        pytest.param({}, "", "", id="none by default"),
        pytest.param({"gateImage": "mine:1"}, "", "mine:1", id="of the application"),
        pytest.param({}, "ours:1", "ours:1", id="of the plugin's image"),
        pytest.param({"gateImage": "mine:1"}, "ours:1", "mine:1", id="the application has the last word"),
        pytest.param({"gateImage": "none"}, "ours:1", "", id="none for this application"),
    ],
)
def test_a_job_where_there_is_an_image_for_it(
    repository: Repository, parameters: dict[str, str], environment: str, expected: str
) -> None:
    write(repository, CLAIM + config_map("uses", '{of: "${claim.metadata.name}"}'))
    made = run(repository, env={"ROOKERY_GATE_IMAGE": environment}, **parameters)
    pods = [each["spec"]["template"]["spec"] for each in made if each["kind"] == "Job"]
    assert [pod["containers"][0]["image"] for pod in pods] == ([expected] if expected else [])


# -- the marker -------------------------------------------------------------------------------------------------------


def test_a_marker_unless_none_is_wanted(repository: Repository) -> None:
    write(repository, DB + LATER)
    assert waves(run(repository)) == {"shop-db": "0", "shop-waiting": "0"}
    assert names(run(repository, waitingMarker="none")) == ["shop-db"]


@pytest.mark.parametrize(
    ("others", "wave"),
    [
        pytest.param({"late": manifest("late", **{WAVE: "7"})}, "7", id="a manifest in a later wave"),
        pytest.param({"early": manifest("early", **{WAVE: "-7"})}, "0", id="a manifest in an earlier wave"),
        pytest.param({"odd": manifest("odd", **{WAVE: "x"})}, "0", id="a wave that is none"),
        pytest.param({"pre": manifest("pre", **{WAVE: "7", "argocd.argoproj.io/hook": "PreSync"})}, "0", id="another phase"),
        pytest.param({"hook": manifest("hook", **{"argocd.argoproj.io/hook": "PostSync"})}, "", id="a hook that it would lock up"),
        pytest.param({"local": manifest("local", **{WAVE: "7", "config.kubernetes.io/local-config": "true"})}, "0", id="what is not applied"),
    ],
)  # fmt: skip
def test_a_marker_is_in_the_last_wave_of_the_whole_output(
    repository: Repository,
    others: dict[str, str],
    wave: str,
) -> None:
    write(repository, DB + LATER, **others)
    assert waves(run(repository)).get("shop-waiting", "") == wave


def test_a_manifest_of_that_name_is_in_the_way(repository: Repository) -> None:
    job = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: shop-waiting, namespace: store}\n"
    write(repository, DB + LATER, job=job)
    assert repository.refused().startswith("apps/shop/job.yaml:3:18: error[not-ours]: Job/store/shop-waiting ")
    assert names(run(repository, waitingMarker="none")) == ["shop-db", "shop-waiting"]


def test_a_marker_alone_is_no_application(repository: Repository) -> None:
    """Argo CD would delete everything else."""
    write(repository, config_map("a", '{x: "${schema.metadata.uid}"}'))
    assert repository.refused().startswith("error[empty-output]: ")
    assert names(run(repository, allowEmpty="true")) == ["shop-waiting"]


def test_a_whole_application(repository: Repository, file_regression: FileRegressionFixture) -> None:
    """A nested instance, a collection, what is withheld, and a manifest of the application's own."""
    inner = rgd(DB + USES, kind="Inner", status='{ready: "${db.metadata.name}"}')
    outer = (
        '- id: inner\n  readyWhen: ["${inner.status.state == \'ACTIVE\'}"]\n'
        '  template: {apiVersion: kro.run/v1alpha1, kind: Inner, metadata: {name: "${schema.metadata.name}"}}\n'
        + config_map("many", '{x: "${inner.metadata.name}"}', name="${schema.metadata.name}-${i}", more="forEach: [{i: \"${['p', 'q']}\"}]")
        + config_map("later", '{x: "${many[0].metadata.uid}"}')
    )  # fmt: skip
    write(repository, outer, inner=inner, other=manifest("other"), second=instance(name="second"))
    objects = run(repository, emit=["instances"], waveBase="1")
    file_regression.check("---\n".join(yaml.safe_dump(made, sort_keys=False) for made in objects), extension=".yaml")
