"""`rookery health --merge`: checks in an argocd-cm that stays a person's file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from krm_fn.command import EXIT_OK, EXIT_REFUSED
from tests.command.test_health import KEY, TEXT, entries, health, rgd


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


MINE = """\
# Argo CD of the shop
apiVersion: v1
kind: Namespace
metadata: {name:   argocd}   # as written
---
apiVersion: v1
kind: ConfigMap
metadata:
    name: argocd-cm   # by hand
    labels: {"app.kubernetes.io/part-of": argocd}
# what follows is read by the server
data:
    # where it is
    url: "https://argocd.example.com"   # not http
    resource.customizations.health.other.example.com_Other: |
        -- mine
        return {status = "Healthy", message = ""}
    statusbadge.enabled: 'true'
---
# the end
"""


def merge(place: Path, text: str, *texts: str) -> tuple[int, str, str]:
    (place / "argocd-cm.yaml").write_text(text, newline="")
    return health(place, *(texts or (TEXT,)), words=("--merge", "argocd-cm.yaml"))


def test_what_is_there_stays(place: Path) -> None:
    code, out, _ = merge(place, MINE)
    assert code == EXIT_OK
    start = out.index(f"    {KEY}: |\n")
    check = out[start : out.index("---\n# the end")]
    assert out.replace(check, "") == MINE
    assert (place / "argocd-cm.yaml").read_text() == MINE
    assert yaml.safe_load(check)[KEY] == entries(health(place, TEXT)[1])[KEY]


def test_merging_twice_is_merging_once(place: Path) -> None:
    once = merge(place, MINE)[1]
    assert merge(place, once) == (EXIT_OK, once, merge(place, once)[2])


def test_a_check_that_was_made_here_is_made_anew(place: Path) -> None:
    once = merge(place, MINE)[1]
    code, out, _ = merge(place, once, rgd("database.status.up"))
    assert code == EXIT_OK
    assert "database.status.up" in out
    assert "conditions.exists" not in out


@pytest.mark.parametrize("data", ["", "data:\n", "data: {}\n", "data: {url: x}\n"])
def test_an_argocd_cm_without_entries(place: Path, data: str) -> None:
    code, out, _ = merge(place, f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: argocd-cm\n{data}")
    assert code == EXIT_OK
    assert KEY in entries(out)


@pytest.mark.parametrize(
    "entry",
    [
        f"{KEY}: 'return 1'",
        "resource.customizations.health.all: 'return 1'",
        "resource.customizations: |\n    db.example.com/Database:\n      health.lua: 'return 1'",
        "resource.customizations: |\n    '*.example.com/*':\n      health.lua: 'return 1'",
        "resource.customizations: '['",
    ],
)
def test_a_check_that_somebody_wrote_is_never_overwritten(place: Path, entry: str) -> None:
    text = f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: argocd-cm\ndata:\n  {entry}\n"
    code, out, err = merge(place, text)
    assert (code, out) == (EXIT_OK, text)
    assert "warning[check-in-the-way]: Database has a health check that was not made here, and keeps it: " in err


def test_a_check_that_somebody_changed_is_somebodys(place: Path) -> None:
    changed = merge(place, MINE)[1].replace("is ready", "is so ready")
    code, out, err = merge(place, changed, rgd("database.status.up"))
    assert (code, out) == (EXIT_OK, changed)
    assert "check-in-the-way" in err


def test_the_checks_of_other_rgds_are_not_lost(place: Path) -> None:
    both = merge(place, MINE, TEXT, rgd("cache.status.up", kind="Store", node="cache"))[1]
    code, out, err = merge(place, both, TEXT)
    assert (code, out) == (EXIT_REFUSED, "")
    assert "error[check-of-other-rgds]: the health check of Database is for kro.run/Store, too" in err


@pytest.mark.parametrize(
    "text",
    [
        "",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: other\n",
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: argocd-cm\n",
        "configs:\n  cm: {}\n",
        MINE + MINE,
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: argocd-cm\ndata:\n  a: 1\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: argocd-cm\ndata: [a]\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: argocd-cm\ndata:\n  <<: {a: b}\n",
    ],
)
def test_an_argocd_cm_that_is_not_one(place: Path, text: str) -> None:
    code, out, err = merge(place, text)
    assert (code, out) == (EXIT_REFUSED, "") or (code == EXIT_OK and "<<" in text and entries(out)["a"] == "b")
    assert "error[not-argocd-cm]" in err or code == EXIT_OK


def test_a_config_map_has_a_limit(place: Path) -> None:
    code, out, err = merge(
        place, f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: argocd-cm\ndata:\n  a: {'b' * 1_047_000}\n"
    )
    assert (code, out) == (EXIT_REFUSED, "")
    assert "error[argocd-cm-too-large]" in err


def test_the_output_may_be_the_file_that_is_merged_into(place: Path) -> None:
    expected = merge(place, MINE)[1]
    assert health(place, TEXT, words=("--merge", "argocd-cm.yaml", "-o", "argocd-cm.yaml"))[:2] == (EXIT_OK, "")
    assert (place / "argocd-cm.yaml").read_text() == expected
    assert health(place, TEXT, words=("-o", "new.yaml"))[:2] == (EXIT_OK, "")
    assert KEY in entries((place / "new.yaml").read_text())
    code, _, err = health(place, TEXT, words=("-o", "missing/argocd-cm.yaml"))
    assert code == EXIT_REFUSED
    assert "error[cannot-write]" in err


def test_a_file_that_cannot_be_written_is_named(place: Path) -> None:
    (place / "folder").mkdir()
    code, _, err = health(place, TEXT, words=("-o", "folder"))
    assert code == EXIT_REFUSED
    assert "error[cannot-write]: folder cannot be written: is a directory\n" in err


# -- checks that nothing asks for any more ----------------------------------------------------------------------------

ASKS_NOTHING = TEXT.replace("readyWhen:", "includeWhen:").replace(
    "${database.status.conditions.exists(c, c.type == 'Ready' && c.status == 'True')}", "${true}"
)
CACHE = rgd("cache.status.up", kind="Store", node="cache", made="Cache")
SHARED = rgd("cache.status.up", kind="Store", node="cache")


def data_of(out: str) -> dict[str, str]:
    (found,) = [each for each in yaml.safe_load_all(out) if each and each["kind"] == "ConfigMap"]
    data: dict[str, str] = found["data"]
    return data


def test_a_check_that_nothing_asks_for_any_more_is_removed(place: Path) -> None:
    once = merge(place, MINE)[1]
    code, out, err = merge(place, once, ASKS_NOTHING)
    assert (code, out) == (EXIT_OK, MINE)
    assert (
        "argocd-cm.yaml:19:5: info[check-removed]: the health check of Database is removed: "
        f"no readyWhen of kro.run/App asks for it any more\n   19 |     {KEY}: |\n"
    ) in err
    assert "check-removed" not in merge(place, MINE, ASKS_NOTHING)[2]


def test_so_is_that_of_an_instance_which_is_not_asked_for(place: Path) -> None:
    (place / "argocd-cm.yaml").write_text(MINE)
    words = ("--merge", "argocd-cm.yaml")
    _, both, _ = health(place, TEXT, words=(*words, "--emit", "instances"))
    assert merge(place, both) == (EXIT_OK, merge(place, MINE)[1], merge(place, both)[2])


def test_what_is_below_a_check_that_is_removed_stays(place: Path) -> None:
    below = "    # what people log in with\n    dex.config: ''\n\n    # the end of data\n"
    mine = MINE.replace("---\n# the end", f"{below}---\n# the end")
    once = merge(place, MINE)[1].replace("---\n# the end", f"{below}---\n# the end")
    assert merge(place, once, ASKS_NOTHING)[:2] == (EXIT_OK, mine)


def test_a_check_that_only_another_rgd_asks_for_now_is_made_anew(place: Path) -> None:
    both = merge(place, MINE, TEXT, SHARED)[1]
    code, out, err = merge(place, both, ASKS_NOTHING, SHARED)
    assert code == EXIT_OK, err
    assert "For: kro.run/Store\n" in out


def test_a_check_that_an_absent_rgd_may_ask_for_is_not_removed(place: Path) -> None:
    both = merge(place, MINE, TEXT, SHARED)[1]
    code, out, err = merge(place, both, ASKS_NOTHING)
    assert (code, out) == (EXIT_REFUSED, "")
    assert "error[check-of-other-rgds]: the health check of Database is for kro.run/Store, too" in err


def test_a_check_of_other_rgds_alone_stays_and_is_said(place: Path) -> None:
    cache = merge(place, MINE, CACHE)[1]
    code, out, err = merge(place, cache)
    assert code == EXIT_OK
    assert data_of(out) == {**data_of(cache), **data_of(merge(place, MINE)[1])}
    assert (
        "warning[check-of-other-rgds]: the health check of Cache is for kro.run/Store, "
        "which is not among the input, and stays as it is\n"
    ) in err


def test_a_check_gives_way_to_one_that_somebody_wrote_for_the_same_kind(place: Path) -> None:
    by_hand = "    resource.customizations: |\n        '*.example.com/*':\n            health.lua: 'return 1'\n"
    once = merge(place, MINE)[1].replace("    statusbadge", f"{by_hand}    statusbadge")
    code, out, err = merge(place, once)
    assert (code, out) == (EXIT_OK, MINE.replace("    statusbadge", f"{by_hand}    statusbadge"))
    assert "warning[check-in-the-way]" in err
    assert "info[check-removed]: the health check of Database is removed: somebody wrote one for the kind\n" in err


@pytest.mark.parametrize("key", ["resource.customizations.health.*.example.com_Database", "my.lua"])
def test_a_copy_of_a_check_under_another_key_is_somebodys(place: Path, key: str) -> None:
    copied = merge(place, MINE)[1].replace(KEY, key)
    assert merge(place, copied, ASKS_NOTHING)[:2] == (EXIT_OK, copied)


# -- files of any form ------------------------------------------------------------------------------------------------


def test_json_stays_json(place: Path) -> None:
    value = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "argocd-cm"},
        "data": {"url": "höst\U0001f600"},
    }
    checks = entries(health(place, TEXT)[1])
    wanted = {**value, "data": {**value["data"], **checks}}  # type: ignore[dict-item]
    for ascii_ in (False, True):
        for how in ({"separators": (",", ":")}, {}, {"indent": 2}, {"indent": "\t"}):
            text = json.dumps(value, ensure_ascii=ascii_, **how)
            code, out, _ = merge(place, text)
            assert (code, json.loads(out)) == (EXIT_OK, wanted)
            if not ascii_:
                assert out == json.dumps(wanted, ensure_ascii=False, **how)
            assert merge(place, out)[1] == out
            assert merge(place, out, ASKS_NOTHING)[1] == text


@pytest.mark.parametrize("indent", [None, 2, 4])
@pytest.mark.parametrize("data", [{}, None, "absent"])
def test_json_without_entries(place: Path, indent: int | None, data: object) -> None:
    value = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm"}, "data": data}
    if data == "absent":
        del value["data"]
    code, out, _ = merge(place, json.dumps(value, indent=indent))
    assert (code, out) == (EXIT_OK, json.dumps({**value, "data": entries(health(place, TEXT)[1])}, indent=indent))
    value["data"] = {}
    assert merge(place, out, ASKS_NOTHING)[1] == json.dumps(value, indent=indent)


def test_entries_in_braces_become_lines(place: Path) -> None:
    text = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: argocd-cm}
data: {  # what the server reads
    # where it is
    "url":"x",   # not http
    b: 'y', c: "in
      two lines"   # of these
    # no more
  }  # up to here
# the end
"""
    code, out, _ = merge(place, text)
    assert code == EXIT_OK
    start = out.index(f"  {KEY}: |\n")
    assert (
        out[:start]
        == """\
apiVersion: v1
kind: ConfigMap
metadata: {name: argocd-cm}
data: # what the server reads
  # where it is
  "url": "x"  # not http
  b: 'y'
  c: in two lines
  # of these
  # no more
"""
    )
    assert out.endswith("\n  # up to here\n# the end\n")
    assert yaml.safe_load(out)["data"] == {**yaml.safe_load(text)["data"], **entries(health(place, TEXT)[1])}


def test_yaml_in_braces_as_a_whole_has_lines_that_can_be_read(place: Path) -> None:
    code, out, _ = merge(place, "{apiVersion: v1, kind: ConfigMap, metadata: {name: argocd-cm}, data: {url: x}}\n")
    assert code == EXIT_OK
    assert data_of(out) == {"url": "x", **entries(health(place, TEXT)[1])}
    assert max(map(len, out.splitlines())) < 250
    assert merge(place, out)[1] == out


@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
def test_line_ends_are_those_of_the_file(place: Path, line_break: str) -> None:
    code, out, _ = merge(place, MINE.replace("\n", line_break))
    assert (code, out) == (EXIT_OK, merge(place, MINE)[1].replace("\n", line_break))
    assert merge(place, out, ASKS_NOTHING)[1] == MINE.replace("\n", line_break)
    (place / "argocd-cm.yaml").write_text(MINE.replace("\n", line_break), newline="")
    health(place, TEXT, words=("--merge", "argocd-cm.yaml", "-o", "argocd-cm.yaml"))
    assert (place / "argocd-cm.yaml").read_bytes() == out.encode()


def test_lines_that_are_not_ours_are_not_looked_at(place: Path) -> None:
    text = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name:      argocd-cm
  finalizers:
    -   b
data:
  url:      https://x
  accounts: "a"   \n

  # c

  z: |  # note
    a  \n    b\n"""
    code, out, _ = merge(place, text)
    assert code == EXIT_OK
    assert out.startswith(f"{text}  {KEY}: |\n")


# -- what is no argocd-cm ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "argocd-cm.yaml:1:1: error[not-argocd-cm]: the file has no ConfigMap argocd-cm\n"),
        ("# nothing yet\n", "argocd-cm.yaml:1:1: error[not-argocd-cm]: the file has no ConfigMap argocd-cm\n"),
        (
            "# a\nkind: Secret\n",
            "argocd-cm.yaml:2:7: error[not-argocd-cm]: the file has no ConfigMap argocd-cm\n    2 | kind: Secret\n      |       ^^^^^^\n",
        ),
        (
            "- a\n",
            "argocd-cm.yaml:1:1: error[not-argocd-cm]: the file has no ConfigMap argocd-cm\n    1 | - a\n      | ^\n",
        ),
        (
            "kind: ConfigMap\nmetadata:\n  name: argocd-cmd\n",
            "argocd-cm.yaml:3:9: error[not-argocd-cm]: the file has no ConfigMap argocd-cm\n    3 |   name: argocd-cmd\n      |         ^^^^^^^^^^\n",
        ),
        (
            "argo-cd:\n  configs:\n    cm:\n      url: x\n",
            (
                "argocd-cm.yaml:3:5: error[not-argocd-cm]: the file has no ConfigMap argocd-cm\n"
                "    3 |     cm:\n      |     ^^\n"
                "   help: these are values of a Helm chart: argo-cd.configs.cm takes the entries that are printed without --merge\n"
            ),
        ),
        (
            "kind: List\nitems:\n  - kind: Secret\n  - {apiVersion: v1, kind: ConfigMap, metadata: {name: argocd-cm}}\n",
            "argocd-cm.yaml:4:56: error[not-argocd-cm]: the file has argocd-cm inside a List, which is not read\n",
        ),
        (MINE + MINE, "argocd-cm.yaml:29:11: error[not-argocd-cm]: the file has 2 ConfigMaps argocd-cm\n"),
    ],
)
def test_where_a_file_has_no_argocd_cm(place: Path, text: str, said: str) -> None:
    code, out, err = merge(place, text)
    assert (code, out) == (EXIT_REFUSED, "")
    assert said in err
