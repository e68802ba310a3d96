"""
A node's template filled in: its objects, or what they wait for.

Enters: a Node whose dependencies let it pass, the `Scene`.  Leaves: `Item`s; or None, with the waits noted in the outcome.  Not
known here: inclusion and readiness (`node`, `readiness`), nested instances.
"""

from __future__ import annotations

from krm_fn.cel import EvaluationError, to_json
from krm_fn.cel.values import OMIT, OpenList, OpenMap, Unknown
from krm_fn.expand.observed import list_key
from krm_fn.expand.outcome import DEPENDENCY, MISSING, NEVER_READY, NOT_READY, UNKNOWN, Item, Wait
from krm_fn.expand.scene import ABSENT
from krm_fn.program import model
from krm_fn.program.definition import type_name
from krm_fn.program.template import remove_omitted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from krm_fn.expand.outcome import Outcome
    from krm_fn.expand.scene import Scene
    from krm_fn.program.model import Compiled, Node

MAX_COLLECTION = 1000

_TEXTS = ("labels", "annotations")


def resolve(node: Node, scene: Scene, outcome: Outcome) -> list[Item] | None:
    """The node's objects; None, with the waits noted, where a value is missing. Raises Fault for the author's bugs."""
    if node.kind == model.COLLECTION:
        return _resolve_collection(node, scene, outcome)
    if node.kind == model.RESOURCE:
        item = _item(node, scene, outcome, None)
        return None if item is None else [item]
    wanted = fill_reference(node, scene, outcome)
    return None if wanted is None else _look_up(node, wanted, scene, outcome)


def fill_reference(node: Node, scene: Scene, outcome: Outcome) -> dict[str, Any] | None:
    """What an external reference asks for."""
    values = _evaluate_all(node.values, node, scene, outcome)
    return None if values is None or outcome.waits else _finish(node, values, scene, None)


def _item(
    node: Node,
    scene: Scene,
    outcome: Outcome,
    place: tuple[int, int] | None,
    combination: tuple[Any, ...] | None = None,
) -> Item | None:
    """One object, of the values that expressions have now; None where one is missing that the applier cannot fill in."""
    values = _evaluate_all(node.values, node, scene, outcome)
    if values is not None:
        return Item(_finish(node, values, scene, place), "" if combination is None else _item_key(combination))
    if scene.apply_time is None or outcome.obstacle:
        return None
    filled = scene.apply_time.fill(node, scene)
    if isinstance(filled, str):
        outcome.obstacle = filled
        return None
    item = Item(_finish(node, filled.values, scene, place), "" if combination is None else _item_key(combination))
    item.known = _finish(node, filled.known, scene, place)
    item.substitutions = filled.substitutions
    outcome.obstacle = scene.apply_time.refuses(item.object)
    return None if outcome.obstacle else item


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
    """One wait for each expression that has no value. A step of kro ends at the first."""
    for compiled in expressions:
        if scene.exact and outcome.waits:
            return
        try:
            value = scene.evaluate(compiled)
        except EvaluationError as error:
            if not error.is_pending:
                raise scene.evaluation_fault(error, compiled, node, f"the template of {node.id!r}") from None
            outcome.waits.append(
                Wait(MISSING, (error.missing or compiled.expression.written,), compiled, detail=str(error))
            )
            continue
        blocked = outcome.waits and outcome.waits[0].reason in (DEPENDENCY, NOT_READY, NEVER_READY)
        if type(value) is Unknown and not blocked:
            outcome.waits.append(Wait(UNKNOWN, value.paths, compiled))


def _resolve_collection(node: Node, scene: Scene, outcome: Outcome) -> list[Item] | None:
    if scene.exact and _evaluate_fixed(node, scene, outcome) is None:
        return None
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
    if not size and _evaluate_fixed(node, scene, outcome) is None:
        return None
    items: list[Item] = []
    saved = {d.name: scene.names.pop(d.name, ABSENT) for d in node.dimensions}
    try:
        for index, combination in enumerate(_product(dimensions)):
            for dimension, value in zip(node.dimensions, combination, strict=True):
                scene.names[dimension.name] = value
            item = _item(node, scene, outcome, (index, size), combination)
            if item is not None:
                items.append(item)
    finally:
        for name, value in saved.items():
            scene.names.pop(name, None)
            if value is not ABSENT:
                scene.names[name] = value
    return items if len(items) == size else None


def _evaluate_fixed(node: Node, scene: Scene, outcome: Outcome) -> list[Any] | None:
    """The values that need no loop variable: in kro they come before the lists, and count even where these are empty."""
    loops = {dimension.name for dimension in node.dimensions}
    fixed = [compiled for compiled in node.values if loops.isdisjoint(compiled.roots)]
    return _evaluate_all(fixed, node, scene, outcome)


def _evaluate_dimensions(node: Node, scene: Scene, outcome: Outcome) -> list[list[Any]] | None:
    """
    The lists that forEach runs over.

    Their items are as plain JSON as elsewhere, except for parts of objects that nobody observed: these stay open.
    """
    dimensions: list[list[Any]] = []
    for dimension in node.dimensions:
        compiled = dimension.values
        if scene.exact and outcome.waits:
            return None
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
                raise scene.evaluation_fault(
                    error, compiled, node, f"forEach {dimension.name!r} of {node.id!r}"
                ) from None
            outcome.waits.append(
                Wait(MISSING, (error.missing or compiled.expression.written,), compiled, detail=str(error))
            )
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
    if made is node.template:
        made = dict(made)  # nothing of it is the instance's own, and what is added below must not stay in it
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
    for field in _TEXTS:
        if metadata.get(field) is not None:
            _check_texts(node, scene, metadata[field], field)
    if scene.labels is not None and not node.is_external:
        _decorate(made, node, scene.labels, place)
    return made


def _check_texts(node: Node, scene: Scene, texts: Any, field: str) -> None:
    """No API server reads anything else, and nobody could check the value before it was there. What is unknown may be one."""
    if type(texts) is Unknown:
        return
    if isinstance(texts, dict):
        wrong = next((key for key, value in texts.items() if not isinstance(value, str | None | Unknown)), None)
        if wrong is None:
            return
        problem = f"has {type_name(texts[wrong])} at {wrong[:80]!r}, not a string"
    else:
        problem = f"is {type_name(texts)}, not a mapping of strings"
    raise scene.fault(
        "metadata-not-text",
        f"metadata.{field} of {node.id!r} {problem}",
        node=node,
        compiled=next((node.values[i] for path, i in node.holes if path[:2] == ("metadata", field)), None),
        help="string(…) makes a string of a number or a boolean",
    )


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


def _look_up(node: Node, wanted: dict[str, Any], scene: Scene, outcome: Outcome) -> list[Item] | None:
    """What was observed of an external reference. It is never assumed to exist: not seen, it defers its dependents."""
    metadata = wanted["metadata"]
    namespace = "" if node.namespaced is False else metadata.get("namespace") or ""
    if node.kind == model.EXTERNAL:
        outcome.sought = (node.group, node.object_kind, namespace, metadata["name"])
        found = scene.observed.find(outcome.sought)
        if found is None:
            if scene.exact:
                return []
            outcome.waits.append(Wait(UNKNOWN, (node.id,)))
            return None
        return [Item(found)]
    selector = metadata.get("selector") or {}
    try:
        # A bad selector is refused whether or not there is anything to select from.
        selected = scene.observed.select(node.group, node.object_kind, namespace, selector)
    except ValueError as error:
        raise scene.fault("invalid-selector", f"selector of {node.id!r}: {error}", node=node) from None
    outcome.sought = list_key(node.group, node.object_kind, namespace, selector)
    if selected is None or not scene.observed.has_listed(*outcome.sought[:3], selector):
        outcome.waits.append(Wait(UNKNOWN, (node.id,)))
        return None
    return [Item(found) for found in selected]
