"""
What expressions see of an object.

An object that nobody has observed is *open*: what is not in its desired state is unknown. An observed one is closed, or as far as somebody
has looked at it (`expand.seen`). Views serve references; nothing of what was seen goes out.
"""

from __future__ import annotations

from krm_fn.cel.values import OpenList, OpenMap, SettledList, SettledMap, Unknown, join_path
from krm_fn.schema.means_itself import means_itself

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krm_fn.program.model import Asked, Node, Program
    from krm_fn.schema.typed_values import Shape

_TEXT = frozenset((str,))
_SCALARS = frozenset((str, int, float, bool))
_LABELS = {"type": "object", "additionalProperties": {"type": "string"}}
_METADATA = {
    "type": "object",
    "properties": {
        "labels": _LABELS,
        "annotations": _LABELS,
        "finalizers": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
    },
}
_SERVER_METADATA = ("uid", "resourceVersion", "creationTimestamp", "generation")


def open_view(value: Any, path: str, schema: dict[str, Any] | None = None) -> Any:
    """*value* with every map and list below it open; scalars are as they are. *schema*: of the value, where there is one."""
    if isinstance(value, dict):
        if is_map(schema) and _TEXT.issuperset(map(type, value.values())):
            return SettledMap(value, path)
        return OpenMap(
            {
                key: open_view(child, join_path(path, key), _below(schema, key))
                if isinstance(child, dict | list)
                else child
                for key, child in value.items()
            },
            path,
        )
    if isinstance(value, list):
        if not _is_shared(schema) and _SCALARS.issuperset(map(type, value)):
            return SettledList(value, path)
        items = None if schema is None else schema.get("items")
        return OpenList(
            [
                open_view(child, join_path(path, i), items) if isinstance(child, dict | list) else child
                for i, child in enumerate(value)
            ],
            path,
        )
    return value


def asked_view(value: Any, asked: Asked, path: str, schema: dict[str, Any] | None = None) -> Any:
    """*value* open along the fields that expressions look at; what nobody looks at stays as it is."""
    if not asked.suffix:
        schema = object_schema(schema)
    fields = asked.fields
    if fields is None or not isinstance(value, dict):
        return open_view(value, path + asked.suffix, schema)
    view = OpenMap(value, path + asked.suffix)
    for field, below in fields.items():
        child = value.get(field)
        if isinstance(child, dict | list):
            view[field] = asked_view(child, below, path, _below(schema, field))
    return view


def object_schema(schema: dict[str, Any] | None) -> dict[str, Any]:
    """The schema of an object with what every object has in its metadata, which the schemas of custom resources do not say."""
    own = schema or {}
    return {**own, "properties": {**(own.get("properties") or {}), "metadata": _METADATA}}


def _below(schema: dict[str, Any] | None, field: str) -> dict[str, Any] | None:
    """The schema of a field; None where nothing is known of it."""
    if schema is None:
        return None
    found = (schema.get("properties") or {}).get(field, schema.get("additionalProperties"))
    return found if isinstance(found, dict) else None


def is_map(schema: dict[str, Any] | None) -> bool:
    """Whether there are keys only, no fields that a server fills in. An object of a kind that nobody knows may have such fields."""
    return schema is not None and "properties" not in schema and isinstance(schema.get("additionalProperties"), dict)


def _is_shared(schema: dict[str, Any] | None) -> bool:
    """Whether others may add items of their own to a list."""
    return schema is not None and schema.get("x-kubernetes-list-type") in ("set", "map")


def as_stored(desired: dict[str, Any]) -> dict[str, Any]:
    """
    *desired* after the rewrites that a server makes on writing: `stringData` of a Secret becomes `data`.

    Source: Kubernetes, pkg/registry/core/secret (stringData is write-only).
    """
    if (
        desired.get("kind") != "Secret"
        or desired.get("apiVersion") != "v1"
        or not isinstance(desired.get("stringData"), dict)
    ):
        return desired
    from base64 import b64encode

    texts = {
        key: b64encode(value.encode()).decode() if isinstance(value, str) else value
        for key, value in desired["stringData"].items()
    }
    stored = {key: value for key, value in desired.items() if key != "stringData"}
    data = desired.get("data")
    stored["data"] = {**data, **texts} if isinstance(data, dict) else texts
    return stored


class Shapes:
    """
    How objects are read by their schemas: `string(secret.data.x)` is the text, not its base64, and a set has no order.

    Most that expressions look at means what it says, and is plain JSON; the shape of all else is made once.
    """

    __slots__ = ("_shapes",)

    def __init__(self) -> None:
        self._shapes: dict[int, Shape | None] = {}

    def typed(self, view: Any, seen: Node | Program) -> Any:
        """*view* as expressions see it that look at *seen*. What does not fit is an EvaluationError when it is asked for."""
        try:
            shape = self._shapes[id(seen)]
        except KeyError:
            shape = self._shapes[id(seen)] = _shape(seen)
        return view if shape is None else shape.read(view)


def _shape(seen: Node | Program) -> Shape | None:
    schema = seen.schema
    if schema is None or seen.asked is None or (not seen.asked.mixed and means_itself(schema, seen.asked)):
        return None
    from krm_fn.schema.typed_values import shape_of

    return shape_of(schema)


def instance_view(instance: dict[str, Any], live: dict[str, Any], labels: dict[str, Any]) -> dict[str, Any]:
    """
    The instance as `schema`: no status, its own labels, and the fields that only a server sets unknown unless observed.

    live: the metadata of the instance that was observed.

    On a live instance `labels` and `annotations` always exist, since kro writes its own there; so they do here.
    Source: kro v0.9.3 pkg/runtime/node_context.go, withStatusOmitted.
    """
    metadata = dict(instance["metadata"])
    for field in _SERVER_METADATA:
        metadata[field] = live[field] if field in live else Unknown(f"schema.metadata.{field}")
    metadata["labels"] = {**(metadata.get("labels") or {}), **labels}
    metadata.setdefault("annotations", {})
    view = {key: value for key, value in instance.items() if key not in ("status", "metadata")}
    view["metadata"] = metadata
    return view
