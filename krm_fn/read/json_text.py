"""
JSON text to documents. Kubernetes' readers try JSON first when a text begins with a brace, and so do we.

Enters: a source.  Leaves: documents, one for each JSON value in it, or None when it is not JSON (it may still be YAML).
"""

from __future__ import annotations

import json
import re

from krm_fn.read.scalars import plain_value
from krm_fn.read.yaml import MAX_DEPTH, Document, Source
from krm_fn.report.diagnostic import Diagnostic, RenderError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

_SURROGATE = re.compile(
    r"(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\[^u]|\\u(?![dD][89a-fA-F]))|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)
_SPACE = re.compile(r"[ \t\r\n]*(?:---[ \t]*(?:\r\n?|\n|$)[ \t\r\n]*)*")
_BRACKETS = re.compile(r"[\[\]{}]|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)


def parse_json_documents(source: Source) -> list[Document] | None:
    """
    Read a text as a run of JSON values, with or without `---` between them.

    Errors: duplicate-key; a text that is no JSON gives None.
    Source: encoding/json and sigs.k8s.io/json: unpaired surrogates become U+FFFD, integers beyond int64 floats.
    """
    text = source.text.replace("\ufeff", " ", 1) if source.text.startswith("\ufeff") else source.text
    if "\\ud" in text or "\\uD" in text:
        text = _SURROGATE.sub(lambda match: match[1] or "\\ufffd", text)
    repeated: list[str] = []
    decoder = json.JSONDecoder(
        object_pairs_hook=lambda pairs: _mapping(pairs, repeated),
        parse_int=_number,
        parse_float=_number,
        parse_constant=_no_constant,
    )
    documents: list[Document] = []
    problems: list[Diagnostic] = []
    index = 0
    at = _end_of_space(text, 0)
    while at < len(text):
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return None
        if _is_too_deep(text, at, end):
            return None
        document = Document(source, index, value, at, end)
        if repeated:
            problems.extend(_explain(document, repeated))
            repeated.clear()
        if value is not None:
            documents.append(document)
        index += 1
        at = _end_of_space(text, end)
    if problems:
        raise RenderError(problems)
    return documents


def _end_of_space(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space is not None else at


def _mapping(pairs: list[tuple[str, Any]], repeated: list[str]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        repeated.extend(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    return result


def _number(text: str) -> Any:
    value = plain_value(text)
    if isinstance(value, str):
        raise ValueError(text)  # noqa: TRY004 - a number that overflows is malformed JSON to Go
    return value


def _no_constant(text: str) -> NoReturn:
    raise ValueError(text)


def _is_too_deep(text: str, at: int, end: int) -> bool:
    """Whether brackets nest deeper than `MAX_DEPTH`; the YAML reader then says so."""
    if text.count("{", at, end) + text.count("[", at, end) <= MAX_DEPTH:
        return False
    depth = 0
    for match in _BRACKETS.finditer(text, at, end):
        if match[0] in "{[":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif match[0] in "}]":
            depth -= 1
    return False


def _explain(document: Document, repeated: list[str]) -> list[Diagnostic]:
    from krm_fn.read.positions import explain_values

    problems = explain_values(document, document.end)
    if problems:
        return problems
    position = document.source.position(document.start, document.index)
    return [Diagnostic("duplicate-key", f"'{repeated[0]}' is set twice in one mapping", position=position)]
