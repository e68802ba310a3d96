"""
Files that a render leaves behind: `-o DIR` and `--report FILE`. Written whole or not at all.

Enters: finished texts with relative paths that `emit.marks` made.  `DIR/.rookery` lists what the last run wrote; what it lists
and this run does not make is removed, and nothing else ever is.
"""

from __future__ import annotations

import errno
import os

from krm_fn.report.diagnostic import Diagnostic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

INDEX = ".rookery"
_TOP = "kustomization.yaml"
"""The only file that a target has right in the directory."""
_LARGEST_INDEX = 1 << 27
"""In characters."""
_DEEPEST = 4
"""Folders and the file itself: an instance, a layer, a nested instance, an object."""


def write_report(path: str, instances: list[dict[str, Any]]) -> None:
    import json

    from krm_fn.emit.report import document

    _replace(path, json.dumps(document(instances), indent=2, ensure_ascii=False) + "\n")


def write_file(path: str, text: str) -> None:
    """Write one file in one step. Errors: OSError that names it."""
    _replace(path, text)


def write_directory(directory: str, files: Sequence[tuple[str, str]]) -> None:
    """Write the files below *directory*, each in one step, then drop those of an earlier run that are gone."""
    os.makedirs(directory, exist_ok=True)
    earlier = read_index(directory)
    wanted = [path for path, _ in files]
    # Until the run is complete the index lists both, so that a killed run leaves nothing that a later one cannot remove.
    _replace(os.path.join(directory, INDEX), "".join(f"{path}\n" for path in sorted({*earlier, *wanted})))
    for path, text in files:
        target = os.path.join(directory, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        _replace(target, text)
    for path in sorted(earlier - set(wanted)):
        target = os.path.join(directory, path)
        if os.path.isfile(target) and not os.path.islink(target):
            os.remove(target)
        folder = os.path.dirname(path)
        while (
            folder
            and os.path.isdir(os.path.join(directory, folder))
            and not os.listdir(os.path.join(directory, folder))
        ):
            os.rmdir(os.path.join(directory, folder))
            folder = os.path.dirname(folder)
    _replace(os.path.join(directory, INDEX), "".join(f"{path}\n" for path in sorted(wanted)))


def read_index(directory: str) -> set[str]:
    """
    The paths of the last run; none if there was none. Errors: OSError.

    A line that could lead elsewhere than a few folders down is none of ours.
    """
    path = os.path.join(directory, INDEX)
    if os.path.exists(path) and not os.path.isfile(path):
        raise OSError(errno.EINVAL, "it is no file", path)
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.read(_LARGEST_INDEX).split("\n")
    except FileNotFoundError:
        return set()
    return {line for line in lines if line == _TOP or _is_below(line)}


def _is_below(line: str) -> bool:
    parts = line.split("/")
    return 1 < len(parts) <= _DEEPEST and not any(part.startswith(".") or not part for part in parts)


def _replace(path: str, text: str) -> None:
    """Write a file in one step. Errors: OSError that names *path*, whatever step failed; nothing is left behind."""
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        with open(temporary, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.replace(temporary, path)
    except OSError as error:
        if os.path.exists(temporary):
            os.remove(temporary)
        raise OSError(error.errno, error.strerror, path) from None


def cannot_write(error: OSError) -> Diagnostic:
    """Why the output is not there."""
    return Diagnostic(
        "cannot-write",
        f"{error.filename or 'the output'} cannot be written: {(error.strerror or str(error)).lower()}",
    )
