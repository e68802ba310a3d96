"""
The one record of a problem, and the exception that carries problems to the edge of the program.

Enters: facts that a room found wrong.  Leaves: `Diagnostic` records, sorted.  Not known here: how they are shown
(`report.text`, `report.krm`), nor which room found them.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

ERROR = "error"
WARNING = "warning"
INFO = "info"
_RANK = {ERROR: 0, WARNING: 1, INFO: 2}


class Position:
    """A place in a source. Lines, columns and documents count from 1; columns count code points."""

    __slots__ = ("column", "document", "file", "line", "text")

    def __init__(self, file: str, document: int, line: int, column: int, text: str = "") -> None:
        self.file = file
        self.document = document
        self.line = line
        self.column = column
        self.text = text
        """The source line itself, for the excerpt; empty where it is not known or must not be shown."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def sort_key(self) -> tuple[str, int, int, int]:
        return (self.file, self.document, self.line, self.column)


class Subject:
    """The Kubernetes object that a problem is about."""

    __slots__ = ("api_version", "kind", "name", "namespace")

    def __init__(self, api_version: str, kind: str, name: str, namespace: str = "") -> None:
        self.api_version = api_version
        self.kind = kind
        self.name = name
        self.namespace = namespace

    def __str__(self) -> str:
        return f"{self.kind}/{self.namespace}/{self.name}" if self.namespace else f"{self.kind}/{self.name}"


class Diagnostic:
    """
    One problem.

    code: kebab-case name of the defect, stable, never reused.  message: one line, lower case, culprit first, no period.
    span: length of the offending text in code points (0: a point).  where: the path inside the object (`spec.replicas`).
    help: what to do, when that is known.
    """

    __slots__ = ("code", "help", "message", "position", "severity", "span", "subject", "where")

    def __init__(
        self,
        code: str,
        message: str,
        *,
        severity: str = ERROR,
        position: Position | None = None,
        span: int = 0,
        where: str = "",
        subject: Subject | None = None,
        help: str = "",  # noqa: A002 - the word that users see
    ) -> None:
        self.code = code
        self.message = message
        self.severity = severity
        self.position = position
        self.span = span
        self.where = where
        self.subject = subject
        self.help = help

    def __repr__(self) -> str:
        return f"<{self.position or '-'}: {self.severity}[{self.code}]: {self.message}>"

    def sort_key(self) -> tuple[object, ...]:
        place = self.position.sort_key() if self.position else ("\U0010ffff", 0, 0, 0)
        return (_RANK[self.severity], *place, self.code, self.message)


class RenderError(Exception):
    """The run is refused. Carries every problem that is known, errors first; nothing may be written to stdout."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = sorted(diagnostics, key=Diagnostic.sort_key)
        super().__init__("; ".join(d.message for d in self.diagnostics))
