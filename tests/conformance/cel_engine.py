"""
An expression put to the product's CEL engine, as kro puts it to its own: parse, inspect, check, compile, run, convert.

Enters: a text, declared variables, a context.  Leaves: an `Answer` that says how far it came.  Not known here: corpora.

What kro's builder refuses before it checks types is refused here too: free names that are not declared, functions that do not
exist, `omit()` and `runtime` out of place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from krm_fn.cel import CelSyntaxError, EvaluationError, compile_, parse, references, to_json
from krm_fn.cel.check import CheckError, check
from krm_fn.cel.library import conditions
from krm_fn.cel.types import DYNAMIC, RUNTIME
from krm_fn.cel.values import Unknown
from krm_fn.program.conditions import check_conditions
from krm_fn.schema.cel_types import is_custom_condition

if TYPE_CHECKING:
    from krm_fn.cel.types import Type

PARSE, INSPECT, CHECK, COMPILE, EVALUATE, VALUE = "parse", "inspect", "check", "compile", "evaluate", "value"
BEFORE_RUNNING = (PARSE, INSPECT, CHECK, COMPILE)
OMIT_ALLOWED, CONDITIONS = "omit-allowed", "conditions"


class Answer:
    """
    stage: where it ended.  error: the message.  pending: kro would wait.  value: for VALUE, the engine's own value.  type: as cel-go
    prints it, empty where no type was found.
    """

    def __init__(
        self, stage: str, *, error: str = "", pending: bool = False, value: Any = None, type_: str = ""
    ) -> None:
        self.stage = stage
        self.type = type_
        self.error = error
        self.pending = pending
        self.value = value

    def __str__(self) -> str:
        if self.stage == VALUE:
            return repr(self.value)[:160]
        return f"{self.stage} error{' (pending)' if self.pending else ''}: {self.error[:160]}"


def ask(
    text: str,
    variables: dict[str, Any],
    context: str | None = None,
    *,
    types: dict[str, Type] | None = None,
    unchecked: bool = False,
) -> Answer:
    """Evaluate *text*. Variables are dyn but for those in *types*. *unchecked*: types are left to the evaluation."""
    try:
        tree = parse(text)
    except CelSyntaxError as error:
        return Answer(PARSE, error=str(error))
    if refusal := _inspect(tree, variables, context):
        return Answer(INSPECT, error=refusal)
    deduced = ""
    if not unchecked:
        declared = {**dict.fromkeys(variables, DYNAMIC), **(types or {})}
        try:
            output = check(tree, {**declared, "runtime": RUNTIME} if context == CONDITIONS else declared)
        except CheckError as error:
            return Answer(CHECK, error=str(error))
        deduced = str(output)
        if context == CONDITIONS and not is_custom_condition(output):
            return Answer(INSPECT, error=f"{deduced} is no condition")
    try:
        program = compile_(tree)
    except (CelSyntaxError, EvaluationError) as error:
        return Answer(COMPILE, error=str(error), type_=deduced)
    try:
        value = program({**variables, "runtime": conditions.RUNTIME} if context == CONDITIONS else dict(variables))
    except EvaluationError as error:
        return Answer(EVALUATE, error=str(error), pending=error.is_pending, type_=deduced)
    if type(value) is Unknown:
        return Answer(EVALUATE, error=f"unknown: {', '.join(value.paths)}", type_=deduced)
    return Answer(VALUE, value=value, type_=deduced)


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
    if context == CONDITIONS and (complaints := check_conditions([tree])):
        return complaints[0].message
    return ""


def json_of(value: Any) -> tuple[Any, str]:
    """What a template field gets, and the error where the conversion fails."""
    try:
        return to_json(value), ""
    except EvaluationError as error:
        return None, str(error)
