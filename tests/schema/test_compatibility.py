"""What changes between two generated CRDs: kro's classification, and what kro does not look at."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krm_fn.schema.compatibility import (
    CHANGE_TYPES,
    MAX_SUMMARY,
    Change,
    NotComparable,
    Report,
    compare_schemas,
    compare_versions,
)
from krm_fn.schema.crd import generated_crd
from krm_fn.schema.simple_schema import to_openapi
from krm_fn.schema.uncompared import NEUTRAL, RELAXES, TIGHTENS, Immutable, immutable_changes, uncompared
from tests.conformance import rules_changes
from tests.schema import corpus


@pytest.mark.parametrize("case", corpus.pick("compat.yaml", *rules_changes.OPERATIONS))
def test_kros_own_cases(case: dict[str, Any]) -> None:
    rules_changes.OPERATIONS[case["op"]](case["input"], case["expect"])


# -- kro's verdict, on SimpleSchema as authors write it --------------------------------------------------------------

BREAKING = [
    ("string", None, ".properties.x PROPERTY_REMOVED", "Property x was removed"),
    ("string", "integer", ".properties.x.type TYPE_CHANGED", "Type changed from string to integer"),
    ("string", "[]string", ".properties.x.type TYPE_CHANGED", "Type changed from string to array"),
    ("string", "string | required=true", ".required REQUIRED_ADDED", "Field x is newly required"),
    (
        "string | required=true default=a",
        "string | required=true",
        ".required REQUIRED_DEFAULT_REMOVED",
        "Default value removed from required field x",
    ),
    # sic: kro's sentence for a new required field
    (None, "string | required=true", ".properties.x PROPERTY_ADDED", "Optional property x was added"),
    ('string | enum="a,b"', 'string | enum="b"', ".properties.x.enum ENUM_RESTRICTED", 'Enum value "a" was removed'),
    ('integer | enum="1,2"', 'integer | enum="2"', ".properties.x.enum ENUM_RESTRICTED", "Enum value 1 was removed"),
    (
        "string",
        'string | pattern="^a$"',
        ".properties.x.pattern PATTERN_ADDED",
        "Validation pattern ^a$ was added",
    ),
    (
        'string | pattern="^a$"',
        'string | pattern="^b$"',
        ".properties.x.pattern PATTERN_CHANGED",
        "Validation pattern changed from ^a$ to ^b$",
    ),
    ("integer", "integer | minimum=0", ".properties.x.minimum MINIMUM_ADDED", "Minimum constraint 0 was added"),
    (
        "float | minimum=0.5",
        "float | minimum=1e21",
        ".properties.x.minimum MINIMUM_INCREASED",
        "Minimum was increased from 0.5 to 1000000000000000000000",
    ),
    (
        "integer | maximum=10",
        "integer | maximum=9",
        ".properties.x.maximum MAXIMUM_DECREASED",
        "Maximum was decreased from 10 to 9",
    ),
    (
        "string | minLength=1",
        "string | minLength=2",
        ".properties.x.minLength MIN_LENGTH_INCREASED",
        "MinLength was increased from 1 to 2",
    ),
    (
        "string",
        "string | maxLength=2",
        ".properties.x.maxLength MAX_LENGTH_ADDED",
        "MaxLength constraint 2 was added",
    ),
    (
        "[]string",
        "[]string | minItems=1",
        ".properties.x.minItems MIN_ITEMS_ADDED",
        "MinItems constraint 1 was added",
    ),
    (
        "[]string | maxItems=3",
        "[]string | maxItems=2",
        ".properties.x.maxItems MAX_ITEMS_DECREASED",
        "MaxItems was decreased from 3 to 2",
    ),
    ("[]string", "[]integer", ".properties.x.items.type TYPE_CHANGED", "Type changed from string to integer"),
    (
        {"a": "string", "b.c": "string"},
        {"a": "string"},
        ".properties.x.properties.b.c PROPERTY_REMOVED",
        "Property c was removed",  # sic: kro cuts a path at its last dot
    ),
]
NON_BREAKING = [
    (None, "string", ".properties.x PROPERTY_ADDED", "Optional property x was added"),
    (None, "string | required=true default=a", ".properties.x PROPERTY_ADDED", "Optional property x was added"),
    (
        "string",
        'string | description="A name"',
        ".properties.x.description DESCRIPTION_CHANGED",
        "Description field was changed from  to A name",
    ),
    (
        "integer | default=1",
        "integer | default=2",
        ".properties.x.default DEFAULT_CHANGED",
        "Default value was changed from 1 to 2",
    ),
    (
        "string | default=a",
        "string",
        ".properties.x.default DEFAULT_CHANGED",
        'Default value was changed from "a" to ',
    ),
    ("string | required=true", "string", ".required REQUIRED_REMOVED", "Field x is no longer required"),
    ('string | enum="a"', 'string | enum="a,b"', ".properties.x.enum ENUM_EXPANDED", 'Enum value "b" was added'),
    (
        'string | pattern="^a$"',
        "string",
        ".properties.x.pattern PATTERN_REMOVED",
        "Validation pattern ^a$ was removed",
    ),
    (
        "integer | minimum=1",
        "integer",
        ".properties.x.minimum MINIMUM_REMOVED",
        "Minimum constraint 1 was removed",
    ),
    (
        "integer | maximum=1",
        "integer | maximum=2",
        ".properties.x.maximum MAXIMUM_INCREASED",
        "Maximum was increased from 1 to 2",
    ),
]
UNSEEN_BY_KRO = [
    ("integer", "integer | minimum=1 maximum=2", 2, "two bounds are two changes"),
    ("string", 'string | enum="a"', 0, "an enum where there was none"),
    ('string | enum="a"', "string", 0, "an enum that went"),
    ("map[string]string", "map[string]integer", 0, "the values of a map"),
    ("object", "map[string]string", 0, "free fields"),
    ("[]string", "[]string | uniqueItems=true", 0, "a set"),
    ("string", "string | validation=\"self != ''\"", 0, "a rule"),
    ("string", "string | immutable=true", 0, "a transition rule"),
    ('string | enum="a,b"', 'string | enum="b,a"', 0, "the order of an enum"),
    ('object | default={"a": 1, "b": 2}', 'object | default={"b":2,"a":1}', 0, "the notation of a default"),
]


def schema(field: Any) -> dict[str, Any]:
    """A spec with the field `x`, without the default that it gets as a whole from those of its fields."""
    made = to_openapi({"keep": "string", **({} if field is None else {"x": field})})
    made.pop("default", None)
    return made


def shown(changes: list[Change]) -> list[tuple[str, str]]:
    return [(f"{change.path} {change.type}", change.description()) for change in changes]


@pytest.mark.parametrize(("old", "new", "change", "sentence"), BREAKING, ids=lambda value: str(value)[:40])
def test_breaking(old: Any, new: Any, change: str, sentence: str) -> None:
    report = compare_schemas(schema(old), schema(new))
    assert shown(report.breaking) == [(change, sentence)]
    assert not report.is_compatible
    assert report.summary() == sentence


@pytest.mark.parametrize(("old", "new", "change", "sentence"), NON_BREAKING, ids=lambda value: str(value)[:40])
def test_non_breaking(old: Any, new: Any, change: str, sentence: str) -> None:
    report = compare_schemas(schema(old), schema(new))
    assert (report.breaking, shown(report.non_breaking)) == ([], [(change, sentence)])
    assert report.is_compatible
    assert report.summary() == "no breaking changes"


@pytest.mark.parametrize(("old", "new", "count", "what"), UNSEEN_BY_KRO, ids=lambda value: str(value)[:40])
def test_what_kro_does_not_look_at(old: str, new: str, count: int, what: str) -> None:
    report = compare_schemas(schema(old), schema(new))
    assert len(report.breaking) + len(report.non_breaking) == count, what


def test_nothing_below_a_changed_type_is_compared() -> None:
    report = compare_schemas(schema({"a": "string"}), schema("[]string | minItems=1"))
    assert [change.type for change in report.breaking] == ["TYPE_CHANGED"]


def test_the_order_is_that_of_kros_walk() -> None:
    before = {"z": "string", "a": "string", "m": 'string | enum="1,2,3"'}
    after = {"n": "string", "b": "string", "m": 'string | enum="1" minLength=1'}
    report = compare_schemas(to_openapi(before), to_openapi(after))
    assert [(change.path, change.old) for change in report.breaking] == [
        (".properties.a", ""),
        (".properties.m.minLength", ""),
        (".properties.m.enum", '"2"'),
        (".properties.m.enum", '"3"'),
        (".properties.z", ""),
    ]
    assert [change.path for change in report.non_breaking] == [".properties.b", ".properties.n"]


def test_the_summary_names_three_changes_and_counts_the_rest() -> None:
    report = Report()
    for name in "abcde":
        report.add(Change(("", "properties", name), "PROPERTY_REMOVED"), breaks=True)
    assert MAX_SUMMARY == 3
    assert report.summary() == (
        "Property a was removed; Property b was removed; Property c was removed; and 2 more changes"
    )


def test_a_change_that_kro_does_not_know_is_said_with_its_path() -> None:
    assert Change(("", "properties", "x"), "STRANGE").description() == "Unknown change to .properties.x"
    assert Change(("spec", "x"), "PROPERTY_ADDED", "", "required").description() == "Required property x was added"
    assert "Unknown" not in "".join(Change(("x",), name, "1", "2").description() for name in CHANGE_TYPES)


# -- versions of CRDs ------------------------------------------------------------------------------------------------


def versions(**changed: Any) -> list[dict[str, Any]]:
    crd = generated_crd("kro.run", "v1", "App", schema("string"))
    return [{**crd["spec"]["versions"][0], **changed}]


def test_another_version_is_one_breaking_change() -> None:
    report = compare_versions(versions(), versions(name="v2", schema=None))
    assert shown(report.breaking) == [("version TYPE_CHANGED", "Type changed from v1 to v2")]


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        pytest.param({"served": False}, "version.served", id="no longer served"),
        pytest.param({"subresources": None}, "version.subresources.status", id="no status subresource"),
    ],
)
def test_what_a_version_lost_is_breaking(changed: dict[str, Any], path: str) -> None:
    assert [change.path for change in compare_versions(versions(), versions(**changed)).breaking] == [path]
    assert not compare_versions(versions(**changed), versions()).has_changes


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        pytest.param(versions() * 2, versions(), "got 2 old and 1 new versions", id="two versions"),
        pytest.param(versions(), [], "got 1 old and 0 new versions", id="none"),
        pytest.param(versions(schema={}), versions(), "old version v1 has no schema", id="no old schema"),
        pytest.param(versions(), versions(schema=None), "new version v1 has no schema", id="no new schema"),
    ],
)
def test_crds_that_cannot_be_compared(old: list[Any], new: list[Any], says: str) -> None:
    with pytest.raises(NotComparable, match=says):
        compare_versions(old, new)


# -- what kro does not compare ---------------------------------------------------------------------------------------

UNCOMPARED = [
    (
        "string",
        'string | validation="size(self) > 1"',
        [(TIGHTENS, "Validation rule size(self) > 1 was added")],
    ),
    (
        'string | validation="size(self) > 1"',
        'string | validation="size(self) > 2"',
        [
            (RELAXES, "Validation rule size(self) > 1 was removed"),
            (TIGHTENS, "Validation rule size(self) > 2 was added"),
        ],
    ),
    ("string", "string | immutable=true", [(TIGHTENS, "Transition rule self == oldSelf was added")]),
    ("string | immutable=true", "string", [(RELAXES, "Transition rule self == oldSelf was removed")]),
    (
        'string | validation="self == oldSelf"',
        "string | immutable=true",
        [(NEUTRAL, "Message of a validation rule was changed from validation failed to field is immutable")],
    ),
    ("string", 'string | enum="a,b"', [(TIGHTENS, 'Enum "a", "b" was added')]),
    ('string | enum="a"', "string", [(RELAXES, 'Enum "a" was removed')]),
    ('string | enum="a,b"', 'string | enum="a"', []),
    ("map[string]string", "map[string]integer", [(TIGHTENS, "Type changed from string to integer")]),
    (
        "map[string][]string",
        "map[string][]integer",
        [(TIGHTENS, "Type changed from string to integer")],
    ),
    (
        "map[string]map[string]string",
        "map[string]map[string]integer",
        [(TIGHTENS, "Type changed from string to integer")],
    ),
    (
        "object",
        "map[string]string",
        [
            (RELAXES, 'additionalProperties: {"type":"string"} was added'),
            (TIGHTENS, "x-kubernetes-preserve-unknown-fields: true was removed"),
        ],
    ),
    ("[]string", "[]string | uniqueItems=true", [(TIGHTENS, 'x-kubernetes-list-type: "set" was added')]),
    (
        "[]string | listType=set",
        "[]string | listType=atomic",
        [(RELAXES, 'x-kubernetes-list-type was changed from "set" to "atomic"')],
    ),
    ("string", "integer", []),
    ("string", None, []),
    ("string", "string | required=true minLength=1", []),
]


def crd(field: Any = "string", **more: Any) -> dict[str, Any]:
    named = {"group": "kro.run", "version": "v1", "kind": "App", **more}
    return generated_crd(named.pop("group"), named.pop("version"), named.pop("kind"), schema(field), **named)


@pytest.mark.parametrize(("old", "new", "found"), UNCOMPARED, ids=lambda value: str(value)[:40])
def test_uncompared(old: Any, new: Any, found: list[tuple[str, str]]) -> None:
    assert [(item.effect, item.description()) for item in uncompared(crd(old), crd(new))] == found


def test_the_order_of_map_keys_means_nothing() -> None:
    types = {"Port": {"name": "string | required=true", "port": "integer | required=true"}}
    one, other = (
        to_openapi({"x": f"[]Port | listType=map listMapKey={a} listMapKey={b}"}, types)
        for a, b in (("name", "port"), ("port", "name"))
    )
    assert not uncompared(generated_crd("g.io", "v1", "K", one), generated_crd("g.io", "v1", "K", other))


def test_columns_and_labels_are_neutral() -> None:
    column = {"name": "Image", "type": "string", "jsonPath": ".spec.image"}
    found = uncompared(crd(), crd(printer_columns=[column], metadata={"labels": {"a": "b"}, "annotations": {"c": "d"}}))
    assert [(item.effect, item.description()) for item in found] == [
        (NEUTRAL, "Printer columns were changed"),
        (NEUTRAL, "labels of the CRD were changed"),
        (NEUTRAL, "annotations of the CRD were changed"),
    ]


def test_fields_that_no_rgd_may_change() -> None:
    old = crd()
    new = crd(group="example.com", version="v2", kind="Application", scope="Cluster")
    assert immutable_changes(old, old) == []
    assert immutable_changes(old, new) == [
        Immutable("group", "kro.run", "example.com"),
        Immutable("apiVersion", "v1", "v2"),
        Immutable("kind", "App", "Application"),
        Immutable("scope", "Namespaced", "Cluster"),
    ]


# -- laws ------------------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["a", "b", "c", "d.e"])
MARKERS = {
    "string": ["required=true", "default=a", "minLength=1", "maxLength=9", 'enum="a,b"', 'pattern="^a"', "immutable=true"],
    "integer": ["required=true", "default=3", "minimum=1", "maximum=9", 'enum="3,4"', 'validation="self > 0"'],
    "[]string": ["minItems=1", "maxItems=4", "uniqueItems=true", 'description="list"'],
    "map[string]integer": ['description="map"'],
    "object": ['description="free"'],
}  # fmt: skip
SCALARS = st.sampled_from(sorted(MARKERS)).flatmap(
    lambda kind: st.lists(st.sampled_from(MARKERS[kind]), unique=True).map(
        lambda markers: f"{kind} | {' '.join(markers)}" if markers else kind
    )
)
SPECS = st.recursive(
    st.dictionaries(NAMES, SCALARS, max_size=4),
    lambda inner: st.dictionaries(NAMES, st.one_of(SCALARS, inner), max_size=4),
    max_leaves=12,
)


def turned(value: Any) -> Any:
    """The same schema with its mappings, and its lists without an order, written the other way round."""
    if isinstance(value, dict):
        return {
            key: list(reversed(item)) if key in ("required", "enum") and isinstance(item, list) else turned(item)
            for key, item in reversed(value.items())
        }
    return value


def changes(old: Any, new: Any) -> tuple[Any, ...]:
    crds = [generated_crd("kro.run", "v1", "App", side) for side in (old, new)]
    report = compare_versions(*(crd["spec"]["versions"] for crd in crds))
    return report.breaking, report.non_breaking, uncompared(*crds)


@given(SPECS)
def test_nothing_changes_between_equal_schemas(spec: dict[str, Any]) -> None:
    made = to_openapi(spec)
    assert changes(made, copy.deepcopy(made)) == ([], [], [])
    assert changes(made, turned(made)) == ([], [], [])


@pytest.mark.thorough
@given(SPECS, SPECS)
def test_order_and_notation_change_nothing(old: dict[str, Any], new: dict[str, Any]) -> None:
    one, other = to_openapi(old), to_openapi(new)
    found = changes(one, other)
    assert found == changes(turned(one), other) == changes(one, turned(other))
    assert found == changes(*(json.loads(json.dumps(side)) for side in (one, other)))


@pytest.mark.thorough
@given(SPECS, SPECS)
def test_different_schemas_have_a_change_somewhere(old: dict[str, Any], new: dict[str, Any]) -> None:
    one, other = to_openapi(old), to_openapi(new)
    assert any(changes(one, other)) == (json.dumps(turned_alike(one)) != json.dumps(turned_alike(other)))


def turned_alike(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: sorted(item, key=json.dumps)
            if key in ("required", "enum") and isinstance(item, list)
            else turned_alike(item)
            for key, item in sorted(value.items())
        }
    return value


BACK = {"ADDED": "REMOVED", "REMOVED": "ADDED", "INCREASED": "DECREASED", "DECREASED": "INCREASED"}


@pytest.mark.thorough
@given(SPECS, SPECS)
def test_on_the_way_back_each_change_of_a_bound_is_the_opposite(old: dict[str, Any], new: dict[str, Any]) -> None:
    there, back = (compare_schemas(to_openapi(a), to_openapi(b)) for a, b in ((old, new), (new, old)))

    def bounds(found: list[Change]) -> set[tuple[str, str]]:
        return {(change.path, change.type) for change in found if change.type.startswith(("MIN", "MAX"))}

    turned_back = {
        (path, f"{kind.rpartition('_')[0]}_{BACK[kind.rpartition('_')[2]]}") for path, kind in bounds(back.breaking)
    }
    assert bounds(there.non_breaking) == turned_back
