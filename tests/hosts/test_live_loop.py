"""
The loop that a user lives in, on a real API server: observe, render, apply, and again until nothing is withheld.

The tests play the children's controllers: once the objects of a recorded step exist, they get the statuses that kro's recording
gave them. In the end the rendered objects are those that kro sent, and another turn changes nothing.
"""

from __future__ import annotations

import io
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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
        self.server.wait_for_crds(names)

    def install_crds(self, paths: list[Path]) -> None:
        names = []
        for path in paths:
            for file in sorted(path.rglob("*.yaml")) if path.is_dir() else [path]:
                text = file.read_bytes()
                names += [crd["metadata"]["name"] for crd in yaml.load_all(text, yaml.CSafeLoader) if crd]
                self.apply(text)
        self.server.wait_for_crds(names)


def _namespaces(manifests: list[dict[str, Any]]) -> set[str]:
    return {value["metadata"]["namespace"] for value in manifests if value["metadata"].get("namespace")} - {"default"}


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
    loop.install_crds(recording.crd_paths)
    loop.install_api(folder=tmp_path / "api")
    existing = [value for key, value in recording.existing.items() if key[1] != "Namespace"]
    _make_namespaces(server, {key[3] for key in recording.existing if key[1] == "Namespace"} - {"default"})
    _make_namespaces(server, _namespaces([*existing, *(s.value for s in recording.instances)]))
    for value in existing:
        loop.apply(json.dumps(value).encode())
    writes = [step.get("set_status") or [] for step in recording.steps]
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
    check = Check(recording, WRITTEN)
    assert check.compare(Run(0, loop.rendered, loop.said), recording.inputs.values()) == []
