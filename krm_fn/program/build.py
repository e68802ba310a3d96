"""
RGD -> Program: the one place where definition, schema, templates, expressions and graph come together.

Enters: an RGD as plain JSON and what is known of kinds.  Leaves: a `Program`, and every problem found, each with
its path in the document.  Not known here: files and positions (the caller locates paths), instances.

Source of the rules: kro v0.9.3 pkg/graph/builder.go and validation.go.
"""

from __future__ import annotations

from krm_fn.cel import CelSyntaxError, compile_, parse, references
from krm_fn.cel.types import UNKNOWN
from krm_fn.program import model
from krm_fn.program.allowed import Allowed, Names
from krm_fn.program.definition import (
    Definition,
    Problem,
    RawResource,
    is_template_name,
    read_definition,
    type_name,
)
from krm_fn.program.expression_types import BOOL, CONDITION, LIST, ExpressionTypes, each_of, kind_of
from krm_fn.program.graph import find_cycle, topological_order
from krm_fn.program.template import TemplateError, compile_shape, find_holes, path_text, read_standalone
from krm_fn.program.template_check import check_literals, check_result, is_schemaless
from krm_fn.schema.cel_types import element_of, type_at
from krm_fn.schema.simple_schema import SchemaError, to_openapi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from krm_fn.cel import References
    from krm_fn.cel.syntax import Node as CelNode
    from krm_fn.cel.types import Type
    from krm_fn.program.model import Compiled, Program
    from krm_fn.program.template import Expression, Path
    from krm_fn.program.unknown_names import UnknownNames
    from krm_fn.schema.kinds import Kinds

_NAME: Path = ("metadata", "name")
_NAMESPACE: Path = ("metadata", "namespace")
_SCHEMA_PLACES: tuple[Path, ...] = (("spec", "schema"), ("spec", "schema", "spec"), ("spec", "schema", "types"))
_KRO_LABEL_PREFIX = "kro.run/"
_RUNTIME_METHODS = ("condition", "newCondition")


def build_program(document: dict[str, Any], kinds: Kinds) -> tuple[Program | None, list[Problem]]:
    """
    Compile one RGD.

    Returns the Program and all problems; None where one of them is an error.
    """
    problems: list[Problem] = []
    definition = read_definition(document, problems)
    try:
        spec_schema = to_openapi(definition.spec, definition.types)
    except SchemaError as error:
        spec_schema = {"type": "object"}
        problems += [
            Problem(p.code, p.message, ("spec", "schema", *p.path), offset=p.offset, length=p.length, help=p.help)
            for p in error.problems
        ]
    program = model.Program(definition, spec_schema)
    _Builder(program, kinds, problems).build()
    if any(p.severity == "error" for p in problems):
        return None, problems
    return program, problems


class _Builder:
    """The state of one build: what is parsed already, and the problems so far."""

    def __init__(self, program: Program, kinds: Kinds, problems: list[Problem]) -> None:
        self.program = program
        self.kinds = kinds
        self.problems = problems
        self.parsed: dict[str, tuple[CelNode, References, Callable[[dict[str, Any]], Any]]] = {}
        self.shared: dict[str, Compiled] = {}
        self.unknown: UnknownNames | None = None
        self.ids = dict.fromkeys(r.id for r in program.definition.resources)
        # Of two with one id the first counts, here as everywhere.
        self.schemas = {r.id: self._schema_of(r) for r in reversed(program.definition.resources)}
        unsound = any(p.severity == "error" and p.path[:3] in _SCHEMA_PLACES for p in problems)
        is_known = program.definition.has_schema and "spec" not in program.definition.stand_ins and not unsound
        self.types = ExpressionTypes(
            program.definition, program.schema if is_known else None, self.schemas, self._report
        )

    def build(self) -> None:
        definition = self.program.definition
        for i, resource in enumerate(definition.resources):
            if resource.template:
                self._build_node(i, resource)
            elif not any(p.path[:3] == resource.path for p in self.problems):
                self._report("template-not-an-object", "an empty template is no Kubernetes object", resource.path)
        self._build_status(definition)
        self._check_stand_ins(definition)
        nodes = self.program.nodes
        graph = {name: node.dependencies for name, node in nodes.items()}
        self.program.order = topological_order(graph)
        if len(self.program.order) < len(graph):
            cycle = find_cycle(graph)
            self._report(
                "dependency-cycle",
                f"resources wait for each other: {' -> '.join(cycle)}",
                (*nodes[cycle[0]].path, "id"),
                help="each arrow reads 'needs'; one of these references has to go",
            )
        self.program.slots = len(self.shared)
        self._note_what_is_asked()

    def _check_stand_ins(self, definition: Definition) -> None:
        """A misspelt `spec` or `resources` is an error as soon as something in it is used."""
        used = (path for _, refs, _ in self.parsed.values() for path in refs.roots.get(model.SCHEMA, ()))
        in_want = self.unknown is not None and self.unknown.is_in_want
        wanted = {"resources": in_want, "spec": any(path.startswith(f"{model.SCHEMA}.spec.") for path in used)}
        for key, name in definition.stand_ins.items():
            path: Path = ("spec", name) if key == "resources" else ("spec", "schema", name)
            if wanted[key]:
                self.problems[:] = [problem for problem in self.problems if problem.path != path]
                advice = f"is {name!r} meant to be {key!r}?"
                self._report("rgd-missing-field", f"{key} is missing", path, help=advice, at_key=True)

    def _note_what_is_asked(self) -> None:
        """Tell each node, and the instance, which of its fields expressions look at, so that a view of it need hold no more."""
        nodes = self.program.nodes
        for node in nodes.values():
            for compiled in (*node.values, *node.include_when, *(d.values for d in node.dimensions)):
                _note(self.program, compiled, "")
            for compiled in node.ready_when:
                _note(self.program, compiled, node.id)
        for compiled in (*(compiled for _, compiled in self.program.status), *self.program.conditions):
            _note(self.program, compiled, "")

    def _report(self, code: str, message: str, path: Path, **more: Any) -> None:
        self.problems.append(Problem(code, message, path, **more))

    # -- nodes ------------------------------------------------------------------------------------------------------

    def _schema_of(self, resource: RawResource) -> dict[str, Any] | None:
        """The schema of a resource's kind, as far as it says what it is and somebody has one."""
        version, kind = resource.template.get("apiVersion"), resource.template.get("kind")
        if not isinstance(version, str) or not isinstance(kind, str):
            return None
        return self.kinds.schema(version, kind)

    def _build_node(self, index: int, resource: RawResource) -> None:
        template_path: Path = (*resource.path, "externalRef" if resource.external else "template")
        if not self._check_object(resource, template_path):
            return
        kind = kind_of(resource)
        node = model.Node(resource.id, index, kind, self._without_owner(resource, template_path), resource.path)
        node.namespaced = self.kinds.namespaced(node.api_version, node.object_kind)
        node.schema = schema = self.schemas[resource.id]
        known = self.kinds.knows(node.api_version, node.object_kind)
        if not known and not self.kinds.is_refused(node.api_version, node.object_kind):
            field, advice = self.kinds.advice(node.api_version, node.object_kind)
            counts = "it counts as namespaced and is not checked" if node.namespaced is None else "it is not checked"
            self._report(
                "unknown-kind",
                f"{node.object_kind} of {node.api_version} is not known here: {counts}",
                (*template_path, field),
                length=len(node.template[field]),
                severity="warning",
                help=advice,
            )
        self._check_constraints(node, template_path)

        loops = [name for name, _, _ in resource.for_each]
        iterators: dict[str, Type] = dict.fromkeys((*loops, *resource.lost), UNKNOWN)
        for name, text, path in resource.for_each:
            where = f"forEach of {node.id!r}"
            advice = "forEach lists are independent of each other" if len(iterators) > 1 else ""
            allowed = Allowed(where, self._others(node, model.SCHEMA), wants=LIST, why_not=advice)
            compiled = self._standalone(text, path, allowed)
            if compiled is not None:
                iterators[name] = element_of(self.types.known(compiled.expression)) or UNKNOWN
                node.dimensions.append(model.Dimension(name, compiled))
        if schema is not None and not is_schemaless(node):
            check_literals(resource.template, schema, node.object_kind, template_path, self._report)
        self._build_template(node, template_path, iterators, loops)
        for i, text in enumerate(resource.include_when):
            allowed = Allowed(f"includeWhen of {node.id!r}", self._others(node, model.SCHEMA), wants=BOOL)
            compiled = self._standalone(text, (*resource.path, "includeWhen", i), allowed)
            if compiled is not None:
                node.include_when.append(compiled)
        own = model.EACH if kind == model.COLLECTION else node.id
        each = each_of(schema, node.template) if own == model.EACH and schema is not None else {}
        for i, text in enumerate(resource.ready_when):
            only = f"readyWhen sees nothing but {own!r}"
            allowed = Allowed(f"readyWhen of {node.id!r}", Names(own), wants=BOOL, why_not=only)
            compiled = self._standalone(text, (*resource.path, "readyWhen", i), allowed, shared=False, local=each)
            if compiled is not None:
                node.ready_when.append(compiled)
        for compiled in (*node.values, *(d.values for d in node.dimensions), *node.include_when):
            for root in compiled.roots:
                if root in self.ids and root not in iterators and root not in node.dependencies:
                    node.dependencies.append(root)
        self.program.nodes.setdefault(node.id, node)

    def _others(self, node: model.Node, *more: str) -> Names:
        return Names(*more, ids=self.ids, but=node.id)

    def _build_template(self, node: model.Node, path: Path, iterators: dict[str, Type], loops: Iterable[str]) -> None:
        """*iterators*: the names that stand for items.  *loops*: those of them that must make names differ."""
        refused: list[tuple[Path, TemplateError]] = []
        allowed = Allowed(f"the template of {node.id!r}", self._others(node, model.SCHEMA, *iterators), omit=True)
        schema = self.schemas[node.id]
        variable = None if node.is_collection else self.types.of(node.id)
        by_text: dict[str, int] = {}
        used_in_identity: set[str] = set()
        for hole in find_holes(node.template, path, refused):
            compiled = self._compile(hole.expression, allowed, iterators)
            in_identity = hole.path == _NAME or (hole.path == _NAMESPACE and node.namespaced is not False)
            if compiled is None:
                if in_identity:
                    used_in_identity.update(iterators)  # which ones it was meant to use is not known
                continue
            self._check_hole(node, hole.path, compiled)
            if schema is not None:
                target = type_at(schema, variable, node.id, hole.path)
                found = self.types.known(compiled.expression, iterators)
                check_result(found, target, compiled.expression, hole.path, node.object_kind, self._report)
            if in_identity:
                used_in_identity.update(compiled.roots)
            text = compiled.expression.text
            if text not in by_text:
                by_text[text] = len(node.values)
                node.values.append(compiled)
            node.holes.append((hole.path, by_text[text]))
        for place, error in refused:
            self._report("template-syntax", error.message, place, offset=error.offset, help=error.help)
        unused = [name for name in loops if name not in used_in_identity]
        if unused and not refused:
            self._report(
                "foreach-not-in-identity",
                f"forEach variable {', '.join(map(repr, unused))} does not make the names of {node.id!r} differ",
                (*node.path, "forEach"),
                help="use every forEach variable in metadata.name or metadata.namespace of the template",
            )
        node.shape = compile_shape(node.template, dict(node.holes))

    def _without_owner(self, resource: RawResource, path: Path) -> dict[str, Any]:
        """The template without owner references to the instance, whose uid is not in Git."""
        template = resource.template
        owners = template["metadata"].get("ownerReferences")
        if resource.external or not isinstance(owners, list):
            return template
        kept = [owner for owner in owners if not (isinstance(owner, dict) and _is_instance_uid(owner.get("uid")))]
        if len(kept) == len(owners):
            return template
        self._report(
            "owner-reference-removed",
            f"{resource.id!r} names its instance as owner: the reference is left out",
            (*path, "metadata", "ownerReferences"),
            at_key=True,
            severity="info",
            help="the tool that applies the output tracks what it owns",
        )
        metadata = {key: value for key, value in template["metadata"].items() if key != "ownerReferences"}
        return {**template, "metadata": {**metadata, "ownerReferences": kept} if kept else metadata}

    def _check_object(self, resource: RawResource, path: Path) -> bool:
        """A template must look like a Kubernetes object: kro v0.9.3 validateKubernetesObjectStructure."""
        sound = True
        for field in ("apiVersion", "kind"):
            value = resource.template.get(field)
            if not isinstance(value, str):
                sound = False
                if not resource.external:
                    got = "missing" if value is None else f"not a string but {type_name(value)}"
                    self._report("template-not-an-object", f"{field} of {resource.id!r} is {got}", (*path, field))
            elif "${" in value:
                sound = False
                self._report(
                    "template-not-an-object",
                    f"{field} of {resource.id!r} cannot be an expression: its schema must be known beforehand",
                    (*path, field),
                )
            elif not is_template_name(field, value):
                sound = False
                self._report(
                    "template-not-an-object",
                    f"{field} of {resource.id!r} cannot be {value[:80]!r}",
                    (*path, field),
                    length=len(value),
                    help="such as v1 or apps/v1" if field == "apiVersion" else "letters and digits, at most 63",
                )
        if not isinstance(resource.template.get("metadata"), dict):
            sound = False
            if not resource.external:
                self._report(
                    "template-not-an-object", f"metadata of {resource.id!r} is not a mapping", (*path, "metadata")
                )
        return sound

    def _check_constraints(self, node: model.Node, path: Path) -> None:
        """kro v0.9.3 validateTemplateConstraints, and generateName, which no renderer can honour."""
        metadata = node.template["metadata"]
        namespace = metadata.get("namespace")
        if node.namespaced is False and namespace is not None:
            self._report(
                "namespace-on-cluster-scoped",
                f"{node.object_kind} is cluster-scoped: {node.id!r} must not set metadata.namespace",
                (*path, "metadata", "namespace"),
                at_key=True,
            )
        if (
            not self.program.definition.namespaced
            and node.namespaced
            and node.kind != model.EXTERNAL_COLLECTION
            and not (isinstance(namespace, str) and namespace.strip())
        ):
            self._report(
                "namespace-missing",
                f"{node.id!r} needs metadata.namespace: instances of {self.program.definition.kind} are cluster-scoped",
                (*path, "metadata"),
            )
        if "generateName" in metadata:
            self._report(
                "generate-name",
                f"{node.id!r} uses generateName: a rendered object needs a name that stays the same",
                (*path, "metadata", "generateName"),
                at_key=True,
                help="build metadata.name from schema.metadata.name",
            )
        labels = metadata.get("labels")
        for key in labels if isinstance(labels, dict) and not node.is_external else ():
            if key.startswith(_KRO_LABEL_PREFIX):
                self._report(
                    "reserved-label",
                    f"label {key!r} of {node.id!r} is reserved: {_KRO_LABEL_PREFIX} labels are kro's own",
                    (*path, "metadata", "labels", key),
                    at_key=True,
                )

    def _check_hole(self, node: model.Node, path: Path, compiled: Compiled) -> None:
        """Rules for what may stand where in a template."""
        omits = self.parsed[compiled.expression.text][1].uses_omit
        required = path == _NAME or (
            path == _NAMESPACE and node.namespaced is not False and not self.program.definition.namespaced
        )
        if omits and required:
            self._report(
                "omit-in-identity",
                f"omit() cannot stand at {path_text(path)}: the field is needed",
                compiled.expression.path,
            )
        if (
            node.object_kind == "CustomResourceDefinition"
            and node.group == "apiextensions.k8s.io"
            and path[0] != "metadata"
        ):
            self._report(
                "expression-in-crd",
                f"a CustomResourceDefinition allows expressions in metadata only, not at {path_text(path)}",
                compiled.expression.path,
            )

    # -- status -----------------------------------------------------------------------------------------------------

    def _build_status(self, definition: Definition) -> None:
        root: Path = ("spec", "schema", "status")
        fields = {key: value for key, value in definition.status.items() if key != "conditions"}
        refused: list[tuple[Path, TemplateError]] = []
        allowed = Allowed("status", Names(model.SCHEMA, ids=self.ids))
        found: set[Path] = set()
        for hole in find_holes(fields, root, refused):
            found.add(hole.path)
            compiled = self._compile(hole.expression, allowed, {})
            if compiled is None:
                continue
            if not compiled.roots:
                self._report(
                    "status-without-reference",
                    f"status field {path_text(hole.path)} refers to no resource and not to schema",
                    hole.expression.path,
                )
            for step in hole.path:
                if isinstance(step, str) and ('"' if "." in step else "[") in step:
                    self._report(
                        "status-field-name",
                        f"{step!r} cannot be the name of a status field",
                        hole.expression.path,
                        at_key=True,
                        help="kro writes fields as paths and would read this one as something else",
                    )
            self.program.status.append((hole.path, compiled))
            self.program.status_types.append(self.types.known(compiled.expression))
        for place, error in refused:
            found.add(place[len(root) :])
            self._report("template-syntax", error.message, place, offset=error.offset, help=error.help)
        for path in _plain_leaves(fields, ()):
            if path not in found:
                self._report(
                    "status-without-expression",
                    f"status field {path_text(path)} has no expression",
                    root + path,
                    help="a status field is computed: write ${…} (types are inferred, not declared)",
                )
        self._check_types(root)
        if "conditions" in definition.status:
            self._build_conditions(definition.status["conditions"], (*root, "conditions"))

    def _check_types(self, root: Path) -> None:
        """What the types of status fields make of the CRD: a size, and one schema for all elements of a list."""
        program = self.program
        fields = [(path, found) for (path, _), found in zip(program.status, program.status_types, strict=True)]
        in_lists = [field for field in fields if any(isinstance(step, int) for step in field[0])]
        if not in_lists and not any(found.is_named for _, found in fields):
            return
        from krm_fn.schema.from_cel_types import MAX_DEPTH, MAX_FIELDS, StatusTooLarge, mixed_lists, status_schema

        try:
            status_schema(fields)
        except StatusTooLarge:
            self._report(
                "status-too-large",
                f"the objects in the status bring along more than {MAX_FIELDS} fields, or nest deeper than {MAX_DEPTH}",
                root,
                at_key=True,
                help="name the fields of an object that instances are to show",
            )
            return
        for path, kinds in mixed_lists(in_lists):
            # kro takes the schema from any of them
            self._report(
                "status-list-mixed",
                f"the elements of status field {path_text(path)} differ: {', '.join(kinds)}",
                root + path,
                severity="warning",
                help="a list has one type for all elements, and the API server refuses the others",
            )

    def _build_conditions(self, conditions: Any, path: Path) -> None:
        if not isinstance(conditions, list):
            self._report("rgd-wrong-type", f"status.conditions is {type_name(conditions)}, not a list", path)
            return
        allowed = Allowed("status.conditions", Names(model.SCHEMA, model.RUNTIME, ids=self.ids), wants=CONDITION)
        for i, text in enumerate(conditions):
            if not isinstance(text, str):
                self._report(
                    "rgd-wrong-type", f"status.conditions holds expressions, not {type_name(text)}", (*path, i)
                )
                continue
            compiled = self._standalone(text, (*path, i), allowed)
            if compiled is not None:
                self.program.conditions.append(compiled)
        self._check_conditions()

    def _check_conditions(self) -> None:
        from krm_fn.program.conditions import check_conditions

        expressions = [compiled.expression for compiled in self.program.conditions]
        for complaint in check_conditions([self.parsed[expression.text][0] for expression in expressions]):
            expression = expressions[complaint.index]
            self._report(
                "invalid-condition",
                complaint.message,
                expression.path,
                offset=expression.scalar_offset(complaint.offset),
                length=complaint.length,
                help=complaint.help,
            )

    # -- expressions ------------------------------------------------------------------------------------------------

    def _standalone(
        self, text: str, path: Path, allowed: Allowed, *, shared: bool = True, local: Mapping[str, Type] | None = None
    ) -> Compiled | None:
        try:
            expression = read_standalone(text, path)
        except TemplateError as error:
            self._report(
                "not-an-expression", f"{allowed.place}: {error.message}", path, offset=error.offset, help=error.help
            )
            return None
        return self._compile(expression, allowed, local or {}, shared=shared)

    def _compile(
        self, expression: Expression, allowed: Allowed, iterators: Mapping[str, Type], *, shared: bool = True
    ) -> Compiled | None:
        """Parse once a text; what is wrong is reported at its own place."""
        parsed = self.parsed.get(expression.text)
        if parsed is None:
            try:
                node = self._parse(expression.text)
                run = compile_(node)
            except CelSyntaxError as error:
                for problem in error.problems:
                    self._report(
                        "cel-syntax",
                        problem.message,
                        expression.path,
                        offset=expression.scalar_offset(problem.offset),
                        length=problem.length,
                    )
                return None
            parsed = self.parsed[expression.text] = (node, references(node), run)
        node, refs, run = parsed
        if not self._check_references(expression, refs, allowed):
            return None
        self.types.check(expression, node, allowed.wants, allowed.place, iterators)
        roots = tuple(refs.roots)
        if not shared or any(name in iterators for name in roots):
            return model.Compiled(expression, run, roots, refs.roots, -1)
        known = self.shared.get(expression.text)
        slot = known.slot if known is not None else len(self.shared)
        compiled = model.Compiled(expression, run, roots, refs.roots, slot)
        self.shared.setdefault(expression.text, compiled)
        return compiled

    def _parse(self, text: str) -> CelNode:
        node = parse(text)
        if "__" in text:
            from krm_fn.schema.field_names import name_fields

            lists = (model.COLLECTION, model.EXTERNAL_COLLECTION)
            known = {
                r.id: {"items": schema} if kind_of(r) in lists else schema
                for r in self.program.definition.resources
                if (schema := self.schemas[r.id]) is not None
            }
            name_fields(node, {**known, model.SCHEMA: self.program.schema})
        return node

    def _check_references(self, expression: Expression, refs: References, allowed: Allowed) -> bool:
        """kro's inspector: every free name and function must be one that the place knows."""
        functions = {**refs.unknown_functions, **refs.unknown_methods}
        if refs.uses_runtime:  # checked by where `runtime` may stand
            functions = {name: offset for name, offset in functions.items() if name not in _RUNTIME_METHODS}
        names = [name for name in refs.roots if name not in allowed.names]
        if functions or names:
            from krm_fn.program.unknown_names import UnknownNames, Use

            self.unknown = self.unknown or UnknownNames(self.program.definition, self._report)
            use = Use(expression, self.parsed[expression.text][0], refs, allowed.place, allowed.names, allowed.why_not)
            self.unknown.report(use, functions, names)
        misplaced = refs.uses_omit and not allowed.omit
        if misplaced:
            self._report(
                "omit-outside-template",
                f"omit() has no meaning in {allowed.place}: only a template's field can be left out",
                expression.path,
                offset=expression.scalar_offset(refs.functions["omit"]),
                length=4,
            )
        return not (functions or names or misplaced)


def _note(program: Program, compiled: Compiled, each: str) -> None:
    """*each*: the node that `each` stands for."""
    for root, paths in compiled.paths.items():
        seen = program if root == model.SCHEMA else program.nodes.get(each if root == model.EACH else root)
        if seen is not None:
            seen.asked = seen.asked or model.Asked("")
            seen.asked.mixed = seen.asked.mixed or "dyn(" in compiled.expression.text
            for path in paths:
                seen.asked.add(path.split(".")[1:])


def _is_instance_uid(text: Any) -> bool:
    return isinstance(text, str) and text.replace(" ", "") == "${schema.metadata.uid}"


def _plain_leaves(value: Any, path: Path) -> Iterable[Path]:
    """The paths of everything that is neither a mapping nor a list."""
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _plain_leaves(child, (*path, key))
    elif isinstance(value, list):
        for i, child in enumerate(value):
            yield from _plain_leaves(child, (*path, i))
    else:
        yield path
