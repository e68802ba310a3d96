"""
Waiting for objects of one node: until they are there, as they were rendered, and ready.

Enters: names of objects, conditions in CEL, a way to connect.  Leaves: a line whenever what is waited for changes; it returns when all
are ready.  Not known here: arguments, signals, who made the objects.

Only GET requests on the objects themselves, for the rights of a gate Job end there. Whatever may pass is waited out: an object that is
not there, a role that is bound later, a server that is away, a token that was renewed. A minute-old token of the Pod is read again
by the client; where the server refuses the credentials all the same, everything is read anew.

A condition sees the whole object, as in kro; of a Secret nothing but its name is ever said.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple, Protocol

from krm_fn.cel import EvaluationError, compile_, parse, to_json
from krm_fn.cel.stack import deep
from krm_fn.expand.ownership import DIGEST
from krm_fn.expand.readiness import undecoded
from krm_fn.report.diagnostic import RenderError
from krm_fn.report.text import neutral
from krm_fn.status_sync.cluster import Cluster, Forbidden, Resource, api_client

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from krm_fn.cel.compile import Program

_SHORTEST, _LONGEST, _GROWTH = 1.0, 5.0, 1.5
_SHOWN = 300


class Wanted(NamedTuple):
    """One object. digest: of what was rendered; empty where any state of it will do."""

    resource: Resource
    name: str
    digest: str = ""

    def __str__(self) -> str:
        """As kubectl says it: `deployments.apps/web`."""
        return f"{self.resource}/{self.name}"

    @property
    def is_secret(self) -> bool:
        return self.resource.plural == "secrets" and "/" not in self.resource.api_version


class Condition(NamedTuple):
    """A readyWhen: its text, and the program."""

    text: str
    run: Program

    def asked(self, name: str, seen: dict[str, Any]) -> Any:
        """What it says of an object that it calls *name*, as JSON. Errors: EvaluationError."""
        run = self.run if "__" not in self.text else _with_fields(self.text, {name: deep(_shape, seen)})
        return to_json(run({name: seen}))


def _with_fields(text: str, shapes: dict[str, dict[str, Any]]) -> Program:
    """A program that reads `with-dash` where `with__dash__dash` is written: there is no schema here but the object's own fields."""
    from krm_fn.schema.field_names import name_fields

    tree = parse(text)
    name_fields(tree, shapes)
    return compile_(tree)


def _shape(value: Any) -> dict[str, Any]:
    """The fields that a value has, in the form of a schema."""
    if isinstance(value, dict):
        return {"properties": {key: _shape(part) for key, part in value.items()}}
    if isinstance(value, list):
        return {
            "items": {"properties": {k: s for part in value for k, s in _shape(part).get("properties", {}).items()}}
        }
    return {}


class Gate(NamedTuple):
    """
    What is waited for.

    namespace: empty for objects of the cluster.  name: what conditions call the object.  generations: whether objects of the kind have
    a status.observedGeneration.
    """

    namespace: str
    wanted: tuple[Wanted, ...]
    name: str
    conditions: tuple[Condition, ...]
    generations: bool


class Server(Protocol):
    """What is asked of an API server. Errors: Forbidden, RenderError."""

    def get(self, resource: Resource, namespace: str, name: str) -> dict[str, Any] | None: ...


class _Whole(Cluster):
    """A cluster whose objects come as they are stored."""

    def _kept(self, found: dict[str, Any], resource: Resource) -> dict[str, Any]:  # noqa: ARG002 - the server says the kind
        return found


def connect_whole(kubeconfig: str = "", context: str = "") -> Server:
    """Errors: `cluster-config`, `status-sync-missing`."""
    return _Whole(api_client(kubeconfig, context))


def why_not_ready(gate: Gate, wanted: Wanted, seen: dict[str, Any] | None) -> str:
    """
    What an object still lacks, in a few words; empty when it is ready.

    The questions of Argo CD's check (`emit.lua.script`), and whether it is what was rendered: after a sync that changed an object, the
    state before is not taken for the one after.
    """
    if seen is None:
        return "not there yet"
    metadata, status = _map(seen, "metadata"), seen.get("status")
    if wanted.digest and _map(metadata, "annotations").get(DIGEST) != wanted.digest:
        return "not yet as it was rendered"
    generation, observed = metadata.get("generation"), _map(seen, "status").get("observedGeneration")
    if _is_number(generation) and _is_number(observed) and generation != observed:
        return f"its controller has not looked at generation {generation} yet"
    if gate.generations and status is None:
        return "its controller has not looked at it yet"
    view = undecoded(seen) if wanted.is_secret else seen
    for condition in gate.conditions:
        try:
            if condition.asked(gate.name, view) is True:
                continue
            detail = ""
        except EvaluationError as error:
            detail = f": {error.kind.replace('-', ' ') if wanted.is_secret else _cut(str(error))}"
        return f"waits for {_cut(condition.text)}{detail}"
    return ""


def _map(value: dict[str, Any], key: str) -> dict[str, Any]:
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def _is_number(value: Any) -> bool:
    return type(value) is int or type(value) is float


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"


class Wait:
    """
    One gate.

    connect: called at once, and again where credentials are refused.  say: takes a line.  sleep: so that tests need not.
    """

    def __init__(
        self,
        gate: Gate,
        connect: Callable[[], Server],
        say: Callable[[str], None],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._gate = gate
        self._connect = connect
        self._say = say
        self._sleep = sleep
        self._server: Server | None = connect()

    def until_ready(self) -> None:
        """
        Return once every object was ready in one pass over all of them.

        A pass begins with the first that was not: those before it are looked at again when the rest is ready.
        """
        first, last, pause, said = 0, -1, _SHORTEST, ""
        while True:
            place, why = self._first_not_ready(first)
            if not why:
                if first == 0:
                    return
                first = 0
                continue
            line = neutral(f"{self._gate.wanted[place]}: {why}")
            if line != said:
                self._say(line)
            pause = min(pause * _GROWTH, _LONGEST) if place == last else _SHORTEST
            first, last, said = place, place, line
            self._sleep(pause)

    def _first_not_ready(self, first: int) -> tuple[int, str]:
        for place in range(first, len(self._gate.wanted)):
            why = self._asked(self._gate.wanted[place])
            if why:
                return place, why
        return len(self._gate.wanted), ""

    def _asked(self, wanted: Wanted) -> str:
        try:
            if self._server is None:
                self._server = self._connect()
            seen = self._server.get(wanted.resource, self._gate.namespace, wanted.name)
        except Forbidden as error:
            return f"not allowed to look: {_cut(error.said)}"
        except RenderError as error:
            [diagnostic] = error.diagnostics[:1]
            if diagnostic.code in ("cluster-refused", "cluster-config"):
                self._server = None
            return _cut(diagnostic.message)
        return why_not_ready(self._gate, wanted, seen)
