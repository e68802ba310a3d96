"""
Diagnostics as one JSON document, for programs.

Enters: arranged diagnostics.  Leaves: the text of a `DiagnosticList`; `docs/diagnostics.md` promises its keys.  Not known here:
streams.

The facts are those of a KRM result (`report.krm`), and the place in full.  A key whose fact is not known is left out, but for the
lists and `summary`.  Everything beyond ASCII is an escape, so that no text of the input reaches a terminal as more than text.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from krm_fn.report.diagnostic import Diagnostic, Position, Subject

API_VERSION = "rookery.dev/v1alpha1"
KIND = "DiagnosticList"
_COUNTS = (("errors", "error"), ("warnings", "warning"), ("notes", "info"))


def render_json(diagnostics: Sequence[Diagnostic]) -> str:
    return dumped(document(diagnostics))


def dumped(value: dict[str, Any]) -> str:
    """JSON in printable ASCII; the delete character is the one that `json` leaves as it is."""
    import json

    return json.dumps(value, indent=2).replace("\x7f", "\\u007f") + "\n"


def document(diagnostics: Sequence[Diagnostic]) -> dict[str, Any]:
    severities = [diagnostic.severity for diagnostic in diagnostics]
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "summary": {name: severities.count(severity) for name, severity in _COUNTS},
        "diagnostics": [_entry(diagnostic) for diagnostic in diagnostics],
    }


def _entry(diagnostic: Diagnostic) -> dict[str, Any]:
    found = {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "help": diagnostic.help,
        "position": _position(diagnostic.position, diagnostic.length) if diagnostic.position else {},
        "resource": _resource(diagnostic.subject) if diagnostic.subject else {},
        "field": diagnostic.where,
    }
    return {key: fact for key, fact in found.items() if fact}


def _position(position: Position, length: int) -> dict[str, Any]:
    """All count from 1; columns and lengths count code points. A length of 0 is a point."""
    return {
        "file": position.file,
        "document": position.document,
        "line": position.line,
        "column": position.column,
        "length": length,
    }


def _resource(subject: Subject) -> dict[str, str]:
    found = {
        "apiVersion": subject.api_version,
        "kind": subject.kind,
        "namespace": subject.namespace,
        "name": subject.name,
    }
    return {key: fact for key, fact in found.items() if fact}
