"""
`${…}` in texts, and objects with holes.

Enters: strings and plain JSON from an RGD.  Leaves: `Expression` records with the place of every code point, `Hole`s, and
`compile_shape`, which turns a template into a function from values to a new object that shares whatever does not change.
Not known here: what expressions mean, what nodes are.

The scanner is kro's (v0.9.3 pkg/graph/parser/cel.go), oddities included: it knows double quotes only, so `${'}'}` ends at the
first brace; a lone `"` makes it run past the end; an unterminated `${` is plain text.
"""

from __future__ import annotations

from krm_fn.cel.values import OMIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any, TypeAlias

    Path: TypeAlias = tuple[str | int, ...]
    Builder: TypeAlias = Callable[[Sequence[Any]], Any]

MAX_DEPTH = 200


class Match:
    """One `${…}`: `start` at the dollar sign, `end` after the closing brace, in code points; `text` is what is between."""

    __slots__ = ("end", "start", "text")

    def __init__(self, text: str, start: int, end: int) -> None:
        self.text = text
        self.start = start
        self.end = end


class TemplateError(Exception):
    """A text that kro's scanner refuses. `offset` counts code points in the text."""

    def __init__(self, message: str, offset: int, help: str = "") -> None:  # noqa: A002
        self.message = message
        self.offset = offset
        self.help = help
        super().__init__(message)


def scan(text: str) -> list[Match]:
    """
    Every `${…}` of *text*, in order.

    Errors: TemplateError for a `${` inside an expression that does not follow a double quote.
    Source: kro v0.9.3 pkg/graph/parser/cel.go, extractExpressions.
    """
    found: list[Match] = []
    position = 0
    while (start := text.find("${", position)) >= 0:
        end = _closing_brace(text, start)
        if end < 0:
            # sic: kro steps on by one code point of the whole text, not of the rest; the result is the same.
            position = start + 1
            continue
        found.append(Match(text[start + 2 : end], start, end + 1))
        position = end + 1
    return found


def _closing_brace(text: str, start: int) -> int:
    """Index of the brace that closes the `${` at *start*, or -1."""
    nearest = text.find("}", start + 2)
    if nearest >= 0 and all(text.find(char, start + 2, nearest) < 0 for char in '"{$'):
        return nearest  # what the loop below comes to, without walking
    depth = 1
    quoted = escaped = False
    for i in range(start + 2, len(text)):
        char = text[i]
        if escaped:
            escaped = False
        elif quoted and char == "\\":
            escaped = True
        elif char == '"':
            quoted = not quoted
        elif quoted:
            continue
        elif char == "{":
            depth += 1
        elif char == "}":
            depth -= 1
            if depth == 0:
                return i
        elif char == "$" and text.startswith("${", i) and text[i - 1] != '"':
            raise TemplateError(
                "a ${…} cannot stand inside another ${…}", i, "inside an expression, write the inner value without ${ }"
            )
    return -1


def is_standalone(text: str, matches: list[Match]) -> bool:
    """Whether *text* is exactly one `${…}`, so that the value keeps its type."""
    return len(matches) == 1 and matches[0].start == 0 and matches[0].end == len(text)


class Expression:
    """
    One CEL expression as it stands in an RGD.

    text: the CEL source; for a string template the concatenation that kro compiles it to.  written: what the author wrote, for
    messages.  path: where in the RGD document.  segments: (offset in `text`, offset in the scalar, length), ascending.
    """

    __slots__ = ("path", "segments", "text", "written")

    def __init__(self, text: str, written: str, path: Path, segments: tuple[tuple[int, int, int], ...]) -> None:
        self.text = text
        self.written = written
        self.path = path
        self.segments = segments

    def scalar_offset(self, offset: int) -> int:
        """Where code point *offset* of `text` stands in the YAML scalar."""
        place = 0
        for own, there, length in self.segments:
            if offset < own:
                break
            place = there + min(offset - own, length)
        return place


def read_expression(text: str, path: Path) -> Expression | None:
    """
    The expression that a string stands for, or None where the string is plain text.

    `"x-${e}"` means `"x-" + (e)`: kro v0.9.3 pkg/graph/parser/parser.go, buildStringTemplate.
    """
    if "${" not in text:
        return None
    matches = scan(text)
    if not matches:
        return None
    if is_standalone(text, matches):
        return Expression(matches[0].text, matches[0].text, path, ((0, 2, len(matches[0].text)),))
    parts: list[str] = []
    segments: list[tuple[int, int, int]] = []
    length = position = 0

    def add(part: str, lead: int, there: int, size: int) -> None:
        nonlocal length
        if parts:
            parts.append(" + ")
            length += 3
        segments.append((length + lead, there, size))
        parts.append(part)
        length += len(part)

    for match in matches:
        if match.start > position:
            add(quote(text[position : match.start]), 1, position, match.start - position)
        add(f"({match.text})", 1, match.start + 2, len(match.text))
        position = match.end
    if position < len(text):
        add(quote(text[position:]), 1, position, len(text) - position)
    return Expression("".join(parts), text, path, tuple(segments))


def read_standalone(text: str, path: Path) -> Expression:
    """
    The expression of a list that allows nothing but `${…}` (includeWhen, readyWhen, forEach, conditions).

    Source: kro v0.9.3 pkg/graph/parser/conditions.go, UnwrapExpressions.
    """
    matches = scan(text)
    if is_standalone(text, matches):
        return Expression(matches[0].text, matches[0].text, path, ((0, 2, len(matches[0].text)),))
    if not matches:
        advice = f'write "${{{text.strip()}}}"' if text.strip() and len(text) < 60 else "wrap the expression in ${ }"
    elif text.strip() == text[matches[0].start : matches[0].end]:
        advice = "a block scalar (|) adds a newline; write the expression on one line or use |-"
    else:
        advice = "join the parts in CEL, inside one ${ }"
    raise TemplateError("only one ${…} and nothing beside it may stand here", 0, advice)


def quote(text: str) -> str:
    """*text* as a CEL string literal."""
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    out = []
    for char in text:
        if char in '"\\':
            out.append("\\" + char)
        elif char.isprintable():
            out.append(char)
        else:
            code = ord(char)
            out.append(f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")
    return '"' + "".join(out) + '"'


class Hole:
    """A place in a template that an expression fills. `path` is the path inside the template."""

    __slots__ = ("expression", "path")

    def __init__(self, path: Path, expression: Expression) -> None:
        self.path = path
        self.expression = expression


def find_holes(value: Any, root: Path, problems: list[tuple[Path, TemplateError]]) -> Iterator[Hole]:
    """
    Every hole of a template, in document order. *root* is the template's own path in the document.

    What the scanner refuses goes to *problems*. Keys are never expressions.
    """

    def walk(node: Any, path: Path) -> Iterator[Hole]:
        if isinstance(node, str):
            try:
                expression = read_expression(node, root + path)
            except TemplateError as error:
                problems.append((root + path, error))
            else:
                if expression is not None:
                    yield Hole(path, expression)
        elif isinstance(node, dict):
            for key, child in node.items():
                yield from walk(child, (*path, key))
        elif isinstance(node, list):
            for i, child in enumerate(node):
                yield from walk(child, (*path, i))

    return walk(value, ())


def path_text(path: Path) -> str:
    """`("spec", "ports", 0, "a.b")` -> `spec.ports[0]["a.b"]`, as kro writes field paths."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part == "" or "." in part:
            text += f'["{part}"]'
        else:
            text += f".{part}" if text else part
    return text


def compile_shape(template: Any, slots: dict[Path, int]) -> Builder:
    """
    A template -> a function that makes an object from the list of values.

    *slots* says which value fills which path. Subtrees without holes are shared among all objects; nobody may change them.
    """
    build = _shape(template, slots, ())
    return (lambda _values: template) if build is None else build


def _shape(node: Any, slots: dict[Path, int], path: Path) -> Builder | None:
    """The builder of a subtree; None where it has no hole."""
    slot = slots.get(path)
    if slot is not None:
        return lambda values: values[slot]
    if isinstance(node, dict):
        entries: list[tuple[Any, Any]] = list(node.items())
    elif isinstance(node, list):
        entries = list(enumerate(node))
    else:
        return None
    direct: list[tuple[Any, int]] = []
    nested: list[tuple[Any, Builder]] = []
    for key, child in entries:
        own = (*path, key)
        if own in slots:
            direct.append((key, slots[own]))
        elif (build := _shape(child, slots, own)) is not None:
            nested.append((key, build))
    if not direct and not nested:
        return None
    copy = node.copy

    def fill(values: Sequence[Any]) -> Any:
        out = copy()
        for key, index in direct:
            out[key] = values[index]
        for key, build in nested:
            out[key] = build(values)
        return out

    return fill


def remove_omitted(value: Any) -> Any:
    """
    *value* without the map entries and list items that are `omit()`; what has none is shared.

    Source: kro v0.9.3 pkg/runtime/resolver/resolver.go, cleanOmitSentinels.
    """
    if isinstance(value, dict):
        return {key: remove_omitted(child) for key, child in value.items() if child is not OMIT}
    if isinstance(value, list):
        return [remove_omitted(child) for child in value if child is not OMIT]
    return value
