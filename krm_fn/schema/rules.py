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

    from krm_fn.cel.syntax import Node
    from krm_fn.schema.structural import Check, Found, Path


_KRO_ONLY = frozenset(
    [
        "base64.decode",
        "base64.encode",
        "hash.fnv64a",
        "hash.md5",
        "hash.sha256",
        "json.marshal",
        "json.unmarshal",
        "lists.insertAtIndex",
        "lists.removeAtIndex",
        "lists.setAtIndex",
        "merge",
        "omit",
        "random.seededInt",
        "random.seededString",
        "runtime.condition",
        "runtime.newCondition",
    ]
)
"""Functions of kro's expressions that the API server's rules do not have."""
_SERVER_NAMESPACES = frozenset({"format", "sets"})
_SERVER_METHODS = frozenset({"validate"})
_ESCAPES = {"underscores": "__", "dot": ".", "dash": "-", "slash": "/"}


def rule_problem(text: str) -> str:
    """Say why the API server would not take *text* for a rule: its syntax, its names, its functions; empty when it would."""
    from krm_fn.cel import parse, references
    from krm_fn.cel.errors import CelSyntaxError

    try:
        used = references(parse(text))
    except CelSyntaxError as error:
        return error.problems[0].message
    for name in used.roots:
        if name not in {"self", "oldSelf"} and name not in _SERVER_NAMESPACES:
            return f"'{name}' is not a name here, rules know self and oldSelf"
    if _SERVER_NAMESPACES.isdisjoint(used.roots):
        for name in [*used.unknown_functions, *used.unknown_methods]:
            if name not in _SERVER_METHODS:
                return f"'{name}' is not a function"
    for name in used.functions:
        if name in _KRO_ONLY:
            return f"'{name}' is a function of kro's expressions, the API server's rules do not have it"
    return ""


def uses_old_self(text: str) -> bool:
    """Whether a valid rule compares with the value before."""
    from krm_fn.cel import parse, references

    return "oldSelf" in references(parse(text)).roots


def _tree(text: str) -> Node:
    """Parse a valid rule, its fields by the names that they have in the schema: `self.with__dash__it` selects `with-it`."""
    from krm_fn.cel import parse
    from krm_fn.cel.syntax import Has, Select, children

    root = parse(text)
    if "__" in text:
        nodes = [root]
        for node in nodes:  # grows while it is read
            if isinstance(node, (Has, Select)):
                node.field = _unescaped(node.field)
            nodes.extend(children(node))
    return root


def _unescaped(name: str) -> str:
    """Undo Kubernetes' escapes. Source: Kubernetes v1.35.0 apiserver pkg/cel/escaping.go."""
    if name[:2] == "__" == name[-2:] and "__" not in name[2:-2] and name[2:-2] not in _ESCAPES:
        return name[2:-2]  # a reserved word: `__in__`
    for word, char in _ESCAPES.items():
        name = name.replace(f"__{word}__", f"\0{char}\0")
    return name.replace("\0", "")


def with_rules(rules: list[dict[str, Any]], check: Check) -> Check:
    """Make a check that runs *check* and, when it found no error, every rule that applies on create."""
    from krm_fn.cel import compile_

    compiled = [(rule["rule"], compile_(_tree(rule["rule"]))) for rule in rules if not uses_old_self(rule["rule"])]
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
