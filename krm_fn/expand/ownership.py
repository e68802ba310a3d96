"""
Whose an object is: the instance and the node that made it, by the marks that it bears.

Enters: objects as they were rendered or seen in a cluster.  Leaves: `Owned` records.  Not known here: which of them are wanted.

Our marks are annotations under `rookery.dev/`; where kro's labels stand in for them, those are read. Ownership goes by instance,
node and item key, never by the object's own name: later tools rename.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from krm_fn.report.diagnostic import Subject

    Identity: TypeAlias = tuple[str, str, str, str]
    """Group, kind, namespace, name."""

PREFIX = "rookery.dev/"
INSTANCE = PREFIX + "instance"
NODE = PREFIX + "node"
ITEM = PREFIX + "item"
DIGEST = PREFIX + "digest"
"""Of what was rendered, on an object that a gate Job waits for: the Job takes no earlier state of it for this one."""


class Owned:
    """An object that lives and that an instance made.  instance: as `owner` writes it.  item: the item key, if it is known."""

    __slots__ = ("identity", "instance", "item", "node")

    def __init__(self, identity: Identity, instance: str, node: str, item: str = "") -> None:
        self.identity = identity
        self.instance = instance
        self.node = node
        self.item = item


def owner(subject: Subject) -> str:
    """`group/Kind/namespace/name`; an empty namespace leaves its place empty."""
    group = subject.api_version.rpartition("/")[0]
    return f"{group}/{subject.kind}/{subject.namespace}/{subject.name}"


def kind_of_owner(instance: str) -> tuple[str, str]:
    """Group and kind of what `owner` wrote."""
    group, _, rest = instance.partition("/")
    return group, rest.partition("/")[0]


def maker(seen: dict[str, Any]) -> tuple[str, str, str] | None:
    """Instance, node and item key of an object that bears marks; None for any other."""
    metadata = seen["metadata"]
    annotations = metadata.get("annotations") or {}
    if isinstance(annotations.get(INSTANCE), str) and isinstance(annotations.get(NODE), str):
        return annotations[INSTANCE], annotations[NODE], str(annotations.get(ITEM) or "")
    labels = metadata.get("labels") or {}
    if labels.get("kro.run/owned") == "true" and isinstance(labels.get("kro.run/node-id"), str):
        place = (labels.get(f"kro.run/instance-{part}") or "" for part in ("group", "kind", "namespace", "name"))
        return "/".join(place), labels["kro.run/node-id"], ""
    return None
