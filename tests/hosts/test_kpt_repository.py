"""The repository itself is a kpt package: it renders, and rendering it changes nothing."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.hosts.conftest import REPOSITORY, Kpt, files, write

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.hosts

SKIPPED = (
    ".git",
    ".venv",
    "__pycache__",
    "*.egg-info",
    "build",
    "dist",
    ".*_cache",
    ".hypothesis",
    ".bench",
    "corpora",
)


@pytest.fixture
def copy(kpt: Kpt) -> Path:
    """A clone, as far as kpt can tell, with what the Makefile leaves in one."""
    folder = shutil.copytree(REPOSITORY, kpt.folder / "package", ignore=shutil.ignore_patterns(*SKIPPED))
    return write(folder, {".venv/lib/some.yaml": "- no object\n", "build/lib/other.yaml": "no: object\n"})


def test_it_renders_and_nothing_changes(kpt: Kpt, copy: Path) -> None:
    before = files(copy)
    run = kpt.render()
    assert "Successfully executed 3 function(s) in 3 package(s)." in run.lines
    assert files(copy) == before


def test_an_instance_beside_the_kptfile_is_rendered_with_the_definition_that_is_inside(kpt: Kpt, copy: Path) -> None:
    before = files(copy)
    blog = before["fixtures/kpt-package/shop.yaml"].replace("name: shop", "name: blog")
    write(copy, {"blog.yaml": blog})
    for _ in range(2):
        kpt.render()
        added = {name for name in files(copy) if name not in before}
        assert added == {
            "blog.yaml",
            *(f"rendered/webapplication.default.blog/{node}.yaml" for node in ("deployment", "ingress", "service")),
        }
    assert {name: text for name, text in files(copy).items() if name in before} == before
