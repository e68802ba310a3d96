"""A render in one call, for tests that say what comes out: YAML texts in, objects and findings out."""

from __future__ import annotations

from typing import Any

from krm_fn.expand.outcome import Expansion
from krm_fn.expand.ownership import PREFIX
from krm_fn.pipeline import Options, Rendering
from krm_fn.read.yaml import parse_documents
from krm_fn.report.diagnostic import ERROR


class Result:
    """`objects`: as emitted, without our marks.  `names`: their names, in order.  `states`: node id -> state, of the first instance."""

    def __init__(self, rendering: Rendering) -> None:
        batches = list(rendering.batches())
        self.world = rendering.world
        self.expansions: list[Expansion] = [expansion for expansion, _ in batches if expansion is not None]
        self.objects = [unmarked(emitted.object) for _, batch in batches for emitted in batch]
        self.names = [made["metadata"]["name"] for made in self.objects]
        # What is observed in a test is written by hand, which is no news.
        self.findings = [found for found in rendering.findings.sorted() if found.code != "observed-by-hand"]
        self.codes = [finding.code for finding in self.findings]
        self.errors = [finding.code for finding in self.findings if finding.severity == ERROR]
        first = self.expansions[0].outcomes if self.expansions else {}
        self.states = {name: outcome.state for name, outcome in first.items()}
        self.waits = {name: sorted({p for w in o.waits for p in w.paths}) for name, o in first.items() if o.waits}

    def __getitem__(self, name: str) -> dict[str, Any]:
        [found] = [made for made in self.objects if made["metadata"]["name"] == name]
        return found


def render(*texts: str, observed: str | None = None, crds: str = "", **options: Any) -> Result:
    documents = [document for i, text in enumerate(texts) for document in parse_documents(text, f"input-{i}.yaml")]
    return Result(
        Rendering(
            documents,
            Options(**options),
            crds=list(parse_documents(crds, "crds.yaml")) if crds else (),
            observed=None if observed is None else list(parse_documents(observed, "observed.yaml")),
        )
    )


def unmarked(made: dict[str, Any]) -> dict[str, Any]:
    metadata = dict(made["metadata"])
    annotations = {k: v for k, v in (metadata.pop("annotations", None) or {}).items() if not k.startswith(PREFIX)}
    if annotations:
        metadata["annotations"] = annotations
    return {**made, "metadata": metadata}


def rgd(resources: str, *, kind: str = "App", spec: str = "{}", status: str = "{}", more: str = "") -> str:
    """An RGD of *kind* with the YAML of its `resources` list, written at the left margin."""
    return f"""\
apiVersion: kro.run/v1alpha1
kind: ResourceGraphDefinition
metadata: {{name: {kind.lower()}}}
spec:
  schema:
    apiVersion: v1alpha1
    kind: {kind}
    spec: {spec}
    status: {status}
{indented(more, 4)}
  resources:
{indented(resources, 2)}
"""


def instance(spec: str = "{}", *, kind: str = "App", name: str = "shop", namespace: str = "store") -> str:
    place = f", namespace: {namespace}" if namespace else ""
    return f"apiVersion: kro.run/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}{place}}}\nspec: {spec}\n"


def config_map(node: str, data: str = "{}", *, name: str = "", more: str = "") -> str:
    """One resource of an RGD: a ConfigMap named after its node."""
    shown = name or f"${{schema.metadata.name}}-{node.lower()}"
    return f"""\
- id: {node}
{indented(more, 2)}
  template:
    apiVersion: v1
    kind: ConfigMap
    metadata: {{name: "{shown}"}}
    data: {data}
"""


def free_form(node: str, data: str) -> str:
    """The same of a kind that nobody knows, whose `data` may be anything."""
    return config_map(node, data).replace(
        "apiVersion: v1\n    kind: ConfigMap", "apiVersion: test.io/v1\n    kind: FreeForm"
    )


def indented(text: str, by: int) -> str:
    return "\n".join(" " * by + line for line in text.splitlines() if line.strip())
