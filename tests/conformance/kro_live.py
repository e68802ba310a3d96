"""
Cases of `kro-live`: the product renders what the user applied, with what others wrote as observed state, and its objects are
compared with the last body that kro sent of each.

What is expected, by the golden:

* an RGD or an instance that was rejected: the whole input is refused (exit 1, nothing on stdout); the rest, without what was
  rejected, renders to the bodies that kro applied;
* a node whose evaluation made kro end in ERROR before applying it: the input is refused;
* else exit 0 and the same set of objects with equal bodies. An object that kro never applied is allowed only *beyond a gate*:
  kro stayed IN_PROGRESS, the node was never applied, and it depends on a node that kro names as the one it waits for. A render
  opens a gate that nobody can know; the case then passes with a remark.
"""

from __future__ import annotations

import io
import json
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.conformance.case import Case, Mismatch
from tests.conformance.compare import first_difference, without_labels_aside
from tests.conformance.exclusions import reason_for_rejection, reason_to_refuse
from tests.conformance.live_inputs import (
    RGD,
    UID,
    Identity,
    Recording,
    Source,
    identity,
    mention,
    merge_patch,
    repeats_a_key,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

WRITTEN, ALL = "written", "all"
_CODE = re.compile(r"\berror\[([a-z0-9-]+)\]")
_NOTHING = "nothing-to-render"
_WAITING_FOR = re.compile(r'waiting for (?:node|external reference|external collection) "([^"]+)"')
_CREATED = "2025-01-01T00:00:00Z"
_UNSERVED_KINDS = frozenset(
    {"ConfigMap", "Secret", "ServiceAccount", "Namespace", "Role", "ClusterRole", "RoleBinding"}
)
"""Kinds that have no `metadata.generation`."""


def read_case(folder: Path, row: str, crd_folder: Path | None, snapshot: str) -> Case:
    """One case folder, as a Case. *crd_folder*: where the files of `kro_crds` are."""
    recording = Recording(folder, crd_folder)
    facts = {
        "rejections": list(recording.rejected.values()),
        "instance_rejections": list(recording.instances_rejected.values()),
        "verdicts": [message for _, message in recording.verdicts if message],
        "messages": _messages(recording),
        "features": recording.case.get("features") or [],
        "has_instances": bool(recording.instances),
        "notes": recording.golden.get("notes") or [],
        "unrecorded": _unrecorded(recording),
        "repeated_keys": [source.identity[3] for source in recording.inputs.values() if repeats_a_key(source.text)],
        "missing_crds": [str(path) for path in recording.crd_paths if not path.exists()],
    }
    return Case(row, folder.name, "kro-live", Check(recording, snapshot), facts)


def _messages(recording: Recording) -> list[str]:
    """What kro says of the instances that are not ACTIVE: the built-in conditions that are not True."""
    return [
        condition["message"]
        for _, status in recording.final_states()
        if status.get("state") != "ACTIVE"
        for condition in status.get("conditions") or []
        if condition.get("type") == "ResourcesReady" and condition["status"] != "True" and "message" in condition
    ]


def _unrecorded(recording: Recording) -> bool:
    """Whether an RGD makes a Lease: the recorder left out what controllers write all the time."""
    for source in recording.inputs.values():
        spec = source.value.get("spec")
        for resource in (spec.get("resources") if source.kind == RGD and isinstance(spec, dict) else None) or []:
            template = resource.get("template") if isinstance(resource, dict) else None
            if isinstance(template, dict) and template.get("kind") == "Lease":
                return True
    return False


class Run:
    """What the product did: exit code, objects, codes of the errors that it named."""

    def __init__(self, code: int, stdout: bytes, stderr: str) -> None:
        self.code = code
        self.stderr = stderr
        self.stdout = stdout
        self.errors = set(_CODE.findall(stderr))

    @property
    def reason(self) -> str:
        lines = [line for line in self.stderr.splitlines() if "error" in line]
        return " | ".join(lines[:3] or self.stderr.splitlines()[:2])[:400]

    def objects(self) -> list[dict[str, Any]]:
        return [document for document in yaml.load_all(self.stdout, yaml.CSafeLoader) if document is not None]


def run_product(arguments: list[str]) -> Run:
    from krm_fn.command import run

    stdout, stderr = io.BytesIO(), io.StringIO()
    code = run(arguments, io.BytesIO(), stdout, stderr, {})
    if code not in (0, 1):
        raise Mismatch(f"crash: exit {code}: {stderr.getvalue().strip()[:300]}")
    if code == 1 and stdout.getvalue():
        raise Mismatch("exit 1 with output on stdout")
    return Run(code, stdout.getvalue(), stderr.getvalue())


class Check:
    """The check of one recorded case."""

    def __init__(self, recording: Recording, snapshot: str) -> None:
        self.recording = recording
        self.snapshot = snapshot

    def __call__(self) -> list[str]:
        with tempfile.TemporaryDirectory() as folder:
            self.folder = Path(folder)
            try:
                return self._check()
            except Mismatch as mismatch:
                # Diagnostics name the temporary files: what is left of the names is the same in every run.
                raise Mismatch(re.sub(rf"{re.escape(folder)}/[^/]+/", "", str(mismatch))) from mismatch

    def _check(self) -> list[str]:
        recording = self.recording
        remarks = [remark for rgd, refusal in recording.verdicts if (remark := self._check_verdict(rgd, refusal))]
        if not recording.inputs:
            return remarks
        whole = self._render(recording.inputs.values())
        refusals = self._refusals()
        if not refusals:
            return remarks + self.compare(whole, self.recording.inputs.values())
        if whole.code == 0 and "warning[unknown-kind]" in whole.stderr:
            return [*remarks, "a kind that nobody knows is rendered, with a warning; validate refuses it (DESIGN 3)"]
        if whole.code == 0:
            raise Mismatch(f"not refused: {refusals[0][:200]}")
        if not whole.errors - {_NOTHING}:
            raise Mismatch(f"refused without naming a defect: {whole.reason}")
        rest = self._without_rejected()
        if rest is None or not recording.bodies:
            return remarks
        return remarks + self.compare(self._render(rest), rest)

    def _check_verdict(self, rgd: Source, refusal: str | None) -> str | None:
        """One RGD alone is accepted or rejected as kro did (an RGD without instances renders nothing, which is an error too)."""
        if refusal is not None and reason_for_rejection(refusal) is not None:
            return None
        errors = self._render([rgd]).errors - {_NOTHING}
        if refusal is None and errors and (reason := reason_to_refuse(rgd.text)) is not None:
            return f"refused: {reason}"
        if refusal is None and errors:
            raise Mismatch(f"RGD {rgd.identity[3]} refused ({', '.join(sorted(errors))}), kro accepts it")
        if refusal is not None and not errors and not self._is_invalid(rgd):
            raise Mismatch(f"RGD {rgd.identity[3]} not refused: {refusal[:200]}")
        return None

    def _is_invalid(self, rgd: Source) -> bool:
        """Whether `validate` refuses the RGD beside all others: a kind that nobody knows is no reason not to render."""
        others = [source for source in self.recording.inputs.values() if source.kind == RGD and source is not rgd]
        run = self._run("validate", [rgd, *others])
        return any("/000-rgd.yaml:" in line and " error[" in line for line in run.stderr.splitlines())

    def _refusals(self) -> list[str]:
        """Why the whole input must be refused, in kro's words; empty where it must render."""
        recording = self.recording
        found = [*recording.rejected.values(), *recording.instances_rejected.values()]
        refused_bodies = {applied["instance"] for applied in recording.bodies.values() if "error" in applied}
        for name, status in recording.final_states():
            for condition in status.get("conditions") or []:
                message = str(condition.get("message", ""))
                if condition.get("type") != "ResourcesReady" or condition["status"] == "True":
                    continue
                is_fatal = status.get("state") == "ERROR" and name not in refused_bodies and message
                if is_fatal or "found resources with conflicts" in message:
                    found.append(message)
        return found

    def _without_rejected(self) -> list[Source] | None:
        """The input without rejected RGDs, their instances and rejected instances; None where nothing of interest is left."""
        recording = self.recording
        if not recording.rejected and not recording.instances_rejected:
            return None
        gone = {
            recording.kind_of(source)
            for source in recording.inputs.values()
            if source.kind == RGD and source.identity[3] in recording.rejected
        }
        rest = [
            source
            for source in recording.inputs.values()
            if not (source.kind == RGD and source.identity[3] in recording.rejected)
            and source.kind not in gone
            and (source.identity[1], source.identity[3]) not in recording.instances_rejected
        ]
        return rest if any(source.kind != RGD for source in rest) else None

    # -- running ----------------------------------------------------------------------------------------------------

    def _render(self, sources: Iterable[Source]) -> Run:
        return self._run("render", sources)

    def _run(self, command: str, sources: Iterable[Source]) -> Run:
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        paths = []
        for i, source in enumerate(sources):
            path = folder / f"{i:03d}-{'rgd' if source.kind == RGD else 'instance'}.yaml"
            path.write_text(source.text, encoding="utf-8")
            paths.append(str(path))
        arguments = [*paths]
        for path in self.recording.crd_paths:
            arguments += ["--crds", str(path)]
        for i, crd in enumerate(self.recording.crds.values()):
            path = folder / f"crd-{i}.yaml"
            path.write_text(crd.text, encoding="utf-8")
            arguments += ["--crds", str(path)]
        if command == "validate":
            return run_product([command, *arguments])
        observed = folder / "observed.yaml"
        items = SNAPSHOTS[self.snapshot](self.recording)
        observed.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, ensure_ascii=False))
        arguments += ["--observed", str(observed), "--kro-labels", "--emit", "instances", "--target", "plain"]
        return run_product([command, *arguments])

    # -- comparing --------------------------------------------------------------------------------------------------

    def compare(self, run: Run, sources: Iterable[Source]) -> list[str]:
        if run.code != 0 and run.errors == {_NOTHING} and not self.recording.bodies:
            return []
        if run.code != 0:
            raise Mismatch(f"refused: {run.reason}")
        roots = {
            (source.kind, source.identity[2] or "default", source.identity[3])
            for source in sources
            if source.kind != RGD
        } - {((key[0], key[1]), key[2], key[3]) for key in self.recording.bodies}
        got: dict[Identity, dict[str, Any]] = {}
        for body in run.objects():
            key = identity(body)
            if ((key[0], key[1]), key[2] or "default", key[3]) in roots:
                continue
            if key in got:
                raise Mismatch(f"rendered twice: {_name(key)}")
            got[key] = body
        missing = [key for key in self.recording.bodies if key not in got]
        if missing:
            waits = [line for line in run.stderr.splitlines() if "withheld" in line or "warning" in line]
            raise Mismatch(
                f"missing: {', '.join(map(_name, missing[:3]))} ({len(missing)}); {' | '.join(waits[:2])[:300]}"
            )
        unexpected = {key: body for key, body in got.items() if key not in self.recording.bodies}
        remarks = self._beyond_gates(unexpected)
        for key, applied in self.recording.bodies.items():
            difference = first_difference(without_labels_aside(applied["object"]), without_labels_aside(got[key]))
            if difference is not None:
                raise Mismatch(f"different: {_name(key)} ({applied['node']}): {difference}")
        return remarks

    def _beyond_gates(self, unexpected: dict[Identity, dict[str, Any]]) -> list[str]:
        """Remarks for the objects that kro did not reach; Mismatch for any other."""
        remarks = []
        states = dict(self.recording.final_states())
        graphs = self.recording.dependencies()
        allowed: set[str] = set()
        for key, body in sorted(unexpected.items()):
            labels = body["metadata"].get("labels") or {}
            node = labels.get("kro.run/node-id", "")
            group, kind = labels.get("kro.run/instance-group", ""), labels.get("kro.run/instance-kind", "")
            owner = f"{kind}/{labels.get('kro.run/instance-namespace', '')}/{labels.get('kro.run/instance-name', '')}"
            if owner in allowed:
                allowed.add(mention(body))
                continue
            shut = set(_WAITING_FOR.findall(" ".join(_ready_messages(states.get(owner, {})))))
            applied = {a["node"] for a in self.recording.bodies.values() if a["instance"] == owner}
            if (
                states.get(owner, {}).get("state") == "IN_PROGRESS"
                and node not in applied
                and shut & _all_dependencies(graphs.get((group, kind), {}), node)
            ):
                allowed.add(mention(body))
                remarks.append(f"beyond-gate: {_name(key)} (node {node}, kro waits for {', '.join(sorted(shut))})")
                continue
            raise Mismatch(f"unexpected: {_name(key)} (node {node or '?'})")
        return remarks


def _ready_messages(status: dict[str, Any]) -> list[str]:
    return [
        str(condition.get("message", ""))
        for condition in status.get("conditions") or []
        if condition.get("type") == "ResourcesReady" and condition["status"] != "True"
    ]


def _all_dependencies(graph: dict[str, list[str]], node: str) -> set[str]:
    found: set[str] = set()
    pending = [node]
    while pending:
        for dependency in graph.get(pending.pop(), []):
            if dependency not in found:
                found.add(dependency)
                pending.append(dependency)
    return found


def _name(key: Identity) -> str:
    return f"{key[1]}/{key[2]}/{key[3]}" if key[2] else f"{key[1]}/{key[3]}"


# -- the observed state ---------------------------------------------------------------------------------------------


def _live(recording: Recording, key: Identity) -> dict[str, Any]:
    """An object as it was in the cluster at the end: its last body, or what was there before, and what others wrote."""
    value: Any = recording.existing.get(key)
    if key in recording.bodies:
        value = merge_patch(value or {}, recording.bodies[key]["object"])
    for write in recording.written.get(key, []):
        patch = {part: content for part, content in write.items() if part not in ("name", "namespace")}
        value = merge_patch(value or {}, patch)
    return _as_served(value)


_MENTION = re.compile(r"\b([a-z]\w*)((?:\.\??\w+\b(?!\())+)")


def _asked_for_more(recording: Recording) -> list[Identity]:
    """
    Objects of which some expression asks for a field that their body does not have.

    Only a look at the cluster tells whether such a field is absent or will come; kro had that look. What the API server sets is
    among these fields (uid, creationTimestamp), and what others might write later.
    """
    texts = " ".join(source.text for source in recording.inputs.values() if source.kind == RGD)
    mentions = {(name, path.replace("?", "").strip(".")) for name, path in _MENTION.findall(texts)}
    return [
        key
        for key, applied in recording.bodies.items()
        if any(name == applied["node"] and not _has(applied["object"], path.split(".")) for name, path in mentions)
    ]


def _has(value: Any, path: list[str]) -> bool:
    """Whether the fields are there; below a list nothing more is asked."""
    for field in path:
        if not isinstance(value, dict):
            return True
        if field not in value:
            return False
        value = value[field]
    return True


def _as_served(value: dict[str, Any]) -> dict[str, Any]:
    """With the fields that every API server itself fills in, of those that expressions ask for."""
    metadata: dict[str, Any] = {"uid": UID, "creationTimestamp": _CREATED, "resourceVersion": "1"}
    if value["kind"] not in _UNSERVED_KINDS:
        metadata["generation"] = 1
    metadata |= value.get("metadata") or {}
    filled = {**value, "metadata": metadata}
    if value["kind"] == "Namespace":
        name = {"kubernetes.io/metadata.name": metadata["name"]}
        metadata["labels"] = {**name, **(metadata.get("labels") or {})}
        filled.setdefault("status", {"phase": "Active"})
    if value["kind"] == "CustomResourceDefinition":
        conditions = [{"type": kind, "status": "True"} for kind in ("NamesAccepted", "Established")]
        filled.setdefault("status", {"conditions": conditions})
    return filled


def _instances(recording: Recording) -> list[dict[str, Any]]:
    """The user's instances, with what only the server and kro wrote on them: uid, labels, annotations."""
    roots = {source.identity for source in recording.instances}
    found = []
    for entry in (recording.golden.get("final") or {}).get("instances") or []:
        key = identity(entry)
        if key not in roots and (*key[:2], "", key[3]) not in roots:
            continue
        metadata = {k: entry[k] for k in ("name", "namespace", "labels", "annotations") if entry.get(k)}
        found.append(
            {
                "apiVersion": entry["apiVersion"],
                "kind": entry["kind"],
                "metadata": {**metadata, "uid": UID, "creationTimestamp": _CREATED},
            }
        )
    return found


def snapshot_written(recording: Recording) -> list[dict[str, Any]]:
    """What somebody other than kro wrote to, what was there before, and what is asked for more than kro sent; and the instances."""
    if recording.history:
        return snapshot_all(recording)  # what lives of a history may have to be held
    keys = dict.fromkeys([*recording.existing, *recording.written, *_asked_for_more(recording)])
    known = [key for key in keys if key in recording.existing or key in recording.bodies]
    return [*_instances(recording), *(_live(recording, key) for key in known)]


def snapshot_all(recording: Recording) -> list[dict[str, Any]]:
    """Everything that existed in the end. What a server fills in is not recorded, so such objects are closed too early."""
    keys = dict.fromkeys([*recording.existing, *recording.bodies, *recording.written])
    known = [key for key in keys if key in recording.existing or key in recording.bodies]
    return [*_instances(recording), *(_live(recording, key) for key in known)]


SNAPSHOTS: dict[str, Callable[[Recording], list[dict[str, Any]]]] = {WRITTEN: snapshot_written, ALL: snapshot_all}
