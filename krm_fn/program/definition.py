"""
The RGD's own structure: what the API server's schema for RGDs and kro's naming rules ask of it.

Enters: an RGD as plain JSON.  Leaves: a `Definition` of raw parts, and problems with the path where each stands.  Not known
here: CEL, schemas of templates, other RGDs.

Source: kro v0.9.3 api/v1alpha1 (the generated CRD's rules) and pkg/graph/validation.go.
"""

from __future__ import annotations

from krm_fn.program.template import path_text
from krm_fn.report.near import closest, did_you_mean
from krm_fn.schema.object_names import MAX_LABEL, MAX_SUBDOMAIN, is_dns_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krm_fn.program.template import Path

RGD_GROUP = "kro.run"
RGD_KIND = "ResourceGraphDefinition"
MAX_DIMENSIONS = 10
LONG_KIND = 50
"""The plural of a kind with fewer letters fits into a name of the API server."""

_CEL_RESERVED = "true false null in as break const continue else for function if import let loop package namespace return var void while"
_KRO_RESERVED = (
    "apiVersion context dependency dependencies each externalRef externalReference externalRefs externalReferences graph "
    "instance item items kind kro metadata namespace object resource resourcegraphdefinition resourceGraphDefinition "
    "resources root runtime schema self serviceAccountName spec status this variables vars version"
)
RESERVED_WORDS = frozenset(_CEL_RESERVED.split()) | frozenset(_KRO_RESERVED.split())

_RGD_FIELDS = ("apiVersion", "kind", "metadata", "spec", "status")
_SPEC_FIELDS = ("schema", "resources")
_SCHEMA_FIELDS = (
    "kind", "apiVersion", "group", "spec", "types", "status", "scope", "additionalPrinterColumns", "metadata",
)  # fmt: skip
_RESOURCE_FIELDS = ("id", "template", "externalRef", "readyWhen", "includeWhen", "forEach")
_SCOPES = ("Namespaced", "Cluster")
_ALL_FIELDS = frozenset(
    (*_RGD_FIELDS, *_SPEC_FIELDS, *_SCHEMA_FIELDS, *_RESOURCE_FIELDS, "name", "namespace", "selector")
)


class Problem:
    """One fault of an RGD. `path` leads to the culprit; offset and length count code points inside a string there."""

    __slots__ = ("at_key", "code", "help", "length", "message", "offset", "path", "severity")

    def __init__(
        self,
        code: str,
        message: str,
        path: Path,
        *,
        help: str = "",  # noqa: A002
        offset: int = 0,
        length: int = 0,
        at_key: bool = False,
        severity: str = "error",
    ) -> None:
        self.code = code
        self.message = message
        self.path = path
        self.help = help
        self.offset = offset
        self.length = length
        self.at_key = at_key
        self.severity = severity

    def __repr__(self) -> str:
        return f"<{self.code} at {self.path}: {self.message}>"


class RawResource:
    """
    One entry of `spec.resources`, types checked, nothing interpreted.

    lost: forEach variables of which nothing is known but the name, since their entries are wrong.  stand_ins: texts that may be the
    id of a resource that has none.
    """

    __slots__ = ("external", "for_each", "id", "include_when", "lost", "path", "ready_when", "stand_ins", "template")

    def __init__(self, id: str, path: Path) -> None:  # noqa: A002
        self.id = id
        self.path = path
        self.template: dict[str, Any] = {}
        self.external = False
        self.ready_when: list[str] = []
        self.include_when: list[str] = []
        self.for_each: list[tuple[str, str, Path]] = []
        self.lost: list[str] = []
        self.stand_ins: list[str] = []


class Definition:
    """
    An RGD whose structure is sound.

    has_schema, has_resources: whether there are any that can be read.  stand_ins: what `spec` (of the schema) and `resources` were
    probably misspelt as.  columns, metadata: of its CRD, as they were read.
    """

    __slots__ = (
        "columns", "group", "has_resources", "has_schema", "kind", "metadata", "name", "namespaced", "resources", "spec",
        "stand_ins", "status", "types", "version",
    )  # fmt: skip

    def __init__(self, name: str) -> None:
        self.name = name
        self.has_schema = self.has_resources = False
        self.stand_ins: dict[str, str] = {}
        self.group = RGD_GROUP
        self.version = ""
        self.kind = ""
        self.namespaced = True
        self.spec: dict[str, Any] = {}
        self.types: dict[str, Any] = {}
        self.status: dict[str, Any] = {}
        self.columns: list[dict[str, Any]] = []
        self.metadata: dict[str, Any] = {}
        self.resources: list[RawResource] = []


def is_rgd(document: Any) -> bool:
    """Whether a document is a ResourceGraphDefinition of any version of kro's group."""
    return (
        isinstance(document, dict)
        and document.get("kind") == RGD_KIND
        and str(document.get("apiVersion", "")).partition("/")[0] == RGD_GROUP
    )


def read_definition(document: dict[str, Any], problems: list[Problem]) -> Definition:
    """The parts of an RGD. Everything that is wrong is appended to *problems*; the result is complete as far as it is sound."""
    reader = Reader(problems)
    if document.get("apiVersion") != "kro.run/v1alpha1":
        problems.append(
            Problem(
                "unsupported-rgd-version",
                f"apiVersion {document.get('apiVersion')!r} is not one that kro v0.9 serves",
                ("apiVersion",),
                help='write "kro.run/v1alpha1"',
            )
        )
    metadata = reader.mapping(document, "metadata", ())
    is_readable = isinstance(document.get("metadata", {}), dict)
    definition = Definition(reader.text(metadata, "name", ("metadata",), required=is_readable))
    _check_metadata(metadata, definition.name, problems)
    reader.unknown_fields(document, _RGD_FIELDS, ())
    spec = reader.mapping(document, "spec", (), required=True)
    if not isinstance(document.get("spec"), dict):
        reader.drop_explained()
        return definition
    reader.unknown_fields(spec, _SPEC_FIELDS, ("spec",))
    _read_schema(reader, spec, definition)
    _note_stand_in(definition, spec, "resources", _SPEC_FIELDS)
    definition.has_resources = isinstance(spec.get("resources", []), list)
    for i, item in enumerate(reader.sequence(spec, "resources", ("spec",))):
        path: Path = ("spec", "resources", i)
        if not isinstance(item, dict):
            reader.wrong_type("a resource", "a mapping", item, path)
            continue
        definition.resources.append(_read_resource(reader, item, path))
    _check_ids(definition, problems)
    reader.drop_explained()
    return definition


def _check_metadata(metadata: dict[str, Any], name: str, problems: list[Problem]) -> None:
    if name and not is_dns_name(name, MAX_SUBDOMAIN, dots=True):
        from krm_fn.program.object_metadata import name_problem

        problems.append(name_problem(name, "this ResourceGraphDefinition", ("metadata", "name")))
    if "labels" in metadata or "annotations" in metadata:
        from krm_fn.program.object_metadata import metadata_problems

        problems += metadata_problems(metadata, ("metadata",))


class Reader:
    """Typed access to plain JSON that notes what is missing or of another type."""

    __slots__ = ("_meant", "problems")

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        self._meant: set[Path] = set()
        """Unknown fields that are said to be misspellings of missing ones."""

    def wrong_type(self, what: str, expected: str, got: Any, path: Path, advice: str = "") -> None:
        message = f"{what} must be {expected}, not {type_name(got)}"
        self.problems.append(Problem("rgd-wrong-type", message, path, help=advice))

    def mapping(self, parent: dict[str, Any], key: str, path: Path, *, required: bool = False) -> dict[str, Any]:
        value = parent.get(key)
        if isinstance(value, dict):
            return value
        if value is not None:
            self.wrong_type(key, "a mapping", value, (*path, key))
        elif required:
            self.missing(key, parent, path)
        return {}

    def sequence(self, parent: dict[str, Any], key: str, path: Path) -> list[Any]:
        value = parent.get(key)
        if isinstance(value, list):
            return value
        if value is not None:
            advice = "begin each item with '- ', on a line of its own" if isinstance(value, str) else ""
            self.wrong_type(key, "a list", value, (*path, key), advice)
        return []

    def text(self, parent: dict[str, Any], key: str, path: Path, *, required: bool = False, default: str = "") -> str:
        value = parent.get(key)
        if isinstance(value, str) and (value or not required):
            return value
        if value is not None and not isinstance(value, str):
            self.wrong_type(key, "a string", value, (*path, key))
        elif required:
            self.missing(key, parent, path)
        return default

    def texts(self, parent: dict[str, Any], key: str, path: Path) -> list[str]:
        values = self.sequence(parent, key, path)
        for i, value in enumerate(values):
            if not isinstance(value, str):
                self.problems.append(
                    Problem(
                        "rgd-wrong-type",
                        f"{key} holds expressions, not {type_name(value)}",
                        (*path, key, i),
                        help=f'write "${{{str(value).lower()}}}"' if isinstance(value, bool | int) else "",
                    )
                )
        return [value for value in values if isinstance(value, str)]

    def missing(self, key: str, parent: dict[str, Any], path: Path) -> None:
        near = closest(key, (other for other in parent if other not in _ALL_FIELDS))
        if not near:
            self.problems.append(Problem("rgd-missing-field", f"{key} is missing", path))
            return
        self._meant.add((*path, near))
        advice = f"is {near!r} meant to be {key!r}?"
        self.problems.append(Problem("rgd-missing-field", f"{key} is missing", (*path, near), help=advice, at_key=True))

    def drop_explained(self) -> None:
        """Forget the unknown fields that a missing one explains."""
        if self._meant:
            self.problems[:] = [p for p in self.problems if p.code != "rgd-unknown-field" or p.path not in self._meant]

    def unknown_fields(self, value: dict[str, Any], known: tuple[str, ...], path: Path) -> None:
        """The API server drops what it does not know; a typo must not vanish silently."""
        for key in value:
            if key not in known:
                self.problems.append(
                    Problem(
                        "rgd-unknown-field",
                        f"{key!r} is not a field of {path_text(path) or 'an RGD'}; kro would not see it",
                        (*path, key),
                        help=did_you_mean(key, known),
                        at_key=True,
                        severity="warning",
                    )
                )


def _note_stand_in(definition: Definition, parent: dict[str, Any], key: str, known: tuple[str, ...]) -> None:
    near = "" if key in parent else closest(key, (other for other in parent if other not in known))
    if near:
        definition.stand_ins[key] = near


def _read_schema(reader: Reader, spec: dict[str, Any], definition: Definition) -> None:
    path: Path = ("spec", "schema")
    raw = spec.get("schema")
    schema = reader.mapping(spec, "schema", ("spec",), required=True)
    if not isinstance(raw, dict):
        return
    reader.unknown_fields(schema, _SCHEMA_FIELDS, path)
    definition.has_schema = True
    _note_stand_in(definition, schema, "spec", _SCHEMA_FIELDS)
    definition.kind = reader.text(schema, "kind", path, required=True)
    definition.version = reader.text(schema, "apiVersion", path, required=True)
    definition.group = reader.text(schema, "group", path, default=RGD_GROUP)
    definition.spec = reader.mapping(schema, "spec", path)
    definition.types = reader.mapping(schema, "types", path)
    definition.status = reader.mapping(schema, "status", path)
    scope = reader.text(schema, "scope", path, default="Namespaced")
    definition.namespaced = scope != "Cluster"
    if scope not in _SCOPES:
        reader.problems.append(
            Problem(
                "invalid-scope",
                f"scope {scope!r} is neither Namespaced nor Cluster",
                (*path, "scope"),
                help=did_you_mean(scope, _SCOPES),
            )
        )
    if definition.kind and not is_kind_name(definition.kind):
        reader.problems.append(
            Problem(
                "invalid-kind",
                f"kind {definition.kind!r} is not UpperCamelCase",
                (*path, "kind"),
                help="letters and digits, a capital letter first, at most 63",
            )
        )
    _read_crd_fields(reader, schema, definition)
    if definition.version and not (is_kubernetes_version(definition.version) and len(definition.version) <= MAX_LABEL):
        reader.problems.append(
            Problem(
                "invalid-api-version",
                f"apiVersion {definition.version[:80]!r} is not a Kubernetes version",
                (*path, "apiVersion"),
                help="the version alone, such as v1alpha1; the group has a field of its own",
            )
        )


def _read_crd_fields(reader: Reader, schema: dict[str, Any], definition: Definition) -> None:
    """Most RGDs say nothing of their CRD but its fields."""
    from_author = (definition.group != RGD_GROUP, "additionalPrinterColumns" in schema, "metadata" in schema)
    if any(from_author) or len(definition.kind) > LONG_KIND:
        from krm_fn.program.crd_fields import check_crd_fields

        def report(code: str, message: str, path: Path, help: str = "") -> None:  # noqa: A002
            reader.problems.append(Problem(code, message, ("spec", "schema", *path), help=help))

        check_crd_fields(schema, definition.kind, definition.group, report)
        definition.columns = schema.get("additionalPrinterColumns") or []
        definition.metadata = schema.get("metadata") or {}


def _read_resource(reader: Reader, item: dict[str, Any], path: Path) -> RawResource:
    resource = RawResource(reader.text(item, "id", path, required=True), path)
    reader.unknown_fields(item, _RESOURCE_FIELDS, path)
    if not resource.id:
        resource.stand_ins = [
            text for key, text in item.items() if key not in _RESOURCE_FIELDS and isinstance(text, str)
        ]
    template = item.get("template")
    external = item.get("externalRef")
    if template is None and external is None:
        reader.problems.append(
            Problem("template-missing", f"resource {resource.id!r} has neither template nor externalRef", path)
        )
    elif template is not None and external is not None:
        reader.problems.append(
            Problem("template-and-external", f"resource {resource.id!r} has both template and externalRef", path)
        )
    elif external is not None:
        resource.external = True
        from krm_fn.program.external import read_external

        resource.template = read_external(reader, item, resource.id, path)
    else:
        resource.template = reader.mapping(item, "template", path)
    resource.ready_when = reader.texts(item, "readyWhen", path)
    resource.include_when = reader.texts(item, "includeWhen", path)
    for i, dimension in enumerate(reader.sequence(item, "forEach", path)):
        place: Path = (*path, "forEach", i)
        if not isinstance(dimension, dict) or len(dimension) != 1:
            reader.problems.append(
                Problem(
                    "foreach-dimension",
                    "a forEach entry is one variable with its list",
                    place,
                    help='write one "- name: ${list}" for each dimension',
                )
            )
            resource.lost += dimension if isinstance(dimension, dict) else ()
            continue
        ((name, text),) = dimension.items()
        if isinstance(text, str):
            resource.for_each.append((name, text, (*place, name)))
        else:
            reader.wrong_type(f"forEach variable {name!r}", "an expression", text, (*place, name))
            resource.lost.append(name)
    if resource.external and resource.for_each:
        reader.problems.append(
            Problem(
                "external-foreach", f"resource {resource.id!r} has both externalRef and forEach", (*path, "forEach")
            )
        )
    return resource


def _check_ids(definition: Definition, problems: list[Problem]) -> None:
    """Naming rules of ids and iterators: kro v0.9.3 pkg/graph/validation.go."""
    first: dict[str, Path] = {}
    for resource in definition.resources:
        place: Path = (*resource.path, "id")
        if not resource.id:
            continue
        _check_name(resource.id, f"id {resource.id!r}", place, problems, at_key=False)
        if resource.id in first:
            problems.append(
                Problem("duplicate-id", f"id {resource.id!r} is used by {path_of(first[resource.id])} already", place)
            )
        first.setdefault(resource.id, resource.path)
    for resource in definition.resources:
        if len(resource.for_each) > MAX_DIMENSIONS:
            problems.append(
                Problem(
                    "foreach-too-many-dimensions",
                    f"resource {resource.id!r} has {len(resource.for_each)} forEach dimensions, more than {MAX_DIMENSIONS}",
                    (*resource.path, "forEach"),
                )
            )
        seen: set[str] = set()
        for name, _, place in resource.for_each:
            _check_name(name, f"forEach variable {name!r}", place, problems, at_key=True)
            if name in first:
                problems.append(
                    Problem(
                        "foreach-name-clash", f"forEach variable {name!r} is also a resource id", place, at_key=True
                    )
                )
            if name in seen:
                problems.append(
                    Problem("foreach-name-clash", f"forEach variable {name!r} is declared twice", place, at_key=True)
                )
            seen.add(name)


def _check_name(name: str, what: str, place: Path, problems: list[Problem], *, at_key: bool) -> None:
    if name in RESERVED_WORDS:
        problems.append(
            Problem("reserved-word", f"{what} is a reserved word", place, at_key=at_key, help="choose another name")
        )
    elif not is_lower_camel_case(name):
        advice = ""
        if "-" in name or "_" in name:
            words = name.replace("_", "-").split("-")
            advice = f"write {words[0].lower() + ''.join(w.capitalize() for w in words[1:])!r} (in CEL, - subtracts)"
        problems.append(Problem("invalid-id", f"{what} is not lowerCamelCase", place, help=advice, at_key=at_key))


def path_of(path: Path) -> str:
    """A short spoken form of a path, for messages: `resources[2]`."""
    return f"{path[-2]}[{path[-1]}]" if len(path) > 1 and isinstance(path[-1], int) else str(path[-1])


def is_lower_camel_case(name: str) -> bool:
    return name[:1].isascii() and name[:1].islower() and name.isascii() and name.isalnum()


def is_kind_name(name: str) -> bool:
    return name[:1].isupper() and name.isascii() and name.isalnum() and len(name) <= 63


def is_template_name(field: str, value: str) -> bool:
    """Whether kro reads an apiVersion or a kind at all: kro v0.9.3 pkg/metadata/groupversion.go ExtractGVKFromUnstructured."""
    if field == "apiVersion":
        return value.count("/") < 2
    bare = value.replace("-", "a")
    return bare.isascii() and bare.isalnum() and value[0].isalpha() and value[-1] != "-" and len(value) <= 63


def is_kubernetes_version(version: str) -> bool:
    """`v1`, `v1alpha1`, `v2beta3`."""
    for stage in ("alpha", "beta"):
        major, found, minor = version.partition(stage)
        if found:
            return _is_v_number(major) and minor.isascii() and minor.isdigit()
    return _is_v_number(version)


def _is_v_number(text: str) -> bool:
    return text[:1] == "v" and text[1:].isascii() and text[1:].isdigit()


def type_name(value: Any) -> str:
    """The JSON type of a value, as a reader of YAML would say it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int):
        return "an integer"
    if isinstance(value, float):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "a list" if isinstance(value, list) else "a mapping"
