"""What Argo CD says of an object's health: the program of tools/argocd-health, which runs Argo CD's own Lua interpreter."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tests.hosts.programs import tool

Json = dict[str, Any]


class ArgoHealth:
    """A running program that answers one question after the other."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [tool("argocd-health")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def ask(self, question: Json) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def judge(self, script: str, objects: Sequence[Json]) -> list[Json]:
        """What a check says of each object: `status`, `message`, and `error` where it has none to say."""
        answers: list[Json] = self.ask({"script": script, "objects": list(objects)})
        return answers

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.stdout is not None
        self._process.stdout.close()
        assert self._process.wait(10) == 0


@contextmanager
def argo_health() -> Iterator[ArgoHealth]:
    running = ArgoHealth()
    try:
        yield running
    finally:
        running.close()
