"""docs/hosts/kpt.md, run from top to bottom in a copy of the fixtures."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.hosts.conftest import REPOSITORY
from tests.hosts.pages import blocks, run_page

if TYPE_CHECKING:
    from tests.hosts.conftest import Kpt

pytestmark = pytest.mark.hosts


def test_the_page_runs(kpt: Kpt) -> None:
    assert run_page("kpt.md", kpt.folder, kpt.environment) >= 7


def test_the_kptfile_of_the_page_is_the_one_of_the_fixture() -> None:
    [block] = [text for _, text in blocks("kpt.md") if text.startswith("# shop/Kptfile")]
    fixture = (REPOSITORY / "fixtures/kpt-package/Kptfile").read_text(encoding="utf-8")
    assert block.partition("\n")[2] == re.sub(r"info:\n  description: .*\n", "", fixture)
