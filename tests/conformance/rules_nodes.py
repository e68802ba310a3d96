"""
Operations of `kro-tests` on one node: what a single step of kro makes of it, asked of the parts that `reconcile` is made of.

`hand_made` makes the nodes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from krm_fn.cel.values import Unknown
from krm_fn.expand.deletion import identity_part, plan_deletion
from krm_fn.expand.fields import user_fields
from krm_fn.expand.instance import World
from krm_fn.expand.node import begin_node, expand_node
from krm_fn.expand.observed import Observed
from krm_fn.expand.outcome import DEFERRED, EXCLUDED, RESOLVED, Fault, Item, Outcome
from krm_fn.expand.reconcile import repeated
from krm_fn.expand.resolve import fill_reference, resolve
from krm_fn.expand.scene import Scene
from krm_fn.program import model
from krm_fn.program.template import find_holes
from tests.conformance.case import Mismatch
from tests.conformance.compare import same_typed, shown
from tests.conformance.hand_made import INSTANCE, Maker
from tests.conformance.rules_text import equal, expects_error
from tests.conformance.typed import to_typed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Json = dict[str, Any]

_CODES = {
    "division by zero": "cel-division-by-zero",
    "modulus by zero": "cel-division-by-zero",
    "base eval": "cel-division-by-zero",
    "readiness of dependent node": "cel-division-by-zero",
    "did not return bool": "not-a-bool",
    "did not return a list": "foreach-not-a-list",
    "must resolve metadata.namespace": "namespace-missing",
    "identity": "identity-clash",
}
"""What kro's message contains -> our code for the same mistake."""


def _settle(expect: Json, run: Callable[[], Any]) -> Any:
    """The result of *run*; Ellipsis where a fault was expected and came."""
    try:
        result = run()
    except Fault as fault:
        if not expects_error(expect):
            raise Mismatch(f"fault: {fault.message} [{fault.code}]") from fault
        text = str(expect.get("error_contains", ""))
        codes = [code for part, code in _CODES.items() if part in text]
        if text and codes[:1] != [fault.code]:
            raise Mismatch(f"wanted {text!r}, got {fault.code}: {fault.message}") from fault
        return ...
    if expects_error(expect):
        raise Mismatch(f"wanted an error, got {shown(repr(result))}")
    return result


# -- inclusion and readiness ------------------------------------------------------------------------------------------


def is_ignored(given: Json, expect: Json) -> None:
    maker = Maker()
    node = maker.node(given["node"])
    scene = maker.scene()

    def run() -> str:
        maker.settle(node, scene)
        return begin_node(node, scene).state

    state = _settle(expect, run)
    if state is not ...:
        equal(
            {"ignored": expect["ignored"], "pending": False},
            {"ignored": state == EXCLUDED, "pending": state == DEFERRED},
        )


def check_readiness(given: Json, expect: Json) -> None:
    maker = Maker()
    node = maker.node(given["node"])
    scene = maker.scene()

    def run() -> bool:
        outcome = maker.settle_one(node, scene)
        if node.id in scene.broken_gates:
            raise scene.broken_gates[node.id]
        return outcome.state != DEFERRED and node.id not in scene.gates

    ready = _settle(expect, run)
    if ready is not ...:
        equal(expect["ready"], ready)


def see(given: Json, expect: Json) -> None:
    """What was observed, in the order in which the node wants it; a list of kro's makes no difference between empty and nil."""
    node_given = given.get("node") or {"id": "test", "type": model.COLLECTION, "desired": given["desired"]}
    observed = given["observed"] or []
    maker = Maker()
    node = maker.node({**node_given, "desired": node_given.get("desired", observed)})
    maker.live += observed
    scene = maker.scene()
    maker.settle_one(node, scene)
    key = "observed_names" if "observed_names" in expect else "names"
    equal(expect[key] or [], [view["metadata"]["name"] for view, _ in scene.views[node.id]])


def show_context(given: Json, expect: Json) -> None:
    """Expressions see the nodes that they ask for, once these are there."""
    maker = Maker()
    node = maker.node(given["node"])
    for name in node.dependencies:
        if name not in given.get("only", node.dependencies):
            maker.program.nodes[name].asked = None
    scene = maker.scene()
    maker.settle(node, scene)
    names = {name: value for name, value in scene.names.items() if type(value) is not Unknown}
    equal([], [name for name in expect.get("context_has", ()) if name not in names])
    equal([], [name for name in expect.get("context_has_not", ()) if name in names])
    lengths = expect.get("list_length", {})
    equal(lengths, {name: len(names[name]) for name in lengths})


# -- objects ----------------------------------------------------------------------------------------------------------


def desired(given: Json, expect: Json) -> None:
    if given["node"]["type"] == INSTANCE:
        return desired_status(given, expect)
    maker = Maker()
    node = maker.node(given["node"])
    scene = maker.scene()

    def run() -> Outcome:
        maker.settle(node, scene)
        outcome = _unrepeated(expand_node(node, scene), scene)
        if node.is_external and outcome.state == RESOLVED:
            # What it asks for; the outcome has what was found.
            asked = fill_reference(node, scene, outcome)
            outcome.items = [] if asked is None else [Item(asked)]
        return outcome

    return _compare_objects(expect, _settle(expect, run))


def desired_identity(given: Json, expect: Json) -> None:
    maker = Maker()
    node = maker.node(given["node"])
    scene = maker.scene()

    def run() -> Outcome:
        maker.settle(node, scene)
        outcome, named = begin_node(node, scene), identity_part(node)
        if node.is_external:
            asked = fill_reference(named, scene, outcome)
            outcome.items = [] if asked is None else [Item(asked)]
        else:
            outcome.items = resolve(named, scene, outcome) or []
        outcome.state = DEFERRED if outcome.waits else outcome.state
        return _unrepeated(outcome, scene)

    _compare_objects(expect, _settle(expect, run))


def _unrepeated(outcome: Outcome, scene: Scene) -> Outcome:
    if outcome.state == RESOLVED and repeated(outcome):
        raise scene.fault("identity-clash", "two are one")
    return outcome


def _compare_objects(expect: Json, outcome: Outcome) -> None:
    if outcome is ...:  # type: ignore[comparison-overlap]
        return
    equal(bool(expect.get("pending")), outcome.state == DEFERRED)
    objects = [item.object for item in outcome.items]
    if "count" in expect:
        equal(expect["count"], len(objects))
    if "names" in expect:
        equal(expect["names"], [made["metadata"]["name"] for made in objects])
    if "namespaces" in expect:
        equal(expect["namespaces"], [made["metadata"].get("namespace", "") for made in objects])
    for wanted, made in zip(expect.get("labels") or [], objects, strict=False):
        labels = made["metadata"].get("labels") or {}
        equal(wanted, {key: labels.get(key) for key in wanted})
    for made in objects:
        _compare_values(expect, made)


def _compare_values(expect: Json, made: Json) -> None:
    for path, wanted in (expect.get("values_at") or {}).items():
        value: Any = made
        for part in path.split("."):
            value = value[part]
        equal({path: wanted}, {path: value})


def desired_status(given: Json, expect: Json) -> None:
    """The author's status fields; one that fails is named, and kro then writes none."""
    maker = Maker()
    status = given["node"]["template"]["status"]
    for other in given["node"].get("dependencies") or []:
        maker.add_dependency(other)
    maker.program.status = [(hole.path, maker.compiled(hole.expression.text)) for hole in find_holes(status, (), [])]
    scene = maker.scene()
    for node in maker.program.nodes.values():
        maker.settle_one(node, scene)
    problems: list[str] = []
    fields, _ = user_fields(maker.program, scene, problems)
    if bool(problems) is not expects_error(expect):
        raise Mismatch(f"wanted {shown(expect)}, got {shown(problems or fields)}")
    if not problems:
        _compare_values(expect, {"status": fields})


def delete_targets(given: Json, expect: Json) -> None:
    """What of the node goes first, when nothing comes after it."""
    uid = "u1"
    maker = Maker()
    node = maker.node(given["node"])
    for i, found in enumerate(maker.live):
        labels = {"kro.run/instance-id": uid, "kro.run/node-id": node.id}
        maker.live[i] = {**found, "metadata": {**found["metadata"], "labels": labels}}
    maker.program.order = [*node.dependencies, node.id]
    metadata = {"name": "test", **(maker.instance.get("metadata") or {}), "uid": uid}
    instance = {"apiVersion": "kro.run/v1alpha1", "kind": "Test", **maker.instance, "metadata": metadata}
    world = World({}, lambda _program, made: (made, []))
    plan = plan_deletion(maker.program, instance, Observed(maker.live, given=True), world)
    if expects_error(expect):
        equal(True, plan.fault is not None)
        return
    names = [target["metadata"]["name"] for target in plan.targets]
    if expect.get("pending"):
        equal("DELETED", plan.states[node.id])  # sic: what cannot be named any more counts as gone
    if expect.get("same_as_observed"):
        equal([found["metadata"]["name"] for found in given["node"]["observed"]], names)
    equal(expect.get("names", names), names)
    equal(expect.get("count", len(names)), len(names))


def for_each(given: Json, expect: Json) -> None:
    maker = Maker()
    node = maker.node(_written_out(given["node"]))
    scene = maker.scene()
    outcome = _settle(expect, lambda: expand_node(node, scene))
    if outcome is not ...:
        equal(bool(expect.get("pending")), outcome.state == DEFERRED)
        if "count" in expect:
            equal(expect["count"], len(outcome.items))


def _written_out(value: Any) -> Any:
    """With every `$repeat` as the list that it stands for."""
    if isinstance(value, dict):
        if "$repeat" in value:
            form = value["$repeat"]
            return [form["template"] % i for i in range(form["from"], form["from"] + form["count"])]
        return {key: _written_out(child) for key, child in value.items()}
    return [_written_out(child) for child in value] if isinstance(value, list) else value


def product(given: Json, expect: Json) -> None:
    """A collection with a loop for each dimension; its objects say what the loop variables were."""
    names = [dimension["name"] for dimension in given["dimensions"]]
    maker = Maker()
    maker.instance = {"spec": {dimension["name"]: dimension["values"] for dimension in given["dimensions"]}}
    node = maker.node(
        {
            "id": "many",
            "type": model.COLLECTION,
            "for_each": [{"name": name, "cel": f"schema.spec.{name}"} for name in names],
            "template": {"data": {name: f"${{{name}}}" for name in names}},
        }
    )
    scene = maker.scene()
    outcome = _settle(expect, lambda: expand_node(node, scene))
    if outcome is not ...:
        equal(expect["product"] or [], [item.object["data"] for item in outcome.items])


# -- small rules ------------------------------------------------------------------------------------------------------


def evaluate_all(given: Json, expect: Json) -> None:
    maker = Maker()
    node = maker.node(given["node"])
    compiled = [maker.compiled(each["cel"]) for each in given["node"]["expressions"]]
    node.values = compiled
    node.shape = lambda values: {"metadata": {"name": "x"}, "values": list(values)}
    scene = maker.scene()
    outcome = _settle(expect, lambda: expand_node(node, scene))
    if outcome is ...:
        return
    equal(bool(expect["any_pending"]), outcome.state == DEFERRED)
    wanted = {each["cel"]: each["value"] for each in expect["values"]}
    for one, value in zip(compiled, outcome.items[0].object["values"], strict=True):
        text = one.expression.text
        if not same_typed(wanted[text], to_typed(value)):
            raise Mismatch(f"{text}: wanted {shown(wanted[text])}, got {shown(value)}")


def evaluate_bool(given: Json, expect: Json) -> None:
    """A condition: what includeWhen makes of the expression."""
    maker = Maker()
    node = maker.node({"id": "test", "type": model.RESOURCE, "include_when": [given["expr"]]})
    scene = maker.scene()
    scene.names.update(given["context"])
    state = _settle(expect, lambda: begin_node(node, scene).state)
    if state is not ...:
        equal(expect["value"], {"bool": state == RESOLVED})


def evaluate_list(given: Json, expect: Json) -> None:
    """What forEach runs over."""
    loop = {"name": "item", "cel": given["expr"]}
    maker = Maker()
    node = maker.node({"id": "t", "type": model.COLLECTION, "for_each": [loop], "template": {"data": "${item}"}})
    scene = maker.scene()
    scene.names.update(given["context"])
    outcome = _settle(expect, lambda: expand_node(node, scene))
    if outcome is not ...:
        equal(expect["value"], {"list": [to_typed(item.object["data"]) for item in outcome.items]})


def normalize(given: Json, expect: Json) -> None:
    def run() -> Iterator[str]:
        for i, made in enumerate(given["objects"]):
            maker = Maker(given["instance_namespace"])
            kind_namespaced = given["kind_namespaced"]
            node = maker.node({"id": f"n{i}", "type": "Resource", "kind_namespaced": kind_namespaced, "template": made})
            yield expand_node(node, maker.scene()).items[0].object["metadata"].get("namespace", "")

    found = _settle(expect, lambda: list(run()))
    if found is not ...:
        equal(expect["namespaces"], found)


def unique(given: Json, expect: Json) -> None:
    maker = Maker()
    outcome = Outcome(maker.node({"id": "test", "type": model.COLLECTION}), RESOLVED)
    outcome.items = [Item(made) for made in given["objects"]]
    if bool(repeated(outcome)) is not expects_error(expect):
        raise Mismatch(f"wanted {shown(expect)}, got {repeated(outcome) or 'no two alike'}")


OPERATIONS: dict[str, Callable[[Json, Json], list[str] | None]] = {
    "is-ignored": is_ignored,
    "check-readiness": check_readiness,
    "set-observed": see,
    "order-observed-by-desired": see,
    "context": show_context,
    "desired": desired,
    "desired-identity": desired_identity,
    "desired-status": desired_status,
    "delete-targets": delete_targets,
    "for-each": for_each,
    "cartesian-product": product,
    "evaluate-expressions": evaluate_all,
    "eval-bool": evaluate_bool,
    "eval-list": evaluate_list,
    "normalize-namespaces": normalize,
    "unique-identities": unique,
}
