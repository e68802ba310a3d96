"""`.krmignore` is read as kpt reads it."""

from __future__ import annotations

import pytest

from krm_fn.read.ignore import IgnoreFile, matches_name


@pytest.mark.parametrize(
    ("lines", "path", "ignored"),
    [
        pytest.param("a.yaml", "a.yaml", True, id="a name"),
        pytest.param("a.yaml", "x/y/a.yaml", True, id="a name at any depth"),
        pytest.param("a.yaml", "x/a.yaml.yaml", False, id="not a part of a name"),
        pytest.param("/a.yaml", "a.yaml", True, id="a leading slash: at the top"),
        pytest.param("/a.yaml", "x/a.yaml", False, id="a leading slash: nowhere else"),
        pytest.param("/x", "x/a.yaml", True, id="a leading slash: all that is below"),
        pytest.param("x", "x/a.yaml", False, id="without one: the end of the path alone (the walk stops at x itself)"),
        pytest.param("x/a.yaml", "w/x/a.yaml", True, id="two names at any depth, unlike Git"),
        pytest.param("x/a.yaml", "w/x/b/a.yaml", False, id="two names, adjacent"),
        pytest.param("*.tmpl.yaml", "x/a.tmpl.yaml", True, id="star"),
        pytest.param("x/*", "x/a.yaml", True, id="star for a whole name"),
        pytest.param("x*a.yaml", "x/a.yaml", False, id="star stays inside a name"),
        pytest.param("**/a.yaml", "x/a.yaml", True, id="two stars are one"),
        pytest.param("**/a.yaml", "a.yaml", False, id="and not none"),
        pytest.param("?.yaml", "a.yaml", True, id="question mark"),
        pytest.param("[a-c].yaml", "b.yaml", True, id="range"),
        pytest.param("[^a-c].yaml", "b.yaml", False, id="negated range"),
        pytest.param("# a.yaml", "a.yaml", False, id="comment"),
        pytest.param("\\#a.yaml", "#a.yaml", True, id="escaped hash"),
        pytest.param("  a.yaml  ", "a.yaml", True, id="blanks around"),
        pytest.param("*.yaml\n!a.yaml", "a.yaml", False, id="exception"),
        pytest.param("!a.yaml\n*.yaml", "a.yaml", False, id="an exception wins wherever it stands"),
        pytest.param("x/", "x", False, id="trailing slash: no file"),
        pytest.param("\n/\n!\n", "a.yaml", False, id="lines without a name"),
        pytest.param("[", "[", False, id="a malformed pattern matches nothing"),
    ],
)
def test_files(lines: str, path: str, ignored: bool) -> None:
    """One file, one answer."""
    assert IgnoreFile(lines).matches(path, is_directory=False) is ignored


def test_directories() -> None:
    """A trailing slash is for directories."""
    assert IgnoreFile("x/").matches("a/x", is_directory=True)
    assert IgnoreFile("/x/").matches("x", is_directory=True)
    assert not IgnoreFile("/x/").matches("a/x", is_directory=True)


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("*", "", True),
        ("a*", "a", True),
        ("*a*b*", "xaybz", True),
        ("*a*b", "xaybz", False),
        ("a?c", "abc", True),
        ("\\*", "*", True),
        ("\\*", "a", False),
        ("[\\]]", "]", True),
        ("[a-]", "a", False),
        ("[]a]", "a", False),
        ("a\\", "a\\", False),
    ],
)
def test_names(pattern: str, name: str, matches: bool) -> None:
    """The patterns of Go's filepath.Match."""
    assert matches_name(pattern, name) is matches


def test_many_stars_are_quick() -> None:
    """No pattern can stall the walk."""
    assert not matches_name("*a" * 200 + "b", "a" * 5000)
