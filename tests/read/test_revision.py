"""Files of an earlier revision: what is read, what is left out, and what is said when there is nothing to read."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from krm_fn.read import revision as module
from krm_fn.read.revision import read_revision
from krm_fn.read.sources import read_sources
from krm_fn.report.diagnostic import WARNING, RenderError
from tests.command.revisions import commit, git, repository

OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {}}}\n"
PATH = {"PATH": os.environ["PATH"]}


def names(path: Path, revision: str = "main", **more: str) -> list[str]:
    documents, problems = read_revision([str(path)], revision, {**PATH, **more})
    assert problems == []
    return [document.value["metadata"]["name"] for document in documents]


def refused(paths: list[str], revision: str, environment: dict[str, str] | None = None) -> str:
    with pytest.raises(RenderError) as refusal:
        read_revision(paths, revision, PATH if environment is None else environment)
    [problem] = refusal.value.diagnostics
    return f"{problem.code}: {problem.message}"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return repository(tmp_path / "a repository")


def test_what_was_there_is_read_and_what_is_there_is_not(place: Path) -> None:
    first = commit(place, {"rgds/a.yaml": OBJECT.format("one"), "b.yaml": OBJECT.format("other")})
    commit(place, {"rgds/a.yaml": OBJECT.format("two")})
    (place / "rgds" / "a.yaml").write_text(OBJECT.format("three"))
    assert names(place / "rgds") == ["two"]
    assert names(place / "rgds" / "a.yaml", "HEAD~1") == names(place / "rgds", first[:9]) == ["one"]
    assert names(place, "main^") == ["other", "one"]


def test_positions_name_the_revision_as_git_does(place: Path) -> None:
    commit(place, {"rgds/a.yaml": OBJECT.format("one")})
    [document], _ = read_revision([str(place / "rgds")], "main", PATH)
    assert str(document.locate(("kind",))) == "main:rgds/a.yaml:2:7"


def test_several_paths_are_read_once(place: Path) -> None:
    commit(place, {"rgds/a.yaml": OBJECT.format("a"), "rgds/b.yaml": OBJECT.format("b")})
    paths = [str(place / "rgds" / "b.yaml"), str(place / "rgds"), str(place)]
    documents, _ = read_revision(paths, "main", PATH)
    assert [document.value["metadata"]["name"] for document in documents] == ["b", "a"]


def test_paths_are_taken_from_the_working_directory(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit(place, {"apps/rgds/a.yaml": OBJECT.format("a")})
    monkeypatch.chdir(place / "apps")
    assert names(Path("rgds")) == names(Path()) == names(Path("rgds/a.yaml")) == ["a"]


def test_a_hooks_environment_does_not_lead_elsewhere(place: Path) -> None:
    commit(place, {"a.yaml": OBJECT.format("a")})
    assert names(place, GIT_DIR="/nonexistent", GIT_INDEX_FILE="/nonexistent", GIT_WORK_TREE="/nonexistent") == ["a"]


AS_ON_DISK = {
    "a.yaml": OBJECT.format("a"),
    "b.yml": OBJECT.format("b"),
    "c.json": '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}',
    "notes.md": "# no manifest",
    ".hidden.yaml": OBJECT.format("hidden"),
    ".hidden/a.yaml": OBJECT.format("below hidden"),
    ".krmignore": "drafts/\nlater.yaml\n!keep/later.yaml\n",
    "drafts/deep/a.yaml": OBJECT.format("draft"),
    "later.yaml": OBJECT.format("later"),
    "keep/later.yaml": OBJECT.format("kept"),
    "plain/.krmignore": "later.yaml\n",
    "plain/later.yaml": OBJECT.format("later"),
    "plain/a.yaml": OBJECT.format("plain"),
    "package/Kptfile": "apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata: {name: package}\n",
    "package/.krmignore": "own.yaml\n",
    "package/own.yaml": OBJECT.format("own"),
    "package/later.yaml": OBJECT.format("package's"),
    "package/drafts/a.yaml": OBJECT.format("package's draft"),
    "package/inner/Kptfile": "apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata: {name: inner}\n",
    "package/inner/own.yaml": OBJECT.format("inner"),
}


@pytest.mark.parametrize(
    "below", [".", "package", "package/inner", "plain", "drafts", "drafts/deep/a.yaml", "later.yaml", ".hidden.yaml"]
)
def test_what_is_read_is_what_would_be_read_from_disk(place: Path, below: str) -> None:
    commit(place, AS_ON_DISK)
    on_disk = [document.value["metadata"]["name"] for document in read_sources([str(place / below)], bytes)]
    assert on_disk
    assert sorted(names(place / below)) == sorted(on_disk)


def test_links_and_submodules_are_left_out(place: Path) -> None:
    other = repository(place.parent / "other")
    commit(other, {"x.yaml": OBJECT.format("x")})
    (place / "link.yaml").symlink_to("a.yaml")
    (place / "away").symlink_to("/etc")
    git(place, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), "sub")
    commit(place, {"a.yaml": OBJECT.format("a")})
    assert names(place) == ["a"]


def test_a_path_that_was_not_there_is_a_warning(place: Path) -> None:
    commit(place, {"a.yaml": OBJECT.format("a")})
    (place / "new").mkdir()
    documents, [problem] = read_revision([str(place / "new"), str(place / "a.yaml")], "main", PATH)
    assert len(documents) == 1
    assert (problem.code, problem.severity) == ("path-not-in-revision", WARNING)
    assert problem.message == f"{place / 'new'} is not in main: what it holds counts as new"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(b"a: [", "yaml-syntax", id="no YAML"),
        pytest.param(b"\x89PNG\r\n\0\0", "yaml-encoding", id="binary"),
        pytest.param(b"a: \xff", "yaml-encoding", id="no UTF-8"),
    ],
)
def test_what_cannot_be_read_is_a_warning_since_the_past_cannot_be_mended(
    place: Path, content: bytes, code: str
) -> None:
    commit(place, {"a.yaml": OBJECT.format("a"), "bad.yaml": content})
    documents, [problem] = read_revision([str(place)], "main", PATH)
    assert len(documents) == 1
    assert (problem.code, problem.severity) == (code, WARNING)
    assert str(problem.position).startswith("main:bad.yaml:1:")


def test_names_of_files_are_taken_as_they_are(place: Path) -> None:
    odd = ["-x.yaml", ":(top)a.yaml", "a b.yaml", "ü.yaml", "line\nbreak.yaml", "*.yaml", os.fsdecode(b"\xff.yaml")]
    commit(place, {f"odd/{name}": OBJECT.format(f"n{i}") for i, name in enumerate(odd)})
    assert sorted(names(place / "odd")) == [f"n{i}" for i in range(len(odd))]
    for i, name in enumerate(odd):
        assert names(place / "odd" / name) == [f"n{i}"]


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "revision", ["--upload-pack=touch pwned", "-h", "--", "", "main\nother", "main\0", "\x1b[31m", "x" * 1001]
)
def test_what_is_no_name_of_a_revision_never_reaches_git(
    place: Path, revision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("git was asked"))
    said = refused([str(place)], revision)
    assert said.startswith("revision-unusable: ")
    assert said.isprintable()


@pytest.mark.parametrize(
    "revision",
    ["nope", "main:a.yaml", "main..main", ":a.yaml", "HEAD~5", "^main", "$(touch pwned)", "; touch pwned", "`x`"],
)
def test_a_revision_that_does_not_exist(place: Path, revision: str) -> None:
    commit(place, {"a.yaml": OBJECT.format("a")})
    said = refused([str(place)], revision)
    assert said == (
        f"revision-not-found: {revision} is no file or directory, and no revision of the repository {place}"
    )
    assert not (place / "pwned").exists()


def test_a_repository_without_a_commit(place: Path) -> None:
    assert refused([str(place)], "HEAD").startswith("revision-not-found: HEAD is no file or directory")


def test_no_repository(tmp_path: Path) -> None:
    said = refused([str(tmp_path)], "main", {**PATH, "GIT_CEILING_DIRECTORIES": str(tmp_path.parent)})
    assert said == (
        f"no-repository: main is no file or directory, and {tmp_path} has no revisions: "
        "not a git repository (or any of the parent directories): .git"
    )


def test_stdin_has_no_revisions() -> None:
    assert refused(["-"], "main") == "no-repository: main is no file or directory, and stdin has no revisions"


def test_without_git(place: Path) -> None:
    assert (
        refused([str(place)], "main", {"PATH": str(place)}) == "git-missing: git is not installed, or not on the PATH"
    )


def test_a_git_that_does_not_answer(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wait(*_: Any, **__: Any) -> None:
        raise subprocess.TimeoutExpired("git", 60)

    monkeypatch.setattr(subprocess, "run", wait)
    assert refused([str(place)], "main").startswith("git-failed: git does not answer: ")


def test_an_object_that_is_gone(place: Path) -> None:
    commit(place, {"a.yaml": OBJECT.format("a")})
    blob = git(place, "rev-parse", "HEAD:a.yaml")
    (place / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    assert refused([str(place)], "main") == "git-failed: the repository does not hold a.yaml itself"


def test_sizes_are_known_before_anything_is_read(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit(place, {"a.yaml": OBJECT.format("a"), "large.md": "x" * 2000})
    monkeypatch.setattr(module, "MAX_TEXT", 100)
    assert names(place) == ["a"]
    commit(place, {"b.yaml": f"# {'x' * 100}\n"})
    assert refused([str(place)], "main").startswith("input-too-large: main holds more than ")


def test_git_runs_nothing_that_a_repository_asks_for(place: Path, tmp_path: Path) -> None:
    """Hooks, pagers, filters and monitors of a hostile configuration leave no trace."""
    commit(place, {"a.yaml": OBJECT.format("a"), ".gitattributes": "*.yaml filter=evil diff=evil\n"})
    trace = tmp_path / "trace"
    for key in (
        "core.fsmonitor",
        "core.pager",
        "core.sshCommand",
        "filter.evil.smudge",
        "diff.evil.textconv",
        "diff.external",
    ):
        git(place, "config", key, f"touch '{trace}'")
    (place / ".git" / "hooks" / "post-index-change").write_text(f"#!/bin/sh\ntouch '{trace}'\n")
    assert names(place) == ["a"]
    assert not trace.exists()


def test_nothing_is_fetched(place: Path) -> None:
    """A partial clone would bring what it lacks by itself, whenever it is asked for."""
    commit(place, {"a.yaml": OBJECT.format("a")})
    git(place, "config", "uploadpack.allowFilter", "true")
    clone = place.parent / "clone"
    git(place.parent, "clone", "--quiet", "--no-checkout", "--filter=blob:none", f"file://{place}", str(clone))
    said = refused([str(clone)], "main", {**PATH, "GIT_CONFIG_GLOBAL": os.devnull})
    assert said.startswith("git-failed: ")
