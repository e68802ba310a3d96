"""
A case of `kro-live` as data: what went into the cluster, who wrote what, and what kro did.

Enters: a case's folder.  Leaves: a `Recording`.  Not known here: the product; what counts as equal.

The user's actions (`do` in the golden) are followed as long as they only add to the input, or change what was there before the
first instance. A later change of an RGD or an instance, and whatever kro pruned, is a `history`: what a render
knows of it is what lives in the end.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from pathlib import Path

Identity = tuple[str, str, str, str]
"""Group, kind, namespace, name."""

RGD = ("kro.run", "ResourceGraphDefinition")
CRD = ("apiextensions.k8s.io", "CustomResourceDefinition")
UID = "<uid>"
CLUSTER_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
"""Those that every cluster has."""
_SEPARATOR = re.compile(r"^---(?:[ \t].*)?$", re.MULTILINE)


def load(path: Path) -> Any:
    return parse(path.read_text(encoding="utf-8"))


def parse(text: str) -> Any:
    return yaml.load(text, yaml.CSafeLoader)


def identity(value: dict[str, Any]) -> Identity:
    """The identity of an object, or of a mention of one (which has `name` and `namespace` at its top)."""
    place = value.get("metadata") or value
    group = str(value.get("apiVersion", "")).rpartition("/")[0]
    return (group, str(value.get("kind")), str(place.get("namespace") or ""), str(place.get("name")))


class Source:
    """One document of the input, to the byte, and what PyYAML makes of it."""

    def __init__(self, text: str, value: Any) -> None:
        self.text = text
        self.value = value if isinstance(value, dict) else {}
        self.identity = identity(self.value)

    @property
    def kind(self) -> tuple[str, str]:
        return self.identity[:2]


_READ_TWO_WAYS = re.compile(
    r"[yYnN]|0o[0-7]+|[-+]?\d[\d_]*(?::[0-5]?\d)+(?:\.\d*)?|[-+]?\d+(?:\.\d*)?[eE]\d+|[-+]?\d+[eE][-+]\d+|0[0-9]*[89][0-9]*"
)
"""Plain scalars that PyYAML and Kubernetes read as different values."""


def as_recorded(text: str, value: Any) -> str:
    """
    A document as the API server of the recording got it.

    The recorder read its files with PyYAML and sent JSON; Kubernetes' own reader takes a plain `y` for true. Where the two readers
    differ, the text becomes the JSON that was sent; all other documents stay as they are.
    """
    try:
        tokens = list(yaml.scan(text, yaml.CSafeLoader))
    except yaml.YAMLError:
        return text
    scalars = (token for token in tokens if isinstance(token, yaml.ScalarToken) and token.plain)
    if isinstance(value, dict) and any(_READ_TWO_WAYS.fullmatch(token.value) for token in scalars):
        return json.dumps(value, ensure_ascii=False, indent=1)
    return text


def repeats_a_key(text: str) -> bool:
    """Whether a mapping of the document sets one key twice."""
    nodes: list[Any] = [yaml.compose(text, yaml.CSafeLoader)]
    for node in nodes:  # grows while it is read
        if isinstance(node, yaml.MappingNode):
            keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
            if len(set(keys)) < len(keys):
                return True
            nodes.extend(value for _, value in node.value)
        elif isinstance(node, yaml.SequenceNode):
            nodes.extend(node.value)
    return False


def sources_of(path: Path) -> list[Source]:
    """The documents of a file. A text that PyYAML does not read is a document without a value: the product will judge it."""
    found = []
    for text in _SEPARATOR.split(path.read_text(encoding="utf-8")):
        if not text.strip():
            continue
        try:
            value = parse(text)
        except (yaml.YAMLError, ValueError):
            value = None
        found.append(Source(as_recorded(text, value), value))
    return found


class Recording:
    """
    inputs: RGDs and instances as the user left them.  rejected: RGD name -> kro's message.  instances_rejected: (kind, name) ->
    message.  verdicts: every RGD that was applied, alone, with the message of its rejection or None.
    bodies: the last body of each object, with its node and instance.
    """

    def __init__(self, folder: Path, crd_folder: Path | None) -> None:
        self.folder = folder
        self.case: dict[str, Any] = load(folder / "case.yaml")
        self.golden: dict[str, Any] = load(folder / "golden.yaml")
        self.steps: list[dict[str, Any]] = self.golden.get("steps") or []
        self.crd_paths = [folder / "crds"] if (folder / "crds").is_dir() else []
        if self.case.get("kro_crds") and crd_folder is not None:
            self.crd_paths += [crd_folder / name for name in self.case["kro_crds"]]
        self.inputs: dict[Identity, Source] = {}
        self.crds: dict[Identity, Source] = {}
        self.existing: dict[Identity, dict[str, Any]] = {}
        self.verdicts: list[tuple[Source, str | None]] = []
        self.rejected: dict[str, str] = {}
        self.history: list[str] = []
        self.bodies: dict[Identity, dict[str, Any]] = {}
        self.written: dict[Identity, list[dict[str, Any]]] = {}
        self._read()

    def _read(self) -> None:
        for file in self.case.get("pre") or []:
            for source in sources_of(self.folder / file):
                self.existing[source.identity] = source.value
        for file in [*(self.case.get("rgds") or []), *(self.case.get("instances") or [])]:
            for source in sources_of(self.folder / file):
                self.inputs[source.identity] = source
        for namespace in (*CLUSTER_NAMESPACES, *(self.case.get("namespaces_created") or [])):
            value = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
            self.existing.setdefault(identity(value), value)
        self._judge(self.golden.get("rgd") or [])
        for entry in self.golden.get("rgd") or []:
            self.verdicts += [
                (source, _refusal_alone(entry))
                for source in self.inputs.values()
                if source.kind == RGD and source.identity[3] == entry["name"]
            ]
        scenario = load(self.folder / "scenario.yaml") if (self.folder / "scenario.yaml").exists() else {}
        for step in self.steps:
            for action in step.get("do") or []:
                self._act(step, action, scenario)
            self._judge(step.get("rgd") or [])
            for applied in step.get("applied") or []:
                self.bodies[identity(applied["object"])] = applied
            for pruned in step.get("pruned") or []:
                self.history.append("kro pruned something")
                self.bodies.pop(identity(pruned), None)
            for write in step.get("set_status") or []:
                self.written.setdefault(identity(write), []).append(write)

    def _judge(self, entries: list[dict[str, Any]]) -> None:
        for entry in entries:
            message = _refusal(entry) or _crd_refusal(entry)
            if message is None:
                self.rejected.pop(entry["name"], None)
            else:
                self.rejected[entry["name"]] = message

    def _act(self, step: dict[str, Any], action: dict[str, Any], scenario: dict[str, Any]) -> None:
        verb = next(key for key in action if key != "rejected")
        mention = action[verb]
        if verb == "create_namespace":
            value = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": mention}}
            self.existing[identity(value)] = value
            return
        sources = self._sources(step, verb, mention, scenario)
        for source in sources:
            if verb in ("set_live", "set_status"):
                if source.identity in self.inputs:
                    self.history.append("a live instance was changed")
                if any(takes_back(earlier, source.value) for earlier in self.written.get(source.identity, [])):
                    self.history.append("a value that was written was changed later")
                self.written.setdefault(source.identity, []).append(source.value)
            elif verb == "delete":
                self._delete(source)
            elif verb in ("apply", "update"):
                self._apply(step, source, None)
            elif verb == "apply_rejected":
                self._apply(step, source, str(action.get("rejected")))
            else:
                self.history.append(f"unknown action {verb}")

    def _sources(self, step: dict[str, Any], verb: str, mention: Any, scenario: dict[str, Any]) -> list[Source]:
        if isinstance(mention, str):
            return sources_of(self.folder / mention)
        if "scenario_step" in step:
            value = scenario["steps"][step["scenario_step"]][verb]
            return [Source(json.dumps(value, ensure_ascii=False, indent=1), value)]
        return [Source("", mention)]

    def _apply(self, step: dict[str, Any], source: Source, rejected: str | None) -> None:
        if source.kind == CRD:
            self.crds[source.identity] = source
            self.existing[source.identity] = source.value
            return
        is_input = source.kind == RGD or source.kind in self.instance_kinds()
        if not is_input:
            self.existing[source.identity] = source.value
            return
        has_instances = any(other.kind != RGD for other in self.inputs.values())
        if source.identity in self.inputs and has_instances:
            self.history.append("an RGD or an instance was changed")
        if source.kind == RGD:
            entries = [entry for entry in step.get("rgd") or [] if entry["name"] == source.identity[3]]
            refusal = rejected or (_refusal_alone(entries[-1]) if entries else None)
            self.verdicts.append((source, refusal))
            if rejected is not None:
                return
        self.inputs[source.identity] = source

    def _delete(self, source: Source) -> None:
        if source.identity in self.inputs and any(other.kind != RGD for other in self.inputs.values()):
            self.history.append("an RGD or an instance was deleted")
        self.inputs.pop(source.identity, None)
        self.existing.pop(source.identity, None)
        if source.kind == RGD:
            self.rejected.pop(source.identity[3], None)

    def kind_of(self, rgd: Source) -> tuple[str, str]:
        """Group and kind of an RGD's instances."""
        spec = rgd.value.get("spec")
        schema = spec.get("schema") if isinstance(spec, dict) else None
        schema = schema if isinstance(schema, dict) else {}
        return (str(schema.get("group") or "kro.run"), str(schema.get("kind")))

    def instance_kinds(self) -> set[tuple[str, str]]:
        return {self.kind_of(source) for source in self.inputs.values() if source.kind == RGD}

    @property
    def instances(self) -> list[Source]:
        return [source for source in self.inputs.values() if source.kind != RGD]

    @property
    def instances_rejected(self) -> dict[tuple[str, str], str]:
        return {(r["kind"], r["name"]): r["message"] for r in self.golden.get("instance_rejected") or []}

    def final_states(self) -> list[tuple[str, dict[str, Any]]]:
        """(Kind/namespace/name, last status) of every instance, nested ones included."""
        states: dict[str, dict[str, Any]] = {}
        for entry in (self.golden.get("final") or {}).get("instances") or []:
            states[mention(entry)] = entry.get("status") or {}
        for step in self.steps:
            for entry in step.get("other_instances") or []:
                states[mention(entry)] = entry.get("status") or {}
        return list(states.items())

    def dependencies(self) -> dict[tuple[str, str], dict[str, list[str]]]:
        """Kind of the instances -> node -> the nodes that it depends on."""
        found: dict[tuple[str, str], dict[str, list[str]]] = {}
        entries = list(self.golden.get("rgd") or [])
        for step in self.steps:
            entries += step.get("rgd") or []
        for entry in entries:
            for source in self.inputs.values():
                if source.kind == RGD and source.identity[3] == entry["name"]:
                    found[self.kind_of(source)] = {
                        node["id"]: [dependency["id"] for dependency in node["dependencies"]]
                        for node in entry.get("resources") or []
                    }
        return found


def mention(entry: dict[str, Any]) -> str:
    """`Kind/namespace/name`, as the goldens name instances."""
    _, kind, namespace, name = identity(entry)
    return f"{kind}/{namespace}/{name}"


def _refusal(entry: dict[str, Any]) -> str | None:
    """Why kro, or the API server, did not take an RGD as such."""
    if "rejected" in entry:
        return str(entry["rejected"].get("message"))
    for condition in entry.get("conditions") or []:
        if condition["type"] == "GraphAccepted" and condition["status"] != "True":
            return str(condition["message"])
    return None


def _refusal_alone(entry: dict[str, Any]) -> str | None:
    """Why an RGD is refused whatever else is there: as such, or because the API server takes no CRD like the generated one."""
    message = _refusal(entry)
    if message is None and "failed to create CRD" in (_crd_refusal(entry) or ""):
        message = _crd_refusal(entry)
    return message


def _crd_refusal(entry: dict[str, Any]) -> str | None:
    """Why an accepted RGD got no CRD."""
    if entry.get("state") == "Active":
        return None
    messages = [str(c["message"]) for c in entry.get("conditions") or [] if c["status"] != "True" and c.get("message")]
    return messages[0] if messages else "not active"


def takes_back(earlier: Any, later: Any) -> bool:
    """Whether a patch changes or removes a value that an earlier one set."""
    if isinstance(earlier, dict) and isinstance(later, dict):
        return any(takes_back(earlier[key], value) for key, value in later.items() if key in earlier)
    return bool(earlier != later)


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged
