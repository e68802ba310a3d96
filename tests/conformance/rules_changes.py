"""Operations of `kro-tests` on two versions of an API: what changed, and how kro says it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from krm_fn.schema.compatibility import (
    ROOT,
    Change,
    NotComparable,
    Report,
    compare_enum,
    compare_items,
    compare_properties,
    compare_required,
    compare_schemas,
    compare_versions,
)
from tests.conformance.case import Mismatch
from tests.conformance.rules_text import equal, expects_error

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]


def hold(expect: Json, report: Report) -> None:
    got = {
        "compatible": report.is_compatible,
        "breaking_count": len(report.breaking),
        "non_breaking_count": len(report.non_breaking),
        "first_breaking": report.breaking[0].type if report.breaking else None,
    }
    equal(expect, {key: got.get(key) for key in expect})


def whole(given: Json, expect: Json) -> None:
    hold(expect, compare_schemas(given["old"], given["new"]))


def part(compare: Callable[[tuple[str, ...], Json, Json, Report], None]) -> Callable[[Json, Json], None]:
    """kro's unit tests run these parts of the comparison by themselves."""

    def run(given: Json, expect: Json) -> None:
        report = Report()
        compare(ROOT, given["old"], given["new"], report)
        hold(expect, report)

    return run


def versions(given: Json, expect: Json) -> None:
    try:
        report = compare_versions(given["old_versions"], given["new_versions"])
    except NotComparable as refusal:
        if not expects_error(expect):
            raise Mismatch(f"refused: {refusal}") from refusal
        wanted = expect.get("error_contains", "")
        if wanted not in str(refusal):
            raise Mismatch(f"wanted {wanted!r} in {str(refusal)!r}") from refusal
        return
    if expects_error(expect):
        raise Mismatch("not refused")
    hold(expect, report)


def describe(given: Json, expect: Json) -> None:
    at = tuple((given.get("path") or "").split("."))
    said = Change(at, given["change"], given.get("old") or "", given.get("new") or "").description()
    missing = [text for text in expect.get("contains_all", ()) if text not in said]
    surplus = [text for text in expect.get("not_contains", ()) if text in said]
    if missing or surplus:
        raise Mismatch(f"wanted {missing or 'not'} {surplus or ''} in {said!r}")


OPERATIONS: dict[str, Callable[[Json, Json], list[str] | None]] = {
    "compare-schemas": whole,
    "compare-properties": part(compare_properties),
    "compare-required": part(compare_required),
    "compare-enum": part(compare_enum),
    "compare-items": part(compare_items),
    "compare-crd-versions": versions,
    "describe-change": describe,
}
