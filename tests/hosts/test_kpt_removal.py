"""
What `kpt live` takes away, on a real API server: what a package does not make any more, and all of it; and where that has its limits.

A finalizer on each object keeps what kpt has deleted in sight, so that a dependency could go before its dependents are gone if kpt let it.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.hosts.cluster_objects import Objects
from tests.hosts.conftest import Kpt, files
from tests.hosts.kpt_live import Live, apply, clear, found_of, hold, layers_of, leaving, let_go, package, roll_out
from tests.hosts.test_depends_on import shown
from tests.rendering import config_map, instance, rgd

if TYPE_CHECKING:
    from tests.hosts.api_server import ApiServer

pytestmark = pytest.mark.hosts

Json = dict[str, Any]
NUMBERS = itertools.count()

CACHE = config_map(
    "cache", '{size: "1"}', more='includeWhen: ["${schema.spec.cached}"]\nreadyWhen: ["${cache.data.size == \'1\'}"]'
)
PROXY = config_map("proxy", '{to: "${cache.metadata.name}"}', more="readyWhen: [\"${proxy.data.to != ''}\"]")
PAGE = config_map("page", '{at: "${proxy.metadata.name}"}')
REST = config_map("rest")
SPEC = "{cached: boolean | default=true}"


def web(image: str, label: str = "web") -> str:
    return f"""\
- id: web
  template:
    apiVersion: apps/v1
    kind: Deployment
    metadata: {{name: "${{schema.metadata.name}}-web"}}
    spec:
      replicas: 1
      selector: {{matchLabels: {{app: {label}}}}}
      template: {{metadata: {{labels: {{app: {label}}}}}, spec: {{containers: [{{name: web, image: "{image}"}}]}}}}
"""


class Package:
    """One in a namespace of its own, applied."""

    def __init__(self, kpt: Kpt, objects: Objects, namespace: str) -> None:
        self.kpt = kpt
        self.objects = objects
        self.namespace = namespace
        self.made: list[Json] = []

    def render(self, *texts: str) -> list[list[Json]]:
        package(self.kpt, [yaml.safe_load(text) for text in texts], self.namespace)
        layers = layers_of(self.kpt)
        self.made += [made for layer in layers for made in layer]
        return layers

    def apply(self, *texts: str) -> list[list[Json]]:
        layers = self.render(*texts)
        apply(self.kpt, self.objects, layers)
        return layers

    def runs(self, *words: str) -> Live:
        return Live(self.kpt, self.objects, *words)

    def names(self) -> set[str]:
        """Of what is there."""
        return {made["metadata"]["name"] for made in self.made if found_of(self.objects, made)}


@pytest.fixture
def live(kpt: Kpt, cluster: ApiServer) -> Iterator[Package]:
    objects = Objects(cluster)
    namespace = f"removal-{next(NUMBERS)}"
    objects.namespace(namespace)
    kpt.environment["KUBECONFIG"] = str(cluster.kubeconfig)
    live = Package(kpt, objects, namespace)
    live.render(rgd(REST))
    assert kpt.run("live", "init", "package", "--namespace", namespace).code == 0
    yield live
    clear(objects, live.made)


@pytest.mark.parametrize(
    ("after", "left"),
    [
        pytest.param((rgd(CACHE + PROXY + PAGE + REST, spec=SPEC), instance("{cached: false}")), {"shop-rest"}, id="excluded"),
        pytest.param((rgd(REST, spec=SPEC), instance()), {"shop-rest"}, id="gone from the RGD"),
        pytest.param((rgd(CACHE + PROXY + PAGE + REST, spec=SPEC), instance("{cached: false}", name="other")), {"other-rest"}, id="of an instance that is gone"),
    ],
)  # fmt: skip
def test_what_is_not_made_any_more_goes_in_reverse_after_the_rest_is_applied(
    live: Package, after: tuple[str, ...], left: set[str]
) -> None:
    layers = live.apply(rgd(CACHE + PROXY + PAGE + REST, spec=SPEC), instance())
    goes = [[made for made in layer if made["metadata"]["name"] not in left] for layer in layers]
    assert [[made["metadata"]["name"] for made in layer if made["metadata"]["name"] != "shop-rest"] for layer in goes] == [
        ["shop-cache"], ["shop-proxy"], ["shop-page"],
    ]  # fmt: skip
    hold(live.objects, [made for layer in goes for made in layer])
    live.render(*after)
    with live.runs("apply", "package") as running:
        running.takes_away(goes)
        running.ends()
    assert live.names() == left


# -- what stays, and depends on it no more --------------------------------------------------------------------------------


def test_what_nobody_depends_on_any_more_goes_when_who_did_is_current(live: Package) -> None:
    cache, [deployment] = live.apply(rgd(CACHE + web("${cache.metadata.name}"), spec=SPEC), instance())
    hold(live.objects, cache)
    live.render(rgd(web("none"), spec=SPEC), instance())
    with live.runs("apply", "package") as running:
        eventually(lambda: image_of(live, deployment) == "none")
        time.sleep(1)
        assert leaving(live.objects, cache) == set()
        roll_out(live.objects, deployment)
        running.takes_away([cache])
        running.ends()
    assert live.names() == {"shop-web"}


@pytest.mark.parametrize(
    ("label", "image", "words", "code", "said"),
    [
        pytest.param("web", "none", ["--reconcile-timeout", "1s"], 3, "1 timed out", id="is not Current in time"),
        pytest.param("other", "cache", [], 3, "field is immutable", id="is refused"),
    ],
)
def test_it_goes_as_well_where_who_did(
    live: Package, label: str, image: str, words: list[str], code: int, said: str
) -> None:
    """kpt looks at what the package says now: the object that the cluster has may still depend on what goes."""
    _, [deployment] = live.apply(rgd(CACHE + web("${cache.data.size == '1' ? 'cache' : ''}"), spec=SPEC), instance())
    live.render(rgd(web("none", label=label), spec=SPEC), instance())
    with live.runs("apply", "package", *words) as running:
        assert said in running.ends(code)
    assert image_of(live, deployment) == image
    assert live.names() == {"shop-web"}


def image_of(live: Package, deployment: Json) -> str:
    found: str = live.objects.get(deployment)["spec"]["template"]["spec"]["containers"][0]["image"]
    return found


def eventually(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


# -- what somebody else has deleted -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [("destroy",), ("apply",)], ids=["destroy", "prune"])
def test_kpt_refuses_where_what_others_depend_on_is_gone(live: Package, words: tuple[str]) -> None:
    """The annotation names something outside of the package then. What brings it back, or takes the annotation off, helps."""
    app = (rgd(CACHE + PROXY + PAGE + REST, spec=SPEC), instance())
    [cache, _], [proxy], _ = live.apply(*app)
    live.objects.delete(cache)
    before = live.names()
    if words == ("apply",):
        live.render(rgd(REST, spec=SPEC), instance())
    refused = live.kpt.run("live", *words, "package")
    assert refused.code == 1
    assert "external dependency: " in refused.text
    assert "ConfigMap/shop-proxy -> " in refused.text
    assert live.names() == before
    if words == ("apply",):
        live.objects.patch(proxy, {"metadata": {"annotations": {"config.kubernetes.io/depends-on": None}}})
    else:
        live.apply(*app)
    assert live.kpt.run("live", *words, "package").code == 0
    assert live.names() == ({"shop-rest"} if words == ("apply",) else set())


# -- what waits for the cluster -----------------------------------------------------------------------------------------------

WAITING = config_map("note", '{replicas: "${string(web.status.availableReplicas)}"}')


def test_what_is_withheld_is_not_there_and_what_is_kept_goes_in_its_turn(live: Package) -> None:
    """While anything waits nothing is pruned, not even what nobody wants any more: it goes with everything else."""
    texts = rgd(web("none") + WAITING + CACHE + PROXY, spec=SPEC)
    live.apply(texts, instance())
    assert live.names() == {"shop-web", "shop-cache", "shop-proxy"}

    [web_] = [made for made in live.made if made["kind"] == "Deployment"]
    seen = live.objects.get(web_)
    seen["metadata"].pop("managedFields")
    seen["metadata"]["annotations"] = {"rookery.dev/observed": "true"}
    layers = live.render(texts, instance(), yaml.safe_dump(seen))
    apply(live.kpt, live.objects, [])
    assert live.names() == {"shop-web", "shop-cache", "shop-proxy", "shop-note"}

    package_before = files(live.kpt.folder / "package" / "rendered")
    live.render(texts, instance("{cached: false}"))
    assert files(live.kpt.folder / "package" / "rendered") == package_before
    apply(live.kpt, live.objects, [])
    assert live.names() == {"shop-web", "shop-cache", "shop-proxy", "shop-note"}

    hold(live.objects, [made for layer in layers for made in layer])
    with live.runs("destroy", "package") as running:
        running.takes_away(layers)
        running.ends()
    assert live.names() == set()


# -- what does not go ---------------------------------------------------------------------------------------------------------


def test_what_does_not_go_in_time_keeps_what_it_depends_on_and_the_next_run_goes_on(live: Package) -> None:
    layers = live.apply(rgd(CACHE + PROXY + PAGE, spec=SPEC), instance())
    live.render(rgd(REST, spec=SPEC), instance())
    hold(live.objects, layers[-1])
    with live.runs("apply", "package", "--prune-timeout", "1s") as running:
        assert "2 skipped" in running.ends(3)
    assert leaving(live.objects, live.made) == {shown(made) for made in layers[-1]}
    assert live.names() == {"shop-cache", "shop-proxy", "shop-page", "shop-rest"}
    let_go(live.objects, layers[-1])
    assert live.kpt.run("live", "apply", "package").code == 0
    assert live.names() == {"shop-rest"}


def test_without_the_annotation_there_is_no_order(live: Package) -> None:
    """kpt looks at the annotations of the objects as they live: what was applied without has none."""
    layers = live.apply(rgd(CACHE + PROXY + PAGE, spec=SPEC), instance())
    everything = [made for layer in layers for made in layer]
    for made in everything:
        live.objects.patch(made, {"metadata": {"annotations": {"config.kubernetes.io/depends-on": None}}})
    hold(live.objects, everything)
    with live.runs("destroy", "package") as running:
        running.takes_away([everything])
        running.ends()
    assert live.names() == set()
