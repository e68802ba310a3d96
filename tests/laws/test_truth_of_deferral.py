"""
The truth of deferral: what a render says of a node is true in every cluster that may be there.

*Less* is a render that knows less, *more* one that was given more observed objects, and the same of those that both know.

* **Resolved means the same body.** A node that is resolved with less is resolved with more, to the byte; so are the fields of the status
  that are known. One thing alone may withhold it: a source (or a source of the nested instance that it is in, or reads the status of) was
  seen and is not ready. kro would not have sent the object yet, and who applies the output of less waits just as well.
* **Excluded means excluded**, but for the same one thing.
* **An error is of what was withheld**, or of a readyWhen, which nobody can evaluate without having seen what it reads.
* **Deferred means that two observations differ**: in the body, in the inclusion, in an error, or in whether all is there that is asked for.

A cluster that may be there agrees with the desired state: what it sets stays, since the applier owns it. All else may be absent, empty or
anything that the schema allows: fields, status, items of lists that are merged, finalizers. What is taken as known is in
docs/rendering.md, and here:

* keys of others in the maps of the applier (labels, annotations, data, selectors), as an admission webhook may add them, are taken not to
  be there when such a map is used whole: `test_a_map_of_the_applier_is_taken_whole`;
* the status that a nested instance has in a cluster is the one that its nodes there give;
* who gives a snapshot gives everything that the selectors of external references select.

What explains a withheld node without a witness of its own is `truth.explained`: a node before it is withheld, which is judged itself, or
the instance lacks a field. A node that reads external references alone may differ in their readiness alone.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from krm_fn.expand import view
from tests.laws import expressions
from tests.laws.deferral import Case, cases
from tests.laws.truth import SEEDS_OF_ALL, SEEDS_OF_SOME, broken, judge, observe
from tests.rendering import config_map, instance, render, rgd
from tests.schema import corpus

ROOT = Path(__file__).resolve().parents[2]
OURS = [ROOT / "fixtures", ROOT / "tests" / "conformance" / "corpora" / "kro-live" / "own"]
FOLDERS = ["kro-live", "kro-examples", "kro-upgrade-fixtures", "kro-e2e"]
EXPRESSIONS = list(expressions.expressions())


def judged(found: list[Case], seeds: int, *, witnesses: bool) -> Counter[str]:
    """Every law of every case; what was tried, by name."""
    counts: Counter[str] = Counter()
    problems: list[str] = []
    for case in found:
        judgement = judge(case, seeds, counts, witnesses=witnesses)
        problems += judgement.broken + judgement.unexplained
    assert not problems, "\n".join(problems[:20])
    return counts


@pytest.mark.parametrize("folder", OURS, ids=lambda folder: folder.name)
def test_of_our_own_packages_and_recordings(folder: Path) -> None:
    counts = judged(list(cases(folder, None))[::2], SEEDS_OF_SOME, witnesses=True)
    assert counts["nodes resolved"] > counts["nodes deferred"] > 0


def test_of_every_way_to_look_at_an_object() -> None:
    counts = judged(list(expressions.cases(EXPRESSIONS[::5])), SEEDS_OF_SOME, witnesses=False)
    assert min(counts["nodes resolved"], counts["nodes deferred"]) > 100


@pytest.mark.thorough
@pytest.mark.parametrize("name", FOLDERS)
def test_of_every_recorded_case(name: str) -> None:
    corpus.require()
    counts = judged(list(cases(corpus.FOLDER / name, corpus.FOLDER / "kro-crds")), SEEDS_OF_ALL, witnesses=True)
    assert counts["inputs"] > 0


@pytest.mark.thorough
@pytest.mark.parametrize("folder", OURS, ids=lambda folder: folder.name)
def test_of_all_our_own_packages_and_recordings(folder: Path) -> None:
    judged(list(cases(folder, None)), 2 * SEEDS_OF_ALL, witnesses=True)


@pytest.mark.thorough
def test_of_every_way_to_look_at_every_object() -> None:
    judged(list(expressions.cases(EXPRESSIONS)), 2 * SEEDS_OF_ALL, witnesses=False)


# -- the laws can be broken -------------------------------------------------------------------------------------------


def breaks(texts: list[str]) -> bool:
    [case] = expressions.cases(texts)
    return any(broken(case.blind, observe(case, seed).result) for seed in range(SEEDS_OF_SOME))


@pytest.mark.parametrize("text", ["many[1].metadata", "own.spec.empty"])
def test_an_object_with_fields_that_is_taken_whole_would_be_found(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not breaks([text])
    monkeypatch.setattr(view, "is_map", lambda _schema: True)
    monkeypatch.setattr(view, "_is_shared", lambda _schema: False)
    assert breaks([text])


@pytest.mark.parametrize("text", ["own.spec.set", "svc.metadata.finalizers", "string(size(own.spec.set))"])
def test_a_list_that_others_share_and_that_is_taken_whole_would_be_found(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not breaks([text])
    monkeypatch.setattr(view, "_is_shared", lambda _schema: False)
    assert breaks([text])


ATOMIC = ("svc.spec.selector", "dep.spec.template.spec.nodeSelector")
"""Maps that have one owner, so that nobody adds a key."""


@pytest.mark.parametrize("text", ["cm.data", "svc.metadata.labels", "own.spec.texts", *ATOMIC])
def test_a_map_of_the_applier_is_taken_whole(text: str) -> None:
    [case] = expressions.cases([text, f"has({text}.others) ? 'others' : 'none'"])
    states = {name: outcome.state for (_, name), outcome in case.blind.outcomes.items()}
    assert (states["out0"], states["out1"]) == ("resolved", "deferred")
    assert not broken(case.blind, observe(case, 3).result)
    assert bool(broken(case.blind, observe(case, 3, intrudes=True).result)) is (text not in ATOMIC)


def test_a_status_behind_gates_of_a_nested_instance_differs_with_what_is_seen() -> None:
    inner = rgd(
        config_map("first", more="readyWhen: [\"${first.metadata.uid != ''}\"]")
        + config_map("last", '{x: "${first.metadata.name}"}'),
        kind="Inner",
        status="{id: '${last.metadata.uid}'}",
    )
    outer = rgd(
        "- id: inner\n  template: {apiVersion: kro.run/v1alpha1, kind: Inner, metadata: {name: shop}}\n"
        + config_map("uses", '{id: "${inner.status.id}"}')
    )
    seen = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: shop-first, namespace: store, uid: u}}\n---\n"
    seen += "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: shop-last, namespace: store, uid: {0}}}\n"
    assert render(inner, outer, instance()).states["uses"] == "deferred"
    assert [
        render(inner, outer, instance(), observed=seen.format(uid))["shop-uses"]["data"] for uid in ("one", "two")
    ] == [
        {"id": "one"},
        {"id": "two"},
    ]
