r"""
Regular expressions: `matches`, `find`, `findAll`.

Enters: a text and a pattern.  Leaves: whether, what, and all that it matches.  Not known here: anything else of strings.

Patterns come from users, so only RE2 reads them: its time grows with the length of the text, whatever the pattern.  kro uses Go's
regexp, which is RE2's syntax without `\C`; compiled patterns are kept, the oldest dropped first.

Source: cel-go v0.27.0 common/types/string.go; k8s.io/apiserver v0.35.0 pkg/cel/library/regex.go; Go regexp.
"""

from __future__ import annotations

from krm_fn.cel.budget import spend
from krm_fn.cel.errors import BAD_ARGUMENT, BUDGET, EvaluationError
from krm_fn.cel.library.overload import MAX_ELEMENTS, Overload, function, member

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_KEPT = 256
_COMPILED, _COMPILED_STEP, _TOO_LARGE = 1_000, 6, 2_000_000
"""What compiling a pattern costs of the evaluation's budget: each, each step of its program, and one that RE2 gives up."""
_MATCH = 32
"""What a match of `findAll` costs."""

_CONTINUATIONS = frozenset(bytes([byte]) for byte in range(0x80, 0xC0))
"""Bytes inside of a character in UTF-8: RE2 sees `\\B` before them, Go does not."""

_compiled: dict[str, Pattern] = {}


class Pattern:
    """A compiled pattern.  size: steps of its program, each of which RE2 may have to look at for each byte of a text."""

    __slots__ = ("regexp", "size")

    def __init__(self, regexp: Any) -> None:
        self.regexp = regexp
        self.size: int = regexp.programsize

    def pay(self, length: int) -> None:
        """Pay for one search through so many bytes."""
        spend(length * self.size >> 4)


def compile_pattern(pattern: str) -> Pattern:
    """Compile a pattern. Errors: BAD_ARGUMENT where Go would not take it; BUDGET."""
    compiled = _compiled.get(pattern)
    if compiled is None:
        import re2

        spend(_COMPILED + (len(pattern) ** 2 >> 10))
        options = re2.Options()
        options.log_errors = False
        options.never_capture = True  # only whole matches are asked for, and many groups take long
        if _has_any_byte(pattern):
            raise EvaluationError(BAD_ARGUMENT, "the pattern has \\C, which Go's regular expressions lack")
        try:
            compiled = Pattern(re2.compile(pattern, options=options))
        except re2.error as e:
            reason = e.args[0].decode(errors="replace") if isinstance(e.args[0], bytes) else str(e.args[0])
            if "too large" in reason:
                spend(_TOO_LARGE)
            raise EvaluationError(
                BAD_ARGUMENT, f"{pattern[:60]!r} is not a regular expression: {reason[:200]}"
            ) from None
        spend(_COMPILED_STEP * compiled.size)
        if len(_compiled) >= _KEPT:
            del _compiled[next(iter(_compiled))]
        _compiled[pattern] = compiled
    return compiled


def _has_any_byte(pattern: str) -> bool:
    r"""Look for `\C` outside of `\Q...\E`, an escaped backslash not being the start of one."""
    at = pattern.find("\\")
    while at >= 0:
        escape = pattern[at + 1 : at + 2]
        if escape == "C":
            return True
        at = pattern.find("\\E", at) if escape == "Q" else at
        at = pattern.find("\\", at + 2) if at >= 0 else at
    return False


def _search(text: str, pattern: str) -> Any:
    compiled = compile_pattern(pattern)
    encoded = text.encode()
    compiled.pay(len(encoded))
    return compiled.regexp.search(encoded)


def _matches(text: str, pattern: str) -> bool:
    return _search(text, pattern) is not None


def _find(text: str, pattern: str) -> str:
    found = _search(text, pattern)
    return "" if found is None else str(found.group().decode())


def _find_all(text: str, pattern: str) -> list[str]:
    return _find_some(text, pattern, -1)


def _find_some(text: str, pattern: str, limit: int) -> list[str]:
    """Give the matches in turn, at most *limit* unless it is negative; an empty one right after another does not count."""
    found: list[str] = []
    if limit == 0:
        return found
    end = -1
    encoded = text.encode()
    compiled = compile_pattern(pattern)
    compiled.pay(len(encoded))
    for match in compiled.regexp.finditer(encoded):
        spend(_MATCH)
        start, stop = match.span()
        compiled.pay(len(encoded) - stop)  # the next one may be found only at the end, be it an empty one
        if start == stop and (start == end or encoded[start : start + 1] in _CONTINUATIONS):
            continue
        end = stop
        found.append(encoded[start:stop].decode())
        if len(found) == limit:
            break
        if len(found) > MAX_ELEMENTS:
            raise EvaluationError(BUDGET, f"findAll: more than {MAX_ELEMENTS} matches")
    return found


OVERLOADS: tuple[Overload, ...] = (
    function(
        "matches",
        "matches",
        ("string", "string"),
        "bool",
        _matches,
        "Whether the pattern matches some part of the text.",
        'matches("abc", "b")',
    ),
    member(
        "matches_string",
        "matches",
        ("string", "string"),
        "bool",
        _matches,
        "Whether the pattern matches some part of the text.",
        '"abc".matches("^[a-c]+$")',
    ),
    member(
        "string_find_string",
        "find",
        ("string", "string"),
        "string",
        _find,
        "The first match; empty where there is none.",
        '"abc 123".find("[0-9]+") == "123"',
    ),
    member(
        "string_find_all_string",
        "findAll",
        ("string", "string"),
        "list(string)",
        _find_all,
        "All matches.",
        '"1 a 2".findAll("[0-9]") == ["1", "2"]',
    ),
    member(
        "string_find_all_string_int",
        "findAll",
        ("string", "string", "int"),
        "list(string)",
        _find_some,
        "The first matches, so many; all where the number is negative.",
        '"123".findAll("[0-9]", 2) == ["1", "2"]',
    ),
)
