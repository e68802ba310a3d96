"""Paths to documents: what is read, in which order, under which name, and what is refused."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

import pytest

from krm_fn.read import sources
from krm_fn.read.sources import decode, read_sources, shown
from krm_fn.report.diagnostic import RenderError

if TYPE_CHECKING:
    from pathlib import Path

Tree: TypeAlias = Callable[[Mapping[str, str | bytes]], None]


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    """A function that writes files below an empty current directory."""
    monkeypatch.chdir(tmp_path)

    def write(files: Mapping[str, str | bytes]) -> None:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())

    return write


def no_stdin() -> bytes:
    raise AssertionError("stdin was read")


def names(*paths: str, stdin: Callable[[], bytes] = no_stdin) -> list[str]:
    return [document.source.name for document in read_sources(paths, stdin)]


def refusals(*paths: str, stdin: Callable[[], bytes] = no_stdin) -> list[str]:
    with pytest.raises(RenderError) as caught:
        read_sources(paths, stdin)
    return [f"{d.code}: {d.message}" for d in caught.value.diagnostics]


def test_a_directory_is_walked_in_order_of_names(tree: Tree) -> None:
    """YAML and JSON at every depth; hidden names, other suffixes and Kptfiles are left out."""
    tree(
        {
            "b.yaml": "a: 1",
            "a/z.yml": "a: 1",
            "a/y.json": '{"a": 1}',
            "a.yaml": "a: 1\n---\nb: 1",
            "c/d/e.yaml": "a: 1",
            "c/.hidden/x.yaml": ":",
            ".x.yaml": ":",
            "Kptfile": ":",
            "README.md": ":",
            "empty.yaml": "",
        }
    )
    assert names(".") == ["a/y.json", "a/z.yml", "a.yaml", "a.yaml", "b.yaml", "c/d/e.yaml"]
    assert names("c", "a") == ["c/d/e.yaml", "a/y.json", "a/z.yml"]
    assert names("./a/", os.path.abspath("c")) == ["./a/y.json", "./a/z.yml", os.path.abspath("c/d/e.yaml")]


def test_a_file_that_is_named_is_read_whatever_it_is_called(tree: Tree) -> None:
    """Hidden, ignored, a Kptfile, no suffix: the user said so."""
    tree({".x": "a: 1", "Kptfile": "a: 1", "d/i.yaml": "a: 1", "d/.krmignore": "i.yaml"})
    assert names(".x", "Kptfile", "d/i.yaml") == [".x", "Kptfile", "d/i.yaml"]
    assert names("d") == []


def test_every_file_is_read_once(tree: Tree) -> None:
    """A file below two of the paths, or named twice, counts once, where it comes first."""
    tree({"d/a.yaml": "a: 1", "d/b.yaml": "b: 1"})
    assert names("d/b.yaml", "d", "./d/a.yaml", "d") == ["d/b.yaml", "d/a.yaml"]


def test_stdin(tree: Tree) -> None:
    """`-` is stdin, read once."""
    tree({"a.yaml": "a: 1"})
    reads = []

    def stdin() -> bytes:
        reads.append(1)
        return b"b: 1"

    assert names("-", "a.yaml", "-", stdin=stdin) == ["<stdin>", "a.yaml"]
    assert reads == [1]


def test_krmignore_holds_for_its_package(tree: Tree) -> None:
    """It is read at the top and in packages inside (which have a Kptfile); a package's own file replaces the outer one."""
    tree(
        {
            ".krmignore": "skip\n*.tmpl.yaml\n/only-top.yaml\n",
            "skip/a.yaml": ":",
            "x/a.tmpl.yaml": ":",
            "only-top.yaml": ":",
            "x/only-top.yaml": "a: 1",
            "x/.krmignore": "b.yaml",
            "x/b.yaml": "a: 1",
            "sub/Kptfile": "",
            "sub/.krmignore": "c.yaml",
            "sub/c.yaml": ":",
            "sub/d.tmpl.yaml": "a: 1",
        }
    )
    assert names(".") == ["sub/d.tmpl.yaml", "x/b.yaml", "x/only-top.yaml"]


def test_links_inside_are_followed_once(tree: Tree) -> None:
    """A link to what is read anyway adds nothing, one to a hidden place does (as in a mounted ConfigMap), a loop ends."""
    tree({"d/a.yaml": "a: 1", "d/..data/m.yaml": "m: 1", "d/e/f.yaml": "f: 1"})
    os.symlink("a.yaml", "d/b.yaml")
    os.symlink("..data/m.yaml", "d/m.yaml")
    os.symlink("..", "d/e/loop")
    assert names("d") == ["d/a.yaml", "d/e/f.yaml", "d/m.yaml"]


def test_links_that_lead_out_are_refused(tree: Tree) -> None:
    """Neither files nor directories outside the given paths are read by way of a link."""
    tree({"secret.yaml": "a: 1", "out/x.yaml": "a: 1", "d/a.yaml": "a: 1", "d/sub/Kptfile": ""})
    os.symlink("../secret.yaml", "d/s.yaml")
    os.symlink("../out", "d/o")
    os.symlink("../../secret.yaml", "d/sub/.krmignore")
    os.symlink("../nothing.yaml", "d/n.yaml")
    assert refusals("d") == [
        "symlink-outside: d/n.yaml is a link that leads out of the given paths",
        "symlink-outside: d/o is a link that leads out of the given paths",
        "symlink-outside: d/s.yaml is a link that leads out of the given paths",
        "symlink-outside: d/sub/.krmignore is a link that leads out of the given paths",
    ]


def test_links_that_lead_to_another_given_path_are_fine(tree: Tree) -> None:
    """What was given may be read."""
    tree({"out/x.yaml": "a: 1", "d/a.yaml": "a: 1"})
    os.symlink("../out", "d/o")
    assert names("d", "out") == ["d/a.yaml", "d/o/x.yaml"]
    os.symlink("d", "link")
    assert names("link", "out") == ["link/a.yaml", "link/o/x.yaml"]


def test_a_name_that_begins_like_a_given_path_is_outside(tree: Tree) -> None:
    """`d-secret` is not below `d`."""
    tree({"d-secret/x.yaml": "a: 1", "d/a.yaml": "a: 1"})
    os.symlink("../d-secret/x.yaml", "d/x.yaml")
    assert refusals("d") == ["symlink-outside: d/x.yaml is a link that leads out of the given paths"]


def test_all_problems_of_all_files_at_once(tree: Tree) -> None:
    """One run tells everything."""
    tree(
        {
            "a.yaml": "a: ]",
            "b.yaml": b"\xff\xfea\x00",
            "c.yaml": b"a\n\xe9: 1",
            "d.yaml": "a: 1\na: 2",
            "e.yaml": b"\x7fELF\x00\xff",
        }
    )
    os.symlink("nothing", "f.yaml")
    os.mkfifo("g.yaml")
    assert sorted(refusals(".", "missing.yaml", "a\0b")) == [
        "duplicate-key: 'a' is set twice in one mapping, first at d.yaml:1:1",
        "file-not-found: a\\x00b does not exist",
        "file-not-found: f.yaml is a link to nothing",
        "file-not-found: missing.yaml does not exist",
        "special-file: g.yaml is no regular file",
        "yaml-encoding: b.yaml is UTF-16 text",
        "yaml-encoding: e.yaml is a binary file",
        "yaml-encoding: the byte 0xe9 is not valid UTF-8",
        "yaml-syntax: a value is expected, not ']'",
    ]


def test_special_files_are_refused_at_once(tree: Tree) -> None:
    """Nothing blocks, whether the file is found or named."""
    os.mkfifo("pipe")
    assert refusals("pipe", "/dev/null") == [
        "special-file: /dev/null is no regular file",
        "special-file: pipe is no regular file",
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_no_permission(tree: Tree) -> None:
    """A file that may not be read is named, with the system's reason."""
    tree({"a.yaml": "a: 1", "d/b.yaml": "b: 1"})
    os.chmod("a.yaml", 0)
    os.chmod("d", 0)
    try:
        assert refusals(".") == [
            "file-unreadable: a.yaml cannot be read: permission denied",
            "file-unreadable: d cannot be read: permission denied",
        ]
    finally:
        os.chmod("d", 0o755)


def test_unreadable_for_another_reason(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the system says is passed on in one line."""
    tree({"a.yaml": "a: 1"})

    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "open", fail)
    assert refusals("a.yaml") == ["file-unreadable: a.yaml cannot be read: input/output error"]


def test_bounds(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is too large, too much in all, too many files."""
    tree({"a.yaml": "a: 12345", "b.yaml": "b: 1", "c.yaml": "c: 1"})
    monkeypatch.setattr(sources, "MAX_TEXT", 5)
    assert refusals("a.yaml") == ["input-too-large: a.yaml is larger than 0 MiB"]
    monkeypatch.setattr(sources, "MAX_TEXT", 50)
    monkeypatch.setattr(sources, "MAX_TOTAL", 6)
    assert refusals("b.yaml", "c.yaml", "a.yaml") == [
        "input-too-large: the input is larger than 0 MiB in 100,000 files"
    ]
    monkeypatch.setattr(sources, "MAX_TOTAL", 100)
    monkeypatch.setattr(sources, "MAX_FILES", 1)
    assert refusals("b.yaml", "c.yaml", "a.yaml") == ["input-too-large: the input is larger than 0 MiB in 1 files"]


@pytest.mark.thorough
def test_deep_directories_do_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Directories deeper than Python's stack are walked."""
    monkeypatch.chdir(tmp_path)
    descriptor = os.open(".", os.O_RDONLY)
    for _ in range(1200):
        os.mkdir("d", dir_fd=descriptor)
        inner = os.open("d", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = inner
    with os.fdopen(os.open("x.yaml", os.O_WRONLY | os.O_CREAT, dir_fd=descriptor), "w") as file:
        file.write("a: 1")
    os.close(descriptor)
    path = "d/" * 1200
    try:
        try:
            assert names("d") == [path + "x.yaml"]
        finally:  # pytest removes its directories recursively
            os.remove(path + "x.yaml")
            os.removedirs(path.rstrip("/"))
    finally:
        # pytest keeps old folders and removes them with one Python frame a level.
        subprocess.run(["rm", "-rf", "d"], check=True)


def test_names_are_shown_harmlessly(tree: Tree) -> None:
    """Line breaks, terminal escapes, bidirectional overrides and bytes that are no text are escaped."""
    tree({"a\nb\x1b[31m.yaml": "a: ]"})
    with pytest.raises(RenderError) as caught:
        read_sources(["."], no_stdin)
    position = caught.value.diagnostics[0].position
    assert position is not None
    assert position.file == "a\\nb\\x1b[31m.yaml"
    assert shown("é\u202e\udcff") == "é\\u202e\\xff"


def test_encodings() -> None:
    """UTF-8 with or without a byte order mark is text; everything else is named for what it is."""
    assert decode(b"\xef\xbb\xbfa: 1", "f") == "\ufeffa: 1"
    assert decode("é😀".encode(), "f") == "é😀"
    with pytest.raises(RenderError) as caught:
        decode(b"a: 1\nb: \xc3\xa9\xff", "f")
    assert str(caught.value.diagnostics[0].position) == "f:2:5"
    with pytest.raises(RenderError):
        decode("a: 1".encode("utf-32"), "f")
    with pytest.raises(RenderError):
        decode(b"a: \x00", "f")
