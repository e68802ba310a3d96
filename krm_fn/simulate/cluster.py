"""
A cluster on paper: objects by identity, written as an API server writes them.

Enters: bodies, each with the manager that applies it; patches; deletions; the kinds that are served.  Leaves: objects with uid,
generation, resourceVersion and creationTimestamp, all of them the same in every run.  Raises `Refused`.  Not known here: kro, files.

Written is by three verbs. `apply`: a manager says all that it wants of an object, and what it no longer says goes away. `set`: a
merge patch by somebody else, the status included. `delete`: gone at once, or when the last finalizer is.
"""

from __future__ import annotations

from krm_fn.expand.observed import identity
from krm_fn.expand.view import as_stored
from krm_fn.program.definition import RGD_GROUP, RGD_KIND
from krm_fn.schema.server_side_apply import merged
from krm_fn.simulate.served import CRD
from krm_fn.simulate.server_values import with_server_values
from krm_fn.simulate.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, TypeAlias

    from krm_fn.expand.observed import Identity
    from krm_fn.simulate.served import Served

    Refuses: TypeAlias = Callable[[dict[str, Any]], str | None]
    """A body that is applied -> what the API server has against it, if somebody knows."""

USER = "user"
"""The manager of what users apply, and of what is there from the beginning."""
_SERVER_FIELDS = ("uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "managedFields")
_WITHOUT_GENERATION = frozenset(
    {
        "ConfigMap", "Secret", "ServiceAccount", "Namespace", "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding", "Service",
        "Endpoints", "Event", "Node", "PersistentVolume", "PersistentVolumeClaim", "LimitRange", "ResourceQuota", "Lease", "StorageClass",
    }
)  # fmt: skip
_FIRST_YEAR = 2030


class Refused(Exception):  # noqa: N818 - the answer of an API server
    """The API server does not take a body."""


class Cluster:
    """
    The objects.

    version: of the last write; what did not change has not been written.  defined: of the last write of an RGD or a CRD.  minutes: the
    time, since the beginning.  refuses: what an admission plugin or a webhook would say.
    """

    __slots__ = ("_applied", "_incarnations", "defined", "minutes", "refuses", "served", "store", "version")

    def __init__(self, served: Served, refuses: Refuses | None = None) -> None:
        self.served = served
        self.refuses = refuses
        self.version = self.defined = 0
        self.minutes = 0
        self.store = Store()
        self._applied: dict[Identity, dict[str, dict[str, Any]]] = {}
        """What each manager applied last."""
        self._incarnations: dict[Identity, int] = {}

    @property
    def now(self) -> str:
        day, minute = divmod(self.minutes, 24 * 60)
        return f"{_FIRST_YEAR}-01-{day % 28 + 1:02d}T{minute // 60:02d}:{minute % 60:02d}:00Z"

    def find(self, key: Identity) -> dict[str, Any] | None:
        return self.store.find(key)

    def objects(self) -> Iterator[tuple[Identity, dict[str, Any]]]:
        """In the order in which they were made."""
        yield from list(self.store.objects.items())

    def identity_of(self, body: dict[str, Any], *, namespace: str = "default") -> Identity:
        """Where a body belongs; *namespace* is for one of a namespaced kind that has none."""
        group, kind, own, name = identity(body)
        if not self.served.namespaced(body["apiVersion"], kind):
            return (group, kind, "", name)
        return (group, kind, own or namespace, name)

    # -- writing ----------------------------------------------------------------------------------------------------

    def load(self, body: dict[str, Any]) -> Identity:
        """An object that is there from the beginning, its status included."""
        key = self.identity_of(body)
        placed = self._placed(key, as_stored(body))
        self._store(key, placed)
        self._applied.setdefault(key, {})[USER] = {field: value for field, value in placed.items() if field != "status"}
        return key

    def apply(self, body: dict[str, Any], manager: str) -> dict[str, Any]:
        """What is stored after *manager* has applied *body*, by force. Raises Refused."""
        key = self.identity_of(body)
        if self.refuses is not None and (message := self.refuses(body)) is not None:
            raise Refused(message)
        desired = self._placed(key, as_stored(body))
        group, _, version = body["apiVersion"].rpartition("/")
        seen = self.store.find(key)
        if self.served.has_status_resource(group, body["kind"], version):
            desired.pop("status", None)
        schema = self.served.kinds.schema(body["apiVersion"], body["kind"])
        made = desired if seen is None else merged(desired, seen, schema, self._applied.get(key, {}).get(manager))
        admitted, complaints = self.served.admit(made)
        if complaints:
            raise Refused(f"{body['kind']} {key[3]!r} is invalid: {'; '.join(complaints)}")
        self._applied.setdefault(key, {})[manager] = desired
        return self._store(key, admitted)

    def set(self, patch: dict[str, Any]) -> dict[str, Any]:
        """A merge patch of an object that exists, by somebody else. Raises Refused."""
        key = self.identity_of(patch)
        seen = self.store.find(key)
        if seen is None:
            raise Refused(f"there is no {key[1]} {key[3]!r}")
        wanted, complaints = self.served.admit(merge_patch(seen, self._placed(key, as_stored(patch))))
        if complaints:
            raise Refused(f"{key[1]} {key[3]!r} is invalid: {'; '.join(complaints)}")
        return self._store(key, wanted)

    def write_status(self, key: Identity, status: dict[str, Any]) -> None:
        """By way of the status subresource. Raises Refused."""
        admitted, complaints = self.served.admit_status(key[:2], as_sent(status))
        if complaints:
            raise Refused(f"{key[1]} {key[3]!r} is invalid: {'; '.join(complaints)}")
        self._store(key, {**self.store.objects[key], "status": admitted})

    def delete(self, key: Identity) -> bool:
        """Whether there was such an object. One with finalizers stays until they are gone."""
        seen = self.store.find(key)
        if seen is None:
            return False
        if seen["metadata"].get("finalizers"):
            if "deletionTimestamp" not in seen["metadata"]:
                self._store(key, {**seen, "metadata": {**seen["metadata"], "deletionTimestamp": self.now}})
            return True
        self._remove(key)
        return True

    def finish(self, key: Identity, finalizer: str) -> None:
        """Take a finalizer away; the last one of a deleted object takes the object along."""
        seen = self.store.objects[key]
        left = [each for each in seen["metadata"].get("finalizers") or [] if each != finalizer]
        metadata = {name: value for name, value in seen["metadata"].items() if name != "finalizers"}
        if left:
            metadata["finalizers"] = left
        self._store(key, {**seen, "metadata": metadata})
        if not left and "deletionTimestamp" in metadata:
            self._remove(key)

    def _remove(self, key: Identity) -> None:
        self.store.take(key)
        self.version += 1
        self._applied.pop(key, None)
        self._note(key)
        if key[:2] == CRD:
            self.served.remove(key[3])

    def _note(self, key: Identity) -> None:
        if key[:2] in (CRD, (RGD_GROUP, RGD_KIND)):
            self.defined = self.version

    def _placed(self, key: Identity, body: dict[str, Any]) -> dict[str, Any]:
        """With the namespace of its place, without the fields that only a server sets."""
        metadata = {name: value for name, value in body["metadata"].items() if name not in _SERVER_FIELDS}
        metadata.pop("namespace", None)
        if key[2]:
            metadata["namespace"] = key[2]
        return {**body, "metadata": metadata}

    def _store(self, key: Identity, body: dict[str, Any]) -> dict[str, Any]:
        seen = self.store.find(key)
        old = seen["metadata"] if seen is not None else {}
        metadata = {**body["metadata"]}
        for field in ("uid", "creationTimestamp", "generation", "resourceVersion"):
            if field in old:
                metadata[field] = old[field]
        body = with_server_values({**body, "metadata": metadata})
        if seen == body:
            return seen
        self.version += 1
        metadata = body["metadata"]
        metadata["resourceVersion"] = str(self.version)
        if seen is None:
            self._incarnations[key] = self._incarnations.get(key, 0) + 1
            metadata["uid"] = _uid(key, self._incarnations[key])
            metadata["creationTimestamp"] = self.now
            if key[1] not in _WITHOUT_GENERATION:
                metadata["generation"] = 1
        elif "generation" in metadata and (_content(seen) != _content(body) or _ends(old) != _ends(metadata)):
            metadata["generation"] += 1
        self.store.put(key, body)
        self._note(key)
        if key[:2] == CRD and (seen is None or seen.get("spec") != body.get("spec")):
            self.served.add(body)
        return body


def _content(body: dict[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in body.items() if field not in ("metadata", "status")}


def _ends(metadata: dict[str, Any]) -> bool:
    return "deletionTimestamp" in metadata


def _uid(key: Identity, incarnation: int) -> str:
    from hashlib import sha256

    digest = sha256("\0".join((*key, str(incarnation))).encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"


def as_sent(value: Any) -> Any:
    """As JSON carries it: a whole double is written without a point, and read back as an integer."""
    if isinstance(value, dict):
        return {key: as_sent(child) for key, child in value.items()}
    if isinstance(value, list):
        return [as_sent(child) for child in value]
    if type(value) is float and value.is_integer() and abs(value) < 2**63:
        return int(value)
    return value


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    made = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            made.pop(key, None)
        else:
            made[key] = merge_patch(made.get(key), value)
    return made
