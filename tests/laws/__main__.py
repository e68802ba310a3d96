"""`python -m tests.laws FOLDER...`: the truth of deferral, asked of every input below; prints what was tried and what came of it."""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path

from tests.laws import expressions
from tests.laws.deferral import cases
from tests.laws.truth import SEEDS_OF_ALL, judge


def main(folders: list[str]) -> int:
    start = time.monotonic()
    counts: Counter[str] = Counter()
    broken: list[str] = []
    unexplained: list[str] = []
    for folder in map(Path, folders):
        crds = next(
            (
                p
                for p in (folder / "kro-crds", folder.parent / "kro-crds", folder.parent.parent / "kro-crds")
                if p.is_dir()
            ),
            None,
        )
        for case in cases(folder, crds):
            found = judge(case, SEEDS_OF_ALL, counts, witnesses=True)
            broken += found.broken
            unexplained += found.unexplained
    for case in expressions.cases(list(expressions.expressions())):
        broken += judge(case, SEEDS_OF_ALL, counts, witnesses=False, label="expressions: ").broken
    for line in (*broken, *unexplained):
        print(line)
    for name, count in sorted(counts.items()):
        print(f"{count:>7}  {name}")
    print(f"{len(broken)} broken, {len(unexplained)} withheld without a witness, {time.monotonic() - start:.0f} s")
    return 1 if broken or unexplained else 0


sys.exit(main(sys.argv[1:]))
