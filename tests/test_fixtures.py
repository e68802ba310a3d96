"""Every worked package renders to the bytes in tests/golden/, and what it has to say is there, too."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from krm_fn.command import EXIT_OK, run

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = Path(__file__).parent / "golden"
CASES = {
    "web-application": ["fixtures/web-application"],
    "web-application-dynamodb": ["fixtures/web-application-dynamodb"],
    "web-application-dynamodb-instances": ["fixtures/web-application-dynamodb", "--emit", "instances"],
    "web-application-dynamodb-kro-labels": ["fixtures/web-application-dynamodb", "--kro-labels"],
    "fan-out": ["fixtures/fan-out"],
    "chain-of-three": ["fixtures/chain-of-three", "--emit", "instances"],
    "observed-state": ["fixtures/observed-state"],
    "observed-state-unseen": ["fixtures/observed-state/rgd.yaml", "fixtures/observed-state/instance.yaml"],
    "external-reference": ["fixtures/external-reference"],
    "apply-time": ["fixtures/apply-time", "--deferred", "apply-time"],
    "external-reference-unseen": ["fixtures/external-reference/rgd.yaml", "fixtures/external-reference/instance.yaml"],
}


@pytest.mark.parametrize("name", CASES)
def test_a_fixture_renders_to_its_golden(
    name: str, golden: Callable[[bytes, Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    out, err = io.BytesIO(), io.StringIO()
    assert run(["render", *CASES[name]], io.BytesIO(), out, err, {}) == EXIT_OK
    golden(out.getvalue(), GOLDEN / f"{name}.yaml")
    if err.getvalue():
        golden(err.getvalue().encode(), GOLDEN / f"{name}.stderr")


def test_there_is_no_golden_without_a_case() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(CASES)


def test_the_composed_rgd_is_the_one_of_the_other_package() -> None:
    composed = ROOT / "fixtures/web-application-dynamodb/web-application.yaml"
    assert composed.read_bytes() == (ROOT / "fixtures/web-application/rgd.yaml").read_bytes()
