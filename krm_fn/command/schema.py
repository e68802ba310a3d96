"""`rookery schema`: JSON Schemas, so that an editor completes RGDs, instances and functionConfigs, and underlines what is wrong."""

from __future__ import annotations

from krm_fn.command import EXIT_OK, EXIT_REFUSED, UsageError
from krm_fn.command.arguments import FLAG, parse_arguments, wants_color
from krm_fn.report.diagnostic import ERROR, Diagnostic, RenderError
from krm_fn.report.text import render_text
from krm_fn.schema.published import NAMES, of_instances, published

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import BinaryIO, TextIO

USAGE = """\
usage: rookery schema rgd            of a ResourceGraphDefinition
       rookery schema render-config  of a functionConfig
       rookery schema simulation     of the steps file of rookery simulate
       rookery schema observed-state of a snapshot that rookery observe writes
       rookery schema PATH...        of the instances of the RGDs found under the paths

Prints a JSON Schema (draft 7) for an editor. PATH is a file, a directory (*.yaml, *.yml, *.json below it; .krmignore is
honoured) or - for stdin; a path that is called like a schema is written ./rgd.

exit code: 0 printed, 1 the RGDs are not valid, 2 usage
"""


def schema(
    words: Sequence[str], stdin: BinaryIO, stdout: BinaryIO, stderr: TextIO, environment: Mapping[str, str]
) -> int:
    """Print one schema; see USAGE."""
    arguments = parse_arguments(words, {"help": FLAG}, {"h": "help"})
    if "help" in arguments.flags:
        stdout.write(USAGE.encode())
        return EXIT_OK
    operands = arguments.operands
    if not operands:
        raise UsageError(f"schema needs a name ({', '.join(NAMES)}) or a PATH with RGDs")
    if len(operands) == 1 and operands[0] in NAMES:
        stdout.write(published(operands[0]).encode())
        return EXIT_OK
    try:
        text = _of_paths(operands, stdin)
    except RenderError as error:
        stderr.write(render_text(error.diagnostics, color=wants_color(stderr, environment)))
        return EXIT_REFUSED
    stdout.write(text.encode())
    return EXIT_OK


def _of_paths(paths: Sequence[str], stdin: BinaryIO) -> str:
    """The schema of every kind that RGDs under *paths* define. Errors: RenderError."""
    import json

    from krm_fn.pipeline import Options, Rendering
    from krm_fn.read.sources import read_sources

    rendering = Rendering(read_sources(paths, stdin.read), Options())
    problems = rendering.findings.sorted()
    if any(problem.severity == ERROR for problem in problems):
        raise RenderError(problems)
    programs = rendering.programs.values()
    if not programs:
        advice = f"give the paths of RGDs, or one of {', '.join(NAMES)}"
        message = "there is no ResourceGraphDefinition among the input"
        raise RenderError([Diagnostic("nothing-to-validate", message, help=advice)])
    kinds = [(program.api_version, program.definition.kind, program.spec_schema) for program in programs]
    return json.dumps(of_instances(kinds), indent=1, ensure_ascii=False) + "\n"
