"""
Everything that a run has to say, in one place, with positions.

Enters: diagnostics, faults, expansions, emitted objects.  Leaves: a sorted list of diagnostics and whether any is an error.
Not known here: how they are shown, where they go.
"""

from __future__ import annotations

from krm_fn.emit.marks import SELF
from krm_fn.expand.observed import identity, identity_text
from krm_fn.expand.outcome import APPLY_TIME, DEFERRED, DEPENDENCY, HELD, MISSING, NEVER_READY, NOT_READY
from krm_fn.report.diagnostic import ERROR, INFO, WARNING, Diagnostic, arranged
from krm_fn.schema.kube_version import known_versions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from krm_fn.emit.plain import Emitted
    from krm_fn.expand.observed import Identity
    from krm_fn.expand.outcome import Expansion, Fault, Outcome
    from krm_fn.expand.ownership import Owned
    from krm_fn.inputs import Entry
    from krm_fn.program.model import Compiled, Program
    from krm_fn.report.diagnostic import Position
    from krm_fn.schema.kube_version import KubeVersion

    Entries = Mapping[tuple[str, str], Entry]

_UNCHECKED = (
    "unknown-kind",
    "crd-invalid",
    "crd-not-served",
    "crd-without-schema",
    "crd-not-structural",
    "duplicate-crd",
)
"""Warnings that say that objects of a kind are not held against a schema, or against one of two."""


class Findings:
    """
    The problems of one run.

    *strict*: a warning is an error.  *known_kinds*: so is one that leaves a kind unchecked.  *fail_deferred*: a deferred node is one.
    """

    def __init__(self, *, strict: bool = False, known_kinds: bool = False, fail_deferred: bool = False) -> None:
        self.strict = strict
        self.known_kinds = known_kinds
        self.fail_deferred = fail_deferred
        self._found: list[Diagnostic] = []
        self._makers: dict[Identity, tuple[str, str, Program]] = {}
        self._pairs: set[tuple[str, str]] = set()

    def add(self, diagnostic: Diagnostic) -> None:
        refused = self.strict or (self.known_kinds and diagnostic.code in _UNCHECKED)
        if refused and diagnostic.severity == WARNING:
            diagnostic.severity = ERROR
        self._found.append(diagnostic)

    def kube_version(self, version: KubeVersion) -> None:
        """A warning where the schemas are those of another version. It stays one where nobody could choose a better one."""
        if not version.is_known:
            (self._found.append if version.by_host else self.add)(
                Diagnostic(
                    "kube-version-unknown",
                    f"nothing is known of Kubernetes {version.asked}: kinds and their schemas are those of 1.{version.minor}",
                    severity=WARNING,
                    help=f"known here are {known_versions()}",
                )
            )

    @property
    def has_errors(self) -> bool:
        return any(d.severity == ERROR for d in self._found)

    def sorted(self) -> list[Diagnostic]:
        return arranged(self._found)

    def fault(self, fault: Fault, entries: Entries) -> None:
        """What kro would end in ERROR, at its place in the RGD."""
        self.add(
            Diagnostic(
                fault.code,
                fault.message,
                position=_position(fault.program, fault.compiled, entries)
                or (entries[fault.program.key].locate((*fault.node.path, "id")) if fault.node else None),
                span=len(fault.compiled.expression.written if fault.compiled else fault.node.id if fault.node else ""),
                subject=fault.subject,
                help=fault.help,
            )
        )

    def expansion(self, expansion: Expansion, entries: Entries) -> None:
        """A warning for each deferred node, nested instances included."""
        for outcome in expansion.outcomes.values():
            if outcome.state in (DEFERRED, HELD):
                self._deferred(outcome, expansion, entries)
            elif outcome.state == APPLY_TIME:
                self._filled_in(outcome, expansion, entries)
            for item in outcome.items:
                if item.nested is not None:
                    self.expansion(item.nested, entries)

    def _deferred(self, outcome: Outcome, expansion: Expansion, entries: Entries) -> None:
        node = outcome.node
        if node.is_external and not outcome.waits[0].compiled:
            severity, code = INFO, "external-not-observed"
            message = (
                f"{node.id} ({node.object_kind}) of {expansion.subject} is an external reference that nobody observed"
            )
            advice = "give it as observed state: what `kubectl get -o yaml` prints"
        else:
            severity = WARNING
            code, why, advice = _explain(outcome, expansion.program)
            become = "held as it lives" if outcome.state == HELD else "withheld"
            message = f"{node.id} ({node.object_kind}) of {expansion.subject} is {become}: {why}"
        first = outcome.waits[0]
        self.add(
            Diagnostic(
                code,
                message,
                severity=ERROR if self.fail_deferred and severity == WARNING else severity,
                position=_position(expansion.program, first.compiled, entries)
                or entries[expansion.program.key].locate((*node.path, "id")),
                span=len(first.compiled.expression.written) if first.compiled else len(node.id),
                subject=expansion.subject,
                help=advice,
            )
        )

    def is_made(self, key: Identity) -> bool:
        """Whether some node of this run makes the object."""
        return key in self._makers

    def kept(self, emitted: Emitted) -> None:
        """What nobody wants now and stays all the same."""
        self._makers[identity(emitted.object)] = (str(emitted.subject), emitted.node, emitted.program)
        self.add(
            Diagnostic(
                "held",
                f"{identity_text(identity(emitted.object))} is kept as it lives, for as long as {emitted.subject} waits for the cluster",
                severity=INFO,
                subject=emitted.subject,
            )
        )

    def cannot_hold(self, each: Owned, why: str) -> None:
        """What lives, must stay, and cannot be given as it lives: the run is refused, since an applier would prune it."""
        self.add(
            Diagnostic(
                "cannot-hold",
                f"{why} ({each.instance}, node {each.node})",
                help="observe again, so that the snapshot holds all of it; or delete the object from the cluster first",
            )
        )

    def nothing_known_of_what_lives(self) -> None:
        self.add(
            Diagnostic(
                "live-unknown",
                "objects are withheld, and nothing is known of what lives: one that an earlier render gave would be pruned",
                severity=WARNING,
                help="give the snapshot that `rookery observe` writes: what lives is held then",
            )
        )

    def _filled_in(self, outcome: Outcome, expansion: Expansion, entries: Entries) -> None:
        """A node that is rendered with placeholders: what for, and what its applier does not wait for."""
        node, first = outcome.node, outcome.waits[0]
        sources = [substitution.source for item in outcome.items for substitution in item.substitutions]
        gated = sorted({source.node for source in sources if expansion.program.nodes[source.node].ready_when})
        advice = "nothing but `kpt live apply` fills it in: any other applier sends the placeholders"
        if gated:
            advice += f"; it waits until {', '.join(gated)} is Current to kstatus, and knows no readyWhen"
        self.add(
            Diagnostic(
                "apply-time",
                f"{node.id} ({node.object_kind}) of {expansion.subject} is filled in at apply time: {_listed({s.shown for s in sources})}",
                severity=INFO,
                position=_position(expansion.program, first.compiled, entries),
                span=len(first.compiled.expression.written) if first.compiled else 0,
                subject=expansion.subject,
                help=advice,
            )
        )

    def identities(self, batch: Iterable[Emitted], entries: Entries) -> None:
        """No two nodes, and no two instances, may give one object."""
        for emitted in batch:
            maker = (str(emitted.subject), emitted.node, emitted.program)
            first = self._makers.setdefault(identity(emitted.object), maker)
            if first is not maker:
                self._clash(emitted, first, entries)

    def _clash(self, emitted: Emitted, first: tuple[str, str, Program], entries: Entries) -> None:
        pair = (f"{first[0]} ({first[1]})", f"{emitted.subject} ({emitted.node})")
        if pair in self._pairs:
            return
        self._pairs.add(pair)
        shown = identity_text(identity(emitted.object))
        # What is added for Argo CD comes last, and is no node: the other one can be changed.
        is_added = emitted.node not in emitted.program.nodes and emitted.node != SELF
        program, name = (first[2], first[1]) if is_added else (emitted.program, emitted.node)
        node = program.nodes.get(name)
        self.add(
            Diagnostic(
                "identity-clash",
                f"two items of {pair[0]} are one object: {shown}"
                if pair[0] == pair[1]
                else f"{pair[0]} and {pair[1]} make one object: {shown}",
                position=entries[program.key].locate((*node.path, "id")) if node else None,
                span=len(name),
                subject=emitted.subject,
                help="rookery adds one of them for Argo CD: give the other one another metadata.name"
                if is_added
                else "give each a metadata.name of its own, for instance with schema.metadata.name in it",
            )
        )


def _position(program: Program, compiled: Compiled | None, entries: Entries) -> Position | None:
    if compiled is None:
        return None
    expression = compiled.expression
    return entries[program.key].locate(expression.path, expression.scalar_offset(0))


def why_deferred(outcome: Outcome, program: Program) -> str:
    """The reason of a deferral, for those that show it elsewhere."""
    return _explain(outcome, program)[1]


def _explain(outcome: Outcome, program: Program) -> tuple[str, str, str]:
    """Code, reason and remedy of a deferral."""
    first = outcome.waits[0]
    paths = {path for wait in outcome.waits for path in wait.paths}
    shown = _listed(paths)
    via = f" (through {' -> '.join(first.chain)})" if len(first.chain) > 1 else ""
    if first.reason == MISSING and all(path.startswith("schema.") for path in first.paths):
        return (
            "waits-forever",
            f"the instance does not set {shown}",
            "kro would wait for ever: set the field, give it a default in the RGD, or use has() or .?",
        )
    if first.reason == NEVER_READY:
        return (
            "never-ready",
            f"readyWhen of {first.chain[-1]} is false whatever the cluster says{via}",
            "correct the readyWhen expression, or the fields that it reads",
        )
    if first.reason == NOT_READY:
        return (
            "not-ready",
            f"{first.chain[-1]} is not ready in the observed state: {shown}",
            "observe again once it is ready",
        )
    if first.reason == DEPENDENCY:
        return ("deferred", f"{first.chain[0]} is withheld, which waits for {shown}{via}", "")
    from krm_fn.expand.secrets import is_secret_path

    secrets = [path for path in sorted(paths) if is_secret_path(path, program)]
    if secrets:
        return (
            "secret-value",
            f"it needs {secrets[0]}, a secret value of the cluster, which never goes into what is rendered",
            "let the cluster read it where it is used: valueFrom.secretKeyRef, envFrom, a volume",
        )
    return (
        "deferred",
        f"waits for {shown}",
        f"it cannot be filled in at apply time: {outcome.obstacle}"
        if outcome.obstacle
        else "only a cluster knows: give observed state, or choose another policy for deferred objects",
    )


def _listed(paths: Iterable[str]) -> str:
    """The first four, and how many more there are."""
    found = sorted(paths)
    return ", ".join(found[:4]) + (f" and {len(found) - 4} more" if len(found) > 4 else "")
