"""`every-edge` gives the layers in which kro itself sends: the `wave` numbers of the first step of what was recorded of it."""

from __future__ import annotations

import json
import os
from pathlib import Path

from krm_fn.expand.outcome import Expansion
from krm_fn.order.gates import gates
from krm_fn.order.layers import EVERY_EDGE, Layers, arrange
from krm_fn.pipeline import Options, Rendering
from krm_fn.read.sources import read_sources
from krm_fn.read.yaml import parse_documents
from krm_fn.report.diagnostic import RenderError
from tests.conformance.kro_live import ALL, SNAPSHOTS
from tests.conformance.live_inputs import Recording

REPOSITORY = Path(__file__).resolve().parents[2]


def corpora() -> list[Path]:
    """The corpora beside the repository, or else those in it."""
    beside = Path(os.environ.get("ROOKERY_CORPORA") or REPOSITORY.parent / "shared" / "conformance")
    return [beside] if (beside / "kro-live").is_dir() else [REPOSITORY / "tests" / "conformance" / "corpora"]


def _layers_of(expansion: Expansion, layers: Layers, start: int) -> dict[tuple[str, str], int]:
    """(instance, node) -> the number of the wave, counted within the instance from 1."""
    subject = expansion.subject
    name = "/".join(part for part in (subject.kind, subject.namespace, subject.name) if part)
    found: dict[tuple[str, str], int] = {}
    for node_id, outcome in expansion.outcomes.items():
        first = layers.first(expansion, node_id)
        found[name, node_id] = first - start + 1
        for item in outcome.items:
            if item.nested is not None:
                found |= _layers_of(item.nested, layers, first)
    return found


def waves_of(recording: Recording) -> dict[tuple[str, str], int] | None:
    """The layers of every node of a recording's instances; None where its input is refused."""
    texts = [source.text for source in recording.inputs.values()]
    snapshot = json.dumps({"apiVersion": "v1", "kind": "List", "items": SNAPSHOTS[ALL](recording)}, ensure_ascii=False)
    try:
        documents = [d for i, text in enumerate(texts) for d in parse_documents(text, f"{i}.yaml")]
    except RenderError:
        return None
    rendering = Rendering(
        documents,
        Options(kro_labels=True),
        crds=read_sources([str(path) for path in recording.crd_paths if path.exists()], bytes),
        observed=list(parse_documents(snapshot, "observed.yaml")),
    )
    expansions = [expansion for expansion, _ in rendering.batches() if expansion is not None]
    if rendering.findings.has_errors:
        return None
    waves: dict[tuple[str, str], int] = {}
    for expansion in expansions:
        # kro sends nested instances, too.
        layers = arrange(
            [expansion], lambda each: gates(each, rendering.world, instances=True), EVERY_EDGE, instances=True
        )
        waves |= _layers_of(expansion, layers, 0)
    return waves


def test_the_layers_are_the_waves_of_the_first_step() -> None:
    """By number; by rank where something of an earlier layer is not in the step, since it stood there already: kro counts what it sends."""
    compared, incomplete = 0, []
    for root in corpora():
        for folder in sorted((root / "kro-live").glob("*/*")):
            if not (folder / "golden.yaml").is_file():
                continue
            recording = Recording(folder, root / "kro-crds")
            sent = _sent(recording)
            waves = waves_of(recording) if sent else None
            if waves is None:
                continue
            for name in {name for name, _ in sent}:
                theirs = {key: wave for key, wave in sent.items() if key[0] == name}
                ours = {key: waves[key] for key in theirs}
                if set(ours.values()) != set(range(1, max(ours.values()) + 1)):
                    incomplete.append(folder.name)
                    ours, theirs = ranked(ours), ranked(theirs)
                assert ours == theirs, folder.name
                compared += len(ours)
    assert compared > 150
    assert len(incomplete) < compared / 100, incomplete


def _sent(recording: Recording) -> dict[tuple[str, str], int]:
    """(instance, node) -> the first wave that sent it, of what kro did before the user did more; empty where it took not all."""
    sent: dict[tuple[str, str], int] = {}
    if recording.steps and not (recording.history or recording.rejected or recording.instances_rejected):
        for applied in recording.steps[0].get("applied") or []:
            key = (applied["instance"], applied["node"])
            sent[key] = min(applied["wave"], sent.get(key, applied["wave"]))
    return sent


def ranked(waves: dict[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    """Counted anew, without gaps."""
    numbers = sorted(set(waves.values()))
    return {key: numbers.index(wave) for key, wave in waves.items()}
