"""
An object of a kind that a CustomResourceDefinition defines, judged as an API server that has the CRD would.

Enters: an object as plain JSON, the published schema of its version.  Leaves: what is wrong with it.  Called by `validate`, for an
instance whose RGD is elsewhere and whose CRD is given.  Not known here: RGDs, positions in files.

A CRD that kro generates is admitted as its RGD's instances are, rules included. Of another's keywords those are judged that need no
defaults (`schema.server_checks`); that its rules are not run is said.
"""

from __future__ import annotations

from krm_fn.admit.admission import compile_admission
from krm_fn.report.diagnostic import ERROR, WARNING
from krm_fn.schema.structural import Violation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_RULES = "x-kubernetes-validations"
_CODES = {"template-malformed": "instance-malformed", "template-no-alternative": "instance-no-alternative"}
"""What an instance whose RGD is here is never told: SimpleSchema has no formats and no alternatives."""


def judge(body: dict[str, Any], schema: dict[str, Any]) -> list[Violation]:
    """What an API server would have against *body*. Codes: `instance-…`, those of `Admission.admit`."""
    spec = (schema.get("properties") or {}).get("spec")
    try:
        return compile_admission(spec or {"type": "object", "properties": {}}).admit(body)[1]
    except (KeyError, ValueError):
        pass
    from krm_fn.schema.server_checks import refusals

    found = refusals(body, schema, (), defaulted=True)
    for violation in found:
        violation.code = _CODES.get(violation.code) or violation.code.replace("template-", "instance-", 1)
        violation.severity = ERROR
    if _has_rules(schema):
        message = f"the {_RULES} of its CRD are not checked"
        found.append(Violation("instance-rule-unchecked", (), message, "the API server checks them", WARNING))
    return found


def _has_rules(schema: dict[str, Any]) -> bool:
    rest: list[Any] = [schema]
    seen: set[int] = set()
    while rest:
        part = rest.pop()
        if isinstance(part, dict) and id(part) not in seen:
            seen.add(id(part))
            if _RULES in part:
                return True
            rest += part.values()
    return False
