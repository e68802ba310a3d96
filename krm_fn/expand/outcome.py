"""
The records that an expansion leaves behind. Data only.

Each node ends as exactly one of RESOLVED (its objects), EXCLUDED (by a known false includeWhen, its own or a dependency's),
DEFERRED (needs what only a cluster knows: its `Wait`s say what), HELD (deferred now, but its objects live, and are given as they do) or,
where that is asked for, APPLY_TIME (deferred too, but its objects have placeholders that the applier replaces).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krm_fn.expand.apply_time import Substitution
    from krm_fn.program.model import Compiled, Node, Program
    from krm_fn.report.diagnostic import Subject

RESOLVED = "resolved"
EXCLUDED = "excluded"
DEFERRED = "deferred"
HELD = "held"
APPLY_TIME = "apply-time"

UNKNOWN = "unknown"  # a value that nobody has observed
MISSING = "missing"  # a path that an observed object, or the instance, does not have
NOT_READY = "not-ready"  # a dependency whose readyWhen does not hold yet
NEVER_READY = "never-ready"  # a dependency whose readyWhen is false whatever the cluster says
DEPENDENCY = "dependency"  # a dependency that is deferred itself
ABSENT = "absent"  # in a step of kro: a dependency that is not there yet


class Wait:
    """
    One reason why a node is deferred.

    reason: one of the constants above.  paths: what is waited for (`db.status.url`).  expression: as the author wrote it, with
    its place in the RGD; None for a dependency.  chain: the ids from here to the node that has the first cause.  detail: what the
    evaluation said, where it failed.  item: which object of a collection is not ready.
    """

    __slots__ = ("chain", "compiled", "detail", "item", "paths", "reason")

    def __init__(
        self,
        reason: str,
        paths: tuple[str, ...],
        compiled: Compiled | None = None,
        chain: tuple[str, ...] = (),
        detail: str = "",
        item: int = 0,
    ) -> None:
        self.reason = reason
        self.paths = paths
        self.compiled = compiled
        self.chain = chain
        self.detail = detail
        self.item = item


class Item:
    """
    One object of a node. key: the hash of its iterator values; empty for a node that is no collection.

    substitutions: what an applier fills in.  known: the object as others see it then, None where that is no other.
    """

    __slots__ = ("key", "known", "nested", "object", "substitutions")

    def __init__(self, object: dict[str, Any], key: str = "") -> None:  # noqa: A002
        self.object = object
        self.key = key
        self.nested: Expansion | None = None
        self.substitutions: list[Substitution] = []
        self.known: dict[str, Any] | None = None


class Outcome:
    """How one node ended. obstacle: why nothing can be filled in at apply time, where that was tried."""

    __slots__ = ("items", "node", "obstacle", "sought", "state", "waits", "why_excluded")

    def __init__(self, node: Node, state: str) -> None:
        self.node = node
        self.state = state
        self.items: list[Item] = []
        self.waits: list[Wait] = []
        self.obstacle = ""
        self.sought: tuple[str, str, str, str] | None = None
        """Of an external reference: the identity, or the list (`observed.list_key`), that was looked for."""
        self.why_excluded: tuple[str, Compiled | None] = ("", None)
        """For EXCLUDED: the dependency that is excluded (or empty) and the own condition that is false (or None)."""


class Expansion:
    """One instance, expanded. `status`: the author's fields that are known; `unknown_status`: paths of those that are not."""

    __slots__ = ("instance", "outcomes", "program", "status", "subject", "unknown_status")

    def __init__(self, program: Program, instance: dict[str, Any], subject: Subject) -> None:
        self.program = program
        self.instance = instance
        self.subject = subject
        self.outcomes: dict[str, Outcome] = {}
        self.status: dict[str, Any] = {}
        self.unknown_status: list[str] = []


class Fault(Exception):  # noqa: N818 - it ends a node and is collected; `Faults` ends the instance
    """What kro would end in ERROR before it applies anything. Carries its place in the RGD and the instance concerned."""

    def __init__(
        self,
        code: str,
        message: str,
        program: Program,
        subject: Subject,
        *,
        compiled: Compiled | None = None,
        node: Node | None = None,
        help: str = "",  # noqa: A002
    ) -> None:
        self.code = code
        self.message = message
        self.program = program
        self.subject = subject
        self.compiled = compiled
        self.node = node
        self.help = help
        super().__init__(message)


class Faults(Exception):  # noqa: N818 - see Fault
    """All faults of an instance, its nested ones included."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        super().__init__("; ".join(str(fault) for fault in faults))
