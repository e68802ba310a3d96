"""
Rookery as an image in kustomize: kubectl's, which runs nothing else, and the standalone one. What stands in for docker runs the
same program where the mount is, with no environment but the one it is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.hosts.conftest import write
from tests.hosts.kustomize_build import ALPHA, RGD, Kustomize, config, container, inline, names, overlay_of_fixture
from tests.rendering import instance

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.hosts

INLINE = {"resources": inline(RGD, instance())}
PATHS = {"paths": ["rgd.yaml", "app.yaml"]}
MOUNT = {"mounts": [{"type": "bind", "src": "./", "dst": "/work"}]}
OTHER = "apiVersion: v1\nkind: Secret\nmetadata: {name: other}\n"


@pytest.fixture(params=["kubectl", "standalone"])
def kustomize(tmp_path: Path, request: pytest.FixtureRequest) -> Kustomize:
    folder = tmp_path / "repository"
    folder.mkdir()
    made = Kustomize(folder, kubectl=request.param == "kubectl")
    made.flags = [ALPHA]
    return made


def given(kustomize: Kustomize, spec: dict[str, Any], function: str, role: str = "generators") -> None:
    write(
        kustomize.folder,
        {
            "kustomization.yaml": f"{role}: [rookery.yaml]\nresources: [other.yaml]\n",
            "rookery.yaml": config(spec, function=function),
            "rgd.yaml": RGD,
            "app.yaml": instance(),
            "other.yaml": OTHER,
        },
    )


def test_sources_in_the_config_need_no_mount(kustomize: Kustomize) -> None:
    given(kustomize, INLINE, container())
    assert names(kustomize.build()) == ["ConfigMap/shop-cm", "Secret/other"]
    asked = kustomize.log.read_text()
    assert "--network none --user nobody --security-opt=no-new-privileges" in asked
    assert "--mount" not in asked


def test_sources_by_path_are_those_of_the_mount(kustomize: Kustomize) -> None:
    """Mounted at the image's working directory the kustomization looks as it does without an image."""
    given(kustomize, PATHS, container(**MOUNT))
    assert names(kustomize.build()) == ["ConfigMap/shop-cm", "Secret/other"]
    assert "readonly" in kustomize.log.read_text()


def test_without_a_mount_there_is_no_file(kustomize: Kustomize) -> None:
    given(kustomize, PATHS, container())
    assert kustomize.fail()[0].startswith("error[file-not-found]: app.yaml does not exist")


def test_nothing_but_the_mount_can_be_read(kustomize: Kustomize) -> None:
    given(kustomize, {"paths": ["../rgd.yaml", "app.yaml"]}, container(**MOUNT))
    (kustomize.folder / ".git").rmdir()
    assert kustomize.fail()[0].startswith(
        "error[path-outside]: spec.paths: ../rgd.yaml leads out of the kustomization's folder, which is in no Git repository"
    )


def test_the_worked_overlay_with_an_image(kustomize: Kustomize) -> None:
    """The overlay's definition lies in the base, where no mount reaches: there the config holds it."""
    overlay_of_fixture(kustomize.folder)
    at_base = config(
        {"namespace": "store", "paths": ["web-application.yaml", "shop.yaml"]}, function=container(**MOUNT)
    )
    texts = [
        (kustomize.folder / name).read_text()
        for name in ("base/web-application.yaml", "overlays/production/status-page.yaml")
    ]
    in_overlay = config({"resources": inline(*texts)}, function=container(), name="status-page")
    with_exec = Kustomize(overlay_of_fixture(kustomize.folder.parent / "exec")).build("overlays/production")
    write(kustomize.folder, {"base/rookery.yaml": at_base, "overlays/production/rookery.yaml": in_overlay})
    assert kustomize.build("overlays/production") == with_exec


def test_a_transformer_and_a_validator_need_no_file_at_all(kustomize: Kustomize) -> None:
    given(kustomize, {}, container())
    write(
        kustomize.folder,
        {
            "kustomization.yaml": "resources: [rgd.yaml, app.yaml, other.yaml]\n"
            "transformers: [rookery.yaml]\nvalidators: [check.yaml]\n",
            "check.yaml": config({"validator": "kustomize"}, function=container(), name="check"),
        },
    )
    assert names(kustomize.build()) == ["ConfigMap/shop-cm", "Secret/other"]


def test_the_environment_is_what_the_config_names(kustomize: Kustomize) -> None:
    given(kustomize, {"resources": inline(RGD, instance(namespace=""))}, container(envs=["ARGOCD_APP_NAMESPACE=place"]))
    assert kustomize.build()[0]["metadata"]["namespace"] == "place"
    kustomize.environment["ARGOCD_APP_NAMESPACE"] = "elsewhere"
    given(kustomize, {"resources": inline(RGD, instance(namespace=""))}, container())
    assert kustomize.build()[0]["metadata"]["namespace"] == "default"


def test_the_cause_is_the_first_line_of_stderr(kustomize: Kustomize) -> None:
    given(kustomize, {"resources": inline(RGD, instance("{x: 5}"))}, container())
    assert kustomize.fail()[0].startswith("error[instance-wrong-type]: App/store/shop spec.x: spec.x is")


def test_a_program_is_skipped_in_silence(kustomize: Kustomize) -> None:
    """kubectl has no flag for programs, and the standalone one is not given it: nothing is rendered, exit code 0."""
    given(kustomize, PATHS, "exec: {path: rookery}")
    assert names(kustomize.build()) == ["Secret/other"]
    assert not kustomize.log.exists()


def test_without_the_flag_no_image_runs(kustomize: Kustomize) -> None:
    given(kustomize, INLINE, container())
    kustomize.flags = []
    assert any("external plugins disabled" in line for line in kustomize.fail())
    assert not kustomize.log.exists()
