"""
Instance -> admitted instance, as an API server with the generated CRD would admit it on create.

Enters: the `spec` schema of a generated CRD (`schema.simple_schema`), once; then instances as the reader made them.
Leaves: the instance with defaults filled in, unknown fields and nulls dropped, whole floats made integers and
integers in number fields made doubles; and what is wrong with it, all at once.  Called by the pipeline for each
instance.  Not known here: RGDs, positions in files, output.

The input is never changed: what needs no change is shared with it, and defaults are shared between instances.
Source: Kubernetes v1.35.0, apiextensions-apiserver; the work is done by `schema.structural`.
"""

from __future__ import annotations

from krm_fn.report.diagnostic import WARNING
from krm_fn.schema.structural import Found, Violation, compile_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Admission", "Violation", "compile_admission"]

_TOP = ("apiVersion", "kind", "metadata", "spec", "status")


class Admission:
    """The compiled admission of one kind."""

    __slots__ = ("_check",)

    def __init__(self, spec_schema: dict[str, Any]) -> None:
        self._check = compile_value({"type": "object", "properties": {"spec": spec_schema}})

    def admit(self, instance: dict[str, Any]) -> tuple[dict[str, Any], list[Violation]]:
        """
        Admit one instance.

        Shape:   whole object -> (whole object, violations); paths begin with `spec`. `metadata` is not looked at, and
                 a `status` is dropped, since only the status subresource takes one.
        Errors:  instance-missing-field, -wrong-type, -not-in-enum, -too-small, -too-large, -too-short, -too-long,
                 -pattern-mismatch, -too-few-items, -too-many-items, -duplicate-item, -rule-failed; warnings
                 instance-unknown-field, -rule-unchecked.
        """
        found = Found()
        before = {"spec": instance["spec"]} if "spec" in instance else {}
        after = self._check(before, (), found)
        changed = after is not before
        surplus = [name for name in instance if name not in _TOP or name == "status"]
        if changed or surplus:
            admitted = {name: value for name, value in instance.items() if name not in surplus and name != "spec"}
            instance = {**admitted, **after}
        for name in surplus:
            if name != "status":
                found.warnings.append(_unknown_top(name))
        return instance, found.errors + found.warnings


def compile_admission(spec_schema: dict[str, Any]) -> Admission:
    """Compile what `schema.simple_schema.to_openapi` returned; ValueError for a schema that it cannot have made."""
    return Admission(spec_schema)


def _unknown_top(name: str) -> Violation:
    from krm_fn.report.near import did_you_mean
    from krm_fn.schema.complaints import show_path

    return Violation(
        "instance-unknown-field",
        (name,),
        f"{show_path((name,))} is not a field of an instance, it is dropped",
        did_you_mean(name, _TOP) or "fields of an instance stand under spec",
        WARNING,
    )
