"""
What a cluster may hold of an object that was applied, and of one that was not: any number of answers, by chance.

Enters: desired objects, schemas, literals that expressions compare with, a source of chance.  Leaves: objects as a server may
store them.  Not known here: expressions, nodes, what is made of it all.

What the desired state sets stays: the applier owns it. Defaults, admission, controllers and other managers may add fields where there
is none, and items to lists that are merged. Keys of their own in the applier's maps are a case by themselves (`Chance.intrudes`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from random import Random

Json = dict[str, Any]

_DEPTH = 6
_TOP = ("metadata", "apiVersion", "kind")
_SERVER = {
    "uid": "uid-{}",
    "resourceVersion": "{}",
    "generation": None,
    "creationTimestamp": "{year}-01-01T00:00:{:02d}Z",
}
_FORMATS = {
    "date-time": ("2025-01-01T00:00:00Z", "2024-02-29T12:00:00Z"),
    "byte": ("YQ==", "c2VlbjogeA=="),
    "date": ("2025-01-01", "2024-02-29"),
    "duration": ("1h0m0s", "3s"),
    "quantity": ("1", "500m"),
}
_TEXTS = ("", "a", "seen-by-others", "10.0.0.7")


_TEXT: Json = {"type": "string"}
METADATA: Json = {
    "properties": {
        "labels": {"type": "object", "additionalProperties": _TEXT},
        "annotations": {"type": "object", "additionalProperties": _TEXT},
        "generation": {"type": "integer"},
        "creationTimestamp": {"type": "string", "format": "date-time"},
        "deletionTimestamp": {"type": "string", "format": "date-time"},
    },
    "additionalProperties": _TEXT,
}
"""What an expression may ask for of any object."""


class Chance:
    """
    How much is there, and what: *density* 0 adds nothing but what every server does, 1 all that it may.

    intrudes: whether others also add keys to the maps that the applier set: to labels, annotations, data, selectors.
    """

    def __init__(self, random: Random, density: float, literals: list[Any], *, intrudes: bool = False) -> None:
        self.random = random
        self.intrudes = intrudes
        self.density = density
        self.texts = [*_TEXTS, *(value for value in literals if isinstance(value, str))]
        self.numbers = [0, 1, 2, 7, *(value for value in literals if type(value) is int)]
        self.literals = [*literals, True, False, 3, "seen"]

    def happens(self) -> bool:
        return self.random.random() < self.density

    def one_of(self, values: Any) -> Any:
        return self.random.choice(list(values))


def stored(desired: Json, schema: Json | None, asked: Json | None, chance: Chance) -> Json:
    """*desired* as a server may store it. *asked*: fields that expressions look at, for kinds that have no schema."""
    body = {key: value for key, value in desired.items() if key not in _TOP}
    properties = (schema or {}).get("properties") or {}
    own = {key: value for key, value in properties.items() if key not in _TOP}
    if own or schema is not None:
        body = _more({**(schema or {}), "properties": own}, body, chance, 0)
    elif asked is not None:
        body = _asked_for({key: below for key, below in asked.items() if key not in _TOP}, body, chance)
    number = chance.random.randrange(1, 60)
    metadata = dict(desired["metadata"])
    for field, form in _SERVER.items():
        metadata[field] = number if form is None else form.format(number, year=chance.one_of((1999, 2024, 2025)))
    wanted = {
        k: v for k, v in (asked or {}).get("metadata", {}).items() if k not in ("name", "namespace", "generateName")
    }
    for field in ("labels", "annotations"):
        if field in wanted and field not in metadata and chance.happens():
            metadata[field] = {"by": "somebody"}
    wanted = {key: below for key, below in wanted.items() if key not in (*metadata, "labels", "annotations")}
    metadata = _asked_for(wanted, metadata, chance)
    if chance.happens():
        metadata["finalizers"] = [*(metadata.get("finalizers") or ()), "others.dev/own"]
    if chance.intrudes:
        for field in ("labels", "annotations"):
            metadata[field] = {**(metadata.get(field) or {}), "others.dev/own": "theirs"}
    return {"apiVersion": desired["apiVersion"], "kind": desired["kind"], "metadata": metadata, **body}


def _more(schema: Json, value: Any, chance: Chance, depth: int) -> Any:
    """*value* with what a server or somebody else may add under *schema*."""
    if isinstance(value, dict):
        made = {key: _more(_child(schema, key), child, chance, depth + 1) for key, child in value.items()}
        for key, child in (schema.get("properties") or {}).items():
            if key not in made and depth < _DEPTH and chance.happens():
                made[key] = any_value(child, chance, depth + 1)
        extra = schema.get("additionalProperties")
        if isinstance(extra, dict) and chance.intrudes and chance.happens():
            made.update({f"more{i}": any_value(extra, chance, depth + 1) for i in range(chance.random.randrange(3))})
        return made
    if isinstance(value, list):
        items = schema.get("items") or {}
        found = [_more(items, child, chance, depth + 1) for child in value]
        if schema.get("x-kubernetes-list-type") == "map" and chance.happens():
            found.append(_keyed(schema, any_value(items, chance, depth + 1), chance))
        if schema.get("x-kubernetes-list-type") == "set" and chance.happens():
            found += [item for item in [any_value(items, chance, depth + 1)] if item not in found]
        return found
    return value


def _keyed(schema: Json, item: Any, chance: Chance) -> Any:
    """An item of somebody else's: its keys are like no other's."""
    properties = (schema.get("items") or {}).get("properties") or {}
    keys = {
        key: 40_000 + chance.random.randrange(9_999)
        if (properties.get(key) or {}).get("type") == "integer"
        else f"own-{key}"
        for key in schema.get("x-kubernetes-list-map-keys") or ()
    }
    return {**item, **keys} if isinstance(item, dict) else item


def _child(schema: Json, key: str) -> Json:
    found = (schema.get("properties") or {}).get(key)
    if found is None:
        extra = schema.get("additionalProperties")
        found = extra if isinstance(extra, dict) else {}
    return found if isinstance(found, dict) else {}


def any_value(schema: Json, chance: Chance, depth: int = 0) -> Any:
    """Any value that *schema* allows, more or less: enough for expressions to read it."""
    if schema.get("enum"):
        return chance.one_of(schema["enum"])
    if schema.get("x-kubernetes-int-or-string"):
        return chance.one_of([80, "http", "50%"])
    kind = schema.get("type")
    if kind == "object" or "properties" in schema:
        made = {
            key: any_value(child, chance, depth + 1)
            for key, child in (schema.get("properties") or {}).items()
            if depth < _DEPTH and (key in (schema.get("required") or ()) or chance.happens())
        }
        extra = schema.get("additionalProperties")
        if isinstance(extra, dict) and depth < _DEPTH:
            made.update(
                {
                    chance.one_of(chance.texts[1:]): any_value(extra, chance, depth + 1)
                    for _ in range(2)
                    if chance.happens()
                }
            )
        if not made and schema.get("x-kubernetes-preserve-unknown-fields"):
            made = {"any": chance.one_of(chance.literals)}
        return made
    if kind == "array":
        size = chance.random.randrange(5) if chance.happens() else 0
        return [any_value(schema.get("items") or {}, chance, depth + 1) for _ in range(size)]
    if kind == "string":
        return chance.one_of(_FORMATS.get(schema.get("format", ""), chance.texts))
    if kind == "integer":
        return chance.one_of(chance.numbers)
    if kind == "number":
        return chance.one_of([0.5, 2.0, 1.25])
    if kind == "boolean":
        return chance.one_of([True, False])
    return chance.one_of(chance.literals)


def _asked_for(asked: Json, value: Json, chance: Chance) -> Json:
    """*value* with some of the fields that are *asked* for, of a kind that nobody knows."""
    made = dict(value)
    for key, below in asked.items():
        if key in made:
            if isinstance(made[key], dict) and below:
                made[key] = _asked_for(below, made[key], chance)
            elif isinstance(made[key], dict) and chance.intrudes:
                made[key] = {**made[key], "others": _free(chance)}
        elif chance.happens():
            made[key] = _asked_for(below, {}, chance) if below else _free(chance)
    return made


def _free(chance: Chance) -> Any:
    plain = chance.one_of(chance.literals)
    return chance.one_of([plain, plain, [plain], {"any": plain}, [{"name": "a", "value": plain}], []])
