"""The plugin under Argo CD's own plugin server: what an Application gets, and what it shows when something is wrong."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from krm_fn.command.cmp_parameters import PARAMETERS
from tests.hosts.argocd_server import REPOSITORY, PluginError, PluginServer, packed, plugin_server
from tests.hosts.conftest import write
from tests.hosts.programs import tool
from tests.rendering import config_map, instance, rgd

pytestmark = pytest.mark.hosts

FIXTURE = REPOSITORY / "fixtures" / "argocd-application"
APPLICATION = yaml.safe_load((REPOSITORY / "cmp" / "application.example.yaml").read_text())
SOURCE = APPLICATION["spec"]["source"]
FAILED = "error generating manifests: `rookery cmp generate` failed exit status 1: "
SIMPLE = {"rgd.yaml": rgd(config_map("cm")), "instance.yaml": instance()}


@pytest.fixture(scope="module")
def server() -> Iterator[PluginServer]:
    with plugin_server() as running:
        yield running


def refused(server: PluginServer, root: Path, path: str = ".", **options: Any) -> str:
    """What rookery said, which is what an Application shows after Argo CD's own words."""
    with pytest.raises(PluginError) as caught:
        server.generate(root, path, **options)
    assert str(caught.value).startswith(FAILED)
    return str(caught.value).removeprefix(FAILED)


# -- what an Application gets -----------------------------------------------------------------------------------------


def test_the_example_application_gets_the_objects_that_render_prints(server: PluginServer) -> None:
    rookery = str(Path(sys.executable).parent / "rookery")
    printed = subprocess.run(
        [rookery, "render", "platform", "apps/shop/shop.yaml", "--observed", "apps/shop/observed.yaml", "-n", "shop", "--target", "argocd"],
        cwd=FIXTURE, capture_output=True, check=True,
    ).stdout  # fmt: skip
    manifests = server.generate(FIXTURE, SOURCE["path"], parameters=SOURCE["plugin"]["parameters"])
    dashboard = yaml.safe_load((FIXTURE / "apps/shop/dashboard.yaml").read_text())
    assert [json.loads(text) for text in manifests] == [*yaml.safe_load_all(printed), dashboard]


def test_every_manifest_is_our_line_to_the_byte(server: PluginServer, tmp_path: Path) -> None:
    data = '{a: "${1.0}", b: "${0.1}", c: "${9007199254740993}", d: "${true}"}'
    words = 'y: "yes"\nz: "010"\nw: "1e3"\nv: "<&>\\u2028 ü"\nu: 9223372036854775807\n'
    other = f"apiVersion: v1\nkind: Thing\nmetadata: {{name: other}}\n{words}"
    write(tmp_path, {"rgd.yaml": rgd(config_map("cm", data).replace("ConfigMap", "Thing").replace(" data:", " spec:"))})
    write(tmp_path, {"instance.yaml": instance(), "other.yaml": other})
    printed = subprocess.run(
        [sys.executable, "-m", "krm_fn", "cmp", "generate"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(REPOSITORY)}, capture_output=True, check=True,
    ).stdout.decode()  # fmt: skip
    assert [*server.generate(tmp_path), ""] == printed.split("\n")
    assert '"spec":{"a":1,"b":0.1,"c":9007199254740993,"d":true}' in printed


def test_withheld_objects_are_in_the_log_of_the_sidecar(server: PluginServer) -> None:
    manifests = server.generate(FIXTURE, "apps/shop", parameters=[{"name": "paths", "array": ["../../platform"]}])
    assert not any('"shop-eu"' in text for text in manifests)
    assert "warning[deferred]: frontend (ConfigMap) of Storefront/shop/shop is withheld" in server.log()


def test_waves_and_the_marker_are_the_parameters(server: PluginServer, tmp_path: Path) -> None:
    gate = "- id: db\n  readyWhen: [\"${db.data.ready == 'yes'}\"]\n  template: {apiVersion: v1, kind: ConfigMap, metadata: {name: db}}\n"
    uses = config_map("uses", '{x: "${db.metadata.name}"}') + config_map("later", '{x: "${db.metadata.uid}"}')
    write(tmp_path, {"rgd.yaml": rgd(gate + uses), "instance.yaml": instance()})

    def waves(**parameters: str) -> dict[str, str]:
        given = [{"name": name, "string": value} for name, value in parameters.items()]
        made = [json.loads(text)["metadata"] for text in server.generate(tmp_path, parameters=given)]
        wave = "argocd.argoproj.io/sync-wave"
        return {each["name"]: each["annotations"].get(wave, "0") for each in made}

    assert waves() == {"db": "0", "shop-uses": "1", "shop-waiting": "1"}
    assert waves(waveBase="3", waveStep="2", waitingMarker="none") == {"db": "3", "shop-uses": "5"}
    assert refused(server, tmp_path, parameters=[{"name": "waves", "string": "x"}]).startswith(
        "error[parameter-value]: parameter waves is 'x'; it is one of gated, every-edge"
    )


def test_the_announcement_names_every_parameter_once(server: PluginServer) -> None:
    announced = {entry["name"]: entry for entry in server.parameters(FIXTURE / "platform")}
    assert len(announced) == len(PARAMETERS)
    assert set(announced) == {parameter.name for parameter in PARAMETERS}
    assert announced["paths"]["tooltip"].endswith("defined already: Backend, Database, Storefront")
    assert announced["namespace"]["string"] == "shop"
    assert announced["deferred"]["string"] == "withhold"
    texts = {name: announced[name]["string"] for name in ("waves", "waveBase", "waveStep", "waitingMarker")}
    assert texts == {"waves": "gated", "waveBase": "0", "waveStep": "1", "waitingMarker": "job"}


def test_sixteen_calls_at_once_do_not_mix(server: PluginServer, tmp_path: Path) -> None:
    archives = []
    for i in range(16):
        write(tmp_path / str(i), {**SIMPLE, "instance.yaml": instance(name=f"app-{i}")})
        archives.append(packed(tmp_path / str(i)))
    with ThreadPoolExecutor(16) as pool:
        results = list(pool.map(server.generate, archives))
    assert [json.loads(text)["metadata"]["name"] for [text] in results] == [f"app-{i}-cm" for i in range(16)]


def test_definitions_of_the_image(tmp_path: Path) -> None:
    with plugin_server({"ROOKERY_RGDS": str(FIXTURE / "platform")}) as server:
        assert len(server.generate(FIXTURE, "apps/shop", parameters=SOURCE["plugin"]["parameters"][1:])) == 8


def test_a_kustomization_is_built_by_the_real_kustomize(tmp_path: Path) -> None:
    base = {f"apps/base/{name}": text for name, text in SIMPLE.items()}
    write(tmp_path, {**base, "apps/base/kustomization.yaml": "resources: [rgd.yaml, instance.yaml]\n"})
    write(tmp_path, {"apps/shop/kustomization.yaml": "resources: [../base]\nnamespace: other\n"})
    scripts = Path(sys.executable).parent
    with plugin_server({"PATH": f"{scripts}:{Path(tool('kustomize')).parent}"}) as server:
        [text] = server.generate(tmp_path, "apps/shop")
        assert json.loads(text)["metadata"]["namespace"] == "other"
        write(tmp_path, {"apps/shop/kustomization.yaml": "resources: [../base]\nnamePrefx: x\n"})
        said = refused(server, tmp_path, "apps/shop")
        assert said.startswith("error[kustomize-failed]: kustomize build apps/shop: ")
        assert "namePrefx" in said
        write(tmp_path, {"apps/shop/kustomization.yaml": "resources: [https://example.com/x.yaml]\n"})
        said = refused(server, tmp_path, "apps/shop")
        assert said.startswith(
            "apps/shop/kustomization.yaml:1:13: error[kustomize-outside]: https://example.com/x.yaml "
        )


# -- what an Application shows ----------------------------------------------------------------------------------------


def test_our_first_line_comes_first(server: PluginServer, tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "apps/shop/rgd.yaml": rgd(config_map("cm"), spec="{x: integer}"),
            "apps/shop/shop.yaml": instance("{x: many}"),
        },
    )
    first = refused(server, tmp_path, "apps/shop").splitlines()[0]
    assert first.startswith("apps/shop/shop.yaml:4:11: error[instance-wrong-type]: spec.x")


@pytest.mark.parametrize("excluded", [False, True])
def test_an_empty_application_is_refused_unless_it_may_be_empty(
    server: PluginServer, tmp_path: Path, *, excluded: bool
) -> None:
    never = {"rgd.yaml": rgd(config_map("cm", more='includeWhen: ["${false}"]')), "instance.yaml": instance()}
    write(tmp_path, never if excluded else {"notes.txt": "nothing"})
    assert refused(server, tmp_path).startswith("error[empty-output]: ")
    assert server.generate(tmp_path, parameters=[{"name": "allowEmpty", "string": "true"}]) == []


def test_our_deadline_speaks_before_argo_cds(tmp_path: Path) -> None:
    slow = "{x: \"${lists.range(900).map(i, lists.range(90).map(j, string(i * j)).join(',')).join(',')}\"}"
    write(tmp_path, {"rgd.yaml": rgd(config_map("cm", slow))})
    write(tmp_path, {f"{i}.yaml": instance(name=f"n{i}") for i in range(200)})
    with plugin_server({"ROOKERY_TIMEOUT": "1"}) as server:
        started = time.monotonic()
        said = refused(server, tmp_path, timeout=30)
        assert time.monotonic() - started < 10
    assert said.startswith("error[timeout]: gave up after 1 s while rendering instances: ")
    assert " of 200 are done; " in said


# -- hostile repositories ---------------------------------------------------------------------------------------------

BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 10)}]\n" for i in range(9)
)
MILLION = rgd(
    config_map("cm", name="${schema.metadata.name}-${string(i)}", more='forEach: [{i: "${lists.range(1000000)}"}]')
)
HOSTILE = [
    pytest.param({"bomb.yaml": BOMB}, [], "bomb.yaml:7:12: error[yaml-aliases]: ", id="a bomb of aliases"),
    pytest.param({"deep.yaml": "[" * 5000}, [], "deep.yaml:1:201: error[yaml-too-deep]: ", id="depth"),
    pytest.param({"rgd.yaml": MILLION}, [], "rgd.yaml:", id="a million items"),
    pytest.param({"a\nb\x1b[2J.yaml": "a: [1\n"}, [], r"a\nb\x1b[2J.yaml:", id="a file name with a line break"),
    pytest.param(
        {"tag.yaml": "a: !!python/object/apply:os.system [id]\n"}, [], "tag.yaml:1:4: error[", id="a tag that runs code"
    ),
    pytest.param(
        {},
        [{"name": "paths", "array": ["$(id)"]}],
        "error[file-not-found]: parameter paths: $(id) ",
        id="a shell's words",
    ),
    pytest.param({}, [{"name": "paths", "array": ["../.."]}], "error[path-outside]: ", id="a way out"),
    pytest.param({}, [{"name": "observed", "array": ["/etc/passwd"]}], "error[path-outside]: ", id="an absolute path"),
    pytest.param(
        {}, [{"name": "a\nb", "string": "x"}], r"error[parameter-unknown]: a\nb is no ", id="a name with a line break"
    ),
]


@pytest.mark.parametrize(("files", "parameters", "first"), HOSTILE)
def test_hostile_content_is_a_diagnostic(
    server: PluginServer, tmp_path: Path, files: dict[str, str], parameters: list[dict[str, Any]], first: str
) -> None:
    write(tmp_path, {**SIMPLE, **files})
    said = refused(server, tmp_path, parameters=parameters)
    assert said.startswith(first)
    assert "internal error" not in said


def test_links_out_of_the_repository(server: PluginServer, tmp_path: Path) -> None:
    """The server itself refuses a link with dots, and bends an absolute one so that it leads to nothing."""
    write(tmp_path, SIMPLE)
    (tmp_path / "link.yaml").symlink_to("../../../etc/passwd")
    with pytest.raises(PluginError, match="path escapes"):
        server.generate(tmp_path)
    (tmp_path / "link.yaml").unlink()
    (tmp_path / "link.yaml").symlink_to("/etc/passwd")
    assert refused(server, tmp_path).startswith("error[")


def test_a_killed_plugin_is_no_manifest(server: PluginServer, tmp_path: Path) -> None:
    write(tmp_path, {**SIMPLE, **{f"{i}.yaml": instance(name=f"n{i}") for i in range(3000)}})
    archive, killed = packed(tmp_path), threading.Event()

    def kill() -> None:
        children = Path(f"/proc/{server.process.pid}/task")
        while not killed.is_set():
            for thread in children.glob("*/children"):
                for child in thread.read_text().split():
                    os.kill(int(child), signal.SIGKILL)
                    killed.set()
            time.sleep(0.005)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        with pytest.raises(PluginError, match="signal: killed"):
            server.generate(archive)
    finally:
        killed.set()
        killer.join()


def test_nothing_is_written_so_a_file_system_may_be_read_only(tmp_path: Path) -> None:
    root = Path(shutil.copytree(FIXTURE, tmp_path / "copy"))
    script = (
        "import sys\n"
        "def hook(event, words):\n"
        "    if event in ('os.mkdir', 'os.remove', 'os.rename') or event == 'open' and isinstance(words[2], int) and words[2] & 0o1103:\n"
        "        sys.__stderr__.write(f'{event} {words}')\n"
        "sys.addaudithook(hook)\n"
        "sys.argv = ['rookery', 'cmp', 'generate']\n"
        "from krm_fn.__main__ import main\n"
        "sys.exit(main())\n"
    )
    environment = {
        "PYTHONPATH": str(REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1", "ARGOCD_APP_SOURCE_PATH": "apps/shop",
        "ARGOCD_APP_PARAMETERS": json.dumps(SOURCE["plugin"]["parameters"]),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=root / "apps/shop",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr, done.stdout.count("\n")) == (0, "", 8)
