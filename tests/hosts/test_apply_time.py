"""
`--deferred apply-time` and what cli-utils makes of it.

The object that cli-utils would send, once the sources are there, is the one that a render gives that has observed them.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from krm_fn.expand.apply_time import ANNOTATION
from tests.hosts.cli_utils import CliUtils
from tests.hosts.conftest import REPOSITORY
from tests.rendering import Result, config_map, free_form, instance, render, rgd

if TYPE_CHECKING:
    from tests.hosts.api_server import ApiServer
    from tests.hosts.conftest import Kpt

pytestmark = pytest.mark.hosts

Json = dict[str, Any]

SOURCE = """\
- id: db
  template: {apiVersion: test.io/v1, kind: Database, metadata: {name: "${schema.metadata.name}-db"}}
"""
SERVICE = """\
- id: svc
  template:
    apiVersion: v1
    kind: Service
    metadata: {name: "${schema.metadata.name}-svc"}
    spec: {type: NodePort, ports: [{port: 80}]}
"""
STATUS: Json = {
    "host": "db.example",
    "port": 5432,
    "big": 9007199254740991,
    "million": 1000000,
    "ratio": 0.25,
    "ready": True,
    "off": False,
    "empty": "",
    "list": ["a", "b"],
    "endpoints": [{"host": "one", "ports": [1, 2]}, {"host": "two"}],
    "map": {
        "a.b/c": "dotted",
        "with-dash": "dashed",
        "with space": "spaced",
        "ü": "umlaut",
        "a:b,c": "separators",
        "*": "star",
    },
}
LIVE_SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: shop-svc, namespace: store, uid: 1-2-3}
spec: {type: NodePort, clusterIP: 10.0.0.7, ports: [{port: 80, protocol: TCP, targetPort: 80, nodePort: 30080}]}
"""


def database(status: Json) -> Json:
    return {
        "apiVersion": "test.io/v1",
        "kind": "Database",
        "metadata": {"name": "shop-db", "namespace": "store", "uid": "4-5-6"},
        "status": status,
    }


@pytest.fixture(scope="module")
def cli_utils() -> Iterator[CliUtils]:
    running = CliUtils()
    yield running
    running.close()


def sent(cli_utils: CliUtils, result: Result, live: list[Json]) -> dict[str, Json]:
    """By name what cli-utils would send, with no error of its own; each path finds one field."""
    answer = cli_utils.check(result.objects, live)
    assert answer["errors"] == []
    found = {made["metadata"]["name"]: made for made in result.objects}
    for reading in answer["objects"]:
        assert "errors" not in reading, reading
        assert all(each == {"target": 1, "source": 1} for each in reading["found"]), reading
        made = json.loads(json.dumps(reading["mutated"]))
        annotations = made["metadata"]["annotations"]
        assert annotations.pop(ANNOTATION)
        if not annotations:
            del made["metadata"]["annotations"]
        found[made["metadata"]["name"]] = made
    return found


def agrees(cli_utils: CliUtils, resources: str, live: list[Json], spec: str = "{}", given: str = "{}") -> Result:
    """That cli-utils sends what is rendered when the sources are observed; the rendering with placeholders."""
    text = rgd(resources, spec=spec)
    result = render(text, instance(given), deferred="apply-time")
    assert result.errors == []
    assert ANNOTATION in json.dumps(result.objects), [(f.code, f.message, f.help) for f in result.findings]
    known = render(text, instance(given), observed="---\n".join(json.dumps(each) + "\n" for each in live))
    assert "deferred" not in known.states.values()
    assert sent(cli_utils, result, live) == {made["metadata"]["name"]: made for made in known.objects}
    return result


@pytest.mark.parametrize(
    "data",
    [
        pytest.param('{x: "${db.status.host}"}', id="a text"),
        pytest.param('{x: "${db.status.port}"}', id="a number keeps its type"),
        pytest.param('{x: "${db.status.big}"}', id="a large number"),
        pytest.param('{x: "${db.status.million}"}', id="a number that Go writes with an exponent"),
        pytest.param('{x: "${db.status.ratio}"}', id="a fraction"),
        pytest.param('{x: "${db.status.ready}", y: "${db.status.off}"}', id="booleans"),
        pytest.param('{x: "${db.status.empty}"}', id="an empty text"),
        pytest.param('{x: "${db.status.list}"}', id="a list"),
        pytest.param('{x: "${db.status.endpoints}"}', id="a list of objects"),
        pytest.param('{x: "${db.status.map}"}', id="an object"),
        pytest.param('{x: "${db.status.endpoints[0].host}"}', id="an index"),
        pytest.param('{x: "${db.status.endpoints[0].ports[1]}"}', id="an index in an index"),
        pytest.param('{x: "${db.status.endpoints[schema.spec.count].host}"}', id="an index that is known"),
        pytest.param('{x: "${db.status.map[\\"a.b/c\\"]}"}', id="a key with a dot and a slash"),
        pytest.param('{x: "${db.status.map[\\"with-dash\\"]}"}', id="a key with a dash"),
        pytest.param('{x: "${db.status.map[\\"with space\\"]}"}', id="a key with a blank"),
        pytest.param('{x: "${db.status.map[\\"ü\\"]}"}', id="a key beyond ASCII"),
        pytest.param('{x: "${db.status.map[\\"a:b,c\\"]}"}', id="a key that would be a slice and a union"),
        pytest.param('{x: "${db.status.map[\\"*\\"]}"}', id="a key that would be everything"),
        pytest.param('{"a.b/c": "${db.status.host}", "a:b": "${db.status.host}"}', id="targets with such keys"),
        pytest.param('{l: [x, "${db.status.host}", {y: "${db.status.port}"}]}', id="targets in a list"),
        pytest.param('{l: ["${omit()}", "${db.status.host}", "${omit()}", {y: ["${omit()}", "${db.status.port}"]}]}', id="omitted neighbours"),
        pytest.param('{x: "https://${db.status.host}/"}', id="a text around it"),
        pytest.param('{x: "${db.status.host}${db.status.endpoints[0].host}"}', id="two texts and nothing between"),
        pytest.param('{x: "${db.status.host}, ${db.status.host}"}', id="one path twice"),
        pytest.param('{x: "a", y: "${db.status.host}", z: "${db.status.host}"}', id="one path in two fields"),
        pytest.param('{x: "${schema.metadata.name}.${db.status.host}:${string(schema.spec.count)}"}', id="known parts"),
        pytest.param('{x: "${\\"a-\\" + db.status.host + (\\"-b\\" + schema.metadata.name)}"}', id="joined by the author"),
        pytest.param('{x: "#${db.status.host} \\"q\\" \\\\ é \\n end: ${db.status.host}"}', id="characters that need quotes"),
        pytest.param('{x: "${db.metadata.uid}"}', id="metadata of the source"),
    ],
)  # fmt: skip
def test_what_cli_utils_sends_is_what_is_rendered_of_observed_sources(cli_utils: CliUtils, data: str) -> None:
    agrees(cli_utils, SOURCE + free_form("a", data), [database(STATUS)], "{count: integer | default=1}")


def test_a_number_of_a_known_kind_becomes_text_as_kro_writes_it(cli_utils: CliUtils) -> None:
    data = '{x: "http://${svc.spec.clusterIP}:${string(svc.spec.ports[0].nodePort)}", y: "${string(svc.spec.ports[0].nodePort)}"}'
    agrees(cli_utils, SERVICE + config_map("a", data), list(yaml.safe_load_all(LIVE_SERVICE)))


def test_an_integer_field_of_a_known_kind(cli_utils: CliUtils) -> None:
    target = """\
- id: policy
  template:
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {name: policy, labels: {"a.b/c": "${svc.metadata.uid}"}}
    spec: {podSelector: {}, ingress: [{ports: [{port: 1}, {port: "${svc.spec.ports[0].nodePort}"}]}]}
"""
    agrees(cli_utils, SERVICE + target, list(yaml.safe_load_all(LIVE_SERVICE)))


def test_an_item_of_a_collection_is_a_source_and_every_item_a_target(cli_utils: CliUtils) -> None:
    resources = (
        SOURCE.replace("- id: db", '- id: db\n  forEach: [{part: "${[0, 1]}"}]').replace("-db", "-db-${string(part)}")
        + free_form("a", '{x: "${db[1].status.host}-${v}", y: "${db[0].status.port}"}').replace("- id: a", '- id: a\n  forEach: [{v: "${[\'p\', \'q\']}"}]').replace("-a", "-a-${v}")
    )  # fmt: skip
    live = [database({"host": f"h{i}", "port": i}) for i in range(2)]
    for i, made in enumerate(live):
        made["metadata"]["name"] = f"shop-db-{i}"
    assert len(agrees(cli_utils, resources, live).objects) == 4


def test_a_chain_is_applied_in_its_order(cli_utils: CliUtils) -> None:
    resources = (
        SOURCE
        + free_form("a", '{host: "${db.status.host}", known: k}')
        + free_form("b", '{host: "http://${a.data.host}", known: "${a.data.known}", name: "${a.metadata.name}"}')
    )
    result = render(rgd(resources), instance(), deferred="apply-time")
    layers = cli_utils.check(result.objects)["layers"]
    assert layers == [
        ["store_shop-db_test.io_Database"],
        ["store_shop-a_test.io_FreeForm"],
        ["store_shop-b_test.io_FreeForm"],
    ]
    assert result["shop-b"]["data"]["known"] == "k"


def test_a_cluster_scoped_source_has_no_namespace(cli_utils: CliUtils) -> None:
    role = """\
- id: role
  template: {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: reader}, rules: []}
"""
    live = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: reader, uid: 7}\nrules: []\n"
    [made] = yaml.safe_load_all(live.replace("uid: 7", 'uid: "7"'))
    agrees(cli_utils, role + config_map("a", '{uid: "${role.metadata.uid}"}'), [made])


def test_a_missing_path_fails_and_sends_nothing(cli_utils: CliUtils) -> None:
    result = render(rgd(SOURCE + free_form("a", '{x: "${db.status.host}"}')), instance(), deferred="apply-time")
    [reading] = cli_utils.check(result.objects, [database({})])["objects"]
    assert "mutated" not in reading
    assert "expected 1 match, but found 0" in reading["errors"][0]


TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufeff\ufffe\uffff${}"), max_size=12)
VALUES = st.recursive(
    st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS.filter(bool), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(host=TEXTS, name=TEXTS, value=VALUES)
def test_whatever_the_values_are(cli_utils: CliUtils, host: str, name: str, value: Any) -> None:
    data = '{x: "${db.status.value}", y: "a${db.status.host}b${db.status.name}c${db.status.host}", l: [1, "${db.status.name}"]}'
    agrees(cli_utils, SOURCE + free_form("a", data), [database({"host": host, "name": name, "value": value})])


def test_kpt_live_fills_in_the_worked_package(kpt: Kpt, cluster: ApiServer) -> None:
    shutil.copytree(REPOSITORY / "fixtures/apply-time", kpt.folder / "package")
    kptfile = kpt.folder / "package" / "Kptfile"
    kptfile.write_text(kptfile.read_text().replace("namespace: store", "namespace: apply-time"))
    kpt.render()
    kpt.environment["KUBECONFIG"] = str(cluster.kubeconfig)
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "apply-time"}}
    cluster.request("POST", "/api/v1/namespaces", namespace)
    assert kpt.run("live", "init", "package", "--namespace", "apply-time").code == 0
    applied = kpt.run("live", "apply", "package", "--reconcile-timeout", "60s")
    assert applied.code == 0, applied.text
    spec = cluster.request("GET", "/api/v1/namespaces/apply-time/services/shop")["spec"]
    url, port = f"http://{spec['clusterIP']}:80", str(spec["ports"][0]["nodePort"])
    read = [
        cluster.request("GET", f"/api/v1/namespaces/apply-time/configmaps/shop-{name}")
        for name in ("settings", "banner")
    ]
    assert [made["data"] for made in read] == [{"url": url, "nodePort": port}, {"text": f"shop-settings: {url}"}]
