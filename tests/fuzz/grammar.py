"""
Expressions and data out of bytes: each byte is one choice, and when they run out the smallest choice is taken.

A mutation of the bytes is a change in one place of the tree, so that coverage leads the fuzzer on. Texts that no grammar makes are
the business of the target `compile`.
"""

from __future__ import annotations

from typing import Any

from krm_fn.cel.library import index
from krm_fn.cel.values import OpenList, OpenMap, SettledList, SettledMap, Unknown
from tests.cel.test_unknown_law import FORMS

VARIABLES = ("x", "y", "v", "k", "x.a", "y.b", "x.a.b", "x[0]", "y[1]")
ATOMS = (
    *VARIABLES, *VARIABLES, *VARIABLES, "0", "1", "-1", "2", "9223372036854775807",
    "-9223372036854775808", "0u", "1u", "18446744073709551615u", "0.0", "1.5", "-0.0", "1e308", "0.0/0.0", "1.0/0.0", "true",
    "false", "null", "dyn(null)", '""', '"a"', '"b,a"', '"1"', '"%s%d"', '"10.0.0.1"', '"10.0.0.0/8"', '"1.2.3"', '"2Gi"', '"1h"',
    '"https://a.b:1/c?d=e"', '"2024-02-29T12:00:00Z"', '"[a-z]+"', '"😀é"', '"\\u0000"', 'b"a"', 'b"\\xff"', "[]", "{}", "[1]",
    '{"a": 1}', "optional.none()", "omit()", 'quantity("1")', 'timestamp("0001-01-01T00:00:00Z")',
    'timestamp("9999-12-31T23:59:59.999999999Z")', 'duration("-1.5s")', 'duration("9223372036s")', 'url("https://a")', 'ip("::1")',
    'cidr("::/0")', 'semver("1.0.0")', "type(1)", '"America/New_York"', '"+01:00"', "'{\"a\": [1]}'",
)  # fmt: skip
MORE_FORMS = (
    "({0} * {1})", "({0} % {1})", "({0} <= {1})", "({0} > {1})", "({0}).b[{1}]", "optional.of({0})", "({0}).?a.?b",
    "[{0}, {1}, {2}]", "{{{0}: {1}, {1}: {2}}}", "({0}).existsOne(k, v, {1})", "({0}).transformMap(k, v, {1}, {2})",
    "({0}).transformList(k, v, {1}, {2})", "({0}).sortBy(v, v)", "cel.bind(k, {0}, {1})", "[{0}, {1}, {2}].sort()",
    "[{0}, {1}].min()", "[[{0}], {1}].flatten({2})", "{{{0}: {1}}}[{2}]", "dyn({0})", "google.protobuf.Struct{{fields: {0}}}",
    "google.protobuf.Timestamp{{seconds: {0}, ?nanos: {1}}}", "google.protobuf.Int32Value{{value: {0}}}",
)  # fmt: skip


def _calls() -> tuple[str, ...]:
    """A form for every function of the library, with as many operands as it takes."""
    forms = []
    for name in index.names():
        for member in (False, True):
            if index.is_declared(name, member=member):
                forms += [
                    f"({{0}}).{name}({operands[5:] if operands else ''})" if member else f"{name}({operands})"
                    for operands in ("", "{0}", "{0}, {1}", "{0}, {1}, {2}")
                    if not member or operands
                ]
    return tuple(forms)


CALLS = _calls()


class Choices:
    """Bytes as a sequence of choices."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def below(self, bound: int) -> int:
        size = 1 if bound <= 256 else 2
        part = self.data[self.at : self.at + size]
        self.at += size
        return int.from_bytes(part, "big") % bound

    @property
    def is_exhausted(self) -> bool:
        return self.at >= len(self.data)


_FORMS = (*FORMS, *MORE_FORMS)
MAX_TEXT = 2000


def expression(choices: Choices, depth: int = 6) -> str:
    kind = choices.below(8) if depth and not choices.is_exhausted else 0
    if kind <= 2:
        return ATOMS[choices.below(len(ATOMS))]
    form = CALLS[choices.below(len(CALLS))] if kind <= 4 else _FORMS[choices.below(len(_FORMS))]
    parts = [expression(choices, depth - 1) if f"{{{i}}}" in form else "" for i in range(3)]
    text = form.format(*parts)
    return text if len(text) < MAX_TEXT else parts[0]


_SCALARS = (
    None, True, False, 0, 1, -1, 2, 9223372036854775807, 0.5, 1.0, "", "a", "b", "1", "😀", "2024-02-29T12:00:00Z", "1h", b"\xff",
)  # fmt: skip
_KEYS = ("a", "b", "c", "", "1")


def data(choices: Choices, path: str, depth: int = 3) -> Any:
    """JSON in which parts are unknown or open."""
    kind = choices.below(10)
    if kind < 4 or depth == 0:
        return _SCALARS[choices.below(len(_SCALARS))]
    if kind == 4:
        return Unknown(path)
    if kind < 8:
        size = choices.below(4)
        items = {key: data(choices, f"{path}.{key}", depth - 1) for key in _KEYS[:size]}
        open_map = (None, None, OpenMap, SettledMap)[choices.below(4)]
        return items if open_map is None else open_map(items, path)
    elements = [data(choices, f"{path}[{i}]", depth - 1) for i in range(choices.below(4))]
    open_list = (None, None, OpenList, SettledList)[choices.below(4)]
    return elements if open_list is None else open_list(elements, path)
