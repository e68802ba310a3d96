"""
Names as Kubernetes asks for them.

Enters: texts.  Leaves: yes or no.  Not known here: which names are taken.
"""

from __future__ import annotations

MAX_LABEL = 63
MAX_SUBDOMAIN = 253


def is_dns_name(text: str, limit: int, *, dots: bool) -> bool:
    """RFC 1123 names as Kubernetes asks for: a label, or with *dots* a subdomain."""
    if not text or len(text) > limit or not text.isascii() or text != text.lower():
        return False
    parts = text.split(".") if dots else [text]
    return all(part and part[0] != "-" and part[-1] != "-" and part.replace("-", "a").isalnum() for part in parts)
