"""
kro's comparison of two generated CRDs: which changes of an API are breaking.

Enters: two OpenAPI schemas, or the versions of two CRDs, as plain dicts.  Leaves: a `Report` of `Change`s in kro's words.
Not known here: what kro does not compare (`schema.uncompared`), RGDs, how changes are shown.

A change is breaking where an instance that was valid might not be any more. kro refuses to update the CRD then, unless
the RGD allows it. What kro does in random order (maps) is sorted here by name.

Source: kro v0.9.3 pkg/graph/crd/compat.
"""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    Schema: TypeAlias = dict[str, Any]
    Path: TypeAlias = tuple[str, ...]

ROOT: Path = ("",)
"""The path of a whole schema: joined with dots it is empty, and a property below it begins with a dot."""
MAX_SUMMARY = 3
_LARGEST_PLAIN = 1e21
"""Below it Go writes a whole number without an exponent."""

_BOUNDS = {
    "minimum": "MINIMUM",
    "maximum": "MAXIMUM",
    "minLength": "MIN_LENGTH",
    "maxLength": "MAX_LENGTH",
    "minItems": "MIN_ITEMS",
    "maxItems": "MAX_ITEMS",
}
_BOUND_SENTENCES = {
    "ADDED": "{} constraint {{new}} was added",
    "REMOVED": "{} constraint {{old}} was removed",
    "INCREASED": "{} was increased from {{old}} to {{new}}",
    "DECREASED": "{} was decreased from {{old}} to {{new}}",
}
_SENTENCES = {
    "PROPERTY_REMOVED": "Property {name} was removed",
    "PROPERTY_ADDED": "Optional property {name} was added",
    "TYPE_CHANGED": "Type changed from {old} to {new}",
    "REQUIRED_ADDED": "Field {new} is newly required",
    "REQUIRED_REMOVED": "Field {old} is no longer required",
    "REQUIRED_DEFAULT_REMOVED": "Default value removed from required field {old}",
    "ENUM_RESTRICTED": "Enum value {old} was removed",
    "ENUM_EXPANDED": "Enum value {new} was added",
    "PATTERN_CHANGED": "Validation pattern changed from {old} to {new}",
    "PATTERN_ADDED": "Validation pattern {new} was added",
    "PATTERN_REMOVED": "Validation pattern {old} was removed",
    "DESCRIPTION_CHANGED": "Description field was changed from {old} to {new}",
    "DEFAULT_CHANGED": "Default value was changed from {old} to {new}",
    **{
        f"{word}_{effect}": sentence.format(keyword[0].upper() + keyword[1:])
        for keyword, word in _BOUNDS.items()
        for effect, sentence in _BOUND_SENTENCES.items()
    },
}

CHANGE_TYPES = frozenset(_SENTENCES)
"""kro's names of changes."""


class NotComparable(ValueError):  # noqa: N818 - kro's own answer: there is nothing to compare
    """The CRDs have not one version each, with a schema."""


class Change(NamedTuple):
    """
    One change.

    at: the steps to the keyword that changed, of which the first is empty inside a schema.  old, new: kro's texts of the
    values; empty where there is none.
    """

    at: Path
    type: str
    old: str = ""
    new: str = ""

    @property
    def path(self) -> str:
        """kro's text of the place: `.properties.spec.properties.size.minimum`."""
        return ".".join(self.at)

    def description(self) -> str:
        """kro's sentence. Source: changes.go Description."""
        name = self.path.rpartition(".")[2]
        if self.type == "PROPERTY_ADDED" and self.new == "required":  # sic: the comparison itself says `required=true`
            return f"Required property {name} was added"
        if self.type not in _SENTENCES:
            return f"Unknown change to {self.path}"
        return _SENTENCES[self.type].format(name=name, old=self.old, new=self.new)


class Report:
    """The changes of one API, in the order in which kro's walk comes upon them."""

    __slots__ = ("breaking", "non_breaking")

    def __init__(self) -> None:
        self.breaking: list[Change] = []
        self.non_breaking: list[Change] = []

    @property
    def has_changes(self) -> bool:
        return bool(self.breaking or self.non_breaking)

    @property
    def is_compatible(self) -> bool:
        return not self.breaking

    def summary(self) -> str:
        """What kro writes into the RGD's condition: the first three breaking changes."""
        if not self.breaking:
            return "no breaking changes"
        said = [change.description() for change in self.breaking[:MAX_SUMMARY]]
        if len(self.breaking) > MAX_SUMMARY:
            said.append(f"and {len(self.breaking) - MAX_SUMMARY} more changes")
        return "; ".join(said)

    def add(self, change: Change, *, breaks: bool) -> None:
        (self.breaking if breaks else self.non_breaking).append(change)


def compare_versions(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> Report:
    """
    Compare the `spec.versions` of two CRDs.

    Errors:  NotComparable unless each has exactly one version, with a schema.
    Source:  compat.go CompareVersions.
    """
    if len(old) != 1 or len(new) != 1:
        raise NotComparable(f"expected exactly one version in each CRD, got {len(old)} old and {len(new)} new versions")
    (before,), (after,) = old, new
    report = Report()
    if before.get("name", "") != after.get("name", ""):
        report.add(Change(("version",), "TYPE_CHANGED", before.get("name", ""), after.get("name", "")), breaks=True)
        return report
    schemas = []
    for which, version in (("old", before), ("new", after)):
        schemas.append((version.get("schema") or {}).get("openAPIV3Schema"))
        if schemas[-1] is None:
            raise NotComparable(f"{which} version {version.get('name', '')} has no schema")
    _compare(ROOT, schemas[0], schemas[1], report)
    if before.get("served") and not after.get("served"):
        report.add(Change(("version", "served"), "TYPE_CHANGED", "true", "false"), breaks=True)
    if _has_status(before) and not _has_status(after):
        report.add(Change(("version", "subresources", "status"), "PROPERTY_REMOVED"), breaks=True)
    return report


def _has_status(version: dict[str, Any]) -> bool:
    return (version.get("subresources") or {}).get("status") is not None


def compare_schemas(old: Schema | None, new: Schema | None, at: Path = ROOT) -> Report:
    """Compare two schemas; None is no schema. Source: schema.go Compare."""
    report = Report()
    _compare(at, old, new, report)
    return report


def _compare(at: Path, old: Schema | None, new: Schema | None, report: Report) -> None:
    if old is None or new is None:
        if new is not None:
            report.add(Change(at, "PROPERTY_ADDED"), breaks=False)
        elif old is not None:
            report.add(Change(at, "PROPERTY_REMOVED"), breaks=True)
        return
    before, after = old.get("description") or "", new.get("description") or ""
    if before != after:
        report.add(Change((*at, "description"), "DESCRIPTION_CHANGED", before, after), breaks=False)
    before, after = _default_text(old), _default_text(new)
    if before != after:
        report.add(Change((*at, "default"), "DEFAULT_CHANGED", before, after), breaks=False)
    before, after = old.get("type") or "", new.get("type") or ""
    if before != after:
        report.add(Change((*at, "type"), "TYPE_CHANGED", before, after), breaks=True)
        return
    before, after = old.get("pattern") or "", new.get("pattern") or ""
    if before != after:
        kind = "PATTERN_ADDED" if not before else "PATTERN_REMOVED" if not after else "PATTERN_CHANGED"
        report.add(Change((*at, "pattern"), kind, before, after), breaks=bool(after))
    for keyword in _BOUNDS:
        _compare_bound(at, keyword, old.get(keyword), new.get(keyword), report)
    compare_properties(at, old, new, report)
    compare_required(at, old, new, report)
    compare_enum(at, old, new, report)
    compare_items(at, old, new, report)


def compare_properties(at: Path, old: Schema, new: Schema, report: Report) -> None:
    """A field that went is breaking, and a new one that is required and has no default."""
    before, after = _fields(old), _fields(new)
    for name in sorted(before):
        place = (*at, "properties", name)
        if name in after:
            _compare(place, before[name], after[name], report)
        else:
            report.add(Change(place, "PROPERTY_REMOVED"), breaks=True)
    required = set(new.get("required") or ())
    for name in sorted(after.keys() - before.keys()):
        place = (*at, "properties", name)
        if name in required and "default" not in after[name]:
            report.add(Change(place, "PROPERTY_ADDED", "required=false", "required=true"), breaks=True)
        else:
            report.add(Change(place, "PROPERTY_ADDED"), breaks=False)


def compare_required(at: Path, old: Schema, new: Schema, report: Report) -> None:
    """Of fields that stay: newly required is breaking, and a required one that lost its default."""
    before, after = set(old.get("required") or ()), set(new.get("required") or ())
    fields, new_fields = _fields(old), _fields(new)
    place = (*at, "required")
    for name in sorted(after - before):
        if name in fields:
            report.add(Change(place, "REQUIRED_ADDED", "", name), breaks=True)
    for name in sorted(before - after):
        report.add(Change(place, "REQUIRED_REMOVED", name), breaks=False)
    for name in sorted(before & after):
        if name in fields and "default" in fields[name] and "default" not in new_fields.get(name, {}):
            report.add(Change(place, "REQUIRED_DEFAULT_REMOVED", name), breaks=True)


def compare_enum(at: Path, old: Schema, new: Schema, report: Report) -> None:
    """Values that went are breaking. sic: an enum where there was none is not looked at."""
    if not old.get("enum") or not new.get("enum"):
        return
    before, after = ({json_text(value) for value in schema["enum"]} for schema in (old, new))
    for text in sorted(before - after):
        report.add(Change((*at, "enum"), "ENUM_RESTRICTED", text), breaks=True)
    for text in sorted(after - before):
        report.add(Change((*at, "enum"), "ENUM_EXPANDED", "", text), breaks=False)


def compare_items(at: Path, old: Schema, new: Schema, report: Report) -> None:
    """The items of two lists."""
    if old.get("type") == "array" and new.get("type") == "array":
        items = [schema.get("items") for schema in (old, new)]
        before, after = (schema if isinstance(schema, dict) else None for schema in items)
        _compare((*at, "items"), before, after, report)


def _compare_bound(at: Path, keyword: str, old: float | None, new: float | None, report: Report) -> None:
    """A bound that is new, or allows less than before, is breaking."""
    if old == new:  # both absent, too
        return
    before, after = ("" if bound is None else _bound_text(keyword, bound) for bound in (old, new))
    if old is None or new is None:
        effect, breaks = ("ADDED", True) if old is None else ("REMOVED", False)
    else:
        effect = "INCREASED" if new > old else "DECREASED"
        breaks = (effect == "INCREASED") == keyword.startswith("min")
    report.add(Change((*at, keyword), f"{_BOUNDS[keyword]}_{effect}", before, after), breaks=breaks)


def _bound_text(keyword: str, bound: float) -> str:
    """As Go's strconv writes it: lengths are whole; the others are floats, in their shortest digits, never with an exponent."""
    if keyword not in ("minimum", "maximum"):
        return str(int(bound))
    from decimal import Decimal

    return format(Decimal(repr(float(bound))), "f").removesuffix(".0")


def _fields(schema: Schema) -> dict[str, Schema]:
    return schema.get("properties") or {}


def _default_text(schema: Schema) -> str:
    return json_text(schema["default"]) if "default" in schema else ""


def json_text(value: Any) -> str:
    """A value as the API server stores it in a CRD: JSON, compact, keys sorted, whole floats as integers."""
    from json import dumps

    return dumps(_whole(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _whole(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < _LARGEST_PLAIN:
        return int(value)
    return value
