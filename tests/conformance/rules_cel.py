"""Operations of `kro-tests` on expressions: evaluation, conversion to JSON, references, types."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from krm_fn.cel import CelSyntaxError, EvaluationError, parse, references
from krm_fn.cel.check import CheckError, check
from krm_fn.cel.library import conditions
from krm_fn.cel.types import RUNTIME, ObjectType, Type, list_of, map_of, optional_of, parse_type
from krm_fn.cel.values import OMIT, TypeValue
from krm_fn.schema.cel_types import element_of, is_custom_condition, why_not
from krm_fn.schema.typed_values import typed
from tests.conformance.case import Mismatch
from tests.conformance.cel_engine import OMIT_ALLOWED, VALUE, ask, json_of
from tests.conformance.compare import first_difference, same_typed, shown
from tests.conformance.kro_cel import compare_value
from tests.conformance.rules_text import expects_error
from tests.conformance.typed import from_typed, plain, to_typed

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]


def evaluate(given: Json, expect: Json) -> None:
    variables = plain(given.get("variables") or {})
    types: dict[str, Type] | None = None
    if re.search(r"\bruntime\.", given["expr"]):
        variables, types = {**variables, "runtime": conditions.RUNTIME}, {"runtime": RUNTIME}
    got = ask(given["expr"], variables, OMIT_ALLOWED, types=types)
    if expects_error(expect):
        if got.stage == VALUE:
            raise Mismatch(f"wanted an error, got {got}")
        return
    if got.stage != VALUE:
        raise Mismatch(f"wanted {shown(expect)}, got {got}")
    if isinstance(got.value, conditions.Condition):
        wanted = expect["value"]["condition"]
        if (fields := {name: got.value.cel_fields[name] for name in wanted}) != wanted:
            raise Mismatch(f"wanted {wanted}, got {fields}")
    elif "value" in expect:
        compare_value({"value": expect["value"], "unordered": expect.get("any_order", False)}, got.value)
    _check_properties(given, expect, got.value, variables)


def _check_properties(given: Json, expect: Json, value: Any, variables: Json) -> None:
    for key, wanted in expect.items():
        match key:
            case "string_length":
                holds = len(value) == wanted
            case "alphabet":
                holds = set(value) <= set(wanted)
            case "int_at_least":
                holds = value >= wanted
            case "int_less_than":
                holds = value < wanted
            case "deterministic":
                holds = same_typed(to_typed(ask(given["expr"], variables).value), to_typed(value)) is wanted
            case "differs_from_expr":
                holds = not same_typed(to_typed(ask(wanted, variables).value), to_typed(value))
            case _:
                continue
        if not holds:
            raise Mismatch(f"{key} {shown(wanted)} does not hold of {shown(to_typed(value))}")


def evaluate_typed(given: Json, expect: Json) -> None:
    """kro puts these to cel-go alone: its variables are dyn, and the names of types, which its graph builder refuses, are values."""
    names = {name: TypeValue(name) for name in ("int", "string", "list")}
    values = {name: typed(plain(each["value"]), each["schema"]) for name, each in given["variables"].items()}
    got = ask(given["expr"], {**names, **values})
    if expects_error(expect):
        if got.stage == VALUE:
            raise Mismatch(f"wanted an error, got {got}")
        return
    if got.stage != VALUE:
        raise Mismatch(f"wanted {shown(expect)}, got {got}")
    compare_value(expect, got.value)


def wrap(given: Json, expect: Json) -> None:
    try:
        got = typed(from_typed(given["value"]), given["schema"])
    except EvaluationError as error:
        if expects_error(expect):
            return
        raise Mismatch(f"wanted {shown(expect)}, got error: {error}") from error
    if expects_error(expect):
        raise Mismatch(f"wanted an error, got {shown(to_typed(got))}")
    if not same_typed(expect["value"], to_typed(got)):
        raise Mismatch(f"wanted {shown(expect['value'])}, got {shown(to_typed(got))}")


def evaluate_both(given: Json, expect: Json) -> None:
    variables = plain(given.get("variables") or {})
    one, other = (ask(given[key], variables, OMIT_ALLOWED) for key in ("expr", "other"))
    if one.stage != VALUE or other.stage != VALUE:
        raise Mismatch(f"no two values: {one}; {other}")
    if same_typed(to_typed(one.value), to_typed(other.value)) is not expect["equal"]:
        raise Mismatch(f"wanted equal: {expect['equal']}, got {one} and {other}")


def evaluate_any(given: Json, expect: Json) -> None:
    got = ask(given["expr"], plain(given["context"]))
    if got.stage != VALUE:
        raise Mismatch(f"wanted {shown(expect)}, got {got}")
    compare_value(expect, got.value)


def to_field(given: Json, expect: Json) -> None:
    got = ask(given["expr"], {}, OMIT_ALLOWED)
    if got.stage != VALUE:
        raise Mismatch(f"wanted {shown(expect)}, got {got}")
    value, error = json_of(got.value)
    if expects_error(expect):
        if not error:
            raise Mismatch(f"wanted an error, got {shown(value)}")
        return
    if error:
        raise Mismatch(f"wanted {shown(expect['json'])}, got error {error}")
    if (difference := first_difference(expect["json"], "omit()" if value is OMIT else value)) is not None:
        raise Mismatch(difference)


def inspect(given: Json, expect: Json) -> None:
    """
    Resources and their paths; functions that are not declared.

    kro repeats a path for each mention; here it is compared as a set. Its lists of function names contain what cel-go's macro
    expansion produces, which no other implementation has: only undeclared ones are compared.
    """
    try:
        found = references(parse(given["expr"]))
    except CelSyntaxError as error:
        raise Mismatch(f"does not parse: {error}") from error
    known = set(given["resources"])
    wanted = {(r["id"], r["path"]) for r in expect.get("resources_any_order") or []}
    got = {(name, path) for name, paths in found.roots.items() if name in known for path in paths}
    if wanted != got:
        raise Mismatch(f"resources: wanted {sorted(wanted - got)}, got {sorted(got - wanted)}")
    strange = [name for name in found.roots if name not in known]
    for key in ("unknown_resources", "unknown_resources_any_order"):
        if key in expect:
            names = sorted({r["id"] if isinstance(r, dict) else r for r in expect[key]})
            if names != sorted(strange):
                raise Mismatch(f"unknown resources: wanted {names}, got {sorted(strange)}")
    if "unknown_functions_any_order" in expect:
        names = sorted({f["name"] if isinstance(f, dict) else f for f in expect["unknown_functions_any_order"]})
        declared = set(given.get("declared_functions") or [])
        unknown = sorted(set(found.unknown_functions) - declared)
        if names != unknown:
            raise Mismatch(f"unknown functions: wanted {names}, got {unknown}")


def is_declared(given: Json, expect: Json) -> None:
    from krm_fn.cel.library.index import is_declared as declared

    if declared(given["function"]) is not expect["declared"]:
        raise Mismatch(f"{given['function']}: wanted declared {expect['declared']}")


def deduce(given: Json, expect: Json) -> None:
    try:
        got = check(parse(given["expr"]), {})
    except CheckError as error:
        if expects_error(expect):
            return
        raise Mismatch(f"wanted {shown(expect)}, got check error: {error}") from error
    if expects_error(expect):
        raise Mismatch(f"wanted an error, got {got}")
    if expect.get("cel_type", str(got)) != str(got):
        raise Mismatch(f"wanted {expect['cel_type']}, got {got}")


def _described(written: Any, name: str) -> Type:
    """A type as the corpus writes it: a name, or an object with one key that says how it is made."""
    if isinstance(written, str):
        return parse_type(written)
    if "object" in written:
        fields = {field: _described(some, f"{name}.{field}") for field, some in written["object"].items()}
        return ObjectType(name, fields, open_ended=bool(written.get("preserve_unknown_fields")))
    if "map" in written:
        return map_of(*(_described(written["map"][part], f"{name}.@elem") for part in ("key", "value")))
    ((kind, inner),) = written.items()
    return {"list": list_of, "optional": optional_of}[kind](_described(inner, f"{name}.@idx"))


def compatible(given: Json, expect: Json) -> None:
    reason = why_not(_described(given["output"], "__type_output"), _described(given["expected"], "__type_expected"))
    if (not reason) is not expect["compatible"]:
        raise Mismatch(f"wanted compatible: {expect['compatible']}, got {reason or 'yes'}")


def element(given: Json, expect: Json) -> None:
    got = element_of(parse_type(given["cel_type"]))
    if (got is None) is not expects_error(expect) or (got is not None and str(got) != expect["element_type"]):
        raise Mismatch(f"wanted {shown(expect)}, got {got}")


def custom_condition(given: Json, expect: Json) -> None:
    if is_custom_condition(parse_type(given["cel_type"])) is expects_error(expect):
        raise Mismatch(f"wanted {shown(expect)} of {given['cel_type']}")


OPERATIONS: dict[str, Callable[[Json, Json], list[str] | None]] = {
    "eval": evaluate,
    "eval-with-schemas": evaluate_typed,
    "wrap": wrap,
    "eval-equal": evaluate_both,
    "eval-any": evaluate_any,
    "to-json": to_field,
    "inspect": inspect,
    "has-function": is_declared,
    "type-check": deduce,
    "structurally-compatible": compatible,
    "list-element-type": element,
    "output-type": custom_condition,
}
