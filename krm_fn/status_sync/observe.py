"""
A look at a cluster: everything that a render waits for, and everything that is owned, as a snapshot.

Enters: a `Rendering` that is sound, something that answers like `cluster.Cluster`, the snapshot of an earlier look.  Leaves: a
`Sight`, whose `document()` is `observed.yaml`.  Not known here: files, terminals, connections.

    1   the uids of the cluster and of the instances; where they are others than before, nothing more is asked
    2   rounds: expand with what is known; look at what is waited for; until nothing new is
    3   what is owned: every kind that the definitions make is listed, without contents, and what carries marks of these
        instances is noted
    4   of what may have to be held, the live object

The result depends on the cluster alone, not on the snapshot before, except that kinds and namespaces in which something was owned are
looked through again: a definition may have lost the node that made it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

from krm_fn.emit.plain import emit
from krm_fn.expand.instance import World, expand_instance
from krm_fn.expand.observed import Observed, identity
from krm_fn.expand.outcome import Faults
from krm_fn.expand.ownership import kind_of_owner, maker
from krm_fn.observed_input import API_VERSION, KIND
from krm_fn.report.diagnostic import WARNING, Diagnostic, RenderError
from krm_fn.snapshot import digest_of, field_text
from krm_fn.status_sync.cluster import Forbidden, Resource
from krm_fn.status_sync.owned_kinds import owned_kinds, possible_kinds
from krm_fn.status_sync.parts import cut, owned_entry, reference, referred, to_hold, whole
from krm_fn.status_sync.wants import WHOLE, Wants, instance_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from krm_fn.expand.observed import Identity
    from krm_fn.expand.outcome import Expansion, Fault
    from krm_fn.pipeline import Rendering
    from krm_fn.program.model import Program
    from krm_fn.snapshot import Snapshot
    from krm_fn.status_sync.wants import Field

    Json = dict[str, Any]

MAX_ROUNDS = 100
_MANY = 16
"""So many objects of one kind in one namespace are listed, not asked for one by one."""


class Answers(Protocol):
    """What is asked of a cluster; see `cluster.Cluster`."""

    def uid(self) -> str: ...
    def resource(self, api_version: str, kind: str) -> Resource | None: ...
    def get(self, resource: Resource, namespace: str, name: str, *, whole: bool = True) -> Json | None: ...
    def list(
        self, resource: Resource, namespace: str = "", selector: str = "", *, whole: bool = True
    ) -> Iterator[Json]: ...


class Sight:
    """
    One look. Make it, call `look`, then ask for the `document`.

    expansions: with all that was seen.  faults: what of that leads to an error.  looked_at: how many objects were asked for.
    """

    def __init__(
        self, rendering: Rendering, cluster: Answers, earlier: Snapshot | None, say: Callable[[str], None]
    ) -> None:
        self._rendering = rendering
        self._cluster = cluster
        self._earlier = earlier
        self._say = say
        self._wants = Wants()
        self._live: dict[Identity, Json | None] = {}
        self._listed: dict[tuple[str, str, str, str], str] = {}
        self._pins: dict[Identity, tuple[str, str]] = {}
        """The instances: apiVersion and uid, which is empty for one that is not in the cluster."""
        self._owned: dict[Identity, Json] = {}
        """The entries of the snapshot."""
        self._forbidden: dict[tuple[str, str, str], Forbidden] = {}
        self._uid = ""
        self.expansions: list[Expansion] = []
        self.faults: list[Fault] = []

    # -- the four steps -----------------------------------------------------------------------------------------------

    def look(self) -> None:
        """
        Ask the cluster. Errors: RenderError.

        `snapshot-other-cluster` and `snapshot-other-instance` where the earlier snapshot is of others; `cluster-forbidden`, with
        everything that is not allowed; what `cluster` raises.
        """
        instances = self._admitted()
        before = self._expand(instances, Observed())
        if self.faults:
            findings = self._rendering.findings
            for fault in self.faults:
                findings.fault(fault, self._rendering.inputs.entries_of)
            raise RenderError(findings.sorted())
        self._identify(before)
        self.expansions = before
        self._rounds(instances)
        self._pin_instances(self.expansions)
        self._find_owned()
        self._keep_alive(before)
        self._refuse_forbidden()

    def _admitted(self) -> list[tuple[Program, Json]]:
        rendering = self._rendering
        found = []
        for entry in rendering.inputs.instances:
            program = rendering.programs.get(entry.key)
            instance = None if program is None else rendering.admissions.admit_root(program, entry)
            if program is not None and instance is not None:
                found.append((program, instance))
        if rendering.findings.has_errors:
            raise RenderError(rendering.findings.sorted())
        return found

    def _expand(self, instances: list[tuple[Program, Json]], seen: Observed) -> list[Expansion]:
        """Every instance with what was seen; one that this makes faulty is left out, and its faults noted."""
        rendering = self._rendering
        world = World(
            rendering.programs, rendering.admissions.admit_nested, seen, kro_labels=rendering.options.kro_labels
        )
        self.faults = []
        expansions = []
        for program, instance in instances:
            try:
                expansions.append(expand_instance(program, instance, world))
            except Faults as found:
                self.faults += found.faults
        return expansions

    def _identify(self, expansions: list[Expansion]) -> None:
        """Which cluster and which instances these are. Errors: RenderError."""
        self._say("which cluster is it?")
        try:
            self._uid = self._cluster.uid()
        except Forbidden as forbidden:
            raise RenderError([_forbidden(forbidden)]) from None
        earlier = self._earlier
        if earlier is not None and earlier.uid != self._uid:
            raise RenderError(
                [
                    Diagnostic(
                        "snapshot-other-cluster",
                        f"this is cluster {self._uid}, and the snapshot is of {earlier.uid}",
                        position=earlier.entry.locate(("cluster", "uid")),
                        help="choose the cluster with --kubeconfig and --context; --unpin makes a snapshot of this one",
                    )
                ]
            )
        self._pin_instances(expansions)

    def _pin_instances(self, expansions: Iterable[Expansion]) -> None:
        earlier = self._earlier.instances if self._earlier is not None else []
        pinned = {referred(pin): (pin.get("uid", ""), i) for i, pin in enumerate(earlier)}
        problems = []
        for expansion in _all_of(expansions):
            key = instance_key(expansion)
            if key in self._pins:
                continue
            api_version = expansion.program.api_version
            live = self._get(api_version, key, whole=False)
            uid = "" if live is None else str(live["metadata"].get("uid") or "")
            self._pins[key] = (api_version, uid)
            was, i = pinned.get(key, ("", 0))
            if was and uid and was != uid:
                assert self._earlier is not None
                problems.append(
                    Diagnostic(
                        "snapshot-other-instance",
                        f"{expansion.subject} is another one than before: its uid is {uid}, and the snapshot's is {was}",
                        position=self._earlier.entry.locate(("instances", i, "uid")),
                        subject=expansion.subject,
                        help="it was deleted and made anew, or this is another cluster; --unpin takes it as it is",
                    )
                )
        if problems:
            raise RenderError(problems)

    def _rounds(self, instances: list[tuple[Program, Json]]) -> None:
        for expansion in self.expansions:
            key = instance_key(expansion)
            if self._pins[key][1]:
                self._wants.want(self._pins[key][0], key, [("metadata", "uid")])
        for number in range(1, MAX_ROUNDS + 1):
            size = self._wants.size
            self._wants.add(self.expansions)
            if self._wants.size == size and number > 1:
                return
            self._say(f"round {number}: {len(self._wants.objects)} objects, {len(self._wants.lists)} lists")
            self._look_at_lists()
            self._look_at_objects()
            self.expansions = self._expand(instances, self._seen())

    def _seen(self) -> Observed:
        """What a render with the snapshot would see."""
        state = Observed(given=True, lists=self._listed.keys())
        for seen, fields in self._entries():
            state.add(seen, fields)
        return state

    # -- looking ------------------------------------------------------------------------------------------------------

    def _look_at_lists(self) -> None:
        for key, api_version in self._wants.lists.items():
            if key in self._listed:
                continue
            _, kind, namespace, selector = key
            resource = self._cluster.resource(api_version, kind)
            if resource is None:
                continue  # a kind that is not served has no list, not an empty one
            try:
                found = list(self._cluster.list(resource, namespace, selector_text(json.loads(selector))))
            except Forbidden as forbidden:
                self._note(forbidden)
                continue
            self._listed[key] = api_version
            for each in found:
                self._live[identity(each)] = each
                self._wants.want(api_version, identity(each), [("metadata", "labels")])

    def _look_at_objects(self) -> None:
        groups: dict[tuple[str, str, str], list[Identity]] = {}
        for key in self._wants.objects:
            if key not in self._live:
                groups.setdefault((self._wants.versions[key], key[1], key[2]), []).append(key)
        for (api_version, kind, namespace), keys in groups.items():
            if len(keys) > _MANY and self._list_for(api_version, kind, namespace, keys):
                continue
            for key in keys:
                self._live[key] = self._get(api_version, key)

    def _list_for(self, api_version: str, kind: str, namespace: str, keys: list[Identity]) -> bool:
        """Many objects at once, where that is allowed."""
        resource = self._cluster.resource(api_version, kind)
        if resource is None:
            return False
        try:
            found = {identity(each): each for each in self._cluster.list(resource, namespace)}
        except Forbidden:
            return False
        self._live.update((key, found.get(key)) for key in keys)
        return True

    def _get(self, api_version: str, key: Identity, *, whole: bool = True) -> Json | None:
        _, kind, namespace, name = key
        resource = self._cluster.resource(api_version, kind)
        if resource is None:
            return None
        try:
            return self._cluster.get(resource, namespace if resource.namespaced else "", name, whole=whole)
        except Forbidden as forbidden:
            self._note(forbidden)
            return None

    def _note(self, forbidden: Forbidden) -> None:
        self._forbidden.setdefault((forbidden.verb, str(forbidden.resource), forbidden.namespace), forbidden)

    def _refuse_forbidden(self) -> None:
        """What must not be seen is not absent: without it the snapshot would say too little."""
        if self._forbidden:
            raise RenderError([_forbidden(each) for _, each in sorted(self._forbidden.items())])

    # -- what is owned ------------------------------------------------------------------------------------------------

    def _find_owned(self) -> None:
        owners = {
            "/".join((program.definition.group, program.definition.kind, key[2], key[3]))
            for expansion in _all_of(self.expansions)
            for program, key in ((expansion.program, instance_key(expansion)),)
        }
        programs = self._rendering.programs
        possible = possible_kinds(programs, {expansion.program.key for expansion in self.expansions})
        earlier = self._earlier.owned if self._earlier is not None else []
        for api_version, kind, namespace in owned_kinds(programs, self.expansions, earlier):
            resource = self._cluster.resource(api_version, kind)
            if resource is None:
                continue
            self._say(f"what is owned: {resource}{' in ' + namespace if namespace else ''}")
            try:
                for each in self._cluster.list(resource, namespace if resource.namespaced else "", whole=False):
                    marks = maker(each)
                    if marks is not None and (marks[0] in owners or kind_of_owner(marks[0]) in possible):
                        self._owned[identity(each)] = owned_entry(each, marks)
            except Forbidden as forbidden:
                self._note(forbidden)

    def _keep_alive(self, before: list[Expansion]) -> None:
        """The live object of everything owned that a render may not give: without the snapshot, or with it."""
        sure = set(_identities(before)) & set(_identities(self.expansions))
        for key, entry in sorted(self._owned.items()):
            if key not in sure:
                live = self._live.get(key) or self._get(entry["apiVersion"], key)
                if live is not None:
                    entry["object"] = to_hold(live)

    # -- what was seen ------------------------------------------------------------------------------------------------

    def _entries(self) -> Iterator[tuple[Json, tuple[Field, ...] | None]]:
        """Each object that exists, cut down to what is wanted of it, with its fields; None for a whole one."""
        for key, fields in sorted(self._wants.objects.items()):
            live = self._live.get(key)
            if live is not None:
                least = [field for field in fields if not any(field[:n] in fields for n in range(len(field)))]
                yield (whole(live), None) if WHOLE in fields else (cut(live, least), tuple(sorted(least)))

    def document(self) -> Json:
        """The snapshot, without its digest. Sorted: two looks at the same cluster give the same."""
        return {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {"name": "observed", "annotations": {"config.kubernetes.io/local-config": "true"}},
            "cluster": {"uid": self._uid},
            "instances": [
                {**reference(api_version, key), **({"uid": uid} if uid else {})}
                for key, (api_version, uid) in sorted(self._pins.items())
            ],
            "owned": [entry for _, entry in sorted(self._owned.items())],
            "objects": [
                {"object": seen} if fields is None else {"fields": [field_text(f) for f in fields], "object": seen}
                for seen, fields in self._entries()
            ],
            "lists": [
                {
                    "apiVersion": api_version,
                    "kind": key[1],
                    **({"namespace": key[2]} if key[2] else {}),
                    "selector": json.loads(key[3]),
                }
                for key, api_version in sorted(self._listed.items())
            ],
        }

    def summary(self) -> str:
        count = sum(1 for _ in self._entries())
        held = sum("object" in entry for entry in self._owned.values())
        absent = len(self._wants.objects) - count
        return (
            f"{count} object{_s(count)} seen that expressions wait for"
            + (f" ({absent} {'is' if absent == 1 else 'are'} not there)" if absent else "")
            + f", {len(self._owned)} owned, {held} of them kept whole"
        )

    def awaited(self) -> list[Diagnostic]:
        """What a render with the snapshot would still say."""
        findings = self._rendering.findings
        for expansion in self.expansions:
            findings.expansion(expansion, self._rendering.inputs.entries_of)
        for fault in self.faults:
            findings.fault(fault, self._rendering.inputs.entries_of)
        said = findings.sorted()
        for diagnostic in said:
            if diagnostic.severity == "error":  # the snapshot is sound; it is the render that will refuse
                diagnostic.severity = WARNING
        return said


def finished(document: Json) -> str:
    """The text of a snapshot, with its digest, which is of what a reader makes of the text."""
    from krm_fn.emit.yaml_text import dump
    from krm_fn.read.yaml import parse_documents

    text = dump(document)
    [read] = parse_documents(text, "observed.yaml")
    head = "# What `rookery observe` saw in a cluster. The digest is of all of it: observe again instead of editing.\n"
    return f"{head}{text}digest: {digest_of(read.value)}\n"


def _all_of(expansions: Iterable[Expansion]) -> Iterator[Expansion]:
    for expansion in expansions:
        yield expansion
        for outcome in expansion.outcomes.values():
            yield from _all_of(item.nested for item in outcome.items if item.nested is not None)


def _identities(expansions: Iterable[Expansion]) -> Iterator[Identity]:
    for expansion in expansions:
        for emitted in emit(expansion, instances=True, kro_labels=True):
            yield identity(emitted.object)


def selector_text(selector: Json) -> str:
    """A metav1.LabelSelector as the query of a list call."""
    parts = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for requirement in selector.get("matchExpressions") or ():
        key, operator, values = requirement["key"], requirement["operator"], requirement.get("values") or []
        if operator in ("In", "NotIn"):
            parts.append(f"{key} {operator.lower()} ({','.join(values)})")
        else:
            parts.append(key if operator == "Exists" else f"!{key}")
    return ",".join(parts)


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _forbidden(forbidden: Forbidden) -> Diagnostic:
    where = f" in namespace {forbidden.namespace}" if forbidden.namespace else ""
    group = forbidden.resource.api_version.rpartition("/")[0]
    role = "a Role of that namespace" if forbidden.namespace else "a ClusterRole"
    return Diagnostic(
        "cluster-forbidden",
        f"to {forbidden.verb} {forbidden.resource}{where} is not allowed: {forbidden.said}",
        help=f'grant it with {role}: apiGroups: ["{group}"], resources: ["{forbidden.resource.plural}"], '
        f'verbs: ["{forbidden.verb}"]',
    )
