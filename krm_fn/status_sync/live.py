"""
A cluster whose statuses can be written: `cluster.Cluster`, which only reads, and one kind of request more.

Enters: statuses.  Leaves: the objects as they are stored then.  Not known here: what a status should be.

Objects come whole, the values of Secrets included: readiness may depend on them, and a status never holds one, since expressions
find them unknown (`expand.view.without_secrets`).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from krm_fn.status_sync.changes import MANAGER
from krm_fn.status_sync.cluster import Answer, Cluster, Forbidden, Resource, answered
from krm_fn.status_sync.reads import Conflict, Refused

if TYPE_CHECKING:
    from typing import Any

_APPLY = "application/apply-patch+yaml"


class Live(Cluster):
    """A `reads.Server` that is a real one."""

    def begin(self) -> None:
        """What is served may have changed since."""
        self._served.clear()

    def _kept(self, found: dict[str, Any], resource: Resource) -> dict[str, Any]:
        return {**found, "apiVersion": resource.api_version, "kind": resource.kind}

    def apply_status(self, resource: Resource, body: dict[str, Any]) -> dict[str, Any]:
        """
        Server-side apply to the status subresource, whoever wrote there before.

        *body* has uid and resourceVersion, so that no other object gets the status, and none that has changed. It is sent again
        where no answer came: if it was taken all the same, that is a Conflict, and what is stored is equal.
        """
        metadata = body["metadata"]
        place = self._collection(resource, metadata.get("namespace") or "")
        path = f"{place}/{metadata['name']}/status"
        query = {"fieldManager": MANAGER, "force": "true"}
        sent = json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")
        code, answer = self._tried("PATCH", path, "application/json", query, sent, _APPLY)
        try:
            return self._kept(answered(code, answer, self.host), resource)
        except Answer as refused:
            why, said = refused.code, refused.said
        namespace = metadata.get("namespace") or ""
        if why == 403:
            raise Forbidden("patch", resource._replace(plural=f"{resource.plural}/status"), namespace, said)
        if why == 404 and self.get(resource, namespace, metadata["name"]) is not None:
            raise Refused(f"the CRD {resource} has no status subresource")
        if why in (404, 409):
            raise Conflict(said)
        raise Refused(f"its status is not taken: {said}")
