"""
One node of one instance: excluded, deferred, or its objects.

Enters: a Node and the `Scene` (what expressions see, how the nodes before it ended).  Leaves: an `Outcome`; the node's own
view is put into the scene for those after it.  Not known here: nested instances (`instance` expands them), output.

The rules are those of one kro reconcile in which everything before this node has been applied (v0.9.3 pkg/runtime/node*.go):

1. A dependency that is excluded excludes the node; so does an own includeWhen that is false. includeWhen is asked first, and
   one that reads resources waits until they are ready.
2. A dependency that is deferred or not ready defers the node.
3. The template's expressions are evaluated. An unknown value defers. A missing one is what kro takes for data that is not there
   yet: it defers too. Every other error is the author's bug: a `Fault`.

Only what step 3 finds missing below `schema` cannot come later: kro waits for ever, and the wait says so.
"""

from __future__ import annotations

from krm_fn.cel import EvaluationError, to_json
from krm_fn.cel.values import OMIT, OpenList, OpenMap, Unknown
from krm_fn.expand.outcome import (
    DEFERRED,
    DEPENDENCY,
    EXCLUDED,
    MISSING,
    NEVER_READY,
    NOT_READY,
    RESOLVED,
    UNKNOWN,
    Fault,
    Item,
    Outcome,
    Wait,
)
from krm_fn.expand.view import as_stored, asked_view, closed_view, without_secrets
from krm_fn.program import model
from krm_fn.program.definition import type_name
from krm_fn.program.template import remove_omitted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from krm_fn.expand.observed import Observed
    from krm_fn.expand.view import Shapes
    from krm_fn.program.model import Asked, Compiled, Node, Program
    from krm_fn.report.diagnostic import Subject

MAX_COLLECTION = 1000
_ABSENT = object()
_PLAIN = frozenset((str, int, bool))


class Scene:
    """
    What the nodes of one instance see and leave behind.

    names: the activation of expressions.  cache: values by slot, shared by all nodes of the instance; one more at the end, for
    the slot -1 of what is evaluated anew, stays absent.  gates: why a resolved
    node is not ready, by id; a node without an entry lets its dependents pass.
    """

    __slots__ = (
        "cache", "closed", "gates", "labels", "names", "namespace", "observed", "outcomes", "program", "shapes", "subject", "views",
    )  # fmt: skip

    def __init__(self, program: Program, subject: Subject, namespace: str, observed: Observed, shapes: Shapes) -> None:
        self.program = program
        self.shapes = shapes
        self.subject = subject
        self.namespace = namespace
        self.observed = observed
        self.closed = False
        """Whether an applied node counts as closed although nobody observed it (`--deferred fallback`)."""
        self.labels: dict[str, str] | None = None
        """kro's own labels for the children, or None where they are not asked for."""
        self.names: dict[str, Any] = {}
        self.cache: list[Any] = [_ABSENT] * (program.slots + 1)
        self.outcomes: dict[str, Outcome] = {}
        self.gates: dict[str, Wait] = {}
        self.views: dict[str, list[tuple[Any, bool]]] = {}
        """Node id -> for each of its objects what readyWhen sees of it (plain JSON, nothing typed), and whether it was observed."""

    def fault(self, code: str, message: str, **where: Any) -> Fault:
        return Fault(code, message, self.program, self.subject, **where)

    def evaluate(self, compiled: Compiled) -> Any:
        """The value of an expression, as plain JSON, OMIT or Unknown; evaluated once an instance where it has a slot."""
        value = self.cache[compiled.slot]
        if value is _ABSENT:
            value = compiled.run(self.names)
            if type(value) not in _PLAIN:
                value = to_json(value)
            if compiled.slot >= 0:
                self.cache[compiled.slot] = value
        return value


def expand_node(node: Node, scene: Scene) -> Outcome:
    """How *node* ends. Raises Fault for what kro would end in ERROR."""
    outcome = scene.outcomes[node.id] = Outcome(node, RESOLVED)
    for dependency in node.dependencies:
        if scene.outcomes[dependency].state == EXCLUDED:
            outcome.state = EXCLUDED
            outcome.why_excluded = (dependency, None)
            return outcome
    if node.include_when and not _included(node, scene, outcome):
        return outcome
    unseen: list[Wait] = []
    for dependency in node.dependencies:
        wait = _waits_for(dependency, scene)
        if wait is not None:
            (unseen if _is_unseen(dependency, scene) else outcome.waits).append(wait)
    objects = _resolve(node, scene, outcome)
    if unseen and not outcome.waits:
        # No expression needed a value of it, yet kro waits until it exists.
        outcome.waits = unseen
    if outcome.waits or objects is None:
        outcome.state = DEFERRED
        scene.names[node.id] = Unknown(node.id)
    else:
        outcome.items = objects
    return outcome


def publish(outcome: Outcome, scene: Scene) -> None:
    """Let the nodes after this one see it, and find out whether it keeps them waiting."""
    node = outcome.node
    if outcome.state != RESOLVED:
        return
    if node.asked is not None:
        _publish_view(outcome, node.asked, scene)
    if node.ready_when:
        wait = _gate(outcome, scene)
        if wait is not None:
            scene.gates[node.id] = wait
            scene.names[node.id] = Unknown(node.id)


def give_up(node: Node, scene: Scene) -> None:
    """After a fault: nothing is known of the node, so that those after it can still be looked at for faults of their own."""
    outcome = scene.outcomes[node.id] = Outcome(node, DEFERRED)
    outcome.waits = [Wait(UNKNOWN, (node.id,))]
    scene.names[node.id] = Unknown(node.id)


def _waits_for(dependency: str, scene: Scene) -> Wait | None:
    """Why a dependency keeps its dependents waiting, if it does."""
    found = scene.outcomes[dependency]
    if found.state == DEFERRED:
        first = found.waits[0]
        return Wait(DEPENDENCY, first.paths, None, (dependency, *first.chain))
    gate = scene.gates.get(dependency)
    return None if gate is None else Wait(gate.reason, gate.paths, gate.compiled, (dependency,))


def _is_unseen(dependency: str, scene: Scene) -> bool:
    """Whether it is an external reference that nobody observed: what is read of it says best what is waited for."""
    found = scene.outcomes[dependency]
    return found.node.is_external and found.state == DEFERRED and found.waits[0].compiled is None


# -- includeWhen ----------------------------------------------------------------------------------------------------


def _included(node: Node, scene: Scene, outcome: Outcome) -> bool:
    """Whether all conditions hold. Where that is not known, the outcome gets the waits."""
    waits: list[Wait] = []
    for compiled in node.include_when:
        resources = [root for root in compiled.roots if root != model.SCHEMA]
        blocked = [
            wait
            for wait in (_waits_for(root, scene) for root in resources if not _is_unseen(root, scene))
            if wait is not None
        ]
        if blocked:
            waits += blocked
            continue
        try:
            value = scene.evaluate(compiled)
        except EvaluationError as error:
            if not (resources and error.is_pending):
                raise _evaluation_fault(error, compiled, node, scene, f"includeWhen of {node.id!r}") from None
            waits.append(Wait(MISSING, (error.missing or resources[0],), compiled))
            continue
        if type(value) is Unknown:
            waits.append(Wait(UNKNOWN, value.paths, compiled))
        elif value is None or value is False:
            outcome.state = EXCLUDED
            outcome.why_excluded = ("", compiled)
            return False
        elif value is not True:
            raise _not_a_bool("includeWhen", value, compiled, node, scene)
    if waits:
        outcome.waits = waits
        outcome.state = DEFERRED
        scene.names[node.id] = Unknown(node.id)
        return False
    return True


# -- template -------------------------------------------------------------------------------------------------------


def _resolve(node: Node, scene: Scene, outcome: Outcome) -> list[Item] | None:
    """The node's objects; None, with the waits noted, where a value is missing."""
    if node.kind != model.COLLECTION:
        values = _evaluate_all(node.values, node, scene, outcome)
        if values is None or outcome.waits:
            return None
        if node.kind == model.RESOURCE:
            return [Item(_finish(node, values, scene, None))]
        return _look_up(node, values, scene, outcome)
    return _resolve_collection(node, scene, outcome)


def _evaluate_all(expressions: Sequence[Compiled], node: Node, scene: Scene, outcome: Outcome) -> list[Any] | None:
    """The values in order. What is unknown or missing is noted as a wait; then there is no list."""
    evaluate = scene.evaluate
    try:
        values = [evaluate(compiled) for compiled in expressions]
        if Unknown not in map(type, values):
            return values
    except EvaluationError:
        pass  # found again below, with everything else that has no value
    _note_waits(expressions, node, scene, outcome)
    return None


def _note_waits(expressions: Sequence[Compiled], node: Node, scene: Scene, outcome: Outcome) -> None:
    """One wait for each expression that has no value."""
    for compiled in expressions:
        try:
            value = scene.evaluate(compiled)
        except EvaluationError as error:
            if not error.is_pending:
                raise _evaluation_fault(error, compiled, node, scene, f"the template of {node.id!r}") from None
            outcome.waits.append(Wait(MISSING, (error.missing or compiled.expression.written,), compiled))
            continue
        blocked = outcome.waits and outcome.waits[0].reason in (DEPENDENCY, NOT_READY, NEVER_READY)
        if type(value) is Unknown and not blocked:
            outcome.waits.append(Wait(UNKNOWN, value.paths, compiled))


def _resolve_collection(node: Node, scene: Scene, outcome: Outcome) -> list[Item] | None:
    dimensions = _evaluate_dimensions(node, scene, outcome)
    if dimensions is None:
        return None
    size = 1
    for dimension, values in zip(node.dimensions, dimensions, strict=True):
        size *= len(values)
        if size > MAX_COLLECTION:
            raise scene.fault(
                "collection-too-large",
                f"forEach of {node.id!r} makes more than {MAX_COLLECTION} objects",
                compiled=dimension.values,
                node=node,
                help="kro refuses such a collection; split it over several resources or instances",
            )
    items: list[Item] = []
    saved = {d.name: scene.names.pop(d.name, _ABSENT) for d in node.dimensions}
    try:
        for index, combination in enumerate(_product(dimensions)):
            for dimension, value in zip(node.dimensions, combination, strict=True):
                scene.names[dimension.name] = value
            filled = _evaluate_all(node.values, node, scene, outcome)
            if filled is not None:
                items.append(Item(_finish(node, filled, scene, (index, size)), _item_key(combination)))
    finally:
        for name, value in saved.items():
            scene.names.pop(name, None)
            if value is not _ABSENT:
                scene.names[name] = value
    return None if outcome.waits else items


def _evaluate_dimensions(node: Node, scene: Scene, outcome: Outcome) -> list[list[Any]] | None:
    """
    The lists that forEach runs over.

    Their items are as plain JSON as elsewhere, except for parts of objects that nobody observed: these stay open.
    """
    dimensions: list[list[Any]] = []
    for dimension in node.dimensions:
        compiled = dimension.values
        try:
            found = compiled.run(scene.names)
            if isinstance(found, list) and type(found) is not OpenList:
                items = [item if isinstance(item, OpenMap | OpenList) else to_json(item) for item in found]
                waits = [item for item in items if type(item) is Unknown]
                value = waits[0] if waits else items
            else:
                value = to_json(found)
        except EvaluationError as error:
            if not error.is_pending:
                raise _evaluation_fault(
                    error, compiled, node, scene, f"forEach {dimension.name!r} of {node.id!r}"
                ) from None
            outcome.waits.append(Wait(MISSING, (error.missing or compiled.expression.written,), compiled))
            continue
        if type(value) is Unknown:
            outcome.waits.append(Wait(UNKNOWN, value.paths, compiled))
        elif isinstance(value, list):
            dimensions.append(value)
        else:
            raise scene.fault(
                "foreach-not-a-list",
                f"forEach {dimension.name!r} of {node.id!r} runs over {type_name(value)}, not over a list",
                compiled=compiled,
                node=node,
            )
    return dimensions if len(dimensions) == len(node.dimensions) else None


def _product(dimensions: list[list[Any]]) -> list[tuple[Any, ...]]:
    """Every combination, the first dimension outermost: kro v0.9.3 pkg/runtime/collection.go, cartesianProduct."""
    combinations: list[tuple[Any, ...]] = [()]
    for values in dimensions:
        combinations = [(*head, value) for head in combinations for value in values]
    return combinations


def _item_key(combination: tuple[Any, ...]) -> str:
    """Ten hexadecimal digits that stay with the iterator values, wherever they move in their lists."""
    import json
    from hashlib import sha256

    text = json.dumps(combination, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:10]


def _finish(node: Node, values: list[Any], scene: Scene, place: tuple[int, int] | None) -> dict[str, Any]:
    """A filled template with its namespace, checked for an identity. *place* is (index, size) in a collection."""
    made: dict[str, Any] = node.shape(values)
    if OMIT in values:
        made = remove_omitted(made)
    metadata: dict[str, Any] = made["metadata"]
    _check_text(node, scene, metadata, "name")
    if node.namespaced is not False:
        namespace = metadata.get("namespace")
        if namespace is not None:
            _check_text(node, scene, metadata, "namespace", required=False)
        if not namespace:
            made["metadata"] = _with_namespace(metadata, node, scene)
    if scene.labels is not None and not node.is_external:
        _decorate(made, node, scene.labels, place)
    return made


def _check_text(node: Node, scene: Scene, metadata: dict[str, Any], field: str, *, required: bool = True) -> None:
    value = metadata.get(field)
    if isinstance(value, str) and (value or not required):
        return
    if node.kind == model.EXTERNAL_COLLECTION and field == "name":
        return
    got = "missing" if value is None else "empty" if value == "" else type_name(value)
    raise scene.fault(
        "invalid-identity",
        f"metadata.{field} of {node.id!r} is {got}",
        node=node,
        compiled=next((node.values[i] for path, i in node.holes if path == ("metadata", field)), None),
        help="an object needs a name of its own, as a string",
    )


def _with_namespace(metadata: dict[str, Any], node: Node, scene: Scene) -> dict[str, Any]:
    """A namespaced child inherits the instance's namespace: kro v0.9.3 pkg/runtime/node.go, normalizeNamespaces."""
    if node.kind == model.EXTERNAL_COLLECTION:
        return metadata
    if not scene.namespace:
        if node.namespaced is None:
            return metadata
        raise scene.fault(
            "namespace-missing",
            f"{node.id!r} came out without a namespace, and a cluster-scoped instance has none to give",
            node=node,
        )
    placed: dict[str, Any] = {}
    for key, value in metadata.items():
        if key != "namespace":
            placed[key] = value
        if key == "name":
            placed["namespace"] = scene.namespace
    return placed


def _decorate(made: dict[str, Any], node: Node, labels: dict[str, str], place: tuple[int, int] | None) -> None:
    """Add kro's labels. The maps that the template shares are replaced, not changed."""
    metadata = made["metadata"] = dict(made["metadata"])
    own = metadata["labels"] = {**(metadata.get("labels") or {}), **labels, "kro.run/node-id": node.id}
    if place is not None:
        own["kro.run/collection-index"] = str(place[0])
        own["kro.run/collection-size"] = str(place[1])


# -- external references --------------------------------------------------------------------------------------------


def _look_up(node: Node, values: list[Any], scene: Scene, outcome: Outcome) -> list[Item] | None:
    """What was observed of an external reference. It is never assumed to exist: not seen, it defers its dependents."""
    wanted = _finish(node, values, scene, None)
    metadata = wanted["metadata"]
    namespace = "" if node.namespaced is False else metadata.get("namespace") or ""
    if node.kind == model.EXTERNAL:
        found = scene.observed.find((node.group, node.object_kind, namespace, metadata["name"]))
        if found is None:
            outcome.waits.append(Wait(UNKNOWN, (node.id,)))
            return None
        return [Item(found)]
    if not scene.observed.given:
        outcome.waits.append(Wait(UNKNOWN, (node.id,)))
        return None
    try:
        selected = scene.observed.select(node.group, node.object_kind, namespace, metadata.get("selector") or {})
    except ValueError as error:
        raise scene.fault("invalid-selector", f"selector of {node.id!r}: {error}", node=node) from None
    return [Item(found) for found in selected]


# -- views and readiness --------------------------------------------------------------------------------------------


def _publish_view(outcome: Outcome, asked: Asked, scene: Scene) -> None:
    node = outcome.node
    views = []
    raw = scene.views[node.id] = []
    for i, item in enumerate(outcome.items):
        path = f"{node.id}[{i}]" if node.is_collection else node.id
        desired = as_stored(item.object)
        if item.nested is not None:
            desired = {**item.nested.instance, "status": item.nested.status}
        seen: dict[str, Any] | None = item.object
        view: Any = without_secrets(item.object, path) if node.is_external else item.object
        if not node.is_external:
            metadata = item.object["metadata"]
            seen = scene.observed.find(
                (node.group, node.object_kind, metadata.get("namespace") or "", metadata["name"])
            )
            if seen is not None:
                view = closed_view(desired, without_secrets(seen, path))
            else:
                view = desired if scene.closed else asked_view(desired, asked, path)
                if item.nested is not None:
                    # An instance was admitted: its spec is what a server stores, and nobody adds to it.
                    view["spec"] = desired.get("spec", {})
        views.append(scene.shapes.typed(view, node))
        raw.append((view, seen is not None))
    scene.names[node.id] = views if node.is_collection else views[0]


def _gate(outcome: Outcome, scene: Scene) -> Wait | None:
    """
    What keeps the node's dependents waiting: the first readyWhen that does not hold.

    One that is unknown counts as open: the applier waits for it. Source: kro v0.9.3 pkg/runtime/node_readiness.go.
    """
    node = outcome.node
    own = model.EACH if node.is_collection else node.id
    for i, (view, is_observed) in enumerate(scene.views[node.id]):
        names = {own: view}
        for compiled in node.ready_when:
            path = f"{node.id}[{i}]" if node.is_collection else node.id
            if node.kind == model.EXTERNAL_COLLECTION:
                # sic: kro evaluates it with `each` alone in scope, and allows nothing but the own id.
                return Wait(NEVER_READY, (node.id,), compiled)
            try:
                value = to_json(compiled.run(names))
            except EvaluationError as error:
                if not error.is_pending:
                    raise _evaluation_fault(error, compiled, node, scene, f"readyWhen of {node.id!r}") from None
                return Wait(NOT_READY, (error.missing or path,), compiled)
            if type(value) is Unknown:
                continue
            if value is None or value is False:
                reason = NOT_READY if is_observed else NEVER_READY
                return Wait(reason, compiled.paths.get(own, (path,)), compiled)
            if value is not True:
                raise _not_a_bool("readyWhen", value, compiled, node, scene)
    return None


def _not_a_bool(condition: str, value: Any, compiled: Compiled, node: Node, scene: Scene) -> Fault:
    message = f"{condition} of {node.id!r} gives {type_name(value)}, not a boolean"
    return scene.fault("not-a-bool", message, compiled=compiled, node=node)


def _evaluation_fault(error: EvaluationError, compiled: Compiled, node: Node, scene: Scene, place: str) -> Fault:
    code = "missing-field" if error.is_pending else f"cel-{error.kind}"
    return scene.fault(code, f"{place}: {error}", compiled=compiled, node=node)
