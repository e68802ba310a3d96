"""
Which items are of the package that the function runs for (*home*), and which of packages inside it.

Enters: the items of a ResourceList.  Leaves: `Item`s that know their package, and the RGDs that home borrows.  Not known here:
rendering.

kpt hands a package's function the items of all packages inside it as well.  `kpt fn render` names each item's package, an absolute
directory, in an annotation, but not whose pipeline it is running unless there is a configPath (a ConfigMap from a Kptfile is always
`function-input`, without annotations).  Every package holds at least its own Kptfile, so home is the package that contains all
others.  Selectors break that, since they can hide the Kptfile; and they hide earlier output, which would then be made twice.  kpt
leaves a mark on items that went through a selector, and the function refuses to run.  `kpt fn eval` and `kpt fn source` name no
packages, but show the Kptfiles: what lies below the folder of another Kptfile is another package's.
"""

from __future__ import annotations

from krm_fn.emit.marks import OBSERVED, is_local
from krm_fn.expand.ownership import INSTANCE, ITEM, NODE
from krm_fn.program.definition import RGD_GROUP, is_rgd
from krm_fn.report.diagnostic import Diagnostic, RenderError, Subject

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any, TypeAlias

    from krm_fn.read.resource_list import ListItem
    from krm_fn.read.yaml import Document

    Mark: TypeAlias = tuple[str, str, str]
    """Instance, node, item key."""
    GroupKind: TypeAlias = tuple[str, str]

PATH = "internal.config.kubernetes.io/path"
INDEX = "internal.config.kubernetes.io/index"
_PATHS = (PATH, "config.kubernetes.io/path")
_INDEXES = (INDEX, "config.kubernetes.io/index")
_PACKAGE = "internal.config.kubernetes.io/package-path"
_HOST_PREFIXES = ("internal.config.kubernetes.io/", "internal.config.k8s.io/")
_HOST_KEYS = (
    "config.kubernetes.io/path", "config.kubernetes.io/index", "config.k8s.io/id", "kustomize.config.k8s.io/id",
)  # fmt: skip
_SELECTED = "internal.config.k8s.io/kpt-resource-id"


class Item:
    """
    One item of the list.

    annotations: those that are strings.  mark: set where the item is output of ours.  path, index: its file, as the host names
    it.  package: the folder of its package as seen from home, empty for home; `assign_packages` fills it in.
    """

    __slots__ = ("annotations", "document", "index", "mark", "package", "path", "value")

    def __init__(self, document: ListItem) -> None:
        self.document = document
        self.value: dict[str, Any] = document.value if isinstance(document.value, dict) else {}
        self.annotations = _annotations(self.value)
        self.path = _first(self.annotations, _PATHS)
        self.index = _first(self.annotations, _INDEXES) or "0"
        self.package = ""
        self.mark: Mark | None = marks_of(document)

    @property
    def in_home(self) -> bool:
        return not self.package

    @property
    def key(self) -> GroupKind:
        """Group and kind; empty where the item is no object."""
        api_version, kind = self.value.get("apiVersion"), self.value.get("kind")
        if isinstance(api_version, str) and isinstance(kind, str):
            return (api_version.rpartition("/")[0], kind)
        return ("", "")

    @property
    def is_local(self) -> bool:
        """Whether `kpt live apply` and kustomize leave the object out."""
        return is_local(self.annotations)

    def subject(self) -> Subject:
        metadata = self.value.get("metadata")
        name, namespace = (metadata.get("name"), metadata.get("namespace")) if isinstance(metadata, dict) else ("", "")
        api_version, kind = self.value.get("apiVersion"), self.value.get("kind")
        return Subject(str(api_version or ""), str(kind or ""), str(name or ""), str(namespace or ""))

    def __str__(self) -> str:
        return f"{self.subject()} in {self.path}" if self.path else str(self.subject())


def without_place(item: Item) -> dict[str, Any]:
    """The object as it stands in its file: an expression that copies `schema.metadata.annotations` must not see the host's."""
    if not any(is_hosts(key) for key in item.annotations):
        return item.value
    metadata = dict(item.value["metadata"])
    metadata["annotations"] = {k: v for k, v in metadata["annotations"].items() if not is_hosts(k)}
    if not metadata["annotations"]:
        del metadata["annotations"]
    return {**item.value, "metadata": metadata}


def is_hosts(key: str) -> bool:
    """Whether an annotation is a host's book-keeping, which it takes off again before it writes a file."""
    return key in _HOST_KEYS or key.startswith(_HOST_PREFIXES)


def marks_of(document: Document) -> Mark | None:
    """The marks of an object that is output of ours; None for any other."""
    annotations = _annotations(document.value)
    # A snapshot of a live object carries our marks, too; it is a source.
    if NODE not in annotations or INSTANCE not in annotations or annotations.get(OBSERVED) == "true":
        return None
    return (annotations[INSTANCE], annotations[NODE], annotations.get(ITEM, ""))


def _annotations(value: Any) -> dict[str, str]:
    metadata = value.get("metadata") if isinstance(value, dict) else None
    found = metadata.get("annotations") if isinstance(metadata, dict) else None
    return {k: v for k, v in found.items() if isinstance(v, str)} if isinstance(found, dict) else {}


def _first(annotations: Mapping[str, str], keys: Sequence[str]) -> str:
    return next((annotations[key] for key in keys if key in annotations), "")


def assign_packages(items: Sequence[Item], config: ListItem | None) -> None:
    """
    Fill in `package` of every item.

    Errors: `selectors`, where kpt shows only a part of the package; `no-home-package`, where no package contains the others.
    """
    if any(_SELECTED in item.annotations for item in items):
        raise RenderError(
            [
                Diagnostic(
                    "selectors",
                    "selectors or exclude hide a part of the package, and with it earlier output, which would be made twice",
                    help="remove selectors and exclude from this function in the Kptfile",
                )
            ]
        )
    named = {item.annotations[_PACKAGE] for item in items if item.annotations.get(_PACKAGE)}
    if named:
        home = Item(config).annotations.get(_PACKAGE, "") if config is not None else ""
        home = home or min(named, key=lambda folder: (len(folder), folder))
        below = home.rstrip("/") + "/"
        outside = sorted(folder for folder in named if folder != home and not folder.startswith(below))
        if outside:
            raise RenderError([_no_home(home, outside[0])])
        for item in items:
            item.package = item.annotations.get(_PACKAGE, home)[len(below) :]
        return
    folders = {item.path.rpartition("/")[0] for item in items if item.key == ("kpt.dev", "Kptfile")}
    for item in items:
        folder = item.path.rpartition("/")[0]
        while folder and folder not in folders:
            folder = folder.rpartition("/")[0]
        item.package = folder


def _no_home(first: str, second: str) -> Diagnostic:
    first, second = first.rpartition("/")[2], second.rpartition("/")[2]
    return Diagnostic(
        "no-home-package",
        f"the items are of packages of which none contains the others: {first} and {second}",
        help="run the function in the pipeline of each package",
    )


def borrowed(items: Sequence[Item], sources: Sequence[Item]) -> Iterator[Item]:
    """
    The RGDs of packages inside home, of kinds that home uses and does not define: definitions fetched with `kpt pkg get`.

    sources: the items of home that are no output. Copies of one definition count as one; where they differ all are given, for the
    compiler to refuse them with their places.
    """
    offered: dict[GroupKind, list[Item]] = {}
    for item in items:
        if item.package and is_rgd(item.value):
            offered.setdefault(defined_kind(item.value), []).append(item)
    if not offered:
        return
    own = [item.value for item in sources if is_rgd(item.value)]
    known = {defined_kind(value) for value in own}
    needed = [item.key for item in sources]
    needed += [kind for value in own for kind in _template_kinds(value)]
    while needed:
        kind = needed.pop()
        if kind in known or kind not in offered:
            continue
        known.add(kind)
        first, *others = offered[kind]
        yield first
        yield from (other for other in others if not same(other.value.get("spec"), first.value.get("spec")))
        needed += _template_kinds(first.value)


def defined_kind(rgd: Mapping[str, Any]) -> GroupKind:
    """Group and kind of an RGD's instances. What is wrong with the RGD is for the compiler to say."""
    spec = rgd.get("spec")
    schema = spec.get("schema") if isinstance(spec, dict) else None
    group, kind = (schema.get("group"), schema.get("kind")) if isinstance(schema, dict) else ("", "")
    return (group if isinstance(group, str) else RGD_GROUP, kind if isinstance(kind, str) else "")


def _template_kinds(rgd: Mapping[str, Any]) -> Iterator[GroupKind]:
    spec = rgd.get("spec")
    resources = spec.get("resources") if isinstance(spec, dict) else None
    for resource in resources if isinstance(resources, list) else ():
        template = resource.get("template") if isinstance(resource, dict) else None
        if isinstance(template, dict):
            api_version, kind = template.get("apiVersion"), template.get("kind")
            if isinstance(api_version, str) and isinstance(kind, str):
                yield (api_version.rpartition("/")[0], kind)


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal, 1, 1.0 and true being three values."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)
