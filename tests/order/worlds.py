"""
Any output: definitions nested three deep, instances of them, and what was seen of their objects; and what its order must be.

`Reference` counts in another way than the product: for each object it gathers the objects that must be there before, by their names, and takes
the longest chain of these.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from krm_fn.expand.observed import identity
from krm_fn.expand.ownership import owner
from krm_fn.order.layers import EVERY_EDGE
from krm_fn.pipeline import Options, Rendering
from krm_fn.read.yaml import parse_documents

if TYPE_CHECKING:
    from random import Random

    from krm_fn.emit.plain import Emitted
    from krm_fn.emit.targets import Order
    from krm_fn.expand.observed import Identity

OBJECT, COLLECTION, NAMESPACE, EXTERNAL = "object", "collection", "namespace", "external"
FORMS = (OBJECT, OBJECT, OBJECT, COLLECTION, NAMESPACE, EXTERNAL)
SPEC = {"list": "[]string", "on": "boolean", "ref": "string", "extra": "map[string]string"}


class Node:
    """form: one of the above, or the kind of a nested instance.  edges: earlier node -> whether it reads what only a cluster has."""

    def __init__(self, number: int, chance: Random, inner: list[Kind], earlier: list[Node]) -> None:
        self.id = f"n{number}"
        self.inner = chance.choice(inner) if inner and chance.random() < 0.4 else None
        self.form = self.inner.name if self.inner else chance.choice(FORMS)
        self.is_many = self.form == COLLECTION or (self.inner is not None and chance.random() < 0.3)
        self.edges: dict[Node, bool] = {}
        if self.form != EXTERNAL:
            self.edges = {other: chance.random() < 0.3 for other in earlier if chance.random() < 0.35}
        self.is_optional = self.form != EXTERNAL and chance.random() < 0.2
        self.is_awaited = self.form not in (EXTERNAL, NAMESPACE) and chance.random() < 0.35
        self.gives = {"list": chance.choice([[], ["p"], ["p", "q"]]), "on": chance.random() < 0.6}
        """What a nested instance gets."""

    def suffixes(self, spec: dict[str, Any]) -> list[str]:
        return [f"-{v}" for v in spec["list"]] if self.is_many else [""]

    def reads(self, runtime: bool) -> str:
        """An expression of the node; one that gives a value of a cluster, if it is of those that have one."""
        if self.form == EXTERNAL:
            return f"${{{self.id}.status.host}}"
        name = self.id
        if self.inner is not None:
            path = (
                ("status.host" if runtime and self.inner.has_host else "metadata.name")
                if not self.is_many
                else "metadata.name"
            )
        else:
            path = "status.host" if self.is_runtime(runtime) else "metadata.name"
        return f"${{{name}.map(x, x.{path}).join('-')}}" if self.is_many else f"${{{name}.{path}}}"

    def is_runtime(self, runtime: bool) -> bool:
        if self.inner is not None:
            return runtime and not self.is_many and self.inner.has_host
        return runtime and self.form in (OBJECT, COLLECTION)

    def resource(self) -> dict[str, Any]:
        if self.form == EXTERNAL:
            place = {"name": "${schema.spec.ref}"}
            return {"id": self.id, "externalRef": {"apiVersion": "test.io/v1", "kind": "Db", "metadata": place}}
        made: dict[str, Any] = {"id": self.id}
        name = "${schema.metadata.name}-" + self.id
        if self.is_many:
            made["forEach"] = [{"v": "${schema.spec.list}"}]
            name += "-${v}"
        if self.is_optional:
            made["includeWhen"] = ["${schema.spec.on}"]
        if self.is_awaited:
            which = "each" if self.is_many else self.id
            said = "metadata.name != ''" if self.inner else "status.phase == 'Ready'"
            made["readyWhen"] = [f"${{{which}.{said}}}"]
        data = {other.id: other.reads(runtime) for other, runtime in self.edges.items()}
        metadata: dict[str, Any] = {"name": name}
        if self.inner is not None:
            spec = {**self.gives, "ref": "${schema.spec.ref}", "extra": data}
            made["template"] = {"apiVersion": "kro.run/v1alpha1", "kind": self.form, "metadata": metadata, "spec": spec}
        elif self.form == NAMESPACE:
            made["template"] = {"apiVersion": "v1", "kind": "Namespace", "metadata": {**metadata, "annotations": data}}
        else:
            made["template"] = {"apiVersion": "test.io/v1", "kind": "Db", "metadata": metadata, "spec": data}
        return made


class Kind:
    """A definition."""

    def __init__(self, name: str, chance: Random, inner: list[Kind]) -> None:
        self.name = name
        self.nodes: list[Node] = []
        for number in range(chance.randint(1, 6)):
            self.nodes.append(Node(number, chance, inner, self.nodes))
        hosts = [node for node in self.nodes if node.form == OBJECT]
        self.host = chance.choice(hosts) if hosts and chance.random() < 0.7 else None

    @property
    def has_host(self) -> bool:
        return self.host is not None

    def rgd(self, order: Random | None = None) -> dict[str, Any]:
        resources = [node.resource() for node in self.nodes]
        if order is not None:
            order.shuffle(resources)
        status = {"host": f"${{{self.host.id}.status.host}}"} if self.host else {}
        return {
            "apiVersion": "kro.run/v1alpha1",
            "kind": "ResourceGraphDefinition",
            "metadata": {"name": self.name.lower()},
            "spec": {
                "schema": {"apiVersion": "v1alpha1", "kind": self.name, "spec": SPEC, "status": status},
                "resources": resources,
            },
        }


class World:
    """Definitions, instances of them, each of which may refer to an object of one before it, and what was seen."""

    def __init__(self, chance: Random) -> None:
        inner = Kind("Inner", chance, [])
        middle = Kind("Middle", chance, [inner])
        self.kinds = [inner, middle, Kind("Outer", chance, [inner, middle])]
        self.instances: list[dict[str, Any]] = []
        self.seen: list[dict[str, Any]] = []
        dbs: list[str] = []
        for number in range(chance.randint(1, 3)):
            kind = chance.choice([*self.kinds, self.kinds[-1]])
            spec = {"list": chance.choice([[], ["a"], ["a", "b"]]), "on": chance.random() < 0.6, "extra": {}}
            spec |= {"ref": chance.choice([*dbs, "nobodys"])}
            made = {
                "apiVersion": "kro.run/v1alpha1",
                "kind": kind.name,
                "metadata": {"name": f"r{number}", "namespace": "ns"},
            }
            self.instances.append({**made, "spec": spec})
            dbs += _dbs(kind, f"r{number}", spec)
        much = chance.choice([0.0, 0.5, 1.0])
        self.seen = [_seen(name, chance.random() < 0.8) for name in ["nobodys", *dbs] if chance.random() < much]

    def documents(self, order: Random | None = None) -> list[dict[str, Any]]:
        found = [*(kind.rgd(order) for kind in self.kinds), *self.instances]
        if order is not None:
            order.shuffle(found)
        return found

    def rendered(self, order: Order, *, instances: bool = False, shuffled: Random | None = None) -> list[Emitted]:
        text = "---\n".join(json.dumps(each) + "\n" for each in self.documents(shuffled))
        seen = json.dumps({"apiVersion": "v1", "kind": "List", "items": self.seen})
        rendering = Rendering(
            list(parse_documents(text, "in.yaml")),
            Options(order=order, instances=instances),
            observed=list(parse_documents(seen, "seen.yaml")),
        )
        made = [each for _, batch in rendering.batches() for each in batch]
        errors = [(each.code, each.message) for each in rendering.findings.sorted() if each.severity == "error"]
        assert errors == [], text
        return made


def _dbs(kind: Kind, name: str, spec: dict[str, Any]) -> list[str]:
    """The names of all objects of the kind Db that an instance may make."""
    found: list[str] = []
    for node in kind.nodes:
        for each in [f"{name}-{node.id}{suffix}" for suffix in node.suffixes(spec)]:
            if node.inner is not None:
                found += _dbs(node.inner, each, node.gives)
            elif node.form in (OBJECT, COLLECTION):
                found.append(each)
    return found


def _seen(name: str, is_ready: bool) -> dict[str, Any]:
    status = {"phase": "Ready" if is_ready else "Pending", "host": f"h-{name}"}
    return {"apiVersion": "test.io/v1", "kind": "Db", "metadata": {"name": name, "namespace": "ns"}, "status": status}


class Reference:
    """What the order of an output must be, given its objects."""

    def __init__(self, world: World, made: list[Emitted], waves: str) -> None:
        self._kinds = {kind.name: kind for kind in world.kinds}
        self._refs: dict[str, str] = {}
        self._parents: dict[str, tuple[str, str]] = {}
        self._nested: dict[tuple[str, str], list[str]] = {}
        for each in world.instances:
            self._follow(self._kinds[each["kind"]], each["metadata"]["name"], each["spec"], each["spec"]["ref"])
        self._every_edge = waves == EVERY_EDGE
        self._of: dict[tuple[str, str], list[Identity]] = {}
        self._place: dict[Identity, tuple[str, str]] = {}
        for emitted in made:
            place = (owner(emitted.subject), emitted.node)
            self._of.setdefault(place, []).append(identity(emitted.object))
            self._place[identity(emitted.object)] = place
        self._before: dict[tuple[str, str], frozenset[Identity]] = {}
        self._levels: dict[Identity, int] = {}

    def _follow(self, kind: Kind, name: str, spec: dict[str, Any], ref: str) -> str:
        instance = f"kro.run/{kind.name}/ns/{name}"
        self._refs[instance] = ref
        for node in kind.nodes:
            if node.inner is not None:
                names = [f"{name}-{node.id}{suffix}" for suffix in node.suffixes(spec)]
                within = [self._follow(node.inner, each, node.gives, ref) for each in names]
                self._nested[instance, node.id] = within
                self._parents |= dict.fromkeys(within, (instance, node.id))
        return instance

    def level(self, key: Identity) -> int:
        """Of an object. A nested instance itself comes with the last object that it makes."""
        if key not in self._levels:
            within = self._made_by("/".join(key)) if key[0] == "kro.run" else []
            before = self.before(*self._place[key])
            self._levels[key] = max(
                [1 + self.level(each) for each in before] + [self.level(each) for each in within], default=0
            )
        return self._levels[key]

    def place(self, key: Identity) -> tuple[str, str]:
        """The instance and the node that make an object."""
        return self._place[key]

    def before(self, instance: str, node_id: str) -> frozenset[Identity]:
        """The objects that must be there, and ready, before those of a node."""
        known = self._before.get((instance, node_id))
        if known is not None:
            return known
        found: set[Identity] = set()
        if instance in self._parents:
            found |= self.before(*self._parents[instance])
        node = next(each for each in self._kinds[instance.split("/")[1]].nodes if each.id == node_id)
        if node.form == EXTERNAL:
            found |= {("test.io", "Db", "ns", self._refs[instance])} & self._place.keys()
        for source, runtime in node.edges.items():
            found |= self.before(instance, source.id)
            objects = self._objects(instance, source)
            if source.form not in (EXTERNAL, NAMESPACE) and (source.is_awaited or source.is_runtime(runtime)):
                found.update(objects)
            elif self._every_edge and objects:
                first = min(map(self.level, objects))
                found.update(each for each in objects if self.level(each) == first)
        self._before[instance, node_id] = frozenset(found)
        return self._before[instance, node_id]

    def _objects(self, instance: str, node: Node) -> list[Identity]:
        """All that comes of a node."""
        found = list(self._of.get((instance, node.id), ()))
        for nested in self._nested.get((instance, node.id), ()):
            found += self._made_by(nested)
        return found

    def _made_by(self, instance: str) -> list[Identity]:
        kind = self._kinds[instance.split("/")[1]]
        return [each for node in kind.nodes for each in self._objects(instance, node)]
