"""
kustomize: which part the function plays in a build, and the sources that its config names or holds.

Enters: the items, the functionConfig, a `Request`.  Leaves: the host, documents, or a RenderError with every problem.  Not known
here: rendering, what becomes of items.

kustomize runs a function as one of three, and says nowhere as which:

    generator     the list holds one item, the function's own config; sources are what the config names (`paths`) or holds
                  (`resources`)
    transformer   the list holds all resources of the build so far, each with kustomize's id; sources are among them, and in
                  the config as well
    validator     as a transformer; only the config can tell (`validator`)

Paths are relative to the folder of the kustomization: kustomize makes that the working directory.  Its rule that files stay below
it does not hold for functions, and definitions that several overlays share lie above; so the Git repository around the folder is
the limit, or $ROOKERY_ROOT, or the folder itself where there is neither (in a container: the mounted folder).
"""

from __future__ import annotations

import os
import re

from krm_fn.function.packages import marks_of, same, without_place
from krm_fn.read.resource_list import ListItem
from krm_fn.read.sources import read_observed, read_sources, shown
from krm_fn.report.diagnostic import Diagnostic, RenderError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from krm_fn.function.config import Request
    from krm_fn.function.packages import Item
    from krm_fn.read.resource_list import ResourceList
    from krm_fn.read.yaml import Document

KPT, GENERATOR, TRANSFORMER = "kpt", "generator", "transformer"
"""The hosts. kpt stands for whoever hands over the files of a package, and takes them back."""

_ID = "kustomize.config.k8s.io/id"
_FUNCTIONS = ("config.kubernetes.io/function", "config.k8s.io/function")
_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_UNFIT = re.compile("[\x7f-\x9f\ufffe\uffff]")
"""What kustomize cannot print: it fails with a dump of the object, or writes U+0085 such that it is read as a blank."""
_TOOLS_OWN = ("kustomize.config.k8s.io/", "fn.rookery.dev/")


def find_host(items: Sequence[Item], config: Item | None) -> str:
    """Who runs the function, by what the list looks like."""
    if any(_ID in item.annotations for item in items):
        return TRANSFORMER
    if config is None or config.path or not any(key in config.annotations for key in _FUNCTIONS):
        return KPT
    if not items:
        return TRANSFORMER
    [first, *others] = items
    if not others and not first.path and same(without_place(first), without_place(config)):
        return GENERATOR
    return KPT


class Named:
    """What the config names or holds. observed: None where it says nothing of observed objects."""

    __slots__ = ("crds", "observed", "sources")

    def __init__(
        self,
        sources: Sequence[Document] = (),
        crds: Sequence[Document] = (),
        observed: Sequence[Document] | None = None,
    ) -> None:
        self.sources = sources
        self.crds = crds
        self.observed = observed


def read_named(request: Request, given: ResourceList, environment: Mapping[str, str]) -> Named:
    """
    The sources beside the items.

    Errors: `path-outside`, and those of `read_sources`, of all fields at once.
    """
    reader = _Reader(environment.get("ROOKERY_ROOT", ""))
    paths = reader.read("paths", request.paths)
    crds = reader.read("crds", request.crds)
    observed = reader.read("observed", request.observed, read_observed) if request.observed else None
    if reader.problems:
        raise RenderError(reader.problems)
    inline = [
        ListItem(given.document, ("functionConfig", "spec", "resources", i), value, (0, 0), "")
        for i, value in enumerate(request.resources)
    ]
    return Named([*filter(_is_source, paths), *inline], crds, observed)


class _Reader:
    """The files below one folder, the limit, and what is wrong with them."""

    def __init__(self, given: str) -> None:
        self.problems: list[Diagnostic] = []
        self.what = "$ROOKERY_ROOT" if given else "the Git repository around the kustomization"
        root = given or _repository()
        if not root:
            root, self.what = os.curdir, "the kustomization's folder, which is in no Git repository"
        self.root = os.path.realpath(root)

    def read(
        self, field: str, paths: Sequence[str], read: Callable[..., list[Document]] = read_sources
    ) -> list[Document]:
        inside = os.path.join(self.root, "")
        known = len(self.problems)
        for path in paths:
            if "\0" in path:
                continue  # read_sources says that there is no such file
            if not os.path.join(os.path.realpath(path), "").startswith(inside):
                self.problems.append(
                    Diagnostic(
                        "path-outside",
                        f"{shown(path)} leads out of {self.what}",
                        where=f"spec.{field}",
                        help="copy the file, or set ROOKERY_ROOT to the folder that no path may leave",
                    )
                )
        if len(self.problems) > known:
            return []
        try:
            # A file may be called -; stdin has been read already.
            return read([os.path.join(os.curdir, path) if path == "-" else path for path in paths], bytes)
        except RenderError as error:
            self.problems += error.diagnostics
            return []


def _repository() -> str:
    """The nearest folder upwards that holds `.git` (a file in worktrees and submodules); empty where there is none."""
    folder = os.getcwd()
    while not os.path.lexists(os.path.join(folder, ".git")):
        above = os.path.dirname(folder)
        if above == folder:
            return ""
        folder = above
    return folder


def _is_source(document: Document) -> bool:
    """Whether a document below a path is for us: no file of kustomize's, no config of the function, no output of ours."""
    if os.path.basename(document.source.name) in _KUSTOMIZATIONS or marks_of(document) is not None:
        return False
    api_version = document.value.get("apiVersion") if isinstance(document.value, dict) else ""
    return not (isinstance(api_version, str) and api_version.startswith(_TOOLS_OWN))


def find_unfit(value: Any) -> tuple[tuple[str | int, ...], str] | None:
    """Where an object has a character that kustomize cannot carry, and which."""
    pending: list[tuple[tuple[str | int, ...], Any]] = [((), value)]
    while pending:
        path, part = pending.pop()
        if isinstance(part, dict):
            pending += (((*path, key), key) for key in part)
            pending += (((*path, key), inner) for key, inner in part.items())
        elif isinstance(part, list):
            pending += (((*path, i), inner) for i, inner in enumerate(part))
        elif isinstance(part, str):
            found = _UNFIT.search(part)
            if found is not None:
                return path, f"U+{ord(found[0]):04X}"
    return None
