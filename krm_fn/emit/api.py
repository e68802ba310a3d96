"""
The API of the platform: the generated CRD of each RGD, for whoever applies the output in place of kro.

Enters: Programs.  Leaves: `Emitted` CustomResourceDefinitions, without marks: they belong to no instance.  Not known here: where
they are written.

A CRD that goes away takes every instance with it, so Argo CD is told never to remove one: neither when it is left out of an
application, nor with an application that is deleted.
"""

from __future__ import annotations

from krm_fn.emit.plain import Emitted
from krm_fn.program.definition import RGD_GROUP, RGD_KIND
from krm_fn.program.generated import crd_of
from krm_fn.report.diagnostic import Subject

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from krm_fn.program.model import Program

SCHEMA = "schema"
"""Stands for the node: the part of an RGD that its CRD is made of. No node can have this id: it is a reserved word."""
_SYNC_OPTIONS = "argocd.argoproj.io/sync-options"
_KEPT = ("Prune=false", "Delete=false")


def generated_crds(programs: Iterable[Program], *, argocd: bool) -> Iterator[Emitted]:
    """The CRDs, in the order of the RGDs. *argocd*: with the options that keep Argo CD from removing them."""
    for program in programs:
        crd = crd_of(program)
        if argocd:
            annotations = dict(crd["metadata"].get("annotations") or ())
            own = [option for option in annotations.get(_SYNC_OPTIONS, "").split(",") if option]
            annotations[_SYNC_OPTIONS] = ",".join(dict.fromkeys((*own, *_KEPT)))
            crd["metadata"]["annotations"] = annotations
        subject = Subject(f"{RGD_GROUP}/v1alpha1", RGD_KIND, program.definition.name, "")
        yield Emitted(crd, program, subject, SCHEMA, "")


def api_path(crd: dict[str, object]) -> str:
    """`api/<plural>.<group>.yaml`: the group is a domain name, or the RGD was refused."""
    metadata = crd["metadata"]
    assert isinstance(metadata, dict)
    return f"api/{metadata['name']}.yaml"
