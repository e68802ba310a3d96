"""Rookery as a transformer and as a validator of the real kustomize."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.hosts.conftest import write
from tests.hosts.kustomize_build import RGD, Kustomize, config, names
from tests.rendering import config_map, instance, rgd

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.hosts

RESOURCES = "resources: [rgd.yaml, app.yaml, other.yaml]\n"
OTHER = """\
apiVersion: v1
kind: Secret
metadata: {name: other, annotations: {note: "y"}}
stringData: {"y": "n", sha: "1e3", octal: "0o17", text: "a\\n b\\n"}
"""


@pytest.fixture
def kustomize(tmp_path: Path) -> Kustomize:
    folder = tmp_path / "repository"
    folder.mkdir()
    return Kustomize(folder)


def given(
    kustomize: Kustomize, kustomization: str = "transformers: [rookery.yaml]\n", spec: dict[str, Any] | None = None, **texts: str
) -> None:  # fmt: skip
    """A kustomization with an RGD, an instance and a Secret among its resources, and Rookery as kustomization says."""
    write(
        kustomize.folder,
        {
            "kustomization.yaml": RESOURCES + kustomization,
            "rookery.yaml": config(spec or {}),
            "rgd.yaml": RGD,
            "app.yaml": instance(),
            "other.yaml": OTHER,
            **{name.replace("_", "."): text for name, text in texts.items()},
        },
    )


# -- transformer ---------------------------------------------------------------------------------------------------


def test_sources_become_what_they_render_to(kustomize: Kustomize) -> None:
    """Neither the definition nor the instance is left to be applied; whatever else there is stays as it is."""
    given(kustomize)
    made = kustomize.build()
    assert names(made) == ["ConfigMap/shop-cm", "Secret/other"]
    assert made[1] == yaml.safe_load(OTHER)
    assert sorted(made[0]["metadata"]["annotations"]) == ["rookery.dev/instance", "rookery.dev/node"]


def test_everything_else_is_built_as_if_the_function_were_cat(kustomize: Kustomize) -> None:
    """Hashes, references to hashed names, local-config and the order: all of it stands in annotations that must come back."""
    more = (
        "configMapGenerator: [{name: settings, literals: [a=b]}]\nnamePrefix: p-\nnamespace: place\n"
        "sortOptions: {order: fifo}\n"
    )
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: app}\nspec: {containers: [{name: a, envFrom: [{configMapRef: {name: settings}}]}]}\n"
    local = OTHER.replace("name: other,", "name: local,").replace(
        'note: "y"', 'config.kubernetes.io/local-config: "true"'
    )
    texts = {"other_yaml": f"{OTHER}---\n{pod}---\n{local}"}
    given(kustomize, f"{more}transformers: [rookery.yaml]\n", None, **texts)
    ours = kustomize.build()
    texts["cat_yaml"] = config({}, function="exec: {path: cat}")
    given(kustomize, f"{more}transformers: [cat.yaml]\n", None, **texts)
    through_cat = kustomize.build()
    sources = ("ResourceGraphDefinition", "App")
    assert [each for each in ours if each["metadata"]["name"] != "p-shop-cm"] == [
        each for each in through_cat if each["kind"] not in sources
    ]
    assert [each["metadata"]["name"] for each in ours][0:2] == ["p-other", "p-app"]
    assert ours[1]["spec"]["containers"][0]["envFrom"][0]["configMapRef"]["name"].startswith("p-settings-")


def test_names_and_namespaces_are_set_before_and_rendering_starts_from_them(kustomize: Kustomize) -> None:
    """What a template computes of the instance's name has the prefix once; what the transformer adds gets none of its own."""
    given(kustomize, "namePrefix: green-\nnamespace: place\ntransformers: [rookery.yaml]\n", rgd_yaml=rgd(
        config_map("one") + config_map("two", name="fixed")
    ))  # fmt: skip
    made = kustomize.build()
    assert names(made) == ["ConfigMap/fixed", "ConfigMap/green-shop-one", "Secret/green-other"]
    assert {each["metadata"]["namespace"] for each in made} == {"place"}
    assert made[1]["metadata"]["annotations"]["rookery.dev/instance"] == "kro.run/App/place/green-shop"


def test_an_overlay_may_render_what_its_bases_hold(kustomize: Kustomize) -> None:
    """kustomize hands on the resources of all bases; a definition above the overlay comes by path."""
    write(
        kustomize.folder,
        {
            "platform/rgd.yaml": RGD,
            "base/kustomization.yaml": "resources: [app.yaml]\n",
            "base/app.yaml": instance(),
            "overlays/green/kustomization.yaml": "resources: [../../base]\npatches: [{path: patch.yaml}]\ntransformers: [rookery.yaml]\n",
            "overlays/green/patch.yaml": instance("{x: patched}"),
            "overlays/green/rookery.yaml": config({"paths": ["../../platform"]}),
        },
    )
    [made] = kustomize.build("overlays/green")
    assert made["data"] == {"x": "patched"}


def test_output_that_is_committed_as_a_resource_is_reconciled(kustomize: Kustomize) -> None:
    """Built into a file that is a resource itself: nothing is doubled, and what stands there follows its instance."""
    two = rgd(
        config_map("cm", '{x: "${schema.spec.x}"}')
        + config_map("more", more="includeWhen: ['${schema.spec.x == \"plain\"}']"),
        spec='{x: "string | default=plain"}',
    )
    prefix = "namePrefix: green-\ntransformers: [rookery.yaml]\n"
    given(kustomize, prefix, rgd_yaml=two)
    flat = RESOURCES.replace("other.yaml", "rendered.yaml") + prefix
    write(kustomize.folder, {"kustomization.yaml": RESOURCES.replace(", other.yaml", "") + prefix})
    first = kustomize.run(".", kustomize.flags).stdout
    write(kustomize.folder, {"kustomization.yaml": flat, "rendered.yaml": first})
    assert kustomize.run(".", kustomize.flags).stdout == first
    write(kustomize.folder, {"app.yaml": instance("{x: new}")})
    [made] = kustomize.build()
    assert (made["metadata"]["name"], made["data"]) == ("green-shop-cm", {"x": "new"})


def test_what_a_base_has_rendered_stays(kustomize: Kustomize) -> None:
    """Its sources are gone by then; that is no reason to remove it."""
    generated = {"paths": ["../rgd.yaml", "generated.yaml"]}
    write(
        kustomize.folder,
        {
            "rgd.yaml": RGD,
            "base/kustomization.yaml": "resources: [app.yaml]\ngenerators: [generate.yaml]\ntransformers: [rookery.yaml]\n",
            "base/generate.yaml": config(generated, name="generate"),
            "base/generated.yaml": instance(name="generated"),
            "base/rookery.yaml": config({"paths": ["../rgd.yaml"]}),
            "base/app.yaml": instance(),
            "over/kustomization.yaml": "resources: [../base, app.yaml]\ntransformers: [rookery.yaml]\n",
            "over/rookery.yaml": config({"paths": ["../rgd.yaml"]}),
            "over/app.yaml": instance(name="over"),
        },
    )
    base = kustomize.build("base")
    assert names(base) == ["ConfigMap/generated-cm", "ConfigMap/shop-cm"]
    made = kustomize.build("over")
    assert names(made) == ["ConfigMap/generated-cm", "ConfigMap/over-cm", "ConfigMap/shop-cm"]
    assert [each for each in made if each["metadata"]["name"] != "over-cm"] == base


def test_run_twice_it_does_nothing_the_second_time(kustomize: Kustomize) -> None:
    given(kustomize)
    once = kustomize.build()
    given(kustomize, "transformers: [rookery.yaml, again.yaml]\n", again_yaml=config({}, name="again"))
    assert kustomize.build() == once


def test_another_function_may_run_before_and_after(kustomize: Kustomize) -> None:
    """A function that echoes makes kustomize invent file names for its items; ours has none to lose."""
    given(
        kustomize,
        "transformers: [cat.yaml, rookery.yaml, cat.yaml]\n".replace(", cat.yaml]", ", after.yaml]"),
        cat_yaml=config({}, function="exec: {path: cat}", name="before"),
        after_yaml=config({}, function="exec: {path: cat}", name="after"),
    )
    assert names(kustomize.build()) == ["ConfigMap/shop-cm", "Secret/other"]


def test_emitted_instances_replace_their_sources(kustomize: Kustomize) -> None:
    given(kustomize, spec={"emit": ["instances"]})
    made = kustomize.build()
    assert names(made) == ["ConfigMap/shop-cm", "Secret/other", "App/shop"]
    assert made[2]["metadata"]["annotations"]["kro.run/reconcile"] == "suspended"


def test_a_result_without_objects_is_refused(kustomize: Kustomize) -> None:
    """kustomize would build nothing and exit with 0: whoever prunes would delete everything."""
    excluded = rgd(config_map("cm", more="includeWhen: ['${false}']"))
    given(kustomize, rgd_yaml=excluded)
    write(
        kustomize.folder,
        {"kustomization.yaml": RESOURCES.replace(", other.yaml", "") + "transformers: [rookery.yaml]\n"},
    )
    assert kustomize.fail()[0].startswith("error[empty-output]: the result is empty: the instances make no object now")
    write(kustomize.folder, {"rookery.yaml": config({"allowEmpty": True})})
    assert kustomize.build() == []


def test_an_object_by_hand_is_not_overwritten(kustomize: Kustomize) -> None:
    given(kustomize, other_yaml="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop-cm, namespace: store}\n")
    assert kustomize.fail()[0].startswith(
        "error[not-ours]: ConfigMap/store/shop-cm: ConfigMap/store/shop-cm is no output"
    )


def test_the_cause_is_the_first_line_of_stderr(kustomize: Kustomize) -> None:
    given(kustomize, app_yaml=instance("{x: 5, z: 1}"))
    lines = kustomize.fail()
    assert lines[0].startswith("error[instance-wrong-type]: App/store/shop spec.x: spec.x is")
    assert "couldn't execute function" in lines[-1]


def test_options_may_stand_in_a_config_map(kustomize: Kustomize) -> None:
    text = config({}).replace(
        "apiVersion: fn.rookery.dev/v1alpha1\nkind: RenderConfig", "apiVersion: v1\nkind: ConfigMap"
    )
    given(kustomize, rookery_yaml=text.replace("spec: {}", 'data: {kroLabels: "true", strict: "true"}'))
    assert kustomize.build()[0]["metadata"]["labels"]["kro.run/node-id"] == "cm"


# -- validator -----------------------------------------------------------------------------------------------------

CHECK = {"validator": "kustomize"}


def test_a_validator_checks_and_leaves_the_build_alone(kustomize: Kustomize) -> None:
    """For clusters where kro runs: sources are applied as they are, and a build fails where kro would refuse."""
    given(kustomize, "")
    plain = kustomize.build()
    given(kustomize, "validators: [rookery.yaml]\n", spec=CHECK)
    assert kustomize.build() == plain
    assert sorted(names(plain)) == ["App/shop", "ResourceGraphDefinition/app", "Secret/other"]
    given(kustomize, "validators: [rookery.yaml]\n", spec=CHECK, app_yaml=instance("{x: 5}"))
    assert kustomize.fail()[0].startswith("error[instance-wrong-type]: App/store/shop spec.x: ")


def test_a_validator_may_check_what_the_transformer_left(kustomize: Kustomize) -> None:
    given(kustomize, "transformers: [rookery.yaml]\nvalidators: [check.yaml]\n", check_yaml=config(CHECK, name="check"))
    assert names(kustomize.build()) == ["ConfigMap/shop-cm", "Secret/other"]


def test_as_the_last_transformer_a_validator_echoes(kustomize: Kustomize) -> None:
    given(kustomize, "")
    plain = kustomize.build()
    given(kustomize, spec={"validator": "echo"})
    assert kustomize.build() == plain
    given(kustomize, spec={"validator": "echo"}, app_yaml=instance("{x: 5}"))
    assert kustomize.fail()[0].startswith("error[instance-wrong-type]")


@pytest.mark.parametrize("spec", [{"validator": "echo"}, {}], ids=["echo", "render"])
def test_kustomize_takes_every_echo_of_a_validator_for_a_change(kustomize: Kustomize, spec: dict[str, Any]) -> None:
    """The reason for the switch (kustomize#5036): it fails whatever the function prints, if it prints an item."""
    given(kustomize, "validators: [rookery.yaml]\n", spec=spec)
    assert any("validator shouldn't modify the resource map" in line for line in kustomize.fail())
