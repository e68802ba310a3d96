"""
What an optional holds once it was read by a name, by a branch of `?:` or by a selection from a call.

Enters: values.  Leaves: the same, or an optional of something else.  Not known here: where values are read so.

sic: cel-go takes the content out as Go has it and makes a value of that again. A time of a schema's list is a text then, a type its
name, an optional inside of the optional is gone, and of a quantity or an address nothing can be made: to use it is an error.

Source: cel-go v0.27.0 interpreter/attributes.go applyQualifiers.
"""

from __future__ import annotations

from krm_fn.cel.errors import BAD_CONVERSION, EvaluationError
from krm_fn.cel.values import NONE, Optional, TypeValue, Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krm_fn.cel.values import Value

_OPAQUE = frozenset(("kubernetes.Quantity", "kubernetes.URL", "kubernetes.Semver", "net.IP", "net.CIDR"))


def reread(value: Value) -> Value:
    """*value* as it is read; only an optional may be another then."""
    if type(value) is not Optional or value is NONE:
        return value
    content = value.value
    while type(content) is Optional:
        content = content.value
    if type(content) is TypeValue:
        content = content.name
    elif hasattr(content, "cel_native"):
        content = content.cel_native()
    elif getattr(type(content), "cel_type", "") in _OPAQUE:
        message = f"{type(content).cel_type} in an optional cannot be taken out where it was read by a name or by `?:`"
        content = Unreadable(EvaluationError(BAD_CONVERSION, message))
    return value if content is value.value else Optional(content)
