"""
Where things stand in an RGD: fields, literals, expressions and the words in them.

Enters: an RGD.  Leaves: places and what is there.  Not known here: mutations; what an expression means. The reading is rough on
purpose: a place that it takes for something else makes another mutant, never a wrong one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.mutation.edits import Path

RESOURCES = ("spec", "resources")
SCHEMA = ("spec", "schema")
_TOKEN = re.compile(
    r"""(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<number>\d+(?:\.\d+)?)|(?P<word>[A-Za-z_]\w*)"""
    r"""|(?P<operator>==|!=|<=|>=|&&|\|\||\.\?|\[\?|[-+*/%<>!?:.,(){}\[\]])"""
)


class Token(NamedTuple):
    """kind: string, number, word or operator.  start: in the whole scalar."""

    kind: str
    text: str
    start: int


class Text(NamedTuple):
    """One expression in a string.  start, end: of what is between `${` and `}`.  alone: it is the whole string."""

    path: Path
    start: int
    text: str
    alone: bool

    @property
    def tokens(self) -> list[Token]:
        return [Token(str(m.lastgroup), m.group(), self.start + m.start()) for m in _TOKEN.finditer(self.text)]


def get(document: Any, path: Path) -> Any:
    """What is at a place, or None."""
    for step in path:
        if isinstance(document, dict):
            document = document.get(step)
        elif isinstance(document, list) and isinstance(step, int) and step < len(document):
            document = document[step]
        else:
            return None
    return document


def resources(rgd: Any) -> list[tuple[Path, dict[str, Any]]]:
    found = get(rgd, RESOURCES)
    return [((*RESOURCES, i), r) for i, r in enumerate(found if isinstance(found, list) else []) if isinstance(r, dict)]


def templates(rgd: Any) -> list[tuple[Path, dict[str, Any]]]:
    """The templates that are mappings."""
    found = [((*path, "template"), resource.get("template")) for path, resource in resources(rgd)]
    return [(path, template) for path, template in found if isinstance(template, dict)]


def externals(rgd: Any) -> list[tuple[Path, dict[str, Any]]]:
    found = [((*path, "externalRef"), resource.get("externalRef")) for path, resource in resources(rgd)]
    return [(path, external) for path, external in found if isinstance(external, dict)]


def ids(rgd: Any) -> list[str]:
    return [str(resource.get("id")) for _, resource in resources(rgd)]


def leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Everything that is neither a mapping nor a list, in document order."""
    for place, child in everything(value, path):
        if not isinstance(child, dict | list):
            yield place, child


def everything(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Every value with its place, parents first; not the root."""
    children: Any = ()
    if isinstance(value, dict):
        children = value.items()
    elif isinstance(value, list):
        children = enumerate(value)
    for key, child in children:
        yield (*path, key), child
        yield from everything(child, (*path, key))


def spec_fields(rgd: Any) -> list[tuple[Path, str]]:
    """The SimpleSchema fields of `spec` and `types`."""
    found = []
    for part in ("spec", "types"):
        path = (*SCHEMA, part)
        found += [(place, leaf) for place, leaf in leaves(get(rgd, path), path) if isinstance(leaf, str)]
    return found


def expressions(rgd: Any) -> list[Text]:
    """Every expression of templates, conditions, loops and status."""
    found: list[Text] = []
    roots: list[Path] = [RESOURCES, (*SCHEMA, "status")]
    for root in roots:
        for path, leaf in leaves(get(rgd, root), root):
            if isinstance(leaf, str):
                found += _expressions_of(path, leaf)
    return found


def _expressions_of(path: Path, text: str) -> Iterator[Text]:
    position = 0
    while (start := text.find("${", position)) >= 0:
        end = _closing(text, start + 2)
        if end < 0:
            return
        yield Text(path, start + 2, text[start + 2 : end], start == 0 and end == len(text) - 1)
        position = end + 1


def _closing(text: str, start: int) -> int:
    depth, quote = 1, False
    for i in range(start, len(text)):
        char = text[i]
        if char == '"' and text[i - 1] != "\\":
            quote = not quote
        elif not quote and char in "{}":
            depth += 1 if char == "{" else -1
            if depth == 0:
                return i
    return -1


def literals(rgd: Any) -> list[tuple[Path, Any]]:
    """Values in templates without an expression, mappings and lists included; not apiVersion, kind and metadata themselves."""
    found: list[tuple[Path, Any]] = []
    for path, template in templates(rgd):
        for place, value in everything(template, path):
            outer = place[len(path) :]
            if outer in (("apiVersion",), ("kind",), ("metadata",)) or (isinstance(value, str) and "${" in value):
                continue
            found.append((place, value))
    return found
