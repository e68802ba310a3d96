"""`rookery convert`: a ResourceGroup becomes the RGD that it would be today, and stays its author's file."""

from __future__ import annotations

from pathlib import Path

import pytest

from krm_fn.command import EXIT_OK, EXIT_REFUSED, EXIT_USAGE
from krm_fn.program.resource_group import with_schema
from tests.command.test_render import rookery
from tests.test_docs import ROOT, blocks

OLD = blocks("docs/convert.md", "yaml")[0]
NEW = blocks("docs/convert.md", "")[0]


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "old.yaml"
    path.write_text(OLD)
    return path


def test_the_page_shows_what_comes_out(old: Path) -> None:
    assert rookery("convert", str(old)) == (EXIT_OK, "# old/webapp.yaml\n" + NEW, "")
    assert (ROOT / "docs/convert.md").exists()


def test_a_converted_file_is_left_alone_the_next_time(old: Path) -> None:
    assert rookery("convert", "--write", str(old)) == (EXIT_OK, f"{old}: converted\n", "")
    code, out, err = rookery("convert", str(old))
    assert (code, out) == (EXIT_REFUSED, "")
    assert "error[nothing-to-convert]" in err
    assert rookery("validate", str(old))[0] == EXIT_OK


def test_other_documents_and_the_way_the_author_writes_stay(old: Path) -> None:
    before, after = (
        "a:   {b: 'c' }  # mine\nkind: X\napiVersion: v1\n---\n",
        "---\n# the end\nkind: Y\napiVersion: v1\n",
    )
    old.write_text(before + OLD + after)
    old.chmod(0o640)
    assert rookery("convert", "--write", str(old))[0] == EXIT_OK
    text = old.read_text()
    assert text.startswith(before)
    assert text.endswith(after)
    assert old.stat().st_mode & 0o777 == 0o640
    assert list(old.parent.iterdir()) == [old]


def test_lists_are_indented_as_they_were(old: Path) -> None:
    indented = OLD.partition("  resources:\n")
    old.write_text("".join(indented[:2]) + "".join(f"  {line}\n" for line in indented[2].splitlines()))
    _, out, _ = rookery("convert", str(old))
    assert "\n    - id: deployment\n      readyWhen:\n      - ${" in out.replace("        - ${", "      - ${")


def test_what_kro_no_longer_has_is_left_out_and_said(old: Path) -> None:
    old.write_text(OLD.replace("  kind: WebApp\n", "  kind: WebApp\n  defaultServiceAccounts: {'*': deployer}\n"))
    code, out, err = rookery("convert", str(old))
    assert (code, "deployer" in out) == (EXIT_OK, False)
    assert f"{old}:10:3: info[field-left-out]: defaultServiceAccounts is left out" in err


def test_the_newest_form_changes_its_kind_alone(old: Path) -> None:
    untidy = NEW.replace("readyWhen:\n    -", "readyWhen:   # mixed\n        -").replace("WebApp\n", "WebApp   \n")
    old.write_text(untidy.replace("kind: ResourceGraphDefinition", "kind: ResourceGroup"))
    assert rookery("convert", str(old)) == (EXIT_OK, untidy, "")


@pytest.mark.parametrize("command", ["render", "validate"])
def test_a_resource_group_is_named_where_an_rgd_is_expected(old: Path, command: str) -> None:
    code, out, err = rookery(command, str(old))
    assert (code, out) == (EXIT_REFUSED, "")
    assert f"{old}:3:7: error[resource-group]: ResourceGroup is what kro called a ResourceGraphDefinition" in err
    assert "rookery convert" in err


def test_the_resource_group_of_kpt_is_another_manifest(tmp_path: Path) -> None:
    (tmp_path / "inventory.yaml").write_text("apiVersion: kpt.dev/v1alpha1\nkind: ResourceGroup\nmetadata: {name: a}\n")
    code, _, err = rookery("convert", str(tmp_path))
    assert code == EXIT_REFUSED
    assert "nothing-to-convert" in err
    assert "resource-group" not in rookery("validate", str(tmp_path))[2]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("${spec.name}", "${schema.spec.name}"),
        ("a-${spec.a}-${metadata.name}-b", "a-${schema.spec.a}-${schema.metadata.name}-b"),
        ("${has(spec.a) ? spec.a.b : spec.c}", "${has(schema.spec.a) ? schema.spec.a.b : schema.spec.c}"),
        ("${'spec.a' + x.spec.b + \"é\" + spec.c}", "${'spec.a' + x.spec.b + \"é\" + schema.spec.c}"),
        ("${spec.list.map(s, s + spec.x)}", "${schema.spec.list.map(s, s + schema.spec.x)}"),
        ("${[1].filter(metadata, metadata > size(spec.a))}", "${[1].filter(metadata, metadata > size(schema.spec.a))}"),
        ("spec.name", "spec.name"),
        ("${spec.}", "${spec.}"),
        ("${ ${spec.a} }", "${ ${spec.a} }"),
    ],
)
def test_the_instance_gets_its_name(text: str, written: str) -> None:
    assert with_schema(text, set()) == written


def test_a_resource_of_that_name_means_itself() -> None:
    assert with_schema("${spec.a + metadata.b}", {"spec"}) == "${spec.a + schema.metadata.b}"


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: kro.run/v1alpha1\nkind: ResourceGroup\n",
        "apiVersion: kro.run/v1alpha1\nkind: ResourceGroup\nspec: []\n",
        "apiVersion: kro.run/v1alpha1\nkind: ResourceGroup\nspec: {definition: 1, resources: [1, {name: [2]}]}\n",
        '{"apiVersion": "kro.run/v1alpha1", "kind": "ResourceGroup", "spec": {"resources": {}}}',
        "apiVersion: kro.run/v1alpha1\nkind: ResourceGroup\nx: &a [b]\ny: *a\n",
        "apiVersion: kro.run/v1alpha1\nkind: ResourceGroup\nspec: {schema: {}, definition: {}}\n",
        "apiVersion: kro.run/v1alpha1\nkind: ResourceGroup\nx: " + "[" * 90 + "]" * 90 + "\n",
        "apiVersion: kro.run/v1alpha1\nkind: ResourceGroup\nn: [0o17, 0x1F, 1_000, 1e3, .5, yes, ~, 2001-01-01, 017]\n",
        "apiVersion: kro.run/v1alpha1\nkind: ResourceGroup\n? a\n: b\n",
    ],
)
def test_a_strange_one_is_converted_or_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.yaml").write_text(text)
    code, out, err = rookery("convert", str(tmp_path))
    assert code in (EXIT_OK, EXIT_REFUSED)
    assert ("kind" in out) == (code == EXIT_OK)
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("argv", "says"),
    [(["convert"], "convert needs a PATH"), (["convert", "--write", "-"], "--write changes files, and - is none")],
)
def test_usage_errors_exit_2(argv: list[str], says: str) -> None:
    code, out, err = rookery(*argv)
    assert (code, out) == (EXIT_USAGE, "")
    assert says in err


def test_help_is_on_stdout() -> None:
    code, out, err = rookery("convert", "--help")
    assert (code, err) == (EXIT_OK, "")
    assert out.startswith("usage: rookery convert PATH...")
