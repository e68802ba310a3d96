"""status-sync on a real API server: the fixtures, from what Rookery renders of them to a status; its rights; servers that go away."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from krm_fn.command import run
from tests.conformance.live_inputs import sources_of
from tests.hosts.api_server import ApiServer
from tests.hosts.cluster_objects import Json, Objects
from tests.hosts.status_replay import generated, status_sync
from tests.rendering import instance, rgd

pytestmark = pytest.mark.hosts

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
DEPLOYED = {"replicas": 3, "availableReplicas": 3, "readyReplicas": 3}


@pytest.fixture
def objects(cluster: ApiServer) -> Iterator[Objects]:
    made = Objects(cluster)
    try:
        yield made
    finally:
        made.close()


def rendered(*words: str) -> list[Json]:
    """What Rookery gives, as objects."""
    import io

    stdout, stderr = io.BytesIO(), io.StringIO()
    assert run(["render", *words], io.BytesIO(), stdout, stderr, {}) == 0, stderr.getvalue()
    return [value for value in yaml.safe_load_all(stdout.getvalue()) if value is not None]


def install(objects: Objects, folder: Path) -> list[Json]:
    """A fixture's API and what is rendered of it, as an applier puts them into a cluster; the instances stand last."""
    made = rendered(str(folder), "--emit", "api", "--emit", "instances")
    crds = [each for each in made if each["kind"] == "CustomResourceDefinition"]
    objects.crds(crds)
    kinds = {crd["spec"]["names"]["kind"] for crd in crds}
    others = [each for each in made if each not in crds]
    for each in others:
        if each["kind"] == "Namespace":
            objects.namespace(each["metadata"]["name"])
        elif each["metadata"].get("namespace"):
            objects.namespace(each["metadata"]["namespace"])
        if each["kind"] != "Namespace":
            objects.apply(each)
    return [each for each in others if each["kind"] in kinds]


def conditions(status: Json) -> dict[str, str]:
    return {each["type"]: each["status"] for each in status["conditions"]}


# -- stories ------------------------------------------------------------------------------------------------------------


def test_a_web_application_from_its_first_object_to_active(objects: Objects) -> None:
    folder = FIXTURES / "web-application"
    [shop] = install(objects, folder)
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "shop", "namespace": "store"}}

    code, said = status_sync(objects.cluster.kubeconfig, str(folder))
    assert (code, said) == (0, "status-sync: WebApplication store/shop: IN_PROGRESS\n")
    stored = objects.get(shop)
    assert conditions(stored["status"]) == {"Serving": "False"}

    assert status_sync(objects.cluster.kubeconfig, str(folder)) == (0, "")
    assert objects.get(shop)["metadata"]["resourceVersion"] == stored["metadata"]["resourceVersion"]

    objects.patch(deployment, {"status": DEPLOYED}, "status")
    code, said = status_sync(objects.cluster.kubeconfig, str(folder))
    line = "status-sync: WebApplication store/shop: IN_PROGRESS -> ACTIVE, address set, availableReplicas set\n"
    assert (code, said) == (0, line)
    status = objects.get(shop)["status"]
    assert (status["state"], status["availableReplicas"], conditions(status)) == ("ACTIVE", 3, {"Serving": "True"})

    objects.patch(deployment, {"status": {**DEPLOYED, "availableReplicas": None, "readyReplicas": None}}, "status")
    code, said = status_sync(objects.cluster.kubeconfig, str(folder))
    line = "status-sync: WebApplication store/shop: ACTIVE -> IN_PROGRESS, address removed, availableReplicas removed\n"
    assert (code, said) == (0, line)
    assert objects.get(shop)["status"].keys() == {"state", "conditions"}


def test_nested_instances_are_settled_in_one_pass(objects: Objects) -> None:
    folder = FIXTURES / "chain-of-three"
    instances = install(objects, folder)
    assert {each["kind"] for each in instances} == {"Organisation", "Team", "Workspace"}
    code, said = status_sync(objects.cluster.kubeconfig, str(folder))
    assert code == 0, said
    assert {objects.get(each)["status"]["state"] for each in instances} == {"ACTIVE"}
    assert status_sync(objects.cluster.kubeconfig, str(folder)) == (0, "")


def test_a_collection_is_followed_item_by_item(objects: Objects) -> None:
    folder = FIXTURES / "fan-out"
    [queues] = install(objects, folder)
    status_sync(objects.cluster.kubeconfig, str(folder))
    status = objects.get(queues)["status"]
    assert status["state"] == "ACTIVE"
    first = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {**queues["metadata"], "name": status["queues"][0]},
    }
    objects.delete(first)
    _, said = status_sync(objects.cluster.kubeconfig, str(folder))
    assert "ACTIVE -> IN_PROGRESS" in said


# -- small RGDs ---------------------------------------------------------------------------------------------------------

APP = rgd(
    """\
- id: config
  template:
    apiVersion: v1
    kind: ConfigMap
    metadata: {name: "${schema.metadata.name}"}
    data: {size: "${schema.spec.size}"}
- id: secret
  readyWhen: ["${size(secret.data) > 0}"]
  template: {apiVersion: v1, kind: Secret, metadata: {name: "${schema.metadata.name}"}}
""",
    kind="SyncedApp",
    spec="{size: string}",
    status='{size: "${config.data.size}", colour: "${config.data.?colour.orValue(\'none\')}", token: "${string(secret.data.token)}"}',
)
SHOP = instance("{size: s}", kind="SyncedApp", namespace="default")


@pytest.fixture
def app(objects: Objects, tmp_path: Path) -> Path:
    """The file of an RGD whose API and one instance are in the cluster."""
    path = tmp_path / "rgd.yaml"
    path.write_text(APP)
    objects.crds(generated(sources_of(path)))
    objects.create(yaml.safe_load(SHOP))
    return path


def shop(objects: Objects) -> Json:
    return objects.get(yaml.safe_load(SHOP))


def config(**data: str) -> Json:
    metadata = {"name": "shop", "namespace": "default"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"size": "s", **data}}


def secret() -> Json:
    metadata = {"name": "shop", "namespace": "default"}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"token": "hunter2"}}


def test_no_value_of_a_secret_is_written(objects: Objects, app: Path) -> None:
    objects.apply(config())
    objects.apply(secret())
    code, said = status_sync(objects.cluster.kubeconfig, str(app))
    assert code == 0
    stored = shop(objects)
    assert stored["status"]["state"] == "ACTIVE"
    assert "token" not in stored["status"]
    assert "status.token needs a Secret's value, which no status may hold" in said
    for text in (json.dumps(stored), said):
        assert "hunter2" not in text
        assert "aHVudGVyMg" not in text


def test_a_child_that_was_renamed_is_found_by_its_marks(objects: Objects, app: Path) -> None:
    for made in (config(), secret()):
        node = "config" if made["kind"] == "ConfigMap" else "secret"
        marks = {"rookery.dev/instance": "kro.run/SyncedApp/default/shop", "rookery.dev/node": node}
        objects.apply({**made, "metadata": {"name": "prod-shop", "namespace": "default", "annotations": marks}})
    assert status_sync(objects.cluster.kubeconfig, str(app))[0] == 0
    assert shop(objects)["status"]["state"] == "ACTIVE"


def test_what_another_controller_wrote_is_taken_over_and_ours_goes_when_it_goes(objects: Objects, app: Path) -> None:
    objects.patch(yaml.safe_load(SHOP), {"status": {"state": "ACTIVE", "size": "old", "conditions": []}}, "status")
    objects.apply(config())
    status_sync(objects.cluster.kubeconfig, str(app))
    status = shop(objects)["status"]
    assert (status["state"], status["size"], status["colour"]) == ("IN_PROGRESS", "s", "none")
    objects.delete(config())
    _, said = status_sync(objects.cluster.kubeconfig, str(app))
    assert "colour removed" in said
    assert "colour" not in shop(objects)["status"]


def test_a_crd_that_a_kro_owns_is_left_to_it(objects: Objects, app: Path) -> None:
    crd = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "name": "syncedapps.kro.run"}
    objects.patch(crd, {"metadata": {"labels": {"kro.run/owned": "true"}}})
    code, said = status_sync(objects.cluster.kubeconfig, str(app))
    assert code == 1
    assert "the CRD syncedapps.kro.run belongs to a kro (label kro.run/owned=true)" in said
    assert "status" not in shop(objects)
    objects.patch(crd, {"metadata": {"labels": {"kro.run/owned": None}}})
    assert status_sync(objects.cluster.kubeconfig, str(app))[0] == 0
    assert shop(objects)["status"]["state"] == "IN_PROGRESS"


# -- rights -------------------------------------------------------------------------------------------------------------

PAGE = Path(__file__).resolve().parents[2] / "docs" / "status-sync.md"
RULES: list[Json] = [
    {"apiGroups": ["apiextensions.k8s.io"], "resources": ["customresourcedefinitions"], "verbs": ["get"]},
    {"apiGroups": ["kro.run"], "resources": ["syncedapps"], "verbs": ["get", "list"]},
    {"apiGroups": ["kro.run"], "resources": ["syncedapps/status"], "verbs": ["patch"]},
    {"apiGroups": [""], "resources": ["configmaps", "secrets"], "verbs": ["get", "list"]},
]
"""What it needs for this RGD, which is in a file."""


@pytest.fixture
def account(objects: Objects, tmp_path: Path) -> Any:
    """A function from rules to the kubeconfig of a ServiceAccount that has those, and no others."""

    def made(rules: list[Json]) -> Path:
        name = f"syncer-{len(list(tmp_path.glob('*.kubeconfig')))}"
        subject = {"kind": "ServiceAccount", "name": name, "namespace": "default"}
        group = "rbac.authorization.k8s.io"
        value = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": "default"}}
        objects.apply(value)
        objects.apply({"apiVersion": f"{group}/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules})
        role = {"apiGroup": group, "kind": "ClusterRole", "name": name}
        objects.apply(
            {
                "apiVersion": f"{group}/v1",
                "kind": "ClusterRoleBinding",
                "metadata": {"name": name},
                "roleRef": role,
                "subjects": [subject],
            }
        )
        return credentials(objects, value, tmp_path)

    return made


def credentials(objects: Objects, account: Json, folder: Path) -> Path:
    """A kubeconfig for a ServiceAccount."""
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
    answer = objects.cluster.request("POST", objects.path(account) + "/token", body)
    settings = json.loads(objects.cluster.kubeconfig.read_text())
    settings["users"][0]["user"] = {"token": answer["status"]["token"]}
    path = folder / f"{account['metadata']['name']}.kubeconfig"
    path.write_text(json.dumps(settings))
    return path


def until_known(kubeconfig: Path, app: Path, wanted: int) -> tuple[int, str]:
    """A role counts a moment after it was made."""
    end = time.monotonic() + 10
    while True:
        code, said = status_sync(kubeconfig, str(app))
        if code == wanted or time.monotonic() > end:
            return code, said
        time.sleep(0.2)


def test_the_rights_that_the_docs_name_are_enough(objects: Objects, tmp_path: Path) -> None:
    """Those of the page, to the letter, and an RGD that is in the cluster."""
    [text] = [each for each in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL) if "# rbac.yaml" in each]
    rights = list(yaml.safe_load_all(text))
    for value in rights:
        objects.apply(value)
    objects.rgd_crd()
    definition = objects.apply(yaml.safe_load((FIXTURES / "web-application" / "rgd.yaml").read_text()))
    [web] = install(objects, FIXTURES / "web-application")
    kubeconfig = credentials(objects, rights[0], tmp_path)
    end = time.monotonic() + 10
    while (answer := status_sync(kubeconfig))[0] and time.monotonic() < end:
        time.sleep(0.2)
    assert answer[0] == 0, answer[1]
    assert objects.get(web)["status"]["state"] == "IN_PROGRESS"
    assert objects.get(definition)["status"]["state"] == "Active"


def test_these_rights_are_enough(objects: Objects, app: Path, account: Any) -> None:
    objects.apply(config())
    code, said = until_known(account(RULES), app, 0)
    assert code == 0, said
    assert shop(objects)["status"]["size"] == "s"


@pytest.mark.parametrize(
    ("resource", "verb", "named"),
    [
        ("secrets", "get", "not allowed to get secrets in namespace default"),
        ("secrets", "list", "not allowed to list secrets in namespace default"),
        ("syncedapps", "list", "not allowed to list syncedapps.kro.run"),
        ("syncedapps/status", "patch", "not allowed to patch syncedapps/status.kro.run in namespace default"),
        ("customresourcedefinitions", "get", "not allowed to get customresourcedefinitions.apiextensions.k8s.io"),
    ],
)
def test_without_any_of_them_it_says_which(
    objects: Objects, app: Path, account: Any, resource: str, verb: str, named: str
) -> None:
    objects.apply(config())
    rules = [
        {**rule, "resources": [one], "verbs": [each for each in rule["verbs"] if (one, each) != (resource, verb)]}
        for rule in RULES
        for one in rule["resources"]
    ]
    kubeconfig = account([rule for rule in rules if rule["verbs"]])
    end = time.monotonic() + 10
    said = ""
    while named not in said and time.monotonic() < end:
        code, said = status_sync(kubeconfig, str(app))
        assert code == 1
    assert named in said
    assert "status" not in shop(objects)


# -- again and again ----------------------------------------------------------------------------------------------------


class Door:
    """A way to the API server that can be shut."""

    def __init__(self, port: int) -> None:
        self._there = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._serve()

    def _serve(self) -> None:
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(self._there)
                self._open += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._copy, args=(one, other), daemon=True).start()

    def _copy(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
        for each in (one, other):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def shut(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._open.clear()

    def open(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._serve()


class Running:
    """`rookery status-sync --interval` as a process."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.said = ""

    def wait_for(self, text: str, seconds: float = 30) -> None:
        assert self.process.stderr is not None
        end = time.monotonic() + seconds
        while text not in self.said:
            assert time.monotonic() < end, self.said
            if select.select([self.process.stderr], [], [], 0.2)[0]:
                self.said += os.read(self.process.stderr.fileno(), 65536).decode()

    def stop(self, number: int = signal.SIGTERM) -> float:
        """How long it took."""
        began = time.monotonic()
        self.process.send_signal(number)
        assert self.process.wait(10) == 0
        return time.monotonic() - began


@contextmanager
def running(kubeconfig: Path, *words: str, interval: str = "0.2") -> Iterator[Running]:
    command = [sys.executable, "-m", "krm_fn", "status-sync", "--interval", interval, "--kubeconfig", str(kubeconfig)]
    with subprocess.Popen([*command, *words], stderr=subprocess.PIPE) as process:
        try:
            yield Running(process)
        finally:
            process.kill()


def test_a_server_that_goes_away_is_waited_for(objects: Objects, app: Path, tmp_path: Path) -> None:
    door = Door(objects.cluster.port)
    settings = json.loads(objects.cluster.kubeconfig.read_text())
    settings["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{door.port}"
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(json.dumps(settings))
    with running(kubeconfig, str(app)) as syncing:
        syncing.wait_for("SyncedApp default/shop: IN_PROGRESS\n")
        door.shut()
        syncing.wait_for("does not answer", 60)
        objects.apply(config())
        door.open()
        syncing.wait_for("IN_PROGRESS, colour set, size set\n", 60)
        assert syncing.said.count("does not answer") == 1
        assert syncing.stop() < 3
    door.shut()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_at_once_when_it_is_told_to(objects: Objects, app: Path, number: int) -> None:
    with running(objects.cluster.kubeconfig, str(app), interval="3600") as syncing:
        syncing.wait_for("SyncedApp default/shop: IN_PROGRESS\n")
        assert syncing.stop(number) < 1
        assert syncing.process.stderr is not None
        assert b"status-sync: stopped\n" in syncing.process.stderr.read()


def test_it_ends_at_once_while_it_waits_for_an_answer(app: Path, objects: Objects, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = json.loads(objects.cluster.kubeconfig.read_text())
        settings["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{silent.getsockname()[1]}"
        kubeconfig = tmp_path / "kubeconfig"
        kubeconfig.write_text(json.dumps(settings))
        with running(kubeconfig, str(app)) as syncing:
            syncing.wait_for("every 0.2 s")
            asked, _ = silent.accept()
            with asked:
                assert syncing.stop() < 1
