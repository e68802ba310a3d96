"""
kro's SimpleSchema: the `spec` and `types` of an RGD's schema become an OpenAPI v3 schema of plain dicts.

Enters: `spec` and `types` as the reader made them.  Leaves: the schema that kro puts under `properties.spec` of the
generated CRD; or `SchemaError` with every problem, kro's and those for which the API server would refuse the CRD
(`schema.refusals`). Called by `program` and, for CRDs, by `schema.crd`.  Not known here: status, templates, where the
YAML came from.

How it works. Custom types are built first, in order of their dependencies, so that a reference finds a finished
schema. A schema node is made once and shared by everything that refers to its type; a field that adds markers to a
type's node works on a copy of that one node. Each node remembers the text that it came from, so that a later problem
can be located. A type that failed is known as broken: what refers to it stays silent.

Source: kro v0.9.3 pkg/simpleschema/{parse,transform}.go and types/.  Differs: a schema is bounded to 50,000 nodes and
        100 levels (kro's
would not fit into etcd), and `required` lists are sorted (kro's order is random).
"""

from __future__ import annotations

from krm_fn.schema.markers import GO_BLANKS, FieldError, Marker, apply_markers, parse_markers, short

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, TypeAlias

    Schema: TypeAlias = dict[str, Any]
    Path: TypeAlias = tuple[str, ...]

ATOMIC = {"string": "string", "integer": "integer", "boolean": "boolean", "float": "number"}
MAX_NESTING = 16
MAX_NODES = 50_000
MAX_LEVELS = 100
_FOREIGN = {
    **dict.fromkeys(["int", "int32", "int64", "long", "uint"], "integer"),
    **dict.fromkeys(["bool"], "boolean"),
    **dict.fromkeys(["number", "double", "float64", "decimal"], "float"),
    **dict.fromkeys(["str", "text"], "string"),
    **dict.fromkeys(["map", "dict", "any"], "object"),
    **dict.fromkeys(["list", "array", "slice"], "[]string"),
}


class SchemaProblem:
    """
    One complaint about a SimpleSchema.

    path: where in the schema block (`("spec", "ingress", "host")`, `("types", "Port")`).  offset and length: code
    points in the string that stands there (length 0: a point, or the whole where it is no string).
    """

    __slots__ = ("code", "help", "length", "message", "offset", "path")

    def __init__(self, code: str, message: str, path: Path, offset: int = 0, length: int = 0, help: str = "") -> None:  # noqa: A002
        self.code = code
        self.message = message
        self.path = path
        self.offset = offset
        self.length = length
        self.help = help

    def __repr__(self) -> str:
        return f"<{'.'.join(self.path)}:{self.offset}: [{self.code}]: {self.message}>"


class SchemaError(Exception):
    """A SimpleSchema is refused; holds every problem, in document order."""

    def __init__(self, problems: list[SchemaProblem]) -> None:
        self.problems = problems
        super().__init__("; ".join(problem.message for problem in problems))


class FieldType:
    """
    A parsed type. kind: `atomic`, `object`, `array`, `map` or `custom`.

    name: of an atomic or custom type.  inner: the type of items or values.  offset: where `name` stands in the
    field's text.
    """

    __slots__ = ("inner", "kind", "name", "offset")

    def __init__(self, kind: str, name: str = "", inner: FieldType | None = None, offset: int = 0) -> None:
        self.kind = kind
        self.name = name
        self.inner = inner
        self.offset = offset


class Origin:
    """The text that a schema node was made from, and its markers."""

    __slots__ = ("markers", "path", "text")

    def __init__(self, path: Path, text: str, markers: list[Marker]) -> None:
        self.path = path
        self.text = text
        self.markers = markers

    @property
    def name(self) -> str:
        """The field or type, as messages call it."""
        return short(self.path[-1])

    def place(self, key: str, value: str | None = None) -> tuple[int, int]:
        """Give offset and length of the last marker *key* (with that value), of the whole text where there is none."""
        for marker in reversed(self.markers):
            if marker.key == key and (value is None or marker.value == value):
                return (marker.offset, marker.length)
        return (0, len(self.text))


class _Node:
    """A schema under construction, with its size: nodes and levels below it, itself included."""

    __slots__ = ("levels", "nodes", "schema")

    def __init__(self, schema: Schema, nodes: int = 1, levels: int = 1) -> None:
        self.schema = schema
        self.nodes = nodes
        self.levels = levels


def to_openapi(spec: Any, types: Any = None, *, judge_crd: bool = True) -> Schema:
    """
    Build the OpenAPI schema of a SimpleSchema.

    Shape:   mapping of field name to type text or nested mapping (None: no fields) -> schema of type object. Without
             *judge_crd* only kro's own verdict counts, not the API server's on the CRD; a default that is no JSON is
             then a `markers.NotJson`.
    Errors:  SchemaError with all problems.
    Source:  kro v0.9.3 pkg/simpleschema/transform.go.
    """
    builder = _Builder()
    if types is not None:
        builder.build_types(types)
    if spec is not None and not isinstance(spec, dict):
        builder.complain(FieldError("rgd-wrong-type", "spec is not a mapping of fields"), ("spec",))
        spec = None
    root = builder.build_struct(spec or {}, ("spec",))
    problems = builder.problems
    if root is not None and judge_crd:
        from krm_fn.schema.refusals import refusals

        problems.extend(refusals(root.schema, builder.origins, complete=not problems))
    if problems:
        raise SchemaError(problems)
    assert root is not None
    return root.schema


# --- the text of a field ---------------------------------------------------------------------------------------------


def parse_field(text: str) -> tuple[FieldType, list[Marker]]:
    """
    Read `TYPE | MARKERS`.

    Errors:  FieldError of parse_type and parse_markers.
    Source:  kro v0.9.3 pkg/simpleschema/parse.go ParseField.
    """
    type_text, bar, marker_text = text.partition("|")
    field_type = parse_type(type_text)
    return field_type, parse_markers(marker_text, len(type_text) + 1) if bar else []


def parse_type(text: str, offset: int = 0, depth: int = 0) -> FieldType:
    """
    Read a type: an atomic name, `object`, `[]T`, `map[string]T`; any other text names a custom type.

    Units:   *offset* is where *text* starts in the field, in code points.
    Errors:  FieldError type-empty, type-too-deep, map-key-not-string.
    """
    stripped = text.strip(GO_BLANKS)
    offset += len(text) - len(text.lstrip(GO_BLANKS)) if stripped else 0
    if not stripped:
        raise FieldError("type-empty", "the type is empty", offset, 0, "name a type, such as string")
    if depth > MAX_NESTING:
        raise FieldError("type-too-deep", f"the type nests deeper than {MAX_NESTING} levels", offset, len(stripped))
    if stripped in ATOMIC:
        return FieldType("atomic", stripped, None, offset)
    if stripped == "object":
        return FieldType("object", "object", None, offset)
    if stripped.startswith("[]"):
        if len(stripped) == 2:
            raise FieldError("type-empty", "'[]' names no item type", offset, 2, "write []string or another item type")
        return FieldType("array", "", parse_type(stripped[2:], offset + 2, depth + 1), offset)
    value = parse_map_type(stripped, offset)
    if value:
        return FieldType("map", "", parse_type(value, offset + stripped.rindex(value), depth + 1), offset)
    return FieldType("custom", stripped, None, offset)


def parse_map_type(text: str, offset: int = 0) -> str:
    """Give the value type's text of `map[string]T`, empty for a text that is no map; FieldError for other keys and no value."""
    if not text.startswith("map["):
        return ""
    if not text.startswith("map[string]"):
        raise FieldError(
            "map-key-not-string",
            f"'{short(text)}' has keys that are not strings",
            offset,
            len(text),
            "write map[string]…",
        )
    value = text.removeprefix("map[string]").strip(GO_BLANKS)
    if not value:
        raise FieldError(
            "type-empty", "'map[string]' names no value type", offset, len(text), "write map[string]string"
        )
    return value


# --- building --------------------------------------------------------------------------------------------------------


class _Builder:
    """The state of one conversion: finished types, problems so far, and the origin of each node that came from a text."""

    def __init__(self) -> None:
        self.types: dict[str, _Node | None] = {}  # None: declared but broken
        self.required_types: set[str] = set()
        self.problems: list[SchemaProblem] = []
        self.origins: dict[int, Origin] = {}  # by id of a node; all such nodes live as long as this builder

    def complain(self, error: FieldError, path: Path) -> None:
        self.problems.append(SchemaProblem(error.code, error.message, path, error.offset, error.length, error.help))

    def build_types(self, types: Any) -> None:
        if not isinstance(types, dict):
            self.complain(FieldError("rgd-wrong-type", "types is not a mapping of types"), ("types",))
            return
        self.types = dict.fromkeys(types)
        for name in self._in_order(types):
            parent: Schema = {}
            self.types[name] = self.build_field(name, types[name], ("types", name), parent)
            if parent.get("required"):
                self.required_types.add(name)

    def _in_order(self, types: dict[str, Any]) -> list[str]:
        """Order types so that each follows what it refers to; types on a cycle are reported and left out."""
        waits = {name: [used for used in _custom_names(value) if used in types] for name, value in types.items()}
        users: dict[str, list[str]] = {name: [] for name in types}
        for name, used_types in waits.items():
            for used in used_types:
                users[used].append(name)
        missing = {name: len(used_types) for name, used_types in waits.items()}
        finished = [name for name in types if not missing[name]]
        cyclic: set[str] = set()
        done = 0
        for name in types:
            while True:
                while done < len(finished):
                    for user in users[finished[done]]:
                        missing[user] -= 1
                        if not missing[user] and user not in cyclic:
                            finished.append(user)
                    done += 1
                if not missing[name] or name in cyclic:
                    break
                cycle = _cycle_from(name, waits, missing, cyclic)
                self._report_cycle(cycle)
                cyclic.update(cycle)
                finished.extend(cycle)
        return [name for name in finished if name not in cyclic]

    def _report_cycle(self, cycle: list[str]) -> None:
        names = [short(name) for name in cycle]
        shown = names if len(names) <= 50 else [*names[:49], "…", names[-1]]
        chain = " -> ".join([*shown, names[0]])
        message = f"type {short(cycle[0])} contains itself: {chain}"
        self.complain(FieldError("type-cycle", message), ("types", cycle[0]))

    def build_struct(self, fields: dict[str, Any], path: Path) -> _Node | None:
        """Build an object from a mapping of fields. Source: kro v0.9.3 pkg/simpleschema/transform.go buildSchema."""
        schema: Schema = {"type": "object"}
        properties: dict[str, Schema] = {}
        nodes = levels = 0
        defaulted = False
        if len(path) > MAX_LEVELS:
            self.complain(FieldError("schema-too-large", f"the schema is deeper than {MAX_LEVELS} levels"), path)
            return None
        for name, value in fields.items():
            field = self.build_field(name, value, (*path, name), schema)
            if field is None:
                continue
            properties[name] = field.schema
            nodes += field.nodes
            levels = max(levels, field.levels)
            defaulted = defaulted or "default" in field.schema
        if properties:
            schema["properties"] = properties
        if "required" in schema:
            schema["required"].sort()
        elif defaulted:
            schema["default"] = {}
        return self._bounded(_Node(schema, nodes + 1, levels + 1), path)

    def _bounded(self, node: _Node, path: Path) -> _Node | None:
        if node.nodes > MAX_NODES or node.levels > MAX_LEVELS:
            size = f"{MAX_NODES} nodes" if node.nodes > MAX_NODES else f"{MAX_LEVELS} levels"
            self.complain(
                FieldError("schema-too-large", f"the schema has more than {size}, its types written out"), path
            )
            return None
        return node

    def build_field(self, name: str, value: Any, path: Path, parent: Schema) -> _Node | None:
        """Build what stands at one field or type; None when it is broken, which was then reported."""
        if isinstance(value, dict):
            return self.build_struct(value, path)
        if not isinstance(value, str):
            kind = {type(None): "null", list: "a list", bool: "a boolean", int: "a number", float: "a number"}[
                type(value)
            ]
            message = f"{short(path[-1])} is {kind}, expected a type or a mapping of fields"
            self.complain(FieldError("type-not-text", message, 0, 0, "write a type such as string or '[]string'"), path)
            return None
        try:
            return self._build_text(name, value, path, parent)
        except FieldError as error:
            self.complain(error, path)
            return None

    def _build_text(self, name: str, text: str, path: Path, parent: Schema) -> _Node | None:
        field_type, markers = parse_field(text)
        node = self._resolve(field_type, path)
        if node is None:
            return None
        if field_type.kind == "custom":
            if field_type.name in self.required_types:
                parent.setdefault("required", []).append(name)
            if not markers:
                return node
            node = _Node(dict(node.schema), node.nodes, node.levels)
        self.origins[id(node.schema)] = Origin(path, text, markers)
        problems = apply_markers(node.schema, markers, name, parent)
        for problem in problems:
            self.complain(problem, path)
        return None if problems else node

    def _resolve(self, field_type: FieldType, path: Path) -> _Node | None:
        kind = field_type.kind
        if kind == "atomic":
            return _Node({"type": ATOMIC[field_type.name]})
        if kind == "object":
            return _Node({"type": "object", "x-kubernetes-preserve-unknown-fields": True})
        if kind == "custom":
            if field_type.name not in self.types:
                raise self._unknown_type(field_type)
            return self.types[field_type.name]
        assert field_type.inner is not None
        inner = self._resolve(field_type.inner, path)
        if inner is None:
            return None
        if kind == "array":
            schema: Schema = {"type": "array", "items": inner.schema}
        else:
            schema = {"type": "object", "additionalProperties": inner.schema}
        return self._bounded(_Node(schema, inner.nodes + 1, inner.levels + 1), path)

    def _unknown_type(self, field_type: FieldType) -> FieldError:
        from itertools import islice

        from krm_fn.report.near import closest

        name = field_type.name
        known = [*ATOMIC, "object", *islice(self.types, 500)]
        meant = _FOREIGN.get(name.lower()) or closest(name, known)
        hint = f"did you mean '{meant}'?" if meant else f"types are {', '.join(known[:12])}"
        if "${" in name:
            hint = "an expression computes a field of the status, not of the spec"
        return FieldError("type-unknown", f"'{short(name)}' is not a type", field_type.offset, len(name), hint)


def _custom_names(value: Any) -> Iterator[str]:
    """Name the custom types that a type's definition refers to; texts that are no types are left to the builder."""
    parts = [value]
    for item in parts:  # grows while it is read
        if isinstance(item, dict):
            parts.extend(item.values())
        elif isinstance(item, str):
            try:
                field_type: FieldType | None = parse_type(item.partition("|")[0])
            except FieldError:
                continue
            while field_type is not None:
                if field_type.kind == "custom":
                    yield field_type.name
                field_type = field_type.inner


def _cycle_from(name: str, waits: dict[str, list[str]], missing: dict[str, int], cyclic: set[str]) -> list[str]:
    """Follow unfinished types from *name* until one comes again: every unfinished type waits for another."""
    trail: list[str] = []
    seen: dict[str, int] = {}
    while name not in seen:
        seen[name] = len(trail)
        trail.append(name)
        name = next(used for used in waits[name] if missing[used] and used not in cyclic)
    return trail[seen[name] :]
