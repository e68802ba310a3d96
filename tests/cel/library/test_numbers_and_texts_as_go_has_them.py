"""Numbers to texts and back. Every row was compared with Go's own strconv, fmt and encoding/json."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krm_fn.cel.errors import BAD_ARGUMENT, BAD_CONVERSION, OVERFLOW
from krm_fn.cel.library.numerals import general_text, json_text, parse_double, plain_text
from tests.cel.running import error_of, run


@pytest.mark.parametrize(
    ("value", "general", "plain", "json"),
    [
        (0.0, "0", "0", "0"),
        (-0.0, "-0", "-0", "-0"),
        (1.0, "1", "1", "1"),
        (100000.0, "100000", "100000", "100000"),
        (1e6, "1e+06", "1000000", "1000000"),
        (123456789.125, "1.23456789125e+08", "123456789.125", "123456789.125"),
        (0.0001, "0.0001", "0.0001", "0.0001"),
        (0.00001, "1e-05", "0.00001", "0.00001"),
        (1e-6, "1e-06", "0.000001", "0.000001"),
        (1e-7, "1e-07", "0.0000001", "1e-7"),
        (1e20, "1e+20", "100000000000000000000", "100000000000000000000"),
        (1e21, "1e+21", "1000000000000000000000", "1e+21"),
        (-1.5e300, "-1.5e+300", "-15" + "0" * 299, "-1.5e+300"),
        (5e-324, "5e-324", "0." + "0" * 323 + "5", "5e-324"),
    ],
)
def test_a_double_has_three_texts(value, general, plain, json):
    assert (general_text(value), plain_text(value), json_text(value)) == (general, plain, json)


def test_what_is_not_finite_has_two():
    infinite = float("inf")
    assert [general_text(x) for x in (infinite, -infinite, infinite - infinite)] == ["+Inf", "-Inf", "NaN"]
    assert [plain_text(x) for x in (infinite, -infinite, infinite - infinite)] == ["Infinity", "-Infinity", "NaN"]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_text_reads_back_as_the_double(value):
    assert parse_double(general_text(value)) == value
    assert parse_double(plain_text(value)) == value
    assert parse_double(json_text(value)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1_0", 10.0),
        ("0_1", 1.0),
        ("1_0.5", 10.5),
        ("1e1_0", 1e10),
        ("0x1p-2", 0.25),
        ("0x_1.8p1", 3.0),
        ("-0X1P4", -16.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("+inf", float("inf")),
        ("-Infinity", float("-inf")),
        ("1e-400", 0.0),
    ],
)
def test_double_reads_what_go_reads(text, value):
    assert run("double(x)", x=text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 1",
        "1 ",
        "1__0",
        "_1",
        "1_",
        "1_.5",
        "1._5",
        "1e_1",
        "0x10",
        "0b11",
        "1e",
        "e1",
        ".",
        "+nan",
        "1e400",
        "\u0661",
    ],
)
def test_double_refuses_what_go_refuses(text):
    assert error_of("double(x)", x=text).kind == BAD_CONVERSION


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ('int("1.0")', BAD_CONVERSION),
        ('int("1_0")', BAD_CONVERSION),
        ('int("9223372036854775808")', BAD_CONVERSION),
        ('int("' + "9" * 5000 + '")', BAD_CONVERSION),
        ('uint("+1")', BAD_CONVERSION),
        ('uint("-1")', BAD_CONVERSION),
        ("uint(-1)", OVERFLOW),
        ("int(9223372036854775808u)", OVERFLOW),
        ("int(9223372036854775808.0)", OVERFLOW),
        ("int(-9223372036854775808.0)", OVERFLOW),
        ("int(0.0 / 0.0)", OVERFLOW),
        ("uint(-0.5)", OVERFLOW),
        ('bool("yes")', BAD_CONVERSION),
        ('bool("tRUE")', BAD_CONVERSION),
        ('string(b"\\xff")', BAD_CONVERSION),
        ("duration(1)", BAD_CONVERSION),
        ('base64.decode("YQ=")', BAD_ARGUMENT),
        ('base64.decode("Y")', BAD_ARGUMENT),
        ('base64.decode("-_79")', BAD_ARGUMENT),
    ],
)
def test_what_does_not_convert_is_an_error_and_never_pending(expression, kind):
    error = error_of(expression)
    assert error.kind == kind
    assert not error.is_pending


@pytest.mark.parametrize(
    ("text", "value"),
    [("YQ==", b"a"), ("YQ", b"a"), ("YR==", b"a"), ("YW\nI=", b"ab"), ("", b""), ("//79", b"\xff\xfe\xfd")],
)
def test_base64_needs_no_padding_and_skips_line_breaks(text, value):
    assert run("base64.decode(x)", x=text) == value
