"""The ways into kpt other than a package's mutators: eval, source and sink, validators, ignored files, an image."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.hosts.conftest import REPOSITORY, Kpt, files, kptfile, write

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.hosts


def test_eval_renders_without_a_pipeline(kpt: Kpt, worked: Path) -> None:
    rendered = files(worked)
    write(worked, {"Kptfile": kptfile()})
    shutil.rmtree(worked / "rendered")
    for _ in range(2):
        run = kpt.run("fn", "eval", "package", "--exec", "rookery fn", "--", "namespace=store")
        assert run.code == 0, run.text
        assert files(worked) == {**rendered, "Kptfile": kptfile()}


def test_eval_takes_a_typed_config(kpt: Kpt, worked: Path) -> None:
    write(
        kpt.folder,
        {
            "options.yaml": "apiVersion: fn.rookery.dev/v1alpha1\nkind: RenderConfig\nmetadata: {name: options}\n"
            "spec: {namespace: typed, emit: [instances], kroLabels: true}\n"
        },
    )
    shutil.rmtree(worked / "rendered")
    for _ in range(2):
        run = kpt.run("fn", "eval", "package", "--exec", "rookery fn", "--fn-config", "options.yaml")
        assert run.code == 0, run.text
        rendered = {name: text for name, text in files(worked).items() if name.startswith("rendered")}
        folder = "rendered/webapplication.typed.shop"
        assert sorted(rendered) == [
            f"{folder}/{node}.yaml" for node in ("deployment", "ingress", "instance", "service")
        ]
        service = yaml.safe_load(rendered[f"{folder}/service.yaml"])
        assert service["metadata"]["labels"]["kro.run/node-id"] == "service"
        assert service["metadata"]["annotations"]["rookery.dev/node"] == "service"


def test_source_and_sink(kpt: Kpt, worked: Path) -> None:
    """Without kpt between them nobody else keeps comments: what is passed through is passed through as text."""
    shutil.rmtree(worked / "rendered")
    write(
        kpt.folder,
        {"options.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: options}\ndata: {namespace: store}\n"},
    )
    listed = kpt.run("fn", "source", "package", "--fn-config", "options.yaml").stdout
    done = subprocess.run(
        ["rookery", "fn"], input=listed, env=kpt.environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert kpt.run("fn", "sink", "out", stdin=done.stdout).code == 0
    assert files(kpt.folder / "out") == files(REPOSITORY / "fixtures/kpt-package")


def test_ignored_files_do_not_disturb(kpt: Kpt, worked: Path) -> None:
    write(worked, {".krmignore": "charts/\n", "charts/values.yaml": "replicas: 3 # no Kubernetes object\n"})
    before = files(worked)
    kpt.render()
    assert files(worked) == before


def test_as_a_validator_it_fails_what_it_would_not_render_and_writes_nothing(kpt: Kpt, worked: Path) -> None:
    write(
        worked,
        {"Kptfile": kptfile() + "pipeline:\n  validators:\n  - exec: rookery fn\n    configMap: {namespace: store}\n"},
    )
    shutil.rmtree(worked / "rendered")
    before = files(worked)
    kpt.render()
    assert files(worked) == before
    write(worked, {"shop.yaml": before["shop.yaml"].replace("replicas: 3", "replicas: 51")})
    run = kpt.render(code=1)
    assert "[error] kro.run/v1alpha1/WebApplication/shop spec.replicas: " in run.text


IMAGE = "registry.example.com/rookery:v1"
DOCKER = f"""\
#!/bin/sh
# In the place of docker: `docker run OPTIONS IMAGE ARGUMENTS` runs the image's entry point here; anything else is answered as by a healthy one.
case "$1" in
  run) while [ "$1" != {IMAGE} ]; do shift; done; shift; exec rookery fn "$@" ;;
  *) echo 24.0.0 ;;
esac
"""


@pytest.fixture
def docker(kpt: Kpt) -> None:
    shim = write(kpt.folder, {"bin/docker": DOCKER}) / "bin/docker"
    shim.chmod(0o755)
    kpt.environment["PATH"] = f"{shim.parent}{os.pathsep}{kpt.environment['PATH']}"
    kpt.environment["KPT_FN_RUNTIME"] = "docker"


@pytest.mark.usefixtures("docker")
def test_as_an_image(kpt: Kpt, worked: Path) -> None:
    """What kpt asks of a container, with a stand-in for docker that runs the same program: no arguments, stdin, stdout."""
    committed = files(worked)
    write(worked, {"Kptfile": kptfile(f"{{image: '{IMAGE}', configMap: {{namespace: store}}}}")})
    shutil.rmtree(worked / "rendered")
    run = kpt.run("fn", "render", "package")
    assert run.code == 0, run.text
    rendered = {name: text for name, text in files(worked).items() if name != "Kptfile"}
    assert rendered == {name: text for name, text in committed.items() if name != "Kptfile"}


@pytest.mark.usefixtures("docker")
def test_kpt_prints_the_documentation_of_an_image(kpt: Kpt) -> None:
    run = kpt.run("fn", "doc", "--image", IMAGE)
    assert run.code == 0, run.text
    assert "usage: rookery fn" in run.text
