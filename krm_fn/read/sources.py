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
    from collections.abc import Callable, Iterator, Sequence

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
            walk.read_stdin(stdin, documents)
        else:
            walk.visit(path, documents)
    if walk.problems:
        raise RenderError(walk.problems)
    return documents


def read_observed(paths: Sequence[str], stdin: Callable[[], bytes]) -> list[Document]:
    """
    Read what was seen in a cluster: as `read_sources`, but no path may lead to nothing.

    Errors: those of `read_sources`; snapshot-unreadable for a file that holds no object, since it was cut off.
    """
    documents = read_sources(paths, stdin)
    names = {document.source.name for document in documents}
    files = {_real(name) for name in names}  # one that is named twice has its documents under the first name
    problems = [
        Diagnostic(
            "snapshot-unreadable",
            f"{shown(path)} holds nothing: it was cut off",
            help="run `rookery observe` again, or take the file from Git as it was",
        )
        for path in dict.fromkeys(paths)
        if not os.path.isdir(path)
        and (STDIN_NAME if path == STDIN else shown(path)) not in names
        and (path == STDIN or _real(path) not in files)
    ]
    if problems:
        raise RenderError(problems)
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

    __slots__ = ("_files", "_is_full", "_roots", "_seen", "_total", "problems")

    def __init__(self, paths: Sequence[str]) -> None:
        self.problems: list[Diagnostic] = []
        self._roots = [_real(path) for path in paths if path != STDIN]
        self._seen: set[str] = set()
        self._total = 0
        self._files = 0
        self._is_full = False

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
            self._read_file(path, _real(path), documents)

    def read_stdin(self, stdin: Callable[[], bytes], documents: list[Document]) -> None:
        """Read `-`."""
        try:
            self.read_once(STDIN, STDIN_NAME, stdin, documents)
        except OSError as error:
            self.problems.append(_unreadable(STDIN_NAME, error))

    def read_once(self, identity: str, name: str, read: Callable[[], bytes], documents: list[Document]) -> None:
        """Read an input by its function, unless it was read before under another name. Errors: OSError."""
        if identity in self._seen or self._is_full:
            return
        self._seen.add(identity)
        try:
            data = read()
            self._count(len(data))
            documents.extend(parse_documents(decode(data, name), name))
        except RenderError as error:
            self.problems.extend(error.diagnostics)

    def _visit_directory(self, top: str, documents: list[Document]) -> None:
        """Walk a directory depth first, names sorted; `pending` holds what is to come, the next one last."""
        pending = [_Entry(top, _real(top), None, is_directory=True)]
        while pending:
            entry = pending.pop()
            if not entry.is_directory:
                self._read_file(entry.path, entry.real, documents)
                continue
            if entry.real in self._seen:
                continue
            self._seen.add(entry.real)
            try:
                with os.scandir(entry.path) as found:
                    inside = sorted(found, key=lambda inner: inner.name, reverse=True)
            except OSError as error:
                self.problems.append(_unreadable(entry.path, error))
                continue
            scope = entry.scope
            if scope is None or any(inner.name == PACKAGE_FILE for inner in inside):
                scope = self._scope(entry.path)
            pending.extend(self._wanted(entry, inside, scope))

    def _wanted(self, directory: _Entry, inside: list[os.DirEntry[str]], scope: _Scope) -> Iterator[_Entry]:
        """The entries of a directory that are neither hidden, nor of another kind, nor ignored, nor led out of the given paths."""
        for inner in inside:
            name, is_directory = inner.name, inner.is_dir()
            path = name if directory.path == os.curdir else os.path.join(directory.path, name)
            if name.startswith(".") or not (is_directory or name.endswith(SUFFIXES)):
                continue
            if scope.ignores(path, is_directory=is_directory):
                continue
            real = os.path.join(directory.real, name)
            if inner.is_symlink():
                real = _real(path)
                if self._is_outside(path, real):
                    continue
            yield _Entry(path, real, scope, is_directory=is_directory)

    def _is_outside(self, path: str, real: str) -> bool:
        """Whether a link leads out of everything that was given, which is a problem."""
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
        if not os.path.lexists(path) or self._is_outside(path, _real(path)):
            return _Scope(directory, None)
        from krm_fn.read.ignore import IgnoreFile

        try:
            return _Scope(directory, IgnoreFile(decode(_read(path), shown(path))))
        except RenderError as error:
            self.problems.extend(error.diagnostics)
        except (OSError, ValueError) as error:
            self.problems.append(_unreadable(path, error))
        return _Scope(directory, None)

    def _read_file(self, path: str, real: str, documents: list[Document]) -> None:
        try:
            self.read_once(real, shown(path), lambda: _read(path), documents)
        except OSError as error:
            self.problems.append(_unreadable(path, error))

    def _count(self, size: int) -> None:
        self._total += size
        self._files += 1
        if self._total > MAX_TOTAL or self._files > MAX_FILES:
            self._is_full = True
            limits = f"{MAX_TOTAL // (1024 * 1024)} MiB in {MAX_FILES:,} files"
            message = f"the input is larger than {limits}"
            raise RenderError([Diagnostic("input-too-large", message, help="name fewer paths")])


class _Entry:
    """A file or directory that is still to be read. scope: none for a path that the user named."""

    __slots__ = ("is_directory", "path", "real", "scope")

    def __init__(self, path: str, real: str, scope: _Scope | None, *, is_directory: bool) -> None:
        self.path = path
        self.real = real
        self.scope = scope
        self.is_directory = is_directory


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
        return Diagnostic("file-not-found", f"{name} does not exist", help=_meant(path) or "check the path")
    reason = (getattr(error, "strerror", None) or str(error)).lower()
    return Diagnostic("file-unreadable", f"{name} cannot be read: {reason}", help="check the permissions")


def _meant(path: str) -> str:
    """The file or folder beside it whose name is like that of a path that leads to nothing."""
    from krm_fn.report.near import closest

    folder, name = os.path.split(path)
    try:
        near = closest(name, sorted(os.listdir(folder or os.curdir)))
    except (OSError, ValueError):
        return ""
    return f"did you mean {shown(os.path.join(folder, near))}?" if near else ""


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
