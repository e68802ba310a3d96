"""
`python -m tests.bench.cel_engines`: the CEL engine beside cel-python and cel-expr-python, in one process and one run.

The peers are measured where they are installed (`pip install cel-python cel-expr-python`); a row says when one is not. Evaluation of
the peers counts their conversion of the input, since a manifest is plain JSON; ours takes it as it is. Figures are the best of
several rounds, user time of one evaluation in microseconds.
"""

from __future__ import annotations

import compileall
import importlib.util
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

EXPRESSIONS = {
    "join": 'schema.spec.name + "-" + string(schema.spec.replicas)',
    "filter and map": "schema.spec.items.filter(i, i.enabled).map(i, i.name)",
}
DATA = {
    "schema": {
        "spec": {
            "name": "web",
            "replicas": 3,
            "items": [{"name": f"item-{i}", "enabled": i % 2 == 0, "size": i} for i in range(8)],
        }
    }
}


def ours(text: str) -> Callable[[], Any]:
    from krm_fn.cel import compile_, parse, to_json

    program = compile_(parse(text))
    return lambda: to_json(program(DATA))


def cel_python(text: str) -> Callable[[], Any]:
    import celpy

    environment = celpy.Environment()
    program = environment.program(environment.compile(text))
    return lambda: program.evaluate(celpy.json_to_cel(DATA))


def cel_expr_python(text: str) -> Callable[[], Any]:
    from cel_expr_python import cel

    expression = cel.NewEnv(variables={"schema": cel.Type.DYN}).compile(text)
    return lambda: expression.eval(data=DATA).plain_value()


ENGINES: dict[str, tuple[str, Callable[[str], Callable[[], Any]]]] = {
    "rookery": ("krm_fn.cel", ours),
    "cel-expr-python": ("cel_expr_python", cel_expr_python),
    "cel-python": ("celpy", cel_python),
}


def best(call: Callable[[], Any], seconds: float = 0.2, rounds: int = 5) -> float:
    """Microseconds of one call: the fastest of several rounds."""
    started = time.process_time()
    call()
    count = max(1, int(seconds / max(time.process_time() - started, 1e-7)))
    count = min(count, 200_000)
    found = []
    for _ in range(rounds):
        started = time.process_time()
        for _ in range(count):
            call()
        found.append((time.process_time() - started) / count)
    return min(found) * 1e6


def import_cost(statement: str) -> float:
    """Milliseconds of user and system time over `python -c pass`; medians of interleaved runs."""

    def once(code: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    pairs = [(once(statement), once("pass")) for _ in range(15)]
    return (statistics.median(a for a, _ in pairs) - statistics.median(b for _, b in pairs)) * 1e3


def main() -> None:
    # As an installation does; otherwise a first import is mostly compiling.
    compileall.compile_dir(Path(__file__).resolve().parents[2] / "krm_fn", quiet=1)
    print(f"{'':18}{'import ms':>11}" + "".join(f"{name + ', us':>20}" for name in EXPRESSIONS))
    answers: dict[str, set[str]] = {name: set() for name in EXPRESSIONS}
    for engine, (module, make) in ENGINES.items():
        if importlib.util.find_spec(module) is None:
            print(f"{engine:18}is not installed")
            continue
        row = f"{engine:18}{import_cost(f'import {module}'):11.1f}"
        for name, text in EXPRESSIONS.items():
            call = make(text)
            answers[name].add(json.dumps(call()))
            row += f"{best(call):20.2f}"
        print(row)
    if any(len(found) > 1 for found in answers.values()):
        sys.exit(f"the engines disagree: {answers}")
    from krm_fn.cel import compile_, parse

    text = EXPRESSIONS["join"]
    print(f"\nparse and compile the first: {best(lambda: compile_(parse(text))):.0f} us")
    try:
        from krm_fn.cel.check import check
        from krm_fn.cel.types import DYNAMIC
    except ImportError:
        return
    print(
        f"parse, check and compile it: {best(lambda: (check(parse(text), {'schema': DYNAMIC}), compile_(parse(text)))):.0f} us"
    )


if __name__ == "__main__":
    main()
