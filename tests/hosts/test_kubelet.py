"""The stand-in for the kubelet, on Pods that the real Job controller makes: other tests lean on what it does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.hosts.api_server import ApiError, ApiServer, api_server
from tests.hosts.cluster_objects import Objects
from tests.hosts.controllers import controllers
from tests.hosts.kubelet import Kubelet, expanded, kubelet

Json = dict[str, Any]
NAMESPACE = "jobs"
REFUSED = "not allowed to list resourcegraphdefinitions.kro.run"
_RBAC = "rbac.authorization.k8s.io"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("$(HOME)", "/root"),
        ("a$(HOME)b$(HOME)", "a/rootb/root"),
        ("$(UNKNOWN)", "$(UNKNOWN)"),
        ("$$(HOME)", "$(HOME)"),
        ("$$$(HOME)", "$/root"),
        ("$$$$", "$$"),
        ("$HOME ${HOME} $", "$HOME ${HOME} $"),
        ("$(HOME", "$(HOME"),
        ("$($$", "$($"),
        ("$($(HOME))", "$($(HOME))"),
    ],
)
def test_references_are_those_of_kubernetes(text: str, meant: str) -> None:
    """third_party/forked/golang/expansion of Kubernetes."""
    assert expanded(text, {"HOME": "/root"}) == meant


class Jobs:
    """Of one namespace, in which a kubelet runs."""

    def __init__(self, server: ApiServer, running: Kubelet) -> None:
        self.objects = Objects(server)
        self.kubelet = running

    def create(self, name: str, *args: str, command: str = "rookery") -> Json:
        container = {"name": "main", "image": "example.com/rookery", "command": [command], "args": list(args)}
        pod = {"restartPolicy": "OnFailure", "serviceAccountName": "reader", "containers": [container]}
        mention = {"apiVersion": "batch/v1", "kind": "Job"}
        spec = {"backoffLimit": 2**31 - 1, "template": {"spec": pod}}
        self.objects.create({**mention, "metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec})
        return {**mention, "name": name, "namespace": NAMESPACE}

    def pods(self, name: str) -> list[Json]:
        pods = self.objects.path({"apiVersion": "v1", "kind": "Pod", "name": "", "namespace": NAMESPACE}, name=False)
        found: list[Json] = self.objects.cluster.request("GET", f"{pods}?labelSelector=job-name={name}")["items"]
        return found

    def conditions(self, job: Json) -> set[str]:
        found = (self.objects.get(job).get("status") or {}).get("conditions") or []
        return {each["type"] for each in found if each["status"] == "True"}

    def wait_for(self, holds: Callable[[], object], what: str) -> None:
        end = time.monotonic() + 60
        while not holds():
            assert time.monotonic() < end, f"waited for {what}: {self.kubelet.log()}"
            time.sleep(0.1)


@pytest.fixture(scope="module")
def server() -> Iterator[ApiServer]:
    with api_server() as running, controllers(running):
        objects = Objects(running)
        objects.namespace(NAMESPACE)
        objects.rgd_crd()
        account = {"apiVersion": "v1", "kind": "ServiceAccount"}
        objects.create({**account, "metadata": {"name": "reader", "namespace": NAMESPACE}})
        yield running


@pytest.fixture
def jobs(server: ApiServer) -> Iterator[Jobs]:
    with kubelet(server, NAMESPACE) as running:
        yield Jobs(server, running)


@pytest.mark.hosts
def test_a_job_is_complete_once_its_command_has_ended_well(jobs: Jobs) -> None:
    job = jobs.create("well", "--version")
    jobs.wait_for(lambda: "Complete" in jobs.conditions(job), "the Job to be complete")
    [pod] = jobs.pods("well")
    assert pod["status"]["phase"] == "Succeeded"
    [container] = pod["status"]["containerStatuses"]
    assert container["state"]["terminated"]["exitCode"] == 0
    assert container["restartCount"] == 0
    assert jobs.kubelet.log().startswith("rookery ")


@pytest.mark.hosts
def test_a_pod_may_do_what_its_service_account_may_and_starts_again_until_that_is_enough(jobs: Jobs) -> None:
    job = jobs.create("reading", "status-sync", "--once")
    jobs.wait_for(lambda: jobs.kubelet.log().count(REFUSED) > 1, "a second refusal")
    [pod] = jobs.pods("reading")
    [container] = pod["status"]["containerStatuses"]
    assert container["restartCount"] > 0
    assert container["lastState"]["terminated"]["exitCode"] == 1
    assert not jobs.conditions(job)
    role = {"apiVersion": f"{_RBAC}/v1", "kind": "ClusterRole", "metadata": {"name": "reader"}}
    rule = {"apiGroups": ["kro.run"], "resources": ["resourcegraphdefinitions"], "verbs": ["list"]}
    jobs.objects.create({**role, "rules": [rule]})
    subject = {"kind": "ServiceAccount", "name": "reader", "namespace": NAMESPACE}
    reference = {"apiGroup": _RBAC, "kind": "ClusterRole", "name": "reader"}
    jobs.objects.create({**role, "kind": "ClusterRoleBinding", "roleRef": reference, "subjects": [subject]})
    jobs.wait_for(lambda: "Complete" in jobs.conditions(job), "the Job to be complete")


@pytest.mark.hosts
def test_a_process_ends_with_its_pod(jobs: Jobs) -> None:
    job = jobs.create("endless", "status-sync", "--interval", "60")
    jobs.wait_for(lambda: jobs.kubelet.running, "a process")
    jobs.wait_for(lambda: jobs.pods("endless")[0]["status"]["phase"] == "Running", "the Pod to run")
    path = jobs.objects.path(job)
    jobs.objects.cluster.request("DELETE", path, {"propagationPolicy": "Foreground"})
    jobs.wait_for(lambda: not jobs.kubelet.running, "the process to end")
    jobs.wait_for(lambda: not jobs.pods("endless"), "the Pod to go")
    with pytest.raises(ApiError, match="404"):
        jobs.objects.get(job)


@pytest.mark.hosts
def test_what_it_cannot_run_fails_the_test(server: ApiServer) -> None:
    with pytest.raises(AssertionError, match="the one image here runs rookery"):
        run_a_shell(server)


def run_a_shell(server: ApiServer) -> None:
    with kubelet(server, NAMESPACE) as running:
        jobs = Jobs(server, running)
        job = jobs.create("other", "-c", "true", command="sh")
        running.wait()
        jobs.objects.delete(job)
