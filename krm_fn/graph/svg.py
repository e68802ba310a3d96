"""
A graph as an SVG document: a picture without scripts, whose text can be selected, by day and by night.

Enters: `Graph`s.  Leaves: text.  Not known here: where things are (`layout`), colours (`style`).

What there is no room for stands in a `<title>`, which a browser shows when one points at it.
"""

from __future__ import annotations

from krm_fn.expand.outcome import APPLY_TIME, DEFERRED, EXCLUDED, HELD
from krm_fn.graph.layout import Frame, lay_out
from krm_fn.graph.model import COLLECTION, EXTERNAL, INSTANCE, READY, VALUE
from krm_fn.graph.style import fitted, style_sheet, width_of
from krm_fn.graph.words import after, cut_text, figures, gate_words, heading, name_of, note_of, state_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from krm_fn.graph.layout import Box, Line, Plan
    from krm_fn.graph.model import Card, Graph

_MARGIN, _HEAD, _BAND_HEAD, _BAND_FOOT, _LEGEND = 28, 62, 44, 20, 46
_LEAST_WIDTH = 560
_INSET, _RADIUS = 14, 9
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
_INKS = {EXCLUDED: "faint", DEFERRED: "amber", HELD: "amber", APPLY_TIME: "live"}


def svg(graphs: Sequence[Graph]) -> str:
    """All graphs, one below another, and what the marks in them mean."""
    parts: list[str] = []
    top, width = _MARGIN, _LEAST_WIDTH
    for graph in graphs:
        plan = lay_out(graph)
        width = max(width, plan.width + 2 * _MARGIN)
        parts += _graph(graph, plan, top)
        top += _HEAD + _BAND_HEAD + plan.height + _BAND_FOOT + _MARGIN
    legend = list(_legend(graphs, top, width))
    if legend:
        parts += legend
        top += _LEGEND
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{top}" viewBox="0 0 {width} {top}" role="img">\n'
        f"<title>{_escaped(', '.join(heading(graph) for graph in graphs[:3]))}</title>\n"
        f"<style>\n{style_sheet()}</style>\n{_DEFINITIONS}"
        f'<rect class="page" width="{width}" height="{top}"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


_DEFINITIONS = """\
<defs>
<pattern id="waits" width="12" height="12" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">\
<rect class="ground" width="12" height="12"/><path class="hatch" d="M3 0V12"/></pattern>
<marker id="to" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse" orient="auto">\
<path class="head" d="M1 1L9 5L1 9Z"/></marker>
<marker id="gated" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="10" markerHeight="10" markerUnits="userSpaceOnUse" orient="auto">\
<path class="gate-head" d="M1 1L9 5L1 9Z"/></marker>
</defs>
"""


def _escaped(text: str) -> str:
    return "".join(_ESCAPES.get(character, character) for character in text)


def _text(x: float, y: float, text: str, size: float, classes: str, more: str = "") -> str:
    return f'<text class="{classes}" x="{x:g}" y="{y:g}" font-size="{size:g}"{more}>{_escaped(text)}</text>'


def _graph(graph: Graph, plan: Plan, top: int) -> Iterator[str]:
    x, y = _MARGIN, top
    yield _text(x, y + 22, fitted(graph.name, 900, 22), 22, "ink", ' font-weight="650"')
    yield _text(x, y + 44, " · ".join([graph.kind, *figures(graph), *cut_text(graph)]), 13, "muted")
    y += _HEAD
    height = _BAND_HEAD + plan.height + _BAND_FOOT
    behind = after(graph)
    for layer, left, right in plan.bands:
        yield f'<rect class="band" x="{x + left}" y="{y}" width="{right - left}" height="{height}" rx="12"/>'
        name = f"layer {layer}"
        yield _text(x + left + 16, y + 25, name, 12, "ink", ' font-weight="600"')
        if behind.get(layer):
            said = f"once {behind[layer]}"
            yield f"<g><title>{_escaped(said)}</title>"
            yield _text(x + left + 69, y + 25, fitted(said, right - left - 75, 12), 12, "accent") + "</g>"
    yield f'<g transform="translate({x} {y + _BAND_HEAD})">'
    for box in plan.boxes:
        if isinstance(box, Frame) or box.card is None or box.card.inside:
            yield from _holder(box)
    signs: list[str] = []
    # Gates last, so that they are above what they cross.
    for line in sorted(plan.lines, key=lambda each: bool(each.edge.gate)):
        yield from _line(line, signs)
    for box in plan.boxes:
        if not isinstance(box, Frame) and box.card is not None and not box.card.inside:
            yield from _card(box, box.card)
    yield from signs
    yield "</g>"


# -- boxes ------------------------------------------------------------------------------------------------------------


def _rect(box: Box, classes: str, by: int = 0) -> str:
    return f'<rect class="{classes}" x="{box.left + by}" y="{box.top + by}" width="{box.width}" height="{box.height}" rx="{_RADIUS}"/>'


def _holder(box: Box) -> Iterator[str]:
    """A box around others: a nested instance, or one of several."""
    if isinstance(box, Frame):
        yield _rect(box, "frame")
        name = box.graph.name.rpartition("/")[2]
        yield _text(box.left + _INSET, box.top + 17, fitted(name, box.width - 28, 11, mono=True), 11, "mono muted")
        return
    assert box.card is not None
    card = box.card
    yield f"<g><title>{_escaped(_all(card))}</title>"
    if card.count is not None:
        yield _rect(box, "box", 6)
    yield _rect(box, f"box {card.state}" if card.state in (HELD, APPLY_TIME) else "box")
    yield from _lines_of(box, card, box.width)
    yield "</g>"


def _card(box: Box, card: Card) -> Iterator[str]:
    yield f"<g><title>{_escaped(_all(card))}</title>"
    classes = "card"
    if card.form == EXTERNAL:
        classes += " external"
    if card.state in (EXCLUDED, DEFERRED, HELD, APPLY_TIME) and not (card.form == EXTERNAL and card.state == DEFERRED):
        classes += f" {card.state}"
    if _is_many(card):
        yield _rect(box, classes, 8)
        yield _rect(box, classes, 4)
    yield _rect(box, classes)
    if card.form == INSTANCE:
        yield (
            f'<rect class="frame" x="{box.left + 4}" y="{box.top + 4}" width="{box.width - 8}" '
            f'height="{box.height - 8}" rx="{_RADIUS - 3}"/>'
        )
    yield from _lines_of(box, card, box.width)
    yield "</g>"


def _is_many(card: Card) -> bool:
    return card.form == COLLECTION or card.count is not None or bool(card.loops)


def _lines_of(box: Box, card: Card, width: int) -> Iterator[str]:
    """What stands in a card: its id, its kind, its name, and why it is not simply there."""
    x, y, room = box.left + _INSET, box.top, width - 2 * _INSET
    ink = "faint" if card.state == EXCLUDED else "ink"
    muted = "faint" if card.state == EXCLUDED else "muted"
    yield _text(x, y + 23, fitted(card.id, room - 18, 14), 14, ink, ' font-weight="600"')
    if card.ready_when:
        yield _diamond(box.left + box.width - 18, y + 18, 5, READY)
    name = name_of(card)
    if card.inside:
        both = f"{card.kind}  {name}" if name else card.kind
        yield _text(x, y + 40, fitted(both, room, 12), 12, muted)
        y += 40
    else:
        yield _text(x, y + 40, fitted(card.kind, room, 12), 12, muted)
        y += 40
        if name:
            y += 16
            yield _text(x, y, fitted(name, room, 11, mono=True), 11, f"mono {muted}")
    for i, note in enumerate(note_of(card)):
        yield _text(x, y + 17 + 15 * i, note, 11, _INKS.get(card.state, "muted"))


def _all(card: Card) -> str:
    """All there is to say of a card, for whoever points at it."""
    lines = [f"{card.id}: {card.api_version} {card.kind}", *card.names]
    if card.count is not None and card.count > len(card.names):
        lines.append(f"and {card.count - len(card.names)} more")
    lines += [f"layer {card.layer}" + (f" to {card.last}" if card.last > card.layer else ""), *state_words(card)]
    lines += [f"for each {loop}" for loop in card.loops]
    lines += [f"includeWhen {condition}" for condition in card.conditions]
    lines += [f"readyWhen {condition}" for condition in card.ready_when]
    return "\n".join(lines)


# -- lines ------------------------------------------------------------------------------------------------------------


def _line(line: Line, signs: list[str]) -> Iterator[str]:
    gate = line.edge.gate
    classes = "gate" if gate else "line"
    if EXCLUDED in (line.card.state, line.edge.source.state):
        classes += " off"
    said = f"{line.card.id} after {line.edge.source.id}" + (f": {gate_words(line.edge)}" if gate else "")
    marker = "gated" if gate else "to"
    yield (
        f'<g><title>{_escaped(said)}</title><path class="{classes}" marker-end="url(#{marker})" d="{_way(line)}"/></g>'
    )
    if gate:
        x, y = line.points[-1]
        signs.append(f"<g><title>{_escaped(said)}</title>{_diamond(x - 19, y, 6.5, gate)}</g>")


def _way(line: Line) -> str:
    """Straight through each place, in a curve from one to the next; the last stretch is straight, for the head and the sign."""
    points = line.points
    (x, y), (to_x, to_y) = points[0], points[-1]
    way = f"M{x} {y}"
    if line.upright:
        return f"{way}C{x} {(y + to_y) // 2} {x} {to_y} {to_x - 14} {to_y}H{to_x - 1}"
    for i in range(1, len(points) - 1, 2):
        way += f"H{points[i][0]}{_curve(points[i], points[i + 1])}"
    return f"{way}H{to_x - 1}"


def _curve(start: tuple[int, int], end: tuple[int, int]) -> str:
    (x, y), (to_x, to_y) = start, end
    if y == to_y:
        return f"H{to_x}"
    middle = (x + to_x) // 2
    return f"C{middle} {y} {middle} {to_y} {to_x} {to_y}"


def _diamond(x: float, y: float, size: float, gate: str) -> str:
    kind = "ready" if gate == READY else "value"
    return (
        f'<path class="sign {kind}" d="M{x - size:g} {y:g}l{size:g} {-size:g}l{size:g} {size:g}l{-size:g} {size:g}Z"/>'
    )


# -- legend -----------------------------------------------------------------------------------------------------------


def _legend(graphs: Sequence[Graph], top: int, width: int) -> Iterator[str]:
    """The marks that occur, and nothing else."""
    cards = [card for graph in graphs for card in graph.all_cards()]
    gates = {edge.gate for card in cards for edge in card.edges}
    x, y = _MARGIN, top + 8
    for sample, words in _samples(cards, gates):
        room = 50 + round(width_of(words, 12) * 0.9)
        if x + room > width - _MARGIN:
            return
        yield f'<g transform="translate({x} {y})">{sample}{_text(30, 4, words, 12, "muted")}</g>'
        x += room


def _samples(cards: list[Card], gates: set[str]) -> Iterator[tuple[str, str]]:
    def swatch(classes: str) -> str:
        return f'<rect class="{classes}" x="0" y="-7" width="22" height="14" rx="4"/>'

    states = {card.state for card in cards if card.form != EXTERNAL}
    if READY in gates:
        yield f'<path class="gate" d="M0 0H22"/>{_diamond(11, 0, 6, READY)}', "waits until readyWhen holds"
    if VALUE in gates:
        yield f'<path class="gate" d="M0 0H22"/>{_diamond(11, 0, 6, VALUE)}', "waits for a value of the cluster"
    if DEFERRED in states:
        yield swatch("card deferred"), "withheld"
    if HELD in states:
        yield swatch("card held"), "held as it lives"
    if APPLY_TIME in states:
        yield swatch("card apply-time"), "filled in at apply time"
    if any(card.form == EXTERNAL for card in cards):
        yield swatch("card external"), "external reference"
    if EXCLUDED in states:
        yield swatch("card excluded"), "left out"
