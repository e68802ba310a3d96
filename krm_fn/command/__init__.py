"""
The command line: one file a subcommand. The only room, with `function`, that touches arguments and streams.

Enters: arguments and the four streams.  Leaves: an exit code. 0: rendered; 1: refused, with diagnostics on stderr and nothing on
stdout; 2: usage; 70: a bug of ours.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import BinaryIO, TextIO

_COMMANDS = (
    "render", "validate", "observe", "convert", "simulate", "graph", "schema", "health", "fn", "cmp", "status-sync", "wait",
)  # fmt: skip
EXIT_OK, EXIT_REFUSED, EXIT_USAGE, EXIT_BUG = 0, 1, 2, 70

USAGE = """\
rookery: render kro ResourceGraphDefinitions into plain Kubernetes manifests, without kro

usage:
  rookery render PATH...   RGDs and instances in, manifests out
  rookery validate PATH... RGDs and instances in, what is wrong with them out
  rookery observe PATH...  a look at a cluster: what expressions wait for, as observed.yaml
  rookery simulate PATH... what kro would do in a cluster, step by step
  rookery graph PATH...    what depends on what, in layers: as text, Mermaid, DOT or SVG
  rookery convert PATH...  ResourceGroups of kro before v0.2 in, ResourceGraphDefinitions out
  rookery schema NAME      a JSON Schema for an editor: of RGDs, of functionConfigs, of the instances of an RGD
  rookery health PATH...   RGDs in, the health checks out that let Argo CD wait for their readyWhen
  rookery fn               a KRM function: ResourceList on stdin, ResourceList on stdout
  rookery cmp generate     an Argo CD plugin: the application's directory in, JSON lines out
  rookery status-sync      writes the statuses of instances in a cluster, as kro would
  rookery wait OBJECT...   waits until objects in a cluster are ready, as a gate Job of Argo CD does
  rookery --version

'rookery COMMAND --help' says more.
"""


class UsageError(Exception):
    """The arguments make no sense. The message says what is wrong with them."""


def run(argv: Sequence[str], stdin: BinaryIO, stdout: BinaryIO, stderr: TextIO, environment: Mapping[str, str]) -> int:
    """
    Run one command.

    Nothing is written to *stdout* unless the result is 0, except a ResourceList with results by `fn` (a host shows it), and what
    changed by `validate --against` (a pull request shows it).
    """
    if not argv or argv[0] in ("-h", "--help", "help"):
        stdout.write(USAGE.encode())
        return EXIT_OK if argv else EXIT_USAGE
    command, arguments = argv[0], list(argv[1:])
    try:
        if command == "--version":
            from krm_fn import __version__

            stdout.write(f"rookery {__version__} (kro-0.9 profile)\n".encode())
            return EXIT_OK
        if command == "render":
            from krm_fn.command.render import render

            return render(arguments, stdin, stdout, stderr, environment)
        if command == "validate":
            from krm_fn.command.validate import validate

            return validate(arguments, stdin, stdout, stderr, environment)
        if command == "fn":
            from krm_fn.command.fn import fn

            return fn(arguments, stdin, stdout, stderr, environment)
        if command == "cmp":
            from krm_fn.command.cmp import cmp

            return cmp(arguments, stdout, stderr, environment)
        if command == "observe":
            from krm_fn.command.observe import observe

            return observe(arguments, stdin, stdout, stderr, environment)
        if command == "convert":
            from krm_fn.command.convert import convert

            return convert(arguments, stdin, stdout, stderr, environment)
        if command == "simulate":
            from krm_fn.command.simulate import simulate

            return simulate(arguments, stdin, stdout, stderr, environment)
        if command == "graph":
            from krm_fn.command.graph import graph

            return graph(arguments, stdin, stdout, stderr, environment)
        if command == "schema":
            from krm_fn.command.schema import schema

            return schema(arguments, stdin, stdout, stderr, environment)
        if command == "health":
            from krm_fn.command.health import health

            return health(arguments, stdin, stdout, stderr, environment)
        if command == "status-sync":
            from krm_fn.command.status_sync import status_sync

            return status_sync(arguments, stdout, stderr)
        if command == "wait":
            from krm_fn.command.wait import wait

            return wait(arguments, stdout, stderr)
        raise UsageError(_unknown(command))
    except UsageError as error:
        stderr.write(f"rookery: {error}\ntry 'rookery --help'\n")
        return EXIT_USAGE


def _unknown(command: str) -> str:
    from krm_fn.report.near import did_you_mean

    near = did_you_mean(command, _COMMANDS)
    return f"there is no command {command!r}; " + (near or f"there are {', '.join(_COMMANDS)}")
