"""readyWhen in Flux, judged by Flux's own evaluator: what is carried says what kro says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from krm_fn.emit.flux.expression import NotCarried, carried
from tests.hosts.flux_cel import FluxCel, flux_cel
from tests.ready_when import ReadyWhen, balanced, default_folders, of_corpora

pytestmark = pytest.mark.hosts
Json = dict[str, Any]


@pytest.fixture(scope="module")
def flux() -> Iterator[FluxCel]:
    with flux_cel() as running:
        yield running


def of_flux(ready_when: ReadyWhen) -> str:
    return carried(ready_when.tree, ready_when.name or "x")


def agree(flux: FluxCel, ready_when: ReadyWhen, objects: list[Json]) -> None:
    text = of_flux(ready_when)
    checks = [{"apiVersion": "test.io/v1", "kind": "Db", "current": text}]
    seen = [{"apiVersion": "test.io/v1", "kind": "Db", **each} for each in objects]
    for each, status in zip(seen, flux.judge(checks, seen), strict=True):
        assert (status == "Current") is ready_when.holds(each), (ready_when.text, text, each, status)


def test_each_ready_when_of_the_corpora_says_in_flux_what_it_says_in_kro(flux: FluxCel) -> None:
    """With a third of the objects on each side of the verdict at least; what cannot be carried is named."""
    carried_ = judged = 0
    refused, one_sided = [], []
    for ready_when in of_corpora(*default_folders()):
        try:
            of_flux(ready_when)
        except NotCarried as refusal:
            refused.append(f"{ready_when.text}: {refusal.what}")
            continue
        found = balanced(ready_when, 200, seed=1)
        if ready_when.name:
            ready = sum(verdict for _, verdict in found)
            if not 0.3 <= ready / len(found) <= 0.7:
                one_sided.append((ready_when.text, ready))
        agree(flux, ready_when, [seen for seen, _ in found])
        carried_ += 1
        judged += len(found)
    print(f"\n{carried_} carried, {len(refused)} not; {judged} objects", *refused, *one_sided, sep="\n  ")
    assert carried_ > 20 * len(refused)
