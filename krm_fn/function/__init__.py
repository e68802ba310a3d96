"""
The KRM function: a ResourceList in; the same list, with what its instances render to, out.

Enters: a parsed `ResourceList`.  Leaves: the text of a ResourceList, and the diagnostics that stand in its `results`.  Not known
here: streams, exit codes (`command.fn`), what a host does with either.

A function is run over its own output, again and again, so it reconciles instead of appending:

    options    `config`     what functionConfig asks for
    packages   `packages`   which items are of the package that the function runs for (*home*), which of packages inside it
    render     `pipeline`   the sources of home, with RGDs that home borrows from packages inside it
    reconcile               item by item: ours and wanted, replaced where it stands; ours and unwanted, dropped, or held while its
                            instance waits; anything else, passed through as text.  What is wanted and not there yet is appended
    write                   YAML, never JSON: kpt spoils flow collections by copying comments into them

*Ours* goes by the marks (instance, node, item key), never by name: later functions rename.  Nothing outside home is changed, and
nothing in home that has no mark.

*Held*: kro prunes nothing of an instance while a node of it is unresolved.  So an item of an instance that has a deferred node
stays, and so does one of a nested instance that such an instance may make.
"""

from __future__ import annotations

from krm_fn.emit.marks import INSTANCE, LOCAL_CONFIG, PREFIX, file_path, marked, owner
from krm_fn.emit.yaml_text import dump
from krm_fn.expand.observed import identity
from krm_fn.expand.outcome import DEFERRED
from krm_fn.function.config import API_VERSION, KIND, read_options
from krm_fn.function.packages import INDEX, PATH, Item, assign_packages, borrowed, defined_kind, same
from krm_fn.inputs import OBSERVED_MARK
from krm_fn.pipeline import Rendering
from krm_fn.program.definition import is_rgd
from krm_fn.report.diagnostic import ERROR, INFO, WARNING, Diagnostic, RenderError
from krm_fn.report.krm import results

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from krm_fn.emit.plain import Emitted
    from krm_fn.expand.outcome import Expansion
    from krm_fn.function.packages import GroupKind, Mark
    from krm_fn.program.model import Program
    from krm_fn.read.resource_list import ResourceList

FOLDER = "rendered"
"""Where new items go, below the package's own folder."""

_API_VERSIONS = tuple(f"config.kubernetes.io/{version}" for version in ("v1", "v1beta1", "v1alpha1"))
_HOST_PREFIXES = ("internal.config.kubernetes.io/", "internal.config.k8s.io/")
_HOST_KEYS = (
    "config.kubernetes.io/path", "config.kubernetes.io/index", "config.k8s.io/id", "kustomize.config.k8s.io/id",
)  # fmt: skip


def run_function(given: ResourceList, environment: Mapping[str, str]) -> tuple[str, list[Diagnostic]]:
    """
    The text of the ResourceList to print, and its diagnostics, errors first.

    With an error among them the items are those that were given, to the byte. Nothing is raised for what a user can get wrong.
    """
    items = [Item(document) for document in given.items]
    texts: list[str] = []
    try:
        texts, diagnostics = _reconciled(items, given, environment)
    except RenderError as error:
        diagnostics = error.diagnostics
    if any(d.severity == ERROR for d in diagnostics):
        texts = [_passed(item, given) for item in items]
    return _written(given, texts, diagnostics), diagnostics


def _reconciled(
    items: Sequence[Item], given: ResourceList, environment: Mapping[str, str]
) -> tuple[list[str], list[Diagnostic]]:
    """The items to print as text, which count only if there is no error among what there is to say about them."""
    if given.api_version not in _API_VERSIONS:
        raise RenderError([_unknown_version(given)])
    options = read_options(given.function_config, environment)
    if not items:
        raise RenderError([_NO_ITEMS])
    assign_packages(items, given.function_config)
    home = [item for item in items if item.in_home]
    ours = _ours(home)
    sources = [item for item in home if item.mark is None]
    for item in items:
        item.document.value = _without_place(item)
    rendering = Rendering(
        [item.document for item in (*sources, *borrowed(items, sources))],
        options,
        crds=[item.document for item in items if item.package and item.value.get("kind") == "CustomResourceDefinition"],
    )
    wanted = Wanted(rendering.programs)
    for expansion, batch in rendering.batches():
        wanted.add(expansion, batch)
    add = rendering.findings.add
    for finding in (*_in_the_way(wanted, sources), *_applied(sources, rendering), *_elsewhere(items)):
        add(finding)
    if rendering.findings.has_errors:
        return [], rendering.findings.sorted()
    if not rendering.inputs.instances:
        add(_nothing_to_render(rendering))
    written: list[str] = []
    for item in items:
        if item.mark is None or item.package:
            written.append(_passed(item, given))
        elif item.mark in wanted.objects:
            written.append(_replaced(item, wanted.objects[item.mark], given))
        elif wanted.holds(item):
            add(_held(item))
            written.append(_passed(item, given))
        else:
            add(_dropped(item, instance_is_there=item.mark[0] in wanted.instances))
    written += [_entry(value, given) for value in _new(wanted, ours, home)]
    return written, rendering.findings.sorted()


def _ours(home: Sequence[Item]) -> dict[Mark, Item]:
    """Earlier output, by its marks. Errors: `repeated-marks`, since one of two may be somebody's own work."""
    ours: dict[Mark, Item] = {}
    problems = []
    for item in home:
        if item.mark is None:
            continue
        first = ours.setdefault(item.mark, item)
        if first is not item:
            problems.append(
                Diagnostic(
                    "repeated-marks",
                    f"{item} and {first} carry the same marks of node {item.mark[1]}",
                    position=item.document.locate(("metadata", "annotations")),
                    subject=item.subject(),
                    help=f"remove one of them, or its annotations {PREFIX}* if it is your own",
                )
            )
    if problems:
        raise RenderError(problems)
    return ours


class Wanted:
    """What the instances of home render to, by mark; and which of their earlier items must not go yet."""

    def __init__(self, programs: Mapping[GroupKind, Program]) -> None:
        self.objects: dict[Mark, Emitted] = {}
        self.makers: dict[tuple[str, ...], Emitted] = {}
        """By identity."""
        self.instances: set[str] = set()
        self._programs = programs
        self._waiting: set[str] = set()
        """The instances that have a deferred node."""
        self._possible: set[GroupKind] = set()
        """The kinds of nested instances that a waiting instance may make."""

    def add(self, expansion: Expansion, batch: Iterable[Emitted]) -> None:
        for emitted in batch:
            self.objects[owner(emitted.subject), emitted.node, emitted.key] = emitted
            self.makers[identity(emitted.object)] = emitted
        self._follow(expansion)

    def _follow(self, expansion: Expansion) -> None:
        name = owner(expansion.subject)
        self.instances.add(name)
        if any(outcome.state == DEFERRED for outcome in expansion.outcomes.values()):
            self._waiting.add(name)
            self._add_possible(expansion.program)
        for outcome in expansion.outcomes.values():
            for made in outcome.items:
                if made.nested is not None:
                    self._follow(made.nested)

    def _add_possible(self, program: Program) -> None:
        rest = [program]
        while rest:
            for node in rest.pop().nodes.values():
                kind = (node.group, node.object_kind)
                if kind in self._programs and kind not in self._possible and not node.is_external:
                    self._possible.add(kind)
                    rest.append(self._programs[kind])

    def holds(self, item: Item) -> bool:
        """Whether an item of ours that is not wanted stays. One whose object another node makes now does not."""
        assert item.mark is not None
        instance = item.mark[0]
        subject = item.subject()
        if (*item.key, subject.namespace, subject.name) in self.makers:
            return False
        if instance in self.instances:
            return instance in self._waiting
        group, _, rest = instance.partition("/")
        return (group, rest.partition("/")[0]) in self._possible


# ---- items


def _replaced(item: Item, emitted: Emitted, given: ResourceList) -> str:
    """The text of an item of ours that is still wanted; the given one where nothing has changed."""
    placed = _placed(emitted, {key: value for key, value in item.annotations.items() if _is_hosts(key)})
    return _passed(item, given) if same(placed, item.value) else _entry(placed, given)


def _new(wanted: Wanted, ours: Mapping[Mark, Item], home: Sequence[Item]) -> Iterator[dict[str, Any]]:
    """The objects that are not there yet, each at a path and an index of its own."""
    taken = {(item.path.lower(), item.index) for item in home}
    for mark, emitted in wanted.objects.items():
        if mark in ours:
            continue
        path = f"{FOLDER}/{file_path(emitted.program, emitted.subject, emitted.node, emitted.key)}"
        index = 0
        while (path.lower(), str(index)) in taken:
            index += 1
        taken.add((path.lower(), str(index)))
        yield _placed(emitted, {PATH: path, INDEX: str(index)})


def _placed(emitted: Emitted, place: Mapping[str, str]) -> dict[str, Any]:
    """The object with our marks, also where it has kro's labels, and with the host's annotations of *place* alone."""
    made = emitted.object
    if INSTANCE not in (made["metadata"].get("annotations") or ()):
        made = marked(made, owner(emitted.subject), emitted.node, emitted.key)
    metadata = dict(made["metadata"])
    annotations = metadata["annotations"] = {k: v for k, v in metadata["annotations"].items() if not _is_hosts(k)}
    annotations.update(place)
    return {**made, "metadata": metadata}


def _without_place(item: Item) -> dict[str, Any]:
    """The object as it stands in its file: an expression that copies `schema.metadata.annotations` must not see the host's."""
    if not any(_is_hosts(key) for key in item.annotations):
        return item.value
    metadata = dict(item.value["metadata"])
    metadata["annotations"] = {k: v for k, v in metadata["annotations"].items() if not _is_hosts(k)}
    if not metadata["annotations"]:
        del metadata["annotations"]
    return {**item.value, "metadata": metadata}


def _is_hosts(key: str) -> bool:
    """Whether an annotation is a host's book-keeping, which it takes off again before it writes a file."""
    return key in _HOST_KEYS or key.startswith(_HOST_PREFIXES)


# ---- what there is to say

_NO_ITEMS = Diagnostic(
    "no-items",
    "the ResourceList has no items",
    help="run the function where RGDs and instances are; an empty result would make the host delete every file",
)


def _unknown_version(given: ResourceList) -> Diagnostic:
    return Diagnostic(
        "not-a-resource-list",
        f"{given.api_version} is no version of ResourceList that is known here",
        position=given.document.locate(("apiVersion",)),
        help=f"known are {', '.join(_API_VERSIONS)}",
    )


def _in_the_way(wanted: Wanted, sources: Sequence[Item]) -> Iterator[Diagnostic]:
    """Objects that somebody wrote by hand and that an instance makes, too. What is never applied is in nobody's way."""
    for item in sources:
        subject = item.subject()
        emitted = wanted.makers.get((*item.key, subject.namespace, subject.name))
        if emitted is not None and not item.is_local and item.annotations.get(OBSERVED_MARK) != "true":
            yield Diagnostic(
                "not-ours",
                f"{item} is no output of Rookery, and node {emitted.node} of {emitted.subject} makes the same object",
                position=item.document.locate(("metadata", "name")),
                subject=subject,
                help="remove it, or give one of the two another name",
            )


def _applied(sources: Sequence[Item], rendering: Rendering) -> Iterator[Diagnostic]:
    """Sources that an applier would send to a cluster that knows nothing of their kinds."""
    for item in sources:
        if item.is_local:
            continue
        if is_rgd(item.value):
            what = "this ResourceGraphDefinition"
        elif item.annotations.get(OBSERVED_MARK) == "true":
            what = "this observed object"
        elif item.key in rendering.inputs.entries_of:
            what = "this instance"
        elif item.value.get("apiVersion") == API_VERSION and item.value.get("kind") == KIND:
            what = "this functionConfig"
        else:
            continue
        yield Diagnostic(
            "not-local-config",
            f"{what} would be applied to the cluster",
            severity=WARNING,
            position=item.document.locate(("metadata",)),
            subject=item.subject(),
            help=f'add the annotation {LOCAL_CONFIG}: "true"',
        )


def _elsewhere(items: Sequence[Item]) -> Iterator[Diagnostic]:
    """Instances of packages inside home, which are theirs to render, as long as nothing shows that they were."""
    kinds = {defined_kind(item.value) for item in items if item.mark is None and is_rgd(item.value)}
    rendered = {item.package for item in items if item.mark is not None}
    pipelines = {item.package for item in items if item.key == ("kpt.dev", "Kptfile") and _has_mutators(item.value)}
    for item in items:
        if not item.package or item.mark is not None or item.key not in kinds or item.package in rendered:
            continue
        has_pipeline = item.package in pipelines
        yield Diagnostic(
            "other-package",
            f"this instance is of package {item.package}, and left to it"
            + ("" if has_pipeline else "; that package has no pipeline"),
            severity=INFO if has_pipeline else WARNING,
            position=item.document.locate(("metadata", "name")),
            subject=item.subject(),
            help="" if has_pipeline else "give it one, or remove its Kptfile to make it a part of this package",
        )


def _has_mutators(kptfile: Mapping[str, Any]) -> bool:
    pipeline = kptfile.get("pipeline")
    return isinstance(pipeline, dict) and bool(pipeline.get("mutators"))


def _nothing_to_render(rendering: Rendering) -> Diagnostic:
    what = "instance of its ResourceGraphDefinitions" if rendering.programs else "ResourceGraphDefinition"
    return Diagnostic("nothing-to-render", f"the package has no {what}", severity=INFO)


def _held(item: Item) -> Diagnostic:
    assert item.mark is not None
    return Diagnostic(
        "held",
        f"kept as it is, for as long as {item.mark[0]} waits for the cluster",
        severity=INFO,
        position=item.document.locate(()),
        subject=item.subject(),
    )


def _dropped(item: Item, *, instance_is_there: bool) -> Diagnostic:
    assert item.mark is not None
    why = f"{item.mark[0]} does not make it any more" if instance_is_there else f"instance {item.mark[0]} is gone"
    return Diagnostic(
        "removed", f"removed: {why}", severity=INFO, position=item.document.locate(()), subject=item.subject()
    )


# ---- writing


def _written(given: ResourceList, items: Sequence[str], diagnostics: Sequence[Diagnostic]) -> str:
    """The ResourceList, as v1 whatever version it came in. `items` is never left out: some hosts want it there."""
    parts = [
        "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n",
        "items:\n" if items else "items: []\n",
        *items,
    ]
    if given.function_config is not None:
        parts.append(dump({"functionConfig": given.function_config.value}))
    if diagnostics:
        parts.append(dump({"results": results(diagnostics)}))
    return "".join(parts)


def _passed(item: Item, given: ResourceList) -> str:
    """An item as it came in; written anew where it has no lines of its own, in a list in flow style."""
    return item.document.text() or _entry(item.value, given)


def _entry(value: dict[str, Any], given: ResourceList) -> str:
    """A new entry of the list, its dash below those of the others."""
    return " " * given.indent + "- " + dump(value, given.indent + 2)[given.indent + 2 :]
