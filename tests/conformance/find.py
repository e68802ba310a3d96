"""
What a path holds, by its content: a recorded case, a list of cases, support data, or something unknown.

Enters: a path.  Leaves: `Case`s and `Skipped`s.  Rows of the table are named by format and file, not by where the folder lies.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml

from tests.conformance import cel_spec, kro_cel, kro_live, kro_live_crds, kro_tests, live_replay, scenarios
from tests.conformance.case import Case, Mismatch, Skipped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DEFINITIONS = "definitions.json"
SPEC_DIFFERENCES = "cel-spec-differences.json"
ORACLE_DIFFERENCES = "cel-go-oracle-differences.json"
_DOCUMENTATION = (".md", ".txt")


def find(path: Path, snapshot: str = kro_live.WRITTEN) -> Iterator[Case | Skipped]:
    """Every case below *path*, in the order of file names."""
    if path.is_dir():
        if (path / "case.yaml").exists():
            yield from _read(path, lambda: _case_folder(path, snapshot))
            return
        for child in sorted(path.iterdir()):
            if not child.name.startswith("."):
                yield from find(child, snapshot)
    elif not path.exists():
        yield Skipped(str(path), "there is no such file or folder")
    elif path.suffix == ".json":
        yield from _read(path, lambda: _json(path))
    elif path.suffix in (".yaml", ".yml"):
        yield from _read(path, lambda: _yaml(path))
    elif path.suffix not in _DOCUMENTATION:
        yield Skipped(str(path), "not a format of the corpora")


def _read(path: Path, read: Callable[[], Iterator[Case | Skipped]]) -> Iterator[Case | Skipped]:
    """What *read* finds; a file that is not as its format says is a failing case, so that nothing ends a run."""
    try:
        yield from read()
    except Exception as error:  # noqa: BLE001 - whatever is wrong with a file is shown with its name
        message = f"cannot be read: {type(error).__name__}: {error}"
        yield Case(f"unreadable/{path.parent.name}", path.name, "unreadable", _raising(message))


def _raising(message: str) -> Callable[[], list[str]]:
    def check() -> list[str]:
        raise Mismatch(message)

    return check


def _case_folder(path: Path, snapshot: str) -> Iterator[Case | Skipped]:
    if not (path / "golden.yaml").exists():
        yield Skipped(str(path), "inputs without expected results (no golden.yaml)")
        return
    resolved = path.resolve()
    crds = resolved.parent.parent.parent / "kro-crds"
    row = f"kro-live/{resolved.parent.name}"
    rendered = kro_live.read_case(path, row, crds, snapshot)
    yield rendered
    yield live_replay.read_case(path, row, crds, rendered.facts)
    yield from kro_live_crds.read_cases(path, f"{row}: CRDs", crds)


def _json(path: Path) -> Iterator[Case | Skipped]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        yield Skipped(str(path), f"no JSON: {error}")
        return
    if isinstance(value, dict) and {"standard_bindings", "cases"} <= set(value):
        yield from cel_spec.read_oracle(value, f"cel-go/{path.name}", _differences(path, ORACLE_DIFFERENCES))
    elif isinstance(value, dict) and {"bindings", "schemas"} <= set(value):
        return
    elif not isinstance(value, list) or not value:
        yield Skipped(str(path), "not a format of the corpora")
    elif all(isinstance(entry, str) for entry in value):
        yield from cel_spec.read_texts(value, f"cel-go/{path.name}")
    elif all(isinstance(entry, dict) and {"section", "expr", "expect"} <= set(entry) for entry in value):
        differences = _differences(path, SPEC_DIFFERENCES)
        yield from cel_spec.read_spec(value, f"cel-spec/{path.name}", path.stem, differences)
    elif all(isinstance(entry, dict) and "id" in entry and ({"expr", "kro"} & set(entry)) for entry in value):
        yield from kro_cel.read_cases(value, f"kro-cel/{path.name}", _definitions(path), _questions(path))
    else:
        yield Skipped(str(path), "not a format of the corpora")


def _definitions(path: Path) -> dict[str, Any]:
    beside = path.parent / DEFINITIONS
    return json.loads(beside.read_text(encoding="utf-8")) if beside.exists() else {}


def _differences(path: Path, name: str) -> dict[str, dict[str, Any]]:
    """kro's own answers for a corpus, when they lie beside it."""
    for folder in (path.parent, path.parent.parent / "kro-cel", path.resolve().parent.parent / "kro-cel"):
        if (folder / name).exists():
            return {entry["id"]: entry for entry in json.loads((folder / name).read_text(encoding="utf-8"))}
    return {}


def _questions(path: Path) -> Callable[[str], dict[str, Any] | None]:
    """A look-up of cases of cel-spec by `FILE/SECTION/NAME`, where that corpus lies beside this one."""
    folder = path.resolve().parent.parent / "cel-spec"
    files: dict[str, dict[str, dict[str, Any]]] = {}

    def question(name: str) -> dict[str, Any] | None:
        stem, _, rest = name.partition("/")
        if stem not in files:
            file = folder / f"{stem}.json"
            entries = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
            files[stem] = {f"{entry['section']}/{entry['name']}": entry for entry in entries}
        return files[stem].get(rest)

    return question


def _yaml(path: Path) -> Iterator[Case | Skipped]:
    try:
        value = list(yaml.load_all(path.read_text(encoding="utf-8"), yaml.CSafeLoader))
    except (yaml.YAMLError, ValueError) as error:
        yield Skipped(str(path), f"no YAML: {str(error).splitlines()[0]}")
        return
    first = value[0] if len(value) == 1 else None
    if (
        isinstance(first, list)
        and first
        and all(isinstance(e, dict) and {"op", "input", "expect"} <= set(e) for e in first)
    ):
        yield from kro_tests.read_cases(first, f"kro-tests/{path.name}", _made_up_kinds(path))
    elif (
        isinstance(first, list)
        and first
        and all(isinstance(e, dict) and {"kind", "namespaced"} <= set(e) for e in first)
    ):
        return
    elif isinstance(first, dict) and {"name", "steps"} <= set(first):
        yield scenarios.read_case(first, path)
    elif all(isinstance(document, dict) and "apiVersion" in document for document in value):
        kinds = sorted({str(document.get("kind")) for document in value})
        yield Skipped(str(path), f"manifests outside a case ({', '.join(kinds)})")
    else:
        yield Skipped(str(path), "not a format of the corpora")


def _made_up_kinds(path: Path) -> list[dict[str, Any]]:
    beside = path.parent / "kro-fake-schemas.yaml"
    return yaml.load(beside.read_text(encoding="utf-8"), yaml.CSafeLoader) if beside.exists() else []
