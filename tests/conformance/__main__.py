"""`python -m tests.conformance`: exit 0 when every case that applies passes, 1 when one fails, 2 for usage."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tests.conformance.find import find
from tests.conformance.kro_live import SNAPSHOTS, WRITTEN
from tests.conformance.runner import FAILED, run, show


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.conformance", description="Put conformance cases to Rookery."
    )
    parser.add_argument("paths", nargs="+", type=Path, metavar="DIR", help="a corpus, a set, a case folder or a file")
    parser.add_argument("--report", type=Path, metavar="FILE.json", help="write the results as JSON, too")
    parser.add_argument(
        "--include-excluded", action="store_true", help="run excluded cases, too, and name those that pass"
    )
    parser.add_argument(
        "--snapshot",
        choices=sorted(SNAPSHOTS),
        default=WRITTEN,
        help="kro-live: what is observed: what somebody other than kro wrote to (default), or all that existed in the end",
    )
    arguments = parser.parse_args()
    cases = (case for path in arguments.paths for case in find(path, arguments.snapshot))
    report = run(cases, include_excluded=arguments.include_excluded)
    sys.stdout.write("\n".join(show(report)) + "\n")
    if arguments.report:
        arguments.report.write_text(json.dumps(report.as_json(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 1 if report.total(FAILED) else 0


if __name__ == "__main__":
    sys.exit(main())
