"""
The CRD that kro generates for an RGD.

Enters: a `Program`.  Leaves: its CustomResourceDefinition; the schema under which other RGDs see its instances.  Made when it is
asked for: a plain render needs neither.  Not known here: where CRDs are written, what a breaking change is.

Source: kro v0.9.3 pkg/graph/builder.go buildStatusSchema, pkg/graph/crd/crd.go.
"""

from __future__ import annotations

from krm_fn.program.definition import read_definition
from krm_fn.schema.cel_types import NOT_KNOWN
from krm_fn.schema.crd import generated_crd, instance_schema, object_meta
from krm_fn.schema.from_cel_types import status_schema
from krm_fn.schema.simple_schema import SchemaError, to_openapi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from krm_fn.program.model import Program

    Schema: TypeAlias = dict[str, Any]


def crd_of(program: Program) -> dict[str, Any]:
    """The CustomResourceDefinition, as kro sends it. Parts of it are shared with *program*: nobody changes it."""
    definition = program.definition
    return generated_crd(
        definition.group,
        definition.version,
        definition.kind,
        program.spec_schema,
        _authors_status(program),
        scope="Namespaced" if definition.namespaced else "Cluster",
        printer_columns=definition.columns,
        metadata=definition.metadata,
    )


def objects_schema(program: Program) -> Schema:
    """
    The schema of the instances, as the API server publishes it: with the metadata of every object.

    That of a cluster-scoped kind has a namespace, too. What depends on a schema that is not at hand is marked.
    """
    return _published(instance_schema(program.spec_schema, _authors_status(program, marked=True)))


def objects_schema_before(document: dict[str, Any]) -> Schema | None:
    """The same of an RGD that is not compiled yet: any field of the status may be there. None if the RGD is not sound."""
    try:
        definition = read_definition(document, [])
        made = _published(instance_schema(to_openapi(definition.spec, definition.types)))
    except SchemaError:
        return None
    made["properties"]["status"] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True, NOT_KNOWN: True}
    return made


def _published(schema: Schema) -> Schema:
    return {**schema, "properties": {**schema["properties"], "metadata": object_meta(namespaced=True)}}


def _authors_status(program: Program, *, marked: bool = False) -> Schema:
    paths = (path for path, _ in program.status)
    return status_schema(zip(paths, program.status_types, strict=True), marked=marked)
