"""
An API server, as far as Rookery asks it: which resource serves a kind, one object, all objects.

Enters: a kubeconfig (or the service account of the Pod), kinds, names.  Leaves: plain JSON; RenderError where the server cannot be
reached, does not let us in, or breaks off.  Not known here: what is asked for, or why.

The official client reads the configuration and keeps the connections (TLS, tokens and their renewal, exec plugins, proxies); requests
and answers are plain JSON.  The values of a Secret never get past this module: `data` and `stringData` are taken off every
Secret, with the annotation in which `kubectl apply` repeats them.

Bounds: 10 s to connect, 60 s for an answer, 64 MiB an answer, five attempts of what may pass (429, 5xx, a broken connection), at most 30 s
between two of them; lists come in chunks of 500.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, NamedTuple

from krm_fn.expand.secrets import LAST_APPLIED
from krm_fn.report.diagnostic import Diagnostic, RenderError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

CHUNK = 500
_ATTEMPTS = 5
_CONNECT, _READ = 10.0, 60.0
_LONGEST_WAIT = 30.0
_LARGEST = 64 * 1024 * 1024
_TRANSIENT = (408, 429, 500, 502, 503, 504)
_JSON = "application/json"
_METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
_METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"


class Resource(NamedTuple):
    """How a kind is served: `path` is that of its group and version (`/apis/apps/v1`)."""

    api_version: str
    kind: str
    path: str
    plural: str
    namespaced: bool

    def __str__(self) -> str:
        """As RBAC names it: `deployments.apps`."""
        group = self.api_version.rpartition("/")[0]
        return f"{self.plural}.{group}" if group else self.plural


class Forbidden(Exception):  # noqa: N818 - collected, so that all of them are said at once
    """The server knows us, and does not let us do this."""

    def __init__(self, verb: str, resource: Resource, namespace: str, said: str) -> None:
        super().__init__(said)
        self.verb = verb
        self.resource = resource
        self.namespace = namespace
        self.said = said


class Answer(Exception):  # noqa: N818 - whoever asked knows what it means
    """A status other than 200, with what the server said."""

    def __init__(self, code: int, said: str) -> None:
        super().__init__(said)
        self.code = code
        self.said = said


class Cluster:
    """A connection. *sleep*: how to wait before another attempt, so that tests need not."""

    def __init__(self, client: Any, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._sleep = sleep
        self._served: dict[str, dict[str, Resource]] = {}
        self.host: str = client.configuration.host.rstrip("/")
        self._answered = False
        """Whether it ever did: a server that was never there need not be asked again."""

    # -- what there is --------------------------------------------------------------------------------------------------

    def uid(self) -> str:
        """What tells this cluster from others: the uid of its namespace kube-system. Errors: Forbidden."""
        namespaces = Resource("v1", "Namespace", "/api/v1", "namespaces", namespaced=False)
        found = self.get(namespaces, "", "kube-system")
        if found is None:
            raise _failed(self.host, "there is no namespace kube-system, by whose uid a cluster is known")
        return str(found["metadata"]["uid"])

    def resource(self, api_version: str, kind: str) -> Resource | None:
        """How a kind is served in this very version; None where it is not (a CRD that is not installed)."""
        served = self._served.get(api_version)
        if served is None:
            path = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
            try:
                answer = self._request(path, _JSON)
            except Answer as refused:
                if refused.code != 404:
                    raise _failed(self.host, f"{path}: {refused.said}") from None
                answer = {}
            served = self._served[api_version] = {
                entry["kind"]: Resource(api_version, entry["kind"], path, entry["name"], bool(entry.get("namespaced")))
                for entry in answer.get("resources") or ()
                if "/" not in entry["name"] and "get" in entry.get("verbs", ())
            }
        return served.get(kind)

    def get(self, resource: Resource, namespace: str, name: str, *, whole: bool = True) -> dict[str, Any] | None:
        """One object, or None. *whole*: else its metadata alone. Errors: Forbidden."""
        from urllib.parse import quote

        path = f"{self._collection(resource, namespace)}/{quote(name, safe='')}"
        try:
            answer = self._request(path, _JSON if whole else _METADATA)
        except Answer as refused:
            if refused.code == 404:
                return None
            raise self._explained(refused, "get", resource, namespace) from None
        return self._kept(answer, resource)

    def list(
        self, resource: Resource, namespace: str = "", selector: str = "", *, whole: bool = True
    ) -> Iterator[dict[str, Any]]:
        """
        All objects of a kind, of one namespace or of all, a chunk at a time.

        A list that expires on the way is asked for again from the start, in one piece, as kubectl does. Errors: Forbidden.
        """
        query: dict[str, str] = {"limit": str(CHUNK)}
        if selector:
            query["labelSelector"] = selector
        found: list[dict[str, Any]] = []
        while True:
            try:
                answer = self._request(self._collection(resource, namespace), _JSON if whole else _METADATA_LIST, query)
            except Answer as refused:
                if refused.code == 410 and "continue" in query:
                    query = {key: value for key, value in query.items() if key not in ("continue", "limit")}
                    found = []
                    continue
                if refused.code == 404:
                    break  # a CRD that went away meanwhile
                raise self._explained(refused, "list", resource, namespace) from None
            found += [self._kept(item, resource) for item in answer.get("items") or ()]
            rest = (answer.get("metadata") or {}).get("continue")
            if not rest:
                break
            query["continue"] = rest
        yield from found

    def _kept(self, found: dict[str, Any], resource: Resource) -> dict[str, Any]:
        """What callers get to see of an object."""
        return _without_values(found, resource)

    def _collection(self, resource: Resource, namespace: str) -> str:
        from urllib.parse import quote

        place = f"/namespaces/{quote(namespace, safe='')}" if resource.namespaced and namespace else ""
        return f"{resource.path}{place}/{resource.plural}"

    # -- one request ----------------------------------------------------------------------------------------------------

    def _request(self, path: str, accept: str, query: Mapping[str, str] | None = None) -> Any:
        """The answer to a GET. Errors: Answer (a status that will not pass), RenderError (`cluster-unreachable`)."""
        return answered(*self._tried("GET", path, accept, query), self.host)

    def _tried(
        self,
        method: str,
        path: str,
        accept: str,
        query: Mapping[str, str] | None = None,
        body: bytes = b"",
        form: str = "",
    ) -> tuple[int, bytes]:
        """Status and body of an answer. *form*: of the body that is sent."""
        import urllib3

        url = self.host + path
        problem = ""
        for attempt in range(_ATTEMPTS):
            wait = 0.5 * 2**attempt
            try:
                code, headers, answer = self._once(method, url, accept, query, body, form)
            except (urllib3.exceptions.HTTPError, OSError) as error:
                problem = _reason(error)
                if not self._answered or _will_not_pass(error):
                    break
            else:
                self._answered = True
                if code not in _TRANSIENT:
                    return code, answer
                problem = f"{code}: {_said(answer)}"
                wait = _retry_after(headers.get("Retry-After"), wait)
            if attempt < _ATTEMPTS - 1:
                self._sleep(min(wait, _LONGEST_WAIT))
        raise RenderError(
            [
                Diagnostic(
                    "cluster-unreachable",
                    f"{self.host} does not answer: {problem}",
                    help="nothing was written; is the server of this context up, and is this the right one?",
                )
            ]
        )

    def _once(
        self, method: str, url: str, accept: str, query: Mapping[str, str] | None, sent: bytes, form: str
    ) -> tuple[int, Mapping[str, str], bytes]:
        from urllib.parse import urlencode

        import urllib3

        headers = {"Accept": accept, "User-Agent": "rookery", **({"Content-Type": form} if form else {})}
        for setting in self._credentials().values():
            if setting.get("in") == "header" and setting.get("value"):
                headers[setting["key"]] = setting["value"]
        answer = self._client.rest_client.pool_manager.request(
            method,
            f"{url}?{urlencode(query)}" if query else url,
            body=sent or None,
            headers=headers,
            timeout=urllib3.Timeout(connect=_CONNECT, read=_READ),
            retries=False,
            redirect=False,
            preload_content=False,
        )
        try:
            body = answer.read(_LARGEST + 1)
        finally:
            answer.release_conn()
        if len(body) > _LARGEST:
            raise _failed(self.host, f"an answer is larger than {_LARGEST >> 20} MiB")
        return answer.status, answer.headers, body

    def _credentials(self) -> Mapping[str, Mapping[str, str]]:
        """As they are now: the client reads the token of a Pod again when a minute has passed, and asks exec plugins in time."""
        try:
            found: Mapping[str, Mapping[str, str]] = self._client.configuration.auth_settings()
        except Exception as error:  # noqa: BLE001 - whatever a file that is being replaced, or a plugin, gives rise to
            message = f"the credentials for {self.host} cannot be renewed: {_in_short(error)}"
            raise RenderError([Diagnostic("cluster-config", message)]) from None
        return found

    def _explained(self, refused: Answer, verb: str, resource: Resource, namespace: str) -> Exception:
        if refused.code == 403:
            return Forbidden(verb, resource, namespace if resource.namespaced else "", refused.said)
        return _failed(self.host, f"{verb} {resource}: {refused.said}")


def connect(kubeconfig: str = "", context: str = "") -> Cluster:
    """The cluster that `api_client` is for."""
    return Cluster(api_client(kubeconfig, context))


def api_client(kubeconfig: str = "", context: str = "") -> Any:
    """
    A client for the cluster of a kubeconfig's context; without any kubeconfig, for the one that this Pod runs in.

    Errors: `cluster-config`, `status-sync-missing`.
    """
    import os

    try:
        from kubernetes import client, config
    except ImportError:
        advice = "pip install 'rookery[status-sync]'"
        message = "the Python package kubernetes is not installed"
        raise RenderError([Diagnostic("status-sync-missing", message, help=advice)]) from None
    settings = client.Configuration()
    load: Any = config  # the package says nothing of types
    named = kubeconfig or os.environ.get("KUBECONFIG", "")
    try:
        if not named and not context and os.environ.get("KUBERNETES_SERVICE_HOST") and not _has_default():
            load.load_incluster_config(client_configuration=settings)
        else:
            load.load_kube_config(
                config_file=kubeconfig or None,
                context=context or None,
                client_configuration=settings,
                persist_config=False,
            )
    except Exception as error:  # noqa: BLE001 - the client raises whatever its parsers do; none of it is a bug of ours
        raise RenderError(
            [
                Diagnostic(
                    "cluster-config",
                    f"{named or 'the kubeconfig'} cannot be used: {_in_short(error)}",
                    help="--kubeconfig and --context say which cluster; `kubectl config get-contexts` lists them",
                )
            ]
        ) from None
    return client.ApiClient(configuration=settings)


def _in_short(error: Exception) -> str:
    return (" ".join(str(error).split()) or type(error).__name__)[:300]


def _has_default() -> bool:
    import os

    return os.path.exists(os.path.expanduser("~/.kube/config"))


def _without_values(found: dict[str, Any], resource: Resource) -> dict[str, Any]:
    """An object as its kind is written, for items of lists have neither apiVersion nor kind; a Secret without its values."""
    made: dict[str, Any] = {"apiVersion": resource.api_version, "kind": resource.kind}
    made.update((key, value) for key, value in found.items() if key not in made)
    metadata = {key: value for key, value in (found.get("metadata") or {}).items() if key != "managedFields"}
    annotations = metadata.get("annotations")
    if annotations and LAST_APPLIED in annotations:
        metadata["annotations"] = {key: value for key, value in annotations.items() if key != LAST_APPLIED}
    made["metadata"] = metadata
    if (resource.api_version, resource.kind) == ("v1", "Secret"):
        made.pop("data", None)
        made.pop("stringData", None)
    return made


def answered(code: int, body: bytes, host: str) -> Any:
    if code == 401:
        raise RenderError(
            [
                Diagnostic(
                    "cluster-refused",
                    f"{host} does not accept the credentials: {_said(body)}",
                    help="log in again, or choose another user with --kubeconfig or --context",
                )
            ]
        )
    if code != 200:
        raise Answer(code, _said(body) or f"the status is {code}")
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise _failed(host, "an answer is no JSON: is this an API server?") from None
    if not isinstance(answer, dict):
        raise _failed(host, "an answer is no object: is this an API server?")
    return answer


def _said(body: bytes) -> str:
    """The server's own words, in one line."""
    try:
        text = json.loads(body)["message"]
    except (ValueError, KeyError, TypeError, RecursionError):
        text = body.decode(errors="replace")
    return " ".join(str(text).split())[:300]


def _failed(host: str, what: str) -> RenderError:
    return RenderError([Diagnostic("cluster-failed", f"{host}: {what}")])


def _reason(error: BaseException) -> str:
    """The innermost reason, without the addresses of objects that urllib3 prints."""
    from http.client import IncompleteRead, RemoteDisconnected

    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, (RemoteDisconnected, IncompleteRead)):
            return "it closed the connection"
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror.lower()
        inner = getattr(cause, "reason", None)
        cause = inner if isinstance(inner, BaseException) else cause.__cause__ or cause.__context__
    return " ".join(str(error).rpartition("object at 0x")[2].partition(">: ")[2].split()) or type(error).__name__


def _will_not_pass(error: BaseException) -> bool:
    """Whether it is a certificate that is not trusted, or a name that nobody knows: asking again changes nothing."""
    import ssl

    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return True
        inner = getattr(cause, "reason", None)
        cause = inner if isinstance(inner, BaseException) else cause.__cause__ or cause.__context__
    return False


def _retry_after(text: str | None, otherwise: float) -> float:
    """Seconds, as the API server gives them; a date, which it does not give, counts as nothing said."""
    return float(text) if text and text.isascii() and text.isdigit() and len(text) < 6 else otherwise
