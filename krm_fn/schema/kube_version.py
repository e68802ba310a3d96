"""
Which Kubernetes a version text means, and whose schemas stand for it.

Enters: what `--kube-version` or a host says (`v1.35.0`, `1.35`, `1.35.3-eks-123`).  Leaves: a `KubeVersion`, or None for a text
that is no version.  Not known here: who asks, and what a version serves.
"""

from __future__ import annotations

from krm_fn.schema.builtin_kinds import MINORS

NEWEST = MINORS[-1]
FORM = "a version of Kubernetes, such as 1.35 or v1.35.0"
"""What a version has to be, for messages."""

_MAX_DIGITS = 4
_SUFFIX = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+-_~")


class KubeVersion:
    """
    A version that was asked for.

    asked: its major and minor number.  minor: of the version 1.x whose schemas are used, the nearest that is known.  by_host: a
    host said so, and nobody who can choose another one.
    """

    __slots__ = ("asked", "by_host", "minor")

    def __init__(self, major: int, minor: int, *, by_host: bool = False) -> None:
        self.asked = f"{major}.{minor}"
        self.by_host = by_host
        place = minor if major == 1 else 0 if major < 1 else NEWEST
        self.minor = min(MINORS, key=lambda known: abs(known - place))

    @property
    def is_known(self) -> bool:
        return self.asked == f"1.{self.minor}"


def read_kube_version(text: str, *, by_host: bool = False) -> KubeVersion | None:
    """The version that a text begins with, `v` or not; what comes behind the minor number does not matter, as long as it looks like it."""
    major, _, rest = text.strip().removeprefix("v").partition(".")
    minor = rest[: len(rest) - len(rest.lstrip("0123456789"))]
    suffix = rest[len(minor) :]
    numbers = all(part.isascii() and part.isdigit() and len(part) <= _MAX_DIGITS for part in (major, minor))
    if not numbers or (suffix and (suffix[0] not in ".-+" or not _SUFFIX.issuperset(suffix))):
        return None
    return KubeVersion(int(major), int(minor), by_host=by_host)


def known_versions() -> str:
    """The versions whose schemas are known, for messages."""
    return ", ".join(f"1.{minor}" for minor in MINORS)
