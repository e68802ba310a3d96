"""Real host programs for the tests marked `hosts`. A missing one skips with one line, and fails where CI is set."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


class Run:
    """One finished run of a host: exit code, and everything that it printed."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.code = done.returncode
        self.stdout = done.stdout
        self.text = done.stdout + done.stderr
        self.lines = [line.strip() for line in self.text.splitlines()]


class Kpt:
    """The real kpt, in a folder of the test's own, with `rookery` on PATH."""

    def __init__(self, program: str, folder: Path) -> None:
        self.program = program
        self.folder = folder
        console_scripts = Path(sys.executable).parent
        assert (console_scripts / "rookery").is_file(), "rookery is not installed beside this Python: pip install -e ."
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("ARGOCD_")},
            "PATH": f"{console_scripts}{os.pathsep}{os.environ['PATH']}",
            "NO_COLOR": "1",
        }

    def run(self, *words: str, stdin: str = "") -> Run:
        return Run(
            subprocess.run(
                [self.program, *words],
                cwd=self.folder,
                env=self.environment,
                input=stdin,
                capture_output=True,
                text=True,
                timeout=120,
            )
        )

    def render(self, package: str = "package", *words: str) -> Run:
        return self.run("fn", "render", package, "--allow-exec", "--truncate-output=false", *words)

    def rendered(self, package: str = "package", *words: str) -> Run:
        """A render that must succeed."""
        run = self.render(package, *words)
        assert run.code == 0, run.text
        return run


@pytest.fixture
def kpt(tmp_path: Path) -> Kpt:
    program = shutil.which("kpt")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("kpt is not on PATH")
        pytest.skip("kpt is not on PATH; see https://kpt.dev/installation")
    return Kpt(program, tmp_path)


@pytest.fixture
def worked(kpt: Kpt) -> Path:
    """A copy of fixtures/kpt-package, as `package` in kpt's folder."""
    package = kpt.folder / "package"
    shutil.copytree(REPOSITORY / "fixtures" / "kpt-package", package)
    return package


def files(folder: Path) -> dict[str, str]:
    """Every file below *folder*, by relative path."""
    return {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def write(folder: Path, **texts: str) -> Path:
    raise NotImplementedError
