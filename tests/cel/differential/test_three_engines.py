"""Rookery, cel-expr-python (CEL's own C++) and cel-python say the same of expressions at random, where the latter two are asked."""

from __future__ import annotations

import pytest

from tests.cel.differential.compare import compare

EXAMPLES = 600


@pytest.mark.thorough
def test_the_three_engines_agree() -> None:
    """The same expressions in every run, so that a run tells of a change here; `python -m tests.cel.differential` looks for others."""
    differences, asked = compare(EXAMPLES, repeatable=True)
    assert differences == []
    assert asked["a value"] > EXAMPLES // 3
    assert asked["cel-expr-python"] > EXAMPLES * 0.9
    assert asked["cel-python"] > EXAMPLES // 3
