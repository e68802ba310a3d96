"""
Files of an earlier revision to documents: the only module that runs a program, and the program is git.

Enters: paths as the user gave them, and the name of a revision.  Leaves: the documents that stood below those paths then, and what
could not be read.  Not known here: what a document is for.

git is asked for objects alone (`rev-parse`, `ls-tree`, `cat-file`), with fixed arguments and no shell: no hook, filter or pager runs,
nothing is fetched, nothing is written. What is read below a path is what `read.sources` would read there: hidden files and
what `.krmignore` names are left out. Links and submodules are, too.

Bounds: those of `read.sources`, and one minute for each question to git.
"""

from __future__ import annotations

import os

from krm_fn.read.sources import IGNORE_FILE, MAX_FILES, MAX_TOTAL, PACKAGE_FILE, STDIN, SUFFIXES, decode, shown
from krm_fn.read.yaml import MAX_TEXT, Document, parse_documents
from krm_fn.report.diagnostic import WARNING, Diagnostic, RenderError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from krm_fn.read.ignore import IgnoreFile

MAX_REVISION = 1000
MAX_NAME = 4096
"""In bytes; a longer name cannot be a file."""
_SECONDS = 60
_GIT = ("git", "--no-pager", "--literal-pathspecs", "-c", "protocol.allow=never", "-c", "core.quotePath=false")
_OF_A_HOOK = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_NAMESPACE")
"""What git tells the hooks that it runs. The repository is the one that the paths live in."""
_QUIET = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1"}


class Blob:
    """A file of a tree. size: in bytes; name: from the root of the repository, with slashes."""

    __slots__ = ("id", "name", "size")

    def __init__(self, id: str, size: int, name: str) -> None:  # noqa: A002
        self.id = id
        self.size = size
        self.name = name


def read_revision(
    paths: Sequence[str], revision: str, environment: Mapping[str, str]
) -> tuple[list[Document], list[Diagnostic]]:
    """
    Read what stood below *paths* at *revision*; the second part is what was not there, or could not be read, as warnings.

    Errors: revision-unusable, revision-not-found, no-repository, git-missing, git-failed, input-too-large.
    """
    if not revision or revision[0] == "-" or len(revision) > MAX_REVISION or not revision.isprintable():
        raise RenderError(
            [
                Diagnostic(
                    "revision-unusable",
                    f"{shown(revision[:80])!r} is no name of a revision",
                    help="give a file, a directory, or a branch, tag or commit",
                )
            ]
        )
    reading = _Reading(revision, environment)
    for path in paths:
        reading.visit(path)
    return reading.documents, reading.problems


class _Reading:
    """What is common to all paths of one call. `commits`: by the root of the repository."""

    __slots__ = ("commits", "documents", "environment", "problems", "revision", "seen", "total")

    def __init__(self, revision: str, environment: Mapping[str, str]) -> None:
        self.revision = revision
        self.environment = {k: v for k, v in environment.items() if k not in _OF_A_HOOK} | _QUIET
        self.commits: dict[str, str] = {}
        self.seen: set[tuple[str, str]] = set()
        self.total = 0
        self.documents: list[Document] = []
        self.problems: list[Diagnostic] = []

    def visit(self, path: str) -> None:
        """Read a path that the user named."""
        if path == STDIN:
            raise RenderError(
                [
                    Diagnostic(
                        "no-repository",
                        f"{shown(self.revision)} is no file or directory, and stdin has no revisions",
                        help="compare it with a file or a directory",
                    )
                ]
            )
        real = os.path.realpath(path)
        folder, name = (real, "") if os.path.isdir(real) else os.path.split(real)
        root, prefix = self._repository(folder, path)
        wanted = (prefix + name).rstrip("/")
        arguments = ["ls-tree", "-r", "-z", "--long", "--full-tree", self._commit(root)]
        listed = _blobs(self._git(root, *arguments, *(["--", wanted] if wanted else [])))
        if not listed:
            self.problems.append(
                Diagnostic(
                    "path-not-in-revision",
                    f"{shown(path)} is not in {shown(self.revision)}: what it holds counts as new",
                    severity=WARNING,
                    help="if it was moved, name a directory that it lived in then and lives in now",
                )
            )
        self._read(root, [blob for blob in self._kept(listed, wanted, root) if (root, blob.name) not in self.seen])

    def _repository(self, folder: str, path: str) -> tuple[str, str]:
        """The root of the repository that *folder* lives in, and the way from there, with a slash at its end."""
        try:
            text = self._git(folder, "rev-parse", "--show-toplevel", "--show-prefix")
        except _GitError as error:
            raise RenderError(
                [
                    Diagnostic(
                        "no-repository",
                        f"{shown(self.revision)} is no file or directory, and {shown(path)} has no revisions: {error.said}",
                        help="check the name; without a git repository, compare with a file or a directory",
                    )
                ]
            ) from None
        root, _, prefix = os.fsdecode(text).rstrip("\n").partition("\n")
        return root, prefix

    def _commit(self, root: str) -> str:
        """The id of the commit that the revision names."""
        if root not in self.commits:
            try:
                text = self._git(root, "rev-parse", "--verify", "--quiet", f"{self.revision}^{{commit}}").strip()
            except _GitError:
                text = b""
            if not text.isalnum():  # `^main` is an answer, and no commit
                raise RenderError(
                    [
                        Diagnostic(
                            "revision-not-found",
                            f"{shown(self.revision)} is no file or directory, and no revision of the repository {shown(root)}",
                            help="check the name; a shallow clone has only its newest commits: fetch the one to compare with",
                        )
                    ]
                )
            self.commits[root] = text.decode("ascii")
        return self.commits[root]

    def _kept(self, blobs: list[Blob], top: str, root: str) -> Iterator[Blob]:
        """Those that `read.sources` would read below *top*; *top* itself if it is a file."""
        start = f"{top}/" if top else ""
        below = {blob.name[len(start) :]: blob for blob in blobs if blob.name.startswith(start)}
        yield from (blob for blob in blobs if blob.name == top)
        if not below:
            return
        ignored = _Ignored(below, self._ignore_files(root, below))
        for name, blob in below.items():
            if (
                name.endswith(SUFFIXES)
                and not any(part.startswith(".") for part in name.split("/"))
                and name not in ignored
            ):
                yield blob

    def _ignore_files(self, root: str, below: Mapping[str, Blob]) -> dict[str, IgnoreFile]:
        """The `.krmignore` of each directory that has one."""
        from krm_fn.read.ignore import IgnoreFile

        found = {name: blob for name, blob in below.items() if name.rpartition("/")[2] == IGNORE_FILE}
        texts = self._contents(root, list(found.values()))
        return {
            name.rpartition("/")[0]: IgnoreFile(text.decode(errors="replace"))
            for name, text in zip(found, texts, strict=True)
        }

    def _read(self, root: str, blobs: list[Blob]) -> None:
        self.seen.update((root, blob.name) for blob in blobs)
        for blob, data in zip(blobs, self._contents(root, blobs), strict=True):
            name = shown(f"{self.revision}:{blob.name}")
            try:
                self.documents += parse_documents(decode(data, name), name)
            except RenderError as error:
                for problem in error.diagnostics:
                    problem.severity = WARNING  # the past cannot be mended
                self.problems += error.diagnostics

    def _contents(self, root: str, blobs: list[Blob]) -> list[bytes]:
        """The bytes of each blob. Errors: input-too-large."""
        self.total += sum(blob.size for blob in blobs)
        if any(blob.size > MAX_TEXT for blob in blobs) or self.total > MAX_TOTAL or len(self.seen) > MAX_FILES:
            limits = (
                f"{MAX_TEXT // (1024 * 1024)} MiB a file and {MAX_TOTAL // (1024 * 1024)} MiB in {MAX_FILES:,} files"
            )
            raise RenderError(
                [
                    Diagnostic(
                        "input-too-large", f"{shown(self.revision)} holds more than {limits}", help="name fewer paths"
                    )
                ]
            )
        if not blobs:
            return []
        answer = self._git(root, "cat-file", "--batch", asked="".join(f"{blob.id}\n" for blob in blobs).encode())
        contents: list[bytes] = []
        at = 0
        for blob in blobs:
            header = f"{blob.id} blob {blob.size}\n".encode("ascii")
            if not answer.startswith(header, at):
                raise RenderError(
                    [Diagnostic("git-failed", f"git does not have {shown(blob.name)} at {self.revision}")]
                )
            at += len(header)
            contents.append(answer[at : at + blob.size])
            at += blob.size + 1
        return contents

    def _git(self, folder: str, *arguments: str, asked: bytes = b"") -> bytes:
        """What git prints. Errors: git-missing, git-failed; `_GitError` where git refuses."""
        import subprocess

        command = [*_GIT, "-C", folder, *arguments]
        try:
            done = subprocess.run(  # noqa: S603 - a fixed program, no shell, no argument that begins with a dash from outside
                command, input=asked, capture_output=True, env=self.environment, timeout=_SECONDS, check=False
            )
        except FileNotFoundError:
            message = "git is not installed, or not on the PATH"
            raise RenderError([Diagnostic("git-missing", message, help="compare with a file or a directory")]) from None
        except (OSError, subprocess.TimeoutExpired, ValueError) as error:
            raise RenderError([Diagnostic("git-failed", f"git does not answer: {error}")]) from None
        if done.returncode:
            raise _GitError(done.stderr)
        return done.stdout


class _GitError(RenderError):
    """git says no. said: its first line."""

    def __init__(self, output: bytes) -> None:
        lines = output.decode(errors="replace").strip().splitlines()
        self.said = shown(lines[0].removeprefix("fatal: ") if lines else "git gives no reason")
        super().__init__([Diagnostic("git-failed", f"git refuses: {self.said}")])


class _Ignored:
    """Whether a `.krmignore` names a file, or a directory above it; each package has its own."""

    __slots__ = ("_directories", "_files", "_packages")

    def __init__(self, names: Mapping[str, Blob], files: Mapping[str, IgnoreFile]) -> None:
        self._files = files
        self._packages = {""} | {name.rpartition("/")[0] for name in names if name.rpartition("/")[2] == PACKAGE_FILE}
        self._directories: dict[str, bool] = {"": False}

    def __contains__(self, name: str) -> bool:
        return self._holds(name.rpartition("/")[0]) or self._is_named(name, is_directory=False)

    def _holds(self, directory: str) -> bool:
        """Whether the directory, or one above it, is ignored."""
        new = []
        while directory not in self._directories:
            new.append(directory)
            directory = directory.rpartition("/")[0]
        ignored = self._directories[directory]
        for name in reversed(new):
            ignored = self._directories[name] = ignored or self._is_named(name, is_directory=True)
        return ignored

    def _is_named(self, name: str, *, is_directory: bool) -> bool:
        package = name.rpartition("/")[0]
        while package not in self._packages:
            package = package.rpartition("/")[0]
        file = self._files.get(package)
        return file is not None and file.matches(name[len(package) :].lstrip("/"), is_directory=is_directory)


def _blobs(listing: bytes) -> list[Blob]:
    """
    `MODE TYPE ID SIZE<tab>NAME<nul>`... -> regular files; links have mode 120000, submodules no size.

    Errors: git-failed where the repository lacks an object (a partial clone does).
    """
    found: list[Blob] = []
    for line in listing.split(b"\0"):
        about, _, name = line.partition(b"\t")
        fields = about.split()
        if len(fields) == 4 and fields[0].startswith(b"100") and len(name) <= MAX_NAME:
            if not fields[3].isdigit():
                raise RenderError([_lacking(os.fsdecode(name))])
            found.append(Blob(fields[2].decode("ascii"), int(fields[3]), os.fsdecode(name)))
    return found


def _lacking(name: str) -> Diagnostic:
    return Diagnostic("git-failed", f"the repository does not hold {shown(name)} itself", help="fetch it with git")
