"""
A graph as a Mermaid flowchart, which GitHub, GitLab and many wikis draw in Markdown.

Enters: `Graph`s.  Leaves: text.  Not known here: Markdown's fence.

Every character of a label that could mean something to Mermaid or to Markdown is written by its number.
"""

from __future__ import annotations

from krm_fn.expand.outcome import APPLY_TIME, DEFERRED, EXCLUDED, HELD
from krm_fn.graph.model import COLLECTION, EXTERNAL, INSTANCE, PLANNED, READY
from krm_fn.graph.words import after, cut_text, heading, name_of, state_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from krm_fn.graph.model import Card, Graph

_PLAIN = frozenset(" .,:/…")
_LONGEST = 120
_STYLES = (
    ("deferred", "fill:#fdeed2,stroke:#dfa23a,color:#7a4800"),
    ("held", "fill:#fffaf0,stroke:#dfa23a,color:#7a4800"),
    ("filled", "fill:#eefaf5,stroke:#0b7a5b,color:#0b5c45"),
    ("excluded", "fill:#f4f6f9,stroke:#c9d1db,color:#8a96a5,stroke-dasharray:5 4"),
    ("external", "fill:#f4f6f9,stroke:#9aa5b4,color:#18202b,stroke-dasharray:5 4"),
)
_CLASSES = {DEFERRED: "deferred", HELD: "held", APPLY_TIME: "filled", EXCLUDED: "excluded"}


def mermaid(graphs: Sequence[Graph]) -> str:
    lines = ["flowchart LR"]
    for i, graph in enumerate(graphs, 1):
        said = " ".join([heading(graph), *cut_text(graph)])
        lines.append(f'  subgraph g{i}["{_escaped(said)}"]')
        # A group that nothing outside is joined to has a direction of its own.
        lines.append("    direction LR")
        lines += (f"    {line}" for line in _layers(graph, f"g{i}"))
        lines.append("  end")
    cards = [card for graph in graphs for card in graph.all_cards()]
    for card in cards:
        for edge in card.edges:
            arrow = "-->" if not edge.gate else "==>|ready|" if edge.gate == READY else "==>|value|"
            lines.append(f"  n{edge.source.number} {arrow} n{card.number}")
    for name, style in _STYLES:
        of_it = [f"n{card.number}" for card in cards if _class(card) == name]
        if of_it:
            lines += [f"  classDef {name} {style}", f"  class {','.join(of_it)} {name}"]
    return "\n".join(lines) + "\n"


def _layers(graph: Graph, name: str) -> Iterator[str]:
    """The cards; where there is more than one layer, each layer is a group."""
    by_layer: dict[int, list[Card]] = {}
    for card in graph.cards:
        by_layer.setdefault(card.layer, []).append(card)
    behind = after(graph)
    for layer, cards in sorted(by_layer.items()):
        rows = [row for card in cards for row in _card(card)]
        if len(by_layer) == 1:
            yield from rows
            continue
        said = f"layer {layer}" + (f": once {behind[layer]}" if layer in behind else "")
        yield f'subgraph {name}l{layer}["{_escaped(said)}"]'
        yield from (f"  {row}" for row in rows)
        yield "end"


def _card(card: Card) -> Iterator[str]:
    lines = [card.id, card.kind, name_of(card), *state_words(card)]
    if card.state == PLANNED:
        lines += [f"if {condition}" for condition in card.conditions]
    label = "<br/>".join(_escaped(line) for line in lines if line)
    if any(each.cards for each in card.inside):
        # A group's title has room for one line.
        yield f'subgraph n{card.number}["{_escaped(", ".join(line for line in lines if line))}"]'
        for i, each in enumerate(card.inside, 1):
            inner = _layers(each, f"n{card.number}i{i}")
            if len(card.inside) == 1:
                yield from (f"  {row}" for row in inner)
                continue
            yield f'  subgraph n{card.number}i{i}["{_escaped(each.name)}"]'
            yield from (f"    {row}" for row in inner)
            yield "  end"
        yield "end"
        return
    left, right = "[", "]"
    if card.form == COLLECTION or card.count is not None or card.loops:
        left, right = "[[", "]]"
    elif card.form == INSTANCE:
        left, right = "([", "])"
    elif card.form == EXTERNAL:
        left, right = "[/", "/]"
    yield f'n{card.number}{left}"{label}"{right}'


def _class(card: Card) -> str:
    return "external" if card.form == EXTERNAL else _CLASSES.get(card.state, "")


def _escaped(text: str) -> str:
    shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return "".join(
        # A hyphen within a word is one; at its beginning it may be a list's or a line's.
        c if c.isalnum() or c in _PLAIN or (c == "-" and i and shown[i - 1].isalnum()) else f"#{ord(c)};"
        for i, c in enumerate(shown)
    )
