"""
The real Argo CD without a container: its application-controller, its repo-server and our plugin in its plugin server, against an API
server of its own with the real controllers of Jobs and of garbage, with Applications from Git repositories on this disk.

Nobody plays the other controllers of what Applications make: a test writes the statuses.  A sync is asked for as Argo CD's own
command line does it, by writing `operation` into the Application; nothing syncs by itself.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from tests.hosts.api_server import ApiError, ApiServer, api_server, free_ports
from tests.hosts.argocd_server import plugin_server
from tests.hosts.cluster_objects import Objects
from tests.hosts.controllers import controllers
from tests.hosts.programs import tool

Json = dict[str, Any]
T = TypeVar("T")
NAMESPACE = "argocd"
_SECONDS = 60
FINALIZER = "resources-finalizer.argocd.argoproj.io"
"""With it, what the Application made goes first, in the foreground; with /background after it, in the background."""
_PART_OF = {"app.kubernetes.io/part-of": "argocd"}
_CONFIG_MAPS = ("rbac", "cmd-params", "ssh-known-hosts", "tls-certs", "gpg-keys")


class Repository:
    """A Git repository in a folder. `revision`: its newest commit."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self._git("init", "--quiet", "--initial-branch", "main")

    def _git(self, *words: str) -> str:
        names = ("-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false")
        done = subprocess.run(
            [tool("git"), *names, *words], cwd=self.folder, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    @property
    def url(self) -> str:
        return f"file://{self.folder}"

    @property
    def revision(self) -> str:
        return self._git("rev-parse", "HEAD")

    def commit(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", "test")


class ArgoCd:
    """A running Argo CD. `objects`: of its cluster."""

    def __init__(self, folder: Path, cluster: ApiServer) -> None:
        self.folder = folder
        self.cluster = cluster
        self.objects = Objects(cluster)
        self.programs: list[subprocess.Popen[bytes]] = []

    def wait_for(self, found: Callable[[], T], what: str, state: Callable[[], object] = str) -> T:
        """What *found* returns, once it is true. Errors: AssertionError that says what was waited for, and what is instead."""
        end = time.monotonic() + _SECONDS
        while not (result := found()):
            assert all(each.poll() is None for each in self.programs), f"a program ended: {self.log()[-4000:]}"
            assert time.monotonic() < end, f"waited {_SECONDS} s for {what}: {state()}"
            time.sleep(0.1)
        return result

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def exists(self, mention: Json) -> bool:
        try:
            self.objects.get(mention)
        except ApiError as error:
            if error.code != 404:
                raise
            return False
        return True

    def application(
        self, name: str, files: Mapping[str, str], parameters: Sequence[Json] = (), path: str = "."
    ) -> Application:
        """An Application of a new repository with these files, which nobody has synced yet, in a namespace of its own."""
        repository = Repository(self.folder / "repositories" / name)
        repository.commit(files)
        self.objects.namespace(name)
        plugin: Json = {"name": "rookery", **({"parameters": list(parameters)} if parameters else {})}
        self.objects.create(
            {
                "apiVersion": "argoproj.io/v1alpha1",
                "kind": "Application",
                "metadata": {"name": name, "namespace": NAMESPACE, "finalizers": [FINALIZER]},
                "spec": {
                    "project": "default",
                    "source": {"repoURL": repository.url, "targetRevision": "main", "path": path, "plugin": plugin},
                    "destination": {"server": "https://kubernetes.default.svc", "namespace": name},
                },
            }
        )
        return Application(self, name, repository)


class Application:
    """One Application, and what it makes."""

    def __init__(self, argo: ArgoCd, name: str, repository: Repository) -> None:
        self.argo = argo
        self.name = name
        self.namespace = name
        self.repository = repository
        self._asked = 0
        self._mention = {
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "name": name, "namespace": NAMESPACE
        }  # fmt: skip

    # -- what Argo CD says --------------------------------------------------------------------------------------------

    def read(self) -> Json:
        return self.argo.objects.get(self._mention)

    @property
    def status(self) -> Json:
        status: Json = self.read().get("status") or {}
        return status

    @property
    def health(self) -> str:
        return str((self.status.get("health") or {}).get("status"))

    @property
    def operation(self) -> Json:
        """The state of the newest sync that was asked for here; empty until Argo CD has taken it up."""
        state: Json = self.status.get("operationState") or {}
        [info] = (state.get("operation") or {}).get("info") or [{}]
        return state if info.get("value") == str(self._asked) else {}

    @property
    def is_syncing(self) -> bool:
        return self.operation.get("phase", "Running") in ("Running", "Terminating")

    def said(self) -> str:
        """Where it stands, for a message of a test that fails."""
        status = self.status
        shown = {key: status.get(key) for key in ("conditions", "health", "operationState", "resources", "sync")}
        return json.dumps(shown, indent=1)

    # -- what a person does -------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Look at the repository now, and at nothing that is remembered of it."""
        self._patch({"metadata": {"annotations": {"argocd.argoproj.io/refresh": "hard"}}})
        self.argo.wait_for(
            lambda: "argocd.argoproj.io/refresh" not in (self.read()["metadata"].get("annotations") or {}),
            f"a refresh of {self.name}", self.said,
        )  # fmt: skip

    def begin_sync(self, **sync: Any) -> None:
        """A full sync of the newest commit, with prune; it runs on."""
        self.refresh()
        self._asked += 1
        wanted = {"revision": self.repository.revision, "prune": True, **sync}
        info = [{"name": "test", "value": str(self._asked)}]
        self._patch({"operation": {"initiatedBy": {"username": "test"}, "info": info, "sync": wanted}})

    def end_sync(self, phase: str = "Succeeded") -> None:
        """The sync ends, and well."""
        self.argo.wait_for(lambda: not self.is_syncing, f"the sync of {self.name} to end", self.said)
        assert self.operation["phase"] == phase, self.said()

    def sync(self) -> None:
        self.begin_sync()
        self.end_sync()

    def terminate(self) -> None:
        """End the sync that runs, as `argocd app terminate-op` does."""
        self._patch({"status": {"operationState": {"phase": "Terminating"}}})

    def waits_for(self, kind: str, name: str) -> None:
        """Argo CD itself says that its sync waits for this object."""
        self.argo.wait_for(
            lambda: f"waiting for healthy state of {kind}/{name}" in self.operation.get("message", ""),
            f"a wait for {name}",
            self.said,
        )

    def becomes(self, health: str) -> None:
        """It is Synced, and its health is this."""
        self.argo.wait_for(
            lambda: (self.health, (self.status.get("sync") or {}).get("status")) == (health, "Synced"),
            f"{self.name} to be {health}", self.said,
        )  # fmt: skip

    def automate(self) -> None:
        """From now on it syncs, prunes and heals itself."""
        self._patch({"spec": {"syncPolicy": {"automated": {"prune": True, "selfHeal": True}}}})

    def set_parameters(self, parameters: Sequence[Json]) -> None:
        self._patch({"spec": {"source": {"plugin": {"parameters": list(parameters)}}}})

    def delete(self, finalizer: str = FINALIZER) -> None:
        """The deletion begins, with that finalizer."""
        self._patch({"metadata": {"finalizers": [finalizer]}})
        self.argo.cluster.request("DELETE", self.argo.objects.path(self._mention))

    @property
    def is_gone(self) -> bool:
        return not self.argo.exists(self._mention)

    def _patch(self, patch: Json) -> None:
        self.argo.objects.patch(self._mention, patch)

    # -- what it makes ------------------------------------------------------------------------------------------------

    def object(self, api_version: str, kind: str, name: str) -> Json:
        """A mention of an object in the Application's namespace."""
        return {"apiVersion": api_version, "kind": kind, "name": name, "namespace": self.namespace}

    def exists(self, api_version: str, kind: str, name: str) -> bool:
        return self.argo.exists(self.object(api_version, kind, name))

    def write_status(self, api_version: str, kind: str, name: str, status: Json) -> None:
        """As the object's controller does."""
        self.argo.objects.patch(self.object(api_version, kind, name), {"status": status}, "status")

    def live(self, *kinds: tuple[str, str]) -> dict[str, Json]:
        """Kind/name -> the object, of all objects of these (apiVersion, kind) in the Application's namespace."""
        found = {}
        for api_version, kind in kinds:
            path = self.argo.objects.path(self.object(api_version, kind, ""), name=False)
            for each in self.argo.cluster.request("GET", path)["items"]:
                found[f"{kind}/{each['metadata']['name']}"] = {**each, "apiVersion": api_version, "kind": kind}
        return found


# -- its programs -----------------------------------------------------------------------------------------------------


@contextmanager
def argo_cd(checks: Mapping[str, str], crds: Sequence[Json] = ()) -> Iterator[ArgoCd]:
    """
    An Argo CD for the time of a `with`.

    checks: entries of argocd-cm.  crds: of what the Applications make.  The plugin is the one of cmp/plugin.yaml.
    """
    program = tool("argocd")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rka")))
        cluster = stack.enter_context(api_server())
        server = stack.enter_context(plugin_server({"ROOKERY_TIMEOUT": "50"}))
        running = ArgoCd(folder, cluster)
        _install(running.objects, checks, crds)
        running.programs.append(stack.enter_context(controllers(cluster)))
        _start(stack, program, running, server.folder / "sock")
        yield running


def _install(objects: Objects, checks: Mapping[str, str], crds: Sequence[Json]) -> None:
    """What Argo CD's own manifests have, as far as these two programs look at it."""
    objects.crds([*(_crd(kind) for kind in ("Application", "ApplicationSet", "AppProject")), *crds])
    objects.namespace(NAMESPACE)
    objects.namespace("default")
    made: list[Json] = [{"kind": "ConfigMap", "name": f"argocd-{name}-cm"} for name in _CONFIG_MAPS]
    made += [
        {"kind": "ConfigMap", "name": "argocd-cm", "data": dict(checks)},
        {"kind": "Secret", "name": "argocd-secret", "stringData": {"server.secretkey": "x" * 32}},
        {"kind": "Secret", "name": "argocd-redis", "stringData": {"auth": ""}},
    ]
    for each in made:
        metadata = {"name": each.pop("name"), "namespace": NAMESPACE, "labels": _PART_OF}
        objects.create({"apiVersion": "v1", "metadata": metadata, **each})
    objects.create(
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "AppProject",
            "metadata": {"name": "default", "namespace": NAMESPACE},
            "spec": {
                "sourceRepos": ["*"],
                "destinations": [{"namespace": "*", "server": "*"}],
                "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
            },
        }
    )


def _crd(kind: str) -> Json:
    """Argo CD's CRDs say in 30,000 lines what may be in these; this one takes it as it comes."""
    plural = f"{kind.lower()}s"
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.argoproj.io", "labels": _PART_OF},
        "spec": {
            "group": "argoproj.io",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"},
            "scope": "Namespaced",
            "versions": [{"name": "v1alpha1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }


def _start(stack: ExitStack, program: str, running: ArgoCd, sockets: Path) -> None:
    folder = running.folder
    scripts, temporary = folder / "bin", folder / "tmp"
    scripts.mkdir()
    temporary.mkdir()
    # The repo-server asks it whether a commit is signed, although signatures are off.
    verify = scripts / "git-verify-wrapper.sh"
    verify.write_text("#!/bin/sh\n")
    verify.chmod(0o755)
    environment = {
        "PATH": f"{scripts}{os.pathsep}{Path(tool('git')).parent}{os.pathsep}/usr/bin{os.pathsep}/bin",
        "HOME": str(folder),
        "TMPDIR": str(temporary),
        "KUBECONFIG": str(running.cluster.kubeconfig),
        "ARGOCD_FAKE_IN_CLUSTER": "true",
        "ARGOCD_GPG_ENABLED": "false",
        "ARGOCD_SYNC_WAVE_DELAY": "0",
        "ARGOCD_PLUGINSOCKFILEPATH": str(sockets),
    }
    redis, reposerver, reposerver_metrics = (f"127.0.0.1:{port}" for port in free_ports(3))
    commands = (
        ("redis", redis),
        (
            "repo-server", "--disable-tls", "--client-ca-path", "", "--redis", redis, "--address", "127.0.0.1",
            "--port", reposerver.rpartition(":")[2],
            "--metrics-address", "127.0.0.1", "--metrics-port", reposerver_metrics.rpartition(":")[2],
        ),
        (
            "application-controller", "--kubeconfig", str(running.cluster.kubeconfig), "--namespace", NAMESPACE,
            "--repo-server", reposerver, "--repo-server-plaintext", "--redis", redis,
            "--app-resync", "5", "--app-resync-jitter", "0", "--metrics-port", "0", "--persist-resource-health",
        ),
    )  # fmt: skip
    log = stack.enter_context((folder / "log").open("ab"))
    for words in commands:
        process = subprocess.Popen([program, *words], env=environment, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
        stack.callback(_stop, process)
        running.programs.append(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
