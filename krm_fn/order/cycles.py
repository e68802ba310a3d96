"""
Objects that wait for each other.

Enters: what each object waits for.  Leaves: cycles.  Not known here: targets, words.

An RGD has no cycles of its own. But whatever lies in a namespace needs it, and whatever is of a kind needs its definition, also
where no expression says so, and in another instance: appliers know that, and so does the API server. And an object waits for others
than its instance knows of, where that refers to an external object that another one makes, or where its author says so to kpt.
"""

from __future__ import annotations

from krm_fn.schema.scope import scope_from_crd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from krm_fn.expand.observed import Identity

NAMESPACE = ("", "Namespace")
CRD = ("apiextensions.k8s.io", "CustomResourceDefinition")
MOST_SHOWN = 20


class Needs:
    """What each object of the output waits for, and what it lies in. `add` all, then `cycles`."""

    __slots__ = ("_defined", "_gates", "_late")

    def __init__(self) -> None:
        self._gates: dict[Identity, tuple[Identity, ...]] = {}
        self._defined: dict[tuple[str, str], Identity] = {}
        self._late: dict[Identity, None] = {}

    def add(
        self,
        key: Identity,
        object: dict[str, Any],  # noqa: A002
        gates: tuple[Identity, ...],
        *,
        is_tied: bool = False,
    ) -> bool:
        """
        Whether it may be what closes a cycle: others may need it, and it waits.

        is_tied: it waits for what its instance does not order.
        """
        self._gates[key] = gates
        if key[:2] == CRD:
            self._defined.update((kind, key) for kind in scope_from_crd(object))
        if gates and (is_tied or key[:2] in (NAMESPACE, CRD)):
            self._late[key] = None
            return True
        return False

    def __contains__(self, key: Identity) -> bool:
        return key in self._gates

    def cycles(self) -> list[list[Identity]]:
        """The first ones, each from an object that closes it to what needs that one, by what waits for what."""
        found: list[list[Identity]] = []
        done: set[Identity] = set()
        for late in self._late:
            if late not in done and len(found) < MOST_SHOWN:
                self._search(late, done, found)
        return found

    def _search(self, start: Identity, done: set[Identity], found: list[list[Identity]]) -> None:
        path: dict[Identity, Iterator[Identity]] = {start: self._needed(start)}
        while path:
            last = next(reversed(path))
            for needed in path[last]:
                if needed in path:
                    if len(found) < MOST_SHOWN:
                        found.append(self._from_late(list(path), needed))
                elif needed not in done and needed in self._gates:
                    path[needed] = self._needed(needed)
                    break
            else:
                del path[last]
                done.add(last)

    def _needed(self, key: Identity) -> Iterator[Identity]:
        namespace = (*NAMESPACE, "", key[2])
        if key[2] and namespace in self._gates:
            yield namespace
        if key[:2] in self._defined:
            yield self._defined[key[0], key[1]]
        yield from self._gates[key]

    def _from_late(self, path: Sequence[Identity], back_to: Identity) -> list[Identity]:
        cycle = list(path[path.index(back_to) :])
        first = next(i for i, key in enumerate(cycle) if key in self._late)
        return cycle[first:] + cycle[:first]
