"""
Cases of `kro-cel`: expression, bindings, and how far kro came with it.

kro stops at the first of parse, inspect, check, compile, evaluate; so must the product, except that a type error counts wherever it
refuses before running. A case whose variables are typed, or that belongs to status.conditions, is two: one asks for the type
alone, since its evaluation takes more than there is.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from krm_fn.cel import parse, references
from krm_fn.cel.check import CheckError, check
from krm_fn.cel.errors import EvaluationError
from krm_fn.cel.library.conditions import conditions_of
from krm_fn.cel.types import DYNAMIC, RUNTIME, parse_type
from krm_fn.cel.values import OMIT, Uint
from krm_fn.schema.cel_types import type_of_schema, type_of_variable, why_not
from krm_fn.schema.typed_values import typed
from tests.conformance.case import Case, Mismatch
from tests.conformance.cel_engine import (
    BEFORE_RUNNING,
    CONDITIONS,
    EVALUATE,
    INSPECT,
    PARSE,
    VALUE,
    Answer,
    ask,
    json_of,
)
from tests.conformance.compare import canonical, first_difference, same_typed, shown
from tests.conformance.typed import from_typed, plain, to_typed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from krm_fn.cel.types import Type

Definitions = dict[str, dict[str, Any]]
_WITH_EXPONENT = 1e21
_PENDING_TEXTS = ("no such key", "no such field", "no such attribute", "index out of bounds")


def read_cases(
    entries: list[dict[str, Any]], row: str, definitions: Definitions, spec: Callable[[str], dict[str, Any] | None]
) -> Iterator[Case]:
    """Cases of one file. *spec*: gives the case of cel-spec that a difference is about, if it is at hand."""
    form: str
    ask_for: Callable[[], list[str]]
    for entry in entries:
        if "assignable" in entry:
            form, ask_for = "kro-cel:assignability", _Assignable(entry, definitions)
        elif "identifiers" in entry or ("parse_error" in entry and entry["id"].startswith("kc-parse-")):
            form, ask_for = "kro-cel:references", _References(entry)
        elif "kro" in entry:
            question = spec(entry["id"]) or ({"expr": entry["expr"]} if _is_alone(entry) else {})
            facts = {**facts_of(entry["kro"]), "question": bool(question)}
            yield Case(row, entry["id"], "kro-cel:difference", _difference(entry, question), facts)
            continue
        else:
            variables, types = bindings_of(entry, definitions), types_of(entry, definitions)
            untyped = {*(entry.get("schemas") or {})} - {*types}  # which kro does not declare
            variables = {name: value for name, value in variables.items() if name not in untyped}
            facts = {**facts_of(entry), "order_observed": _observes_order(entry, variables)}
            whole = _Answer(entry, _read(variables, entry, definitions), entry.get("context"), types)
            yield Case(row, entry["id"], "kro-cel", whole, facts)
            if "type" in entry and "inspect_error" not in entry and (types or facts["context"] == CONDITIONS):
                yield Case(row, f"{entry['id']}:type", "kro-cel:type", _Type(entry, variables, types), facts)
            continue
        yield Case(row, entry["id"], form, ask_for, facts_of(entry))


def _is_alone(entry: dict[str, Any]) -> bool:
    """Whether a difference can be asked without the variables of the case of cel-spec that it is about."""
    if "expr" not in entry:
        return False
    return not {"value", "eval_error"} & set(entry["kro"]) or not references(parse(entry["expr"])).roots


def _difference(entry: dict[str, Any], question: dict[str, Any]) -> _Answer:
    """The check of kro's answer to a case of cel-spec."""
    variables = {name: from_typed(value) for name, value in question.get("bindings", {}).items()}
    types = {name: parse_type(notation) for name, notation in question.get("type_env", {}).items()}
    return _Answer({**entry["kro"], "expr": question.get("expr")}, variables, None, types)


def facts_of(entry: dict[str, Any]) -> dict[str, Any]:
    return {
        "check_errors": [e["message"] for e in entry.get("check_error") or []],
        "inspect_error": entry.get("inspect_error") or "",
        "compile_error": entry.get("compile_error") or "",
        "schemas": bool(entry.get("schemas")),
        "text": entry.get("expr") or "",
        "context": entry.get("context"),
        "pending_by_text": bool(entry.get("pending")) and not any(t in entry["eval_error"] for t in _PENDING_TEXTS),
    }


def _observes_order(entry: dict[str, Any], variables: dict[str, Any]) -> bool:
    """Whether the answer tells in which order a map with several keys was walked, and is not marked as unordered."""
    maps = [name for name, value in variables.items() if isinstance(value, dict) and len(value) > 1]
    walks = rf"\b(?:{'|'.join(map(re.escape, maps))})\.map\(.*\)(?:\.isSorted\(\)|\s*[=!]=\s*\[)" if maps else r"(?!)"
    return "unordered" not in entry and re.search(walks, entry["expr"]) is not None


def bindings_of(entry: dict[str, Any], definitions: Definitions) -> dict[str, Any]:
    bindings = entry.get("bindings") or {}
    if isinstance(bindings, str):
        bindings = definitions["bindings"][bindings]
    return {
        name: plain(
            definitions["data"][value["$data"]] if isinstance(value, dict) and set(value) == {"$data"} else value
        )
        for name, value in bindings.items()
    }


def _read(variables: dict[str, Any], entry: dict[str, Any], definitions: Definitions) -> dict[str, Any]:
    """The variables, those that have a schema as it says."""
    schemas = entry.get("schemas") or {}
    return {
        name: typed(value, definitions["schemas"][schemas[name]]) if name in schemas else value
        for name, value in variables.items()
    }


def types_of(entry: dict[str, Any], definitions: Definitions) -> dict[str, Type]:
    """The types of those variables that have a schema."""
    made = {
        name: type_of_variable(definitions["schemas"][schema], name)
        for name, schema in (entry.get("schemas") or {}).items()
    }
    return {name: some for name, some in made.items() if some is not None}


class _Type:
    """The check of the deduced type alone."""

    def __init__(self, entry: dict[str, Any], variables: dict[str, Any], types: dict[str, Type]) -> None:
        self.entry = entry
        self.declared = {**dict.fromkeys(variables, DYNAMIC), "runtime": RUNTIME, **types}

    def __call__(self) -> list[str]:
        self.deduced()
        return []

    def deduced(self) -> Type:
        try:
            got = check(parse(self.entry["expr"]), self.declared)
        except CheckError as error:
            raise Mismatch(f"wanted {self.entry['type']}, got check error: {error}") from error
        if str(got) != self.entry["type"]:
            raise Mismatch(f"wanted type {self.entry['type']}, got {got}")
        return got


class _Assignable(_Type):
    """The check whether a result may stand at a field."""

    def __init__(self, entry: dict[str, Any], definitions: Definitions) -> None:
        super().__init__(entry, {}, types_of(entry, definitions))
        self.target = type_of_schema(definitions["targets"][entry["target"]], "__type_target.spec.f") or DYNAMIC

    def __call__(self) -> list[str]:
        if str(self.target) != self.entry["expected_type"]:
            raise Mismatch(f"wanted target {self.entry['expected_type']}, got {self.target}")
        reason = why_not(self.deduced(), self.target)
        if (not reason) is not self.entry["assignable"]:
            raise Mismatch(f"wanted assignable: {self.entry['assignable']}, got {reason or 'yes'}")
        return []


class _Answer:
    """The check of one expression against the results that the corpus gives for it."""

    def __init__(
        self,
        entry: dict[str, Any],
        variables: dict[str, Any],
        context: str | None,
        types: dict[str, Type] | None = None,
    ) -> None:
        self.entry = entry
        self.variables = variables
        self.context = context
        self.types = types

    def __call__(self) -> list[str]:
        got = ask(self.entry["expr"], self.variables, self.context, types=self.types)
        wanted = self.entry
        if self.context == CONDITIONS and got.stage == VALUE:
            wanted = {key: value for key, value in wanted.items() if key != "json"}
            self.compare_conditions(got)
        compare_answer(wanted, got)
        return []

    def compare_conditions(self, got: Answer) -> None:
        """Mismatch unless status.conditions takes the value as kro does: `json` is there where it does not."""
        try:
            conditions_of(got.value)
        except EvaluationError as error:
            if "json" not in self.entry:
                raise Mismatch(f"wanted conditions, got {error}") from error
        else:
            if "json" in self.entry:
                raise Mismatch(f"wanted {shown(self.entry['json'])}, got conditions")


def compare_answer(wanted: dict[str, Any], got: Answer) -> None:
    """Mismatch unless *got* is what the results in *wanted* say."""
    for key, stages in (
        ("parse_error", (PARSE,)),
        ("inspect_error", (PARSE, INSPECT)),
        ("check_error", BEFORE_RUNNING),
        ("compile_error", BEFORE_RUNNING),
    ):
        if key in wanted:
            if got.stage not in stages:
                raise Mismatch(f"wanted {key} {shown(wanted[key])}, got {got}")
            return
    if got.type and got.type != wanted.get("type", got.type):
        raise Mismatch(f"wanted type {wanted['type']}, got {got.type}")
    if "eval_error" in wanted:
        if got.stage != EVALUATE:
            raise Mismatch(f"wanted eval_error {shown(wanted['eval_error'])}, got {got}")
        if got.pending != wanted.get("pending", got.pending):
            raise Mismatch(f"wanted pending {wanted['pending']} ({shown(wanted['eval_error'])}), got {got}")
        return
    if got.stage != VALUE:
        raise Mismatch(f"wanted {shown(wanted.get('value'))}, got {got}")
    compare_value(wanted, got.value)


def compare_value(wanted: dict[str, Any], value: Any) -> None:
    typed = to_typed(value)
    if "value" in wanted:
        answers = [wanted["value"], *(a["value"] for a in wanted.get("alternatives") or [] if "value" in a)]
        same: Callable[[Any, Any], bool] = _same_unordered if wanted.get("unordered") else same_typed
        if not any(same(answer, typed) for answer in answers):
            raise Mismatch(f"wanted {shown(wanted['value'])}, got {shown(typed)}")
    if "json" in wanted and not wanted.get("unordered"):
        _compare_json(wanted, value)


def _compare_json(wanted: dict[str, Any], value: Any) -> None:
    expected = wanted["json"]
    got, error = json_of(value)
    special = isinstance(expected, dict) and len(expected) == 1 and next(iter(expected)) in ("error", "omit")
    if special and "error" in expected:
        if not error:
            raise Mismatch(f"json: wanted error {shown(expected['error'])}, got {shown(got)}")
        return
    if special:
        if error or got is not OMIT:
            raise Mismatch(f"json: wanted omit(), got {error or shown(got)}")
        return
    if error:
        # kro's next step panics on what is marked so: to refuse it is as good.
        if "json_unsafe" not in wanted:
            raise Mismatch(f"json: wanted {shown(expected)}, got error {error[:160]}")
        return
    difference = first_difference(expected, as_go_writes(got))
    if difference is not None:
        raise Mismatch(f"json: {difference}")


def as_go_writes(value: Any) -> Any:
    """*value* as it is after Go has written it as JSON: a whole double below 1e21 has no point, so it reads as an integer."""
    if isinstance(value, dict):
        return {key: as_go_writes(child) for key, child in value.items()}
    if isinstance(value, list):
        return [as_go_writes(child) for child in value]
    if type(value) is float and value.is_integer() and abs(value) < _WITH_EXPONENT:
        return int(Decimal(repr(value)))
    return int(value) if type(value) is Uint else value


def _same_unordered(wanted: Any, got: Any) -> bool:
    """Equal but for the order in which a map was walked: lists as multisets, texts by their characters."""
    return bool(_sorted(canonical(wanted)) == _sorted(canonical(got)))


def _sorted(typed: Any) -> Any:
    if isinstance(typed, dict):
        return {key: _sorted(child) for key, child in typed.items()}
    if isinstance(typed, list):
        return sorted((_sorted(item) for item in typed), key=lambda item: json.dumps(item, sort_keys=True))
    return sorted(typed) if isinstance(typed, str) else typed


class _References:
    """The check of what an expression refers to."""

    def __init__(self, entry: dict[str, Any]) -> None:
        self.entry = entry

    def __call__(self) -> list[str]:
        from krm_fn.cel import CelSyntaxError, parse, references

        try:
            found = references(parse(self.entry["expr"]))
        except CelSyntaxError as error:
            if "parse_error" in self.entry:
                return []
            raise Mismatch(f"wanted references, got parse error: {error}") from error
        if "parse_error" in self.entry:
            raise Mismatch(
                f"wanted parse_error {shown(self.entry['parse_error'])}, got references {sorted(found.roots)}"
            )
        compare_references(self.entry["identifiers"], self.entry["paths"], found)
        wanted = set(self.entry.get("unknown_functions") or [])
        if wanted != set(found.unknown_functions):
            raise Mismatch(f"unknown functions: wanted {sorted(wanted)}, got {sorted(found.unknown_functions)}")
        return []


def compare_references(identifiers: list[str], paths: list[str], found: Any) -> None:
    if set(identifiers) != set(found.roots):
        raise Mismatch(f"identifiers: wanted {sorted(identifiers)}, got {sorted(found.roots)}")
    got = {path for each in found.roots.values() for path in each}
    if set(paths) != got:
        raise Mismatch(f"paths: wanted {sorted(set(paths) - got)}, got {sorted(got - set(paths))}")
