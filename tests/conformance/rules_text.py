"""Operations of `kro-tests` on texts and structures: SimpleSchema, templates, paths, graphs, generated CRDs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from krm_fn.cel.values import OMIT
from krm_fn.program.graph import topological_order
from krm_fn.program.template import (
    TemplateError,
    find_holes,
    is_standalone,
    path_text,
    read_expression,
    read_standalone,
    remove_omitted,
    scan,
)
from krm_fn.schema.crd import generated_crd, instance_schema, with_default_status
from krm_fn.schema.markers import FieldError, parse_markers
from krm_fn.schema.simple_schema import FieldType, SchemaError, parse_field, parse_map_type, to_openapi
from tests.conformance.case import Mismatch
from tests.conformance.compare import first_difference, shown

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]
_REFUSALS = (FieldError, SchemaError, TemplateError)


def expects_error(expect: Json) -> bool:
    return any(key == "error" or (key.startswith("error_") and key != "error_phase") for key in expect)


def settle(expect: Json, run: Callable[[], Any], compare: Callable[[Any], None]) -> None:
    """Run; a refusal must be expected; a result is compared."""
    try:
        result = run()
    except _REFUSALS as error:
        if not expects_error(expect):
            raise Mismatch(f"refused: {error}") from error
        return
    if expects_error(expect):
        raise Mismatch(f"not refused, got {shown(result)}")
    compare(result)


def equal(wanted: Any, got: Any) -> None:
    difference = first_difference(wanted, got)
    if difference is not None:
        raise Mismatch(difference)


# -- SimpleSchema ---------------------------------------------------------------------------------------------------


_API_SERVER = frozenset({"default-not-json", "default-refused", "marker-refused", "rule-invalid"})
"""Codes of what the API server, not kro, has against a schema: ours says both at once."""


def build_schema(given: Json, expect: Json) -> list[str]:
    try:
        got = to_openapi(given["spec"], given.get("types"))
    except SchemaError as error:
        if expects_error(expect):
            return []
        if {problem.code for problem in error.problems} <= _API_SERVER:
            return [f"kro makes this schema; the API server would refuse it: {error}"]
        raise Mismatch(f"refused: {error}") from error
    if expects_error(expect):
        raise Mismatch(f"not refused, got {shown(got)}")
    equal(expect["schema"], got)
    return []


def _type(field: FieldType) -> Any:
    if field.inner is not None:
        return {field.kind: _type(field.inner)}
    return {"custom": field.name} if field.kind == "custom" else field.name


def parse_one_field(given: Json, expect: Json) -> None:
    def compare(result: tuple[FieldType, list[Any]]) -> None:
        equal(expect["type"], _type(result[0]))
        equal(expect["marker_count"], len(result[1]))

    settle(expect, lambda: parse_field(given["text"]), compare)


def parse_spec(given: Json, expect: Json) -> None:
    settle(
        expect,
        lambda: (
            to_openapi(given["spec"]),
            {name: _type(parse_field(text)[0]) for name, text in given["spec"].items()},
        ),
        lambda got: equal(expect["type"], {"struct": got[1]}),
    )


def parse_some_markers(given: Json, expect: Json) -> None:
    settle(
        expect,
        lambda: [{"key": m.key, "value": m.value} for m in parse_markers(given["text"])],
        lambda got: equal(expect["markers"], got),
    )


def apply_some_markers(given: Json, expect: Json) -> None:
    """kro's function takes an OpenAPI schema of just a type, and so does ours."""
    from krm_fn.schema.markers import apply_markers

    schema: Json = {"type": given["type"]}
    parent: Json = {}

    def run() -> None:
        errors = apply_markers(schema, parse_markers(given["markers"]), given["field"], parent)
        if errors:
            raise errors[0]

    def compare(_: None) -> None:
        equal(expect.get("schema", schema), schema)
        equal(expect.get("parent", parent), parent)

    settle(expect, run, compare)


def map_type(given: Json, expect: Json) -> None:
    settle(expect, lambda: parse_map_type(given["text"]), lambda got: equal(expect["value_type"], got))


# -- templates, paths, graphs ---------------------------------------------------------------------------------------


def extract(given: Json, expect: Json) -> None:
    text = given["text"]

    def in_bytes(index: int) -> int:
        return len(text[:index].encode())

    settle(
        expect,
        lambda: [{"expr": m.text, "start": in_bytes(m.start), "end": in_bytes(m.end)} for m in scan(text)],
        lambda got: equal(expect["expressions"], got),
    )


def standalone(given: Json, expect: Json) -> None:
    text = given["text"]
    settle(expect, lambda: is_standalone(text, scan(text)), lambda got: equal(expect["standalone"], got))


def to_cel(given: Json, expect: Json) -> None:
    def run() -> str | None:
        expression = read_expression(given["text"], ())
        return None if expression is None else expression.text

    settle(expect, run, lambda got: equal(expect["cel"], got))


def unwrap_list(given: Json, expect: Json) -> None:
    settle(expect, lambda: [read_standalone(text, ()).text for text in given["list"]], lambda _: None)


def join_path(given: Json, expect: Json) -> None:
    equal(expect["path"], path_text((*filter(None, given["path"].split(".")), given["field"])))


def parse_schemaless(given: Json, expect: Json) -> None:
    refused: list[Any] = []
    found = [
        {"path": path_text(hole.path), "cel": hole.expression.text}
        for hole in find_holes(given["resource"], (), refused)
    ]
    if refused:
        raise Mismatch(f"refused: {refused[0][1]}")

    def by_path(entry: Json) -> str:
        return str(entry["path"])

    equal(sorted(expect["expressions"], key=by_path), sorted(found, key=by_path))


def build_path(given: Json, expect: Json) -> None:
    equal(expect["path"], path_text(tuple(part.get("name", part.get("index")) for part in given["segments"])))


def drop_omitted(given: Json, expect: Json) -> None:
    def with_marks(value: Any) -> Any:
        if isinstance(value, dict):
            return OMIT if value == {"$omit": True} else {key: with_marks(child) for key, child in value.items()}
        return [with_marks(child) for child in value] if isinstance(value, list) else value

    equal(expect["resource"], remove_omitted(with_marks(given["resource"])))


def sort_graph(given: Json, expect: Json) -> None:
    graph: dict[str, list[str]] = {node: [] for node in given["nodes_in_document_order"]}
    for edge in given["depends_on"]:
        graph[edge["node"]].append(edge["on"])
    equal(expect["order"], topological_order(graph))


# -- generated CRDs -------------------------------------------------------------------------------------------------


def crd_outline(crd: Json) -> Json:
    """What the cases tell of a CRD, by their names for it."""
    spec, names, version = crd["spec"], crd["spec"]["names"], crd["spec"]["versions"][0]
    return {
        "name": crd["metadata"]["name"],
        "group": spec["group"],
        "kind": names["kind"],
        "list_kind": names["listKind"],
        "plural": names["plural"],
        "singular": names["singular"],
        "scope": spec["scope"],
        "versions": len(spec["versions"]),
        "version": version["name"],
        "served": version["served"],
        "storage": version["storage"],
        "status_subresource": "status" in version["subresources"],
        "labels": crd["metadata"].get("labels"),
        "annotations": crd["metadata"].get("annotations"),
        "owner_references": crd["metadata"].get("ownerReferences"),
        "printer_columns": version["additionalPrinterColumns"],
    }


def make_crd(given: Json, expect: Json) -> None:
    more = given.get("rgd_schema") or {}
    crd = generated_crd(
        given["group"],
        given["version"],
        given["kind"],
        given.get("spec_schema") or {"type": "object"},
        given.get("status_schema") or {"type": "object"},
        scope=given["scope"],
        printer_columns=given.get("additionalPrinterColumns") or more.get("additionalPrinterColumns"),
        metadata=more.get("metadata"),
    )
    plain = generated_crd("g", "v", "K", {}, {})["spec"]["versions"][0]["additionalPrinterColumns"]
    got = crd_outline(crd)
    if expect.get("printer_columns") == "default":
        got["printer_columns"] = "default" if got["printer_columns"] == plain else got["printer_columns"]
    for key, wanted in expect.items():
        if key not in got:
            raise Mismatch(f"nothing to compare {key!r} with")
        equal({key: wanted}, {key: got[key]})


def make_schema(given: Json, expect: Json) -> None:
    schema = instance_schema(given["spec"], given["status"])
    properties = schema["properties"]
    equal(expect["type"], schema["type"])
    equal(sorted(expect["properties_present"]), sorted(properties))
    equal(given["spec"], properties["spec"])
    default = with_default_status(None)["properties"]["conditions"]
    equal(default, properties["status"]["properties"]["conditions"])
    for name in expect["status_properties_present"]:
        if name not in properties["status"]["properties"]:
            raise Mismatch(f"status.{name} is missing")


OPERATIONS: dict[str, Callable[[Json, Json], list[str] | None]] = {
    "build": build_schema,
    "parse-field": parse_one_field,
    "parse-spec": parse_spec,
    "parse-markers": parse_some_markers,
    "apply-markers": apply_some_markers,
    "parse-map-type": map_type,
    "extract": extract,
    "is-standalone": standalone,
    "string-template-to-cel": to_cel,
    "unwrap-standalone-list": unwrap_list,
    "join-path": join_path,
    "parse-schemaless": parse_schemaless,
    "build-segments": build_path,
    "remove-omitted": drop_omitted,
    "topological-sort": sort_graph,
    "new": make_crd,
    "synthesize": make_crd,
    "schema": make_schema,
}
