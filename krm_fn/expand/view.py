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
_SERVER_METADATA = ("uid", "resourceVersion", "creationTimestamp", "generation")


def open_view(value: Any, path: str) -> Any:
    """*value* with every map and list below it open; scalars are as they are."""
    if isinstance(value, dict):
        if _TEXT.issuperset(map(type, value.values())):
            return SettledMap(value, path)
        return OpenMap(
            {
                key: open_view(child, join_path(path, key)) if isinstance(child, dict | list) else child
                for key, child in value.items()
            },
            path,
        )
    if isinstance(value, list):
        if _SCALARS.issuperset(map(type, value)):
            return SettledList(value, path)
        return OpenList(
            [
                open_view(child, join_path(path, i)) if isinstance(child, dict | list) else child
                for i, child in enumerate(value)
            ],
            path,
        )
    return value


def asked_view(value: Any, asked: Asked, path: str) -> Any:
    """*value* open along the fields that expressions look at; what nobody looks at stays as it is."""
    fields = asked.fields
    if fields is None or not isinstance(value, dict):
        return open_view(value, path + asked.suffix)
    view = OpenMap(value, path + asked.suffix)
    for field, below in fields.items():
        child = value.get(field)
        if isinstance(child, dict | list):
            view[field] = asked_view(child, below, path)
    return view


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


def instance_view(instance: dict[str, Any], seen: dict[str, Any] | None, labels: dict[str, Any]) -> dict[str, Any]:
    """
    The instance as `schema`: no status, its own labels, and the fields that only a server sets unknown unless observed.

    On a live instance `labels` and `annotations` always exist, since kro writes its own there; so they do here.
    Source: kro v0.9.3 pkg/runtime/node_context.go, withStatusOmitted.
    """
    metadata = dict(instance["metadata"])
    live = (seen or {}).get("metadata") or {}
    for field in _SERVER_METADATA:
        metadata[field] = live[field] if field in live else Unknown(f"schema.metadata.{field}")
    metadata["labels"] = {**(metadata.get("labels") or {}), **labels}
    metadata.setdefault("annotations", {})
    view = {key: value for key, value in instance.items() if key not in ("status", "metadata")}
    view["metadata"] = metadata
    return view
