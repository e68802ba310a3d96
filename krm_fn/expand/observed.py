"""
Objects that somebody saw in a cluster.

Enters: plain objects, as `kubectl get -o yaml` prints them, or parts of them.  Leaves: look-ups by identity and by label selector.  Not
known here: where they were read from.

Of a part it is known which fields were looked at: with all that is below them, and whether the maps on the way to them are there. A part
has such a map even where it is empty, so that `status` without the field that was looked for is told from no status.
"""

from __future__ import annotations

from krm_fn.expand.ownership import Owned, maker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from typing import Any, TypeAlias

    from krm_fn.expand.outcome import Item
    from krm_fn.program.model import Node

    Identity: TypeAlias = tuple[str, str, str, str]
    ListKey: TypeAlias = tuple[str, str, str, str]
    Fields: TypeAlias = Sequence[tuple[str, ...]]


def identity(object: dict[str, Any]) -> Identity:  # noqa: A002
    """Group, kind, namespace, name: what makes two objects one, whatever their version."""
    metadata = object["metadata"]
    group = object["apiVersion"].rpartition("/")[0]
    return (group, object["kind"], metadata.get("namespace") or "", metadata.get("name") or "")


def identity_text(key: Identity) -> str:
    """How a message names an object: `Kind.group namespace/name`."""
    group, kind, namespace, name = key
    return f"{kind}{'.' + group if group else ''} {namespace + '/' if namespace else ''}{name}"


class Observed:
    """
    An index of observed objects.

    given: tells an empty snapshot from none at all.  is_inventory: whether everything that lives and that an instance made is
    known, as in a snapshot that `rookery observe` wrote.  lists: the external collections that were listed, as `list_key`
    names them; None where every object that there is was given.
    """

    __slots__ = ("_by_identity", "_by_kind", "_fields", "_live", "_named", "_owned", "given", "is_inventory", "lists")

    def __init__(
        self,
        objects: Iterable[dict[str, Any]] = (),
        *,
        given: bool = False,
        owned: Iterable[Owned] | None = None,
        live: Iterable[dict[str, Any]] = (),
        lists: Collection[ListKey] | None = None,
    ) -> None:
        """*live*: objects to be held as they live, which say nothing to expressions."""
        self.given = given
        self.lists = lists
        self.is_inventory = owned is not None
        self._named = list(owned or ())
        self._owned: dict[str, list[Owned]] | None = None
        self._live = {identity(each): each for each in live}
        self._by_identity: dict[Identity, dict[str, Any]] = {}
        self._by_kind: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self._fields: dict[Identity, Fields] = {}
        for found in objects:
            self.add(found)

    def add(self, found: dict[str, Any], fields: Fields | None = None) -> None:
        """One more object. *fields*: those that were looked at, where it is but a part."""
        key = identity(found)
        self._by_identity[key] = found
        self._by_kind.setdefault(key[:2], []).append(found)
        self._owned = None
        self._fields.pop(key, None)
        if fields is not None and () not in fields:
            self._fields[key] = fields

    def looked_at(self, found: dict[str, Any]) -> Fields | None:
        """The fields of an object that were looked at; None for a whole one."""
        return self._fields.get(identity(found)) if self._fields else None

    def owned(self) -> list[Owned]:
        """What lives and was made by an instance: what the snapshot names, and objects that bear marks."""
        return [each for _, made in sorted(self._makers().items()) for each in made]

    def owned_by(self, instance: str) -> list[Owned]:
        """What lives and was made by one instance, as `ownership.owner` writes it."""
        return self._makers().get(instance, [])

    def _makers(self) -> dict[str, list[Owned]]:
        if self._owned is None:
            found = {each.identity: each for each in self._named}
            for key, seen in self._by_identity.items():
                if key not in found and (marks := maker(seen)) is not None:
                    found[key] = Owned(key, *marks)
            self._owned = {}
            for key in sorted(found):
                self._owned.setdefault(found[key].instance, []).append(found[key])
        return self._owned

    def is_whole(self, key: Identity) -> bool:
        """Whether all of an object was observed."""
        return key in self._by_identity and key not in self._fields

    def _has_labels(self, found: dict[str, Any]) -> bool:
        fields = self.looked_at(found)
        return fields is None or ("metadata",) in fields or ("metadata", "labels") in fields

    def living(self, key: Identity) -> dict[str, Any] | None:
        """An object as it lives, as far as somebody applies it; None where not all of it was observed."""
        return self._live.get(key) or (self._by_identity[key] if self.is_whole(key) else None)

    def find(self, key: Identity) -> dict[str, Any] | None:
        return self._by_identity.get(key)

    def child(self, _node: Node, item: Item, _index: int) -> dict[str, Any] | None:
        """What stands for an item of a node, the *index*th. In a cluster it may have been renamed (`status_sync`)."""
        return self.find(identity(item.object))

    def has_listed(self, group: str, kind: str, namespace: str, selector: dict[str, Any]) -> bool:
        """Whether it is known what a list call would return: an unlisted collection is unknown, not empty."""
        return self.given and (self.lists is None or list_key(group, kind, namespace, selector) in self.lists)

    def select(self, group: str, kind: str, namespace: str, selector: dict[str, Any]) -> list[dict[str, Any]] | None:
        """
        What a list call would return, by namespace and name. An empty namespace means all of them.

        None where nobody can say: at the labels of one of them nobody has looked. Where it was listed, what the list had was
        looked at with its labels, so a part without them was not in it.
        """
        matches(selector, {})  # a bad selector is refused whatever there is to select
        there = [
            candidate
            for candidate in self._by_kind.get((group, kind), ())
            if not namespace or candidate["metadata"].get("namespace") == namespace
        ]
        if selector and not all(map(self._has_labels, there)):
            if self.lists is None or list_key(group, kind, namespace, selector) not in self.lists:
                return None
            there = list(filter(self._has_labels, there))
        found = [candidate for candidate in there if matches(selector, candidate["metadata"].get("labels") or {})]
        found.sort(key=identity)
        return found


def list_key(group: str, kind: str, namespace: str, selector: dict[str, Any]) -> ListKey:
    """What makes two list calls one."""
    import json

    return (group, kind, namespace, json.dumps(selector, sort_keys=True))


def matches(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """
    A metav1.LabelSelector against labels. Everything that it says must hold.

    Errors: ValueError for an operator or a requirement that the API server would refuse.
    """
    for key, value in (selector.get("matchLabels") or {}).items():
        if not isinstance(value, str):
            raise ValueError(f"label {key!r} is {value!r}, and labels are strings")  # noqa: TRY004 - bad data, not a bug
        if labels.get(key) != value:
            return False
    for requirement in selector.get("matchExpressions") or ():
        key, operator, values = requirement.get("key"), requirement.get("operator"), requirement.get("values") or []
        if operator in ("In", "NotIn"):
            if not values:
                raise ValueError(f"operator {operator} of {key!r} needs values")
            holds = (labels.get(key) in values) == (operator == "In")
        elif operator in ("Exists", "DoesNotExist"):
            if values:
                raise ValueError(f"operator {operator} of {key!r} takes no values")
            holds = (key in labels) == (operator == "Exists")
        else:
            raise ValueError(f"{operator!r} is no selector operator; In, NotIn, Exists, DoesNotExist are")
        if not holds:
            return False
    return True
