"""Host names are looked up beside the loop, and odd ones are errors of the ordinary kind."""

import asyncio
import socket
import threading
from typing import Any

import pytest

from guardian.fetch.dns import Resolver, system_look_up


def resolved(look_up: Any, host: str = "a.example") -> list[Any]:
    async def go() -> list[Any]:
        names = Resolver(look_up, 2)
        try:
            return list(await names.resolve(host, 80))
        finally:
            await names.close()

    return asyncio.run(go())


def test_every_address_of_a_name_is_given_as_a_number() -> None:
    found = resolved(
        lambda host, port, family: [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)),
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", port, 0, 0)),
        ]
    )
    assert [(one["host"], one["port"], one["hostname"]) for one in found] == [
        ("127.0.0.1", 80, "a.example"),
        ("::1", 80, "a.example"),
    ]
    assert all(one["flags"] & socket.AI_NUMERICHOST for one in found)


def test_a_link_local_address_keeps_its_interface() -> None:
    (found,) = resolved(lambda *_: [(socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("fe80::1", 80, 0, 3))])
    assert found["host"] == "fe80::1%3"


@pytest.mark.parametrize("host", ["a" * 64 + ".example", "a..example", "\ud800.example"])
def test_what_cannot_be_a_name_is_an_error_of_the_network(host: str) -> None:
    with pytest.raises(OSError, match=r".+"):
        resolved(system_look_up, host)


def test_the_loop_goes_on_while_a_name_server_is_silent() -> None:
    answered = threading.Event()

    def slow(host: str, port: int, family: int) -> list[tuple[Any, ...]]:
        answered.wait(20)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    async def go() -> list[Any]:
        names = Resolver(slow, 2)
        waiting = asyncio.ensure_future(names.resolve("a.example", 80))
        # The loop's own threads are not those that wait.
        assert await asyncio.to_thread(lambda: "free") == "free"
        assert not waiting.done()
        answered.set()
        return list(await waiting)

    assert len(asyncio.run(go())) == 1
