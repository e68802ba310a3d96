"""
One pass of status-sync: read, compute, write what differs.

Enters: a `Server`, the RGDs' sources, a log.  Leaves: statuses, written by server-side apply to the status subresources of
instances and RGDs, and of nothing else; lines in the log.  Not known here: how often (`command.status_sync`).

What fails with one instance is named, and the others go on; so they do with a bug of ours, which is counted. Only a server that is away
ends a pass (RenderError).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from krm_fn.program.definition import RGD_KIND
from krm_fn.report.diagnostic import ERROR, RenderError
from krm_fn.report.formats import TEXT, formatted
from krm_fn.status_sync.changes import is_written, what_changed
from krm_fn.status_sync.cluster import Forbidden
from krm_fn.status_sync.graphs import CRD_KIND, CRD_VERSION, RGD_VERSION, Compiler
from krm_fn.status_sync.instance_status import Fit, compute, fit_of, name_in_marks
from krm_fn.status_sync.kro import why_kro_manages, why_kro_owns
from krm_fn.status_sync.reads import Conflict, Reads, Refused, Sight
from krm_fn.status_sync.rgd_status import rgd_status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from krm_fn.program.model import Program
    from krm_fn.read.yaml import Document
    from krm_fn.status_sync.graphs import Graphs
    from krm_fn.status_sync.reads import Server

_ATTEMPTS = 5
"""How often a status is computed anew because its object has changed meanwhile."""


class Log:
    """Lines for people. What stays true from pass to pass is said once."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._said: dict[str, str] = {}

    def say(self, text: str) -> None:
        self._write(f"status-sync: {text}\n")

    def once(self, about: str, text: str) -> None:
        """Say something that differs from what was said of this last; nothing where *text* is empty."""
        if self._said.get(about, "") != text:
            self._said[about] = text
            if text:
                self.say(f"{about}: {text}")

    def block(self, about: str, text: str) -> None:
        """Lines that need no beginning."""
        if self._said.get(about, "") != text:
            self._said[about] = text
            self._write(text)


class Sync:
    """
    What stays from pass to pass.

    documents: of the given files, read anew in each pass; None for the RGDs of the cluster.  namespaces: where instances are looked
    for; empty for all of them.
    """

    def __init__(
        self,
        server: Server,
        log: Log,
        documents: Callable[[], list[Document] | None],
        namespaces: Sequence[str],
        now: Callable[[], str],
    ) -> None:
        self.server = server
        self.log = log
        self._documents = documents
        self._namespaces = namespaces
        self._now = now
        self._compiler = Compiler()
        self.bugs = 0

    def run(self) -> bool:
        """One pass; whether all went well. Errors: RenderError where the server is away."""
        self.server.begin()
        return _Pass(self, Reads(self.server)).run()

    # -- what a pass asks for -------------------------------------------------------------------------------------------

    def graphs(self, reads: Reads) -> tuple[Graphs, bool]:
        """The RGDs; whether they are those of the cluster."""
        documents = self._documents()
        return self._compiler.graphs(reads, documents), documents is None

    def listed(self, reads: Reads, program: Program) -> Iterator[dict[str, Any]]:
        places = self._namespaces if program.definition.namespaced and self._namespaces else ("",)
        for namespace in places:
            yield from reads.objects(program.api_version, program.definition.kind, namespace)

    @property
    def now(self) -> str:
        return self._now()


class _Pass:
    def __init__(self, sync: Sync, reads: Reads) -> None:
        self.sync = sync
        self.log = sync.log
        self.reads = reads
        self.is_well = True

    def run(self) -> bool:
        try:
            self.graphs, is_cluster = self.sync.graphs(self.reads)
        except Forbidden as refusal:
            self._failed(RGD_KIND, _how_forbidden(refusal))
            return False
        self.log.block("diagnostics", formatted(self.graphs.diagnostics, TEXT, color=False))
        if any(found.severity == ERROR for found in self.graphs.diagnostics):
            self.is_well = False
        if not self.graphs.inputs.rgds:
            where = "in the cluster: name the files that hold them" if is_cluster else "among the files"
            self.log.once(f"{RGD_KIND}s", f"none is {where}")
        for program in self.graphs.programs:
            self._attempt(f"{program.definition.kind} of {program.definition.group}", lambda: self._kind(program))  # noqa: B023 - called at once
        for entry in self.graphs.inputs.rgds:
            name = entry.subject().name
            given = None if is_cluster else entry.value
            if name:
                self._attempt(f"{RGD_KIND} {name}", lambda: self._rgd(name, given))  # noqa: B023 - called at once
        return self.is_well

    def _attempt(self, about: str, act: Callable[[], str]) -> None:
        """Do something that may fail without hindering the rest. *act* gives what is to be said of it, once."""
        try:
            self.log.once(about, act())
        except Forbidden as refusal:
            self._failed(about, _how_forbidden(refusal))
        except Refused as refusal:
            self._failed(about, str(refusal))
        except RenderError as error:
            if any(found.code != "cluster-failed" for found in error.diagnostics):
                raise
            self._failed(about, str(error))
        except Exception as error:
            if os.environ.get("ROOKERY_DEBUG"):
                raise
            self.sync.bugs += 1
            self._failed(about, f"internal error ({type(error).__name__}): this is a bug of Rookery")

    def _failed(self, about: str, why: str) -> None:
        self.is_well = False
        self.log.once(about, why)

    # -- instances ------------------------------------------------------------------------------------------------------

    def _kind(self, program: Program) -> str:
        definition = program.definition
        resource = self.reads.resource(program.api_version, definition.kind)
        if resource is None:
            return f"{program.api_version} is not served, there are no instances: `rookery render --emit api` gives the CRD"
        crd = self.reads.get(CRD_VERSION, CRD_KIND, "", str(resource))
        if crd is not None and (why := why_kro_owns(crd)):
            raise Refused(_left_to_kro(f"the CRD {resource}", why))
        fit = None if crd is None else fit_of(crd, definition.version)
        found = []
        for instance in self.sync.listed(self.reads, program):
            self.reads.put(instance)
            found.append((instance["metadata"].get("namespace") or "", instance["metadata"]["name"]))
            about = _named(instance)
            self._attempt(about, lambda: self._instance(program, instance, fit))  # noqa: B023 - called at once
        self._say_only_in_files(program, found)
        return ""

    def _say_only_in_files(self, program: Program, found: list[tuple[str, str]]) -> None:
        names = {name for _, name in found}
        for entry in self.graphs.inputs.instances:
            subject = entry.subject()
            if entry.key != program.key:
                continue
            is_there = (subject.namespace, subject.name) in found if subject.namespace else subject.name in names
            why = "" if is_there else "it is among the files, but not in the cluster: there is no status to write"
            self.log.once(f"{subject} of the files", why)

    def _instance(self, program: Program, instance: dict[str, Any], fit: Fit | None) -> str:
        left_out: list[str] = []

        def status_of(stored: dict[str, Any]) -> dict[str, Any]:
            sight = Sight(self.reads, program, name_in_marks(stored))
            computed = compute(program, stored, sight, self.graphs.world, fit, self.sync.now)
            left_out[:] = computed.left_out
            return computed.status

        self._write(instance, status_of)
        return "; ".join(left_out)

    # -- RGDs -----------------------------------------------------------------------------------------------------------

    def _rgd(self, name: str, given: dict[str, Any] | None) -> str:
        """*given*: the RGD of the files, where it does not come from the cluster."""
        stored = self.reads.get(RGD_VERSION, RGD_KIND, "", name)
        if stored is None:
            return ""
        if given is not None and stored.get("spec") != given.get("spec"):
            return "the one in the cluster is not the one of the files: its status is left as it is"
        program = self.graphs.program_of(stored)
        is_served = False
        if program is not None:
            is_served = self.reads.resource(program.api_version, program.definition.kind) is not None
        why_refused = "" if program is not None else self.graphs.why_refused(stored)

        def status_of(stored: dict[str, Any]) -> dict[str, Any]:
            return rgd_status(stored, program, why_refused, is_served=is_served, now=self.sync.now)

        self._write(stored, status_of)
        return ""

    # -- writing --------------------------------------------------------------------------------------------------------

    def _write(self, stored: dict[str, Any], status_of: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        """Write a status if it differs. Where the object has changed since it was read, once more from the start."""
        resource = self.reads.resource(stored["apiVersion"], stored["kind"])
        if resource is None:
            return
        for _ in range(_ATTEMPTS):
            if stored["metadata"].get("deletionTimestamp"):
                return
            if why := why_kro_manages(stored):
                raise Refused(_left_to_kro("it", why))
            status = status_of(stored)
            if is_written(status, stored):
                return
            try:
                written = self.server_apply(resource, stored, status)
            except Conflict:
                self.reads.forget(stored)
                metadata = stored["metadata"]
                again = self.reads.get(
                    stored["apiVersion"], stored["kind"], metadata.get("namespace") or "", metadata["name"]
                )
                if again is None:
                    return
                stored = again
                continue
            self.reads.put(written)
            if written["metadata"].get("resourceVersion") != stored["metadata"].get("resourceVersion"):
                self.log.say(
                    f"{_named(stored)}: {what_changed(stored.get('status') or {}, written.get('status') or {})}"
                )
            return
        raise Refused(f"it changed {_ATTEMPTS} times while its status was computed: it comes next time")

    def server_apply(self, resource: Any, stored: dict[str, Any], status: dict[str, Any]) -> dict[str, Any]:
        metadata = stored["metadata"]
        named = {key: metadata[key] for key in ("name", "namespace", "uid", "resourceVersion") if key in metadata}
        body = {"apiVersion": stored["apiVersion"], "kind": stored["kind"], "metadata": named, "status": status}
        return self.sync.server.apply_status(resource, body)


def _named(stored: dict[str, Any]) -> str:
    """`App default/shop`."""
    metadata = stored["metadata"]
    return f"{stored['kind']} {'/'.join(part for part in (metadata.get('namespace'), metadata['name']) if part)}"


def _left_to_kro(what: str, why: str) -> str:
    return f"{what} belongs to a kro ({why}), which writes the status itself: left alone"


def _how_forbidden(refusal: Forbidden) -> str:
    place = f" in namespace {refusal.namespace}" if refusal.namespace else ""
    return f"not allowed to {refusal.verb} {refusal.resource}{place}: a role has to grant the verb {refusal.verb} on it"
