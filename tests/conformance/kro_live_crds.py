"""
The CRDs that kro generated in the cases of `kro-live`: one case for each that a golden records, put to `rookery render --emit api`.

What goes in is the last version of each RGD that kro accepted, with the CRDs of the case. Recorded is the `spec` as the API server
shows it. It adds two things to what kro sends, `conversion` and the CRD's own `status`, and the recorder left both out. kro v0.9.3
gives the names of `required` in no fixed order (newer versions sort them), so they are compared sorted.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.conformance.case import Case, Mismatch
from tests.conformance.compare import first_difference
from tests.conformance.exclusions import reason_to_refuse
from tests.conformance.kro_live import Run, run_product
from tests.conformance.live_inputs import RGD, Recording, Source, repeats_a_key

if TYPE_CHECKING:
    from collections.abc import Iterator


def read_cases(folder: Path, row: str, crd_folder: Path | None) -> Iterator[Case]:
    """A case for each CRD of one folder."""
    recording = Recording(folder, crd_folder)
    crds = recording.golden.get("crd") or []
    api = _Api(recording)
    for crd in crds:
        facts = {
            "missing_crds": [str(path) for path in recording.crd_paths if not path.exists()],
            "repeated_keys": [source.identity[3] for source in api.sources if repeats_a_key(source.text)],
            "node_types": _asks_nodes(crd, recording),
        }
        yield Case(row, f"{folder.name}/{crd['name']}", "kro-live-crd", _Check(api, crd), facts)


def _asks_nodes(crd: dict[str, Any], recording: Recording) -> bool:
    """Whether a status field of the RGD names one of its resources, so that its type is that of the resource's kind."""
    kind = (crd["spec"]["group"], crd["spec"]["names"]["kind"])
    for source in recording.inputs.values():
        if source.kind != RGD or recording.kind_of(source) != kind:
            continue
        spec = source.value["spec"]
        ids = [str(resource.get("id")) for resource in spec.get("resources") or []]
        fields = {key: value for key, value in (spec["schema"].get("status") or {}).items() if key != "conditions"}
        return bool(ids) and re.search(rf"\b(?:{'|'.join(map(re.escape, ids))})\b", str(fields)) is not None
    return False


class _Api:
    """The product's run on one recording; made once."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.sources = _accepted(recording)
        self._run: Run | None = None

    def run(self) -> Run:
        if self._run is None:
            with tempfile.TemporaryDirectory() as folder:
                self._run = self._render(Path(folder))
        return self._run

    def _render(self, folder: Path) -> Run:
        arguments = []
        for i, source in enumerate(self.sources):
            path = folder / f"{i:03d}.yaml"
            path.write_text(source.text, encoding="utf-8")
            arguments.append(str(path))
        for path in self.recording.crd_paths:
            arguments += ["--crds", str(path)]
        for i, crd in enumerate(self.recording.crds.values()):
            path = folder / f"crd-{i}.yaml"
            path.write_text(crd.text, encoding="utf-8")
            arguments += ["--crds", str(path)]
        run = run_product(["render", *arguments, "--emit", "api"])
        run.stderr = run.stderr.replace(f"{folder}/", "")
        return run


def _accepted(recording: Recording) -> list[Source]:
    """The last version that kro accepted of each RGD, where it is the first of its kind: a CRD belongs to one RGD."""
    found: dict[tuple[str, str], Source] = {}
    for source, refusal in recording.verdicts:
        key = recording.kind_of(source)
        if refusal is None and (key not in found or found[key].identity == source.identity):
            found[key] = source
    return list(found.values())


class _Check:
    def __init__(self, api: _Api, crd: dict[str, Any]) -> None:
        self.api = api
        self.crd = crd

    def __call__(self) -> list[str]:
        if not self.api.sources:
            raise Mismatch("kro generated a CRD, and accepted no RGD")
        run = self.api.run()
        if run.code != 0:
            reasons = [reason for source in self.api.sources if (reason := reason_to_refuse(source.text))]
            if reasons and run.errors == {"generate-name"}:
                return [f"refused: {reasons[0]}"]
            raise Mismatch(f"refused: {run.reason}")
        got = next((crd for crd in run.objects() if crd["metadata"]["name"] == self.crd["name"]), None)
        if got is None:
            raise Mismatch(f"missing: {self.crd['name']}")
        difference = first_difference(sorted_required(self.crd["spec"]), sorted_required(got["spec"]))
        if difference is not None:
            raise Mismatch(f"different: {difference}")
        return []


def sorted_required(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: sorted(child)
            if key == "required" and isinstance(child, list) and all(isinstance(name, str) for name in child)
            else sorted_required(child)
            for key, child in value.items()
        }
    return [sorted_required(item) for item in value] if isinstance(value, list) else value
