"""
Every command of README.md, docs/ and the fixtures' READMEs runs as it stands, in a copy of the repository.

`sh` blocks run in order, page by page; a page's own files may be made by a `yaml` block whose first line is a comment with a path.
Blocks that call nothing but `rookery` run by default; the others (make, pip, kpt) are host tests. The commands that run this very
suite are left to CI, which starts with them.
"""

from __future__ import annotations

import glob
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from krm_fn.read.yaml import parse_documents

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    str(Path(path).relative_to(ROOT))
    for pattern in ("README.md", "docs/*.md", "docs/hosts/argocd-health.md", "fixtures/*/README.md")
    for path in glob.glob(str(ROOT / pattern))
    if Path(path).name != "conformance.md"
)
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RUN_BY_CI = (
    "make test",
    "make test-thorough",
    "make mutation",
    "make test-hosts",
    "make conformance",
    "make bench",
    "make layers",
)


def blocks(page: str, language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall((ROOT / page).read_text()) if kind == language]


def commands(page: str) -> list[str]:
    lines = [line for block in blocks(page, "sh") for line in block.replace("\\\n", " ").splitlines()]
    return [line for line in lines if line.strip() and not line.startswith("#") and line not in RUN_BY_CI]


def copy_of_the_repository(target: Path) -> Path:
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.split(b"\0")
    for name in (Path(name.decode()) for name in names if name):
        if name.parts[:3] != ("tests", "conformance", "corpora") and (ROOT / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target


def write_files(page: str, place: Path) -> None:
    for text in blocks(page, "yaml"):
        path = text.partition("\n")[0].removeprefix("# ")
        if path.endswith(".yaml"):
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            (place / path).write_text(text)


def run(line: str, place: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path}
    result = subprocess.run(
        ["bash", "-c", line], check=False, cwd=place, env=environment, capture_output=True, text=True
    )
    assert result.returncode == 0, f"{line}\n{result.stderr}"


@pytest.mark.parametrize("page", [page for page in PAGES if any(c.startswith("rookery ") for c in commands(page))])
def test_the_rookery_commands_of_a_page_run(page: str, tmp_path: Path) -> None:
    place = copy_of_the_repository(tmp_path)
    write_files(page, place)
    for line in commands(page):
        if line.startswith("rookery "):
            run(line, place)


@pytest.mark.hosts
@pytest.mark.parametrize("page", [page for page in PAGES if any(not c.startswith("rookery ") for c in commands(page))])
def test_all_commands_of_a_page_run(page: str, tmp_path: Path) -> None:
    place = copy_of_the_repository(tmp_path)
    for text in blocks(page, "yaml"):
        [document] = parse_documents(text, page)
        if document.value["kind"] == "Kptfile":
            package = place / document.value["metadata"]["name"]
            shutil.copytree(ROOT / "fixtures" / "web-application", package, ignore=shutil.ignore_patterns("*.md"))
            (package / "Kptfile").write_text(text)
    for line in commands(page):
        run(line, place)


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "yaml")])
def test_every_yaml_block_is_yaml(page: str) -> None:
    for text in blocks(page, "yaml"):
        assert parse_documents(text, page)
