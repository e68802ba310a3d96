"""
What the API server would say, as far as it can be said before it is asked: of templates, and of objects whose CRD is given.

Enters: a rendering.  Leaves: diagnostics among its findings.  Called by `validate` alone: a render goes on, since its objects are
kro's.  Not known here: what kro refuses, which is found while RGDs are compiled.
"""

from __future__ import annotations

from krm_fn.program.template import path_text
from krm_fn.report.diagnostic import WARNING, Diagnostic
from krm_fn.schema.structural import Violation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krm_fn.inputs import Entry
    from krm_fn.pipeline import Rendering
    from krm_fn.program.template import Path


MAX_STORED = 3 * 512 * 1024
"""Bytes of one object as JSON: etcd's default --max-request-bytes."""


def judge_sizes(rendering: Rendering) -> None:
    """What is larger than an API server stores: kro never sees such an RGD, a renderer may."""
    for entry in rendering.inputs.rgds:
        if entry.document.end - entry.document.start <= MAX_STORED // 4:
            continue  # a text of that many code points never gets so large
        from json import dumps

        size = len(dumps(entry.value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))
        if size > MAX_STORED:
            message = f"this RGD is {size // 1024:,} KiB as JSON, an API server stores at most {MAX_STORED // 1024:,}"
            advice = "split it: an RGD can make instances of other RGDs"
            path: Path = ("metadata", "name")
            _report(rendering, entry, Violation("rgd-too-large", path, message, advice, WARNING), path)


def judge_templates(rendering: Rendering) -> None:
    """What kro takes in a template and the API server would not."""
    from krm_fn.schema.scope import scope_of
    from krm_fn.schema.server_checks import refusals

    for key, program in rendering.programs.items():
        entry = rendering.inputs.entries_of[key]
        for node in program.nodes.values():
            if node.schema is None or node.is_external:
                continue
            is_builtin = scope_of(node.api_version, node.object_kind) is not None
            holes = [path for path, _ in node.holes]
            for refusal in refusals(node.template, node.schema, holes, defaulted=not is_builtin):
                refusal.message = f"{refusal.message}: the API server would refuse the {node.object_kind}"
                _report(rendering, entry, refusal, (*node.path, "template", *refusal.path))


def judge_by_crds(rendering: Rendering) -> int:
    """Hold what no RGD of the input defines against the CRDs that were given; how many such objects there are."""
    from krm_fn.schema.scope import scope_from_crd

    crds = {key: entry.value for entry in rendering.inputs.crds for key in scope_from_crd(entry.value)}
    judged = [entry for entry in rendering.inputs.others if entry.key in crds]
    if judged:
        from krm_fn.admit.by_crd import judge
        from krm_fn.schema.served_crd import served_versions
    for entry in judged:
        served = served_versions(crds[entry.key], lambda _: None)
        version = served.get(entry.value["apiVersion"].rpartition("/")[2])
        if version is None:
            message = f"{entry.value['kind']} is not served as {entry.value['apiVersion']}"
            advice = f"its CRD serves {', '.join(served) or 'no version'}"
            _report(rendering, entry, Violation("wrong-version", ("apiVersion",), message, advice), ("apiVersion",))
            continue
        schema = version.published()
        for violation in judge(entry.value, schema) if schema is not None else ():
            _report(rendering, entry, violation, violation.path)
    return len(judged)


def _report(rendering: Rendering, entry: Entry, violation: Violation, path: Path) -> None:
    is_key = violation.code == "instance-unknown-field"
    position = entry.locate(path, key=is_key)
    rendering.findings.add(
        Diagnostic(
            violation.code,
            violation.message,
            severity=violation.severity,
            position=position,
            span=entry.measure(path, position, key=is_key),
            subject=entry.subject(),
            where=path_text(path),
            help=violation.help,
        )
    )
