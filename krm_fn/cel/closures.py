"""
The closures that a program is made of, one function for each kind of node.

Enters: the closures of a node's operands.  Leaves: the node's closure.  Not known here: syntax trees; loops (`cel.comprehensions`).
A closure tests for the types that nearly always arrive and leaves the rest to `cel.operators`.

Source: cel-go v0.27.0 interpreter/interpretable.go, interpreter/attributes.go.
"""

from __future__ import annotations

from krm_fn.cel import equality, natives, operators
from krm_fn.cel.budget import FAILURE, SMALL, pay_for, pay_to_read, spend
from krm_fn.cel.errors import NEVER_ABSORBED, NO_SUCH_OVERLOAD, UNDECLARED, EvaluationError
from krm_fn.cel.operators import INT_MAX, INT_MIN
from krm_fn.cel.values import NONE, Optional, Unknown, Unreadable, WrittenList, join_path, merge_unknowns

_SETTLED = 8
"""What it costs of the budget to decide between terms of `&&` and `||` that are not all booleans."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from krm_fn.cel.compile import Activation, Program
    from krm_fn.cel.values import Path, Value


def chain(name: str, fields: list[str], root: Path) -> Program:
    """`name.f1.f2...`. What goes wrong is looked into only when it does. *root*: the name, if it is a free variable."""

    def careful(activation: Activation) -> Value:
        if name not in activation:
            raise EvaluationError(UNDECLARED, f"'{name}' is not a known name")
        return careful_walk(activation[name], fields, root)

    if not fields:

        def read(activation: Activation) -> Value:
            try:
                return activation[name]
            except KeyError:
                return careful(activation)

        return read
    first, *rest = fields
    if not rest:

        def read_1(activation: Activation) -> Value:
            try:
                return activation[name][first]
            except (KeyError, TypeError):
                return careful(activation)

        return read_1
    second, *rest = rest
    if not rest:

        def read_2(activation: Activation) -> Value:
            try:
                return activation[name][first][second]
            except (KeyError, TypeError):
                return careful(activation)

        return read_2
    third, *rest = rest
    if not rest:

        def read_3(activation: Activation) -> Value:
            try:
                return activation[name][first][second][third]
            except (KeyError, TypeError):
                return careful(activation)

        return read_3

    def read_more(activation: Activation) -> Value:
        try:
            value = activation[name][first][second][third]
            for field in rest:
                value = value[field]
        except (KeyError, TypeError):
            return careful(activation)
        return value

    return read_more


def chain_on(operand: Program, fields: list[str], path: Path) -> Program:
    """The same on any other operand. The operand is evaluated once, and its errors are its own."""
    if len(fields) == 1:
        field = fields[0]

        def read_1(activation: Activation) -> Value:
            value = operand(activation)
            try:
                return value[field]
            except (KeyError, TypeError):
                return careful_walk(value, fields, path)

        return read_1

    def read(activation: Activation) -> Value:
        start = value = operand(activation)
        try:
            for field in fields:
                value = value[field]
        except (KeyError, TypeError):
            return careful_walk(start, fields, path)
        return value

    return read


def careful_walk(value: Value, fields: list[str], path: Path) -> Value:
    for field in fields:
        value = equality.index(value, field, path)
        if path:
            path = join_path(path, field)
    return value


def item_at(operand: Program, position: int, path: Path) -> Program:
    """`operand[0]`."""

    def read(activation: Activation) -> Value:
        value = operand(activation)
        if type(value) is list and position < len(value):
            return value[position]
        return equality.index(value, position, path)

    return read


def index(operand: Program, key: Program, path: Path) -> Program:
    def read(activation: Activation) -> Value:
        container = operand(activation)
        if container is NONE:
            return NONE  # whatever the key would be
        try:
            at = key(activation)
        except EvaluationError as error:
            return _none_perhaps(container, error)
        if type(at) is str:
            if type(container) is dict and len(at) <= SMALL and at in container:
                return container[at]
        elif type(at) is int and type(container) is list and 0 <= at < len(container):
            return container[at]
        return equality.index(container, at, path)

    return read


def _none_perhaps(container: Value, error: EvaluationError) -> Value:
    """What a key that fails makes of an unknown, which may turn out to be an optional without a value: that asks for no key."""
    if type(container) is Unknown and error.kind not in NEVER_ABSORBED:
        spend(FAILURE)
        return container
    raise error


_ABSENT = object()


def optional_index(operand: Program, key: Program) -> Program:
    def read(activation: Activation) -> Value:
        container = operand(activation)
        if container is NONE:
            return NONE
        try:
            at = key(activation)
        except EvaluationError as error:
            return _none_perhaps(container, error)
        if type(container) is dict and type(at) is str and len(at) <= SMALL:
            found = container.get(at, _ABSENT)
            if found is _ABSENT:
                return NONE
            return found if type(found) is Unknown else Optional(found)
        return equality.index_optional(container, at)

    return read


def has(operand: Program, field: str) -> Program:
    def run_has(activation: Activation) -> Value:
        container = operand(activation)
        if type(container) is dict and type(container.get(field)) is not Unknown:
            return field in container
        return equality.has(container, field)

    return run_has


def unary(operator: Callable[[Value], Value], operand: Program) -> Program:
    def run_unary(activation: Activation) -> Value:
        return operator(operand(activation))

    return run_unary


def binary(operator: Callable[[Value, Value], Value], left: Program, right: Program) -> Program:
    def run_binary(activation: Activation) -> Value:
        return operator(left(activation), right(activation))

    return run_binary


def equals(left: Program, right: Program) -> Program:
    """`left == right`, one of them a literal: no two long texts."""

    def run_equals(activation: Activation) -> Value:
        x = left(activation)
        y = right(activation)
        if type(x) is str and type(y) is str:
            return x == y
        return equality.equals(x, y)

    return run_equals


def comparison(operator: Callable[[Value, Value], Value], left: Program, right: Program) -> Program:
    def run_comparison(activation: Activation) -> Value:
        x = left(activation)
        y = right(activation)
        if type(x) is int and type(y) is int:
            if operator is operators.less:
                return x < y
            if operator is operators.greater:
                return x > y
        return operator(x, y)

    return run_comparison


def add(left: Program, right: Program) -> Program:
    def run_add(activation: Activation) -> Value:
        x = left(activation)
        y = right(activation)
        if type(x) is str and type(y) is str:
            text = x + y
            if len(text) > SMALL:
                pay_for(text)
            return text
        if type(x) is int and type(y) is int and INT_MIN <= (total := x + y) <= INT_MAX:
            return total
        total = operators.add(x, y)
        pay_for(total)
        return total

    return run_add


def wrap(before: str, part: Program, after: str) -> Program:
    """`"before" + part + "after"`."""

    def run_wrap(activation: Activation) -> Value:
        value = part(activation)
        if type(value) is str:
            if len(value) > SMALL:
                pay_for(value)
            return f"{before}{value}{after}"
        return operators.add(operators.add(before, value), after)

    return run_wrap


def join(parts: list[Program]) -> Program:
    """A chain of `+` with a string literal in it: if all parts are strings, they are joined at once."""

    def run_join(activation: Activation) -> Value:
        # No part runs twice: parts that hold such chains themselves would run again and again.
        values: list[Value] = []
        try:
            for part in parts:
                values.append(part(activation))  # noqa: PERF401 - what is there is looked at when one fails
        except EvaluationError as error:
            if error.kind not in NEVER_ABSORBED:
                _sum(values)  # what cannot be added fails before what comes behind it
            raise
        try:
            text = "".join(values)
        except TypeError:
            return _sum(values)
        if len(text) > SMALL:
            pay_for(text)
        return text

    return run_join


def _sum(values: list[Value]) -> Value:
    total = values[0] if values else None
    for value in values[1:]:
        total = operators.add(total, value)
        pay_for(total)
    return total


def logic_pair(left: Program, right: Program, operator: str, *, stop: bool) -> Program:
    """`left && right` (*stop* is False) or `left || right` (*stop* is True)."""
    go_on = not stop

    def run_pair(activation: Activation) -> Value:
        try:
            x = left(activation)
        except EvaluationError as error:
            spend(FAILURE)
            return _settle([error, *_outcome(right, activation)], operator, stop=stop)
        if x is stop:
            return x
        if x is go_on:
            y = right(activation)
            return y if y is stop or y is go_on else _settle([x, y], operator, stop=stop)
        return _settle([x, *_outcome(right, activation)], operator, stop=stop)

    return run_pair


def logic(terms: list[Program], operator: str, *, stop: bool) -> Program:
    go_on = not stop

    def run_logic(activation: Activation) -> Value:
        others: list[Value] = []
        for term in terms:
            try:
                value = term(activation)
            except EvaluationError as error:
                spend(FAILURE)
                others.append(error)
                continue
            if value is stop:
                return value
            if value is not go_on:
                others.append(value)
        return _settle(others, operator, stop=stop) if others else go_on

    return run_logic


def _outcome(term: Program, activation: Activation) -> list[Value]:
    """What a term gives, be it an error."""
    try:
        return [term(activation)]
    except EvaluationError as error:
        return [error]


def _settle(outcomes: list[Value], operator: str, *, stop: bool) -> Value:
    """
    The answer of a logical operator whose terms are not all booleans.

    One term that decides is enough; else unknowns, merged; else the first error. A spent budget is never absorbed.
    """
    spend(_SETTLED)
    unknown: Unknown | None = None
    failure: EvaluationError | None = None
    decided = False
    for outcome in outcomes:
        if type(outcome) is EvaluationError:
            if outcome.kind in NEVER_ABSORBED:
                raise outcome
            failure = failure or outcome
        elif type(outcome) is Unknown:
            unknown = outcome if unknown is None else merge_unknowns(unknown, outcome)
        elif outcome is stop:
            decided = True
        elif type(outcome) is not bool:
            message = f"{operators.kind_of(outcome)} {operator}: no such overload"
            failure = failure or EvaluationError(NO_SUCH_OVERLOAD, message)
    if decided:
        return stop
    if unknown is not None:
        return unknown
    if failure is not None:
        raise failure
    return not stop


def conditional(condition: Program, then: Program, otherwise: Program) -> Program:
    def run_conditional(activation: Activation) -> Value:
        value = condition(activation)
        if value is True:
            return then(activation)
        if value is False:
            return otherwise(activation)
        if type(value) is Unknown:
            return value
        raise EvaluationError(NO_SUCH_OVERLOAD, f"{operators.kind_of(value)} ? ..: the condition must be a bool")

    return run_conditional


def list_of(elements: list[Program], optional: frozenset[int]) -> Program:
    def run_list(activation: Activation) -> Value:
        values: list[Value] = []
        unknown: Unknown | None = None
        for position, element in enumerate(elements):
            value = element(activation)
            if type(value) is Unknown:
                unknown = value if unknown is None else merge_unknowns(unknown, value)
            elif position in optional:
                values.extend(content_of(value))
            else:
                values.append(value)
        return values if unknown is None else unknown

    return run_list


def content_of(value: Value) -> tuple[Value, ...]:
    """The value of an optional element, if it has one."""
    if type(value) is not Optional:
        raise EvaluationError(NO_SUCH_OVERLOAD, f"?{operators.kind_of(value)}: an optional is needed behind '?'")
    return () if value is NONE else (readable(value.value),)


def readable(value: Value) -> Value:
    """What came out of an optional, if it can be had at all."""
    if type(value) is Unreadable:
        raise value.error
    return value


def record_of(entries: list[tuple[str, Program]]) -> Program:
    """A map literal whose keys are string literals."""

    def run_record(activation: Activation) -> Value:
        result: dict[str, Value] = {}
        unknown: Unknown | None = None
        for key, program in entries:
            value = program(activation)
            if type(value) is Unknown:
                unknown = value if unknown is None else merge_unknowns(unknown, value)
            result[key] = value
        return result if unknown is None else unknown

    return run_record


def map_of(entries: list[tuple[Program, Program]], optional: frozenset[int]) -> Program:
    def run_map(activation: Activation) -> Value:
        from krm_fn.cel.maps import make_map, stored

        pairs: dict[Value, tuple[Value, Value]] = {}
        unknown: Unknown | None = None
        for position, (key_program, value_program) in enumerate(entries):
            key = key_program(activation)
            value = value_program(activation)
            for part in (key, value):
                if type(part) is Unknown:
                    unknown = part if unknown is None else merge_unknowns(unknown, part)
            if unknown is not None:
                continue
            at = key if type(key) is str else stored(key)
            if position in optional:
                present = content_of(value)
                if not present:
                    # An absent entry takes an earlier one with its key away, as in cel-go.
                    pairs.pop(at, None)
                    continue
                value = present[0]
            pairs[at] = (key, value)
        return make_map(pairs.values()) if unknown is None else unknown

    return run_map


def reread(operand: Program) -> Program:
    """An optional as it is where it is read."""

    def run_reread(activation: Activation) -> Value:
        value = operand(activation)
        return natives.reread(value) if type(value) is Optional else value

    return run_reread


def written(operand: Program) -> Program:
    """A list that the expression writes lists or maps into: one with a schema cannot read those."""

    def run_written(activation: Activation) -> Value:
        value = operand(activation)
        if type(value) is not list:
            return value
        if len(value) > SMALL:
            pay_for(value)
        return WrittenList(value)

    return run_written


def undeclared(message: str, kind: str, arguments: list[Program]) -> Program:
    def run_undeclared(activation: Activation) -> Value:
        for argument in arguments:
            argument(activation)
        raise EvaluationError(kind, message)

    return run_undeclared


def call_one(function: Callable[..., Value], first: Program) -> Program:
    def run_call(activation: Activation) -> Value:
        x = first(activation)
        if type(x) is Unknown:
            return x
        if not (type(x) is int or (type(x) is str and len(x) <= SMALL)):
            pay_to_read(x)
        result = function(x)
        if not (type(result) is bool or (type(result) is str and len(result) <= SMALL)):
            pay_for(result)
        return result

    return run_call


def call_two(function: Callable[..., Value], first: Program, second: Program) -> Program:
    def run_call(activation: Activation) -> Value:
        x = first(activation)
        y = second(activation)
        if type(x) is Unknown or type(y) is Unknown:
            return operators.unknown_of(x, y)
        if not (type(x) is int or (type(x) is str and len(x) <= SMALL)):
            pay_to_read(x)
        if not (type(y) is int or (type(y) is str and len(y) <= SMALL)):
            pay_to_read(y)
        result = function(x, y)
        if not (type(result) is bool or (type(result) is str and len(result) <= SMALL)):
            pay_for(result)
        return result

    return run_call


def call_many(function: Callable[..., Value], arguments: list[Program]) -> Program:
    def run_call(activation: Activation) -> Value:
        values = [argument(activation) for argument in arguments]
        unknown: Unknown | None = None
        for value in values:
            if type(value) is Unknown:
                unknown = value if unknown is None else merge_unknowns(unknown, value)
        if unknown is not None:
            return unknown
        for value in values:
            pay_to_read(value)
        result = function(*values)
        pay_for(result)
        return result

    return run_call


def or_value(target: Program, other: Program, *, unwrap: bool) -> Program:
    """`target.orValue(other)` (*unwrap*), `target.or(other)`: *other* is evaluated only if *target* has no value."""

    def run_or_value(activation: Activation) -> Value:
        value = target(activation)
        if type(value) is Optional:
            if value is NONE:
                return other(activation)
            return readable(value.value) if unwrap else value
        return value  # sic: cel-go v0.27.0 gives back what is no optional

    return run_or_value
