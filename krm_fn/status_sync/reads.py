"""
What a pass reads of a cluster, and what one instance sees of it.

Enters: a `Server`.  Leaves: objects, each asked for once in a pass; a `Sight` of them, which `expand.reconcile` looks into.  Not
known here: what they are asked for.

Nothing is fetched before an expression, or a node, asks for it: that is how one instance's children are found, dependencies first.
A child that is not there under its own name is looked for by its marks, since tools that come after a render rename: what bears
the marks of instance, node and item stands for the child.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from krm_fn.expand.observed import Observed, identity, matches
from krm_fn.expand.ownership import maker

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from krm_fn.expand.observed import Identity
    from krm_fn.expand.outcome import Item
    from krm_fn.program.model import Node, Program
    from krm_fn.status_sync.cluster import Resource

_INDEX = "kro.run/collection-index"


class Conflict(Exception):  # noqa: N818 - whoever writes computes anew
    """The object has changed since it was read, or is gone."""


class Refused(Exception):  # noqa: N818 - named in the log
    """What could not be done for one object or kind. The message says why."""


class Server(Protocol):
    """
    What is asked of an API server: `status_sync.live.Live` is one, and so is a test's.

    begin: what is served may have changed.  apply_status: the object as it is stored then. Errors: Conflict, Refused.
    All of them: Forbidden, RenderError.
    """

    def begin(self) -> None: ...

    def resource(self, api_version: str, kind: str) -> Resource | None: ...

    def get(self, resource: Resource, namespace: str, name: str) -> dict[str, Any] | None: ...

    def list(self, resource: Resource, namespace: str = "", selector: str = "") -> Iterable[dict[str, Any]]: ...

    def apply_status(self, resource: Resource, body: dict[str, Any]) -> dict[str, Any]: ...


class Reads:
    """The objects and lists of one pass. A kind that is not served has no objects."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._objects: dict[tuple[str, str, str, str], dict[str, Any] | None] = {}
        self._lists: dict[tuple[str, str, str, str], list[dict[str, Any]]] = {}
        self._marked: dict[tuple[str, str, str], dict[tuple[str, str, str], list[dict[str, Any]]]] = {}

    def resource(self, api_version: str, kind: str) -> Resource | None:
        return self.server.resource(api_version, kind)

    def get(self, api_version: str, kind: str, namespace: str, name: str) -> dict[str, Any] | None:
        resource = self.resource(api_version, kind)
        if resource is None or (resource.namespaced and not namespace):
            return None
        key = (api_version, kind, namespace if resource.namespaced else "", name)
        if key not in self._objects:
            self._objects[key] = self.server.get(resource, key[2], name)
        return self._objects[key]

    def put(self, found: dict[str, Any]) -> None:
        """What was written stands for what was read."""
        self._objects[_key(found)] = found

    def forget(self, found: dict[str, Any]) -> None:
        """Ask for an object again."""
        self._objects.pop(_key(found), None)

    def objects(self, api_version: str, kind: str, namespace: str = "", selector: str = "") -> list[dict[str, Any]]:
        """By namespace and name. An empty namespace means all."""
        resource = self.resource(api_version, kind)
        if resource is None:
            return []
        key = (api_version, kind, namespace, selector)
        if key not in self._lists:
            self._lists[key] = sorted(self.server.list(resource, namespace, selector), key=identity)
        return [self.newest(found) for found in self._lists[key]]

    def newest(self, found: dict[str, Any]) -> dict[str, Any]:
        """An object of a list, as it is since it was written."""
        return self._objects.get(_key(found)) or found

    def marked(self, api_version: str, kind: str, namespace: str) -> dict[tuple[str, str, str], list[dict[str, Any]]]:
        """(instance, node, item) -> the objects that bear these marks, of one kind in one namespace."""
        key = (api_version, kind, namespace)
        if key not in self._marked:
            found = self._marked[key] = {}
            for seen in self.objects(api_version, kind, namespace):
                marks = _marks(seen)
                if marks is not None:
                    found.setdefault(marks, []).append(seen)
        return self._marked[key]


def _key(found: dict[str, Any]) -> tuple[str, str, str, str]:
    metadata = found["metadata"]
    return (found["apiVersion"], found["kind"], metadata.get("namespace") or "", metadata["name"])


def _marks(seen: dict[str, Any]) -> tuple[str, str, str] | None:
    """Instance, node and item. kro's labels know an item by its place alone."""
    marks = maker(seen)
    if marks is None:
        return None
    instance, node, item = marks
    place = (seen["metadata"].get("labels") or {}).get(_INDEX)
    return (instance, node, item or (_place(place) if isinstance(place, str) else ""))


def _place(index: int | str) -> str:
    return f"#{index}"


class Sight(Observed):
    """
    What one instance sees of the cluster.

    instance: as marks name it.  renamed: what was found by marks, under another name than its own.  ambiguous: nodes for whose
    marks there is more than one object; none of them counts.
    """

    __slots__ = ("_reads", "_versions", "ambiguous", "instance", "renamed")

    def __init__(self, reads: Reads, program: Program, instance: str) -> None:
        super().__init__(given=True)
        self._reads = reads
        self._versions: dict[tuple[str, str], str] = {}
        for node in program.nodes.values():
            self._versions.setdefault((node.group, node.object_kind), node.api_version)
        self.instance = instance
        self.renamed: list[Identity] = []
        self.ambiguous: list[str] = []

    def find(self, key: Identity) -> dict[str, Any] | None:
        group, kind, namespace, name = key
        version = self._versions.get((group, kind))
        return None if version is None else self._reads.get(version, kind, namespace, name)

    def child(self, node: Node, item: Item, index: int) -> dict[str, Any] | None:
        _, kind, namespace, name = identity(item.object)
        version = item.object["apiVersion"]
        found = self._reads.get(version, kind, namespace, name)
        if found is not None:
            return found
        resource = self._reads.resource(version, kind)
        if resource is None:
            return None
        bearing = self._reads.marked(version, kind, namespace if resource.namespaced else "")
        place = _place(index) if node.is_collection else ""
        own = (self.instance, node.id, item.key)
        candidates: list[dict[str, Any]] = bearing.get(own) or bearing.get((self.instance, node.id, place)) or []
        if len(candidates) > 1:
            if node.id not in self.ambiguous:
                self.ambiguous.append(node.id)
            return None
        if candidates and (key := identity(candidates[0])) not in self.renamed:
            self.renamed.append(key)
        return self._reads.newest(candidates[0]) if candidates else None

    def select(self, group: str, kind: str, namespace: str, selector: dict[str, Any]) -> list[dict[str, Any]]:
        matches(selector, {})  # a bad selector is refused before anybody is asked
        version = self._versions.get((group, kind))
        if version is None:
            return []
        listed = self._reads.objects(version, kind, namespace, ",".join(_requirements(selector)))
        return [seen for seen in listed if matches(selector, seen["metadata"].get("labels") or {})]


_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./")


def _requirements(selector: dict[str, Any]) -> Iterator[str]:
    """
    A metav1.LabelSelector as the query of a list, so that the server sends no more than is needed.

    Whatever is no label is left out: it must not become another query, and what is sent is looked at again.
    """
    for key, value in sorted((selector.get("matchLabels") or {}).items()):
        if _PLAIN.issuperset(key + value):
            yield f"{key}={value}"
    for requirement in selector.get("matchExpressions") or ():
        key, operator, values = requirement["key"], requirement["operator"], requirement.get("values") or []
        if not _PLAIN.issuperset("".join((key, *values))):
            continue
        if operator == "Exists":
            yield key
        elif operator == "DoesNotExist":
            yield f"!{key}"
        else:
            yield f"{key} {operator.lower()} ({','.join(values)})"
