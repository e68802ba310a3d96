"""
`kpt live` and rendered packages on a real API server: objects come into being in the order of their layers, and go in reverse.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.hosts.cluster_objects import Objects
from tests.hosts.conftest import Kpt, files
from tests.hosts.kpt_live import Live, clear, found_of, hold, layers_of, of_fixture, package
from tests.hosts.test_depends_on import shown
from tests.rendering import instance, rgd

if TYPE_CHECKING:
    from tests.hosts.api_server import ApiServer

pytestmark = pytest.mark.hosts

Json = dict[str, Any]

THREE_NAMESPACES = """\
- id: db
  readyWhen: ["${db.status.availableReplicas == 1}"]
  template:
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: "${schema.metadata.name}-db", namespace: "${schema.metadata.namespace}-data"}
    spec:
      replicas: 1
      selector: {matchLabels: {app: db}}
      template: {metadata: {labels: {app: db}}, spec: {containers: [{name: db, image: db}]}}
- id: address
  readyWhen: ["${address.data.host != ''}"]
  template:
    apiVersion: v1
    kind: ConfigMap
    metadata: {name: "${schema.metadata.name}-address"}
    data: {host: "${db.metadata.name}.${db.metadata.namespace}"}
- id: page
  template:
    apiVersion: v1
    kind: ConfigMap
    metadata: {name: "${address.metadata.name}", namespace: "${schema.metadata.namespace}-edge"}
"""


def across() -> list[Json]:
    return [yaml.safe_load(text) for text in (rgd(THREE_NAMESPACES, kind="Across"), instance(kind="Across"))]


CASES = [
    pytest.param(partial(of_fixture, "simulation"), "waves: gated", [0], 2, id="a Deployment with readyWhen"),
    pytest.param(partial(of_fixture, "web-application-dynamodb"), "waves: gated", [1], 3, id="a custom resource and a nested instance"),
    pytest.param(partial(of_fixture, "chain-of-three"), "waves: every-edge", [], 3, id="every edge, three instances deep, in a Namespace of the package"),
    pytest.param(partial(of_fixture, "apply-time"), "deferred: apply-time", [], 3, id="values that kpt fills in"),
    pytest.param(across, "waves: gated", [0], 3, id="across namespaces"),
]  # fmt: skip


@pytest.mark.parametrize(("made_of", "config", "held", "count"), CASES)
def test_objects_come_into_being_in_the_order_of_their_layers_and_go_in_reverse(
    kpt: Kpt, cluster: ApiServer, made_of: Callable[[], list[Json]], config: str, held: list[int], count: int
) -> None:
    sources = made_of()
    namespace = f"live-{sources[-1]['kind'].lower()}"
    objects = Objects(cluster)
    for suffix in ("", "-data", "-edge"):
        objects.namespace(namespace + suffix)
    kpt.environment["KUBECONFIG"] = str(cluster.kubeconfig)
    package(kpt, sources, namespace, config)
    objects.crds([source for source in sources if source["kind"] == "CustomResourceDefinition"])
    layers = layers_of(kpt, config)
    assert len(layers) == count
    before = files(kpt.folder / "package")
    kpt.render()
    assert files(kpt.folder / "package") == before
    assert kpt.run("live", "init", "package", "--namespace", namespace).code == 0
    everything = [made for layer in layers for made in layer]
    try:
        with Live(kpt, objects, "apply", "package", "--reconcile-timeout", "60s") as applied:
            assert applied.play(layers) == held
        for earlier, later in pairwise(layers):
            assert max(applied.versions[shown(made)] for made in earlier) < min(
                applied.versions[shown(made)] for made in later
            )
        hold(objects, everything)
        with Live(kpt, objects, "destroy", "package") as destroyed:
            destroyed.takes_away(layers)
            destroyed.ends()
        assert [made for made in everything if found_of(objects, made)] == []
    finally:
        clear(objects, everything)
        objects.close()
