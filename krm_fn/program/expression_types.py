"""
Types of an RGD's expressions: what each name stands for, and what each place asks for.

Enters: a definition and the schema of its instances, then expressions with their trees.  Leaves: their types, and problems through a callback.
Not known here: which names a place allows, how expressions run.

The instance is typed by the schema of the CRD that kro generates, a node by that of its kind, a collection as a list of them. A node whose
kind has no schema here is `UNKNOWN`, so that no expression is refused for what only the schema could tell.

Source: kro v0.9.3 pkg/graph/builder.go.
"""

from __future__ import annotations

from krm_fn.cel import parse
from krm_fn.cel.check import CheckError, check
from krm_fn.cel.types import RUNTIME, UNKNOWN, list_of
from krm_fn.program import model
from krm_fn.schema.cel_types import (
    Root,
    element_of,
    is_condition_result,
    is_custom_condition,
    type_of_items,
    type_of_variable,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeAlias

    from krm_fn.cel.check import CheckProblem
    from krm_fn.cel.syntax import Node
    from krm_fn.cel.types import Type
    from krm_fn.program.definition import Definition, RawResource
    from krm_fn.program.template import Expression

    Schema: TypeAlias = dict[str, Any]

BOOL, LIST, CONDITION = "bool", "list", "condition"
"""What a place may ask of a result."""

_SUITS: dict[str, Callable[[Type], bool]] = {
    BOOL: is_condition_result,
    LIST: lambda output: element_of(output) is not None,
    CONDITION: is_custom_condition,
}


class ExpressionTypes:
    """
    The types of one RGD's names, and of the expressions seen so far.

    report: takes code, message, path, and `offset`, `length`, `help`.
    """

    __slots__ = ("_inner", "_local", "_report", "_seen", "_variables")

    def __init__(
        self,
        definition: Definition,
        schema: Schema | None,
        schemas: Mapping[str, Schema | None],
        report: Callable[..., None],
    ) -> None:
        """*schema*: the instance's; None where it is not known, so that nothing is said about it.  *schemas*: the nodes'."""
        self._report = report
        self._variables: dict[str, Type] = {model.RUNTIME: RUNTIME, model.EACH: UNKNOWN}
        for resource in definition.resources:
            if resource.id not in self._variables:
                self._variables[resource.id] = _of_node(resource, schemas.get(resource.id))
        instance = None if schema is None else type_of_variable(schema, model.SCHEMA)
        self._variables[model.SCHEMA] = UNKNOWN if instance is None else instance
        self._seen: dict[str, Type | CheckError] = {}
        self._local: Mapping[str, Type] | None = None
        self._inner: dict[str, Type | CheckError] = {}
        """The types of expressions that see the loop variables of `_local`."""

    def of(self, name: str) -> Type:
        """The type of a node, by its id."""
        return self._variables[name]

    def check(
        self, expression: Expression, tree: Node, wants: str, place: str, local: Mapping[str, Type] | None = None
    ) -> Type:
        """
        The type of an expression; UNKNOWN where something is wrong with it, which is reported.

        *wants*: what the place asks for, or an empty text.  *local*: loop variables.
        """
        found = self._type_of(expression, tree, local)
        if isinstance(found, CheckError):
            for problem in found.problems:
                self._report_problem(expression, problem)
            return UNKNOWN
        if wants and not _SUITS[wants](found):
            from krm_fn.cel import check_messages as say

            said = {
                BOOL: lambda: say.needs_bool(place, found),
                LIST: lambda: say.needs_list(place, found),
                CONDITION: lambda: say.needs_condition(found),
            }[wants]()
            length = len(expression.text)
            self._report(
                "cel-type", said[0], expression.path, offset=expression.scalar_offset(0), length=length, help=said[1]
            )
            return UNKNOWN
        return found

    def known(self, expression: Expression, local: Mapping[str, Type] | None = None) -> Type:
        """The type of an expression that has been checked; UNKNOWN where something is wrong with it."""
        found = self._cache(local).get(expression.text, UNKNOWN)
        return UNKNOWN if isinstance(found, CheckError) else found

    def _cache(self, local: Mapping[str, Type] | None) -> dict[str, Type | CheckError]:
        if not local:
            return self._seen
        if local is not self._local:
            self._local = local
            self._inner = {}
        return self._inner

    def _type_of(self, expression: Expression, tree: Node, local: Mapping[str, Type] | None) -> Type | CheckError:
        text = expression.text
        cache = self._cache(local)
        found = cache.get(text)
        if found is not None:
            return found
        if "__" in text:
            tree = parse(text)  # the other's fields have the names that objects have; types are known by CEL's
        try:
            found = check(tree, {**self._variables, **local} if local else self._variables)
        except CheckError as error:
            found = error
        cache[text] = found
        return found

    def _report_problem(self, expression: Expression, problem: CheckProblem) -> None:
        said, offset, length = (problem.message, problem.help), problem.offset, problem.length
        if expression.text == expression.written or any(o <= offset < o + n for o, _, n in expression.segments):
            offset = expression.scalar_offset(offset)
        else:  # at a `+` that joins the parts of a text
            from krm_fn.cel.check_messages import needs_string

            said = needs_string(problem.operands)
            behind = expression.text[offset + 2 : offset + 3] == "("
            joined = [s for s in expression.segments if (s[0] > offset if behind else s[0] < offset)]
            _, offset, length = joined[0 if behind else -1]
        self._report(problem.code, said[0], expression.path, offset=offset, length=length, help=said[1])


def kind_of(resource: RawResource) -> str:
    """What kind of node a resource becomes."""
    if not resource.external:
        return model.COLLECTION if resource.for_each else model.RESOURCE
    metadata = resource.template.get("metadata")
    selects = isinstance(metadata, dict) and metadata.get("selector") is not None
    return model.EXTERNAL_COLLECTION if selects else model.EXTERNAL


def _of_node(resource: RawResource, schema: Schema | None) -> Type:
    is_list = kind_of(resource) in (model.COLLECTION, model.EXTERNAL_COLLECTION)
    made: Type | None = None
    if schema is not None:
        origin = origin_of(resource.template)
        made = (
            type_of_items(schema, resource.id, origin)
            if is_list
            else type_of_variable(schema, resource.id, Root(origin))
        )
    made = made or UNKNOWN
    return list_of(made) if is_list else made


def each_of(schema: Schema, template: Mapping[str, Any]) -> dict[str, Type]:
    """What readyWhen of a collection sees: one item, typed by the schema of its kind."""
    return {model.EACH: type_of_variable(schema, model.EACH, Root(origin_of(template))) or UNKNOWN}


def origin_of(template: Mapping[str, Any]) -> str:
    """A kind as messages call it: `apps/v1 Deployment`."""
    return f"{template['apiVersion']} {template['kind']}"
