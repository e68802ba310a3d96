"""Scopes: of built-in kinds from a generated table, of custom kinds from the CRDs of the input."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from krm_fn.schema.scope import scope_from_crd, scope_of
from tests.schema import corpus
from tests.schema.generate_builtin_kinds import TARGET, table

DISCOVERY = Path(os.environ.get("ROOKERY_KUBERNETES_OPENAPI", corpus.FOLDER.parent / "kubernetes-openapi"))


@pytest.mark.parametrize(
    ("api_version", "kind", "namespaced"),
    [
        pytest.param("v1", "ConfigMap", True, id="core namespaced"),
        pytest.param("v1", "Namespace", False, id="core cluster-scoped"),
        pytest.param("apps/v1", "Deployment", True, id="group"),
        pytest.param("extensions/v1beta1", "Deployment", None, id="group that is gone"),
        pytest.param("apps/v1beta1", "Deployment", True, id="any version of a known group"),
        pytest.param("rbac.authorization.k8s.io/v1", "ClusterRole", False, id="cluster-scoped"),
        pytest.param("resource.k8s.io/v1", "DeviceClass", False, id="since 1.34"),
        pytest.param("v1", "Deployment", None, id="wrong group"),
        pytest.param("example.com/v1", "Thing", None, id="custom"),
        pytest.param("", "", None, id="empty"),
    ],
)
def test_scope_of_a_kind(api_version: str, kind: str, namespaced: bool | None) -> None:
    assert scope_of(api_version, kind) is namespaced


def test_the_table_is_what_its_generator_yields() -> None:
    if not DISCOVERY.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"the discovery documents are not at {DISCOVERY}")
        pytest.skip(f"the discovery documents are not at {DISCOVERY}")
    assert TARGET.read_text() == table(DISCOVERY)


def crd(**spec: Any) -> dict[str, Any]:
    return {
        "kind": "CustomResourceDefinition",
        "spec": {"group": "g", "names": {"kind": "K"}, "scope": "Cluster", **spec},
    }


@pytest.mark.parametrize(
    ("document", "scopes"),
    [
        pytest.param(crd(), {("g", "K"): False}, id="cluster"),
        pytest.param(crd(scope="Namespaced"), {("g", "K"): True}, id="namespaced"),
        pytest.param(crd(scope="Weird"), {}, id="no scope that exists"),
        pytest.param(crd(names=None), {}, id="no names"),
        pytest.param(crd(group=3), {}, id="group is a number"),
        pytest.param({"kind": "ConfigMap"}, {}, id="no CRD"),
        pytest.param({"kind": "CustomResourceDefinition", "spec": []}, {}, id="spec is a list"),
    ],
)
def test_scope_from_a_crd(document: dict[str, Any], scopes: dict[tuple[str, str], bool]) -> None:
    assert scope_from_crd(document) == scopes
