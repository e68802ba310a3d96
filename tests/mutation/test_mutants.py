"""
Rookery has kro's verdict on a mutant, or the difference has a rule; and the machinery that says so.

Here every twelfth mutant is judged; CI judges all of them with `make mutation`.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.mutation.__main__ import Outcome, line, outcomes
from tests.mutation.choose import choose
from tests.mutation.differences import rule_for
from tests.mutation.edits import OPERATIONS, Edit, apply, digest, edit_from_json
from tests.mutation.judge import Found
from tests.mutation.kinds import KINDS, misspelt
from tests.mutation.origins import IN_REPOSITORY, OWN, origins
from tests.mutation.record import said
from tests.mutation.verdicts import ACCEPTED, STAGES, Made, made, records
from tests.schema import corpus

RECORDS = records()
SAMPLE = RECORDS[::12]
KINDS_RECORDED = sorted({record.kind for record in SAMPLE})
ROOT = Path(__file__).parents[2]


@cache
def judged() -> list[Outcome]:
    """Every mutant of the sample whose RGD is at hand."""
    return list(outcomes(made(SAMPLE)))


def held(kind: str, *, own: bool) -> None:
    found = [outcome for outcome in judged() if outcome.made.record.kind == kind and outcome.made.record.own is own]
    different = [line(outcome) for outcome in found if not outcome.same and outcome.rule is None]
    assert not different, "\n".join(different)
    assert len(found) == sum(record.kind == kind and record.own is own for record in SAMPLE)


@pytest.mark.thorough
@pytest.mark.parametrize("kind", KINDS_RECORDED)
def test_our_own_rgds(kind: str) -> None:
    held(kind, own=True)


@pytest.mark.parametrize("kind", KINDS_RECORDED)
def test_rgds_of_others(kind: str) -> None:
    corpus.require()
    held(kind, own=False)


# -- the data -------------------------------------------------------------------------------------------------------


def test_there_are_enough_mutants_of_every_kind_and_of_every_rgd() -> None:
    mutants = [record for record in RECORDS if record.edit]
    kinds, rgds = Counter(record.kind for record in mutants), Counter(record.key for record in mutants)
    assert len(mutants) > 2000
    assert set(kinds) == set(KINDS)
    assert min(kinds.values()) == max(kinds.values())
    assert set(rgds) == {record.key for record in RECORDS if record.edit is None}
    assert max(rgds.values()) < 4 * min(rgds.values())


def test_kro_accepts_the_originals_and_a_good_part_of_the_mutants() -> None:
    """Else a program that refuses everything would do well."""
    stages = Counter(record.stage for record in RECORDS if record.edit)
    assert {record.stage for record in RECORDS if record.edit is None} == {ACCEPTED}
    assert set(stages) == set(STAGES)
    assert stages[ACCEPTED] > len(RECORDS) // 5


def test_no_mutant_is_another_one() -> None:
    assert len({record.digest for record in RECORDS if record.edit}) == len([r for r in RECORDS if r.edit])


# -- making mutants --------------------------------------------------------------------------------------------------

DOCUMENT: dict[str, Any] = {"a": "text", "b": [{"c": 1}, 2, 3], "d": {"e": None}}


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        pytest.param(Edit("x", ("a",), "set", 1), {**DOCUMENT, "a": 1}, id="set"),
        pytest.param(Edit("x", ("d", "f"), "set", 1), {**DOCUMENT, "d": {"e": None, "f": 1}}, id="set what is new"),
        pytest.param(Edit("x", ("b", 0, "c"), "delete"), {**DOCUMENT, "b": [{}, 2, 3]}, id="delete"),
        pytest.param(Edit("x", ("b", 1), "delete"), {**DOCUMENT, "b": [{"c": 1}, 3]}, id="delete an item"),
        pytest.param(Edit("x", ("a",), "text", [1, 2, "oas"]), {**DOCUMENT, "a": "toast"}, id="text"),
        pytest.param(Edit("x", ("a",), "wrap", [1, 2, "(", ")"]), {**DOCUMENT, "a": "t(ex)t"}, id="wrap"),
        pytest.param(Edit("x", ("b", 3), "insert", 4), {**DOCUMENT, "b": [{"c": 1}, 2, 3, 4]}, id="insert"),
        pytest.param(Edit("x", ("b", 1), "swap", 2), {**DOCUMENT, "b": [{"c": 1}, 3, 2]}, id="swap"),
    ],
)
def test_an_edit_changes_one_place_of_a_copy(edit: Edit, expected: Any) -> None:
    before = digest(DOCUMENT)
    assert apply(DOCUMENT, edit) == expected
    assert digest(DOCUMENT) == before
    assert edit_from_json(edit.as_json()) == edit
    assert edit.operation in OPERATIONS


def test_a_renamed_key_keeps_its_place() -> None:
    assert list(apply(DOCUMENT, Edit("x", ("b",), "rename", "z"))) == ["a", "z", "d"]


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(Edit("x", (), "set", 1), id="the whole document"),
        pytest.param(Edit("x", ("nothing", "c"), "set", 1), id="below nothing"),
        pytest.param(Edit("x", ("a", "c"), "set", 1), id="below a text"),
        pytest.param(Edit("x", ("a",), "rename", "b"), id="a name that is taken"),
        pytest.param(Edit("x", ("nothing",), "delete"), id="what is not there"),
    ],
)
def test_an_edit_that_does_not_fit_is_an_error(edit: Edit) -> None:
    with pytest.raises((LookupError, TypeError)):
        apply(DOCUMENT, edit)


@pytest.mark.parametrize("word", ["string", "aab", "a", "aa", "a-b", "${x}"])
def test_a_misspelt_word_is_another_one(word: str) -> None:
    assert misspelt(word) != word


@pytest.mark.thorough
def test_the_choice_is_the_same_every_time_and_spread_evenly() -> None:
    some = list(origins(IN_REPOSITORY).values())[:8]
    chosen = choose(some, 2)
    assert [digest(m.rgd) for m in chosen] == [digest(m.rgd) for m in choose(some, 2)]
    assert max(Counter(mutant.edit.kind for mutant in chosen).values()) == 2
    assert set(Counter(mutant.origin.key for mutant in chosen)) == {origin.key for origin in some}


def test_a_mutant_of_another_rgd_than_the_recorded_one_is_refused() -> None:
    record = next(record for record in RECORDS if record.own and record.edit)
    with pytest.raises(AssertionError, match="not the one that was recorded"):
        list(made([record._replace(digest="0")]))


def test_what_others_wrote_is_left_out_of_kros_message() -> None:
    message = 'failed: expression "schema.spec.secret" of\n | schema.spec.secret'
    assert said(message, own=False) == 'failed: expression "…" of'
    assert said(message, own=True) == 'failed: expression "schema.spec.secret" of'


# -- judging ----------------------------------------------------------------------------------------------------------


def test_a_difference_without_a_rule_is_shown() -> None:
    """Verdicts turned round: what kro accepts is said to be refused by it, for a reason that no rule knows."""
    record = next(record for record in RECORDS if record.own and not record.edit)
    turned = record._replace(stage="graph", says="because")
    [outcome] = outcomes(Made(turned, m.origin, m.rgd) for m in made([record]))
    assert (outcome.same, outcome.rule) == (False, None)
    assert "ours: accepted" in line(outcome)
    assert rule_for(turned._replace(stage=ACCEPTED), [Found("cel-syntax", "")]) is None


@pytest.mark.thorough
def test_the_runner_counts() -> None:
    command = [sys.executable, "-m", "tests.mutation", "--of", f"{OWN}ss-", "--kind", "other-id"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")
    wanted = [r for r in RECORDS if r.kind == "other-id" and r.key.startswith(f"{OWN}ss-")]
    assert done.stdout.splitlines()[-1] == f"same verdict {len(wanted)} of {len(wanted)}"
