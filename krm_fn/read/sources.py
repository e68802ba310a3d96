"""
Files to documents: the only module that looks at the file system.

Enters: paths as the user gave them.  Leaves: the documents of all files, in the order of the paths and, inside a directory, of
names (as kpt walks), or a `RenderError` with the problems of *all* files.  Not known here: what a document is for.

Nothing outside the given paths is read: a symbolic link that leads out of them is an error.  Every file is read once, whatever
the number of ways to it, so links that form a loop do no harm.  A pipe or a device is refused before it can
block.

Bounds: 64 MiB a file, 256 MiB and 100,000 files in all.
"""

from __future__ import annotations

import os
import stat

from krm_fn.read.yaml import MAX_TEXT, Document, Source, parse_documents
from krm_fn.report.diagnostic import Diagnostic, Position, RenderError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from krm_fn.read.ignore import IgnoreFile

SUFFIXES = (".yaml", ".yml", ".json")
STDIN = "-"
STDIN_NAME = "<stdin>"
PACKAGE_FILE = "Kptfile"
IGNORE_FILE = ".krmignore"
MAX_TOTAL = 256 * 1024 * 1024
MAX_FILES = 100_000
_OPEN_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_MARKS = (
    (b"\xef\xbb\xbf", ""),
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)


def read_sources(paths: Sequence[str], stdin: Callable[[], bytes]) -> list[Document]:
    """
    Read all documents below the paths: files, directories (`*.yaml`, `*.yml`, `*.json`, recursively), `-` for *stdin*.

    Hidden files and directories and what `.krmignore` names are left out; a path that is named itself is always read.
    Errors: file-not-found, file-unreadable, special-file, symlink-outside, yaml-encoding, input-too-large, and those of
            `parse_documents`; all problems of all files at once.
    """
    walk = _Walk(paths)
    documents: list[Document] = []
    for path in paths:
        if path == STDIN:
            walk.read_once(STDIN, STDIN_NAME, stdin, documents)
        else:
            walk.visit(path, documents)
    if walk.problems:
        raise RenderError(walk.problems)
    return documents


def decode(data: bytes, name: str) -> str:
    """
    The text of an input's bytes, a byte order mark included.

    Errors: yaml-encoding for anything but UTF-8 text.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            if encoding:
                raise RenderError([_encoding(name, f"{name} is {encoding} text")])
            break
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        if b"\0" in data:
            raise RenderError([_encoding(name, f"{name} is a binary file")]) from None
        position = Source(name, data[: error.start].decode() + "\ufffd").position(_last(data, error.start), 0)
        raise RenderError(
            [_encoding(name, f"the byte 0x{data[error.start]:02x} is not valid UTF-8", position=position)]
        ) from None
    if "\0" in text:
        raise RenderError([_encoding(name, f"{name} is a binary file")])
    return text


def shown(path: str) -> str:
    """Write a path for people: control characters and bytes that are no text become escapes."""
    if path.isprintable():
        return path
    return "".join(character if character.isprintable() else _escaped(character) for character in path)


class _Walk:
    """What is common to all paths of one call."""

    __slots__ = ("_files", "_roots", "_seen", "_total", "problems")

    def __init__(self, paths: Sequence[str]) -> None:
        self.problems: list[Diagnostic] = []
        self._roots = [_real(path) for path in paths if path != STDIN]
        self._seen: set[str] = set()
        self._total = 0
        self._files = 0

    def visit(self, path: str, documents: list[Document]) -> None:
        """Read a path that the user named."""
        try:
            is_directory = stat.S_ISDIR(os.stat(path).st_mode)
        except (OSError, ValueError) as error:
            self.problems.append(_unreadable(path, error))
            return
        if is_directory:
            self._visit_directory(path, documents)
        else:
            self._read_file(path, documents)

    def read_once(self, identity: str, name: str, read: Callable[[], bytes], documents: list[Document]) -> None:
        """Read an input by its function, unless it was read before under another name."""
        if identity in self._seen:
            return
        self._seen.add(identity)
        try:
            data = read()
            self._count(len(data))
            documents.extend(parse_documents(decode(data, name), name))
        except RenderError as error:
            self.problems.extend(error.diagnostics)
        except OSError as error:
            self.problems.append(_unreadable(name, error))

    def _visit_directory(self, top: str, documents: list[Document]) -> None:
        """Walk a directory depth first, names sorted; `pending` holds what is to come, the next one last."""
        pending: list[tuple[str, _Scope | None]] = [(top, None)]
        while pending:
            path, scope = pending.pop()
            if scope is not None and self._is_outside(path):
                continue
            if scope is not None and not os.path.isdir(path):
                self._read_file(path, documents)
                continue
            real = _real(path)
            if real in self._seen:
                continue
            self._seen.add(real)
            try:
                names = sorted(os.listdir(path), reverse=True)
            except OSError as error:
                self.problems.append(_unreadable(path, error))
                continue
            if scope is None or PACKAGE_FILE in names:
                scope = self._scope(path)
            pending.extend(
                (name if path == os.curdir else os.path.join(path, name), scope)
                for name in names
                if self._is_wanted(path, name, scope)
            )

    def _is_wanted(self, directory: str, name: str, scope: _Scope) -> bool:
        """Whether an entry of a directory is neither hidden, nor of another kind, nor ignored."""
        if name.startswith("."):
            return False
        path = os.path.join(directory, name)
        if os.path.isdir(path):
            return not scope.ignores(path, is_directory=True)
        return name.endswith(SUFFIXES) and not scope.ignores(path, is_directory=False)

    def _is_outside(self, path: str) -> bool:
        """Whether a link leads out of everything that was given, which is a problem."""
        if not os.path.islink(path):
            return False
        real = _real(path)
        if any(real == root or real.startswith(os.path.join(root, "")) for root in self._roots):
            return False
        self.problems.append(
            Diagnostic(
                "symlink-outside",
                f"{shown(path)} is a link that leads out of the given paths",
                help="name its target as a path, too, or list the link in .krmignore",
            )
        )
        return True

    def _scope(self, directory: str) -> _Scope:
        """The `.krmignore` of a package: it holds for the package, and not for packages inside it."""
        path = os.path.join(directory, IGNORE_FILE)
        if not os.path.lexists(path) or self._is_outside(path):
            return _Scope(directory, None)
        from krm_fn.read.ignore import IgnoreFile

        try:
            return _Scope(directory, IgnoreFile(decode(_read(path), shown(path))))
        except RenderError as error:
            self.problems.extend(error.diagnostics)
        except (OSError, ValueError) as error:
            self.problems.append(_unreadable(path, error))
        return _Scope(directory, None)

    def _read_file(self, path: str, documents: list[Document]) -> None:
        self.read_once(_real(path), shown(path), lambda: _read(path), documents)

    def _count(self, size: int) -> None:
        self._total += size
        self._files += 1
        if self._total > MAX_TOTAL or self._files > MAX_FILES:
            limits = f"{MAX_TOTAL // (1024 * 1024)} MiB in {MAX_FILES:,} files"
            raise RenderError(
                [Diagnostic("input-too-large", f"the input is larger than {limits}", help="name fewer paths")]
            )


class _Scope:
    """A directory whose `.krmignore` holds, if it has one."""

    __slots__ = ("directory", "ignore")

    def __init__(self, directory: str, ignore: IgnoreFile | None) -> None:
        self.directory = directory
        self.ignore = ignore

    def ignores(self, path: str, *, is_directory: bool) -> bool:
        if self.ignore is None:
            return False
        relative = os.path.relpath(path, self.directory).replace(os.sep, "/")
        return self.ignore.matches(relative, is_directory=is_directory)


def _read(path: str) -> bytes:
    """The bytes of a regular file. Errors: special-file, input-too-large, OSError."""
    _require_regular(os.stat(path), path)
    descriptor = os.open(path, _OPEN_FLAGS)
    with open(descriptor, "rb") as file:
        _require_regular(os.fstat(descriptor), path)
        data = file.read(MAX_TEXT + 1)
    if len(data) > MAX_TEXT:
        message = f"{shown(path)} is larger than {MAX_TEXT // (1024 * 1024)} MiB"
        raise RenderError([Diagnostic("input-too-large", message, help="split the file")])
    return data


def _require_regular(status: os.stat_result, path: str) -> None:
    """Refuse pipes, devices and sockets: before they are opened, and again when nothing can change any more."""
    if not stat.S_ISREG(status.st_mode):
        message = f"{shown(path)} is no regular file"
        raise RenderError([Diagnostic("special-file", message, help="pipe its content to '-'")])


def _real(path: str) -> str:
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):
        return path


def _unreadable(path: str, error: Exception) -> Diagnostic:
    name = shown(path)
    if isinstance(error, FileNotFoundError | ValueError):
        if os.path.islink(path):
            return Diagnostic(
                "file-not-found", f"{name} is a link to nothing", help="remove the link, or its target is missing"
            )
        return Diagnostic("file-not-found", f"{name} does not exist", help="check the path")
    reason = (getattr(error, "strerror", None) or str(error)).lower()
    return Diagnostic("file-unreadable", f"{name} cannot be read: {reason}", help="check the permissions")


def _encoding(name: str, message: str, *, position: Position | None = None) -> Diagnostic:
    where = position or Position(name, 1, 1, 1)
    return Diagnostic("yaml-encoding", message, position=where, help="save the file as UTF-8 text")


def _last(data: bytes, end: int) -> int:
    return len(data[:end].decode())


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a file name that is not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")
