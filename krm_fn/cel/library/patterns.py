r"""
Regular expressions: `matches`, `find`, `findAll`.

Enters: a text and a pattern.  Leaves: whether, what, and all that it matches.  Not known here: anything else of strings.

Patterns come from users, so only RE2 reads them: its time grows with the length of the text, whatever the pattern.  kro uses Go's
regexp, which is RE2's syntax without `\C`; compiled patterns are kept, the oldest dropped first.

Source: cel-go v0.27.0 common/types/string.go; k8s.io/apiserver v0.35.0 pkg/cel/library/regex.go; Go regexp.
"""

from __future__ import annotations

from krm_fn.cel.errors import BAD_ARGUMENT, BUDGET, EvaluationError
from krm_fn.cel.library.overload import MAX_ELEMENTS, Overload, function, member

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_KEPT = 256
_MATCH = 32
"""What a match of `findAll` costs of the evaluation's budget."""

_CONTINUATIONS = frozenset(bytes([byte]) for byte in range(0x80, 0xC0))
"""Bytes inside of a character in UTF-8: RE2 sees `\\B` before them, Go does not."""

_compiled: dict[str, Any] = {}


def compile_pattern(pattern: str) -> Any:
    """Compile a pattern. Errors: BAD_ARGUMENT where Go would not take it."""
    compiled = _compiled.get(pattern)
    if compiled is None:
        import re2

        options = re2.Options()
        options.log_errors = False
        if _has_any_byte(pattern):
            raise EvaluationError(BAD_ARGUMENT, "the pattern has \\C, which Go's regular expressions lack")
        try:
            compiled = re2.compile(pattern, options=options)
        except re2.error as e:
            reason = e.args[0].decode(errors="replace") if isinstance(e.args[0], bytes) else str(e.args[0])
            raise EvaluationError(BAD_ARGUMENT, f"{pattern[:60]!r} is not a regular expression: {reason}") from None
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


def _matches(text: str, pattern: str) -> bool:
    return compile_pattern(pattern).search(text) is not None


def _find(text: str, pattern: str) -> str:
    found = compile_pattern(pattern).search(text)
    return "" if found is None else str(found.group())


def _find_all(text: str, pattern: str) -> list[str]:
    return _find_some(text, pattern, -1)


def _find_some(text: str, pattern: str, limit: int) -> list[str]:
    """Give the matches in turn, at most *limit* unless it is negative; an empty one right after another does not count."""
    found: list[str] = []
    if limit == 0:
        return found
    end = -1
    from krm_fn.cel.operators import budget

    encoded = text.encode()
    for match in compile_pattern(pattern).finditer(encoded):
        budget.spend(_MATCH)
        start, stop = match.span()
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
