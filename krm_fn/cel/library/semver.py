"""
Semantic versions: `1.2.3-rc.1+build`.

Enters: texts and versions.  Leaves: versions, their numbers, comparisons.  Not known here: ranges (kro has none).

Source: github.com/blang/semver v4.0.0; k8s.io/apiserver v0.35.0 pkg/cel/library/semverlib.go, whose version 0 kro uses: one argument,
nothing is normalized.
"""

from __future__ import annotations

from krm_fn.cel.budget import spend
from krm_fn.cel.errors import BAD_CONVERSION, EvaluationError
from krm_fn.cel.library.overload import Overload, function, member, no_such_overload

_DIGITS = frozenset("0123456789")
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-") | _DIGITS
_EQUAL = 25
"""What `==` costs of the evaluation's budget."""
_UINT_MAX = (1 << 64) - 1


class Semver:
    """A version. numbers: major, minor, patch; prerelease: its identifiers, numbers below texts."""

    __slots__ = ("numbers", "prerelease", "text")
    cel_type = "kubernetes.Semver"

    def __init__(self, numbers: tuple[int, int, int], prerelease: tuple[tuple[int, int, str], ...], text: str) -> None:
        self.numbers = numbers
        self.prerelease = prerelease
        self.text = text

    @property
    def cel_size(self) -> int:
        return len(self.text)

    def __eq__(self, other: object) -> bool:
        """Compare without the build."""
        return isinstance(other, Semver) and _compare(self, other) == 0

    def cel_equals(self, other: object) -> bool:
        """Compare as `==` does: with another type it has no meaning."""
        if not isinstance(other, Semver):
            raise no_such_overload("semver ==", (other,))
        spend(_EQUAL + (min(len(self.text), len(other.text)) >> 1))
        return self == other

    def __hash__(self) -> int:
        return hash((self.numbers, self.prerelease))

    def __str__(self) -> str:
        return self.text


def parse_semver(text: str) -> Semver:
    """Read `major.minor.patch`, then perhaps `-` and identifiers, `+` and a build. Errors: BAD_CONVERSION."""
    parts = text.split(".", 2)
    if len(parts) != 3:
        raise _not_a_version(text)
    rest, plus, build = parts[2].partition("+")
    patch, dash, prerelease = rest.partition("-")
    if plus and not all(part and _LETTERS.issuperset(part) for part in build.split(".")):
        raise _not_a_version(text)
    numbers = (_number(text, parts[0]), _number(text, parts[1]), _number(text, patch))
    identifiers = tuple(_identifier(text, part) for part in prerelease.split(".")) if dash else ()
    return Semver(numbers, identifiers, text)


def _not_a_version(text: str) -> EvaluationError:
    return EvaluationError(BAD_CONVERSION, f"{text[:40]!r} is not a semantic version")


def _number(text: str, digits: str) -> int:
    if not digits or not _DIGITS.issuperset(digits) or (len(digits) > 1 and digits[0] == "0") or len(digits) > 20:
        raise _not_a_version(text)
    number = int(digits)
    if number > _UINT_MAX:
        raise _not_a_version(text)
    return number


def _identifier(text: str, part: str) -> tuple[int, int, str]:
    """Give an identifier as something that sorts: all numbers before all texts."""
    if not part or not _LETTERS.issuperset(part):
        raise _not_a_version(text)
    return (0, _number(text, part), "") if _DIGITS.issuperset(part) else (1, 0, part)


def _compare(first: Semver, second: Semver) -> int:
    """A version without prerelease is above the same version with one."""
    a = (first.numbers, not first.prerelease, first.prerelease)
    b = (second.numbers, not second.prerelease, second.prerelease)
    return (a > b) - (a < b)


def _is_semver(text: str) -> bool:
    try:
        parse_semver(text)
    except EvaluationError:
        return False
    return True


def _major(version: Semver) -> int:
    return _as_int(version.numbers[0])


def _minor(version: Semver) -> int:
    return _as_int(version.numbers[1])


def _patch(version: Semver) -> int:
    return _as_int(version.numbers[2])


def _as_int(number: int) -> int:
    """Wrap into 64 bits. # sic: Kubernetes converts without a check."""
    return number - (1 << 64) if number >= 1 << 63 else number


def _is_greater(first: Semver, second: Semver) -> bool:
    return _compare(first, second) > 0


def _is_less(first: Semver, second: Semver) -> bool:
    return _compare(first, second) < 0


_TYPE = "kubernetes.Semver"
_PAIR = (_TYPE, _TYPE)

OVERLOADS: tuple[Overload, ...] = (
    function(
        "string_to_semver",
        "semver",
        ("string",),
        _TYPE,
        parse_semver,
        "The version of a text; an error where it is none.",
        'semver("1.2.3") == semver("1.2.3+build")',
    ),
    function(
        "is_semver_string",
        "isSemver",
        ("string",),
        "bool",
        _is_semver,
        "Whether the text is a version.",
        'isSemver("1.2.3-rc.1")',
        '!isSemver("v1.2.3")',
    ),
    member(
        "semver_is_greater_than",
        "isGreaterThan",
        _PAIR,
        "bool",
        _is_greater,
        "Whether the version is above the other.",
        'semver("1.0.0").isGreaterThan(semver("1.0.0-rc.1"))',
    ),
    member(
        "semver_is_less_than",
        "isLessThan",
        _PAIR,
        "bool",
        _is_less,
        "Whether the version is below the other.",
        'semver("1.9.0").isLessThan(semver("1.10.0"))',
    ),
    member(
        "semver_compare_to",
        "compareTo",
        _PAIR,
        "int",
        _compare,
        "1, 0 or -1.",
        'semver("1.0.0-alpha").compareTo(semver("1.0.0-beta")) == -1',
    ),
    member("semver_major", "major", (_TYPE,), "int", _major, "The first number.", 'semver("1.2.3").major() == 1'),
    member("semver_minor", "minor", (_TYPE,), "int", _minor, "The second number.", 'semver("1.2.3").minor() == 2'),
    member("semver_patch", "patch", (_TYPE,), "int", _patch, "The third number.", 'semver("1.2.3").patch() == 3'),
)
