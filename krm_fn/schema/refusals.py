"""
What the API server refuses in the CRD that kro generates, although kro accepts the SimpleSchema.

Enters: a finished schema and the origin of its nodes.  Leaves: problems, located in the SimpleSchema.  Called by
`schema.simple_schema` alone.  Not known here: how a schema is built.

Defaults are judged as they stand: valid JSON, of the type, within the schema's own limits and rules, nothing
defaulted inside them.
Source: Kubernetes v1.35.0 apiextensions-apiserver pkg/apiserver/schema/defaulting/validation.go and
pkg/apis/apiextensions/validation/validation.go.
"""

from __future__ import annotations

from krm_fn.report.near import did_you_mean
from krm_fn.schema.markers import NotJson, short
from krm_fn.schema.structural import Found, compile_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TypeAlias

    from krm_fn.schema.simple_schema import Origin, SchemaProblem

    Schema: TypeAlias = dict[str, Any]


_SHOWN = 12


def refusals(root: Schema, origins: Mapping[int, Origin], *, complete: bool) -> list[SchemaProblem]:
    """
    Find what the API server would refuse, each node once; a default of null is taken out, as the API server does.

    Shape:   *complete* is false when fields are missing from the schema because they are broken: then nothing is said
             that could follow from that.
    Errors:  codes default-not-json, default-refused, marker-refused, rule-invalid.
    """
    search = _Search(origins, complete)
    search.read_rules(root)
    search.visit(root)
    if search.reasons and not search.problems:
        search.count_costs(root)
    return search.problems


class _Search:
    def __init__(self, origins: Mapping[int, Origin], complete: bool) -> None:
        self.origins = origins
        self.complete = complete
        self.problems: list[SchemaProblem] = []
        self.seen: set[tuple[int, bool, bool]] = set()
        self.reasons: dict[tuple[int, str], tuple[str, str]] = {}

    def read_rules(self, root: Schema) -> None:
        """Find what is wrong with each rule, before any default is held against one."""
        nodes, seen = [root], {id(root)}
        for schema in nodes:  # grows while it is read
            for rule in schema.get("x-kubernetes-validations", ()):
                from krm_fn.schema.rules import rule_problem

                self.reasons[id(schema), rule["rule"]] = rule_problem(rule["rule"], schema if self.complete else None)
            below = [*schema.get("properties", {}).values()]
            below += [schema[key] for key in ("items", "additionalProperties") if key in schema]
            for child in below:
                if id(child) not in seen:
                    seen.add(id(child))
                    nodes.append(child)

    def complain(self, origin: Origin, code: str, message: str, place: tuple[int, int], help: str = "") -> None:  # noqa: A002
        from krm_fn.schema.simple_schema import SchemaProblem

        self.problems.append(SchemaProblem(code, message, origin.path, place[0], place[1], help))

    def visit(self, schema: Schema, *, in_map: bool = False, uncorrelated: bool = False) -> None:
        """Walk the schema: `in_map` below additionalProperties, `uncorrelated` below items without keys."""
        state = (id(schema), in_map, uncorrelated)
        if state in self.seen:
            return
        self.seen.add(state)
        origin = self.origins.get(id(schema))
        if origin is not None and origin.markers:
            self.judge(schema, origin, in_map=in_map, uncorrelated=uncorrelated)
        for child in schema.get("properties", {}).values():
            self.visit(child, in_map=in_map, uncorrelated=uncorrelated)
        if "additionalProperties" in schema:
            self.visit(schema["additionalProperties"], in_map=True, uncorrelated=uncorrelated)
        if "items" in schema:
            keyed = schema.get("x-kubernetes-list-type") == "map"
            self.visit(schema["items"], in_map=in_map, uncorrelated=uncorrelated or not keyed)

    def judge(self, schema: Schema, origin: Origin, *, in_map: bool, uncorrelated: bool) -> None:
        for key in ("minimum", "maximum"):
            bound = schema.get(key, 0)
            if bound - bound != 0:
                self.complain(
                    origin, "marker-refused", f"{key} {bound} is not a number that JSON can hold", origin.place(key)
                )
                return
        if "default" in schema:
            self.judge_default(schema, origin, in_map=in_map)
        if "x-kubernetes-list-type" in schema:
            self.judge_list(schema, origin)
        if "x-kubernetes-validations" in schema:
            self.judge_rules(schema, origin, uncorrelated=uncorrelated)

    def judge_default(self, schema: Schema, origin: Origin, *, in_map: bool) -> None:
        default = schema["default"]
        place = origin.place("default")
        if default is None:
            del schema["default"]
            return
        if isinstance(default, NotJson):
            message = f"the default of {origin.name} is not JSON: {default.reason}"
            self.complain(origin, "default-not-json", message, place, _json_hint(schema["type"]))
            return
        # sic: the API server does not look at defaults below additionalProperties
        if in_map or (not self.complete and isinstance(default, (dict, list))):
            return
        found = Found()
        # a rule that is none holds nothing against a default
        judged = (
            schema
            if self.complete and not any(reason for reason, _ in self.reasons.values())
            else _without_rules(schema)
        )
        compile_value(judged, as_written=True)(default, ("default",), found)
        for violation in found.errors:
            message = f"the default of {origin.name} is refused: {violation.message}"
            self.complain(origin, "default-refused", message, place, violation.help)
        if isinstance(default, dict):
            schema["default"] = _merge_patched(default)

    def judge_list(self, schema: Schema, origin: Origin) -> None:
        items = schema["items"]
        list_type = schema["x-kubernetes-list-type"]
        place = origin.place("listType")
        if list_type == "set" and items["type"] == "object":
            place = origin.place("uniqueItems") if place == origin.place("") else place
            self.complain(
                origin, "marker-refused", f"{origin.name} is a set of objects", place, "use listType=map with keys"
            )
        elif list_type == "set" and items.get("x-kubernetes-list-type", "atomic") != "atomic":
            self.complain(origin, "marker-refused", f"{origin.name} is a set of lists that are not atomic", place)
        elif list_type == "map":
            self.judge_keys(schema, origin, place)

    def judge_keys(self, schema: Schema, origin: Origin, place: tuple[int, int]) -> None:
        items = schema["items"]
        keys = schema.get("x-kubernetes-list-map-keys", [])
        if not keys:
            self.complain(origin, "marker-refused", "listType=map has no keys", place, "add listMapKey=<field>")
        if items["type"] != "object":
            self.complain(
                origin, "marker-refused", f"listType=map needs items that are objects, not {items['type']}", place
            )
            return
        for key in keys if self.complete else []:
            where = origin.place("listMapKey", key)
            field = items.get("properties", {}).get(key)
            if field is None:
                known = list(items.get("properties", {}))
                hint = did_you_mean(key, known) or (f"fields are {', '.join(known[:_SHOWN])}" if known else "")
                self.complain(
                    origin, "marker-refused", f"listMapKey {short(key)} is not a field of the items", where, hint
                )
            elif field["type"] in {"object", "array"}:
                self.complain(
                    origin,
                    "marker-refused",
                    f"listMapKey {short(key)} is not a scalar but of type {field['type']}",
                    where,
                )
            elif key not in items.get("required", []) and field.get("default") is None:
                message = f"listMapKey {short(key)} is a field that is neither required nor has a default"
                self.complain(origin, "marker-refused", message, where, f"add required=true or default=… to {key}")

    def judge_rules(self, schema: Schema, origin: Origin, *, uncorrelated: bool) -> None:
        from krm_fn.schema.rules import uses_old_self

        for rule in schema["x-kubernetes-validations"]:
            text: str = rule["rule"]
            # an immutable field has no marker with the rule's text
            place = (
                origin.place("validation", text)
                if rule["message"] == "validation failed"
                else origin.place("immutable")
            )
            reason, hint = self.reasons[id(schema), text]
            if reason:
                message = f"the validation of {origin.name} is invalid: {reason}"
                self.complain(origin, "rule-invalid", message, place, hint)
            elif uncorrelated and uses_old_self(text):
                message = f"{origin.name} compares with its old value, but stands in a list whose items have no keys"
                self.complain(
                    origin, "marker-refused", message, place, "make the list listType=map with listMapKey=<field>"
                )

    def count_costs(self, root: Schema) -> None:
        """Complain about rules that the API server takes for too expensive, each alone and all together."""
        from krm_fn.schema.rules import Costs

        costs = Costs()
        nodes: list[tuple[Schema, int | None]] = [(root, 1)]
        for schema, times in nodes:  # grows while it is read, and holds a type as often as it is used
            for rule in schema.get("x-kubernetes-validations", ()):
                costs.add(rule["rule"], schema, times)
            nodes += [(child, times) for child in schema.get("properties", {}).values()]
            if "items" in schema:
                most = schema.get("maxItems")
                nodes.append((schema["items"], None if times is None or most is None else times * max(most, 0)))
            if "additionalProperties" in schema:
                nodes.append((schema["additionalProperties"], None))
        for schema, text, message in costs.complaints():
            origin = self.origins[id(schema)]
            advice = "say how long its texts and lists may be: maxLength, maxItems"
            self.complain(
                origin, "rule-invalid", f"the validation of {origin.name} {message}", _rule_place(origin, text), advice
            )


def _rule_place(origin: Origin, text: str) -> tuple[int, int]:
    """Where a rule stands; an immutable field has no marker with the rule's text."""
    place = origin.place("validation", text)
    return place if any(marker.key == "validation" for marker in origin.markers) else origin.place("immutable")


def _without_rules(schema: Schema) -> Schema:
    bare = {key: value for key, value in schema.items() if key != "x-kubernetes-validations"}
    if "properties" in bare:
        bare["properties"] = {name: _without_rules(child) for name, child in bare["properties"].items()}
    for key in ("items", "additionalProperties"):
        if key in bare:
            bare[key] = _without_rules(bare[key])
    return bare


def _merge_patched(default: dict[str, Any]) -> dict[str, Any]:
    """Drop null members: kro writes the CRD again as a JSON merge patch, in which a null deletes (lists go whole)."""
    return {
        name: _merge_patched(value) if isinstance(value, dict) else value
        for name, value in default.items()
        if value is not None
    }


def _json_hint(kind: str) -> str:
    return {
        "boolean": "write true or false",
        "integer": "write the number without sign '+' and leading zeros",
        "number": "write the number as JSON has it",
        "array": 'quote the items: default=["a", "b"]',
        "object": 'write a JSON object: default={"key": "value"}',
        "string": 'write a backslash twice, and a quote as \\\\\\"',
    }[kind]
