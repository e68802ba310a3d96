"""
The records of a step: what was done, what kro sent, took away and wrote. Data only.

Enters and leaves: nothing but data.  Not known here: how it came to be, how it is shown.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krm_fn.expand.observed import Identity
    from krm_fn.expand.outcome import Wait
    from krm_fn.program.definition import Problem
    from krm_fn.program.model import Compiled

CREATED, CHANGED, UNCHANGED, RESTORED, REFUSED, TAKEN = (
    "created",
    "changed",
    "unchanged",
    "restored",
    "refused",
    "taken",
)
"""What became of a body that kro sent: the object is new; it is another one now; it was so already; somebody else's change is
taken back, though the body is not new; the API server did not take it; it was not sent, for the object is another instance's."""
APPLIED, EXCLUDED, WAITING, HELD, SEEN = "applied", "excluded", "waiting", "held", "seen"
"""How a node stands. HELD: it waits, and what it made before stays. SEEN: an external reference."""


class Sent:
    """
    A body that kro sent.

    wave: which of the instance's reconciles of this step sent it first, of those that sent anything new.  became: see above.
    message: why it was not taken.  before, after: the object as it was stored then.
    """

    __slots__ = ("after", "became", "before", "body", "instance", "key", "message", "node", "wave")

    def __init__(self, instance: Identity, node: str, wave: int, key: Identity, body: dict[str, Any]) -> None:
        self.instance = instance
        self.node = node
        self.wave = wave
        self.key = key
        self.body = body
        self.became = UNCHANGED
        self.message = ""
        self.before: dict[str, Any] | None = None
        self.after: dict[str, Any] | None = None


class Removed:
    """An object that kro deleted: pruned, or with its instance."""

    __slots__ = ("instance", "key", "node")

    def __init__(self, instance: Identity, node: str, key: Identity) -> None:
        self.instance = instance
        self.node = node
        self.key = key


class NodeRecord:
    """How a node stands at the end of a step. waits: for WAITING and HELD.  why: (dependency, own condition) for EXCLUDED."""

    __slots__ = ("id", "live", "state", "waits", "why")

    def __init__(self, id: str, state: str) -> None:  # noqa: A002
        self.id = id
        self.state = state
        self.waits: list[Wait] = []
        self.why: tuple[str, Compiled | None] = ("", None)
        self.live: list[Identity] = []


class InstanceRecord:
    """An instance at the end of a step. before: its status when the step began; None if it was not there."""

    __slots__ = ("api_version", "before", "is_gone", "is_suspended", "key", "nodes", "problem", "status")

    def __init__(self, key: Identity, api_version: str) -> None:
        self.key = key
        self.api_version = api_version
        self.before: dict[str, Any] | None = None
        self.status: dict[str, Any] = {}
        self.nodes: list[NodeRecord] = []
        self.problem = ""
        self.is_gone = False
        self.is_suspended = False

    @property
    def state(self) -> str:
        return str(self.status.get("state") or "")


class GraphRecord:
    """An RGD at the end of a step."""

    __slots__ = ("name", "order", "problems", "refusal", "state")

    def __init__(self, name: str, state: str, order: list[str], problems: list[Problem], refusal: str) -> None:
        self.name = name
        self.state = state
        self.order = order
        self.problems = problems
        self.refusal = refusal


class Done:
    """Something that a user or another controller did. message: why the API server did not take it."""

    __slots__ = ("key", "message", "verb")

    def __init__(self, verb: str, key: Identity, message: str = "") -> None:
        self.verb = verb
        self.key = key
        self.message = message


class StepRecord:
    """
    One step.

    graphs: the RGDs of which something changed, or all in the first step.  sent: bodies that are new or had an effect, in the order in which kro
    sent them.  pruned: what kro removed because nothing wants it any more.  deleted: what went with an instance.  settled: whether it came to rest.
    """

    __slots__ = ("deleted", "done", "graphs", "instances", "name", "pruned", "reconciles", "sent", "settled")

    def __init__(self, name: str) -> None:
        self.name = name
        self.done: list[Done] = []
        self.graphs: list[GraphRecord] = []
        self.sent: list[Sent] = []
        self.pruned: list[Removed] = []
        self.deleted: list[Removed] = []
        self.instances: list[InstanceRecord] = []
        self.reconciles = 0
        self.settled = True
