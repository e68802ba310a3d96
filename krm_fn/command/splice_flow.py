"""
Texts put into a mapping that is written in braces.

Enters: the outline of a document.  Leaves: edits.  Not known here: whether what comes out is what was meant.

A long text can only be read in a block. So a mapping in braces becomes a block, with its comments, where the document around it is one;
JSON stays JSON, indented as it was, and YAML in braces has a line of quoted text for each line.
"""

from __future__ import annotations

import json

from krm_fn.emit.yaml_text import dump, quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from krm_fn.command.page import Edit, Page
    from krm_fn.read import spans
    from krm_fn.read.yaml import Document

_GO_ON = "\\n\\"
"""A line break of the text, and one that is none of it."""


def as_block(
    page: Page,
    place: spans.Entry,
    mapping: spans.Mapping,
    values: Mapping[str, str],
    wanted: Mapping[str, str],
    gone: Collection[str],
) -> list[Edit] | None:
    """Edits that make a block of the mapping in braces that the entry *place* is."""
    column = page.column(place.start) + page.step
    below = page.start_of(page.line_of(mapping.end - 1) + 1)
    indent = page.indent_above(below, column)
    (comment, comments), *between = _comments_between(page, mapping)
    head = [*page.comments(place.key_end, mapping.start)[0], *comment]
    body = page.lines([*page.comments(place.key_end, mapping.start)[1], *head[1:], *comments], column)
    for entry, (comment, comments) in zip(mapping.entries, between, strict=True):
        body += page.lines([each for part in page.comments(entry.key_end, entry.value) for each in part], column)
        if entry.key in gone:
            body += page.lines(comment, column)
        elif entry.key in wanted:
            key = page.text[entry.start : entry.key_end]
            body += page.literal(key, wanted[entry.key], column, indent, "".join(comment))
        elif "\n" in page.text[entry.start : entry.end] or "\r" in page.text[entry.start : entry.end]:
            body += page.lines(dump({entry.key: values[entry.key]}).removesuffix("\n").split("\n"), column)
            body += page.lines(comment, column)
        else:
            written = f"{page.text[entry.start : entry.key_end]}: {page.text[entry.value : entry.end]}"
            body += page.lines([f"{written}{'  ' if comment else ''}{''.join(comment)}"], column)
        body += page.lines(comments, column)
    keys = {entry.key for entry in mapping.entries}
    for key, text in wanted.items():
        if key not in keys:
            body += page.literal(quoted(key), text, column, indent)
    tail = page.comments(mapping.end, page.end_of_line(mapping.end))[0]
    if head or page.line_of(place.start) != page.line_of(mapping.end):
        body += page.lines(tail, column)
    else:
        head = tail
    properties = page.text[mapping.start : _brace(page, mapping)].strip()
    value = "" if wanted or not keys <= {*gone} else "{}"
    words = [part for part in (f"{page.text[place.start : place.key_end]}:", properties, value, *head[:1]) if part]
    return [(place.start, below, " ".join(words) + page.newline + body)]


def in_flow(
    page: Page, document: Document, root: spans.Mapping, name: str, wanted: Mapping[str, str], gone: Collection[str]
) -> list[Edit] | None:
    """Edits of a document that is in braces as a whole."""
    style = _Style(page, document, root)
    place = next((entry for entry in root.entries if entry.key == name), None)
    if place is not None and place.inner is not None and any(entry.key not in gone for entry in place.inner.entries):
        return _entries(page, style, place.inner.entries, wanted, gone)
    pad = style.pad_of(root.entries[-1])
    if pad is None or not wanted:
        made = f"{{{style.comma.join(style.entry(key, text, '') for key, text in wanted.items())}}}"
    else:
        inside = pad + (pad.removeprefix(page.indentation(root.start)) or "  ")
        made = f",{page.newline}".join(inside + style.entry(key, text, inside) for key, text in wanted.items())
        made = f"{{{page.newline}{made}{page.newline}{pad}}}"
    if place is None:
        end = root.entries[-1].end
        return [(end, end, f"{style.separator(pad)}{style.key(name)}{style.colon}{made}")]
    comments = _comments_between(page, place.inner) if place.inner is not None and not style.is_json else []
    if page.text[place.value] in "&*!" or any(map(any, comments)):
        return None
    return [(place.value, place.end, made)]


def _entries(
    page: Page,
    style: _Style,
    entries: Sequence[spans.Entry],
    wanted: Mapping[str, str],
    gone: Collection[str],
) -> list[Edit] | None:
    """Edits of a mapping in braces, of which something stays."""
    edits: list[Edit] = []
    before: int | None = None  # where the last entry ended, once there is one that stays
    for i, entry in enumerate(entries):
        if entry.key not in gone:
            if entry.key in wanted:
                text = style.value(wanted[entry.key], style.pad_of(entry) or "")
                edits.append((entry.value, entry.end, text))
            before = entry.end
            continue
        start, end = (entry.start, entries[i + 1].start) if before is None else (before, entry.end)
        if not style.is_json and any(map(any, (page.comments(start, entry.start), page.comments(entry.end, end)))):
            return None
        edits.append((start, end, ""))
        before = before and entry.end
    pad = style.pad_of(entries[-1])
    keys = {entry.key for entry in entries}
    new = [style.separator(pad) + style.entry(key, text, pad or "") for key, text in wanted.items() if key not in keys]
    if new:
        edits.append((entries[-1].end, entries[-1].end, "".join(new)))
    return edits


def _brace(page: Page, mapping: spans.Mapping) -> int:
    """Where a mapping's brace is: its anchor and tag stand before it."""
    return page.text.index("{", mapping.start)


def _comments_between(page: Page, mapping: spans.Mapping) -> list[tuple[list[str], list[str]]]:
    """The comments before the first entry, and below each."""
    starts = [_brace(page, mapping) + 1, *(entry.end for entry in mapping.entries)]
    ends = [*(entry.start for entry in mapping.entries), mapping.end - 1]
    return [page.comments(start, end) for start, end in zip(starts, ends, strict=True)]


class _Style:
    """How a document in braces is written."""

    __slots__ = ("_page", "colon", "comma", "is_json")

    def __init__(self, page: Page, document: Document, root: spans.Mapping) -> None:
        self._page = page
        self.is_json = _is_json(document.text())
        last = root.entries[-1]
        is_spaced = not self.is_json or page.text[last.key_end : last.value] != ":"
        self.colon = ": " if is_spaced else ":"
        self.comma = ", " if is_spaced else ","

    def pad_of(self, entry: spans.Entry) -> str | None:
        """The blanks before an entry that begins a line."""
        pad = self._page.indentation(entry.start)
        return pad if self._page.column(entry.start) == len(pad) else None

    def separator(self, pad: str | None) -> str:
        return self.comma if pad is None else f",{self._page.newline}{pad}"

    def key(self, key: str) -> str:
        return json.dumps(key, ensure_ascii=False) if self.is_json else quoted(key)

    def entry(self, key: str, text: str, pad: str) -> str:
        return f"{self.key(key)}{self.colon}{self.value(text, pad)}"

    def value(self, text: str, pad: str) -> str:
        """A text in quotes; YAML lets it go on in the next line."""
        if self.is_json:
            return json.dumps(text, ensure_ascii=False)
        lines = [json.dumps(line, ensure_ascii=False)[1:-1] for line in text.removesuffix("\n").split("\n")]
        lines = [f"\\{line}" if line.startswith(" ") else line for line in lines]
        end = "\\n" if text.endswith("\n") else ""
        return f'"{f"{_GO_ON}{self._page.newline}{pad}  ".join(lines)}{end}"'


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
