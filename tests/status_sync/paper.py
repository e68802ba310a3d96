"""A cluster on paper: what status-sync asks of an API server, answered from a dictionary."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator
from typing import Any

import yaml

from krm_fn.expand.observed import identity
from krm_fn.schema.plurals import plural
from krm_fn.status_sync.cluster import Forbidden, Resource
from krm_fn.status_sync.reads import Conflict, Refused
from krm_fn.status_sync.sync import Log, Sync

Json = dict[str, Any]
Requests = list[str]
CLUSTER_SCOPED = {"ResourceGraphDefinition", "CustomResourceDefinition", "Namespace", "Fleet"}


class Paper:
    """
    objects: what is stored.  requests: what was asked, in words.  unserved: kinds without a CRD.  forbidden: (verb, plural).
    """

    def __init__(self, *objects: Json) -> None:
        self.objects: dict[tuple[str, str, str, str], Json] = {}
        self.requests: list[str] = []
        self.unserved: set[str] = set()
        self.forbidden: set[tuple[str, str]] = set()
        self.before_write: list[Any] = []
        self._version = 0
        for each in objects:
            self.store(each)

    def store(self, value: Json) -> Json:
        """As somebody else writes it."""
        value = copy.deepcopy(value)
        metadata = value["metadata"]
        if value["kind"] not in CLUSTER_SCOPED:
            metadata.setdefault("namespace", "default")
        old = self.objects.get(identity(value))
        self._version += 1
        metadata.setdefault("uid", old["metadata"]["uid"] if old else f"uid-{self._version}")
        metadata.setdefault("generation", 1)
        metadata["resourceVersion"] = str(self._version)
        if old and "status" not in value and "status" in old:
            value["status"] = old["status"]
            metadata["managedFields"] = old["metadata"].get("managedFields", [])
        self.objects[identity(value)] = value
        return value

    def remove(self, value: Json) -> None:
        del self.objects[identity(value)]

    def of(self, kind: str, name: str) -> Json:
        [found] = [each for key, each in self.objects.items() if key[1] == kind and key[3] == name]
        return found

    def status(self, kind: str, name: str) -> Json:
        status: Json = self.of(kind, name).get("status") or {}
        return status

    # -- a Server -------------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        pass

    def resource(self, api_version: str, kind: str) -> Resource | None:
        if kind in self.unserved:
            return None
        path = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        return Resource(api_version, kind, path, plural(kind.lower()), kind not in CLUSTER_SCOPED)

    def get(self, resource: Resource, namespace: str, name: str) -> Json | None:
        self._asked("get", resource, namespace, name)
        group = resource.api_version.rpartition("/")[0]
        return copy.deepcopy(self.objects.get((group, resource.kind, namespace, name)))

    def list(self, resource: Resource, namespace: str = "", selector: str = "") -> Iterable[Json]:
        self._asked("list", resource, namespace, selector)
        group = resource.api_version.rpartition("/")[0]
        for key, found in list(self.objects.items()):
            if key[:2] == (group, resource.kind) and (not namespace or key[2] == namespace):
                yield copy.deepcopy(found)

    def apply_status(self, resource: Resource, body: Json) -> Json:
        """Maps field by field, lists as a whole, whoever owned them."""
        if self.before_write:
            self.before_write.pop(0)()
        self._asked("patch", resource._replace(plural=f"{resource.plural}/status"), *_place(body))
        stored = self.objects.get(identity(body))
        if stored is None or stored["metadata"]["resourceVersion"] != body["metadata"]["resourceVersion"]:
            raise Conflict("the object has been modified")
        if body["status"].get("refuse"):
            raise Refused("its status is not taken: so it is said")
        made = copy.deepcopy(stored)
        entries = made["metadata"].setdefault("managedFields", [])
        ours = [each for each in entries if each["manager"] == "rookery.dev/status-sync"]
        status = made.setdefault("status", {})
        if ours:
            _take_away(status, ours[0]["fieldsV1"]["f:status"], body["status"])
            entries.remove(ours[0])
        _lay_over(status, body["status"])
        fields = {"f:status": _fields(body["status"])}
        entries.append(
            {"manager": "rookery.dev/status-sync", "operation": "Apply", "subresource": "status", "fieldsV1": fields}
        )
        if made["status"] != stored.get("status"):
            self._version += 1
            made["metadata"]["resourceVersion"] = str(self._version)
        self.objects[identity(made)] = made
        return copy.deepcopy(made)

    def _asked(self, verb: str, resource: Resource, namespace: str, name: str) -> None:
        self.requests.append(" ".join(part for part in (verb, resource.plural, namespace, name) if part))
        if (verb, resource.plural) in self.forbidden:
            raise Forbidden(verb, resource, namespace, "no")

    @property
    def writes(self) -> Requests:
        return [request for request in self.requests if request.startswith("patch")]


def _place(body: Json) -> tuple[str, str]:
    return body["metadata"].get("namespace") or "", body["metadata"]["name"]


def _fields(value: Json) -> Json:
    return {f"f:{key}": _fields(below) if isinstance(below, dict) else {} for key, below in value.items()}


def _take_away(status: Json, fields: Json, wanted: Json) -> None:
    for key, below in fields.items():
        name = key[2:]
        if name not in wanted:
            status.pop(name, None)
        elif below and isinstance(wanted[name], dict):
            _take_away(status[name], below, wanted[name])


def _lay_over(status: Json, wanted: Json) -> None:
    for key, value in wanted.items():
        if isinstance(value, dict) and isinstance(status.get(key), dict):
            _lay_over(status[key], value)
        else:
            status[key] = copy.deepcopy(value)


class Clock:
    """Says another time whenever it is asked."""

    def __init__(self) -> None:
        self.seconds = 0

    def __call__(self) -> str:
        self.seconds += 1
        return f"2025-01-01T00:00:{self.seconds:02d}Z"


class Keeper:
    """status-sync on a cluster on paper, pass after pass; what it said."""

    def __init__(self, paper: Paper, *, documents: Any = None, namespaces: tuple[str, ...] = ()) -> None:
        self.paper = paper
        self.lines: list[str] = []
        self.clock = Clock()
        self.sync = Sync(paper, Log(self.lines.append), lambda: documents, namespaces, self.clock)

    def __call__(self) -> bool:
        """One pass; `lines` and the paper's `requests` are those of this pass alone."""
        self.lines.clear()
        self.paper.requests.clear()
        return self.sync.run()

    @property
    def said(self) -> str:
        return re.sub("^status-sync: ", "", "".join(self.lines), flags=re.MULTILINE)


def objects(text: str) -> Iterator[Json]:
    for value in yaml.safe_load_all(text):
        if value is not None:
            yield value
