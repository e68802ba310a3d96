"""The words of `rookery status-sync`, and what it says when it cannot begin."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from krm_fn.command import run


def ran(*words: str) -> tuple[int, str, str]:
    stdout, stderr = io.BytesIO(), io.StringIO()
    code = run(["status-sync", *words], io.BytesIO(), stdout, stderr, {})
    return code, stdout.getvalue().decode(), stderr.getvalue()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "either --once or --interval SECONDS"),
        (("--once", "--interval", "5"), "either --once or --interval SECONDS"),
        (("--interval", "soon"), "--interval is a number of seconds, 0.1 to 86400, not 'soon'"),
        (("--interval", "0"), "--interval is a number of seconds"),
        (("--interval", "-1"), "--interval is a number of seconds"),
        (("--interval", "nan"), "--interval is a number of seconds"),
        (("--interval", "inf"), "--interval is a number of seconds"),
        (("--interval", "1e9"), "--interval is a number of seconds"),
        (("--once", "-"), "not stdin"),
        (("--onse",), "did you mean --once?"),
        (("--once", "--namespace"), "--namespace needs a value"),
    ],
)
def test_words_that_make_no_sense(words: tuple[str, ...], said: str) -> None:
    code, stdout, stderr = ran(*words)
    assert (code, stdout) == (2, "")
    assert said in stderr


def test_help() -> None:
    code, stdout, stderr = ran("--help")
    assert (code, stderr) == (0, "")
    assert stdout.startswith("usage: rookery status-sync")


@pytest.mark.parametrize("text", [None, "no: [yaml", "{}", "apiVersion: v1\nkind: Config\ncurrent-context: nope\n"])
def test_a_kubeconfig_that_cannot_be_used(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "kubeconfig"
    if text is not None:
        path.write_text(text)
    code, stdout, stderr = ran("--once", "--kubeconfig", str(path))
    assert (code, stdout) == (1, "")
    assert stderr.startswith("error[cluster-config]: ")


def kubeconfig(folder: Path) -> Path:
    """Of a server that is not there."""
    path = folder / "kubeconfig"
    path.write_text(
        """\
apiVersion: v1
kind: Config
clusters: [{name: gone, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: me, user: {token: x}}]
contexts: [{name: gone, context: {cluster: gone, user: me}}]
current-context: gone
"""
    )
    return path


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    code, stdout, stderr = ran("--once", "--kubeconfig", str(kubeconfig(tmp_path)))
    assert (code, stdout) == (1, "")
    assert stderr.startswith("error[cluster-unreachable]: https://127.0.0.1:1 does not answer: ")


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    code, stdout, stderr = ran("--once", str(tmp_path / "nowhere"), "--kubeconfig", str(kubeconfig(tmp_path)))
    assert (code, stdout) == (1, "")
    assert "error[file-not-found]" in stderr
