"""
What there is to say of an order: what no applier can keep, and what it keeps in another way than kro.

Enters: facts that `targets` found.  Leaves: diagnostics with positions in the RGD.  Not known here: how they were found.
"""

from __future__ import annotations

from krm_fn.emit.kpt import LONGEST, current_when
from krm_fn.expand.observed import identity_text
from krm_fn.order.cycles import CRD, NAMESPACE
from krm_fn.report.diagnostic import ERROR, INFO, WARNING, Diagnostic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from krm_fn.emit.lua.checks import Gap
    from krm_fn.expand.observed import Identity
    from krm_fn.inputs import Entry
    from krm_fn.program.model import Node, Program
    from krm_fn.report.diagnostic import Position, Subject

    Entries = Mapping[tuple[str, str], Entry]

_SHOWN = 5


def awaited_by_kstatus(node: Node, program: Program, entries: Entries) -> Diagnostic:
    """cli-utils knows no readyWhen."""
    expression = node.ready_when[0].expression
    return Diagnostic(
        "ready-by-kstatus",
        f"what waits for {node.id} ({node.object_kind}) goes on once kstatus calls it Current, whatever its readyWhen says",
        severity=INFO,
        position=entries[program.key].locate(expression.path, expression.scalar_offset(0)),
        span=len(expression.written),
        help=_when(node, is_nested=(node.group, node.object_kind) in entries),
    )


def _when(node: Node, *, is_nested: bool) -> str:
    if is_nested:
        return "all that the nested instance makes has to be Current"
    return f"a {node.object_kind} is Current when {current_when(node.group, node.object_kind)}"


def awaited_by_argo_cd(gap: Gap, entries: Entries) -> Diagnostic:
    """Neither a check of ours nor a Job waits for a readyWhen."""
    node = gap.node
    compiled = gap.compiled or node.ready_when[0]
    expression = compiled.expression
    what = f"what waits for {node.id} ({node.object_kind}) goes on"
    return Diagnostic(
        "ready-by-argocd",
        f"{what} once Argo CD calls it Healthy, whatever its readyWhen says"
        if gap.compiled is None
        else f"{what} whatever this says: Argo CD's Lua cannot carry {gap.what}",
        severity=INFO,
        position=entries[gap.program.key].locate(expression.path, expression.scalar_offset(gap.offset)),
        span=gap.length or len(expression.written),
        help="a Job waits for it where --gate-image (in the plugin gateImage) names an image that has rookery",
    )


def many_layers(subject: Subject, program: Program, count: int, entries: Entries) -> Diagnostic:
    return Diagnostic(
        "many-layers",
        f"{subject} takes {count} layers, one after the other",
        severity=WARNING,
        position=entries[program.key].locate(("metadata", "name")),
        subject=subject,
        help="Argo CD pauses two seconds after each, and every other applier waits as well: let fewer nodes wait for each other",
    )


def cannot_depend(
    subject: Subject, node: Node | None, program: Program, entries: Entries, why: str, advice: str
) -> Diagnostic:
    """`kpt live` would apply nothing of the package."""
    return Diagnostic(
        "depends-on-unwritable",
        f"{node.id if node is not None else 'the instance'} of {subject} cannot say what it waits for: {why}",
        position=_at(node, program, entries),
        span=len(node.id) if node is not None else 0,
        subject=subject,
        help=advice,
    )


def depends_on_nothing(
    subject: Subject, node: Node | None, program: Program, entries: Entries, text: str
) -> Diagnostic:
    return Diagnostic(
        "depends-on-missing",
        f"{node.id if node is not None else 'the instance'} of {subject} depends on {text[:200]}, which is not in the output",
        severity=WARNING,
        position=_at(node, program, entries),
        span=len(node.id) if node is not None else 0,
        subject=subject,
        help="kpt live applies nothing of a package that lacks it. Is it withheld, or left out? An expression says what waits for what",
    )


def too_long(size: int) -> str:
    return f"its annotations have {size} bytes then, and an API server takes {LONGEST}"


_IN_A_CIRCLE = {
    "kpt": "kpt live applies nothing of a package with such a circle: let it wait for nothing that needs it",
    "flux": "Flux would try for ever, each Kustomization waiting for the other: let it wait for nothing that needs it",
}


def waits_in_a_circle(
    cycle: list[Identity], subject: Subject, node: Node | None, program: Program, entries: Entries, *, target: str
) -> Diagnostic:
    first, *rest = cycle
    is_namespace = first[:2] == NAMESPACE
    shown = [identity_text(each) for each in rest]
    if len(shown) > _SHOWN:
        shown = [*shown[: _SHOWN - 1], f"others ({len(shown) - _SHOWN}), which wait for {shown[-1]}"]
    last = rest[-1] if rest else first
    if is_namespace and last[2] == first[3]:
        needs, what = "lies in it", "Argo CD makes it with the first object that needs it, before what it waits for"
    elif first[:2] == CRD and last[:2] != CRD:
        needs, what = "is of the kind that it defines", "Argo CD makes it before what it waits for"
    else:
        needs, what = "waits for it", "kro would make neither: take one of the references away"
    circle = f"{identity_text(first)} waits for {', which waits for '.join(shown)}, which {needs}"
    return Diagnostic(
        "order-cycle",
        circle if rest else f"{identity_text(first)} waits for itself",
        severity=ERROR if target in _IN_A_CIRCLE else WARNING,
        position=_at(node, program, entries),
        span=len(node.id) if node is not None else 0,
        subject=subject,
        help=_IN_A_CIRCLE.get(target, what),
    )


def no_marker(hook: Mapping[str, object]) -> Diagnostic:
    metadata = hook.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else ""
    return Diagnostic(
        "marker-left-out",
        f"nothing in Argo CD will show what is withheld: {hook.get('kind')} {name} is a hook that would wait for the marker for ever",
        severity=WARNING,
        help="look into the log of the plugin, or make the hook a part of an earlier wave; waitingMarker: none says that this is right",
    )


def _at(node: Node | None, program: Program, entries: Entries) -> Position | None:
    return None if node is None else entries[program.key].locate((*node.path, "id"))
