"""
Plain JSON values as lines of JSON, one object a line: what Argo CD's plugin server hands on byte for byte.

Enters: one JSON object.  Leaves: its text in one line, keys in the order given.  Not known here: what the object is, where it goes.

YAML would be read there as YAML 1.1 and written anew (`1.0` becomes 1, `yes` a boolean).  Whole floats are written as integers, as Go's
encoding/json and `yaml_text` do: `1.0` would be a different value to an API server that wants an integer.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Json = Any

_encode = json.JSONEncoder(ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":")).encode


def line(value: Json) -> bytes:
    """
    Write one JSON value as UTF-8 text that ends with a line break.

    Errors: ValueError for NaN, infinities and lone surrogates, which the rooms before this one let none through.
    """
    text = _encode(value)
    if ".0" in text or "e+" in text:  # perhaps a whole float, perhaps only the tag of an image
        text = _encode(_with_whole_numbers(value))
    return text.encode() + b"\n"


def _with_whole_numbers(value: Json) -> Json:
    """A copy whose whole floats are integers; beyond 1e21 Go writes an exponent, and so does the encoder."""
    if isinstance(value, dict):
        return {key: _with_whole_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_whole_numbers(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        from krm_fn.read.scalars import number_text

        return int(number_text(value))
    return value
