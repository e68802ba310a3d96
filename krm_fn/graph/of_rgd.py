"""
The graph of an RGD, without any instance of it.

Enters: a Program.  Leaves: a `Graph`.  Not known here: formats.

Without an instance nothing can be evaluated, so whether an edge is a gate is told from the text: the source has a readyWhen, or an
expression names a field of it that its template does not set.
"""

from __future__ import annotations

from krm_fn.graph.model import (
    COLLECTION,
    EXTERNAL,
    INSTANCE,
    OBJECT,
    PLANNED,
    READY,
    VALUE,
    Card,
    Edge,
    Graph,
    legible,
)
from krm_fn.program.model import MADE_FIRST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container
    from typing import Any

    from krm_fn.graph.model import Bounds
    from krm_fn.program.model import Node, Program

_SERVER_NAMES = ("name", "namespace")
"""What is settled of an object's metadata even if its template is silent."""


def graph_of_rgd(
    program: Program, kinds: Container[tuple[str, str]], bounds: Bounds, *, every_edge: bool = False
) -> Graph:
    """*kinds*: group and kind of what the RGDs of the input define: nodes of these are instances."""
    graph = Graph(legible(program.definition.kind), legible(program.definition.name), is_rgd=True)
    cards: dict[str, Card] = {}
    for node_id in program.order:
        node = program.nodes[node_id]
        number = bounds.take(len(node.dependencies))
        if not number:
            graph.cut = len(program.order) - len(cards)
            break
        is_instance = (node.group, node.object_kind) in kinds and not node.is_external
        form = (
            INSTANCE if is_instance else EXTERNAL if node.is_external else COLLECTION if node.is_collection else OBJECT
        )
        card = cards[node_id] = Card(number, legible(node.id), form, PLANNED)
        author_wrote(card, node)
        name = (node.template.get("metadata") or {}).get("name")
        if isinstance(name, str):
            card.names = [legible(name)]
        read = paths_read(node)
        for source in node.dependencies:
            edge = _edge(cards[source], program.nodes[source], read.get(source, []))
            card.edges.append(edge)
            behind = bool(edge.gate) or (every_edge and not program.nodes[source].is_external)
            card.layer = max(card.layer, edge.source.layer + behind)
        card.last = card.layer
        graph.cards.append(card)
    return graph


def author_wrote(card: Card, node: Node) -> None:
    """What the RGD says of a node, whatever becomes of it."""
    card.api_version = legible(node.api_version)
    card.kind = legible(node.object_kind)
    card.conditions = [_shown(compiled.expression.written) for compiled in node.include_when]
    card.ready_when = [_shown(compiled.expression.written) for compiled in node.ready_when]
    card.loops = [legible(f"{each.name} in {_shown(each.values.expression.written)}") for each in node.dimensions]


def paths_read(node: Node) -> dict[str, list[str]]:
    """Source -> the paths of it that expressions of a node name."""
    found: dict[str, dict[str, None]] = {}
    for compiled in (*node.include_when, *(dimension.values for dimension in node.dimensions), *node.values):
        for root, paths in compiled.paths.items():
            found.setdefault(root, {}).update(dict.fromkeys(paths))
    return {root: list(paths) for root, paths in found.items()}


def not_set(paths: list[str], source: Node) -> list[str]:
    """Those of the paths of *source* that its template does not set."""
    return [path for path in paths if not _is_set(path, source)]


def _edge(source: Card, source_node: Node, paths: list[str]) -> Edge:
    if source_node.is_external or (source_node.group, source_node.object_kind) in MADE_FIRST:
        return Edge(source)
    if source_node.ready_when:
        return Edge(source, READY, source.ready_when)
    paths = not_set(paths, source_node)
    return Edge(source, VALUE, [legible(path) for path in paths]) if paths else Edge(source)


def _is_set(path: str, source: Node) -> bool:
    """Whether the template says what stands at a path, or leaves it to an expression."""
    value: Any = source.template
    fields = path.split(".")[1:]
    if fields[:1] == ["metadata"] and fields[1:2] and fields[1] in _SERVER_NAMES:
        return True
    for field in fields:
        if not isinstance(value, dict):
            return True
        if field not in value:
            return False
        value = value[field]
    return True


def _shown(expression: str) -> str:
    return legible("${" + expression + "}")
