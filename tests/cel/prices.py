"""
`python -m tests.cel.prices [FUNCTION ...]`: what a unit of the budget takes, for every overload and the worst arguments that we know.

Prints where a full budget would last longer than a second and a half. `test_prices.py` holds a part of the same to more generous limits.
The arguments stand in variables, so that nothing is paid for making them; the call stands in a loop, be its answer what it may.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Iterator
from functools import cache
from typing import Any

from krm_fn.cel import compile_, parse
from krm_fn.cel.budget import EVALUATION_BUDGET, UNLIMITED, budget
from krm_fn.cel.compile import Compiler
from krm_fn.cel.errors import BUDGET, EvaluationError
from krm_fn.cel.library import index
from krm_fn.cel.library.addresses import parse_cidr, parse_ip
from krm_fn.cel.library.conditions import RUNTIME
from krm_fn.cel.library.overload import Overload
from krm_fn.cel.library.quantity import parse_quantity
from krm_fn.cel.library.semver import parse_semver
from krm_fn.cel.library.urls import parse_url
from krm_fn.cel.maps import make_map
from krm_fn.cel.stack import deep
from krm_fn.cel.timestamps import Duration, Timestamp
from krm_fn.cel.values import Optional, Uint

SIZES = (30, 500, 5_000)
_GENERAL = (("", "a", ""), ("", "é", ""), ("a", "😀", ""))
_NUMBERS = (("", "1", ""), ("", "1", "x"), ("0.", "1", "e5"), ("", "1_", "1"), ("0x", "f", "p1"))
_URLS = (
    ("http://a/", "%41", ""),
    ("/?", "a=b&", ""),
    ("http://", "%41", "@a"),
    ("/#", "%41", ""),
    ("http://[", "1:", "]"),
)
_JSON = (
    ("", "[", ""),
    ("[", "1,", "1]"),
    ('["', "\\ud83d", '"]'),
    ("", '{"a":', ""),
    ("[", "{},", "{}]"),
    ('["', '\\"', '"]'),
)
_ADDRESSES = (("", "1:", ""), ("", "1.", ""), ("", "1", "/8"))
_VERSIONS = (("1.0.0-", "a.", "a"), ("1.0.0+", "1.", "1"), ("", "1", ".0.0"))
_TEXTS: dict[str, tuple[tuple[str, str, str], ...]] = {
    **dict.fromkeys(("int", "uint", "double", "quantity", "isQuantity"), _NUMBERS),
    **dict.fromkeys(("url", "isURL"), _URLS),
    **dict.fromkeys(("ip", "isIP", "ip.isCanonical", "cidr", "isCIDR", "containsIP", "containsCIDR"), _ADDRESSES),
    **dict.fromkeys(("semver", "isSemver"), _VERSIONS),
    "json.unmarshal": _JSON,
    "duration": (("", "1h", ""), ("1.", "1", "s"), ("", "1", "ns")),
    "timestamp": (("2020-01-01T00:00:00.", "1", "Z"),),
    "base64.decode": (("", "QUFB", ""), ("", "=", ""), ("", "\n", "")),
    "format": (("", "%s", ""), ("", "%%", ""), ("%.", "0", "f")),
    "strings.quote": (("", '"', ""),),
    "split": (("", "a,", ""),),
    "replace": (("", "a,", ""),),
    "matches": (("", "ab", ""),),
}  # fmt: skip
_PATTERNS = ("[ab]*a[ab]{300}c", "(a?){300}", "[a-z]+", "(", "[ab]*b|a")
_SECOND = ("", "a", ",", "a" * 500, "UTC", "America/New_York", "Nowhere", "%s")


def _filled(before: str, unit: str, after: str, size: int) -> str:
    return before + unit * max(1, (size - len(before) - len(after)) // len(unit)) + after


@cache
def _lists() -> tuple[Any, ...]:
    long, other = "a" * 30_000 + "x", "a" * 30_000 + "y"
    found: list[Any] = []
    for n in (3, 300, 3_000):
        found += (
            [(i * 7919) % n for i in range(n)], [i % 5 for i in range(n)], [str(i) for i in range(n)], [i * 1.5 for i in range(n)],
            [(i % 50) * 1.5 for i in range(n)], [float("nan")] * n, [Uint(i) for i in range(n)], [b"a%d" % i for i in range(n)],
            [Duration((i * 7919) % n) for i in range(n)], [Duration(i % 7) for i in range(n)],
            [Timestamp((i * 7919) % n) for i in range(n)], [i if i % 2 else float(i) for i in range(n)], [[i] for i in range(n)],
            [{"a": i} for i in range(n)], [parse_quantity("1" * 30)] * n, [Optional(i) for i in range(n)], [None] * n,
            [long, other] * (n // 3),
        )  # fmt: skip
    wide: list[Any] = [1, 1]
    for _ in range(12):
        wide = [wide, wide]
    return (*found, [], wide, [[1] * 300] * 300)


@cache
def _values(notation: str, name: str) -> tuple[Any, ...]:
    """The arguments of a type. *name*: of the function, whose texts may have a form."""
    if notation == "string":
        forms = (*_GENERAL, *_TEXTS.get(name, ()))
        return ("", *(_filled(*form, size) for form in forms for size in SIZES))
    if notation == "bytes":
        return tuple(unit * n for unit in (b"a", b"\xff") for n in SIZES)
    if notation.startswith("list"):
        return _lists()
    if notation.startswith("map"):
        conditions = [{"type": "A", "status": "True"}] * 2_000
        maps = tuple({str(i): i for i in range(n)} for n in (3, 300, 3_000))
        return (
            *maps,
            make_map((i, i) for i in range(300)),
            {"status": {"conditions": conditions}},
            {"type": "A", "status": "True"},
        )
    if notation == "dyn" or (len(notation) == 1 and notation.isupper()):
        return (
            *_values("string", ""),
            *_values("double", ""),
            *_lists(),
            *_values("map(K, V)", ""),
            Duration(1),
            Timestamp(0),
        )
    return _OTHERS[notation]


_OTHERS: dict[str, tuple[Any, ...]] = {
    "int": (0, 1, -1, 1000, 19_999, -(2**63)),
    "uint": (Uint(0), Uint(2**64 - 1)),
    "double": (0.0, 1e308, 5e-324, float("nan"), 0.1 + 0.2),
    "bool": (True,),
    "duration": (Duration(2**63 - 1), Duration(-1)),
    "timestamp": (Timestamp(10**9, 123456789, 3600),),
    "kubernetes.Quantity": tuple(map(parse_quantity, ("1.5Gi", "1e999", "1" * 999 + "n", "1e-999"))),
    "kubernetes.URL": tuple(parse_url(f"http://a{part * n}") for part in ("/%41", "?%41=%41&") for n in (10, 100, 5_000)),
    "net.IP": (parse_ip("1.2.3.4"), parse_ip("1:2:3:4:5:6:7:8")),
    "net.CIDR": (parse_cidr("1.2.3.4/8"), parse_cidr("1:2:3:4:5:6:7:8/64")),
    "kubernetes.Semver": tuple(parse_semver(f"1.0.0-{'1.' * n}{end}") for n in (1, 10_000) for end in "ab"),
    "optional_type(V)": (Optional(1),),
    "kro.run.Runtime": (RUNTIME,),
}  # fmt: skip


def calls(overload: Overload) -> Iterator[tuple[str, dict[str, Any]]]:
    """Expressions that call the overload, with their variables."""
    first, *rest = [f"v{i}" for i in range(len(overload.params))] or [""]
    text = (
        f"{first}.{overload.name}({', '.join(rest)})"
        if overload.member
        else f"{overload.name}({', '.join((first, *rest))})"
    )
    choices = [_values(notation, overload.name) for notation in overload.params]
    for at, notation in enumerate(overload.params[1:], 1):
        if notation == "string":
            choices[at] = _PATTERNS if overload.name in ("matches", "find", "findAll") else _SECOND
        elif not notation.startswith(("int", "kube", "net")):
            choices[at] = choices[at][:: max(1, len(choices[at]) // 8)]
    for arguments in itertools.product(*choices):
        yield text.replace("(, ", "("), {f"v{i}": argument for i, argument in enumerate(arguments)}


_STEPS = list(range(20_000))


def seconds_of_a_budget(text: str, variables: dict[str, Any], measured: float = 0.005) -> float:
    """How long a full budget lasts when all of it goes to this expression, again and again; 0 where once is nothing."""
    answer: Any = None
    try:
        answer = compile_(parse(text))(variables)
    except EvaluationError as error:
        if error.kind == BUDGET:
            return 0.0
    compiler = Compiler()
    # Neither of the two is decided by the answer, so the loop goes on to its end.
    run = compiler.compile(parse(f"steps.{'exists' if answer is False else 'all'}(step, {text})"))
    steps = 1
    while True:
        budget.left = EVALUATION_BUDGET
        started = time.process_time()
        try:
            deep(run, {**variables, "steps": _STEPS[:steps]})
        except EvaluationError as error:
            steps = len(_STEPS) if error.kind == BUDGET else steps
        took, spent, budget.left = time.process_time() - started, EVALUATION_BUDGET - budget.left, UNLIMITED
        if took >= measured or steps >= len(_STEPS):
            return took / spent * EVALUATION_BUDGET if took >= measured else 0.0
        steps = min(len(_STEPS), steps * 8)


def shown(variables: dict[str, Any]) -> str:
    return ", ".join(
        f"{name} = {str(value)[:30]!r} ({len(value) if hasattr(value, '__len__') else 1})"
        for name, value in variables.items()
    )


def main() -> None:
    for name in sys.argv[1:] or index.names():
        for overload in index.overloads(name):
            for text, variables in calls(overload):
                seconds = seconds_of_a_budget(text, variables)
                if seconds > 1.5:
                    print(f"{seconds:6.1f} s  {overload.id}: {text}, {shown(variables)}", flush=True)


if __name__ == "__main__":
    main()
