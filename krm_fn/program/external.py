"""
A reference to an object that somebody else makes, as the API server's schema for RGDs has it.

Enters: a resource of an RGD.  Leaves: its externalRef in the shape of a template, and problems.  Imported only where there is one.  Not
known here: what is referred to; that is for the cluster to say.

Source: kro v0.9.3 helm/crds/kro.run_resourcegraphdefinitions.yaml.
"""

from __future__ import annotations

from krm_fn.program.definition import Problem, type_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krm_fn.program.definition import Reader
    from krm_fn.program.template import Path

_FIELDS = ("apiVersion", "kind", "metadata")
_METADATA_FIELDS = ("name", "namespace", "selector")


def read_external(reader: Reader, item: dict[str, Any], resource_id: str, path: Path) -> dict[str, Any]:
    """An externalRef in the shape of a template. Exactly one of name and selector (the RGD schema's own rule)."""
    place: Path = (*path, "externalRef")
    external = reader.mapping(item, "externalRef", path)
    if not isinstance(item["externalRef"], dict):
        return {}
    reader.unknown_fields(external, _FIELDS, place)
    reader.text(external, "apiVersion", place, required=True)
    reader.text(external, "kind", place, required=True)
    metadata = reader.mapping(external, "metadata", place, required=True)
    reader.unknown_fields(metadata, _METADATA_FIELDS, (*place, "metadata"))
    name = reader.text(metadata, "name", (*place, "metadata"))
    selector = metadata.get("selector")
    is_readable = isinstance(external.get("metadata"), dict) and isinstance(metadata.get("name", ""), str)
    if is_readable and bool(name) == (selector is not None):
        reader.problems.append(
            Problem(
                "external-name-or-selector",
                f"externalRef of {resource_id!r} needs exactly one of metadata.name and metadata.selector",
                (*place, "metadata"),
            )
        )
    if selector is not None and reader.mapping(metadata, "selector", (*place, "metadata")):
        reader.problems += selector_problems(selector, (*place, "metadata", "selector"))
    if not reader.text(metadata, "namespace", (*place, "metadata")):
        metadata = {k: v for k, v in metadata.items() if k != "namespace"}  # kro takes no text for no namespace
    return {
        "apiVersion": external.get("apiVersion"),
        "kind": external.get("kind"),
        "metadata": {k: v for k, v in metadata.items() if k in _METADATA_FIELDS},
    }


def selector_problems(selector: dict[str, Any], path: Path) -> list[Problem]:
    """What the API server would refuse; a null counts as absent."""
    problems: list[Problem] = []

    def expect(value: Any, kind: type, what: str, place: Path) -> bool:
        fits = value is None or isinstance(value, kind)
        if not fits:
            problems.append(Problem("rgd-wrong-type", f"{what} must be {_NAMES[kind]}, not {type_name(value)}", place))
        return fits and value is not None

    labels: Any = selector.get("matchLabels")
    if expect(labels, dict, "matchLabels", (*path, "matchLabels")):
        for name, value in labels.items():
            expect(value, str, f"label {name!r}", (*path, "matchLabels", name))
    expressions: Any = selector.get("matchExpressions")
    if not expect(expressions, list, "matchExpressions", (*path, "matchExpressions")):
        return problems
    for i, expression in enumerate(expressions):
        place: Path = (*path, "matchExpressions", i)
        if not expect(expression, dict, "a requirement", place):
            continue
        for field in ("key", "operator"):
            expect(expression.get(field), str, field, (*place, field))
        missing = [field for field in ("key", "operator") if expression.get(field) is None]
        problems += [Problem("rgd-missing-field", f"{field} is missing", place) for field in missing]
        values = expression.get("values")
        if expect(values, list, "values", (*place, "values")):
            for j, value in enumerate(values):
                expect(value, str, "a value", (*place, "values", j))
    return problems


_NAMES: dict[type, str] = {dict: "a mapping", list: "a list", str: "a string"}
