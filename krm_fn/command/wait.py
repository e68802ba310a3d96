"""
`rookery wait`: waits until objects in a cluster are ready. What a gate Job runs.

The waiting is `krm_fn.status_sync.wait`; here are the arguments, and what ends it from outside.
"""

from __future__ import annotations

from krm_fn.command import EXIT_OK, EXIT_REFUSED, UsageError
from krm_fn.command.arguments import FLAG, VALUE, VALUES, parse_arguments
from krm_fn.report.diagnostic import RenderError
from krm_fn.report.formats import TEXT, formatted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import BinaryIO, TextIO

    from krm_fn.command.arguments import Arguments
    from krm_fn.status_sync.wait import Condition, Gate, Wanted

USAGE = """\
usage: rookery wait [--namespace NS] [--name NAME --ready-when EXPR...] OBJECT... [options]

Waits until every OBJECT is there and ready, however long that takes, and says on stderr what it waits for. It only ever asks
for these objects, by name.
OBJECT is TYPE.VERSION.GROUP/NAME, as kubectl spells it: deployments.v1.apps/web, and services.v1./web, whose group is empty.
TYPE is the plural. With OBJECT@DIGEST its annotation rookery.dev/digest must be DIGEST.

  -n, --namespace NS         of the objects; without it they are of the whole cluster
      --name NAME            what EXPR calls an object
      --ready-when EXPR      CEL, as in readyWhen of an RGD; must be true; may be repeated
      --observed-generation  the kind has a status.observedGeneration: without a status an object is not ready
      --kubeconfig FILE      default: $KUBECONFIG, ~/.kube/config, or the service account of the Pod
      --context NAME         of the kubeconfig; default: its current one

It needs the extra: pip install 'rookery[status-sync]'

exit code: 0 all are ready, 1 there is no cluster to ask, 2 usage, 130 and 143 it was stopped
"""

_OPTIONS = {
    "namespace": VALUE,
    "name": VALUE,
    "ready-when": VALUES,
    "observed-generation": FLAG,
    "kubeconfig": VALUE,
    "context": VALUE,
    "help": FLAG,
}
_OBJECTS, _CONDITIONS, _LONGEST_CONDITION = 10_000, 1_000, 100_000
_LABEL = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
_GROUP = _LABEL | {"."}
_WORD = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
_LONGEST_LABEL, _LONGEST_NAME, _LONGEST_DIGEST = 63, 253, 128
_SHOWN = 120


def wait(words: Sequence[str], stdout: BinaryIO, stderr: TextIO) -> int:
    """Connect and wait; see USAGE."""
    arguments = parse_arguments(words, _OPTIONS, {"h": "help", "n": "namespace"})
    if "help" in arguments.flags:
        stdout.write(USAGE.encode())
        return EXIT_OK
    gate = _gate(arguments)
    from krm_fn.status_sync.wait import Wait, connect_whole

    def say(line: str) -> None:
        stderr.write(f"{line}\n")
        stderr.flush()

    def run() -> int:
        try:
            waiting = Wait(gate, lambda: connect_whole(arguments.last("kubeconfig"), arguments.last("context")), say)
        except RenderError as error:
            stderr.write(formatted(error.diagnostics, TEXT, color=False))
            return EXIT_REFUSED
        waiting.until_ready()
        count = len(gate.wanted)
        stdout.write(f"{gate.wanted[0]} is ready\n".encode() if count == 1 else b"%d objects are ready\n" % count)
        stdout.flush()
        return EXIT_OK

    return _until_stopped(run)


# -- arguments ----------------------------------------------------------------------------------------------------------


def _gate(arguments: Arguments) -> Gate:
    from krm_fn.status_sync.wait import Gate

    namespace, name = arguments.last("namespace"), arguments.last("name")
    if "namespace" in arguments.values and not _is_made_of(_LABEL, namespace, _LONGEST_LABEL):
        raise UsageError(f"--namespace is the name of a namespace, not {namespace[:_SHOWN]!r}")
    if not arguments.operands:
        raise UsageError("wait needs an OBJECT, such as deployments.v1.apps/web")
    texts = arguments.all("ready-when")
    if len(arguments.operands) > _OBJECTS or len(texts) > _CONDITIONS:
        raise UsageError(f"wait takes at most {_OBJECTS} objects and {_CONDITIONS} conditions")
    if texts and "name" not in arguments.values:
        raise UsageError("--ready-when needs --name NAME, by which it calls the object")
    if "name" in arguments.values and not (name.isascii() and name.isidentifier() and len(name) <= _LONGEST_NAME):
        raise UsageError(f"--name is a name that CEL knows, such as deployment, not {name[:_SHOWN]!r}")
    return Gate(
        namespace,
        tuple(_wanted(word, is_namespaced=bool(namespace)) for word in arguments.operands),
        name,
        tuple(_condition(text, name) for text in texts),
        "observed-generation" in arguments.flags,
    )


def _wanted(word: str, *, is_namespaced: bool) -> Wanted:
    """`deployments.v1.apps/web@1a2b3c4d`."""
    from krm_fn.status_sync.cluster import Resource
    from krm_fn.status_sync.wait import Wanted

    kind, _, rest = word.partition("/")
    name, has_digest, digest = rest.rpartition("@") if "@" in rest else (rest, "", "")
    plural, _, served = kind.partition(".")
    version, has_group, group = served.partition(".")
    if not has_group and version[:1] == "v" and _is_made_of(_LABEL, plural + version, _LONGEST_NAME):
        meant = f"{plural}.{version}./{rest}"
        raise UsageError(f"{word[:_SHOWN]!r} has no group; of the core group it is {meant[:_SHOWN]!r}")
    is_well = (
        has_group
        and _is_made_of(_LABEL, plural, _LONGEST_LABEL)
        and _is_made_of(_LABEL, version, _LONGEST_LABEL)
        and (not group or _is_made_of(_GROUP, group, _LONGEST_NAME))
        and 0 < len(name) <= _LONGEST_NAME
        and name.isprintable()
        and name not in (".", "..")
        and not {"/", "%"}.intersection(name)
        and (not has_digest or _is_made_of(_WORD, digest, _LONGEST_DIGEST))
    )
    if not is_well:
        raise UsageError(
            f"an object is TYPE.VERSION.GROUP/NAME, such as deployments.v1.apps/web, not {word[:_SHOWN]!r}"
        )
    api_version, path = (f"{group}/{version}", f"/apis/{group}/{version}") if group else (version, f"/api/{version}")
    return Wanted(Resource(api_version, "", path, plural, is_namespaced), name, digest)


def _is_made_of(characters: frozenset[str], text: str, longest: int) -> bool:
    return 0 < len(text) <= longest and characters.issuperset(text)


def _condition(text: str, name: str) -> Condition:
    """Errors: UsageError where it is no expression, or one that can never be true: it knows nothing but the object."""
    from krm_fn.cel import CelSyntaxError, compile_, parse, references
    from krm_fn.status_sync.wait import Condition

    shown = f"--ready-when {text[:_SHOWN]!r}"
    if len(text) > _LONGEST_CONDITION:
        raise UsageError(f"{shown} is longer than {_LONGEST_CONDITION} characters")
    try:
        tree = parse(text)
        run = compile_(tree)
    except CelSyntaxError as error:
        problem = error.problems[0]
        raise UsageError(f"{shown}: at character {problem.offset + 1}: {problem.message[:_SHOWN]}") from None
    used = references(tree)
    unknown = [root for root in used.roots if root != name] + [
        f"{function}()" for function in (*used.unknown_functions, *used.unknown_methods)
    ]
    if unknown:
        raise UsageError(f"{shown}: {unknown[0][:_SHOWN]} is not known; the object is called {name}")
    return Condition(text, run)


# -- its end ------------------------------------------------------------------------------------------------------------


class _Stopped(BaseException):
    """Somebody asked us to end. No `except Exception` of a library may hold it up."""


def _until_stopped(run: Callable[[], int]) -> int:
    """What *run* gives, or 128 and the signal that ended it. Without a handler the first process of a Pod hears none."""
    import gc
    import signal

    def stop(number: int, _: object) -> None:
        raise _Stopped(number)

    gc.enable()  # a process that lives long, other than a render
    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        return run()
    except _Stopped as stopped:
        return 128 + int(stopped.args[0])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
