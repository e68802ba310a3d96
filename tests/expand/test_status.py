"""What the status of an instance says after a step: state, conditions in kro's words, the author's own conditions, times."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from krm_fn.expand.instance import World
from krm_fn.expand.observed import Observed, identity
from krm_fn.expand.reconcile import reconcile
from krm_fn.expand.status import Conclusion, conclude
from krm_fn.inputs import compile_programs, sort_documents
from krm_fn.read.yaml import parse_documents
from tests.rendering import config_map, instance, rgd

Json = dict[str, Any]
TWO = config_map("first", '{x: "1"}', more="readyWhen: [\"${first.data.x == '2'}\"]") + config_map(
    "second", '{x: "${first.data.x}"}'
)


def concluded(
    text: str, live: str = "", *, given: str = "", previous: Json | None = None, refused: str = "", now: str = "now"
) -> Conclusion:
    """*live*: what is in the cluster.  *refused*: the name of an object that the server did not take."""
    given = given or instance()
    found: list[Any] = []
    inputs = sort_documents(parse_documents(text, "rgd.yaml"), [], None, found.append)
    programs = compile_programs(inputs, found.append)
    assert programs, found
    [program] = programs.values()
    seen = Observed([each for each in yaml.safe_load_all(live) if each], given=True)
    world = World({program.key: program}, lambda _program, made: (made, []))
    stored = {"spec": {}, **yaml.safe_load(given)}
    stored["metadata"] = {"labels": {}, "annotations": {}, "generation": 3, **stored["metadata"]}
    step = reconcile(program, stored, seen, world)
    bad = {
        identity(item.object): "the server said no"
        for _, item in step.applied()
        if item.object["metadata"]["name"] == refused
    }
    return conclude(step, seen, bad, previous=previous, generation=3, now=now)


def condition(done: Conclusion, kind: str = "ResourcesReady") -> Json:
    [found] = [each for each in done.status["conditions"] if each["type"] == kind]
    return dict(found)


def seen(name: str, data: str = "{x: '1'}", more: str = "") -> str:
    return f"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: store{more}}}\ndata: {data}\n"


FAILED = "resource reconciliation failed: "
DELETED = (
    'resource "store/shop-first" for node "first" is currently being deleted; waiting for deletion to complete before '
    "continuing reconciliation"
)
ERRORS = FAILED + "apply results contain errors: "


@pytest.mark.parametrize(
    ("live", "state", "reason", "message", "nodes"),
    [
        (
            "",
            "IN_PROGRESS",
            "NotReady",
            ERRORS + 'waiting for node "first": node "first": no observed state: waiting for readiness',
            {"first": "WAITING_FOR_READINESS", "second": "IN_PROGRESS"},
        ),
        (
            seen("shop-first"),
            "IN_PROGRESS",
            "NotReady",
            ERRORS
            + 'waiting for node "first": readyWhen condition evaluated to false: "first.data.x == \'2\'" (waiting for readiness)',
            {"first": "WAITING_FOR_READINESS", "second": "IN_PROGRESS"},
        ),
        (
            seen("shop-first", "{x: '2'}"),
            "IN_PROGRESS",
            "NotReady",
            ERRORS + 'waiting for node "second": node "second": no observed state: waiting for readiness',
            {"first": "SYNCED", "second": "WAITING_FOR_READINESS"},
        ),
        (
            seen("shop-first", "{x: '2'}") + seen("shop-second"),
            "ACTIVE",
            "AllResourcesReady",
            "all resources are created and ready",
            {"first": "SYNCED", "second": "SYNCED"},
        ),
        (
            seen("shop-first", "{x: '2'}", ", deletionTimestamp: '2025-01-01T00:00:00Z'"),
            "IN_PROGRESS",
            "ResourceDeleting",
            DELETED,
            {"first": "DELETING"},
        ),
    ],
    ids=["nothing there", "not ready", "the next one", "all there", "being deleted"],
)
def test_how_an_instance_stands(live: str, state: str, reason: str, message: str, nodes: dict[str, str]) -> None:
    done = concluded(rgd(TWO), live)
    assert done.status["state"] == done.state == state
    found = condition(done)
    assert (found["reason"], found["message"]) == (reason, message)
    assert found["status"] == ("True" if state == "ACTIVE" else "False")
    assert done.states == nodes
    ready = condition(done, "Ready")
    assert (ready["status"], ready["reason"]) == (found["status"], "Ready" if state == "ACTIVE" else reason)


def test_what_the_server_refused_is_an_error() -> None:
    done = concluded(rgd(config_map("one", "{x: '1'}")), refused="shop-one")
    assert done.state == "ERROR"
    assert condition(done)["message"] == ERRORS + "the server said no"


def test_an_expression_that_fails_is_an_error() -> None:
    text = rgd(config_map("one", '{x: "${string(1 / schema.spec.divisor)}"}'), spec="{divisor: integer}")
    done = concluded(text, given=instance("{divisor: 0}"))
    assert (done.state, done.states) == ("ERROR", {"one": "ERROR"})
    assert condition(done)["message"] == FAILED + "the template of 'one': division by zero"


def test_two_resources_that_make_one_object_are_in_conflict() -> None:
    done = concluded(rgd(config_map("one", "{}", name="x") + config_map("two", "{}", name="x")))
    assert done.state == "IN_PROGRESS"
    assert (
        condition(done)["message"]
        == FAILED + "found resources with conflicts: resourceID: two conflicts with resourceID: one"
    )


@pytest.mark.parametrize("word", ["suspended", "disabled", "Suspended"])
def test_a_suspended_instance_is_active_and_not_ready(word: str) -> None:
    given = instance().replace("namespace: store", f"namespace: store, annotations: {{kro.run/reconcile: {word}}}")
    done = concluded(rgd(config_map("one")), given=given)
    assert (done.state, condition(done)["status"], condition(done, "Ready")["status"]) == ("ACTIVE", "False", "False")


def test_what_is_excluded_holds_nothing_back() -> None:
    done = concluded(rgd(config_map("one", "{x: '1'}", more='includeWhen: ["${false}"]')))
    assert (done.state, done.states) == ("ACTIVE", {"one": "SKIPPED"})


# -- times --------------------------------------------------------------------------------------------------------------


def test_a_condition_keeps_its_time_until_its_status_changes() -> None:
    text = rgd(config_map("one", "{x: '1'}"))
    first = concluded(text, now="t1")
    second = concluded(text, seen("shop-one"), previous=first.status, now="t2")
    third = concluded(text, seen("shop-one"), previous=second.status, now="t3")
    times = {each["type"]: each["lastTransitionTime"] for each in second.status["conditions"]}
    assert times == {"InstanceManaged": "t1", "GraphResolved": "t1", "ResourcesReady": "t2", "Ready": "t2"}
    assert third.status == second.status
    assert {each["observedGeneration"] for each in third.status["conditions"]} == {3}


@pytest.mark.parametrize(
    "previous",
    [
        {"conditions": None},
        {"conditions": [None, "text", {"status": "True"}]},
        {"conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": None}]},
    ],
)
def test_an_older_status_that_is_none_does_no_harm(previous: Json) -> None:
    done = concluded(rgd(config_map("one", "{x: '1'}")), previous=previous)
    assert {each["lastTransitionTime"] for each in done.status["conditions"]} == {"now"}


# -- the author's own ---------------------------------------------------------------------------------------------------


def authored(*expressions: str) -> str:
    conditions = "\n".join(f'        - "${{{each}}}"' for each in expressions)
    return rgd(config_map("one", "{x: '1'}"), status=f"\n      conditions:\n{conditions}")


def new(kind: str, status: str = "'True'", **others: str) -> str:
    more = "".join(f", {name}: {value}" for name, value in others.items())
    return f"runtime.newCondition({{type: '{kind}', status: {status}{more}}})"


KROS = "runtime.condition(schema, 'ResourcesReady')"


def shown(done: Conclusion) -> list[tuple[str, str]]:
    return [(each["type"], each["status"]) for each in done.status["conditions"]]


@pytest.mark.parametrize(
    ("expressions", "live", "conditions", "state"),
    [
        ((new("A"), new("B", "'False'")), "", [("A", "True"), ("B", "False")], "IN_PROGRESS"),
        ((new("Ready", f"{KROS}.status"),), "", [("Ready", "False")], "IN_PROGRESS"),
        ((new("Ready", f"{KROS}.status"),), seen("shop-one"), [("Ready", "True")], "ACTIVE"),
        ((new("ResourcesReady"), new("Same", f"{KROS}.status")), "", [("ResourcesReady", "True"), ("Same", "False")], "IN_PROGRESS"),
        ((f"['a', 'b'].map(x, {new('X', other)})".replace("'X'", "x") for other in ["'Unknown'"]), "", [("a", "Unknown"), ("b", "Unknown")], "IN_PROGRESS"),
        ((new("A"), new("B", "one.data.x == '1' ? 'True' : 'False'")), "", [("A", "True")], "IN_PROGRESS"),
        ((new("A"), new("B", "one.data.x == '1' ? 'True' : 'False'")), seen("shop-one"), [("A", "True"), ("B", "True")], "ACTIVE"),
        ((new("A"), new("B", "one.data.y")), seen("shop-one"), [("A", "True")], "ACTIVE"),
        ((new("A"), new("B", "one.data.x")), seen("shop-one"), [("A", "True")], "ERROR"),
        ((f"['X', 'X', 'A'].map(x, {new('X')})".replace("type: 'X'", "type: x"),), seen("shop-one"), [("A", "True")], "ERROR"),
    ],
    ids=[
        "in order", "kro's own", "kro's own when ready", "an overridden one", "a list", "not there yet", "there",
        "a key that is missing", "no status at all", "one type twice",
    ],
)  # fmt: skip
def test_conditions_of_the_author(
    expressions: tuple[str, ...], live: str, conditions: list[tuple[str, str]], state: str
) -> None:
    done = concluded(authored(*expressions), live)
    assert shown(done) == conditions
    assert done.status["state"] == state
    assert bool(done.problems) is (state == "ERROR")


def test_a_condition_that_cannot_be_told_stays_as_it_was() -> None:
    text = authored(new("A"), new("B", "one.data.x == '1' ? 'True' : 'False'"))
    before = concluded(text, seen("shop-one"), now="t1")
    after = concluded(text, previous=before.status, now="t2")
    assert [each for each in after.status["conditions"] if each["type"] == "B"] == [
        each for each in before.status["conditions"] if each["type"] == "B"
    ]
    gone = concluded(authored(new("A")), previous=before.status, now="t2")
    assert shown(gone) == [("A", "True")]


def test_reason_and_message_are_written_where_there_are_any() -> None:
    done = concluded(authored(new("A", reason="'Why'", message="''"), new("B", message="'because'")))
    assert condition(done, "A").keys() == {"type", "status", "reason", "lastTransitionTime", "observedGeneration"}
    assert condition(done, "B")["message"] == "because"
