"""`kpt fn render` over and over: the package holds what its instances ask for, and nothing else in it changes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from tests.hosts.conftest import ROOKERY, Kpt, files, kptfile, python, write
from tests.rendering import config_map, instance, rgd

pytestmark = pytest.mark.hosts

SHOP = "rendered/webapplication.store.shop"


def test_the_worked_package_is_what_a_render_of_its_sources_gives(kpt: Kpt, worked: Path) -> None:
    """What is committed below `rendered/`, and every source, stays as it is to the byte; from the sources alone it comes back."""
    committed = files(worked)
    kpt.render()
    assert files(worked) == committed
    shutil.rmtree(worked / "rendered")
    kpt.render()
    assert files(worked) == committed
    assert sorted(name for name in committed if name.startswith("rendered")) == [
        f"{SHOP}/deployment.yaml",
        f"{SHOP}/ingress.yaml",
        f"{SHOP}/service.yaml",
    ]


def test_a_removed_instance_takes_its_objects_with_it(kpt: Kpt, worked: Path) -> None:
    (worked / "shop.yaml").unlink()
    run = kpt.render("package", "--truncate-output=false")
    assert not [name for name in files(worked) if name.startswith("rendered")]
    assert "[info] v1/Service/store/shop: removed: instance kro.run/WebApplication/store/shop is gone" in run.lines
    assert "[info]: the package has no instance of its ResourceGraphDefinitions" in run.lines
    assert "greeting.yaml" in files(worked)


def test_a_removed_definition_and_its_instances_leave_an_ordinary_package(kpt: Kpt, worked: Path) -> None:
    (worked / "shop.yaml").unlink()
    (worked / "platform/web-application.yaml").unlink()
    run = kpt.render()
    assert sorted(files(worked)) == ["Kptfile", "greeting.yaml"]
    assert "[info]: the package has no ResourceGraphDefinition" in run.lines


def test_a_renamed_instance_moves_its_objects(kpt: Kpt, worked: Path) -> None:
    path = worked / "shop.yaml"
    path.write_text(path.read_text().replace("name: shop", "name: store-front"))
    kpt.render()
    rendered = [name for name in files(worked) if name.startswith("rendered")]
    assert [Path(name).parent.name for name in rendered] == ["webapplication.store.store-front"] * 3


def test_an_object_that_is_excluded_now_goes(kpt: Kpt, worked: Path) -> None:
    path = worked / "shop.yaml"
    path.write_text(path.read_text().replace("enabled: true", "enabled: false"))
    run = kpt.render()
    assert f"{SHOP}/ingress.yaml" not in files(worked)
    removed = "removed: kro.run/WebApplication/store/shop does not make it any more"
    assert f"[info] networking.k8s.io/v1/Ingress/store/shop: {removed}" in run.lines


def test_edits_of_rendered_objects_are_undone_and_their_comments_stay(kpt: Kpt, worked: Path) -> None:
    path = worked / SHOP / "deployment.yaml"
    rendered = path.read_text()
    path.write_text(rendered.replace("replicas: 3", "replicas: 5 # three"))
    kpt.render()
    assert path.read_text() == rendered.replace("replicas: 3", "replicas: 3 # three")


def test_a_rendered_file_may_be_moved(kpt: Kpt, worked: Path) -> None:
    """An object is known by its marks: it stays where somebody has put it, and follows its instance there."""
    (worked / SHOP / "service.yaml").rename(worked / "service-of-shop.yaml")
    path = worked / "shop.yaml"
    path.write_text(path.read_text().replace("replicas: 3", "replicas: 4"))
    kpt.render()
    assert f"{SHOP}/service.yaml" not in files(worked)
    assert "kind: Service" in files(worked)["service-of-shop.yaml"]
    (worked / "shop.yaml").unlink()
    kpt.render()
    assert "service-of-shop.yaml" not in files(worked)


ODD = """\
# a comment of the file

# a comment of the object
apiVersion:   v1
kind: ConfigMap
metadata: {name: odd, annotations: {note: "x"}}   # flow
data:
    yes: "y"          # a key that YAML 1.1 takes for a bool
    octal: '0o17'
    sha:  "1e3"
    base: &base plain
    again: *base

    folded: >-
      one
      two
    block: |
      keep
        this  # no comment
    empty: ""
---
# a second document
apiVersion: v1
kind: Secret
metadata:
  name: odd
stringData:
- not: what the schema says
# the end
"""


@pytest.mark.parametrize("first", [True, False], ids=["first-run", "second-run"])
def test_other_files_are_written_as_if_the_function_were_cat(kpt: Kpt, worked: Path, *, first: bool) -> None:
    """kpt normalises what it writes; nothing that Rookery does may add to that."""
    write(worked, {"odd.yaml": ODD, "rendered/hand-written.yaml": ODD.replace("odd", "odder")})
    plain = Path(shutil.copytree(worked, kpt.folder / "plain"))
    kptfiles = [
        (worked / "Kptfile").read_text(),
        (worked / "Kptfile").read_text().replace("exec: rookery fn", "exec: cat"),
    ]
    write(plain, {"Kptfile": kptfiles[1]})
    for _ in range(1 if first else 2):
        kpt.render("package")
        kpt.render("plain")
    ours, cat = files(worked), files(plain)
    assert [ours.pop("Kptfile"), cat.pop("Kptfile")] == kptfiles
    assert ours == cat
    comments = [line[line.index("# ") :] for line in ODD.splitlines() if "# " in line]
    assert [comment for comment in comments if comment not in ours["odd.yaml"]] == []


VALUES = r"""
{
  "yes": "y", "no": "N", sha: "12e3", octal: "0o17", hex: "0x10", date: "2001-01-01", tilde: "~", "null": "null", "1": "1",
  empty: "", blank: " ", colon: "a: b", hash: "a #b", dash: "- x", star: "*x", quote: "'", quotes: "\"", tab: "a\tb",
  lines: "a\nb\n", stripped: "a\nb", kept: "a\n\n", trailing: "a \nb\n", leading: "  a\nb\n", carriage: "a\r\nb\n", nel: "a\u0085b",
  long: "@LONG@", script: "#!/bin/sh\nset -e\nexec \"$@\"\n", unicode: "Zürich \u2028 ☃", template: "{{ .Values.x }}",
}
"""


def test_every_kind_of_value_survives_run_after_run(kpt: Kpt) -> None:
    """What kpt writes is what the RGD says, read by another YAML library, and the second run changes nothing."""
    values = VALUES.replace("@LONG@", "word " * 60)
    package = write(
        kpt.folder / "package",
        {
            "Kptfile": kptfile(ROOKERY),
            "rgd.yaml": rgd(config_map("values", values.replace("\n", " "))),
            "instance.yaml": instance(),
        },
    )
    kpt.render()
    once = files(package)
    made = yaml.safe_load(once["rendered/app.store.shop/values.yaml"])
    assert made["data"] == yaml.safe_load(values)
    kpt.render()
    assert files(package) == once


def test_a_collection_keeps_its_files_when_its_list_is_reordered(kpt: Kpt) -> None:
    resources = config_map(
        "one",
        '{region: "${region}"}',
        name="${schema.metadata.name}-${region}",
        more="forEach: [{region: '${schema.spec.regions}'}]",
    )
    package = write(
        kpt.folder / "package",
        {
            "Kptfile": kptfile(ROOKERY),
            "rgd.yaml": rgd(resources, spec='{regions: "[]string"}'),
            "instance.yaml": instance("{regions: [north, south, west]}"),
        },
    )
    kpt.render()
    before = files(package)
    write(package, {"instance.yaml": instance("{regions: [west, north]}")})
    kpt.render()
    after = files(package)
    assert {name: after[name] for name in after if name.startswith("rendered")} == {
        name: text for name, text in before.items() if name.startswith("rendered") and "south" not in text
    }


@pytest.mark.parametrize(
    "mutators",
    [
        pytest.param([ROOKERY, python("set_namespace.py", "production")], id="namespace-after"),
        pytest.param([ROOKERY, python("prefix_names.py", "green-")], id="rename-after"),
        pytest.param([python("set_replicas.py", "7"), ROOKERY], id="change-before"),
        pytest.param(
            [
                python("set_replicas.py", "7"),
                ROOKERY,
                python("prefix_names.py", "green-"),
                python("set_namespace.py", "production"),
            ],
            id="all",
        ),
        pytest.param([ROOKERY, ROOKERY], id="twice-in-one-pipeline"),
    ],
)
def test_other_functions_of_the_pipeline_do_not_break_the_next_run(kpt: Kpt, worked: Path, mutators: list[str]) -> None:
    """Objects are ours by their marks: a rename or another namespace neither orphans nor doubles them."""
    shutil.rmtree(worked / "rendered")
    write(worked, {"Kptfile": kptfile(*mutators)})
    kpt.render()
    once = files(worked)
    assert len([name for name in once if name.startswith("rendered")]) == 3
    deployment = yaml.safe_load(once["rendered/webapplication.default.shop/deployment.yaml"])
    written = str(mutators)
    assert deployment["metadata"]["name"] == ("green-shop" if "prefix" in written else "shop")
    assert deployment["metadata"]["namespace"] == ("production" if "set_namespace" in written else "default")
    assert deployment["spec"]["replicas"] == (7 if "replicas" in written else 3)
    kpt.render()
    assert files(worked) == once
    (worked / "shop.yaml").unlink()
    kpt.render()
    assert not [name for name in files(worked) if name.startswith("rendered")]


OBSERVED = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: zone
  namespace: store
  annotations:
    config.kubernetes.io/local-config: "true"
    rookery.dev/observed: "true"
data: {name: north}
"""
WAITING = (
    "- id: zone\n  externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {name: zone, namespace: store}}\n"
    + config_map("named", '{zone: "${zone.data.name}"}')
    + config_map("plain", "{a: b}", more="includeWhen: ['${schema.spec.plain}']")
)


def test_what_waits_for_the_cluster_now_keeps_its_earlier_objects(kpt: Kpt) -> None:
    """kro prunes nothing while an instance is unresolved; neither does a render. Afterwards it catches up."""
    package = write(
        kpt.folder / "package",
        {
            "Kptfile": kptfile(ROOKERY),
            "rgd.yaml": rgd(WAITING, spec='{plain: "boolean | default=true"}'),
            "instance.yaml": instance(),
            "zone.yaml": OBSERVED,
        },
    )
    kpt.render()
    resolved = {name: text for name, text in files(package).items() if name.startswith("rendered")}
    assert sorted(resolved) == ["rendered/app.store.shop/named.yaml", "rendered/app.store.shop/plain.yaml"]

    (package / "zone.yaml").unlink()
    write(package, {"instance.yaml": instance("{plain: false}")})
    run = kpt.render("package", "--truncate-output=false")
    assert {name: text for name, text in files(package).items() if name.startswith("rendered")} == resolved
    held = "kept as it is, for as long as kro.run/App/store/shop waits for the cluster"
    assert f"[info] v1/ConfigMap/store/shop-named: {held}" in run.lines
    assert f"[info] v1/ConfigMap/store/shop-plain: {held}" in run.lines

    write(package, {"zone.yaml": OBSERVED})
    kpt.render()
    assert [name for name in files(package) if name.startswith("rendered")] == ["rendered/app.store.shop/named.yaml"]
