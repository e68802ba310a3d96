"""docs/hosts/kustomize.md, run from top to bottom in a clone of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from krm_fn.function.config import KEYS
from tests.hosts.conftest import REPOSITORY
from tests.hosts.kustomize_build import Kustomize
from tests.hosts.pages import blocks, run_page

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.hosts

PAGE = "kustomize.md"


def test_the_page_runs(tmp_path: Path) -> None:
    folder = tmp_path / "clone"
    folder.mkdir()
    assert run_page(PAGE, folder, Kustomize(folder).environment) >= 6


def test_the_config_of_the_page_is_the_one_of_the_fixture() -> None:
    [block] = [text for _, text in blocks(PAGE) if text.startswith("# shop/base/rookery.yaml")]
    fixture = (REPOSITORY / "fixtures/kustomize-overlay/base/rookery.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(block) == yaml.safe_load(fixture)


def test_every_option_is_on_the_page() -> None:
    text = (REPOSITORY / "docs/hosts" / PAGE).read_text(encoding="utf-8")
    assert [key for key in KEYS if f"`{key}`" not in text] == []
