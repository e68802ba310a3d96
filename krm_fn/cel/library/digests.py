"""
kro's own functions: `random.*`, which are not random, and `hash.*`.

Enters: seeds and texts.  Leaves: texts, ints, bytes; the same for the same argument, everywhere.  Not known here: clocks, entropy.

Source: kro v0.9.3 pkg/cel/library/random.go, hash.go.
"""

from __future__ import annotations

from krm_fn.cel.budget import spend
from krm_fn.cel.errors import BAD_ARGUMENT, BUDGET, EvaluationError
from krm_fn.cel.library.overload import MAX_TEXT, Overload, function

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
_PERIOD = 8
_FNV_START, _FNV_PRIME = 0xCBF29CE484222325, 0x100000001B3


def _seeded_string(length: int, seed: str) -> str:
    """Each four bytes of the seed's SHA-256 give a character; there are eight, so the text repeats. # sic: kro."""
    if length <= 0:
        raise EvaluationError(BAD_ARGUMENT, f"random.seededString({length}): the length is not positive")
    if length > MAX_TEXT:
        raise EvaluationError(BUDGET, f"random.seededString({length}): a text of more than {MAX_TEXT} characters")
    digest = _sha256(seed)
    letters = "".join(_ALPHABET[int.from_bytes(digest[i : i + 4], "big") % 36] for i in range(0, 4 * _PERIOD, 4))
    return (letters * (length // _PERIOD + 1))[:length]


def _seeded_int(low: int, high: int, seed: str) -> int:
    """Take the first eight bytes of the seed's SHA-256 modulo the size of low..high, *high* excluded."""
    if low >= high:
        raise EvaluationError(BAD_ARGUMENT, f"random.seededInt({low}, {high}): the minimum is not below the maximum")
    return low + int.from_bytes(_sha256(seed)[:8], "big") % (high - low)


def _sha256(text: str) -> bytes:
    from hashlib import sha256

    return sha256(text.encode(), usedforsecurity=False).digest()


def _md5(text: str) -> bytes:
    from hashlib import md5

    return md5(text.encode(), usedforsecurity=False).digest()


def _fnv64a(text: str) -> bytes:
    encoded = text.encode()
    spend(2 * len(encoded))
    value = _FNV_START
    for byte in encoded:
        value = (value ^ byte) * _FNV_PRIME & 0xFFFFFFFFFFFFFFFF
    return value.to_bytes(8, "big")


OVERLOADS: tuple[Overload, ...] = (
    function(
        "random.seededString_int_string",
        "random.seededString",
        ("int", "string"),
        "string",
        _seeded_string,
        "So many digits and small letters, always the same for one seed; they repeat after eight.",
        'random.seededString(5, "a") == "2q3xw"',
    ),
    function(
        "random.seededInt_int_int_string",
        "random.seededInt",
        ("int", "int", "string"),
        "int",
        _seeded_int,
        "An int from the first to before the second, always the same for one seed.",
        'random.seededInt(0, 100, "a") == 50',
    ),
    function(
        "hash.fnv64a_string",
        "hash.fnv64a",
        ("string",),
        "bytes",
        _fnv64a,
        "FNV-1a of the text in UTF-8: 8 bytes.",
        '"%x".format([hash.fnv64a("hello")]) == "a430d84680aabd0b"',
    ),
    function(
        "hash.sha256_string",
        "hash.sha256",
        ("string",),
        "bytes",
        _sha256,
        "SHA-256 of the text in UTF-8: 32 bytes.",
        'size(hash.sha256("a")) == 32',
    ),
    function(
        "hash.md5_string",
        "hash.md5",
        ("string",),
        "bytes",
        _md5,
        "MD5 of the text in UTF-8: 16 bytes.",
        '"%x".format([hash.md5("hello")]) == "5d41402abc4b2a76b9719d911017c592"',
    ),
)
