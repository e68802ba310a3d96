"""
Objects that are applied before all their values are known: `--deferred apply-time`.

Enters: a node some of whose expressions have no value, and the `Scene`.  Leaves: `Filled`, values with a placeholder wherever one is
missing and the `Substitution`s that replace them; or, as text, why there cannot be any.  Not known here: annotations, output.

kpt's applier (cli-utils v0.36.0 pkg/apply/mutator) replaces a field by one field of another object, or a token in a text by it, right
before it sends the object. So what is missing must be a plain path into one other object that is applied with it (`db.status.host`), or a text
that such paths are part of. Its dependency graph knows the objects of the package alone: an external reference is no source.
"""

from __future__ import annotations

from krm_fn.cel import EvaluationError, compile_, parse, to_json
from krm_fn.cel.syntax import Binary, Call, Identifier, Index, Select
from krm_fn.cel.values import OMIT, Unknown
from krm_fn.program import model
from krm_fn.program.template import path_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any, Protocol, TypeAlias

    from krm_fn.cel.syntax import Node as CelNode
    from krm_fn.expand.outcome import Outcome
    from krm_fn.program.model import Compiled, Node, Program
    from krm_fn.program.template import Path

    class Scene(Protocol):
        """What is asked of the scene; `node` has all of it."""

        program: Program
        names: dict[str, Any]
        outcomes: dict[str, Outcome]

        def evaluate(self, compiled: Compiled) -> Any: ...

    Part: TypeAlias = "str | Source"

MAX_PARTS = 100
"""Of one text. An annotation is bounded, and nobody reads more."""

_LABELS = ("labels", "annotations")
_READ_BEFORE = (
    "config.kubernetes.io/",
    "internal.config.kubernetes.io/",
    "config.k8s.io/",
    "cli-utils.sigs.k8s.io/",
    "client.lifecycle.config.k8s.io/",
)
"""Annotations that the applier reads before it replaces anything."""
ANNOTATION = "config.kubernetes.io/apply-time-mutation"

_TIMES = ("date", "date-time", "duration")
_UNREADABLE = frozenset(map(chr, (*range(0x7F, 0xA0), 0xFEFF, 0xFFFE, 0xFFFF)))
"""What stands raw in JSON, but not in YAML: cli-utils reads the one as the other when it has replaced a field."""


class Source:
    """One field of another object. node: the id of the one that makes it.  shown: as the author's path (`db.status.host`)."""

    __slots__ = ("node", "object", "path", "shown")

    def __init__(self, node: str, object: dict[str, Any], path: str, shown: str) -> None:  # noqa: A002
        self.node = node
        self.object = object
        self.path = path
        self.shown = shown


class Substitution:
    """A field of the object (*target*, a JSONPath) that becomes the source's, or with a *token* a text that has its value in that place."""

    __slots__ = ("source", "target", "token")

    def __init__(self, source: Source, target: str, token: str) -> None:
        self.source = source
        self.target = target
        self.token = token


class Filled:
    """values: in the node's order, placeholders included.  known: the same with Unknown in their places.  substitutions: in document order."""

    __slots__ = ("known", "substitutions", "values")

    def __init__(self, values: list[Any], known: list[Any], substitutions: list[Substitution]) -> None:
        self.values = values
        self.known = known
        self.substitutions = substitutions


class _No(Exception):  # noqa: N818 - no error: the answer of a question
    """Why something cannot be filled in at apply time."""


def _computed(written: str) -> _No:
    shown = written if len(written) <= 80 else f"{written[:79]}…"
    return _No(f"{' '.join(shown.split())} is computed, and cli-utils only copies")


class ApplyTime:
    """
    The policy, for one instance.

    nested: group and kind of everything that is expanded here instead of being applied.
    """

    __slots__ = ("_trees", "nested")

    def __init__(self, nested: Collection[tuple[str, str]]) -> None:
        self.nested = nested
        self._trees: dict[str, list[CelNode]] = {}

    def fill(self, node: Node, scene: Scene) -> Filled | str:
        """Values for *node*, evaluated as the scene is now; or why there are none. What is wrong with an expression was found before."""
        try:
            return self._fill(node, scene)
        except _No as why:
            return str(why)

    def _fill(self, node: Node, scene: Scene) -> Filled:
        if (node.group, node.object_kind) in self.nested:
            raise _No(f"{node.object_kind} is an instance of another RGD, which is expanded before anything is applied")
        known: list[Any] = []
        parts: dict[int, tuple[list[Part], bool]] = {}
        for i, compiled in enumerate(node.values):
            known.append(_value_of(compiled, scene))
            if type(known[i]) is Unknown:
                parts[i] = self._parts(compiled, scene)
        values = list(known)
        tokens: dict[int, dict[str, Source]] = {}
        for i, (found, whole) in parts.items():
            values[i], tokens[i] = _placeholder(found, whole=whole)
        substitutions: list[Substitution] = []
        omitted = [path for path, i in node.holes if known[i] is OMIT]
        for path, i in node.holes:
            if i not in parts:
                continue
            _check_target(path)
            target = json_path(_after_omission(path, omitted))
            substitutions += [Substitution(source, target, token) for token, source in tokens[i].items()]
        return Filled(values, known, substitutions)

    def _parts(self, compiled: Compiled, scene: Scene) -> tuple[list[Part], bool]:
        """What a missing value is put together of, and whether it is one field that keeps its type; all else is text."""
        terms = self._terms(compiled, scene)
        written = compiled.expression.written
        if len(terms) == 1 and not _is_text_of(terms[0]):
            return [_source(terms[0], written, scene)], True
        # A concatenation of texts, or of lists, or a sum: it takes one text among the terms, or a template, to know.
        is_text = len(terms) == 1 or compiled.expression.text != written
        parts: list[Part] = []
        for term in terms:
            value = _value_of_term(term, scene)
            if type(value) is str:
                parts.append(value)
                is_text = True
            elif type(value) is not Unknown:
                break
            elif isinstance(term, Call) and _is_text_of(term):
                parts.append(_source(term.arguments[0], written, scene, as_text=True))
            else:
                parts.append(_source(term, written, scene))
        if not is_text or len(parts) < len(terms):
            raise _computed(written)
        return parts, False

    def _terms(self, compiled: Compiled, scene: Scene) -> list[CelNode]:
        """The operands of `+`, however it is nested; the expression itself where there is none. Read once a text."""
        text = compiled.expression.text
        terms = self._trees.get(text)
        if terms is None:
            terms = self._trees[text] = []
            rest = [_parsed(text, scene.program)]
            while rest:
                term = rest.pop()
                if isinstance(term, Binary) and term.operator == "+":
                    rest += (term.right, term.left)
                else:
                    terms.append(term)
        if len(terms) > MAX_PARTS:
            raise _No(f"a text of more than {MAX_PARTS} parts")
        return terms

    def refuses(self, made: dict[str, Any]) -> str:
        """Why cli-utils could not carry an object that it replaces a field of; empty where it can."""
        import json

        if ANNOTATION in (made["metadata"].get("annotations") or ()):
            return f"it has an annotation {ANNOTATION} of its own"
        if not _UNREADABLE.isdisjoint(json.dumps(made, ensure_ascii=False)):
            return "it has a character that cli-utils cannot read back"
        return ""


def _value_of(compiled: Compiled, scene: Scene) -> Any:
    """Its value; what an observed object lacks is as unknown here as what nobody saw."""
    try:
        return scene.evaluate(compiled)
    except EvaluationError as error:
        return Unknown(error.missing or compiled.expression.written)


def _value_of_term(term: CelNode, scene: Scene) -> Any:
    try:
        return to_json(compile_(term)(scene.names))
    except EvaluationError:
        return Unknown()


def _parsed(text: str, program: Program) -> CelNode:
    """The tree of an expression that compiled, with the fields' own names."""
    tree = parse(text)
    if "__" in text:
        from krm_fn.schema.field_names import name_fields

        known = {
            node.id: {"items": node.schema} if node.is_collection else node.schema
            for node in program.nodes.values()
            if node.schema is not None
        }
        name_fields(tree, {**known, model.SCHEMA: program.schema})
    return tree


def _is_text_of(term: CelNode) -> bool:
    """Whether it is `string(…)`."""
    return isinstance(term, Call) and term.name == "string" and len(term.arguments) == 1


# -- sources ----------------------------------------------------------------------------------------------------------


def _source(term: CelNode, written: str, scene: Scene, *, as_text: bool = False) -> Source:
    """The field that *term*, of the expression *written*, is a plain path to. as_text: for `string(…)` of it."""
    root, steps = _plain_path(term, written, scene)
    if root == model.SCHEMA:
        raise _No(f"{path_text((root, *steps))} is of the instance, which need not exist in a cluster")
    outcome = scene.outcomes.get(root)
    if outcome is None:
        raise _No(f"{root} runs over a list, and is no object")
    node = outcome.node
    shown = path_text((root, *steps))
    if node.is_external:
        raise _No(f"{root} is an external reference, and cli-utils takes values of objects of the same package alone")
    item = outcome.items[0] if outcome.items else None
    if node.is_collection:
        index = steps[0] if steps else ""
        item = outcome.items[index] if isinstance(index, int) and index < len(outcome.items) else None
        steps = steps[1:]
    if item is None:
        raise _No(f"{shown} is of no object of {root} that is known")
    if item.nested is not None:
        raise _No(f"{root} is an instance of another RGD, which is expanded and not applied")
    if not steps:
        raise _No(f"{shown} is a whole object")
    _check_type(node, steps, shown, as_text=as_text)
    return Source(root, item.object, json_path(steps), shown)


def _plain_path(term: CelNode, written: str, scene: Scene) -> tuple[str, Path]:
    """The name and the steps of `a.b[0]["c"]`. An index may be any expression whose value is known."""
    steps: list[str | int] = []
    while not isinstance(term, Identifier):
        if isinstance(term, Select) and not term.optional:
            steps.append(term.field)
            term = term.operand
            continue
        if not isinstance(term, Index) or term.optional:
            break
        step = _value_of_term(term.index, scene)
        if type(step) is not str and (type(step) is not int or step < 0):
            break
        steps.append(step)
        term = term.operand
    if not isinstance(term, Identifier) or term.name.startswith("."):
        raise _computed(written)
    return term.name, tuple(reversed(steps))


def _check_type(node: Node, steps: Path, shown: str, *, as_text: bool) -> None:
    """kro reads a value by its type and writes it again; cli-utils copies it. Both must give the same."""
    schema = _schema_at(node.schema, steps)
    form = schema.get("format")
    if form in _TIMES:
        raise _No(f"{shown} is a {form}, which kro writes anew and cli-utils copies")
    if as_text and not (
        schema.get("x-kubernetes-int-or-string") is True
        or schema.get("type") in ("integer", "boolean")
        or (schema.get("type") == "string" and form != "byte")
    ):
        raise _No(
            f"string({shown}) is a copy for whole numbers, booleans and texts alone, and its type is another or not known"
        )


def _schema_at(schema: dict[str, Any] | None, steps: Path) -> dict[str, Any]:
    """The schema of a field; empty where nobody knows it."""
    for step in steps:
        below: Any = None
        if isinstance(step, int):
            below = (schema or {}).get("items")
        elif schema is not None:
            below = (schema.get("properties") or {}).get(step) or schema.get("additionalProperties")
        schema = below if isinstance(below, dict) else None
    return schema or {}


# -- targets ----------------------------------------------------------------------------------------------------------


def _placeholder(parts: list[Part], *, whole: bool) -> tuple[str, dict[str, Source]]:
    """The text that stands for a value, and by token every field in it; the token is empty for a field that is the whole value."""
    sources = {part.shown: part for part in parts if isinstance(part, Source)}
    if whole:
        [(shown, source)] = sources.items()
        return f"${{{shown}}}", {"": source}
    for attempt in range(MAX_PARTS):
        mark = f"#{attempt}" if attempt else ""
        tokens = {shown: f"${{{shown}{mark}}}" for shown in sources}
        text = "".join(part if isinstance(part, str) else tokens[part.shown] for part in parts)
        times = [part.shown for part in parts if isinstance(part, Source)]
        alone = all(text.count(token) == times.count(shown) for shown, token in tokens.items())
        if alone and not any(one != other and one in other for one in tokens.values() for other in tokens.values()):
            return text, {tokens[shown]: source for shown, source in sources.items()}
    raise _No("no token for its paths is different enough from the text around them")


def _check_target(path: Path) -> None:
    """What a placeholder may stand for: no part of the identity, nothing that an applier reads before it replaces anything."""
    shown = path_text(path)
    if path[0] in ("apiVersion", "kind"):
        raise _No(f"{shown} is what the object is known by")
    if path[0] != "metadata":
        return
    if len(path) < 3 or (path[1] not in _LABELS and path[1] != "ownerReferences"):
        raise _No(f"{shown} is read before anything is filled in")
    if path[1] == "annotations" and str(path[2]).startswith(_READ_BEFORE):
        raise _No(f"the annotation {path[2]} is read before anything is filled in")


def _after_omission(path: Path, omitted: list[Path]) -> Path:
    """*path* in the finished object: what is omitted from a list moves up what follows."""
    moved = list(path)
    for gone in omitted:
        last = len(gone) - 1
        own, index = path[last] if last < len(path) else None, gone[last]
        if isinstance(own, int) and isinstance(index, int) and index < own and gone[:last] == path[:last]:
            moved[last] = int(moved[last]) - 1
    return tuple(moved)


def json_path(path: Path) -> str:
    """`("spec", "ports", 0, "a.b")` -> `$.spec.ports[0]['a.b']`, as ajson reads it; for a key that it cannot, there is no way."""
    text = "$"
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step.isascii() and step.isidentifier():
            text += f".{step}"
        elif not step or not step.isprintable() or not _QUOTING.isdisjoint(step):
            raise _No(f"the key {step!r} cannot stand in a JSONPath")
        else:
            text += f"['{step}']"
    return text


_QUOTING = frozenset("'\"\\")
