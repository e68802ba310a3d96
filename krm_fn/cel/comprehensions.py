"""
Macros as Python loops: `all exists exists_one map filter transform*`, `sortBy`, `cel.bind`, `optMap`, `optFlatMap`.

Enters: macro nodes, with the compiler that meets them.  Leaves: programs.  Not known here: how other nodes compile.

A loop puts its variable into one copy of the activation. With two variables the loop's own is a pair under a name that no
expression can use, and whatever is evaluated first for an item takes it apart (`_unpacking`), so all loops are alike.
Maps are walked in sorted key order (cel-go's order is random).
`all` and `exists` absorb: a deciding item beats unknowns, which beat errors. In the others an unknown step makes the result
unknown and an error ends it. What an open list or map may still get makes the result unknown, unless what is there decides.
Each loop pays its steps times what its body weighs, before they are done.

Source: cel-go v0.27.0 parser/macro.go, ext/comprehensions.go, interpreter/interpretable.go (evalFold).
"""

from __future__ import annotations

from krm_fn.cel.budget import FAILURE, budget, pay_to_sort, spend
from krm_fn.cel.closures import readable
from krm_fn.cel.errors import BAD_ARGUMENT, NEVER_ABSORBED, NO_SUCH_OVERLOAD, EvaluationError
from krm_fn.cel.natives import reread
from krm_fn.cel.operators import kind_of
from krm_fn.cel.values import NONE, KeyedMap, OpenList, OpenMap, Optional, Unknown, Unreadable, merge_unknowns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from krm_fn.cel.compile import Activation, Compiler, Program
    from krm_fn.cel.syntax import Bind, Comprehension, OptionalMap, SortBy
    from krm_fn.cel.values import Value

PAIR = "@pair"
BATCH = 256
"""Steps of `all` and `exists` that are paid for at once; those that a decision saves are given back."""
_INSERTED, _SORTED, _READ, _VARIABLES = 12, 8, 3, 16
"""What an entry of a new map, an item of a sorted list and one that is read once more cost; how many variables are copied for one unit."""


class _Scope(dict):  # type: ignore[type-arg]
    """An activation in which a loop's variable may stand for an item that cannot be read: to ask for it is that item's error."""

    __slots__ = ("unreadable",)

    def __init__(self, activation: Activation, unreadable: dict[str, Unreadable] | None = None) -> None:
        super().__init__(activation)
        self.unreadable = dict(unreadable or {})

    def __setitem__(self, name: str, value: Value) -> None:
        if type(value) is Unreadable:
            self.pop(name, None)
            self.unreadable[name] = value
        else:
            self.unreadable.pop(name, None)
            super().__setitem__(name, value)

    def __missing__(self, name: str) -> Value:
        if name in self.unreadable:
            raise self.unreadable[name].error
        raise KeyError(name)

    def copy(self) -> _Scope:
        return _Scope(self, self.unreadable)


class _Loop:
    """
    What a comprehension compiles to, before its kind is looked at.

    name: under which the item of a step stands in the scope.  pairs: whether items are pairs (index, item), (key, value).
    weight: nodes that a step evaluates.
    """

    __slots__ = ("body", "condition", "name", "pairs", "range", "weight")

    def __init__(self, compiler: Compiler, node: Comprehension) -> None:
        names = tuple(variable.name for variable in node.variables)
        self.range = compiler.compile(node.range)
        self.pairs = len(names) == 2
        self.name = PAIR if self.pairs else names[0]
        self.condition: Program | None = None
        first = 0
        if node.condition is not None:
            self.condition, first = compiler.body(node.condition, names)
        self.body, second = compiler.body(node.body, names)
        self.weight = first + second + 1
        if self.pairs and self.condition:
            self.condition = _unpacking(self.condition, names)
        elif self.pairs:
            self.body = _unpacking(self.body, names)

    def walk(self, value: Value) -> tuple[list[Value], Unknown | None]:
        """The items of the range, and the unknown of those that may still come."""
        if isinstance(value, list):
            rest = Unknown(value.path) if type(value) is OpenList else None
            items = value.cel_items() if hasattr(value, "cel_items") else value
            if Optional in map(type, items):
                spend(_READ * len(items))
                items = list(map(reread, items))
            if self.pairs:
                spend(len(items))
                return list(enumerate(items)), rest
            return items, rest
        if not isinstance(value, dict):
            raise EvaluationError(NO_SUCH_OVERLOAD, f"{kind_of(value)} has no items: a list or map is needed")
        if self.pairs and hasattr(value, "cel_items"):
            pay_to_sort(dict.keys(value))
            return value.cel_items(), None
        rest = Unknown(value.path) if type(value) is OpenMap else None
        if type(value) is not KeyedMap:
            pay_to_sort(value)
            keys = sorted(value)
            return ([(key, value[key]) for key in keys] if self.pairs else keys), rest
        from krm_fn.cel.maps import sorted_entries

        spend(_INSERTED * len(value))
        entries = sorted_entries(value)
        return (entries if self.pairs else [key for key, _ in entries]), rest

    def scope(self, activation: Activation, value: Value) -> Activation:
        """Where the body is run: a copy of the activation, to which each step adds its item."""
        if not hasattr(value, "cel_items"):
            return activation.copy()
        return _Scope(activation, getattr(activation, "unreadable", None))


def _unpacking(run: Program, names: tuple[str, ...]) -> Program:
    first, second = names

    def run_unpacking(scope: Activation) -> Value:
        scope[first], scope[second] = scope[PAIR]
        return run(scope)

    return run_unpacking


def compile_comprehension(compiler: Compiler, node: Comprehension) -> Program:
    return _KINDS[node.kind](_Loop(compiler, node))


def _no_bool(value: Value, what: str) -> EvaluationError:
    return EvaluationError(NO_SUCH_OVERLOAD, f"{kind_of(value)} as the answer of {what}: a bool is needed")


def _merged(first: Unknown | None, second: Unknown) -> Unknown:
    return second if first is None else merge_unknowns(first, second)


def _quantifier(loop: _Loop, *, stop: bool) -> Program:
    """`all` (an item whose answer is False decides) and `exists` (True does)."""
    range_, name, body, weight, go_on = loop.range, loop.name, loop.body, loop.weight, not stop
    what = "exists()" if stop else "all()"

    def run(activation: Activation) -> Value:
        value = range_(activation)
        if type(value) is Unknown:
            return value
        items, unknown = loop.walk(value)
        scope = loop.scope(activation, value)
        spend(len(activation) // _VARIABLES)
        failure: EvaluationError | None = None
        batches = (items,) if len(items) <= BATCH else (items[i : i + BATCH] for i in range(0, len(items), BATCH))
        for batch in batches:
            spend(len(batch) * weight + (len(batch) >> 3))
            for taken, scope[name] in enumerate(batch, 1):
                try:
                    answer = body(scope)
                except EvaluationError as error:
                    if error.kind in NEVER_ABSORBED:
                        raise
                    spend(FAILURE)
                    failure = failure or error
                    continue
                if answer is stop:
                    budget.left += (len(batch) - taken) * weight
                    return stop
                if answer is not go_on:
                    if type(answer) is Unknown:
                        unknown = _merged(unknown, answer)
                    else:
                        failure = failure or _no_bool(answer, what)
        if unknown is not None:
            return unknown
        if failure is not None:
            raise failure
        return go_on

    return run


def _all(loop: _Loop) -> Program:
    return _quantifier(loop, stop=False)


def _exists(loop: _Loop) -> Program:
    return _quantifier(loop, stop=True)


def _exists_one(loop: _Loop) -> Program:
    range_, name, body, weight = loop.range, loop.name, loop.body, loop.weight

    def run(activation: Activation) -> Value:
        value = range_(activation)
        if type(value) is Unknown:
            return value
        items, unknown = loop.walk(value)
        spend(len(items) * weight + len(activation) // _VARIABLES)
        scope = loop.scope(activation, value)
        count = 0
        for scope[name] in items:
            answer = body(scope)
            if answer is True:
                count += 1
            elif type(answer) is Unknown:
                unknown = _merged(unknown, answer)
            elif answer is not False:
                raise _no_bool(answer, "exists_one()")
        if unknown is None or count > 1:
            # Two are too many, whatever the others turn out to be.
            return count == 1
        return unknown

    return run


def _map(loop: _Loop) -> Program:
    """`map` and `transformList`: the answers, of those items that the condition takes."""
    range_, name, condition, body, weight = loop.range, loop.name, loop.condition, loop.body, loop.weight

    def run(activation: Activation) -> Value:
        value = range_(activation)
        if type(value) is Unknown:
            return value
        items, unknown = loop.walk(value)
        spend(len(items) * weight + len(activation) // _VARIABLES)
        scope = loop.scope(activation, value)
        result: list[Value] = []
        for scope[name] in items:
            if condition is not None:
                taken = condition(scope)
                if taken is False:
                    continue
                if taken is not True:
                    unknown = _merged(unknown, _unknown_condition(taken))
                    continue
            answer = body(scope)
            if type(answer) is Unknown:
                unknown = _merged(unknown, answer)
            else:
                result.append(answer)
        return result if unknown is None else unknown

    return run


def _unknown_condition(answer: Value) -> Unknown:
    if type(answer) is Unknown:
        return answer
    raise _no_bool(answer, "a condition")


def _filter(loop: _Loop) -> Program:
    range_, name, body, weight = loop.range, loop.name, loop.body, loop.weight

    def run(activation: Activation) -> Value:
        value = range_(activation)
        if type(value) is Unknown:
            return value
        items, unknown = loop.walk(value)
        spend(len(items) * weight + len(activation) // _VARIABLES)
        scope = loop.scope(activation, value)
        result: list[Value] = []
        for item in items:
            scope[name] = item
            answer = body(scope)
            if answer is True:
                if type(item) is Unreadable:
                    raise item.error
                if type(item) is Unknown:
                    unknown = _merged(unknown, item)
                result.append(item)
            elif answer is not False:
                unknown = _merged(unknown, _unknown_condition(answer))
        return result if unknown is None else unknown

    return run


def _transform_map(loop: _Loop) -> Program:
    """`transformMap`: the answers under the items' own keys."""
    return _into_map(loop, _insert_answer)


def _insert_answer(pairs: list[tuple[Value, Value]], item: Value, answer: Value) -> None:
    pairs.append((item[0], answer))


def _transform_map_entry(loop: _Loop) -> Program:
    """`transformMapEntry`: the answers are maps, laid into one. No key may come twice."""
    return _into_map(loop, _insert_entries)


def _insert_entries(pairs: list[tuple[Value, Value]], _: Value, answer: Value) -> None:
    from krm_fn.cel.maps import sorted_entries

    if not isinstance(answer, dict):
        message = f"{kind_of(answer)} as the answer of transformMapEntry(): a map is needed"
        raise EvaluationError(NO_SUCH_OVERLOAD, message)
    pairs.extend(sorted_entries(answer))


def _into_map(loop: _Loop, insert: Callable[[list[tuple[Value, Value]], Value, Value], None]) -> Program:
    from krm_fn.cel.maps import make_map, repeated_key

    range_, name, condition, body, weight = loop.range, loop.name, loop.condition, loop.body, loop.weight

    def run(activation: Activation) -> Value:
        value = range_(activation)
        if type(value) is Unknown:
            return value
        items, unknown = loop.walk(value)
        spend(len(items) * weight + len(activation) // _VARIABLES)
        scope = loop.scope(activation, value)
        pairs: list[tuple[Value, Value]] = []
        for item in items:
            scope[name] = item
            if condition is not None:
                taken = condition(scope)
                if taken is False:
                    continue
                if taken is not True:
                    unknown = _merged(unknown, _unknown_condition(taken))
                    continue
            answer = body(scope)
            if type(answer) is Unknown:
                unknown = _merged(unknown, answer)
            elif type(answer) is OpenMap and insert is _insert_entries:
                unknown = _merged(unknown, Unknown(answer.path))
            else:
                insert(pairs, item, answer)
        spend(_INSERTED * len(pairs))
        if unknown is not None:
            return unknown
        repeated = repeated_key(pairs)
        if repeated:
            raise EvaluationError(BAD_ARGUMENT, f"{repeated[0]!r}: the key is inserted twice")
        return make_map(pairs)

    return run


_KINDS: dict[str, Callable[[_Loop], Program]] = {
    "all": _all,
    "exists": _exists,
    "exists_one": _exists_one,
    "map": _map,
    "filter": _filter,
    "transformList": _map,
    "transformMap": _transform_map,
    "transformMapEntry": _transform_map_entry,
}


def compile_sort_by(compiler: Compiler, node: SortBy) -> Program:
    """`range.sortBy(x, key)`: stable, in the order of the keys, which must be of one type that has an order."""
    from krm_fn.cel.library.lists import sort_by_keys
    from krm_fn.cel.maps import sorted_keys

    range_ = compiler.compile(node.range)
    name = node.variable.name
    key, weight = compiler.body(node.key, (name,))

    def run(activation: Activation) -> Value:
        items = range_(activation)
        if type(items) is Unknown:
            return items
        if not isinstance(items, (list, dict)):
            raise _no_list(items)
        spend(len(items) * (weight + _SORTED) + len(activation) // _VARIABLES)
        scope = activation.copy()
        unknown = Unknown(items.path) if isinstance(items, (OpenList, OpenMap)) else None
        keys: list[Value] = []
        for scope[name] in items if isinstance(items, list) else sorted_keys(items):
            answer = key(scope)
            if type(answer) is Unknown:
                unknown = _merged(unknown, answer)
            keys.append(answer)
        if unknown is not None:
            return unknown
        if not isinstance(items, list):
            raise _no_list(items)  # once all keys are there, as in cel-go
        return sort_by_keys(items, keys)

    return run


def _no_list(items: Value) -> EvaluationError:
    return EvaluationError(NO_SUCH_OVERLOAD, f"{kind_of(items)}.sortBy(): a list is needed")


class _Failure:
    """The error of a bound variable's initial value: it counts only when the variable is read."""

    __slots__ = ("error",)

    def __init__(self, error: EvaluationError) -> None:
        self.error = error


def read_bound(name: str) -> Program:
    """The variable of a cel.bind."""

    def read(scope: Activation) -> Value:
        value = scope[name]
        if type(value) is _Failure:
            raise value.error
        return value

    return read


def compile_bind(compiler: Compiler, node: Bind) -> Program:
    initial = compiler.compile(node.initial)
    name = node.variable.name
    body, weight = compiler.body(node.body, (name,), lazy=True)

    def run(activation: Activation) -> Value:
        spend(weight + len(activation) // _VARIABLES)
        scope = activation.copy()
        try:
            scope[name] = reread(initial(activation))
        except EvaluationError as error:
            if error.kind in NEVER_ABSORBED:
                raise
            spend(FAILURE)
            scope[name] = _Failure(error)
        return body(scope)

    return run


def compile_optional_map(compiler: Compiler, node: OptionalMap) -> Program:
    """`target.optMap(x, body)`: the optional of the body with the target's value; none if there is none."""
    target = compiler.compile(node.target)
    name, flat = node.variable.name, node.flat
    body, weight = compiler.body(node.body, (name,))

    def run(activation: Activation) -> Value:
        optional = target(activation)
        if type(optional) is Unknown:
            return optional
        if type(optional) is not Optional:
            method = "optFlatMap" if flat else "optMap"
            raise EvaluationError(NO_SUCH_OVERLOAD, f"{kind_of(optional)}.{method}(): an optional is needed")
        if optional is NONE:
            return NONE
        spend(weight + len(activation) // _VARIABLES)
        scope = activation.copy()
        scope[name] = reread(readable(optional.value))
        value = body(scope)
        if flat or type(value) is Unknown:
            return reread(value)
        return reread(Optional(value))

    return run
