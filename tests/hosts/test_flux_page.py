"""docs/hosts/flux.md, run from top to bottom in a clone of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from krm_fn.command.render import USAGE
from tests.hosts.conftest import REPOSITORY
from tests.hosts.kustomize_build import Kustomize
from tests.hosts.pages import run_page

if TYPE_CHECKING:
    from pathlib import Path

PAGE = "flux.md"


@pytest.mark.hosts
def test_the_page_runs(tmp_path: Path) -> None:
    folder = tmp_path / "clone"
    folder.mkdir()
    assert run_page(PAGE, folder, Kustomize(folder).environment) == 3


def test_every_option_is_on_the_page() -> None:
    text = (REPOSITORY / "docs/hosts" / PAGE).read_text(encoding="utf-8")
    options = {word.rstrip(",") for word in USAGE.split() if word.startswith("--flux-")}
    assert len(options) == 5
    assert [option for option in options if f"`{option}`" not in text] == []
