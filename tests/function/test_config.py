"""functionConfig: two kinds, the same options; whatever is not understood is refused by name."""

from __future__ import annotations

import pytest

from tests.function.lists import KPTFILE, app, config_of, definition, fn, resource_list
from tests.rendering import config_map

TYPED = "apiVersion: fn.rookery.dev/v1alpha1\nkind: RenderConfig\nmetadata: {name: options}\nspec: "
WITHHELD = config_map("first") + config_map("second", '{uid: "${first.metadata.uid}"}')


def placed(config: str = "", environment: dict[str, str] | None = None) -> str:
    """The namespace that an instance without one is rendered into."""
    answer = fn(
        resource_list(KPTFILE, definition(), app().replace("  namespace: store\n", ""), config=config), environment
    )
    assert answer.code == 0, answer.stderr
    return next(path for path in answer.items if path.startswith("rendered")).split(".")[1]


@pytest.mark.parametrize(
    ("config", "namespace"),
    [
        pytest.param("", "default", id="none"),
        pytest.param(config_of("{namespace: mine}"), "mine", id="text"),
        pytest.param(config_of('{namespace: ""}'), "default", id="text-of-null"),
        pytest.param(config_of("{}"), "default", id="no-data"),
        pytest.param(config_of("null"), "default", id="null-data"),
        pytest.param(TYPED + "{namespace: mine}", "mine", id="typed"),
        pytest.param(TYPED + "{}", "default", id="typed-empty"),
    ],
)
def test_namespace(config: str, namespace: str) -> None:
    assert placed(config) == namespace


def test_the_environment_gives_a_namespace_after_the_config() -> None:
    assert placed(environment={"ARGOCD_APP_NAMESPACE": "argo"}) == "argo"
    assert placed(config_of("{namespace: mine}"), {"ARGOCD_APP_NAMESPACE": "argo"}) == "mine"


@pytest.mark.parametrize("config", [config_of('{strict: "true"}'), TYPED + "{strict: true}"], ids=["text", "typed"])
def test_strict_makes_a_warning_an_error(config: str) -> None:
    sources = (KPTFILE, definition(WITHHELD), app())
    assert fn(resource_list(*sources)).code == 0
    answer = fn(resource_list(*sources, config=config))
    assert answer.code == 1
    assert [(r["severity"], r["tags"]["code"]) for r in answer.results] == [("error", "deferred")]


@pytest.mark.parametrize(
    ("policy", "code", "nodes"),
    [("withhold", 0, ["first"]), ("fallback", 0, ["first"]), ("apply-time", 0, ["first", "second"]), ("fail", 1, [])],
    ids=["withhold", "fallback", "apply-time", "fail"],
)
def test_deferred(policy: str, code: int, nodes: list[str]) -> None:
    answer = fn(resource_list(KPTFILE, definition(WITHHELD), app(), config=config_of(f"{{deferred: {policy}}}")))
    assert answer.code == code
    assert [path for path in answer.items if path.startswith("rendered")] == [
        f"rendered/app.store.shop/{n}.yaml" for n in nodes
    ]


@pytest.mark.parametrize(
    "config", [config_of("{emit: instances}"), TYPED + "{emit: [instances]}"], ids=["text", "typed"]
)
def test_emitted_instances_are_output_not_sources(config: str) -> None:
    first = fn(resource_list(KPTFILE, definition(), app(), config=config))
    emitted = first.items["rendered/app.store.shop/instance.yaml"]
    assert emitted["metadata"]["annotations"]["kro.run/reconcile"] == "suspended"
    assert "config.kubernetes.io/local-config" not in emitted["metadata"]["annotations"]
    again = fn(first.stdout)
    assert again.code == 0
    assert again.texts == first.texts


@pytest.mark.parametrize(
    "config", [config_of('{kroLabels: "true"}'), TYPED + "{kroLabels: true}"], ids=["text", "typed"]
)
def test_with_kros_labels_the_marks_stay(config: str) -> None:
    """Without them nobody could tell on the next run what is ours."""
    first = fn(resource_list(KPTFILE, definition(), app(), config=config))
    metadata = first.items["rendered/app.store.shop/cm.yaml"]["metadata"]
    assert metadata["labels"]["kro.run/instance-name"] == "shop"
    assert metadata["annotations"]["rookery.dev/node"] == "cm"
    assert fn(first.stdout).texts == first.texts


@pytest.mark.parametrize(
    ("config", "code", "message"),
    [
        pytest.param(
            config_of("{namspace: x}"), "config-key", "namspace is no option; did you mean namespace?", id="misspelt"
        ),
        pytest.param(
            config_of("{zzz: x}"),
            "config-key",
            "zzz is no option; the options are namespace, cluster, deferred, target, waves, emit, kroLabels, strict, kubeVersion, validator, resources, paths, crds, observed, allowEmpty",
            id="unknown",
        ),
        pytest.param(
            TYPED + "{kro-labels: true}",
            "config-key",
            "kro-labels is no option; did you mean kroLabels?",
            id="typed-misspelt",
        ),
        pytest.param(
            config_of("{strict: 'yes'}"),
            "config-value",
            'strict is \'yes\'; it is "true" or "false"',
            id="word-for-flag",
        ),
        pytest.param(
            config_of("{strict: true}"),
            "config-value",
            'strict is true; it is "true" or "false"',
            id="bool-in-a-config-map",
        ),
        pytest.param(
            TYPED + "{strict: 'true'}",
            "config-value",
            "strict is 'true'; it is true or false",
            id="text-in-a-typed-config",
        ),
        pytest.param(
            config_of("{deferred: never}"),
            "config-value",
            "deferred is 'never'; it is one of withhold, fallback, apply-time, fail",
            id="policy",
        ),
        pytest.param(
            TYPED + "{deferred: [fail]}",
            "config-value",
            "deferred is a list; it is one of withhold, fallback, apply-time, fail",
            id="list",
        ),
        pytest.param(config_of("{emit: api}"), "config-value", "emit is 'api'; it is some of instances", id="emit"),
        pytest.param(
            TYPED + "{emit: instances}",
            "config-value",
            "emit is 'instances'; it is a list of instances",
            id="emit-typed",
        ),
        pytest.param(
            config_of("{namespace: A_b}"),
            "config-value",
            "namespace is 'A_b'; it is a namespace: lower-case letters, digits and '-'",
            id="namespace",
        ),
        pytest.param(
            config_of("{kubeVersion: latest}"),
            "config-value",
            "kubeVersion is 'latest'; it is a version of Kubernetes, such as 1.35 or v1.35.0",
            id="version",
        ),
        pytest.param(
            TYPED + "{kubeVersion: 1.35}",
            "config-value",
            "kubeVersion is 1.35; it is a version of Kubernetes, such as 1.35 or v1.35.0, in quotes",
            id="version-that-is-a-number",
        ),
        pytest.param(TYPED + "[strict]", "config-value", "spec is no mapping", id="spec-no-mapping"),
        pytest.param(
            "apiVersion: v1\nkind: Secret\nmetadata: {name: x}\n",
            "config-kind",
            "functionConfig is v1 Secret; give a v1 ConfigMap, or a RenderConfig of fn.rookery.dev/v1alpha1",
            id="other-kind",
        ),
        pytest.param(
            "fn.rookery.dev/v1: x\n",
            "config-kind",
            "functionConfig is no object; give a v1 ConfigMap, or a RenderConfig of fn.rookery.dev/v1alpha1",
            id="no-kind",
        ),
    ],
)
def test_what_is_not_understood_is_refused(config: str, code: str, message: str) -> None:
    answer = fn(resource_list(KPTFILE, definition(), app(), config=config))
    assert answer.code == 1
    assert [(r["tags"]["code"], r["message"]) for r in answer.results] == [(code, message)]
    assert answer.texts == [KPTFILE, definition(), app()]


@pytest.mark.parametrize(
    ("version", "said"),
    [
        pytest.param("v1.34.2", [], id="known"),
        pytest.param("1.20", [("kube-version-unknown", "warning")], id="the nearest"),
    ],
)
def test_the_kubernetes_to_render_for(version: str, said: list[tuple[str, str]]) -> None:
    answer = fn(resource_list(KPTFILE, definition(), app(), config=config_of(f"{{kubeVersion: '{version}'}}")))
    assert answer.code == 0
    found = [(r["tags"]["code"], r["severity"]) for r in answer.results]
    assert [entry for entry in found if entry[0].startswith("kube")] == said


def test_all_that_is_wrong_is_said_at_once_with_its_field() -> None:
    answer = fn(resource_list(KPTFILE, config=config_of("{strict: maybe, zzz: x}")))
    assert {(r["field"]["path"], r["tags"]["code"]) for r in answer.results} == {
        ("data.strict", "config-value"),
        ("data.zzz", "config-key"),
    }


def test_the_config_stays_in_the_list() -> None:
    answer = fn(resource_list(KPTFILE, definition(), app(), config=config_of("{namespace: mine}")))
    assert answer.list["functionConfig"] == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "function-input"},
        "data": {"namespace": "mine"},
    }
    assert "functionConfig" not in fn(resource_list(KPTFILE)).list
