"""
The writing of Lua: names, strings, lines.

Enters: names and texts of CEL, expressions of Lua.  Leaves: Lua.  Not known here: what it means.
"""

from __future__ import annotations

from krm_fn.emit.lua.library import NAMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_WIDTH = 100
_KEYWORDS = frozenset(
    (
        *(
            "and",
            "break",
            "do",
            "else",
            "elseif",
            "end",
            "false",
            "for",
            "function",
            "goto",
            "if",
            "in",
            "local",
            "nil",
        ),
        *("not", "or", "repeat", "return", "then", "true", "until", "while"),
        *("obj", "ipairs", "pairs", "select", "type", "tostring", "tonumber", "table", "pcall", "loadstring", "next"),
        *("checks", "verdict", "byte", "steps", "marks", "conditions_of"),
    )
)


def lua_name(name: str) -> str:
    """A name of CEL as a name of Lua that means nothing else there."""
    return f"{name}_" if name in _KEYWORDS or name in NAMES or name.endswith("_") else name


def quoted(text: str) -> str:
    """A string of Lua."""
    made = []
    for character in text:
        if character in '"\\':
            made.append("\\" + character)
        elif character.isprintable():
            made.append(character)
        else:
            made.extend(f"\\{byte:03}" for byte in character.encode("utf-8", "surrogatepass"))
    return f'"{"".join(made)}"'


def call(function: str, arguments: Sequence[str]) -> str:
    """A call on one line, or an argument a line."""
    line = f"{function}({', '.join(arguments)})"
    if len(line) <= _WIDTH and "\n" not in line:
        return line
    if len(arguments) == 2 and arguments[1].startswith("function(") and "\n" not in arguments[0]:
        return line
    return f"{function}(\n" + ",\n".join(_indented(argument) for argument in arguments) + "\n)"


def function(parameter: str, body: str) -> str:
    """A function that gives *body*."""
    if len(body) <= _WIDTH and "\n" not in body:
        return f"function({parameter}) return {body} end"
    return f"function({parameter})\n{_indented(f'return {body}')}\nend"


def joined(word: str, terms: Sequence[str]) -> str:
    """Terms with `and` or `or` between them."""
    other = f" {'or' if word == 'and' else 'and'} "
    wrapped = [f"({term})" if other in term or "\n" in term else term for term in terms]
    line = f" {word} ".join(wrapped)
    return line if len(line) <= _WIDTH and "\n" not in line else f"\n  {word} ".join(wrapped)


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.split("\n"))
