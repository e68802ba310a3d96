"""
Where the entries of a document's root, and of one mapping in it, begin and end: for those who edit the text.

Enters: a document.  Leaves: `Mapping` records with code point indexes into the source.  Not known here: what is edited.

Unlike `read.positions`, nothing is resolved: an alias stands where it is written, and `<<` is a key like others. A block mapping has
no mark at its end, so an entry ends where its last scalar does; a block scalar includes the empty lines below it.
"""

from __future__ import annotations

from yaml import YAMLError
from yaml._yaml import CParser
from yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from krm_fn.read.positions import without_surrogate_pairs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from krm_fn.read.yaml import Document


class Entry:
    """
    One entry as it is written: its key from start to key_end, its value, anchor and tag included, from value to end.

    Shape: inner is the mapping that the value is, where that is read; last and style are of the scalar that the entry ends with.
    """

    __slots__ = ("end", "inner", "key", "key_end", "last", "start", "style", "value")

    def __init__(self, key: str, start: int, key_end: int) -> None:
        self.key = key
        self.start = start
        self.key_end = key_end
        self.value = self.last = self.end = key_end
        self.style = ""
        self.inner: Mapping | None = None


class Mapping:
    """A mapping as it is written. is_flow: in braces."""

    __slots__ = ("end", "entries", "is_flow", "start")

    def __init__(self, start: int, *, is_flow: bool) -> None:
        self.start = self.end = start
        self.is_flow = is_flow
        self.entries: list[Entry] = []


def outline(document: Document) -> Mapping | None:
    """The root of a document with the mappings right below it; None where it is none, or no YAML (JSON need not be)."""
    try:
        return _Reader(without_surrogate_pairs(document.text()), document.start).root()
    except YAMLError:
        return None


class _Reader:
    __slots__ = ("_base", "_end", "_get", "_last", "_style")

    def __init__(self, text: str, base: int) -> None:
        self._get: Callable[[], Any] = CParser(text).get_event
        self._base = base
        self._last = self._end = base
        """Where the last thing begins and ends that has an end of its own."""
        self._style = ""

    def root(self) -> Mapping | None:
        self._get()
        self._get()
        event = self._get()
        return self._mapping(event, 1) if event.__class__ is MappingStartEvent else None

    def _mapping(self, start: Any, depth: int) -> Mapping:
        mapping = Mapping(start.start_mark.index + self._base, is_flow=bool(start.flow_style))
        while (event := self._get()).__class__ is not MappingEndEvent:
            begin = event.start_mark.index + self._base
            self._skip(event)
            key = event.value if event.__class__ is ScalarEvent else ""
            entry = Entry(key, begin, self._end)
            event = self._get()
            entry.value = event.start_mark.index + self._base
            if event.__class__ is MappingStartEvent and depth == 1:
                entry.inner = self._mapping(event, depth + 1)
            else:
                self._skip(event)
            entry.last, entry.style, entry.end = self._last, self._style, self._end
            mapping.entries.append(entry)
        self._ended(event)
        mapping.end = self._end
        return mapping

    def _skip(self, event: Any) -> None:
        """Take the rest of the node that *event* begins."""
        depth = 0
        while True:
            cls = event.__class__
            if cls in (MappingStartEvent, SequenceStartEvent):
                depth += 1
            elif cls in (MappingEndEvent, SequenceEndEvent):
                depth -= 1
            if cls in (ScalarEvent, AliasEvent, MappingEndEvent, SequenceEndEvent):
                self._ended(event)
            if not depth:
                return
            event = self._get()

    def _ended(self, event: Any) -> None:
        start, end = event.start_mark.index, event.end_mark.index
        if event.__class__ not in (MappingEndEvent, SequenceEndEvent) or start < end:
            self._last, self._end = start + self._base, end + self._base
            self._style = (event.style or "") if event.__class__ is ScalarEvent else ""
        # What ends a block collection is the token after it, below all comments.
