"""`rookery observe` against a real API server: what it sees, what it must be allowed to see, and what it leaves behind."""

from __future__ import annotations

import io
import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from krm_fn.command import EXIT_OK, EXIT_REFUSED, run
from krm_fn.expand.observed import identity
from krm_fn.read.yaml import parse_documents
from krm_fn.snapshot import digest_of
from krm_fn.status_sync.cluster import Cluster
from tests.hosts.api_server import ApiError, ApiServer, api_server
from tests.hosts.programs import tool
from tests.rendering import config_map, instance, rgd

pytestmark = pytest.mark.hosts

ROOT = Path(__file__).resolve().parents[2]
FIXTURE = ROOT / "fixtures" / "observed-state"
_MERGE = "application/merge-patch+json"
Json = dict[str, Any]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Observer:
    """A folder with an RGD and an instance, and a user who looks at a cluster from there."""

    def __init__(self, server: ApiServer, folder: Path, namespace: str) -> None:
        self.server = server
        self.folder = folder
        self.namespace = namespace
        self.output = folder / "observed.yaml"
        self.kubeconfig = server.kubeconfig
        self.paths: list[str] = []
        self.said = ""
        try:
            server.request("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
        except ApiError as error:
            if error.code != 409:
                raise

    def write(self, *texts: str) -> None:
        for i, text in enumerate(texts):
            path = self.folder / f"{i}.yaml"
            path.write_text(text)
            self.paths.append(str(path))

    def run(self, *words: str, err: io.StringIO | None = None) -> tuple[int, bytes]:
        out, err = io.BytesIO(), err or io.StringIO()
        code = run(list(words), io.BytesIO(), out, err, {"NO_COLOR": "1"})
        self.said = err.getvalue()
        return code, out.getvalue()

    def observe(self, *words: str, err: io.StringIO | None = None) -> int:
        code, out = self.run(
            "observe", *self.paths, "-o", str(self.output), "--kubeconfig", str(self.kubeconfig), *words, err=err
        )
        assert out == b""
        return code

    def render(self) -> bytes:
        code, out = self.run("render", *self.paths, "--observed", str(self.output))
        assert code == EXIT_OK, self.said
        return out

    def create(self, plural: str, **parts: Any) -> Json:
        return self.server.request("POST", f"/api/v1/namespaces/{self.namespace}/{plural}", parts)

    def apply(self, manifests: bytes, *words: str) -> None:
        done = subprocess.run(
            [tool("kubectl"), "--kubeconfig", str(self.server.kubeconfig), "apply", *words, "-f", "-"],
            input=manifests,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()

    @property
    def snapshot(self) -> Json:
        [document] = parse_documents(self.output.read_text(), "observed.yaml")
        value: Json = document.value
        return value


@pytest.fixture
def observer(cluster: ApiServer, tmp_path: Path, request: pytest.FixtureRequest) -> Observer:
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_").lower()).strip("-")[:50].rstrip("-")
    return Observer(cluster, tmp_path, name)


def test_turn_by_turn_everything_is_rendered(observer: Observer) -> None:
    observer.write(
        (FIXTURE / "rgd.yaml").read_text(),
        (FIXTURE / "instance.yaml").read_text().replace("namespace: shops", f"namespace: {observer.namespace}"),
    )
    observer.create("configmaps", metadata={"name": "team"}, data={"notice": "closed on Sunday", "other": "x"})
    found = []
    for turn in range(4):
        assert observer.observe() == EXIT_OK
        output = observer.render()
        observer.apply(output, "--server-side")
        found.append(output.count(b"apiVersion: "))
        if turn == 0:
            status = {"loadBalancer": {"ingress": [{"hostname": "books.example.net"}]}}
            path = f"/api/v1/namespaces/{observer.namespace}/services/books/status"
            observer.server.request("PATCH", path, {"status": status}, _MERGE)
    assert found == [2, 4, 4, 4]
    before = observer.output.read_bytes()
    assert observer.observe() == EXIT_OK
    assert observer.output.read_bytes() == before, "looking again gives the same bytes"
    assert {each["name"] for each in observer.snapshot["owned"]} == {"books", "books-address", "books-notice"}
    shown = {each["object"]["kind"]: each["fields"] for each in observer.snapshot["objects"]}
    assert shown == {"ConfigMap": ["data.notice"], "Service": ["spec.ports", "status.loadBalancer.ingress"]}


def test_more_than_a_chunk_of_objects(observer: Observer) -> None:
    select = (
        "- id: all\n  externalRef: {apiVersion: v1, kind: ConfigMap, metadata: "
        f"{{namespace: {observer.namespace}, selector: {{matchLabels: {{use: many}}}}}}}}\n"
    )
    observer.write(rgd(select + config_map("a", '{x: "${string(size(all))}"}')), instance(namespace=observer.namespace))
    for i in range(1100):
        observer.create("configmaps", metadata={"name": f"one-{i}", "labels": {"use": "many"}}, data={"x": "y"})
    assert observer.observe() == EXIT_OK
    assert len(observer.snapshot["objects"]) == 1100
    [made] = parse_documents(observer.render().decode(), "output")
    assert made.value["data"] == {"x": "1100"}


def test_secrets_keep_their_values(observer: Observer) -> None:
    external = "- id: ext\n  externalRef: {apiVersion: v1, kind: Secret, metadata: {name: login}}\n"
    used = config_map("a", '{x: "${string(ext.data.password)}", team: "${ext.metadata.labels.team}"}')
    observer.write(rgd(external + used), instance(namespace=observer.namespace))
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "login", "namespace": observer.namespace, "labels": {"team": "shop"}},
        "stringData": {"password": "hunter2"},
    }
    observer.apply(json.dumps(secret).encode())  # kubectl repeats it in an annotation
    assert observer.observe() == EXIT_OK
    text = observer.output.read_text()
    assert [each["fields"] for each in observer.snapshot["objects"]] == [["metadata.labels.team"]]
    for value in ("hunter2", "aHVudGVyMg"):
        assert value not in text + observer.said


# -- what is allowed --------------------------------------------------------------------------------------------------


@pytest.fixture
def restricted(observer: Observer) -> Iterator[Observer]:
    """The observer as a ServiceAccount that may do nothing yet."""
    account = f"/api/v1/namespaces/{observer.namespace}/serviceaccounts"
    observer.server.request("POST", account, {"metadata": {"name": "ci"}})
    token = observer.server.request("POST", f"{account}/ci/token", {"spec": {}})["status"]["token"]
    config = json.loads(observer.server.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": token}
    observer.kubeconfig = observer.folder / "kubeconfig"
    observer.kubeconfig.write_text(json.dumps(config))
    yield observer
    for kind in ("clusterroles", "clusterrolebindings"):
        try:
            observer.server.request("DELETE", f"/apis/rbac.authorization.k8s.io/v1/{kind}/rookery-observe")
        except ApiError as error:
            if error.code != 404:
                raise


def roles(page: Path, namespace: str) -> dict[str, Json]:
    """The roles that docs/observe.md shows, for the fixture's namespace."""
    blocks = re.findall(r"^```yaml\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    [text] = [block for block in blocks if "kind: ClusterRole" in block]
    documents = parse_documents(text.replace("namespace: shops", f"namespace: {namespace}"), "page")
    return {document.value["kind"]: document.value for document in documents}


def grant(observer: Observer, role: Json) -> None:
    api = "rbac.authorization.k8s.io"
    binding = {
        "apiVersion": f"{api}/v1",
        "kind": f"{role['kind']}Binding",
        "metadata": role["metadata"],
        "roleRef": {"apiGroup": api, "kind": role["kind"], "name": role["metadata"]["name"]},
        "subjects": [{"kind": "ServiceAccount", "name": "ci", "namespace": observer.namespace}],
    }
    observer.apply(json.dumps(role).encode())
    observer.apply(json.dumps(binding).encode())


def test_what_is_missing_of_permissions_is_named_and_the_page_says_enough(restricted: Observer) -> None:
    restricted.write(
        (FIXTURE / "rgd.yaml").read_text(),
        (FIXTURE / "instance.yaml").read_text().replace("namespace: shops", f"namespace: {restricted.namespace}"),
    )
    shown = roles(ROOT / "docs" / "observe.md", restricted.namespace)
    assert restricted.observe() == EXIT_REFUSED
    assert "error[cluster-forbidden]: to get namespaces is not allowed" in restricted.said
    assert 'resources: ["namespaces"], verbs: ["get"]' in restricted.said
    grant(restricted, shown["ClusterRole"])
    assert restricted.observe() == EXIT_REFUSED
    wanted = {
        ("get", "configmaps"), ("get", "services"),
        ("list", "configmaps"), ("list", "services"), ("list", "deployments.apps"),
    }  # fmt: skip
    assert set(re.findall(r"to (get|list) ([a-z.]+) in namespace", restricted.said)) == wanted
    assert not restricted.output.exists()
    grant(restricted, shown["Role"])
    assert restricted.observe() == EXIT_OK, restricted.said


def test_a_token_that_nobody_knows(restricted: Observer) -> None:
    restricted.write(rgd(config_map("a", "{x: known}")), instance(namespace=restricted.namespace))
    config = json.loads(restricted.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": "expired"}
    restricted.kubeconfig.write_text(json.dumps(config))
    assert restricted.observe() == EXIT_REFUSED
    assert "error[cluster-refused]: https://127.0.0.1:" in restricted.said
    assert "Unauthorized" in restricted.said


def test_a_server_that_is_not_trusted(observer: Observer) -> None:
    observer.write(rgd(config_map("a", "{x: known}")), instance(namespace=observer.namespace))
    config = json.loads(observer.server.kubeconfig.read_text())
    del config["clusters"][0]["cluster"]["certificate-authority"]
    observer.kubeconfig = observer.folder / "kubeconfig"
    observer.kubeconfig.write_text(json.dumps(config))
    assert observer.observe() == EXIT_REFUSED
    assert "error[cluster-unreachable]" in observer.said
    assert "certificate verify failed" in observer.said


# -- what is left behind ----------------------------------------------------------------------------------------------


def test_a_snapshot_of_another_cluster_is_kept_until_it_is_unpinned(observer: Observer) -> None:
    observer.write(rgd(config_map("a", "{x: known}")), instance(namespace=observer.namespace))
    assert observer.observe() == EXIT_OK
    value = {**observer.snapshot, "cluster": {"uid": "another"}}
    observer.output.write_text(json.dumps({**value, "digest": digest_of(value)}))
    before = observer.output.read_bytes()
    assert observer.observe() == EXIT_REFUSED
    assert "error[snapshot-other-cluster]" in observer.said
    assert observer.output.read_bytes() == before
    assert observer.observe("--unpin") == EXIT_OK
    assert observer.snapshot["cluster"] != {"uid": "another"}


@pytest.mark.parametrize("text", ["", "apiVersion: v1\nkind: List\nitems: []\n", "kind: [\n", "rookery"])
def test_a_file_that_is_no_snapshot_is_not_overwritten(text: str, observer: Observer) -> None:
    observer.write(rgd(config_map("a", "{x: known}")), instance(namespace=observer.namespace))
    observer.output.write_text(text)
    assert observer.observe() == EXIT_REFUSED
    assert "--unpin writes a new snapshot in its place" in observer.said
    assert observer.output.read_text() == text
    assert observer.observe("--unpin") == EXIT_OK


def test_a_cluster_that_goes_away_in_the_middle_leaves_everything_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    external = "- id: ext\n  externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {name: shared}}\n"
    with ExitStack() as running:
        observer = Observer(running.enter_context(api_server()), tmp_path, "store")
        observer.write(rgd(external + config_map("a", '{x: "${ext.data.x}"}')), instance())
        assert observer.observe() == EXIT_OK
        before = observer.output.read_bytes()
        observer.create("configmaps", metadata={"name": "shared"}, data={"x": "y"})
        ask = Cluster._once
        asked: list[str] = []

        def ask_until_it_is_gone(self: Cluster, url: str, *rest: Any) -> Any:
            asked.append(url)
            if len(asked) == 4:
                running.close()
            return ask(self, url, *rest)

        monkeypatch.setattr(Cluster, "_once", ask_until_it_is_gone)
        assert observer.observe() == EXIT_REFUSED
    assert "error[cluster-unreachable]: https://127.0.0.1:" in observer.said
    assert len(asked) == 8, "the fourth question, and four times more"
    assert observer.output.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.yaml", "1.yaml", "observed.yaml"]


def test_progress_is_for_terminals(observer: Observer) -> None:
    observer.write(rgd(config_map("a", "{x: known}")), instance(namespace=observer.namespace))
    assert observer.observe() == EXIT_OK
    assert (
        observer.said == f"{observer.output}: 0 objects seen that expressions wait for, 0 owned, 0 of them kept whole\n"
    )
    assert observer.observe(err=Terminal()) == EXIT_OK
    assert observer.said.splitlines()[:2] == [
        f"looking at https://127.0.0.1:{observer.server.port}",
        "which cluster is it?",
    ]
    assert f"what is owned: configmaps in {observer.namespace}" in observer.said


def test_to_stdout(observer: Observer) -> None:
    observer.write(rgd(config_map("a", "{x: known}")), instance(namespace=observer.namespace))
    code, out = observer.run("observe", *observer.paths, "-o", "-", "--kubeconfig", str(observer.kubeconfig))
    assert code == EXIT_OK
    [document] = parse_documents(out.decode(), "out")
    assert document.value["digest"] == digest_of(document.value)
    assert identity(document.value)[1] == "ObservedState"
