"""
What an API server asks of the schemas in a CustomResourceDefinition before it takes them: that they are *structural*.

Enters: one `openAPIV3Schema` as plain JSON.  Leaves: every rule that it breaks, with the path.  Not known here: CRDs.
Imported when the schema of a CRD is first asked for.

Source: Kubernetes v1.35.0 apiextensions-apiserver pkg/apiserver/schema/{validation,complete,convert}.go and
pkg/apis/apiextensions/validation/validation.go.  Differs: defaults, patterns and x-kubernetes-validations are not judged.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    Schema: TypeAlias = dict[str, Any]
    Path: TypeAlias = tuple[str | int, ...]

MAX_SCHEMAS = 100_000
"""More than fit into the 1.5 MiB that an API server takes."""
MAX_BROKEN = 20

_ROOT, _ITEM, _FIELD = "root", "items", "field"
_INT_OR_STRING, _EMBEDDED = "x-kubernetes-int-or-string", "x-kubernetes-embedded-resource"
_PRESERVE = "x-kubernetes-preserve-unknown-fields"
_LIST_TYPE, _LIST_KEYS, _MAP_TYPE = "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type"
_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_EITHER = [{"type": "integer"}, {"type": "string"}]
_LOGIC = ("allOf", "anyOf", "oneOf")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_list_of(kind: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(isinstance(item, kind) for item in value)


_FORMS: dict[str, tuple[Callable[[Any], bool], tuple[str, ...]]] = {
    "a string": (
        lambda value: isinstance(value, str),
        ("type", "format", "pattern", "title", "description", _LIST_TYPE, _MAP_TYPE),
    ),
    "true or false": (
        lambda value: isinstance(value, bool),
        ("nullable", "exclusiveMinimum", "exclusiveMaximum", "uniqueItems", _INT_OR_STRING, _EMBEDDED, _PRESERVE),
    ),
    "a number": (
        _is_number,
        (
            "minimum", "maximum", "multipleOf", "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties",
        ),
    ),
    "a schema": (lambda value: isinstance(value, dict), ("items", "not")),
    "a schema, true or false": (lambda value: isinstance(value, dict | bool), ("additionalProperties",)),
    "a mapping of schemas": (
        lambda value: isinstance(value, dict) and all(isinstance(field, dict) for field in value.values()),
        ("properties",),
    ),
    "a list of schemas": (_is_list_of(dict), _LOGIC),
    "a list of strings": (_is_list_of(str), ("required", _LIST_KEYS)),
    "a list": (lambda value: isinstance(value, list), ("enum", "x-kubernetes-validations")),
}  # fmt: skip
_FORM_OF = {keyword: (fits, wanted) for wanted, (fits, keywords) in _FORMS.items() for keyword in keywords}
KEYWORDS = frozenset(_FORM_OF) - {"title", "description"} | {"default"}
"""Everything that a schema can say to a machine."""
_UNSUPPORTED = ("$ref", "$schema", "id", "definitions", "dependencies", "patternProperties", "additionalItems")
_STRUCTURE_ONLY = (
    "type", "default", "title", "description", "nullable", "additionalProperties", _INT_OR_STRING, _EMBEDDED, _PRESERVE,
    _LIST_TYPE, _LIST_KEYS, _MAP_TYPE, "x-kubernetes-validations",
)  # fmt: skip

_NEVER_EMPTY = ("default", _LIST_TYPE, _MAP_TYPE)
"""What is said even where it says nothing."""


class BrokenRule:
    """One rule that a schema breaks. path: keys and indexes from its root."""

    __slots__ = ("message", "path")

    def __init__(self, path: Path, message: str) -> None:
        self.path = path
        self.message = message


def broken_rules(schema: Any) -> list[BrokenRule]:
    """All rules that a schema breaks, the first 20 of them; none where an API server would take it."""
    search = _Search()
    try:
        if not isinstance(schema, dict):
            search.say((), "the schema is no mapping")
        elif search.structural(schema, _ROOT, ()):
            search.complete(schema, schema, (), nested=False)
    except _Enough:
        pass
    return search.broken


class _Enough(Exception):  # noqa: N818 - no error: the search ends early
    pass


class _Search:
    def __init__(self) -> None:
        self.broken: list[BrokenRule] = []
        self.schemas = 0

    def say(self, path: Path, message: str) -> None:
        self.broken.append(BrokenRule(path, message))
        if len(self.broken) >= MAX_BROKEN:
            raise _Enough

    def _has_form(self, schema: Schema, path: Path) -> bool:
        """Whether every keyword has the form that it is read in, so that nothing below trips over another one."""
        self.schemas += 1
        if self.schemas > MAX_SCHEMAS:
            self.broken.clear()
            self.say((), f"more than {MAX_SCHEMAS:,} schemas are in this one")
            raise _Enough
        sound = True
        for keyword, value in schema.items():
            form = _FORM_OF.get(keyword)
            if keyword in _UNSUPPORTED and value:
                self.say((*path, keyword), f"{keyword} is not supported in a CRD")
            elif form is not None and value is not None and not form[0](value):
                self.say((*path, keyword), f"{keyword} is not {form[1]}")
                sound = False
        if schema.get("uniqueItems") is True:
            self.say((*path, "uniqueItems"), "uniqueItems is not supported in a CRD: use x-kubernetes-list-type: set")
        return sound

    def structural(self, schema: Schema, level: str, path: Path) -> bool:
        """Check one schema of the structure and everything below it. Returns whether all of it can be read."""
        if not self._has_form(schema, path):
            return False
        kind, embedded = schema.get("type") or "", schema.get(_EMBEDDED) is True
        properties, values = schema.get("properties") or {}, schema.get("additionalProperties")
        if kind and kind not in _TYPES:
            self.say((*path, "type"), f"type {kind[:80]!r} is none of {', '.join(_TYPES)}")
        elif level == _ROOT and kind and kind != "object":
            self.say((*path, "type"), "type must be object at the root")
        elif embedded and kind != "object":
            self.say((*path, "type"), f"type must be object beside {_EMBEDDED}")
        elif not kind and schema.get(_INT_OR_STRING) is not True and schema.get(_PRESERVE) is not True:
            self.say(path, f"type is missing, at the {level}" if level == _ROOT else "type is missing")
        if kind == "array" and schema.get("items") is None:
            self.say(path, "items are missing: a list must say what it holds")
        self._check_values(level, properties, values, path, embedded=embedded)
        self._check_marks(schema, properties, level, path, embedded=embedded)
        self._check_list(schema, kind, path)
        if level == _ROOT or embedded:
            self._check_metadata(properties, level, path)
        sound = True
        for name, field in properties.items():
            sound = self.structural(field, _FIELD, (*path, "properties", name)) and sound
        for key, below, its_level in (("items", schema.get("items"), _ITEM), ("additionalProperties", values, _FIELD)):
            if isinstance(below, dict):
                sound = self.structural(below, its_level, (*path, key)) and sound
        return self._check_logic(schema, path, structure=True) and sound

    def _check_values(self, level: str, properties: Schema, values: Any, path: Path, *, embedded: bool) -> None:
        if values is None:
            return
        here = (*path, "additionalProperties")
        if level == _ROOT:
            self.say(here, "additionalProperties must not be used at the root")
        elif embedded:
            self.say(here, f"additionalProperties must not be used beside {_EMBEDDED}")
        elif properties and values is not True:
            self.say(here, "additionalProperties must not be used beside properties")

    def _check_marks(self, schema: Schema, properties: Schema, level: str, path: Path, *, embedded: bool) -> None:
        for mark in (_PRESERVE, _EMBEDDED):
            if schema.get(_INT_OR_STRING) is True and schema.get(mark) is True:
                self.say((*path, mark), f"{mark} must not be used beside {_INT_OR_STRING}")
        if schema.get(_PRESERVE) is False:
            self.say((*path, _PRESERVE), f"{_PRESERVE} must be true or left out")
        if embedded and schema.get(_PRESERVE) is not True and not properties:
            self.say(path, f"properties are missing: {_EMBEDDED} needs them, or {_PRESERVE}")
        if level == _ROOT and schema.get("nullable") is True:
            self.say((*path, "nullable"), "nullable must not be used at the root")
        merged = schema.get(_MAP_TYPE)
        if merged is not None and (schema.get("type") != "object" or merged not in ("atomic", "granular")):
            self.say((*path, _MAP_TYPE), f"{_MAP_TYPE} is atomic or granular, and for objects")

    def _check_list(self, schema: Schema, kind: str, path: Path) -> None:
        order, keys = schema.get(_LIST_TYPE), schema.get(_LIST_KEYS) or []
        if keys and order != "map":
            self.say((*path, _LIST_KEYS), f"{_LIST_KEYS} is for {_LIST_TYPE}: map")
        if order is None:
            return
        here = (*path, _LIST_TYPE)
        items = schema.get("items") or {}
        if kind != "array" or order not in ("atomic", "set", "map"):
            self.say(here, f"{_LIST_TYPE} is atomic, set or map, and for lists")
        elif order == "set":
            if items.get("type") == "array" and items.get(_LIST_TYPE) not in (None, "atomic"):
                self.say(here, "lists in a set must be atomic")
            if items.get("type") == "object" and items.get(_MAP_TYPE) != "atomic":
                self.say(here, f"objects in a set must be atomic: {_MAP_TYPE}: atomic")
        elif order == "map":
            self._check_keys(keys, items, path)
        if order in ("set", "map") and items.get("nullable") is True:
            self.say(here, f"items of a {order} must not be nullable")

    def _check_keys(self, keys: list[str], items: Schema, path: Path) -> None:
        here = (*path, _LIST_KEYS)
        fields = items.get("properties")
        if not keys:
            self.say(path, f"{_LIST_KEYS} is missing: {_LIST_TYPE}: map needs it")
        elif items.get("type") != "object":
            self.say((*path, "items"), f"items must be objects beside {_LIST_TYPE}: map")
        elif len(set(keys)) < len(keys):
            self.say(here, f"{_LIST_KEYS} names a field twice")
        else:
            for i, key in enumerate(keys):
                field = fields.get(key) if isinstance(fields, dict) else None
                if not isinstance(field, dict):
                    self.say((*here, i), f"{key[:80]!r} is no field of the items")
                elif field.get("type") in ("array", "object"):
                    self.say((*here, i), f"{key[:80]!r} is no scalar, so it cannot be a key")
                elif field.get("default") is None and key not in (items.get("required") or ()):
                    self.say((*here, i), f"{key[:80]!r} is a key, so it must be required or have a default")
                elif field.get("nullable") is True:
                    self.say((*here, i), f"{key[:80]!r} is a key, so it must not be nullable")

    def _check_metadata(self, properties: Schema, level: str, path: Path) -> None:
        for name, kind in (("apiVersion", "string"), ("kind", "string"), ("metadata", "object")):
            field = properties.get(name)
            if field is not None and field.get("type") != kind:
                self.say((*path, "properties", name), f"type of {name} must be {kind}")
        metadata = properties.get("metadata") if level == _ROOT else None
        if metadata is not None:
            said = {key for key, value in metadata.items() if value not in (None, False, "") and key in _FORM_OF}
            said |= {"additionalProperties"} & metadata.keys()
            names = metadata.get("properties")
            if said - {"type", "properties"} or (
                isinstance(names, dict) and not names.keys() <= {"name", "generateName"}
            ):
                self.say((*path, "properties", "metadata"), "metadata may say something of name and generateName alone")

    # -- validations that are no structure

    def _check_logic(self, schema: Schema, path: Path, *, structure: bool = False) -> bool:
        """What stands below allOf, anyOf, oneOf and not. Beside *structure* the words for an int-or-string may be spelt out."""
        sound = True
        for keyword in _LOGIC:
            below = schema.get(keyword) or ()
            if keyword == "anyOf" and structure and below == _EITHER:
                continue
            for i, each in enumerate(below):
                free = keyword == "allOf" and structure and i == 0 and each.get("anyOf") == _EITHER
                sound = self._nested(each, (*path, keyword, i), free=free) and sound
        if schema.get("not") is not None:
            sound = self._nested(schema["not"], (*path, "not")) and sound
        return sound

    def _nested(self, schema: Schema, path: Path, *, free: bool = False) -> bool:
        """A schema below allOf, anyOf, oneOf or not. *free*: its `anyOf` is that of an int-or-string."""
        if not self._has_form(schema, path):
            return False
        for keyword in _STRUCTURE_ONLY:
            value = schema.get(keyword)
            if value or value == {} or (value is not None and keyword in _NEVER_EMPTY):
                self.say((*path, keyword), f"{keyword} must not be used below allOf, anyOf, oneOf or not")
        properties = schema.get("properties") or {}
        if "metadata" in properties:
            self.say((*path, "properties", "metadata"), "nothing may be said of metadata here")
        sound = True
        for name, field in properties.items():
            sound = self._nested(field, (*path, "properties", name)) and sound
        if schema.get("items") is not None:
            sound = self._nested(schema["items"], (*path, "items")) and sound
        return self._check_logic({**schema, "anyOf": None} if free else schema, path) and sound

    def complete(self, schema: Schema, own: Any, path: Path, *, nested: bool = True) -> None:
        """
        What is said below allOf, anyOf, oneOf or not must be of fields that the structure has.

        sic: the API server looks at the validations of the root alone, and follows them down.
        """
        if not isinstance(own, dict):
            self.say(path, "this is said of something that the schema does not declare")
            return
        if nested:
            fields = own.get("properties") or {}
            for name, field in (schema.get("properties") or {}).items():
                self.complete(field, fields.get(name), (*path, "properties", name))
            if schema.get("items") is not None:
                self.complete(schema["items"], own.get("items"), (*path, "items"))
        for keyword in _LOGIC:
            for i, below in enumerate(schema.get(keyword) or ()):
                self.complete(below, own, (*path, keyword, i))
        if schema.get("not") is not None:
            self.complete(schema["not"], own, (*path, "not"))
