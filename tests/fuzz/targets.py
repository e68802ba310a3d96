# ruff: noqa: PT017 - a target is no test of pytest's: that an error comes is no bug, what it says may be one
"""
What is fuzzed, and what must hold. A target takes bytes and raises when there is a bug; a diagnostic is no bug, a hang is one.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from krm_fn.cel import CelSyntaxError, EvaluationError, compile_, parse, references, to_json
from krm_fn.cel.check import CheckError, check
from krm_fn.cel.errors import BUDGET
from krm_fn.cel.types import DYNAMIC
from krm_fn.cel.values import Optional, TypeValue, Uint, Unknown
from krm_fn.program.template import TemplateError, read_expression, read_standalone
from krm_fn.read.yaml import parse_documents
from krm_fn.report.diagnostic import RenderError
from krm_fn.report.text import render_text
from tests.cel.test_unknown_law import filled, outcome, shape
from tests.fuzz.grammar import Choices, data, expression

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_SECONDS = 5


class HangError(Exception):
    """It took longer than anybody waits."""


def _timed(target: Callable[[bytes], None]) -> Callable[[bytes], None]:
    def run(given: bytes) -> None:
        begin = time.process_time()
        target(given)
        if (spent := time.process_time() - begin) > MAX_SECONDS:
            raise HangError(f"{spent:.1f} s")

    return run


def _program(text: str) -> Any:
    """The program of a text, all that is said about it looked at; None where it is refused."""
    try:
        tree = parse(text)
        names = references(tree).roots
        assert all(0 <= at < len(text) for at in references(tree).offsets.values())
        program = compile_(tree)
    except CelSyntaxError as error:
        assert error.problems
        assert all(p.message and 0 <= p.offset <= p.offset + p.length <= len(text) + 1 for p in error.problems)
        return None
    try:
        str(check(tree, dict.fromkeys(names, DYNAMIC)))
    except CheckError as error:
        assert error.problems
    return program


def _run(program: Any, bindings: dict[str, Any]) -> None:
    try:
        to_json(program(bindings))
    except EvaluationError as error:
        assert str(error)


def compile_text(given: bytes) -> None:
    """Any text: refused with places inside it, or compiled; and run with nothing bound."""
    program = _program(given.decode("utf-8", "replace"))
    if program is not None:
        _run(program, {})


def evaluate(given: bytes) -> None:
    """Any text over data of which parts are unknown."""
    choices = Choices(given[:8])
    program = _program(given[8:].decode("utf-8", "replace"))
    if program is not None:
        names = ("x", "y", "v", "k", "m", "schema", "spec")
        _run(program, {name: data(choices, name) for name in names})


def from_grammar(given: bytes) -> None:
    """Well-formed expressions of every operator, macro and function, over data of which parts are unknown."""
    choices = Choices(given)
    bindings = {name: data(choices, name) for name in ("x", "y")}
    text = expression(choices)
    program = _program(f"[1].map(v, [1].map(k, {text})[0])[0]")
    if program is not None:
        _run(program, bindings)


def law(given: bytes) -> None:
    """
    What is said with holes holds when they are filled, for every function; and a value is of the type that the checker deduced.

    It is the law of `tests/cel/test_unknown_law.py`.
    """
    choices = Choices(given)
    holes = {name: data(choices, name) for name in ("x", "y")}
    fillings = [data(choices, "") for _ in range(4)]
    text = f"[1].map(v, [1].map(k, {expression(choices)})[0])[0]"
    try:
        tree = parse(text)
        program = compile_(tree)
    except CelSyntaxError:
        return
    try:
        deduced = str(check(tree, dict.fromkeys(references(tree).roots, DYNAMIC)))
    except CheckError:
        deduced = ""  # the law holds for it all the same

    def fill(path: str) -> Any:
        filling = fillings[sum(map(ord, path)) % len(fillings)]
        return filled(filling, lambda _: 1)

    before = outcome(program, holes)
    if type(before) is Unknown:
        return
    after = outcome(program, {name: filled(value, fill) for name, value in holes.items()})
    budget = EvaluationError in (type(before), type(after)) and BUDGET in (
        getattr(e, "kind", "") for e in (before, after)
    )
    assert budget or (type(before) is EvaluationError) is (type(after) is EvaluationError), (text, before, after)
    if type(after) is not EvaluationError:
        assert shape(filled(before, fill)) == shape(after), (text, before, after)
        wanted = _CLASSES.get(deduced.partition("(")[0])
        assert wanted is None or isinstance(after, wanted), (text, deduced, after)


_CLASSES: dict[str, type] = {
    "bool": bool, "int": int, "uint": Uint, "double": float, "string": str, "bytes": bytes, "null_type": type(None),
    "list": list, "map": dict, "type": TypeValue, "optional_type": Optional,
}  # fmt: skip


def template(given: bytes) -> None:
    """Any text as a scalar of a template: every place of the expression is a place of the text."""
    text = given.decode("utf-8", "replace")
    try:
        found = read_expression(text, ())
    except TemplateError as error:
        assert 0 <= error.offset < len(text)
        found = None
    if found is not None:
        assert all(0 <= found.scalar_offset(at) <= len(text) for at in range(len(found.text) + 1))
        _program(found.text)
    try:
        assert read_standalone(text, ()).text == text[2:-1]
    except TemplateError as error:
        assert error.message


def yaml(given: bytes) -> None:
    """Any text as a file: refused with places, or documents whose every part has a place."""
    text = given.decode("utf-8", "replace").replace("\0", "")
    try:
        documents = parse_documents(text, "fuzz.yaml")
    except RenderError as error:
        assert error.diagnostics
        render_text(error.diagnostics, color=False)
        return
    for document in documents:
        for path in _paths(document.value, (), 200):
            place = document.locate(path, key=bool(path))
            assert place.line >= 1
            assert place.column >= 1


def _paths(value: Any, path: tuple[str | int, ...], limit: int) -> list[tuple[str | int, ...]]:
    """The first *limit* paths of a value, breadth first: what aliases repeat is not walked without end."""
    found = [path]
    pending = [(path, value)]
    while pending and len(found) < limit:
        above, node = pending.pop(0)
        items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        for key, child in items:
            found.append((*above, key))
            pending.append(((*above, key), child))
    return found[:limit]


TARGETS = {
    "compile": _timed(compile_text),
    "evaluate": _timed(evaluate),
    "grammar": _timed(from_grammar),
    "law": _timed(law),
    "template": _timed(template),
    "yaml": _timed(yaml),
}
