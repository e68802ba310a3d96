"""
The KRM function: a ResourceList in; the same list, with what its instances render to, out.

Enters: a parsed `ResourceList`.  Leaves: the text of a ResourceList, and the diagnostics that stand in its `results`.  Not known
here: streams, exit codes (`command.fn`), what a host does with either.

A function is run over its own output, again and again, so it reconciles instead of appending:

    host       `kustomize`  who runs the function
    request    `config`     what functionConfig asks for, with the sources that it names or holds under kustomize
    packages   `packages`   which items are of the package that the function runs for (*home*), which of packages inside it
    render     `pipeline`   the sources of home, with RGDs that home borrows from packages inside it
    reconcile               item by item: ours and wanted, replaced where it stands; ours and unwanted, dropped, or held while its
                            instance waits; anything else, passed through as text.  What is wanted and not there yet is appended
    write                   YAML, never JSON: kpt spoils flow collections by copying comments into them

Under kpt sources stay where they are, in files.  What kustomize has at the end it applies: as its generator the function answers
with the rendered objects alone, as its transformer it takes its sources out; what bears marks of an instance that is not there
comes from an earlier function, and stays.  A validator only checks.

*Ours* goes by the marks (instance, node, item key), never by name: later functions rename.  Nothing outside home is changed, and
nothing in home that has no mark.

*Held*: kro prunes nothing of an instance while a node of it is unresolved.  So an item of an instance that has a deferred node
stays, and so does one of a nested instance that such an instance may make.
"""

from __future__ import annotations

from krm_fn.emit.kpt import reference, without_dependencies
from krm_fn.emit.marks import LOCAL_CONFIG, file_path, marked
from krm_fn.emit.yaml_text import dump
from krm_fn.expand.keeping import Keeping
from krm_fn.expand.observed import identity
from krm_fn.expand.ownership import INSTANCE, PREFIX, owner
from krm_fn.function.config import API_VERSION, ECHO, KIND, read_request
from krm_fn.function.kustomize import GENERATOR, KPT, TRANSFORMER, Named, find_host, find_unfit, read_named
from krm_fn.function.packages import (
    INDEX,
    PATH,
    Item,
    assign_packages,
    borrowed,
    defined_kind,
    is_hosts,
    same,
    without_place,
)
from krm_fn.observed_input import is_marked_observed, is_snapshot
from krm_fn.pipeline import Rendering
from krm_fn.program.definition import is_rgd
from krm_fn.program.template import path_text
from krm_fn.report.diagnostic import ERROR, INFO, WARNING, Diagnostic, RenderError
from krm_fn.report.krm import results

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from krm_fn.emit.plain import Emitted
    from krm_fn.expand.outcome import Expansion
    from krm_fn.function.config import Request
    from krm_fn.function.packages import GroupKind, Mark
    from krm_fn.program.model import Program
    from krm_fn.read.resource_list import ResourceList

_CRD = "CustomResourceDefinition"
FOLDER = "rendered"
"""Where new items go, below the package's own folder."""

_API_VERSIONS = tuple(f"config.kubernetes.io/{version}" for version in ("v1", "v1beta1", "v1alpha1"))


class Answer:
    """
    What the function has to say to a list.

    text: the ResourceList to print.  diagnostics: errors first.  has_lines: whether positions are those of files (under kpt their
    lines are the list's).
    """

    __slots__ = ("diagnostics", "has_lines", "text")

    def __init__(self, text: str, diagnostics: list[Diagnostic], *, has_lines: bool) -> None:
        self.text = text
        self.diagnostics = diagnostics
        self.has_lines = has_lines


def run_function(given: ResourceList, environment: Mapping[str, str]) -> Answer:
    """
    Run the function over a list.

    With an error among the diagnostics the items are those that were given, to the byte. Nothing is raised for what a user can get
    wrong.
    """
    items = [Item(document) for document in given.items]
    host = find_host(items, Item(given.function_config) if given.function_config is not None else None)
    texts: list[str] = []
    if host == TRANSFORMER:
        for item in items:
            item.document.file = ""  # kustomize makes names up
    try:
        texts, diagnostics = _answered(items, given, host, environment)
    except RenderError as error:
        diagnostics = error.diagnostics
    if any(d.severity == ERROR for d in diagnostics):
        texts = [_passed(item, given) for item in items]
    if host != KPT:
        for diagnostic in diagnostics:
            if diagnostic.position is not None and diagnostic.position.file.startswith("<"):
                diagnostic.position = None  # kustomize's stream, which nobody sees
    return Answer(_written(given, texts, diagnostics), diagnostics, has_lines=host != KPT)


def _answered(
    items: Sequence[Item], given: ResourceList, host: str, environment: Mapping[str, str]
) -> tuple[list[str], list[Diagnostic]]:
    """The items to print as text, which count only if there is no error among what there is to say about them."""
    if given.api_version not in _API_VERSIONS:
        raise RenderError([_unknown_version(given)])
    request = read_request(given.function_config, environment, host)
    named = Named()
    if host == KPT:
        if not items:
            raise RenderError([_NO_ITEMS])
        assign_packages(items, given.function_config)
    else:
        named = read_named(request, given, environment)
        items = [] if host == GENERATOR else items
    ours = _ours([item for item in items if item.in_home])
    sources = [item for item in items if item.in_home and item.mark is None]
    rendering, wanted = _rendered(items, sources, named, request, host)
    consumed: set[Item] = set()
    if host == TRANSFORMER:
        consumed = {item for item in sources if _is_consumed(item, rendering)}
    add = rendering.findings.add
    for finding in _in_the_way(wanted, [item for item in sources if item not in consumed]):
        add(finding)
    for finding in (*_applied(sources, rendering), *_elsewhere(items)) if host == KPT else _unfit(wanted):
        add(finding)
    texts: list[str] = []
    if request.validator == ECHO:
        texts = [_passed(item, given) for item in items]
    elif not request.validator and not rendering.findings.has_errors:
        items = [item for item in items if item not in consumed]
        texts = _reconciled(items, wanted, ours, rendering, given, host)
        if not texts and not request.allow_empty:
            add(_empty(rendering))
    if not rendering.inputs.instances and not rendering.findings.has_errors:
        add(_nothing_to_render(rendering))
    return texts, rendering.findings.sorted()


def _rendered(
    items: Sequence[Item], sources: Sequence[Item], named: Named, request: Request, host: str
) -> tuple[Rendering, Wanted]:
    """Everything that the sources render to. The items' own objects are seen without the host's annotations from here on."""
    for item in items:
        item.document.value = without_place(item)
    rendering = Rendering(
        [*(item.document for item in (*sources, *borrowed(items, sources))), *named.sources],
        request.options,
        crds=[*(i.document for i in items if i.package and i.value.get("kind") == _CRD), *named.crds],
        observed=named.observed,
        knows_earlier=host == KPT,
    )
    rendering.beside(item.value for item in items)
    wanted = Wanted(rendering.programs)
    for expansion, batch in rendering.batches():
        wanted.add(expansion, batch)
    return rendering, wanted


def _reconciled(
    items: Sequence[Item],
    wanted: Wanted,
    ours: Mapping[Mark, Item],
    rendering: Rendering,
    given: ResourceList,
    host: str,
) -> list[str]:
    """The items as they are to be, as text: replaced, held, dropped or passed through; new ones last."""
    add = rendering.findings.add
    texts: list[str] = []
    held: dict[int, Item] = {}
    gone: set[str] = set()
    for item in items:
        if item.mark is None or item.package or (host != KPT and item.mark[0] not in wanted.instances):
            # Under kustomize the sources of an earlier function are not there: a base has rendered them, or a generator.
            texts.append(_passed(item, given))
        elif item.mark in wanted.objects:
            texts.append(_replaced(item, wanted.objects[item.mark], given))
        elif wanted.holds(item):
            add(_held(item))
            held[len(texts)] = item
            texts.append(_passed(item, given))
        else:
            add(_dropped(item, instance_is_there=item.mark[0] in wanted.instances))
            gone.add(reference((*item.key, item.subject().namespace, item.subject().name)))
    for i, item in held.items():
        left = without_dependencies(item.value, gone)
        texts[i] = texts[i] if left is item.value else _entry(left, given)
    taken = {(item.path.lower(), item.index) for item in items if item.in_home}
    new = [(mark, emitted) for mark, emitted in wanted.objects.items() if mark not in ours]
    if host != KPT:
        new.sort(key=lambda entry: not entry[1].comes_first)
    for _, emitted in new:
        texts.append(_entry(_placed(emitted, _free_place(emitted, taken) if host == KPT else {}), given))
    return texts


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
        self._keeping = Keeping(programs)

    @property
    def instances(self) -> set[str]:
        return self._keeping.instances

    def add(self, expansion: Expansion | None, batch: Iterable[Emitted]) -> None:
        for emitted in batch:
            self.objects[owner(emitted.subject), emitted.node, emitted.key] = emitted
            self.makers[identity(emitted.object)] = emitted
        if expansion is not None:
            self._keeping.follow(expansion)

    def holds(self, item: Item) -> bool:
        """Whether an item of ours that is not wanted stays. One whose object another node makes now does not."""
        assert item.mark is not None
        subject = item.subject()
        return (*item.key, subject.namespace, subject.name) not in self.makers and self._keeping.keeps(item.mark[0])


# ---- items


def _replaced(item: Item, emitted: Emitted, given: ResourceList) -> str:
    """The text of an item of ours that is still wanted; the given one where nothing has changed."""
    placed = _placed(emitted, {key: value for key, value in item.annotations.items() if is_hosts(key)})
    return _passed(item, given) if same(placed, item.value) else _entry(placed, given)


def _free_place(emitted: Emitted, taken: set[tuple[str, str]]) -> dict[str, str]:
    """A path and an index that no other item has, in small letters; they are taken then."""
    path = f"{FOLDER}/{file_path(emitted.program, emitted.subject, emitted.node, emitted.key)}"
    index = 0
    while (path.lower(), str(index)) in taken:
        index += 1
    taken.add((path.lower(), str(index)))
    return {PATH: path, INDEX: str(index)}


def _placed(emitted: Emitted, place: Mapping[str, str]) -> dict[str, Any]:
    """The object with our marks, also where it has kro's labels, and with the host's annotations of *place* alone."""
    made = emitted.object
    if INSTANCE not in (made["metadata"].get("annotations") or ()):
        made = marked(made, owner(emitted.subject), emitted.node, emitted.key)
    metadata = dict(made["metadata"])
    annotations = metadata["annotations"] = {k: v for k, v in metadata["annotations"].items() if not is_hosts(k)}
    annotations.update(place)
    return {**made, "metadata": metadata}


def _is_consumed(item: Item, rendering: Rendering) -> bool:
    """Whether an item is a source, which kustomize would apply if it came back."""
    return is_rgd(item.value) or _is_observed(item) or item.key in rendering.inputs.entries_of


def _is_observed(item: Item) -> bool:
    return is_snapshot(item.value) or is_marked_observed(item.value)


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
        if emitted is not None and not item.is_local and not _is_observed(item):
            yield Diagnostic(
                "not-ours",
                f"{item} is no output of Rookery, and node {emitted.node} of {emitted.subject} makes the same object",
                position=item.document.locate(("metadata", "name")),
                subject=subject,
                help="remove it, or give one of the two another name",
            )


def _unfit(wanted: Wanted) -> Iterator[Diagnostic]:
    """Objects that kustomize could not print."""
    for emitted in wanted.objects.values():
        found = find_unfit(emitted.object)
        if found is not None:
            where = path_text(found[0])
            yield Diagnostic(
                "unfit-character",
                f"{where} of node {emitted.node} has the character {found[1]}, which kustomize cannot write",
                subject=emitted.subject,
                help="take it out of the instance or of the template, or encode the value",
            )


def _applied(sources: Sequence[Item], rendering: Rendering) -> Iterator[Diagnostic]:
    """Sources that an applier would send to a cluster that knows nothing of their kinds."""
    for item in sources:
        if item.is_local:
            continue
        if is_rgd(item.value):
            what = "this ResourceGraphDefinition"
        elif _is_observed(item):
            what = "this snapshot" if is_snapshot(item.value) else "this observed object"
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


def _empty(rendering: Rendering) -> Diagnostic:
    if not rendering.programs:
        why = "there is no ResourceGraphDefinition among the sources"
    elif not rendering.inputs.instances:
        why = "there is no instance among the sources"
    else:
        why = "the instances make no object now"
    return Diagnostic(
        "empty-output",
        f"the result is empty: {why}",
        help="correct paths or resources of the config; if it may be empty, say allowEmpty: true",
    )


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
