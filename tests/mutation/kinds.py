"""The table of mutations: each is a name and a function from an RGD to every edit of that kind that it admits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.mutation.edits import Edit

    Mutation = Callable[[dict[str, Any]], Iterator[Edit]]

KINDS: dict[str, Mutation] = {}


def mutation(function: Mutation) -> Mutation:
    """Enter a function in the table under its own name, with dashes."""
    KINDS[function.__name__.replace("_", "-")] = function
    return function


def misspelt(word: str) -> str:
    """The word with two letters exchanged, or one more letter."""
    for i in range(len(word) - 2, 0, -1):
        if word[i] != word[i + 1] and word[i].isalnum() and word[i + 1].isalnum():
            return word[:i] + word[i + 1] + word[i] + word[i + 2 :]
    return word + "x"
