"""
`rookery status-sync`: writes the statuses of instances and RGDs, once or again and again.

One pass is `krm_fn.status_sync.sync`; here are the arguments, the clock, and what ends the loop.
"""

from __future__ import annotations

from krm_fn.command import EXIT_BUG, EXIT_OK, EXIT_REFUSED, UsageError
from krm_fn.command.arguments import FLAG, VALUE, VALUES, parse_arguments
from krm_fn.report.diagnostic import RenderError
from krm_fn.report.formats import TEXT, formatted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import BinaryIO, TextIO

    from krm_fn.read.yaml import Document
    from krm_fn.status_sync.sync import Log, Sync

USAGE = """\
usage: rookery status-sync (--once | --interval SECONDS) [PATH...] [options]

Writes the status of every instance in a cluster, as kro would: its fields, conditions and state, made of what its children
say of themselves. Of ResourceGraphDefinitions that lie in the cluster it writes state and topologicalOrder. It writes
nothing else, and only what differs.
PATH holds the ResourceGraphDefinitions: a file or a directory. Without a PATH they are those of the cluster.

      --once              one pass
      --interval SECONDS  a pass, and the next one SECONDS after its end, until it is stopped
      --namespace NAME    look for instances in this namespace alone; may be repeated
      --kubeconfig FILE   default: KUBECONFIG, ~/.kube/config, or the service account of the Pod
      --context NAME      of the kubeconfig; default: its current one

It needs the extra: pip install 'rookery[status-sync]'

exit code: 0 everything is written, 1 something is not (it is named on stderr), 2 usage
"""

_OPTIONS = {
    "once": FLAG,
    "interval": VALUE,
    "namespace": VALUES,
    "kubeconfig": VALUE,
    "context": VALUE,
    "help": FLAG,
}
_LONGEST_DAY = 86_400.0
_LONGEST_BACK_OFF = 60.0


def status_sync(words: Sequence[str], stdout: BinaryIO, stderr: TextIO) -> int:
    """Connect and run; see USAGE."""
    arguments = parse_arguments(words, _OPTIONS, {"h": "help", "n": "namespace"})
    if "help" in arguments.flags:
        stdout.write(USAGE.encode())
        return EXIT_OK
    interval = _interval(arguments.last("interval")) if "interval" in arguments.values else None
    if (interval is None) == ("once" not in arguments.flags):
        raise UsageError("status-sync needs either --once or --interval SECONDS")
    if "-" in arguments.operands:
        raise UsageError("status-sync reads files and directories, not stdin")
    from krm_fn.status_sync.cluster import api_client
    from krm_fn.status_sync.live import Live
    from krm_fn.status_sync.sync import Log, Sync

    def say(text: str) -> None:
        stderr.write(text)
        stderr.flush()

    log = Log(say)
    try:
        client = api_client(arguments.last("kubeconfig"), arguments.last("context"))
        sync = Sync(Live(client), log, _documents(arguments.operands), arguments.all("namespace"), _now)
        if interval is None:
            is_well = sync.run()
            return EXIT_BUG if sync.bugs else EXIT_OK if is_well else EXIT_REFUSED
    except RenderError as error:
        say(formatted(error.diagnostics, TEXT, color=False))
        return EXIT_REFUSED
    return _repeated(sync, log, interval, say)


def _interval(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds <= _LONGEST_DAY:
        raise UsageError(f"--interval is a number of seconds, 0.1 to {_LONGEST_DAY:.0f}, not {text[:80]!r}")
    return seconds


def _documents(paths: Sequence[str]) -> Callable[[], list[Document] | None]:
    def read() -> list[Document] | None:
        if not paths:
            return None
        from krm_fn.read.sources import read_sources

        return read_sources(paths, lambda: b"")

    return read


def _now() -> str:
    from time import gmtime, strftime

    return strftime("%Y-%m-%dT%H:%M:%SZ", gmtime())


class _Stopped(BaseException):
    """Somebody asked us to end. No `except Exception` of a library may hold it up."""


def _repeated(sync: Sync, log: Log, interval: float, say: Callable[[str], None]) -> int:
    """
    Pass after pass, until SIGTERM or SIGINT.

    While the server is away it is said once, and asked less and less often. A pass that is cut short leaves nothing half
    done: a status is one request.
    """
    import gc
    import signal
    import time

    def stop(*_: object) -> None:
        raise _Stopped

    gc.enable()  # a process that lives long, other than a render
    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        log.say(f"every {interval:g} s")
        wait, is_away = interval, False
        while True:
            try:
                sync.run()
                if is_away:
                    log.say("all can be read again")
                wait, is_away = interval, False
            except RenderError as error:
                if not is_away:
                    say(formatted(error.diagnostics, TEXT, color=False))
                wait, is_away = min(max(wait * 2, 1.0), max(_LONGEST_BACK_OFF, interval)), True
            time.sleep(wait)
    except _Stopped:
        log.say("stopped")
        return EXIT_OK
