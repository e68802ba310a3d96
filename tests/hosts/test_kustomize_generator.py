"""Rookery as a generator of the real kustomize."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.hosts.conftest import REPOSITORY, Run, files, write
from tests.hosts.kustomize_build import (
    ALPHA,
    EXEC,
    RGD,
    Kustomize,
    config,
    inline,
    names,
    overlay_of_fixture,
)
from tests.rendering import config_map, instance, rgd

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.hosts

PATHS = {"paths": ["rgd.yaml", "app.yaml"]}
FIFO = "sortOptions: {order: fifo}\n"


@pytest.fixture
def kustomize(tmp_path: Path) -> Kustomize:
    folder = tmp_path / "repository"
    folder.mkdir()
    return Kustomize(folder)


def given(kustomize: Kustomize, kustomization: str = "", spec: dict[str, Any] | None = None, **texts: str) -> None:
    """A kustomization with Rookery as its generator, and an RGD and an instance by path."""
    write(
        kustomize.folder,
        {
            "kustomization.yaml": "generators: [rookery.yaml]\n" + kustomization,
            "rookery.yaml": config(PATHS if spec is None else spec),
            "rgd.yaml": RGD,
            "app.yaml": instance(),
            **{name.replace("_", "."): text for name, text in texts.items()},
        },
    )


# -- what is built -------------------------------------------------------------------------------------------------


def test_the_worked_overlay(kustomize: Kustomize) -> None:
    """Names, namespaces and references of rendered objects follow prefix and namespace; no definition and no config comes out."""
    overlay_of_fixture(kustomize.folder)
    made = kustomize.build("overlays/production")
    assert sorted(names(made)) == [
        "ConfigMap/production-greeting",
        "Deployment/production-shop",
        "Deployment/production-status-page",
        "Ingress/production-shop",
        "Ingress/production-status-page",
        "Service/production-shop",
        "Service/production-status-page",
    ]
    assert {each["metadata"]["namespace"] for each in made} == {"production"}
    [ingress] = [each for each in made if names([each]) == ["Ingress/production-shop"]]
    backend = ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]
    assert backend["service"]["name"] == "production-shop"
    base = kustomize.build("base")
    assert {(each["metadata"]["name"], each["metadata"]["namespace"]) for each in base} == {
        ("greeting", "store"),
        ("shop", "store"),
    }


def test_a_build_changes_no_file_and_is_the_same_again(kustomize: Kustomize) -> None:
    overlay_of_fixture(kustomize.folder)
    before = files(kustomize.folder)
    first = kustomize.run("overlays/production", kustomize.flags)
    assert kustomize.run("overlays/production", kustomize.flags).stdout == first.stdout
    assert files(kustomize.folder) == before


def test_the_fixture_renders_as_on_the_command_line(kustomize: Kustomize) -> None:
    base = REPOSITORY / "fixtures/kustomize-overlay/base"
    printed = subprocess.run(
        ["rookery", "render", "--namespace", "store", base / "web-application.yaml", base / "shop.yaml"],
        env=kustomize.environment,
        capture_output=True,
        check=True,
    )
    overlay_of_fixture(kustomize.folder)
    built = [each for each in kustomize.build("base") if each["metadata"]["name"] != "greeting"]
    assert {each["kind"]: each for each in built} == {each["kind"]: each for each in yaml.safe_load_all(printed.stdout)}
    assert len(built) == 3


def test_output_has_neither_the_annotations_of_the_config_nor_paths(kustomize: Kustomize) -> None:
    """local-config, which kustomize sets on the config, would make the output vanish."""
    given(kustomize)
    [made] = kustomize.build()
    assert sorted(made["metadata"]["annotations"]) == ["rookery.dev/instance", "rookery.dev/node"]


def test_the_config_does_not_stay_among_the_resources(kustomize: Kustomize) -> None:
    """A generator that echoes it shows it to every transformer."""
    see = "#!/bin/sh\ntee seen.yaml\n"
    given(kustomize, "transformers: [see.yaml]\n", see_yaml=config({}, function="exec: {path: ./see.sh}", name="see"))
    write(kustomize.folder, {"see.sh": see})
    (kustomize.folder / "see.sh").chmod(0o755)
    kustomize.build()
    seen = yaml.safe_load((kustomize.folder / "seen.yaml").read_text())
    assert [item["kind"] for item in seen["items"]] == ["ConfigMap"]


def test_dependencies_come_first_where_the_order_is_kept(kustomize: Kustomize) -> None:
    resources = (
        config_map("zebra", '{other: "${ant.metadata.name}"}')
        + config_map("ant", '{other: "${middle.metadata.name}"}')
        + config_map("middle")
        + "- id: ns\n  template: {apiVersion: v1, kind: Namespace, metadata: {name: made}}\n"
    )
    given(kustomize, FIFO, rgd_yaml=rgd(resources))
    assert names(kustomize.build()) == [
        "Namespace/made",
        "ConfigMap/shop-middle",
        "ConfigMap/shop-ant",
        "ConfigMap/shop-zebra",
    ]


VALUES = {
    "y": "y", "n": "n", "Y": "N", "sha": "1e3", "longer": "12e3", "octal": "0o17", "old": "0777", "hex": "0x10", "yes": "no",
    "date": "2001-01-01", "tilde": "~", "empty": "", "lines": "a\nb\n", "trailing": "a \nb", "script": "#!/bin/sh\nexec \"$@\"\n",
    "unicode": "Zürich ☃", "template": "{{ .x }}",
}  # fmt: skip


def test_strings_that_look_like_something_else_stay_strings(kustomize: Kustomize) -> None:
    spec = "{values: 'map[string]string'}"
    given(
        kustomize,
        rgd_yaml=rgd(config_map("cm", "${schema.spec.values}"), spec=spec),
        app_yaml=instance(json.dumps({"values": VALUES})),
    )
    run = kustomize.run(".", kustomize.flags)
    assert run.code == 0, run.text
    assert yaml.safe_load(run.stdout)["data"] == VALUES


@pytest.mark.parametrize("character", ["\x7f", "\x85", "\ufffe"], ids=["delete", "next-line", "no-character"])
def test_characters_that_kustomize_spoils_are_refused_before(kustomize: Kustomize, character: str) -> None:
    given(kustomize, app_yaml=instance(json.dumps({"x": f"a{character}b"})))
    assert kustomize.fail()[0].startswith("error[unfit-character]: App/store/shop: data.x of node cm has the character")


@pytest.mark.parametrize("character", ["\x01", "\x1b", "\u2028", "\ufeff", "\r"], ids=ascii)
def test_other_odd_characters_come_out_as_they_are(kustomize: Kustomize, character: str) -> None:
    given(kustomize, app_yaml=instance(json.dumps({"x": f"a{character}b"})))
    assert kustomize.build()[0]["data"] == {"x": f"a{character}b"}


def test_a_template_may_ask_kustomize_for_a_hash_or_a_merge(kustomize: Kustomize) -> None:
    """These two annotations are kustomize's words to generators, and pass as they are."""
    own = config_map("hashed", "{a: b}") + config_map("merged", "{a: b}", name="settings")
    texts = own.replace('"}\n    data', '", annotations: {kustomize.config.k8s.io/KEY: "VALUE"}}\n    data')
    texts = texts.replace("KEY", "needs-hash", 1).replace("VALUE", "true", 1)
    texts = texts.replace("KEY", "behavior", 1).replace("VALUE", "merge", 1)
    other = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: store}\ndata: {c: d}\n"
    given(kustomize, "resources: [other.yaml]\n", rgd_yaml=rgd(texts), other_yaml=other)
    merged, hashed = sorted(kustomize.build(), key=lambda each: len(each["metadata"]["name"]))
    assert merged["data"] == {"a": "b", "c": "d"}
    assert hashed["metadata"]["name"].startswith("shop-hashed-")
    assert "needs-hash" not in str(hashed)


def test_an_rgd_in_the_config_survives_kustomizes_own_reading(kustomize: Kustomize) -> None:
    """Numbers come normalised and comments are gone: neither may matter."""
    resource = "- id: d\n  template: {apiVersion: v1, kind: ConfigMap, metadata: {name: d}, data: {y: 'n', mode: \"${string(schema.spec.mode)}\"}}\n"
    text = rgd(resource, spec="{mode: integer}")
    given(kustomize, spec={"resources": inline(text, instance("{mode: 0777}"))})
    [made] = kustomize.build()
    assert made["data"] == {"y": "n", "mode": "511"}


# -- where the config can stand ------------------------------------------------------------------------------------


def test_the_entry_may_be_inline(kustomize: Kustomize) -> None:
    text = "".join(f"    {line}\n" for line in config(PATHS).splitlines())
    write(
        kustomize.folder,
        {"kustomization.yaml": "generators:\n  - |\n" + text, "rgd.yaml": RGD, "app.yaml": instance()},
    )
    assert names(kustomize.build()) == ["ConfigMap/shop-cm"]


def test_the_entry_may_be_a_folder_whose_config_is_patched(kustomize: Kustomize) -> None:
    """Paths stay relative to the kustomization that lists the function, not to the folder of the config."""
    given(kustomize)
    patch = 'patches:\n- patch: |\n    [{"op": "add", "path": "/spec/kroLabels", "value": true}]\n  target: {kind: RenderConfig}\n'
    write(
        kustomize.folder,
        {
            "kustomization.yaml": "generators: [./config]\n",
            "config/kustomization.yaml": "resources: [rookery.yaml]\n" + patch,
            "config/rookery.yaml": config(PATHS),
        },
    )
    [made] = kustomize.build()
    assert made["metadata"]["labels"]["kro.run/node-id"] == "cm"


def test_a_version_without_arguments_runs_a_script(kustomize: Kustomize) -> None:
    """kustomize before 5.7 knows no `args`."""
    given(kustomize)
    write(
        kustomize.folder,
        {"rookery.yaml": config(PATHS, function="exec: {path: ./render}"), "render": "#!/bin/sh\nexec rookery fn\n"},
    )
    (kustomize.folder / "render").chmod(0o755)
    assert names(kustomize.build()) == ["ConfigMap/shop-cm"]


# -- together with the rest of kustomize ---------------------------------------------------------------------------


def test_patches_labels_and_hashed_names_reach_rendered_objects(kustomize: Kustomize) -> None:
    pod = "{containers: [{name: app, image: 'shop:old', envFrom: [{configMapRef: {name: settings}}]}]}"
    deployment = (
        "- id: app\n  template: {apiVersion: v1, kind: Pod, metadata: {name: '${schema.metadata.name}'}, spec: "
        + pod
        + "}\n"
    )
    more = (
        "configMapGenerator: [{name: settings, literals: [a=b]}]\nimages: [{name: shop, newTag: v2}]\n"
        "labels: [{pairs: {team: store}}]\nnamespace: store\n"
        'patches:\n- patch: |\n    [{"op": "add", "path": "/spec/priority", "value": 5}]\n  target: {kind: Pod}\n'
    )
    given(kustomize, more, rgd_yaml=rgd(deployment))
    settings, made = kustomize.build()
    assert settings["metadata"]["name"].startswith("settings-")
    assert made["metadata"]["labels"] == {"team": "store"}
    assert made["spec"]["priority"] == 5
    [inside] = made["spec"]["containers"]
    assert (inside["image"], inside["envFrom"]) == (
        "shop:v2",
        [{"configMapRef": {"name": settings["metadata"]["name"]}}],
    )


def test_two_generators_do_not_see_each_other(kustomize: Kustomize) -> None:
    given(kustomize)
    write(
        kustomize.folder,
        {
            "kustomization.yaml": "generators: [rookery.yaml, second.yaml]\n",
            "second.yaml": config({"paths": ["rgd.yaml", "second-app.yaml"]}, name="second"),
            "second-app.yaml": instance(name="second"),
        },
    )
    assert names(kustomize.build()) == ["ConfigMap/second-cm", "ConfigMap/shop-cm"]


# -- failures ------------------------------------------------------------------------------------------------------


def first_line(run: Run) -> str:
    assert run.code != 0, run.text
    assert run.stdout == ""
    assert "Traceback" not in run.text
    return run.lines[0]


@pytest.mark.parametrize(
    ("texts", "spec", "line"),
    [
        pytest.param(
            {"app_yaml": instance("\n  x: 5\n")},
            PATHS,
            "app.yaml:5:6: error[instance-wrong-type]: App/store/shop spec.x: spec.x is",
            id="instance",
        ),
        pytest.param(
            {"rgd_yaml": RGD.replace("schema.spec.x", "schema.spec.y")},
            PATHS,
            "rgd.yaml:",
            id="definition",
        ),
        pytest.param({}, {"paths": ["nothing.yaml"]}, "error[file-not-found]: nothing.yaml does not exist", id="path"),
        pytest.param(
            {},
            {"paths": ["../../elsewhere"]},
            "error[path-outside]: spec.paths: ../../elsewhere leads out of the Git repository",
            id="outside",
        ),
        pytest.param({}, {"paths": ["rgd.yaml"]}, "error[empty-output]: the result is empty", id="no-instance"),
        pytest.param({}, {}, "error[empty-output]: the result is empty", id="no-sources"),
        pytest.param(
            {},
            {"path": ["app.yaml"]},
            "error[config-key]: RenderConfig/all spec.path: path is no option; did you mean paths?",
            id="misspelt",
        ),
        pytest.param(
            {}, {"paths": ["app.yaml"]}, "app.yaml:2:7: error[rgd-missing]: App/store/shop: no Res", id="no-definition"
        ),
        pytest.param({"app_yaml": "a: [1\n"}, PATHS, "app.yaml:", id="no-yaml"),
        pytest.param(
            {"app_yaml": instance() + "---\n" + instance()},
            PATHS,
            "app.yaml:",
            id="twice",
        ),
    ],
)
def test_the_cause_is_the_first_line_of_stderr(
    kustomize: Kustomize, texts: dict[str, str], spec: dict[str, Any], line: str
) -> None:
    """Results of a function are never shown by kustomize."""
    given(kustomize, spec=spec, **texts)
    run = kustomize.run(".", kustomize.flags)
    assert first_line(run).startswith(line)
    assert "couldn't execute function" in run.lines[-1]


def test_a_withheld_object_is_said_where_the_build_goes_well(kustomize: Kustomize) -> None:
    given(kustomize, rgd_yaml=rgd(config_map("first") + config_map("second", '{uid: "${first.metadata.uid}"}')))
    run = kustomize.run(".", kustomize.flags)
    assert run.code == 0
    assert names([yaml.safe_load(run.stdout)]) == ["ConfigMap/shop-first"]
    assert any("warning[deferred]: App/store/shop: second (ConfigMap) of App/store/shop is withheld" in line for line in run.lines)  # fmt: skip
    given(kustomize, spec={**PATHS, "strict": True}, rgd_yaml=(kustomize.folder / "rgd.yaml").read_text())
    assert "error[deferred]" in first_line(kustomize.run(".", kustomize.flags))


def test_a_build_may_render_nothing_if_the_config_says_so(kustomize: Kustomize) -> None:
    other = "apiVersion: v1\nkind: Secret\nmetadata: {name: other}\n"
    excluded = rgd(config_map("cm", more="includeWhen: ['${false}']"))
    given(kustomize, "resources: [other.yaml]\n", rgd_yaml=excluded, other_yaml=other)
    assert "error[empty-output]" in first_line(kustomize.run(".", kustomize.flags))
    given(kustomize, "resources: [other.yaml]\n", spec={**PATHS, "allowEmpty": True}, rgd_yaml=excluded)
    assert names(kustomize.build()) == ["Secret/other"]


def test_an_object_that_is_a_resource_already_is_refused_by_kustomize(kustomize: Kustomize) -> None:
    given(
        kustomize,
        "resources: [other.yaml]\n",
        other_yaml="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop-cm, namespace: store}\n",
    )
    assert any("shop-cm" in line and "behavior must be merge" in line for line in kustomize.fail())


def test_two_instances_that_make_one_object_are_refused_by_us(kustomize: Kustomize) -> None:
    given(kustomize, rgd_yaml=rgd(config_map("cm", name="same")), app_yaml=instance() + "---\n" + instance(name="two"))
    assert "error[identity-clash]" in first_line(kustomize.run(".", kustomize.flags))


@pytest.mark.parametrize(
    ("flags", "code", "says"),
    [
        pytest.param([ALPHA], 0, "", id="without-exec-it-is-skipped-in-silence"),
        pytest.param([EXEC], 1, "external plugins disabled", id="without-alpha-plugins-it-is-refused"),
    ],
)
def test_what_kustomize_does_without_its_flags(kustomize: Kustomize, flags: list[str], code: int, says: str) -> None:
    """Nothing that a function could do about: it is not run. The page tells how to notice."""
    given(kustomize, "resources: [other.yaml]\n", other_yaml="apiVersion: v1\nkind: Secret\nmetadata: {name: other}\n")
    run = kustomize.run(".", flags)
    assert run.code == code
    assert says in run.text
    assert "shop-cm" not in run.stdout
