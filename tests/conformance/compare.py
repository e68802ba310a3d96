"""
Equality, as the corpora define it.

Bodies of Kubernetes objects are equal as JSON with sorted keys, ints and floats distinct, the labels of `ASIDE` left out.
Typed CEL values are equal when type and value are; the entries of a map have no order, and times are instants and lengths, not texts.
"""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

ASIDE = ("kro.run/instance-id", "kro.run/kro-version")
SECOND = 10**9
"""In nanoseconds, the unit of times."""
_SHOWN = 160


def shown(value: Any) -> str:
    """*value* for a message: one line, not long."""
    try:
        text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    except (TypeError, ValueError):
        text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def without_labels_aside(body: dict[str, Any]) -> dict[str, Any]:
    metadata = body.get("metadata")
    labels = metadata.get("labels") if isinstance(metadata, dict) else None
    if not isinstance(metadata, dict) or not isinstance(labels, dict):
        return body
    kept = {key: value for key, value in labels.items() if key not in ASIDE}
    return {**body, "metadata": {**metadata, "labels": kept}}


def first_difference(wanted: Any, got: Any, path: str = "") -> str | None:
    """Where two JSON values part, with both values there; None where they are equal."""
    if type(wanted) is not type(got):
        return (
            f"{path or 'value'}: wanted {type(wanted).__name__} {shown(wanted)}, got {type(got).__name__} {shown(got)}"
        )
    if isinstance(wanted, dict):
        for key in sorted({*wanted, *got}, key=str):
            where = f"{path}.{key}" if path else str(key)
            if key not in got:
                return f"{where}: missing, wanted {shown(wanted[key])}"
            if key not in wanted:
                return f"{where}: not wanted, got {shown(got[key])}"
            if (difference := first_difference(wanted[key], got[key], where)) is not None:
                return difference
        return None
    if isinstance(wanted, list):
        for i, (one, other) in enumerate(zip(wanted, got, strict=False)):
            if (difference := first_difference(one, other, f"{path}[{i}]")) is not None:
                return difference
        if len(wanted) != len(got):
            return f"{path or 'value'}: wanted {len(wanted)} items, got {len(got)}"
        return None
    if isinstance(wanted, float) and math.isnan(wanted) and math.isnan(got):
        return None
    if wanted == got and (not isinstance(wanted, float) or math.copysign(1, wanted) == math.copysign(1, got)):
        return None
    return f"{path or 'value'}: wanted {shown(wanted)}, got {shown(got)}"


def canonical(typed: Any) -> Any:
    """A typed value with the entries of its maps sorted and its numbers in one notation, so that equality is `==`."""
    if not isinstance(typed, dict) or len(typed) != 1:
        return typed
    ((kind, value),) = typed.items()
    match kind:
        case "list":
            return {kind: [canonical(item) for item in value]}
        case "map":
            entries = [[canonical(entry["key"]), canonical(entry["value"])] for entry in value]
            return {kind: sorted(entries, key=lambda entry: json.dumps(entry, sort_keys=True))}
        case "optional":
            return {kind: None if value is None else canonical(value)}
        case "double":
            number = float(value)
            return {kind: "NaN" if math.isnan(number) else repr(number)}
        case "int" | "uint":
            return {kind: str(int(value))}
        case "error":
            return {kind: True}
        case "duration" if isinstance(value, str):
            return {kind: int(Decimal(value.removesuffix("s")) * SECOND)}
        case "timestamp" if isinstance(value, str):
            return {kind: _nanoseconds(value)}
        case _:
            return typed


def _nanoseconds(text: str) -> int:
    """RFC 3339 in UTC or with an offset -> nanoseconds since 1970."""
    body, zone = (text[:-1], "+00:00") if text.endswith("Z") else (text[:-6], text[-6:])
    body, _, fraction = body.partition(".")
    moment = datetime.fromisoformat(body).replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6])) * (-1 if zone[0] == "-" else 1)
    return (moment - offset) // timedelta(seconds=1) * SECOND + int((fraction + "0" * 9)[:9])


def same_typed(wanted: Any, got: Any) -> bool:
    return bool(canonical(wanted) == canonical(got))
