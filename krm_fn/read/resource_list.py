"""
A KRM ResourceList: a list of objects in which each one still knows its own lines.

Enters: the text on a function's stdin.  Leaves: a `ResourceList` whose items are Documents.  Not known here: what a function
does with them, and how a list is written.

A function must pass on what it does not own without changing a byte (comments, order of keys, block scalars), so an item keeps
its *entry*: its lines in the list, from the comment above its dash to the line before the next entry.  An item has no such lines
when the list is in flow style or JSON, when its dash stands elsewhere than the others', or when it uses an alias whose anchor
belongs to another item; whoever writes the list then writes the item's value.

Source: KRM Functions Specification v1; kpt and kustomize name an item's file in annotations, and so do its positions here.
"""

from __future__ import annotations

from yaml.events import AliasEvent

from krm_fn.read.yaml import Document, Reader, Source, parse_documents, read_documents
from krm_fn.report.diagnostic import Diagnostic, Position, RenderError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

KIND = "ResourceList"
PATH_ANNOTATIONS = ("internal.config.kubernetes.io/path", "config.kubernetes.io/path")
INDEX_ANNOTATIONS = ("internal.config.kubernetes.io/index", "config.kubernetes.io/index")
_ITEM_DEPTH = 3


class ListItem(Document):
    """
    One item of a ResourceList, or its functionConfig, as a Document.

    Shape:  file is the path that the host's annotations name, else the name of the list; index is the one they name.
    Units:  start and end are code points of the list's text.
    """

    __slots__ = ("_entry", "_list", "_path", "file")

    def __init__(
        self, parent: Document, path: tuple[str | int, ...], value: Any, span: tuple[int, int], entry: str
    ) -> None:
        annotations = _annotations(value)
        number = _first(annotations, INDEX_ANNOTATIONS)
        index = int(number) if number.isascii() and number.isdigit() and len(number) < 10 else 0
        super().__init__(parent.source, index, value, *span)
        self._list = parent
        self._path = path
        self._entry = entry
        self.file = _first(annotations, PATH_ANNOTATIONS)

    def text(self) -> str:
        """The item's lines in the list, dash and indentation included; empty when its value must be written instead."""
        return self._entry

    def locate(self, path: tuple[str | int, ...], offset: int = 0, *, key: bool = False) -> Position:
        """As `Document.locate`, in the item's own file; lines and columns are those of the list, the only ones known."""
        position = self._list.locate(self._path + path, offset, key=key)
        if not self.file:
            return position
        return Position(self.file, self.index + 1, position.line, position.column, position.text)


class ResourceList:
    """
    The input of a KRM function.

    Shape:  indent is the column (from 0) of the items' dashes, for the entries of new items; document is the list itself.
    """

    __slots__ = ("api_version", "document", "function_config", "indent", "items")

    def __init__(
        self, document: Document, items: list[ListItem], function_config: ListItem | None, indent: int
    ) -> None:
        self.document = document
        self.api_version: str = document.value["apiVersion"]
        self.items = items
        self.function_config = function_config
        self.indent = indent


def read_resource_list(text: str, name: str = "<stdin>") -> ResourceList:
    """
    Read a ResourceList.

    Errors: not-a-resource-list, and those of `parse_documents`.
    """
    reader = _ListReader(Source(name, text))
    documents = read_documents(reader)
    if len(documents) != 1:
        message = "the input is empty" if not documents else f"the input has {len(documents)} documents"
        position = documents[1].locate(()) if documents else None
        raise RenderError([_refusal(f"{message}; one {KIND} is expected", position)])
    document = documents[0]
    values = _checked_items(document)
    spans = reader.spans.get(id(document.value.get("items")), [])
    if len(spans) == len(values):
        entries, indent = _entries(document, spans, values)
    else:  # JSON
        spans = [_Span(document.start) for _ in values]
        entries, indent = ["" for _ in values], 0
    items = [
        ListItem(document, ("items", i), value, (span.begin, span.end), entry)
        for i, (value, span, entry) in enumerate(zip(values, spans, entries, strict=True))
    ]
    config = document.value.get("functionConfig")
    function_config = None
    if config is not None:
        function_config = ListItem(document, ("functionConfig",), config, (document.start, document.end), "")
    return ResourceList(document, items, function_config, indent)


class _Span:
    """Begin and end of one item; is_alone: it uses no alias of another item's anchor."""

    __slots__ = ("begin", "end", "is_alone")

    def __init__(self, begin: int) -> None:
        self.begin = begin
        self.end = begin
        self.is_alone = True


class _ListReader(Reader):
    """Notes where the nodes of the third level stand; level one is the list, level two `items`."""

    __slots__ = ("_anchored", "_spans", "spans")

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self.spans: dict[int, list[_Span]] = {}
        """By collection of the second level (its id), in order; scalars have none."""
        self._spans: list[_Span] = []
        self._anchored: dict[str, int] = {}

    def node(self, event: Any, depth: int) -> Any:
        begin = event.start_mark.index + self.base
        is_alias = event.__class__ is AliasEvent
        if depth == _ITEM_DEPTH:
            self._spans.append(_Span(begin))
        elif depth < _ITEM_DEPTH:
            self._spans = []
        if is_alias:
            if self._spans and self._anchored.get(event.anchor, -1) < self._spans[-1].begin:
                self._spans[-1].is_alone = False
        elif event.anchor is not None:
            self._anchored[event.anchor] = begin
        value = super().node(event, depth)
        if depth == _ITEM_DEPTH:
            last = event if is_alias else self.ended
            self._spans[-1].end = last.end_mark.index + self.base
        elif depth == _ITEM_DEPTH - 1:
            self.spans[id(value)] = self._spans
        return value


def _checked_items(document: Document) -> list[dict[str, Any]]:
    """The values of the items of a list that is well formed."""
    value = document.value
    if not isinstance(value, dict) or value.get("kind") != KIND or not isinstance(value.get("apiVersion"), str):
        raise RenderError([_refusal(f"the input is no {KIND}", document.locate(("kind",)))])
    items = value.get("items")
    if items is None:
        return []
    if not isinstance(items, list):
        raise RenderError([_refusal("items is no list", document.locate(("items",), key=True))])
    problems = [
        _refusal(f"items[{i}] is no object", document.locate(("items", i)))
        for i, item in enumerate(items)
        if not isinstance(item, dict)
    ]
    if problems:
        raise RenderError(problems)
    return items


def _entries(document: Document, spans: list[_Span], values: list[Any]) -> tuple[list[str], int]:
    """The lines of each item, empty where it has none of its own, and the column of the dashes."""
    text = document.source.text
    dashes = [_dash_line(text, span.begin) for span in spans]
    indent = next((dash[1] for dash in dashes if dash is not None), 0)
    begins = [None if dash is None or dash[1] != indent else _with_comments(text, dash[0], indent) for dash in dashes]
    entries = []
    for i, (begin, span) in enumerate(zip(begins, spans, strict=True)):
        following = begins[i + 1] if i + 1 < len(begins) else _line_after(text, span.end)
        if begin is None or following is None or not span.is_alone:
            entries.append("")
            continue
        entry = text[begin:following]
        entries.append(entry if entry.endswith("\n") else _closed(entry + "\n", values[i]))
    return entries, indent


def _dash_line(text: str, start: int) -> tuple[int, int] | None:
    """Begin of the line on which an item starts, and the column of its dash, when only the dash stands before the item."""
    begin = text.rfind("\n", 0, start) + 1
    lead = text[begin:start]
    while not lead.strip() and begin > 0:  # kpt writes an object's first comment behind the dash: `- # comment`
        above = text.rfind("\n", 0, begin - 1) + 1
        lead = text[above:begin].partition("#")[0].rstrip()
        begin = above
    dash = lead.find("-")
    return (begin, dash) if dash >= 0 and not lead.replace("-", "", 1).strip(" ") else None


def _with_comments(text: str, begin: int, indent: int) -> int:
    """Move up over the comments right above a dash. A line with a quote may end a quoted text and is left where it is."""
    while begin > 0:
        above = text.rfind("\n", 0, begin - 1) + 1
        line = text[above:begin]
        if not line.startswith(" " * indent + "#") or '"' in line or "'" in line:
            break
        begin = above
    return begin


def _line_after(text: str, end: int) -> int:
    """Where the last item's lines end: at the line on which the next token stands, or behind the line it ends on."""
    begin = text.rfind("\n", 0, end) + 1
    if not text[begin:end].strip(" "):
        return begin
    following = text.find("\n", end)
    return len(text) if following < 0 else following + 1


def _closed(entry: str, value: Any) -> str:
    """An entry that had no line break at its end, with one: a block scalar may have changed by that."""
    return entry if parse_documents(entry, "")[0].value == [value] else ""


def _annotations(value: Any) -> dict[str, Any]:
    metadata = value.get("metadata") if isinstance(value, dict) else None
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    return annotations if isinstance(annotations, dict) else {}


def _first(annotations: dict[str, Any], names: tuple[str, ...]) -> str:
    return next((found for name in names if isinstance(found := annotations.get(name), str) and found), "")


def _refusal(message: str, position: Position | None = None) -> Diagnostic:
    help_ = "a KRM function is run by kpt or kustomize, or after `kpt fn source DIR |`"
    return Diagnostic("not-a-resource-list", message, position=position, help=help_)
