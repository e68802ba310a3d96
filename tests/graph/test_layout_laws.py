"""The picture of any graph: each card once, each edge once, no box on another one, no line through a card, the same bytes every time."""

from __future__ import annotations

import random

import pytest

from krm_fn.graph.layout import WIDTH, Box, Frame, Line, Plan, lay_out
from krm_fn.graph.model import Card, Graph
from krm_fn.graph.svg import svg
from tests.graph.drawings import Chance

SEEDS = range(100)


def edges_of(graph: Graph) -> list[tuple[int, int]]:
    return sorted((edge.source.number, card.number) for card in graph.all_cards() for edge in card.edges)


def inside(graph: Graph) -> dict[int, set[int]]:
    """Card -> the cards within it."""
    return {card.number: {c.number for each in card.inside for c in each.all_cards()} for card in graph.all_cards()}


def cards_of(box: Box) -> set[int]:
    if isinstance(box, Frame):
        return {card.number for card in box.graph.all_cards()}
    assert box.card is not None
    return {box.card.number, *(card.number for each in box.card.inside for card in each.all_cards())}


def apart(one: Box, other: Box) -> bool:
    return (
        one.left + one.width < other.left
        or other.left + other.width < one.left
        or one.top + one.height < other.top
        or other.top + other.height < one.top
    )


def holds(outer: Box, inner: Box) -> bool:
    return (
        outer.left < inner.left
        and outer.top < inner.top
        and inner.left + inner.width < outer.left + outer.width
        and inner.top + inner.height < outer.top + outer.height
    )


@pytest.mark.parametrize("block", range(5))
def test_every_card_has_one_box_and_every_edge_one_line(block: int) -> None:
    for seed in SEEDS[block::5]:
        graph = Chance(seed).graph()
        plan = lay_out(graph)
        boxes = [box.card.number for box in plan.boxes if box.card is not None]
        assert sorted(boxes) == sorted(card.number for card in graph.all_cards())
        assert sorted((line.edge.source.number, line.card.number) for line in plan.lines) == edges_of(graph)


@pytest.mark.parametrize("block", range(5))
def test_boxes_are_within_each_other_or_apart(block: int) -> None:
    for seed in SEEDS[block::5]:
        plan = lay_out(Chance(seed).graph())
        for i, one in enumerate(plan.boxes):
            assert one.left >= 0
            assert one.left + one.width <= plan.width
            assert one.top >= 0
            assert one.top + one.height <= plan.height
            for other in plan.boxes[i + 1 :]:
                if cards_of(other) <= cards_of(one):
                    assert holds(one, other), "what is nested is drawn within its instance"
                else:
                    assert apart(one, other), "one box is on another one"


@pytest.mark.parametrize("block", range(5))
def test_a_line_goes_from_its_source_to_its_card_and_through_no_other_card(block: int) -> None:
    for seed in SEEDS[block::5]:
        graph = Chance(seed).graph()
        plan = lay_out(graph)
        boxes = {box.card.number: box for box in plan.boxes if box.card is not None}
        for line in plan.lines:
            start, end = boxes[line.edge.source.number], boxes[line.card.number]
            assert touches_edge(start, line.points[0])
            assert line.points[-1][0] == end.left
            assert end.top <= line.points[-1][1] <= end.top + end.height
            if not line.upright:
                goes_right(line)
                for card in graph.all_cards():
                    if not card.inside and card is not line.card and card is not line.edge.source:
                        assert not goes_through(line, boxes[card.number])


def touches_edge(box: Box, point: tuple[int, int]) -> bool:
    x, y = point
    right, bottom = box.left + box.width, box.top + box.height
    return (x == right and box.top <= y <= bottom) or (y in (box.top, bottom) and box.left <= x <= right)


def goes_right(line: Line) -> None:
    xs = [x for x, _ in line.points]
    assert xs == sorted(xs)


def goes_through(line: Line, box: Box) -> bool:
    """Whether a straight stretch of the line meets a box; the curves are between columns, where no card is."""
    points = [*line.points]
    stretches = [(points[i], points[i + 1]) for i in range(0, len(points) - 1, 2)]
    return any(
        box.top <= y <= box.top + box.height and x < box.left + box.width and box.left < to_x
        for (x, y), (to_x, _) in stretches
    )


@pytest.mark.parametrize("block", range(5))
def test_a_card_is_in_the_band_of_its_layer_and_behind_what_gates_it(block: int) -> None:
    for seed in SEEDS[block::5]:
        graph = Chance(seed).graph()
        plan = lay_out(graph)
        bands = {layer: (left, right) for layer, left, right in plan.bands}
        assert all(one[1] < other[0] for one, other in zip(bands.values(), list(bands.values())[1:], strict=False))
        for box in plan.boxes:
            if box.card is not None and not box.card.inside:
                left, right = bands[box.card.layer]
                assert left < box.left
                assert box.left + WIDTH < right


def test_the_same_graph_gives_the_same_bytes() -> None:
    for seed in SEEDS[:20]:
        assert svg([Chance(seed).graph()]) == svg([Chance(seed).graph()])


def test_crossings_that_need_not_be_are_not() -> None:
    """Two stars whose leaves alternate in the document: the order of the document has lines that cross."""
    graph = Graph("App", "stars")
    hubs = [_card(graph, i + 1) for i in range(2)]
    for i in range(8):
        _join(hubs[i % 2], _card(graph, i + 3))
    plan = lay_out(graph)
    tops = {box.card.number: box.top for box in plan.boxes if box.card is not None}
    leaves = sorted(range(8), key=lambda i: tops[i + 3])
    assert [i % 2 for i in leaves] in ([0, 0, 0, 0, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0, 0, 0])


def test_a_long_chain_and_a_wide_fan_stay_within_bounds() -> None:
    chance = random.Random(7)
    graph = Graph("App", "large")
    cards = [_card(graph, i + 1) for i in range(300)]
    for i, card in enumerate(cards):
        for source in chance.sample(cards[:i], min(i, 4)):
            _join(source, card)
    plan: Plan = lay_out(graph)
    assert len(plan.boxes) == 300
    assert len(plan.lines) == sum(len(card.edges) for card in cards)


def _card(graph: Graph, number: int) -> Card:
    from krm_fn.expand.outcome import RESOLVED
    from krm_fn.graph.model import OBJECT

    card = Card(number, f"n{number}", OBJECT, RESOLVED)
    card.kind = "ConfigMap"
    graph.cards.append(card)
    return card


def _join(source: Card, card: Card) -> None:
    from krm_fn.graph.model import Edge

    card.edges.append(Edge(source))
