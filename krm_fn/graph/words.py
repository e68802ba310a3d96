"""
What is said of graphs, cards and gates, the same in every format.

Enters: a model.  Leaves: lines of text.  Not known here: formats, escaping.
"""

from __future__ import annotations

from krm_fn.expand.outcome import APPLY_TIME, DEFERRED, EXCLUDED, HELD
from krm_fn.graph.model import EXTERNAL, READY, listed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krm_fn.graph.model import Card, Edge, Graph


def heading(graph: Graph) -> str:
    return f"{graph.kind} {graph.name}"


def figures(graph: Graph) -> list[str]:
    """How large a graph is, and how much of it is not simply made."""
    cards = list(graph.all_cards())
    found = [_counted(len(cards), "node"), _counted(graph.end + 1, "layer")]
    own = [card for card in cards if card.form != EXTERNAL]
    for state, word in (
        (DEFERRED, "withheld"),
        (HELD, "held"),
        (APPLY_TIME, "filled in at apply time"),
        (EXCLUDED, "left out"),
    ):
        count = sum(card.state == state for card in own)
        if count:
            found.append(f"{count} {word}")
    return found


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def cut_text(graph: Graph) -> list[str]:
    """What is not shown, if anything is not."""
    cut = graph.cut + sum(each.cut for card in graph.all_cards() for each in card.inside)
    more = sum(card.more for card in graph.all_cards())
    found = [f"{_counted(cut, 'more node')} not shown"] if cut else []
    return found + ([f"{_counted(more, 'more nested instance')} not shown"] if more else [])


def after(graph: Graph) -> dict[int, str]:
    """Layer -> what it is behind: the sources of its gates that are in the layer before."""
    found: dict[int, dict[str, None]] = {}
    for card in graph.all_cards():
        for edge in card.edges:
            if edge.gate and edge.source.last == card.layer - 1:
                many = edge.source.count is not None or bool(edge.source.loops)
                ready, known = ("are ready", "have their values") if many else ("is ready", "has its values")
                word = ready if edge.gate == READY else known
                found.setdefault(card.layer, {})[f"{edge.source.id} {word}"] = None
    return {layer: listed(says, 3) for layer, says in found.items()}


def gate_words(edge: Edge) -> str:
    """What an edge waits for."""
    if edge.gate == READY:
        return f"readyWhen {' and '.join(edge.says)}"
    return f"reads {listed(edge.says, 4)}"


def state_words(card: Card) -> list[str]:
    """Why a card is not simply made."""
    return [card.why] if card.why else []
