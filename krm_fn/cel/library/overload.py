"""
The record that declares a library function, and the choice among a function's overloads by the values that arrive.

Enters: declarations (`Overload`).  Leaves: one callable a function name and arity.  Not known here: syntax trees.
Macros are not functions; they live in `cel.macros`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Overload:
    """
    One overload of a function, under cel-go's own id.

    name: `size`, `lists.range`, or the method name for members.  params and result are types in CEL's notation:
    `int uint double bool string bytes null_type duration timestamp dyn type list(T) map(K, V) optional_type(T)`, a capital
    letter for any type, or an opaque type's name (`kubernetes.Quantity`).  member: `params[0]` is the receiver.
    impl: takes the arguments as values of `cel.values` (never an Unknown, never an error) and raises EvaluationError.
    examples: expressions that must be true.
    """

    __slots__ = ("doc", "examples", "id", "impl", "member", "name", "params", "result")

    def __init__(  # noqa: PLR0913
        self,
        id: str,  # noqa: A002
        name: str,
        params: tuple[str, ...],
        result: str,
        impl: Callable[..., Any],
        *,
        member: bool = False,
        doc: str = "",
        examples: tuple[str, ...] = (),
    ) -> None:
        self.id = id
        self.name = name
        self.params = params
        self.result = result
        self.impl = impl
        self.member = member
        self.doc = doc
        self.examples = examples
