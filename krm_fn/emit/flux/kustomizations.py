"""
The directory that Flux applies: a folder and a Kustomization for each layer of each instance.

Enters: the expansion of each root instance with its objects and schedule.  Leaves: files.  Not known here: which layer an object is
in, whether an object is ready.

    DIR/kustomization.yaml                  the Kustomizations of all instances: what one Kustomization of the cluster is to apply
    DIR/<instance>/kustomizations.yaml      one for each layer, each waiting for the one before
    DIR/<instance>/<layer>/                 the objects of a layer, and a kustomization.yaml that lists them
    DIR/api/                                the generated CRDs, if they are asked for

Each instance has a chain of its own, so that a sick one stops no other. Where it needs a namespace or a kind that another one makes, its
layer waits for the other's as well; so it does where it refers to an object that another one makes, unless that closes a loop.
"""

from __future__ import annotations

from krm_fn.emit.api import api_path
from krm_fn.emit.argocd import WAITS_FOR
from krm_fn.emit.flux.earlier import LIST, Earlier, is_layer
from krm_fn.emit.flux.health import Health
from krm_fn.emit.flux.places import Places, Root, nested_in
from krm_fn.emit.marks import SELF, file_path
from krm_fn.emit.plain import Emitted
from krm_fn.emit.yaml_text import dump
from krm_fn.expand.observed import identity
from krm_fn.expand.outcome import HELD
from krm_fn.order.schedule import Schedule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator
    from typing import Any

    from krm_fn.expand.instance import World
    from krm_fn.expand.observed import Identity
    from krm_fn.expand.outcome import Expansion

API = "rookery-api"
_APPLIED_BY = "kustomize.toolkit.fluxcd.io/"
"""Flux's labels on all that a Kustomization applies: its name and its namespace."""
_LONGEST_NAME = 63
"""Flux writes the name of a Kustomization into a label of all that it applies."""
_SHOWN = 20


class Settings:
    """
    What the caller chose.

    namespace: of the Kustomizations.  source: kind and name of what they take the files from.  path: of DIR in it.  interval: how
    often Flux looks.  timeout: how long a layer may take.  earlier: what is in DIR.
    """

    __slots__ = ("earlier", "interval", "namespace", "path", "source", "timeout")

    def __init__(
        self, *, namespace: str, source: tuple[str, str], path: str, interval: str, timeout: str, earlier: Earlier
    ) -> None:
        self.namespace = namespace
        self.source = source
        self.path = path
        self.interval = interval
        self.timeout = timeout
        self.earlier = earlier


class Moved:
    """An object that is in another Kustomization than before. before: its file in DIR.  names: of the Kustomizations, the old one and the new."""

    __slots__ = ("before", "emitted", "names")

    def __init__(self, emitted: Emitted, before: str, names: tuple[str, str]) -> None:
        self.emitted = emitted
        self.before = before
        self.names = names


class _Chain:
    """
    The Kustomizations of one root instance, or of what lives of one.

    place: of the root among all, None where it is not there.  files: layer -> path below it -> object.  awaited: layer -> objects that
    somebody waits for.  needs: layer -> foreign objects that it refers to.  waits: what is withheld, and what it waits for.
    """

    __slots__ = ("awaited", "files", "folder", "needs", "place", "waits")

    def __init__(self, folder: str, place: int | None = None) -> None:
        self.folder = folder
        self.place = place
        self.files: dict[int, dict[str, dict[str, Any]]] = {}
        self.awaited: dict[int, list[Emitted]] = {}
        self.needs: dict[int, list[Identity]] = {}
        self.waits: dict[str, list[str]] = {}


class Plan:
    """One run: `add` for each root instance, `keep` what must stay of some, `settle` once all are there, then `files`."""

    def __init__(self, settings: Settings, world: World, waves: str, *, instances: bool) -> None:
        self._settings = settings
        self._world = world
        self._waves = waves
        self._instances = instances
        self._places = Places(waves)
        self._chains: dict[str, _Chain] = {}
        self._kept: list[Emitted] = []
        self._living: set[int] = set()
        self._names: dict[int, dict[str, str]] = {}
        """Layer -> name of a Kustomization -> folder."""
        self._made: dict[Identity, str] = {}
        self._api: list[tuple[str, dict[str, Any]]] = []
        self.health = Health(by_name=world.kro_labels)
        self.loops: list[tuple[str, str]] = []
        """What does not wait for what, since that would close a loop; known after `files`."""
        self.moved: list[Moved] = []

    def add(self, root: Expansion, batch: list[Emitted], schedule: Schedule, waits: dict[str, list[str]]) -> None:
        """The objects of a root instance, nested ones included. waits: what is withheld, and what it waits for."""
        folder = file_path(root.program, root.subject, SELF, "").partition("/")[0]
        chain = self._chains[folder] = _Chain(folder, self._places.add(Root(root, schedule, batch)))
        chain.waits = waits

    def keep(self, batch: Iterable[Emitted]) -> None:
        """What lives and stays although nobody wants it now: where it lives, since Flux deletes what moves."""
        self._kept += batch

    def settle(self) -> list[tuple[Emitted, list[Identity]]]:
        """Give every object its place. Returns the circles of what no order can keep."""
        left = self._adopt() if self._kept else []
        pins: dict[int, tuple[str, int]] = {}
        for root in self._places.roots:
            for each in root.batch:
                if self._lives(each) and (pin := self._pin(each)) is not None:
                    pins[id(each)] = pin
                    root.pinned.add(id(each))
        self._places.settle()
        for chain in list(self._chains.values()):
            assert chain.place is not None
            root = self._places.roots[chain.place]
            awaited: set[Identity] = set()
            for expansion in nested_in(root.expansion):
                awaited |= self._awaited(expansion, root, chain)
            for each in root.batch:
                self._put(each, *pins.get(id(each), (chain.folder, root.layer(each))), awaited)
        for each, folder, layer in left:
            self._put(each, *(self._pin(each) or (folder, layer)), set())
        return self._places.circles

    def _adopt(self) -> list[tuple[Emitted, str, int]]:
        """Make what is kept a part of its root instance, as if that made it. Returns what cannot be, and where to put it."""
        from krm_fn.emit.flux.kept import Kept

        roots = self._places.roots
        kept = Kept([root.expansion for root in roots], self._kept, self._world)
        left = [(each, _file(each)[0], 0) for each in kept.left]
        folders = {chain.place: chain.folder for chain in self._chains.values()}
        for place, expansion, twins, objects in kept.adopted():
            schedule = Schedule(expansion, self._world, self._waves, instances=self._instances)
            batch = [_with(each, twins[id(each.expansion)]) for each in roots[place].batch]
            for each in objects:
                assert each.expansion is not None
                if each.node in each.expansion.outcomes:
                    self._living.add(id(each))
                    batch.append(each)
                else:
                    left.append((each, folders[place], schedule.end))
            roots[place] = Root(expansion, schedule, batch)
        return left

    def _pin(self, each: Emitted) -> tuple[str, int] | None:
        """Where a living object was, in the directory or else in the cluster: folder of the root and layer; None where nobody knows."""
        found = self._settings.earlier.place(*_file(each))
        if found is None:
            live = self._world.observed.living(identity(each.object)) or {}
            labels = (live.get("metadata") or {}).get("labels") or {}
            if labels.get(_APPLIED_BY + "namespace") == self._settings.namespace:
                found = self._called(str(labels.get(_APPLIED_BY + "name")))
        return found

    def _lives(self, each: Emitted) -> bool:
        """Whether an object is given as it lives."""
        outcome = each.expansion.outcomes.get(each.node) if each.expansion is not None else None
        return id(each) in self._living or (outcome is not None and outcome.state == HELD)

    def _called(self, name: str) -> tuple[str, int] | None:
        """The folder and the layer of a Kustomization of this run."""
        digits = name.rpartition(".")[2]
        if not is_layer(digits):
            return None
        layer = int(digits)
        if layer not in self._names:
            self._names[layer] = {kustomization_name(folder, layer): folder for folder in self._chains}
        folder = self._names[layer].get(name)
        return None if folder is None else (folder, layer)

    def _put(self, each: Emitted, root: str, layer: int, awaited: Container[Identity]) -> None:
        chain = self._chains.get(root)
        if chain is None:
            chain = self._chains[root] = _Chain(root)
        folder, name = _file(each)
        path = name if folder == root else f"{folder}/{name}"
        chain.files.setdefault(layer, {})[path] = each.object
        earlier = self._settings.earlier.place(folder, name)
        if earlier is not None and earlier != (root, layer):
            before = f"{earlier[0]}/{earlier[1]}/{name if folder == earlier[0] else f'{folder}/{name}'}"
            names = kustomization_name(*earlier), kustomization_name(root, layer)
            self.moved.append(Moved(each, before, names))
        key = identity(each.object)
        self._made[key] = kustomization_name(root, layer)
        if key in awaited:
            chain.awaited.setdefault(layer, []).append(each)

    def _awaited(self, expansion: Expansion, root: Root, chain: _Chain) -> set[Identity]:
        """The objects that somebody waits for: those that gate, and those that have a readyWhen. Never an instance."""
        found: set[Identity] = set()
        for node_id, outcome in expansion.outcomes.items():
            node = outcome.node
            gates = root.schedule.gates(expansion, node_id)
            found.update(gate for gate in gates if gate[:2] not in self._world.programs)
            self._foreign(expansion, node_id, root, chain)
            if not node.ready_when or node.is_external or not outcome.items:
                continue
            if (node.group, node.object_kind) in self._world.programs:
                self.health.leave(
                    expansion.program,
                    node,
                    "it reads an instance, whose status no controller writes",
                    "Flux waits for all that the instance makes",
                )
            else:
                found.update(identity(item.object) for item in outcome.items)
        return found

    def _foreign(self, expansion: Expansion, node_id: str, root: Root, chain: _Chain) -> None:
        """Note which external objects a node depends on."""
        outcome = expansion.outcomes[node_id]
        for source in outcome.node.dependencies if outcome.items and not outcome.node.is_external else ():
            if expansion.outcomes[source].node.is_external:
                needs = chain.needs.setdefault(root.first(expansion, node_id), [])
                needs += [identity(item.object) for item in expansion.outcomes[source].items]

    def api(self, batch: Iterable[Emitted]) -> None:
        """The generated CRDs, apart from all instances: they must outlive each of them."""
        self._api += [(api_path(each.object).rpartition("/")[2], each.object) for each in batch]

    # -- files ---------------------------------------------------------------------------------------------------------

    def files(self) -> list[tuple[str, str]]:
        """Paths below the directory, and texts."""
        found: list[tuple[str, str]] = []
        resources = []
        waits_for = self._waits_for()
        if self._api:
            folder = api_path(self._api[0][1]).partition("/")[0]
            found += _folder(f"{folder}/0", dict(self._api))
            made = self._kustomization(API, f"{folder}/0", {"prune": False, "wait": True})
            found.append((f"{folder}/kustomizations.yaml", dump(made)))
            resources.append(f"{folder}/kustomizations.yaml")
        for folder, chain in self._chains.items():
            texts = []
            for layer in sorted(chain.files):
                found += _folder(f"{folder}/{layer}", chain.files[layer])
                texts.append(dump(self._of_layer(chain, layer, waits_for[kustomization_name(folder, layer)])))
            if texts:
                found.append((f"{folder}/kustomizations.yaml", "---\n".join(texts)))
                resources.append(f"{folder}/kustomizations.yaml")
        return [("kustomization.yaml", dump(_list_of(resources))), *found]

    def _waits_for(self) -> dict[str, list[str]]:
        """Kustomization -> those before it. None ever waits for itself through others."""
        found: dict[str, list[str]] = {}
        folders = {chain.place: chain.folder for chain in self._chains.values()}
        for chain in self._chains.values():
            before = [API] if self._api and self._instances else []
            reached: dict[int, int] = {}
            for layer in sorted(chain.files):
                across = self._places.across.get((chain.place, layer), {}) if chain.place is not None else {}
                later = {other: last for other, last in sorted(across.items()) if last > reached.get(other, -1)}
                reached |= later
                name = kustomization_name(chain.folder, layer)
                found[name] = [*before, *(kustomization_name(folders[other], last) for other, last in later.items())]
                before = [name]
        for chain in self._chains.values():
            for layer, needs in sorted(chain.needs.items()):
                name = kustomization_name(chain.folder, layer)
                others = dict.fromkeys(self._made[need] for need in needs if need in self._made)
                for other in others:
                    if other == name or _leads(found, name, other):
                        continue
                    if _leads(found, other, name):
                        self.loops.append((name, other))
                    else:
                        found[name] = [*found[name], other]
        return found

    def _of_layer(self, chain: _Chain, layer: int, waits_for: list[str]) -> dict[str, Any]:
        spec: dict[str, Any] = {"prune": True}
        if waits_for:
            spec["dependsOn"] = [{"name": other} for other in waits_for]
        spec |= self.health.checks(chain.awaited.get(layer, ()))
        made = self._kustomization(kustomization_name(chain.folder, layer), f"{chain.folder}/{layer}", spec)
        if chain.waits and layer == max(chain.files):
            lines = [f"{node}: {', '.join(paths[:_SHOWN])}" for node, paths in chain.waits.items()]
            made["metadata"]["annotations"] = {WAITS_FOR: "\n".join(lines[:_SHOWN])}
        return made

    def _kustomization(self, name: str, place: str, more: dict[str, Any]) -> dict[str, Any]:
        """*place*: the folder that it applies.  *more*: what its `spec` has besides what all have: what it prunes, and waits for."""
        kind, source = self._settings.source
        return {
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
            "kind": "Kustomization",
            "metadata": {"name": name, "namespace": self._settings.namespace},
            "spec": {
                "interval": self._settings.interval,
                "retryInterval": "1m",
                "timeout": self._settings.timeout,
                "sourceRef": {"kind": kind, "name": source},
                "path": f"./{self._settings.path}/{place}" if self._settings.path else f"./{place}",
                **more,
            },
        }


def kustomization_name(folder: str, layer: int) -> str:
    """`<instance folder>.<layer>`; a long one is cut, and told apart by a hash."""
    name = f"{folder}.{layer}"
    if len(name) <= _LONGEST_NAME:
        return name
    from hashlib import sha256

    end = f"-{sha256(folder.encode()).hexdigest()[:8]}.{layer}"
    return folder[: _LONGEST_NAME - len(end)].rstrip("-.") + end


def _file(each: Emitted) -> tuple[str, str]:
    """The folder of the instance that an object is of, and its file there."""
    folder, _, name = file_path(each.program, each.subject, each.node, each.key).partition("/")
    return folder, f"{each.node}_.yaml" if name.lower() == LIST else name


def _with(each: Emitted, expansion: Expansion) -> Emitted:
    return Emitted(each.object, each.program, each.subject, each.node, each.key, expansion)


def _leads(waits_for: dict[str, list[str]], start: str, end: str) -> bool:
    """Whether *start* waits for *end*, by itself or through others."""
    seen, pending = {start}, [start]
    while pending:
        for other in waits_for.get(pending.pop(), ()):
            if other == end:
                return True
            if other not in seen:
                seen.add(other)
                pending.append(other)
    return False


def _folder(place: str, objects: dict[str, dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for path, made in objects.items():
        yield f"{place}/{path}", dump(made)
    yield f"{place}/kustomization.yaml", dump(_list_of(list(objects)))


def _list_of(resources: list[str]) -> dict[str, Any]:
    return {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": resources}
