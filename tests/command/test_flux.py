"""`rookery render --target flux`: a folder and a Kustomization a layer, each waiting for the one before and for nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from krm_fn.command import EXIT_OK, EXIT_REFUSED, EXIT_USAGE
from tests.command.test_render import rookery
from tests.rendering import config_map, instance, rgd

ROOT = Path(__file__).resolve().parents[2]
Json = dict[str, Any]
DB = """\
- id: {id}
  readyWhen: ["{ready}"]
  template:
    apiVersion: test.io/v1
    kind: Db
    metadata: {{name: "${{schema.metadata.name}}-{id}"}}
"""


def db(node: str, ready: str = "") -> str:
    return DB.format(id=node, ready=ready or f"${{{node}.status.ok}}")


class Rendered:
    """kustomizations: by name.  files: paths below the directory.  said: what stands on stderr."""

    def __init__(self, folder: Path, *texts: str, options: tuple[str, ...] = (), observed: str = "") -> None:
        folder.mkdir(exist_ok=True)
        for i, text in enumerate(texts):
            (folder / f"{i}.yaml").write_text(text)
        words = ["--target", "flux", "-o", str(folder / "deploy"), "--flux-path", "deploy", *options]
        if observed:
            (folder / "seen").mkdir(exist_ok=True)
            (folder / "seen" / "observed.yaml").write_text(observed)
            words += ["--observed", str(folder / "seen" / "observed.yaml")]
        paths = [str(folder / f"{i}.yaml") for i in range(len(texts))]
        code, out, self.said = rookery("render", *paths, *words)
        assert (code, out) == (EXIT_OK, ""), self.said
        deploy = folder / "deploy"
        self.files = sorted(str(path.relative_to(deploy)) for path in deploy.rglob("*.yaml"))
        self.kustomizations: dict[str, Json] = {}
        for name in yaml.safe_load((deploy / "kustomization.yaml").read_text())["resources"]:
            for each in yaml.safe_load_all((deploy / name).read_text()):
                self.kustomizations[each["metadata"]["name"]] = each

    def waits_for(self) -> dict[str, list[str]]:
        return {
            name: [other["name"] for other in each["spec"].get("dependsOn", [])]
            for name, each in self.kustomizations.items()
        }

    def checked(self, name: str) -> list[str]:
        return [each["name"] for each in self.kustomizations[name]["spec"].get("healthChecks", [])]

    def conditions(self, name: str) -> dict[str, str]:
        return {each["kind"]: each["current"] for each in self.kustomizations[name]["spec"].get("healthCheckExprs", [])}


# -- layout -----------------------------------------------------------------------------------------------------------


def test_a_fixture_renders_to_its_golden(
    tmp_path: Path, golden: Callable[[bytes, Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    code, _, said = rookery("render", str(ROOT / "fixtures/flux-layers"), "--target", "flux", "-o", "deploy")
    assert (code, said) == (EXIT_OK, "")
    found = sorted(path for path in Path("deploy").rglob("*") if path.is_file())
    text = "".join(f"# {path}\n{path.read_text()}" for path in found)
    golden(text.encode(), ROOT / "tests/command/golden/flux-layers.txt")


def test_each_instance_has_a_chain_of_its_own(tmp_path: Path) -> None:
    texts = (rgd(db("db") + config_map("next", '{x: "${db.metadata.name}"}')), instance(), instance(name="other"))
    rendered = Rendered(tmp_path, *texts)
    assert rendered.waits_for() == {
        "app.store.shop.0": [],
        "app.store.shop.1": ["app.store.shop.0"],
        "app.store.other.0": [],
        "app.store.other.1": ["app.store.other.0"],
    }
    assert rendered.files == [
        "app.store.other/0/db.yaml",
        "app.store.other/0/kustomization.yaml",
        "app.store.other/1/kustomization.yaml",
        "app.store.other/1/next.yaml",
        "app.store.other/kustomizations.yaml",
        "app.store.shop/0/db.yaml",
        "app.store.shop/0/kustomization.yaml",
        "app.store.shop/1/kustomization.yaml",
        "app.store.shop/1/next.yaml",
        "app.store.shop/kustomizations.yaml",
        "kustomization.yaml",
    ]


def test_layers_span_nested_instances(tmp_path: Path) -> None:
    inner = rgd(
        db("db") + config_map("leaf", '{x: "${db.metadata.name}"}'), kind="Inner", status='{host: "${db.status.host}"}'
    )
    outer = rgd(
        "- id: inner\n  template: {apiVersion: kro.run/v1alpha1, kind: Inner, metadata: {name: shop}}\n"
        + config_map("uses", '{x: "${inner.status.host}"}')
    )
    seen = (
        "apiVersion: test.io/v1\nkind: Db\nmetadata: {name: shop-db, namespace: store}\nstatus: {ok: true, host: h}\n"
    )
    rendered = Rendered(tmp_path, inner, outer, instance(), observed=seen)
    assert list(rendered.kustomizations) == ["app.store.shop.0", "app.store.shop.1", "app.store.shop.2"]
    assert "app.store.shop/0/inner.store.shop/db.yaml" in rendered.files
    assert "app.store.shop/1/inner.store.shop/leaf.yaml" in rendered.files
    assert rendered.checked("app.store.shop.1") == ["shop-leaf"]


def test_a_layer_waits_for_another_instance_that_makes_what_it_refers_to(tmp_path: Path) -> None:
    shared = rgd(db("db"), kind="Shared")
    uses = rgd(
        "- id: db\n  externalRef: {apiVersion: test.io/v1, kind: Db, metadata: {name: main-db}}\n"
        + config_map("uses", '{x: "${db.status.host}"}')
    )
    seen = (
        "apiVersion: test.io/v1\nkind: Db\nmetadata: {name: main-db, namespace: store}\nstatus: {ok: true, host: h}\n"
    )
    rendered = Rendered(tmp_path, uses, instance(), shared, instance(kind="Shared", name="main"), observed=seen)
    assert rendered.waits_for() == {"app.store.shop.0": ["shared.store.main.0"], "shared.store.main.0": []}


NS = "- id: {id}\n  template: {{apiVersion: v1, kind: Namespace, metadata: {{name: {name}{more}}}}}\n"
CRD = """\
- id: crd
  template:
    apiVersion: apiextensions.k8s.io/v1
    kind: CustomResourceDefinition
    metadata: {name: qs.t.io, annotations: {after: "${db.metadata.name}"}}
    spec:
      group: t.io
      scope: Namespaced
      names: {kind: Q, plural: qs}
      versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
- id: q
  template: {apiVersion: t.io/v1, kind: Q, metadata: {name: q}}
"""


def namespace(name: str, after: str = "") -> str:
    return NS.format(
        id=f"ns{name}", name=name, more=f', labels: {{after: "${{{after}.metadata.name}}"}}' if after else ""
    )


def within(resource: str, place: str) -> str:
    """The same in a namespace of its own."""
    return resource.replace("metadata: {name", f"metadata: {{namespace: {place}, name")


@pytest.mark.parametrize(
    ("resources", "late"),
    [(namespace("team", "db") + within(config_map("uses"), "team"), "nsteam"), (CRD, "crd")],
    ids=["namespace", "CRD"],
)
def test_nothing_is_before_its_namespace_or_its_kind(tmp_path: Path, resources: str, late: str) -> None:
    user = "uses" if late == "nsteam" else "q"
    rendered = Rendered(tmp_path, rgd(db("db") + resources), instance())
    assert [path for path in rendered.files if path.count("/") == 2 and "kustomization" not in path] == sorted(
        ["app.store.shop/0/db.yaml", f"app.store.shop/1/{late}.yaml", f"app.store.shop/1/{user}.yaml"]
    )


def test_what_waits_for_an_object_of_a_late_namespace_comes_after_it(tmp_path: Path) -> None:
    inner = rgd(within(db("leaf"), "team"), kind="Inner")
    outer = rgd(
        db("db")
        + namespace("team", "db")
        + "- id: inner\n  template: {apiVersion: kro.run/v1alpha1, kind: Inner, metadata: {name: shop}}\n"
        + config_map("uses", '{x: "${inner.metadata.name}"}')
        + within(db("own"), "team")
        + config_map("next", '{x: "${own.metadata.name}"}')
    )
    rendered = Rendered(tmp_path, inner, outer, instance(), options=("--emit", "instances"))
    layers = {path.split("/", 2)[2]: int(path.split("/")[1]) for path in rendered.files if path.count("/") > 1}
    assert {name: layer for name, layer in layers.items() if name != "kustomization.yaml"} == {
        "db.yaml": 0,
        "nsteam.yaml": 1,
        "inner.store.shop/leaf.yaml": 1,
        "inner.yaml": 1,
        "uses.yaml": 0,
        "own.yaml": 1,
        "next.yaml": 2,
        "instance.yaml": 2,
    }


def test_a_layer_waits_for_another_instance_that_makes_its_namespace(tmp_path: Path) -> None:
    platform = rgd(db("db") + namespace("team", "db"), kind="Platform")
    uses = rgd(within(db("own"), "team") + within(config_map("uses", '{x: "${own.metadata.name}"}'), "team"))
    rendered = Rendered(tmp_path, uses, instance(), platform, instance(kind="Platform", name="main"))
    assert rendered.waits_for() == {
        "app.store.shop.0": ["platform.store.main.1"],
        "app.store.shop.1": ["app.store.shop.0"],
        "platform.store.main.0": [],
        "platform.store.main.1": ["platform.store.main.0"],
    }


def test_instances_that_lie_in_namespaces_of_each_other_are_counted_in_common(tmp_path: Path) -> None:
    left = rgd(namespace("left") + within(config_map("uses"), "right"), kind="Left")
    right = rgd(namespace("right") + within(config_map("uses"), "left"), kind="Right")
    rendered = Rendered(tmp_path, left, instance(kind="Left"), right, instance(kind="Right"))
    assert rendered.waits_for() == {
        "left.store.shop.0": [],
        "left.store.shop.1": ["left.store.shop.0", "right.store.shop.0"],
        "right.store.shop.0": [],
        "right.store.shop.1": ["right.store.shop.0", "left.store.shop.0"],
    }


CIRCLES = {
    "one instance": (
        [rgd(within(db("db"), "team") + namespace("team", "db")), instance()],
        "Namespace team waits for Db.test.io team/shop-db, which lies in it",
    ),
    "two instances": (
        [
            rgd(within(db("db"), "right") + namespace("left", "db"), kind="Left"),
            rgd(within(db("db"), "left") + namespace("right", "db"), kind="Right"),
            instance(kind="Left"),
            instance(kind="Right"),
        ],
        (
            "Namespace left waits for Db.test.io right/shop-db, which waits for Namespace right, "
            "which waits for Db.test.io left/shop-db, which lies in it"
        ),
    ),
    "a kind": (
        [
            rgd(
                CRD.replace(
                    ', annotations: {after: "${db.metadata.name}"}', ', annotations: {after: "${q.metadata.name}"}'
                ).replace("- id: q\n", '- id: q\n  readyWhen: ["${q.status.ok}"]\n')
            ),
            instance(),
        ],
        "CustomResourceDefinition.apiextensions.k8s.io qs.t.io waits for Q.t.io store/q, which is of the kind that it defines",
    ),
}


@pytest.mark.parametrize(("texts", "says"), CIRCLES.values(), ids=CIRCLES)
def test_a_circle_that_flux_would_try_for_ever_is_refused(tmp_path: Path, texts: list[str], says: str) -> None:
    for i, text in enumerate(texts):
        (tmp_path / f"{i}.yaml").write_text(text)
    paths = [str(tmp_path / f"{i}.yaml") for i in range(len(texts))]
    code, out, said = rookery("render", *paths, "--target", "flux", "-o", str(tmp_path / "deploy"), "--flux-path", "d")
    assert (code, out, said.count("error[")) == (EXIT_REFUSED, "", 1)
    assert f"error[order-cycle]: {says}\n" in said
    assert "help: Flux would try for ever" in said
    assert not (tmp_path / "deploy").exists()


def test_what_is_left_of_an_earlier_run_goes_with_its_folders(tmp_path: Path) -> None:
    nested = rgd(
        "- id: inner\n  template: {apiVersion: kro.run/v1alpha1, kind: Inner, metadata: {name: shop}}\n"
        + config_map("uses")
    )
    inner = rgd(db("db"), kind="Inner")
    Rendered(tmp_path, nested, inner, instance())
    (tmp_path / "deploy" / "notes.yaml").write_text("mine\n")
    rendered = Rendered(tmp_path, rgd(config_map("uses")), inner, instance())
    assert "app.store.shop/0/uses.yaml" in rendered.files
    assert "notes.yaml" in rendered.files
    assert not (tmp_path / "deploy/app.store.shop/0/inner.store.shop").exists()


def test_crds_outlive_their_instances(tmp_path: Path) -> None:
    rendered = Rendered(tmp_path, rgd(config_map("a")), instance(), options=("--emit", "api", "--emit", "instances"))
    api = rendered.kustomizations["rookery-api"]["spec"]
    assert (api["prune"], api["wait"]) == (False, True)
    assert rendered.waits_for()["app.store.shop.0"] == ["rookery-api"]
    assert "app.store.shop/0/instance.yaml" in rendered.files


def test_what_is_withheld_is_written_on_the_last_kustomization(tmp_path: Path) -> None:
    rendered = Rendered(tmp_path, rgd(db("db") + config_map("later", '{x: "${db.status.host}"}')), instance())
    [last] = rendered.kustomizations.values()
    assert last["metadata"]["annotations"] == {"rookery.dev/waits-for": "later: db.status.host"}


# -- health -----------------------------------------------------------------------------------------------------------


def test_only_what_somebody_waits_for_is_checked(tmp_path: Path) -> None:
    resources = db("db") + config_map("beside") + config_map("next", '{x: "${db.metadata.name}"}')
    rendered = Rendered(tmp_path, rgd(resources), instance())
    assert rendered.checked("app.store.shop.0") == ["shop-db"]
    assert rendered.conditions("app.store.shop.0") == {"Db": "status.ok"}
    assert rendered.checked("app.store.shop.1") == []
    assert "wait" not in rendered.kustomizations["app.store.shop.0"]["spec"]


def test_nodes_of_one_kind_in_a_layer_are_told_apart(tmp_path: Path) -> None:
    resources = db("one") + db("two", "${two.status.n > 1}")
    rendered = Rendered(tmp_path, rgd(resources), instance())
    assert rendered.conditions("app.store.shop.0") == {
        "Db": '(metadata.annotations["rookery.dev/node"] == "one") && (status.ok)'
        ' || (metadata.annotations["rookery.dev/node"] == "two") && (status.n > 1)'
    }
    by_name = Rendered(tmp_path / "kro", rgd(resources), instance(), options=("--kro-labels",))
    assert by_name.conditions("app.store.shop.0") == {
        "Db": '(metadata.namespace == "store" && metadata.name in ["shop-one"]) && (status.ok)'
        ' || (metadata.namespace == "store" && metadata.name in ["shop-two"]) && (status.n > 1)'
    }


def test_one_condition_for_all_needs_nobody_told_apart(tmp_path: Path) -> None:
    rendered = Rendered(tmp_path, rgd(db("one") + db("two")), instance())
    assert rendered.conditions("app.store.shop.0") == {"Db": "status.ok"}


def test_a_source_that_gives_a_value_and_has_no_ready_when_counts_once_it_is_there(tmp_path: Path) -> None:
    plain = db("plain").replace('  readyWhen: ["${plain.status.ok}"]\n', "")
    seen = "apiVersion: test.io/v1\nkind: Db\nmetadata: {name: shop-plain, namespace: store}\nstatus: {host: h}\n"
    uses = config_map("uses", '{x: "${plain.status.host}"}')
    alone = Rendered(tmp_path, rgd(plain + uses), instance(), observed=seen)
    assert (alone.checked("app.store.shop.0"), alone.conditions("app.store.shop.0")) == (["shop-plain"], {})
    among = Rendered(tmp_path / "more", rgd(plain + db("one") + uses), instance(), observed=seen)
    assert among.conditions("app.store.shop.0")["Db"].startswith(
        '(metadata.annotations["rookery.dev/node"] == "plain") && (true) || '
    )


def test_what_cannot_be_carried_is_said_once_and_left_to_kstatus(tmp_path: Path) -> None:
    texts = (rgd(db("db", "${!has(db.status)}")), instance(), instance(name="other"))
    rendered = Rendered(tmp_path, *texts)
    assert rendered.said.count("warning[flux-not-carried]") == 1
    assert rendered.checked("app.store.shop.0") == ["shop-db"]
    assert rendered.conditions("app.store.shop.0") == {}


def test_nobody_waits_for_an_instance_itself(tmp_path: Path) -> None:
    inner = rgd(db("db"), kind="Inner")
    outer = rgd(
        "- id: inner\n  readyWhen: [\"${inner.status.state == 'ACTIVE'}\"]\n"
        "  template: {apiVersion: kro.run/v1alpha1, kind: Inner, metadata: {name: shop}}\n"
        + config_map("next", '{x: "${inner.metadata.name}"}')
    )
    rendered = Rendered(tmp_path, inner, outer, instance(), options=("--emit", "instances"))
    assert rendered.said.count("warning[flux-not-carried]") == 1
    assert rendered.checked("app.store.shop.0") == ["shop-db"]
    assert "app.store.shop/1/next.yaml" in rendered.files


# -- options ----------------------------------------------------------------------------------------------------------


def test_options_reach_the_kustomizations(tmp_path: Path) -> None:
    named = ("--flux-source", "OCIRepository/apps", "--flux-namespace", "team")
    options = (*named, "--flux-interval", "1h30m", "--flux-timeout", "90s")
    [made] = Rendered(tmp_path, rgd(config_map("a")), instance(), options=options).kustomizations.values()
    assert made["metadata"]["namespace"] == "team"
    assert made["spec"]["sourceRef"] == {"kind": "OCIRepository", "name": "apps"}
    assert (made["spec"]["interval"], made["spec"]["timeout"]) == ("1h30m", "90s")
    assert made["spec"]["path"] == "./deploy/app.store.shop/0"


@pytest.mark.parametrize(
    ("git", "directory", "path", "is_guessed"),
    [
        (".", "{}/work/apps/deploy", "./work/apps/deploy/", False),
        ("work/apps", "{}/work/apps/deploy", "./deploy/", False),
        ("work", "deploy", "./here/deploy/", False),
        ("work", "../deploy/prod", "./deploy/prod/", False),
        ("work", "../../outside", "./outside/", True),
        ("work/here", ".", "./", False),
        ("", "deploy/", "./deploy/", False),
        ("", "{}/work/here/.deploy", "./.deploy/", False),
        ("", "{}/elsewhere/deploy", "./deploy/", True),
        ("", "../deploy", "./deploy/", True),
    ],
)
def test_where_the_directory_is_in_the_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, git: str, directory: str, path: str, *, is_guessed: bool
) -> None:
    """As it is in the work tree of Git, or else below the current directory; otherwise a warning says what is guessed."""
    here = tmp_path / "work" / "here"
    here.mkdir(parents=True)
    if git:
        (tmp_path / git).mkdir(parents=True, exist_ok=True)
        (tmp_path / git / ".git").write_text("gitdir: elsewhere\n")
    (tmp_path / "rgd.yaml").write_text(rgd(config_map("a")))
    (tmp_path / "instance.yaml").write_text(instance())
    monkeypatch.chdir(here)
    words = [str(tmp_path / "rgd.yaml"), str(tmp_path / "instance.yaml"), "--target", "flux"]
    output = directory.format(tmp_path)
    code, _, said = rookery("render", *words, "-o", output)
    assert code == EXIT_OK
    assert ("warning[flux-path-guessed]" in said) is is_guessed
    made = yaml.safe_load((here / output / "app.store.shop" / "kustomizations.yaml").read_text())
    assert made["spec"]["path"] == f"{path}app.store.shop/0"


# -- what moves -------------------------------------------------------------------------------------------------------

MOVES = rgd(
    db("db").replace("- id: db\n", '- id: db\n  forEach: [{v: "${schema.spec.list}"}]\n').replace("${db.", "${each.").replace('-db"', '-${v}"')
    + config_map("conf", '{all: "${db.map(d, d.metadata.name).join(\',\')}"}', name="${schema.spec.name}"),
    spec='{list: "[]string", name: "string | default=conf"}',
)  # fmt: skip


def test_what_goes_to_another_kustomization_is_said(tmp_path: Path) -> None:
    Rendered(tmp_path, MOVES, instance("{list: []}"))
    later = Rendered(tmp_path, MOVES, instance("{list: [a]}"))
    assert later.said.count("[flux-moved]") == 1
    says = "warning[flux-moved]: ConfigMap store/conf moves from Kustomization app.store.shop.0 to app.store.shop.1: "
    assert f"{tmp_path / '0.yaml'}:19:9: {says}" in later.said
    assert "kustomize.toolkit.fluxcd.io/prune: disabled" in later.said
    assert "[flux-moved]" not in Rendered(tmp_path, MOVES, instance("{list: [a, b]}")).said
    assert (
        "from Kustomization app.store.shop.1 to app.store.shop.0"
        in Rendered(tmp_path, MOVES, instance("{list: []}")).said
    )


def test_another_object_has_not_moved(tmp_path: Path) -> None:
    Rendered(tmp_path, MOVES, instance("{list: []}"))
    assert "[flux-moved]" not in Rendered(tmp_path, MOVES, instance("{list: [a], name: other}")).said


def test_what_flux_keeps_may_move(tmp_path: Path) -> None:
    kept = MOVES.replace(
        'name: "${schema.spec.name}"}',
        'name: "${schema.spec.name}", annotations: {kustomize.toolkit.fluxcd.io/prune: disabled}}',
    )
    assert kept != MOVES
    Rendered(tmp_path, kept, instance("{list: []}"))
    assert "[flux-moved]" not in Rendered(tmp_path, kept, instance("{list: [a]}")).said


@pytest.mark.parametrize("what", ["link", "folder", "binary", "list", "no name", "gone", "large"])
def test_a_directory_may_hold_anything(tmp_path: Path, what: str) -> None:
    Rendered(tmp_path, MOVES, instance("{list: []}"))
    file = tmp_path / "deploy/app.store.shop/0/conf.yaml"
    text = file.read_text()
    file.unlink()
    if what == "link":
        (tmp_path / "real").write_text(text)
        file.symlink_to(tmp_path / "real")
    elif what == "folder":
        file.mkdir()
    elif what != "gone":
        contents = {"binary": b"\xff\x00", "list": b"- 1\n", "no name": b"metadata: {}\nkind: [x]\n"}
        file.write_bytes(contents.get(what, text.encode() + b"#" * (1 << 20)))
    assert "[flux-moved]" not in Rendered(tmp_path, MOVES, instance("{list: [a]}")).said


def test_an_index_that_is_no_file_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "deploy/.rookery").mkdir(parents=True)
    (tmp_path / "all.yaml").write_text(f"{MOVES}---\n{instance()}")
    words = ["--target", "flux", "-o", str(tmp_path / "deploy"), "--flux-path", "d"]
    code, _, said = rookery("render", str(tmp_path / "all.yaml"), *words)
    assert (code, "error[cannot-write]" in said) == (EXIT_REFUSED, True)


def test_a_node_may_be_called_as_a_list_of_kustomize_is(tmp_path: Path) -> None:
    rendered = Rendered(tmp_path, rgd(config_map("kustomization")), instance())
    assert "app.store.shop/0/kustomization_.yaml" in rendered.files
    listed = yaml.safe_load((tmp_path / "deploy/app.store.shop/0/kustomization.yaml").read_text())
    assert listed["resources"] == ["kustomization_.yaml"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([], "say which with -o DIR"),
        (["-o", "d", "--deferred", "apply-time"], "for kpt live alone"),
        (["-o", "d", "--flux-path", "../d"], "leads out of the source"),
        (["-o", "d", "--flux-namespace", "A"], "name of a namespace"),
        (["-o", "d", "--flux-source", "GitRepo/x"], "did you mean GitRepository?"),
        (["-o", "d", "--flux-source", "Bucket"], "is KIND/NAME"),
        (["-o", "d", "--flux-interval", "10"], "is a time such as"),
        (["-o", "d", "--flux-timeout", "0m"], "--flux-timeout is a time such as 5m"),
        (["-o", "d", "--flux-interval", "0s"], "is a time such as"),
        (["-o", "d", "--flux-interval", ".m"], "is a time such as"),
    ],
)
def test_what_flux_would_not_take_is_a_mistake_of_usage(options: list[str], says: str) -> None:
    code, out, said = rookery("render", "x", "--target", "flux", *options)
    assert (code, out) == (EXIT_USAGE, "")
    assert says in said


def test_a_long_name_is_cut_and_told_apart(tmp_path: Path) -> None:
    names = [f"{'very-' * 20}long", f"{'very-' * 20}longer"]
    texts = (rgd(db("db") + config_map("next", '{x: "${db.metadata.name}"}')), *(instance(name=name) for name in names))
    rendered = Rendered(tmp_path, *texts)
    assert len(rendered.kustomizations) == 4
    assert all(len(name) <= 63 for name in rendered.kustomizations)
