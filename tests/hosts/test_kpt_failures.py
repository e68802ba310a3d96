"""A render that fails writes nothing and says why, in the four lines that kpt shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from tests.hosts.conftest import ROOKERY, Kpt, files, kptfile, write
from tests.rendering import config_map, instance, rgd

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.hosts


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_an_invalid_instance_fails_with_the_culprit_first(kpt: Kpt, worked: Path) -> None:
    edit(worked / "shop.yaml", "replicas: 3", "replicas: many")
    edit(worked / "shop.yaml", "enabled: true", "enabled: true\n    color: red")
    (worked / "rendered/webapplication.store.shop/service.yaml").unlink()
    before = files(worked)
    run = kpt.render(code=1)
    assert files(worked) == before
    results = run.lines[run.lines.index("Results:") + 1 :]
    assert results[0].startswith("[error] kro.run/v1alpha1/WebApplication/shop spec.replicas: spec.replicas is")
    stderr = run.lines[run.lines.index("Stderr:") + 1 :]
    assert stderr[0].startswith('"shop.yaml: error[instance-wrong-type]: WebApplication/shop spec.replicas: ')
    assert "Traceback" not in run.text


def test_results_are_written_where_the_host_is_asked_to(kpt: Kpt, worked: Path) -> None:
    edit(worked / "shop.yaml", "replicas: 3", "replicas: many")
    kpt.render("package", "--results-dir", "results", code=1)
    [step] = yaml.safe_load((kpt.folder / "results/results.yaml").read_text())["items"]
    assert step["exitCode"] == 1
    [result] = step["results"]
    assert result["severity"] == "error"
    assert result["resourceRef"] == {"apiVersion": "kro.run/v1alpha1", "kind": "WebApplication", "name": "shop"}
    assert result["field"] == {"path": "spec.replicas"}
    assert result["file"] == {"path": "shop.yaml"}
    assert result["tags"] == {"code": "instance-wrong-type"}


def test_a_hand_written_object_is_never_overwritten(kpt: Kpt, worked: Path) -> None:
    service = worked / "rendered/webapplication.store.shop/service.yaml"
    edit(service, "    rookery.dev/node: service\n", "")
    before = files(worked)
    run = kpt.render(code=1)
    assert files(worked) == before
    both = "Service/store/shop in rendered/webapplication.store.shop/service.yaml is no output of Rookery, and node service of WebApplication/store/shop makes"
    assert both in run.text


def test_a_copy_of_a_rendered_object_is_refused_not_dropped(kpt: Kpt, worked: Path) -> None:
    service = worked / "rendered/webapplication.store.shop/service.yaml"
    write(worked, {"copy.yaml": service.read_text().replace("name: shop", "name: copy")})
    before = files(worked)
    run = kpt.render(code=1)
    assert files(worked) == before
    assert "carry the same marks of node service" in run.text


@pytest.mark.parametrize(
    "entry",
    [
        "{exec: rookery fn, selectors: [{kind: WebApplication}]}",
        "{exec: rookery fn, exclude: [{kind: Deployment}]}",
    ],
    ids=["selectors", "exclude"],
)
def test_selectors_are_refused_since_they_would_double_the_output(kpt: Kpt, worked: Path, entry: str) -> None:
    write(worked, {"Kptfile": kptfile(entry)})
    before = files(worked)
    run = kpt.render(code=1)
    assert files(worked) == before
    assert "[error]: selectors or exclude hide a part of the package" in run.text


def test_a_selector_that_hides_everything_deletes_nothing(kpt: Kpt, worked: Path) -> None:
    write(worked, {"Kptfile": kptfile("{exec: rookery fn, selectors: [{kind: Nothing}]}")})
    before = files(worked)
    run = kpt.render(code=1)
    assert files(worked) == before
    assert "[error]: the ResourceList has no items" in run.text


def test_an_unknown_option_is_refused_with_the_one_that_was_meant(kpt: Kpt, worked: Path) -> None:
    edit(worked / "Kptfile", "namespace: store", "namspace: store")
    run = kpt.render(code=1)
    assert (
        "[error] v1/ConfigMap/function-input data.namspace: namspace is no option; did you mean namespace?" in run.text
    )


def test_warnings_are_shown_and_fail_nothing_unless_strict(kpt: Kpt, worked: Path) -> None:
    edit(worked / "shop.yaml", '  annotations:\n    config.kubernetes.io/local-config: "true"\n', "")
    run = kpt.render()
    warning = (
        'this instance would be applied to the cluster; add the annotation config.kubernetes.io/local-config: "true"'
    )
    assert f"[warning] kro.run/v1alpha1/WebApplication/shop: {warning}" in run.lines
    edit(worked / "Kptfile", "namespace: store", "namespace: store\n        strict: true")
    run = kpt.render(code=1)
    assert f"[error] kro.run/v1alpha1/WebApplication/shop: {warning}" in run.lines


def test_a_withheld_node_is_a_warning(kpt: Kpt) -> None:
    package = write(
        kpt.folder / "package",
        {
            "Kptfile": kptfile(ROOKERY),
            "rgd.yaml": rgd(config_map("first") + config_map("second", '{uid: "${first.metadata.uid}"}')),
            "app.yaml": instance(),
        },
    )
    run = kpt.render("package", "--truncate-output=false")
    assert [name for name in files(package) if "rendered" in name] == ["rendered/app.store.shop/first.yaml"]
    assert any(
        line.startswith(
            "[warning] kro.run/v1alpha1/App/store/shop: second (ConfigMap) of App/store/shop is withheld: waits for first.metadata.uid"
        )
        for line in run.lines
    )
