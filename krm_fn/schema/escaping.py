"""
Names of fields as expressions spell them, and back: `a-b` is `a__dash__b`, `in` is `__in__`.

Enters and leaves: names.  Not known here: schemas, expressions, data.

Source: Kubernetes v1.35.0 apiserver pkg/cel/escaping.go. Keys of maps are not escaped, names of declared fields are.
"""

from __future__ import annotations

from krm_fn.cel.types import RESERVED_FIELDS

# In this order: the underscores of a name go first, those of the words come later.
WORDS = {"underscores": "__", "dot": ".", "dash": "-", "slash": "/"}


def escape(name: str) -> str:
    """A field's name as expressions spell it: `a-b` -> `a__dash__b`; empty where they cannot."""
    if name.isidentifier() and name.isascii() and "__" not in name:
        return f"__{name}__" if name in RESERVED_FIELDS else name
    if not name or name[0].isdigit():
        return ""
    spelled = name
    for i, text in enumerate(WORDS.values()):
        spelled = spelled.replace(text, chr(i))
    for i, word in enumerate(WORDS):
        spelled = spelled.replace(chr(i), f"__{word}__")
    return spelled if spelled.isascii() and spelled.replace("_", "a").isalnum() else ""


def unescape(name: str) -> str:
    """A field's name for how expressions spell it; an empty text for what is no spelling. `a__dash__b` -> `a-b`."""
    if "__" not in name:
        return name
    parts: list[str] = []
    at = 0
    while (start := name.find("__", at)) >= 0:
        end = start + 2
        while end < len(name) and name[end] != "_":
            end += 1
        word = name[start + 2 : end]
        if not word or name[end : end + 2] != "__":
            at_next = end if word else start + 1
            parts.append(name[at:at_next])
            at = at_next
            continue
        if word not in WORDS and not (word in RESERVED_FIELDS and end + 2 - start == len(name)):
            return ""
        parts += (name[at:start], WORDS.get(word, word))
        at = end + 2
    return "".join(parts) + name[at:]
