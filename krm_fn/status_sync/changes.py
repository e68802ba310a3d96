"""
Whether a status has to be written, and what changes by it.

Enters: the status that an object should have, the object as it is stored.  Leaves: yes or no; one line for a log.  Not known
here: how the status was made.

Server-side apply takes away the fields that we wrote once and leave out now. So a status is as it should be when the stored one
holds all of it, and none of the fields that are ours is missing from it; what others wrote beside is theirs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

MANAGER = "rookery.dev/status-sync"


def is_written(status: dict[str, Any], stored: dict[str, Any]) -> bool:
    return _holds(stored.get("status"), status) and not _surplus(_ours(stored), status)


def _holds(stored: Any, wanted: Any) -> bool:
    """Whether *stored* has all of *wanted*; lists as a whole."""
    if isinstance(wanted, dict):
        return isinstance(stored, dict) and all(key in stored and _holds(stored[key], wanted[key]) for key in wanted)
    return _is_same(stored, wanted)


def _is_same(one: Any, other: Any) -> bool:
    """Equal as JSON: 1 is 1.0, and not true."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_is_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_is_same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _ours(stored: dict[str, Any]) -> dict[str, Any]:
    """The fields of the status that we applied, as managedFields writes them (FieldsV1)."""
    for entry in stored["metadata"].get("managedFields") or ():
        if (entry.get("manager"), entry.get("operation"), entry.get("subresource")) == (MANAGER, "Apply", "status"):
            fields: dict[str, Any] = (entry.get("fieldsV1") or {}).get("f:status") or {}
            return fields
    return {}


def _surplus(fields: dict[str, Any], wanted: dict[str, Any]) -> bool:
    for key, below in fields.items():
        if not key.startswith("f:"):
            continue
        name = key[2:]
        if name not in wanted:
            return True
        if below and isinstance(wanted[name], dict) and _surplus(below, wanted[name]):
            return True
    return False


def what_changed(before: dict[str, Any], after: dict[str, Any]) -> str:
    """`IN_PROGRESS -> ACTIVE, url set`."""
    then, now = before.get("state"), after.get("state")
    said = [f"{then} -> {now}" if then and then != now else str(now)]
    names = sorted((before.keys() | after.keys()) - {"state", "conditions"})
    for name in names:
        if name not in before:
            said.append(f"{name} set")
        elif name not in after:
            said.append(f"{name} removed")
        elif not _is_same(before[name], after[name]):
            said.append(f"{name} changed")
    if then == now and len(said) == 1 and not _is_same(before.get("conditions"), after.get("conditions")):
        said.append("conditions changed")
    return ", ".join(said)
