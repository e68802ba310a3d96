"""
URLs.

Enters: texts.  Leaves: URLs and their parts.  Not known here: what a URL leads to.

Kubernetes takes a text that Go's net/url accepts both as a request's URI and as a URL: absolute, or a path that begins with a slash.
Parts that were percent-encoded are kept as bytes, since they need not be UTF-8.

Source: k8s.io/apiserver v0.35.0 pkg/cel/library/urls.go; Go 1.26 net/url.
"""

from __future__ import annotations

from krm_fn.cel.budget import spend
from krm_fn.cel.errors import BAD_CONVERSION, BUDGET, EvaluationError
from krm_fn.cel.library.overload import Overload, function, member, no_such_overload

_ALPHANUMERIC = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_HOST = frozenset(_ALPHANUMERIC + b"!\"$&'()*+,-.:;<=>[]_~")
_PATH = frozenset(_ALPHANUMERIC + b"$&+,-./:;=@_~")
_PATH_AS_WRITTEN = _PATH | frozenset(b"!'()*[]%")
_USER = frozenset(_ALPHANUMERIC + b"$&+,-.;=_~")
_USER_AS_WRITTEN = frozenset(_ALPHANUMERIC + b"-._:~!$&'()*+,;=%@")
_FRAGMENT = frozenset(_ALPHANUMERIC + b"!$&()*+,-./:;=?@_~")
_FRAGMENT_AS_WRITTEN = _FRAGMENT | frozenset(b"'[]%")
_HEX = frozenset(b"0123456789abcdefABCDEF")
_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_CONTROLS = frozenset(map(chr, (*range(0x20), 0x7F)))
_SCHEME = _LETTERS | frozenset("0123456789+-.")
_MAX_PARAMETERS = 10_000
_MAX_LENGTH = 100_000
_EQUAL = 60
"""What `==` costs of the evaluation's budget."""
_PERCENT = 0x25


class URL:
    """A URL in parts. user: as written again, with its `@`; path: decoded; query: as it was, None where there is no `?`."""

    __slots__ = ("fragment", "has_authority", "host", "opaque", "path", "query", "scheme", "user", "written_path")
    cel_type = "kubernetes.URL"

    def __init__(self, scheme: str) -> None:
        self.scheme = scheme
        self.opaque = ""
        self.has_authority = False
        self.user = ""
        self.host = b""
        self.path = b""
        self.written_path = b""
        self.query: str | None = None
        self.fragment = ""

    @property
    def cel_size(self) -> int:
        """How many bytes it has, about."""
        return len(self.host) + len(self.written_path) + len(self.query or "")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, URL) and str(self) == str(other)

    def cel_equals(self, other: object) -> bool:
        """Compare as `==` does: with another type it has no meaning."""
        if not isinstance(other, URL):
            raise no_such_overload("url ==", (other,))
        spend(_EQUAL + 2 * (self.cel_size + other.cel_size))
        return self == other

    def __hash__(self) -> int:
        return hash(str(self))

    def __str__(self) -> str:
        text = f"{self.scheme}:" if self.scheme else ""
        if self.opaque:
            text += self.opaque
        else:
            path = escaped_path(self)
            if self.has_authority and (self.host or self.path or self.user):
                text += f"//{self.user}{_escape(self.host, _HOST)}"
            if not text and ":" in path.partition("/")[0]:
                text = "./"
            text += path
        if self.query is not None:
            text += f"?{self.query}"
        return f"{text}#{self.fragment}" if self.fragment else text


class _UrlError(Exception):
    """The text is no URL; the message says why."""


def parse_url(text: str) -> URL:
    """Read an absolute URL or an absolute path. Errors: BAD_CONVERSION; BUDGET for texts without reason."""
    try:
        return _parse(text)
    except _UrlError as e:
        raise EvaluationError(BAD_CONVERSION, f"{text[:60]!r} is not an absolute URL: {e}") from None


def _parse(text: str) -> URL:
    if len(text) > _MAX_LENGTH:
        raise EvaluationError(BUDGET, f"url: a text of more than {_MAX_LENGTH} characters")
    if not text:
        raise _UrlError("it is empty")
    _parse_parts(text, as_request=True)
    body, _, fragment = text.partition("#")
    url = _parse_parts(body, as_request=False)
    if fragment:
        written = fragment.encode()
        decoded = _unescape(written)
        url.fragment = fragment if _FRAGMENT_AS_WRITTEN.issuperset(written) else _escape(decoded, _FRAGMENT)
    return url


def _parse_parts(text: str, *, as_request: bool) -> URL:
    """Take a URL apart. As a request's, a text without scheme must begin with a slash, and two slashes begin a path."""
    if not _CONTROLS.isdisjoint(text):
        raise _UrlError("control characters")
    if text == "*":
        url = URL("")
        url.path = url.written_path = b"*"
        return url
    scheme, rest = _split_scheme(text)
    url = URL(scheme.lower())
    rest, mark, query = rest.partition("?")
    url.query = query if mark else None
    if not rest.startswith("/"):
        if scheme:
            url.opaque = rest
            return url
        if as_request:
            raise _UrlError("neither a scheme nor a slash at its start")
        if ":" in rest.partition("/")[0]:
            raise _UrlError("a colon in its first part")
    is_authority = rest.startswith("//") and (bool(scheme) or (not as_request and not rest.startswith("///")))
    if is_authority:
        authority, slash, path = rest[2:].partition("/")
        rest = slash + path
        url.has_authority = True
        _set_authority(url, authority)
    url.path = _unescape(rest.encode())
    url.written_path = rest.encode()
    return url


def _split_scheme(text: str) -> tuple[str, str]:
    for at, char in enumerate(text):
        if char == ":":
            if at == 0:
                raise _UrlError("no scheme before its colon")
            return text[:at], text[at + 1 :]
        if char not in _SCHEME or (at == 0 and char not in _LETTERS):
            break
    return "", text


def _set_authority(url: URL, authority: str) -> None:
    user, at, host = authority.rpartition("@")
    url.host = _host(host, is_strict=url.scheme in ("http", "https"))
    if at:
        if not _USER_AS_WRITTEN.issuperset(user.encode()):
            raise _UrlError("a character in its user that must be encoded")
        name, colon, password = user.partition(":")
        parts = [_escape(_unescape(part.encode()), _USER) for part in ((name, password) if colon else (name,))]
        url.user = f"{':'.join(parts)}@"


def _host(text: str, *, is_strict: bool) -> bytes:
    """Read a host and its port, which begins at the last colon; at the first one if that is the only one allowed."""
    bracket = text.rfind("[")
    if bracket > 0:
        raise _UrlError("a bracket inside of its host")
    if bracket == 0:
        return _bracketed_host(text)
    colon = text.find(":") if is_strict else text.rfind(":")
    if colon >= 0:
        _check_port(text[colon:])
    return _unescape_host(text)


def _bracketed_host(text: str) -> bytes:
    """`[::1]:80`: an IPv6 address, perhaps with a zone after `%25`."""
    inside, bracket, port = text[1:].rpartition("]")
    if not bracket:
        raise _UrlError("no closing bracket")
    _check_port(port)
    address, mark, zone = inside.partition("%25")
    decoded = _unescape_host(address) + (_unescape_zone(mark + zone) if mark else b"")
    _check_ipv6(decoded)
    return b"[" + decoded + b"]" + port.encode()


def _check_ipv6(address: bytes) -> None:
    from ipaddress import IPv6Address

    number, mark, zone = address.decode(errors="replace").partition("%")
    try:
        IPv6Address(number)
    except ValueError:
        raise _UrlError("no IPv6 address in its brackets") from None
    if mark and not zone:
        raise _UrlError("an empty zone")


def _check_port(text: str) -> None:
    if text and (text[0] != ":" or not frozenset("0123456789").issuperset(text[1:])):
        raise _UrlError("a port that is no number")


def _unescape(text: bytes) -> bytes:
    """Decode `%41`; every percent sign must be followed by two digits."""
    head, *parts = text.split(b"%")
    decoded = [head]
    for part in parts:
        if len(part) < 2 or not _HEX.issuperset(part[:2]):
            raise _UrlError(f"%{part[:2].decode(errors='replace')} is not a percent-encoding")
        decoded.append(bytes.fromhex(part[:2].decode()) + part[2:])
    return b"".join(decoded)


def _unescape_host(text: str) -> bytes:
    """A host may encode only what is not ASCII, and the percent sign."""
    written = text.encode()
    for at, byte in enumerate(written):
        if byte == _PERCENT:
            code = written[at + 1 : at + 3].lower()
            if code[:1] < b"8" and code != b"25":
                raise _UrlError("a percent-encoding in its host")
        elif byte < 0x80 and byte not in _HOST:
            raise _UrlError(f"{chr(byte)!r} in its host")
    return _unescape(written)


def _unescape_zone(text: str) -> bytes:
    """A zone may also encode what a host may contain, and spaces."""
    written = text.encode()
    for at, byte in enumerate(written):
        if byte != _PERCENT and byte < 0x80 and byte not in _HOST:
            raise _UrlError(f"{chr(byte)!r} in its zone")
        if byte == _PERCENT and written[at + 1 : at + 3] != b"25":
            decoded = _unescape(written[at : at + 3])
            if decoded != b" " and decoded[0] not in _HOST:
                raise _UrlError("a percent-encoding in its zone")
    return _unescape(written)


def _escape(text: bytes, allowed: frozenset[int]) -> str:
    return "".join(chr(byte) if byte in allowed else f"%{byte:02X}" for byte in text)


def _text(part: bytes) -> str:
    return part.decode(errors="replace")


def escaped_path(url: URL) -> str:
    """Give the path as it was written, if that is a valid encoding of it; else encoded anew."""
    if url.path == b"*" or _PATH_AS_WRITTEN.issuperset(url.written_path):
        return _text(url.written_path)
    return _escape(url.path, _PATH)


def _is_url(text: str) -> bool:
    """Tell whether Go takes it for a request's URI."""
    try:
        if len(text) > _MAX_LENGTH:
            raise EvaluationError(BUDGET, f"isURL: a text of more than {_MAX_LENGTH} characters")
        if text:
            _parse_parts(text, as_request=True)
    except _UrlError:
        return False
    return bool(text)


def _scheme(url: URL) -> str:
    return url.scheme


def _get_host(url: URL) -> str:
    return _text(url.host)


def _split_port(url: URL) -> tuple[str, str]:
    host, colon, port = _text(url.host).rpartition(":")
    if not colon or not frozenset("0123456789").issuperset(port):
        host, port = _text(url.host), ""
    return (host[1:-1] if host.startswith("[") and host.endswith("]") else host), port


def _hostname(url: URL) -> str:
    return _split_port(url)[0]


def _port(url: URL) -> str:
    return _split_port(url)[1]


def _query(url: URL) -> dict[str, list[str]]:
    """Collect the values of each name; what is not well encoded or has a semicolon is left out."""
    values: dict[str, list[str]] = {}
    parts = (url.query or "").split("&")
    for part in parts if len(parts) <= _MAX_PARAMETERS else []:
        if not part or ";" in part:
            continue
        name, _, value = part.replace("+", " ").partition("=")
        try:
            key, decoded = _text(_unescape(name.encode())), _text(_unescape(value.encode()))
        except _UrlError:
            continue
        values.setdefault(key, []).append(decoded)
    return values


_TYPE = "kubernetes.URL"

OVERLOADS: tuple[Overload, ...] = (
    function(
        "string_to_url",
        "url",
        ("string",),
        _TYPE,
        parse_url,
        "The URL of a text; an error where it is no absolute URL or path.",
        'url("https://a") != url("https://a/")',
    ),
    function(
        "is_url_string",
        "isURL",
        ("string",),
        "bool",
        _is_url,
        "Whether the text is an absolute URL or path.",
        'isURL("https://example.com")',
        '!isURL("../x")',
    ),
    member(
        "url_get_scheme",
        "getScheme",
        (_TYPE,),
        "string",
        _scheme,
        "The scheme in small letters; empty for a path.",
        'url("HTTPS://a").getScheme() == "https"',
    ),
    member(
        "url_get_host",
        "getHost",
        (_TYPE,),
        "string",
        _get_host,
        "The host with its port.",
        'url("https://a:80/").getHost() == "a:80"',
    ),
    member(
        "url_get_hostname",
        "getHostname",
        (_TYPE,),
        "string",
        _hostname,
        "The host without port and brackets.",
        'url("https://[::1]:80/").getHostname() == "::1"',
    ),
    member(
        "url_get_port",
        "getPort",
        (_TYPE,),
        "string",
        _port,
        "The port; empty where there is none.",
        'url("https://a:80/").getPort() == "80"',
    ),
    member(
        "url_get_escaped_path",
        "getEscapedPath",
        (_TYPE,),
        "string",
        escaped_path,
        "The path, percent-encoded.",
        'url("https://a/b c").getEscapedPath() == "/b%20c"',
    ),
    member(
        "url_get_query",
        "getQuery",
        (_TYPE,),
        "map(string, list(string))",
        _query,
        "The values of each parameter.",
        'url("https://a?x=1&x=2").getQuery() == {"x": ["1", "2"]}',
    ),
)
