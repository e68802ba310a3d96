"""
Cases of `kro-tests/scenarios`: what an integration test of kro does and expects, step by step, put to a `Simulation`.

After every action kro works until nothing changes; then what the test expects must hold. The cluster has the CRDs of `kro-crds`, where that
corpus lies beside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from krm_fn.program.build import build_program
from krm_fn.report.diagnostic import ERROR
from krm_fn.simulate.simulation import APPLY, DELETE, SET, Simulation
from tests.conformance.case import Case, Mismatch, NotComparable
from tests.conformance.compare import shown
from tests.conformance.live_inputs import RGD, identity, load
from tests.conformance.live_replay import MINOR, VERSIONS, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_VERBS = {"apply": APPLY, "update": APPLY, "set_live": SET, "delete": DELETE}
_ABSENT = object()


def read_case(value: dict[str, Any], path: Path) -> Case:
    facts = {"newer": bool(value.get("not_in_v0_9_3")), "repeats_itself": _repeats_itself(value["steps"])}
    return Case(f"kro-tests/{path.parent.name}", path.stem, "kro-tests:scenario", Scenario(value, path), facts)


def _repeats_itself(steps: list[dict[str, Any]]) -> bool:
    """Whether an update says what the object's manifest said before."""
    said: dict[Any, Any] = {}
    for step in steps:
        for name, value in step.items():
            if name == "update" and said.get(identity(value)) == value:
                return True
            if name in ("apply", "update"):
                said[identity(value)] = value
    return False


class Scenario:
    """The check of one scenario."""

    def __init__(self, value: dict[str, Any], path: Path) -> None:
        self.steps = value["steps"]
        self.crds = path.resolve().parent.parent.parent / "kro-crds"

    def __call__(self) -> list[str]:
        self.simulation = Simulation(MINOR, strict=True)
        for file in sorted(self.crds.glob("*.yaml")):
            self.simulation.load(plain(load(file)))
        for number, step in enumerate(self.steps):
            for name, argument in step.items():
                try:
                    self._do(name, plain(argument))
                except Mismatch as mismatch:
                    raise Mismatch(f"step {number}, {name}: {mismatch}") from None
        return []

    def _do(self, name: str, argument: dict[str, Any]) -> None:
        if name in _VERBS:
            record = self.simulation.step(name, [(_VERBS[name], argument)])
            messages = [done.message for done in record.done if done.message]
            if messages:
                raise Mismatch(f"not taken: {messages[0]}")
            if not record.settled:
                raise Mismatch("does not settle")
        elif name == "apply_rejected":
            self._expect_rejection(argument)
        elif name.startswith("expect_"):
            check: Callable[[dict[str, Any]], None] | None = getattr(self, f"_{name}", None)
            if check is None:
                raise NotComparable(f"there is no check for {name}")
            check(argument)
        else:
            raise NotComparable(f"there is no action {name}")

    def _expect_rejection(self, value: dict[str, Any]) -> None:
        if identity(value)[:2] == RGD:
            problems = build_program(value, self.simulation.cluster.served.kinds)[1]
            if not any(problem.severity == ERROR for problem in problems):
                raise Mismatch("the RGD is accepted")
        elif not self.simulation.act(APPLY, value).message:
            raise Mismatch("it is taken")

    # -- expectations -----------------------------------------------------------------------------------------------

    def _find(self, wanted: dict[str, Any]) -> dict[str, Any] | None:
        metadata = wanted["metadata"]
        for key, body in self.simulation.cluster.objects():
            if (
                key[1] == wanted["kind"]
                and key[3] == metadata["name"]
                and ("apiVersion" not in wanted or body["apiVersion"] == wanted["apiVersion"])
                and key[2] in ("", metadata.get("namespace") or key[2])
            ):
                return body
        return None

    def _expect_rgd(self, wanted: dict[str, Any]) -> None:
        graph = self.simulation.graphs.all.get(wanted["name"])
        if graph is None:
            raise Mismatch(f"there is no RGD {wanted['name']}")
        if graph.state != wanted["state"]:
            raise Mismatch(f"{graph.state}: {[problem.message for problem in graph.problems]} {graph.refusal}")
        if wanted.get("topological_order", graph.order) != graph.order:
            raise Mismatch(f"order {graph.order}, wanted {wanted['topological_order']}")
        missing = [node for node in wanted.get("topological_order_includes") or [] if node not in graph.order]
        if missing:
            raise Mismatch(f"order {graph.order} is without {missing}")

    def _expect_object(self, wanted: dict[str, Any]) -> None:
        found = self._find(wanted)
        if found is None:
            raise Mismatch(f"there is no {wanted['kind']} {wanted['metadata']['name']}")
        checks = wanted.pop("checks", None) or {}
        _expect_subset(wanted, found, "")
        _check(checks, found)

    _expect_instance = _expect_object

    def _expect_absent(self, wanted: dict[str, Any]) -> None:
        found = self._find(wanted)
        if found is not None and "deletionTimestamp" not in found["metadata"]:
            raise Mismatch(f"there is a {wanted['kind']} {wanted['metadata']['name']}")

    def _expect_crd_schema(self, wanted: dict[str, Any]) -> None:
        crd = self._find({"kind": "CustomResourceDefinition", "metadata": {"name": wanted["crd"]}})
        if crd is None:
            raise Mismatch(f"there is no CRD {wanted['crd']}")
        schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        for place in wanted["at"]:
            value = _at(schema, place["path"])
            if value is _ABSENT:
                raise Mismatch(f"{place['path']} is absent")
            if "value" in place and value != place["value"]:
                raise Mismatch(f"{place['path']} is {shown(value)}, wanted {shown(place['value'])}")
            if "length" in place and len(value) != place["length"]:
                raise Mismatch(f"{place['path']} has {len(value)} entries, wanted {place['length']}")
            if "has_key" in place and place["has_key"] not in value:
                raise Mismatch(f"{place['path']} has no {place['has_key']}")
            if "has_no_key" in place and place["has_no_key"] in value:
                raise Mismatch(f"{place['path']} has {place['has_no_key']}")


def _expect_subset(wanted: Any, got: Any, path: str) -> None:
    if isinstance(wanted, dict) and isinstance(got, dict):
        for key, value in wanted.items():
            if key not in got:
                raise Mismatch(f"{path}{key} is missing, wanted {shown(value)}")
            _expect_subset(value, got[key], f"{path}{key}.")
    elif isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        for i, (one, other) in enumerate(zip(wanted, got, strict=True)):
            _expect_subset(one, other, f"{path}{i}.")
    elif wanted != got:
        raise Mismatch(f"{path.rstrip('.')} is {shown(got)}, wanted {shown(wanted)}")


def _splits(path: str) -> list[str]:
    return path.split("/") if "/" in path else path.split(".")


def _at(value: Any, path: str) -> Any:
    """The value at a path; a key may itself hold the separator."""
    return _walk(value, _splits(path), "/" if "/" in path else ".")


def _walk(value: Any, parts: list[str], separator: str) -> Any:
    if not parts:
        return value
    if isinstance(value, list):
        in_list = parts[0].isdigit() and int(parts[0]) < len(value)
        return _walk(value[int(parts[0])], parts[1:], separator) if in_list else _ABSENT
    if isinstance(value, dict):
        for end in range(1, len(parts) + 1):
            key = separator.join(parts[:end])
            if key in value:
                return _walk(value[key], parts[end:], separator)
    return _ABSENT


def _check(checks: dict[str, Any], found: dict[str, Any]) -> None:
    for name, argument in checks.items():
        if name not in _CHECKS:
            raise NotComparable(f"there is no check {name}")
        for complaint in _CHECKS[name](argument, found):
            raise Mismatch(complaint)


def _present(paths: list[str], found: dict[str, Any]) -> Iterator[str]:
    yield from (f"{path} is absent" for path in paths if _at(found, path) is _ABSENT)


def _absent(paths: list[str], found: dict[str, Any]) -> Iterator[str]:
    yield from (f"{path} is present" for path in paths if _at(found, path) is not _ABSENT)


def _not_empty(paths: list[str], found: dict[str, Any]) -> Iterator[str]:
    yield from (f"{path} is empty" for path in paths if _at(found, path) in (_ABSENT, None, "", [], {}))


def _empty(paths: list[str], found: dict[str, Any]) -> Iterator[str]:
    yield from (f"{path} is not empty" for path in paths if _at(found, path) not in (_ABSENT, None, "", [], {}))


def _length(places: list[dict[str, Any]], found: dict[str, Any]) -> Iterator[str]:
    for place in places:
        value = _at(found, place["path"])
        if len(() if value is _ABSENT else value) != place["value"]:
            yield f"{place['path']} has not {place['value']} entries"


def _contains(places: list[dict[str, Any]], found: dict[str, Any]) -> Iterator[str]:
    yield from (f"{p['path']} has no {p['text']}" for p in places if p["text"] not in str(_at(found, p["path"])))


def _not_equal(places: list[dict[str, Any]], found: dict[str, Any]) -> Iterator[str]:
    yield from (f"{p['path']} is {p['value']}" for p in places if _at(found, p["path"]) == p["value"])


def _any_order(wanted: Any, found: Any, path: str = "") -> Iterator[str]:
    if isinstance(wanted, dict):
        for key, value in wanted.items():
            yield from _any_order(value, found.get(key) if isinstance(found, dict) else None, f"{path}/{key}")
    elif not isinstance(found, list) or sorted(map(shown, wanted)) != sorted(map(shown, found)):
        yield f"{path} is {shown(found)}, wanted in any order {shown(wanted)}"


def _conditions(wanted: list[dict[str, Any]], found: dict[str, Any]) -> Iterator[str]:
    conditions = {each.get("type"): each for each in (found.get("status") or {}).get("conditions") or []}
    for each in wanted:
        got = conditions.get(each["type"])
        if got is None:
            yield f"there is no condition {each['type']}"
        elif any(got.get(key) != value for key, value in each.items()):
            yield f"condition {each['type']} is {shown(got)}, wanted {shown(each)}"


def _conditions_absent(types: list[str], found: dict[str, Any]) -> Iterator[str]:
    there = {each.get("type") for each in (found.get("status") or {}).get("conditions") or []}
    yield from (f"there is a condition {kind}" for kind in types if kind in there)


def _labels(part: str) -> Callable[[dict[str, str], dict[str, Any]], Iterator[str]]:
    def check(wanted: dict[str, str], found: dict[str, Any]) -> Iterator[str]:
        got = found["metadata"].get(part) or {}
        yield from (
            f"{part} {k} is {got.get(k)!r}, wanted {v!r}"
            for k, v in wanted.items()
            if got.get(k) != v and k not in VERSIONS
        )

    return check


def _labels_absent(names: list[str], found: dict[str, Any]) -> Iterator[str]:
    yield from (f"there is a label {name}" for name in names if name in (found["metadata"].get("labels") or {}))


_CHECKS: dict[str, Callable[[Any, dict[str, Any]], Iterator[str]]] = {
    "present": _present,
    "absent": _absent,
    "not_empty": _not_empty,
    "empty": _empty,
    "empty_or_absent": _empty,
    "length": _length,
    "contains": _contains,
    "not_equal": _not_equal,
    "any_order": _any_order,
    "conditions": _conditions,
    "conditions_absent": _conditions_absent,
    "kro_labels": _labels("labels"),
    "kro_labels_absent": _labels_absent,
    "kro_annotations": _labels("annotations"),
}
