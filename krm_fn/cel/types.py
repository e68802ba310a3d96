"""
Types as the checker has them: records, their notation, and what may stand for what.

Enters: types in CEL's notation (`list(string)`, as `library.overload` writes them) and pairs of types.  Leaves: `Type` records, texts,
yes or no.  Not known here: syntax trees, OpenAPI.

Types are interned: two equal types are one object, so equality is `is`. A list type hangs on its element type, a map type on its
value type, an object type is made once where its schema is read.

`Bindings` is unification: what the type parameters of a call, and those of empty literals, are bound to. A parameter that is bound
twice takes the more general of the two types. What a failed attempt has bound is taken back.

`UNKNOWN` is our own: the type of what has a schema that is not at hand. It is a `dyn` that a later rule must not hold against
the author, and it is contagious (`Type.tainted`).

Source: cel-go v0.27.0 common/types/types.go, checker/types.go.
"""

from __future__ import annotations

DYN, ERROR, PARAMETER, OBJECT, OPAQUE, LIST, MAP, TYPE = (
    "dyn",
    "error",
    "parameter",
    "object",
    "opaque",
    "list",
    "map",
    "type",
)
NULL = "null_type"
OPTIONAL = "optional_type"


class Type:
    """
    A type.

    kind: one of the constants above, or a scalar's own name.  name: as CEL prints it, without parameters.  parameters: of a list its
    element, of a map key and value, of an optional its content.  is_open: holds a type parameter.  is_named: holds an object type.
    tainted: holds `UNKNOWN`.  size: how many types it is written with.  nullable: a scalar that null stands for, too, which is what
    protobuf's wrapper of it is.
    """

    __slots__ = (
        "is_named", "is_open", "kind", "list_of", "maps_to", "name", "nullable", "optional_of", "parameters", "size", "tainted",
        "type_of",
    )  # fmt: skip

    def __init__(self, kind: str, name: str, parameters: tuple[Type, ...] = (), *, nullable: bool = False) -> None:
        self.kind = kind
        self.name = name
        self.parameters = parameters
        self.nullable = nullable
        self.is_open: bool = kind == PARAMETER or any(p.is_open for p in parameters)
        self.is_named: bool = kind == OBJECT or any(p.is_named for p in parameters)
        self.tainted: bool = any(p.tainted for p in parameters)
        self.size: int = 1 + sum(p.size for p in parameters)
        self.list_of: Type | None = None
        self.optional_of: Type | None = None
        self.type_of: Type | None = None
        self.maps_to: dict[Type, Type] | None = None

    def __str__(self) -> str:
        """As cel-go prints it. Not recursive: a type may be nested as deep as an expression."""
        text = ""
        pending: list[Type | str] = [self]
        while pending:
            part = pending.pop()
            if isinstance(part, str):
                text += part
                continue
            text += f"wrapper({part.name})" if part.nullable else part.name
            if part.parameters:
                text += "("
                pending.append(")")
                for inner in reversed(part.parameters):
                    pending += (inner, ", ")
                pending.pop()
        return text


class ObjectType(Type):
    """
    A type with fields, known by its name.

    fields: as expressions spell them.  open_ended: others are dyn.  origin: where it is declared, in a person's words.
    """

    __slots__ = ("_fields", "open_ended", "origin")

    def __init__(self, name: str, fields: dict[str, Type], *, open_ended: bool = False, origin: str = "") -> None:
        super().__init__(OBJECT, name)
        self._fields = fields
        self.open_ended = open_ended
        self.origin = origin

    @property
    def fields(self) -> dict[str, Type]:
        return self._fields

    def field(self, name: str) -> Type | None:
        """The type of a field; None where there is no such field."""
        return self._fields.get(name) or self.fallback(name)

    def fallback(self, name: str) -> Type | None:
        """What stands for a field that is not declared under its own name: an escaped reserved word, or dyn."""
        escaped = self._fields.get(f"__{name}__") if name in RESERVED_FIELDS else None
        return escaped or (DYNAMIC if self.open_ended else None)


RESERVED_FIELDS = frozenset(
    [
        "true",
        "false",
        "null",
        "in",
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ]
)
"""Kubernetes v1.35 apiserver pkg/cel/escaping.go celReservedSymbols."""

DYNAMIC = Type(DYN, "dyn")
UNKNOWN = Type(DYN, "dyn")
UNKNOWN.tainted = True
FAILED = Type(ERROR, "error")
"""The type of what has been reported already; it suits everything."""
BOOL, BYTES, DOUBLE, INT, STRING, UINT = (Type(n, n) for n in ("bool", "bytes", "double", "int", "string", "uint"))
NULL_TYPE = Type(NULL, NULL)
DURATION = Type("duration", "google.protobuf.Duration")
TIMESTAMP = Type("timestamp", "google.protobuf.Timestamp")
ANY_TYPE = Type(TYPE, "type")
ANY = Type(DYN, "google.protobuf.Any")
"""As good as dyn for overloads, but no range of a macro, and no dyn where a place asks for one."""
BOOL_WRAPPER, BYTES_WRAPPER, DOUBLE_WRAPPER, INT_WRAPPER, STRING_WRAPPER, UINT_WRAPPER = (
    Type(n, n, nullable=True) for n in ("bool", "bytes", "double", "int", "string", "uint")
)
CONDITION = ObjectType("kro.run.Condition", dict.fromkeys(("type", "status", "reason", "message"), STRING))
RUNTIME = ObjectType("kro.run.Runtime", {})

_NAMED: dict[str, Type] = {
    **{t.name: t for t in (DYNAMIC, BOOL, BYTES, DOUBLE, INT, STRING, UINT, NULL_TYPE, ANY_TYPE, CONDITION, RUNTIME)},
    **{t.name: t for t in (DURATION, TIMESTAMP, ANY)},
    **{str(t): t for t in (BOOL_WRAPPER, BYTES_WRAPPER, DOUBLE_WRAPPER, INT_WRAPPER, STRING_WRAPPER, UINT_WRAPPER)},
    "duration": DURATION,
    "timestamp": TIMESTAMP,
}
_NULLABLE = frozenset((OPAQUE, OBJECT, "duration", "timestamp", NULL))


_MAX_SIZE = 1_000
"""A literal nested to the parser's limit stays far below. `{a: a}` in a chain of cel.bind doubles at each step."""
_MAX_STEPS = 100_000
"""How often one expression may look up what a type parameter is bound to."""


class TypeTooLarge(Exception):  # noqa: N818 - what the type is, in the words of the message
    """A type that no honest expression has: one that doubles at every step."""


def _made(kind: str, name: str, parameters: tuple[Type, ...]) -> Type:
    made = Type(kind, name, parameters)
    if made.size > _MAX_SIZE:
        raise TypeTooLarge
    return made


def list_of(element: Type) -> Type:
    """`list(element)`. Errors, here and below: TypeTooLarge."""
    made = element.list_of
    if made is None:
        made = element.list_of = _made(LIST, LIST, (element,))
    return made


def optional_of(content: Type) -> Type:
    """`optional_type(content)`."""
    made = content.optional_of
    if made is None:
        made = content.optional_of = _made(OPAQUE, OPTIONAL, (content,))
    return made


def type_of(instance: Type) -> Type:
    """`type(instance)`: the type of that type."""
    made = instance.type_of
    if made is None:
        made = instance.type_of = _made(TYPE, TYPE, (instance,))
    return made


def map_of(key: Type, value: Type) -> Type:
    """`map(key, value)`."""
    if (key.is_open and not value.is_open) or (key.is_named and not value.is_named):
        return _made(MAP, MAP, (key, value))  # not kept: the value's type would hold keys for ever
    if value.maps_to is None:
        value.maps_to = {}
    made = value.maps_to.get(key)
    if made is None:
        made = value.maps_to[key] = _made(MAP, MAP, (key, value))
    return made


def parameter(name: str) -> Type:
    """A new type parameter, unlike every other."""
    return Type(PARAMETER, name)


def with_parameters(pattern: Type, parameters: list[Type]) -> Type:
    """The list, map, optional or type like *pattern* with other parameters."""
    if pattern.kind == LIST:
        return list_of(parameters[0])
    if pattern.kind == MAP:
        return map_of(parameters[0], parameters[1])
    return optional_of(parameters[0]) if pattern.kind == OPAQUE else type_of(parameters[0])


def parse_type(notation: str) -> Type:
    """The type that a notation stands for; one capital letter is a type parameter, the same for the same letter."""
    known = _NAMED.get(notation)
    if known is not None:
        return known
    base, _, rest = notation.partition("(")
    if rest:
        made = _parametrised(base, _split(rest[:-1]))
    elif len(base) == 1:
        made = parameter(base)
    else:
        made = Type(OPAQUE, base)
    _NAMED[notation] = made
    return made


def _parametrised(base: str, parts: list[str]) -> Type:
    parameters = [parse_type(part) for part in parts]
    if base == MAP:
        return map_of(parameters[0], parameters[1])
    return {LIST: list_of, OPTIONAL: optional_of, TYPE: type_of}[base](parameters[0])


def _split(text: str) -> list[str]:
    """Split at the commas that stand in no brackets."""
    parts = [""]
    depth = 0
    for char in text:
        depth += (char == "(") - (char == ")")
        if char == "," and not depth:
            parts.append("")
        elif char != " ":
            parts[-1] += char
    return parts


def is_optional(candidate: Type) -> bool:
    """Tell whether a type is an optional of something."""
    return candidate.kind == OPAQUE and candidate.name == OPTIONAL


def assignable(target: Type, output: Type) -> bool:
    """
    Tell whether a result of type *output* may stand where *target* is declared, by name alone.

    Source: cel-go v0.27.0 common/types/types.go defaultIsAssignableType; `UNKNOWN` as result suits every target.
    """
    if target is output or target.kind == DYN or output is UNKNOWN:
        return True
    if target.kind != output.kind or target.name != output.name or len(target.parameters) != len(output.parameters):
        return False
    return all(map(assignable, target.parameters, output.parameters))


class Bindings:
    """What type parameters stand for, in one expression."""

    __slots__ = ("_bound", "_steps", "_trail")

    def __init__(self) -> None:
        self._bound: dict[Type, Type] = {}
        self._steps = 0
        self._trail: list[tuple[Type, Type | None]] = []

    def unify(self, first: Type, second: Type) -> bool:
        """Make *first* and *second* agree; on failure nothing is bound."""
        return self.unify_all((first,), (second,))

    def unify_all(self, first: tuple[Type, ...], second: tuple[Type, ...]) -> bool:
        """Make types agree in pairs; on failure nothing is bound."""
        if len(first) != len(second):
            return False
        mark = len(self._trail)
        for one, other in zip(first, second, strict=True):
            if one is not other and not self._agree(one, other):
                self._undo(mark)
                return False
        return True

    def _undo(self, mark: int) -> None:
        while len(self._trail) > mark:
            key, old = self._trail.pop()
            if old is None:
                del self._bound[key]
            else:
                self._bound[key] = old

    def _bind(self, key: Type, value: Type) -> None:
        self._trail.append((key, self._bound.get(key)))
        self._bound[key] = value

    def _look_up(self, param: Type) -> Type | None:
        self._steps += 1
        if self._steps > _MAX_STEPS:
            raise TypeTooLarge
        return self._bound.get(param)

    def _agree(self, first: Type, second: Type) -> bool:
        if first is second:
            return True
        one, other = first.kind, second.kind
        if other == PARAMETER:
            suits, was_bound = self._stands_for(first, second)
            if suits or was_bound:
                return suits
        if one == PARAMETER:
            return self._stands_for(second, first)[0]
        if one in _WILD or other in _WILD:
            return True
        if one == NULL:
            return other in _NULLABLE or second.nullable
        if other == NULL:
            return one in _NULLABLE or first.nullable
        if one != other:
            return False
        if one == TYPE:
            return True
        if first.name != second.name or len(first.parameters) != len(second.parameters):
            return False
        return all(map(self._agree, first.parameters, second.parameters))

    def _stands_for(self, candidate: Type, param: Type) -> tuple[bool, bool]:
        """Whether *candidate* may stand for the parameter, and whether the parameter was bound before."""
        if candidate is param:
            return True, True
        bound = self._look_up(param)
        if bound is None:
            if self._is_free_of(param, candidate):
                self._bind(param, candidate)
                return True, False
            return False, False
        if is_exactly(candidate, bound):
            return True, True
        if not self._agree(candidate, bound):
            return False, True
        general = more_general(candidate, bound)
        if self._is_free_of(param, general):
            self._bind(param, general)
        return True, True

    def _is_free_of(self, param: Type, within: Type) -> bool:
        if param is within:
            return False
        if not within.is_open:
            return True
        if within.kind == PARAMETER:
            bound = self._look_up(within)
            return bound is None or self._is_free_of(param, bound)
        return all(self._is_free_of(param, part) for part in within.parameters)

    def resolve(self, pattern: Type, unbound: Type | None = None) -> Type:
        """*pattern* with its parameters replaced by what they are bound to; those that are not, by *unbound* where that is given."""
        if not pattern.is_open:
            return pattern
        if pattern.kind == PARAMETER:
            bound = self._look_up(pattern)
            if bound is not None:
                return self.resolve(bound, unbound)
            return pattern if unbound is None else unbound
        return with_parameters(pattern, [self.resolve(part, unbound) for part in pattern.parameters])


_WILD = (DYN, ERROR)


def is_exactly(first: Type, second: Type) -> bool:
    """Tell whether two types are one to cel-go, to which a wrapper is what it wraps."""
    if first is second:
        return True
    if first.kind != second.kind or first.name != second.name or len(first.parameters) != len(second.parameters):
        return False
    return first.kind != PARAMETER and all(map(is_exactly, first.parameters, second.parameters))


def more_general(first: Type, second: Type) -> Type:
    """That of two agreeing types that says less; the first if they say the same."""
    return first if _says_no_more(first, second) else second


def _says_no_more(first: Type, second: Type) -> bool:
    one, other = first.kind, second.kind
    if one in (DYN, PARAMETER):
        return True
    if other in (DYN, PARAMETER) or one != other:
        return False
    if one == TYPE:
        return True
    if first.name != second.name or len(first.parameters) != len(second.parameters):
        return False
    return all(map(_says_no_more, first.parameters, second.parameters))


def instantiate(patterns: tuple[Type, ...], result: Type) -> tuple[tuple[Type, ...], Type]:
    """The types of an overload with fresh parameters in place of its own."""
    fresh: dict[Type, Type] = {}

    def copy(pattern: Type) -> Type:
        if not pattern.is_open:
            return pattern
        if pattern.kind == PARAMETER:
            if pattern not in fresh:
                fresh[pattern] = parameter(pattern.name)
            return fresh[pattern]
        return with_parameters(pattern, [copy(part) for part in pattern.parameters])

    return tuple(map(copy, patterns)), copy(result)
