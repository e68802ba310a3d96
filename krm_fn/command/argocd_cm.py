"""
Health checks into an argocd-cm that a person keeps.

Enters: a file, the checks.  Leaves: the file's text with the checks in it.  Not known here: what the checks say.

Comments, order and all other entries stay: ruamel.yaml edits the one document, the rest of the file is copied. A check that somebody wrote by hand is left
alone, wherever argocd-cm may have it; one that we made before is made anew. What comes out is read again and must hold what was
there and the checks, or nothing is printed.
"""

from __future__ import annotations

from krm_fn.command.round_trip import round_trip
from krm_fn.emit.lua.script import is_made_here, makers_of
from krm_fn.read.sources import read_sources
from krm_fn.read.yaml import parse_documents
from krm_fn.report.diagnostic import WARNING, Diagnostic, RenderError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from krm_fn.emit.lua.checks import Check
    from krm_fn.read.yaml import Document

NAME = "argocd-cm"
_OLD_KEY = "resource.customizations"
_FOR_ALL = "resource.customizations.health.all"
_LIMIT = 1024 * 1024
"""Bytes that the entries of a ConfigMap may have together."""


def merged(path: str, checks: Sequence[Check], add: Callable[[Diagnostic], None]) -> str:
    """
    The text of the file at *path* with the checks in its argocd-cm.

    add: takes what stands in the way.  Errors: RenderError.
    """
    documents = read_sources([path], lambda: b"")
    found = [document for document in documents if _is_argocd_cm(document.value)]
    if len(found) != 1:
        message = f"{path} holds {len(found) or 'no'} ConfigMap{'s' if found else ''} argocd-cm"
        advice = "give the file that has Argo CD's one; without --merge the entries are printed alone"
        raise RenderError([Diagnostic("not-argocd-cm", message, help=advice)])
    (document,) = found
    data = document.value.get("data")
    if not (data is None or (isinstance(data, dict) and all(isinstance(value, str) for value in data.values()))):
        raise RenderError([_unlike(document, "the entries of a ConfigMap are texts", "data")])
    data = data or {}
    wanted: dict[str, str] = {}
    problems: list[Diagnostic] = []
    for check in checks:
        in_the_way = next(_in_the_way(check, data), "")
        if in_the_way:
            add(_left_alone(check, document, in_the_way))
        elif lost := sorted({*makers_of(data.get(check.key, ""))} - {*check.makers}):
            problems.append(_of_other_rgds(check, document, lost))
        elif data.get(check.key, "").rstrip("\n") != check.text.rstrip("\n"):
            wanted[check.key] = check.text
    if problems:
        raise RenderError(problems)
    made = {**data, **wanted}
    if sum(len(key.encode()) + len(value.encode()) for key, value in made.items()) > _LIMIT:
        message = "argocd-cm becomes larger than a ConfigMap may be (1 MiB)"
        advice = "leave checks out that nobody waits for, by leaving out their readyWhen"
        raise RenderError([Diagnostic("argocd-cm-too-large", message, position=document.locate(()), help=advice)])
    source = document.source.text
    if not wanted:
        return source
    edited = _edited(document, wanted)
    if not _says(edited, {**document.value, "data": made}, document):
        raise RenderError([_unlike(document, "the entries cannot be merged without changing what it says")])
    return source[: document.start] + edited + source[document.end :]


def _is_argocd_cm(value: Any) -> bool:
    if not isinstance(value, dict) or value.get("kind") != "ConfigMap" or value.get("apiVersion") != "v1":
        return False
    metadata = value.get("metadata")
    return isinstance(metadata, dict) and metadata.get("name") == NAME


def _in_the_way(check: Check, data: dict[str, str]) -> Iterator[str]:
    """The entries that judge the kind already and that somebody wrote by hand."""
    if check.key in data and not is_made_here(data[check.key]):
        yield check.key
    if _FOR_ALL in data:
        yield _FOR_ALL
    if data.get(_OLD_KEY):
        from fnmatch import fnmatchcase

        try:
            (old,) = [document.value for document in parse_documents(data[_OLD_KEY], _OLD_KEY)] or [{}]
        except (RenderError, ValueError):
            old = None
        if not isinstance(old, dict):
            yield f"{_OLD_KEY}, which cannot be read"
            return
        name = f"{check.group}/{check.kind}" if check.group else check.kind
        for pattern, customization in old.items():
            if fnmatchcase(name, pattern) and isinstance(customization, dict) and customization.get("health.lua"):
                yield f"{pattern} in {_OLD_KEY}"


def _edited(document: Document, wanted: dict[str, str]) -> str:
    """The document's text with the entries; empty where it cannot be edited."""
    from io import StringIO

    from ruamel.yaml.error import YAMLError
    from ruamel.yaml.scalarstring import LiteralScalarString

    yaml = round_trip(document.text())
    out = StringIO()
    try:
        edited = yaml.load(document.text())
        if not edited.get("data"):
            edited["data"] = {}
        for key, value in wanted.items():
            edited["data"][key] = LiteralScalarString(value)
        yaml.dump(edited, out)
    except (YAMLError, RecursionError):
        return ""
    return out.getvalue()


def _says(text: str, meant: Any, document: Document) -> bool:
    """Whether *text* is one document, means just that, and has every comment that there was."""
    try:
        again = [each.value for each in parse_documents(text, document.source.name)]
    except RenderError:
        return False
    kept = [line.strip() for line in text.split("\n")]
    return again == [meant] and all(
        line.strip() in kept for line in document.text().split("\n") if line.lstrip().startswith("#")
    )


def _unlike(document: Document, message: str, *path: str) -> Diagnostic:
    return Diagnostic("not-argocd-cm", message, position=document.locate(path), help="merge the entries by hand")


def _left_alone(check: Check, document: Document, entry: str) -> Diagnostic:
    path = ("data", entry) if entry in (check.key, _FOR_ALL) else ("data", _OLD_KEY)
    return Diagnostic(
        "check-in-the-way",
        f"{check.kind} has a health check that was not made here, and keeps it: {entry}",
        severity=WARNING,
        position=document.locate(path, key=True),
        span=len(path[-1]),
        help="Argo CD has one check for a kind: remove this one, or let it ask what readyWhen asks",
    )


def _of_other_rgds(check: Check, document: Document, lost: list[str]) -> Diagnostic:
    return Diagnostic(
        "check-of-other-rgds",
        f"the health check of {check.kind} is for {', '.join(lost)}, too, which is not among the input",
        position=document.locate(("data", check.key), key=True),
        span=len(check.key),
        help="give the paths of all RGDs that make the kind; if those are gone, remove the entry first",
    )
