"""
The health checks of everything that Programs make, and the nodes that no check can wait for.

Enters: Programs.  Leaves: `Check` records, one a group and kind; `Gap` records.  Not known here: argocd-cm, what is done about a gap.

A health check is global in Argo CD: a kind that Argo CD judges itself is left to it. External references are nobody's objects here:
their readyWhen is judged when an instance is rendered.
"""

from __future__ import annotations

from krm_fn.cel import EvaluationError, parse, to_json
from krm_fn.emit.lua.built_in import judged_by_argo_cd
from krm_fn.emit.lua.expression import condition
from krm_fn.emit.lua.known import NotCarried
from krm_fn.emit.lua.script import Asked, NodeCheck, script
from krm_fn.emit.marks import SELF
from krm_fn.program import model

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from krm_fn.cel.syntax import Node as Tree
    from krm_fn.program.model import Compiled, Node, Program

JUDGED = "judged"
NOT_CARRIED = "not carried"


class Gap:
    """
    A node that a health check cannot wait for, so that it takes a gate.

    reason: JUDGED where Argo CD has a check of its own for the kind (then compiled is None), NOT_CARRIED where Lua cannot say *compiled*.
    what, offset, length: of a part that is not carried, the place in the expression's text.
    """

    __slots__ = ("compiled", "help", "length", "node", "offset", "program", "reason", "what")

    def __init__(self, program: Program, node: Node, reason: str, compiled: Compiled | None = None) -> None:
        self.program = program
        self.node = node
        self.reason = reason
        self.compiled = compiled
        self.what = self.help = ""
        self.offset = self.length = 0


class Check:
    """The check of one kind. makers: the kinds of instances whose nodes it asks for."""

    __slots__ = ("group", "kind", "makers", "text")

    def __init__(self, group: str, kind: str, makers: list[str], text: str) -> None:
        self.group = group
        self.kind = kind
        self.makers = makers
        self.text = text

    @property
    def key(self) -> str:
        """The entry of argocd-cm."""
        return f"resource.customizations.health.{f'{self.group}_' if self.group else ''}{self.kind}"


ACTIVE = 'instance.status.state == "ACTIVE"'
"""What an instance is to kro, and to status-sync, once all that it makes is ready."""


def checks_of(programs: Iterable[Program], *, instances: bool = False) -> tuple[list[Check], list[Gap]]:
    """
    One check a kind, in the order of their names, and what they leave open, in the order of the documents.

    instances: also for the instances of the input themselves, by their state. A nested one is a node like others.
    """
    found: dict[tuple[str, str], list[NodeCheck]] = {}
    generations: set[tuple[str, str]] = set()
    gaps: list[Gap] = []
    for program in programs:
        maker = "/".join(program.key)
        if instances:
            asked = [Asked(ACTIVE, condition(parse(ACTIVE), "instance", None))]
            found.setdefault(program.key, []).append(NodeCheck(maker, SELF, "instance", asked))
        for node in _gated(program):
            kind = (node.group, node.object_kind)
            if judged_by_argo_cd(*kind):
                gaps.append(Gap(program, node, JUDGED))
                continue
            asked = list(_asked(program, node, gaps))
            if asked:
                found.setdefault(kind, []).append(NodeCheck(maker, node.id, name_in(node), asked))
            if has_observed_generation(node):
                generations.add(kind)
    made = []
    for kind, checks in sorted(found.items()):
        makers = sorted({check.maker for check in checks})
        made.append(Check(*kind, makers, script(checks, generations=kind in generations)))
    return made, gaps


def gaps_of(programs: Iterable[Program]) -> list[Gap]:
    """The nodes whose readyWhen no health check of ours stands for: each takes a gate of another kind."""
    return checks_of(programs)[1]


def name_in(node: Node) -> str:
    """What a node's readyWhen calls its object."""
    return model.EACH if node.is_collection else node.id


def has_observed_generation(node: Node) -> bool:
    """Whether the kind's schema has status.observedGeneration."""
    status = ((node.schema or {}).get("properties") or {}).get("status") or {}
    return "observedGeneration" in (status.get("properties") or {})


def never_holds(compiled: Compiled) -> bool:
    """Whether an expression that reads nothing is anything but true."""
    try:
        return to_json(compiled.run({})) is not True
    except EvaluationError:
        return True


def _gated(program: Program) -> Iterator[Node]:
    for node in program.nodes.values():
        if node.ready_when and not node.is_external:
            yield node


def _asked(program: Program, node: Node, gaps: list[Gap]) -> Iterator[Asked]:
    name = name_in(node)
    for compiled in node.ready_when:
        shown = compiled.expression.text
        if not compiled.roots:
            if never_holds(compiled):
                yield Asked(shown, None)
            continue
        try:
            yield Asked(shown, condition(_tree(shown, node), name, node.schema))
        except NotCarried as refusal:
            gap = Gap(program, node, NOT_CARRIED, compiled)
            gap.what, gap.help = refusal.what, refusal.help
            gap.offset, gap.length = refusal.node.start, refusal.node.end - refusal.node.start
            gaps.append(gap)


def _tree(text: str, node: Node) -> Tree:
    tree = parse(text)
    if "__" in text:
        from krm_fn.schema.field_names import name_fields

        name_fields(tree, {name_in(node): node.schema} if node.schema is not None else {})
    return tree
