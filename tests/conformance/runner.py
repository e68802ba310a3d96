"""
Running cases, counting, and showing what came of them.

Enters: paths.  Leaves: a `Report`.  A case passes, fails, or is excluded by a rule; an exception that the product lets out is a
failure `crash`, and so is a case that takes longer than `SECONDS_A_CASE`.
"""

from __future__ import annotations

import signal
import traceback
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.conformance.case import Case, Mismatch, NotComparable, Skipped
from tests.conformance.exclusions import rule_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import FrameType

    from tests.conformance.exclusions import Rule

SECONDS_A_CASE = 20
PASSED, FAILED, EXCLUDED = "passed", "failed", "excluded"


class _TooLong(BaseException):
    """Raised into a case that does not end."""


class Report:
    """The results of one run."""

    def __init__(self) -> None:
        self.files: dict[str, Counter[str]] = {}
        self.failures: list[tuple[Case, str]] = []
        self.excluded: dict[tuple[str, str], list[Case]] = {}
        self.passes_excluded: list[tuple[Case, Rule]] = []
        self.skipped: list[Skipped] = []
        self.remarks: list[tuple[Case, str]] = []

    def count(self, case: Case, result: str) -> None:
        self.files.setdefault(case.file, Counter())[result] += 1

    def total(self, result: str) -> int:
        return sum(counts[result] for counts in self.files.values())

    def as_json(self) -> dict[str, Any]:
        return {
            "passed": self.total(PASSED),
            "failed": self.total(FAILED),
            "excluded": self.total(EXCLUDED),
            "files": {name: dict(sorted(counts.items())) for name, counts in sorted(self.files.items())},
            "failures": [{"file": case.file, "id": case.id, "message": message} for case, message in self.failures],
            "exclusions": [
                {
                    "reason": reason,
                    "waits_for": waits_for,
                    "count": len(cases),
                    "cases": [f"{c.file} {c.id}" for c in cases],
                }
                for (waits_for, reason), cases in sorted(self.excluded.items())
            ],
            "excluded_but_passing": [
                {"file": case.file, "id": case.id, "reason": rule.reason} for case, rule in self.passes_excluded
            ],
            "skipped": [{"what": skipped.what, "why": skipped.why} for skipped in self.skipped],
            "remarks": [{"file": case.file, "id": case.id, "remark": remark} for case, remark in self.remarks],
        }


def run(found: Iterable[Case | Skipped], *, include_excluded: bool = False) -> Report:
    report = Report()
    for item in found:
        if isinstance(item, Skipped):
            report.skipped.append(item)
            continue
        rule = rule_for(item)
        if rule is not None:
            report.count(item, EXCLUDED)
            report.excluded.setdefault((rule.waits_for, rule.reason), []).append(item)
            if include_excluded and _run_one(item)[0] is None:
                report.passes_excluded.append((item, rule))
            continue
        failure, remarks = _run_one(item)
        report.remarks += [(item, remark) for remark in remarks]
        report.count(item, PASSED if failure is None else FAILED)
        if failure is not None:
            report.failures.append((item, failure))
    return report


def _run_one(case: Case) -> tuple[str | None, list[str]]:
    """Why the case fails (None: it passes) and remarks on a pass."""
    try:
        with _time_limit():
            return None, case.check()
    except Mismatch as mismatch:
        return _line(str(mismatch)), []
    except NotComparable as gap:
        return f"not comparable: {gap}", []
    except _TooLong:
        return f"crash: no end after {SECONDS_A_CASE} s", []
    except Exception as error:  # noqa: BLE001 - whatever the product lets out is this case's failure
        place = traceback.extract_tb(error.__traceback__)[-1]
        return _line(f"crash: {type(error).__name__}: {error} ({place.filename}:{place.lineno})"), []


def _line(text: str) -> str:
    return " ".join(text.split())[:600]


@contextmanager
def _time_limit() -> Iterator[None]:
    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise _TooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS_A_CASE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def show(report: Report) -> Iterator[str]:
    """The lines of the report; the last one is `N passed, N failed`."""
    for case, message in report.failures:
        yield f"FAIL {case.file} {case.id}: {message}"
    for case, rule in report.passes_excluded:
        yield f"PASSES THOUGH EXCLUDED {case.file} {case.id}: {rule.reason}"
    for case, remark in report.remarks:
        yield f"remark {case.file} {case.id}: {remark}"
    yield ""
    width = max((len(name) for name in report.files), default=4)
    yield f"{'file':<{width}} {'passed':>7} {'failed':>7} {'excluded':>8}"
    for name, counts in sorted(report.files.items()):
        yield f"{name:<{width}} {counts[PASSED]:>7} {counts[FAILED]:>7} {counts[EXCLUDED]:>8}"
    if report.excluded:
        yield f"\nexcluded by rule: {report.total(EXCLUDED)}"
        for (waits_for, reason), cases in sorted(report.excluded.items()):
            yield f"  {len(cases):>5}  {waits_for}: {reason}"
    if report.skipped:
        yield f"\nskipped: {len(report.skipped)}"
        for skipped in report.skipped:
            yield f"  {skipped.what}: {skipped.why}"
    yield f"\n{report.total(PASSED)} passed, {report.total(FAILED)} failed"
