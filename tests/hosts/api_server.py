"""
A real kube-apiserver with its etcd, on loopback addresses alone, and the little of a client that tests need.

TLS and RBAC are on: the server signs its own certificate, which the client checks, and knows one token, of an administrator. There
are no controllers, unless controllers.py starts some: Deployments make no Pods, owners that go take nothing along, and a Namespace
never finishes deleting. CRDs are served about a second after they are created.
"""

from __future__ import annotations

import http.client
import json
import secrets
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.hosts.programs import tool

Json = dict[str, Any]
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_SECONDS = 60


class ApiError(Exception):
    """What the server refused: its HTTP status, and its words."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class ApiServer:
    """A running server. `kubeconfig`: for programs that talk to it themselves."""

    def __init__(self, folder: Path, port: int, token: str) -> None:
        self.folder = folder
        self.port = port
        self.token = token
        self.kubeconfig = folder / "kubeconfig"
        self._connection: http.client.HTTPSConnection | None = None

    def request(self, method: str, path: str, body: Json | None = None, kind: str = "application/json") -> Json:
        """One call, with plain JSON both ways. *kind*: of the body. Errors: ApiError."""
        code, text = self._call(method, path, body, kind)
        if code >= 400:
            try:
                message = json.loads(text)["message"]
            except (ValueError, KeyError):
                message = text.decode(errors="replace")
            raise ApiError(code, message)
        answer: Json = json.loads(text)
        return answer

    def _call(self, method: str, path: str, body: Json | None, kind: str) -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind, "Accept": "application/json"}
        is_used = self._connection is not None
        if self._connection is None:
            tls = ssl.create_default_context(cafile=str(self.folder / "certs" / "apiserver.crt"))
            self._connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=tls)
        try:
            self._connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = self._connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException):
            self.close()
            if not is_used:
                raise
        return self._call(method, path, body, kind)  # the server hangs up on who is silent for long

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def is_ready(self) -> bool:
        try:
            return self._call("GET", "/readyz", None, "application/json")[0] == 200
        except OSError:  # the port, or the certificate, is not there yet
            return False

    # -- CRDs ---------------------------------------------------------------------------------------------------------

    def create_crd(self, crd: Json) -> Json:
        return self.request("POST", CRDS, crd)

    def wait_for_crds(self, names: Iterable[str]) -> None:
        """Return when all of them are served. Errors: AssertionError that names those that are not, and why."""
        wanted = set(names)
        end = time.monotonic() + _SECONDS
        while waiting := {crd["metadata"]["name"]: crd["status"] for crd in self._unserved(wanted)}:
            assert time.monotonic() < end, f"not served: {waiting}"
            time.sleep(0.2)

    def _unserved(self, names: set[str]) -> list[Json]:
        crds = [crd for crd in self.request("GET", CRDS)["items"] if crd["metadata"]["name"] in names]
        assert len(crds) == len(names), "some were not created, or are gone"
        return [crd for crd in crds if not _is_established(crd)]

    def delete_crds(self, names: Iterable[str]) -> None:
        for name in names:
            self.request("DELETE", f"{CRDS}/{name}")


def _is_established(crd: Json) -> bool:
    conditions = {one["type"]: one["status"] for one in crd.get("status", {}).get("conditions") or []}
    return conditions.get("Established") == "True"


@contextmanager
def api_server() -> Iterator[ApiServer]:
    """A server for the time of a `with`. Where its programs are missing the test is skipped."""
    programs = [tool(name) for name in ("etcd", "kube-apiserver", "openssl")]
    with tempfile.TemporaryDirectory(prefix="rk-api") as name:
        folder = Path(name)
        processes: list[subprocess.Popen[bytes]] = []
        try:
            server = _started(folder, processes, *programs)
            yield server
            server.close()
        finally:
            for process in reversed(processes):  # the server first: it holds on to its etcd
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def _started(
    folder: Path, processes: list[subprocess.Popen[bytes]], etcd: str, kube_apiserver: str, openssl: str
) -> ApiServer:
    client, peer, port = free_ports(3)
    server = ApiServer(folder, port, secrets.token_hex(16))
    (folder / "tokens.csv").write_text(f'{server.token},admin,admin,"system:masters"\n')
    key = folder / "service-account.key"
    subprocess.run([openssl, "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)
    store = f"http://127.0.0.1:{client}"
    _start(
        folder, processes, etcd,
        f"--data-dir={folder}/etcd", f"--listen-client-urls={store}", f"--advertise-client-urls={store}",
        f"--listen-peer-urls=http://127.0.0.1:{peer}", "--unsafe-no-fsync", "--log-level=error",
    )  # fmt: skip
    _start(
        folder, processes, kube_apiserver,
        f"--etcd-servers={store}", f"--secure-port={port}", "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1",
        f"--cert-dir={folder}/certs", f"--token-auth-file={folder}/tokens.csv", "--authorization-mode=RBAC",
        "--service-account-issuer=https://kubernetes.default.svc", f"--service-account-signing-key-file={key}",
        f"--service-account-key-file={key}", "--service-cluster-ip-range=10.0.0.0/24",
        # No controller makes the ServiceAccount `default`, without which every Pod would be refused.
        "--disable-admission-plugins=ServiceAccount", "--allow-privileged=true",
    )  # fmt: skip
    end = time.monotonic() + _SECONDS
    while not server.is_ready():
        for process in processes:
            assert process.poll() is None, _log(folder)
        assert time.monotonic() < end, _log(folder)
        time.sleep(0.1)
    server.kubeconfig.write_text(kubeconfig(server, "admin", server.token))
    return server


def _start(folder: Path, processes: list[subprocess.Popen[bytes]], program: str, *words: str) -> None:
    with (folder / "log").open("ab") as log:
        processes.append(subprocess.Popen([program, *words], cwd=folder, stdout=log, stderr=subprocess.STDOUT))


def _log(folder: Path) -> str:
    return (folder / "log").read_text(errors="replace")[-4000:]


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def kubeconfig(server: ApiServer, user: str, token: str) -> str:
    cluster = {
        "server": f"https://127.0.0.1:{server.port}",
        "certificate-authority": str(server.folder / "certs" / "apiserver.crt"),
    }
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": user, "user": {"token": token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": user}}],
            "current-context": "test",
        }
    )
