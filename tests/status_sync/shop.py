"""An RGD of a Deployment and a Service, and their objects, for tests of status-sync."""

from __future__ import annotations

from typing import Any

from krm_fn.read.yaml import parse_documents
from tests.rendering import rgd
from tests.status_sync.paper import Json, Paper, objects

APP = rgd(
    """\
- id: deployment
  readyWhen: ["${deployment.status.readyReplicas == 1}"]
  template:
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: "${schema.metadata.name}"}
    spec: {replicas: 1}
- id: service
  template:
    apiVersion: v1
    kind: Service
    metadata: {name: "${schema.metadata.name}-${deployment.metadata.name}"}
    spec: {ports: [{port: 80}]}
""",
    status='{ready: "${deployment.status.readyReplicas}", address: "${service.spec.clusterIP}"}',
)


def deployment(name: str = "shop", ready: int | None = None, **metadata: Any) -> Json:
    made: Json = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "store", **metadata},
        "spec": {"replicas": 1},
    }
    return made if ready is None else {**made, "status": {"readyReplicas": ready}}


def service(name: str = "shop-shop", address: str = "10.0.0.1") -> Json:
    metadata = {"name": name, "namespace": "store"}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"clusterIP": address}}


def cluster(*texts: str) -> Paper:
    return Paper(*(value for text in texts for value in objects(text)))


def states(status: Json) -> dict[str, str]:
    return {each["type"]: each["status"] for each in status["conditions"]}


def marks(node: str, item: str = "", owner: str = "kro.run/App/store/shop") -> Json:
    return {"rookery.dev/instance": owner, "rookery.dev/node": node, **({"rookery.dev/item": item} if item else {})}


def documents(*texts: str) -> list[Any]:
    return [document for text in texts for document in parse_documents(text, "files.yaml")]
