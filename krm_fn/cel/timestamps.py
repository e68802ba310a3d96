"""
Timestamps and durations: reading, writing, adding.

Enters: texts (RFC 3339; Go's `1h30m`), numbers.  Leaves: `Timestamp`, `Duration`, texts.  Not known here: overloads; named time zones.

A timestamp is a number of seconds and nanoseconds since 1970 in UTC, and the offset that its text had: `string()` writes it so
again; nothing else looks at it.  It lies between the years 1 and 9999, unless it was written as a message or read by a schema.  The calendar is the proleptic Gregorian one, computed here because
Python's `datetime` has no year 0, which an offset can show, and costs 2 ms to import.

Source: cel-go v0.27.0 common/types/timestamp.go, duration.go, overflow.go; Go time.Parse, time.ParseDuration, Duration.String.
"""

from __future__ import annotations

from krm_fn.cel.errors import BAD_CONVERSION, NO_SUCH_OVERLOAD, OVERFLOW, EvaluationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY_SECONDS = 86_400
MIN_SECONDS = -62_135_596_800
MAX_SECONDS = 253_402_300_799
_LIMIT = 1 << 63
_UNITS = {
    "ns": 1,
    "us": 1_000,
    "\u00b5s": 1_000,
    "\u03bcs": 1_000,
    "ms": 1_000_000,
    "s": SECOND,
    "m": MINUTE,
    "h": HOUR,
}
_DIGITS = frozenset("0123456789")
_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class Timestamp:
    """A point in time: seconds since 1970 in UTC, nanoseconds 0 to 999,999,999; offset: of its text, in seconds."""

    __slots__ = ("nanos", "offset", "seconds")
    cel_type = "google.protobuf.Timestamp"

    def __init__(self, seconds: int, nanos: int = 0, offset: int = 0) -> None:
        self.seconds = seconds
        self.nanos = nanos
        self.offset = offset

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Timestamp) and self.seconds == other.seconds and self.nanos == other.nanos

    def __lt__(self, other: Timestamp) -> bool:
        return (self.seconds, self.nanos) < (other.seconds, other.nanos)

    def __le__(self, other: Timestamp) -> bool:
        return (self.seconds, self.nanos) <= (other.seconds, other.nanos)

    def __gt__(self, other: Timestamp) -> bool:
        return other < self

    def __ge__(self, other: Timestamp) -> bool:
        return other <= self

    def __hash__(self) -> int:
        return hash((self.seconds, self.nanos))

    def __repr__(self) -> str:
        return f'timestamp("{format_timestamp(self)}")'

    def is_zero(self) -> bool:
        """Tell whether this is Go's zero time: midnight of January 1, year 1."""
        return self.seconds == MIN_SECONDS and self.nanos == 0


class Duration:
    """A length of time in nanoseconds, of 64 bits."""

    __slots__ = ("nanos",)
    cel_type = "google.protobuf.Duration"

    def __init__(self, nanos: int) -> None:
        self.nanos = nanos

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Duration) and self.nanos == other.nanos

    def __lt__(self, other: Duration) -> bool:
        return self.nanos < other.nanos

    def __le__(self, other: Duration) -> bool:
        return self.nanos <= other.nanos

    def __gt__(self, other: Duration) -> bool:
        return self.nanos > other.nanos

    def __ge__(self, other: Duration) -> bool:
        return self.nanos >= other.nanos

    def __hash__(self) -> int:
        return hash((Duration, self.nanos))

    def __repr__(self) -> str:
        return f'duration("{duration_seconds(self)}")'

    def is_zero(self) -> bool:
        """Tell whether the length is 0."""
        return self.nanos == 0


def add(first: Any, second: Any) -> Timestamp | Duration:
    """Add a timestamp and a duration, or two durations. OVERFLOW outside their ranges, NO_SUCH_OVERLOAD for all else."""
    kinds = (type(first), type(second))
    if kinds == (Timestamp, Duration):
        return _shifted(first, second.nanos)
    if kinds == (Duration, Timestamp):
        return _shifted(second, first.nanos)
    if kinds == (Duration, Duration):
        return Duration(_checked(first.nanos + second.nanos))
    raise EvaluationError(NO_SUCH_OVERLOAD, "+: no such overload")


def subtract(first: Any, second: Any) -> Timestamp | Duration:
    """Subtract a duration from a timestamp or a duration, or two timestamps from each other. Errors as in `add`."""
    kinds = (type(first), type(second))
    if kinds == (Timestamp, Duration):
        return _shifted(first, _checked(-second.nanos))
    if kinds == (Timestamp, Timestamp):
        seconds = first.seconds - second.seconds
        return Duration(_checked(_checked(seconds * SECOND) + first.nanos - second.nanos))
    if kinds == (Duration, Duration):
        return Duration(_checked(first.nanos - second.nanos))
    raise EvaluationError(NO_SUCH_OVERLOAD, "-: no such overload")


def _checked(nanos: int) -> int:
    if not -_LIMIT <= nanos < _LIMIT:
        raise EvaluationError(OVERFLOW, "duration: more than 64 bits of nanoseconds")
    return nanos


def _shifted(moment: Timestamp, nanos: int) -> Timestamp:
    seconds, rest = divmod(moment.nanos + nanos, SECOND)
    return timestamp_of(moment.seconds + seconds, rest, moment.offset)


def timestamp_of(seconds: int, nanos: int = 0, offset: int = 0) -> Timestamp:
    """Make a timestamp; OVERFLOW outside the years 1 to 9999 of UTC."""
    if not MIN_SECONDS <= seconds <= MAX_SECONDS:
        raise EvaluationError(OVERFLOW, "timestamp: outside the years 1 to 9999")
    return Timestamp(seconds, nanos, offset)


def parse_timestamp(text: str) -> Timestamp:
    """
    Read RFC 3339 as Go does: capital T and Z; the hour may have one digit, the fraction any number of them, after a comma too.

    Units:   digits of the fraction after the ninth are dropped; offsets reach from -24:60 to +24:60.
    Errors:  BAD_CONVERSION; OVERFLOW outside the years 1 to 9999.
    """
    read = read_timestamp(text)
    return timestamp_of(read.seconds, read.nanos, read.offset)


def read_timestamp(text: str) -> Timestamp:
    """Read the same text, whatever its year: what a schema calls a time is not looked at as closely. Errors: BAD_CONVERSION."""
    fields = _split_timestamp(text)
    if fields is None:
        raise EvaluationError(BAD_CONVERSION, f"{text[:40]!r} is not a timestamp")
    year, month, day, hour, minute, second, nanos, offset = fields
    if not (1 <= month <= 12 and 1 <= day <= month_days(year, month) and hour < 24 and minute < 60 and second < 60):
        raise EvaluationError(BAD_CONVERSION, f"{text[:40]!r} is not a date and time that exists")
    seconds = days_of(year, month, day) * DAY_SECONDS + hour * 3600 + minute * 60 + second - offset
    return Timestamp(seconds, nanos, offset)


def _split_timestamp(text: str) -> tuple[int, int, int, int, int, int, int, int] | None:
    hour_end = 13 if text[12:13] in _DIGITS else 12
    punctuation = (
        text[4:5] + text[7:8] + text[10:11] + text[hour_end : hour_end + 1] + text[hour_end + 3 : hour_end + 4]
    )
    if punctuation != "--T::" or not text.isascii():
        return None
    at = hour_end + 6
    parts = [
        text[:4],
        text[5:7],
        text[8:10],
        text[11:hour_end],
        text[hour_end + 1 : hour_end + 3],
        text[hour_end + 4 : at],
    ]
    if [len(part) for part in parts] != [4, 2, 2, hour_end - 11, 2, 2] or not all(map(_is_digits, parts)):
        return None
    end = at
    if text[at : at + 1] in (".", ",") and text[at + 1 : at + 2] in _DIGITS:
        end = at + 1
        while text[end : end + 1] in _DIGITS:
            end += 1
    nanos = int(text[at + 1 : end][:9].ljust(9, "0")) if end > at else 0
    offset = _parse_offset(text[end:])
    if offset is None:
        return None
    year, month, day, hour, minute, second = map(int, parts)
    return year, month, day, hour, minute, second, nanos, offset


def _parse_offset(text: str) -> int | None:
    if text == "Z":
        return 0
    hours, minutes = text[1:3], text[4:6]
    if len(text) != 6 or text[0] not in "+-" or text[3] != ":" or not (_is_digits(hours) and _is_digits(minutes)):
        return None
    if int(hours) > 24 or int(minutes) > 60:
        return None
    seconds = int(hours) * 3600 + int(minutes) * 60
    return -seconds if text[0] == "-" else seconds


def _is_digits(text: str) -> bool:
    return bool(text) and _DIGITS.issuperset(text)


def month_days(year: int, month: int) -> int:
    """Count the days of a month, which counts from 1."""
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 29 if month == 2 and is_leap else _MONTH_DAYS[month - 1]


def days_of(year: int, month: int, day: int) -> int:
    """Count the days from January 1, 1970. The year begins in March here, so that a leap day ends it."""
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def date_of(days: int) -> tuple[int, int, int]:
    """Turn days since January 1, 1970 into year, month and day. The inverse of `days_of`."""
    era, of_era = divmod(days + 719_468, 146_097)
    year_of_era = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    from_march = (5 * of_year + 2) // 153
    month = from_march + 3 if from_march < 10 else from_march - 9
    return year_of_era + era * 400 + (month <= 2), month, of_year - (153 * from_march + 2) // 5 + 1


def format_timestamp(moment: Timestamp, *, in_utc: bool = False) -> str:
    """Write RFC 3339 with as much of the fraction as there is, at the offset that the timestamp's text had or in UTC."""
    offset = 0 if in_utc else moment.offset
    fraction = f".{moment.nanos:09d}".rstrip("0") if moment.nanos else ""
    sign, minutes = ("-", -offset // 60) if offset < 0 else ("+", offset // 60)
    zone = f"{sign}{minutes // 60:02d}:{minutes % 60:02d}" if offset else "Z"
    return f"{_date_and_time(moment.seconds + offset)}{fraction}{zone}"


def _date_and_time(seconds: int) -> str:
    days, rest = divmod(seconds, DAY_SECONDS)
    year, month, day = date_of(days)
    return f"{'-' if year < 0 else ''}{abs(year):04d}-{month:02d}-{day:02d}T{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"


def timestamp_json(moment: Timestamp) -> str | None:
    """Write what a template field gets: UTC and whole seconds, null for the zero time (Kubernetes' metav1.Time)."""
    return None if moment.is_zero() else f"{_date_and_time(moment.seconds)}Z"


def parse_duration(text: str) -> Duration:
    """
    Read Go's durations: `1h30m`, `-1.5s`, `300ms`, `0`.

    Units:   h m s ms us µs ns, in any order and as often as one likes; fractions of a nanosecond are dropped.
    Errors:  BAD_CONVERSION, also for more than 64 bits of nanoseconds.
    """
    nanos = _parse_nanos(text)
    if nanos is None:
        raise EvaluationError(BAD_CONVERSION, f"{text[:40]!r} is not a duration")
    return Duration(nanos)


def _parse_nanos(text: str) -> int | None:
    body = text[1:] if text[:1] in ("+", "-") else text
    if body == "0":
        return 0
    if not body:
        return None
    total = at = 0
    while at < len(body):
        start = at
        at = _skip(body, at, digits=True)
        whole = body[start:at]
        fraction = ""
        if body[at : at + 1] == ".":
            start = at + 1
            at = _skip(body, start, digits=True)
            fraction = body[start:at]
        start = at
        at = _skip(body, at, digits=False)
        unit = _UNITS.get(body[start:at], 0)
        if not unit or not (whole or fraction) or len(whole.lstrip("0")) > 19:
            return None
        total += int(whole or "0") * unit + _fraction_nanos(fraction, unit)
        if total > _LIMIT:
            return None
    nanos = -total if text[0] == "-" else total
    return nanos if nanos < _LIMIT else None


def _skip(text: str, at: int, *, digits: bool) -> int:
    """Go past digits, or past what is neither digit nor point."""
    while at < len(text) and (text[at] in _DIGITS if digits else text[at] not in _DIGITS and text[at] != "."):
        at += 1
    return at


def _fraction_nanos(fraction: str, unit: int) -> int:
    """Weigh the digits after the point in doubles, as Go does; those that 63 bits cannot take are dropped."""
    value, scale = 0, 1.0
    for digit in fraction:
        if value > (_LIMIT - 1) // 10 or value * 10 + int(digit) > _LIMIT:
            break
        value = value * 10 + int(digit)
        scale *= 10
    return int(float(value) * (float(unit) / scale)) if value else 0


def truncated(nanos: int, unit: int) -> tuple[int, int]:
    """Divide towards zero: -90 by 60 is -1 and -30."""
    quotient = abs(nanos) // unit
    quotient = -quotient if nanos < 0 else quotient
    return quotient, nanos - quotient * unit


def duration_seconds(length: Duration) -> str:
    """Write `string(d)`: seconds as a double without an exponent: `5400s`, `0.000000001s`."""
    from krm_fn.cel.library.numerals import plain_text

    seconds, rest = truncated(length.nanos, SECOND)
    return f"{plain_text(float(seconds) + float(rest) / 1e9)}s"


def duration_json(length: Duration) -> str:
    """Write what a template field gets, Go's Duration.String: `1h30m0s`, `1.5s`, `20ms`, `0s`."""
    nanos = abs(length.nanos)
    sign = "-" if length.nanos < 0 else ""
    if nanos < SECOND:
        unit, size = next(((u, s) for u, s in (("ms", 1_000_000), ("\u00b5s", 1_000)) if nanos >= s), ("ns", 1))
        return f"{sign}{_decimal(nanos, size)}{unit}" if nanos else "0s"
    minutes, rest = divmod(nanos, MINUTE)
    text = f"{_decimal(rest, SECOND)}s"
    if minutes:
        text = f"{minutes % 60}m{text}"
    if minutes >= 60:
        text = f"{minutes // 60}h{text}"
    return sign + text


def _decimal(nanos: int, unit: int) -> str:
    whole, rest = divmod(nanos, unit)
    fraction = str(rest).rjust(len(str(unit)) - 1, "0").rstrip("0")
    return f"{whole}.{fraction}" if rest else str(whole)
