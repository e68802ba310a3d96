"""
Which mutants are made: the same ones every time, every kind about as often as the others, and spread over the RGDs.

Enters: origins.  Leaves: (origin, edit, mutant).  Not known here: verdicts.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.mutation import in_definition, in_expressions, in_simple_schema, in_templates
from tests.mutation.edits import Edit, apply, digest
from tests.mutation.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.mutation.origins import Origin

MODULES = (in_definition, in_simple_schema, in_templates, in_expressions)
"""They fill the table when they are imported."""


class Mutant(NamedTuple):
    origin: Origin
    edit: Edit
    rgd: dict[str, Any]


def choose(origins: Iterable[Origin], a_kind: int) -> list[Mutant]:
    """At most *a_kind* mutants of each kind; of each kind at most one an RGD, unless there are too few RGDs for it."""
    chosen: list[Mutant] = []
    used: Counter[str] = Counter()
    everything = list(origins)
    seen = {digest(origin.rgd) for origin in everything}
    for kind, mutation in KINDS.items():
        pools = {
            origin.key: sorted(mutation(origin.rgd), key=lambda edit: _rank(kind, origin, edit))
            for origin in everything
        }
        taken = 0
        while taken < a_kind and any(pools.values()):
            ranked = sorted((o for o in everything if pools[o.key]), key=lambda o: (used[o.key], _rank(kind, o)))
            for origin in ranked:
                mutant = _next(origin, pools[origin.key], seen)
                if mutant is None:
                    continue
                chosen.append(mutant)
                used[origin.key] += 1
                taken += 1
                if taken == a_kind:
                    break
    return chosen


def _next(origin: Origin, pool: list[Edit], seen: set[str]) -> Mutant | None:
    while pool:
        edit = pool.pop(0)
        try:
            rgd = apply(origin.rgd, edit)
        except (LookupError, TypeError):
            continue
        name = digest(rgd)
        if name not in seen:
            seen.add(name)
            return Mutant(origin, edit, rgd)
    return None


def _rank(kind: str, origin: Origin, edit: Edit | None = None) -> str:
    """A fixed order that looks random."""
    text = json.dumps([kind, origin.key, edit.as_json() if edit else None], ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
