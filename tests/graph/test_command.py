"""`rookery graph` from its arguments to its bytes."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from krm_fn.command import EXIT_OK, EXIT_REFUSED, EXIT_USAGE, run
from tests.graph.drawings import FORMATS
from tests.rendering import config_map, instance, rgd

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = Path(__file__).parent / "golden"
ENDINGS = {"text": "txt", "mermaid": "mmd", "dot": "dot", "svg": "svg"}
CASES = {
    "online-shop": ["fixtures/online-shop"],
    "web-application-dynamodb": ["fixtures/web-application-dynamodb"],
    "web-application-rgd": ["fixtures/web-application/rgd.yaml"],
    "chain-of-three": ["fixtures/chain-of-three"],
    "fan-out": ["fixtures/fan-out"],
    "observed-state": ["fixtures/observed-state"],
    "observed-state-unseen": ["fixtures/observed-state/rgd.yaml", "fixtures/observed-state/instance.yaml"],
    "apply-time": ["fixtures/apply-time", "--deferred", "apply-time"],
    "external-reference-unseen": ["fixtures/external-reference/rgd.yaml", "fixtures/external-reference/instance.yaml"],
    "argocd-application-every-edge": ["fixtures/argocd-application", "--waves", "every-edge"],
}


def graph(*words: str, stdin: str = "") -> tuple[int, str, str]:
    out, err = io.BytesIO(), io.StringIO()
    code = run(["graph", *words], io.BytesIO(stdin.encode()), out, err, {})
    return code, out.getvalue().decode(), err.getvalue()


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", CASES)
def test_a_fixture_gives_its_golden(
    name: str, form: str, golden: Callable[[bytes, Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    code, out, err = graph(*CASES[name], "--format", form)
    assert (code, err) == (EXIT_OK, "")
    golden(out.encode(), GOLDEN / f"{name}.{ENDINGS[form]}")


def test_there_is_no_golden_without_a_case() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == {f"{name}.{end}" for name in CASES for end in ENDINGS.values()}


def test_the_page_of_the_docs_shows_what_the_command_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert (ROOT / "docs/graph.svg").read_text() == graph("fixtures/online-shop", "--format", "svg")[1]
    assert f"```\n{graph('fixtures/online-shop')[1]}```\n" in (ROOT / "docs/graph.md").read_text()


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("a.svg", "<svg "),
        ("a.mmd", "flowchart "),
        ("a.dot", "digraph "),
        ("a.gv", "digraph "),
        ("a.txt", "App store/shop\n"),
    ],
)
def test_the_name_of_the_file_says_the_format(name: str, start: str, tmp_path: Path) -> None:
    code, out, _ = graph("-", "-o", str(tmp_path / name), stdin=f"{rgd(config_map('a'))}---\n{instance()}")
    assert (code, out) == (EXIT_OK, "")
    assert (tmp_path / name).read_text().startswith(start)


def test_rgds_are_drawn_where_there_is_no_instance_or_where_they_are_asked_for() -> None:
    only = rgd(config_map("a", more='includeWhen: ["${schema.spec.wanted}"]'), spec="{wanted: boolean}")
    alone = graph("-", stdin=only)
    assert alone[0] == EXIT_OK
    assert alone[1].startswith("App app\n")
    assert "if ${schema.spec.wanted}" in alone[1]
    both = f"{only}---\n{instance('{wanted: true}')}"
    assert graph("-", stdin=both)[1].startswith("App store/shop\n")
    assert graph("-", "--rgds", stdin=both) == alone


def test_every_instance_has_a_graph_of_its_own() -> None:
    text = "---\n".join([rgd(config_map("a")), instance(), instance(name="books")])
    assert graph("-", stdin=text)[1].count("layer 0") == 2


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (rgd(config_map("a", '{x: "${b.metadata.name}"}')), "unknown-reference"),
        (f"{rgd(config_map('a'), spec='{size: string}')}---\n{instance('{size: 1}')}", "instance-wrong-type"),
        (config_map("a"), "not-an-object"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n", "nothing-to-render"),
        ("a: [", "yaml-syntax"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_drawn(text: str, code: str, tmp_path: Path) -> None:
    exit_code, out, err = graph("-", "-o", str(tmp_path / "a.svg"), stdin=text)
    assert exit_code == EXIT_REFUSED
    assert out == ""
    assert f"[{code}]" in err
    assert not (tmp_path / "a.svg").exists()


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    exit_code, _, err = graph("-", "-o", str(tmp_path / "none" / "a.svg"), stdin=rgd(config_map("a")))
    assert exit_code == EXIT_REFUSED
    assert "[cannot-write]" in err


def test_what_the_graph_shows_is_not_said_again_and_what_it_does_not_show_is() -> None:
    waits = config_map("a", '{x: "${e.data.x}"}')
    external = "- id: e\n  externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {name: e}}\n"
    code, out, err = graph("-", stdin=f"{rgd(external + waits)}---\n{instance()}")
    assert (code, err) == (EXIT_OK, "")
    assert "waits for e.data.x" in out
    unknown = config_map("a").replace("apiVersion: v1", "apiVersion: test.io/v1")
    assert "[unknown-kind]" in graph("-", stdin=f"{rgd(unknown)}---\n{instance()}")[2]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "needs a PATH"),
        (["x", "--format", "png"], "--format is one of text, mermaid, dot, svg"),
        (["x", "--waves", "all"], "--waves is one of gated, every-edge"),
        (["x", "--kube-version", "new"], "--kube-version"),
        (["x", "--from", "y"], "no option"),
    ],
)
def test_usage(words: list[str], says: str) -> None:
    code, out, err = graph(*words)
    assert (code, out) == (EXIT_USAGE, "")
    assert says in err


def test_help_is_help() -> None:
    assert graph("--help")[1].startswith("usage: rookery graph")
