"""Guards against SSRF. Asked when a socket is made, so nothing lies between check and use.

Names, redirects and odd notations need no rules of their own: all of them end at an IP address.
"""

import errno
import re
import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
AddressInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[object, ...]]
"""An entry of the list that getaddrinfo returns."""

MARK = "blocked address"
"""Begins the text of every refusal; connection libraries join several errors into one text."""

_REFUSED = re.compile(rf"{MARK} ([0-9a-f.:]+): ([a-z' ]+)")
"""One refusal in the text of an error, of which there may be several."""

_METADATA = frozenset(
    ip_address(one) for one in ("169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16")
)
"""Where clouds hand out the keys of a machine. The last one, Azure's, is a global address by registry."""

# Networks whose addresses hold an IPv4 address, and how many bits stand behind it.
_CARRIERS_OF_IPV4 = (
    (IPv6Network("64:ff9b::/96"), 0),  # NAT64, RFC 6052
    (IPv6Network("2002::/16"), 80),  # 6to4, RFC 3056: the IPv4 address follows the prefix
    (IPv6Network("::/96"), 0),  # IPv4-compatible, RFC 4291 (deprecated)
    (IPv6Network("::ffff:0:0:0/96"), 0),  # IPv4-translated, RFC 2765
)
_UNICAST = IPv6Network("2000::/3")
"""All global unicast that IANA has allocated. What lies outside is special, whether this Python knows it or not."""

_NEVER = (
    IPv6Network("2001::/32"),  # Teredo, RFC 4380: tunnels to an address inside
    IPv6Network("2001:db8::/32"),  # documentation, RFC 3849
    IPv6Network("3fff::/20"),  # documentation, RFC 9637
)


class BlockedAddress(OSError):
    """The guard refused to make a socket. It is an OSError, so that the next address of the name is tried."""


def refusal(address: Address, allowed: Sequence[Network]) -> str | None:
    """Return why guardian must not connect to an address; None when it may.

    `allowed` networks are let through. An IPv6 address that embeds an IPv4 one is judged by the IPv4 address.
    """
    carried = _carried(address)
    if any(one in network for network in allowed for one in (address, carried) if one.version == network.version):
        return None

    if carried in _METADATA:
        return "a cloud's metadata address"
    if isinstance(carried, IPv6Address) and (carried not in _UNICAST or any(carried in one for one in _NEVER)):
        return "this machine" if carried.is_loopback else "not a public address"
    if carried.is_loopback:
        return "this machine"
    if not carried.is_global or carried.is_multicast or carried.is_reserved or carried.is_unspecified:
        return "not a public address"
    return None


def refusal_text(text: str) -> str | None:
    """Return for people what the guard refused, and which setting lets it through, by the text of an error.

    None when the error is no refusal. No setting is named for addresses at which no site of anybody's can be.
    """
    refused = {ip_address(address): why for address, why in _REFUSED.findall(text)}
    if not refused:
        return None
    said = ", ".join(f"{MARK} {address}: {why}" for address, why in refused.items())
    networks = dict.fromkeys(str(ip_network(_carried(one))) for one in refused if _may_be_a_site(_carried(one)))
    if not networks:
        return said
    return f"{said}; if you trust what answers there, add {', '.join(networks)} to fetch.allow_networks"


def guarded_socket(allowed: Sequence[Network]) -> Callable[[AddressInfo], socket.socket]:
    """Return a factory of sockets that raises BlockedAddress by the very address the socket will connect to."""

    def make(info: AddressInfo) -> socket.socket:
        family, kind, protocol, _, place = info
        # A scope such as %eth0 is not part of the address.
        address = ip_address(str(place[0]).partition("%")[0])
        reason = refusal(address, allowed)
        if reason is not None:
            # Connection libraries show only the text of an OSError.
            raise BlockedAddress(errno.EACCES, f"{MARK} {address}: {reason}")
        return socket.socket(family, kind, protocol)

    return make


def _may_be_a_site(address: Address) -> bool:
    # Of IPv6 the loopback address counts as reserved, too.
    is_nowhere = address.is_multicast or address.is_unspecified or (address.is_reserved and not address.is_loopback)
    return not is_nowhere and address not in _METADATA


def _carried(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one embeds, or the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    for network, shift in _CARRIERS_OF_IPV4:
        # ::1 and its neighbours lie in ::/96 but embed nothing.
        if address in network and int(address) > 0xFFFF:
            return IPv4Address((int(address) >> shift) & 0xFFFFFFFF)
    return address
