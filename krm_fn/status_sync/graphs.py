"""
The RGDs that status-sync works for, compiled: those of the cluster, or those of the given files.

Enters: `Reads`, perhaps documents of files.  Leaves: `Graphs`: Programs in the order in which their instances are looked at,
what is wrong with each RGD.  Not known here: instances, statuses.

The CRDs of other kinds that an RGD names come from the cluster, too: by them expressions read objects as kro does.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from krm_fn.expand.instance import World
from krm_fn.expand.secrets import LAST_APPLIED
from krm_fn.inputs import compile_programs, sort_documents
from krm_fn.program.definition import RGD_GROUP, RGD_KIND, is_rgd
from krm_fn.program.nesting import groups_in_order
from krm_fn.read.yaml import parse_documents
from krm_fn.report.diagnostic import ERROR
from krm_fn.report.near import begin_run
from krm_fn.schema.scope import scope_from_crd, scope_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from krm_fn.inputs import Inputs
    from krm_fn.program.model import Program
    from krm_fn.read.yaml import Document
    from krm_fn.report.diagnostic import Diagnostic
    from krm_fn.status_sync.reads import Reads

RGD_VERSION = f"{RGD_GROUP}/v1alpha1"
CRD_VERSION, CRD_KIND = "apiextensions.k8s.io/v1", "CustomResourceDefinition"


class Graphs:
    """
    RGDs, compiled.

    programs: those that are sound, each after those that it makes instances of, so that a parent reads the statuses that were just
    written.  diagnostics: of all of them.
    """

    def __init__(self, inputs: Inputs, programs: Iterable[Program], diagnostics: list[Diagnostic]) -> None:
        self.inputs = inputs
        self.programs = _nested_first(list(programs))
        self.diagnostics = diagnostics
        self.world = World({program.key: program for program in self.programs}, _never)

    def program_of(self, rgd: dict[str, Any]) -> Program | None:
        """The Program of an RGD, by its name; None where it is not sound, or another RGD has its kind."""
        for key, entry in self.inputs.entries_of.items():
            if entry.subject().name == rgd["metadata"]["name"]:
                return self.world.programs.get(key)
        return None

    def why_refused(self, rgd: dict[str, Any]) -> str:
        """The first thing that is wrong with an RGD."""
        name = rgd["metadata"]["name"]
        for found in self.diagnostics:
            subject = found.subject
            if found.severity == ERROR and subject and (subject.kind, subject.name) == (RGD_KIND, name):
                return f"{found.where}: {found.message}" if found.where else found.message
        return "its kind cannot be read"


def _never(_program: Program, _instance: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    raise AssertionError("an instance of the cluster was admitted by the cluster")


def _nested_first(programs: list[Program]) -> list[Program]:
    numbers = {program.key: number for number, program in enumerate(programs)}
    needs = [
        [numbers[key] for node in program.nodes.values() if (key := (node.group, node.object_kind)) in numbers]
        for program in programs
    ]
    return [programs[number] for group in groups_in_order(needs) for number in group]


class Compiler:
    """Compiles RGDs when they have changed, and only then."""

    def __init__(self) -> None:
        self._texts: tuple[str, ...] | None = None
        self._graphs: Graphs | None = None

    def graphs(self, reads: Reads, documents: list[Document] | None) -> Graphs:
        """
        The RGDs among *documents*, or without any documents those of the cluster.

        Errors: RenderError for RGDs that cannot even be told apart, and what reading the cluster raises.
        """
        if documents is None:
            rgds = reads.objects(RGD_VERSION, RGD_KIND)
            documents = [_document(rgd, f"<{RGD_KIND} {rgd['metadata']['name']}>") for rgd in rgds]
        crds = [
            _document(crd, f"<{CRD_KIND} {crd['metadata']['name']}>")
            for crd in _crds_named([document.value for document in documents], reads)
        ]
        texts = tuple(document.text() for document in (*documents, *crds))
        if self._graphs is None or texts != self._texts:
            self._graphs, self._texts = _compiled(documents, crds), texts
        return self._graphs


def _compiled(documents: list[Document], crds: list[Document]) -> Graphs:
    begin_run()
    found: list[Diagnostic] = []
    inputs = sort_documents(documents, crds, None, found.append)
    programs = compile_programs(inputs, found.append)
    return Graphs(inputs, programs.values(), found)


def _document(stored: dict[str, Any], name: str) -> Document:
    """An object of the cluster as a document, so that what is wrong in it has a place. What a server adds is left out."""
    metadata = stored["metadata"]
    kept = {key: metadata[key] for key in ("name", "labels", "annotations") if key in metadata}
    if "annotations" in kept:
        kept["annotations"] = {key: text for key, text in kept["annotations"].items() if key != LAST_APPLIED}
    value = {key: part for key, part in stored.items() if key not in ("metadata", "status")}
    text = json.dumps({**value, "metadata": kept}, ensure_ascii=False, indent=1, sort_keys=True)
    return parse_documents(text, name)[0]


def _crds_named(values: list[Any], reads: Reads) -> Iterator[dict[str, Any]]:
    """The cluster's CRDs of the kinds that RGDs name and that nobody else defines."""
    rgds = [value for value in values if isinstance(value, dict) and is_rgd(value)]
    known = {key for value in values if isinstance(value, dict) for key in scope_from_crd(value)}
    for rgd in rgds:
        spec = rgd.get("spec")
        schema = spec.get("schema") if isinstance(spec, dict) else None
        if isinstance(schema, dict):
            known.add((str(schema.get("group") or RGD_GROUP), str(schema.get("kind"))))
    for version, kind in sorted({named for rgd in rgds for named in _versions_named(rgd)}):
        group = version.rpartition("/")[0]
        if (group, kind) in known or scope_of(version, kind) is not None:
            continue
        known.add((group, kind))
        resource = reads.resource(version, kind)
        crd = None if resource is None else reads.get(CRD_VERSION, CRD_KIND, "", str(resource))
        if crd is not None:
            yield crd


def _versions_named(rgd: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """apiVersion and kind of everything that an RGD makes or refers to, as far as it is sound."""
    spec = rgd.get("spec")
    resources = spec.get("resources") if isinstance(spec, dict) else None
    for resource in resources if isinstance(resources, list) else ():
        for field in ("template", "externalRef") if isinstance(resource, dict) else ():
            named = resource.get(field)
            if isinstance(named, dict):
                version, kind = named.get("apiVersion"), named.get("kind")
                if isinstance(version, str) and isinstance(kind, str):
                    yield version, kind
