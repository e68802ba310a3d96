"""
What kro called a ResourceGroup before v0.2, and what each part of one is called now.

Enters: a document; the text of a scalar.  Leaves: whether it is one; names; the text with the names of now.  Not known here: how a
file is read and written so that its comments stay (`command.convert`).

Source: the history of kro's api/v1alpha1 (commits 5285c1c, 5cca272, 8909398 of November 2024, 9d5dfa4 of January 2025): `definition`
became `schema` and took `apiVersion` and `kind` in, a resource's `name` became `id`, and the instance got the name `schema`.
"""

from __future__ import annotations

from krm_fn.cel import CelSyntaxError, parse
from krm_fn.cel.syntax import Identifier, children
from krm_fn.program.template import TemplateError, scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any

    from krm_fn.cel.syntax import Node

OLD_KIND = "ResourceGroup"
_GROUPS = ("kro.run", "x.symphony.k8s.aws")
SPEC_NAMES = {"definition": "schema"}
RESOURCE_NAMES = {
    "name": "id",
    "definition": "template",
    "readyOn": "readyWhen",
    "conditional": "includeWhen",
    "conditions": "includeWhen",
}
GONE = {"defaultServiceAccounts": ("spec",), "validation": ("spec", "schema")}
"""Fields that kro no longer has, and where they stood. Neither ever changed an object."""
_INSTANCE = ("spec", "metadata")
"""What expressions could name of the instance before it was called `schema`."""


def is_resource_group(document: Any) -> bool:
    """Whether a document is a ResourceGroup of kro; kpt has a kind of that name in a group of its own."""
    return (
        isinstance(document, dict)
        and document.get("kind") == OLD_KIND
        and str(document.get("apiVersion", "")).partition("/")[0] in _GROUPS
    )


def with_schema(text: str, ids: Collection[str]) -> str:
    """
    *text* with `${spec.x}` written as `${schema.spec.x}`. *ids*: the resources, whose names mean themselves.

    What does not parse stays as it is: `rookery validate` says what is wrong with it.
    """
    if "${" not in text:
        return text
    try:
        matches = scan(text)
    except TemplateError:
        return text
    parts: list[str] = []
    at = 0
    for match in matches:
        start = match.start + 2
        for place in sorted(_places(match.text, ids)):
            parts.append(text[at : start + place])
            at = start + place
            parts.append("schema.")
    return "".join(parts) + text[at:]


def _places(expression: str, ids: Collection[str]) -> list[int]:
    """Where the instance is named by one of its parts, in code points of *expression*."""
    try:
        tree = parse(expression)
    except CelSyntaxError:
        return []
    found: list[int] = []
    rest: list[tuple[Node, frozenset[str]]] = [(tree, frozenset(ids))]
    while rest:
        node, hidden = rest.pop()
        if type(node) is Identifier and node.name in _INSTANCE and node.name not in hidden:
            found.append(node.start)
        bound = getattr(node, "variables", None) or (getattr(node, "variable", None),)
        inner = hidden.union(variable.name for variable in bound if variable is not None)
        rest += ((child, inner) for child in children(node))
    return found
