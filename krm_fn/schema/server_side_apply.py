"""
What a server-side apply makes of an object.

Enters: what a manager wants, what is stored, the kind's OpenAPI schema.  Leaves: what is stored then, as plain JSON that shares its
parts with both.  Not known here: where objects come from, defaults, what else a server rewrites.

The schema says what is merged and what is replaced: a map by its keys unless it is atomic; a list only where it has a type, as a set or by
the keys of its items. What no schema describes is merged as a map and replaced as a list.

Two things differ from a server, which keeps a record of who set what (`metadata.managedFields`) where there is none here. What *before*
does not have, or not with this value, is taken for somebody else's, unless it is the default of its schema. And a value that the
server spelt in another way (a quantity) counts as somebody else's.

Source: structured-merge-diff v6.4.2 typed/merge.go, typed/helpers.go, merge/update.go; kube-openapi pkg/schemaconv/openapi.go.
"""

from __future__ import annotations

from krm_fn.schema.defaults import defaulted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, TypeAlias

    Schema: TypeAlias = dict[str, Any]
    Leaf: TypeAlias = Callable[[Any, Any, Schema], Any]
    Key: TypeAlias = tuple[Any, ...]

_GONE: Any = object()
_FREE: Schema = {}


def merged(
    desired: dict[str, Any], seen: dict[str, Any], schema: Schema | None, before: dict[str, Any] | None = None
) -> Any:
    """
    What is stored when a manager applies *desired* by force over *seen*.

    before: what that manager had applied last; what it has and *desired* has not goes away, unless it is somebody else's by now. None:
    nobody knows, and nothing goes away.
    """
    stored = _merged(desired, seen, schema or _FREE, before, _replace)
    return {} if stored is _GONE else stored


def laid_over(desired: Any, seen: Any, schema: Schema | None) -> Any:
    """
    The same without a last time, as references see it: what a server added to the parts of an atomic list or map stands.

    That is so where what was seen carries all that is desired, item by item: an apply puts the desired list in its place, and the
    server fills in the same again.
    """
    return _merged(desired, seen, schema or _FREE, None, _keep)


def _replace(own: Any, _seen: Any, _schema: Schema) -> Any:
    return own


def _keep(own: Any, seen: Any, schema: Schema) -> Any:
    return seen if carries(seen, own, schema) else own


def carries(seen: Any, own: Any, schema: Schema) -> bool:
    """Whether *seen* says all that *own* says, and beside it nothing but fields that a server fills in."""
    if isinstance(own, dict):
        if not isinstance(seen, dict) or (_is_map_of_values(schema) and len(seen) != len(own)):
            return False
        return all(key in seen and carries(seen[key], value, field_of(schema, key)) for key, value in own.items())
    if isinstance(own, list):
        items = schema.get("items") or _FREE
        return (
            isinstance(seen, list)
            and len(seen) == len(own)
            and all(carries(a, b, items) for a, b in zip(seen, own, strict=True))
        )
    return bool(seen == own) and isinstance(seen, bool) is isinstance(own, bool)


# -- the schema -------------------------------------------------------------------------------------------------------


def field_of(schema: Schema, key: str) -> Schema:
    """The schema of what stands under a key; an empty one where nobody knows it."""
    found = (schema.get("properties") or _FREE).get(key)
    if found is None:
        found = schema.get("additionalProperties")
    return found if isinstance(found, dict) else _FREE


def _is_named(schema: Schema, key: str) -> bool:
    return key in (schema.get("properties") or _FREE)


def _is_map_of_values(schema: Schema) -> bool:
    return "properties" not in schema and isinstance(schema.get("additionalProperties"), dict)


def _is_granular_map(schema: Schema) -> bool:
    return schema.get("x-kubernetes-map-type") != "atomic"


def _is_granular_list(schema: Schema) -> bool:
    return schema.get("x-kubernetes-list-type") in ("set", "map")


# -- merging ----------------------------------------------------------------------------------------------------------


def _merged(own: Any, seen: Any, schema: Schema, before: Any, leaf: Leaf) -> Any:
    if isinstance(seen, dict) and seen and (own is None or isinstance(own, dict)):
        if _is_granular_map(schema):
            return _merged_maps(own or {}, seen, schema, before if isinstance(before, dict) else {}, leaf)
        return leaf(own, seen, schema)
    if isinstance(seen, list) and seen and (own is None or isinstance(own, list)):
        if _is_granular_list(schema):
            return _merged_lists(own or [], seen, schema, before if isinstance(before, list) else [], leaf)
        return leaf(own, seen, schema)
    return own


def _merged_maps(own: dict[str, Any], seen: dict[str, Any], schema: Schema, before: dict[str, Any], leaf: Leaf) -> Any:
    made: dict[str, Any] = {}
    for key, theirs in seen.items():
        if key in own:
            value = _merged(own[key], theirs, field_of(schema, key), before.get(key), leaf)
        elif key in before:
            value = _left_of(theirs, before[key], field_of(schema, key), is_named=_is_named(schema, key))
        else:
            value = theirs
        if value is not _GONE:
            made[key] = value
    made.update({key: value for key, value in own.items() if key not in seen})
    return made if made or not before else _emptied(schema)


def _emptied(schema: Schema) -> Any:
    """sic: what loses its last item becomes null, and a null goes away where the schema takes none."""
    return None if schema.get("nullable") is True else _GONE


def _merged_lists(own: list[Any], seen: list[Any], schema: Schema, before: list[Any], leaf: Leaf) -> Any:
    own_keys, seen_keys = _keys(own, schema), _keys(seen, schema)
    if own_keys is None or seen_keys is None or len(set(own_keys)) < len(own):
        return leaf(own, seen, schema)  # a server would refuse it
    mine, former = dict(zip(own_keys, own, strict=True)), dict(zip(_keys(before, schema) or (), before, strict=False))
    theirs: dict[Key, Any] = {}
    for key, item in zip(seen_keys, seen, strict=True):
        theirs[key] = _GONE if key in theirs else item  # what stands twice is merged with nothing
    items = schema.get("items") or _FREE
    made: list[Any] = []
    for key, i in _woven(seen_keys, own_keys):
        if key not in mine:
            if key not in former:
                made.append(seen[i])
        elif theirs.get(key, _GONE) is _GONE:
            made.append(mine[key])
        else:
            value = _merged(mine[key], theirs[key], items, former.get(key), leaf)
            made.append(mine[key] if value is _GONE else value)
    return made or _emptied(schema)


def _woven(left: list[Key], right: list[Key]) -> Iterator[tuple[Key, int]]:
    """
    The keys of both lists, each of *right* once, in the order in which a merge leaves their items; with the index in *left*.

    The items of *right* keep their order, those of *left* alone their places between them.
    """
    in_left, in_right = set(left), set(right)
    shared = iter([key for key in right if key in in_left])
    awaited = next(shared, None)
    done: set[Key] = set()
    i = j = 0
    while i < len(left) or j < len(right):
        if i < len(left):
            key = left[i]
            if key not in in_right:
                yield key, i
                i += 1
                continue
            if j < len(right) and key != right[j] and awaited is not None and key != awaited:
                i += 1  # its place is where *right* has it
                continue
            if j == len(right) or (key != right[j] and key in done):
                i += 1
        if j < len(right):
            key = right[j]
            if i < len(left) and left[i] == key:
                i += 1
            yield key, -1
            done.add(key)
            j += 1
            if key == awaited:
                awaited = next(shared, None)


def _keys(items: list[Any], schema: Schema) -> list[Key] | None:
    """What tells the items apart; None where one has nothing that does."""
    below = schema.get("items") or _FREE
    names = schema.get("x-kubernetes-list-map-keys") if schema.get("x-kubernetes-list-type") == "map" else None
    keys: list[Key] = []
    for item in items:
        parts: list[Any] = []
        if names is None:
            parts = [item]
        elif isinstance(item, dict):
            for name in names:
                value = item.get(name, field_of(below, name).get("default"))
                if value is not None:
                    parts += (name, value)
        if not parts or any(isinstance(part, dict | list) or part is None for part in parts):
            return None
        keys.append(tuple((part is True or part is False, part) for part in parts))
    return keys


# -- what goes away ---------------------------------------------------------------------------------------------------


def _left_of(seen: Any, before: Any, schema: Schema, *, is_named: bool) -> Any:
    """
    What is left of a value that the manager had applied and does not apply any more.

    is_named: whether it is a field of its schema. Other entries of a map, and the items of a list, go with all that they hold.
    """
    if isinstance(seen, dict) and isinstance(before, dict) and _is_granular_map(schema):
        return _left_of_map(seen, before, schema) if is_named else _GONE
    if isinstance(seen, list) and isinstance(before, list) and _is_granular_list(schema):
        return _left_of_list(seen, before, schema) if is_named else _GONE
    return _GONE if seen == before or carries(seen, defaulted(before, schema), schema) else seen


def _left_of_map(seen: dict[str, Any], before: dict[str, Any], schema: Schema) -> Any:
    """Defaults stay as long as anything else does."""
    kept: dict[str, Any] = {}
    is_shared = False
    for key, theirs in seen.items():
        below = field_of(schema, key)
        value = theirs
        if key in before:
            value = _left_of(theirs, before[key], below, is_named=_is_named(schema, key))
            if value is _GONE:
                continue
        elif "default" in below and carries(theirs, defaulted(below["default"], below), below):
            kept[key] = value
            continue
        is_shared = True
        kept[key] = value
    return kept if is_shared else _GONE


def _left_of_list(seen: list[Any], before: list[Any], schema: Schema) -> Any:
    seen_keys, former = _keys(seen, schema), _keys(before, schema)
    if seen_keys is None or former is None:
        return _GONE if carries(seen, before, schema) else seen
    known = set(former)
    return [item for key, item in zip(seen_keys, seen, strict=True) if key not in known] or _GONE
