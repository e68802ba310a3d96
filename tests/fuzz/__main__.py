"""
`python -m tests.fuzz TARGET [DIRECTORY] [libFuzzer's options]`: fuzz one target until it is stopped or finds something.

DIRECTORY keeps the inputs that reached something new; it is filled with the seeds when it does not exist. For example

    nice python -m tests.fuzz compile /tmp/fuzz/compile -max_len=400 -timeout=10 -max_total_time=300

atheris (PyPI) must be installed; it is no dependency of the development extra, since it has no wheels for some Pythons.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path

import atheris

from tests.fuzz.seeds import write_seeds

_ROOMS = ("krm_fn.cel", "krm_fn.cel.library", "krm_fn.program", "krm_fn.read", "krm_fn.report")

with atheris.instrument_imports(include=["krm_fn"]):
    # Also what the product imports only when it is needed: the fuzzer follows the branches of what is imported here.
    for room in map(importlib.import_module, _ROOMS):
        for module in pkgutil.iter_modules(room.__path__, f"{room.__name__}."):
            importlib.import_module(module.name)
    from tests.fuzz.targets import TARGETS


def main() -> None:
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in TARGETS:
        raise SystemExit(f"a target is one of {', '.join(TARGETS)}, not {name!r}")
    words = sys.argv[2:]
    if words and not words[0].startswith("-"):
        directory = Path(words[0])
        if not directory.exists():
            write_seeds(name, directory)
    atheris.Setup([sys.argv[0], *words], TARGETS[name])
    atheris.Fuzz()


main()
