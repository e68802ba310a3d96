"""`--target flux`: what is held stays in the Kustomization that applies it, since Flux deletes what leaves one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from krm_fn.command import EXIT_OK
from tests.command.test_flux import Json, db
from tests.command.test_render import rookery
from tests.rendering import config_map, instance, rgd

EXTERNAL = "- id: ext\n  externalRef: {apiVersion: v1, kind: ConfigMap, metadata: {name: shared, namespace: store}}\n"
SEEN = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "shared", "namespace": "store"},
    "data": {"x": "1", "names": "a,b"},
}
STATUS = {"ok": True, "host": "h"}


def nested(
    node: str, *, kind: str = "Inner", place: str = "", each: str = "", spec: str = '{x: "${ext.data.x}"}'
) -> str:
    name = '"${schema.metadata.name}-' + ("${v}" if each else node) + '"'
    loop = f'  forEach: [{{v: "{each}"}}]\n' if each else ""
    return (
        f"- id: {node}\n{loop}  template:\n    apiVersion: kro.run/v1alpha1\n    kind: {kind}\n"
        f"    metadata: {{name: {name}{place}}}\n    spec: {spec}\n"
    )


INNER = rgd(
    db("db") + config_map("leaf", '{x: "${db.status.host}", y: "${schema.spec.x}"}'),
    kind="Inner",
    spec="{x: string}",
    status='{host: "${db.status.host}"}',
)
MIDDLE = rgd(nested("inner", spec='{x: "${schema.spec.x}"}'), kind="Middle", spec="{x: string}")
NAMES = "${ext.data.names.split(',')}"
GATED = (
    db("first")
    + '- id: after\n  template: {apiVersion: v1, kind: ConfigMap, metadata: {name: "${first.metadata.name}-x"}}\n'
)

CASES: dict[str, list[str]] = {
    "nested": [INNER, rgd(EXTERNAL + nested("inner"))],
    "what waits for a nested one": [
        INNER,
        rgd(EXTERNAL + nested("inner") + config_map("host", '{x: "${inner.status.host}"}')),
    ],
    "behind a gate": [INNER, rgd(EXTERNAL + db("first") + nested("inner", spec='{x: "${ext.data.x + first.metadata.name}"}'))],
    "nested twice": [INNER, MIDDLE, rgd(EXTERNAL + nested("middle", kind="Middle"))],
    "a collection": [INNER, rgd(EXTERNAL + nested("inner", each=NAMES))],
    "a collection of nodes": [
        rgd(EXTERNAL + config_map("all", name="${schema.metadata.name}-${v}", more=f'forEach: [{{v: "{NAMES}"}}]'))
    ],
    "another namespace": [INNER, rgd(EXTERNAL + nested("inner", place=", namespace: elsewhere"))],
    "another namespace, only the cluster knows which": [
        INNER,
        rgd(EXTERNAL + nested("inner", place=', namespace: "ns-${ext.data.x}"')),
    ],
    "a late namespace": [
        INNER,
        rgd(
            EXTERNAL
            + db("first")
            + '- id: ns\n  template: {apiVersion: v1, kind: Namespace, metadata: {name: "ns-${schema.metadata.name}", labels: {after: "${first.metadata.name}"}}}\n'
            + nested("inner", place=', namespace: "ns-${schema.metadata.name}"')
        ),
    ],
}  # fmt: skip


class Run:
    """places: what there is, and in which folder of a layer.  objects: by the same."""

    def __init__(self, folder: Path, texts: list[str], seen: list[Json], *options: str) -> None:
        folder.mkdir(exist_ok=True)
        for i, text in enumerate(texts):
            (folder / f"{i}.yaml").write_text(text)
        (folder / "seen.txt").write_text(yaml.safe_dump_all(seen))
        paths = [str(folder / f"{i}.yaml") for i in range(len(texts))]
        words = ["--observed", str(folder / "seen.txt"), "--target", "flux", "-o", str(folder / "deploy"), *options]
        code, _, self.said = rookery("render", *paths, *words, "--flux-path", "deploy")
        assert code == EXIT_OK, self.said
        deploy = folder / "deploy"
        lists = ("kustomization.yaml", "kustomizations.yaml")
        self.objects: dict[str, Json] = {
            str(path.relative_to(deploy)): yaml.safe_load(path.read_text())
            for path in sorted(deploy.rglob("*.yaml"))
            if path.name not in lists
        }
        self.kustomizations = [
            each
            for path in sorted(deploy.glob("*/kustomizations.yaml"))
            for each in yaml.safe_load_all(path.read_text())
        ]
        for each in self.kustomizations:
            each["metadata"].pop("annotations", None)

    def live(self, *, labels: bool = False) -> list[Json]:
        """All of it as it lives."""
        found = []
        for path, made in self.objects.items():
            root, layer, _ = path.split("/", 2)
            more: dict[str, Any] = {"status": STATUS} if made["kind"] == "Db" else {}
            metadata = dict(made["metadata"])
            if labels:
                own = {"name": f"{root}.{layer}", "namespace": "flux-system"}
                metadata["labels"] = {f"kustomize.toolkit.fluxcd.io/{key}": value for key, value in own.items()}
            found.append({**made, **more, "metadata": metadata})
        return found


def settled(folder: Path, texts: list[str], *options: str) -> Run:
    """The run in which nothing waits any more."""
    seen = [SEEN]
    for _ in range(8):
        run = Run(folder, texts, seen, *options)
        if "[deferred]" not in run.said:
            return run
        seen = [SEEN, *run.live()]
    raise AssertionError(run.said)


@pytest.mark.parametrize("texts", CASES.values(), ids=CASES)
@pytest.mark.parametrize("where", ["the same directory", "a fresh one"])
@pytest.mark.parametrize("options", [(), ("--emit", "instances")], ids=["", "with instances"])
def test_what_is_held_does_not_move(tmp_path: Path, texts: list[str], where: str, options: tuple[str, ...]) -> None:
    texts = [*texts, instance(), instance(name="shop-2")]
    before = settled(tmp_path / "a", texts, *options)
    held = Run(tmp_path / ("a" if where == "the same directory" else "b"), texts, before.live(), *options)
    assert "[deferred]" in held.said
    assert list(held.objects) == list(before.objects)
    assert held.kustomizations == before.kustomizations


def test_without_the_directory_the_labels_of_flux_tell(tmp_path: Path) -> None:
    """Two instances may have made it, and nothing in its name tells which."""
    texts = [
        INNER,
        rgd(EXTERNAL + nested("inner").replace("${schema.metadata.name}-", "${ext.data[schema.metadata.name]}-")),
    ]
    texts += [instance(name="left"), instance(name="right")]
    seen = {**SEEN, "data": {"x": "1", "left": "one", "right": "two"}}
    first = Run(tmp_path / "a", texts, [seen])
    before = Run(tmp_path / "a", texts, [seen, *first.live()])
    held = Run(tmp_path / "b", texts, before.live(labels=True))
    assert list(held.objects) == list(before.objects)
    assert {path.split("/")[0] for path in held.objects} == {"app.store.left", "app.store.right"}


def test_what_a_node_no_longer_makes_stays(tmp_path: Path) -> None:
    """Unwanted, but kept while its instance waits: with what waited for it still behind it."""
    texts = [
        rgd(EXTERNAL + config_map("waits", '{x: "${ext.data.x}"}') + GATED, spec="{enabled: boolean | default=true}")
    ]
    texts[0] = texts[0].replace("- id: first\n", '- id: first\n    includeWhen: ["${schema.spec.enabled}"]\n')
    before = settled(tmp_path / "a", [*texts, instance()])
    held = Run(tmp_path / "b", [*texts, instance("{enabled: false}")], before.live())
    assert held.said.count("info[held]") == 2
    assert list(held.objects) == list(before.objects)
    assert held.kustomizations == before.kustomizations


def test_what_a_directory_says_is_not_believed_blindly(tmp_path: Path) -> None:
    texts = [*CASES["nested"], instance()]
    before = settled(tmp_path / "a", texts)
    (tmp_path / "b" / "deploy").mkdir(parents=True)
    lines = [
        "../x/0/inner.store.shop-inner/db.yaml",
        "api/0/inner.store.shop-inner/db.yaml",
        "UPPER.x/0/inner.store.shop-inner/db.yaml",
        "a.x/00/inner.store.shop-inner/db.yaml",
        "a.x/9999999999/inner.store.shop-inner/db.yaml",
        "a.x/0/0/inner.store.shop-inner/db.yaml",
        "\udcff",
    ]
    (tmp_path / "b" / "deploy" / ".rookery").write_bytes("\n".join(lines).encode(errors="surrogateescape"))
    held = Run(tmp_path / "b", texts, before.live())
    assert list(held.objects) == list(before.objects)
