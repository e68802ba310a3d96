"""
`python -m tests.mutation`: RGDs that kro accepts, each broken in one place; has Rookery the same verdict as kro?

Prints each difference with kro's message and ours, what explains the differences, and as its last line `same verdict N of N`. Exit 0
when every difference is explained, 1 when one is not, 2 for usage. See docs/conformance.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.mutation.differences import RULES, Rule, rule_for
from tests.mutation.judge import Found, Judge
from tests.mutation.verdicts import ACCEPTED, CORPORA, Made, Record, made, records

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Outcome(NamedTuple):
    """found: our errors.  rule: what explains a difference."""

    made: Made
    found: list[Found]
    rule: Rule | None

    @property
    def same(self) -> bool:
        return (self.made.record.stage == ACCEPTED) == (not self.found)


def outcomes(mutants: Iterable[Made]) -> Iterator[Outcome]:
    with Judge() as judge:
        for mutant in mutants:
            found = judge.errors(mutant.origin, mutant.rgd)
            outcome = Outcome(mutant, found, None)
            yield outcome if outcome.same else outcome._replace(rule=rule_for(mutant.record, found))


def line(outcome: Outcome) -> str:
    record = outcome.made.record
    place = json.dumps(record.edit.as_json() if record.edit else {}, ensure_ascii=False)
    ours = "; ".join(f"{one.code}: {one.message}" for one in outcome.found[:3]) or "accepted"
    return f"{record.key} {place}\n  kro:  {record.stage}: {record.says}\n  ours: {ours}"


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutation", description="Mutants of RGDs: kro's verdict and ours."
    )
    parser.add_argument("--kind", action="append", help="only this kind of mutation; may be repeated")
    parser.add_argument("--of", default="", metavar="KEY", help="only RGDs whose key begins so, such as kro-live/own/")
    parser.add_argument("--explained", action="store_true", help="print explained differences, too")
    parser.add_argument("--report", type=Path, metavar="FILE.json", help="write the differences as JSON")
    arguments = parser.parse_args()
    wanted = [
        r for r in records() if r.key.startswith(arguments.of) and (not arguments.kind or r.kind in arguments.kind)
    ]
    if not wanted:
        parser.error("no mutant is like that")
    every = list(outcomes(made(wanted)))
    for outcome in every:
        if not outcome.same and (arguments.explained or outcome.rule is None):
            print(("explained " if outcome.rule else "DIFFERENT ") + line(outcome))
    _summary(every, len(wanted))
    if arguments.report:
        differences = [_as_json(outcome) for outcome in every if not outcome.same]
        arguments.report.write_text(json.dumps(differences, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    idle = [] if arguments.kind or arguments.of or len(every) < len(wanted) else _idle(every)
    for rule in idle:
        print(f"no difference needs the rule any more: {rule.reason}")
    return 1 if idle or any(not outcome.same and outcome.rule is None for outcome in every) else 0


def _idle(every: list[Outcome]) -> list[Rule]:
    """Rules whose time is over."""
    return [rule for rule in RULES if not any(outcome.rule is rule for outcome in every)]


def _summary(every: list[Outcome], wanted: int) -> None:
    kinds: dict[str, Counter[str]] = {}
    for outcome in every:
        result = "same" if outcome.same else "explained" if outcome.rule else "different"
        kinds.setdefault(outcome.made.record.kind, Counter())[result] += 1
    print(f"\n{'mutation':<26} {'same':>5} {'explained':>9} {'different':>9}")
    for kind, counts in sorted(kinds.items()):
        print(f"{kind:<26} {counts['same']:>5} {counts['explained']:>9} {counts['different']:>9}")
    rules = Counter(outcome.rule for outcome in every if outcome.rule is not None)
    if rules:
        print(f"\nexplained: {sum(rules.values())}")
    for rule, number in sorted(rules.items(), key=lambda item: -item[1]):
        print(f"  {number:>5}  {rule.waits_for}: {rule.reason}")
    if wanted > len(every):
        print(
            f"\n{wanted - len(every)} not tried: their RGDs are not in this repository, and the corpora are not at {CORPORA}"
        )
    print(f"\nsame verdict {sum(outcome.same for outcome in every)} of {len(every)}")


def _as_json(outcome: Outcome) -> dict[str, object]:
    record: Record = outcome.made.record
    return {
        **record.as_json(),
        "ours": [one._asdict() for one in outcome.found],
        "rule": outcome.rule.reason if outcome.rule else None,
        "waits_for": outcome.rule.waits_for if outcome.rule else None,
    }


if __name__ == "__main__":
    sys.exit(main())
