"""The conformance corpora as the tests of `schema` and `admit` read them: documents with Kubernetes' string keys."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

FOLDER = Path(os.environ.get("ROOKERY_CORPORA", Path(__file__).parents[3] / "shared" / "conformance"))


def require() -> None:
    """Skip with a sentence where the corpora are absent; fail in CI."""
    if not FOLDER.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"the conformance corpora are not at {FOLDER}")
        pytest.skip(f"the conformance corpora are not at {FOLDER}")


def documents(path: Path) -> list[Any]:
    """Read all documents of a file; the keys `on:` and `off:` are the strings that Kubernetes makes of them."""
    return [_string_keys(doc) for doc in yaml.load_all(path.read_text(), yaml.CSafeLoader) if doc is not None]


def _string_keys(value: Any) -> Any:
    if isinstance(value, dict):
        words = {True: "true", False: "false"}
        return {words.get(key, key) if isinstance(key, bool) else key: _string_keys(v) for key, v in value.items()}
    return [_string_keys(item) for item in value] if isinstance(value, list) else value


@cache
def facts(name: str) -> list[dict[str, Any]]:
    """Give the cases of one file of kro-tests; none where the corpora are absent."""
    path = FOLDER / "kro-tests" / name
    return [case for case in documents(path)[0] if not case.get("not_in_v0_9_3")] if path.is_file() else []


def pick(name: str, *ops: str) -> list[Any]:
    return [pytest.param(case, id=case["id"]) for case in facts(name) if case["op"] in ops]


class Live(NamedTuple):
    """One recorded case: RGDs and instances that were put in (first version each), and what came of them."""

    id: str
    rgds: list[dict[str, Any]]
    instances: list[dict[str, Any]]
    golden: dict[str, Any]
    has_steps: bool


@cache
def live() -> list[Live]:
    """Give every case of kro-live, the recorded runs; none where the corpora are absent."""
    return [_live(path.parent) for path in sorted(FOLDER.glob("kro-live/*/*/golden.yaml"))]


def _live(folder: Path) -> Live:
    case = documents(folder / "case.yaml")[0]
    rgds = [doc for name in case.get("rgds", []) for doc in documents(folder / name)]
    rgds += [doc for doc in _applied(folder) if doc.get("kind") == "ResourceGraphDefinition"]
    instances = [doc for name in case.get("instances", []) for doc in documents(folder / name)]
    has_steps = any((folder / name).is_file() for name in ("steps.yaml", "scenario.yaml"))
    golden = documents(folder / "golden.yaml")[0]
    return Live(f"{folder.parent.name}/{folder.name}", rgds, instances, golden, has_steps)


def _applied(folder: Path) -> list[dict[str, Any]]:
    if not (folder / "scenario.yaml").is_file():
        return []
    steps = documents(folder / "scenario.yaml")[0]["steps"]
    return [step[verb] for step in steps for verb in ("apply", "update") if verb in step]
