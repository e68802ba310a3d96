"""
What the nodes of one instance see and leave behind.

Enters: a Program, where the instance is, the objects that were observed.  Leaves: a `Scene`, which `node` fills, one node after the
other.  Not known here: what a node does.
"""

from __future__ import annotations

from krm_fn.cel import to_json
from krm_fn.expand.outcome import Fault
from krm_fn.program.definition import type_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krm_fn.cel import EvaluationError
    from krm_fn.expand.apply_time import ApplyTime
    from krm_fn.expand.observed import Observed
    from krm_fn.expand.outcome import Outcome, Wait
    from krm_fn.expand.view import Shapes
    from krm_fn.program.model import Compiled, Node, Program
    from krm_fn.report.diagnostic import Subject

ABSENT = object()
_PLAIN = frozenset((str, int, bool))


class Scene:
    """
    What the nodes of one instance see and leave behind.

    names: the activation of expressions.  cache: values by slot, shared by all nodes of the instance; one more at the end, for
    the slot -1 of what is evaluated anew, stays absent.  gates: why a resolved
    node is not ready, by id; a node without an entry lets its dependents pass.
    """

    __slots__ = (
        "apply_time", "broken_gates", "cache", "closed", "exact", "gates", "labels", "names", "namespace", "observed", "outcomes", "program",
        "shapes", "subject", "tainted", "views",
    )  # fmt: skip

    def __init__(self, program: Program, subject: Subject, namespace: str, observed: Observed, shapes: Shapes) -> None:
        self.program = program
        self.shapes = shapes
        self.subject = subject
        self.namespace = namespace
        self.observed = observed
        self.closed = False
        """Whether an applied node counts as closed although nobody observed it (`--deferred fallback`)."""
        self.apply_time: ApplyTime | None = None
        """What fills in missing values with placeholders, where that is asked for."""
        self.exact = False
        """Whether only what was observed is there, as in one step of kro; otherwise what is applied is taken to exist."""
        self.tainted = True
        """Whether the values of an observed Secret must not be used."""
        self.labels: dict[str, str] | None = None
        """kro's own labels for the children, or None where they are not asked for."""
        self.names: dict[str, Any] = {}
        self.cache: list[Any] = [ABSENT] * (program.slots + 1)
        self.outcomes: dict[str, Outcome] = {}
        self.gates: dict[str, Wait] = {}
        self.broken_gates: dict[str, Fault] = {}
        """In an exact scene: the faults of readyWhen, which become the dependents' own."""
        self.views: dict[str, list[tuple[Any, bool]]] = {}
        """Node id -> for each of its objects what readyWhen sees of it (plain JSON, nothing typed), and whether it was observed."""

    def fault(self, code: str, message: str, **where: Any) -> Fault:
        return Fault(code, message, self.program, self.subject, **where)

    def evaluate(self, compiled: Compiled) -> Any:
        """The value of an expression, as plain JSON, OMIT or Unknown; evaluated once an instance where it has a slot."""
        value = self.cache[compiled.slot]
        if value is ABSENT:
            value = compiled.run(self.names)
            if type(value) not in _PLAIN:
                value = to_json(value)
            if compiled.slot >= 0:
                self.cache[compiled.slot] = value
        return value

    def not_a_bool(self, condition: str, value: Any, compiled: Compiled, node: Node) -> Fault:
        message = f"{condition} of {node.id!r} gives {type_name(value)}, not a boolean"
        return self.fault("not-a-bool", message, compiled=compiled, node=node)

    def evaluation_fault(self, error: EvaluationError, compiled: Compiled, node: Node, place: str) -> Fault:
        code = "missing-field" if error.is_pending else f"cel-{error.kind}"
        return self.fault(code, f"{place}: {error}", compiled=compiled, node=node)
