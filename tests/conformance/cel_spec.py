"""
Cases of `cel-spec` and `cel-go`: what CEL's own conformance tests, and cel-go itself, say.

kro's answer (`kro-cel/cel-spec-differences.json`) counts before that of cel-go v0.27.0 (`cel_go`), which counts before `expect`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from krm_fn.cel.types import parse_type
from tests.conformance.case import Case, Mismatch
from tests.conformance.cel_engine import BEFORE_RUNNING, PARSE, VALUE, Answer, ask
from tests.conformance.compare import shown
from tests.conformance.kro_cel import compare_answer, compare_value, facts_of
from tests.conformance.typed import from_typed

if TYPE_CHECKING:
    from collections.abc import Iterator

Differences = dict[str, dict[str, Any]]
_CEL_GO = "v0.27.0"


def read_spec(entries: list[dict[str, Any]], row: str, stem: str, differences: Differences) -> Iterator[Case]:
    """Cases of one file of cel-spec. *stem*: its name without suffix, by which differences name it."""
    for entry in entries:
        name = f"{entry['section']}/{entry['name']}"
        kro = differences.get(f"{stem}/{name}", {}).get("kro")
        expect = {**entry["expect"], **(entry.get("cel_go") or {}).get(_CEL_GO, {})}
        if "error" in (entry.get("cel_go") or {}).get(_CEL_GO, {}):
            expect.pop("value", None)
        facts = {
            **facts_of(kro or {}),
            "dotted": sorted(n for n in {*entry["bindings"], *entry.get("type_env", {})} if "." in n),
            "null_literal": bool(entry.get("check_only")) and kro is None and "null" in entry["expr"],
            "disable_macros": bool(entry.get("disable_macros")),
            "texts": expect.get("error") or [],
            "kro_agrees": kro is None,
        }
        yield Case(row, name, "cel-spec", _Check(entry, kro, expect), facts)


def read_oracle(document: dict[str, Any], row: str, differences: Differences) -> Iterator[Case]:
    standard = document["standard_bindings"]
    for entry in document["cases"]:
        kro = differences.get(entry["id"], {}).get("kro")
        bindings = standard if entry["bindings"] == "standard" else entry["bindings"]
        expect = {**entry["expect"], **({"unordered": True} if "order" in entry else {})}
        facts = {
            **facts_of(kro or {}),
            "texts": (expect.get("error") or []) if expect.get("phase") == "compile" else [],
            "not_in_kro": bool(entry.get("not_in_kro")) and kro is None,
        }
        yield Case(row, entry["id"], "cel-go", _Check({**entry, "bindings": bindings}, kro, expect), facts)


def read_texts(entries: list[str], row: str) -> Iterator[Case]:
    for i, text in enumerate(entries):
        yield Case(row, f"#{i}", "cel-go:parse", _Parses(text), {"text": text})


class _Check:
    def __init__(self, entry: dict[str, Any], kro: dict[str, Any] | None, expect: dict[str, Any]) -> None:
        self.text: str = entry["expr"]
        self.bindings: dict[str, Any] = entry["bindings"]
        self.types = {name: parse_type(notation) for name, notation in entry.get("type_env", {}).items()}
        self.unchecked = bool(entry.get("disable_check")) and kro is None
        self.kro = kro
        self.expect = expect

    def __call__(self) -> list[str]:
        variables = {name: from_typed(value) for name, value in self.bindings.items()}
        got = ask(self.text, variables, types=self.types, unchecked=self.unchecked)
        if self.kro is not None:
            compare_answer(self.kro, got)
            return []
        deduced = self.expect.get("deduced_type")
        if deduced and got.type != deduced:
            raise Mismatch(f"wanted type {deduced}, got {got.type or got}")
        if "error" in self.expect:
            self.compare_error(got)
        elif "value" in self.expect:
            if got.stage != VALUE:
                raise Mismatch(f"wanted {shown(self.expect['value'])}, got {got}")
            compare_value(self.expect, got.value)
        return []

    def compare_error(self, got: Answer) -> None:
        if got.stage == VALUE:
            raise Mismatch(f"wanted error {shown(self.expect['error'])}, got {got}")
        if self.expect.get("phase") == "compile" and got.stage not in BEFORE_RUNNING:
            raise Mismatch(f"wanted an error before running, got {got}")
        if self.expect.get("phase") == "eval" and got.stage in BEFORE_RUNNING:
            raise Mismatch(f"wanted an error when running, got {got}")


class _Parses:
    def __init__(self, text: str) -> None:
        self.text = text

    def __call__(self) -> list[str]:
        got = ask(self.text, {})
        if got.stage == PARSE:
            raise Mismatch(f"does not parse: {got.error[:200]}")
        return []
