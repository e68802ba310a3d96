"""
`rookery validate`: everything that can be said of RGDs and instances without writing an object.

With `--second-opinion` the instances are rendered, too, and what our CEL engine says of each expression is held against what
cel-python says (`command.second_opinion`), for the expressions whose input is fully known and which cel-python can be asked about.
"""

from __future__ import annotations

from krm_fn.command import EXIT_OK, EXIT_REFUSED, UsageError
from krm_fn.command.against import CHANGES_TEXT, changes_against, changes_format_of
from krm_fn.command.arguments import FLAG, VALUE, VALUES, choose, choose_kube_version, parse_arguments, wants_color
from krm_fn.command.server_opinion import judge_by_crds, judge_sizes, judge_templates
from krm_fn.pipeline import Options, Rendering
from krm_fn.read.sources import read_sources
from krm_fn.report.diagnostic import ERROR, WARNING, Diagnostic, RenderError
from krm_fn.report.formats import FORMATS, TEXT, formatted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any, BinaryIO, TextIO

    from krm_fn.inputs import Entry
    from krm_fn.program.model import Compiled, Program

USAGE = """\
usage: rookery validate PATH... [options]

Checks every ResourceGraphDefinition found under the paths, and every instance of one, and writes no object. An instance
whose RGD is elsewhere is held against its CustomResourceDefinition, if that is given.
A kind that nobody knows is an error here, since nothing can be said of its objects.
PATH is a file, a directory (*.yaml, *.yml, *.json below it; .krmignore is honoured) or - for stdin.

      --crds PATH        CustomResourceDefinitions that are not part of the input; may be repeated
      --kube-version X   Kubernetes to validate for, such as 1.35; default: the newest that is known
      --against OLD      compare the APIs with those of an earlier version: a file, a directory, or a git revision
      --changes-format FORMAT
                         of what changed, on stdout: text (default), json or markdown
      --second-opinion   evaluate the instances' expressions with cel-python as well and report where it differs
      --format FORMAT    text (default): problems on stderr, for people; json, sarif, or github (workflow commands, which
                         become annotations): problems on stdout, for programs

exit code: 0 valid (there may be warnings), 1 not valid, or kro would refuse the update from OLD, 2 usage
"""

_OPTIONS = {
    "crds": VALUES,
    "kube-version": VALUE,
    "against": VALUE,
    "changes-format": VALUE,
    "second-opinion": FLAG,
    "format": VALUE,
    "help": FLAG,
}
_SHOWN = 60


def validate(
    words: Sequence[str], stdin: BinaryIO, stdout: BinaryIO, stderr: TextIO, environment: Mapping[str, str]
) -> int:
    """Read, compile, admit, and say what is wrong; see USAGE."""
    arguments = parse_arguments(words, _OPTIONS, {"h": "help"})
    if "help" in arguments.flags:
        stdout.write(USAGE.encode())
        return EXIT_OK
    if not arguments.operands:
        raise UsageError("validate needs a PATH: a file, a directory, or - for stdin")
    kube_version = choose_kube_version(arguments)
    form = choose(arguments, "format", FORMATS)
    changes_format = changes_format_of(arguments)
    if form != TEXT and changes_format != CHANGES_TEXT:
        raise UsageError("--format and --changes-format are both for stdout: choose one of them")
    ask_another = "second-opinion" in arguments.flags
    if ask_another:
        _require_cel_python()
    lines: list[str] = []
    valid = changes = ""
    try:
        crds = arguments.all("crds")
        documents = read_sources(arguments.operands, stdin.read)
        crd_documents = read_sources(crds, stdin.read) if crds else []
        rendering = Rendering(
            documents,
            Options(
                namespace=environment.get("ARGOCD_APP_NAMESPACE") or "default",
                kube_version=kube_version,
                known_kinds=True,
            ),
            crds=crd_documents,
        )
        judge_sizes(rendering)
        judge_templates(rendering)
        if ask_another:
            comparison = _Comparison(rendering)
            for _ in rendering.batches():
                pass
            lines = list(comparison.summary())
        else:
            rendering.admit()
        others = judge_by_crds(rendering)
        if "against" in arguments.values:
            changes = changes_against(rendering, arguments, crd_documents, stdin.read, environment)
        diagnostics = rendering.findings.sorted() + ([] if others else _nothing_found(rendering))
        rgds, instances = len(rendering.inputs.rgds), len(rendering.inputs.instances)
        valid = f"{_count(rgds, 'ResourceGraphDefinition')}, {_count(instances + others, 'instance')}: valid"
    except RenderError as error:
        diagnostics = error.diagnostics
    refused = any(d.severity == ERROR for d in diagnostics)
    said = formatted(diagnostics, form, color=wants_color(stderr, environment))
    summary = "" if refused or changes_format != CHANGES_TEXT else "".join(f"{line}\n" for line in (valid, *lines))
    # The changes are shown even where kro would refuse them: that is when somebody wants to read them. A program finds what it
    # asked for on stdout, and nothing else.
    result, aside = (summary + changes, said) if form == TEXT else (said, summary + changes)
    stderr.write(aside)
    stdout.write(result.encode())
    stdout.flush()
    return EXIT_REFUSED if refused else EXIT_OK


def _require_cel_python() -> None:
    from importlib.util import find_spec

    if find_spec("celpy") is None:
        raise UsageError("--second-opinion needs cel-python: pip install 'rookery[cel-python]'")


def _nothing_found(rendering: Rendering) -> list[Diagnostic]:
    if rendering.inputs.rgds or rendering.findings.has_errors:
        return []
    message = "there is no ResourceGraphDefinition among the input"
    return [
        Diagnostic("nothing-to-validate", message, help="give the paths of the RGDs, and of instances if there are any")
    ]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


# -- the second opinion -----------------------------------------------------------------------------------------------


class _Watched:
    """One expression, and what became of its comparison. reason: why there was none, as far as there was none."""

    def __init__(self, compiled: Compiled, entry: Entry, *, is_secret: bool) -> None:
        self.compiled = compiled
        self.entry = entry
        self.is_secret = is_secret
        self.is_compared = self.differs = False
        self.reason = ""


class _Comparison:
    """
    Watches every evaluation of a rendering and asks cel-python for its opinion on the same input.

    It wraps the programs of the expressions, so that nothing else needs to know of it.
    """

    def __init__(self, rendering: Rendering) -> None:
        self.findings = rendering.findings
        self.watched: dict[int, _Watched] = {}
        for key, program in rendering.programs.items():
            entry = rendering.inputs.entries_of[key]
            secrets = {node.id for node in program.nodes.values() if node.object_kind == "Secret"}
            for place, compiled in _expressions(program):
                if id(compiled) not in self.watched:
                    is_secret = not secrets.isdisjoint((place, *compiled.roots))
                    watched = self.watched[id(compiled)] = _Watched(compiled, entry, is_secret=is_secret)
                    self._watch(watched)

    def _watch(self, watched: _Watched) -> None:
        from krm_fn.cel import EvaluationError

        run = watched.compiled.run

        def watch(activation: dict[str, Any]) -> Any:
            try:
                value = run(activation)
            except EvaluationError as error:
                self._compare(watched, activation, error)
                raise
            self._compare(watched, activation, value)
            return value

        watched.compiled.run = watch

    def _compare(self, watched: _Watched, activation: Mapping[str, Any], ours: Any) -> None:
        from krm_fn.cel import parse
        from krm_fn.cel.values import Unknown
        from krm_fn.command.second_opinion import FAILED, NoOpinion, second_opinion

        if type(ours) is Unknown:
            watched.reason = watched.reason or "not fully known"
            return
        compiled = watched.compiled
        text = compiled.expression.text
        bindings = {
            root: _asked(activation[root], compiled.paths[root]) for root in compiled.roots if root in activation
        }
        try:
            theirs = second_opinion(parse(text), text, bindings)
        except NoOpinion as refusal:
            watched.reason = watched.reason or str(refusal)
            return
        watched.is_compared = True
        if isinstance(ours, Exception):
            ours = FAILED
        if _same(ours, theirs) or watched.differs:
            return
        watched.differs = True
        say = _kind if watched.is_secret else _shown
        expression = compiled.expression
        self.findings.add(
            Diagnostic(
                "second-opinion-differs",
                f"{say(ours)} here is {say(theirs)} in cel-python",
                severity=WARNING,
                position=watched.entry.locate(expression.path, expression.scalar_offset(0)),
                span=len(expression.written),
                subject=watched.entry.subject(),
                help="one of the two is wrong: compare with kro, and report it",
            )
        )

    def summary(self) -> Iterator[str]:
        """How many expressions were compared, and why the others were not."""
        all_ = self.watched.values()
        refused: dict[str, int] = {}
        for watched in all_:
            if not watched.is_compared:
                reason = watched.reason or "not evaluated"
                refused[reason] = refused.get(reason, 0) + 1
        compared, differing = sum(w.is_compared for w in all_), sum(w.differs for w in all_)
        yield f"second opinion of cel-python: {_count(compared, 'expression')} compared, {differing} different"
        if refused:
            counts = sorted(refused.items(), key=lambda item: (-item[1], item[0]))
            yield f"not compared: {sum(refused.values())} ({', '.join(f'{number} {reason}' for reason, number in counts)})"


def _expressions(program: Program) -> Iterator[tuple[str, Compiled]]:
    """Every expression of a program with the node that it belongs to."""
    for node in program.nodes.values():
        for compiled in (*node.values, *node.include_when, *node.ready_when, *(d.values for d in node.dimensions)):
            yield node.id, compiled
    for compiled in (*(compiled for _, compiled in program.status), *program.conditions):
        yield "", compiled


def _asked(value: Any, paths: tuple[str, ...]) -> Any:
    """The part of a value that an expression asks for, so that what is unknown elsewhere does not matter."""
    from krm_fn.program.model import Asked

    asked = Asked("")
    for path in paths:
        asked.add(path.split(".")[1:])
    return _part(value, asked)


def _part(value: Any, asked: Any) -> Any:
    if asked.fields is None or not isinstance(value, dict):
        return value
    return {field: _part(value[field], below) for field, below in asked.fields.items() if field in value}


def _same(ours: Any, theirs: Any) -> bool:
    """Equal in kind and value: 1 is neither 1.0 nor true."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(_same(ours[key], theirs[key]) for key in ours)
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(_same, ours, theirs))
    return type(ours) is type(theirs) and bool(ours == theirs or (ours != ours and theirs != theirs))  # noqa: PLR0124 - NaN


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _kind(value: Any) -> str:
    """A value that may be secret, for a message."""
    from krm_fn.program.definition import type_name

    return type_name(value) if value is None or isinstance(value, str | int | float | list | dict) else "a value"
