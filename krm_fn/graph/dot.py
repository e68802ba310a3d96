"""
A graph in Graphviz's language.

Enters: `Graph`s.  Leaves: text.  Not known here: how Graphviz places it.
"""

from __future__ import annotations

from krm_fn.expand.outcome import APPLY_TIME, DEFERRED, EXCLUDED, HELD
from krm_fn.graph.model import COLLECTION, EXTERNAL, INSTANCE, PLANNED, READY, listed
from krm_fn.graph.words import cut_text, figures, gate_words, heading, name_of, state_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from krm_fn.graph.model import Card, Edge, Graph

_ESCAPES = {"\\": "\\\\", '"': '\\"', "&": "&amp;", "<": "&lt;", ">": "&gt;", "\n": "\\n"}
"""Graphviz reads entities of HTML in every text."""
_HEAD = """\
  graph [rankdir=LR, compound=true, fontname="Helvetica", fontsize=12, labeljust=l, nodesep=0.3, ranksep=0.6]
  node [shape=box, style="rounded,filled", fillcolor="#ffffff", color="#9aa5b4", fontname="Helvetica", fontsize=11]
  edge [color="#9aa5b4", fontname="Helvetica", fontsize=10]"""
_LOOKS = {
    DEFERRED: 'style="rounded,filled,dashed", fillcolor="#fdeed2", color="#dfa23a"',
    HELD: 'fillcolor="#fffaf0", color="#dfa23a"',
    APPLY_TIME: 'fillcolor="#eefaf5", color="#0b7a5b"',
    EXCLUDED: 'style="rounded,filled,dashed", fillcolor="#f4f6f9", color="#c9d1db", fontcolor="#8a96a5"',
}
_EXTERNAL = 'style="rounded,filled,dashed", fillcolor="#f4f6f9"'


def dot(graphs: Sequence[Graph]) -> str:
    lines = ["digraph rookery {", _HEAD]
    for i, graph in enumerate(graphs, 1):
        said = "\n".join([heading(graph), ", ".join([*figures(graph), *cut_text(graph)])])
        lines += [f"  subgraph cluster_g{i} {{", f'    label={_quoted(said)}; style=rounded; color="#c9d1db"']
        lines += (f"    {line}" for card in graph.cards for line in _card(card))
        lines.append("  }")
    for graph in graphs:
        for card in graph.all_cards():
            lines += (f"  {_edge(edge, card)}" for edge in card.edges)
    return "\n".join(lines) + "\n}\n"


def _card(card: Card) -> Iterator[str]:
    words = [card.id, card.kind, name_of(card), f"layer {card.layer}", *state_words(card)]
    if card.state == PLANNED:
        words += [f"if {condition}" for condition in card.conditions]
    label = _quoted("\n".join(word for word in words if word))
    if _first(card) is not card:
        yield f"subgraph cluster_n{card.number} {{"
        yield f'  label={label}; style=rounded; color="#9aa5b4"'
        for i, each in enumerate(card.inside, 1):
            inner = [row for one in each.cards for row in _card(one)]
            if len(card.inside) == 1:
                yield from (f"  {row}" for row in inner)
                continue
            yield f"  subgraph cluster_n{card.number}_{i} {{"
            yield f'    label={_quoted(each.name)}; style=rounded; color="#c9d1db"'
            yield from (f"    {row}" for row in inner)
            yield "  }"
        yield "}"
        return
    looks = [f"label={label}"]
    if card.form == COLLECTION or card.count is not None or card.loops:
        looks.append("peripheries=2")
    if card.form == INSTANCE:
        looks.append("shape=component")
    looks.append(_EXTERNAL if card.form == EXTERNAL else _LOOKS.get(card.state, ""))
    if card.ready_when:
        looks.append(f"tooltip={_quoted(f'readyWhen {listed(card.ready_when, 4)}')}")
    yield f"n{card.number} [{', '.join(look for look in looks if look)}]"


def _edge(edge: Edge, card: Card) -> str:
    """Graphviz joins nodes alone: an edge of a nested instance ends at its box, on the way to a node in it."""
    start, end = _last(edge.source), _first(card)
    looks = []
    if start is not edge.source:
        looks.append(f"ltail=cluster_n{edge.source.number}")
    if end is not card:
        looks.append(f"lhead=cluster_n{card.number}")
    if edge.gate:
        name = "ready" if edge.gate == READY else "value"
        looks += ['color="#3555d1"', "penwidth=2", f'label="{name}"', f"edgetooltip={_quoted(gate_words(edge))}"]
    return f"n{start.number} -> n{end.number}" + (f" [{', '.join(looks)}]" if looks else "")


def _first(card: Card) -> Card:
    """The first card that is drawn in a card's place."""
    return next((_first(each.cards[0]) for each in card.inside if each.cards), card)


def _last(card: Card) -> Card:
    return next((_last(each.cards[-1]) for each in reversed(card.inside) if each.cards), card)


def _quoted(text: str) -> str:
    return '"' + "".join(_ESCAPES.get(character, character) for character in text) + '"'
