"""Looks up host names on threads of their own, so that a slow name server delays only the visits to its hosts."""

import asyncio
import errno
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from guardian.fetch.ssrf_guard import AddressInfo

LookUp = Callable[[str, int, int], list[tuple[Any, ...]]]
"""(host, port, address family) -> what getaddrinfo returns. Raises OSError."""


def system_look_up(host: str, port: int, family: int) -> list[tuple[Any, ...]]:
    """Return what the machine's own name service (getaddrinfo) says. Raises OSError."""
    return list(socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, 0, socket.AI_ADDRCONFIG))


class Resolver(AbstractResolver):
    """Resolves names for aiohttp's connector. Whether an address may be connected to is decided in `ssrf_guard`.

    `at_once` names are looked up at a time: as many as there are requests, so that none waits for another's lookup.
    """

    def __init__(self, look_up: LookUp, at_once: int) -> None:
        self._look_up = look_up
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="names")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return every IP address of a host. Raises OSError when there is none."""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self._threads, self._look_up, host, port, family)
        except UnicodeError as error:
            # The codec of host names refuses empty and overlong labels in its own way.
            raise OSError(
                errno.EINVAL, "not a host name: a part between its dots is empty or longer than 63 letters"
            ) from error

        return [
            ResolveResult(
                hostname=host,
                host=_with_scope(address),
                port=address[1],
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        """Stop looking up names. Lookups in progress cannot be cancelled, and end unheard."""
        self._threads.shutdown(wait=False, cancel_futures=True)


async def places_of(host: str, port: int, resolver: Resolver) -> list[AddressInfo]:
    """Return every address of a host, which may be an IP address itself, as connect takes it. Raises OSError."""
    try:
        literal = ip_address(host.partition("%")[0])
    except ValueError:
        return [_place(one) for one in await resolver.resolve(host, port, socket.AF_UNSPEC)]
    family = socket.AF_INET if literal.version == 4 else socket.AF_INET6
    return [_place(ResolveResult(hostname=host, host=host, port=port, family=family, proto=0, flags=0))]


def _place(found: ResolveResult) -> AddressInfo:
    host, _, scope = found["host"].partition("%")
    is_six = found["family"] == socket.AF_INET6
    place = (host, found["port"], 0, int(scope) if scope.isdigit() else 0) if is_six else (host, found["port"])
    return (found["family"], socket.SOCK_STREAM, socket.IPPROTO_TCP, "", place)


def _with_scope(address: tuple[Any, ...]) -> str:
    """Return the IP address of a socket address as connect takes it; a link-local one needs its interface (%3)."""
    has_scope = len(address) > 3 and address[3] and "%" not in address[0]
    return f"{address[0]}%{address[3]}" if has_scope else str(address[0])
