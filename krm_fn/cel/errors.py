"""
What can go wrong with an expression: its text (`CelSyntaxError`) or its evaluation (`EvaluationError`).

Decisions are taken by `kind`, never by the text of a message.
"""

from __future__ import annotations

NO_SUCH_KEY = "no-such-key"
INDEX_OUT_OF_BOUNDS = "index-out-of-bounds"
NO_SUCH_OVERLOAD = "no-such-overload"
DIVISION_BY_ZERO = "division-by-zero"
OVERFLOW = "overflow"
BAD_CONVERSION = "bad-conversion"
BAD_ARGUMENT = "bad-argument"
UNDECLARED = "undeclared"
BUDGET = "budget-exceeded"
BREAKDOWN = "breakdown"
"""What makes kro's evaluation panic."""

PENDING_KINDS = frozenset({NO_SUCH_KEY, INDEX_OUT_OF_BOUNDS})
"""kro takes these for data that is not there yet and waits; every other kind is the author's bug."""
NEVER_ABSORBED = frozenset({BUDGET, BREAKDOWN})
"""Kinds that end the evaluation wherever they arise: no `||` gets past them."""


class Problem:
    """One complaint about a text: `offset` and `length` count code points from 0 in the expression."""

    __slots__ = ("length", "message", "offset")

    def __init__(self, message: str, offset: int, length: int = 0) -> None:
        self.message = message
        self.offset = offset
        self.length = length


class CelSyntaxError(Exception):
    """The text is not an expression. Holds at least one `Problem`."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("; ".join(p.message for p in problems))


class EvaluationError(Exception):
    """An evaluation that has no value. `missing` is the path that was not there (`schema.spec.name`), for pending kinds."""

    def __init__(self, kind: str, message: str, missing: str = "") -> None:
        self.kind = kind
        self.missing = missing
        super().__init__(message)

    @property
    def is_pending(self) -> bool:
        return self.kind in PENDING_KINDS
