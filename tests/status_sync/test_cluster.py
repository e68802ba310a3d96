"""How an API server is asked: what is tried again, what is not, and what an answer means. The server here is a script."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from krm_fn.report.diagnostic import RenderError
from krm_fn.status_sync.cluster import Cluster, Forbidden, Resource, connect

Answer = tuple[int, dict[str, str], Any]
CONFIG_MAPS = Resource("v1", "ConfigMap", "/api/v1", "configmaps", namespaced=True)
SECRETS = Resource("v1", "Secret", "/api/v1", "secrets", namespaced=True)


class Script:
    """Answers in order; the last one again and again. None breaks the connection off."""

    def __init__(self) -> None:
        self.answers: list[Answer | None] = []
        self.asked: list[str] = []
        self.accepted: list[str] = []
        self.authorized: list[str] = []
        self.slept: list[float] = []

    def next(self) -> Answer | None:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def cluster(script: Script, tmp_path: Path) -> Iterator[Cluster]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            script.asked.append(self.path)
            script.accepted.append(self.headers["Accept"])
            script.authorized.append(self.headers.get("Authorization", ""))
            answer = script.next()
            if answer is None:
                self.close_connection = True
                return
            code, headers, body = answer
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(code)
            for name, value in {"Content-Length": str(len(data)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        made = connect(str(kubeconfig(tmp_path, f"http://127.0.0.1:{server.server_port}")))
        made._sleep = script.slept.append
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def kubeconfig(folder: Path, server: str, context: str = "here") -> Path:
    path = folder / "kubeconfig"
    path.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "here", "cluster": {"server": server}}],
                "users": [{"name": "me", "user": {"token": "sesame"}}],
                "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
                "current-context": context,
            }
        )
    )
    return path


def found(name: str, **parts: Any) -> Answer:
    return 200, {}, {"metadata": {"name": name, "namespace": "store"}, **parts}


def refusal(code: int, said: str = "no", **headers: str) -> Answer:
    return code, {name.replace("_", "-"): value for name, value in headers.items()}, {"kind": "Status", "message": said}


def items(*names: str, rest: str = "") -> Answer:
    return 200, {}, {"metadata": {"continue": rest}, "items": [{"metadata": {"name": name}} for name in names]}


def get(cluster: Cluster) -> Any:
    return cluster.get(CONFIG_MAPS, "store", "shared")


def test_an_object_comes_with_its_kind(cluster: Cluster, script: Script) -> None:
    script.answers = [found("shared", data={"x": "y"})]
    assert get(cluster) == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "shared", "namespace": "store"},
        "data": {"x": "y"},
    }
    assert script.asked == ["/api/v1/namespaces/store/configmaps/shared"]
    assert script.authorized == ["Bearer sesame"]


def test_what_is_not_there_is_none(cluster: Cluster, script: Script) -> None:
    script.answers = [refusal(404)]
    assert get(cluster) is None


PASSING = {
    "too many requests": [refusal(429), found("shared")],
    "overloaded": [refusal(503), refusal(500), found("shared")],
    "a connection that breaks off": [found("first"), None, found("shared")],
}


@pytest.mark.parametrize("answers", PASSING.values(), ids=PASSING)
def test_what_passes_is_tried_again(answers: list[Any], cluster: Cluster, script: Script) -> None:
    script.answers = list(answers)
    if answers[0] == found("first"):
        assert get(cluster)["metadata"]["name"] == "first"
    assert get(cluster)["metadata"]["name"] == "shared"
    assert script.slept == [0.5, 1.0][: len(script.slept)]
    assert script.slept


def test_the_server_says_how_long_to_wait(cluster: Cluster, script: Script) -> None:
    script.answers = [refusal(429, Retry_After="7"), refusal(429, Retry_After="86400"), found("shared")]
    assert get(cluster)["metadata"]["name"] == "shared"
    assert script.slept == [7.0, 30.0]


FAILING: dict[str, tuple[Answer, str, int]] = {
    "overloaded for ever": (refusal(503, "try later"), "cluster-unreachable", 5),
    "a token that has expired": (refusal(401, "Unauthorized"), "cluster-refused", 1),
    "no JSON": ((200, {}, b"<html>"), "cluster-failed", 1),
    "no object": ((200, {}, b"[]"), "cluster-failed", 1),
    "a refusal of another kind": (refusal(400, "bad"), "cluster-failed", 1),
    "a redirection": (refusal(302, Location="http://127.0.0.1:1/"), "cluster-failed", 1),
}


@pytest.mark.parametrize(("answer", "code", "times"), FAILING.values(), ids=FAILING)
def test_what_does_not_pass_ends_the_look(
    answer: Answer, code: str, times: int, cluster: Cluster, script: Script
) -> None:
    script.answers = [answer]
    with pytest.raises(RenderError) as caught:
        get(cluster)
    assert [diagnostic.code for diagnostic in caught.value.diagnostics] == [code]
    assert len(script.asked) == times


def test_a_server_that_was_never_there_is_asked_once(tmp_path: Path) -> None:
    slept: list[float] = []
    cluster = connect(str(kubeconfig(tmp_path, "http://127.0.0.1:1")))
    cluster._sleep = slept.append
    with pytest.raises(RenderError) as caught:
        get(cluster)
    assert caught.value.diagnostics[0].message == "http://127.0.0.1:1 does not answer: connection refused"
    assert slept == []


def test_what_is_forbidden_says_what_and_where(cluster: Cluster, script: Script) -> None:
    script.answers = [refusal(403, "not you")]
    with pytest.raises(Forbidden) as caught:
        list(cluster.list(CONFIG_MAPS, "store"))
    assert (caught.value.verb, str(caught.value.resource), caught.value.namespace, caught.value.said) == (
        "list",
        "configmaps",
        "store",
        "not you",
    )


def test_a_long_list_comes_in_chunks(cluster: Cluster, script: Script) -> None:
    script.answers = [items("a", "b", rest="more"), items("c")]
    assert [each["metadata"]["name"] for each in cluster.list(CONFIG_MAPS, "", "use=x")] == ["a", "b", "c"]
    assert script.asked == [
        "/api/v1/configmaps?limit=500&labelSelector=use%3Dx",
        "/api/v1/configmaps?limit=500&labelSelector=use%3Dx&continue=more",
    ]


def test_a_list_that_expires_is_asked_for_whole(cluster: Cluster, script: Script) -> None:
    script.answers = [items("a", rest="more"), refusal(410), items("a", "b")]
    assert [each["metadata"]["name"] for each in cluster.list(CONFIG_MAPS, "store")] == ["a", "b"]
    assert script.asked[-1] == "/api/v1/namespaces/store/configmaps"


def test_a_kind_is_found_by_what_the_server_says(cluster: Cluster, script: Script) -> None:
    resources = [
        {"name": "deployments/scale", "kind": "Scale", "namespaced": True, "verbs": ["get"]},
        {"name": "deployments", "kind": "Deployment", "namespaced": True, "verbs": ["get", "list"]},
    ]
    script.answers = [(200, {}, {"resources": resources})]
    assert cluster.resource("apps/v1", "Deployment") == Resource(
        "apps/v1", "Deployment", "/apis/apps/v1", "deployments", True
    )
    assert cluster.resource("apps/v1", "Scale") is None
    assert script.asked == ["/apis/apps/v1"]


def test_a_version_that_is_not_served_has_no_kinds(cluster: Cluster, script: Script) -> None:
    script.answers = [refusal(404)]
    assert cluster.resource("test.io/v1", "Widget") is None


LAST_APPLIED = {"kubectl.kubernetes.io/last-applied-configuration": '{"data": "hunter2"}', "own": "kept"}
SECRET = {
    "metadata": {"name": "s", "annotations": LAST_APPLIED, "managedFields": [{"x": "y"}]},
    "data": {"a": "aHVudGVyMg=="},
    "stringData": {"a": "hunter2"},
    "type": "Opaque",
}


def test_no_value_of_a_secret_gets_past(cluster: Cluster, script: Script) -> None:
    script.answers = [(200, {}, SECRET), (200, {}, {"metadata": {}, "items": [SECRET]})]
    wanted = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", "annotations": {"own": "kept"}},
        "type": "Opaque",
    }
    assert cluster.get(SECRETS, "store", "s") == wanted
    assert list(cluster.list(SECRETS, "store")) == [wanted]


@pytest.mark.parametrize(
    "ask", [lambda c: c.get(SECRETS, "a", "s", whole=False), lambda c: list(c.list(SECRETS, "a", whole=False))]
)
def test_metadata_alone_is_asked_for_where_it_is_enough(
    ask: Callable[[Cluster], Any], cluster: Cluster, script: Script
) -> None:
    script.answers = [items()]
    ask(cluster)
    assert "as=PartialObjectMetadata" in script.accepted[0]


def test_names_cannot_lead_elsewhere(cluster: Cluster, script: Script) -> None:
    script.answers = [refusal(404)]
    cluster.get(CONFIG_MAPS, "../kube-system", "a/../b?x=y")
    assert script.asked == ["/api/v1/namespaces/..%2Fkube-system/configmaps/a%2F..%2Fb%3Fx%3Dy"]


def test_the_token_of_a_pod_is_read_again_when_it_is_a_minute_old(
    cluster: Cluster, script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is renewed on disk. All is as in a Pod but for the server, which speaks no TLS here."""
    from kubernetes.config import incluster_config

    token, certificate, now = tmp_path / "token", tmp_path / "ca.crt", datetime(2026, 1, 1, tzinfo=UTC)
    clock = SimpleNamespace(datetime=SimpleNamespace(now=lambda: now), timedelta=timedelta)
    certificate.write_text("unused")
    token.write_text("first")
    for name, value in {
        "SERVICE_TOKEN_FILENAME": str(token),
        "SERVICE_CERT_FILENAME": str(certificate),
        "datetime": clock,
    }.items():
        monkeypatch.setattr(incluster_config, name, value)
    for name, value in {
        "KUBERNETES_SERVICE_HOST": "127.0.0.1",
        "KUBERNETES_SERVICE_PORT": "1",
        "HOME": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("KUBECONFIG", raising=False)
    pod = connect()
    pod.host = cluster.host
    script.answers = [found("shared")]
    get(pod)
    token.write_text("second")
    get(pod)
    now += timedelta(minutes=1)
    get(pod)
    assert [text.split()[1] for text in script.authorized] == ["first", "first", "second"]
    now += timedelta(minutes=1)
    token.write_text("")
    with pytest.raises(RenderError) as caught:
        get(pod)
    assert [diagnostic.code for diagnostic in caught.value.diagnostics] == ["cluster-config"]


CONFIGS = {
    "no file": lambda folder: folder / "missing",
    "no such context": lambda folder: kubeconfig(folder, "http://127.0.0.1:1", "there"),
    "no YAML": lambda folder: _written(folder, "{"),
    "a list": lambda folder: _written(folder, "[]"),
    "a word": lambda folder: _written(folder, "word"),
}


def _written(folder: Path, text: str) -> Path:
    path = folder / "kubeconfig"
    path.write_text(text)
    return path


@pytest.mark.parametrize("make", CONFIGS.values(), ids=CONFIGS)
def test_a_kubeconfig_that_cannot_be_used_is_said(make: Callable[[Path], Path], tmp_path: Path) -> None:
    with pytest.raises(RenderError) as caught:
        connect(str(make(tmp_path)))
    assert [diagnostic.code for diagnostic in caught.value.diagnostics] == ["cluster-config"]


def test_without_the_package_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "kubernetes", None)
    with pytest.raises(RenderError) as caught:
        connect()
    assert caught.value.diagnostics[0].help == "pip install 'rookery[status-sync]'"
