"""
What is said of graphs, cards and gates, the same in every format.

Enters: a model.  Leaves: lines of text.  Not known here: formats, escaping.
"""

from __future__ import annotations

from krm_fn.expand.outcome import APPLY_TIME, DEFERRED, EXCLUDED, HELD
from krm_fn.graph.model import EXTERNAL, PLANNED, READY, listed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krm_fn.graph.model import Card, Edge, Graph

_WIDEST, _LINES = 28, 2
"""Characters and lines of a card's note."""


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
    found: dict[int, tuple[dict[str, bool], dict[str, bool]]] = {}
    for card in graph.all_cards():
        for edge in card.edges:
            if edge.gate and edge.source.last == card.layer - 1:
                ready, known = found.setdefault(card.layer, ({}, {}))
                are_many = edge.source.count is not None or bool(edge.source.loops)
                (ready if edge.gate == READY else known)[edge.source.id] = are_many
    return {layer: _once(ready, known) for layer, (ready, known) in found.items()}


def _once(ready: dict[str, bool], known: dict[str, bool]) -> str:
    """*ready*, *known*: ids, and whether each has several objects."""
    said = []
    for ids, one, many in ((ready, "is ready", "are ready"), (known, "has its values", "have their values")):
        if ids:
            said.append(f"{listed(ids, 3)} {many if len(ids) > 1 or any(ids.values()) else one}")
    return ", ".join(said)


def gate_words(edge: Edge) -> str:
    """What an edge waits for."""
    if edge.gate == READY:
        return f"readyWhen {listed(edge.says, 4)}"
    return f"reads {listed(edge.says, 4)}"


def state_words(card: Card) -> list[str]:
    """Why a card is not simply made."""
    return [card.why] if card.why else []


def note_of(card: Card) -> list[str]:
    """What a card says below its name, in a line or two."""
    note = card.why
    if not note and card.state == PLANNED and card.conditions:
        note = f"if {' and '.join(card.conditions)}"
    if not note and card.more:
        note = f"and {card.more} more like {'this' if len(card.inside) == 1 else 'these'}"
    return _wrapped(note, _WIDEST, _LINES)


def name_of(card: Card) -> str:
    """What stands below a card's kind: the name of its object, or of its objects."""
    if card.state == PLANNED and card.loops:
        return f"for each {', '.join(loop.partition(' ')[0] for loop in card.loops)}"
    if card.count is not None and card.count != 1:
        more = f" and {card.count - 1} more" if card.count else ""
        return f"{card.names[0]}{more}" if card.names else "no object"
    return card.names[0] if card.names else ""


def _wrapped(text: str, width: int, most: int) -> list[str]:
    lines: list[str] = []
    while text:
        if len(text) <= width:
            return [*lines, text]
        if len(lines) == most - 1:
            return [*lines, f"{text[: width - 1].rstrip()}…"]
        at = max(
            text.rfind(" ", width // 2, width + 1),
            text.rfind(".", width // 2, width),
            text.rfind("/", width // 2, width),
        )
        at = width if at < 0 else at + (text[at] != " ")
        lines.append(text[:at].rstrip())
        text = text[at:].lstrip()
    return lines
