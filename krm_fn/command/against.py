"""
`rookery validate --against`: the APIs of the input beside those of an earlier version.

Enters: a rendering, and the name of a file, a directory or a git revision.  Leaves: a document of what changed, as plain JSON
(`report.changes` shows it), and diagnostics among the rendering's findings.  Not known here: which changes are breaking
(`schema.compatibility`), what kro overlooks (`schema.uncompared`).

An RGD is the same one as before by its name, as in a cluster; its API by the name of its CRD. What kro refuses is an error; what it
does without saying so is a warning.

Source: kro v0.9.3 pkg/client/crd.go Ensure, pkg/controller/resourcegraphdefinition.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from krm_fn.command import UsageError
from krm_fn.command.arguments import choose
from krm_fn.pipeline import Rendering
from krm_fn.program.generated import crd_of
from krm_fn.read.sources import STDIN, read_sources, shown
from krm_fn.report.diagnostic import ERROR, WARNING, Diagnostic, RenderError
from krm_fn.schema.compatibility import Change, Report, compare_versions
from krm_fn.schema.uncompared import TIGHTENS, Immutable, Uncompared, immutable_changes, uncompared

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from krm_fn.command.arguments import Arguments
    from krm_fn.inputs import Entry
    from krm_fn.read.yaml import Document

API_VERSION, KIND = "rookery.dev/v1alpha1", "ChangeReport"
ALLOW = "kro.run/allow-breaking-changes"
MAX_NAMED = 100
"""Changes of one kind that become a diagnostic each; every one holds a line of the source, however long."""

CHANGES_TEXT, CHANGES_JSON, CHANGES_MARKDOWN = "text", "json", "markdown"
ADDED, REMOVED, UNCHANGED, ACCEPTED, REFUSED, ALLOWED, UNSEEN, NOT_COMPARED = (
    "added", "removed", "unchanged", "accepted", "refused", "allowed", "unseen", "not-compared",
)  # fmt: skip
"""What becomes of an API. UNSEEN: it changed, and kro does not update its CRD."""


class Api(NamedTuple):
    """One RGD of a side. crd: None where it is not valid."""

    name: str
    entry: Entry
    crd: dict[str, Any] | None

    @property
    def crd_name(self) -> str:
        return self.crd["metadata"]["name"] if self.crd is not None else ""


class Before(NamedTuple):
    """The earlier version. is_past: it comes from git, and cannot be mended."""

    name: str
    rendering: Rendering
    is_past: bool


def changes_format_of(arguments: Arguments) -> str:
    """What `--changes-format` says. Errors: UsageError."""
    form = choose(arguments, "changes-format", (CHANGES_TEXT, CHANGES_JSON, CHANGES_MARKDOWN))
    if "against" not in arguments.values and "changes-format" in arguments.values:
        raise UsageError("--changes-format needs --against OLD: the earlier version to compare with")
    if arguments.last("against") == STDIN and STDIN in arguments.operands:
        raise UsageError("stdin cannot be both the new version and the earlier one")
    return form


def changes_against(
    rendering: Rendering,
    arguments: Arguments,
    crds: Sequence[Document],
    stdin: Callable[[], bytes],
    environment: Mapping[str, str],
) -> str:
    """
    What changed, in the format that was asked for; empty where there is nothing to compare with.

    What is wrong goes to the rendering's findings.
    """
    from krm_fn.report.changes import changes_markdown, changes_text

    try:
        document = compare_with(rendering, arguments.operands, arguments.last("against"), crds, stdin, environment)
    except RenderError as error:
        for diagnostic in error.diagnostics:
            rendering.findings.add(diagnostic)
        return ""
    form = changes_format_of(arguments)
    if form == CHANGES_JSON:
        import json

        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    return changes_markdown(document) if form == CHANGES_MARKDOWN else changes_text(document)


def compare_with(
    rendering: Rendering,
    paths: Sequence[str],
    against: str,
    crds: Sequence[Document],
    stdin: Callable[[], bytes],
    environment: Mapping[str, str],
) -> dict[str, Any]:
    """
    Compare every RGD of *rendering*, which was read from *paths*, with the one of that name in *against*.

    Errors: RenderError where *against* cannot be read, or holds no RGD.
    """
    before = _read(rendering, paths, against, crds, stdin, environment)
    entries = [_compare(rendering, before, old, new) for old, new in _pairs(_apis(before.rendering), _apis(rendering))]
    return {"apiVersion": API_VERSION, "kind": KIND, "against": before.name, "apis": entries}


def _read(
    rendering: Rendering,
    paths: Sequence[str],
    against: str,
    crds: Sequence[Document],
    stdin: Callable[[], bytes],
    environment: Mapping[str, str],
) -> Before:
    """A path that exists is a path; anything else is a revision."""
    is_past = against != STDIN and not os.path.lexists(against)
    if is_past:
        from krm_fn.read.revision import read_revision

        documents, problems = read_revision(paths, against, environment)
        for problem in problems:
            rendering.findings.add(problem)
    else:
        documents = read_sources([against], stdin)
    before = Before(shown(against), Rendering(documents, rendering.options, crds=crds), is_past)
    if not before.rendering.inputs.rgds and not is_past:
        raise RenderError(
            [
                Diagnostic(
                    "against-without-rgd",
                    f"{before.name} holds no ResourceGraphDefinition to compare with",
                    help="give the earlier version of the RGDs: a file, a directory, or a git revision",
                )
            ]
        )
    return before


def _apis(rendering: Rendering) -> list[Api]:
    """The RGDs by their names."""
    keys = {id(entry): key for key, entry in rendering.inputs.entries_of.items()}
    found = []
    for entry in rendering.inputs.rgds:
        key = keys.get(id(entry))
        program = rendering.programs.get(key) if key is not None else None
        found.append(Api(entry.subject().name, entry, crd_of(program) if program is not None else None))
    return sorted(found, key=lambda api: (api.name, api.crd_name))


def _pairs(old: list[Api], new: list[Api]) -> list[tuple[Api | None, Api | None]]:
    """Old and new versions: of one name and one CRD, else of one name, else of one CRD; sorted by name, the new one's first."""
    pairs: list[tuple[Api | None, Api | None]] = []
    for same in (
        lambda api: (api.name, api.crd_name),
        lambda api: api.name,
        lambda api: api.crd_name or id(api),
    ):
        waiting: dict[Any, list[Api]] = {}
        for api in reversed(old):
            waiting.setdefault(same(api), []).append(api)
        rest = []
        for api in new:
            if waiting.get(same(api)):
                pairs.append((waiting[same(api)].pop(), api))
            else:
                rest.append(api)
        found = {id(before) for before, _ in pairs}
        old, new = [api for api in old if id(api) not in found], rest
    pairs += [(None, api) for api in new] + [(api, None) for api in old]
    return sorted(pairs, key=lambda pair: [(api.name, api.crd_name) for api in reversed(pair) if api is not None])


def _compare(rendering: Rendering, before: Before, old: Api | None, new: Api | None) -> dict[str, Any]:
    """One API: its part of the document; what is wrong goes to the findings."""
    add = rendering.findings.add
    if new is None:
        assert old is not None
        add(_removed(old, before))
        return _entry(old, REMOVED)
    if old is None:
        return _entry(new, ADDED)
    if old.crd is None or new.crd is None:
        if old.crd is None:
            add(_not_valid(old, before))
        return _entry(new, NOT_COMPARED)
    immutable = immutable_changes(old.crd, new.crd)
    is_one_crd = old.crd_name == new.crd_name
    report = compare_versions(old.crd["spec"]["versions"], new.crd["spec"]["versions"]) if is_one_crd else Report()
    others = uncompared(old.crd, new.crd) if is_one_crd and not immutable else []
    allowed = _annotations(new.entry).get(ALLOW) == "true"
    for field in immutable:
        add(_immutable(new, field))
    if old.name != new.name:
        add(_owned(new, old))
    breaking = [change for change in report.breaking if not immutable or change.at != ("version",)]
    for change in breaking[:MAX_NAMED]:
        add(_breaking(new, change, allowed=allowed))
    if len(breaking) > MAX_NAMED:
        add(_more(new, "breaking-change", len(breaking) - MAX_NAMED, WARNING if allowed else ERROR))
    if immutable or old.name != new.name or (report.breaking and not allowed):
        state = REFUSED
    elif report.has_changes:
        state = ALLOWED if report.breaking else ACCEPTED
    else:
        state = UNSEEN if others else UNCHANGED
    if state == UNSEEN:
        add(_unseen(new, others))
    else:
        overlooked = [other for other in others if other.effect == TIGHTENS]
        for other in overlooked[:MAX_NAMED]:
            add(_overlooked(new, other))
        if len(overlooked) > MAX_NAMED:
            add(_more(new, "overlooked-change", len(overlooked) - MAX_NAMED, WARNING))
    return _entry(new, state, old=old, report=report, immutable=immutable, others=others)


def _annotations(entry: Entry) -> dict[str, Any]:
    metadata = entry.value.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    return annotations if isinstance(annotations, dict) else {}


# -- the document -----------------------------------------------------------------------------------------------------


def _entry(
    api: Api,
    state: str,
    *,
    old: Api | None = None,
    report: Report | None = None,
    immutable: Iterable[Immutable] = (),
    others: Iterable[Uncompared] = (),
) -> dict[str, Any]:
    """`kro`: its own verdict and words.  `refused`: what no RGD may change.  `uncompared`: what kro does not look at."""
    made: dict[str, Any] = {"name": api.name, "state": state}
    if api.crd is not None:
        made["crd"] = api.crd_name
    if report is None:
        return made
    if old is not None and old.name != api.name:
        made["formerName"] = old.name
    made["kro"] = {
        "compatible": report.is_compatible,
        "summary": report.summary(),
        "breaking": [_change(change, change.description()) for change in report.breaking],
        "nonBreaking": [_change(change, change.description()) for change in report.non_breaking],
    }
    made["immutable"] = [{"field": field.field, "old": field.old, "new": field.new} for field in immutable]
    made["uncompared"] = [{**_change(o.change, o.description()), "effect": o.effect} for o in others]
    return made


def _change(change: Change, description: str) -> dict[str, str]:
    return {
        "type": change.type,
        "field": _field(change)[0],
        "old": change.old,
        "new": change.new,
        "description": description,
        "path": change.path,
    }


def _field(change: Change) -> tuple[str, tuple[str, ...]]:
    """The field of an instance that a change is about, as text (`spec.ports[].name`), and the way to it in an RGD's schema."""
    if change.at[0]:
        return change.path, ("apiVersion",) if change.at == ("version",) else ()
    text = ""
    names: list[str] = []
    steps = list(change.at[1:])
    while steps:
        step = steps.pop(0)
        if step == "properties":
            names.append(steps.pop(0))
            text += f".{names[-1]}"
        elif step == "items":
            text += "[]"
        elif step == "additionalProperties" and steps:
            text += "[*]"
    if change.type.startswith("REQUIRED_"):
        names.append(change.new or change.old)
        text += f".{names[-1]}"
    return text.removeprefix("."), tuple(names)


# -- diagnostics ------------------------------------------------------------------------------------------------------


def _at(api: Api, change: Change, code: str, message: str, severity: str, advice: str) -> Diagnostic:
    """At the field, if the RGD writes it; at what holds it, if it is gone or belongs to a custom type."""
    path = ("spec", "schema", *_field(change)[1])
    value: Any = api.entry.value
    for step in path:
        value = value.get(step, ...) if isinstance(value, dict) else ...
    return Diagnostic(
        code,
        message,
        severity=severity,
        position=api.entry.locate(path, key=True),
        span=0 if value is ... else len(path[-1]),
        where=".".join(path),
        subject=api.entry.subject(),
        help=advice,
    )


def _said(change: Change, description: str) -> str:
    """Culprit first, lower case."""
    if change.type == "PROPERTY_ADDED" and change.new == "required=true":
        description = "required field was added, without a default"
    return f"{_field(change)[0]}: {description[:1].lower()}{description[1:]}"


def _breaking(api: Api, change: Change, *, allowed: bool) -> Diagnostic:
    message = _said(change, change.description())
    if allowed:
        advice = f"kro makes this change, since {ALLOW} is set: instances may no longer be valid"
        return _at(api, change, "breaking-change", message, WARNING, advice)
    advice = f'kro refuses this update of {api.crd_name}, unless the RGD has the annotation {ALLOW}: "true"'
    return _at(api, change, "breaking-change", message, ERROR, advice)


def _overlooked(api: Api, other: Uncompared) -> Diagnostic:
    message = f"{_said(other.change, other.description())}, which kro does not look at"
    advice = "the API server enforces it from this update on: updates of instances that do not comply are refused"
    return _at(api, other.change, "overlooked-change", message, WARNING, advice)


def _more(api: Api, code: str, count: int, severity: str) -> Diagnostic:
    message = f"{count} more changes of this kind in {api.crd_name}"
    return Diagnostic(code, message, severity=severity, subject=api.entry.subject())


def _unseen(api: Api, others: list[Uncompared]) -> Diagnostic:
    first = others[0]
    more = f" (and {len(others) - 1} more)" if len(others) > 1 else ""
    message = (
        f"{_said(first.change, first.description())}{more}, which kro does not look at: it leaves the CRD as it is"
    )
    advice = f"change a description or a default as well, and kro updates all of {api.crd_name}"
    return _at(api, first.change, "change-not-applied", message, WARNING, advice)


def _immutable(api: Api, field: Immutable) -> Diagnostic:
    return Diagnostic(
        "immutable-field",
        f"{field.field} of a ResourceGraphDefinition cannot be changed, it was {field.old}",
        position=api.entry.locate(("spec", "schema", field.field)),
        span=len(field.new),
        where=f"spec.schema.{field.field}",
        subject=api.entry.subject(),
        help="the API server refuses this update, whatever its annotations say: give the RGD a new name and a new kind",
    )


def _owned(api: Api, old: Api) -> Diagnostic:
    return Diagnostic(
        "crd-of-another-rgd",
        f"{api.crd_name} belongs to ResourceGraphDefinition {old.name}",
        position=api.entry.locate(("metadata", "name")),
        span=len(api.name),
        where="metadata.name",
        subject=api.entry.subject(),
        help="kro refuses to take it over: keep the name, or delete the CRD first, and every instance with it",
    )


def _removed(api: Api, before: Before) -> Diagnostic:
    what = f"{api.crd['spec']['names']['kind']} objects" if api.crd is not None else "instances"
    return Diagnostic(
        "rgd-removed",
        f"{api.name} of {before.name} is gone: nobody looks after its {what} any more",
        severity=WARNING,
        position=api.entry.locate(("metadata", "name")),
        span=len(api.name),
        subject=api.entry.subject(),
        help="kro leaves its CRD, and all that it made, in the cluster, unless it may delete CRDs",
    )


def _not_valid(api: Api, before: Before) -> Diagnostic:
    subject = str(api.entry.subject())
    reasons = [
        d.message for d in before.rendering.findings.sorted() if d.severity == ERROR and str(d.subject) == subject
    ]
    return Diagnostic(
        "against-not-valid",
        f"{api.name} of {before.name} is not valid, and is not compared{': ' + reasons[0] if reasons else ''}",
        severity=WARNING if before.is_past else ERROR,
        position=api.entry.locate(("metadata", "name")),
        span=len(api.name),
        subject=api.entry.subject(),
        help="compare with a version that kro would accept",
    )
