"""
The name that was probably meant: asked wherever a name is chosen from a known set.

Enters: a word, and the names that are known.  Leaves: the nearest name, or the sentence for `help`.  Not known here: what the
names are names of.

Words and names come from hostile input, and there may be a hundred thousand mistakes.  So all questions of a run draw on one
allowance of work, about half a second of it; when that is spent there is no answer any more.  An honest author never gets there.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_MAX_WORD = 64
_MAX_NAMES = 500
_CUTOFF = 0.65
"""How alike two names are, from 0 to 1, before one may be a misspelling of the other; lower, and the guesses get wild."""
ALLOWANCE = 30_000_000
_LOOK = 100
"""What it costs to look at a name; to compare two costs the product of their lengths."""


class _Work:
    """What is left of the allowance."""

    left = ALLOWANCE


def begin_run() -> None:
    """A new run has the whole allowance."""
    _Work.left = ALLOWANCE


def closest(word: str, known: Iterable[str]) -> str:
    """
    The one of *known* that is nearest to *word*, capitals aside; the first of several, and nothing where none is near.

    Units:  words of at most 64 code points, and the first 500 names.
    """
    if not word or len(word) > _MAX_WORD or _Work.left <= 0:
        return ""
    from difflib import SequenceMatcher
    from itertools import islice

    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(word.lower())
    best, nearest = 0.0, ""
    for name in islice(known, _MAX_NAMES):
        _Work.left -= _LOOK
        least = max(best, _CUTOFF)
        matcher.set_seq1(name[: 2 * _MAX_WORD].lower())
        if matcher.real_quick_ratio() >= least and matcher.quick_ratio() >= least:
            _Work.left -= len(word) * len(name)
            ratio = matcher.ratio()
            if ratio >= least and ratio > best:
                best, nearest = ratio, name
    return nearest


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean 'x'?`, or nothing."""
    near = closest(word, known)
    return f"did you mean {near!r}?" if near else ""
