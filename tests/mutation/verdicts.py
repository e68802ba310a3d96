"""
What kro says of each mutant, kept as data: `verdicts.json`, one mutant a line.

Enters: that file, and corpora.  Leaves: `Record`s, and the mutants made again.  Not known here: how kro was asked (`record`), what
Rookery says.

A record holds the RGD's key, the edit, a digest of the mutant, and kro's verdict. The RGDs of other people are not in this repository:
their mutants are made again where the corpora are at hand, and the digest tells whether they are the same.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.mutation.edits import Edit, apply, digest, edit_from_json
from tests.mutation.origins import IN_REPOSITORY, OWN, Origin, origins

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FILE = Path(__file__).with_name("verdicts.json")
CORPORA = Path(os.environ.get("ROOKERY_CORPORA", Path(__file__).parents[3] / "shared" / "conformance"))
ACCEPTED = "accepted"
STAGES = (ACCEPTED, "admission", "graph", "crd")
"""Who refuses: the API server the RGD, kro's graph builder, or the API server the generated CRD."""


class Record(NamedTuple):
    """edit: None for the RGD as it is.  says: kro's message; of other people's RGDs without what they wrote."""

    key: str
    edit: Edit | None
    digest: str
    stage: str
    says: str

    @property
    def own(self) -> bool:
        return self.key.startswith(OWN)

    @property
    def kind(self) -> str:
        return self.edit.kind if self.edit else "as-it-is"

    def as_json(self) -> dict[str, Any]:
        edit = self.edit.as_json() if self.edit else {}
        return {"of": self.key, **edit, "digest": self.digest, "kro": self.stage, "says": self.says}


def records() -> list[Record]:
    lines = json.loads(FILE.read_text(encoding="utf-8"))
    return [
        Record(line["of"], edit_from_json(line) if "at" in line else None, line["digest"], line["kro"], line["says"])
        for line in lines
    ]


def write(found: Iterable[Record]) -> None:
    lines = [json.dumps(record.as_json(), ensure_ascii=False, separators=(",", ":")) for record in found]
    FILE.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


class Made(NamedTuple):
    """A mutant made again."""

    record: Record
    origin: Origin
    rgd: dict[str, Any]


def made(found: Iterable[Record]) -> Iterator[Made]:
    """
    The mutants of the records whose RGD is at hand.

    Errors: AssertionError where a corpus holds another RGD than the one that was recorded.
    """
    at_hand = {**(origins(CORPORA) if CORPORA.is_dir() else {}), **origins(IN_REPOSITORY)}
    for record in found:
        origin = at_hand.get(record.key)
        if origin is None:
            continue
        rgd = apply(origin.rgd, record.edit) if record.edit else origin.rgd
        assert digest(rgd) == record.digest, f"{record.key}: the RGD is not the one that was recorded"
        yield Made(record, origin, rgd)
