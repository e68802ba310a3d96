"""
The commands of the Argo CD plugin, without Argo CD: what comes out, what is refused, and that a refusal prints nothing but its cause.
"""

from __future__ import annotations

import gc
import io
import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from krm_fn.command import EXIT_OK, EXIT_REFUSED, EXIT_USAGE, run
from krm_fn.command.cmp_parameters import PARAMETERS, read_settings
from krm_fn.report.diagnostic import RenderError
from tests.rendering import config_map, instance, rgd
from tests.snapshots import CLUSTER, snapshot

ROOT = Path(__file__).resolve().parents[2]
FIXTURE = ROOT / "fixtures" / "argocd-application"


class Repository:
    """A copy of a repository, with the application at `apps/shop`, as the plugin server lays it out."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.app = root / "apps" / "shop"
        self.app.mkdir(parents=True)
        self.write(
            {
                "apps/shop/rgd.yaml": rgd(
                    config_map("cm", '{x: "${schema.spec.x}"}'), spec='{x: "string | default=y"}'
                ),
                "apps/shop/instance.yaml": instance(),
            }
        )
        monkeypatch.chdir(self.app)

    def write(self, texts: dict[str, str]) -> None:
        for name, text in texts.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def run(
        self, action: str = "generate", *, env: dict[str, str] | None = None, **parameters: Any
    ) -> tuple[int, str, str]:
        """Parameters: a text or a list each. Returns exit code, stdout, stderr."""
        entries = [{"name": k, "array" if isinstance(v, list) else "string": v} for k, v in parameters.items()]
        environment = {
            "ARGOCD_APP_SOURCE_PATH": "apps/shop",
            **({"ARGOCD_APP_PARAMETERS": json.dumps(entries)} if entries else {}),
        }
        out, err = io.BytesIO(), io.StringIO()
        gc.disable()  # as the process does: a deadline that passes inside the collector's call-backs is lost
        try:
            code = run(["cmp", action], io.BytesIO(), out, err, {**environment, **(env or {})})
        finally:
            gc.enable()
        return code, out.getvalue().decode(), err.getvalue()

    def objects(self, **parameters: Any) -> list[dict[str, Any]]:
        code, out, err = self.run(**parameters)
        assert (code, err) == (EXIT_OK, "")
        return [json.loads(line) for line in out.splitlines()]

    def refused(self, **parameters: Any) -> str:
        """The first line of what a refusal says."""
        code, out, err = self.run(**parameters)
        assert (code, out) == (EXIT_REFUSED, ""), err
        return err.splitlines()[0]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    return Repository(tmp_path / "copy", monkeypatch)


def names(objects: list[dict[str, Any]]) -> list[str]:
    return [made["metadata"]["name"] for made in objects]


# -- what comes out ---------------------------------------------------------------------------------------------------


def test_one_object_a_line_and_nothing_else(repository: Repository) -> None:
    code, out, err = repository.run()
    assert (code, err) == (EXIT_OK, "")
    assert json.loads(out) == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "shop-cm",
            "namespace": "store",
            "annotations": {"rookery.dev/instance": "kro.run/App/store/shop", "rookery.dev/node": "cm"},
        },
        "data": {"x": "y"},
    }


def test_the_objects_are_those_of_render(repository: Repository) -> None:
    out = io.BytesIO()
    assert run(["render", "."], io.BytesIO(), out, io.StringIO(), {}) == EXIT_OK
    assert repository.objects() == list(yaml.safe_load_all(out.getvalue()))


def test_numbers_keep_the_kind_that_go_gives_them(repository: Repository) -> None:
    data = '{a: "${1.0}", b: "${0.5}", c: "${9007199254740993}", d: "${1e16}", e: "nginx:1.0", f: "${2.0 * 1e21}"}'
    repository.write(
        {"apps/shop/rgd.yaml": rgd(config_map("cm", data).replace(" data:", " spec:").replace("ConfigMap", "Thing"))}
    )
    out = repository.run()[1]
    assert '"spec":{"a":1,"b":0.5,"c":9007199254740993,"d":10000000000000000,"e":"nginx:1.0","f":2e+21}' in out


def test_other_manifests_pass_through_and_sources_do_not(repository: Repository) -> None:
    other = "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {ports: [{port: 010}], x: 1.0, on: yes}\n"
    local = (
        'apiVersion: v1\nkind: Service\nmetadata: {name: l, annotations: {config.kubernetes.io/local-config: "true"}}\n'
    )
    config = "apiVersion: fn.rookery.dev/v1alpha1\nkind: RenderConfig\nmetadata: {name: c}\n"
    seen = 'apiVersion: v1\nkind: Service\nmetadata: {name: seen, annotations: {rookery.dev/observed: "true"}}\n'
    repository.write({f"apps/shop/{i}.yaml": text for i, text in enumerate((other, local, config, seen))})
    objects = repository.objects()
    assert names(objects) == ["shop-cm", "s"]
    assert objects[1]["spec"] == {"ports": [{"port": 8}], "x": 1, "true": True}


def test_namespaces_and_crds_of_instances_come_first(repository: Repository) -> None:
    ns = '- id: ns\n  template: {apiVersion: v1, kind: Namespace, metadata: {name: "${cm.metadata.name}"}}\n'
    repository.write({"apps/shop/rgd.yaml": rgd(config_map("cm") + ns)})
    assert [made["kind"] for made in repository.objects()] == ["Namespace", "ConfigMap"]


def test_withheld_nodes_are_warnings_on_stderr(repository: Repository) -> None:
    repository.write({"apps/shop/rgd.yaml": rgd(config_map("cm") + config_map("later", '{x: "${cm.metadata.uid}"}'))})
    code, out, err = repository.run()
    assert (code, out.count("\n")) == (EXIT_OK, 2)  # the other one is the marker
    assert err.startswith(
        "apps/shop/rgd.yaml:23:20: warning[deferred]: later (ConfigMap) of App/store/shop is withheld: "
    )
    assert repository.refused(strict="true").startswith("apps/shop/rgd.yaml:23:20: error[deferred]")
    repository.write(
        {
            "apps/shop/rgd.yaml": rgd(
                config_map("cm") + config_map("later", "{x: \"${cm.metadata.?generateName.orValue('n')}\"}")
            )
        }
    )
    assert names(repository.objects(deferred="fallback")) == ["shop-cm", "shop-later"]
    assert "error[deferred]" in repository.refused(deferred="fail")


# -- parameters -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "  ", "null", "[]"])
def test_no_parameters_are_no_parameters(repository: Repository, text: str) -> None:
    assert repository.run(env={"ARGOCD_APP_PARAMETERS": text})[:2] == repository.run()[:2]


@pytest.mark.parametrize(
    ("parameters", "env", "namespace"),
    [
        pytest.param({}, {}, "default", id="default"),
        pytest.param({}, {"ARGOCD_APP_NAMESPACE": "argo"}, "argo", id="the application's"),
        pytest.param({"namespace": "mine"}, {"ARGOCD_APP_NAMESPACE": "argo"}, "mine", id="the parameter first"),
        pytest.param({"namespace": ""}, {"ARGOCD_APP_NAMESPACE": "argo"}, "argo", id="an empty parameter is none"),
    ],
)
def test_the_namespace_of_instances_without_one(
    repository: Repository, parameters: dict[str, str], env: dict[str, str], namespace: str
) -> None:
    repository.write({"apps/shop/instance.yaml": instance(namespace="")})
    assert json.loads(repository.run(env=env, **parameters)[1])["metadata"]["namespace"] == namespace


KEPT = "Prune=false,Delete=false"


@pytest.mark.parametrize(
    ("authors", "expected"),
    [(None, KEPT), ("Replace=true", f"Replace=true,{KEPT}"), ("Delete=false", "Delete=false,Prune=false")],
)
def test_argo_cd_never_removes_an_api(repository: Repository, authors: str | None, expected: str) -> None:
    (repository.app / "instance.yaml").unlink()
    own = {"argocd.argoproj.io/sync-options": authors} if authors else {}
    document = yaml.safe_load((repository.app / "rgd.yaml").read_text())
    document["spec"]["schema"]["metadata"] = {"annotations": {"note": "own", **own}}
    (repository.app / "rgd.yaml").write_text(yaml.safe_dump(document))
    [crd] = repository.objects(emit=["api"])
    assert crd["metadata"] == {
        "name": "apps.kro.run",
        "annotations": {"note": "own", "argocd.argoproj.io/sync-options": expected},
    }


def test_an_api_that_is_a_manifest_too_is_an_error(repository: Repository) -> None:
    [crd, _] = repository.objects(emit=["api"])
    (repository.app / "crd.yaml").write_text(yaml.safe_dump(crd))
    assert "error[not-ours]" in repository.refused(emit=["api"])


def test_emit_and_labels(repository: Repository) -> None:
    assert [made["kind"] for made in repository.objects(emit=["instances"])] == ["ConfigMap", "App"]
    [made] = repository.objects(kroLabels="true")
    assert made["metadata"]["labels"]["kro.run/node-id"] == "cm"


BAD_PARAMETERS = [
    pytest.param('[{"name": "path", "array": ["x"]}]', "parameter-unknown", "did you mean paths?", id="a typo"),
    pytest.param(
        '[{"name": "zzz", "string": "x"}]', "parameter-unknown", "the parameters are paths, ", id="no such name"
    ),
    pytest.param(
        '[{"name": "$(id)\\n\\u001b[2J", "string": "x"}]',
        "parameter-unknown",
        r"$(id)\n\x1b[2J is no",
        id="a hostile name",
    ),
    pytest.param('[{"name": "strict", "string": "yes"}]', "parameter-value", "one of false, true", id="no flag"),
    pytest.param('[{"name": "strict", "string": true}]', "parameter-value", "no string", id="a boolean"),
    pytest.param('[{"name": "strict", "map": {"a": "b"}}]', "parameter-value", "`string:`", id="a map"),
    pytest.param('[{"name": "paths", "string": "x"}]', "parameter-value", "`array:`", id="a text for a list"),
    pytest.param('[{"name": "paths", "array": [1]}]', "parameter-value", "no list of words", id="a number in a list"),
    pytest.param(
        '[{"name": "deferred", "string": "maybe"}]', "parameter-value", "withhold, fallback, fail", id="a policy"
    ),
    pytest.param(
        '[{"name": "deferred", "string": "apply-time"}]', "parameter-value", "kpt live does", id="a policy of kpt's"
    ),
    pytest.param('[{"name": "emit", "array": ["rgds"]}]', "parameter-value", "one of instances, api", id="emit"),
    pytest.param(
        '[{"name": "namespace", "string": "$(id)"}]', "parameter-value", "namespace", id="a namespace of shell"
    ),
    pytest.param(
        '[{"name": "strict", "string": "true"}, {"name": "strict"}]', "parameter-repeated", "twice", id="twice"
    ),
    pytest.param("{", "parameters-unreadable", "is no JSON", id="no JSON"),
    pytest.param("[" * 100_000, "parameters-unreadable", "is no JSON", id="depth"),
    pytest.param("{}", "parameters-unreadable", "is no list", id="no list"),
    pytest.param("[1]", "parameters-unreadable", "without a name", id="no entry"),
]


@pytest.mark.parametrize(("text", "code", "says"), BAD_PARAMETERS)
def test_bad_parameters_are_errors(repository: Repository, text: str, code: str, says: str) -> None:
    exit_code, out, err = repository.run(env={"ARGOCD_APP_PARAMETERS": text})
    assert (exit_code, out) == (EXIT_REFUSED, "")
    assert err.startswith(f"error[{code}]: ")
    assert says in err.splitlines()[0]


NAMES = st.sampled_from([parameter.name for parameter in PARAMETERS]) | st.text(max_size=8)
VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.lists(st.text(max_size=8) | st.integers(), max_size=2)
)
ENTRIES = st.fixed_dictionaries({}, optional={"name": NAMES | VALUES, "string": VALUES, "array": VALUES, "map": VALUES})


@given(st.lists(ENTRIES | VALUES, max_size=3) | VALUES | ENTRIES)
def test_any_json_is_read_or_refused(value: Any) -> None:
    codes, paths = [], []
    try:
        settings = read_settings({"ARGOCD_APP_PARAMETERS": json.dumps(value)})
        paths = [*settings.paths, *settings.observed, *settings.crds]
    except RenderError as error:
        codes = [problem.code for problem in error.diagnostics]
    assert all(code.startswith("parameter") for code in codes)
    assert all(isinstance(path, str) and path for path in paths)


# -- places -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def shared(repository: Repository) -> Repository:
    """The RGD lies in `platform`, beside things that no application wants."""
    os.rename(repository.app / "rgd.yaml", repository.root / "rgd.yaml")
    (repository.root / "platform").mkdir()
    os.rename(repository.root / "rgd.yaml", repository.root / "platform" / "rgd.yaml")
    repository.write(
        {
            "platform/example.yaml": instance(name="example"),
            "platform/role.yaml": "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: r}\n",
        }
    )
    return repository


def test_shared_places_give_definitions_alone(shared: Repository) -> None:
    assert names(shared.objects(paths=["../../platform"])) == ["shop-cm"]


@pytest.mark.parametrize("path", ["../..", "../../platform/rgd.yaml", "../shop/../../platform/"])
def test_ways_to_a_shared_place(shared: Repository, path: str) -> None:
    (shared.root / "platform" / "example.yaml").unlink()
    assert names(shared.objects(paths=[path])) == ["shop-cm"]


def test_a_link_to_a_shared_place_counts_once_it_is_named(shared: Repository) -> None:
    (shared.app / "rgd.yaml").symlink_to("../../platform/rgd.yaml")
    assert "error[symlink-outside]" in shared.refused()
    assert names(shared.objects(paths=["../../platform/rgd.yaml"])) == ["shop-cm"]


def test_definitions_of_the_image(shared: Repository, tmp_path: Path) -> None:
    (tmp_path / "image").mkdir()
    os.rename(shared.root / "platform" / "rgd.yaml", tmp_path / "image" / "rgd.yaml")
    (tmp_path / "more").mkdir()
    code, out, err = shared.run(env={"ROOKERY_RGDS": f"{tmp_path / 'image'}:{tmp_path / 'more'}"})
    assert (code, err) == (EXIT_OK, "")
    assert json.loads(out)["metadata"]["name"] == "shop-cm"
    code, out, err = shared.run(env={"ROOKERY_RGDS": str(tmp_path / "none")})
    assert (code, out) == (EXIT_REFUSED, "")
    assert "error[file-not-found]" in err


def test_definitions_in_a_mounted_config_map(shared: Repository, tmp_path: Path) -> None:
    """A kubelet writes a hidden folder of the day, and links into it."""
    mounted = tmp_path / "mounted"
    (mounted / "..2026_01_01").mkdir(parents=True)
    os.rename(shared.root / "platform" / "rgd.yaml", mounted / "..2026_01_01" / "rgd.yaml")
    (mounted / "..data").symlink_to("..2026_01_01")
    (mounted / "rgd.yaml").symlink_to("..data/rgd.yaml")
    assert shared.run(env={"ROOKERY_RGDS": str(mounted)})[0] == EXIT_OK


def test_instances_of_a_shared_place_are_not_the_applications(shared: Repository) -> None:
    (shared.app / "instance.yaml").unlink()
    first = shared.refused(paths=["../../platform"])
    assert first.startswith("error[empty-output]: the application has no instance of any ResourceGraphDefinition")
    assert "not in shared ones" in first


def test_observed_state_and_crds_are_never_applied(repository: Repository) -> None:
    reference = (
        "- id: ref\n  externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {name: seen, namespace: store}}\n"
    )
    repository.write(
        {
            "apps/shop/rgd.yaml": rgd(reference + config_map("cm", '{x: "${ref.data.k}"}')),
            "apps/shop/state/seen.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: seen, namespace: store}\ndata: {k: z}\n",
            "apps/shop/crds/thing.yaml": "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: x}\n"
            "spec: {group: g, scope: Cluster, names: {kind: T, plural: ts}, versions: [{name: v1, served: true}]}\n",
        }
    )
    [made] = repository.objects(observed=["state/seen.yaml"], crds=["crds"])
    assert made["data"] == {"x": "z"}


def test_a_snapshot_counts_wherever_it_lies_and_is_never_applied(repository: Repository) -> None:
    reference = "- id: ref\n  externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {name: seen}}\n"
    seen = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "seen", "namespace": "store"},
        "data": {"k": "z"},
    }
    repository.write(
        {
            "apps/shop/rgd.yaml": rgd(reference + config_map("cm", '{x: "${ref.data.k}"}')),
            "apps/shop/observed.yaml": snapshot(seen),
        }
    )
    [made] = repository.objects(cluster=CLUSTER)
    assert made["data"] == {"x": "z"}
    assert repository.refused(cluster="another").startswith(
        "apps/shop/observed.yaml:7:8: error[snapshot-other-cluster]"
    )
    (repository.app / "observed.yaml").unlink()
    assert repository.refused(cluster=CLUSTER).startswith("error[snapshot-missing]")


WAYS_OUT = [
    pytest.param("..", id="above the repository"),
    pytest.param("../../../etc", id="beside the repository"),
    pytest.param("link", id="a link out"),
    pytest.param("link/passwd", id="through a link"),
    pytest.param("dots", id="a link of dots"),
    pytest.param("/etc/passwd", id="an absolute path"),
    pytest.param("{app}", id="an absolute path that is inside"),
    pytest.param("\0", id="no path at all"),
    pytest.param("\ud800", id="half a character"),
]


@pytest.mark.parametrize("parameter", ["paths", "observed", "crds"])
@pytest.mark.parametrize("path", WAYS_OUT)
def test_no_parameter_leads_out_of_the_repository(repository: Repository, parameter: str, path: str) -> None:
    (repository.app / "link").symlink_to("/etc")
    (repository.app / "dots").symlink_to("../../..")
    given = "../../.." if path == ".." else path.format(app=repository.app)
    assert repository.refused(**{parameter: [given]}).startswith("error[path-outside]: parameter ")


def test_parameters_are_no_shell(repository: Repository, tmp_path: Path) -> None:
    first = repository.refused(paths=[f"; touch {tmp_path}/x `touch {tmp_path}/y` $(touch {tmp_path}/z)\n"])
    assert first.startswith("error[file-not-found]")
    assert not {"x", "y", "z"} & set(os.listdir(tmp_path))


def test_without_a_source_path_git_tells_the_root(shared: Repository) -> None:
    none = {"ARGOCD_APP_SOURCE_PATH": ""}
    parameters = {"ARGOCD_APP_PARAMETERS": '[{"name": "paths", "array": ["../../platform/rgd.yaml"]}]', **none}
    assert "error[path-outside]" in shared.run(env=parameters)[2]
    (shared.root / ".git").mkdir()
    assert shared.run(env=parameters)[0] == EXIT_OK


@pytest.mark.parametrize("source_path", ["../copy/apps/shop", "/", "nope", "shop/../apps/shop"])
def test_a_source_path_that_does_not_lead_here_is_not_believed(shared: Repository, source_path: str) -> None:
    code, out, err = shared.run(env={"ARGOCD_APP_SOURCE_PATH": source_path}, paths=["../../platform"])
    assert (code, out) == (EXIT_REFUSED, "")
    assert "error[path-outside]" in err


def test_an_application_at_the_root(shared: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shared.root)
    code, out, err = shared.run(env={"ARGOCD_APP_SOURCE_PATH": "."})
    assert (code, err) == (EXIT_OK, "")
    assert names([json.loads(line) for line in out.splitlines()]) == ["shop-cm", "example-cm", "r"]


def test_an_application_that_is_a_link(shared: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    (shared.root / "current").symlink_to("apps/shop")
    monkeypatch.chdir(shared.root / "current")
    code, _, err = shared.run(env={"ARGOCD_APP_SOURCE_PATH": "current"}, paths=["../../platform"])
    assert (code, err) == (EXIT_OK, "")


# -- nothing to apply -------------------------------------------------------------------------------------------------


EMPTY = [
    pytest.param({}, "has no ResourceGraphDefinition and no manifest", id="an empty directory"),
    pytest.param({"rgd.yaml": rgd(config_map("cm"))}, "has no instance", id="no instance"),
    pytest.param(
        {"rgd.yaml": rgd(config_map("cm", more='includeWhen: ["${false}"]')), "i.yaml": instance()},
        "every object is excluded or withheld",
        id="everything excluded",
    ),
]


@pytest.mark.parametrize(("files", "says"), EMPTY)
def test_an_empty_result_is_an_error_unless_it_is_allowed(
    repository: Repository, files: dict[str, str], says: str
) -> None:
    for path in repository.app.iterdir():
        path.unlink()
    repository.write({f"apps/shop/{name}": text for name, text in files.items()})
    first = repository.refused()
    assert first.startswith("error[empty-output]: ")
    assert says in first
    assert repository.run(allowEmpty="true") == (EXIT_OK, "", "")
    assert repository.refused(allowEmpty="false") == first


def test_an_application_of_plain_manifests_is_not_empty(repository: Repository) -> None:
    (repository.app / "instance.yaml").unlink()
    repository.write({"apps/shop/other.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n"})
    assert names(repository.objects()) == ["s"]


@pytest.mark.parametrize("namespace", ["", ", namespace: store"])
def test_a_manifest_that_an_instance_makes_too_is_refused(repository: Repository, namespace: str) -> None:
    repository.write(
        {"apps/shop/other.yaml": f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: shop-cm{namespace}}}\n"}
    )
    code, out, err = repository.run(env={"ARGOCD_APP_NAMESPACE": "store"})
    assert (code, out) == (EXIT_REFUSED, "")
    assert err.startswith("apps/shop/other.yaml:3:18: error[not-ours]: ")


# -- errors -----------------------------------------------------------------------------------------------------------


def test_the_cause_comes_first_and_warnings_after_it(repository: Repository) -> None:
    repository.write(
        {
            "apps/shop/rgd.yaml": rgd(config_map("cm") + config_map("later", '{x: "${cm.metadata.uid}"}')),
            "apps/shop/two.yaml": instance("{unknown: 1}", name="two"),
            "apps/shop/zero.yaml": instance(name="Zero"),
        }
    )
    code, out, err = repository.run()
    assert (code, out) == (EXIT_REFUSED, "")
    lines = err.splitlines()
    assert lines[0].startswith("apps/shop/zero.yaml:3:18: error[invalid-name]: ")
    assert all(": warning[" in line for line in lines[1:])


def test_messages_show_no_line_of_the_source(repository: Repository) -> None:
    repository.write(
        {"apps/shop/secret.yaml": 'apiVersion: v1\nkind: Secret\nstringData: {password: hunter2, "a: 1}\n'}
    )
    code, out, err = repository.run()
    assert (code, out) == (EXIT_REFUSED, "")
    assert "hunter2" not in err


def test_many_problems_are_counted(repository: Repository) -> None:
    repository.write({f"apps/shop/{i:02}.yaml": instance("{x: 5}", name=f"n{i}") for i in range(60)})
    err = repository.run()[2]
    assert len(err.splitlines()) == 51
    assert err.endswith("and 10 errors more\n")


@pytest.mark.parametrize("words", [[], ["discover"], ["generate", "x"]])
def test_usage(words: list[str]) -> None:
    out, err = io.BytesIO(), io.StringIO()
    assert run(["cmp", *words], io.BytesIO(), out, err, {}) == EXIT_USAGE
    assert "generate or parameters" in err.getvalue()


# -- the deadline -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "0", "-1", "nan", "1e3", "inf", "1_0", "9999999", "ten"])
def test_a_deadline_is_a_number_of_seconds(repository: Repository, text: str) -> None:
    code, out, err = repository.run(env={"ROOKERY_TIMEOUT": text})
    assert (code, out) == (EXIT_REFUSED, "")
    assert err.startswith("error[timeout-invalid]: $ROOKERY_TIMEOUT is ")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_deadline_that_passes_says_what_was_going_on(repository: Repository) -> None:
    """It may pass between the opening of a file and its `with`; the process ends then, here the file is left."""
    repository.write({f"apps/shop/{i}.yaml": instance(name=f"n{i}") for i in range(2000)})
    code, out, err = repository.run(env={"ROOKERY_TIMEOUT": "0.05"})
    assert (code, out) == (EXIT_REFUSED, "")
    assert err.startswith("error[timeout]: gave up after 0.05 s while reading apps/shop; ")
    assert err.count("\n") == 1


def test_a_deadline_in_the_middle_of_rendering_counts_the_instances(repository: Repository) -> None:
    slow = "{x: \"${lists.range(900).map(i, lists.range(90).map(j, string(i * j)).join(',')).join(',').size() > 0 ? 'y' : 'n'}\"}"
    repository.write({"apps/shop/rgd.yaml": rgd(config_map("cm", slow))})
    repository.write({f"apps/shop/{i}.yaml": instance(name=f"n{i}") for i in range(100)})
    code, out, err = repository.run(env={"ROOKERY_TIMEOUT": "1"})
    assert (code, out) == (EXIT_REFUSED, "")
    assert "while rendering instances: " in err
    assert " of 101 are done; " in err


# -- kustomize --------------------------------------------------------------------------------------------------------


def stand_in(folder: Path, script: str) -> dict[str, str]:
    """A program called kustomize, for what does not need the real one; the real one is met in tests/hosts."""
    folder.mkdir()
    program = folder / "kustomize"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return {"PATH": str(folder)}


def test_a_kustomization_without_kustomize_is_refused(repository: Repository) -> None:
    repository.write({"apps/shop/kustomization.yaml": "resources: [rgd.yaml]\n"})
    first = repository.refused()
    assert first.startswith(
        "error[kustomize-missing]: apps/shop/kustomization.yaml asks for kustomize, which is not on PATH"
    )


def test_kustomize_of_the_repository_is_never_run(repository: Repository, tmp_path: Path) -> None:
    repository.write({"apps/shop/kustomization.yaml": "resources: [rgd.yaml]\n"})
    stand_in(repository.app / "bin", f"touch {tmp_path}/ran")
    os.symlink("bin/kustomize", repository.app / "kustomize")
    code, out, err = repository.run(env={"PATH": ".::bin:apps/shop"})
    assert (code, out) == (EXIT_REFUSED, "")
    assert err.startswith("error[kustomize-missing]")
    assert not (tmp_path / "ran").exists()


def test_what_kustomize_prints_counts_instead_of_the_files(repository: Repository, tmp_path: Path) -> None:
    repository.write(
        {"apps/shop/kustomization.yaml": "resources: [rgd.yaml, instance.yaml]\n", "apps/shop/broken.yaml": "a: [\n"}
    )
    env = stand_in(tmp_path / "bin", 'test "$1" = build && while read -r l; do echo "$l"; done < rgd.txt')
    repository.write({"apps/shop/rgd.txt": json.dumps(next(yaml.safe_load_all(instance(name="built")))) + "\n"})
    os.rename(repository.app / "rgd.yaml", repository.root / "rgd.yaml")
    repository.write({"apps/shop/kustomization.yaml": "namePrefix: x-\n"})
    code, out, err = repository.run(env=env, paths=["../../rgd.yaml"])
    assert (code, err) == (EXIT_OK, "")
    assert json.loads(out)["metadata"]["name"] == "built-cm"


def test_what_kustomize_complains_of_comes_first_and_in_one_line(repository: Repository, tmp_path: Path) -> None:
    repository.write({"apps/shop/kustomization.yaml": "resources: []\n"})
    env = stand_in(tmp_path / "bin", "echo 'Error: no such' >&2; echo field >&2; echo '{}'; exit 1")
    code, out, err = repository.run(env=env)
    assert (code, out, err) == (EXIT_REFUSED, "", "error[kustomize-failed]: kustomize build apps/shop: no such field\n")


def test_kustomize_gets_no_environment_of_ours(repository: Repository, tmp_path: Path) -> None:
    repository.write({"apps/shop/kustomization.yaml": "resources: []\n"})
    env = stand_in(tmp_path / "bin", 'echo "${SECRET:-none}/$PATH" >&2; exit 1')
    assert "kustomize build apps/shop: none/;" in repository.run(env={**env, "SECRET": "s"})[2].replace("\n", ";")


def test_the_deadline_ends_kustomize(repository: Repository, tmp_path: Path) -> None:
    repository.write({"apps/shop/kustomization.yaml": "resources: []\n"})
    env = stand_in(tmp_path / "bin", "exec /bin/sleep 20")
    started = time.monotonic()
    code, out, err = repository.run(env={**env, "ROOKERY_TIMEOUT": "0.2"})
    assert (code, out) == (EXIT_REFUSED, "")
    assert err.startswith("error[timeout]: gave up after 0.2 s while running kustomize build apps/shop; ")
    assert time.monotonic() - started < 10


KUSTOMIZATIONS = [
    pytest.param({"kustomization.yaml": "resources: [../../../other]\n"}, id="out of the repository"),
    pytest.param({"kustomization.yaml": "resources: [/etc]\n"}, id="an absolute path"),
    pytest.param({"kustomization.yaml": "ReSources: [https://example.com/x]\n"}, id="an address, key in another case"),
    pytest.param({"kustomization.yml": "components: ['git@example.com:a/b']\n"}, id="a remote component"),
    pytest.param(
        {"Kustomization": "resources: [base]\n", "base/kustomization.yaml": "bases: [../../../..]\n"},
        id="through a base",
    ),
    pytest.param({"Kustomization": "resources: [link]\n"}, id="a link out"),
]


@pytest.mark.parametrize("files", KUSTOMIZATIONS)
def test_kustomizations_that_lead_out_are_refused_before_they_run(
    repository: Repository, tmp_path: Path, files: dict[str, str]
) -> None:
    (repository.app / "link").symlink_to("/etc")
    repository.write({f"apps/shop/{name}": text for name, text in files.items()})
    env = stand_in(tmp_path / "bin", f"touch {tmp_path}/ran")
    code, out, err = repository.run(env=env)
    assert (code, out) == (EXIT_REFUSED, "")
    assert "error[kustomize-outside]: " in err.splitlines()[0]
    assert not (tmp_path / "ran").exists()


# -- the announcement -------------------------------------------------------------------------------------------------


def test_what_is_announced(repository: Repository) -> None:
    code, out, err = repository.run("parameters", env={"ARGOCD_APP_NAMESPACE": "store"})
    assert (code, err) == (EXIT_OK, "")
    announced = {entry["name"]: entry for entry in json.loads(out)}
    assert list(announced) == ["paths", "observed", "cluster", "crds", "namespace", "gateImage"]
    assert announced["paths"]["tooltip"].endswith("; defined already: App")
    assert (announced["paths"]["collectionType"], announced["paths"]["array"]) == ("array", [])
    assert (announced["namespace"]["collectionType"], announced["namespace"]["string"]) == ("string", "store")


def test_the_announcement_needs_neither_environment_nor_sound_files(repository: Repository) -> None:
    repository.write({"apps/shop/broken.yaml": "a: [1\n"})
    environment = {"PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-m", "krm_fn", "cmp", "parameters"],
        cwd=repository.app, env={**environment, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert [entry["name"] for entry in json.loads(done.stdout)] == [
        "paths",
        "observed",
        "cluster",
        "crds",
        "namespace",
        "gateImage",
    ]
    assert "broken.yaml:" in done.stderr


# -- the process ------------------------------------------------------------------------------------------------------


def test_a_bare_environment_is_enough(repository: Repository) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "krm_fn", "cmp", "generate"],
        cwd=repository.app,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["kind"] == "ConfigMap"


def test_a_reader_that_goes_away_is_no_bug(repository: Repository) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "krm_fn", "cmp", "generate"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=repository.app, env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.wait() == 1
    assert process.stderr.read() == b""
    process.stderr.close()


def test_the_fixture_renders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three deep, three regions, an external reference from `observed.yaml`, one manifest passed through."""
    monkeypatch.chdir(FIXTURE / "apps" / "shop")
    parameters = [{"name": "paths", "array": ["../../platform"]}, {"name": "observed", "array": ["observed.yaml"]}]
    env = {
        "ARGOCD_APP_SOURCE_PATH": "apps/shop",
        "ARGOCD_APP_NAMESPACE": "shop",
        "ARGOCD_APP_PARAMETERS": json.dumps(parameters),
    }
    out, err = io.BytesIO(), io.StringIO()
    assert run(["cmp", "generate"], io.BytesIO(), out, err, env) == EXIT_OK
    assert err.getvalue() == ""
    objects = [json.loads(line) for line in out.getvalue().splitlines()]
    assert names(objects) == [
        "shop-backend-db", "shop-backend-db", "shop-backend", "shop-backend", "shop-eu", "shop-us", "shop-ap", "shop-dashboard",
    ]  # fmt: skip
    assert objects[4]["data"] == {"backend": "http://shop-backend.shop.svc:8080", "domain": "eu.example.com"}


# -- the cluster's version -----------------------------------------------------------------------------------------------

DEVICE_CLASS = '- id: x\n  template: {apiVersion: resource.k8s.io/v1, kind: DeviceClass, metadata: {name: "${schema.metadata.name}"}}\n'


@pytest.mark.parametrize(
    ("version", "parameters", "says"),
    [
        pytest.param("1.35.0", {"strict": "true"}, [], id="known"),
        pytest.param("v1.34.1+k3s1", {"strict": "true"}, [], id="with a suffix"),
        pytest.param("", {"strict": "true"}, [], id="empty"),
        pytest.param("1.33.2", {}, ["warning[unknown-kind]"], id="one that does not serve the kind"),
        pytest.param("1.99.0", {}, ["warning[kube-version-unknown]"], id="unknown"),
        pytest.param("1.99.0", {"strict": "true"}, ["warning[kube-version-unknown]"], id="unknown, and nobody's fault"),
    ],
)
def test_the_cluster_s_version_chooses_what_is_known_of_kinds(
    repository: Repository, version: str, parameters: dict[str, str], says: list[str]
) -> None:
    repository.write({"apps/shop/rgd.yaml": rgd(DEVICE_CLASS)})
    code, out, err = repository.run(env={"KUBE_VERSION": version}, **parameters)
    assert code == EXIT_OK
    assert json.loads(out)["kind"] == "DeviceClass"
    assert [word for line in err.splitlines() for word in line.split(": ") if "[" in word] == says


def test_a_version_that_is_none_is_refused(repository: Repository) -> None:
    code, out, err = repository.run(env={"KUBE_VERSION": "latest"})
    assert (code, out) == (EXIT_REFUSED, "")
    assert (
        err
        == "error[kube-version-invalid]: $KUBE_VERSION is 'latest'; it is a version of Kubernetes, such as 1.35 or v1.35.0\n"
    )
