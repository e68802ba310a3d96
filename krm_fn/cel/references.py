"""
What an expression refers to: free names with their access paths, and functions.

Enters: a syntax tree.  Leaves: `References`.  Not known here: which names exist.

A name that a macro binds is hidden in the whole macro, also in the macro's own range and in the initial value of
cel.bind (sortBy and optMap leave their target alone). An access path ends at an index, a call or `.?`; a field of a method's
result counts as a field of its target. Both are how kro sees it, and what it draws its dependencies from.

Source: kro v0.9.3 pkg/cel/ast/inspector.go.
"""

from __future__ import annotations

from krm_fn.cel.stack import deep
from krm_fn.cel.syntax import (
    Bind,
    Call,
    Comprehension,
    Has,
    Identifier,
    MemberCall,
    OptionalMap,
    Select,
    SortBy,
    children,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krm_fn.cel.syntax import Node
    from krm_fn.cel.values import Path

_LAZY = ("or", "orValue")
"""Methods of optionals that look at their argument only when they must: `compile` has them, not the library."""


class References:
    """
    What one expression refers to. All tables are in the order of first use.

    roots: free name -> the paths under which it is used, without repeats (`{"vpc": ("vpc.status.id",)}`).
    offsets: free name -> where it stands first.  functions: name of each called function (`lists.range`; a method's alone)
    -> where it stands first.  unknown_functions, unknown_methods: those of them that kro does not declare; kro's
    inspector refuses the former, its type checker the latter.
    """

    __slots__ = ("functions", "offsets", "roots", "unknown_functions", "unknown_methods")

    def __init__(self) -> None:
        self.roots: dict[str, tuple[Path, ...]] = {}
        self.offsets: dict[str, int] = {}
        self.functions: dict[str, int] = {}
        self.unknown_functions: dict[str, int] = {}
        self.unknown_methods: dict[str, int] = {}

    @property
    def uses_omit(self) -> bool:
        """Whether `omit()` is called."""
        return "omit" in self.functions

    @property
    def uses_runtime(self) -> bool:
        """Whether the name `runtime` is used."""
        return "runtime" in self.roots


def references(node: Node) -> References:
    """Collect what *node* refers to."""
    found = References()
    deep(_visit, node, "", frozenset(), found)
    return found


def _visit(node: Node, path: Path, hidden: frozenset[str], found: References) -> None:
    """*path*: the fields that are selected from *node*, joined by dots."""
    while type(node) is Select and not node.optional:
        path = f"{node.field}.{path}" if path else node.field
        node = node.operand
    if type(node) is Identifier:
        if node.name not in hidden:
            _use(node, path, found)
    elif type(node) is Has:
        _visit(Select(node.operand, node.field, node.at, node.end), path, hidden, found)
    elif type(node) is MemberCall:
        _visit_member_call(node, path, hidden, found)
    elif type(node) is Comprehension:
        inner = hidden.union(variable.name for variable in node.variables)
        _visit(node.range, path, inner, found)
        for part in (node.condition, node.body):
            if part is not None:
                _visit(part, "", inner, found)
    elif type(node) is Bind:
        inner = hidden | {node.variable.name}
        _visit(node.initial, "", inner, found)
        _visit(node.body, "", inner, found)
    elif type(node) is OptionalMap:
        _visit(node.target, "", hidden, found)
        _visit(node.body, "", hidden | {node.variable.name}, found)
    elif type(node) is SortBy:
        _visit(node.range, "", hidden, found)
        _visit(node.key, "", hidden | {node.variable.name}, found)
    else:
        if type(node) is Call:
            _visit_call(node, found)
        for child in children(node):
            _visit(child, "", hidden, found)


def _use(node: Identifier, path: Path, found: References) -> None:
    full = f"{node.name}.{path}" if path else node.name
    paths = found.roots.get(node.name, ())
    if full not in paths:
        found.roots[node.name] = (*paths, full)
    found.offsets.setdefault(node.name, node.start)


def _visit_call(node: Call, found: References) -> None:
    from krm_fn.cel.library import index

    found.functions.setdefault(node.name, node.start)
    if not index.is_declared(node.name):
        found.unknown_functions.setdefault(node.name, node.start)


def _visit_member_call(node: MemberCall, path: Path, hidden: frozenset[str], found: References) -> None:
    from krm_fn.cel.library import index

    namespace = _spelled(node.target)
    full = f"{namespace}.{node.name}"
    if namespace and index.is_declared(full):
        found.functions.setdefault(full, node.start)
    else:
        _visit(node.target, path, hidden, found)
        found.functions.setdefault(node.name, node.at)
        if node.name not in _LAZY and not index.is_declared(node.name, member=True):
            found.unknown_methods.setdefault(node.name, node.at)
    for argument in node.arguments:
        _visit(argument, "", hidden, found)


def _spelled(node: Node) -> str:
    """`a.b` as text, if *node* is only names and dots."""
    fields: list[str] = []
    while type(node) is Select and not node.optional:
        fields.append(node.field)
        node = node.operand
    if type(node) is not Identifier:
        return ""
    return ".".join([node.name, *reversed(fields)])
