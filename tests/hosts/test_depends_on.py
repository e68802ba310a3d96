"""
`depends-on` and what cli-utils makes of it: its layers are ours, and no package is refused.

cli-utils puts a Namespace before what lies in it, and a CustomResourceDefinition before its objects, in layers of their own. Where there are
neither, the two agree to the layer.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from krm_fn.emit.plain import Emitted
from krm_fn.emit.targets import KPT, Order
from krm_fn.expand.observed import identity
from krm_fn.order.layers import GATED, WAVES
from krm_fn.order.schedule import Schedule
from krm_fn.pipeline import Options, Rendering
from krm_fn.read.sources import read_sources
from krm_fn.read.yaml import parse_documents
from tests.hosts.cli_utils import CliUtils
from tests.hosts.conftest import REPOSITORY
from tests.rendering import config_map, instance, render, rgd

pytestmark = pytest.mark.hosts

GRAPHS = 200
FIXTURES = ("apply-time", "chain-of-three", "fan-out", "kpt-package", "observed-state", "simulation", "web-application", "web-application-dynamodb")  # fmt: skip


@pytest.fixture(scope="module")
def cli_utils() -> Iterator[CliUtils]:
    running = CliUtils()
    yield running
    running.close()


def rendered(documents: Any, **options: Any) -> tuple[Rendering, list[Emitted], list[set[str]]]:
    """The objects, and our layers of them, empty ones left out."""
    order: Order = options.get("order") or Order(KPT)
    rendering = Rendering(documents, Options(**{**options, "order": order}))
    made: list[Emitted] = []
    layers: dict[int, set[str]] = {}
    schedules: dict[int, Schedule] = {}
    for expansion, batch in rendering.batches():
        made += batch
        if expansion is not None:
            schedule = Schedule(expansion, rendering.world, order.waves, instances=rendering.options.instances)
            schedules |= {id(inner): schedule for inner in schedule.expansions()}
    for each in made:
        if each.expansion is not None:
            layer = schedules[id(each.expansion)].layer(each.expansion, each.node, each.key)
            layers.setdefault(layer, set()).add(shown(each.object))
    assert not rendering.findings.has_errors, [(d.code, d.message) for d in rendering.findings.sorted()]
    return rendering, made, [layers[number] for number in sorted(layers)]


def shown(made: dict[str, Any]) -> str:
    """As cli-utils names an object."""
    group, kind, namespace, name = identity(made)
    return f"{namespace}_{name}_{group}_{kind}"


def graph_of(chance: random.Random, *, kind: str, nested: bool) -> str:
    """An RGD: objects of several scopes and groups, collections, nested instances; some of them gate what names them."""
    size = chance.randint(1, 9)
    resources, are_many = "", set()
    for i in range(size):
        sources = [j for j in range(i) if chance.random() < 0.3]
        is_nested = nested and chance.random() < 0.2
        is_many = chance.random() < 0.2
        api, what, name = chance.choice(KINDS) if not is_nested else ("kro.run/v1alpha1", "Inner", "i")
        name = f"${{schema.metadata.name}}-{kind.lower()}-{i}{'-${x}' if is_many else ''}"
        labels = {f"after{j}": f"${{n{j}{'[0]' if j in are_many else ''}.metadata.name}}" for j in sources}
        resources += f"- id: n{i}\n"
        if is_many:
            are_many.add(i)
            resources += "  forEach: [{x: \"${['p', 'q']}\"}]\n"
        if chance.random() < 0.5:
            path = f"{'each' if is_many else f'n{i}'}.status.?state"
            resources += f"  readyWhen: [\"${{{path}.orValue('') == 'ACTIVE'}}\"]\n" if what in ("Inner", "FreeForm") else (
                f"  readyWhen: [\"${{{'each' if is_many else f'n{i}'}.metadata.?uid.hasValue()}}\"]\n"
            )  # fmt: skip
        resources += (
            f"  template: {{apiVersion: {api}, kind: {what}, metadata: {{name: '{name}', labels: {labels}}}}}\n"
        )
    return rgd(resources, kind=kind)


KINDS = (
    ("v1", "ConfigMap", ""),
    ("test.io/v1", "FreeForm", ""),
    ("networking.k8s.io/v1", "NetworkPolicy", ""),
    ("rbac.authorization.k8s.io/v1", "ClusterRole", ""),
)


@pytest.mark.parametrize("waves", WAVES)
@pytest.mark.parametrize("instances", [False, True], ids=["children", "with instances"])
def test_the_layers_of_any_graph_are_ours(cli_utils: CliUtils, waves: str, *, instances: bool) -> None:
    chance = random.Random(8)
    deepest = 0
    for number in range(GRAPHS):
        texts = [graph_of(chance, kind="Inner", nested=False), graph_of(chance, kind="App", nested=True), instance()]
        documents = [d for i, text in enumerate(texts) for d in parse_documents(text, f"{i}.yaml")]
        _, made, layers = rendered(documents, order=Order(KPT, waves=waves), instances=instances)
        answer = cli_utils.check([each.object for each in made])
        assert answer["errors"] == []
        assert [set(layer) for layer in answer["layers"]] == layers, (number, texts)
        deepest = max(deepest, len(layers))
    assert deepest > 4


@pytest.mark.parametrize("waves", WAVES)
@pytest.mark.parametrize("fixture", FIXTURES)
def test_no_fixture_is_refused_and_its_layers_are_ours(cli_utils: CliUtils, fixture: str, waves: str) -> None:
    folder = REPOSITORY / "fixtures" / fixture
    documents = [d for d in read_sources([str(folder)], bytes) if "rendered/" not in d.source.name]
    for deferred in ("withhold", "apply-time"):
        _, made, layers = rendered(documents, order=Order(KPT, waves=waves), deferred=deferred)
        objects = [each.object for each in made]
        assert cli_utils.check(objects)["errors"] == []
        if waves == GATED:  # nothing names a Namespace then, and cli-utils would give it a layer
            first = {shown(each.object) for each in made if each.comes_first}
            objects = [each for each in objects if shown(each) not in first]
            layers = [left for layer in layers if (left := layer - first)]
        assert [set(layer) for layer in cli_utils.check(objects)["layers"]] == layers


def test_a_value_that_is_filled_in_and_a_gate_are_one_edge(cli_utils: CliUtils) -> None:
    resources = (
        '- id: db\n  readyWhen: ["${db.status.ready}"]\n  template: {apiVersion: test.io/v1, kind: Db, metadata: {name: db}}\n'
        + config_map("a", '{host: "${db.status.host}"}')
        + config_map("b", '{from: "${a.data.host}", name: "${db.metadata.name}"}')
    )
    result = render(rgd(resources), instance(), deferred="apply-time", order=Order(KPT))
    answer = cli_utils.check(result.objects)
    assert answer["errors"] == []
    assert answer["layers"] == [["store_db_test.io_Db"], ["store_shop-a__ConfigMap"], ["store_shop-b__ConfigMap"]]


def test_an_authors_own_depends_on_stays_and_names_nothing_twice(cli_utils: CliUtils) -> None:
    own = "/namespaces/store/ConfigMap/shop-b,test.io/namespaces/store/Db/db"
    resources = (
        '- id: db\n  readyWhen: ["${db.status.ready}"]\n  template: {apiVersion: test.io/v1, kind: Db, metadata: {name: db}}\n'
        + config_map("b")
        + config_map("a", '{name: "${db.metadata.name}"}').replace(
            'name: "${schema.metadata.name}-a"',
            f'name: shop-a, annotations: {{config.kubernetes.io/depends-on: "{own}"}}',
        )
    )
    result = render(rgd(resources), instance(), order=Order(KPT))
    answer = cli_utils.check(result.objects)
    assert answer["errors"] == []
    assert answer["layers"] == [["store_shop-b__ConfigMap", "store_db_test.io_Db"], ["store_shop-a__ConfigMap"]]


OWN = [
    "/namespaces/store/ConfigMap/b",
    "/namespaces/store/ConfigMap/b, test.io/namespaces/store/Db/db",
    " /namespaces/store/ConfigMap/b ,/namespaces/store/ConfigMap/b",
    "/namespaces/store/ConfigMap/b,",
    "",
    "x/y",
    "/namespaces/store/ConfigMap/b/c",
    "v1/namespace/store/ConfigMap/b",
    "/namespaces/store/ConfigMap/nowhere",
    "/namespaces/store/ConfigMap/a",
    "/namespaces/store/ConfigMap/later",
]


@pytest.mark.parametrize("own", OWN)
def test_what_an_author_writes_is_refused_by_cli_utils_or_told_by_us_or_neither(cli_utils: CliUtils, own: str) -> None:
    resources = (
        '- id: db\n  readyWhen: ["${db.status.ready}"]\n  template: {apiVersion: test.io/v1, kind: Db, metadata: {name: db}}\n'
        f'- id: a\n  readyWhen: ["${{a.metadata.name != \'\'}}"]\n  template: {{apiVersion: v1, kind: ConfigMap, metadata: {{name: a, annotations: {{config.kubernetes.io/depends-on: "{own}"}}}}}}\n'
        + config_map("b", name="b")
        + config_map("later", '{x: "${a.metadata.name}"}', name="later")
    )
    result = render(rgd(resources), instance(), order=Order(KPT))
    told = bool({"order-cycle", "depends-on-missing", "depends-on-unwritable"} & set(result.codes))
    assert bool(cli_utils.check(result.objects)["errors"]) is told


def test_instances_that_refer_to_each_other_are_layered(cli_utils: CliUtils) -> None:
    maker = rgd(
        '- id: db\n  readyWhen: ["${db.status.ready}"]\n  template: {apiVersion: test.io/v1, kind: Db, metadata: {name: db}}\n'
        + config_map("made", '{x: "${db.metadata.name}"}', name="made"),
        kind="Maker",
    )
    user = rgd(
        "- id: ext\n  externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {name: made}}\n"
        + config_map("uses", '{x: "${ext.data.x}"}')
    )
    seen = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: made, namespace: store}\ndata: {x: db}\n"
    result = render(user, maker, instance(), instance(kind="Maker"), observed=seen, order=Order(KPT))
    answer = cli_utils.check(result.objects)
    assert answer["errors"] == []
    assert answer["layers"] == [["store_db_test.io_Db"], ["store_made__ConfigMap"], ["store_shop-uses__ConfigMap"]]


NAMESPACES = """\
- id: first
  readyWhen: ["${first.data.ready == 'yes'}"]
  template: {apiVersion: v1, kind: ConfigMap, metadata: {name: first, namespace: store}}
- id: team
  template: {apiVersion: v1, kind: Namespace, metadata: {name: team, labels: {after: "${first.metadata.name}"}}}
- id: inside
  template: {apiVersion: v1, kind: ConfigMap, metadata: {name: inside, namespace: "${team.metadata.name}"}}
- id: literal
  template: {apiVersion: v1, kind: ConfigMap, metadata: {name: literal, namespace: team}}
"""


def test_what_lies_in_a_namespace_that_waits_waits_too(cli_utils: CliUtils) -> None:
    answer = cli_utils.check(render(rgd(NAMESPACES), instance(), order=Order(KPT)).objects)
    assert answer["errors"] == []
    assert answer["layers"] == [
        ["store_first__ConfigMap"],
        ["_team__Namespace"],
        ["team_inside__ConfigMap", "team_literal__ConfigMap"],
    ]


CIRCLES = [
    pytest.param([rgd(NAMESPACES.replace("namespace: store", "namespace: team"))], id="an object in the namespace"),
    pytest.param(
        [
            rgd(NAMESPACES.replace("namespace: store", "namespace: other")),
            rgd(
                NAMESPACES.replace("namespace: store", "namespace: team")
                .replace("name: team", "name: other")
                .replace("namespace: team}}\n", "namespace: other}}\n")
                .replace("name: first, namespace: other", "name: first, namespace: team"),
                kind="Other",
            ),
            instance(kind="Other"),
        ],
        id="namespaces of two instances",
    ),
    pytest.param(
        [
            rgd(
                '- id: widget\n  readyWhen: ["${widget.status.ready}"]\n'
                "  template: {apiVersion: test.io/v1, kind: Widget, metadata: {name: w}}\n"
                "- id: crd\n  template:\n    apiVersion: apiextensions.k8s.io/v1\n    kind: CustomResourceDefinition\n"
                '    metadata: {name: widgets.test.io, labels: {after: "${widget.metadata.name}"}}\n'
                "    spec:\n      group: test.io\n      scope: Namespaced\n      names: {kind: Widget, plural: widgets}\n"
                "      versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]\n"
            )
        ],
        id="an object of the kind",
    ),
]


@pytest.mark.parametrize("texts", CIRCLES)
def test_a_circle_is_said_by_us_where_cli_utils_refuses_it(cli_utils: CliUtils, texts: list[str]) -> None:
    result = render(*texts, instance(), order=Order(KPT))
    assert "order-cycle" in result.errors
    [error] = cli_utils.check(result.objects)["errors"]
    assert "cyclic dependency" in error
