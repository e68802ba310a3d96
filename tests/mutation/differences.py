"""
Differences that are meant, or that wait for something: one list of rules, each with its reason.

Enters: a record and what Rookery says of the mutant.  Leaves: the first rule that holds.  A rule looks at kro's message or at our codes,
never at which RGD it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.mutation.judge import Found
    from tests.mutation.verdicts import Record

BY_DESIGN = "by design"
KIND_SCHEMAS = "schemas of kinds"


class Rule(NamedTuple):
    """waits_for: the later work, or BY_DESIGN."""

    reason: str
    waits_for: str
    holds: Callable[[Record, Sequence[Found]], bool]


def _only(*codes: str) -> Callable[[Record, Sequence[Found]], bool]:
    """Rookery alone refuses, for nothing but these."""
    return lambda record, found: record.stage == "accepted" and {one.code for one in found} <= set(codes)


def _says(pattern: str) -> Callable[[Record, Sequence[Found]], bool]:
    """Rookery alone accepts, and kro's message is one of these."""
    compiled = re.compile(pattern)
    return lambda record, _found: record.stage == "graph" and compiled.search(record.says) is not None


RULES = (
    Rule("generateName: a rendered object needs a name that stays (DESIGN 4)", BY_DESIGN, _only("generate-name")),
    Rule(
        "no API server to ask for the kind",
        KIND_SCHEMAS,
        _says(r"cannot resolve group version|no matches for kind"),
    ),
    Rule(
        "a template's literals and fields",
        KIND_SCHEMAS,
        _says(r"schema not found for field|expected .* for path .*, got "),
    ),
    Rule(
        "what a template's field takes",
        KIND_SCHEMAS,
        _says(r"^failed to validate resource .*type mismatch in resource"),
    ),
    Rule(
        "the type of an expression that asks a node",
        KIND_SCHEMAS,
        _says(
            r"undefined field|found no matching overload|must return bool or optional_type|cannot be range of a comprehension"
            r"|does not support field selection"
        ),
    ),
)


def rule_for(record: Record, found: Sequence[Found]) -> Rule | None:
    return next((rule for rule in RULES if rule.holds(record, found)), None)
