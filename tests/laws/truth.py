"""
What must hold of two renders of one input, of which the second knows more; and of what the first withholds.

Enters: a `Case`.  Leaves: a `Judgement`.  The laws stand in `test_truth_of_deferral`.
"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

from krm_fn.cel.values import root_of
from krm_fn.expand.outcome import DEFERRED, EXCLUDED, HELD, MISSING, RESOLVED, UNKNOWN, Expansion, Outcome, Wait
from tests.laws.deferral import Case, Key, Observation, Result, body, path_of
from tests.laws.observations import Chance
from tests.laws.witnesses import GATES, READINESS, came_to, difference, first_causes, witness

DENSITIES = (0.0, 0.3, 0.6, 1.0)
"""From a server that adds nothing, so that all that may be absent is, to one that fills in everything."""
SEEDS_OF_SOME, SEEDS_OF_ALL = 4, 12
_ABSENT = object()


class Judgement:
    def __init__(self) -> None:
        self.broken: list[str] = []
        self.unexplained: list[str] = []


def judge(case: Case, seeds: int, counts: Counter[str], *, witnesses: bool, label: str = "") -> Judgement:
    """Hold *case* against the laws, with as many observations as *seeds* says. *counts*: what was tried, by name."""
    found = Judgement()
    if not case.is_sound:
        counts[f"{label}inputs that do not render"] += 1
        return found
    counts[f"{label}inputs"] += 1
    came: dict[Key, set[tuple[str, ...]]] = {}
    for seed in range(seeds):
        more = observe(case, seed)
        part = partly(case, more, Random(seed))
        counts[f"{label}observations"] += 2
        counts[f"{label}observations that end in an error"] += bool(more.result.faults)
        for less, known in ((case.blind, part), (part, more.result), (case.blind, more.result)):
            found.broken += [f"{case.name}: {text}" for text in broken(less, known)]
        for key in case.blind.outcomes:
            if (one := came_to(more.result, key)) is not None:
                came.setdefault(key, set()).add(one)
    for key, outcome in case.blind.outcomes.items():
        counts[f"{label}nodes {outcome.state}"] += 1
        if outcome.state == DEFERRED and witnesses:
            how = explained(case, key) or witnessed(case, key, came.get(key, set()))
            counts[f"{label}withheld, {how or 'without a witness'}"] += 1
            if how is None:
                waits = [path for wait in outcome.waits for path in wait.paths]
                found.unexplained.append(f"{case.name}: {key}: {waits}: {came.get(key)}")
    return found


def observe(case: Case, seed: int, *, intrudes: bool = False) -> Observation:
    chance = Chance(Random(seed), DENSITIES[seed % len(DENSITIES)], case.literals, intrudes=intrudes)
    return case.observe(chance, {}, 0.5 if seed // len(DENSITIES) % 2 else 0.0)


def partly(case: Case, whole: Observation, random: Random) -> Result:
    """
    The same with some objects not looked at. What selectors find is a whole: who gives a snapshot gives all that they select.
    """
    kept = [found for key, found in whole.objects.items() if key in whole.selected or random.random() < 0.5]
    return case.render(kept, given=True)


# -- resolved and excluded --------------------------------------------------------------------------------------------


def broken(less: Result, more: Result) -> list[str]:
    """What *more* knowledge changed that it must not."""
    texts = []
    for key, before in less.outcomes.items():
        if before.state in (RESOLVED, EXCLUDED) and not _stays(key, before, less, more):
            after = more.outcomes.get(key)
            was = body(before) if before.state == RESOLVED else before.state
            now = "gone" if after is None else body(after) if after.state == RESOLVED else after.state
            texts.append(f"{key}: {was} became {now}")
    for fault in more.faults:
        key = (str(fault.subject), fault.node.id if fault.node is not None else "")
        earlier = less.outcomes.get(key)
        of_readiness = fault.node is not None and fault.compiled in fault.node.ready_when
        if earlier is not None and earlier.state in (RESOLVED, EXCLUDED) and not of_readiness:
            texts.append(f"{key}: {earlier.state} became an error: {fault.message}")
    for before_, after_ in (
        (a, b) for a in less.expansions for b in more.expansions if str(a.subject) == str(b.subject)
    ):
        texts += [f"{a}: status {text}" for a in [str(before_.subject)] for text in _other_status(before_, after_)]
    return texts


def _stays(key: Key, before: Outcome, less: Result, more: Result) -> bool:
    after = more.outcomes.get(key)
    if after is None:
        return bool(more.faults) or _is_withheld(_parent(key[0], less), more)
    if after.state == before.state:
        return before.state == EXCLUDED or body(after) == body(before)
    return _is_withheld(key, more)


def _is_withheld(key: Key | None, more: Result) -> bool:
    """Whether a node waits because a source of it, or of the instance that makes it, is not ready."""
    if key is None:
        return False
    outcome = more.outcomes.get(key)
    if outcome is None:
        return _is_withheld(_parent(key[0], more), more)
    if outcome.state not in (DEFERRED, HELD):
        return False
    causes = first_causes(more, key)
    return all(wait.reason in GATES or _is_of_nested(place, wait, more) for place, wait in causes)


def _is_of_nested(place: Key, wait: Wait, more: Result) -> bool:
    """Whether it waits for the status of a nested instance, which is not known where a source in there is not ready."""
    return wait.reason == UNKNOWN and any(
        item.nested is not None and item.nested.unknown_status
        for path in wait.paths
        if (key := (place[0], path_of(path)[0])) in more.outcomes
        for item in more.outcomes[key].items
    )


def _parent(subject: str, result: Result) -> Key | None:
    """The node that makes a nested instance."""
    for key, outcome in result.outcomes.items():
        if any(item.nested is not None and str(item.nested.subject) == subject for item in outcome.items):
            return key
    return None


def _other_status(before: Expansion, after: Expansion) -> list[str]:
    """
    Fields of the status that were known and have another value now; one may become unknown, where a source is not ready.

    sic: an item of a list that is not known yet is null, or lacks its fields, as kro writes it.
    """
    return [text for path, text in _differences(before.status, after.status, "") if path not in before.unknown_status]


def _differences(before: Any, after: Any, path: str) -> list[tuple[str, str]]:
    if isinstance(before, dict) and isinstance(after, dict):
        under = f"{path}." if path else ""
        pairs = [(child, after.get(key, _ABSENT), f"{under}{key}") for key, child in before.items()]
        return [found for pair in pairs for found in _differences(*pair)]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [found for i, child in enumerate(before) for found in _differences(child, after[i], f"{path}[{i}]")]
    return [] if after is _ABSENT or before == after else [(path, f"{path}: {before!r} became {after!r}")]


# -- deferred ---------------------------------------------------------------------------------------------------------


def explained(case: Case, key: Key) -> str | None:
    """Why a node is withheld although no two observations of its own expressions differ."""
    outcome = case.blind.outcomes[key]
    if all(wait.chain for wait in outcome.waits):
        return "as a node before it, which is judged itself"
    if all(wait.reason == MISSING for wait in outcome.waits):
        return "the instance lacks it, and no observation brings it (waits-forever)"
    if any(_is_behind_gates(key, wait, case.blind) for wait in outcome.waits):
        return "a status of a nested instance, behind a gate in there; the test below has two observations by hand"
    return None


def _is_behind_gates(key: Key, wait: Wait, blind: Result) -> bool:
    """Whether it waits for the status of a nested instance in which some node has a readyWhen: the search opens no gates in there."""
    return wait.reason == UNKNOWN and any(
        item.nested is not None and any(node.ready_when for node in item.nested.program.nodes.values())
        for path in wait.paths
        if (source := (key[0], path_of(path)[0])) in blind.outcomes
        for item in blind.outcomes[source].items
    )


def witnessed(case: Case, key: Key, came: set[tuple[str, ...]]) -> str | None:
    """How two observations differ; None where no two were found."""
    how = difference(came)
    if how != "value":
        how = witness(case, key, 8, came)
    if how == READINESS and not _is_of_strangers(case, key):
        return None
    return None if how is None else f"witnessed: {how}"


def _is_of_strangers(case: Case, key: Key) -> bool:
    """Whether it waits for external references alone. Nobody applies these, so their readiness is no matter of order."""
    outcomes = case.blind.outcomes
    return all(outcomes[place].node.is_external for place, _ in first_causes(case.blind, key) if place != key) and all(
        (name := (key[0], root_of(path))) in outcomes and outcomes[name].node.is_external
        for _, wait in first_causes(case.blind, key)
        for path in wait.paths
    )
