"""
What a Kustomization waits for before it is ready: its `healthChecks` and `healthCheckExprs`.

Enters: the objects of one layer that somebody waits for.  Leaves: the two lists; the readyWhen that are not carried.  Not known here:
layers, files.

Flux waits for the listed objects and for no others, as kro does. It judges an object by the expression of its kind, by kstatus where
there is none. There is one expression a kind: where the objects of several nodes meet in a layer, it asks each for its marks.
Source: fluxcd/kustomize-controller v1.9 internal/controller, fluxcd/pkg runtime/cel.
"""

from __future__ import annotations

from krm_fn.cel.unparse import quoted
from krm_fn.emit.flux.expression import NotCarried, carried
from krm_fn.expand.observed import identity
from krm_fn.expand.ownership import INSTANCE, NODE, owner
from krm_fn.program.model import EACH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from krm_fn.cel.syntax import Node as Tree
    from krm_fn.emit.plain import Emitted
    from krm_fn.program.model import Compiled, Node, Program


class NotJudged:
    """A readyWhen that Flux does not judge. refusal: why not, and where in the expression."""

    __slots__ = ("compiled", "node", "program", "refusal")

    def __init__(self, program: Program, node: Node, compiled: Compiled, refusal: NotCarried) -> None:
        self.program = program
        self.node = node
        self.compiled = compiled
        self.refusal = refusal


class Health:
    """The readyWhen of a run, each rewritten once. gaps: those that are not carried, in order of discovery."""

    def __init__(self, *, by_name: bool) -> None:
        self._by_name = by_name
        self._texts: dict[tuple[tuple[str, str], str], str] = {}
        self.gaps: list[NotJudged] = []

    def condition(self, program: Program, node: Node) -> str:
        """All readyWhen of *node* as one expression; empty where it has none, or one that is not carried."""
        key = (program.key, node.id)
        found = self._texts.get(key)
        if found is None:
            found = self._texts[key] = self._condition(program, node)
        return found

    def _condition(self, program: Program, node: Node) -> str:
        from krm_fn.cel import parse

        name = EACH if node.is_collection else node.id
        is_secret = (node.group, node.object_kind) == ("", "Secret")
        texts = []
        for compiled in node.ready_when:
            tree: Tree = parse(compiled.expression.text)
            try:
                texts.append(carried(tree, name, schema=node.schema, is_secret=is_secret))
            except NotCarried as refusal:
                self.gaps.append(NotJudged(program, node, compiled, refusal))
        if len(texts) < len(node.ready_when):
            return ""
        return texts[0] if len(texts) == 1 else " && ".join(f"({text})" for text in texts)

    def leave(self, program: Program, node: Node, why: str, help: str) -> None:  # noqa: A002
        """Note that the readyWhen of *node* are for nobody to judge."""
        if (program.key, node.id) not in self._texts:
            self._texts[program.key, node.id] = ""
            self.gaps += [NotJudged(program, node, each, NotCarried(why, help=help)) for each in node.ready_when]

    def checks(self, awaited: Iterable[Emitted]) -> dict[str, Any]:
        """The fields of a Kustomization that make it wait for *awaited*."""
        listed = []
        kinds: dict[tuple[str, str], dict[tuple[str, str], list[Emitted]]] = {}
        for each in awaited:
            made, metadata = each.object, each.object["metadata"]
            listed.append(
                {
                    "apiVersion": made["apiVersion"],
                    "kind": made["kind"],
                    "name": metadata["name"],
                    **({"namespace": metadata["namespace"]} if metadata.get("namespace") else {}),
                }
            )
            nodes = kinds.setdefault(identity(made)[:2], {})
            nodes.setdefault((owner(each.subject), each.node), []).append(each)
        expressions = []
        for nodes in kinds.values():
            first = next(iter(nodes.values()))[0].object
            current = self._one(nodes)
            if current:
                expressions.append({"apiVersion": first["apiVersion"], "kind": first["kind"], "current": current})
        return {
            **({"healthChecks": listed} if listed else {}),
            **({"healthCheckExprs": expressions} if expressions else {}),
        }

    def _one(self, nodes: dict[tuple[str, str], list[Emitted]]) -> str:
        """The expression of a kind. What has none of its own is ready once it is there, if others of the kind have one."""
        texts = {}
        for key, batch in nodes.items():
            node = batch[0].program.nodes.get(batch[0].node)
            texts[key] = self.condition(batch[0].program, node) if node is not None else ""
        if len(set(texts.values())) == 1:
            return next(iter(texts.values()))
        several = len({instance for instance, _ in nodes}) > 1
        told = [
            f"({self._who(key, batch, several=several)}) && ({texts[key] or 'true'})" for key, batch in nodes.items()
        ]
        return " || ".join(told)

    def _who(self, key: tuple[str, str], batch: list[Emitted], *, several: bool) -> str:
        """Whether an object is one of a node's."""
        if self._by_name:
            names = [
                (each.object["metadata"].get("namespace") or "", each.object["metadata"]["name"]) for each in batch
            ]
            told = []
            for namespace in dict.fromkeys(namespace for namespace, _ in names):
                own = ", ".join(quoted(name) for place, name in names if place == namespace)
                place = f"metadata.namespace == {quoted(namespace)} && " if namespace else ""
                told.append(f"{place}metadata.name in [{own}]")
            return " || ".join(f"({each})" for each in told) if len(told) > 1 else told[0]
        instance, node = key
        told_node = f"metadata.annotations[{quoted(NODE)}] == {quoted(node)}"
        if not several:
            return told_node
        return f"metadata.annotations[{quoted(INSTANCE)}] == {quoted(instance)} && {told_node}"
