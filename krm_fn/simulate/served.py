"""
Which kinds the cluster serves: what is built in, what its CustomResourceDefinitions define, what kro's RGDs are.

Enters: a version of Kubernetes, CRDs as they come and go, the Programs whose CRDs kro has installed.  Leaves: scopes, schemas, and what
admission makes of an object.  Not known here: objects.

Where nothing is known of a kind its objects are namespaced and stored as they come.
"""

from __future__ import annotations

from krm_fn.admit.admission import compile_admission
from krm_fn.program.generated import crd_of
from krm_fn.report.diagnostic import ERROR
from krm_fn.schema.defaults import defaulted
from krm_fn.schema.kinds import Kinds
from krm_fn.schema.rgd_crd import RGD_CRD
from krm_fn.schema.scope import builtin_versions, scope_from_crd
from krm_fn.schema.structural import Found, compile_value
from krm_fn.simulate.stored_status import stored

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    from krm_fn.admit.admission import Admission
    from krm_fn.program.model import Program
    from krm_fn.schema.kinds import GroupKind

    Check: TypeAlias = Callable[[dict[str, Any]], tuple[dict[str, Any], list[str]]]
    """A value -> the admitted one, and what is wrong with it."""

CRD = ("apiextensions.k8s.io", "CustomResourceDefinition")
_ROOT = ("apiVersion", "kind", "metadata")
_UNREAD = (
    "description",
    "title",
    "example",
    "externalDocs",
    "format",
    "x-kubernetes-validations",
    "x-kubernetes-map-type",
)
_SCALARS = (str, int, float, bool)


class Served:
    """
    The kinds. `kinds` is made anew when a CRD changed: Programs that are compiled keep what they were compiled with.

    changes: how often the CRDs changed so far.
    """

    __slots__ = ("_admissions", "_checks", "_crds", "_kinds", "_programs", "_statuses", "changes", "minor")

    def __init__(self, minor: int) -> None:
        self.minor = minor
        self.changes = 0
        self._crds: dict[str, dict[str, Any]] = {}
        self._programs: dict[GroupKind, Program] = {}
        self._admissions: dict[GroupKind, Admission] = {}
        self._statuses: dict[GroupKind, dict[str, Any]] = {}
        self._checks: dict[tuple[str, str, str], Check | None] = {}
        self._kinds: Kinds | None = None

    def add(self, crd: dict[str, Any], program: Program | None = None) -> None:
        """Serve what *crd* defines. *program*: of the RGD that kro generated it for."""
        name = crd["metadata"]["name"]
        if self._crds.get(name) == crd:
            return
        self.remove(name)
        self._crds[name] = crd
        if program is not None:
            self._programs[program.key] = program

    def remove(self, name: str) -> None:
        crd = self._crds.pop(name, None)
        self.changes += 1
        self._kinds = None
        self._checks.clear()
        for key in scope_from_crd(crd or {}):
            self._programs.pop(key, None)
            self._admissions.pop(key, None)
            self._statuses.pop(key, None)

    @property
    def kinds(self) -> Kinds:
        if self._kinds is None:
            from krm_fn.program.generated import objects_schema

            kinds = self._kinds = Kinds(self.minor)
            kinds.add_crd(RGD_CRD)
            for crd in self._crds.values():
                kinds.add_crd(crd)
            for program in self._programs.values():
                # Not by the CRD: what a status field may be is known better here than a CRD can say.
                namespaced = program.definition.namespaced
                kinds.add(program.api_version, program.key[1], namespaced=namespaced, schema=objects_schema(program))
        return self._kinds

    def namespaced(self, api_version: str, kind: str) -> bool:
        return self.kinds.namespaced(api_version, kind) is not False

    def program(self, key: GroupKind) -> Program | None:
        """The Program by whose CRD instances of a kind are admitted."""
        return self._programs.get(key)

    def has_status_resource(self, group: str, kind: str, version: str) -> bool:
        """Whether a plain write leaves `status` alone. So it is with all that is built in and has one."""
        for crd in self._crds.values():
            if (group, kind) in scope_from_crd(crd):
                found = _version(crd, version).get("subresources")
                return isinstance(found, dict) and "status" in found
        return bool(builtin_versions(group, kind, self.minor)) or (group, kind) == (
            "kro.run",
            "ResourceGraphDefinition",
        )

    def admit(self, body: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """A body as it is stored: defaults filled in, unknown fields dropped; and what its schema says against it."""
        group, _, version = body["apiVersion"].rpartition("/")
        key = (group, body["kind"])
        program = self._programs.get(key)
        if program is not None:
            return self._admit_instance(program, body)
        check = self._check(key, version)
        if check is not None:
            rest = {name: value for name, value in body.items() if name not in _ROOT}
            after, complaints = check(rest)
            return {**{name: body[name] for name in _ROOT if name in body}, **after}, complaints
        if not builtin_versions(*key, self.minor):
            return body, []
        return defaulted(without_nulls(body), self.kinds.schema(body["apiVersion"], body["kind"])), []

    def admit_status(self, key: GroupKind, status: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """The same for a status by itself."""
        program = self._programs.get(key)
        if program is None:
            return status, []
        if key not in self._statuses:
            version = crd_of(program)["spec"]["versions"][0]
            self._statuses[key] = version["schema"]["openAPIV3Schema"]["properties"]["status"]
        complaints: list[str] = []
        return stored(status, self._statuses[key], "status", complaints), complaints

    def _admit_instance(self, program: Program, body: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
        if body["apiVersion"] != program.api_version:
            return body, [f"{body['kind']} is served as {program.api_version}, not as {body['apiVersion']}"]
        admission = self._admissions.get(program.key)
        if admission is None:
            admission = self._admissions[program.key] = compile_admission(program.spec_schema)
        admitted, violations = admission.admit(body)
        complaints = [each.message for each in violations if each.severity == ERROR]
        if "status" in body:
            status, wrong = self.admit_status(program.key, body["status"])
            admitted = {**admitted, "status": status}
            complaints += wrong
        return admitted, complaints

    def _check(self, key: GroupKind, version: str) -> Check | None:
        """By the schema of a CRD that no RGD made; None where there is none that is understood here."""
        if (*key, version) not in self._checks:
            self._checks[*key, version] = None
            for crd in self._crds.values():
                if key in scope_from_crd(crd):
                    self._checks[*key, version] = _compiled(_schema_in(crd, version))
        return self._checks[*key, version]


def _schema_in(crd: dict[str, Any], version: str) -> dict[str, Any] | None:
    """What a CRD says of the fields of a version, those aside that every object has."""
    said = _version(crd, version).get("schema")
    schema = said.get("openAPIV3Schema") if isinstance(said, dict) else None
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(schema, dict) or not isinstance(properties, dict):
        return None
    return {**schema, "properties": {name: field for name, field in properties.items() if name not in _ROOT}}


def _version(crd: dict[str, Any], name: str) -> dict[str, Any]:
    """A version of a CRD; empty where it has none of that name."""
    versions = crd["spec"].get("versions")
    for each in versions if isinstance(versions, list) else ():
        if isinstance(each, dict) and each.get("name") == name:
            return each
    return {}


def _compiled(schema: dict[str, Any] | None) -> Check | None:
    """A check of values; None for a schema with words that are not understood here."""
    if schema is None:
        return None
    try:
        check = compile_value(_known_words(schema))
    except (KeyError, ValueError, TypeError, AttributeError):
        return None

    def run(value: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
        found = Found()
        return check(value, (), found), [each.message for each in found.errors]

    return run


def _known_words(schema: Any) -> Any:
    """Without what only people read, and without rules: those of other people's CRDs are not run here."""
    if not isinstance(schema, dict):
        return schema
    made = {key: value for key, value in schema.items() if key not in _UNREAD}
    if isinstance(made.get("properties"), dict):
        made["properties"] = {name: _known_words(field) for name, field in made["properties"].items()}
    for key in ("items", "additionalProperties"):
        if key in made:
            made[key] = _known_words(made[key])
    return made


def without_nulls(value: Any) -> Any:
    """A null in a map is no field. What holds none is shared."""
    if isinstance(value, dict):
        if all(type(child) in _SCALARS for child in value.values()):
            return value
        return {key: without_nulls(child) for key, child in value.items() if child is not None}
    if isinstance(value, list):
        return value if all(type(child) in _SCALARS for child in value) else [without_nulls(child) for child in value]
    return value
