"""
`rookery wait` against a real API server, with the token of a ServiceAccount that may get these objects by name and nothing else.

The command is a process, as in a gate Job. Whatever else it asked for would be refused, and it would wait for ever.
"""

from __future__ import annotations

import contextlib
import json
import queue
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from krm_fn.expand.ownership import DIGEST
from krm_fn.read.yaml import parse_documents
from tests.hosts.api_server import ApiError, ApiServer, free_ports

pytestmark = pytest.mark.hosts

Json = dict[str, Any]
RBAC = "/apis/rbac.authorization.k8s.io/v1"
_MERGE = "application/merge-patch+json"
_GROUP = "rbac.authorization.k8s.io"
_SECONDS = 30
COMMAND = (sys.executable, "-m", "krm_fn", "wait")
ENOUGH = "deployment.status.readyReplicas > 1"


class Run:
    """A process, and what it says."""

    def __init__(self, *command: str) -> None:
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._lines.put(line.rstrip("\n"))

    def says(self) -> str:
        """The next line."""
        return self._lines.get(timeout=_SECONDS)

    def ends(self) -> tuple[int, str]:
        """Its exit code, and what it wrote to stdout. Nothing more was said."""
        assert self.process.stdout is not None
        code, stdout = self.process.wait(_SECONDS), self.process.stdout.read()
        self._reader.join()
        assert self._lines.empty(), self._lines.get()
        return code, stdout

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._reader.join()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


def rule(resource: str, *names: str, group: str) -> Json:
    return {"apiGroups": [group], "resources": [resource], "resourceNames": list(names), "verbs": ["get"]}


class Shop:
    """A namespace with a ServiceAccount, and its kubeconfig."""

    def __init__(self, server: ApiServer, folder: Path, namespace: str) -> None:
        self.server = server
        self.namespace = namespace
        self.path = f"/api/v1/namespaces/{namespace}"
        self.deployments = f"/apis/apps/v1/namespaces/{namespace}/deployments"
        self.kubeconfig = folder / "kubeconfig"
        self.runs: list[Run] = []
        self.of_the_cluster: list[str] = []
        server.request("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
        account = f"{self.path}/serviceaccounts"
        server.request("POST", account, {"metadata": {"name": "gate"}})
        self.token: str = server.request("POST", f"{account}/gate/token", {"spec": {}})["status"]["token"]
        self.configure({"token": self.token})

    def configure(self, user: Json, host: str = "") -> None:
        config = json.loads(self.server.kubeconfig.read_text())
        config["users"][0]["user"] = user
        if host:
            config["clusters"][0]["cluster"]["server"] = host
        self.kubeconfig.write_text(json.dumps(config))

    def grant(self, resource: str, *names: str, group: str = "", is_namespaced: bool = True) -> None:
        """`get` on objects by name: what a gate Job's role has."""
        kind = "Role" if is_namespaced else "ClusterRole"
        place = f"{RBAC}/namespaces/{self.namespace}" if is_namespaced else RBAC
        name = f"{self.namespace}-{resource}-gate"
        binding = {
            "metadata": {"name": name},
            "roleRef": {"apiGroup": _GROUP, "kind": kind, "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": "gate", "namespace": self.namespace}],
        }
        self.server.request(
            "POST",
            f"{place}/{kind.lower()}s",
            {"metadata": {"name": name}, "rules": [rule(resource, *names, group=group)]},
        )
        self.server.request("POST", f"{place}/{kind.lower()}bindings", binding)
        if not is_namespaced:
            self.of_the_cluster += [f"{place}/{kind.lower()}s/{name}", f"{place}/{kind.lower()}bindings/{name}"]

    def create(self, path: str, **parts: Any) -> None:
        self.server.request("POST", path, parts)

    def patch(self, path: str, **parts: Any) -> Json:
        return self.server.request("PATCH", path, parts, _MERGE)

    def wait(self, *words: str) -> Run:
        return self.run(*COMMAND, "--kubeconfig", str(self.kubeconfig), *words)

    def run(self, *command: str) -> Run:
        run = Run(*command)
        self.runs.append(run)
        return run


@pytest.fixture
def shop(cluster: ApiServer, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Shop]:
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_").lower()).strip("-")[:50].rstrip("-")
    made = Shop(cluster, tmp_path, f"wait-{name}")
    yield made
    for run in made.runs:
        run.stop()
    for path in made.of_the_cluster:
        cluster.request("DELETE", path)


def deployment(digest: str) -> Json:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": "web:v1"}]}}
    return {
        "metadata": {"name": "web", "annotations": {DIGEST: digest}},
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }


def test_from_nothing_to_ready(shop: Shop) -> None:
    shop.grant("deployments", "web", group="apps")
    run = shop.wait(
        *("--namespace", shop.namespace, "--name", "deployment", "--ready-when", ENOUGH, "--observed-generation"),
        "deployments.v1.apps/web@1a2b3c4d",
    )
    assert run.says() == "deployments.apps/web: not there yet"
    shop.create(shop.deployments, **deployment("00000000"))
    assert run.says() == "deployments.apps/web: not yet as it was rendered"
    web = f"{shop.deployments}/web"
    shop.patch(web, metadata={"annotations": {DIGEST: "1a2b3c4d"}}, spec={"replicas": 2})
    # The server makes a Deployment with an empty status.
    assert run.says() == f"deployments.apps/web: waits for {ENOUGH}: deployment.status.readyReplicas: no such key"
    shop.patch(f"{web}/status", status={"observedGeneration": 1, "replicas": 2, "readyReplicas": 2})
    assert run.says() == "deployments.apps/web: its controller has not looked at generation 2 yet"
    shop.patch(f"{web}/status", status={"observedGeneration": 2, "readyReplicas": 1})
    assert run.says() == f"deployments.apps/web: waits for {ENOUGH}"
    shop.patch(f"{web}/status", status={"readyReplicas": 2})
    assert run.ends() == (0, "deployments.apps/web is ready\n")


def test_the_page_says_what_it_must_be_allowed() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "wait.md").read_text()
    [block] = re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    [document] = parse_documents(block, "docs/wait.md")
    assert document.value["rules"] == [rule("deployments", "web", group="apps")]


IN_A_POD = """\
mount -t tmpfs none /var/run && mkdir -p $0 && cp "$1"/token "$1"/ca.crt $0 && shift && exec "$@"
"""
"""Run with the folder of a Pod's credentials, where they come from, and the command; in a mount namespace of its own."""


def test_in_a_pod(shop: Shop, tmp_path: Path) -> None:
    """Its service account is all that it needs."""
    allowed = ["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/var/run"]
    if not shutil.which("unshare") or subprocess.run(allowed, capture_output=True, check=False).returncode:
        pytest.skip("this user may make no mount namespace, where a Pod's credentials could lie")
    shop.grant("configmaps", "a")
    (tmp_path / "token").write_text(shop.token)
    shutil.copy(shop.server.folder / "certs" / "apiserver.crt", tmp_path / "ca.crt")
    service = [f"HOME={tmp_path}", "KUBERNETES_SERVICE_HOST=127.0.0.1", f"KUBERNETES_SERVICE_PORT={shop.server.port}"]
    run = shop.run(
        *("unshare", "--mount", "sh", "-c", IN_A_POD, "/var/run/secrets/kubernetes.io/serviceaccount", str(tmp_path)),
        *("env", "--unset=KUBECONFIG", *service, *COMMAND, "-n", shop.namespace, "configmaps.v1./a"),
    )
    assert run.says() == "configmaps/a: not there yet"
    shop.create(f"{shop.path}/configmaps", metadata={"name": "a"})
    assert run.ends() == (0, "configmaps/a is ready\n")


def test_a_role_that_is_made_later(shop: Shop) -> None:
    shop.create(f"{shop.path}/services", metadata={"name": "web"}, spec={"ports": [{"port": 80}]})
    run = shop.wait("-n", shop.namespace, "--name", "s", "--ready-when", "s.spec.clusterIP != ''", "services.v1./web")
    said = run.says()
    assert said.startswith(
        'services/web: not allowed to look: services "web" is forbidden: User "system:serviceaccount:'
    )
    shop.grant("services", "web")
    assert run.ends() == (0, "services/web is ready\n")


def test_several_objects_of_a_collection(shop: Shop) -> None:
    shop.grant("configmaps", "a", "b")
    maps = f"{shop.path}/configmaps"
    shop.create(maps, metadata={"name": "a"}, data={"is": "ready"})
    run = shop.wait(
        "-n", shop.namespace, "--name", "each", "--ready-when", "each.data.is == 'ready'", "configmaps.v1./a", "configmaps.v1./b"
    )  # fmt: skip
    assert run.says() == "configmaps/b: not there yet"
    shop.patch(f"{maps}/a", data={"is": "not"})
    shop.create(maps, metadata={"name": "b"}, data={"is": "ready"})
    assert run.says() == "configmaps/a: waits for each.data.is == 'ready'"
    shop.patch(f"{maps}/a", data={"is": "ready"})
    assert run.ends() == (0, "2 objects are ready\n")


def test_a_secret_whose_values_are_looked_at_and_never_said(shop: Shop) -> None:
    shop.grant("secrets", "login")
    secret = f"{shop.path}/secrets/login"
    copy = "int(login.metadata.annotations.copy) > 0"  # what goes wrong here quotes the value
    shop.create(
        f"{shop.path}/secrets", metadata={"name": "login", "annotations": {"copy": "hunter2"}}, data={"user": "YQ=="}
    )
    run = shop.wait(
        *("-n", shop.namespace, "--name", "login", "--ready-when", "has(login.data.password)", "--ready-when", copy),
        "secrets.v1./login",
    )
    assert run.says() == "secrets/login: waits for has(login.data.password)"
    shop.patch(secret, stringData={"password": "hunter2"})
    assert run.says() == f"secrets/login: waits for {copy}: bad conversion"
    shop.patch(secret, metadata={"annotations": {"copy": "7"}})
    assert run.ends() == (0, "secrets/login is ready\n")


def test_an_object_of_the_cluster(shop: Shop) -> None:
    name = f"{shop.namespace}-class"
    shop.grant("storageclasses", name, group="storage.k8s.io", is_namespaced=False)
    run = shop.wait("--name", "c", "--ready-when", "c.provisioner == 'p'", f"storageclasses.v1.storage.k8s.io/{name}")
    assert run.says() == f"storageclasses.storage.k8s.io/{name}: not there yet"
    place = "/apis/storage.k8s.io/v1/storageclasses"
    shop.create(place, metadata={"name": name}, provisioner="p")
    shop.of_the_cluster.append(f"{place}/{name}")
    assert run.ends() == (0, f"storageclasses.storage.k8s.io/{name} is ready\n")


def test_a_custom_resource_whose_definition_is_not_there_yet(shop: Shop) -> None:
    name = f"{shop.namespace}.example.com"  # a group of its own
    shop.grant("widgets", "w", group=name)
    run = shop.wait("-n", shop.namespace, "--name", "w", "--ready-when", "w.spec.on", f"widgets.v1.{name}/w")
    assert run.says() == f"widgets.{name}/w: not there yet"
    shop.server.create_crd(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"widgets.{name}"},
            "spec": {
                "group": name,
                "scope": "Namespaced",
                "names": {"plural": "widgets", "kind": "Widget"},
                "versions": [
                    {
                        "name": "v1",
                        "served": True,
                        "storage": True,
                        "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
                    }
                ],
            },
        }
    )
    shop.server.wait_for_crds([f"widgets.{name}"])
    widget = {"apiVersion": f"{name}/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"on": True}}
    end = time.monotonic() + _SECONDS
    while not _is_created(shop, f"/apis/{name}/v1/namespaces/{shop.namespace}/widgets", widget):
        assert time.monotonic() < end
        time.sleep(0.2)
    assert run.ends() == (0, f"widgets.{name}/w is ready\n")
    shop.server.delete_crds([f"widgets.{name}"])


def _is_created(shop: Shop, path: str, made: Json) -> bool:
    """False where the kind is not served, which takes a moment longer than the server says."""
    try:
        shop.create(path, **made)
    except ApiError as error:
        if error.code != 404:
            raise
        return False
    return True


def test_a_token_that_is_renewed_while_it_waits(shop: Shop, tmp_path: Path) -> None:
    shop.grant("configmaps", "a")
    shop.create(f"{shop.path}/configmaps", metadata={"name": "a"})
    token = tmp_path / "token"
    token.write_text("expired")
    shop.configure({"tokenFile": str(token)})
    run = shop.wait("-n", shop.namespace, "configmaps.v1./a")
    said = run.says()
    assert said.startswith("configmaps/a: https://127.0.0.1:")
    assert said.endswith(" does not accept the credentials: Unauthorized")
    token.write_text(shop.token)
    assert run.ends() == (0, "configmaps/a is ready\n")


class Tunnel:
    """Leads connections to a port on to another one, until it is closed; then they are refused, and those that are open break off."""

    def __init__(self, port: int, target: int) -> None:
        self._target = target
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._target))
            self._open += [client, server]
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=_copy, args=(source, sink), daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in self._open:
            _shut(each)
            each.close()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    _shut(sink)


def _shut(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)


def test_a_server_that_comes_and_goes(shop: Shop) -> None:
    shop.grant("configmaps", "a")
    [port] = free_ports(1)
    shop.configure({"token": shop.token}, f"https://127.0.0.1:{port}")
    run = shop.wait("-n", shop.namespace, "configmaps.v1./a")
    away = f"configmaps/a: https://127.0.0.1:{port} does not answer: connection refused"
    assert run.says() == away
    tunnel = Tunnel(port, shop.server.port)
    assert run.says() == "configmaps/a: not there yet"
    tunnel.close()
    assert run.says() == away
    shop.create(f"{shop.path}/configmaps", metadata={"name": "a"})
    tunnel = Tunnel(port, shop.server.port)
    assert run.ends() == (0, "configmaps/a is ready\n")
    tunnel.close()
