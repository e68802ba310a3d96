"""
`python -m tests.bench.argocd [--rounds N]`: the plugin under Argo CD's real plugin server. Wall time; `make tools` first.

One application of 50 instances (250 objects), beside the same render on the command line and beside `kustomize build` of those
objects; eight generates at once, with their memory; a response of 10 MB.  Runs are interleaved; the figures are medians.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

from tests.bench.__main__ import workload
from tests.hosts.argocd_server import PluginServer, packed, plugin_server
from tests.hosts.programs import tool

INSTANCES, OBJECTS = 50, 250
AT_ONCE = 8
BIG = 3900


def application(folder: Path, generated: Path, count: int) -> Path:
    """A folder with the RGD and the first *count* instances of workload a."""
    folder.mkdir()
    (folder / "rgd.yaml").write_text((generated / "a" / "rgd.yaml").read_text())
    documents = (generated / "a" / "instances-10000.yaml").read_text().split("---\n")[:count]
    (folder / "instances.yaml").write_text("---\n".join(documents))
    return folder


def run(command: list[str], folder: Path) -> bytes:
    return subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, check=True).stdout


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


class Memory:
    """The resident memory of a process's children while in `with`, in MiB: of the largest, and of all at once."""

    def __init__(self, parent: int) -> None:
        self.parent = parent
        self.one = self.all = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        page = os.sysconf("SC_PAGE_SIZE") / 2**20
        while not self._done.wait(0.002):
            sizes = []
            for children in Path(f"/proc/{self.parent}/task").glob("*/children"):
                for child in children.read_text().split():
                    try:
                        # Before it becomes another program, a child still counts the server's memory as its own.
                        if b"generate" in Path(f"/proc/{child}/cmdline").read_bytes():
                            sizes.append(int(Path(f"/proc/{child}/statm").read_text().split()[1]) * page)
                    except (FileNotFoundError, ProcessLookupError):
                        continue
            self.one = max(self.one, max(sizes, default=0))
            self.all = max(self.all, sum(sizes))


def single(server: PluginServer, folder: Path, rounds: int) -> None:
    rookery = str(Path(sys.executable).parent / "rookery")
    archive = packed(folder / "app")
    made = run([rookery, "render", "."], folder / "app")
    (folder / "made").mkdir()
    (folder / "made" / "all.yaml").write_bytes(made)
    (folder / "made" / "kustomization.yaml").write_text("resources: [all.yaml]\n")
    kustomize = tool("kustomize")
    cases: dict[str, Callable[[], object]] = {
        "python -c pass": lambda: run([sys.executable, "-c", "pass"], folder),
        "plugin server, 50 instances": lambda: server.generate(archive),
        "rookery cmp generate": lambda: run([rookery, "cmp", "generate"], folder / "app"),
        "rookery render": lambda: run([rookery, "render", "."], folder / "app"),
        "kustomize build of the 250 objects": lambda: run([kustomize, "build", "."], folder / "made"),
    }
    found = len(server.generate(archive))
    if found != OBJECTS or made.count(b"\nkind: ") + made.startswith(b"kind: ") != OBJECTS:
        sys.exit(f"{found} objects, not {OBJECTS}")
    samples: dict[str, list[float]] = {label: [] for label in cases}
    for _ in range(rounds):
        for label, work in cases.items():
            samples[label].append(seconds(work))
    for label, values in samples.items():
        print(f"{label:44}{statistics.median(values) * 1000:8.0f} ms{min(values) * 1000:8.0f} ms at best")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.argocd")
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as temporary, plugin_server() as server:
        folder = Path(temporary)
        subprocess.run([sys.executable, str(workload() / "gen.py"), str(folder / "generated")], check=True)
        application(folder / "app", folder / "generated", INSTANCES)
        single(server, folder, rounds)
        archive = packed(folder / "app")
        with Memory(server.process.pid) as memory, ThreadPoolExecutor(AT_ONCE) as pool:
            took = seconds(lambda: list(pool.map(lambda _: server.generate(archive), range(AT_ONCE))))
        print(
            f"{AT_ONCE} generates at once: {took:.2f} s; {memory.one:.0f} MiB the largest, {memory.all:.0f} MiB together"
        )
        big = packed(application(folder / "big", folder / "generated", BIG))
        made: list[str] = []
        with Memory(server.process.pid) as memory:
            took = seconds(lambda: made.extend(server.generate(big)))
        alone = seconds(lambda: run([str(Path(sys.executable).parent / "rookery"), "cmp", "generate"], folder / "big"))
        size = sum(len(text) for text in made) / 1e6
        print(
            f"{len(made):,} objects, {size:.1f} MB: {took:.2f} s; the command alone {alone:.2f} s; {memory.one:.0f} MiB"
        )
    print(f"{rounds} rounds, interleaved; python {sys.version.split()[0]}; load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
