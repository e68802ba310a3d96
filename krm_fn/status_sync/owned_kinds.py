"""
Where something of an instance may be: kinds and namespaces to look through for what is owned.

Enters: Programs, expansions, the owned objects of an earlier snapshot.  Leaves: apiVersion, kind, namespace (empty: all of them).  Not
known here: the cluster.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from krm_fn.expand.outcome import RESOLVED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from krm_fn.expand.outcome import Expansion
    from krm_fn.program.model import Node, Program

    GroupKind = tuple[str, str]
    Place = tuple[str, str, str]

ALL = ""


def owned_kinds(
    programs: Mapping[GroupKind, Program], expansions: list[Expansion], earlier: Iterable[Mapping[str, Any]]
) -> list[Place]:
    """
    Sorted; a kind that is looked for in all namespaces is not in any one of them.

    A namespace that a template writes, and the instance's own, are known; one that an expression gives is known where the expression
    is. Where it is not, all namespaces are meant.
    """
    spaces: dict[GroupKind, set[str]] = {}
    resolved: dict[tuple[GroupKind, str], set[str]] = {}
    for expansion in expansions:
        spaces.setdefault(expansion.program.key, set()).add(expansion.subject.namespace)
        _note_resolved(expansion, resolved)
    places: set[Place] = set()
    pending = sorted(spaces)
    while pending:
        program = programs[pending.pop()]
        kind = program.definition.kind
        places.update((program.api_version, kind, namespace) for namespace in spaces[program.key])
        for node in program.nodes.values():
            if node.is_external:
                continue
            found = _namespaces(node, spaces[program.key], resolved.get((program.key, node.id)))
            places.update((node.api_version, node.object_kind, namespace) for namespace in found)
            nested = (node.group, node.object_kind)
            if nested in programs and not found <= spaces.setdefault(nested, set()):
                spaces[nested] |= found
                pending.append(nested)
    for each in earlier:
        places.add((each["apiVersion"], each["kind"], each.get("namespace", ALL)))
    everywhere = {place[:2] for place in places if place[2] == ALL}
    return sorted(place for place in places if place[2] == ALL or place[:2] not in everywhere)


def _namespaces(node: Node, own: set[str], resolved: set[str] | None) -> set[str]:
    """*own*: of the instances.  *resolved*: of the objects that are known, None where some are not."""
    if node.namespaced is False:
        return {ALL}
    written = node.template["metadata"].get("namespace")
    if not written:
        return own
    if isinstance(written, str) and "${" not in written:
        return {written}
    return {ALL} if resolved is None else resolved


def _note_resolved(expansion: Expansion, resolved: dict[tuple[GroupKind, str], set[str]]) -> None:
    for outcome in expansion.outcomes.values():
        key = (expansion.program.key, outcome.node.id)
        if outcome.state != RESOLVED:
            resolved[key] = {ALL}
            continue
        found = resolved.setdefault(key, set())
        found.update(item.object["metadata"].get("namespace") or ALL for item in outcome.items)
        for item in outcome.items:
            if item.nested is not None:
                _note_resolved(item.nested, resolved)


def possible_kinds(programs: Mapping[GroupKind, Program], roots: Iterable[GroupKind]) -> set[GroupKind]:
    """The kinds of the instances that these may make: their names are not known while a node waits."""
    return set(_nested(programs, roots))


def _nested(programs: Mapping[GroupKind, Program], roots: Iterable[GroupKind]) -> Iterator[GroupKind]:
    seen: set[GroupKind] = set()
    pending = list(roots)
    while pending:
        for node in programs[pending.pop()].nodes.values():
            key = (node.group, node.object_kind)
            if key in programs and key not in seen and not node.is_external:
                seen.add(key)
                pending.append(key)
                yield key
