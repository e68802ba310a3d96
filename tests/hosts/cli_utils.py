"""What cli-utils, the library inside `kpt live apply`, says of objects: the program of tools/cli-utils-check."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from tests.hosts.programs import tool

Json = dict[str, Any]


class CliUtils:
    """A running program that answers one case after the other."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [tool("cli-utils-check")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def check(self, objects: list[Json], live: list[Json] = []) -> Json:  # noqa: B006 - read only
        """*objects*: of one package.  *live*: what the cluster holds when they are reconciled."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"objects": objects, "live": live}) + "\n")
        self._process.stdin.flush()
        answer: Json = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.stdout is not None
        self._process.stdout.close()
        assert self._process.wait(10) == 0
