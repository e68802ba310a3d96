"""
The objects of a cluster, found by identity, by kind and by label, while they come and go.

Enters: objects, one at a time.  Leaves: what `Observed` says of a snapshot, of the present.  Not known here: who writes them.
"""

from __future__ import annotations

from krm_fn.expand.observed import Observed, identity, matches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krm_fn.expand.observed import Identity

    Objects = dict[Identity, dict[str, Any]]


class Store(Observed):
    """objects: in the order in which they were made."""

    __slots__ = ("_kinds", "_labels", "objects")

    def __init__(self) -> None:
        super().__init__(given=True)
        self.objects: Objects = self._by_identity
        self._kinds: dict[tuple[str, str], Objects] = {}
        self._labels: dict[tuple[str, str], dict[Identity, None]] = {}

    def put(self, key: Identity, body: dict[str, Any]) -> None:
        """An object that is new, or another one now."""
        self._unlabel(key)
        self.objects[key] = body
        self._kinds.setdefault(key[:2], {})[key] = body
        for label in _labels_of(body):
            self._labels.setdefault(label, {})[key] = None

    def take(self, key: Identity) -> None:
        self._unlabel(key)
        del self.objects[key]
        del self._kinds[key[:2]][key]

    def _unlabel(self, key: Identity) -> None:
        for label in _labels_of(self.objects.get(key)):
            self._labels[label].pop(key, None)

    def of_kind(self, group: str, kind: str) -> list[tuple[Identity, dict[str, Any]]]:
        return list(self._kinds.get((group, kind), {}).items())

    def labelled(self, name: str, value: str) -> list[tuple[Identity, dict[str, Any]]]:
        """What carries a label with this value, sorted by identity."""
        return [(key, self.objects[key]) for key in sorted(self._labels.get((name, value), ()))]

    def select(self, group: str, kind: str, namespace: str, selector: dict[str, Any]) -> list[dict[str, Any]]:
        matches(selector, {})  # a bad selector is refused whatever there is to select
        found = [
            body
            for key, body in self._kinds.get((group, kind), {}).items()
            if (not namespace or key[2] == namespace) and matches(selector, body["metadata"].get("labels") or {})
        ]
        found.sort(key=identity)
        return found


def _labels_of(body: dict[str, Any] | None) -> list[tuple[str, str]]:
    labels = body["metadata"].get("labels") if body is not None else None
    return [(name, value) for name, value in (labels or {}).items() if isinstance(value, str)]
