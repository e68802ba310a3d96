"""
What differs between two JSON values, path by path, for people.

Enters: two values.  Leaves: lines such as `+ a.b: 1`, `- c`, `~ d[0].e: 1 -> 2`.  Not known here: what the values are.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

MAX_LINES = 40
_LONGEST = 100
_ABSENT = object()
_STAMPS = frozenset(("uid", "resourceVersion", "generation", "creationTimestamp", "managedFields"))


def differences(before: Any, after: Any) -> list[str]:
    """The lines, at most MAX_LINES and one that says how many more there are."""
    found = list(_walk(before, after, ""))
    if len(found) > MAX_LINES:
        found[MAX_LINES:] = [f"and {len(found) - MAX_LINES} more"]
    return found


def without_stamps(body: dict[str, Any] | None) -> dict[str, Any] | None:
    """An object without the fields of its metadata that a server alone sets, and without its status."""
    if body is None:
        return None
    metadata = {key: value for key, value in body["metadata"].items() if key not in _STAMPS}
    return {**{key: value for key, value in body.items() if key != "status"}, "metadata": metadata}


def _walk(before: Any, after: Any, path: str) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            below = f"{path}.{key}" if key.replace("_", "a").isalnum() else f'{path}["{key}"]'
            yield from _walk(before.get(key, _ABSENT), after.get(key, _ABSENT), below.lstrip("."))
    elif isinstance(before, list) and isinstance(after, list) and (before or after):
        for i in range(max(len(before), len(after))):
            one, other = (value[i] if i < len(value) else _ABSENT for value in (before, after))
            yield from _walk(one, other, f"{path}[{i}]")
    elif after is _ABSENT:
        yield f"- {path}"
    elif before is _ABSENT:
        yield f"+ {path}: {_text(after)}"
    elif type(before) is not type(after) or before != after:
        yield f"~ {path}: {_text(before)} -> {_text(after)}"


def _text(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
