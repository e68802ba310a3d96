"""
The one record of a problem, and the exception that carries problems to the edge of the program.

Enters: facts that a room found wrong.  Leaves: `Diagnostic` records, in the order in which they are shown.  Not known here: how
they are shown (`report.text`, `report.krm`, `report.formats`), nor which room found them.
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

    @property
    def is_stream(self) -> bool:
        """Whether nobody has a file of this name; a stream's name stands in angle brackets."""
        return self.file.startswith("<")

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
        return "/".join(part for part in (self.kind, self.namespace, self.name) if part)


class Diagnostic:
    """
    One problem.

    code: kebab-case name of the defect, stable, never reused, listed in `report.catalogue`.  message: one line, lower case, culprit first, no period.
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

    @property
    def length(self) -> int:
        """As much of `span` as stands on the position's own line, as far as that is known."""
        position = self.position
        if position is None or not position.text:
            return self.span
        return max(0, min(self.span, len(position.text) + 1 - position.column))

    def __repr__(self) -> str:
        return f"<{self.position or '-'}: {self.severity}[{self.code}]: {self.message}>"

    def sort_key(self) -> tuple[object, ...]:
        from krm_fn.report.catalogue import rank

        place = self.position.sort_key() if self.position else ("\U0010ffff", 0, 0, 0)
        return (_RANK[self.severity], rank(self.code), *place, self.code, self.message)


def arranged(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """
    In the order in which they are shown: errors before warnings before notes, causes before consequences, then by place.

    What is said twice is shown once. Of two problems at one place the one of an earlier group of the catalogue hides the other,
    which may follow from it; a warning hides no error.
    """
    ordered = sorted(diagnostics, key=Diagnostic.sort_key)
    if len(ordered) < 2:
        return ordered
    from krm_fn.report.catalogue import rank

    shown: list[Diagnostic] = []
    said: set[tuple[object, ...]] = set()
    first: dict[tuple[object, ...], int] = {}
    for found in ordered:
        place = found.position.sort_key() if found.position else None
        # Not by the path: a YAML alias makes many of one place.
        own = (place or found.where, found.code, found.message, str(found.subject))
        if own in said or (place and first.setdefault((place, found.where), rank(found.code)) < rank(found.code)):
            continue
        said.add(own)
        shown.append(found)
    return shown


class RenderError(Exception):
    """The run is refused. Carries every problem that is known, errors first; nothing may be written to stdout."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = arranged(diagnostics)
        super().__init__("; ".join(d.message for d in self.diagnostics))
