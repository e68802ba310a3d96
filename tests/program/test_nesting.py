"""The order in which RGDs are compiled, and loops of RGDs that never end."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krm_fn.program.build import build_program
from krm_fn.program.nesting import endless_loop, groups_in_order, kinds_named
from krm_fn.schema.kinds import Kinds


@pytest.mark.parametrize(
    ("needs", "groups"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([[], []], [[0], [1]], id="strangers keep their order"),
        pytest.param([[1], [2], []], [[2], [1], [0]], id="a chain"),
        pytest.param([[0]], [[0]], id="itself"),
        pytest.param([[1], [0], [0]], [[0, 1], [2]], id="two that need each other, and one that needs them"),
        pytest.param([[1], [2, 3], [1], []], [[3], [1, 2], [0]], id="a loop between others"),
        pytest.param([[1, 2], [3], [3], []], [[3], [1], [2], [0]], id="a diamond"),
    ],
)
def test_each_group_comes_after_what_it_needs(needs: list[list[int]], groups: list[list[int]]) -> None:
    assert groups_in_order(needs) == groups


@given(
    st.integers(1, 8).flatmap(lambda n: st.lists(st.lists(st.integers(0, n - 1), max_size=4), min_size=n, max_size=n))
)
def test_groups_are_those_that_reach_each_other(needs: list[list[int]]) -> None:
    reach = [set(needed) for needed in needs]
    for middle in range(len(needs)):
        for number, reached in enumerate(reach):
            if middle in reached:
                reach[number] = reached | reach[middle]
    groups = groups_in_order(needs)
    place = {number: i for i, group in enumerate(groups) for number in group}
    assert sorted(place) == list(range(len(needs)))
    for one, its_place in place.items():
        for other, other_place in place.items():
            together = one == other or (one in reach[other] and other in reach[one])
            assert (its_place == other_place) is together
            assert other_place <= its_place or other not in reach[one]


def test_a_long_chain_takes_no_recursion() -> None:
    count = 20_000
    assert groups_in_order([[i + 1] for i in range(count - 1)] + [[]])[0] == [count - 1]


# -- RGDs -----------------------------------------------------------------------------------------------------------------


def rgd(kind: str, *resources: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "kro.run/v1alpha1",
        "kind": "ResourceGraphDefinition",
        "metadata": {"name": kind.lower()},
        "spec": {
            "schema": {"apiVersion": "v1alpha1", "kind": kind, "spec": {"more": "boolean | default=false"}},
            "resources": list(resources),
        },
    }


def makes(kind: str, resource_id: str = "", *, name: str = "x", **more: Any) -> dict[str, Any]:
    version = "v1" if kind == "ConfigMap" else "kro.run/v1alpha1"
    template = {"apiVersion": version, "kind": kind, "metadata": {"name": name}}
    return {"id": resource_id or kind.lower(), "template": template, **more}


def loop(*documents: dict[str, Any]) -> list[str]:
    programs = {}
    for document in documents:
        program, problems = build_program(document, Kinds())
        assert program is not None, problems
        programs[program.key] = program
    return [f"{kind}.{node.id}" for (_, kind), node in endless_loop(programs)]


UNLESS: dict[str, Any] = {"includeWhen": ["${schema.spec.more}"]}


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        pytest.param([rgd("A", makes("A"))], ["A.a"], id="itself"),
        pytest.param([rgd("A", makes("B")), rgd("B", makes("A"))], ["A.b", "B.a"], id="each other"),
        pytest.param([rgd("A", makes("B")), rgd("B", makes("ConfigMap"))], [], id="no loop"),
        pytest.param([rgd("A", makes("A", **UNLESS))], [], id="a condition ends it"),
        pytest.param(
            [rgd("A", makes("A", name="${x}", forEach=[{"x": "${['1'].filter(e, schema.spec.more)}"}]))],
            [],
            id="a list that may be empty ends it",
        ),
        pytest.param(
            [rgd("A", makes("ConfigMap", "cm", **UNLESS), makes("A", name="${cm.metadata.name}"))],
            [],
            id="what it needs may be left out",
        ),
        pytest.param(
            [
                rgd(
                    "A",
                    {
                        "id": "cm",
                        "externalRef": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cm"}},
                    },
                    makes("A", name="${cm.metadata.name}"),
                )
            ],
            [],
            id="what it needs may not be there",
        ),
        pytest.param(
            [rgd("A", makes("A", "some", **UNLESS), makes("A", "all", name="y"))],
            ["A.all"],
            id="one of two ways has no end",
        ),
        pytest.param(
            [rgd("X", makes("A")), rgd("A", makes("B")), rgd("B", makes("A"))],
            ["A.b", "B.a"],
            id="those that only lead to a loop are not named",
        ),
    ],
)
def test_a_loop_is_refused_where_nothing_can_end_it(documents: list[dict[str, Any]], expected: list[str]) -> None:
    assert loop(*documents) == expected


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"spec": None},
        {"spec": {"resources": 3}},
        {"spec": {"resources": [None, {}, {"template": []}, {"template": {"apiVersion": 1, "kind": "A"}}]}},
    ],
)
def test_an_unsound_rgd_names_no_kinds(document: dict[str, Any]) -> None:
    assert list(kinds_named(document)) == []


def test_external_references_name_a_kind_too() -> None:
    external = {"id": "a", "externalRef": {"apiVersion": "kro.run/v1alpha1", "kind": "A", "metadata": {"name": "a"}}}
    assert list(kinds_named(rgd("B", external, makes("C")))) == [
        (("kro.run", "A"), ("spec", "resources", 0, "externalRef", "kind")),
        (("kro.run", "C"), ("spec", "resources", 1, "template", "kind")),
    ]


def test_groups_come_after_what_they_need() -> None:
    assert groups_in_order([[1], [2, 3], [1], [], [0, 5], [5]]) == [[3], [1, 2], [0], [5], [4]]


def test_ten_thousand_in_a_row_are_no_recursion() -> None:
    following = [[each + 1] if each < 9_999 else [] for each in range(10_000)]
    assert [each for [each] in groups_in_order(following)] == [*range(9_999, -1, -1)]
