"""What the function takes on stdin, and what it prints when it takes nothing: never an empty list with exit code 0."""

from __future__ import annotations

import io

import pytest

from krm_fn.command import EXIT_OK, EXIT_REFUSED, EXIT_USAGE, run
from tests.function.lists import KPTFILE, app, definition, fn, resource_list


@pytest.mark.parametrize("version", ["v1", "v1beta1", "v1alpha1"])
def test_every_version_of_the_list_is_answered_as_v1(version: str) -> None:
    answer = fn(resource_list(KPTFILE, definition(), app(), version=version))
    assert answer.code == EXIT_OK
    assert answer.list["apiVersion"] == "config.kubernetes.io/v1"
    assert answer.list["kind"] == "ResourceList"
    assert sorted(answer.items) == ["Kptfile", "rendered/app.store.shop/cm.yaml", "rgd.yaml", "shop.yaml"]


@pytest.mark.parametrize(
    ("stdin", "says"),
    [
        pytest.param("", "the input is empty", id="empty"),
        pytest.param("# nothing\n", "the input is empty", id="comments-only"),
        pytest.param("hello\n", "the input is no ResourceList", id="text"),
        pytest.param("[1, 2]\n", "the input is no ResourceList", id="list"),
        pytest.param("apiVersion: v1\nkind: List\nitems: []\n", "the input is no ResourceList", id="other-kind"),
        pytest.param("a: 1\n---\nb: 2\n", "the input has 2 documents", id="two-documents"),
        pytest.param("a: [1\n", "yaml-syntax", id="no-yaml"),
        pytest.param(b"\xff\xfe\x00", "UTF-16", id="no-utf-8"),
        pytest.param(resource_list() + "  a: b\n", "items is no list", id="items-no-list"),
        pytest.param(resource_list("- 1\n"), "items[0] is no object", id="item-no-object"),
    ],
)
def test_anything_else_is_refused_on_stderr_alone(stdin: str | bytes, says: str) -> None:
    answer = fn(stdin)
    assert answer.code == EXIT_REFUSED
    assert answer.stdout == ""
    assert says in answer.stderr.splitlines()[0]


@pytest.mark.parametrize(
    ("stdin", "code"),
    [
        pytest.param(resource_list(), "no-items", id="null"),
        pytest.param("apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: []\n", "no-items", id="empty"),
        pytest.param("apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n", "no-items", id="absent"),
        pytest.param(resource_list(KPTFILE, version="v9"), "not-a-resource-list", id="unknown-version"),
        pytest.param(
            resource_list(KPTFILE).replace("config.kubernetes.io/v1", "example.com/v1"),
            "not-a-resource-list",
            id="other-group",
        ),
    ],
)
def test_a_list_that_cannot_be_worked_on_comes_back_with_the_reason(stdin: str, code: str) -> None:
    answer = fn(stdin)
    assert answer.code == EXIT_REFUSED
    assert answer.codes == [code]
    assert answer.results[0]["severity"] == "error"
    assert f"error[{code}]: " in answer.stderr.splitlines()[0]


def test_a_package_without_definitions_passes_through() -> None:
    answer = fn(resource_list(KPTFILE))
    assert answer.code == EXIT_OK
    assert answer.texts == [KPTFILE]
    assert [(r["severity"], r["message"]) for r in answer.results] == [
        ("info", "the package has no ResourceGraphDefinition")
    ]
    assert answer.stderr == ""


class Unread(io.BytesIO):
    def read(self, _size: int | None = -1, /) -> bytes:
        raise AssertionError("stdin is read")


@pytest.mark.parametrize("word", ["--help", "-h"])
def test_help_is_printed_without_reading_stdin(word: str) -> None:
    """`kpt fn doc` runs the image so, with nothing on stdin."""
    out, err = io.BytesIO(), io.StringIO()
    assert run(["fn", word], Unread(), out, err, {}) == EXIT_OK
    assert out.getvalue().startswith(b"usage: rookery fn")


def test_arguments_are_a_usage_error() -> None:
    out, err = io.BytesIO(), io.StringIO()
    assert run(["fn", "--strict"], Unread(), out, err, {}) == EXIT_USAGE
    assert out.getvalue() == b""
    assert "functionConfig" in err.getvalue()


@pytest.mark.parametrize(
    "metadata", ["true", "text", "[1]", "null", "{annotations: 5}", "{annotations: {a: 1}}", "{name: [x]}"]
)
@pytest.mark.parametrize("kind", ["App", "ResourceGraphDefinition", "Other"])
def test_odd_metadata_never_ends_in_a_traceback(kind: str, metadata: str) -> None:
    odd = f"- apiVersion: kro.run/v1alpha1\n  kind: {kind}\n  metadata: {metadata}\n  spec: {{}}\n"
    answer = fn(resource_list(KPTFILE, definition(), odd))
    assert answer.code == EXIT_REFUSED
    assert {result["severity"] for result in answer.results} >= {"error"}
