"""
A page of docs/hosts, run from top to bottom.

`sh` blocks run as they stand, in order; a `yaml` block whose first line is a comment with a path is that file; the lines of a block
without a language are printed by the `sh` block before it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from tests.hosts.conftest import REPOSITORY, write

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: str) -> list[tuple[str, str]]:
    """Language and text of every block of a page of docs/hosts."""
    return _BLOCK.findall((REPOSITORY / "docs/hosts" / page).read_text(encoding="utf-8"))


def run_page(page: str, folder: Path, environment: Mapping[str, str]) -> int:
    """Run it in *folder*, which gets the fixtures of a clone; the number of `sh` blocks."""
    shutil.copytree(REPOSITORY / "fixtures", folder / "fixtures")
    printed = ""
    count = 0
    for language, text in blocks(page):
        if language == "sh":
            count += 1
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", text],
                cwd=folder,
                env=environment,
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
            write(folder, {first[2:]: text})
        else:
            assert language == "", f"a block of {language} is neither run nor compared"
            assert [line for line in text.splitlines() if line not in printed] == [], printed
    return count
