"""Admission agrees with a real API server: which instances of the recorded runs it refused, and what it stored of the others."""

from __future__ import annotations

from typing import Any

import pytest

from krm_fn.admit.admission import Admission, compile_admission
from krm_fn.report.diagnostic import ERROR
from krm_fn.schema.simple_schema import SchemaError, to_openapi
from tests.schema import corpus


def test_corpora_are_there() -> None:
    corpus.require()
    assert len(put_in()) > 250


def admissions(case: corpus.Live) -> dict[str, Admission]:
    """Give the admission of each kind, by the first RGD of that kind: a second one is not accepted."""
    compiled: dict[str, Admission] = {}
    for rgd in case.rgds:
        schema = rgd["spec"]["schema"]
        if schema["kind"] not in compiled:
            try:
                compiled[schema["kind"]] = compile_admission(to_openapi(schema.get("spec"), schema.get("types")))
            except SchemaError:
                continue  # what kro refuses has no instances; its verdict is another test's
    return compiled


def put_in() -> list[Any]:
    """Give every instance that was put in once, its admission, whether it was refused, and what was stored."""
    params = []
    for case in corpus.live():
        if case.has_steps:
            continue
        compiled = admissions(case)
        refused = {(entry["kind"], entry["name"]) for entry in case.golden.get("instance_rejected") or []}
        stored = {identity(entry): entry for entry in (case.golden.get("final") or {}).get("instances", [])}
        for index, instance in enumerate(case.instances):
            if instance["kind"] in compiled:
                metadata = instance["metadata"]
                key = (instance["kind"], metadata.get("namespace"), metadata["name"])
                was_refused = (instance["kind"], metadata["name"]) in refused
                values = (compiled[instance["kind"]], instance, was_refused, stored.get(key))
                params.append(pytest.param(*values, id=f"{case.id}-{index}"))
    return params


def identity(entry: dict[str, Any]) -> tuple[str, str | None, str]:
    return (entry["kind"], entry.get("namespace"), entry["name"])


@pytest.mark.parametrize(("admission", "instance", "was_refused", "stored"), put_in())
def test_instance(
    admission: Admission, instance: dict[str, Any], was_refused: bool, stored: dict[str, Any] | None
) -> None:
    admitted, violations = admission.admit(instance)
    assert any(violation.severity == ERROR for violation in violations) == was_refused
    if stored is not None and not was_refused:
        assert admitted.get("spec") == stored.get("spec")
