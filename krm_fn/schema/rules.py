"""
x-kubernetes-validations: CEL rules about one value, `self`.

Enters: the rules of a schema node.  Leaves: a check that also runs them; or what is wrong with a rule's text.  Imported only where a
schema has rules.  Not known here: types: a rule that would not pass the API server's type checker fails when it is run.

A rule that names `oldSelf` compares with an earlier version; on create there is none and the rule does not apply. Rules run only on
a value in which nothing else is wrong. The API server's rules know functions that kro's expressions do not (`sets.*`, `format.*`):
such a rule is not checked, and a warning says so.
Source: Kubernetes v1.35.0 apiextensions-apiserver pkg/apiserver/schema/cel.  Differs: the API server's cost limits are not counted.
"""

from __future__ import annotations

from krm_fn.report.diagnostic import WARNING
from krm_fn.schema.structural import Violation, show_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from krm_fn.schema.structural import Check, Found, Path


def rule_problem(text: str) -> str:
    """Say why *text* cannot be a rule: not an expression, or a name that is neither `self` nor `oldSelf`; empty when it can."""
    from krm_fn.cel import CelSyntaxError, parse, references

    try:
        names = references(parse(text)).roots
    except CelSyntaxError as error:
        return error.problems[0].message
    strange = sorted(name for name in names if name not in {"self", "oldSelf"})
    return f"'{strange[0]}' is not a name here, rules know self and oldSelf" if strange else ""


def uses_old_self(text: str) -> bool:
    """Whether a valid rule compares with the value before."""
    from krm_fn.cel import parse, references

    return "oldSelf" in references(parse(text)).roots


def with_rules(rules: list[dict[str, Any]], check: Check) -> Check:
    """Make a check that runs *check* and, when it found no error, every rule that applies on create."""
    from krm_fn.cel import compile_, parse

    compiled = [(rule["rule"], compile_(parse(rule["rule"]))) for rule in rules if not uses_old_self(rule["rule"])]
    if not compiled:
        return check

    def check_with_rules(value: Any, path: Path, found: Found) -> Any:
        before = len(found.errors)
        admitted = check(value, path, found)
        if len(found.errors) == before and admitted is not None:
            for text, run in compiled:
                _run(text, run, admitted, path, found)
        return admitted

    return check_with_rules


def _run(text: str, run: Callable[[dict[str, Any]], Any], value: Any, path: Path, found: Found) -> None:
    from krm_fn.cel.errors import BUDGET, UNDECLARED, EvaluationError

    shown = text if len(text) <= 80 else text[:77] + "..."
    try:
        outcome = run({"self": value})
    except EvaluationError as error:
        if error.kind in {BUDGET, UNDECLARED}:
            message = f"{show_path(path)}: the rule '{shown}' is not checked: {error}"
            found.warnings.append(Violation("instance-rule-unchecked", path, message, "", WARNING))
        else:
            found.error("instance-rule-failed", path, f"{show_path(path)} breaks the rule '{shown}': {error}")
        return
    if outcome is not True:
        why = "" if outcome is False else ": it gives no boolean"
        found.error("instance-rule-failed", path, f"{show_path(path)} breaks the rule '{shown}'{why}")
