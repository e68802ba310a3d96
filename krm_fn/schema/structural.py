"""
What the API server does with a value under a structural schema: default, prune, validate; compiled once to closures.

Enters: an OpenAPI v3 schema as SimpleSchema makes it (`schema.simple_schema`).  Leaves: a check, `check(value, path,
found)`, which returns the admitted value and adds what is wrong to `found`.  Called by `admit` for instances and by
`schema.refusals` for the defaults of a generated CRD.  Not known here: instances, metadata, CRDs.

How it works. `compile_value` walks the schema once and makes one closure a node. An object's closure loops over the
value's items, not over the schema, and holds for each property `(kind, passes, check)`: an item whose exact Python
type is `kind` and for which `passes` is None or true is done, without a call; everything else goes to `check`, which
converts or complains. A value is copied only when something in it changes; admitted defaults are made once and shared
between instances, so nobody may change an admitted value in place.

The vocabulary is that of SimpleSchema: type, properties, required, additionalProperties (a schema), items, default,
enum, minimum, maximum, minLength, maxLength, pattern, minItems, maxItems, nullable,
x-kubernetes-preserve-unknown-fields, x-kubernetes-list-type, x-kubernetes-list-map-keys, x-kubernetes-validations.
Another keyword is a bug of ours and raises ValueError.

Source: Kubernetes v1.35.0, apiextensions-apiserver pkg/apiserver/schema/{defaulting,pruning,listtype} and
        pkg/apiserver/validation.
"""

from __future__ import annotations

from krm_fn.report.diagnostic import ERROR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    Schema: TypeAlias = dict[str, Any]
    Path: TypeAlias = tuple[str | int, ...]
    Check: TypeAlias = Callable[[Any, Path, "Found"], Any]
    Test: TypeAlias = Callable[[Any], bool]
    Entry: TypeAlias = tuple[type | None, Test | None, Check]

_ANNOTATIONS = {"type", "description", "default", "nullable", "x-kubernetes-validations"}
_SCALARS: dict[str, tuple[type, set[str]]] = {
    "string": (str, {"enum", "minLength", "maxLength", "pattern", "minimum", "maximum"}),
    "integer": (int, {"enum", "minimum", "maximum"}),
    "number": (float, {"enum", "minimum", "maximum"}),
    "boolean": (bool, {"enum", "minimum", "maximum"}),
}
_OBJECT = {
    "properties",
    "required",
    "additionalProperties",
    "x-kubernetes-preserve-unknown-fields",
    "minimum",
    "maximum",
}
_ARRAY = {
    "items",
    "minItems",
    "maxItems",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "minimum",
    "maximum",
}
_LARGEST_WHOLE = 2**53 - 1
"""The largest magnitude at which the API server takes a whole float for an integer."""


class Violation:
    """
    One thing wrong with a value, in one line that begins with the culprit.

    path: keys and indexes from where the check began.  code: stable.
    severity: `error` refuses the value; `warning` is what the API server would drop without a word.
    """

    __slots__ = ("code", "help", "message", "path", "severity")

    def __init__(self, code: str, path: Path, message: str, help: str = "", severity: str = ERROR) -> None:  # noqa: A002
        self.code = code
        self.path = path
        self.message = message
        self.help = help
        self.severity = severity

    def __repr__(self) -> str:
        return f"<{self.severity}[{self.code}]: {self.message}>"


class Found:
    """What a check found: errors and warnings, in the order of the value."""

    __slots__ = ("errors", "warnings")

    def __init__(self) -> None:
        self.errors: list[Violation] = []
        self.warnings: list[Violation] = []

    def error(self, code: str, path: Path, message: str, help: str = "") -> None:  # noqa: A002
        """Note an error."""
        self.errors.append(Violation(code, path, message, help))


def compile_value(schema: Schema, *, as_written: bool = False) -> Check:
    """
    Make the check of one schema.

    Shape:   *as_written* judges the value as it stands, as the API server does with the defaults of a CRD: nothing is
             defaulted, a null is a wrong type, an unknown field is an error.
    Errors:  ValueError for a keyword that SimpleSchema never makes.
    """
    return _entry(schema, as_written)[2]


def _entry(schema: Schema, as_written: bool) -> Entry:
    kind = schema["type"]
    known = _OBJECT if kind == "object" else _ARRAY if kind == "array" else _SCALARS[kind][1]
    surplus = schema.keys() - known - _ANNOTATIONS
    if surplus:
        raise ValueError(f"{min(surplus)} of a {kind} is not checked here")
    entry: Entry
    if kind == "object":
        entry = (None, None, _object(schema, as_written))
    elif kind == "array":
        entry = (None, None, _array(schema, as_written))
    else:
        entry = _scalar(schema)
    if not schema.get("x-kubernetes-validations"):
        return entry
    from krm_fn.schema.rules import with_rules

    return (None, None, with_rules(schema, entry[2]))


def _nulled(schema: Schema, as_written: bool) -> bool:
    """Whether a null under this schema counts as a missing field."""
    return not as_written and not schema.get("nullable")


# --- objects ---------------------------------------------------------------------------------------------------------


def _object(schema: Schema, as_written: bool) -> Check:
    properties: dict[str, Schema] = schema.get("properties", {})
    additional: Schema | None = schema.get("additionalProperties")
    if schema.get("x-kubernetes-preserve-unknown-fields") and not properties and additional is None:
        return _any_object
    if additional is not None:
        if properties:
            raise ValueError("properties beside additionalProperties is not checked here")
        return _map(additional, _nulled(additional, as_written), as_written)
    return _struct(schema, properties, as_written)


def _any_object(value: Any, path: Path, found: Found) -> Any:
    if not isinstance(value, dict):
        _wrong_type(value, path, found, "object")
    return value


def _struct(schema: Schema, properties: dict[str, Schema], as_written: bool) -> Check:
    fields = {name: _entry(sub, as_written) for name, sub in properties.items()}
    nulled = frozenset(name for name, sub in properties.items() if _nulled(sub, as_written))
    defaults = (
        []
        if as_written
        else [_Default(name, sub["default"], fields[name]) for name, sub in properties.items() if "default" in sub]
    )
    required = tuple(dict.fromkeys(schema.get("required", ())))
    keeps = bool(schema.get("x-kubernetes-preserve-unknown-fields"))
    lookup = fields.get
    size = len(fields)

    def check(value: Any, path: Path, found: Found) -> Any:
        if not isinstance(value, dict):
            return _wrong_type(value, path, found, "object")
        out = value
        for name, item in value.items():
            entry = lookup(name)
            if entry is None:
                if keeps:
                    continue
                if out is value:
                    out = dict(value)
                del out[name]
                _unknown_field(name, path, found, fields, as_written)
                continue
            kind, passes, check_item = entry
            if type(item) is kind and (passes is None or passes(item)):
                continue
            if item is None and name in nulled:
                if out is value:
                    out = dict(value)
                del out[name]
                continue
            new = check_item(item, (*path, name), found)
            if new is not item:
                if out is value:
                    out = dict(value)
                out[name] = new
        if len(out) < size:
            for default in defaults:
                if default.name not in out:
                    if out is value:
                        out = dict(value)
                    out[default.name] = default.admitted(path, found)
        for name in required:
            if name not in out:
                _missing_field(name, path, found, value)
        return out

    return check


class _Default:
    """One property's default, admitted once: what it holds is shared by all values that lack the property."""

    __slots__ = ("check", "name", "raw", "sound", "value")

    def __init__(self, name: str, raw: Any, entry: Entry) -> None:
        self.name = name
        self.raw = raw
        self.check = entry[2]
        found = Found()
        self.value = self.check(raw, (name,), found)
        self.sound = not found.errors and not found.warnings

    def admitted(self, path: Path, found: Found) -> Any:
        return self.value if self.sound else self.check(self.raw, (*path, self.name), found)


def _map(items: Schema, nulled: bool, as_written: bool) -> Check:
    kind, passes, check_item = _entry(items, as_written)
    default = _Default("", items["default"], (kind, passes, check_item)) if "default" in items else None

    def check(value: Any, path: Path, found: Found) -> Any:
        if not isinstance(value, dict):
            return _wrong_type(value, path, found, "object")
        out = value
        for name, item in value.items():
            if type(item) is kind and (passes is None or passes(item)):
                continue
            if item is None and nulled:
                if out is value:
                    out = dict(value)
                if default is None:
                    del out[name]
                else:
                    out[name] = default.check(default.raw, (*path, name), found)
                continue
            new = check_item(item, (*path, name), found)
            if new is not item:
                if out is value:
                    out = dict(value)
                out[name] = new
        return out

    return check


# --- lists -----------------------------------------------------------------------------------------------------------


def _array(schema: Schema, as_written: bool) -> Check:
    items: Schema = schema["items"]
    kind, passes, check_item = _entry(items, as_written)
    defaulted = "default" in items and _nulled(items, as_written)
    least: int = schema.get("minItems", 0)
    most: int | None = schema.get("maxItems")
    # sic: a default's list may repeat itself: the API server does not look
    keys: tuple[str, ...] = tuple(schema.get("x-kubernetes-list-map-keys", ()))
    distinct = schema.get("x-kubernetes-list-type") in {"set", "map"} and not as_written

    def check(value: Any, path: Path, found: Found) -> Any:
        if not isinstance(value, list):
            return _wrong_type(value, path, found, "array")
        out = value
        for index, item in enumerate(value):
            if type(item) is kind and (passes is None or passes(item)):
                continue
            element = items["default"] if item is None and defaulted else item
            new = check_item(element, (*path, index), found)
            if new is not item:
                if out is value:
                    out = list(value)
                out[index] = new
        if len(value) < least or (most is not None and len(value) > most):
            from krm_fn.schema.complaints import wrong_size

            wrong_size(len(value), least, most, path, found)
        if distinct:
            _refuse_repeats(out, keys, path, found)
        return out

    return check


def _refuse_repeats(value: list[Any], keys: tuple[str, ...], path: Path, found: Found) -> None:
    first: dict[Any, int] = {}
    for index, item in enumerate(value):
        if not keys:
            identity = _frozen(item)
        elif isinstance(item, dict):
            identity = tuple((key, _frozen(item[key])) for key in keys if key in item)
        else:
            continue  # its type is wrong, which was said
        if first.setdefault(identity, index) != index:
            from krm_fn.schema.complaints import repeated

            repeated(index, first[identity], item, keys, path, found)


def _frozen(value: Any) -> Any:
    """Give a hashable stand-in: equal exactly when the values are equal as JSON, with 1, 1.0 and true apart."""
    if isinstance(value, dict):
        return (dict, tuple(sorted((key, _frozen(item)) for key, item in value.items())))
    if isinstance(value, list):
        return (list, tuple(_frozen(item) for item in value))
    return (type(value), value)


# --- scalars ---------------------------------------------------------------------------------------------------------


def _scalar(schema: Schema) -> Entry:
    name: str = schema["type"]
    kind = _SCALARS[name][0]
    tests = _tests(schema, name)
    nullable = bool(schema.get("nullable"))
    convert = _CONVERSIONS[name]

    def check(value: Any, path: Path, found: Found) -> Any:
        if value is None and nullable:
            return value
        new = convert(value)
        if new is None:
            return _wrong_type(value, path, found, name)
        for holds, keyword in tests:
            if not holds(new):
                from krm_fn.schema.complaints import out_of_bounds

                out_of_bounds(keyword, schema[keyword], new, path, found)
        return new

    return (kind, _passes(name, tuple(test[0] for test in tests)), check)


def _passes(name: str, tests: tuple[Test, ...]) -> Test | None:
    """Give the one predicate that a value of the exact type must satisfy; None where the type is enough."""
    if name == "integer":
        tests = (_is_int64, *tests)
    elif name == "number":
        tests = (_is_finite, *tests)
    if len(tests) < 2:
        return tests[0] if tests else None

    def all_pass(value: Any) -> bool:
        for test in tests:  # noqa: SIM110 - a loop is half the price of a generator here
            if not test(value):
                return False
        return True

    return all_pass


def _is_int64(value: int) -> bool:
    return -0x8000000000000000 <= value <= 0x7FFFFFFFFFFFFFFF


def _is_finite(value: float) -> bool:
    return value - value == 0


def _to_integer(value: Any) -> int | None:
    """Take ints of 64 bits, and whole floats, which JSON cannot tell from them."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if _is_int64(value) else None
    if isinstance(value, float) and value.is_integer() and abs(value) <= _LARGEST_WHOLE:
        return int(value)
    return None


def _to_number(value: Any) -> float | None:
    """Make a number a double: `3` in a `float` field is 3.0 to every expression, as kro's typed values have it."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if _is_finite(number) else None


def _to_string(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _to_boolean(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


_CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "integer": _to_integer,
    "number": _to_number,
    "string": _to_string,
    "boolean": _to_boolean,
}


def _tests(schema: Schema, name: str) -> list[tuple[Test, str]]:
    """List a scalar's tests: what must hold, and the keyword that says so."""
    tests: list[tuple[Test, str]] = []
    if "enum" in schema:
        tests.append((frozenset(schema["enum"]).__contains__, "enum"))
    if name in {"integer", "number"}:
        if "minimum" in schema:
            tests.append((_bounded(_at_least, schema["minimum"]), "minimum"))
        if "maximum" in schema:
            tests.append((_bounded(_at_most, schema["maximum"]), "maximum"))
    elif name == "string":
        if "minLength" in schema:
            tests.append((_measured(_at_least(schema["minLength"])), "minLength"))
        if "maxLength" in schema:
            tests.append((_measured(_at_most(schema["maxLength"])), "maxLength"))
        if "pattern" in schema:
            tests.append((_matches(schema["pattern"]), "pattern"))
    return tests


def _measured(test: Test) -> Test:
    return lambda text: test(len(text))


def _at_least(low: float) -> Test:
    return lambda value: low <= value


def _at_most(high: float) -> Test:
    return lambda value: value <= high


def _bounded(test: Callable[[float], Test], bound: float) -> Test:
    """
    Compare with a bound as the API server does.

    sic: it compares a whole number with the bound's whole part, so 0 is at least 0.5.
    """
    exact, whole = test(bound), test(int(bound))
    if bound == int(bound):
        return exact
    return lambda value: whole(value) if value == int(value) else exact(value)


def _matches(pattern: str) -> Test:
    search: Test | None = None

    def matches(text: str) -> bool:
        nonlocal search
        if search is None:
            import re2

            search = re2.compile(pattern).search
        return search(text) is not None

    return matches


# --- complaints: the words are in a module of their own, which a sound instance never needs -------------------------


def _wrong_type(value: Any, path: Path, found: Found, expected: str) -> Any:
    from krm_fn.schema.complaints import wrong_type

    wrong_type(value, path, found, expected)
    return value


def _missing_field(name: str, path: Path, found: Found, value: dict[str, Any]) -> None:
    from krm_fn.schema.complaints import missing_field

    missing_field(name, path, found, value)


def _unknown_field(name: str, path: Path, found: Found, fields: dict[str, Entry], as_written: bool) -> None:
    from krm_fn.schema.complaints import unknown_field

    unknown_field(name, path, found, fields, is_error=as_written)
