"""The annotations of any output: every gate is kept, no wave is without one, there are as few as can be, and order of input is no matter."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from krm_fn.emit.argocd import place
from krm_fn.emit.kpt import own_references, referred
from krm_fn.emit.marks import SELF
from krm_fn.emit.targets import ARGOCD, KPT, MARKER, Order
from krm_fn.expand.observed import identity
from krm_fn.order.layers import WAVES
from tests.order.worlds import Reference, World

if TYPE_CHECKING:
    from krm_fn.emit.plain import Emitted
    from krm_fn.expand.observed import Identity

HEALTH = list(HealthCheck)


def judge(seed: int) -> tuple[int, int]:
    """How many waves an output takes, and how many of its objects are in a later one."""
    chance = Random(seed)
    world = World(chance)
    waves = chance.choice(WAVES)
    instances = chance.random() < 0.3
    base, step = chance.choice([(0, 1), (0, 1), (-5, 1), (100, 3)])
    argocd, kpt = Order(ARGOCD, waves=waves, base=base, step=step), Order(KPT, waves=waves)
    made = world.rendered(argocd, instances=instances)
    levels = _waves(world, made, waves, base, step)
    referring = world.rendered(kpt, instances=instances)
    assert {identity(each.object) for each in referring} == {
        identity(each.object) for each in made if each.node != MARKER
    }
    _references(world, referring, waves)
    order, first = chance.choice([(argocd, made), (kpt, referring)])
    assert _placed(world.rendered(order, instances=instances, shuffled=chance)) == _placed(first), (
        "the order of input matters"
    )
    return len(set(levels)), sum(map(bool, levels))


def _waves(world: World, made: list[Emitted], waves: str, base: int, step: int) -> list[int]:
    reference = Reference(world, made, waves)
    levels = []
    later = []
    for each in made:
        _, wave = place(each.object)
        if each.node in (MARKER, SELF):
            later.append(wave)
            continue
        level, rest = divmod(wave - base, step)
        assert rest == 0
        key = identity(each.object)
        for other in reference.before(*reference.place(key)):
            assert wave > base + step * reference.level(other), "a dependent shares a wave with its gate"
        assert level == reference.level(key), f"{key}: not the least wave"
        levels.append(level)
    assert sorted(set(levels)) == list(range(len(set(levels)))), "a wave without an object"
    assert set(later) <= {base + step * max(levels, default=0)}, "what comes last is in the last wave"
    return levels


def _references(world: World, made: list[Emitted], waves: str) -> None:
    reference = Reference(world, made, waves)
    names: dict[Identity, list[Identity]] = {}
    for each in made:
        own = [referred(text) for text in own_references(each.object)]
        names[identity(each.object)] = [key for key in own if key is not None]
        assert None not in own
        assert len(set(own)) == len(own), "something is named twice"
    for key, others in names.items():
        assert set(others) <= names.keys(), "something that is not there is named"
        if key[0] != "kro.run":
            before = reference.before(*reference.place(key))
            assert set(others) <= before, "something is named that nobody waits for"
            assert _closure(key, names) >= before, "something that must come first is not named"


def _closure(key: Identity, names: dict[Identity, list[Identity]]) -> set[Identity]:
    found: set[Identity] = set()
    pending = list(names[key])
    while pending:
        if (each := pending.pop()) not in found:
            found.add(each)
            pending += names[each]
    assert key not in found, "it waits for itself"
    return found


def _placed(made: list[Emitted]) -> dict[Identity, tuple[object, ...]]:
    return {identity(each.object): (place(each.object), *own_references(each.object)) for each in made}


@given(st.integers(0, 2**32))
@settings(max_examples=100, deadline=None, suppress_health_check=HEALTH)
def test_any_order_that_is_emitted(seed: int) -> None:
    judge(seed)


def test_what_is_judged_is_worth_it() -> None:
    """Most outputs have waves; some have many."""
    found = [judge(seed) for seed in range(20)]
    assert sum(waves > 1 for waves, _ in found) > 8
    assert max(waves for waves, _ in found) > 3


@pytest.mark.thorough
@pytest.mark.parametrize("part", range(10))
def test_any_order_of_two_thousand(part: int) -> None:
    for seed in range(200 * part, 200 * (part + 1)):
        judge(seed)
