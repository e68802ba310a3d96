"""Every format shows every card once and every edge, whatever the names are, and says what it leaves out."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from krm_fn.command.graph import bounds_of, drawn
from krm_fn.graph.model import Graph, legible
from krm_fn.graph.of_instance import graph_of_instance
from krm_fn.order.layers import GATED
from tests.graph.drawings import FORMATS, Chance, graph_of
from tests.rendering import Result, config_map, instance, render, rgd

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = "\"'<>&;#`\\{}[]()|%-\n\r\t\0\x1b\x7f\u202e\u2028\ud800\uffff\N{PILE OF POO}漢é]]>--*_~$"
SVG = "{http://www.w3.org/2000/svg}"


def edges_of(graph: Graph) -> list[tuple[str, str]]:
    return sorted((f"n{edge.source.number}", f"n{card.number}") for card in graph.all_cards() for edge in card.edges)


def hostile(seed: int) -> Graph:
    return Chance(seed, names=HOSTILE).graph()


# -- SVG --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(25))
def test_svg_is_well_formed_and_holds_every_text(seed: int) -> None:
    graph = hostile(seed)
    tree = ET.fromstring(drawn([graph], "svg"))
    titles = [title.text or "" for title in tree.iter(f"{SVG}title")]
    for card in graph.all_cards():
        assert sum(title.startswith(f"{card.id}: ") for title in titles) == 1
        for edge in card.edges:
            assert any(title.startswith(f"{card.id} after {edge.source.id}") for title in titles)


@pytest.mark.parametrize("seed", range(25))
def test_svg_runs_nothing_and_fetches_nothing(seed: int) -> None:
    tree = ET.fromstring(drawn([hostile(seed)], "svg"))
    allowed = {"svg", "title", "style", "defs", "pattern", "marker", "rect", "path", "g", "text"}
    assert {element.tag.removeprefix(SVG) for element in tree.iter()} <= allowed
    names = {name for element in tree.iter() for name in element.attrib}
    assert not any(name.startswith("on") or "href" in name for name in names)
    style = "".join(element.text or "" for element in tree.iter(f"{SVG}style"))
    assert set(re.findall(r"url\(([^)]*)\)", style)) <= {"#waits"}
    assert "@import" not in style


def test_svg_knows_day_and_night() -> None:
    text = drawn([hostile(1)], "svg")
    day, _, night = text.partition("@media (prefers-color-scheme:dark)")
    assert (
        re.findall(r"^(\.[^{]*)\{(\w+):", day, re.MULTILINE)[-10:]
        == re.findall(r"^(\.[^{]*)\{(\w+):", night, re.MULTILINE)[-10:]
    )


def test_the_sign_of_a_gate_shows_its_ready_when() -> None:
    db = config_map("db", '{x: "1"}', more="readyWhen: [\"${db.data.?y.orValue('') == 'a<b'}\"]")
    graph = graph_of(rgd(db + config_map("app", '{x: "${db.metadata.name}"}')), instance())
    tree = ET.fromstring(drawn([graph], "svg"))
    titles = [title.text or "" for title in tree.iter(f"{SVG}title")]
    assert "app after db: readyWhen ${db.data.?y.orValue('') == 'a<b'}" in titles


# -- Mermaid ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(25))
def test_mermaid_has_every_card_once_every_edge_and_no_loose_character(seed: int) -> None:
    graph = hostile(seed)
    text = drawn([graph], "mermaid")
    declared = re.findall(r'^ *(?:subgraph )?(n\d+)[\[(/]+"', text, re.MULTILINE)
    assert sorted(declared) == sorted(f"n{card.number}" for card in graph.all_cards())
    assert sorted(re.findall(r"^  (n\d+) (?:-->|==>\|\w+\|) (n\d+)$", text, re.MULTILINE)) == edges_of(graph)
    for line in text.splitlines():
        _, quote, label = line.partition('"')
        if quote:
            label = label.rpartition('"')[0].replace("<br/>", "")
            assert re.fullmatch(r"(?:[\w .,:/…]|(?<=\w)-|#\d+;)*", label), label
    assert text.count("subgraph ") == len(re.findall(r"^ *end$", text, re.MULTILINE))


# -- DOT --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(25))
def test_dot_has_every_card_once_every_edge_and_closed_strings(seed: int) -> None:
    graph = hostile(seed)
    text = drawn([graph], "dot")
    bare = re.sub(r'"(?:[^"\\\n]|\\["\\n])*"', "S", text)
    assert '"' not in bare, "a string does not end where it should"
    assert bare.count("{") == bare.count("}")
    assert not re.search(r"&(?!amp;|lt;|gt;)", text)
    declared = re.findall(r"^ *(?:subgraph cluster_)?(n\d+) (?:\[|\{)", bare, re.MULTILINE)
    assert sorted(declared) == sorted(f"n{card.number}" for card in graph.all_cards())
    assert len(re.findall(r"^  n\d+ -> n\d+", bare, re.MULTILINE)) == len(edges_of(graph))


# -- text -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(25))
def test_text_has_every_card_in_its_layer_with_its_sources(seed: int) -> None:
    graph = Chance(seed).graph()
    text = drawn([graph], "text")
    sections = dict(re.findall(r"^layer (\d+)[^\n]*\n(.*?)(?=^layer |\Z)", text, re.MULTILINE | re.DOTALL))
    for card in graph.all_cards():
        rows = [
            row
            for row in sections[str(card.layer)].splitlines()
            if re.match(rf"  [ ?…·=~] +{card.id} .*{card.kind}\b", row)
        ]
        own = [row for row in rows if "goes on" not in row and "begins" not in row]
        assert len(own) == 1
        for edge in card.edges:
            assert re.search(rf"<-.* {edge.source.id}{' .gate.' if edge.gate else ''}(,|$)", own[0])


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("seed", range(8))
def test_no_format_lets_a_control_character_through(form: str, seed: int) -> None:
    text = drawn([hostile(seed)], form)
    assert text.replace("\n", "").isprintable()
    assert text.encode()


def test_a_text_is_made_legible() -> None:
    assert legible("a\n  b\x1b[31m\u202e\ud800") == "a b\N{REPLACEMENT CHARACTER}[31m" + "\N{REPLACEMENT CHARACTER}" * 2
    assert len(legible("x" * 10_000)) == 401


# -- bounds and bytes -------------------------------------------------------------------------------------------------


def chain(length: int) -> str:
    ready = "readyWhen: [\"${c%d.data.x != ''}\"]"
    return "".join(
        config_map(f"c{i}", f'{{x: "${{c{i - 1}.metadata.name}}"}}' if i else "{x: a}", more=ready % i)
        for i in range(length)
    )


@cache
def _long_chain() -> Result:
    return render(rgd(chain(700)), instance())


@pytest.mark.parametrize(("form", "shown"), [("mermaid", 300), ("svg", 300), ("text", 700), ("dot", 700)])
def test_what_is_cut_is_said(form: str, shown: int) -> None:
    [expansion] = (result := _long_chain()).expansions
    graph = graph_of_instance(expansion, result.world, GATED, bounds_of(form))
    assert len(graph.cards) == shown
    text = drawn([graph], form)
    assert ("400 more nodes not shown" in text) == (shown < 700)


def test_a_long_list_of_sources_is_cut() -> None:
    many = "".join(config_map(f"s{i}") for i in range(20))
    graph = graph_of(
        rgd(many + config_map("all", '{x: "' + " ".join(f"${{s{i}.metadata.name}}" for i in range(20)) + '"}')),
        instance(),
    )
    assert "s11 and 8 more" in drawn([graph], "text")


def test_of_many_nested_instances_a_picture_shows_some_and_text_all() -> None:
    inner = rgd(config_map("leaf"), kind="Inner")
    outer = rgd(
        "- id: inners\n  forEach: [{letter: \"${['a', 'b', 'c', 'd', 'e']}\"}]\n"
        '  template: {apiVersion: kro.run/v1alpha1, kind: Inner, metadata: {name: "shop-${letter}"}}\n'
    )
    picture, whole = (graph_of(inner, outer, instance(), form=form) for form in ("svg", "text"))
    assert [len(graph.cards[0].inside) for graph in (picture, whole)] == [3, 5]
    text = drawn([picture], "svg")
    assert "2 more nested instances not shown" in text
    assert "and 2 more like these" in text


def test_bounds_end_a_graph_where_its_sources_are_all_there() -> None:
    bounds = bounds_of("svg")
    while bounds.take(10):
        pass
    assert bounds.take(0) == 0
    assert bounds.cards > 0, "the edges came first"


@pytest.mark.parametrize("form", ["text", "svg"])
def test_the_bytes_do_not_depend_on_the_order_of_hashes(form: str) -> None:
    command = [sys.executable, "-m", "krm_fn", "graph", "fixtures/web-application-dynamodb", "--format", form]
    runs = {
        subprocess.run(
            command, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1
