"""
The annotation by which kpt live (cli-utils) fills in at apply time what was not known.

Enters: an object with placeholders, its `Substitution`s.  Leaves: the object with `config.kubernetes.io/apply-time-mutation`.  Not
known here: why a value is missing.

A source is named by its apiVersion, the one that the expression was checked with, and by the namespace that it is written with: cli-utils looks
it up among the objects of the package before it fills in a namespace.
"""

from __future__ import annotations

from krm_fn.emit.yaml_text import dump
from krm_fn.expand.apply_time import ANNOTATION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from krm_fn.expand.apply_time import Substitution


def with_substitutions(object: dict[str, Any], substitutions: Iterable[Substitution]) -> dict[str, Any]:  # noqa: A002
    """A copy of *object* with the annotation; everything else is shared."""
    made = dict(object)
    metadata = made["metadata"] = dict(object["metadata"])
    metadata["annotations"] = {
        **(metadata.get("annotations") or {}),
        ANNOTATION: dump([entry(each) for each in substitutions]),
    }
    return made


def entry(substitution: Substitution) -> dict[str, Any]:
    """One of them, as cli-utils reads it."""
    source = substitution.source
    metadata = source.object["metadata"]
    reference = {"apiVersion": source.object["apiVersion"], "kind": source.object["kind"], "name": metadata["name"]}
    if metadata.get("namespace"):
        reference["namespace"] = metadata["namespace"]
    made = {"sourceRef": reference, "sourcePath": source.path, "targetPath": substitution.target}
    return {**made, "token": substitution.token} if substitution.token else made
