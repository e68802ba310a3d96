"""
Diagnostics as a SARIF log, for code scanning and editors.

Enters: arranged diagnostics.  Leaves: the text of a SARIF 2.1.0 log with one run.  Not known here: streams.

Columns count code points, which SARIF calls `unicodeCodePoints`.  Files are URIs, relative as they were given; what comes from a
stream has no location.  The path inside the object is a logical location.

Source: OASIS Static Analysis Results Interchange Format 2.1.0.
"""

from __future__ import annotations

from krm_fn import __version__
from krm_fn.report.catalogue import MEANINGS
from krm_fn.report.json_text import dumped
from krm_fn.report.text import neutral, sentence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from krm_fn.report.diagnostic import Diagnostic, Position

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
HOME = "https://rookery.dev"
_LEVELS = {"error": "error", "warning": "warning", "info": "note"}


def render_sarif(diagnostics: Sequence[Diagnostic]) -> str:
    return dumped(log(diagnostics))


def log(diagnostics: Sequence[Diagnostic]) -> dict[str, Any]:
    codes = list(dict.fromkeys(diagnostic.code for diagnostic in diagnostics))
    driver = {
        "name": "rookery",
        "version": __version__,
        "informationUri": HOME,
        "rules": [_rule(code) for code in codes],
    }
    places = {code: index for index, code in enumerate(codes)}
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": [_result(diagnostic, places[diagnostic.code]) for diagnostic in diagnostics],
            }
        ],
    }


def _rule(code: str) -> dict[str, Any]:
    return {
        "id": code,
        "shortDescription": {"text": MEANINGS.get(code, code)},
        "helpUri": f"{HOME}/errors/{code}",
    }


def _result(diagnostic: Diagnostic, rule: int) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "ruleIndex": rule,
        "level": _LEVELS[diagnostic.severity],
        "message": {"text": neutral(sentence(diagnostic))},
    }
    location: dict[str, Any] = {}
    position = diagnostic.position
    if position is not None and not position.is_stream:
        location["physicalLocation"] = _place(position, diagnostic.length)
    name = " ".join(str(part) for part in (diagnostic.subject, diagnostic.where) if part)
    if name:
        location["logicalLocations"] = [{"fullyQualifiedName": neutral(name)}]
    if location:
        result["locations"] = [location]
    return result


def _place(position: Position, length: int) -> dict[str, Any]:
    from urllib.parse import quote

    region: dict[str, Any] = {"startLine": position.line, "startColumn": position.column}
    if length:
        region["endColumn"] = position.column + length
    path = quote(position.file, safe="/", errors="replace")
    return {
        "artifactLocation": {"uri": f"file://{path}" if path.startswith("/") else path},
        "region": region,
    }
