"""
Diagnostics as text for people.

Enters: diagnostics in any order.  Leaves: the text for stderr, errors first.  Not known here: streams, whether somebody looks.

Each problem begins with the line that stands alone (hosts cut the rest off); below it the source line with the culprit
underlined, where it is in the object, and what to do:

    rgd.yaml:31:27: error[undefined-field]: 'replica' is not a field of schema.spec
       31 |   replicas: ${schema.spec.replica}
          |                           ^^^^^^^
       in ResourceGraphDefinition/web at spec.resources[2].template.spec.replicas
       help: did you mean 'replicas'?

All text of a diagnostic may come from hostile input: control characters, terminal escapes and bidirectional overrides become
escapes, and long lines are cut around the culprit.  Nothing here is ever an instruction to a terminal but our own colours.
"""

from __future__ import annotations

from krm_fn.report.diagnostic import ERROR, INFO, WARNING, Diagnostic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_SHOWN = 50
MAX_TEXT = 1000
MAX_EXCERPT = 120
_LEAD = 40
_TAB = "    "
_CUT = "…"
_COLORS = {ERROR: "\x1b[1;31m", WARNING: "\x1b[1;33m", INFO: "\x1b[1;36m"}
_RESET = "\x1b[0m"


def render_text(diagnostics: Iterable[Diagnostic], *, color: bool = False) -> str:
    """
    Write diagnostics for people: the most important first, a blank line between two of them, a line break at the end.

    Units:  at most 50 are shown in full; a last line says how many there are more.
    """
    ordered = sorted(diagnostics, key=Diagnostic.sort_key)
    parts = [_full(diagnostic, color=color) for diagnostic in ordered[:MAX_SHOWN]]
    if len(ordered) > MAX_SHOWN:
        parts.append(f"and {summary_line(ordered[MAX_SHOWN:])} more\n")
    return "\n".join(parts)


def summary_line(diagnostics: Iterable[Diagnostic]) -> str:
    """Count diagnostics by severity: `2 errors, 1 warning`; empty when there are none."""
    severities = [diagnostic.severity for diagnostic in diagnostics]
    names = ((ERROR, "error", "errors"), (WARNING, "warning", "warnings"), (INFO, "note", "notes"))
    counts = ((severities.count(severity), one, many) for severity, one, many in names)
    return ", ".join(f"{count} {one if count == 1 else many}" for count, one, many in counts if count)


def concise_line(diagnostic: Diagnostic, *, color: bool = False) -> str:
    """The line that stands alone: `file:line:column: severity[code]: message`, without a line break."""
    label = f"{diagnostic.severity}[{diagnostic.code}]"
    if color:
        label = f"{_COLORS[diagnostic.severity]}{label}{_RESET}"
    place = f"{neutral(str(diagnostic.position))}: " if diagnostic.position is not None else ""
    return f"{place}{label}: {neutral(diagnostic.message)}"


def sentence(diagnostic: Diagnostic) -> str:
    """Message and remedy, for hosts and formats that have one text for both."""
    return f"{diagnostic.message}; {diagnostic.help}" if diagnostic.help else diagnostic.message


def neutral(text: str) -> str:
    """
    Make foreign text harmless in one line of a terminal: whatever does not print becomes an escape.

    Units:  cut after 1,000 code points.
    """
    if len(text) > MAX_TEXT:
        text = text[:MAX_TEXT] + _CUT
    return text if text.isprintable() else "".join(c if c.isprintable() else _escape(c) for c in text)


def _full(diagnostic: Diagnostic, *, color: bool) -> str:
    lines = [concise_line(diagnostic, color=color)]
    position = diagnostic.position
    if position is not None and position.text:
        lines += _excerpt(
            position.line, position.text, position.column, diagnostic.span, diagnostic.severity, color=color
        )
    where = " at ".join(neutral(str(part)) for part in (diagnostic.subject, diagnostic.where) if part)
    if where:
        lines.append(f"   in {where}")
    if diagnostic.help:
        lines.append(f"   help: {neutral(diagnostic.help)}")
    lines.append("")
    return "\n".join(lines)


def _excerpt(line: int, text: str, column: int, span: int, severity: str, *, color: bool) -> list[str]:
    """The source line and, below it, a caret for each column of the culprit."""
    at = min(column - 1, len(text))
    end = min(at + max(span, 1), len(text)) if at < len(text) else at + 1
    start = 0
    cut_before = cut_after = ""
    if len(text) > MAX_EXCERPT:
        start = max(0, min(at - _LEAD, len(text) - MAX_EXCERPT))
        cut_before = _CUT if start else ""
        cut_after = _CUT if start + MAX_EXCERPT < len(text) else ""
    stop = start + MAX_EXCERPT
    before = cut_before + _visible(text[start:at])
    culprit = _visible(text[at : min(end, stop)])
    after = _visible(text[min(end, stop) : stop]) + cut_after
    carets = "^" * max(1, _width(culprit))
    if color:
        carets = f"{_COLORS[severity]}{carets}{_RESET}"
    number = str(line).rjust(5)
    margin = " " * len(number)
    return [f"{number} | {before}{culprit}{after}".rstrip(), f"{margin} | {' ' * _width(before)}{carets}"]


def _visible(text: str) -> str:
    """The text as it is shown: a tab is four blanks, what does not print is an escape."""
    if text.isprintable():
        return text
    return "".join(_TAB if c == "\t" else c if c.isprintable() else _escape(c) for c in text)


def _width(text: str) -> int:
    """How many columns of a terminal the text takes."""
    if text.isascii():
        return len(text)
    import unicodedata

    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in ("W", "F") else 1 for c in text
    )


def _escape(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character, f"\\x{code:02x}")
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
