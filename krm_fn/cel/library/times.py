"""
Functions of timestamps and durations: conversions and getters.

Enters: texts, numbers, timestamps, durations, names of time zones.  Leaves: the same.  Not known here: `+` and `-`
(`cel.timestamps`, called by the operators).

The calendar fields of a timestamp are those of UTC, or of a zone given as `+05:30` or by its IANA name; only a name needs
the zone database.

Source: cel-go v0.27.0 common/stdlib and common/types/timestamp.go, duration.go.
"""

from __future__ import annotations

from krm_fn.cel.budget import spend
from krm_fn.cel.errors import BAD_ARGUMENT, BAD_CONVERSION, EvaluationError
from krm_fn.cel.library.overload import Overload, function, member
from krm_fn.cel.timestamps import (
    DAY_SECONDS,
    HOUR,
    MINUTE,
    SECOND,
    Duration,
    Timestamp,
    date_of,
    days_of,
    duration_seconds,
    format_timestamp,
    parse_duration,
    parse_timestamp,
    timestamp_of,
    truncated,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any
    from zoneinfo import ZoneInfo

_ZONED_FROM, _ZONED_TO = -62_100_000_000, 253_370_000_000
"""Seconds between which Python's zone database answers; the months beyond have the offset of the nearest one inside."""


_ZONE_READ = 1_000
"""What looking for a zone in the database costs of the evaluation's budget."""
_zones: dict[str, ZoneInfo] = {}


def _same(value: Any) -> Any:
    return value


def _timestamp_of_int(seconds: int) -> Timestamp:
    return timestamp_of(seconds)


def _int_of_timestamp(moment: Timestamp) -> int:
    return moment.seconds


def _string_of_timestamp(moment: Timestamp) -> str:
    return format_timestamp(moment)


def _duration_of_int(_: int) -> Duration:
    """Refuse: declared, yet it fails whenever it runs. # sic: cel-go."""
    raise EvaluationError(BAD_CONVERSION, "duration: an int does not convert to a duration")


def _int_of_duration(length: Duration) -> int:
    return length.nanos


def _offset(zone: str, moment: Timestamp) -> int:
    """Say how many seconds east of UTC the zone is at the moment."""
    if zone in ("", "UTC", "Local"):
        return 0
    hours, colon, minutes = zone.partition(":")
    return _fixed_offset(zone, hours, minutes) if colon else _named_offset(zone, moment)


def _fixed_offset(zone: str, hours: str, minutes: str) -> int:
    from krm_fn.cel.library.numerals import parse_integer

    hour, minute = parse_integer(hours, signed=True), parse_integer(minutes, signed=True)
    if hour is None or minute is None or abs(hour) > 1 << 20 or abs(minute) > 1 << 20:
        raise _unknown_zone(zone)
    return 60 * (hour * 60 - minute if zone[0] == "-" else hour * 60 + minute)


def _named_offset(zone: str, moment: Timestamp) -> int:
    from datetime import UTC, datetime, timedelta

    place = _zones.get(zone)
    if place is None:
        from zoneinfo import ZoneInfo

        spend(_ZONE_READ)
        try:
            place = _zones[zone] = ZoneInfo(zone)
        except (KeyError, ValueError, OSError):  # not in the database; not a name; a folder of it
            raise _unknown_zone(zone) from None
    seconds = min(max(moment.seconds, _ZONED_FROM), _ZONED_TO)
    offset = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).astimezone(place).utcoffset()
    return offset.days * DAY_SECONDS + offset.seconds if offset is not None else 0


def _unknown_zone(zone: str) -> EvaluationError:
    return EvaluationError(BAD_ARGUMENT, f"{zone[:40]!r} is not a time zone")


def _date(seconds: int) -> tuple[int, int, int]:
    return date_of(seconds // DAY_SECONDS)


def _year(seconds: int) -> int:
    return _date(seconds)[0]


def _month(seconds: int) -> int:
    return _date(seconds)[1] - 1


def _day(seconds: int) -> int:
    return _date(seconds)[2] - 1


def _day_from_one(seconds: int) -> int:
    return _date(seconds)[2]


def _weekday(seconds: int) -> int:
    """Count from Sunday. January 1, 1970 was a Thursday."""
    return (seconds // DAY_SECONDS + 4) % 7


def _yearday(seconds: int) -> int:
    return seconds // DAY_SECONDS - days_of(_year(seconds), 1, 1)


def _hour(seconds: int) -> int:
    return seconds % DAY_SECONDS // 3600


def _minute(seconds: int) -> int:
    return seconds % 3600 // 60


def _second(seconds: int) -> int:
    return seconds % 60


def _getter(name: str, id_part: str, field: Callable[[int], int], doc: str, *examples: str) -> tuple[Overload, ...]:
    """Make the two overloads of a field, for UTC and for a zone. Only getSeconds' zoned id lacks `with_`. # sic: cel-go."""

    def in_utc(moment: Timestamp) -> int:
        return field(moment.seconds)

    def in_zone(moment: Timestamp, zone: str) -> int:
        return field(moment.seconds + _offset(zone, moment))

    zoned_id = f"timestamp_to_{id_part}{'_tz' if id_part == 'seconds' else '_with_tz'}"
    return (
        member(f"timestamp_to_{id_part}", name, ("timestamp",), "int", in_utc, f"{doc}, in UTC.", *examples[:1]),
        member(zoned_id, name, ("timestamp", "string"), "int", in_zone, f"{doc}, in the zone.", *examples[1:]),
    )


def _milliseconds(moment: Timestamp) -> int:
    return moment.nanos // 1_000_000


def _milliseconds_in_zone(moment: Timestamp, zone: str) -> int:
    _offset(zone, moment)  # the zone must exist
    return _milliseconds(moment)


def _in_unit(unit: int) -> Callable[[Duration], int]:
    """Whole units, the fraction weighed as a double and cut off, as Go's Hours() and the like do."""

    def count(length: Duration) -> int:
        whole, rest = truncated(length.nanos, unit)
        return int(float(whole) + float(rest) / unit)

    return count


def _duration_milliseconds(length: Duration) -> int:
    return truncated(length.nanos, 1_000_000)[0]


OVERLOADS: tuple[Overload, ...] = (
    function(
        "timestamp_to_timestamp",
        "timestamp",
        ("timestamp",),
        "timestamp",
        _same,
        "The timestamp itself.",
        "timestamp(timestamp(0)) == timestamp(0)",
    ),
    function(
        "int64_to_timestamp",
        "timestamp",
        ("int",),
        "timestamp",
        _timestamp_of_int,
        "So many seconds after 1970 began in UTC.",
        'timestamp(0) == timestamp("1970-01-01T00:00:00Z")',
    ),
    function(
        "string_to_timestamp",
        "timestamp",
        ("string",),
        "timestamp",
        parse_timestamp,
        "A text of RFC 3339.",
        'timestamp("2024-01-01T01:00:00+01:00") == timestamp("2024-01-01T00:00:00Z")',
    ),
    function(
        "duration_to_duration",
        "duration",
        ("duration",),
        "duration",
        _same,
        "The duration itself.",
        'duration(duration("1s")) == duration("1s")',
    ),
    function(
        "int64_to_duration",
        "duration",
        ("int",),
        "duration",
        _duration_of_int,
        "Declared, but an error whenever it runs.",
    ),
    function(
        "string_to_duration",
        "duration",
        ("string",),
        "duration",
        parse_duration,
        "A text as Go writes durations: h m s ms us ns.",
        'duration("1h30m") == duration("5400s")',
    ),
    function(
        "timestamp_to_int64",
        "int",
        ("timestamp",),
        "int",
        _int_of_timestamp,
        "Seconds since 1970.",
        'int(timestamp("1970-01-01T00:01:00Z")) == 60',
    ),
    function(
        "duration_to_int64",
        "int",
        ("duration",),
        "int",
        _int_of_duration,
        "Nanoseconds.",
        'int(duration("1ms")) == 1000000',
    ),
    function(
        "timestamp_to_string",
        "string",
        ("timestamp",),
        "string",
        _string_of_timestamp,
        "RFC 3339, at the offset that its text had.",
        'string(timestamp(0)) == "1970-01-01T00:00:00Z"',
    ),
    function(
        "duration_to_string",
        "string",
        ("duration",),
        "string",
        duration_seconds,
        "Seconds.",
        'string(duration("1h30m")) == "5400s"',
    ),
    *_getter(
        "getFullYear",
        "year",
        _year,
        "The year",
        'timestamp("2024-02-29T23:45:06Z").getFullYear() == 2024',
        'timestamp("2024-12-31T23:30:00Z").getFullYear("+01:00") == 2025',
    ),
    *_getter(
        "getMonth",
        "month",
        _month,
        "The month, from 0",
        'timestamp("2024-02-29T23:45:06Z").getMonth() == 1',
        'timestamp("2024-02-29T23:45:06Z").getMonth("+01:00") == 2',
    ),
    *_getter(
        "getDayOfYear",
        "day_of_year",
        _yearday,
        "The day of the year, from 0",
        'timestamp("2024-02-01T00:00:00Z").getDayOfYear() == 31',
        'timestamp("2024-02-01T00:00:00Z").getDayOfYear("-01:00") == 30',
    ),
    *_getter(
        "getDayOfMonth",
        "day_of_month",
        _day,
        "The day of the month, from 0",
        'timestamp("2024-02-29T23:45:06Z").getDayOfMonth() == 28',
        'timestamp("2024-02-29T23:45:06Z").getDayOfMonth("+01:00") == 0',
    ),
    *_getter(
        "getDate",
        "day_of_month_1_based",
        _day_from_one,
        "The day of the month, from 1",
        'timestamp("2024-02-29T23:45:06Z").getDate() == 29',
        'timestamp("2024-02-29T23:45:06Z").getDate("+01:00") == 1',
    ),
    *_getter(
        "getDayOfWeek",
        "day_of_week",
        _weekday,
        "The day of the week, Sunday being 0",
        'timestamp("2024-02-29T23:45:06Z").getDayOfWeek() == 4',
        'timestamp("2024-02-29T23:45:06Z").getDayOfWeek("+01:00") == 5',
    ),
    *_getter(
        "getHours",
        "hours",
        _hour,
        "The hour",
        'timestamp("2024-02-29T23:45:06Z").getHours() == 23',
        'timestamp("2024-02-29T23:45:06Z").getHours("-08:00") == 15',
    ),
    *_getter(
        "getMinutes",
        "minutes",
        _minute,
        "The minute",
        'timestamp("2024-02-29T23:45:06Z").getMinutes() == 45',
        'timestamp("2024-02-29T23:45:06Z").getMinutes("+05:30") == 15',
    ),
    *_getter(
        "getSeconds",
        "seconds",
        _second,
        "The second",
        'timestamp("2024-02-29T23:45:06Z").getSeconds() == 6',
        'timestamp("2024-02-29T23:45:06Z").getSeconds("+05:30") == 6',
    ),
    member(
        "timestamp_to_milliseconds",
        "getMilliseconds",
        ("timestamp",),
        "int",
        _milliseconds,
        "The milliseconds of the second.",
        'timestamp("2024-02-29T23:45:06.789Z").getMilliseconds() == 789',
    ),
    member(
        "timestamp_to_milliseconds_with_tz",
        "getMilliseconds",
        ("timestamp", "string"),
        "int",
        _milliseconds_in_zone,
        "The milliseconds of the second, in the zone.",
        'timestamp("2024-02-29T23:45:06.789Z").getMilliseconds("UTC") == 789',
    ),
    member(
        "duration_to_hours",
        "getHours",
        ("duration",),
        "int",
        _in_unit(HOUR),
        "Whole hours.",
        'duration("90m").getHours() == 1',
    ),
    member(
        "duration_to_minutes",
        "getMinutes",
        ("duration",),
        "int",
        _in_unit(MINUTE),
        "Whole minutes.",
        'duration("90m").getMinutes() == 90',
    ),
    member(
        "duration_to_seconds",
        "getSeconds",
        ("duration",),
        "int",
        _in_unit(SECOND),
        "Whole seconds.",
        'duration("1.5s").getSeconds() == 1',
    ),
    member(
        "duration_to_milliseconds",
        "getMilliseconds",
        ("duration",),
        "int",
        _duration_milliseconds,
        "Whole milliseconds.",
        'duration("1.5s").getMilliseconds() == 1500',
    ),
)
