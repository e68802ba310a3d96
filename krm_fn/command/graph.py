"""`rookery graph`: what depends on what, as a picture."""

from __future__ import annotations

from krm_fn.command import EXIT_OK, EXIT_REFUSED, UsageError
from krm_fn.command.arguments import FLAG, VALUE, VALUES, choose, choose_kube_version, parse_arguments, wants_color
from krm_fn.graph.model import Bounds
from krm_fn.order.layers import EVERY_EDGE, GATED
from krm_fn.pipeline import APPLY_TIME, FALLBACK, WITHHOLD, Options, Rendering
from krm_fn.read.sources import read_observed, read_sources
from krm_fn.report.diagnostic import ERROR, INFO, Diagnostic, RenderError
from krm_fn.report.text import render_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import BinaryIO, TextIO

    from krm_fn.command.arguments import Arguments
    from krm_fn.graph.model import Graph

USAGE = """\
usage: rookery graph PATH... [options]

Shows what depends on what: each instance found under the paths, in layers, with what a layer waits for and what is withheld; where
there is no instance, each ResourceGraphDefinition.
PATH is a file, a directory (*.yaml, *.yml, *.json below it; .krmignore is honoured) or - for stdin.

      --format FORMAT    text, mermaid, dot, svg; default: what the name of FILE ends in (.mmd, .dot, .svg), else text
  -o, --output FILE      write to FILE instead of stdout
      --rgds             the RGDs, even where there are instances
      --waves gated      where a layer begins: behind what kro waits for (default), or every-edge: at each dependency
  -n, --namespace NAME   namespace of instances that have none (default: "default")
      --observed FILE    what was seen in the cluster; may be repeated
      --crds PATH        CustomResourceDefinitions that are not part of the input; may be repeated
      --kube-version X   Kubernetes to render for, such as 1.35; default: the newest that is known
      --deferred POLICY  what becomes of objects that need values of a cluster: withhold (default), fallback, apply-time

exit code: 0 shown, 1 refused, 2 usage
"""

_OPTIONS = {
    "format": VALUE,
    "output": VALUE,
    "rgds": FLAG,
    "waves": VALUE,
    "namespace": VALUE,
    "observed": VALUES,
    "crds": VALUES,
    "kube-version": VALUE,
    "deferred": VALUE,
    "help": FLAG,
}
_SHORT = {"o": "output", "n": "namespace", "h": "help"}
TEXT, MERMAID, DOT, SVG = "text", "mermaid", "dot", "svg"
_ENDINGS = {".mmd": MERMAID, ".mermaid": MERMAID, ".dot": DOT, ".gv": DOT, ".svg": SVG}
_SHOWN_IN_THE_GRAPH = frozenset(
    ("deferred", "waits-forever", "never-ready", "not-ready", "secret-value", "live-unknown")
)


def graph(
    words: Sequence[str], stdin: BinaryIO, stdout: BinaryIO, stderr: TextIO, environment: Mapping[str, str]
) -> int:
    """Read, expand, draw; see USAGE."""
    arguments = parse_arguments(words, _OPTIONS, _SHORT)
    if "help" in arguments.flags:
        stdout.write(USAGE.encode())
        return EXIT_OK
    if not arguments.operands:
        raise UsageError("graph needs a PATH: a file, a directory, or - for stdin")
    form = _form(arguments)
    try:
        graphs, problems = _graphs(arguments, stdin, form)
    except RenderError as error:
        graphs, problems = [], error.diagnostics
    refused = any(problem.severity == ERROR for problem in problems)
    if not refused:
        text = drawn(graphs, form)
        try:
            _write(arguments.last("output"), text, stdout)
        except BrokenPipeError:
            raise
        except OSError as error:
            from krm_fn.command.output import cannot_write

            refused = True
            problems = [cannot_write(error), *problems]
    if problems:
        stderr.write(render_text(problems, color=wants_color(stderr, environment)))
    return EXIT_REFUSED if refused else EXIT_OK


def _form(arguments: Arguments) -> str:
    if "format" in arguments.values:
        return choose(arguments, "format", (TEXT, MERMAID, DOT, SVG))
    name = arguments.last("output")
    return next((form for ending, form in _ENDINGS.items() if name.endswith(ending)), TEXT)


def _graphs(arguments: Arguments, stdin: BinaryIO, form: str) -> tuple[list[Graph], list[Diagnostic]]:
    """What is to be drawn, and what there is to say that no picture says."""
    observed, crds = arguments.all("observed"), arguments.all("crds")
    waves = choose(arguments, "waves", (GATED, EVERY_EDGE))
    options = Options(
        namespace=arguments.last("namespace") or "default",
        deferred=choose(arguments, "deferred", (WITHHOLD, FALLBACK, APPLY_TIME)),
        kube_version=choose_kube_version(arguments),
    )
    rendering = Rendering(
        read_sources(arguments.operands, stdin.read),
        options,
        crds=read_sources(crds, stdin.read) if crds else (),
        observed=read_observed(observed, stdin.read) if observed else None,
    )
    bounds = bounds_of(form)
    graphs: list[Graph] = []
    if rendering.inputs.instances and "rgds" not in arguments.flags:
        from krm_fn.graph.of_instance import graph_of_instance

        for expansion, _ in rendering.batches():
            if expansion is not None:
                graphs.append(graph_of_instance(expansion, rendering.world, waves, bounds))
    else:
        from krm_fn.graph.of_rgd import graph_of_rgd

        graphs = [
            graph_of_rgd(program, rendering.programs, bounds, every_edge=waves == EVERY_EDGE)
            for program in rendering.programs.values()
        ]
        if not graphs:
            rendering.findings.add(
                Diagnostic(
                    "nothing-to-render",
                    "there is no ResourceGraphDefinition among the input",
                    help="give the paths of the RGDs and of their instances",
                )
            )
    found = [
        each
        for each in rendering.findings.sorted()
        if each.severity != INFO and not (each.severity != ERROR and each.code in _SHOWN_IN_THE_GRAPH)
    ]
    return graphs, found


def bounds_of(form: str) -> Bounds:
    """Text has room for everything; of a picture, so much as can be looked at, and as its viewer takes (Mermaid: 500 edges)."""
    if form == TEXT:
        return Bounds(10_000_000, 100_000_000, 10_000_000)
    if form == MERMAID:
        return Bounds(300, 400, 3)
    if form == DOT:
        return Bounds(2_000, 10_000, 3)
    return Bounds(300, 1_500, 3)


def drawn(graphs: list[Graph], form: str) -> str:
    """The graphs in a format."""
    if form == MERMAID:
        from krm_fn.graph.mermaid import mermaid

        return mermaid(graphs)
    if form == DOT:
        from krm_fn.graph.dot import dot

        return dot(graphs)
    if form == SVG:
        from krm_fn.graph.svg import svg

        return svg(graphs)
    from krm_fn.graph.text import text

    return text(graphs)


def _write(path: str, text: str, stdout: BinaryIO) -> None:
    if path:
        from krm_fn.command.output import write_file

        write_file(path, text)
        return
    stdout.write(text.encode())
    stdout.flush()
