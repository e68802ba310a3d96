"""
The status of an RGD that lies in the cluster.

Enters: the RGD as it is stored, its Program or what is wrong with it, whether its kind is served.  Leaves: the status.  Not known
here: who writes it.

`state`, `topologicalOrder`, and of kro's conditions the two that are true without a kro: GraphAccepted and KindReady.
Source: kro v0.9.3 pkg/controller/resourcegraphdefinition/controller_status.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from krm_fn.expand.status import stamped

if TYPE_CHECKING:
    from typing import Any

    from krm_fn.program.model import Program

ACTIVE, INACTIVE = "Active", "Inactive"


def rgd_status(
    stored: dict[str, Any], program: Program | None, why_refused: str, *, is_served: bool, now: str
) -> dict[str, Any]:
    """*why_refused*: of an RGD without a Program.  *is_served*: whether the cluster has its instances' CRD."""
    if program is None:
        accepted = ("GraphAccepted", "False", "InvalidResourceGraph", why_refused)
    else:
        accepted = ("GraphAccepted", "True", "Valid", "resource graph and schema are valid")
    conditions = [accepted]
    if program is not None:
        kind = program.definition.kind
        conditions.append(
            ("KindReady", "True", "Ready", f"kind {kind} has been accepted and ready")
            if is_served
            else ("KindReady", "False", "Failed", f"kind {kind} is not served: its CRD is not installed")
        )
    before = [each for each in (stored.get("status") or {}).get("conditions") or () if isinstance(each, dict)]
    status: dict[str, Any] = {
        "state": ACTIVE if program is not None and is_served else INACTIVE,
        "conditions": [
            stamped(
                dict(zip(("type", "status", "reason", "message"), each, strict=True)),
                before,
                stored["metadata"].get("generation"),
                now,
            )
            for each in conditions
        ],
    }
    if program is not None and program.order:
        status["topologicalOrder"] = list(program.order)
    return status
