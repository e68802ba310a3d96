"""
The law of damaged snapshots: what is rendered holds every object that was rendered before, or nothing is rendered at all.

Each fixture is lived through on a cluster that is a dict, observed, and then its snapshot is cut off, has bytes flipped, loses
entries, and is taken for another cluster's. What an applier would get from it must never lack an object that it had.
"""

from __future__ import annotations

import copy
import io
import json
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from krm_fn.command import EXIT_OK, EXIT_REFUSED, run
from krm_fn.emit.yaml_text import dump
from krm_fn.expand.observed import identity
from krm_fn.read.sources import read_sources
from krm_fn.read.yaml import parse_documents
from tests.snapshots import CLUSTER, DictCluster, observed

ROOT = Path(__file__).resolve().parents[2]
PLACES = 200
SAMPLE = 12

SETTINGS: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "team-settings", "namespace": "shops"},
    "data": {"title": "Books", "banner": "on"},
}
CERTIFICATE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "root", "namespace": "certificates", "labels": {"use": "storefront"}},
    "data": {"issuer": "first"},
}
TEAM: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "team", "namespace": "shops"},
    "data": {"notice": "closed on Sunday"},
}
LIVES: dict[str, tuple[list[str], list[dict[str, Any]]]] = {
    "web-application": (["fixtures/web-application"], []),
    "web-application-dynamodb": (["fixtures/web-application-dynamodb"], []),
    "fan-out": (["fixtures/fan-out"], []),
    "chain-of-three": (["fixtures/chain-of-three"], []),
    "external-reference": (
        ["fixtures/external-reference/rgd.yaml", "fixtures/external-reference/instance.yaml"],
        [SETTINGS, CERTIFICATE],
    ),
    "observed-state": (
        ["fixtures/observed-state/rgd.yaml", "fixtures/observed-state/instance.yaml"],
        [TEAM],
    ),
}
STATUS = {"loadBalancer": {"ingress": [{"hostname": "books.example.net"}]}}


def rendered(paths: list[str], snapshot: Path, *words: str) -> tuple[int, bytes]:
    out, err = io.BytesIO(), io.StringIO()
    command = ["render", *(str(ROOT / path) for path in paths), "--observed", str(snapshot), *words]
    return run(command, io.BytesIO(), out, err, {}), out.getvalue()


def identities(output: bytes) -> set[tuple[str, str, str, str]]:
    return {identity(document.value) for document in parse_documents(output.decode(), "output")}


@cache
def lived(name: str) -> tuple[str, str]:
    """The snapshot of a fixture that has been applied to the end; and one taken when what it needs is gone again."""
    paths, existing = LIVES[name]
    cluster = DictCluster(*existing)
    texts = [dump(document.value) for document in read_sources([str(ROOT / path) for path in paths], bytes)]
    text = ""
    for _ in range(4):
        text = observed(cluster, "---\n".join(texts))
        for document in _output(texts, text):
            stored = cluster.apply(document)
            if stored["kind"] == "Service":
                stored["status"] = STATUS
                stored["spec"] = copy.deepcopy(stored["spec"])
                stored["spec"]["ports"] = [{**port, "nodePort": 30000} for port in stored["spec"]["ports"]]
    for each in existing:
        del cluster.objects[identity(each)]
    for stored in cluster.objects.values():
        stored.pop("status", None)
    return text, observed(cluster, "---\n".join(texts))


def _output(texts: list[str], snapshot: str) -> Iterator[dict[str, Any]]:
    from krm_fn.pipeline import Options, Rendering

    rendering = Rendering(parse_documents("---\n".join([*texts, snapshot]), "x"), Options())
    batches = list(rendering.batches())
    assert not rendering.findings.has_errors, rendering.findings.sorted()
    for _, batch in batches:
        for emitted in batch:
            yield emitted.object


def truncated(text: str, places: int) -> Iterator[bytes]:
    data = text.encode()
    for at in sorted({len(data) * i // places for i in range(places)}):
        yield data[:at]


def flipped(text: str, places: int) -> Iterator[bytes]:
    chance = random.Random(text)
    data = text.encode()
    for at in chance.sample(range(len(data)), min(places, len(data))):
        bit = 1 << chance.randrange(8)
        yield data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]


def without_entries(text: str, places: int) -> Iterator[bytes]:
    value = parse_documents(text, "x")[0].value
    entries = [
        (section, i) for section in ("instances", "owned", "objects", "lists") for i in range(len(value[section]))
    ]
    for section, i in entries[:places]:
        yield json.dumps({**value, section: [*value[section][:i], *value[section][i + 1 :]]}).encode()


DAMAGES = {"cut off": truncated, "a bit of a byte": flipped, "without an entry": without_entries}


def hold(name: str, damage: str, snapshot: Path, places: int) -> None:
    paths, _ = LIVES[name]
    for text in lived(name):
        snapshot.write_text(text)
        code, output = rendered(paths, snapshot, "--cluster", CLUSTER)
        assert code == EXIT_OK
        before = identities(output)
        assert before
        for data in DAMAGES[damage](text, places):
            snapshot.write_bytes(data)
            code, output = rendered(paths, snapshot, "--cluster", CLUSTER)
            if code == EXIT_OK:
                assert identities(output) >= before, data
            else:
                assert (code, output) == (EXIT_REFUSED, b""), data


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", LIVES)
def test_law_a_damaged_snapshot_takes_nothing_away(name: str, damage: str, tmp_path: Path) -> None:
    hold(name, damage, tmp_path / "observed.yaml", SAMPLE)


@pytest.mark.thorough
@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", LIVES)
def test_law_a_damaged_snapshot_takes_nothing_away_anywhere(name: str, damage: str, tmp_path: Path) -> None:
    hold(name, damage, tmp_path / "observed.yaml", PLACES)


@pytest.mark.parametrize("name", LIVES)
def test_law_a_snapshot_of_another_cluster_is_refused(name: str, tmp_path: Path) -> None:
    snapshot = tmp_path / "observed.yaml"
    for text in lived(name):
        snapshot.write_text(text)
        assert rendered(LIVES[name][0], snapshot, "--cluster", "another") == (EXIT_REFUSED, b"")


@pytest.mark.parametrize("name", [name for name, (_, existing) in LIVES.items() if existing])
def test_law_what_lives_is_given_also_when_what_it_needs_is_gone(name: str, tmp_path: Path) -> None:
    """The second snapshot lacks what the objects were made of; they are held."""
    snapshot = tmp_path / "observed.yaml"
    found = []
    for text in lived(name):
        snapshot.write_text(text)
        code, output = rendered(LIVES[name][0], snapshot)
        assert code == EXIT_OK
        found.append(identities(output))
    assert found[1] >= found[0]
