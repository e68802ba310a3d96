"""
An emulator of the kubelet, since there are no nodes here: it runs the Pods of one namespace as processes of this machine.

What is real: the Pods, which the Job controller made; their ServiceAccounts' tokens, which the API server gave for just these Pods and
which RBAC judges.  What is not: there is but one image, that of the project, so all that it runs is `rookery`; volumes, limits,
probes and security contexts are not looked at; and who fails starts again after a moment, not after ten seconds and more.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.hosts.api_server import ApiError, ApiServer, kubeconfig

Json = dict[str, Any]
_LOOKS_EACH = 0.1
_RESTARTS_AFTER = 0.5
_GRACE = 5
_SCRIPTS = Path(sys.executable).parent
_REFERENCE = re.compile(r"\$(?:\$|\(([^)]*)\))")


def expanded(text: str, environment: Mapping[str, str]) -> str:
    """With $(NAME) filled in where NAME is known, and $$ as one $: what the kubelet does to command, args and env."""

    def value(found: re.Match[str]) -> str:
        name = found[1]
        return "$" if name is None else environment.get(name, found[0])

    return _REFERENCE.sub(value, text)


class Kubelet:
    """A running one. Its thread has a connection of its own to the server."""

    def __init__(self, server: ApiServer, namespace: str, folder: Path) -> None:
        self.server = ApiServer(server.folder, server.port, server.token)
        self.folder = folder
        self._pods_path = f"/api/v1/namespaces/{namespace}/pods"
        self._pods: dict[str, _Pod] = {}
        self._problem: Exception | None = None
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kubelet")

    def start(self) -> None:
        assert (_SCRIPTS / "rookery").is_file(), "rookery is not installed beside this Python: pip install -e ."
        self._thread.start()

    def stop(self) -> None:
        """No process is left. Errors: what went wrong meanwhile."""
        self._ends.set()
        self._thread.join()
        for pod in self._pods.values():
            pod.end()
        self.server.close()
        if self._problem is not None:
            raise self._problem

    def wait(self) -> None:
        """Until something goes wrong."""
        self._thread.join(60)

    def log(self) -> str:
        """What all processes said so far, as `kubectl logs` has it of one."""
        return "".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("*.log")))

    @property
    def running(self) -> int:
        """How many processes run at this moment."""
        return sum(pod.is_alive() for pod in list(self._pods.values()))

    def _run(self) -> None:
        try:
            while not self._ends.wait(_LOOKS_EACH):
                self._look()
        except Exception as problem:  # noqa: BLE001 - the thread of the test raises it
            self._problem = problem

    def _look(self) -> None:
        live = {each["metadata"]["uid"]: each for each in self.server.request("GET", self._pods_path)["items"]}
        leaving = {uid for uid, each in live.items() if "deletionTimestamp" in each["metadata"]}
        for uid in [uid for uid in self._pods if uid not in live or uid in leaving]:
            self._pods.pop(uid).end()
        for uid, each in live.items():
            is_done = (each.get("status") or {}).get("phase") in ("Succeeded", "Failed")
            if uid in leaving or is_done:
                continue
            if uid not in self._pods:
                self._pods[uid] = _Pod(self, each)
            try:
                self._pods[uid].look(f"{self._pods_path}/{each['metadata']['name']}")
            except ApiError as error:
                # The Pod went meanwhile, or its ServiceAccount is not there yet; the next look will tell.
                if error.code not in (404, 409):
                    raise


class _Pod:
    def __init__(self, kubelet: Kubelet, value: Json) -> None:
        self._kubelet = kubelet
        self._metadata = value["metadata"]
        self._spec = value["spec"]
        self._started = ""
        self._said: Json = {}
        self._containers: list[_Container] = []
        problems = {"initContainers", "ephemeralContainers"} & self._spec.keys()
        assert not problems, f"the emulator of the kubelet knows no {problems}"

    def look(self, path: str) -> None:
        """Start it, or what of it failed; say in the cluster how it is. Errors: ApiError."""
        if not self._started:
            environment = self._environment()
            self._containers = [_Container(self._named(each), each, environment) for each in self._spec["containers"]]
            self._started = _now()
        policy = self._spec["restartPolicy"]
        for each in self._containers:
            each.look(restarts_after={"Never": (), "OnFailure": (False,), "Always": (False, True)}[policy])
        codes = [each.code for each in self._containers]
        phase = "Running" if None in codes else "Failed" if any(codes) else "Succeeded"
        ready = "True" if phase == "Running" else "False"
        status = {
            "phase": phase,
            "startTime": self._started,
            "conditions": [{"type": kind, "status": ready} for kind in ("Ready", "ContainersReady")],
            "containerStatuses": [each.status() for each in self._containers],
        }
        if status != self._said:
            self._kubelet.server.request("PATCH", f"{path}/status", {"status": status}, "application/merge-patch+json")
            self._said = status

    def _named(self, container: Json) -> Path:
        return self._kubelet.folder / f"{self._metadata['name']}-{container['name']}.log"

    def _environment(self) -> dict[str, str]:
        server = self._kubelet.server
        environment = {
            "PATH": f"{_SCRIPTS}{os.pathsep}/usr/bin{os.pathsep}/bin",
            "HOME": "/",
            "KUBERNETES_SERVICE_HOST": "127.0.0.1",
            "KUBERNETES_SERVICE_PORT": str(server.port),
        }
        account = self._spec.get("serviceAccountName") or "default"
        path = f"/api/v1/namespaces/{self._metadata['namespace']}/serviceaccounts/{account}"
        default = server.request("GET", path).get("automountServiceAccountToken", True)
        if self._spec.get("automountServiceAccountToken", default):
            pod = {"apiVersion": "v1", "kind": "Pod", "name": self._metadata["name"], "uid": self._metadata["uid"]}
            asked = {"expirationSeconds": 3600, "boundObjectRef": pod}
            wanted = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": asked}
            token = server.request("POST", f"{path}/token", wanted)["status"]["token"]
            file = self._kubelet.folder / f"{self._metadata['name']}.kubeconfig"
            file.write_text(kubeconfig(server, account, token))
            environment["KUBECONFIG"] = str(file)
        return environment

    def is_alive(self) -> bool:
        return any(each.is_alive() for each in self._containers)

    def end(self) -> None:
        for each in self._containers:
            each.end()


class _Container:
    """One process after another. code: with which it ended for good."""

    def __init__(self, log: Path, value: Json, environment: Mapping[str, str]) -> None:
        self._value = value
        self._log = log
        self._environment = dict(environment)
        for each in value.get("env") or ():
            self._environment[each["name"]] = expanded(each.get("value", ""), self._environment)
        words = [*(value.get("command") or ()), *(value.get("args") or ())]
        self._words = [expanded(word, self._environment) for word in words]
        assert value.get("command") == ["rookery"], f"the one image here runs rookery, not {words}"
        self._restarts = 0
        self._last: Json = {}
        self._again = 0.0
        self.code: int | None = None
        self._start()

    def _start(self) -> None:
        self._since = _now()
        with self._log.open("ab") as log:
            self._process: subprocess.Popen[bytes] | None = subprocess.Popen(
                [str(_SCRIPTS / self._words[0]), *self._words[1:]],
                env=self._environment, cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def look(self, restarts_after: tuple[bool, ...]) -> None:
        """restarts_after: success, failure, or both."""
        if self._process is None:
            if self.code is None and time.monotonic() >= self._again:
                self._restarts += 1
                self._start()
            return
        code = self._process.poll()
        if code is None:
            return
        self._process = None
        code = code if code >= 0 else 128 - code
        reason = "Error" if code else "Completed"
        ended = {"exitCode": code, "reason": reason, "startedAt": self._since, "finishedAt": _now()}
        self._last = {"terminated": ended}
        if (code == 0) in restarts_after:
            self._again = time.monotonic() + _RESTARTS_AFTER
        else:
            self.code = code

    def status(self) -> Json:
        """As a Pod's containerStatuses have it."""
        shown = {
            "name": self._value["name"],
            "image": self._value["image"],
            "imageID": "",
            "restartCount": self._restarts,
        }
        if self.code is not None:
            return {**shown, "ready": False, "started": False, "state": self._last}
        if self._process is None:
            waiting = {"waiting": {"reason": "CrashLoopBackOff"}}
            return {**shown, "ready": False, "started": False, "state": waiting, "lastState": self._last}
        running = {"running": {"startedAt": self._since}}
        return {**shown, "ready": True, "started": True, "state": running, "lastState": self._last}

    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def end(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@contextmanager
def kubelet(server: ApiServer, namespace: str) -> Iterator[Kubelet]:
    """One for the time of a `with`. Errors, at its end: what it could not run."""
    with tempfile.TemporaryDirectory(prefix="rkk") as folder:
        running = Kubelet(server, namespace, Path(folder))
        running.start()
        try:
            yield running
        finally:
            running.stop()
