"""
An expression put to the product's CEL engine, as kro puts it to its own: parse, inspect, compile, run, convert.

Enters: a text, declared variables, a context.  Leaves: an `Answer` that says how far it came.  Not known here: corpora.

What kro's builder refuses before it checks types is refused here too: free names that are not declared, functions that do not
exist, `omit()` and `runtime` out of place.
"""

from __future__ import annotations

from typing import Any

from krm_fn.cel import CelSyntaxError, EvaluationError, compile_, parse, references, to_json
from krm_fn.cel.values import Unknown

PARSE, INSPECT, COMPILE, EVALUATE, VALUE = "parse", "inspect", "compile", "evaluate", "value"
OMIT_ALLOWED, CONDITIONS = "omit-allowed", "conditions"


class Answer:
    """stage: where it ended.  error: the message.  pending: kro would wait.  value: for VALUE, the engine's own value."""

    def __init__(self, stage: str, *, error: str = "", pending: bool = False, value: Any = None) -> None:
        self.stage = stage
        self.error = error
        self.pending = pending
        self.value = value

    def __str__(self) -> str:
        if self.stage == VALUE:
            return repr(self.value)[:160]
        return f"{self.stage} error{' (pending)' if self.pending else ''}: {self.error[:160]}"


def ask(text: str, variables: dict[str, Any], context: str | None = None, *, inspect: bool = True) -> Answer:
    """Evaluate *text*. Without *inspect* the bare engine is asked, whose free names are its own affair."""
    try:
        tree = parse(text)
    except CelSyntaxError as error:
        return Answer(PARSE, error=str(error))
    if inspect and (refusal := _inspect(tree, variables, context)):
        return Answer(INSPECT, error=refusal)
    if inspect and (methods := references(tree).unknown_methods):
        return Answer(COMPILE, error=f"unknown methods {list(methods)}")
    try:
        program = compile_(tree)
    except (CelSyntaxError, EvaluationError) as error:
        return Answer(COMPILE, error=str(error))
    try:
        value = program(dict(variables))
    except EvaluationError as error:
        return Answer(EVALUATE, error=str(error), pending=error.is_pending)
    if type(value) is Unknown:
        return Answer(EVALUATE, error=f"unknown: {', '.join(value.paths)}")
    return Answer(VALUE, value=value)


def _inspect(tree: Any, variables: dict[str, Any], context: str | None) -> str:
    """Why kro's inspector would refuse the expression; empty where it does not."""
    found = references(tree)
    declared = {*variables, "runtime"} if context == CONDITIONS else {*variables}
    unknown = [name for name in found.roots if name not in declared]
    if unknown:
        return f"unknown names {unknown}"
    if found.unknown_functions:
        return f"unknown functions {list(found.unknown_functions)}"
    if found.uses_omit and context != OMIT_ALLOWED:
        return "omit() is not allowed here"
    return ""


def json_of(value: Any) -> tuple[Any, str]:
    """What a template field gets, and the error where the conversion fails."""
    try:
        return to_json(value), ""
    except EvaluationError as error:
        return None, str(error)
