"""
The page of functions, made from the records: `python -m krm_fn.cel.library.document > docs/functions.md`.

Enters: every `Overload` of the library.  Leaves: Markdown.  Not known here: operators and macros, which are no functions.
"""

from __future__ import annotations

from krm_fn.cel.library.index import MODULES, names, overloads
from krm_fn.cel.library.overload import element_type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krm_fn.cel.library.overload import Overload

_TITLES = {
    "standard": "Sizes, types, conversions",
    "strings": "Strings",
    "formatting": "Formatting",
    "patterns": "Regular expressions",
    "lists": "Lists and maps",
    "aggregates": "Sums and orders of lists",
    "optionals": "Optional values",
    "times": "Timestamps and durations",
    "quantity": "Quantities",
    "urls": "URLs",
    "addresses": "IP addresses and networks",
    "semver": "Semantic versions",
    "digests": "Seeded values and hashes",
    "json_text": "JSON",
    "conditions": "Conditions",
}
_HEAD = """\
# Functions

Every function that an expression may call, as kro v0.9.3 declares them. A call that no line here fits fails, at the latest when it
runs. Each example is an expression that is true; the tests run them all.

Operators, `or`, `orValue` and the macros (`has`, `all`, `exists`, `exists_one`, `map`, `filter`, `sortBy`, `optMap`, `optFlatMap`,
`cel.bind`, `transformList`, `transformMap`, `transformMapEntry`) are part of the language and not listed. So are messages of
protobuf's well-known types, which stand for the values that they hold: `google.protobuf.Duration{seconds: 90} == duration("90s")`.

This page is made from the records of the library: `python -m krm_fn.cel.library.document > docs/functions.md`.
"""


def page() -> str:
    """Write the page: a section a module, an entry a function, its overloads by what they do."""
    records = [(o, module) for name in names() for o, module in overloads_by_module(name)]
    parts = [_HEAD]
    for module, title in _TITLES.items():
        parts.append(f"\n## {title}\n")
        own = [o for o, declared_in in records if declared_in == module]
        parts.extend(_entry(name, [o for o in own if o.name == name]) for name in dict.fromkeys(o.name for o in own))
    return "".join(parts)


def overloads_by_module(name: str) -> list[tuple[Overload, str]]:
    """Pair each overload of a name with the module that declares it."""
    from importlib import import_module

    own = {id(o): module for module in MODULES for o in import_module(f"krm_fn.cel.library.{module}").OVERLOADS}
    return [(o, own[id(o)]) for o in overloads(name)]


def _entry(name: str, records: list[Overload]) -> str:
    lines = [f"\n### `{name}`\n\n"]
    for doc in dict.fromkeys(o.doc for o in records):
        alike = [o for o in records if o.doc == doc]
        examples = "; ".join(f"`{example}`" for o in alike for example in o.examples)
        lines.append(f"- {_signatures(alike)}<br>\n  {doc}{' ' if examples else ''}{examples}\n")
    return "".join(lines)


def _signatures(records: list[Overload]) -> str:
    """Write one or two overloads out, and of more only the first: they differ in the type of the elements alone."""
    if len(records) < 3:
        return ", ".join(f"`{signature(o)}`" for o in records)
    others = ", ".join(f"`{element_type(o.params[0]) or o.params[0]}`" for o in records[1:])
    return f"`{signature(records[0])}`, likewise for {others}"


def signature(record: Overload) -> str:
    """Write an overload as a call: `string.charAt(int) -> string`, `size(list(A)) -> int`."""
    receiver = f"{record.params[0]}." if record.member else ""
    params = ", ".join(record.params[1:] if record.member else record.params)
    return f"{receiver}{record.name}({params}) -> {record.result}"


if __name__ == "__main__":
    import sys

    sys.stdout.write(page())
