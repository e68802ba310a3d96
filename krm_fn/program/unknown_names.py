"""
What is said of names and functions that an expression must not use, and what its author may have meant. Imported where one does.

Enters: an expression with the names that its place allows.  Leaves: one problem a mistake, through a callback; none where a name
is the consequence of what was said elsewhere.  Not known here: which names a place allows (`build`).
"""

from __future__ import annotations

from itertools import islice

from krm_fn.cel.syntax import Identifier, MemberCall, children
from krm_fn.program import model
from krm_fn.program.definition import is_lower_camel_case
from krm_fn.report.near import closest, did_you_mean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from krm_fn.cel import References
    from krm_fn.cel.syntax import Node
    from krm_fn.program.definition import Definition
    from krm_fn.program.template import Expression

_MACROS = (
    "all", "cel.bind", "exists", "exists_one", "existsOne", "filter", "map", "newCondition", "optFlatMap", "optMap", "sortBy",
    "transformList", "transformMap", "transformMapEntry",
)  # fmt: skip
_ELSEWHERE = {
    model.EACH: "each stands for one item, in readyWhen of a forEach resource",
    model.RUNTIME: "runtime is only there in status.conditions",
}
_SHOWN = 12
_MOST = 500
_MOST_LOST = 50
"""Each unknown name is compared with so many ids that are wrong."""


class Use:
    """One expression where it stands: its tree and references, what the place is called, what it allows, and why no more."""

    __slots__ = ("allowed", "expression", "place", "refs", "tree", "why_not")

    def __init__(
        self, expression: Expression, tree: Node, refs: References, place: str, allowed: Iterable[str], why_not: str
    ) -> None:
        self.expression = expression
        self.tree = tree
        self.refs = refs
        self.place = place
        self.allowed = list(islice(allowed, _MOST))
        self.why_not = why_not


class UnknownNames:
    """
    The unknown names of one RGD.

    is_in_want: whether a name was used that only resources could have, which cannot be read.
    """

    def __init__(self, definition: Definition, report: Callable[..., None]) -> None:
        self.is_in_want = False
        self._report = report
        self._ids = {resource.id for resource in definition.resources}
        self._lost = _Lost(definition)
        self._can_tell = definition.has_resources and "resources" not in definition.stand_ins

    def report(self, use: Use, functions: dict[str, int], names: Sequence[str]) -> None:
        """*functions*, with where they stand, and *names* that the place does not have."""
        calls = _namespaced_calls(use.tree, names, use.allowed)
        misspelt_macro = False  # the names that it binds would all be unknown
        for full, offset in calls.values():
            functions.pop(full.partition(".")[2], None)
            misspelt_macro = self._function(use, full, offset) or misspelt_macro
        for name, offset in functions.items():
            misspelt_macro = self._function(use, name, offset) or misspelt_macro
        for name in names:
            if name not in calls and not misspelt_macro:
                self._name(use, name)

    def _function(self, use: Use, name: str, offset: int) -> bool:
        """Returns whether a macro was meant, as far as that can be guessed."""
        from krm_fn.cel.library import index

        meant = _meant_function(name)
        advice = index.hint(name) or (f"did you mean {meant!r}?" if meant else "")
        self._at(use, "unknown-function", f"{name}() is not a function that kro has", name, offset, advice)
        return meant in _MACROS

    def _name(self, use: Use, name: str) -> None:
        offset = use.refs.offsets[name]
        if name in self._ids and use.place.endswith(f"{name!r}"):
            self._at(use, "self-reference", f"{use.place} refers to itself", name, offset, use.why_not)
        elif name in self._ids or name in (model.SCHEMA, model.EACH, model.RUNTIME):
            advice = use.why_not or _ELSEWHERE.get(name, "")
            self._at(use, "reference-not-allowed", f"{name!r} cannot be used in {use.place}", name, offset, advice)
        elif not self._can_tell:
            self.is_in_want = True
        elif not self._lost.may_have(name, use.expression.text, offset):
            advice = _meant_name(name, use.allowed, use.tree)
            self._at(use, "unknown-reference", f"{name!r} is not a resource of this RGD", name, offset, advice)

    def _at(self, use: Use, code: str, message: str, name: str, offset: int, advice: str) -> None:
        place = use.expression.scalar_offset(offset)
        self._report(code, message, use.expression.path, offset=place, length=len(name), help=advice)


def _meant_name(name: str, allowed: Sequence[str], tree: Node) -> str:
    """Help for a name that nothing has."""
    names = (*allowed, *_bound(tree))
    shown = f"{', '.join(names[:_SHOWN])}{', …' if len(names) > _SHOWN else ''}"
    return did_you_mean(name, names) or f"known here: {shown}"


def _meant_function(name: str) -> str:
    """The function or macro that is like *name*, or nothing."""
    from krm_fn.cel.library import index

    return closest(name, [*_MACROS, *index.names()])


def _namespaced_calls(tree: Node, unknown: Sequence[str], allowed: Sequence[str]) -> dict[str, tuple[str, int]]:
    """
    Which of the *unknown* names were meant as the namespace of a function: `json.marsahl(x)`, `math.abs(x)`.

    Returns the function, dot included, and where it stands first, by name.
    """
    from krm_fn.cel.library import index

    found: dict[str, tuple[str, int]] = {}
    names = {*unknown}
    nodes = [tree]
    for node in nodes:  # grows while it is read
        nodes.extend(children(node))
        if not isinstance(node, MemberCall) or not isinstance(node.target, Identifier):
            continue
        name, full = node.target.name, f"{node.target.name}.{node.name}"
        if name not in names or name in found:
            continue
        if name in index.namespaces() or (not closest(name, allowed) and "." in _meant_function(full)):
            found[name] = (full, node.target.start)
    return found


class _Lost:
    """
    The resources whose ids are wrong, which was said: a name that is not known may be meant for one of them.

    To CEL, `my-app` is a subtraction.
    """

    def __init__(self, definition: Definition) -> None:
        self.texts = {text for resource in definition.resources for text in resource.stand_ins}
        unsound = (r.id for r in definition.resources if r.id and not is_lower_camel_case(r.id))
        self.ids = list(islice(unsound, _MOST_LOST))

    def may_have(self, name: str, text: str, offset: int) -> bool:
        """*text*, *offset*: where the name stands."""
        if name in self.texts:
            return True
        for unsound in self.ids:
            start = text.find(unsound, max(0, offset - len(unsound)), offset + len(unsound))
            if unsound.startswith(name) or 0 <= start <= offset <= start + len(unsound) - len(name):
                return True
        return bool(self.ids) and bool(closest(name, self.ids))


def _bound(tree: Node) -> list[str]:
    """The variables of an expression's macros, without repeats."""
    nodes, names = [tree], []
    for node in nodes:  # grows while it is read
        bound = getattr(node, "variables", None) or (getattr(node, "variable", None),)
        names += [variable.name for variable in bound if variable is not None]
        nodes.extend(children(node))
    return list(dict.fromkeys(names))
