"""`rookery observe` from its arguments to its file, with a cluster that is a dict; tests/hosts/test_observe.py has a real one."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from krm_fn.command import EXIT_OK, EXIT_REFUSED, EXIT_USAGE, run
from krm_fn.report.diagnostic import RenderError
from krm_fn.status_sync import cluster as cluster_module
from tests.rendering import config_map, instance, rgd
from tests.snapshots import DictCluster

EXTERNAL = "- id: ext\n  externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {name: shared}}\n"
RGD = rgd(EXTERNAL + config_map("a", '{x: "${ext.data.x}"}'))
SHARED = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "shared", "namespace": "store"},
    "data": {"x": "y"},
}


class Package:
    """A folder with an RGD and an instance, and a cluster that `connect` gives."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.cluster = DictCluster(SHARED)
        self.connections: list[tuple[str, str]] = []
        self.output = folder / "observed.yaml"
        monkeypatch.chdir(folder)
        monkeypatch.setattr(cluster_module, "connect", self._connect)
        (folder / "rgd.yaml").write_text(RGD)
        (folder / "instance.yaml").write_text(instance())

    def _connect(self, kubeconfig: str, context: str) -> DictCluster:
        self.connections.append((kubeconfig, context))
        return self.cluster

    def run(self, *words: str) -> tuple[int, str, str]:
        out, err = io.BytesIO(), io.StringIO()
        code = run(list(words), io.BytesIO(), out, err, {})
        return code, out.getvalue().decode(), err.getvalue()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Package:
    return Package(tmp_path, monkeypatch)


def test_it_writes_a_file_that_a_render_of_the_folder_takes(package: Package) -> None:
    assert package.run("observe", ".", "--kubeconfig", "k", "--context", "c")[:2] == (EXIT_OK, "")
    assert package.connections == [("k", "c")]
    code, out, err = package.run("render", ".")
    assert (code, err) == (EXIT_OK, "")
    assert "x: y" not in out
    assert 'x: "y"' in out


def test_the_summary_says_what_was_seen_and_what_is_still_awaited(package: Package) -> None:
    package.cluster.objects.clear()
    code, _, err = package.run("observe", ".")
    assert code == EXIT_OK
    assert "warning[deferred]: a (ConfigMap) of App/store/shop is withheld: waits for ext.data.x" in err
    assert err.endswith(
        "observed.yaml: 0 objects seen that expressions wait for (1 is not there), 0 owned, 0 of them kept whole\n"
    )


def test_the_old_snapshot_among_the_sources_has_no_say(package: Package) -> None:
    """Each look begins with nothing, or what was seen once would be seen for ever."""
    package.run("observe", ".")
    first = package.output.read_bytes()
    package.cluster.apply({**SHARED, "data": {"x": "z"}})
    package.run("observe", ".")
    assert first != package.output.read_bytes()
    assert "x: z" in package.output.read_text()


USAGES = {
    "no path": (["observe"], "observe needs a PATH"),
    "an option that does not exist": (["observe", ".", "--unpinned"], "did you mean --unpin?"),
    "a version that is none": (["observe", ".", "--kube-version", "x"], "--kube-version is"),
}


@pytest.mark.parametrize(("words", "said"), USAGES.values(), ids=USAGES)
def test_usage(words: list[str], said: str, package: Package) -> None:
    code, out, err = package.run(*words)
    assert (code, out) == (EXIT_USAGE, "")
    assert said in err


WRONG = {
    "an RGD": ({"rgd.yaml": RGD.replace("ext.data.x", "nobody.data.x")}, "unknown-reference"),
    "an instance": ({"instance.yaml": instance("{more: 1}").replace("name: shop", "name: Shop")}, "invalid-name"),
    "no instance": ({"instance.yaml": ""}, "nothing-to-render"),
    "a fault whatever the cluster says": (
        {"rgd.yaml": rgd(config_map("a", '{x: "${string(1 / schema.spec.x)}"}'), spec='{x: "integer | default=0"}')},
        "cel-division-by-zero",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("texts", "error"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_with_the_sources_is_said_before_anything_is_asked(
    texts: dict[str, str], error: str, package: Package
) -> None:
    for name, text in texts.items():
        (package.folder / name).write_text(text)
    code, out, err = package.run("observe", ".")
    assert (code, out) == (EXIT_REFUSED, "")
    assert f"error[{error}]" in err
    assert package.cluster.asked == []
    assert not package.output.exists()


def test_what_people_wrote_is_not_overwritten(package: Package) -> None:
    package.output.write_text(json.dumps({**SHARED, "metadata": {"name": "shared", "namespace": "store"}}))
    code, _, err = package.run("observe", "rgd.yaml", "instance.yaml")
    assert code == EXIT_REFUSED
    assert err == (
        "error[snapshot-unreadable]: observed.yaml is there, and is no snapshot of a cluster\n"
        "   help: --unpin writes a new snapshot in its place\n"
    )
    assert package.connections == []
    assert package.run("observe", "rgd.yaml", "instance.yaml", "--unpin")[0] == EXIT_OK


def test_a_file_that_cannot_be_written(package: Package) -> None:
    code, out, err = package.run("observe", ".", "-o", "missing/observed.yaml")
    assert (code, out) == (EXIT_REFUSED, "")
    assert err == "error[cannot-write]: missing/observed.yaml cannot be written: no such file or directory\n"


def test_a_snapshot_that_nobody_could_read_is_not_written(package: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("krm_fn.snapshot.MAX_TEXT", 100)
    code, out, err = package.run("observe", ".", "-o", "-")
    assert (code, out) == (EXIT_REFUSED, "")
    assert "error[snapshot-too-large]" in err


def test_a_cluster_that_breaks_off_leaves_the_file_as_it_was(package: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    package.run("observe", ".")
    before = package.output.read_bytes()
    total = len(package.cluster.asked)
    package.cluster.apply({**SHARED, "data": {"x": "z"}})
    for last in range(total):
        package.cluster.asked.clear()

        def ask(*_: str, last: int = last) -> None:
            package.cluster.asked.append("")
            if len(package.cluster.asked) > last:
                raise RenderError([])

        monkeypatch.setattr(package.cluster, "_ask", ask)
        assert package.run("observe", ".")[:2] == (EXIT_REFUSED, "")
        assert package.output.read_bytes() == before
    assert sorted(path.name for path in package.folder.iterdir()) == ["instance.yaml", "observed.yaml", "rgd.yaml"]
