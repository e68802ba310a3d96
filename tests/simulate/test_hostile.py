"""Whatever stands in the input, a simulation ends with an exit code and no traceback."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from krm_fn.command import EXIT_OK, EXIT_REFUSED, run
from tests.simulate.test_steps import instance, node, rgd

ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-2, 9), st.sampled_from(["", "a", "True", "ACTIVE", "x/y", "${a}"])
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(
            st.sampled_from(["type", "status", "conditions", "versions", "name", "spec", "labels", "a"]),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=6,
)
KINDS = st.sampled_from(
    [
        ("v1", "ConfigMap"), ("v1", "Secret"), ("v1", "Namespace"), ("v1", "Service"), ("apps/v1", "Deployment"),
        ("kro.run/v1alpha1", "App"), ("kro.run/v1alpha1", "ResourceGraphDefinition"), ("example.com/v1", "Thing"),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    ]
)  # fmt: skip
BODIES = st.builds(
    lambda kind, name, metadata, rest: {
        **rest,
        "apiVersion": kind[0],
        "kind": kind[1],
        "metadata": {**metadata, "name": name},
    },
    KINDS,
    st.sampled_from(["a", "app", "shop", "apps.kro.run"]),
    st.sampled_from(
        [
            {},
            {},
            {},
            {"labels": {"a": "b"}},
            {"finalizers": ["a/b"]},
            {"finalizers": 1},
            {"uid": 1, "deletionTimestamp": {}},
        ]
    ),
    st.dictionaries(st.sampled_from(["spec", "status", "data", "stringData", "items"]), ANYTHING, max_size=3),
)
VERBS = st.sampled_from(["apply", "set", "delete"])
DEFINITION = rgd(
    node("a", '{v: "${string(schema.spec.size)}"}')
    + node("b", '{v: "${a.data.v}"}', "readyWhen: [\"${b.data.v != '3'}\"]")
    + node("c", '{v: "${b.metadata.name}"}', "includeWhen: [\"${a.data.v != '7'}\"]"),
    spec="{size: integer | default=1}",
    status='{v: "${a.data.v}", w: "${b.metadata.resourceVersion}"}',
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(BODIES, max_size=3), st.lists(st.tuples(VERBS, BODIES), max_size=5))
def test_any_objects_and_any_actions(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    there: list[dict[str, Any]],
    actions: list[tuple[str, dict[str, Any]]],
) -> None:
    monkeypatch.chdir(tmp_path)
    steps = [{verb: [body]} for verb, body in actions]
    (tmp_path / "steps.yaml").write_text(
        json.dumps({"apiVersion": "rookery.dev/v1alpha1", "kind": "Simulation", "steps": steps})
    )
    (tmp_path / "input.yaml").write_text(
        json.dumps({"apiVersion": "v1", "kind": "List", "items": [DEFINITION, instance(size=2), *there]})
    )
    for form in ("text", "json"):
        out, err = io.BytesIO(), io.StringIO()
        words = ["simulate", "input.yaml", "--steps", "steps.yaml", "--format", form]
        code = run(words, io.BytesIO(), out, err, {})
        assert code in (EXIT_OK, EXIT_REFUSED)
        assert (code == EXIT_OK) == bool(out.getvalue())
        if code == EXIT_REFUSED:
            assert "error[" in err.getvalue()
