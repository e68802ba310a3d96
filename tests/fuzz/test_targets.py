"""The targets themselves, without atheris: they pass what is no bug, and they see one."""

from __future__ import annotations

import random
from itertools import islice

import pytest

from tests.fuzz import targets
from tests.fuzz.grammar import Choices, expression
from tests.fuzz.seeds import expressions, seed


@pytest.mark.parametrize("name", targets.TARGETS)
def test_a_target_passes_over_seeds_whole_and_damaged(name: str) -> None:
    generator = random.Random(name)
    for text in islice(expressions(), 0, None, 40):
        given = seed(name, text).encode()
        targets.TARGETS[name](given)
        cut = generator.randrange(len(given))
        targets.TARGETS[name](given[:cut] + generator.randbytes(2) + given[cut + 1 :])


@pytest.mark.parametrize("name", ["compile", "evaluate", "grammar", "law", "template"])
def test_a_target_sees_an_exception_that_is_no_diagnostic(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise KeyError

    monkeypatch.setattr(targets, "compile_", broken)
    with pytest.raises(KeyError):
        targets.TARGETS[name](seed(name, "1 + 1").encode())


def test_a_target_sees_a_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "MAX_SECONDS", 0)
    with pytest.raises(targets.HangError):
        targets.TARGETS["compile"](b"1 + 1")


def test_the_grammar_reaches_most_of_the_language() -> None:
    """Random bytes give texts that nest calls, operators and macros, and of which most are syntactically right."""
    texts = [expression(Choices(random.Random(i).randbytes(60))) for i in range(300)]
    assert len(set(texts)) > 150
    assert max(map(len, texts)) > 100
