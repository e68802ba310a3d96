"""Where the host programs are that the tests run: in the folder that `make tools` fills, or on PATH."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

_BROUGHT_ALONG = {
    "kpt": "https://kpt.dev/installation says where it comes from",
    "kubectl": "https://kubernetes.io/docs/tasks/tools says where it comes from",
    "git": "the package of that name has it",
    "docker": "it takes a daemon, too",
    "openssl": "the package of that name has it",
}


def find(name: str) -> str | None:
    """The program's path, or None."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    built = Path(os.environ.get("ROOKERY_TOOLS") or Path(cache) / "rookery" / "tools") / name
    return str(built) if built.is_file() else shutil.which(name)


def tool(name: str) -> str:
    """The program's path. A missing one skips the test with one line, and fails it where CI is set."""
    found = find(name)
    if found is None:
        missing = f"{name} is neither built nor on PATH; {_BROUGHT_ALONG.get(name, '`make tools` builds it')}"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return found
