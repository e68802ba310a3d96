"""
Differences that are meant, or that wait for something: one list of rules, each with its reason.

Enters: a record and what Rookery says of the mutant.  Leaves: the first rule that holds.  A rule looks at kro's message or at our codes,
never at which RGD it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.mutation.judge import Found
    from tests.mutation.verdicts import Record

BY_DESIGN = "by design"


class Rule(NamedTuple):
    """waits_for: the later work, or BY_DESIGN."""

    reason: str
    waits_for: str
    holds: Callable[[Record, Sequence[Found]], bool]


def _only(*codes: str) -> Callable[[Record, Sequence[Found]], bool]:
    """Rookery alone refuses, for nothing but these."""
    return lambda record, found: record.stage == "accepted" and {one.code for one in found} <= set(codes)


RULES = (Rule("generateName: a rendered object needs a name that stays (DESIGN 4)", BY_DESIGN, _only("generate-name")),)


def rule_for(record: Record, found: Sequence[Found]) -> Rule | None:
    return next((rule for rule in RULES if rule.holds(record, found)), None)
