"""
The loop that a user lives in, on a real API server: observe, render, apply, and again until nothing is withheld.

The tests play the children's controllers: once the objects of a recorded step exist, they get the statuses that kro's recording
gave them. In the end the rendered objects are those that kro sent, and another turn changes nothing.
"""

from __future__ import annotations

import io
import json
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from krm_fn.command import run
from tests.conformance.kro_live import WRITTEN, Check, Run
from tests.conformance.live_inputs import RGD, Recording, identity
from tests.hosts.api_server import ApiError, ApiServer, api_server
from tests.hosts.programs import tool

pytestmark = pytest.mark.hosts

REPOSITORY = Path(__file__).resolve().parents[2]
FIXTURES = REPOSITORY / "fixtures"
RECORDED = REPOSITORY / "tests" / "conformance" / "corpora" / "kro-live" / "own"
_TURNS = 12
_MERGE = "application/merge-patch+json"


@pytest.fixture(scope="module")
def server() -> Iterator[ApiServer]:
    """One of their own, since what these tests make is never taken away."""
    with api_server() as started:
        yield started


class Loop:
    """A package of files, rendered into a cluster turn by turn."""

    def __init__(self, server: ApiServer, folder: Path, paths: list[Path], crds: list[Path]) -> None:
        self.server = server
        self.folder = folder
        self.words = [str(path) for path in paths] + [word for path in crds for word in ("--crds", str(path))]
        self.snapshot = folder / "observed.yaml"
        self.rendered = b""
        self.said = ""
        self.plurals: dict[tuple[str, str], tuple[str, bool]] = {}
        self.installed: list[str] = []

    def leave(self) -> None:
        """Take it all away: the next package may have an object, or a kind's list, of the same name."""
        for value in yaml.load_all(self.rendered, yaml.CSafeLoader):
            if value["kind"] != "Namespace":
                self.server.request("DELETE", self.path(value))
        self.server.delete_crds(self.installed)

    def product(self, *words: str) -> bytes:
        out, err = io.BytesIO(), io.StringIO()
        code = run(list(words), io.BytesIO(), out, err, {})
        self.said = err.getvalue()
        assert code == 0, self.said
        return out.getvalue()

    def turn(self) -> bool:
        """Observe, render, apply. Returns whether the objects are other ones than last time."""
        self.product("observe", *self.words, "-o", str(self.snapshot), "--kubeconfig", str(self.server.kubeconfig))
        before = self.rendered
        self.rendered = self.product(
            "render", *self.words, "--observed", str(self.snapshot), "--kro-labels", "--emit", "instances"
        )
        if self.rendered:
            self.apply(self.rendered)
        return self.rendered != before

    @property
    def waits(self) -> bool:
        return "is withheld" in self.said or "held as it lives" in self.said

    def apply(self, manifests: bytes) -> None:
        done = subprocess.run(
            [tool("kubectl"), "--kubeconfig", str(self.server.kubeconfig), "apply", "--server-side", "--force-conflicts", "-f", "-"],
            input=manifests,
            capture_output=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()

    def path(self, entry: dict[str, Any]) -> str:
        """Where the API server has an object."""
        api_version, kind = entry["apiVersion"], entry["kind"]
        base = f"/api/{api_version}" if "/" not in api_version else f"/apis/{api_version}"
        if (api_version, kind) not in self.plurals:
            for found in self.server.request("GET", base)["resources"]:
                if "/" not in found["name"]:
                    self.plurals[api_version, found["kind"]] = (found["name"], found["namespaced"])
        plural, namespaced = self.plurals[api_version, kind]
        _, _, namespace, name = identity(entry)
        return (
            f"{base}/namespaces/{namespace or 'default'}/{plural}/{name}" if namespaced else f"{base}/{plural}/{name}"
        )

    def exists(self, entry: dict[str, Any]) -> bool:
        try:
            self.server.request("GET", self.path(entry))
        except ApiError as error:
            if error.code != 404:
                raise
            return False
        return True

    def write(self, entry: dict[str, Any]) -> None:
        """What a controller of the children writes."""
        path = self.path(entry)
        if "spec" in entry:
            self.server.request("PATCH", path, {"spec": entry["spec"]}, _MERGE)
        try:
            self.server.request("PATCH", f"{path}/status", {"status": entry["status"]}, _MERGE)
        except ApiError as error:
            if error.code != 404:
                raise
            self.server.request("PATCH", path, {"status": entry["status"]}, _MERGE)

    def begin(self, crds: list[Path], existing: list[dict[str, Any]], namespaces: set[str]) -> None:
        """What is there before the first turn."""
        self.install_crds(crds)
        self.install_api(folder=self.folder / "api")
        _make_namespaces(self.server, (namespaces | _namespaces(existing)) - {"default"})
        for value in existing:
            self.apply(json.dumps(value).encode())

    def install_api(self, *, folder: Path) -> None:
        """The CRDs of the RGDs, and those of the files."""
        made = self.product("render", *self.words, "--emit", "api", "-o", str(folder))
        assert made == b""
        names = []
        for path in sorted(folder.rglob("*.yaml")):
            value = yaml.load(path.read_text(), yaml.CSafeLoader)
            if value["kind"] == "CustomResourceDefinition" and "rookery.dev/instance" not in str(value["metadata"]):
                names.append(value["metadata"]["name"])
                self.apply(path.read_bytes())
        self.wait_for(names)

    def wait_for(self, names: list[str]) -> None:
        self.installed += names
        self.server.wait_for_crds(names)

    def install_crds(self, paths: list[Path]) -> None:
        names = []
        for path in paths:
            for file in sorted(path.rglob("*.yaml")) if path.is_dir() else [path]:
                text = file.read_bytes()
                names += [crd["metadata"]["name"] for crd in yaml.load_all(text, yaml.CSafeLoader) if crd]
                self.apply(text)
        self.wait_for(names)


def _namespaces(manifests: Iterable[dict[str, Any]]) -> set[str]:
    return {value["metadata"]["namespace"] for value in manifests if value["metadata"].get("namespace")}


def _make_namespaces(server: ApiServer, names: set[str]) -> None:
    for name in sorted(names):
        try:
            server.request(
                "POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            )
        except ApiError as error:
            if error.code != 409:
                raise


# -- what kro was recorded at ---------------------------------------------------------------------------------------


def _is_story(recording: Recording) -> bool:
    """Whether kro took all of it, the user did nothing after the first instance, and nothing was refused."""
    refused = recording.rejected or recording.instances_rejected
    acted = any("do" in step for step in recording.steps)
    ended = [status.get("state") for _, status in recording.final_states()]
    sent_in_vain = any("error" in applied for applied in recording.bodies.values())
    settled = not recording.golden.get("notes")
    return bool(
        recording.bodies
        and recording.instances
        and settled
        and not (refused or acted or sent_in_vain)
        and set(ended) == {"ACTIVE"}
    )


def _stories() -> list[str]:
    """Twenty recordings: first those in which somebody wrote statuses, then those with the most nodes that wait for each other."""
    found = []
    for folder in sorted(RECORDED.iterdir()):
        if (folder / "golden.yaml").is_file():
            recording = Recording(folder, None)
            if _is_story(recording):
                written = sum(len(step.get("set_status") or []) for step in recording.steps)
                edges = sum(len(nodes) for graph in recording.dependencies().values() for nodes in graph.values())
                found.append((-written, -edges, folder.name))
    return [name for _, _, name in sorted(found)[:20]]


@pytest.mark.parametrize("name", _stories())
def test_a_recording_of_kro_comes_to_the_same_end(name: str, server: ApiServer, tmp_path: Path) -> None:
    recording = Recording(RECORDED / name, None)
    inputs = tmp_path / "package"
    inputs.mkdir()
    for i, source in enumerate(recording.inputs.values()):
        (inputs / f"{i:02d}-{'rgd' if source.kind == RGD else 'instance'}.yaml").write_text(source.text)
    loop = Loop(server, tmp_path, [inputs], recording.crd_paths)
    try:
        existing = [value for key, value in recording.existing.items() if key[1] != "Namespace"]
        namespaces = {key[3] for key in recording.existing if key[1] == "Namespace"}
        loop.begin(
            recording.crd_paths, existing, namespaces | _namespaces(source.value for source in recording.instances)
        )
        run_to_the_end(loop, [step.get("set_status") or [] for step in recording.steps])
        check = Check(recording, WRITTEN)
        assert check.compare(Run(0, loop.rendered, loop.said), recording.inputs.values()) == []
    finally:
        loop.leave()


def run_to_the_end(loop: Loop, writes: list[list[dict[str, Any]]]) -> None:
    """Turn by turn, and each of *writes* once all its objects exist, until nothing changes: then nothing waits."""
    for _ in range(_TURNS):
        changed = loop.turn()
        while writes and all(loop.exists(entry) for entry in writes[0]):
            for entry in writes.pop(0):
                loop.write(entry)
                changed = True
        if not changed:
            break
    assert not writes, f"never there: {writes[0]}"
    assert not loop.waits, loop.said


# -- the worked packages --------------------------------------------------------------------------------------------


class Story(NamedTuple):
    """A fixture: the files that are its input, those whose objects exist before, and what its controllers write."""

    inputs: tuple[str, ...]
    existing: tuple[str, ...] = ()
    crds: str = ""
    writes: tuple[tuple[str, str, str, str, dict[str, Any]], ...] = ()
    """apiVersion, kind, namespace, name, status."""


PACKAGES = {
    "chain-of-three": Story(("chain-of-three",)),
    "external-reference": Story(
        ("external-reference/rgd.yaml", "external-reference/instance.yaml"), ("external-reference/state",)
    ),
    "fan-out": Story(("fan-out",)),
    "argocd-application": Story(
        ("argocd-application/platform", "argocd-application/apps/shop"), ("argocd-application/apps/shop",)
    ),
    "observed-state": Story(
        ("observed-state/rgd.yaml", "observed-state/instance.yaml"),
        writes=(
            ("v1", "Service", "shops", "books", {"loadBalancer": {"ingress": [{"hostname": "books.example.net"}]}}),
        ),
    ),
    "simulation": Story(
        ("simulation/rgd.yaml", "simulation/instance.yaml"),
        writes=(
            ("apps/v1", "Deployment", "store", "shop", {"replicas": 2, "readyReplicas": 2, "availableReplicas": 2}),
        ),
    ),
    "web-application": Story(("web-application",)),
    "web-application-dynamodb": Story(("web-application-dynamodb",), crds="web-application-dynamodb/crds"),
}
TEAM = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "team", "namespace": "shops"},
    "data": {"notice": "hi"},
}


@pytest.mark.parametrize("name", PACKAGES)
def test_a_fixture_comes_to_an_end(name: str, server: ApiServer, tmp_path: Path) -> None:
    story = PACKAGES[name]
    crds = [FIXTURES / story.crds] if story.crds else []
    loop = Loop(server, tmp_path, [FIXTURES / path for path in story.inputs], crds)
    existing = [TEAM, *_plain_objects([FIXTURES / path for path in story.existing])]
    writes = [
        [{"apiVersion": v, "kind": kind, "metadata": {"namespace": ns, "name": n}, "status": status}]
        for v, kind, ns, n, status in story.writes
    ]
    try:
        loop.begin(crds, existing, {"shops", "store", "messaging"})
        run_to_the_end(loop, writes)
        assert loop.rendered
    finally:
        loop.leave()


def _plain_objects(paths: list[Path]) -> list[dict[str, Any]]:
    """Manifests that no RGD has to do with, as they were before somebody kept them from being applied."""
    found: list[dict[str, Any]] = []
    for path in paths:
        for file in sorted(path.rglob("*.yaml")):
            for value in yaml.load_all(file.read_text(), yaml.CSafeLoader):
                found += value["items"] if value.get("kind") == "List" else [value]
    return [value for value in found if value["kind"] == "ConfigMap"]
