"""
Packages that `kpt live` applies to a real API server, and takes away again.

Nobody runs Deployments here, so the tests play their controller, and that of Namespaces: they write the status that kstatus wants, and
look before that whether anything of a later layer is there already. A finalizer on what is to go does the same for the way back.
"""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING, Any, Self

import yaml

from krm_fn.emit.targets import KPT, Order
from krm_fn.emit.yaml_text import dump
from krm_fn.order.layers import GATED
from krm_fn.read.sources import read_sources
from tests.hosts.api_server import ApiError
from tests.hosts.conftest import REPOSITORY, Kpt, kptfile, write
from tests.hosts.test_depends_on import rendered, shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.hosts.cluster_objects import Objects

Json = dict[str, Any]
LOCAL = "config.kubernetes.io/local-config"
_HOLD = "example.com/hold"
_SECONDS = 60


def of_fixture(name: str) -> list[Json]:
    """Its RGDs, CRDs and instances."""
    return [
        document
        for path in sorted((REPOSITORY / "fixtures" / name).glob("**/*.yaml"))
        for document in yaml.safe_load_all(path.read_text())
        if document["kind"] == "CustomResourceDefinition" or document["apiVersion"].startswith("kro.run/")
    ]


def package(kpt: Kpt, sources: list[Json], namespace: str, config: str = "") -> None:
    """Sources as a package that kpt has rendered; instances in *namespace*. A second time, it is changed and rendered anew."""
    for document in sources:
        metadata = document["metadata"]
        metadata.setdefault("annotations", {})[LOCAL] = "true"
        if "namespace" in metadata:
            metadata["namespace"] = namespace
    folder = kpt.folder / "package"
    write(folder, {"sources.yaml": "---\n".join(dump(source) for source in sources)})
    if not (folder / "Kptfile").exists():  # kpt writes into it
        write(folder, {"Kptfile": kptfile(f"{{exec: rookery fn, configMap: {{{config}}}}}")})
    kpt.render()


def layers_of(kpt: Kpt, config: str = "") -> list[list[Json]]:
    options = dict(word.split(": ") for word in config.split(", ") if word)
    order = Order(KPT, waves=options.pop("waves", GATED))
    sources = read_sources([str(kpt.folder / "package" / "sources.yaml")], bytes)
    _, made, layers = rendered(sources, order=order, **options)
    return [[each.object for each in made if shown(each.object) in layer] for layer in layers]


class Live:
    """A `kpt live` that runs, and what the cluster shows of some objects meanwhile."""

    def __init__(self, kpt: Kpt, objects: Objects, *words: str) -> None:
        self.objects = objects
        self.versions: dict[str, int] = {}
        """Of each object, when it came into being."""
        self._process = subprocess.Popen(
            ["kpt", "live", *words],
            cwd=kpt.folder,
            env=kpt.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def ends(self, code: int = 0) -> str:
        text, _ = self._process.communicate(timeout=90)
        assert self._process.returncode == code, text
        return text

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Where a test has failed, nothing may run on."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()

    # -- what comes -----------------------------------------------------------------------------------------------------

    def seen(self, made: Json) -> bool:
        found = found_of(self.objects, made)
        if found:
            self.versions.setdefault(shown(made), int(found["metadata"]["resourceVersion"]))
        return found is not None

    def play(self, layers: list[list[Json]]) -> list[int]:
        """Write statuses, layer by layer. Returns the layers at whose end kpt was kept waiting, and nothing later was there."""
        held = []
        for number, layer in enumerate(layers):
            end = time.monotonic() + _SECONDS
            while sum(self.seen(made) for made in layer) < len(layer):
                assert time.monotonic() < end, (layer, self._process.poll())
                time.sleep(0.05)
            waited_for = [made for made in layer if made["kind"] == "Deployment"]
            if waited_for and number + 1 < len(layers):
                time.sleep(1)
                assert not any(self.seen(made) for later in layers[number + 1 :] for made in later)
                held.append(number)
            for made in waited_for:
                roll_out(self.objects, made)
        self.ends()
        return held

    # -- what goes ------------------------------------------------------------------------------------------------------

    def takes_away(self, layers: list[list[Json]]) -> None:
        """Whether *layers*, which are held, go last first, each when what is above it is gone."""
        left = [made for layer in layers for made in layer]
        for layer in reversed(layers):
            wanted = {shown(made) for made in layer}
            end = time.monotonic() + _SECONDS
            while leaving(self.objects, left) != wanted:
                assert time.monotonic() < end, (wanted, leaving(self.objects, left), self._process.poll())
                time.sleep(0.05)
            time.sleep(0.5)
            assert leaving(self.objects, left) == wanted, "nothing else goes before these are gone"
            assert all(found_of(self.objects, made) for made in left)
            let_go(self.objects, layer)
            left = [made for made in left if shown(made) not in wanted]


def apply(kpt: Kpt, objects: Objects, layers: list[list[Json]]) -> None:
    """`kpt live apply` to its end. *layers*: those that are new."""
    with Live(kpt, objects, "apply", "package") as live:
        live.play(layers)


def found_of(objects: Objects, made: Json) -> Json | None:
    try:
        return objects.get(made)
    except ApiError as error:
        if error.code == 404:
            return None
        raise


def leaving(objects: Objects, made: Iterable[Json]) -> set[str]:
    """Those that somebody has deleted, and that are still held."""
    found = [(each, found_of(objects, each)) for each in made]
    return {shown(each) for each, there in found if there and "deletionTimestamp" in there["metadata"]}


def hold(objects: Objects, made: Iterable[Json]) -> None:
    """None of them is gone before `let_go`. A Namespace holds itself: nobody here finishes its deletion."""
    for each in made:
        if each["kind"] != "Namespace":
            objects.patch(each, {"metadata": {"finalizers": [_HOLD]}})


def let_go(objects: Objects, made: Iterable[Json]) -> None:
    for each in made:
        if each["kind"] == "Namespace":
            finished = {**objects.get(each), "spec": {"finalizers": []}}
            objects.cluster.request("PUT", f"{objects.path(each)}/finalize", finished)
        else:
            objects.patch(each, {"metadata": {"finalizers": None}})


def clear(objects: Objects, made: Iterable[Json]) -> None:
    """Whatever of it is left, be it that the test has failed. A Namespace stays."""
    for each in made:
        if each["kind"] != "Namespace" and found_of(objects, each):
            objects.patch(each, {"metadata": {"finalizers": None}})
            objects.delete(each)


def roll_out(objects: Objects, made: Json) -> None:
    """What a Deployment's controller writes in the end."""
    count = made["spec"]["replicas"]
    conditions = [
        {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable"},
        {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"},
    ]
    names = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    generation = objects.get(made)["metadata"]["generation"]
    status = {**dict.fromkeys(names, count), "observedGeneration": generation, "conditions": conditions}
    objects.patch(made, {"status": status}, "status")
