"""What kro does, step by step. Each test is one rule of kro, in a cluster on paper."""

from __future__ import annotations

from typing import Any

import pytest

from krm_fn.read.yaml import parse_documents
from krm_fn.simulate import history
from krm_fn.simulate.history import StepRecord
from krm_fn.simulate.simulation import APPLY, DELETE, SET, Simulation

MINOR = 35


def objects(text: str) -> list[dict[str, Any]]:
    return [document.value for document in parse_documents(text, "test.yaml")]


def rgd(
    resources: str, *, kind: str = "App", spec: str = "{extra: boolean | default=true}", status: str = "{}"
) -> dict[str, Any]:
    [found] = objects(
        f"""
apiVersion: kro.run/v1alpha1
kind: ResourceGraphDefinition
metadata: {{name: {kind.lower()}}}
spec:
  schema: {{apiVersion: v1alpha1, kind: {kind}, spec: {spec}, status: {status}}}
  resources: {resources}
"""
    )
    return found


def instance(kind: str = "App", name: str = "shop", namespace: str = "store", **spec: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "kro.run/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}


def config(name: str, **more: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "store"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, **more}


def node(id: str, data: str = "{}", more: str = "") -> str:  # noqa: A002
    """A ConfigMap that is called like its node."""
    return f"""
  - id: {id}
    template: {{apiVersion: v1, kind: ConfigMap, metadata: {{name: {id}}}, data: {data}}}
    {more}"""


class Run:
    """A simulation, and what can be asked of its last step."""

    def __init__(self, *definitions: dict[str, Any], strict: bool = False) -> None:
        self.simulation = Simulation(MINOR, strict=strict)
        self.record: StepRecord = self.simulation.step("start", [(APPLY, each) for each in definitions])

    def do(self, *actions: tuple[str, dict[str, Any]]) -> Run:
        self.record = self.simulation.step("step", actions)
        assert self.record.settled
        return self

    def apply(self, *bodies: dict[str, Any]) -> Run:
        return self.do(*((APPLY, body) for body in bodies))

    def set(self, *bodies: dict[str, Any]) -> Run:
        return self.do(*((SET, body) for body in bodies))

    def delete(self, *bodies: dict[str, Any]) -> Run:
        return self.do(*((DELETE, body) for body in bodies))

    @property
    def sent(self) -> list[tuple[str, str]]:
        return [(sent.key[3], sent.became) for sent in self.record.sent]

    @property
    def pruned(self) -> list[str]:
        return [removed.key[3] for removed in self.record.pruned]

    @property
    def deleted(self) -> list[str]:
        return [removed.key[3] for removed in self.record.deleted]

    def nodes(self, name: str = "shop") -> dict[str, str]:
        [found] = [each for each in self.record.instances if each.key[3] == name]
        return {each.id: each.state for each in found.nodes}

    def state(self, name: str = "shop") -> str:
        return next((each.state for each in self.record.instances if each.key[3] == name and not each.is_gone), "gone")

    def live(self, name: str, kind: str = "ConfigMap") -> dict[str, Any] | None:
        return next((body for key, body in self.simulation.cluster.objects() if key[1::2] == (kind, name)), None)

    @property
    def rgds(self) -> dict[str, str]:
        return {name: graph.state for name, graph in self.simulation.graphs.all.items()}


CHAIN = node("a") + node("b", '{v: "${a.metadata.name}"}') + node("c", '{v: "${b.metadata.name}"}')


def test_a_node_is_sent_once_what_it_refers_to_is_there() -> None:
    run = Run(rgd(CHAIN)).apply(instance())
    assert [(sent.key[3], sent.wave) for sent in run.record.sent] == [("a", 1), ("b", 2), ("c", 3)]
    assert run.state() == "ACTIVE"


def test_nothing_happens_where_nothing_changed() -> None:
    run = Run(rgd(CHAIN)).apply(instance())
    version = run.simulation.cluster.version
    run.do()
    assert (run.sent, run.simulation.cluster.version) == ([], version)


def test_what_somebody_else_changed_is_put_back_and_what_they_added_stays() -> None:
    run = Run(rgd(node("a", "{v: x}"))).apply(instance()).set(config("a", data={"v": "y", "w": "z"}))
    assert run.sent == [("a", history.RESTORED)]
    assert (run.live("a") or {})["data"] == {"v": "x", "w": "z"}


def test_what_somebody_deleted_comes_back_as_another_object() -> None:
    run = Run(rgd(node("a"))).apply(instance())
    first = run.live("a")
    run.delete(config("a"))
    second = run.live("a")
    assert first is not None
    assert second is not None
    assert first["metadata"]["uid"] != second["metadata"]["uid"]


def test_what_is_not_wanted_any_more_is_pruned_dependents_first() -> None:
    resources = (
        node("a", more='includeWhen: ["${schema.spec.extra}"]') + node("b", '{v: "${a.metadata.name}"}') + node("c")
    )
    run = Run(rgd(resources)).apply(instance())
    assert run.nodes() == {"a": "applied", "b": "applied", "c": "applied"}
    run.apply(instance(extra=False))
    assert run.pruned == ["b", "a"]
    assert run.nodes() == {"a": "excluded", "b": "excluded", "c": "applied"}


def test_a_node_that_the_rgd_lost_is_pruned_before_all_others() -> None:
    run = Run(rgd(CHAIN + node("old"))).apply(instance())
    without = node("a") + node("b", '{v: "${a.metadata.name}"}', 'includeWhen: ["${!schema.spec.extra}"]')
    assert run.apply(rgd(without)).pruned == ["c", "old", "b"]


def test_nothing_is_pruned_while_anything_waits() -> None:
    source = node("source", "{}", "readyWhen: [\"${source.data.ready == 'yes'}\"]")
    resources = (
        source
        + node("after", '{v: "${source.metadata.name}"}')
        + node("extra", more='includeWhen: ["${schema.spec.extra}"]')
    )
    run = Run(rgd(resources)).apply(instance())
    assert run.nodes() == {"source": "applied", "after": "waiting", "extra": "applied"}
    run.set(config("source", data={"ready": "yes"}))
    assert run.sent == [("after", history.CREATED)]
    run.set(config("source", data={"ready": "no"}))
    assert run.nodes()["after"] == "held"
    run.apply(instance(extra=False))
    assert (run.pruned, run.live("extra") is not None) == ([], True)
    run.set(config("source", data={"ready": "yes"}))
    assert run.pruned == ["extra"]


def test_an_object_of_another_instance_is_not_taken_over() -> None:
    run = Run(rgd(node("shared"))).apply(instance()).apply(instance(name="other"))
    assert run.sent == [("shared", history.TAKEN)]
    assert (run.state("shop"), run.state("other")) == ("ACTIVE", "ERROR")


def test_an_item_of_a_collection_is_taken_over_though_it_is_another_instances() -> None:
    items = """
  - id: parts
    forEach: [{x: "${['one']}"}]
    template: {apiVersion: v1, kind: ConfigMap, metadata: {name: "shared-${x}"}}"""
    simulation = Simulation(MINOR)
    simulation.step("start", [(APPLY, rgd(items))])
    record = simulation.step("step", [(APPLY, instance()), (APPLY, instance(name="other"))])
    assert not record.settled  # sic: each takes it from the other, for ever


def test_a_template_without_an_expression_is_each_instances_own() -> None:
    run = Run(rgd(node("fixed"))).apply(instance(namespace="one"), instance(namespace="two"))
    assert [sent.key[2:] for sent in run.record.sent] == [("one", "fixed"), ("two", "fixed")]


def test_a_suspended_instance_is_left_alone() -> None:
    suspended = instance()
    suspended["metadata"]["annotations"] = {"kro.run/reconcile": "suspended"}
    run = Run(rgd(node("a"))).apply(suspended)
    assert run.sent == []
    assert run.record.instances[0].is_suspended
    assert run.apply(instance()).sent == [("a", history.CREATED)]


def test_what_waits_for_an_external_reference_goes_on_when_that_is_there() -> None:
    resources = """
  - id: given
    externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {name: given}}""" + node("a", '{v: "${given.data.v}"}')
    run = Run(rgd(resources)).apply(instance())
    assert run.nodes() == {"given": "seen", "a": "waiting"}
    assert run.apply(config("given", data={"v": "x"})).sent == [("a", history.CREATED)]


def test_while_a_child_is_being_deleted_kro_does_nothing_else() -> None:
    run = Run(rgd(node("a") + node("b"))).apply(instance())
    run.set(config("a", metadata={"name": "a", "namespace": "store", "finalizers": ["example.com/keep"]}))
    run.do((DELETE, config("a")), (SET, config("b", data={"v": "y"})))
    assert run.sent == []
    assert run.state() == "IN_PROGRESS"


# -- nested instances -----------------------------------------------------------------------------------------------

INNER = rgd(node("inner", '{v: "x"}'), kind="Inner", status='{name: "${inner.metadata.name}"}')
OUTER = rgd(
    """
  - id: nested
    template: {apiVersion: kro.run/v1alpha1, kind: Inner, metadata: {name: nested}, spec: {}}"""
    + node("after", '{v: "${nested.status.name}"}'),
    kind="Outer",
)


@pytest.mark.parametrize("definitions", [(INNER, OUTER), (OUTER, INNER)], ids=["inner first", "outer first"])
def test_an_instance_that_an_instance_makes_is_reconciled_by_itself(definitions: tuple[dict[str, Any], ...]) -> None:
    run = Run(*definitions).apply(instance("Outer"))
    assert run.rgds == {"inner": "Active", "outer": "Active"}
    assert [name for name, _ in run.sent] == ["nested", "inner", "after"]
    assert (run.live("after") or {})["data"] == {"v": "inner"}
    assert run.delete(instance("Outer")).deleted == ["after", "nested", "inner"]


def test_an_instance_that_its_schema_refuses_is_an_error_of_its_maker() -> None:
    inner = rgd(node("inner"), kind="Inner", spec="{size: integer | maximum=3}")
    outer = rgd(
        """
  - id: nested
    template: {apiVersion: kro.run/v1alpha1, kind: Inner, metadata: {name: nested}, spec: {size: "${schema.spec.size}"}}""",
        kind="Outer",
        spec="{size: integer}",
    )
    run = Run(inner, outer).apply(instance("Outer", size=5))
    assert run.sent == [("nested", history.REFUSED)]
    assert run.state() == "ERROR"


# -- RGDs -----------------------------------------------------------------------------------------------------------


def test_an_rgd_that_does_not_compile_leaves_its_instances_as_they_are() -> None:
    run = Run(rgd(node("a"))).apply(instance()).apply(rgd(node("a", '{v: "${schema.spec.nothing}"}')))
    assert (run.rgds, run.sent, run.pruned) == ({"app": "Inactive"}, [], [])
    assert run.simulation.graphs.all["app"].order == []
    run.delete(config("a"))
    assert run.sent == [("a", history.RESTORED)]
    assert run.apply(rgd(node("b"))).pruned == ["a"]
    assert run.rgds == {"app": "Active"}


def test_a_change_that_would_break_instances_is_followed_under_the_old_crd() -> None:
    run = Run(rgd(node("a"), spec="{size: integer | default=1}")).apply(instance(size=2))
    run.apply(rgd(node("b"), spec="{width: integer | default=1}"))
    assert run.rgds == {"app": "Inactive"}
    assert "breaking changes detected" in run.simulation.graphs.all["app"].refusal
    assert (run.sent, run.pruned) == ([("b", history.CREATED)], ["a"])
    assert (run.live("shop", "App") or {})["spec"] == {"size": 2}


def test_a_breaking_change_can_be_allowed() -> None:
    allowed = rgd(node("a"), spec="{width: integer | default=1}")
    allowed["metadata"]["annotations"] = {"kro.run/allow-breaking-changes": "true"}
    assert Run(rgd(node("a"), spec="{size: integer}")).apply(allowed).rgds == {"app": "Active"}


def test_a_kind_belongs_to_the_rgd_that_had_it_first() -> None:
    second = rgd(node("b"))
    second["metadata"]["name"] = "second"
    run = Run(rgd(node("a"))).apply(second).apply(instance())
    assert run.rgds == {"app": "Active", "second": "Inactive"}
    assert run.sent == [("a", history.CREATED)]


def test_without_their_rgd_instances_stay_as_they_are() -> None:
    definition = rgd(node("a"))
    run = Run(definition).apply(instance()).delete(definition)
    assert run.delete(config("a")).sent == []


# -- deletion -------------------------------------------------------------------------------------------------------


def test_an_instance_is_deleted_node_by_node_the_last_first() -> None:
    run = Run(rgd(CHAIN)).apply(instance()).delete(instance())
    assert run.deleted == ["c", "b", "a"]
    assert run.state() == "gone"


def test_an_instance_whose_condition_cannot_be_asked_any_more_stays() -> None:
    resources = node("a", "{v: x}", "readyWhen: [\"${a.data.ready == 'yes'}\"]") + node(
        "b", more="includeWhen: [\"${a.data.v == 'x'}\"]"
    )
    run = Run(rgd(resources)).apply(instance()).delete(instance())
    assert (run.deleted, run.state()) == ([], "DELETING")
    [found] = run.record.instances
    assert "goes no further" in found.problem
    run.set(config("a", data={"ready": "yes"}))
    assert (run.deleted, run.state()) == (["a"], "DELETING")  # sic: now there is nothing left to ask


def test_what_somebody_else_holds_keeps_an_instance_from_going() -> None:
    run = Run(rgd(CHAIN)).apply(instance())
    run.set(config("b", metadata={"name": "b", "namespace": "store", "finalizers": ["example.com/keep"]}))
    run.delete(instance())
    assert (run.deleted, run.state()) == (["c", "b"], "DELETING")
    run.set(config("b", metadata={"name": "b", "namespace": "store", "finalizers": None}))
    assert (run.deleted, run.state()) == (["a"], "gone")


# -- the API server -------------------------------------------------------------------------------------------------


def test_what_the_api_server_would_refuse_is_noted() -> None:
    run = Run(rgd(node("a"), spec="{size: integer | maximum=3}"))
    run.do((APPLY, instance(size=4)), (SET, config("nothing")), (DELETE, config("nothing")))
    assert [bool(done.message) for done in run.record.done] == [True, True, True]
    assert run.record.instances == []


def test_versions_and_generations_are_those_of_a_server() -> None:
    run = Run(rgd(node("a"), spec="{size: integer | default=1}", status='{name: "${a.metadata.name}"}')).apply(
        instance()
    )
    first = run.live("shop", "App")
    run.apply(instance(size=2))
    second = run.live("shop", "App")
    assert first is not None
    assert second is not None
    assert (first["metadata"]["generation"], second["metadata"]["generation"]) == (1, 2)
    assert first["metadata"]["resourceVersion"] != second["metadata"]["resourceVersion"]
    assert first["metadata"]["uid"] == second["metadata"]["uid"]


def test_a_step_that_never_ends_is_ended() -> None:
    simulation = Simulation(MINOR)
    record = simulation.step(
        "start",
        [
            (
                APPLY,
                rgd(
                    node("a", '{v: "${schema.metadata.resourceVersion}"}'),
                    status='{v: "${a.metadata.resourceVersion}"}',
                ),
            ),
            (APPLY, instance()),
        ],
    )
    assert not record.settled
