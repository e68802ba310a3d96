"""
`python -m tests.bench [--rounds N]`: whole processes, user + system time, beside `python -c pass` and `helm template`.

Reads the workload `../shared/bench-workload` (`ROOKERY_BENCH` names another place): one RGD of five resources, 51 expressions.
Runs are interleaved, so that a busy minute hits all alike; the figures are medians, and ratios are the ones to compare.
Each output is compared with the number of objects that it must hold.
"""

from __future__ import annotations

import argparse
import compileall
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.hosts.programs import find

ROOT = Path(__file__).resolve().parents[2]
SIZES = (1, 100, 1000)


def workload() -> Path:
    place = Path(os.environ.get("ROOKERY_BENCH", ROOT.parent / "shared" / "bench-workload"))
    if not (place / "gen.py").is_file():
        sys.exit(f"the workload is not at {place}; ROOKERY_BENCH names its folder")
    return place


def measure(command: list[str], expected_objects: int | None) -> tuple[float, float]:
    """Milliseconds of CPU of one run, and MiB of its peak memory."""
    script = (
        "import resource,subprocess,sys;r=subprocess.run(sys.argv[1:],stdout=subprocess.PIPE);"
        "u=resource.getrusage(resource.RUSAGE_CHILDREN);"
        "print(u.ru_utime+u.ru_stime,u.ru_maxrss,r.returncode,r.stdout.count(b'\\nkind: ')+r.stdout.startswith(b'kind: '))"
    )
    result = subprocess.run([sys.executable, "-c", script, *command], capture_output=True, text=True, check=True)
    seconds, kib, code, objects = result.stdout.split()
    if code != "0":
        sys.exit(f"{' '.join(command)} exited {code}: {result.stderr}")
    if expected_objects is not None and int(objects) != expected_objects:
        sys.exit(f"{' '.join(command)} printed {objects} objects, not {expected_objects}")
    return float(seconds) * 1000, int(kib) / 1024


def cases(folder: Path) -> dict[str, tuple[list[str], int | None]]:
    """Label -> command and the number of objects that it prints."""
    python = [sys.executable]
    found: dict[str, tuple[list[str], int | None]] = {
        "python -c pass": ([*python, "-c", "pass"], None),
        "python -c 'import yaml'": ([*python, "-c", "import yaml"], None),
        "render web-application (3 resources)": (
            [*python, "-m", "krm_fn", "render", str(ROOT / "fixtures/web-application")],
            3,
        ),
    }
    for size in SIZES:
        label = f"render workload a x {size}"
        paths = [str(folder / "a" / "rgd.yaml"), str(folder / "a" / f"instances-{size}.yaml")]
        found[label] = ([*python, "-m", "krm_fn", "render", *paths], 5 * size)
    if helm := find("helm"):
        chart = str(ROOT / "tests/bench/chart")
        for size in (1, 1000):
            found[f"helm template, one chart x {size}"] = (
                [helm, "template", "x", chart, "--set", f"count={size}"],
                5 * size,
            )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    compileall.compile_dir(ROOT / "krm_fn", quiet=1)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        subprocess.run([sys.executable, str(workload() / "gen.py"), str(folder)], check=True)
        table = cases(folder)
        samples: dict[str, list[tuple[float, float]]] = {label: [] for label in table}
        for _ in range(rounds):
            for label, (command, objects) in table.items():
                samples[label].append(measure(command, objects))
    base = statistics.median(cpu for cpu, _ in samples["python -c pass"])
    print(f"{'':44}{'CPU ms':>9}{'min':>9}{'x pass':>9}{'us/object':>11}{'MiB':>7}")
    for label, values in samples.items():
        cpu = statistics.median(value for value, _ in values)
        objects = table[label][1]
        each = f"{cpu * 1000 / objects:11.0f}" if objects and objects > 100 else " " * 11
        print(
            f"{label:44}{cpu:9.1f}{min(v for v, _ in values):9.1f}{cpu / base:9.2f}{each}{max(m for _, m in values):7.0f}"
        )
    print(f"\n{rounds} rounds, interleaved; python {sys.version.split()[0]}; load {os.getloadavg()[0]:.1f}")
    if not find("helm"):
        print("helm is neither built (make tools) nor on PATH: its rows are left out")


if __name__ == "__main__":
    main()
