"""
Arguments -> options and operands. Small and quick: `argparse` alone costs a cold render more than this whole program's parser.

Enters: the words after the subcommand.  Leaves: `Arguments`.  Raises `UsageError`.
"""

from __future__ import annotations

from krm_fn.command import UsageError
from krm_fn.schema.kube_version import FORM, read_kube_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TextIO

    from krm_fn.schema.kube_version import KubeVersion

FLAG = "flag"
VALUE = "value"
VALUES = "values"


class Arguments:
    """What was given: operands in order, options by their long name without dashes."""

    __slots__ = ("flags", "operands", "values")

    def __init__(self) -> None:
        self.operands: list[str] = []
        self.flags: set[str] = set()
        self.values: dict[str, list[str]] = {}

    def last(self, name: str, default: str = "") -> str:
        return self.values[name][-1] if name in self.values else default

    def all(self, name: str) -> list[str]:
        return self.values.get(name, [])


def parse_arguments(words: Sequence[str], options: Mapping[str, str], short: Mapping[str, str]) -> Arguments:
    """
    Read `--name value`, `--name=value`, `-n value` and operands, in any order; `--` ends the options.

    options: long name -> FLAG, VALUE (the last one counts) or VALUES (may be repeated).  short: letter -> long name.
    """
    found = Arguments()
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            found.operands += rest
            break
        if not word.startswith("-") or word == "-":
            found.operands.append(word)
            continue
        name, has_value, value = word.partition("=")
        name = short.get(name[1:], "") if not name.startswith("--") else name[2:]
        kind = options.get(name)
        if kind is None:
            raise UsageError(_unknown(word, options))
        if kind == FLAG:
            if has_value:
                raise UsageError(f"--{name} takes no value")
            found.flags.add(name)
            continue
        if not has_value:
            if not rest:
                raise UsageError(f"--{name} needs a value")
            value = rest.pop(0)
        if kind == VALUE and name in found.values:
            raise UsageError(f"--{name} is given twice")
        found.values.setdefault(name, []).append(value)
    return found


def choose(arguments: Arguments, name: str, choices: Sequence[str]) -> str:
    """The value of an option that has a fixed set of them, the first being the default."""
    value = arguments.last(name, choices[0])
    if value not in choices:
        raise UsageError(not_a_choice(f"--{name}", choices, value))
    return value


def choose_kube_version(arguments: Arguments) -> KubeVersion | None:
    """What `--kube-version` says; None where it is not given."""
    text = arguments.last("kube-version")
    if "kube-version" not in arguments.values:
        return None
    version = read_kube_version(text)
    if version is None:
        raise UsageError(f"--kube-version is {FORM}, not {text[:80]!r}")
    return version


def not_a_choice(what: str, choices: Sequence[str], value: str) -> str:
    """What to say of a value that is none of the choices."""
    from krm_fn.report.near import closest

    near = closest(value, choices)
    return f"{what} is one of {', '.join(choices)}, not {value!r}" + (f"; did you mean {near}?" if near else "")


def _unknown(word: str, options: Mapping[str, str]) -> str:
    from krm_fn.report.near import closest

    name = word.partition("=")[0]
    near = closest(name, [f"--{option}" for option in options])
    return f"there is no option {name}" + (f"; did you mean {near}?" if near else "")


def wants_color(stderr: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether a person looks at stderr, and likes colours: https://no-color.org."""
    return stderr.isatty() and "NO_COLOR" not in environment
