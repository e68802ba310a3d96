"""
What lives and stays, as a part of the instances that made it.

Enters: the expansions of root instances, objects that are kept as they live.  Leaves: the same expansions with these objects in them, and
with the nested instances that are withheld now, so that a schedule gives everything the layer that it had.  Not known here: layers.

A nested instance that is withheld has no expansion. What is known of it: its kind and its name, by the marks of what it made; and the
nodes that wait and make such an instance. If the name of theirs is known it tells which; else the one does whose own name the other
begins with.
"""

from __future__ import annotations

from krm_fn.cel import EvaluationError
from krm_fn.cel.values import OpenMap, Unknown
from krm_fn.emit.flux.places import nested_in
from krm_fn.emit.plain import Emitted
from krm_fn.expand.instance import instance_variable
from krm_fn.expand.observed import identity
from krm_fn.expand.outcome import DEFERRED, HELD, Expansion, Item, Outcome
from krm_fn.expand.ownership import kind_of_owner, owner
from krm_fn.program.model import SCHEMA

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from krm_fn.expand.instance import World
    from krm_fn.program.model import Node, Program
    from krm_fn.report.diagnostic import Subject

    _Place = tuple[Expansion, str]
    """An instance and the node of it that makes a nested one."""

_WAITS, _IS_DONE, _WITHIN = range(3)
"""A node that waits; any other one; a node that waits and makes instances which make the one that is looked for. In this order."""


class Kept:
    """
    `adopted` gives each root instance that anything is kept of, by its number.

    left: what is of none of the root instances.
    """

    def __init__(self, roots: Sequence[Expansion], kept: Iterable[Emitted], world: World) -> None:
        self._world = world
        self._expansions = list(roots)
        self._objects: dict[str, list[Emitted]] = {}
        for each in kept:
            self._objects.setdefault(owner(each.subject), []).append(each)
        self._roots: dict[str, int] = {}
        """Instance -> the number of its root."""
        self._nested: dict[tuple[int, str], list[Expansion]] = {}
        self._kinds: dict[tuple[str, str], frozenset[tuple[str, str]]] = {}
        self._places: dict[tuple[int, tuple[str, str], str | None, str | None, str], _Place] = {}
        for number, root in enumerate(roots):
            for expansion in nested_in(root):
                self._roots[owner(expansion.subject)] = number
        missing = [name for name in self._objects if name not in self._roots]
        for root in roots if missing else ():
            for expansion in nested_in(root):
                self._offer(expansion)
        before = 0
        while missing and len(missing) != before:
            # What lives of an instance may be found only once the one that made it has been.
            before = len(missing)
            missing = [name for name in missing if not self._found(name, (_WAITS, _IS_DONE))]
        missing = [name for name in missing if not self._found(name, (_WITHIN,))]
        self.left = [each for name in missing for each in self._objects[name]]

    # -- whose it is ---------------------------------------------------------------------------------------------------

    def _offer(self, expansion: Expansion) -> None:
        """Note which nested instances an instance may have."""
        for node_id, outcome in expansion.outcomes.items():
            node = outcome.node
            kind = (node.group, node.object_kind)
            program = self._world.programs.get(kind)
            if program is None or node.is_external:
                continue
            name, namespace = _known_place(node, expansion, program, self._world)
            rank = _WAITS if outcome.state in (DEFERRED, HELD) else _IS_DONE
            for begin in ("", expansion.subject.name) if name is None else ("",):
                self._places.setdefault((rank, kind, namespace, name, begin), (expansion, node_id))
            for other in sorted(self._made_by(program)) if rank == _WAITS else ():
                for begin in ("", expansion.subject.name, name or ""):
                    self._places.setdefault((_WITHIN, other, None, None, begin), (expansion, node_id))

    def _made_by(self, program: Program) -> frozenset[tuple[str, str]]:
        """The kinds of nested instances that instances of an RGD make, and these."""
        known = self._kinds.get(program.key)
        if known is not None:
            return known
        found: set[tuple[str, str]] = set()
        rest = [program]
        while rest:
            for node in rest.pop().nodes.values():
                kind = (node.group, node.object_kind)
                if kind in self._world.programs and kind not in found and not node.is_external:
                    found.add(kind)
                    rest.append(self._world.programs[kind])
        self._kinds[program.key] = frozenset(found)
        return self._kinds[program.key]

    def _found(self, name: str, ranks: Iterable[int]) -> bool:
        """Make an instance part of the one that made it, if that is known."""
        kind = kind_of_owner(name)
        subject = self._objects[name][0].subject
        begins = [subject.name[:end] for end in range(len(subject.name), -1, -1)]
        looks = [(subject.name, "")] + [(None, begin) for begin in begins]
        for rank in ranks:
            for known, begin in looks:
                for namespace in (subject.namespace, None):
                    place = self._places.get((rank, kind, namespace, known, begin))
                    if place is not None:
                        self._put(name, subject, *place)
                        return True
        return False

    def _put(self, name: str, subject: Subject, parent: Expansion, node_id: str) -> None:
        made = _without_values(self._world.programs[kind_of_owner(name)], subject, self._world)
        self._nested.setdefault((id(parent), node_id), []).append(made)
        self._roots[name] = self._roots[owner(parent.subject)]
        self._offer(made)

    # -- the same with it ----------------------------------------------------------------------------------------------

    def adopted(self) -> Iterator[tuple[int, Expansion, dict[int, Expansion], list[Emitted]]]:
        """
        Each root instance that anything is kept of.

        Its number, the expansion in place of its own, what stands for each of the expansions in that, and the objects that are kept.
        """
        names: dict[int, list[str]] = {}
        for name in self._objects:
            if name in self._roots:
                names.setdefault(self._roots[name], []).append(name)
        for number, owners in sorted(names.items()):
            twins: dict[int, Expansion] = {}
            twin = self._twin(self._expansions[number], twins)
            by_owner = {owner(each.subject): each for each in twins.values()}
            objects = [
                Emitted(each.object, each.program, each.subject, each.node, each.key, by_owner[name])
                for name in owners
                for each in self._objects[name]
            ]
            yield number, twin, twins, objects

    def _twin(self, expansion: Expansion, twins: dict[int, Expansion]) -> Expansion:
        twin = twins[id(expansion)] = Expansion(expansion.program, expansion.instance, expansion.subject)
        kept: dict[str, list[Emitted]] = {}
        for each in self._objects.get(owner(expansion.subject), ()):
            kept.setdefault(each.node, []).append(each)
        for node_id, outcome in expansion.outcomes.items():
            made = twin.outcomes[node_id] = Outcome(outcome.node, outcome.state)
            made.waits = outcome.waits
            made.items = [self._same(item, twins) for item in outcome.items]
            nested = {owner(each.subject): each for each in self._nested.get((id(expansion), node_id), ())}
            for each in kept.get(node_id, ()):
                item = Item(each.object, each.key)
                own = nested.pop("/".join(identity(each.object)), None)
                item.nested = self._twin(own, twins) if own is not None else None
                made.items.append(item)
            for name, own in nested.items():
                item = Item(own.instance, name)
                item.nested = self._twin(own, twins)
                made.items.append(item)
        return twin

    def _same(self, item: Item, twins: dict[int, Expansion]) -> Item:
        made = Item(item.object, item.key)
        made.known, made.substitutions = item.known, item.substitutions
        made.nested = self._twin(item.nested, twins) if item.nested is not None else None
        return made


def _without_values(program: Program, subject: Subject, world: World) -> Expansion:
    """An instance of which nothing is known but its name, and what was seen of it."""
    place = {"name": subject.name, **({"namespace": subject.namespace} if subject.namespace else {})}
    seen = world.observed.find((*program.key, subject.namespace, subject.name)) or {}
    spec = seen.get("spec") or OpenMap({}, "schema.spec")
    made = Expansion(
        program, {"apiVersion": subject.api_version, "kind": subject.kind, "metadata": place, "spec": spec}, subject
    )
    for node_id in program.order:
        made.outcomes[node_id] = Outcome(program.nodes[node_id], DEFERRED)
    return made


def _known_place(node: Node, expansion: Expansion, program: Program, world: World) -> tuple[str | None, str | None]:
    """Name and namespace of the object of a node, as far as they need nothing but the instance; None where they do."""
    metadata = node.template.get("metadata") or {}
    known: dict[str, Any] = {field: metadata.get(field) for field in ("name", "namespace")}
    names: dict[str, Any] = {}
    for path, index in node.holes:
        if path[:1] == ("metadata",) and len(path) == 2 and path[1] in known:
            compiled = node.values[index]
            if not names:
                names = {SCHEMA: instance_variable(expansion.program, expansion.instance, world)}
            others = {root: Unknown(root) for root in compiled.roots if root != SCHEMA}
            try:
                known[str(path[1])] = compiled.run({**others, **names})
            except EvaluationError:
                known[str(path[1])] = Unknown(str(path[1]))
    if not program.definition.namespaced:
        known["namespace"] = ""
    elif known["namespace"] in (None, ""):
        known["namespace"] = expansion.subject.namespace
    name, namespace = known["name"], known["namespace"]
    return name if isinstance(name, str) else None, namespace if isinstance(namespace, str) else None
