"""RGDs that make instances of other RGDs: each is compiled with the schemas of those, whatever the order of the input."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from krm_fn.inputs import compile_programs, sort_documents
from krm_fn.program.generated import crd_of
from krm_fn.program.model import Program
from krm_fn.read.yaml import parse_documents
from krm_fn.report.diagnostic import Diagnostic
from tests.rendering import config_map, instance, render, rgd


def nested(kind: str, node: str = "", *, more: str = "", name: str = "x", group: str = "kro.run") -> str:
    """One resource of an RGD: an instance of *kind*."""
    return f"- id: {node or kind.lower()}\n{more}  template: {{apiVersion: {group}/v1alpha1, kind: {kind}, metadata: {{name: {name}}}}}\n"


def compiled(*texts: str, crds: str = "") -> tuple[dict[str, Program], list[Diagnostic]]:
    """The Programs by kind, and what there is to say about them."""
    documents = [document for i, text in enumerate(texts) for document in parse_documents(text, f"{i}.yaml")]
    found: list[Diagnostic] = []
    known = list(parse_documents(crds, "crds.yaml")) if crds else []
    programs = compile_programs(sort_documents(documents, known, None, found.append), found.append)
    return {kind: program for (_, kind), program in programs.items()}, [one for one in found if one.severity == "error"]


def crd_named(kind: str) -> str:
    return f"{{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, spec: {{group: kro.run, names: {{kind: {kind}}}, scope: Namespaced}}}}\n"


def seen_of(program: Program, node: str) -> dict[str, Any]:
    """The properties of the schema under which an RGD sees the objects of a node."""
    schema = program.nodes[node].schema
    assert schema is not None
    properties: dict[str, Any] = schema["properties"]
    return properties


LEAF = rgd(config_map("cm"), kind="Leaf", spec="{size: integer}", status='{twice: "${schema.spec.size * 2}"}')
MIDDLE = rgd(nested("Leaf"), kind="Middle", status='{name: "${schema.metadata.name}", twice: "${leaf.status.twice}"}')
TOP = rgd(nested("Middle") + nested("Leaf"), kind="Top")


@pytest.mark.parametrize("texts", list(itertools.permutations([LEAF, MIDDLE, TOP])))
def test_the_order_of_the_input_does_not_matter(texts: tuple[str, ...]) -> None:
    programs, errors = compiled(*texts)
    assert errors == []
    assert seen_of(programs["Top"], "leaf")["status"]["properties"]["twice"] == {"type": "integer"}
    assert seen_of(programs["Middle"], "leaf")["spec"]["properties"] == {"size": {"type": "integer"}}
    assert seen_of(programs["Top"], "middle")["status"]["properties"]["name"] == {"type": "string"}
    assert "ownerReferences" in seen_of(programs["Top"], "middle")["metadata"]["properties"]


def test_programs_come_in_the_order_of_the_input() -> None:
    assert list(compiled(TOP, LEAF, MIDDLE)[0]) == ["Top", "Leaf", "Middle"]


def test_a_reference_to_an_instance_is_typed_too() -> None:
    external = "- id: leaf\n  externalRef: {apiVersion: kro.run/v1alpha1, kind: Leaf, metadata: {name: x}}\n"
    programs, errors = compiled(rgd(external, kind="Reader"), LEAF)
    assert errors == []
    assert "twice" in seen_of(programs["Reader"], "leaf")["status"]["properties"]


def test_an_rgd_that_is_refused_leaves_its_kind_untyped() -> None:
    programs, errors = compiled(MIDDLE, rgd(config_map("cm", '{x: "${nope}"}'), kind="Leaf"))
    assert [error.code for error in errors] == ["unknown-reference"]
    assert programs["Middle"].nodes["leaf"].schema is None


def test_two_rgds_of_one_kind_are_both_looked_at() -> None:
    _, errors = compiled(LEAF, rgd(config_map("cm", '{x: "${nope}"}'), kind="Leaf"), MIDDLE)
    assert [error.code for error in errors] == ["duplicate-kind", "unknown-reference"]


def test_another_version_of_a_kind_has_no_schema() -> None:
    programs, _ = compiled(LEAF, rgd(nested("Leaf").replace("v1alpha1", "v2"), kind="Old"))
    assert programs["Old"].nodes["leaf"].schema is None


# -- loops ------------------------------------------------------------------------------------------------------------------

UNTIL = '  includeWhen: ["${schema.spec.depth > 0}"]\n'
DEPTH = "{depth: integer | default=0}"


PING = rgd(nested("Pong", more=UNTIL), kind="Ping", spec=DEPTH, status='{d: "${schema.spec.depth}"}')
PONG = rgd(nested("Ping", more=UNTIL), kind="Pong", spec=DEPTH, status='{d: "${ping.status.d}"}')


@pytest.mark.parametrize("known", ["Ping", "Pong"])
def test_a_loop_that_may_end_is_compiled_without_the_status(known: str) -> None:
    """One CRD is enough: with it the first RGD gets its own, and then the next one."""
    programs, errors = compiled(rgd(nested("Ping"), kind="User"), PING, PONG, crds=crd_named(known))
    assert errors == []
    assert seen_of(programs["Pong"], "ping")["spec"]["properties"] == {"depth": {"type": "integer", "default": 0}}
    assert "properties" not in seen_of(programs["Pong"], "ping")["status"]
    assert seen_of(programs["User"], "ping")["status"]["properties"]["d"] == {"type": "integer"}, "known from outside"
    assert crd_of(programs["Ping"])["metadata"]["name"] == "pings.kro.run"


def test_rgds_that_wait_for_each_other_are_refused() -> None:
    _, [error] = compiled(LEAF, PONG, PING, rgd(nested("Ping"), kind="User"))
    assert error.code == "rgd-loop"
    assert error.message == "each of these kinds needs the CRD of the next one first: Pong -> Ping -> Pong"
    assert str(error.position) == "1.yaml:14:52"
    assert (error.where, error.span) == ("spec.resources[0].template.kind", len("Ping"))


def test_an_rgd_of_its_own_kind_is_refused_unless_its_crd_is_there() -> None:
    own = rgd(nested("Own", more=UNTIL), kind="Own", spec=DEPTH)
    assert [error.code for error in compiled(own)[1]] == ["rgd-loop"]
    assert compiled(own, crds=crd_named("Own"))[1] == []


def test_a_loop_that_ends_renders() -> None:
    again = nested("Ping", more=UNTIL, name='"${schema.metadata.name}x"').rstrip("}\n")
    again += '}, spec: {depth: "${schema.spec.depth - 1}"}}\n'
    text = rgd(again + config_map("cm"), kind="Ping", spec=DEPTH)
    result = render(text, instance("{depth: 2}", kind="Ping"), crds=crd_named("Ping"))
    assert result.errors == []
    assert sorted(result.names) == ["shop-cm", "shopx-cm", "shopxx-cm"]


@pytest.mark.parametrize("crds", ["", crd_named("A")], ids=["fresh", "in-the-cluster"])
def test_a_loop_without_an_end_is_refused_and_named(crds: str) -> None:
    a, b, c = (rgd(nested(to), kind=kind) for kind, to in (("A", "B"), ("B", "C"), ("C", "A")))
    _, [error] = compiled(LEAF, a, b, c, rgd(nested("B"), kind="User"), crds=crds)
    assert error.code == "nesting-loop"
    assert error.message == "instances make each other without end: A -> B -> C -> A"
    assert error.where == "spec.resources[0].template.kind"
    assert str(error.position).startswith("1.yaml:")


def test_the_schema_of_a_member_that_is_not_sound_is_left_out() -> None:
    ping = rgd(nested("Pong", more=UNTIL), kind="Ping", spec="{depth: nonsense}")
    pong = rgd(nested("Ping"), kind="Pong")
    programs, errors = compiled(ping, pong)
    assert {error.code for error in errors} == {"type-unknown", "rgd-loop"}
    assert programs["Pong"].nodes["ping"].schema is None
