"""Who is at the other end of a connection: the client behind trusted proxies, and whether it is this machine."""

import ipaddress
from collections.abc import Sequence

from starlette.requests import HTTPConnection

_FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip", "via")


def client_address(connection: HTTPConnection, trusted_proxies: Sequence[str]) -> str:
    """Return the network address that a request comes from.

    X-Forwarded-For is read from its end, where the nearest proxy wrote, for as long as the writer is trusted: what
    stands before an address that is not trusted may have been made up.
    """
    address = connection.client.host if connection.client else "unknown"
    forwarded = [part.strip() for value in connection.headers.getlist("x-forwarded-for") for part in value.split(",")]
    while forwarded and _is_within(address, trusted_proxies):
        named = _without_port(forwarded.pop())
        if not _is_address(named):
            break
        address = named
    return address


def is_secure(connection: HTTPConnection, trusted_proxies: Sequence[str]) -> bool:
    """Return whether the client's own connection is encrypted, as far as trusted proxies say."""
    peer = connection.client.host if connection.client else ""
    if _is_within(peer, trusted_proxies):
        return connection.headers.get("x-forwarded-proto", "").lower() == "https"
    return connection.url.scheme == "https"


def is_this_machine(connection: HTTPConnection) -> bool:
    """Return whether a request comes from this machine itself: from loopback, and through no proxy."""
    peer = connection.client.host if connection.client else ""
    if not _is_address(peer) or any(name in connection.headers for name in _FORWARDED):
        return False
    return ipaddress.ip_address(peer).is_loopback


def _is_within(address: str, networks: Sequence[str]) -> bool:
    if not _is_address(address):
        return False
    found = ipaddress.ip_address(address)
    return any(found in ipaddress.ip_network(network) for network in networks)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _without_port(text: str) -> str:
    """Return an address without a port: 192.0.2.1:80 and [2001:db8::1]:80 are written by some proxies."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    host, _, port = text.rpartition(":")
    return host if port.isdecimal() and host.count(".") == 3 else text
