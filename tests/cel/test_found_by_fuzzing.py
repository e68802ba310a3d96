"""What fuzzing and hostile expressions found in the engine, each as the smallest case that showed it."""

from __future__ import annotations

import time

import pytest

from krm_fn.cel.errors import BUDGET
from tests.cel.running import error_of

LONG = "cel.bind(a, lists.range(200000), {})"


@pytest.mark.thorough
@pytest.mark.parametrize(
    "call", ["sum()", "min()", "max()", "isSorted()", "indexOf(-1)", "lastIndexOf(-1)", "distinct()"]
)
def test_a_walk_of_a_long_list_in_a_loop_is_paid_for(call: str) -> None:
    """Each walks the list in Python; they took up to minutes before the budget was spent."""
    started = time.process_time()
    assert error_of(LONG.format(f"lists.range(100000).map(i, a.{call})")).kind == BUDGET
    assert time.process_time() - started < 5


def test_a_long_second_argument_in_a_loop_is_paid_for() -> None:
    """Only the first was: a long seed kept the engine busy for as long as one liked."""
    started = time.process_time()
    long = f"cel.bind(t, {'x' * 90_000!r}, cel.bind(u, t + t + t + t + t + t + t + t, {{}}))"
    text = long.replace("{}", "lists.range(100000).map(i, random.seededString(3, u))")
    assert error_of(text).kind == BUDGET
    assert time.process_time() - started < 5
