"""
`observed.yaml`: what a snapshot of a cluster says, once it is certain that it says what was seen.

Enters: the entries of the input that are snapshots, or objects that somebody wrote down.  Leaves: one `Observed`; problems go to the
caller's `add`.  Not known here: how a snapshot is made (`status_sync.observe`), what is expanded with it.

A snapshot that says too little makes an applier delete what lives.  So it carries a digest of all that it says, the uid of its cluster
and those of its instances; what does not fit is an error, and nothing is rendered.  What somebody wrote down by hand has none of
this: it is checked as far as it can be, and a note says what is lost.

Bounds: 16 MiB of text and 50,000 entries in all.
"""

from __future__ import annotations

from krm_fn.expand.observed import Observed, identity, list_key
from krm_fn.expand.ownership import Owned
from krm_fn.observed_input import API_VERSION, KIND, SECTIONS
from krm_fn.report.diagnostic import INFO, Diagnostic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, TypeAlias

    from krm_fn.expand.observed import Identity, ListKey
    from krm_fn.inputs import Entry, Inputs

    Add: TypeAlias = Callable[[Diagnostic], None]
    Fields: TypeAlias = tuple[tuple[str, ...], ...]
    Path: TypeAlias = tuple[str | int, ...]

MAX_TEXT = 16 * 1024 * 1024
MAX_ENTRIES = 50_000
AGAIN = "run `rookery observe` again, or take the file from Git as it was"

_REFERENCE = {"apiVersion": True, "kind": True, "namespace": False, "name": True}
_SHAPES: dict[str, dict[str, bool]] = {
    "instances": {**_REFERENCE, "uid": False},
    "owned": {**_REFERENCE, "instance": True, "node": True, "item": False, "uid": False, "object": False},
    "objects": {"fields": False, "object": True},
    "lists": {"apiVersion": True, "kind": True, "namespace": False, "selector": False},
}
"""The fields of each section's entries, and whether they must be there."""


class Snapshot:
    """One that is sound. The sections are as they were read; `uid` is that of its cluster."""

    __slots__ = ("entry", "instances", "lists", "objects", "owned", "uid")

    def __init__(self, entry: Entry) -> None:
        value = entry.value
        self.entry = entry
        self.uid: str = value["cluster"]["uid"]
        self.instances: list[dict[str, Any]] = value["instances"]
        self.owned: list[dict[str, Any]] = value["owned"]
        self.objects: list[dict[str, Any]] = value["objects"]
        self.lists: list[dict[str, Any]] = value["lists"]


def observed_state(inputs: Inputs, add: Add, *, given: bool, cluster: str = "", namespace: str = "default") -> Observed:
    """
    Everything that was seen.

    given: whether observed state was asked for.  cluster: the uid that a snapshot must be of, or empty.  namespace: of instances that
    have none.

    Errors: `snapshot-unreadable`, `snapshot-changed`, `snapshot-too-large`, `snapshot-other-cluster`, `snapshot-other-instance`,
    `snapshot-missing`, `observed-twice`.
    """
    if not inputs.snapshots and not inputs.observed:
        if cluster:
            add(_missing(cluster))
        return Observed(given=given)
    if not _is_small_enough(inputs, add):
        return Observed(given=given)
    found = [read_snapshot(entry, add) for entry in inputs.snapshots]
    snapshots = [snapshot for snapshot in found if snapshot is not None]
    if cluster and not inputs.snapshots:
        add(_missing(cluster))
    _refuse_other_clusters(snapshots, cluster, add)
    _refuse_other_instances(snapshots, inputs, namespace, add)
    if inputs.observed:
        add(_by_hand(inputs.observed))
    state = _Merged(snapshots, inputs.observed, add).observed()
    pinned = {_referred(pin) for snapshot in snapshots for pin in snapshot.instances}
    if state.is_inventory and any(pinned.isdisjoint(keys) for keys in _instances(inputs, namespace)):
        state.is_inventory = False  # nobody looked for what this instance made
    return state


# ---- one snapshot


def read_snapshot(entry: Entry, add: Add) -> Snapshot | None:
    """A snapshot; None, with the reason said, where it is not what was once written."""
    value = entry.value
    if (value["apiVersion"], value["kind"]) != (API_VERSION, KIND):
        add(_unreadable(entry, f"it is {value['apiVersion']} {value['kind']}, not {API_VERSION} {KIND}", ("kind",)))
        return None
    if not isinstance(value.get("digest"), str):
        add(_unreadable(entry, "it has no digest, with which a snapshot ends: it was cut off", ()))
        return None
    if value["digest"] != digest_of(value):
        add(
            Diagnostic(
                "snapshot-changed",
                "the snapshot is not what `rookery observe` wrote: its digest is that of something else",
                position=entry.locate(("digest",)),
                span=len(value["digest"]),
                where="digest",
                help=AGAIN,
            )
        )
        return None
    wrong = _wrong_shape(value)
    if wrong is not None:
        path, what = wrong
        add(_unreadable(entry, what, path))
        return None
    return Snapshot(entry)


def digest_of(value: dict[str, Any]) -> str:
    """Of everything that a snapshot says; not of its metadata, in which hosts of functions keep books."""
    import json
    from hashlib import sha256

    said = {section: value.get(section) for section in SECTIONS}
    said.update({key: value[key] for key in value if key not in ("apiVersion", "kind", "metadata", "digest")})
    text = json.dumps(said, sort_keys=True, separators=(",", ":"))
    if ".0" in text or "e+" in text:  # perhaps a whole float, which comes back from a YAML file as an integer
        text = json.dumps(_with_whole_numbers(said), sort_keys=True, separators=(",", ":"))
    return f"sha256:{sha256(text.encode()).hexdigest()}"


def _with_whole_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_whole_numbers(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_with_whole_numbers(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _wrong_shape(value: dict[str, Any]) -> tuple[Path, str] | None:
    """The first thing in a snapshot that is not as it should be."""
    for key in value:
        if key not in (*SECTIONS, "apiVersion", "kind", "metadata", "digest"):
            return (key,), f"{key} is no field of a snapshot"
    cluster = value.get("cluster")
    if not isinstance(cluster, dict) or list(cluster) != ["uid"] or not _is_text(cluster["uid"]):
        return ("cluster",), "cluster is not `uid` with a text"
    for section, shape in _SHAPES.items():
        entries = value.get(section)
        if not isinstance(entries, list):
            return (section,), f"{section} is no list"
        for i, each in enumerate(entries):
            what = _wrong_entry(each, shape)
            if what:
                return (section, i), f"{section}[{i}] {what}"
    return None


def _wrong_entry(each: Any, shape: dict[str, bool]) -> str:
    if not isinstance(each, dict):
        return "is no mapping"
    for key, part in each.items():
        if key not in shape:
            return f"has {key}, which is no field of it"
        if key == "fields":
            if not isinstance(part, list) or not all(isinstance(text, str) and field_of(text) for text in part):
                return "has fields that are no list of paths"
        elif key == "selector":
            if not isinstance(part, dict):
                return "has a selector that is no mapping"
        elif key == "object":
            if not _is_object(part):
                return "has an object without apiVersion, kind or metadata.name"
        elif not _is_text(part):
            return f"has {key} that is no text"
    return next((f"lacks {key}" for key, required in shape.items() if required and key not in each), "")


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_object(value: Any) -> bool:
    metadata = value.get("metadata") if isinstance(value, dict) else None
    if not isinstance(metadata, dict) or not all(_is_text(value.get(key)) for key in ("apiVersion", "kind")):
        return False
    labels = metadata.get("labels") or {}
    return (
        _is_text(metadata.get("name"))
        and isinstance(metadata.get("namespace", ""), str)
        and isinstance(labels, dict)
        and all(isinstance(each, str) for each in labels.values())
    )


# ---- fields


def field_text(field: tuple[str, ...]) -> str:
    """`("metadata", "labels", "a.b/c")` -> `metadata.labels["a.b/c"]`."""
    text = ""
    for key in field:
        if key.isascii() and key.replace("_", "a").replace("-", "a").isalnum():
            text += f".{key}" if text else key
        else:
            text += '["' + key.replace("\\", "\\\\").replace('"', '\\"') + '"]'
    return text


def field_of(text: str) -> tuple[str, ...]:
    """The keys of such a text; none where it is none."""
    keys: list[str] = []
    at = 0
    while at < len(text):
        if text.startswith('["', at):
            end = at + 2
            while end < len(text) and text[end] != '"':
                end += 2 if text[end] == "\\" else 1
            if not text.startswith('"]', end):
                return ()
            keys.append(text[at + 2 : end].replace('\\"', '"').replace("\\\\", "\\"))
            at = end + 2
        else:
            if keys:
                if text[at] != ".":
                    return ()
                at += 1
            end = at
            while end < len(text) and text[end] not in '.["':
                end += 1
            if end == at:
                return ()
            keys.append(text[at:end])
            at = end
    return tuple(keys)


# ---- all together


class _Merged:
    """The objects of all snapshots and those that somebody wrote down, each once."""

    def __init__(self, snapshots: list[Snapshot], written: list[Entry], add: Add) -> None:
        self.add = add
        self.objects: dict[Identity, dict[str, Any]] = {}
        self.fields: dict[Identity, Fields] = {}
        self.owned: dict[Identity, Owned] = {}
        self.live: list[dict[str, Any]] = []
        self.lists: set[ListKey] | None = set() if snapshots else None
        self._places: dict[Identity, tuple[Entry, Path]] = {}
        self._uids: dict[Identity, tuple[str, Entry, Path]] = {}
        for snapshot in snapshots:
            self._take(snapshot)
        for entry in written:
            key = identity(entry.value)
            self._see(key, entry.value, None, (entry, ()))
            self._pin(key, entry.value["metadata"].get("uid"), entry, ("metadata", "uid"))

    def observed(self) -> Observed:
        owned = None if self.lists is None else list(self.owned.values())
        state = Observed(given=True, owned=owned, live=self.live, lists=self.lists)
        for key, seen in self.objects.items():
            state.add(seen, self.fields.get(key))
        return state

    def _take(self, snapshot: Snapshot) -> None:
        entry = snapshot.entry
        assert self.lists is not None
        for i, pin in enumerate(snapshot.instances):
            self._pin(_referred(pin), pin.get("uid"), entry, ("instances", i, "uid"))
        for i, each in enumerate(snapshot.owned):
            key = _referred(each)
            self._pin(key, each.get("uid"), entry, ("owned", i, "uid"))
            self.owned[key] = Owned(key, each["instance"], each["node"], each.get("item", ""))
            if "object" in each:
                self.live.append(each["object"])
        for i, each in enumerate(snapshot.objects):
            seen = each["object"]
            key = identity(seen)
            fields = tuple(map(field_of, each["fields"])) if "fields" in each else None
            self._see(key, seen, fields, (entry, ("objects", i, "object")))
            self._pin(key, seen["metadata"].get("uid"), entry, ("objects", i, "object", "metadata", "uid"))
        for each in snapshot.lists:
            group = each["apiVersion"].rpartition("/")[0]
            self.lists.add(list_key(group, each["kind"], each.get("namespace", ""), each.get("selector") or {}))

    def _see(self, key: Identity, seen: dict[str, Any], fields: Fields | None, place: tuple[Entry, Path]) -> None:
        """Note an object. The same one may stand in the input twice: a folder and a file of it are both named."""
        if key not in self.objects:
            self.objects[key], self._places[key] = seen, place
            if fields is not None:
                self.fields[key] = fields
        elif self.objects[key] != seen or self.fields.get(key) != fields:
            first, path = self._places[key]
            entry, own = place
            self.add(
                Diagnostic(
                    "observed-twice",
                    f"{_shown(key)} was observed at {first.locate(path)} already, and looked different",
                    position=entry.locate(own),
                    help="keep one of the two: the newer one, or one snapshot of all paths",
                )
            )

    def _pin(self, key: Identity, uid: Any, entry: Entry, path: Path) -> None:
        """Two uids are two objects that followed each other under one name."""
        if not uid:
            return
        first = self._uids.setdefault(key, (uid, entry, path))
        if first[0] != uid:
            self.add(
                Diagnostic(
                    "snapshot-other-instance",
                    f"{_shown(key)} is another one here: its uid is {uid}, and {first[0]} at {first[1].locate(first[2])}",
                    position=entry.locate(path),
                    help=AGAIN,
                )
            )


def _referred(each: dict[str, Any]) -> Identity:
    return (each["apiVersion"].rpartition("/")[0], each["kind"], each.get("namespace", ""), each["name"])


def _shown(key: Identity) -> str:
    return "/".join(part for part in key[1:] if part)


# ---- what there is to say


def _is_small_enough(inputs: Inputs, add: Add) -> bool:
    entries = [*inputs.snapshots, *inputs.observed]
    sizes = {id(entry.document): entry.document.end - entry.document.start for entry in entries}
    count = len(inputs.observed) + sum(_count(entry.value) for entry in inputs.snapshots)
    found = _size(sum(sizes.values()), count)
    if found is not None:
        found.position = max(entries, key=lambda entry: sizes[id(entry.document)]).locate(())
        add(found)
    return found is None


def too_large(text: str, document: dict[str, Any]) -> Diagnostic | None:
    """What keeps a snapshot that is about to be written from being read again."""
    return _size(len(text), _count(document))


def _size(text: int, count: int) -> Diagnostic | None:
    if text <= MAX_TEXT and count <= MAX_ENTRIES:
        return None
    what = f"{text / 2**20:.1f} MiB of text" if text > MAX_TEXT else f"{count} entries"
    return Diagnostic(
        "snapshot-too-large",
        f"the observed state has {what}; no more than {MAX_TEXT >> 20} MiB and {MAX_ENTRIES} entries are read",
        help="observe fewer instances at a time: `rookery observe` writes only what they wait for",
    )


def _count(value: dict[str, Any]) -> int:
    return sum(len(part) for section in _SHAPES if isinstance(part := value.get(section), list))


def _unreadable(entry: Entry, what: str, path: Path) -> Diagnostic:
    return Diagnostic(
        "snapshot-unreadable",
        f"the snapshot cannot be read: {what}",
        position=entry.locate(path),
        help=AGAIN,
    )


def _missing(cluster: str) -> Diagnostic:
    return Diagnostic(
        "snapshot-missing",
        f"cluster {cluster} is asked for, and no snapshot of it is among the input",
        help="`rookery observe` writes one; without `cluster` nothing need be observed",
    )


def _refuse_other_clusters(snapshots: list[Snapshot], cluster: str, add: Add) -> None:
    wanted, why = cluster, "which is asked for"
    for snapshot in snapshots:
        if not wanted:
            wanted, why = snapshot.uid, f"of which {snapshot.entry.locate(('cluster', 'uid'))} is a snapshot"
        elif snapshot.uid != wanted:
            add(
                Diagnostic(
                    "snapshot-other-cluster",
                    f"this is a snapshot of cluster {snapshot.uid}, not of {wanted}, {why}",
                    position=snapshot.entry.locate(("cluster", "uid")),
                    span=len(snapshot.uid),
                    where="cluster.uid",
                    help="a snapshot holds for one cluster: observe the one that is rendered for",
                )
            )


def _refuse_other_instances(snapshots: list[Snapshot], inputs: Inputs, namespace: str, add: Add) -> None:
    """A snapshot that knows none of the instances was made for others."""
    given = {key for keys in _instances(inputs, namespace) for key in keys}
    for snapshot in snapshots:
        known = [_referred(pin) for pin in snapshot.instances]
        if given and known and not any(key in given for key in known):
            add(
                Diagnostic(
                    "snapshot-other-instance",
                    f"the snapshot was made for {_shown(known[0])}"
                    f"{f' and {len(known) - 1} more' if len(known) > 1 else ''}, and none of them is among the input",
                    position=snapshot.entry.locate(("instances",)),
                    where="instances",
                    help="run `rookery observe` for these instances",
                )
            )


def _instances(inputs: Inputs, namespace: str) -> Iterator[tuple[Identity, Identity]]:
    """Of each instance how it is pinned: with its namespace, or without one, since its kind may be cluster-scoped."""
    for entry in inputs.instances:
        metadata = entry.value.get("metadata")
        if isinstance(metadata, dict):
            name = str(metadata.get("name"))
            own = str(metadata.get("namespace") or namespace)
            yield (*entry.key, own, name), (*entry.key, "", name)


def _by_hand(written: list[Entry]) -> Diagnostic:
    count = len(written)
    return Diagnostic(
        "observed-by-hand",
        f"{count} observed object{' was' if count == 1 else 's were'} written down by hand: nothing shows of which cluster, "
        "nor whether some are missing",
        severity=INFO,
        position=written[0].locate(()),
        help="`rookery observe` writes a snapshot that cannot be cut short or mixed up unnoticed",
    )
