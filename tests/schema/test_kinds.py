"""What is known of kinds: built in, from the CRDs of the input, from its RGDs; and what is said of the others."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krm_fn.schema.cel_types import structurally_incompatible, type_of_variable
from krm_fn.schema.crd import object_meta
from krm_fn.schema.kinds import Kinds
from krm_fn.schema.structural import Violation
from krm_fn.schema.typed_values import typed

TEXT = {"type": "string"}
SOUND = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": TEXT}}}}


def version(name: str = "v1", schema: Any = SOUND, *, served: bool = True) -> dict[str, Any]:
    return {"name": name, "served": served, "storage": True, "schema": {"openAPIV3Schema": schema}}


def crd(*versions: Any, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"kind": "Thing", "plural": "things"},
            "versions": list(versions),
            **spec,
        },
    }


def asked(*crds: dict[str, Any], version: str = "v1") -> tuple[Any, list[Violation]]:
    """The schema of Thing, and everything that was said about the CRDs."""
    kinds = Kinds()
    problems: list[Violation] = []
    for each in crds:
        kinds.add_crd(each, problems.append)
    return kinds.schema(f"example.com/{version}", "Thing"), problems


# -- built in


def test_a_built_in_kind() -> None:
    kinds = Kinds()
    assert kinds.knows("apps/v1", "Deployment")
    assert kinds.namespaced("apps/v1", "Deployment") is True
    schema = kinds.schema("apps/v1", "Deployment")
    assert schema is not None
    assert schema["properties"]["spec"]["properties"]["replicas"] == {"type": "integer", "format": "int32"}


def test_a_version_that_is_not_served_is_not_known_though_its_scope_is() -> None:
    kinds = Kinds()
    assert not kinds.knows("rbac.authorization.k8s.io/v1beta1", "ClusterRole")
    assert kinds.namespaced("rbac.authorization.k8s.io/v1beta1", "ClusterRole") is False
    assert kinds.schema("rbac.authorization.k8s.io/v1beta1", "ClusterRole") is None


def test_each_kubernetes_has_its_own_kinds() -> None:
    device_class = ("resource.k8s.io/v1", "DeviceClass")
    assert [Kinds(minor).knows(*device_class) for minor in (33, 34, 35)] == [False, True, True]
    assert [Kinds(minor).schema(*device_class) is None for minor in (33, 34, 35)] == [True, False, False]


# -- from CRDs


def test_a_crd_gives_its_served_versions_as_an_api_server_publishes_them() -> None:
    schema, problems = asked(crd(version()))
    assert problems == []
    assert schema == {
        "type": "object",
        "properties": {
            "spec": {"type": "object", "properties": {"size": TEXT}},
            "apiVersion": TEXT,
            "kind": TEXT,
            "metadata": object_meta(namespaced=True),
        },
    }


def test_what_people_read_is_left_out_and_what_machines_read_stays() -> None:
    said = {
        "type": "string",
        "title": "a",
        "description": "b",
        "example": "c",
        "enum": ["x"],
        "default": "x",
        "nullable": True,
        "format": "date",
        "maxLength": 3,
        "x-kubernetes-validations": [{"rule": "true"}],
    }
    schema, problems = asked(crd(version(schema={"type": "object", "properties": {"spec": said}})))
    assert problems == []
    assert schema["properties"]["spec"] == {k: said[k] for k in said.keys() - {"title", "description", "example"}}


def test_what_is_declared_of_metadata_gives_way_to_object_meta() -> None:
    own = {"type": "object", "properties": {"name": {"type": "string", "maxLength": 5}}}
    schema, problems = asked(crd(version(schema={"type": "object", "properties": {"metadata": own}})))
    assert problems == []
    assert schema["properties"]["metadata"] == object_meta(namespaced=True)


def test_embedded_resources_are_whole_objects() -> None:
    embedded = {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True}
    listed = {"type": "object", "properties": {"all": {"type": "array", "items": embedded}}}
    schema, problems = asked(crd(version(schema={"type": "object", "properties": {"spec": listed}})))
    assert problems == []
    assert schema["properties"]["spec"]["properties"]["all"]["items"] == {
        **embedded,
        "properties": {"apiVersion": TEXT, "kind": TEXT, "metadata": object_meta(namespaced=True)},
        "required": ["kind", "apiVersion"],
    }


def test_both_marks_of_an_int_or_string_are_one() -> None:
    schema, problems = asked(
        crd(version(schema={"type": "object", "properties": {"spec": {"type": "string", "format": "int-or-string"}}}))
    )
    assert problems == []
    assert schema["properties"]["spec"]["x-kubernetes-int-or-string"] is True


def test_the_given_crd_is_not_changed() -> None:
    given, before = crd(version()), crd(version())
    asked(given)
    assert given == before


def test_a_version_that_is_not_served_is_not_known() -> None:
    kinds = Kinds()
    kinds.add_crd(crd(version("v1"), version("v1alpha1", served=False)))
    assert kinds.knows("example.com/v1", "Thing")
    assert not kinds.knows("example.com/v1alpha1", "Thing")
    assert kinds.schema("example.com/v1alpha1", "Thing") is None


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        pytest.param(
            crd(version(schema={"type": "object", "properties": {"spec": {}}})),
            [("crd-not-structural", "spec.versions.0.schema.openAPIV3Schema.properties.spec", "type is missing")],
            id="not structural",
        ),
        pytest.param(
            crd({"name": "v1", "served": True}),
            [("crd-without-schema", "spec.versions.0", "this version of Thing v1 has no schema")],
            id="without a schema",
        ),
        pytest.param(
            {**crd(version()), "apiVersion": "apiextensions.k8s.io/v1beta1"},
            [
                (
                    "crd-invalid",
                    "apiVersion",
                    "CRDs are served as apiextensions.k8s.io/v1, not as apiextensions.k8s.io/v1beta1",
                )
            ],
            id="an old CRD",
        ),
        pytest.param(
            crd(version("v2", served=False)),
            [("crd-not-served", "spec.versions", "no version of Thing is served")],
            id="not served",
        ),
        pytest.param(
            crd(versions="v1"), [("crd-not-served", "spec.versions", "no version of Thing is served")], id="no list"
        ),
        pytest.param(
            crd(version("v1"), version("v1")),
            [("crd-invalid", "spec.versions.1", "version v1 of Thing stands twice")],
            id="a version twice",
        ),
        pytest.param(
            crd(version("v1"), 7),
            [("crd-invalid", "spec.versions.1", "a version of Thing has no name")],
            id="no version at all",
        ),
        pytest.param(
            crd(version(), scope="Global"),
            [("crd-invalid", "spec.scope", "scope of this CRD is missing, or not what a CRD has there")],
            id="no scope that exists",
        ),
        pytest.param(
            {**crd(), "spec": None},
            [
                (
                    "crd-invalid",
                    place,
                    f"{place.rpartition('.')[2]} of this CRD is missing, or not what a CRD has there",
                )
                for place in ("spec.group", "spec.names.kind", "spec.scope")
            ],
            id="no spec",
        ),
    ],
)
def test_what_is_wrong_with_a_crd(document: dict[str, Any], expected: list[tuple[str, str, str]]) -> None:
    _, problems = asked(document)
    assert [(p.code, ".".join(map(str, p.path)), p.message) for p in problems] == expected
    assert {p.severity for p in problems} == {"warning"}


def test_what_an_api_server_would_refuse_has_no_schema() -> None:
    schema, _ = asked(crd(version(schema={"type": "object", "properties": {"spec": {}}})))
    assert schema is None


def test_nothing_is_said_of_a_crd_that_nobody_needs() -> None:
    problems: list[Violation] = []
    kinds = Kinds()
    kinds.add_crd(crd({"name": "v1", "served": True}), problems.append)
    assert kinds.namespaced("example.com/v1", "Thing") is True
    assert kinds.advice("v1", "Zzzz") is not None
    assert problems == []
    for _ in range(2):
        assert kinds.schema("example.com/v1", "Thing") is None
    assert [p.code for p in problems] == ["crd-without-schema"]


def test_of_two_crds_for_a_kind_the_later_is_used_and_the_other_named() -> None:
    other = {"type": "object", "properties": {"spec": TEXT}}
    schema, problems = asked(crd(version()), crd(version(schema=other)))
    assert schema["properties"]["spec"] == TEXT
    assert [(p.code, p.message) for p in problems] == [
        ("duplicate-crd", "this CRD is not used: another one of Thing comes after it")
    ]


def test_a_crd_that_stands_twice_is_one() -> None:
    assert asked(crd(version()), crd(version()))[1] == []


WORDS = (
    "type",
    "properties",
    "items",
    "additionalProperties",
    "required",
    "format",
    "allOf",
    "not",
    "a",
    "metadata",
    "kind",
)
MARKS = (
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-int-or-string",
)
SCALARS = st.sampled_from(
    ["object", "array", "string", "map", "set", "int-or-string", "a", "", True, False, None, 1, 0.5]
)
JUNK = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(WORDS + MARKS), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.recursive(
    st.sampled_from([{"type": "string"}, {"type": "integer"}, {"x-kubernetes-int-or-string": True}]),
    lambda inner: (
        st.fixed_dictionaries(
            {"type": st.just("object"), "properties": st.dictionaries(st.sampled_from(WORDS), inner | JUNK, max_size=2)}
        )
        | st.fixed_dictionaries({"type": st.just("array"), "items": inner}, optional=dict.fromkeys(MARKS, JUNK))
    ),
    max_leaves=8,
)


@given(JUNK | FIELDS)
def test_whatever_stands_as_a_schema_is_refused_or_can_be_read(schema: Any) -> None:
    found, problems = asked(crd(version(schema={"type": "object", "properties": {"spec": schema}})))
    assert (found is None) == bool(problems)
    if found is not None:
        made = type_of_variable(found, "x")
        assert made is not None
        structurally_incompatible(made, made)  # walks all of it
        typed({"spec": {"a": [{"a": 1}]}}, found).get("metadata")


@given(st.dictionaries(st.sampled_from(("group", "names", "scope", "versions")), JUNK, max_size=4), JUNK)
def test_whatever_stands_as_a_crd_is_read_without_a_fault(spec: dict[str, Any], name: Any) -> None:
    for document in (
        {**crd(version()), "spec": spec},
        {**crd(version()), "spec": name},
        crd(name, version(name), **spec),
    ):
        kinds = Kinds()
        kinds.add_crd(document)
        for asked_for in ("example.com/v1", "a/a", "/", ""):
            kinds.schema(asked_for, "Thing")
            kinds.knows(asked_for, "a")
        kinds.advice("example.com/v1", "Thong")


# -- from RGDs


def test_the_last_word_on_a_kind_counts() -> None:
    kinds = Kinds()
    kinds.add_crd(crd(version("v1"), version("v2")))
    kinds.add("example.com/v1", "Thing", namespaced=False)
    assert kinds.namespaced("example.com/v1", "Thing") is False
    assert kinds.schema("example.com/v1", "Thing") is None
    kinds.add("example.com/v1", "Thing", namespaced=False, schema={"type": "object"})
    assert kinds.schema("example.com/v1", "Thing") == {"type": "object"}
    assert kinds.schema("example.com/v2", "Thing") is not None


# -- what is not known


@pytest.mark.parametrize(
    ("api_version", "kind", "field", "says"),
    [
        pytest.param("apps/v1beta1", "Deployment", "apiVersion", "Deployment is served as apps/v1", id="a version that is gone"),
        pytest.param("v1", "Deployment", "apiVersion", "Deployment is served as apps/v1", id="another group"),
        pytest.param("autoscaling/v2beta2", "HorizontalPodAutoscaler", "apiVersion", "HorizontalPodAutoscaler is served as autoscaling/v1, autoscaling/v2", id="two versions"),
        pytest.param("extensions/v1beta1", "Ingress", "apiVersion", "Ingress is served as networking.k8s.io/v1", id="a group that is gone"),
        pytest.param("example.com/v1", "Event", "apiVersion", "Event is served as v1, events.k8s.io/v1", id="two groups"),
        pytest.param("events.k8s.io/v2", "Event", "apiVersion", "Event is served as events.k8s.io/v1", id="of two groups the one that was meant"),
        pytest.param("apps/v1", "Deploymnet", "kind", "did you mean Deployment (apps/v1)?", id="a typo"),
        pytest.param("apps/v1", "deployment", "kind", "did you mean Deployment (apps/v1)?", id="a small letter"),
        pytest.param("example.com/v1beta1", "Thing", "apiVersion", "Thing is served as example.com/v1, example.com/v2", id="a version that its CRD has not"),
        pytest.param("example.com/v1", "Thimg", "kind", "did you mean Thing (example.com/v1, example.com/v2)?", id="a typo in a custom kind"),
        pytest.param("resource.k8s.io/v1", "DeviceClass", "kind", "Kubernetes 1.33 does not serve it, but 1.34; the version to render for can be chosen", id="a later Kubernetes has it"),
        pytest.param("zzz.dev/v1", "Quux", "kind", "give its CustomResourceDefinition with --crds, or put it among the input", id="nothing like it"),
        pytest.param("", "", "kind", "give its CustomResourceDefinition with --crds, or put it among the input", id="nothing"),
        pytest.param("a/b/c", "x" * 100_000, "kind", "give its CustomResourceDefinition with --crds, or put it among the input", id="too long to look for"),
    ],
)  # fmt: skip
def test_what_may_be_meant(api_version: str, kind: str, field: str, says: str) -> None:
    kinds = Kinds(33)
    kinds.add_crd(crd(version("v1"), version("v2")))
    assert kinds.advice(api_version, kind) == (field, says)


def test_only_so_many_kinds_are_looked_for() -> None:
    kinds = Kinds()
    said = [kinds.advice("apps/v1", "Deploymnet")[1].startswith("did you mean") for _ in range(30)]
    assert said == [True] * 20 + [False] * 10
