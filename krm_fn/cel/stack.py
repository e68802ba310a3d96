"""
Room on Python's stack for expressions that are nested to the limit.

The parser allows 250 levels; parser, compiler and closures need a handful of Python frames for each, more than Python's
default of 1,000 leaves. These are frames of Python calling Python, which use no C stack, so the limit may be lifted
while they run. Not known here: expressions.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")

FRAMES = 20_000
"""250 levels at ten frames each, eight times over."""


def deep(run: Callable[..., T], *arguments: object) -> T:
    """`run(*arguments)` with room for deep recursion."""
    limit = sys.getrecursionlimit()
    if limit >= FRAMES:
        return run(*arguments)
    sys.setrecursionlimit(FRAMES)
    try:
        return run(*arguments)
    finally:
        sys.setrecursionlimit(limit)
