"""
YAML text to plain JSON values, as Kubernetes reads it.

Enters: the text of one file.  Leaves: one `Document` for each document that is not empty, or a `RenderError` with every
problem of the file that can be known.  Not known here: files, Kubernetes objects, what a value is for.

The C parser of PyYAML gives events; the builder below makes dicts and lists of them, once, and keeps no positions: two
integers a document (where its text begins and ends) are all that a good file costs.  When something is wrong, or when
somebody asks where a path is, `read.positions` reads the document's text a second time, with positions.  So the builder
only *notices* (a repeated key, a tag, a number that JSON cannot hold) and the second reading *explains*.

Bounds: 64 MiB of text, 200 levels of nesting, and aliases that stand for 10 million characters in all (an alias weighs as
much as the text of its anchor, aliases inside included, so a "billion laughs" is stopped while it is still small).  The
builder recurses once a level; 200 levels stay far below Python's own limit.  Subtrees that aliases repeat are shared objects.

Source: sigs.k8s.io/yaml v1.6.0 and go.yaml.in/yaml/v2 v2.4.2; differs: repeated keys, unknown tags and `%TAG` are errors.
JSON text is read as JSON first, as kubectl does, so that escaped surrogate pairs work.
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
    StreamEndEvent,
)

from krm_fn.read.scalars import MERGE_TAG, NotJsonError, ScalarMemo, key_text, plain_key, tagged_key, tagged_value
from krm_fn.report.diagnostic import Diagnostic, Position, RenderError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

    from krm_fn.read.positions import Index

    Json = Any

MAX_DEPTH = 200
MAX_TEXT = 64 * 1024 * 1024
MAX_ALIASED = 10_000_000
_KEY_MEMO_SIZE = 8192
_OPEN = -1
COLLECTION_TAGS = frozenset(("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq", "!"))
_BOM = "\ufeff"


class Source:
    """One input text and the name that messages call it by."""

    __slots__ = ("_line_starts", "_lines", "name", "text")

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self._line_starts: list[int] = []
        self._lines: dict[int, str] = {}
        """The lines that positions are on. They share them: a thousand positions may be on one line of a megabyte."""

    def position(self, index: int, document: int) -> Position:
        """The place of code point *index* (from 0) in the text, with the line it is on; documents count from 0 here."""
        from bisect import bisect_right

        starts = self._line_starts
        if not starts:
            starts.extend(_line_starts(self.text))
        line = bisect_right(starts, index)
        begin = starts[line - 1]
        if begin == 0 and self.text.startswith(_BOM):
            begin = 1
        end = starts[line] if line < len(starts) else len(self.text)
        column = max(min(index, end) - begin, 0) + 1
        if line not in self._lines:
            self._lines[line] = self.text[begin:end].rstrip("\r\n")
        return Position(self.name, document + 1, line, column, self._lines[line])


class Document:
    """
    One YAML document: its value, and its own text inside the source.

    Shape:  value is plain JSON (dict, list, str, int, float, bool, None); index counts all documents of the source from 0.
    Units:  start and end are code points of `source.text`: from after the `---` line to before the next one.
    """

    __slots__ = ("_located", "end", "index", "source", "start", "value")

    def __init__(self, source: Source, index: int, value: Json, start: int, end: int) -> None:
        self.source = source
        self.index = index
        self.value = value
        self.start = start
        self.end = end
        self._located: Index | None = None

    def text(self) -> str:
        """The document's own text, exactly as it was read."""
        return self.source.text[self.start : self.end]

    def locate(self, path: tuple[str | int, ...], offset: int = 0, *, key: bool = False) -> Position:
        """
        Find the place of a path of the value in the source.

        Units:  *offset* counts code points into the scalar's value; *key* asks for the mapping key instead of the value.
        Errors: none: a path that does not exist gives its deepest ancestor that does (by its key, when it has one), an
                offset that cannot be mapped exactly gives the start of the scalar.
        """
        if self._located is None:
            from krm_fn.read.positions import Index

            self._located = Index(self.source.text, self.start, self.end)
        return self.source.position(self._located.find(path, offset, key=key), self.index)


def parse_documents(text: str, name: str) -> list[Document]:
    """
    Read all documents of a text; *name* is what messages call it.

    Errors: yaml-syntax, duplicate-key, yaml-too-deep, yaml-aliases, input-too-large, yaml-unsupported, yaml-encoding.
    """
    return read_documents(Reader(Source(name, text)))


def read_documents(reader: Reader) -> list[Document]:
    """Read all documents of a reader's source: JSON if it is JSON, else YAML by the reader. Errors: as `parse_documents`."""
    source = reader.source
    text = source.text
    if len(text) > MAX_TEXT:
        raise RenderError([too_large(source, len(text))])
    if text[:1] in ("{", "[") or text[:100].lstrip(_BOM + " \t\r\n")[:1] in ("{", "["):
        from krm_fn.read.json_text import parse_json_documents

        documents = parse_json_documents(source)
        if documents is not None:
            return documents
    return reader.documents()


def too_large(source: Source, size: int) -> Diagnostic:
    """The problem of a text that is longer than `MAX_TEXT`."""
    return Diagnostic(
        "input-too-large",
        f"{source.name} has {size:,} characters; at most {MAX_TEXT:,} are read",
        position=Position(source.name, 1, 1, 1),
        help="split the file",
    )


def _line_starts(text: str) -> list[int]:
    """Where each line begins; a line ends with LF, CR LF or CR."""
    if "\r" in text:
        import re

        return [0, *(match.end() for match in re.finditer(r"\r\n?|\n", text))]
    starts = [0]
    find = text.find
    at = find("\n")
    while at >= 0:
        starts.append(at + 1)
        at = find("\n", at + 1)
    return starts


class _Merge:
    """The mapping key `<<`."""


_MERGE = _Merge()


class Reader:
    """Builds the values of one source out of the parser's events."""

    __slots__ = (
        "aliased",
        "anchors",
        "base",
        "ended",
        "get",
        "index",
        "keys",
        "merged",
        "odd",
        "problems",
        "scalars",
        "source",
    )

    def __init__(self, source: Source) -> None:
        self.source = source
        self.base = 1 if source.text.startswith(_BOM) else 0
        self.problems: list[Diagnostic] = []
        self.keys: dict[str, str] = {}
        """Keys that mean themselves, quoted or not."""
        self.scalars = ScalarMemo()
        self.anchors: dict[str, tuple[Json, int]] = {}
        """Value and weight by anchor; the weight is _OPEN while the value is being built."""
        self.merged: dict[int, set[str]] = {}
        """By mapping (its id), the keys that came from `<<` alone and may be set once more."""
        self.index = 0
        self.aliased = 0
        self.odd = False
        self.ended: Any = None
        """The end event of the collection that was finished last."""
        self.get: Callable[[], Any]

    def documents(self) -> list[Document]:
        """Read the whole stream. Errors: as `parse_documents`."""
        text = self.source.text
        try:
            self.get = CParser(text[self.base :] if self.base else text).get_event
            documents = self._documents()
        except (YAMLError, UnicodeEncodeError) as error:
            from krm_fn.read.syntax import explain_syntax

            self.problems.append(explain_syntax(self.source, error, self.base))
        except _Stop:
            pass
        if self.problems:
            raise RenderError(self.problems)
        return documents

    def _documents(self) -> list[Document]:
        get = self.get
        documents: list[Document] = []
        last: Document | None = None
        get()
        while True:
            event = get()
            if event.__class__ is StreamEndEvent:
                break
            if last is not None and last.end == _OPEN:
                last.end = event.start_mark.index + self.base
            if event.tags:
                self._refuse(event, "yaml-unsupported", "a %TAG directive has no meaning in a Kubernetes manifest")
            start = _after_marker(self.source.text, event.end_mark.index + self.base) if event.explicit else self.base
            last = self._document(Document(self.source, self.index, None, start, _OPEN))
            if last.value is not None:
                documents.append(last)
            self.index += 1
        if last is not None and last.end == _OPEN:
            last.end = len(self.source.text)
        return documents

    def _document(self, document: Document) -> Document:
        """Build the value of a document whose start event has been taken; its end stays open when the next one decides it."""
        self.anchors.clear()
        self.merged.clear()
        self.odd = self.scalars.not_json = False
        document.value = self.node(self.get(), 1)
        event = self.get()
        if event.explicit:
            document.end = event.start_mark.index + self.base
        if self.odd or self.scalars.not_json:
            from krm_fn.read.positions import explain_values

            self.problems.extend(explain_values(document, event.end_mark.index + self.base))
        return document

    def mapping(self, depth: int) -> dict[str, Json]:
        """Build the mapping whose start event has been taken."""
        get, keys, scalars = self.get, self.keys, self.scalars
        result: dict[str, Json] = {}
        while True:
            event = get()
            cls = event.__class__
            if cls is ScalarEvent:
                key: Any = keys.get(event.value)
                if key is None or event.anchor is not None or event.tag is not None:
                    key = self.key(event, depth)
            elif cls is MappingEndEvent:
                self.ended = event
                return result
            else:
                key = self.key(event, depth)
            event = get()
            if event.__class__ is ScalarEvent and event.anchor is None and event.tag is None:
                value = scalars[event.value] if event.implicit[0] else event.value
            else:
                value = self.node(event, depth + 1)
            if key in result or key.__class__ is not str:
                self._unusual_entry(result, key, value)
            else:
                result[key] = value

    def sequence(self, depth: int) -> list[Json]:
        """Build the sequence whose start event has been taken."""
        get, scalars = self.get, self.scalars
        result: list[Json] = []
        while True:
            event = get()
            cls = event.__class__
            if cls is ScalarEvent and event.anchor is None and event.tag is None:
                result.append(scalars[event.value] if event.implicit[0] else event.value)
            elif cls is SequenceEndEvent:
                self.ended = event
                return result
            else:
                result.append(self.node(event, depth + 1))

    def node(self, event: Any, depth: int) -> Json:
        """Build whatever node *event* begins, at this depth (the root has 1)."""
        cls = event.__class__
        if cls is AliasEvent:
            return self._alias(event)
        anchor = event.anchor
        before = self.aliased
        if anchor is not None:
            self.anchors[anchor] = (None, _OPEN)
        if cls is ScalarEvent:
            value = self._scalar(event)
            self.ended = event
        else:
            if depth > MAX_DEPTH:
                self._stop(event, "yaml-too-deep", f"nesting is deeper than {MAX_DEPTH} levels")
            if event.tag is not None and event.tag not in COLLECTION_TAGS:
                self.odd = True
            value = self.mapping(depth) if cls is MappingStartEvent else self.sequence(depth)
        if anchor is not None and self.anchors[anchor][1] == _OPEN:  # else set once more inside, and that one counts
            weight = self.ended.end_mark.index - event.start_mark.index + self.aliased - before
            self.anchors[anchor] = (value, weight)
        return value

    def key(self, event: Any, depth: int) -> str | _Merge | None:
        """The key that *event* begins; None when it can be none (which is noted)."""
        try:
            if event.__class__ is not ScalarEvent:
                value = self.node(event, depth + 1)
                if isinstance(value, dict | list):
                    self.odd = True
                    return None
                return key_text(value, str(value))
            if event.anchor is not None:
                self.node(event, depth + 1)
            text: str = event.value
            if event.tag is not None:
                return _MERGE if event.tag == MERGE_TAG and text == "<<" else tagged_key(text, event.tag)
            if not event.implicit[0]:
                return text
            if text == "<<":
                return _MERGE
            key = plain_key(text)
            if key == text and len(self.keys) < _KEY_MEMO_SIZE:
                self.keys[text] = key
        except NotJsonError:
            self.odd = True
            return None
        return key

    def _scalar(self, event: Any) -> Json:
        if event.tag is None:
            return self.scalars[event.value] if event.implicit[0] else event.value
        try:
            return tagged_value(event.value, event.tag)
        except NotJsonError:
            self.odd = True
            return None

    def _alias(self, event: Any) -> Json:
        name = event.anchor
        value, weight = self.anchors.get(name, (None, 0))
        if weight == _OPEN:
            self._stop(event, "yaml-aliases", f"the alias *{name} stands inside its own anchor")
        if name not in self.anchors:
            self._stop(
                event,
                "yaml-aliases",
                f"the alias *{name} has no anchor &{name} before it",
                "quote the value if it is meant as text",
            )
        self.aliased += weight or 1
        if self.aliased > MAX_ALIASED:
            self._stop(event, "yaml-aliases", f"aliases repeat more than {MAX_ALIASED:,} characters")
        return value

    def _unusual_entry(self, result: dict[str, Json], key: str | _Merge | None, value: Json) -> None:
        """Set a key that is there already, or merge; notice what is not allowed."""
        if isinstance(key, _Merge):
            parts = [value] if isinstance(value, dict) else value[::-1] if isinstance(value, list) else [None]
            merged = self.merged.setdefault(id(result), set())
            for part in parts:
                if not isinstance(part, dict):
                    self.odd = True
                    return
                merged.update(name for name in part if name not in result)
                result.update(part)  # sic: a `<<` below a key wins over it, as in yaml.v2
        elif key is not None:
            merged = self.merged.get(id(result), set())
            if key not in merged:
                self.odd = True
            merged.discard(key)
            result[key] = value

    def _refuse(self, event: Any, code: str, message: str, help_: str = "") -> None:
        position = self.source.position(event.start_mark.index + self.base, self.index)
        span = max(1, event.end_mark.index - event.start_mark.index)
        self.problems.append(Diagnostic(code, message, position=position, span=span, help=help_))

    def _stop(self, event: Any, code: str, message: str, help_: str = "") -> NoReturn:
        self._refuse(event, code, message, help_)
        raise _Stop


class _Stop(Exception):  # noqa: N818 - it ends the reading; the problem is in `problems`
    """The rest of the text is not read."""


def _after_marker(text: str, index: int) -> int:
    """Where the text of a document begins whose `---` ends at *index*."""
    at = index
    while text[at : at + 1] in (" ", "\t"):
        at += 1
    line_break = text[at : at + 2]
    if line_break == "\r\n":
        return at + 2
    return at + 1 if line_break[:1] in ("\n", "\r") else index
