"""How the tests of this room run an expression."""

from typing import Any

from krm_fn.cel import compile_, parse
from krm_fn.cel.errors import CelSyntaxError, EvaluationError


def run(text: str, /, **activation: Any) -> Any:
    return compile_(parse(text))(activation)


def tree(text: str) -> Any:
    """The syntax tree of *text*."""
    return parse(text)


def error_of(text: str, /, **activation: Any) -> EvaluationError:
    """The EvaluationError that running *text* ends in."""
    try:
        value = run(text, **activation)
    except EvaluationError as error:
        return error
    raise AssertionError(f"{text} gives {value!r}")


def problems_of(text: str) -> list[tuple[str, str]]:
    """The problems for which *text* is refused, as (message, the part of the text that is marked)."""
    try:
        parse(text)
    except CelSyntaxError as error:
        return [(p.message, text[p.offset : p.offset + p.length]) for p in error.problems]
    raise AssertionError(f"{text} is accepted")


def rows(table: dict[str, list[Any]]) -> list[Any]:
    """A table {rule: [rows]} as pytest parameters, each named by its rule and number."""
    import pytest

    return [
        pytest.param(row, id=f"{rule.replace(' ', '-')}-{number}")
        for rule, entries in table.items()
        for number, row in enumerate(entries, 1)
    ]
