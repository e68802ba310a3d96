"""Mutations of an RGD's frame: kind, ids, resources, external references, and SimpleSchema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.mutation.edits import Edit
from tests.mutation.kinds import misspelt, mutation
from tests.mutation.places import RESOURCES, SCHEMA, externals, get, ids, resources

if TYPE_CHECKING:
    from collections.abc import Iterator


@mutation
def kind_of_the_rgd(rgd: dict[str, Any]) -> Iterator[Edit]:
    kind = get(rgd, (*SCHEMA, "kind"))
    for value in (kind[:1].lower() + kind[1:], kind + "-x", kind + "_X", "", 7, kind * 20):
        yield Edit("kind-of-the-rgd", (*SCHEMA, "kind"), "set", value)
    yield Edit("kind-of-the-rgd", (*SCHEMA, "kind"), "delete")


@mutation
def version_of_the_rgd(rgd: dict[str, Any]) -> Iterator[Edit]:
    for value in ("v1.2", "1alpha1", "v1alpha", "v0", "kro.run/v1alpha1", "v1beta1", "V1"):
        yield Edit("version-of-the-rgd", (*SCHEMA, "apiVersion"), "set", value)
    yield Edit("version-of-the-rgd", (*SCHEMA, "apiVersion"), "delete")
    yield Edit("version-of-the-rgd", ("apiVersion",), "set", "kro.run/v1beta1")


@mutation
def group_and_scope(_rgd: dict[str, Any]) -> Iterator[Edit]:
    for value in ("Not_A_Group", "example.com", "k8s.io", "x", ""):
        yield Edit("group-and-scope", (*SCHEMA, "group"), "set", value)
    scopes: tuple[Any, ...] = ("cluster", "Cluster", "Namespaced", "", 1)
    for scope in scopes:
        yield Edit("group-and-scope", (*SCHEMA, "scope"), "set", scope)


@mutation
def metadata_of_the_rgd(_rgd: dict[str, Any]) -> Iterator[Edit]:
    kind = "metadata-of-the-rgd"
    names: tuple[Any, ...] = ("Not A Name", "x" * 254, "-a", "a_b", "a.b", 1, "", None, "é")
    for name in names:
        yield Edit(kind, ("metadata", "name"), "set", name)
    for value in (
        {"a": 1},
        {"a b": "c"},
        {"a": "b c"},
        {"a": None},
        {"a": "x" * 64},
        ["a"],
        "a",
        {"A/b": "c"},
        {"/b": "c"},
        {"a/b/c": "d"},
    ):
        yield Edit(kind, ("metadata", "labels"), "set", value)
        yield Edit(kind, ("metadata", "annotations"), "set", value)
    yield Edit(kind, ("metadata", "surplus"), "set", "x")
    yield Edit(kind, ("metadata",), "delete")


@mutation
def metadata_of_the_crd(_rgd: dict[str, Any]) -> Iterator[Edit]:
    kind, place = "metadata-of-the-crd", (*SCHEMA, "metadata")
    for value in (
        {"a": "b"},
        {"a": 1},
        {"a b": "c"},
        {"a": "b c"},
        {"a": None},
        {"a": "x" * 64},
        ["a"],
        {"A/b": "c"},
        {"kro.run/a": "b"},
    ):
        yield Edit(kind, place, "set", {"labels": value})
        yield Edit(kind, place, "set", {"annotations": value})
    others: tuple[Any, ...] = ([], "x", None, {}, {"name": "x"})
    for other in others:
        yield Edit(kind, place, "set", other)


_COLUMN: dict[str, Any] = {"name": "A", "type": "string", "jsonPath": ".spec.name"}


@mutation
def printer_columns(_rgd: dict[str, Any]) -> Iterator[Edit]:
    changes: tuple[dict[str, Any], ...] = (
        {}, {"type": "text"}, {"type": "date"}, {"type": ""}, {"type": 1}, {"jsonPath": ""}, {"jsonPath": "spec.name"}, {"jsonPath": "{.a}"},
        {"jsonPath": ".a["}, {"jsonPath": ".status.nothing"}, {"name": ""}, {"name": "A B"}, {"name": 1}, {"priority": 1}, {"priority": "x"},
        {"priority": 1.5}, {"priority": 1 << 31}, {"format": "x"}, {"format": "date-time"}, {"description": 1}, {"surplus": "x"},
    )  # fmt: skip
    for change in changes:
        yield Edit("printer-columns", (*SCHEMA, "additionalPrinterColumns"), "set", [{**_COLUMN, **change}])
    for missing in _COLUMN:
        column = {name: value for name, value in _COLUMN.items() if name != missing}
        yield Edit("printer-columns", (*SCHEMA, "additionalPrinterColumns"), "set", [column])
    for value in ([_COLUMN, _COLUMN], [], {}, "x", ["x"], None, _COLUMN):
        yield Edit("printer-columns", (*SCHEMA, "additionalPrinterColumns"), "set", value)


_NO_PARTS: tuple[Any, ...] = ("text", [], None, {"inner": {}})


@mutation
def part_of_another_type(rgd: dict[str, Any]) -> Iterator[Edit]:
    kind = "part-of-another-type"
    yield Edit(kind, RESOURCES, "set", {})
    for name in ("spec", "status", "types"):
        for value in _NO_PARTS:
            yield Edit(kind, (*SCHEMA, name), "set", value)
    for path, resource in resources(rgd):
        for name in ("readyWhen", "includeWhen", "forEach"):
            if name in resource:
                yield Edit(kind, (*path, name), "set", "${true}")
                yield Edit(kind, (*path, name), "set", {"a": "${true}"})
                yield Edit(kind, (*path, name), "set", [])
        if "template" in resource:
            yield Edit(kind, (*path, "template"), "set", "text")
            yield Edit(kind, (*path, "template"), "set", {})


@mutation
def misspelt_field_of_the_rgd(rgd: dict[str, Any]) -> Iterator[Edit]:
    kind = "misspelt-field-of-the-rgd"
    for path, resource in resources(rgd):
        for name in ("readyWhen", "includeWhen", "forEach", "template", "externalRef", "id"):
            if name in resource:
                yield Edit(kind, (*path, name), "rename", name.lower() if name != name.lower() else misspelt(name))
    for name in ("spec", "status", "types"):
        if get(rgd, (*SCHEMA, name)) is not None:
            yield Edit(kind, (*SCHEMA, name), "rename", misspelt(name))


@mutation
def duplicate_id(rgd: dict[str, Any]) -> Iterator[Edit]:
    names = ids(rgd)
    for i in range(1, len(names)):
        yield Edit("duplicate-id", (*RESOURCES, i, "id"), "set", names[i - 1])


@mutation
def other_id(rgd: dict[str, Any]) -> Iterator[Edit]:
    """The references to the old one stay."""
    for path, resource in resources(rgd):
        name = str(resource.get("id"))
        words = (
            name + "x",
            name + "-x",
            name + "_x",
            name[:1].upper() + name[1:],
            "schema",
            "each",
            "spec",
            "namespace",
        )
        for value in (*words, "in", "1st", "", 1, "kro"):
            if value != name:
                yield Edit("other-id", (*path, "id"), "set", value)
        yield Edit("other-id", (*path, "id"), "delete")


@mutation
def resource_gone(rgd: dict[str, Any]) -> Iterator[Edit]:
    for path, _ in resources(rgd):
        yield Edit("resource-gone", path, "delete")


@mutation
def resources_swapped(rgd: dict[str, Any]) -> Iterator[Edit]:
    """Harmless: order in the document decides nothing that counts."""
    for i in range(1, len(resources(rgd))):
        yield Edit("resources-swapped", (*RESOURCES, i), "swap", i - 1)


@mutation
def template_and_external(rgd: dict[str, Any]) -> Iterator[Edit]:
    external = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shared"}}
    for path, resource in resources(rgd):
        if "template" in resource:
            yield Edit("template-and-external", (*path, "externalRef"), "set", external)
            yield Edit("template-and-external", (*path, "template"), "delete")
        else:
            yield Edit("template-and-external", (*path, "template"), "set", external)
            yield Edit("template-and-external", (*path, "forEach"), "set", [{"item1": "${[1, 2]}"}])


@mutation
def another_external(rgd: dict[str, Any]) -> Iterator[Edit]:
    kind = "another-external"
    for path, external in externals(rgd):
        for name in ("apiVersion", "kind", "metadata"):
            yield Edit(kind, (*path, name), "delete")
        yield Edit(kind, (*path, "kind"), "set", misspelt(str(external.get("kind"))))
        yield Edit(kind, (*path, "apiVersion"), "set", "v9")
        yield Edit(kind, (*path, "metadata", "name"), "delete")
        yield Edit(kind, (*path, "metadata", "name"), "set", "shared")
        yield Edit(kind, (*path, "metadata", "name"), "set", "${nothing.metadata.name}")
        yield Edit(kind, (*path, "metadata", "namespace"), "set", "${schema.spec}")
        yield Edit(kind, (*path, "metadata", "selector"), "set", {"matchLabels": {"a": "b"}})
        yield Edit(kind, (*path, "metadata", "selector"), "set", {"matchLabels": {"a": "${schema.metadata.labels}"}})
        yield Edit(kind, (*path, "metadata", "selector"), "set", "a=b")


@mutation
def external_with_selector(rgd: dict[str, Any]) -> Iterator[Edit]:
    """One more resource, which refers to a collection."""
    labels: tuple[Any, ...] = (
        {"a": "b"},
        {"a": 1},
        [],
        None,
        {"a": "${schema.metadata.name}"},
        {"a": "x-${1}"},
        {"a": "${nothing}"},
        {"a b": "c"},
    )
    expressions: tuple[Any, ...] = (
        [{"key": "a", "operator": "In", "values": ["b"]}], [{"key": "a", "operator": "Nonsense"}], [{"key": "a"}], [{"operator": "Exists"}],
        [{"key": "a", "operator": "In", "values": [1]}], [{"key": "a", "operator": "In", "values": "b"}], {}, ["a"], None, [],
    )  # fmt: skip
    selectors: list[Any] = [{"matchLabels": some} for some in labels] + [
        {"matchExpressions": some} for some in expressions
    ]
    for selector in (*selectors, {}, [], "a", {"surplus": "x"}):
        external = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"selector": selector}}
        yield Edit(
            "external-with-selector", (*RESOURCES, len(ids(rgd))), "insert", {"id": "spareOne", "externalRef": external}
        )
