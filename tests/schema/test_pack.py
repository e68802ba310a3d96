"""The schemas of built-in kinds: the same as those that an API server serves, but for what nobody reads."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from krm_fn.schema import builtin_kinds
from krm_fn.schema.cel_types import type_of_variable
from krm_fn.schema.crd import object_meta
from krm_fn.schema.kinds import Kinds
from krm_fn.schema.pack import Pack, load
from krm_fn.schema.scope import builtin_versions
from krm_fn.schema.typed_values import typed
from tests.schema import corpus
from tests.schema.generate_pack import TARGET, documents, packs, reference_of

DOCUMENTS = Path(os.environ.get("ROOKERY_KUBERNETES_OPENAPI", corpus.FOLDER.parent / "kubernetes-openapi"))
MINORS = [pytest.param(minor, id=f"1.{minor}") for minor in builtin_kinds.MINORS]

Schema = dict[str, Any]


def find_documents() -> Path:
    if not DOCUMENTS.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"the OpenAPI documents are not at {DOCUMENTS}")
        pytest.skip(f"the OpenAPI documents are not at {DOCUMENTS}")
    return DOCUMENTS


def everything(minor: int) -> list[tuple[str, str]]:
    """apiVersion and kind of every kind that is built in."""
    keys = [key.split("/") for key in (*builtin_kinds.NAMESPACED, *builtin_kinds.CLUSTER_SCOPED)]
    return [
        (f"{group}/{version}" if group else version, kind)
        for group, kind in keys
        for version in builtin_versions(group, kind, minor)
    ]


# -- the files


@pytest.mark.thorough
def test_the_files_are_what_their_generator_yields() -> None:
    made = packs(find_documents())
    assert sorted(made) == [f"kubernetes-1.{minor}.txt" for minor in builtin_kinds.MINORS]
    assert {path.name: path.read_text() for path in TARGET.glob("*.txt")} == made


def test_the_files_are_small() -> None:
    assert sum(path.stat().st_size for path in TARGET.glob("*.txt")) < 300_000


def test_a_wheel_holds_them() -> None:
    """setuptools takes Python files by itself, and of the others what is named."""
    settings = tomllib.loads((TARGET.parents[2] / "pyproject.toml").read_text())["tool"]["setuptools"]
    named = {path for pattern in settings["package-data"]["krm_fn.schema.pack"] for path in TARGET.glob(pattern)}
    assert named == {path for path in TARGET.iterdir() if path.is_file() and path.suffix != ".py"}


# -- the schemas

_UNREAD = {
    "description",
    "x-kubernetes-group-version-kind",
    "x-kubernetes-patch-merge-key",
    "x-kubernetes-patch-strategy",
    "x-kubernetes-unions",
}
_ZEROS: tuple[Any, ...] = ("", 0, False, {})


def resolved(schema: Schema, schemas: dict[str, Schema], way: tuple[str, ...] = ()) -> Schema:
    """A schema as kro gets it: apiserver's PopulateRefs, without what is left out on purpose."""
    name = reference_of(schema)
    if name in way:
        return {"type": "object"}
    if name:
        schema, way = schemas[name], (*way, name)
    made = {key: value for key, value in schema.items() if key not in _UNREAD}
    if made.get("default") in _ZEROS:
        del made["default"]
    if made.get("type") == "string":
        made.pop("x-kubernetes-list-type", None)
    if made.get("format") == "int-or-string":
        made["x-kubernetes-int-or-string"] = True
    if "properties" in made:
        made["properties"] = {key: resolved(field, schemas, way) for key, field in made["properties"].items()}
    for key in ("items", "additionalProperties"):
        if key in made:
            made[key] = resolved(made[key], schemas, way)
    if "required" in made:
        made["required"] = sorted(made["required"])
    return made


@pytest.mark.parametrize("minor", MINORS)
def test_every_kind_has_the_schema_that_is_served(minor: int) -> None:
    schemas, kinds = documents(find_documents() / f"v1.{minor}")
    assert sorted(kinds) == sorted(everything(minor))
    for (api_version, kind), name in kinds.items():
        assert load(minor).schema(api_version, kind) == resolved(schemas[name], schemas, (name,)), kind


@pytest.mark.parametrize("minor", MINORS)
def test_what_is_not_built_in_has_no_schema(minor: int) -> None:
    for api_version, kind in (("v1", "PodList"), ("v1", "Deployment"), ("apps/v1beta1", "Deployment"), ("", "")):
        assert load(minor).schema(api_version, kind) is None


def test_each_version_has_its_own_kinds() -> None:
    assert [load(minor).schema("resource.k8s.io/v1", "DeviceClass") is None for minor in (33, 34)] == [True, False]


def test_what_is_referred_to_twice_is_one() -> None:
    pack = load(35)
    deployment, job = pack.schema("apps/v1", "Deployment"), pack.schema("batch/v1", "Job")
    assert deployment is not None
    assert job is not None
    templates = [schema["properties"]["spec"]["properties"]["template"] for schema in (deployment, job)]
    assert templates[0] is templates[1]
    assert pack.schema("apps/v1", "Deployment") is deployment


def test_only_what_a_kind_needs_is_made() -> None:
    text = "# …\nv1 A a\nv1 B b\n\na\tx string\ty! @c\nb\tbroken nonsense(\nc\t atomic\tz [{@d}]map(k|l)\nd\tn integer/int32=3\n"
    assert Pack(text).schema("v1", "A") == {
        "type": "object",
        "properties": {
            "x": {"type": "string"},
            "y": {
                "type": "object",
                "x-kubernetes-map-type": "atomic",
                "properties": {
                    "z": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "additionalProperties": {
                                "type": "object",
                                "properties": {"n": {"type": "integer", "format": "int32", "default": 3}},
                            },
                        },
                        "x-kubernetes-list-type": "map",
                        "x-kubernetes-list-map-keys": ["k", "l"],
                    }
                },
            },
        },
        "required": ["y"],
    }


def test_object_meta_is_the_one_of_the_generated_crd() -> None:
    [config_map] = [load(35).schema("v1", "ConfigMap")]
    assert config_map is not None
    assert config_map["properties"]["metadata"] == object_meta(namespaced=True)


# -- what readers make of them


@pytest.mark.parametrize(
    ("kind", "path", "shown"),
    [
        pytest.param("v1 Secret", "data", "map(string, bytes)", id="bytes"),
        pytest.param("v1 Pod", "metadata.creationTimestamp", "google.protobuf.Timestamp", id="time"),
        pytest.param("v1 Pod", "spec.activeDeadlineSeconds", "int", id="integer"),
        pytest.param("v1 ResourceQuota", "spec.hard", "map(string, dyn)", id="a map of quantities holds anything"),
    ],
)
def test_types_of_fields(kind: str, path: str, shown: str) -> None:
    schema = Kinds().schema(*kind.split(" "))
    assert schema is not None
    found = type_of_variable(schema, "x")
    for name in path.split("."):
        assert found is not None
        found = found.field(name)  # type: ignore[attr-defined]
    assert str(found) == shown


def field_type(kind: str, *path: str) -> str:
    schema = Kinds().schema(*kind.split(" "))
    for name in path:
        assert schema is not None
        schema = schema["items"] if name == "[]" else schema["properties"][name]
    assert schema is not None
    return str(type_of_variable({"type": "object", "properties": {"x": schema}}, "y").field("x"))  # type: ignore[union-attr]


def test_an_int_or_string_is_dyn_and_a_quantity_is_no_field_at_all() -> None:
    ports = ("spec", "ports", "[]")
    assert field_type("v1 Service", *ports, "targetPort") == "dyn"
    assert field_type("v1 Service", *ports, "port") == "int"
    volume = ("spec", "volumes", "[]", "emptyDir")
    assert field_type("v1 Pod", *volume, "sizeLimit") == "None"
    assert field_type("v1 Pod", *volume, "medium") == "string"


def test_data_is_read_by_them() -> None:
    schema = Kinds().schema("v1", "Service")
    assert schema is not None
    view = typed({"spec": {"ports": [{"port": 80, "targetPort": "http"}, {"port": 81, "targetPort": 8081}]}}, schema)
    assert [port["targetPort"] for port in view["spec"]["ports"]] == ["http", 8081]
    secret = Kinds().schema("v1", "Secret")
    assert secret is not None
    assert typed({"data": {"k": "aGk="}}, secret)["data"]["k"] == b"hi"


# -- what they cost


def test_nothing_is_opened_until_a_schema_is_asked_for() -> None:
    script = (
        "import sys, builtins\n"
        "from krm_fn.schema.kinds import Kinds\n"
        "kinds = Kinds()\n"
        "assert kinds.namespaced('v1', 'Pod') and kinds.knows('v1', 'Pod') and kinds.schema('v1', 'Nope') is None\n"
        "assert 'krm_fn.schema.pack' not in sys.modules\n"
        "assert kinds.schema('v1', 'Pod')\n"
        "assert not {'importlib.resources', 'json', 'pathlib', 'typing'} & {*sys.modules}\n"
    )
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-S", "-c", script], check=True, cwd=root, env={"PYTHONPATH": str(root)})
