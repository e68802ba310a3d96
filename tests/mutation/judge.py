"""
Rookery's verdict of an RGD: `rookery validate` on it, with the other RGDs of its case and the CRDs that are there.

Enters: an origin and a mutant of its RGD.  Leaves: the errors that are about the mutant; none means accepted.  Not known here: what
kro says.
"""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from krm_fn.command import run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from tests.mutation.origins import Origin

_ERROR = re.compile(r"^(?:(?P<file>[^:\n]*):\d+:\d+: )?error\[(?P<code>[a-z0-9-]+)\]: (?P<message>.*)$", re.MULTILINE)
_MUTANT, _OTHERS, _CRDS = "mutant.json", "others.json", "crds.json"


class Found(NamedTuple):
    code: str
    message: str


class Judge:
    """A context manager: the files of one origin are written once."""

    def __init__(self) -> None:
        self._directory = TemporaryDirectory(prefix="mutants-")
        self._folder = Path(self._directory.name)
        self._origin = ""
        self._more: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._directory.cleanup()

    def errors(self, origin: Origin, rgd: Mapping[str, Any]) -> list[Found]:
        """Errors: AssertionError where the product does not end with a verdict."""
        if self._origin != origin.key:
            self._surround(origin)
        mutant = self._folder / _MUTANT
        mutant.write_text(json.dumps(rgd, ensure_ascii=False, indent=0), encoding="utf-8")
        stdout, stderr = io.BytesIO(), io.StringIO()
        code = run(["validate", str(mutant), *self._more], io.BytesIO(), stdout, stderr, {})
        said = stderr.getvalue()
        if code not in (0, 1):
            raise AssertionError(f"exit {code}: {said.strip()[-400:]}")
        found = [m for m in _ERROR.finditer(said) if m["file"] in (None, str(mutant))]
        return [Found(m["code"], m["message"]) for m in found]

    def _surround(self, origin: Origin) -> None:
        self._origin, self._more = origin.key, []
        if origin.others:
            self._write(_OTHERS, origin.others)
            self._more.append(str(self._folder / _OTHERS))
        if origin.crds:
            self._write(_CRDS, origin.crds)
            self._more += ["--crds", str(self._folder / _CRDS)]

    def _write(self, name: str, items: tuple[dict[str, Any], ...]) -> None:
        value = {"apiVersion": "v1", "kind": "List", "items": list(items)}
        (self._folder / name).write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
