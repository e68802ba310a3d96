"""
Nodes made by hand, with their Program and Scene, for the cases of `kro-tests` on single nodes.

What was observed has no name, kind or template more often than not. It gets the ones that its node asks for, so that it is found; all else
is the case's own.
"""

from __future__ import annotations

from typing import Any

from krm_fn.cel import compile_, parse, references
from krm_fn.expand.node import begin_node
from krm_fn.expand.observed import Observed
from krm_fn.expand.outcome import DEFERRED, RESOLVED, Item, Outcome
from krm_fn.expand.readiness import publish
from krm_fn.expand.scene import Scene
from krm_fn.expand.view import Shapes
from krm_fn.program import model
from krm_fn.program.build import build_program
from krm_fn.program.template import compile_shape, find_holes, read_standalone
from krm_fn.report.diagnostic import Subject
from krm_fn.schema.kinds import Kinds

Json = dict[str, Any]

INSTANCE = "Instance"


class Maker:
    """Nodes, their Program and their Scene, out of a case's data."""

    def __init__(self, namespace: str | None = None) -> None:
        document = {
            "apiVersion": "kro.run/v1alpha1",
            "kind": "ResourceGraphDefinition",
            "metadata": {"name": "test"},
            "spec": {"schema": {"apiVersion": "v1alpha1", "kind": "Test"}, "resources": []},
        }
        program = build_program(document, Kinds())[0]
        assert program is not None
        self.program = program
        self.namespace = namespace
        self.instance: Json = {}
        self.given: dict[str, Json] = {}
        self.live: list[Json] = []
        self.texts: dict[str, int] = {}

    def compiled(self, text: str, loops: tuple[str, ...] = ()) -> model.Compiled:
        tree = parse(text)
        refs = references(tree)
        slot = -1 if set(loops) & set(refs.roots) else self.texts.setdefault(text, len(self.texts))
        self.program.slots = len(self.texts)
        expression = read_standalone(f"${{{text}}}", ())
        return model.Compiled(expression, compile_(tree), tuple(refs.roots), refs.roots, slot)

    def node(self, given: Json) -> model.Node:
        """*given* and, before it, what it depends on."""
        others = [self.add_dependency(other) for other in given.get("dependencies") or []]
        kind = given["type"]
        name = {"name": given["id"]} if kind != model.EXTERNAL_COLLECTION else {}
        like: Json = next(
            (o for o in [*(given.get("desired") or ()), *(given.get("observed") or ())] if "kind" in o), {}
        )
        template = {
            "apiVersion": like.get("apiVersion", "test/v1"),
            "kind": like.get("kind", "Made"),
            "metadata": name,
            **(given.get("template") or {}),
        }
        node = model.Node(given["id"], 0, kind, template, ())
        node.namespaced = given.get("kind_namespaced", False)
        node.dependencies = [name for name in others if name]
        node.asked = model.Asked("")
        loops = tuple(dimension["name"] for dimension in given.get("for_each") or [])
        node.dimensions = [
            model.Dimension(dimension["name"], self.compiled(dimension["cel"]))
            for dimension in given.get("for_each") or []
        ]
        node.include_when = [self.compiled(text) for text in given.get("include_when") or []]
        node.ready_when = [self.compiled(text, loops=(model.EACH,)) for text in given.get("ready_when") or []]
        for hole in find_holes(template, (), []):
            compiled = self.compiled(hole.expression.text, loops)
            node.holes.append((hole.path, len(node.values)))
            node.values.append(compiled)
        node.shape = compile_shape(template, dict(node.holes))
        self.program.nodes[node.id] = node
        self.given[node.id] = given
        observed = given.get("observed") or []
        wanted = given.get("desired") or [template] * len(observed)
        self.live += [_found(seen, meant) for seen, meant in zip(observed, wanted, strict=False)]
        return node

    def add_dependency(self, given: Json) -> str:
        if given["type"] != INSTANCE:
            return self.node(given).id
        for seen in given.get("observed") or []:
            self.instance = seen
        return ""

    def scene(self) -> Scene:
        """Before the first node."""
        metadata = self.instance.get("metadata") or {}
        namespace = self.namespace if self.namespace is not None else metadata.get("namespace", "")
        subject = Subject("kro.run/v1alpha1", "Test", metadata.get("name", "test"), namespace)
        scene = Scene(self.program, subject, namespace, Observed(self.live, given=True), Shapes())
        scene.exact = True
        scene.labels = {}
        scene.names[model.SCHEMA] = self.instance
        return scene

    def settle(self, node: model.Node, scene: Scene) -> None:
        """What comes before *node*, as a step leaves it."""
        for name in node.dependencies:
            self.settle_one(self.program.nodes[name], scene)

    def settle_one(self, node: model.Node, scene: Scene) -> Outcome:
        """One node that is applied already: what the case says it wants, or what its template does."""
        self.settle(node, scene)
        outcome = begin_node(node, scene)
        if outcome.state != RESOLVED:
            return outcome
        given = self.given[node.id]
        if node.kind == model.EXTERNAL_COLLECTION:
            outcome.items = [Item(found) for found in self.live]
        elif "desired" in given:
            outcome.items = [Item(_found(wanted, node.template)) for wanted in given["desired"]]
        elif node.kind == model.COLLECTION and "observed" in given:
            outcome.items = [Item(_found(seen, node.template)) for seen in given["observed"]]
        elif node.kind != model.COLLECTION:
            outcome.items = [Item(node.template)]
        else:
            outcome.state = DEFERRED
            return outcome
        publish(outcome, scene)
        return outcome


def _found(seen: Json, wanted: Json) -> Json:
    """*seen* under the name by which *wanted* looks for it."""
    metadata = {**wanted["metadata"], **(seen.get("metadata") or {})}
    return {"apiVersion": wanted["apiVersion"], "kind": wanted["kind"], **seen, "metadata": metadata}
