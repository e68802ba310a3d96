"""
A person's file as lines, and how its lines are written.

Enters: a document and the outline of its root.  Leaves: places in the text, lines that look like those that are there.  Not known here:
what is edited.
"""

from __future__ import annotations

import re
from bisect import bisect_right

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TypeAlias

    from krm_fn.read.spans import Entry, Mapping
    from krm_fn.read.yaml import Document

    Edit: TypeAlias = tuple[int, int, str]
    """From, to (code points of the file), and what stands there instead."""

_STEP = 2
_BREAK = re.compile(r"\r\n?|\n")
_HEADER = re.compile(r"(?:[&!]\S*[ \t\r\n]+)*[|>]([0-9+-]*)[ \t]*(#[^\r\n]*)?")
_BETWEEN = " \t,:?"


class Page:
    """The text of a file around one document. newline: what ends most lines of the document.  step: by how much it indents."""

    __slots__ = ("_starts", "newline", "step", "text")

    def __init__(self, document: Document, root: Mapping) -> None:
        self.text = document.source.text
        self._starts = [int(self.text.startswith("\ufeff")), *(found.end() for found in _BREAK.finditer(self.text))]
        self.newline = _line_break(document.text()) or _line_break(self.text) or "\n"
        margin = len(self.indentation(root.entries[0].start))
        inside = (entry.inner for entry in root.entries)
        depths = (len(self.indentation(each.entries[0].start)) - margin for each in inside if each and not each.is_flow)
        self.step = next((depth for depth in depths if depth > 0), _STEP)

    def line_of(self, place: int) -> int:
        return bisect_right(self._starts, place) - 1

    def start_of(self, line: int) -> int:
        return self._starts[line] if line < len(self._starts) else len(self.text)

    def line(self, line: int) -> str:
        """A line without what ends it."""
        return self.text[self._starts[line] : self.start_of(line + 1)].rstrip("\r\n")

    def column(self, place: int) -> int:
        return place - self._starts[self.line_of(place)]

    def indentation(self, place: int) -> str:
        """The blanks that the line begins with."""
        line = self.line(self.line_of(place))
        return line[: len(line) - len(line.lstrip(" \t"))]

    def lines(self, lines: Iterable[str], column: int) -> str:
        pad = " " * column
        return "".join(f"{pad}{line}{self.newline}" if line else self.newline for line in lines)

    def last_line_of(self, entry: Entry, *, trimmed: bool) -> int:
        """The last line of an entry; trimmed: without the empty lines that a block scalar has below it."""
        line = self.line_of(entry.end - 1)
        while trimmed and entry.style in ("|", ">") and not self.line(line):
            line -= 1
        return line

    def below(self, entry: Entry, column: int) -> int:
        """Where a line may stand below an entry, and below the comments there that are at least at the column."""
        line = self.last_line_of(entry, trimmed=not self.keeps(entry)) + 1
        at = self.start_of(line)
        while line < len(self._starts) and (_is_comment(self.line(line), column) or not self.line(line).strip()):
            line += 1
            at = self.start_of(line) if self.line(line - 1).strip() else at
        return at

    def room(self, entries: Sequence[Entry], column: int) -> tuple[int, str]:
        """
        Where new entries may stand among the entries of a mapping, and what ends the line above.

        That is below the last one, unless it is a block at the end of a file without a line break, which would become a part of it.
        """
        last = entries[-1]
        at = self.below(last, column)
        if at < len(self.text) or self.text[-1] in "\r\n":
            return at, ""
        if last.style not in ("|", ">"):
            return at, self.newline
        line = self.line_of(last.start)
        least = self.line_of(entries[-2].end - 1) + 1 if len(entries) > 1 else 0  # or up to the mapping's key
        while line > least and _is_comment(self.line(line - 1), column):
            line -= 1
        return self.start_of(line), ""

    def keeps(self, entry: Entry) -> bool:
        """Whether empty lines below the entry are part of it."""
        header = _HEADER.match(self.text, entry.last) if entry.style in ("|", ">") else None
        return header is not None and "+" in header[1]

    def comments_of(self, entry: Entry) -> list[str]:
        """The comments inside an entry, and on its last line."""
        found = [comment for part in self.comments(entry.key_end, entry.value) for comment in part]
        if entry.style in ("|", ">"):
            header = _HEADER.match(self.text, entry.value)
            return [*found, header[2]] if header is not None and header[2] else found
        return found + self.comments(entry.end, self.end_of_line(entry.end))[0]

    def comments(self, start: int, end: int) -> tuple[list[str], list[str]]:
        """The comments between two things: that on the line of the first one, and those on lines of their own."""
        first, *rest = [part.lstrip(_BETWEEN) for part in _BREAK.split(self.text[start:end])]
        return [first] if first.startswith("#") else [], [part for part in rest if part.startswith("#")]

    def end_of_line(self, place: int) -> int:
        """Where the line ends, before what ends it."""
        line = self.line_of(place)
        return self._starts[line] + len(self.line(line))

    def indent_above(self, place: int, column: int) -> int:
        """How far a literal block of an entry at the column is indented, so that a comment below the place does not become a part of it."""
        indent = column + self.step
        below = map(self.line, range(self.line_of(place), len(self._starts)))
        following = next((line for line in below if line), "") if place < len(self.text) else ""
        return len(following) - len(following.lstrip(" ")) + 1 if _is_comment(following, indent) else indent

    def literal(self, key: str, text: str, column: int, indent: int, comment: str = "") -> str:
        """An entry as a literal block."""
        head = self.lines([f"{key}: |{comment and '  '}{comment}"], column)
        return head + self.lines(text.removesuffix("\n").split("\n"), indent)

    def edited(self, edits: Iterable[Edit]) -> str:
        """The text of the file with the edits, which do not overlap."""
        parts: list[str] = []
        at = 0
        for start, end, new in sorted(edits, key=lambda edit: edit[:2]):
            parts += (self.text[at:start], new)
            at = end
        return "".join([*parts, self.text[at:]])


def _is_comment(line: str, column: int) -> bool:
    """Whether a line is a comment that begins at the column or behind it."""
    content = line.lstrip(" ")
    return content.startswith("#") and len(line) - len(content) >= column


def _line_break(text: str) -> str:
    """What ends most of the lines."""
    pairs = text.count("\r\n")
    counts = {"\n": text.count("\n") - pairs, "\r\n": pairs, "\r": text.count("\r") - pairs}
    most = max(counts, key=lambda each: counts[each])
    return most if counts[most] else ""
