"""
Texts whose format makes another value of them: `byte`, `date`, `date-time`, `duration`.

Enters: a text.  Leaves: bytes, a `Timestamp`, a `Duration`; EvaluationError(BAD_CONVERSION) where it is none.  Not known here:
schemas.

Source: k8s.io/kube-openapi pkg/validation/strfmt {default,time,duration}.go, as kro v0.9.3 uses it.
"""

from __future__ import annotations

from krm_fn.cel.errors import BAD_CONVERSION, EvaluationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krm_fn.cel.values import Value

_INT_MAX = 2**63 - 1


def _bytes(text: str) -> bytes:
    """sic: kro reads the alphabet of URLs, so `+` and `/`, which Kubernetes writes, are wrong to it."""
    from base64 import b64decode

    body = text.replace("\r", "").replace("\n", "")
    try:
        if "+" in body or "/" in body or len(body) % 4:
            raise ValueError
        return b64decode(body, altchars=b"-_", validate=True)
    except ValueError:
        raise EvaluationError(BAD_CONVERSION, "a text that is no base64 of URLs, which is all that kro reads") from None


def _date(text: str) -> Value:
    from krm_fn.cel.timestamps import read_timestamp

    return read_timestamp(f"{text}T00:00:00Z")


def _date_time(text: str) -> Value:
    """RFC 3339; without a zone it is UTC, and the empty text is the beginning of 1970."""
    from krm_fn.cel.timestamps import Timestamp, read_timestamp

    if not text:
        return Timestamp(0)
    if text[-1:] == "Z" or text[-6:-5] in ("+", "-"):
        return read_timestamp(text)
    return read_timestamp(f"{text}Z")


_UNITS = (("ns", "nano"), ("us", "\u00b5s", "micro"), ("ms", "milli"), ("s", "sec"), ("m", "min"), ("h", "hr", "hour"),
          ("d", "day"), ("w", "wk", "week"))  # fmt: skip
_LENGTHS = (1, 10**3, 10**6, 10**9, 60 * 10**9, 3600 * 10**9, 86_400 * 10**9, 604_800 * 10**9)


def _duration(text: str) -> Value:
    """Go's notation, else numbers with the names of units: `2 days`, `1 week 3 hours`."""
    from krm_fn.cel.timestamps import Duration, parse_duration

    try:
        return parse_duration(text)
    except EvaluationError:
        nanos = _named_units(text)
        if nanos is None:
            raise
        return Duration(nanos)


def _named_units(text: str) -> int | None:
    import re2

    total, found = 0, False
    for match in re2.finditer(r"([0-9]+)\s*([A-Za-z\x{b5}]+)", text):
        number, unit = int(match.group(1)), match.group(2).lower()
        if number > _INT_MAX:
            return None
        for names, length in zip(_UNITS, _LENGTHS, strict=True):
            if unit in names or unit.startswith(names[-1]):
                total, found = total + number * length, True
    return (total + _INT_MAX + 1) % 2**64 - _INT_MAX - 1 if found else None  # sic: it wraps, as in Go


READERS = {"byte": _bytes, "date": _date, "date-time": _date_time, "duration": _duration}
