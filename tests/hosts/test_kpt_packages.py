"""A package and the packages inside it: each renders its own instances, and none touches another's sources or output."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.hosts.conftest import ROOKERY, Kpt, files, kptfile, write
from tests.rendering import config_map, instance, rgd

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.hosts

DEFINITION = rgd(config_map("cm", '{x: "${schema.spec.x}"}'), spec='{x: "string | default=y"}').replace("\n\n", "\n")
CONFIG = """\
apiVersion: fn.rookery.dev/v1alpha1
kind: RenderConfig
metadata:
  name: options
  annotations:
    config.kubernetes.io/local-config: "true"
spec:
  namespace: configured
"""
BY_FILE = "{exec: rookery fn, configPath: options.yaml}"


def output(package: Path) -> dict[str, str]:
    return {name: text for name, text in files(package).items() if "rendered/" in name}


@pytest.mark.parametrize("entry", [ROOKERY, BY_FILE], ids=["without-config", "config-file"])
def test_a_package_inside_keeps_its_own_output(kpt: Kpt, entry: str) -> None:
    """The two use the same names, and each has a pipeline: kpt runs the inner one first and shows its items to the outer one."""
    package = kpt.folder / "package"
    for folder, name in ((package, "outer"), (package / "inner", "inner")):
        write(
            folder,
            {
                "Kptfile": kptfile(entry),
                "rgd.yaml": DEFINITION,
                "options.yaml": CONFIG,
                "app.yaml": instance(f"{{x: {name}}}", name=name),
            },
        )
    kpt.render()
    rendered = output(package)
    assert sorted(rendered) == ["inner/rendered/app.store.inner/cm.yaml", "rendered/app.store.outer/cm.yaml"]
    kpt.render()
    assert output(package) == rendered
    kpt.render("package/inner")
    assert output(package) == rendered

    (package / "app.yaml").unlink()
    kpt.render()
    assert sorted(output(package)) == ["inner/rendered/app.store.inner/cm.yaml"]


def test_the_same_instance_in_both_packages_is_rendered_in_both(kpt: Kpt) -> None:
    package = kpt.folder / "package"
    for folder in (package, package / "inner"):
        write(
            folder, {"Kptfile": kptfile(ROOKERY), "rgd.yaml": DEFINITION, "app.yaml": instance(f"{{x: {folder.name}}}")}
        )
    kpt.render()
    rendered = output(package)
    assert "x: package" in rendered["rendered/app.store.shop/cm.yaml"]
    assert "x: inner" in rendered["inner/rendered/app.store.shop/cm.yaml"]
    (package / "app.yaml").unlink()
    kpt.render()
    assert output(package) == {
        "inner/rendered/app.store.shop/cm.yaml": rendered["inner/rendered/app.store.shop/cm.yaml"]
    }


def test_instances_of_a_package_without_a_pipeline_are_named_not_rendered(kpt: Kpt) -> None:
    package = write(
        kpt.folder / "package",
        {
            "Kptfile": kptfile(ROOKERY),
            "rgd.yaml": DEFINITION,
            "app.yaml": instance(),
            "teams/one/Kptfile": kptfile(),
            "teams/one/app.yaml": instance(name="one"),
        },
    )
    sources = files(package / "teams/one")
    run = kpt.render("package", "--truncate-output=false")
    assert sorted(output(package)) == ["rendered/app.store.shop/cm.yaml"]
    assert files(package / "teams/one") == sources
    named = "[warning] kro.run/v1alpha1/App/store/one: this instance is of package teams/one, and left to it; that package has no pipeline"
    assert any(line.startswith(named) for line in run.lines)


def test_a_definition_fetched_as_a_package_serves_the_package_around_it(kpt: Kpt) -> None:
    """`kpt pkg get` makes a package of what it fetches; its RGD can be used, and stays what it is."""
    package = write(
        kpt.folder / "package",
        {
            "Kptfile": kptfile(ROOKERY),
            "app.yaml": instance(),
            "definition/Kptfile": kptfile(),
            "definition/rgd.yaml": DEFINITION,
            "other/Kptfile": kptfile(),
            "other/rgd.yaml": DEFINITION,
            "broken/Kptfile": kptfile(),
            "broken/rgd.yaml": DEFINITION.replace("kind: App", "kind: Unused").replace(
                "${schema.spec.x}", "${nothing.at.all}"
            ),
        },
    )
    kpt.render()
    assert sorted(output(package)) == ["rendered/app.store.shop/cm.yaml"]
    assert files(package / "definition")["rgd.yaml"] == DEFINITION
    once = files(package)
    kpt.render()
    assert files(package) == once


def test_two_different_definitions_of_one_kind_are_refused_with_both_places(kpt: Kpt) -> None:
    write(
        kpt.folder / "package",
        {
            "Kptfile": kptfile(ROOKERY),
            "app.yaml": instance(),
            "one/Kptfile": kptfile(),
            "one/rgd.yaml": DEFINITION,
            "two/Kptfile": kptfile(),
            "two/rgd.yaml": DEFINITION.replace("default=y", "default=z"),
        },
    )
    run = kpt.render(code=1)
    assert "kind App of kro.run is defined at" in run.text


def test_eval_tells_packages_apart_by_their_kptfiles(kpt: Kpt) -> None:
    package = kpt.folder / "package"
    for folder, name in ((package, "outer"), (package / "inner", "inner")):
        write(folder, {"Kptfile": kptfile(ROOKERY), "rgd.yaml": DEFINITION, "app.yaml": instance(name=name)})
    kpt.render()
    once = files(package)
    assert kpt.run("fn", "eval", "package", "--exec", "rookery fn").code == 0
    assert files(package) == once
    (package / "app.yaml").unlink()
    assert kpt.run("fn", "eval", "package", "--exec", "rookery fn").code == 0
    assert sorted(output(package)) == ["inner/rendered/app.store.inner/cm.yaml"]
