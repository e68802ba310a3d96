"""
The schemas of the built-in kinds: one text file for each minor version of Kubernetes, read when a schema is first asked for.

Enters: a minor version, then apiVersion and kind.  Leaves: schemas as plain dicts without `$ref`; what several places refer to is
one dict, so nobody changes any.  Not known here: scopes (`schema.builtin_kinds` has them for every render), what is not built in.

A file is written by tests/schema/generate_pack.py from the OpenAPI documents that an API server serves. kro asks the API server for
them as well (its compiled-in definitions name one kind, autoscaling/v1 HorizontalPodAutoscaler, and there they are the same). Its
first paragraph leads from `apiVersion Kind` to a definition; every line of the second is one: name, tab, then fields as
`name type`, with tabs between them, `!` behind the name of a required field. A field without a name is the map type of the object itself.

    string  integer/int64  string(Never|Always)  string=TCP    scalars with format, enum, default
    [T]  [T]set  [T]map(name|port)  {T}  {T}atomic             lists and maps
    @core.v1.Container                                         another definition
    object  any                                                an object without fields; a schema without a type

What those have no words for:
* int-or-string has both forms of the mark, `format` (built-in kinds) and `x-kubernetes-int-or-string` (CRDs), which mean the same
  to Kubernetes' CEL;
* a quantity is `oneOf` string and number and has no type, so that expressions do not see such a field, as in kro, and a map of them
  holds anything;
* RawExtension and FieldsV1 are objects without fields, and closed: kro sees nothing in them.  JSON is `any`: it has no type;
* a circular reference is an object without fields, as apiserver's resolver has it (PopulateRefs);
* defaults that are zero values of Go are left out; real ones the API server fills in by code, all but those few that are here.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    Schema: TypeAlias = dict[str, Any]

_WITHOUT_WORDS: dict[str, Schema] = {
    "any": {},
    "int-or-string": {
        "format": "int-or-string",
        "oneOf": [{"type": "integer"}, {"type": "string"}],
        "x-kubernetes-int-or-string": True,
    },
    "quantity": {"oneOf": [{"type": "string"}, {"type": "number"}]},
}
_loaded: dict[int, Pack] = {}


def load(minor: int) -> Pack:
    """The pack of Kubernetes 1.*minor*, one of `schema.builtin_kinds.MINORS`."""
    pack = _loaded.get(minor)
    if pack is None:
        with open(f"{__file__.rpartition('/')[0]}/kubernetes-1.{minor}.txt", encoding="ascii") as file:
            pack = _loaded[minor] = Pack(file.read())
    return pack


class Pack:
    """The schemas of one version. A definition is made of its line when something first refers to it."""

    __slots__ = ("_kinds", "_lines", "_types")

    def __init__(self, text: str) -> None:
        kinds, _, definitions = text.partition("\n\n")
        self._kinds: dict[str, str] = {}
        for line in kinds.split("\n")[1:]:
            kind, _, name = line.rpartition(" ")
            self._kinds[kind] = name
        self._lines: dict[str, str] = {}
        for line in definitions.splitlines():
            name, _, fields = line.partition("\t")
            self._lines[name] = fields
        self._types = dict(_WITHOUT_WORDS)
        """What has been made, by how it is written."""

    def schema(self, api_version: str, kind: str) -> Schema | None:
        """The schema of a kind's objects; None for a kind that this version does not serve."""
        name = self._kinds.get(f"{api_version} {kind}")
        return None if name is None else self._type(f"@{name}")

    def _type(self, text: str) -> Schema:
        made = self._types.get(text)
        if made is None:
            make = _MAKERS.get(text[0], Pack._scalar)
            made = self._types[text] = make(self, text[1:] if text[0] in _MAKERS else text)
        return made

    def _object(self, name: str) -> Schema:
        properties: dict[str, Schema] = {}
        schema: Schema = {"type": "object", "properties": properties}
        required = []
        known = self._types
        for field in self._lines.pop(name).split("\t"):
            name, _, text = field.partition(" ")
            if name[-1:] == "!":
                name = name[:-1]
                required.append(name)
            made = known.get(text)
            if name:
                properties[name] = self._type(text) if made is None else made
            else:
                schema["x-kubernetes-map-type"] = text
        if required:
            schema["required"] = required
        return schema

    def _list(self, text: str) -> Schema:
        items, _, order = text.rpartition("]")
        schema: Schema = {"type": "array", "items": self._type(items)}
        order, _, keys = order.partition("(")
        if order:
            schema["x-kubernetes-list-type"] = order
        if keys:
            schema["x-kubernetes-list-map-keys"] = keys[:-1].split("|")
        return schema

    def _map(self, text: str) -> Schema:
        values, _, merged = text.rpartition("}")
        schema: Schema = {"type": "object", "additionalProperties": self._type(values)}
        if merged:
            schema["x-kubernetes-map-type"] = merged
        return schema

    def _scalar(self, text: str) -> Schema:
        text, _, default = text.partition("=")
        text, _, words = text.partition("(")
        kind, _, form = text.partition("/")
        schema: Schema = {"type": kind}
        if form:
            schema["format"] = form
        if words:
            schema["enum"] = words[:-1].split("|")
        if default:
            schema["default"] = int(default) if kind == "integer" else default
        return schema


_MAKERS = {"@": Pack._object, "[": Pack._list, "{": Pack._map}  # noqa: SLF001
