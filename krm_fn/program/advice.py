"""
What the author of an expression may have meant. Imported where something is wrong.

Enters: names, texts, syntax trees.  Leaves: sentences for `help`, and whether a problem is the consequence of another one.
Not known here: which names a place allows (`build`).
"""

from __future__ import annotations

from itertools import islice

from krm_fn.cel.syntax import Identifier, MemberCall, children
from krm_fn.program.definition import is_lower_camel_case
from krm_fn.report.near import closest, did_you_mean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from krm_fn.cel.syntax import Node
    from krm_fn.program.definition import Definition

MACROS = (
    "all", "cel.bind", "exists", "exists_one", "existsOne", "filter", "map", "newCondition", "optFlatMap", "optMap", "sortBy",
    "transformList", "transformMap", "transformMapEntry",
)  # fmt: skip
_SHOWN = 12
_MOST = 500


def meant_name(name: str, allowed: Sequence[str], tree: Node) -> str:
    """Help for a name that nothing has."""
    names = (*allowed[:_MOST], *_bound(tree))
    shown = f"{', '.join(names[:_SHOWN])}{', …' if len(names) > _SHOWN else ''}"
    return did_you_mean(name, names) or f"known here: {shown}"


def meant_function(name: str) -> str:
    """The function or macro that is like *name*, or nothing."""
    from krm_fn.cel.library import index

    return closest(name, [*MACROS, *index.names()])


def namespaced_calls(tree: Node, unknown: Sequence[str], allowed: Sequence[str]) -> dict[str, tuple[str, int]]:
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
        if name in index.namespaces() or (not closest(name, allowed) and "." in meant_function(full)):
            found[name] = (full, node.target.start)
    return found


class Lost:
    """
    The resources whose ids are wrong, which was said: a name that is not known may be meant for one of them.

    To CEL, `my-app` is a subtraction.
    """

    def __init__(self, definition: Definition) -> None:
        self.texts = {text for resource in definition.resources for text in resource.stand_ins}
        unsound = (r.id for r in definition.resources if r.id and not is_lower_camel_case(r.id))
        self.ids = list(islice(unsound, _MOST))

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
