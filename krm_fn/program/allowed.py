"""
Which names an expression may use where it stands, and what its place asks of it.

Enters: the ids of an RGD, shared by all places.  Leaves: `Allowed` records.  Not known here: expressions, what is said of a name that is
not allowed (`unknown_names`).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


class Names:
    """
    *more*, and all *ids* but one; looked up, never copied.

    An RGD may have thousands of resources, each of which may name all others.
    """

    __slots__ = ("_but", "_ids", "_more")

    def __init__(self, *more: str, ids: Collection[str] = (), but: str = "") -> None:
        self._more = more
        self._ids = ids
        self._but = but

    def __contains__(self, name: object) -> bool:
        return name in self._more or (name != self._but and name in self._ids)

    def __iter__(self) -> Iterator[str]:
        yield from self._more
        for name in self._ids:
            if name != self._but:
                yield name


class Allowed:
    """Which names an expression may use, what the place is called in messages, and what it wants of the result."""

    __slots__ = ("names", "omit", "place", "wants", "why_not")

    def __init__(self, place: str, names: Names, *, omit: bool = False, wants: str = "", why_not: str = "") -> None:
        self.place = place
        self.names = names
        self.omit = omit
        self.wants = wants
        self.why_not = why_not
