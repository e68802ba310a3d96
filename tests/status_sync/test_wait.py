"""When an object is ready, what is said until then, and what is asked for. The server here is a script."""

from __future__ import annotations

from typing import Any

import pytest

from krm_fn.cel import compile_, parse
from krm_fn.expand.ownership import DIGEST
from krm_fn.report.diagnostic import Diagnostic, RenderError
from krm_fn.status_sync.cluster import Forbidden, Resource
from krm_fn.status_sync.wait import Condition, Gate, Wait, Wanted, why_not_ready

Json = dict[str, Any]
DEPLOYMENTS = Resource("apps/v1", "", "/apis/apps/v1", "deployments", namespaced=True)
SECRETS = Resource("v1", "", "/api/v1", "secrets", namespaced=True)
WEB = Wanted(DEPLOYMENTS, "web")
LOGIN = Wanted(SECRETS, "login")


def gate(*conditions: str, wanted: tuple[Wanted, ...] = (WEB,), name: str = "web", generations: bool = False) -> Gate:
    made = tuple(Condition(text, compile_(parse(text))) for text in conditions)
    return Gate("shop", wanted, name, made, generations)


def web(generation: Any = None, status: Any = None, **annotations: str) -> Json:
    seen: Json = {"metadata": {"name": "web", "annotations": annotations}}
    if generation is not None:
        seen["metadata"]["generation"] = generation
    if status is not None:
        seen["status"] = status
    return seen


# -- one object ---------------------------------------------------------------------------------------------------------

ENOUGH = "web.status.readyReplicas > 1"
NOT_LOOKED = "its controller has not looked at generation 2 yet"
VERDICTS: dict[str, tuple[Json | None, tuple[str, ...], str]] = {
    "it is not there": (None, (ENOUGH,), "not there yet"),
    "it is there, and nothing else is asked": (web(), (), ""),
    "the condition holds": (web(status={"readyReplicas": 2}), (ENOUGH,), ""),
    "the condition does not hold": (web(status={"readyReplicas": 1}), (ENOUGH,), f"waits for {ENOUGH}"),
    "a field is missing": (web(status={}), (ENOUGH,), f"waits for {ENOUGH}: web.status.readyReplicas: no such key"),
    "a field is of another type": (
        web(status={"readyReplicas": "many"}),
        (ENOUGH,),
        f"waits for {ENOUGH}: string > int: no such overload",
    ),
    "the first that does not hold is said": (web(), ("true", "1 > 2", "2 > 3"), "waits for 1 > 2"),
    "null is not true": (web(status={"x": None}), ("web.status.x",), "waits for web.status.x"),
    "a number is not true": (web(status={"x": 1}), ("web.status.x",), "waits for web.status.x"),
    "a text is not true": (web(status={"x": "true"}), ("web.status.x",), "waits for web.status.x"),
    "no optional is true that has no value": (web(), ("web.?status.?x",), "waits for web.?status.?x"),
    "an optional true": (web(status={"x": True}), ("web.?status.?x",), ""),
    "an earlier generation": (web(2, {"observedGeneration": 1}), ("true",), NOT_LOOKED),
    "a later generation": (web(2, {"observedGeneration": 3}), ("true",), NOT_LOOKED),
    "this generation": (web(2, {"observedGeneration": 2}), ("true",), ""),
    "a generation that is no number": (web("2", {"observedGeneration": 1}), ("true",), ""),
    "an observed generation that is no number": (web(2, {"observedGeneration": "1"}), ("true",), ""),
    "a status that is no map": (web(2, "well"), ("web.status == 'well'",), ""),
    "a field whose name CEL cannot spell": (
        web(status={"by-zone": [{"in": "a"}]}),
        ("web.status.by__dash__zone.exists(zone, zone.__in__ == 'a')",),
        "",
    ),
    "such a field is missing": (
        web(status={}),
        ("has(web.status.by__dash__zone)",),
        "waits for has(web.status.by__dash__zone)",
    ),
    "a field that is spelled like one": (web(status={"by__dash__zone": 1}), ("web.status.by__dash__zone == 1",), ""),
    "metadata that is no map": ({"metadata": []}, ("true",), ""),
}


@pytest.mark.parametrize(("seen", "conditions", "why"), VERDICTS.values(), ids=VERDICTS)
def test_what_an_object_lacks(seen: Json | None, conditions: tuple[str, ...], why: str) -> None:
    assert why_not_ready(gate(*conditions), WEB, seen) == why


GENERATIONS: dict[str, tuple[Json, str]] = {
    "no status": (web(1), "its controller has not looked at it yet"),
    "null for a status": ({"metadata": {}, "status": None}, "its controller has not looked at it yet"),
    "an empty status": (web(1, {}), ""),
    "this generation": (web(1, {"observedGeneration": 1}), ""),
}


@pytest.mark.parametrize(("seen", "why"), GENERATIONS.values(), ids=GENERATIONS)
def test_a_kind_with_an_observed_generation_must_have_a_status(seen: Json, why: str) -> None:
    assert why_not_ready(gate("true", generations=True), WEB, seen) == why


DIGESTS: dict[str, tuple[Json, str]] = {
    "the same": (web(**{DIGEST: "1a2b"}), ""),
    "another": (web(**{DIGEST: "3c4d"}), "not yet as it was rendered"),
    "none": (web(), "not yet as it was rendered"),
    "no annotations": ({"metadata": {"annotations": None}}, "not yet as it was rendered"),
}


@pytest.mark.parametrize(("seen", "why"), DIGESTS.values(), ids=DIGESTS)
def test_an_earlier_state_is_not_taken_for_this_one(seen: Json, why: str) -> None:
    assert why_not_ready(gate("true"), WEB._replace(digest="1a2b"), seen) == why


def login(**data: str) -> Json:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login"}, "data": data}


OF_A_SECRET = {
    "has(login.data.x)": "",
    "login.data.x == 'aHVudGVyMg=='": "waits for login.data.x == 'aHVudGVyMg=='",
    "string(login.data.x) == 'hunter2'": "waits for string(login.data.x) == 'hunter2': no such overload",
    "login.data.missing != ''": "waits for login.data.missing != '': no such key",
    "size(login.data) == 1": "",
}


@pytest.mark.parametrize(("text", "why"), OF_A_SECRET.items(), ids=OF_A_SECRET)
def test_readiness_of_a_secret_sees_its_values_undecoded_as_in_kro(text: str, why: str) -> None:
    assert why_not_ready(gate(text, name="login"), LOGIN, login(x="aHVudGVyMg==")) == why


def test_a_value_of_a_secret_is_never_said() -> None:
    quoting = ["int(login.metadata.annotations.copy) > 0", "login.data[login.metadata.annotations.copy] == ''"]
    seen = login(x="eA==")
    seen["metadata"]["annotations"] = {"copy": "hunter2"}
    for text in quoting:
        assert "hunter2" in why_not_ready(gate(text, name="login"), WEB, seen), "of another kind it is"
        assert "hunter2" not in why_not_ready(gate(text, name="login"), LOGIN, seen)


def test_a_secret_of_another_group_is_no_secret() -> None:
    vault = LOGIN._replace(resource=SECRETS._replace(api_version="vault.example.com/v1"))
    assert why_not_ready(gate("string(login.data.x) == 'x'", name="login"), vault, login(x="x")) == ""


def test_a_condition_that_would_take_for_ever_does_not_hold() -> None:
    many = web(status={"items": list(range(3000))})
    everything = "web.status.items.all(a, web.status.items.all(b, web.status.items.all(c, c >= 0)))"
    assert why_not_ready(gate(everything), WEB, many).startswith(f"waits for {everything}: ")


def test_what_is_said_is_bounded() -> None:
    text = "'x' == '" + "y" * 5000 + "'"
    assert len(why_not_ready(gate(text), WEB, web())) < 400


# -- again and again ----------------------------------------------------------------------------------------------------

Step = Json | Exception | None


class Server:
    """Gives what a script has for a name, the last of it again and again."""

    def __init__(self, **steps: list[Step]) -> None:
        self.steps = steps
        self.asked: list[str] = []
        self.connected = 0
        self.slept: list[float] = []
        self.said: list[str] = []

    def get(self, resource: Resource, namespace: str, name: str) -> Json | None:
        self.asked.append(name)
        assert (namespace, len(self.asked) < 200) == ("shop", True)
        steps = self.steps[name]
        step = steps.pop(0) if len(steps) > 1 else steps[0]
        if isinstance(step, Exception):
            raise step
        return step

    def connect(self) -> Server:
        self.connected += 1
        return self

    def wait(self, made: Gate) -> None:
        Wait(made, self.connect, self.said.append, self.slept.append).until_ready()


READY = web(status={"readyReplicas": 2})


def test_what_is_ready_is_asked_for_once_and_nothing_is_said() -> None:
    server = Server(web=[READY])
    server.wait(gate(ENOUGH))
    assert (server.asked, server.said, server.slept) == (["web"], [], [])


def test_a_line_whenever_what_is_waited_for_changes() -> None:
    not_yet = web(status={"readyReplicas": 1})
    server = Server(web=[None, None, None, not_yet, not_yet, web(2, {"observedGeneration": 1}), not_yet, READY])
    server.wait(gate(ENOUGH))
    assert server.said == [
        "deployments.apps/web: not there yet",
        f"deployments.apps/web: waits for {ENOUGH}",
        f"deployments.apps/web: {NOT_LOOKED}",
        f"deployments.apps/web: waits for {ENOUGH}",
    ]


def test_it_is_asked_less_and_less_often() -> None:
    server = Server(web=[*[None] * 8, READY])
    server.wait(gate(ENOUGH))
    assert server.slept == [1.0, 1.5, 2.25, 3.375, 5.0, 5.0, 5.0, 5.0]


def test_objects_in_order_and_all_of_them_once_more_at_the_end() -> None:
    wanted = tuple(Wanted(DEPLOYMENTS, name) for name in ("a", "b", "c"))
    server = Server(a=[READY], b=[None, None, READY], c=[None, READY])
    server.wait(gate(ENOUGH, wanted=wanted))
    assert server.asked == ["a", "b", "b", "b", "c", "c", "a", "b", "c"]
    assert server.slept == [1.0, 1.5, 1.0]
    assert server.said == ["deployments.apps/b: not there yet", "deployments.apps/c: not there yet"]


def test_an_object_that_is_ready_no_more_is_waited_for_again() -> None:
    wanted = tuple(Wanted(DEPLOYMENTS, name) for name in ("a", "b"))
    server = Server(a=[READY, None, READY], b=[None, READY])
    server.wait(gate(ENOUGH, wanted=wanted))
    assert server.asked == ["a", "b", "b", "a", "a", "b"]
    assert server.slept == [1.0, 1.0]


def refused(code: str, message: str) -> RenderError:
    return RenderError([Diagnostic(code, message)])


PASSING: dict[str, tuple[Exception, str, int]] = {
    "a role that is bound later": (Forbidden("get", DEPLOYMENTS, "shop", "not you"), "not allowed to look: not you", 1),
    "a server that is away": (refused("cluster-unreachable", "away"), "away", 1),
    "an answer that is none": (refused("cluster-failed", "an answer is no JSON"), "an answer is no JSON", 1),
    "a token that has expired": (refused("cluster-refused", "expired"), "expired", 2),
    "a token that cannot be read": (refused("cluster-config", "no file"), "no file", 2),
}


@pytest.mark.parametrize(("error", "said", "connected"), PASSING.values(), ids=PASSING)
def test_what_may_pass_is_waited_out(error: Exception, said: str, connected: int) -> None:
    server = Server(web=[error, READY])
    server.wait(gate(ENOUGH))
    assert (server.said, server.connected) == ([f"deployments.apps/web: {said}"], connected)


def test_credentials_that_cannot_be_read_anew_are_waited_for() -> None:
    server = Server(web=[refused("cluster-refused", "expired"), READY])
    broken: list[Exception] = [refused("cluster-config", "the file is empty")] * 2

    def connect() -> Server:
        if server.asked and broken:
            raise broken.pop()
        return server.connect()

    Wait(gate(ENOUGH), connect, server.said.append, server.slept.append).until_ready()
    assert server.said == ["deployments.apps/web: expired", "deployments.apps/web: the file is empty"]
    assert len(server.slept) == 3


def test_without_a_cluster_it_does_not_begin() -> None:
    def connect() -> Server:
        raise refused("cluster-config", "no such context")

    with pytest.raises(RenderError):
        Wait(gate(ENOUGH), connect, lambda _: None)


def test_no_answer_speaks_to_the_terminal() -> None:
    server = Server(web=[Forbidden("get", DEPLOYMENTS, "shop", "\x1b[2J\u202e no"), READY])
    server.wait(gate(ENOUGH))
    assert server.said[0].isprintable()
