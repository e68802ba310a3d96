"""
What changed between two versions of APIs: as text for people, as Markdown for a pull request.

Enters: a ChangeReport as plain JSON (`command.against` makes it).  Leaves: text.  Not known here: RGDs, what makes a change
breaking, streams.

Names and values come from files that somebody else may have written: in text they are made harmless for a terminal; in Markdown
they stand in code spans, where nothing is a link, a mention or HTML.
"""

from __future__ import annotations

from krm_fn.report.text import neutral

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, TypeAlias

    Json: TypeAlias = dict[str, Any]

MAX_LINES = 200
"""Changes that are listed; the rest is counted."""
MAX_COMMENT = 60_000
"""Code points of Markdown; a comment on GitHub holds 65,536."""
MAX_VALUE = 200
_STATES = {
    "refused": "kro refuses this change",
    "allowed": "kro makes this change, breaking as it is: the RGD allows it",
    "unseen": "kro does not see this change, and leaves the CRD as it is",
    "accepted": "kro makes this change",
    "added": "new",
    "removed": "removed",
    "not-compared": "not compared: one of the two versions is not valid",
    "unchanged": "unchanged",
}
"""What is said of each state, in order of weight."""


class _Line:
    """One change. kind: `breaking`, `non-breaking`, `immutable` or `not seen`."""

    __slots__ = ("description", "field", "kind", "new", "old", "type")

    def __init__(self, kind: str, change: Json) -> None:
        self.kind = kind
        self.field: str = change["field"]
        self.type: str = change["type"].lower().replace("_", " ")
        self.old: str = change["old"]
        self.new: str = change["new"]
        self.description: str = change["description"]
        if change["type"] == "PROPERTY_ADDED" and kind == "breaking":  # kro's sentence has it optional
            self.description = f"{self.description.replace('Optional', 'Required', 1)}, without a default"


def changes_text(document: Json) -> str:
    """For a terminal: a line that counts, then each API that is not unchanged, with its changes."""
    lines = [f"compared with {neutral(document['against'])}: {_counts(document)}"]
    left = MAX_LINES
    for api in _changed(document):
        lines += ["", f"{_name(api)}: {_state(api)}"]
        changes = list(_changes(api))
        width = max((len(neutral(change.field)) for change in changes[:left]), default=0)
        for change in changes[:left]:
            field = neutral(change.field)
            lines.append(f"  {change.kind:<12}  {field:<{min(width, 40)}}  {neutral(change.description)}")
        if len(changes) > left:
            lines.append(f"  and {len(changes) - left} more")
        left = max(0, left - len(changes))
    return "\n".join(lines) + "\n"


def changes_markdown(document: Json) -> str:
    """For a comment on a pull request: a heading, a line that counts, and a table for each API with changes."""
    parts = [f"### API changes against {_code(document['against'])}\n\n{_counts(document)}\n"]
    size = len(parts[0])
    missing = 0
    for api in _changed(document):
        head = f"\n#### {_code(api.get('crd') or api['name'])}: {_state(api)}\n"
        rows = [_row(change) for change in _changes(api)]
        if rows:
            head += "\n| | field | change | before | after |\n|---|---|---|---|---|\n"
        if missing or size + len(head) > MAX_COMMENT:
            missing += max(1, len(rows))
            continue
        parts.append(head)
        size += len(head)
        for row in rows:
            if missing or size + len(row) > MAX_COMMENT:
                missing += 1
                continue
            parts.append(row)
            size += len(row)
    if missing:
        parts.append(f"\nand {missing} more, which do not fit into a comment\n")
    return "".join(parts)


def _counts(document: Json) -> str:
    states = [api["state"] for api in document["apis"]]
    counts = [f"{states.count(state)} {state.replace('-', ' ')}" for state in _STATES if state in states]
    return ", ".join(counts) or "no ResourceGraphDefinition"


def _changed(document: Json) -> Iterator[Json]:
    return (api for api in document["apis"] if api["state"] != "unchanged")


def _state(api: Json) -> str:
    return "the API server refuses this change" if api.get("immutable") else _STATES[api["state"]]


def _name(api: Json) -> str:
    if "crd" not in api:
        return neutral(api["name"])
    return f"{neutral(api['crd'])} ({neutral(api['name'])})"


def _changes(api: Json) -> Iterator[_Line]:
    """What no RGD may change first, then kro's breaking changes, what kro does not see, and the rest."""
    if "formerName" in api:
        yield _Line(
            "immutable",
            {
                "field": "metadata.name",
                "type": "RGD_RENAMED",
                "old": api["formerName"],
                "new": api["name"],
                "description": f"The CRD belongs to ResourceGraphDefinition {api['formerName']}",
            },
        )
    for field in api.get("immutable", ()):
        description = f"Changed from {field['old']} to {field['new']}, which no RGD may"
        yield _Line("immutable", {**field, "type": "IMMUTABLE_FIELD", "description": description})
    kro = api.get("kro", {})
    for change in kro.get("breaking", ()):
        yield _Line("breaking", change)
    for change in api.get("uncompared", ()):
        yield _Line("not seen", change)
    for change in kro.get("nonBreaking", ()):
        yield _Line("non-breaking", change)


def _row(line: _Line) -> str:
    kind = f"**{line.kind}**" if line.kind in ("breaking", "immutable") else line.kind
    cells = (kind, _code(line.field), line.type, _code(line.old), _code(line.new))
    return f"| {' | '.join(map(_cell, cells))} |\n"


def _cell(text: str) -> str:
    """A bar inside a cell has an odd number of backslashes before it, wherever it stands."""
    *parts, last = text.split("|")
    escape = ("\\|", "\\\\|")
    return "".join(part + escape[_backslashes(part) % 2] for part in parts) + last


def _backslashes(text: str) -> int:
    return len(text) - len(text.rstrip("\\"))


def _code(text: str) -> str:
    """A code span that holds any text."""
    if not text:
        return ""
    text = neutral(text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}…")
    longest = max((len(run) for run in "".join(c if c == "`" else " " for c in text).split()), default=0)
    fence = "`" * (longest + 1)
    pad = " " if text.startswith(("`", " ")) or text.endswith(("`", " ")) else ""
    return f"{fence}{pad}{text}{pad}{fence}"
