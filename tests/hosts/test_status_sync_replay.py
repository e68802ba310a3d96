"""What kro said of its instances in recorded runs is what status-sync says, on a real API server, step by step."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.live_inputs import Recording
from tests.hosts.api_server import ApiServer
from tests.hosts.cluster_objects import Objects
from tests.hosts.status_replay import has_much_to_say, is_replayable, replay

pytestmark = pytest.mark.hosts

RECORDED = Path(__file__).resolve().parents[1] / "conformance" / "corpora" / "kro-live" / "own"


def recordings() -> list[Recording]:
    folders = [folder for folder in sorted(RECORDED.iterdir()) if (folder / "golden.yaml").is_file()]
    return [
        one for one in (Recording(folder, None) for folder in folders) if is_replayable(one) and has_much_to_say(one)
    ]


@pytest.fixture(scope="module")
def installed(cluster: ApiServer) -> Iterator[ApiServer]:
    objects = Objects(cluster)
    objects.rgd_crd()
    try:
        yield cluster
    finally:
        objects.close()


def test_there_are_recordings_enough() -> None:
    assert len(recordings()) >= 20


@pytest.mark.parametrize("recording", recordings(), ids=lambda recording: recording.folder.name)
def test_status_sync_says_what_kro_said(installed: ApiServer, recording: Recording) -> None:
    objects = Objects(installed)
    try:
        assert list(replay(recording, objects)) == []
    finally:
        objects.close()
