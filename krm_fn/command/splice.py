"""
Texts put into a mapping of a person's file, and taken out, while nothing else of the file changes.

Enters: a document, a key of its root.  Leaves: the text of the whole file.  Not known here: what the entries are for.

The text is cut where the parser says that entries begin and end, so comments, blanks, quotes, line ends and other documents stay
as they are. What is put in is a literal block; in a document that is in braces as a whole, such as JSON, it is a quoted text. What
comes out is read again: where it does not mean what was meant, there is no answer.
"""

from __future__ import annotations

from krm_fn.command.page import Page
from krm_fn.emit.yaml_text import quoted
from krm_fn.read.spans import outline
from krm_fn.read.yaml import parse_documents
from krm_fn.report.diagnostic import RenderError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import Any

    from krm_fn.command.page import Edit
    from krm_fn.read import spans
    from krm_fn.read.yaml import Document


def spliced(
    documents: Sequence[Document], document: Document, name: str, wanted: Mapping[str, str], gone: Collection[str]
) -> str | None:
    """
    The text of the file with *wanted* set and *gone* removed in the mapping *name* of the document; None where that cannot be done.

    documents: all of the file.
    """
    root = outline(document)
    if root is None or not root.entries:
        return None
    page = Page(document, root)
    place = next((entry for entry in root.entries if entry.key == name), None)
    values = document.value.get(name) or {}
    if root.is_flow:
        from krm_fn.command.splice_flow import in_flow

        edits = in_flow(page, document, root, name, wanted, gone)
    elif place is not None and place.inner is not None and place.inner.is_flow:
        from krm_fn.command.splice_flow import as_block

        edits = as_block(page, place, place.inner, values, wanted, gone)
    else:
        edits = _in_block(page, root, place, name, wanted, gone)
    if edits is None:
        return None
    text = page.edited(edits)
    made = {key: value for key, value in {**values, **wanted}.items() if key not in gone}
    return text if _says(text, documents, document, name, made) else None


def _says(text: str, documents: Sequence[Document], document: Document, name: str, made: dict[str, str]) -> bool:
    """Whether a text means what the file meant but for the one mapping, which may be null where it has no entries."""
    try:
        values = [again.value for again in parse_documents(text, document.source.name)]
    except RenderError:
        return False
    at = next(i for i, each in enumerate(documents) if each is document)
    if len(values) != len(documents) or not isinstance(values[at], dict):
        return False
    if not made and values[at].get(name) is None:
        values[at] = {**values[at], name: {}}
    meant: list[Any] = [each.value for each in documents]
    meant[at] = {**meant[at], name: made}
    return values == meant


def _in_block(
    page: Page,
    root: spans.Mapping,
    place: spans.Entry | None,
    name: str,
    wanted: Mapping[str, str],
    gone: Collection[str],
) -> list[Edit] | None:
    """Edits of a root in block style whose mapping is in block style, too, or null, or not there."""
    margin = page.column(root.entries[0].start)
    if not wanted and (place is None or place.inner is None):
        return []
    if place is None:
        at, above = page.room(root.entries, margin)
        head = page.lines([f"{quoted(name)}:"], margin)
        return [(at, at, above + head + _new(page, at, margin + page.step, wanted))]
    if place.inner is not None:
        return _entries(page, place.inner.entries, wanted, gone)
    if page.text[place.value : place.end] not in ("", "~", "null", "Null", "NULL"):  # an alias, an anchor
        return None
    begin = place.value
    if page.end_of_line(place.end) == place.end:
        begin = place.key_end + len(page.text[place.key_end : begin].rstrip(" \t"))
    at, above = page.room([place], margin + 1)
    return [(begin, place.end, ""), (at, at, above + _new(page, at, margin + page.step, wanted))]


def _entries(
    page: Page, entries: Sequence[spans.Entry], wanted: Mapping[str, str], gone: Collection[str]
) -> list[Edit] | None:
    """Edits of a mapping in block style."""
    edits: list[Edit] = []
    column = len(page.indentation(entries[0].start))
    kept = -1  # where something ends that empty lines would become a part of
    for entry in entries:
        if entry.key not in wanted and entry.key not in gone:
            kept = entry.end if page.keeps(entry) else -1
            continue
        begin = page.start_of(page.line_of(entry.start))
        if page.text[begin : entry.start].strip(" ") not in ("", "?"):
            return None
        line = page.last_line_of(entry, trimmed=True) + 1
        *comments, last = ["", *page.comments_of(entry)]
        if entry.key in wanted:
            end = page.start_of(line)
            key = page.text[entry.start : entry.key_end]
            new = page.literal(key, wanted[entry.key], column, page.indent_above(end, column), last)
            edits.append((begin, end, page.lines(comments[1:], column) + new))
            kept = -1
        elif last:
            edits.append((begin, page.start_of(line), page.lines([*comments[1:], last], column)))
            kept = -1
        else:
            while kept == begin and page.start_of(line) < len(page.text) and not page.line(line):
                line += 1
            end = page.start_of(line)
            edits.append((begin, end, ""))
            kept = end if kept == begin else -1
    keys = {entry.key for entry in entries}
    new_ones = {key: text for key, text in wanted.items() if key not in keys}
    if new_ones:
        at, above = page.room(entries, column)
        if edits and edits[-1][1] >= at:
            at, above = edits[-1][1], ""
        edits.append((at, at, above + _new(page, at, column, new_ones)))
    return edits


def _new(page: Page, below: int, column: int, wanted: Mapping[str, str]) -> str:
    indent = page.indent_above(below, column)
    return "".join(page.literal(quoted(key), text, column, indent) for key, text in wanted.items())
