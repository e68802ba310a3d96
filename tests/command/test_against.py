"""`rookery validate --against`: the verdict, the exit code, and where the list of changes goes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from krm_fn.command import EXIT_OK, EXIT_REFUSED, EXIT_USAGE
from tests.command.revisions import commit, repository
from tests.command.test_render import ROOT, WEB, rookery
from tests.rendering import config_map, instance, rgd
from tests.schema import corpus
from tests.test_docs import BLOCK

FIXTURES = ROOT / "fixtures" / "changed-api"
BEFORE = str(FIXTURES / "before.yaml")
PATH = {"PATH": os.environ["PATH"]}
ALLOW = 'annotations: {kro.run/allow-breaking-changes: "true"}'


def made(spec: str, *, kind: str = "App", name: str = "", more: str = "", metadata: str = "") -> str:
    """An RGD with the spec; its name follows its kind, unless another is given."""
    text = rgd(config_map("cm").replace('-cm"}', '-cm", namespace: store}'), spec=spec, kind=kind, more=more)
    named = f"metadata: {{name: {name or kind.lower()}{f', {metadata}' if metadata else ''}}}"
    return text.replace(f"metadata: {{name: {kind.lower()}}}", named, 1)


class Compared:
    """What became of two inputs, each a text with any number of documents."""

    def __init__(self, folder: Path, old: str, new: str, *options: str) -> None:
        for name, text in (("old.yaml", old), ("new.yaml", new)):
            (folder / name).write_text(text)
        argv = ("validate", str(folder / "new.yaml"), "--against", str(folder / "old.yaml"))
        self.code, out, self.err = rookery(*argv, "--changes-format", "json", *options)
        self.document: dict[str, Any] = json.loads(out) if out else {}
        self.states = {api["name"]: api["state"] for api in self.document.get("apis", ())}
        self.text = rookery(*argv, *options)[1]

    def said(self, label: str) -> list[str]:
        """The messages of a kind of diagnostic, such as `error[x]`."""
        return [line.partition(f"{label}: ")[2] for line in self.err.splitlines() if f"{label}: " in line]


# -- the fixtures -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "code", "state", "label", "count"),
    [
        ("before", EXIT_OK, "unchanged", "error", 0),
        ("compatible", EXIT_OK, "accepted", "warning", 0),
        ("breaking", EXIT_REFUSED, "refused", "error[breaking-change]", 3),
        ("breaking-allowed", EXIT_OK, "allowed", "warning[breaking-change]", 3),
        ("not-seen", EXIT_OK, "unseen", "warning[change-not-applied]", 1),
        ("immutable", EXIT_REFUSED, "refused", "error[immutable-field]", 1),
    ],
)
def test_the_fixtures(name: str, code: int, state: str, label: str, count: int) -> None:
    argv = ("validate", str(FIXTURES / f"{name}.yaml"), "--against", BEFORE)
    got, out, err = rookery(*argv, "--changes-format", "json")
    document = json.loads(out)
    assert (got, document["apis"][0]["state"], err.count(label)) == (code, state, count)
    assert (document["kind"], document["against"]) == ("ChangeReport", BEFORE)


def test_what_stands_on_stdout() -> None:
    """The list in every case; in text, what is valid before it; in the other formats nothing but the document."""
    new = str(FIXTURES / "compatible.yaml")
    _, out, _ = rookery("validate", new, "--against", BEFORE)
    assert out.startswith("1 ResourceGraphDefinition, 0 instances: valid\ncompared with ")
    _, out, _ = rookery("validate", new, "--against", BEFORE, "--changes-format", "markdown")
    assert out.startswith("### API changes against ")
    code, out, _ = rookery("validate", str(FIXTURES / "breaking.yaml"), "--against", BEFORE)
    assert code == EXIT_REFUSED
    assert out.startswith("compared with ")


def test_the_document_has_kros_verdict_in_kros_words() -> None:
    _, out, _ = rookery("validate", str(FIXTURES / "breaking.yaml"), "--against", BEFORE, "--changes-format", "json")
    [api] = json.loads(out)["apis"]
    assert api["kro"]["summary"] == (
        'Property owner was removed; Maximum was decreased from 5 to 3; Enum value "medium" was removed'
    )
    assert api["kro"]["breaking"][1] == {
        "type": "MAXIMUM_DECREASED",
        "field": "spec.replicas",
        "old": "5",
        "new": "3",
        "description": "Maximum was decreased from 5 to 3",
        "path": ".properties.spec.properties.replicas.maximum",
    }
    assert (api["crd"], api["kro"]["compatible"], api["immutable"], api["uncompared"]) == (
        "caches.kro.run",
        False,
        [],
        [],
    )


# -- verdicts ---------------------------------------------------------------------------------------------------------

SAME = "{x: string}"


def test_a_position_is_that_of_the_field_in_the_new_version(tmp_path: Path) -> None:
    old = made("{a: string, list: '[]Item', free: string}", more="types: {Item: {name: string}}")
    new = made("{a: integer, list: '[]Item', in: {x: string | required=true}}", more="types: {Item: {name: boolean}}")
    got = Compared(tmp_path, old, new)
    file = tmp_path / "new.yaml"
    assert [line for line in got.err.splitlines() if "error[" in line] == [
        f"{file}:8:5: error[breaking-change]: spec.free: property free was removed",
        f"{file}:8:12: error[breaking-change]: spec.a: type changed from string to integer",
        f"{file}:8:24: error[breaking-change]: spec.list[].name: type changed from string to boolean",
    ]


@pytest.mark.parametrize(
    ("annotation", "code", "severity"),
    [
        pytest.param('"true"', EXIT_OK, "warning", id="allowed"),
        pytest.param('"True"', EXIT_REFUSED, "error", id="kro wants the word as it is"),
        pytest.param('"false"', EXIT_REFUSED, "error", id="not allowed"),
    ],
)
def test_the_annotation_of_the_new_version_counts(tmp_path: Path, annotation: str, code: int, severity: str) -> None:
    new = made("{}", metadata=f"annotations: {{kro.run/allow-breaking-changes: {annotation}}}")
    got = Compared(tmp_path, made(SAME), new)
    assert (got.code, len(got.said(f"{severity}[breaking-change]"))) == (code, 1)
    assert Compared(tmp_path, made(SAME, metadata=ALLOW), made("{}")).code == EXIT_REFUSED


@pytest.mark.parametrize(
    ("more", "kind", "message"),
    [
        pytest.param("group: example.com", "App", "group of a ResourceGraphDefinition cannot be changed, it was kro.run", id="group"),
        pytest.param("scope: Cluster", "App", "scope of a ResourceGraphDefinition cannot be changed, it was Namespaced", id="scope"),
        pytest.param("", "Other", "kind of a ResourceGraphDefinition cannot be changed, it was App", id="kind"),
    ],
)  # fmt: skip
def test_what_no_annotation_allows(tmp_path: Path, more: str, kind: str, message: str) -> None:
    got = Compared(tmp_path, made(SAME), made(SAME, kind=kind, name="app", more=more, metadata=ALLOW))
    assert (got.code, got.states, got.said("error[immutable-field]")) == (EXIT_REFUSED, {"app": "refused"}, [message])


def test_another_version_is_said_once_and_kros_verdict_stays(tmp_path: Path) -> None:
    new = made(SAME).replace("apiVersion: v1alpha1", "apiVersion: v1beta1")
    got = Compared(tmp_path, made("{y: string}"), new)
    assert got.code == EXIT_REFUSED
    assert got.said("error[immutable-field]") == [
        "apiVersion of a ResourceGraphDefinition cannot be changed, it was v1alpha1"
    ]
    assert got.said("error[breaking-change]") == []
    [api] = got.document["apis"]
    assert api["kro"]["summary"] == "Type changed from v1alpha1 to v1beta1"


def test_a_renamed_rgd_does_not_get_the_crd(tmp_path: Path) -> None:
    got = Compared(tmp_path, made(SAME, name="old"), made(SAME, name="new", metadata=ALLOW))
    assert (got.code, got.states) == (EXIT_REFUSED, {"new": "refused"})
    assert got.said("error[crd-of-another-rgd]") == ["apps.kro.run belongs to ResourceGraphDefinition old"]
    assert got.document["apis"][0]["formerName"] == "old"


def test_two_rgds_that_swap_their_kinds_are_compared_by_name(tmp_path: Path) -> None:
    old = made(SAME, name="a", kind="One") + "---\n" + made(SAME, name="b", kind="Two")
    new = made(SAME, name="a", kind="Two") + "---\n" + made(SAME, name="b", kind="One")
    got = Compared(tmp_path, old, new)
    assert got.states == {"a": "refused", "b": "refused"}
    assert len(got.said("error[immutable-field]")) == 2


def test_what_is_new_and_what_is_gone(tmp_path: Path) -> None:
    got = Compared(tmp_path, made(SAME, kind="Gone"), made(SAME, kind="New"))
    assert (got.code, got.states) == (EXIT_OK, {"gone": "removed", "new": "added"})
    assert got.said("warning[rgd-removed]") == [
        f"gone of {tmp_path / 'old.yaml'} is gone: nobody looks after its Gone objects any more"
    ]
    assert "news.kro.run (new): new" in got.text


def test_the_order_of_documents_means_nothing(tmp_path: Path) -> None:
    old = [made(SAME, kind=kind) for kind in ("A", "B", "C")]
    new = [made("{}", kind="A"), made(SAME, kind="B"), made(SAME, kind="D")]
    reports = {
        json.dumps(Compared(tmp_path, "---\n".join(one), "---\n".join(other)).document)
        for one in permutations(old)
        for other in permutations(new)
    }
    assert len(reports) == 1


def test_a_rule_that_comes_with_another_change_is_enforced_without_a_word(tmp_path: Path) -> None:
    old, new = made("{x: string, y: string}"), made("{x: 'string | immutable=true', y: 'string | default=a'}")
    got = Compared(tmp_path, old, new)
    assert (got.code, got.states) == (EXIT_OK, {"app": "accepted"})
    assert got.said("warning[overlooked-change]") == [
        "spec.x: transition rule self == oldSelf was added, which kro does not look at"
    ]
    assert Compared(tmp_path, new, old).said("warning[overlooked-change]") == []


def test_a_rule_alone_never_arrives(tmp_path: Path) -> None:
    got = Compared(tmp_path, made("{x: string}"), made("{x: 'string | enum=\"a\" immutable=true'}"))
    assert (got.code, got.states) == (EXIT_OK, {"app": "unseen"})
    assert got.said("warning[change-not-applied]") == [
        'spec.x: enum "a" was added (and 1 more), which kro does not look at: it leaves the CRD as it is'
    ]


def test_templates_and_instances_are_no_part_of_an_api(tmp_path: Path) -> None:
    new = made(SAME).replace("id: cm", "id: other") + "---\n" + instance("{x: a}")
    got = Compared(tmp_path, made(SAME) + "---\n" + instance("{x: [1]}"), new)
    assert (got.code, got.states, got.err) == (EXIT_OK, {"app": "unchanged"}, "")


# -- versions that are not valid ----------------------------------------------------------------------------------------


def test_a_new_version_that_is_not_valid_is_not_compared_and_not_gone(tmp_path: Path) -> None:
    got = Compared(
        tmp_path, made(SAME) + "---\n" + made(SAME, kind="B"), made("{x: nope}") + "---\n" + made("{}", kind="B")
    )
    assert (got.code, got.states) == (EXIT_REFUSED, {"app": "not-compared", "b": "refused"})
    assert got.said("warning[rgd-removed]") == []
    assert len(got.said("error[breaking-change]")) == 1


def test_an_old_file_that_is_not_valid_is_an_error(tmp_path: Path) -> None:
    got = Compared(tmp_path, made("{x: nope}"), made(SAME))
    assert (got.code, got.states) == (EXIT_REFUSED, {"app": "not-compared"})
    [said] = got.said("error[against-not-valid]")
    assert said.startswith(f"app of {tmp_path / 'old.yaml'} is not valid, and is not compared: ")


def test_an_old_revision_that_is_not_valid_is_a_warning(tmp_path: Path) -> None:
    place = repository(tmp_path / "repository")
    commit(place, {"rgd.yaml": made("{x: nope}")})
    (place / "rgd.yaml").write_text(made(SAME))
    code, _, err = rookery("validate", str(place), "--against", "main", env=PATH)
    assert (code, err.count("warning[against-not-valid]: app of main is not valid")) == (EXIT_OK, 1)
    assert "main:rgd.yaml:3:18: " in err


@pytest.mark.parametrize(
    ("content", "label"),
    [
        pytest.param(b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n", "error[against-without-rgd]", id="another kind"),
        pytest.param(b"", "error[against-without-rgd]", id="empty"),
        pytest.param(b"replicas: 1\n", "error[against-without-rgd]", id="values"),
        pytest.param(b"a: [", "error[yaml-syntax]", id="no YAML"),
        pytest.param(b"\x7fELF\0\0\xff", "error[yaml-encoding]", id="binary"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_rgd(tmp_path: Path, content: bytes, label: str) -> None:
    (tmp_path / "old").write_bytes(content)
    code, out, err = rookery("validate", WEB, "--against", str(tmp_path / "old"))
    assert (code, out) == (EXIT_REFUSED, "")
    assert label in err


def test_a_directory_without_an_rgd_and_a_device(tmp_path: Path) -> None:
    assert "error[against-without-rgd]" in rookery("validate", WEB, "--against", str(tmp_path))[2]
    assert "error[special-file]" in rookery("validate", WEB, "--against", "/dev/null")[2]


def test_problems_of_both_versions_are_reported_at_once(tmp_path: Path) -> None:
    (tmp_path / "new.yaml").write_text(made("{x: nope}"))
    code, _, err = rookery("validate", str(tmp_path), "--against", "--nope", env=PATH)
    assert code == EXIT_REFUSED
    assert err.count("error[") == 2
    assert "error[revision-unusable]" in err


@pytest.mark.thorough
def test_a_huge_schema_is_compared_in_time(tmp_path: Path) -> None:
    """Nearly as many fields as a schema may have, all of them changed; types that refer to types, each twice."""
    wide = {f"f{i}": "string" for i in range(20_000)}
    got = Compared(tmp_path, made(json.dumps(wide)), made(json.dumps(dict.fromkeys(wide, "integer"))))
    assert (got.code, len(got.document["apis"][0]["kro"]["breaking"])) == (EXIT_REFUSED, 20_000)
    assert "and 19800 more" in got.text
    assert "and 51 errors more" in got.err, "a hundred have a place, one counts the rest; 50 are shown"
    deep = {f"T{i}": {"a": f"T{i + 1}", "b": f"T{i + 1}"} for i in range(14)}
    old, new = (made("{x: T0}", more=f"types: {json.dumps({**deep, 'T14': last})}") for last in ("string", "integer"))
    got = Compared(tmp_path, old, new)
    assert len(got.document["apis"][0]["kro"]["breaking"]) == 2**14


# -- where the earlier version comes from ---------------------------------------------------------------------------------


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """`main` has one field, `feature` another one, and the working tree both."""
    place = repository(tmp_path / "repository")
    commit(place, {"rgds/app.yaml": made("{old: string}"), "notes/a.txt": "no manifest"})
    subprocess.run(["git", "tag", "v1"], cwd=place, check=True)
    commit(place, {"rgds/app.yaml": made("{new: string}")})
    (place / "rgds" / "app.yaml").write_text(made("{old: string, new: string}"))
    return place


@pytest.mark.parametrize(
    ("against", "field"), [("main", "spec.old"), ("v1", "spec.new"), ("HEAD~1", "spec.new"), ("@", "spec.old")]
)
def test_revisions(place: Path, against: str, field: str) -> None:
    code, out, err = rookery("validate", str(place / "rgds"), "--against", against, env=PATH)
    assert (code, err) == (EXIT_OK, "")
    assert f"compared with {against}: 1 accepted" in out
    assert f"non-breaking  {field}  " in out


def test_a_path_that_exists_is_no_revision(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    (place / "main").mkdir()
    (place / "main" / "app.yaml").write_text(made("{old: string, new: string}"))
    assert "1 unchanged" in rookery("validate", "rgds", "--against", "main", env=PATH)[1]
    assert "1 accepted" in rookery("validate", "rgds", "--against", "refs/heads/main", env=PATH)[1]


def test_the_earlier_version_on_stdin() -> None:
    old = Path(BEFORE).read_text()
    code, out, _ = rookery("validate", str(FIXTURES / "compatible.yaml"), "--against", "-", stdin=old)
    assert code == EXIT_OK
    assert "compared with -: 1 accepted" in out


def test_a_new_directory_is_all_new(place: Path) -> None:
    shutil.copytree(place / "rgds", place / "moved")
    code, out, err = rookery("validate", str(place / "moved"), "--against", "main", env=PATH)
    assert code == EXIT_OK
    assert "warning[path-not-in-revision]" in err
    assert "1 added" in out


def test_crds_serve_both_versions(tmp_path: Path) -> None:
    """A kind that only --crds knows would be a warning of the new version, and is none."""
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.example.com"},
        "spec": {"group": "example.com", "scope": "Cluster", "names": {"kind": "Thing", "plural": "things"},
                 "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}]},
    }  # fmt: skip
    (tmp_path / "crd.json").write_text(json.dumps(crd))
    text = made(SAME).replace("apiVersion: v1\n    kind: ConfigMap", "apiVersion: example.com/v1\n    kind: Thing")
    got = Compared(tmp_path, text, text, "--crds", str(tmp_path / "crd.json"))
    assert (got.code, got.states) == (EXIT_OK, {"app": "unchanged"})


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        pytest.param(["--changes-format", "json"], "--changes-format needs --against", id="a format of nothing"),
        pytest.param(["--against", "x", "--changes-format", "html"], "one of text, json, markdown", id="a format"),
        pytest.param(["--against"], "--against needs a value", id="no value"),
        pytest.param(["-", "--against", "-"], "stdin cannot be both", id="stdin twice"),
    ],
)
def test_usage(argv: list[str], says: str) -> None:
    code, out, err = rookery("validate", WEB, *argv)
    assert (code, out) == (EXIT_USAGE, "")
    assert says in err


# -- kro itself -----------------------------------------------------------------------------------------------------------


def rgds_of_the_corpora() -> list[Any]:
    folders = ("kro-upgrade-fixtures", "kro-examples")
    return [
        pytest.param(path, id=f"{path.parent.parent.name}-{path.parent.name}")
        for folder in folders
        for path in sorted(corpus.FOLDER.glob(f"{folder}/*/rgd*.yaml"))
    ]


@pytest.mark.parametrize("path", rgds_of_the_corpora())
def test_nothing_changes_between_two_readings_of_an_rgd(path: Path) -> None:
    _, out, err = rookery("validate", str(path), "--against", str(path), "--changes-format", "json")
    if out:
        assert {api["state"] for api in json.loads(out)["apis"]} <= {"unchanged", "not-compared"}, err
    else:
        assert "error[duplicate-key]" in err, "what kubectl reads, and is refused here"


def updates() -> list[Any]:
    """Each update of an RGD in kro's integration tests, with the version that kro served before, and what kro made of it."""
    found: list[Any] = []
    for path in sorted(corpus.FOLDER.glob("kro-tests/scenarios/*.yaml")):
        served: dict[str, Any] = {}
        applied: dict[str, Any] = {}
        [scenario] = corpus.documents(path)
        for step in scenario["steps"]:
            [(verb, value), *_] = step.items()
            if verb in ("apply", "update") and value.get("kind") == "ResourceGraphDefinition":
                applied[value["metadata"]["name"]] = value
            elif verb == "expect_rgd" and value["name"] in applied and "state" in value:
                name = value["name"]
                if name in served and served[name] is not applied[name]:
                    found.append(
                        pytest.param(served[name], applied[name], value["state"], id=f"{path.stem}-{len(found)}")
                    )
                if value["state"] == "Active":
                    served[name] = applied[name]
    return found


@pytest.mark.parametrize(("old", "new", "state"), updates())
def test_kro_refuses_what_is_refused_here(tmp_path: Path, old: Any, new: Any, state: str) -> None:
    got = Compared(tmp_path, json.dumps(old), json.dumps(new))
    assert (got.code == EXIT_OK) == (state == "Active"), got.err


# -- the page -------------------------------------------------------------------------------------------------------------


def test_the_page_says_what_the_commands_say(tmp_path: Path) -> None:
    """`console` blocks run as they stand, both streams in one; a plain block is what the `sh` block before it prints."""
    place = repository(tmp_path)
    shutil.copytree(ROOT / "fixtures", place / "fixtures")
    commit(place, {"rgds/cache.yaml": Path(BEFORE).read_text()})
    (place / "rgds" / "cache.yaml").write_text((FIXTURES / "breaking.yaml").read_text())
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    commands, ran = "", 0
    for language, text in BLOCK.findall((ROOT / "docs" / "compatibility.md").read_text()):
        wanted = text
        if language == "console":
            lines = text.splitlines(keepends=True)
            commands = "".join(line[2:] for line in lines if line.startswith("$ "))
            wanted = "".join(line for line in lines if not line.startswith("$ "))
        elif language == "sh":
            commands = text
            continue
        done = subprocess.run(
            ["bash", "-c", commands], cwd=place, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )  # fmt: skip
        assert done.stdout == wanted
        ran += 1
    assert ran == 4
