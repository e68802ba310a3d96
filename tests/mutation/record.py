"""
How `verdicts.json` was made, and is made anew: kro is asked once, outside the tests, by the Go program in `tools/kro-verdicts`
(`go build`; its argument is the kubeconfig of an API server with kro's CRDs).

`python -m tests.mutation.record originals > requests`; put the requests to kro, one JSON object a line:
    {"id", "crds": [...], "rgds": [...], "rgd": {...}}      or, for many in one place,      {"id", "crds", "rgds", "each": [...], "ids": [...]}
and it answers, a line for each RGD:
    {"id", "stage": "accepted" | "admission" | "graph" | "crd" | "context", "message"}
"context" is about the surroundings and no answer for an RGD. What asks kro does, for each RGD, what a cluster with kro does:
    admission   POST it to a real API server with kro's CRD, as a dry run; what comes back is what kro sees
    graph       kro's graph.Builder, NewResourceGraphDefinition, with its own combined schema resolver on that API server; CELOmitFunction is on
    crd         POST the generated CRD, as a dry run
The kinds of `crds`, and those that `rgds` generate, are there as the API server would publish them.

Then `... record mutants ORIGINALS_ANSWERED > requests`, ask again, `... record keep ORIGINALS_ANSWERED MUTANTS_ANSWERED`.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.mutation.choose import choose
from tests.mutation.edits import digest
from tests.mutation.origins import OWN, Origin, origins
from tests.mutation.verdicts import ACCEPTED, CORPORA, Record, write

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.mutation.choose import Mutant

A_KIND = 36
_MOST = 240


def main(words: list[str]) -> int:
    if words[:1] == ["originals"] and len(words) == 1:
        _print({**_surroundings(origin), "rgd": origin.rgd} for origin in origins(CORPORA).values())
    elif words[:1] == ["mutants"] and len(words) == 2:
        mutants = _chosen(_answers(words[1]))
        by_origin: dict[str, list[int]] = {}
        for i, mutant in enumerate(mutants):
            by_origin.setdefault(mutant.origin.key, []).append(i)
        _print(
            {
                **_surroundings(mutants[group[0]].origin),
                "each": [mutants[i].rgd for i in group],
                "ids": [*map(str, group)],
            }
            for group in by_origin.values()
        )
    elif words[:1] == ["keep"] and len(words) == 3:
        _keep(_answers(words[1]), _answers(words[2]))
    else:
        sys.stderr.write(f"usage: see {__name__}\n")
        return 2
    return 0


def _surroundings(origin: Origin) -> dict[str, Any]:
    return {"id": origin.key, "crds": origin.crds, "rgds": origin.others}


def _print(requests: Iterable[dict[str, Any]]) -> None:
    for request in requests:
        print(json.dumps(request, ensure_ascii=False))


def _answers(path: str) -> dict[str, dict[str, Any]]:
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    return {answer["id"]: answer for answer in map(json.loads, lines) if answer["stage"] != "context"}


def _accepted(answers: dict[str, dict[str, Any]]) -> list[Origin]:
    return [origin for origin in origins(CORPORA).values() if answers[origin.key]["stage"] == ACCEPTED]


def _chosen(answers: dict[str, dict[str, Any]]) -> list[Mutant]:
    return choose(_accepted(answers), A_KIND)


def _keep(originals: dict[str, dict[str, Any]], answers: dict[str, dict[str, Any]]) -> None:
    found = [Record(origin.key, None, digest(origin.rgd), ACCEPTED, "") for origin in _accepted(originals)]
    for i, mutant in enumerate(_chosen(originals)):
        answer = answers[str(i)]
        says = said(answer.get("message", ""), own=mutant.origin.key.startswith(OWN))
        found.append(Record(mutant.origin.key, mutant.edit, digest(mutant.rgd), answer["stage"], says))
    write(sorted(found, key=lambda record: record.key))


def said(message: str, *, own: bool) -> str:
    """kro's message on one line; of other people's RGDs without the texts that it quotes."""
    line = message.split("\n |", 1)[0]
    if not own:
        line = re.sub(r'"(?:[^"\\]|\\.)*"', '"…"', line)
    line = " ".join(line.split())
    return line if len(line) <= _MOST else line[: _MOST - 1] + "…"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
