"""ResourceLists as kpt writes them, and the function run over them in one call."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

import yaml

from krm_fn.command import run
from tests.rendering import config_map, rgd

if TYPE_CHECKING:
    from collections.abc import Mapping

HOME = "/work/package"
LOCAL = 'config.kubernetes.io/local-config: "true"'


class Answer:
    """What the function printed. `items` by path, as plain JSON without the host's annotations; `texts` by path, to the byte."""

    def __init__(self, code: int, stdout: str, stderr: str) -> None:
        self.code = code
        self.stdout = stdout
        self.stderr = stderr
        listed = yaml.safe_load(stdout) if stdout else {}
        self.list: dict[str, Any] = listed
        self.items = {_path(item): item for item in listed.get("items", [])}
        self.results: list[dict[str, Any]] = listed.get("results", [])
        self.codes = [result["tags"]["code"] for result in self.results]
        self.texts = entries(stdout)

    def messages(self, code: str) -> list[str]:
        return [result["message"] for result in self.results if result["tags"]["code"] == code]


def _path(item: dict[str, Any]) -> str:
    metadata = item.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    if not isinstance(annotations, dict):
        return str(metadata)
    path = annotations.get("internal.config.kubernetes.io/path", str(metadata))
    package = annotations.get("internal.config.kubernetes.io/package-path", HOME)[len(HOME) + 1 :]
    return f"{package}/{path}" if package else str(path)


def entries(text: str) -> list[str]:
    """The lines of each item, of a list whose dashes stand at the margin."""
    body = text.partition("\nitems:\n")[2]
    kept: list[str] = []
    for line in body.splitlines(keepends=True):
        if line[:1].isalpha():
            break
        if line.startswith("- "):
            kept.append("")
        if kept:
            kept[-1] += line
    return kept


def item(text: str, path: str, *, package: str = HOME, index: int = 0, identifier: int = 1, more: str = "") -> str:
    """One object, written as a block at the left margin with `metadata` before anything else in it, as an entry of kpt's list."""
    place = {
        "config.kubernetes.io/index": str(index),
        "config.kubernetes.io/path": path,
        "internal.config.kubernetes.io/index": str(index),
        "internal.config.kubernetes.io/path": path,
        "internal.config.kubernetes.io/seqindent": "compact",
        "internal.config.kubernetes.io/annotations-migration-resource-id": str(identifier),
        "internal.config.kubernetes.io/id": str(identifier),
        "config.k8s.io/id": str(identifier),
    }
    if package:
        place["internal.config.kubernetes.io/package-path"] = package
    annotations = "".join(f"    {key}: '{value}'\n" for key, value in place.items())
    annotations = f"metadata:\n  annotations:\n{annotations}" + "".join(f"    {line}\n" for line in more.splitlines())
    assert text.count("metadata:\n") >= 1, text
    entry = text.replace("metadata:\n", annotations, 1)
    return "- " + "".join(f"  {line}\n" if line else "\n" for line in entry.splitlines())[2:]


def resource_list(*items: str, config: str = "", version: str = "v1") -> str:
    text = f"apiVersion: config.kubernetes.io/{version}\nkind: ResourceList\nitems:\n" + "".join(items)
    if config:
        text += "functionConfig:\n" + "".join(f"  {line}\n" for line in config.splitlines())
    return text


def config_of(data: str) -> str:
    """functionConfig as kpt makes it of a Kptfile's configMap."""
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: function-input\ndata: {data}\n"


def fn(stdin: str | bytes, environment: Mapping[str, str] | None = None) -> Answer:
    out, err = io.BytesIO(), io.StringIO()
    given = stdin.encode() if isinstance(stdin, str) else stdin
    code = run(["fn"], io.BytesIO(given), out, err, environment or {})
    return Answer(code, out.getvalue().decode(), err.getvalue())


KPTFILE = item("apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: package\n", "Kptfile")


def definition(resources: str = "", *, path: str = "rgd.yaml", package: str = HOME, **fields: Any) -> str:
    """An RGD, by default of `App` with one ConfigMap named `cm`."""
    text = rgd(
        resources or config_map("cm", '{x: "${schema.spec.x}"}'), **{"spec": '{x: "string | default=y"}', **fields}
    )
    text = re.sub(r"^metadata: {name: (\w+)}", r"metadata:\n  name: \1", text, flags=re.MULTILINE).replace("\n\n", "\n")
    return item(text, path, package=package, more=LOCAL)


def app(spec: str = "{}", *, name: str = "shop", path: str = "", package: str = HOME, kind: str = "App") -> str:
    text = f"apiVersion: kro.run/v1alpha1\nkind: {kind}\nmetadata:\n  name: {name}\n  namespace: store\nspec: {spec}\n"
    return item(text, path or f"{name}.yaml", package=package, more=LOCAL)
