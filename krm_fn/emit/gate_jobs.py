"""
Jobs that Argo CD waits for, where none of its health checks can say what a readyWhen says.

Enters: the nodes of a root instance that something waits for, then its objects with their waves.  Leaves: the objects, marked with a digest; for each
node, and each namespace that it has objects in, a Job in their wave with what it may do.  Not known here: how the Job finds out
(`rookery wait`), how waves come about.

Why it is made the way it is (Argo CD v3.5.7, observed of its engine):

* A Job that failed is never run again, so this one cannot fail: its Pod starts anew for ever, and waits for everything itself.
* A Job that is complete says nothing of a later commit. So its name is made of all that it waits for, and a change of an object
  makes another one. In the same wave that object may be applied after the Job: by its digest the Job knows the one it is for.
* It is in the wave of the objects, not behind them: there need be no number between two waves.
"""

from __future__ import annotations

import json
from hashlib import sha256

from krm_fn.emit.argocd import WAITS_FOR, with_wave
from krm_fn.emit.lua.checks import gaps_of, has_observed_generation, name_in, never_holds
from krm_fn.emit.plain import Emitted
from krm_fn.expand.ownership import DIGEST, owner
from krm_fn.schema.plurals import plural
from krm_fn.schema.scope import scope_from_crd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from krm_fn.emit.lua.checks import Gap
    from krm_fn.expand.outcome import Expansion
    from krm_fn.program.model import Program

    Json = dict[str, Any]
    Place = tuple[int, str, str]
    """Expansion, node id, namespace."""

_RBAC = "rbac.authorization.k8s.io"
_LONGEST_NAME = 63
_DIGITS = 8
_FOR_EVER = 2**31 - 1
"""Starts of a Pod. There is no Job without a limit."""


class GateJobs:
    """
    Those of one run.

    image: one that has `rookery`; empty for none, and then nothing is made.  namespace: for the Jobs of instances that have none.
    crds: of the input, by which a kind's resource is known.  missed: called, without an image, with a node of which nothing awaits
    the readyWhen, and why.
    """

    def __init__(
        self, image: str, namespace: str, crds: Iterable[dict[str, Any]], missed: Callable[[Gap], None]
    ) -> None:
        self._image = image
        self._namespace = namespace
        self._missed = missed
        self._plurals = dict(_plurals(crds))
        self._gaps: dict[tuple[str, str], dict[str, Gap]] = {}
        self._expected: dict[tuple[int, str], Expansion] = {}
        self._awaited: dict[Place, list[Emitted]] = {}
        self._waves: dict[Place, int] = {}

    def expect(self, gating: Iterable[tuple[Expansion, str]]) -> None:
        """Of the nodes with a readyWhen that something waits for, find those that no health check stands for."""
        for expansion, node_id in gating:
            gap = self._of(expansion.program).get(node_id)
            if gap is None:
                continue
            if self._image:
                self._expected[id(expansion), node_id] = expansion
            else:
                self._missed(gap)

    def _of(self, program: Program) -> dict[str, Gap]:
        found = self._gaps.get(program.key)
        if found is None:
            found = self._gaps[program.key] = {}
            for gap in gaps_of([program]):
                if any(compiled.roots or never_holds(compiled) for compiled in gap.node.ready_when):
                    found.setdefault(gap.node.id, gap)
        return found

    def seen(self, each: Emitted, wave: int) -> None:
        """One object of the output, before it is given its wave. One that a Job waits for gets its digest."""
        if (id(each.expansion), each.node) not in self._expected:
            return
        metadata = each.object["metadata"]
        annotations = {**(metadata.get("annotations") or {}), DIGEST: _digest(each.object)}
        each.object = {**each.object, "metadata": {**metadata, "annotations": annotations}}
        place = (id(each.expansion), each.node, metadata.get("namespace") or "")
        self._awaited.setdefault(place, []).append(each)
        self._waves[place] = max(wave, self._waves.get(place, wave))

    def made(self) -> Iterator[Emitted]:
        """The Jobs, each behind what it needs: a ServiceAccount, a Role, a RoleBinding."""
        for place, awaited in self._awaited.items():
            first = awaited[0]
            home = place[2] or first.subject.namespace or self._namespace
            for made in _objects(awaited, place[2], home, self._resource(first), self._image):
                suffix = f".{place[2]}" if place[2] not in ("", first.subject.namespace) else ""
                key = f"{made['kind'].lower()}{suffix}"
                gated = with_wave(made, self._waves[place])
                yield Emitted(gated, first.program, first.subject, f"{first.node}-gate", key)

    def _resource(self, each: Emitted) -> str:
        """As paths and Roles name the kind."""
        node = each.program.nodes[each.node]
        return self._plurals.get((node.group, node.object_kind)) or plural(node.object_kind.lower())


def _plurals(crds: Iterable[dict[str, Any]]) -> Iterator[tuple[tuple[str, str], str]]:
    for crd in crds:
        for kind in scope_from_crd(crd):
            named = crd["spec"]["names"].get("plural")
            if isinstance(named, str):
                yield kind, named


def _objects(awaited: list[Emitted], namespace: str, home: str, resource: str, image: str) -> Iterator[Json]:
    """*namespace*: of what is awaited, empty for what is cluster-scoped.  *home*: of the Job."""
    first = awaited[0]
    node = first.program.nodes[first.node]
    name = _name(first, namespace)
    scope = "" if namespace else "Cluster"
    within = {"namespace": namespace} if namespace else {}
    names = [each.object["metadata"]["name"] for each in awaited]
    yield {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": home}}
    yield {
        "apiVersion": f"{_RBAC}/v1",
        "kind": f"{scope}Role",
        "metadata": {"name": name, **within},
        "rules": [{"apiGroups": [node.group], "resources": [resource], "resourceNames": names, "verbs": ["get"]}],
    }
    yield {
        "apiVersion": f"{_RBAC}/v1",
        "kind": f"{scope}RoleBinding",
        "metadata": {"name": name, **within},
        "roleRef": {"apiGroup": _RBAC, "kind": f"{scope}Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": home}],
    }
    spec = _job(name, image, _arguments(awaited, namespace, resource))
    waits = "\n".join(f"{node.id}: {compiled.expression.text}" for compiled in node.ready_when)
    yield {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": f"{name}-{_digest(spec)}", "namespace": home, "annotations": {WAITS_FOR: waits}},
        "spec": spec,
    }


def _arguments(awaited: list[Emitted], namespace: str, resource: str) -> list[str]:
    node = awaited[0].program.nodes[awaited[0].node]
    version = node.api_version.rpartition("/")[2]
    words = ["wait"]
    if namespace:
        words.append(f"--namespace={namespace}")
    words.append(f"--name={name_in(node)}")
    words += [f"--ready-when={compiled.expression.text}" for compiled in node.ready_when]
    if has_observed_generation(node):
        words.append("--observed-generation")
    for each in awaited:
        metadata = each.object["metadata"]
        words.append(f"{resource}.{version}.{node.group}/{metadata['name']}@{metadata['annotations'][DIGEST]}")
    # The kubelet fills in $(NAME), and reads $$ as $.
    return [word.replace("$", "$$") for word in words]


def _job(account: str, image: str, words: list[str]) -> Json:
    return {
        "backoffLimit": _FOR_EVER,
        "template": {
            "spec": {
                "serviceAccountName": account,
                "restartPolicy": "OnFailure",
                "securityContext": {
                    "runAsNonRoot": True,
                    "runAsUser": 65532,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
                "containers": [
                    {
                        "name": "wait",
                        "image": image,
                        "command": ["rookery"],
                        "args": words,
                        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
                        "securityContext": {
                            "allowPrivilegeEscalation": False,
                            "readOnlyRootFilesystem": True,
                            "capabilities": {"drop": ["ALL"]},
                        },
                    }
                ],
            }
        },
    }


def _name(first: Emitted, namespace: str) -> str:
    """`<kind>-<instance>-<node>-gate`; with a digest where that could be another one's, or is too long."""
    subject, program = first.subject, first.program
    name = f"{subject.kind}-{subject.name}-{first.node}-gate".lower()
    is_shared = sum(other.lower() == first.node.lower() for other in program.nodes) > 1
    is_plain = namespace == subject.namespace and program.definition.group == "kro.run" and not is_shared
    longest = _LONGEST_NAME - _DIGITS - 1
    if is_plain and "." not in name and len(name) <= longest:
        return name
    start = name.replace(".", "-")[: longest - _DIGITS - 1].rstrip("-")
    return f"{start}-{_digest([owner(subject), first.node, namespace])}"


def _digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()[:_DIGITS]
