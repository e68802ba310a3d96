"""What Flux says of objects by a Kustomization's healthCheckExprs: the program of tools/flux-cel, which links Flux's own evaluator."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.hosts.programs import tool

Json = dict[str, Any]


class FluxCel:
    """A running program that answers one question after the other."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def judge(self, kustomization: Json, objects: list[Json]) -> list[str]:
        """`Current` or `InProgress` for each object, `no check` for other kinds; `error: …` where it is asked again."""
        answer = self._ask(kustomization, objects)
        assert "refused" not in answer, (answer, kustomization)
        statuses: list[str] = answer.get("statuses", [])
        assert len(statuses) == len(objects)
        return statuses

    def refusal(self, kustomization: Json) -> str:
        """Why the controller does not take it; empty where it does."""
        return str(self._ask(kustomization, []).get("refused", ""))

    def _ask(self, kustomization: Json, objects: list[Json]) -> Json:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"kustomization": kustomization, "objects": objects}) + "\n")
        self._process.stdin.flush()
        answer: Json = json.loads(self._process.stdout.readline())
        return answer


@contextmanager
def flux_cel() -> Iterator[FluxCel]:
    command = [tool("flux-cel")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        yield FluxCel(process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0
