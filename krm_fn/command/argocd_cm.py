"""
Health checks into an argocd-cm that a person keeps.

Enters: a file, the checks.  Leaves: the file's text with the checks in it.  Not known here: what the checks say, how a file is edited.

A check that somebody wrote by hand is left alone, wherever argocd-cm may have it. Those that we made before are made anew, and go
where nothing asks for them any more: Argo CD would wait for a condition that no RGD has.
"""

from __future__ import annotations

from krm_fn.command.splice import spliced
from krm_fn.emit.lua.script import is_made_here, makers_of
from krm_fn.read.sources import read_sources, shown
from krm_fn.read.yaml import parse_documents
from krm_fn.report.diagnostic import INFO, WARNING, Diagnostic, Position, RenderError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from typing import Any

    from krm_fn.emit.lua.checks import Check
    from krm_fn.read.yaml import Document

NAME = "argocd-cm"
_OLD_KEY = "resource.customizations"
_PREFIX = "resource.customizations.health."
_FOR_ALL = "resource.customizations.health.all"
_HELM = (("configs", "cm"), ("argo-cd", "configs", "cm"))
"""Where the values of Argo CD's chart have the entries, and those of a chart that it is a part of."""
_LIMIT = 1024 * 1024
"""Bytes that the entries of a ConfigMap may have together."""


def merged(path: str, checks: Sequence[Check], makers: Collection[str], add: Callable[[Diagnostic], None]) -> str:
    """
    The text of the file at *path* with the checks in its argocd-cm.

    makers: the kinds of instances of all RGDs of the input.  add: takes what there is to say.  Errors: RenderError.
    """
    documents = read_sources([path], lambda: b"")
    document = _argocd_cm(path, documents)
    data = document.value.get("data")
    if not (data is None or (isinstance(data, dict) and all(isinstance(value, str) for value in data.values()))):
        raise RenderError([_unlike(document, "the entries of a ConfigMap are texts", "data")])
    data = data or {}
    wanted: dict[str, str] = {}
    problems: list[Diagnostic] = []
    current: set[str] = set()
    by_hand: set[str] = set()
    for check in checks:
        in_the_way = next(_in_the_way(check, data), "")
        if in_the_way:
            add(_left_alone(check, document, in_the_way))
            by_hand.add(check.key)
            continue
        current.add(check.key)
        if lost := sorted({*makers_of(data.get(check.key, ""))} - {*check.makers} - {*makers}):
            problems.append(_of_other_rgds(check.key, document, lost))
        elif data.get(check.key, "").rstrip("\n") != check.text.rstrip("\n"):
            wanted[check.key] = check.text
    gone: list[str] = []
    for key, text in data.items():
        if key in current or not key.startswith(_PREFIX) or "*" in key or not (is_made_here(text) and makers_of(text)):
            continue
        lost = sorted({*makers_of(text)} - {*makers})
        if not lost:
            why = f"no readyWhen of {', '.join(makers_of(text))} asks for it any more"
            add(_removed(key, document, "somebody wrote one for the kind" if key in by_hand else why))
            gone.append(key)
        elif len(lost) == len(makers_of(text)):
            add(_kept_for_others(key, document, lost))
        else:
            problems.append(_of_other_rgds(key, document, lost))
    if problems:
        raise RenderError(problems)
    if not wanted and not gone:
        return document.source.text
    made = {key: value for key, value in {**data, **wanted}.items() if key not in gone}
    if wanted and sum(len(key.encode()) + len(value.encode()) for key, value in made.items()) > _LIMIT:
        message = "argocd-cm becomes larger than a ConfigMap may be (1 MiB)"
        advice = "leave checks out that nobody waits for, by leaving out their readyWhen"
        raise RenderError([Diagnostic("argocd-cm-too-large", message, position=document.locate(()), help=advice)])
    of_the_file = [each for each in documents if each.source is document.source]
    text = spliced(of_the_file, document, "data", wanted, gone)
    if text is None:
        raise RenderError([_unlike(document, "the entries cannot be merged without changing what it says")])
    return text


# -- the document -----------------------------------------------------------------------------------------------------


def _argocd_cm(path: str, documents: Sequence[Document]) -> Document:
    """The one document that is argocd-cm. Errors: RenderError."""
    found = [document for document in documents if _is_argocd_cm(document.value)]
    if len(found) == 1:
        return found[0]
    if found:
        message = f"the file has {len(found)} ConfigMaps {NAME}"
        place = ("metadata", "name")
        raise RenderError([_other(message, found[1], place, "give a file that has one: Argo CD reads one", NAME)])
    without = "give the file that has Argo CD's one; without --merge the entries are printed alone"
    message = f"the file has no ConfigMap {NAME}"
    for document in documents:
        value = document.value
        for i, item in enumerate(_items(value)):
            if _is_argocd_cm(item):
                message = f"the file has {NAME} inside a {value['kind']}, which is not read"
                advice = "write the item as a document of its own, with --- between documents"
                raise RenderError([_other(message, document, ("items", i, "metadata", "name"), advice, NAME)])
        for steps in _HELM:
            if isinstance(_at(value, steps), dict):
                advice = f"these are values of a Helm chart: {'.'.join(steps)} takes the entries that are printed without --merge"
                raise RenderError([_other(message, document, steps, advice, steps[-1])])
    if not documents:
        raise RenderError([Diagnostic("not-argocd-cm", message, position=Position(shown(path), 1, 1, 1), help=without)])
    for document in documents:
        name = _at(document.value, ("metadata", "name"))
        if _at(document.value, ("kind",)) == "ConfigMap" and isinstance(name, str):
            raise RenderError([_other(message, document, ("metadata", "name"), without, name)])
    kind = _at(documents[0].value, ("kind",))
    raise RenderError([_other(message, documents[0], ("kind",), without, kind if isinstance(kind, str) else "")])


def _other(message: str, document: Document, path: tuple[str | int, ...], advice: str, culprit: str) -> Diagnostic:
    position = document.locate(path, key=path in _HELM)
    return Diagnostic("not-argocd-cm", message, position=position, span=len(culprit), help=advice)


def _at(value: Any, path: Sequence[str]) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _items(value: Any) -> list[Any]:
    """The objects of a list of Kubernetes'."""
    items = value.get("items") if isinstance(value, dict) and str(value.get("kind")).endswith("List") else None
    return items if isinstance(items, list) else []


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


# -- what there is to say ---------------------------------------------------------------------------------------------


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


def _kind_of(key: str) -> str:
    return key.removeprefix(_PREFIX).rpartition("_")[2]


def _removed(key: str, document: Document, why: str) -> Diagnostic:
    return Diagnostic(
        "check-removed",
        f"the health check of {_kind_of(key)} is removed: {why}",
        severity=INFO,
        position=document.locate(("data", key), key=True),
        span=len(key),
    )


def _kept_for_others(key: str, document: Document, lost: Sequence[str]) -> Diagnostic:
    return Diagnostic(
        "check-of-other-rgds",
        f"the health check of {_kind_of(key)} is for {', '.join(lost)}, which is not among the input, and stays as it is",
        severity=WARNING,
        position=document.locate(("data", key), key=True),
        span=len(key),
        help="give the paths of all RGDs; if those are gone, remove the entry",
    )


def _of_other_rgds(key: str, document: Document, lost: Sequence[str]) -> Diagnostic:
    return Diagnostic(
        "check-of-other-rgds",
        f"the health check of {_kind_of(key)} is for {', '.join(lost)}, too, which is not among the input",
        position=document.locate(("data", key), key=True),
        span=len(key),
        help="give the paths of all RGDs that make the kind; if those are gone, remove the entry first",
    )
