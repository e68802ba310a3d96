"""
Diagnostics as a KRM function shows them: `results` for the host, and one line each for stderr.

Enters: sorted diagnostics.  Leaves: plain JSON, text.  Not known here: the rest of the ResourceList.

kpt prints a result as `[severity] apiVersion/Kind/namespace/name field: message` and knows no help, so the message holds the
remedy too.  It shows four lines of stderr and no more, kustomize and Argo CD show nothing but stderr: one line a problem, the
worst first.

Source: KRM Functions Specification v1, `results`.
"""

from __future__ import annotations

from krm_fn.report.text import MAX_SHOWN, neutral, sentence, summary_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from krm_fn.report.diagnostic import Diagnostic


def results(diagnostics: Sequence[Diagnostic]) -> list[dict[str, Any]]:
    """
    The list `results` of a ResourceList. `severity` is always set: hosts disagree on what a missing one means.

    `field` is written only beside a `resourceRef`, as the specification asks; the code of the problem is the tag `code`.
    """
    return [_result(diagnostic) for diagnostic in diagnostics]


def _result(diagnostic: Diagnostic) -> dict[str, Any]:
    result: dict[str, Any] = {"message": neutral(sentence(diagnostic)), "severity": diagnostic.severity}
    subject = diagnostic.subject
    if subject is not None and subject.api_version and subject.kind and subject.name:
        result["resourceRef"] = {"apiVersion": subject.api_version, "kind": subject.kind, "name": subject.name}
        if subject.namespace:
            result["resourceRef"]["namespace"] = subject.namespace
        if diagnostic.where:
            result["field"] = {"path": diagnostic.where}
    position = diagnostic.position
    if position is not None and not position.is_stream:
        result["file"] = {"path": position.file, "index": position.document - 1}
    result["tags"] = {"code": diagnostic.code}
    return result


def lines(diagnostics: Sequence[Diagnostic], *, with_lines: bool = False) -> str:
    """
    `file: severity[code]: Kind/namespace/name field: message; help`, one line each.

    With *with_lines* the file is followed by line and column: not for a ResourceList, whose lines are not those that a person sees
    who opens the file.

    Units:  at most 50; a last line counts the others.
    """
    text = "".join(_line(diagnostic, with_lines=with_lines) for diagnostic in diagnostics[:MAX_SHOWN])
    rest = diagnostics[MAX_SHOWN:]
    return f"{text}and {summary_line(rest)} more\n" if rest else text


def _line(diagnostic: Diagnostic, *, with_lines: bool) -> str:
    position = diagnostic.position
    place = ""
    if position is not None:
        place = f"{neutral(str(position) if with_lines or position.is_stream else position.file)}: "
    culprit = " ".join(neutral(str(part)) for part in (diagnostic.subject, diagnostic.where) if part)
    label = f"{diagnostic.severity}[{diagnostic.code}]"
    return f"{place}{label}: {culprit}{': ' if culprit else ''}{neutral(sentence(diagnostic))}\n"
