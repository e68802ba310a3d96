"""What becomes of a node: its objects, left out, or withheld. The rules are those of one kro reconcile."""

from __future__ import annotations

import pytest

from tests.rendering import config_map, free_form, instance, render, rgd

DEPLOYMENT = """\
- id: dep
  template:
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: "${schema.metadata.name}"}
    spec: {replicas: 2, selector: {matchLabels: {app: x}}}
"""
SEEN = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, namespace: store}
spec: {replicas: 2, strategy: {type: RollingUpdate}}
status: {availableReplicas: 2}
"""
EXTERNAL = """\
- id: ext
  externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {name: shared}}
"""
SHARED = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shared, namespace: store}\ndata: {mode: full}\n"


# -- values and places ------------------------------------------------------------------------------------------------


def test_a_standalone_expression_keeps_its_type_and_a_text_is_a_string() -> None:
    made = render(
        rgd(
            free_form("cm", '{i: "${schema.spec.count}", t: "n=${string(schema.spec.count)}", l: "${schema.spec.l}"}'),
            spec='{count: integer, l: "[]string"}',
        ),
        instance("{count: 3, l: [a, b]}"),
    )["shop-cm"]
    assert made["data"] == {"i": 3, "t": "n=3", "l": ["a", "b"]}


def test_a_namespaced_child_inherits_the_namespace_and_a_cluster_scoped_one_has_none() -> None:
    cluster = (
        "- id: role\n  template: {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r}}\n"
    )
    result = render(rgd(config_map("cm") + cluster), instance())
    assert [made["metadata"] for made in result.objects] == [{"name": "shop-cm", "namespace": "store"}, {"name": "r"}]


def test_a_template_without_an_expression_is_each_instances_own() -> None:
    made = render(rgd(config_map("cm", name="fixed")), instance(namespace="one"), instance(namespace="two"))
    assert made.errors == []
    assert [each["metadata"]["namespace"] for each in made.objects] == ["one", "two"]


@pytest.mark.parametrize(("given", "expected"), [({}, "default"), ({"namespace": "team"}, "team")])
def test_the_namespace_of_an_instance_without_one(given: dict[str, str], expected: str) -> None:
    result = render(rgd(config_map("cm", '{ns: "${schema.metadata.namespace}"}')), instance(namespace=""), **given)
    assert result.objects[0]["metadata"]["namespace"] == result.objects[0]["data"]["ns"] == expected


def test_omit_takes_the_field_away() -> None:
    made = render(rgd(config_map("cm", '{a: "${omit()}", b: x}')), instance())["shop-cm"]
    assert made["data"] == {"b": "x"}


def test_a_name_must_come_out() -> None:
    result = render(rgd(config_map("cm", name="${schema.spec.name}"), spec="{name: string}"), instance("{name: ''}"))
    assert result.errors == ["invalid-identity"]


# -- includeWhen ------------------------------------------------------------------------------------------------------


def test_exclusion_spreads_to_dependents() -> None:
    resources = (
        config_map("a", more='includeWhen: ["${schema.spec.enabled}"]')
        + config_map("b", '{x: "${a.metadata.name}"}')
        + config_map("c", '{x: "${b.metadata.name}"}')
        + config_map("d")
    )
    text = rgd(resources, spec="{enabled: boolean | default=false}")
    assert render(text, instance()).states == {"a": "excluded", "b": "excluded", "c": "excluded", "d": "resolved"}
    assert set(render(text, instance("{enabled: true}")).states.values()) == {"resolved"}


def test_a_false_condition_excludes_whatever_the_others_wait_for() -> None:
    text = rgd(EXTERNAL + config_map("a", more='includeWhen: ["${ext.data.mode == \'full\'}", "${false}"]'))
    assert render(text, instance()).states["a"] == "excluded"
    assert render(text, instance(), observed=SHARED).states["a"] == "excluded"


def test_a_condition_on_a_resource_waits_for_it() -> None:
    text = rgd(DEPLOYMENT + config_map("a", more='includeWhen: ["${dep.status.availableReplicas > 1}"]'))
    result = render(text, instance())
    assert result.waits == {"a": ["dep.status.availableReplicas"]}
    assert render(text, instance(), observed=SEEN).states["a"] == "resolved"


def test_a_condition_on_a_field_that_is_not_set_is_an_error() -> None:
    text = rgd(config_map("a", more='includeWhen: ["${schema.spec.enabled}"]'), spec="{enabled: boolean}")
    assert render(text, instance()).errors == ["missing-field"]


# -- what only a cluster knows ----------------------------------------------------------------------------------------


def test_desired_state_is_known_and_the_rest_is_not() -> None:
    text = rgd(
        DEPLOYMENT
        + config_map("a", '{n: "${dep.metadata.name}"}')
        + config_map("b", '{x: "${string(dep.status.availableReplicas)}"}')
    )
    result = render(text, instance())
    assert result.states == {"dep": "resolved", "a": "resolved", "b": "deferred"}
    assert result.waits["b"] == ["dep.status.availableReplicas"]
    assert result.codes == ["deferred", "live-unknown"]
    seen = render(text, instance(), observed=SEEN)
    assert seen["shop-b"]["data"] == {"x": "2"}


def test_what_a_server_may_add_is_unknown_never_absent() -> None:
    text = rgd(DEPLOYMENT + config_map("a", "{x: \"${has(dep.spec.strategy) ? dep.spec.strategy.type : 'none'}\"}"))
    assert render(text, instance()).waits == {"a": ["dep.spec.strategy"]}
    assert render(text, instance(), observed=SEEN)["shop-a"]["data"] == {"x": "RollingUpdate"}


def test_fallback_lets_the_authors_own_default_decide() -> None:
    text = rgd(DEPLOYMENT + config_map("a", '{x: "${string(dep.?status.?availableReplicas.orValue(0))}"}'))
    assert render(text, instance()).states["a"] == "deferred"
    assert render(text, instance(), deferred="fallback")["shop-a"]["data"] == {"x": "0"}


def test_fallback_never_assumes_an_external_reference() -> None:
    text = rgd(EXTERNAL + config_map("a", "{x: \"${ext.?data.?mode.orValue('none')}\"}"))
    assert render(text, instance(), deferred="fallback").states["a"] == "deferred"


def test_fail_makes_a_deferred_node_an_error() -> None:
    text = rgd(DEPLOYMENT + config_map("a", '{x: "${string(dep.status.replicas)}"}'))
    assert render(text, instance(), deferred="fail").errors == ["deferred"]


def test_a_dependent_of_a_deferred_node_is_deferred_and_names_the_chain() -> None:
    text = rgd(
        EXTERNAL
        + config_map("a", '{x: "${ext.data.mode}"}')
        + config_map("b", '{x: "${a.metadata.name}"}')
        + config_map("c", '{x: "${b.metadata.name}"}')
    )
    result = render(text, instance())
    assert result.states == {"ext": "deferred", "a": "deferred", "b": "deferred", "c": "deferred"}
    assert result.expansions[0].outcomes["c"].waits[0].chain == ("b", "a")


def test_a_field_that_the_instance_does_not_set_waits_for_ever() -> None:
    text = rgd(config_map("a", '{x: "${schema.spec.x}"}'), spec="{x: string}")
    result = render(text, instance())
    assert result.codes == ["waits-forever", "live-unknown"]
    assert "schema.spec.x" in result.findings[0].message


def test_a_fatal_error_is_an_error() -> None:
    text = rgd(config_map("a", '{x: "${string(1 / schema.spec.count)}"}'), spec="{count: integer}")
    assert render(text, instance("{count: 0}")).errors == ["cel-division-by-zero"]


def test_what_a_server_sets_on_the_instance_is_unknown() -> None:
    text = rgd(config_map("a", '{x: "${schema.metadata.uid}"}'))
    assert render(text, instance()).waits == {"a": ["schema.metadata.uid"]}


# -- readyWhen --------------------------------------------------------------------------------------------------------


def test_an_unknown_gate_opens() -> None:
    gated = DEPLOYMENT.replace("  template:", '  readyWhen: ["${dep.status.availableReplicas == 2}"]\n  template:')
    text = rgd(gated + config_map("a", '{x: "${dep.metadata.name}"}'))
    assert render(text, instance()).states["a"] == "resolved"


def test_a_gate_that_is_false_whatever_happens_withholds_its_dependents() -> None:
    gated = DEPLOYMENT.replace("  template:", '  readyWhen: ["${dep.spec.replicas == 3}"]\n  template:')
    result = render(rgd(gated + config_map("a", '{x: "${dep.metadata.name}"}')), instance())
    assert result.states == {"dep": "resolved", "a": "deferred"}
    assert result.codes == ["never-ready", "live-unknown"]


def test_an_observed_node_that_is_not_ready_keeps_its_dependents_waiting() -> None:
    gated = DEPLOYMENT.replace("  template:", '  readyWhen: ["${dep.status.availableReplicas == 5}"]\n  template:')
    result = render(rgd(gated + config_map("a", '{x: "${dep.metadata.name}"}')), instance(), observed=SEEN)
    assert result.states["a"] == "deferred"
    assert result.codes == ["not-ready", "live-unknown"]


# -- collections ------------------------------------------------------------------------------------------------------


def test_the_first_dimension_is_outermost() -> None:
    text = rgd(
        config_map("cm", name="${a}-${b}", more='forEach: [{a: "${schema.spec.a}"}, {b: "${schema.spec.b}"}]'),
        spec='{a: "[]string", b: "[]string"}',
    )
    assert render(text, instance("{a: [p, q], b: [k, l]}")).names == ["p-k", "p-l", "q-k", "q-l"]
    assert render(text, instance("{a: [p, q], b: []}")).names == []


def test_a_collection_is_seen_as_a_list() -> None:
    text = rgd(
        config_map("cm", name="${a}", more='forEach: [{a: "${schema.spec.a}"}]')
        + config_map("all", '{names: "${cm.map(c, c.metadata.name).join(\',\')}", size: "${string(size(cm))}"}'),
        spec='{a: "[]string"}',
    )
    assert render(text, instance("{a: [p, q]}"))["shop-all"]["data"] == {"names": "p,q", "size": "2"}


def test_items_with_one_name_are_refused() -> None:
    text = rgd(config_map("cm", name="${a}", more='forEach: [{a: "${schema.spec.a}"}]'), spec='{a: "[]string"}')
    assert render(text, instance("{a: [x, x]}")).errors == ["identity-clash"]


def test_a_thousand_items_are_the_limit() -> None:
    text = rgd(
        config_map("cm", name="c-${string(a)}", more='forEach: [{a: "${lists.range(schema.spec.count)}"}]'),
        spec="{count: integer}",
    )
    assert len(render(text, instance("{count: 1000}")).objects) == 1000
    assert render(text, instance("{count: 1001}")).errors == ["collection-too-large"]


def test_an_item_key_stays_with_its_value() -> None:
    text = rgd(config_map("cm", name="${a}", more='forEach: [{a: "${schema.spec.a}"}]'), spec='{a: "[]string"}')
    before = {
        i.object["metadata"]["name"]: i.key
        for i in render(text, instance("{a: [p, q]}")).expansions[0].outcomes["cm"].items
    }
    after = {
        i.object["metadata"]["name"]: i.key
        for i in render(text, instance("{a: [z, q, p]}")).expansions[0].outcomes["cm"].items
    }
    assert before.items() <= after.items()
    assert len(set(after.values())) == 3


# -- external references ----------------------------------------------------------------------------------------------


def test_an_external_reference_comes_from_observation_alone() -> None:
    text = rgd(EXTERNAL + config_map("a", '{x: "${ext.data.mode}"}'))
    assert render(text, instance()).waits["a"] == ["ext.data.mode"]
    result = render(text, instance(), observed=SHARED)
    assert result.names == ["shop-a"]
    assert result["shop-a"]["data"] == {"x": "full"}


@pytest.mark.parametrize("seen", [pytest.param(None, id="nothing-observed"), pytest.param(SHARED, id="observed")])
def test_a_selector_that_no_server_takes_is_an_error(seen: str | None) -> None:
    selector = "- id: all\n  externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {selector: {matchLabels: {n: '${5}'}}}}\n"
    result = render(rgd(selector.replace("{n:", "{app:")), instance(), observed=seen)
    assert result.errors == ["invalid-selector"]


@pytest.mark.parametrize(
    ("value", "state"),
    [
        pytest.param("dep.metadata", "deferred", id="an-object-with-fields-of-texts"),
        pytest.param("dep.spec.strategy", "deferred", id="one-that-a-server-completes"),
        pytest.param("dep.spec.selector.matchLabels", "resolved", id="a-map"),
        pytest.param("dep.metadata.finalizers", "deferred", id="a-list-that-others-add-to"),
        pytest.param("dep.spec.template.spec.containers[0].args", "resolved", id="a-list-of-one-owner"),
        pytest.param("odd.data", "deferred", id="an-object-of-an-unknown-kind"),
        pytest.param("odd.metadata.labels", "resolved", id="labels-of-an-unknown-kind"),
    ],
)
def test_what_is_known_whole_of_an_object_that_nobody_observed(value: str, state: str) -> None:
    sources = DEPLOYMENT.replace("replicas: 2,", "replicas: 2, strategy: {type: Recreate},").replace(
        "{app: x}}}", "{app: x}}, template: {spec: {containers: [{name: c, args: [a]}]}}}"
    )
    sources = sources.replace('.name}"}', '.name}", finalizers: [a/b]}') + free_form("odd", "{a: b}").replace(
        '-odd"}', '-odd", labels: {a: b}}'
    )
    result = render(rgd(sources + free_form("out", f'{{v: "${{{value}}}"}}')), instance())
    assert result.states["out"] == state


def test_a_selector_finds_what_it_selects() -> None:
    select = (
        "- id: all\n  externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {selector: {matchLabels: {app: x}}}}\n"
    )
    text = rgd(select + config_map("a", "{names: \"${all.map(c, c.metadata.name).join(',')}\"}"))
    seen = "".join(
        f"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {n}, namespace: {ns}, labels: {{app: {app}}}}}\n"
        for n, ns, app in [("b", "one", "x"), ("a", "two", "x"), ("c", "one", "z")]
    )
    assert render(text, instance(), observed=seen)["shop-a"]["data"] == {"names": "b,a"}
    assert render(text, instance()).states["a"] == "deferred"


# -- instances of other RGDs ------------------------------------------------------------------------------------------

INNER = rgd(
    config_map("cfg", '{host: "${schema.spec.host}.svc", size: "${schema.spec.size}"}')
    + DEPLOYMENT.replace("id: dep", "id: dep2"),
    kind="Inner",
    spec='{host: string, size: "string | default=small"}',
    status='{url: "http://${cfg.data.host}", ready: "${dep2.status.availableReplicas}"}',
)
OUTER = rgd(
    """\
- id: inner
  template:
    apiVersion: kro.run/v1alpha1
    kind: Inner
    metadata: {name: "${schema.metadata.name}-in"}
    spec: {host: db}
"""
    + config_map("a", '{url: "${inner.status.url}", size: "${inner.spec.size}"}')
    + config_map("b", '{x: "${string(inner.status.ready)}"}')
    + config_map("c", '{x: "${inner.status.state}"}'),
    kind="Outer",
)


def test_a_nested_instance_is_admitted_expanded_and_its_status_read() -> None:
    result = render(INNER, OUTER, instance(kind="Outer"))
    assert result.names == ["shop-in-cfg", "shop-in", "shop-a"]
    assert result["shop-a"]["data"] == {"url": "http://db.svc", "size": "small"}
    assert result.waits == {"b": ["inner.status.ready"], "c": ["inner.status.state"]}


def test_emit_instances_places_them_after_their_children_suspended() -> None:
    result = render(INNER, OUTER, instance(kind="Outer"), instances=True)
    assert [(made["kind"], made["metadata"]["name"]) for made in result.objects] == [
        ("ConfigMap", "shop-in-cfg"),
        ("Deployment", "shop-in"),
        ("Inner", "shop-in"),
        ("ConfigMap", "shop-a"),
        ("Outer", "shop"),
    ]
    assert all(
        made["metadata"]["annotations"] == {"kro.run/reconcile": "suspended"}
        for made in result.objects
        if made["kind"] in ("Inner", "Outer")
    )


def test_an_rgd_that_makes_its_own_kind_without_end_is_reported() -> None:
    text = rgd(
        '- id: again\n  template: {apiVersion: kro.run/v1alpha1, kind: App, metadata: {name: "${schema.metadata.name}"}}\n'
    )
    assert render(text, instance()).errors == ["nesting-loop"]


def test_a_nested_instance_that_its_schema_refuses_is_an_error() -> None:
    inner = INNER.replace("host: string", "host: string | maxLength=3")
    outer = OUTER.replace("spec: {host: db}", 'spec: {host: "${schema.metadata.name}"}')
    assert render(inner, outer, instance(kind="Outer")).errors == ["nested-instance-invalid"]
    assert render(inner, outer, instance(kind="Outer", name="bar")).errors == []


@pytest.mark.parametrize(
    ("value", "state"),
    [
        pytest.param("inner.status.list[0]", "resolved", id="an-item-that-is-known"),
        pytest.param("string(inner.status.list[1])", "deferred", id="one-that-is-not"),
        pytest.param("string(size(inner.status.list))", "deferred", id="how-many"),
        pytest.param("string(size(inner.status.last))", "deferred", id="how-many-where-the-last-one-is-not-known"),
        pytest.param("string(has(inner.status.deep.b))", "deferred", id="a-field"),
    ],
)
def test_what_a_nested_instance_does_not_say_yet_is_unknown_in_lists_too(value: str, state: str) -> None:
    uid, name = '"${cm.metadata.uid}"', '"${cm.metadata.name}"'
    status = f"{{list: [{name}, {uid}, {name}], last: [{name}, {uid}], deep: {{a: {name}, b: {uid}}}}}"
    inner = rgd(config_map("cm"), kind="Inner", status=status)
    makes = "- id: inner\n  template: {apiVersion: kro.run/v1alpha1, kind: Inner, metadata: {name: i}}\n"
    outer = rgd(makes + free_form("out", f'{{v: "${{{value}}}"}}'), kind="Outer")
    result = render(inner, outer, instance(kind="Outer"))
    assert (result.errors, result.states["out"]) == ([], state)


def test_a_nested_instance_of_another_type_is_refused_before() -> None:
    outer = OUTER.replace("spec: {host: db}", "spec: {host: 5}")
    assert render(INNER, outer).errors == ["wrong-type"]


# -- the whole --------------------------------------------------------------------------------------------------------


def test_two_instances_that_make_one_object_are_named() -> None:
    text = rgd(config_map("cm", name="same"))
    result = render(text, instance(name="one"), instance(name="two"))
    assert result.errors == ["identity-clash"]
    assert "App/store/one" in result.findings[0].message
    assert "App/store/two" in result.findings[0].message


def test_a_graph_in_which_each_names_the_two_before_it_is_linear() -> None:
    """kro's own check of includeWhen walks such a graph once for every path: 2**n steps."""
    resources = "".join(
        config_map(f"n{i}", "{" + ", ".join(f'p{j}: "${{n{j}.metadata.name}}"' for j in range(max(0, i - 2), i)) + "}")
        for i in range(120)
    )
    assert len(render(rgd(resources), instance()).objects) == 120


def test_all_faults_of_all_instances_are_reported() -> None:
    text = rgd(config_map("a", '{x: "${string(1 / schema.spec.count)}"}'), spec="{count: integer}")
    result = render(
        text,
        instance("{count: 0}", name="one"),
        instance("{count: 0}", name="two"),
        instance("{count: 1}", name="three"),
    )
    assert result.errors == ["cel-division-by-zero", "cel-division-by-zero"]


def test_kro_labels_are_what_kro_writes() -> None:
    result = render(
        rgd(config_map("cm", name="${a}", more='forEach: [{a: "${schema.spec.a}"}]'), spec='{a: "[]string"}'),
        instance("{a: [x]}"),
        kro_labels=True,
    )
    assert result["x"]["metadata"]["labels"] == {
        "app.kubernetes.io/managed-by": "kro",
        "applyset.kubernetes.io/part-of": "applyset-fmn8pfTHiDafHxhVOpIB6UsapSG-HtovhY2VSjYryP4-v1",
        "kro.run/instance-group": "kro.run",
        "kro.run/instance-kind": "App",
        "kro.run/instance-name": "shop",
        "kro.run/instance-namespace": "store",
        "kro.run/instance-version": "v1alpha1",
        "kro.run/kro-version": "v0.9.3",
        "kro.run/owned": "true",
        "kro.run/node-id": "cm",
        "kro.run/collection-index": "0",
        "kro.run/collection-size": "1",
    }
