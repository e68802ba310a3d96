"""
The type of a message literal: `google.protobuf.Timestamp{seconds: 1}` is a timestamp.

Enters: the literal, with the checker that meets it.  Leaves: its type; problems through the checker.  Imported only where there is
such a literal.  Not known here: values.

Three kinds of types may be written so. Messages of protobuf's well-known types are the CEL values that they stand for. A condition
and the objects that schemas describe (`__type_schema.spec`) are declared, but nothing can make them: they pass here, and fail when
run. Scalars are declared too, and are no messages.

Source: cel-go v0.27.0 checker/checker.go checkCreateStruct, checker/env.go resolveTypeIdent, common/types/pb; kro v0.9.3
pkg/cel/types.go.
"""

from __future__ import annotations

from krm_fn.cel.types import (
    ANY,
    BOOL,
    BOOL_WRAPPER,
    BYTES,
    BYTES_WRAPPER,
    CONDITION,
    DOUBLE,
    DOUBLE_WRAPPER,
    DURATION,
    DYN,
    DYNAMIC,
    FAILED,
    INT,
    INT_WRAPPER,
    LIST,
    MAP,
    NULL_TYPE,
    OBJECT,
    STRING,
    STRING_WRAPPER,
    TIMESTAMP,
    UINT,
    UINT_WRAPPER,
    UNKNOWN,
    ObjectType,
    list_of,
    map_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Protocol

    from krm_fn.cel.syntax import MessageLiteral, Node
    from krm_fn.cel.types import Bindings, Type

    class Checker(Protocol):
        """What this needs of the checker."""

        variables: Mapping[str, Type]
        bindings: Bindings

        def infer(self, node: Node) -> Type: ...
        def part(self, node: Node, *, optional: bool) -> Type: ...
        def settled(self, types: Sequence[Type]) -> list[Type]: ...
        def report(
            self, said: tuple[str, str], start: int, end: int, operands: Sequence[Type] = (), code: str = ""
        ) -> Type: ...


_STRUCT, _LIST = map_of(STRING, DYNAMIC), list_of(DYNAMIC)
_MOMENT = {"seconds": INT, "nanos": INT}
_ENTRY = {"key": STRING, "value": DYNAMIC}
PROTOBUF = "google.protobuf."
_WELL_KNOWN: dict[str, tuple[Type, dict[str, Type]]] = {
    "Any": (ANY, {"type_url": STRING, "value": BYTES}),
    "BoolValue": (BOOL_WRAPPER, {"value": BOOL}),
    "BytesValue": (BYTES_WRAPPER, {"value": BYTES}),
    "DoubleValue": (DOUBLE_WRAPPER, {"value": DOUBLE}),
    "Duration": (DURATION, _MOMENT),
    "Empty": (ObjectType("google.protobuf.Empty", {}), {}),
    "FloatValue": (DOUBLE_WRAPPER, {"value": DOUBLE}),
    "Int32Value": (INT_WRAPPER, {"value": INT}),
    "Int64Value": (INT_WRAPPER, {"value": INT}),
    "ListValue": (_LIST, {"values": _LIST}),
    "StringValue": (STRING_WRAPPER, {"value": STRING}),
    "Struct": (_STRUCT, {"fields": _STRUCT}),
    "Struct.FieldsEntry": (ObjectType("google.protobuf.Struct.FieldsEntry", _ENTRY), _ENTRY),
    "Timestamp": (TIMESTAMP, _MOMENT),
    "UInt32Value": (UINT_WRAPPER, {"value": UINT}),
    "UInt64Value": (UINT_WRAPPER, {"value": UINT}),
    "Value": (
        DYNAMIC,
        {
            "null_value": INT,
            "number_value": DOUBLE,
            "string_value": STRING,
            "bool_value": BOOL,
            "struct_value": _STRUCT,
            "list_value": _LIST,
        },
    ),
}
"""The messages of protobuf's well-known types, and their fields."""
_ALIASES = {"duration": (DURATION, _MOMENT), "timestamp": (TIMESTAMP, _MOMENT), "null_type": (NULL_TYPE, {})}
"""sic: kro's provider gives these names to well-known types; nothing makes a value of them."""
_SCALARS = frozenset(("bool", "bytes", "double", "int", "list", "map", "string", "uint"))
_OF_OBJECTS = "__type_"


def type_of_message(checker: Checker, node: MessageLiteral) -> Type:
    """The type of a literal, its fields checked."""
    from krm_fn.cel import check_messages as say
    from krm_fn.cel.check import FIELD

    name = node.name.lstrip(".")
    found = _find(name, checker.variables)
    if found is None:
        known = [*(PROTOBUF + each for each in _WELL_KNOWN), CONDITION.name]
        result = checker.report(
            say.no_message(name) if name in _SCALARS else say.undeclared_type(name, known), node.start, node.at
        )
        for _, _, value in node.fields:
            checker.infer(value)
        return result
    made, fields = found
    for position, (field, start, value) in enumerate(node.fields):
        given = checker.part(value, optional=position in node.optional)
        wanted = made.field(field) if isinstance(made, ObjectType) else fields.get(field)
        if made is UNKNOWN:
            continue
        if wanted is None:
            known = sorted(made.fields if isinstance(made, ObjectType) else fields)
            checker.report(say.not_a_field(field, known, name), start, start + len(field), code=FIELD)
        elif given is not FAILED and not checker.bindings.unify(wanted, given):
            checker.report(say.no_field_type(field, *checker.settled((wanted, given))), value.start, value.end)
    return made


def _find(name: str, variables: Mapping[str, Type]) -> tuple[Type, dict[str, Type]] | None:
    """The type of that name and its fields, those of an object left to itself; None where no message is called so."""
    if name.startswith(PROTOBUF):
        return _WELL_KNOWN.get(name.removeprefix(PROTOBUF))
    if name == CONDITION.name:
        return CONDITION, {}
    if name.startswith(_OF_OBJECTS):
        return _find_object(name, variables)
    return _ALIASES.get(name)


def _find_object(name: str, variables: Mapping[str, Type]) -> tuple[Type, dict[str, Type]] | None:
    """The type that a schema gives to a variable or a field below it: `__type_schema.spec`."""
    root, *path = name.split(".")
    found: Type | None = variables.get(root.removeprefix(_OF_OBJECTS))
    if found is UNKNOWN:
        return UNKNOWN, {}
    if found is None or found.kind != OBJECT or found.name != root:
        return None
    for field in path:
        if found is None or not isinstance(found, ObjectType):
            return None
        found = found.fields.get(field)
    if found is None:
        return None
    if found.kind == OBJECT:
        return found, {}
    # sic: a list or map of anything passes for the message that it could be.
    if found.kind == MAP and found.parameters[1].kind == DYN:
        return found, {"fields": _STRUCT}
    if found.kind == LIST and found.parameters[0].kind == DYN:
        return found, {"values": _LIST}
    return None
