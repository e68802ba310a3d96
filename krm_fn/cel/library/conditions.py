"""
kro's `runtime.newCondition` and `runtime.condition`, for status.conditions.

Enters: the value of the variable `runtime` (`RUNTIME`, which the caller puts into the activation), maps, objects.  Leaves: conditions.
Not known here: where they may stand; that `{type: .., status: ..}` has bare keys (the parser's macro); transition times.

Source: kro v0.9.3 pkg/cel/library/runtime.go.
"""

from __future__ import annotations

from krm_fn.cel.budget import spend
from krm_fn.cel.errors import BAD_ARGUMENT, EvaluationError
from krm_fn.cel.library.overload import Overload, describe, member, no_such_overload, on_known_elements
from krm_fn.cel.values import OpenList, OpenMap, Unknown, join_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SEARCHED, _FIELD = 30, 2
"""What looking at one condition, and at one field of a new one, costs of the evaluation's budget."""

FIELDS = ("type", "status", "reason", "message")
STATUSES = ("True", "False", "Unknown")


class Runtime:
    """The type of the variable `runtime`: it has two methods and nothing else."""

    __slots__ = ()
    cel_type = "kro.run.Runtime"


RUNTIME = Runtime()


class Condition:
    """A condition: four texts, each of them unknown where it is read from an object that nobody has observed."""

    __slots__ = ("cel_fields",)
    cel_type = "kro.run.Condition"

    def __init__(self, fields: dict[str, Any]) -> None:
        self.cel_fields: dict[str, Any] = {name: fields.get(name, "") for name in FIELDS}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Condition) and self.cel_fields == other.cel_fields

    def cel_equals(self, other: object) -> bool:
        """Compare as `==` does: with another type it has no meaning."""
        if not isinstance(other, Condition):
            raise no_such_overload("condition ==", (other,))
        return self == other

    def __hash__(self) -> int:
        return hash(tuple(self.cel_fields.values()))


@on_known_elements
def _new_condition(_: Runtime, fields: dict[str, Any]) -> Condition:
    spend(_FIELD * len(fields))
    for name, value in fields.items():
        if type(value) is not str:
            raise EvaluationError(BAD_ARGUMENT, f"runtime.newCondition: {name} is {describe(value)}, not a string")
    if not fields.get("type"):
        raise EvaluationError(BAD_ARGUMENT, "runtime.newCondition: type is empty")
    if fields.get("status") not in STATUSES:
        raise EvaluationError(BAD_ARGUMENT, "runtime.newCondition: status is none of True, False, Unknown")
    return Condition(fields)


def _condition(_: Runtime, owner: Any, wanted: str) -> Condition | Unknown:
    """Find a condition in an object's status; one with four empty texts where there is none."""
    if not isinstance(owner, dict):
        raise EvaluationError(BAD_ARGUMENT, f"runtime.condition: {describe(owner)} is not an object")
    status = _child(owner, "status")
    if status is _ABSENT or isinstance(status, Unknown):
        return Condition({}) if status is _ABSENT else status["conditions"]
    if not isinstance(status, dict):
        raise EvaluationError(BAD_ARGUMENT, f"runtime.condition: status is {describe(status)}, not an object")
    conditions = _child(status, "conditions")
    if conditions is _ABSENT or isinstance(conditions, Unknown):
        return Condition({}) if conditions is _ABSENT else conditions
    if not isinstance(conditions, list):
        raise EvaluationError(BAD_ARGUMENT, f"runtime.condition: conditions is {describe(conditions)}, not a list")
    return _search(conditions, wanted)


_ABSENT: Any = object()


def _child(owner: dict[str, Any], key: str) -> Any:
    if key in owner:
        return owner[key]
    if isinstance(owner, OpenMap) and key not in owner.absent:
        return Unknown(join_path(owner.path, key))
    return _ABSENT


def _search(conditions: list[Any], wanted: str) -> Condition | Unknown:
    """Every element must be a condition, also those after the one that is found."""
    unknown = Unknown(conditions.path) if isinstance(conditions, OpenList) else None
    found: Condition | Unknown | None = None
    spend(_SEARCHED * len(conditions))
    for element in conditions:
        if isinstance(element, Unknown):
            found = element if found is None else found
            continue
        if not isinstance(element, (dict, Condition)):
            raise EvaluationError(BAD_ARGUMENT, f"runtime.condition: {describe(element)} among the conditions")
        condition = element if isinstance(element, Condition) else _lifted(element)
        kind = condition.cel_fields["type"]
        if found is None and (kind == wanted or isinstance(kind, Unknown)):
            found = kind if isinstance(kind, Unknown) else condition
    if found is None:
        return Condition({}) if unknown is None else unknown
    return found


def _lifted(entry: dict[str, Any]) -> Condition:
    """Make a condition of a map; what is no string counts as an empty one."""
    values = {name: _child(entry, name) for name in FIELDS}
    return Condition({name: value for name, value in values.items() if isinstance(value, (str, Unknown))})


def conditions_of(value: Any) -> list[Condition] | Unknown:
    """
    What an entry of status.conditions adds to them: a condition, or those of a list.

    Errors: BAD_ARGUMENT for anything else, which `dyn` may hide from the checker.
    Source: kro v0.9.3 pkg/runtime/conditions.go flattenCelConditionValue.
    """
    if isinstance(value, Unknown):
        return value
    found: list[Condition] = []
    for element in value if isinstance(value, list) else [value]:
        if isinstance(element, Unknown):
            return element
        if not isinstance(element, Condition):
            message = (
                f"status.conditions: {describe(element)} where a condition is needed: runtime.newCondition(…) makes one"
            )
            raise EvaluationError(BAD_ARGUMENT, message)
        found.append(element)
    return Unknown(value.path) if isinstance(value, OpenList) else found


_RUNTIME, _TYPE = Runtime.cel_type, Condition.cel_type

OVERLOADS: tuple[Overload, ...] = (
    member(
        "runtime_newCondition_map",
        "newCondition",
        (_RUNTIME, "map(string, string)"),
        _TYPE,
        _new_condition,
        "A condition for status.conditions: type and status, perhaps reason and message, their names without quotes.",
        'runtime.newCondition({type: "Ready", status: "True"}).status == "True"',
    ),
    member(
        "runtime_condition_dyn_string",
        "condition",
        (_RUNTIME, "dyn", "string"),
        _TYPE,
        _condition,
        "The condition of this type in the object's status; all its fields are empty where there is none.",
        'runtime.condition({"status": {"conditions": [{"type": "Ready", "status": "True"}]}}, "Ready").status == "True"',
        'runtime.condition({}, "Ready").status == ""',
    ),
)
