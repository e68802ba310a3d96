"""The name that was probably meant: near ones are found, wild guesses are not made, and hostile words cost little."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krm_fn.report.near import begin_run, closest, did_you_mean

FIELDS = ("apiVersion", "kind", "metadata", "name", "namespace", "replicas", "spec", "template")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        pytest.param("replica", "replicas", id="a letter too few"),
        pytest.param("speec", "spec", id="a letter too many"),
        pytest.param("tempalte", "template", id="two letters swapped"),
        pytest.param("apiversion", "apiVersion", id="other capitals"),
        pytest.param("KIND", "kind", id="all capitals"),
        pytest.param("name_space", "namespace", id="an underscore"),
        pytest.param("image", "", id="nothing near"),
        pytest.param("x", "", id="one letter"),
        pytest.param("", "", id="no letter"),
        pytest.param("kind" * 17, "", id="longer than any name"),
    ],
)
def test_the_nearest_name(word: str, meant: str) -> None:
    assert closest(word, FIELDS) == meant


def test_the_first_of_two_that_are_equally_near() -> None:
    assert closest("port", ("ports", "sport")) == "ports"
    assert closest("port", ("sport", "ports")) == "sport"


def test_the_sentence_for_help() -> None:
    assert did_you_mean("nmae", FIELDS) == "did you mean 'name'?"
    assert did_you_mean("image", FIELDS) == ""


@given(st.text(max_size=80), st.lists(st.text(max_size=80)))
def test_what_is_found_is_one_of_the_names(word: str, known: list[str]) -> None:
    assert closest(word, known) in ("", *known)


@given(st.text(min_size=1, max_size=64), st.lists(st.text(max_size=80), max_size=20))
def test_a_name_is_nearest_to_itself(word: str, known: list[str]) -> None:
    assert closest(word, [*known, word]).lower() == word.lower()


def test_a_question_looks_at_five_hundred_names_alone() -> None:
    known = [f"name{i}" for i in range(499)]
    assert closest("other", [*known, "others"]) == "others"
    assert closest("other", ["name", *known, "others"]) == ""


@pytest.mark.thorough
def test_a_run_has_an_allowance() -> None:
    known = ["ab" * 32 + f"{i:06}" for i in range(500)]
    begin_run()
    try:
        assert [closest("ab" * 32, known) for _ in range(20)][-1] == ""
        assert closest("spce", FIELDS) == ""
    finally:
        begin_run()
    assert closest("spce", FIELDS) == "spec"
