"""
Where things are in a YAML document: the second reading, done only when somebody asks.

Enters: a document's text.  Leaves: code point indexes into the source; and, as diagnostics, what the first reading noticed and
did not explain (repeated keys, tags, values that JSON cannot hold).  Not known here: how a position is shown.

An `Index` is a tree of `Node`s with the marks of the C parser, built by the same rules as the values (`read.yaml`), so that a
path of the value is a path of the tree.  An alias leads to the nodes of its anchor: that is the text to change.

Finding the k-th character of a scalar's *value* means undoing quoting, escapes and folding.  Each style has a walk that yields
the characters of the value together with their places.  A walk is trusted only when its characters are the parser's value;
otherwise the start of the scalar is the answer.
"""

from __future__ import annotations

import re

from yaml import YAMLError
from yaml._yaml import CParser
from yaml.events import AliasEvent, MappingEndEvent, MappingStartEvent, ScalarEvent, SequenceEndEvent

from krm_fn.read.scalars import (
    MERGE_TAG,
    NotJsonError,
    plain_key,
    plain_value,
    short_tag,
    tagged_key,
    tagged_value,
)
from krm_fn.read.yaml import COLLECTION_TAGS, Document
from krm_fn.report.diagnostic import Diagnostic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

MAX_PROBLEMS = 100
_NO_KEY = -1
_PROPERTY = re.compile(r"(?:[&!]\S*(?:[ \t]|\r\n?|\n|#.*)+)+")
_SURROGATE_PAIR = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\.", re.DOTALL)
_BREAKS = "\r\n"
_BLANKS = " \t"
_ESCAPES = {
    "0": "\0",
    "a": "\a",
    "b": "\b",
    "t": "\t",
    "\t": "\t",
    "n": "\n",
    "v": "\v",
    "f": "\f",
    "r": "\r",
    "e": "\x1b",
    " ": " ",
    '"': '"',
    "'": "'",
    "/": "/",
    "\\": "\\",
    "N": "\x85",
    "_": "\xa0",
    "L": "\u2028",
    "P": "\u2029",
}
_HEX_ESCAPES = {"x": 2, "u": 4, "U": 8}


class Node:
    """
    One node of the text.

    Shape:  entries: key to (place of the key, node) of a mapping; items: nodes of a sequence; value: of a scalar, unresolved.
    """

    __slots__ = ("end", "entries", "items", "plain", "start", "style", "tag", "value")

    def __init__(self, start: int, end: int) -> None:
        self.start = start
        self.end = end
        self.entries: dict[str, tuple[int, Node]] | None = None
        self.items: list[Node] | None = None
        self.value = ""
        self.style = ""
        self.plain = False
        self.tag: str | None = None


class Problem:
    """Something that is wrong at a place of the text, before it is a diagnostic."""

    __slots__ = ("code", "earlier", "help", "message", "path", "place", "span")

    def __init__(self, code: str, message: str, place: int, span: int, path: str, help_: str, earlier: int) -> None:
        self.code = code
        self.message = message
        self.place = place
        self.span = span
        self.path = path
        self.help = help_
        self.earlier = earlier


class Index:
    """All nodes of the document text between *start* and *end* of *text*, by path."""

    __slots__ = ("_anchors", "_get", "_paired", "_path", "base", "problems", "root", "text")

    def __init__(self, text: str, start: int, end: int) -> None:
        self.text = text
        self.base = start
        self.problems: list[Problem] = []
        self._anchors: dict[str, Node] = {}
        self._path: list[str | int] = []
        own = text[start:end]
        self._paired = "\\ud" in own or "\\uD" in own
        if self._paired:  # JSON's pairs, which YAML lacks, become two other characters here
            own = without_surrogate_pairs(own)
        try:
            self._get: Callable[[], Any] = CParser(own).get_event
            self._get()
            self._get()
            self.root = self._node(self._get())
        except YAMLError:  # JSON that is not YAML (a key of more than 1,024 characters)
            self.root = Node(start, end)

    def find(self, path: tuple[str | int, ...], offset: int = 0, *, key: bool = False) -> int:
        """The place of a path; see `Document.locate`."""
        node, key_place = self.root, _NO_KEY
        for step in path:
            entry: tuple[int, Node] | None = None
            if node.entries is not None and isinstance(step, str):
                entry = node.entries.get(step)
            elif node.items is not None and isinstance(step, int) and 0 <= step < len(node.items):
                entry = (_NO_KEY, node.items[step])
            if entry is None:
                return node.start if key_place == _NO_KEY else key_place
            key_place, node = entry
        if key and key_place != _NO_KEY:
            return key_place
        return self._inside(node, offset) if offset > 0 else self._content(node)

    def _content(self, node: Node) -> int:
        """Where the node begins, its anchor and tag left aside."""
        if node.start < node.end and self.text[node.start] in "&!":
            properties = _PROPERTY.match(self.text, node.start, node.end)
            if properties is not None:
                return properties.end()
        return node.start

    def _inside(self, node: Node, offset: int) -> int:
        """The place of one character of a scalar's value."""
        start = self._content(node)
        if node.entries is not None or node.items is not None:
            return start
        if (place := _as_written(self.text, start, node)) is not None:
            return place + min(offset, len(node.value))
        for walked in _walks(self.text, start, node):
            if self._paired or "".join(character for character, _ in walked).startswith(node.value):
                offset = min(offset, len(walked) if self._paired else len(node.value))
                if offset < len(walked):
                    return walked[offset][1]
                return walked[-1][1] + 1 if walked else start
        return start

    def _node(self, event: Any) -> Node:
        cls = event.__class__
        if cls is AliasEvent:
            return self._anchors[event.anchor]
        node = Node(event.start_mark.index + self.base, event.end_mark.index + self.base)
        node.tag = event.tag
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        if cls is ScalarEvent:
            node.value, node.style, node.plain = event.value, event.style, event.implicit[0]
            return node
        if event.tag is not None and event.tag not in COLLECTION_TAGS:
            message = f"the tag {short_tag(event.tag)} has no meaning in a Kubernetes manifest"
            self._problem("yaml-unsupported", message, node.start, len(event.tag), help_="remove the tag")
        end = self._entries(node) if cls is MappingStartEvent else self._items(node)
        node.end = end.end_mark.index + self.base
        return node

    def _items(self, node: Node) -> Any:
        items = node.items = []
        while (event := self._get()).__class__ is not SequenceEndEvent:
            self._path.append(len(items))
            items.append(self._value(event))
            self._path.pop()
        return event

    def _entries(self, node: Node) -> Any:
        entries = node.entries = {}
        merged: set[str] = set()
        while (event := self._get()).__class__ is not MappingEndEvent:
            key_node = self._node(event)
            key = self._key(key_node)
            self._path.append(key or "<<")
            value = self._value(self._get())
            if key is None:
                pass
            elif not key and self._is_merge(key_node):
                self._merge(entries, merged, key_node, value)
            else:
                if key in entries and key not in merged:
                    self._problem(
                        "duplicate-key", key, key_node.start, key_node.end - key_node.start, earlier=entries[key][0]
                    )
                else:
                    entries[key] = (key_node.start, value)
                merged.discard(key)
            self._path.pop()
        return event

    def _key(self, node: Node) -> str | None:
        """The JSON key of a key node; empty for a merge; None, with a problem, when it can be none."""
        if node.entries is not None or node.items is not None:
            template = node.start < len(self.text) and self.text.startswith("{", node.start)
            help_ = "quote the whole value if it is a template" if template else "use a string as the key"
            message = "a mapping or a list cannot be a key"
            self._problem("yaml-unsupported", message, node.start, 1, help_=help_)
            return None
        if self._is_merge(node):
            return ""
        try:
            if node.tag is not None:
                return tagged_key(node.value, node.tag)
            return plain_key(node.value) if node.plain else node.value
        except NotJsonError as error:
            message = str(error)
            self._problem("yaml-unsupported", message, node.start, max(1, len(node.value)), help_="quote the key")
            return None

    @staticmethod
    def _is_merge(node: Node) -> bool:
        return node.value == "<<" and node.style not in ("|", ">") and (node.plain or node.tag == MERGE_TAG)

    def _value(self, event: Any) -> Node:
        """A node that is a value: a scalar must have a JSON value."""
        node = self._node(event)
        if event.__class__ is ScalarEvent and (node.plain or node.tag is not None):
            try:
                if node.tag is None:
                    plain_value(node.value)
                else:
                    tagged_value(node.value, node.tag)
            except NotJsonError as error:
                help_ = "quote the value if it is meant as text" if node.tag is None else "remove the tag"
                span = min(node.end, node.start + 40) - node.start
                self._problem("yaml-unsupported", str(error), node.start, span, help_=help_)
        return node

    def _merge(self, entries: dict[str, tuple[int, Node]], merged: set[str], key: Node, value: Node) -> None:
        parts = [value] if value.items is None else value.items[::-1]
        for part in parts:
            if part.entries is None:
                message = "'<<' wants a mapping, or a list of mappings"
                self._problem("yaml-unsupported", message, key.start, 2, help_="quote '<<' if it is meant as a key")
                return
            merged.update(name for name in part.entries if name not in entries)
            entries.update(part.entries)

    def _problem(self, code: str, message: str, place: int, span: int, *, help_: str = "", earlier: int = -1) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(code, message, place, span, path_text(self._path), help_, earlier))


def explain_values(document: Document, end: int) -> list[Diagnostic]:
    """
    Say what the first reading of a document noticed: each repeated key, tag and value that is not allowed.

    Units:  *end* is where the document's text ends, in code points of the source.
    Errors: duplicate-key, yaml-unsupported; at most 100.
    """
    source, number = document.source, document.index
    problems = []
    for problem in Index(source.text, document.start, end).problems:
        message = problem.message
        if problem.code == "duplicate-key":
            first = source.position(problem.earlier, number)
            message = f"'{message}' is set twice in one mapping, first at {first}"
        position = source.position(problem.place, number)
        span = min(problem.span, max(1, len(position.text) - position.column + 1))
        help_ = problem.help or "remove one of the two"
        problems.append(Diagnostic(problem.code, message, position=position, span=span, where=problem.path, help=help_))
    return problems


def path_text(path: list[str | int]) -> str:
    """Write a path as people do: `spec.ports[0]["a.b/c"]`."""
    parts: list[str] = []
    for step in path:
        if isinstance(step, int):
            parts.append(f"[{step}]")
        elif step.replace("_", "a").replace("-", "a").isalnum() or not parts:
            parts.append(f".{step}" if parts else step)
        else:
            parts.append(f'["{step}"]')
    return "".join(parts)


def without_surrogate_pairs(text: str) -> str:
    """Text of the same length that YAML can read, where JSON's may have pairs of escapes."""
    return _SURROGATE_PAIR.sub(_as_two_characters, text) if "\\ud" in text or "\\uD" in text else text


def _as_two_characters(match: re.Match[str]) -> str:
    return match[0] if len(match[0]) == 2 else "\\u0041\\u0041"


def _as_written(text: str, start: int, node: Node) -> int | None:
    """Where the value of a scalar begins that stands in the text as it is, on one line and without escapes; None for all others."""
    value = node.value
    if not node.style:
        return start if text.startswith(value, start) else None
    quote = node.style
    if quote in "\"'" and quote not in value and "\\" not in value and text.startswith(f"{value}{quote}", start + 1):
        return start + 1
    return None


def _walks(text: str, start: int, node: Node) -> Iterator[list[tuple[str, int]]]:
    """Readings of a scalar as (character, place) pairs, the likeliest first."""
    if node.style in ("|", ">"):
        lines = _block_lines(text, start, node.end)
        widest = max((len(line) - len(line.lstrip(" ")) for line, _ in lines if line.strip(" ")), default=0)
        first = next((len(line) - len(line.lstrip(" ")) for line, _ in lines if line.strip(" ")), 0)
        for indent in (first, *(other for other in range(widest + 1) if other != first)):
            yield _walk_block(lines, indent, folded=node.style == ">")
    elif node.style in ("'", '"'):
        yield _walk_flow(text, start + 1, node.end - 1, node.style)
    else:
        yield _walk_flow(text, start, node.end, "")


def _block_lines(text: str, start: int, end: int) -> list[tuple[str, int]]:
    """The lines below the header of a block scalar, each with its place, line breaks left out."""
    lines = []
    at = start
    for line in text[start:end].splitlines(keepends=True) if not set("\v\f\x1c\x1d\x1e") & set(text[start:end]) else ():
        lines.append((line.rstrip(_BREAKS), at))
        at += len(line)
    return lines[1:]


def _walk_block(lines: list[tuple[str, int]], indent: int, *, folded: bool) -> list[tuple[str, int]]:
    """Undo indentation and, for `>`, folding; all line breaks at the end are kept."""
    walked: list[tuple[str, int]] = []
    breaks: list[int] = []
    before_blank = True
    for line, at in lines:
        content = line[indent:]
        if not content:
            breaks.append(at + len(line))
            continue
        blank = content[0] in _BLANKS
        if folded and walked and breaks and not before_blank and not blank:
            walked.extend((" ", place) for place in breaks if len(breaks) == 1)
            walked.extend(("\n", place) for place in breaks[1:])
        else:
            walked.extend(("\n", place) for place in breaks)
        walked.extend((character, at + indent + i) for i, character in enumerate(content))
        breaks = [at + len(line)]
        before_blank = blank
    walked.extend(("\n", place) for place in breaks)
    return walked


def _walk_flow(text: str, start: int, end: int, quote: str) -> list[tuple[str, int]]:
    """Undo quoting, escapes and line folding of a plain or quoted scalar."""
    walked: list[tuple[str, int]] = []
    at = start
    while at < end:
        character = text[at]
        if character in _BLANKS or character in _BREAKS:
            at = _walk_space(text, at, end, walked, [])
        elif quote == '"' and character == "\\":
            at = _walk_escape(text, at, end, walked)
        else:
            walked.append((character, at))
            at += 2 if quote == "'" and character == "'" else 1
    return walked


def _walk_space(text: str, at: int, end: int, walked: list[tuple[str, int]], breaks: list[int]) -> int:
    """Blanks and line breaks: blanks stay inside a line; one break is a space, n breaks are n - 1 newlines."""
    begin = at
    while at < end and (text[at] in _BLANKS or text[at] in _BREAKS):
        if text[at] in _BREAKS:
            breaks.append(at)
            at += text.startswith("\r\n", at)
        at += 1
    if not breaks:
        walked.extend((text[i], i) for i in range(begin, at))
    elif len(breaks) == 1:
        walked.append((" ", breaks[0]))
    else:
        walked.extend(("\n", place) for place in breaks[1:])
    return at


def _walk_escape(text: str, at: int, end: int, walked: list[tuple[str, int]]) -> int:
    """One escape of a double-quoted scalar."""
    code = text[at + 1 : at + 2]
    if code in _ESCAPES:
        walked.append((_ESCAPES[code], at))
        return at + 2
    if code in _HEX_ESCAPES:
        after = at + 2 + _HEX_ESCAPES[code]
        number = int(text[at + 2 : after], 16)
        if 0xD800 <= number < 0xDC00 and text.startswith("\\u", after):
            number = 0x10000 + ((number - 0xD800) << 10) + int(text[after + 2 : after + 6], 16) - 0xDC00
            after += 6
        walked.append((chr(number), at))
        return after
    after = at + 1  # an escaped line break joins the lines
    while after < end and (text[after] in _BLANKS or text[after] in _BREAKS):
        after += 1
    return after
