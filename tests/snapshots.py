"""A cluster that is a dict, and snapshots of it, for tests that need no API server."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from krm_fn.expand.observed import identity, matches
from krm_fn.observed_input import API_VERSION, KIND
from krm_fn.pipeline import Options, Rendering
from krm_fn.read.yaml import parse_documents
from krm_fn.snapshot import Snapshot
from krm_fn.status_sync.cluster import Forbidden, Resource
from krm_fn.status_sync.observe import Sight, finished

Json = dict[str, Any]
CLUSTER = "31f5a1c0-0000-4000-8000-000000000001"
_CLUSTER_SCOPED = ("Namespace", "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition")


class DictCluster:
    """
    Answers as `status_sync.cluster.Cluster` does, which never lets a Secret's values through.

    asked: every question, as text.  forbidden: the questions that are not allowed.  unserved: kinds of CRDs that are not installed.
    """

    def __init__(self, *objects: Json, uid: str = CLUSTER) -> None:
        self.objects: dict[tuple[str, str, str, str], Json] = {}
        self.uid_of_cluster = uid
        self.asked: list[str] = []
        self.forbidden: set[str] = set()
        self.unserved: set[str] = set()
        self.host = "https://dict"
        self._count = 0
        for each in objects:
            self.apply(each)

    def apply(self, each: Json) -> Json:
        """Store an object over what is there, as much as a test needs of that; gives it a uid."""
        key = identity(each)
        stored = copy.deepcopy(each)
        live = self.objects.get(key, {})
        self._count += 1
        uid = live.get("metadata", {}).get("uid") or f"00000000-0000-4000-8000-{self._count:012d}"
        stored["metadata"]["uid"] = uid
        if "status" in live:
            stored.setdefault("status", live["status"])
        self.objects[key] = stored
        return stored

    def uid(self) -> str:
        self._ask("get", "Namespace", "", "kube-system")
        return self.uid_of_cluster

    def resource(self, api_version: str, kind: str) -> Resource | None:
        if kind in self.unserved:
            return None
        path = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        return Resource(api_version, kind, path, f"{kind.lower()}s", kind not in _CLUSTER_SCOPED)

    def get(self, resource: Resource, namespace: str, name: str, *, whole: bool = True) -> Json | None:
        self._ask("get", resource.kind, namespace, name)
        group = resource.api_version.rpartition("/")[0]
        found = self.objects.get((group, resource.kind, namespace, name))
        return None if found is None else self._shown(found, whole=whole)

    def list(
        self, resource: Resource, namespace: str = "", selector: str = "", *, whole: bool = True
    ) -> Iterator[Json]:
        self._ask("list", resource.kind, namespace, selector)
        labels = dict(part.split("=") for part in selector.split(",")) if selector else {}
        group = resource.api_version.rpartition("/")[0]
        for key, found in sorted(self.objects.items()):
            mine = key[:2] == (group, resource.kind) and namespace in ("", key[2])
            if mine and matches({"matchLabels": labels}, found["metadata"].get("labels") or {}):
                yield self._shown(found, whole=whole)

    def _shown(self, found: Json, *, whole: bool) -> Json:
        hidden = ("data", "stringData") if found["kind"] == "Secret" else ()
        kept = [k for k in found if k not in hidden] if whole else ["apiVersion", "kind", "metadata"]
        return copy.deepcopy({key: found[key] for key in kept})

    def _ask(self, verb: str, kind: str, namespace: str, rest: str) -> None:
        question = " ".join(filter(None, (verb, kind, namespace, rest)))
        self.asked.append(question)
        for allowed in (question, f"{verb} {kind}"):
            if allowed in self.forbidden:
                resource = self.resource("v1", kind)
                assert resource is not None
                raise Forbidden(verb, resource, namespace, f"{question} is forbidden")


def look(cluster: DictCluster, *texts: str, earlier: Snapshot | None = None, **options: Any) -> Sight:
    """A finished look at *cluster* for the RGDs and instances of some YAML texts."""
    documents = [document for i, text in enumerate(texts) for document in parse_documents(text, f"input-{i}.yaml")]
    sight = Sight(Rendering(documents, Options(**options)), cluster, earlier, lambda _: None)
    sight.look()
    return sight


def observed(cluster: DictCluster, *texts: str, **options: Any) -> str:
    """The text of `observed.yaml`."""
    return finished(look(cluster, *texts, **options).document())


def snapshot(
    *objects: Json, instance: str = "shop", cluster: str = CLUSTER, owned: list[Json] | None = None, **sections: Any
) -> str:
    """A snapshot of whole objects, for the instance App/store/<instance>."""
    return finished(
        {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {"name": "observed"},
            "cluster": {"uid": cluster},
            "instances": [
                {"apiVersion": "kro.run/v1alpha1", "kind": "App", "namespace": "store", "name": instance},
            ],
            "owned": owned or [],
            "objects": [{"object": each} for each in objects],
            "lists": [],
            **sections,
        }
    )
