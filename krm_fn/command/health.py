"""`rookery health`: readyWhen as the health checks that Argo CD waits for, for argocd-cm."""

from __future__ import annotations

from krm_fn.command import EXIT_OK, EXIT_REFUSED, UsageError
from krm_fn.command.arguments import FLAG, VALUE, VALUES, choose, choose_kube_version, parse_arguments, wants_color
from krm_fn.emit.lua.checks import JUDGED, checks_of
from krm_fn.emit.yaml_text import dump
from krm_fn.pipeline import Options, Rendering
from krm_fn.read.sources import STDIN, read_sources
from krm_fn.report.diagnostic import ERROR, WARNING, Diagnostic, RenderError
from krm_fn.report.text import render_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import BinaryIO, TextIO

    from krm_fn.command.arguments import Arguments
    from krm_fn.emit.lua.checks import Gap

USAGE = """\
usage: rookery health PATH... --format argocd [options]

Prints the readyWhen of every ResourceGraphDefinition found under the paths as health checks of Argo CD: one for each group and
kind, as entries of the ConfigMap argocd-cm. A kind that Argo CD judges itself is left to it.
PATH is a file, a directory (*.yaml, *.yml, *.json below it; .krmignore is honoured) or - for stdin. Give all RGDs at once: those
that make one kind share its check.

      --format argocd    for whom: Argo CD v3
      --merge FILE       print this file with the entries merged into its argocd-cm; comments and all else stay as they are
  -o, --output FILE      write to this file instead of stdout; it may be the one that is merged into
      --emit instances   also a check for the instances, where they are rendered and something writes their status
      --crds PATH        CustomResourceDefinitions that are not part of the input; may be repeated
      --kube-version X   Kubernetes to render for, such as 1.35; default: the newest that is known
      --strict           warnings are errors

exit code: 0 printed (what no check can wait for is reported on stderr), 1 refused, 2 usage
"""

_OPTIONS = {
    "format": VALUE,
    "merge": VALUE,
    "output": VALUE,
    "emit": VALUE,
    "crds": VALUES,
    "kube-version": VALUE,
    "strict": FLAG,
    "help": FLAG,
}
_JOB = "render --gate-image lets a Job wait for it"


def health(
    words: Sequence[str], stdin: BinaryIO, stdout: BinaryIO, stderr: TextIO, environment: Mapping[str, str]
) -> int:
    """Read, compile, translate, merge, print; see USAGE."""
    arguments = parse_arguments(words, _OPTIONS, {"h": "help", "o": "output"})
    if "help" in arguments.flags:
        stdout.write(USAGE.encode())
        return EXIT_OK
    if not arguments.operands:
        raise UsageError("health needs a PATH: a file, a directory, or - for stdin")
    if "format" not in arguments.values:
        raise UsageError("health needs --format argocd")
    choose(arguments, "format", ("argocd",))
    if "emit" in arguments.values:
        choose(arguments, "emit", ("instances",))
    if arguments.last("merge") == STDIN:
        raise UsageError("--merge needs a file")
    text = ""
    try:
        text, diagnostics = _checks(arguments, stdin)
    except RenderError as error:
        diagnostics = error.diagnostics
    refused = any(d.severity == ERROR for d in diagnostics)
    if not refused and "output" in arguments.values:
        try:
            _write(arguments.last("output"), text)
        except OSError as error:
            from krm_fn.command.output import cannot_write

            diagnostics = [*diagnostics, cannot_write(error)]
            refused = True
    stderr.write(render_text(diagnostics, color=wants_color(stderr, environment)))
    if refused:
        return EXIT_REFUSED
    if "output" not in arguments.values:
        stdout.write(text.encode())
        stdout.flush()
    return EXIT_OK


def _write(path: str, text: str) -> None:
    """Errors: OSError that names the file."""
    import os

    if os.path.exists(path):
        from krm_fn.command.convert import replace_file

        try:
            replace_file(path, text)
        except OSError as error:
            raise OSError(error.errno, error.strerror, path) from None
    else:
        from krm_fn.command.output import write_file

        write_file(path, text)


def _checks(arguments: Arguments, stdin: BinaryIO) -> tuple[str, list[Diagnostic]]:
    """The text to print, and what there is to say. Errors: RenderError."""
    crds = arguments.all("crds")
    strict = "strict" in arguments.flags
    rendering = Rendering(
        read_sources(arguments.operands, stdin.read),
        Options(strict=strict, kube_version=choose_kube_version(arguments)),
        crds=read_sources(crds, stdin.read) if crds else [],
    )
    findings = rendering.findings
    if findings.has_errors:
        raise RenderError(findings.sorted())
    if not rendering.programs:
        message = "there is no ResourceGraphDefinition among the input"
        raise RenderError([Diagnostic("nothing-to-validate", message, help="give the paths of the RGDs")])
    checks, gaps = checks_of(rendering.programs.values(), instances="emit" in arguments.values)
    for gap in gaps:
        findings.add(_said(gap, rendering))
    entries = {check.key: check.text for check in checks}
    if "merge" not in arguments.values:
        document = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm"}, "data": entries}
        return dump(document), findings.sorted()
    from krm_fn.command.argocd_cm import merged

    makers = {"/".join(key) for key in rendering.programs}
    text = merged(arguments.last("merge"), checks, makers, findings.add)
    return text, findings.sorted()


def _said(gap: Gap, rendering: Rendering) -> Diagnostic:
    """A readyWhen that no check of ours waits for."""
    node, entry = gap.node, rendering.inputs.entries_of[gap.program.key]
    compiled = gap.compiled or node.ready_when[0]
    expression = compiled.expression
    if gap.reason == JUDGED:
        return Diagnostic(
            "check-built-in",
            f"readyWhen of {node.id!r} is no health check: Argo CD judges {node.object_kind} itself",
            severity=WARNING,
            position=entry.locate(expression.path, expression.scalar_offset(0)),
            span=len(expression.written),
            help=f"Argo CD waits for what its own check says, which may be more or less than this; {_JOB}",
        )
    return Diagnostic(
        "check-not-carried",
        f"readyWhen of {node.id!r} is no health check: Argo CD's Lua cannot carry {gap.what}",
        severity=WARNING,
        position=entry.locate(expression.path, expression.scalar_offset(gap.offset)),
        span=gap.length,
        help=f"{gap.help or 'Argo CD does not wait for it; say it with comparisons, if that can be done'}; {_JOB}",
    )
