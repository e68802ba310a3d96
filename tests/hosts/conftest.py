"""Real host programs for the tests marked `hosts`. A missing one skips with one line, and fails where CI is set."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hosts.api_server import ApiServer, api_server
from tests.hosts.programs import tool

REPOSITORY = Path(__file__).resolve().parents[2]
MUTATORS = Path(__file__).resolve().parent / "mutators"


class Run:
    """One finished run of a host: exit code, stdout, and all that it printed."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.code = done.returncode
        self.stdout = done.stdout
        self.text = done.stdout + done.stderr
        self.lines = [line.strip() for line in self.text.splitlines()]


class Kpt:
    """The real kpt in a folder of the test's own, with `rookery` on PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        scripts = Path(sys.executable).parent
        assert (scripts / "rookery").is_file(), "rookery is not installed beside this Python: pip install -e ."
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("ARGOCD_")}
        self.environment["PATH"] = f"{scripts}{os.pathsep}{os.environ['PATH']}"

    def run(self, *words: str, stdin: str = "") -> Run:
        return Run(
            subprocess.run(
                ["kpt", *words],
                cwd=self.folder,
                env=self.environment,
                input=stdin,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
        )

    def render(self, package: str = "package", *words: str, code: int = 0) -> Run:
        run = self.run("fn", "render", package, "--allow-exec", *words)
        assert run.code == code, run.text
        return run


@pytest.fixture(scope="session")
def cluster() -> Iterator[ApiServer]:
    """One API server for all tests that need one: each takes names of its own, and leaves nothing behind that others could see."""
    with api_server() as running:
        yield running


@pytest.fixture
def kpt(tmp_path: Path) -> Kpt:
    tool("kpt")
    return Kpt(tmp_path)


@pytest.fixture
def worked(kpt: Kpt) -> Path:
    """A copy of fixtures/kpt-package, as `package` in kpt's folder."""
    return Path(shutil.copytree(REPOSITORY / "fixtures" / "kpt-package", kpt.folder / "package"))


def files(folder: Path) -> dict[str, str]:
    """Every file below *folder*, by its relative path."""
    return {str(p.relative_to(folder)): p.read_text(encoding="utf-8") for p in sorted(folder.rglob("*")) if p.is_file()}


def write(folder: Path, texts: dict[str, str]) -> Path:
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def kptfile(*mutators: str, name: str = "package") -> str:
    """A Kptfile whose pipeline has these entries, each written as an inline mapping."""
    head = f'apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: {name}\n  annotations:\n    config.kubernetes.io/local-config: "true"\n'
    return head + ("pipeline:\n  mutators:\n" + "".join(f"  - {entry}\n" for entry in mutators) if mutators else "")


ROOKERY = "{exec: rookery fn}"


def python(script: str, *words: str) -> str:
    """A pipeline entry that runs one of the test's own mutators."""
    return f"{{exec: '{sys.executable} {MUTATORS / script} {' '.join(words)}'}}"
