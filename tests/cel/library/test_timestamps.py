"""Timestamps and durations: Go's texts, cel-go's arithmetic."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krm_fn.cel.errors import BAD_ARGUMENT, BAD_CONVERSION, NO_SUCH_OVERLOAD, OVERFLOW, EvaluationError
from krm_fn.cel.timestamps import (
    MAX_SECONDS,
    MIN_SECONDS,
    Duration,
    Timestamp,
    add,
    date_of,
    days_of,
    duration_json,
    duration_seconds,
    format_timestamp,
    parse_duration,
    parse_timestamp,
    subtract,
    timestamp_json,
)
from tests.cel.running import error_of, run

moments = st.builds(Timestamp, st.integers(MIN_SECONDS, MAX_SECONDS), st.integers(0, 999_999_999))
lengths = st.builds(Duration, st.integers(-(1 << 62), 1 << 62))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@given(moments)
def test_a_timestamp_reads_back(moment):
    assert parse_timestamp(format_timestamp(moment)) == moment


@given(st.dates())
def test_days_are_those_of_the_gregorian_calendar(day):
    days = (day - date(1970, 1, 1)).days
    assert days_of(day.year, day.month, day.day) == days
    assert date_of(days) == (day.year, day.month, day.day)


@given(st.integers(MIN_SECONDS, MAX_SECONDS))
def test_getters_agree_with_the_calendar(seconds):
    there = EPOCH + timedelta(seconds=seconds)
    found = run(
        "[t.getFullYear(), t.getMonth() + 1, t.getDate(), t.getDayOfMonth() + 1, t.getDayOfWeek(), t.getDayOfYear() + 1, "
        "t.getHours(), t.getMinutes(), t.getSeconds()]",
        t=Timestamp(seconds),
    )
    expected = [there.year, there.month, there.day, there.day, there.isoweekday() % 7, there.timetuple().tm_yday]
    assert found == [*expected, there.hour, there.minute, there.second]


@given(moments, lengths)
def test_what_is_added_can_be_taken_away(moment, length):
    total = moment.seconds * 10**9 + moment.nanos + length.nanos
    if not MIN_SECONDS * 10**9 <= total < (MAX_SECONDS + 1) * 10**9:
        with pytest.raises(EvaluationError, match="outside the years"):
            add(moment, length)
        return
    later = add(moment, length)
    assert add(length, moment) == later
    assert subtract(later, moment) == length


@pytest.mark.parametrize(
    ("text", "written", "json"),
    [
        ("2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z"),
        ("2024-01-01T01:00:00.50+01:00", "2024-01-01T01:00:00.5+01:00", "2024-01-01T00:00:00Z"),
        ("2024-01-01T1:00:00Z", "2024-01-01T01:00:00Z", "2024-01-01T01:00:00Z"),
        ("2024-01-01T00:00:00,5Z", "2024-01-01T00:00:00.5Z", "2024-01-01T00:00:00Z"),
        ("2024-01-01T00:00:00.1234567899Z", "2024-01-01T00:00:00.123456789Z", "2024-01-01T00:00:00Z"),
        ("2024-01-01T00:00:00-00:00", "2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z"),
        ("2024-01-01T00:00:00+24:60", "2024-01-01T00:00:00+25:00", "2023-12-30T23:00:00Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00-00:01", "0001-01-01T00:00:00-00:01", "0001-01-01T00:01:00Z"),
    ],
)
def test_rfc_3339_as_go_reads_and_writes_it(text, written, json):
    moment = parse_timestamp(text)
    assert format_timestamp(moment) == written
    assert timestamp_json(moment) == json


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2024-01-01",
        "2024-01-01T00:00:00",
        "2024-01-01t00:00:00z",
        "2024-01-01 00:00:00Z",
        "2024-02-30T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "2024-13-01T00:00:00Z",
        "2024-01-01T24:00:00Z",
        "2024-01-01T00:60:00Z",
        "2024-01-01T23:59:60Z",
        "2024-01-01T00:00:00.Z",
        "2024-01-01T00:00:00+0100",
        "2024-01-01T00:00:00+25:00",
        "2024-01-01T00:00:00+01:61",
        "٢٠٢٤-01-01T00:00:00Z",
        " 2024-01-01T00:00:00Z",
    ],
)
def test_what_is_no_timestamp(text):
    assert error_of("timestamp(x)", x=text).kind == BAD_CONVERSION


@pytest.mark.parametrize(
    "expression",
    [
        'timestamp("0001-01-01T00:00:00+00:01")',
        'timestamp("9999-12-31T23:59:59-00:01")',
        "timestamp(253402300800)",
        'timestamp("9999-12-31T23:59:59Z") + duration("1s")',
        'duration("2562047h") + duration("1h")',
        'timestamp("9999-12-31T23:59:59Z") - timestamp("0001-01-01T00:00:00Z")',
    ],
)
def test_outside_the_range(expression):
    assert error_of(expression).kind == OVERFLOW


@pytest.mark.parametrize(
    ("text", "nanos", "seconds", "json"),
    [
        ("0", 0, "0s", "0s"),
        ("-0", 0, "0s", "0s"),
        ("1h30m", 5_400_000_000_000, "5400s", "1h30m0s"),
        ("1m1h", 3_660_000_000_000, "3660s", "1h1m0s"),
        ("-1.5s", -1_500_000_000, "-1.5s", "-1.5s"),
        ("1.s", 1_000_000_000, "1s", "1s"),
        ("100ms", 100_000_000, "0.1s", "100ms"),
        ("1500us", 1_500_000, "0.0015s", "1.5ms"),
        ("1µs", 1_000, "0.000001s", "1µs"),
        ("1μs", 1_000, "0.000001s", "1µs"),
        ("1.9ns", 1, "0.000000001s", "1ns"),
        ("90m0.5s", 5_400_500_000_000, "5400.5s", "1h30m0.5s"),
        ("2562047h47m16.854775807s", (1 << 63) - 1, "9223372036.854776s", "2562047h47m16.854775807s"),
        ("-9223372036.854775808s", -(1 << 63), "-9223372036.854776s", "-2562047h47m16.854775808s"),
    ],
)
def test_durations_as_go_reads_and_writes_them(text, nanos, seconds, json):
    length = parse_duration(text)
    assert length.nanos == nanos
    assert duration_seconds(length) == seconds
    assert duration_json(length) == json


@given(lengths)
def test_a_duration_reads_back(length):
    assert parse_duration(duration_json(length)) == length


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "s",
        ".s",
        "1d",
        "1S",
        "1h-1m",
        "1 s",
        "1e3s",
        "1_0s",
        "1,5s",
        "+",
        "-",
        "9223372036.854775808s",
        "\u0661s",
    ],
)
def test_what_is_no_duration(text):
    assert error_of("duration(x)", x=text).kind == BAD_CONVERSION


@pytest.mark.parametrize(
    ("zone", "hour"),
    [
        ("", 23),
        ("UTC", 23),
        ("+01:00", 0),
        ("1:00", 0),
        ("-08:00", 15),
        ("-00:30", 23),
        ("+24:00", 23),
        ("02:60", 2),
        ("Asia/Kathmandu", 5),
        ("America/New_York", 18),
    ],
)
def test_a_zone_moves_the_fields(zone, hour):
    assert run("t.getHours(zone)", t=parse_timestamp("2024-02-29T23:45:06Z"), zone=zone) == hour


@pytest.mark.parametrize(
    "zone", ["utc", "Z", "+1", "+0100", " UTC", "bogus", "../etc/passwd", "/etc/localtime", "1:", ":1", "x:y"]
)
def test_what_is_no_zone(zone):
    error = error_of("t.getHours(zone)", t=Timestamp(0), zone=zone)
    assert error.kind == BAD_ARGUMENT
    assert error_of("t.getMilliseconds(zone)", t=Timestamp(0), zone=zone).kind == BAD_ARGUMENT


def test_named_zones_answer_at_both_ends_of_time():
    assert run("t.getFullYear('Asia/Tokyo')", t=Timestamp(MAX_SECONDS)) == 10000
    assert run("t.getFullYear('America/New_York')", t=Timestamp(MIN_SECONDS)) == 0


@pytest.mark.parametrize("operation", [add, subtract])
def test_other_operands_have_no_overload(operation):
    with pytest.raises(EvaluationError) as caught:
        operation(Duration(1), 1)
    assert caught.value.kind == NO_SUCH_OVERLOAD


def test_an_offset_tells_no_two_timestamps_apart():
    one, other = parse_timestamp("2024-01-01T01:00:00+01:00"), parse_timestamp("2024-01-01T00:00:00Z")
    assert one == other
    assert hash(one) == hash(other)
    assert not one < other
    assert one <= other
