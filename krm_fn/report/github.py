"""
Diagnostics as GitHub's workflow commands, which a job's log turns into annotations.

Enters: arranged diagnostics.  Leaves: one line each: `::error file=…,line=…,col=…,endColumn=…,title=…::message`.  Not known here:
streams.

All text may be hostile: a line break in it would be a command of its own, a colon or a comma would end a property.  What does not
print is an escape before GitHub's own escaping.

Source: docs.github.com, Workflow commands for GitHub Actions; github.com/actions/toolkit packages/core/src/command.ts.
"""

from __future__ import annotations

from krm_fn.report.text import neutral, sentence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from krm_fn.report.diagnostic import Diagnostic

_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}


def render_github(diagnostics: Sequence[Diagnostic]) -> str:
    return "".join(_command(diagnostic) for diagnostic in diagnostics)


def _command(diagnostic: Diagnostic) -> str:
    properties: dict[str, object] = {}
    position = diagnostic.position
    if position is not None and not position.is_stream:
        properties = {"file": position.file, "line": position.line, "col": position.column}
        if diagnostic.length:
            properties["endColumn"] = position.column + diagnostic.length
    properties["title"] = diagnostic.code
    shown = ",".join(f"{name}={_property(str(fact))}" for name, fact in properties.items())
    place = " at ".join(str(part) for part in (diagnostic.subject, diagnostic.where) if part)
    message = sentence(diagnostic) + (f" (in {place})" if place else "")
    return f"::{_COMMANDS[diagnostic.severity]} {shown}::{_data(message)}\n"


def _data(text: str) -> str:
    return neutral(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
