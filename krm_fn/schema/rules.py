"""
x-kubernetes-validations: CEL rules about one value, `self`.

Enters: the rules of a schema node.  Leaves: a check that also runs them; or what is wrong with a rule's text.
Imported only where a schema has rules.  Not known here: where a rule was written, whether its value is an instance's.

A rule that names `oldSelf` compares with an earlier version; on create there is none and the rule does not apply.
Rules run only on a value in which nothing else is wrong. The API server's rules know functions that kro's expressions
do not (`sets.*`, `format.*`): such a rule is not checked, and a warning says so.
Source: Kubernetes v1.35.0 apiextensions-apiserver pkg/apiserver/schema/cel.  Differs: what a rule costs is estimated
        (`schema.rule_cost`) as the API server does when it takes a CRD, not counted when the rule runs.
"""

from __future__ import annotations

from krm_fn.report.diagnostic import WARNING
from krm_fn.report.near import did_you_mean
from krm_fn.schema.structural import Violation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    from krm_fn.cel import References
    from krm_fn.cel.syntax import Node
    from krm_fn.cel.types import Type
    from krm_fn.schema.structural import Check, Found, Path

    Schema: TypeAlias = dict[str, Any]


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
_SERVER_NAMES = frozenset(
    [
        "sets",
        "format",
        "optional_type",
        "google",
        "kubernetes",
        "net",
    ],
)
"""Namespaces that the API server's rules may name, and kro's expressions may not."""
_TYPE_NAMES = {
    **{name: name for name in ("int", "uint", "double", "bool", "string", "bytes", "null_type")},
    "list": "list(dyn)",
    "map": "map(dyn, dyn)",
    "type": "type",
}
"""The types that only the API server's rules may name."""
_SERVER_METHODS = frozenset({"validate"})


def rule_problem(text: str, schema: Schema | None) -> tuple[str, str]:
    """
    Say why the API server would not take *text* for a rule of *schema*, and what was meant; both empty where that is not known.

    Without a schema, types and fields are not looked at.

    What is looked at: its syntax, its names, its functions, its types, and its literals. A rule with a function of the API server's own is
    not held to types.
    """
    from krm_fn.cel import parse, references
    from krm_fn.cel.errors import CelSyntaxError
    from krm_fn.cel.library import index

    try:
        root = parse(text)
    except CelSyntaxError as error:
        return error.problems[0].message, ""
    used = references(root)
    for name in used.roots:
        if name not in {"self", "oldSelf"} and name not in _SERVER_NAMES and name not in _TYPE_NAMES:
            return f"'{name}' is not a name here, rules know self and oldSelf", did_you_mean(name, ("self", "oldSelf"))
    if "sets" not in used.roots and "format" not in used.roots:
        for name in [*used.unknown_functions, *used.unknown_methods]:
            if name not in _SERVER_METHODS:
                return f"'{name}' is not a function", did_you_mean(name, index.names())
    strangers = [name for name in used.functions if name in _KRO_ONLY] + (["cel.bind"] if _binds(root) else [])
    if strangers:
        return f"'{strangers[0]}' is a function of kro's expressions, the API server's rules do not have it", ""
    if schema is None:
        return _literal_problem(root), ""
    for access in [*used.roots.get("self", ()), *used.roots.get("oldSelf", ())]:
        problem = _undefined_field(access.split(".")[1:], schema)
        if problem[0]:
            return problem
    typed = "" if _is_beyond(root, used) else _type_problem(root, schema)
    return typed or _literal_problem(root), ""


def _variables(schema: Schema) -> dict[str, Type]:
    """What a rule may name: the value, the one before, and types."""
    from krm_fn.cel.types import parse_type
    from krm_fn.schema.cel_types import Root, type_of_schema

    own = type_of_schema(schema, "self", Root(is_closed=True))
    assert own is not None
    return {
        **{name: parse_type(f"type({notation})") for name, notation in _TYPE_NAMES.items()},
        "self": own,
        "oldSelf": own,
    }


def _type_problem(root: Node, schema: Schema) -> str:
    from krm_fn.cel.check import CheckError, check, types_of
    from krm_fn.cel.check_messages import named
    from krm_fn.cel.syntax import MemberCall
    from krm_fn.cel.types import BOOL, STRING

    variables = _variables(schema)
    try:
        found = check(root, variables, as_rule=True)
    except CheckError as error:
        return error.problems[0].message
    if found is not BOOL:
        return f"a rule gives true or false, this one {named(found)}"
    turned = [node for node in _nodes(root) if isinstance(node, MemberCall) and node.name == "reverse"]
    if turned and any(types_of(root, variables).get(id(node.target)) is STRING for node in turned):
        return "'reverse' turns lists round, the API server's rules have none for texts"
    return ""


def _is_lenient(root: Node) -> bool:
    """Whether `semver(text, true)` or `isSemver(text, true)` is called, which kro has with one argument alone."""
    from krm_fn.cel.syntax import Call

    calls = [node for node in _nodes(root) if isinstance(node, Call)]
    return any(call.name in ("semver", "isSemver") and len(call.arguments) == 2 for call in calls)


_PATTERNS = frozenset({"matches", "find", "findAll"})


def _literal_problem(root: Node) -> str:
    """Patterns, durations and times that stand in the rule are read when the CRD is."""
    from krm_fn.cel import compile_
    from krm_fn.cel.errors import EvaluationError
    from krm_fn.cel.syntax import Call, MemberCall
    from krm_fn.schema.markers import pattern_problem, short

    for node in _nodes(root):
        if not isinstance(node, Call | MemberCall):
            continue
        texts = [text for argument in node.arguments if isinstance(text := getattr(argument, "value", None), str)]
        if node.name in _PATTERNS:
            for text in texts:
                if reason := pattern_problem(text):
                    return f"'{short(text)}' is not an RE2 expression: {reason}"
        elif texts and isinstance(node, Call) and node.name in ("duration", "timestamp"):
            try:
                compile_(node)({})
            except EvaluationError as error:
                return str(error)
    return ""


def _nodes(root: Node) -> list[Node]:
    from krm_fn.cel.syntax import children

    nodes = [root]
    for node in nodes:  # grows while it is read
        nodes.extend(children(node))
    return nodes


def _undefined_field(names: list[str], schema: Schema) -> tuple[str, str]:
    """Follow selections into objects; what stands behind a map, a list or a scalar is left to the types."""
    from krm_fn.schema.field_names import declared

    shown = "self"
    for name in names:
        if schema["type"] != "object" or "additionalProperties" in schema:
            break
        fields: dict[str, Schema] = schema.get("properties", {})
        field = declared(name, fields)
        if not field:
            known = ", ".join(list(fields)[:8])
            hint = did_you_mean(name, fields) or (f"its fields are {known}" if known else "")
            return f"'{name}' is not a field of {shown}", hint
        schema = fields[field]
        shown = f"{shown}.{name}"
    return "", ""


def _binds(root: Node) -> bool:
    from krm_fn.cel.syntax import Bind

    return any(isinstance(node, Bind) for node in _nodes(root))


class Costs:
    """What the sound rules of a CRD cost, as the API server estimates it."""

    def __init__(self) -> None:
        from krm_fn.schema.rule_sizes import Bounds

        self._bounds = Bounds()
        self._once: dict[tuple[int, str], int] = {}
        self._highest: dict[tuple[int, str], tuple[int, Schema]] = {}
        self._total = 0

    def add(self, text: str, schema: Schema, times: int | None) -> None:
        """Count a rule. *times*: how many values of this schema there may be; None where nothing says it."""
        key = (id(schema), text)
        if key not in self._once:
            self._once[key] = self._cost(text, schema)
        cost = self._once[key] * (self._bounds.how_often(schema) if times is None else times)
        self._total += cost
        self._highest[key] = max(self._highest.get(key, (0, schema)), (cost, schema), key=lambda counted: counted[0])

    def _cost(self, text: str, schema: Schema) -> int:
        from krm_fn.cel import parse, references
        from krm_fn.schema.rule_cost import rule_cost

        root = parse(text)
        if _is_beyond(root, references(root)):
            return 0
        return rule_cost(root, _variables(schema), schema, self._bounds)

    def complaints(self) -> list[tuple[Schema, str, str]]:
        """Schema, rule, and what is wrong."""
        from krm_fn.schema.rule_sizes import CRD_LIMIT, RULE_LIMIT

        found = [
            (schema, text, f"may cost {_how_much(cost, RULE_LIMIT)} as the API server allows a rule")
            for (_, text), (cost, schema) in self._highest.items()
            if cost > RULE_LIMIT
        ]
        if not found and self._total > CRD_LIMIT:
            (_, text), (_, schema) = max(self._highest.items(), key=lambda counted: counted[1][0])
            found = [
                (schema, text, f"and others may cost {_how_much(self._total, CRD_LIMIT)} as the API server allows")
            ]
        return found


def _how_much(cost: int, limit: int) -> str:
    times = cost / limit
    return "more than 100 times as much" if times > 100 else f"{times:.1f} times as much"


def _is_beyond(root: Node, used: References) -> bool:
    """Whether types are not known here: of the API server's own functions."""
    unknown = bool(used.unknown_methods or used.unknown_functions)
    return unknown or not _SERVER_NAMES.isdisjoint(used.roots) or _is_lenient(root)


def uses_old_self(text: str) -> bool:
    """Whether a valid rule compares with the value before."""
    from krm_fn.cel import parse, references

    return "oldSelf" in references(parse(text)).roots


def with_rules(schema: Schema, check: Check) -> Check:
    """Make a check that runs *check* and, when it found no error, every rule of *schema* that applies on create."""
    from krm_fn.cel import compile_, parse
    from krm_fn.schema.typed_values import shape_of

    texts = [rule["rule"] for rule in schema["x-kubernetes-validations"] if not uses_old_self(rule["rule"])]
    trees = [(text, parse(text)) for text in texts]
    compiled = [(text, _unchecked if _is_lenient(tree) else compile_(tree)) for text, tree in trees]
    if not compiled:
        return check
    shape = shape_of(schema)

    def check_with_rules(value: Any, path: Path, found: Found) -> Any:
        before = len(found.errors)
        admitted = check(value, path, found)
        if len(found.errors) == before and admitted is not None:
            value = shape.read(admitted)
            for text, run in compiled:
                _run(text, run, value, path, found)
        return admitted

    return check_with_rules


def _unchecked(_names: dict[str, Any]) -> Any:
    from krm_fn.cel.errors import UNDECLARED, EvaluationError

    raise EvaluationError(UNDECLARED, "kro's semver() takes one argument")


def _run(text: str, run: Callable[[dict[str, Any]], Any], value: Any, path: Path, found: Found) -> None:
    from krm_fn.cel.errors import BUDGET, UNDECLARED, EvaluationError
    from krm_fn.schema.complaints import show_path

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
