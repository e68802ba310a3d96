"""
A graph as text: a section for each layer, nested instances as trees in it.

Enters: `Graph`s.  Leaves: text.  Not known here: terminals.

    ?   an external reference        …   withheld, and what it waits for
    ·   left out, and why            =   held as it lives         ~   filled in at apply time
"""

from __future__ import annotations

from krm_fn.expand.outcome import APPLY_TIME, DEFERRED, EXCLUDED, HELD
from krm_fn.graph.model import EXTERNAL, PLANNED, VALUE, listed
from krm_fn.graph.words import after, cut_text, figures, heading, state_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from krm_fn.graph.model import Card, Graph

_MARKS = {DEFERRED: "…", EXCLUDED: "·", HELD: "=", APPLY_TIME: "~"}
_WIDEST = 44
_SOURCES = 12
_PATHS = 4

_Row = tuple[str, str, str, str, list[str]]
"""Branches and id, kind, name, dependencies; the lines below."""


def text(graphs: Sequence[Graph]) -> str:
    return "\n".join("\n".join(line.rstrip() for line in _graph(graph)) + "\n" for graph in graphs)


def _graph(graph: Graph) -> Iterator[str]:
    yield heading(graph)
    yield ", ".join([*figures(graph), *cut_text(graph)])
    behind = after(graph)
    sections: dict[int, list[_Row]] = {}
    _rows(graph, sections, "")
    widths = [
        min(_WIDEST, max((len(row[i]) for rows in sections.values() for row in rows), default=0)) for i in range(3)
    ]
    for layer in sorted(sections):
        yield ""
        yield f"layer {layer}" + (f": once {behind[layer]}" if layer in behind else "")
        for branch, kind, name, sources, below in sections[layer]:
            yield f"  {branch:<{widths[0]}}  {kind:<{widths[1]}}  {name:<{widths[2]}}  {sources}"
            yield from (f"  {'':<{widths[0]}}  {line}" for line in below)


def _rows(graph: Graph, sections: dict[int, list[_Row]], indent: str) -> None:
    """Add the rows of a graph to the sections of their layers. A nested instance is named in each layer that has rows of it."""
    for card in graph.cards:
        sections.setdefault(card.layer, []).append(_row(card, indent))
        for each in card.inside:
            inner: dict[int, list[_Row]] = {}
            _rows(each, inner, indent + "  ")
            for layer, rows in inner.items():
                section = sections.setdefault(layer, [])
                if layer > card.layer or len(card.inside) > 1:
                    section.append(_again(card, each, indent, goes_on=layer > card.layer))
                section += rows


def _again(card: Card, graph: Graph, indent: str, *, goes_on: bool) -> _Row:
    """The row above those of a nested instance that do not follow its own."""
    what = "goes on" if goes_on else "begins"
    return f"  {indent}{card.id}", graph.kind, graph.name.rpartition("/")[2], what, []


def _row(card: Card, indent: str) -> _Row:
    mark = "?" if card.form == EXTERNAL else _MARKS.get(card.state, " ")
    sources = [f"{edge.source.id}{' (gate)' if edge.gate else ''}" for edge in card.edges]
    below = [f"gate {condition}" for condition in card.ready_when]
    if not card.why:
        below += [f"needs {listed(edge.says, _PATHS)}" for edge in card.edges if edge.gate == VALUE]
    below += state_words(card)
    if card.state == PLANNED:
        below += [f"for each {loop}" for loop in card.loops] + [f"if {condition}" for condition in card.conditions]
    return (
        f"{mark} {indent}{card.id}",
        card.kind,
        _names(card),
        f"<- {listed(sources, _SOURCES)}" if sources else "",
        below,
    )


def _names(card: Card) -> str:
    if card.count is not None and card.count > len(card.names):
        return f"{', '.join(card.names)} and {card.count - len(card.names)} more"
    return ", ".join(card.names) or ("no object" if card.count == 0 else "")
