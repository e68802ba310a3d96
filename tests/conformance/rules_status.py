"""Operations of `kro-tests` on an RGD's status: the types of its fields, and what its conditions may say."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from krm_fn.cel import compile_, parse
from krm_fn.cel.types import parse_type
from krm_fn.expand.status import authors_conditions
from krm_fn.program.build import build_program
from krm_fn.program.conditions import check_conditions
from krm_fn.program.generated import crd_of
from krm_fn.program.model import Compiled
from krm_fn.program.template import read_expression
from krm_fn.read.yaml import parse_documents
from krm_fn.schema.from_cel_types import schema_of_type, status_schema
from krm_fn.schema.kinds import Kinds
from tests.conformance.case import Mismatch
from tests.conformance.rules_rgd import settle
from tests.conformance.rules_text import equal, expects_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from krm_fn.program.definition import Problem
    from krm_fn.program.model import Program

Json = dict[str, Any]


def schema_from_type(given: Json, expect: Json) -> None:
    equal(expect["schema"], schema_of_type(parse_type(given["cel_type"])))


_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


def schema_from_paths(given: Json, expect: Json) -> None:
    """Paths as kro writes them; the name of a value's kind is that of its type."""
    fields = []
    for text, value in given["values"].items():
        path = tuple(int(index) if index else name for index, name in _STEP.findall(text))
        fields.append((path, parse_type(next(iter(value)))))
    schema = status_schema(fields)
    for text, wanted in expect["types_at"].items():
        found = schema
        for name in text.replace("[]", ".[]").split("."):
            found = found["items"] if name == "[]" else found["properties"][name]
        equal({text: wanted}, {text: found["type"]})


_RESERVED = re.compile(r"\bresource\b")
_ALLOWED = "one"
"""What the cases call their resource is a reserved word, which they do not come to."""


def _build(variables: Json, status: Json) -> tuple[Program | None, list[Problem]]:
    """An RGD with a resource for each variable, all typed by their schemas; `schema` gives the fields of the spec."""
    variables, status = (json.loads(_RESERVED.sub(_ALLOWED, json.dumps(part))) for part in (variables, status))
    kinds = Kinds()
    resources = []
    text, anything = {"type": "string"}, {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    for name, schema in variables.items():
        if name != "schema":
            properties = {"apiVersion": text, "kind": text, "metadata": anything, **schema["properties"]}
            kinds.add("test.io/v1", name.title(), namespaced=True, schema={**schema, "properties": properties})
            template = {"apiVersion": "test.io/v1", "kind": name.title(), "metadata": {"name": "x"}}
            resources.append({"id": name, "template": template})
    own = variables.get("schema", {}).get("properties", {}).get("spec", {}).get("properties", {})
    spec = {name: field["type"] for name, field in own.items()}
    document = {
        "apiVersion": "kro.run/v1alpha1",
        "kind": "ResourceGraphDefinition",
        "metadata": {"name": "test"},
        "spec": {
            "schema": {"apiVersion": "v1alpha1", "kind": "Test", "spec": spec, "status": status},
            "resources": resources,
        },
    }
    return build_program(document, kinds)


def infer(given: Json, expect: Json) -> None:
    (document,) = parse_documents(given["status_yaml"], "status.yaml")
    program, problems = _build(given["variables"], document.value)
    if not settle(expect, problems):
        return
    assert program is not None
    equal(expect["status_field_count"], len(program.status))
    status = crd_of(program)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]
    for name, wanted in expect["schema_property_types"].items():
        equal({name: wanted}, {name: status["properties"].get(name, {}).get("type")})


# -- conditions -------------------------------------------------------------------------------------------------------


def extract(given: Json, expect: Json) -> None:
    """One rule of kro's builder, which looks at the block alone: whether there is anything else wrong does not count."""
    problems = _build({}, given["status"])[1]
    block = ("spec", "schema", "status", "conditions")
    settle(expect, [problem for problem in problems if problem.code == "rgd-wrong-type" and problem.path[:4] == block])


def validate(given: Json, expect: Json) -> None:
    complaints = [complaint.message for complaint in check_conditions([parse(text) for text in given["expressions"]])]
    if bool(complaints) is not expects_error(expect):
        raise Mismatch(f"refused: {complaints[0]}" if complaints else "not refused")


def build_conditions(given: Json, expect: Json) -> None:
    program, problems = _build(given["variables"], {"conditions": given["expressions"]})
    if not settle(expect, problems):
        return
    assert program is not None
    equal(expect["count"] if "count" in expect else len(given["expressions"]), len(program.conditions))
    roots = [compiled.roots for compiled in program.conditions]
    for found, wanted in zip(roots, _named(expect, "references_include"), strict=False):
        equal([], [name for name in wanted if name not in found])
    for found, wanted in zip(roots, _named(expect, "references_exclude"), strict=False):
        equal([], [name for name in wanted if name in found])
    (needed,) = _named({"all": [expect.get("instance_dependencies_include") or []]}, "all")
    equal([], [name for name in needed if not any(name in found for found in roots)])


def _named(expect: Json, key: str) -> list[list[str]]:
    return [[_RESERVED.sub(_ALLOWED, name) for name in names] for names in expect.get(key) or []]


def evaluate_conditions(given: Json, expect: Json) -> None:
    """kro puts these to cel-go alone: what they see is dyn."""
    seen = {**given["instance"], "status": {"conditions": given.get("kro_builtin_conditions") or []}}
    compiled = []
    for text in given["expressions"]:
        expression = read_expression(f"${{{text}}}", ())
        assert expression is not None
        compiled.append(Compiled(expression, compile_(parse(text)), (), {}, -1))
    done = authors_conditions(compiled, {"schema": seen})
    if bool(done.problems) is not bool(expect.get("degraded")):
        raise Mismatch(f"problems: {done.problems}")
    if expects_error(expect) and not done.problems:
        raise Mismatch("nothing is wrong with them")
    equal(expect["count"], len(done.conditions))
    if "incomplete" in expect:
        equal(expect["incomplete"], done.incomplete)
    found = done.conditions
    wanted = expect.get("conditions") or expect.get("conditions_any_order") or []
    if "conditions_any_order" in expect:
        found, wanted = (sorted(each, key=lambda one: str(one["type"])) for each in (found, wanted))
    for one, other in zip(found, wanted, strict=True):
        equal(other, {name: one.get(name) for name in other})


OPERATIONS: dict[str, Callable[[Json, Json], list[str] | None]] = {
    "schema-from-cel-type": schema_from_type,
    "status-schema-from-paths": schema_from_paths,
    "status-schema": infer,
    "extract-from-status": extract,
    "validate-expressions": validate,
    "build-variables": build_conditions,
    "evaluate": evaluate_conditions,
}
