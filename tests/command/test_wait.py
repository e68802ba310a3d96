"""The words of `rookery wait`, and what it says when it cannot begin."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from krm_fn.command import run
from krm_fn.command.arguments import parse_arguments
from krm_fn.command.wait import _OPTIONS, _gate

WEB = "deployments.v1.apps/web"


def ran(*words: str) -> tuple[int, str, str]:
    stdout, stderr = io.BytesIO(), io.StringIO()
    code = run(["wait", *words], io.BytesIO(), stdout, stderr, {})
    return code, stdout.getvalue().decode(), stderr.getvalue()


MEANINGLESS: dict[str, tuple[tuple[str, ...], str]] = {
    "no object": ((), "wait needs an OBJECT, such as deployments.v1.apps/web"),
    "no group": (("services.v1/web",), "'services.v1/web' has no group; of the core group it is 'services.v1./web'"),
    "no version": (("deployments/web",), "an object is TYPE.VERSION.GROUP/NAME"),
    "no name": (("deployments.v1.apps/",), "an object is TYPE.VERSION.GROUP/NAME"),
    "no type": ((".v1.apps/web",), "an object is TYPE.VERSION.GROUP/NAME"),
    "a kind": (("Deployment.v1.apps/web",), "an object is TYPE.VERSION.GROUP/NAME"),
    "an empty digest": ((f"{WEB}@",), "an object is TYPE.VERSION.GROUP/NAME"),
    "a path": (("pods.v1./web/exec",), "an object is TYPE.VERSION.GROUP/NAME"),
    "a way out": (("pods.v1./..",), "an object is TYPE.VERSION.GROUP/NAME"),
    "an escaped way out": (("pods.v1./%2e%2e",), "an object is TYPE.VERSION.GROUP/NAME"),
    "another API": (("pods.v1.apps/../x/web",), "an object is TYPE.VERSION.GROUP/NAME"),
    "a name of many letters": (("pods.v1./" + "x" * 254,), "an object is TYPE.VERSION.GROUP/NAME"),
    "a terminal's words": (("\x1b[2J.v1/web",), "not '\\x1b[2J.v1/web'"),
    "an empty namespace": (("--namespace", "", WEB), "--namespace is the name of a namespace, not ''"),
    "a namespace that leads elsewhere": (("--namespace", "a/../b", WEB), "--namespace is the name of a namespace"),
    "a condition of nothing": (("--ready-when", "true", WEB), "--ready-when needs --name NAME"),
    "a name that CEL does not know": (("--name", "my-web", WEB), "--name is a name that CEL knows"),
    "no expression": (
        ("--name", "web", "--ready-when", "web.status >", WEB),
        "--ready-when 'web.status >': at character 13: the expression ends where an operand was expected",
    ),
    "a pattern that is none": (("--name", "web", "--ready-when", "'x'.find('(') == ''", WEB), "--ready-when"),
    "another object": (
        ("--name", "web", "--ready-when", "db.x == 1", WEB),
        "db is not known; the object is called web",
    ),
    "an unknown function": (("--name", "web", "--ready-when", "ready(web)", WEB), "ready() is not known"),
    "an unknown method": (("--name", "web", "--ready-when", "web.isReady()", WEB), "isReady() is not known"),
    "too long an expression": (("--name", "web", "--ready-when", "1" * 100_001, WEB), "longer than 100000 characters"),
    "too deep an expression": (("--name", "web", "--ready-when", "(" * 50_000, WEB), "--ready-when '((("),
    "too many objects": ((WEB,) * 10_001, "at most 10000 objects"),
    "an unknown option": (("--timeout", "5s", WEB), "there is no option --timeout"),
    "two namespaces": (("-n", "a", "-n", "b", WEB), "--namespace is given twice"),
}


@pytest.mark.parametrize(("words", "said"), MEANINGLESS.values(), ids=MEANINGLESS)
def test_words_that_make_no_sense(words: tuple[str, ...], said: str) -> None:
    code, stdout, stderr = ran(*words)
    assert (code, stdout) == (2, "")
    assert said in stderr
    assert len(stderr) < 500


OBJECTS = {
    "deployments.v1.apps/web": ("apps/v1", "/apis/apps/v1", "deployments", "web", ""),
    "deployments.v1.apps/web@1a2b3c4d": ("apps/v1", "/apis/apps/v1", "deployments", "web", "1a2b3c4d"),
    "services.v1./web": ("v1", "/api/v1", "services", "web", ""),
    "services.v1./web@1a2b": ("v1", "/api/v1", "services", "web", "1a2b"),
    "certificates.v1.cert-manager.io/shop.example.com": (
        "cert-manager.io/v1", "/apis/cert-manager.io/v1", "certificates", "shop.example.com", "",
    ),
    "clusterroles.v1.rbac.authorization.k8s.io/system:node": (
        "rbac.authorization.k8s.io/v1", "/apis/rbac.authorization.k8s.io/v1", "clusterroles", "system:node", "",
    ),
    "widgets.v1.test.io/a@b@1a2b": ("test.io/v1", "/apis/test.io/v1", "widgets", "a@b", "1a2b"),
}  # fmt: skip


@pytest.mark.parametrize(("word", "parts"), OBJECTS.items(), ids=OBJECTS)
@pytest.mark.parametrize("namespace", ["", "shop"])
def test_how_objects_are_spelled(word: str, parts: tuple[str, ...], namespace: str) -> None:
    words = [*(["--namespace", namespace] if namespace else []), word]
    [wanted] = _gate(parse_arguments(words, _OPTIONS, {})).wanted
    resource = wanted.resource
    assert (resource.api_version, resource.path, resource.plural, wanted.name, wanted.digest) == parts
    assert resource.namespaced is bool(namespace)


def test_help() -> None:
    code, stdout, stderr = ran("--help")
    assert (code, stderr) == (0, "")
    assert stdout.startswith("usage: rookery wait")


def test_a_kubeconfig_that_cannot_be_used(tmp_path: Path) -> None:
    code, stdout, stderr = ran(WEB, "--kubeconfig", str(tmp_path / "nowhere"))
    assert (code, stdout) == (1, "")
    assert stderr.startswith("error[cluster-config]: ")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_it_ends_when_it_is_told_to_and_says_nothing_of_it(number: int, code: int, tmp_path: Path) -> None:
    config = tmp_path / "kubeconfig"
    config.write_text(
        """\
apiVersion: v1
kind: Config
clusters: [{name: gone, cluster: {server: "http://127.0.0.1:1"}}]
users: [{name: me, user: {token: x}}]
contexts: [{name: gone, context: {cluster: gone, user: me}}]
current-context: gone
"""
    )
    words = [sys.executable, "-m", "krm_fn", "wait", WEB, "--kubeconfig", str(config)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=30)
    assert first == "deployments.apps/web: http://127.0.0.1:1 does not answer: connection refused\n"
    assert (process.returncode, stdout, stderr) == (code, "", "")
