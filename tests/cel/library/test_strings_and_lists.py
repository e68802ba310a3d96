"""Where strings and lists are surprising. The plain rules are the examples of the records."""

import pytest

from krm_fn.cel.errors import BAD_ARGUMENT, NO_SUCH_OVERLOAD, OVERFLOW
from krm_fn.cel.values import NONE, OMIT, Optional, Uint
from tests.cel.running import error_of, rows, run

TRUE = {
    "the end is a position": ['"abc".charAt(3) == ""', '"abc".substring(3) == ""'],
    "nothing is found everywhere": ['"abc".indexOf("", 7) == 7', '"abc".lastIndexOf("", -1) == -1', '"abc".lastIndexOf("") == 3'],
    "past the end nothing is found": ['"abc".indexOf("b", 9) == -1', '"abc".lastIndexOf("b", 9) == -1'],
    "positions count code points": ['"😀é".size() == 2', '"a😀b😀".lastIndexOf("😀", 3) == 3', '"🇩🇪".reverse() == "🇪🇩"'],
    "splitting by nothing splits between code points": ['"😀b".split("") == ["😀", "b"]', '"".split("") == []', '"abc".split("", 2) == ["a", "bc"]'],
    "a limit of nothing is nothing": ['"a,b".split(",", 0) == []', '"aa".replace("a", "b", 0) == "aa"'],
    "a negative limit is none": ['"a,b".split(",", -2) == ["a", "b"]', '"aa".replace("a", "b", -2) == "bb"'],
    "replacing nothing inserts": ['"ab".replace("", "-") == "-a-b-"', '"ab".replace("", "-", 2) == "-a-b"'],
    "only ASCII changes its case": ['"ÀbC".lowerAscii() == "Àbc"', '"éa".upperAscii() == "éA"'],
    "white space is Unicode's": ['"\\u00a0\\u2003a\\u0085".trim() == "a"', '"\\u200ba".trim() == "\\u200ba"'],
    "numbers are equal across types": ["[1, 1.0, 1u].distinct() == [1]", "[1, 2].indexOf(2.0) == 1", "[1u].lastIndexOf(1) == 0"],
    "not a number is never equal": ["[0.0 / 0.0, 0.0 / 0.0].distinct().size() == 2", "[0.0 / 0.0].indexOf(0.0 / 0.0) == -1"],
    "what has no order does not move the least": ["[1.0, 0.0 / 0.0].min() == 1.0", "[2.0, 0.0 / 0.0, 1.0].max() == 2.0"],
    "the first of equals is the least": ["type([1, 1.0].min()) == type(1)", "type([1.0, 1].max()) == type(1.0)"],
    "neighbours without order are sorted": ["[2.0, 0.0 / 0.0, 1.0].isSorted()"],
    "a sum starts at zero": ["[].sum() == 0", "[-0.0].sum() == 0.0"],
    "a list inside of a list inside stays": ["[[1], [[2]]].flatten() == [1, [2]]", "[1, [2]].flatten(0) == [1, [2]]"],
    "a range that ends before zero is empty": ["lists.range(-5) == []"],
    "keys of maps are equal as numbers": ['dyn({1: "a"}).merge(dyn({1u: "b"})).size() == 1', '{"a": 1}.merge({}) == {"a": 1}'],
}  # fmt: skip


@pytest.mark.parametrize("expression", rows(TRUE))
def test_true(expression):
    assert run(expression) is True


ERRORS = {
    "a position outside": ['"abc".charAt(4)', '"abc".charAt(-1)', '"abc".substring(4)', '"abc".indexOf("a", -1)', '"abc".lastIndexOf("a", -1)'],
    "a range that is none": ['"abc".substring(2, 1)', '"abc".substring(0, 4)', "[1].slice(1, 0)", "[1].slice(-1, 1)", "[1].slice(0, 2)"],
    "an index that is not there": ["lists.setAtIndex([1], 1, 2)", "lists.insertAtIndex([1], 2, 2)", "lists.removeAtIndex([], 0)"],
    "a depth below zero": ["[1].flatten(-1)"],
    "nothing to choose from": ["[].min()", "[].max()"],
    "a value that is not there": ["optional.none().value()"],
    "what is no string among strings": ['dyn(["a", 1]).join()'],
    "what is no optional among optionals": ["dyn([optional.of(1), 1]).unwrapOpt()"],
}  # fmt: skip


@pytest.mark.parametrize("expression", rows(ERRORS))
def test_an_authors_mistake_is_never_pending(expression):
    """kro would wait for ever for data that no cluster brings: such an error ends the run."""
    assert error_of(expression).kind == BAD_ARGUMENT
    assert not error_of(expression).is_pending


def test_sums_must_fit_at_every_step():
    assert error_of("[9223372036854775807, 1, -1].sum()").kind == OVERFLOW
    assert error_of("[18446744073709551615u, 1u].sum()").kind == OVERFLOW
    assert error_of("dyn([1, 2.0]).sum()").kind == NO_SUCH_OVERLOAD


@pytest.mark.parametrize("zero", [None, False, 0, Uint(0), 0.0, "", b"", [], {}], ids=repr)
def test_zero_values_make_no_optional(zero):
    assert run("optional.ofNonZeroValue(x)", x=zero) is NONE


@pytest.mark.parametrize("value", [True, 1, -0.5, "a", [None], {"a": None}, OMIT, Optional(0)], ids=repr)
def test_others_do(value):
    assert run("optional.ofNonZeroValue(x)", x=value).value is value


def test_a_timestamp_is_zero_in_year_one_and_a_duration_at_nothing():
    assert run('optional.ofNonZeroValue(timestamp("0001-01-01T00:00:00Z"))') is NONE
    assert run('optional.ofNonZeroValue(duration("0"))') is NONE
    assert run("optional.ofNonZeroValue(timestamp(0)).hasValue()") is True


def test_no_function_changes_what_it_is_given():
    given = {"x": [3, 1, [2]], "m": {"a": 1}}
    for expression in (
        "lists.setAtIndex(x, 0, 9)",
        "lists.insertAtIndex(x, 0, 9)",
        "lists.removeAtIndex(x, 0)",
        "x.reverse()",
        "x.flatten()",
        "m.merge({'a': 2})",
        "[3, 1].sort()",
    ):
        run(expression, **given)
    assert given == {"x": [3, 1, [2]], "m": {"a": 1}}


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("a", '"a"'),
        ('a"b', r'"a\"b"'),
        ("\\", r'"\\"'),
        ("\a\b\f\n\r\t\v", r'"\a\b\f\n\r\t\v"'),
        ("é😀\x01", '"é😀\x01"'),
    ],
)
def test_quote_escapes_what_cel_can_write(text, quoted):
    assert run("strings.quote(x)", x=text) == quoted
