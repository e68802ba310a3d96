"""
Objects of a cluster, cut down to what a snapshot holds of them.

Enters: live objects, without a Secret's values.  Leaves: the parts that are written.  Not known here: which parts are wanted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from krm_fn.expand.observed import identity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from krm_fn.expand.observed import Identity
    from krm_fn.status_sync.wants import Field

    Json = dict[str, Any]

_SERVER_SET = ("managedFields", "selfLink", "resourceVersion", "generation", "deletionGracePeriodSeconds")
_KEPT_METADATA = ("name", "namespace", "labels", "annotations")


def whole(live: Json) -> Json:
    """All of it but what changes at every turn and says nothing."""
    metadata = {key: value for key, value in live["metadata"].items() if key not in _SERVER_SET}
    return {**live, "metadata": metadata}


def cut(live: Json, fields: Iterable[Field]) -> Json:
    """The identity, and the fields that are there."""
    metadata = live["metadata"]
    made: Json = {"apiVersion": live["apiVersion"], "kind": live["kind"], "metadata": {"name": metadata["name"]}}
    if metadata.get("namespace"):
        made["metadata"]["namespace"] = metadata["namespace"]
    for field in sorted(fields):
        found, part = live, made
        for key in field[:-1]:
            if not isinstance(found.get(key), dict):
                break
            found, part = found[key], part.setdefault(key, {})  # also where nothing is in it: it is there
        else:
            if field[-1] in found:
                part[field[-1]] = found[field[-1]]
    return made


def to_hold(live: Json) -> Json:
    """A live object as it would be applied: without status, and without what a server sets."""
    kept = {key: value for key, value in live.items() if key != "status"}
    kept["metadata"] = {key: live["metadata"][key] for key in _KEPT_METADATA if live["metadata"].get(key)}
    return kept


def owned_entry(live: Json, marks: tuple[str, str, str]) -> Json:
    instance, node, item = marks
    entry: Json = {**reference(live["apiVersion"], identity(live)), "instance": instance, "node": node}
    rest = {"item": item, "uid": live["metadata"].get("uid")}
    return {**entry, **{key: value for key, value in rest.items() if value}}


def reference(api_version: str, key: Identity) -> Json:
    place = {"namespace": key[2]} if key[2] else {}
    return {"apiVersion": api_version, "kind": key[1], **place, "name": key[3]}


def referred(pin: Json) -> Identity:
    return (pin["apiVersion"].rpartition("/")[0], pin["kind"], pin.get("namespace", ""), pin["name"])
