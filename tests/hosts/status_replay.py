"""
Runs of kro, played again with status-sync in its place: what kro applied is applied, what its controllers wrote is written, and
what kro said of the instances is compared with what status-sync says.

Enters: a `Recording`.  Leaves: the differences, one line each.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from krm_fn.command import run
from krm_fn.inputs import compile_programs, sort_documents
from krm_fn.program.generated import crd_of
from krm_fn.read.yaml import parse_documents
from tests.conformance.live_inputs import RGD, UID, Recording, Source, load
from tests.hosts.cluster_objects import Json, Objects

_NOT_OURS = re.compile(r"belongs to a different ApplySet|failed to check readiness of dependent node")
"""Why kro ends in ERROR: for a label of its own on another one's object; for types that readyWhen does not have there."""


def is_replayable(recording: Recording) -> bool:
    """Whether kro took everything, nobody changed his mind later, and the API server took what kro applied."""
    texts = [source.text for source in recording.inputs.values()]
    return (
        not recording.rejected
        and not recording.instances_rejected
        and not recording.history
        and all(key[1] == "Namespace" for key in recording.existing)
        and bool(recording.instances)
        and all(not step.get("do") for step in recording.steps)
        and all("error" not in applied for step in recording.steps for applied in step.get("applied") or [])
        and any(step.get("instance_status") for step in recording.steps)
        and not any(_is_apart(source.value) for source in recording.inputs.values() if source.kind == RGD)
        and not _NOT_OURS.search(json.dumps(recording.steps))
        and not any("generateName" in text for text in texts)
    )


def _is_apart(rgd: Json) -> bool:
    """Whether a resource needs a Secret's value, for which it is withheld here, or is a Lease, of which no body was recorded."""
    resources = rgd["spec"].get("resources") or []
    secrets = [each["id"] for each in resources if (each.get("template") or {}).get("kind") == "Secret"]
    uses = re.compile(rf"\b(?:{'|'.join(secrets)})\.data\b")
    templates = [each.get("template") or {} for each in resources]
    return any(each.get("kind") == "Lease" or (secrets and uses.search(json.dumps(each))) for each in templates)


def has_much_to_say(recording: Recording) -> bool:
    """Whether the statuses are more than an ACTIVE: written by somebody, of nested instances, with fields, or not ACTIVE."""
    said = [step["instance_status"] for step in recording.steps if step.get("instance_status")]
    return any(
        (
            any(step.get("set_status") or step.get("other_instances") for step in recording.steps),
            any(status.keys() - {"state", "conditions"} for status in said),
            any(status.get("state") != "ACTIVE" for status in said),
        )
    )


def status_sync(kubeconfig: Path, *words: str) -> tuple[int, str]:
    """Exit code and what it says."""
    stderr = io.StringIO()
    code = run(
        ["status-sync", "--once", "--kubeconfig", str(kubeconfig), *words], io.BytesIO(), io.BytesIO(), stderr, {}
    )
    return code, stderr.getvalue()


def replay(recording: Recording, objects: Objects) -> Iterator[str]:
    """What differs."""
    rgds = [source for source in recording.inputs.values() if source.kind == RGD]
    files = [
        file for path in recording.crd_paths for file in (sorted(path.glob("*.yaml")) if path.is_dir() else [path])
    ]
    objects.crds([load(file) for file in files])
    objects.crds(generated(rgds))
    for namespace in recording.case.get("namespaces_created") or []:
        objects.namespace(namespace)
    for source in rgds:
        objects.apply(source.value)
    made = [objects.create(source.value) for source in recording.instances]
    uids = {_name(value): value["metadata"]["uid"] for value in made}
    for number, step in enumerate(recording.steps):
        waiting = list(step.get("applied") or [])
        while waiting:
            # The children of nested instances may stand before the instances.
            applied = next(each for each in waiting if each["instance"] in uids)
            waiting.remove(applied)
            body = json.loads(json.dumps(applied["object"]).replace(UID, uids[applied["instance"]]))
            stored = objects.apply(body, "kro.run/applyset")
            uids[_name(stored)] = stored["metadata"]["uid"]
        code, said = status_sync(objects.cluster.kubeconfig)
        if code != 0:
            yield f"step {number}: exit {code}: {said}"
        expected = [(entry, entry["status"]) for entry in step.get("other_instances") or []]
        if step.get("instance_status"):
            expected.append((recording.instances[0].value, step["instance_status"]))
        for entry, status in expected:
            stored = objects.get(entry)
            got = json.loads(json.dumps(stored.get("status") or {}).replace(stored["metadata"]["uid"], UID))
            wanted = {key: value for key, value in status.items() if f"status.{key} needs a Secret's value" not in said}
            for difference in _differences(_comparable(wanted), _comparable(got)):
                yield f"step {number}: {_name(stored)}: {difference}"
        for write in step.get("set_status") or []:
            for part in ("spec", "status"):
                if part in write:
                    objects.patch(write, {part: write[part]}, "status" if part == "status" else "")
    yield from _differences_of_rgds(recording, objects)


def generated(rgds: list[Source]) -> list[Json]:
    """The CRDs of RGDs."""
    found: list[Any] = []
    documents = [document for source in rgds for document in parse_documents(source.text, "rgd.yaml")]
    programs = compile_programs(sort_documents(documents, [], None, found.append), found.append)
    return [crd_of(program) for program in programs.values()]


def _differences_of_rgds(recording: Recording, objects: Objects) -> Iterator[str]:
    for entry in recording.golden.get("rgd") or []:
        value = {
            "apiVersion": "kro.run/v1alpha1",
            "kind": "ResourceGraphDefinition",
            "metadata": {"name": entry["name"]},
        }
        status = objects.get(value).get("status") or {}
        for key in ("state", "topologicalOrder"):
            if status.get(key) != entry.get(key):
                yield f"RGD {entry['name']}: {key}: kro {entry.get(key)!r}, here {status.get(key)!r}"


def _name(value: Json) -> str:
    metadata = value["metadata"]
    return "/".join(part for part in (value["kind"], metadata.get("namespace"), metadata["name"]) if part)


def _comparable(status: Json) -> Json:
    conditions = [
        {key: each.get(key) for key in ("type", "status", "reason")} for each in status.get("conditions") or []
    ]
    return {**status, "conditions": sorted(conditions, key=lambda each: str(each["type"]))}


def _differences(wanted: Json, got: Json) -> Iterator[str]:
    for key in sorted(wanted.keys() | got.keys()):
        if wanted.get(key) != got.get(key):
            yield f"{key}: kro {wanted.get(key)!r}, here {got.get(key)!r}"
