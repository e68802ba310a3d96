"""Mutations of templates: what they are, their fields, and their literals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.mutation.edits import Edit
from tests.mutation.kinds import misspelt, mutation
from tests.mutation.places import everything, expressions, ids, leaves, literals, templates

if TYPE_CHECKING:
    from collections.abc import Iterator

_SWAPPED = {
    "ConfigMap": "Secret", "Secret": "ConfigMap", "Service": "ServiceAccount", "ServiceAccount": "Service", "Namespace": "Node",
    "Deployment": "StatefulSet", "StatefulSet": "DaemonSet", "Job": "CronJob", "Role": "ClusterRole", "ClusterRole": "Role",
    "Ingress": "NetworkPolicy", "Pod": "PodTemplate",
}  # fmt: skip
_FIRST_CHOICES = (
    "type",
    "protocol",
    "imagePullPolicy",
    "restartPolicy",
    "pathType",
    "concurrencyPolicy",
    "kind",
    "operator",
)


@mutation
def kind_of_a_template(rgd: dict[str, Any]) -> Iterator[Edit]:
    for path, template in templates(rgd):
        kind = str(template.get("kind"))
        for value in (misspelt(kind), kind.lower(), kind + "List", _SWAPPED.get(kind, "ConfigMap"), "", 1, "${'Pod'}"):
            yield Edit("kind-of-a-template", (*path, "kind"), "set", value)
        yield Edit("kind-of-a-template", (*path, "kind"), "delete")


@mutation
def version_of_a_template(rgd: dict[str, Any]) -> Iterator[Edit]:
    for path, template in templates(rgd):
        version = str(template.get("apiVersion"))
        group = version.rpartition("/")[0]
        other = f"{group}/v9" if group else "v9"
        for value in (other, "apps/v1" if version != "apps/v1" else "v1", "", "a/b/c", "x.example.com/v1", 1):
            yield Edit("version-of-a-template", (*path, "apiVersion"), "set", value)
        yield Edit("version-of-a-template", (*path, "apiVersion"), "delete")


@mutation
def metadata_of_a_template(rgd: dict[str, Any]) -> Iterator[Edit]:
    kind = "metadata-of-a-template"
    for path, template in templates(rgd):
        if not isinstance(template.get("metadata"), dict):
            continue
        place = (*path, "metadata")
        yield Edit(kind, place, "delete")
        yield Edit(kind, place, "set", "text")
        yield Edit(kind, place, "set", {})
        yield Edit(kind, (*place, "name"), "delete")
        yield Edit(kind, (*place, "name"), "set", 5)
        yield Edit(kind, (*place, "namespace"), "set", "default")
        yield Edit(kind, (*place, "namespace"), "set", "")
        yield Edit(kind, (*place, "generateName"), "set", "x-")
        yield Edit(kind, (*place, "labels"), "set", {"kro.run/node-id": "x"})
        yield Edit(kind, (*place, "labels"), "set", {"example.com/a": "b"})
        yield Edit(kind, (*place, "labels"), "set", {"a": 1})
        yield Edit(kind, (*place, "labels"), "set", ["a"])
        yield Edit(kind, (*place, "annotations"), "set", {"a": "${1}"})
        yield Edit(kind, (*place, "annotations"), "set", {"a": True})
        yield Edit(kind, (*place, "lables"), "set", {"a": "b"})


@mutation
def template_field_renamed(rgd: dict[str, Any]) -> Iterator[Edit]:
    for path, template in templates(rgd):
        for place, _ in everything(template, path):
            name = place[-1]
            if isinstance(name, str) and name not in ("apiVersion", "kind") and place[len(path) :] != ("metadata",):
                yield Edit("template-field-renamed", place, "rename", misspelt(name))


@mutation
def template_field_gone(rgd: dict[str, Any]) -> Iterator[Edit]:
    for path, template in templates(rgd):
        for place, _ in everything(template, path):
            yield Edit("template-field-gone", place, "delete")


@mutation
def template_field_added(rgd: dict[str, Any]) -> Iterator[Edit]:
    for path, template in templates(rgd):
        places = [path, *(place for place, value in everything(template, path) if isinstance(value, dict))]
        for place in places:
            yield Edit("template-field-added", (*place, "surplus"), "set", "x")
            yield Edit("template-field-added", (*place, "surplus"), "set", "${schema.metadata.name}")


def _replaced(
    kind: str, rgd: dict[str, Any], wanted: type | tuple[type, ...], values: tuple[Any, ...]
) -> Iterator[Edit]:
    for place, value in literals(rgd):
        if isinstance(value, wanted) and (wanted is bool or not isinstance(value, bool)):
            for new in values:
                yield Edit(kind, place, "set", new)


@mutation
def no_text(rgd: dict[str, Any]) -> Iterator[Edit]:
    return _replaced("no-text", rgd, str, (7, True, 1.5, ["x"], {"x": "y"}, None))


@mutation
def no_number(rgd: dict[str, Any]) -> Iterator[Edit]:
    return _replaced("no-number", rgd, (int, float), ("seven", "7", True, 1.5, 2.0, 1 << 70, [7], {"x": 7}, None))


@mutation
def no_boolean(rgd: dict[str, Any]) -> Iterator[Edit]:
    return _replaced("no-boolean", rgd, bool, ("true", 1, 0.0, [True], None))


@mutation
def no_list(rgd: dict[str, Any]) -> Iterator[Edit]:
    return _replaced("no-list", rgd, list, ({"x": "y"}, "x", 1, [], [None], [["x"]], [1], None))


@mutation
def no_mapping(rgd: dict[str, Any]) -> Iterator[Edit]:
    return _replaced("no-mapping", rgd, dict, (["x"], "x", 1, {}, None, [{"x": "y"}]))


@mutation
def other_choice(rgd: dict[str, Any]) -> Iterator[Edit]:
    """Values of an enum: kro does not look at those."""
    for place, value in literals(rgd):
        if isinstance(value, str) and place[-1] in _FIRST_CHOICES:
            yield Edit("other-choice", place, "set", misspelt(value))
            yield Edit("other-choice", place, "set", "")


_RESULTS = (
    "${schema.metadata.name}", "${1}", "${true}", "${[1]}", "${['x']}", '${{"a": "b"}}', "${1.5}", "${null}", "${dyn(1)}",
    "${optional.none()}", "${optional.of('x')}", "${omit()}", "${b'x'}", "${1u}", "${schema.metadata.labels}", "${schema.metadata}",
    "${duration('1m')}", "${timestamp('2024-01-01T00:00:00Z')}", "${schema.spec}", "${type(1)}", "${quantity('1')}", "a${1}", "${",
    "${}", "$${1}", "${1}${2}", "${schema.metadata.name} ",
)  # fmt: skip


@mutation
def expression_for_literal(rgd: dict[str, Any]) -> Iterator[Edit]:
    for place, _ in literals(rgd):
        for text in _RESULTS:
            yield Edit("expression-for-literal", place, "set", text)


@mutation
def another_result(rgd: dict[str, Any]) -> Iterator[Edit]:
    """A whole expression of a template is replaced by a constant one."""
    for text in expressions(rgd):
        if text.alone and "template" in text.path:
            for result in _RESULTS:
                yield Edit("another-result", text.path, "set", result)


_CONSTANTS: tuple[Any, ...] = ("text", 5, True, 1.5, [], {}, None)


@mutation
def literal_for_expression(rgd: dict[str, Any]) -> Iterator[Edit]:
    for text in expressions(rgd):
        if text.alone and "template" in text.path:
            for value in _CONSTANTS:
                yield Edit("literal-for-expression", text.path, "set", value)


@mutation
def self_reference(rgd: dict[str, Any]) -> Iterator[Edit]:
    for (path, template), name in zip(templates(rgd), ids(rgd), strict=False):
        if isinstance(template.get("metadata"), dict):
            for other in ids(rgd):
                text = f"${{{other}.metadata.name}}"
                yield Edit("self-reference", (*path, "metadata", "annotations"), "set", {"example.com/other": text})
            yield Edit("self-reference", (*path, "metadata", "name"), "set", f"${{{name}.metadata.name}}")


@mutation
def text_into_keys(rgd: dict[str, Any]) -> Iterator[Edit]:
    """An expression where a key stands: it is a plain key."""
    for path, template in templates(rgd):
        for place, _ in leaves(template, path):
            if isinstance(place[-1], str) and len(place) > len(path) + 2:
                yield Edit("text-into-keys", place, "rename", "${schema.metadata.name}")
