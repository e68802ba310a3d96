"""
What changes between two generated CRDs without kro looking at it.

Enters: two CRDs as plain dicts.  Leaves: `Uncompared` changes with their effect on instances; and the fields that no RGD
may change.  Not known here: kro's own verdict (`schema.compatibility`), RGDs, how changes are shown.

kro compares neither validation rules, nor the values of a map, nor an enum where there was none, nor any other keyword of
Kubernetes, nor columns and labels. Such a change reaches the cluster with the next one that kro does see, and is
enforced by the API server from then on. A rule that names `oldSelf` is a transition rule: it forbids updates, not values.

Source: what kro v0.9.3 pkg/graph/crd/compat leaves out; api/v1alpha1 (the immutable fields of an RGD).
"""

from __future__ import annotations

from typing import NamedTuple

from krm_fn.schema.compatibility import ROOT, Change, compare_schemas, json_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from krm_fn.schema.compatibility import Path

    Schema: TypeAlias = dict[str, Any]
    Found: TypeAlias = list["Uncompared"]

TIGHTENS, RELAXES, NEUTRAL = "tightens", "relaxes", "neutral"

_COMPARED = frozenset(
    (
        "type", "description", "default", "pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems",
        "properties", "required", "items",
    )
)  # fmt: skip
"""Keywords that kro compares."""
_RULES, _VALUES = "x-kubernetes-validations", "additionalProperties"
_KEYS = "x-kubernetes-list-map-keys"
_LAX = ("nullable", "x-kubernetes-preserve-unknown-fields", "x-kubernetes-int-or-string", _VALUES)
"""Keywords that allow more where they are set."""
_SENTENCES = {
    "RULE_ADDED": "Validation rule {new} was added",
    "RULE_REMOVED": "Validation rule {old} was removed",
    "TRANSITION_RULE_ADDED": "Transition rule {new} was added",
    "TRANSITION_RULE_REMOVED": "Transition rule {old} was removed",
    "RULE_MESSAGE_CHANGED": "Message of a validation rule was changed from {old} to {new}",
    "ENUM_ADDED": "Enum {new} was added",
    "ENUM_REMOVED": "Enum {old} was removed",
    "KEYWORD_ADDED": "{name}: {new} was added",
    "KEYWORD_REMOVED": "{name}: {old} was removed",
    "KEYWORD_CHANGED": "{name} was changed from {old} to {new}",
    "COLUMNS_CHANGED": "Printer columns were changed",
    "METADATA_CHANGED": "{name} of the CRD were changed",
}


class Uncompared(NamedTuple):
    """One change. effect: TIGHTENS where something that was allowed may be refused, RELAXES, or NEUTRAL."""

    change: Change
    effect: str

    def description(self) -> str:
        """A sentence in the manner of kro's."""
        change = self.change
        if change.type in _SENTENCES:
            return _SENTENCES[change.type].format(name=change.at[-1], old=change.old, new=change.new)
        return change.description()


class Immutable(NamedTuple):
    """A field of `spec.schema` that the API server lets no update of an RGD change."""

    field: str
    old: str
    new: str


def immutable_changes(old: dict[str, Any], new: dict[str, Any]) -> list[Immutable]:
    """The fields that changed although no RGD may change them. Source: api/v1alpha1/resourcegraphdefinition_types.go."""
    sides = [
        {
            "group": crd["spec"]["group"],
            "apiVersion": crd["spec"]["versions"][0]["name"],
            "kind": crd["spec"]["names"]["kind"],
            "scope": crd["spec"]["scope"],
        }
        for crd in (old, new)
    ]
    return [Immutable(field, text, sides[1][field]) for field, text in sides[0].items() if text != sides[1][field]]


def uncompared(old: dict[str, Any], new: dict[str, Any]) -> list[Uncompared]:
    """What two CRDs of one version differ in, besides what kro compares."""
    before, after = old["spec"]["versions"][0], new["spec"]["versions"][0]
    found: Found = []
    _walk(ROOT, before["schema"]["openAPIV3Schema"], after["schema"]["openAPIV3Schema"], found)
    columns = "additionalPrinterColumns"
    if before.get(columns) != after.get(columns):
        found.append(Uncompared(Change((columns,), "COLUMNS_CHANGED"), NEUTRAL))
    for part in ("labels", "annotations"):
        if old["metadata"].get(part) != new["metadata"].get(part):
            found.append(Uncompared(Change(("metadata", part), "METADATA_CHANGED"), NEUTRAL))
    return found


def _walk(at: Path, old: Schema, new: Schema, found: Found) -> None:
    """A node that both have. Where its type changed kro looks no further, and nothing below would mean the same."""
    if old.get("type") != new.get("type"):
        return
    for keyword in sorted((old.keys() | new.keys()) - _COMPARED):
        if keyword == _RULES:
            _rules((*at, keyword), old.get(keyword) or [], new.get(keyword) or [], found)
        elif keyword == "enum":
            _enum((*at, keyword), old.get(keyword), new.get(keyword), found)
        elif keyword == _VALUES and isinstance(old.get(keyword), dict) and isinstance(new.get(keyword), dict):
            _values((*at, keyword), old[keyword], new[keyword], found)
        else:
            _keyword((*at, keyword), old.get(keyword), new.get(keyword), found)
    fields, new_fields = old.get("properties") or {}, new.get("properties") or {}
    for name in sorted(fields.keys() & new_fields.keys()):
        _walk((*at, "properties", name), fields[name], new_fields[name], found)
    if isinstance(old.get("items"), dict) and isinstance(new.get("items"), dict):
        _walk((*at, "items"), old["items"], new["items"], found)


def _values(at: Path, old: Schema, new: Schema, found: Found) -> None:
    """The values of a map: all that kro compares elsewhere, and the rest."""
    report = compare_schemas(old, new, at)
    found.extend(Uncompared(change, TIGHTENS) for change in report.breaking)
    neutral = ("DESCRIPTION_CHANGED", "DEFAULT_CHANGED")
    found.extend(Uncompared(c, NEUTRAL if c.type in neutral else RELAXES) for c in report.non_breaking)
    _walk(at, old, new, found)


def _rules(at: Path, old: list[dict[str, Any]], new: list[dict[str, Any]], found: Found) -> None:
    """Rules are told apart by their text: whether one implies another cannot be decided."""
    before, after = ({rule.get("rule", ""): rule for rule in rules} for rules in (old, new))
    for text in sorted(before.keys() - after.keys()):
        found.append(Uncompared(Change(at, f"{_rule_type(text)}_REMOVED", text), RELAXES))
    for text in sorted(after.keys() - before.keys()):
        found.append(Uncompared(Change(at, f"{_rule_type(text)}_ADDED", "", text), TIGHTENS))
    for text in sorted(before.keys() & after.keys()):
        messages = [str(rules[text].get("message", "")) for rules in (before, after)]
        if messages[0] != messages[1]:
            found.append(Uncompared(Change(at, "RULE_MESSAGE_CHANGED", *messages), NEUTRAL))


def _rule_type(text: str) -> str:
    from krm_fn.cel.errors import CelSyntaxError
    from krm_fn.schema.rules import uses_old_self

    try:
        return "TRANSITION_RULE" if uses_old_self(text) else "RULE"
    except CelSyntaxError:
        return "RULE"


def _enum(at: Path, old: list[Any] | None, new: list[Any] | None, found: Found) -> None:
    """An enum where there was none, or none where there was one; two of them kro compares itself."""
    if new and not old:
        found.append(Uncompared(Change(at, "ENUM_ADDED", "", _values_text(new)), TIGHTENS))
    elif old and not new:
        found.append(Uncompared(Change(at, "ENUM_REMOVED", _values_text(old)), RELAXES))


def _values_text(values: list[Any]) -> str:
    return ", ".join(sorted(map(json_text, values)))


def _keyword(at: Path, old: Any, new: Any, found: Found) -> None:
    """Any other keyword. What is not known to allow more may allow less."""
    if at[-1] == _KEYS:  # their order means nothing
        old, new = (value and sorted(value) for value in (old, new))
    before, after = ("" if value is None else json_text(value) for value in (old, new))
    if before == after:
        return
    kind = "KEYWORD_ADDED" if not before else "KEYWORD_REMOVED" if not after else "KEYWORD_CHANGED"
    allows_more = old in (None, False) if at[-1] in _LAX else new in (None, False, "atomic")
    found.append(Uncompared(Change(at, kind, before, after), RELAXES if allows_more else TIGHTENS))
