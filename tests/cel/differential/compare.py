"""Expressions at random in three engines: what they differ in, and how often each was asked."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings

from tests.cel.differential.engines import ERROR, cel_expr_python, cel_python, is_well_typed, rookery
from tests.cel.differential.expressions import BINDINGS, EXPRESSIONS
from tests.conformance.compare import same_typed, shown

ENGINES = {"cel-expr-python": cel_expr_python, "cel-python": cel_python}


def compare(examples: int, *, repeatable: bool) -> tuple[list[str], Counter[str]]:
    """
    The differences, and how many expressions had `a value`, `an error`, and an answer of each other engine.

    *repeatable*: the same expressions each time. All differences of a run are told, none is shrunk.
    """
    differences: list[str] = []
    asked: Counter[str] = Counter()

    @settings(
        max_examples=examples,
        derandomize=repeatable,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(EXPRESSIONS, BINDINGS)
    def run(text: str, bindings: dict[str, Any]) -> None:
        if not is_well_typed(text):
            return
        ours = rookery(text, bindings)
        asked["an error" if ours == ERROR else "a value"] += 1
        for name, engine in ENGINES.items():
            theirs = engine(text, bindings)
            if theirs is None:
                continue
            asked[name] += 1
            if not same_typed(ours, theirs):
                differences.append(f"{text} with {bindings}: {shown(ours)} here, {shown(theirs)} in {name}")

    run()
    return differences, asked
