"""The files of `cmp/`: each is what Argo CD reads, and what one says of another is true."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from krm_fn.command import EXIT_OK
from krm_fn.command.cmp_parameters import PARAMETERS, read_settings
from tests.command.test_cmp import Repository
from tests.hosts.argocd_server import REPOSITORY
from tests.hosts.conftest import write
from tests.hosts.programs import tool

CMP = REPOSITORY / "cmp"
BY_NAME = {parameter.name: parameter for parameter in PARAMETERS}
REPO_SERVER = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: argocd-repo-server}
spec:
  template:
    spec:
      containers:
        - name: argocd-repo-server
          image: quay.io/argoproj/argocd:v3.5.7
          volumeMounts: [{name: tmp, mountPath: /tmp}]
      volumes: [{name: var-files, emptyDir: {}}, {name: plugins, emptyDir: {}}, {name: tmp, emptyDir: {}}]
"""


def load(name: str) -> Any:
    return yaml.safe_load((CMP / name).read_text())


PLUGIN, PATCH, VALUES = load("plugin.yaml"), load("patch.yaml"), load("values.example.yaml")
POD = PATCH["spec"]["template"]["spec"]
CHART = VALUES["repoServer"]


def test_every_file_is_yaml_of_one_kind() -> None:
    kinds = {path.name: yaml.safe_load(path.read_text()).get("kind") for path in sorted(CMP.iterdir())}
    assert kinds == {
        "application.example.yaml": "Application",
        "applicationset.example.yaml": "ApplicationSet",
        "kustomization.yaml": "Component",
        "patch.yaml": "Deployment",
        "plugin.yaml": "ConfigManagementPlugin",
        "values.example.yaml": None,
    }


def test_plugin_yaml_announces_what_the_command_leaves_to_it() -> None:
    """Each parameter is announced once: Argo CD merges nothing."""
    static = [parameter.announcement() for parameter in PARAMETERS if not parameter.dynamic]
    assert PLUGIN["spec"]["parameters"]["static"] == static
    assert {"discover", "version"} & set(PLUGIN["spec"]) == set()
    assert PLUGIN["metadata"]["name"] == "rookery"


def test_every_announced_default_is_a_text_and_is_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    defaults = {
        entry["name"]: entry.get("string", entry.get("array")) for entry in PLUGIN["spec"]["parameters"]["static"]
    }
    assert all(isinstance(value, str | list) for value in defaults.values())
    repository = Repository(tmp_path / "copy", monkeypatch)
    assert repository.run(**defaults) == repository.run()
    assert repository.run(**defaults)[0] == EXIT_OK


@pytest.mark.parametrize(
    ("containers", "volumes"), [(POD["containers"], POD["volumes"]), (CHART["extraContainers"], CHART["volumes"])]
)
def test_the_sidecar_has_the_volumes_that_it_mounts(
    containers: list[dict[str, Any]], volumes: list[dict[str, Any]]
) -> None:
    [sidecar] = containers
    mounted = [mount["name"] for mount in sidecar["volumeMounts"]]
    assert mounted[:2] == ["var-files", "plugins"], "these two are the repo-server's own"
    assert mounted[2:] == [volume["name"] for volume in volumes]
    assert sidecar["command"] == ["/var/run/argocd/argocd-cmp-server"]
    assert sidecar["securityContext"]["readOnlyRootFilesystem"]
    assert sidecar["securityContext"]["runAsUser"] == 999
    assert all(isinstance(entry["value"], str) for entry in sidecar["env"])


def test_the_charts_values_say_what_the_patch_and_plugin_yaml_say() -> None:
    assert VALUES["configs"]["cmp"]["plugins"] == {"rookery": PLUGIN["spec"]}
    [one], [other] = POD["containers"], CHART["extraContainers"]
    for field in ("name", "command", "env", "resources", "securityContext"):
        assert one[field] == other[field]
    assert [mount["mountPath"] for mount in one["volumeMounts"]] == [
        mount["mountPath"] for mount in other["volumeMounts"]
    ]
    assert other["volumeMounts"][2]["subPath"] == "rookery.yaml", "the chart names the file after the plugin"


@pytest.mark.parametrize(
    "source",
    [
        load("application.example.yaml")["spec"]["source"],
        load("applicationset.example.yaml")["spec"]["template"]["spec"]["source"],
    ],
    ids=["Application", "ApplicationSet"],
)
def test_the_examples_name_the_plugin_and_its_parameters(source: dict[str, Any]) -> None:
    plugin = source["plugin"]
    assert plugin["name"] == PLUGIN["metadata"]["name"]
    assert all(("array" in entry) is BY_NAME[entry["name"]].is_list for entry in plugin["parameters"])
    settings = read_settings({"ARGOCD_APP_PARAMETERS": json.dumps(plugin["parameters"])})
    assert settings.paths == ["../../platform"]


@pytest.mark.hosts
def test_the_component_puts_the_sidecar_beside_the_repo_server(tmp_path: Path) -> None:
    write(tmp_path, {"argocd/repo-server.yaml": REPO_SERVER, **{f"cmp/{p.name}": p.read_text() for p in CMP.iterdir()}})
    image = "images: [{name: rookery, newName: registry.example.com/rookery, newTag: 0.1.0}]\n"
    write(
        tmp_path,
        {
            "argocd/kustomization.yaml": f"namespace: argocd\nresources: [repo-server.yaml]\ncomponents: [../cmp]\n{image}"
        },
    )
    done = subprocess.run([tool("kustomize"), "build", "argocd"], cwd=tmp_path, capture_output=True, check=True)
    config, deployment = yaml.safe_load_all(done.stdout)
    pod = deployment["spec"]["template"]["spec"]
    assert {c["name"]: c["image"] for c in pod["containers"]} == {
        "argocd-repo-server": "quay.io/argoproj/argocd:v3.5.7",
        "rookery": "registry.example.com/rookery:0.1.0",
    }
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert set(volumes) == {"var-files", "plugins", "tmp", "rookery-plugin", "rookery-tmp"}
    assert volumes["rookery-plugin"]["configMap"]["name"] == config["metadata"]["name"]
    assert yaml.safe_load(config["data"]["plugin.yaml"]) == PLUGIN
