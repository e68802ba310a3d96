"""
docs/hosts/argocd.md, literally: its files are written, its commands run in order in a copy of the repository.

Commands that change a cluster run as far as they go without one; `OFFLINE` says how.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from krm_fn.command.cmp_parameters import PARAMETERS
from tests.hosts.argocd_server import REPOSITORY
from tests.hosts.programs import tool
from tests.hosts.test_argocd_files import REPO_SERVER

PAGE = REPOSITORY / "docs" / "hosts" / "argocd.md"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = BLOCK.findall(PAGE.read_text())
OFFLINE = [
    (
        r"kubectl apply (?:--server-side )?--filename (\S+)",
        r"kubectl patch --local --filename \1 --type merge --patch {} --output name",
    ),
    (r"(kubectl create configmap .*)", r"\1 --dry-run=client --output yaml"),
    (
        r"kubectl patch deployment \S+ (.*--patch-file \S+)",
        r"kubectl patch --local --filename argocd/install.yaml \1 --output yaml",
    ),
    (r"(kubectl rollout restart) \S+ \S+ .*", r"\1 --help"),
    (r"(kubectl logs) .*", r"\1 --help"),
    (
        r"kubectl annotate application shop (.*)",
        r"kubectl annotate --local --filename application.yaml \1 --output yaml",
    ),
    (r"helm upgrade --install argocd argo/argo-cd (.*)", r"helm template argocd tests/bench/chart \1"),
]
"""The Helm chart of Argo CD is no part of this repository; its values are held to `cmp/patch.yaml` by test_argocd_files."""


def offline(line: str) -> str:
    for pattern, instead in OFFLINE:
        if re.fullmatch(pattern, line):
            return re.sub(pattern, instead, line)
    assert not re.match("helm|kubectl (?!kustomize)", line), f"{line} needs a cluster; OFFLINE has no way to run it"
    return line


@pytest.mark.hosts
def test_the_page_runs_from_top_to_bottom(tmp_path: Path) -> None:
    for name in ("cmp", "fixtures", "tests/bench/chart"):
        shutil.copytree(REPOSITORY / name, tmp_path / name)
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("helm", "kubectl"):
        (tools / name).symlink_to(tool(name))
    (tmp_path / "argocd").mkdir()
    (tmp_path / "argocd" / "install.yaml").write_text(REPO_SERVER)
    script = []
    for kind, text in BLOCKS:
        named = re.match(r"# (\S+\.yaml)\n", text)
        if kind == "yaml" and named:
            (tmp_path / named[1]).write_text(text)
        elif kind == "sh":
            script += [offline(line) for line in text.splitlines() if line]
    path = os.pathsep.join((str(tools), str(Path(sys.executable).parent), os.environ["PATH"]))
    done = subprocess.run(
        ["bash", "-euxc", "\n".join(script)],
        cwd=tmp_path, env={"PATH": path, "HOME": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count('"rookery.dev/instance"') == 7, done.stderr
    installed = list(yaml.safe_load_all((tmp_path / "argocd.yaml").read_text()))
    [deployment] = [made for made in installed if made["kind"] == "Deployment"]
    images = {
        container["name"]: container["image"] for container in deployment["spec"]["template"]["spec"]["containers"]
    }
    assert images["rookery"] == "registry.example.com/rookery:0.1.0"


def test_every_yaml_block_is_one_object() -> None:
    for kind, text in BLOCKS:
        if kind == "yaml":
            assert {"apiVersion", "kind"} <= set(yaml.safe_load(text))


def test_the_application_of_the_page_is_the_example() -> None:
    [shown] = [yaml.safe_load(text) for kind, text in BLOCKS if kind == "yaml" and "kind: Application\n" in text]
    example = yaml.safe_load((REPOSITORY / "cmp" / "application.example.yaml").read_text())
    del example["spec"]["syncPolicy"]
    assert shown == example


def test_the_table_has_every_parameter() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (array|string) \|", PAGE.read_text(), re.MULTILINE)
    assert rows == [(parameter.name, "array" if parameter.is_list else "string") for parameter in PARAMETERS]


def test_every_code_of_the_page_is_one_that_we_give() -> None:
    sources = "".join(path.read_text() for path in (REPOSITORY / "krm_fn").rglob("*.py"))
    for code in re.findall(r"error\[([a-z-]+)\]", PAGE.read_text()):
        assert f'"{code}"' in sources or code == "instance-wrong-type"


def test_every_link_of_the_page_leads_to_something() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", PAGE.read_text()):
        assert (PAGE.parent / target).exists(), target
