"""The process: streams, exit codes, and what becomes of an exception that nobody expected."""

from __future__ import annotations

import sys

from krm_fn.command import EXIT_BUG, run

_LEAN = (["render"], ["validate"], ["health"], ["fn"], ["cmp"])
"""The commands that read YAML with our own reader alone."""


def main() -> int:
    """Entry point of `rookery` and of `python -m krm_fn`."""
    import gc
    import os

    # A render makes only acyclic garbage and ends soon: the cyclic collector would walk every object for nothing.
    gc.disable()
    if sys.argv[1:2] in _LEAN:
        from krm_fn.read.lean_yaml import import_lean_yaml

        import_lean_yaml()
    _open_streams()
    try:
        code = run(sys.argv[1:], sys.stdin.buffer, sys.stdout.buffer, sys.stderr, os.environ)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader went away: nothing more can be said on stdout, and the interpreter must not try.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # a bug of ours is turned into its exit code, here alone
        if "--debug" in sys.argv or os.environ.get("ROOKERY_DEBUG"):
            raise
        sys.stderr.write(
            f"rookery: internal error ({type(error).__name__}): this is a bug of Rookery\n"
            "ROOKERY_DEBUG=1 shows the traceback, which may hold values of your input\n"
        )
        return EXIT_BUG
    return code


def _open_streams() -> None:
    """Stand-ins for streams that the caller closed: nothing to read, and a full disk to write to."""
    if sys.stdin is None:
        sys.stdin = open("/dev/null", encoding="utf-8")  # noqa: SIM115 - as long as the process
    if sys.stdout is None:
        import io

        # Without a buffer, so that nothing is left for the interpreter to write when it ends.
        sys.stdout = io.TextIOWrapper(open("/dev/full", "wb", buffering=0), write_through=True)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open("/dev/null", "w", encoding="utf-8")  # noqa: SIM115


if __name__ == "__main__":
    sys.exit(main())
