"""How a text is split, said once more with the grammar's own regular expressions; the engine splits by hand, since `re` costs a cold start."""

import re
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from krm_fn.cel.errors import CelSyntaxError
from krm_fn.cel.lexer import END, tokenize

SKIPPED = re.compile(r"(?:[ \t\r\n\f]|//[^\n]*+(?:\n|\Z))*+")
TOKEN = re.compile(
    r"(?P<name>(?![bB]?[rR]?[\"'])[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<number>[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+|\.[0-9]+(?:[eE][+-]?[0-9]+)?"
    r"|0x[0-9a-fA-F]+[uU]?|[0-9]+[uU]?)"
    r"|(?P<operator>[=!<>]=|&&|\|\||[][(){}.,?:<>!+*/%-])"
    r"|(?P<text>(?P<bytes>[bB]?)(?:"
    r"[rR](?:\"\"\"[\s\S]*?\"\"\"|'''[\s\S]*?'''|\"(?!\"\")[^\"\r\n]*\"|'(?!'')[^'\r\n]*')"
    r"|(?:\"\"\"(?:[^\\]|\\[\s\S])*?\"\"\"|'''(?:[^\\]|\\[\s\S])*?'''"
    r"|\"(?!\"\")(?:[^\"\\\r\n]|\\[\s\S])*\"|'(?!'')(?:[^'\\\r\n]|\\[\s\S])*')"
    r"))"
)
"""CEL.g4: ESC_SEQ aside, whose contents are tested where literals are."""

PIECES = (
    "a", "in", "true", "_b1", "b", "br", "rb", "R", '"', "'", '"""', "'''", "\\\\", "\\n", "\n", "\r", "\f", "\v", " ", "//", "/",
    "0", "0x", "10", "9", ".", "..", "e", "E", "+", "-", "u", "U", "x", "f", "=", "==", "!", "<", ">=", "&", "&&", "|", "||",
    "?", "[", "]", "{", "}", "(", ")", ",", ":", "*", "%", "$", "é", "😀", "\ud800", "\u0660", "\u2028", "\0",
)  # fmt: skip


def split_by_grammar(text: str) -> tuple[list[str], int]:
    """The spellings of the tokens of *text*, and the offset where no token begins; -1 when the text is split to its end."""
    spellings: list[str] = []
    position = SKIPPED.match(text).end()  # type: ignore[union-attr]
    while position < len(text):
        found = TOKEN.match(text, position)
        if found is None:
            return spellings, position
        spellings.append(found[0])
        position = SKIPPED.match(text, found.end()).end()  # type: ignore[union-attr]
    return spellings, -1


def split(text: str) -> tuple[list[str], int]:
    """The same as the engine splits it, as far as that goes."""
    try:
        tokens = tokenize(text)
    except CelSyntaxError as error:
        return [], error.problems[0].offset
    assert tokens[-1] == (END, "", len(text), len(text))
    return [text[start:end] for _, _, start, end in tokens[:-1]], -1


def is_small(text: str) -> bool:
    """No number is out of range, which is no matter of splitting."""
    return re.search(r"[0-9]{17}|[eE][+-]?[0-9]{3}", text) is None


@pytest.mark.thorough
@settings(max_examples=2000, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join).filter(is_small))
def test_is_split_as_the_grammar_says(text: Any) -> None:
    spellings, stop = split_by_grammar(text)
    assert split(text) == ([] if stop >= 0 else spellings, stop)


@pytest.mark.parametrize(
    ("text", "spellings"),
    [
        ("1.5e-3", ["1.5e-3"]),
        ("1.e3", ["1", ".", "e3"]),
        ("1e+", ["1", "e", "+"]),
        ("1.5u", ["1.5", "u"]),
        ("0xFFu", ["0xFFu"]),
        ("0xg", ["0", "xg"]),
        ("1u.5", ["1u", ".5"]),
        ("a.5", ["a", ".5"]),
        ("1..2", ["1", ".", ".2"]),
        ("brr'a'", ["brr", "'a'"]),
        ("xb'a'", ["xb", "'a'"]),
        ("bR'\\'", ["bR'\\'"]),
        ("a//b\n//\n+c//", ["a", "+", "c"]),
        ("a//b\rc", ["a"]),
        ("'a//b'", ["'a//b'"]),
        ("!!=", ["!", "!="]),
    ],
)
def test_the_longest_token_wins(text: Any, spellings: Any) -> None:
    assert split(text) == (spellings, -1)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(piece * (100_000 // len(piece)), id=piece)
        for piece in (
            "1u",
            "0x1u",
            "1e",
            "a ",
            "''",
            '"',
            "b",
            "b'",
            ". ",
            "//",
            "//\n",
            "/ ",
            "1.1",
            "\\",
            "é",
            "'\\'",
        )
    ],
)
def test_the_longest_text_takes_a_moment(text: Any) -> None:
    """Nothing looks at the rest of the text for each token: at a hundred thousand characters that would take seconds."""
    started = time.process_time()
    split(text)
    assert time.process_time() - started < 2
