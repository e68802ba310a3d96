"""A unit of the budget is a tenth of a microsecond, whatever it is spent on: no function is cheaper than it is slow."""

import random

import pytest

from krm_fn.cel.library import index
from krm_fn.cel.library.prices import PRICES
from tests.cel.prices import calls, seconds_of_a_budget, shown

OVERLOADS = {overload.id: overload for name in index.names() for overload in index.overloads(name)}
LIMIT = 5.0
"""Seconds; a good five times of what is meant, since machines that run tests are busy."""
CALLS = 8


def test_every_price_is_of_something() -> None:
    assert {*PRICES} <= {*OVERLOADS} | {*index.names()}


@pytest.mark.thorough
@pytest.mark.parametrize("overload", OVERLOADS.values(), ids=OVERLOADS)
def test_a_full_budget_is_soon_spent(overload) -> None:
    """On the worst arguments that we know, or some of them where there are many; `python -m tests.cel.prices` tries them all."""
    table = [*calls(overload)]
    for text, variables in random.Random(overload.id).sample(table, min(CALLS, len(table))):
        seconds = seconds_of_a_budget(text, variables)
        if seconds > LIMIT:
            seconds = min(seconds_of_a_budget(text, variables, measured=0.05) for _ in range(3))
        assert seconds < LIMIT, f"{text}, {shown(variables)}"
