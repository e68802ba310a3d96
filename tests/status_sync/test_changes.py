"""When a status has to be written, and what a log says of it."""

from __future__ import annotations

from typing import Any

import pytest

from krm_fn.status_sync.changes import MANAGER, is_written, what_changed

Json = dict[str, Any]


def stored(status: Json | None, *entries: Json) -> Json:
    made: Json = {"metadata": {"name": "x", "managedFields": list(entries)}}
    return made if status is None else {**made, "status": status}


def owns(fields: Json, **changes: str) -> Json:
    entry = {"manager": MANAGER, "operation": "Apply", "subresource": "status", "fieldsV1": {"f:status": fields}}
    return {**entry, **changes}


@pytest.mark.parametrize(
    ("status", "seen", "expected"),
    [
        ({"a": 1}, None, False),
        ({"a": 1}, {}, False),
        ({"a": 1}, {"a": 1}, True),
        ({"a": 1}, {"a": 1.0}, True),
        ({"a": 1}, {"a": True}, False),
        ({"a": False}, {"a": 0}, False),
        ({"a": 1}, {"a": "1"}, False),
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 2}]}, True),
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 2, "c": 3}]}, False),
        ({"a": [1]}, {"a": [1, 2]}, False),
        ({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}, True),
        ({"a": {"b": 1}}, {"a": {"c": 2}}, False),
        ({"a": {}}, {}, False),
        ({"a": {}}, {"a": {"b": 1}}, True),
        ({"a": {"b": 1}}, {"a": [1]}, False),
        ({}, {"theirs": 1}, True),
    ],
)
def test_the_stored_status_has_all_of_it(status: Json, seen: Json | None, expected: bool) -> None:
    assert is_written(status, stored(seen)) is expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"f:a": {}}, True),
        ({"f:a": {}, "f:gone": {}}, False),
        ({"f:map": {".": {}, "f:x": {}}}, True),
        ({"f:map": {"f:x": {}, "f:gone": {}}}, False),
        ({"f:list": {'k:{"type":"A"}': {}}}, True),
        ({"f:a": {"f:inside": {}}}, True),
    ],
)
def test_a_field_that_is_ours_and_not_wanted_has_to_go(fields: Json, expected: bool) -> None:
    status = {"a": 1, "map": {"x": 1}, "list": [1]}
    seen = {**status, "map": {"x": 1, "gone": 2}, "gone": 1}
    assert is_written(status, stored(seen, owns(fields))) is expected


@pytest.mark.parametrize("changes", [{"manager": "kro"}, {"operation": "Update"}, {"subresource": ""}])
def test_a_field_that_is_not_ours_stays(changes: dict[str, str]) -> None:
    assert is_written({"a": 1}, stored({"a": 1, "gone": 1}, owns({"f:gone": {}}, **changes)))


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ({}, {"state": "ACTIVE"}, "ACTIVE"),
        ({"state": "IN_PROGRESS"}, {"state": "ACTIVE", "url": "u"}, "IN_PROGRESS -> ACTIVE, url set"),
        (
            {"state": "ACTIVE", "a": 1, "b": 1, "c": 1},
            {"state": "ACTIVE", "a": 2, "c": 1},
            "ACTIVE, a changed, b removed",
        ),
        ({"state": "A", "conditions": [1]}, {"state": "A", "conditions": [2]}, "A, conditions changed"),
        ({"state": "A", "conditions": [1]}, {"state": "B", "conditions": [2]}, "A -> B"),
        ({"a": 1}, {"a": True}, "None, a changed"),
    ],
)
def test_what_a_log_says(before: Json, after: Json, line: str) -> None:
    assert what_changed(before, after) == line
