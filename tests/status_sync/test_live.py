"""What the answers to an apply mean."""

from __future__ import annotations

import json
from typing import Any

import pytest

from krm_fn.status_sync.cluster import Forbidden, Resource
from krm_fn.status_sync.live import Live
from krm_fn.status_sync.reads import Conflict, Refused

APPS = Resource("kro.run/v1alpha1", "App", "/apis/kro.run/v1alpha1", "apps", namespaced=True)
BODY = {
    "apiVersion": "kro.run/v1alpha1",
    "kind": "App",
    "metadata": {"name": "shop", "namespace": "store", "uid": "u", "resourceVersion": "7"},
    "status": {"state": "ACTIVE", "text": "ä"},
}


class Response:
    def __init__(self, status: int, body: Any) -> None:
        self.status = status
        self.headers: dict[str, str] = {}
        self._body = json.dumps(body).encode()

    def read(self, _amount: int) -> bytes:
        return self._body

    def release_conn(self) -> None:
        pass


class Client:
    """Stands for the official client: it has answers, and keeps what it was asked."""

    def __init__(self, *answers: Response) -> None:
        self.asked: list[tuple[str, str, bytes | None, dict[str, str]]] = []
        self._answers = list(answers)
        self.configuration = self.rest_client = self.pool_manager = self
        self.host = "https://cluster"

    def auth_settings(self) -> dict[str, dict[str, str]]:
        return {"BearerToken": {"in": "header", "key": "authorization", "value": "Bearer x"}}

    def request(self, method: str, url: str, body: bytes | None = None, headers: Any = None, **_: Any) -> Response:
        self.asked.append((method, url, body, headers))
        return self._answers.pop(0)


def said(code: int, message: str = "so it is") -> Response:
    return Response(code, {"kind": "Status", "message": message})


def applied(*answers: Response) -> tuple[Any, Client]:
    client = Client(*answers)
    return Live(client, sleep=lambda _: None).apply_status(APPS, BODY), client


def test_what_is_sent() -> None:
    stored, client = applied(Response(200, {**BODY, "status": {"state": "ACTIVE"}}))
    [(method, url, body, headers)] = client.asked
    assert method == "PATCH"
    assert url == (
        "https://cluster/apis/kro.run/v1alpha1/namespaces/store/apps/shop/status"
        "?fieldManager=rookery.dev%2Fstatus-sync&force=true"
    )
    assert body is not None
    assert json.loads(body) == BODY
    assert headers["Content-Type"] == "application/apply-patch+yaml"
    assert stored["status"] == {"state": "ACTIVE"}


@pytest.mark.parametrize(
    ("answers", "raised", "message"),
    [
        ((said(409),), Conflict, "so it is"),
        ((said(422, "status.x is no string"),), Refused, "its status is not taken: status.x is no string"),
        ((said(400),), Refused, "its status is not taken: so it is"),
        ((said(404), said(404)), Conflict, "so it is"),
        ((said(404), Response(200, BODY)), Refused, "the CRD apps.kro.run has no status subresource"),
        ((said(403),), Forbidden, "so it is"),
    ],
)
def test_what_is_not_taken(answers: tuple[Response, ...], raised: type[Exception], message: str) -> None:
    with pytest.raises(raised) as caught:
        applied(*answers)
    assert str(caught.value) == message


def test_what_may_pass_is_sent_again() -> None:
    first = Live(client := Client(Response(200, BODY), said(429), said(503), Response(200, BODY)), sleep=lambda _: None)
    first.apply_status(APPS, BODY)
    assert first.apply_status(APPS, BODY)["kind"] == "App"
    assert len(client.asked) == 4


def test_objects_come_whole() -> None:
    metadata = {"name": "s", "namespace": "d", "managedFields": [{"manager": "m"}]}
    secret = {"metadata": metadata, "data": {"token": "eA=="}}
    secrets = Resource("v1", "Secret", "/api/v1", "secrets", namespaced=True)
    client = Client(Response(200, secret), Response(200, {"items": [secret], "metadata": {}}))
    live = Live(client)
    expected = {**secret, "apiVersion": "v1", "kind": "Secret"}
    assert live.get(secrets, "d", "s") == expected
    assert list(live.list(secrets)) == [expected]
