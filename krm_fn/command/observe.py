"""`rookery observe`: a look at a cluster, and `observed.yaml`. The file is written whole, after the last answer, or not at all."""

from __future__ import annotations

import os

from krm_fn.command import EXIT_OK, EXIT_REFUSED, UsageError
from krm_fn.command.arguments import FLAG, VALUE, VALUES, choose_kube_version, parse_arguments, wants_color
from krm_fn.pipeline import Options, Rendering
from krm_fn.read.sources import read_sources
from krm_fn.report.diagnostic import ERROR, Diagnostic, RenderError
from krm_fn.report.text import render_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import BinaryIO, TextIO

    from krm_fn.command.arguments import Arguments
    from krm_fn.read.yaml import Document
    from krm_fn.schema.kube_version import KubeVersion
    from krm_fn.snapshot import Snapshot
    from krm_fn.status_sync.observe import Sight

USAGE = """\
usage: rookery observe PATH... [options]

Looks at a cluster, and only looks: what the instances found under the paths wait for, and what they own. Writes it to a file that
`rookery render --observed` takes. Values of Secrets are never written.
PATH is a file, a directory (*.yaml, *.yml, *.json below it; .krmignore is honoured) or - for stdin.

  -o, --output FILE      the snapshot (default: observed.yaml; - for stdout); one that is there must be of the same cluster
      --kubeconfig FILE  default: $KUBECONFIG, ~/.kube/config, or the service account of the Pod
      --context NAME     of the kubeconfig
      --unpin            write the snapshot even if the one that is there is of another cluster or instance, or is damaged
  -n, --namespace NAME   namespace of instances that have none (default: $ARGOCD_APP_NAMESPACE, then "default")
      --crds PATH        CustomResourceDefinitions that are not part of the input; may be repeated
      --kube-version X   Kubernetes to render for, such as 1.35; default: the newest that is known
      --kro-labels       as for render

Needs the Python package kubernetes: pip install 'rookery[status-sync]'

exit code: 0 written (what is still awaited is said on stderr), 1 refused and nothing written, 2 usage
"""

_OPTIONS = {
    "output": VALUE,
    "kubeconfig": VALUE,
    "context": VALUE,
    "unpin": FLAG,
    "namespace": VALUE,
    "crds": VALUES,
    "kube-version": VALUE,
    "kro-labels": FLAG,
    "help": FLAG,
}
_SHORT = {"o": "output", "n": "namespace", "h": "help"}
OUTPUT = "observed.yaml"


def observe(
    words: Sequence[str], stdin: BinaryIO, stdout: BinaryIO, stderr: TextIO, environment: Mapping[str, str]
) -> int:
    """Look, write; see USAGE."""
    arguments = parse_arguments(words, _OPTIONS, _SHORT)
    if "help" in arguments.flags:
        stdout.write(USAGE.encode())
        return EXIT_OK
    if not arguments.operands:
        raise UsageError("observe needs a PATH: a file, a directory, or - for stdin")
    kube_version = choose_kube_version(arguments)
    output = arguments.last("output", OUTPUT)

    def say(diagnostics: Sequence[Diagnostic]) -> None:
        stderr.write(render_text(diagnostics, color=wants_color(stderr, environment)))

    try:
        sight = _look(arguments, stdin, stderr, environment, kube_version)
    except RenderError as error:
        say(error.diagnostics)
        return EXIT_REFUSED
    from krm_fn.snapshot import too_large
    from krm_fn.status_sync.observe import finished

    document = sight.document()
    text = finished(document)
    problem = too_large(text, document) or _write(output, text, stdout)
    if problem is not None:
        say([problem])
        return EXIT_REFUSED
    say(sight.awaited())
    stderr.write(f"{output if output != '-' else 'snapshot'}: {sight.summary()}\n")
    return EXIT_OK


def _look(
    arguments: Arguments,
    stdin: BinaryIO,
    stderr: TextIO,
    environment: Mapping[str, str],
    kube_version: KubeVersion | None,
) -> Sight:
    """A finished look. Errors: RenderError."""
    output = arguments.last("output", OUTPUT)
    earlier = _earlier(output, unpin="unpin" in arguments.flags)
    crds = arguments.all("crds")
    rendering = Rendering(
        [document for document in read_sources(arguments.operands, stdin.read) if not _is_seen(document)],
        Options(
            namespace=arguments.last("namespace") or environment.get("ARGOCD_APP_NAMESPACE") or "default",
            kro_labels="kro-labels" in arguments.flags,
            kube_version=kube_version,
        ),
        crds=read_sources(crds, stdin.read) if crds else (),
    )
    if not rendering.inputs.instances and not rendering.findings.has_errors:
        rendering.findings.add(
            Diagnostic(
                "nothing-to-render",
                "there is no instance of any ResourceGraphDefinition among the input",
                help="give the paths of the RGDs and of their instances",
            )
        )
    if rendering.findings.has_errors:
        rendering.admit()
        raise RenderError(rendering.findings.sorted())
    from krm_fn.status_sync.cluster import connect
    from krm_fn.status_sync.observe import Sight

    progress = _Progress(stderr)
    cluster = connect(arguments.last("kubeconfig"), arguments.last("context"))
    progress.say(f"looking at {cluster.host}")
    sight = Sight(rendering, cluster, earlier, progress.say)
    sight.look()
    return sight


class _Progress:
    """What is being done, a line each, for somebody who sits at a terminal."""

    def __init__(self, stderr: TextIO) -> None:
        self._stderr = stderr

    def say(self, text: str) -> None:
        if self._stderr.isatty():
            self._stderr.write(f"{text}\n")
            self._stderr.flush()


def _is_seen(document: Document) -> bool:
    """Whether a document is of an earlier look: this one begins with nothing."""
    from krm_fn.observed_input import is_marked_observed, is_snapshot

    value = document.value
    return isinstance(value, dict) and (is_snapshot(value) or is_marked_observed(value))


def _earlier(output: str, *, unpin: bool) -> Snapshot | None:
    """The snapshot that is to be replaced, for its pins. Errors: what is wrong with it; `snapshot-unreadable` where it is none."""
    if output == "-" or not os.path.lexists(output) or unpin:
        return None
    from krm_fn.inputs import Entry
    from krm_fn.observed_input import is_snapshot
    from krm_fn.snapshot import read_snapshot

    advice = "--unpin writes a new snapshot in its place"
    problems: list[Diagnostic] = []
    snapshot = None
    try:
        documents = read_sources([output], bytes)
        if len(documents) == 1 and isinstance(documents[0].value, dict) and is_snapshot(documents[0].value):
            snapshot = read_snapshot(Entry(documents[0], documents[0].value), problems.append)
        else:
            problems.append(Diagnostic("snapshot-unreadable", f"{output} is there, and is no snapshot of a cluster"))
    except RenderError as error:
        problems += error.diagnostics
    if any(problem.severity == ERROR for problem in problems):
        for problem in problems:
            problem.help = advice
        raise RenderError(problems)
    return snapshot


def _write(output: str, text: str, stdout: BinaryIO) -> Diagnostic | None:
    if output == "-":
        stdout.write(text.encode())
        stdout.flush()
        return None
    from krm_fn.command.output import write_file

    try:
        write_file(output, text)
    except OSError as error:
        return Diagnostic("cannot-write", f"{output} cannot be written: {(error.strerror or str(error)).lower()}")
    return None
