"""Whose address a request has, behind proxies that are trusted and others."""

import pytest
from starlette.requests import Request

from guardian.web.client import client_address, is_secure, is_this_machine

PROXIES = ("10.0.0.0/8", "::1/128")


def request(peer: str, **headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "client": (peer, 1), "headers": raw, "scheme": "http", "path": "/", "server": None})


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("192.0.2.1", "198.51.100.1", "192.0.2.1"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.1", "[2001:db8::1]:443", "2001:db8::1"),
        ("10.0.0.1", "198.51.100.1:443", "198.51.100.1"),
        ("::1", "198.51.100.1", "198.51.100.1"),
    ],
)
def test_address_is_the_last_that_somebody_trusted_wrote(peer: str, forwarded: str, address: str) -> None:
    assert client_address(request(peer, x_forwarded_for=forwarded), PROXIES) == address


def test_only_trusted_proxies_say_that_the_connection_is_encrypted() -> None:
    assert is_secure(request("10.0.0.1", x_forwarded_proto="https"), PROXIES)
    assert not is_secure(request("192.0.2.1", x_forwarded_proto="https"), PROXIES)


def test_this_machine_is_loopback_and_no_proxy() -> None:
    assert is_this_machine(request("127.0.0.1"))
    assert not is_this_machine(request("127.0.0.1", x_forwarded_for="198.51.100.1"))
    assert not is_this_machine(request("192.0.2.1"))
