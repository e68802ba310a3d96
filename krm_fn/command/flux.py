"""
What `rookery render --target flux` asks for and has to say. Imported where it is asked for.

Enters: arguments, what is in DIR; a finished plan.  Leaves: `Settings`; diagnostics.  Not known here: Kustomizations (`emit.flux`).
"""

from __future__ import annotations

import os
import posixpath

from krm_fn.command import UsageError
from krm_fn.command.arguments import not_a_choice
from krm_fn.command.output import read_index
from krm_fn.emit.flux.earlier import Earlier
from krm_fn.emit.flux.kustomizations import Settings
from krm_fn.expand.observed import identity, identity_text
from krm_fn.expand.ownership import owner
from krm_fn.read.yaml import parse_documents
from krm_fn.report.diagnostic import INFO, WARNING, Diagnostic, RenderError
from krm_fn.schema.object_names import MAX_LABEL, MAX_SUBDOMAIN, is_dns_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from krm_fn.command.arguments import Arguments
    from krm_fn.emit.flux.kustomizations import Moved, Plan
    from krm_fn.pipeline import Rendering

_SOURCES = ("GitRepository", "OCIRepository", "Bucket", "ExternalArtifact")
_UNITS = ("ms", "s", "m", "h")
_PRUNE = "kustomize.toolkit.fluxcd.io/prune"
_MOST_MOVED = 1000
"""Files that are looked into."""
_LARGEST = 1 << 20
_SHOWN = 5


def flux_settings(arguments: Arguments) -> Settings:
    """Raises UsageError where Flux would not take what is asked for."""
    output = arguments.last("output")
    if not output:
        raise UsageError("--target flux writes a directory, one folder a layer: say which with -o DIR")
    if arguments.last("deferred") == "apply-time":
        raise UsageError("--deferred apply-time is for kpt live alone: Flux would send the placeholders")
    namespace = arguments.last("flux-namespace", "flux-system")
    if not is_dns_name(namespace, MAX_LABEL, dots=False):
        raise UsageError(f"--flux-namespace is the name of a namespace, not {namespace[:80]!r}")
    kind, slash, name = arguments.last("flux-source", "GitRepository/flux-system").partition("/")
    if kind not in _SOURCES:
        raise UsageError(not_a_choice("the KIND of --flux-source KIND/NAME", _SOURCES, kind[:80]))
    if not slash or not is_dns_name(name, MAX_SUBDOMAIN, dots=True):
        raise UsageError(
            f"--flux-source is KIND/NAME, such as GitRepository/flux-system, not {kind}{slash}{name[:80]!r}"
        )
    return Settings(
        namespace=namespace,
        source=(kind, name),
        path=_path(arguments, output),
        interval=_duration(arguments, "flux-interval", "10m"),
        timeout=_duration(arguments, "flux-timeout", "5m"),
        earlier=_earlier(output),
    )


def _duration(arguments: Arguments, name: str, default: str) -> str:
    given = arguments.last(name, default)
    if not _is_duration(given):
        raise UsageError(f"--{name} is a time such as {default} or 1h30m, not {given[:80]!r}")
    return given


def _earlier(output: str) -> Earlier:
    try:
        return Earlier(read_index(output))
    except OSError:
        return Earlier()  # whoever writes there has more to say of it


def _path(arguments: Arguments, output: str) -> str:
    """DIR as the source has it, without a dot or a slash at either end; empty for its root."""
    given = arguments.last("flux-path")
    if given:
        path = posixpath.normpath(given).lstrip("/")
        if path.startswith("../") or path == "..":
            raise UsageError(f"--flux-path {given} leads out of the source")
    else:
        path = _place(output) or os.path.basename(os.path.abspath(output))
    return "" if path == "." else path


def _place(output: str) -> str:
    """Where DIR is in the work tree of Git that holds it, or else below the current directory; empty if it is in neither."""
    place = os.path.realpath(output)
    above = place
    while above != os.path.dirname(above):
        if os.path.exists(os.path.join(above, ".git")):
            return os.path.relpath(place, above)
        above = os.path.dirname(above)
    below = os.path.relpath(place, os.path.realpath("."))
    return "" if below == ".." or below.startswith("../") else below


def _is_duration(text: str) -> bool:
    """A time as Flux takes it: numbers with units, at least one, not all of them zero."""
    rest, numbers = text, ""
    while rest:
        number = rest[: len(rest) - len(rest.lstrip("0123456789."))]
        unit = next((unit for unit in _UNITS if rest.startswith(unit, len(number))), "")
        if not number.replace(".", "", 1).isdecimal() or not number[0].isdecimal() or number[-1] == "." or not unit:
            return False
        numbers += number
        rest = rest[len(number) + len(unit) :]
    return bool(numbers.strip("0.")) and len(text) <= 20


def report(plan: Plan, rendering: Rendering, arguments: Arguments) -> None:
    """What Flux does not wait for, what it may delete, what it may not find."""
    output = arguments.last("output")
    if not arguments.last("flux-path") and not _place(output):
        rendering.findings.add(
            Diagnostic(
                "flux-path-guessed",
                f"nothing shows where {output} will be in Flux's source: the Kustomizations say ./{_path(arguments, output)}",
                severity=WARNING,
                help="give it with --flux-path",
            )
        )
    _moved(plan.moved, output, rendering)
    for gap in plan.health.gaps:
        expression, refusal = gap.compiled.expression, gap.refusal
        rendering.findings.add(
            Diagnostic(
                "flux-not-carried",
                f"Flux cannot judge readyWhen of {gap.node.id} ({gap.node.object_kind}): {refusal.what}",
                severity=WARNING,
                position=rendering.inputs.entries_of[gap.program.key].locate(
                    expression.path, expression.scalar_offset(refusal.offset)
                ),
                span=refusal.length or len(expression.written),
                help=refusal.help
                or "Flux goes by kstatus instead: by the conditions that a controller writes, if there are any",
            )
        )
    for name, other in plan.loops:
        rendering.findings.add(
            Diagnostic(
                "flux-loop",
                f"Kustomization {name} does not wait for {other}, an object of which it refers to: {other} waits for it",
                severity=INFO,
                help="the values were observed, so nothing is missing; in an empty cluster Flux tries again until all of it is there",
            )
        )


def _moved(moved: Sequence[Moved], output: str, rendering: Rendering) -> None:
    """A warning for each instance and layer that an object leaves for another one."""
    ways: dict[tuple[str, str, str], list[Moved]] = {}
    for each in moved[:_MOST_MOVED]:
        if _is_same(each, os.path.join(output, each.before)):
            ways.setdefault((owner(each.emitted.subject), *each.names), []).append(each)
    for (_, before, now), batch in ways.items():
        first = batch[0].emitted
        node = first.program.nodes.get(first.node)
        names = ", ".join(identity_text(identity(each.emitted.object)) for each in batch[:_SHOWN])
        rest = f" and {len(batch) - _SHOWN} more" if len(batch) > _SHOWN else ""
        rendering.findings.add(
            Diagnostic(
                "flux-moved",
                f"{names}{rest} {'moves' if len(batch) == 1 else 'move'} from Kustomization {before} to {now}:"
                " Flux may delete it before it makes it anew",
                severity=WARNING,
                position=None
                if node is None
                else rendering.inputs.entries_of[first.program.key].locate((*node.path, "id")),
                span=len(node.id) if node is not None else 0,
                subject=first.subject,
                help="to keep it, let a commit before this one give it the annotation kustomize.toolkit.fluxcd.io/prune: disabled",
            )
        )


def _is_same(each: Moved, path: str) -> bool:
    """Whether the file of an earlier run has the same object, and nothing keeps Flux from deleting that."""
    try:
        if os.path.islink(path) or not os.path.isfile(path) or os.path.getsize(path) > _LARGEST:
            return False
        with open(path, encoding="utf-8") as file:
            [document] = parse_documents(file.read(_LARGEST), path)
    except (OSError, ValueError, RenderError):
        return False
    made = document.value
    metadata = made.get("metadata") if isinstance(made, dict) else None
    if not isinstance(metadata, dict) or not isinstance(made.get("apiVersion"), str):
        return False
    annotations = metadata.get("annotations")
    if isinstance(annotations, dict) and annotations.get(_PRUNE) == "disabled":
        return False
    group = made["apiVersion"].rpartition("/")[0]
    before = (group, made.get("kind"), metadata.get("namespace") or "", metadata.get("name"))
    return before == identity(each.emitted.object)
