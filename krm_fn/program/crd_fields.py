"""
What an RGD says of its CRD besides the fields: group, names, columns, labels and annotations.

Enters: the RGD's `spec.schema`, and a way to report.  Leaves: problems.  Not known here: SimpleSchema, the CRD itself.

Source: the API server's schema for RGDs, and its validation of CRDs: Kubernetes v1.35 apiextensions-apiserver
pkg/apis/apiextensions/validation. kro would have its CRD refused, and the RGD would stay inactive.
"""

from __future__ import annotations

from krm_fn.schema.object_names import MAX_LABEL, MAX_SUBDOMAIN, is_dns_name
from krm_fn.schema.plurals import plural

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

COLUMN_TYPES = ("integer", "number", "string", "boolean", "date")
_COLUMN_FORMATS = ("int32", "int64", "float", "double", "byte", "date", "date-time", "password")
_COLUMN_FIELDS = ("name", "type", "jsonPath", "description", "format", "priority")
_REQUIRED = ("name", "type", "jsonPath")
_COMMUNITY = ("k8s.io", "kubernetes.io")
APPROVAL = "api-approved.kubernetes.io"
_INT32 = 1 << 31


def check_crd_fields(schema: dict[str, Any], kind: str, group: str, report: Callable[..., None]) -> None:
    """Report what the API server would refuse. *report*: takes code, message, path below `spec.schema`, `help`."""
    _check_names(schema, kind, group, report)
    columns = schema.get("additionalPrinterColumns")
    if isinstance(columns, list):
        for i, column in enumerate(columns):
            _check_column(column, ("additionalPrinterColumns", i), report)
    elif columns is not None:
        report("rgd-wrong-type", "additionalPrinterColumns must be a list", ("additionalPrinterColumns",))
    metadata = schema.get("metadata")
    if metadata is not None and not isinstance(metadata, dict):
        report("rgd-wrong-type", "metadata must be a mapping", ("metadata",))
        return
    if metadata:
        from krm_fn.program.object_metadata import metadata_problems

        for problem in metadata_problems(metadata, ("metadata",)):
            report(problem.code, problem.message, problem.path, help=problem.help)


def _check_names(schema: dict[str, Any], kind: str, group: str, report: Callable[..., None]) -> None:
    if not is_dns_name(group, MAX_SUBDOMAIN, dots=True) or "." not in group:
        report(
            "invalid-group",
            f"group {group[:80]!r} is not a domain name with a dot",
            ("group",),
            help="lower-case letters, digits, '-' and '.', such as example.com",
        )
    elif any(group == name or group.endswith("." + name) for name in _COMMUNITY):
        metadata = schema.get("metadata")
        annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
        approval = annotations.get(APPROVAL) if isinstance(annotations, dict) else None
        if not isinstance(approval, str) or not (approval.startswith("unapproved") or _is_url(approval)):
            report(
                "invalid-group",
                f"group {group} is Kubernetes' own: the API server asks for the annotation {APPROVAL}",
                ("group",),
                help="choose a group of your own",
            )
    many = plural(kind.lower()) if kind else ""
    if len(kind) + len("List") > MAX_LABEL >= len(many):
        report(
            "invalid-kind",
            f"{kind}List, the kind of its lists, has {len(kind) + 4} letters: the API server allows {MAX_LABEL}",
            ("kind",),
            help="choose a shorter kind",
        )
    if len(many) > MAX_LABEL:
        report(
            "invalid-kind",
            f"the plural of kind {kind!r} has {len(many)} letters: the API server allows {MAX_LABEL}",
            ("kind",),
            help="choose a shorter kind",
        )


def _is_url(text: str) -> bool:
    scheme, _, rest = text.partition("://")
    return scheme.isalpha() and rest[:1] not in ("", "/", "?", "#") and " " not in rest


def _check_column(column: Any, path: tuple[str | int, ...], report: Callable[..., None]) -> None:
    if not isinstance(column, dict):
        report("rgd-wrong-type", "a column must be a mapping", path)
        return
    for field in _COLUMN_FIELDS:
        value = column.get(field)
        if value is None or value == "":
            if field in _REQUIRED:
                report("rgd-missing-field", f"{field} is missing", path)
        elif field == "priority":
            if not isinstance(value, int) or isinstance(value, bool) or not -_INT32 <= value < _INT32:
                report("rgd-wrong-type", "priority must be an integer of 32 bits", (*path, field))
        elif not isinstance(value, str):
            report("rgd-wrong-type", f"{field} must be a string", (*path, field))
        elif field == "jsonPath" and value[0] != ".":
            report("invalid-column", f"jsonPath {value[:80]!r} does not start with a dot", (*path, field))
        else:
            choices = {"type": COLUMN_TYPES, "format": _COLUMN_FORMATS}.get(field)
            if choices and value not in choices:
                report(
                    "invalid-column",
                    f"{field} {value[:80]!r} of a column is none that the API server knows",
                    (*path, field),
                    help=f"one of {', '.join(choices)}",
                )
