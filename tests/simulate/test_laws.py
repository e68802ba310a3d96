"""What holds of a simulation whatever happens in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from krm_fn.read.yaml import parse_documents
from krm_fn.simulate.instances import PART_OF
from krm_fn.simulate.simulation import APPLY, DELETE, SET, Simulation

FIXTURE = Path(__file__).resolve().parents[2] / "fixtures" / "simulation"
[RGD] = [each.value for each in parse_documents((FIXTURE / "rgd.yaml").read_text(), "rgd.yaml")]
REGIONS = ("asia", "eu", "us")


def of(api_version: str, kind: str, name: str = "shop", **more: Any) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": "store"}, **more}


SHOPS = st.builds(
    lambda replicas, regions, reports: (
        APPLY,
        of(
            "kro.run/v1alpha1",
            "Storefront",
            spec={"image": "shop:1", "replicas": replicas, "regions": regions, "reports": reports},
        ),
    ),
    st.integers(1, 3),
    st.lists(st.sampled_from(REGIONS), unique=True),
    st.booleans(),
)
OTHERS = st.one_of(
    st.integers(0, 3).map(lambda n: (SET, of("apps/v1", "Deployment", status={"availableReplicas": n}))),
    st.integers(1, 5).map(lambda n: (SET, of("apps/v1", "Deployment", spec={"replicas": n}))),
    st.just((SET, of("v1", "Service", spec={"selector": {"app": "other"}}))),
    st.sampled_from(REGIONS).map(lambda region: (SET, of("v1", "ConfigMap", f"shop-{region}", data={"region": "x"}))),
    st.sampled_from(REGIONS).map(lambda region: (DELETE, of("v1", "ConfigMap", f"shop-{region}"))),
    st.just((DELETE, of("apps/v1", "Deployment"))),
    st.just((DELETE, of("kro.run/v1alpha1", "Storefront"))),
)
STEPS = st.lists(st.lists(st.one_of(SHOPS, OTHERS), max_size=3), min_size=1, max_size=6)


def owned(simulation: Simulation) -> set[tuple[str, str]]:
    return {
        key[1::2] for key, body in simulation.cluster.objects() if PART_OF in (body["metadata"].get("labels") or {})
    }


def wanted(spec: dict[str, Any]) -> set[tuple[str, str]]:
    texts = {("ConfigMap", f"shop-{region}") for region in spec["regions"]}
    reports = {("CronJob", "shop-reports")} if spec["reports"] else set()
    return {("Deployment", "shop"), ("Service", "shop"), *texts, *reports}


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_kro_comes_to_rest_where_everything_is_as_it_should_be(steps: list[list[tuple[str, dict[str, Any]]]]) -> None:
    simulation = Simulation(35)
    simulation.step("RGD", [(APPLY, RGD)])
    spec: dict[str, Any] = {"regions": [], "reports": False}
    for actions in steps:
        assert simulation.step("step", actions).settled
        spec = next((body["spec"] for verb, body in reversed(actions) if verb == APPLY), spec)
        version = simulation.cluster.version
        nothing = simulation.step("nothing", [])
        assert (nothing.sent, nothing.pruned, nothing.deleted, simulation.cluster.version) == ([], [], [], version)
        shop = simulation.cluster.find(("kro.run", "Storefront", "store", "shop"))
        if shop is None:
            # sic: what the last spec gave up, in the very step in which the instance was deleted, is nobody's then.
            assert not owned(simulation) & wanted(spec)
            return
        is_active = shop["status"]["state"] == "ACTIVE"
        assert is_active == all(each["status"] == "True" for each in shop["status"]["conditions"])
        if is_active:
            assert owned(simulation) == wanted(shop["spec"])
        for kind, name in owned(simulation) & wanted(shop["spec"]):
            if kind == "ConfigMap":
                live = simulation.cluster.find(("", kind, "store", name))
                assert live is not None
                assert live["data"] == {"region": name.removeprefix("shop-")}


@settings(max_examples=15, deadline=None)
@given(STEPS)
def test_two_simulations_are_the_same(steps: list[list[tuple[str, dict[str, Any]]]]) -> None:
    first, second = Simulation(35), Simulation(35)
    for simulation in (first, second):
        simulation.step("RGD", [(APPLY, RGD)])
        for actions in steps:
            simulation.step("step", actions)
    assert list(first.cluster.objects()) == list(second.cluster.objects())
