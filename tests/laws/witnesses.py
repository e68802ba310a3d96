"""
The search for two observations that make a withheld node differ.

Enters: a `Case`, the key of a node that nothing observed leaves withheld.  Leaves: what it came to under observations, and the kind of
difference that was found.  Not known here: whether a difference must be found.

Observations by chance come first. Then the waits lead: what a node waits for gets a value, of its schema where there is one, else one of
those that expressions compare with; what stops the node next is met in the same way, until it is resolved.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from krm_fn.expand.observed import identity
from krm_fn.expand.outcome import (
    DEFERRED,
    DEPENDENCY,
    EXCLUDED,
    HELD,
    MISSING,
    NEVER_READY,
    NOT_READY,
    RESOLVED,
    UNKNOWN,
    Outcome,
    Wait,
)
from krm_fn.program.model import EACH, Compiled, Node
from tests.conformance.live_inputs import Identity
from tests.laws.deferral import Case, Key, Observation, Result, body, literals_of, path_of
from tests.laws.observations import METADATA, Chance, any_value

VALUE, INCLUSION, ERROR, EXISTENCE, READINESS = "value", "inclusion", "error", "existence", "readiness"
GATED = "gated"
GATES = (NOT_READY, NEVER_READY)
Overrides = dict[Identity, list[tuple[tuple[str | int, ...], Any]]]
Want = tuple[Identity, tuple[str | int, ...], Node, Compiled | None]
_STEPS = 14
_MENTIONED = 0.6


def first_causes(result: Result, key: Key) -> list[tuple[Key, Wait]]:
    """Each wait that withholds the node, followed to the node that has it."""
    found = []
    for wait in result.outcomes[key].waits:
        place = key
        while wait.reason == DEPENDENCY:
            place = (key[0], wait.chain[0])
            wait = result.outcomes[place].waits[0]  # noqa: PLW2901 - it is the same wait, seen from nearer
        if wait.reason in GATES and wait.chain:
            place = (key[0], wait.chain[0])
        found.append((place, wait))
    return found


def came_to(result: Result, key: Key) -> tuple[str, ...] | None:
    """What can be told apart of a node; None where it was not reached."""
    outcome = result.outcomes.get(key)
    for fault in result.faults:
        if (
            fault.node is not None
            and (str(fault.subject), fault.node.id) == key
            and fault.compiled not in fault.node.ready_when
        ):
            return (ERROR, fault.code)
    if outcome is None:
        return None
    if outcome.state in (RESOLVED, EXCLUDED):
        return (outcome.state, body(outcome) if outcome.state == RESOLVED else "")
    reasons = {wait.reason for wait in outcome.waits}
    if MISSING in reasons:
        return (MISSING,)
    if outcome.node.is_external and reasons == {UNKNOWN}:
        return (UNKNOWN,)
    return (GATED,) if all(wait.reason in GATES for _, wait in first_causes(result, key)) else None


def difference(results: set[tuple[str, ...]]) -> str | None:
    """
    The strongest difference among what a node came to.

    That its sources are not ready tells nothing of the node itself: READINESS is the least of all.
    """
    states = {one[0] for one in results if one[0] != GATED}
    if len([one for one in results if one[0] == RESOLVED]) > 1:
        return VALUE
    if EXCLUDED in states and len(states) > 1:
        return INCLUSION
    if ERROR in states and len(states) > 1:
        return ERROR
    if len(states) > 1:
        return EXISTENCE
    return READINESS if states and len(results) > 1 else None


def witness(case: Case, key: Key, seeds: int, known: set[tuple[str, ...]]) -> str | None:
    """The strongest difference that is found for a withheld node; *known*: what it came to before."""
    results = set(known)
    for seed in range(seeds):
        for result in _met(case, key, Random(seed)):
            came = came_to(result, key)
            if came is not None:
                results.add(came)
        if difference(results) == VALUE:
            break
    return difference(results)


def _met(case: Case, key: Key, random: Random) -> Iterator[Result]:
    """Renders in which ever more of what the node waits for is there."""
    overrides: Overrides = {}
    chosen: list[Want] = []
    wanted: list[Want] = []
    for step in range(_STEPS):
        together: dict[str, Any] = {}
        alike = random.random() < 0.5  # all items of a collection
        for want in wanted:
            place, path, node, compiled = want
            literals = literals_of(compiled.expression.text) if compiled is not None else []
            value = _value(node.schema, path, Chance(random, 0.7, case.literals), literals)
            if alike:
                value = together.setdefault(f"{node.id} {path}", value)
            overrides.setdefault(place, []).append((path, value))
            chosen.append(want)
        seen = Observation(case, Chance(Random(1), 0.0, case.literals), overrides, 0.0)
        yield seen.result
        wanted = list(_wanted(seen, seen.result, key))
        if step == 0:
            # An expression that can do without a value gets one half the time, too.
            wanted += [want for want in _wanted(seen, case.blind, key) if random.random() < 0.7]
        elif not wanted and chosen:
            # Resolved, or failed on a value: another one for some that were chosen.
            wanted = [want for want in chosen if want[2:] == random.choice(chosen)[2:]]
        if not wanted:
            return


def _wanted(seen: Observation, result: Result, key: Key) -> Iterator[Want]:
    """Where a value is missing: object, path, node, expression."""
    if key not in result.outcomes or result.outcomes[key].state not in (DEFERRED, HELD):
        return
    for place, wait in first_causes(result, key):
        for text in _in_full(wait):
            name, path = path_of(text)
            if name == EACH:
                name = place[1]
            outcome = seen.result.outcomes.get((place[0], name))
            if outcome is None or not path:
                continue
            if outcome.node.is_collection and isinstance(path[0], int):
                path = path[1:]
            for found in _objects(seen, outcome):
                yield found, path, outcome.node, wait.compiled


def _in_full(wait: Wait) -> list[str]:
    """The paths of a wait. Where a field on the way is missing, that to which the expression goes on."""
    further = [path for paths in (wait.compiled.paths.values() if wait.compiled else ()) for path in paths]
    return [next((path for path in further if path.startswith(f"{text}.")), text) for text in wait.paths]


def _objects(seen: Observation, outcome: Outcome) -> list[Identity]:
    if outcome.items:
        return [identity(item.object) for item in outcome.items]
    return [place for place in seen.objects if place[:2] == (outcome.node.group, outcome.node.object_kind)]


def _value(schema: dict[str, Any] | None, path: tuple[str | int, ...], chance: Chance, literals: list[Any]) -> Any:
    """Most often one that the expression mentions, where the schema takes it."""
    if path[0] == "metadata":
        schema = {"properties": {"metadata": METADATA}}
    found: Any = schema
    for step in path:
        if not isinstance(found, dict):
            break
        if isinstance(step, int):
            found = found.get("items")
        else:
            found = (found.get("properties") or {}).get(step, found.get("additionalProperties"))
    kind = found.get("type") if isinstance(found, dict) else None
    fitting = [value for value in literals if kind in (None, {str: "string", int: "integer"}[type(value)])]
    if fitting and chance.random.random() < _MENTIONED:
        return chance.one_of(fitting)
    if isinstance(found, dict) and found:
        return any_value(found, chance)
    return chance.one_of([*chance.literals, {"any": "x"}, ["x"], []])
