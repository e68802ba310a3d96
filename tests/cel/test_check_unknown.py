"""The law of `UNKNOWN`: what kro accepts with every schema at hand is accepted without them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from krm_fn.cel import CelSyntaxError, parse
from krm_fn.cel.check import CheckError, check
from krm_fn.cel.types import DYNAMIC, RUNTIME, UNKNOWN, Type
from krm_fn.schema.cel_types import element_of, is_condition_result, is_custom_condition, type_of_variable

CORPUS = Path(__file__).parent.parent / "conformance" / "corpora" / "kro-cel"
DEFINITIONS: dict[str, Any] = json.loads((CORPUS / "definitions.json").read_text())


def _declared(case: dict[str, Any]) -> dict[str, Type]:
    bindings = case.get("bindings") or {}
    names = DEFINITIONS["bindings"].get(bindings, ()) if isinstance(bindings, str) else bindings
    declared: dict[str, Type] = dict.fromkeys(names, DYNAMIC)
    for name, schema in (case.get("schemas") or {}).items():
        made = type_of_variable(DEFINITIONS["schemas"][schema], name)
        if made is not None:
            declared[name] = made
    return declared


def _accepted() -> list[tuple[str, dict[str, Type], Type]]:
    """(text, variables, type) of every expression with variables that has a type."""
    found = []
    for path in sorted(CORPUS.glob("*.json")):
        cases = json.loads(path.read_text())
        for case in cases if isinstance(cases, list) else ():
            declared = _declared(case)
            if "expr" not in case or not declared:
                continue
            try:
                found.append((case["expr"], declared, check(parse(case["expr"]), {**declared, "runtime": RUNTIME})))
            except (CelSyntaxError, CheckError):
                continue
    return found


ACCEPTED = _accepted()


def test_there_is_something_to_ask() -> None:
    assert len(ACCEPTED) > 2_000


@pytest.mark.parametrize(
    "suits",
    [
        pytest.param(is_condition_result, id="a bool"),
        pytest.param(lambda some: element_of(some) is not None, id="a list"),
        pytest.param(is_custom_condition, id="a condition"),
    ],
)
def test_no_place_refuses_for_want_of_a_schema(suits: Any) -> None:
    for text, declared, known in ACCEPTED:
        unknown = check(parse(text), {**dict.fromkeys(declared, UNKNOWN), "runtime": RUNTIME})
        assert suits(unknown) or not suits(known), text
