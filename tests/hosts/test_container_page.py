"""docs/hosts/container.md, run from top to bottom, with the stand-in for docker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.hosts.kustomize_build import IMAGE, Kustomize
from tests.hosts.pages import blocks, run_page
from tests.hosts.programs import tool

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.hosts

PAGE = "container.md"


def test_the_page_runs(tmp_path: Path) -> None:
    tool("kpt")
    folder = tmp_path / "clone"
    folder.mkdir()
    kubectl = Kustomize(folder, kubectl=True)
    assert run_page(PAGE, folder, {**kubectl.environment, "KPT_FN_RUNTIME": "docker"}) >= 6
    asked = kubectl.log.read_text()
    assert asked.count("--user nobody") == 3, "kpt and kubectl ran the image"


def test_the_page_and_the_tests_mean_one_image() -> None:
    assert any(IMAGE in text for _, text in blocks(PAGE))
