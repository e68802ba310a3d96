"""
One change of a JSON document, small enough to be kept as data without the document.

Enters: a document and an `Edit`.  Leaves: the changed document; the original is untouched.  Not known here: RGDs.

    set      a value at a place; the place may be new in a mapping
    delete   the place
    rename   the key there, order kept
    text     [start, length, new]: code points of the string there
    wrap     [start, length, before, behind]: text around code points of the string there
    insert   a value before the list index there
    swap     the list item there with another one
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, NamedTuple

Path = tuple[str | int, ...]
OPERATIONS = ("set", "delete", "rename", "text", "wrap", "insert", "swap")


class Edit(NamedTuple):
    """kind: the mutation that it is one of.  value: what the operation needs."""

    kind: str
    path: Path
    operation: str
    value: Any = None

    def as_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "at": list(self.path), self.operation: self.value}


def edit_from_json(record: dict[str, Any]) -> Edit:
    operation = next(name for name in OPERATIONS if name in record)
    return Edit(record["kind"], tuple(record["at"]), operation, record[operation])


def apply(document: Any, edit: Edit) -> Any:
    """Errors: LookupError or TypeError where the place is not there."""
    if not edit.path:
        raise LookupError("a whole document is not edited")
    return _at(document, edit.path, edit)


def _at(value: Any, path: Path, edit: Edit) -> Any:
    step, rest = path[0], path[1:]
    if rest:
        copy = _copied(value)
        copy[step] = _at(copy[step], rest, edit)
        return copy
    return _changed(value, step, edit)


def _changed(parent: Any, step: Any, edit: Edit) -> Any:
    if edit.operation == "rename":
        if edit.value in parent or step not in parent:
            raise LookupError(f"{step!r} cannot be renamed {edit.value!r}")
        return {edit.value if key == step else key: child for key, child in parent.items()}
    copy = _copied(parent)
    if edit.operation == "set":
        copy[step] = edit.value
    elif edit.operation == "delete":
        del copy[step]
    elif edit.operation == "text":
        start, length, new = edit.value
        text = copy[step]
        copy[step] = text[:start] + new + text[start + length :]
    elif edit.operation == "wrap":
        start, length, before, behind = edit.value
        text, end = copy[step], start + length
        copy[step] = text[:start] + before + text[start:end] + behind + text[end:]
    elif edit.operation == "insert":
        copy.insert(step, edit.value)
    else:
        copy[step], copy[edit.value] = copy[edit.value], copy[step]
    return copy


def _copied(value: Any) -> Any:
    if not isinstance(value, dict | list):
        raise TypeError(f"nothing lies below {type(value).__name__}")
    return dict(value) if isinstance(value, dict) else list(value)


def digest(document: Any) -> str:
    """Tells whether a document made again is the one that was judged; key order counts, as it does for kro."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]
