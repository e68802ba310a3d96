"""What the tests of Argo CD's syncs have in common: RGDs with gates, their health checks, and who plays the children's controllers."""

from __future__ import annotations

import io
import json
from typing import Any

import yaml

from krm_fn.command import run
from tests.hosts.argocd import Application, ArgoCd
from tests.rendering import config_map, instance, rgd

Json = dict[str, Any]
V1 = "example.com/v1"
KRO = "kro.run/v1alpha1"
KINDS = (("v1", "ConfigMap"), ("batch/v1", "Job"), (V1, "Database"), (V1, "Migration"))
"""Of what the RGDs make."""


def custom(node: str, kind: str, name: str, ready_when: str = "") -> str:
    """One resource of an RGD: an object of example.com with a controller of its own."""
    gate = f"  readyWhen: ['${{{ready_when}}}']\n" if ready_when else ""
    return f"- id: {node}\n{gate}  template: {{apiVersion: {V1}, kind: {kind}, metadata: {{name: '{name}'}}, spec: {{}}}}\n"


DATABASE = custom("database", "Database", "${schema.metadata.name}-db", 'database.status.phase == "Ready"')
MIGRATION = custom("migration", "Migration", "${database.metadata.name}-migration", "migration.status.done")
TWO_GATES = rgd(
    f"{DATABASE}{MIGRATION}"
    + config_map("backend", '{after: "${migration.metadata.name}"}')
    + config_map("page", '{title: "of no concern"}'),
    kind="TwoGates",
)
"""database, then migration, then backend; page needs nobody."""

STORE = rgd(
    DATABASE + config_map("address", '{host: "${database.metadata.name}"}'),
    kind="Store",
    status="{phase: '${database.status.phase}'}",
)
NESTING = rgd(
    """\
- id: store
  readyWhen: ['${store.status.phase == "Ready"}']
  template: {apiVersion: kro.run/v1alpha1, kind: Store, metadata: {name: "${schema.metadata.name}-store"}, spec: {}}
"""
    + config_map("frontend", '{store: "${store.metadata.name}"}'),
    kind="Nesting",
)
"""store's database, then its address, then frontend."""

WITHHOLDING = rgd(
    DATABASE + config_map("connection", '{host: "${database.status.endpoint}"}'),
    kind="Withholding",
)
"""Where the database is, only the cluster knows."""

SHRINKING = rgd(
    DATABASE
    + config_map(
        "connection",
        '{host: "${database.status.endpoint}"}',
        more="readyWhen: ['${connection.data.host != \"\"}']",
    )
    + config_map("extra", '{of: "${connection.metadata.name}"}', more="includeWhen: ['${schema.spec.extra}']"),
    kind="Shrinking",
    spec="{extra: boolean | default=true}",
)
"""database, then connection, then extra, which an instance may do without."""

REPLICATED = rgd(
    """\
- id: copies
  forEach: [{letter: '${["a", "b"]}'}]
  readyWhen: ['${each.status.phase == "Ready"}']
  template: {apiVersion: example.com/v1, kind: Database, metadata: {name: "${schema.metadata.name}-${letter}"}, spec: {}}
"""
    + config_map("list", '{count: "${string(size(copies))}"}'),
    kind="Replicated",
)
"""databases a and b, then list."""

RGDS = (TWO_GATES, STORE, NESTING, WITHHOLDING, SHRINKING, REPLICATED)


def crd(kind: str) -> Json:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.lower()}s.example.com"},
        "spec": {
            "group": "example.com",
            "names": {"kind": kind, "plural": f"{kind.lower()}s", "singular": kind.lower(), "listKind": f"{kind}List"},
            "scope": "Namespaced",
            "versions": [{**version, "subresources": {"status": {}}}],
        },
    }


def rookery(*words: str, stdin: str = "") -> str:
    out, err = io.BytesIO(), io.StringIO()
    assert run(list(words), io.BytesIO(stdin.encode()), out, err, {}) == 0, err.getvalue()
    return out.getvalue().decode()


def health_checks(*rgds: str) -> dict[str, str]:
    """What argocd-cm gets: one check a kind, for all RGDs at once."""
    words = ("health", "-", "--format", "argocd", "--emit", "instances")
    made = yaml.safe_load(rookery(*words, stdin="---\n".join(rgds)))
    checks: dict[str, str] = made["data"]
    return checks


def application(
    argo: ArgoCd, name: str, *rgds: str, kind: str, beside: str = "", emit: tuple[str, ...] = ()
) -> Application:
    """An Application of one instance `shop`. beside: a manifest of the same repository.  emit: the parameter."""
    texts = {f"rgd-{i}.yaml": text for i, text in enumerate(rgds)} | ({"beside.yaml": beside} if beside else {})
    parameters = [{"name": "emit", "array": list(emit)}] if emit else []
    return argo.application(name, {**texts, "instance.yaml": instance(kind=kind, namespace="")}, parameters)


def uids(app: Application) -> dict[str, str]:
    return {name: each["metadata"]["uid"] for name, each in app.live(*KINDS).items()}


def database_is(app: Application, name: str = "shop-db", **status: str | None) -> None:
    app.write_status(V1, "Database", name, status)


def migration_is_done(app: Application) -> None:
    app.write_status(V1, "Migration", "shop-db-migration", {"done": True})


def observe(app: Application) -> None:
    """Commit what `rookery observe` sees in the cluster."""
    folder = str(app.repository.folder)
    kubeconfig = str(app.argo.cluster.kubeconfig)
    rookery("observe", folder, "-o", f"{folder}/observed.yaml", "-n", app.namespace, "--kubeconfig", kubeconfig)
    app.repository.commit({})


def config_map_of(name: str, annotation: str, value: str) -> str:
    metadata = {"name": name, "annotations": {annotation: value}}
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
