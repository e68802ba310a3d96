"""
`kubectl delete` and `kubectl apply --prune` of rendered output, on a real API server.

kubectl knows no order but that of the file: it deletes what others depend on first, and waits for nothing before all is deleted. The
commands that docs/rendering.md gives instead take one object away after the other.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.hosts.cluster_objects import Objects
from tests.hosts.conftest import REPOSITORY, Run
from tests.hosts.kpt_live import clear, found_of, hold, leaving, let_go
from tests.hosts.programs import tool
from tests.hosts.test_depends_on import shown
from tests.rendering import config_map, instance, render, rgd

if TYPE_CHECKING:
    from tests.hosts.api_server import ApiServer

pytestmark = pytest.mark.hosts

Json = dict[str, Any]

CHAIN = (
    config_map("db", '{host: "db"}')
    + config_map("api", '{to: "${db.metadata.name}"}')
    + config_map("web", '{to: "${api.metadata.name}"}')
)
NAMES = ["shop-db", "shop-api", "shop-web"]


class Kubectl:
    """In a folder with `shop.yaml`, the output of a render, which is applied."""

    def __init__(self, cluster: ApiServer, folder: Path, namespace: str) -> None:
        self.objects = Objects(cluster)
        self.objects.namespace(namespace)
        self.folder = folder
        self.environment = {**os.environ, "KUBECONFIG": str(cluster.kubeconfig), "KUBECTL_APPLYSET": "true"}
        self.made = render(rgd(CHAIN), instance(namespace=namespace)).objects
        assert [made["metadata"]["name"] for made in self.made] == NAMES
        self.write(self.made)

    def write(self, made: list[Json]) -> None:
        (self.folder / "shop.yaml").write_text(yaml.safe_dump_all(made, explicit_start=True))

    def run(self, command: str) -> Run:
        return Run(self.started(command))

    def started(self, command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    def deleted(self) -> list[str]:
        """In the order in which somebody has deleted them; they are held."""
        found = [self.objects.get(made)["metadata"] for made in self.made]
        assert all("deletionTimestamp" in metadata for metadata in found)
        return [m["name"] for m in sorted(found, key=lambda m: int(m["resourceVersion"]))]


@pytest.fixture
def kubectl(cluster: ApiServer, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Kubectl]:
    tool("kubectl")
    name = re.sub(r"\W+", "-", request.node.name.removeprefix("test_")).strip("-")[:50].strip("-").replace("_", "-")
    kubectl = Kubectl(cluster, tmp_path, name)
    yield kubectl
    clear(kubectl.objects, kubectl.made)


@pytest.mark.parametrize("step", [1, -1], ids=["as it is", "turned round"])
def test_delete_goes_by_the_order_of_the_file_and_waits_for_nothing(kubectl: Kubectl, step: int) -> None:
    assert kubectl.run("kubectl apply -f shop.yaml").code == 0
    hold(kubectl.objects, kubectl.made)
    kubectl.write(kubectl.made[::step])
    assert kubectl.run("kubectl delete -f shop.yaml --timeout 2s").code == 1, "it waits when all are deleted"
    assert kubectl.deleted() == NAMES[::step]


def test_apply_with_prune_waits_for_nothing(kubectl: Kubectl) -> None:
    namespace = kubectl.made[0]["metadata"]["namespace"]
    apply = f"kubectl apply -f shop.yaml --namespace {namespace} --prune --applyset shop"
    first = kubectl.run(apply)
    assert first.code == 0, first.text
    hold(kubectl.objects, kubectl.made)
    other = {**kubectl.made[0], "metadata": {"name": "other", "namespace": namespace}}
    kubectl.write([other])
    pruned = kubectl.run(apply)
    assert pruned.code == 0, pruned.text
    assert sorted(kubectl.deleted()) == sorted(NAMES)
    clear(kubectl.objects, [other])


def test_the_commands_of_the_documentation_take_away_one_after_the_other(kubectl: Kubectl) -> None:
    page = (REPOSITORY / "docs" / "rendering.md").read_text(encoding="utf-8")
    [commands] = re.findall(r"^```\n(csplit .*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert kubectl.run("kubectl apply -f shop.yaml").code == 0
    hold(kubectl.objects, kubectl.made)
    running = subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", commands], cwd=kubectl.folder, env=kubectl.environment
    )
    try:
        for i, made in reversed(list(enumerate(kubectl.made))):
            end = time.monotonic() + 30
            while not leaving(kubectl.objects, [made]):
                assert time.monotonic() < end
                time.sleep(0.05)
            time.sleep(0.5)
            assert leaving(kubectl.objects, kubectl.made[: i + 1]) == {shown(made)}
            let_go(kubectl.objects, [made])
        assert running.wait(30) == 0
    finally:
        running.kill()
        running.wait()
    assert [made for made in kubectl.made if found_of(kubectl.objects, made)] == []
