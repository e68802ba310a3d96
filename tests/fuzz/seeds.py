"""
What a run begins with: the expressions of the corpus, in the form that each target reads.

`grammar` reads any bytes as choices, so that its seeds are as good as any.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_SEED = 400
_CORPUS = Path(__file__).parents[1] / "conformance" / "corpora" / "kro-cel"


def expressions() -> Iterator[str]:
    """Every different expression of the corpus that is short enough."""
    texts: dict[str, None] = {}
    for path in sorted(_CORPUS.glob("*.json")):
        entries = json.loads(path.read_text(encoding="utf-8"))
        for entry in entries if isinstance(entries, list) else ():
            texts[entry.get("expr", "")] = None
    return (text for text in texts if 0 < len(text.encode("utf-8", "surrogatepass")) <= MAX_SEED - 8)


def seed(target: str, expression: str) -> str:
    """One input of *target* that holds *expression*."""
    match target:
        case "template":
            return f'a-${{{expression}}}-"b"-${{{expression}}}' if len(expression) < 150 else f"${{{expression}}}"
        case "yaml":
            return f"a: &x\n- ${{{expression}}}\n- 'q': |\n    {expression}\n- {json.dumps(expression)}\n- *x\n"[
                :MAX_SEED
            ]
        case "evaluate":
            return "\x05\x03\x04\x00\x01\x02\x03\x04" + expression
        case _:
            return expression


def write_seeds(target: str, directory: Path) -> None:
    directory.mkdir(parents=True)
    for number, expression in enumerate(expressions()):
        (directory / f"seed-{number:05}").write_text(
            seed(target, expression), encoding="utf-8", errors="surrogatepass", newline=""
        )
