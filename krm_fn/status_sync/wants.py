"""
What expressions wait for, as objects and fields of a cluster.

Enters: expansions.  Leaves: `Wants`: the objects, their fields, the lists that somebody has to look at.  Not known here: who looks.

A field is a tuple of keys, without indexes: of a list all is looked at.  The values of a Secret are never wanted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from krm_fn.expand.observed import identity
from krm_fn.expand.outcome import RESOLVED, UNKNOWN
from krm_fn.program import model
from krm_fn.program.template import path_text
from krm_fn.snapshot import field_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from krm_fn.expand.observed import Identity
    from krm_fn.expand.outcome import Expansion, Item, Outcome, Wait
    from krm_fn.program.model import Compiled, Node

    Field = tuple[str, ...]

WHOLE: Field = ()
_OF_CONTROLLERS = ("state", "conditions")
_SECRET = ("", "Secret")


class Wants:
    """
    What is to be looked at. It only grows.

    objects: identity -> fields; none: only whether it exists.  versions: identity -> the apiVersion to ask for.  lists: list key ->
    apiVersion.
    """

    def __init__(self) -> None:
        self.objects: dict[Identity, set[Field]] = {}
        self.versions: dict[Identity, str] = {}
        self.lists: dict[tuple[str, str, str, str], str] = {}

    @property
    def size(self) -> int:
        """Grows when something is wanted that was not wanted before."""
        return len(self.lists) + len(self.objects) + sum(map(len, self.objects.values()))

    def add(self, expansions: Iterable[Expansion]) -> None:
        """Everything that these wait for, as far as it is clear where it is to be found."""
        for expansion in expansions:
            for outcome in expansion.outcomes.values():
                self._sought(outcome)
                for wait in outcome.waits:
                    if wait.reason == UNKNOWN:  # what is missing was looked for already
                        self._awaited(expansion, wait)
                self.add(item.nested for item in outcome.items if item.nested is not None)

    def want(self, api_version: str, key: Identity, fields: Iterable[Field]) -> None:
        self.versions.setdefault(key, api_version)
        wanted = self.objects.setdefault(key, set())
        for field in fields:
            if key[:2] != _SECRET:
                wanted.add(field)
            elif field == WHOLE:
                wanted.update({("metadata", "labels"), ("metadata", "annotations"), ("type",), ("immutable",)})
            elif field[0] not in ("data", "stringData"):
                wanted.add(field)

    def _sought(self, outcome: Outcome) -> None:
        node = outcome.node
        if outcome.sought is None:
            return
        if node.kind == model.EXTERNAL_COLLECTION:
            self.lists.setdefault(outcome.sought, node.api_version)
        else:
            self.want(node.api_version, outcome.sought, ())
        for item in outcome.items:
            self.want(node.api_version, identity(item.object), _readiness(node))

    def _awaited(self, expansion: Expansion, wait: Wait) -> None:
        before = self.size
        for path in wait.paths:
            self._path(expansion, path)
        if self.size == before and wait.compiled is not None:
            # It says no place of its own, such as a loop variable: then whatever the expression asks for.
            self._asked(expansion, wait.compiled)

    def _asked(self, expansion: Expansion, compiled: Compiled) -> None:
        for paths in compiled.paths.values():
            for path in paths:
                self._path(expansion, path, unsettled=True)

    def _path(self, expansion: Expansion, path: str, *, unsettled: bool = False) -> None:
        """*unsettled*: only what the desired state does not say."""
        root, index, field = split_path(path)
        if root == model.SCHEMA:
            if field[:1] == ("metadata",):
                self.want(expansion.program.api_version, instance_key(expansion), (field,))
            return
        outcome = expansion.outcomes.get(root)
        if outcome is None or outcome.state != RESOLVED:
            return
        for i, item in enumerate(outcome.items):
            if index is not None and i != index:
                continue
            if unsettled and not outcome.node.is_external and _is_settled(item.object, field):
                continue
            if item.nested is not None and field[:1] == ("status",):
                self._status(item, item.nested, outcome.node, field[1:])
            else:
                fields = (field, *_readiness(outcome.node))
                self.want(outcome.node.api_version, identity(item.object), fields)

    def _status(self, item: Item, nested: Expansion, node: Node, field: Field) -> None:
        """A field of a nested instance's status waits for what its own expression waits for."""
        found = False
        for place, compiled in nested.program.status:
            concerns = not field or place[0] == field[0]
            if concerns and path_text(place) in nested.unknown_status:
                found = True
                self._asked(nested, compiled)
        if not found or not field or field[0] in _OF_CONTROLLERS:
            fields = (("status", *field[:1]), *_readiness(node))
            self.want(node.api_version, identity(item.object), fields)


def instance_key(expansion: Expansion) -> Identity:
    subject = expansion.subject
    definition = expansion.program.definition
    return (definition.group, definition.kind, subject.namespace if definition.namespaced else "", subject.name)


def split_path(path: str) -> tuple[str, int | None, Field]:
    """`ports[2].spec.x["a.b"][0].y` -> ports, 2, (spec, x, a.b): the name, the item, the keys down to the first list."""
    end = min((at for at in (path.find("."), path.find("[")) if at >= 0), default=len(path))
    root, rest = path[:end], path[end:]
    index = None
    if rest.startswith("[") and not rest.startswith('["'):
        inside, _, rest = rest[1:].partition("]")
        index = int(inside) if inside.isascii() and inside.isdigit() else None
    text = rest.removeprefix(".")
    return root, index, field_of(_before_lists(text))


def _before_lists(text: str) -> str:
    """As much of a path as has keys alone: up to an index, and to what was cut off for its length."""
    at = 0
    while at < len(text):
        if text.startswith('["', at):
            end = text.find('"]', at + 2)
            if end < 0 or "…" in text[at:end]:
                return text[:at]
            at = end + 2
        elif text[at] == "[":
            return text[:at]
        elif text[at] == "…":
            return text[:at].rpartition(".")[0]
        else:
            at += 1
    return text


def _readiness(node: Node) -> list[Field]:
    """What the node's readyWhen reads: a value counts only once its source is ready."""
    own = model.EACH if node.is_collection else node.id
    return [split_path(path)[2] for compiled in node.ready_when for path in compiled.paths.get(own, ())]


def _is_settled(value: Any, field: Field) -> bool:
    """Whether the desired state says all that there is to say: a scalar, or a map or list of scalars."""
    for key in field:
        if not isinstance(value, dict) or key not in value:
            return False
        value = value[key]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return bool(field) and not any(isinstance(part, dict | list) for part in parts)
