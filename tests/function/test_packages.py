"""Whose items the function may touch: those of the package that it runs for, never those of packages inside it."""

from __future__ import annotations

import pytest

from tests.function.lists import HOME, KPTFILE, LOCAL, app, definition, fn, item, resource_list
from tests.rendering import config_map

INNER = f"{HOME}/inner"
INNER_KPTFILE = item("apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: inner\n", "Kptfile", package=INNER)
TYPED = "apiVersion: fn.rookery.dev/v1alpha1\nkind: RenderConfig\nmetadata:\n  name: options\n  annotations:\n"


def made_by(package: str, name: str = "inner") -> str:
    """Output of ours, as a package has it after its own pipeline has run."""
    marks = f"rookery.dev/instance: kro.run/App/store/{name}\nrookery.dev/node: cm"
    path = f"rendered/app.store.{name}/cm.yaml"
    return item(f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}-cm\n", path, package=package, more=marks)


def test_the_package_around_leaves_output_inside_alone() -> None:
    inside = (INNER_KPTFILE, definition(package=INNER), app(name="inner", package=INNER), made_by(INNER))
    answer = fn(resource_list(*inside, KPTFILE, definition(), app()))
    assert answer.code == 0
    assert answer.texts[:4] == list(inside)
    assert [path for path in answer.items if "rendered" in path] == [
        "inner/rendered/app.store.inner/cm.yaml",
        "rendered/app.store.shop/cm.yaml",
    ]
    assert answer.results == []


def test_output_of_home_goes_though_a_package_inside_has_the_same() -> None:
    answer = fn(resource_list(INNER_KPTFILE, made_by(INNER, "shop"), KPTFILE, definition(), made_by(HOME, "shop")))
    assert [path for path in answer.items if "rendered" in path] == ["inner/rendered/app.store.shop/cm.yaml"]


def test_a_config_file_names_its_package() -> None:
    config = TYPED + f"    internal.config.kubernetes.io/package-path: {HOME}\n"
    answer = fn(
        resource_list(INNER_KPTFILE, app(name="inner", package=INNER), KPTFILE, definition(), app(), config=config)
    )
    assert [path for path in answer.items if "rendered" in path] == ["rendered/app.store.shop/cm.yaml"]


def test_a_package_with_the_same_beginning_of_its_name_is_not_inside() -> None:
    answer = fn(
        resource_list(KPTFILE, item("apiVersion: v1\nkind: X\nmetadata:\n  name: x\n", "x.yaml", package=f"{HOME}-two"))
    )
    assert answer.code == 1
    assert answer.messages("no-home-package")[0].startswith(
        "the items are of packages of which none contains the others: package and package-two"
    )


def test_the_root_of_the_file_system_can_be_a_package() -> None:
    sources = [text.replace(f"package-path: '{HOME}'", "package-path: '/'") for text in (KPTFILE, definition(), app())]
    inside = app(name="inner", package="/inner")
    answer = fn(resource_list(*sources, inside))
    assert answer.code == 0, answer.stderr
    assert answer.messages("other-package")[0].startswith("this instance is of package inner, and left to it")


@pytest.mark.parametrize(
    "config", ["", TYPED + f"    internal.config.kubernetes.io/package-path: {HOME}\n"], ids=["text", "typed"]
)
def test_items_that_went_through_a_selector_are_refused(config: str) -> None:
    selected = KPTFILE.replace(
        "config.k8s.io/id: '1'", "config.k8s.io/id: '1'\n      internal.config.k8s.io/kpt-resource-id: '1'"
    )
    answer = fn(resource_list(selected, definition(), app(), config=config))
    assert answer.code == 1
    assert answer.codes == ["selectors"]
    assert answer.texts == [selected, definition(), app()]


# -- eval and source: no packages are named, Kptfiles show them ----------------------------------------------------------


def plain(text: str, folder: str = "") -> str:
    """The entry as `kpt fn eval` shows it: no package, a path from the folder that eval was called with."""
    kept = [line for line in text.splitlines(keepends=True) if "package-path" not in line]
    return "".join(kept).replace("path: '", f"path: '{folder}")


def test_below_another_kptfile_is_another_package() -> None:
    inside = [plain(text, "teams/one/") for text in (INNER_KPTFILE, app(name="one"), made_by(HOME, "one"))]
    deeper = plain(app(name="two", path="deep/er/two.yaml"), "teams/one/")
    sibling = plain(app(name="three"), "teams/one-more/")
    answer = fn(resource_list(plain(KPTFILE), plain(definition()), plain(app()), *inside, deeper, sibling))
    assert answer.code == 0, answer.stderr
    assert [path for path in answer.items if "rendered" in path] == [
        "teams/one/rendered/app.store.one/cm.yaml",
        "rendered/app.store.shop/cm.yaml",
        "rendered/app.store.three/cm.yaml",
    ]


def test_a_folder_without_any_kptfile_is_one_package() -> None:
    answer = fn(resource_list(plain(definition(), "a/"), plain(app(), "b/c/")))
    assert [path for path in answer.items if "rendered" in path] == ["rendered/app.store.shop/cm.yaml"]


# -- instances of other packages -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kptfile", "severity"),
    [
        pytest.param(INNER_KPTFILE, "warning", id="no-pipeline"),
        pytest.param(INNER_KPTFILE + "  pipeline: {mutators: [{exec: rookery fn}]}\n", "info", id="pipeline"),
    ],
)
def test_an_instance_inside_that_nobody_has_rendered_is_named(kptfile: str, severity: str) -> None:
    answer = fn(resource_list(kptfile, app(name="inner", package=INNER), KPTFILE, definition(), app()))
    assert [(r["severity"], r["tags"]["code"], r["resourceRef"]["name"]) for r in answer.results] == [
        (severity, "other-package", "inner")
    ]


# -- borrowed definitions ------------------------------------------------------------------------------------------------


def test_a_definition_inside_serves_home_and_only_if_it_is_needed() -> None:
    broken = definition(config_map("cm", '{x: "${nothing.there}"}'), path="b.yaml", package=f"{HOME}/b", kind="Unused")
    answer = fn(resource_list(definition(package=INNER), broken, KPTFILE, app()))
    assert answer.code == 0, answer.stderr
    assert "rendered/app.store.shop/cm.yaml" in answer.items


def test_a_definition_of_home_wins() -> None:
    answer = fn(
        resource_list(definition(package=INNER, spec='{x: "string | default=inner"}'), KPTFILE, definition(), app())
    )
    assert answer.items["rendered/app.store.shop/cm.yaml"]["data"] == {"x": "y"}


def test_definitions_inside_may_need_each_other() -> None:
    outer = definition(
        "- id: made\n  template: {apiVersion: kro.run/v1alpha1, kind: Inner, metadata: {name: in}}\n",
        package=INNER,
        spec="{}",
    )
    inner = definition(package=f"{HOME}/second", kind="Inner")
    answer = fn(resource_list(outer, inner, KPTFILE, app()))
    assert [path for path in answer.items if "rendered" in path] == ["rendered/inner.store.in/cm.yaml"]


def test_copies_of_a_definition_are_one_and_different_ones_are_refused() -> None:
    def run(second: str) -> list[str]:
        return fn(resource_list(definition(package=INNER), second, KPTFILE, app())).codes

    assert run(definition(package=f"{HOME}/copy")) == []
    assert run(definition(package=f"{HOME}/copy", spec='{x: "string | default=z"}')) == ["duplicate-kind"]


def test_a_source_inside_is_not_homes_to_mark_as_local() -> None:
    answer = fn(resource_list(definition(package=INNER).replace(LOCAL, "some: note"), KPTFILE, app()))
    assert answer.results == []
