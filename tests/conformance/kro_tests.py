"""
Cases of `kro-tests/*.yaml`: single rules, each put to the function of the product that has the same task.

An operation without such a function has no entry in the tables; its cases then have the check `_no_operation`, and the exclusion
list says why. Two operations of one name (`build`, `parse`) are told apart by the keys of their input.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.conformance import rules_cel, rules_changes, rules_nodes, rules_rgd, rules_status, rules_text
from tests.conformance.case import Case, NotComparable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def read_cases(entries: list[dict[str, Any]], row: str, kinds: list[dict[str, Any]]) -> Iterator[Case]:
    """Cases of one file. *kinds*: `kro-fake-schemas.yaml`, for the operations that name it."""
    operations = {
        **rules_text.OPERATIONS,
        **rules_changes.OPERATIONS,
        **rules_rgd.operations(kinds),
        **rules_status.OPERATIONS,
        **rules_nodes.OPERATIONS,
        **rules_cel.OPERATIONS,
    }
    for entry in entries:
        name = _operation(entry)
        expect = entry["expect"]
        facts = {
            "newer": bool(entry.get("not_in_v0_9_3")),
            "schemas": entry["input"].get("schemas") if isinstance(entry["input"], dict) else None,
            "error_texts": [
                str(expect[key]) for key in sorted(expect) if key.startswith("error_") and key != "error_phase"
            ],
            "error_phase": expect.get("error_phase"),
            "has_operation": name in operations,
            "input": entry["input"],
            "expect": expect,
        }
        yield Case(row, entry["id"], f"kro-tests:{name}", _Check(operations.get(name), entry), facts)


def _operation(entry: dict[str, Any]) -> str:
    """The operation's name, with the input's first key where the name alone is not unique."""
    op, given = str(entry["op"]), entry["input"]
    if op in ("build", "parse"):
        for key in ("segments", "path", "resource", "variables"):
            if key in given:
                return f"{op}-{key}"
    return op


class _Check:
    def __init__(
        self, operation: Callable[[dict[str, Any], dict[str, Any]], list[str] | None] | None, entry: dict[str, Any]
    ) -> None:
        self.operation = operation
        self.entry = entry

    def __call__(self) -> list[str]:
        if self.operation is None:
            raise NotComparable(f"no function of the product does {self.entry['op']!r}")
        return self.operation(self.entry["input"], self.entry["expect"]) or []
