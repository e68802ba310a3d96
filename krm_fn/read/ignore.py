"""
`.krmignore`, as kpt reads it: a subset of `.gitignore`.

Enters: the text of the file and paths relative to its folder.  Leaves: ignored or not.

A pattern with a leading slash is compared with the beginning of the path, any other one with its end (so `a/b` matches at every
depth, unlike in Git); a trailing slash matches directories alone; `*`, `?` and `[a-z]` stay inside one name and `**` is `*`;
a line that begins with `!` wins over all others, wherever it stands.

Source: kyaml v0.17.1 kio/ignorefilesmatcher.go and monochromegane/go-gitignore; differs: nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Token: TypeAlias = tuple[bool, list[tuple[str, str]]] | None
    """One character: negated or not, and ranges of characters.  None: any number of any characters."""


class IgnoreFile:
    """The patterns of one file."""

    __slots__ = ("_accepted", "_ignored")

    def __init__(self, text: str) -> None:
        self._accepted: list[_Pattern] = []
        self._ignored: list[_Pattern] = []
        for raw in text.removeprefix("\ufeff").splitlines():
            line = raw.strip(" ")
            if not line or line.startswith("#"):
                continue
            if line.startswith("!"):
                if line[1:].strip("/"):
                    self._accepted.append(_Pattern(line[1:]))
            elif line.strip("/"):
                self._ignored.append(_Pattern(line.removeprefix("\\") if line.startswith("\\#") else line))

    def matches(self, path: str, *, is_directory: bool) -> bool:
        """Whether the *path* (with slashes, relative to the folder of the file) is ignored."""
        names = path.split("/")
        if any(pattern.matches(names, is_directory=is_directory) for pattern in self._accepted):
            return False
        return any(pattern.matches(names, is_directory=is_directory) for pattern in self._ignored)


class _Pattern:
    __slots__ = ("anchored", "directories_only", "names")

    def __init__(self, line: str) -> None:
        self.anchored = line.startswith("/")
        self.directories_only = line.endswith("/")
        self.names = line.strip("/").split("/")

    def matches(self, names: list[str], *, is_directory: bool) -> bool:
        count = len(self.names)
        if count > len(names):
            return False
        part = names[:count] if self.anchored else names[-count:]
        if self.directories_only and not (is_directory and (not self.anchored or count == len(names))):
            return False
        return all(matches_name(pattern, name) for pattern, name in zip(self.names, part, strict=True))


def matches_name(pattern: str, name: str) -> bool:
    r"""
    Compare one name with a shell pattern (`*`, `?`, `[a-z]`, `[^a-z]`, `\x`); a malformed pattern matches nothing.

    The time is at most the product of the two lengths: only the last `*` is ever tried again.
    """
    tokens = _tokens(pattern)
    if tokens is None:
        return False
    at = token = 0
    star, star_at = -1, 0
    while at < len(name):
        if token < len(tokens) and tokens[token] is None:
            star, star_at = token, at
            token += 1
        elif token < len(tokens) and _accepts(tokens[token], name[at]):
            token += 1
            at += 1
        elif star >= 0:
            star_at += 1
            token, at = star + 1, star_at
        else:
            return False
    return all(rest is None for rest in tokens[token:])


def _accepts(token: Token, character: str) -> bool:
    if token is None:
        return False
    negated, ranges = token
    return any(low <= character <= high for low, high in ranges) != negated


def _tokens(pattern: str) -> list[Token] | None:
    """The tokens of a pattern; None when it is malformed."""
    tokens: list[Token] = []
    at = 0
    while at < len(pattern):
        character = pattern[at]
        at += 1
        if character == "*":
            tokens.append(None)
        elif character == "?":
            tokens.append((True, []))
        elif character == "[":
            negated = pattern.startswith("^", at)
            at += negated
            ranges: list[tuple[str, str]] = []
            while not (pattern.startswith("]", at) and ranges):
                low, at = _literal(pattern, at)
                high = low
                if pattern.startswith("-", at):
                    high, at = _literal(pattern, at + 1)
                if not low or not high:
                    return None
                ranges.append((low, high))
            at += 1
            tokens.append((negated, ranges))
        elif character == "\\":
            literal, at = pattern[at : at + 1], at + 1
            if not literal:
                return None
            tokens.append((False, [(literal, literal)]))
        else:
            tokens.append((False, [(character, character)]))
    return tokens


def _literal(pattern: str, at: int) -> tuple[str, int]:
    """One end of a range inside brackets; empty when there is none."""
    character = pattern[at : at + 1]
    if character in ("-", "]"):
        return "", at
    if character == "\\":
        return pattern[at + 1 : at + 2], at + 2
    return character, at + 1
