"""
What the checker says: one function a sentence.

Enters: types and names.  Leaves: message and help, each one line.  Imported only where something is wrong.
"""

from __future__ import annotations

from krm_fn.cel.types import DYN, ERROR, LIST, MAP, NULL, OBJECT, ObjectType, Type, is_optional

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

_SHORT = {"google.protobuf.Timestamp": "timestamp", "google.protobuf.Duration": "duration", NULL: "null"}
_PREFIX = "__type_"
_DEEPEST = 4
_SHOWN = 10
_MOST = 500
"""More of an object's fields are not looked at: there may be fifty thousand, and as many mistakes."""


def named(some: Type, depth: int = 0) -> str:
    """A type as an author calls it: `timestamp`, `list of string`, `object schema.spec.db`, `optional string`."""
    if some.kind == OBJECT:
        return f"object {_path(some.name)}" if some.name.startswith(_PREFIX) else some.name
    if some.kind == ERROR:
        return "something wrong"
    if some.kind == DYN:
        return "a value of unknown type"
    if not some.parameters:
        return _SHORT.get(some.name, some.name)
    if depth == _DEEPEST:
        return "…"
    if some.kind == MAP and some.parameters[0].kind == "string":
        return _of("map", some.parameters[1], depth)
    if some.kind == LIST:
        return _of("list", some.parameters[0], depth)
    if is_optional(some):
        inner = some.parameters[0]
        return "an optional value" if inner.kind == DYN else f"optional {named(inner, depth + 1)}"
    parts = ["dyn" if part.kind == DYN else named(part, depth + 1) for part in some.parameters]
    return f"{some.name}({', '.join(parts)})"


def _of(name: str, part: Type, depth: int) -> str:
    return name if part.kind == DYN else f"{name} of {named(part, depth + 1)}"


def _path(name: str) -> str:
    """`__type_vpc.spec.tags.@idx` -> `vpc.spec.tags[*]`."""
    path = name.removeprefix(_PREFIX)
    return path.replace(".@idx", "[*]").replace(".@elem", "[*]") if "@" in path else path


def undeclared_name(name: str) -> tuple[str, str]:
    return f"{name!r} is not declared", ""


def undeclared_function(name: str, advice: str) -> tuple[str, str]:
    return f"{name}() is not a function that kro has", advice


def holds_type(name: str) -> tuple[str, str]:
    return f"{name!r} would hold a type, which no variable can", "dyn(type(…)) can be held"


def undeclared_type(name: str, known: Iterable[str]) -> tuple[str, str]:
    from krm_fn.report.near import did_you_mean

    return f"{name!r} is not a type", did_you_mean(name, known) or 'an object is written as a map: {"name": …}'


def no_message(name: str) -> tuple[str, str]:
    return f"{name!r} is a type, but none that is made of fields", ""


def no_field_type(name: str, wanted: Type, given: Type) -> tuple[str, str]:
    return f"field {name!r} is {named(wanted)}, not {named(given)}", ""


_READ_AS = {
    "on": "__true__",
    "yes": "__true__",
    "y": "__true__",
    "off": "__false__",
    "no": "__false__",
    "n": "__false__",
}
"""Keys that YAML 1.1 takes for booleans, as expressions spell the fields that come of it."""


def undefined_field(name: str, owner: ObjectType) -> tuple[str, str]:
    where = f" ({owner.origin})" if owner.origin else ""
    return not_a_field(name, owner.fields, f"{named(owner).removeprefix('object ')}{where}")


def not_a_field(name: str, known: Collection[str], owner: str) -> tuple[str, str]:
    from itertools import islice

    from krm_fn.report.near import did_you_mean

    read_as = _READ_AS.get(name.lower(), "")
    if read_as in known:
        return (
            f"{name!r} is not a field of {owner}",
            f"YAML reads the key {name} as {read_as.strip('_')}: write it in quotes",
        )
    some = sorted(islice(known, _MOST))
    shown = f"{', '.join(some[:_SHOWN])}{', …' if len(known) > _SHOWN else ''}"
    advice = f"known here: {shown}" if some else "its schema declares no fields"
    return f"{name!r} is not a field of {owner}", did_you_mean(name, some) or advice


def no_fields(name: str, owner: Type) -> tuple[str, str]:
    advice = "a list is read by index: [0]" if owner.kind == LIST else ""
    return f"{name!r}: {named(owner)} has no fields", advice


def no_operator(operator: str, operands: Sequence[Type]) -> tuple[str, str]:
    """No overload of an operator takes these operands."""
    if operator == "_?_:_":
        return _no_conditional(operands)
    if operator in ("_[_]", "_[?_]"):
        message = f"[]: {named(operands[0])} cannot be indexed by {named(operands[1])}"
        return message, "an object's fields are read with a dot; dyn(x)[…] allows an index" if operands[
            0
        ].kind == OBJECT else ""
    if len(operands) == 1:
        return f"{operator[-1]}: does not take {named(operands[0])}", ""
    one, other = operands
    return f"{operator}: does not take {named(one)} and {named(other)}", _advice(operator, one, other)


def _no_conditional(operands: Sequence[Type]) -> tuple[str, str]:
    condition, then, otherwise = operands
    if condition.kind not in ("bool", DYN, ERROR):
        return f"? needs a bool before it, not {named(condition)}", ""
    advice = "both branches need one type"
    if NULL in (then.kind, otherwise.kind):
        advice = "a branch that is null needs the other to be dyn(…)"
    return f"?: gives {named(then)} or {named(otherwise)}", advice


_NUMBERS = frozenset(("int", "uint", "double"))


def _advice(operator: str, one: Type, other: Type) -> str:
    kinds = {one.kind, other.kind}
    if operator == "+" and "string" in kinds and len(kinds) == 2 and kinds & {*_NUMBERS, "bool"}:
        return "string(…) makes a text of it"
    if kinds <= _NUMBERS:
        return f"convert one of them: {one.kind}(…)"
    if is_optional(one) != is_optional(other):
        return "orValue(…) takes the value out of an optional"
    if operator in ("==", "!=") and NULL in kinds:
        return "ask with has(…) whether a field is there"
    return ""


def no_overload(name: str, receiver: Type | None, arguments: Sequence[Type], takes: Iterable[str]) -> tuple[str, str]:
    """A function that is declared, but not for these arguments."""
    given = ", ".join(map(named, arguments))
    forms = list(takes)
    advice = f"it takes {' or '.join(forms[:4])}{' …' if len(forms) > 4 else ''}" if forms else ""
    if receiver is None:
        return f"{name}() does not take ({given})", advice
    if is_optional(receiver) and name not in ("or", "orValue", "value", "hasValue"):
        advice = "orValue(…) takes the value out of an optional"
    return f"{name}(): {named(receiver)} has no such method{f' that takes ({given})' if arguments else ''}", advice


def not_uniform(first: Type, other: Type) -> tuple[str, str]:
    return f"the elements of a literal are of one type, not {named(first)} and {named(other)}", ""


def no_bool(operator: str, term: Type) -> tuple[str, str]:
    advice = "orValue(false) takes the value out of an optional" if is_optional(term) else ""
    return f"{operator}: needs a bool, not {named(term)}", advice


def no_range(macro: str, target: Type) -> tuple[str, str]:
    if is_optional(target):
        return f"{macro}(): needs a list or map, not {named(target)}", "orValue([]) takes the list out of an optional"
    advice = "an object's fields cannot be walked; dyn(x) can" if target.kind == OBJECT else ""
    return f"{macro}(): needs a list or map, not {named(target)}", advice


def no_entries(body: Type) -> tuple[str, str]:
    return f"transformMapEntry(): needs a map, not {named(body)}", "write {key: value}"


def no_order(target: Type, key: Type) -> tuple[str, str]:
    if target.kind != LIST:
        return f"sortBy(): needs a list, not {named(target)}", ""
    return f"sortBy(): {named(key)} has no order", ""


def no_optional_target(name: str, target: Type) -> tuple[str, str]:
    return f"{name}() needs an optional before its dot, not {named(target)}", "write .?field or optional.of(…)"


def no_flat_body(body: Type) -> tuple[str, str]:
    return f"optFlatMap(): needs an optional, not {named(body)}", "optMap takes a value that is no optional"


def no_optional(written: Type) -> tuple[str, str]:
    return (
        f"? needs an optional behind it, not {named(written)}",
        "optional.of(…) makes one; without ? the value stands as it is",
    )


def format_problem(reason: str) -> tuple[str, str]:
    return reason, ""


def format_argument(verb: str, given: Type, takes: Sequence[str]) -> tuple[str, str]:
    return f"format: %{verb} does not take {named(given)}", f"it takes {', '.join(takes)}"


def format_missing(position: int, verb: str) -> tuple[str, str]:
    return f"format: no argument {position} for %{verb}", ""


def format_surplus(wanted: int, given: int) -> tuple[str, str]:
    return f"format: {given} arguments for {wanted} clauses", ""


def too_large() -> tuple[str, str]:
    return "the type of the expression is too large", "its maps and lists hold one another too often"


# -- what a place asks of a result ------------------------------------------------------------------------------------


def needs_bool(place: str, given: Type) -> tuple[str, str]:
    advice = ""
    if given.kind == DYN:
        advice = "compare it with something, or write bool(…)"
    elif given.kind == "string":
        advice = 'compare it: … == "true"'
    return f"{place} needs a bool, not {named(given)}", advice


def needs_list(place: str, given: Type) -> tuple[str, str]:
    advice = ""
    if given.kind == MAP:
        advice = "walk its keys: m.map(k, k)"
    elif is_optional(given):
        advice = "orValue([]) takes the list out of an optional"
    elif given.kind == DYN:
        advice = "what has no schema may be no list; build one from it: [x] or x.map(…)"
    return f"{place} needs a list, not {named(given)}", advice


def needs_condition(given: Type) -> tuple[str, str]:
    return (
        f"status.conditions needs runtime.newCondition(…) or a list of them, not {named(given)}",
        'write runtime.newCondition({type: "…", status: "…"})',
    )


def needs_string(operands: Sequence[Type]) -> tuple[str, str]:
    """The parts of a text, of which two cannot be joined."""
    given = next((some for some in reversed(operands) if some.kind not in ("string", DYN)), operands[-1])
    advice = "orValue(…) takes the value out of an optional" if is_optional(given) else "string(…) makes a text of it"
    return f"a text with ${{…}} inside is made of strings, not {named(given)}", advice
