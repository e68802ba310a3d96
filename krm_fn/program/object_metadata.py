"""
Name, labels and annotations that the API server takes, of an RGD itself and of the CRD that kro generates from it.

Enters: an object's metadata and where it stands.  Leaves: problems.  Imported only where there is something to look at.  Not known
here: kro's own labels; what is reserved.

Source: Kubernetes v1.35 apimachinery pkg/api/validation/objectmeta.go and pkg/util/validation/validation.go.
"""

from __future__ import annotations

from krm_fn.program.definition import Problem, type_name
from krm_fn.schema.object_names import MAX_LABEL, MAX_SUBDOMAIN, is_dns_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krm_fn.program.template import Path

MAX_ANNOTATIONS = 256 * 1024


def name_problem(name: str, what: str, path: Path) -> Problem:
    """About a name that `is_dns_name` refuses."""
    advice = "lower-case letters, digits, '-' and '.', as the API server asks"
    return Problem("invalid-name", f"the name of {what} is {name[:80]!r}", path, length=len(name), help=advice)


def metadata_problems(metadata: dict[str, Any], path: Path) -> list[Problem]:
    """What is wrong with labels and annotations. A null counts as absent."""
    problems: list[Problem] = []
    for field in ("labels", "annotations"):
        texts = metadata.get(field)
        place: Path = (*path, field)
        if texts is None:
            continue
        if not isinstance(texts, dict):
            problems.append(Problem("rgd-wrong-type", f"{field} must be a mapping, not {type_name(texts)}", place))
            continue
        for key, value in texts.items():
            if not isinstance(value, str | None):
                message = f"{field[:-1]} {key[:80]!r} must be a string, not {type_name(value)}"
                problems.append(Problem("rgd-wrong-type", message, (*place, key)))
            elif not is_qualified_name(key if field == "labels" else key.lower()):
                problems.append(
                    Problem(
                        "invalid-label", f"{key[:80]!r} is no key of {field}", (*place, key), at_key=True, help=_KEY
                    )
                )
            elif field == "labels" and value and not is_label_text(value):
                message = f"label {key!r} cannot be {value[:80]!r}"
                problems.append(Problem("invalid-label", message, (*place, key), length=len(value), help=_VALUE))
        if (
            field == "annotations"
            and sum(len(k.encode()) + len((v if isinstance(v, str) else "").encode()) for k, v in texts.items())
            > MAX_ANNOTATIONS
        ):
            problems.append(Problem("invalid-label", "the annotations are longer than 256 KiB", place, at_key=True))
    return problems


_VALUE = "letters, digits, '-', '_' and '.' between letters or digits, at most 63"
_KEY = f"a name, or a domain, '/' and a name; a name is {_VALUE}"


def is_label_text(text: str) -> bool:
    """The value of a label that is not empty, and the name of a key."""
    bare = text.replace("-", "a").replace("_", "a").replace(".", "a")
    return bare.isascii() and bare.isalnum() and text[0].isalnum() and text[-1].isalnum() and len(text) <= MAX_LABEL


def is_qualified_name(text: str) -> bool:
    prefix, slash, name = text.rpartition("/")
    return is_label_text(name) and (not slash or is_dns_name(prefix, MAX_SUBDOMAIN, dots=True))
