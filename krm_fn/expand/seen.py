"""
What expressions see of an object that somebody has seen.

Enters: its desired state, the object as it was seen, which of its fields were looked at, its schema.  Leaves: the view.  Not known here:
where it was seen, what is looked at.

It is *closed*: its desired state laid over what was seen as a server-side apply lays it, so that `service.spec.ports[0].nodePort` is found;
with the defaults of its schema; and what is absent there is absent. Of an object that was looked at in part, these fields are closed.
"""

from __future__ import annotations

from krm_fn.cel.values import OpenMap, SettledMap, join_path
from krm_fn.expand.secrets import without_secrets
from krm_fn.expand.view import is_map, object_schema, open_view
from krm_fn.schema.defaults import defaulted
from krm_fn.schema.server_side_apply import field_of, laid_over

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from krm_fn.expand.observed import Fields

    Schema: TypeAlias = dict[str, Any]
    Tree: TypeAlias = dict[str, "Tree | None"]
    """Keys with what was looked at below; None where that is all."""

_ABSENT = object()


def closed_view(desired: Any, seen: Any, schema: Schema | None) -> Any:
    """*desired* laid over *seen*, with the defaults of their schema. Neither is changed; parts are shared."""
    return defaulted(laid_over(desired, seen, schema), schema)


def seen_view(
    desired: dict[str, Any], seen: dict[str, Any], fields: Fields | None, path: str, schema: Schema | None
) -> dict[str, Any]:
    """
    An observed object with what is desired of it: closed, or as far as somebody has looked at it.

    fields: what was looked at (`Observed.looked_at`).  The secret values of the cluster are unknown even so.
    """
    seen = without_secrets(seen, path)
    if fields is None:
        made: dict[str, Any] = closed_view(desired, seen, schema)
        return made
    return partial_view(desired, seen, fields, path, schema)


def partial_view(
    desired: dict[str, Any], seen: dict[str, Any], fields: Fields, path: str, schema: Schema | None
) -> dict[str, Any]:
    """
    An object of which some *fields* were looked at: these are closed, all else is open.

    A field was looked at with all that is below it. Of a field that lies deeper it is known, too, which of the maps on its way there are:
    *seen* has those that exist, be they empty.
    """
    if () in fields:
        whole: dict[str, Any] = closed_view(desired, seen, schema)
        return whole
    tree: Tree = {}
    for field in fields:
        below = tree
        for key in field[:-1]:
            deeper = below.setdefault(key, {})
            if deeper is None:
                break
            below = deeper
        else:
            below[field[-1]] = None
    return _partial(desired, seen, tree, path, object_schema(schema))


def _partial(desired: Any, seen: Any, tree: Tree, path: str, schema: Schema) -> dict[str, Any]:
    own: dict[str, Any] = {} if desired is _ABSENT else desired
    found: dict[str, Any] = {} if seen is _ABSENT else seen
    known = {
        key: open_view(child, join_path(path, key), field_of(schema, key))
        for key, child in own.items()
        if key not in tree
    }
    absent = set()
    for key, below in tree.items():
        field = field_of(schema, key)
        mine, theirs = own.get(key, _ABSENT), found.get(key, _ABSENT)
        if mine is theirs is _ABSENT:
            if "default" not in field:
                absent.add(key)
                continue
            mine = field["default"]
        if below is not None and all(isinstance(value, dict) for value in (mine, theirs) if value is not _ABSENT):
            known[key] = _partial(mine, theirs, below, join_path(path, key), field)
        elif mine is _ABSENT or theirs is _ABSENT:
            known[key] = defaulted(theirs if mine is _ABSENT else mine, field)
        else:
            known[key] = closed_view(mine, theirs, field)
    if is_map(schema) and known.keys() == own.keys() and all(type(value) is str for value in known.values()):
        return SettledMap(known, path, frozenset(absent))
    return OpenMap(known, path, frozenset(absent))
