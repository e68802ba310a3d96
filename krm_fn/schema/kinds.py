"""
Every kind that a template may make: whether its objects live in namespaces, and the schema of its objects.

Enters: CustomResourceDefinitions, and what the RGDs of the input define.  Leaves: scopes and schemas, asked for by apiVersion and
kind.  Not known here: where the CRDs come from, what is checked against a schema.
"""

from __future__ import annotations

from krm_fn.schema.scope import scope_from_crd, scope_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    Schema: TypeAlias = dict[str, Any]


class Kinds:
    """
    What is known of kinds: the built-in ones, and those that were added.

    A schema is plain and whole: no `$ref`, parts may be shared, nobody changes one. A kind without a schema is not checked.
    """

    __slots__ = ("_schemas", "_scopes")

    def __init__(self) -> None:
        self._scopes: dict[tuple[str, str], bool] = {}
        self._schemas: dict[tuple[str, str], Schema] = {}

    def add_crd(self, crd: dict[str, Any]) -> None:
        """Learn the kind that a CustomResourceDefinition defines, as far as it is sound."""
        self._scopes.update(scope_from_crd(crd))

    def add(self, api_version: str, kind: str, *, namespaced: bool, schema: Schema | None = None) -> None:
        """Learn one kind. The last word on a kind is the one that counts."""
        self._scopes[api_version.rpartition("/")[0], kind] = namespaced
        if schema is not None:
            self._schemas[api_version, kind] = schema

    def namespaced(self, api_version: str, kind: str) -> bool | None:
        """True, False for a cluster-scoped kind, None for one that nobody knows."""
        known = self._scopes.get((api_version.rpartition("/")[0], kind))
        return scope_of(api_version, kind) if known is None else known

    def schema(self, api_version: str, kind: str) -> Schema | None:
        """The OpenAPI schema of a kind's objects; None where nobody knows it."""
        return self._schemas.get((api_version, kind)) or _BYTES.get((api_version, kind))


def _with_bytes(field: str) -> Schema:
    values = {"type": "object", "additionalProperties": {"type": "string", "format": "byte"}}
    return {"type": "object", "properties": {field: values}, "x-kubernetes-preserve-unknown-fields": True}


_BYTES = {("v1", "Secret"): _with_bytes("data"), ("v1", "ConfigMap"): _with_bytes("binaryData")}
"""What Kubernetes types as bytes, of the built-in kinds."""
