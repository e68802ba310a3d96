"""
The record of one case, and what can be said about it.

Enters: what an adapter read from a file.  Leaves: `Case`s for the runner.  Not known here: any format, any product function.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class Mismatch(Exception):  # noqa: N818 - what a failing case is called here
    """The product answered otherwise than the case says. The message is one line: what was wanted, what came."""


class NotComparable(Exception):  # noqa: N818
    """The case asks for something that the adapter cannot put to the product: a gap of the exclusion list, hence a failure."""


@dataclass(frozen=True)
class Case:
    """
    One case.

    file: the row of the table.  id: unique within the file.  form: the format and operation, as `kro-live` or `nodes:desired`.
    facts: what exclusion rules may look at; taken from the case's data alone.  check: puts the case to the product and raises
    Mismatch, or returns remarks (deviations that the format allows).
    """

    file: str
    id: str
    form: str
    check: Callable[[], list[str]]
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Skipped:
    """Something that was found and is no case: `what` it is (a path), and why it is left alone."""

    what: str
    why: str
