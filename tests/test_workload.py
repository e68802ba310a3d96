"""The benchmark's workload gives the objects that kro's own engine made of it, so that what is timed is the same work."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from krm_fn.read.yaml import parse_documents
from tests.rendering import render

WORKLOAD = Path(os.environ.get("ROOKERY_BENCH", Path(__file__).resolve().parents[2] / "shared" / "bench-workload"))


def test_one_instance_gives_what_kro_gives() -> None:
    if not WORKLOAD.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"{WORKLOAD} is not there; in CI nothing may be missing")
        pytest.skip(f"{WORKLOAD} is not there; ROOKERY_BENCH names the folder")
    rgd, instance, expected = ((WORKLOAD / name).read_text() for name in ("rgd.yaml", "instance.yaml", "expected.yaml"))
    result = render(rgd, instance)
    wanted = [document.value for document in parse_documents(expected, "expected.yaml")]
    by_kind = {made["kind"]: made for made in result.objects}
    assert by_kind == {made["kind"]: made for made in wanted}
    assert len(result.objects) == len(wanted) == 5
