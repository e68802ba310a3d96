"""
The path of data, whole: read → compile → admit → expand → order → emit. Read this page first.

Enters: parsed documents and options.  Leaves: `Emitted` objects, an instance at a time, or a RenderError with every problem.
Not known here: where documents come from and where text goes (`command`, `function`), how any step does its work (the rooms).

    sort      `inputs.sort_documents`   what each document is: RGD, CRD, instance, observed, something else
    compile   `inputs.compile_programs` one Program an RGD; all that is wrong with any RGD is known before an instance is touched
    admit     `inputs.Admissions`       default, prune, validate, once compiled a kind
    expand    `expand.instance`         the nodes of one instance; nested instances with it
    hold      `expand.held`             what lives and must stay while its instance waits
    order     `order`                   topological; for a target that waits, the least layers that keep every gate
    emit      `emit`                    objects with their marks and what their target needs; generated CRDs, if they are asked for
"""

from __future__ import annotations

from krm_fn.emit.plain import emit, emit_kept
from krm_fn.expand.instance import World, expand_instance
from krm_fn.expand.keeping import Keeping
from krm_fn.expand.observed import Observed
from krm_fn.expand.outcome import Faults
from krm_fn.expand.ownership import kind_of_owner
from krm_fn.findings import Findings
from krm_fn.inputs import Admissions, compile_programs, sort_documents
from krm_fn.report.near import begin_run
from krm_fn.schema.kube_version import NEWEST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from krm_fn.emit.plain import Emitted
    from krm_fn.emit.targets import Order, Ordering
    from krm_fn.expand.outcome import Expansion
    from krm_fn.inputs import Entry
    from krm_fn.observed_checks import ObservedChecks
    from krm_fn.read.yaml import Document
    from krm_fn.schema.kube_version import KubeVersion

WITHHOLD, FALLBACK, APPLY_TIME, FAIL = "withhold", "fallback", "apply-time", "fail"


class Options:
    """
    What a caller can choose.

    namespace: for instances that have none.  api: whether the generated CRDs are asked for.  kube_version: None for the newest one
    that is known.  known_kinds: a kind that nobody knows is an error.  cluster: the uid of the one cluster whose snapshots count; empty for
    any.  order: what applies the output; None for plain.
    """

    __slots__ = (
        "api",
        "cluster",
        "deferred",
        "instances",
        "known_kinds",
        "kro_labels",
        "kube_version",
        "namespace",
        "order",
        "strict",
    )

    def __init__(  # noqa: PLR0913 - each by its name
        self,
        *,
        namespace: str = "default",
        deferred: str = WITHHOLD,
        instances: bool = False,
        api: bool = False,
        kro_labels: bool = False,
        strict: bool = False,
        kube_version: KubeVersion | None = None,
        known_kinds: bool = False,
        cluster: str = "",
        order: Order | None = None,
    ) -> None:
        self.namespace = namespace
        self.deferred = deferred
        self.instances = instances
        self.api = api
        self.kro_labels = kro_labels
        self.strict = strict
        self.kube_version = kube_version
        self.known_kinds = known_kinds
        self.cluster = cluster
        self.order = order


class Rendering:
    """
    One run. Iterate over `batches()` to the end, then look at `findings`: what was drawn so far counts only if it has no error.

    others: the entries that are neither RGD, CRD, instance nor observed, for the caller to pass through or to name; `beside` is for
    those that are applied with the output.  knows_earlier: whether the caller has what was rendered before, and keeps of it what must stay.
    """

    def __init__(
        self,
        documents: Iterable[Document],
        options: Options,
        *,
        crds: Iterable[Document] = (),
        observed: Iterable[Document] | None = None,
        knows_earlier: bool = False,
    ) -> None:
        begin_run()
        self.knows_earlier = knows_earlier
        self.options = options
        self.findings = Findings(
            strict=options.strict, known_kinds=options.known_kinds, fail_deferred=options.deferred == FAIL
        )
        self.inputs = sort_documents(documents, crds, observed, self.findings.add)
        version = options.kube_version
        if version is not None:
            self.findings.kube_version(version)
        self.programs = compile_programs(self.inputs, self.findings.add, version.minor if version else NEWEST)
        self.admissions = Admissions(self.programs, self.inputs.entries_of, options.namespace, self.findings.add)
        seen = Observed()
        if observed is not None or self.inputs.observed or self.inputs.snapshots or options.cluster:
            from krm_fn.snapshot import observed_state

            seen = observed_state(
                self.inputs,
                self.findings.add,
                given=observed is not None,
                cluster=options.cluster,
                namespace=options.namespace,
            )
        self.ordering: Ordering | None = None
        """What a target that waits has found out, once there are batches."""
        self.world = World(
            self.programs,
            self.admissions.admit_nested,
            seen,
            fallback=options.deferred == FALLBACK,
            apply_time=options.deferred == APPLY_TIME,
            kro_labels=options.kro_labels,
        )
        self.ordering = self._ordering()

    @property
    def others(self) -> list[Entry]:
        return self.inputs.others

    def api(self, *, argocd: bool = False) -> list[Emitted]:
        """The generated CRD of every RGD, where they are asked for. *argocd*: marked for Argo CD to keep them."""
        if not self.options.api or self.findings.has_errors:
            return []
        from krm_fn.emit.api import generated_crds

        made = list(generated_crds(self.programs.values(), argocd=argocd))
        self.findings.identities(made, self.inputs.entries_of)
        self.beside(each.object for each in made)
        return made

    def beside(self, objects: Iterable[Mapping[str, Any]]) -> None:
        """Name what the caller applies with the output, before `batches()` are drawn to their end: an order spans them all."""
        if self.ordering is not None:
            for each in objects:
                self.ordering.beside(each)

    def admit(self) -> None:
        """Hold each instance against its schema, as far as its definition is sound."""
        for entry in self.inputs.instances:
            program = self.programs.get(entry.key)
            if program is not None:
                self.admissions.admit_root(program, entry)

    def batches(self) -> Iterator[tuple[Expansion | None, list[Emitted]]]:
        """
        Each instance's expansion and objects; last, without an expansion, what must stay of instances that wait.

        Goes on after an instance that is wrong, so that all problems are found.
        """
        if self.findings.has_errors:
            self.admit()
            return
        keeping = Keeping(self.programs)
        ordering = self.ordering
        checks = self._checks()
        for entry in self.inputs.instances:
            program = self.programs[entry.key]
            instance = self.admissions.admit_root(program, entry)
            if instance is None:
                continue
            try:
                expansion = expand_instance(program, instance, self.world)
            except Faults as found:
                for fault in found.faults:
                    self.findings.fault(fault, self.inputs.entries_of)
                continue
            batch = list(emit(expansion, instances=self.options.instances, kro_labels=self.options.kro_labels))
            self.findings.expansion(expansion, self.inputs.entries_of)
            self.findings.identities(batch, self.inputs.entries_of)
            keeping.follow(expansion)
            if checks is not None:
                checks.add(expansion)
            if ordering is not None:
                batch = ordering.arranged(expansion, batch)
            yield expansion, batch
        if checks is not None:
            checks.finish()
        if keeping.is_needed and not self.findings.has_errors:
            yield None, self._kept(keeping)
        if ordering is not None:
            instances, added = ordering.last()
            self.findings.identities(added, self.inputs.entries_of)
            ordering.finish()
            yield None, [*instances, *added]

    def _ordering(self) -> Ordering | None:
        """What a target that waits adds to the objects."""
        if self.options.order is None or self.findings.has_errors:
            return None
        from krm_fn.emit.targets import Ordering

        return Ordering(
            self.options.order,
            self.world,
            self.inputs.entries_of,
            self.findings.add,
            instances=self.options.instances,
            namespace=self.options.namespace,
            crds=(entry.value for entry in self.inputs.crds),
        )

    def _kept(self, keeping: Keeping) -> list[Emitted]:
        """What lives of instances that wait although nobody wants it now. Where that is not known, a warning says so."""
        from krm_fn.expand.held import as_it_lives, cannot_hold

        seen = self.world.observed
        if not (seen.is_inventory or self.knows_earlier):
            self.findings.nothing_known_of_what_lives()
        kept: list[Emitted] = []
        for each in seen.owned():
            is_left_out = each.identity[:2] in self.programs and not self.options.instances
            if is_left_out or not keeping.keeps(each.instance) or self.findings.is_made(each.identity):
                continue
            program = self.programs[kind_of_owner(each.instance)]
            node = program.nodes.get(each.node)
            live = seen.living(each.identity)
            why = cannot_hold(each, live, node)
            if why or live is None:
                self.findings.cannot_hold(each, why)
                continue
            body = as_it_lives(live, node.template if node is not None else None)
            if self.ordering is not None:
                body = self.ordering.kept(body, live)
            kept.append(emit_kept(each, program, body, kro_labels=self.options.kro_labels))
            self.findings.kept(kept[-1])
        return kept

    def _checks(self) -> ObservedChecks | None:
        """What is held against observed objects, where there are any."""
        if not self.world.observed.given:
            return None
        from krm_fn.observed_checks import ObservedChecks

        return ObservedChecks(self.world.observed, self.findings.add, self.inputs.entries_of)
