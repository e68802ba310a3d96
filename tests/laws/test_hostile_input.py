"""
Whatever the documents hold, every command ends with 0, 1 or 2, and what it refuses leaves nothing on stdout.

The documents are those of the fixtures, with a few places changed: left out, put elsewhere, or replaced by what does not belong there,
such as values of which nobody knows the type before they are there.
"""

from __future__ import annotations

import copy
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from krm_fn.command import run

Json = Any
REPOSITORY = Path(__file__).resolve().parents[2]
COMMANDS = {
    "render": ["render", "-"],
    "instances": ["render", "-", "--emit", "instances", "--emit", "api", "--kro-labels", "--deferred", "fallback"],
    "argocd": ["render", "-", "--target", "argocd", "--gate-image", "rookery"],
    "kpt": ["render", "-", "--target", "kpt", "--waves", "every-edge", "--deferred", "apply-time"],
    "graph": ["graph", "-", "--format", "svg"],
    "health": ["health", "-", "--format", "argocd", "--emit", "instances"],
    "validate": ["validate", "-"],
    "simulate": ["simulate", "-"],
}
SEEN = "seenInAll"
"""The id of an external reference that is added to every RGD; its values have any type."""
ODD: list[Json] = [
    *(None, [], {}, "", 5, -1, 1.5, True, 2**70, "x" * 300, "a\nb", "\x00", "${", "}", {"a": 1}, [[]], ["${true}"]),
    *("${true}", "${false}", "${1 / 0}", "${null}", "${[]}", "${{}}", "${omit()}", "${each}", "${schema}"),
    *("${schema.metadata.name}", "${schema.spec.?nope}", *(f"${{{SEEN}.status.v{i}}}" for i in range(3))),
]
KEYS = [
    *(
        "readyWhen",
        "includeWhen",
        "forEach",
        "externalRef",
        "template",
        "id",
        "metadata",
        "namespace",
        "name",
        "status",
    ),
    *("scope", "spec", "schema", "kind", "apiVersion", "annotations", "labels", "selector", "types", "ownerReferences"),
]


def sources() -> Iterator[list[Json]]:
    """The documents of each fixture that has an RGD."""
    for folder in sorted((REPOSITORY / "fixtures").iterdir()):
        texts = [path.read_text() for path in sorted(folder.rglob("*.yaml"))]
        found = [each for text in texts for each in yaml.safe_load_all(text) if isinstance(each, dict)]
        if any(each.get("kind") == "ResourceGraphDefinition" for each in found):
            yield found


SOURCES = list(sources())


def places(value: Json, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield from places(part, (*path, key))


def at(value: Json, path: tuple[Any, ...]) -> Json:
    for key in path:
        value = value[key]
    return value


@st.composite
def hostile(draw: st.DrawFn) -> str:
    documents = copy.deepcopy(draw(st.sampled_from(SOURCES)))
    for each in documents:
        resources = (each.get("spec") or {}).get("resources")
        if each.get("kind") == "ResourceGraphDefinition" and isinstance(resources, list):
            reference = {"apiVersion": "test.io/v1", "kind": "Seen", "metadata": {"name": "seen", "namespace": "ns"}}
            resources.append({"id": SEEN, "externalRef": reference})
    for _ in range(draw(st.integers(1, 4))):
        change(draw, draw(st.sampled_from(documents)))
    values = {
        f"v{i}": draw(st.sampled_from([each for each in ODD if not isinstance(each, str) or "$" not in each]))
        for i in range(3)
    }
    metadata = {"name": "seen", "namespace": "ns", "annotations": {"rookery.dev/observed": "true"}}
    documents.append({"apiVersion": "test.io/v1", "kind": "Seen", "metadata": metadata, "status": values})
    return yaml.safe_dump_all(documents, sort_keys=False)


def change(draw: st.DrawFn, document: Json) -> None:
    """One place of a document, in place."""
    found = list(places(document))
    if not found:
        return
    path = draw(st.sampled_from(found))
    parent, what = at(document, path[:-1]), draw(st.sampled_from(["drop", "odd", "odd", "key", "copy"]))
    if what == "drop":
        del parent[path[-1]]
    elif what == "odd":
        parent[path[-1]] = copy.deepcopy(draw(st.sampled_from(ODD)))
    elif what == "key" and isinstance(parent, dict):
        parent[draw(st.sampled_from(KEYS))] = copy.deepcopy(draw(st.sampled_from(ODD)))
    else:
        parent[path[-1]] = copy.deepcopy(at(document, draw(st.sampled_from(found))))


def holds(text: str, command: str) -> None:
    stdout, stderr = io.BytesIO(), io.StringIO()
    code = run(COMMANDS[command], io.BytesIO(text.encode()), stdout, stderr, {})
    assert code in (0, 1, 2), stderr.getvalue()
    if code:
        assert not stdout.getvalue()
        assert stderr.getvalue()


@pytest.mark.parametrize("command", COMMANDS)
def test_no_bug_of_ours_shows(command: str) -> None:
    @given(hostile())
    @settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    def law(text: str) -> None:
        holds(text, command)

    law()


@pytest.mark.thorough
@given(hostile(), st.sampled_from(sorted(COMMANDS)))
@settings(max_examples=2000, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_no_bug_of_ours_shows_in_thousands(text: str, command: str) -> None:
    holds(text, command)
