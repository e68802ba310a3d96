"""
What the documents are, and everything about an RGD or an instance that is settled before expansion.

Enters: documents.  Leaves: sorted entries, compiled Programs, admitted instances; problems go to the
caller's `add` with their positions.  Not known here: expansion, output.
"""

from __future__ import annotations

from krm_fn.admit.admission import compile_admission
from krm_fn.observed_input import is_marked_observed, is_snapshot, is_sound
from krm_fn.program.build import build_program
from krm_fn.program.definition import RGD_GROUP, RGD_KIND, is_rgd
from krm_fn.program.nesting import groups_in_order, kinds_named
from krm_fn.report.diagnostic import ERROR, WARNING, Diagnostic, Subject
from krm_fn.report.near import did_you_mean
from krm_fn.schema.kinds import Kinds
from krm_fn.schema.kube_version import NEWEST
from krm_fn.schema.object_names import MAX_LABEL, MAX_SUBDOMAIN, is_dns_name
from krm_fn.schema.scope import scope_from_crd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any, TypeAlias

    from krm_fn.admit.admission import Admission, Violation
    from krm_fn.program.definition import Problem
    from krm_fn.program.model import Program
    from krm_fn.read.yaml import Document
    from krm_fn.report.diagnostic import Position

    Add: TypeAlias = Callable[[Diagnostic], None]
    """Where a problem goes as soon as it is found."""

_CRD = ("apiextensions.k8s.io", "CustomResourceDefinition")


class Entry:
    """One object of the input: a document, or an item of a `List` document (then `prefix` leads to it)."""

    __slots__ = ("document", "prefix", "value")

    def __init__(self, document: Document, value: dict[str, Any], prefix: tuple[str | int, ...] = ()) -> None:
        self.document = document
        self.value = value
        self.prefix = prefix

    @property
    def key(self) -> tuple[str, str]:
        """Group and kind."""
        return (self.value["apiVersion"].rpartition("/")[0], self.value["kind"])

    def locate(self, path: tuple[str | int, ...], offset: int = 0, *, key: bool = False) -> Position:
        return self.document.locate(self.prefix + path, offset, key=key)

    def measure(self, path: tuple[str | int, ...], position: Position, *, key: bool = False) -> int:
        """How long the key or the scalar is that stands at a place found by `locate`; 0 where it is neither."""
        value: Any = self.value
        for part in path:
            in_list = isinstance(value, list) and isinstance(part, int) and part < len(value)
            if not in_list and not (isinstance(value, dict) and part in value):
                return 0
            value = value[part]
        shown = path[-1] if key and path else str(value).lower() if isinstance(value, bool) else value
        if not isinstance(shown, str | int):
            return 0
        rest = position.text[position.column - 1 :]
        quote = rest[:1] if rest[:1] in ("'", '"') else ""
        text = f"{quote}{shown}{quote}"
        return len(text) if rest.startswith(text) else 0

    def subject(self) -> Subject:
        metadata = self.value.get("metadata")
        name, namespace = (metadata.get("name"), metadata.get("namespace")) if isinstance(metadata, dict) else ("", "")
        return Subject(self.value["apiVersion"], self.value["kind"], str(name or ""), str(namespace or ""))


class Inputs:
    """
    The sorted input.

    entries_of: which entry a Program was compiled from.  observed: objects that somebody wrote down.  snapshots: what `rookery observe`
    wrote, sound or not.
    """

    __slots__ = ("crds", "entries_of", "instances", "observed", "others", "rgds", "snapshots")

    def __init__(self) -> None:
        self.rgds: list[Entry] = []
        self.crds: list[Entry] = []
        self.instances: list[Entry] = []
        self.observed: list[Entry] = []
        self.snapshots: list[Entry] = []
        self.others: list[Entry] = []
        self.entries_of: dict[tuple[str, str], Entry] = {}


def sort_documents(
    documents: Iterable[Document],
    crds: Iterable[Document],
    observed: Iterable[Document] | None,
    add: Add,
) -> Inputs:
    """Tell RGDs, instances, CRDs, observed objects and other manifests apart."""
    inputs = Inputs()
    rest: list[Entry] = []
    for entry in _entries(documents, add):
        if is_rgd(entry.value):
            inputs.rgds.append(entry)
        elif entry.key[1] == "ResourceGroup" and _is_old(entry, add):
            continue
        elif is_snapshot(entry.value):
            inputs.snapshots.append(entry)
        elif is_marked_observed(entry.value):
            if is_sound(entry, add):
                inputs.observed.append(entry)
        else:
            rest.append(entry)
    kinds = _instance_kinds(inputs, add)
    all_named = all(_defines(entry) is not None for entry in inputs.rgds)
    names = sorted({RGD_KIND, *(kind for group, kind in kinds if group == RGD_GROUP)})
    groups = {kind: group for group, kind in sorted(kinds)}
    inputs.crds = [entry for entry in rest if entry.key == _CRD]
    inputs.crds += [entry for entry in _entries(crds, add) if entry.key == _CRD]
    defined = {key for entry in inputs.crds for key in scope_from_crd(entry.value)}
    for entry in rest:
        if entry.key in kinds:
            inputs.instances.append(entry)
            continue
        if entry.key[0] == RGD_GROUP and entry.key not in defined:
            if all_named:  # else it may be an instance of the RGD whose kind cannot be read
                advice = did_you_mean(entry.key[1], names)
                if entry.key[1] in groups:
                    advice = f"the {entry.key[1]} of the input is of group {groups[entry.key[1]]}"
                add(_rgd_missing(entry, advice))
            continue
        inputs.others.append(entry)
    for entry in _entries(observed or (), add):
        if is_snapshot(entry.value):
            inputs.snapshots.append(entry)
        elif is_sound(entry, add):
            inputs.observed.append(entry)
    _refuse_repeated_instances(inputs, add)
    return inputs


def _entries(documents: Iterable[Document], add: Add) -> Iterator[Entry]:
    for document in documents:
        yield from _flatten(document, document.value, (), add)


def _flatten(document: Document, value: Any, prefix: tuple[str | int, ...], add: Add) -> Iterator[Entry]:
    """The objects of a document; a `List`, as kubectl prints it, is taken apart."""
    if not isinstance(value, dict):
        add(
            Diagnostic(
                "not-an-object",
                "this document is no Kubernetes object",
                position=document.locate(prefix),
                help="a manifest is a mapping with apiVersion and kind; name other files in .krmignore",
            )
        )
        return
    missing = [f for f in ("apiVersion", "kind") if not isinstance(value.get(f), str) or not value[f]]
    if missing:
        add(
            Diagnostic(
                "not-an-object",
                f"{' and '.join(missing)} of this document {'is' if len(missing) == 1 else 'are'} missing or no string",
                position=document.locate(prefix),
                help="a manifest has apiVersion and kind; name other files in .krmignore",
            )
        )
    elif value["kind"].endswith("List") and isinstance(value.get("items"), list):
        for i, item in enumerate(value["items"]):
            yield from _flatten(document, item, (*prefix, "items", i), add)
    else:
        yield Entry(document, value, prefix)


def _is_old(entry: Entry, add: Add) -> bool:
    """Whether an object is an RGD by the name and the form that it had before kro v0.2, which is said."""
    from krm_fn.program.resource_group import is_resource_group

    if not is_resource_group(entry.value):
        return False
    add(
        Diagnostic(
            "resource-group",
            "ResourceGroup is what kro called a ResourceGraphDefinition before v0.2",
            position=entry.locate(("kind",)),
            span=len(entry.value["kind"]),
            subject=entry.subject(),
            help="`rookery convert FILE` prints it as a ResourceGraphDefinition, with its comments",
        )
    )
    return True


def _instance_kinds(inputs: Inputs, add: Add) -> set[tuple[str, str]]:
    """Group and kind of every RGD's instances. Two RGDs for one kind are an error that names both."""
    first: dict[tuple[str, str], Entry] = {}
    for entry in inputs.rgds:
        key = _defines(entry)
        if key is None:
            continue
        if key in first:
            add(
                Diagnostic(
                    "duplicate-kind",
                    f"kind {key[1]} of {key[0]} is defined at {first[key].locate(('spec', 'schema', 'kind'))} already",
                    position=entry.locate(("spec", "schema", "kind")),
                    span=len(key[1]),
                    subject=entry.subject(),
                    help="keep one ResourceGraphDefinition for a kind",
                )
            )
        first.setdefault(key, entry)
    inputs.entries_of = first
    return set(first)


def _key_of(rgd: Entry) -> tuple[str, str]:
    """Group and kind of the instances of an RGD that has a kind."""
    schema = rgd.value["spec"]["schema"]
    group = schema.get("group")
    return (group if isinstance(group, str) and group else RGD_GROUP, schema["kind"])


def _defines(rgd: Entry) -> tuple[str, str] | None:
    """Group and kind of an RGD's instances; None where the kind cannot be read, which `program` says."""
    spec = rgd.value.get("spec")
    schema = spec.get("schema") if isinstance(spec, dict) else None
    kind = schema.get("kind") if isinstance(schema, dict) else None
    if not isinstance(schema, dict) or not isinstance(kind, str):
        return None
    return _key_of(rgd)


def _rgd_missing(entry: Entry, advice: str) -> Diagnostic:
    kind = entry.value["kind"]
    return Diagnostic(
        "rgd-missing",
        f"no ResourceGraphDefinition for {kind} of {RGD_GROUP} is among the input",
        position=entry.locate(("kind",)),
        span=len(kind),
        subject=entry.subject(),
        help=advice or f"add the RGD that defines {kind} to the paths",
    )


def _refuse_repeated_instances(inputs: Inputs, add: Add) -> None:
    first: dict[tuple[str, ...], Entry] = {}
    for entry in inputs.instances:
        metadata = entry.value.get("metadata")
        if not isinstance(metadata, dict):
            continue
        key = (*entry.key, str(metadata.get("namespace")), str(metadata.get("name")))
        if key in first:
            position = entry.locate(("metadata", "name"))
            add(
                Diagnostic(
                    "duplicate-instance",
                    f"{entry.subject()} stands at {first[key].locate(('metadata', 'name'))} already",
                    position=position,
                    span=entry.measure(("metadata", "name"), position),
                    subject=entry.subject(),
                )
            )
        first.setdefault(key, entry)


def compile_programs(inputs: Inputs, add: Add, minor: int = NEWEST) -> dict[tuple[str, str], Program]:
    """
    Every RGD, compiled for Kubernetes 1.*minor*; in the order of the input. What is wrong with any of them is found in one go.

    An RGD is compiled after those of which it makes instances, whose kinds then have the schemas of their CRDs.
    """
    named = [dict(kinds_named(entry.value)) for entry in inputs.rgds]
    kinds = _known_kinds(inputs, add, minor, rgds=any((RGD_GROUP, RGD_KIND) in each for each in named))
    numbers = {id(entry): number for number, entry in enumerate(inputs.rgds)}
    makers = {key: numbers[id(entry)] for key, entry in inputs.entries_of.items()}
    needs = [[makers[key] for key in each if key in makers] for each in named]
    is_needed = {number for needed in needs for number in needed}
    programs: dict[int, Program] = {}
    for group in groups_in_order(needs):
        is_loop = group[0] in needs[group[0]] or len(group) > 1
        if is_loop:
            from krm_fn.program.generated import objects_schema_before

            for number in group:
                _add_kind(kinds, inputs.rgds[number], objects_schema_before(inputs.rgds[number].value))
        for number in group:
            program = _compile(inputs.rgds[number], kinds, add)
            if program is not None:
                programs[number] = program
        known = [number for number in group if number in programs]
        if is_loop:
            from krm_fn.loops import refuse_loop

            entries = {_key_of(inputs.rgds[number]): inputs.rgds[number] for number in group}
            defined = {key for entry in inputs.crds for key in scope_from_crd(entry.value)}
            refuse_loop(entries, {programs[number].key: programs[number] for number in known}, defined, add)
        for number in is_needed.intersection(known):
            from krm_fn.program.generated import objects_schema

            _add_kind(kinds, inputs.rgds[number], objects_schema(programs[number]))
    found: dict[tuple[str, str], Program] = {}
    for _, program in sorted(programs.items()):
        found.setdefault(program.key, program)
    return found


def _known_kinds(inputs: Inputs, add: Add, minor: int, *, rgds: bool) -> Kinds:
    """*rgds*: whether some RGD makes RGDs."""
    kinds = Kinds(minor)
    if rgds:
        from krm_fn.schema.rgd_crd import RGD_CRD

        kinds.add_crd(RGD_CRD)
    for entry in inputs.crds:
        kinds.add_crd(entry.value, _crd_report(entry, add))
    for entry in inputs.entries_of.values():
        _add_kind(kinds, entry, None)
    return kinds


def _add_kind(kinds: Kinds, rgd: Entry, schema: dict[str, Any] | None) -> None:
    """The kind that an RGD defines; *rgd* is one of those that have one."""
    group, kind = _key_of(rgd)
    said = rgd.value["spec"]["schema"]
    version = f"{group}/{said.get('apiVersion')}"
    kinds.add(version, kind, namespaced=said.get("scope") != "Cluster", schema=schema)


def _compile(entry: Entry, kinds: Kinds, add: Add) -> Program | None:
    program, problems = build_program(entry.value, kinds)
    for problem in problems:
        add(_placed_in(entry, problem, problem.offset, problem.length, key=problem.at_key))
    return program


def _crd_report(entry: Entry, add: Add) -> Callable[[Violation], None]:
    return lambda problem: add(_placed_in(entry, problem))


def _placed_in(
    entry: Entry, problem: Problem | Violation, offset: int = 0, length: int = 0, *, key: bool = False
) -> Diagnostic:
    """What is wrong with an object of the input, at its place: *length* code points, or as long as what stands there."""
    position = entry.locate(problem.path, offset, key=key)
    return Diagnostic(
        problem.code,
        problem.message,
        severity=problem.severity,
        position=position,
        span=length or entry.measure(problem.path, position, key=key),
        subject=entry.subject(),
        where=_where(problem.path),
        help=problem.help,
    )


def _where(path: tuple[str | int, ...]) -> str:
    from krm_fn.program.template import path_text

    return path_text(path)


class Admissions:
    """Admission of every kind, compiled when the first instance of it comes."""

    def __init__(
        self,
        programs: dict[tuple[str, str], Program],
        entries_of: dict[tuple[str, str], Entry],
        namespace: str,
        add: Add,
    ) -> None:
        self.programs = programs
        self.entries_of = entries_of
        self.namespace = namespace
        self.add = add
        self.compiled: dict[tuple[str, str], Admission] = {}

    def admit_root(self, program: Program, entry: Entry) -> dict[str, Any] | None:
        """An instance of the input as the API server would store it; None, with the reasons found, where it would refuse."""
        if not self._has_identity(program, entry):
            return None
        admitted, violations = self._admit(program, entry.value)
        refused = False
        for violation in violations:
            refused = refused or violation.severity == ERROR
            self.add(_placed_in(entry, violation, key=violation.code == "instance-unknown-field"))
        if refused:
            return None
        if entry.value["apiVersion"] != program.api_version:
            self.add(
                Diagnostic(
                    "wrong-version",
                    f"{entry.value['kind']} is served as {program.api_version}, not as {entry.value['apiVersion']}",
                    position=entry.locate(("apiVersion",)),
                    span=len(entry.value["apiVersion"]),
                    subject=entry.subject(),
                    help=f"write apiVersion: {program.api_version}",
                )
            )
            return None
        return self._placed(program, admitted)

    def admit_nested(self, program: Program, instance: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """An instance that a template made: admitted, with what its schema says against it."""
        admitted, violations = self._admit(program, instance)
        complaints = [v.message for v in violations if v.severity == ERROR]
        if instance["apiVersion"] != program.api_version:
            complaints.append(f"it is served as {program.api_version}, not as {instance['apiVersion']}")
        return admitted, complaints

    def _admit(self, program: Program, instance: dict[str, Any]) -> tuple[dict[str, Any], list[Violation]]:
        admission = self.compiled.get(program.key)
        if admission is None:
            admission = self.compiled[program.key] = compile_admission(program.spec_schema)
        return admission.admit(instance)

    def _placed(self, program: Program, instance: dict[str, Any]) -> dict[str, Any]:
        """With the namespace that the scope asks for."""
        metadata = instance["metadata"]
        namespace = metadata.get("namespace")
        if program.definition.namespaced:
            return instance if namespace else {**instance, "metadata": {**metadata, "namespace": self.namespace}}
        if not namespace:
            return instance
        self.add(
            Diagnostic(
                "namespace-on-cluster-scoped",
                f"{instance['kind']} is cluster-scoped: its namespace {namespace!r} is ignored",
                severity=WARNING,
                subject=Subject(instance["apiVersion"], instance["kind"], metadata["name"]),
            )
        )
        return {**instance, "metadata": {k: v for k, v in metadata.items() if k != "namespace"}}

    def _has_identity(self, program: Program, entry: Entry) -> bool:
        """A name and a namespace that the API server would take, so that they are safe in paths and labels too."""
        metadata = entry.value.get("metadata")
        sound = True
        if not isinstance(metadata, dict):
            metadata = {}
        for field, limit, required in (("name", MAX_SUBDOMAIN, True), ("namespace", MAX_LABEL, False)):
            value = metadata.get(field)
            if value is None and not required:
                continue
            if isinstance(value, str) and is_dns_name(value, limit, dots=field == "name"):
                continue
            sound = False
            got = "missing" if value is None else "not a string" if not isinstance(value, str) else repr(value[:80])
            position = entry.locate(("metadata", field))
            self.add(
                Diagnostic(
                    "invalid-name",
                    f"metadata.{field} of this {program.definition.kind} is {got}",
                    position=position,
                    span=entry.measure(("metadata", field), position),
                    subject=entry.subject(),
                    help="lower-case letters, digits, '-'"
                    + (" and '.'" if field == "name" else "")
                    + ", as the API server asks",
                )
            )
        return self._has_texts(entry, metadata) and sound

    def _has_texts(self, entry: Entry, metadata: dict[str, Any]) -> bool:
        """Labels and annotations that the API server would take."""
        if not (metadata.get("labels") or metadata.get("annotations")):
            return True
        from krm_fn.program.object_metadata import metadata_problems

        problems = metadata_problems(metadata, ("metadata",))
        for problem in problems:
            position = entry.locate(problem.path, key=problem.at_key)
            self.add(
                Diagnostic(
                    "instance-wrong-type" if problem.code == "rgd-wrong-type" else problem.code,
                    problem.message,
                    position=position,
                    span=problem.length or entry.measure(problem.path, position),
                    subject=entry.subject(),
                    help=problem.help,
                )
            )
        return not problems
