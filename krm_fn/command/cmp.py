"""
`rookery cmp`: what Argo CD's plugin server runs. An application's directory in, JSON lines out.

The result is a function of the repository, the parameters and the environment.  Everything is computed before the first byte is
written; whatever is wrong stands on stderr, the cause first and one line each, since that is what an Application shows.

The application's directory is rendered whole, with its other manifests passed through.  Directories that a parameter or the
image names hold definitions for many applications: RGDs and CRDs are read there, and nothing in them is applied.

The server ends a plugin at its own deadline without a word; so a shorter one of ours (`ROOKERY_TIMEOUT`) says what took so long.
"""

from __future__ import annotations

import os
import signal

from krm_fn.command import EXIT_OK, EXIT_REFUSED, UsageError
from krm_fn.command.cmp_parameters import PARAMETERS, announce, read_settings
from krm_fn.emit.json_lines import line
from krm_fn.emit.marks import LOCAL_CONFIG, is_local
from krm_fn.emit.targets import MARKER
from krm_fn.expand.observed import identity
from krm_fn.pipeline import Rendering
from krm_fn.program.definition import is_rgd
from krm_fn.read.sources import read_observed, read_sources, shown
from krm_fn.report.diagnostic import ERROR, INFO, WARNING, Diagnostic, RenderError
from krm_fn.report.near import did_you_mean
from krm_fn.report.text import MAX_SHOWN, concise_line, neutral, summary_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import FrameType
    from typing import BinaryIO, TextIO

    from krm_fn.command.cmp_parameters import Settings
    from krm_fn.emit.plain import Emitted
    from krm_fn.inputs import Entry
    from krm_fn.read.yaml import Document

USAGE = f"""\
usage: rookery cmp generate
       rookery cmp parameters

The commands of an Argo CD config management plugin; Argo CD's plugin server runs them in an application's directory.

  generate     the objects of the application on stdout, as JSON, one a line
  parameters   what an application can set, as a JSON array

environment
  ARGOCD_APP_PARAMETERS   the application's parameters: {", ".join(p.name for p in PARAMETERS)}
  ARGOCD_APP_NAMESPACE    namespace of instances that have none
  ARGOCD_APP_SOURCE_PATH  where the application's directory lies in the repository
  KUBE_VERSION            Kubernetes to render for; the nearest whose schemas are known is taken
  ROOKERY_RGDS            folders of the image with shared RGDs, separated by ':'
  ROOKERY_GATE_IMAGE      an image with rookery, for the Jobs that wait where no health check of Argo CD can (gateImage)
  ROOKERY_TIMEOUT         seconds after which to give up (default 50)

exit code: 0 rendered (withheld objects are reported on stderr), 1 refused, 2 usage
"""

SECONDS = "50"
_MAX_SECONDS = 86_400
_CRD = ("apiextensions.k8s.io", "CustomResourceDefinition")
_TOOLS_OWN = ("kpt.dev", "kustomize.config.k8s.io", "fn.rookery.dev")
"""Groups of files for tools, which no cluster knows."""


def cmp(words: Sequence[str], stdout: BinaryIO, stderr: TextIO, environment: Mapping[str, str]) -> int:
    """Generate, or announce the parameters; see USAGE."""
    if any(word in ("-h", "--help") for word in words):
        stdout.write(USAGE.encode())
        return EXIT_OK
    actions = {"generate": _generate, "parameters": _parameters}
    if len(words) != 1 or words[0] not in actions:
        given = " ".join(words)
        near = did_you_mean(given, actions)
        raise UsageError(f"cmp is followed by generate or parameters, not by {given!r}{near and f'; {near}'}")
    before = os.getcwd()
    try:
        deadline = Deadline(environment.get("ROOKERY_TIMEOUT", SECONDS))
        with deadline:
            output, diagnostics = actions[words[0]](environment, deadline)
    except RenderError as error:
        output, diagnostics = b"", error.diagnostics
    except DeadlinePassed as passed:
        output, diagnostics = b"", [passed.diagnostic]
    finally:
        os.chdir(before)
    stderr.write(_lines([d for d in diagnostics if d.severity != INFO]))
    if any(d.severity == ERROR for d in diagnostics):
        return EXIT_REFUSED
    stdout.write(output)
    stdout.flush()
    return EXIT_OK


def _lines(diagnostics: Sequence[Diagnostic]) -> str:
    """One line a problem, without the source's own text: it would show in Argo CD, whatever it holds."""
    text = "".join(
        f"{concise_line(found)}{'; ' + neutral(found.help) if found.help else ''}\n"
        for found in diagnostics[:MAX_SHOWN]
    )
    rest = diagnostics[MAX_SHOWN:]
    return f"{text}and {summary_line(rest)} more\n" if rest else text


class DeadlinePassed(BaseException):
    """The time is up. No `Exception`, since no step may take it for an error of its own."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


class Deadline:
    """A limit on the time inside `with`. `doing` is what the message will say. Errors: `timeout-invalid`."""

    def __init__(self, seconds: str) -> None:
        self.doing: Callable[[], str] = lambda: "starting"
        self.text = seconds
        valid = seconds.isascii() and seconds.replace(".", "", 1).isdigit() and 0 < float(seconds) <= _MAX_SECONDS
        if not valid:
            raise RenderError(
                [
                    Diagnostic(
                        "timeout-invalid",
                        f"$ROOKERY_TIMEOUT is {seconds[:80]!r}",
                        help=f"a number of seconds, up to {_MAX_SECONDS}, less than Argo CD's own limit (60)",
                    )
                ]
            )
        self.seconds = float(seconds)

    def __enter__(self) -> None:
        self._before = signal.signal(signal.SIGALRM, self._passed)
        # Again every second: an exception that is raised inside a finalizer is lost.
        signal.setitimer(signal.ITIMER_REAL, self.seconds, 1.0)

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._before)

    def _passed(self, _number: int, _frame: FrameType | None) -> None:
        raise DeadlinePassed(
            Diagnostic(
                "timeout",
                f"gave up after {self.text} s while {self.doing()}",
                help="make the application smaller, or raise ROOKERY_TIMEOUT of the plugin and Argo CD's own limit",
            )
        )


# ---- where things are


class Application:
    """The application's directory in its copy of the repository; paths are relative to the copy's root, which is entered."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        here = os.getcwd()
        self.root = _find_root(here, environment.get("ARGOCD_APP_SOURCE_PATH", ""))
        self.path = os.path.relpath(here, self.root)
        os.chdir(self.root)

    def resolve(self, paths: Sequence[str], parameter: str) -> list[str]:
        """Paths of a parameter, without links and dots. Errors: `path-outside`, `file-not-found`."""
        problems: list[Diagnostic] = []
        found: list[str] = []
        for path in paths:
            try:
                real = os.path.realpath(os.path.join(self.root, self.path, path))
            except ValueError:  # what no file name can hold
                real = ""
            if os.path.isabs(path) or not _is_below(real, self.root):
                problems.append(
                    Diagnostic(
                        "path-outside",
                        f"parameter {parameter}: {path} is outside the repository",
                        help="give a path relative to the application's directory",
                    )
                )
            elif not os.path.exists(real):
                where = os.path.relpath(real, self.root)
                problems.append(
                    Diagnostic(
                        "file-not-found",
                        f"parameter {parameter}: {path} does not exist",
                        help=f"paths are relative to the application's directory; this one is {where} of the repository",
                    )
                )
            else:
                found.append(os.path.relpath(real, self.root))
        if problems:
            raise RenderError(problems)
        return found


def _find_root(here: str, source_path: str) -> str:
    """
    The root of the repository's copy.

    It is the nearest folder from which $ARGOCD_APP_SOURCE_PATH leads here, else the nearest one with `.git`, else the
    application's directory itself, so that nothing outside is read by mistake.
    """
    parents = [here]
    while parents[-1] != os.path.dirname(parents[-1]):
        parents.append(os.path.dirname(parents[-1]))
    if source_path and not os.path.isabs(source_path) and ".." not in source_path.split("/"):
        for parent in parents:
            if os.path.realpath(os.path.join(parent, source_path)) == here:
                return parent
    return next((parent for parent in parents if os.path.lexists(os.path.join(parent, ".git"))), here)


def _is_below(path: str, folder: str) -> bool:
    return os.path.join(path, "").startswith(os.path.join(folder, ""))


class Sources:
    """
    The documents of a run, by what they are for.

    own: of the application, to be rendered or passed through.  shared: of the other places.  A place that a parameter names inside
    the application's directory counts as that place.
    """

    def __init__(
        self, application: Application, settings: Settings, environment: Mapping[str, str], deadline: Deadline
    ) -> None:
        from krm_fn.command.kustomization import build, find_kustomization

        image = [os.path.abspath(path) for path in environment.get("ROOKERY_RGDS", "").split(os.pathsep) if path]
        paths = application.resolve(settings.paths, "paths")
        observed = application.resolve(settings.observed, "observed")
        crds = application.resolve(settings.crds, "crds")
        elsewhere = [*paths, *image]
        self.is_built = bool(find_kustomization(application.path))
        self.own: list[Document] = []
        self.shared: list[Document] = []
        if self.is_built:
            deadline.doing = lambda: f"running kustomize build {application.path}"
            self.own = build(application.path, application.root, environment)
        deadline.doing = lambda: f"reading {application.path}"
        unused: list[Document] = []
        places = _Places(
            dict.fromkeys((*observed, *crds), unused)
            | dict.fromkeys(elsewhere, self.shared)
            | {application.path: unused if self.is_built else self.own}
        )
        read = elsewhere if self.is_built else [application.path, *elsewhere]
        for document in read_sources(read, bytes) if read else ():
            places.of(document.source.name).append(document)
        self.observed = read_observed(observed, bytes) if observed else None
        self.crds = read_sources(crds, bytes) if crds else []


class _Places:
    """Which list a file belongs to: that of the innermost place around it."""

    def __init__(self, lists: Mapping[str, list[Document]]) -> None:
        self._lists = {_folder(shown(place)): documents for place, documents in lists.items()}
        self._found: dict[str, list[Document]] = {}

    def of(self, name: str) -> list[Document]:
        found = self._found.get(name)
        if found is None:
            around = [place for place in self._lists if _folder(name).startswith(place)]
            found = self._found[name] = self._lists[max(around, key=len)]
        return found


def _folder(path: str) -> str:
    """With a slash at the end; empty for the root, so that it is the start of every other relative path."""
    return "" if path == os.curdir else os.path.join(path, "")


# ---- generate


def _generate(environment: Mapping[str, str], deadline: Deadline) -> tuple[bytes, list[Diagnostic]]:
    """The output, which counts only if there is no error among what there is to say about it."""
    settings = read_settings(environment)
    sources = Sources(Application(environment), settings, environment, deadline)
    deadline.doing = lambda: "compiling ResourceGraphDefinitions"
    definitions = [document for document in sources.shared if is_rgd(document.value)]
    rendering = Rendering(
        [*sources.own, *definitions],
        settings.options,
        crds=[*sources.crds, *(document for document in sources.shared if _is_crd(document))],
        observed=sources.observed,
    )
    findings = rendering.findings
    count = len(rendering.inputs.instances)
    batches = 0
    deadline.doing = lambda: f"rendering instances: {batches} of {count} are done"
    makers: dict[tuple[str, ...], Emitted] = {}
    first: list[bytes] = []
    rest: list[bytes] = []
    for emitted in rendering.api(argocd=True):
        makers[identity(emitted.object)] = emitted
        first.append(line(emitted.object))
    applied = [entry for entry in rendering.others if _is_applied(entry)]
    rendering.beside(entry.value for entry in applied)
    markers = 0
    for _, batch in rendering.batches():
        for emitted in batch:
            makers[identity(emitted.object)] = emitted
            (first if emitted.comes_first else rest).append(line(emitted.object))
            markers += emitted.node == MARKER
        batches += 1
    for entry in applied:
        rest.append(line(entry.value))
        _refuse_clash(entry, makers, rendering)
    if len(first) + len(rest) == markers and not findings.has_errors and not settings.allow_empty:
        findings.add(_nothing(rendering, sources))
    return b"".join((*first, *rest)), findings.sorted()


def _is_crd(document: Document) -> bool:
    value = document.value
    return isinstance(value, dict) and value.get("kind") == _CRD[1]


def _is_applied(entry: Entry) -> bool:
    """Whether a manifest that is none of ours goes on to the cluster: as with kustomize and kpt, not if it is local config."""
    metadata = entry.value.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    return not (isinstance(annotations, dict) and is_local(annotations)) and entry.key[0] not in _TOOLS_OWN


def _refuse_clash(entry: Entry, makers: Mapping[tuple[str, ...], Emitted], rendering: Rendering) -> None:
    """Argo CD would apply one of two objects with the same name, and not say which."""
    subject = entry.subject()
    namespaces = (subject.namespace,) if subject.namespace else ("", rendering.options.namespace)
    emitted = next((makers[key] for ns in namespaces if (key := (*entry.key, ns, subject.name)) in makers), None)
    if emitted is not None:
        rendering.findings.add(
            Diagnostic(
                "not-ours",
                f"{subject} is a manifest of the application, and node {emitted.node} of {emitted.subject} makes the same object",
                position=entry.locate(("metadata", "name")),
                subject=subject,
                help="remove it, or give one of the two another name",
            )
        )


def _nothing(rendering: Rendering, sources: Sources) -> Diagnostic:
    advice = (
        "Argo CD would delete everything that the application has; if that is right, set parameter allowEmpty to true"
    )
    if rendering.inputs.instances:
        return Diagnostic(
            "empty-output", "every object is excluded or withheld: there is nothing to apply", help=advice
        )
    what = (
        "instance of any ResourceGraphDefinition" if rendering.programs else "ResourceGraphDefinition and no manifest"
    )
    if sources.is_built:
        advice = f"kustomize leaves out whatever has the annotation {LOCAL_CONFIG}; {advice}"
    elif any(not is_rgd(document.value) and not _is_crd(document) for document in sources.shared):
        advice = f"instances count in the application's own directory, not in shared ones; {advice}"
    return Diagnostic("empty-output", f"the application has no {what}: there is nothing to apply", help=advice)


# ---- parameters


def _parameters(environment: Mapping[str, str], deadline: Deadline) -> tuple[bytes, list[Diagnostic]]:
    """The announcement. What is wrong with the application's files is for `generate` to say."""
    deadline.doing = lambda: "looking for ResourceGraphDefinitions"
    image = [os.path.abspath(path) for path in environment.get("ROOKERY_RGDS", "").split(os.pathsep) if path]
    diagnostics: list[Diagnostic] = []
    kinds: list[str] = []
    try:
        kinds = sorted({kind for document in read_sources([os.curdir, *image], bytes) for kind in _kinds(document)})
    except RenderError as error:
        diagnostics = error.diagnostics
        for diagnostic in diagnostics:
            diagnostic.severity = WARNING
    return b"[" + b",".join(line(entry).rstrip() for entry in announce(environment, kinds)) + b"]\n", diagnostics


def _kinds(document: Document) -> Iterator[str]:
    if is_rgd(document.value):
        spec = document.value.get("spec")
        schema = spec.get("schema") if isinstance(spec, dict) else None
        kind = schema.get("kind") if isinstance(schema, dict) else None
        if isinstance(kind, str):
            yield neutral(kind)
