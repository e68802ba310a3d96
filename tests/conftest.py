"""Fixtures that several rooms' tests use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# How long an example takes depends on what else the machine does; what must be quick has a budget, and tests of that.
settings.register_profile("rookery", deadline=None)
settings.load_profile("rookery")


def _same_bytes(got: Path, wanted: Path) -> None:
    """pytest-regressions' own comparison of texts does not see line ends; this one compares bytes and shows lines."""
    if Path(got).read_bytes() != Path(wanted).read_bytes():
        ours, theirs = (Path(path).read_bytes().splitlines(keepends=True) for path in (got, wanted))
        assert ours == theirs


@pytest.fixture
def golden(file_regression: Any) -> Callable[[bytes, Path], None]:
    """Compare exact bytes with the file at a path; `--force-regen` writes it anew."""

    def check(got: bytes, path: Path) -> None:
        file_regression.check(got, binary=True, fullpath=path, check_fn=_same_bytes)

    return check
