"""RGDs that make RGDs: their templates are held to the schema of RGDs, and expressions know its fields."""

from __future__ import annotations

import pytest

from tests.rendering import render, rgd

INNER = """\
- id: inner
  template:
    apiVersion: kro.run/v1alpha1
    kind: ResourceGraphDefinition
    metadata: {{name: inner}}
    spec:
      schema: {{apiVersion: v1alpha1, kind: Inner, spec: {{{spec}}}{schema}}}
      resources: [{{id: a, template: {{free: 1}}{resource}}}]
- id: after
  template: {{apiVersion: v1, kind: ConfigMap, metadata: {{name: after}}, data: {{a: '{expression}'}}}}
"""


def codes(*, spec: str = "", schema: str = "", resource: str = "", expression: str = "x") -> list[str]:
    resources = INNER.format(spec=spec, schema=schema, resource=resource, expression=expression)
    return render(rgd(resources, kind="Outer")).errors


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param({}, [], id="sound"),
        pytest.param({"spec": "any: [1, {x: 2}]"}, [], id="SimpleSchema is free"),
        pytest.param({"schema": ", group: 7"}, ["wrong-type"], id="a group that is a number"),
        pytest.param({"schema": ", scpoe: Cluster"}, ["unknown-field"], id="a field that is not there"),
        pytest.param({"resource": ", readyWhen: [true]"}, ["wrong-type"], id="a condition that is a boolean"),
        pytest.param({"resource": ", forEach: [{x: 1}]"}, ["wrong-type"], id="a loop over a number"),
        pytest.param({"expression": "${inner.status.state}"}, [], id="a field of the status"),
        pytest.param({"expression": "${inner.status.ready}"}, ["undefined-field"], id="one that the status has not"),
        pytest.param({"expression": "${inner.spec.schema.spec.any.thing}"}, [], id="a field of what is free"),
        pytest.param({"expression": "${inner.metadata.namespace}"}, [], id="the metadata of every object"),
    ],
)
def test_a_template_that_makes_an_rgd(change: dict[str, str], expected: list[str]) -> None:
    assert codes(**change) == expected
