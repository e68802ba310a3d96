"""The real kustomize, standalone and inside kubectl, in a folder of the test's own, and a stand-in for docker."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.hosts.conftest import REPOSITORY, Run, write
from tests.hosts.programs import tool
from tests.rendering import config_map, rgd

if TYPE_CHECKING:
    from collections.abc import Sequence

RGD = rgd(config_map("cm", '{x: "${schema.spec.x}"}'), spec='{x: "string | default=plain"}')
ALPHA = "--enable-alpha-plugins"
EXEC = "--enable-exec"
IMAGE = "registry.example.com/rookery:v1"

_DOCKER = f"""\
#!{sys.executable}
# In the place of docker: `docker run OPTIONS IMAGE` runs the image's entry point here, in the folder that is mounted at the
# image's working directory, or in an empty one. Nothing of the environment is handed on but what -e names.
import os, sys, tempfile
words = sys.argv[1:]
if words[:1] != ["run"]:
    print("24.0.0")
    sys.exit()
options, arguments = words[1 : words.index("{IMAGE}")], words[words.index("{IMAGE}") + 1 :]
environment = {{"PATH": os.environ["PATH"]}}
folder = tempfile.mkdtemp()
command = ["rookery", "fn"]
for name, value in zip(options, options[1:]):
    if name == "-e":
        key, is_set, text = value.partition("=")
        environment[key] = text if is_set else os.environ.get(key, "")
    if name == "--entrypoint":
        command = [value]
    if name == "--mount":
        mount = dict(part.partition("=")[::2] for part in value.split(","))
        if mount["target"] == "/work":
            folder = mount["source"]
with open(os.environ["DOCKER_LOG"], "a") as log:
    print(*options, file=log)
os.chdir(folder)
os.execvpe(command[0], [*command, *arguments], environment)
"""


class Kustomize:
    """
    kustomize with `rookery` on PATH. *folder* is a repository of its own: no path of a config leads out of it.

    kubectl: kubectl's kustomize instead, which runs images alone; `docker` on PATH is the stand-in, `mounts` what it was asked for.
    """

    def __init__(self, folder: Path, *, kubectl: bool = False) -> None:
        self.folder = folder
        scripts = Path(sys.executable).parent
        assert (scripts / "rookery").is_file(), "rookery is not installed beside this Python: pip install -e ."
        program = tool("kubectl" if kubectl else "kustomize")
        self.command = [program, "kustomize"] if kubectl else [program, "build"]
        self.flags = [ALPHA] if kubectl else [ALPHA, EXEC]
        (folder / ".git").mkdir()
        docker = write(folder.parent / f"{folder.name}-docker", {"docker": _DOCKER}) / "docker"
        docker.chmod(0o755)
        self.log = docker.parent / "log"
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("ARGOCD_", "ROOKERY_"))},
            "PATH": os.pathsep.join([str(docker.parent), str(scripts), str(Path(program).parent), os.environ["PATH"]]),
            "DOCKER_LOG": str(self.log),
        }

    def run(self, where: str, flags: Sequence[str], *words: str) -> Run:
        return Run(
            subprocess.run(
                [*self.command, *flags, *words, where],
                cwd=self.folder,
                env=self.environment,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
        )

    def build(self, where: str = ".", *words: str) -> list[dict[str, Any]]:
        """The objects of a build that goes well."""
        run = self.run(where, self.flags, *words)
        assert run.code == 0, run.text
        return [made for made in yaml.safe_load_all(run.stdout) if made is not None]

    def fail(self, where: str = ".") -> list[str]:
        """The lines of a build that must not go well; nothing is on stdout."""
        run = self.run(where, self.flags)
        assert run.code != 0, run.text
        assert run.stdout == ""
        return run.lines


def config(spec: dict[str, Any], *, function: str = "exec: {path: rookery, args: [fn]}", name: str = "all") -> str:
    """The file of a function's config."""
    return yaml.safe_dump(
        {
            "apiVersion": "fn.rookery.dev/v1alpha1",
            "kind": "RenderConfig",
            "metadata": {"name": name, "annotations": {"config.kubernetes.io/function": function + "\n"}},
            "spec": spec,
        }
    )


def container(**more: Any) -> str:
    return yaml.safe_dump({"container": {"image": IMAGE, **more}})


def inline(*texts: str) -> list[Any]:
    return [yaml.safe_load(text) for text in texts]


def names(made: Sequence[dict[str, Any]]) -> list[str]:
    return [f"{each['kind']}/{each['metadata']['name']}" for each in made]


def overlay_of_fixture(folder: Path) -> Path:
    """A copy of fixtures/kustomize-overlay in *folder*."""
    return Path(shutil.copytree(REPOSITORY / "fixtures/kustomize-overlay", folder, dirs_exist_ok=True))
