"""
What does not apply, or not yet: one list of rules, each with its reason and the work that will bring it.

A rule looks at the facts that an adapter took from a case's data, never at its id. The first rule that holds excludes the case;
`--include-excluded` runs those cases too and shows which pass, so that no rule outlives its reason unseen.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conformance.case import Case

SIMULATE = "simulate"
NEVER = "by design"


@dataclass(frozen=True)
class Rule:
    """forms: the case's form is one of them, or begins with one that ends in `*`.  waits_for: the later work, or NEVER."""

    reason: str
    waits_for: str
    forms: tuple[str, ...]
    when: Callable[[dict[str, Any]], bool] = lambda _facts: True

    def holds(self, case: Case) -> bool:
        fits = any(case.form == form or (form[-1] == "*" and case.form.startswith(form[:-1])) for form in self.forms)
        return fits and self.when(case.facts)


_STRANGE_CONDITION = re.compile(
    r"runtime\.newCondition\(\{(?:[^}]*,)?\s*(?!(?:type|status|reason|message)\b)\w+\s*:", re.DOTALL
)
_OMIT_GATE = re.compile(r"omit\(\) requires the CELOmitFunction feature gate")
_FATAL_READINESS = re.compile(r"failed to check readiness of dependent node")


def reason_for_rejection(message: str) -> Rule | None:
    """The rule by which a rejection of an RGD, in kro's words, takes more than this version has."""
    return next((rule for rule in _REJECTIONS if rule.when({"message": message})), None)


_GENERATE_NAME = re.compile(r"\bgenerateName\b")


def reason_to_refuse(rgd: str) -> str | None:
    """Why an RGD that kro accepts is refused here by design; kro ends its instances in ERROR."""
    if _GENERATE_NAME.search(rgd):
        return "generateName is refused when the RGD is read (DESIGN 4), kro ends in ERROR when it applies"
    return None


def _says(pattern: re.Pattern[str]) -> Callable[[dict[str, Any]], bool]:
    return lambda facts: pattern.search(facts["message"]) is not None


_REJECTIONS = (Rule("omit() needs no feature gate here (DESIGN 2)", NEVER, ("kro-live",), _says(_OMIT_GATE)),)


def _all_rejections(rule: Rule) -> Callable[[dict[str, Any]], bool]:
    """Every rejection of the case takes more than there is, and the first one is of this rule."""

    def when(facts: dict[str, Any]) -> bool:
        messages = facts["rejections"] or facts["verdicts"]
        reasons = [reason_for_rejection(message) for message in messages]
        return bool(reasons) and all(reasons) and reasons[0] is rule and not facts["instance_rejections"]

    return when


def _of_node(when: Callable[[dict[str, Any]], bool]) -> Callable[[dict[str, Any]], bool]:
    """Of a case of one node that was made by hand."""
    return lambda facts: when(facts["input"]["node"])


def _renamed(node: dict[str, Any]) -> bool:
    """Whether something was observed under another name than the template's."""
    name = node["template"]["metadata"]["name"]
    return node["type"] == "Resource" and any(seen["metadata"]["name"] != name for seen in node.get("observed") or ())


RULES: tuple[Rule, ...] = (
    # recorded runs of kro
    Rule(
        "support files of the case are missing beside it",
        NEVER,
        ("kro-live", "kro-live-crd", "kro-live-replay"),
        lambda facts: bool(facts["missing_crds"]),
    ),
    Rule(
        "a key that is set twice in one mapping is an error, kubectl takes the last one",
        NEVER,
        ("kro-live", "kro-live-crd"),
        lambda facts: bool(facts["repeated_keys"]),
    ),
    *(Rule(rule.reason, rule.waits_for, rule.forms, _all_rejections(rule)) for rule in _REJECTIONS),
    Rule(
        "a readyWhen that fails ends the render, while kro applies what comes before it (DESIGN 4)",
        NEVER,
        ("kro-live",),
        lambda facts: any(_FATAL_READINESS.search(message) for message in facts["messages"]),
    ),
    Rule(
        "a body that never settled: it holds the instance's own resourceVersion",
        NEVER,
        ("kro-live", "kro-live-replay"),
        lambda facts: any("not settled" in note for note in facts["notes"]),
    ),
    Rule(
        "the recording holds none of the Leases that kro applied",
        NEVER,
        ("kro-live", "kro-live-replay"),
        lambda facts: facts["unrecorded"],
    ),
    Rule(
        "omit() needs no feature gate here (DESIGN 2)",
        NEVER,
        ("kro-live-replay",),
        lambda facts: any(_OMIT_GATE.search(message) for message in facts["rejections"]),
    ),
    Rule(
        "generateName is refused when the RGD is read (DESIGN 4), kro ends in ERROR when it applies",
        NEVER,
        ("kro-live-replay",),
        lambda facts: facts["generate_name"],
    ),
    Rule(
        "the API server's doing: its list of kinds was not up to date",
        NEVER,
        ("kro-live-replay",),
        lambda facts: facts["stale_kinds"],
    ),
    # expressions
    Rule(
        "the question is in CEL's conformance tests, which do not lie beside; asked there, the answer is applied",
        NEVER,
        ("kro-cel:difference",),
        lambda facts: not facts["question"],
    ),
    Rule(
        "kro waits because the expression itself contains 'no such key'; pending is decided by kind here (DESIGN 2)",
        NEVER,
        ("kro-cel",),
        lambda facts: facts["pending_by_text"],
    ),
    Rule(
        "the answer depends on the order in which a map is walked: random in cel-go, sorted here (DESIGN 2)",
        NEVER,
        ("kro-cel",),
        lambda facts: facts["order_observed"],
    ),
    Rule(
        "a key that kro's macro runtime.newCondition refuses while parsing; cel-go alone has no such macro",
        NEVER,
        ("cel-go:parse",),
        lambda facts: _STRANGE_CONDITION.search(facts["text"]) is not None,
    ),
    Rule(
        "null behind an optional in a list: cel-go v0.27.0 takes the list for one of nulls",
        NEVER,
        ("cel-spec",),
        lambda facts: facts["null_literal"],
    ),
    Rule(
        "a variable with a dotted name, which kro cannot declare",
        NEVER,
        ("cel-spec",),
        lambda facts: bool(facts["dotted"]),
    ),
    # rules of kro's unit tests
    Rule("newer than kro v0.9.3", NEVER, ("kro-tests:*",), lambda facts: facts["newer"]),
    Rule(
        "an update that changes nothing cannot bring about what is expected of it",
        NEVER,
        ("kro-tests:scenario",),
        lambda facts: facts["repeats_itself"],
    ),
    Rule(
        "the instance is no node here, and has no includeWhen",
        NEVER,
        ("kro-tests:is-ignored",),
        _of_node(lambda node: node["type"] == "Instance"),
    ),
    Rule(
        "a collection has a forEach: kind_of takes what has none for one object",
        NEVER,
        ("kro-tests:for-each",),
        _of_node(lambda node: not node.get("for_each")),
    ),
    Rule(
        "a collection has a forEach: kind_of takes what has none for one object",
        NEVER,
        ("kro-tests:cartesian-product",),
        lambda facts: not facts["input"]["dimensions"],
    ),
    Rule(
        "an object is found by the name that its template gives it, never under another one",
        NEVER,
        ("kro-tests:delete-targets",),
        _of_node(_renamed),
    ),
    Rule(
        "a path's text is never read back: paths are tuples here",
        NEVER,
        ("kro-tests:desired",),
        _of_node(lambda node: any(variable["path"].endswith("[") for variable in node.get("variables") or [])),
    ),
    Rule(
        "pending is decided by the kind of an error, never by its text (DESIGN 2)",
        NEVER,
        ("kro-tests:error-means-pending",),
    ),
    Rule(
        "types that Go has and no schema gives: nil, and one that kro's provider was never told of",
        NEVER,
        ("kro-tests:structurally-compatible",),
        lambda facts: facts["input"]["expected"] in (None, {"object": {}, "required": []}),
    ),
    Rule(
        "a path's text is never read back: paths are tuples here",
        NEVER,
        ("kro-tests:parse-path", "kro-tests:get", "kro-tests:set", "kro-tests:resolve-field"),
    ),
    Rule(
        "parts of kro's builder that are no step of their own here",
        NEVER,
        ("kro-tests:instance-node", "kro-tests:instance-spec-yaml"),
    ),
    Rule(
        "the operators of cel-go are syntax here, not functions",
        NEVER,
        ("kro-tests:has-function",),
        lambda facts: not facts["input"]["function"].replace(".", "").isalnum() or facts["input"]["function"] == "in",
    ),
    Rule(
        "omit() needs no feature gate here (DESIGN 2)",
        NEVER,
        ("kro-tests:dependencies",),
        lambda facts: any("feature gate" in text for text in facts["error_texts"]),
    ),
)


def rule_for(case: Case) -> Rule | None:
    return next((rule for rule in RULES if rule.holds(case)), None)
