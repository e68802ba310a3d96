"""
The contract of the command line: exit codes, nothing on stdout with an error, a diagnostic with name and position for every bad input.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from krm_fn.command import EXIT_OK, EXIT_REFUSED, EXIT_USAGE, run
from tests.rendering import config_map, instance, rgd

ROOT = Path(__file__).resolve().parents[2]
WEB = str(ROOT / "fixtures" / "web-application")


def rookery(*argv: str, stdin: str = "", env: dict[str, str] | None = None) -> tuple[int, str, str]:
    out, err = io.BytesIO(), io.StringIO()
    code = run(argv, io.BytesIO(stdin.encode()), out, err, env or {})
    return code, out.getvalue().decode(), err.getvalue()


@pytest.fixture
def package(tmp_path: Path) -> Path:
    (tmp_path / "rgd.yaml").write_text(
        rgd(config_map("cm", '{x: "${schema.spec.x}"}'), spec='{x: "string | default=y"}')
    )
    (tmp_path / "instance.yaml").write_text(instance())
    return tmp_path


# -- usage ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        pytest.param(["nope"], "there is no command 'nope'", id="unknown command"),
        pytest.param(["render"], "needs a PATH", id="no path"),
        pytest.param(["render", "x", "--observd", "y"], "did you mean --observed", id="a typo"),
        pytest.param(["render", "x", "--namespace"], "needs a value", id="no value"),
        pytest.param(["render", "x", "-n", "a", "-n", "b"], "given twice", id="twice"),
        pytest.param(["render", "x", "--strict=yes"], "takes no value", id="a value for a flag"),
        pytest.param(["render", "x", "--target", "argo"], "one of plain", id="a target that is not there"),
        pytest.param(
            ["render", "x", "--deferred", "maybe"],
            "withhold, fallback, apply-time, fail",
            id="a policy that is not there",
        ),
        pytest.param(["render", "x", "--emit", "rgds"], "one of instances, api", id="emit"),
        pytest.param(
            ["render", "x", "--wave-base", "3"], "--wave-base is for --target argocd", id="an order for nobody"
        ),
        pytest.param(
            ["render", "x", "--target", "kpt", "--gate-image", "a"], "for --target argocd", id="a Job for kpt"
        ),
        pytest.param(["render", "x", "--flux-interval", "1m"], "for --target flux", id="an option of Flux alone"),
        pytest.param(["render", "x", "--waves", "every-edge"], "argocd, kpt or flux", id="waves without a target"),
        pytest.param(["render", "x", "--target", "argocd", "--gate-image", ""], "an image like", id="no image"),
    ],
)
def test_usage_errors_exit_2_and_say_what_is_wrong(argv: list[str], says: str) -> None:
    code, out, err = rookery(*argv)
    assert (code, out) == (EXIT_USAGE, "")
    assert says in err


@pytest.mark.parametrize("argv", [["--help"], ["render", "--help"], ["--version"]])
def test_help_and_version_exit_0(argv: list[str]) -> None:
    code, out, err = rookery(*argv)
    assert (code, err) == (EXIT_OK, "")
    assert "rookery" in out


# -- what comes out ---------------------------------------------------------------------------------------------------


def test_the_api_is_the_crd_of_each_rgd_before_everything_else(package: Path) -> None:
    (package / "other.yaml").write_text(
        rgd("  []", kind="Other", spec="{size: integer}", status='{m: "${schema.spec.size}"}')
    )
    code, out, err = rookery("render", str(package), "--emit", "api", "--emit", "instances")
    assert (code, err) == (EXIT_OK, "")
    made = list(yaml.safe_load_all(out))
    assert [(one["kind"], one["metadata"]["name"]) for one in made] == [
        ("CustomResourceDefinition", "others.kro.run"),
        ("CustomResourceDefinition", "apps.kro.run"),
        ("ConfigMap", "shop-cm"),
        ("App", "shop"),
    ]
    assert made[0]["metadata"] == {"name": "others.kro.run"}, "no marks: it belongs to no instance"
    properties = made[0]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    assert properties["spec"]["properties"] == {"size": {"type": "integer"}}
    assert properties["status"]["properties"]["m"] == {"type": "integer"}


def test_the_api_takes_no_instance(package: Path) -> None:
    (package / "instance.yaml").unlink()
    assert "error[nothing-to-render]" in rookery("render", str(package))[2]
    code, out, err = rookery("render", str(package), "--emit", "api")
    assert (code, err) == (EXIT_OK, "")
    assert [one["metadata"]["name"] for one in yaml.safe_load_all(out)] == ["apps.kro.run"]


def test_the_api_of_nothing_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("{apiVersion: v1, kind: ConfigMap, metadata: {name: x}}\n")
    code, out, err = rookery("render", str(tmp_path), "--emit", "api")
    assert (code, out) == (EXIT_REFUSED, "")
    assert "error[nothing-to-render]" in err


def test_the_api_has_a_folder_of_its_own(package: Path, tmp_path: Path) -> None:
    code, out, err = rookery("render", str(package), "--emit", "api", "-o", str(tmp_path / "out"))
    assert (code, out, err) == (EXIT_OK, "", "")
    files = sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.yaml"))
    assert files == ["api/apps.kro.run.yaml", "app.store.shop/cm.yaml"]


def test_an_rgd_that_is_refused_has_no_api(package: Path) -> None:
    (package / "rgd.yaml").write_text(rgd(config_map("cm", '{x: "${nope.x}"}')))
    code, out, _ = rookery("render", str(package), "--emit", "api")
    assert (code, out) == (EXIT_REFUSED, "")


def test_a_node_that_makes_the_crd_of_another_rgd_is_an_error(package: Path) -> None:
    (package / "rgd.yaml").write_text(
        rgd(
            "- id: crd\n  template: {apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition,"
            " metadata: {name: apps.kro.run}}\n"
        )
    )
    code, out, err = rookery("render", str(package), "--emit", "api")
    assert (code, out) == (EXIT_REFUSED, "")
    assert "ResourceGraphDefinition/app (schema) and " in err
    assert "make one object: CustomResourceDefinition.apiextensions.k8s.io apps.kro.run" in err


def test_the_demo_renders_three_objects_in_dependency_order() -> None:
    code, out, err = rookery("render", WEB)
    assert (code, err) == (EXIT_OK, "")
    assert [line for line in out.splitlines() if line.startswith("kind: ")] == [
        "kind: Deployment",
        "kind: Service",
        "kind: Ingress",
    ]


def test_two_runs_give_the_same_bytes_whatever_the_hash_seed() -> None:
    outputs = set()
    for seed in ("0", "1", "4242"):
        result = subprocess.run(
            [sys.executable, "-m", "krm_fn", "render", "fixtures/web-application-dynamodb", "--emit", "instances"],
            cwd=ROOT, capture_output=True, env={**os.environ, "PYTHONHASHSEED": seed}, check=True,
        )  # fmt: skip
        outputs.add(result.stdout)
    assert len(outputs) == 1


def test_stdin_is_a_path(package: Path) -> None:
    text = (package / "rgd.yaml").read_text() + "---\n" + (package / "instance.yaml").read_text()
    assert rookery("render", "-", stdin=text)[:2] == rookery("render", str(package))[:2]


def test_order_of_the_paths_does_not_matter_to_one_instance(package: Path) -> None:
    one, two = str(package / "rgd.yaml"), str(package / "instance.yaml")
    assert rookery("render", one, two) == rookery("render", two, one)


@pytest.mark.parametrize(
    ("argv", "env", "namespace"),
    [
        pytest.param([], {}, "default", id="default"),
        pytest.param([], {"ARGOCD_APP_NAMESPACE": "argo"}, "argo", id="the application's"),
        pytest.param(["-n", "mine"], {"ARGOCD_APP_NAMESPACE": "argo"}, "mine", id="the option first"),
    ],
)
def test_the_namespace_of_instances_without_one(
    package: Path, argv: list[str], env: dict[str, str], namespace: str
) -> None:
    (package / "instance.yaml").write_text(instance(namespace=""))
    assert f"namespace: {namespace}\n" in rookery("render", str(package), *argv, env=env)[1]


def test_namespaces_come_first(package: Path) -> None:
    ns = '- id: ns\n  template: {apiVersion: v1, kind: Namespace, metadata: {name: "${cm.metadata.name}"}}\n'
    (package / "rgd.yaml").write_text(rgd(config_map("cm") + ns))
    out = rookery("render", str(package))[1]
    assert out.index("kind: Namespace") < out.index("kind: ConfigMap")


def test_an_output_directory_holds_one_file_an_object_and_forgets_what_is_gone(package: Path, tmp_path: Path) -> None:
    target = tmp_path / "out"
    assert rookery("render", str(package), "-o", str(target))[:2] == (EXIT_OK, "")
    assert (target / "app.store.shop" / "cm.yaml").read_text().startswith("apiVersion: v1\n")
    (target / "notes.txt").write_text("mine")
    (package / "instance.yaml").write_text(instance(name="other"))
    assert rookery("render", str(package), "-o", str(target))[0] == EXIT_OK
    assert sorted(str(p.relative_to(target)) for p in target.rglob("*") if p.is_file()) == [
        ".rookery",
        "app.store.other/cm.yaml",
        "notes.txt",
    ]


def test_the_report_tells_what_became_of_every_node(package: Path, tmp_path: Path) -> None:
    (package / "rgd.yaml").write_text(
        rgd(
            config_map("cm")
            + config_map("left", more='includeWhen: ["${false}"]')
            + config_map("later", '{x: "${cm.metadata.uid}"}')
        )
    )
    path = tmp_path / "report.json"
    assert rookery("render", str(package), "--report", str(path))[0] == EXIT_OK
    [entry] = json.loads(path.read_text())["instances"]
    assert entry["instance"] == "kro.run/App/store/shop"
    assert {node["id"]: node["state"] for node in entry["nodes"]} == {
        "cm": "resolved",
        "left": "excluded",
        "later": "deferred",
    }
    assert entry["nodes"][2]["waits"] == [
        {"reason": "unknown", "paths": ["cm.metadata.uid"], "expression": "cm.metadata.uid"}
    ]


def test_other_manifests_are_named_and_left_out_or_passed_through(package: Path) -> None:
    other = "# mine\napiVersion: v1\nkind: Secret\nmetadata:\n    name: s\n"
    (package / "other.yaml").write_text(other)
    code, out, err = rookery("render", str(package))
    assert code == EXIT_OK
    assert "kind: Secret" not in out
    assert "Secret/s" in err
    code, out, err = rookery("render", str(package), "--pass-through")
    assert (code, err) == (EXIT_OK, "")
    assert other in out


def test_withheld_nodes_are_reported_with_exit_0_and_are_errors_when_strict(package: Path) -> None:
    (package / "rgd.yaml").write_text(rgd(config_map("cm") + config_map("later", '{x: "${cm.metadata.uid}"}')))
    code, out, err = rookery("render", str(package))
    assert code == EXIT_OK
    assert "warning[deferred]" in err
    assert "cm.metadata.uid" in err
    assert out.count("kind: ConfigMap") == 1
    assert rookery("render", str(package), "--strict")[:2] == (EXIT_REFUSED, "")


# -- bad input --------------------------------------------------------------------------------------------------------

BAD_FILES = [
    pytest.param("rgd.yaml", "a: [1\n", "yaml-syntax", "rgd.yaml:", id="broken YAML"),
    pytest.param("rgd.yaml", rgd(config_map("Bad")), "invalid-id", "rgd.yaml:", id="an RGD that kro rejects"),
    pytest.param("instance.yaml", instance("{x: 5}"), "instance-wrong-type", "instance.yaml:", id="an instance of the wrong type"),
    pytest.param("instance.yaml", instance(kind="Nope"), "rgd-missing", "instance.yaml:2:", id="an instance without its RGD"),
    pytest.param("instance.yaml", instance(name="../../etc"), "invalid-name", "instance.yaml:3:", id="a name that is a path"),
    pytest.param("two.yaml", instance(), "duplicate-instance", "two.yaml:3:", id="one instance twice"),
    pytest.param("two.yaml", rgd(""), "duplicate-kind", "two.yaml:", id="two RGDs for one kind"),
    pytest.param("list.yaml", "- 1\n- 2\n", "not-an-object", "list.yaml:1:1", id="a list"),
    pytest.param("twice.yaml", "a: 1\na: 2\n", "duplicate-key", "twice.yaml:2:1", id="a key twice"),
    pytest.param("deep.yaml", "[" * 5000, "yaml-too-deep", "deep.yaml:1:", id="depth"),
    pytest.param(
        "bomb.yaml", "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
            f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 10)}]\n" for i in range(9)
        ), "yaml-aliases", "bomb.yaml:", id="a bomb of aliases",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("file", "text", "code_name", "place"), BAD_FILES)
def test_bad_input_is_a_diagnostic_with_name_and_position(
    package: Path, file: str, text: str, code_name: str, place: str
) -> None:
    (package / file).write_text(text)
    code, out, err = rookery("render", str(package))
    assert (code, out) == (EXIT_REFUSED, "")
    assert f"error[{code_name}]" in err
    assert place in err


def test_an_empty_directory(tmp_path: Path) -> None:
    code, out, err = rookery("render", str(tmp_path))
    assert (code, out) == (EXIT_REFUSED, "")
    assert "error[" in err


def test_a_missing_file() -> None:
    code, out, err = rookery("render", "no/such.yaml")
    assert (code, out) == (EXIT_REFUSED, "")
    assert "no/such.yaml" in err


def test_a_directory_that_leads_out_of_the_tree(package: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    (package / "out").symlink_to(tmp_path_factory.mktemp("elsewhere"))
    code, out, err = rookery("render", str(package))
    assert (code, out) == (EXIT_REFUSED, "")
    assert "error[symlink-outside]" in err


@pytest.mark.parametrize("text", ["a: [1\n", "kind: ConfigMap\n", "apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n"])
def test_an_unreadable_snapshot(package: Path, tmp_path: Path, text: str) -> None:
    snapshot = tmp_path / "seen.txt"
    snapshot.write_text(text)
    code, out, err = rookery(
        "render", str(package / "rgd.yaml"), str(package / "instance.yaml"), "--observed", str(snapshot)
    )
    assert (code, out) == (EXIT_REFUSED, "")
    assert "seen.txt:1:" in err


def test_an_output_that_cannot_be_written(package: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, out, err = rookery("render", str(package), "-o", str(tmp_path / "file"))
    assert (code, out) == (EXIT_REFUSED, "")
    assert "error[cannot-write]" in err


@pytest.mark.parametrize("closed", [">&-", "<&-", "2>&-"])
def test_a_closed_stream_is_no_bug(closed: str) -> None:
    command = f"{sys.executable} -m krm_fn render {'-' if closed[0] == '<' else WEB} {closed}"
    result = subprocess.run(["bash", "-c", command], check=False, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == (EXIT_OK if closed == "2>&-" else EXIT_REFUSED)
    assert ("error[" in result.stderr) == (closed != "2>&-")


def test_a_reader_that_goes_away_is_no_bug() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "krm_fn", "render", WEB], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.wait() == 1
    assert process.stderr.read() == b""
    process.stderr.close()


# -- formats of stderr ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["json", "sarif"])
def test_stderr_is_one_document_whatever_happens(package: Path, form: str) -> None:
    """Rendered, refused before anything is read, refused later, and refused when the output is written."""
    paths = (
        [str(package)],
        ["/nowhere"],
        [str(package), str(package / "other.yaml")],
        [str(package), "-o", "/dev/null/x"],
    )
    (package / "instance.yaml").write_text(instance("{y: 1}"))
    for given in paths:
        json.loads(rookery("render", *given, "--format", form)[2])


def test_a_warning_and_a_failure_to_write_are_one_document(package: Path) -> None:
    (package / "instance.yaml").write_text(instance("{y: 1}"))
    code, out, err = rookery("render", str(package), "-o", "/dev/null/x", "--format", "json")
    assert (code, out) == (EXIT_REFUSED, "")
    assert [found["code"] for found in json.loads(err)["diagnostics"]] == ["cannot-write", "instance-unknown-field"]


def test_github_annotates_a_render(package: Path) -> None:
    (package / "instance.yaml").write_text(instance("{y: 1}"))
    code, out, err = rookery("render", str(package), "--format", "github")
    assert (code, "kind: ConfigMap" in out) == (EXIT_OK, True)
    assert err.startswith(f"::warning file={package}/instance.yaml,line=4,col=8,")


def test_a_render_imports_no_regular_expressions() -> None:
    """Cold start is a promise, and `re` with what it imports takes as long as half of starting Python."""
    code = (
        "import sys; from krm_fn.__main__ import main; sys.argv = ['rookery', 'render', sys.argv[1]]; main();"
        "print(*sorted({'re', 'typing', 'dataclasses', 'argparse', 'pathlib', 'enum', 'json', 'copy'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, WEB], capture_output=True, text=True, check=True, cwd=ROOT)
    assert (done.stdout[:10], done.stderr) == ("apiVersion", "\n")


NEVER_CALLED = {
    "krm_fn.cel.errors", "krm_fn.schema.builtin_kinds", "krm_fn.schema.kube_version",  # types and tables
    "krm_fn.cel.library.conditions", "krm_fn.cel.natives", "krm_fn.schema.typed_lists",  # what closures hold, call or not
}  # fmt: skip


def test_a_render_imports_nothing_that_it_does_not_use() -> None:
    """Each module costs a start some 0.2 ms: one of which this render calls no function is to be imported where it is called."""
    code = """
import sys

called = set()


def note(frame, event, _):
    code = frame.f_code
    is_function = code.co_flags & 1 and "<" not in code.co_name
    if event == "call" and is_function:
        called.add(code.co_filename)


from krm_fn.__main__ import main

sys.argv = ["rookery", "render", sys.argv[1]]
sys.setprofile(note)
main()
sys.setprofile(None)
for name, module in sorted(sys.modules.items()):
    if name.startswith("krm_fn.") and not hasattr(module, "__path__") and module.__file__ not in called:
        print(name, file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code, WEB], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.startswith("apiVersion")
    assert set(done.stderr.split()) == NEVER_CALLED
