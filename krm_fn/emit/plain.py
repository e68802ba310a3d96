"""
The target `plain`: every object of an expansion, dependencies first.

Enters: an `Expansion`.  Leaves: `Emitted` objects in topological order, the objects of a nested instance at the place of the
instance that its parent made. Namespaces and CustomResourceDefinitions are for the caller to write before all others.
"""

from __future__ import annotations

from krm_fn.emit.marks import SELF, for_cluster, marked, suspended
from krm_fn.expand.ownership import owner
from krm_fn.program.model import MADE_FIRST
from krm_fn.report.diagnostic import Subject

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from krm_fn.expand.outcome import Expansion
    from krm_fn.expand.ownership import Owned
    from krm_fn.program.model import Program


class Emitted:
    """
    One object of the output.

    node: the id that made it, or `instance` for an instance that is emitted itself.  expansion: of its instance; None for what is
    kept as it lives although nobody wants it.
    """

    __slots__ = ("expansion", "key", "node", "object", "program", "subject")

    def __init__(
        self,
        object: dict[str, Any],  # noqa: A002
        program: Program,
        subject: Subject,
        node: str,
        key: str,
        expansion: Expansion | None = None,
    ) -> None:
        self.expansion = expansion
        self.object = object
        self.program = program
        self.subject = subject
        self.node = node
        self.key = key

    @property
    def comes_first(self) -> bool:
        """Whether everything else may need it to exist."""
        return (self.object["apiVersion"].rpartition("/")[0], self.object["kind"]) in MADE_FIRST


def emit(expansion: Expansion, *, instances: bool, kro_labels: bool) -> Iterator[Emitted]:
    """
    The objects of *expansion* with their marks.

    instances: also the instances, root and nested, each after its children and suspended.  kro_labels: the objects carry kro's
    labels already; neither our marks nor the suspend annotation are added.
    """
    yield from _children(expansion, instances=instances, kro_labels=kro_labels)
    if instances:
        made = for_cluster(expansion.instance)
        if not kro_labels:
            made = suspended(made)
        yield _emitted(made, expansion, SELF, "", kro_labels=kro_labels)


def emit_kept(each: Owned, program: Program, made: dict[str, Any], *, kro_labels: bool) -> Emitted:
    """An object that lives and must stay, under the marks that it has."""
    if not kro_labels:
        made = marked(made, each.instance, each.node, each.item)
    _, _, namespace, name = each.instance.split("/", 3)
    subject = Subject(program.api_version, program.definition.kind, name, namespace)
    return Emitted(made, program, subject, each.node, each.item)


def _children(expansion: Expansion, *, instances: bool, kro_labels: bool) -> Iterator[Emitted]:
    for node_id in expansion.program.order:
        outcome = expansion.outcomes[node_id]
        if outcome.node.is_external:
            continue
        for item in outcome.items:
            made = item.object
            if item.substitutions:
                from krm_fn.emit.apply_time import with_substitutions

                made = with_substitutions(made, item.substitutions)
            if item.nested is not None:
                yield from _children(item.nested, instances=instances, kro_labels=kro_labels)
                if not instances:
                    continue
                if not kro_labels:
                    made = suspended(made)
            yield _emitted(made, expansion, node_id, item.key, kro_labels=kro_labels)


def _emitted(made: dict[str, Any], expansion: Expansion, node_id: str, key: str, *, kro_labels: bool) -> Emitted:
    if not kro_labels:
        made = marked(made, owner(expansion.subject), node_id, key)
    return Emitted(made, expansion.program, expansion.subject, node_id, key, expansion)
