"""Operations of `kro-tests` on whole or partial RGDs: naming, structure, graph."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from krm_fn.cel import parse, references
from krm_fn.program.build import build_program
from krm_fn.program.definition import is_kubernetes_version, is_lower_camel_case, read_definition
from krm_fn.program.template import find_holes, path_text
from krm_fn.program.template_check import check_literals, types_of_alternatives
from krm_fn.read.yaml import parse_documents
from krm_fn.report.diagnostic import RenderError
from krm_fn.schema.cel_types import field_of
from krm_fn.schema.crd import schema_without_status
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
        known.add(version, kind["kind"], namespaced=kind["namespaced"], schema=kind["schema"])

    return {
        **OPERATIONS,
        "build-rgd": lambda given, expect: build_rgd(given, expect, known),
        "build-resource": lambda given, expect: build_resource(given, expect, known),
    }


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
    """The cases name all kinds there are, so that one that is not among them is refused, as `validate` would."""
    program, problems = build_program(given["rgd"], kinds)
    if expects_error(expect) and any(p.code == "unknown-kind" for p in problems):
        return
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


def build_resource(given: Json, expect: Json, kinds: Kinds) -> None:
    """One resource in an RGD of its own; its template is the text of a file."""
    resource: Json = {"id": given["id"]}
    if "external_ref" in given:
        resource["externalRef"] = given["external_ref"]
    else:
        try:
            (document,) = parse_documents(given["template_yaml"], "template.yaml")
        except RenderError as error:
            if not expects_error(expect):
                raise Mismatch(f"refused: {error}") from error
            return
        resource["template"] = document.value
    rgd = _rgd([resource], scope="Namespaced" if given["instance_namespaced"] else "Cluster")
    facts = {"node_type": {given["id"]: expect["node_type"]}} if "node_type" in expect else expect
    build_rgd({"rgd": rgd}, facts, kinds)


def parse_resource(given: Json, expect: Json) -> None:
    """A template that is no object of Kubernetes, against a schema of its own."""
    refused: list[Any] = []
    problems: list[str] = []
    check_literals(
        given["resource"], given["schema"], "Test", (), lambda _code, message, _path, **_: problems.append(message)
    )
    found = [
        {"path": path_text(hole.path), "cel": hole.expression.text}
        for hole in find_holes(given["resource"], (), refused)
    ]
    problems += [str(error) for _, error in refused]
    if expects_error(expect):
        if not problems:
            raise Mismatch("not refused")
        return
    if problems:
        raise Mismatch(f"refused: {problems[0]}")
    for key in ("expressions", "expressions_any_order"):
        if key in expect:
            _equal(key, *(sorted(some, key=lambda one: str(one["path"])) for some in (expect[key], found)))
    if missing := [one for one in expect.get("expressions_include") or [] if one not in found]:
        raise Mismatch(f"expressions: wanted {missing} among {found}")


def collect_types(given: Json, expect: Json) -> None:
    _equal("types", sorted(expect["types_any_order"]), sorted(types_of_alternatives(given["sub_schemas"])))


def look_up(given: Json, expect: Json) -> None:
    schema, field = given["schema"], given["field"]
    found = field_of(schema, field) if field else schema
    _equal("found", expect["found"], found is not None)
    if "type" in expect:
        _equal("type", expect["type"], (found or {}).get("type"))


def compile_node(given: Json, expect: Json) -> None:
    """One node among others, all typed by the schemas of their variables; that a name must use the iterators is another rule."""
    kinds = Kinds()
    resources: list[Json] = []
    text, anything = {"type": "string"}, {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    for name, schema in given["variables"].items():
        if name == "schema":
            continue
        properties = {"apiVersion": text, "kind": text, "metadata": anything, **schema["properties"]}
        kinds.add("test.io/v1", name.title(), namespaced=True, schema={**schema, "properties": properties})
        template: Json = {"apiVersion": "test.io/v1", "kind": name.title(), "metadata": {}}
        resource: Json = {"id": name, "template": template}
        resources.append(resource)
        if name != given["node"]["id"]:
            continue
        for place, key in (("includeWhen", "include_when"), ("readyWhen", "ready_when")):
            resource[place] = [f"${{{expression}}}" for expression in given["node"].get(key) or []]
        if given["node"].get("for_each"):
            resource["forEach"] = [{each["name"]: f"${{{each['cel']}}}"} for each in given["node"]["for_each"]]
        for variable in given["node"].get("variables") or []:
            *above, field = variable["path"].split(".")
            parent = template
            for step in above:
                parent = parent.setdefault(step, {})
            parent[field] = f"${{{variable['cel']}}}"
    problems = build_program(_rgd(resources), kinds)[1]
    settle(expect, [problem for problem in problems if problem.code != "foreach-not-in-identity"])


def without_status(given: Json, expect: Json) -> None:
    try:
        schema = schema_without_status(given["crd"])
    except ValueError as error:
        if not expects_error(expect):
            raise Mismatch(f"refused: {error}") from error
        return
    if expects_error(expect):
        raise Mismatch("not refused")
    properties = schema["properties"]
    _equal("status", expect["has_status"], "status" in properties)
    _equal("metadata", expect["has_metadata"], "metadata" in properties)
    _equal("namespace", expect["has_metadata_namespace"], "namespace" in properties["metadata"]["properties"])


OPERATIONS: dict[str, Callable[[Json, Json], list[str] | None]] = {
    "parse-resource": parse_resource,
    "collect-types": collect_types,
    "schema-lookup": look_up,
    "compile-node": compile_node,
    "schema-without-status": without_status,
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
