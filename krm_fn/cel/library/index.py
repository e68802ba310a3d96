"""
Which module of the library declares which function.

Enters: a function's name.  Leaves: a callable, or what is declared under the name.  Not known here: any function itself.

The table is static so that an expression imports only the modules whose functions it calls; a test holds it to the
records.  An entry reads `module:shapes`, a shape being `f` (function) or `m` (member) and the number of arguments,
the receiver counted.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from krm_fn.cel.library.overload import Overload

MODULES = (
    "standard",
    "strings",
    "lists",
    "aggregates",
    "optionals",
    "times",
    "patterns",
    "formatting",
    "quantity",
    "urls",
    "addresses",
    "semver",
    "digests",
    "json_text",
    "conditions",
)

_TABLE = {
    "add": "quantity:m2",
    "asApproximateFloat": "quantity:m1",
    "asInteger": "quantity:m1",
    "base64.decode": "standard:f1",
    "base64.encode": "standard:f1",
    "bool": "standard:f1",
    "bytes": "standard:f1",
    "charAt": "strings:m2",
    "cidr": "addresses:f1",
    "compareTo": "quantity:m2 semver:m2",
    "condition": "conditions:m3",
    "contains": "strings:m2",
    "containsCIDR": "addresses:m2",
    "containsIP": "addresses:m2",
    "distinct": "lists:m1",
    "double": "standard:f1",
    "duration": "times:f1",
    "dyn": "standard:f1",
    "endsWith": "strings:m2",
    "family": "addresses:m1",
    "find": "patterns:m2",
    "findAll": "patterns:m2,m3",
    "first": "lists:m1",
    "flatten": "lists:m1,m2",
    "format": "formatting:m2",
    "getDate": "times:m1,m2",
    "getDayOfMonth": "times:m1,m2",
    "getDayOfWeek": "times:m1,m2",
    "getDayOfYear": "times:m1,m2",
    "getEscapedPath": "urls:m1",
    "getFullYear": "times:m1,m2",
    "getHost": "urls:m1",
    "getHostname": "urls:m1",
    "getHours": "times:m1,m2",
    "getMilliseconds": "times:m1,m2",
    "getMinutes": "times:m1,m2",
    "getMonth": "times:m1,m2",
    "getPort": "urls:m1",
    "getQuery": "urls:m1",
    "getScheme": "urls:m1",
    "getSeconds": "times:m1,m2",
    "hasValue": "optionals:m1",
    "hash.fnv64a": "digests:f1",
    "hash.md5": "digests:f1",
    "hash.sha256": "digests:f1",
    "indexOf": "strings:m2,m3 lists:m2",
    "int": "standard:f1 times:f1",
    "ip": "addresses:f1,m1",
    "ip.isCanonical": "addresses:f1",
    "isCIDR": "addresses:f1",
    "isGlobalUnicast": "addresses:m1",
    "isGreaterThan": "quantity:m2 semver:m2",
    "isIP": "addresses:f1",
    "isInteger": "quantity:m1",
    "isLessThan": "quantity:m2 semver:m2",
    "isLinkLocalMulticast": "addresses:m1",
    "isLinkLocalUnicast": "addresses:m1",
    "isLoopback": "addresses:m1",
    "isQuantity": "quantity:f1",
    "isSemver": "semver:f1",
    "isSorted": "aggregates:m1",
    "isURL": "urls:f1",
    "isUnspecified": "addresses:m1",
    "join": "strings:m1,m2",
    "json.marshal": "json_text:f1",
    "json.unmarshal": "json_text:f1",
    "last": "lists:m1",
    "lastIndexOf": "strings:m2,m3 lists:m2",
    "lists.insertAtIndex": "lists:f3",
    "lists.range": "lists:f1",
    "lists.removeAtIndex": "lists:f2",
    "lists.setAtIndex": "lists:f3",
    "lowerAscii": "strings:m1",
    "major": "semver:m1",
    "masked": "addresses:m1",
    "matches": "patterns:f2,m2",
    "max": "aggregates:m1",
    "merge": "lists:m2",
    "min": "aggregates:m1",
    "minor": "semver:m1",
    "newCondition": "conditions:m2",
    "omit": "optionals:f0",
    "optional.none": "optionals:f0",
    "optional.of": "optionals:f1",
    "optional.ofNonZeroValue": "optionals:f1",
    "optional.unwrap": "optionals:f1",
    "patch": "semver:m1",
    "prefixLength": "addresses:m1",
    "quantity": "quantity:f1",
    "random.seededInt": "digests:f3",
    "random.seededString": "digests:f2",
    "replace": "strings:m3,m4",
    "reverse": "lists:m1 strings:m1",
    "semver": "semver:f1",
    "sign": "quantity:f1",
    "size": "standard:f1,m1",
    "slice": "lists:m3",
    "sort": "lists:m1",
    "split": "strings:m2,m3",
    "startsWith": "strings:m2",
    "string": "standard:f1 times:f1 addresses:f1",
    "strings.quote": "strings:f1",
    "sub": "quantity:m2",
    "substring": "strings:m2,m3",
    "sum": "aggregates:m1",
    "timestamp": "times:f1",
    "trim": "strings:m1",
    "type": "standard:f1",
    "uint": "standard:f1",
    "unwrapOpt": "optionals:m1",
    "upperAscii": "strings:m1",
    "url": "urls:f1",
    "value": "optionals:m1",
}

_HINTS = {
    "deepMerge": "deepMerge came after kro v0.9.3; {...}.merge({...}) joins two maps at their first level",
}
_HINTS_BY_PREFIX = {
    "math.": "kro does not declare math.*: [a, b].max() and [a, b].min() compare, int(x) cuts off, `a < 0 ? -a : a` is abs",
    "sets.": "kro does not declare sets.*: a.all(x, x in b) and a.exists(x, x in b) test, distinct() removes repeats",
    "format.": "kro does not declare format.*: matches() with a pattern checks names",
    "regex.": "kro does not declare regex.*: find(), findAll() and matches() are methods of strings",
    "jsonpatch.": "kro does not declare jsonpatch.*",
    "net.": "kro has ip(), isIP(), cidr() and isCIDR() for addresses",
}

_found: dict[tuple[str, bool, int], Callable[..., Any] | None] = {}


def find(name: str, member: bool, arity: int) -> Callable[..., Any] | None:
    """
    Give the callable for a name, with the receiver among the *arity* arguments when *member*; None where there is none.

    Shape:   positional values in, a value out; an Unknown only where an argument has one inside.
    Errors:  NO_SUCH_OVERLOAD where no overload takes what arrives; the function's own.
    """
    key = (name, member, arity)
    try:
        return _found[key]
    except KeyError:
        pass
    shape = f"{'m' if member else 'f'}{arity}"
    modules = tuple(module for module, shapes in _entries(name) if shape in shapes)
    call = _choose(name, modules, member, arity) if modules else None
    _found[key] = call
    return call


def is_declared(name: str, member: bool | None = None) -> bool:
    """Tell whether kro declares the function; *member* restricts the answer to methods or to plain functions."""
    if member is None:
        return name in _TABLE
    form = "m" if member else "f"
    return any(shape[0] == form for _, shapes in _entries(name) for shape in shapes)


def overloads(name: str) -> tuple[Overload, ...]:
    """List every overload that is declared under the name, in the order in which they are tried."""
    return tuple(o for module, _ in _entries(name) for o in _records(module) if o.name == name)


def overloads_by_module(name: str) -> Iterator[tuple[Overload, ...]]:
    """List the same module by module; a module is imported when it is asked for."""
    for module, _ in _entries(name):
        yield tuple(o for o in _records(module) if o.name == name)


def hint(name: str) -> str:
    """Say what an author may use in place of a function that kro does not declare; empty where nothing is known."""
    if name in _HINTS:
        return _HINTS[name]
    return next((text for prefix, text in _HINTS_BY_PREFIX.items() if name.startswith(prefix)), "")


def names() -> tuple[str, ...]:
    """List the names of all functions, sorted."""
    return tuple(sorted(_TABLE))


def namespaces() -> frozenset[str]:
    """The words that stand before the dot of a function, those included that other environments have."""
    before = {name.partition(".")[0] for name in _TABLE if "." in name}
    return frozenset(before | {"cel"} | {prefix.rstrip(".") for prefix in _HINTS_BY_PREFIX})


def _entries(name: str) -> list[tuple[str, list[str]]]:
    entries = (entry.partition(":") for entry in _TABLE.get(name, "").split())
    return [(module, shapes.split(",")) for module, _, shapes in entries]


def _records(module: str) -> tuple[Overload, ...]:
    # Not `importlib`: it brings in a package of its own, for this alone.
    records: tuple[Overload, ...] = __import__(f"krm_fn.cel.library.{module}", fromlist=("OVERLOADS",)).OVERLOADS
    return records


def _choose(name: str, modules: tuple[str, ...], member: bool, arity: int) -> Callable[..., Any]:
    from krm_fn.cel.library.overload import Choice

    def source(module: str) -> Callable[[], tuple[Overload, ...]]:
        def declared() -> tuple[Overload, ...]:
            return tuple(
                o for o in _records(module) if o.name == name and o.member == member and len(o.params) == arity
            )

        return declared

    return Choice(name, tuple(map(source, modules))).bind(arity)
