"""
docs/hosts/kpt.md, run from top to bottom in a copy of the fixtures.

`sh` blocks run as they stand, in order; a `yaml` block whose first line is a comment with a path is that file; the lines of a block
without a language are printed by the `sh` block before it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.hosts.conftest import REPOSITORY, write

if TYPE_CHECKING:
    from tests.hosts.conftest import Kpt

pytestmark = pytest.mark.hosts

PAGE = REPOSITORY / "docs/hosts/kpt.md"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_page_runs(kpt: Kpt) -> None:
    shutil.copytree(REPOSITORY / "fixtures", kpt.folder / "fixtures")
    printed = ""
    languages = []
    for language, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        languages.append(language)
        if language == "sh":
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", text],
                cwd=kpt.folder,
                env=kpt.environment,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            printed = done.stdout + done.stderr
            assert done.returncode == 0, f"{text}\n{printed}"
        elif language == "yaml":
            first = text.splitlines()[0]
            assert first.startswith("# "), "the first line of a yaml block is a comment with its path"
            write(kpt.folder, {first[2:]: text})
        else:
            assert [line for line in text.splitlines() if line not in printed] == [], printed
    assert languages.count("sh") >= 7


def test_the_kptfile_of_the_page_is_the_one_of_the_fixture() -> None:
    [block] = [text for _, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")) if text.startswith("# shop/Kptfile")]
    fixture = (REPOSITORY / "fixtures/kpt-package/Kptfile").read_text(encoding="utf-8")
    assert block.partition("\n")[2] == re.sub(r"info:\n  description: .*\n", "", fixture)
