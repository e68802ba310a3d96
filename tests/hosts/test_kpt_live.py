"""
`kpt live apply` of rendered packages on a real API server: objects come into being in the order of their layers.

Nobody runs Deployments here, so the test plays their controller: it writes the status that kstatus wants, and before that looks
whether anything of a later layer is there already.
"""

from __future__ import annotations

import subprocess
import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from krm_fn.emit.targets import KPT, Order
from krm_fn.emit.yaml_text import dump
from krm_fn.read.sources import read_sources
from tests.hosts.api_server import ApiError
from tests.hosts.cluster_objects import Objects
from tests.hosts.conftest import REPOSITORY, Kpt, files, kptfile, write
from tests.hosts.test_depends_on import rendered, shown

if TYPE_CHECKING:
    from tests.hosts.api_server import ApiServer

pytestmark = pytest.mark.hosts

Json = dict[str, Any]
LOCAL = "config.kubernetes.io/local-config"


def package(kpt: Kpt, fixture: str, namespace: str, config: str = "{}") -> list[Json]:
    """The sources of a fixture as a package that kpt has rendered; its instances in *namespace*."""
    sources = []
    for path in sorted((REPOSITORY / "fixtures" / fixture).glob("**/*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            if (
                document.get("kind") in ("ResourceGraphDefinition", "CustomResourceDefinition")
                or path.name == "instance.yaml"
            ):
                metadata = document["metadata"]
                metadata.setdefault("annotations", {})[LOCAL] = "true"
                if "namespace" in metadata:
                    metadata["namespace"] = namespace
                sources.append(document)
    texts = {
        "sources.yaml": "---\n".join(dump(source) for source in sources),
        "Kptfile": kptfile(f"{{exec: rookery fn, configMap: {config}}}"),
    }
    write(kpt.folder / "package", texts)
    kpt.render()
    return sources


class Applied:
    """A `kpt live apply` that runs, and what the cluster shows of it meanwhile."""

    def __init__(self, kpt: Kpt, cluster: ApiServer, layers: list[list[Json]]) -> None:
        self.objects = Objects(cluster)
        self.layers = layers
        self.versions: dict[str, int] = {}
        """Of each object, when it came into being."""
        self._process = subprocess.Popen(
            ["kpt", "live", "apply", "package", "--reconcile-timeout", "60s"],
            cwd=kpt.folder,
            env=kpt.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def seen(self, made: Json) -> bool:
        try:
            found = self.objects.get(made)
        except ApiError as error:
            if error.code == 404:
                return False
            raise
        self.versions.setdefault(shown(made), int(found["metadata"]["resourceVersion"]))
        return True

    def play(self) -> list[int]:
        """Write statuses, layer by layer. Returns the layers at whose end kpt was kept waiting, and nothing later was there."""
        held = []
        for number, layer in enumerate(self.layers):
            end = time.monotonic() + 60
            while sum(self.seen(made) for made in layer) < len(layer):
                assert time.monotonic() < end, (layer, self._process.poll())
                time.sleep(0.05)
            waited_for = [made for made in layer if made["kind"] == "Deployment"]
            if waited_for and number + 1 < len(self.layers):
                time.sleep(1)
                assert not any(self.seen(made) for later in self.layers[number + 1 :] for made in later)
                held.append(number)
            for made in waited_for:
                self._roll_out(made)
        text, _ = self._process.communicate(timeout=90)
        assert self._process.returncode == 0, text
        return held

    def _roll_out(self, made: Json) -> None:
        count = made["spec"]["replicas"]
        generation = self.objects.get(made)["metadata"]["generation"]
        conditions = [
            {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable"},
            {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"},
        ]
        names = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
        status = {**dict.fromkeys(names, count), "observedGeneration": generation, "conditions": conditions}
        path = f"{self.objects.path(made)}/status"
        self.objects.cluster.request("PATCH", path, {"status": status}, "application/merge-patch+json")


CASES = [
    pytest.param("simulation", "gated", [0], id="a Deployment with readyWhen"),
    pytest.param("web-application-dynamodb", "gated", [1], id="a custom resource and a nested instance"),
    pytest.param(
        "chain-of-three", "every-edge", [], id="every edge, three instances deep, in a Namespace of the package"
    ),
]


@pytest.mark.parametrize(("fixture", "waves", "held"), CASES)
def test_objects_come_into_being_in_the_order_of_their_layers(
    kpt: Kpt, cluster: ApiServer, fixture: str, waves: str, held: list[int]
) -> None:
    namespace = f"live-{fixture}"
    objects = Objects(cluster)
    objects.namespace(namespace)
    kpt.environment["KUBECONFIG"] = str(cluster.kubeconfig)
    sources = package(kpt, fixture, namespace, f"{{waves: {waves}}}")
    objects.crds([source for source in sources if source["kind"] == "CustomResourceDefinition"])
    layers = layers_of(kpt.folder / "package", waves)
    before = files(kpt.folder / "package")
    kpt.render()
    assert files(kpt.folder / "package") == before
    assert kpt.run("live", "init", "package", "--namespace", namespace).code == 0
    try:
        applied = Applied(kpt, cluster, layers)
        assert applied.play() == held
        for earlier, later in pairwise(layers):
            assert max(applied.versions[shown(made)] for made in earlier) < min(
                applied.versions[shown(made)] for made in later
            )
        assert len(layers) > 1
    finally:
        for layer in reversed(layers):
            for made in layer:
                if made["kind"] != "Namespace":
                    cluster.request("DELETE", objects.path(made))
        objects.close()


def layers_of(folder: Path, waves: str) -> list[list[Json]]:
    _, made, layers = rendered(read_sources([str(folder / "sources.yaml")], bytes), order=Order(KPT, waves=waves))
    return [[each.object for each in made if shown(each.object) in layer] for layer in layers]
