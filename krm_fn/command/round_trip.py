"""
A person's YAML file, edited so that its comments, quotes and indentation stay.

Enters: the text.  Leaves: a ruamel.yaml editor that writes as the text is written.  Not known here: what is edited.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ruamel.yaml import YAML


def round_trip(text: str) -> YAML:
    """An editor for documents that look like *text*."""
    from ruamel.yaml import YAML

    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 1 << 30
    mapping, sequence, offset = _indentation(text)
    yaml.indent(mapping=mapping, sequence=sequence, offset=offset)
    return yaml


def _indentation(text: str) -> tuple[int, int, int]:
    """How a document indents: mappings, sequences, and the dash in them. The first of each decides."""
    from itertools import pairwise

    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    depth = next((len(line) - len(line.lstrip(" ")) for line in lines if line.startswith(" ")), 2)
    for before, line in pairwise(lines):
        content = line.lstrip(" ")
        if content.startswith("- ") and before.rstrip().endswith(":") and not before.lstrip(" ").startswith("- "):
            offset = (len(line) - len(content)) - (len(before) - len(before.lstrip(" ")))
            if offset >= 0:
                return depth, offset + 2, offset
    return depth, 2, 0
