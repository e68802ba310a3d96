"""
An application directory that kustomize has the say in: what `kustomize build` prints, instead of the files.

Enters: a directory, the folder that nothing may lead out of, the environment.  Leaves: documents, or a RenderError.

The repository is hostile, so kustomize runs without a shell, without plugins (its default), without helm, and without a way out:
directories that kustomizations name are followed first, and none may leave the repository or be an address; no PATH, so it finds no git;
a proxy that nobody listens at, so an address that was named as a file fails at once. Its own limit keeps files within each
kustomization's folder.  The deadline of the caller ends it.
"""

from __future__ import annotations

import os

from krm_fn.read.sources import decode, read_sources
from krm_fn.read.yaml import parse_documents
from krm_fn.report.diagnostic import Diagnostic, RenderError
from krm_fn.report.text import neutral

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from krm_fn.read.yaml import Document

PROGRAM = "kustomize"
NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_MAX_DIRECTORIES = 1000
_LISTS = ("resources", "bases", "components", "generators", "transformers", "validators")
"""The fields that may name a directory. kustomize's decoder takes them in any case."""
_NOWHERE = "http://127.0.0.1:9"


def find_kustomization(directory: str) -> str:
    """The path of the directory's own kustomization, or an empty string."""
    for name in NAMES:
        path = os.path.normpath(os.path.join(directory, name))
        if os.path.isfile(path):
            return path
    return ""


def build(directory: str, root: str, environment: Mapping[str, str]) -> list[Document]:
    """
    The documents that `kustomize build` makes of *directory*.

    Errors: kustomize-missing, kustomize-failed, kustomize-outside, those of `read_sources` and `parse_documents`.
    """
    import subprocess

    program = _find_program(environment.get("PATH", ""))
    if not program:
        raise RenderError(
            [
                Diagnostic(
                    "kustomize-missing",
                    f"{find_kustomization(directory)} asks for kustomize, which is not on PATH",
                    help="add kustomize to the image of the plugin, or list plain manifests instead",
                )
            ]
        )
    problems = list(_ways_out(directory, root))
    if problems:
        raise RenderError(problems)
    done = subprocess.run(  # noqa: S603 - no shell; the program is an absolute path, the argument a directory that was checked
        [program, "build", os.path.realpath(directory)],
        cwd=directory,
        env={"PATH": "", "HOME": "/nonexistent", "HTTP_PROXY": _NOWHERE, "HTTPS_PROXY": _NOWHERE},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    name = f"kustomize build {directory}"
    if done.returncode != 0:
        said = " ".join(done.stderr.decode("utf-8", "replace").replace(os.path.realpath(root) + "/", "").split())
        raise RenderError(
            [Diagnostic("kustomize-failed", f"{name}: {neutral(said.removeprefix('Error: ')) or 'it was killed'}")]
        )
    return parse_documents(decode(done.stdout, name), name)


def _find_program(path: str) -> str:
    """kustomize on an absolute folder of PATH: a relative one would be in the hostile repository."""
    for folder in path.split(os.pathsep):
        candidate = os.path.join(folder, PROGRAM)
        if os.path.isabs(candidate) and os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            return candidate
    return ""


def _ways_out(top: str, root: str) -> Iterator[Diagnostic]:
    """What the kustomizations reached from *top* name outside the repository."""
    inside = os.path.join(os.path.realpath(root), "")
    seen: set[str] = set()
    pending = [top]
    while pending:
        directory = pending.pop()
        real = os.path.realpath(directory)
        path = find_kustomization(directory)
        if real in seen or not path:
            continue
        seen.add(real)
        if len(seen) > _MAX_DIRECTORIES:
            yield Diagnostic("kustomize-outside", f"{top} leads to more than {_MAX_DIRECTORIES:,} kustomizations")
            return
        for entry, position in _entries(path):
            target = os.path.join(directory, entry)
            if not os.path.isabs(entry) and os.path.join(os.path.realpath(target), "").startswith(inside):
                if os.path.isdir(target):
                    pending.append(target)
                if os.path.exists(target):
                    continue
            yield Diagnostic(
                "kustomize-outside",
                f"{neutral(entry)} is no file or directory of the repository",
                position=position,
                help="nothing is fetched: copy remote bases into the repository",
            )


def _entries(path: str) -> Iterator[tuple[str, Any]]:
    """The paths of a kustomization that may be directories, and where each stands. Inline YAML is none."""
    for document in read_sources([path], bytes):
        if not isinstance(document.value, dict):
            continue
        for field, entries in document.value.items():
            if field.lower() not in _LISTS or not isinstance(entries, list):
                continue
            for i, entry in enumerate(entries):
                if isinstance(entry, str) and "\n" not in entry:
                    yield entry, document.locate((field, i))
