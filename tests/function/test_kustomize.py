"""Under kustomize: which part is played, where sources come from, what comes back. tests/hosts has the same against kustomize."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.function.lists import KPTFILE, Answer, app, definition, fn, resource_list
from tests.rendering import config_map, instance, rgd
from tests.snapshots import snapshot

if TYPE_CHECKING:
    from pathlib import Path

RGD = rgd(config_map("cm", '{x: "${schema.spec.x}"}'), spec='{x: "string | default=y"}')
FUNCTION = {"config.kubernetes.io/function": "exec: {path: rookery, args: [fn]}\n"}
HOST = {
    "config.kubernetes.io/index": "0",
    "internal.config.kubernetes.io/index": "0",
    "internal.config.kubernetes.io/id": "1",
    "config.k8s.io/id": "1",
}


def config(**spec: Any) -> dict[str, Any]:
    """A config as kustomize hands it on."""
    return {
        "apiVersion": "fn.rookery.dev/v1alpha1",
        "kind": "RenderConfig",
        "metadata": {"name": "all", "annotations": {**FUNCTION, "config.kubernetes.io/local-config": "true"}},
        "spec": spec,
    }


def with_annotations(value: dict[str, Any], **more: str) -> dict[str, Any]:
    metadata = {**value["metadata"], "annotations": {**value["metadata"].get("annotations", {}), **more}}
    return {**value, "metadata": metadata}


def generate(environment: dict[str, str] | None = None, **spec: Any) -> Answer:
    """The function as kustomize runs a generator: the one item is the config."""
    of = config(**spec)
    return fn(listed(with_annotations(of, **HOST), config=of), environment)


def transform(*texts: str, environment: dict[str, str] | None = None, **spec: Any) -> Answer:
    """The function as kustomize runs a transformer: every item has kustomize's id."""
    items = [yaml.safe_load(text) for text in texts]
    known = [
        with_annotations(item, **{**HOST, "kustomize.config.k8s.io/id": f"kind: {item['kind']}\n"}) for item in items
    ]
    return fn(listed(*known, config=config(**spec)), environment)


def listed(*items: dict[str, Any], config: dict[str, Any]) -> str:
    head = {"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "items": list(items)}
    return yaml.safe_dump({**head, "functionConfig": config}, sort_keys=False)


def objects(answer: Answer) -> list[tuple[str, str]]:
    return [(item["kind"], item["metadata"]["name"]) for item in answer.list.get("items", [])]


def inline(*texts: str) -> list[Any]:
    return [yaml.safe_load(text) for text in texts]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a kustomization in `apps/shop`, which is the working directory."""
    (tmp_path / ".git").mkdir()
    here = tmp_path / "apps" / "shop"
    here.mkdir(parents=True)
    (tmp_path / "platform").mkdir()
    (tmp_path / "platform" / "rgd.yaml").write_text(RGD)
    (here / "shop.yaml").write_text(instance())
    monkeypatch.chdir(here)
    return here


# -- generator -----------------------------------------------------------------------------------------------------


def test_a_generator_answers_with_the_rendered_objects_alone() -> None:
    answer = generate(resources=inline(RGD, instance("{x: z}")))
    assert answer.code == 0, answer.stderr
    [made] = answer.list["items"]
    assert made == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "shop-cm",
            "namespace": "store",
            "annotations": {"rookery.dev/instance": "kro.run/App/store/shop", "rookery.dev/node": "cm"},
        },
        "data": {"x": "z"},
    }


def test_sources_by_path_are_relative_to_the_working_directory(folder: Path) -> None:
    answer = generate(paths=["../../platform/rgd.yaml", "shop.yaml"])
    assert answer.code == 0, answer.stderr
    assert objects(answer) == [("ConfigMap", "shop-cm")]


def test_a_folder_may_hold_the_files_of_kustomize_and_of_the_function_too(folder: Path) -> None:
    (folder / "kustomization.yaml").write_text("generators: [rookery.yaml]\n")
    (folder / "rookery.yaml").write_text(yaml.safe_dump(config(paths=["."])))
    (folder / "other.yaml").write_text("apiVersion: v1\nkind: Secret\nmetadata: {name: other}\n")
    emitted = generate(paths=["../../platform", "."], emit=["instances"])
    assert objects(emitted) == [("ConfigMap", "shop-cm"), ("App", "shop")]
    (folder / "rendered.yaml").write_text("---\n".join(map(yaml.safe_dump, emitted.list["items"])))
    assert generate(paths=["../../platform", "."], emit=["instances"]).list["items"] == emitted.list["items"]


def test_in_a_config_map_there_is_a_path_a_line(folder: Path) -> None:
    of = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "all", "annotations": FUNCTION},
        "data": {"paths": "../../platform\nshop.yaml\n", "strict": "true"},
    }
    assert objects(fn(listed(with_annotations(of, **HOST), config=of))) == [("ConfigMap", "shop-cm")]


def test_observed_objects_and_crds_have_paths_of_their_own(folder: Path) -> None:
    zone = "- id: zone\n  externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {name: zone, namespace: store}}\n"
    text = rgd(zone + config_map("cm", '{zone: "${zone.data.name}"}'))
    (folder / "observed.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: zone, namespace: store}\ndata: {name: north}\n"
    )
    answer = generate(resources=inline(text, instance()), observed=["observed.yaml"], crds=["../../platform"])
    assert answer.code == 0, answer.stderr
    assert [item["data"] for item in answer.list["items"]] == [{"zone": "north"}]


def test_what_everything_else_needs_comes_first() -> None:
    resources = config_map("cm") + "- id: ns\n  template: {apiVersion: v1, kind: Namespace, metadata: {name: made}}\n"
    answer = generate(resources=inline(rgd(resources), instance()))
    assert [kind for kind, _ in objects(answer)] == ["Namespace", "ConfigMap"]


@pytest.mark.parametrize(
    ("resources", "why"),
    [
        pytest.param([], "there is no ResourceGraphDefinition among the sources", id="nothing"),
        pytest.param([RGD], "there is no instance among the sources", id="no-instance"),
        pytest.param(
            [rgd(config_map("cm", more="includeWhen: ['${false}']")), instance()],
            "the instances make no object now",
            id="excluded",
        ),
    ],
)
def test_an_empty_result_is_an_error_unless_allowed(resources: list[str], why: str) -> None:
    answer = generate(resources=inline(*resources))
    assert answer.code == 1
    assert answer.stderr.startswith(f"error[empty-output]: the result is empty: {why}; correct paths or resources")
    allowed = generate(resources=inline(*resources), allowEmpty=True)
    assert (allowed.code, allowed.list["items"]) == (0, [])


@pytest.mark.parametrize(
    ("environment", "git", "path", "code"),
    [
        pytest.param({}, True, "../../platform", 0, id="inside-the-repository"),
        pytest.param({}, True, "../../../elsewhere.yaml", 1, id="out-of-the-repository"),
        pytest.param({}, True, "/etc/hostname", 1, id="absolute"),
        pytest.param({}, True, "link.yaml", 1, id="a-link-out"),
        pytest.param({}, False, "../../platform", 1, id="no-repository"),
        pytest.param({"ROOKERY_ROOT": "../.."}, False, "../../platform", 0, id="root-given"),
        pytest.param({"ROOKERY_ROOT": ".."}, True, "../../platform", 1, id="root-given-narrower"),
    ],
)
def test_no_path_leads_out_of_the_repository(
    folder: Path, environment: dict[str, str], git: bool, path: str, code: int
) -> None:
    root = folder.parents[1]
    (root.parent / "elsewhere.yaml").write_text(RGD)
    (folder / "link.yaml").symlink_to(root.parent / "elsewhere.yaml")
    if not git:
        (root / ".git").rmdir()
    answer = generate(environment, paths=[path, "shop.yaml"])
    assert answer.code == code, answer.stderr
    if code:
        what = "$ROOKERY_ROOT" if environment else "the Git repository" if git else "the kustomization's folder, which"
        assert answer.stderr.startswith(f"error[path-outside]: spec.paths: {path} leads out of {what}")


def test_all_that_is_wrong_with_paths_is_said_at_once(folder: Path) -> None:
    answer = generate(paths=["../../../x"], crds=["missing.yaml"], observed=["-"])
    assert [line.partition(":")[0] for line in answer.stderr.splitlines()] == [
        "error[file-not-found]", "error[file-not-found]", "error[path-outside]",
    ]  # fmt: skip


def test_a_problem_of_a_file_has_line_and_column(folder: Path) -> None:
    (folder / "shop.yaml").write_text(
        "apiVersion: kro.run/v1alpha1\nkind: App\nmetadata: {name: shop}\nspec:\n  x: 5\n"
    )
    answer = generate(paths=["../../platform", "shop.yaml"])
    assert answer.stderr.startswith("shop.yaml:5:6: error[instance-wrong-type]: App/shop spec.x: spec.x is")


def test_a_problem_of_the_stream_has_no_place_that_nobody_can_look_at() -> None:
    answer = generate(resources=inline(RGD, instance("{x: 5}")))
    assert answer.stderr.startswith("error[instance-wrong-type]: App/store/shop spec.x: ")


@pytest.mark.parametrize("more", [{"allowEmpty": True}, {}], ids=["allow-empty", "plain"])
def test_a_config_of_kpt_says_nothing_about_sources(more: dict[str, Any]) -> None:
    of = config(paths=["x"], validator="kustomize", **more)
    of["metadata"].pop("annotations")
    answer = fn(resource_list(KPTFILE, definition(), app(), config=yaml.safe_dump(of)))
    assert answer.code == 1
    assert answer.messages("config-host") == [
        *(["allowEmpty is for kustomize; in a package RGDs, instances and the rest are items"] if more else []),
        "paths is for kustomize; in a package RGDs, instances and the rest are items",
        "validator: kustomize would delete every file of a package; validator: echo passes all items on",
    ]
    assert answer.texts == [KPTFILE, definition(), app()]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"paths": "a.yaml"}, "paths is 'a.yaml'; it is a list of paths"),
        ({"paths": [1]}, "paths is a list; it is a list of paths"),
        ({"resources": {"a": 1}}, "resources is a dict; it is a list of objects"),
        ({"resources": ["a"]}, "resources is a list; it is a list of objects"),
        ({"allowEmpty": "true"}, "allowEmpty is 'true'; it is true or false"),
        ({"validator": "yes"}, "validator is 'yes'; it is one of echo, kustomize"),
        ({"validator": "echo"}, "validator: echo makes no sense in a generator; list the function under validators"),
    ],
    ids=["path-text", "path-number", "resources-mapping", "resources-text", "flag-text", "validator", "role"],
)
def test_a_config_that_makes_no_sense(spec: dict[str, Any], message: str) -> None:
    answer = generate(**spec)
    assert answer.code == 1
    assert [result["message"] for result in answer.results] == [message]


@pytest.mark.parametrize("character", ["\x7f", "\x85", "\uffff"], ids=["delete", "next-line", "no-character"])
@pytest.mark.parametrize("data", ['{a: {{x: "{}"}}}', '{a: {{"{}": x}}}'], ids=["value", "key"])
def test_what_kustomize_cannot_write_is_refused(character: str, data: str) -> None:
    """It would fail with a dump of the object, or lose the character."""
    escaped = character.encode("unicode_escape").decode()
    answer = generate(resources=inline(rgd(config_map("cm", data[4:-1].format(escaped))), instance()))
    assert answer.code == 1
    assert answer.stderr.startswith("error[unfit-character]: App/store/shop: data.")
    assert f"has the character U+{ord(character):04X}, which kustomize cannot write" in answer.stderr


def test_a_path_with_a_null_character_is_no_file(folder: Path) -> None:
    assert generate(paths=["a\0b"]).stderr.startswith("error[file-not-found]")


# -- transformer ---------------------------------------------------------------------------------------------------

OTHER = "apiVersion: v1\nkind: Secret\nmetadata: {name: other, namespace: store, annotations: {a: b}}\n"


def test_a_transformer_takes_its_sources_out_and_passes_the_rest_on() -> None:
    given = transform(OTHER, validator="echo")
    answer = transform(RGD, OTHER, instance())
    assert answer.code == 0, answer.stderr
    assert objects(answer) == [("Secret", "other"), ("ConfigMap", "shop-cm")]
    assert answer.texts[0] == given.texts[0]
    assert "kustomize.config.k8s.io/id" in answer.texts[0]
    assert "kustomize" not in answer.texts[1]
    assert "config.kubernetes.io/path" not in answer.stdout


def test_a_snapshot_is_a_source_and_is_not_applied() -> None:
    seen = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "seen", "namespace": "store"},
        "data": {"k": "z"},
    }
    reference = "- id: ref\n  externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {name: seen}}\n"
    answer = transform(rgd(reference + config_map("cm", '{x: "${ref.data.k}"}')), instance(), snapshot(seen))
    assert objects(answer) == [("ConfigMap", "shop-cm")]


def test_definitions_of_a_transformer_may_come_by_path(folder: Path) -> None:
    assert objects(transform(instance(), paths=["../../platform"])) == [("ConfigMap", "shop-cm")]


def test_a_second_time_there_is_nothing_to_do() -> None:
    answer = transform(OTHER)
    assert (answer.code, objects(answer)) == (0, [("Secret", "other")])


def test_only_sources_and_nothing_made_is_an_empty_result() -> None:
    assert transform(RGD).stderr.startswith("error[empty-output]")
    assert transform(RGD, allowEmpty=True).list["items"] == []
    assert fn(listed(config=config())).stderr.startswith("error[empty-output]")


def test_earlier_output_is_replaced_where_it_stands() -> None:
    first = transform(RGD, instance())
    earlier = [yaml.safe_dump(item) for item in first.list["items"]]
    renamed = earlier[0].replace("name: shop-cm", "name: production-shop-cm")
    again = transform(renamed, OTHER, RGD, instance("{x: new}"))
    assert again.code == 0, again.stderr
    assert objects(again) == [("ConfigMap", "shop-cm"), ("Secret", "other")]
    assert again.list["items"][0]["data"] == {"x": "new"}
    assert "kustomize.config.k8s.io/id" in again.texts[0]


def test_output_of_an_instance_that_is_not_there_stays() -> None:
    """A base has rendered it, whose transformer took the instance out; what an instance that is there does not make goes."""
    first = transform(RGD, instance(), instance(name="base"))
    earlier = [yaml.safe_dump(item) for item in first.list["items"]]
    empty = rgd(config_map("cm", more="includeWhen: ['${false}']"))
    assert objects(transform(*earlier, empty, instance())) == [("ConfigMap", "base-cm")]


def test_an_object_of_somebody_else_is_not_overwritten() -> None:
    answer = transform(
        RGD, instance(), "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop-cm, namespace: store}\n"
    )
    assert answer.code == 1
    assert answer.stderr.startswith("error[not-ours]: ConfigMap/store/shop-cm: ConfigMap/store/shop-cm is no output of")


def test_emitted_instances_take_the_place_of_their_sources() -> None:
    answer = transform(RGD, instance(), emit=["instances"])
    assert answer.code == 0, answer.stderr
    assert objects(answer) == [("ConfigMap", "shop-cm"), ("App", "shop")]


def test_expressions_do_not_see_what_kustomize_notes() -> None:
    answer = transform(rgd(config_map("cm", "${schema.metadata.?annotations.orValue({})}")), instance())
    assert answer.list["items"][0]["data"] == {}


# -- validator -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("validator", "count"), [("echo", 3), ("kustomize", 0)])
def test_a_validator_only_checks(validator: str, count: int) -> None:
    answer = transform(RGD, instance(), OTHER, validator=validator)
    assert answer.code == 0, answer.stderr
    assert len(answer.list["items"]) == count
    assert "items: []" in answer.stdout or count
    assert answer.texts == transform(RGD, instance(), OTHER, validator="echo").texts[:count]
    refused = transform(RGD, instance("{x: 5}"), OTHER, validator=validator)
    assert refused.code == 1
    assert "spec.x is" in refused.stderr.splitlines()[0]


def test_a_validator_has_nothing_against_an_empty_list() -> None:
    assert fn(listed(config=config(validator="kustomize"))).code == 0


def test_in_a_package_it_checks_too() -> None:
    of = config(validator="echo")
    of["metadata"].pop("annotations")
    answer = fn(resource_list(KPTFILE, definition(), app(), config=yaml.safe_dump(of)))
    assert (answer.code, answer.texts) == (0, [KPTFILE, definition(), app()])
