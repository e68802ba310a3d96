"""
Optional values, and `omit()`.

Enters: values.  Leaves: optionals and what they hold.  Not known here: `or`, `orValue`, `optMap` and `.?f`, which evaluate lazily: they
are the compiler's.

Source: cel-go v0.27.0 cel/library.go; kro v0.9.3 pkg/cel/library/omit.go.
"""

from __future__ import annotations

from krm_fn.cel.errors import BAD_ARGUMENT, EvaluationError
from krm_fn.cel.library.overload import Overload, describe, function, member, on_known_elements
from krm_fn.cel.values import NONE, OMIT, OpenList, OpenMap, Optional, Unknown, Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krm_fn.cel.values import Omit

_ZERO_TYPES = (type(None), bool, str, bytes, list, dict)


def _of_non_zero_value(value: Any) -> Optional | Unknown:
    """Null, false, 0, empty texts, lists and maps, the zero duration and the timestamp of year 1 are zero; optionals never are."""
    if not value and (type(value) is OpenList or type(value) is OpenMap):
        return Unknown(value.path)
    return NONE if _is_zero(value) else Optional(value)


def _is_zero(value: Any) -> bool:
    if isinstance(value, (_ZERO_TYPES, int, float)):
        return not value
    is_zero = getattr(value, "is_zero", None)
    return is_zero is not None and is_zero()


def _none() -> Optional:
    return NONE


def _has_value(value: Optional) -> bool:
    return value is not NONE


def _value(value: Optional) -> Any:
    if value is NONE:
        raise EvaluationError(BAD_ARGUMENT, "value(): the optional is none")
    if type(value.value) is Unreadable:
        raise value.value.error
    return value.value


@on_known_elements
def _unwrap(values: list[Any]) -> list[Any]:
    for value in values:
        if type(value) is not Optional:
            raise EvaluationError(BAD_ARGUMENT, f"unwrap: {describe(value)} among the optionals")
    return [_value(value) for value in values if value is not NONE]


def _omit() -> Omit:
    return OMIT


OVERLOADS: tuple[Overload, ...] = (
    function(
        "optional_of",
        "optional.of",
        ("V",),
        "optional_type(V)",
        Optional,
        "An optional with this value.",
        "optional.of(1).value() == 1",
    ),
    function(
        "optional_ofNonZeroValue",
        "optional.ofNonZeroValue",
        ("V",),
        "optional_type(V)",
        _of_non_zero_value,
        "An optional with this value; none where it is null, false, 0 or empty.",
        'optional.ofNonZeroValue("") == optional.none()',
        'optional.ofNonZeroValue("a").hasValue()',
    ),
    function(
        "optional_none",
        "optional.none",
        (),
        "optional_type(V)",
        _none,
        "The optional without a value.",
        "!optional.none().hasValue()",
    ),
    function(
        "optional_unwrap",
        "optional.unwrap",
        ("list(optional_type(V))",),
        "list(V)",
        _unwrap,
        "The values of those that have one.",
        "optional.unwrap([optional.of(1), optional.none()]) == [1]",
    ),
    member(
        "optional_unwrapOpt",
        "unwrapOpt",
        ("list(optional_type(V))",),
        "list(V)",
        _unwrap,
        "The values of those that have one.",
        "[optional.of(1), optional.none()].unwrapOpt() == [1]",
    ),
    member(
        "optional_hasValue",
        "hasValue",
        ("optional_type(V)",),
        "bool",
        _has_value,
        "Whether there is a value.",
        "optional.of(null).hasValue()",
    ),
    member(
        "optional_value",
        "value",
        ("optional_type(V)",),
        "V",
        _value,
        "The value; an error where there is none.",
        "optional.of(1).value() == 1",
    ),
    function(
        "omit_void",
        "omit",
        (),
        "dyn",
        _omit,
        "Removes the field or list element that it stands at. Only in templates, where the feature gate CELOmitFunction is on.",
        "1 != omit()",
    ),
)
