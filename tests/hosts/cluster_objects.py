"""Objects of a test in a real API server: made, changed by whoever plays their controllers, and taken away again."""

from __future__ import annotations

import copy
import time
from typing import Any

from krm_fn.schema.rgd_crd import RGD_CRD
from tests.hosts.api_server import CRDS, ApiError, ApiServer

Json = dict[str, Any]


class Objects:
    """What one test makes. `close` takes it all away, the last first."""

    def __init__(self, cluster: ApiServer) -> None:
        self.cluster = cluster
        self._resources: dict[tuple[str, str], tuple[str, bool]] = {}
        self._made: dict[str, None] = {}

    def path(self, value: Json, *, name: bool = True) -> str:
        """Of an object, or of a mention of one that has name and namespace at its top."""
        place = value.get("metadata") or value
        plural, namespaced = self._resource(value["apiVersion"], value["kind"])
        version = value["apiVersion"]
        path = f"/apis/{version}" if "/" in version else f"/api/{version}"
        if namespaced:
            path += f"/namespaces/{place.get('namespace') or 'default'}"
        return f"{path}/{plural}/{place['name']}" if name else f"{path}/{plural}"

    def _resource(self, version: str, kind: str) -> tuple[str, bool]:
        if (version, kind) not in self._resources:
            base = f"/apis/{version}" if "/" in version else f"/api/{version}"
            for entry in self.cluster.request("GET", base)["resources"]:
                if "/" not in entry["name"]:
                    self._resources[version, entry["kind"]] = (entry["name"], entry["namespaced"])
        return self._resources[version, kind]

    def crds(self, crds: list[Json]) -> None:
        """Install CRDs, and wait until they are served."""
        for crd in crds:
            self.cluster.create_crd(crd)
            self._made[f"{CRDS}/{crd['metadata']['name']}"] = None
        self.cluster.wait_for_crds([crd["metadata"]["name"] for crd in crds])
        end = time.monotonic() + 60
        for crd in crds:
            for version in crd["spec"]["versions"]:
                served = (f"{crd['spec']['group']}/{version['name']}", crd["spec"]["names"]["kind"])
                while served not in self._resources:
                    assert time.monotonic() < end, f"{served} is not served"
                    try:
                        self._resource(*served)
                    except (KeyError, ApiError):
                        time.sleep(0.1)

    def rgd_crd(self) -> None:
        crd = copy.deepcopy(RGD_CRD)
        crd["spec"]["versions"][0]["subresources"] = {"status": {}}
        self.crds([crd])

    def namespace(self, name: str) -> None:
        """It stays: nobody here finishes the deletion of one."""
        value = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        self.cluster.request("PATCH", f"{self.path(value)}?fieldManager=test", value, "application/apply-patch+yaml")

    def apply(self, value: Json, manager: str = "test") -> Json:
        path = self.path(value)
        self._made.setdefault(path)
        query = f"?fieldManager={manager}&force=true"
        return self.cluster.request("PATCH", path + query, value, "application/apply-patch+yaml")

    def create(self, value: Json) -> Json:
        """As a user does, whose nulls and unknown fields the server drops."""
        made = self.cluster.request("POST", self.path(value, name=False), value)
        self._made[self.path(value)] = None
        return made

    def get(self, value: Json) -> Json:
        return self.cluster.request("GET", self.path(value))

    def patch(self, value: Json, patch: Json, subresource: str = "") -> Json:
        path = self.path(value) + (f"/{subresource}" if subresource else "")
        return self.cluster.request("PATCH", path, patch, "application/merge-patch+json")

    def delete(self, value: Json) -> None:
        path = self.path(value)
        self._delete(path)
        self._made.pop(path, None)

    def _delete(self, path: str) -> None:
        try:
            self.cluster.request("DELETE", path, {"gracePeriodSeconds": 0, "propagationPolicy": "Background"})
        except ApiError as error:
            if error.code != 404:
                raise

    def close(self) -> None:
        for path in reversed(self._made):
            self._delete(path)
        gone = [path for path in self._made if path.startswith(CRDS)]
        end = time.monotonic() + 60
        for path in gone:
            while self._is_there(path):
                assert time.monotonic() < end, f"{path} does not go"
                time.sleep(0.1)

    def _is_there(self, path: str) -> bool:
        try:
            self.cluster.request("GET", path)
        except ApiError:
            return False
        return True
