"""
The typed values of the corpora (`{"int": "1"}`) and the product's own values, one into the other.

Times of the product become numbers of nanoseconds, which `compare.canonical` makes of the corpora's texts, too.
"""

from __future__ import annotations

import base64
from typing import Any

from krm_fn.cel.errors import EvaluationError
from krm_fn.cel.values import NONE, OMIT, KeyedMap, Optional, TypeValue, Uint, Unknown
from tests.conformance.compare import SECOND

_OPAQUE = {
    "kubernetes.Quantity": "quantity",
    "kubernetes.URL": "url",
    "net.IP": "ip",
    "net.CIDR": "cidr",
    "kubernetes.Semver": "semver",
}
_INT64 = 1 << 63


def plain(value: Any) -> Any:
    """Plain JSON as Kubernetes decodes it: a whole number outside int64 is a double."""
    if isinstance(value, dict):
        return {key: plain(child) for key, child in value.items()}
    if isinstance(value, list):
        return [plain(child) for child in value]
    if type(value) is int and not -_INT64 <= value < _INT64:
        return float(value)
    return value


def from_typed(typed: dict[str, Any]) -> Any:
    """A typed value as the product holds it. KeyError for a kind that has no form here (`opaque`, `error`)."""
    ((kind, value),) = typed.items()
    match kind:
        case "null" | "bool" | "string":
            return value
        case "int":
            return int(value)
        case "uint":
            return Uint(int(value))
        case "double":
            return float(value)
        case "bytes_base64":
            return base64.b64decode(value)
        case "list":
            return [from_typed(item) for item in value]
        case "map":
            from krm_fn.cel.maps import make_map

            return make_map([(from_typed(entry["key"]), from_typed(entry["value"])) for entry in value])
        case "type":
            return TypeValue(value)
        case "optional":
            return NONE if value is None else Optional(from_typed(value))
        case "omit":
            return OMIT
        case "timestamp" | "duration":
            from krm_fn.cel import compile_, parse

            return compile_(parse(f"{kind}({value!r})"))({})
        case _:
            raise KeyError(kind)


def to_typed(value: Any) -> dict[str, Any]:
    """A value of the product, typed."""
    cls = type(value)
    if value is None:
        return {"null": None}
    if cls is bool:
        return {"bool": value}
    if cls is int:
        return {"int": str(value)}
    if cls is Uint:
        return {"uint": str(int(value))}
    if cls is float:
        return {"double": value}
    if cls is str:
        return {"string": value}
    if cls is bytes:
        return {"bytes_base64": base64.b64encode(value).decode()}
    if isinstance(value, list):
        return {"list": [_found(value, at) for at in range(len(value))]}
    if isinstance(value, dict):
        return {"map": _entries(value)}
    if cls is Unknown:
        return {"unknown": list(value.paths)}
    if value is OMIT:
        return {"omit": True}
    if cls is Optional:
        return {"optional": None if value is NONE else to_typed(value.value)}
    if cls is TypeValue:
        return {"type": value.name}
    return _opaque(value)


def _found(container: Any, at: Any) -> dict[str, Any]:
    """What stands there, typed; an error where reading it fails, as an item that does not fit its schema does."""
    try:
        return to_typed(container[at])
    except (EvaluationError, KeyError) as error:
        return {"error": str(error)}


def _entries(value: dict[Any, Any]) -> list[dict[str, Any]]:
    if not isinstance(value, KeyedMap):
        return [{"key": to_typed(key), "value": _found(value, key)} for key in value]
    from krm_fn.cel.maps import plain_key

    entries = [(plain_key(key), child) for key, child in value.items()]
    # The corpora look each key up, and no NaN is ever found.
    return [
        {"key": to_typed(key), "value": to_typed(child) if key == key else {"error": "no such key"}}
        for key, child in entries
    ]


def _opaque(value: Any) -> dict[str, Any]:
    name = value.cel_type
    if name == "google.protobuf.Timestamp":
        return {"timestamp": value.seconds * SECOND + value.nanos}
    if name == "google.protobuf.Duration":
        return {"duration": value.nanos}
    if name == "error":
        return {name: str(value.error)}
    if name in _OPAQUE:
        return {_OPAQUE[name]: str(value)}
    if name == "kro.run.Condition":
        return {"condition": dict(value.cel_fields)}
    return {"opaque": name}
