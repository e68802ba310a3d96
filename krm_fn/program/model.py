"""
The records that a Program is made of. Data only; `build` makes them, `expand` reads them.

Frozen by convention: nothing here changes after `build_program` has returned.
"""

from __future__ import annotations

from krm_fn.schema.crd import schema_of_variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from krm_fn.cel.types import Type
    from krm_fn.program.definition import Definition
    from krm_fn.program.template import Builder, Expression, Path

RESOURCE = "Resource"
COLLECTION = "Collection"
EXTERNAL = "External"
EXTERNAL_COLLECTION = "ExternalCollection"

MADE_FIRST = frozenset({("", "Namespace"), ("apiextensions.k8s.io", "CustomResourceDefinition")})
"""Kinds that everybody puts before what may need them: they are written first, and gate nothing."""

SCHEMA = "schema"
"""The name under which expressions see the instance."""
EACH = "each"
RUNTIME = "runtime"


class Compiled:
    """
    An expression that is ready to run.

    run: activation -> value.  slot: place in the instance's cache of values; -1 where a loop variable makes every evaluation
    its own.  roots: the free names, in order of first use.  paths: what it asks for below each of them.
    """

    __slots__ = ("expression", "paths", "roots", "run", "slot")

    def __init__(
        self,
        expression: Expression,
        run: Callable[[dict[str, Any]], Any],
        roots: tuple[str, ...],
        paths: dict[str, tuple[str, ...]],
        slot: int,
    ) -> None:
        self.expression = expression
        self.run = run
        self.roots = roots
        self.paths = paths
        self.slot = slot


class Dimension:
    """One forEach entry: a loop variable and the list that it runs over."""

    __slots__ = ("name", "values")

    def __init__(self, name: str, values: Compiled) -> None:
        self.name = name
        self.values = values


class Asked:
    """
    The part of an object that expressions look at, as a tree of fields.

    suffix: the path from the object to here, as text (`.spec.ports`).  fields: what is looked at below; None where everything
    may be (the path ends in an index, a call, or is used whole).  mixed: whether some expression calls `dyn`, so that what is read may
    meet values of other types.
    """

    __slots__ = ("fields", "mixed", "suffix")

    def __init__(self, suffix: str) -> None:
        self.suffix = suffix
        self.fields: dict[str, Asked] | None = {}
        self.mixed = False

    def add(self, fields: list[str]) -> None:
        """Note one access path, given by its fields."""
        part = self
        for field in fields:
            if part.fields is None:
                return
            part = part.fields.setdefault(field, Asked(f"{part.suffix}.{field}"))
        part.fields = None


class Node:
    """
    One resource of an RGD.

    kind: RESOURCE, COLLECTION, EXTERNAL or EXTERNAL_COLLECTION.  api_version and object_kind are the template's.
    namespaced: None where nobody knows the kind.  schema: of its
    objects, where there is one.  holes: (path in the template, index into `values`).  values: the distinct
    expressions of the template.  shape: list of values -> object.  dependencies: ids, in order of first mention.  asked: what
    expressions look at, None where none does.
    """

    __slots__ = (
        "api_version", "asked", "dependencies", "dimensions", "group", "holes", "id", "include_when", "index", "kind", "namespaced",
        "object_kind", "path", "ready_when", "schema", "shape", "template", "values",
    )  # fmt: skip

    def __init__(self, id: str, index: int, kind: str, template: dict[str, Any], path: Path) -> None:  # noqa: A002
        self.id = id
        self.index = index
        self.kind = kind
        self.template = template
        self.path = path
        self.api_version: str = template.get("apiVersion", "")
        self.object_kind: str = template.get("kind", "")
        self.group = self.api_version.rpartition("/")[0]
        self.namespaced: bool | None = None
        self.schema: dict[str, Any] | None = None
        self.holes: list[tuple[Path, int]] = []
        self.values: list[Compiled] = []
        self.shape: Builder = lambda _values: template
        self.include_when: list[Compiled] = []
        self.ready_when: list[Compiled] = []
        self.dimensions: list[Dimension] = []
        self.dependencies: list[str] = []
        self.asked: Asked | None = None

    @property
    def is_external(self) -> bool:
        return self.kind in (EXTERNAL, EXTERNAL_COLLECTION)

    @property
    def is_collection(self) -> bool:
        return self.kind in (COLLECTION, EXTERNAL_COLLECTION)


class Program:
    """
    One RGD, compiled.

    nodes: by id, in document order.  order: ids, dependencies first, document order for ties.  status: (path, expression) of
    the fields that the author declared.  status_types: of those expressions, in the same order.  asked: what expressions look at
    of the instance, None where none does.  slots: size of an instance's cache.  schema: under which expressions see the instance.
    """

    __slots__ = (
        "asked", "conditions", "definition", "nodes", "order", "schema", "slots", "spec_schema", "status", "status_types",
    )  # fmt: skip

    def __init__(self, definition: Definition, spec_schema: dict[str, Any]) -> None:
        self.definition = definition
        self.spec_schema = spec_schema
        self.schema = schema_of_variable(spec_schema, namespaced=definition.namespaced)
        self.nodes: dict[str, Node] = {}
        self.order: list[str] = []
        self.status: list[tuple[Path, Compiled]] = []
        self.status_types: list[Type] = []
        self.conditions: list[Compiled] = []
        self.asked: Asked | None = None
        self.slots = 0

    @property
    def api_version(self) -> str:
        return f"{self.definition.group}/{self.definition.version}"

    @property
    def key(self) -> tuple[str, str]:
        """Group and kind: what an instance is recognised by."""
        return (self.definition.group, self.definition.kind)
