"""
IP addresses and networks.

Enters: texts, addresses, networks.  Leaves: the same, and what kind they are.  Not known here: host names, zones; IPv4 inside IPv6 (all refused).

Source: k8s.io/apiserver v0.35.0 pkg/cel/library/ip.go, cidr.go; Go net/netip.
"""

from __future__ import annotations

from krm_fn.cel.errors import BAD_ARGUMENT, BAD_CONVERSION, EvaluationError
from krm_fn.cel.library.overload import Overload, function, member, no_such_overload

_DIGITS = frozenset("0123456789")
_BITS = {4: 32, 6: 128}
_BROADCAST = (4, 0xFFFFFFFF)


class IP:
    """An address: its family (4 or 6) and its number."""

    __slots__ = ("family", "number", "text")
    cel_type = "net.IP"

    def __init__(self, family: int, number: int, text: str) -> None:
        self.family = family
        self.number = number
        self.text = text
        """As Go writes it: RFC 5952."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IP) and (self.family, self.number) == (other.family, other.number)

    def cel_equals(self, other: object) -> bool:
        """Compare as `==` does: with another type it has no meaning."""
        if not isinstance(other, IP):
            raise no_such_overload("ip ==", (other,))
        return self == other

    def __hash__(self) -> int:
        return hash((self.family, self.number))

    def __str__(self) -> str:
        return self.text


class CIDR:
    """A network: an address in it and the length of its prefix in bits. The address need not be the network's first."""

    __slots__ = ("ip", "prefix")
    cel_type = "net.CIDR"

    def __init__(self, ip: IP, prefix: int) -> None:
        self.ip = ip
        self.prefix = prefix

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CIDR) and self.ip == other.ip and self.prefix == other.prefix

    def cel_equals(self, other: object) -> bool:
        """Compare as `==` does: with another type it has no meaning."""
        if not isinstance(other, CIDR):
            raise no_such_overload("cidr ==", (other,))
        return self == other

    def __hash__(self) -> int:
        return hash((self.ip, self.prefix))

    def __str__(self) -> str:
        return f"{self.ip}/{self.prefix}"


def parse_ip(text: str) -> IP:
    """Read an address. Errors: BAD_CONVERSION, also for zones and for IPv4 inside IPv6 (`::ffff:1.2.3.4`)."""
    from ipaddress import ip_address

    if "%" in text or "/" in text:
        raise _not_an_ip(text)
    try:
        address = ip_address(text)
    except ValueError:
        raise _not_an_ip(text) from None
    if address.version == 6 and int(address) >> 32 == 0xFFFF:
        raise _not_an_ip(text)
    return IP(address.version, int(address), str(address))


def _not_an_ip(text: str) -> EvaluationError:
    return EvaluationError(BAD_CONVERSION, f"{text[:60]!r} is not an IP address without a zone")


def parse_cidr(text: str) -> CIDR:
    """Read an address, a slash and the length of the prefix. Errors: BAD_CONVERSION."""
    address, slash, bits = text.rpartition("/")
    is_number = bool(bits) and _DIGITS.issuperset(bits) and len(bits) <= 3 and (bits == "0" or bits[0] != "0")
    if not slash or not is_number:
        raise EvaluationError(BAD_CONVERSION, f"{text[:60]!r} is not a network like 10.0.0.0/8")
    ip = parse_ip(address)
    if int(bits) > _BITS[ip.family]:
        raise EvaluationError(BAD_CONVERSION, f"{text[:60]!r} has a prefix of more than {_BITS[ip.family]} bits")
    return CIDR(ip, int(bits))


def _is_ip(text: str) -> bool:
    try:
        parse_ip(text)
    except EvaluationError:
        return False
    return True


def _is_canonical(text: str) -> bool:
    return parse_ip(text).text == text


def _family(ip: IP) -> int:
    return ip.family


def _starts(ip: IP, family: int, bits: int, prefix: int) -> bool:
    """Tell whether the address is of the family and its first bits are the prefix."""
    return ip.family == family and ip.number >> (_BITS[family] - bits) == prefix


def _is_unspecified(ip: IP) -> bool:
    return ip.number == 0


def _is_loopback(ip: IP) -> bool:
    return _starts(ip, 4, 8, 127) or _starts(ip, 6, 128, 1)


def _is_link_local_multicast(ip: IP) -> bool:
    """224.0.0.0/24; ffx2::/16 for any flags x."""
    return _starts(ip, 4, 24, 0xE00000) or (ip.family == 6 and ip.number >> 112 & 0xFF0F == 0xFF02)


def _is_link_local_unicast(ip: IP) -> bool:
    return _starts(ip, 4, 16, 0xA9FE) or _starts(ip, 6, 10, 0xFE80 >> 6)


def _is_multicast(ip: IP) -> bool:
    return _starts(ip, 4, 4, 0xE) or _starts(ip, 6, 8, 0xFF)


def _is_global_unicast(ip: IP) -> bool:
    """Private addresses are global too. # sic: Go."""
    special = _is_unspecified(ip) or _is_loopback(ip) or _is_multicast(ip) or _is_link_local_unicast(ip)
    return not special and (ip.family, ip.number) != _BROADCAST


def _is_cidr(text: str) -> bool:
    try:
        parse_cidr(text)
    except EvaluationError:
        return False
    return True


def _contains_ip_text(network: CIDR, text: str) -> bool:
    if not _is_ip(text):
        raise EvaluationError(BAD_ARGUMENT, f"containsIP({text[:60]!r}): not an IP address")
    return _contains_ip(network, parse_ip(text))


def _contains_ip(network: CIDR, ip: IP) -> bool:
    rest = _BITS[network.ip.family] - network.prefix
    return network.ip.family == ip.family and network.ip.number >> rest == ip.number >> rest


def _contains_cidr_text(network: CIDR, text: str) -> bool:
    return _contains_cidr(network, parse_cidr(text))


def _contains_cidr(network: CIDR, other: CIDR) -> bool:
    return network.prefix <= other.prefix and _contains_ip(network, other.ip)


def _ip_of(network: CIDR) -> IP:
    return network.ip


def _masked(network: CIDR) -> CIDR:
    from ipaddress import IPv4Address, IPv6Address

    rest = _BITS[network.ip.family] - network.prefix
    number = network.ip.number >> rest << rest
    text = str(IPv4Address(number) if network.ip.family == 4 else IPv6Address(number))
    return CIDR(IP(network.ip.family, number, text), network.prefix)


def _prefix_length(network: CIDR) -> int:
    return network.prefix


OVERLOADS: tuple[Overload, ...] = (
    function(
        "string_to_ip",
        "ip",
        ("string",),
        "net.IP",
        parse_ip,
        "The address of a text; an error where it is none.",
        'ip("::1") == ip("0:0:0:0:0:0:0:1")',
    ),
    function(
        "is_ip",
        "isIP",
        ("string",),
        "bool",
        _is_ip,
        "Whether the text is an address.",
        'isIP("10.0.0.1")',
        '!isIP("10.0.0.1/8")',
    ),
    function(
        "ip_is_canonical",
        "ip.isCanonical",
        ("string",),
        "bool",
        _is_canonical,
        "Whether the address is written as string(ip(x)) writes it; an error where it is none.",
        'ip.isCanonical("::1")',
        '!ip.isCanonical("::0")',
    ),
    function(
        "ip_to_string",
        "string",
        ("net.IP",),
        "string",
        str,
        "The address in its shortest form.",
        'string(ip("2001:0DB8::0001")) == "2001:db8::1"',
    ),
    member("ip_family", "family", ("net.IP",), "int", _family, "4 or 6.", 'ip("127.0.0.1").family() == 4'),
    member(
        "ip_is_unspecified",
        "isUnspecified",
        ("net.IP",),
        "bool",
        _is_unspecified,
        "Whether it is 0.0.0.0 or ::.",
        'ip("0.0.0.0").isUnspecified()',
    ),
    member(
        "ip_is_loopback",
        "isLoopback",
        ("net.IP",),
        "bool",
        _is_loopback,
        "Whether it is in 127.0.0.0/8, or ::1.",
        'ip("127.0.0.2").isLoopback()',
    ),
    member(
        "ip_is_link_local_multicast",
        "isLinkLocalMulticast",
        ("net.IP",),
        "bool",
        _is_link_local_multicast,
        "Whether it is in 224.0.0.0/24 or ff02::/16.",
        'ip("224.0.0.1").isLinkLocalMulticast()',
    ),
    member(
        "ip_is_link_local_unicast",
        "isLinkLocalUnicast",
        ("net.IP",),
        "bool",
        _is_link_local_unicast,
        "Whether it is in 169.254.0.0/16 or fe80::/10.",
        'ip("fe80::1").isLinkLocalUnicast()',
    ),
    member(
        "ip_is_global_unicast",
        "isGlobalUnicast",
        ("net.IP",),
        "bool",
        _is_global_unicast,
        "Whether it is a unicast address beyond the link; private ones are.",
        'ip("10.0.0.1").isGlobalUnicast()',
    ),
    function(
        "string_to_cidr",
        "cidr",
        ("string",),
        "net.CIDR",
        parse_cidr,
        "The network of a text; an error where it is none.",
        'cidr("10.0.0.5/24") != cidr("10.0.0.0/24")',
    ),
    function(
        "is_cidr",
        "isCIDR",
        ("string",),
        "bool",
        _is_cidr,
        "Whether the text is a network.",
        'isCIDR("10.0.0.0/8")',
        '!isCIDR("10.0.0.0")',
    ),
    function(
        "cidr_to_string",
        "string",
        ("net.CIDR",),
        "string",
        str,
        "The address and the length of the prefix.",
        'string(cidr("10.0.0.0/8")) == "10.0.0.0/8"',
    ),
    member(
        "cidr_contains_ip_string",
        "containsIP",
        ("net.CIDR", "string"),
        "bool",
        _contains_ip_text,
        "Whether the address of the text is in the network.",
        'cidr("10.0.0.0/8").containsIP("10.1.2.3")',
    ),
    member(
        "cidr_contains_ip_ip",
        "containsIP",
        ("net.CIDR", "net.IP"),
        "bool",
        _contains_ip,
        "Whether the address is in the network.",
        'cidr("10.0.0.0/8").containsIP(ip("10.1.2.3"))',
    ),
    member(
        "cidr_contains_cidr_string",
        "containsCIDR",
        ("net.CIDR", "string"),
        "bool",
        _contains_cidr_text,
        "Whether the network of the text is inside.",
        'cidr("10.0.0.0/8").containsCIDR("10.1.0.0/16")',
    ),
    member(
        "cidr_contains_cidr",
        "containsCIDR",
        ("net.CIDR", "net.CIDR"),
        "bool",
        _contains_cidr,
        "Whether the other network is inside.",
        '!cidr("10.0.0.0/8").containsCIDR(cidr("10.0.0.0/7"))',
    ),
    member(
        "cidr_ip",
        "ip",
        ("net.CIDR",),
        "net.IP",
        _ip_of,
        "The address as it was written.",
        'cidr("10.0.0.5/24").ip() == ip("10.0.0.5")',
    ),
    member(
        "cidr_prefix_length",
        "prefixLength",
        ("net.CIDR",),
        "int",
        _prefix_length,
        "The number of bits that all addresses share.",
        'cidr("10.0.0.0/8").prefixLength() == 8',
    ),
    member(
        "cidr_masked",
        "masked",
        ("net.CIDR",),
        "net.CIDR",
        _masked,
        "The network by its first address.",
        'cidr("10.0.0.5/24").masked() == cidr("10.0.0.0/24")',
    ),
)
