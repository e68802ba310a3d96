"""
The record that declares a library function, and the choice among a function's overloads by the values that arrive.

Enters: declarations (`Overload`).  Leaves: one callable a function name and arity.  Not known here: syntax trees.
Macros are not functions; they live in `cel.macros`.

The choice is cel-go's: overloads are tried in the order of their declaration; scalars and opaque types must be of the
declared type; of a list only the first element is looked at (an empty list suits every list).  So the exact Python types
of the arguments settle nearly every call, and the answer is kept in a table keyed by them; only `list(int)` and the like
look at an element each time.
"""

from __future__ import annotations

from krm_fn.cel.budget import CONTAINER, FAILURE, spend, too_deep
from krm_fn.cel.errors import NO_SUCH_OVERLOAD, EvaluationError
from krm_fn.cel.values import (
    Omit,
    OpenList,
    OpenMap,
    Optional,
    SettledList,
    SettledMap,
    TypeValue,
    Uint,
    Unknown,
    merge_unknowns,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any, TypeAlias

    Implementation: TypeAlias = Callable[..., Any]

MAX_ELEMENTS = 1_000_000
"""The longest list that one call may build (`lists.range`, `split`): far above any manifest, far below any harm."""

_WALKED = 4
"""Units for an element that is looked at in passing."""

MAX_TEXT = 16_000_000
"""The longest text that one call may build, in code points (`replace`, `join`, `format`)."""


COMPARABLE = ("int", "uint", "double", "bool", "duration", "timestamp", "string", "bytes")
"""The types whose values have an order, as overloads name them."""

COMPARABLE_KINDS = frozenset(
    {*COMPARABLE, "google.protobuf.Duration", "google.protobuf.Timestamp"} - {"duration", "timestamp"}
)
"""The same, as `kind_of` names them."""


class Overload:
    """
    One overload of a function, under cel-go's own id.

    name: `size`, `lists.range`, or the method name for members.  params and result are types in CEL's notation:
    `int uint double bool string bytes null_type duration timestamp dyn type list(T) map(K, V) optional_type(T)`, a capital
    letter for any type, or an opaque type's name (`kubernetes.Quantity`).  member: `params[0]` is the receiver.
    impl: takes the arguments as values of `cel.values` (never an Unknown, never an error) and raises EvaluationError.
    examples: expressions that must be true.  guarded: false where cel-go asks at run time only for the arguments' own types,
    never for those of their elements (`[1, 2].flatten()` through dyn).
    """

    __slots__ = ("doc", "examples", "guarded", "id", "impl", "member", "name", "params", "result")

    def __init__(  # noqa: PLR0913
        self,
        id: str,  # noqa: A002
        name: str,
        params: tuple[str, ...],
        result: str,
        impl: Implementation,
        *,
        member: bool = False,
        doc: str = "",
        examples: tuple[str, ...] = (),
        guarded: bool = True,
    ) -> None:
        self.id = id
        self.name = name
        self.params = params
        self.result = result
        self.impl = impl
        self.member = member
        self.doc = doc
        self.examples = examples
        self.guarded = guarded


def function(
    id: str,  # noqa: A002
    name: str,
    params: tuple[str, ...],
    result: str,
    impl: Implementation,
    doc: str,
    *examples: str,
) -> Overload:
    """Declare an overload that is called by its name alone: `size(x)`, `lists.range(3)`."""
    return Overload(id, name, params, result, impl, doc=doc, examples=examples)


def member(
    id: str,  # noqa: A002
    name: str,
    params: tuple[str, ...],
    result: str,
    impl: Implementation,
    doc: str,
    *examples: str,
) -> Overload:
    """Declare an overload that is called on a receiver, its first parameter: `x.size()`."""
    return Overload(id, name, params, result, impl, member=True, doc=doc, examples=examples)


_KINDS: dict[type, str] = {
    type(None): "null_type",
    bool: "bool",
    int: "int",
    Uint: "uint",
    float: "double",
    str: "string",
    bytes: "bytes",
    list: "list",
    OpenList: "list",
    dict: "map",
    OpenMap: "map",
    SettledList: "list",
    SettledMap: "map",
    Optional: "optional_type",
    Omit: "kro.omit",
    TypeValue: "type",
}
_NOTATION = {"timestamp": "google.protobuf.Timestamp", "duration": "google.protobuf.Duration"}


def kind_of(cls: type) -> str:
    """Name the CEL type of values of exactly this Python class, as `type(x)` names it."""
    kind = _KINDS.get(cls)
    if kind is None:
        kind = getattr(cls, "cel_type", "") or (
            "map" if issubclass(cls, dict) else "list" if issubclass(cls, list) else cls.__name__
        )
        _KINDS[cls] = kind
    return kind


def element_type(notation: str) -> str:
    """Turn `list(int)` into `int`; a type without parameters, or with a capital letter for one, -> an empty string: any."""
    inner = notation.partition("(")[2][:-1]
    return "" if is_any(inner) or "," in inner else inner


def is_any(notation: str) -> bool:
    """Tell whether every value suits: `dyn`, `T`."""
    return notation == "dyn" or (len(notation) == 1 and notation.isupper())


def _is_of_kind(notation: str, cls: type) -> bool:
    base = notation.partition("(")[0]
    return is_any(notation) or kind_of(cls) == _NOTATION.get(base, base)


def _fits(notation: str, value: Any) -> bool:
    """Ask of the value's own type and, of a list, its first element's. An unknown element may be anything."""
    cls = type(value)
    if cls is Unknown:
        return True
    if not _is_of_kind(notation, cls):
        return False
    inner = element_type(notation)
    if not (inner and notation.startswith("list(") and value):
        return True
    return type(value[0]) is Unknown or _is_of_kind(inner, type(value[0]))


def _fits_elements(overload: Overload, args: tuple[Any, ...]) -> bool:
    return all(_fits(notation, value) for notation, value in zip(overload.params, args, strict=True))


def describe(value: Any) -> str:
    """Name a value's type as messages do: `[1]` is a `list(int)`."""
    kind = kind_of(type(value))
    return f"list({kind_of(type(value[0]))})" if kind == "list" and value else kind


def no_such_overload(name: str, args: tuple[Any, ...]) -> EvaluationError:
    """Say which call no overload takes, by the types of its arguments."""
    return EvaluationError(NO_SUCH_OVERLOAD, f"{name}({', '.join(map(describe, args))}): no such overload")


class Choice:
    """
    The overloads of one function with one number of arguments, as a callable.

    sources: what gives the overloads of each module that declares some, in order; a later one is asked only for arguments
    that suit no earlier one, so that `string(1)` does not import IP addresses.
    """

    __slots__ = ("name", "sources", "table")

    def __init__(self, name: str, sources: tuple[Callable[[], tuple[Overload, ...]], ...]) -> None:
        self.name = name
        self.sources = sources
        self.table: dict[tuple[type, ...], Implementation] = {}

    def bind(self, arity: int) -> Implementation:
        """Give the callable for that many arguments. One closure an arity: a call is one look-up in a table."""
        table, settle = self.table, self._settle
        if arity == 1:

            def one(value: Any) -> Any:
                impl = table.get((type(value),))
                return impl(value) if impl is not None else settle((value,))(value)

            return one
        if arity == 2:

            def two(first: Any, second: Any) -> Any:
                impl = table.get((type(first), type(second)))
                return impl(first, second) if impl is not None else settle((first, second))(first, second)

            return two

        def several(*args: Any) -> Any:
            impl = table.get(tuple(map(type, args)))
            return impl(*args) if impl is not None else settle(args)(*args)

        return several

    def _settle(self, args: tuple[Any, ...]) -> Implementation:
        """Find what serves arguments of exactly these Python types, and remember it."""
        types = tuple(map(type, args))
        for source in self.sources:
            candidates = [o for o in source() if all(map(_is_of_kind, o.params, types))]
            if candidates:
                impl = self._serve(candidates)
                self.table[types] = impl
                return impl
        spend(2 * FAILURE)
        raise no_such_overload(self.name, args)

    def _serve(self, candidates: list[Overload]) -> Implementation:
        first = candidates[0]
        if not first.guarded or not any(map(element_type, first.params)):
            return _at_its_price(first)

        known: dict[tuple[type | None, ...], Implementation] = {}

        def by_elements(*args: Any) -> Any:
            firsts = tuple([type(arg[0]) if isinstance(arg, list) and arg else None for arg in args])
            impl = known.get(firsts)
            if impl is None:
                impl = next((_at_its_price(o) for o in candidates if _fits_elements(o, args)), None)
                if impl is None:
                    spend((2 + len(candidates)) * FAILURE)
                    raise no_such_overload(self.name, args)
                known[firsts] = impl
            return impl(*args)

        return by_elements


def _at_its_price(overload: Overload) -> Implementation:
    """What serves the overload, paid for before it is called."""
    from krm_fn.cel.library.prices import price_of

    units, each = price_of(overload.id, overload.name)
    impl = overload.impl
    if not each:

        def pay_and_call(*args: Any) -> Any:
            spend(units)
            return impl(*args)

        return pay_and_call if units else impl

    def pay_by_size_and_call(*args: Any) -> Any:
        spend(units + int(each * sum(map(size_of, args))))
        return impl(*args)

    return pay_by_size_and_call


def size_of(value: Any) -> int:
    """How many characters or elements a value has; of other types, how much as many take."""
    return len(value) if isinstance(value, (str, bytes, list, dict)) else getattr(value, "cel_size", 0)


def pay_to_walk(value: Any) -> None:
    """
    Pay for looking at all of a value.

    A list that holds another twice, which holds another twice, is small to build and endless to walk.
    """
    pending = [(value, 0)]
    while pending:
        top, depth = pending.pop()
        if type(top) is Optional:
            pending.append((top.value, depth + 1))
        elif isinstance(top, (list, dict)):
            spend(CONTAINER + _WALKED * len(top))
            too_deep(depth)
            pending.extend([(part, depth + 1) for part in _inside(top) if isinstance(part, _HOLDERS)])


def pay_for_texts(values: list[Any], rounds: int = 1) -> None:
    """Pay for comparing long texts among *values*, each so often."""
    if str in (kinds := set(map(type, values))) or bytes in kinds:
        spend(rounds * sum(len(value) for value in values if isinstance(value, (str, bytes))) >> 8)


def unknown_among(values: Iterable[Any]) -> Unknown | None:
    """Merge the unknowns that stand directly among these values; None where there is none."""
    found: Unknown | None = None
    for value in values:
        if type(value) is Unknown:
            found = value if found is None else merge_unknowns(found, value)
    return found


def unknown_in(value: Any) -> Unknown | None:
    """
    Say what of a list or map is unknown, if anything is: an element, or (of an open one) what may follow.

    Only the value itself is looked at, not what its elements contain. Other values are known.
    """
    if isinstance(value, (list, dict)):
        inside = list(_inside(value))
        found = unknown_among(inside) if Unknown in map(type, inside) else None
    else:
        return None
    if type(value) is OpenList or type(value) is OpenMap:
        rest = Unknown(value.path)
        return rest if found is None else merge_unknowns(found, rest)
    return found


def unknown_within(value: Any) -> Unknown | None:
    """Do the same at any depth: for functions that look at everything (`json.marshal`, `format`)."""
    return _merge_all(map(unknown_in, _containers(value)))


def _merge_all(unknowns: Iterable[Unknown | None]) -> Unknown | None:
    return unknown_among(unknown for unknown in unknowns if unknown is not None)


def _containers(value: Any) -> Iterator[Any]:
    """Give every list and map inside of a value once, however often it stands there."""
    stack = [value]
    seen: set[int] = set()
    while stack:
        top = stack.pop()
        if type(top) is Optional:
            stack.append(top.value)
        elif isinstance(top, (list, dict)) and id(top) not in seen:
            seen.add(id(top))
            yield top
            stack.extend([part for part in _inside(top) if isinstance(part, _HOLDERS)])


_HOLDERS = (list, dict, Optional)


def _inside(container: Any) -> Iterator[Any]:
    """Give what Python holds in a list or map: of a typed view the data behind it, none of which is read for this."""
    return iter(dict.values(container)) if isinstance(container, dict) else list.__iter__(container)


def on_known_elements(impl: Implementation) -> Implementation:
    """Answer with the unknown where a list or map among the arguments has one directly inside, else call *impl*."""

    def call(*args: Any) -> Any:
        for arg in args:
            if unknown_in(arg) is not None:
                return _merge_all(map(unknown_in, args))
        return impl(*args)

    return call


def on_known_content(impl: Implementation) -> Implementation:
    """Answer with the unknown where an argument has one at any depth, else call *impl*. All of the arguments is paid for."""

    def call(*args: Any) -> Any:
        for arg in args:
            pay_to_walk(arg)
        unknown = _merge_all(map(unknown_within, args))
        return impl(*args) if unknown is None else unknown

    return call
