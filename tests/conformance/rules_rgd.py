"""Operations of `kro-tests` on whole or partial RGDs: naming, structure, graph."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from krm_fn.cel import parse, references
from krm_fn.program.build import build_program
from krm_fn.program.definition import is_kubernetes_version, is_lower_camel_case, read_definition
from krm_fn.schema.kinds import Kinds
from tests.conformance.case import Mismatch
from tests.conformance.compare import first_difference
from tests.conformance.rules_text import expects_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from krm_fn.program.definition import Problem

Json = dict[str, Any]
_OBJECT: Json = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "${schema.metadata.name}"}}


def operations(kinds: list[Json]) -> dict[str, Callable[[Json, Json], list[str] | None]]:
    """The table of operations. *kinds*: the made-up kinds with their scope."""
    known = Kinds()
    for kind in kinds:
        version = (kind["group"] + "/" if kind["group"] else "") + kind["version"]
        known.add(version, kind["kind"], namespaced=kind["namespaced"])

    def build(given: Json, expect: Json) -> None:
        build_rgd(given, expect, known)

    return {**OPERATIONS, "build-rgd": build}


def settle(expect: Json, problems: list[Problem]) -> bool:
    """Hold the verdict against what is expected; true where the RGD was to be accepted."""
    errors = [p for p in problems if p.severity == "error"]
    if expects_error(expect):
        if not errors:
            raise Mismatch("not refused")
        return False
    if errors:
        raise Mismatch(f"refused: {errors[0].message} [{errors[0].code}]")
    return True


def build_rgd(given: Json, expect: Json, kinds: Kinds) -> None:
    program, problems = build_program(given["rgd"], kinds)
    if not settle(expect, problems):
        return
    assert program is not None
    nodes = program.nodes
    dependencies = {name: sorted(node.dependencies) for name, node in nodes.items()}
    for name, wanted in (expect.get("dependencies") or {}).items():
        _equal(f"dependencies of {name}", sorted(wanted), dependencies[name])
    for name, wanted in (expect.get("dependencies_include") or {}).items():
        if not set(wanted) <= set(dependencies[name]):
            raise Mismatch(f"dependencies of {name}: wanted {wanted} among {dependencies[name]}")
    if "topological_order" in expect:
        _equal("topological order", expect["topological_order"], program.order)
    for first, second in expect.get("order_before") or []:
        if program.order.index(first) > program.order.index(second):
            raise Mismatch(f"order: wanted {first} before {second}, got {program.order}")
    if "resource_count" in expect:
        _equal("resource_count", expect["resource_count"], len(nodes))
    for name, wanted in (expect.get("node_type") or {}).items():
        _equal(f"type of {name}", wanted, nodes[name].kind)
    for name, wanted in (expect.get("for_each_count") or {}).items():
        _equal(f"dimensions of {name}", wanted, len(nodes[name].dimensions))
    for name, wanted in (expect.get("for_each_names") or {}).items():
        _equal(f"iterators of {name}", wanted, [d.name for d in nodes[name].dimensions])


def _equal(what: str, wanted: Any, got: Any) -> None:
    if (difference := first_difference(wanted, got)) is not None:
        raise Mismatch(f"{what}: {difference}")


_SPEC_FIELD = re.compile(r"schema\.spec\.(\w+)")


def _rgd(resources: list[Json], *, scope: str = "Namespaced", kind: str = "Test") -> Json:
    """An RGD of these resources, with a field of the spec for each that they name: single rules of kro know no schema."""
    spec = dict.fromkeys(_SPEC_FIELD.findall(json.dumps(resources)), "string")
    return {
        "apiVersion": "kro.run/v1alpha1",
        "kind": "ResourceGraphDefinition",
        "metadata": {"name": "test"},
        "spec": {
            "schema": {"apiVersion": "v1alpha1", "kind": kind, "scope": scope, "spec": spec},
            "resources": resources,
        },
    }


def _definition_problems(document: Json) -> list[Problem]:
    problems: list[Problem] = []
    read_definition(document, problems)
    return problems


def naming(given: Json, expect: Json) -> None:
    """kro's rule looks at names alone; the resources get a template, since they have none."""
    spec = given["rgd_spec"]
    resources = [{"template": _OBJECT, **resource} for resource in spec["resources"]]
    settle(expect, _definition_problems(_rgd(resources, kind=(spec.get("schema") or {}).get("kind", "Test"))))


def resource_ids(given: Json, expect: Json) -> None:
    settle(expect, _definition_problems(_rgd([{"id": name, "template": _OBJECT} for name in given["ids"]])))


def reserved_word(given: Json, expect: Json) -> None:
    """A reserved word is refused as an id; what else is wrong with it as an id does not count."""
    problems = _definition_problems(_rgd([{"id": given["word"], "template": _OBJECT}]))
    codes = {p.code for p in problems}
    if ("reserved-name" in codes or any("reserved" in p.message for p in problems)) is not expect["reserved"]:
        raise Mismatch(f"{given['word']}: wanted reserved {expect['reserved']}, got {sorted(codes)}")


def resource_name(given: Json, expect: Json) -> None:
    _equal(given["name"], expect["valid"], is_lower_camel_case(given["name"]))


def kubernetes_version(given: Json, expect: Json) -> None:
    _equal(given["version"], expect["valid"], is_kubernetes_version(given["version"]))


def template_or_external(given: Json, expect: Json) -> None:
    resource: Json = {"id": "a"}
    if given["has_template"]:
        resource["template"] = _OBJECT
    if given["has_external_ref"]:
        resource["externalRef"] = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}
    if given["for_each_count"]:
        resource["forEach"] = [{f"x{i}": "${['a']}"} for i in range(given["for_each_count"])]
    settle(expect, _definition_problems(_rgd([resource])))


def _kinds(*, namespaced: bool = True) -> Kinds:
    """What is known where a case names no kinds: the kind of `_OBJECT`."""
    kinds = Kinds()
    kinds.add("v1", "ConfigMap", namespaced=namespaced)
    return kinds


def _with_template(template: Any, expect: Json, *, namespaced: bool = True, scope: str = "Namespaced") -> None:
    document = _rgd([{"id": "a", "template": template}], scope=scope)
    settle(expect, build_program(document, _kinds(namespaced=namespaced))[1])


def object_structure(given: Json, expect: Json) -> None:
    _with_template(given["object"], expect)


def reserved_keys(given: Json, expect: Json) -> None:
    _with_template({**_OBJECT, **given["object"]}, expect)


def template_constraints(given: Json, expect: Json) -> None:
    _with_template(
        {**_OBJECT, "metadata": {**_OBJECT["metadata"], **given["object"]["metadata"]}},
        expect,
        namespaced=given["kind_namespaced"],
        scope="Namespaced" if given["instance_namespaced"] else "Cluster",
    )


def identity_fields(given: Json, expect: Json) -> None:
    """One node whose template has the expressions at their paths; the rule is about omit() alone."""
    (node,) = given["nodes"]
    template: Json = {**_OBJECT, "metadata": {"name": "x"}}
    for variable in node["variables"]:
        section, field = variable["path"].split(".")
        template[section] = {**(template.get(section) or {}), field: f"${{{variable['cel']}}}"}
    cluster = not given["instance_namespaced"]
    if cluster and node["kind_namespaced"]:
        template["metadata"].setdefault("namespace", "x")
    document = _rgd([{"id": "a", "template": template}], scope="Cluster" if cluster else "Namespaced")
    problems = build_program(document, _kinds(namespaced=bool(node["kind_namespaced"])))[1]
    settle(expect, [problem for problem in problems if problem.code == "omit-in-identity"])


def restricted(given: Json, expect: Json) -> None:
    """An expression where omit() has no meaning, as includeWhen."""
    expression = {"id": "a", "template": _OBJECT, "includeWhen": [f"${{{given['expr']}}}"]}
    settle(expect, build_program(_rgd([expression]), _kinds())[1])


def dependencies(given: Json, expect: Json) -> None:
    """An expression in a template, among nodes of the known names."""
    others = [{"id": name, "template": _OBJECT} for name in given["known_ids"] if name in _names(given["expr"])]
    own = {"id": "own", "template": {**_OBJECT, "data": {"x": f"${{{given['expr']}}}"}}}
    program, problems = build_program(_rgd([*others, own]), _kinds())
    if settle(expect, problems):
        assert program is not None
        _equal("dependencies", sorted(expect["dependencies"]), sorted(program.nodes["own"].dependencies))


def _names(text: str) -> set[str]:
    """The nodes that an expression names: the others of the rule are left out, since some are no legal ids of an RGD."""
    return set(references(parse(text)).roots) - {"schema"}


OPERATIONS: dict[str, Callable[[Json, Json], list[str] | None]] = {
    "naming": naming,
    "for-each-dimensions": naming,
    "resource-ids": resource_ids,
    "reserved-word": reserved_word,
    "valid-resource-name": resource_name,
    "kubernetes-version": kubernetes_version,
    "template-xor-external-ref": template_or_external,
    "object-structure": object_structure,
    "reserved-labels": reserved_keys,
    "reserved-annotations": reserved_keys,
    "template-constraints": template_constraints,
    "identity-fields": identity_fields,
    "restricted-context": restricted,
    "dependencies": dependencies,
}
