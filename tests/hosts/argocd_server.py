"""
Argo CD's real plugin server in a folder of the test's own, and a client for it: what the repo-server sends, by hand.

The protocol is cmpserver/plugin/plugin.proto of argo-cd v3.5.7: gRPC on a unix socket; a stream of one message of metadata and then
chunks of a packed repository.  Its five messages are written and read here field by field, so no compiler is needed.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc

from tests.hosts.programs import tool

REPOSITORY = Path(__file__).resolve().parents[2]
PLUGIN = REPOSITORY / "cmp" / "plugin.yaml"
SERVICE = "/plugin.ConfigManagementPluginService/"
CHUNK = 64 * 1024
LIMIT = 100 * 1024 * 1024


# -- messages ---------------------------------------------------------------------------------------------------------


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _field(number: int, value: bytes | str | int) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _read(data: bytes) -> dict[int, list[Any]]:
    """Field number -> values: integers and byte strings."""
    fields: dict[int, list[Any]] = {}
    at = 0

    def varint() -> int:
        nonlocal at
        number = shift = 0
        while True:
            byte = data[at]
            at += 1
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return number

    while at < len(data):
        key = varint()
        assert key & 7 in (0, 2), "the messages of this service have integers and byte strings alone"
        value: int | bytes = varint()
        if key & 7 == 2:
            end = at + int(value)
            value, at = data[at:end], end
        fields.setdefault(key >> 3, []).append(value)
    return fields


def packed(root: Path) -> bytes:
    """The repository as the repo-server packs it: no owners, no times, links as they are."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
        archive.add(root, arcname=".")
    return buffer.getvalue()


def _requests(name: str, path: str, archive: bytes, environment: dict[str, str]) -> Iterator[bytes]:
    entries = b"".join(_field(5, _field(1, key) + _field(2, value)) for key, value in environment.items())
    checksum = hashlib.sha256(archive).hexdigest()
    yield _field(1, _field(1, name) + _field(2, path) + _field(3, checksum) + _field(4, len(archive)) + entries)
    for at in range(0, len(archive), CHUNK):
        yield _field(2, _field(1, archive[at : at + CHUNK]))


# -- server and client ------------------------------------------------------------------------------------------------


class PluginError(Exception):
    """What an Application would show; the first line and the lines of stderr are what ours are."""


class PluginServer:
    """
    The server with our plugin.yaml and `rookery` on its PATH.

    generate, parameters: one call each, as the repo-server makes it. What the plugin says on stderr of a success is in `log()`.
    """

    def __init__(self, folder: Path, environment: dict[str, str], plugin: str = "") -> None:
        program = tool("argocd-cmp-server")
        self.folder = folder
        config = folder / "config"
        config.mkdir()
        (config / "plugin.yaml").write_text(plugin or PLUGIN.read_text())
        for name in ("work", "sock"):
            (folder / name).mkdir()
        self._log = (folder / "log").open("wb")
        scripts = Path(sys.executable).parent
        assert (scripts / "rookery").is_file(), "rookery is not installed beside this Python: pip install -e ."
        self.process = subprocess.Popen(
            [program, "--config-dir-path", str(config), "--loglevel", "info"],
            env={
                "PATH": f"{scripts}{os.pathsep}/usr/bin{os.pathsep}/bin",
                "ARGOCD_PLUGINSOCKFILEPATH": str(folder / "sock"),
                "ARGOCD_CMP_WORKDIR": str(folder / "work"),
                **environment,
            },
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        options = [("grpc.max_receive_message_length", LIMIT), ("grpc.max_send_message_length", LIMIT)]
        self.channel = grpc.insecure_channel(f"unix:{folder}/sock/rookery.sock", options=options)
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise

    def _wait(self) -> None:
        check = self.channel.unary_unary(SERVICE + "CheckPluginConfiguration")
        end = time.monotonic() + 30
        while True:
            assert self.process.poll() is None, self.log()
            try:
                check(b"", timeout=1)
            except grpc.RpcError:
                assert time.monotonic() < end, self.log()
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        self.channel.close()
        # A SIGTERM removes the socket, and the process serves on.
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._log.close()

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def _call(self, method: str, root: Path | bytes, path: str, environment: dict[str, str], timeout: float) -> bytes:
        archive = root if isinstance(root, bytes) else packed(root)
        call = self.channel.stream_unary(SERVICE + method)
        try:
            answer: bytes = call(_requests("shop", path, archive, environment), timeout=timeout)
        except grpc.RpcError as error:
            raise PluginError(error.details()) from None
        return answer

    def generate(
        self,
        root: Path | bytes,
        path: str = ".",
        *,
        parameters: list[dict[str, Any]] | None = None,
        environment: dict[str, str] | None = None,
        timeout: float = 60,
    ) -> list[str]:
        """The manifests of an application, each the text that the repo-server gets. *root*: a folder, or one that is `packed`."""
        variables = {
            "ARGOCD_APP_NAME": "shop",
            "ARGOCD_APP_NAMESPACE": "shop",
            "ARGOCD_APP_PROJECT_NAME": "default",
            "ARGOCD_APP_REVISION": "0123456789abcdef0123456789abcdef01234567",
            "ARGOCD_APP_SOURCE_PATH": path,
            "ARGOCD_APP_SOURCE_REPO_URL": "https://git.example.com/team/deployments.git",
            "ARGOCD_APP_SOURCE_TARGET_REVISION": "main",
            "KUBE_VERSION": "1.35.0",
            "KUBE_API_VERSIONS": "apps/v1,apps/v1/Deployment,v1,v1/ConfigMap",
        }
        if parameters is not None:
            variables["ARGOCD_APP_PARAMETERS"] = json.dumps(parameters)
        answer = self._call("GenerateManifest", root, path, {**variables, **(environment or {})}, timeout)
        return [text.decode() for text in _read(answer).get(1, [])]

    def parameters(self, root: Path, path: str = ".") -> list[dict[str, Any]]:
        """The announcement: dynamic parameters first, then the static ones. It comes with fewer variables."""
        variables = {"ARGOCD_APP_NAME": "shop", "ARGOCD_APP_NAMESPACE": "shop", "ARGOCD_APP_SOURCE_PATH": path}
        answer = self._call("GetParametersAnnouncement", root, path, variables, 60)
        return [_announced(_read(entry)) for entry in _read(answer).get(1, [])]


def _announced(fields: dict[int, list[Any]]) -> dict[str, Any]:
    def text(number: int) -> str:
        return str(fields.get(number, [b""])[0].decode())

    return {
        "name": text(1),
        "title": text(2),
        "tooltip": text(3),
        "collectionType": text(6),
        "string": text(7),
        "array": [word.decode() for word in fields.get(8, [])],
    }


@contextmanager
def plugin_server(environment: dict[str, str] | None = None, *, plugin: str = "") -> Iterator[PluginServer]:
    """A server for the time of a `with`. Its folder has a short path: a socket's may have 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="rk") as folder:
        server = PluginServer(Path(folder), environment or {}, plugin)
        try:
            yield server
        finally:
            server.stop()
