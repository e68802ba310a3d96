"""
The image: built and run for real where a docker daemon is; everywhere the Dockerfile is linted, and its own commands build the same
tree in a folder, whose entry point runs as in a hardened container: read-only, another user, no home, nothing in the environment.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from tests.function.lists import KPTFILE, app, definition, fn, resource_list
from tests.hosts.conftest import REPOSITORY

pytestmark = pytest.mark.hosts

DOCKERFILE = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
LIST = resource_list(KPTFILE, definition(), app())
SCRIPTS = Path(sys.executable).parent
UID = 65532


def instructions(stage: int) -> list[tuple[str, str]]:
    """Keyword and arguments of every instruction of a stage of the Dockerfile, continued lines joined."""
    joined = re.sub(r"\\\n\s*", " ", re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE))
    stages = re.split(r"^(?=FROM )", joined, flags=re.MULTILINE)[1:]
    return [(line.partition(" ")[0], line.partition(" ")[2].strip()) for line in stages[stage].splitlines() if line]


def arguments(keyword: str, stage: int) -> list[str]:
    return [rest for name, rest in instructions(stage) if name == keyword]


# -- the file ------------------------------------------------------------------------------------------------------


def test_the_linter_has_nothing_against_the_dockerfile() -> None:
    linter = SCRIPTS / "hadolint"
    if not linter.is_file():
        missing = "hadolint is not installed beside this Python: pip install -e '.[dev]'"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    done = subprocess.run(
        [linter, "--failure-threshold", "style", REPOSITORY / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_image_runs_as_nobody_in_particular_without_a_shell() -> None:
    assert arguments("USER", 1) == [f"{UID}:{UID}"]
    assert arguments("ENTRYPOINT", 1) == ['["rookery", "fn"]']
    assert arguments("CMD", 1) == []
    assert arguments("WORKDIR", 1) == ["/work"]


def test_what_is_copied_is_what_docker_is_given() -> None:
    """An ignore file that names what it lets through: nothing else of a checkout gets into a build."""
    ignored = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert ignored[0] == "*"
    copied = [word for line in arguments("COPY", 0) for word in line.split()[:-1]]
    assert sorted(line[1:] for line in ignored if line.startswith("!")) == sorted(copied)


# -- the tree ------------------------------------------------------------------------------------------------------


class Tree:
    """What the build stage makes, in `prefix` of *folder*; `work` is the empty working directory, `python` the interpreter's place."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.prefix = folder / "prefix"
        source = folder / "source"
        for name in ("work", "python", "source"):
            (folder / name).mkdir()
        for line in arguments("COPY", 0):
            *names, target = line.split()
            for name in names:
                if (REPOSITORY / name).is_dir():
                    shutil.copytree(REPOSITORY / name, source / target, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy(REPOSITORY / name, source / target)
        [command] = arguments("RUN", 0)
        outside = re.sub(r"(?<![\w/])/prefix", str(self.prefix), command)
        environment = {**os.environ, "PATH": f"{Path(sys.base_prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}"}
        done = subprocess.run(
            ["sh", "-c", outside.replace("python -m", f"{_interpreter()} -m")],
            cwd=source,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        shutil.rmtree(source)
        [self.packages] = (self.prefix / "lib").glob("python*/site-packages")

    def run(
        self, *words: str, stdin: str = "", uid: int = UID, environment: Mapping[str, str] | None = None, hardened: bool = True
    ) -> subprocess.CompletedProcess[str]:  # fmt: skip
        """
        Run a command of the tree.

        hardened: in a mount namespace of its own where all is read-only, as another user; needs root.
        """
        python = self.folder / "python" / "bin" / _interpreter().name if hardened else _interpreter()
        given = {"PYTHONPATH": str(self.packages), **_variables(), **(environment or {})}
        if hardened:  # that user may not enter the folder where the interpreter would look for its own library
            given["LD_LIBRARY_PATH"] = str(self.folder / "python" / "lib")
        command = [
            *("env", "-i", *(f"{key}={value}" for key, value in given.items())),
            *(str(python), str(self.prefix / "bin" / words[0]), *words[1:]),
        ]
        if hardened:
            script = (
                f"mount --bind {shlex.quote(sys.base_prefix)} python && mount -o remount,ro,bind / && cd work && "
                f"exec setpriv --reuid={uid} --regid={uid} --clear-groups --no-new-privs {shlex.join(command)}"
            )
            command = ["unshare", "--mount", "sh", "-c", script]
        return subprocess.run(
            command,
            cwd=self.folder if hardened else self.folder / "work",
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


def _interpreter() -> Path:
    return Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"


def _variables() -> dict[str, str]:
    """What ENV of the image sets, but PYTHONDONTWRITEBYTECODE: it must not be that which keeps the tree as it is."""
    pairs = dict(pair.split("=", 1) for line in arguments("ENV", 1) for pair in line.split())
    assert pairs.pop("PYTHONDONTWRITEBYTECODE") == "1"
    return pairs


@pytest.fixture(scope="module")
def tree() -> Iterator[Tree]:
    # Not below pytest's own folder, which other users may not enter.
    with tempfile.TemporaryDirectory(prefix="rookery-image-") as name:
        Path(name).chmod(0o755)
        yield Tree(Path(name))


@pytest.fixture(scope="module")
def hardened() -> bool:
    """Whether this user may make a mount namespace and become another user."""
    tried = [
        "unshare",
        "--mount",
        "sh",
        "-c",
        "mount -o remount,ro,bind / && setpriv --reuid=65532 --clear-groups true",
    ]
    return bool(shutil.which("unshare")) and subprocess.run(tried, capture_output=True, check=False).returncode == 0


def test_the_runs_below_are_hardened(tree: Tree, hardened: bool) -> None:
    """So that one reads whether they were."""
    if not hardened:
        pytest.skip(
            "this user may make no mount namespace: the entry point runs as this user, on a file system that can be written"
        )
    attempt = "import os; print(os.getuid(), os.access('..', os.W_OK), os.environ.get('HOME'), os.getcwd()[-5:])"
    (tree.prefix / "bin" / "attempt").write_text(attempt)
    assert tree.run("attempt").stdout.split() == [str(UID), "False", "None", "/work"]
    (tree.prefix / "bin" / "attempt").unlink()


def entry_point() -> list[str]:
    [text] = arguments("ENTRYPOINT", 1)
    return [str(word) for word in yaml.safe_load(text)]


def test_the_entry_point_answers_a_list_as_rookery_fn_does(tree: Tree, hardened: bool) -> None:
    done = tree.run(*entry_point(), stdin=LIST, hardened=hardened)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == fn(LIST).stdout


def test_it_says_what_is_wrong_as_everywhere(tree: Tree, hardened: bool) -> None:
    wrong = resource_list(KPTFILE, definition(), app("{x: 5}"))
    done = tree.run(*entry_point(), stdin=wrong, hardened=hardened)
    assert (done.returncode, done.stderr) == (1, fn(wrong).stderr)


def test_help_is_printed_with_nothing_on_stdin(tree: Tree, hardened: bool) -> None:
    done = tree.run(*entry_point(), "--help", hardened=hardened)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: rookery fn")


def test_argo_cds_user_finds_the_other_commands(tree: Tree, hardened: bool) -> None:
    """The sidecar's command is Argo CD's server, which finds `rookery` on PATH."""
    shutil.copytree(REPOSITORY / "fixtures/web-application", tree.folder / "work" / "app", dirs_exist_ok=True)
    rendered = tree.run("rookery", "render", "app", uid=999, hardened=hardened)
    assert (rendered.returncode, rendered.stderr) == (0, "")
    assert len(list(yaml.safe_load_all(rendered.stdout))) == 3
    announced = tree.run("rookery", "cmp", "parameters", uid=999, hardened=hardened)
    assert (announced.returncode, announced.stderr) == (0, "")
    assert yaml.safe_load(announced.stdout)


def test_it_can_ask_an_api_server(tree: Tree, hardened: bool) -> None:
    """A gate Job of Argo CD runs it. Here is no Pod, and no kubeconfig: that is all that is missing."""
    asked = tree.run("rookery", "wait", "deployments.v1.apps/web", hardened=hardened)
    assert (asked.returncode, asked.stdout) == (1, "")
    assert asked.stderr.startswith("error[cluster-config]: the kubeconfig cannot be used")


def test_nothing_is_written(tree: Tree) -> None:
    """As the user who owns the tree, on a file system that can be written."""
    (tree.prefix / "bin" / "nothing").write_text("")
    tree.run("nothing", hardened=False)  # what this machine's Python does by itself when it starts is not looked at
    before = {name: path.stat().st_mtime_ns for path in tree.folder.rglob("*") for name in [str(path)]}
    done = tree.run(*entry_point(), stdin=LIST, hardened=False)
    assert done.returncode == 0, done.stderr
    assert {name: path.stat().st_mtime_ns for path in tree.folder.rglob("*") for name in [str(path)]} == before


def test_every_module_is_compiled_and_never_compiled_again(tree: Tree) -> None:
    """Bytecode that is checked against no file's time: layers and volumes may change that."""
    modules = list(tree.packages.rglob("*.py"))
    assert len(modules) > 100
    for module in modules:
        compiled = module.parent / "__pycache__" / f"{module.stem}.{sys.implementation.cache_tag}.pyc"
        flags = compiled.read_bytes()[4:8]
        assert int.from_bytes(flags, "little") == 1, compiled


# -- the image -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    if (
        shutil.which("docker") is None
        or subprocess.run(["docker", "version"], capture_output=True, check=False).returncode
    ):
        pytest.skip("no docker daemon answers: the image is not built, its tree is tested without it")
    name = f"rookery-test:{os.getpid()}"
    subprocess.run(["docker", "build", "--quiet", "--tag", name, str(REPOSITORY)], check=True, timeout=600)
    yield name
    subprocess.run(["docker", "rmi", "--force", name], check=False, capture_output=True)


def test_the_image_runs_hardened(image: str) -> None:
    words = ["run", "--rm", "-i", "--network", "none", "--read-only", "--cap-drop=ALL", "--user", "nobody", image]
    done = subprocess.run(["docker", *words], input=LIST, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", fn(LIST).stdout)
    helped = subprocess.run(["docker", *words, "--help"], capture_output=True, text=True, check=False)
    assert (helped.returncode, helped.stdout.partition(" <")[0]) == (0, "usage: rookery fn")
