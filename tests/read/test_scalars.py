"""Unquoted scalars mean what Kubernetes takes them for."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from krm_fn.read.scalars import NotJsonError, ScalarMemo, number_text, plain_key, plain_value, tagged_value

YAML = "tag:yaml.org,2002:"


def recorded() -> list[tuple[str, str, str]]:
    """The answers of sigs.k8s.io/yaml: scalar, JSON text of its value, JSON text of its key."""
    path = os.path.join(os.path.dirname(__file__), "kubernetes_scalars.tsv")
    with open(path, encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file if not line.startswith("#")]
    return [(text, value, key) for text, value, key in rows]


def decoded(text: str) -> object:
    """Read JSON text as Kubernetes' decoder does: int64 where it fits, float64 otherwise."""

    def number(digits: str) -> int | float:
        return int(digits) if -(1 << 63) <= int(digits) < 1 << 63 else float(digits)

    return json.loads(text, parse_int=number)


@pytest.mark.parametrize(("text", "value", "key"), [pytest.param(*row, id=row[0]) for row in recorded()])
def test_equals_what_sigs_yaml_reads(text: str, value: Any, key: Any) -> None:
    """Value, type and key are those that sigs.k8s.io/yaml and the JSON decoder behind it give."""
    if value == "-":
        with pytest.raises(NotJsonError):
            plain_value(text)
    else:
        got = plain_value(text)
        assert (type(got), got) == (type(decoded(value)), decoded(value))
    if text == "<<":
        return  # a merge, which is no key
    if key == "-":
        with pytest.raises(NotJsonError):
            plain_key(text)
    else:
        assert plain_key(text) == json.loads(key)


@pytest.mark.parametrize(
    ("text", "tag", "value"),
    [
        pytest.param("12", "str", "12", id="a number as text"),
        pytest.param("yes", "bool", True, id="bool"),
        pytest.param("0x10", "int", 16, id="int"),
        pytest.param("3", "float", 3, id="a whole float is an integer to the JSON decoder"),
        pytest.param("1e-3", "float", 0.001, id="float"),
        pytest.param("", "null", None, id="null"),
        pytest.param("aGkg8J+Yig==", "binary", "hi 😊", id="binary that is UTF-8 text"),
        pytest.param("2024-01-01", "timestamp", "2024-01-01", id="a date stays text"),
        pytest.param("2024-01-01T10:00:00.5Z", "timestamp", "2024-01-01T10:00:00.5Z", id="a time stays text"),
    ],
)
def test_tags(text: str, tag: str, value: Any) -> None:
    """An explicit tag decides the type, whether the scalar is quoted or not."""
    got = tagged_value(text, YAML + tag)
    assert (type(got), got) == (type(value), value)


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        pytest.param("x", YAML + "int", id="no integer"),
        pytest.param("1.0", YAML + "int", id="a float is no integer"),
        pytest.param("1", YAML + "bool", id="no bool"),
        pytest.param("x", YAML + "null", id="no null"),
        pytest.param(".inf", YAML + "float", id="infinity"),
        pytest.param("18446744073709551615", YAML + "float", id="beyond int64"),
        pytest.param("tomorrow", YAML + "timestamp", id="no time"),
        pytest.param("/w==", YAML + "binary", id="bytes that are no text"),
        pytest.param("?", YAML + "binary", id="no base64"),
        pytest.param("x", "!custom", id="unknown tag"),
        pytest.param("x", YAML + "python/object/apply:os.system", id="a tag that would be code elsewhere"),
    ],
)
def test_tags_that_do_not_fit(text: str, tag: str) -> None:
    """A scalar that contradicts its tag, and a tag that is none of YAML's, are refused."""
    with pytest.raises(NotJsonError):
        tagged_value(text, tag)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.1"),
        (1.0, "1"),
        (-0.0, "-0"),
        (100.0, "100"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1.5e300, "1.5e+300"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (-1.25e-9, "-1.25e-9"),
        (123456789.125, "123456789.125"),
        (5e-324, "5e-324"),
    ],
)
def test_numbers_have_the_digits_of_encoding_json(value: Any, text: str) -> None:
    """The shortest digits, a plain notation between 1e-6 and 1e21, exponents without leading zeros."""
    assert number_text(value) == text


def test_the_memo_is_bounded() -> None:
    """A hostile file with ever new scalars cannot make the memory of scalars grow."""
    memo = ScalarMemo()
    for i in range(20_000):
        assert memo[str(i)] == i
    assert len(memo) <= 8192


def test_the_memo_notices_what_json_cannot_hold() -> None:
    """Such a scalar reads as null, and the reader knows that it must explain."""
    memo = ScalarMemo()
    assert memo["1"] == 1
    assert not memo.not_json
    assert memo[".nan"] is None
    assert memo.not_json


def test_long_digits_cost_no_time() -> None:
    """A million digits are a float that overflows, so they are text; nothing quadratic happens."""
    assert plain_value("9" * 1_000_000) == "9" * 1_000_000
    assert plain_value("1" + "0" * 300) == 1e300
