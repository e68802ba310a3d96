"""`rookery simulate`: what kro would do, step by step, against a cluster on paper."""

from __future__ import annotations

from krm_fn.command import EXIT_OK, EXIT_REFUSED, UsageError
from krm_fn.command.arguments import FLAG, VALUE, VALUES, choose, choose_kube_version, parse_arguments, wants_color
from krm_fn.inputs import compile_programs, sort_documents
from krm_fn.program.template import path_text
from krm_fn.read.sources import read_sources
from krm_fn.report.diagnostic import ERROR, WARNING, Diagnostic, RenderError
from krm_fn.report.near import begin_run
from krm_fn.report.text import render_text
from krm_fn.schema.kube_version import NEWEST
from krm_fn.simulate.bodies import wrong_metadata
from krm_fn.simulate.script import SCRIPT, read_script
from krm_fn.simulate.simulation import APPLY, Simulation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import BinaryIO, TextIO

    from krm_fn.command.arguments import Arguments
    from krm_fn.inputs import Entry
    from krm_fn.simulate.history import StepRecord
    from krm_fn.simulate.script import ScriptStep

USAGE = """\
usage: rookery simulate PATH... [options]

Shows step by step what kro would do in a cluster: what it applies, what waits and for what, what it prunes, what it writes as status.
PATH is a file, a directory (*.yaml, *.yml, *.json below it; .krmignore is honoured) or - for stdin. RGDs and instances found
there are applied in the first step; all other objects are there from the beginning.

      --steps FILE       what users and other controllers do then; without it there is one step
  -n, --namespace NAME   namespace of objects that have none (default: "default")
      --crds PATH        CustomResourceDefinitions that are there; may be repeated
      --kube-version X   Kubernetes of the cluster, such as 1.35; default: the newest that is known
      --format FORMAT    text (default), json
      --strict           warnings are errors

exit code: 0 shown, 1 refused, 2 usage
"""

_OPTIONS = {
    "steps": VALUE,
    "namespace": VALUE,
    "crds": VALUES,
    "kube-version": VALUE,
    "format": VALUE,
    "strict": FLAG,
    "help": FLAG,
}
_SHORT = {"n": "namespace", "h": "help"}
TEXT, JSON = "text", "json"


def simulate(
    words: Sequence[str], stdin: BinaryIO, stdout: BinaryIO, stderr: TextIO, environment: Mapping[str, str]
) -> int:
    """Read, simulate, show; see USAGE."""
    arguments = parse_arguments(words, _OPTIONS, _SHORT)
    if "help" in arguments.flags:
        stdout.write(USAGE.encode())
        return EXIT_OK
    if not arguments.operands:
        raise UsageError("simulate needs a PATH: a file, a directory, or - for stdin")
    form = choose(arguments, "format", (TEXT, JSON))
    run = _Run(arguments)
    try:
        records = run.records(arguments, stdin)
    except RenderError as error:
        run.found += error.diagnostics
        records = []
    problems = RenderError(run.found).diagnostics
    if problems:
        stderr.write(render_text(problems, color=wants_color(stderr, environment)))
    if any(problem.severity == ERROR for problem in problems):
        return EXIT_REFUSED
    stdout.write(_shown(records, form).encode())
    stdout.flush()
    return EXIT_OK


def _shown(records: list[StepRecord], form: str) -> str:
    if form == JSON:
        import json

        from krm_fn.simulate.document import document

        return json.dumps(document(records), indent=1, ensure_ascii=False) + "\n"
    from krm_fn.simulate.text import steps_text

    return steps_text(records)


class _Run:
    """found: what there is to say about the input."""

    def __init__(self, arguments: Arguments) -> None:
        begin_run()
        self.found: list[Diagnostic] = []
        self.is_strict = "strict" in arguments.flags
        self.version = choose_kube_version(arguments)
        self.namespace = arguments.last("namespace") or "default"

    def add(self, diagnostic: Diagnostic) -> None:
        if self.is_strict and diagnostic.severity == WARNING:
            diagnostic.severity = ERROR
        self.found.append(diagnostic)

    def records(self, arguments: Arguments, stdin: BinaryIO) -> list[StepRecord]:
        """Every step; RenderError, or errors among what was found, where there is nothing to show."""
        steps: list[ScriptStep] = []
        if "steps" in arguments.values:
            steps = read_script(read_sources([arguments.last("steps")], stdin.read))
        crds = arguments.all("crds")
        documents = read_sources(arguments.operands, stdin.read)
        inputs = sort_documents(documents, read_sources(crds, stdin.read) if crds else (), None, self.add)
        minor = self.version.minor if self.version else NEWEST
        compile_programs(inputs, self.add, minor)
        if any(each.severity == ERROR for each in self.found):
            return []
        if not inputs.rgds:
            advice = "give the paths of the RGDs and of their instances"
            raise RenderError(
                [Diagnostic("nothing-to-render", "there is no ResourceGraphDefinition among the input", help=advice)]
            )
        simulation = Simulation(minor, namespace=self.namespace, strict=self.is_strict)
        others = [each for each in inputs.others if each not in inputs.crds and each.key != SCRIPT]
        for entry in (*inputs.crds, *others, *inputs.observed):
            if self._is_sound(entry):
                simulation.load(entry.value)
        first = [(APPLY, entry) for entry in (*inputs.rgds, *inputs.instances) if self._is_sound(entry)]
        if any(each.severity == ERROR for each in self.found):
            return []
        records = [self._step(simulation, "start", first)]
        records += [self._step(simulation, step.name, step.actions) for step in steps]
        return records

    def _is_sound(self, entry: Entry) -> bool:
        """Whether a cluster could hold it."""
        sound = True
        for code, message, path, advice in wrong_metadata(entry.value):
            sound = False
            position = entry.locate(path)
            self.add(
                Diagnostic(
                    code,
                    message,
                    position=position,
                    span=entry.measure(path, position),
                    where=path_text(path),
                    subject=entry.subject(),
                    help=advice,
                )
            )
        return sound

    def _step(self, simulation: Simulation, name: str, actions: Sequence[tuple[str, Entry]]) -> StepRecord:
        record = simulation.step(name, [(verb, entry.value) for verb, entry in actions])
        for done, (verb, entry) in zip(record.done, actions, strict=True):
            if done.message:
                self.add(
                    Diagnostic(
                        "action-refused",
                        f"{verb}: {done.message}",
                        severity=WARNING,
                        position=entry.locate(("metadata", "name")),
                        span=entry.measure(("metadata", "name"), entry.locate(("metadata", "name"))),
                        where=path_text(entry.prefix),
                        subject=entry.subject(),
                        help="the API server would refuse it; the simulation goes on without it",
                    )
                )
        if not record.settled:
            self.add(
                Diagnostic(
                    "never-settles",
                    f"{name!r} does not come to rest: kro goes on changing objects",
                    severity=WARNING,
                    help="an object depends on what each reconcile changes, such as the instance's resourceVersion",
                )
            )
        return record
