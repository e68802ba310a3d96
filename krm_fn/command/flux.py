"""
What `rookery render --target flux` asks for and has to say. Imported where it is asked for.

Enters: arguments; a finished plan.  Leaves: `Settings`; diagnostics.  Not known here: Kustomizations (`emit.flux`).
"""

from __future__ import annotations

import posixpath

from krm_fn.command import UsageError
from krm_fn.command.arguments import not_a_choice
from krm_fn.command.output import read_index
from krm_fn.emit.flux.earlier import Earlier
from krm_fn.emit.flux.kustomizations import Settings
from krm_fn.report.diagnostic import INFO, WARNING, Diagnostic
from krm_fn.schema.object_names import MAX_LABEL, MAX_SUBDOMAIN, is_dns_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krm_fn.command.arguments import Arguments
    from krm_fn.emit.flux.kustomizations import Plan
    from krm_fn.pipeline import Rendering

_SOURCES = ("GitRepository", "OCIRepository", "Bucket", "ExternalArtifact")
_UNITS = ("ms", "s", "m", "h")


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
    interval = arguments.last("flux-interval", "10m")
    if not _is_duration(interval):
        raise UsageError(f"--flux-interval is a time such as 10m or 1h30m, not {interval[:80]!r}")
    return Settings(namespace, (kind, name), _path(arguments, output), interval, _earlier(output))


def _earlier(output: str) -> Earlier:
    try:
        return Earlier(read_index(output))
    except OSError:
        return Earlier()  # whoever writes there has more to say of it


def _path(arguments: Arguments, output: str) -> str:
    """DIR as the source has it, without a dot or a slash at either end; empty for its root."""
    given = arguments.last("flux-path")
    path = posixpath.normpath(given or output).lstrip("/" if given else "")
    if path.startswith(("/", "../")) or path == "..":
        if given:
            raise UsageError(f"--flux-path {given} leads out of the source")
        raise UsageError(f"-o {output} does not say where DIR is in Flux's source: give it with --flux-path")
    return "" if path == "." else path


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


def report(plan: Plan, rendering: Rendering) -> None:
    """What Flux does not wait for."""
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
