"""
The corpora that lie in the repository, put to the product; and the runner itself, put to cases that it must not pass.

`conformance/floor.toml` holds how many cases of a file fail and how many are excluded. It is strict both ways: a number that rises is
a loss, and one that falls has to be written down.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.conformance.case import Case, Mismatch, Skipped
from tests.conformance.compare import first_difference, same_typed, without_labels_aside
from tests.conformance.find import find
from tests.conformance.kro_live_crds import sorted_required
from tests.conformance.runner import EXCLUDED, FAILED, PASSED, Report, run, show

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent / "conformance"
CORPORA = HERE / "corpora"
FLOOR = tomllib.loads((HERE / "floor.toml").read_text(encoding="utf-8"))
_NO_CASES = {"definitions.json"}
FILES = sorted(p for p in (CORPORA / "kro-cel").glob("*.json") if p.name not in _NO_CASES)


@cache
def results_of(path: Path) -> Report:
    return run(find(path))


def held_to_the_floor(report: Report, row: str) -> None:
    counts = report.files[row]
    failing = "\n".join(f"{case.id}: {message}" for case, message in report.failures)
    assert counts[PASSED] > 0 or counts[EXCLUDED] > 0
    for result, wanted in ((FAILED, FLOOR["failed"].get(row, 0)), (EXCLUDED, FLOOR["excluded"].get(row, 0))):
        assert counts[result] == wanted, (
            f"{row}: {counts[result]} {result}, floor.toml says {wanted}; fewer is to be written there\n{failing}"
        )


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_answers_of_kros_cel(path: Path) -> None:
    report = results_of(path)
    assert set(report.files) == {f"kro-cel/{path.name}"}
    held_to_the_floor(report, f"kro-cel/{path.name}")


LIVE = ("kro-live/own", "kro-live/own: CRDs", "kro-live/own: replay")


@pytest.mark.parametrize("row", LIVE)
def test_recorded_runs_of_kro(row: str) -> None:
    report = results_of(CORPORA / "kro-live" / "own")
    assert set(report.files) == set(LIVE)
    held_to_the_floor(report, row)


def test_floor_names_files_that_exist() -> None:
    known = {f"kro-cel/{path.name}" for path in FILES} | set(LIVE)
    assert {*FLOOR["failed"], *FLOOR["excluded"]} <= known
    assert 0 not in {*FLOOR["failed"].values(), *FLOOR["excluded"].values()}


# -- the runner -----------------------------------------------------------------------------------------------------


def changed_copy(folder: Path, change: Callable[[dict[str, Any]], None], original: str = "big-cron-pipeline") -> Path:
    """A case folder that passes, with its golden changed."""
    copy = folder / "own" / "case"
    shutil.copytree(CORPORA / "kro-live" / "own" / original, copy)
    golden = yaml.safe_load((copy / "golden.yaml").read_text(encoding="utf-8"))
    change(golden)
    (copy / "golden.yaml").write_text(yaml.safe_dump(golden), encoding="utf-8")
    return copy


def drop_a_body(golden: dict[str, Any]) -> None:
    golden["steps"][0]["applied"].pop()


def add_a_body(golden: dict[str, Any]) -> None:
    golden["steps"][0]["applied"].append(
        {
            "node": "more",
            "instance": "X/default/x",
            "object": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "more", "namespace": "default"}},
        }
    )


def change_a_value(golden: dict[str, Any]) -> None:
    golden["steps"][0]["applied"][0]["object"]["data"]["common.sh"] += "#"


def reject(golden: dict[str, Any]) -> None:
    golden["rgd"][0]["state"] = "Inactive"
    golden["rgd"][0]["conditions"] = [{"type": "GraphAccepted", "status": "False", "message": "graph contains a cycle"}]
    golden["crd"] = []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(drop_a_body, "unexpected: ", id="an-object-that-kro-did-not-apply"),
        pytest.param(add_a_body, "missing: ConfigMap/default/more", id="an-object-that-is-not-rendered"),
        pytest.param(change_a_value, "data.common.sh: wanted", id="another-value"),
        pytest.param(reject, "not refused: graph contains a cycle", id="a-rejection"),
    ],
)
def test_a_golden_that_says_otherwise_fails_its_case(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], message: str
) -> None:
    report = run(find(changed_copy(tmp_path, change)))
    assert [case.form for case, _ in report.failures] == ["kro-live", "kro-live-replay"]
    assert message in report.failures[0][1]


def forget_what_was_pruned(golden: dict[str, Any]) -> None:
    golden["steps"][1]["pruned"].pop()


def prune_the_other_way_round(golden: dict[str, Any]) -> None:
    golden["steps"][1]["pruned"].reverse()


def send_in_another_reconcile(golden: dict[str, Any]) -> None:
    golden["steps"][0]["applied"][0]["wave"] = 7


def send_once_more(golden: dict[str, Any]) -> None:
    golden["steps"][1]["applied"] = golden["steps"][0]["applied"][:1]


def lose_a_status_field(golden: dict[str, Any]) -> None:
    golden["steps"][2]["instance_status"].pop("a")


def say_it_otherwise(golden: dict[str, Any]) -> None:
    golden["steps"][2]["instance_status"]["conditions"][2]["message"] = "something else"


def order_otherwise(golden: dict[str, Any]) -> None:
    golden["rgd"][0]["topologicalOrder"].reverse()


def delete_less(golden: dict[str, Any]) -> None:
    golden["deleted"].pop()


def delete_in_another_order(golden: dict[str, Any]) -> None:
    golden["deleted"].reverse()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (forget_what_was_pruned, "step 1: pruned"),
        (prune_the_other_way_round, "step 1: pruned"),
        (send_in_another_reconcile, "sent in reconcile 1, wanted 7"),
        (send_once_more, "step 1: applied also nothing, not ConfigMap"),
        (lose_a_status_field, "status of UpIncludeOff/default/up-include-off: a: not wanted"),
        (say_it_otherwise, "something else"),
        (order_otherwise, "RGDs: order"),
        (delete_less, "deletion: deleted also ConfigMap"),
        (delete_in_another_order, "deletion: order"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_history_that_says_otherwise_fails_its_replay(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], message: str
) -> None:
    report = run(find(changed_copy(tmp_path, change, "up-include-off")))
    [failure] = [text for case, text in report.failures if case.form == "kro-live-replay"]
    assert message in failure


def test_an_unchanged_copy_passes_wherever_it_lies(tmp_path: Path) -> None:
    report = run(find(changed_copy(tmp_path, lambda _: None)))
    assert (report.files["kro-live/own"][PASSED], report.total(FAILED)) == (1, 0)


def rename_a_column(crd: dict[str, Any]) -> None:
    crd["spec"]["versions"][0]["additionalPrinterColumns"][0]["name"] = "Status"


def retype_a_field(crd: dict[str, Any]) -> None:
    crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]["properties"]["state"] = {}


def rename_it(crd: dict[str, Any]) -> None:
    crd["name"] = "others.kro.run"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(
            rename_a_column, 'different: versions[0].additionalPrinterColumns[0].name: wanted "Status"', id="a-column"
        ),
        pytest.param(retype_a_field, "different: versions[0].schema.openAPIV3Schema.properties.status", id="a-field"),
        pytest.param(rename_it, "missing: others.kro.run", id="a-name"),
    ],
)
def test_a_recorded_crd_that_says_otherwise_fails_its_case(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], message: str
) -> None:
    report = run(find(changed_copy(tmp_path, lambda golden: change(golden["crd"][0]), "ss-required-missing")))
    [(case, found)] = report.failures
    assert case.file == "kro-live/own: CRDs"
    assert message in found


def test_the_order_of_required_does_not_count() -> None:
    one, other = ({"items": [{"required": names, "default": names}]} for names in (["a", "b"], ["b", "a"]))
    assert sorted_required(one) == {"items": [{"required": ["a", "b"], "default": ["a", "b"]}]}
    assert sorted_required(other) == {"items": [{"required": ["a", "b"], "default": ["b", "a"]}]}


def raises(error: Exception) -> Callable[[], list[str]]:
    def check() -> list[str]:
        raise error

    return check


@pytest.mark.parametrize(
    ("error", "message"),
    [
        pytest.param(KeyError("x"), "crash: KeyError", id="an-exception-of-the-product"),
        pytest.param(RecursionError("deep"), "crash: RecursionError", id="recursion"),
        pytest.param(Mismatch("wanted 1,\ngot 2"), "wanted 1, got 2", id="a-mismatch-on-one-line"),
    ],
)
def test_whatever_a_case_raises_is_its_failure(error: Exception, message: str) -> None:
    report = run([Case("file", "id", "no-such-form", raises(error))])
    assert report.total(FAILED) == 1
    assert report.failures[0][1].startswith(message)


def test_what_is_no_case_is_named_with_a_reason(tmp_path: Path) -> None:
    (tmp_path / "notes.json").write_text("{}")
    (tmp_path / "object.yaml").write_text("apiVersion: v1\nkind: Secret\n")
    (tmp_path / "broken.yaml").write_text("a: [")
    (tmp_path / "inputs").mkdir()
    (tmp_path / "inputs" / "case.yaml").write_text("name: inputs\n")
    skipped = {Path(s.what).name: s.why for s in find(tmp_path) if isinstance(s, Skipped)}
    assert skipped.keys() == {"notes.json", "object.yaml", "broken.yaml", "inputs"}
    assert "Secret" in skipped["object.yaml"]
    assert "no golden.yaml" in skipped["inputs"]


def test_a_case_that_is_not_as_its_format_says_fails_and_ends_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "case.yaml").write_text("rgds: [there-is-none.yaml]\n")
    (tmp_path / "a" / "golden.yaml").write_text("steps: []\n")
    (tmp_path / "b.json").write_text(json.dumps([{"id": "b", "expr": "1", "value": {"int": "1"}}]))
    report = run(find(tmp_path))
    assert (report.total(PASSED), report.total(FAILED)) == (1, 1)
    assert report.failures[0][1].startswith("cannot be read: FileNotFoundError")


def test_the_last_line_counts_and_the_exit_code_tells(tmp_path: Path) -> None:
    cases = tmp_path / "cases.json"
    cases.write_text(
        json.dumps(
            [{"id": "a", "expr": "1 + 1", "value": {"int": "2"}}, {"id": "b", "expr": "1", "value": {"int": "2"}}]
        )
    )
    report_file = tmp_path / "report.json"
    command = [sys.executable, "-m", "tests.conformance", str(cases), "--report", str(report_file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=HERE.parent.parent)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "1 passed, 1 failed"
    assert done.stdout.splitlines()[0].startswith("FAIL kro-cel/cases.json b: ")
    written = json.loads(report_file.read_text())
    assert (written["passed"], written["failed"], written["failures"][0]["id"]) == (1, 1, "b")


def test_exclusions_are_counted_by_reason_and_shown_when_they_would_pass(tmp_path: Path) -> None:
    walked = "x.map(k, k) == ['a', 'b']"
    entry = {"id": "a", "expr": walked, "bindings": {"x": {"a": 1, "b": 2}}, "value": {"bool": True}}
    (tmp_path / "maps.json").write_text(json.dumps([entry]))
    report = run(find(tmp_path), include_excluded=True)
    lines = list(show(report))
    assert (report.total(EXCLUDED), report.total(PASSED)) == (1, 0)
    assert any(line.startswith("PASSES THOUGH EXCLUDED kro-cel/maps.json a") for line in lines)
    assert any("by design: the answer depends on the order in which a map is walked" in line for line in lines)


@pytest.mark.parametrize(
    ("wanted", "got", "path"),
    [
        pytest.param({"a": 1}, {"a": 1.0}, "a: wanted int", id="an-int-is-no-float"),
        pytest.param({"a": 1}, {"a": True}, "a: wanted int", id="a-bool-is-no-int"),
        pytest.param({"a": [1, 2]}, {"a": [1]}, "a: wanted 2 items", id="lengths"),
        pytest.param({"a": None}, {}, "a: missing", id="null-is-not-absent"),
        pytest.param({}, {"a": None}, "a: not wanted", id="absent-is-not-null"),
        pytest.param({"a": 0.0}, {"a": -0.0}, "a: wanted", id="signs-of-zero"),
    ],
)
def test_bodies_differ_as_json(wanted: Any, got: Any, path: str) -> None:
    difference = first_difference(wanted, got)
    assert difference is not None
    assert difference.startswith(path)


def test_two_labels_stand_aside_and_no_others() -> None:
    labels = {"kro.run/instance-id": "1", "kro.run/kro-version": "devel", "kro.run/owned": "true"}
    kept = without_labels_aside({"metadata": {"labels": labels}})
    assert kept == {"metadata": {"labels": {"kro.run/owned": "true"}}}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param({"int": "1"}, {"uint": "1"}, False, id="types"),
        pytest.param({"duration": "5400s"}, {"duration": 5400 * 10**9}, True, id="lengths-of-time"),
        pytest.param(
            {"timestamp": "2024-01-01T01:00:00+01:00"}, {"timestamp": "2024-01-01T00:00:00Z"}, True, id="instants"
        ),
        pytest.param(
            {"map": [{"key": {"string": k}, "value": {"int": "1"}} for k in "ab"]},
            {"map": [{"key": {"string": k}, "value": {"int": "1"}} for k in "ba"]},
            True,
            id="maps-have-no-order",
        ),
        pytest.param(
            {"list": [{"int": "1"}, {"int": "2"}]}, {"list": [{"int": "2"}, {"int": "1"}]}, False, id="lists-have"
        ),
    ],
)
def test_typed_values_are_equal_by_type_and_value(one: Any, other: Any, same: bool) -> None:
    assert same_typed(one, other) is same
