"""Mutations of SimpleSchema: types, markers, fields."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tests.mutation.edits import Edit
from tests.mutation.kinds import misspelt, mutation
from tests.mutation.places import SCHEMA, get, spec_fields

if TYPE_CHECKING:
    from collections.abc import Iterator

_BASE = re.compile(r"^((?:\[\]|map\[\w*\])*)(\w+)")
_OTHER_TYPES = {
    "string": ("integer", "boolean", "object", "[]string", "map[string]string", "float"),
    "integer": ("string", "boolean", "float"),
    "boolean": ("string", "integer"),
    "float": ("string", "integer"),
    "object": ("string", "map[string]string"),
}


@mutation
def type_misspelt(rgd: dict[str, Any]) -> Iterator[Edit]:
    for path, text in spec_fields(rgd):
        if match := _BASE.match(text):
            word = match.group(2)
            for new in (misspelt(word), word.capitalize(), word[:3], word + "s"):
                yield Edit("type-misspelt", path, "text", [match.start(2), len(word), new])


@mutation
def type_changed(rgd: dict[str, Any]) -> Iterator[Edit]:
    for path, text in spec_fields(rgd):
        if match := _BASE.match(text):
            for new in _OTHER_TYPES.get(match.group(2), ("string",)):
                yield Edit("type-changed", path, "text", [match.start(2), len(match.group(2)), new])


@mutation
def collection_syntax(rgd: dict[str, Any]) -> Iterator[Edit]:
    kind = "collection-syntax"
    for path, text in spec_fields(rgd):
        if match := _BASE.match(text):
            for new in ("[]", "map[string]", "[", "[2]", "map[integer]", "map[]", "[][]", "map[string][]"):
                yield Edit(kind, path, "text", [0, 0, new])
            if match.group(1):
                yield Edit(kind, path, "text", [0, len(match.group(1)), ""])
                yield Edit(kind, path, "text", [0, len(text), match.group(1)])


@mutation
def marker_misspelt(rgd: dict[str, Any]) -> Iterator[Edit]:
    for path, text in spec_fields(rgd):
        for match in re.finditer(r"[|\s](\w+)=", text):
            yield Edit("marker-misspelt", path, "text", [match.start(1), len(match.group(1)), misspelt(match.group(1))])
            yield Edit("marker-misspelt", path, "text", [match.end(1), 1, ""])
            yield Edit("marker-misspelt", path, "text", [match.end(1), 1, ":"])
        for match in re.finditer(r"\|", text):
            yield Edit("marker-misspelt", path, "text", [match.start(), 1, ""])


@mutation
def marker_value(rgd: dict[str, Any]) -> Iterator[Edit]:
    for path, text in spec_fields(rgd):
        for match in re.finditer(r"[|\s]\w+=(\"[^\"]*\"|\S+)", text):
            for new in ("maybe", "7", "true", '""', "[1]", "{}", "-1", "1.5", '"x', "", "null"):
                yield Edit("marker-value", path, "text", [match.start(1), len(match.group(1)), new])


_MARKERS = (
    "required=true", "required=yes", "required=false default=1", "default=text", 'default="text"', "default=5", "default=true",
    "default=1.5", "default={}", "default=[]", 'default=["a"]', "minimum=1", "minimum=x", "maximum=1.5", "minLength=2",
    "minLength=-1", "maxLength=x", 'pattern="^a+$"', 'pattern="["', 'enum="a,b"', 'enum="a,,b"', "enum=", 'enum="1,2"',
    'enum="a,a"', "immutable=true", "immutable=1", "uniqueItems=true", "minItems=1", "maxItems=x", 'validation="self == self"',
    'validation="self.nothing"', 'validation="self +"', 'validation="size(self) > 0"', 'validation="true"', 'description="x"',
    "description=x", "title=x", "nullable=true", "Required=true", 'format="date"', "minLength=5 maxLength=2",
    "minimum=5 maximum=2", "minimum=1 minimum=2", "required=true required=true",
)  # fmt: skip


@mutation
def marker_added(rgd: dict[str, Any]) -> Iterator[Edit]:
    for path, text in spec_fields(rgd):
        before = " " if "|" in text else " | "
        for marker in _MARKERS:
            yield Edit("marker-added", path, "text", [len(text), 0, before + marker])


_RULES = (
    "self == self", "self.nothing", "self.nothing == 1", "size(self) > 0", "self > 0", "self > 0.5", "self >= 0 && self <= 10", "self != ''",
    "self.startsWith('a')", "self.matches('^a')", "self.matches('[')", "self.all(x, x != '')", "self.exists(x, x == 1)", "!self", "self", "true",
    "1", "'a'", "{}", "[]", "self == oldSelf", "oldSelf == 1", "has(self.a)", "has(self)", "self in ['a', 'b']", "self in [1, 2]", "self in [1, 'a']",
    "self[0] == 'a'", "self['a'] == 'b'", "self.size() == 1", "self == null", "type(self) == string", "type(self) == int", "string(self) == '1'",
    "int(self) == 1", "dyn(self) == 1", "self.orValue(1) == 1", "optional.of(self).hasValue()", "self.?a.hasValue()", "self.map(x, x).size() > 0",
    "self.filter(x, true) == self", "self + 'a' == 'b'", "self + 1 == 2", "duration(self) > duration('1s')", "isURL(self)", "url(self).getHost() == 'a'",
    "quantity(self).isGreaterThan(quantity('1'))", "isQuantity(self)", "self.find('a') == 'a'", "self.split(',').size() == 2", "self.lowerAscii() == 'a'",
    "self.all(x, self.all(y, x == y))", "self.all(x, self.exists_one(y, x == y))", "self.isSorted()", "self.sum() > 1", "sets.contains(self, [])",
    "lists.range(2).size() == 2", "math.greatest(1, 2) == 2", "base64.encode(b'a') == ''", "ip(self).family() == 4", "semver(self).major() == 1",
    "cel.bind(a, self, a == a)", "self.transformList(i, x, x).size() == 1", "self.nothing()", "nothing(self)", "schema.spec == 1", "x == 1", "self +",
    "self = 1", "(self", "", " ", "self; 1", "self ? true : false", "self ? 1 : 2", "format.dns1123Label().validate(self).hasValue()", "self == 1 || self == 'a'",
    "self == 1u", "self == 1.0", "self == b'a'", "self == timestamp('2024-01-01T00:00:00Z')", "[self, 1] == []", "{self: 1} == {}", "{'a': self} == {}",
)  # fmt: skip


@mutation
def rule_added(rgd: dict[str, Any]) -> Iterator[Edit]:
    for path, text in spec_fields(rgd):
        before = " " if "|" in text else " | "
        for rule in _RULES:
            yield Edit("rule-added", path, "text", [len(text), 0, f'{before}validation="{rule}"'])


_DEFAULTS = (
    "x", '"x"', "5", "-5", "5.0", "1e3", "true", "True", "null", "{}", "[]", "[1]", '["a"]', '[""]', "[null]", '{"a":"b"}', '{"a":1}', '{"a":null}',
    "'x'", '"a b"', '"1"', "0", "-0", "00", "+1", ".5", "NaN", "1_000", "9223372036854775808", '""', "", '"\\\\n"', "{", '{"a"}', "[[]]", "[{}]", "é",
)  # fmt: skip


@mutation
def default_added(rgd: dict[str, Any]) -> Iterator[Edit]:
    for path, text in spec_fields(rgd):
        before = " " if "|" in text else " | "
        for default in _DEFAULTS:
            yield Edit("default-added", path, "text", [len(text), 0, f"{before}default={default}"])


@mutation
def markers_added(rgd: dict[str, Any]) -> Iterator[Edit]:
    """Two at once, which may contradict each other."""
    more = (
        "listType=set",
        "listType=map",
        "listType=atomic",
        "listType=x",
        "listMapKey=name",
        "listType=map listMapKey=name",
        "listType=map listMapKey=a",
    )
    for path, text in spec_fields(rgd):
        before = " " if "|" in text else " | "
        for one in (*more, *_MARKERS[::3]):
            for other in (*more, *_MARKERS[1::3]):
                yield Edit("markers-added", path, "text", [len(text), 0, f"{before}{one} {other}"])


@mutation
def spec_field_renamed(rgd: dict[str, Any]) -> Iterator[Edit]:
    for path, _ in spec_fields(rgd):
        name = str(path[-1])
        for new in (misspelt(name), name + "-x", name.upper(), "__" + name):
            yield Edit("spec-field-renamed", path, "rename", new)
        if len(path) > 4:
            yield Edit("spec-field-renamed", path[:-1], "rename", misspelt(str(path[-2])))


@mutation
def spec_field_gone(rgd: dict[str, Any]) -> Iterator[Edit]:
    for path, _ in spec_fields(rgd):
        yield Edit("spec-field-gone", path, "delete")
        if len(path) > 4:
            yield Edit("spec-field-gone", path[:-1], "delete")


@mutation
def spec_field_no_text(rgd: dict[str, Any]) -> Iterator[Edit]:
    values: tuple[Any, ...] = (
        1,
        1.5,
        True,
        None,
        [],
        ["string"],
        {},
        {"inner": "string"},
        {"inner": 1},
        "",
        " ",
        "a b",
    )
    for path, _ in spec_fields(rgd):
        for value in values:
            yield Edit("spec-field-no-text", path, "set", value)


@mutation
def spec_field_added(_rgd: dict[str, Any]) -> Iterator[Edit]:
    fields: dict[str, Any] = {
        "plain": "string", "with-dash": "string", "a.b": "integer", "": "string", "$ref": "string", "in": "string",
        "kind": "string", "nested": {"a": {"b": "integer | default=1"}}, "listed": "[]map[string]integer", "own": "Own",
        "apiVersion": "string", "metadata": "object", "namespace": "string", "ünï": "string", "x y": "string",
    }  # fmt: skip
    for name, value in fields.items():
        yield Edit("spec-field-added", (*SCHEMA, "spec", name), "set", value)


@mutation
def type_added(rgd: dict[str, Any]) -> Iterator[Edit]:
    """A type that nothing needs, or that cannot be."""
    types = get(rgd, (*SCHEMA, "types"))
    fields: dict[str, Any] = {
        "Spare": {"a": "string"}, "Loop": {"a": "Loop"}, "Wrong": {"a": "strng"}, "Text": "string", "Empty": {}, "string": {"a": "integer"},
        "One": {"a": 1},
    }  # fmt: skip
    for name, value in fields.items():
        place = (*SCHEMA, "types", name) if isinstance(types, dict) else (*SCHEMA, "types")
        yield Edit("type-added", place, "set", value if isinstance(types, dict) else {name: value})
