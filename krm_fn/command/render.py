"""`rookery render`: files in, manifests out. Everything is computed before the first byte is written."""

from __future__ import annotations

from krm_fn.command import EXIT_OK, EXIT_REFUSED, UsageError
from krm_fn.command.arguments import (
    FLAG,
    VALUE,
    VALUES,
    choose,
    choose_kube_version,
    not_a_choice,
    parse_arguments,
    wants_color,
)
from krm_fn.emit.yaml_text import dump
from krm_fn.pipeline import APPLY_TIME, FAIL, FALLBACK, WITHHOLD, Options, Rendering
from krm_fn.read.sources import read_observed, read_sources
from krm_fn.report.diagnostic import ERROR, INFO, Diagnostic, RenderError
from krm_fn.report.formats import FORMATS, formatted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, BinaryIO, TextIO

    from krm_fn.command.arguments import Arguments
    from krm_fn.emit.flux.kustomizations import Plan
    from krm_fn.emit.plain import Emitted
    from krm_fn.emit.targets import Order
    from krm_fn.inputs import Entry
    from krm_fn.schema.kube_version import KubeVersion

USAGE = """\
usage: rookery render PATH... [options]

Renders every instance found under the paths with the ResourceGraphDefinitions found there.
PATH is a file, a directory (*.yaml, *.yml, *.json below it; .krmignore is honoured) or - for stdin.

  -o, --output DIR       write one file an object below DIR instead of stdout
  -n, --namespace NAME   namespace of instances that have none (default: $ARGOCD_APP_NAMESPACE, then "default")
      --observed FILE    what was seen in the cluster (rookery observe, kubectl get -o yaml); may be repeated
      --cluster UID      the cluster that snapshots must be of (uid of its namespace kube-system)
      --crds PATH        CustomResourceDefinitions that are not part of the input; may be repeated
      --kube-version X   Kubernetes to render for, such as 1.35; default: the newest that is known
      --target TARGET    what applies the output: plain (default: document order alone), argocd (sync waves), kpt (depends-on),
                         flux (a Kustomization a layer; needs -o)
      --waves gated      where a wave begins: behind what kro waits for (default), or every-edge: at each dependency
      --wave-base N      Argo CD's first wave (default: 0);  --wave-step N  how far one is from the next (default: 1)
      --gate-image IMAGE     has rookery: in Argo CD Jobs wait in it for the readyWhen that no health check can say (default: none do)
      --flux-source KIND/NAME  what Flux's Kustomizations take DIR from (default: GitRepository/flux-system)
      --flux-path PATH   where DIR is in there (default: as in Git);  --flux-namespace NAME  theirs (default: flux-system)
      --flux-interval T  how often Flux applies them anew (default: 10m);  --flux-timeout T  how long it waits for one (default: 5m)
      --emit instances   also the instances themselves, after their children, suspended for kro
      --emit api         also the CustomResourceDefinition of every RGD; then there need be no instance
      --deferred POLICY  what becomes of objects that need values of a cluster: withhold (default), fallback,
                         apply-time (kpt live fills them in), fail
      --kro-labels       kro's own labels instead of Rookery's annotations
      --pass-through     write other manifests of the input, too
      --report FILE      what became of every node, as JSON
      --strict           warnings are errors
      --format FORMAT    how stderr says what is wrong: text (default), json, sarif, github (workflow commands)

exit code: 0 rendered (withheld objects are reported on stderr), 1 refused, 2 usage
"""

_OPTIONS = {
    "output": VALUE,
    "namespace": VALUE,
    "observed": VALUES,
    "cluster": VALUE,
    "crds": VALUES,
    "kube-version": VALUE,
    "target": VALUE,
    "waves": VALUE,
    "wave-base": VALUE,
    "wave-step": VALUE,
    "gate-image": VALUE,
    "flux-source": VALUE,
    "flux-path": VALUE,
    "flux-namespace": VALUE,
    "flux-interval": VALUE,
    "flux-timeout": VALUE,
    "emit": VALUES,
    "deferred": VALUE,
    "kro-labels": FLAG,
    "pass-through": FLAG,
    "report": VALUE,
    "strict": FLAG,
    "format": VALUE,
    "help": FLAG,
}
_OF_ARGO_CD = ("wave-base", "wave-step", "gate-image")
_LARGEST_WAVE = 100_000
_POLICIES = (WITHHOLD, FALLBACK, APPLY_TIME, FAIL)
_EMITTED = ("instances", "api")
_SHORT = {"o": "output", "n": "namespace", "h": "help"}


def render(
    words: Sequence[str], stdin: BinaryIO, stdout: BinaryIO, stderr: TextIO, environment: Mapping[str, str]
) -> int:
    """Read, render, write; see USAGE."""
    arguments = parse_arguments(words, _OPTIONS, _SHORT)
    if "help" in arguments.flags:
        stdout.write(USAGE.encode())
        return EXIT_OK
    if not arguments.operands:
        raise UsageError("render needs a PATH: a file, a directory, or - for stdin")
    choose(arguments, "target", ("plain", "argocd", "kpt", "flux"))
    choose(arguments, "waves", ("gated", "every-edge"))
    order = _order(arguments)
    choose(arguments, "deferred", _POLICIES)
    for emitted in arguments.all("emit"):
        if emitted not in _EMITTED:
            raise UsageError(not_a_choice("--emit", _EMITTED, emitted))
    kube_version = choose_kube_version(arguments)
    form = choose(arguments, "format", FORMATS)

    def say(diagnostics: Sequence[Diagnostic]) -> int:
        """Once, since it may be one document. Returns the exit code."""
        stderr.write(formatted(diagnostics, form, color=wants_color(stderr, environment)))
        return EXIT_REFUSED if any(d.severity == ERROR for d in diagnostics) else EXIT_OK

    try:
        output = _Output(arguments, environment, stdin, kube_version, order)
    except RenderError as error:
        return say(error.diagnostics)
    diagnostics = output.diagnostics
    if all(d.severity != ERROR for d in diagnostics):
        try:
            output.write(stdout)
        except BrokenPipeError:
            say(diagnostics)
            raise
        except OSError as error:
            from krm_fn.command.output import cannot_write

            diagnostics = [*diagnostics, cannot_write(error)]
    return say(diagnostics)


def _order(arguments: Arguments) -> Order | None:
    """What the output is to be applied by; None where nothing has to be said to it."""
    target = arguments.last("target", "plain")
    _refuse_options_of_others(arguments, target)
    numbers = {}
    for name, default in (("wave-base", 0), ("wave-step", 1)):
        text = arguments.last(name, str(default))
        try:
            numbers[name] = int(text)
        except ValueError:
            raise UsageError(f"--{name} is a whole number, not {text!r}") from None
        if abs(numbers[name]) > _LARGEST_WAVE or (name == "wave-step" and numbers[name] < 1):
            raise UsageError(f"--{name} {text} is out of range")
    image = arguments.last("gate-image")
    if "gate-image" in arguments.values:
        from krm_fn.emit.argocd import is_image

        if not is_image(image):
            raise UsageError(f"--gate-image is an image like registry.example.com/rookery:v1, not {image[:80]!r}")
    if target == "plain":
        return None
    from krm_fn.emit.targets import Order

    waves = arguments.last("waves", "gated")
    if target == "flux":
        from krm_fn.command.flux import flux_settings

        return Order(target, waves=waves, flux=flux_settings(arguments))
    return Order(target, waves=waves, base=numbers["wave-base"], step=numbers["wave-step"], gate_image=image)


def _refuse_options_of_others(arguments: Arguments, target: str) -> None:
    """An option that changes nothing is a misunderstanding."""
    for name in arguments.values:
        wanted = "flux" if name.startswith("flux-") else "argocd" if name in _OF_ARGO_CD else target
        if wanted != target:
            raise UsageError(f"--{name} is for --target {wanted}")
    if target == "plain" and arguments.last("waves", "gated") != "gated":
        raise UsageError("--waves is for a target that waits: argocd, kpt or flux")


class _Output:
    """A finished run: what would be written, and what there is to say about it."""

    def __init__(
        self,
        arguments: Arguments,
        environment: Mapping[str, str],
        stdin: BinaryIO,
        kube_version: KubeVersion | None,
        order: Order | None,
    ) -> None:
        observed = arguments.all("observed")
        crds = arguments.all("crds")
        documents = read_sources(arguments.operands, stdin.read)
        rendering = Rendering(
            documents,
            Options(
                namespace=arguments.last("namespace") or environment.get("ARGOCD_APP_NAMESPACE") or "default",
                deferred=arguments.last("deferred", WITHHOLD),
                instances="instances" in arguments.all("emit"),
                api="api" in arguments.all("emit"),
                kro_labels="kro-labels" in arguments.flags,
                strict="strict" in arguments.flags,
                kube_version=kube_version,
                cluster=arguments.last("cluster"),
                order=order,
            ),
            crds=read_sources(crds, stdin.read) if crds else (),
            observed=read_observed(observed, stdin.read) if observed else None,
        )
        self.directory = arguments.last("output")
        self.report_path = arguments.last("report")
        self.report: list[dict[str, Any]] = []
        self.first: list[str] = []
        self.rest: list[str] = []
        self.files: list[tuple[str, str]] = []
        pass_through = "pass-through" in arguments.flags
        self._arguments = arguments
        self._render(rendering, pass_through=pass_through)
        self._others(rendering.others, pass_through=pass_through, rendering=rendering)
        self.diagnostics = rendering.findings.sorted()

    def _render(self, rendering: Rendering, *, pass_through: bool) -> None:
        made = rendering.api()
        if rendering.options.order is None or rendering.options.order.flux is None:
            self._api(made)
        if pass_through:
            rendering.beside(entry.value for entry in rendering.others)
        for expansion, batch in rendering.batches():
            if self.report_path and expansion is not None:
                from krm_fn.emit.report import report_entries

                self.report += report_entries(expansion)
            plan = rendering.ordering.flux if rendering.ordering is not None else None
            if plan is not None and expansion is None:
                plan.keep(batch)
            for emitted in batch if plan is None else ():
                text = dump(emitted.object)
                if self.directory:
                    from krm_fn.emit.marks import file_path

                    path = file_path(emitted.program, emitted.subject, emitted.node, emitted.key)
                    self.files.append((path, text))
                else:
                    (self.first if emitted.comes_first else self.rest).append(text)
        if rendering.ordering is not None and rendering.ordering.flux is not None:
            self._flux(rendering.ordering.flux, made, rendering)
        is_asked_for = rendering.inputs.instances or (rendering.options.api and rendering.programs)
        if not is_asked_for and not rendering.findings.has_errors:
            rendering.findings.add(
                Diagnostic(
                    "nothing-to-render",
                    "there is no instance of any ResourceGraphDefinition among the input"
                    if rendering.programs
                    else "there is no ResourceGraphDefinition among the input",
                    help="give the paths of the RGDs and of their instances",
                )
            )

    def _flux(self, plan: Plan, crds: Sequence[Emitted], rendering: Rendering) -> None:
        from krm_fn.command.flux import report

        plan.api(crds)
        self.files = plan.files()
        report(plan, rendering, self._arguments)

    def _api(self, crds: Sequence[Emitted]) -> None:
        for emitted in crds:
            text = dump(emitted.object)
            if self.directory:
                from krm_fn.emit.api import api_path

                self.files.append((api_path(emitted.object), text))
            else:
                self.first.append(text)

    def _others(self, others: Sequence[Entry], *, pass_through: bool, rendering: Rendering) -> None:
        if pass_through:
            self.rest += [
                dump(entry.value) if entry.prefix else _whole_lines(entry.document.text()) for entry in others
            ]
            return
        # A CRD was read for what it says of its kind; nobody expects it to come out.
        names = [str(entry.subject()) for entry in others if entry.key[1] != "CustomResourceDefinition"]
        if names:
            shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
            rendering.findings.add(
                Diagnostic(
                    "left-out",
                    f"{shown} {'is no instance' if len(names) == 1 else 'are no instances'} of an RGD: left out",
                    severity=INFO,
                    help="--pass-through writes other manifests, too",
                )
            )

    def write(self, stdout: BinaryIO) -> None:
        if self.report_path:
            from krm_fn.command.output import write_report

            write_report(self.report_path, self.report)
        if self.directory:
            from krm_fn.command.output import write_directory

            write_directory(self.directory, self.files)
        else:
            stdout.write("---\n".join(self.first + self.rest).encode())
            stdout.flush()


def _whole_lines(text: str) -> str:
    return text if text.endswith("\n") else text + "\n"
