"""
The CRD that kro generates for an RGD.

Enters: a `Program`.  Leaves: its CustomResourceDefinition.  Made when it is asked for: a plain render needs none.  Not known
here: where CRDs are written, what a breaking change is.
"""

from __future__ import annotations

from krm_fn.schema.crd import generated_crd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krm_fn.program.model import Program


def crd_of(program: Program) -> dict[str, Any]:
    """The CustomResourceDefinition. The types of the author's status are not inferred yet, its columns not read."""
    definition = program.definition
    scope = "Namespaced" if definition.namespaced else "Cluster"
    return generated_crd(definition.group, definition.version, definition.kind, program.spec_schema, scope=scope)
