"""
The budget of an evaluation: no expression stalls a render, whatever it is and whatever it is given.

Enters: what is about to be done, in units.  Leaves: an EvaluationError once too much was done.  Not known here: what does it.

A unit is a tenth of a microsecond on an ordinary core, so a full budget is gone within a second. Counted are units and never
time: the same expression on the same data ends alike everywhere. Who pays for what:
* a loop for the nodes of its body, each time (`compile.Compiler.weight`); a call is a few nodes, a long literal as well;
* a function that takes longer than that for its price, a call and each element or character (`library.prices`);
* whoever walks, compares or builds a long text, list or map for its length.
"""

from __future__ import annotations

from krm_fn.cel.errors import BUDGET, EvaluationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from krm_fn.cel.values import Value

EVALUATION_BUDGET = 10_000_000
UNLIMITED = 1 << 62
FAILURE = 30
"""Units of an error that something absorbs and goes on: raising it, and saying what is wrong."""
CONTAINER = 12
"""Units for looking into one list or map."""
SMALL = 256
"""What is shorter than this is paid for by the node that looks at it or makes it."""
MAX_DEPTH = 250
"""The deepest value that is compared or converted."""
ROOM_AT = 100
"""The depth from which on that needs more of Python's stack than is there for sure."""


class Budget:
    """
    What the running evaluation may still do.

    An evaluation begins with EVALUATION_BUDGET and leaves UNLIMITED behind, for whoever reads a value between two of them.
    """

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = UNLIMITED

    def spend(self, units: int) -> None:
        """Errors: BUDGET, which nothing absorbs."""
        self.left -= units
        if self.left < 0:
            raise EvaluationError(BUDGET, "the expression does too much work: its budget is spent")


budget = Budget()
spend = budget.spend


def pay_for(value: Value) -> None:
    """Pay for a value that was just built: what holds it lives as long as the evaluation."""
    if isinstance(value, (str, bytes)):
        if len(value) > SMALL:
            spend(len(value) >> 2)
    elif isinstance(value, (list, dict)) and len(value) > SMALL:
        spend(len(value))


def pay_to_read(value: Value) -> None:
    """Pay for looking through a text, list or map once, with nothing done to its elements."""
    if isinstance(value, (str, bytes, list, dict)) and len(value) > SMALL:
        spend(len(value) >> 4)


def pay_to_compare(first: str | bytes, second: str | bytes) -> None:
    """Pay for comparing two texts, which ends where they differ; that may be at their end."""
    if len(first) > SMALL and len(second) > SMALL:
        spend(min(len(first), len(second)) >> 8)


def pay_to_sort(texts: Iterable[str]) -> None:
    """Pay for bringing the keys of a map into order."""
    lengths = [*map(len, texts)]
    spend(4 * len(lengths) + (sum(lengths) >> 6))


def too_deep(depth: int) -> None:
    """Refuse a value that is nested deeper than anything that a manifest holds."""
    if depth > MAX_DEPTH:
        raise EvaluationError(BUDGET, f"a value is nested more than {MAX_DEPTH} levels deep")
