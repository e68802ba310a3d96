"""`python -m tests.cel.differential [EXAMPLES]`: look for differences among expressions that no run has seen before."""

from __future__ import annotations

import sys

from tests.cel.differential.compare import compare

differences, asked = compare(int(sys.argv[1]) if len(sys.argv) > 1 else 5000, repeatable=False)
print(*differences, sep="\n")
print(", ".join(f"{name} {count}" for name, count in asked.items()), f"differences {len(differences)}", sep=", ")
sys.exit(1 if differences else 0)
